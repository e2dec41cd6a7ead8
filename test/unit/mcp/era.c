/* The classifier of mcp/era.h, row by row of the protocol map's section 1.3. */
#include "mcp/era.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define CALL                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"t\"," META "}" \
    "}"
#define LIST     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}"
#define OLD_LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"
#define NEW      "2026-07-28"

struct row {
    const char *what, *body;
    const char *version, *method, *name; /* headers; NULL: absent */
    int code, status;                    /* expected; 0: accepted */
    enum era era;
    const char *said; /* the version that is answered in */
};

static const struct row rows[] = {
    {"plain curl", OLD_LIST, NULL, NULL, NULL, 0, 0, ERA_LEGACY, "2025-03-26"},
    {"legacy header", OLD_LIST, "2025-11-25", NULL, NULL, 0, 0, ERA_LEGACY, "2025-11-25"},
    {"header with blanks", OLD_LIST, " 2025-06-18 ", NULL, NULL, 0, 0, ERA_LEGACY, "2025-06-18"},
    {"unknown legacy header", OLD_LIST, "1999-01-01", NULL, NULL, -32600, 400, ERA_LEGACY, NULL},
    {"modern header, no claim", OLD_LIST, NEW, NULL, NULL, -32602, 400, ERA_LEGACY, NULL},
    {"modern header, initialize", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}", NEW,
     NULL, NULL, -32020, 400, ERA_LEGACY, NULL},
    {"modern", LIST, NEW, "tools/list", NULL, 0, 0, ERA_MODERN, NEW},
    {"modern, header missing", LIST, NULL, "tools/list", NULL, -32020, 400, ERA_MODERN, NULL},
    {"modern, header differs", LIST, "2025-11-25", "tools/list", NULL, -32020, 400, ERA_MODERN,
     NULL},
    {"method header missing", LIST, NEW, NULL, NULL, -32020, 400, ERA_MODERN, NULL},
    {"method header in capitals", LIST, NEW, "TOOLS/LIST", NULL, -32020, 400, ERA_MODERN, NULL},
    {"name header missing", CALL, NEW, "tools/call", NULL, -32020, 400, ERA_MODERN, NULL},
    {"name header differs", CALL, NEW, "tools/call", "u", -32020, 400, ERA_MODERN, NULL},
    {"name header padded", CALL, NEW, "tools/call", "  t ", 0, 0, ERA_MODERN, NEW},
    {"name header in base64", CALL, NEW, "tools/call", "=?base64?dA==?=", 0, 0, ERA_MODERN, NEW},
    {"base64 without padding", CALL, NEW, "tools/call", "=?base64?dA?=", -32020, 400, ERA_MODERN,
     NULL},
    {"base64 of another alphabet", CALL, NEW, "tools/call", "=?base64?d$==?=", -32020, 400,
     ERA_MODERN, NULL},
    {"each header twice, as a proxy joins them", CALL, NEW ", " NEW, "tools/call,tools/call",
     "t, t", 0, 0, ERA_MODERN, NEW},
    {"legacy header twice", OLD_LIST, "2025-11-25,2025-11-25", NULL, NULL, 0, 0, ERA_LEGACY,
     "2025-11-25"},
    {"two versions", LIST, NEW ", 2025-11-25", "tools/list", NULL, -32020, 400, ERA_MODERN, NULL},
    {"two methods", LIST, NEW, "tools/list, tools/call", NULL, -32020, 400, ERA_MODERN, NULL},
    {"two names", CALL, NEW, "tools/call", "t, u", -32020, 400, ERA_MODERN, NULL},
    {"half a wrapper is literal", CALL, NEW, "tools/call", "=?base64?dA==", -32020, 400, ERA_MODERN,
     NULL},
    {"claim is no string",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"_meta\":{"
     "\"io.modelcontextprotocol/protocolVersion\":7}}}",
     NEW, "x", NULL, -32602, 400, ERA_MODERN, NULL},
    {"no capabilities",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"_meta\":{"
     "\"io.modelcontextprotocol/protocolVersion\":\"" NEW "\"}}}",
     NEW, "x", NULL, -32602, 400, ERA_MODERN, NULL},
    {"client info is no object",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"_meta\":{"
     "\"io.modelcontextprotocol/clientInfo\":3,"
     "\"io.modelcontextprotocol/clientCapabilities\":{},"
     "\"io.modelcontextprotocol/protocolVersion\":\"" NEW "\"}}}",
     NEW, "x", NULL, -32602, 400, ERA_MODERN, NULL},
    {"unknown version, claimed and in the header",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"_meta\":{"
     "\"io.modelcontextprotocol/clientCapabilities\":{},"
     "\"io.modelcontextprotocol/protocolVersion\":\"v999.0.0\"}}}",
     "v999.0.0", "x", NULL, -32022, 400, ERA_MODERN, NULL},
    {"modern notification", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}", NEW, NULL, NULL,
     0, 0, ERA_MODERN, NEW},
    {"legacy notification", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", NULL,
     NULL, NULL, 0, 0, ERA_LEGACY, "2025-03-26"},
    {"modern response", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NEW, NULL, NULL, -32600,
     400, ERA_LEGACY, NULL},
    {"legacy response", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NULL, NULL, NULL, 0, 0,
     ERA_LEGACY, "2025-03-26"},
};

