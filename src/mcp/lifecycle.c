/*
 * mcp/lifecycle.c - who we are and what we can: initialize, ping, server/discover
 */
#include "base/limits.h"
#include "mcp/answer.h"
#include "mcp/methods.h"

#define CAPABILITIES "{\"tools\":{}}"
#define INSTRUCTIONS                                                                               \
    "Governed, read-only access to a data warehouse. List the tables, describe the one you need, " \
    "then run one SELECT with a partition filter and named columns. A refusal says what to do "    \
    "instead. 受控只读数据仓库：先列表、再看表结构、最后写一条带分区条件的 SELECT。"

static bool is_implementation(const struct json *info) {
    return json_get_text(info, STR("name")).ptr != NULL &&
           json_get_text(info, STR("version")).ptr != NULL;
}

/* A version that we do not know is answered with our latest, never with an error: clients decide.
 */
void method_initialize(struct turn *turn) {
    const struct json *params = turn->message.params;
    const struct json *capabilities = json_get(params, STR("capabilities"));
    struct str requested = json_get_text(params, STR("protocolVersion"));
    if (requested.ptr == NULL || capabilities == NULL || capabilities->type != JSON_OBJECT ||
        !is_implementation(json_get(params, STR("clientInfo")))) {
        answer_refuse_params(turn, "initialize needs protocolVersion, capabilities and clientInfo "
                                   "with name and version");
        return;
    }
    struct str version = era_legacy_version(requested);
    turn->version = version.ptr != NULL ? version : STR(MCP_LEGACY_LATEST);
    struct json_writer *w = answer_begin(turn);
    json_put_text(w, STR("protocolVersion"), turn->version);
    json_key(w, STR("capabilities"));
    json_raw_value(w, STR(CAPABILITIES));
    json_key(w, STR("serverInfo"));
    json_raw_value(w, STR(SERVER_INFO));
    json_put_text(w, STR("instructions"), STR(INSTRUCTIONS));
    answer_end(turn);
}

void method_ping(struct turn *turn) {
    answer_empty(turn);
}

void method_discover(struct turn *turn) {
    struct json_writer *w = answer_begin_kept(turn, LIST_TTL_MS);
    json_key(w, STR("supportedVersions"));
    json_raw_value(w, STR("[\"" MCP_MODERN_VERSION "\"]"));
    json_key(w, STR("capabilities"));
    json_raw_value(w, STR(CAPABILITIES));
    json_put_text(w, STR("instructions"), STR(INSTRUCTIONS));
    answer_end(turn);
}
