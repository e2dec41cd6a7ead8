/* Queries: WITH, set operations, select blocks in both orders, and what stands behind them. */
#include "sql/parse_inner.h"

static struct sql_query *query_new(struct parser *p, enum sql_query_kind kind, size_t from) {
    struct sql_query *query = arena_new(p->arena, struct sql_query);
    if (query == NULL) {
        (void)fail_memory(p->report);
        return NULL;
    }
    query->kind = kind;
    query->id = ++p->n_ids;
    query->span.from = (uint32_t)from;
    return query;
}

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

static bool take_by(struct parser *p, enum sql_word word) {
    if (!parse_is_word(p, word) || !parse_ahead_word(p, WORD_BY)) return false;
    parse_next(p);
    parse_next(p);
    return true;
}

static result parse_zorder(struct parser *p, struct sql_names *out) {
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

static result parse_tail(struct parser *p, struct sql_tail *tail) {
    if (take_by(p, WORD_ORDER)) TRY(parse_order(p, &tail->order, &tail->n_order));
    if (take_by(p, WORD_CLUSTER)) TRY(parse_exprs(p, &tail->cluster));
    if (take_by(p, WORD_DISTRIBUTE)) TRY(parse_exprs(p, &tail->distribute));
    if (take_by(p, WORD_SORT)) TRY(parse_order(p, &tail->sort, &tail->n_sort));
    if (take_by(p, WORD_ZORDER)) TRY(parse_zorder(p, &tail->zorder));
    return parse_limit(p, &tail->limit);
}

static bool tail_is_empty(const struct sql_tail *tail) {
    return tail->n_order == 0 && tail->cluster.n == 0 && tail->distribute.n == 0 &&
           tail->n_sort == 0 && tail->zorder.n == 0 && tail->limit.count == NULL;
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

result parse_group_by(struct parser *p, struct sql_group_by *out) {
    do {
        struct sql_group group = {0};
        struct sql_group *slot = PARSE_PUSH(p, out->items, out->n_items);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, out->n_items, p->limits.select_items, "keys in GROUP BY"));
        TRY(parse_group(p, false, &group));
        out->items[out->n_items - 1] = group;
    } while (parse_take(p, TOKEN_COMMA));
    return parse_group_suffix(p, out);
}

/* -- select blocks ------------------------------------------------------------------------------
 */

static result parse_item_alias(struct parser *p, bool after_from, struct sql_item *item) {
    struct sql_name name = {0};
    bool as = parse_take_word(p, WORD_AS);
    if (as && parse_is(p, TOKEN_OPEN)) {
        item->listed = true;
        return parse_names(p, &item->aliases, "an alias");
    }
    if (!as && !parse_at_item_alias(p, after_from)) return OK;
    TRY(parse_alias(p, &name, "an alias behind AS"));
    return parse_add_name(p, &item->aliases, &name);
}

static result parse_items(struct parser *p, bool after_from, struct sql_select *select) {
    do {
        struct sql_item item = {0};
        struct sql_item *slot = PARSE_PUSH(p, select->items, select->n_items);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, select->n_items, p->limits.select_items, "columns in one SELECT"));
        TRY(parse_item(p, &item.expr));
        if (item.expr->kind != SQL_STAR) TRY(parse_item_alias(p, after_from, &item));
        select->items[select->n_items - 1] = item;
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

/* SELECT TRANSFORM (…) USING 'command' runs a process; transform(array, x -> …) is a function. */
static result refuse_transform(struct parser *p, size_t at) {
    return parse_refuse_kind(p, at, "TRANSFORM, MAP and REDUCE … USING start a process");
}

static result parse_select_clause(struct parser *p, bool after_from, struct sql_select *select) {
    size_t at = p->ahead.from;
    TRY(parse_want_word(p, WORD_SELECT));
    TRY(parse_hints(p, select));
    select->distinct = parse_is_word(p, WORD_DISTINCT);
    if (select->distinct || (parse_is_word(p, WORD_ALL) && parse_at_operand(p, 1)) ||
        (parse_is_word(p, WORD_ALL) && p->ahead.kind == TOKEN_STAR))
        parse_next(p);
    TRY(parse_items(p, after_from, select));
    if (parse_is_word(p, WORD_USING)) return refuse_transform(p, at);
    return OK;
}

static result parse_windows(struct parser *p, struct sql_select *select) {
    if (!parse_is_word(p, WORD_WINDOW) || select->n_windows > 0) return OK;
    parse_next(p);
    do {
        struct sql_window_def def = {0};
        struct sql_window_def *slot = PARSE_PUSH(p, select->windows, select->n_windows);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, select->n_windows, p->limits.select_items, "windows"));
        TRY(parse_name(p, &def.name, "the name of a window"));
        TRY(parse_want_word(p, WORD_AS));
        TRY(parse_window(p, &def.window));
        select->windows[select->n_windows - 1] = def;
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

