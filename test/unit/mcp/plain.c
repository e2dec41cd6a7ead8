/* Tools that write their result themselves, over a table of toolsets of this test's own: what they
 * wrote is the result, what breaks is the protocol's error, and headers repeat their arguments. */
#include "rig.h"

#include "tools/tool.h"

#undef fail /* cmocka has one of its own */

/* -- the tools -------------------------------------------------------------------------------- */

struct route_input {
    struct str region;
    int64_t shard;
    bool is_fast;
};
static const struct field no_input[] = {{0}};
static const struct field route_input[] = {
    {"region", FIELD_TEXT, offsetof(struct route_input, region), false, 0, 0, "where"},
    {"shard", FIELD_INT, offsetof(struct route_input, shard), false, 0, 0, "which"},
    {"is_fast", FIELD_BOOL, offsetof(struct route_input, is_fast), false, 0, 0, "how"},
    {0},
};
static const struct mirrored route_mirrored[] = {
    {"region", "Region"}, {"shard", "Shard"}, {"is_fast", "Fast"}, {0}};

static result say(struct call *call, const void *in, struct json_writer *w) {
    (void)call, (void)in;
    json_key(w, STR("content"));
    json_raw_value(w, STR("[{\"type\":\"text\",\"text\":\"a \\\"b\\\" \\u0007\"}]"));
    json_key(w, STR("structuredContent"));
    json_raw_value(w, STR("[1,null]"));
    json_put_bool(w, STR("isError"), true);
    return OK;
}

static result echo(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    json_key(w, STR("structuredContent"));
    if (call->arguments != NULL)
        json_value(w, call->arguments);
    else
        json_null(w);
    return OK;
}

static result refuse(struct call *call, const void *in, struct json_writer *w) {
    (void)in, (void)w;
    return fail(&call->report, FAIL_DENIED, "TABLE_NOT_ALLOWED", REPORT_NO_OFFSET, "not that one");
}

static result break_down(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    json_key(w, STR("half")); /* what was written before is taken back */
    return fail(&call->report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET, "the secret cause");
}

static result change(struct call *call, const void *in, struct json_writer *w) {
    (void)in, (void)w;
    client_changed(call, CHANGED_TOOLS | CHANGED_PROMPTS);
    return OK;
}

#define PLAIN(tool_name, with, ...)                                                                \
    {                                                                                              \
        .name = tool_name, .title = tool_name, .summary = tool_name, .example = "{}",              \
        .reply = TOOL_CONTENT, .run = with, __VA_ARGS__                                            \
    }

static const struct tool tools[] = {
    PLAIN("say", say, .input = no_input),
    PLAIN("wait", say, .input = no_input, .waits = TOOL_WAITS_CLIENT),
    PLAIN("refuse", refuse, .input = no_input),
    PLAIN("break_down", break_down, .input = no_input),
    PLAIN("change", change, .input = no_input),
    PLAIN("route", echo, .input = route_input, .input_size = sizeof(struct route_input),
          .mirrored = route_mirrored),
    PLAIN("raw", echo, .input = no_input, .input_schema = "{\"type\":\"object\",\"if\":true}"),
    {0},
};
static const struct toolset plain = {.name = "plain", .tools = tools};
const struct toolset *const toolsets[] = {&plain, NULL};

/* -- asking ----------------------------------------------------------------------------------- */

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

/* "Region: north\nShard: 7" → the value of Mcp-Param-Region */
static struct str header_of(const void *with, struct str name) {
    struct str rest = str_of(with), prefix = STR("Mcp-Param-");
    assert_true(str_starts(name, prefix));
    name = str_slice(name, prefix.len, name.len);
    while (rest.ptr != NULL) {
        struct str line = str_cut(&rest, '\n');
        if (str_eq(str_cut(&line, ':'), name)) return line;
    }
    return STR_NONE;
}

/* `headers` NULL: the request has none. */
static struct answer call_in(const char *version, const char *tool, const char *arguments,
                             const char *headers) {
    bool is_modern = strcmp(version, "2026-07-28") == 0;
    struct answer answer = {.waiter = RIG_WAITER};
    clock_move(&door.rig.clock, 60000); /* the one role that has all tools may come rarely */
    struct turn *turn = turn_new(door.mcp, door_finish, &answer);
    assert_non_null(turn);
    turn->call->principal = rig_principal("rare");
    if (headers != NULL) {
        turn->header = header_of;
        turn->header_with = headers;
    }
    struct str body = str_printf(
        &door.rig.arena,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{%s\"name\":\"%s\","
        "\"arguments\":%s}}",
        is_modern ? "\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":{}}," : "", tool,
        arguments);
    assert_true(turn_read(turn, body));
    turn_take_as(turn, is_modern ? ERA_MODERN : ERA_LEGACY, str_of(version));
    door_wait(&door, &answer, turn);
    assert_false(answer.is_failed);
    return answer;
}

static void is_at(const struct answer *answer, const char *pointer, const char *json) {
    assert_string_equal(door_at(&door, answer, pointer), json);
}

/* -- the tests -------------------------------------------------------------------------------- */

static void gives_what_the_tool_wrote(void **state) {
    static const char *const names[] = {"say", "wait"};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct answer answer = call_in("2026-07-28", names[i], "{}", NULL);
        is_at(&answer, "/result/resultType", "\"complete\"");
        is_at(&answer, "/result/content/0/text", "\"a \\\"b\\\" \\u0007\"");
        is_at(&answer, "/result/structuredContent", "[1,null]");
        is_at(&answer, "/result/isError", "true");
        answer = call_in("2025-11-25", names[i], "{}", NULL);
        is_at(&answer, "/result/resultType", "(none)");
        is_at(&answer, "/result/structuredContent", "[1,null]");
    }
}

