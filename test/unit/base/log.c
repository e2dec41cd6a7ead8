#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static int kept_stderr, pipe_end;
static char line[8192];

/* Standard error goes into a pipe, for as long as one line is written. */
static void begin_capture(void) {
    int ends[2];
    fflush(stderr);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    kept_stderr = dup(STDERR_FILENO);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    pipe_end = ends[0];
}

static struct str end_capture(void) {
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    ssize_t n = read(pipe_end, line, sizeof line);
    close(pipe_end);
    return (struct str){line, n < 0 ? 0 : (size_t)n};
}

static void a_line_is_one_object(void **state) {
    (void)state;
    begin_capture();
    errno = 7;
    log_line(LOG_WARN, "worker_lost", STR("c-1"), "said \"%s\"\n\t\\ \x01 \xff 中", "x");
    assert_int_equal(errno, 7);
    struct str got = end_capture();
    assert_true(str_starts(got, STR("{\"time\":\"20")));
    size_t at = str_find(got, STR("Z\",\"level\""));
    assert_true(str_eq(str_slice(got, at, got.len),
                       STR("Z\",\"level\":\"warn\",\"event\":\"worker_lost\",\"call\":\"c-1\","
                           "\"text\":\"said \\\"x\\\"\\u000a\\u0009\\\\ \\u0001 \\ufffd 中\"}\n")));
}

static void a_call_may_be_absent(void **state) {
    (void)state;
    begin_capture();
    log_line(LOG_ERROR, "started", STR_NONE, "x");
    struct str got = end_capture();
    assert_int_equal(str_find(got, STR("\"call\"")), got.len);
    assert_true(str_ends(got, STR("\"text\":\"x\"}\n")));
}

static void the_threshold_holds(void **state) {
    (void)state;
    begin_capture();
    log_line(LOG_DEBUG, "quiet", STR_NONE, "x");
    log_threshold(LOG_OFF);
    log_line(LOG_ERROR, "quiet", STR_NONE, "x");
    log_line(LOG_OFF, "quiet", STR_NONE, "x");
    log_threshold(LOG_INFO);
    log_line(LOG_OFF, "quiet", STR_NONE, "x");
    assert_int_equal(end_capture().len, 0);
    begin_capture();
    log_threshold(LOG_DEBUG);
    log_line(LOG_DEBUG, "loud", STR_NONE, "x");
    log_threshold(LOG_INFO);
    assert_true(end_capture().len > 0);
}

/* However long and whatever it is made of: one line, whole, below what a pipe takes in one piece.
 */
static void long_texts_are_cut(void **state) {
    (void)state;
    static char text[20000];
    static const char *const fillings[] = {"x", "\"", "\x01", "\xff", "中"};
    for (size_t i = 0; i < COUNT(fillings); i++) {
        size_t n = strlen(fillings[i]), len = 0;
        for (; len + n < sizeof text; len += n) memcpy(text + len, fillings[i], n);
        text[len] = '\0';
        begin_capture();
        log_line(LOG_ERROR, text, str_of(text), "%s", text);
        struct str got = end_capture();
        assert_true(got.len > 3000 && got.len <= 4096);
        assert_true(utf8_valid(got));
        assert_true(str_ends(got, STR("…\"}\n")));
        assert_int_equal(str_find_byte(got, '\n'), got.len - 1);
    }
}

static void level_names(void **state) {
    (void)state;
    enum log_level level;
    assert_true(log_level_of(STR("debug"), &level) && level == LOG_DEBUG);
    assert_true(log_level_of(STR("WARN"), &level) && level == LOG_WARN);
    assert_true(log_level_of(STR("off"), &level) && level == LOG_OFF);
    assert_false(log_level_of(STR("verbose"), &level));
    assert_false(log_level_of(STR_NONE, &level));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_object), cmocka_unit_test(a_call_may_be_absent),
        cmocka_unit_test(the_threshold_holds),  cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
