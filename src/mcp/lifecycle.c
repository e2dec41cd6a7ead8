/*
 * mcp/lifecycle.c - who we are and what we can: initialize, ping, server/discover
 */
#include "base/limits.h"
#include "base/log.h"
#include "mcp/answer.h"
#include "mcp/methods.h"
#include "mcp/task.h"
#include "shape/text.h"
#include "tools/offer.h"
#include "tools/tool.h"

#define INSTRUCTIONS                                                                               \
    "Governed, read-only access to a data warehouse. List the tables, describe the one you need, " \
    "then run one SELECT with a partition filter and named columns. A refusal says what to do "    \
    "instead. 受控只读数据仓库：先列表、再看表结构、最后写一条带分区条件的 SELECT。 " TEXT_NOTICE

static bool is_implementation(const struct json *info) {
    return json_get_text(info, STR("name")).ptr != NULL &&
           json_get_text(info, STR("version")).ptr != NULL;
}

/* Just what is served where the call came in. */
static void put_capabilities(struct turn *turn, struct json_writer *w) {
    bool may_complete = era_at_least(turn->version, "2025-03-26");
    const struct {
        const char *name;
        bool is_served;
        struct str json;
    } all[] = {
        {"tools", tool_at(0) != NULL, STR("{\"listChanged\":true}")},
        {"resources", resource_at(0) != NULL, STR("{\"subscribe\":true,\"listChanged\":true}")},
        {"prompts", prompt_at(0) != NULL, STR("{\"listChanged\":true}")},
        {"completions", may_complete && prompt_at(0) != NULL, STR("{}")},
        {"logging", true, STR("{}")}};
    json_key(w, STR("capabilities"));
    json_object(w);
    for (size_t i = 0; i < COUNT(all); i++) {
        if (!all[i].is_served) continue;
        json_key(w, str_of(all[i].name));
        json_raw_value(w, all[i].json);
    }
    if (turn->era == ERA_MODERN && turn->mcp->store != NULL) {
        json_key(w, STR("extensions"));
        json_raw_value(w, STR("{\"" TASKS_EXTENSION "\":{}}"));
    }
    json_object_end(w);
}

static void answer_initialize(struct turn *turn) {
    struct json_writer *w = answer_begin(turn);
    json_put_text(w, STR("protocolVersion"), turn->version);
    put_capabilities(turn, w);
    json_key(w, STR("serverInfo"));
    json_raw_value(w, STR(SERVER_INFO));
    json_put_text(w, STR("instructions"), STR(INSTRUCTIONS));
    answer_end(turn);
}

/* At the desk. Where the store cannot keep a session the client is served without one: all that it
 * lacks then is what needs one. */
static void open_session(struct turn *turn) {
    struct call *call = turn->call;
    struct report report = {0};
    struct session *session = arena_new(&call->arena, struct session);
    if (session != NULL) {
        *session = (struct session){
            .version = turn->version, .capabilities = turn->capabilities, .level = SESSION_LEVEL};
        result r = session_open(turn->mcp->store, &call->principal, session, &call->arena, &report);
        if (r.why == FAIL_NONE) turn->session = session;
    }
    if (turn->session == NULL)
        log_line(LOG_WARN, "session_not_kept", STR_NONE, "%s", report.sentence);
    answer_initialize(turn);
}

/* At the desk. Changes the record of the session, as often as another message comes between. */
static result change_session(struct turn *turn, void (*change)(struct turn *turn),
                             struct report *report) {
    struct call *call = turn->call;
    for (;;) {
        bool is_kept;
        change(turn);
        TRY(session_keep(turn->mcp->store, &call->principal, turn->session, &call->arena, &is_kept,
                         report));
        if (is_kept) return OK;
        TRY(session_find(turn->mcp->store, &call->principal, call->origin.session_id,
                         turn->mcp->clock, &call->arena, &turn->session, report));
    }
}

static void change_terms(struct turn *turn) {
    turn->session->version = turn->version;
    turn->session->capabilities = turn->capabilities;
}

/* Over HTTP+SSE the stream has opened the session before anything was agreed. */
static void keep_terms(struct turn *turn) {
    struct report report = {0};
    if (change_session(turn, change_terms, &report).why == FAIL_NONE)
        answer_initialize(turn);
    else
        turn_fail(turn, &report);
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
    turn->capabilities = capabilities;
    if (turn->session == NULL && turn->mcp->store != NULL)
        turn_at_desk(turn, open_session);
    else if (turn->session != NULL && turn->session->is_stream)
        keep_terms(turn); /* at the desk already */
    else
        answer_initialize(turn);
}

void method_ping(struct turn *turn) {
    answer_empty(turn);
}

/* -- logging ---------------------------------------------------------------------------------- */

static enum client_level level_of(const struct turn *turn) {
    return client_level_find(json_get_text(turn->message.params, STR("level")));
}

static void change_level(struct turn *turn) {
    turn->session->level = level_of(turn);
}

static void set_level(struct turn *turn) {
    struct report report = {0};
    if (change_session(turn, change_level, &report).why == FAIL_NONE)
        answer_empty(turn);
    else
        turn_fail(turn, &report);
}

/* Without a session there is nothing that could be told later, so there is nothing to keep. */
void method_set_level(struct turn *turn) {
    struct session *session = turn->session;
    if (level_of(turn) == CLIENT_SILENT) {
        answer_refuse_params(turn, "'level' must be one of debug, info, notice, warning, error, "
                                   "critical, alert, emergency");
        return;
    }
    if (session != NULL && session->own == NULL) {
        set_level(turn); /* a message in a session is at the desk already */
        return;
    }
    if (session != NULL) session->level = level_of(turn);
    answer_empty(turn);
}

void method_discover(struct turn *turn) {
    struct json_writer *w = answer_begin_kept(turn, KEPT_DISCOVERY);
    json_key(w, STR("supportedVersions"));
    json_raw_value(w, STR("[\"" MCP_MODERN_VERSION "\"]"));
    put_capabilities(turn, w);
    json_put_text(w, STR("instructions"), STR(INSTRUCTIONS));
    answer_end(turn);
}
