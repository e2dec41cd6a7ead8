/* One message and what becomes of it, row by row: status, error, id; and that it is answered once,
 * whatever fails on the way. */
#include "rig.h"

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define NEW "2026-07-28"

static struct door door;

static int setup(void **state) {
    (void)state;
    door_init(&door);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    door_deinit(&door);
    return 0;
}

struct row {
    const char *what, *body;
    const char *version, *method, *name; /* headers; NULL: absent */
    int status;
    const char *pointer, *value; /* in the answer; NULL: the answer is empty */
};

static const struct row rows[] = {
    {"nothing", "", NULL, NULL, NULL, 400, "/error/code", "-32700"},
    {"no JSON", "{\"jsonrpc\"", NULL, NULL, NULL, 400, "/error/code", "-32700"},
    {"no JSON has no id", "{\"id\":7,", NULL, NULL, NULL, 400, "/id", "(none)"},
    {"a key twice", "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", NULL, NULL, NULL,
     400, "/error/code", "-32700"},
    {"no UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", NULL, NULL, NULL, 400,
     "/error/code", "-32700"},
    {"a batch", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", NULL, NULL, NULL, 200,
     "/0/id", "1"},
    {"a batch of two, in order",
     "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},"
     "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"tools/list\"}]",
     NULL, NULL, NULL, 200, "/1/id", "\"b\""},
    {"a batch with one that is no message",
     "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},7]", NULL, NULL, NULL, 200,
     "/1/error/code", "-32600"},
    {"a batch of notifications alone", "[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}]",
     NULL, NULL, NULL, 202, NULL, NULL},
    {"a batch with initialize", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}]", NULL,
     NULL, NULL, 400, "/error/code", "-32600"},
    {"a batch of a revision without", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]",
     "2025-06-18", NULL, NULL, 400, "/error/code", "-32600"},
    {"an empty batch", "[]", NULL, NULL, NULL, 400, "/error/code", "-32600"},
    {"a number", "7", NULL, NULL, NULL, 400, "/error/code", "-32600"},
    {"wrong jsonrpc keeps the id", "{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}", NULL, NULL,
     NULL, 400, "/id", "7"},
    {"id null", "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", NULL, NULL, NULL, 400,
     "/error/code", "-32600"},
    {"params no object", "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\",\"params\":[]}",
     NULL, NULL, NULL, 400, "/id", "\"a\""},
    {"ping", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", NULL, NULL, NULL, 200, "/result",
     "{}"},
    {"a large id", "{\"jsonrpc\":\"2.0\",\"id\":9223372036854775807,\"method\":\"ping\"}", NULL,
     NULL, NULL, 200, "/id", "9223372036854775807"},
    {"a text id", "{\"jsonrpc\":\"2.0\",\"id\":\"\\u8868\\\"\",\"method\":\"ping\"}", NULL, NULL,
     NULL, 200, "/id", "\"\\u8868\\\"\""},
    {"unknown method", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no/such\"}", NULL, NULL, NULL,
     200, "/error/code", "-32601"},
    {"unknown method, modern",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{" META "}}", NEW, "x", NULL, 404,
     "/error/code", "-32601"},
    {"ping is not modern",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" META "}}", NEW, "ping", NULL,
     404, "/error/code", "-32601"},
    {"discover is not legacy", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\"}",
     NULL, NULL, NULL, 200, "/error/code", "-32601"},
    {"discover",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}", NEW,
     "server/discover", NULL, 200, "/result/supportedVersions", "[\"2026-07-28\"]"},
    {"a header that differs",
     "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"server/discover\",\"params\":{" META "}}", NEW,
     "tools/list", NULL, 400, "/error/code", "-32020"},
    {"a version nobody knows",
     "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"x\",\"params\":{\"_meta\":{"
     "\"io.modelcontextprotocol/protocolVersion\":\"2099-01-01\","
     "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
     "2099-01-01", "x", NULL, 400, "/error/data/supported", "[\"2026-07-28\"]"},
    {"a legacy header nobody knows", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
     "2020-01-01", NULL, NULL, 400, "/error/code", "-32600"},
    {"a notification", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", NULL, NULL,
     NULL, 202, NULL, NULL},
    {"an unknown notification", "{\"jsonrpc\":\"2.0\",\"method\":\"no/such\"}", NULL, NULL, NULL,
     202, NULL, NULL},
    {"a modern notification",
     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}",
     NEW, NULL, NULL, 202, NULL, NULL},
    {"a response", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NULL, NULL, NULL, 202, NULL,
     NULL},
    {"a modern response", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NEW, NULL, NULL, 400,
     "/error/code", "-32600"},
    {"a call without a name",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{}}", NULL, NULL, NULL,
     200, "/error/code", "-32602"},
    {"a call without params", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", NULL,
     NULL, NULL, 200, "/error/code", "-32602"},
    {"arguments no object",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\","
     "\"arguments\":[1]}}",
     NULL, NULL, NULL, 200, "/error/code", "-32602"},
    {"a tool nobody has",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"no_such\"}}",
     NULL, NULL, NULL, 200, "/error/code", "-32602"},
    {"a call",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
     "\"list_allowed_tables\"}}",
     NULL, NULL, NULL, 200, "/result/isError", "false"},
    {"a modern call",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
     "\"list_allowed_tables\"," META "}}",
     NEW, "tools/call", "list_allowed_tables", 200, "/result/structuredContent/data/count", "2"},
    {"a refusal is a result",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
     "\"describe_table\",\"arguments\":{\"table\":\"nope\"}}}",
     "2025-11-25", NULL, NULL, 200, "/result/isError", "true"},
    {"a query on a worker",
     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
     "\"run_select_sql\",\"arguments\":{\"sql\":\"SELECT id FROM orders\"}}}",
     "2025-11-25", NULL, NULL, 200, "/result/structuredContent/error/code",
     "\"BACKEND_CANNOT_RUN\""},
    {"the shorthand", "{\"tool\":\"list_allowed_tables\"}", NULL, NULL, NULL, 200, "/ok", "true"},
    {"the shorthand of a refusal", "{\"tool\":\"no_such\",\"arguments\":{}}", NULL, NULL, NULL, 200,
     "/error/code", "\"TOOL_NOT_FOUND\""},
    {"the shorthand, arguments no object", "{\"tool\":\"list_allowed_tables\",\"arguments\":7}",
     NULL, NULL, NULL, 200, "/error/code", "\"INVALID_ARGUMENT\""},
    {"no shorthand beside jsonrpc", "{\"jsonrpc\":\"2.0\",\"tool\":\"list_allowed_tables\"}", NULL,
     NULL, NULL, 400, "/error/code", "-32600"},
    {"no shorthand without a text", "{\"tool\":7}", NULL, NULL, NULL, 400, "/error/code", "-32600"},
};

