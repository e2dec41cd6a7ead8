/* The tools of a file of PolicyLayer's, and what is said of each as a whole. */
#include "policy/import.h"

#include "base/limits.h"
#include "base/option.h"
#include "policy/import_inner.h"
#include "policy/rules.h"
#include "text/glob.h"

/* -- what is told ----------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 0))) static void tell(struct importing *i, enum severity severity,
                                                       const char *fmt, va_list args) {
    char text[REPORT_SENTENCE_MAX];
    vsnprintf(text, sizeof text, fmt, args);
    problem_add(i->problems, severity, i->import->name, i->at, "%s", text);
}

void import_warn(struct importing *i, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    tell(i, SEVERITY_WARNING, fmt, args);
    va_end(args);
}

void import_wrong(struct importing *i, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    tell(i, SEVERITY_ERROR, fmt, args);
    va_end(args);
}

void import_lose(struct importing *i, struct import_tool *tool, const char *fmt, ...) {
    char why[REPORT_SENTENCE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    if (import_is_for_all(tool)) {
        import_wrong(i, "a rule for all tools has no equal here: %s", why);
        return;
    }
    import_warn(i, "the tool '" STR_FMT "' is denied, for a rule of it has no equal here: %s",
                STR_ARG(tool->name), why);
    struct str reason = str_printf(i->arena, "a rule could not be brought over: %s", why);
    import_deny(tool, reason);
}

/* -- small things ----------------------------------------------------------------------------- */

bool import_is_for_all(const struct import_tool *tool) {
    return str_eq(tool->name, STR("*"));
}

struct str import_text(const struct yaml *map, const char *key) {
    const struct yaml *node = yaml_get(map, str_of(key));
    return node != NULL && node->type == YAML_SCALAR && !yaml_is_null(node) ? node->text : STR_NONE;
}

const struct yaml *import_stranger(const struct yaml *map, const char *const *known) {
    for (size_t p = 0; map != NULL && map->type == YAML_MAP && p < map->n; p++) {
        bool is_known = false;
        for (const char *const *k = known; *k != NULL; k++)
            is_known = is_known || str_eq(map->pairs[p].key.text, str_of(*k));
        if (!is_known) return &map->pairs[p].key;
    }
    return NULL;
}

/* The first reason stays: it is the one that would have been told. */
void import_deny(struct import_tool *tool, struct str reason) {
    if (tool->effect == EFFECT_DENY) return;
    tool->effect = EFFECT_DENY;
    tool->reason = reason;
}

void import_approve(struct import_tool *tool, struct str reason) {
    if (tool->effect != EFFECT_ALLOW) return;
    tool->effect = EFFECT_APPROVE;
    tool->reason = reason;
}

/* A tool has one rate here: of several, the fewest calls in the longest window admit no call that
 * one of them would refuse. */
void import_rate(struct importing *i, struct import_tool *tool, int64_t max, int64_t window_s,
                 const char *by) {
    if (max > RATE_CALLS_MAX) {
        import_warn(i, "at most %d calls can be counted: the limit is lowered", RATE_CALLS_MAX);
        max = RATE_CALLS_MAX;
    }
    if (window_s < 1 || window_s > POLICY_WINDOW_S_MAX) {
        import_lose(i, tool, "a window of %lld seconds cannot be counted", (long long)window_s);
        return;
    }
    if (max < 1) {
        import_deny(tool, STR("the limit lets no call through"));
        return;
    }
    bool is_same = tool->rate_by != NULL && strcmp(tool->rate_by, by) == 0;
    if (tool->rate_by != NULL && !is_same) {
        import_lose(i, tool, "limits that count apart cannot both be said of one tool");
        return;
    }
    if (is_same && (tool->rate_max != max || tool->rate_window_s != window_s))
        import_warn(i,
                    "the tool '" STR_FMT "' has several limits, and one here: the fewest calls "
                    "in the longest window",
                    STR_ARG(tool->name));
    if (!is_same || max < tool->rate_max) tool->rate_max = max;
    if (window_s > tool->rate_window_s) tool->rate_window_s = window_s;
    tool->rate_by = by;
}

