#include "mcp/visit.h"

#include "base/fault.h"
#include "base/limits.h"
#include "mcp/http_stream.h"
#include "net/sse.h"

#include <stdlib.h>

#define HEADER(name, value)                                                                        \
    { STR_INIT(name), STR_INIT(value) }

static const struct http_header json_type = HEADER("Content-Type", "application/json");
const struct http_header visit_stream_headers[STREAM_HEADERS] = {
    HEADER("Content-Type", "text/event-stream"), HEADER("Cache-Control", "no-cache, no-transform"),
    HEADER("X-Accel-Buffering", "no")};

/* An event on its way to the loop. */
struct piece {
    struct piece *next;
    struct buf event;
};

struct visit {
    struct http_exchange *exchange; /* NULL: it was let go */
    struct turn *turn;
    struct loop *loop;
    pthread_t thread;              /* the loop's */
    bool takes_json, takes_stream; /* of the client */
    struct str origin;             /* for CORS; empty: none */
    bool is_get;                   /* of what others say: it can be had elsewhere */
    bool has_begun;                /* the stream */
    pthread_mutex_t lock;          /* for what follows */
    struct loop_task task;
    bool is_posted;
    struct piece *first, **end;
    bool is_finished, is_let_go, is_accepted;
    char *early; /* an answer that leaves while the turn goes on; malloc'd */
    size_t early_len;
    void (*step)(struct turn *turn); /* to be done on the loop */
    struct loop_timer timer;         /* of visit_after() */
    void (*later)(struct turn *turn);
};

bool visit_lists_type(struct str header, struct str type) {
    for (struct str rest = header; rest.ptr != NULL;) {
        struct str item = str_cut(&rest, ',');
        if (str_ieq(str_trim(str_cut(&item, ';')), type)) return true;
    }
    return false;
}

/* -- headers ---------------------------------------------------------------------------------- */

/* A page may read the answer, and of its headers those that the protocol needs. */
enum { CORS_HEADERS = 3 };
static size_t put_cors(struct str origin, struct http_header *headers) {
    if (origin.len == 0) return 0;
    headers[0] = (struct http_header){STR("Access-Control-Allow-Origin"), origin};
    headers[1] = (struct http_header)HEADER("Vary", "Origin");
    headers[2] = (struct http_header)HEADER(
        "Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version");
    return CORS_HEADERS;
}

/* What stands beside the type in every answer: CORS, and the session that initialize opened. */
enum { COMMON_HEADERS = CORS_HEADERS + 1 };
static size_t put_common(const struct visit *visit, struct http_header *headers) {
    const struct session *session = visit->turn->session;
    size_t n = put_cors(visit->origin, headers);
    if (session != NULL && session->id.len > 0 && !session->is_stream)
        headers[n++] = (struct http_header){STR("Mcp-Session-Id"), session->id};
    return n;
}

/* -- refusals --------------------------------------------------------------------------------- */

static void put_refusal(const struct refusal *why, struct buf *body) {
    struct json_writer w;
    json_writer_init(&w, body);
    json_object(&w);
    json_key(&w, STR("error"));
    json_object(&w);
    json_put_text(&w, STR("code"), str_of(why->code));
    json_put_text(&w, STR("message"), str_of(why->message));
    if (why->hint != NULL && why->hint[0] != '\0')
        json_put_text(&w, STR("hint"), str_of(why->hint));
    json_object_end(&w);
    json_object_end(&w);
}

void visit_refuse(struct http_exchange *x, const struct refusal *why) {
    struct http_header headers[2 + CORS_HEADERS] = {json_type};
    size_t n = 1 + put_cors(why->origin, headers + 1);
    struct buf body;
    if (why->header.value.len > 0) headers[n++] = why->header;
    buf_init(&body, 4096);
    put_refusal(why, &body);
    http_reply(x, why->status, headers, n, &body);
    buf_deinit(&body);
}

/* -- on the loop ------------------------------------------------------------------------------ */

/* A process that ends waits for answers, as long as it does: a stream that one is to come on is not
 * ended before. */
static void server_drains(void *ctx) {
    (void)ctx;
}

