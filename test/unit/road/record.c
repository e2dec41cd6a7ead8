/* What is written down of a call: who, what, how it ended; never a secret, never more than fits. */
#include "rig.h"

#include "road/record.h"

#undef fail /* cmocka's; ours is base/fail.h's */

static struct rig rig;

static int setup(void **state) {
    (void)state;
    rig_init(&rig);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rig_deinit(&rig);
    return 0;
}

static struct rig_waiter waiter = RIG_WAITER;

static void written(void *with, result how) {
    assert_int_equal(how.why, FAIL_NONE);
    rig_back(with);
}

/* Submits, waits, frees the call and reads its line. */
static const struct json *line_of(struct call *call, const char *station) {
    struct rig_log log;
    char id[UUID_SIZE];
    waiter.n_back = 0;
    memcpy(id, call->audit_id, sizeof id);
    assert_int_equal(record_submit(rig.audit, call, station, written).why, FAIL_NONE);
    rig_wait(&waiter, 1);
    call_free(call);
    rig_read_log(&rig, &log);
    assert_int_equal(log.n, 1);
    const struct json *line = rig_record(&log, id);
    assert_non_null(line);
    return line;
}

static const char *text_at(const struct json *line, const char *pointer) {
    return rig_text(line, pointer, &rig.arena);
}

static bool is_null(const struct json *line, const char *pointer) {
    const struct json *value = json_at(line, str_of(pointer));
    assert_non_null(value);
    return value->type == JSON_NULL;
}

