/* A candidate beside the live policy: what differs is counted, exactly, and nothing else happens.
 */
#include "policy/shadow.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "fixture.h"

#include <pthread.h>

static const char live_rules[] = "version: '1'\n"
                                 "tools: {a: {}, b: {action: deny}, c: {action: confirm}, e: {}}\n";
static const char candidate_rules[] =
    "version: '1'\n"
    "tools: {a: {action: deny}, b: {}, c: {action: approve}, e: {conditions: [{path: args.n, op: "
    "lte, value: 5}]}}\n";

static const struct policy *policy_of(const char *rules) {
    const struct policy *policy = NULL;
    result r = load(&(struct files){.policy = "tables: {}", .rules = rules}, &policy);
    assert_string_equal(complaints(), "");
    assert_int_equal(r.why, FAIL_NONE);
    return policy;
}

static int quiet(void **state) {
    log_threshold(LOG_OFF);
    return setup(state);
}

static const char *shown(struct shadow *shadow) {
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1 << 20);
    json_writer_init(&w, &out);
    shadow_put(shadow, &w);
    struct str text = buf_take(&out, &arena);
    struct str version = str_slice(text, 0, str_find(text, STR("\"judged\"")));
    return str_cstr(&arena, str_slice(text, version.len, text.len));
}

struct asked {
    struct shadow *shadow;
    const struct policy *live;
    struct principal who;
};

static void ask(const struct asked *a, struct str tool, const char *arguments) {
    struct arena of_call;
    struct policy_question question = {.tool = tool};
    struct verdict live;
    struct report unused = {0};
    arena_init(&of_call, 1 << 20);
    if (arguments != NULL)
        assert_int_equal(
            json_read(str_of(arguments), NULL, &of_call, &question.arguments, &unused).why,
            FAIL_NONE);
    policy_judge(a->live, &a->who, &question, &of_call, &live);
    size_t used = of_call.used;
    shadow_judge(a->shadow, &a->who, &question, &live, STR("call"));
    assert_int_equal(of_call.used, used); /* nothing of the call's */
    arena_deinit(&of_call);
}

static struct asked asked_of(const char *live, const char *candidate) {
    struct asked a = {shadow_new(policy_of(candidate), &arena), policy_of(live),
                      somebody(NULL, NULL, NULL, NULL)};
    assert_non_null(a.shadow);
    return a;
}

static void counts_what_differs(void **state) {
    (void)state;
    struct asked a = asked_of(live_rules, candidate_rules);
    assert_string_equal(shown(a.shadow), "\"judged\":0,\"different\":0,\"differences\":[]}");
    ask(&a, STR("d"), NULL);
    ask(&a, STR("e"), "{\"n\":5}");
    assert_string_equal(shown(a.shadow), "\"judged\":2,\"different\":0,\"differences\":[]}");
    ask(&a, STR("a"), NULL);
    ask(&a, STR("a"), NULL);
    ask(&a, STR("b"), NULL);
    ask(&a, STR("c"), NULL);
    ask(&a, STR("e"), "{\"n\":6}");
    assert_string_equal(
        shown(a.shadow),
        "\"judged\":7,\"different\":5,\"differences\":["
        "{\"tool\":\"a\",\"live\":\"allow\",\"candidate\":\"deny\",\"calls\":2},"
        "{\"tool\":\"b\",\"live\":\"deny\",\"candidate\":\"allow\",\"calls\":1},"
        "{\"tool\":\"c\",\"live\":\"confirm\",\"candidate\":\"approve\",\"calls\":1},"
        "{\"tool\":\"e\",\"live\":\"allow\",\"candidate\":\"deny\",\"calls\":1}]}");
}

static void is_itself_without_difference(void **state) {
    (void)state;
    struct asked a = asked_of(live_rules, live_rules);
    static const char *const tools[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < COUNT(tools); i++) ask(&a, str_of(tools[i]), NULL);
    assert_string_equal(shown(a.shadow), "\"judged\":5,\"different\":0,\"differences\":[]}");
}

/* The live verdict is the live one's, whatever becomes of the candidate. */
static void counts_a_candidate_that_fails(void **state) {
    (void)state;
    struct asked a = asked_of(live_rules, live_rules);
    struct policy_question question = {.tool = STR("a")};
    struct verdict live;
    policy_judge(a.live, &a.who, &question, &arena, &live);
    fault_set(0);
    shadow_judge(a.shadow, &a.who, &question, &live, STR("call"));
    assert_false(fault_unused());
    fault_off();
    assert_int_equal(live.effect, EFFECT_ALLOW);
    assert_string_equal(shown(a.shadow),
                        "\"judged\":1,\"different\":1,\"differences\":[{\"tool\":\"a\",\"live\":"
                        "\"allow\",\"candidate\":\"failed\",\"calls\":1}]}");
}

/* More tools than rows: the last one takes the rest, and the sum stays. */
static void loses_no_count(void **state) {
    (void)state;
    struct asked a = asked_of("version: '1'\n", "version: '1'\ndefault: deny\n");
    char name[SHADOW_NAME_BYTES_MAX + 8];
    for (int i = 0; i < SHADOW_TOOLS_MAX + 9; i++) {
        snprintf(name, sizeof name, "tool_%d", i);
        ask(&a, str_of(name), NULL);
    }
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ask(&a, str_of(name), NULL);
    const char *text = shown(a.shadow);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "\"different\":%d,", SHADOW_TOOLS_MAX + 10);
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(text, "{\"tool\":\"*\",\"live\":\"allow\",\"candidate\":\"deny\","
                                 "\"calls\":11}]}"));
}

enum { THREADS = 4, ASKED = 2000 };

static void *ask_often(void *with) {
    for (int i = 0; i < ASKED; i++) ask(with, i % 2 == 0 ? STR("a") : STR("b"), NULL);
    return NULL;
}

static void counts_for_many_threads(void **state) {
    (void)state;
    struct asked a = asked_of(live_rules, candidate_rules);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &a), 0);
    for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    const char *text = shown(a.shadow);
    assert_non_null(strstr(text, "\"judged\":8000,\"different\":8000,"));
    assert_non_null(strstr(text, "\"live\":\"allow\",\"candidate\":\"deny\",\"calls\":4000}"));
    assert_non_null(strstr(text, "\"live\":\"deny\",\"candidate\":\"allow\",\"calls\":4000}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_what_differs, quiet, teardown),
        cmocka_unit_test_setup_teardown(is_itself_without_difference, quiet, teardown),
        cmocka_unit_test_setup_teardown(counts_a_candidate_that_fails, quiet, teardown),
        cmocka_unit_test_setup_teardown(loses_no_count, quiet, teardown),
        cmocka_unit_test_setup_teardown(counts_for_many_threads, quiet, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
