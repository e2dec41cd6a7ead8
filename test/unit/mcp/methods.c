/* The methods by themselves: what a caller sees, in which revision. */
#include "rig.h"

#include "mcp/methods.h"

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define LIST      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"
#define NEW_LIST  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}"
#define CALL(arg) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{" arg "}}"

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

static const struct era_headers modern = {
    STR_INIT("2026-07-28"), STR_INIT("tools/list"), {NULL, 0}};

static struct era_headers legacy(const char *version) {
    return (struct era_headers){str_of(version), STR_NONE, STR_NONE};
}

static const struct json *tools_of(const struct answer *answer) {
    return json_at(rig_json(&door.rig.arena, answer->body), STR("/result/tools"));
}

static bool has_tool(const struct json *tools, const char *name) {
    for (uint32_t i = 0; i < tools->n; i++)
        if (json_is_text(json_get(&tools->items[i], STR("name")), str_of(name))) return true;
    return false;
}

/* -- lists ------------------------------------------------------------------------------------ */

static void hides_what_policy_denies(void **state) {
    (void)state;
    static const struct {
        const char *role;
        uint32_t n;
        bool describes, previews;
    } roles[] = {{"reader", 3, true, false}, {"lister", 1, false, false}, {"rare", 4, true, true}};
    struct era_headers headers = legacy("2025-11-25");
    for (size_t i = 0; i < COUNT(roles); i++) {
        struct answer answer = door_ask(&door, roles[i].role, LIST, &headers);
        const struct json *tools = tools_of(&answer);
        assert_int_equal(tools->n, roles[i].n);
        assert_true(has_tool(tools, "list_allowed_tables"));
        assert_true(has_tool(tools, "describe_table") == roles[i].describes);
        assert_true(has_tool(tools, "preview_table") == roles[i].previews);
        assert_string_equal(door_at(&door, &answer, "/result/tools/0/name"),
                            "\"list_allowed_tables\"");
    }
}

/* What is not in the list cannot be called either. */
static void lists_what_can_be_called(void **state) {
    (void)state;
    static const char *const roles[] = {"reader", "lister", "rare"};
    static const struct {
        const char *name, *body;
    } calls[] = {
        {"list_allowed_tables", CALL("\"name\":\"list_allowed_tables\"")},
        {"describe_table", CALL("\"name\":\"describe_table\",\"arguments\":{\"table\":\"days\"}")},
        {"preview_table", CALL("\"name\":\"preview_table\",\"arguments\":{\"table\":\"days\"}")},
        {"run_select_sql", CALL("\"name\":\"run_select_sql\",\"arguments\":{\"sql\":\"SELECT\"}")},
    };
    struct era_headers headers = legacy("2025-11-25");
    for (size_t r = 0; r < COUNT(roles); r++) {
        struct answer listed = door_ask(&door, roles[r], LIST, &headers);
        for (size_t i = 0; i < COUNT(calls); i++) {
            clock_move(&door.rig.clock, 60000); /* for the role that may come rarely */
            struct answer called = door_ask(&door, roles[r], calls[i].body, &headers);
            const char *code = door_at(&door, &called, "/result/structuredContent/error/code");
            bool is_refused = strcmp(code, "\"TOOL_NOT_ALLOWED\"") == 0;
            assert_true(is_refused == !has_tool(tools_of(&listed), calls[i].name));
        }
    }
}

static const struct {
    const char *version;
    bool has_output, has_structure;
} revisions[] = {
    {"2024-11-05", false, false},
    {"2025-03-26", false, false},
    {"2025-06-18", true, true},
    {"2025-11-25", true, true},
};

static void gives_old_revisions_what_they_know(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(revisions); i++) {
        struct era_headers headers = legacy(revisions[i].version);
        struct answer list = door_ask(&door, "reader", LIST, &headers);
        const struct json *tool = &tools_of(&list)->items[0];
        assert_true((json_get(tool, STR("outputSchema")) != NULL) == revisions[i].has_output);
        assert_int_equal(json_get(tool, STR("inputSchema"))->type, JSON_OBJECT);
        assert_string_equal(door_at(&door, &list, "/result/resultType"), "(none)");
        struct answer call =
            door_ask(&door, "reader", CALL("\"name\":\"list_allowed_tables\""), &headers);
        bool has = strcmp(door_at(&door, &call, "/result/structuredContent/ok"), "true") == 0;
        assert_true(has == revisions[i].has_structure);
        assert_string_equal(door_at(&door, &call, "/result/content/0/type"), "\"text\"");
    }
}

