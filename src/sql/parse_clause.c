/* Clauses of a query block: what stands behind it, hints, GROUP BY. */
#include "sql/parse_inner.h"

/* -- the tail --------------------------------------------------------------------------------- */

static result parse_nulls(struct parser *p, struct sql_order *order) {
    if (!parse_is_word(p, WORD_NULLS)) return OK;
    parse_next(p);
    if (parse_take_word(p, WORD_FIRST))
        order->nulls = SQL_NULLS_FIRST;
    else if (parse_take_word(p, WORD_LAST))
        order->nulls = SQL_NULLS_LAST;
    else
        return parse_expected(p, "FIRST or LAST");
    return OK;
}

result parse_order(struct parser *p, struct sql_order **out, size_t *n) {
    do {
        struct sql_order order = {0};
        struct sql_order *slot = PARSE_PUSH(p, *out, *n);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, *n, p->limits.select_items, "keys in one order"));
        TRY(parse_expr(p, &order.expr));
        order.descending = parse_take_word(p, WORD_DESC);
        if (!order.descending) (void)parse_take_word(p, WORD_ASC);
        TRY(parse_nulls(p, &order));
        (*out)[*n - 1] = order;
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

/* SORT BY (a, b) arrives as a row. */
static result orders_of_row(struct parser *p, const struct sql_exprs *row, struct sql_order **out,
                            size_t *n) {
    *out = arena_new_array(p->arena, row->n, struct sql_order);
    if (*out == NULL) return fail_memory(p->report);
    for (*n = 0; *n < row->n; ++*n) (*out)[*n].expr = row->at[*n];
    return parse_count(p, *n, p->limits.select_items, "keys in one order");
}

result parse_sort(struct parser *p, struct sql_order **out, size_t *n) {
    bool is_list = parse_at_sort_list(p);
    if (is_list) parse_next(p);
    TRY(parse_order(p, out, n));
    if (is_list) TRY(parse_want(p, TOKEN_CLOSE, "',' or ')'"));
    const struct sql_order *first = &(*out)[0];
    bool is_bare = *n == 1 && !first->descending && first->nulls == SQL_NULLS_DEFAULT;
    if (!is_bare || first->expr->kind != SQL_ROW) return OK;
    return orders_of_row(p, &first->expr->items, out, n);
}

result parse_keys(struct parser *p, struct sql_exprs *out) {
    TRY(parse_exprs(p, out));
    if (out->n == 1 && out->at[0]->kind == SQL_ROW) *out = out->at[0]->items;
    return OK;
}