/* -- limits of the hosted product and of the words --------------------------------------------- */

static bool read_window(struct str text, int64_t *seconds) {
    static const struct {
        struct str name;
        int64_t seconds;
    } words[] = {{STR_INIT("second"), 1},
                 {STR_INIT("minute"), 60},
                 {STR_INIT("hour"), 3600},
                 {STR_INIT("day"), 86400}};
    for (size_t w = 0; w < COUNT(words); w++) {
        if (!str_eq(words[w].name, text)) continue;
        *seconds = words[w].seconds;
        return true;
    }
    return str_to_i64(text, seconds);
}

/* {max, window} or "N/window". */
static bool read_limit(const struct yaml *node, int64_t *max, int64_t *window_s) {
    static const char *const maxima[] = {"max", "limit", "count"};
    if (node->type == YAML_SCALAR) return parse_rate(node->text, max, window_s);
    struct str most = STR_NONE;
    for (size_t k = 0; most.ptr == NULL && k < COUNT(maxima); k++)
        most = import_text(node, maxima[k]);
    return str_to_i64(most, max) && read_window(import_text(node, "window"), window_s);
}

static void read_rate(struct importing *i, struct import_tool *tool, const struct yaml *node) {
    static const char *const known[] = {"max", "window", NULL};
    int64_t max = 0, window_s = 0;
    i->at = node;
    bool is_short = node->type == YAML_SCALAR;
    if (import_stranger(node, known) != NULL || !read_limit(node, &max, &window_s))
        import_lose(i, tool, "its rate_limit is of an unknown form");
    else if (is_short && import_is_for_all(tool) && i->import->by == NULL)
        import_wrong(i, "a limit of all tools together has to say who is counted (--by)");
    else if (!is_short)
        import_rate(i, tool, max, window_s, "session");
    else
        import_rate(i, tool, max, window_s, import_is_for_all(tool) ? i->import->by : "tool");
}

static void read_limits(struct importing *i, struct import_tool *tool, const struct yaml *list) {
    static const char *const known[] = {"name",  "id",    "on_deny", "max",
                                        "limit", "count", "window",  NULL};
    for (size_t k = 0; list->type == YAML_LIST && k < list->n; k++) {
        int64_t max = 0, window_s = 0;
        i->at = &list->items[k];
        if (import_stranger(i->at, known) != NULL || !read_limit(i->at, &max, &window_s))
            import_lose(i, tool, "a limit of it is of an unknown form");
        else
            import_rate(i, tool, max, window_s, "principal");
    }
    i->at = list;
    if (list->type != YAML_LIST) import_wrong(i, "'limits' must be a list");
}

/* -- a tool ----------------------------------------------------------------------------------- */

static void each(struct importing *i, struct import_tool *tool, const struct yaml *list,
                 void (*take)(struct importing *i, struct import_tool *tool,
                              const struct yaml *node)) {
    if (list == NULL || yaml_is_null(list)) return;
    i->at = list;
    if (list->type != YAML_LIST) import_wrong(i, "a list is expected");
    for (size_t k = 0; list->type == YAML_LIST && k < list->n; k++) {
        i->at = &list->items[k];
        take(i, tool, i->at);
    }
}

static struct str reason_of(const struct yaml *node) {
    struct str reason = import_text(node, "on_deny");
    return reason.len > 0 ? reason : import_text(node, "reason");
}

static void require(struct importing *i, struct import_tool *tool, const struct yaml *node) {
    import_condition(i, tool, node, reason_of(node), false);
}

static void deny_if(struct importing *i, struct import_tool *tool, const struct yaml *node) {
    import_condition(i, tool, node, reason_of(node), true);
}

static void read_action(struct importing *i, struct import_tool *tool, struct str action,
                        struct str reason) {
    if (str_eq(action, STR("deny")))
        import_deny(tool, reason);
    else if (str_eq(action, STR("require approval")) || str_eq(action, STR("require_approval")) ||
             str_eq(action, STR("approve")))
        import_approve(tool, reason);
    else if (!str_eq(action, STR("allow")))
        import_lose(i, tool, "there is no action '" STR_FMT "'", STR_ARG(utf8_clip(action, 64)));
}

