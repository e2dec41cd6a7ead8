/*
 * The walls behind the walls: sources that fail, grants that contradict themselves, columns whose
 * type nobody told, nodes that are nobody's, and what an engine repeats of the salt.
 */
#include "base/fault.h"
#include "base/limits.h"
#include "guard_world.h"
#include "sql/guard.h"
#include "sql/rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* the house's own is meant */

static const char *const world_text[] = {
    "project  sales",
    "limits   100 1000",
    "joins    200 any",
    "star     deny",
    "table    sales.default.orders newest=20240101 demanding",
    "column   order_id bigint",
    "column   user_id bigint",
    "column   ext struct<a:string,b:string> without=b",
    "column   ds string partition",
    "table    sales.default.users",
    "column   user_id bigint",
    "column   name string",
};

struct slip {
    struct arena arena;
    struct world world;
    struct guard_answer out;
    struct report report;
    struct guard_request request;
};

static int setup(void **state) {
    struct slip *s = calloc(1, sizeof *s);
    arena_init(&s->arena, 256 * MIB);
    world_init(&s->world, &s->arena);
    for (size_t i = 0; i < sizeof world_text / sizeof *world_text; i++)
        if (!world_line(&s->world, str_of(world_text[i]))) return -1;
    s->request.grant = &s->world.grant;
    *state = s;
    return 0;
}

static int teardown(void **state) {
    struct slip *s = *state;
    arena_deinit(&s->arena);
    free(s);
    return 0;
}

static result ask(struct slip *s, const char *sql) {
    s->report = (struct report){0};
    s->request.text = str_of(sql);
    return guard_check(&s->request, &s->arena, &s->out, &s->report);
}

static void assert_denied(struct slip *s, const char *sql, const char *code) {
    assert_int_equal(ask(s, sql).why, FAIL_NONE);
    assert_int_equal(s->out.effect, GUARD_DENY);
    assert_string_equal(s->report.code, code);
    assert_int_equal(s->out.sql.len + s->out.run.len, 0);
}

/* -- sources that fail ------------------------------------------------------------------------ */

static long finds_left;

static result find_or_fail(const struct grant *grant, struct str project, struct str schema,
                           struct str name, struct arena *arena, const struct grant_relation **out,
                           struct report *report) {
    if (finds_left-- == 0)
        return fail(report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET, "it is away");
    return world_grant_find(grant, project, schema, name, arena, out, report);
}

/* Whichever of the guard's questions is not answered, nothing is allowed. */
static void a_source_that_fails_allows_nothing(void **state) {
    struct slip *s = *state;
    static const char *const statements[] = {
        "SELECT o.order_id FROM orders o JOIN users u ON o.user_id = u.user_id WHERE o.ds = '1'",
        "SELECT ext.b FROM orders WHERE ds = '1'", "SELECT nothing FROM users",
        "SELECT name FROM users WHERE name = max_pt('orders')"};
    s->world.grant.find = find_or_fail;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        for (long n = 0;; n++) {
            finds_left = n;
            result r = ask(s, statements[i]);
            if (finds_left >= 0) break;
            assert_int_equal(r.why, FAIL_BACKEND);
            assert_int_equal(s->out.effect, GUARD_DENY);
            assert_int_equal(s->out.sql.len, 0);
            assert_string_equal(s->report.code, "BACKEND_ERROR");
        }
}

static result max_pt_fails(const struct schema_source *source,
                           const struct schema_relation *relation, struct arena *arena,
                           struct str *out, struct report *report) {
    (void)source, (void)relation, (void)arena, (void)out;
    return fail(report, FAIL_TIMEOUT, "QUERY_TIMEOUT", REPORT_NO_OFFSET, "it takes too long");
}

static void max_pt_needs_somebody_to_ask(void **state) {
    struct slip *s = *state;
    const char *sql = "SELECT order_id FROM orders WHERE ds = max_pt('orders')";
    s->request.dialect = DIALECT_DUCKDB;
    s->world.source.max_pt = max_pt_fails;
    assert_int_equal(ask(s, sql).why, FAIL_TIMEOUT);
    s->world.source.max_pt = NULL;
    assert_int_equal(ask(s, sql).why, FAIL_BACKEND);
    s->world.grant.source = NULL;
    assert_int_equal(ask(s, sql).why, FAIL_BACKEND);
    s->request.dialect = DIALECT_MAXCOMPUTE;
    assert_int_equal(ask(s, sql).why, FAIL_NONE);
    assert_int_equal(s->out.effect, GUARD_ALLOW);
}

