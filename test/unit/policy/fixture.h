/* What the policy's tests share: files as text, principals, a schema source over a list of columns.
 */
#ifndef WEIR_TEST_POLICY_FIXTURE_H
#define WEIR_TEST_POLICY_FIXTURE_H

#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct problems problems;
static struct report report;

__attribute__((unused)) static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 26);
    report_clear(&report);
    return 0;
}

__attribute__((unused)) static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

/* A whole file; the caller frees it. */
__attribute__((unused)) static char *read_all(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t n = fread(text, 1, (1 << 20) - 1, file);
    assert_true(n > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

struct files {
    const char *policy, *allowlist, *enterprise, *rules;
};

__attribute__((unused)) static const struct yaml *tree_of(const char *text, const char *name) {
    const struct yaml *tree = NULL;
    if (text == NULL) return NULL;
    result r = yaml_read(str_of(text), str_of(name), NULL, &arena, &tree, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return tree;
}

__attribute__((unused)) static result load(const struct files *files, const struct policy **out) {
    struct policy_sources sources = {
        .policy = tree_of(files->policy, "pol"),
        .allowlist = tree_of(files->allowlist, "list"),
        .enterprise = tree_of(files->enterprise, "ent"),
        .rules = tree_of(files->rules, "rules"),
        .policy_name = STR("pol"),
        .allowlist_name = STR("list"),
        .enterprise_name = STR("ent"),
        .rules_name = STR("rules"),
        .policy_text = str_of(files->policy != NULL ? files->policy : files->allowlist),
    };
    problems_init(&problems, &arena);
    return policy_load(&sources, &arena, &problems, out);
}

__attribute__((unused)) static const char *complaints(void) {
    struct str all = STR("");
    for (size_t p = 0; p < problems.n; p++)
        all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), p > 0 ? "\n" : "",
                         STR_ARG(problem_print(&problems.items[p], &arena)));
    return str_cstr(&arena, all);
}

__attribute__((unused)) static const struct policy *loaded(const char *policy,
                                                           const char *enterprise) {
    const struct policy *out = NULL;
    result r = load(&(struct files){.policy = policy, .enterprise = enterprise}, &out);
    assert_string_equal(complaints(), "");
    assert_int_equal(r.why, FAIL_NONE);
    return out;
}

/* "a,b" as a set; NULL is absent, "" is nothing. */
__attribute__((unused)) static struct name_set set_of(const char *names) {
    struct str *items = arena_new_array(&arena, 16, struct str);
    size_t n = 0;
    for (struct str rest = str_of(names); names != NULL && rest.len > 0;)
        items[n++] = str_cut(&rest, ',');
    return (struct name_set){items, n, names != NULL};
}

__attribute__((unused)) static struct principal somebody(const char *roles, const char *tools,
                                                         const char *projects, const char *client) {
    struct name_set of_roles = set_of(roles);
    return (struct principal){.user_id = STR("ann"),
                              .client_id = str_of(client),
                              .token_id = STR("tok_1"),
                              .roles = of_roles.items,
                              .n_roles = of_roles.n,
                              .allowed_tools = set_of(tools),
                              .allowed_projects = set_of(projects)};
}

#endif
