/* What a statement joins: see joins.h for the rules. */
#include "sql/joins_inner.h"

#include "base/always.h"
#include "base/limits.h"

/* Lateral views belong to what they unfold. */
static const struct resolved_source *leaf_of(const struct resolved_source *source) {
    while (source->left != NULL && source->source->kind == SQL_LATERAL) source = source->left;
    return source;
}

static bool is_strict(const struct joiner *j) {
    return !j->r->grant->allow_unapproved_join;
}

result joins_refuse(struct joiner *j, const struct resolved_source *left,
                    const struct resolved_source *right, struct sql_span span) {
    const struct resolved_source *sides[2] = {left, right};
    const struct str other = STR("another source");
    struct str names[2];
    for (size_t i = 0; i < 2; i++)
        names[i] =
            sides[i] != NULL && sides[i]->alias.len > 0 ? utf8_clip(sides[i]->alias, 64) : other;
    result refused = fail(j->report, FAIL_DENIED, "JOIN_NOT_APPROVED", span.from,
                          "no approved join relates '" STR_FMT "' and '" STR_FMT "' in this way",
                          STR_ARG(names[0]), STR_ARG(names[1]));
    fail_hint(j->report, "Join on all fields of one approved join of the catalogue, and on no "
                         "others; put further conditions into WHERE.");
    return refused;
}

/* -- counting --------------------------------------------------------------------------------- */

static uint32_t tables_of_query(struct joiner *j, const struct resolved_query *query) {
    uint32_t id = query->query->id;
    if (ALWAYS(id < j->n_ids) && j->n_tables[id] != 0) return j->n_tables[id] - 1;
    uint32_t n = 0;
    if (query->query->kind == SQL_SET) { /* branches apart: the largest counts */
        for (size_t i = 0; i < query->query->n_branches; i++) {
            uint32_t one = tables_of_query(j, query->branches[i]);
            n = one > n ? one : n;
        }
    } else if (query->from != NULL) {
        n = joins_tables_of(j, query->from);
    }
    if (ALWAYS(id < j->n_ids)) j->n_tables[id] = n + 1;
    return n;
}

uint32_t joins_tables_of(struct joiner *j, const struct resolved_source *source) {
    if (source->relation != NULL) return 1;
    if (source->query != NULL) return tables_of_query(j, source->query);
    uint32_t n = 0;
    if (source->left != NULL) n += joins_tables_of(j, source->left);
    if (source->right != NULL) n += joins_tables_of(j, source->right);
    return n < SQL_JOIN_TABLES_MAX ? n : SQL_JOIN_TABLES_MAX;
}

/* -- scans ------------------------------------------------------------------------------------ */

static void add_scans(struct joiner *j, uint32_t id, uint32_t n) {
    uint32_t sum = j->n_scans[id] + n;
    j->n_scans[id] = sum < SQL_JOIN_TABLES_MAX ? sum : SQL_JOIN_TABLES_MAX;
}

static enum walk see_scan(struct sql_source *source, const struct sql_place *place, void *with) {
    struct joiner *j = with;
    if (source->kind != SQL_TABLE || NEVER(place->block == NULL)) return WALK_ON;
    const struct resolved_source *resolved = resolved_source(j->r, source);
    bool is_cte = resolved->cte != NULL; /* walked before: it stands in front */
    add_scans(j, place->block->id, is_cte ? j->n_scans[resolved->cte->query->query->id] : 1);
    return WALK_ON;
}

static void leave_scans(struct sql_query *query, const struct sql_place *place, void *with) {
    struct joiner *j = with;
    if (place->block != NULL && place->clause != SQL_IN_WITH)
        add_scans(j, place->block->id, j->n_scans[query->id]);
}

/* n CTEs of which each reads the one before it twice are 2^n scans. */
static result check_scans(struct joiner *j) {
    struct sql_query *root = j->r->root->query;
    j->n_scans = arena_new_array(j->arena, j->n_ids + 1, uint32_t);
    if (j->n_scans == NULL) return fail_memory(j->report);
    (void)sql_walk_query(
        root, &(struct sql_visitor){.source = see_scan, .leave_query = leave_scans, .with = j});
    if (j->n_scans[root->id] <= SQL_SCANS_MAX) return OK;
    return fail(j->report, FAIL_LIMIT, "SQL_TOO_LARGE", REPORT_NO_OFFSET,
                "the statement reads tables more than %d times", SQL_SCANS_MAX);
}

/* -- following a column to its base ----------------------------------------------------------- */

