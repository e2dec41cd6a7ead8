#include "mcp/turn.h"

#include "base/limits.h"
#include "base/log.h"
#include "mcp/batch.h"
#include "mcp/methods.h"
#include "mcp/oauth.h"
#include "mcp/resume.h"
#include "mcp/task.h"
#include "tools/tool.h"

struct turn *turn_new(struct mcp *mcp, void (*finish)(struct turn *), void *owner) {
    struct snapshot *snapshot = snapshot_take(mcp->snapshots);
    struct call *call = call_new(snapshot, mcp->clock);
    snapshot_unref(snapshot); /* the call holds its own */
    if (call == NULL) return NULL;
    struct turn *turn = arena_new(&call->arena, struct turn);
    if (turn == NULL) {
        call_free(call);
        return NULL;
    }
    *turn =
        (struct turn){.mcp = mcp, .call = call, .finish = finish, .owner = owner, .status = 200};
    call->owner = turn;
    running_begin(&mcp->running, &turn->running, call);
    /* The envelope stands twice in an answer, once as text with its quotes escaped. */
    buf_init(&turn->out, 3 * call->reply.max);
    return turn;
}

void turn_free(struct turn *turn) {
    if (turn == NULL) return;
    running_end(&turn->mcp->running, &turn->running);
    resume_end(turn);
    task_end(turn);
    buf_deinit(&turn->out);
    call_free(turn->call);
}

void turn_error(struct turn *turn, const struct rpc_error *error) {
    buf_clear(&turn->out);
    turn->status = error->http_status;
    rpc_write_error(&turn->out, turn->message.id, error);
}

void turn_fail(struct turn *turn, const struct report *report) {
    const struct code *code = code_find(report->code);
    bool is_input = report->why == FAIL_INPUT || report->why == FAIL_DENIED;
    struct rpc_error error = {is_input ? RPC_INVALID_PARAMS : RPC_INTERNAL_ERROR, code->http_status,
                              str_of(report->sentence), STR_NONE};
    if (report->why == FAIL_ABSENT) error.code = RPC_SESSION_UNKNOWN;
    if (!is_input && error.code == RPC_INTERNAL_ERROR)
        log_line(LOG_ERROR, "door_failed", STR_NONE, "%s: %s", code->name, report->sentence);
    turn_error(turn, &error);
    turn->finish(turn);
}

bool turn_lacks_scope(const struct turn *turn) {
    const struct call *call = turn->call;
    return turn->message.kind == RPC_REQUEST && str_eq(turn->message.method, STR("tools/call")) &&
           !protected_may_use(identity_protected(call->snapshot->identity), &call->principal,
                              json_get_text(turn->message.params, STR("name")));
}

bool turn_step_up(struct turn *turn) {
    struct call *call = turn->call;
    const struct report *report = &call->report;
    if (report->code == NULL || strcmp(report->code, "INSUFFICIENT_SCOPE") != 0) return false;
    const struct protected_resource *resource = identity_protected(call->snapshot->identity);
    struct challenge challenge = {"insufficient_scope", str_of(report->sentence),
                                  protected_scopes(resource, call->tool_name, &call->arena),
                                  turn->metadata};
    struct rpc_error error = {RPC_INVALID_REQUEST, code_find(report->code)->http_status,
                              str_of(report->sentence), STR_NONE};
    turn->challenge = oauth_challenge(&challenge, &call->arena);
    turn_error(turn, &error);
    return true;
}

bool turn_is_left_over(struct turn *turn) {
    const struct call *call = turn->call;
    bool may_run_again = call->tool == NULL || !call->tool->is_destructive;
    return may_run_again && call->report.why == FAIL_CANCELLED && !turn->running.is_silenced &&
           running_is_ending(&turn->mcp->running);
}

