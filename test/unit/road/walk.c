/* The road end to end: each station's stop, each answer's form, and that nothing is answered twice,
 * not at all, or without a record. */
#include "rig.h"

#include "tools/tool.h"

static struct rig rig;

static int setup(void **state) {
    (void)state;
    rig_init(&rig);
    return 0;
}

static void allow_file_bytes(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int teardown(void **state) {
    (void)state;
    allow_file_bytes(RLIM_INFINITY);
    rig_deinit(&rig);
    return 0;
}

static const char *text_at(const struct json *value, const char *pointer) {
    return rig_text(value, pointer, &rig.arena);
}

/* -- each station ----------------------------------------------------------------------------- */

static const struct {
    const char *what, *role, *tool, *arguments;
    const char *code; /* NULL: a success */
    const char *station, *outcome, *decision;
} walks[] = {
    {"no such tool", "reader", "no_such", NULL, "TOOL_NOT_FOUND", "find", "error", "denied"},
    {"a tool without a name", "reader", "", NULL, "TOOL_NOT_FOUND", "find", "error", "denied"},
    {"an argument missing", "reader", "describe_table", "{}", "INVALID_ARGUMENT", "find", "error",
     "denied"},
    {"an argument too many", "reader", "list_allowed_tables", "{\"x\":1}", "INVALID_ARGUMENT",
     "find", "error", "denied"},
    {"not for this role", "lister", "describe_table", "{\"table\":\"orders\"}", "TOOL_NOT_ALLOWED",
     "decide", "denied", "denied"},
    {"a list", "lister", "list_allowed_tables", NULL, NULL, "reply", "success", "allowed"},
    {"a table", "reader", "describe_table", "{\"table\":\"orders\"}", NULL, "reply", "success",
     "allowed"},
    {"no such table", "reader", "describe_table", "{\"table\":\"ordres\"}", "TABLE_NOT_ALLOWED",
     "answer", "denied", "denied"},
    {"a column denied", "reader", "run_select_sql", "{\"sql\":\"SELECT phone FROM orders\"}",
     "COLUMN_NOT_ALLOWED", "answer", "denied", "denied"},
    {"not a query", "reader", "run_select_sql", "{\"sql\":\"DROP TABLE orders\"}",
     "ONLY_SELECT_ALLOWED", "answer", "denied", "denied"},
    {"allowed, but nobody can run it", "reader", "run_select_sql",
     "{\"sql\":\"SELECT id FROM orders\"}", "BACKEND_CANNOT_RUN", "answer", "error", "allowed"},
};

static void check_envelope(const struct json *e, const char *code) {
    bool ok = code == NULL;
    assert_true(json_is_true(json_get(e, STR("ok"))) == ok);
    assert_true((json_get(e, STR("data"))->type == JSON_OBJECT) == ok);
    assert_true((json_get(e, STR("error"))->type == JSON_NULL) == ok);
    if (!ok) {
        assert_string_equal(text_at(e, "/error/code"), code);
        assert_true(json_at(e, STR("/error/message"))->text.len > 0);
        assert_int_equal(json_at(e, STR("/metadata/row_count"))->type, JSON_NULL);
    }
    assert_int_equal(json_get(e, STR("audit_id"))->text.len, UUID_SIZE - 1);
    assert_string_equal(text_at(e, "/metadata/timestamp"), "2026-11-20T09:15:00Z");
}

static void stops_where_it_should(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(walks); i++) {
        print_message("%s\n", walks[i].what);
        struct call *call = rig_call(&rig, NULL, walks[i].role, walks[i].tool, walks[i].arguments);
        const struct json *e = rig_walk(&rig, call);
        check_envelope(e, walks[i].code);
        assert_string_equal(text_at(e, "/metadata/tool_name"), walks[i].tool);
        struct rig_log log;
        rig_read_log(&rig, &log);
        assert_int_equal(log.n, i + 1);
        const struct json *line = rig_record(&log, call->audit_id);
        assert_non_null(line);
        assert_string_equal(text_at(line, "/station"), walks[i].station);
        assert_string_equal(text_at(line, "/outcome"), walks[i].outcome);
        assert_string_equal(text_at(line, "/policy_decision"), walks[i].decision);
        assert_true(str_eq(json_get(e, STR("audit_id"))->text, str_of(call->audit_id)));
        call_free(call);
    }
}

