/* Structural comparison of parsed trees. Offsets, ids, heights and hints do not count: none of them
 * changes what a query answers. */
#include "sql/walk.h"

bool sql_name_is_pattern(const struct sql_name *name) {
    static const bool is_special[256] = {
        ['('] = true, [')'] = true, ['['] = true, [']'] = true, ['{'] = true,
        ['}'] = true, ['|'] = true, ['*'] = true, ['+'] = true, ['?'] = true,
        ['.'] = true, ['^'] = true, ['$'] = true, ['\\'] = true};
    if (name->quoting != SQL_BACKQUOTED) return false;
    for (size_t i = 0; i < name->text.len; i++)
        if (is_special[(unsigned char)name->text.ptr[i]]) return true;
    return false;
}

static bool name_equal(const struct sql_name *a, const struct sql_name *b) {
    return sql_name_given(a) == sql_name_given(b) && str_eq(a->text, b->text);
}

static bool names_equal(const struct sql_names *a, const struct sql_names *b) {
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++) {
        if (!name_equal(&a->at[i], &b->at[i])) return false;
    }
    return true;
}

static bool exprs_equal(const struct sql_exprs *a, const struct sql_exprs *b) {
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++) {
        if (!sql_expr_equal(a->at[i], b->at[i])) return false;
    }
    return true;
}

static bool order_equal(const struct sql_order *a, size_t n_a, const struct sql_order *b,
                        size_t n_b) {
    if (n_a != n_b) return false;
    for (size_t i = 0; i < n_a; i++) {
        if (a[i].descending != b[i].descending || a[i].nulls != b[i].nulls ||
            !sql_expr_equal(a[i].expr, b[i].expr))
            return false;
    }
    return true;
}

static bool bound_equal(const struct sql_bound *a, const struct sql_bound *b) {
    return a->kind == b->kind && sql_expr_equal(a->expr, b->expr);
}

static bool frame_equal(const struct sql_frame *a, const struct sql_frame *b) {
    if (a == NULL || b == NULL) return a == b;
    return a->unit == b->unit && a->exclude == b->exclude && bound_equal(&a->start, &b->start) &&
           bound_equal(&a->end, &b->end);
}

static bool window_equal(const struct sql_window *a, const struct sql_window *b) {
    if (a == NULL || b == NULL) return a == b;
    return a->is_name == b->is_name && name_equal(&a->base, &b->base) &&
           exprs_equal(&a->partition, &b->partition) &&
           order_equal(a->order, a->n_order, b->order, b->n_order) &&
           frame_equal(a->frame, b->frame);
}

/* -- expressions ------------------------------------------------------------------------------ */

static bool call_equal(const struct sql_call *a, const struct sql_call *b) {
    return a->prefix == b->prefix && a->distinct == b->distinct &&
           names_equal(&a->name, &b->name) && exprs_equal(&a->args, &b->args) &&
           order_equal(a->within, a->n_within, b->within, b->n_within) &&
           sql_expr_equal(a->filter, b->filter) && window_equal(a->over, b->over);
}

static bool star_equal(const struct sql_star *a, const struct sql_star *b) {
    if (!names_equal(&a->qualifier, &b->qualifier) || !names_equal(&a->except, &b->except) ||
        a->n_replace != b->n_replace)
        return false;
    for (size_t i = 0; i < a->n_replace; i++) {
        if (!name_equal(&a->replace[i].name, &b->replace[i].name) ||
            !sql_expr_equal(a->replace[i].expr, b->replace[i].expr))
            return false;
    }
    return true;
}

static bool case_equal(const struct sql_expr *a, const struct sql_expr *b) {
    if (a->cases.n_whens != b->cases.n_whens || !sql_expr_equal(a->cases.operand, b->cases.operand))
        return false;
    for (size_t i = 0; i < a->cases.n_whens; i++) {
        if (!sql_expr_equal(a->cases.whens[i].when, b->cases.whens[i].when) ||
            !sql_expr_equal(a->cases.whens[i].then, b->cases.whens[i].then))
            return false;
    }
    return sql_expr_equal(a->cases.otherwise, b->cases.otherwise);
}

static bool interval_equal(const struct sql_interval *a, const struct sql_interval *b) {
    return a->from == b->from && a->to == b->to && a->precision == b->precision &&
           a->fraction == b->fraction && sql_expr_equal(a->value, b->value);
}

static bool between_equal(const struct sql_expr *a, const struct sql_expr *b) {
    return sql_expr_equal(a->between.value, b->between.value) &&
           sql_expr_equal(a->between.low, b->between.low) &&
           sql_expr_equal(a->between.high, b->between.high);
}

/* Bare `a$b` is a name; in back quotes it would be a pattern. */
static bool ref_equal(const struct sql_names *a, const struct sql_names *b) {
    if (!names_equal(a, b)) return false;
    for (size_t i = 0; i < a->n; i++) {
        if (sql_name_is_pattern(&a->at[i]) != sql_name_is_pattern(&b->at[i])) return false;
    }
    return true;
}

