/* Frames, made and read; and read when they come from a worker that was taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own */

#include "backend/duckdb_setup.h"
#include "base/fault.h"
#include "base/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const struct row_value values[] = {
    {.kind = ROW_NULL},
    {.kind = ROW_BOOL, .boolean = true},
    {.kind = ROW_INT, .integer = INT64_MIN},
    {.kind = ROW_REAL, .real = -0.5},
    {.kind = ROW_DECIMAL, .text = STR_INIT("-12345678901234567890.10")},
    {.kind = ROW_TEXT, .text = STR_INIT("text \0 with NUL")},
    {.kind = ROW_BYTES, .text = STR_INIT("\xff\x00")},
    {.kind = ROW_JSON, .text = STR_INIT("{\"a\":[1,null]}")},
};

static void put_answer(struct wire_out *out) {
    wire_begin(out, WIRE_COLUMNS);
    wire_put_u32(out, COUNT(values));
    for (size_t i = 0; i < COUNT(values); i++) {
        wire_put_text(out, STR("name"));
        wire_put_text(out, STR("type"));
    }
    wire_end(out);
    wire_begin(out, WIRE_ROWS);
    for (size_t i = 0; i < COUNT(values); i++) wire_put_value(out, &values[i]);
    wire_end(out);
    wire_begin(out, WIRE_DONE);
    wire_put_u64(out, 42);
    wire_end(out);
}

/* A pipe whose reading end gives these bytes and then ends. */
static int pipe_of(const char *bytes, size_t len) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
    assert_int_equal(write(fds[1], bytes, len), (ssize_t)len);
    close(fds[1]);
    return fds[0];
}

static void assert_same_value(const struct row_value *a, const struct row_value *b) {
    assert_int_equal(a->kind, b->kind);
    if (a->kind == ROW_BOOL) assert_int_equal(a->boolean, b->boolean);
    if (a->kind == ROW_INT) assert_int_equal(a->integer, b->integer);
    if (a->kind == ROW_REAL) assert_true(a->real >= b->real && a->real <= b->real);
    if (a->kind >= ROW_DECIMAL) assert_true(str_eq(a->text, b->text));
}

static void test_what_is_put_is_read(void **state) {
    (void)state;
    struct arena arena, scratch;
    struct wire_out out;
    struct wire_in in;
    struct wire_frame frame;
    arena_init(&arena, 1 << 20);
    arena_init(&scratch, 1 << 20);
    wire_out_init(&out);
    wire_in_init(&in);
    put_answer(&out);
    assert_false(wire_out_failed(&out));
    int fd = pipe_of(out.bytes, out.len);

    assert_int_equal(wire_in_read(&in, fd, &frame), WIRE_READ);
    assert_int_equal(frame.kind, WIRE_COLUMNS);
    struct row_column *columns;
    size_t n;
    assert_true(wire_get_columns(&frame.payload, &arena, &columns, &n));
    assert_int_equal(n, COUNT(values));
    assert_true(str_eq(columns[n - 1].type, STR("type")));

    assert_int_equal(wire_in_read(&in, fd, &frame), WIRE_READ);
    for (size_t i = 0; i < COUNT(values); i++) {
        struct row_value value;
        assert_true(wire_get_value(&frame.payload, &scratch, &value));
        assert_same_value(&value, &values[i]);
    }
    assert_ptr_equal(frame.payload.at, frame.payload.end);

    uint64_t engine_us;
    assert_int_equal(wire_in_read(&in, fd, &frame), WIRE_READ);
    assert_true(wire_get_u64(&frame.payload, &engine_us));
    assert_int_equal(engine_us, 42);
    assert_int_equal(wire_in_read(&in, fd, &frame), WIRE_CLOSED);
    close(fd);
    wire_in_deinit(&in);
    wire_out_deinit(&out);
    arena_deinit(&scratch);
    arena_deinit(&arena);
}

