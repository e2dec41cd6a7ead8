/* Rules where memory ends, where there are too many, and where a call is hostile. */
#include "fixture.h"

#include "base/fault.h"
#include "base/limits.h"

static const char RULES[] =
    "version: '1'\n"
    "default: deny\n"
    "hide: [gone, 'x*']\n"
    "tools:\n"
    "  run:\n"
    "    reason: ask\n"
    "    rate_limit: {max: 3, window: 60, by: tool}\n"
    "    budget: {max: 9.5, window: day, from: args.cost, reason: dear}\n"
    "    conditions:\n"
    "      - {path: args.n, op: lte, value: 10, otherwise: confirm}\n"
    "      - {path: /sql, op: regex, value: '^(?i)select\\s', reason: SELECT only}\n"
    "      - {path: args.env, op: in, value: [a, 2, true], optional: true}\n"
    "  r*: {action: allow, rate_limit: 5/hour}\n"
    "  '*n': {}\n"
    "  '*': {conditions: [{path: args.force, op: exists, value: false}]}\n";

static const struct policy *with_rules(const char *rules) {
    const struct policy *policy = NULL;
    struct files files = {.policy = "tables: {}", .rules = rules};
    result r = load(&files, &policy);
    assert_string_equal(complaints(), "");
    assert_int_equal(r.why, FAIL_NONE);
    return policy;
}

static struct policy_question question(const char *tool, const char *arguments) {
    struct policy_question q = {.tool = str_of(tool), .session_id = STR("s")};
    result r = json_read(str_of(arguments), NULL, &arena, &q.arguments, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return q;
}

static void no_half_rules(void **state) {
    (void)state;
    long tried = 0;
    for (long n = 0;; n++, tried++) {
        arena_reset(&arena);
        const struct policy *policy = NULL;
        struct policy_sources sources = {.policy = tree_of("default_project: P", "pol"),
                                         .rules = tree_of(RULES, "rules"),
                                         .policy_text = STR("text")};
        problems_init(&problems, &arena);
        fault_set(n);
        result r = policy_load(&sources, &arena, &problems, &policy);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_null(policy);
    }
    assert_true(tried > 60);
}

/* With less memory a call is denied, or judged as with all of it: never counted by fewer limits. */
static void no_half_verdict(void **state) {
    (void)state;
    const struct policy *policy = with_rules(RULES);
    static const char *const calls[] = {
        "{\"n\":5,\"sql\":\"SELECT 1\",\"cost\":1}",
        "{\"n\":50,\"sql\":\"select 1\",\"cost\":2.5}",
        "{\"n\":5,\"sql\":\"SELECT 1\"}",
        "{\"n\":5,\"sql\":\"DROP x\"}",
        "{}",
    };
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct principal p = somebody(NULL, NULL, NULL, NULL);
        struct policy_question q = question("run", calls[i]);
        struct verdict whole;
        policy_judge(policy, &p, &q, &arena, &whole);
        int n_denied = 0;
        for (size_t budget = 1; budget < 4000; budget += 24) {
            struct arena small;
            struct verdict v;
            arena_init(&small, budget);
            policy_judge(policy, &p, &q, &small, &v);
            bool is_whole = v.effect == whole.effect && v.charges.n == whole.charges.n &&
                            v.budgets.n == whole.budgets.n;
            assert_true(v.effect == EFFECT_DENY || is_whole);
            assert_true((v.code == NULL) == (v.effect == EFFECT_ALLOW));
            assert_true((v.sentence.len == 0) == (v.effect == EFFECT_ALLOW));
            n_denied += v.effect == EFFECT_DENY && strcmp(v.code, "OUT_OF_MEMORY") == 0;
            arena_deinit(&small);
        }
        assert_true(n_denied > 0);
    }
}

static void more_limits_than_can_be_counted_deny(void **state) {
    (void)state;
    for (int n = POLICY_CHARGES_MAX - 1; n <= POLICY_CHARGES_MAX + 1; n++) {
        struct str text = STR("version: '1'\ntools:\n");
        char stars[64] = "";
        for (int i = 0; i < n; i++) {
            stars[i] = '*';
            text =
                str_printf(&arena, STR_FMT "  '%s?': {rate_limit: 9/day}\n", STR_ARG(text), stars);
        }
        const struct policy *policy = with_rules(str_cstr(&arena, text));
        struct principal p = somebody(NULL, NULL, NULL, NULL);
        struct policy_question q = question("run", "{}");
        struct verdict v;
        policy_judge(policy, &p, &q, &arena, &v);
        bool is_counted = n <= POLICY_CHARGES_MAX;
        assert_int_equal(v.effect, is_counted ? EFFECT_ALLOW : EFFECT_DENY);
        assert_int_equal(v.charges.n, is_counted ? n : 0);
        assert_true(v.n_looks <= POLICY_LOOKS_MAX);
    }
}

/* A rule on a text that no engine could judge in time is a rule that does not hold. */
static void what_cannot_be_judged_is_denied(void **state) {
    (void)state;
    const struct policy *policy = with_rules(
        "version: '1'\ntools:\n"
        "  run: {conditions: [{path: args.a, op: regex, value: '(a?){300}a{300}'}]}\n"
        "  deep: {conditions: [{path: args.a.a.a.a.a.a.a.a.a.a, op: exists, value: true}]}\n");
    size_t n = 100000;
    char *text = arena_alloc(&arena, n + 16, 1);
    memcpy(text, "{\"a\":\"", 6);
    memset(text + 6, 'b', n);
    memcpy(text + 6 + n, "\"}", 3);
    struct principal p = somebody(NULL, NULL, NULL, NULL);
    struct policy_question q = question("run", text);
    struct verdict v;
    policy_judge(policy, &p, &q, &arena, &v);
    assert_int_equal(v.effect, EFFECT_DENY);
    assert_string_equal(v.code, "ARGUMENT_NOT_ALLOWED");
    q = question("deep", "{\"a\":{\"a\":{\"a\":[]}}}");
    policy_judge(policy, &p, &q, &arena, &v);
    assert_int_equal(v.effect, EFFECT_DENY);
}

/* Names as a caller may send them. */
static void any_name_has_an_answer(void **state) {
    (void)state;
    const struct policy *policy = with_rules(RULES);
    struct principal p = somebody(NULL, NULL, NULL, NULL);
    static char longest[100000];
    memset(longest, 'r', sizeof longest);
    const struct str names[] = {STR(""),     STR("*"),     STR("r*"),
                                STR("?"),    STR("\0rux"), STR("run\0"),
                                STR("\xff"), STR("客"),    {longest, sizeof longest}};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct policy_question q = question("run", "{}");
        struct verdict v;
        q.tool = names[i];
        policy_judge(policy, &p, &q, &arena, &v);
        bool is_named = str_starts(names[i], STR("r"));
        assert_int_equal(v.effect, is_named ? EFFECT_ALLOW : EFFECT_DENY);
        assert_true(v.sentence.len < 1000);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(no_half_rules),
        CASE(no_half_verdict),
        CASE(more_limits_than_can_be_counted_deny),
        CASE(what_cannot_be_judged_is_denied),
        CASE(any_name_has_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
