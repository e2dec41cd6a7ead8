/* What one source of a FROM is: tables, derived tables, VALUES, functions, parentheses. */
#include "sql/parse_inner.h"

enum { TABLE_PARTS_MAX = 3 };

/* What a parenthesis in FROM held: a query that may still become a branch of a set operation, or a
 * finished source. */
struct paren {
    struct sql_query *query;
    struct sql_source *source;
};

struct sql_source *parse_source_new(struct parser *p, enum sql_source_kind kind, size_t from) {
    struct sql_source *source = arena_new(p->arena, struct sql_source);
    if (source == NULL) {
        (void)fail_memory(p->report);
        return NULL;
    }
    source->kind = kind;
    source->id = ++p->n_ids;
    source->span = (struct sql_span){(uint32_t)from, p->last_to};
    return source;
}

/* -- what may follow a table or a derived table ---------------------------------------------------
 */

static result parse_source_columns(struct parser *p, struct sql_source *source) {
    if (!parse_is(p, TOKEN_OPEN)) return OK;
    return parse_names(p, &source->columns, "the name of a column");
}

static result parse_source_alias(struct parser *p, struct sql_source *source) {
    bool is_table = source->kind == SQL_TABLE || source->kind == SQL_FUNCTION;
    if (parse_take_word(p, WORD_AS)) {
        TRY(parse_alias(p, &source->alias, "an alias behind AS"));
        return parse_source_columns(p, source);
    }
    if (is_table ? !parse_at_table_alias(p) : !parse_at_source_alias(p)) return OK;
    TRY(parse_alias(p, &source->alias, "an alias"));
    return parse_source_columns(p, source);
}

static result parse_amount(struct parser *p, struct str *out, const char *what) {
    bool is_size = parse_is(p, TOKEN_WORD) && p->token.word == WORD_UNKNOWN;
    if (!parse_is(p, TOKEN_NUMBER) && !is_size) return parse_expected(p, what);
    *out = parse_text(p, &p->token);
    if (out->ptr[0] < '0' || out->ptr[0] > '9') return parse_expected(p, what);
    parse_next(p);
    return OK;
}

static result parse_bucket(struct parser *p, struct sql_sample *sample) {
    sample->kind = SQL_SAMPLE_BUCKET;
    TRY(parse_amount(p, &sample->amount, "the number of a bucket"));
    TRY(parse_want_word(p, WORD_OUT));
    TRY(parse_want_word(p, WORD_OF));
    TRY(parse_amount(p, &sample->of, "the number of buckets"));
    if (parse_take_word(p, WORD_ON)) TRY(parse_exprs(p, &sample->on));
    return OK;
}

static result parse_sample(struct parser *p, struct sql_source *source) {
    struct sql_sample *sample = &source->sample;
    if (!parse_is_word(p, WORD_TABLESAMPLE) || p->ahead.kind != TOKEN_OPEN) return OK;
    if (sample->kind != SQL_SAMPLE_NONE)
        return parse_refuse(p, p->token.from, "a table is sampled once");
    parse_next(p);
    parse_next(p);
    if (parse_take_word(p, WORD_BUCKET)) {
        TRY(parse_bucket(p, sample));
    } else {
        bool is_number = parse_is(p, TOKEN_NUMBER);
        TRY(parse_amount(p, &sample->amount, "a number, a size or BUCKET"));
        sample->kind = SQL_SAMPLE_BYTES;
        if (parse_take_word(p, WORD_PERCENT))
            sample->kind = SQL_SAMPLE_PERCENT;
        else if (parse_take_word(p, WORD_ROWS))
            sample->kind = SQL_SAMPLE_ROWS;
        else if (is_number)
            return parse_expected(p, "PERCENT or ROWS");
    }
    return parse_want(p, TOKEN_CLOSE, "')'");
}

