/* Deep copies of parsed trees: a node has one parent, so what is needed twice is copied. */
#include "sql/walk.h"

struct copier {
    struct arena *arena;
    bool failed;
};

static struct sql_expr *copy_expr(struct copier *c, const struct sql_expr *expr);
static struct sql_query *copy_query(struct copier *c, const struct sql_query *query);
static struct sql_source *copy_source(struct copier *c, const struct sql_source *source);

static void *copy_bytes(struct copier *c, const void *from, size_t n, size_t size) {
    if (n == 0) return NULL;
    void *out = arena_array(c->arena, n, size, _Alignof(max_align_t));
    if (out == NULL)
        c->failed = true;
    else
        memcpy(out, from, n * size);
    return out;
}

#define COPY_ARRAY(c, at, n) (at) = copy_bytes(c, at, n, sizeof *(at))
#define COPY_NODE(c, at)     (at) = copy_bytes(c, at, (at) != NULL ? 1 : 0, sizeof *(at))

static void copy_names(struct copier *c, struct sql_names *names) {
    COPY_ARRAY(c, names->at, names->n);
}

static void copy_exprs(struct copier *c, struct sql_exprs *list) {
    COPY_ARRAY(c, list->at, list->n);
    for (size_t i = 0; i < list->n && !c->failed; i++) list->at[i] = copy_expr(c, list->at[i]);
}

static void copy_order(struct copier *c, struct sql_order **order, size_t n) {
    COPY_ARRAY(c, *order, n);
    for (size_t i = 0; i < n && !c->failed; i++) (*order)[i].expr = copy_expr(c, (*order)[i].expr);
}

static struct sql_window *copy_window(struct copier *c, struct sql_window *window) {
    COPY_NODE(c, window);
    if (window == NULL) return NULL;
    copy_exprs(c, &window->partition);
    copy_order(c, &window->order, window->n_order);
    COPY_NODE(c, window->frame);
    if (window->frame != NULL) {
        window->frame->start.expr = copy_expr(c, window->frame->start.expr);
        window->frame->end.expr = copy_expr(c, window->frame->end.expr);
    }
    return window;
}

/* -- expressions ------------------------------------------------------------------------------ */

static void copy_call(struct copier *c, struct sql_call *call) {
    copy_names(c, &call->name);
    copy_exprs(c, &call->args);
    copy_order(c, &call->within, call->n_within);
    call->filter = copy_expr(c, call->filter);
    call->over = copy_window(c, call->over);
}

static void copy_star(struct copier *c, struct sql_star *star) {
    copy_names(c, &star->qualifier);
    copy_names(c, &star->except);
    COPY_ARRAY(c, star->replace, star->n_replace);
    for (size_t i = 0; i < star->n_replace && !c->failed; i++)
        star->replace[i].expr = copy_expr(c, star->replace[i].expr);
}

static void copy_case(struct copier *c, struct sql_expr *expr) {
    expr->cases.operand = copy_expr(c, expr->cases.operand);
    COPY_ARRAY(c, expr->cases.whens, expr->cases.n_whens);
    for (size_t i = 0; i < expr->cases.n_whens && !c->failed; i++) {
        struct sql_when *when = &expr->cases.whens[i];
        when->when = copy_expr(c, when->when);
        when->then = copy_expr(c, when->then);
    }
    expr->cases.otherwise = copy_expr(c, expr->cases.otherwise);
}

