/* rules.yaml becomes rules. */
#include "base/limits.h"
#include "base/option.h"
#include "policy/rules.h"
#include "text/glob.h"

#include <stdlib.h>

/* -- in the file ------------------------------------------------------------------------------ */

struct rule_row {
    struct bind_head head;
    struct str action, reason;
    struct bind_array conditions;
};

struct rules_file {
    struct str version, description, standard;
    struct bind_texts hide;
    struct bind_array tools;
};

struct rate_row {
    int64_t max, window_s;
    int by; /* enum rate_by */
};

#define AT(member) .offset = offsetof(struct rule_row, member)
static const struct bind_key rule_keys[] = {
    {.name = "action", .type = BIND_TEXT, AT(action)},
    {.name = "reason", .type = BIND_TEXT, AT(reason)},
    {.name = "rate_limit", .type = BIND_SKIP},
    {.name = "budget", .type = BIND_SKIP},
    {.name = "conditions", .type = BIND_LIST, AT(conditions), .of = &condition_kind},
    {.name = NULL}};
#undef AT
static const struct bind_kind rule_kind = {
    .what = "a rule", .keys = rule_keys, .size = sizeof(struct rule_row)};

#define AT(member) .offset = offsetof(struct rules_file, member)
static const struct bind_key rules_keys[] = {
    {.name = "version", .type = BIND_TEXT, AT(version), .is_required = true},
    {.name = "description", .type = BIND_TEXT, AT(description)},
    {.name = "default", .type = BIND_TEXT, AT(standard)},
    {.name = "hide", .type = BIND_TEXTS, AT(hide)},
    {.name = "tools", .type = BIND_EACH, AT(tools), .of = &rule_kind},
    {.name = NULL}};
#undef AT
static const struct bind_kind rules_kind = {.what = "rules.yaml", .keys = rules_keys};

#define AT(member) .offset = offsetof(struct rate_row, member)
static const struct bind_key rate_keys[] = {
    {.name = "max",
     .type = BIND_INT,
     AT(max),
     .min = 1,
     .max = RATE_CALLS_MAX,
     .is_required = true},
    {.name = "window",
     .type = BIND_INT,
     AT(window_s),
     .min = 1,
     .max = POLICY_WINDOW_S_MAX,
     .is_required = true},
    {.name = "by", .type = BIND_CHOICE, AT(by), .choices = rate_by_names},
    {.name = NULL}};
#undef AT
static const struct bind_kind rate_kind = {.what = "a rate limit", .keys = rate_keys};

struct loader {
    const struct binder *binder;
    const struct yaml *tree;
    struct policy_rules *rules;
};

/* `WHERE: BEFORE "what"AFTER` */
static void wrong(struct loader *l, const struct yaml *node, struct str where, const char *before,
                  struct str what, const char *after) {
    problem_add(l->binder->problems, SEVERITY_ERROR, l->binder->file, node,
                STR_FMT "%s%s\"" STR_FMT "\"%s", STR_ARG(where), where.len > 0 ? ": " : "", before,
                STR_ARG(what), after);
}

/* -- rules ------------------------------------------------------------------------------------ */

static void read_action(struct loader *l, const struct rule_row *row, struct str where,
                        struct policy_rule *rule) {
    static const struct {
        const char *name;
        enum effect effect;
    } actions[] = {{"allow", EFFECT_ALLOW},
                   {"deny", EFFECT_DENY},
                   {"confirm", EFFECT_CONFIRM},
                   {"approve", EFFECT_APPROVE}};
    const struct yaml *node = yaml_get(row->head.node, STR("action"));
    rule->effect = node == NULL ? EFFECT_ALLOW : EFFECT_DENY;
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (node == NULL || !str_eq(row->action, str_of(actions[i].name))) continue;
        rule->effect = actions[i].effect;
        return;
    }
    if (node != NULL)
        wrong(l, node, where,
              "action must be \"allow\", \"deny\", \"confirm\" or \"approve\", got ", row->action,
              "");
}

/* "10/minute" */
static void read_short_rate(struct loader *l, const struct yaml *node, struct str where,
                            struct str text, struct rate_row *rate) {
    if (!parse_rate(text, &rate->max, &rate->window_s) || rate->window_s < 1)
        wrong(l, node, where, "rate_limit must be in the format \"N/window\" (\"5/hour\"), got ",
              text, "");
    else if (rate->max < 1 || rate->max > RATE_CALLS_MAX)
        wrong(l, node, where, "rate_limit count must be a positive integer, not too large, got ",
              text, "");
}

