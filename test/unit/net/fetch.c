#include "far.h"

#include "base/fault.h"
#include "net/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

/* The far side: what is asked decides what is answered. */
struct world {
    struct far far;
    atomic_int asked;
    struct fetcher *fetcher;
    struct arena arena;
    struct report report;
    struct fetch_reply reply;
    struct str base; /* "http://127.0.0.1:PORT" */
};

/* The peer has left, or the server ends. */
static void let_go(void *ctx) {
    http_reply(ctx, 500, NULL, 0, NULL);
}

static void say_head(struct http_exchange *x, const struct http_request *req) {
    struct buf body;
    buf_init(&body, (size_t)MIB);
    buf_addf(&body, STR_FMT " " STR_FMT "\n", STR_ARG(req->method), STR_ARG(req->target));
    for (size_t i = 0; i < req->n_headers; i++)
        buf_addf(&body, STR_FMT ": " STR_FMT "\n", STR_ARG(req->headers[i].name),
                 STR_ARG(req->headers[i].value));
    buf_add(&body, req->body);
    const struct http_header headers[] = {{STR("Content-Type"), STR("text/plain")},
                                          {STR("Cache-Control"), STR("max-age=60")},
                                          {STR("Retry-After"), STR("7")},
                                          {STR("Set-Cookie"), STR("crumb=1")}};
    http_reply(x, 200, headers, COUNT(headers), &body);
}

static void send_on(struct http_exchange *x, const char *to) {
    far_answer(x, 302, (struct http_header){STR("Location"), str_of(to)}, STR("elsewhere"));
}

static void serve(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct world *w = ctx;
    char to[64];
    unsigned n;
    atomic_fetch_add(&w->asked, 1);
    if (str_eq(req->path, STR("/slow"))) {
        http_on_gone(x, let_go, x);
    } else if (str_eq(req->path, STR("/large"))) {
        static char text[1 << 20];
        memset(text, 'a', sizeof text);
        far_answer(x, 200, (struct http_header){0}, (struct str){text, sizeof text});
    } else if (str_eq(req->path, STR("/away"))) {
        send_on(x, "http://localhost:1/");
    } else if (str_eq(req->path, STR("/file"))) {
        send_on(x, "file:///etc/passwd");
    } else if (sscanf(req->path.ptr, "/hop/%u", &n) == 1) {
        snprintf(to, sizeof to, n > 1 ? "/hop/%u" : "/end", n - 1);
        send_on(x, to);
    } else if (str_eq(req->path, STR("/missing"))) {
        far_answer(x, 404, (struct http_header){0}, STR("no"));
    } else {
        say_head(x, req);
    }
}

static void world_begin(struct world *w, const struct papers *papers) {
    memset(w, 0, sizeof *w);
    arena_init(&w->arena, (size_t)(32 * MIB));
    far_start(&w->far, serve, w, papers);
    assert_int_equal(fetcher_new(&clock_real, &w->fetcher, NULL).why, FAIL_NONE);
    w->base = str_printf(&w->arena, "%s:%u",
                         papers == NULL ? "http://127.0.0.1" : "https://localhost", w->far.port);
}

static void world_end(struct world *w) {
    fetcher_free(w->fetcher);
    far_end(&w->far);
    arena_deinit(&w->arena);
}

static enum fail ask(struct world *w, const char *path, struct fetch_request req) {
    req.url = str_printf(&w->arena, STR_FMT "%s", STR_ARG(w->base), path);
    report_clear(&w->report);
    return fetch(w->fetcher, &req, &w->arena, &w->reply, &w->report).why;
}

static enum fail get(struct world *w, const char *path) {
    return ask(w, path, (struct fetch_request){0});
}

/* -- what goes over --------------------------------------------------------------------------- */

