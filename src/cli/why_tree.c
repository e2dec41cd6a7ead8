#include "cli/why_tree.h"

enum group { GROUP_WHO, GROUP_WHAT, GROUP_GUARD, GROUP_ENGINE, GROUP_END, GROUPS };

static const char *const group_names[GROUPS] = {[GROUP_WHO] = "who",
                                                [GROUP_WHAT] = "what",
                                                [GROUP_GUARD] = "guard",
                                                [GROUP_ENGINE] = "engine",
                                                [GROUP_END] = "end"};

/* What of the record stands where. The policy's part is made by itself. */
static const struct row {
    enum group group;
    const char *name;  /* in JSON */
    const char *label; /* for people */
    const char *at;    /* in the record */
    const char *unit;  /* NULL: none */
} rows[] = {
    {GROUP_WHO, "user_id", "user", "/user_id", NULL},
    {GROUP_WHO, "client_id", "through", "/client_id", NULL},
    {GROUP_WHO, "auth_method", "known by", "/auth_method", NULL},
    {GROUP_WHO, "token_id", "token", "/token_id", NULL},
    {GROUP_WHO, "session_id", "session", "/session_id", NULL},
    {GROUP_WHO, "source_ip", "from", "/source_ip", NULL},
    {GROUP_WHAT, "tool", "tool", "/tool_name", NULL},
    {GROUP_WHAT, "arguments", "arguments", "/request_params", NULL},
    {GROUP_WHAT, "method", "by", "/method", NULL},
    {GROUP_WHAT, "request_id", "request", "/request_id", NULL},
    {GROUP_GUARD, "tables", "tables", "/response_summary/tables_used", NULL},
    {GROUP_GUARD, "columns", "columns", "/response_summary/columns_used", NULL},
    {GROUP_GUARD, "sql_asked", "asked", "/sql_asked", NULL},
    {GROUP_GUARD, "sql_run", "run", "/sql_run", NULL},
    {GROUP_ENGINE, "backend", "backend", "/backend", NULL},
    {GROUP_ENGINE, "engine_us", "took", "/engine_us", " µs"},
    {GROUP_ENGINE, "engine_error", "error", "/engine_error", NULL},
    {GROUP_ENGINE, "row_count", "rows", "/response_summary/row_count", NULL},
    {GROUP_ENGINE, "truncated", "cut", "/response_summary/truncated", NULL},
    {GROUP_ENGINE, "from_cache", "kept", "/from_cache", NULL},
    {GROUP_END, "station", "station", "/station", NULL},
    {GROUP_END, "outcome", "outcome", "/outcome", NULL},
    {GROUP_END, "error_code", "code", "/error_code", NULL},
    {GROUP_END, "error_message", "sentence", "/error_message", NULL},
    {GROUP_END, "latency_ms", "took", "/latency_ms", " ms"},
};

/* Null, false and an empty list say that there is nothing to tell. */
static bool is_told(const struct json *value) {
    if (value == NULL || value->type == JSON_NULL || value->type == JSON_FALSE) return false;
    return value->type != JSON_ARRAY || value->n > 0;
}

/* -- the rules that were looked at ------------------------------------------------------------ */

static bool is_look(const struct json *look) {
    return look->type == JSON_ARRAY && look->n == 2 && look->items[0].type == JSON_STRING &&
           look->items[1].type == JSON_STRING;
}

/* The verdict names a rule, or one condition of it. What came after the policy, the guard most of
 * all, may have refused what this rule allowed: that stands at the end. */
static bool is_decisive(const struct json *record, struct str rule) {
    struct str decided = json_get_text(record, STR("rule"));
    if (!str_starts(decided, rule)) return false;
    struct str rest = str_slice(decided, rule.len, decided.len);
    return rest.len == 0 || str_starts(rest, STR(".conditions["));
}

static const struct json *looks_of(const struct json *record) {
    const struct json *looks = json_get(record, STR("policy_looks"));
    return looks != NULL && looks->type == JSON_ARRAY ? looks : NULL;
}

struct see_look {
    void (*see)(void *out, struct str rule, struct str says, bool is_decisive);
    void *out;
};

/* Scopes, limits and shares decide after the rules, and are not among what was looked at. */
static void each_look(const struct json *record, struct see_look *see) {
    const struct json *looks = looks_of(record);
    struct str decided = json_get_text(record, STR("rule"));
    bool is_seen = decided.len == 0;
    for (uint32_t i = 0; looks != NULL && i < looks->n; i++) {
        const struct json *look = &looks->items[i];
        if (!is_look(look)) continue;
        bool is_the_one = is_decisive(record, look->items[0].text);
        is_seen = is_seen || is_the_one;
        see->see(see->out, look->items[0].text, look->items[1].text, is_the_one);
    }
    if (!is_seen) see->see(see->out, decided, json_get_text(record, STR("policy_decision")), true);
}

/* -- for people ------------------------------------------------------------------------------- */

enum { LABEL_BYTES = 9, INDENT = 2 };

/* A text's own lines stand under its first one, so that none passes for one of ours. */
static void print_text(struct buf *out, struct str text) {
    while (text.len > 0) {
        struct str line = str_cut(&text, '\n');
        while (line.len > 0) {
            buf_add(out, str_cut(&line, '\r'));
            if (line.ptr != NULL) buf_add(out, STR("\\r"));
        }
        if (text.ptr != NULL) buf_addf(out, "\n%*s", 2 * INDENT + LABEL_BYTES, "");
    }
}