static void no_limit_of_deny(struct loader *l, const struct yaml *node, struct str where,
                             const struct policy_rule *rule, const char *what) {
    if (rule->effect == EFFECT_DENY) wrong(l, node, where, what, STR("deny"), "");
}

static result read_rate(struct loader *l, const struct rule_row *row, struct str where,
                        struct policy_rule *rule) {
    const struct yaml *node = yaml_get(row->head.node, STR("rate_limit"));
    struct rate_row rate = {0};
    struct str text;
    if (node == NULL) return OK;
    if (node->type == YAML_SCALAR) {
        TRY(bind_text(l->binder, node, &text));
        read_short_rate(l, node, where, text, &rate);
    } else {
        TRY(bind_map(l->binder, &rate_kind, node, &rate));
    }
    no_limit_of_deny(l, node, where, rule, "rate_limit cannot be used with action ");
    rule->rate_max = rate.max;
    rule->rate_window_s = rate.window_s;
    rule->rate_by = (enum rate_by)rate.by;
    return OK;
}

static result read_budget(struct loader *l, const struct rule_row *row, struct str where,
                          struct policy_rule *rule) {
    const struct yaml *node = yaml_get(row->head.node, STR("budget"));
    if (node == NULL) return OK;
    no_limit_of_deny(l, node, where, rule, "budget cannot be used with action ");
    return budget_read(l->binder, node, rule->id, where, &rule->budget);
}

static result read_conditions(struct loader *l, const struct rule_row *row, struct str where,
                              struct policy_rule *rule) {
    const struct condition_row *rows = row->conditions.items;
    size_t n = row->conditions.n;
    struct condition *conditions = arena_new_array(l->binder->arena, n, struct condition);
    if (conditions == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < n; i++) {
        struct str at = str_printf(l->binder->arena, STR_FMT ".conditions[%zu]", STR_ARG(where), i);
        if (at.ptr == NULL) return fail_memory(NULL);
        TRY(condition_read(l->binder, &rows[i], at, &conditions[i]));
    }
    if (n > 0 && rule->effect == EFFECT_DENY)
        problem_add(l->binder->problems, SEVERITY_ERROR, l->binder->file,
                    yaml_get(row->head.node, STR("conditions")),
                    STR_FMT ": deny rules must not have conditions", STR_ARG(where));
    rule->conditions = conditions;
    rule->n_conditions = n;
    return OK;
}

static result read_rule(struct loader *l, const struct rule_row *row, struct policy_rule *rule) {
    rule->name = row->head.id;
    rule->key = row->head.key;
    rule->id = str_printf(l->binder->arena, "rules.yaml#tools." STR_FMT, STR_ARG(rule->name));
    if (rule->id.ptr == NULL) return fail_memory(NULL);
    struct str where = str_slice(rule->id, sizeof "rules.yaml#" - 1, rule->id.len);
    rule->reason = row->reason;
    read_action(l, row, where, rule);
    TRY(read_rate(l, row, where, rule));
    TRY(read_budget(l, row, where, rule));
    TRY(read_conditions(l, row, where, rule));
    bool names_all = policy_rule_is_for_all(rule) && l->rules->denies_unnamed;
    if (names_all && yaml_get(row->head.node, STR("action")) != NULL &&
        rule->effect == EFFECT_ALLOW) {
        problem_add(l->binder->problems, SEVERITY_WARNING, l->binder->file, row->head.key,
                    "'*' stands for every call and allows no tool that nothing else names");
        problem_hint(l->binder->problems, "leave `default: deny` out to allow every tool");
    }
    return OK;
}

/* -- the index -------------------------------------------------------------------------------- */

static result put(struct loader *l, struct rule_bucket *bucket, const struct policy_rule *rule) {
    const struct policy_rule **at =
        ARENA_PUSH(l->binder->arena, bucket->rules, bucket->n, bucket->cap);
    if (at == NULL) return fail_memory(NULL);
    *at = rule;
    return OK;
}

