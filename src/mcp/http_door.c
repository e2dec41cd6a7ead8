#include "mcp/http_door.h"

#include "base/limits.h"
#include "base/log.h"
#include "mcp/health.h"
#include "mcp/turn.h"
#include "net/sse.h"

#include <pthread.h>

/* -- small answers ---------------------------------------------------------------------------- */

#define HEADER(name, value)                                                                        \
    { STR_INIT(name), STR_INIT(value) }

static const struct http_header json_type[] = {HEADER("Content-Type", "application/json")};

/* {"error":{"code":…,"message":…,"hint":…}}: for those who are not through the door yet. */
static void refuse(struct http_exchange *x, int status, const char *code, const char *message,
                   const char *hint, const struct http_header *extra) {
    struct buf body;
    struct json_writer w;
    buf_init(&body, 4096);
    json_writer_init(&w, &body);
    json_object(&w);
    json_key(&w, STR("error"));
    json_object(&w);
    json_put_text(&w, STR("code"), str_of(code));
    json_put_text(&w, STR("message"), str_of(message));
    if (hint != NULL && hint[0] != '\0') json_put_text(&w, STR("hint"), str_of(hint));
    json_object_end(&w);
    json_object_end(&w);
    struct http_header headers[2] = {json_type[0]};
    if (extra != NULL) headers[1] = *extra;
    http_reply(x, status, headers, extra != NULL ? 2 : 1, &body);
    buf_deinit(&body);
}

/* -- a turn's answer, brought back to its loop ------------------------------------------------ */

struct visit { /* of one request to the door */
    struct http_exchange *exchange;
    struct turn *turn;
    struct loop_task task;
    pthread_t thread;          /* the loop's */
    bool is_stream;            /* the client takes nothing but an event stream */
    struct http_header origin; /* for CORS; an empty value: none */
};

static size_t put_cors(const struct visit *visit, struct http_header *headers) {
    if (visit->origin.value.len == 0) return 0;
    headers[0] = visit->origin;
    headers[1] = (struct http_header)HEADER("Vary", "Origin");
    return 2;
}

static void reply_json(struct visit *visit, int status, struct buf *out) {
    struct http_header headers[3] = {json_type[0]};
    size_t n = 1 + put_cors(visit, headers + 1);
    http_reply(visit->exchange, status, headers, n, out);
}

/* One event and the end, for clients that do not list application/json. */
static void reply_event(struct visit *visit, struct buf *out) {
    struct http_header headers[5] = {HEADER("Content-Type", "text/event-stream"),
                                     HEADER("Cache-Control", "no-cache"),
                                     HEADER("X-Accel-Buffering", "no")};
    size_t n = 3 + put_cors(visit, headers + 3);
    struct buf event;
    buf_init(&event, out->max + 64);
    struct str data = buf_flat(out, &visit->turn->call->arena);
    if (data.ptr == NULL) { /* it found no room in one piece */
        refuse(visit->exchange, 500, "OUT_OF_MEMORY", "the answer could not be built", NULL, NULL);
        return;
    }
    sse_event(&event, STR("message"), STR_NONE, data);
    http_reply(visit->exchange, 200, headers, n, &event);
    buf_deinit(&event);
}

static void reply(struct visit *visit) {
    struct turn *turn = visit->turn;
    http_on_gone(visit->exchange, NULL, NULL);
    if (buf_failed(&turn->out, NULL).why != FAIL_NONE)
        refuse(visit->exchange, 500, "INTERNAL_ERROR", "the answer could not be built", NULL, NULL);
    else if (turn->out.len == 0)
        reply_json(visit, turn->status, NULL);
    else if (visit->is_stream && turn->status == 200)
        reply_event(visit, &turn->out);
    else
        reply_json(visit, turn->status, &turn->out);
    turn_free(turn);
}

static void reply_task(struct loop_task *task) {
    reply(holder_of(task, struct visit, task));
}