static void ends_add(struct joiner *j, struct join_ends *ends, struct join_end end) {
    if (NEVER(ends->n >= SQL_JOIN_ENDS_MAX)) { /* check_scans() allows no more scans than that */
        j->failed = fail(j->report, FAIL_LIMIT, "SQL_TOO_LARGE", REPORT_NO_OFFSET,
                         "a joined column comes of more than %d columns", SQL_JOIN_ENDS_MAX);
        return;
    }
    struct join_end *place = ARENA_PUSH(j->arena, ends->at, ends->n, ends->cap);
    if (place == NULL)
        j->failed = fail_memory(j->report);
    else
        *place = end;
}

struct reference_hunt {
    const struct joiner *j;
    bool is_found;
};

static enum walk see_reference(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct reference_hunt *hunt = with;
    if (expr->kind != SQL_REF) return WALK_ON;
    const struct resolved_ref *ref = resolved_ref(hunt->j->r, expr);
    bool is_free = ALWAYS(ref != NULL) && (ref->kind == REF_PARAM || ref->kind == REF_CALL);
    if (is_free) return WALK_ON;
    hunt->is_found = true;
    return WALK_STOP;
}

static bool has_reference(const struct joiner *j, const struct sql_expr *expr) {
    struct reference_hunt hunt = {.j = j};
    struct sql_expr *node = (struct sql_expr *)(uintptr_t)expr; /* the walker may change; we not */
    (void)sql_walk_expr(node, &(struct sql_visitor){.expr = see_reference, .with = &hunt});
    return hunt.is_found;
}

static void trace(struct joiner *j, const struct resolved_column *column,
                  const struct resolved_source *leaf, struct join_ends *ends);

static void trace_output(struct joiner *j, const struct resolved_query *query, uint32_t index,
                         const struct resolved_source *leaf, struct join_ends *ends) {
    if (j->failed.why != FAIL_NONE || !ends->is_plain) return;
    if (j->steps++ > SQL_JOIN_STEPS_MAX) {
        j->failed = fail(j->report, FAIL_LIMIT, "SQL_TOO_LARGE", REPORT_NO_OFFSET,
                         "what is joined comes of too many queries");
        return;
    }
    if (query->query->kind == SQL_SET) {
        for (size_t i = 0; i < query->query->n_branches; i++)
            trace_output(j, query->branches[i], index, leaf, ends);
        return;
    }
    if (NEVER(index >= query->n_outputs)) {
        ends->is_plain = false;
        return;
    }
    const struct resolved_output *output = &query->outputs[index];
    if (output->column != NULL) {
        trace(j, output->column, leaf, ends);
        return;
    }
    const struct resolved_ref *ref =
        output->expr->kind == SQL_REF ? resolved_ref(j->r, output->expr) : NULL;
    if (ref != NULL && ref->kind == REF_COLUMN && ref->n_path == 0)
        trace(j, ref->column, leaf, ends);
    else if (has_reference(j, output->expr))
        ends->is_plain = false;
}

/* `leaf` NULL: the column's own source. */
static void trace(struct joiner *j, const struct resolved_column *column,
                  const struct resolved_source *leaf, struct join_ends *ends) {
    if (j->failed.why != FAIL_NONE) return;
    switch (column->kind) {
    case COLUMN_BASE:
        ends_add(j, ends, (struct join_end){leaf != NULL ? leaf : column->source, column});
        return;
    case COLUMN_OUTPUT:
        trace_output(j, column->source->query, column->index, leaf != NULL ? leaf : column->source,
                     ends);
        return;
    case COLUMN_MERGED: {
        const struct sql_source *join = column->source->source;
        bool is_both = NEVER(join->kind != SQL_JOIN) || join->join.kind == SQL_JOIN_FULL;
        if (is_both || join->join.kind != SQL_JOIN_RIGHT) trace(j, column->left, leaf, ends);
        if (is_both || join->join.kind == SQL_JOIN_RIGHT) trace(j, column->right, leaf, ends);
        return;
    }
    case COLUMN_KEPT: trace(j, column->left, leaf != NULL ? leaf : column->source, ends); return;
    case COLUMN_VALUE: return;
    case COLUMN_MADE:
    case COLUMN_PIVOTED:
    case COLUMN_NAMING:
    case COLUMN_TURNED: ends->is_plain = false; return;
    }
}

/* The base columns that an expression is; not plain when it is made of columns in another way. */
static struct join_ends ends_of(struct joiner *j, const struct sql_expr *expr) {
    struct join_ends ends = {.is_plain = true};
    const struct resolved_ref *ref = expr->kind == SQL_REF ? resolved_ref(j->r, expr) : NULL;
    if (ref != NULL && ref->kind == REF_COLUMN && ref->n_path == 0)
        trace(j, ref->column, NULL, &ends);
    else
        ends.is_plain = !has_reference(j, expr);
    return ends;
}

