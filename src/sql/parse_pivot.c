/* PIVOT and UNPIVOT behind a source. */
#include "sql/parse_inner.h"

/* a   or   (a, b) */
static result parse_columns(struct parser *p, struct sql_names *out) {
    if (parse_is(p, TOKEN_OPEN)) return parse_names(p, out, "the name of a column");
    struct sql_name name = {0};
    TRY(parse_name(p, &name, "the name of a column"));
    return parse_add_name(p, out, &name);
}

/* [AS] alias, but not the word that goes on. */
static result parse_pivot_alias(struct parser *p, struct sql_name *out) {
    if (parse_take_word(p, WORD_AS)) return parse_alias(p, out, "an alias behind AS");
    if (parse_is_word(p, WORD_FOR)) return OK;
    if (parse_at_name(p) || parse_is(p, TOKEN_DSTRING)) return parse_alias(p, out, "an alias");
    return OK;
}

static result parse_aggregates(struct parser *p, struct sql_pivot *pivot) {
    do {
        struct sql_item *slot = PARSE_PUSH(p, pivot->aggregates, pivot->n_aggregates);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, pivot->n_aggregates, p->limits.select_items, "aggregates in PIVOT"));
        struct sql_item item = {0};
        struct sql_name alias = {0};
        TRY(parse_expr(p, &item.expr));
        TRY(parse_pivot_alias(p, &alias));
        if (sql_name_given(&alias)) TRY(parse_add_name(p, &item.aliases, &alias));
        pivot->aggregates[pivot->n_aggregates - 1] = item;
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

static result parse_pivot_value(struct parser *p, struct sql_pivot_value *value) {
    struct sql_expr *expr = NULL;
    TRY(parse_expr(p, &expr));
    if (expr->kind == SQL_ROW)
        value->values = expr->items;
    else
        TRY(parse_add_expr(p, &value->values, expr, "values in PIVOT"));
    return parse_pivot_alias(p, &value->alias);
}

static result parse_pivot_in(struct parser *p, struct sql_pivot *pivot) {
    TRY(parse_want_word(p, WORD_IN));
    TRY(parse_want(p, TOKEN_OPEN, "'(' behind IN"));
    do {
        struct sql_pivot_value value = {0};
        struct sql_pivot_value *slot = PARSE_PUSH(p, pivot->in, pivot->n_in);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, pivot->n_in, p->limits.select_items, "values in PIVOT"));
        TRY(parse_pivot_value(p, &value));
        pivot->in[pivot->n_in - 1] = value;
    } while (parse_take(p, TOKEN_COMMA));
    return parse_want(p, TOKEN_CLOSE, "',' or ')'");
}

static result parse_pivot(struct parser *p, struct sql_source *source) {
    struct sql_pivot *pivot = source->pivot;
    TRY(parse_aggregates(p, pivot));
    TRY(parse_want_word(p, WORD_FOR));
    TRY(parse_columns(p, &pivot->columns));
    return parse_pivot_in(p, pivot);
}

static result parse_unpivot_in(struct parser *p, struct sql_unpivot *unpivot) {
    TRY(parse_want_word(p, WORD_IN));
    TRY(parse_want(p, TOKEN_OPEN, "'(' behind IN"));
    do {
        struct sql_unpivot_group group = {0};
        struct sql_unpivot_group *slot = PARSE_PUSH(p, unpivot->in, unpivot->n_in);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, unpivot->n_in, p->limits.select_items, "columns in UNPIVOT"));
        TRY(parse_columns(p, &group.columns));
        if (parse_take_word(p, WORD_AS)) TRY(parse_math(p, &group.label));
        unpivot->in[unpivot->n_in - 1] = group;
    } while (parse_take(p, TOKEN_COMMA));
    return parse_want(p, TOKEN_CLOSE, "',' or ')'");
}

static result parse_unpivot(struct parser *p, struct sql_source *source) {
    struct sql_unpivot *unpivot = source->unpivot;
    TRY(parse_columns(p, &unpivot->values));
    TRY(parse_want_word(p, WORD_FOR));
    TRY(parse_name(p, &unpivot->name, "the name of a column"));
    return parse_unpivot_in(p, unpivot);
}

static result pivot_new(struct parser *p, struct sql_source *input, struct sql_source **out) {
    bool is_pivot = parse_is_word(p, WORD_PIVOT);
    struct sql_source *source =
        parse_source_new(p, is_pivot ? SQL_PIVOT : SQL_UNPIVOT, input->span.from);
    if (source == NULL) return fail_memory(p->report);
    *out = source;
    parse_next(p);
    if (is_pivot) {
        source->pivot = arena_new(p->arena, struct sql_pivot);
        if (source->pivot == NULL) return fail_memory(p->report);
        source->pivot->input = input;
        return OK;
    }
    source->unpivot = arena_new(p->arena, struct sql_unpivot);
    if (source->unpivot == NULL) return fail_memory(p->report);
    source->unpivot->input = input;
    if (parse_take_word(p, WORD_INCLUDE))
        source->unpivot->include_nulls = true;
    else if (!parse_take_word(p, WORD_EXCLUDE))
        return OK;
    return parse_want_word(p, WORD_NULLS);
}

static result parse_one_pivot(struct parser *p, struct sql_source **source) {
    struct nest nest;
    struct sql_source *input = *source, *pivot = NULL;
    parse_mark(p, &nest);
    TRY(pivot_new(p, input, &pivot));
    TRY(parse_want(p, TOKEN_OPEN, "'('"));
    if (pivot->kind == SQL_PIVOT)
        TRY(parse_pivot(p, pivot));
    else
        TRY(parse_unpivot(p, pivot));
    TRY(parse_want(p, TOKEN_CLOSE, "')'"));
    if (parse_take_word(p, WORD_AS))
        TRY(parse_alias(p, &pivot->alias, "an alias behind AS"));
    else if (parse_at_table_alias(p))
        TRY(parse_alias(p, &pivot->alias, "an alias"));
    pivot->span.to = p->last_to;
    *source = pivot;
    TRY(parse_raise(p, parse_below(p, &nest), &pivot->height));
    return parse_raise(p, input->height, &pivot->height);
}

result parse_pivots(struct parser *p, struct sql_source **source) {
    while ((parse_is_word(p, WORD_PIVOT) && p->ahead.kind == TOKEN_OPEN) ||
           (parse_is_word(p, WORD_UNPIVOT) &&
            (p->ahead.kind == TOKEN_OPEN || parse_ahead_word(p, WORD_INCLUDE) ||
             parse_ahead_word(p, WORD_EXCLUDE))))
        TRY(parse_one_pivot(p, source));
    return OK;
}
