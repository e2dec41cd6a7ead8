/* Rows are set aside exactly as the reply has them, within bytes and time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own */

#include "base/arena.h"
#include "base/fault.h"
#include "base/limits.h"
#include "shape/size.h"

#include <inttypes.h>
#include <stdio.h>

struct rig {
    struct clock clock;
    struct buf buf;
    struct json_writer writer;
    struct encode_sink encoder;
    struct size_sink sizer;
    struct keep keep;
    struct report report;
};

enum { SOME = 1 << 20 };

static void rig_init(struct rig *rig, uint64_t reply_bytes, size_t keep_bytes) {
    *rig = (struct rig){.report = {0}};
    clock_scripted(&rig->clock, 1000);
    buf_init(&rig->buf, SOME);
    json_writer_init(&rig->writer, &rig->buf);
    json_object(&rig->writer);
    encode_sink_init(&rig->encoder, &rig->writer, TEXT_EXACT);
    struct room room = {ROOM_ANY, reply_bytes};
    struct rooms rooms = {.whole = room, .cut = room};
    size_sink_init(&rig->sizer, &rig->encoder, &rooms, &rig->clock);
    keep_init(&rig->keep, keep_bytes, TEXT_EXACT, &rig->clock);
    rig->sizer.keep = &rig->keep;
}

static void rig_deinit(struct rig *rig) {
    keep_deinit(&rig->keep);
    buf_deinit(&rig->buf);
}

static const struct row_column columns[] = {{STR_INIT("i"), STR_INIT("bigint")},
                                            {STR_INIT("t"), STR_INIT("string")}};

/* Rows 0, 1, 2, …; returns how many were asked for. */
static size_t push(struct rig *rig, size_t n) {
    struct row_sink *sink = &rig->sizer.sink;
    bool more = true;
    size_t i = 0;
    if (sink->columns(sink, columns, COUNT(columns), &rig->report).why != FAIL_NONE) return 0;
    for (; i < n && more; i++) {
        struct row_value row[] = {{.kind = ROW_INT, .integer = (int64_t)i},
                                  {.kind = ROW_TEXT, .text = STR("a,\n\"b")}};
        if (sink->row(sink, row, &more, &rig->report).why != FAIL_NONE) break;
    }
    return i;
}

/* Line after line what stands in `rows` of the reply, and what would. */
static void assert_lines(const struct rig *rig, size_t n) {
    struct arena arena;
    arena_init(&arena, 4 << 20);
    struct str lines = buf_copy(&rig->keep.lines, &arena);
    assert_int_equal(rig->keep.n_rows, n);
    for (size_t i = 0; i < n; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "[%zu,\"a,\\n\\\"b\"]", i);
        assert_true(str_eq(str_cut(&lines, '\n'), str_of(expected)));
    }
    assert_int_equal(lines.len, 0);
    struct str names = buf_copy(&rig->keep.columns, &arena);
    assert_true(str_eq(names, STR("[{\"name\":\"i\",\"type\":\"bigint\"},"
                                  "{\"name\":\"t\",\"type\":\"string\"}]")));
    arena_deinit(&arena);
}

struct trial {
    uint64_t reply_bytes;
    size_t keep_bytes, n_rows;
    size_t kept;
    bool is_full;
};

static const struct trial trials[] = {
    {SOME, SOME, 0, 0, false},      {SOME, SOME, 1, 1, false}, {SOME, SOME, 100, 100, false},
    {200, SOME, 100, 100, false}, /* most of them behind the cut */
    {200, SOME, 9999, 9999, false}, {200, 70, 100, 5, true},   {SOME, 70, 100, 5, true},
    {200, 600, 100, 40, true},      {200, 70, 4, 4, false},
};

static void keeps_what_comes(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(trials); i++) {
        const struct trial *t = &trials[i];
        struct rig rig;
        rig_init(&rig, t->reply_bytes, t->keep_bytes);
        push(&rig, t->n_rows);
        assert_int_equal(rig.keep.is_full, t->is_full);
        assert_lines(&rig, t->kept);
        assert_true(rig.keep.lines.len <= t->keep_bytes);
        rig_deinit(&rig);
    }
}

static void ends_in_time(void **state) {
    (void)state;
    struct rig rig;
    rig_init(&rig, 100, SOME);
    push(&rig, 10); /* cut */
    assert_true(keep_goes_on(&rig.keep));
    clock_move(&rig.clock, KEEP_MS - 1);
    assert_true(keep_goes_on(&rig.keep));
    clock_move(&rig.clock, 1);
    assert_false(keep_goes_on(&rig.keep));
    assert_true(rig.keep.is_full);
    assert_int_equal(rig.keep.n_rows, 10);
    rig_deinit(&rig);
}

/* Without memory fewer rows are kept, and it is told; the reply is what it is without a keep, or
 * fails as it does then. */
static void lives_without_memory(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct rig rig;
        rig_init(&rig, 400, SOME);
        fault_set(n);
        push(&rig, 3000);
        bool is_over = fault_unused();
        fault_off();
        assert_true(rig.keep.is_full || rig.keep.n_rows == 3000 || rig.report.why != FAIL_NONE);
        if (is_over) assert_lines(&rig, 3000);
        rig_deinit(&rig);
        if (is_over) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_comes),
        cmocka_unit_test(ends_in_time),
        cmocka_unit_test(lives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