/* On the loop's thread while turn_take() runs, else on the audit writer's. */
static void finish(struct turn *turn) {
    struct visit *visit = turn->owner;
    visit->task.run = reply_task;
    if (pthread_equal(pthread_self(), visit->thread))
        loop_defer(http_loop(visit->exchange), &visit->task);
    else
        loop_post_task(http_loop(visit->exchange), &visit->task);
}

static void peer_left(void *ctx) {
    struct visit *visit = ctx;
    call_cancel(visit->turn->call);
}

/* -- through the door ------------------------------------------------------------------------- */

static struct str header_of(const void *req, struct str name) {
    return http_header(req, name);
}

static bool identify(struct http_door *door, struct turn *turn, const struct http_request *req) {
    struct call *call = turn->call;
    struct origin origin = {.kind = ORIGIN_HTTP,
                            .header = header_of,
                            .with = req,
                            .peer = req->peer,
                            .peer_is_loopback = req->peer_is_loopback};
    result r = identity_identify(call->snapshot->identity, &origin, &call->arena, &call->principal,
                                 &call->report);
    if (r.why == FAIL_NONE) return true;
    const struct code *code = code_find(call->report.code);
    bool is_missing = strcmp(code->name, "AUTH_REQUIRED") == 0;
    struct http_header challenge = {STR("WWW-Authenticate"),
                                    is_missing
                                        ? STR("Bearer realm=\"weir\"")
                                        : STR("Bearer realm=\"weir\", error=\"invalid_token\"")};
    road_refused(door->mcp->road, req->peer, code->name);
    refuse(req->exchange, r.why == FAIL_DENIED ? 401 : 500, code->name, call->report.sentence,
           call->report.hint, r.why == FAIL_DENIED ? &challenge : NULL);
    return false;
}

/* Media types in a header, without regard to parameters and case. */
static bool lists_type(struct str header, struct str type) {
    for (struct str rest = header; rest.ptr != NULL;) {
        struct str item = str_cut(&rest, ',');
        if (str_ieq(str_trim(str_cut(&item, ';')), type)) return true;
    }
    return false;
}

static bool takes_events_only(const struct http_request *req) {
    struct str accept = http_header(req, STR("Accept"));
    return lists_type(accept, STR("text/event-stream")) &&
           !lists_type(accept, STR("application/json")) &&
           !lists_type(accept, STR("application/*")) && !lists_type(accept, STR("*/*"));
}

static void take_turn(struct visit *visit, const struct http_request *req) {
    struct turn *turn = visit->turn;
    struct era_headers headers = {http_header(req, STR("MCP-Protocol-Version")),
                                  http_header(req, STR("Mcp-Method")),
                                  http_header(req, STR("Mcp-Name"))};
    struct str session = http_header(req, STR("Mcp-Session-Id"));
    bool is_modern = str_eq(str_trim(headers.version), STR(MCP_MODERN_VERSION));
    if (session.ptr != NULL && !is_modern) { /* none was ever given out; modern ones ignore it */
        struct rpc_error error = {RPC_INVALID_REQUEST, 404, STR("the session is not known"),
                                  STR_NONE};
        turn_error(turn, &error);
        finish(turn);
        return;
    }
    turn_take(turn, req->body, &headers);
}

static void post(struct http_door *door, struct http_exchange *x, const struct http_request *req,
                 struct str allowed_origin) {
    struct turn *turn = turn_new(door->mcp, finish, NULL);
    struct visit *visit = turn == NULL ? NULL : arena_new(&turn->call->arena, struct visit);
    if (visit == NULL) {
        refuse(x, 503, "OUT_OF_MEMORY", "the server is out of memory", NULL, NULL);
        turn_free(turn);
        return;
    }
    *visit = (struct visit){.exchange = x,
                            .turn = turn,
                            .thread = pthread_self(),
                            .is_stream = takes_events_only(req),
                            .origin = {STR("Access-Control-Allow-Origin"), allowed_origin}};
    turn->owner = visit;
    turn->call->origin.peer = req->peer;
    if (!identify(door, turn, req)) {
        turn_free(turn);
        return;
    }
    take_turn(visit, req);
    /* Only here: whoever is listened for this way must keep its sending side open, and a legacy
     * client may close it. The answer leaves on this thread, so it cannot have left yet. */
    if (turn->era == ERA_MODERN) http_on_gone(x, peer_left, visit);
}

