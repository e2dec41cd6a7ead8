/* See verify.h; the numbers in the comments are those of its list. */
#include "sql/verify.h"

#include "base/always.h"
#include "base/limits.h"
#include "base/map.h"
#include "sql/walk.h"

struct verifier {
    const struct grant *grant;
    struct arena *arena;
    struct report *report;
    struct map ctes; /* name to struct cte_place */
    result failed;
};

struct cte_place {
    uint32_t seen_from, seen_to; /* where in the text the name may stand */
};

static enum walk amiss(struct verifier *v, const char *what) {
    if (v->failed.why == FAIL_NONE)
        v->failed = fail(v->report, FAIL_DENIED, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                         "the rewritten statement was not let out: %s", what);
    return WALK_STOP;
}

static enum walk no_memory(struct verifier *v) {
    if (ALWAYS(v->failed.why == FAIL_NONE)) v->failed = fail_memory(v->report);
    return WALK_STOP;
}

/* -- columns ---------------------------------------------------------------------------------- */

static const struct grant_column *find_column(const struct grant_relation *relation,
                                              struct str name) {
    for (size_t i = 0; i < relation->schema->n_columns; i++)
        if (str_ieq(relation->schema->columns[i].name, name)) return &relation->columns[i];
    return NULL;
}

/* Neither within a denied field nor around one. */
static bool is_path_allowed(const struct grant_column *column, const struct sql_name *path,
                            size_t n_path) {
    for (size_t i = 0; i < column->n_denied_fields; i++) {
        struct str rest = column->denied_fields[i];
        size_t at = 0;
        bool is_same = true;
        while (is_same && at < n_path && rest.ptr != NULL)
            is_same = str_ieq(str_cut(&rest, '.'), path[at++].text);
        if (is_same) return false;
    }
    return true;
}

/* alias.column of an allowed column (4, 5). */
static bool is_allowed_ref(const struct grant_relation *relation, struct str alias,
                           const struct sql_expr *expr) {
    if (expr->kind != SQL_REF || expr->ref.n < 2 || !str_eq(expr->ref.at[0].text, alias))
        return false;
    const struct grant_column *column = find_column(relation, expr->ref.at[1].text);
    if (column == NULL || column->effect != GRANT_ALLOW) return false;
    return is_path_allowed(column, expr->ref.at + 2, expr->ref.n - 2);
}

/* -- texts of the policy ---------------------------------------------------------------------- */

struct qualifying {
    struct verifier *v;
    const struct grant_relation *relation;
    struct str alias;
    struct map params; /* of all its lambdas */
};

static enum walk see_params(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct qualifying *q = with;
    for (size_t i = 0; expr->kind == SQL_LAMBDA && i < expr->lambda.params.n; i++)
        if (!map_put(&q->params, expr->lambda.params.at[i].text, expr)) return no_memory(q->v);
    return WALK_ON;
}

static enum walk qualify(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct qualifying *q = with;
    if (expr->kind != SQL_REF || map_get(&q->params, expr->ref.at[0].text) != NULL) return WALK_ON;
    const struct grant_column *column = find_column(q->relation, expr->ref.at[0].text);
    if (column == NULL) return WALK_ON; /* CURRENT_DATE and its like */
    struct sql_name *parts = arena_new_array(q->v->arena, expr->ref.n + 1, struct sql_name);
    if (parts == NULL) return no_memory(q->v);
    memcpy(parts + 1, expr->ref.at, expr->ref.n * sizeof *parts);
    parts[0].text = q->alias;
    parts[1].text = q->relation->schema->columns[column - q->relation->columns].name;
    parts[1].quoting = SQL_BARE;
    expr->ref = (struct sql_names){parts, expr->ref.n + 1};
    return WALK_ON;
}

/* A filter or mask with its columns under the alias; NULL: v->failed is set. */
static struct sql_expr *policy_expr(struct verifier *v, const struct grant_relation *relation,
                                    struct str alias, struct str text) {
    struct sql_expr *expr;
    struct qualifying q = {.v = v, .relation = relation, .alias = alias};
    result parsed = sql_parse_expr(text, NULL, v->arena, &expr, NULL);
    if (parsed.why == FAIL_MEMORY) (void)no_memory(v);
    if (parsed.why != FAIL_NONE) {
        (void)amiss(v, "a text of the policy does not parse");
        return NULL;
    }
    map_init(&q.params, v->arena);
    q.params.fold_case = true;
    (void)sql_walk_expr(expr, &(struct sql_visitor){.expr = see_params, .with = &q});
    (void)sql_walk_expr(expr, &(struct sql_visitor){.expr = qualify, .with = &q});
    return v->failed.why == FAIL_NONE ? expr : NULL;
}

/* -- secured tables --------------------------------------------------------------------------- */

struct secured {
    struct verifier *v;
    const struct grant_relation *relation;
    struct str alias;
    bool is_clean;
};