static void read_map(struct importing *i, struct import_tool *tool, const struct yaml *map) {
    static const char *const known[] = {
        "rules",      "require",    "deny_if",     "limits",   "action", "reason", "on_deny",
        "rate_limit", "conditions", "description", "category", "risk",   NULL};
    const struct yaml *stranger = import_stranger(map, known);
    struct str action = import_text(map, "action");
    const struct yaml *limits = yaml_get(map, STR("limits")),
                      *rate = yaml_get(map, STR("rate_limit"));
    if (stranger != NULL) {
        i->at = stranger;
        import_lose(i, tool, "the key '" STR_FMT "' is unknown",
                    STR_ARG(utf8_clip(stranger->text, 64)));
    }
    if (yaml_get(map, STR("action")) != NULL) read_action(i, tool, action, reason_of(map));
    each(i, tool, yaml_get(map, STR("conditions")), require);
    each(i, tool, yaml_get(map, STR("require")), require);
    each(i, tool, yaml_get(map, STR("deny_if")), deny_if);
    each(i, tool, yaml_get(map, STR("rules")), import_rule);
    if (limits != NULL) read_limits(i, tool, limits);
    if (rate != NULL) read_rate(i, tool, rate);
}

static struct import_tool *tool_of(struct importing *i, struct str name) {
    for (size_t k = 0; k < i->n_tools; k++)
        if (str_eq(i->tools[k].name, name)) return &i->tools[k];
    struct import_tool *tool = ARENA_PUSH(i->arena, i->tools, i->n_tools, i->cap_tools);
    if (tool != NULL) *tool = (struct import_tool){.name = name, .effect = EFFECT_ALLOW};
    return tool;
}

/* Names there are exact; ours with a star or a question mark are not. */
static bool is_sayable(struct str name) {
    return bind_is_name(name) && (!glob_is_pattern(name) || str_eq(name, STR("*")));
}

static void read_tool(struct importing *i, const struct yaml *key, const struct yaml *value) {
    struct import_tool *tool = tool_of(i, key->text);
    if (tool == NULL) return;
    i->at = key;
    if (!is_sayable(key->text)) {
        import_wrong(i, "the name '" STR_FMT "' would mean other tools here",
                     STR_ARG(utf8_clip(key->text, 64)));
    } else if (value->type == YAML_MAP) {
        read_map(i, tool, value);
    } else if (value->type == YAML_SCALAR && !yaml_is_null(value)) {
        i->at = value;
        read_action(i, tool, value->text, STR_NONE);
    } else if (value->type == YAML_LIST) {
        import_lose(i, tool, "a list is no rule");
    }
}

/* -- the file --------------------------------------------------------------------------------- */

static bool has_any(const struct yaml *tools, struct str key) {
    for (size_t p = 0; tools != NULL && tools->type == YAML_MAP && p < tools->n; p++)
        if (yaml_get(&tools->pairs[p].value, key) != NULL) return true;
    return false;
}

/* Intercept and the hosted product want a version; the latter a default, too. */
static void read_posture(struct importing *i, const struct yaml *root) {
    const struct yaml *tools = yaml_get(root, STR("tools"));
    struct str version = import_text(root, "version"), posture = import_text(root, "default");
    bool is_hosted = yaml_get(root, STR("all_tools")) != NULL || has_any(tools, STR("require")) ||
                     has_any(tools, STR("deny_if")) || has_any(tools, STR("limits"));
    if (version.ptr == NULL ? is_hosted || has_any(tools, STR("rules"))
                            : !str_eq(version, STR("1")))
        import_wrong(i, "version must be \"1\"");
    if (posture.ptr == NULL ? is_hosted || yaml_get(root, STR("default")) != NULL
                            : !str_eq(posture, STR("allow")) && !str_eq(posture, STR("deny")))
        import_wrong(i, "default must be \"allow\" or \"deny\"");
    i->denies_unnamed = str_eq(posture, STR("deny"));
}

