/* Operands: literals, names, parentheses, CASE, and the postfixes that bind tightest. */
#include "sql/parse_inner.h"

enum { REF_PARTS_MAX = 32 }; /* project.schema.table.column and a path into a struct */

/* -- literals --------------------------------------------------------------------------------- */

static bool at_string(const struct parser *p) {
    return parse_is(p, TOKEN_STRING) || parse_is(p, TOKEN_DSTRING);
}

static result join_strings(struct parser *p, struct str *out) {
    struct str more;
    TRY(sql_lex_decode(p->text, &p->token, p->arena, &more, p->report));
    char *bytes = arena_new_array(p->arena, out->len + more.len, char);
    if (bytes == NULL) return fail_memory(p->report);
    if (out->len > 0) memcpy(bytes, out->ptr, out->len);
    if (more.len > 0) memcpy(bytes + out->len, more.ptr, more.len);
    *out = (struct str){bytes, out->len + more.len};
    parse_next(p);
    return OK;
}

result parse_string(struct parser *p, struct str *out) {
    if (!at_string(p)) return parse_expected(p, "a string");
    TRY(sql_lex_decode(p->text, &p->token, p->arena, out, p->report));
    parse_next(p);
    for (size_t n = 1; at_string(p); n++) {
        /* Each join copies what stands already, so the number of pieces is bounded. */
        TRY(parse_count(p, n, p->limits.nesting, "adjacent strings"));
        TRY(join_strings(p, out));
    }
    return OK;
}

result parse_comment(struct parser *p) {
    struct str ignored;
    return parse_take_word(p, WORD_COMMENT) ? parse_string(p, &ignored) : OK;
}

static result literal_new(struct parser *p, enum sql_literal_kind kind, struct sql_expr **out) {
    *out = parse_expr_new(p, SQL_LITERAL, p->token.from);
    if (*out == NULL) return fail_memory(p->report);
    (*out)->literal.kind = kind;
    return parse_raise(p, 0, &(*out)->height);
}

static result parse_string_literal(struct parser *p, enum sql_literal_kind kind, bool typed,
                                   struct sql_expr **out) {
    TRY(literal_new(p, kind, out));
    if (typed) parse_next(p);
    TRY(parse_string(p, &(*out)->literal.text));
    parse_expr_end(p, *out);
    return OK;
}

static result parse_number(struct parser *p, struct sql_expr **out) {
    TRY(literal_new(p, p->token.number, out));
    (*out)->literal.text = str_slice(p->text, p->token.from, p->token.body);
    parse_next(p);
    parse_expr_end(p, *out);
    return OK;
}

static result parse_constant(struct parser *p, enum sql_literal_kind kind, struct sql_expr **out) {
    TRY(literal_new(p, kind, out));
    parse_next(p);
    parse_expr_end(p, *out);
    return OK;
}

/* `?`, `:name` */
static result parse_param(struct parser *p, struct sql_expr **out) {
    *out = parse_expr_new(p, SQL_PARAM, p->token.from);
    if (*out == NULL) return fail_memory(p->report);
    if (!parse_take(p, TOKEN_QUESTION)) {
        parse_next(p);
        TRY(parse_name(p, &(*out)->param, "the name of a parameter behind ':'"));
    }
    parse_expr_end(p, *out);
    return parse_raise(p, 0, &(*out)->height);
}

/* -- parentheses ------------------------------------------------------------------------------ */

static result parse_subquery(struct parser *p, size_t from, struct sql_expr **out) {
    *out = parse_expr_new(p, SQL_SUBQUERY, from);
    if (*out == NULL) return fail_memory(p->report);
    return parse_query(p, &(*out)->query);
}

static result parse_row(struct parser *p, size_t from, struct sql_expr **out) {
    struct sql_expr *row = parse_expr_new(p, SQL_ROW, from);
    if (row == NULL) return fail_memory(p->report);
    TRY(parse_add_expr(p, &row->items, *out, "items in one row"));
    *out = row;
    parse_next(p);
    return parse_exprs(p, &row->items);
}

/* ( query ), ( expression ), ( a, b ); what begins as the second may be the first:
 * ((SELECT …) UNION (SELECT …)). */