static void test_get(void **state) {
    struct world w;
    (void)state;
    world_begin(&w, NULL);
    assert_int_equal(get(&w, "/echo?x=1"), FAIL_NONE);
    assert_int_equal(w.reply.status, 200);
    assert_true(str_starts(w.reply.body, STR("GET /echo?x=1\n")));
    assert_true(has(w.reply.body, STR("User-Agent: weir/" WEIR_VERSION "\n")));
    assert_true(str_eq(w.reply.content_type, STR("text/plain")));
    assert_true(str_eq(w.reply.cache_control, STR("max-age=60")));
    assert_true(str_eq(w.reply.retry_after, STR("7")));
    assert_int_equal(get(&w, "/missing"), FAIL_NONE);
    assert_int_equal(w.reply.status, 404);
    assert_null(w.reply.content_type.ptr);
    world_end(&w);
}

static void test_post(void **state) {
    struct world w;
    const struct http_header headers[] = {{STR("Authorization"), STR("Basic abc")},
                                          {STR("Content-Type"), STR("application/json")}};
    (void)state;
    world_begin(&w, NULL);
    const struct fetch_request req = {.headers = headers, .n_headers = 2, .body = STR("{\"a\":1}")};
    assert_int_equal(ask(&w, "/p", req), FAIL_NONE);
    assert_true(str_starts(w.reply.body, STR("POST /p\n")));
    assert_true(str_ends(w.reply.body, STR("\n{\"a\":1}")));
    assert_true(has(w.reply.body, STR("Authorization: Basic abc\n")));
    assert_true(has(w.reply.body, STR("Content-Type: application/json\n")));
    assert_false(has(w.reply.body, STR("Expect")));
    assert_int_equal(ask(&w, "/p", (struct fetch_request){.body = STR("")}), FAIL_NONE);
    assert_true(has(w.reply.body, STR("Content-Length: 0\n")));
    assert_int_equal(ask(&w, "/p", (struct fetch_request){.method = STR("DELETE")}), FAIL_NONE);
    assert_true(str_starts(w.reply.body, STR("DELETE /p\n")));
    world_end(&w);
}

/* A second request goes over the first one's connection, and remembers nothing else of it. */
static void test_kept(void **state) {
    struct world w;
    (void)state;
    world_begin(&w, NULL);
    const struct http_header secret = {STR("X-Secret"), STR("1")};
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.headers = &secret, .n_headers = 1}),
                     FAIL_NONE);
    assert_false(w.reply.is_reused);
    assert_int_equal(get(&w, "/b"), FAIL_NONE);
    assert_true(w.reply.is_reused);
    assert_false(has(w.reply.body, STR("crumb")));
    assert_false(has(w.reply.body, STR("X-Secret")));
    assert_false(has(w.reply.body, STR("Accept-Encoding")));
    world_end(&w);
}

static void test_no_proxy(void **state) {
    struct world w;
    const struct fetch_settings outside = {.proxy = STR("environment")};
    const struct fetch_settings named = {.proxy = STR("http://127.0.0.1:1")};
    (void)state;
    world_begin(&w, NULL);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    assert_int_equal(get(&w, "/a"), FAIL_NONE);
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.settings = &outside}), FAIL_IO);
    unsetenv("http_proxy");
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.settings = &outside}), FAIL_NONE);
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.settings = &named}), FAIL_IO);
    world_end(&w);
}

/* -- what stops it ---------------------------------------------------------------------------- */

