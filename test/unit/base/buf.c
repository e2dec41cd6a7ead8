#include "base/buf.h"

#include "base/arena.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_holds(const struct buf *buf, const char *want) {
    struct arena arena;
    arena_init(&arena, 1 << 24);
    struct str flat = buf_flat(buf, &arena);
    assert_int_equal(flat.len, strlen(want));
    if (flat.len > 0) assert_memory_equal(flat.ptr, want, flat.len);
    arena_deinit(&arena);
}

static void an_empty_buf(void **state) {
    (void)state;
    struct buf buf;
    struct iovec iov[2];
    buf_init(&buf, 10);
    assert_holds(&buf, "");
    assert_int_equal(buf_iov(&buf, 0, iov, 2), 0);
    buf_add(&buf, STR_NONE);
    buf_clear(&buf);
    buf_rewind(&buf, buf_mark(&buf));
    assert_int_equal(buf_failed(&buf, NULL).why, FAIL_NONE);
    assert_null(buf.first);
    buf_deinit(&buf);
    buf_deinit(&buf);
}

static void the_maximum_sticks(void **state) {
    (void)state;
    struct buf buf;
    struct report report = {0};
    buf_init(&buf, 5);
    buf_add(&buf, STR("abc"));
    buf_add(&buf, STR("def")); /* none of it */
    buf_add(&buf, STR("x"));   /* would fit, but comes after the failure */
    buf_add_byte(&buf, 'y');
    buf_addf(&buf, "%d", 1);
    assert_null(buf_reserve(&buf, 1));
    assert_holds(&buf, "abc");
    assert_int_equal(buf_failed(&buf, &report).why, FAIL_LIMIT);
    assert_int_equal(report.why, FAIL_LIMIT);
    assert_string_equal(report.code, "REPLY_TOO_LARGE");
    assert_string_equal(report.sentence, "the text being made passed its maximum of 5 bytes");
    buf_clear(&buf);
    assert_int_equal(buf_failed(&buf, NULL).why, FAIL_NONE);
    buf_add(&buf, STR("12345"));
    assert_int_equal(buf_failed(&buf, NULL).why, FAIL_NONE);
    buf_add_byte(&buf, '6');
    assert_int_equal(buf_failed(&buf, NULL).why, FAIL_LIMIT);
    buf_deinit(&buf);
}

static void formatted_texts_of_every_length(void **state) {
    (void)state;
    struct buf buf;
    struct arena arena;
    arena_init(&arena, 1 << 24);
    buf_init(&buf, 1 << 24);
    size_t want = 0;
    for (int width = 1; width < 3000; width += 7) {
        buf_addf(&buf, "%*d", width, width % 10);
        want += (size_t)width;
    }
    assert_int_equal(buf.len, want);
    struct str flat = buf_flat(&buf, &arena);
    assert_int_equal(flat.len, want);
    size_t at = 0;
    for (int width = 1; width < 3000; width += 7) {
        at += (size_t)width;
        assert_int_equal(flat.ptr[at - 1], '0' + width % 10);
        if (width > 1) assert_int_equal(flat.ptr[at - 2], ' ');
    }
    buf_clear(&buf);
    buf.max = 10;
    buf_addf(&buf, "%11d", 1);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.failed, FAIL_LIMIT);
    buf_deinit(&buf);
    arena_deinit(&arena);
}

static void vectors_give_all_bytes_from_any_offset(void **state) {
    (void)state;
    enum { N = 5000 };
    struct buf buf;
    char bytes[N];
    buf_init(&buf, N);
    for (size_t i = 0; i < N; i++) {
        bytes[i] = (char)(i * 31);
        buf_add_byte(&buf, bytes[i]);
    }
    assert_non_null(buf.first->next);
    for (size_t from = 0; from <= N; from += 123) {
        size_t at = from;
        while (at < N) { /* two vectors at a time, as a writer that is slow would */
            struct iovec iov[2];
            size_t n = buf_iov(&buf, at, iov, 2);
            assert_true(n > 0);
            for (size_t i = 0; i < n; i++) {
                assert_true(iov[i].iov_len > 0);
                assert_memory_equal(iov[i].iov_base, bytes + at, iov[i].iov_len);
                at += iov[i].iov_len;
            }
        }
        assert_int_equal(at, N);
    }
    struct iovec iov;
    assert_int_equal(buf_iov(&buf, N, &iov, 1), 0);
    buf_deinit(&buf);
}