/* -- leaves that a condition touches ---------------------------------------------------------- */

struct leaves {
    struct joiner *j;
    const struct resolved_source *at[SQL_SOURCES_MAX];
    size_t n;
};

static void leaves_add(struct leaves *leaves, const struct resolved_source *source) {
    const struct resolved_source *leaf = leaf_of(source);
    if (joins_tables_of(leaves->j, leaf) == 0) return;
    for (size_t i = 0; i < leaves->n; i++)
        if (leaves->at[i] == leaf) return;
    if (ALWAYS(leaves->n < COUNT(leaves->at))) /* the resolver has counted the sources */
        leaves->at[leaves->n++] = leaf;
    else
        leaves->j->failed = fail(leaves->j->report, FAIL_LIMIT, "SQL_TOO_LARGE", REPORT_NO_OFFSET,
                                 "a condition touches more than %d tables", SQL_SOURCES_MAX);
}

static void leaves_add_column(struct leaves *leaves, const struct resolved_column *column) {
    if (column->kind == COLUMN_MERGED) {
        leaves_add_column(leaves, column->left);
        if (ALWAYS(column->source->source->kind == SQL_JOIN) &&
            column->source->source->join.kind == SQL_JOIN_FULL)
            leaves_add_column(leaves, column->right);
        return;
    }
    leaves_add(leaves, column->source);
}

static enum walk see_leaf(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct leaves *leaves = with;
    if (expr->kind != SQL_REF) return WALK_ON;
    const struct resolved_ref *ref = resolved_ref(leaves->j->r, expr);
    if (ALWAYS(ref != NULL) && ref->kind == REF_COLUMN) leaves_add_column(leaves, ref->column);
    return WALK_ON;
}

static enum walk skip_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)query;
    (void)place;
    (void)with;
    return WALK_SKIP; /* its conditions are its own */
}

static void leaves_find(struct leaves *leaves, struct sql_expr *expr) {
    struct sql_visitor visitor = {.expr = see_leaf, .query = skip_query, .with = leaves};
    (void)sql_walk_expr(expr, &visitor);
}

/* -- links and needs -------------------------------------------------------------------------- */

static void add_link(struct joiner *j, struct join_end left, struct join_end right,
                     struct sql_span span) {
    if (left.leaf == right.leaf) return;
    if (j->n_links >= SQL_JOIN_LINKS_MAX) {
        j->failed = fail(j->report, FAIL_LIMIT, "SQL_TOO_LARGE", span.from,
                         "the statement equates more than %d pairs of columns", SQL_JOIN_LINKS_MAX);
        return;
    }
    struct join_link *link = ARENA_PUSH(j->arena, j->links, j->n_links, j->cap_links);
    if (link == NULL)
        j->failed = fail_memory(j->report);
    else
        *link = (struct join_link){left, right, span};
}

static void add_need(struct joiner *j, const struct resolved_source *left,
                     const struct resolved_source *right, struct sql_span span) {
    if (j->n_needs >= SQL_JOIN_LINKS_MAX) {
        j->failed = fail(j->report, FAIL_LIMIT, "SQL_TOO_LARGE", span.from,
                         "the statement relates more than %d pairs of tables", SQL_JOIN_LINKS_MAX);
        return;
    }
    struct join_need *need = ARENA_PUSH(j->arena, j->needs, j->n_needs, j->cap_needs);
    if (need == NULL)
        j->failed = fail_memory(j->report);
    else
        *need = (struct join_need){left, right, span};
}

static void link_ends(struct joiner *j, const struct join_ends *left, const struct join_ends *right,
                      struct sql_span span) {
    for (size_t a = 0; a < left->n; a++)
        for (size_t b = 0; b < right->n && j->failed.why == FAIL_NONE; b++) {
            struct join_end one = left->at[a], two = right->at[b];
            one.leaf = leaf_of(one.leaf);
            two.leaf = leaf_of(two.leaf);
            add_link(j, one, two, span);
        }
}

/* Relates the leaves that a condition touches without an equation of columns. */
static void relate(struct joiner *j, const struct leaves *leaves, struct sql_span span) {
    for (size_t i = 1; i < leaves->n; i++) add_need(j, leaves->at[0], leaves->at[i], span);
}

