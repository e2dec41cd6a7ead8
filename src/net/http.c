#include "net/connection.h"

#include "base/arena.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
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
    ROW(idle_timeout, OPTION_DURATION, "75s", 1, 24 * HOUR_MS, "s",
        "How long a connection may wait for its next request."),
    ROW(write_timeout, OPTION_DURATION, "30s", 1, HOUR_MS, "s",
        "How long a peer may take to read what is waiting for it, or 64 KiB of it."),
    ROW(max_connections, OPTION_INT, "10000", 1, 1000000, NULL,
        "The most open connections; more are answered 503 and closed."),
    ROW(stream_queue_bytes, OPTION_BYTES, "1MiB", 1024, GIB, "bytes",
        "How much of an event stream may wait for a slow reader before it is cut."),
    ROW(drain_timeout, OPTION_DURATION, "10s", 1, HOUR_MS, "s",
        "How long a shutdown waits for running requests."),
    ROW(loops, OPTION_INT, "0", 0, HTTP_LOOPS_MAX, NULL,
        "Event loops, each with a thread; 0 is one for each processor."),
    ROW(tls_cert, OPTION_TEXT, "", 0, 0, NULL,
        "A PEM file with the certificate and its chain; with tls_key it turns TLS 1.3 on."),
    ROW(tls_key, OPTION_TEXT, "", 0, 0, NULL, "A PEM file with the certificate's private key."),
    {.name = NULL},
};
#undef ROW

/* -- accepting -------------------------------------------------------------------------------- */

static struct str peer_text(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN],
                            bool *is_loopback) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    struct in_addr plain = v4->sin_addr;

    out[0] = '\0';
    *is_loopback = false;
    if (address->ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN);
        *is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    } else if (address->ss_family == AF_INET || address->ss_family == AF_INET6) {
        if (address->ss_family == AF_INET6)
            memcpy(&plain, v6->sin6_addr.s6_addr + 12, sizeof plain);
        inet_ntop(AF_INET, &plain, out, INET6_ADDRSTRLEN);
        *is_loopback = (ntohl(plain.s_addr) >> 24) == IN_LOOPBACKNET;
    }
    return str_of(out);
}

/* Under TLS the peer could not read this, and is just closed. */
static void turn_away(const struct http_server *server, int fd, struct str peer) {
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                               "Retry-After: 1\r\nConnection: close\r\n\r\n";

    if (server->tls == NULL) {
        ssize_t sent = send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent;
    }
    close(fd);
    if (server->refusal != NULL)
        server->refusal(server->refusal_ctx, peer, 503, "there are too many connections");
}

static void welcome(struct http_listener *listener, int fd,
                    const struct sockaddr_storage *address) {
    struct http_server *server = listener->lane->server;
    char text[INET6_ADDRSTRLEN];
    bool is_loopback;
    struct str peer = peer_text(address, text, &is_loopback);

    if (atomic_load(&server->n_open) >= (size_t)server->settings.max_connections) {
        turn_away(server, fd, peer);
    } else if (conn_new(listener->lane, listener->service, fd, peer, is_loopback) == NULL) {
        log_line(LOG_WARN, "connection_lost", STR_NONE, "no memory for a connection");
    }
}

static void watch_listeners(struct http_lane *lane, uint32_t events) {
    for (struct link *l = lane->listeners.next; l != &lane->listeners; l = l->next)
        loop_watch_change(&holder_of(l, struct http_listener, by_lane)->watch, events);
}

static void accept_again(struct loop_timer *timer) {
    watch_listeners(holder_of(timer, struct http_lane, accept_pause), EPOLLIN);
}

/* No descriptor is left. The listener would announce the same connection for ever. */
static void pause_accepting(struct http_lane *lane) {
    int64_t until = loop_now_ns(lane->loop) + HTTP_ACCEPT_PAUSE_MS * NS_PER_MS;

    log_line(LOG_WARN, "accept_paused", STR_NONE, "could not accept: error %d", errno);
    watch_listeners(lane, 0);
    loop_timer_set(lane->loop, &lane->accept_pause, until);
}

static void on_connect(struct loop_watch *watch, uint32_t events) {
    struct http_listener *listener = holder_of(watch, struct http_listener, watch);

    (void)events;
    for (int i = 0; i < HTTP_ACCEPTS_MAX; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof address;
        int fd =
            accept4(watch->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(listener, fd, &address);
        } else if (errno == ECONNABORTED || errno == EINTR) {
            continue; /* that one left; others may wait */
        } else {
            if (errno != EAGAIN && errno != EWOULDBLOCK) pause_accepting(listener->lane);
            return;
        }
    }
}

/* -- listening -------------------------------------------------------------------------------- */

static result unavailable(struct report *report, struct str host, uint16_t port, const char *what) {
    return fail(report, FAIL_IO, "ADDRESS_UNAVAILABLE", REPORT_NO_OFFSET,
                "could not %s the address '" STR_FMT "' port %u: %s", what, STR_ARG(host),
                (unsigned)port, strerrordesc_np(errno));
}

/* The first IPv4 address of a name, for "localhost" should mean what people type; else the first.
 */
