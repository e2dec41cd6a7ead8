/* test/unit/sql/parse.c - what parses, as what, and what is refused, why and where */
#include "sql/parse.h"
#include "base/fault.h"
#include "base/limits.h"
#include "sql/print.h"
#include "sql/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "statements.h"

#define CASES SOURCE_ROOT "/test/unit/sql/"

struct parsed {
    struct arena arena;
    struct report report;
    struct sql_query *query;
    result result;
};

static void parse_start(struct parsed *p, struct str sql, const struct sql_limits *limits) {
    memset(p, 0, sizeof *p);
    arena_init(&p->arena, (size_t)CALL_ARENA_BYTES);
    p->result = sql_parse(sql, limits, &p->arena, &p->query, &p->report);
    assert_int_equal(p->result.why, p->report.why);
    assert_int_equal(p->result.why == FAIL_NONE, p->query != NULL);
    if (p->result.why == FAIL_NONE) return;
    assert_non_null(p->report.code);
    assert_true(p->report.sentence[0] != '\0');
    assert_true(p->report.offset <= sql.len || p->report.offset == REPORT_NO_OFFSET);
}

static struct str print_of(const struct sql_query *query, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, (size_t)CALL_ARENA_BYTES);
    assert_int_equal(sql_print(query, &sql_dialect_maxcompute, NULL, &buf, NULL).why, FAIL_NONE);
    struct str out = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return out;
}

/* The print parses to the same tree. Printing adds parentheses, so that what stood at the edge of
 * the permitted nesting may pass it. */
static void check_print(const struct parsed *p) {
    struct parsed again;
    struct arena arena;
    arena_init(&arena, (size_t)CALL_ARENA_BYTES);
    struct str text = print_of(p->query, &arena);
    parse_start(&again, text, NULL);
    if (again.result.why == FAIL_LIMIT) {
        assert_string_equal(again.report.code, "SQL_TOO_DEEP");
        assert_true(p->query->height > 40);
    } else {
        if (again.result.why != FAIL_NONE)
            print_message("%s: " STR_FMT "\n", again.report.sentence, STR_ARG(text));
        assert_int_equal(again.result.why, FAIL_NONE);
        if (!sql_equal(p->query, again.query))
            print_message("not equal: " STR_FMT "\n", STR_ARG(text));
        assert_true(sql_equal(p->query, again.query));
        assert_true(str_eq(text, print_of(again.query, &arena)));
    }
    arena_deinit(&again.arena);
    arena_deinit(&arena);
}

/* -- cases ------------------------------------------------------------------------------------ */

static void cases_parse_as_they_say(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)MIB);
    struct statements cases = statements_cases(CASES "parse.case", STR("\n=> "), &arena);
    assert_true(cases.n > 100);
    for (size_t i = 0; i < cases.n; i++) {
        struct parsed p;
        parse_start(&p, cases.at[i].sql, NULL);
        if (p.result.why != FAIL_NONE)
            print_message(STR_FMT ": %s\n", STR_ARG(cases.at[i].sql), p.report.sentence);
        assert_int_equal(p.result.why, FAIL_NONE);
        struct str text = print_of(p.query, &p.arena);
        if (!str_eq(text, cases.at[i].answer))
            print_message("got:  " STR_FMT "\nwant: " STR_FMT "\n", STR_ARG(text),
                          STR_ARG(cases.at[i].answer));
        assert_true(str_eq(text, cases.at[i].answer));
        check_print(&p);
        assert_string_equal(sql_classify(cases.at[i].sql), "select");
        arena_deinit(&p.arena);
    }
    arena_deinit(&arena);
}

static void cases_are_refused_as_they_say(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)MIB);
    struct statements cases = statements_cases(CASES "refuse.case", STR("\n! "), &arena);
    assert_true(cases.n > 50);
    for (size_t i = 0; i < cases.n; i++) {
        struct parsed p;
        struct str sql = cases.at[i].sql;
        parse_start(&p, sql, NULL);
        struct str got =
            str_printf(&arena, "%s %zu %s", p.report.code, p.report.offset, p.report.sentence);
        struct str want = cases.at[i].answer;
        if (!str_eq(got, want))
            print_message(STR_FMT "\ngot:  " STR_FMT "\nwant: " STR_FMT "\n", STR_ARG(sql),
                          STR_ARG(got), STR_ARG(want));
        assert_true(str_eq(got, want));
        arena_deinit(&p.arena);
    }
    arena_deinit(&arena);
}