static void read_message(const char *body, struct arena *arena, struct rpc_message *out) {
    const struct json *value;
    struct report report = {0};
    struct rpc_error error = {0};
    assert_int_equal(json_read(str_of(body), NULL, arena, &value, &report).why, FAIL_NONE);
    rpc_read(value, out, &error);
    assert_int_equal(error.code, 0);
}

static void classifies_every_row(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct arena arena;
        struct rpc_message message;
        struct era_answer answer;
        struct era_headers headers = {str_of(row->version), str_of(row->method), str_of(row->name)};
        print_message("%s\n", row->what);
        arena_init(&arena, 1 << 20);
        read_message(row->body, &arena, &message);
        era_classify(&message, &headers, &arena, &answer);
        assert_int_equal(answer.error.code, row->code);
        assert_int_equal(answer.error.http_status, row->status);
        assert_int_equal(answer.era, row->era);
        if (row->said != NULL) assert_true(str_eq(answer.version, str_of(row->said)));
        arena_deinit(&arena);
    }
}

static void tells_what_is_supported(void **state) {
    (void)state;
    struct arena arena;
    struct rpc_message message;
    struct era_answer answer;
    arena_init(&arena, 1 << 20);
    read_message("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"_meta\":{"
                 "\"io.modelcontextprotocol/clientCapabilities\":{},"
                 "\"io.modelcontextprotocol/protocolVersion\":\"v\\\"9\"}}}",
                 &arena, &message);
    era_classify(&message, NULL, &arena, &answer);
    assert_true(
        str_eq(answer.error.data, STR("{\"supported\":[\"" NEW "\"],\"requested\":\"v\\\"9\"}")));
    arena_deinit(&arena);
}

/* On stdio there are no headers, so no header rule can be broken. */
static void needs_no_headers_on_stdio(void **state) {
    (void)state;
    struct arena arena;
    struct rpc_message message;
    struct era_answer answer;
    arena_init(&arena, 1 << 20);
    read_message(CALL, &arena, &message);
    era_classify(&message, NULL, &arena, &answer);
    assert_int_equal(answer.error.code, 0);
    assert_int_equal(answer.era, ERA_MODERN);
    arena_deinit(&arena);
}

static void refuses_what_is_no_message(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "[]",
        "7",
        "{}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"x\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"x\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":[]}"};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct arena arena;
        const struct json *value;
        struct report report = {0};
        struct rpc_message message;
        struct rpc_error error = {0};
        arena_init(&arena, 1 << 20);
        assert_int_equal(json_read(str_of(bodies[i]), NULL, &arena, &value, &report).why,
                         FAIL_NONE);
        rpc_read(value, &message, &error);
        assert_int_equal(error.code, RPC_INVALID_REQUEST);
        assert_int_equal(message.kind, RPC_INVALID);
        arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classifies_every_row),
        cmocka_unit_test(tells_what_is_supported),
        cmocka_unit_test(needs_no_headers_on_stdio),
        cmocka_unit_test(refuses_what_is_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
