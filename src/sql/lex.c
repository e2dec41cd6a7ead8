#include "sql/lex.h"

enum word_kind { SOFT = 0, NO_ALIAS, RESERVED };

struct word_row {
    const char *text;
    uint64_t key; /* the first eight letters, the first one highest: words are sorted by it */
    enum word_kind kind;
};

#define LETTER(text, i)                                                                            \
    ((uint64_t)(sizeof(text) > (i) ? (unsigned char)(text)[sizeof(text) > (i) ? (i) : 0] : 0)      \
     << (56 - 8 * (i)))
#define KEY(text)                                                                                  \
    (LETTER(text, 0) | LETTER(text, 1) | LETTER(text, 2) | LETTER(text, 3) | LETTER(text, 4) |     \
     LETTER(text, 5) | LETTER(text, 6) | LETTER(text, 7))

static const struct word_row words[] = {
    {"", 0, SOFT},
#define WORD(name, kind) {#name, KEY(#name), kind},
#include "sql/words.def"
#undef WORD
};

enum { KEY_LETTERS = 8, WORD_TEXT_MAX = 24 };

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static uint64_t word_key(struct str text) {
    uint64_t key = 0;
    for (size_t i = 0; i < KEY_LETTERS; i++)
        key = key << 8 | (i < text.len ? (unsigned char)upper(text.ptr[i]) : 0);
    return key;
}

/* Every lookup takes the same number of steps, none of them a branch to guess. */
static enum sql_word word_find(struct str text) {
    if (text.len > WORD_TEXT_MAX) return WORD_UNKNOWN;
    uint64_t key = word_key(text);
    size_t at = 0;
    for (size_t n = COUNT(words), half; n > 1; n -= half) {
        half = n / 2;
        at += words[at + half].key < key ? half : 0;
    }
    for (at++; at < COUNT(words) && words[at].key == key; at++)
        if (text.len <= KEY_LETTERS ? words[at].text[text.len] == '\0'
                                    : str_ieq(str_of(words[at].text), text))
            return (enum sql_word)at;
    return WORD_UNKNOWN;
}

bool sql_word_is_reserved(enum sql_word word) {
    return words[word].kind == RESERVED;
}

bool sql_word_is_no_alias(enum sql_word word) {
    return words[word].kind != SOFT;
}

const char *sql_word_text(enum sql_word word) {
    return words[word].text;
}

/* -- characters ------------------------------------------------------------------------------- */

static int byte_at(struct str text, size_t at) {
    return at < text.len ? (unsigned char)text.ptr[at] : -1;
}

static bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

/* The letters of reference 1.3 beyond ASCII. */
static bool is_letter_rune(uint32_t rune) {
    static const struct {
        uint32_t from, to;
    } ranges[] = {
        {0xAA, 0xAA},     {0xB5, 0xB5},     {0xBA, 0xBA},     {0xC0, 0xD6},
        {0xD8, 0xF6},     {0xF8, 0xFF},     {0x100, 0x1FFF},  {0x3040, 0x318F},
        {0x3300, 0x337F}, {0x3400, 0x3D2D}, {0x4E00, 0x9FFF}, {0xF900, 0xFAFF},
    };
    for (size_t i = 0; i < COUNT(ranges); i++) {
        if (rune >= ranges[i].from && rune <= ranges[i].to) return true;
    }
    return false;
}

static bool is_name_byte(int c) {
    return (unsigned)(c | 0x20) - 'a' < 26 || is_digit(c) || c == '_';
}

/* Length of the name character at `at`, 0 if there is none. */
static size_t name_char(struct str text, size_t at) {
    int c = byte_at(text, at);
    if (c < 0) return 0;
    if (c < 0x80) return is_name_byte(c) || (c == '$' && byte_at(text, at + 1) != '{') ? 1 : 0;
    uint32_t rune;
    size_t len = utf8_next(str_slice(text, at, text.len), &rune);
    return len > 0 && is_letter_rune(rune) ? len : 0;
}

