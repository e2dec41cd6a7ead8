/* Policies of PolicyLayer's as data: test/policy/import/NAME.in becomes NAME.rules.yaml, and
 * NAME.told is what is said meanwhile. Where the first is absent, nothing may come out. */
#include "policy/import.h"

#include "base/fault.h"
#include "fixture.h"
#include "policy/rules.h"

#include <unistd.h>

#define DATA SOURCE_ROOT "/test/policy/import/"

static const struct {
    const char *name, *by;
} cases[] = {
    {"intercept", NULL}, {"lost", NULL},     {"hosted", NULL},
    {"words", NULL},     {"global", NULL},   {"global-by", "principal"},
    {"error-01", NULL},  {"error-02", NULL}, {"error-03", NULL},
    {"error-04", NULL},  {"error-05", NULL}, {"error-06", NULL},
    {"error-07", NULL},  {"error-08", NULL}, {"error-09", NULL},
    {"error-10", NULL},  {"error-11", NULL}, {"error-12", NULL},
};

static const char *path_of(size_t i, const char *ending) {
    return str_cstr(&arena, str_printf(&arena, DATA "%s%s", cases[i].name, ending));
}

/* NULL: there is no such file. */
static const char *data(size_t i, const char *ending) {
    const char *path = path_of(i, ending);
    if (access(path, R_OK) != 0) return NULL;
    char *read = read_all(path);
    const char *text = str_cstr(&arena, str_of(read));
    free(read);
    return text;
}

static result import(size_t i, struct buf *out) {
    struct policy_import in = {STR("x.yaml"), str_of(data(i, ".in")), cases[i].by};
    problems_init(&problems, &arena);
    return policy_import(&in, &arena, &problems, out);
}

/* The first difference, which a debugger need not look for. */
static void check_same(const char *got, const char *wanted) {
    struct str g = str_of(got), w = str_of(wanted);
    while (g.len > 0 || w.len > 0) {
        struct str is = str_cut(&g, '\n'), want = str_cut(&w, '\n');
        if (str_eq(is, want)) continue;
        fprintf(stderr, "is  " STR_FMT "\nnot " STR_FMT "\n", STR_ARG(is), STR_ARG(want));
        fprintf(stderr, "--- all:\n%s\n", got);
        fail();
    }
}

static void becomes_rules_or_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 1 << 20);
        print_message("%s\n", cases[i].name);
        result r = import(i, &out);
        const char *wanted = data(i, ".rules.yaml"), *told = data(i, ".told");
        check_same(complaints(), told == NULL ? "" : told);
        assert_int_equal(r.why, wanted == NULL ? FAIL_CONFIG : FAIL_NONE);
        check_same(str_cstr(&arena, buf_copy(&out, &arena)), wanted == NULL ? "" : wanted);
        buf_deinit(&out);
    }
}

/* What comes out is what the program itself takes, without a word. */
static void can_be_loaded(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *rules = data(i, ".rules.yaml");
        const struct policy *policy = NULL;
        if (rules == NULL) continue;
        result r = load(&(struct files){.policy = "tables: {}", .rules = rules}, &policy);
        check_same(complaints(), "");
        assert_int_equal(r.why, FAIL_NONE);
    }
}

/* Whatever fails: no rules that lack one. */
static void says_all_or_nothing_without_memory(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct buf out;
        arena_reset(&arena);
        buf_init(&out, 1 << 20);
        const char *wanted = data(0, ".rules.yaml");
        const char *text = data(0, ".in");
        struct policy_import in = {STR("x.yaml"), str_of(text), NULL};
        problems_init(&problems, &arena);
        fault_set(n);
        result r = policy_import(&in, &arena, &problems, &out);
        bool is_over = fault_unused();
        fault_off();
        if (r.why == FAIL_NONE)
            check_same(str_cstr(&arena, buf_copy(&out, &arena)), wanted);
        else
            assert_true(out.len == 0 && !is_over);
        buf_deinit(&out);
        if (is_over) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(becomes_rules_or_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(can_be_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(says_all_or_nothing_without_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