/* -- the envelope ----------------------------------------------------------------------------- */

static void tells_where_the_statement_is_wrong(void **state) {
    (void)state;
    struct call *call = rig_call(&rig, NULL, "reader", "run_select_sql",
                                 "{\"sql\":\"SELECT '表',\\n  phone FROM orders\"}");
    const struct json *e = rig_walk(&rig, call);
    assert_string_equal(text_at(e, "/error/code"), "COLUMN_NOT_ALLOWED");
    assert_int_equal(json_at(e, STR("/error/offset"))->integer, 16);
    assert_int_equal(json_at(e, STR("/error/line"))->integer, 2);
    assert_int_equal(json_at(e, STR("/error/column"))->integer, 3);
    assert_string_equal(text_at(e, "/cost_estimate/policy_decision"), "denied");
    call_free(call);
}

static void ties_answer_and_record_together(void **state) {
    (void)state;
    static const struct { const char *id, *shown; } ids[] = {{"7", "7"}, {"\"a-7\"", "a-7"}};
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct call *call = rig_call(&rig, NULL, "lister", "list_allowed_tables", NULL);
        call->origin.request_id = str_of(ids[i].id);
        const struct json *e = rig_walk(&rig, call);
        assert_string_equal(text_at(e, "/metadata/request_id"), ids[i].shown);
        struct rig_log log;
        rig_read_log(&rig, &log);
        assert_string_equal(text_at(rig_record(&log, call->audit_id), "/request_id"), ids[i].shown);
        call_free(call);
    }
    struct call *call = rig_call(&rig, NULL, "lister", "list_allowed_tables", NULL);
    const struct json *e = rig_walk(&rig, call);
    assert_string_equal(text_at(e, "/metadata/request_id"), call->audit_id);
    call_free(call);
}

/* -- how often, and how many at once ----------------------------------------------------------- */

static void meters_by_the_clock_that_never_goes_back(void **state) {
    (void)state;
    static const struct {
        int64_t move_ms;
        bool ok;
        int64_t retry_s;
    } steps[] = {{0, true, 0},      {10000, true, 0}, {500, false, 50},
                 {49499, false, 1}, {1, true, 0},     {0, false, 10}};
    for (size_t i = 0; i < COUNT(steps); i++) {
        clock_move(&rig.clock, steps[i].move_ms);
        struct call *call = rig_call(&rig, NULL, "rare", "list_allowed_tables", NULL);
        const struct json *e = rig_walk(&rig, call);
        print_message("step %zu\n", i);
        assert_true(json_is_true(json_get(e, STR("ok"))) == steps[i].ok);
        if (!steps[i].ok) {
            assert_string_equal(text_at(e, "/error/code"), "RATE_LIMIT_EXCEEDED");
            assert_int_equal(json_at(e, STR("/error/retry_after_seconds"))->integer,
                             steps[i].retry_s);
        }
        call_free(call);
    }
    struct call *call = rig_call(&rig, NULL, "rare", "list_allowed_tables", NULL);
    call->is_unmetered = true;
    assert_true(json_is_true(json_get(rig_walk(&rig, call), STR("ok"))));
    call_free(call);
}

