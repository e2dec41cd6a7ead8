/*
 * room.h - a store in a directory of its own, for the tests of the store room
 */
#ifndef WEIR_TEST_STORE_ROOM_H
#define WEIR_TEST_STORE_ROOM_H

#include "base/limits.h"
#include "redis_server.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ROOM_TIME INT64_C(1795166100123) /* 2026-11-20T09:15:00.123Z */
#define MINUTE    INT64_C(60000)

struct room {
    char dir[64], file[80];
    char url[64], prefix[64]; /* of a Redis */
    struct clock clock;
    struct store_settings settings;
    struct store *store;
    struct arena arena;
    struct report report;
};

static inline void room_empty(const char *path) {
    DIR *dir = opendir(path);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') unlinkat(dirfd(dir), e->d_name, 0);
    if (dir != NULL) closedir(dir);
    rmdir(path);
}

static inline void room_dir(char *path, size_t size) {
    bool is_there = access("/dev/shm", W_OK) == 0;
    snprintf(path, size, "%sstore-test-XXXXXX", is_there ? "/dev/shm/" : "");
    assert_non_null(mkdtemp(path));
}

/* -- one Redis for all rooms of a test program, each under a prefix of its own ------------------
 */

struct room_redis {
    struct redis_server_of_test server;
    char dir[64];
    pid_t owner;
};

static inline struct room_redis *room_redis(void) {
    static struct room_redis redis;
    return &redis;
}

static inline void room_redis_end(void) {
    if (room_redis()->owner != getpid()) return; /* a child has none of its own */
    redis_end(&room_redis()->server, SIGKILL);
    room_empty(room_redis()->dir);
}

static inline void room_redis_start(void) {
    struct room_redis *redis = room_redis();
    if (redis->owner != 0) return;
    room_dir(redis->dir, sizeof redis->dir);
    redis_start(&redis->server, redis->dir, NULL, "--port");
    redis->owner = getpid();
    atexit(room_redis_end);
}

static inline void room_use_redis(struct room *room) {
    static int n;
    room_redis_start();
    snprintf(room->url, sizeof room->url, "redis://127.0.0.1:%d/1", room_redis()->server.port);
    snprintf(room->prefix, sizeof room->prefix, "{room%d-%d}:", (int)getpid(), n++);
    room->settings.redis_url = str_of(room->url);
    room->settings.redis_prefix = str_of(room->prefix);
}

/* Every kind in turn: rows for cmocka's initial state. */
static const int room_kinds[] = {STORE_SQLITE, STORE_MEMORY, STORE_REDIS};

/* How many of them there are on this machine. */
static inline size_t room_n_kinds(void) {
    if (redis_is_installed()) return COUNT(room_kinds);
    print_message("skipped: the kind redis, for redis-server is not installed\n");
    return COUNT(room_kinds) - 1;
}

/* Whether it outlives its process, and others may open it too. */
static inline bool room_is_shared(int kind) {
    return kind != STORE_MEMORY;
}

static inline void room_make(struct room *room, int kind) {
    memset(room, 0, sizeof *room);
    room_dir(room->dir, sizeof room->dir);
    snprintf(room->file, sizeof room->file, "%s/weir.db", room->dir);
    clock_scripted(&room->clock, ROOM_TIME);
    arena_init(&room->arena, 256 << 20);
    option_defaults(store_options, &room->settings);
    room->settings.kind = kind;
    room->settings.wait_ms = STORE_WAIT_MS_MAX; /* a busy machine must not fail a test */
    if (kind == STORE_REDIS) room_use_redis(room);
}

static inline void room_open(struct room *room) {
    result r =
        store_open(&room->settings, str_of(room->dir), &room->clock, &room->store, &room->report);
    if (r.why != FAIL_NONE) print_error("%s\n", room->report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
}

static inline void room_end(struct room *room) {
    store_close(room->store);
    arena_deinit(&room->arena);
    room_empty(room->dir);
}

/* For cmocka: *state is a kind before, and a room with an open store after. */
static inline int room_set_up(void **state) {
    static struct room room;
    room_make(&room, *(const int *)*state);
    room_open(&room);
    *state = &room;
    return 0;
}

static inline int room_tear_down(void **state) {
    room_end(*state);
    return 0;
}

#define ROOM_ROW(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)

/* Runs the rows for every kind in turn. */
static inline int room_run(struct CMUnitTest *tests, size_t n) {
    static int kind;
    int failed = 0;
    for (size_t k = 0; k < room_n_kinds(); k++) {
        kind = room_kinds[k];
        for (size_t i = 0; i < n; i++) tests[i].initial_state = &kind;
        failed += _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
    }
    return failed;
}

/* -- short names for what the tests do over and over ------------------------------------------ */

#define must(call) assert_int_equal((call).why, FAIL_NONE)

static inline struct store_item item(const char *key, const char *value, int64_t ttl_ms) {
    return (struct store_item){str_of(key), str_of(value), ttl_ms};
}

static inline uint64_t put(struct room *room, const char *key, const char *value, int64_t ttl_ms) {
    struct store_item it = item(key, value, ttl_ms);
    uint64_t version;
    must(store_put(room->store, &it, &version, &room->report));
    return version;
}

static inline uint64_t put_new(struct room *room, const char *key, const char *value,
                               int64_t ttl_ms) {
    struct store_item it = item(key, value, ttl_ms);
    uint64_t version;
    must(store_put_new(room->store, &it, &version, &room->report));
    return version;
}

static inline uint64_t swap(struct room *room, const char *key, uint64_t expected,
                            const char *value) {
    struct store_item it = item(key, value, MINUTE);
    uint64_t version;
    must(store_swap(room->store, &it, expected, &version, &room->report));
    return version;
}

static inline struct store_value get(struct room *room, const char *key) {
    struct store_value value;
    must(store_get(room->store, str_of(key), &room->arena, &value, &room->report));
    return value;
}

static inline struct store_value take(struct room *room, const char *key) {
    struct store_value value;
    must(store_take(room->store, str_of(key), &room->arena, &value, &room->report));
    return value;
}

static inline bool drop_entry(struct room *room, const char *key, uint64_t expected) {
    bool was_there;
    must(store_remove(room->store, str_of(key), expected, &was_there, &room->report));
    return was_there;
}

static inline bool touch(struct room *room, const char *key, uint64_t expected, int64_t ttl_ms) {
    bool was_there;
    must(store_touch(room->store, str_of(key), expected, ttl_ms, &was_there, &room->report));
    return was_there;
}

static inline uint64_t append(struct room *room, const char *log, const char *value) {
    struct store_append a = {.log = str_of(log), .value = str_of(value), .ttl_ms = MINUTE};
    uint64_t sequence;
    must(store_append(room->store, &a, &sequence, &room->report));
    return sequence;
}

static inline struct store_events events(struct room *room, const char *log, uint64_t after) {
    struct store_events out;
    must(store_read(room->store, str_of(log), after, SIZE_MAX, &room->arena, &out, &room->report));
    return out;
}

static inline int64_t add(struct room *room, const char *key, int64_t delta, int64_t ttl_ms) {
    int64_t sum;
    must(store_add(room->store, str_of(key), delta, ttl_ms, &sum, &room->report));
    return sum;
}

static inline uint64_t tide(struct room *room) {
    uint64_t out;
    must(store_tide(room->store, &out, &room->report));
    return out;
}

static inline int64_t usage(struct room *room) {
    struct store_usage out;
    must(store_usage(room->store, &out, &room->report));
    return out.bytes;
}

#define assert_text(value, text) assert_true(str_eq((value), str_of(text)))

#endif
