#include "sql/parse.h"

#include "base/limits.h"
#include "sql/parse_inner.h"

#include <assert.h>

static size_t limit_or(size_t given, int64_t fallback) {
    return given > 0 ? given : (size_t)fallback;
}

static struct sql_limits limits_of(const struct sql_limits *given) {
    struct sql_limits zero = {0};
    if (given == NULL) given = &zero;
    struct sql_limits out = {
        .bytes = limit_or(given->bytes, SQL_BYTES_MAX),
        .nesting = limit_or(given->nesting, SQL_NESTING_MAX),
        .in_list = limit_or(given->in_list, SQL_IN_LIST_MAX),
        .select_items = limit_or(given->select_items, SQL_SELECT_ITEMS_MAX),
        .ctes = limit_or(given->ctes, SQL_CTES_MAX),
    };
    if (out.nesting > SQL_NESTING_MAX) out.nesting = SQL_NESTING_MAX;
    if (out.bytes >= SQL_NOWHERE) out.bytes = SQL_NOWHERE - 1; /* offsets are 32 bits */
    return out;
}

static result parser_init(struct parser *p, struct str text, const struct sql_limits *limits,
                          struct arena *arena, struct report *report) {
    assert(arena != NULL);
    *p = (struct parser){.text = text,
                         .limits = limits_of(limits),
                         .arena = arena,
                         .report = report,
                         .lookahead = SQL_LOOKAHEAD_PER_BYTE * text.len};
    if (text.len > p->limits.bytes)
        return fail(report, FAIL_LIMIT, "SQL_TOO_LARGE", REPORT_NO_OFFSET,
                    "the statement has %zu bytes, more than %zu", text.len, p->limits.bytes);
    TRY(sql_lex_check(text, report));
    parse_begin(p, 0);
    return OK;
}

/* Nothing that begins with another word is a query, whatever follows. */
static result refuse_other_kinds(struct parser *p) {
    if (parse_at_query(p) || parse_is_word(p, WORD_WITH) || parse_is(p, TOKEN_OPEN)) return OK;
    if (parse_is(p, TOKEN_AT)) return parse_refuse_kind(p, p->token.from, "this is a script");
    if (!parse_is(p, TOKEN_WORD)) return parse_expected(p, "SELECT");
    if (parse_is_word(p, WORD_MAP) || parse_is_word(p, WORD_REDUCE))
        return parse_refuse_kind(p, p->token.from, "MAP and REDUCE … USING start a process");
    const char *kind = sql_classify(p->text);
    if (str_eq(str_of(kind), STR("unknown"))) return parse_expected(p, "SELECT");
    return parse_refuse_kind(p, p->token.from, "this statement is no SELECT but of the kind '%s'",
                             kind);
}

static result expect_end(struct parser *p) {
    bool closed = parse_take(p, TOKEN_SEMICOLON);
    if (parse_is(p, TOKEN_END)) return OK;
    if (!closed) return parse_expected(p, "the end of the statement");
    result r = fail(p->report, FAIL_INPUT, "MULTIPLE_STATEMENTS_NOT_ALLOWED", p->token.from,
                    "there is more than one statement");
    fail_hint(p->report, "Send each statement in a call of its own.");
    return r;
}

result sql_parse(struct str text, const struct sql_limits *limits, struct arena *arena,
                 struct sql_query **out, struct report *report) {
    struct parser p;
    *out = NULL;
    TRY(parser_init(&p, text, limits, arena, report));
    TRY(refuse_other_kinds(&p));
    struct sql_query *query = NULL;
    TRY(parse_query(&p, &query));
    TRY(expect_end(&p));
    query->n_ids = p.n_ids;
    *out = query;
    return OK;
}

result sql_parse_expr(struct str text, const struct sql_limits *limits, struct arena *arena,
                      struct sql_expr **out, struct report *report) {
    struct parser p;
    *out = NULL;
    TRY(parser_init(&p, text, limits, arena, report));
    struct sql_expr *expr = NULL;
    TRY(parse_expr(&p, &expr));
    if (!parse_is(&p, TOKEN_END)) return parse_expected(&p, "the end of the expression");
    *out = expr;
    return OK;
}

void sql_position(struct str text, size_t offset, size_t *line, size_t *column) {
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\n') {
            ++*line;
            *column = 1;
        } else if ((c & 0xC0) != 0x80) { /* continuation bytes are no characters */
            ++*column;
        }
    }
}