static size_t skip_name(struct str text, size_t at) {
    for (size_t len = 1; len > 0; at += len) {
        while (is_name_byte(byte_at(text, at))) at++;
        len = name_char(text, at);
    }
    return at;
}

static size_t skip_digits(struct str text, size_t at) {
    while (is_digit(byte_at(text, at))) at++;
    return at;
}

static size_t skip_blanks(struct str text, size_t at) {
    while (is_blank(byte_at(text, at))) at++;
    return at;
}

/* -- tokens ----------------------------------------------------------------------------------- */

static struct token token_of(enum token_kind kind, size_t from, size_t to) {
    return (struct token){.kind = kind, .from = (uint32_t)from, .to = (uint32_t)to};
}

static struct token token_bad(enum lex_problem problem, size_t from, size_t to) {
    struct token token = token_of(TOKEN_BAD, from, to);
    token.problem = problem;
    return token;
}

static size_t skip_exponent(struct str text, size_t at) {
    size_t digits = at;
    if (upper((char)byte_at(text, at)) != 'E') return at;
    digits++;
    if (byte_at(text, digits) == '+' || byte_at(text, digits) == '-') digits++;
    size_t end = skip_digits(text, digits);
    return end > digits ? end : at;
}

static void number_suffix(struct str text, struct token *token) {
    static const struct {
        char text[3];
        enum sql_literal_kind kind;
        bool only_integer;
    } suffixes[] = {{"BD", SQL_DECIMAL, false},
                    {"L", SQL_BIGINT, true},
                    {"S", SQL_SMALLINT, true},
                    {"Y", SQL_TINYINT, true}};
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        struct str suffix = str_of(suffixes[i].text);
        if (suffixes[i].only_integer && token->number != SQL_INTEGER) continue;
        if (!str_ieq(str_slice(text, token->to, token->to + suffix.len), suffix)) continue;
        token->number = suffixes[i].kind;
        token->to += (uint32_t)suffix.len;
        return;
    }
}

/* Number or name, whichever is longer; of the same length it is a number: 1e0 against 1e, 10L
 * against 10M. What follows a number at once is another token: 1.5F is `1.5 AS F`. */
static struct token lex_digit(struct str text, size_t from) {
    size_t name_end = skip_name(text, from);
    size_t end = skip_digits(text, from);
    struct token number = token_of(TOKEN_NUMBER, from, end);
    number.number = SQL_INTEGER;
    if (byte_at(text, end) == '.') {
        end = skip_digits(text, end + 1);
        number.number = SQL_NUMBER;
    }
    size_t exponent = skip_exponent(text, end);
    if (exponent > end) number.number = SQL_NUMBER;
    number.to = number.body = (uint32_t)exponent;
    number_suffix(text, &number);
    if (number.to >= name_end) return number;
    return token_of(TOKEN_WORD, from, name_end);
}

static struct token lex_string(struct str text, size_t from) {
    char quote = text.ptr[from];
    for (size_t at = from + 1; at < text.len; at++) {
        if (text.ptr[at] == '\\')
            at++;
        else if (text.ptr[at] == quote)
            return token_of(quote == '\'' ? TOKEN_STRING : TOKEN_DSTRING, from, at + 1);
    }
    return token_bad(LEX_OPEN_STRING, from, text.len);
}

static struct token lex_quoted(struct str text, size_t from) {
    for (size_t at = from + 1; at < text.len; at++) {
        if (text.ptr[at] != '`') continue;
        if (byte_at(text, at + 1) != '`') return token_of(TOKEN_QUOTED, from, at + 1);
        at++;
    }
    return token_bad(LEX_OPEN_NAME, from, text.len);
}

static struct token lex_word(struct str text, size_t from) {
    struct token token = token_of(TOKEN_WORD, from, skip_name(text, from));
    token.word = word_find(str_slice(text, from, token.to));
    return token;
}