static bool children_equal(const struct sql_expr *a, const struct sql_expr *b) {
    switch (a->kind) {
    case SQL_LITERAL:
        return a->literal.kind == b->literal.kind && str_eq(a->literal.text, b->literal.text);
    case SQL_PARAM: return name_equal(&a->param, &b->param);
    case SQL_REF: return ref_equal(&a->ref, &b->ref);
    case SQL_INTERVAL: return interval_equal(&a->interval, &b->interval);
    case SQL_STAR: return star_equal(&a->star, &b->star);
    case SQL_FIELD:
        return name_equal(&a->field.name, &b->field.name) &&
               sql_expr_equal(a->field.base, b->field.base);
    case SQL_INDEX:
        return sql_expr_equal(a->index.base, b->index.base) &&
               sql_expr_equal(a->index.index, b->index.index);
    case SQL_CALL: return call_equal(&a->call, &b->call);
    case SQL_EXTRACT:
        return a->extract.unit == b->extract.unit &&
               sql_expr_equal(a->extract.from, b->extract.from);
    case SQL_CAST:
        return sql_type_eq(&a->cast.type, &b->cast.type) &&
               sql_expr_equal(a->cast.value, b->cast.value);
    case SQL_CASE: return case_equal(a, b);
    case SQL_UNARY:
    case SQL_IS_NULL: return sql_expr_equal(a->operand, b->operand);
    case SQL_BINARY:
        return sql_expr_equal(a->binary.left, b->binary.left) &&
               sql_expr_equal(a->binary.right, b->binary.right);
    case SQL_CHAIN:
    case SQL_ROW: return exprs_equal(&a->items, &b->items);
    case SQL_BETWEEN: return between_equal(a, b);
    case SQL_IN_LIST:
    case SQL_IN_QUERY:
        return sql_expr_equal(a->in.value, b->in.value) && exprs_equal(&a->in.list, &b->in.list) &&
               sql_equal(a->in.query, b->in.query);
    case SQL_EXISTS:
    case SQL_SUBQUERY: return sql_equal(a->query, b->query);
    case SQL_LAMBDA:
        return names_equal(&a->lambda.params, &b->lambda.params) &&
               sql_expr_equal(a->lambda.body, b->lambda.body);
    }
    return false; /* no node equals nothing */
}

bool sql_expr_equal(const struct sql_expr *a, const struct sql_expr *b) {
    if (a == NULL || b == NULL) return a == b;
    return a->kind == b->kind && a->op == b->op && a->negated == b->negated && children_equal(a, b);
}

/* -- sources ---------------------------------------------------------------------------------- */

static bool values_equal(const struct sql_source *a, const struct sql_source *b) {
    if (a->values.n_rows != b->values.n_rows) return false;
    for (size_t i = 0; i < a->values.n_rows; i++) {
        if (!exprs_equal(&a->values.rows[i].items, &b->values.rows[i].items)) return false;
    }
    return true;
}

static bool join_equal(const struct sql_join *a, const struct sql_join *b) {
    return a->kind == b->kind && a->natural == b->natural && sql_source_equal(a->left, b->left) &&
           sql_source_equal(a->right, b->right) && sql_expr_equal(a->on, b->on) &&
           names_equal(&a->using, &b->using);
}

static bool items_equal(const struct sql_item *a, size_t n_a, const struct sql_item *b,
                        size_t n_b) {
    if (n_a != n_b) return false;
    for (size_t i = 0; i < n_a; i++) {
        if (a[i].listed != b[i].listed || !names_equal(&a[i].aliases, &b[i].aliases) ||
            !sql_expr_equal(a[i].expr, b[i].expr))
            return false;
    }
    return true;
}

static bool pivot_equal(const struct sql_pivot *a, const struct sql_pivot *b) {
    if (!sql_source_equal(a->input, b->input) || !names_equal(&a->columns, &b->columns) ||
        !items_equal(a->aggregates, a->n_aggregates, b->aggregates, b->n_aggregates) ||
        a->n_in != b->n_in)
        return false;
    for (size_t i = 0; i < a->n_in; i++) {
        if (!exprs_equal(&a->in[i].values, &b->in[i].values) ||
            !name_equal(&a->in[i].alias, &b->in[i].alias))
            return false;
    }
    return true;
}

static bool unpivot_equal(const struct sql_unpivot *a, const struct sql_unpivot *b) {
    if (!sql_source_equal(a->input, b->input) || a->include_nulls != b->include_nulls ||
        !names_equal(&a->values, &b->values) || !name_equal(&a->name, &b->name) ||
        a->n_in != b->n_in)
        return false;
    for (size_t i = 0; i < a->n_in; i++) {
        if (!names_equal(&a->in[i].columns, &b->in[i].columns) ||
            !sql_expr_equal(a->in[i].label, b->in[i].label))
            return false;
    }
    return true;
}

static bool lateral_equal(const struct sql_lateral *a, const struct sql_lateral *b) {
    return a->outer == b->outer && sql_source_equal(a->input, b->input) &&
           sql_expr_equal(a->call, b->call);
}

