/* One more token in a file that people write by hand: what was there stays as it is. */
#include "admin/token_file.h"

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

#define HASH "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ROW  "\"" HASH "\": {user_id: \"ann\", roles: [mcp_admin]}"

static struct arena arena;
static struct report report;
static const struct token_row row = {STR_INIT(HASH), STR_INIT("ann"), STR_INIT("mcp_admin")};

static int setup(void **with) {
    (void)with;
    arena_init(&arena, 1 << 22);
    report_clear(&report);
    return 0;
}

static int teardown(void **with) {
    (void)with;
    arena_deinit(&arena);
    return 0;
}

static void test_splices(void **with) {
    (void)with;
    static const char *const rows[][2] = {
        {"", "tokens:\n  " ROW "\n"},
        {"# nothing yet\n", "# nothing yet\ntokens:\n  " ROW "\n"},
        {"x-note: 1", "x-note: 1\ntokens:\n  " ROW "\n"},
        {"tokens: {}\n", "tokens: \n  " ROW "\n"},
        {"tokens: {a: {user_id: u}}\n", "tokens: {" ROW ", a: {user_id: u}}\n"},
        {"tokens:\n  # the first\n  a: {user_id: u}  # old\n",
         "tokens:\n  # the first\n  " ROW "\n  a: {user_id: u}  # old\n"},
        {"tokens:\n      a:\n        user_id: u\n        roles:\n          - r\n# end\n",
         "tokens:\n      " ROW
         "\n      a:\n        user_id: u\n        roles:\n          - r\n# end\n"},
        {"tokens:\n  'a b': {user_id: u}\nx-more: [1, 2]\n",
         "tokens:\n  " ROW "\n  'a b': {user_id: u}\nx-more: [1, 2]\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str out;
        result r = token_file_splice(str_of(rows[i][0]), STR("f"), &row, &arena, &out, &report);
        if (r.why != FAIL_NONE) print_error("%s: %s\n", rows[i][0], report.sentence);
        assert_int_equal(r.why, FAIL_NONE);
        assert_string_equal(str_cstr(&arena, out), rows[i][1]);
        assert_true(token_file_has_role(out, STR("mcp_admin"), &arena));
        assert_false(token_file_has_role(str_of(rows[i][0]), STR("mcp_admin"), &arena));
    }
}

/* What cannot be understood is left alone, and never half written. */
static void test_refused(void **with) {
    (void)with;
    static const char *const bad[] = {"[]\n",
                                      "tokens: [a]\n",
                                      "tokens: text\n",
                                      "{x-a: 1}\n",
                                      "tokens: {a: {user_id: u}\n",
                                      "\"tokens\": {\"" HASH "\": {user_id: u}}\n",
                                      "tokens:\n- a\n",
                                      "a: &x 1\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str out = STR_NONE;
        report_clear(&report);
        result r = token_file_splice(str_of(bad[i]), STR("f"), &row, &arena, &out, &report);
        if (r.why != FAIL_CONFIG) print_error("%s\n", bad[i]);
        assert_int_equal(r.why, FAIL_CONFIG);
    }
}

static void test_names_are_quoted(void **with) {
    (void)with;
    static const struct str names[] = {STR_INIT("王芳"), STR_INIT("a\"b\\c: {d}"), STR_INIT("- x"),
                                       STR_INIT("a@b.example.com"), STR_INIT("#no")};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct token_row other = {row.hash, names[i], row.role};
        struct str out; /* the splice reads it back, and would refuse another name */
        result r = token_file_splice(STR(""), STR("f"), &other, &arena, &out, &report);
        assert_int_equal(r.why, FAIL_NONE);
    }
}

static void test_files(void **with) {
    (void)with;
    char dir[] = "/dev/shm/token-file-XXXXXX", path[64], link[64];
    struct str text;
    struct stat st;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/auth.local.yaml", dir);
    snprintf(link, sizeof link, "%s/link.yaml", dir);
    assert_int_equal(token_file_read(path, &arena, &text, &report).why, FAIL_NONE);
    assert_int_equal(text.len, 0);
    assert_int_equal(token_file_write(path, STR("one\n"), &report).why, FAIL_NONE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink("auth.local.yaml", link), 0);
    assert_int_equal(token_file_write(link, STR("two\n"), &report).why, FAIL_NONE);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(token_file_read(path, &arena, &text, &report).why, FAIL_NONE);
    assert_true(str_eq(text, STR("two\n")));
    fault_set(0); /* the write fails: the file is as it was, and nothing lies beside it */
    assert_int_equal(token_file_write(path, STR("three\n"), &report).why, FAIL_IO);
    fault_off();
    assert_int_equal(token_file_read(path, &arena, &text, &report).why, FAIL_NONE);
    assert_true(str_eq(text, STR("two\n")));
    unlink(link);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(token_file_write(path, STR("x"), &report).why, FAIL_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_splices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_are_quoted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
