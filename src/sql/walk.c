#include "sql/walk.h"

/* Inside, true means: stop. So a node's children are one `||` after the other. */

static bool walk_expr(const struct sql_visitor *v, struct sql_expr *expr, struct sql_place place);
static bool walk_query(const struct sql_visitor *v, struct sql_query *query,
                       struct sql_place place);
static bool walk_source(const struct sql_visitor *v, struct sql_source *source,
                        struct sql_place place);

static struct sql_place place_in(struct sql_place place, enum sql_clause clause) {
    place.clause = clause;
    place.in_expr = NULL;
    place.in_source = NULL;
    return place;
}

static bool walk_exprs(const struct sql_visitor *v, const struct sql_exprs *list,
                       struct sql_place place) {
    for (size_t i = 0; i < list->n; i++) {
        if (walk_expr(v, list->at[i], place)) return true;
    }
    return false;
}

static bool walk_maybe(const struct sql_visitor *v, struct sql_expr *expr, struct sql_place place) {
    return expr != NULL && walk_expr(v, expr, place);
}

static bool walk_order(const struct sql_visitor *v, struct sql_order *order, size_t n,
                       struct sql_place place) {
    for (size_t i = 0; i < n; i++) {
        if (walk_expr(v, order[i].expr, place)) return true;
    }
    return false;
}

/* -- expressions ------------------------------------------------------------------------------ */

static bool walk_window(const struct sql_visitor *v, struct sql_window *window,
                        struct sql_place place) {
    place.clause = SQL_IN_WINDOW;
    if (walk_exprs(v, &window->partition, place) ||
        walk_order(v, window->order, window->n_order, place))
        return true;
    return window->frame != NULL && (walk_maybe(v, window->frame->start.expr, place) ||
                                     walk_maybe(v, window->frame->end.expr, place));
}

static bool walk_call(const struct sql_visitor *v, struct sql_call *call, struct sql_place place) {
    if (walk_exprs(v, &call->args, place)) return true;
    struct sql_place tail = place;
    tail.clause = SQL_IN_WITHIN;
    if (walk_order(v, call->within, call->n_within, tail)) return true;
    tail.clause = SQL_IN_FILTER;
    if (walk_maybe(v, call->filter, tail)) return true;
    return call->over != NULL && walk_window(v, call->over, place);
}

static bool walk_star(const struct sql_visitor *v, struct sql_star *star, struct sql_place place) {
    for (size_t i = 0; i < star->n_replace; i++) {
        if (walk_expr(v, star->replace[i].expr, place)) return true;
    }
    return false;
}

static bool walk_case(const struct sql_visitor *v, struct sql_expr *expr, struct sql_place place) {
    if (walk_maybe(v, expr->cases.operand, place)) return true;
    for (size_t i = 0; i < expr->cases.n_whens; i++) {
        struct sql_when *when = &expr->cases.whens[i];
        if (walk_expr(v, when->when, place) || walk_expr(v, when->then, place)) return true;
    }
    return walk_maybe(v, expr->cases.otherwise, place);
}

static bool walk_children(const struct sql_visitor *v, struct sql_expr *expr,
                          struct sql_place place) {
    switch (expr->kind) {
    case SQL_LITERAL:
    case SQL_PARAM:
    case SQL_REF: return false;
    case SQL_INTERVAL: return walk_expr(v, expr->interval.value, place);
    case SQL_STAR: return walk_star(v, &expr->star, place);
    case SQL_FIELD: return walk_expr(v, expr->field.base, place);
    case SQL_INDEX:
        return walk_expr(v, expr->index.base, place) || walk_expr(v, expr->index.index, place);
    case SQL_CALL: return walk_call(v, &expr->call, place);
    case SQL_EXTRACT: return walk_expr(v, expr->extract.from, place);
    case SQL_CAST: return walk_expr(v, expr->cast.value, place);
    case SQL_CASE: return walk_case(v, expr, place);
    case SQL_UNARY:
    case SQL_IS_NULL: return walk_expr(v, expr->operand, place);
    case SQL_BINARY:
        return walk_expr(v, expr->binary.left, place) || walk_expr(v, expr->binary.right, place);
    case SQL_CHAIN:
    case SQL_ROW: return walk_exprs(v, &expr->items, place);
    case SQL_BETWEEN:
        return walk_expr(v, expr->between.value, place) || walk_expr(v, expr->between.low, place) ||
               walk_expr(v, expr->between.high, place);
    case SQL_IN_LIST:
        return walk_expr(v, expr->in.value, place) || walk_exprs(v, &expr->in.list, place);
    case SQL_IN_QUERY:
        return walk_expr(v, expr->in.value, place) || walk_query(v, expr->in.query, place);
    case SQL_EXISTS:
    case SQL_SUBQUERY: return walk_query(v, expr->query, place);
    case SQL_LAMBDA: return walk_expr(v, expr->lambda.body, place);
    }
    return true; /* no node */
}

