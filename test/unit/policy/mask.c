/* What is a mask, what it becomes for a column, and that the salt stays inside sha2. */
#include "policy/mask.h"
#include "base/fault.h"
#include "fixture.h"
#include "sql/types.h"

#define C       "`c`"
#define TEXT_OF "CAST(`c` AS STRING)"
#define PARTIAL(s)                                                                                 \
    "CASE WHEN length(" s ") >= 11 THEN concat(substr(" s ", 1, 3), '****', substr(" s             \
    ", length(" s ") - 3)) WHEN length(" s ") >= 6 THEN concat(substr(" s                          \
    ", 1, 1), '****', substr(" s ", length(" s "))) WHEN " s " IS NOT NULL THEN '****' END"
#define HASH(s) "sha2(concat('${mask.salt}', " s "), 256)"
#define NONE    "CASE WHEN FALSE THEN `c` END"
#define YEAR_OF "CASE WHEN `c` RLIKE '^(19|20)[0-9][0-9]' THEN substr(`c`, 1, 4) END"

static const struct {
    const char *mask, *type, *expr; /* expr "": denied */
} names[] = {
    {"hash", "string", HASH(C)},
    {"HASH", "varchar(20)", HASH(C)},
    {"hash", "bigint", HASH(TEXT_OF)},
    {"hash", "double", HASH(TEXT_OF)},
    {"hash", "boolean", HASH(TEXT_OF)},
    {"hash", "date", HASH(TEXT_OF)},
    {"hash", "binary", ""},
    {"hash", "array<string>", ""},
    {"hash", "json", ""},
    {"hash", NULL, ""},
    {"partial", "string", PARTIAL(C)},
    {"partial", "bigint", PARTIAL(TEXT_OF)},
    {"partial", "date", ""},
    {"partial", "boolean", ""},
    {"partial", "struct<a:bigint>", ""},
    {"null", "string", NONE},
    {"null", "map<string,bigint>", NONE},
    {"null", NULL, NONE},
    {"year", "date", "year(`c`)"},
    {"year", "datetime", "year(`c`)"},
    {"year", "timestamp", "year(`c`)"},
    {"year", "string", YEAR_OF},
    {"year", "bigint", ""},
    {"concat(c, '*')", "bigint", "concat(c, '*')"},
    {"sha2(concat(c, ${mask.salt}), 256)", "string", "sha2(concat(c, '${mask.salt}'), 256)"},
    {"sha2(concat(${mask.salt}, c, ${mask.salt}), 256)", "string",
     "sha2(concat('${mask.salt}', c, '${mask.salt}'), 256)"},
    {"upper(sha2(concat(${mask.salt}, trim(c)), 256))", "string",
     "upper(sha2(concat('${mask.salt}', trim(c)), 256))"},
};

static struct schema_column column_of(const char *name, const char *type_text) {
    struct sql_type *type = arena_new(&arena, struct sql_type);
    struct schema_column column = {.name = str_of(name)};
    if (type_text == NULL) return column;
    assert_int_equal(sql_type_parse(str_of(type_text), &arena, type, NULL).why, FAIL_NONE);
    column.type = type;
    return column;
}

static void names_become_expressions(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct mask mask;
        struct str expr;
        struct schema_column column = column_of("c", names[i].type);
        assert_int_equal(mask_read(str_of(names[i].mask), &arena, &mask, &report).why, FAIL_NONE);
        assert_int_equal(mask_expr(&mask, &column, &arena, &expr, &report).why, FAIL_NONE);
        if (!str_eq(expr, str_of(names[i].expr)))
            print_error("%s: " STR_FMT "\n", names[i].mask, STR_ARG(expr));
        assert_true(str_eq(expr, str_of(names[i].expr)));
        bool has_salt =
            str_find(str_of(names[i].expr), STR("${mask.salt}")) < strlen(names[i].expr);
        assert_true(mask.needs_salt || !has_salt);
        struct sql_expr *parsed;
        if (expr.len > 0)
            assert_int_equal(sql_parse_expr(expr, NULL, &arena, &parsed, NULL).why, FAIL_NONE);
    }
}

/* Back-quoted, such a name would be a pattern: nothing is made of it. */
static void a_name_that_would_be_a_pattern_is_denied(void **state) {
    (void)state;
    struct mask mask;
    struct str expr;
    struct schema_column column = column_of("c.*", "string");
    assert_int_equal(mask_read(STR("hash"), &arena, &mask, &report).why, FAIL_NONE);
    assert_int_equal(mask_expr(&mask, &column, &arena, &expr, &report).why, FAIL_NONE);
    assert_int_equal(expr.len, 0);
}