static void print_value(struct buf *out, const struct json *value) {
    switch (value->type) {
    case JSON_STRING: print_text(out, value->text); return;
    case JSON_ARRAY:
        for (uint32_t i = 0; i < value->n; i++) {
            if (i > 0) buf_add(out, STR(", "));
            print_value(out, &value->items[i]);
        }
        return;
    case JSON_TRUE: buf_add(out, STR("yes")); return;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_NUMBER:
    case JSON_OBJECT: print_text(out, json_raw(value)); return;
    }
}

static void print_label(struct buf *out, const char *label) {
    buf_addf(out, "\n%*s%-*s", INDENT, "", LABEL_BYTES + INDENT, label);
}

static void print_group(struct buf *out, const struct json *record, enum group group) {
    bool is_begun = false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct json *value = json_at(record, str_of(rows[i].at));
        if (rows[i].group != group || !is_told(value)) continue;
        if (!is_begun) buf_addf(out, "\n%s", group_names[group]);
        is_begun = true;
        print_label(out, rows[i].label);
        print_value(out, value);
        if (rows[i].unit != NULL) buf_add(out, str_of(rows[i].unit));
    }
}

static void print_version(struct buf *out, struct str version, struct str now) {
    buf_addf(out, "\npolicy " STR_FMT, STR_ARG(version));
    if (now.len == 0)
        buf_add(out, STR(", and the configuration that is there now cannot be loaded"));
    else if (str_eq(version, now))
        buf_add(out, STR(", which is the configuration's still"));
    else
        buf_addf(out, "; the configuration's is now " STR_FMT, STR_ARG(now));
}

/* Names of rules stand in a column; longer ones push what they say to the right. */
enum { RULE_COLUMN = 40 };

static void print_look(void *with, struct str rule, struct str says, bool is_decisive) {
    struct buf *out = with;
    buf_addf(out, "\n%*s", INDENT, "");
    print_text(out, rule);
    buf_addf(out, "%*s", rule.len < RULE_COLUMN ? (int)(RULE_COLUMN - rule.len) : 1, "");
    print_text(out, says);
    if (is_decisive) buf_add(out, STR("  <- decided"));
}

static void print_policy(struct buf *out, const struct json *record, struct str now) {
    const struct json *looks = looks_of(record);
    struct str version = json_get_text(record, STR("policy_version"));
    struct str rule = json_get_text(record, STR("rule"));
    if (version.len == 0 && looks == NULL && rule.len == 0) return;
    print_version(out, version, now);
    each_look(record, &(struct see_look){print_look, out});
    struct str approval = json_get_text(record, STR("approval_id"));
    if (approval.len == 0) return;
    print_label(out, "approval");
    print_text(out, approval);
}

void why_tree_print(const struct json *record, struct str policy_now, struct buf *out) {
    buf_add(out, json_get_text(record, STR("audit_id")));
    buf_addf(out, ": " STR_FMT " at " STR_FMT,
             STR_ARG(json_get_text(record, STR("policy_decision"))),
             STR_ARG(json_get_text(record, STR("timestamp"))));
    print_group(out, record, GROUP_WHO);
    print_group(out, record, GROUP_WHAT);
    print_policy(out, record, policy_now);
    print_group(out, record, GROUP_GUARD);
    print_group(out, record, GROUP_ENGINE);
    print_group(out, record, GROUP_END);
}

/* -- for programs ----------------------------------------------------------------------------- */

static void put_member(struct json_writer *w, const char *name, const struct json *value) {
    json_key(w, str_of(name));
    if (value == NULL)
        json_null(w);
    else
        json_value(w, value);
}

static void put_group(struct json_writer *w, const struct json *record, enum group group) {
    json_key(w, str_of(group_names[group]));
    json_object(w);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].group == group)
            put_member(w, rows[i].name, json_at(record, str_of(rows[i].at)));
    json_object_end(w);
}

static void put_look(void *with, struct str rule, struct str says, bool is_decisive) {
    struct json_writer *w = with;
    json_object(w);
    json_put_text(w, STR("rule"), rule);
    json_put_text(w, STR("says"), says);
    json_put_bool(w, STR("is_decisive"), is_decisive);
    json_object_end(w);
}

static void put_policy(struct json_writer *w, const struct json *record, struct str now) {
    struct str version = json_get_text(record, STR("policy_version"));
    json_key(w, STR("policy"));
    json_object(w);
    put_member(w, "version", json_get(record, STR("policy_version")));
    json_put_bool(w, STR("is_current"), version.len > 0 && str_eq(version, now));
    put_member(w, "decision", json_get(record, STR("policy_decision")));
    put_member(w, "rule", json_get(record, STR("rule")));
    put_member(w, "reason", json_get(record, STR("deny_reason")));
    put_member(w, "approval_id", json_get(record, STR("approval_id")));
    json_key(w, STR("looks"));
    json_array(w);
    each_look(record, &(struct see_look){put_look, w});
    json_array_end(w);
    json_object_end(w);
}

void why_tree_put(const struct json *record, struct str policy_now, struct json_writer *w) {
    json_object(w);
    put_member(w, "audit_id", json_get(record, STR("audit_id")));
    put_member(w, "timestamp", json_get(record, STR("timestamp")));
    put_group(w, record, GROUP_WHO);
    put_group(w, record, GROUP_WHAT);
    put_policy(w, record, policy_now);
    put_group(w, record, GROUP_GUARD);
    put_group(w, record, GROUP_ENGINE);
    put_group(w, record, GROUP_END);
    json_object_end(w);
}