static void tells_who_asked_for_what(void **state) {
    (void)state;
    struct call *call =
        rig_call(&rig, &waiter, "reader", "run_select_sql", "{\"sql\":\"SELECT 1\"}");
    call->principal.client_id = STR("desk");
    call->origin = (struct call_origin){.peer = STR("192.0.2.7"),
                                        .session_id = STR("s1"),
                                        .request_id = STR("\"q7\""),
                                        .method = STR("tools/call")};
    call->verdict = (struct verdict){.effect = EFFECT_ALLOW, .rule = STR("role:reader")};
    call->facts.sql_asked = STR("SELECT 1");
    call->facts.sql_run = STR("SELECT 2");
    call->facts.backend = STR("paper");
    call->facts.engine_us = 12;
    call->facts.row_count = 3;
    call->facts.truncated = true;
    clock_move(&rig.clock, 1500);
    const struct json *line = line_of(call, "reply");
    static const struct {
        const char *pointer, *value;
    } texts[] = {
        {"/user_id", "ann"},
        {"/client_id", "desk"},
        {"/token_id", "t1"},
        {"/auth_method", "test"},
        {"/source_ip", "192.0.2.7"},
        {"/session_id", "s1"},
        {"/request_id", "q7"},
        {"/method", "tools/call"},
        {"/tool_name", "run_select_sql"},
        {"/timestamp", "2026-11-20T09:15:00.123Z"},
        {"/outcome", "success"},
        {"/policy_decision", "allowed"},
        {"/rule", "role:reader"},
        {"/sql_asked", "SELECT 1"},
        {"/sql_run", "SELECT 2"},
        {"/backend", "paper"},
        {"/station", "reply"},
        {"/request_params/sql", "SELECT 1"},
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(text_at(line, texts[i].pointer), texts[i].value);
    assert_int_equal(json_at(line, STR("/engine_us"))->integer, 12);
    assert_int_equal(json_at(line, STR("/response_summary/row_count"))->integer, 3);
    assert_true(json_is_true(json_at(line, STR("/response_summary/truncated"))));
    assert_true(json_double(json_at(line, STR("/latency_ms"))) == 1500.0);
    assert_int_equal(json_at(line, STR("/policy_version"))->text.len, 12);
    assert_true(is_null(line, "/error_code") && is_null(line, "/deny_reason"));
}

/* Every kind of end: what stands in outcome, decision, code and reason. */
static const struct {
    enum fail why;
    const char *code;
    enum effect effect;
    const char *outcome, *decision, *error_code;
    bool has_reason;
} ends[] = {
    {FAIL_NONE, NULL, EFFECT_ALLOW, "success", "allowed", NULL, false},
    {FAIL_DENIED, "TOOL_NOT_ALLOWED", EFFECT_DENY, "denied", "denied", "TOOL_NOT_ALLOWED", true},
    {FAIL_DENIED, "RATE_LIMIT_EXCEEDED", EFFECT_DENY, "denied", "denied", "RATE_LIMIT_EXCEEDED",
     true},
    {FAIL_DENIED, "COLUMN_NOT_ALLOWED", EFFECT_ALLOW, "denied", "denied", "COLUMN_NOT_ALLOWED",
     true},
    {FAIL_DENIED, "CONCURRENCY_LIMIT_EXCEEDED", EFFECT_ALLOW, "denied", "denied",
     "CONCURRENCY_LIMIT_EXCEEDED", true},
    {FAIL_DENIED, "APPROVAL_REQUIRED", EFFECT_ALLOW, "denied", "approval_required",
     "APPROVAL_REQUIRED", true},
    {FAIL_INPUT, "SQL_SYNTAX_ERROR", EFFECT_ALLOW, "error", "allowed", "SQL_SYNTAX_ERROR", false},
    {FAIL_INPUT, "INVALID_ARGUMENT", EFFECT_DENY, "error", "denied", "INVALID_ARGUMENT", false},
    {FAIL_ABSENT, "TOOL_NOT_FOUND", EFFECT_DENY, "error", "denied", "TOOL_NOT_FOUND", false},
    {FAIL_TIMEOUT, "QUERY_TIMEOUT", EFFECT_ALLOW, "error", "allowed", "QUERY_TIMEOUT", false},
    {FAIL_CANCELLED, "CANCELLED", EFFECT_ALLOW, "error", "allowed", "CANCELLED", false},
    {FAIL_BUSY, "BUSY", EFFECT_ALLOW, "error", "allowed", "BUSY", false},
    {FAIL_BACKEND, "BACKEND_ERROR", EFFECT_ALLOW, "error", "allowed", "BACKEND_ERROR", false},
    {FAIL_LIMIT, "REPLY_TOO_LARGE", EFFECT_ALLOW, "error", "allowed", "REPLY_TOO_LARGE", false},
    {FAIL_MEMORY, "OUT_OF_MEMORY", EFFECT_ALLOW, "error", "allowed", "OUT_OF_MEMORY", false},
    /* codes that nobody listed, and none at all */
    {FAIL_IO, "NO_SUCH_CODE", EFFECT_ALLOW, "error", "allowed", "INTERNAL_ERROR", false},
    {FAIL_IO, NULL, EFFECT_ALLOW, "error", "allowed", "INTERNAL_ERROR", false},
    /* a success that nobody allowed must not look like one that was */
    {FAIL_NONE, NULL, EFFECT_DENY, "success", "denied", NULL, false},
};

static void tells_every_kind_of_end(void **state) {
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (i > 0) setup(state);
        struct call *call = rig_call(&rig, &waiter, "reader", "t", NULL);
        call->verdict.effect = ends[i].effect;
        if (ends[i].why != FAIL_NONE)
            fail(&call->report, ends[i].why, ends[i].code, REPORT_NO_OFFSET, "the reason");
        const struct json *line = line_of(call, "answer");
        print_message("%s\n", ends[i].code != NULL ? ends[i].code : "(none)");
        assert_string_equal(text_at(line, "/outcome"), ends[i].outcome);
        assert_string_equal(text_at(line, "/policy_decision"), ends[i].decision);
        assert_true(is_null(line, "/error_code") == (ends[i].error_code == NULL));
        if (ends[i].error_code != NULL) {
            assert_string_equal(text_at(line, "/error_code"), ends[i].error_code);
            assert_string_equal(text_at(line, "/error_message"), "the reason");
        }
        assert_true(is_null(line, "/deny_reason") == !ends[i].has_reason);
        assert_true(is_null(line, "/request_params"));
        assert_true(is_null(line, "/engine_us"));
        if (i + 1 < COUNT(ends)) teardown(state);
    }
}

static const char *const secrets[] = {
    "password",    "user_password", "PASSWORD", "secret",     "client_secret",  "token",
    "accessToken", "credentials",   "apiKey",   "api_key",    "API-KEY",        "Authorization",
    "access_key",  "AccessKeyId",   "passwd",   "accesskeys", "x-api-key-name",
};

static void keeps_no_secret(void **state) {
    for (size_t i = 0; i < COUNT(secrets); i++) {
        if (i > 0) setup(state);
        char arguments[512];
        snprintf(arguments, sizeof arguments,
                 "{\"%s\":\"h1dden\",\"deep\":[{\"%s\":{\"n\":[\"h1dden\"]}},\"kept\"],"
                 "\"limit\":7,\"real\":1.50,\"yes\":true,\"none\":null}",
                 secrets[i], secrets[i]);
        const struct json *line =
            line_of(rig_call(&rig, &waiter, "reader", "t", arguments), "answer");
        print_message("%s\n", secrets[i]);
        const struct json *params = json_get(line, STR("request_params"));
        assert_true(json_is_text(json_get(params, str_of(secrets[i])), STR("[redacted]")));
        assert_true(str_find(json_raw(line), STR("h1dden")) == json_raw(line).len);
        assert_string_equal(text_at(params, "/deep/1"), "kept");
        assert_true(str_eq(json_raw(json_get(params, STR("limit"))), STR("7")));
        assert_true(str_eq(json_raw(json_get(params, STR("real"))), STR("1.50")));
        assert_true(json_is_true(json_get(params, STR("yes"))));
        if (i + 1 < COUNT(secrets)) teardown(state);
    }
}

