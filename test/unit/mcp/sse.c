/* HTTP+SSE at its own two doors: the record of a session goes with its stream, and whatever fails,
 * a POST is answered once, and nothing is left over. */
#include "armed.h"
#include "base/limits.h"
#include "mcp/http_sse.h"
#include "mcp/visit.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static struct door door;
static struct http_server *server;
static int64_t bytes_at_first; /* in the store */

/* -- the stage: one loop, turned by hand ------------------------------------------------------ */

/* As the HTTP door does it, for a caller who is known. */
static void serve(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct turn *turn = visit_begin(door.mcp, x, req, STR_NONE);
    const struct refusal why = {503, "OUT_OF_MEMORY", "there is no memory", .origin = STR_NONE};
    (void)ctx;
    if (turn == NULL) {
        visit_refuse(x, &why);
        return;
    }
    turn->call->principal = rig_principal("reader");
    if (str_eq(req->method, STR("GET")))
        http_sse_open(turn, req);
    else
        http_sse_post(turn, req);
}

static int64_t bytes_in_store(void) {
    struct store_usage usage;
    struct report report = {0};
    assert_int_equal(store_usage(door.store, &usage, &report).why, FAIL_NONE);
    return usage.bytes;
}

static void begin(void) {
    struct http_settings settings;
    struct report report = {0};
    door_open(&door, true);
    armed_init(door.store);
    option_defaults(http_options, &settings);
    settings.loops = 1;
    result r = http_server_new(&server, &settings, &door.rig.clock, &report);
    assert_int_equal(r.why, FAIL_NONE);
    bytes_at_first = bytes_in_store();
}

static void turn_loop(void) {
    loop_turn(http_server_loop(server, 0), 5);
}

static void end(void) {
    while (running_count(&door.mcp->running) > 0 || hub_count(&door.mcp->hub) > 0) turn_loop();
    mcp_settle(door.mcp);
    rig_end(&door.rig);
    mcp_settle(door.mcp);
    http_server_free(server);
    door_deinit(&door);
}

/* -- visitors ------------------------------------------------------------------------------------
 */

struct visitor {
    int fd; /* -1: the server would not have it */
    bool has_ended;
    size_t len;
    char text[8192];
};

static void say(struct visitor *visitor, const char *request) {
    int pair[2];
    struct report report = {0};
    *visitor = (struct visitor){.fd = -1};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    result r = http_server_adopt(server, 0, pair[1], serve, NULL, &report);
    visitor->has_ended = r.why != FAIL_NONE;
    visitor->fd = pair[0];
    (void)!send(visitor->fd, request, strlen(request), MSG_NOSIGNAL);
}

static void hear(struct visitor *visitor) {
    turn_loop();
    ssize_t n =
        recv(visitor->fd, visitor->text + visitor->len, sizeof visitor->text - 1 - visitor->len, 0);
    if (n > 0) visitor->len += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN)) visitor->has_ended = true;
    visitor->text[visitor->len] = '\0';
}

/* Until it has been told that, or has been left. */
static bool hears(struct visitor *visitor, const char *what) {
    while (strstr(visitor->text, what) == NULL && !visitor->has_ended) hear(visitor);
    return strstr(visitor->text, what) != NULL;
}

/* The status of what it was answered; 0: nothing, the connection ended. */
static int status_of(struct visitor *visitor) {
    if (!hears(visitor, "\r\n\r\n")) return 0;
    uint64_t status = 0;
    struct str text = {visitor->text + strlen("HTTP/1.1 "), 3};
    assert_true(str_to_u64(text, &status));
    return (int)status;
}

static void leave(struct visitor *visitor) {
    close(visitor->fd);
}

#define OPEN                                                                                       \
    "GET /sse HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n"                                \
    "Connection: close\r\n\r\n"

/* Where the stream says that messages go. */
static struct str endpoint_of(const struct visitor *stream) {
    const char *at = strstr(stream->text, "data: /messages?sessionId=");
    assert_non_null(at);
    at += strlen("data: ");
    return (struct str){at, strcspn(at, "\r\n")};
}

static void post(struct visitor *visitor, struct str endpoint, const char *body) {
    char request[1024];
    snprintf(request, sizeof request,
             "POST " STR_FMT " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
             "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
             STR_ARG(endpoint), strlen(body), body);
    say(visitor, request);
}

static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}";
static const char pong[] = "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}}";

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what)) n++;
    return n;
}

/* -- tests ------------------------------------------------------------------------------------ */

static void its_session_goes_with_its_stream(void **state) {
    struct visitor stream, message;
    (void)state;
    begin();
    say(&stream, OPEN);
    assert_true(hears(&stream, "\n\n"));
    post(&message, endpoint_of(&stream), ping);
    assert_int_equal(status_of(&message), 202);
    assert_true(hears(&stream, pong));
    assert_true(bytes_in_store() > bytes_at_first);
    leave(&stream);
    while (bytes_in_store() > bytes_at_first) turn_loop();
    leave(&message);
    post(&message, endpoint_of(&stream), ping);
    assert_int_equal(status_of(&message), 404);
    leave(&message);
    end();
}

/* Where the Nth thing fails: on the loop, or at the desk. */
static void arm(bool at_desk, long n) {
    if (at_desk)
        armed_set(n);
    else
        fault_set(n);
}

static void disarm(void) {
    armed_set(-1);
    fault_off();
}

static void opens_or_says_why_not(void **state) {
    (void)state;
    for (int at_desk = 0; at_desk < 2; at_desk++) {
        size_t n_open = 0;
        for (long n = 0; n_open < 4; n++) {
            struct visitor stream;
            begin();
            arm(at_desk, n);
            say(&stream, OPEN);
            int status = status_of(&stream);
            bool is_open = status == 200 && hears(&stream, "sessionId=");
            disarm();
            assert_true(is_open || status != 200 || stream.has_ended);
            n_open = is_open ? n_open + 1 : 0;
            leave(&stream);
            end();
            assert_true(n < 400);
        }
    }
}

static void takes_a_message_once_or_says_why_not(void **state) {
    (void)state;
    for (int at_desk = 0; at_desk < 2; at_desk++) {
        size_t n_taken = 0;
        for (long n = 0; n_taken < 4; n++) {
            struct visitor stream, message;
            begin();
            say(&stream, OPEN);
            assert_true(hears(&stream, "\n\n"));
            arm(at_desk, n);
            post(&message, endpoint_of(&stream), ping);
            int status = status_of(&message);
            disarm();
            while (running_count(&door.mcp->running) > 0) hear(&stream);
            for (int i = 0; i < 4; i++) hear(&stream);
            size_t n_answers = count(stream.text, "\"id\":\"p\"");
            assert_true(n_answers <= 1);
            /* Beside it only what HTTP itself could not write. */
            assert_true(n_answers == 0 || status == 202 || status == 500 || status == 0);
            n_taken = status == 202 && n_answers == 1 ? n_taken + 1 : 0;
            leave(&message);
            leave(&stream);
            end();
            assert_true(n < 400);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_session_goes_with_its_stream),
        cmocka_unit_test(opens_or_says_why_not),
        cmocka_unit_test(takes_a_message_once_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
