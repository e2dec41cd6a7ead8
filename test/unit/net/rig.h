/*
 * A server that is turned by hand, on a clock that is moved by hand, with peers on socket pairs:
 * nothing here sleeps, and what the kernel hands over is there at the next turn.
 */
#ifndef WEIR_TEST_RIG_H
#define WEIR_TEST_RIG_H

#include "base/clock.h"
#include "base/limits.h"
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { RIG_EXCHANGES = 512, RIG_READ_MAX = 1 << 20, RIG_PORT_FIRST = 18400, RIG_PORT_LAST = 18999 };

struct rig {
    struct http_server *server;
    struct clock clock;
    struct http_settings settings;
    /* exchanges that the handler kept for later, in order */
    struct http_exchange *kept[RIG_EXCHANGES];
    size_t n_kept;
    int handled;
    int gone;
    int drained;
    int refused;
    char *text; /* what the last rig_read() read */
};

static inline void rig_init(struct rig *rig) {
    memset(rig, 0, sizeof *rig);
    signal(SIGPIPE, SIG_IGN);
    clock_scripted(&rig->clock, INT64_C(1795166096000)); /* Fri, 20 Nov 2026 09:14:56 GMT */
    option_defaults(http_options, &rig->settings);
    rig->settings.loops = 1;
    rig->text = calloc(1, RIG_READ_MAX + 1);
}

static inline void rig_refused(void *ctx, struct str peer, int status, const char *why) {
    struct rig *rig = ctx;
    rig->refused++;
    assert_true(peer.len > 0 && status >= 400 && why != NULL);
}

static inline void rig_start(struct rig *rig) {
    struct report report = {0};
    if (http_server_new(&rig->server, &rig->settings, &rig->clock, &report).why != FAIL_NONE)
        fail_msg("%s", report.sentence);
    http_server_on_refusal(rig->server, rig_refused, rig);
}

/* On a port of loopback that nobody has. */
static inline uint16_t rig_listen(struct http_server *server, http_handler *handler, void *ctx) {
    uint16_t bound = 0;
    for (uint16_t port = RIG_PORT_FIRST + (uint16_t)(getpid() % 500); port < RIG_PORT_LAST; port++)
        if (http_server_listen(server, STR("127.0.0.1"), port, handler, ctx, &bound, NULL).why ==
            FAIL_NONE)
            return bound;
    fail_msg("no port is free");
    return 0;
}

static inline void rig_end(struct rig *rig) {
    http_server_free(rig->server);
    free(rig->text);
}

static inline struct loop *rig_loop(struct rig *rig) {
    return http_server_loop(rig->server, 0);
}

/* Enough turns for anything that is on its way to arrive. */
static inline void rig_turn(struct rig *rig) {
    for (int i = 0; i < 8; i++) loop_turn(rig_loop(rig), 0);
}

static inline void rig_pass(struct rig *rig, int64_t ms) {
    rig->clock.scripted_ms += ms;
    rig_turn(rig);
}

static inline int rig_connect(struct rig *rig, http_handler *handler, void *ctx) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    if (http_server_adopt(rig->server, 0, pair[1], handler, ctx, NULL).why != FAIL_NONE) {
        close(pair[0]);
        return -1;
    }
    return pair[0];
}

static inline void rig_write(struct rig *rig, int fd, struct str bytes) {
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            rig_turn(rig);
            continue;
        }
        if (n < 0) break; /* the server has cut us: the reply tells */
        bytes = str_slice(bytes, (size_t)n, bytes.len);
        rig_turn(rig);
    }
    rig_turn(rig);
}

/* All that is there; *ended tells whether the server has closed its side. */
static inline struct str rig_read(struct rig *rig, int fd, bool *ended) {
    size_t len = 0;
    bool is_end = false;
    while (len < RIG_READ_MAX) {
        ssize_t n = recv(fd, rig->text + len, RIG_READ_MAX - len, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) is_end = true;
        if (n <= 0) break;
        len += (size_t)n;
        rig_turn(rig);
    }
    if (ended != NULL) *ended = is_end;
    rig->text[len] = '\0';
    return (struct str){rig->text, len};
}

/* The status of the reply that `text` begins with, or 0. */
static inline int rig_status(struct str text) {
    uint64_t status = 0;
    if (!str_starts(text, STR("HTTP/1.1 "))) return 0;
    return str_to_u64(str_slice(text, 9, 12), &status) ? (int)status : 0;
}

static inline bool has(struct str text, struct str part) {
    return str_find(text, part) < text.len;
}

/* -- handlers ------------------------------------------------------------------------------- */

/* Answers with the request's target and body. */
static inline void rig_echo(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct http_header type = {STR("Content-Type"), STR("text/plain")};
    struct rig *rig = ctx;
    struct buf body;
    rig->handled++;
    buf_init(&body, (size_t)(16 * MIB));
    buf_add(&body, req->target);
    buf_add_byte(&body, ' ');
    buf_add(&body, req->body);
    http_reply(x, 200, &type, 1, &body);
}

static inline void rig_gone(void *ctx) {
    ((struct rig *)ctx)->gone++;
}

static inline void rig_drained(void *ctx) {
    ((struct rig *)ctx)->drained++;
}

/* Keeps the exchange; the test answers. */
static inline void rig_keep(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct rig *rig = ctx;
    (void)req;
    rig->handled++;
    rig->kept[rig->n_kept++] = x;
    http_on_gone(x, rig_gone, rig);
}

static inline void rig_answer(struct http_exchange *x, struct str text) {
    struct buf body;
    buf_init(&body, (size_t)(16 * MIB));
    buf_add(&body, text);
    http_reply(x, 200, NULL, 0, &body);
}

static inline bool rig_stream(struct http_exchange *x, struct str text) {
    struct buf bytes;
    buf_init(&bytes, (size_t)(16 * MIB));
    buf_add(&bytes, text);
    return http_stream_send(x, &bytes);
}

/* Begins an event stream and keeps it. */
static inline void rig_open_stream(void *ctx, struct http_exchange *x,
                                   const struct http_request *req) {
    struct http_header type = {STR("Content-Type"), STR("text/event-stream")};
    rig_keep(ctx, x, req);
    http_stream_begin(x, 200, &type, 1);
    http_request_release(x);
}

#endif
