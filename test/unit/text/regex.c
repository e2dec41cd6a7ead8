/* Patterns, what they find, and what is refused; a random comparison with POSIX where both agree on
 * the language; patterns that other engines die of. */
#include "text/regex.h"

#include "base/fault.h"
#include "base/limits.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct report report;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 24);
    report_clear(&report);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static const struct regex *read(const char *pattern) {
    const struct regex *regex = NULL;
    report_clear(&report);
    result r = regex_read(str_of(pattern), &arena, &regex, &report);
    if (r.why != FAIL_NONE) fprintf(stderr, "%s: %s\n", pattern, report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
    return regex;
}

static void texts_are_found(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *yes, *no; /* texts, separated by '|' ("" is an empty one) */
    } rows[] = {
        {"", "|a", NULL},
        {"b", "abc|b", "|ac"},
        {"^b", "b|bc", "ab|"},
        {"b$", "b|ab", "bc|"},
        {"^$", "", "a| "},
        {"\\Ab\\z", "b", "bb"},
        {"a.c", "abc|a客c", "ac|a\nc"},
        {"(?s)a.c", "a\nc", "ac"},
        {"^[a-c]+$", "abc|a", "abd|"},
        {"^[^a-c]+$", "xyz|客", "xaz"},
        {"^[]a]+$", "]a", "b"},
        {"^[a-]+$", "a-a", "b"},
        {"^[\\d_]+$", "12_3", "a"},
        {"^[^\\d]$", "a", "1"},
        {"^[\\D]$", "a|客", "1"},
        {"^\\w+\\s\\S$", "ab x|a_1\tx", "ab  "},
        {"^\\W$", "-|客", "a"},
        {"\\bcat\\b", "cat|a cat.|cat-x", "cats|concat|"},
        {"a\\Bb", "ab", "a b"},
        {"^(ab|cd)*$", "|ab|abcd", "abc"},
        {"^(?:a|b){2,3}$", "ab|aba", "a|abab"},
        {"^a{2}$", "aa", "a|aaa"},
        {"^a{2,}$", "aa|aaaa", "a"},
        {"^a{0}$", "", "a"},
        {"a{x", "a{x", "ax"},
        {"a{,2}", "a{,2}", "aa"},
        {"^a+?b??$", "a|aab", "b"},
        {"^(?i)drop$", "DROP|drop|DrOp", "dropp"},
        {"^(?i:a)b$", "Ab|ab", "AB"},
        {"^(a(?i)b)c$", "aBc|abc", "aBC|ABc"},
        {"^(?i)[^a]$", "b", "a|A"},
        {"^(?P<n>a)(?<m>b)$", "ab", "a"},
        {"^\\x41\\x{5ba2}\\.$", "A客.", "Ax."},
        {"^a\\|b$", NULL, "ab"},
        {"^(a*)*$", "|aaaa", "b"},
        {"^(|a)+b$", "b|aab", "a"},
        {"^(a|b|)c", "c|ac|bc", "dc"},
        {"^((((a))))$", "a", "b"},
        {"(^a|b$)", "ax|xb", "xa|bx"},
        {"a$b", NULL, "ab|a"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct regex *regex = read(rows[i].pattern);
        for (int is_yes = 0; is_yes < 2; is_yes++) {
            struct str rest = str_of(is_yes ? rows[i].yes : rows[i].no);
            while (rest.ptr != NULL) {
                struct str text = str_cut(&rest, '|');
                enum regex_found found = regex_search(regex, text);
                if (found != (is_yes ? REGEX_YES : REGEX_NO))
                    fail_msg("'%s' in '" STR_FMT "' is %d", rows[i].pattern, STR_ARG(text), found);
            }
        }
    }
}

static void what_is_not_known_is_refused(void **state) {
    (void)state;
    static const char *const patterns[] = {
        "(",
        ")",
        "a)",
        "[a",
        "[",
        "[z-a]",
        "*a",
        "a|*",
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        "(?<!a)b",
        "\\1",
        "\\p{L}",
        "\\",
        "[\\",
        "\\xg",
        "\\x{110000}",
        "\\x{}",
        "(?x)a",
        "(?m)^a",
        "a{1001}",
        "a{3,2}",
        "(?P<n",
        "[[:alpha:]]",
        "[a-\\d]",
        "\\Qa\\E",
        "a{2}{1000}{1000}",
        "(){1000}{1000}{1000}",
        "(((a{50}){50}){50})",
        "\xff",
    };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        const struct regex *regex = NULL;
        report_clear(&report);
        result r = regex_read(str_of(patterns[i]), &arena, &regex, &report);
        if (r.why != FAIL_CONFIG) fail_msg("'%s' was taken", patterns[i]);
        assert_true(report.sentence[0] != '\0' && regex == NULL);
        assert_true(report.offset <= strlen(patterns[i]));
    }
    char deep[2 * REGEX_DEPTH_MAX + 3];
    memset(deep, '(', REGEX_DEPTH_MAX + 1);
    memset(deep + REGEX_DEPTH_MAX + 1, ')', REGEX_DEPTH_MAX + 1);
    const struct regex *regex = NULL;
    struct str nested = {deep, 2 * REGEX_DEPTH_MAX + 2};
    assert_int_equal(regex_read(nested, &arena, &regex, NULL).why, FAIL_CONFIG);
    nested = str_slice(nested, 1, nested.len - 1);
    assert_int_equal(regex_read(nested, &arena, &regex, NULL).why, FAIL_NONE);
    static char large[REGEX_BYTES_MAX + 2];
    memset(large, 'a', REGEX_BYTES_MAX + 1);
    assert_int_equal(regex_read(str_of(large), &arena, &regex, NULL).why, FAIL_CONFIG);
    struct str as = {large, REGEX_PARTS_MAX}; /* and one part for the end */
    assert_int_equal(regex_read(as, &arena, &regex, NULL).why, FAIL_CONFIG);
    as.len--;
    assert_int_equal(regex_read(as, &arena, &regex, NULL).why, FAIL_NONE);
}