static result parse_travel(struct parser *p, struct sql_travel *travel) {
    bool as_of = parse_ahead_word(p, WORD_AS);
    if (!parse_is_word(p, WORD_TIMESTAMP) && !parse_is_word(p, WORD_VERSION)) return OK;
    if (!as_of && !parse_ahead_word(p, WORD_BETWEEN)) return OK;
    if (as_of) {
        struct token of = parse_peek(p, 2);
        if (!token_is_word(&of, WORD_OF)) return OK;
    }
    travel->by_version = parse_is_word(p, WORD_VERSION);
    travel->kind = as_of ? SQL_TRAVEL_AS_OF : SQL_TRAVEL_BETWEEN;
    for (int n = as_of ? 3 : 2; n > 0; n--) parse_next(p);
    TRY(parse_math(p, &travel->from));
    if (as_of) return OK;
    TRY(parse_want_word(p, WORD_AND));
    return parse_math(p, &travel->to);
}

/* Sample and alias come in either order. */
static result parse_source_rest(struct parser *p, struct sql_source *source) {
    TRY(parse_sample(p, source));
    TRY(parse_source_alias(p, source));
    TRY(parse_sample(p, source));
    source->span.to = p->last_to;
    return OK;
}

/* -- sources ---------------------------------------------------------------------------------- */

static result parse_function_source(struct parser *p, enum sql_call_prefix prefix,
                                    const struct sql_names *name, size_t from,
                                    struct sql_source **out) {
    struct sql_source *source = *out = parse_source_new(p, SQL_FUNCTION, from);
    if (source == NULL) return fail_memory(p->report);
    TRY(parse_call(p, prefix, name, from, &source->call));
    if (source->call->kind != SQL_CALL)
        return parse_refuse(p, from, "only a table or a table function stands here");
    return parse_source_rest(p, source);
}

static result refuse_partition(struct parser *p) {
    result r = parse_refuse(p, p->token.from, "PARTITION (…) belongs to INSERT and DDL");
    fail_hint(p->report, "Filter the partition columns in WHERE.");
    return r;
}

static result parse_table(struct parser *p, struct sql_source **out) {
    struct sql_names name = {0};
    size_t from = p->token.from;
    TRY(parse_path(p, &name, TABLE_PARTS_MAX, "a table"));
    if (parse_is(p, TOKEN_OPEN))
        return parse_function_source(p, name.n > 1 ? SQL_CALL_DOT : SQL_CALL_PLAIN, &name, from,
                                     out);
    if (parse_is(p, TOKEN_COLON) && name.n == 1) {
        struct sql_name function = {0};
        parse_next(p);
        TRY(parse_name(p, &function, "a function behind 'project:'"));
        TRY(parse_add_name(p, &name, &function));
        if (!parse_is(p, TOKEN_OPEN)) return parse_expected(p, "'(' behind project:function");
        return parse_function_source(p, SQL_CALL_COLON, &name, from, out);
    }
    struct sql_source *source = *out = parse_source_new(p, SQL_TABLE, from);
    if (source == NULL) return fail_memory(p->report);
    source->table = name;
    TRY(parse_travel(p, &source->travel));
    if (parse_is_word(p, WORD_PARTITION) && p->ahead.kind == TOKEN_OPEN) return refuse_partition(p);
    return parse_source_rest(p, source);
}