void turn_at_desk(struct turn *turn, void (*step)(struct turn *turn)) {
    turn->step = step;
    if (pool_submit(turn->mcp->desk, turn->call)) return;
    struct rpc_error error = {RPC_INTERNAL_ERROR, 503, STR("the server is busy: come back later"),
                              STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
}

/* -- reading ---------------------------------------------------------------------------------- */

static bool refuse(struct turn *turn, int code, struct str message) {
    struct rpc_error error = {code, 400, message, STR_NONE};
    turn_error(turn, &error);
    return false;
}

/* {"tool":NAME,"arguments":{…}} as the ODPS seed's documents post it. */
static bool is_shorthand(const struct json *body) {
    const struct json *tool = json_get(body, STR("tool"));
    return tool != NULL && tool->type == JSON_STRING && json_get(body, STR("jsonrpc")) == NULL;
}

bool turn_read(struct turn *turn, struct str body) {
    struct call *call = turn->call;
    const struct json *value;
    struct report report = {0};
    result r = json_read(body, NULL, &call->arena, &value, &report);
    if (r.why == FAIL_MEMORY) return refuse(turn, RPC_INTERNAL_ERROR, STR("out of memory"));
    if (r.why != FAIL_NONE) {
        struct str why = str_printf(&call->arena, "%s (byte %zu)", report.sentence, report.offset);
        return refuse(turn, RPC_PARSE_ERROR, why);
    }
    if (is_shorthand(value)) {
        turn->form = TURN_SHORTHAND;
        call->tool_name = json_get(value, STR("tool"))->text;
        call->arguments = json_get(value, STR("arguments"));
        call->origin.method = STR("tools/call");
        return true;
    }
    if (value->type == JSON_ARRAY) {
        turn->form = TURN_BATCH;
        turn->batch = value;
        return true;
    }
    struct rpc_error error = {0};
    rpc_read(value, &turn->message, &error);
    call->origin.request_id = turn->message.id;
    call->origin.method = turn->message.method;
    if (error.code != 0) turn_error(turn, &error);
    return error.code == 0;
}

/* -- answering -------------------------------------------------------------------------------- */

static void shorthand_done(struct call *call) {
    struct turn *turn = call->owner;
    if (turn_step_up(turn)) buf_clear(&turn->out); /* its body is the envelope all the same */
    buf_append(&turn->out, &call->reply);
    turn->finish(turn);
}

static void take_shorthand(struct turn *turn) {
    turn->call->done = shorthand_done;
    road_walk(turn->mcp->road, turn->call);
}

/* At the desk where the session is the store's. */
static void cancel_named(struct turn *turn) {
    struct mcp *mcp = turn->mcp;
    const struct json *id = json_get(turn->message.params, STR("requestId"));
    struct report report = {0};
    if (id == NULL || turn->session == NULL) return;
    const struct turn_way *way = turn->way;
    if (way != NULL && way->unhold != NULL && way->unhold(turn, json_raw(id))) return;
    if (turn->session->own != NULL)
        (void)running_cancel(&mcp->running, turn->session->id, json_raw(id));
    else if (mcp_cancel(mcp, turn->session->id, json_raw(id), &report).why != FAIL_NONE)
        log_line(LOG_WARN, "cancel_lost", STR_NONE, "%s", report.sentence);
}

/* Nothing is answered to these, whatever they say. */
static void take_notification(struct turn *turn) {
    if (str_eq(turn->message.method, STR("notifications/cancelled"))) cancel_named(turn);
    turn->status = 202;
    turn->finish(turn);
}

static void take_response(struct turn *turn) {
    asking_deliver(turn);
    turn->status = 202;
    turn->finish(turn);
}

static void take_request(struct turn *turn) {
    const struct method *method = method_find(turn->message.method, turn->era);
    if (method == NULL) {
        struct rpc_error error = {RPC_METHOD_NOT_FOUND, turn->era == ERA_MODERN ? 404 : 200,
                                  STR("there is no such method in this revision"), STR_NONE};
        turn_error(turn, &error);
        turn->finish(turn);
        return;
    }
    peer_init(turn);
    if (turn->session != NULL)
        running_name(&turn->mcp->running, &turn->running, turn->session->id, turn->message.id);
    method->run(turn);
}

void turn_take_as(struct turn *turn, enum era era, struct str version) {
    if (turn->era != era) turn->era = era; /* from a desk never, for the loop looks at it too */
    turn->version = version;
    if (era == ERA_MODERN)
        turn->capabilities = era_capabilities(&turn->message);
    else if (turn->session != NULL)
        turn->capabilities = turn->session->capabilities;
    switch (turn->message.kind) {
    case RPC_REQUEST: take_request(turn); return;
    case RPC_RESPONSE: take_response(turn); return;
    case RPC_NOTIFICATION:
    case RPC_INVALID: take_notification(turn); return;
    }
}

/* -- sessions --------------------------------------------------------------------------------- */

static void take_one_or_batch(struct turn *turn, struct str version) {
    if (turn->form == TURN_BATCH) {
        batch_take(turn, version);
        return;
    }
    if (turn->session != NULL) resume_begin(turn);
    turn_take_as(turn, ERA_LEGACY, version);
}

/* At the desk. The version of the session holds, whatever the header says: clients are known that
 * repeat another one. */
static void take_in_session(struct turn *turn) {
    struct call *call = turn->call;
    struct report report = {0};
    result r = session_find(turn->mcp->store, &call->principal, call->origin.session_id,
                            turn->mcp->clock, &call->arena, &turn->session, &report);
    if (r.why == FAIL_NONE && turn->session->is_stream) r = session_unknown(&report);
    if (r.why != FAIL_NONE)
        turn_fail(turn, &report);
    else
        take_one_or_batch(turn, turn->session->version);
}

static void take_legacy(struct turn *turn, struct str version) {
    bool has_session = turn->call->origin.session_id.len > 0;
    bool is_initialize = str_eq(turn->message.method, STR("initialize"));
    struct rpc_error error = {RPC_INVALID_REQUEST, 400, STR_NONE, STR_NONE};
    if (has_session && is_initialize)
        error.message = STR("the session is open already: initialize comes without Mcp-Session-Id");
    else if (has_session && turn->mcp->store != NULL)
        turn_at_desk(turn, take_in_session);
    else if (has_session)
        error =
            (struct rpc_error){RPC_SESSION_UNKNOWN, 404, STR("the session is not known"), STR_NONE};
    else
        take_one_or_batch(turn, version);
    if (error.message.len == 0) return;
    turn_error(turn, &error);
    turn->finish(turn);
}

/* -- all of it -------------------------------------------------------------------------------- */

enum era turn_take(struct turn *turn, struct str body, const struct era_headers *headers) {
    if (!turn_read(turn, body)) {
        turn->finish(turn);
        return ERA_LEGACY;
    }
    if (turn->form == TURN_SHORTHAND) {
        take_shorthand(turn);
        return ERA_LEGACY;
    }
    struct era_answer answer;
    era_classify(&turn->message, headers, &turn->call->arena, &answer);
    if (answer.error.code != 0) {
        turn_error(turn, &answer.error);
        turn->finish(turn);
    } else if (answer.era == ERA_MODERN) {
        turn_take_as(turn, ERA_MODERN, answer.version);
        return ERA_MODERN;
    } else {
        take_legacy(turn, answer.version);
    }
    return ERA_LEGACY;
}