static result parse_zorder(struct parser *p, struct sql_names *out) {
    if (parse_is(p, TOKEN_OPEN)) return parse_names(p, out, "the name of a column");
    do {
        struct sql_name name = {0};
        TRY(parse_name(p, &name, "the name of a column"));
        TRY(parse_add_name(p, out, &name));
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

/* LIMIT n, LIMIT n OFFSET m, LIMIT m, n */
static result parse_limit(struct parser *p, struct sql_limit *limit) {
    if (!parse_is_word(p, WORD_LIMIT) || !parse_at_tail(p)) return OK;
    parse_next(p);
    TRY(parse_math(p, &limit->count));
    if (parse_take(p, TOKEN_COMMA)) {
        limit->offset = limit->count;
        return parse_math(p, &limit->count);
    }
    if (parse_take_word(p, WORD_OFFSET)) return parse_math(p, &limit->offset);
    return OK;
}

result parse_tail(struct parser *p, struct sql_tail *tail) {
    if (parse_take_by(p, WORD_ORDER)) TRY(parse_order(p, &tail->order, &tail->n_order));
    if (parse_take_by(p, WORD_CLUSTER)) TRY(parse_keys(p, &tail->cluster));
    if (parse_take_by(p, WORD_DISTRIBUTE)) TRY(parse_keys(p, &tail->distribute));
    if (parse_take_by(p, WORD_SORT)) TRY(parse_sort(p, &tail->sort, &tail->n_sort));
    if (parse_take_by(p, WORD_ZORDER)) TRY(parse_zorder(p, &tail->zorder));
    return parse_limit(p, &tail->limit);
}

/* -- hints ------------------------------------------------------------------------------------ */

static result skip_hint(struct parser *p) {
    while (sql_lex_hint_end(p->text, p->token.from) == 0) {
        if (parse_is(p, TOKEN_END)) return parse_expected(p, "the end of the hint");
        if (parse_is(p, TOKEN_BAD)) return parse_expected(p, "a hint");
        parse_next(p);
    }
    return OK;
}

/* name   name(a, b): a hint of any other shape is dropped, which is always allowed. */
static bool at_simple_hint(const struct parser *p) {
    if (!parse_at_name(p)) return false;
    if (p->ahead.kind == TOKEN_COMMA || sql_lex_hint_end(p->text, p->token.to) > 0) return true;
    if (p->ahead.kind != TOKEN_OPEN) return false;
    struct token token = sql_lex(p->text, p->ahead.to);
    for (;;) {
        if (token.kind != TOKEN_WORD && token.kind != TOKEN_QUOTED && token.kind != TOKEN_NUMBER)
            return false;
        if (token.kind == TOKEN_WORD && sql_word_is_reserved(token.word)) return false;
        token = sql_lex(p->text, token.to);
        if (token.kind == TOKEN_CLOSE) break;
        if (token.kind != TOKEN_COMMA) return false;
        token = sql_lex(p->text, token.to);
    }
    return sql_lex_hint_end(p->text, token.to) > 0 ||
           sql_lex(p->text, token.to).kind == TOKEN_COMMA;
}

static result parse_hint(struct parser *p, struct sql_select *select) {
    struct sql_hint hint = {0};
    TRY(parse_name(p, &hint.name, "the name of a hint"));
    if (parse_take(p, TOKEN_OPEN)) {
        do {
            struct sql_expr *arg = NULL;
            TRY(parse_operand(p, &arg));
            TRY(parse_add_expr(p, &hint.args, arg, "arguments in a hint"));
        } while (parse_take(p, TOKEN_COMMA));
        TRY(parse_want(p, TOKEN_CLOSE, "')'"));
    }
    struct sql_hint *slot = PARSE_PUSH(p, select->hints, select->n_hints);
    if (slot == NULL) return fail_memory(p->report);
    *slot = hint;
    return parse_count(p, select->n_hints, p->limits.select_items, "hints");
}

result parse_hints(struct parser *p, struct sql_select *select) {
    if (!parse_take(p, TOKEN_HINT)) return OK;
    while (at_simple_hint(p)) {
        TRY(parse_hint(p, select));
        if (!parse_take(p, TOKEN_COMMA)) break;
    }
    TRY(skip_hint(p));
    parse_begin(p, sql_lex_hint_end(p->text, p->token.from));
    return OK;
}

/* -- GROUP BY --------------------------------------------------------------------------------- */

static result parse_group(struct parser *p, bool in_sets, struct sql_group *out);

static result parse_group_items(struct parser *p, struct sql_group **items, size_t *n) {
    TRY(parse_want(p, TOKEN_OPEN, "'('"));
    do {
        struct sql_group group = {0};
        struct sql_group *slot = PARSE_PUSH(p, *items, *n);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, *n, p->limits.select_items, "grouping sets"));
        TRY(parse_group(p, true, &group));
        (*items)[*n - 1] = group;
    } while (parse_take(p, TOKEN_COMMA));
    return parse_want(p, TOKEN_CLOSE, "',' or ')'");
}

/* (a, b) in a set arrives as a row. */
static result list_of_row(struct parser *p, const struct sql_expr *row, struct sql_group *out) {
    out->kind = SQL_GROUP_LIST;
    out->n_items = row->items.n;
    out->items = arena_new_array(p->arena, row->items.n, struct sql_group);
    if (out->items == NULL) return fail_memory(p->report);
    for (size_t i = 0; i < row->items.n; i++) {
        out->items[i].kind = SQL_GROUP_EXPR;
        out->items[i].expr = row->items.at[i];
        out->items[i].span = row->items.at[i]->span;
    }
    return OK;
}