/* -- the sample corpus --------------------------------------------------------------------------
 */

static void check_corpus(const char *file, bool accept) {
    struct arena arena;
    arena_init(&arena, (size_t)(8 * MIB));
    struct statements corpus = statements_corpus(file, &arena);
    size_t good = 0;
    for (size_t i = 0; i < corpus.n; i++) {
        struct parsed p;
        parse_start(&p, corpus.at[i].sql, NULL);
        bool right = (p.result.why == FAIL_NONE) == accept;
        if (!right) print_message(STR_FMT ": %s\n", STR_ARG(corpus.at[i].name), p.report.sentence);
        if (right && accept) check_print(&p);
        if (accept) assert_string_equal(sql_classify(corpus.at[i].sql), "select");
        good += right;
        arena_deinit(&p.arena);
    }
    if (corpus.n > 0) print_message("%s: %zu of %zu\n", file, good, corpus.n);
    assert_int_equal(good, corpus.n);
    arena_deinit(&arena);
}

static void samples_are_accepted(void **state) {
    (void)state;
    check_corpus("accept.jsonl", true);
    check_corpus("lineage.jsonl", true);
    check_corpus("exec.jsonl", true);
}

static void samples_are_refused(void **state) {
    (void)state;
    check_corpus("reject.jsonl", false);
}

/* Those who come from another dialect are told how it is said here. */
static void hints_tell_what_to_write(void **state) {
    (void)state;
    static const struct {
        const char *sql, *hint;
    } cases[] = {
        {"SELECT TOP 10 a FROM t", "Write LIMIT n at the end."},
        {"SELECT a FROM t FETCH FIRST 1 ROWS ONLY", "Write LIMIT n."},
        {"SELECT a FROM t LIMIT 1 OFFSET 2 ROWS",
         "Rows are limited by LIMIT n OFFSET m, without ROWS."},
        {"SELECT a FROM t OFFSET 5", "Write LIMIT n OFFSET m, both plain numbers."},
        {"SELECT a FROM t WHERE a ILIKE 'x'", "Write lower(a) LIKE lower(b)."},
        {"SELECT a FROM t WHERE a SIMILAR TO 'x'", "Write a RLIKE 'expression'."},
        {"SELECT a FROM t WHERE a LIKE 'x' ESCAPE '!'",
         "The escape of LIKE is always a backslash: a LIKE '10\\\\%'."},
        {"SELECT X'41'", "Write unhex('…') for bytes in hexadecimal."},
        {"SELECT a::int FROM t", "Write CAST(value AS type)."},
        {"SELECT .5", "A number begins with a digit: 0.5."},
        {"SELECT [1, 2]", "An array is array(a, b)."},
        {"SELECT {'a': 1}", "A map is map('k', v), a struct named_struct('k', v)."},
        {"SELECT a IS TRUE FROM t",
         "IS is followed by [NOT] NULL or [NOT] DISTINCT FROM; compare with = true."},
        {"SELECT a FROM t WHERE a > ALL (SELECT 1)",
         "Write f((SELECT …)); for > ALL (SELECT x …) write > (SELECT max(x) …)."},
        {"SELECT first_value(a) IGNORE NULLS OVER (ORDER BY b) FROM t",
         "Write true as the last argument: first_value(x, true)."},
        {"SELECT a FROM t FOR SYSTEM_TIME AS OF '2024-01-01'",
         "An older state is read by t TIMESTAMP AS OF '…'; nothing can be locked."},
        {"SELECT a, FROM t", "Take out the comma before FROM."},
        {"SELECT a AS 'b' FROM t", "An alias is a name: write it bare or in back quotes."},
        {"SELECT a FROM t WHERE a IN ()", "A list has at least one item."},
        {"SELECT if FROM t", "IF is a reserved word; as a name it is written `IF`."},
        {"SELECT a FROM t WHERE a ＞ 1", "Write the plain character > for it."},
        {"SELECT ‘a’", "Write the plain character ' for it."},
        {"SELECT\xC2\xA0"
         "1",
         "Write a plain blank for it."},
        {"SELECT a FROM t;;", "Send each statement in a call of its own."},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct parsed p;
        parse_start(&p, str_of(cases[i].sql), NULL);
        if (strcmp(p.report.hint, cases[i].hint) != 0)
            print_message("%s\n%s\n", cases[i].sql, p.report.sentence);
        assert_string_equal(p.report.hint, cases[i].hint);
        arena_deinit(&p.arena);
    }
}

