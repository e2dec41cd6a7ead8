/* Cases as data: test/policy/NAME.case, in the form of policy/cases.h. */
#include "policy/cases.h"

#include "fixture.h"

/* Every case is run, so that one look shows all that fail. */
static size_t n_bad;

static const char *file_of(const struct policy_case *c, enum case_title title) {
    struct str body = c->sections[title].body;
    return body.ptr == NULL ? NULL : str_cstr(&arena, body);
}

static void check_problems(const struct policy_case *c) {
    struct str expected = str_trim(c->sections[CASE_PROBLEMS].body), said = str_of(complaints());
    bool is_same = true;
    for (struct str want = expected, have = said; is_same && (want.len > 0 || have.len > 0);) {
        struct str w = str_cut(&want, '\n'), h = str_cut(&have, '\n');
        is_same = str_ends(w, STR("*")) ? str_starts(h, str_slice(w, 0, w.len - 1)) : str_eq(w, h);
    }
    if (!is_same)
        fprintf(stderr, "case '" STR_FMT "' said\n" STR_FMT "\nnot\n" STR_FMT "\n",
                STR_ARG(c->name), STR_ARG(said), STR_ARG(expected));
    if (!is_same) n_bad++;
}

static void tell_miss(void *with, const struct case_miss *miss) {
    (void)with;
    fprintf(stderr, "'" STR_FMT "', line %u: " STR_FMT "\n    is " STR_FMT "\n",
            STR_ARG(miss->name), miss->line, STR_ARG(miss->asked), STR_ARG(miss->got));
}

static void run_case(const struct policy_case *c) {
    struct files files = {file_of(c, CASE_POLICY), file_of(c, CASE_ALLOWLIST),
                          file_of(c, CASE_ENTERPRISE), file_of(c, CASE_RULES)};
    const struct policy *policy = NULL;
    result r = load(&files, &policy);
    check_problems(c);
    assert_int_equal(r.why, problems.n_errors > 0 ? FAIL_CONFIG : FAIL_NONE);
    assert_true((policy == NULL) == (problems.n_errors > 0));
    if (policy == NULL) return;
    struct case_asker asker = {.policy = policy, .missed = tell_miss};
    r = policy_case_ask(c, &asker, &arena, &report);
    if (r.why != FAIL_NONE) fprintf(stderr, "%s\n", report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
    n_bad += asker.n_missed;
}

static void run_file(const char *path, size_t at_least) {
    char *read = read_all(path);
    struct case_text text = {str_of(read), 0};
    struct policy_case c;
    size_t n = 0;
    n_bad = 0;
    for (bool is_there = true; is_there; n += is_there) {
        result r = policy_case_next(&text, &c, &is_there, &report);
        if (r.why != FAIL_NONE) fprintf(stderr, "%s\n", report.sentence);
        assert_int_equal(r.why, FAIL_NONE);
        if (is_there) run_case(&c);
        arena_reset(&arena);
    }
    free(read);
    assert_true(n >= at_least);
    assert_int_equal(n_bad, 0);
}

static void problems_are_told(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/problems.case", 15);
}

static void decisions_are_made(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/decisions.case", 9);
}

static void rules_are_followed(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/rules.case", 12);
}

static void limits_are_charged(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/limits.case", 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(problems_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(decisions_are_made, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_are_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_are_charged, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
