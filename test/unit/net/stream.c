#include "rig.h"

#include "net/sse.h"

#define REQUEST     STR("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
#define REQUEST_1_0 STR("GET /events HTTP/1.0\r\n\r\n")

static void test_chunks(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, REQUEST);
    assert_string_equal(rig_read(&rig, fd, NULL).ptr,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                        "Transfer-Encoding: chunked\r\n"
                        "Date: Fri, 20 Nov 2026 09:14:56 GMT\r\n\r\n");
    assert_true(rig_stream(rig.kept[0], STR("data: 0123456789\n\n")));
    assert_true(rig_stream(rig.kept[0], STR(""))); /* an empty chunk would end the body */
    assert_string_equal(rig_read(&rig, fd, NULL).ptr, "12\r\ndata: 0123456789\n\n\r\n");
    http_stream_end(rig.kept[0]);
    assert_string_equal(rig_read(&rig, fd, &ended).ptr, "0\r\n\r\n");
    assert_false(ended);
    rig_write(&rig, fd, REQUEST); /* the connection goes on */
    assert_int_equal(rig.n_kept, 2);
    http_stream_end(rig.kept[1]);
    close(fd);
    rig_end(&rig);
}

static void test_http_1_0(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, REQUEST_1_0);
    assert_true(rig_stream(rig.kept[0], STR("plain")));
    http_stream_end(rig.kept[0]);
    struct str all = rig_read(&rig, fd, &ended);
    assert_true(ended);
    assert_false(has(all, STR("chunked")));
    assert_true(has(all, STR("Connection: close\r\n")));
    assert_true(str_ends(all, STR("\r\n\r\nplain")));
    close(fd);
    rig_end(&rig);
}

/* HEAD: the head of a stream, and none of it. */
static void test_head(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, STR("HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_true(rig_stream(rig.kept[0], STR("x")));
    http_stream_end(rig.kept[0]);
    assert_true(str_ends(rig_read(&rig, fd, NULL), STR("GMT\r\n\r\n")));
    close(fd);
    rig_end(&rig);
}

/* A pipelined request waits behind the stream, and is not lost by http_request_release(). */
static void test_pipelined_behind(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd,
              STR("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(rig.n_kept, 1);
    http_stream_end(rig.kept[0]);
    rig_turn(&rig);
    assert_int_equal(rig.n_kept, 2);
    http_stream_end(rig.kept[1]);
    close(fd);
    rig_end(&rig);
}

/* What is sent while a stream runs stays with the kernel, and is read afterwards. */
static void test_request_during(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, REQUEST);
    rig_write(&rig, fd, REQUEST);
    assert_int_equal(rig.n_kept, 1);
    assert_true(rig_stream(rig.kept[0], STR("x")));
    http_stream_end(rig.kept[0]);
    rig_turn(&rig);
    assert_int_equal(rig.n_kept, 2);
    http_stream_end(rig.kept[1]);
    close(fd);
    rig_end(&rig);
}

/* 200 streams get the same events; every fourth peer does not read. Those are cut when more than
 * the cap waits for them, and nobody else is touched. */
static void test_many_streams(void **state) {
    enum { STREAMS = 200, DEAF = STREAMS / 4 };
    static char event[16 << 10];
    struct rig rig;
    int fds[STREAMS];
    size_t got[STREAMS] = {0};
    int refused[STREAMS] = {0};

    (void)state;
    memset(event, 'e', sizeof event);
    rig_init(&rig);
    rig.settings.stream_queue_bytes = 256 << 10;
    rig_start(&rig);
    for (int i = 0; i < STREAMS; i++) {
        fds[i] = rig_connect(&rig, rig_open_stream, &rig);
        rig_write(&rig, fds[i], REQUEST);
    }
    assert_int_equal(rig.n_kept, STREAMS);
    for (int round = 0; round < 64; round++) {
        for (int i = 0; i < STREAMS; i++) {
            struct http_exchange *x = rig.kept[i];
            if (!rig_stream(x, (struct str){event, sizeof event})) refused[i]++;
            if (i % 4 != 0) got[i] += rig_read(&rig, fds[i], NULL).len;
        }
    }
    rig_turn(&rig);
    for (int i = 0; i < STREAMS; i++) {
        if (i % 4 != 0) got[i] += rig_read(&rig, fds[i], NULL).len;
        assert_int_equal(refused[i] > 0, i % 4 == 0);
        assert_int_equal(http_is_gone(rig.kept[i]), i % 4 == 0);
        assert_true(i % 4 == 0 || got[i] > 64 * sizeof event);
    }
    assert_int_equal(rig.gone, DEAF);
    assert_int_equal(http_server_connections(rig.server), STREAMS - DEAF);
    for (int i = 0; i < STREAMS; i++) {
        http_stream_end(rig.kept[i]);
        close(fds[i]);
    }
    rig_turn(&rig);
    assert_int_equal(http_server_connections(rig.server), 0);
    rig_end(&rig);
}

/* A stream that nobody takes anything from is cut after write_timeout, though below the cap. */
static void test_unread_stream(void **state) {
    static char event[200 << 10];
    struct rig rig;

    (void)state;
    memset(event, 'e', sizeof event);
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, REQUEST);
    rig_pass(&rig, 3600000); /* idling is no fault */
    assert_true(rig_stream(rig.kept[0], (struct str){event, sizeof event}));
    assert_true(rig_stream(rig.kept[0], (struct str){event, sizeof event}));
    rig_pass(&rig, 29000);
    assert_int_equal(rig.gone, 0);
    rig_pass(&rig, 1000);
    assert_int_equal(rig.gone, 1);
    assert_false(rig_stream(rig.kept[0], STR("x")));
    http_stream_end(rig.kept[0]);
    close(fd);
    rig_end(&rig);
}