static void redacts_no_innocent_name(void **state) {
    (void)state;
    const struct json *line = line_of(
        rig_call(&rig, &waiter, "reader", "t",
                 "{\"pass\":\"a\",\"key\":\"b\",\"sql\":\"c\",\"\":\"d\",\"accessibility\":\"e\"}"),
        "answer");
    const struct json *params = json_get(line, STR("request_params"));
    for (uint32_t i = 0; i < params->n; i++) assert_int_equal(params->members[i].value.text.len, 1);
}

/* One long text is clipped at a character; arguments that are too many are left out whole. */
static void keeps_no_more_than_fits(void **state) {
    struct buf text;
    buf_init(&text, 8 * MIB);
    buf_add(&text, STR("{\"sql\":\"a"));
    while (text.len < 3 * RECORD_TEXT_BYTES_MAX) buf_add(&text, STR("表"));
    buf_add(&text, STR("\"}"));
    const char *arguments = str_cstr(&rig.arena, buf_flat(&text, &rig.arena));
    const struct json *line = line_of(rig_call(&rig, &waiter, "reader", "t", arguments), "answer");
    struct str kept = json_at(line, STR("/request_params/sql"))->text;
    assert_true(utf8_valid(kept));
    assert_true(kept.len <= RECORD_TEXT_BYTES_MAX && kept.len > RECORD_TEXT_BYTES_MAX - 4);

    teardown(state);
    setup(state);
    buf_clear(&text);
    buf_add(&text, STR("{\"list\":[1"));
    while (text.len <= RECORD_PARAMS_BYTES_MAX) buf_add(&text, STR(",\"aaaaaaaaaaaaaaaaaaa\""));
    buf_add(&text, STR("]}"));
    arguments = str_cstr(&rig.arena, buf_flat(&text, &rig.arena));
    line = line_of(rig_call(&rig, &waiter, "reader", "t", arguments), "answer");
    assert_string_equal(text_at(line, "/request_params/omitted"), "arguments too large");
    buf_deinit(&text);
}

static void names_tables_and_columns(void **state) {
    (void)state;
    static const struct str tables[] = {STR_INIT("p.default.t"), STR_INIT("p.default.\"u")};
    static const struct str columns[] = {STR_INIT("p.default.t.a")};
    struct call *call = rig_call(&rig, &waiter, "reader", "t", NULL);
    call->facts.guard.tables = (struct name_list){.items = tables, .n = 2};
    call->facts.guard.columns = (struct name_list){.items = columns, .n = 1};
    const struct json *line = line_of(call, "answer");
    assert_string_equal(text_at(line, "/response_summary/tables_used/1"), "p.\"u");
    assert_string_equal(text_at(line, "/response_summary/columns_used/0"), "a");
}

/* Half a record would be a false one: either the whole line is there or the submission failed. */
static void is_whole_or_fails(void **state) {
    (void)state;
    static const struct str tables[] = {STR_INIT("p.default.t")};
    size_t submitted = 0;
    waiter.n_back = 0;
    struct call *calls[256];
    size_t n = 0;
    for (;; n++) {
        assert_true(n < COUNT(calls));
        struct call *call = calls[n] =
            rig_call(&rig, &waiter, "reader", "t", "{\"sql\":\"SELECT 1\",\"token\":\"h1dden\"}");
        call->facts.guard.tables = (struct name_list){.items = tables, .n = 1};
        fault_set((long)n);
        result r = record_submit(rig.audit, call, "answer", written);
        bool was_reached = !fault_unused();
        fault_off();
        if (r.why == FAIL_NONE) submitted++;
        if (was_reached) assert_true(r.why == FAIL_NONE || r.why == FAIL_MEMORY);
        if (!was_reached) break;
    }
    assert_true(n >= 4);
    rig_wait(&waiter, submitted);
    struct rig_log log;
    rig_read_log(&rig, &log);
    assert_int_equal(log.n, submitted);
    for (size_t i = 0; i < log.n; i++) {
        assert_string_equal(text_at(log.lines[i], "/request_params/sql"), "SELECT 1");
        assert_string_equal(text_at(log.lines[i], "/response_summary/tables_used/0"), "p.t");
    }
    for (size_t i = 0; i <= n; i++) call_free(calls[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_who_asked_for_what, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_every_kind_of_end, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_no_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(redacts_no_innocent_name, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_no_more_than_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(names_tables_and_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(is_whole_or_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