static void gives_modern_results_their_marks(void **state) {
    (void)state;
    struct answer answer = door_ask(&door, "reader", NEW_LIST, &modern);
    assert_string_equal(door_at(&door, &answer, "/result/resultType"), "\"complete\"");
    assert_string_equal(door_at(&door, &answer, "/result/cacheScope"), "\"private\"");
    assert_int_equal(json_at(rig_json(&door.rig.arena, answer.body), STR("/result/ttlMs"))->integer,
                     LIST_TTL_MS);
    assert_string_not_equal(
        door_at(&door, &answer, "/result/_meta/io.modelcontextprotocol~1serverInfo/name"),
        "(none)");
}

static void refuses_a_cursor_that_it_never_gave(void **state) {
    (void)state;
    static const char *const cursors[] = {"\"\"", "\"abc\"", "7", "null"};
    for (size_t i = 0; i < COUNT(cursors); i++) {
        char body[128];
        snprintf(body, sizeof body,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":"
                 "{\"cursor\":%s}}",
                 cursors[i]);
        struct answer answer = door_ask(&door, "reader", body, NULL);
        assert_string_equal(door_at(&door, &answer, "/error/code"), "-32602");
    }
}

/* -- initialize ------------------------------------------------------------------------------- */

static const char *initialize(const char *params, const char *pointer) {
    char body[512];
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":%s}", params);
    struct answer answer = door_ask(&door, "reader", body, NULL);
    assert_int_equal(answer.status, 200);
    return door_at(&door, &answer, pointer);
}

#define CLIENT "\"capabilities\":{},\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}"

static void echoes_the_versions_it_knows(void **state) {
    (void)state;
    static const struct {
        const char *asked, *answered;
    } versions[] = {{"2024-11-05", "\"2024-11-05\""}, {"2025-03-26", "\"2025-03-26\""},
                    {"2025-06-18", "\"2025-06-18\""}, {"2025-11-25", "\"2025-11-25\""},
                    {"2024-10-07", "\"2025-11-25\""}, {"2026-07-28", "\"2025-11-25\""},
                    {"", "\"2025-11-25\""},           {"nonsense\\u0022", "\"2025-11-25\""}};
    for (size_t i = 0; i < COUNT(versions); i++) {
        char params[256];
        snprintf(params, sizeof params, "{\"protocolVersion\":\"%s\"," CLIENT "}",
                 versions[i].asked);
        assert_string_equal(initialize(params, "/result/protocolVersion"), versions[i].answered);
    }
    assert_string_equal(
        initialize("{\"protocolVersion\":\"2025-11-25\"," CLIENT "}", "/result/serverInfo/name"),
        "\"weir\"");
}

static void needs_all_of_a_handshake(void **state) {
    (void)state;
    static const char *const params[] = {
        "{}",
        "{" CLIENT "}",
        "{\"protocolVersion\":7," CLIENT "}",
        "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}",
        "{\"protocolVersion\":\"2025-11-25\",\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}",
        "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":[],\"clientInfo\":{\"name\":\"c\","
        "\"version\":\"1\"}}",
        "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"c\"}}",
        "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":7,"
        "\"version\":\"1\"}}",
    };
    for (size_t i = 0; i < COUNT(params); i++)
        assert_string_equal(initialize(params[i], "/error/code"), "-32602");
}

/* -- the table -------------------------------------------------------------------------------- */

static void has_each_method_in_its_era(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool legacy, modern;
    } methods[] = {{"initialize", true, false}, {"ping", true, false},
                   {"tools/list", true, true},  {"server/discover", false, true},
                   {"tools/call", true, true},  {"", false, false},
                   {"tools", false, false},     {"tools/list/", false, false},
                   {"TOOLS/LIST", false, false}};
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct str name = str_of(methods[i].name);
        assert_true((method_find(name, ERA_LEGACY) != NULL) == methods[i].legacy);
        assert_true((method_find(name, ERA_MODERN) != NULL) == methods[i].modern);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hides_what_policy_denies, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_what_can_be_called, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_old_revisions_what_they_know, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_modern_results_their_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_cursor_that_it_never_gave, setup, teardown),
        cmocka_unit_test_setup_teardown(echoes_the_versions_it_knows, setup, teardown),
        cmocka_unit_test_setup_teardown(needs_all_of_a_handshake, setup, teardown),
        cmocka_unit_test(has_each_method_in_its_era),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
