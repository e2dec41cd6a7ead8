#include "rig.h"

#include "base/log.h"
#include "strictness.h"

#include <stdio.h>

#define REQUEST STR("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")

static void test_reply_bytes(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_echo, &rig);
    rig_write(&rig, fd, REQUEST);
    assert_string_equal(rig_read(&rig, fd, &ended).ptr,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
                        "Date: Fri, 20 Nov 2026 09:14:56 GMT\r\n\r\n/a ");
    assert_false(ended);
    rig_write(&rig, fd, STR("HEAD /b HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    struct str head = rig_read(&rig, fd, &ended);
    assert_true(has(head, STR("Content-Length: 3\r\n")));
    assert_true(str_ends(head, STR("\r\n\r\n")));
    assert_false(ended);
    rig_write(&rig, fd, STR("GET /c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    assert_true(has(rig_read(&rig, fd, &ended), STR("Connection: close\r\n")));
    assert_true(ended);
    close(fd);
    rig_turn(&rig);
    assert_int_equal(http_server_connections(rig.server), 0);
    rig_end(&rig);
}

/* Each row of the table against a server: the status, at once, and closed. */
static void test_strictness(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    for (size_t i = 0; i < COUNT(strictness); i++) {
        const struct strict_case *row = &strictness[i];
        struct buf bytes;
        bool ended;
        buf_init(&bytes, (size_t)MIB);
        strict_bytes(row, &bytes);
        rig.refused = 0;
        int fd = rig_connect(&rig, rig_echo, &rig);
        for (const struct buf_chunk *c = bytes.first; c != NULL; c = c->next)
            rig_write(&rig, fd, (struct str){c->bytes, c->len});
        struct str reply = rig_read(&rig, fd, &ended);
        struct str go_on = STR("HTTP/1.1 100 Continue\r\n\r\n");
        if (str_starts(reply, go_on)) reply = str_slice(reply, go_on.len, reply.len);
        if (rig_status(reply) != row->status)
            print_error("%s: '" STR_FMT "'\n", row->name, STR_ARG(reply));
        assert_int_equal(rig_status(reply), row->status);
        if (row->status >= 400) {
            assert_true(ended);
            assert_true(has(reply, STR("Connection: close\r\n")));
            assert_int_equal(rig.refused, 1);
        }
        close(fd);
        buf_deinit(&bytes);
        rig_turn(&rig);
        assert_int_equal(http_server_connections(rig.server), 0);
    }
    rig_end(&rig);
}

/* The second request is handed over when the first has its answer, and answers keep the order. */
static void test_pipelining(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_keep, &rig);
    rig_write(&rig, fd,
              STR("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
                  "GET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\nGE"));
    assert_int_equal(rig.handled, 1);
    rig_answer(rig.kept[0], STR("first"));
    assert_int_equal(rig.handled, 1); /* never from inside http_reply() */
    rig_turn(&rig);
    assert_int_equal(rig.handled, 2);
    rig_answer(rig.kept[1], STR("second"));
    rig_turn(&rig);
    rig_answer(rig.kept[2], STR("third"));
    rig_turn(&rig);
    assert_int_equal(rig.handled, 3);
    rig_write(&rig, fd, STR("T /4 HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(rig.handled, 4);
    rig_answer(rig.kept[3], STR("fourth"));
    struct str all = rig_read(&rig, fd, NULL);
    size_t first = str_find(all, STR("first")), second = str_find(all, STR("second"));
    size_t third = str_find(all, STR("third")), fourth = str_find(all, STR("fourth"));
    assert_true(first < second && second < third && third < fourth && fourth < all.len);
    close(fd);
    rig_end(&rig);
}

/* Handlers that answer at once do not nest, however many requests are in one read. */
static void test_pipelining_many(void **state) {
    struct rig rig;
    struct buf bytes;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    buf_init(&bytes, (size_t)MIB);
    for (int i = 0; i < 1000; i++) buf_add(&bytes, REQUEST);
    int fd = rig_connect(&rig, rig_echo, &rig);
    for (const struct buf_chunk *c = bytes.first; c != NULL; c = c->next)
        rig_write(&rig, fd, (struct str){c->bytes, c->len});
    rig_turn(&rig);
    struct str all = rig_read(&rig, fd, NULL);
    size_t n = 0;
    for (size_t at; (at = str_find(all, STR("HTTP/1.1 200"))) < all.len; n++)
        all = str_slice(all, at + 1, all.len);
    assert_int_equal(n, 1000);
    buf_deinit(&bytes);
    close(fd);
    rig_end(&rig);
}

static void test_continue(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_echo, &rig);
    rig_write(&rig, fd,
              STR("POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                  "Content-Length: 2\r\n\r\n"));
    assert_string_equal(rig_read(&rig, fd, NULL).ptr, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_write(&rig, fd, STR("o"));
    assert_int_equal(rig_read(&rig, fd, NULL).len, 0); /* once */
    rig_write(&rig, fd, STR("k"));
    assert_true(str_ends(rig_read(&rig, fd, NULL), STR("/e ok")));
    /* Refused before the body is asked for. */
    rig_write(&rig, fd,
              STR("POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                  "Content-Length: 99999999\r\n\r\n"));
    assert_int_equal(rig_status(rig_read(&rig, fd, NULL)), 413);
    close(fd);
    rig_end(&rig);
}

static void test_large_requests(void **state) {
    enum { SIZE = 300000 };
    struct rig rig;
    char *body = malloc(SIZE);

    (void)state;
    for (int i = 0; i < SIZE; i++) body[i] = (char)('a' + i % 23);
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_echo, &rig);
    for (int round = 0; round < 2; round++) {
        rig_write(&rig, fd, STR("POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n"));
        rig_write(&rig, fd, (struct str){body, SIZE});
        struct str reply = rig_read(&rig, fd, NULL);
        assert_true(str_ends(reply, (struct str){body, SIZE}));
    }
    rig_write(&rig, fd, STR("POST /l HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int at = 0; at < SIZE; at += 30000) {
        rig_write(&rig, fd, STR("7530\r\n"));
        rig_write(&rig, fd, (struct str){body + at, 30000});
        rig_write(&rig, fd, STR("\r\n"));
    }
    rig_write(&rig, fd, STR("0\r\n\r\n"));
    assert_true(str_ends(rig_read(&rig, fd, NULL), (struct str){body, SIZE}));
    close(fd);
    free(body);
    rig_end(&rig);
}

/* -- slow peers ----------------------------------------------------------------------------- */

/* One deadline for the whole request: a byte a second does not move it. */
static void test_slow_request(void **state) {
    static const struct str begins[] = {
        STR_INIT("GET /a HTTP/1.1\r\n"),
        STR_INIT("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(begins); i++) {
        struct rig rig;
        bool ended = false;
        rig_init(&rig);
        rig_start(&rig);
        int fd = rig_connect(&rig, rig_echo, &rig);
        rig_write(&rig, fd, begins[i]);
        for (int s = 0; s < 29; s++) {
            rig_write(&rig, fd, STR("x"));
            rig_pass(&rig, 1000);
            assert_int_equal(rig_read(&rig, fd, &ended).len, 0);
            assert_false(ended);
        }
        rig_write(&rig, fd, STR("x"));
        rig_pass(&rig, 1000);
        assert_int_equal(rig_status(rig_read(&rig, fd, &ended)), 408);
        assert_true(ended);
        rig_pass(&rig, HTTP_LINGER_MS);
        assert_int_equal(http_server_connections(rig.server), 0);
        close(fd);
        rig_end(&rig);
    }
}

/* The clock of the second request starts with its first byte. */
static void test_slow_second_request(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_echo, &rig);
    rig_write(&rig, fd, REQUEST);
    rig_read(&rig, fd, NULL);
    rig_pass(&rig, 60000);
    rig_write(&rig, fd, STR("GET"));
    rig_pass(&rig, 29000);
    rig_read(&rig, fd, &ended);
    assert_false(ended);
    rig_pass(&rig, 1000);
    assert_int_equal(rig_status(rig_read(&rig, fd, &ended)), 408);
    close(fd);
    rig_end(&rig);
}

static void test_silent_peers(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int mute = rig_connect(&rig, rig_echo, &rig);
    int idle = rig_connect(&rig, rig_echo, &rig);
    rig_write(&rig, idle, REQUEST);
    rig_read(&rig, idle, NULL);
    rig_pass(&rig, 30000);
    assert_int_equal(rig_read(&rig, mute, &ended).len, 0);
    assert_true(ended); /* connected and said nothing: a request's time */
    rig_read(&rig, idle, &ended);
    assert_false(ended);
    rig_pass(&rig, 45000);
    assert_int_equal(rig_read(&rig, idle, &ended).len, 0);
    assert_true(ended);
    assert_int_equal(http_server_connections(rig.server), 0);
    close(mute);
    close(idle);
    rig_end(&rig);
}

static void answer_8_mib(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct rig *rig = ctx;
    struct buf body;

    (void)req;
    rig->handled++;
    buf_init(&body, (size_t)(16 * MIB));
    for (int i = 0; i < 8 * 1024 * 16; i++)
        buf_add(&body, STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"));
    http_reply(x, 200, NULL, 0, &body);
}

/* A peer that does not read is not read from, and is cut in time; one that reads is not. */
static void test_slow_reader(void **state) {
    struct rig rig;
    bool ended = false;
    size_t got = 0;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int deaf = rig_connect(&rig, answer_8_mib, &rig);
    int slow = rig_connect(&rig, answer_8_mib, &rig);
    rig_write(&rig, deaf, REQUEST);
    rig_write(&rig, slow, REQUEST);
    assert_int_equal(rig.handled, 2);
    send(deaf, REQUEST.ptr, REQUEST.len, MSG_NOSIGNAL);
    rig_turn(&rig);
    assert_int_equal(rig.handled, 2);
    for (int i = 0; i < 10; i++) { /* 20 s apart: each time it takes more than a step */
        rig_pass(&rig, 20000);
        for (int n = 0; n < 4; n++) {
            ssize_t r = recv(slow, rig.text, 1 << 16, 0);
            if (r > 0) got += (size_t)r;
            rig_turn(&rig);
        }
    }
    assert_int_equal(http_server_connections(rig.server), 1); /* the deaf one is cut */
    while (got < 8 * 1024 * 1024) {
        struct str part = rig_read(&rig, slow, &ended);
        if (part.len == 0) break;
        got += part.len;
    }
    assert_true(got > 8 * 1024 * 1024);
    assert_false(ended);
    close(deaf);
    close(slow);
    rig_end(&rig);
}

/* A peer that takes a little each second does not get a new deadline for each little. */
static void test_dribbling_reader(void **state) {
    struct rig rig;
    int pair[2], small = 4096;
    size_t got = 0;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    assert_int_equal(http_server_adopt(rig.server, 0, pair[1], answer_8_mib, &rig, NULL).why,
                     FAIL_NONE);
    rig_write(&rig, pair[0], REQUEST);
    for (int s = 0; s < 29; s++) {
        ssize_t n = recv(pair[0], rig.text, 1500, 0);
        assert_true(n > 0);
        got += (size_t)n;
        rig_pass(&rig, 1000);
        assert_int_equal(http_server_connections(rig.server), 1);
    }
    assert_true(got > 29 * 1000);
    rig_pass(&rig, 1000);
    assert_int_equal(http_server_connections(rig.server), 0);
    close(pair[0]);
    rig_end(&rig);
}

/* -- peers that leave ------------------------------------------------------------------------ */

static void test_late_reply(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_keep, &rig);
    rig_write(&rig, fd, STR("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"));
    assert_int_equal(rig.n_kept, 1);
    assert_int_equal(rig.gone, 0);
    close(fd);
    rig_turn(&rig);
    assert_int_equal(rig.gone, 1);
    assert_true(http_is_gone(rig.kept[0]));
    assert_int_equal(http_server_connections(rig.server), 0);
    rig_answer(rig.kept[0], STR("too late"));
    rig_turn(&rig);
    assert_int_equal(rig.gone, 1);
    rig_end(&rig);
}

/* The reply comes in the same turn as the end, before the handler was told. */
static void test_reply_before_told(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, REQUEST);
    close(fd);
    assert_false(rig_stream(rig.kept[0], STR("x"))); /* the write finds it out */
    http_stream_end(rig.kept[0]);
    rig_turn(&rig);
    assert_int_equal(rig.gone, 0); /* it had finished: nobody to tell */
    rig_end(&rig);
}

/* A peer that has only stopped sending is answered, unless the handler wants to know. */
static void test_half_close(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int plain = rig_connect(&rig, rig_keep, &rig);
    rig_write(&rig, plain, REQUEST);
    http_on_gone(rig.kept[0], NULL, NULL);
    shutdown(plain, SHUT_WR);
    rig_turn(&rig);
    rig_answer(rig.kept[0], STR("yes"));
    assert_true(str_ends(rig_read(&rig, plain, &ended), STR("yes")));
    assert_true(ended);

    int told = rig_connect(&rig, rig_keep, &rig);
    rig_write(&rig, told, REQUEST);
    http_on_gone(rig.kept[1], NULL, NULL);
    shutdown(told, SHUT_WR);
    rig_turn(&rig);
    assert_int_equal(rig.gone, 0);
    http_on_gone(rig.kept[1], rig_gone, &rig); /* asked late, told all the same */
    rig_turn(&rig);
    assert_int_equal(rig.gone, 1);
    rig_answer(rig.kept[1], STR("no"));
    assert_int_equal(rig_read(&rig, told, &ended).len, 0);
    close(plain);
    close(told);
    rig_end(&rig);
}

/* Asked for when it has already happened, and with nothing more to wait for after the answer. */
static void test_gone_asked_late(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_keep, &rig);
    rig_write(&rig, fd, REQUEST);
    http_on_gone(rig.kept[0], NULL, NULL);
    close(fd);
    rig_turn(&rig);
    assert_true(http_is_gone(rig.kept[0]));
    http_on_gone(rig.kept[0], rig_gone, &rig);
    assert_int_equal(rig.gone, 0); /* from the loop, not from inside */
    rig_turn(&rig);
    assert_int_equal(rig.gone, 1);
    http_reply(rig.kept[0], 200, NULL, 0, NULL);

    fd = rig_connect(&rig, rig_keep, &rig);
    rig_write(&rig, fd, STR("GET /a HTTP/1.0\r\n\r\n"));
    http_on_gone(rig.kept[1], NULL, NULL);
    shutdown(fd, SHUT_WR);
    rig_turn(&rig);
    rig_answer(rig.kept[1], STR("last"));
    assert_true(str_ends(rig_read(&rig, fd, NULL), STR("last")));
    assert_int_equal(http_server_connections(rig.server), 0); /* nobody to hear out */
    close(fd);
    rig_end(&rig);
}

/* After a large body the next request moves back into small memory; forty requests at once are more
 * than the pool keeps. */
static void test_memory_returns(void **state) {
    enum { AT_ONCE = HTTP_INBOXES_KEPT + 8, SIZE = 20000 };
    static char text[SIZE + 256];
    static const char head[] = "POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n";
    struct rig rig;
    int fds[AT_ONCE];
    bool ended;

    (void)state;
    size_t len = sizeof head - 1;
    memcpy(text, head, len);
    memset(text + len, 'b', SIZE);
    len += SIZE;
    memcpy(text + len, REQUEST.ptr, REQUEST.len);
    len += REQUEST.len;
    rig_init(&rig);
    rig_start(&rig);
    for (int i = 0; i < AT_ONCE; i++) {
        fds[i] = rig_connect(&rig, rig_keep, &rig);
        send(fds[i], text, len, MSG_NOSIGNAL);
        rig_turn(&rig);
    }
    assert_int_equal(rig.n_kept, AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++) rig_answer(rig.kept[i], STR("first"));
    rig_turn(&rig);
    assert_int_equal(rig.n_kept, 2 * AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++) {
        rig_answer(rig.kept[AT_ONCE + i], STR("second"));
        rig_turn(&rig);
        assert_true(str_ends(rig_read(&rig, fds[i], &ended), STR("second")));
        assert_false(ended);
        close(fds[i]);
    }
    rig_end(&rig);
}

/* Large requests of all connections together have a bound; small ones are served all the same. */
static void test_buffered_bytes(void **state) {
    static const char head[] = "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n";
    static char body[90000];
    struct rig rig;
    int statuses[3];

    (void)state;
    memset(body, 'b', sizeof body);
    rig_init(&rig);
    rig.settings.max_buffered_bytes = 250000;
    rig_start(&rig);
    int fds[3], small;
    for (int i = 0; i < 3; i++) {
        fds[i] = rig_connect(&rig, rig_keep, &rig);
        rig_write(&rig, fds[i], (struct str){head, sizeof head - 1});
        rig_write(&rig, fds[i], (struct str){body, sizeof body});
        statuses[i] = rig_status(rig_read(&rig, fds[i], NULL));
    }
    assert_int_equal(statuses[0], 0);
    assert_int_equal(statuses[1], 0);
    assert_int_equal(statuses[2], 503);
    small = rig_connect(&rig, rig_echo, &rig);
    rig_write(&rig, small, REQUEST);
    assert_int_equal(rig_status(rig_read(&rig, small, NULL)), 200);
    for (size_t i = 0; i < rig.n_kept; i++) rig_answer(rig.kept[i], STR("ok"));
    close(fds[2]);
    fds[2] = rig_connect(&rig, rig_echo, &rig); /* and what they held comes back */
    rig_write(&rig, fds[2], (struct str){head, sizeof head - 1});
    rig_write(&rig, fds[2], (struct str){body, sizeof body});
    assert_int_equal(rig_status(rig_read(&rig, fds[2], NULL)), 200);
    for (int i = 0; i < 3; i++) close(fds[i]);
    close(small);
    rig_end(&rig);
}

/* -- answers that cannot be sent ------------------------------------------------------------- */

static void answer_badly(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct http_header split = {STR("X-A"), STR("b\r\nSet-Cookie: c")};
    struct http_header ours = {STR("content-length"), STR("7")};
    struct buf body;

    (void)ctx;
    buf_init(&body, 4);
    buf_add(&body, STR("12345"));
    if (str_eq(req->path, STR("/split"))) {
        http_reply(x, 200, &split, 1, NULL);
    } else if (str_eq(req->path, STR("/ours"))) {
        http_reply(x, 200, &ours, 1, NULL);
    } else {
        http_reply(x, 200, NULL, 0, &body);
    }
    buf_deinit(&body);
}

static void test_bad_answers(void **state) {
    static const char *const paths[] = {"/split", "/ours", "/overfull"};
    struct rig rig;

    (void)state;
    log_threshold(LOG_OFF);
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, answer_badly, &rig);
    for (size_t i = 0; i < COUNT(paths); i++) {
        char text[128];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i]);
        rig_write(&rig, fd, str_of(text));
        struct str reply = rig_read(&rig, fd, NULL);
        assert_int_equal(rig_status(reply), 500);
        assert_false(has(reply, STR("Set-Cookie")));
        assert_true(has(reply, STR("Content-Length: 0\r\n")));
    }
    close(fd);
    rig_end(&rig);
}

static void answer_304(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct buf body;

    (void)ctx;
    (void)req;
    buf_init(&body, (size_t)KIB);
    buf_add(&body, STR("none of this"));
    http_reply(x, 304, NULL, 0, &body);
}

static void test_no_body(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, answer_304, &rig);
    rig_write(&rig, fd, REQUEST);
    struct str reply = rig_read(&rig, fd, NULL);
    assert_int_equal(rig_status(reply), 304);
    assert_true(str_ends(reply, STR("GMT\r\n\r\n")));
    assert_false(has(reply, STR("Content-Length")));
    close(fd);
    rig_end(&rig);
}

static void see_request(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct rig *rig = ctx;

    rig->handled++;
    assert_true(str_eq(req->method, STR("POST")));
    assert_true(str_eq(req->path, STR("/p")));
    assert_true(str_eq(req->query, STR("q=1?2")));
    assert_true(str_eq(req->host, STR("h:1")));
    assert_true(str_eq(req->peer, STR("local")));
    assert_true(req->peer_is_loopback && req->bind_is_loopback && !req->is_tls);
    assert_ptr_equal(req->exchange, x);
    assert_true(str_eq(http_header(req, STR("x-a")), STR("first")));
    assert_int_equal(http_header_count(req, STR("X-a")), 2);
    assert_null(http_header(req, STR("absent")).ptr);
    assert_non_null(http_header(req, STR("Empty")).ptr);
    http_header_wipe(req, STR("x-a")); /* each of that name, and nothing else */
    assert_true(str_eq(http_header(req, STR("X-A")), STR("\0\0\0\0\0")));
    assert_true(str_eq(req->headers[2].value, STR("\0\0\0\0\0\0")));
    assert_true(str_eq(req->headers[2].name, STR("x-A")));
    assert_true(str_eq(http_header(req, STR("Host")), STR("h:1")));
    http_reply(x, 202, NULL, 0, NULL);
}

static void test_request_views(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, see_request, &rig);
    rig_write(&rig, fd,
              STR("POST /p?q=1?2 HTTP/1.1\r\nHost: h:1\r\nX-A: first\r\nx-A: second\r\n"
                  "Empty:\r\nContent-Length: 0\r\n\r\n"));
    assert_int_equal(rig_status(rig_read(&rig, fd, NULL)), 202);
    assert_int_equal(rig.handled, 1);
    close(fd);
    rig_end(&rig);
}

/* The rows' texts and the constants of limits.h say the same. */
static void test_settings(void **state) {
    struct http_settings s;
    struct http_server *server = NULL;
    struct report report = {0};

    (void)state;
    option_defaults(http_options, &s);
    assert_int_equal(s.max_head_bytes, HTTP_HEAD_BYTES_MAX);
    assert_int_equal(s.max_headers, HTTP_HEADERS_MAX);
    assert_int_equal(s.max_body_bytes, HTTP_BODY_BYTES_MAX);
    assert_int_equal(s.stream_queue_bytes, HTTP_STREAM_QUEUE_BYTES);
    assert_int_equal(s.max_connections, HTTP_CONNECTIONS_MAX);
    assert_int_equal(s.request_timeout, 30000);
    assert_int_equal(s.tls_cert.len, 0);
    s.idle_timeout = 0;
    assert_int_equal(http_server_new(&server, &s, &clock_real, &report).why, FAIL_CONFIG);
    s.idle_timeout = 1;
    s.tls_cert = STR("only.pem");
    assert_int_equal(http_server_new(&server, &s, &clock_real, NULL).why, FAIL_CONFIG);
    s.tls_key = STR("neither.pem");
    assert_int_equal(http_server_new(&server, &s, &clock_real, NULL).why, FAIL_CONFIG);
    assert_null(server);
    http_server_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_bytes),     cmocka_unit_test(test_strictness),
        cmocka_unit_test(test_pipelining),      cmocka_unit_test(test_pipelining_many),
        cmocka_unit_test(test_continue),        cmocka_unit_test(test_large_requests),
        cmocka_unit_test(test_slow_request),    cmocka_unit_test(test_slow_second_request),
        cmocka_unit_test(test_silent_peers),    cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_late_reply),      cmocka_unit_test(test_reply_before_told),
        cmocka_unit_test(test_buffered_bytes),  cmocka_unit_test(test_dribbling_reader),
        cmocka_unit_test(test_half_close),      cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_gone_asked_late), cmocka_unit_test(test_memory_returns),
        cmocka_unit_test(test_no_body),         cmocka_unit_test(test_request_views),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