/* -- limits ----------------------------------------------------------------------------------- */

static struct str repeat(struct arena *arena, const char *before, const char *open,
                         const char *middle, const char *close, const char *after, size_t n) {
    struct buf buf;
    buf_init(&buf, (size_t)CALL_ARENA_BYTES);
    buf_add(&buf, str_of(before));
    for (size_t i = 0; i < n; i++) buf_add(&buf, str_of(open));
    buf_add(&buf, str_of(middle));
    for (size_t i = 0; i < n; i++) buf_add(&buf, str_of(close));
    buf_add(&buf, str_of(after));
    struct str out = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return out;
}

static const struct nesting {
    const char *before, *open, *middle, *close, *after;
} nestings[] = {
    {"SELECT ", "(", "1", ")", ""},
    {"SELECT ", "(SELECT ", "1", ")", ""},
    {"", "SELECT * FROM (", "SELECT 1", ") t", ""},
    {"SELECT * FROM ", "(", "t JOIN u", ") JOIN v", ""},
    {"", "(", "SELECT 1", ") UNION SELECT 2", ""},
    {"", "SELECT 1 MINUS (", "SELECT 1", ")", ""},
    {"", "WITH a AS (", "SELECT 1", ") SELECT 2", ""},
    {"SELECT ", "f(", "1", ")", ""},
    {"SELECT ", "f() OVER (ORDER BY ", "1", ")", ""},
    {"SELECT ", "CASE WHEN ", "1", " THEN 2 END", ""},
    {"SELECT ", "CAST(", "1", " AS INT)", ""},
    {"SELECT CAST(a AS ", "ARRAY<", "INT", ">", ")"},
    {"SELECT ", "a[", "1", "]", ""},
    {"SELECT a", "[1]", "", "", ""},
    {"SELECT f(a)", ".b", "", "", ""},
    {"SELECT ", "NOT ", "1", "", ""},
    {"SELECT ", "- ", "1", "", ""},
    {"SELECT ", "a AND b OR NOT c = d | e & f || g + h * i ^ -(", "1", ")", ""},
    {"SELECT 1", " + 1", "", "", ""},
    {"SELECT 1", " IS NULL", "", "", ""},
    {"SELECT ", "1 IN (", "1", ")", ""},
    {"SELECT ", "EXISTS (SELECT ", "1", ")", ""},
    {"SELECT ", "f(x -> ", "1", ")", ""},
    {"SELECT 1 FROM t", " JOIN t", "", "", ""},
    {"SELECT 1 FROM t", " LATERAL VIEW explode(a) t AS x", "", "", ""},
    {"SELECT 1 FROM t", " PIVOT (sum(a) FOR b IN (1))", "", "", ""},
    {"SELECT 1 GROUP BY ", "CUBE (ROLLUP (", "1", "))", ""},
    {"SELECT 1", " UNION SELECT 2 MINUS SELECT 3", "", "", ""},
};

static void what_is_deep_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(nestings); i++) {
        const struct nesting *n = &nestings[i];
        struct arena arena;
        struct parsed p;
        arena_init(&arena, (size_t)CALL_ARENA_BYTES);
        static const size_t shallow[] = {1, 2, 20, 80};
        for (size_t j = 0; j < COUNT(shallow); j++) {
            parse_start(
                &p, repeat(&arena, n->before, n->open, n->middle, n->close, n->after, shallow[j]),
                NULL);
            if (p.result.why == FAIL_NONE)
                check_print(&p);
            else
                assert_true(shallow[j] > 20 && p.result.why == FAIL_LIMIT);
            arena_deinit(&p.arena);
        }
        static const size_t deep[] = {257, 1000, 20000};
        for (size_t j = 0; j < COUNT(deep); j++) {
            parse_start(&p,
                        repeat(&arena, n->before, n->open, n->middle, n->close, n->after, deep[j]),
                        NULL);
            if (p.result.why != FAIL_LIMIT) print_message("%s %s\n", n->before, n->open);
            assert_int_equal(p.result.why, FAIL_LIMIT);
            assert_string_equal(p.report.code, "SQL_TOO_DEEP");
            arena_deinit(&p.arena);
        }
        arena_deinit(&arena);
    }
}

