/* Intercept's rules and conditions, and what of them can be said here. */
#include "base/option.h"
#include "policy/import_inner.h"
#include "text/json.h"
#include "text/regex.h"

/* -- values ----------------------------------------------------------------------------------- */

static bool is_number_of_json(struct str text, struct arena *arena) {
    const struct json *json;
    struct report report = {0};
    return json_read(text, NULL, arena, &json, &report).why == FAIL_NONE &&
           json->type == JSON_NUMBER;
}

static bool is_truth(struct str text) {
    return str_ieq(text, STR("true")) || str_ieq(text, STR("false"));
}

enum import_form import_form(const struct yaml *scalar, struct arena *arena) {
    struct str text = scalar->text;
    if (!scalar->is_plain) return IMPORT_TEXT;
    if (is_truth(text)) return IMPORT_TRUTH;
    char first = text.len > 0 ? text.ptr[0] : 0;
    bool may_be = (first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.';
    if (!may_be) return IMPORT_TEXT;
    return is_number_of_json(text, arena) ? IMPORT_NUMBER : IMPORT_NO_NUMBER;
}

/* `${NAME}` would be taken from the environment when our file is read. */
static bool is_value(const struct yaml *value, struct arena *arena) {
    if (value == NULL || value->type != YAML_SCALAR || yaml_is_null(value)) return false;
    if (str_find(value->text, STR("${")) < value->text.len) return false;
    return import_form(value, arena) != IMPORT_NO_NUMBER;
}

enum takes { TAKES_VALUE, TAKES_NUMBER, TAKES_LIST, TAKES_PATTERN, TAKES_TRUTH, TAKES_PART };

static const struct op {
    const char *name;
    const char *turned; /* holds where this one does not; NULL: nothing does */
    enum takes takes;
} ops[] = {
    {"eq", "neq", TAKES_VALUE},        {"neq", "eq", TAKES_VALUE},
    {"in", "not_in", TAKES_LIST},      {"not_in", "in", TAKES_LIST},
    {"lt", "gte", TAKES_NUMBER},       {"lte", "gt", TAKES_NUMBER},
    {"gt", "lte", TAKES_NUMBER},       {"gte", "lt", TAKES_NUMBER},
    {"regex", NULL, TAKES_PATTERN},    {"contains", NULL, TAKES_PART},
    {"exists", "exists", TAKES_TRUTH},
};

static const struct op *op_find(struct str name) {
    for (size_t k = 0; k < COUNT(ops); k++)
        if (str_eq(str_of(ops[k].name), name)) return &ops[k];
    return NULL;
}

static bool is_list(const struct yaml *value, struct arena *arena) {
    if (value == NULL || value->type != YAML_LIST) return false;
    for (size_t k = 0; k < value->n; k++)
        if (!is_value(&value->items[k], arena)) return false;
    return true;
}

static bool is_pattern(const struct yaml *value, struct arena *arena) {
    const struct regex *regex;
    struct report report = {0};
    return is_value(value, arena) && value->text.len > 0 &&
           regex_read(value->text, arena, &regex, &report).why == FAIL_NONE;
}

static bool can_say(const struct op *op, const struct yaml *value, struct arena *arena) {
    switch (op->takes) {
    case TAKES_LIST: return is_list(value, arena);
    case TAKES_PATTERN: return is_pattern(value, arena);
    case TAKES_VALUE: return is_value(value, arena);
    case TAKES_PART: return is_value(value, arena) && value->text.len > 0;
    case TAKES_NUMBER: return is_value(value, arena) && import_form(value, arena) == IMPORT_NUMBER;
    case TAKES_TRUTH: return is_value(value, arena) && is_truth(value->text);
    }
    return false;
}

/* -- conditions ------------------------------------------------------------------------------- */

/* `exists` is turned by its value. */
static const struct yaml *turn_truth(struct importing *i, const struct yaml *value) {
    struct yaml *turned = arena_new(i->arena, struct yaml);
    if (turned == NULL) return value;
    *turned = *value;
    turned->text = str_ieq(value->text, STR("true")) ? STR("false") : STR("true");
    return turned;
}

static void add_condition(struct importing *i, struct import_tool *tool,
                          const struct import_condition *condition) {
    struct import_condition *at =
        ARENA_PUSH(i->arena, tool->conditions, tool->n_conditions, tool->cap_conditions);
    if (at != NULL) *at = *condition;
}

/* What is absent fails every condition there, and so denies nothing under `deny_if`: turned round,
 * a value that is not there has to pass. Not so for `neq` and `not_in`, of which another reader
 * might have said that they hold. */
void import_condition(struct importing *i, struct import_tool *tool, const struct yaml *node,
                      struct str reason, bool is_turned) {
    static const char *const known[] = {"path", "op",      "value",  "name",
                                        "id",   "on_deny", "reason", NULL};
    struct str path = import_text(node, "path"), name = import_text(node, "op");
    const struct yaml *value = yaml_get(node, STR("value"));
    const struct op *op = op_find(name);
    i->at = node;
    if (node->type != YAML_MAP || import_stranger(node, known) != NULL) {
        import_lose(i, tool, "a condition of it is of an unknown form");
    } else if (!str_starts(path, STR("args.")) || path.len == sizeof "args." - 1) {
        import_lose(i, tool, "the path '" STR_FMT "' is none of arguments",
                    STR_ARG(utf8_clip(path, 64)));
    } else if (op == NULL || (is_turned && op->turned == NULL)) {
        import_lose(i, tool, "the operator '" STR_FMT "' %s", STR_ARG(utf8_clip(name, 64)),
                    op == NULL ? "is unknown" : "has no opposite");
    } else if (!can_say(op, value, i->arena)) {
        import_lose(i, tool, "the value of an operator '%s' cannot be said", op->name);
    } else {
        bool is_exists = op->takes == TAKES_TRUTH;
        bool is_not = str_starts(name, STR("n"));
        struct import_condition condition = {path, reason, is_turned ? op->turned : op->name, value,
                                             is_turned && !is_exists && !is_not};
        if (is_turned && is_exists) condition.value = turn_truth(i, value);
        add_condition(i, tool, &condition);
    }
}

/* -- counters --------------------------------------------------------------------------------- */

static const char *counted_by(struct importing *i, const struct import_tool *tool) {
    if (!import_is_for_all(tool)) return "tool";
    if (i->import->by != NULL) return i->import->by;
    import_wrong(i, "a limit of all tools together has to say who is counted (--by)");
    return NULL;
}

/* "10/minute"; beside it there is nothing but a name and a text. */
static void read_rate(struct importing *i, struct import_tool *tool, const struct yaml *rule) {
    int64_t max = 0, window_s = 0;
    bool is_alone = yaml_get(rule, STR("conditions")) == NULL &&
                    yaml_get(rule, STR("state")) == NULL &&
                    !str_eq(import_text(rule, "action"), STR("deny"));
    if (!is_alone || !parse_rate(import_text(rule, "rate_limit"), &max, &window_s))
        import_wrong(i, "a rate_limit must be in the format \"N/window\", without conditions, "
                        "state or action \"deny\"");
    else {
        const char *by = counted_by(i, tool);
        if (by != NULL) import_rate(i, tool, max, window_s, by);
    }
}

struct counter {
    struct str path; /* "state.run.cu" */
    int64_t window_s, step;
    bool is_read, is_limited, is_told;
};

static struct counter read_counter(struct importing *i, struct import_tool *tool,
                                   const struct yaml *state) {
    static const char *const known[] = {"counter", "window", "increment", NULL};
    static const struct {
        struct str name;
        int64_t seconds;
    } windows[] = {{STR_INIT("minute"), 60}, {STR_INIT("hour"), 3600}, {STR_INIT("day"), 86400}};
    struct counter c = {.step = 1};
    struct str name = import_text(state, "counter"), step = import_text(state, "increment");
    if (import_stranger(state, known) != NULL) {
        import_lose(i, tool, "a counter of amounts cannot be said");
        return c;
    }
    for (size_t w = 0; w < COUNT(windows); w++)
        if (str_eq(import_text(state, "window"), windows[w].name)) c.window_s = windows[w].seconds;
    bool is_step = step.len == 0 || str_to_i64(step, &c.step);
    if (c.step == 0) c.step = 1;
    c.path =
        str_printf(i->arena, "state." STR_FMT "." STR_FMT,
                   STR_ARG(import_is_for_all(tool) ? STR("_global") : tool->name), STR_ARG(name));
    c.is_read = is_step && c.step > 0 && c.window_s > 0 && name.len > 0;
    if (!c.is_read) import_wrong(i, "a counter needs a name, a window and a positive increment");
    return c;
}

/* A condition on the rule's own counter is the limit of it. What is wrong with the counter itself
 * is told already. */
static void read_limit(struct importing *i, struct import_tool *tool, const struct yaml *node,
                       struct counter *c) {
    struct str path = import_text(node, "path"), op = import_text(node, "op");
    bool is_less = str_eq(op, STR("lt"));
    int64_t most = 0;
    i->at = node;
    if (c->is_told) return;
    if (!c->is_read || !str_eq(path, c->path) || !(is_less || str_eq(op, STR("lte"))) ||
        !str_to_i64(import_text(node, "value"), &most)) {
        import_lose(i, tool, "a condition on a counter is no limit of it");
        return;
    }
    const char *by = counted_by(i, tool);
    c->is_limited = true;
    if (by != NULL)
        import_rate(i, tool, most < 1 ? 0 : (most - (is_less ? 1 : 0)) / c->step, c->window_s, by);
}

/* -- rules ------------------------------------------------------------------------------------ */

static void read_conditions(struct importing *i, struct import_tool *tool,
                            const struct yaml *rule) {
    const struct yaml *list = yaml_get(rule, STR("conditions"));
    const struct yaml *state = yaml_get(rule, STR("state"));
    struct str reason = import_text(rule, "on_deny");
    struct counter counter = {0};
    if (state != NULL && !yaml_is_null(state)) {
        counter = read_counter(i, tool, state);
        counter.is_told = !counter.is_read;
    }
    for (size_t k = 0; list != NULL && list->type == YAML_LIST && k < list->n; k++) {
        const struct yaml *node = &list->items[k];
        if (str_starts(import_text(node, "path"), STR("state.")))
            read_limit(i, tool, node, &counter);
        else
            import_condition(i, tool, node, reason, false);
    }
    i->at = rule;
    if (counter.is_read && !counter.is_limited)
        import_warn(i, "the counter '" STR_FMT "' has no limit, and counted nothing there either",
                    STR_ARG(counter.path));
}

static void read_approval(struct importing *i, struct import_tool *tool, const struct yaml *rule) {
    struct str timeout = import_text(rule, "approval_timeout");
    import_approve(tool, import_text(rule, "on_deny"));
    if (timeout.len > 0)
        import_warn(i,
                    "how long a request waits is `approvals.ttl` of weir.yaml: there it was "
                    "" STR_FMT,
                    STR_ARG(utf8_clip(timeout, 32)));
    if (yaml_get(rule, STR("conditions")) != NULL)
        import_warn(i, "every call of '" STR_FMT "' waits for a yes, and the conditions hold too",
                    STR_ARG(tool->name));
}

/* evaluate, unless it says otherwise. */
static void read_action(struct importing *i, struct import_tool *tool, const struct yaml *rule) {
    struct str action = import_text(rule, "action");
    bool has_conditions = yaml_get(rule, STR("conditions")) != NULL;
    bool has_rate = yaml_get(rule, STR("rate_limit")) != NULL;
    if (str_eq(action, STR("deny")))
        import_deny(tool, import_text(rule, "on_deny"));
    else if (str_eq(action, STR("require_approval")))
        read_approval(i, tool, rule);
    else if (action.ptr != NULL && !str_eq(action, STR("evaluate")))
        import_lose(i, tool, "there is no action '" STR_FMT "'", STR_ARG(utf8_clip(action, 64)));
    else if (!has_conditions && !has_rate)
        import_wrong(i, "a rule that evaluates must have conditions or a rate_limit");
}

void import_rule(struct importing *i, struct import_tool *tool, const struct yaml *rule) {
    static const char *const known[] = {"name",  "action",     "conditions",       "on_deny",
                                        "state", "rate_limit", "approval_timeout", NULL};
    const struct yaml *stranger = import_stranger(rule, known);
    if (rule->type != YAML_MAP) {
        import_wrong(i, "a rule must be a map");
        return;
    }
    if (stranger != NULL) {
        i->at = stranger;
        import_lose(i, tool, "the key '" STR_FMT "' is unknown or cannot be said",
                    STR_ARG(utf8_clip(stranger->text, 64)));
        return;
    }
    read_action(i, tool, rule);
    if (yaml_get(rule, STR("rate_limit")) != NULL) read_rate(i, tool, rule);
    read_conditions(i, tool, rule);
}