static void what_is_no_mask_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "${user.a}", "a, b", "a AS b", "a --", "a /* */", "a FROM t", "(SELECT",
        /* placeholders that are none, or stand where they would show what they are */
        "${mask.pepper}", "concat(a, ${mask.salt}, ${user.b})", "${mask.salt}",
        "concat(${mask.salt}, a)", "md5(concat(${mask.salt}, a))", "'${mask.salt}'",
        "sha2(concat('x${mask.salt}', a), 256)", "sha2('${mask.salt}', 256)",
        "concat(sha2(a, 256), ${mask.salt})", "other:sha2(concat(a, ${mask.salt}), 256)",
        "if(a = ${mask.salt}, sha2(a, 256), a)"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mask mask = {.kind = MASK_EXPR};
        report_clear(&report);
        result r = mask_read(str_of(bad[i]), &arena, &mask, &report);
        if (r.why != FAIL_CONFIG) print_error("let through: %s\n", bad[i]);
        assert_int_equal(r.why, FAIL_CONFIG);
        assert_true(report.sentence[0] != '\0');
        assert_int_equal(mask.kind, MASK_NONE);
    }
}

static void no_mask_is_lost_for_want_of_memory(void **state) {
    (void)state;
    struct schema_column column = column_of("c", "bigint");
    for (size_t i = 0; i < COUNT(names); i++)
        for (long n = 0;; n++) {
            struct mask mask;
            struct str expr = STR("");
            struct arena own;
            arena_init(&own, 1 << 20);
            fault_set(n);
            result r = mask_read(str_of(names[i].mask), &own, &mask, NULL);
            if (r.why == FAIL_NONE) r = mask_expr(&mask, &column, &own, &expr, NULL);
            bool is_done = fault_unused();
            fault_off();
            arena_deinit(&own);
            if (is_done) break;
            assert_int_equal(r.why, FAIL_MEMORY);
            assert_int_equal(expr.len, 0);
        }
}

/* -- through policy.yaml ---------------------------------------------------------------------- */

static const struct policy *salted(const char *masks, const char *salt) {
    const struct policy *policy = NULL;
    struct str text = str_printf(&arena, "tables: {s.orders: {masks: %s}}", masks);
    struct policy_sources sources = {.policy = tree_of(str_cstr(&arena, text), "pol"),
                                     .policy_name = STR("pol"),
                                     .mask_salt = str_of(salt),
                                     .policy_text = text};
    problems_init(&problems, &arena);
    result r = policy_load(&sources, &arena, &problems, &policy);
    assert_true(r.why == FAIL_NONE || policy == NULL);
    return policy;
}

static void a_salt_is_needed_and_is_no_part_of_complaints(void **state) {
    (void)state;
    assert_null(salted("{phone: hash}", NULL));
    assert_non_null(strstr(complaints(), "the mask of 'phone' needs a salt"));
    assert_null(salted("{phone: \"sha2(concat(phone, ${mask.salt}), 256)\"}", NULL));
    assert_null(salted("{phone: partial}", "short"));
    assert_null(strstr(complaints(), "'short'"));
    assert_non_null(salted("{phone: partial}", NULL));
    assert_non_null(salted("{phone: hash}", "0123456789abcdef"));
}

static const struct sql_type string_type = {.kind = SQL_TYPE_STRING};
static const struct schema_column orders_columns[] = {{.name = {"phone", 5}, .type = &string_type}};
static const struct schema_relation orders = {.project = {"s", 1},
                                              .schema = {"default", 7},
                                              .name = {"orders", 6},
                                              .columns = orders_columns,
                                              .n_columns = 1};

static result find_orders(const struct schema_source *source, struct str project, struct str schema,
                          struct str name, struct arena *of_call,
                          const struct schema_relation **out, struct report *said) {
    (void)source, (void)project, (void)schema, (void)name, (void)of_call, (void)said;
    *out = &orders;
    return OK;
}

static const char *mask_of_phone(const struct policy *policy, const struct principal *who) {
    static const struct schema_source source = {.find = find_orders};
    struct grant grant;
    const struct grant_relation *relation;
    assert_int_equal(
        policy_grant(policy, who, &source, NULL, 0, STR_NONE, &arena, &grant, &report).why,
        FAIL_NONE);
    assert_int_equal(
        grant.find(&grant, STR("s"), STR("default"), STR("orders"), &arena, &relation, &report).why,
        FAIL_NONE);
    assert_int_equal(relation->columns[0].effect, GRANT_MASK);
    assert_int_equal(relation->columns[0].mask_type->kind, SQL_TYPE_STRING);
    return str_cstr(&arena, relation->columns[0].mask);
}

/* YAML's own null is the mask of that name, and never no mask at all. */
static void a_plain_null_is_a_mask(void **state) {
    (void)state;
    static const char *const spelled[] = {"{phone: null}", "{phone: 'null'}", "{phone: ~}",
                                          "{phone: }"};
    for (size_t i = 0; i < COUNT(spelled); i++) {
        const struct policy *policy = salted(spelled[i], NULL);
        struct principal who = somebody(NULL, NULL, NULL, NULL);
        assert_non_null(policy);
        assert_string_equal(mask_of_phone(policy, &who), "CASE WHEN FALSE THEN `phone` END");
    }
    static const char *const no_mask[] = {"{phone: ''}", "{phone: [hash]}", "{phone: {a: b}}"};
    for (size_t i = 0; i < COUNT(no_mask); i++) assert_null(salted(no_mask[i], NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_become_expressions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_would_be_a_pattern_is_denied, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_mask_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(no_mask_is_lost_for_want_of_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(a_salt_is_needed_and_is_no_part_of_complaints, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_plain_null_is_a_mask, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