static result parse_parens(struct parser *p, struct sql_expr **out) {
    struct nest nest;
    size_t from = p->token.from;
    TRY(parse_enter(p, 1, &nest));
    parse_next(p);
    if (parse_at_query(p)) {
        TRY(parse_subquery(p, from, out));
    } else {
        TRY(parse_expr(p, out));
        if ((*out)->kind == SQL_SUBQUERY && (parse_at_set_op(p, true) || parse_at_tail(p)))
            TRY(parse_query_rest(p, &(*out)->query));
        else if (parse_is(p, TOKEN_COMMA))
            TRY(parse_row(p, from, out));
    }
    TRY(parse_want(p, TOKEN_CLOSE, "')'"));
    if ((*out)->kind == SQL_SUBQUERY || (*out)->kind == SQL_ROW) parse_expr_end(p, *out);
    unsigned below = parse_below(p, &nest);
    if ((*out)->kind == SQL_SUBQUERY) return parse_raise(p, (*out)->query->height, &(*out)->height);
    if ((*out)->height == 0) return parse_raise(p, below, &(*out)->height); /* the row made here */
    return OK;
}

/* -- CASE and EXISTS ----------------------------------------------------------------------------
 */

static result parse_whens(struct parser *p, struct sql_expr *expr) {
    do {
        TRY(parse_want_word(p, WORD_WHEN));
        struct sql_when *when = PARSE_PUSH(p, expr->cases.whens, expr->cases.n_whens);
        if (when == NULL) return fail_memory(p->report);
        size_t i = expr->cases.n_whens - 1;
        TRY(parse_count(p, i, p->limits.in_list, "branches in one CASE"));
        TRY(parse_expr(p, &expr->cases.whens[i].when));
        TRY(parse_want_word(p, WORD_THEN));
        TRY(parse_expr(p, &expr->cases.whens[i].then));
    } while (parse_is_word(p, WORD_WHEN));
    return OK;
}

static result parse_case(struct parser *p, struct sql_expr **out) {
    struct nest nest;
    TRY(parse_enter(p, 1, &nest));
    struct sql_expr *expr = *out = parse_expr_new(p, SQL_CASE, p->token.from);
    if (expr == NULL) return fail_memory(p->report);
    parse_next(p);
    if (!parse_is_word(p, WORD_WHEN)) TRY(parse_expr(p, &expr->cases.operand));
    TRY(parse_whens(p, expr));
    if (parse_take_word(p, WORD_ELSE)) TRY(parse_expr(p, &expr->cases.otherwise));
    TRY(parse_want_word(p, WORD_END));
    parse_expr_end(p, expr);
    return parse_leave(p, &nest, &expr->height);
}

static result parse_exists(struct parser *p, struct sql_expr **out) {
    struct nest nest;
    TRY(parse_enter(p, 1, &nest));
    struct sql_expr *expr = *out = parse_expr_new(p, SQL_EXISTS, p->token.from);
    if (expr == NULL) return fail_memory(p->report);
    parse_next(p);
    parse_next(p);
    if (parse_at_query(p)) {
        TRY(parse_query(p, &expr->query));
    } else {
        struct sql_expr *inner = NULL;
        if (!parse_is(p, TOKEN_OPEN)) return parse_expected(p, "a query behind EXISTS (");
        TRY(parse_expr(p, &inner));
        if (inner->kind != SQL_SUBQUERY) return parse_expected(p, "a query behind EXISTS (");
        expr->query = inner->query;
        TRY(parse_query_rest(p, &expr->query));
    }
    TRY(parse_want(p, TOKEN_CLOSE, "')'"));
    parse_expr_end(p, expr);
    return parse_leave(p, &nest, &expr->height);
}

/* -- names ------------------------------------------------------------------------------------ */

static result refuse_java(struct parser *p, size_t at) {
    result r = fail(p->report, FAIL_INPUT, "ONLY_SELECT_ALLOWED", at, "this calls Java code");
    fail_hint(p->report, "Members and constructors of Java classes are not available; a function "
                         "of another project is written project:function(…).");
    return r;
}

