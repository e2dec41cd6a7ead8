/* The forms of conjuncts, and where they may travel: see partition.h. */
#include "sql/partition.h"

#include "base/always.h"
#include "base/limits.h"

struct finder {
    const struct resolved *r;
    struct arena *arena;
    struct partition_finding *findings;
    size_t steps;
    bool no_memory;
};

/* What one condition is worth for one table. */
struct worth {
    bool can_copy; /* deterministic, NULL-rejecting, cannot fail on a row */
    bool proves;   /* prunes partitions */
    bool is_partition_only;
};

static const struct worth worthless;

/* -- columns ---------------------------------------------------------------------------------- */

/* Rows pass through such a query one by one, so that a condition on its output is one on its
 * input. */
static bool is_transparent(const struct resolved_query *query) {
    const struct sql_limit *limit = &query->query->tail.limit;
    /* There is no OFFSET without LIMIT. */
    if (limit->count != NULL || NEVER(limit->offset != NULL) || query->is_correlated) return false;
    if (query->query->kind == SQL_SET) {
        for (size_t i = 0; i < query->n_outputs; i++)
            if (query->outputs[i].hidden) return false; /* positions of branches may differ */
        return true;
    }
    /* QUALIFY without a window is refused. */
    return !query->is_grouped && !query->has_window &&
           ALWAYS(query->query->select->qualify == NULL);
}

static bool can_look_into(const struct resolved_source *source) {
    if (NEVER(source->query == NULL) || !is_transparent(source->query)) return false;
    if (source->source->sample.kind != SQL_SAMPLE_NONE) return false; /* of other rows, then */
    return source->cte == NULL || source->cte->n_readers == 1;
}

static const struct resolved_column *output_column(const struct resolved *r,
                                                   const struct resolved_query *query,
                                                   uint32_t index,
                                                   const struct resolved_source *source) {
    if (query->query->kind == SQL_SET) {
        for (size_t i = 0; i < query->query->n_branches; i++) {
            const struct resolved_query *branch = query->branches[i];
            if (!is_transparent(branch) || NEVER(index >= branch->n_outputs)) continue;
            const struct resolved_column *found = output_column(r, branch, index, source);
            if (found != NULL) return found;
        }
        return NULL;
    }
    const struct resolved_output *output = &query->outputs[index];
    if (NEVER(output->hidden)) return NULL; /* who reads what is hidden has been refused */
    if (output->column != NULL) return partition_column(r, output->column, source);
    if (NEVER(output->expr == NULL) || output->expr->kind != SQL_REF) return NULL;
    const struct resolved_ref *ref = resolved_ref(r, output->expr);
    /* A query that looks outwards has not been looked into. */
    if (NEVER(ref == NULL || ref->depth != 0) || ref->kind != REF_COLUMN || ref->n_path != 0)
        return NULL;
    return partition_column(r, ref->column, source);
}

const struct resolved_column *partition_column(const struct resolved *r,
                                               const struct resolved_column *column,
                                               const struct resolved_source *source) {
    switch (column->kind) {
    case COLUMN_BASE: return column->source == source ? column : NULL;
    case COLUMN_OUTPUT:
        if (!can_look_into(column->source) ||
            NEVER(column->index >= column->source->query->n_outputs))
            return NULL;
        return output_column(r, column->source->query, column->index, source);
    case COLUMN_MERGED: {
        /* Equal on both sides of whatever row remains; FULL makes up either side. */
        const struct sql_source *join = column->source->source;
        if (NEVER(join->kind != SQL_JOIN) || join->join.kind == SQL_JOIN_FULL) return NULL;
        const struct resolved_column *found = partition_column(r, column->left, source);
        if (found != NULL || NEVER(column->right == NULL)) return found;
        return partition_column(r, column->right, source);
    }
    case COLUMN_VALUE:
    case COLUMN_MADE:
    case COLUMN_PIVOTED:
    case COLUMN_NAMING:
    case COLUMN_TURNED:
    case COLUMN_KEPT: break;
    }
    return NULL;
}

