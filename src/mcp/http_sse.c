#include "mcp/http_sse.h"

#include "base/limits.h"
#include "mcp/batch.h"
#include "mcp/visit.h"

static void refuse(struct turn *turn, int status, int code, const char *message) {
    struct rpc_error error = {code, status, str_of(message), STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
}

/* -- the stream ------------------------------------------------------------------------------- */

static void hold(struct turn *turn) {
    struct subscription what = {
        .wants = CHANGED_ALL, .session_id = turn->session->id, .is_session = true};
    if (visit_send_event(turn, STR("endpoint"), turn->endpoint) && turn->way->hold(turn, &what)) {
        turn->finish(turn);
        return;
    }
    mcp_forget_session(turn->mcp, turn->session->id);
    refuse(turn, 503, RPC_INTERNAL_ERROR, "no more streams can be held open");
}

/* At the desk. What the client can is known from its initialize. */
static void open_session(struct turn *turn) {
    struct call *call = turn->call;
    struct report report = {0};
    struct session *session = arena_new(&call->arena, struct session);
    struct json *nothing = arena_new(&call->arena, struct json);
    result r = OK;
    if (session == NULL || nothing == NULL) {
        r = fail_memory(&report);
    } else {
        nothing->type = JSON_OBJECT;
        *session = (struct session){.version = STR("2024-11-05"),
                                    .capabilities = nothing,
                                    .level = SESSION_LEVEL,
                                    .is_stream = true};
        r = session_open(turn->mcp->store, &call->principal, session, &call->arena, &report);
    }
    if (r.why == FAIL_NONE) {
        turn->session = session;
        turn->endpoint = str_printf(&call->arena, STR_FMT "?sessionId=" STR_FMT,
                                    STR_ARG(turn->endpoint), STR_ARG(session->id));
        if (turn->endpoint.ptr == NULL) r = fail_memory(&report);
    }
    if (r.why == FAIL_NONE)
        visit_at_loop(turn, hold);
    else
        turn_fail(turn, &report);
}

void http_sse_open(struct turn *turn, const struct http_request *req) {
    struct str beside = str_slice(req->path, 0, req->path.len - strlen(HTTP_SSE_WORD));
    turn->call->origin.method = STR("GET");
    turn->endpoint = str_printf(&turn->call->arena, STR_FMT HTTP_MESSAGES_WORD, STR_ARG(beside));
    if (turn->way == NULL)
        refuse(turn, 406, RPC_INVALID_REQUEST, "a GET is answered by text/event-stream alone");
    else if (turn->mcp->store == NULL)
        refuse(turn, 404, RPC_INVALID_REQUEST, "no sessions are kept here");
    else
        turn_at_desk(turn, open_session);
}

/* -- a message: its way is the stream of its session ------------------------------------------ */

static void send(struct turn *turn, struct str id, struct str json) {
    (void)id;
    if (json.len > 0) hub_post(&turn->mcp->hub, turn->session->id, json);
}

static void answer_early(struct turn *turn, struct str json) {
    send(turn, STR_NONE, json);
    turn->running.is_silenced = true;
}

/* The POST has ended already: there is no connection of its own to end, to time or to hold. */
static const struct turn_way way = {.send = send, .answer_early = answer_early};

static void refuse_unbuilt(struct turn *turn) {
    struct rpc_error error = {RPC_INTERNAL_ERROR, 500, STR("the answer could not be built"),
                              STR_NONE};
    turn_error(turn, &error);
}

/* Perhaps on another thread. A notification has no answer. */
static void finish(struct turn *turn) {
    if (buf_failed(&turn->out, NULL).why != FAIL_NONE) refuse_unbuilt(turn);
    if (turn->out.len > 0 && !turn->running.is_silenced) {
        struct str answer = buf_flat(&turn->out, &turn->call->arena);
        if (answer.ptr == NULL) {
            refuse_unbuilt(turn);
            answer = buf_flat(&turn->out, &turn->call->arena);
        }
        if (answer.ptr != NULL) send(turn, STR_NONE, answer);
    }
    visit_finish(turn);
}

static result find(struct turn *turn, struct report *report) {
    struct call *call = turn->call;
    TRY(session_find(turn->mcp->store, &call->principal, call->origin.session_id, turn->mcp->clock,
                     &call->arena, &turn->session, report));
    bool is_open = turn->session->is_stream && hub_has(&turn->mcp->hub, turn->session->id);
    return is_open ? OK : session_unknown(report);
}

/* At the desk. */
static void take(struct turn *turn) {
    struct report report = {0};
    if (find(turn, &report).why != FAIL_NONE) {
        turn_fail(turn, &report);
        return;
    }
    if (!turn_lacks_scope(turn)) { /* else the POST itself is refused, by status */
        visit_accept(turn);
        turn->finish = finish;
        turn->way = &way;
    }
    if (turn->form == TURN_BATCH)
        batch_take(turn, turn->session->version);
    else
        turn_take_as(turn, ERA_LEGACY, turn->session->version);
}

/* The value of that parameter: ours is of hex digits, so that nothing has to be decoded. */
static struct str parameter(struct str query, struct str name) {
    for (struct str rest = query; rest.ptr != NULL;) {
        struct str value = str_cut(&rest, '&');
        if (str_eq(str_cut(&value, '='), name)) return value;
    }
    return STR_NONE;
}

void http_sse_post(struct turn *turn, const struct http_request *req) {
    struct call *call = turn->call;
    call->origin.session_id = str_dup(&call->arena, parameter(req->query, STR("sessionId")));
    struct str body = str_dup(&call->arena, req->body);
    if (call->origin.session_id.len == 0)
        refuse(turn, 400, RPC_INVALID_REQUEST, "the parameter sessionId is missing");
    else if (turn->mcp->store == NULL)
        refuse(turn, 404, RPC_SESSION_UNKNOWN, "the session is not known");
    else if (body.ptr == NULL)
        refuse(turn, 503, RPC_INTERNAL_ERROR, "out of memory");
    else if (!turn_read(turn, body))
        turn->finish(turn);
    else if (turn->form == TURN_SHORTHAND)
        refuse(turn, 400, RPC_INVALID_REQUEST, "a session is spoken to by JSON-RPC");
    else
        turn_at_desk(turn, take);
}