static void read_hidden(struct importing *i, const struct yaml *hide) {
    if (hide == NULL || yaml_is_null(hide)) return;
    i->at = hide;
    if (hide->type != YAML_LIST) import_wrong(i, "'hide' must be a list");
    for (size_t k = 0; hide->type == YAML_LIST && k < hide->n; k++) {
        i->at = &hide->items[k];
        if (i->at->type != YAML_SCALAR || !is_sayable(i->at->text))
            import_wrong(i, "an entry of 'hide' must be a tool's name, or \"*\"");
    }
    i->hide = hide;
}

static void read_all_tools(struct importing *i, const struct yaml *all) {
    static const char *const known[] = {"limits", NULL};
    if (all == NULL || yaml_is_null(all)) return;
    i->at = all;
    const struct yaml *limits = yaml_get(all, STR("limits"));
    struct import_tool *tool = tool_of(i, STR("*"));
    if (all->type != YAML_MAP || import_stranger(all, known) != NULL)
        import_wrong(i, "'all_tools' must be a map of 'limits'");
    else if (tool != NULL && limits != NULL)
        read_limits(i, tool, limits);
}

static void read_root(struct importing *i, const struct yaml *root) {
    static const char *const known[] = {"version", "description", "default", "hide",
                                        "tools",   "all_tools",   NULL};
    const struct yaml *stranger = import_stranger(root, known), *tools;
    i->at = stranger != NULL ? stranger : root;
    if (root->type != YAML_MAP || root->n == 0) {
        import_wrong(i, "this is no policy: a map with 'tools' is expected");
        return;
    }
    if (stranger != NULL)
        import_wrong(i, "the key '" STR_FMT "' is unknown, and could be a restriction",
                     STR_ARG(utf8_clip(stranger->text, 64)));
    i->at = root;
    read_posture(i, root);
    read_hidden(i, yaml_get(root, STR("hide")));
    tools = yaml_get(root, STR("tools"));
    i->at = tools;
    if (tools != NULL && tools->type != YAML_MAP && !yaml_is_null(tools))
        import_wrong(i, "'tools' must be a map");
    for (size_t p = 0; tools != NULL && tools->type == YAML_MAP && p < tools->n; p++)
        read_tool(i, &tools->pairs[p].key, &tools->pairs[p].value);
    read_all_tools(i, yaml_get(root, STR("all_tools")));
}

/* What was written has to be what our own reader takes; else it is we who are wrong, and nothing
 * comes out. */
static result check(struct importing *i, const struct buf *out) {
    struct binder binder = {i->arena, i->problems, STR("the imported rules")};
    struct report report = {0};
    const struct policy_rules *rules;
    const struct yaml *tree;
    struct str text = buf_copy(out, i->arena);
    if (text.ptr == NULL) return fail_memory(NULL);
    result r = yaml_read(text, binder.file, NULL, i->arena, &tree, &report);
    if (r.why == FAIL_MEMORY) return r;
    if (r.why == FAIL_NONE) return policy_rules_load(&binder, tree, &rules);
    problem_add(i->problems, SEVERITY_ERROR, binder.file, NULL, "%s", report.sentence);
    return OK;
}

/* What was made without memory for all of it may lack a restriction. */
static result verdict(const struct importing *i) {
    if (i->arena->is_spent || i->problems->is_full) return fail_memory(NULL);
    return i->problems->n_errors > 0 ? (result){FAIL_CONFIG} : OK;
}

result policy_import(const struct policy_import *import, struct arena *arena,
                     struct problems *problems, struct buf *out) {
    struct importing i = {.import = import, .arena = arena, .problems = problems};
    struct report report = {0};
    const struct yaml *root;
    result r = yaml_read(import->text, import->name, NULL, arena, &root, &report);
    if (r.why == FAIL_MEMORY) return r;
    if (r.why != FAIL_NONE) {
        problem_add_unread(problems, import->name, str_of(report.sentence));
        return (result){FAIL_CONFIG};
    }
    read_root(&i, root);
    TRY(verdict(&i));
    import_write(&i, out);
    r = buf_failed(out, NULL);
    if (r.why == FAIL_NONE) r = check(&i, out);
    if (r.why == FAIL_NONE) r = verdict(&i);
    if (r.why != FAIL_NONE) buf_clear(out);
    return r;
}
