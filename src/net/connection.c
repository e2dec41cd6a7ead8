#include "net/connection.h"

#include "base/fault.h"
#include "base/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define NS_PER_MS INT64_C(1000000)
#define NEVER     INT64_MAX

static void conn_advance(struct http_exchange *c);

static const bool legal[CONN_STATES][CONN_STATES] = {
    [CONN_READING] = {[CONN_WORKING] = true, [CONN_WRITING] = true, [CONN_DEAD] = true},
    [CONN_WORKING] = {[CONN_STREAMING] = true, [CONN_WRITING] = true, [CONN_GONE] = true},
    [CONN_STREAMING] = {[CONN_WRITING] = true, [CONN_GONE] = true},
    [CONN_WRITING] = {[CONN_READING] = true, [CONN_LINGERING] = true, [CONN_DEAD] = true},
    [CONN_LINGERING] = {[CONN_DEAD] = true},
    [CONN_GONE] = {[CONN_DEAD] = true},
};

void conn_enter(struct http_exchange *c, enum conn_state next) {
    bool is_legal = legal[c->state][next];

    assert(is_legal);
    (void)is_legal; /* a build without assertions does not ask */
    c->state = next;
}

static bool has_socket(const struct http_exchange *c) {
    return c->state != CONN_GONE && c->state != CONN_DEAD;
}

static const struct http_settings *settings(const struct http_exchange *c) {
    return &c->lane->server->settings;
}

/* -- deadlines -------------------------------------------------------------------------------- */

/* The timer is moved only to sooner times. On a busy connection deadlines move later with each
 * request; the timer then finds, once in a timeout's length, that it has to wait on. */
static void set_deadline(struct http_exchange *c, int64_t at_ns) {
    c->deadline_ns = at_ns;
    if (at_ns != NEVER && (c->timer.loop == NULL || at_ns < c->timer.at_ns))
        loop_timer_set(c->lane->loop, &c->timer, at_ns);
}

static void set_timeout(struct http_exchange *c, int64_t ms) {
    set_deadline(c, loop_now_ns(c->lane->loop) + ms * NS_PER_MS);
}

static void on_deadline(struct loop_timer *timer) {
    struct http_exchange *c = holder_of(timer, struct http_exchange, timer);

    if (c->deadline_ns > loop_now_ns(c->lane->loop)) {
        set_deadline(c, c->deadline_ns);
    } else if (c->state == CONN_READING && c->has_begun) {
        conn_refuse(c, 408, "the request took too long to arrive");
    } else {
        conn_cut(c);
    }
}

/* -- what the socket is watched for ----------------------------------------------------------- */

static uint32_t wanted_events(const struct http_exchange *c) {
    uint32_t events = c->peer_ended ? 0 : EPOLLRDHUP;

    /* Back-pressure: who does not read is not read from. */
    if (outbox_pending(&c->outbox) > 0) return events | EPOLLOUT;
    if (c->wire.wants_write) events |= EPOLLOUT;
    return c->is_deaf ? events : events | EPOLLIN;
}

static void update_watch(struct http_exchange *c) {
    if (has_socket(c)) loop_watch_change(&c->watch, wanted_events(c));
}

/* -- the end ---------------------------------------------------------------------------------- */

void conn_free(struct http_exchange *c) {
    if (has_socket(c)) {
        loop_watch_end(&c->watch);
        wire_close(&c->wire);
        atomic_fetch_sub(&c->lane->server->n_open, 1);
    }
    loop_timer_cancel(&c->timer);
    outbox_deinit(&c->outbox);
    inbox_give(&c->lane->inboxes, c->inbox);
    list_leave(&c->by_lane);
    free(c);
}

/* What must not happen on the stack of who caused it: freeing, telling the handler, going on to a
 * pipelined request from inside http_reply(). */
static void after_turn(struct loop_task *task) {
    struct http_exchange *c = holder_of(task, struct http_exchange, after);

    c->is_after_queued = false;
    if (c->state == CONN_DEAD) {
        struct http_lane *lane = c->lane;
        conn_free(c);
        if (lane->is_draining && list_empty(&lane->connections)) loop_stop(lane->loop);
    } else if (c->state == CONN_GONE && c->gone != NULL) {
        void (*gone)(void *ctx) = c->gone;
        c->gone = NULL;
        gone(c->gone_ctx);
    } else if (c->state == CONN_READING) {
        conn_advance(c);
    }
}

static void queue_after(struct http_exchange *c) {
    if (c->is_after_queued) return;
    c->is_after_queued = true;
    loop_defer(c->lane->loop, &c->after);
}

