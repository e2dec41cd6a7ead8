#include "rig.h"

#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

/* The whole server as it runs in earnest: two loops with threads, sockets, workers that answer from
 * elsewhere. For the thread sanitizer above all. */

enum { CLIENTS = 8, ROUNDS = 60, WORKERS = 2 };

struct job {
    struct loop_task task; /* the way back to the exchange's loop */
    struct link in_queue;
    struct http_exchange *x;
    struct http_request req;
    atomic_bool cancelled;
    struct buf body;
};

struct office {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct link queue;
    bool closed;
    atomic_int answered;
};

static void finish_job(struct loop_task *task) {
    struct job *job = holder_of(task, struct job, task);

    http_reply(job->x, 200, NULL, 0, &job->body);
    free(job);
}

static struct job *take_job(struct office *office) {
    struct job *job = NULL;

    pthread_mutex_lock(&office->lock);
    while (list_empty(&office->queue) && !office->closed)
        pthread_cond_wait(&office->filled, &office->lock);
    if (!list_empty(&office->queue)) {
        job = holder_of(office->queue.next, struct job, in_queue);
        list_leave(&job->in_queue);
    }
    pthread_mutex_unlock(&office->lock);
    return job;
}

static void *work(void *arg) {
    struct office *office = arg;

    for (struct job *job; (job = take_job(office)) != NULL;) {
        buf_init(&job->body, (size_t)MIB);
        buf_add(&job->body, job->req.target); /* the request lives as long as the exchange */
        buf_add(&job->body, job->req.body);
        if (!atomic_load(&job->cancelled)) atomic_fetch_add(&office->answered, 1);
        job->task.run = finish_job;
        loop_post_task(http_loop(job->x), &job->task);
    }
    return NULL;
}

static void cancel_job(void *ctx) {
    atomic_store(&((struct job *)ctx)->cancelled, true);
}

static void queue_job(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct office *office = ctx;
    struct job *job = calloc(1, sizeof *job);

    assert_non_null(job);
    job->x = x;
    job->req = *req;
    http_on_gone(x, cancel_job, job);
    pthread_mutex_lock(&office->lock);
    list_add_last(&office->queue, &job->in_queue);
    pthread_cond_signal(&office->filled);
    pthread_mutex_unlock(&office->lock);
}

/* -- clients -------------------------------------------------------------------------------- */

static int dial(uint16_t port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Reads until `tail` has come, or the end. */
static bool read_until(int fd, struct str tail) {
    char text[4096];
    size_t len = 0;

    while (len < sizeof text) {
        ssize_t n = recv(fd, text + len, sizeof text - len, 0);
        if (n <= 0) return false;
        len += (size_t)n;
        if (str_ends((struct str){text, len}, tail)) return true;
    }
    return false;
}

struct client {
    uint16_t port;
    int number;
    int good;
};

static void *talk(void *arg) {
    struct client *client = arg;
    int fd = dial(client->port);

    for (int i = 0; i < ROUNDS; i++) {
        char text[256], tail[64];
        int n = snprintf(text, sizeof text,
                         "POST /%d/%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody",
                         client->number, i);
        snprintf(tail, sizeof tail, "\r\n\r\n/%d/%dbody", client->number, i);
        send(fd, text, (size_t)n, MSG_NOSIGNAL);
        if (i % 10 == 9) { /* leaves without waiting: its answer comes late */
            close(fd);
            fd = dial(client->port);
        } else if (read_until(fd, str_of(tail))) {
            client->good++;
        }
    }
    close(fd);
    return NULL;
}

static struct http_server *new_server(int64_t loops, int64_t connections) {
    struct http_server *server = NULL;
    struct http_settings settings;

    signal(SIGPIPE, SIG_IGN);
    option_defaults(http_options, &settings);
    settings.loops = loops;
    settings.max_connections = connections;
    assert_int_equal(http_server_new(&server, &settings, &clock_real, NULL).why, FAIL_NONE);
    return server;
}

static void test_workers(void **state) {
    struct office office = {.closed = false};
    struct http_server *server = new_server(2, 1000);
    struct client clients[CLIENTS];
    pthread_t talking[CLIENTS], working[WORKERS];

    (void)state;
    pthread_mutex_init(&office.lock, NULL);
    pthread_cond_init(&office.filled, NULL);
    list_init(&office.queue);
    uint16_t port = rig_listen(server, queue_job, &office);
    assert_int_equal(http_server_loops(server), 2);
    assert_int_equal(http_server_start(server, NULL).why, FAIL_NONE);
    for (int i = 0; i < WORKERS; i++) pthread_create(&working[i], NULL, work, &office);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){port, i, 0};
        pthread_create(&talking[i], NULL, talk, &clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(talking[i], NULL);
        assert_int_equal(clients[i].good, ROUNDS - ROUNDS / 10);
    }
    http_server_drain(server);
    http_server_join(server);
    pthread_mutex_lock(&office.lock);
    office.closed = true;
    pthread_cond_broadcast(&office.filled);
    pthread_mutex_unlock(&office.lock);
    for (int i = 0; i < WORKERS; i++) pthread_join(working[i], NULL);
    assert_int_equal(http_server_connections(server), 0);
    http_server_free(server);
    assert_true(atomic_load(&office.answered) >= CLIENTS * (ROUNDS - ROUNDS / 10));
    pthread_mutex_destroy(&office.lock);
    pthread_cond_destroy(&office.filled);
}

/* -- the border ------------------------------------------------------------------------------ */