static void long_chains_are_not_deep(void **state) {
    (void)state;
    static const struct nesting chains[] = {
        {"SELECT a", " OR b = 1", "", "", ""},
        {"SELECT a", " AND b LIKE 'x'", "", "", ""},
        {"SELECT 'a'", " || b", "", "", ""},
        {"SELECT 1", " UNION ALL SELECT 2", "", "", ""},
        {"SELECT CASE", " WHEN a = 1 THEN 2", "", "", " END"},
        {"SELECT 1 FROM VALUES (1)", ", (2)", "", "", " t(a)"},
    };
    for (size_t i = 0; i < COUNT(chains); i++) {
        const struct nesting *n = &chains[i];
        struct arena arena;
        struct parsed p;
        arena_init(&arena, (size_t)CALL_ARENA_BYTES);
        parse_start(&p, repeat(&arena, n->before, n->open, n->middle, n->close, n->after, 5000),
                    NULL);
        assert_int_equal(p.result.why, FAIL_NONE);
        assert_true(p.query->height < 8);
        check_print(&p);
        arena_deinit(&p.arena);
        arena_deinit(&arena);
    }
}

/* Each limit by itself, at its edge and one beyond. `n` of what is repeated are the most. */
static void limits_hold_to_the_last(void **state) {
    (void)state;
    enum { LIST = SQL_IN_LIST_MAX, ITEMS = SQL_SELECT_ITEMS_MAX, CTES = SQL_CTES_MAX };
    static const struct {
        const char *before, *repeated, *after;
        size_t n;
        const char *code;
    } cases[] = {
        {"SELECT a IN (1", ", 2", ")", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT f(1", ", 2", ")", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT (1, 1", ", 2", ")", LIST - 2, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM VALUES (1)", ", (2)", " t(a)", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM VALUES (1", ", 2", ") t(a)", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM t x(a", ", b", ")", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM t JOIN u USING (a", ", b", ")", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT CASE WHEN a THEN b", " WHEN a THEN b", " END", LIST, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1", " UNION ALL SELECT 2", "", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT sum(a) OVER (PARTITION BY a", ", b", ")", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 DISTRIBUTE BY (a", ", b", ")", LIST - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1", ", 2", "", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT *", ", *", "", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 ORDER BY a", ", b", "", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 SORT BY (a DESC", ", b", ")", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 GROUP BY a", ", b", "", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 GROUP BY (a", ", b", ")", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 GROUP BY a GROUPING SETS (a", ", a", ")", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 WINDOW w AS ()", ", w AS ()", "", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT * REPLACE (1 AS a", ", 1 AS a", ")", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT /*+ a", ", a", " */ 1", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT CAST(1 AS STRUCT<a: INT", ", b: INT", ">)", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM t PIVOT (sum(a)", ", sum(a)", " FOR b IN (1))", ITEMS - 1,
         "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM t PIVOT (sum(a) FOR b IN (1", ", 1", "))", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM t UNPIVOT (v FOR n IN (a", ", a", "))", ITEMS - 1, "SQL_TOO_MANY_ITEMS"},
        {"WITH a AS (SELECT 1)", ", b AS (SELECT 1)", " SELECT 1", CTES - 1, "SQL_TOO_MANY_ITEMS"},
        {"SELECT a", "||a", "", SQL_PARTS_MAX - 2, "SQL_TOO_MANY_ITEMS"},
        {"SELECT a", " OR b", "", SQL_PARTS_MAX - 2, "SQL_TOO_MANY_ITEMS"},
        {"SELECT 'a'", " 'b'", "", SQL_NESTING_MAX, "SQL_TOO_MANY_ITEMS"},
        {"SELECT ", "NOT ", "a", SQL_NESTING_MAX - 2, "SQL_TOO_DEEP"},
        {"SELECT '", "x", "'", SQL_BYTES_MAX - 9, "SQL_TOO_LARGE"},
        {"SELECT 1 --", "x", "", SQL_BYTES_MAX - 11, "SQL_TOO_LARGE"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t over = 0; over < 2; over++) {
            struct arena arena;
            struct parsed p;
            arena_init(&arena, (size_t)CALL_ARENA_BYTES);
            parse_start(&p,
                        repeat(&arena, cases[i].before, cases[i].repeated, "", "", cases[i].after,
                               cases[i].n + over),
                        NULL);
            const char *code = p.result.why == FAIL_NONE ? "none" : p.report.code;
            const char *wanted = over ? cases[i].code : "none";
            if (strcmp(code, wanted) != 0)
                fail_msg("%s%s… %zu times: %s %s", cases[i].before, cases[i].repeated,
                         cases[i].n + over, code, p.report.sentence);
            assert_int_equal(p.result.why, over ? FAIL_LIMIT : FAIL_NONE);
            arena_deinit(&p.arena);
            arena_deinit(&arena);
        }
}

/* Smaller ones that a policy sets; a larger nesting than ours is ours. */
static void a_policy_sets_lower_limits(void **state) {
    (void)state;
    static const struct sql_limits limits = {
        .bytes = 58, .nesting = 5, .in_list = 3, .select_items = 2, .ctes = 1};
    static const struct {
        const char *sql, *code;
    } cases[] = {
        {"SELECT 1, 2", NULL},
        {"SELECT 1, 2, 3", "SQL_TOO_MANY_ITEMS"},
        {"SELECT a IN (1, 2, 3)", NULL},
        {"SELECT a IN (1, 2, 3, 4)", "SQL_TOO_MANY_ITEMS"},
        {"SELECT f(1, 2, 3, 4)", "SQL_TOO_MANY_ITEMS"},
        {"WITH a AS (SELECT 1) SELECT 2", NULL},
        {"WITH a AS (SELECT 1), b AS (SELECT 1) SELECT 2", "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 FROM VALUES (1), (2), (3), (4) t(a)", "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 GROUP BY a, b, c", "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 ORDER BY a, b, c", "SQL_TOO_MANY_ITEMS"},
        {"SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4", "SQL_TOO_MANY_ITEMS"},
        {"SELECT (((1)))", NULL},
        {"SELECT ((((((1))))))", "SQL_TOO_DEEP"},
        {"SELECT 1 -- 3456789012345678901234567890123456789012345678", NULL},
        {"SELECT 1 -- 34567890123456789012345678901234567890123456789", "SQL_TOO_LARGE"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct parsed p;
        parse_start(&p, str_of(cases[i].sql), &limits);
        if (cases[i].code == NULL) {
            if (p.result.why != FAIL_NONE)
                print_message("%s: %s\n", cases[i].sql, p.report.sentence);
            assert_int_equal(p.result.why, FAIL_NONE);
        } else {
            assert_int_equal(p.result.why, FAIL_LIMIT);
            assert_string_equal(p.report.code, cases[i].code);
        }
        arena_deinit(&p.arena);
    }
}

static void no_policy_nests_deeper(void **state) {
    (void)state;
    struct arena arena;
    struct parsed p;
    static const struct sql_limits wide = {.nesting = 100000};
    arena_init(&arena, (size_t)CALL_ARENA_BYTES);
    parse_start(&p, repeat(&arena, "SELECT ", "(", "1", ")", "", 300), &wide);
    assert_string_equal(p.report.code, "SQL_TOO_DEEP");
    arena_deinit(&p.arena);
    arena_deinit(&arena);
}

/* -- hostile and broken texts -------------------------------------------------------------------
 */

static void try_text(struct str text) {
    struct parsed p;
    parse_start(&p, text, NULL);
    if (p.result.why == FAIL_NONE) check_print(&p);
    arena_deinit(&p.arena);
    (void)sql_classify(text);
}

/* Every prefix, and every byte replaced by each of a few that mean something. */
static void broken_statements_break_nothing(void **state) {
    (void)state;
    static const char replacements[] = "'`\"(),;.*/-@:[<\\ \xe5";
    struct arena arena;
    arena_init(&arena, (size_t)(4 * MIB));
    struct statements cases = statements_cases(CASES "parse.case", STR("\n=> "), &arena);
    for (size_t i = 0; i < cases.n; i++) {
        struct str sql = cases.at[i].sql;
        char *bytes = arena_alloc(&arena, sql.len + 1, 1);
        memcpy(bytes, sql.ptr, sql.len);
        for (size_t at = 0; at < sql.len; at++) {
            try_text(str_slice(sql, 0, at));
            bytes[at] = replacements[(at + i) % (sizeof replacements - 1)];
            try_text((struct str){bytes, sql.len});
            bytes[at] = sql.ptr[at];
        }
    }
    arena_deinit(&arena);
}

static void odd_texts_are_refused(void **state) {
    (void)state;
    static const struct str texts[] = {
        {NULL, 0},
        STR_INIT(" "),
        STR_INIT(";"),
        STR_INIT("-- nothing"),
        STR_INIT("\0"),
        STR_INIT("("),
        STR_INIT("SELECT\0"
                 "1"),
        STR_INIT("\xff"),
        STR_INIT("/* open"),
        STR_INIT(")"),
        STR_INIT("SELECT 1 )"),
        STR_INIT("(SELECT 1"),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct parsed p;
        parse_start(&p, texts[i], NULL);
        assert_int_equal(p.result.why, FAIL_INPUT);
        assert_string_equal(p.report.code, "SQL_SYNTAX_ERROR");
        arena_deinit(&p.arena);
    }
}

static result parse_print_copy(struct str sql) {
    struct arena arena;
    struct buf buf;
    struct report report = {0};
    struct sql_query *query = NULL;
    arena_init(&arena, (size_t)MIB);
    buf_init(&buf, (size_t)MIB);
    result r = sql_parse(sql, NULL, &arena, &query, &report);
    assert_int_equal(r.why == FAIL_NONE, query != NULL);
    if (r.why == FAIL_NONE) r = sql_print(query, &sql_dialect_maxcompute, NULL, &buf, &report);
    if (r.why == FAIL_NONE && sql_copy_query(&arena, query) == NULL) r = fail_memory(&report);
    buf_deinit(&buf);
    arena_deinit(&arena);
    return r;
}

static void every_failed_allocation_is_told(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)MIB);
    struct statements cases = statements_cases(CASES "parse.case", STR("\n=> "), &arena);
    for (size_t i = 0; i < cases.n; i++) {
        for (long n = 0;; n++) {
            fault_set(n);
            result r = parse_print_copy(cases.at[i].sql);
            bool unused = fault_unused();
            fault_off();
            if (unused) break;
            assert_int_equal(r.why, FAIL_MEMORY);
        }
    }
    arena_deinit(&arena);
}

/* Whatever the budget: parsed, or told that it was not enough. */
static void every_budget_is_kept(void **state) {
    (void)state;
    struct str sql = STR("SELECT a, f(b, 'x\\n' 'y') OVER (PARTITION BY c) FROM t JOIN u ON t.a = "
                         "u.a WHERE a IN (1, 2, 3) AND EXISTS (SELECT 1) ORDER BY a LIMIT 5");
    bool done = false;
    for (size_t budget = 1; !done; budget += 61) {
        struct arena arena;
        struct report report = {0};
        struct sql_query *query = NULL;
        arena_init(&arena, budget);
        result r = sql_parse(sql, NULL, &arena, &query, &report);
        done = r.why == FAIL_NONE;
        if (!done) assert_int_equal(r.why, FAIL_MEMORY);
        assert_true(budget < 100000);
        arena_deinit(&arena);
    }
}

/* -- expressions, kinds, positions --------------------------------------------------------------
 */

static void expressions_stand_alone(void **state) {
    (void)state;
    struct arena arena;
    struct sql_expr *expr = NULL;
    struct report report = {0};
    arena_init(&arena, (size_t)MIB);
    assert_int_equal(
        sql_parse_expr(STR("region = 'cn' AND x IN (SELECT 1)"), NULL, &arena, &expr, &report).why,
        FAIL_NONE);
    assert_int_equal(expr->kind, SQL_CHAIN);
    assert_int_equal(sql_parse_expr(STR("a = 1; b"), NULL, &arena, &expr, &report).why, FAIL_INPUT);
    assert_null(expr);
    assert_int_equal(report.offset, 5);
    report_clear(&report);
    assert_int_equal(sql_parse_expr(STR(""), NULL, &arena, &expr, &report).why, FAIL_INPUT);
    report_clear(&report);
    assert_int_equal(sql_parse_expr(STR("SELECT 1"), NULL, &arena, &expr, &report).why, FAIL_INPUT);
    arena_deinit(&arena);
}

static void statements_have_kinds(void **state) {
    (void)state;
    static const struct {
        const char *sql, *kind;
    } cases[] = {
        {"SELECT 1", "select"},
        {"  -- x\n /* y */ select 1", "select"},
        {"((SELECT 1))", "select"},
        {"WITH a AS (SELECT 1) SELECT 2", "select"},
        {"WITH a AS (DELETE) (SELECT 2)", "select"},
        {"WITH a AS (SELECT 1) insert INTO t SELECT 2", "insert"},
        {"WITH a AS (SELECT 1) MERGE INTO t", "merge"},
        {"FROM t SELECT a", "select"},
        {"FROM (SELECT 1) t INSERT INTO u SELECT 2", "insert"},
        {"FROM t MAP a USING 'x'", "map"},
        {"FROM map(1) x LATERAL VIEW map(1) y AS z SELECT a", "select"},
        {"FROM map SELECT a", "select"},
        {"FROM insert, update, delete, merge SELECT a", "select"},
        {"WITH insert AS (SELECT 1), update AS (SELECT 2), c AS (SELECT 3) SELECT 4", "select"},
        {"WITH a AS (SELECT 1) UPDATE t SET a = 1", "update"},
        {"WITH a AS (SELECT 1) DELETE FROM t", "delete"},
        {"WITH a AS (SELECT 1) FROM a INSERT INTO t SELECT 1", "insert"},
        {"INSERT OVERWRITE TABLE t SELECT 1", "insert"},
        {"create table t (a int)", "create"},
        {"DESCRIBE t", "desc"},
        {"desc t", "desc"},
        {"@a := SELECT 1", "script"},
        {"FUNCTION f(@a INT) AS @a", "script"},
        {"SET a=b", "set"},
        {"nonsense", "unknown"},
        {"", "unknown"},
        {";", "unknown"},
        {"'a'", "unknown"},
        {"/* open", "unknown"},
        {"`select` 1", "unknown"},
        {"WITH", "unknown"},
        {"FROM t", "unknown"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *kind = sql_classify(str_of(cases[i].sql));
        if (strcmp(kind, cases[i].kind) != 0) print_message("%s\n", cases[i].sql);
        assert_string_equal(kind, cases[i].kind);
    }
    assert_string_equal(sql_classify(STR_NONE), "unknown");
}

static void positions_count_characters(void **state) {
    (void)state;
    struct str text = STR("ab\n手机 x");
    size_t line, column;
    sql_position(text, 0, &line, &column);
    assert_true(line == 1 && column == 1);
    sql_position(text, 3, &line, &column);
    assert_true(line == 2 && column == 1);
    sql_position(text, 10, &line, &column);
    assert_true(line == 2 && column == 4);
    sql_position(text, 1000, &line, &column);
    assert_true(line == 2 && column == 5);
    sql_position(STR_NONE, REPORT_NO_OFFSET, &line, &column);
    assert_true(line == 1 && column == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_parse_as_they_say),
        cmocka_unit_test(cases_are_refused_as_they_say),
        cmocka_unit_test(samples_are_accepted),
        cmocka_unit_test(samples_are_refused),
        cmocka_unit_test(hints_tell_what_to_write),
        cmocka_unit_test(what_is_deep_is_refused),
        cmocka_unit_test(long_chains_are_not_deep),
        cmocka_unit_test(limits_hold_to_the_last),
        cmocka_unit_test(a_policy_sets_lower_limits),
        cmocka_unit_test(no_policy_nests_deeper),
        cmocka_unit_test(broken_statements_break_nothing),
        cmocka_unit_test(odd_texts_are_refused),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(every_budget_is_kept),
        cmocka_unit_test(expressions_stand_alone),
        cmocka_unit_test(statements_have_kinds),
        cmocka_unit_test(positions_count_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