/* What waited is written when the peer reads again, and then nothing is due. */
static void test_slow_stream(void **state) {
    static char event[400 << 10];
    struct rig rig;
    bool ended;

    (void)state;
    memset(event, 'e', sizeof event);
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, REQUEST);
    assert_true(rig_stream(rig.kept[0], (struct str){event, sizeof event}));
    for (int i = 0; i < 20; i++) assert_true(rig_stream(rig.kept[0], STR("small")));
    rig_pass(&rig, 20000);
    struct str all = rig_read(&rig, fd, &ended);
    assert_true(str_ends(all, STR("5\r\nsmall\r\n")));
    assert_true(all.len > sizeof event + 20 * 10);
    rig_pass(&rig, 3600000);
    assert_int_equal(rig.gone, 0);
    assert_true(rig_stream(rig.kept[0], STR("more")));
    assert_string_equal(rig_read(&rig, fd, NULL).ptr, "4\r\nmore\r\n");
    http_stream_end(rig.kept[0]);
    close(fd);
    rig_end(&rig);
}

static void test_peer_leaves(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, fd, REQUEST);
    shutdown(fd, SHUT_WR); /* a stream's peer that says no more is gone */
    rig_turn(&rig);
    assert_int_equal(rig.gone, 1);
    assert_false(rig_stream(rig.kept[0], STR("x")));
    http_stream_end(rig.kept[0]);
    close(fd);
    rig_end(&rig);
}

/* -- draining ------------------------------------------------------------------------------- */

static void open_kept_stream(void *ctx, struct http_exchange *x, const struct http_request *req) {
    rig_open_stream(ctx, x, req);
    http_on_drain(x, rig_drained, ctx);
}

static void test_drain(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int idle = rig_connect(&rig, rig_echo, &rig);
    int half = rig_connect(&rig, rig_echo, &rig);
    int working = rig_connect(&rig, rig_keep, &rig);
    int told = rig_connect(&rig, open_kept_stream, &rig);
    int plain = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, half, STR("GET /half HTTP/1.1\r\n"));
    rig_write(&rig, working, REQUEST);
    rig_write(&rig, told, REQUEST);
    rig_write(&rig, plain, REQUEST);
    rig_read(&rig, told, NULL);
    rig_read(&rig, plain, NULL);

    http_server_drain(rig.server);
    http_server_drain(rig.server); /* once is enough */
    rig_turn(&rig);
    assert_int_equal(rig_read(&rig, idle, &ended).len, 0);
    assert_true(ended);
    assert_int_equal(rig.drained, 1);
    assert_string_equal(rig_read(&rig, plain, &ended).ptr, "0\r\n\r\n");
    assert_true(ended);
    assert_int_equal(rig.gone, 1);
    http_stream_end(rig.kept[2]);

    assert_true(rig_stream(rig.kept[1], STR("bye")));
    http_stream_end(rig.kept[1]);
    assert_string_equal(rig_read(&rig, told, &ended).ptr, "3\r\nbye\r\n0\r\n\r\n");
    assert_true(ended);

    rig_write(&rig, half, STR("Host: h\r\n\r\n")); /* what had begun is served */
    struct str reply = rig_read(&rig, half, &ended);
    assert_int_equal(rig_status(reply), 200);
    assert_true(has(reply, STR("Connection: close\r\n")));
    assert_true(ended);

    rig_answer(rig.kept[0], STR("done"));
    assert_true(has(rig_read(&rig, working, &ended), STR("Connection: close\r\n")));
    assert_true(ended);
    int fds[] = {idle, half, working, told, plain};
    for (size_t i = 0; i < COUNT(fds); i++) close(fds[i]);
    rig_turn(&rig);
    assert_int_equal(http_server_connections(rig.server), 0);
    loop_run(rig_loop(&rig)); /* returns: the last connection has stopped it */
    rig_end(&rig);
}