/* The column of `source` that the expression is, and nothing more; NULL: it is something else. */
static const struct grant_column *as_column(const struct finder *f, const struct sql_expr *expr,
                                            const struct resolved_source *source) {
    if (expr->kind != SQL_REF) return NULL;
    const struct resolved_ref *ref = resolved_ref(f->r, expr);
    if (NEVER(ref == NULL) || ref->kind != REF_COLUMN || ref->depth != 0 || ref->n_path != 0)
        return NULL;
    const struct resolved_column *base = partition_column(f->r, ref->column, source);
    if (base == NULL) return NULL;
    const struct grant_column *column = &source->relation->columns[base->index];
    /* A struct with a denied field is not read as a whole: enforce() has refused it. */
    return column->effect == GRANT_ALLOW && ALWAYS(column->n_denied_fields == 0) ? column : NULL;
}

/* -- constants -------------------------------------------------------------------------------- */

/* Fixed for the whole statement, though not between two of them. */
static bool is_statement_clock(const struct sql_function *function) {
    static const char *const names[] = {
        "current_date", "current_timestamp", "getdate", "localtimestamp", "now", "unix_timestamp"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(function->name, names[i]) == 0) return true;
    return false;
}

static bool is_fixed_call(const struct resolved_call *call) {
    const struct sql_function *function = NEVER(call == NULL) ? NULL : call->function;
    /* The resolver lets no other kind into WHERE and ON. */
    if (function == NULL || NEVER(function->kind != FUNCTION_SCALAR)) return false;
    if ((function->flags & (FUNCTION_RAISES | FUNCTION_REFUSED)) != 0) return false;
    if ((function->flags & FUNCTION_VOLATILE) != 0) return is_statement_clock(function);
    return true;
}

static enum walk see_constant(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    const struct resolved *r = with;
    switch (expr->kind) {
    case SQL_LITERAL:
    case SQL_INTERVAL:
    case SQL_EXTRACT:
    case SQL_CAST:
    case SQL_CASE:
    case SQL_UNARY:
    case SQL_BINARY:
    case SQL_CHAIN: return WALK_ON;
    case SQL_CALL:
        /* The resolver lets nothing more stand behind a scalar function. */
        if (is_fixed_call(resolved_call(r, expr)) &&
            ALWAYS(!expr->call.distinct && expr->call.over == NULL && expr->call.filter == NULL &&
                   expr->call.n_within == 0))
            return WALK_ON;
        break;
    case SQL_REF: {
        const struct resolved_ref *ref = resolved_ref(r, expr);
        if (ALWAYS(ref != NULL) && ref->kind == REF_CALL && ALWAYS(is_fixed_call(ref->call)))
            return WALK_SKIP; /* a clock: whoever else is called so is refused */
        break;
    }
    case SQL_PARAM:
    case SQL_STAR:
    case SQL_FIELD:
    case SQL_INDEX:
    case SQL_IS_NULL:
    case SQL_BETWEEN:
    case SQL_IN_LIST:
    case SQL_IN_QUERY:
    case SQL_EXISTS:
    case SQL_SUBQUERY:
    case SQL_ROW:
    case SQL_LAMBDA: break;
    }
    return WALK_STOP;
}

static bool is_constant(const struct finder *f, struct sql_expr *expr) {
    if (expr->kind == SQL_LITERAL) return true;
    void *r = (void *)(uintptr_t)f->r; /* which the visitor only reads */
    struct sql_visitor visitor = {.expr = see_constant, .with = r};
    return sql_walk_expr(expr, &visitor) != WALK_STOP;
}

/* Comparing a text column with anything but text converts the column, row by row, and that may
 * fail on a row that the caller must not know of. */