static void begin_stream(struct visit *visit) {
    struct http_header headers[STREAM_HEADERS + COMMON_HEADERS];
    if (visit->has_begun) return;
    memcpy(headers, visit_stream_headers, sizeof visit_stream_headers);
    size_t n = STREAM_HEADERS + put_common(visit, headers + STREAM_HEADERS);
    http_stream_begin(visit->exchange, 200, headers, n);
    if (!visit->is_get) http_on_drain(visit->exchange, server_drains, NULL);
    visit->has_begun = true;
}

/* The turn may go on meanwhile (send_early()); one that ended so has its challenge. */
static void reply_json(struct visit *visit, int status, struct str retry_after, struct buf *out) {
    struct http_header headers[3 + COMMON_HEADERS] = {json_type};
    size_t n = 1 + put_common(visit, headers + 1);
    if (retry_after.len > 0) headers[n++] = (struct http_header){STR("Retry-After"), retry_after};
    if (status == 403 && visit->turn->challenge.len > 0)
        headers[n++] = (struct http_header){STR("WWW-Authenticate"), visit->turn->challenge};
    http_reply(visit->exchange, status, headers, n, out->len > 0 ? out : NULL);
}

/* The last event and the end. */
static void reply_event(struct visit *visit, struct str id, struct str data) {
    struct buf event;
    begin_stream(visit);
    buf_init(&event, data.len + KIB);
    if (data.len > 0) sse_event(&event, STR("message"), id, data);
    if (event.len > 0) (void)http_stream_send(visit->exchange, &event);
    buf_deinit(&event);
    http_stream_end(visit->exchange);
}

/* In seconds, of a refusal that passes with time; else empty. */
static struct str retry_after(struct call *call) {
    int64_t ms = call->facts.retry_after_ms;
    if (ms <= 0 || call->report.why == FAIL_NONE) return STR_NONE;
    return str_printf(&call->arena, "%lld", (long long)((ms + 999) / 1000));
}

static void reply(struct visit *visit) {
    struct turn *turn = visit->turn;
    http_on_gone(visit->exchange, NULL, NULL);
    bool is_failed = buf_failed(&turn->out, NULL).why != FAIL_NONE;
    if (is_failed) {
        struct rpc_error error = {RPC_INTERNAL_ERROR, 500, STR("the answer could not be built"),
                                  STR_NONE};
        turn_error(turn, &error);
    }
    if (turn->running.is_silenced) buf_clear(&turn->out);
    bool wants_stream = turn->status == 200 && visit->takes_stream &&
                        (!visit->takes_json || turn->running.is_silenced);
    if (visit->has_begun || wants_stream)
        reply_event(visit, turn->out_id, buf_flat(&turn->out, &turn->call->arena));
    else /* nothing is no JSON document: what was cancelled is answered as a notification is */
        reply_json(visit, turn->running.is_silenced ? 202 : turn->status, retry_after(turn->call),
                   &turn->out);
}

static void send_pieces(struct visit *visit, struct piece *piece) {
    for (struct piece *next; piece != NULL; piece = next) {
        next = piece->next;
        if (visit->exchange != NULL) {
            begin_stream(visit);
            (void)http_stream_send(visit->exchange, &piece->event);
        }
        buf_deinit(&piece->event);
        free(piece);
    }
}

/* The call runs on another thread meanwhile: nothing of its turn's or arena's is touched. */
static void send_early(struct visit *visit) {
    struct str json = {visit->early, visit->early_len};
    struct buf body;
    if (visit->exchange == NULL || json.len == 0) return;
    http_on_gone(visit->exchange, NULL, NULL);
    buf_init(&body, json.len);
    buf_add(&body, json);
    if (visit->has_begun || !visit->takes_json)
        reply_event(visit, STR_NONE, json);
    else
        reply_json(visit, 200, STR_NONE, &body);
    buf_deinit(&body);
    visit->exchange = NULL;
}

static void let_exchange_go(struct visit *visit) {
    if (visit->exchange == NULL) return;
    begin_stream(visit);
    http_on_gone(visit->exchange, NULL, NULL);
    http_stream_end(visit->exchange);
    visit->exchange = NULL;
}