static void refuses_in_the_envelope(void **state) {
    (void)state;
    struct answer answer = call_in("2025-11-25", "refuse", "{}", NULL);
    is_at(&answer, "/result/structuredContent/error/code", "\"TABLE_NOT_ALLOWED\"");
    is_at(&answer, "/result/isError", "true");
}

/* The cause is for the log. */
static void breaks_as_the_protocols_error(void **state) {
    (void)state;
    struct answer answer = call_in("2025-11-25", "break_down", "{}", NULL);
    is_at(&answer, "/error/code", "-32603");
    assert_true(str_find(answer.body, STR("secret")) == answer.body.len);
    assert_string_not_equal(door_at(&door, &answer, "/error/data/audit_id"), "(none)");
}

static void leaves_arguments_to_a_schema_of_its_own(void **state) {
    (void)state;
    struct answer answer = call_in("2025-11-25", "raw", "{\"anything\":[1]}", NULL);
    is_at(&answer, "/result/structuredContent", "{\"anything\":[1]}");
    for (size_t i = 0; i < door.mcp->n_tools; i++) {
        if (strcmp(door.mcp->tools[i].tool->name, "raw") != 0) continue;
        const struct json *text = rig_json(&door.rig.arena, door.mcp->tools[i].with_output);
        assert_true(str_eq(json_raw(json_get(text, STR("inputSchema"))),
                           STR("{\"type\":\"object\",\"if\":true}")));
        assert_null(json_get(text, STR("outputSchema")));
    }
}

/* (2026-07-28, standard headers.) */
static const struct {
    const char *what, *arguments, *headers;
    bool is_taken;
} rows[] = {
    {"neither", "{}", "", true},
    {"both", "{\"region\":\"north\"}", "Region:north", true},
    {"with blanks", "{\"region\":\"north\"}", "Region: north\t", true},
    {"another value", "{\"region\":\"north\"}", "Region:south", false},
    {"another case", "{\"region\":\"north\"}", "Region:North", false},
    {"no header", "{\"region\":\"north\"}", "", false},
    {"no argument", "{}", "Region:north", false},
    {"null, no header", "{\"region\":null}", "", true},
    {"null and a header", "{\"region\":null}", "Region:null", false},
    {"base64", "{\"region\":\"Hello\"}", "Region:=?base64?SGVsbG8=?=", true},
    {"base64 of another", "{\"region\":\"Hallo\"}", "Region:=?base64?SGVsbG8=?=", false},
    {"base64 without padding", "{\"region\":\"Hello\"}", "Region:=?base64?SGVsbG8?=", false},
    {"half a wrapper", "{\"region\":\"=?base64?SGVsbG8=\"}", "Region:=?base64?SGVsbG8=", true},
    {"empty", "{\"region\":\"\"}", "Region:", true},
    {"number", "{\"shard\":42}", "Shard:42", true},
    {"the same number", "{\"shard\":42}", "Shard:42.0", true},
    {"another number", "{\"shard\":42}", "Shard:43", false},
    {"no number", "{\"shard\":42}", "Shard:forty-two", false},
    {"a number in a text", "{\"shard\":42}", "Shard:\"42\"", false},
    {"a large number, one off", "{\"shard\":9007199254740993}", "Shard:9007199254740992", false},
    {"true", "{\"is_fast\":true}", "Fast:true", true},
    {"false", "{\"is_fast\":false}", "Fast:true", false},
    {"one of two", "{\"region\":\"n\",\"shard\":1}", "Region:n", false},
    {"two", "{\"region\":\"n\",\"shard\":1}", "Region:n\nShard:1", true},
};

static void holds_headers_to_their_arguments(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        struct answer answer = call_in("2026-07-28", "route", rows[i].arguments, rows[i].headers);
        assert_int_equal(answer.status, rows[i].is_taken ? 200 : 400);
        is_at(&answer, "/error/code", rows[i].is_taken ? "(none)" : "-32020");
    }
}

/* On stdio there are no headers; in the legacy era they mean nothing. */
static void asks_for_headers_where_there_are_some(void **state) {
    (void)state;
    struct answer answer = call_in("2026-07-28", "route", "{\"shard\":1}", NULL);
    is_at(&answer, "/result/structuredContent", "{\"shard\":1}");
    answer = call_in("2025-11-25", "route", "{\"shard\":1}", "Shard:2");
    is_at(&answer, "/result/structuredContent", "{\"shard\":1}");
}

struct listener {
    struct subscriber subscriber; /* first */
    unsigned n_woken;
};

static void woken(struct subscriber *subscriber) {
    ((struct listener *)subscriber)->n_woken++;
}

static void tells_who_listens_what_it_changed(void **state) {
    static const struct carrier carrier = {.wake = woken};
    (void)state;
    struct listener listener = {.n_woken = 0};
    struct subscription what = {.wants = CHANGED_TOOLS, .id = STR("7")};
    assert_true(hub_join(&door.mcp->hub, &listener.subscriber, &what, &carrier));
    (void)call_in("2026-07-28", "say", "{}", NULL);
    assert_int_equal(listener.subscriber.pending, 0);
    (void)call_in("2026-07-28", "change", "{}", NULL);
    assert_int_equal(listener.subscriber.pending, CHANGED_TOOLS);
    assert_true(listener.n_woken > 0);
    hub_leave(&door.mcp->hub, &listener.subscriber);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_what_the_tool_wrote, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_in_the_envelope, setup, teardown),
        cmocka_unit_test_setup_teardown(breaks_as_the_protocols_error, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_arguments_to_a_schema_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(holds_headers_to_their_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_for_headers_where_there_are_some, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_who_listens_what_it_changed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