static const unsigned char operators[128] = {
    ['='] = TOKEN_EQ,         ['<'] = TOKEN_LT,          ['>'] = TOKEN_GT,
    ['|'] = TOKEN_BAR,        ['-'] = TOKEN_MINUS,       [':'] = TOKEN_COLON,
    [','] = TOKEN_COMMA,      [';'] = TOKEN_SEMICOLON,   ['('] = TOKEN_OPEN,
    [')'] = TOKEN_CLOSE,      ['['] = TOKEN_OPEN_SQUARE, [']'] = TOKEN_CLOSE_SQUARE,
    ['{'] = TOKEN_OPEN_CURLY, ['}'] = TOKEN_CLOSE_CURLY, ['.'] = TOKEN_DOT,
    ['?'] = TOKEN_QUESTION,   ['@'] = TOKEN_AT,          ['+'] = TOKEN_PLUS,
    ['*'] = TOKEN_STAR,       ['/'] = TOKEN_SLASH,       ['%'] = TOKEN_PERCENT,
    ['^'] = TOKEN_CARET,      ['&'] = TOKEN_AMPERSAND,   ['~'] = TOKEN_TILDE,
    ['!'] = TOKEN_BANG,
};

/* Operators of several bytes, longer ones first; BAD where there is none. */
static struct token lex_long_operator(struct str text, size_t from) {
    static const struct {
        char text[4];
        enum token_kind kind;
    } longer[] = {
        {"<=>", TOKEN_NULL_EQ}, {"==", TOKEN_EQ},    {"<>", TOKEN_NE},        {"!=", TOKEN_NE},
        {"<=", TOKEN_LE},       {">=", TOKEN_GE},    {"||", TOKEN_BARS},      {"->", TOKEN_ARROW},
        {"::", TOKEN_COLONS},   {"，", TOKEN_COMMA}, {"；", TOKEN_SEMICOLON}, {"（", TOKEN_OPEN},
        {"）", TOKEN_CLOSE},
    };
    struct str rest = str_slice(text, from, text.len);
    for (size_t i = 0; i < COUNT(longer); i++) {
        size_t len = strnlen(longer[i].text, sizeof longer[i].text);
        if (str_starts(rest, (struct str){longer[i].text, len}))
            return token_of(longer[i].kind, from, from + len);
    }
    return token_of(TOKEN_BAD, from, from);
}

static struct token bad_character(struct str text, size_t from) {
    uint32_t rune;
    size_t len = utf8_next(str_slice(text, from, text.len), &rune);
    int c = byte_at(text, from);
    if (c == '#') return token_bad(LEX_HASH, from, from + 1);
    if (c == '$') return token_bad(LEX_TEMPLATE, from, from + 1);
    return token_bad(LEX_CHARACTER, from, from + (len > 0 ? len : 1));
}

static struct token lex_operator(struct str text, size_t from) {
    int c = byte_at(text, from), next = byte_at(text, from + 1);
    enum token_kind kind = c < 128 ? (enum token_kind)operators[c] : TOKEN_BAD;
    /* no operator of several bytes goes on with another one */
    bool may_go_on = c >= 128 || next == '=' || next == '>' || next == '|' || next == ':';
    struct token token = token_of(kind, from, from + 1);
    if (may_go_on) {
        struct token longer = lex_long_operator(text, from);
        if (longer.kind != TOKEN_BAD) token = longer;
    }
    return token.kind != TOKEN_BAD ? token : bad_character(text, from);
}

/* The offset of the '+' when a hint opens at `from`: blanks may stand between its characters. */
static size_t hint_plus(struct str text, size_t from) {
    size_t at = skip_blanks(text, from + 1);
    if (byte_at(text, at) != '*') return 0;
    at = skip_blanks(text, at + 1);
    return byte_at(text, at) == '+' ? at : 0;
}

size_t sql_lex_hint_end(struct str text, size_t at) {
    at = skip_blanks(text, at);
    if (byte_at(text, at) != '*') return 0;
    at = skip_blanks(text, at + 1);
    return byte_at(text, at) == '/' ? at + 1 : 0;
}