static void test_refusals(void **state) {
    static const struct http_header bad_name = {STR_INIT("A B"), STR_INIT("1")};
    static const struct http_header bad_value = {STR_INIT("A"), STR_INIT("1\r\nB: 2")};
    static const struct http_header no_value = {STR_INIT("Host"), STR_INIT("")};
    static const struct {
        const char *path;
        struct fetch_request req;
        enum fail why;
        const char *code;
    } cases[] = {
        {"/slow", {.timeout_ms = 50}, FAIL_TIMEOUT, "FETCH_TIMEOUT"},
        {"/slow", {.deadline_ns = 1}, FAIL_TIMEOUT, "FETCH_TIMEOUT"},
        {"/large", {.max_bytes = 1 << 19}, FAIL_LIMIT, "FETCH_TOO_LARGE"},
        {"/large", {.max_bytes = (1 << 20) - 1}, FAIL_LIMIT, "FETCH_TOO_LARGE"},
        {"/large", {.max_bytes = 1 << 20}, FAIL_NONE, NULL},
        {"/hop/3", {.redirects = 3}, FAIL_NONE, NULL},
        {"/hop/3", {.redirects = 2}, FAIL_LIMIT, "FETCH_FAILED"},
        {"/hop/9", {.redirects = 99}, FAIL_LIMIT, "FETCH_FAILED"},
        {"/away", {.redirects = 1}, FAIL_IO, "FETCH_FAILED"},
        {"/file", {.redirects = 1}, FAIL_IO, "FETCH_FAILED"},
        {"/end", {.redirects = 1, .body = STR_INIT("x")}, FAIL_INPUT, "FETCH_INVALID"},
        {"/end", {.method = STR_INIT("GET /")}, FAIL_INPUT, "FETCH_INVALID"},
        {"/end", {.headers = &bad_name, .n_headers = 1}, FAIL_INPUT, "FETCH_INVALID"},
        {"/end", {.headers = &bad_value, .n_headers = 1}, FAIL_INPUT, "FETCH_INVALID"},
        {"/end", {.headers = &no_value, .n_headers = 1}, FAIL_INPUT, "FETCH_INVALID"},
        {"/e nd", {.timeout_ms = 50}, FAIL_INPUT, "FETCH_INVALID"},
    };
    struct world w;
    (void)state;
    world_begin(&w, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum fail why = ask(&w, cases[i].path, cases[i].req);
        if (why != cases[i].why) fail_msg("%zu: %s %s", i, cases[i].path, w.report.sentence);
        if (why == FAIL_NONE) continue;
        assert_string_equal(w.report.code, cases[i].code);
        assert_int_equal(w.reply.status, 0);
    }
    world_end(&w);
}

/* Unasked, a redirect is an answer like any other. */
static void test_redirect_unasked(void **state) {
    struct world w;
    (void)state;
    world_begin(&w, NULL);
    assert_int_equal(get(&w, "/hop/1"), FAIL_NONE);
    assert_int_equal(w.reply.status, 302);
    assert_int_equal(atomic_load(&w.asked), 1);
    world_end(&w);
}

static void test_cancel(void **state) {
    struct world w;
    int ends[2];
    (void)state;
    world_begin(&w, NULL);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.cancel_fd = ends[0]}), FAIL_NONE);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(ask(&w, "/slow", (struct fetch_request){.cancel_fd = ends[0]}),
                     FAIL_CANCELLED);
    assert_int_equal(get(&w, "/a"), FAIL_NONE);
    close(ends[0]);
    close(ends[1]);
    world_end(&w);
}