static bool compares_safely(const struct finder *f, const struct grant_column *column,
                            const struct sql_expr *constant) {
    enum sql_type_kind left =
        column->schema->type == NULL ? SQL_TYPE_UNKNOWN : column->schema->type->kind;
    enum sql_type_kind right = resolved_type(f->r, constant).kind;
    if (left == SQL_TYPE_UNKNOWN || right == SQL_TYPE_UNKNOWN) return false;
    return !sql_type_is_text(left) || sql_type_is_text(right);
}

/* -- conditions ------------------------------------------------------------------------------- */

static struct worth worth_of_column(const struct grant_column *column, bool can_copy, bool prunes) {
    bool is_partition = column->schema->is_partition;
    return (struct worth){can_copy, prunes && is_partition, is_partition};
}

/* 'abc%' names a range of partitions, '%abc' all of them. */
static bool is_prefix_pattern(const struct sql_expr *pattern) {
    if (pattern->kind != SQL_LITERAL || pattern->literal.kind != SQL_STRING) return false;
    struct str text = pattern->literal.text;
    return text.len > 0 && text.ptr[0] != '%' && text.ptr[0] != '_';
}

static struct worth worth_of_binary(const struct finder *f, const struct sql_expr *expr,
                                    const struct resolved_source *source) {
    struct sql_expr *constant = expr->binary.right;
    const struct grant_column *column = as_column(f, expr->binary.left, source);
    if (column == NULL && expr->op != SQL_OP_LIKE) {
        constant = expr->binary.left;
        column = as_column(f, expr->binary.right, source);
    }
    if (column == NULL || !is_constant(f, constant)) return worthless;
    bool is_safe = compares_safely(f, column, constant);
    if (expr->op == SQL_OP_EQ || (expr->op >= SQL_OP_LT && expr->op <= SQL_OP_GE))
        return worth_of_column(column, is_safe, true);
    if (expr->op == SQL_OP_NE) return worth_of_column(column, is_safe, false);
    if (expr->op == SQL_OP_LIKE && column->schema->type != NULL &&
        sql_type_is_text(column->schema->type->kind))
        return worth_of_column(column, is_safe, !expr->negated && is_prefix_pattern(constant));
    return worthless;
}

static struct worth worth_of_list(const struct finder *f, const struct sql_expr *expr,
                                  const struct resolved_source *source) {
    const struct grant_column *column = as_column(f, expr->in.value, source);
    if (column == NULL) return worthless;
    bool is_safe = true;
    for (size_t i = 0; i < expr->in.list.n; i++) {
        if (!is_constant(f, expr->in.list.at[i])) return worthless;
        is_safe = is_safe && compares_safely(f, column, expr->in.list.at[i]);
    }
    return worth_of_column(column, is_safe, !expr->negated);
}

static struct worth worth_of_between(const struct finder *f, const struct sql_expr *expr,
                                     const struct resolved_source *source) {
    const struct grant_column *column = as_column(f, expr->between.value, source);
    if (column == NULL || !is_constant(f, expr->between.low) || !is_constant(f, expr->between.high))
        return worthless;
    bool is_safe = compares_safely(f, column, expr->between.low) &&
                   compares_safely(f, column, expr->between.high);
    return worth_of_column(column, is_safe, !expr->negated);
}

static struct worth worth_of(const struct finder *f, const struct sql_expr *expr,
                             const struct resolved_source *source);

/* AND: every part may be repeated only together, and one part that prunes is enough. OR: every
 * branch must do. */
static struct worth worth_of_chain(const struct finder *f, const struct sql_expr *expr,
                                   const struct resolved_source *source) {
    bool is_and = expr->op == SQL_OP_AND;
    struct worth all = {true, !is_and, true};
    for (size_t i = 0; i < expr->items.n; i++) {
        struct worth one = worth_of(f, expr->items.at[i], source);
        all.can_copy = all.can_copy && one.can_copy;
        all.is_partition_only = all.is_partition_only && one.is_partition_only;
        all.proves = is_and ? all.proves || one.proves : all.proves && one.proves;
    }
    return all;
}

