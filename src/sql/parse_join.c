/* What joins sources: joins and their conditions, lateral views. They apply from left to right. */
#include "sql/parse_inner.h"

static result parse_join_outer(struct parser *p, enum sql_word side, struct sql_join *join) {
    join->kind = side == WORD_LEFT    ? SQL_JOIN_LEFT
                 : side == WORD_RIGHT ? SQL_JOIN_RIGHT
                                      : SQL_JOIN_FULL;
    bool semi = parse_is_word(p, WORD_SEMI), anti = parse_is_word(p, WORD_ANTI);
    if (side == WORD_LEFT && (semi || anti)) {
        join->kind = semi ? SQL_JOIN_SEMI : SQL_JOIN_ANTI;
        parse_next(p);
    } else {
        (void)parse_take_word(p, WORD_OUTER);
    }
    return OK;
}

static result parse_join_kind(struct parser *p, struct sql_join *join) {
    if (parse_take(p, TOKEN_COMMA)) {
        join->kind = SQL_JOIN_COMMA;
        return OK;
    }
    join->natural = parse_take_word(p, WORD_NATURAL);
    enum sql_word word = parse_is(p, TOKEN_WORD) ? p->token.word : WORD_UNKNOWN;
    join->kind = SQL_JOIN_INNER;
    if (word != WORD_JOIN) parse_next(p);
    /* NATURAL has a condition of its own, even where CROSS stands behind it. */
    if (word == WORD_CROSS && !join->natural) join->kind = SQL_JOIN_CROSS;
    if (word == WORD_LEFT || word == WORD_RIGHT || word == WORD_FULL)
        TRY(parse_join_outer(p, word, join));
    return parse_want_word(p, WORD_JOIN);
}

static result refuse_udj(struct parser *p, size_t at) {
    result r = fail(p->report, FAIL_INPUT, "ONLY_SELECT_ALLOWED", at,
                    "a user-defined join runs foreign code");
    fail_hint(p->report, "Join with ON, or with USING (column, …).");
    return r;
}

/* A join without a condition that might still get one. */
static bool is_open(const struct sql_source *source) {
    const struct sql_join *join = &source->join;
    return source->kind == SQL_JOIN && !join->natural && join->on == NULL && join->using.n == 0 &&
           join->kind != SQL_JOIN_COMMA && join->kind != SQL_JOIN_CROSS;
}

/* a JOIN b JOIN c ON x ON y: whether y belongs to the first or to the second join is one for inner
 * joins, and nothing that we would guess for others. */
static result check_another_on(struct parser *p, const struct sql_join *join) {
    bool is_inner = join->kind == SQL_JOIN_INNER && join->left->kind == SQL_JOIN &&
                    join->left->join.kind == SQL_JOIN_INNER;
    if (is_inner || !is_open(join->left)) return OK;
    return parse_refuse(p, p->token.from,
                        "a join has one ON; join its conditions with AND, and nest joins in "
                        "parentheses");
}

static result and_on(struct parser *p, struct sql_join *join, struct sql_expr *more) {
    struct sql_expr *both = join->on;
    if (both->kind != SQL_CHAIN || both->op != SQL_OP_AND) {
        both = parse_expr_new(p, SQL_CHAIN, join->on->span.from);
        if (both == NULL) return fail_memory(p->report);
        both->op = SQL_OP_AND;
        TRY(parse_add_expr(p, &both->items, join->on, "conditions of one join"));
    }
    join->on = both;
    TRY(parse_add_expr(p, &both->items, more, "conditions of one join"));
    parse_expr_end(p, both);
    TRY(parse_raise(p, both->items.at[0]->height, &both->height));
    return parse_raise(p, more->height, &both->height);
}

/* ON x, or ON x ON y, which is ON x AND y. */
static result parse_on(struct parser *p, struct sql_join *join) {
    if (join->natural)
        return parse_refuse(p, p->token.from, "a NATURAL join has its condition already");
    parse_next(p);
    TRY(parse_expr(p, &join->on));
    if (join->kind == SQL_JOIN_CROSS || join->kind == SQL_JOIN_COMMA) join->kind = SQL_JOIN_INNER;
    while (parse_is_word(p, WORD_ON)) {
        struct sql_expr *more = NULL;
        TRY(check_another_on(p, join));
        parse_next(p);
        TRY(parse_expr(p, &more));
        TRY(and_on(p, join, more));
    }
    return OK;
}