static void test_urls(void **state) {
    static const struct {
        const char *url;
        bool is_one;
    } cases[] = {
        {"https://example.org", true},
        {"HTTP://[::1]:8080/a?b=c#d", true},
        {"https://u:p@h/", true},
        {"https://h:443?x", true},
        {"", false},
        {"https://", false},
        {"https:///path", false},
        {"example.org", false},
        {"ftp://h/", false},
        {"file:///etc/passwd", false},
        {"https://h:0/", false},
        {"https://h:65536/", false},
        {"https://h:x/", false},
        {"https://h\\@evil/", false},
        {"https://a@b@c/", false},
        {"https://h%2e/", false},
        {"https://h /", false},
        {"https://h/\n", false},
        {"https://h/\xc3\xa9", false},
        {"https://[::1/", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (fetch_is_url(str_of(cases[i].url)) != cases[i].is_one) fail_msg("%s", cases[i].url);
    assert_false(fetch_is_url(STR_NONE));
}

static void test_form(void **state) {
    struct buf form;
    char text[64] = {0};
    (void)state;
    buf_init(&form, 256);
    fetch_add_form(&form, STR("token"), STR("a b&c=d/\xc3\xa9"));
    fetch_add_form(&form, STR("hint"), STR(""));
    assert_true(form.len < sizeof text);
    memcpy(text, form.first->bytes, form.len);
    assert_string_equal(text, "token=a%20b%26c%3Dd%2F%C3%A9&hint=");
    buf_deinit(&form);
}

/* -- who is asked ----------------------------------------------------------------------------- */

static void test_tls(void **state) {
    const struct papers *papers = *state;
    const struct fetch_settings trusts = {.ca_file = str_of(papers->cert)};
    const struct fetch_settings absent = {.ca_file = STR("absent.pem")};
    struct world w;
    world_begin(&w, papers);
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.settings = &trusts}), FAIL_NONE);
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.settings = &trusts}), FAIL_NONE);
    assert_true(w.reply.is_reused);
    assert_int_equal(get(&w, "/a"), FAIL_IO); /* nor over the connection that was trusted */
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.settings = &absent}), FAIL_IO);
    w.base = str_printf(&w.arena, "https://127.0.0.1:%u", w.far.port); /* another name */
    assert_int_equal(ask(&w, "/a", (struct fetch_request){.settings = &trusts}), FAIL_IO);
    w.base = str_printf(&w.arena, "http://127.0.0.1:%u", w.far.port); /* no TLS */
    assert_int_equal(get(&w, "/a"), FAIL_IO);
    assert_int_equal(atomic_load(&w.asked), 2);
    world_end(&w);
}

/* Nothing of the URL is told but who was asked. */
static void test_secrets(void **state) {
    struct world w;
    (void)state;
    world_begin(&w, NULL);
    w.base = STR("http://user:pass@127.0.0.1:1");
    assert_int_equal(get(&w, "/path?token=query"), FAIL_IO);
    static const char *const secrets[] = {"user", "pass", "path", "token", "query"};
    for (size_t i = 0; i < COUNT(secrets); i++) assert_null(strstr(w.report.sentence, secrets[i]));
    assert_non_null(strstr(w.report.sentence, "http://127.0.0.1:1 "));
    world_end(&w);
}

/* -- a server that breaks the rules ----------------------------------------------------------- */

struct rude {
    int fd;
    uint16_t port;
    struct str says;
    size_t repeats; /* of the last line */
    pthread_t thread;
};

static void *be_rude(void *arg) {
    struct rude *rude = arg;
    char request[4096];
    for (int fd; (fd = accept(rude->fd, NULL, NULL)) >= 0; close(fd)) {
        if (recv(fd, request, sizeof request, 0) <= 0) continue;
        send(fd, rude->says.ptr, rude->says.len, MSG_NOSIGNAL);
        for (size_t i = 0; i < rude->repeats; i++)
            if (send(fd, "X-Head: 0123456789abcdef\r\n", 26, MSG_NOSIGNAL) < 0) break;
    }
    return NULL;
}

static void rude_start(struct rude *rude) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    rude->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rude->port = RIG_PORT_LAST;
    do {
        at.sin_port = htons(--rude->port);
    } while (bind(rude->fd, (struct sockaddr *)&at, sizeof at) != 0);
    assert_int_equal(listen(rude->fd, 8), 0);
    assert_int_equal(pthread_create(&rude->thread, NULL, be_rude, rude), 0);
}

static void rude_end(struct rude *rude) {
    shutdown(rude->fd, SHUT_RDWR);
    pthread_join(rude->thread, NULL);
    close(rude->fd);
}

