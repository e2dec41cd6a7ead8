/* What was read, as a rules.yaml. */
#include "policy/import_inner.h"
#include "text/json.h"

#include <stdlib.h>

static void put_text(struct buf *out, struct str text) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_text(&w, text);
}

/* Numbers and truths stay what they are, every text is quoted: YAML reads JSON's. */
static void put_scalar(struct buf *out, const struct yaml *value, struct arena *arena) {
    bool is_true = str_ieq(value->text, STR("true"));
    switch (import_form(value, arena)) {
    case IMPORT_NUMBER: buf_add(out, value->text); return;
    case IMPORT_TRUTH: buf_add(out, is_true ? STR("true") : STR("false")); return;
    case IMPORT_NO_NUMBER:
    case IMPORT_TEXT: put_text(out, value->text); return;
    }
}

static void put_value(struct buf *out, const struct yaml *value, struct arena *arena) {
    if (value->type == YAML_SCALAR) {
        put_scalar(out, value, arena);
        return;
    }
    buf_add_byte(out, '[');
    for (size_t k = 0; k < value->n; k++) {
        if (k > 0) buf_add(out, STR(", "));
        put_scalar(out, &value->items[k], arena);
    }
    buf_add_byte(out, ']');
}

/* `${` would be read as a variable; what a person reads loses nothing by a blank. */
static void put_reason(struct buf *out, const char *before, struct str reason) {
    if (reason.len == 0) return;
    buf_add(out, str_of(before));
    buf_add_byte(out, '"');
    while (reason.len > 0) {
        size_t at = str_find(reason, STR("${"));
        json_escape(out, str_slice(reason, 0, at));
        if (at < reason.len) buf_add(out, STR("$ {"));
        reason = str_slice(reason, at + 2, reason.len);
    }
    buf_add_byte(out, '"');
}

static void put_condition(struct buf *out, const struct import_condition *c, struct arena *arena) {
    buf_add(out, STR("      - {path: "));
    put_text(out, c->path);
    buf_addf(out, ", op: %s, value: ", c->op);
    put_value(out, c->value, arena);
    if (c->is_optional) buf_add(out, STR(", optional: true"));
    put_reason(out, ", reason: ", c->reason);
    buf_add(out, STR("}\n"));
}

static void put_tool(struct buf *out, const struct import_tool *tool, struct arena *arena) {
    bool denies = tool->effect == EFFECT_DENY;
    bool has_rate = tool->rate_by != NULL && !denies;
    bool has_conditions = tool->n_conditions > 0 && !denies;
    buf_add(out, STR("  "));
    put_text(out, tool->name);
    if (tool->effect == EFFECT_ALLOW && !has_rate && !has_conditions) {
        buf_add(out, STR(": {}\n"));
        return;
    }
    buf_add(out, STR(":\n"));
    if (tool->effect != EFFECT_ALLOW)
        buf_addf(out, "    action: %s\n", policy_effect_name[tool->effect]);
    put_reason(out, "    reason: ", tool->reason);
    if (tool->reason.len > 0) buf_add_byte(out, '\n');
    if (has_rate)
        buf_addf(out, "    rate_limit: {max: %lld, window: %lld, by: %s}\n",
                 (long long)tool->rate_max, (long long)tool->rate_window_s, tool->rate_by);
    if (has_conditions) buf_add(out, STR("    conditions:\n"));
    for (size_t k = 0; has_conditions && k < tool->n_conditions; k++)
        put_condition(out, &tool->conditions[k], arena);
}

static int by_name(const void *a, const void *b) {
    return str_cmp(((const struct import_tool *)a)->name, ((const struct import_tool *)b)->name);
}

/* An entry twice hides no more than once. */
static void put_hidden(const struct importing *i, struct buf *out) {
    const char *before = "hide: [";
    for (size_t k = 0; i->hide != NULL && k < i->hide->n; k++) {
        bool is_new = true;
        for (size_t j = 0; j < k; j++)
            is_new = is_new && !str_eq(i->hide->items[j].text, i->hide->items[k].text);
        if (!is_new) continue;
        buf_add(out, str_of(before));
        put_text(out, i->hide->items[k].text);
        before = ", ";
    }
    if (before[0] == ',') buf_add(out, STR("]\n"));
}

void import_write(const struct importing *i, struct buf *out) {
    buf_addf(out, "version: \"1\"\ndefault: %s\n", i->denies_unnamed ? "deny" : "allow");
    put_hidden(i, out);
    if (i->n_tools > 1) qsort(i->tools, i->n_tools, sizeof *i->tools, by_name);
    buf_add(out, i->n_tools > 0 ? STR("tools:\n") : STR("tools: {}\n"));
    for (size_t k = 0; k < i->n_tools; k++) put_tool(out, &i->tools[k], i->arena);
}
