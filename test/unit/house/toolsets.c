/* The toolsets of a listener: known names, and no tool name twice. */
#include "house/toolsets.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct tool cars[] = {{.name = "list"}, {.name = "drive"}, {0}};
static const struct tool boats[] = {{.name = "sail"}, {.name = "drive"}, {0}};
static const struct tool trains[] = {{.name = "ride"}, {0}};
static const struct toolset set_cars = {.name = "cars", .tools = cars};
static const struct toolset set_boats = {.name = "boats", .tools = boats};
static const struct toolset set_trains = {.name = "trains", .tools = trains};
static const struct toolset *const all[] = {&set_cars, &set_boats, &set_trains, NULL};

static const struct {
    const char *names[4]; /* the listener's */
    bool is_set;
    const char *wrong[3]; /* in order; "text (hint)" begins so */
} rows[] = {
    {{NULL}, false, {"the toolsets 'cars' and 'boats' both have a tool 'drive'"}},
    {{NULL}, true, {NULL}},
    {{"cars"}, true, {NULL}},
    {{"cars", "trains"}, true, {NULL}},
    {{"cars", "boats"}, true, {"the toolsets 'cars' and 'boats' both have a tool 'drive'"}},
    {{"*"}, true, {"the toolsets 'cars' and 'boats' both have a tool 'drive'"}},
    {{"t*"}, true, {NULL}},
    {{"later*"}, true, {NULL}},
    {{"train"}, true, {"there is no toolset 'train'"}},
    {{"planes", "cars", "boat"},
     true,
     {"there is no toolset 'planes'", "there is no toolset 'boat'"}},
    {{"CARS"}, true, {"there is no toolset 'CARS'"}},
    {{""}, true, {"there is no toolset ''"}},
};

static void tells_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct problems problems;
        struct str names[4];
        struct option_list list = {.items = names, .is_set = rows[i].is_set};
        arena_init(&arena, 1 * MIB);
        problems_init(&problems, &arena);
        for (; rows[i].names[list.n] != NULL; list.n++)
            names[list.n] = str_of(rows[i].names[list.n]);
        struct binder binder = {&arena, &problems, STR("weir.yaml")};
        toolsets_check(&binder, NULL, &list, all);
        size_t n = 0;
        for (; n < COUNT(rows[i].wrong) && rows[i].wrong[n] != NULL; n++) {
            assert_true(n < problems.n);
            assert_true(str_starts(problems.items[n].text, str_of(rows[i].wrong[n])));
            assert_int_equal(problems.items[n].severity, SEVERITY_ERROR);
        }
        assert_int_equal(problems.n, n);
        arena_deinit(&arena);
    }
}

static void names_the_nearest(void **state) {
    (void)state;
    struct arena arena;
    struct problems problems;
    struct str name = STR("trian");
    struct option_list list = {&name, 1, true};
    arena_init(&arena, 1 * MIB);
    problems_init(&problems, &arena);
    struct binder binder = {&arena, &problems, STR("weir.yaml")};
    toolsets_check(&binder, NULL, &list, all);
    assert_true(str_eq(problems.items[0].hint, STR("did you mean 'trains'?")));
    arena_deinit(&arena);
}

/* What is built in can be served together. */
static void takes_our_own(void **state) {
    (void)state;
    struct arena arena;
    struct problems problems;
    struct option_list absent = {0};
    arena_init(&arena, 1 * MIB);
    problems_init(&problems, &arena);
    struct binder binder = {&arena, &problems, STR("weir.yaml")};
    toolsets_check(&binder, NULL, &absent, toolsets);
    assert_int_equal(problems.n, 0);
    arena_deinit(&arena);
}

static void warns_of_rules_for_no_tool(void **state) {
    (void)state;
    static const char text[] = "version: '1'\n"
                               "hide: [sail, fly, 's*']\n"
                               "tools: {drvie: {}, drive: {}, '*': {}, '*i*': {}, 'x*': {}}\n";
    struct arena arena;
    struct problems problems;
    const struct yaml *rules = NULL, *tables = NULL;
    const struct policy *policy = NULL;
    arena_init(&arena, 1 * MIB);
    problems_init(&problems, &arena);
    assert_int_equal(yaml_read(str_of(text), STR("r"), NULL, &arena, &rules, NULL).why, FAIL_NONE);
    assert_int_equal(yaml_read(STR("tables: {}"), STR("p"), NULL, &arena, &tables, NULL).why,
                     FAIL_NONE);
    struct policy_sources sources = {.policy = tables, .rules = rules, .policy_text = STR("t")};
    assert_int_equal(policy_load(&sources, &arena, &problems, &policy).why, FAIL_NONE);
    struct binder binder = {&arena, &problems, STR("rules.yaml")};
    toolsets_check_rules(&binder, policy, all);
    static const char *const said[] = {
        "rules.yaml:2:14: warning: no tool is called 'fly'",
        "rules.yaml:3:9: warning: no tool is called 'drvie' (did you mean 'drive'?)",
        "rules.yaml:3:51: warning: no tool is called 'x*'",
    };
    assert_int_equal(problems.n, COUNT(said));
    for (size_t i = 0; i < COUNT(said); i++)
        assert_string_equal(str_cstr(&arena, problem_print(&problems.items[i], &arena)), said[i]);
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_wrong),
        cmocka_unit_test(names_the_nearest),
        cmocka_unit_test(takes_our_own),
        cmocka_unit_test(warns_of_rules_for_no_tool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