/* a.b.c, f(…), project:f(…) */
static result parse_named(struct parser *p, struct sql_expr **out) {
    struct sql_names path = {0};
    size_t from = p->token.from;
    TRY(parse_path(p, &path, REF_PARTS_MAX, "an expression"));
    if (parse_is(p, TOKEN_OPEN)) {
        if (path.n > 1) return refuse_java(p, from);
        return parse_call(p, SQL_CALL_PLAIN, &path, from, out);
    }
    if (parse_is(p, TOKEN_COLON) && path.n == 1) {
        struct sql_name function = {0};
        parse_next(p);
        TRY(parse_name(p, &function, "a function behind 'project:'"));
        TRY(parse_add_name(p, &path, &function));
        if (!parse_is(p, TOKEN_OPEN)) return parse_expected(p, "'(' behind project:function");
        return parse_call(p, SQL_CALL_COLON, &path, from, out);
    }
    *out = parse_expr_new(p, SQL_REF, from);
    if (*out == NULL) return fail_memory(p->report);
    (*out)->ref = path;
    return parse_raise(p, 0, &(*out)->height);
}

/* ::f(…) */
static result parse_builtin(struct parser *p, struct sql_expr **out) {
    struct sql_names path = {0};
    struct sql_name function = {0};
    size_t from = p->token.from;
    parse_next(p);
    TRY(parse_name(p, &function, "a function behind '::'"));
    TRY(parse_add_name(p, &path, &function));
    if (!parse_is(p, TOKEN_OPEN)) return parse_expected(p, "'(' behind ::function");
    return parse_call(p, SQL_CALL_BUILTIN, &path, from, out);
}

/* IF, CHAR and VARCHAR are reserved, and functions where a parenthesis follows. */
static result parse_reserved_call(struct parser *p, struct sql_expr **out) {
    struct sql_names path = {0};
    size_t from = p->token.from;
    struct sql_name name = {
        .text = parse_text(p, &p->token),
        .span = {p->token.from, p->token.to},
    };
    TRY(parse_add_name(p, &path, &name));
    parse_next(p);
    return parse_call(p, SQL_CALL_PLAIN, &path, from, out);
}

/* INTERVAL 'x' DAY TO SECOND, INTERVAL a + 1 DAY. */
static result parse_interval_word(struct parser *p, struct sql_expr **out) {
    struct sql_expr *value = NULL;
    size_t from = p->token.from;
    bool is_text = p->ahead.kind == TOKEN_STRING;
    parse_next(p);
    TRY(is_text ? parse_operand(p, &value) : parse_math(p, &value));
    return parse_interval(p, from, value, out);
}

/* new Integer[10], new java.util.X(): but `new` alone, or with an alias, is a column. */
static bool at_constructor(const struct parser *p) {
    if (p->ahead.kind != TOKEN_WORD && p->ahead.kind != TOKEN_QUOTED) return false;
    struct token second = parse_peek(p, 2);
    return second.kind == TOKEN_OPEN || second.kind == TOKEN_OPEN_SQUARE ||
           second.kind == TOKEN_DOT || second.kind == TOKEN_LT || second.kind == TOKEN_OPEN_CURLY;
}

static bool typed_literal(const struct parser *p, enum sql_literal_kind *out) {
    if (p->ahead.kind != TOKEN_STRING && p->ahead.kind != TOKEN_DSTRING) return false;
    switch ((int)p->token.word) {
    case WORD_DATE: *out = SQL_DATE; return true;
    case WORD_DATETIME: *out = SQL_DATETIME; return true;
    case WORD_TIMESTAMP: *out = SQL_TIMESTAMP; return true;
    case WORD_TIMESTAMP_NTZ: *out = SQL_TIMESTAMP_NTZ; return true;
    default: return false;
    }
}

/* _gbk'…': a string in another character set; what it holds would depend on the reader. */
static bool at_charset_string(const struct parser *p) {
    return (p->ahead.kind == TOKEN_STRING || p->ahead.kind == TOKEN_DSTRING) &&
           p->ahead.from == p->token.to && p->text.ptr[p->token.from] == '_';
}