static void answers_every_row(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct era_headers headers = {str_of(row->version), str_of(row->method), str_of(row->name)};
        print_message("%s\n", row->what);
        struct answer answer = door_ask(&door, "reader", row->body, &headers);
        assert_int_equal(answer.status, row->status);
        assert_false(answer.is_failed);
        assert_true((answer.body.len == 0) == (row->pointer == NULL));
        if (row->pointer != NULL)
            assert_string_equal(door_at(&door, &answer, row->pointer), row->value);
    }
}

/* What the body repeats as text is what it holds as structure. */
static void tells_the_same_twice(void **state) {
    (void)state;
    struct era_headers headers = {STR("2025-06-18"), STR_NONE, STR_NONE};
    struct answer answer = door_ask(&door, "reader",
                                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                                    "\"params\":{\"name\":\"describe_table\",\"arguments\":"
                                    "{\"table\":\"\\\"\\n表\"}}}",
                                    &headers);
    const struct json *all = rig_json(&door.rig.arena, answer.body);
    struct str text = json_at(all, STR("/result/content/0/text"))->text;
    assert_true(str_eq(text, json_raw(json_at(all, STR("/result/structuredContent")))));
}

/* Each message's own answer, however many are under way. */
static void keeps_many_apart(void **state) {
    (void)state;
    enum { N = 64 };
    static struct answer answers[N];
    static struct turn *turns[N];
    static char bodies[N][256];
    for (int i = 0; i < N; i++) {
        answers[i] = (struct answer){.waiter = RIG_WAITER};
        turns[i] = turn_new(door.mcp, door_finish, &answers[i]);
        turns[i]->call->principal = rig_principal("reader");
        snprintf(bodies[i], sizeof bodies[i],
                 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":{\"name\":"
                 "\"%s\",\"arguments\":%s}}",
                 i, i % 2 == 0 ? "run_select_sql" : "list_allowed_tables",
                 i % 2 == 0 ? "{\"sql\":\"SELECT id FROM orders\"}" : "{}");
        turn_take(turns[i], str_of(bodies[i]), NULL);
    }
    for (int i = 0; i < N; i++) {
        char id[16];
        door_wait(&door, &answers[i], turns[i]);
        snprintf(id, sizeof id, "%d", i);
        assert_string_equal(door_at(&door, &answers[i], "/id"), id);
    }
}

/* -- when memory ends ------------------------------------------------------------------------- */

static void is_answered_once_whatever_fails(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct era_headers headers = {str_of(row->version), str_of(row->method), str_of(row->name)};
        for (long n = 0;; n++) {
            assert_true(n < 2000);
            struct answer answer = {.waiter = RIG_WAITER};
            fault_set(n);
            struct turn *turn = turn_new(door.mcp, door_finish, &answer);
            bool was_made = turn != NULL;
            if (was_made) {
                turn->call->principal = rig_principal("reader");
                turn_take(turn, str_of(row->body), &headers);
            }
            bool was_reached = !fault_unused();
            fault_off();
            if (was_made) door_wait(&door, &answer, turn);
            assert_int_equal(answer.waiter.n_back, was_made ? 1 : 0);
            /* whole JSON, or known to be none */
            if (was_made && !answer.is_failed && answer.body.len > 0)
                rig_json(&door.rig.arena, answer.body);
            if (!was_reached) break;
        }
    }
}

static void cannot_be_made_without_memory(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct mcp *mcp = NULL;
        struct report report = {0};
        fault_set(n);
        struct mcp_setup setup = door_setup(&door);
        result r = mcp_new(&setup, &mcp, &report);
        bool was_reached = !fault_unused();
        fault_off();
        assert_int_equal(r.why, was_reached ? FAIL_MEMORY : FAIL_NONE);
        mcp_free(mcp);
        if (!was_reached) break;
    }
    mcp_free(NULL);
    turn_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_every_row, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_the_same_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_many_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(is_answered_once_whatever_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(cannot_be_made_without_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
