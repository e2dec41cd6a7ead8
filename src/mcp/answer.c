#include "mcp/answer.h"

#include "base/limits.h"

struct json_writer *answer_begin_as(struct turn *turn, const char *result_type) {
    struct json_writer *w = &turn->writer;
    rpc_begin_result(&turn->out, turn->message.id);
    json_writer_init(w, &turn->out);
    json_object(w);
    if (turn->era == ERA_LEGACY) return w;
    json_put_text(w, STR("resultType"), str_of(result_type));
    json_key(w, STR("_meta"));
    json_raw_value(w, STR("{\"io.modelcontextprotocol/serverInfo\":" SERVER_INFO "}"));
    return w;
}

struct json_writer *answer_begin(struct turn *turn) {
    return answer_begin_as(turn, "complete");
}

static int64_t ttl_of(const struct turn *turn, enum answer_kept what) {
    const struct cache_settings *cache = &turn->call->snapshot->settings.cache;
    if (!cache->is_enabled) return what == KEPT_READING ? READ_TTL_MS : LIST_TTL_MS;
    switch (what) {
    case KEPT_DISCOVERY: return LIST_TTL_MS;
    case KEPT_TOOLS: return cache->list_tools_ttl_ms;
    case KEPT_RESOURCES: return cache->list_resources_ttl_ms;
    case KEPT_PROMPTS: return cache->list_prompts_ttl_ms;
    case KEPT_READING: return cache->read_resource_ttl_ms;
    }
    return 0;
}

struct json_writer *answer_begin_kept(struct turn *turn, enum answer_kept what) {
    struct json_writer *w = answer_begin(turn);
    if (turn->era == ERA_LEGACY) return w;
    json_put_int(w, STR("ttlMs"), ttl_of(turn, what));
    json_put_text(w, STR("cacheScope"), STR("private"));
    return w;
}

void answer_end(struct turn *turn) {
    json_object_end(&turn->writer);
    rpc_end_result(&turn->out);
    turn->finish(turn);
}

void answer_empty(struct turn *turn) {
    answer_begin(turn);
    answer_end(turn);
}

void answer_refuse(struct turn *turn, int code, struct str message, struct str data) {
    struct rpc_error error = {code, 200, message, data};
    turn_error(turn, &error);
    turn->finish(turn);
}

void answer_refuse_params(struct turn *turn, const char *message) {
    answer_refuse(turn, RPC_INVALID_PARAMS, str_of(message), STR_NONE);
}

/* Unless it could not be recorded. */
static void tell_lost(struct call *call) {
    bool is_recorded = strcmp(call->report.code, "CALL_LOST") == 0;
    answer_refuse(call->owner, RPC_INTERNAL_ERROR, str_of(call->report.sentence),
                  is_recorded ? STR("{\"code\":\"CALL_LOST\"}") : STR_NONE);
}

/* Whoever ran it has left no record of it: this one is all that tells of the call. */
void answer_lost(struct turn *turn) {
    struct call *call = turn->call;
    call->tool_name = json_get_text(turn->message.params, STR("name"));
    call->arguments = json_get(turn->message.params, STR("arguments"));
    call->done = tell_lost;
    (void)fail(&call->report, FAIL_IO, "CALL_LOST", REPORT_NO_OFFSET,
               "CALL_LOST: the replica that ran the call is gone, and this tool may not run twice; "
               "look whether it took effect");
    road_stop(turn->mcp->road, call);
}
