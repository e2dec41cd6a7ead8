#include "base/limits.h"
#include "sql/parse_inner.h"

enum { FOUND_TEXT_MAX = 40 };

void parse_begin(struct parser *p, size_t at) {
    p->token = sql_lex(p->text, at);
    p->ahead = sql_lex(p->text, p->token.to);
}

void parse_next(struct parser *p) {
    p->last_from = p->token.from;
    p->last_to = p->token.to;
    p->token = p->ahead;
    p->ahead = sql_lex(p->text, p->token.to);
}

struct token parse_peek(const struct parser *p, unsigned n) {
    if (n == 0) return p->token;
    struct token token = p->ahead;
    while (--n > 0) token = sql_lex(p->text, token.to);
    return token;
}

bool parse_take(struct parser *p, enum token_kind kind) {
    if (!parse_is(p, kind)) return false;
    parse_next(p);
    return true;
}

bool parse_take_word(struct parser *p, enum sql_word word) {
    if (!parse_is_word(p, word)) return false;
    parse_next(p);
    return true;
}

bool parse_take_by(struct parser *p, enum sql_word word) {
    if (!parse_is_word(p, word) || !parse_ahead_word(p, WORD_BY)) return false;
    parse_next(p);
    parse_next(p);
    return true;
}

result parse_want(struct parser *p, enum token_kind kind, const char *what) {
    return parse_take(p, kind) ? OK : parse_expected(p, what);
}

result parse_want_word(struct parser *p, enum sql_word word) {
    return parse_take_word(p, word) ? OK : parse_expected(p, sql_word_text(word));
}

/* -- refusals --------------------------------------------------------------------------------- */

struct str parse_text(const struct parser *p, const struct token *token) {
    return str_slice(p->text, token->from, token->to);
}

static result expected_at(struct parser *p, const struct token *token, const char *what) {
    if (token->kind == TOKEN_END)
        return fail(p->report, FAIL_INPUT, "SQL_SYNTAX_ERROR", token->from,
                    "expected %s, found the end of the statement", what);
    struct str found = parse_text(p, token);
    struct str shown = utf8_clip(found, FOUND_TEXT_MAX);
    return fail(p->report, FAIL_INPUT, "SQL_SYNTAX_ERROR", token->from,
                "expected %s, found " STR_FMT "%s", what, STR_ARG(shown),
                shown.len < found.len ? "…" : "");
}

/* What people write who come from another dialect, told by the word found, or by the one before it:
 * NULL is any. */
static const struct {
    const char *before, *found, *hint;
} foreign[] = {
    {"TOP", NULL, "Write LIMIT n at the end."},
    {"OFFSET", NULL, "Write LIMIT n OFFSET m, both plain numbers."},
    {"ILIKE", NULL, "Write lower(a) LIKE lower(b)."},
    {NULL, "ILIKE", "Write lower(a) LIKE lower(b)."},
    {"X", NULL, "Write unhex('…') for bytes in hexadecimal."},
    {"IGNORE", "NULLS", "Write true as the last argument: first_value(x, true)."},
    {"RESPECT", "NULLS", "Leave it out: NULLs count unless the last argument is true."},
    {NULL, "IGNORE", "Write true as the last argument: first_value(x, true)."},
    {NULL, "FETCH", "Write LIMIT n."},
    {"FOR", "UPDATE", "Nothing is locked here: leave it out."},
    {NULL, "FOR", "An older state is read by t TIMESTAMP AS OF '…'; nothing can be locked."},
    {NULL, "ESCAPE", "The escape of LIKE is always a backslash: a LIKE '10\\\\%'."},
    {NULL, "SIMILAR", "Write a RLIKE 'expression'."},
    {"IS", NULL, "IS is followed by [NOT] NULL or [NOT] DISTINCT FROM; compare with = true."},
    {NULL, "IS", "IS is followed by [NOT] NULL or [NOT] DISTINCT FROM; compare with = true."},
    {NULL, "ROWS", "Rows are limited by LIMIT n OFFSET m, without ROWS."},
    {",", "FROM", "Take out the comma before FROM."},
    {",", "ORDER", "Take out the comma before ORDER BY."},
    {"(", "SELECT", "Write f((SELECT …)); for > ALL (SELECT x …) write > (SELECT max(x) …)."},
    {NULL, ".", "A number begins with a digit: 0.5."},
    {NULL, "::", "Write CAST(value AS type)."},
    {NULL, "{", "A map is map('k', v), a struct named_struct('k', v)."},
    {NULL, "[", "An array is array(a, b)."},
    {"IN", ")", "A list has at least one item."},
    {"(", ")", "A list has at least one item."},
};