static enum walk see_condition(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct secured *s = with;
    if (expr->kind != SQL_REF) return WALK_ON;
    if (expr->ref.n == 1 && find_column(s->relation, expr->ref.at[0].text) == NULL)
        return WALK_ON; /* CURRENT_DATE: no column, for all columns stand behind the alias */
    if (is_allowed_ref(s->relation, s->alias, expr)) return WALK_ON;
    s->is_clean = false;
    return WALK_STOP;
}

static enum walk see_subquery(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)query;
    (void)place;
    struct secured *s = with;
    s->is_clean = false;
    return WALK_STOP;
}

static bool reads_allowed_only(struct secured *s, struct sql_expr *expr) {
    s->is_clean = true;
    struct sql_visitor visitor = {.expr = see_condition, .query = see_subquery, .with = s};
    return sql_walk_expr(expr, &visitor) != WALK_STOP && ALWAYS(s->is_clean);
}

static bool is_and(const struct sql_expr *expr) {
    return expr->kind == SQL_CHAIN && expr->op == SQL_OP_AND;
}

static bool has_conjunct(const struct sql_expr *where, const struct sql_expr *wanted) {
    if (where == NULL) return false;
    if (!is_and(where)) return sql_expr_equal(where, wanted);
    for (size_t i = 0; i < where->items.n; i++)
        if (has_conjunct(where->items.at[i], wanted)) return true;
    return false;
}

static bool has_conjuncts(const struct sql_expr *where, const struct sql_expr *wanted) {
    if (!is_and(wanted)) return has_conjunct(where, wanted);
    for (size_t i = 0; i < wanted->items.n; i++)
        if (!has_conjuncts(where, wanted->items.at[i])) return false;
    return true;
}

struct filters {
    struct sql_expr **at;
    size_t n;
};

/* Every conjunct is a filter's, or clean (5). */
static enum walk check_rest(struct secured *s, struct sql_expr *where,
                            const struct filters *filters) {
    if (is_and(where)) {
        for (size_t i = 0; i < where->items.n; i++)
            if (check_rest(s, where->items.at[i], filters) == WALK_STOP) return WALK_STOP;
        return WALK_ON;
    }
    for (size_t i = 0; i < filters->n; i++)
        if (has_conjunct(filters->at[i], where)) return WALK_ON;
    return reads_allowed_only(s, where) ? WALK_ON
                                        : amiss(s->v, "a condition reads what is not granted (5)");
}

static enum walk check_where(struct secured *s, struct sql_expr *where) {
    const struct grant_relation *relation = s->relation;
    struct filters filters = {
        arena_new_array(s->v->arena, relation->n_row_filters, struct sql_expr *), 0};
    if (filters.at == NULL) return no_memory(s->v);
    for (size_t i = 0; i < relation->n_row_filters; i++) {
        struct sql_expr *filter = policy_expr(s->v, relation, s->alias, relation->row_filters[i]);
        if (filter == NULL) return WALK_STOP;
        if (!has_conjuncts(where, filter)) return amiss(s->v, "a row filter is missing (5)");
        filters.at[filters.n++] = filter;
    }
    return where == NULL ? WALK_ON : check_rest(s, where, &filters);
}

static enum walk check_item(struct secured *s, const struct sql_item *item) {
    const struct sql_expr *expr = item->expr;
    if (item->aliases.n > 1) return amiss(s->v, "a column has two names (4)");
    if (expr->kind == SQL_LITERAL) return WALK_ON;
    if (is_allowed_ref(s->relation, s->alias, expr)) return WALK_ON;
    const struct grant_column *column =
        item->aliases.n == 1 ? find_column(s->relation, item->aliases.at[0].text) : NULL;
    if (column == NULL || column->effect != GRANT_MASK)
        return amiss(s->v, "a column is not granted (4)");
    struct sql_expr *mask = policy_expr(s->v, s->relation, s->alias, column->mask);
    if (mask == NULL) return WALK_STOP;
    return sql_expr_equal(mask, expr) ? WALK_ON : amiss(s->v, "a mask is missing (4)");
}

static bool is_plain(const struct sql_query *query) {
    const struct sql_tail *tail = &query->tail;
    if (NEVER(query->kind != SQL_SELECT) || query->n_ctes > 0) return false; /* it holds a table */
    if (tail->n_order + tail->cluster.n + tail->distribute.n + tail->n_sort + tail->zorder.n > 0 ||
        tail->limit.count != NULL || NEVER(tail->limit.offset != NULL)) /* none without count */
        return false;
    const struct sql_select *select = query->select;
    return select->n_hints == 0 && !select->distinct && select->group_by.n_items == 0 &&
           ALWAYS(select->group_by.n_sets == 0 && select->group_by.suffix == 0) && /* of keys */
           select->having == NULL && select->n_windows == 0 && select->qualify == NULL;
}