static result resolve(struct str host, uint16_t port, struct sockaddr_storage *out,
                      struct report *report) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *all = NULL;
    char name[256];

    if (host.len == 0 || host.len >= sizeof name)
        return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the host to listen on has %zu bytes; 1 to 255 are possible", host.len);
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    int r = getaddrinfo(name, NULL, &hints, &all);
    if (r != 0 || all == NULL)
        return fail(report, FAIL_IO, "ADDRESS_UNAVAILABLE", REPORT_NO_OFFSET,
                    "could not find the address '" STR_FMT "': %s", STR_ARG(host), gai_strerror(r));
    const struct addrinfo *best = all;
    for (const struct addrinfo *a = all; a != NULL; a = a->ai_next)
        if (a->ai_family == AF_INET && best->ai_family != AF_INET) best = a;
    memcpy(out, best->ai_addr, best->ai_addrlen);
    freeaddrinfo(all);
    if (out->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)out)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)out)->sin_port = htons(port);
    return OK;
}

static socklen_t address_size(const struct sockaddr_storage *address) {
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

/* Inherited by what is accepted: small replies leave at once, dead peers are found out. */
static void set_socket(int fd, bool shares_port) {
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shares_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static int bound_socket(const struct sockaddr_storage *address, bool shares_port) {
    int fd = fault_now()
                 ? -1
                 : socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return -1;
    set_socket(fd, shares_port);
    if (bind(fd, (const struct sockaddr *)address, address_size(address)) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* SO_REUSEPORT lets a second process of the same user take half of our connections in silence. So
 * we ask once without it, and are told when the port is in use. */
static bool is_free(const struct sockaddr_storage *address) {
    int fd = bound_socket(address, false);

    if (fd < 0) return false;
    close(fd);
    return true;
}

static result listen_in_lane(struct http_lane *lane, const struct http_service *service, int fd,
                             struct report *report) {
    struct http_listener *listener = fault_now() ? NULL : calloc(1, sizeof *listener);

    if (listener == NULL) {
        close(fd);
        return fail_memory(report);
    }
    listener->lane = lane;
    listener->service = service;
    listener->watch.ready = on_connect;
    if (listen(fd, HTTP_BACKLOG) != 0 ||
        loop_watch_start(lane->loop, &listener->watch, fd, EPOLLIN, report).why != FAIL_NONE) {
        close(fd);
        free(listener);
        return fail(report, FAIL_IO, "ADDRESS_UNAVAILABLE", REPORT_NO_OFFSET,
                    "could not listen: %s", strerrordesc_np(errno));
    }
    list_add_last(&lane->listeners, &listener->by_lane);
    return OK;
}

static struct http_service *service_new(struct http_server *server, http_handler *handler,
                                        void *ctx) {
    struct http_service *service = fault_now() ? NULL : calloc(1, sizeof *service);

    if (service == NULL) return NULL;
    service->handler = handler;
    service->ctx = ctx;
    list_add_last(&server->services, &service->by_server);
    return service;
}

result http_server_listen(struct http_server *server, struct str host, uint16_t port,
                          http_handler *handler, void *ctx, uint16_t *bound_port,
                          struct report *report) {
    struct sockaddr_storage address = {0};
    char text[INET6_ADDRSTRLEN];

    TRY(resolve(host, port, &address, report));
    if (port != 0 && !is_free(&address)) return unavailable(report, host, port, "take");
    struct http_service *service = service_new(server, handler, ctx);
    if (service == NULL) return fail_memory(report);
    peer_text(&address, text, &service->bind_is_loopback);
    for (size_t i = 0; i < server->n_lanes; i++) {
        int fd = bound_socket(&address, true);
        if (fd < 0) return unavailable(report, host, port, "take");
        socklen_t size = sizeof address; /* with port 0 the later lanes take the first one's */
        getsockname(fd, (struct sockaddr *)&address, &size);
        TRY(listen_in_lane(&server->lanes[i], service, fd, report));
    }
    if (bound_port != NULL) /* the port stands at the same place in both families */
        *bound_port = ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
    return OK;
}

result http_server_adopt(struct http_server *server, size_t i, int fd, http_handler *handler,
                         void *ctx, struct report *report) {
    struct http_service *service = service_new(server, handler, ctx);

    if (service == NULL) {
        close(fd);
        return fail_memory(report);
    }
    service->bind_is_loopback = true;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (conn_new(&server->lanes[i], service, fd, STR("local"), true) == NULL)
        return fail_memory(report);
    return OK;
}

static void close_listeners(struct http_lane *lane) {
    loop_timer_cancel(&lane->accept_pause);
    while (!list_empty(&lane->listeners)) {
        struct http_listener *l = holder_of(lane->listeners.next, struct http_listener, by_lane);
        int fd = l->watch.fd;
        loop_watch_end(&l->watch);
        close(fd);
        list_leave(&l->by_lane);
        free(l); /* safe in a turn: draining is a task, and tasks run behind the watches */
    }
}

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
    close_listeners(lane);
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
    inbox_pool_init(&lane->inboxes, &limits);
    buf_init(&lane->head, SIZE_MAX);
    lane->accept_pause.fire = accept_again;
    lane->drain_deadline.fire = on_drain_deadline;
    lane->drain.run = drain_lane;
    return loop_new(&lane->loop, server->clock, report);
}

static void lane_deinit(struct http_lane *lane) {
    if (lane->loop == NULL) return;
    loop_run_tasks(lane->loop); /* late answers and news of workers that have ended */
    close_listeners(lane);
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
        s->max_connections < 1 || s->stream_queue_bytes < 1 || s->drain_timeout < 1 || s->loops < 0)
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
