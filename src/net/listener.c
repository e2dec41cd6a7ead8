#include "net/listener.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)

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

void listeners_resume(struct loop_timer *timer) {
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

void listeners_close(struct http_lane *lane) {
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
