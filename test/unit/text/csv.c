#include "text/csv.h"

#include "base/buf.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;

static int open_arena(void **state) {
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int close_arena(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

/* Rows as "a|b;c|d", quoted fields in parentheses. */
static const char *drawn(const struct csv *csv) {
    struct buf buf;
    buf_init(&buf, 1 << 16);
    for (size_t i = 0; i < csv->n_rows * csv->n_columns; i++) {
        const struct csv_field *field = &csv->fields[i];
        if (i > 0) buf_add_byte(&buf, i % csv->n_columns == 0 ? ';' : '|');
        if (field->is_quoted) buf_add_byte(&buf, '(');
        buf_add(&buf, field->text);
        if (field->is_quoted) buf_add_byte(&buf, ')');
    }
    const char *text = str_cstr(&arena, buf_flat(&buf, &arena));
    buf_deinit(&buf);
    return text;
}

static void what_is_read(void **state) {
    (void)state;
    static const struct {
        const char *text, *drawing;
        size_t n_rows, n_columns;
    } rows[] = {
        {"", "", 0, 0},
        {"\xef\xbb\xbf", "", 0, 0},
        {"\n", "", 1, 1},
        {"a", "a", 1, 1},
        {"a,b\r\nc,d\r\n", "a|b;c|d", 2, 2},
        {"a,b\nc,d", "a|b;c|d", 2, 2},
        {"\xef\xbb\xbf"
         "a,b\n",
         "a|b", 1, 2},
        {",\n,", "|;|", 2, 2},
        {"\"a\",\"\",\n", "(a)|()|", 1, 3},
        {"\"a,b\"\"c\"\"\r\nd\",e\n", "(a,b\"c\"\r\nd)|e", 1, 2},
        {"\"\"\"\"\n", "(\")", 1, 1},
        {" a , b \n", " a | b ", 1, 2},
        {"中,文\n", "中|文", 1, 2},
        {"a\n\n", "a;", 2, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct csv csv;
        struct report report = {0};
        assert_int_equal(csv_read(str_of(rows[i].text), NULL, &arena, &csv, &report).why,
                         FAIL_NONE);
        assert_string_equal(drawn(&csv), rows[i].drawing);
        assert_int_equal(csv.n_rows, rows[i].n_rows);
        assert_int_equal(csv.n_columns, rows[i].n_columns);
    }
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *sentence;
        size_t offset;
    } rows[] = {
        {"a,b\nc\n", "invalid CSV in line 2: it has fewer fields than the first one", 5},
        {"a\nb,c\n", "invalid CSV in line 2: it has more fields than the first one", 4},
        {"a,\"b", "invalid CSV in line 1: a quoted field does not end", 2},
        {"\"a\nb\nc", "invalid CSV in line 1: a quoted field does not end", 0},
        {"\"a\"b", "invalid CSV in line 1: something stands behind a closing quote", 3},
        {"\"a\nb\" \n", "invalid CSV in line 2: something stands behind a closing quote", 5},
        {"a\"b\"", "invalid CSV in line 1: a quote stands inside an unquoted field", 1},
        {"a\rb\n", "invalid CSV in line 1: a carriage return stands alone", 1},
        {"a\r", "invalid CSV in line 1: a carriage return stands alone", 1},
        {"a,\xff\n", "invalid CSV in line 1: the text is not UTF-8", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct csv csv;
        struct report report = {0};
        assert_int_equal(csv_read(str_of(rows[i].text), NULL, &arena, &csv, &report).why,
                         FAIL_CONFIG);
        assert_string_equal(report.code, "CONFIG_INVALID");
        assert_string_equal(report.sentence, rows[i].sentence);
        assert_int_equal(report.offset, rows[i].offset);
    }
}

static void each_limit_holds(void **state) {
    (void)state;
    static const struct {
        struct csv_limits limits;
        enum fail why;
    } rows[] = {
        {{.bytes = 8, .rows = 2, .columns = 2}, FAIL_NONE},
        {{.bytes = 7}, FAIL_CONFIG},
        {{.rows = 1}, FAIL_CONFIG},
        {{.columns = 1}, FAIL_CONFIG},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct csv csv;
        struct report report = {0};
        result r = csv_read(STR("a,b\nc,d\n"), &rows[i].limits, &arena, &csv, &report);
        assert_int_equal(r.why, rows[i].why);
        if (rows[i].why != FAIL_NONE) assert_string_equal(report.code, "CONFIG_INVALID");
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    long n = 0;
    for (;; n++) {
        struct arena small;
        struct csv csv;
        struct report report = {0};
        arena_init(&small, 1 << 16);
        fault_set(n);
        result r =
            csv_read(STR("a,\"b\"\"\"\nc,d\ne,f\n\"\"\"g\",h\n"), NULL, &small, &csv, &report);
        bool unused = fault_unused();
        fault_off();
        arena_deinit(&small);
        assert_int_equal(r.why, unused ? FAIL_NONE : FAIL_MEMORY);
        assert_int_equal(report.why, r.why);
        if (unused) break;
    }
    assert_true(n >= 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(each_limit_holds),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
