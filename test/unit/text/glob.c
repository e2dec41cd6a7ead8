#include "text/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void matching(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool is_match;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything.at/all", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"?", "中", true},
        {"??", "中", false},
        {"run_*", "run_select_sql", true},
        {"run_*", "Run_select_sql", false},
        {"*_sql", "run_select_sql", true},
        {"*_sql", "run_select_sql2", false},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"a*b*c", "abbbcbc", true},
        {"a*b*c", "abbbcbd", false},
        {"a**b", "ab", true},
        {"*?", "", false},
        {"*?", "中", true},
        {"a?c*", "abc", true},
        {"a.c", "abc", false},
        {"[a]", "a", false},
        {"[a]", "[a]", true},
        {"\\*", "*", false},
        {"*中?文*", "x中x文x", true},
        {"?", "\xff", true}, /* bytes that are no UTF-8 count one each */
        {"a", "*", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(glob_match(str_of(rows[i].pattern), str_of(rows[i].name)),
                         rows[i].is_match);
    assert_true(glob_match(STR_NONE, STR_NONE));
    assert_true(glob_is_pattern(STR("a*")));
    assert_true(glob_is_pattern(STR("?")));
    assert_false(glob_is_pattern(STR("a.b")));
    assert_false(glob_is_pattern(STR_NONE));
}

/* Against the definition, on all short patterns over few letters. */
static bool by_definition(struct str p, struct str n) {
    if (p.len == 0) return n.len == 0;
    struct str rest = str_slice(p, 1, p.len);
    if (p.ptr[0] == '*') {
        for (size_t i = 0; i <= n.len; i++)
            if (by_definition(rest, str_slice(n, i, n.len))) return true;
        return false;
    }
    if (n.len == 0 || (p.ptr[0] != '?' && p.ptr[0] != n.ptr[0])) return false;
    return by_definition(rest, str_slice(n, 1, n.len));
}

static struct str spell(char *out, const char *letters, size_t n_letters, size_t len,
                        size_t number) {
    for (size_t i = 0; i < len; i++, number /= n_letters) out[i] = letters[number % n_letters];
    return (struct str){out, len};
}

static void all_short_patterns(void **state) {
    (void)state;
    char pattern[8], name[8];
    for (size_t p = 0; p < 4 * 4 * 4 * 4 * 4; p++)
        for (size_t len = 0; len <= 6; len++)
            for (size_t n = 0; n < (size_t)1 << len; n++) {
                struct str a = spell(pattern, "*?ab", 4, 5, p), b = spell(name, "ab", 2, len, n);
                assert_int_equal(glob_match(a, b), by_definition(a, b));
            }
}

/* A pattern that takes a backtracking matcher longer than the universe lasts. */
static void many_stars_do_not_blow_up(void **state) {
    (void)state;
    static char pattern[201], name[5001];
    for (size_t i = 0; i < 200; i += 2) memcpy(pattern + i, "*a", 2);
    pattern[199] = 'b';
    memset(name, 'a', 5000);
    assert_false(glob_match(str_of(pattern), str_of(name)));
    name[4999] = 'b';
    assert_true(glob_match(str_of(pattern), str_of(name)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),
        cmocka_unit_test(all_short_patterns),
        cmocka_unit_test(many_stars_do_not_blow_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