/* As other servers say it. Nothing of the turn is looked at: it goes on meanwhile. */
static void reply_accepted(struct visit *visit) {
    struct http_header headers[CORS_HEADERS];
    struct buf body;
    if (visit->exchange == NULL) return;
    buf_init(&body, KIB);
    buf_add(&body, STR("Accepted"));
    http_on_gone(visit->exchange, NULL, NULL);
    bool has_body = buf_failed(&body, NULL).why == FAIL_NONE;
    http_reply(visit->exchange, 202, headers, put_cors(visit->origin, headers),
               has_body ? &body : NULL);
    buf_deinit(&body);
    visit->exchange = NULL;
}

static void end(struct visit *visit) {
    loop_timer_cancel(&visit->timer);
    free(visit->early);
    pthread_mutex_destroy(&visit->lock);
    turn_free(visit->turn);
}

static void deliver(struct loop_task *task) {
    struct visit *visit = holder_of(task, struct visit, task);
    pthread_mutex_lock(&visit->lock);
    struct piece *pieces = visit->first;
    bool is_finished = visit->is_finished, is_let_go = visit->is_let_go;
    bool is_accepted = visit->is_accepted;
    void (*step)(struct turn *) = visit->step;
    visit->step = NULL;
    visit->first = NULL;
    visit->end = &visit->first;
    visit->is_posted = false;
    pthread_mutex_unlock(&visit->lock);
    if (is_accepted) reply_accepted(visit);
    send_pieces(visit, pieces);
    send_early(visit);
    if (is_let_go) let_exchange_go(visit);
    if (step != NULL) step(visit->turn); /* which may finish, and is posted again then */
    if (!is_finished) return;
    if (visit->exchange != NULL) reply(visit);
    end(visit);
}

/* -- from any thread -------------------------------------------------------------------------- */

/* Under the lock. `loop` outlives the exchange. */
static void post(struct visit *visit, struct loop *loop) {
    if (visit->is_posted) return;
    visit->is_posted = true;
    visit->task.run = deliver;
    if (pthread_equal(pthread_self(), visit->thread))
        loop_defer(loop, &visit->task);
    else
        loop_post_task(loop, &visit->task);
}

void visit_finish(struct turn *turn) {
    struct visit *visit = turn->owner;
    pthread_mutex_lock(&visit->lock);
    visit->is_finished = true;
    post(visit, visit->loop);
    pthread_mutex_unlock(&visit->lock);
}

/* What finds no memory is not told: the answer still comes. */
static void send(struct turn *turn, struct str id, struct str json) {
    struct visit *visit = turn->owner;
    struct piece *piece = fault_now() ? NULL : calloc(1, sizeof *piece);
    if (piece == NULL) return;
    buf_init(&piece->event, json.len + KIB);
    if (json.len > 0)
        sse_event(&piece->event, STR("message"), id, json);
    else
        buf_addf(&piece->event, "id: " STR_FMT "\nretry: %d\ndata: \n\n", STR_ARG(id),
                 STREAM_RETRY_MS);
    pthread_mutex_lock(&visit->lock);
    *visit->end = piece;
    visit->end = &piece->next;
    post(visit, visit->loop);
    pthread_mutex_unlock(&visit->lock);
}

static void let_go(struct turn *turn) {
    struct visit *visit = turn->owner;
    pthread_mutex_lock(&visit->lock);
    visit->is_let_go = true;
    post(visit, visit->loop);
    pthread_mutex_unlock(&visit->lock);
}

void visit_accept(struct turn *turn) {
    struct visit *visit = turn->owner;
    pthread_mutex_lock(&visit->lock);
    visit->is_accepted = true;
    post(visit, visit->loop);
    pthread_mutex_unlock(&visit->lock);
}

static void answer_early(struct turn *turn, struct str json) {
    struct visit *visit = turn->owner;
    char *early = fault_now() ? NULL : malloc(json.len);
    if (early == NULL) return; /* the connection stays open until the call ends */
    memcpy(early, json.ptr, json.len);
    pthread_mutex_lock(&visit->lock);
    visit->early = early;
    visit->early_len = json.len;
    post(visit, visit->loop);
    pthread_mutex_unlock(&visit->lock);
}