/* WHERE … QUALIFY; each part that is there already may not come again. */
static result parse_pre(struct parser *p, struct sql_select *select) {
    if (select->where == NULL && parse_take_word(p, WORD_WHERE)) TRY(parse_expr(p, &select->where));
    if (select->group_by.n_items == 0 && take_by(p, WORD_GROUP))
        TRY(parse_group_by(p, &select->group_by));
    if (select->having == NULL && parse_take_word(p, WORD_HAVING))
        TRY(parse_expr(p, &select->having));
    TRY(parse_windows(p, select));
    if (select->qualify == NULL && parse_take_word(p, WORD_QUALIFY))
        TRY(parse_expr(p, &select->qualify));
    return parse_windows(p, select);
}

static result parse_from_clause(struct parser *p, struct sql_select *select) {
    if (parse_is_word(p, WORD_LATERAL) && parse_ahead_word(p, WORD_VIEW)) {
        while (parse_is_word(p, WORD_LATERAL) && parse_ahead_word(p, WORD_VIEW))
            TRY(parse_lateral(p, select->from, &select->from));
        return OK;
    }
    if (!parse_take_word(p, WORD_FROM)) return OK;
    TRY(parse_hints(p, select));
    return parse_from(p, &select->from);
}

static result refuse_no_select(struct parser *p) {
    if (parse_is_word(p, WORD_INSERT))
        return parse_refuse_kind(p, p->token.from, "this is an INSERT");
    if (parse_is_word(p, WORD_MAP) || parse_is_word(p, WORD_REDUCE))
        return refuse_transform(p, p->token.from);
    return OK;
}

/* SELECT … FROM … WHERE …, or FROM … [WHERE …] SELECT … [WHERE …] */
static result parse_block(struct parser *p, struct sql_query **out) {
    size_t from = p->token.from;
    struct sql_query *query = *out = query_new(p, SQL_SELECT, from);
    if (query == NULL) return fail_memory(p->report);
    struct sql_select *select = query->select = arena_new(p->arena, struct sql_select);
    if (select == NULL) return fail_memory(p->report);
    struct nest nest;
    parse_mark(p, &nest);
    if (parse_is_word(p, WORD_FROM)) {
        TRY(parse_from_clause(p, select));
        TRY(parse_pre(p, select));
        TRY(refuse_no_select(p));
        TRY(parse_select_clause(p, true, select));
    } else {
        TRY(parse_select_clause(p, false, select));
        TRY(parse_from_clause(p, select));
    }
    TRY(parse_pre(p, select));
    TRY(refuse_no_select(p));
    TRY(parse_tail(p, &query->tail));
    TRY(parse_windows(p, select));
    select->span = (struct sql_span){(uint32_t)from, p->last_to};
    query->span.to = p->last_to;
    return parse_raise(p, parse_below(p, &nest), &query->height);
}

/* -- set operations -------------------------------------------------------------------------------
 */

struct set_op {
    enum sql_set_op op;
    bool all;
};

static struct set_op take_set_op(struct parser *p) {
    struct set_op out = {SQL_MINUS, false};
    if (parse_is_word(p, WORD_UNION)) out.op = SQL_UNION;
    if (parse_is_word(p, WORD_INTERSECT)) out.op = SQL_INTERSECT;
    parse_next(p);
    out.all = parse_take_word(p, WORD_ALL);
    if (!out.all) (void)parse_take_word(p, WORD_DISTINCT);
    return out;
}

static result add_branch(struct parser *p, struct sql_query *set, struct sql_query *branch) {
    struct sql_query **slot = PARSE_PUSH(p, set->branches, set->n_branches);
    if (slot == NULL) return fail_memory(p->report);
    *slot = branch;
    TRY(parse_raise(p, branch->height, &set->height));
    return parse_count(p, set->n_branches, p->limits.in_list, "branches in a set operation");
}

/* Without a tail, a query in parentheses is the query. */
static result parse_branch(struct parser *p, struct sql_query **out) {
    if (!parse_is(p, TOKEN_OPEN)) return parse_block(p, out);
    struct nest nest;
    TRY(parse_enter(p, 1, &nest));
    parse_next(p);
    TRY(parse_query(p, out));
    TRY(parse_want(p, TOKEN_CLOSE, "')'"));
    (void)parse_below(p, &nest);
    return OK;
}

/* The tail of the last block belongs to the whole, unless parentheses close it off. */
static void move_tail(struct sql_query *set, struct sql_query *last) {
    set->tail = last->tail;
    last->tail = (struct sql_tail){0};
}

