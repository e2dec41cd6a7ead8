/*
 * room.h - a store in a directory of its own, for the tests of the store room
 */
#ifndef WEIR_TEST_STORE_ROOM_H
#define WEIR_TEST_STORE_ROOM_H

#include "base/limits.h"
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
    struct clock clock;
    struct store_settings settings;
    struct store *store;
    struct arena arena;
    struct report report;
};

static inline void room_make(struct room *room, int kind) {
    memset(room, 0, sizeof *room);
    snprintf(room->dir, sizeof room->dir, "%s", "/dev/shm/store-test-XXXXXX");
    if (mkdtemp(room->dir) == NULL) {
        snprintf(room->dir, sizeof room->dir, "%s", "store-test-XXXXXX");
        assert_non_null(mkdtemp(room->dir));
    }
    snprintf(room->file, sizeof room->file, "%s/weir.db", room->dir);
    clock_scripted(&room->clock, ROOM_TIME);
    arena_init(&room->arena, 256 << 20);
    option_defaults(store_options, &room->settings);
    room->settings.kind = kind;
    room->settings.wait_ms = STORE_WAIT_MS_MAX; /* a busy machine must not fail a test */
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
    DIR *dir = opendir(room->dir);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') unlinkat(dirfd(dir), e->d_name, 0);
    if (dir != NULL) closedir(dir);
    rmdir(room->dir);
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