/* -- grants that contradict themselves -------------------------------------------------------- */

static void a_wrong_flag_opens_no_star(void **state) {
    struct slip *s = *state;
    struct world_table *users = &s->world.tables[1];
    users->columns[1].effect = GRANT_DENY;
    users->relation.is_restricted = false;
    assert_denied(s, "SELECT * FROM users", "SELECT_STAR_NOT_ALLOWED");
}

static void a_relation_without_columns_is_none(void **state) {
    struct slip *s = *state;
    s->world.tables[0].relation.columns = NULL;
    assert_denied(s, "SELECT order_id FROM orders WHERE ds = '1'", "TABLE_NOT_ALLOWED");
    assert_denied(s, "SELECT nothing FROM orders WHERE ds = '1'", "COLUMN_NOT_ALLOWED");
    assert_denied(s, "SELECT name FROM users WHERE name = max_pt('orders')", "COLUMN_NOT_ALLOWED");
}

static void a_join_on_nothing_is_no_join(void **state) {
    struct slip *s = *state;
    assert_true(world_line(&s->world, STR("joins 5 approved")));
    assert_true(world_line(
        &s->world, STR("entry sales.default.orders.user_id = sales.default.users.user_id")));
    const char *sql =
        "SELECT u.name FROM orders o JOIN users u ON o.user_id = u.user_id WHERE o.ds = '1'";
    assert_int_equal(ask(s, sql).why, FAIL_NONE);
    assert_int_equal(s->out.effect, GUARD_ALLOW);
    s->world.joins[0].n_on = 0;
    assert_denied(s, sql, "JOIN_NOT_APPROVED");
}

/* -- types that nobody told ------------------------------------------------------------------- */

/* Proves, for the engine prunes by what is written; and is not repeated, for it might fail. */
static void a_column_without_a_type_is_compared_outside(void **state) {
    struct slip *s = *state;
    struct world_table *orders = &s->world.tables[0];
    for (size_t i = 0; i < orders->schema.n_columns; i++) orders->schemas[i].type = NULL;
    assert_int_equal(ask(s, "SELECT order_id FROM orders WHERE ds = '1'").why, FAIL_NONE);
    assert_int_equal(s->out.effect, GUARD_ALLOW);
    assert_int_equal(str_find(s->out.sql, STR("`t`.`ds` =")), s->out.sql.len);
    assert_denied(s, "SELECT order_id FROM orders WHERE ds LIKE '1%'", "PARTITION_FILTER_REQUIRED");
    assert_denied(s, "SELECT nothing FROM orders WHERE ds = '1'", "COLUMN_NOT_ALLOWED");
}

static void a_mask_without_meaning_has_no_type(void **state) {
    struct slip *s = *state;
    static const char *const masks[] = {"concat(name, '*')", "nowhere(", "nothing + 1"};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        for (long n = 0;; n++) {
            struct sql_type type = SQL_TYPE(DATE);
            fault_set(n);
            result r = grant_mask_type(&s->world.grant, &s->world.tables[1].relation,
                                       str_of(masks[i]), &s->arena, &type);
            bool is_done = fault_unused();
            fault_off();
            /* What is wrong stays wrong without memory for its words. */
            bool is_told = r.why == FAIL_MEMORY || (i > 0 && r.why == FAIL_NONE);
            assert_true(is_done ? r.why == FAIL_NONE : is_told);
            assert_int_equal(type.kind, is_done && i == 0 ? SQL_TYPE_STRING : SQL_TYPE_UNKNOWN);
            if (is_done) break;
        }
}

/* -- budgets ---------------------------------------------------------------------------------- */