static void copy_children(struct copier *c, struct sql_expr *expr) {
    switch (expr->kind) {
    case SQL_LITERAL:
    case SQL_PARAM: return;
    case SQL_REF: copy_names(c, &expr->ref); return;
    case SQL_INTERVAL: expr->interval.value = copy_expr(c, expr->interval.value); return;
    case SQL_STAR: copy_star(c, &expr->star); return;
    case SQL_FIELD: expr->field.base = copy_expr(c, expr->field.base); return;
    case SQL_INDEX:
        expr->index.base = copy_expr(c, expr->index.base);
        expr->index.index = copy_expr(c, expr->index.index);
        return;
    case SQL_CALL: copy_call(c, &expr->call); return;
    case SQL_EXTRACT: expr->extract.from = copy_expr(c, expr->extract.from); return;
    case SQL_CAST: expr->cast.value = copy_expr(c, expr->cast.value); return;
    case SQL_CASE: copy_case(c, expr); return;
    case SQL_UNARY:
    case SQL_IS_NULL: expr->operand = copy_expr(c, expr->operand); return;
    case SQL_BINARY:
        expr->binary.left = copy_expr(c, expr->binary.left);
        expr->binary.right = copy_expr(c, expr->binary.right);
        return;
    case SQL_CHAIN:
    case SQL_ROW: copy_exprs(c, &expr->items); return;
    case SQL_BETWEEN:
        expr->between.value = copy_expr(c, expr->between.value);
        expr->between.low = copy_expr(c, expr->between.low);
        expr->between.high = copy_expr(c, expr->between.high);
        return;
    case SQL_IN_LIST:
    case SQL_IN_QUERY:
        expr->in.value = copy_expr(c, expr->in.value);
        copy_exprs(c, &expr->in.list);
        expr->in.query = copy_query(c, expr->in.query);
        return;
    case SQL_EXISTS:
    case SQL_SUBQUERY: expr->query = copy_query(c, expr->query); return;
    case SQL_LAMBDA:
        copy_names(c, &expr->lambda.params);
        expr->lambda.body = copy_expr(c, expr->lambda.body);
        return;
    }
    c->failed = true; /* no node */
}

static struct sql_expr *copy_expr(struct copier *c, const struct sql_expr *expr) {
    if (expr == NULL || c->failed) return NULL;
    struct sql_expr *out = copy_bytes(c, expr, 1, sizeof *expr);
    if (out == NULL) return NULL;
    out->id = 0;
    copy_children(c, out);
    return out;
}

/* -- sources ---------------------------------------------------------------------------------- */

static void copy_values(struct copier *c, struct sql_source *source) {
    COPY_ARRAY(c, source->values.rows, source->values.n_rows);
    for (size_t i = 0; i < source->values.n_rows && !c->failed; i++)
        copy_exprs(c, &source->values.rows[i].items);
}

static void copy_items(struct copier *c, struct sql_item **items, size_t n) {
    COPY_ARRAY(c, *items, n);
    for (size_t i = 0; i < n && !c->failed; i++) {
        (*items)[i].expr = copy_expr(c, (*items)[i].expr);
        copy_names(c, &(*items)[i].aliases);
    }
}

static struct sql_pivot *copy_pivot(struct copier *c, struct sql_pivot *pivot) {
    COPY_NODE(c, pivot);
    if (pivot == NULL) return NULL;
    pivot->input = copy_source(c, pivot->input);
    copy_items(c, &pivot->aggregates, pivot->n_aggregates);
    copy_names(c, &pivot->columns);
    COPY_ARRAY(c, pivot->in, pivot->n_in);
    for (size_t i = 0; i < pivot->n_in && !c->failed; i++) copy_exprs(c, &pivot->in[i].values);
    return pivot;
}

static struct sql_unpivot *copy_unpivot(struct copier *c, struct sql_unpivot *unpivot) {
    COPY_NODE(c, unpivot);
    if (unpivot == NULL) return NULL;
    unpivot->input = copy_source(c, unpivot->input);
    copy_names(c, &unpivot->values);
    COPY_ARRAY(c, unpivot->in, unpivot->n_in);
    for (size_t i = 0; i < unpivot->n_in && !c->failed; i++) {
        copy_names(c, &unpivot->in[i].columns);
        unpivot->in[i].label = copy_expr(c, unpivot->in[i].label);
    }
    return unpivot;
}

static void copy_source_children(struct copier *c, struct sql_source *source) {
    switch (source->kind) {
    case SQL_TABLE: copy_names(c, &source->table); return;
    case SQL_DERIVED: source->query = copy_query(c, source->query); return;
    case SQL_VALUES: copy_values(c, source); return;
    case SQL_FUNCTION: source->call = copy_expr(c, source->call); return;
    case SQL_JOIN:
        source->join.left = copy_source(c, source->join.left);
        source->join.right = copy_source(c, source->join.right);
        source->join.on = copy_expr(c, source->join.on);
        copy_names(c, &source->join.using);
        return;
    case SQL_LATERAL:
        source->lateral.input = copy_source(c, source->lateral.input);
        source->lateral.call = copy_expr(c, source->lateral.call);
        return;
    case SQL_PIVOT: source->pivot = copy_pivot(c, source->pivot); return;
    case SQL_UNPIVOT: source->unpivot = copy_unpivot(c, source->unpivot); return;
    }
    c->failed = true; /* no node */
}