static struct worth worth_of(const struct finder *f, const struct sql_expr *expr,
                             const struct resolved_source *source) {
    switch (expr->kind) {
    case SQL_BINARY: return worth_of_binary(f, expr, source);
    case SQL_IN_LIST: return worth_of_list(f, expr, source);
    case SQL_BETWEEN: return worth_of_between(f, expr, source);
    case SQL_CHAIN:
        if (expr->op == SQL_OP_AND || expr->op == SQL_OP_OR) return worth_of_chain(f, expr, source);
        return worthless;
    case SQL_IS_NULL: {
        const struct grant_column *column = as_column(f, expr->operand, source);
        if (column == NULL || !expr->negated) return worthless;
        return worth_of_column(column, true, false);
    }
    case SQL_LITERAL:
    case SQL_INTERVAL:
    case SQL_PARAM:
    case SQL_REF:
    case SQL_STAR:
    case SQL_FIELD:
    case SQL_INDEX:
    case SQL_CALL:
    case SQL_EXTRACT:
    case SQL_CAST:
    case SQL_CASE:
    case SQL_UNARY:
    case SQL_IN_QUERY:
    case SQL_EXISTS:
    case SQL_SUBQUERY:
    case SQL_ROW:
    case SQL_LAMBDA: break;
    }
    return worthless;
}

/* -- travel ----------------------------------------------------------------------------------- */

struct condition {
    struct finder *finder;
    struct sql_expr *expr;
    const struct resolved_source *source; /* the table in question */
    struct partition_finding *finding;
};

static enum walk note_proven(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct condition *c = with;
    const struct grant_column *column = as_column(c->finder, expr, c->source);
    if (column == NULL || !column->schema->is_partition) return WALK_ON;
    uint32_t index = (uint32_t)(column - c->source->relation->columns);
    struct partition_finding *g = c->finding;
    for (size_t i = 0; i < g->n_proven; i++)
        if (g->proven[i] == index) return WALK_ON;
    uint32_t *slot = ARENA_PUSH(c->finder->arena, g->proven, g->n_proven, g->cap_proven);
    if (slot == NULL) {
        c->finder->no_memory = true;
        return WALK_STOP;
    }
    *slot = index;
    return WALK_ON;
}

static void offer_to_table(struct finder *f, struct sql_expr *expr,
                           const struct resolved_source *source) {
    struct partition_finding *finding = &f->findings[source->number];
    struct worth worth = worth_of(f, expr, source);
    bool is_filtered = source->relation->n_row_filters > 0;
    bool has_room = finding->n_copies < SQL_COPIES_MAX;
    if (worth.can_copy && has_room && (!is_filtered || partition_is_harmless(f->r, expr))) {
        struct partition_copy *copy =
            ARENA_PUSH(f->arena, finding->copies, finding->n_copies, finding->cap_copies);
        if (copy == NULL) {
            f->no_memory = true;
            return;
        }
        *copy = (struct partition_copy){expr, worth.is_partition_only};
    }
    if (!worth.proves) return;
    finding->is_proven = true;
    struct condition c = {f, expr, source, finding};
    (void)sql_walk_expr(expr, &(struct sql_visitor){.expr = note_proven, .with = &c});
}

static void offer(struct finder *f, struct sql_expr *expr, const struct resolved_source *side);

static void offer_to_query(struct finder *f, struct sql_expr *expr,
                           const struct resolved_query *query) {
    if (!is_transparent(query)) return;
    if (query->query->kind == SQL_SET) {
        size_t n = query->query->n_branches;
        f->steps += n * n; /* what each table asks of the column, it asks of all branches */
        for (size_t i = 0; i < n; i++) offer_to_query(f, expr, query->branches[i]);
    } else if (query->from != NULL) {
        offer(f, expr, query->from);
    }
}