static result parse_set(struct parser *p, struct sql_query **query) {
    struct set_op op = {0};
    struct sql_query *set = NULL;
    bool in_parens = true;
    while (parse_at_set_op(p, true)) {
        struct set_op next = take_set_op(p);
        if (set == NULL || next.op != op.op || next.all != op.all) {
            set = query_new(p, SQL_SET, (*query)->span.from);
            if (set == NULL) return fail_memory(p->report);
            op = next;
            set->set_op = op.op;
            set->set_all = op.all;
            TRY(add_branch(p, set, *query));
            *query = set;
        }
        struct sql_query *branch = NULL;
        in_parens = parse_is(p, TOKEN_OPEN);
        TRY(parse_branch(p, &branch));
        TRY(add_branch(p, set, branch));
        set->span.to = p->last_to;
    }
    if (set != NULL && !in_parens) move_tail(set, set->branches[set->n_branches - 1]);
    return OK;
}

result parse_query_rest(struct parser *p, struct sql_query **query) {
    TRY(parse_set(p, query));
    if (!parse_at_tail(p)) return OK;
    if (!tail_is_empty(&(*query)->tail)) {
        result r = parse_refuse(p, p->token.from,
                                "a second ORDER BY or LIMIT stands behind a closed query");
        fail_hint(p->report, "Write SELECT * FROM (…) t ORDER BY … LIMIT ….");
        return r;
    }
    struct nest nest;
    parse_mark(p, &nest);
    TRY(parse_tail(p, &(*query)->tail));
    (*query)->span.to = p->last_to;
    return parse_raise(p, parse_below(p, &nest), &(*query)->height);
}

/* -- WITH ------------------------------------------------------------------------------------- */

static result parse_cte(struct parser *p, struct sql_cte *cte) {
    TRY(parse_name(p, &cte->name, "a name for the subquery"));
    if (parse_is(p, TOKEN_OPEN)) {
        if (p->ahead.kind == TOKEN_AT)
            return parse_refuse_kind(p, p->ahead.from, "this defines a function");
        TRY(parse_names(p, &cte->columns, "the name of a column"));
    }
    TRY(parse_want_word(p, WORD_AS));
    TRY(parse_want(p, TOKEN_OPEN, "'(' and a query"));
    struct nest nest;
    uint16_t height = 0;
    TRY(parse_enter(p, 1, &nest));
    TRY(parse_query(p, &cte->query));
    TRY(parse_leave(p, &nest, &height));
    return parse_want(p, TOKEN_CLOSE, "')'");
}

static result parse_with(struct parser *p, struct sql_cte **ctes, size_t *n) {
    struct token second = parse_peek(p, 2);
    if (parse_ahead_word(p, WORD_RECURSIVE) && second.kind != TOKEN_OPEN &&
        !token_is_word(&second, WORD_AS))
        return parse_refuse(p, p->ahead.from, "there are no recursive queries here");
    parse_next(p);
    do {
        struct sql_cte cte = {0};
        struct sql_cte *slot = PARSE_PUSH(p, *ctes, *n);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, *n, p->limits.ctes, "subqueries in WITH"));
        TRY(parse_cte(p, &cte));
        (*ctes)[*n - 1] = cte;
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

static result refuse_after_with(struct parser *p) {
    TRY(refuse_no_select(p));
    if (parse_is_word(p, WORD_DELETE) || parse_is_word(p, WORD_UPDATE) ||
        str_ieq(parse_text(p, &p->token), STR("MERGE")))
        return parse_refuse_kind(p, p->token.from, "this changes data");
    return OK;
}

static result parse_body(struct parser *p, struct sql_query **out) {
    if (!parse_is(p, TOKEN_OPEN) && !parse_is_word(p, WORD_SELECT) && !parse_is_word(p, WORD_FROM))
        return parse_expected(p, "SELECT");
    TRY(parse_branch(p, out));
    return parse_query_rest(p, out);
}

result parse_query(struct parser *p, struct sql_query **out) {
    struct nest nest;
    struct sql_cte *ctes = NULL;
    size_t n_ctes = 0, from = p->token.from;
    TRY(parse_enter(p, 1, &nest));
    if (parse_is_word(p, WORD_WITH)) {
        TRY(parse_with(p, &ctes, &n_ctes));
        TRY(refuse_after_with(p));
    }
    unsigned ctes_below = p->high;
    TRY(parse_body(p, out));
    (void)parse_below(p, &nest);
    struct sql_query *query = *out;
    if (n_ctes > 0) {
        if (query->n_ctes > 0)
            return parse_refuse(p, from, "a query in parentheses may not have a second WITH");
        query->ctes = ctes;
        query->n_ctes = n_ctes;
        query->span.from = (uint32_t)from;
    }
    return parse_raise(p, ctes_below, &query->height);
}