static void refuses_one_query_too_many(void **state) {
    (void)state;
    static const char args[] = "{\"sql\":\"SELECT id FROM orders\"}";
    struct policy_limits limits;
    policy_limits(rig.snapshot->policy, &limits);
    int64_t max = limits.max_concurrent_queries_per_user;
    for (int64_t i = 0; i < max; i++)
        assert_true(policy_limiter_enter_query(rig.limiter, STR("ann"), max));
    struct call *call = rig_call(&rig, NULL, "reader", "run_select_sql", args);
    assert_string_equal(text_at(rig_walk(&rig, call), "/error/code"), "CONCURRENCY_LIMIT_EXCEEDED");
    call_free(call);
    policy_limiter_leave_query(rig.limiter, STR("ann"));
    for (int i = 0; i < 3; i++) { /* the place is given back, whatever the end */
        call = rig_call(&rig, NULL, "reader", "run_select_sql", args);
        assert_string_equal(text_at(rig_walk(&rig, call), "/error/code"), "BACKEND_CANNOT_RUN");
        call_free(call);
    }
}

static void is_busy_when_the_queue_is_full(void **state) {
    (void)state;
    road_free(rig.road);
    rig_open_road(&rig, 0);
    struct call *call =
        rig_call(&rig, NULL, "reader", "run_select_sql", "{\"sql\":\"SELECT id FROM orders\"}");
    const struct json *e = rig_walk(&rig, call);
    assert_string_equal(text_at(e, "/error/code"), "BUSY");
    assert_true(json_at(e, STR("/error/retry_after_seconds"))->integer > 0);
    call_free(call);
    call = rig_call(&rig, NULL, "reader", "list_allowed_tables", NULL); /* needs no thread */
    assert_true(json_is_true(json_get(rig_walk(&rig, call), STR("ok"))));
    call_free(call);
}

/* -- when the log cannot be written ------------------------------------------------------------ */

static void withholds_what_is_not_on_record(void **state) {
    (void)state;
    struct rig_log log;
    struct call *call = rig_call(&rig, NULL, "lister", "list_allowed_tables", NULL);
    assert_true(json_is_true(json_get(rig_walk(&rig, call), STR("ok"))));
    call_free(call);
    allow_file_bytes(16);
    static const char *const tools[] = {"list_allowed_tables", "no_such", "describe_table"};
    char ids[COUNT(tools)][UUID_SIZE];
    for (size_t i = 0; i < COUNT(tools); i++) {
        call = rig_call(&rig, NULL, "reader", tools[i], NULL);
        const struct json *e = rig_walk(&rig, call);
        assert_false(call_is_ok(call));
        assert_string_equal(text_at(e, "/error/code"), "AUDIT_UNAVAILABLE");
        assert_int_equal(json_get(e, STR("data"))->type, JSON_NULL);
        memcpy(ids[i], call->audit_id, sizeof ids[i]);
        call_free(call);
    }
    struct str sentence;
    assert_false(audit_is_ready(rig.audit, &sentence, &rig.arena));
    allow_file_bytes(RLIM_INFINITY);
    call = rig_call(&rig, NULL, "lister", "list_allowed_tables", NULL);
    assert_true(json_is_true(json_get(rig_walk(&rig, call), STR("ok"))));
    rig_read_log(&rig, &log);
    assert_non_null(rig_record(&log, call->audit_id));
    for (size_t i = 0; i < COUNT(tools); i++) assert_null(rig_record(&log, ids[i]));
    call_free(call);
}

/* -- from many threads ------------------------------------------------------------------------- */

static void back_and_gone(struct call *call) {
    rig_back(call);
    call_free(call);
}

static void *walk_and_free(void *with) {
    struct rig_waiter *waiter = with;
    for (size_t i = 0; i < 4 * COUNT(walks); i++) {
        const size_t k = i % COUNT(walks);
        struct call *call =
            rig_call(&rig, waiter, walks[k].role, walks[k].tool, walks[k].arguments);
        call->done = back_and_gone;
        road_walk(rig.road, call);
    }
    return NULL;
}

