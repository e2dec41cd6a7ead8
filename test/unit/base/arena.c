#include "base/arena.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_zero(const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0) return false;
    return true;
}

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 24);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 3000; i++) {
            size_t size = i % 97, align = (size_t)1 << (i % 5);
            char *at = arena_alloc(&arena, size, align);
            assert_non_null(at);
            assert_int_equal((uintptr_t)at % align, 0);
            assert_true(is_zero(at, size));
            memset(at, 0xee, size);
        }
        char *large = arena_alloc(&arena, 1 << 20, 16);
        assert_non_null(large);
        assert_true(is_zero(large, 1 << 20));
        memset(large, 0xee, 1 << 20);
        if (round == 0)
            arena_reset(&arena);
        else
            arena_deinit(&arena);
    }
    arena_deinit(&arena);
}

/* What one object holds is not touched by the making of others. */
static void objects_do_not_overlap(void **state) {
    (void)state;
    enum { N = 500 };
    struct arena arena;
    arena_init(&arena, 1 << 24);
    unsigned char *objects[N];
    for (size_t i = 0; i < N; i++) {
        objects[i] = arena_alloc(&arena, i * 7 % 5000, 1);
        assert_non_null(objects[i]);
        memset(objects[i], (int)(i & 0xff), i * 7 % 5000);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i * 7 % 5000; j++) assert_int_equal(objects[i][j], i & 0xff);
    arena_deinit(&arena);
}

static void budget_is_payload_bytes(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 100);
    assert_non_null(arena_alloc(&arena, 60, 16));
    assert_null(arena_alloc(&arena, 41, 1));
    assert_non_null(arena_alloc(&arena, 40, 1));
    assert_null(arena_alloc(&arena, 1, 1));
    assert_non_null(arena_alloc(&arena, 0, 1));
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3, 1));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 100, 1));
    arena_deinit(&arena);
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX - 7, 16)); /* no overflow on the way */
    assert_null(arena_alloc(&arena, PTRDIFF_MAX, 16));
    arena_deinit(&arena);
}

static void pushed_arrays_keep_their_elements(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    int64_t *numbers = NULL;
    size_t n = 0, cap = 0;
    for (int64_t i = 0; i < 1000; i++) {
        int64_t *slot = ARENA_PUSH(&arena, numbers, n, cap);
        assert_non_null(slot);
        assert_true(*slot == 0);
        *slot = i;
    }
    assert_int_equal(n, 1000);
    for (int64_t i = 0; i < 1000; i++) assert_true(numbers[i] == i);
    arena_deinit(&arena);
}

static void push_fails_without_a_change(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 4 * sizeof(int) + 3);
    int *numbers = NULL;
    size_t n = 0, cap = 0;
    for (int i = 0; i < 4; i++) *(int *)ARENA_PUSH(&arena, numbers, n, cap) = i;
    assert_null(ARENA_PUSH(&arena, numbers, n, cap));
    assert_int_equal(n, 4);
    assert_int_equal(cap, 4);
    assert_int_equal(numbers[3], 3);
    arena_deinit(&arena);
}

struct trace {
    char text[8];
    size_t n;
};

struct step {
    struct trace *trace;
    char name;
};

static void leave_trace(void *with) {
    struct step *step = with;
    step->trace->text[step->trace->n++] = step->name;
}

static void deferred_runs_newest_first_and_once(void **state) {
    (void)state;
    struct trace trace = {"", 0};
    struct step steps[] = {{&trace, 'a'}, {&trace, 'b'}, {&trace, 'c'}};
    struct arena arena;
    arena_init(&arena, 1 << 10);
    for (size_t i = 0; i < 3; i++) assert_true(arena_defer(&arena, leave_trace, &steps[i]));
    arena_reset(&arena);
    assert_string_equal(trace.text, "cba");
    assert_true(arena_defer(&arena, leave_trace, &steps[0]));
    arena_deinit(&arena);
    assert_string_equal(trace.text, "cbaa");
    arena_deinit(&arena);
    assert_string_equal(trace.text, "cbaa");
}

static void nothing_is_deferred_when_the_budget_is_spent(void **state) {
    (void)state;
    struct trace trace = {"", 0};
    struct step step = {&trace, 'a'};
    struct arena arena;
    arena_init(&arena, 8);
    assert_false(arena_defer(&arena, leave_trace, &step));
    arena_deinit(&arena);
    assert_int_equal(trace.n, 0);
}

/* A chain of everything an arena does, of which each allocation fails once. */
static bool everything(struct arena *arena, struct trace *trace, struct step *step) {
    int *numbers = NULL;
    size_t n = 0, cap = 0;
    for (int i = 0; i < 100; i++)
        if (ARENA_PUSH(arena, numbers, n, cap) == NULL) return false;
    if (!arena_defer(arena, leave_trace, step)) return false;
    trace->text[7] = 1;
    return arena_alloc(arena, 1 << 20, 1) != NULL && arena_new(arena, struct trace) != NULL;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    long n = 0;
    for (;; n++) {
        struct trace trace = {"", 0};
        struct step step = {&trace, 'x'};
        struct arena arena;
        arena_init(&arena, 1 << 24);
        fault_set(n);
        bool ok = everything(&arena, &trace, &step);
        bool unused = fault_unused();
        fault_off();
        assert_int_equal(ok, unused);
        arena_deinit(&arena);
        assert_int_equal(trace.n, trace.text[7]); /* ran if it was registered */
        if (unused) break;
    }
    assert_true(n >= 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(objects_do_not_overlap),
        cmocka_unit_test(budget_is_payload_bytes),
        cmocka_unit_test(pushed_arrays_keep_their_elements),
        cmocka_unit_test(push_fails_without_a_change),
        cmocka_unit_test(deferred_runs_newest_first_and_once),
        cmocka_unit_test(nothing_is_deferred_when_the_budget_is_spent),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
