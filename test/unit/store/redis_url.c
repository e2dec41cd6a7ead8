/* Addresses of Redis: what is read from them, and that a password is never shown. */
#include "store/redis_url.h"

#include "room.h"

static const struct {
    const char *text, *host, *port, *user, *password, *db, *shown;
} taken[] = {
    {"redis://localhost", "localhost", "6379", "", "", "0", "redis://localhost:6379/0"},
    {"redis://localhost/", "localhost", "6379", "", "", "0", "redis://localhost:6379/0"},
    {" REDIS://10.0.0.1:7000/3 ", "10.0.0.1", "7000", "", "", "3", "redis://10.0.0.1:7000/3"},
    {"rediss://cache.example.com:6380", "cache.example.com", "6380", "", "", "0",
     "rediss://cache.example.com:6380/0"},
    {"redis://:pass@h", "h", "6379", "", "pass", "0", "redis://h:6379/0"},
    {"redis://ann:p%40ss%3A%2f@h:1/15", "h", "1", "ann", "p@ss:/", "15", "redis://ann@h:1/15"},
    {"redis://ann:a:b@c@h", "h", "6379", "ann", "a:b@c", "0", "redis://ann@h:6379/0"},
    {"redis://[::1]", "::1", "6379", "", "", "0", "redis://[::1]:6379/0"},
    {"redis://u:p@[fe80::1]:65535/1", "fe80::1", "65535", "u", "p", "1",
     "redis://u@[fe80::1]:65535/1"},
    {"unix:///run/redis.sock", "/run/redis.sock", "", "", "", "0", "unix:///run/redis.sock?db=0"},
    {"unix://u:p@/run/redis.sock?db=2", "/run/redis.sock", "", "u", "p", "2",
     "unix://u@/run/redis.sock?db=2"},
};

static void what_is_well_formed_is_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(taken); i++) {
        struct arena arena;
        struct redis_url url;
        struct report report = {0};
        arena_init(&arena, 4096);
        result r = redis_url_read(str_of(taken[i].text), &arena, &url, &report);
        if (r.why != FAIL_NONE) print_error("%s: %s\n", taken[i].text, report.sentence);
        assert_int_equal(r.why, FAIL_NONE);
        assert_string_equal(url.host, taken[i].host);
        assert_string_equal(url.port, taken[i].port);
        assert_text(url.user, taken[i].user);
        assert_text(url.password, taken[i].password);
        assert_text(url.db, taken[i].db);
        assert_text(url.shown, taken[i].shown);
        arena_deinit(&arena);
    }
}

static void all_else_is_refused_and_not_repeated(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "redis:",
        "redis://",
        "http://hidden",
        "hidden:6379",
        "redis://:hidden@",
        "redis://hidden@h",
        "redis://hidden:@h",
        "redis://u:hidden%4@h",
        "redis://u:hidden%zz@h",
        "redis://u:hidden%00@h",
        "redis://u:hidden@h:0",
        "redis://u:hidden@h:65536",
        "redis://u:hidden@h:",
        "redis://u:hidden@h:1x",
        "redis://u:hidden@:1",
        "redis://u:hidden@[::1",
        "redis://u:hidden@[::1]1",
        "redis://u:hidden@h/x",
        "redis://u:hidden@h/1/2",
        "redis://u:hidden@h/-1",
        "redis://u:hidden@h?ssl_cert_reqs=none",
        "redis://u:hidden@h/0?db=1",
        "redis://u:hid\nden@h",
        "redis://u:hidden @h",
        "redis://u:hid\303\244en@h",
        "unix://relative/hidden",
        "unix:///hidden?timeout=1",
        "unix:///hidden?db=x",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct redis_url url;
        struct report report = {0};
        arena_init(&arena, 4096);
        result r = redis_url_read(str_of(rows[i]), &arena, &url, &report);
        if (r.why != FAIL_CONFIG) print_error("taken: %s\n", rows[i]);
        assert_int_equal(r.why, FAIL_CONFIG);
        assert_string_equal(report.code, "CONFIG_INVALID");
        assert_null(strstr(report.sentence, "hid"));
        assert_null(strstr(report.hint, "hid"));
        arena_deinit(&arena);
    }
}

static void a_spent_arena_is_no_address(void **state) {
    (void)state;
    static const char text[] = "redis://ann:secret@cache.example.com:6379/7";
    for (size_t budget = 1;; budget++) {
        struct arena arena;
        struct redis_url url;
        struct report report = {0};
        arena_init(&arena, budget);
        result r = redis_url_read(str_of(text), &arena, &url, &report);
        arena_deinit(&arena);
        if (r.why == FAIL_NONE) break;
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_true(budget < 400);
    }
}

static void the_kind_follows_from_the_settings(void **state) {
    (void)state;
    const struct {
        int kind;
        const char *url, *superset_url;
        bool is_superset;
        enum store_kind_id means;
    } rows[] = {
        {STORE_AUTO, "", "", false, STORE_SQLITE},
        {STORE_AUTO, "redis://h", "", false, STORE_REDIS},
        {STORE_AUTO, "", "redis://h", true, STORE_REDIS},
        {STORE_AUTO, "", "redis://h", false, STORE_SQLITE},
        {STORE_SQLITE, "redis://h", "", false, STORE_SQLITE},
        {STORE_MEMORY, "redis://h", "redis://h", true, STORE_MEMORY},
        {STORE_REDIS, "", "", false, STORE_REDIS},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_settings settings = {0};
        option_defaults(store_options, &settings);
        option_defaults(store_superset_options, &settings);
        assert_int_equal(settings.kind, STORE_AUTO);
        settings.kind = rows[i].kind;
        settings.redis_url = str_of(rows[i].url);
        settings.superset.redis_url = str_of(rows[i].superset_url);
        settings.superset.is_enabled = rows[i].is_superset;
        assert_int_equal(store_kind_of(&settings), rows[i].means);
        bool is_meant = rows[i].means != STORE_REDIS || store_redis_url(&settings).len > 0;
        assert_int_equal(store_check(&settings, NULL).why, is_meant ? FAIL_NONE : FAIL_CONFIG);
    }
}

static void a_prefix_has_a_bound(void **state) {
    (void)state;
    static char prefix[STORE_KEY_BYTES_MAX + 1];
    struct store_settings settings = {.kind = STORE_REDIS, .redis_url = STR("redis://h")};
    struct report report = {0};
    memset(prefix, 'p', sizeof prefix);
    settings.redis_prefix = (struct str){prefix, STORE_KEY_BYTES_MAX};
    must(store_check(&settings, &report));
    settings.redis_prefix.len++;
    assert_int_equal(store_check(&settings, &report).why, FAIL_CONFIG);
    assert_non_null(strstr(report.sentence, "redis_prefix"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_well_formed_is_taken),
        cmocka_unit_test(all_else_is_refused_and_not_repeated),
        cmocka_unit_test(a_spent_arena_is_no_address),
        cmocka_unit_test(the_kind_follows_from_the_settings),
        cmocka_unit_test(a_prefix_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