static void brings_all_back_under_load(void **state) {
    (void)state;
    enum { WALKERS = 4 };
    struct rig_waiter waiter = RIG_WAITER;
    pthread_t threads[WALKERS];
    for (size_t i = 0; i < WALKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, walk_and_free, &waiter), 0);
    for (size_t i = 0; i < WALKERS; i++) pthread_join(threads[i], NULL);
    rig_wait(&waiter, WALKERS * 4 * COUNT(walks));
    rig_end(&rig);
    struct rig_log log;
    rig_read_log(&rig, &log);
    assert_int_equal(log.n, WALKERS * 4 * COUNT(walks));
}

/* -- when memory ends, wherever it ends -------------------------------------------------------- */

/* The data that the walk gives when nothing fails. */
static struct str undisturbed(size_t k) {
    struct call *call = rig_call(&rig, NULL, walks[k].role, walks[k].tool, walks[k].arguments);
    struct str data = json_raw(json_get(rig_walk(&rig, call), STR("data")));
    call_free(call);
    return data;
}

/* For every N: answered exactly once, and a success only with its record. The calls that wait do so
 * on another thread, which has a counter of its own: there the fault falls on the way to it. */
static void survives_any_fault(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(walks); k++) {
        size_t n_allowed = 0;
        struct str data = undisturbed(k);
        for (long n = 0;; n++) {
            assert_true(n < 2000);
            struct rig_waiter waiter = RIG_WAITER;
            struct rig_log log;
            struct call *call =
                rig_call(&rig, &waiter, walks[k].role, walks[k].tool, walks[k].arguments);
            fault_set(n);
            road_walk(rig.road, call);
            bool was_reached = !fault_unused();
            fault_off();
            rig_wait(&waiter, 1);
            bool is_whole = buf_failed(&call->reply, NULL).why == FAIL_NONE;
            if (call_is_ok(call) && is_whole) {
                n_allowed++;
                rig_read_log(&rig, &log);
                const struct json *line = rig_record(&log, call->audit_id);
                assert_non_null(line);
                assert_string_equal(text_at(line, "/outcome"), "success");
                assert_null(walks[k].code);
                const struct json *e = rig_json(&rig.arena, buf_flat(&call->reply, &call->arena));
                assert_string_equal(str_cstr(&rig.arena, json_raw(json_get(e, STR("data")))),
                                    str_cstr(&rig.arena, data));
            }
            if (is_whole) rig_json(&call->arena, buf_flat(&call->reply, &call->arena));
            assert_int_equal(waiter.n_back, 1);
            call_free(call);
            if (!was_reached) break;
        }
        print_message("%s: allowed %zu times\n", walks[k].what, n_allowed);
        rig_end(&rig); /* the log begins anew: it is read for each success */
        rig_empty(rig.logs);
        rig_empty(rig.state);
        rig_open_audit(&rig);
        rig_open_road(&rig, 16);
    }
}

static void cannot_be_made_without_memory(void **state) {
    (void)state;
    struct road_setup setup_ = {rig.audit, rig.limiter, &rig.clock, 4};
    for (long n = 0;; n++) {
        struct road *road = NULL;
        struct report report = {0};
        fault_set(n);
        result r = road_new(&setup_, &road, &report);
        bool was_reached = !fault_unused();
        fault_off();
        assert_int_equal(r.why, was_reached ? FAIL_MEMORY : FAIL_NONE);
        road_free(road);
        if (!was_reached) break;
    }
    road_free(NULL);
}

/* -- budgets ---------------------------------------------------------------------------------- */

static const char budgets[] = "version: '1'\n"
                              "tools:\n"
                              "  run_*: {budget: {max: 7.5, window: day, from: args.limit}}\n"
                              "  list_*: {budget: {max: 9, window: day, from: args.n}}\n";