static result put_length(struct loader *l, struct rule_ends *ends, size_t length) {
    for (size_t i = 0; i < ends->n_lengths; i++)
        if (ends->lengths[i] == length) return OK;
    size_t *at = ARENA_PUSH(l->binder->arena, ends->lengths, ends->n_lengths, ends->cap_lengths);
    if (at == NULL) return fail_memory(NULL);
    for (; at > ends->lengths && at[-1] > length; at--) *at = at[-1];
    *at = length;
    return OK;
}

static result put_end(struct loader *l, struct rule_ends *ends, struct str text,
                      const struct policy_rule *rule) {
    struct rule_bucket *bucket = map_get(&ends->by_text, text);
    if (bucket == NULL) {
        bucket = arena_new(l->binder->arena, struct rule_bucket);
        if (bucket == NULL || !map_put(&ends->by_text, text, bucket)) return fail_memory(NULL);
        TRY(put_length(l, ends, text.len));
    }
    return put(l, bucket, rule);
}

static bool is_wild(char c) {
    return c == '*' || c == '?';
}

static result put_rule(struct loader *l, struct policy_rule *rule) {
    struct str name = rule->name;
    struct policy_rules *rules = l->rules;
    if (!glob_is_pattern(name)) return map_put(&rules->exact, name, rule) ? OK : fail_memory(NULL);
    size_t begin = 0, end = name.len;
    while (!is_wild(name.ptr[begin])) begin++;
    while (!is_wild(name.ptr[end - 1])) end--;
    if (begin > 0) return put_end(l, &rules->beginnings, str_slice(name, 0, begin), rule);
    if (end < name.len) return put_end(l, &rules->ends, str_slice(name, end, name.len), rule);
    return put(l, &rules->open, rule);
}

/* -- the whole -------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    return str_cmp(((const struct policy_rule *)a)->name, ((const struct policy_rule *)b)->name);
}

static result load_rules(struct loader *l, const struct rules_file *file) {
    const struct rule_row *rows = file->tools.items;
    size_t n = file->tools.n;
    struct policy_rule *all = arena_new_array(l->binder->arena, n, struct policy_rule);
    if (all == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < n; i++) TRY(read_rule(l, &rows[i], &all[i]));
    if (n > 1) qsort(all, n, sizeof *all, by_name);
    l->rules->all = all;
    l->rules->n = n;
    for (size_t i = 0; i < n; i++) TRY(put_rule(l, &all[i]));
    return OK;
}

static void load_hidden(struct loader *l, const struct rules_file *file) {
    const struct yaml *list = yaml_get(l->tree, STR("hide"));
    for (size_t i = 0; i < file->hide.n; i++)
        for (size_t k = 0; k < i; k++) {
            if (!str_eq(file->hide.items[i], file->hide.items[k])) continue;
            wrong(l, &list->items[i], STR("hide"), "duplicate entry ", file->hide.items[i], "");
            break;
        }
    l->rules->hidden = file->hide.items;
    l->rules->hidden_list = list;
    l->rules->n_hidden = file->hide.n;
}

static result load_file(struct loader *l) {
    struct rules_file file = {0};
    TRY(bind_map(l->binder, &rules_kind, l->tree, &file));
    const struct yaml *version = yaml_get(l->tree, STR("version"));
    const struct yaml *standard = yaml_get(l->tree, STR("default"));
    if (version != NULL && !str_eq(file.version, STR("1")))
        wrong(l, version, STR(""), "version must be \"1\", got ", file.version, "");
    l->rules->denies_unnamed = standard != NULL && !str_eq(file.standard, STR("allow"));
    if (l->rules->denies_unnamed && !str_eq(file.standard, STR("deny")))
        wrong(l, standard, STR(""), "default must be \"allow\" or \"deny\", got ", file.standard,
              "");
    load_hidden(l, &file);
    return load_rules(l, &file);
}

result policy_rules_load(const struct binder *binder, const struct yaml *tree,
                         const struct policy_rules **out) {
    struct policy_rules *rules = arena_new(binder->arena, struct policy_rules);
    struct loader l = {binder, tree, rules};
    *out = NULL;
    if (rules == NULL) return fail_memory(NULL);
    map_init(&rules->exact, binder->arena);
    map_init(&rules->beginnings.by_text, binder->arena);
    map_init(&rules->ends.by_text, binder->arena);
    if (tree != NULL) TRY(load_file(&l));
    *out = rules;
    return OK;
}