static void test_rude(void **state) {
    static const struct {
        const char *says;
        size_t repeats;
        enum fail why;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", 0, FAIL_IO},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort", 0, FAIL_IO},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, FAIL_IO},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 0, FAIL_IO},
        {"plain words\n", 0, FAIL_IO},
        {"", 0, FAIL_IO},
        {"HTTP/1.1 200 OK\r\n", 100000, FAIL_LIMIT},
        {"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx", 0, FAIL_LIMIT},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", 0, FAIL_NONE},
    };
    struct world w;
    (void)state;
    world_begin(&w, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rude rude = {.says = str_of(cases[i].says), .repeats = cases[i].repeats};
        rude_start(&rude);
        w.base = str_printf(&w.arena, "http://127.0.0.1:%u", rude.port);
        enum fail why = get(&w, "/");
        rude_end(&rude);
        if (why != cases[i].why) fail_msg("%zu: %s", i, w.report.sentence);
    }
    world_end(&w);
}

/* -- crowds and want -------------------------------------------------------------------------- */

enum { CROWD = 24, ROUNDS = 10 };

static void *talk(void *arg) {
    struct world *w = arg;
    struct arena arena;
    size_t good = 0;
    arena_init(&arena, (size_t)MIB);
    for (int i = 0; i < ROUNDS; i++) {
        struct fetch_request req = {
            .url = str_printf(&arena, STR_FMT "/%p/%d", STR_ARG(w->base), (void *)&good, i)};
        struct fetch_reply reply;
        if (fetch(w->fetcher, &req, &arena, &reply, NULL).why == FAIL_NONE &&
            has(reply.body, str_slice(req.url, w->base.len, req.url.len)))
            good++;
    }
    arena_deinit(&arena);
    return (void *)(uintptr_t)good;
}

/* More threads than handles are kept. */
static void test_crowd(void **state) {
    struct world w;
    pthread_t threads[CROWD];
    (void)state;
    world_begin(&w, NULL);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &w), 0);
    for (size_t i = 0; i < CROWD; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((uintptr_t)good, ROUNDS);
    }
    assert_int_equal(atomic_load(&w.asked), CROWD * ROUNDS);
    world_end(&w);
}

static void test_faults(void **state) {
    const struct http_header header = {STR("A"), STR("b")};
    struct world w;
    struct fetcher *none;
    long n = 0;
    (void)state;
    world_begin(&w, NULL);
    fault_set(0);
    assert_int_equal(fetcher_new(&clock_real, &none, NULL).why, FAIL_MEMORY);
    fault_off();
    struct fetch_request req = {.url = str_printf(&w.arena, STR_FMT "/hop/1", STR_ARG(w.base)),
                                .headers = &header,
                                .n_headers = 1,
                                .redirects = 1};
    for (;; n++) {
        struct fetcher *fetcher;
        assert_int_equal(fetcher_new(&clock_real, &fetcher, NULL).why, FAIL_NONE);
        fault_set(n);
        enum fail why = fetch(fetcher, &req, &w.arena, &w.reply, NULL).why;
        bool is_unused = fault_unused();
        fault_off();
        fetcher_free(fetcher);
        assert_int_equal(why, is_unused ? FAIL_NONE : FAIL_MEMORY);
        if (is_unused) break;
        assert_int_equal(w.reply.status, 0);
        w.arena.is_spent = false; /* a fault says so once; its budget is not spent */
    }
    assert_true(n > 10);
    world_end(&w);
}

int main(void) {
    struct papers papers;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),      cmocka_unit_test(test_post),
        cmocka_unit_test(test_kept),     cmocka_unit_test(test_no_proxy),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_redirect_unasked),
        cmocka_unit_test(test_cancel),   cmocka_unit_test(test_urls),
        cmocka_unit_test(test_form),     cmocka_unit_test_prestate(test_tls, &papers),
        cmocka_unit_test(test_secrets),  cmocka_unit_test(test_rude),
        cmocka_unit_test(test_crowd),    cmocka_unit_test(test_faults),
    };
    write_papers(&papers);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    burn_papers(&papers);
    return failed;
}