static bool walk_expr(const struct sql_visitor *v, struct sql_expr *expr, struct sql_place place) {
    enum walk said = v->expr != NULL ? v->expr(expr, &place, v->with) : WALK_ON;
    if (said != WALK_ON) return said == WALK_STOP;
    place.in_expr = expr;
    return walk_children(v, expr, place);
}

/* -- sources ---------------------------------------------------------------------------------- */

static bool walk_values(const struct sql_visitor *v, struct sql_source *source,
                        struct sql_place place) {
    for (size_t i = 0; i < source->values.n_rows; i++) {
        if (walk_exprs(v, &source->values.rows[i].items, place)) return true;
    }
    return false;
}

static bool walk_pivot(const struct sql_visitor *v, struct sql_pivot *pivot,
                       struct sql_place place) {
    if (walk_source(v, pivot->input, place)) return true;
    for (size_t i = 0; i < pivot->n_aggregates; i++) {
        if (walk_expr(v, pivot->aggregates[i].expr, place)) return true;
    }
    for (size_t i = 0; i < pivot->n_in; i++) {
        if (walk_exprs(v, &pivot->in[i].values, place)) return true;
    }
    return false;
}

static bool walk_unpivot(const struct sql_visitor *v, struct sql_unpivot *unpivot,
                         struct sql_place place) {
    if (walk_source(v, unpivot->input, place)) return true;
    for (size_t i = 0; i < unpivot->n_in; i++) {
        if (walk_maybe(v, unpivot->in[i].label, place)) return true;
    }
    return false;
}

static bool walk_join(const struct sql_visitor *v, struct sql_join *join, struct sql_place place) {
    if (walk_source(v, join->left, place) || walk_source(v, join->right, place)) return true;
    place.clause = SQL_IN_ON;
    return walk_maybe(v, join->on, place);
}

static bool walk_lateral(const struct sql_visitor *v, struct sql_lateral *lateral,
                         struct sql_place place) {
    if (lateral->input != NULL && walk_source(v, lateral->input, place)) return true;
    place.clause = SQL_IN_LATERAL;
    return walk_expr(v, lateral->call, place);
}

static bool walk_source_children(const struct sql_visitor *v, struct sql_source *source,
                                 struct sql_place place) {
    switch (source->kind) {
    case SQL_TABLE:
        return walk_maybe(v, source->travel.from, place) ||
               walk_maybe(v, source->travel.to, place) || walk_exprs(v, &source->sample.on, place);
    case SQL_DERIVED:
        return walk_query(v, source->query, place) || walk_exprs(v, &source->sample.on, place);
    case SQL_VALUES: return walk_values(v, source, place);
    case SQL_FUNCTION:
        return walk_expr(v, source->call, place) || walk_exprs(v, &source->sample.on, place);
    case SQL_JOIN: return walk_join(v, &source->join, place);
    case SQL_LATERAL: return walk_lateral(v, &source->lateral, place);
    case SQL_PIVOT: return walk_pivot(v, source->pivot, place);
    case SQL_UNPIVOT: return walk_unpivot(v, source->unpivot, place);
    }
    return true; /* no node */
}

static bool walk_source(const struct sql_visitor *v, struct sql_source *source,
                        struct sql_place place) {
    enum walk said = v->source != NULL ? v->source(source, &place, v->with) : WALK_ON;
    if (said != WALK_ON) return said == WALK_STOP;
    place.in_expr = NULL;
    place.in_source = source;
    place.clause = SQL_IN_FROM;
    return walk_source_children(v, source, place);
}

/* -- queries ---------------------------------------------------------------------------------- */