/* Only JSON is read, but the shorthand comes with whatever type curl puts in. */
static bool is_json(const struct http_request *req) {
    struct str type = http_header(req, STR("Content-Type"));
    return lists_type(type, STR("application/json")) ||
           (str_find(req->body, STR("\"jsonrpc\"")) == req->body.len &&
            str_find(req->body, STR("\"tool\"")) < req->body.len);
}

static void preflight(struct http_exchange *x, struct str origin) {
    struct http_header headers[] = {
        {STR("Access-Control-Allow-Origin"), origin},
        HEADER("Access-Control-Allow-Methods", "POST, OPTIONS"),
        HEADER("Access-Control-Allow-Headers",
               "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name"),
        HEADER("Access-Control-Max-Age", "600"),
        HEADER("Vary", "Origin")};
    http_reply(x, 204, origin.len > 0 ? headers : headers + 1,
               COUNT(headers) - (origin.len > 0 ? 0 : 1), NULL);
}

static void serve_mcp(struct http_door *door, struct http_exchange *x,
                      const struct http_request *req) {
    struct str origin = http_header(req, STR("Origin"));
    static const struct http_header allow = HEADER("Allow", "POST, OPTIONS");
    if (str_eq(req->method, STR("OPTIONS")))
        preflight(x, origin);
    else if (!str_eq(req->method, STR("POST")))
        refuse(x, 405, "METHOD_NOT_ALLOWED", "messages are sent by POST", NULL, &allow);
    else if (!is_json(req))
        refuse(x, 415, "UNSUPPORTED_MEDIA_TYPE", "the body must be of type application/json",
               "Send the header Content-Type: application/json", NULL);
    else
        post(door, x, req, origin);
}

static bool is_mcp_path(const struct http_door *door, const struct http_request *req) {
    for (size_t i = 0; i < door->paths.n; i++)
        if (str_eq(door->paths.items[i], req->path)) return true;
    return str_eq(req->path, STR("/")) && str_eq(req->method, STR("POST"));
}

void http_door_serve(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct http_door *door = ctx;
    struct str origin = http_header(req, STR("Origin"));
    enum gate_answer gate = gate_check(door->gate, req->host, origin, req->bind_is_loopback);
    if (gate != GATE_ALLOW) {
        road_refused(door->mcp->road, req->peer, gate_code(gate));
        refuse(x, 403, gate_code(gate),
               gate == GATE_HOST_NOT_ALLOWED ? "this Host is not served here"
                                             : "pages of this Origin may not call",
               "security.yaml lists allowed_hosts and allowed_origins", NULL);
    } else if (http_header_count(req, STR("Authorization")) > 1) {
        /* Two readers of such a request could take it for two people's. */
        road_refused(door->mcp->road, req->peer, "BAD_REQUEST");
        refuse(x, 400, "BAD_REQUEST", "the header Authorization is given more than once", NULL,
               NULL);
    } else if (is_mcp_path(door, req)) {
        serve_mcp(door, x, req);
    } else if (!health_serve(door->mcp, x, req)) {
        refuse(x, 404, "NOT_FOUND", "there is nothing at this path", "MCP is served at /mcp", NULL);
    }
}

void http_door_refused(void *ctx, struct str peer, int status, const char *why) {
    struct mcp *mcp = ctx;
    log_line(LOG_INFO, "http_refused", STR_NONE, "%d %s from " STR_FMT, status, why, STR_ARG(peer));
    road_refused(mcp->road, peer, "BAD_REQUEST");
}