static enum sql_group_kind group_word(const struct parser *p) {
    if (parse_is_word(p, WORD_ROLLUP) && p->ahead.kind == TOKEN_OPEN) return SQL_GROUP_ROLLUP;
    if (parse_is_word(p, WORD_CUBE) && p->ahead.kind == TOKEN_OPEN) return SQL_GROUP_CUBE;
    if (parse_is_word(p, WORD_GROUPING) && parse_ahead_word(p, WORD_SETS)) return SQL_GROUP_SETS;
    return SQL_GROUP_EXPR;
}

static result parse_group(struct parser *p, bool in_sets, struct sql_group *out) {
    struct nest nest;
    uint16_t height = 0;
    TRY(parse_enter(p, 1, &nest));
    out->span.from = p->token.from;
    out->kind = group_word(p);
    if (out->kind != SQL_GROUP_EXPR) {
        parse_next(p);
        if (out->kind == SQL_GROUP_SETS) parse_next(p);
        TRY(parse_group_items(p, &out->items, &out->n_items));
    } else if (in_sets && parse_is(p, TOKEN_OPEN) && p->ahead.kind == TOKEN_CLOSE) {
        out->kind = SQL_GROUP_LIST;
        parse_next(p);
        parse_next(p);
    } else {
        TRY(parse_expr(p, &out->expr));
        if (in_sets && out->expr->kind == SQL_ROW) {
            struct sql_expr *row = out->expr;
            out->expr = NULL;
            TRY(list_of_row(p, row, out));
        }
    }
    out->span.to = p->last_to;
    return parse_leave(p, &nest, &height);
}

static result parse_group_suffix(struct parser *p, struct sql_group_by *out) {
    if (parse_is_word(p, WORD_WITH) && parse_ahead_word(p, WORD_ROLLUP))
        out->suffix = SQL_GROUP_ROLLUP;
    else if (parse_is_word(p, WORD_WITH) && parse_ahead_word(p, WORD_CUBE))
        out->suffix = SQL_GROUP_CUBE;
    else if (group_word(p) == SQL_GROUP_SETS)
        out->suffix = SQL_GROUP_SETS;
    else
        return OK;
    size_t at = p->token.from;
    for (size_t i = 0; i < out->n_items; i++) {
        if (out->items[i].kind != SQL_GROUP_EXPR)
            return parse_refuse(p, at, "grouping sets are written in one place only");
    }
    parse_next(p);
    parse_next(p);
    if (out->suffix != SQL_GROUP_SETS) return OK;
    return parse_group_items(p, &out->sets, &out->n_sets);
}

static result add_group(struct parser *p, const struct sql_group *group, struct sql_group_by *out) {
    struct sql_group *slot = PARSE_PUSH(p, out->items, out->n_items);
    if (slot == NULL) return fail_memory(p->report);
    *slot = *group;
    return parse_count(p, out->n_items, p->limits.select_items, "keys in GROUP BY");
}

/* GROUP BY (a, (b, c)) groups by a, b and c; the parser has bounded how deep that goes. */
static result add_row_groups(struct parser *p, const struct sql_group *group,
                             struct sql_group_by *out) {
    if (group->kind != SQL_GROUP_EXPR || group->expr->kind != SQL_ROW)
        return add_group(p, group, out);
    const struct sql_exprs *row = &group->expr->items;
    for (size_t i = 0; i < row->n; i++) {
        struct sql_group item = {
            .kind = SQL_GROUP_EXPR, .span = row->at[i]->span, .expr = row->at[i]};
        TRY(add_row_groups(p, &item, out));
    }
    return OK;
}

result parse_group_by(struct parser *p, struct sql_group_by *out) {
    do {
        struct sql_group group = {0};
        TRY(parse_group(p, false, &group));
        TRY(add_row_groups(p, &group, out));
    } while (parse_take(p, TOKEN_COMMA));
    return parse_group_suffix(p, out);
}