void conn_cut(struct http_exchange *c) {
    bool is_handlers = c->state == CONN_WORKING || c->state == CONN_STREAMING;

    if (!has_socket(c)) return;
    loop_watch_end(&c->watch);
    loop_timer_cancel(&c->timer);
    wire_close(&c->wire);
    outbox_deinit(&c->outbox);
    atomic_fetch_sub(&c->lane->server->n_open, 1);
    conn_enter(c, is_handlers ? CONN_GONE : CONN_DEAD);
    queue_after(c);
}

void conn_finish_gone(struct http_exchange *c) {
    conn_enter(c, CONN_DEAD);
    queue_after(c);
}

/* Closing while the peer still sends makes the kernel reset the connection, which can take the
 * answer away before the peer has read it. So we only stop sending, and listen for a while. */
static void linger(struct http_exchange *c) {
    conn_enter(c, CONN_LINGERING);
    if (c->peer_ended) {
        conn_cut(c);
        return;
    }
    wire_shut(&c->wire);
    inbox_give(&c->lane->inboxes, c->inbox);
    c->inbox = NULL;
    c->taken = 0;
    c->is_deaf = false;
    set_timeout(c, HTTP_LINGER_MS);
    update_watch(c);
}

/* -- writing ---------------------------------------------------------------------------------- */

/* A reader that takes a step's worth gets a new deadline; one that dribbles does not. */
static void count_taken(struct http_exchange *c, size_t n) {
    c->taken += n;
    if (c->taken < HTTP_WRITE_STEP) return;
    c->taken = 0;
    set_timeout(c, settings(c)->write_timeout);
}

static void all_written(struct http_exchange *c) {
    outbox_deinit(&c->outbox);
    if (c->is_cut_when_written) {
        conn_cut(c);
    } else if (c->state == CONN_WRITING) {
        conn_answered(c);
    } else {
        set_deadline(c, NEVER);
        update_watch(c);
    }
}

/* Writes what waits. false: the peer takes no more now, or the connection is cut. */
static bool flush(struct http_exchange *c) {
    while (outbox_pending(&c->outbox) > 0) {
        struct iovec iov[HTTP_IOV_MAX];
        size_t n = outbox_iov(&c->outbox, iov, HTTP_IOV_MAX);
        size_t sent = 0;
        enum wire_step step = wire_write(&c->wire, iov, n, &sent);
        if (step == WIRE_AGAIN) return false;
        if (step != WIRE_OK) {
            conn_cut(c);
            return false;
        }
        outbox_drop(&c->outbox, sent);
        count_taken(c, sent);
    }
    return true;
}

static size_t two_iov(const struct buf *head, const struct buf *body, struct iovec *iov) {
    size_t n = buf_iov(head, 0, iov, HTTP_IOV_MAX);

    return body == NULL ? n : n + buf_iov(body, 0, iov + n, HTTP_IOV_MAX - n);
}

static void queue_rest(struct http_exchange *c, struct buf *head, struct buf *body, size_t sent) {
    bool was_empty = outbox_pending(&c->outbox) == 0;
    bool taken = outbox_take(&c->outbox, head);

    if (body != NULL) taken = outbox_take(&c->outbox, body) && taken;
    if (!taken) {
        conn_cut(c);
        return;
    }
    outbox_drop(&c->outbox, sent);
    if (was_empty) {
        c->taken = 0;
        set_timeout(c, settings(c)->write_timeout);
    }
    update_watch(c);
}

void conn_send(struct http_exchange *c, struct buf *head, struct buf *body) {
    size_t total = head->len + (body != NULL ? body->len : 0);
    size_t sent = 0;

    /* Straight from where the bytes were made, as long as nothing waits before them. */
    if (outbox_pending(&c->outbox) == 0 && total > 0) {
        struct iovec iov[HTTP_IOV_MAX];
        size_t n = two_iov(head, body, iov);
        enum wire_step step = wire_write(&c->wire, iov, n, &sent);
        if (step != WIRE_OK && step != WIRE_AGAIN) {
            conn_cut(c);
            sent = total;
        }
    }
    if (sent == total || !has_socket(c)) {
        buf_clear(head);
        if (body != NULL) buf_deinit(body);
    } else {
        queue_rest(c, head, body, sent);
    }
}

/* -- from one request to the next ------------------------------------------------------------- */

static void begin_request(struct http_exchange *c) {
    c->has_begun = true;
    set_timeout(c, settings(c)->request_timeout);
}

/* Makes ready for the next request, of which bytes may be here already. */
static void next_request(struct http_exchange *c) {
    conn_enter(c, CONN_READING);
    c->gone = c->drain = NULL;
    c->was_continued = c->has_begun = c->is_deaf = false;
    if (c->inbox != NULL && inbox_rest(c->inbox) > 0) {
        inbox_next(&c->lane->inboxes, c->inbox);
        begin_request(c);
    } else {
        inbox_give(&c->lane->inboxes, c->inbox);
        c->inbox = NULL;
        set_timeout(c, settings(c)->idle_timeout);
    }
    update_watch(c);
    if (!c->is_advancing && (c->inbox != NULL || wire_has_pending(&c->wire))) queue_after(c);
}

