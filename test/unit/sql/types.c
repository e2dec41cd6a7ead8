/* test/unit/sql/types.c - types read, printed, compared */
#include "sql/types.h"
#include "base/fault.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text, *print;
} readable[] = {
    {"bigint", "bigint"},
    {" BIGINT ", "bigint"},
    {"Int", "int"},
    {"integer", "int"},
    {"hugeint", "decimal(38,0)"},
    {"ubigint", "decimal(20,0)"},
    {"decimal", "decimal"},
    {"DECIMAL(18, 2)", "decimal(18,2)"},
    {"numeric(10)", "decimal(10,0)"},
    {"string", "string"},
    {"text", "string"},
    {"VARCHAR", "string"},
    {"varchar(20)", "varchar(20)"},
    {"character varying(20)", "varchar(20)"},
    {"char(3)", "char(3)"},
    {"double precision", "double"},
    {"datetime", "datetime"},
    {"TIMESTAMP", "timestamp"},
    {"timestamp(3) with time zone", "timestamp"},
    {"timestamp with local time zone", "timestamp"},
    {"timestamp without time zone", "timestamp_ntz"},
    {"array<string>", "array<string>"},
    {"VARCHAR[]", "array<string>"},
    {"bigint[][]", "array<array<bigint>>"},
    {"map<string, array<bigint>>", "map<string,array<bigint>>"},
    {"MAP(VARCHAR, INTEGER)", "map<string,int>"},
    {"struct<a:bigint,b:string>", "struct<a:bigint,b:string>"},
    {"STRUCT(a BIGINT, \"b c\" VARCHAR)", "struct<a:bigint,b c:string>"},
    {"array<struct<a:bigint,`B`:decimal(4,1)>>", "array<struct<a:bigint,B:decimal(4,1)>>"},
    {"struct<channel:string,ip:string,device:struct<os:string,imei:string>>",
     "struct<channel:string,ip:string,device:struct<os:string,imei:string>>"},
    {"json", "json"},
    {"binary", "binary"},
    {"unknown", "unknown"},
};

static const char *const refused[] = {
    "",           "big int",           "bigint x",        "decimal(39,2)", "decimal(4,5)",
    "decimal(0)", "decimal(4,)",       "varchar(70000)",  "char(256)",     "array",
    "array<>",    "array<bigint",      "array<bigint)",   "map<string>",   "map<string,>",
    "struct<>",   "struct<a>",         "struct<:bigint>", "struct<a:>",    "bigint[",
    "bigint]",    "struct<`a:bigint>", "timestamp with",  "no_such_type",  "array<no_such>",
    "<",          "`bigint`",          "decimal(18,2",    "int;drop",      "timestamp(12)",
};

static struct str print(const struct sql_type *type, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, 100000);
    sql_type_print(type, &buf);
    assert_int_equal(buf_failed(&buf, NULL).why, FAIL_NONE);
    struct str flat = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return flat;
}

static void reads_every_spelling(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(readable); i++) {
        struct arena arena;
        struct sql_type type, again;
        struct report report = {0};
        arena_init(&arena, 100000);
        result r = sql_type_parse(str_of(readable[i].text), &arena, &type, &report);
        if (r.why != FAIL_NONE) fail_msg("'%s': %s", readable[i].text, report.sentence);
        struct str text = print(&type, &arena);
        if (!str_eq(text, str_of(readable[i].print)))
            fail_msg("'%s' prints as '%.*s'", readable[i].text, STR_ARG(text));
        if (str_find(text, STR("b c")) == text.len) { /* a name that only quotes can say */
            assert_int_equal(sql_type_parse(text, &arena, &again, &report).why, FAIL_NONE);
            assert_true(sql_type_eq(&type, &again));
        }
        arena_deinit(&arena);
    }
}

static void refuses_the_rest(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct arena arena;
        struct sql_type type;
        struct report report = {0};
        arena_init(&arena, 100000);
        result r = sql_type_parse(str_of(refused[i]), &arena, &type, &report);
        if (r.why != FAIL_INPUT) fail_msg("'%s' was read", refused[i]);
        assert_true(report.offset <= strlen(refused[i]));
        assert_int_equal(type.kind, SQL_TYPE_UNKNOWN);
        arena_deinit(&arena);
    }
}

/* `before` depth times, "int", `after` depth times */
static struct str nested(struct arena *arena, int depth, const char *before, const char *after) {
    struct buf buf;
    buf_init(&buf, 100000);
    for (int i = 0; i < depth; i++) buf_add(&buf, str_of(before));
    buf_add(&buf, STR("int"));
    for (int i = 0; i < depth; i++) buf_add(&buf, str_of(after));
    struct str text = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return text;
}

