/* Superset's dictionaries: by name in weir.yaml, as JSON in the environment. */
#include "house/settings.h"

#include "base/fault.h"
#include "base/limits.h"
#include "house/section_json.h"
#include "shape/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct problems problems;
static struct settings settings;

static int setup(void **state) {
    (void)state;
    unsetenv("MCP_CACHE_CONFIG");
    unsetenv("MCP_RESPONSE_SIZE_CONFIG");
    arena_init(&arena, 16 * MIB);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    unsetenv("MCP_CACHE_CONFIG");
    unsetenv("MCP_RESPONSE_SIZE_CONFIG");
    return 0;
}

static const char *complaints(void) {
    struct str all = STR("");
    for (size_t p = 0; p < problems.n; p++)
        all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), p > 0 ? "\n" : "",
                         STR_ARG(problem_print(&problems.items[p], &arena)));
    return str_cstr(&arena, all);
}

static void read_all(const char *weir) {
    static const struct settings_flags none;
    const struct yaml *tree = NULL;
    struct report report = {0};
    problems_init(&problems, &arena);
    if (weir != NULL)
        assert_int_equal(
            yaml_read(str_of(weir), STR("weir.yaml"), NULL, &arena, &tree, &report).why, FAIL_NONE);
    result r = settings_read(tree, STR("weir.yaml"), NULL, STR("security.yaml"), &none, &arena,
                             &problems, &settings);
    assert_int_equal(r.why, FAIL_NONE);
}

static const struct cache_settings *cache(void) {
    return &settings.limits.cache;
}

static const struct size_settings *size(void) {
    return &settings.limits.size;
}

/* The seed's, member by member. */
static void has_supersets_defaults(void **state) {
    (void)state;
    read_all(NULL);
    assert_true(size()->is_enabled);
    assert_int_equal(size()->token_limit, 25000);
    assert_int_equal(size()->warn_threshold_pct, 80);
    static const char *const unsized[] = {"health_check", "get_chart_preview",
                                          "generate_explore_link", "open_sql_lab_with_context"};
    for (size_t i = 0; i < COUNT(unsized); i++)
        assert_true(size_excludes(size(), str_of(unsized[i])));
    assert_false(size_excludes(size(), STR("execute_sql")));
    assert_false(cache()->is_enabled);
    assert_int_equal(cache()->key_prefix.len, 0);
    assert_int_equal(cache()->list_tools_ttl_ms, 300000);
    assert_int_equal(cache()->list_resources_ttl_ms, 300000);
    assert_int_equal(cache()->list_prompts_ttl_ms, 300000);
    assert_int_equal(cache()->read_resource_ttl_ms, 3600000);
    assert_int_equal(cache()->get_prompt_ttl_ms, 3600000);
    assert_int_equal(cache()->call_tool_ttl_ms, 3600000);
    assert_int_equal(cache()->max_item_bytes, 1048576);
    static const char *const uncached[] = {"execute_sql", "generate_dashboard", "generate_chart",
                                           "update_chart"};
    for (size_t i = 0; i < COUNT(uncached); i++)
        assert_true(cache_excludes(cache(), str_of(uncached[i])));
    assert_false(cache_excludes(cache(), STR("run_select_sql")));
}

static void reads_them_from_the_file(void **state) {
    (void)state;
    read_all("MCP_RESPONSE_SIZE_CONFIG:\n"
             "  enabled: True\n"
             "  token_limit: 1000\n"
             "  warn_threshold_pct: 50\n"
             "  excluded_tools: [health_check, x]\n"
             "MCP_CACHE_CONFIG:\n"
             "  enabled: True\n"
             "  CACHE_KEY_PREFIX: null\n"
             "  list_tools_ttl: 60\n"
             "  call_tool_ttl: 5m\n"
             "  max_item_size: 1048576\n"
             "  excluded_tools: []\n");
    assert_string_equal(complaints(), "");
    assert_int_equal(size()->token_limit, 1000);
    assert_int_equal(size()->warn_threshold_pct, 50);
    assert_true(size_excludes(size(), STR("x")));
    assert_false(size_excludes(size(), STR("get_chart_preview")));
    assert_true(cache()->is_enabled);
    assert_int_equal(cache()->key_prefix.len, 0);
    assert_int_equal(cache()->list_tools_ttl_ms, 60000);
    assert_int_equal(cache()->call_tool_ttl_ms, 300000);
    assert_false(cache_excludes(cache(), STR("execute_sql")));
}