static bool source_children_equal(const struct sql_source *a, const struct sql_source *b) {
    switch (a->kind) {
    case SQL_TABLE: return names_equal(&a->table, &b->table);
    case SQL_DERIVED: return sql_equal(a->query, b->query);
    case SQL_VALUES: return values_equal(a, b);
    case SQL_FUNCTION: return sql_expr_equal(a->call, b->call);
    case SQL_JOIN: return join_equal(&a->join, &b->join);
    case SQL_LATERAL: return lateral_equal(&a->lateral, &b->lateral);
    case SQL_PIVOT: return pivot_equal(a->pivot, b->pivot);
    case SQL_UNPIVOT: return unpivot_equal(a->unpivot, b->unpivot);
    }
    return false; /* no node equals nothing */
}

static bool sample_equal(const struct sql_sample *a, const struct sql_sample *b) {
    return a->kind == b->kind && str_eq(a->amount, b->amount) && str_eq(a->of, b->of) &&
           exprs_equal(&a->on, &b->on);
}

static bool travel_equal(const struct sql_travel *a, const struct sql_travel *b) {
    return a->kind == b->kind && a->by_version == b->by_version &&
           sql_expr_equal(a->from, b->from) && sql_expr_equal(a->to, b->to);
}

bool sql_source_equal(const struct sql_source *a, const struct sql_source *b) {
    if (a == NULL || b == NULL) return a == b;
    return a->kind == b->kind && name_equal(&a->alias, &b->alias) &&
           names_equal(&a->columns, &b->columns) && sample_equal(&a->sample, &b->sample) &&
           travel_equal(&a->travel, &b->travel) && source_children_equal(a, b);
}

/* -- queries ---------------------------------------------------------------------------------- */

static bool groups_equal(const struct sql_group *a, size_t n_a, const struct sql_group *b,
                         size_t n_b) {
    if (n_a != n_b) return false;
    for (size_t i = 0; i < n_a; i++) {
        if (a[i].kind != b[i].kind || !sql_expr_equal(a[i].expr, b[i].expr) ||
            !groups_equal(a[i].items, a[i].n_items, b[i].items, b[i].n_items))
            return false;
    }
    return true;
}

static bool group_by_equal(const struct sql_group_by *a, const struct sql_group_by *b) {
    return a->suffix == b->suffix && groups_equal(a->items, a->n_items, b->items, b->n_items) &&
           groups_equal(a->sets, a->n_sets, b->sets, b->n_sets);
}

static bool windows_equal(const struct sql_select *a, const struct sql_select *b) {
    if (a->n_windows != b->n_windows) return false;
    for (size_t i = 0; i < a->n_windows; i++) {
        if (!name_equal(&a->windows[i].name, &b->windows[i].name) ||
            !window_equal(a->windows[i].window, b->windows[i].window))
            return false;
    }
    return true;
}

static bool select_equal(const struct sql_select *a, const struct sql_select *b) {
    return a->distinct == b->distinct && items_equal(a->items, a->n_items, b->items, b->n_items) &&
           sql_source_equal(a->from, b->from) && sql_expr_equal(a->where, b->where) &&
           group_by_equal(&a->group_by, &b->group_by) && sql_expr_equal(a->having, b->having) &&
           windows_equal(a, b) && sql_expr_equal(a->qualify, b->qualify);
}

static bool ctes_equal(const struct sql_query *a, const struct sql_query *b) {
    if (a->n_ctes != b->n_ctes) return false;
    for (size_t i = 0; i < a->n_ctes; i++) {
        if (!name_equal(&a->ctes[i].name, &b->ctes[i].name) ||
            !names_equal(&a->ctes[i].columns, &b->ctes[i].columns) ||
            !sql_equal(a->ctes[i].query, b->ctes[i].query))
            return false;
    }
    return true;
}

static bool branches_equal(const struct sql_query *a, const struct sql_query *b) {
    if (a->set_op != b->set_op || a->set_all != b->set_all || a->n_branches != b->n_branches)
        return false;
    for (size_t i = 0; i < a->n_branches; i++) {
        if (!sql_equal(a->branches[i], b->branches[i])) return false;
    }
    return true;
}

static bool tail_equal(const struct sql_tail *a, const struct sql_tail *b) {
    return order_equal(a->order, a->n_order, b->order, b->n_order) &&
           exprs_equal(&a->cluster, &b->cluster) && exprs_equal(&a->distribute, &b->distribute) &&
           order_equal(a->sort, a->n_sort, b->sort, b->n_sort) &&
           names_equal(&a->zorder, &b->zorder) && sql_expr_equal(a->limit.count, b->limit.count) &&
           sql_expr_equal(a->limit.offset, b->limit.offset);
}

static bool body_equal(const struct sql_query *a, const struct sql_query *b) {
    switch (a->kind) {
    case SQL_SELECT: return select_equal(a->select, b->select);
    case SQL_SET: return branches_equal(a, b);
    }
    return false; /* no node equals nothing */
}

bool sql_equal(const struct sql_query *a, const struct sql_query *b) {
    if (a == NULL || b == NULL) return a == b;
    return a->kind == b->kind && ctes_equal(a, b) && body_equal(a, b) &&
           tail_equal(&a->tail, &b->tail);
}