/* The regular end of a stream comes behind what still waits for the peer. */
static void test_drain_slow_stream(void **state) {
    static char event[400 << 10];
    struct rig rig;
    bool ended;

    (void)state;
    memset(event, 'e', sizeof event);
    rig_init(&rig);
    rig_start(&rig);
    for (int ends_itself = 0; ends_itself < 2; ends_itself++) {
        int fd = rig_connect(&rig, rig_open_stream, &rig);
        rig_write(&rig, fd, REQUEST);
        assert_true(rig_stream(rig.kept[ends_itself], (struct str){event, sizeof event}));
        if (ends_itself == 0) {
            http_server_drain(rig.server);
            rig_turn(&rig);
            assert_int_equal(rig.gone, 0);
            assert_false(rig_stream(rig.kept[0], STR("too late")));
        }
        if (ends_itself == 1) http_stream_end(rig.kept[1]);
        struct str all = rig_read(&rig, fd, &ended);
        assert_true(str_ends(all, STR("e\r\n0\r\n\r\n")));
        assert_true(ended);
        assert_int_equal(rig.gone, 1);
        if (ends_itself == 0) http_stream_end(rig.kept[0]);
        close(fd);
    }
    rig_end(&rig);
}

/* What is not done at the deadline is cut; the worker's answer comes after the loop has ended. */
static void test_drain_deadline(void **state) {
    struct rig rig;
    bool ended;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int fd = rig_connect(&rig, rig_keep, &rig);
    rig_write(&rig, fd, REQUEST);
    http_server_drain(rig.server);
    rig_turn(&rig);
    rig_pass(&rig, 9000);
    rig_read(&rig, fd, &ended);
    assert_false(ended);
    rig_pass(&rig, 1000);
    assert_int_equal(rig_read(&rig, fd, &ended).len, 0);
    assert_true(ended);
    loop_run(rig_loop(&rig));
    assert_int_equal(rig.gone, 1);
    rig_answer(rig.kept[0], STR("too late"));
    close(fd);
    rig_end(&rig);
}

/* A server that is freed with everything still open tells the handlers and leaks nothing. */
static void test_free_while_open(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    int idle = rig_connect(&rig, rig_echo, &rig);
    int working = rig_connect(&rig, rig_keep, &rig);
    int stream = rig_connect(&rig, rig_open_stream, &rig);
    rig_write(&rig, working, REQUEST);
    rig_write(&rig, stream, REQUEST);
    http_server_free(rig.server);
    rig.server = NULL;
    assert_int_equal(rig.gone, 2);
    close(idle);
    close(working);
    close(stream);
    rig_end(&rig);
}

/* -- events as text -------------------------------------------------------------------------- */

static void test_sse(void **state) {
    struct buf out;
    struct iovec iov[1];

    (void)state;
    buf_init(&out, (size_t)KIB);
    sse_event(&out, STR("message"), STR("7"), STR("{\"a\":1}"));
    sse_event(&out, STR(""), STR(""), STR("a\nb\r\nc\rd"));
    sse_event(&out, STR(""), STR(""), STR(""));
    sse_event(&out, STR(""), STR(""), STR("x\n"));
    sse_comment(&out, STR(""));
    sse_comment(&out, STR("ping"));
    assert_int_equal(buf_iov(&out, 0, iov, 1), 1);
    struct str text = {iov[0].iov_base, iov[0].iov_len};
    assert_true(str_eq(text, STR("event: message\nid: 7\ndata: {\"a\":1}\n\n"
                                 "data: a\ndata: b\ndata: c\ndata: d\n\n"
                                 "data: \n\n"
                                 "data: x\ndata: \n\n"
                                 ":\n\n"
                                 ": ping\n\n")));
    buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_http_1_0),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_pipelined_behind),
        cmocka_unit_test(test_request_during),
        cmocka_unit_test(test_many_streams),
        cmocka_unit_test(test_unread_stream),
        cmocka_unit_test(test_peer_leaves),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_deadline),
        cmocka_unit_test(test_free_while_open),
        cmocka_unit_test(test_slow_stream),
        cmocka_unit_test(test_drain_slow_stream),
        cmocka_unit_test(test_sse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
