#include "house/toolsets.h"

#include "identity/identity.h"
#include "text/glob.h"

static struct name_set set_of(const struct option_list *names) {
    return (struct name_set){names->items, names->n, names->is_set};
}

static const struct yaml *item_of(const struct yaml *node, size_t i) {
    const struct yaml *list = yaml_get(node, STR("toolsets"));
    return list != NULL && list->type == YAML_LIST && i < list->n ? &list->items[i] : node;
}

/* A pattern may stand for toolsets that come later; a name may not. */
static void check_names(const struct binder *b, const struct yaml *node,
                        const struct option_list *names, const struct toolset *const *all) {
    for (size_t i = 0; i < names->n; i++) {
        struct str name = names->items[i], near = STR_NONE;
        bool is_known = glob_is_pattern(name);
        for (size_t k = 0; all[k] != NULL && !is_known; k++) {
            struct str known = str_of(all[k]->name);
            is_known = str_eq(known, name);
            if (near.len == 0) near = bind_nearest(name, &known, 1);
        }
        if (is_known) continue;
        problem_add(b->problems, SEVERITY_ERROR, b->file, item_of(node, i),
                    "there is no toolset '" STR_FMT "'", STR_ARG(name));
        if (near.len > 0) problem_hint(b->problems, "did you mean '" STR_FMT "'?", STR_ARG(near));
    }
}

static bool has_tool(const struct toolset *set, const char *name) {
    for (const struct tool *tool = set->tools; tool->name != NULL; tool++)
        if (strcmp(tool->name, name) == 0) return true;
    return false;
}

static void check_pair(const struct binder *b, const struct yaml *node, const struct toolset *one,
                       const struct toolset *other) {
    for (const struct tool *tool = other->tools; tool->name != NULL; tool++) {
        if (!has_tool(one, tool->name)) continue;
        problem_add(b->problems, SEVERITY_ERROR, b->file, node,
                    "the toolsets '%s' and '%s' both have a tool '%s'", one->name, other->name,
                    tool->name);
        problem_hint(b->problems, "serve them by two listeners, each with its toolsets");
    }
}

void toolsets_check(const struct binder *b, const struct yaml *node,
                    const struct option_list *names, const struct toolset *const *all) {
    struct name_set on = set_of(names);
    check_names(b, node, names, all);
    for (size_t i = 0; all[i] != NULL; i++)
        for (size_t k = 0; k < i; k++)
            if (name_set_has(&on, str_of(all[i]->name)) && name_set_has(&on, str_of(all[k]->name)))
                check_pair(b, node, all[k], all[i]);
}

/* -- rules ------------------------------------------------------------------------------------ */

struct rule_check {
    const struct binder *binder;
    const struct toolset *const *all;
};

/* The nearest tool's name to one that is none's; STR_NONE: none is near. */
static struct str nearest_tool(const struct rule_check *check, struct str name) {
    struct str near = STR_NONE;
    for (size_t i = 0; check->all[i] != NULL; i++)
        for (const struct tool *tool = check->all[i]->tools; tool->name != NULL; tool++) {
            struct str one = str_of(tool->name);
            if (near.len == 0) near = bind_nearest(name, &one, 1);
        }
    return near;
}

static void check_rule(struct str name, const struct yaml *at, void *with) {
    const struct rule_check *check = with;
    const struct binder *b = check->binder;
    if (str_eq(name, STR("*"))) return;
    for (size_t i = 0; check->all[i] != NULL; i++)
        for (const struct tool *tool = check->all[i]->tools; tool->name != NULL; tool++)
            if (glob_match(name, str_of(tool->name))) return;
    problem_add(b->problems, SEVERITY_WARNING, b->file, at, "no tool is called '" STR_FMT "'",
                STR_ARG(name));
    struct str near = nearest_tool(check, name);
    if (near.len > 0) problem_hint(b->problems, "did you mean '" STR_FMT "'?", STR_ARG(near));
}

void toolsets_check_rules(const struct binder *b, const struct policy *policy,
                          const struct toolset *const *all) {
    struct rule_check check = {b, all};
    policy_each_rule_name(policy, check_rule, &check);
}
