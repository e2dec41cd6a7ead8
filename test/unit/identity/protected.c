/* What we are to OAuth: which URIs and scopes a configuration may name, who may use which tool. */
#include "identity/protected.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;
static struct problems problems;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 22);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct option_list list_of(const struct str *items, size_t n) {
    struct option_list list = {.n = n, .is_set = n > 0};
    list.items = arena_new_array(&arena, n + 1, struct str);
    assert_non_null(list.items);
    if (n > 0) memcpy(list.items, items, n * sizeof *items);
    return list;
}

/* The number of errors. `weir` is the text of weir.yaml. */
static size_t load(const struct identity_settings *settings, const char *weir,
                   struct protected_resource *out) {
    struct report report = {0};
    struct identity_sources sources = {.settings = settings, .weir_name = STR("weir.yaml")};
    problems_init(&problems, &arena);
    result r = yaml_read(str_of(weir), sources.weir_name, NULL, &arena, &sources.weir, &report);
    assert_int_equal(r.why, FAIL_NONE);
    assert_int_equal(protected_load(&sources, &arena, &problems, out).why, FAIL_NONE);
    return problems.n_errors;
}

/* RFC 8707, 2; MCP 2025-06-18, "Canonical Server URI". */
static void takes_canonical_uris_alone(void **state) {
    (void)state;
    static const struct {
        const char *uri;
        bool is_resource, is_server;
    } rows[] = {
        {"https://mcp.example.com", true, true},
        {"https://mcp.example.com/mcp", true, true},
        {"https://mcp.example.com:8443/a/mcp", true, true},
        {"http://127.0.0.1:8000/mcp", true, true},
        {"http://localhost", true, true},
        {"http://[::1]:8000/mcp", true, true},
        {"https://mcp.example.com/", false, true}, /* issuers may end so */
        {"http://mcp.example.com/mcp", false, false},
        {"http://localhost.example.com", false, false},
        {"http://127.0.0.1@example.com", false, false},
        {"mcp.example.com", false, false},
        {"https://", false, false},
        {"https:///mcp", false, false},
        {"HTTPS://mcp.example.com", false, false},
        {"https://MCP.example.com/mcp", false, false},
        {"https://mcp.example.com/mcp#a", false, false},
        {"https://mcp.example.com/mcp?a=1", false, false},
        {"https://mcp.example.com/m cp", false, false},
        {"https://mcp.example.com/\"", false, false},
        {"https://mcp.example.com/\r\nX: y", false, false},
        {"ftp://mcp.example.com", false, false},
    };
    struct protected_resource resource;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str uri = str_of(rows[i].uri);
        struct identity_settings settings = {.resource = uri};
        assert_true((load(&settings, "x-a: 1\n", &resource) == 0) == rows[i].is_resource);
        settings = (struct identity_settings){.authorization_servers = list_of(&uri, 1)};
        assert_true((load(&settings, "x-a: 1\n", &resource) == 0) == rows[i].is_server);
    }
}

/* RFC 6749, 3.3; and what MCP 2025-11-25 says a server should not ask for. */
static void takes_scope_tokens_alone(void **state) {
    (void)state;
    static const struct {
        const char *scope;
        bool is_taken;
    } rows[] = {
        {"a", true},         {"warehouse:read", true}, {"https://a/b.c", true}, {"", false},
        {"a b", false},      {"a\"", false},           {"a\\", false},          {"a\n", false},
        {"\xc3\xa4", false}, {"offline_access", false}};
    struct protected_resource resource;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str scope = str_of(rows[i].scope);
        struct identity_settings settings = {.scopes_supported = list_of(&scope, 1)};
        assert_true((load(&settings, "x-a: 1\n", &resource) == 0) == rows[i].is_taken);
    }
    struct identity_settings none = {0};
    assert_int_equal(load(&none, "auth: {tool_scopes: {run: [\"a b\"]}}\n", &resource), 1);
    assert_int_equal(load(&none, "auth: {tool_scopes: [run]}\n", &resource), 1);
    assert_int_equal(load(&none, "auth: {require_auth: true}\n", &resource), 0);
    assert_int_equal(resource.n_rules, 0);
}

