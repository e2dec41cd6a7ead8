#include "rig.h"

#include "base/fault.h"
#include "base/log.h"

/* The Nth thing that can fail fails, for every N, in a conversation that uses most of the server:
 * what the peer then reads is a right answer, a refusal with 500 or 503, or an end. */

static struct str conversation(void) {
    static char text[40 << 10];
    static size_t len;

    if (len == 0) {
        struct str parts[] = {
            STR("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"),
            STR("POST /2 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                "Content-Length: 20000\r\n\r\n"),
        };
        for (size_t i = 0; i < COUNT(parts); i++) {
            memcpy(text + len, parts[i].ptr, parts[i].len);
            len += parts[i].len;
        }
        memset(text + len, 'b', 20000);
        len += 20000;
        struct str last = STR("GET /stream HTTP/1.1\r\nHost: h\r\n\r\nBAD\r\n\r\n");
        memcpy(text + len, last.ptr, last.len);
        len += last.len;
    }
    return (struct str){text, len};
}

static void answer(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct rig *rig = ctx;

    if (!str_eq(req->path, STR("/stream"))) {
        rig_echo(ctx, x, req);
        return;
    }
    rig->handled++;
    http_stream_begin(x, 200, NULL, 0);
    bool sent = rig_stream(x, STR("one"));
    assert_int_equal(rig_stream(x, STR("two")) && !sent, false); /* gone is for good */
    http_stream_end(x);
}

/* Every reply in the text is whole, in order, and of a status that may occur. */
static void check_replies(struct str all, bool ended) {
    struct str rest = all;

    while (rest.len > 0) {
        if (!str_starts(rest, STR("HTTP/1.1 "))) return; /* a body, or cut within a reply */
        int status = rig_status(rest);
        assert_true(status == 100 || status == 200 || status == 400 || status == 500 ||
                    status == 503);
        if (status >= 400 && status != 500) assert_true(ended);
        size_t next = str_find(str_slice(rest, 9, rest.len), STR("HTTP/1.1 "));
        rest = str_slice(rest, 9 + next, rest.len);
    }
}

static void talk(struct rig *rig) {
    bool ended = false;
    int fd = rig_connect(rig, answer, rig);

    if (fd < 0) return;
    rig_write(rig, fd, conversation());
    struct str all = rig_read(rig, fd, &ended);
    check_replies(all, ended);
    close(fd);
    rig_turn(rig);
}

static void test_every_fault(void **state) {
    long n = 0;

    (void)state;
    log_threshold(LOG_OFF);
    for (;; n++) {
        struct rig rig;
        rig_init(&rig);
        rig_start(&rig);
        fault_set(n);
        talk(&rig);
        bool unused = fault_unused();
        fault_off();
        if (unused) assert_int_equal(rig.handled, 3);
        assert_int_equal(http_server_connections(rig.server), 0);
        rig_end(&rig);
        if (unused) break;
    }
    assert_true(n > 15); /* the counter was really asked */
}

/* A server that cannot be made, or cannot listen, says so and leaves nothing behind. */
static void test_set_up(void **state) {
    long n = 0;

    (void)state;
    for (;; n++) {
        struct http_settings settings;
        struct http_server *server = NULL;
        struct report report = {0};
        option_defaults(http_options, &settings);
        settings.loops = 3;
        fault_set(n);
        result r = http_server_new(&server, &settings, &clock_real, &report);
        if (r.why == FAIL_NONE)
            r = http_server_listen(server, STR("127.0.0.1"), 0, answer, NULL, NULL, &report);
        bool unused = fault_unused();
        fault_off();
        assert_int_equal(r.why == FAIL_NONE, unused);
        assert_int_equal(report.sentence[0] == '\0', unused);
        http_server_free(server);
        if (unused) break;
    }
    assert_true(n > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_fault),
        cmocka_unit_test(test_set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