static void bounds_the_nesting(void **state) {
    (void)state;
    for (int depth = SQL_TYPE_NESTING_MAX - 1; depth <= 3 * SQL_TYPE_NESTING_MAX; depth++) {
        struct arena arena;
        struct sql_type type;
        arena_init(&arena, 1000000);
        result r = sql_type_parse(nested(&arena, depth, "array<", ">"), &arena, &type, NULL);
        assert_int_equal(r.why, depth <= SQL_TYPE_NESTING_MAX ? FAIL_NONE : FAIL_LIMIT);
        r = sql_type_parse(nested(&arena, depth, "", "[]"), &arena, &type, NULL);
        assert_int_equal(r.why == FAIL_NONE, depth <= SQL_TYPE_NESTING_MAX);
        arena_deinit(&arena);
    }
}

static void survives_the_nth_failure(void **state) {
    (void)state;
    struct str text = STR("map<string,array<struct<a:bigint,b:decimal(4,2)[]>>>");
    for (long n = 0;; n++) {
        struct arena arena;
        struct sql_type type;
        arena_init(&arena, 100000);
        fault_set(n);
        result r = sql_type_parse(text, &arena, &type, NULL);
        bool is_over = fault_unused();
        fault_off();
        arena_deinit(&arena);
        assert_int_equal(r.why, is_over ? FAIL_NONE : FAIL_MEMORY);
        if (is_over) break;
        assert_true(n < 1000);
    }
}

static void finds_fields(void **state) {
    (void)state;
    struct arena arena;
    struct sql_type type;
    arena_init(&arena, 100000);
    assert_int_equal(sql_type_parse(STR("struct<A:struct<b:date>>"), &arena, &type, NULL).why,
                     FAIL_NONE);
    const struct sql_field *a = sql_type_field(&type, STR("a"));
    assert_non_null(a);
    assert_int_equal(sql_type_field(&a->type, STR("B"))->type.kind, SQL_TYPE_DATE);
    assert_null(sql_type_field(&type, STR("b")));
    assert_null(sql_type_field(&a->type.fields[0].type, STR("b")));
    assert_null(sql_type_field(NULL, STR("b")));
    arena_deinit(&arena);
}

static void types_meet(void **state) {
    (void)state;
    static const struct {
        enum sql_type_kind a, b, common, sum;
    } cases[] = {
        {SQL_TYPE_INT, SQL_TYPE_BIGINT, SQL_TYPE_BIGINT, SQL_TYPE_BIGINT},
        {SQL_TYPE_BIGINT, SQL_TYPE_DOUBLE, SQL_TYPE_DOUBLE, SQL_TYPE_DOUBLE},
        {SQL_TYPE_BIGINT, SQL_TYPE_DECIMAL, SQL_TYPE_DECIMAL, SQL_TYPE_DECIMAL},
        {SQL_TYPE_DECIMAL, SQL_TYPE_FLOAT, SQL_TYPE_DOUBLE, SQL_TYPE_DOUBLE},
        {SQL_TYPE_FLOAT, SQL_TYPE_FLOAT, SQL_TYPE_FLOAT, SQL_TYPE_FLOAT},
        {SQL_TYPE_STRING, SQL_TYPE_BIGINT, SQL_TYPE_STRING, SQL_TYPE_DOUBLE},
        {SQL_TYPE_STRING, SQL_TYPE_STRING, SQL_TYPE_STRING, SQL_TYPE_DOUBLE},
        {SQL_TYPE_NULL, SQL_TYPE_DATE, SQL_TYPE_DATE, SQL_TYPE_UNKNOWN},
        {SQL_TYPE_DATE, SQL_TYPE_DATETIME, SQL_TYPE_DATETIME, SQL_TYPE_UNKNOWN},
        {SQL_TYPE_DATE, SQL_TYPE_INTERVAL_DAY_TIME, SQL_TYPE_UNKNOWN, SQL_TYPE_DATE},
        {SQL_TYPE_UNKNOWN, SQL_TYPE_BIGINT, SQL_TYPE_UNKNOWN, SQL_TYPE_UNKNOWN},
        {SQL_TYPE_BOOLEAN, SQL_TYPE_BIGINT, SQL_TYPE_UNKNOWN, SQL_TYPE_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sql_type a = {.kind = cases[i].a}, b = {.kind = cases[i].b};
        assert_int_equal(sql_type_common(&a, &b).kind, cases[i].common);
        assert_int_equal(sql_type_common(&b, &a).kind, cases[i].common);
        assert_int_equal(sql_type_arithmetic(&a, &b).kind, cases[i].sum);
        assert_int_equal(sql_type_arithmetic(&b, &a).kind, cases[i].sum);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_spelling), cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(bounds_the_nesting),   cmocka_unit_test(survives_the_nth_failure),
        cmocka_unit_test(finds_fields),         cmocka_unit_test(types_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