static void refuse_here(struct joiner *j, const struct leaves *leaves, struct sql_span span) {
    relate(j, leaves, span);
    if (is_strict(j) && j->failed.why == FAIL_NONE)
        j->failed = joins_refuse(j, ALWAYS(leaves->n > 0) ? leaves->at[0] : NULL,
                                 leaves->n > 1 ? leaves->at[1] : NULL, span);
}

static enum walk see_equation(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct leaves *outer = with;
    bool is_equation =
        (expr->kind == SQL_BINARY &&
         (expr->op == SQL_OP_EQ || expr->op == SQL_OP_NULL_EQ || expr->op == SQL_OP_DISTINCT)) ||
        expr->kind == SQL_IN_LIST || expr->kind == SQL_CASE;
    if (!is_equation) return WALK_ON;
    struct leaves inner = {.j = outer->j};
    leaves_find(&inner, expr);
    if (inner.n < 2) return WALK_ON;
    outer->n = 2;
    return WALK_STOP;
}

static bool has_equation(struct joiner *j, struct sql_expr *expr) {
    struct leaves found = {.j = j};
    struct sql_visitor visitor = {.expr = see_equation, .query = skip_query, .with = &found};
    (void)sql_walk_expr(expr, &visitor);
    return found.n > 0;
}

static void see_condition(struct joiner *j, struct sql_expr *expr, bool is_on) {
    if (j->failed.why != FAIL_NONE) return;
    if (expr->kind == SQL_CHAIN && expr->op == SQL_OP_AND) {
        for (size_t i = 0; i < expr->items.n; i++) see_condition(j, expr->items.at[i], is_on);
        return;
    }
    struct leaves leaves = {.j = j};
    leaves_find(&leaves, expr);
    if (leaves.n < 2) return;
    bool is_equation =
        expr->kind == SQL_BINARY && (expr->op == SQL_OP_EQ || expr->op == SQL_OP_NULL_EQ);
    if (is_equation && leaves.n == 2) {
        struct join_ends left = ends_of(j, expr->binary.left);
        struct join_ends right = ends_of(j, expr->binary.right);
        if (left.is_plain && right.is_plain && left.n > 0 && right.n > 0) {
            link_ends(j, &left, &right, expr->span);
            return;
        }
    }
    if (is_on || has_equation(j, expr))
        refuse_here(j, &leaves, expr->span);
    else
        relate(j, &leaves, expr->span);
}

/* -- subqueries ------------------------------------------------------------------------------- */

/* Rule 5: one value made of all its rows. */
static bool is_total(const struct resolved_query *query, uint32_t index) {
    if (query->query->kind != SQL_SELECT || NEVER(index >= query->n_outputs)) return false;
    const struct sql_group_by *group_by = &query->query->select->group_by;
    return query->outputs[index].has_aggregate && group_by->n_items == 0;
}

/* `value` is held against output `index` of a subquery. */
static void see_membership(struct joiner *j, struct sql_expr *value,
                           const struct resolved_query *query, uint32_t index, bool is_equation,
                           struct sql_span span) {
    if (j->failed.why != FAIL_NONE) return;
    struct leaves leaves = {.j = j};
    leaves_find(&leaves, value);
    if (leaves.n == 0 || tables_of_query(j, query) == 0 || is_total(query, index)) return;
    struct join_ends left = ends_of(j, value);
    struct join_ends right = {.is_plain = true};
    trace_output(j, query, index, NULL, &right);
    if (is_equation && left.is_plain && right.is_plain && left.n > 0) {
        link_ends(j, &left, &right, span);
        return;
    }
    refuse_here(j, &leaves, span);
}

static void see_in_query(struct joiner *j, struct sql_expr *expr) {
    const struct resolved_query *query = resolved_query(j->r, expr->in.query);
    if (expr->in.value->kind != SQL_ROW) {
        see_membership(j, expr->in.value, query, 0, true, expr->span);
        return;
    }
    const struct sql_exprs *row = &expr->in.value->items;
    for (size_t i = 0; i < row->n; i++)
        see_membership(j, row->at[i], query, (uint32_t)i, true, expr->span);
}

static bool is_comparison(const struct sql_expr *expr) {
    if (expr->kind == SQL_BINARY) /* what stands behind DISTINCT are chains */
        return expr->op >= SQL_OP_EQ && ALWAYS(expr->op <= SQL_OP_DISTINCT);
    return expr->kind == SQL_BETWEEN || expr->kind == SQL_IN_LIST;
}

