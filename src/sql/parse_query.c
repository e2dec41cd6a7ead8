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

static bool tail_is_empty(const struct sql_tail *tail) {
    return tail->n_order == 0 && tail->cluster.n == 0 && tail->distribute.n == 0 &&
           tail->n_sort == 0 && tail->zorder.n == 0 && tail->limit.count == NULL;
}

/* -- select blocks ------------------------------------------------------------------------------
 */

static result parse_item_alias(struct parser *p, bool after_from, struct sql_item *item) {
    struct sql_name name = {0};
    bool as = parse_take_word(p, WORD_AS);
    if (as && parse_is(p, TOKEN_OPEN)) {
        item->listed = true;
        return parse_aliases(p, &item->aliases, "an alias");
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
    if (select->group_by.n_items == 0 && parse_take_by(p, WORD_GROUP))
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

static result refuse_second_tail(struct parser *p) {
    bool is_closed = p->text.ptr[p->last_from] == ')';
    if (is_closed) {
        result r = parse_refuse(p, p->token.from,
                                "a second ORDER BY or LIMIT stands behind a closed query");
        fail_hint(p->report, "Write SELECT * FROM (…) t ORDER BY … LIMIT ….");
        return r;
    }
    struct str found = parse_text(p, &p->token);
    result r = parse_refuse(p, p->token.from, STR_FMT " stands too late, or twice", STR_ARG(found));
    fail_hint(p->report, "The order is ORDER BY, CLUSTER BY, DISTRIBUTE BY, SORT BY, LIMIT.");
    return r;
}

result parse_query_rest(struct parser *p, struct sql_query **query) {
    TRY(parse_set(p, query));
    if (!parse_at_tail(p)) return OK;
    if (!tail_is_empty(&(*query)->tail)) return refuse_second_tail(p);
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
        TRY(parse_commented_names(p, &cte->columns, "the name of a column"));
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