/* On the loop. */
static bool hold(struct turn *turn, const struct subscription *what) {
    struct visit *visit = turn->owner;
    if (visit->exchange == NULL) return false;
    struct http_exchange *x = visit->exchange;
    http_on_gone(x, NULL, NULL);
    begin_stream(visit);
    if (http_stream_hold(&turn->mcp->hub, x, what)) {
        visit->exchange = NULL;
        return true;
    }
    return false;
}

bool visit_is_open(struct turn *turn) {
    struct visit *visit = turn->owner;
    if (visit->exchange == NULL) return false;
    begin_stream(visit);
    return !http_is_gone(visit->exchange);
}

bool visit_send_event(struct turn *turn, struct str event, struct str data) {
    struct visit *visit = turn->owner;
    struct buf buf;
    if (!visit_is_open(turn)) return false;
    buf_init(&buf, data.len + KIB);
    sse_event(&buf, event, STR_NONE, data);
    bool is_sent =
        buf_failed(&buf, NULL).why == FAIL_NONE && http_stream_send(visit->exchange, &buf);
    buf_deinit(&buf);
    return is_sent;
}

void visit_at_loop(struct turn *turn, void (*step)(struct turn *turn)) {
    struct visit *visit = turn->owner;
    pthread_mutex_lock(&visit->lock);
    visit->step = step;
    post(visit, visit->loop);
    pthread_mutex_unlock(&visit->lock);
}

static void fire(struct loop_timer *timer) {
    struct visit *visit = holder_of(timer, struct visit, timer);
    visit->later(visit->turn);
}

void visit_after(struct turn *turn, int64_t ms, void (*step)(struct turn *turn)) {
    struct visit *visit = turn->owner;
    visit->later = step;
    visit->timer.fire = fire;
    loop_timer_set(visit->loop, &visit->timer, loop_now_ns(visit->loop) + ms * INT64_C(1000000));
}

/* -- its beginning ---------------------------------------------------------------------------- */

/* A subscriber ends with its connection. */
static const struct turn_way way = {.send = send,
                                    .let_go = let_go,
                                    .answer_early = answer_early,
                                    .after = visit_after,
                                    .hold = hold};

/* What a client that says nothing takes is JSON. */
static void read_accept(struct visit *visit, struct str accept) {
    bool any = visit_lists_type(accept, STR("*/*"));
    visit->takes_stream = any || visit_lists_type(accept, STR("text/event-stream"));
    visit->takes_json = !visit->takes_stream || any ||
                        visit_lists_type(accept, STR("application/json")) ||
                        visit_lists_type(accept, STR("application/*"));
}

struct turn *visit_begin(struct mcp *mcp, struct http_exchange *x, const struct http_request *req,
                         struct str origin) {
    struct turn *turn = turn_new(mcp, visit_finish, NULL);
    struct visit *visit = turn == NULL ? NULL : arena_new(&turn->call->arena, struct visit);
    if (visit == NULL) {
        turn_free(turn);
        return NULL;
    }
    *visit = (struct visit){.exchange = x,
                            .turn = turn,
                            .thread = pthread_self(),
                            .loop = http_loop(x),
                            .origin = origin};
    visit->end = &visit->first;
    pthread_mutex_init(&visit->lock, NULL);
    read_accept(visit, http_header(req, STR("Accept")));
    visit->is_get = str_eq(req->method, STR("GET"));
    if (visit->is_get) visit->takes_json = false;
    turn->owner = visit;
    turn->way = visit->takes_stream ? &way : NULL;
    turn->call->origin.peer = str_dup(&turn->call->arena, req->peer);
    return turn;
}

void visit_abandon(struct turn *turn) {
    end(turn->owner);
}

static void peer_left(void *ctx) {
    struct visit *visit = ctx;
    call_cancel(visit->turn->call);
}

void visit_cancel_when_gone(struct turn *turn) {
    struct visit *visit = turn->owner;
    if (visit->exchange != NULL) http_on_gone(visit->exchange, peer_left, visit);
}