void conn_answered(struct http_exchange *c) {
    if (!has_socket(c)) return; /* it broke while sending: conn_cut() has done the rest */
    if (c->state != CONN_WRITING) conn_enter(c, CONN_WRITING);
    if (outbox_pending(&c->outbox) > 0) return;
    if (c->keeps_alive && !c->lane->is_draining) {
        next_request(c);
    } else {
        linger(c);
    }
}

void conn_refuse(struct http_exchange *c, int status, const char *why) {
    static const struct http_header type = {STR_INIT("Content-Type"),
                                            STR_INIT("text/plain; charset=utf-8")};
    const struct http_server *server = c->lane->server;
    struct buf body;

    if (server->refusal != NULL) server->refusal(server->refusal_ctx, str_of(c->peer), status, why);
    conn_enter(c, CONN_WRITING);
    c->keeps_alive = c->is_head = false;
    buf_init(&body, KIB);
    buf_add(&body, str_of(why));
    buf_add_byte(&body, '\n');
    if (body.failed == FAIL_NONE && reply_head(c, status, &type, 1, (int64_t)body.len)) {
        conn_send(c, &c->lane->head, &body);
        conn_answered(c);
    } else {
        buf_deinit(&body);
        conn_cut(c);
    }
}

static void hand_over(struct http_exchange *c) {
    struct http_request *request = &c->inbox->request;

    inbox_present(c->inbox);
    request->peer = str_of(c->peer);
    request->peer_is_loopback = c->peer_is_loopback;
    request->bind_is_loopback = c->service->bind_is_loopback;
    request->is_tls = c->wire.ssl != NULL;
    request->exchange = c;
    c->keeps_alive = c->inbox->parser.keeps_alive;
    c->is_minor_0 = c->inbox->parser.minor == 0;
    c->is_head = str_eq(request->method, STR("HEAD"));
    conn_enter(c, CONN_WORKING);
    set_deadline(c, NEVER); /* a handler has its own */
    c->service->handler(c->service->ctx, c, request);
}

/* RFC 9110 10.1.1: only to a peer that waits for it. The few bytes go out at once or the peer,
 * whose window is full although it has just begun, is not worth waiting for. */
static void say_continue(struct http_exchange *c) {
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct http1 *parser = &c->inbox->parser;
    struct iovec iov = {(void *)(uintptr_t)text, sizeof text - 1};
    size_t sent = 0;

    if (!parser->has_head || !parser->expects_continue || c->was_continued) return;
    c->was_continued = true;
    if (parser->body_len > 0) return; /* it did not wait */
    if (wire_write(&c->wire, &iov, 1, &sent) != WIRE_OK || sent != iov.iov_len) conn_cut(c);
}

/* Reads once into the inbox. false: nothing came, or the connection is no longer reading. */
static bool read_more(struct http_exchange *c) {
    struct inbox_pool *pool = &c->lane->inboxes;
    size_t got = 0;

    if (c->inbox == NULL) c->inbox = inbox_take(pool);
    if (c->inbox == NULL || !inbox_make_room(pool, c->inbox)) {
        conn_refuse(c, 503, "there is no memory for the request");
        return false;
    }
    struct inbox *box = c->inbox;
    enum wire_step step = wire_read(&c->wire, box->bytes + box->len, box->cap - box->len, &got);
    if (step == WIRE_OK) {
        box->len += got;
        return true;
    }
    if (step != WIRE_AGAIN) {
        conn_cut(c);
    } else if (box->len == 0) {
        inbox_give(pool, box);
        c->inbox = NULL;
    }
    return false;
}

/* The request is incomplete. true: more bytes came at once. */
static bool wait_for_more(struct http_exchange *c) {
    if (!c->has_begun) begin_request(c);
    say_continue(c);
    return c->state == CONN_READING && wire_has_pending(&c->wire) && read_more(c);
}

/* As far as the bytes that are here go. A loop and no recursion: a handler that answers at once
 * comes back here by returning. */
static void conn_advance(struct http_exchange *c) {
    c->is_advancing = true;
    while (c->state == CONN_READING) {
        if (c->inbox == NULL && !(wire_has_pending(&c->wire) && read_more(c))) break;
        struct http1 *parser = &c->inbox->parser;
        enum http1_step step = http1_run(parser, c->inbox->bytes, &c->inbox->len);
        if (step == HTTP1_DONE) {
            hand_over(c);
        } else if (step == HTTP1_REFUSED) {
            conn_refuse(c, parser->status, parser->why);
        } else if (!wait_for_more(c)) {
            break;
        }
    }
    c->is_advancing = false;
    update_watch(c);
}

