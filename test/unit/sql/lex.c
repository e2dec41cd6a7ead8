/* test/unit/sql/lex.c - tokens, their values, and what is none */
#include "sql/lex.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Tokens as letters: w word, q quoted, s string, d "string", n number, h hint, else the symbol. */
static char letter(const struct token *token) {
    static const char letters[] = {
        [TOKEN_BAD] = '#',         [TOKEN_END] = 0,
        [TOKEN_WORD] = 'w',        [TOKEN_QUOTED] = 'q',
        [TOKEN_STRING] = 's',      [TOKEN_DSTRING] = 'd',
        [TOKEN_NUMBER] = 'n',      [TOKEN_HINT] = 'h',
        [TOKEN_COMMA] = ',',       [TOKEN_SEMICOLON] = ';',
        [TOKEN_OPEN] = '(',        [TOKEN_CLOSE] = ')',
        [TOKEN_OPEN_SQUARE] = '[', [TOKEN_CLOSE_SQUARE] = ']',
        [TOKEN_OPEN_CURLY] = '{',  [TOKEN_CLOSE_CURLY] = '}',
        [TOKEN_DOT] = '.',         [TOKEN_COLON] = ':',
        [TOKEN_COLONS] = 'C',      [TOKEN_QUESTION] = '?',
        [TOKEN_AT] = '@',          [TOKEN_ARROW] = 'A',
        [TOKEN_PLUS] = '+',        [TOKEN_MINUS] = '-',
        [TOKEN_STAR] = '*',        [TOKEN_SLASH] = '/',
        [TOKEN_PERCENT] = '%',     [TOKEN_CARET] = '^',
        [TOKEN_AMPERSAND] = '&',   [TOKEN_BAR] = '|',
        [TOKEN_BARS] = 'B',        [TOKEN_TILDE] = '~',
        [TOKEN_BANG] = '!',        [TOKEN_EQ] = '=',
        [TOKEN_NULL_EQ] = 'E',     [TOKEN_NE] = 'N',
        [TOKEN_LT] = '<',          [TOKEN_LE] = 'l',
        [TOKEN_GT] = '>',          [TOKEN_GE] = 'g',
    };
    return letters[token->kind];
}

static void letters_of(struct str text, char *out, size_t max) {
    size_t n = 0;
    for (size_t at = 0; n + 1 < max;) {
        struct token token = sql_lex(text, at);
        assert_true(token.to >= token.from && token.from >= at && token.to <= text.len);
        out[n++] = letter(&token);
        if (token.kind == TOKEN_END || token.kind == TOKEN_BAD) break;
        assert_true(token.to > at);
        at = token.to;
    }
    out[n < max ? n : max - 1] = '\0';
}

static void tokens_are_what_the_reference_says(void **state) {
    (void)state;
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"", ""},
        {" \t\r\n", ""},
        {"SELECT a", "ww"},
        {"1phone 0x70 1e $$x$$ 手机号 Привет ελ", "wwwwwww"},
        {"1 007 1.5 1. 1e0 1E+5 1.e3 2.5e-7", "nnnnnnnn"},
        {"10L 10s 10Y 1.5BD 7bd", "nnnnn"},
        {"10M 5K 1e5x 10Lx", "wwww"},
        {"1.5F 1.5L 1e+5x 1.x", "nwnwnwnw"},
        {".5 t.1 t.5a", ".nw.nw.w"},
        {"1..2", "n.n"},
        {"'a' 'b\\'c' 'd''e' \"f\" \"g'h\"", "ssssdd"},
        {"'a\nb' `c\nd` `e``f` ``", "sqqq"},
        {"a--b\nc", "ww"},
        {"a--b\rc -- d", "ww"},
        {"a/* b */c/***/d/*/ */e", "wwww"},
        {"/*+ a */ /* + b */ /\n*\t+ c", "hw*/hw*/hw"},
        {"/ * a", "/*w"},
        {"a，b；（c）", "w,w;(w)"},
        {"= == <=> <> != < <= > >= ! !=", "==ENN<l>g!N"},
        {"+ - * / % ^ & | || ~ -> : :: ? @ [ ] { } .", "+-*/%^&|B~A:C?@[]{}."},
        {"a->b-> c - > d", "wAwAw->w"},
        {"a<-1", "w<-n"},
        {"a|||b", "wB|w"},
        {":::x", "C:w"},
        {"a#", "w#"},
        {"a ${b}", "w#"},
        {"a${b}", "w#"},
        {"$a$", "w"},
        {"'abc", "#"},
        {"'abc\\'", "#"},
        {"\"abc", "#"},
        {"`abc", "#"},
        {"`abc``", "#"},
        {"a /* b", "w#"},
        {"a /*", "w#"},
        {"a /*/", "w#"},
        {"a /* /* */ */", "w#"},
        {"a\xc2\xa0"
         "b",
         "w#"},
        {"a\xe3\x80\x80"
         "b",
         "w#"},
        {"a\xe2\x80\x8b", "w#"},
        {"\xef\xbb\xbf"
         "a",
         "#"},
        {"a\x0b", "w#"},
        {"a\x0c", "w#"},
        {"a\xff", "w#"},
        {"\\", "#"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char tokens[64];
        letters_of(str_of(cases[i].text), tokens, sizeof tokens);
        if (strcmp(tokens, cases[i].tokens) != 0) print_message("text: %s\n", cases[i].text);
        assert_string_equal(tokens, cases[i].tokens);
    }
}