static void load_budgets(struct store **store) {
    struct store_settings settings = {.kind = STORE_MEMORY, .max_bytes = 1 * MIB};
    struct problems problems;
    problems_init(&problems, &rig.arena);
    struct policy_sources sources = {.policy = rig_yaml(&rig.arena, rig_policy),
                                     .enterprise = rig_yaml(&rig.arena, rig_enterprise),
                                     .rules = rig_yaml(&rig.arena, budgets),
                                     .policy_text = STR("text")};
    result r = policy_load(&sources, &rig.arena, &problems, &rig.snapshot->policy);
    assert_int_equal(r.why, FAIL_NONE);
    r = store_open(&settings, STR("nowhere"), &rig.clock, store, NULL);
    assert_int_equal(r.why, FAIL_NONE);
    rig.snapshot->store = *store;
}

static void assert_budget(const struct json *e, const char *code, const char *rule, double max,
                          double left) {
    const struct json *told = json_at(e, STR("/metadata/limits/budget"));
    assert_string_equal(text_at(e, "/error/code"), code);
    assert_string_equal(text_at(told, "/rule"), rule);
    assert_string_equal(text_at(told, "/resets_at"), "2026-11-21T00:00:00Z");
    assert_true(json_double(json_get(told, STR("max"))) == max);
    assert_true(json_double(json_get(told, STR("left"))) == left);
}

static void a_query_spends_where_an_engine_is_asked(void **state) {
    (void)state;
    static const struct {
        const char *arguments, *code;
        double left;
    } steps[] = {{"{\"sql\":\"SELECT id FROM orders\",\"limit\":8}", "BUDGET_EXCEEDED", 7.5},
                 {"{\"sql\":\"SELECT phone FROM orders\",\"limit\":7}", "COLUMN_NOT_ALLOWED", 7.5},
                 {"{\"sql\":\"SELECT id FROM orders\",\"limit\":7}", "BACKEND_CANNOT_RUN", 0.5},
                 {"{\"sql\":\"SELECT id FROM orders\",\"limit\":1}", "BUDGET_EXCEEDED", 0.5}};
    struct store *store;
    load_budgets(&store);
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct call *call = rig_call(&rig, NULL, "reader", "run_select_sql", steps[i].arguments);
        assert_budget(rig_walk(&rig, call), steps[i].code, "rules.yaml#tools.run_*.budget", 7.5,
                      steps[i].left);
        call_free(call);
    }
    store_close(store);
}

/* A tool that answers from memory has no such argument yet: the call is taken up at its last
 * station, judged with one. */
static const struct json *list_for(struct call *call, const char *arguments) {
    struct policy_question question = {call->tool_name, rig_json(&rig.arena, str_of(arguments)),
                                       STR_NONE};
    policy_judge(rig.snapshot->policy, &call->principal, &question, &call->arena, &call->verdict);
    assert_int_equal(call->verdict.budgets.n, 1);
    call->tool = tool_find(call->tool_name);
    assert_int_equal(call->tool->waits, TOOL_AT_ONCE);
    result r = input_read(call->tool, NULL, &call->arena, &call->input, &call->report);
    assert_int_equal(r.why, FAIL_NONE);
    call->station = 5;
    return rig_walk(&rig, call);
}

static void who_spends_waits_for_a_thread(void **state) {
    (void)state;
    static const char *const codes[] = {"(none)", "BUDGET_EXCEEDED"};
    struct store *store;
    load_budgets(&store);
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct call *call = rig_call(&rig, NULL, "lister", "list_allowed_tables", NULL);
        assert_budget(list_for(call, "{\"n\":8}"), codes[i], "rules.yaml#tools.list_*.budget", 9,
                      1);
        assert_true(call->may_wait);
        call_free(call);
    }
    store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stops_where_it_should, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_where_the_statement_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(ties_answer_and_record_together, setup, teardown),
        cmocka_unit_test_setup_teardown(meters_by_the_clock_that_never_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_one_query_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(a_query_spends_where_an_engine_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(who_spends_waits_for_a_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(is_busy_when_the_queue_is_full, setup, teardown),
        cmocka_unit_test_setup_teardown(withholds_what_is_not_on_record, setup, teardown),
        cmocka_unit_test_setup_teardown(brings_all_back_under_load, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(cannot_be_made_without_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