static bool walk_groups(const struct sql_visitor *v, struct sql_group *groups, size_t n,
                        struct sql_place place) {
    for (size_t i = 0; i < n; i++) {
        if (walk_maybe(v, groups[i].expr, place) ||
            walk_groups(v, groups[i].items, groups[i].n_items, place))
            return true;
    }
    return false;
}

static bool walk_items(const struct sql_visitor *v, struct sql_select *select,
                       struct sql_place place) {
    for (size_t i = 0; i < select->n_items; i++) {
        if (walk_expr(v, select->items[i].expr, place)) return true;
    }
    return false;
}

static bool walk_select(const struct sql_visitor *v, struct sql_select *select,
                        struct sql_place place) {
    struct sql_group_by *by = &select->group_by;
    struct sql_place group = place_in(place, SQL_IN_GROUP_BY);
    if (walk_items(v, select, place_in(place, SQL_IN_SELECT)) ||
        (select->from != NULL && walk_source(v, select->from, place_in(place, SQL_IN_FROM))) ||
        walk_maybe(v, select->where, place_in(place, SQL_IN_WHERE)) ||
        walk_groups(v, by->items, by->n_items, group) ||
        walk_groups(v, by->sets, by->n_sets, group) ||
        walk_maybe(v, select->having, place_in(place, SQL_IN_HAVING)))
        return true;
    for (size_t i = 0; i < select->n_windows; i++) {
        if (walk_window(v, select->windows[i].window, place_in(place, SQL_IN_WINDOW))) return true;
    }
    return walk_maybe(v, select->qualify, place_in(place, SQL_IN_QUALIFY));
}

static bool walk_tail(const struct sql_visitor *v, struct sql_tail *tail, struct sql_place place) {
    return walk_order(v, tail->order, tail->n_order, place_in(place, SQL_IN_ORDER_BY)) ||
           walk_exprs(v, &tail->cluster, place_in(place, SQL_IN_CLUSTER_BY)) ||
           walk_exprs(v, &tail->distribute, place_in(place, SQL_IN_DISTRIBUTE_BY)) ||
           walk_order(v, tail->sort, tail->n_sort, place_in(place, SQL_IN_SORT_BY)) ||
           walk_maybe(v, tail->limit.count, place_in(place, SQL_IN_LIMIT)) ||
           walk_maybe(v, tail->limit.offset, place_in(place, SQL_IN_LIMIT));
}

static bool walk_body(const struct sql_visitor *v, struct sql_query *query,
                      struct sql_place place) {
    for (size_t i = 0; i < query->n_ctes; i++) {
        if (walk_query(v, query->ctes[i].query, place_in(place, SQL_IN_WITH))) return true;
    }
    switch (query->kind) {
    case SQL_SELECT:
        return walk_select(v, query->select, place) || walk_tail(v, &query->tail, place);
    case SQL_SET:
        for (size_t i = 0; i < query->n_branches; i++) {
            if (walk_query(v, query->branches[i], place_in(place, SQL_IN_SET))) return true;
        }
        return walk_tail(v, &query->tail, place);
    }
    return true; /* no node */
}

static bool walk_query(const struct sql_visitor *v, struct sql_query *query,
                       struct sql_place place) {
    enum walk said = v->query != NULL ? v->query(query, &place, v->with) : WALK_ON;
    if (said != WALK_ON) return said == WALK_STOP;
    struct sql_place inside = {.block = query};
    if (walk_body(v, query, inside)) return true;
    if (v->leave_query != NULL) v->leave_query(query, &place, v->with);
    return false;
}

/* -- doors ------------------------------------------------------------------------------------ */

enum walk sql_walk_query(struct sql_query *query, const struct sql_visitor *visitor) {
    return walk_query(visitor, query, (struct sql_place){0}) ? WALK_STOP : WALK_ON;
}

enum walk sql_walk_expr(struct sql_expr *expr, const struct sql_visitor *visitor) {
    return walk_expr(visitor, expr, (struct sql_place){0}) ? WALK_STOP : WALK_ON;
}

enum walk sql_walk_source(struct sql_source *source, const struct sql_visitor *visitor) {
    return walk_source(visitor, source, (struct sql_place){0}) ? WALK_STOP : WALK_ON;
}