static void test_setup_survives(void **state) {
    (void)state;
    const struct str inputs[] = {STR_INIT("/a"), STR_INIT("/b c")};
    const struct str statements[] = {STR_INIT("SELECT 1")};
    const struct str labels[] = {STR_INIT("one")};
    const struct duckdb_setup setup = {.library = STR("/lib.so"),
                                       .database = STR("/db"),
                                       .catalog = STR(DUCKDB_CATALOG),
                                       .timezone = STR("UTC"),
                                       .memory_limit = 1,
                                       .address_space = UINT64_MAX,
                                       .threads = 3,
                                       .is_load = true,
                                       .inputs = {inputs, 2},
                                       .output = STR("/out"),
                                       .statements = {statements, 1},
                                       .labels = {labels, 1}};
    struct arena arena;
    struct wire_out out;
    arena_init(&arena, 1 << 16);
    wire_out_init(&out);
    duckdb_setup_put(&out, &setup);
    struct duckdb_setup read;
    for (size_t len = 0; len < out.len - 8; len++) { /* cut off anywhere it is refused */
        struct wire_view view = {out.bytes + 8, out.bytes + 8 + len};
        assert_false(duckdb_setup_get(&view, &arena, &read));
    }
    struct wire_view view = {out.bytes + 8, out.bytes + out.len};
    assert_true(duckdb_setup_get(&view, &arena, &read));
    assert_true(str_eq(read.library, setup.library) && str_eq(read.output, setup.output));
    assert_true(read.address_space == UINT64_MAX && read.threads == 3);
    assert_true(read.is_load && !read.is_fence_required);
    assert_true(read.inputs.n == 2 && str_eq(read.inputs.items[1], inputs[1]));
    assert_true(read.labels.n == 1 && str_eq(read.labels.items[0], labels[0]));
    wire_out_deinit(&out);
    arena_deinit(&arena);
}

struct value_case {
    const char *bytes;
    size_t len;
};
#define BYTES(text)                                                                                \
    { text, sizeof(text) - 1 }

/* What a worker of ours never sends. */
static const struct value_case bad_values[] = {
    BYTES(""),
    BYTES("\x08"), /* no such kind */
    BYTES("\xff"),
    BYTES("\x01"),     /* a boolean without its byte */
    BYTES("\x01\x02"), /* neither true nor false */
    BYTES("\x02"
          "1234567"), /* half an integer */
    BYTES("\x05\x04\x00\x00\x00"
          "abc"), /* a text that is longer than the frame */
    BYTES("\x05\xff\xff\xff\xff"
          "abc"),
    BYTES("\x04\x00\x00\x00\x00"), /* decimals that are none */
    BYTES("\x04\x01\x00\x00\x00"
          "-"),
    BYTES("\x04\x02\x00\x00\x00"
          "1."),
    BYTES("\x04\x02\x00\x00\x00"
          ".1"),
    BYTES("\x04\x03\x00\x00\x00"
          "1e5"),
    BYTES("\x04\x06\x00\x00\x00"
          "1,\"a\":"),
    BYTES("\x07\x00\x00\x00\x00"), /* JSON that would break the reply */
    BYTES("\x07\x05\x00\x00\x00"
          "1],[2"),
    BYTES("\x07\x01\x00\x00\x00"
          "}"),
    BYTES("\x07\x03\x00\x00\x00"
          "NaN"),
    BYTES("\x07\x0d\x00\x00\x00"
          "{\"a\":1,\"a\":2}"),
    BYTES("\x07\x03\x00\x00\x00"
          "\"\xff\""),
};

static void test_bad_values_are_refused(void **state) {
    (void)state;
    struct arena scratch;
    arena_init(&scratch, 1 << 20);
    for (size_t i = 0; i < COUNT(bad_values); i++) {
        struct wire_view view = {bad_values[i].bytes, bad_values[i].bytes + bad_values[i].len};
        struct row_value value;
        if (wire_get_value(&view, &scratch, &value)) print_error("value %zu was read\n", i);
        view.at = bad_values[i].bytes;
        assert_false(wire_get_value(&view, &scratch, &value));
    }
    arena_deinit(&scratch);
}

static void test_bad_heads_are_refused(void **state) {
    (void)state;
    static const uint32_t heads[][2] = {{0, 0},
                                        {0, WIRE_ERROR + 1},
                                        {0, UINT32_MAX},
                                        {WIRE_FRAME_BYTES_MAX + 1, WIRE_ROWS},
                                        {UINT32_MAX, WIRE_ROWS}};
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct wire_in in;
        struct wire_frame frame;
        wire_in_init(&in);
        int fd = pipe_of((const char *)heads[i], sizeof heads[i]);
        assert_int_equal(wire_in_read(&in, fd, &frame), WIRE_BROKEN);
        close(fd);
        wire_in_deinit(&in);
    }
}

