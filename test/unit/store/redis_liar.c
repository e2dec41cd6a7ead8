/* What answers is no Redis, or one that lies, breaks off or floods us. */
#include "room.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ASKED_AT_OPEN = 2 }; /* the probe and the question for the policy of eviction */

/* Answers the first questions well and all others by `bytes`, then floods or ends. */
struct liar {
    pthread_t thread;
    int fd, port;
    const char *bytes;
    bool floods;
    atomic_int n_asked;
};

/* One question, whole: an array of bulk strings. False: the other side ended. */
static bool read_question(FILE *in) {
    int n, len;
    if (fscanf(in, "*%d\r\n", &n) != 1) return false;
    for (int i = 0; i < n; i++) {
        if (fscanf(in, "$%d", &len) != 1) return false;
        for (int k = 0; k < len + 4; k++) /* with the line ends around it */
            if (fgetc(in) == EOF) return false;
    }
    return true;
}

static bool say(int fd, const char *bytes, size_t len) {
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void serve(struct liar *liar, int fd) {
    static const char flood[64 * 1024];
    FILE *in = fdopen(dup(fd), "r");
    while (in != NULL && read_question(in)) {
        int n = atomic_fetch_add(&liar->n_asked, 1);
        if (n == 0)
            say(fd, "*1\r\n$1\r\n0\r\n", 11);
        else if (n < ASKED_AT_OPEN)
            say(fd, "$0\r\n\r\n", 6);
        else {
            say(fd, liar->bytes, strlen(liar->bytes));
            while (liar->floods && say(fd, flood, sizeof flood)) {
            }
            break;
        }
    }
    if (in != NULL) fclose(in);
    close(fd);
}

static void *run(void *with) {
    struct liar *liar = with;
    for (int fd; (fd = accept(liar->fd, NULL, NULL)) >= 0;) serve(liar, fd);
    return NULL;
}

static void liar_start(struct liar *liar, const char *bytes, bool floods) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *liar = (struct liar){.bytes = bytes, .floods = floods};
    liar->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; liar->port == 0; i++) {
        int port = 21000 + (getpid() * 11 + i) % 9000;
        assert_true(i < 200);
        at.sin_port = htons((uint16_t)port);
        if (bind(liar->fd, (const struct sockaddr *)&at, sizeof at) == 0) liar->port = port;
    }
    assert_int_equal(listen(liar->fd, 16), 0);
    assert_int_equal(pthread_create(&liar->thread, NULL, run, liar), 0);
}

static void liar_end(struct liar *liar) {
    shutdown(liar->fd, SHUT_RDWR);
    pthread_join(liar->thread, NULL);
    close(liar->fd);
}

static void come_to(struct room *room, const struct liar *liar, const char *person) {
    room_make(room, STORE_MEMORY);
    snprintf(room->url, sizeof room->url, "redis://%s127.0.0.1:%d", person, liar->port);
    room->settings.kind = STORE_REDIS;
    room->settings.redis_url = str_of(room->url);
}

/* -- lies ------------------------------------------------------------------------------------- */

static const struct {
    const char *bytes, *says;
    bool floods, is_known; /* nothing was done, and that is sure */
} lies[] = {
    {"", "ended the connection", false, false},
    {"garbage\r\n", "no Redis", false, false},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", "no Redis", false, false},
    {"*1\r\n$5\r\nab", "ended the connection", false, false},
    {"*1\r\n$-7\r\n", "no Redis", false, false},
    {"*1\r\n$x\r\n", "no Redis", false, false},
    {"*99999999999999999999\r\n", "no Redis", false, false},
    {"*1009\r\n", "more than was asked", false, false},
    {"*2147483647\r\n", "more than was asked", false, false},
    {"*1\r\n$9999999999\r\n", "more than was asked", true, false},
    {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "no Redis", false,
     false},
    {"*1\r\n$1\r\n5\r\n+OK\r\n", "no Redis", false, false}, /* one answer too many */
    {":1\r\n", "what no Redis answers", false, false},
    {"+OK\r\n", "what no Redis answers", false, false},
    {"$-1\r\n", "what no Redis answers", false, false},
    {"*-1\r\n", "what no Redis answers", false, false},
    {"*0\r\n", "what no Redis answers", false, false},
    {"*1\r\n$-1\r\n", "what no Redis answers", false, false},
    {"*1\r\n:5\r\n", "what no Redis answers", false, false},
    {"*1\r\n*1\r\n+5\r\n", "what no Redis answers", false, false},
    {"*1\r\n$1\r\nx\r\n", "what no Redis answers", false, false},
    {"*1\r\n$20\r\n99999999999999999999\r\n", "what no Redis answers", false, false},
    {"-ERR hidden\r\n", "with an error (ERR)", false, false},
    {"-hidden things\r\n", "with an error", false, false},
    {"-\r\n", "with an error", false, false},
    {"-OOM command not allowed\r\n", "memory is full", false, true},
    {"-LOADING Redis is loading\r\n", "loading", false, true},
    {"-READONLY You can't write\r\n", "is a replica", false, true},
    {"-MISCONF Redis is configured\r\n", "cannot save", false, true},
    {"-MOVED 3999 10.0.0.1:6381\r\n", "another node", false, true},
    {"-NOPERM this user\r\n", "may not run", false, false},
};

