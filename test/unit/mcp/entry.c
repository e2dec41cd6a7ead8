/* Who has to be asked for waits aside, whatever he sends, and goes on where he was. A server whose
 * loop is turned by hand, and an issuer with a thread of its own. */
#include "rig.h"

#include "mcp/http_door.h"
#include "net/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { PORT_FIRST = 19000, PORT_LAST = 19499, TEXT_MAX = 1 << 18 };

/* -- the issuer: tokens that begin with "good" are ann's ----------------------------------------
 */

struct issuer {
    struct http_server *server;
    uint16_t port;
    atomic_int n_asked;
    atomic_bool holds; /* keeps the next one waiting */
    atomic_bool is_down;
    struct http_exchange *held;
};
static struct issuer issuer;

static void say(struct http_exchange *x, bool is_good) {
    struct buf body;
    buf_init(&body, 4096);
    buf_add(&body, is_good ? STR("{\"active\":true,\"sub\":\"ann\",\"exp\":1795169999,"
                                 "\"aud\":\"https://weir.example/mcp\"}")
                           : STR("{\"active\":false}"));
    http_reply(x, atomic_load(&issuer.is_down) ? 500 : 200, NULL, 0, &body);
}

static void serve_issuer(void *ctx, struct http_exchange *x, const struct http_request *req) {
    (void)ctx;
    bool is_held = atomic_exchange(&issuer.holds, false);
    if (is_held) issuer.held = x;
    atomic_fetch_add(&issuer.n_asked, 1); /* before anybody can have heard the answer */
    if (!is_held) say(x, str_starts(req->body, STR("token=good")));
}

static void release(void *ctx) {
    (void)ctx;
    say(issuer.held, true);
}

static void issuer_start(void) {
    struct http_settings settings;
    option_defaults(http_options, &settings);
    settings.loops = 1;
    settings.drain_timeout = 1;
    assert_int_equal(http_server_new(&issuer.server, &settings, &clock_real, NULL).why, FAIL_NONE);
    for (uint16_t port = PORT_FIRST; port < PORT_LAST && issuer.port == 0; port++)
        (void)!http_server_listen(issuer.server, STR("127.0.0.1"), port, serve_issuer, NULL,
                                  &issuer.port, NULL)
            .why;
    assert_true(issuer.port > 0);
    assert_int_equal(http_server_start(issuer.server, NULL).why, FAIL_NONE);
}

static void issuer_end(void) {
    http_server_drain(issuer.server);
    http_server_join(issuer.server);
    http_server_free(issuer.server);
}

/* -- the house -------------------------------------------------------------------------------- */

struct house {
    struct door door;
    struct http_server *server;
    struct http_door http;
    struct gate gate;
    struct identity_state *state;
    struct identity_settings auth;
    struct str paths[1];
    char text[TEXT_MAX];
};
static struct house house;

static void load_identity(void) {
    struct arena *arena = &house.door.rig.snapshot->arena;
    struct problems problems;
    option_defaults(identity_options, &house.auth);
    option_defaults(introspection_options, &house.auth.introspection);
    house.auth.resource = STR("https://weir.example/mcp");
    house.auth.introspection.url = str_printf(arena, "http://127.0.0.1:%u/introspect", issuer.port);
    struct identity_sources sources = {
        .settings = &house.auth,
        .enterprise = rig_yaml(arena, "users: {ann: {roles: [reader]}}\nroles: {reader: {}}\n"),
        .enterprise_name = STR("ent")};
    problems_init(&problems, arena);
    const struct identity *identity;
    assert_int_equal(identity_load(&sources, arena, &problems, &identity).why, FAIL_NONE);
    house.door.rig.snapshot->identity = identity;
}

static void house_begin(void) {
    struct http_settings settings;
    memset(&house, 0, sizeof house);
    atomic_store(&issuer.n_asked, 0);
    signal(SIGPIPE, SIG_IGN);
    door_init(&house.door);
    load_identity();
    assert_int_equal(identity_state_new(NULL, &house.door.rig.clock, &house.state, NULL).why,
                     FAIL_NONE);
    house.door.mcp->identities = house.state;
    option_defaults(http_options, &settings);
    settings.loops = 1;
    settings.drain_timeout = 1;
    assert_int_equal(http_server_new(&house.server, &settings, &clock_real, NULL).why, FAIL_NONE);
    house.paths[0] = STR("/mcp");
    house.http = (struct http_door){
        .mcp = house.door.mcp, .gate = &house.gate, .paths = {house.paths, 1, true}};
}