static bool is_told_by(struct str text, const char *word) {
    return word == NULL || str_ieq(text, str_of(word));
}

/* The reserved words that people take for names; with the others something else is missing. */
static void hint_reserved(struct parser *p) {
    static const enum sql_word names[] = {WORD_CHAR, WORD_COLUMN,   WORD_CURRENT,  WORD_END,
                                          WORD_IF,   WORD_EXTENDED, WORD_FUNCTION, WORD_PRESERVE};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!parse_is_word(p, names[i])) continue;
        const char *word = sql_word_text(names[i]);
        fail_hint(p->report, "%s is a reserved word; as a name it is written `%s`.", word, word);
    }
}

static void hint_foreign(struct parser *p) {
    struct str before = str_slice(p->text, p->last_from, p->last_to);
    struct str found = parse_text(p, &p->token);
    for (size_t i = 0; i < COUNT(foreign); i++) {
        if (!is_told_by(before, foreign[i].before) || !is_told_by(found, foreign[i].found))
            continue;
        fail_hint(p->report, "%s", foreign[i].hint);
        return;
    }
    if (str_ieq(before, STR("AS")) && parse_is(p, TOKEN_STRING))
        fail_hint(p->report, "An alias is a name: write it bare or in back quotes.");
    else
        hint_reserved(p);
}

result parse_expected(struct parser *p, const char *what) {
    if (parse_is(p, TOKEN_BAD)) return sql_lex_complain(p->text, &p->token, p->report);
    if (parse_is(p, TOKEN_AT))
        return parse_refuse_kind(p, p->token.from, "variables (@…) belong to scripts");
    result r = expected_at(p, &p->token, what);
    hint_foreign(p);
    return r;
}

result parse_refuse(struct parser *p, size_t at, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    result r = fail_v(p->report, FAIL_INPUT, "SQL_SYNTAX_ERROR", at, fmt, args);
    va_end(args);
    return r;
}

result parse_refuse_kind(struct parser *p, size_t at, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    result r = fail_v(p->report, FAIL_INPUT, "ONLY_SELECT_ALLOWED", at, fmt, args);
    va_end(args);
    fail_hint(p->report, "Send one SELECT statement that only reads tables.");
    return r;
}

result parse_too_deep(struct parser *p) {
    result r = fail(p->report, FAIL_LIMIT, "SQL_TOO_DEEP", p->token.from,
                    "the statement is nested deeper than %zu levels", p->limits.nesting);
    fail_hint(p->report, "Split it with WITH, or take a long chain of operators apart.");
    return r;
}

void parse_mark(struct parser *p, struct nest *nest) {
    nest->high = p->high;
    nest->levels = 0;
    p->high = 0;
}

unsigned parse_below(struct parser *p, const struct nest *nest) {
    unsigned below = p->high;
    p->depth -= nest->levels;
    if (p->high < nest->high) p->high = nest->high;
    return below;
}

result parse_enter(struct parser *p, unsigned levels, struct nest *nest) {
    if (p->depth + levels > p->limits.nesting) return parse_too_deep(p);
    parse_mark(p, nest);
    nest->levels = levels;
    p->depth += levels;
    return OK;
}

result parse_raise(struct parser *p, unsigned below, uint16_t *height) {
    if (below >= p->limits.nesting) return parse_too_deep(p);
    if (*height < below + 1) *height = (uint16_t)(below + 1);
    if (p->high < *height) p->high = *height;
    return OK;
}

result parse_leave(struct parser *p, const struct nest *nest, uint16_t *height) {
    return parse_raise(p, parse_below(p, nest), height);
}