/* Backtracking takes 2^n steps here; these take n * parts, and too long a text is given up. */
static void no_pattern_blows_up(void **state) {
    (void)state;
    static char text[1 << 20];
    memset(text, 'a', sizeof text);
    assert_int_equal(regex_search(read("^(a+)+$"), (struct str){text, 50000}), REGEX_YES);
    text[49999] = 'b';
    assert_int_equal(regex_search(read("^(a+)+$"), (struct str){text, 50000}), REGEX_NO);
    assert_int_equal(regex_search(read("^(a|a)*$"), (struct str){text, 50000}), REGEX_NO);
    assert_int_equal(regex_search(read("(x+x+)+y"), (struct str){text, 50000}), REGEX_NO);
    assert_int_equal(regex_search(read("(a?){300}a{300}z"), (struct str){text, sizeof text}),
                     REGEX_GIVEN_UP);
    assert_int_equal(regex_search(read("z"), STR("a\xff")), REGEX_GIVEN_UP);
}

/* -- against another one ---------------------------------------------------------------------- */

static uint32_t seed;

static unsigned draw(unsigned n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

enum { GROUPS = 2 };

static void write_pattern(char *out, size_t *n, size_t max, unsigned depth) {
    static const char *const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "^", "$"};
    static const char *const repeats[] = {"", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}"};
    unsigned parts = 1 + draw(3);
    for (unsigned i = 0; i < parts && *n + 24 < max; i++) {
        bool is_group = depth > 0 && draw(3) == 0;
        /* glibc takes (a$){2} for a$: places stand outside of groups only */
        unsigned atom = draw(depth == GROUPS ? COUNT(atoms) : COUNT(atoms) - 2);
        if (is_group) {
            out[(*n)++] = '(';
            write_pattern(out, n, max - 8, depth - 1);
            out[(*n)++] = ')';
        } else {
            *n += (size_t)snprintf(out + *n, max - *n, "%s", atoms[atom]);
        }
        bool is_place = !is_group && atom >= 6;
        if (!is_place)
            *n += (size_t)snprintf(out + *n, max - *n, "%s", repeats[draw(COUNT(repeats))]);
        if (i + 1 < parts && draw(4) == 0) out[(*n)++] = '|';
    }
    out[*n] = '\0';
}

static void it_agrees_with_posix(void **state) {
    (void)state;
    uint32_t first = seed = 20261120;
    unsigned compared = 0, found = 0;
    for (int i = 0; i < 4000; i++) {
        char pattern[160], text[12];
        size_t n = 0, len = draw(10);
        write_pattern(pattern, &n, sizeof pattern, GROUPS);
        for (size_t k = 0; k < len; k++) text[k] = (char)('a' + draw(3));
        text[len] = '\0';
        regex_t posix;
        if (regcomp(&posix, pattern, REG_EXTENDED | REG_NOSUB) != 0) continue;
        bool is_there = regexec(&posix, text, 0, NULL, 0) == 0;
        regfree(&posix);
        enum regex_found ours = regex_search(read(pattern), str_of(text));
        if (ours != (is_there ? REGEX_YES : REGEX_NO))
            fail_msg("seed %u, %d: '%s' in '%s': POSIX %d, we %d", first, i, pattern, text,
                     is_there, ours);
        compared++;
        found += is_there;
        arena_reset(&arena);
    }
    assert_true(compared > 3000 && found > 500 && found < compared - 500);
}

static void without_memory_nothing_is_read(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        const struct regex *regex = NULL;
        arena_deinit(&arena);
        arena_init(&arena, 1 << 20);
        fault_set(n);
        result r = regex_read(STR("^(?i)(a|[b-d]){2,3}\\w$"), &arena, &regex, &report);
        bool is_done = fault_unused();
        fault_off();
        assert_int_equal(r.why, is_done ? FAIL_NONE : FAIL_MEMORY);
        if (is_done) break;
        assert_null(regex);
    }
    size_t budget = 16;
    for (result r = {FAIL_MEMORY}; r.why != FAIL_NONE; budget += 64) {
        const struct regex *regex = NULL;
        arena_deinit(&arena);
        arena_init(&arena, budget);
        r = regex_read(STR("^(?i)(a|[b-d]){2,3}\\w$"), &arena, &regex, NULL);
        assert_true(r.why == FAIL_NONE || (r.why == FAIL_MEMORY && regex == NULL));
    }
    assert_true(budget > 1000);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(texts_are_found),      CASE(what_is_not_known_is_refused),   CASE(no_pattern_blows_up),
        CASE(it_agrees_with_posix), CASE(without_memory_nothing_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