static void cuts_a_uri_in_two(void **state) {
    (void)state;
    static const struct {
        const char *uri, *origin, *path;
    } rows[] = {{"https://a.b:1/c/d", "https://a.b:1", "/c/d"},
                {"https://a", "https://a", ""},
                {"", "", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str uri = str_of(rows[i].uri);
        assert_true(str_eq(protected_origin(uri), str_of(rows[i].origin)));
        assert_true(str_eq(protected_path(uri), str_of(rows[i].path)));
    }
}

static const char *const RULES = "auth:\n"
                                 "  require_auth: true\n"
                                 "  tool_scopes:\n"
                                 "    run_*: query\n"
                                 "    run_select_sql: [read, query]\n"
                                 "    describe_table: []\n";

static void asks_for_every_scope_once(void **state) {
    (void)state;
    static const struct {
        const char *tool, *scopes;
    } rows[] = {{"run_select_sql", "query read"},
                {"run_other", "query"},
                {"describe_table", ""},
                {"list", ""},
                {"", ""}};
    struct identity_settings settings = {0};
    struct protected_resource resource;
    assert_int_equal(load(&settings, RULES, &resource), 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(str_eq(protected_scopes(&resource, str_of(rows[i].tool), &arena),
                           str_of(rows[i].scopes)));
}

static void lets_who_has_all_of_them(void **state) {
    (void)state;
    static const struct str both[] = {STR_INIT("read"), STR_INIT("query")};
    static const struct str star[] = {STR_INIT("*"), STR_INIT("que*"), STR_INIT("Query")};
    static const struct {
        const char *what;
        struct name_set scopes;
        bool may_select, may_run;
    } rows[] = {{"not restricted", {NULL, 0, false}, true, true},
                {"nothing", {NULL, 0, true}, false, false},
                {"one of two", {both + 1, 1, true}, false, true},
                {"the other", {both, 1, true}, false, false},
                {"both", {both, 2, true}, true, true},
                {"patterns and other letters", {star, 3, true}, false, false}};
    struct identity_settings settings = {0};
    struct protected_resource resource;
    assert_int_equal(load(&settings, RULES, &resource), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct principal who = {.user_id = STR("ann"), .scopes = rows[i].scopes};
        assert_true(protected_may_use(&resource, &who, STR("run_select_sql")) ==
                    rows[i].may_select);
        assert_true(protected_may_use(&resource, &who, STR("run_other")) == rows[i].may_run);
        assert_true(protected_may_use(&resource, &who, STR("describe_table")));
        assert_true(protected_may_use(&resource, &who, STR("list_allowed_tables")));
    }
}

/* MCP 2025-06-18, Token Handling: "MCP servers MUST validate that access tokens were issued
 * specifically for them as the intended audience". */
static void knows_its_own_audience_alone(void **state) {
    (void)state;
    struct protected_resource ours = {.uri = STR("https://a.example.com/mcp")}, nameless = {0};
    assert_true(protected_is_audience(&ours, STR("https://a.example.com/mcp")));
    assert_false(protected_is_audience(&ours, STR("https://a.example.com/mcp/")));
    assert_false(protected_is_audience(&ours, STR("https://a.example.com")));
    assert_false(protected_is_audience(&ours, STR("https://a.example.com/mcp2")));
    assert_false(protected_is_audience(&ours, STR_NONE));
    assert_false(protected_is_audience(&nameless, STR("")));
    assert_false(protected_is_audience(&nameless, STR("https://a.example.com/mcp")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_canonical_uris_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_scope_tokens_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(cuts_a_uri_in_two, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_for_every_scope_once, setup, teardown),
        cmocka_unit_test_setup_teardown(lets_who_has_all_of_them, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_its_own_audience_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
