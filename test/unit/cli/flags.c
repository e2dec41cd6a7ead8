/* The command line: flags wherever they stand, nothing guessed. */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct str text;
static bool is_on;
static struct flag_list list;

static const struct flag flags[] = {
    {"text", "T", &text, NULL, NULL, "a text"},
    {"on", NULL, NULL, &is_on, NULL, "a switch"},
    {"each", "E", NULL, NULL, &list, "may be repeated"},
    {0},
};

/* What is told goes to standard error: not into the test's output. */
static int quiet_from;

static int setup(void **state) {
    (void)state;
    quiet_from = dup(2);
    assert_non_null(freopen("/dev/null", "w", stderr));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fflush(stderr);
    dup2(quiet_from, 2);
    close(quiet_from);
    return 0;
}

static const struct {
    const char *words; /* separated by blanks */
    bool ok;
    const char *rest, *text, *each;
    bool is_on;
} lines[] = {
    {"", true, "", "", "", false},
    {"a b", true, "a,b", "", "", false},
    {"--text x a", true, "a", "x", "", false},
    {"a --text=x", true, "a", "x", "", false},
    {"--text=", true, "", "", "", false},
    {"--text=a=b", true, "", "a=b", "", false},
    {"--text --on", true, "", "--on", "", false}, /* a value may look like a flag */
    {"--text x --text y", true, "", "y", "", false},
    {"--on", true, "", "", "", true},
    {"--on a", true, "a", "", "", true},
    {"--on=no", false, NULL, NULL, NULL, false},
    {"--on=", false, NULL, NULL, NULL, false},
    {"--each a --each=b", true, "", "", "a,b", false},
    {"-- --on --text", true, "--on,--text", "", "", false},
    {"a -- b", true, "a,b", "", "", false},
    {"-- --", true, "--", "", "", false},
    {"-o", true, "-o", "", "", false}, /* no short flags: a word */
    {"-", true, "-", "", "", false},
    {"--text", false, NULL, NULL, NULL, false},
    {"--each", false, NULL, NULL, NULL, false},
    {"--nope", false, NULL, NULL, NULL, false},
    {"--tex x", false, NULL, NULL, NULL, false},
    {"--=x", false, NULL, NULL, NULL, false},
    {"--ON", false, NULL, NULL, NULL, false},
};

static void check_joined(const struct str *items, size_t n, const char *joined) {
    struct str rest = str_of(joined);
    for (size_t i = 0; i < n; i++) assert_true(str_eq(str_cut(&rest, ','), items[i]));
    assert_int_equal(rest.len, 0);
}

static void reads_every_line(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        char *argv[16];
        int argc = 0;
        struct arena arena;
        struct str rest[16];
        size_t n = 99;
        text = STR_NONE;
        is_on = false;
        list.n = 0;
        arena_init(&arena, 4096);
        for (struct str words = str_of(lines[i].words); words.len > 0;)
            argv[argc++] = (char *)(uintptr_t)str_cstr(&arena, str_cut(&words, ' '));
        print_message("%s\n", lines[i].words);
        assert_true(flags_read(flags, argc, argv, rest, COUNT(rest), &n) == lines[i].ok);
        if (lines[i].ok) {
            check_joined(rest, n, lines[i].rest);
            check_joined(list.items, list.n, lines[i].each);
            assert_true(str_eq(text, str_of(lines[i].text)));
            assert_true(is_on == lines[i].is_on);
        }
        arena_deinit(&arena);
    }
}

static void takes_only_so_many(void **state) {
    (void)state;
    enum { MANY = COUNT(list.items) + 1 };
    char word[] = "--each=x", *argv[MANY];
    struct str rest[MANY];
    size_t n;
    for (size_t i = 0; i < MANY; i++) argv[i] = word;
    list.n = 0;
    assert_true(flags_read(flags, MANY - 1, argv, rest, COUNT(rest), &n));
    list.n = 0;
    assert_false(flags_read(flags, MANY, argv, rest, COUNT(rest), &n));
    char free_word[] = "x";
    for (size_t i = 0; i < MANY; i++) argv[i] = free_word;
    assert_true(flags_read(flags, MANY, argv, rest, MANY, &n));
    assert_int_equal(n, MANY);
    assert_false(flags_read(flags, MANY, argv, rest, MANY - 1, &n));
}

static void knows_the_commands(void **state) {
    (void)state;
    char weir[] = "weir", nope[] = "nope", version[] = "version", more[] = "more", *argv[4];
    argv[0] = weir;
    assert_int_equal(command_main(1, argv), EXIT_USAGE);
    argv[1] = nope;
    assert_int_equal(command_main(2, argv), EXIT_USAGE);
    argv[1] = version;
    argv[2] = more;
    assert_int_equal(command_main(3, argv), EXIT_USAGE);
    for (const struct command *const *c = commands; *c != NULL; c++) {
        assert_non_null((*c)->run);
        assert_true((*c)->summary[0] != '\0');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_every_line, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_only_so_many, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_the_commands, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