static result parse_join_condition(struct parser *p, struct sql_join *join) {
    if (parse_is_word(p, WORD_ON)) TRY(parse_on(p, join));
    if (!parse_is_word(p, WORD_USING)) return OK;
    if (p->ahead.kind != TOKEN_OPEN) return refuse_udj(p, p->token.from);
    if (join->on != NULL || join->natural)
        return parse_refuse(p, p->token.from, "USING needs a JOIN without another condition");
    parse_next(p);
    if (join->kind == SQL_JOIN_CROSS || join->kind == SQL_JOIN_COMMA) join->kind = SQL_JOIN_INNER;
    return parse_names(p, &join->using, "a column that both sides have");
}

static result parse_join(struct parser *p, struct sql_source **source) {
    struct sql_source *left = *source;
    struct sql_source *join = parse_source_new(p, SQL_JOIN, left->span.from);
    if (join == NULL) return fail_memory(p->report);
    join->join.left = left;
    struct nest nest;
    parse_mark(p, &nest);
    TRY(parse_join_kind(p, &join->join));
    /* Behind `AS x` of a view a comma would go on with its columns, so it must not be printed. */
    if (join->join.kind == SQL_JOIN_COMMA && left->kind == SQL_LATERAL)
        join->join.kind = SQL_JOIN_CROSS;
    TRY(parse_source(p, &join->join.right));
    TRY(parse_join_condition(p, &join->join));
    join->span.to = p->last_to;
    *source = join;
    TRY(parse_raise(p, parse_below(p, &nest), &join->height));
    return parse_raise(p, left->height, &join->height);
}

result parse_lateral(struct parser *p, struct sql_source *input, struct sql_source **out) {
    struct nest nest;
    size_t from = input != NULL ? input->span.from : p->token.from;
    parse_mark(p, &nest);
    struct sql_source *source = parse_source_new(p, SQL_LATERAL, from);
    if (source == NULL) return fail_memory(p->report);
    source->lateral.input = input;
    parse_next(p);
    parse_next(p);
    if (parse_is_word(p, WORD_OUTER) && p->ahead.kind != TOKEN_OPEN) {
        source->lateral.outer = true;
        parse_next(p);
    }
    size_t at = p->token.from;
    TRY(parse_atom(p, &source->lateral.call));
    if (source->lateral.call->kind != SQL_CALL)
        return parse_refuse(p, at, "LATERAL VIEW wants a table function, such as explode(…)");
    TRY(parse_alias(p, &source->alias, "an alias for the lateral view"));
    if (parse_take_word(p, WORD_AS)) {
        do {
            struct sql_name name = {0};
            TRY(parse_name(p, &name, "the name of a column"));
            TRY(parse_add_name(p, &source->columns, &name));
        } while (parse_take(p, TOKEN_COMMA));
    }
    source->span.to = p->last_to;
    *out = source;
    TRY(parse_raise(p, parse_below(p, &nest), &source->height));
    return parse_raise(p, input != NULL ? input->height : 0, &source->height);
}

/* a JOIN b LATERAL VIEW … ON x: the condition of the inner join beneath the view, which may not
 * name what the view makes. */
static result parse_lateral_on(struct parser *p, struct sql_source *lateral) {
    struct sql_source *input = lateral;
    unsigned n_views = 0;
    if (!parse_is_word(p, WORD_ON)) return OK;
    for (; input->kind == SQL_LATERAL && input->lateral.input != NULL; n_views++)
        input = input->lateral.input;
    if (!is_open(input) || input->join.kind != SQL_JOIN_INNER)
        return parse_refuse(p, p->token.from,
                            "ON behind LATERAL VIEW needs an inner JOIN without a condition");
    TRY(parse_on(p, &input->join));
    TRY(parse_raise(p, input->join.on->height, &input->height));
    for (struct sql_source *view = lateral; view != input; view = view->lateral.input)
        TRY(parse_raise(p, input->height + --n_views, &view->height));
    return OK;
}

result parse_joined(struct parser *p, struct sql_source **source) {
    for (;;) {
        if (parse_is(p, TOKEN_COMMA) || parse_at_join(p)) {
            TRY(parse_join(p, source));
        } else if (parse_is_word(p, WORD_LATERAL) && parse_ahead_word(p, WORD_VIEW)) {
            TRY(parse_lateral(p, *source, source));
            TRY(parse_lateral_on(p, *source));
        } else {
            break;
        }
    }
    if (parse_is_word(p, WORD_USING)) return refuse_udj(p, p->token.from);
    return OK;
}

result parse_from(struct parser *p, struct sql_source **out) {
    TRY(parse_source(p, out));
    return parse_joined(p, out);
}