/* A scalar subquery beneath a comparison, at any place of it. */
static void see_scalar(struct joiner *j, const struct sql_expr *expr,
                       const struct sql_expr *parent) {
    if (parent == NULL || !is_comparison(parent)) return;
    const struct resolved_query *query = resolved_query(j->r, expr->query);
    bool is_equation =
        parent->kind == SQL_BINARY && (parent->op == SQL_OP_EQ || parent->op == SQL_OP_NULL_EQ);
    struct sql_expr *other = parent->kind == SQL_BETWEEN   ? parent->between.value
                             : parent->kind == SQL_IN_LIST ? parent->in.value
                             : parent->binary.left == expr ? parent->binary.right
                                                           : parent->binary.left;
    if (other != expr) see_membership(j, other, query, 0, is_equation, expr->span);
}

/* Rule 4. */
static void see_correlation(struct joiner *j, const struct sql_expr *expr,
                            const struct sql_query *block) {
    const struct resolved_ref *ref = resolved_ref(j->r, expr);
    if (ref == NULL || ref->kind != REF_COLUMN || ref->depth == 0) return; /* NULL: a pattern */
    const struct resolved_query *query = resolved_query(j->r, block);
    if (query->from == NULL || joins_tables_of(j, query->from) == 0) return;
    struct leaves outer = {.j = j};
    leaves_add_column(&outer, ref->column);
    if (outer.n > 0) add_need(j, outer.at[0], query->from, expr->span);
}

/* -- the statement ---------------------------------------------------------------------------- */

static enum walk go_on(const struct joiner *j) {
    return j->failed.why == FAIL_NONE ? WALK_ON : WALK_STOP;
}

static enum walk see_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct joiner *j = with;
    if (expr->kind == SQL_IN_QUERY) see_in_query(j, expr);
    if (expr->kind == SQL_SUBQUERY) see_scalar(j, expr, place->in_expr);
    if (expr->kind == SQL_REF && ALWAYS(place->block != NULL))
        see_correlation(j, expr, place->block);
    return go_on(j);
}

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct joiner *j = with;
    if (query->kind == SQL_SELECT && query->select->where != NULL)
        see_condition(j, query->select->where, false);
    const struct resolved_query *resolved = resolved_query(j->r, query);
    if (resolved->from != NULL) {
        int64_t n = joins_tables_of(j, resolved->from);
        if (n > j->found->most_tables) j->found->most_tables = n;
    }
    return go_on(j);
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    (void)place;
    struct joiner *j = with;
    if (source->kind != SQL_JOIN) return WALK_ON;
    const struct resolved_source *join = resolved_source(j->r, source);
    j->found->n_joins++;
    for (size_t i = 0; i < join->n_pairs; i++) {
        struct join_ends left = {.is_plain = true}, right = {.is_plain = true};
        trace(j, join->pairs[i].left, NULL, &left);
        trace(j, join->pairs[i].right, NULL, &right);
        if (left.is_plain && right.is_plain) {
            link_ends(j, &left, &right, source->span);
            continue;
        }
        struct leaves leaves = {.j = j};
        leaves_add_column(&leaves, join->pairs[i].left);
        leaves_add_column(&leaves, join->pairs[i].right);
        if (leaves.n > 1) refuse_here(j, &leaves, source->span);
    }
    if (source->join.on != NULL) see_condition(j, source->join.on, true);
    return go_on(j);
}

static result check_count(const struct joiner *j) {
    int64_t max = j->r->grant->max_join_tables;
    if (j->found->most_tables < 2 || j->found->most_tables <= max) return OK;
    result refused = fail(j->report, FAIL_DENIED, "TOO_MANY_JOINS", REPORT_NO_OFFSET,
                          "%lld tables are joined, and at most %lld may be",
                          (long long)j->found->most_tables, (long long)max);
    fail_hint(j->report, "Ask in several statements, or of a table that is already joined.");
    return refused;
}

result joins_check(const struct resolved *r, struct arena *arena, struct joins_found *out,
                   struct report *report) {
    *out = (struct joins_found){0};
    struct joiner j = {.r = r, .arena = arena, .report = report, .found = out, .failed = OK};
    j.n_ids = r->n_nodes;
    j.n_tables = arena_new_array(arena, j.n_ids + 1, uint32_t);
    if (j.n_tables == NULL) return fail_memory(report);
    TRY(check_scans(&j));
    struct sql_visitor visitor = {
        .expr = see_expr, .query = see_query, .source = see_source, .with = &j};
    (void)sql_walk_query(r->root->query, &visitor);
    if (j.failed.why != FAIL_NONE) return j.failed;
    TRY(check_count(&j));
    return joins_approve(&j);
}
