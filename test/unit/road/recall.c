/* Answers given again: to whom, for how long, and what the record says. */
#include "rig.h"

static struct rig rig;

static int setup(void **state) {
    (void)state;
    rig_init(&rig);
    struct cache_settings *s = &rig.snapshot->settings.cache;
    s->is_enabled = true;
    s->call_tool_ttl_ms = 60000;
    s->max_item_bytes = 1 * MIB;
    s->max_bytes = 16 * MIB;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rig_deinit(&rig);
    return 0;
}

/* What a call's answer was: hit, code or kept data, compared as text. */
struct answer {
    bool is_hit;
    int64_t age_s;
    const char *data;
};

static struct answer ask(struct call *call) {
    const struct json *e = rig_walk(&rig, call);
    const struct json *hit = json_at(e, STR("/metadata/cache/hit"));
    const struct json *age = json_at(e, STR("/metadata/cache/age_seconds"));
    struct answer a = {.is_hit = hit != NULL && json_is_true(hit),
                       .age_s = age == NULL ? -1 : age->integer,
                       .data = str_cstr(&rig.arena, json_raw(json_get(e, STR("data"))))};
    struct rig_log log;
    rig_read_log(&rig, &log);
    const struct json *line = rig_record(&log, call->audit_id);
    assert_non_null(line);
    assert_int_equal(json_is_true(json_get(line, STR("from_cache"))), a.is_hit);
    assert_true(str_eq(json_get(e, STR("audit_id"))->text, str_of(call->audit_id)));
    return a;
}

static struct answer asked(const char *role, const char *tool, const char *arguments) {
    struct call *call = rig_call(&rig, NULL, role, tool, arguments);
    struct answer a = ask(call);
    call_free(call);
    return a;
}

static void answers_again_for_a_while(void **state) {
    (void)state;
    struct answer first = asked("reader", "describe_table", "{\"table\":\"orders\"}");
    assert_false(first.is_hit);
    clock_move(&rig.clock, 59000);
    struct answer again = asked("reader", "describe_table", "{\"table\":\"orders\"}");
    assert_true(again.is_hit);
    assert_int_equal(again.age_s, 59);
    assert_string_equal(again.data, first.data);
    clock_move(&rig.clock, 1000);
    assert_false(asked("reader", "describe_table", "{\"table\":\"orders\"}").is_hit);
}

static const struct {
    const char *what, *tool, *one, *two;
    bool same;
} asks[] = {
    {"no arguments in two ways", "list_allowed_tables", NULL, "{}", true},
    {"members in another order", "describe_table", "{\"table\":\"orders\",\"project\":\"shop\"}",
     "{\"project\":\"shop\",\"table\":\"orders\"}", true},
    {"white space and escapes", "describe_table", "{\"table\":\"orders\"}",
     "{ \"table\" : \"\\u006frders\" }", true},
    {"another value", "describe_table", "{\"table\":\"orders\"}", "{\"table\":\"days\"}", false},
    {"another spelling", "describe_table", "{\"table\":\"orders\"}", "{\"table\":\"ORDERS\"}",
     false},
    {"an argument more", "describe_table", "{\"table\":\"orders\"}",
     "{\"table\":\"orders\",\"project\":\"shop\"}", false},
    {"null is said", "describe_table", "{\"table\":\"orders\"}",
     "{\"table\":\"orders\",\"project\":null}", false},
};

static void knows_the_same_arguments(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(asks); i++) {
        print_message("%s\n", asks[i].what);
        rig.snapshot->generation++; /* nothing of the cases before */
        assert_false(asked("reader", asks[i].tool, asks[i].one).is_hit);
        assert_int_equal(asked("reader", asks[i].tool, asks[i].two).is_hit, asks[i].same);
    }
}

/* Of rights, the digest's own test tells more (policy/policy_digest.c). */
static void asks_who_asks(void **state) {
    (void)state;
    static const struct str shop[] = {STR_INIT("shop")};
    assert_false(asked("reader", "list_allowed_tables", NULL).is_hit);
    assert_true(asked("lister", "list_allowed_tables", NULL).is_hit);
    struct call *call = rig_call(&rig, NULL, "reader", "list_allowed_tables", NULL);
    call->principal.user_id = STR("bob");
    call->principal.token_id = STR("t9");
    assert_true(ask(call).is_hit);
    call_free(call);
    call = rig_call(&rig, NULL, "reader", "list_allowed_tables", NULL);
    call->principal.allowed_projects = (struct name_set){shop, 1, true};
    assert_false(ask(call).is_hit);
    call_free(call);
    call = rig_call(&rig, NULL, "reader", "list_allowed_tables", NULL);
    call->principal.allowed_projects = (struct name_set){NULL, 0, true};
    struct answer none = ask(call);
    assert_false(none.is_hit);
    assert_non_null(strstr(none.data, "\"count\":0"));
    call_free(call);
    rig.snapshot->generation++;
    assert_false(asked("reader", "list_allowed_tables", NULL).is_hit);
}