result parse_count(struct parser *p, size_t n, size_t max, const char *what) {
    if (n <= max) return OK;
    return fail(p->report, FAIL_LIMIT, "SQL_TOO_MANY_ITEMS", p->token.from,
                "the statement has more than %zu %s", max, what);
}

result parse_count_parts(struct parser *p) {
    return parse_count(p, p->n_ids, SQL_PARTS_MAX, "parts");
}

/* -- names ------------------------------------------------------------------------------------ */

bool parse_at_name(const struct parser *p) {
    return parse_is(p, TOKEN_QUOTED) ||
           (parse_is(p, TOKEN_WORD) && !sql_word_is_reserved(p->token.word));
}

static result take_name(struct parser *p, struct sql_name *out) {
    out->span = (struct sql_span){p->token.from, p->token.to};
    out->quoting = SQL_BARE;
    out->text = parse_text(p, &p->token);
    if (!parse_is(p, TOKEN_WORD)) {
        out->quoting = parse_is(p, TOKEN_QUOTED) ? SQL_BACKQUOTED : SQL_DOUBLE;
        TRY(sql_lex_decode(p->text, &p->token, p->arena, &out->text, p->report));
        if (str_find_byte(out->text, '\0') < out->text.len) /* of "\0": no text can hold it */
            return fail(p->report, FAIL_INPUT, "SQL_SYNTAX_ERROR", out->span.from,
                        "the name holds a NUL character");
    }
    parse_next(p);
    return OK;
}

result parse_name(struct parser *p, struct sql_name *out, const char *what) {
    if (!parse_at_name(p)) return parse_expected(p, what);
    return take_name(p, out);
}

result parse_alias(struct parser *p, struct sql_name *out, const char *what) {
    if (!parse_at_name(p) && !parse_is(p, TOKEN_DSTRING)) return parse_expected(p, what);
    return take_name(p, out);
}

static result parse_commented_name(struct parser *p, struct sql_name *out, const char *what) {
    TRY(parse_name(p, out, what));
    return parse_comment(p);
}

/* Room for 1, 2, 4, … names: nearly all are alone, and there are more of them than of anything. */
static bool grow_names(struct parser *p, struct sql_names *names) {
    size_t n = names->n;
    if ((n & (n - 1)) != 0) return true;
    struct sql_name *at = arena_new_array(p->arena, n == 0 ? 1 : 2 * n, struct sql_name);
    if (at == NULL) return false;
    if (n > 0) memcpy(at, names->at, n * sizeof *at);
    names->at = at;
    return true;
}

result parse_add_name(struct parser *p, struct sql_names *names, const struct sql_name *name) {
    if (!grow_names(p, names)) return fail_memory(p->report);
    names->at[names->n++] = *name;
    return parse_count(p, names->n, p->limits.in_list, "names in one list");
}

static result parse_each_name(struct parser *p, struct sql_names *out, const char *what,
                              result (*take)(struct parser *, struct sql_name *, const char *)) {
    TRY(parse_want(p, TOKEN_OPEN, "'('"));
    do {
        struct sql_name name = {0};
        TRY(take(p, &name, what));
        TRY(parse_add_name(p, out, &name));
    } while (parse_take(p, TOKEN_COMMA));
    return parse_want(p, TOKEN_CLOSE, "',' or ')'");
}

result parse_names(struct parser *p, struct sql_names *out, const char *what) {
    return parse_each_name(p, out, what, parse_name);
}

result parse_aliases(struct parser *p, struct sql_names *out, const char *what) {
    return parse_each_name(p, out, what, parse_alias);
}

result parse_commented_names(struct parser *p, struct sql_names *out, const char *what) {
    return parse_each_name(p, out, what, parse_commented_name);
}

result parse_path(struct parser *p, struct sql_names *out, size_t max, const char *what) {
    do {
        struct sql_name name = {0};
        size_t at = p->token.from;
        TRY(parse_name(p, &name, what));
        TRY(parse_add_name(p, out, &name));
        if (out->n > max) return parse_refuse(p, at, "a name has at most %zu parts here", max);
    } while (parse_is(p, TOKEN_DOT) && p->ahead.kind != TOKEN_STAR && parse_take(p, TOKEN_DOT));
    return OK;
}