/* Skips a block comment that opens at *at. False: it does not end well, and *bad says how. */
static bool skip_block_comment(struct str text, size_t *at, struct token *bad) {
    size_t from = *at;
    for (size_t i = from + 2; i + 1 < text.len; i++) {
        if (text.ptr[i] == '*' && text.ptr[i + 1] == '/') {
            *at = i + 2;
            return true;
        }
        if (text.ptr[i] == '/' && text.ptr[i + 1] == '*') {
            *bad = token_bad(LEX_NESTED_COMMENT, i, i + 2);
            return false;
        }
    }
    *bad = token_bad(LEX_OPEN_COMMENT, from, text.len);
    return false;
}

static size_t skip_line_comment(struct str text, size_t at) {
    while (at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r') at++;
    return at;
}

/* Moves *at to the next token; false: there is a bad comment instead. */
static bool skip_space(struct str text, size_t *at, struct token *bad) {
    for (;;) {
        *at = skip_blanks(text, *at);
        if (byte_at(text, *at) == '-' && byte_at(text, *at + 1) == '-') {
            *at = skip_line_comment(text, *at);
        } else if (byte_at(text, *at) == '/' && byte_at(text, *at + 1) == '*' &&
                   hint_plus(text, *at) == 0) {
            if (!skip_block_comment(text, at, bad)) return false;
        } else {
            return true;
        }
    }
}

struct token sql_lex(struct str text, size_t at) {
    struct token bad;
    if (!skip_space(text, &at, &bad)) return bad;
    if (at >= text.len) return token_of(TOKEN_END, text.len, text.len);
    int c = byte_at(text, at);
    if (is_digit(c)) return lex_digit(text, at);
    if (c == '\'' || c == '"') return lex_string(text, at);
    if (c == '`') return lex_quoted(text, at);
    if (c == '/' && hint_plus(text, at) > 0)
        return token_of(TOKEN_HINT, at, hint_plus(text, at) + 1);
    if (name_char(text, at) > 0) return lex_word(text, at);
    return lex_operator(text, at);
}

bool sql_is_bare_word(struct str text) {
    struct token token = sql_lex(text, 0);
    return token.kind == TOKEN_WORD && token.from == 0 && token.to == text.len;
}

/* -- values ----------------------------------------------------------------------------------- */

static bool is_octal(struct str s, size_t at) {
    return byte_at(s, at) >= '0' && byte_at(s, at) <= '7';
}

/* Writes what the escape behind a backslash at s[at] means, one byte or two; returns the end of
 * what was written and moves *at behind the escape. */
static char *decode_escape(struct str s, size_t *at, char *out) {
    char c = s.ptr[(*at)++];
    switch (c) {
    case 'b': *out++ = '\b'; break;
    case 't': *out++ = '\t'; break;
    case 'n': *out++ = '\n'; break;
    case 'r': *out++ = '\r'; break;
    case 'Z': *out++ = 0x1A; break;
    case '0':
    case '1':
        if (is_octal(s, *at) && is_octal(s, *at + 1)) {
            *out++ = (char)((c - '0') * 64 + (s.ptr[*at] - '0') * 8 + (s.ptr[*at + 1] - '0'));
            *at += 2;
        } else {
            *out++ = c == '0' ? '\0' : c;
        }
        break;
    case '%':
    case '_': /* LIKE wants to see the backslash */
        *out++ = '\\';
        *out++ = c;
        break;
    default: *out++ = c; break; /* quotes, backslash, ; and every other character: itself */
    }
    return out;
}

static struct str decode_string(struct str inside, char *bytes) {
    char *end = bytes;
    for (size_t at = 0; at < inside.len;) {
        if (inside.ptr[at] != '\\') {
            *end++ = inside.ptr[at++];
            continue;
        }
        at++;
        end = decode_escape(inside, &at, end);
    }
    return (struct str){bytes, (size_t)(end - bytes)};
}

static struct str decode_quoted(struct str inside, char *out) {
    size_t n = 0;
    for (size_t at = 0; at < inside.len; at++) {
        out[n++] = inside.ptr[at];
        if (inside.ptr[at] == '`') at++;
    }
    return (struct str){out, n};
}

result sql_lex_decode(struct str text, const struct token *token, struct arena *arena,
                      struct str *out, struct report *report) {
    struct str inside = str_slice(text, token->from + 1, token->to - 1);
    char special = token->kind == TOKEN_QUOTED ? '`' : '\\';
    *out = inside;
    if (str_find_byte(inside, special) == inside.len) return OK;
    char *bytes = arena_new_array(arena, inside.len, char);
    if (bytes == NULL) return fail_memory(report);
    *out =
        token->kind == TOKEN_QUOTED ? decode_quoted(inside, bytes) : decode_string(inside, bytes);
    return OK;
}

/* -- refusals --------------------------------------------------------------------------------- */

result sql_lex_check(struct str text, struct report *report) {
    for (size_t at = 0; at < text.len;) {
        if (byte_at(text, at) > 0 && byte_at(text, at) < 0x80) { /* as nearly all are */
            at++;
            continue;
        }
        uint32_t rune = 0;
        size_t len = utf8_next(str_slice(text, at, text.len), &rune);
        if (len == 0)
            return fail(report, FAIL_INPUT, "SQL_SYNTAX_ERROR", at,
                        "the statement is not valid UTF-8 at byte %zu", at);
        if (rune == 0)
            return fail(report, FAIL_INPUT, "SQL_SYNTAX_ERROR", at,
                        "the statement holds a NUL character");
        at += len;
    }
    return OK;
}

/* The ASCII character that somebody who types Chinese, or copies from a text, may have meant; 0: it
 * is none of these. */
static char ascii_of(uint32_t rune) {
    static const struct {
        uint32_t rune;
        char ascii;
    } look[] = {
        {0x00A0, ' '}, {0x3000, ' '},  {0x2018, '\''}, {0x2019, '\''}, {0x201C, '"'},
        {0x201D, '"'}, {0x2013, '-'},  {0x2014, '-'},  {0x2212, '-'},  {0x3001, ','},
        {0x3002, '.'}, {0x00B4, '\''}, {0x2032, '\''}, {0x2033, '"'},
    };
    if (rune >= 0xFF01 && rune <= 0xFF5E) return (char)(rune - 0xFF00 + 0x20);
    for (size_t i = 0; i < COUNT(look); i++)
        if (look[i].rune == rune) return look[i].ascii;
    return '\0';
}

static result complain_character(struct str text, const struct token *token,
                                 struct report *report) {
    uint32_t rune = 0;
    (void)utf8_next(str_slice(text, token->from, token->to), &rune);
    result r = fail(report, FAIL_INPUT, "SQL_SYNTAX_ERROR", token->from,
                    "the character U+%04X has no meaning here", (unsigned)rune);
    char ascii = ascii_of(rune);
    if (ascii == ' ')
        fail_hint(report, "Write a plain blank for it.");
    else if (ascii != '\0')
        fail_hint(report, "Write the plain character %c for it.", ascii);
    else if (rune > 0x7F)
        fail_hint(report, "Only blank, tab and line ends separate words; quote a name that needs "
                          "the character with back quotes.");
    return r;
}

static result complain_template(const struct token *token, struct report *report) {
    result r = fail(report, FAIL_INPUT, "SQL_SYNTAX_ERROR", token->from,
                    "a template variable ${…} stands outside a string");
    fail_hint(report, "Put the value in its place before sending the statement.");
    return r;
}

result sql_lex_complain(struct str text, const struct token *token, struct report *report) {
    const char *sentence = "";
    switch (token->problem) {
    case LEX_CHARACTER: return complain_character(text, token, report);
    case LEX_TEMPLATE: return complain_template(token, report);
    case LEX_HASH: sentence = "'#' begins no comment and no other token"; break;
    case LEX_OPEN_STRING: sentence = "the string that begins here has no closing quote"; break;
    case LEX_OPEN_NAME: sentence = "the name that begins here has no closing back quote"; break;
    case LEX_OPEN_COMMENT: sentence = "the comment that begins here does not end"; break;
    case LEX_NESTED_COMMENT: sentence = "a comment begins inside a comment"; break;
    }
    return fail(report, FAIL_INPUT, "SQL_SYNTAX_ERROR", token->from, "%s", sentence);
}