static struct loop *loop(void) {
    return http_server_loop(house.server, 0);
}

static void house_end(void) {
    mcp_settle(house.door.mcp);
    loop_run_tasks(loop());
    rig_end(&house.door.rig);
    house.door.rig.road = NULL;
    http_server_free(house.server);
    door_deinit(&house.door);
    identity_state_free(house.state);
}

/* -- its clients ------------------------------------------------------------------------------ */

static int connect_client(void) {
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(
        http_server_adopt(house.server, 0, fds[1], http_door_serve, &house.http, NULL).why,
        FAIL_NONE);
    return fds[0];
}

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

/* Sends, and lets the loop see it. */
static int send_request(const char *method, const char *target, const char *token,
                        struct str body) {
    int fd = connect_client();
    struct str head = str_printf(
        &house.door.rig.arena,
        "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        "Connection: close\r\nContent-Length: %zu\r\n\r\n",
        method, target, token, body.len);
    assert_int_equal(send(fd, head.ptr, head.len, MSG_NOSIGNAL), head.len);
    for (size_t sent = 0; sent < body.len;) {
        ssize_t n = send(fd, body.ptr + sent, body.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) sent += (size_t)n;
        loop_turn(loop(), 0);
    }
    loop_turn(loop(), 0);
    return fd;
}

/* Turns until the connection ends; the reply's status. */
static int read_reply(int fd) {
    size_t len = 0;
    for (;;) {
        ssize_t n = recv(fd, house.text + len, TEXT_MAX - 1 - len, MSG_DONTWAIT);
        if (n > 0) len += (size_t)n;
        if (n == 0 || (n < 0 && errno != EAGAIN)) break;
        if (n < 0) loop_turn(loop(), 1000);
    }
    close(fd);
    house.text[len] = '\0';
    return len > 12 ? (int)strtol(house.text + 9, NULL, 10) : 0;
}

static int ask(const char *method, const char *target, const char *token, const char *body) {
    return read_reply(send_request(method, target, token, str_of(body)));
}

static void wait_until_asked(int n) {
    while (atomic_load(&issuer.n_asked) < n) sched_yield();
}

/* -- tests ------------------------------------------------------------------------------------ */

static void test_waits(void **state) {
    (void)state;
    house_begin();
    assert_int_equal(ask("POST", "/mcp", "good", PING), 200);
    assert_non_null(strstr(house.text, "\"result\":{}"));
    assert_int_equal(ask("POST", "/mcp", "good", PING), 200); /* is known now */
    assert_int_equal(atomic_load(&issuer.n_asked), 1);
    assert_int_equal(ask("POST", "/mcp", "bad", PING), 401);
    assert_non_null(strstr(house.text, "WWW-Authenticate: Bearer "));
    assert_non_null(strstr(house.text, "error=\"invalid_token\""));
    assert_non_null(strstr(house.text, "AUTH_INVALID_TOKEN"));
    atomic_store(&issuer.is_down, true);
    assert_int_equal(ask("POST", "/mcp", "good too", PING), 401); /* no token: a blank */
    assert_int_equal(ask("POST", "/mcp", "good-too", PING), 503);
    assert_non_null(strstr(house.text, "Retry-After: "));
    assert_non_null(strstr(house.text, "ISSUER_UNAVAILABLE"));
    assert_null(strstr(house.text, "WWW-Authenticate"));
    atomic_store(&issuer.is_down, false);
    house_end();
}