static void reserve_then_commit(void **state) {
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    char *at = buf_reserve(&buf, BUF_RESERVE_MAX); /* more than fits may be reserved */
    assert_non_null(at);
    memset(at, 'x', BUF_RESERVE_MAX);
    buf_commit(&buf, 0);
    assert_int_equal(buf.len, 0);
    buf_commit(&buf, 10);
    assert_holds(&buf, "xxxxxxxxxx");
    assert_non_null(buf_reserve(&buf, 1));
    buf_commit(&buf, 1);
    assert_int_equal(buf.failed, FAIL_LIMIT);
    assert_int_equal(buf.len, 10);
    buf_deinit(&buf);
}

static void rewinding(void **state) {
    (void)state;
    struct buf buf;
    buf_init(&buf, 4000);
    struct buf_mark start = buf_mark(&buf);
    buf_add(&buf, STR("head"));
    struct buf_mark head = buf_mark(&buf);
    for (int i = 0; i < 3000; i++) buf_add_byte(&buf, 'z');
    buf_addf(&buf, "%2000d", 1);
    assert_int_equal(buf.failed, FAIL_LIMIT);
    buf_rewind(&buf, head);
    assert_int_equal(buf.failed, FAIL_NONE);
    assert_holds(&buf, "head");
    buf_add(&buf, STR("er"));
    assert_holds(&buf, "header");
    buf_rewind(&buf, start);
    assert_holds(&buf, "");
    buf_add(&buf, STR("new"));
    assert_holds(&buf, "new");
    buf_deinit(&buf);
}

static void appending(void **state) {
    (void)state;
    struct buf to, from;
    buf_init(&to, 10);
    buf_init(&from, 100);
    buf_append(&to, &from);
    assert_holds(&to, "");
    buf_add(&from, STR("abc"));
    buf_append(&to, &from);
    assert_holds(&to, "abc");
    assert_int_equal(from.len, 0);
    assert_null(from.first);
    buf_add(&from, STR("def"));
    buf_append(&to, &from);
    buf_add(&to, STR("g"));
    assert_holds(&to, "abcdefg");
    buf_add(&from, STR("hijk"));
    buf_append(&to, &from);
    assert_int_equal(to.failed, FAIL_LIMIT);
    assert_holds(&to, "abcdefg");
    assert_null(from.first);
    buf_clear(&to);
    from.max = 1;
    buf_add(&from, STR("too long"));
    buf_append(&to, &from); /* a failed part makes a failed whole */
    assert_int_equal(to.failed, FAIL_LIMIT);
    buf_deinit(&to);
    buf_deinit(&from);
}

static void flat_needs_the_budget_only_for_several_chunks(void **state) {
    (void)state;
    struct arena arena;
    struct buf buf;
    arena_init(&arena, 1);
    buf_init(&buf, 1 << 20);
    buf_add(&buf, STR("one chunk"));
    assert_int_equal(buf_flat(&buf, &arena).len, 9);
    for (int i = 0; i < 2000; i++) buf_add_byte(&buf, 'x');
    assert_null(buf_flat(&buf, &arena).ptr);
    assert_null(buf_copy(&buf, &arena).ptr);
    buf_deinit(&buf);
    arena_deinit(&arena);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    long n = 0;
    for (;; n++) {
        struct buf buf, part;
        struct report report = {0};
        buf_init(&buf, 1 << 20);
        buf_init(&part, 1 << 20);
        fault_set(n);
        for (int i = 0; i < 300; i++) buf_addf(&buf, "%20d", i);
        buf_add(&part, STR("part"));
        buf_append(&buf, &part);
        if (buf_reserve(&buf, BUF_RESERVE_MAX) != NULL) buf_commit(&buf, 0);
        bool unused = fault_unused();
        fault_off();
        result r = buf_failed(&buf, &report);
        assert_int_equal(r.why, unused ? FAIL_NONE : FAIL_MEMORY);
        assert_int_equal(report.why, r.why);
        if (!unused) assert_true(buf.len % 20 == 0 || buf.len == 6004); /* whole pieces only */
        buf_deinit(&buf);
        buf_deinit(&part);
        if (unused) break;
    }
    assert_true(n >= 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buf),
        cmocka_unit_test(the_maximum_sticks),
        cmocka_unit_test(formatted_texts_of_every_length),
        cmocka_unit_test(vectors_give_all_bytes_from_any_offset),
        cmocka_unit_test(reserve_then_commit),
        cmocka_unit_test(rewinding),
        cmocka_unit_test(appending),
        cmocka_unit_test(flat_needs_the_budget_only_for_several_chunks),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