static enum walk check_secured(struct verifier *v, const struct sql_query *query,
                               struct sql_source *table) {
    struct secured s = {.v = v, .alias = table->alias.text};
    const struct sql_names *name = &table->table;
    if (NEVER(query == NULL) || !is_plain(query) || query->select->from != table)
        return amiss(v, "a table stands outside of a secured table (3)");
    if (s.alias.len == 0 || table->columns.n > 0)
        return amiss(v, "a secured table has no alias, or renames columns (3)");
    v->failed = v->grant->find(v->grant, name->at[0].text, name->at[1].text, name->at[2].text,
                               v->arena, &s.relation, v->report);
    if (v->failed.why != FAIL_NONE) return WALK_STOP;
    if (s.relation == NULL || s.relation->effect != GRANT_ALLOW || s.relation->columns == NULL)
        return amiss(v, "a table is not granted (4)");
    for (size_t i = 0; i < query->select->n_items; i++)
        if (check_item(&s, &query->select->items[i]) == WALK_STOP) return WALK_STOP;
    for (size_t i = 0; i < table->sample.on.n; i++)
        if (!reads_allowed_only(&s, table->sample.on.at[i]))
            return amiss(v, "TABLESAMPLE reads what is not granted (5)");
    return check_where(&s, query->select->where);
}

/* -- the statement ---------------------------------------------------------------------------- */

static enum walk see_ctes(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct verifier *v = with;
    for (size_t i = 0; i < query->n_ctes; i++) {
        const struct sql_cte *cte = &query->ctes[i];
        struct cte_place *seen = arena_new(v->arena, struct cte_place);
        if (map_get(&v->ctes, cte->name.text) != NULL)
            return amiss(v, "two CTEs have one name (2)");
        if (seen == NULL || !map_put(&v->ctes, cte->name.text, seen)) return no_memory(v);
        *seen = (struct cte_place){cte->query->span.to, query->span.to};
    }
    return WALK_ON;
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    struct verifier *v = with;
    if (source->kind == SQL_FUNCTION) return amiss(v, "a function is a source (3)");
    if (source->kind != SQL_TABLE) return WALK_ON;
    if (source->table.n == 3) return check_secured(v, place->block, source);
    const struct cte_place *seen =
        source->table.n == 1 ? map_get(&v->ctes, source->table.at[0].text) : NULL;
    bool is_seen =
        seen != NULL && source->span.from >= seen->seen_from && source->span.to <= seen->seen_to;
    return is_seen ? WALK_ON : amiss(v, "a name is no CTE that is seen (2)");
}

/* The query of a secured table is a derived table, and neither a statement nor a subquery. */
static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    struct verifier *v = with;
    if (query->kind != SQL_SELECT || query->select->from == NULL) return WALK_ON;
    const struct sql_source *from = query->select->from;
    if (from->kind != SQL_TABLE || from->table.n != 3) return WALK_ON;
    if (place->in_source == NULL || place->in_source->kind != SQL_DERIVED)
        return amiss(v, "a table stands outside of a secured table (3)");
    return WALK_ON;
}

static enum walk check_limit(struct verifier *v, const struct sql_query *query, int64_t limit) {
    const struct sql_expr *count = query->tail.limit.count;
    int64_t n = 0;
    bool is_integer = count != NULL && count->kind == SQL_LITERAL &&
                      count->literal.kind == SQL_INTEGER && str_to_i64(count->literal.text, &n);
    return is_integer && n >= 1 && n <= limit ? WALK_ON : amiss(v, "LIMIT is missing (6)");
}

result verify(struct str text, const struct sql_query *meant, const struct grant *grant,
              int64_t limit, struct arena *arena, struct report *report) {
    struct verifier v = {.grant = grant, .arena = arena, .report = report, .failed = OK};
    /* Ours is longer than the client's, but not without bound. */
    struct sql_limits limits = {.bytes = 16 * SQL_BYTES_MAX,
                                .in_list = SQL_BYTES_MAX,
                                .select_items = SQL_BYTES_MAX,
                                .ctes = SQL_BYTES_MAX};
    struct sql_query *query;
    struct report inner = {0};
    result parsed = sql_parse(text, &limits, arena, &query, &inner);
    if (parsed.why == FAIL_INPUT)
        (void)amiss(&v, "it does not parse (1)");
    else if (parsed.why != FAIL_NONE)
        return fail(report, parsed.why, inner.code, REPORT_NO_OFFSET, "%s", inner.sentence);
    if (v.failed.why != FAIL_NONE) return v.failed;
    if (!sql_equal(query, meant)) (void)amiss(&v, "it is not what was meant (1)");
    map_init(&v.ctes, arena);
    v.ctes.fold_case = true;
    struct sql_visitor names = {.query = see_ctes, .with = &v};
    struct sql_visitor tables = {.query = see_query, .source = see_source, .with = &v};
    if (v.failed.why == FAIL_NONE && sql_walk_query(query, &names) == WALK_STOP)
        (void)amiss(&v, "it holds an unknown node");
    if (v.failed.why == FAIL_NONE && sql_walk_query(query, &tables) == WALK_STOP)
        (void)amiss(&v, "it holds an unknown node");
    if (v.failed.why == FAIL_NONE) (void)check_limit(&v, query, limit);
    return v.failed;
}
