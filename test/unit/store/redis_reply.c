/* Replies cut anywhere, bent anywhere, too deep, too many, too long. */
#include "store/redis_reply.h"

#include "base/fault.h"
#include "room.h"

static const char whole[] = "*5\r\n$1\r\n5\r\n$0\r\n\r\n*2\r\n+OK\r\n-ERR no\r\n:-7\r\n$-1\r\n";

struct desk {
    struct arena arena;
    struct redis_reading reading;
    const struct redis_reply *reply;
};

static void desk_make(struct desk *desk, size_t budget) {
    memset(desk, 0, sizeof *desk);
    arena_init(&desk->arena, budget);
    redis_reading_init(&desk->reading, &desk->arena);
}

static void desk_end(struct desk *desk) {
    redis_reading_deinit(&desk->reading);
    arena_deinit(&desk->arena);
}

static result feed(struct desk *desk, const char *bytes, size_t n) {
    return redis_reading_feed(&desk->reading, (struct str){bytes, n}, &desk->reply);
}

static void check_whole(const struct redis_reply *reply) {
    assert_non_null(reply);
    assert_int_equal(reply->sort, REDIS_LIST);
    assert_int_equal(reply->n, 5);
    assert_text(reply->items[0].text, "5");
    assert_int_equal(reply->items[1].sort, REDIS_TEXT);
    assert_int_equal(reply->items[1].text.len, 0);
    assert_int_equal(reply->items[2].n, 2);
    assert_text(reply->items[2].items[0].text, "OK");
    assert_int_equal(reply->items[2].items[1].sort, REDIS_WRONG);
    assert_text(reply->items[2].items[1].text, "ERR no");
    assert_int_equal(reply->items[3].number, -7);
    assert_int_equal(reply->items[4].sort, REDIS_NOTHING);
}

static void a_reply_may_be_cut_anywhere(void **state) {
    (void)state;
    struct desk desk;
    size_t n = sizeof whole - 1;
    for (size_t cut = 0; cut <= n; cut++) {
        desk_make(&desk, 1 << 16);
        must(feed(&desk, whole, cut));
        if (cut < n) assert_null(desk.reply);
        if (cut < n) must(feed(&desk, whole + cut, n - cut));
        check_whole(desk.reply);
        desk_end(&desk);
    }
    desk_make(&desk, 1 << 16);
    for (int again = 0; again < 3; again++) {
        for (size_t i = 0; i < n; i++) must(feed(&desk, whole + i, 1));
        check_whole(desk.reply);
    }
    desk_end(&desk);
}

/* Whatever comes is a reply, not yet one, or refused; the sanitizers look on. */
static void a_bent_reply_breaks_nothing(void **state) {
    (void)state;
    static const char marks[] = "*$:+-0123456789\r\n";
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (int i = 0; i < 20000; i++) {
        struct desk desk;
        char bent[sizeof whole];
        result r = OK;
        memcpy(bent, whole, sizeof whole);
        for (int k = 0; k <= i % 4; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bent[(seed >> 33) % (sizeof whole - 1)] = marks[(seed >> 20) % (sizeof marks - 1)];
        }
        desk_make(&desk, 1 << 16);
        for (size_t at = 0, step; at < sizeof whole - 1 && r.why == FAIL_NONE; at += step) {
            step = 1 + (seed >> 50) % 13;
            if (step > sizeof whole - 1 - at) step = sizeof whole - 1 - at;
            r = feed(&desk, bent + at, step);
            if (desk.reply != NULL) break;
        }
        assert_true(r.why == FAIL_NONE || r.why == FAIL_INPUT || r.why == FAIL_LIMIT ||
                    r.why == FAIL_MEMORY);
        assert_true(r.why == FAIL_NONE || desk.reply == NULL);
        desk_end(&desk);
    }
}

static void a_reply_has_bounds(void **state) {
    (void)state;
    struct desk desk;
    char line[32];
    const struct {
        long n;
        enum fail why;
    } rows[] = {{STORE_REPLY_ITEMS_MAX, FAIL_NONE},
                {STORE_REPLY_ITEMS_MAX + 1, FAIL_LIMIT},
                {INT32_MAX, FAIL_LIMIT}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int n = snprintf(line, sizeof line, "*%ld\r\n", rows[i].n);
        desk_make(&desk, 1 << 20);
        assert_int_equal(feed(&desk, line, (size_t)n).why, rows[i].why);
        desk_end(&desk);
    }
    char *large = calloc(1, (size_t)STORE_REPLY_BYTES_MAX);
    desk_make(&desk, 1 << 10);
    must(feed(&desk, "$99999999999\r\n", 14));
    must(feed(&desk, large, (size_t)STORE_REPLY_BYTES_MAX - 14));
    assert_int_equal(feed(&desk, large, 1).why, FAIL_LIMIT);
    desk_end(&desk);
    free(large);
}

static void a_spent_arena_and_each_failure_are_told(void **state) {
    (void)state;
    struct desk desk;
    for (size_t budget = 1;; budget++) {
        desk_make(&desk, budget);
        result r = feed(&desk, whole, sizeof whole - 1);
        desk_end(&desk);
        if (r.why == FAIL_NONE) break;
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_true(budget < 1000);
    }
    for (long n = 0;; n++) {
        fault_set(n);
        desk_make(&desk, 1 << 16);
        bool is_made = desk.reading.reader != NULL;
        result r = is_made ? feed(&desk, whole, sizeof whole - 1) : (result){FAIL_MEMORY};
        bool is_over = fault_unused();
        fault_off();
        if (r.why == FAIL_NONE) /* also where only an empty text found no memory */
            check_whole(desk.reply);
        else
            assert_int_equal(r.why, FAIL_MEMORY);
        desk_end(&desk);
        if (is_over) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_may_be_cut_anywhere),
        cmocka_unit_test(a_bent_reply_breaks_nothing),
        cmocka_unit_test(a_reply_has_bounds),
        cmocka_unit_test(a_spent_arena_and_each_failure_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
