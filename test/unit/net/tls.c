#include "papers.h"
#include "rig.h"

#include "base/fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* -- a client that shares the thread: it takes a step, the server takes its turns ----------- */

struct tls_client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static void client_open(struct rig *rig, struct tls_client *client, http_handler *handler,
                        int max_version) {
    client->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(client->ctx, max_version);
    client->ssl = SSL_new(client->ctx);
    client->fd = rig_connect(rig, handler, rig);
    SSL_set_fd(client->ssl, client->fd);
}

static void client_close(struct rig *rig, struct tls_client *client) {
    SSL_free(client->ssl);
    SSL_CTX_free(client->ctx);
    close(client->fd);
    rig_turn(rig);
}

/* true: it may be tried again. */
static bool client_waits(struct rig *rig, struct tls_client *client, int returned) {
    int error = SSL_get_error(client->ssl, returned);

    rig_turn(rig);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool client_connect(struct rig *rig, struct tls_client *client) {
    for (int i = 0; i < 100; i++) {
        ERR_clear_error();
        int r = SSL_connect(client->ssl);
        if (r == 1) return true;
        if (!client_waits(rig, client, r)) return false;
    }
    return false;
}

static void client_send(struct rig *rig, struct tls_client *client, struct str bytes) {
    for (;;) {
        int r = SSL_write(client->ssl, bytes.ptr, (int)bytes.len);
        if (r == (int)bytes.len) break;
        assert_true(client_waits(rig, client, r));
    }
    rig_turn(rig);
}

/* Reads until `tail` has come. */
static struct str client_read(struct rig *rig, struct tls_client *client, struct str tail) {
    size_t len = 0;

    for (int idle = 0; idle < 100;) {
        int r = SSL_read(client->ssl, rig->text + len, (int)(RIG_READ_MAX - len));
        if (r > 0) {
            len += (size_t)r;
            if (str_ends((struct str){rig->text, len}, tail)) break;
        } else if (client_waits(rig, client, r)) {
            idle++;
        } else {
            break;
        }
    }
    return (struct str){rig->text, len};
}

static void rig_start_tls(struct rig *rig, const struct papers *papers) {
    rig_init(rig);
    rig->settings.tls_cert = str_of(papers->cert);
    rig->settings.tls_key = str_of(papers->key);
    rig_start(rig);
}

static void test_round_trip(void **state) {
    const struct papers *papers = *state;
    struct rig rig;
    struct tls_client client;

    rig_start_tls(&rig, papers);
    client_open(&rig, &client, rig_echo, TLS1_3_VERSION);
    assert_true(client_connect(&rig, &client));
    assert_string_equal(SSL_get_version(client.ssl), "TLSv1.3");
    client_send(&rig, &client, STR("GET /one HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(rig_status(client_read(&rig, &client, STR("/one "))), 200);
    client_close(&rig, &client);
    assert_int_equal(http_server_connections(rig.server), 0);
    rig_end(&rig);
}

/* One record of 16 KB holds more than an inbox; the rest waits inside OpenSSL, where epoll cannot
 * see it. */
static void test_pending(void **state) {
    static char text[16000];
    struct rig rig;
    struct tls_client client;
    static const char head[] = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 15000\r\n\r\n";
    static const char next[] = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

    size_t len = sizeof head - 1;
    memcpy(text, head, len);
    memset(text + len, 'p', 15000);
    len += 15000;
    memcpy(text + len, next, sizeof next - 1);
    len += sizeof next - 1;
    for (int later = 0; later < 2; later++) {
        rig_start_tls(&rig, *state);
        client_open(&rig, &client, later ? rig_keep : rig_echo, TLS1_3_VERSION);
        assert_true(client_connect(&rig, &client));
        client_send(&rig, &client, (struct str){text, len});
        assert_int_equal(rig.handled, later ? 1 : 2);
        if (later) {
            rig_answer(rig.kept[0], STR("first"));
            rig_turn(&rig);
            assert_int_equal(rig.handled, 2);
            rig_answer(rig.kept[1], STR("/next "));
        }
        struct str all = client_read(&rig, &client, STR("/next "));
        assert_true(str_ends(all, STR("/next ")));
        client_close(&rig, &client);
        rig_end(&rig);
    }
}

static void answer_half_mib(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct buf body;

    (void)ctx;
    (void)req;
    buf_init(&body, (size_t)MIB);
    for (int i = 0; i < 8192; i++)
        buf_add(&body, STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"));
    buf_add(&body, STR("end"));
    http_reply(x, 200, NULL, 0, &body);
}

/* More than the socket takes at once: retried writes, from buffers that have moved. */
static void test_large_reply(void **state) {
    struct rig rig;
    struct tls_client client;

    rig_start_tls(&rig, *state);
    client_open(&rig, &client, answer_half_mib, TLS1_3_VERSION);
    assert_true(client_connect(&rig, &client));
    client_send(&rig, &client, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    struct str all = client_read(&rig, &client, STR("\nend"));
    assert_true(str_ends(all, STR("cde\nend")));
    assert_true(all.len > 8192 * 64);
    client_close(&rig, &client);
    rig_end(&rig);
}

static void test_stream(void **state) {
    struct rig rig;
    struct tls_client client;

    rig_start_tls(&rig, *state);
    client_open(&rig, &client, rig_open_stream, TLS1_3_VERSION);
    assert_true(client_connect(&rig, &client));
    client_send(&rig, &client, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_int_equal(rig.n_kept, 1);
    assert_true(rig_stream(rig.kept[0], STR("hello")));
    assert_true(has(client_read(&rig, &client, STR("hello\r\n")), STR("5\r\nhello\r\n")));
    client_close(&rig, &client);
    assert_int_equal(rig.gone, 1);
    http_stream_end(rig.kept[0]);
    rig_end(&rig);
}

/* Both sides say farewell as TLS wants it: else a cut answer would look like a whole one. */
static void test_farewell(void **state) {
    struct rig rig;
    struct tls_client client;
    char byte;

    rig_start_tls(&rig, *state);
    client_open(&rig, &client, rig_echo, TLS1_3_VERSION);
    assert_true(client_connect(&rig, &client));
    client_send(&rig, &client, STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    assert_true(str_ends(client_read(&rig, &client, STR("/ ")), STR("/ ")));
    int r = SSL_read(client.ssl, &byte, 1);
    assert_int_equal(SSL_get_error(client.ssl, r), SSL_ERROR_ZERO_RETURN);
    client_close(&rig, &client);
    client_open(&rig, &client, rig_echo, TLS1_3_VERSION);
    assert_true(client_connect(&rig, &client));
    rig_turn(&rig);
    SSL_shutdown(client.ssl);
    rig_turn(&rig);
    assert_int_equal(http_server_connections(rig.server), 0);
    client_close(&rig, &client);
    rig_end(&rig);
}

static void test_faults(void **state) {
    const struct papers *papers = *state;
    long n = 0;

    for (;; n++) {
        struct rig rig;
        struct tls_client client;
        rig_init(&rig);
        rig.settings.tls_cert = str_of(papers->cert);
        rig.settings.tls_key = str_of(papers->key);
        fault_set(n);
        bool made = http_server_new(&rig.server, &rig.settings, &rig.clock, NULL).why == FAIL_NONE;
        if (made) {
            client_open(&rig, &client, rig_echo, TLS1_3_VERSION);
            if (client.fd >= 0 && client_connect(&rig, &client))
                SSL_write(client.ssl, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27);
            rig_turn(&rig);
        }
        bool unused = fault_unused();
        fault_off();
        if (made) client_close(&rig, &client);
        assert_true(!unused || rig.handled == 1);
        rig_end(&rig);
        if (unused) break;
    }
    assert_true(n > 10);
}

/* Older versions, and those who do not speak TLS, get nothing. */
static void test_refused(void **state) {
    struct rig rig;
    struct tls_client client;
    bool ended;

    rig_start_tls(&rig, *state);
    client_open(&rig, &client, rig_echo, TLS1_2_VERSION);
    assert_false(client_connect(&rig, &client));
    client_close(&rig, &client);
    int fd = rig_connect(&rig, rig_echo, &rig);
    rig_write(&rig, fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    struct str reply = rig_read(&rig, fd, &ended);
    assert_int_equal(rig_status(reply), 0);
    assert_true(ended);
    assert_int_equal(rig.handled, 0);
    close(fd);
    fd = rig_connect(&rig, rig_echo, &rig); /* a handshake that never comes */
    rig_pass(&rig, 30000);
    rig_read(&rig, fd, &ended);
    assert_true(ended);
    close(fd);
    rig_end(&rig);
}

static void test_wrong_papers(void **state) {
    const struct papers *papers = *state;
    struct http_settings settings;
    struct http_server *server = NULL;
    struct report report = {0};

    option_defaults(http_options, &settings);
    settings.tls_cert = str_of(papers->cert);
    settings.tls_key = str_of(papers->cert);
    assert_int_equal(http_server_new(&server, &settings, &clock_real, &report).why, FAIL_CONFIG);
    assert_true(has(str_of(report.sentence), STR("could not use the key")));
    report_clear(&report);
    settings.tls_cert = STR("absent.pem");
    assert_int_equal(http_server_new(&server, &settings, &clock_real, &report).why, FAIL_CONFIG);
    assert_true(has(str_of(report.sentence), STR("'absent.pem'")));
}

int main(void) {
    struct papers papers;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_round_trip, &papers),
        cmocka_unit_test_prestate(test_pending, &papers),
        cmocka_unit_test_prestate(test_large_reply, &papers),
        cmocka_unit_test_prestate(test_stream, &papers),
        cmocka_unit_test_prestate(test_farewell, &papers),
        cmocka_unit_test_prestate(test_faults, &papers),
        cmocka_unit_test_prestate(test_refused, &papers),
        cmocka_unit_test_prestate(test_wrong_papers, &papers),
    };
    write_papers(&papers);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    burn_papers(&papers);
    return failed;
}
