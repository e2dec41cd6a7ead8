/* .env and .env.local: names that are not set already, as such files are written elsewhere. */
#include "house/config.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], back[4096];

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "%s", "environment-test-XXXXXX");
    assert_non_null(getcwd(back, sizeof back));
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    unsetenv("WEIR_T");
    unsetenv("WEIR_U");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(".env");
    unlink(".env.local");
    rmdir(".env");
    assert_int_equal(chdir(back), 0);
    rmdir(dir);
    return 0;
}

static void put(const char *name, const char *text) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void load(void) {
    struct report report = {0};
    assert_int_equal(config_environment(&report).why, FAIL_NONE);
    assert_string_equal(report.sentence, "");
}

static void needs_no_file(void **state) {
    (void)state;
    load();
    assert_null(getenv("WEIR_T"));
}

static const struct {
    const char *line, *value; /* NULL: not set */
} lines[] = {
    {"WEIR_T=1", "1"},
    {"WEIR_T=1\n", "1"},
    {"\n\n  WEIR_T = a b \r\n", "a b"},
    {"export WEIR_T=1", "1"},
    {"WEIR_T=", ""},
    {"WEIR_T=a=b", "a=b"},
    {"# WEIR_T=1", NULL},
    {"WEIR_T=\"a b\"", "a b"},
    {"WEIR_T='a b'", "a b"},
    {"WEIR_T=\"\"", ""},
    {"WEIR_T=a # a comment", "a"},
    {"WEIR_T=a#b", "a#b"},
    {"WEIR_T=\"a # b\" # a comment", "a # b"},
    {"WEIR_T='a # b'", "a # b"},
    {"WEIR_T=\"a\\\"b\\\\c\\nd\"", "a\"b\\c\nd"},
    {"WEIR_T='a\\nb'", "a\\nb"},
    {"WEIR_T=a\\nb", "a\\nb"},
    {"WEIR_T=\"a", "\"a"},
    {"WEIR_T=\"", "\""},
    {"WEIR_T=\"a\\", "\"a\\"},
    {"WEIR_T=华南", "华南"},
    {"WEIR_T=first\nWEIR_T=second", "first"},
};

static void reads_every_form(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        unsetenv("WEIR_T");
        put(".env", lines[i].line);
        print_message("%s\n", lines[i].line);
        load();
        if (lines[i].value == NULL)
            assert_null(getenv("WEIR_T"));
        else
            assert_string_equal(getenv("WEIR_T"), lines[i].value);
    }
}

static void keeps_what_is_set(void **state) {
    (void)state;
    put(".env", "WEIR_T=file\nWEIR_U=file");
    put(".env.local", "WEIR_U=local");
    setenv("WEIR_T", "outside", 1);
    load();
    assert_string_equal(getenv("WEIR_T"), "outside");
    assert_string_equal(getenv("WEIR_U"), "local");
}

static const struct {
    const char *text, *said;
} bad[] = {
    {"WEIR_T", ".env:1: a line of the form NAME=value is expected"},
    {"WEIR_T=1\n\n=2", ".env:3: a line of the form NAME=value is expected"},
    {"1T=2", ".env:1: a line of the form NAME=value is expected"},
    {"WEIR-T=2", ".env:1: a line of the form NAME=value is expected"},
    {"{\"json\": 1}", ".env:1: a line of the form NAME=value is expected"},
};

static void tells_the_line_that_is_none(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct report report = {0};
        put(".env", bad[i].text);
        assert_int_equal(config_environment(&report).why, FAIL_CONFIG);
        assert_string_equal(report.sentence, bad[i].said);
        assert_string_equal(report.code, "CONFIG_INVALID");
    }
}

static void refuses_what_is_no_file(void **state) {
    (void)state;
    struct report report = {0};
    unlink(".env");
    assert_int_equal(mkdir(".env", 0700), 0);
    assert_int_equal(config_environment(&report).why, FAIL_IO);
    assert_non_null(strstr(report.sentence, ".env"));
}

static void survives_any_fault(void **state) {
    (void)state;
    put(".env.local", "WEIR_T=1");
    put(".env", "WEIR_U=\"2\"");
    for (long n = 0;; n++) {
        struct report report = {0};
        unsetenv("WEIR_T");
        unsetenv("WEIR_U");
        fault_set(n);
        result r = config_environment(&report);
        bool was_reached = !fault_unused();
        fault_off();
        if (!was_reached) break;
        assert_true(r.why == FAIL_MEMORY || r.why == FAIL_IO);
    }
    assert_string_equal(getenv("WEIR_U"), "2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(needs_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_every_form, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_what_is_set, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_the_line_that_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_fault, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