/* A kept answer does not help who may not use the tool, or who came too often. */
static void decides_and_counts_first(void **state) {
    (void)state;
    assert_false(asked("reader", "describe_table", "{\"table\":\"orders\"}").is_hit);
    struct call *call = rig_call(&rig, NULL, "lister", "describe_table", "{\"table\":\"orders\"}");
    assert_string_equal(rig_text(rig_walk(&rig, call), "/error/code", &rig.arena),
                        "TOOL_NOT_ALLOWED");
    call_free(call);
    assert_true(asked("rare", "describe_table", "{\"table\":\"orders\"}").is_hit);
    assert_true(asked("rare", "describe_table", "{\"table\":\"orders\"}").is_hit);
    call = rig_call(&rig, NULL, "rare", "describe_table", "{\"table\":\"orders\"}");
    assert_string_equal(rig_text(rig_walk(&rig, call), "/error/code", &rig.arena),
                        "RATE_LIMIT_EXCEEDED");
    call_free(call);
}

static void keeps_only_what_it_may(void **state) {
    (void)state;
    static struct str excluded[] = {STR_INIT("describe_table")};
    static const char args[] = "{\"table\":\"orders\"}";
    struct cache_settings *s = &rig.snapshot->settings.cache;
    const struct cache_settings usual = *s;
    const struct {
        const char *what;
        struct cache_settings settings;
    } without[] = {
        {"off",
         {.is_enabled = false, .call_tool_ttl_ms = 60000, .max_item_bytes = MIB, .max_bytes = MIB}},
        {"no time",
         {.is_enabled = true, .call_tool_ttl_ms = 0, .max_item_bytes = MIB, .max_bytes = MIB}},
        {"too large",
         {.is_enabled = true, .call_tool_ttl_ms = 60000, .max_item_bytes = 100, .max_bytes = MIB}},
        {"no room",
         {.is_enabled = true, .call_tool_ttl_ms = 60000, .max_item_bytes = MIB, .max_bytes = 100}},
        {"excluded",
         {.is_enabled = true,
          .call_tool_ttl_ms = 60000,
          .max_item_bytes = MIB,
          .max_bytes = MIB,
          .excluded_tools = {excluded, 1, true}}},
    };
    for (size_t i = 0; i < COUNT(without); i++) {
        print_message("%s\n", without[i].what);
        *s = without[i].settings;
        for (size_t k = 0; k < 2; k++) assert_false(asked("reader", "describe_table", args).is_hit);
    }
    *s = usual;
    for (size_t k = 0; k < 2; k++) { /* a refusal is found anew */
        struct call *call = rig_call(&rig, NULL, "reader", "describe_table", "{\"table\":\"x\"}");
        assert_false(ask(call).is_hit);
        assert_false(call_is_ok(call));
        call_free(call);
    }
    assert_false(asked("reader", "describe_table", args).is_hit);
    struct call *call = rig_call(&rig, NULL, "reader", "describe_table", args);
    call->origin.is_program = true;
    assert_false(ask(call).is_hit);
    call_free(call);
    assert_true(asked("reader", "describe_table", args).is_hit);
}

/* For every N: the answer is right or refused, whether it was kept, found, or neither. */
static void survives_any_fault(void **state) {
    (void)state;
    static const char args[] = "{\"table\":\"orders\"}";
    const char *data = asked("reader", "describe_table", args).data;
    for (size_t is_kept = 0; is_kept < 2; is_kept++)
        for (long n = 0;; n++) {
            assert_true(n < 2000);
            rig.snapshot->generation++;
            if (is_kept) asked("reader", "describe_table", args);
            struct call *call = rig_call(&rig, NULL, "reader", "describe_table", args);
            struct rig_waiter waiter = RIG_WAITER;
            call->owner = &waiter;
            fault_set(n);
            road_walk(rig.road, call);
            bool was_reached = !fault_unused();
            fault_off();
            rig_wait(&waiter, 1);
            if (call_is_ok(call) && buf_failed(&call->reply, NULL).why == FAIL_NONE) {
                struct str text = str_dup(&rig.arena, buf_flat(&call->reply, &call->arena));
                const struct json *e = rig_json(&rig.arena, text);
                assert_string_equal(str_cstr(&rig.arena, json_raw(json_get(e, STR("data")))), data);
            }
            if (!was_reached) assert_int_equal(call->facts.recall.is_hit, is_kept);
            call_free(call);
            if (!was_reached) break;
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_again_for_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_the_same_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_who_asks, setup, teardown),
        cmocka_unit_test_setup_teardown(decides_and_counts_first, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_only_what_it_may, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_fault, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