/* Nobody gets further without a name, whatever he asks for; and who has one gets as far as ever. */
static void test_routes(void **state) {
    static const struct {
        const char *method, *target, *body;
        int known;
    } routes[] = {
        {"POST", "/mcp", PING, 200},
        {"POST", "/", PING, 200},
        {"POST", "/mcp", "no json", 400},
        {"GET", "/mcp", "", 404}, /* no store, so no sessions */
        {"DELETE", "/mcp", "", 404},
        {"GET", "/sse", "", 404},
        {"POST", "/messages?sessionId=1", PING, 404},
    };
    char token[32];
    (void)state;
    house_begin();
    for (size_t i = 0; i < COUNT(routes); i++) {
        for (int is_known = 0; is_known < 2; is_known++) {
            int before = atomic_load(&issuer.n_asked);
            snprintf(token, sizeof token, "%s%zu", is_known ? "good" : "bad", i);
            int status = ask(routes[i].method, routes[i].target, token, routes[i].body);
            bool is_right = is_known ? status == routes[i].known || status == 400 : status == 401;
            if (!is_right) fail_msg("%s %s: %d", routes[i].method, routes[i].target, status);
            assert_int_equal(atomic_load(&issuer.n_asked), before + 1);
        }
    }
    house_end();
}

/* The bytes of the request are there when the answer comes: more than an inbox holds. */
static void test_body_waits(void **state) {
    enum { BLANKS = 200000 };
    (void)state;
    house_begin();
    char *text = calloc(1, BLANKS + sizeof PING);
    assert_non_null(text);
    memset(text, ' ', BLANKS);
    memcpy(text + BLANKS, PING, sizeof PING);
    assert_int_equal(ask("POST", "/mcp", "good", text), 200);
    assert_non_null(strstr(house.text, "\"result\":{}"));
    free(text);
    house_end();
}

static void test_leaves(void **state) {
    (void)state;
    house_begin();
    atomic_store(&issuer.holds, true);
    int fd = send_request("POST", "/mcp", "good", STR(PING));
    wait_until_asked(1);
    close(fd);
    loop_turn(loop(), 0);
    assert_true(loop_post(http_loop(issuer.held), release, NULL));
    mcp_settle(house.door.mcp);
    loop_run_tasks(loop());
    loop_turn(loop(), 0);
    assert_int_equal(http_server_connections(house.server), 0);
    house_end();
}

/* Strangers who make us wait keep nobody waiting who is in, and not more of each other than fit. */
static void test_crowded(void **state) {
    (void)state;
    house_begin();
    house.door.mcp->entry_kind.max_threads = 1;
    house.door.mcp->entry_kind.max_queued = 1;
    assert_int_equal(ask("POST", "/mcp", "good-before", PING), 200);
    atomic_store(&issuer.holds, true);
    int first = send_request("POST", "/mcp", "good1", STR(PING));
    wait_until_asked(2);
    int second = send_request("POST", "/mcp", "good2", STR(PING));
    assert_int_equal(ask("POST", "/mcp", "good3", PING), 503);
    assert_non_null(strstr(house.text, "\"BUSY\""));
    assert_non_null(strstr(house.text, "Retry-After: "));
    assert_int_equal(ask("POST", "/mcp", "good-before", PING), 200);
    assert_true(loop_post(http_loop(issuer.held), release, NULL));
    assert_int_equal(read_reply(first), 200);
    assert_int_equal(read_reply(second), 200);
    house_end();
}

/* Who is identified only when the house is being taken apart goes no further. */
static void test_too_late(void **state) {
    (void)state;
    house_begin();
    atomic_store(&issuer.holds, true);
    int fd = send_request("POST", "/mcp", "good", STR(PING));
    wait_until_asked(1);
    assert_true(loop_post(http_loop(issuer.held), release, NULL));
    mcp_settle(house.door.mcp); /* the road may go now */
    assert_int_equal(read_reply(fd), 503);
    house_end();
}

/* Whatever runs out, there is an answer, and no name is made up. */
static void test_faults(void **state) {
    long n = 0;
    (void)state;
    for (;; n++) {
        house_begin();
        int fd = connect_client();
        static const char request[] =
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bad\r\n"
            "Content-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
        fault_set(n);
        loop_turn(loop(), 0);
        bool is_unused = fault_unused();
        fault_off();
        int status = read_reply(fd);
        house_end();
        if (status != 401 && status != 500 && status != 503 && status != 0)
            fail_msg("%ld: %d", n, status);
        if (!is_unused) continue;
        assert_int_equal(status, 401);
        break;
    }
    assert_true(n > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),      cmocka_unit_test(test_routes),
        cmocka_unit_test(test_body_waits), cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_crowded),    cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_faults),
    };
    log_threshold(LOG_OFF);
    issuer_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    issuer_end();
    return failed;
}