/* -- events ----------------------------------------------------------------------------------- */

static void swallow(struct http_exchange *c) {
    char bytes[HTTP_INBOX_BYTES];
    size_t got = 0;

    enum wire_step step = wire_read(&c->wire, bytes, sizeof bytes, &got);
    c->taken += got;
    if (step == WIRE_AGAIN) return;
    if (step != WIRE_OK || c->taken > HTTP_LINGER_BYTES) conn_cut(c);
}

static void on_readable(struct http_exchange *c) {
    if (c->state == CONN_READING) {
        if (read_more(c)) conn_advance(c);
    } else if (c->state == CONN_LINGERING) {
        swallow(c);
    } else {
        c->is_deaf = true; /* the kernel keeps it, and slows the peer down, until we are done */
    }
}

/* The peer has closed its sending side, or all. We cannot tell which before we write. */
static void on_peer_end(struct http_exchange *c) {
    c->peer_ended = true;
    if (c->state == CONN_STREAMING || (c->state == CONN_WORKING && c->gone != NULL)) conn_cut(c);
}

static void on_event(struct loop_watch *watch, uint32_t events) {
    struct http_exchange *c = holder_of(watch, struct http_exchange, watch);

    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        conn_cut(c);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        if (outbox_pending(&c->outbox) > 0) {
            if (flush(c)) all_written(c);
        } else if (c->wire.wants_write) {
            events |= EPOLLIN; /* a TLS read that had to write */
        }
    }
    if ((events & EPOLLIN) != 0 && has_socket(c) && outbox_pending(&c->outbox) == 0) on_readable(c);
    if ((events & EPOLLRDHUP) != 0 && has_socket(c) && c->state != CONN_READING &&
        c->state != CONN_LINGERING)
        on_peer_end(c);
    update_watch(c);
}

void http_on_gone(struct http_exchange *x, void (*gone)(void *ctx), void *ctx) {
    x->gone = gone;
    x->gone_ctx = ctx;
    if (gone == NULL) return;
    if (x->state == CONN_GONE) {
        queue_after(x);
    } else if (x->peer_ended) {
        conn_cut(x);
    }
}

/* -- draining --------------------------------------------------------------------------------- */

void conn_drain(struct http_exchange *c) {
    switch (c->state) {
    case CONN_READING:
        if (!c->has_begun) conn_cut(c);
        return;
    case CONN_WORKING:
    case CONN_STREAMING:
        if (c->drain != NULL) {
            void (*drain)(void *ctx) = c->drain;
            c->drain = NULL;
            drain(c->drain_ctx);
        } else if (c->state == CONN_STREAMING) {
            struct buf last;
            buf_init(&last, KIB);
            if (!c->is_minor_0 && !c->is_head) buf_add(&last, STR("0\r\n\r\n"));
            c->is_cut_when_written = true;
            conn_send(c, &last, NULL);
            buf_deinit(&last);
            if (has_socket(c) && outbox_pending(&c->outbox) == 0) all_written(c);
        }
        return;
    case CONN_WRITING:
    case CONN_LINGERING:
    case CONN_GONE:
    case CONN_DEAD: return;
    case CONN_STATES: break;
    }
    assert(false);
}

/* -- the beginning ---------------------------------------------------------------------------- */

struct http_exchange *conn_new(struct http_lane *lane, const struct http_service *service, int fd,
                               struct str peer, bool peer_is_loopback) {
    struct http_exchange *c = fault_now() ? NULL : calloc(1, sizeof *c);
    struct wire wire;

    if (!wire_open(&wire, fd, lane->server->tls)) {
        free(c);
        return NULL;
    }
    if (c == NULL) {
        wire_close(&wire);
        return NULL;
    }
    c->wire = wire;
    c->lane = lane;
    c->service = service;
    c->watch.ready = on_event;
    c->timer.fire = on_deadline;
    c->after.run = after_turn;
    c->peer_is_loopback = peer_is_loopback;
    memcpy(c->peer, peer.ptr, peer.len);
    outbox_init(&c->outbox);
    if (loop_watch_start(lane->loop, &c->watch, fd, wanted_events(c), NULL).why != FAIL_NONE) {
        wire_close(&c->wire);
        free(c);
        return NULL;
    }
    list_add_last(&lane->connections, &c->by_lane);
    atomic_fetch_add(&lane->server->n_open, 1);
    set_timeout(c, lane->server->settings.request_timeout); /* "connect, send nothing" too */
    return c;
}
