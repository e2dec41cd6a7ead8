/* test/unit/sql/print.c - the printer's own business: built trees, hooks, what it refuses */
#include "sql/print.h"
#include "base/limits.h"
#include "sql/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct sql_span nowhere = {SQL_NOWHERE, SQL_NOWHERE};

static struct str print_expr(const struct sql_expr *expr, const struct sql_dialect *dialect,
                             struct arena *arena) {
    struct buf buf;
    buf_init(&buf, (size_t)MIB);
    assert_int_equal(sql_print_expr(expr, dialect, NULL, &buf, NULL).why, FAIL_NONE);
    struct str out = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return out;
}

static struct sql_expr *literal(struct arena *arena, struct str text) {
    struct sql_expr *expr = arena_new(arena, struct sql_expr);
    *expr = (struct sql_expr){.kind = SQL_LITERAL, .span = nowhere};
    expr->literal = (struct sql_literal){SQL_STRING, text};
    return expr;
}

/* Any bytes in a literal come back as they were: nothing that we write ends a string too early. */
static void strings_survive(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)(16 * MIB));
    for (unsigned first = 0; first < 128; first++) {
        for (unsigned second = 0; second < 128; second++) {
            char bytes[3] = {(char)first, (char)second, '7'};
            struct str text = {bytes, sizeof bytes};
            struct sql_expr *back = NULL;
            struct str printed = print_expr(literal(&arena, text), &sql_dialect_maxcompute, &arena);
            assert_int_equal(sql_parse_expr(printed, NULL, &arena, &back, NULL).why, FAIL_NONE);
            assert_int_equal(back->kind, SQL_LITERAL);
            assert_true(str_eq(back->literal.text, text));
        }
    }
    arena_deinit(&arena);
}

static void names_survive(void **state) {
    (void)state;
    static const struct str names[] = {
        STR_INIT("a"),    STR_INIT(""),        STR_INIT("a b"),    STR_INIT("`"),
        STR_INIT("a``b"), STR_INIT("a.b"),     STR_INIT("select"), STR_INIT("x; DROP TABLE t"),
        STR_INIT("a\nb"), STR_INIT("手机"),    STR_INIT("'"),      STR_INIT("\\"),
        STR_INIT("--x"),  STR_INIT("*/ x /*"), STR_INIT("a$b"),    STR_INIT("$ {x}"),
    };
    struct arena arena;
    arena_init(&arena, (size_t)MIB);
    for (size_t i = 0; i < COUNT(names); i++) {
        for (enum sql_quoting quoting = SQL_BARE; quoting <= SQL_DOUBLE; quoting++) {
            struct sql_name name = {names[i], nowhere, quoting};
            struct sql_expr ref = {.kind = SQL_REF, .span = nowhere, .ref = {&name, 1}};
            struct sql_expr *back = NULL;
            struct str printed = print_expr(&ref, &sql_dialect_maxcompute, &arena);
            assert_int_equal(sql_parse_expr(printed, NULL, &arena, &back, NULL).why, FAIL_NONE);
            assert_int_equal(back->kind, SQL_REF);
            assert_int_equal(back->ref.n, 1);
            assert_true(str_eq(back->ref.at[0].text, names[i]));
        }
    }
    arena_deinit(&arena);
}

static void refused(const struct sql_query *query, const struct sql_expr *expr, const char *code) {
    struct buf buf;
    struct report report = {0};
    buf_init(&buf, (size_t)MIB);
    result r = query != NULL ? sql_print(query, &sql_dialect_maxcompute, NULL, &buf, &report)
                             : sql_print_expr(expr, &sql_dialect_maxcompute, NULL, &buf, &report);
    assert_true(r.why != FAIL_NONE);
    assert_int_equal(r.why, report.why);
    assert_string_equal(report.code, code);
    buf_deinit(&buf);
}

static void what_is_no_tree_is_refused(void **state) {
    (void)state;
    struct sql_expr zero = {.span = nowhere}, unary = {.kind = SQL_UNARY, .op = SQL_OP_NOT};
    struct sql_expr binary = {.kind = SQL_BINARY, .op = SQL_OP_NONE, .span = nowhere};
    struct sql_query query = {.span = nowhere};
    refused(NULL, NULL, "SQL_NOT_SUPPORTED");
    refused(NULL, &zero, "SQL_NOT_SUPPORTED");
    refused(NULL, &unary, "SQL_NOT_SUPPORTED");
    refused(&query, NULL, "SQL_NOT_SUPPORTED");
    binary.binary.left = binary.binary.right = &zero;
    refused(NULL, &binary, "SQL_NOT_SUPPORTED");
    struct sql_expr circle = {.kind = SQL_UNARY, .op = SQL_OP_NOT, .span = nowhere};
    circle.operand = &circle;
    refused(NULL, &circle, "SQL_TOO_DEEP");
}

