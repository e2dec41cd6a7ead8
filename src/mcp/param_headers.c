#include "mcp/param_headers.h"

#include "tools/tool.h"

/* 42 and 42.0 are one number. */
static bool is_number(struct str text, const struct json *argument, struct arena *arena) {
    const struct json *read;
    struct report unused = {0};
    if (json_read(text, NULL, arena, &read, &unused).why != FAIL_NONE || read->type != JSON_NUMBER)
        return false;
    if (read->is_integer && argument->is_integer) return read->integer == argument->integer;
    return json_double(read) <= json_double(argument) && json_double(read) >= json_double(argument);
}

static bool repeats(struct str raw, const struct json *argument, struct arena *arena) {
    struct str text;
    if (!era_header_value(str_trim(raw), arena, &text)) return false;
    switch (argument->type) {
    case JSON_STRING: return str_eq(text, argument->text);
    case JSON_NUMBER: return is_number(text, argument, arena);
    case JSON_TRUE: return str_eq(text, STR("true"));
    case JSON_FALSE: return str_eq(text, STR("false"));
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return false;
}

static bool agrees(struct turn *turn, const struct mirrored *m, const struct json *arguments) {
    struct arena *arena = &turn->call->arena;
    const struct json *argument = json_get(arguments, str_of(m->field));
    struct str name = str_printf(arena, "Mcp-Param-%s", m->header);
    struct str raw = turn->header(turn->header_with, name);
    if (argument == NULL || argument->type == JSON_NULL) return raw.ptr == NULL;
    return raw.ptr != NULL && repeats(raw, argument, arena);
}

static void refuse(struct turn *turn, const struct mirrored *m) {
    struct rpc_error error = {
        RPC_HEADER_MISMATCH, 400,
        str_printf(&turn->call->arena, "the header Mcp-Param-%s does not repeat the argument '%s'",
                   m->header, m->field),
        STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
}

bool param_headers_check(struct turn *turn, struct str tool_name, const struct json *arguments) {
    const struct tool *tool = tool_find(tool_name);
    if (turn->era != ERA_MODERN || turn->header == NULL || tool == NULL ||
        !tool_may_use(turn->call, tool))
        return true;
    for (const struct mirrored *m = tool->mirrored; m != NULL && m->field != NULL; m++)
        if (!agrees(turn, m, arguments)) {
            refuse(turn, m);
            return false;
        }
    return true;
}