/* Offers one conjunct to every table at and beneath `side`. */
static void offer(struct finder *f, struct sql_expr *expr, const struct resolved_source *side) {
    /* Past the budget findings are fewer, which is safe. */
    if (f->no_memory || f->steps > SQL_PUSH_STEPS_MAX) return;
    f->steps += 1 + side->n_leaves;
    switch (side->source->kind) {
    case SQL_JOIN:
        offer(f, expr, side->left);
        offer(f, expr, side->right);
        return;
    case SQL_LATERAL:
        if (side->left != NULL) offer(f, expr, side->left); /* it may stand without FROM */
        return;
    case SQL_TABLE:
        if (side->relation != NULL) {
            offer_to_table(f, expr, side);
            return;
        }
        if (can_look_into(side)) offer_to_query(f, expr, side->query);
        return;
    case SQL_DERIVED:
        if (can_look_into(side)) offer_to_query(f, expr, side->query);
        return;
    case SQL_VALUES:
    case SQL_FUNCTION:
    case SQL_PIVOT:
    case SQL_UNPIVOT: return;
    }
}

static void offer_conjuncts(struct finder *f, struct sql_expr *expr,
                            const struct resolved_source *side) {
    if (expr->kind == SQL_CHAIN && expr->op == SQL_OP_AND) {
        for (size_t i = 0; i < expr->items.n; i++) offer_conjuncts(f, expr->items.at[i], side);
        return;
    }
    offer(f, expr, side);
}

/* ON filters a side only where a row of that side without a partner goes away. */
static void offer_on(struct finder *f, const struct resolved_source *source) {
    const struct sql_join *join = &source->source->join;
    if (join->on == NULL) return;
    bool left = false, right = false;
    switch (join->kind) {
    case SQL_JOIN_COMMA:
    case SQL_JOIN_CROSS:
    case SQL_JOIN_INNER:
    case SQL_JOIN_SEMI: left = right = true; break;
    case SQL_JOIN_LEFT:
    case SQL_JOIN_ANTI: right = true; break;
    case SQL_JOIN_RIGHT: left = true; break;
    case SQL_JOIN_FULL: break;
    }
    if (left) offer_conjuncts(f, join->on, source->left);
    if (right) offer_conjuncts(f, join->on, source->right);
}

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct finder *f = with;
    if (query->kind != SQL_SELECT || query->select->where == NULL) return WALK_ON;
    const struct resolved_query *block = resolved_query(f->r, query);
    if (block->from != NULL) offer_conjuncts(f, query->select->where, block->from);
    return f->no_memory ? WALK_STOP : WALK_ON;
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    (void)place;
    struct finder *f = with;
    if (source->kind == SQL_JOIN) offer_on(f, resolved_source(f->r, source));
    return f->no_memory ? WALK_STOP : WALK_ON;
}

static void note_partitioned(struct finder *f) {
    for (size_t i = 0; i < f->r->n_sources; i++) {
        const struct grant_relation *relation = f->r->sources[i]->relation;
        if (relation == NULL) continue;
        for (size_t c = 0; c < relation->schema->n_columns; c++)
            if (relation->schema->columns[c].is_partition) f->findings[i].is_partitioned = true;
    }
}

result partition_find(const struct resolved *r, struct arena *arena, struct partition_finding **out,
                      struct report *report) {
    struct finder f = {.r = r, .arena = arena};
    f.findings = arena_new_array(arena, r->n_sources, struct partition_finding);
    if (f.findings == NULL) return fail_memory(report);
    note_partitioned(&f);
    struct sql_visitor visitor = {.query = see_query, .source = see_source, .with = &f};
    (void)sql_walk_query(r->root->query, &visitor);
    if (f.no_memory) return fail_memory(report);
    *out = f.findings;
    return OK;
}