static void a_full_buffer_is_told(void **state) {
    (void)state;
    struct arena arena;
    struct sql_query *query = NULL;
    arena_init(&arena, (size_t)MIB);
    assert_int_equal(sql_parse(STR("SELECT a, b FROM t"), NULL, &arena, &query, NULL).why,
                     FAIL_NONE);
    for (size_t max = 1; max < 24; max++) {
        struct buf buf;
        buf_init(&buf, max);
        assert_int_equal(sql_print(query, &sql_dialect_maxcompute, NULL, &buf, NULL).why,
                         FAIL_LIMIT);
        buf_deinit(&buf);
    }
    arena_deinit(&arena);
}

/* -- a dialect made for the test ------------------------------------------------------------------
 */

static void put_identifier(struct sql_printer *p, const struct sql_name *name) {
    sql_putf(p, "<" STR_FMT ">", STR_ARG(name->text));
}

static bool put_expr(struct sql_printer *p, const struct sql_expr *expr) {
    if (expr->kind == SQL_BINARY && expr->op == SQL_OP_RLIKE) {
        sql_put(p, STR("matches("));
        sql_put_expr(p, expr->binary.left);
        sql_put(p, STR(", "));
        sql_put_expr(p, expr->binary.right);
        sql_put_byte(p, ')');
        return true;
    }
    if (expr->kind != SQL_INDEX) return false;
    sql_put_refusal(p, expr->span, "the test cannot write an index");
    return true;
}

static bool put_source(struct sql_printer *p, const struct sql_source *source) {
    if (source->kind != SQL_TABLE) return false;
    sql_put_path(p, &source->table);
    sql_put(p, STR("!"));
    return true;
}

static bool put_tail(struct sql_printer *p, const struct sql_tail *tail) {
    if (tail->limit.count != NULL) sql_put(p, STR(" TOP"));
    return *(bool *)p->with;
}

static void dialects_take_over(void **state) {
    (void)state;
    static const struct {
        const char *sql, *text;
    } cases[] = {
        {"SELECT a RLIKE 'x' FROM t", "SELECT matches(<a>, 'x') FROM <t>!"},
        {"SELECT a FROM t ORDER BY a, b DESC, c NULLS LAST",
         "SELECT <a> FROM <t>! ORDER BY <a> NULLS FIRST, <b> DESC NULLS LAST, <c> NULLS LAST"},
        {"SELECT sum(a) OVER (ORDER BY b), sum(a) OVER (PARTITION BY b)",
         "SELECT sum(<a>) OVER (ORDER BY <b> NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND "
         "CURRENT ROW), sum(<a>) OVER (PARTITION BY <b>)"},
        {"SELECT /*+ mapjoin(a) */ 1 LIMIT 2", "SELECT 1 TOP LIMIT 2"},
        {"SELECT a FROM t, u", "SELECT <a> FROM <t>! CROSS JOIN <u>!"},
        {"SELECT a FROM VALUES (1), (2) t(a)", "SELECT <a> FROM (VALUES (1), (2)) AS <t>(<a>)"},
        {"SELECT 1 MINUS SELECT 2", "(SELECT 1) EXCEPT (SELECT 2)"},
        {"SELECT a FROM t LEFT SEMI JOIN u ON 1", NULL},
        {"SELECT a[1]", NULL},
        {"SELECT 1 INTERSECT SELECT 2", NULL},
    };
    struct sql_dialect dialect = sql_dialect_maxcompute;
    dialect.name = "test";
    dialect.explicit_nulls = dialect.explicit_frame = dialect.values_in_parens = true;
    dialect.hints = false;
    dialect.identifier = put_identifier;
    dialect.expr = put_expr;
    dialect.source = put_source;
    dialect.tail = put_tail;
    dialect.join[SQL_JOIN_COMMA] = "CROSS JOIN";
    dialect.join[SQL_JOIN_SEMI] = NULL;
    dialect.set_op[SQL_MINUS] = "EXCEPT";
    dialect.set_op[SQL_INTERSECT] = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena arena;
        struct buf buf;
        struct sql_query *query = NULL;
        struct report report = {0};
        bool all = false;
        arena_init(&arena, (size_t)MIB);
        buf_init(&buf, (size_t)MIB);
        if (sql_parse(str_of(cases[i].sql), NULL, &arena, &query, NULL).why == FAIL_NONE) {
            result r = sql_print(query, &dialect, &all, &buf, &report);
            struct str text = buf_flat(&buf, &arena);
            if (cases[i].text == NULL) {
                assert_int_equal(r.why, FAIL_INPUT);
                assert_string_equal(report.code, "SQL_NOT_SUPPORTED");
            } else {
                if (!str_eq(text, str_of(cases[i].text)))
                    print_message(STR_FMT "\n", STR_ARG(text));
                assert_true(str_eq(text, str_of(cases[i].text)));
            }
        } else {
            assert_null(cases[i].text);
        }
        buf_deinit(&buf);
        arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_survive),
        cmocka_unit_test(names_survive),
        cmocka_unit_test(what_is_no_tree_is_refused),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(dialects_take_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