static void values_are_decoded(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct str value;
    } cases[] = {
        {"'abc'", STR_INIT("abc")},
        {"''", STR_INIT("")},
        {"\"a'b\"", STR_INIT("a'b")},
        {"'a\\'b\\\"c'", STR_INIT("a'b\"c")},
        {"'\\b\\t\\n\\r\\Z'", STR_INIT("\b\t\n\r\x1a")},
        {"'\\0'", STR_INIT("\0")},
        {"'\\01'", STR_INIT("\0"
                            "1")},
        {"'\\101\\060\\177'", STR_INIT("A0\x7f")},
        {"'\\200'", STR_INIT("200")},
        {"'\\199'", STR_INIT("199")},
        {"'\\%\\_'", STR_INIT("\\%\\_")},
        {"'\\\\%'", STR_INIT("\\%")},
        {"'\\d\\;\\x\\u0041'", STR_INIT("d;xu0041")},
        {"'\\中'", STR_INIT("中")},
        {"`a``b`", STR_INIT("a`b")},
        {"`a\\b`", STR_INIT("a\\b")},
        {"````", STR_INIT("`")},
    };
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str value, text = str_of(cases[i].text);
        struct token token = sql_lex(text, 0);
        assert_int_equal(token.to, text.len);
        assert_int_equal(sql_lex_decode(text, &token, &arena, &value, NULL).why, FAIL_NONE);
        if (!str_eq(value, cases[i].value)) print_message("text: %s\n", cases[i].text);
        assert_true(str_eq(value, cases[i].value));
    }
    struct token token = sql_lex(STR("'a\\n'"), 0);
    struct str value;
    fault_set(0);
    struct arena fresh;
    arena_init(&fresh, 4096);
    assert_int_equal(sql_lex_decode(STR("'a\\n'"), &token, &fresh, &value, NULL).why, FAIL_MEMORY);
    fault_off();
    arena_deinit(&fresh);
    arena_deinit(&arena);
}

/* The table is searched by halves: every word must be found, in any case. */
static void every_word_is_found(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 65536);
    size_t n = 0;
    for (enum sql_word word = (enum sql_word)1; word <= WORD_ZORDER; word++, n++) {
        struct str text = str_of(sql_word_text(word));
        struct str lower = str_lower(&arena, text);
        assert_int_equal(sql_lex(text, 0).word, word);
        assert_int_equal(sql_lex(lower, 0).word, word);
        assert_int_equal(sql_lex(str_printf(&arena, "%sx", text.ptr), 0).word, WORD_UNKNOWN);
        assert_int_equal(sql_lex(str_printf(&arena, "`%s`", text.ptr), 0).word, WORD_UNKNOWN);
    }
    assert_true(n > 150);
    arena_deinit(&arena);
}

static void twenty_five_words_are_reserved(void **state) {
    (void)state;
    size_t n = 0;
    for (enum sql_word word = WORD_UNKNOWN; word <= WORD_ZORDER; word++) {
        n += sql_word_is_reserved(word);
        if (sql_word_is_reserved(word)) assert_true(sql_word_is_no_alias(word));
    }
    assert_int_equal(n, 25);
    assert_true(sql_word_is_reserved(WORD_VARCHAR) && sql_word_is_reserved(WORD_PRESERVE));
    assert_false(sql_word_is_reserved(WORD_UNKNOWN) || sql_word_is_reserved(WORD_ORDER));
    assert_true(sql_word_is_no_alias(WORD_LEFT));
    assert_false(sql_word_is_no_alias(WORD_SEMI) || sql_word_is_no_alias(WORD_LIMIT));
}

static void bad_bytes_are_refused_at_their_place(void **state) {
    (void)state;
    struct report report = {0};
    assert_int_equal(sql_lex_check(STR("a\0b"), &report).why, FAIL_INPUT);
    assert_int_equal(report.offset, 1);
    report_clear(&report);
    assert_int_equal(sql_lex_check(STR("ab\xc0\xaf"), &report).why, FAIL_INPUT);
    assert_int_equal(report.offset, 2);
    report_clear(&report);
    assert_int_equal(sql_lex_check(STR("ab\xed\xa0\x80"), &report).why, FAIL_INPUT);
    assert_int_equal(sql_lex_check(STR("äöü 手机号"), NULL).why, FAIL_NONE);
    assert_int_equal(sql_lex_check(STR_NONE, NULL).why, FAIL_NONE);
}

static void hints_end_where_star_and_slash_meet(void **state) {
    (void)state;
    assert_int_equal(sql_lex_hint_end(STR("*/"), 0), 2);
    assert_int_equal(sql_lex_hint_end(STR(" * /x"), 0), 4);
    assert_int_equal(sql_lex_hint_end(STR("*"), 0), 0);
    assert_int_equal(sql_lex_hint_end(STR("*a/"), 0), 0);
    assert_int_equal(sql_lex_hint_end(STR(""), 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_what_the_reference_says),
        cmocka_unit_test(values_are_decoded),
        cmocka_unit_test(every_word_is_found),
        cmocka_unit_test(twenty_five_words_are_reserved),
        cmocka_unit_test(bad_bytes_are_refused_at_their_place),
        cmocka_unit_test(hints_end_where_star_and_slash_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
