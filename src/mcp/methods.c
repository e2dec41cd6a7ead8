#include "mcp/methods.h"

#include "base/limits.h"
#include "tools/tool.h"

#define SERVER_INFO  "{\"name\":\"weir\",\"title\":\"Weir\",\"version\":\"" WEIR_VERSION "\"}"
#define CAPABILITIES "{\"tools\":{}}"
#define INSTRUCTIONS                                                                               \
    "Governed, read-only access to a data warehouse. List the tables, describe the one you need, " \
    "then run one SELECT with a partition filter and named columns. A refusal says what to do "    \
    "instead. 受控只读数据仓库：先列表、再看表结构、最后写一条带分区条件的 SELECT。"

static void answer(struct turn *turn, struct str result_json) {
    rpc_begin_result(&turn->out, turn->message.id);
    buf_add(&turn->out, result_json);
    rpc_end_result(&turn->out);
    turn->finish(turn);
}

static void refuse_params(struct turn *turn, const char *message) {
    struct rpc_error error = {RPC_INVALID_PARAMS, 200, str_of(message), STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
}

/* What every modern result begins with. */
static void put_modern(struct turn *turn) {
    buf_add(&turn->out, STR("\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/"
                            "serverInfo\":" SERVER_INFO "},"));
}

/* A list depends on who asks, so nobody may share it; it may be kept for a short while, for what a
 * caller may do is decided again at every call. */
static void put_cache(struct turn *turn) {
    buf_addf(&turn->out, "\"ttlMs\":%d,\"cacheScope\":\"private\",", LIST_TTL_MS);
}

/* -- lifecycle -------------------------------------------------------------------------------- */

static bool is_implementation(const struct json *info) {
    return json_get_text(info, STR("name")).ptr != NULL &&
           json_get_text(info, STR("version")).ptr != NULL;
}

/* A version that we do not know is answered with our latest, never with an error: clients decide.
 */
static void run_initialize(struct turn *turn) {
    const struct json *params = turn->message.params;
    const struct json *capabilities = json_get(params, STR("capabilities"));
    struct str requested = json_get_text(params, STR("protocolVersion"));
    if (requested.ptr == NULL || capabilities == NULL || capabilities->type != JSON_OBJECT ||
        !is_implementation(json_get(params, STR("clientInfo")))) {
        refuse_params(turn, "initialize needs protocolVersion, capabilities and clientInfo with "
                            "name and version");
        return;
    }
    struct str version = era_legacy_version(requested);
    turn->version = version.ptr != NULL ? version : STR(MCP_LEGACY_LATEST);
    rpc_begin_result(&turn->out, turn->message.id);
    buf_addf(&turn->out, "{\"protocolVersion\":\"" STR_FMT "\",", STR_ARG(turn->version));
    buf_add(&turn->out, STR("\"capabilities\":" CAPABILITIES ",\"serverInfo\":" SERVER_INFO
                            ",\"instructions\":\"" INSTRUCTIONS "\"}"));
    rpc_end_result(&turn->out);
    turn->finish(turn);
}

static void run_ping(struct turn *turn) {
    answer(turn, STR("{}"));
}

static void run_discover(struct turn *turn) {
    rpc_begin_result(&turn->out, turn->message.id);
    buf_add_byte(&turn->out, '{');
    put_modern(turn);
    put_cache(turn);
    buf_add(&turn->out,
            STR("\"supportedVersions\":[\"" MCP_MODERN_VERSION "\"],\"capabilities\":" CAPABILITIES
                ",\"instructions\":\"" INSTRUCTIONS "\"}"));
    rpc_end_result(&turn->out);
    turn->finish(turn);
}

/* -- tools ------------------------------------------------------------------------------------ */

/* What a caller may not use it does not see. */
static bool may_see(struct turn *turn, const struct tool *tool) {
    struct call *call = turn->call;
    struct verdict verdict = {0};
    policy_decide(call->snapshot->policy, &call->principal, str_of(tool->name), &call->arena,
                  &verdict);
    return verdict.effect == EFFECT_ALLOW;
}

static void run_tools_list(struct turn *turn) {
    const struct json *cursor = json_get(turn->message.params, STR("cursor"));
    bool with_output = era_at_least(turn->version, "2025-06-18");
    if (cursor != NULL) { /* one page: no cursor was ever given out */
        refuse_params(turn, "the cursor is not one of ours");
        return;
    }
    rpc_begin_result(&turn->out, turn->message.id);
    buf_add_byte(&turn->out, '{');
    if (turn->era == ERA_MODERN) {
        put_modern(turn);
        put_cache(turn);
    }
    buf_add(&turn->out, STR("\"tools\":["));
    bool any = false;
    for (size_t i = 0; i < turn->mcp->n_tools; i++) {
        const struct tool_text *text = &turn->mcp->tools[i];
        if (!may_see(turn, text->tool)) continue;
        if (any) buf_add_byte(&turn->out, ',');
        buf_add(&turn->out, with_output ? text->with_output : text->without_output);
        any = true;
    }
    buf_add(&turn->out, STR("]}"));
    rpc_end_result(&turn->out);
    turn->finish(turn);
}

/* An unknown tool is the protocol's error; any other failure is a result that the model can read
 * and act on. */
static void call_done(struct call *call) {
    struct turn *turn = call->owner;
    struct buf *out = &turn->out;
    if (call->report.code != NULL && strcmp(call->report.code, "TOOL_NOT_FOUND") == 0) {
        struct rpc_error error = {RPC_INVALID_PARAMS, 200, str_of(call->report.sentence), STR_NONE};
        turn_error(turn, &error);
        turn->finish(turn);
        return;
    }
    rpc_begin_result(out, turn->message.id);
    buf_add_byte(out, '{');
    if (turn->era == ERA_MODERN) put_modern(turn);
    buf_add(out, STR("\"content\":[{\"type\":\"text\",\"text\":\""));
    json_escape_buf(out, &call->reply);
    buf_add(out, STR("\"}],"));
    if (era_at_least(turn->version, "2025-06-18")) {
        buf_add(out, STR("\"structuredContent\":"));
        buf_append(out, &call->reply);
        buf_add_byte(out, ',');
    }
    buf_add(out, call_is_ok(call) ? STR("\"isError\":false}") : STR("\"isError\":true}"));
    rpc_end_result(out);
    turn->finish(turn);
}

static void run_tools_call(struct turn *turn) {
    const struct json *params = turn->message.params;
    const struct json *arguments = json_get(params, STR("arguments"));
    struct call *call = turn->call;
    call->tool_name = json_get_text(params, STR("name"));
    if (call->tool_name.ptr == NULL) {
        refuse_params(turn, "tools/call needs the tool's 'name'");
        return;
    }
    if (arguments != NULL && arguments->type != JSON_OBJECT) {
        refuse_params(turn, "'arguments' must be an object");
        return;
    }
    call->arguments = arguments;
    call->done = call_done;
    road_walk(turn->mcp->road, call);
}

/* -- the table -------------------------------------------------------------------------------- */

static const struct method methods[] = {
    {"initialize", true, false, run_initialize},    {"ping", true, false, run_ping},
    {"server/discover", false, true, run_discover}, {"tools/list", true, true, run_tools_list},
    {"tools/call", true, true, run_tools_call},
};

const struct method *method_find(struct str name, enum era era) {
    for (size_t i = 0; i < COUNT(methods); i++) {
        const struct method *m = &methods[i];
        if (str_eq(str_of(m->name), name) && (era == ERA_MODERN ? m->is_modern : m->is_legacy))
            return m;
    }
    return NULL;
}
