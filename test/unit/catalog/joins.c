/* joins.yaml: what is approved, and every complaint. */
#include "catalog/catalog.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct problems problems;
static struct report report;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 24);
    report_clear(&report);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static result load(const char *text, const struct catalog **out) {
    const struct yaml *tree = NULL;
    problems_init(&problems, &arena);
    if (text != NULL) {
        result r = yaml_read(str_of(text), STR("j"), NULL, &arena, &tree, &report);
        assert_int_equal(r.why, FAIL_NONE);
    }
    return catalog_load(tree, STR("j"), STR("Home"), &arena, &problems, out);
}

static void no_file_is_no_join(void **state) {
    (void)state;
    const struct catalog *catalog = NULL;
    assert_int_equal(load(NULL, &catalog).why, FAIL_NONE);
    assert_int_equal(catalog->n_joins, 0);
    assert_int_equal(catalog->n_approved, 0);
    assert_int_equal(load("", &catalog).why, FAIL_NONE);
    assert_int_equal(load("joins: []", &catalog).why, FAIL_NONE);
}

static void only_the_approved_are_given_out(void **state) {
    (void)state;
    const struct catalog *catalog = NULL;
    assert_int_equal(
        load("joins:\n"
             "- {id: a, left_table: P.T, right_table: p.s.U, approved: true, cardinality: 'N:1', "
             "on: "
             "[{left_field: Code, right_field: CODE}, {left_field: x, right_field: y}]}\n"
             "- {id: b, left_table: t, right_table: u, 'on': [{left_field: c, right_field: c}]}\n"
             "- {id: c, left_table: t, right_table: u, approved: yes, true: [{left_field: c, "
             "right_field: c}]}\n"
             "- {id: d, left_table: t, right_table: u, approved: false, on: [{left_field: c, "
             "right_field: c}]}\n",
             &catalog)
            .why,
        FAIL_NONE);
    assert_int_equal(problems.n, 0);
    assert_int_equal(catalog->n_joins, 4);
    assert_int_equal(catalog->n_approved, 2);
    const struct grant_join *a = &catalog->approved[0], *c = &catalog->approved[1];
    assert_true(str_eq(a->id, STR("a")));
    assert_true(str_eq(a->left_project, STR("p")));
    assert_true(str_eq(a->left_schema, STR("default")));
    assert_true(str_eq(a->left_table, STR("t")));
    assert_true(str_eq(a->right_schema, STR("s")));
    assert_true(str_eq(a->right_table, STR("u")));
    assert_int_equal(a->n_on, 2);
    assert_true(str_eq(a->on[0].left, STR("code")));
    assert_true(str_eq(a->on[0].right, STR("code")));
    assert_true(str_eq(c->id, STR("c")));
    assert_true(str_eq(c->left_project, STR("home")));
    assert_false(catalog->joins[1].is_approved);
    assert_true(str_eq(catalog->joins[0].cardinality, STR("N:1")));
}

static void the_planners_joins_load(void **state) {
    (void)state;
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(SOURCE_ROOT "/test/policy/planner/joins.yaml", "rb");
    assert_non_null(text);
    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    const struct catalog *catalog = NULL;
    assert_int_equal(load(text, &catalog).why, FAIL_NONE);
    free(text);
    assert_int_equal(problems.n, 0);
    assert_int_equal(catalog->n_joins, 12);
    assert_int_equal(catalog->n_approved, 10);
}

struct complaint {
    const char *yaml, *lines;
};

#define ON "on: [{left_field: c, right_field: c}]"
static const struct complaint complaints[] = {
    {"join: []", "j:1:1: error: unknown key 'join' in joins.yaml (did you mean 'joins'?)"},
    {"joins: {}", "j:1:8: error: 'joins' must be a list"},
    {"joins: [{id: a, left_table: t, right_table: u}]",
     "j:1:9: error: the join 'a' has no fields in 'on'"},
    {"joins: [{id: a, left_table: t, right_table: u, approved: true, on: []}]",
     "j:1:9: error: the join 'a' has no fields in 'on'"},
    {"joins: [{id: a, left_table: t, right_table: u, " ON
     "}, {id: a, left_table: t, right_table: u, " ON "}]",
     "j:1:93: error: the join 'a' is defined twice (the first stands in line 1)"},
    {"joins: [{id: a, left_table: t, right_table: u, " ON ", true: []}]",
     "j:1:9: error: the join 'a' has 'on' and 'true', which are one key"},
    {"joins: [{id: a, left_table: 't;', right_table: u, on: [{left: c, right_field: c}]}]",
     "j:1:56: error: an on-pair has no 'left_field'\n"
     "j:1:57: error: unknown key 'left' in an on-pair (did you mean 'left_field'?)\n"
     "j:1:29: error: 't;' is no name of a table (write PROJECT.TABLE or PROJECT.SCHEMA.TABLE)"},
    {"joins: [{left_table: t, approved: maybe, " ON "}]",
     "j:1:9: error: a join has no 'id'\n"
     "j:1:9: error: a join has no 'right_table'\n"
     "j:1:35: error: 'approved' must be true or false"},
};

static void complaints_name_their_place(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(complaints); i++) {
        const struct catalog *catalog = NULL;
        assert_int_equal(load(complaints[i].yaml, &catalog).why, FAIL_CONFIG);
        assert_null(catalog);
        struct str all = STR("");
        for (size_t p = 0; p < problems.n; p++)
            all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), p > 0 ? "\n" : "",
                             STR_ARG(problem_print(&problems.items[p], &arena)));
        assert_string_equal(str_cstr(&arena, all), complaints[i].lines);
    }
}

static void no_half_catalog(void **state) {
    (void)state;
    long tried = 0;
    for (long n = 0;; n++, tried++) {
        arena_reset(&arena);
        const struct yaml *tree = NULL;
        const struct catalog *catalog = NULL;
        problems_init(&problems, &arena);
        assert_int_equal(
            yaml_read(
                STR("joins: [{id: a, left_table: t, right_table: u, approved: true, " ON "}]"),
                STR("j"), NULL, &arena, &tree, &report)
                .why,
            FAIL_NONE);
        fault_set(n);
        result r = catalog_load(tree, STR("j"), STR("h"), &arena, &problems, &catalog);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_null(catalog);
    }
    assert_true(tried > 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_file_is_no_join, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_approved_are_given_out, setup, teardown),
        cmocka_unit_test_setup_teardown(the_planners_joins_load, setup, teardown),
        cmocka_unit_test_setup_teardown(complaints_name_their_place, setup, teardown),
        cmocka_unit_test_setup_teardown(no_half_catalog, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
