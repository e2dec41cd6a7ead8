#include "net/listener.h"

#include "base/fault.h"
#include "base/limits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define HOUR_MS   (INT64_C(3600) * 1000)

#define ROW(member, kind, text, low, high, of, says)                                               \
    {                                                                                              \
        .name = #member, .type = kind, .offset = offsetof(struct http_settings, member),           \
        .fallback = text, .min = low, .max = high, .unit = of, .sentence = says                    \
    }
const struct option http_options[] = {
    ROW(max_head_bytes, OPTION_BYTES, "16KiB", 1024, MIB, "bytes",
        "The largest request line with headers; more is answered 431."),
    ROW(max_headers, OPTION_INT, "128", 8, 1024, NULL,
        "The most headers of a request; more are answered 431."),
    ROW(max_body_bytes, OPTION_BYTES, "4MiB", 1, GIB, "bytes",
        "The largest request body; more is answered 413."),
    ROW(request_timeout, OPTION_DURATION, "30s", 1, HOUR_MS, "s",
        "How long a request may take to arrive, head and body together; then 408."),
    ROW(max_buffered_bytes, OPTION_BYTES, "256MiB", 65536, 64 * GIB, "bytes",
        "What the larger requests of one event loop may hold together; more are answered 503."),
    ROW(idle_timeout, OPTION_DURATION, "75s", 1, 24 * HOUR_MS, "s",
        "How long a connection may wait for its next request."),
    ROW(write_timeout, OPTION_DURATION, "30s", 1, HOUR_MS, "s",
        "How long a peer may take to read what is waiting for it, or 64 KiB of it."),
    ROW(max_connections, OPTION_INT, "10000", 1, 1000000, NULL,
        "The most open connections; more are answered 503 and closed."),
    ROW(stream_queue_bytes, OPTION_BYTES, "1MiB", 1024, GIB, "bytes",
        "How much of an event stream may wait for a slow reader before it is cut."),
    ROW(drain_timeout, OPTION_DURATION, "10s", 1, HOUR_MS, "s",
        "How long a shutdown waits for running requests; then they are cancelled."),
    ROW(loops, OPTION_INT, "0", 0, HTTP_LOOPS_MAX, NULL,
        "Event loops, each with a thread; 0 is one for each processor."),
    ROW(tls_cert, OPTION_TEXT, "", 0, 0, NULL,
        "A PEM file with the certificate and its chain; with tls_key it turns TLS 1.3 on."),
    ROW(tls_key, OPTION_TEXT, "", 0, 0, NULL, "A PEM file with the certificate's private key."),
    {.name = NULL},
};
#undef ROW

/* -- draining --------------------------------------------------------------------------------- */

static void cut_all(struct http_lane *lane) {
    for (struct link *l = lane->connections.next; l != &lane->connections; l = l->next)
        conn_cut(holder_of(l, struct http_exchange, by_lane));
}

static void on_drain_deadline(struct loop_timer *timer) {
    struct http_lane *lane = holder_of(timer, struct http_lane, drain_deadline);

    cut_all(lane);
    loop_stop(lane->loop); /* late workers find the exchange gone when http_server_free() settles */
}

static void drain_lane(struct loop_task *task) {
    struct http_lane *lane = holder_of(task, struct http_lane, drain);
    int64_t until = loop_now_ns(lane->loop) + lane->server->settings.drain_timeout * NS_PER_MS;

    lane->is_draining = true;
    listeners_close(lane);
    for (struct link *l = lane->connections.next; l != &lane->connections; l = l->next)
        conn_drain(holder_of(l, struct http_exchange, by_lane));
    if (list_empty(&lane->connections)) {
        loop_stop(lane->loop);
    } else {
        loop_timer_set(lane->loop, &lane->drain_deadline, until);
    }
}

void http_server_drain(struct http_server *server) {
    if (atomic_exchange(&server->drains, true)) return;
    for (size_t i = 0; i < server->n_lanes; i++)
        loop_post_task(server->lanes[i].loop, &server->lanes[i].drain);
}

/* -- its life --------------------------------------------------------------------------------- */

static size_t lanes_of(const struct http_settings *settings) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (settings->loops > 0) return (size_t)settings->loops;
    if (processors < 1) return 1;
    return processors < HTTP_LOOPS_MAX ? (size_t)processors : HTTP_LOOPS_MAX;
}

