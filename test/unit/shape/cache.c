/* What is kept: found while it is fresh, bounded in bytes, the oldest first to go. */
#include "shape/cache.h"

#include "base/fault.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

static struct clock now;
static struct arena arena;
static struct cache *cache;

static int setup(void **state) {
    (void)state;
    clock_scripted(&now, 1000000);
    arena_init(&arena, 64 * MIB);
    cache = cache_new(&now);
    return cache == NULL;
}

static int teardown(void **state) {
    (void)state;
    cache_free(cache);
    arena_deinit(&arena);
    return 0;
}

static void put(const char *key, const char *value, int64_t ttl_ms, int64_t max_bytes) {
    cache_put(cache, &(struct cache_item){str_of(key), str_of(value), ttl_ms}, max_bytes);
}

/* "(none)" when it is not there. */
static const char *get(const char *key) {
    struct cache_value value;
    if (!cache_get(cache, str_of(key), &arena, &value)) return "(none)";
    return str_cstr(&arena, value.bytes);
}

static struct cache_counts counts(void) {
    struct cache_counts c;
    cache_count(cache, &c);
    return c;
}

static void keeps_for_a_while(void **state) {
    (void)state;
    struct cache_value value;
    assert_string_equal(get("a"), "(none)");
    put("a", "one", 1000, MIB);
    put("b", "two", 2000, MIB);
    assert_string_equal(get("a"), "one");
    clock_move(&now, 999);
    assert_true(cache_get(cache, STR("a"), &arena, &value));
    assert_int_equal(value.age_ms, 999);
    clock_move(&now, 1);
    assert_string_equal(get("a"), "(none)");
    assert_string_equal(get("b"), "two");
    assert_int_equal(counts().items, 1);
    put("b", "three", 2000, MIB);
    assert_string_equal(get("b"), "three");
    assert_int_equal(counts().items, 1);
    assert_int_equal(counts().hits, 4);
    assert_int_equal(counts().misses, 2);
}

static void keeps_nothing_of_no_time_or_room(void **state) {
    (void)state;
    put("a", "one", 0, MIB);
    put("a", "one", -1, MIB);
    put("a", "one", 1000, 0);
    put("a", "one", 1000, CACHE_ITEM_BYTES + 3);
    assert_string_equal(get("a"), "(none)");
    put("a", "one", 1000, CACHE_ITEM_BYTES + 4);
    assert_string_equal(get("a"), "one");
    assert_int_equal(counts().bytes, CACHE_ITEM_BYTES + 4);
}

static void lets_the_longest_unasked_go(void **state) {
    (void)state;
    const int64_t room = 3 * (CACHE_ITEM_BYTES + 2);
    put("a", "1", 1000, room);
    put("b", "2", 1000, room);
    put("c", "3", 1000, room);
    assert_string_equal(get("a"), "1");
    put("d", "4", 1000, room);
    assert_string_equal(get("b"), "(none)");
    assert_string_equal(get("a"), "1");
    put("a", "5", 1000, room); /* in the place of what was there: nobody goes */
    assert_string_equal(get("c"), "3");
    assert_string_equal(get("d"), "4");
    put("e", "a longer one that needs the room of two", 1000, room);
    assert_string_equal(get("a"), "(none)");
    assert_string_equal(get("c"), "(none)");
    assert_string_equal(get("d"), "4");
    put("f", "6", 1000, CACHE_ITEM_BYTES + 2); /* the bound was lowered by a reload */
    assert_string_equal(get("f"), "6");
    assert_int_equal(counts().items, 1);
    assert_int_equal(counts().pushed_out, 5);
}

/* Property: whatever is put, the bytes are those of the items, and within the bound. */
static void stays_within_its_bound(void **state) {
    (void)state;
    static char value[4096];
    memset(value, 'x', sizeof value);
    unsigned long draw = 1;
    for (size_t i = 0; i < 20000; i++) {
        char key[32];
        draw = draw * 6364136223846793005ul + 1442695040888963407ul;
        snprintf(key, sizeof key, "key-%lu", (draw >> 33) % 300);
        struct str of = {value, (draw >> 40) % sizeof value + 1};
        cache_put(cache, &(struct cache_item){str_of(key), of, 1 + (int64_t)((draw >> 50) % 50)},
                  64 * KIB);
        clock_move(&now, 1);
        struct cache_counts c = counts();
        assert_true(c.bytes <= 64 * KIB);
        assert_true(c.bytes >= (int64_t)(c.items * (CACHE_ITEM_BYTES + 6)));
    }
}

static void *hammer(void *with) {
    const size_t mine = (size_t)(uintptr_t)with;
    struct arena own;
    arena_init(&own, 4 * MIB);
    for (size_t i = 0; i < 4000; i++) {
        char key[16], value[16];
        struct cache_value got;
        size_t n = (i * 7 + mine) % 40;
        snprintf(key, sizeof key, "k%zu", n);
        snprintf(value, sizeof value, "v%zu", n);
        cache_put(cache, &(struct cache_item){str_of(key), str_of(value), 100000}, 8 * KIB);
        if (cache_get(cache, str_of(key), &own, &got))
            assert_true(str_eq(got.bytes, str_of(value)));
        arena_reset(&own);
    }
    arena_deinit(&own);
    return NULL;
}

static void serves_many_at_once(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    assert_true(counts().bytes <= 8 * KIB);
}

/* Without memory nothing is kept or found, and nothing is lost. */
static void survives_any_fault(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        fault_set(n);
        struct cache *own = cache_new(&now);
        struct cache_value value = {STR_NONE, 0};
        bool is_there = false;
        if (own != NULL) {
            cache_put(own, &(struct cache_item){STR("k"), STR("v"), 1000}, MIB);
            is_there = cache_get(own, STR("k"), &arena, &value);
        }
        bool is_unused = fault_unused();
        fault_off();
        if (is_there) assert_true(str_eq(value.bytes, STR("v")));
        cache_free(own);
        if (is_unused) {
            assert_true(is_there);
            break;
        }
    }
    cache_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_for_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_nothing_of_no_time_or_room, setup, teardown),
        cmocka_unit_test_setup_teardown(lets_the_longest_unasked_go, setup, teardown),
        cmocka_unit_test_setup_teardown(stays_within_its_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(serves_many_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_fault, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
