#include "base/map.h"

#include "base/arena.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 3000 };

static int values[N];
static char names[N][16];

static struct str name_of(size_t i) {
    return str_of(names[i]);
}

static int make_names(void **state) {
    (void)state;
    for (size_t i = 0; i < N; i++) snprintf(names[i], sizeof names[i], "Name-%zu", i * 7919);
    return 0;
}

/* The input of the paper's vectors (key 00 01 … 0f, bytes 00 01 02 …) under one and three rounds;
 * made with a second implementation, itself checked against the paper's vector for two and four. */
static void siphash_vectors(void **state) {
    (void)state;
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    static const struct {
        size_t n;
        uint64_t hash;
    } rows[] = {
        {0, UINT64_C(0xabac0158050fc4dc)},  {1, UINT64_C(0xc9f49bf37d57ca93)},
        {2, UINT64_C(0x82cb9b024dc7d44d)},  {7, UINT64_C(0xd3927d989bb11140)},
        {8, UINT64_C(0x369095118d299a8e)},  {9, UINT64_C(0x25a48eb36c063de4)},
        {16, UINT64_C(0xcc4fdd1a7d908b66)}, {63, UINT64_C(0x9d199062b7bbb3a8)},
    };
    char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)i;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(siphash13(key, (struct str){bytes, rows[i].n}) == rows[i].hash);
    assert_true(siphash13(key, (struct str){bytes, 9}) != siphash13(key, (struct str){bytes, 8}));
    assert_true(map_hash(STR("a")) == map_hash(STR("a")));
    assert_true(map_hash(STR("a")) != map_hash(STR("b")));
}

static void an_empty_map(void **state) {
    (void)state;
    struct arena arena;
    struct map map;
    size_t i = 0;
    arena_init(&arena, 1 << 20);
    map_init(&map, &arena);
    assert_null(map_get(&map, STR("a")));
    assert_null(map_get(&map, STR_NONE));
    assert_null(map_remove(&map, STR("a")));
    assert_false(map_each(&map, &i, NULL, NULL));
    assert_true(map_put(&map, STR_NONE, &values[0])); /* the empty name is a name */
    assert_ptr_equal(map_get(&map, STR("")), &values[0]);
    arena_deinit(&arena);
}

static void puts_gets_and_replaces(void **state) {
    (void)state;
    struct map map;
    map_init_heap(&map);
    for (size_t i = 0; i < N; i++) assert_true(map_put(&map, name_of(i), &values[i]));
    assert_int_equal(map.n_live, N);
    for (size_t i = 0; i < N; i++) assert_ptr_equal(map_get(&map, name_of(i)), &values[i]);
    assert_null(map_get(&map, STR("Name-1")));
    assert_null(map_get(&map, STR("name-0")));
    assert_true(map_put(&map, name_of(5), &values[6]));
    assert_ptr_equal(map_get(&map, name_of(5)), &values[6]);
    assert_int_equal(map.n_live, N);
    map_deinit(&map);
}

static void order_is_that_of_insertion(void **state) {
    (void)state;
    struct map map;
    map_init_heap(&map);
    for (size_t i = 0; i < N; i++) assert_true(map_put(&map, name_of(i), &values[i]));
    for (size_t i = 0; i < N; i += 3) assert_ptr_equal(map_remove(&map, name_of(i)), &values[i]);
    struct str key;
    void *value;
    size_t want = 1;
    for (size_t i = 0; map_each(&map, &i, &key, &value);) {
        assert_ptr_equal(value, &values[want]);
        assert_true(str_eq(key, name_of(want)));
        want += want % 3 == 2 ? 2 : 1;
    }
    assert_true(want >= N);
    map_deinit(&map);
}

/* Against a plain array, over many random steps. */
static void behaves_as_a_plain_array(void **state) {
    (void)state;
    enum { KEYS = 200 };
    uint64_t random = 42;
    bool is_in[KEYS] = {false};
    size_t n_in = 0;
    struct map map;
    map_init_heap(&map);
    for (int step = 0; step < 50000; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t i = (random >> 33) % KEYS;
        if (random >> 63) {
            assert_true(map_put(&map, name_of(i), &values[i]));
            n_in += !is_in[i];
            is_in[i] = true;
        } else {
            assert_ptr_equal(map_remove(&map, name_of(i)), is_in[i] ? &values[i] : NULL);
            n_in -= is_in[i];
            is_in[i] = false;
        }
        assert_int_equal(map.n_live, n_in);
        assert_ptr_equal(map_get(&map, name_of(i)), is_in[i] ? &values[i] : NULL);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&map, name_of(i)), is_in[i] ? &values[i] : NULL);
    assert_true(map.cap_entries <= 4 * KEYS); /* removed entries are swept, not collected */
    map_deinit(&map);
}

static void case_is_folded_when_asked(void **state) {
    (void)state;
    struct arena arena;
    struct map map;
    arena_init(&arena, 1 << 20);
    map_init(&map, &arena);
    map.fold_case = true;
    assert_true(map_put(&map, STR("Content-Type-And-More"), &values[0]));
    assert_ptr_equal(map_get(&map, STR("content-TYPE-and-mORE")), &values[0]);
    assert_true(map_put(&map, STR("CONTENT-type-AND-more"), &values[1]));
    assert_int_equal(map.n_live, 1);
    assert_true(map_put(&map, STR("@[`{\x80\xc0\xda Z"), &values[2])); /* beside the letters */
    assert_null(map_get(&map, STR("`{`{\x80\xc0\xda Z")));
    assert_ptr_equal(map_get(&map, STR("@[`{\x80\xc0\xda z")), &values[2]);
    assert_null(map_get(&map, STR("@[`{\x80\xe0\xfa z")));
    arena_deinit(&arena);
}

static void a_removed_key_may_die(void **state) {
    (void)state;
    struct map map;
    map_init_heap(&map);
    for (int i = 0; i < 100; i++) {
        char *key = malloc(2);
        memcpy(key, "k", 2);
        assert_true(map_put(&map, str_of(key), &values[0]));
        assert_null(map_get(&map, STR("other")));
        assert_ptr_equal(map_remove(&map, STR("k")), &values[0]);
        free(key);
    }
    assert_null(map_get(&map, STR("k")));
    map_deinit(&map);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (int heap = 0; heap < 2; heap++) {
        long n = 0;
        for (;; n++) {
            struct arena arena;
            struct map map;
            arena_init(&arena, 1 << 20);
            if (heap)
                map_init_heap(&map);
            else
                map_init(&map, &arena);
            fault_set(n);
            size_t put = 0;
            while (put < 100 && map_put(&map, name_of(put), &values[put])) put++;
            bool unused = fault_unused();
            fault_off();
            assert_int_equal(unused, put == 100);
            assert_int_equal(map.n_live, put);
            for (size_t i = 0; i < 100; i++)
                assert_ptr_equal(map_get(&map, name_of(i)), i < put ? &values[i] : NULL);
            if (heap) map_deinit(&map);
            arena_deinit(&arena);
            if (unused) break;
        }
        assert_true(n >= 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_vectors),          cmocka_unit_test(an_empty_map),
        cmocka_unit_test(puts_gets_and_replaces),   cmocka_unit_test(order_is_that_of_insertion),
        cmocka_unit_test(behaves_as_a_plain_array), cmocka_unit_test(case_is_folded_when_asked),
        cmocka_unit_test(a_removed_key_may_die),    cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_names, NULL);
}