static result parse_rows(struct parser *p, struct sql_source *source) {
    do {
        struct sql_row *row = PARSE_PUSH(p, source->values.rows, source->values.n_rows);
        if (row == NULL) return fail_memory(p->report);
        TRY(parse_count(p, source->values.n_rows, p->limits.in_list, "rows in VALUES"));
        row->at = p->token.from;
        struct sql_exprs items = {0};
        TRY(parse_want(p, TOKEN_OPEN, "'(' and a row"));
        TRY(parse_exprs(p, &items));
        TRY(parse_want(p, TOKEN_CLOSE, "',' or ')'"));
        source->values.rows[source->values.n_rows - 1].items = items;
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

static result parse_values(struct parser *p, struct sql_source **out) {
    struct sql_source *source = *out = parse_source_new(p, SQL_VALUES, p->token.from);
    if (source == NULL) return fail_memory(p->report);
    parse_next(p);
    return parse_rows(p, source);
}

static result parse_values_alias(struct parser *p, struct sql_source *source) {
    (void)parse_take_word(p, WORD_AS);
    TRY(parse_alias(p, &source->alias, "an alias for VALUES, as in VALUES (1) t(a)"));
    TRY(parse_names(p, &source->columns, "the name of a column"));
    source->span.to = p->last_to;
    return OK;
}

/* (VALUES …) t(a): the alias stands outside. */
static bool is_bare_values(const struct sql_source *source) {
    return source->kind == SQL_VALUES && !sql_name_given(&source->alias);
}

/* -- parentheses ------------------------------------------------------------------------------ */

static result derived_of(struct parser *p, struct sql_query *query, size_t from,
                         struct sql_source **out) {
    struct sql_source *source = *out = parse_source_new(p, SQL_DERIVED, from);
    if (source == NULL) return fail_memory(p->report);
    source->query = query;
    return parse_source_rest(p, source);
}

static result parse_paren_content(struct parser *p, struct paren *out);

static result parse_paren(struct parser *p, struct paren *out) {
    struct nest nest;
    TRY(parse_enter(p, 1, &nest));
    parse_next(p);
    TRY(parse_paren_content(p, out));
    TRY(parse_want(p, TOKEN_CLOSE, "')'"));
    (void)parse_below(p, &nest);
    return OK;
}

/* ((query) …: the inner one is a branch, or a derived table, or the same query once more. */
static result parse_paren_paren(struct parser *p, struct paren *out) {
    size_t from = p->token.from;
    TRY(parse_paren(p, out));
    if (out->query != NULL && (parse_at_set_op(p, true) || parse_at_tail(p)))
        return parse_query_rest(p, &out->query);
    if (out->query != NULL && parse_is(p, TOKEN_CLOSE)) return OK;
    if (out->query != NULL) {
        TRY(derived_of(p, out->query, from, &out->source));
        TRY(parse_raise(p, out->query->height, &out->source->height));
    }
    out->query = NULL;
    if (is_bare_values(out->source)) {
        if (parse_is(p, TOKEN_CLOSE)) return OK;
        TRY(parse_values_alias(p, out->source));
    }
    TRY(parse_pivots(p, &out->source));
    return parse_joined(p, &out->source);
}

static result parse_paren_content(struct parser *p, struct paren *out) {
    if (parse_at_query(p)) return parse_query(p, &out->query);
    if (parse_is(p, TOKEN_OPEN)) return parse_paren_paren(p, out);
    if (parse_is_word(p, WORD_VALUES) && p->ahead.kind == TOKEN_OPEN) {
        TRY(parse_values(p, &out->source));
        if (parse_is(p, TOKEN_CLOSE)) return OK; /* the alias stands outside */
        TRY(parse_values_alias(p, out->source));
        return parse_joined(p, &out->source);
    }
    TRY(parse_source(p, &out->source));
    return parse_joined(p, &out->source);
}

static result parse_paren_source(struct parser *p, struct sql_source **out) {
    struct paren paren = {0};
    size_t from = p->token.from;
    TRY(parse_paren(p, &paren));
    if (paren.query != NULL) return derived_of(p, paren.query, from, out);
    *out = paren.source;
    if (is_bare_values(paren.source)) return parse_values_alias(p, paren.source);
    return OK;
}

result parse_source(struct parser *p, struct sql_source **out) {
    if (parse_is(p, TOKEN_AT))
        return parse_refuse_kind(p, p->token.from, "variables (@…) belong to scripts");
    TRY(parse_count_parts(p));
    struct nest nest;
    parse_mark(p, &nest);
    if (parse_is(p, TOKEN_OPEN)) {
        TRY(parse_paren_source(p, out));
    } else if (parse_is_word(p, WORD_VALUES) && p->ahead.kind == TOKEN_OPEN) {
        TRY(parse_values(p, out));
        TRY(parse_values_alias(p, *out));
    } else {
        TRY(parse_table(p, out));
    }
    unsigned below = parse_below(p, &nest);
    if ((*out)->height == 0) TRY(parse_raise(p, below, &(*out)->height));
    return parse_pivots(p, out);
}
