#include "mcp/http_session.h"

#include "mcp/resume.h"
#include "mcp/visit.h"

static void refuse(struct turn *turn, int status, int code, const char *message) {
    struct rpc_error error = {code, status, str_of(message), STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
}

/* At the desk. false: the turn is finished. */
static bool find(struct turn *turn) {
    struct call *call = turn->call;
    struct report report = {0};
    result r = session_find(turn->mcp->store, &call->principal, call->origin.session_id,
                            turn->mcp->clock, &call->arena, &turn->session, &report);
    if (r.why == FAIL_NONE && turn->session->is_stream) r = session_unknown(&report);
    if (r.why != FAIL_NONE) turn_fail(turn, &report);
    return r.why == FAIL_NONE;
}

/* Both need a session, and somewhere to look it up. */
static bool has_session(struct turn *turn, const struct http_request *req) {
    struct call *call = turn->call;
    call->origin.method = str_eq(req->method, STR("GET")) ? STR("GET") : STR("DELETE");
    call->origin.session_id =
        str_dup(&call->arena, str_trim(http_header(req, STR("Mcp-Session-Id"))));
    if (call->origin.session_id.len == 0)
        refuse(turn, 400, RPC_INVALID_REQUEST, "the header Mcp-Session-Id is missing");
    else if (turn->mcp->store == NULL)
        refuse(turn, 404, RPC_SESSION_UNKNOWN, "the session is not known");
    else
        return true;
    return false;
}

/* -- GET -------------------------------------------------------------------------------------- */

static void hold(struct turn *turn) {
    struct subscription what = {
        .wants = CHANGED_ALL, .session_id = turn->session->id, .watched = turn->session->watched};
    if (turn->way->hold(turn, &what))
        turn->finish(turn);
    else
        refuse(turn, 503, RPC_INTERNAL_ERROR, "no more streams can be held open");
}

static void open_stream(struct turn *turn) {
    if (find(turn)) visit_at_loop(turn, hold);
}

static void follow(struct turn *turn) {
    if (find(turn)) resume_follow(turn, turn->last_event_id);
}

void http_session_get(struct turn *turn, const struct http_request *req) {
    struct str last = str_trim(http_header(req, STR("Last-Event-ID")));
    if (turn->way == NULL) {
        refuse(turn, 406, RPC_INVALID_REQUEST, "a GET is answered by text/event-stream alone");
    } else if (has_session(turn, req)) {
        turn->last_event_id = str_dup(&turn->call->arena, last);
        turn_at_desk(turn, resume_is_event(last) ? follow : open_stream);
    }
}

/* -- DELETE ----------------------------------------------------------------------------------- */

static void close_session(struct turn *turn) {
    struct report report = {0};
    if (!find(turn)) return;
    result r = mcp_close_session(turn->mcp, turn->session, &turn->call->arena, &report);
    if (r.why != FAIL_NONE) {
        turn_fail(turn, &report);
        return;
    }
    turn->session = NULL;
    turn->status = 204;
    turn->finish(turn);
}

void http_session_delete(struct turn *turn, const struct http_request *req) {
    if (has_session(turn, req)) turn_at_desk(turn, close_session);
}