/* 300 conditions over a tree of 90 tables are too many to be offered to each. */
static void looks_for_conditions_within_a_budget(void **state) {
    struct slip *s = *state;
    struct buf sql;
    buf_init(&sql, 1 * MIB);
    buf_addf(&sql, "SELECT u0.name FROM users u0");
    for (int i = 1; i < 90; i++)
        buf_addf(&sql, " JOIN users u%d ON u%d.user_id = u%d.user_id", i, i, i - 1);
    buf_addf(&sql, " WHERE u0.user_id > 0");
    for (int i = 0; i < 600; i++) buf_addf(&sql, " AND u0.user_id <> %d", i);
    struct str text = buf_flat(&sql, &s->arena);
    assert_int_equal(ask(s, str_cstr(&s->arena, text)).why, FAIL_NONE);
    assert_int_equal(s->out.effect, GUARD_ALLOW);
    buf_deinit(&sql);
}

/* -- nodes that are nobody's ------------------------------------------------------------------ */

static void a_strange_node_is_unknown(void **state) {
    (void)state;
    uint32_t bare[] = {7};
    struct sql_type types[] = {SQL_TYPE(STRING)};
    struct ruled ruled = {
        .first_made = 5, .types = types, .n_types = 1, .bare_calls = bare, .n_bare_calls = 1};
    struct sql_name parts[2] = {{.text = STR("a")}, {.text = STR("b")}};
    struct sql_expr node = {.kind = SQL_REF, .ref = {parts, 2}};
    assert_int_equal(ruled_type(&ruled, &node).kind, SQL_TYPE_UNKNOWN);
    assert_int_equal(ruled_ref_kind(&ruled, &node), REF_COLUMN);
    node.id = 5;
    assert_int_equal(ruled_type(&ruled, &node).kind, SQL_TYPE_STRING);
    node.id = 6;
    assert_int_equal(ruled_type(&ruled, &node).kind, SQL_TYPE_UNKNOWN);
    node.ref.n = 1;
    assert_int_equal(ruled_ref_kind(&ruled, &node), REF_PARAM);
    node.id = 7;
    assert_int_equal(ruled_ref_kind(&ruled, &node), REF_CALL);
}

static void a_gate_that_nobody_knows_stops(void **state) {
    (void)state;
    assert_true(risk_reaches(RISK_LOW, (enum risk_gate)7));
}

/* -- what is told of a run -------------------------------------------------------------------- */

static void what_an_engine_repeats_of_the_salt_is_hidden(void **state) {
    struct slip *s = *state;
    struct guard_answer salted = {.salt = STR("0123456789abcdef")};
    static const char *const told[][2] = {
        {"", ""},
        {"no such function", "no such function"},
        {"LINE 1: sha256(('0123456789abcdef' || t.a", "LINE 1: sha256(('****************' || t.a"},
        {"...6789abcdef' || t", "...**********' || t"},
        {"near '01234", "near '*****"},
        {"12345 rows, 0123 left", "***** rows, 0123 left"},
        {"0123456789abcdef0123456789abcdef", "********************************"}};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        struct str text = str_of(told[i][0]);
        assert_true(str_eq(guard_redact(&salted, text, &s->arena), str_of(told[i][1])));
        assert_true(str_eq(guard_redact(&s->out, text, &s->arena), text)); /* without a salt */
    }
    fault_set(0);
    assert_int_equal(guard_redact(&salted, STR("abc"), &s->arena).len, 0);
    fault_off();
}

static void lineage_prints_nothing(void **state) {
    struct slip *s = *state;
    s->request.lineage_only = true;
    assert_int_equal(ask(s, "SELECT name FROM users").why, FAIL_NONE);
    assert_int_equal(s->out.effect, GUARD_ALLOW);
    assert_int_equal(s->out.sql.len + s->out.run.len, 0);
    assert_int_equal(s->out.n_output, 1);
}

#define SLIP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        SLIP(a_source_that_fails_allows_nothing),
        SLIP(max_pt_needs_somebody_to_ask),
        SLIP(a_wrong_flag_opens_no_star),
        SLIP(a_relation_without_columns_is_none),
        SLIP(a_join_on_nothing_is_no_join),
        SLIP(a_column_without_a_type_is_compared_outside),
        SLIP(a_mask_without_meaning_has_no_type),
        SLIP(looks_for_conditions_within_a_budget),
        cmocka_unit_test(a_strange_node_is_unknown),
        cmocka_unit_test(a_gate_that_nobody_knows_stops),
        SLIP(what_an_engine_repeats_of_the_salt_is_hidden),
        SLIP(lineage_prints_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
