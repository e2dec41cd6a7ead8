#include "tools/tool.h"

const struct tool *tool_find(struct str name) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        for (const struct tool *tool = (*set)->tools; tool->name != NULL; tool++)
            if (str_eq(str_of(tool->name), name)) return tool;
    return NULL;
}

const struct tool *tool_at(size_t i) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        for (const struct tool *tool = (*set)->tools; tool->name != NULL; tool++)
            if (i-- == 0) return tool;
    return NULL;
}

const struct toolset *toolset_find(struct str name) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        if (str_eq(str_of((*set)->name), name)) return *set;
    return NULL;
}

static const struct toolset *toolset_of(const struct tool *tool) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        for (const struct tool *t = (*set)->tools; t->name != NULL; t++)
            if (t == tool) return *set;
    return NULL;
}

bool toolset_is_on(const struct call *call, const struct toolset *set) {
    return name_set_has(&call->origin.toolsets, str_of(set->name)) &&
           policy_may_toolset(call->snapshot->policy, &call->principal, str_of(set->name));
}

bool tool_is_offered(const struct call *call, const struct tool *tool) {
    const struct toolset *set = toolset_of(tool);
    return set != NULL && toolset_is_on(call, set) &&
           !policy_hides(call->snapshot->policy, str_of(tool->name));
}

bool tool_may_use(struct call *call, const struct tool *tool) {
    struct verdict verdict = {0};
    if (!tool_is_offered(call, tool)) return false;
    policy_decide(call->snapshot->policy, &call->principal, str_of(tool->name), &call->arena,
                  &verdict);
    return verdict.effect == EFFECT_ALLOW;
}

/* Revisions that know output schemas have the title beside the name. */
static void annotations(const struct tool *tool, bool with_title, struct json_writer *w) {
    json_key(w, STR("annotations"));
    json_object(w);
    if (with_title) json_put_text(w, STR("title"), str_of(tool->title));
    json_put_bool(w, STR("readOnlyHint"), !tool->is_destructive);
    json_put_bool(w, STR("destructiveHint"), tool->is_destructive);
    json_put_bool(w, STR("idempotentHint"), tool->is_idempotent);
    json_put_bool(w, STR("openWorldHint"), tool->is_open_world);
    json_object_end(w);
}

/* The envelope (seed A5) around the tool's own data. */
static void output_schema(const struct tool *tool, struct json_writer *w) {
    json_key(w, STR("outputSchema"));
    json_object(w);
    json_put_text(w, STR("type"), STR("object"));
    json_key(w, STR("properties"));
    json_object(w);
    json_key(w, STR("ok"));
    json_raw_value(w, STR("{\"type\":\"boolean\"}"));
    json_key(w, STR("data"));
    json_object(w);
    json_key(w, STR("anyOf"));
    json_array(w);
    json_raw_value(w, STR("{\"type\":\"null\"}"));
    json_raw_value(w, str_of(tool->data_schema));
    json_array_end(w);
    json_object_end(w);
    json_key(w, STR("error"));
    json_raw_value(w, STR("{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\"}]}"));
    json_key(w, STR("metadata"));
    json_raw_value(w, STR("{\"type\":\"object\"}"));
    json_key(w, STR("audit_id"));
    json_raw_value(w, STR("{\"type\":\"string\"}"));
    json_key(w, STR("cost_estimate"));
    json_raw_value(w, STR("{\"type\":\"object\"}"));
    json_object_end(w);
    json_key(w, STR("required"));
    json_raw_value(w, STR("[\"ok\",\"data\",\"error\",\"metadata\",\"audit_id\"]"));
    json_object_end(w);
}

void tool_describe(const struct tool *tool, bool with_output, struct json_writer *w) {
    json_object(w);
    json_put_text(w, STR("name"), str_of(tool->name));
    json_put_text(w, STR("title"), str_of(tool->title));
    json_put_text(w, STR("description"), str_of(tool->summary));
    json_key(w, STR("inputSchema"));
    input_schema(tool, w);
    if (with_output && tool->reply == TOOL_ENVELOPE) output_schema(tool, w);
    annotations(tool, !with_output, w);
    json_object_end(w);
}