static void reads_them_from_the_environment(void **state) {
    (void)state;
    setenv("MCP_CACHE_CONFIG",
           " {\"enabled\": true, \"CACHE_KEY_PREFIX\": \"mcp:\", \"call_tool_ttl\": 7,"
           "  \"list_prompts_ttl\": null, \"excluded_tools\": [\"a\", \"b\"]}\n",
           1);
    setenv("MCP_RESPONSE_SIZE_CONFIG", "{\"enabled\": false}", 1);
    read_all("MCP_CACHE_CONFIG: {enabled: false, call_tool_ttl: 1, list_tools_ttl: 2}");
    assert_string_equal(complaints(), "");
    assert_true(cache()->is_enabled);
    assert_true(str_eq(cache()->key_prefix, STR("mcp:")));
    assert_int_equal(cache()->call_tool_ttl_ms, 7000);
    assert_int_equal(cache()->list_tools_ttl_ms, 2000); /* what it does not name stays the file's */
    assert_int_equal(cache()->list_prompts_ttl_ms, 300000);
    assert_true(cache_excludes(cache(), STR("b")));
    assert_false(cache_excludes(cache(), STR("execute_sql")));
    assert_false(size()->is_enabled);
}

static const struct {
    const char *json, *complaint;
} wrong[] = {
    {"[]", "environment: error: MCP_CACHE_CONFIG: a JSON object is expected, such as {\"enabled\": "
           "true}"},
    {"{'enabled': True}",
     "environment: error: MCP_CACHE_CONFIG: a JSON object is expected, such as "
     "{\"enabled\": true}"},
    {"{\"enabled\": true, \"enabled\": false}", "environment: error: MCP_CACHE_CONFIG: a JSON "
                                                "object is expected, such as {\"enabled\": true}"},
    {"{\"enable\": true}",
     "environment: error: unknown key 'enable' of MCP_CACHE_CONFIG (did you mean 'enabled'?)"},
    {"{\"call_tool_ttl\": -1}", "environment: error: MCP_CACHE_CONFIG: setting 'call_tool_ttl' "
                                "cannot be '-1': expected a duration such as 250ms, 30s or 5m, at "
                                "least 0 ms and at most 2592000000 ms"},
    {"{\"enabled\": {}}", "environment: error: MCP_CACHE_CONFIG: 'enabled' cannot be of this type"},
    {"{\"excluded_tools\": [[]]}",
     "environment: error: MCP_CACHE_CONFIG: 'excluded_tools' cannot be of this type"},
};

static void tells_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        setenv("MCP_CACHE_CONFIG", wrong[i].json, 1);
        read_all(NULL);
        assert_string_equal(complaints(), wrong[i].complaint);
    }
}

static void runs_out_of_memory_cleanly(void **state) {
    (void)state;
    static const char json[] = "{\"enabled\": true, \"excluded_tools\": [\"a\", \"b\", \"c\"]}";
    for (long n = 0;; n++) {
        struct cache_settings out = {0};
        problems_init(&problems, &arena);
        fault_set(n);
        result r =
            section_read_json(cache_options, &out, STR("X"), str_of(json), &arena, &problems);
        bool was_reached = !fault_unused();
        fault_off();
        if (!was_reached) {
            assert_int_equal(r.why, FAIL_NONE);
            assert_true(out.is_enabled);
            assert_int_equal(out.excluded_tools.n, 3);
            break;
        }
        assert_true(r.why == FAIL_MEMORY || problems.n_errors > 0 || problems.is_full ||
                    out.excluded_tools.n == 3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_supersets_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_them_from_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_them_from_the_environment, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_out_of_memory_cleanly, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
