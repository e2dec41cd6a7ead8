/* What is read of a message, and how answers are written. */
#include "mcp/rpc.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static const struct {
    const char *body;
    enum rpc_kind kind;
    const char *id, *method; /* NULL: none */
    bool has_params, is_error;
} messages[] = {
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", RPC_REQUEST, "1", "m", false, false},
    {"{\"jsonrpc\":\"2.0\",\"id\": -5 ,\"method\":\"m\",\"params\":{}}", RPC_REQUEST, "-5", "m",
     true, false},
    {"{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"m\"}", RPC_REQUEST, "\"\"", "m", false, false},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"m\"}", RPC_NOTIFICATION, NULL, "m", false, false},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", RPC_RESPONSE, "1", NULL, false, false},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", RPC_RESPONSE, "1", NULL, false, false},
    {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"m\"}", RPC_INVALID, NULL, NULL, false, true},
    {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}", RPC_INVALID, NULL, NULL, false, true},
    {"{\"jsonrpc\":\"2.0\",\"id\":1e3,\"method\":\"m\"}", RPC_INVALID, NULL, NULL, false, true},
    {"{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"m\"}", RPC_INVALID, NULL, NULL,
     false, true},
    {"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"\"}", RPC_INVALID, "3", NULL, false, true},
    {"{\"jsonrpc\":2.0,\"id\":3,\"method\":\"m\"}", RPC_INVALID, "3", NULL, false, true},
    {"{\"id\":3,\"method\":\"m\"}", RPC_INVALID, "3", NULL, false, true},
    {"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"m\",\"params\":null}", RPC_INVALID, "3", NULL,
     false, true},
    {"\"m\"", RPC_INVALID, NULL, NULL, false, true},
    {"null", RPC_INVALID, NULL, NULL, false, true},
};

static bool is_text(struct str got, const char *want) {
    return want == NULL ? got.len == 0 : str_eq(got, str_of(want));
}

static void reads_every_form(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        const struct json *value;
        struct rpc_message m;
        struct rpc_error error = {0};
        struct str body = str_of(messages[i].body);
        print_message("%s\n", messages[i].body);
        assert_int_equal(json_read(body, NULL, &arena, &value, NULL).why, FAIL_NONE);
        rpc_read(value, &m, &error);
        assert_int_equal(m.kind, messages[i].kind);
        assert_true(is_text(m.id, messages[i].id));
        assert_true(is_text(m.method, messages[i].method));
        assert_true((m.params != NULL) == messages[i].has_params);
        assert_true((error.code != 0) == messages[i].is_error);
        if (error.code != 0) {
            assert_int_equal(error.code, RPC_INVALID_REQUEST);
            assert_int_equal(error.http_status, 400);
        }
    }
}

static const struct {
    const char *id;
    struct rpc_error error;
    const char *text;
} errors[] = {
    {"7",
     {-32601, 404, STR_INIT("no"), {NULL, 0}},
     "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32601,\"message\":\"no\"}}"},
    {NULL,
     {-32700, 400, STR_INIT("\"\n\x01表"), {NULL, 0}},
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"\\\"\\n\\u0001表\"}}"},
    {"\"a\\\"b\"",
     {-32022, 400, STR_INIT(""), STR_INIT("{\"x\":[1]}")},
     "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"error\":{\"code\":-32022,\"message\":\"\",\"data\":"
     "{\"x\":[1]}}}"},
};

static void writes_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct buf out;
        buf_init(&out, 4096);
        rpc_write_error(&out, str_of(errors[i].id), &errors[i].error);
        assert_string_equal(str_cstr(&arena, buf_flat(&out, &arena)), errors[i].text);
        buf_deinit(&out);
    }
}

static void writes_results(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    rpc_begin_result(&out, STR("\"x\""));
    buf_add(&out, STR("[]"));
    rpc_end_result(&out);
    assert_string_equal(str_cstr(&arena, buf_flat(&out, &arena)),
                        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":[]}");
    buf_deinit(&out);
}

/* A buf that is too small says so; what is in it is never taken for an answer. */
static void says_when_there_is_no_room(void **state) {
    (void)state;
    for (size_t max = 0; max < strlen(errors[0].text); max++) {
        struct buf out;
        buf_init(&out, max);
        rpc_write_error(&out, STR("7"), &errors[0].error);
        assert_int_equal(buf_failed(&out, NULL).why, FAIL_LIMIT);
        buf_deinit(&out);
    }
    struct buf out;
    buf_init(&out, 4096);
    fault_set(0);
    rpc_write_error(&out, STR("7"), &errors[0].error);
    fault_off();
    assert_int_equal(buf_failed(&out, NULL).why, FAIL_MEMORY);
    buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_every_form, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_results, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_there_is_no_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