static void say_peer(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct buf body;

    (void)ctx;
    buf_init(&body, (size_t)KIB);
    buf_add(&body, req->peer);
    buf_add(&body, req->peer_is_loopback ? STR(" near") : STR(" far"));
    buf_add(&body, req->bind_is_loopback ? STR(" near") : STR(" far"));
    http_reply(x, 200, NULL, 0, &body);
}

/* One too many is told so and closed; when one leaves, there is room again. */
static void test_connection_cap(void **state) {
    static const struct str request = STR_INIT("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    struct http_server *server = new_server(1, 2);
    uint16_t port = rig_listen(server, say_peer, NULL);
    char text[256];

    (void)state;
    assert_int_equal(http_server_start(server, NULL).why, FAIL_NONE);
    int first = dial(port), second = dial(port), third = dial(port);
    ssize_t n = recv(third, text, sizeof text, 0);
    assert_true(n > 12 && memcmp(text, "HTTP/1.1 503", 12) == 0);
    assert_int_equal(recv(third, text, sizeof text, 0), 0);
    send(second, request.ptr, request.len, MSG_NOSIGNAL);
    assert_true(read_until(second, STR("\r\n\r\n127.0.0.1 near near")));
    shutdown(first, SHUT_WR);
    assert_int_equal(recv(first, text, sizeof text, 0), 0); /* it is seen off */
    int fourth = dial(port);
    send(fourth, request.ptr, request.len, MSG_NOSIGNAL);
    assert_true(read_until(fourth, STR("near near")));
    http_server_drain(server);
    http_server_join(server);
    http_server_free(server);
    int fds[] = {first, second, third, fourth};
    for (size_t i = 0; i < COUNT(fds); i++) close(fds[i]);
}

/* Without a descriptor for it, a connection waits and is served later; the loop does not spin. */
static void test_no_descriptor(void **state) {
    struct http_server *server = NULL;
    struct http_settings settings;
    struct clock clock;
    struct rlimit before, none;
    static const struct str request = STR_INIT("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

    (void)state;
    log_threshold(LOG_OFF);
    clock_scripted(&clock, 1000);
    option_defaults(http_options, &settings);
    settings.loops = 1;
    assert_int_equal(http_server_new(&server, &settings, &clock, NULL).why, FAIL_NONE);
    uint16_t port = rig_listen(server, say_peer, NULL);
    struct loop *loop = http_server_loop(server, 0);
    int fd = dial(port);
    int next = dup(fd); /* the lowest free number */
    close(next);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &none);
    for (int i = 0; i < 4; i++) loop_turn(loop, 0);
    assert_int_equal(http_server_connections(server), 0);
    setrlimit(RLIMIT_NOFILE, &before);
    loop_turn(loop, 0);
    assert_int_equal(http_server_connections(server), 0); /* not before the pause is over */
    clock.scripted_ms += HTTP_ACCEPT_PAUSE_MS;
    for (int i = 0; i < 4; i++) loop_turn(loop, 0);
    assert_int_equal(http_server_connections(server), 1);
    send(fd, request.ptr, request.len, MSG_NOSIGNAL);
    for (int i = 0; i < 4; i++) loop_turn(loop, 0);
    assert_true(read_until(fd, STR("near near")));
    close(fd);
    log_threshold(LOG_INFO);
    http_server_free(server);
}

/* The second thread cannot be made: the first is ended, and all can be freed. */
static void test_no_thread(void **state) {
    struct http_server *server = new_server(2, 10);
    struct report report = {0};

    (void)state;
    fault_set(1);
    assert_int_equal(http_server_start(server, &report).why, FAIL_IO);
    fault_off();
    assert_true(report.sentence[0] != '\0');
    http_server_free(server);
}

static void test_ipv6(void **state) {
    struct http_server *server = new_server(1, 10);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    uint16_t port = 0;

    (void)state;
    for (uint16_t p = RIG_PORT_FIRST; p < RIG_PORT_LAST && port == 0; p++)
        if (http_server_listen(server, STR("::1"), p, say_peer, NULL, &port, NULL).why != FAIL_NONE)
            port = 0;
    if (port == 0) { /* a machine without IPv6 */
        http_server_free(server);
        skip();
    }
    to.sin6_port = htons(port);
    assert_int_equal(http_server_start(server, NULL).why, FAIL_NONE);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    assert_true(read_until(fd, STR("\r\n\r\n::1 near near")));
    close(fd);
    http_server_drain(server);
    http_server_join(server);
    http_server_free(server);
}

static void test_addresses(void **state) {
    struct http_server *server = new_server(2, 10);
    struct http_server *other = new_server(1, 10);
    uint16_t port = rig_listen(server, say_peer, NULL);
    struct report report = {0};

    (void)state;
    /* A second server may not share the port in silence, though SO_REUSEPORT would let it. */
    assert_int_equal(
        http_server_listen(other, STR("127.0.0.1"), port, say_peer, NULL, NULL, &report).why,
        FAIL_IO);
    assert_string_equal(report.code, "ADDRESS_UNAVAILABLE");
    assert_int_equal(http_server_listen(other, STR(""), port, say_peer, NULL, NULL, NULL).why,
                     FAIL_CONFIG);
    assert_int_equal(
        http_server_listen(other, STR("no such host"), 1, say_peer, NULL, NULL, NULL).why, FAIL_IO);
    http_server_free(other);
    http_server_free(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers),       cmocka_unit_test(test_connection_cap),
        cmocka_unit_test(test_no_descriptor), cmocka_unit_test(test_no_thread),
        cmocka_unit_test(test_ipv6),          cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
