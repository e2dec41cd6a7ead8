#include "mcp/answer.h"

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

struct json_writer *answer_begin_kept(struct turn *turn, int64_t ttl_ms) {
    struct json_writer *w = answer_begin(turn);
    if (turn->era == ERA_LEGACY) return w;
    json_put_int(w, STR("ttlMs"), ttl_ms);
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