static struct sql_source *copy_source(struct copier *c, const struct sql_source *source) {
    if (source == NULL || c->failed) return NULL;
    struct sql_source *out = copy_bytes(c, source, 1, sizeof *source);
    if (out == NULL) return NULL;
    out->id = 0;
    copy_names(c, &out->columns);
    copy_exprs(c, &out->sample.on);
    out->travel.from = copy_expr(c, out->travel.from);
    out->travel.to = copy_expr(c, out->travel.to);
    copy_source_children(c, out);
    return out;
}

/* -- queries ---------------------------------------------------------------------------------- */

static void copy_groups(struct copier *c, struct sql_group **groups, size_t n) {
    COPY_ARRAY(c, *groups, n);
    for (size_t i = 0; i < n && !c->failed; i++) {
        (*groups)[i].expr = copy_expr(c, (*groups)[i].expr);
        copy_groups(c, &(*groups)[i].items, (*groups)[i].n_items);
    }
}

static struct sql_select *copy_select(struct copier *c, struct sql_select *select) {
    COPY_NODE(c, select);
    if (select == NULL) return NULL;
    COPY_ARRAY(c, select->hints, select->n_hints);
    for (size_t i = 0; i < select->n_hints && !c->failed; i++)
        copy_exprs(c, &select->hints[i].args);
    copy_items(c, &select->items, select->n_items);
    select->from = copy_source(c, select->from);
    select->where = copy_expr(c, select->where);
    copy_groups(c, &select->group_by.items, select->group_by.n_items);
    copy_groups(c, &select->group_by.sets, select->group_by.n_sets);
    select->having = copy_expr(c, select->having);
    COPY_ARRAY(c, select->windows, select->n_windows);
    for (size_t i = 0; i < select->n_windows && !c->failed; i++)
        select->windows[i].window = copy_window(c, select->windows[i].window);
    select->qualify = copy_expr(c, select->qualify);
    return select;
}

static void copy_tail(struct copier *c, struct sql_tail *tail) {
    copy_order(c, &tail->order, tail->n_order);
    copy_exprs(c, &tail->cluster);
    copy_exprs(c, &tail->distribute);
    copy_order(c, &tail->sort, tail->n_sort);
    copy_names(c, &tail->zorder);
    tail->limit.count = copy_expr(c, tail->limit.count);
    tail->limit.offset = copy_expr(c, tail->limit.offset);
}

static void copy_ctes(struct copier *c, struct sql_query *query) {
    COPY_ARRAY(c, query->ctes, query->n_ctes);
    for (size_t i = 0; i < query->n_ctes && !c->failed; i++) {
        copy_names(c, &query->ctes[i].columns);
        query->ctes[i].query = copy_query(c, query->ctes[i].query);
    }
}

static void copy_body(struct copier *c, struct sql_query *query) {
    switch (query->kind) {
    case SQL_SELECT: query->select = copy_select(c, query->select); return;
    case SQL_SET:
        COPY_ARRAY(c, query->branches, query->n_branches);
        for (size_t i = 0; i < query->n_branches && !c->failed; i++)
            query->branches[i] = copy_query(c, query->branches[i]);
        return;
    }
    c->failed = true; /* no node */
}

static struct sql_query *copy_query(struct copier *c, const struct sql_query *query) {
    if (query == NULL || c->failed) return NULL;
    struct sql_query *out = copy_bytes(c, query, 1, sizeof *query);
    if (out == NULL) return NULL;
    out->id = 0;
    copy_ctes(c, out);
    copy_body(c, out);
    copy_tail(c, &out->tail);
    return out;
}

/* -- doors ------------------------------------------------------------------------------------ */

struct sql_expr *sql_copy_expr(struct arena *arena, const struct sql_expr *expr) {
    struct copier c = {arena, false};
    struct sql_expr *out = copy_expr(&c, expr);
    return c.failed ? NULL : out;
}

struct sql_query *sql_copy_query(struct arena *arena, const struct sql_query *query) {
    struct copier c = {arena, false};
    struct sql_query *out = copy_query(&c, query);
    return c.failed ? NULL : out;
}

struct sql_source *sql_copy_source(struct arena *arena, const struct sql_source *source) {
    struct copier c = {arena, false};
    struct sql_source *out = copy_source(&c, source);
    return c.failed ? NULL : out;
}