/* A write goes out once, whatever comes back; a read at most twice. */
static void a_lie_is_told_and_nothing_sent_twice(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(lies); i++) {
        struct liar liar;
        struct room room;
        struct str sentence;
        liar_start(&liar, lies[i].bytes, lies[i].floods);
        come_to(&room, &liar, "");
        room_open(&room);
        assert_int_equal(liar.n_asked, ASKED_AT_OPEN);
        struct store_item it = item("key", "hidden", MINUTE);
        uint64_t version = 7;
        result r = store_put(room.store, &it, &version, &room.report);
        if (strstr(room.report.sentence, lies[i].says) == NULL)
            print_error("row %zu: %s\n", i, room.report.sentence);
        assert_int_equal(r.why, FAIL_IO);
        assert_int_equal(version, STORE_ABSENT);
        assert_string_equal(room.report.code, "STORE_UNAVAILABLE");
        assert_non_null(strstr(room.report.sentence, lies[i].says));
        assert_int_equal(strstr(room.report.sentence, "not known") == NULL, lies[i].is_known);
        assert_null(strstr(room.report.sentence, "hidden"));
        assert_int_equal(liar.n_asked, ASKED_AT_OPEN + 1);
        assert_false(store_is_ready(room.store, &sentence, &room.arena));
        if (!lies[i].floods) {
            struct store_value value;
            r = store_get(room.store, it.key, &room.arena, &value, NULL);
            assert_int_equal(r.why, FAIL_IO);
            assert_true(liar.n_asked <= ASKED_AT_OPEN + 3);
        }
        store_close(room.store);
        room.store = NULL;
        liar_end(&liar);
        room_end(&room);
    }
}

/* Every verb reads its own answer: none takes what another one's would be. */
static void no_verb_takes_what_it_does_not_expect(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        bool is_log; /* a log without events could be told so */
    } rows[] = {
        {"*0\r\n", false},
        {"*1\r\n+x\r\n", false},
        {"*3\r\n+1\r\n+99\r\n+1\r\n", true},
        {"*4\r\n+1\r\n+-1\r\n+x\r\n:1\r\n", false},
        {"*3\r\n+5\r\n+5\r\n:5\r\n", false},
        {"*3\r\n+1\r\n+0\r\n+9999999999999999999\r\n", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct liar liar;
        struct room room;
        struct store_value value;
        struct store_events all;
        struct store_admission admission;
        const struct store_window window = {STR("w"), 1, 1};
        liar_start(&liar, rows[i].bytes, false);
        come_to(&room, &liar, "");
        room_open(&room);
        assert_int_equal(store_get(room.store, STR("k"), &room.arena, &value, NULL).why, FAIL_IO);
        assert_int_equal(value.version, STORE_ABSENT);
        assert_int_equal(store_take(room.store, STR("k"), &room.arena, &value, NULL).why, FAIL_IO);
        assert_int_equal(value.version, STORE_ABSENT);
        result r = store_read(room.store, STR("k"), 0, 9, &room.arena, &all, NULL);
        assert_int_equal(r.why, rows[i].is_log ? FAIL_NONE : FAIL_IO);
        assert_int_equal(all.n, 0);
        assert_int_equal(store_admit(room.store, &window, 1, &admission, NULL).why, FAIL_IO);
        assert_false(admission.is_admitted);
        store_close(room.store);
        room.store = NULL;
        liar_end(&liar);
        room_end(&room);
    }
}

/* One that wants a password is told it, and nothing that we say repeats it. */
static void what_is_no_redis_is_not_opened(void **state) {
    (void)state;
    struct liar liar;
    struct room room;
    struct store *store;
    liar_start(&liar, "", false); /* answers AUTH as it would the probe */
    come_to(&room, &liar, "u:hidden@");
    result r = store_open(&room.settings, str_of(room.dir), &room.clock, &store, &room.report);
    assert_int_equal(r.why, FAIL_IO);
    assert_null(store);
    assert_non_null(strstr(room.report.sentence, "no Redis"));
    assert_non_null(strstr(room.report.sentence, "redis://u@127.0.0.1"));
    assert_null(strstr(room.report.sentence, "hidden"));
    liar_end(&liar);
    room_end(&room);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lie_is_told_and_nothing_sent_twice),
        cmocka_unit_test(no_verb_takes_what_it_does_not_expect),
        cmocka_unit_test(what_is_no_redis_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