static result parse_charset_string(struct parser *p, struct sql_expr **out) {
    if (str_ieq(parse_text(p, &p->token), STR("_utf8")))
        return parse_string_literal(p, SQL_STRING, true, out);
    result r = parse_refuse(p, p->token.from, "a string in a character set other than UTF-8");
    fail_hint(p->report, "Write the text itself, without the name of a character set.");
    return r;
}

static result parse_word(struct parser *p, struct sql_expr **out) {
    enum sql_literal_kind kind;
    switch ((int)p->token.word) {
    case WORD_NULL: return parse_constant(p, SQL_NULL, out);
    case WORD_TRUE: return parse_constant(p, SQL_TRUE, out);
    case WORD_FALSE: return parse_constant(p, SQL_FALSE, out);
    case WORD_CASE: return parse_case(p, out);
    case WORD_EXISTS:
        if (p->ahead.kind == TOKEN_OPEN) return parse_exists(p, out);
        break;
    case WORD_IF:
    case WORD_CAST:
    case WORD_CHAR:
    case WORD_VARCHAR:
        if (p->ahead.kind == TOKEN_OPEN) return parse_reserved_call(p, out);
        break;
    case WORD_FUNCTION: return parse_refuse_kind(p, p->token.from, "this defines a function");
    case WORD_INTERVAL:
        if (parse_at_interval(p)) return parse_interval_word(p, out);
        break;
    case WORD_NEW:
        if (at_constructor(p)) return refuse_java(p, p->token.from);
        break;
    default: break;
    }
    if (typed_literal(p, &kind)) return parse_string_literal(p, kind, true, out);
    if (at_charset_string(p)) return parse_charset_string(p, out);
    return parse_named(p, out);
}

/* -- postfixes -------------------------------------------------------------------------------- */

static result postfix_new(struct parser *p, enum sql_expr_kind kind, struct sql_expr **out) {
    struct sql_expr *base = *out;
    *out = parse_expr_new(p, kind, base->span.from);
    if (*out == NULL) return fail_memory(p->report);
    if (kind == SQL_FIELD)
        (*out)->field.base = base;
    else
        (*out)->index.base = base;
    return parse_raise(p, base->height, &(*out)->height);
}

static result parse_field(struct parser *p, struct sql_expr **out) {
    parse_next(p);
    TRY(postfix_new(p, SQL_FIELD, out));
    TRY(parse_name(p, &(*out)->field.name, "the name of a field behind '.'"));
    if (parse_is(p, TOKEN_OPEN)) return refuse_java(p, (*out)->field.name.span.from);
    parse_expr_end(p, *out);
    return OK;
}

static result parse_index(struct parser *p, struct sql_expr **out) {
    struct nest nest;
    TRY(parse_enter(p, 1, &nest));
    parse_next(p);
    TRY(postfix_new(p, SQL_INDEX, out));
    struct sql_expr *expr = *out;
    TRY(parse_expr(p, &expr->index.index));
    TRY(parse_want(p, TOKEN_CLOSE_SQUARE, "']'"));
    parse_expr_end(p, expr);
    (void)parse_below(p, &nest);
    return parse_raise(p, expr->index.index->height, &expr->height);
}

static result parse_primary(struct parser *p, struct sql_expr **out) {
    switch ((int)p->token.kind) {
    case TOKEN_WORD: return parse_word(p, out);
    case TOKEN_QUOTED: return parse_named(p, out);
    case TOKEN_STRING:
    case TOKEN_DSTRING: return parse_string_literal(p, SQL_STRING, false, out);
    case TOKEN_NUMBER: return parse_number(p, out);
    case TOKEN_QUESTION:
    case TOKEN_COLON: return parse_param(p, out);
    case TOKEN_COLONS: return parse_builtin(p, out);
    case TOKEN_OPEN: return parse_parens(p, out);
    default: return parse_expected(p, "an expression");
    }
}

result parse_atom(struct parser *p, struct sql_expr **out) {
    TRY(parse_primary(p, out));
    for (;;) {
        if (parse_is(p, TOKEN_DOT))
            TRY(parse_field(p, out));
        else if (parse_is(p, TOKEN_OPEN_SQUARE))
            TRY(parse_index(p, out));
        else
            return OK;
    }
}