/* A frame that passes the maximum is never made. */
static void test_frame_has_a_maximum(void **state) {
    (void)state;
    struct wire_out out;
    wire_out_init(&out);
    char *large = calloc(1, WIRE_FRAME_BYTES_MAX);
    assert_non_null(large);
    wire_begin(&out, WIRE_ROWS);
    wire_put_text(&out, (struct str){large, WIRE_FRAME_BYTES_MAX - 12});
    assert_false(wire_out_failed(&out));
    wire_put_u8(&out, 1);
    assert_true(wire_out_failed(&out));
    wire_out_deinit(&out);
    wire_begin(&out, WIRE_ROWS);
    wire_put_text(&out, (struct str){large, SIZE_MAX / 2});
    assert_true(wire_out_failed(&out));
    wire_out_deinit(&out);
    free(large);
}

/* Reads whatever comes as an answer is read; returns how many frames made sense. */
static size_t read_all(int fd, struct arena *arena, struct arena *scratch) {
    struct wire_in in;
    struct wire_frame frame;
    size_t n_frames = 0, n_columns = 0;
    wire_in_init(&in);
    enum wire_state state;
    while ((state = wire_in_read(&in, fd, &frame)) >= WIRE_AGAIN) {
        if (state == WIRE_AGAIN) continue;
        struct row_column *columns;
        struct row_value value;
        enum wire_error error;
        struct str text;
        bool is_good = true;
        if (frame.kind == WIRE_COLUMNS)
            is_good = wire_get_columns(&frame.payload, arena, &columns, &n_columns);
        uint8_t percent;
        if (frame.kind == WIRE_PROGRESS) is_good = wire_get_u8(&frame.payload, &percent);
        if (frame.kind == WIRE_ERROR) is_good = wire_get_error(&frame.payload, &error, &text);
        while (frame.kind == WIRE_ROWS && frame.payload.at < frame.payload.end && is_good)
            is_good = wire_get_value(&frame.payload, scratch, &value);
        assert_true(frame.payload.at <= frame.payload.end);
        n_frames += is_good;
    }
    wire_in_deinit(&in);
    return n_frames;
}

/* Property: an answer with any bytes changed, any piece cut out, is read within its bounds (the
 * sanitizer watches) or refused. The sequence is fixed, so that a failure can be seen again. */
static void test_changed_answers(void **state) {
    (void)state;
    struct arena arena, scratch;
    struct wire_out out;
    arena_init(&arena, 64 << 20);
    arena_init(&scratch, 64 << 20);
    wire_out_init(&out);
    put_answer(&out);
    uint64_t random = 1;
    char changed[4096];
    assert_true(out.len < sizeof changed);
    size_t n_good = 0;
    for (int round = 0; round < 20000; round++) {
        memcpy(changed, out.bytes, out.len);
        size_t len = out.len;
        for (int i = 0; i < 1 + round % 4; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            size_t at = (size_t)(random >> 33) % len;
            changed[at] = (char)(random >> 25);
            if ((random >> 20 & 15) == 0) len = at + 1;
        }
        int fd = pipe_of(changed, len);
        n_good += read_all(fd, &arena, &scratch);
        close(fd);
        arena_reset(&arena);
    }
    assert_true(n_good > 0 && n_good < 60000);
    wire_out_deinit(&out);
    arena_deinit(&scratch);
    arena_deinit(&arena);
}

static void test_nth_failure(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct wire_out out;
        struct wire_in in;
        struct wire_frame frame;
        wire_out_init(&out);
        wire_in_init(&in);
        fault_set(n);
        put_answer(&out);
        bool is_put = !wire_out_failed(&out);
        enum wire_state read = WIRE_BROKEN;
        if (is_put) {
            int fd = pipe_of(out.bytes, out.len);
            read = wire_in_read(&in, fd, &frame);
            close(fd);
        }
        bool is_unused = fault_unused();
        fault_off();
        wire_out_deinit(&out);
        wire_in_deinit(&in);
        assert_int_equal(is_put && read == WIRE_READ, is_unused);
        if (is_unused) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_put_is_read),
        cmocka_unit_test(test_setup_survives),
        cmocka_unit_test(test_bad_values_are_refused),
        cmocka_unit_test(test_bad_heads_are_refused),
        cmocka_unit_test(test_frame_has_a_maximum),
        cmocka_unit_test(test_changed_answers),
        cmocka_unit_test(test_nth_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