static result lane_init(struct http_lane *lane, struct http_server *server, struct report *report) {
    struct http1_limits limits = {(size_t)server->settings.max_head_bytes,
                                  (size_t)server->settings.max_headers,
                                  (size_t)server->settings.max_body_bytes};

    lane->server = server;
    list_init(&lane->listeners);
    list_init(&lane->connections);
    inbox_pool_init(&lane->inboxes, &limits, (size_t)server->settings.max_buffered_bytes);
    buf_init(&lane->head, SIZE_MAX);
    lane->accept_pause.fire = listeners_resume;
    lane->drain_deadline.fire = on_drain_deadline;
    lane->drain.run = drain_lane;
    return loop_new(&lane->loop, server->clock, report);
}

static void lane_deinit(struct http_lane *lane) {
    if (lane->loop == NULL) return;
    loop_run_tasks(lane->loop); /* late answers and news of workers that have ended */
    listeners_close(lane);
    cut_all(lane);
    loop_run_tasks(lane->loop);
    while (!list_empty(&lane->connections))
        conn_free(holder_of(lane->connections.next, struct http_exchange, by_lane));
    loop_timer_cancel(&lane->drain_deadline);
    loop_free(lane->loop);
    inbox_pool_deinit(&lane->inboxes);
    buf_deinit(&lane->head);
}

/* A zeroed setting would mean "no time at all": whoever forgot the defaults hears of it here. */
static result check_settings(const struct http_settings *s, struct report *report) {
    if (s->max_head_bytes < 1 || s->max_headers < 1 || s->max_body_bytes < 1 ||
        s->request_timeout < 1 || s->idle_timeout < 1 || s->write_timeout < 1 ||
        s->max_connections < 1 || s->max_buffered_bytes < 1 || s->stream_queue_bytes < 1 ||
        s->drain_timeout < 1 || s->loops < 0)
        return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "a limit of the HTTP server is not positive");
    if ((s->tls_cert.len > 0) != (s->tls_key.len > 0))
        return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "tls_cert and tls_key are needed together");
    return OK;
}

static result server_init(struct http_server *server, struct report *report) {
    if (server->settings.tls_cert.len > 0)
        TRY(tls_new(&server->tls, server->settings.tls_cert, server->settings.tls_key, report));
    size_t n = lanes_of(&server->settings);
    server->lanes = fault_now() ? NULL : calloc(n, sizeof *server->lanes);
    if (server->lanes == NULL) return fail_memory(report);
    for (; server->n_lanes < n; server->n_lanes++) {
        result r = lane_init(&server->lanes[server->n_lanes], server, report);
        if (r.why != FAIL_NONE) return r;
    }
    return OK;
}

result http_server_new(struct http_server **out, const struct http_settings *settings,
                       const struct clock *clock, struct report *report) {
    TRY(check_settings(settings, report));
    struct http_server *server = fault_now() ? NULL : calloc(1, sizeof *server);
    if (server == NULL) return fail_memory(report);
    server->settings = *settings;
    server->clock = clock;
    list_init(&server->services);
    result r = server_init(server, report);
    if (r.why != FAIL_NONE) {
        http_server_free(server);
        return r;
    }
    *out = server;
    return OK;
}

void http_server_on_refusal(struct http_server *server, http_refusal *told, void *ctx) {
    server->refusal = told;
    server->refusal_ctx = ctx;
}

static void *lane_run(void *arg) {
    struct http_lane *lane = arg;

    loop_run(lane->loop);
    return NULL;
}

result http_server_start(struct http_server *server, struct report *report) {
    for (size_t i = 0; i < server->n_lanes; i++) {
        struct http_lane *lane = &server->lanes[i];
        int r = fault_now() ? EAGAIN : pthread_create(&lane->thread, NULL, lane_run, lane);
        if (r != 0) {
            http_server_drain(server);
            http_server_join(server);
            return fail(report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                        "could not start a thread: error %d", r);
        }
        lane->has_thread = true;
    }
    return OK;
}

void http_server_join(struct http_server *server) {
    for (size_t i = 0; i < server->n_lanes; i++) {
        if (!server->lanes[i].has_thread) continue;
        pthread_join(server->lanes[i].thread, NULL);
        server->lanes[i].has_thread = false;
    }
}

void http_server_free(struct http_server *server) {
    if (server == NULL) return;
    for (size_t i = 0; i < server->n_lanes; i++) {
        assert(!server->lanes[i].has_thread);
        lane_deinit(&server->lanes[i]);
    }
    while (!list_empty(&server->services)) {
        struct http_service *s = holder_of(server->services.next, struct http_service, by_server);
        list_leave(&s->by_server);
        free(s);
    }
    free(server->lanes);
    tls_free(server->tls);
    free(server);
}

size_t http_server_loops(const struct http_server *server) {
    return server->n_lanes;
}

struct loop *http_server_loop(const struct http_server *server, size_t i) {
    return server->lanes[i].loop;
}

size_t http_server_connections(const struct http_server *server) {
    return atomic_load(&server->n_open);
}
