/* What DuckDB says in its own way in FROM. */
#include "sql/dialect_duckdb_inner.h"

void duck_put_made(printer *p, const struct sql_source *source) {
    sql_put(p, STR("(SELECT "));
    duck_put_rows(p, source->lateral.call, NULL);
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

/* Joins that keep rows without a partner know only the columns of their two sides. */
static void check_join(printer *p, const struct sql_join *join) {
    bool is_inner = join->kind == SQL_JOIN_INNER || join->kind == SQL_JOIN_CROSS ||
                    join->kind == SQL_JOIN_COMMA;
    struct dialect_reads on = dialect_reads(p, is_inner ? NULL : join->on);
    if (on.outer)
        dialect_refuse(p, join->on->span, "a column of a query around in ON of this join");
    if (on.queries)
        dialect_refuse(p, join->on->span, "a sub-query in ON of a join that is not inner");
}

static bool is_bound(const printer *p, const struct resolved_source *source, bool by_cte);

static bool is_bound_query(const printer *p, const struct resolved_query *query, bool by_cte) {
    bool is_set = query->query->kind == SQL_SET;
    for (size_t i = 0; is_set && i < query->query->n_branches; i++)
        if (is_bound_query(p, query->branches[i], by_cte)) return true;
    return query->is_correlated || is_bound(p, query->from, by_cte);
}

/* It hangs on a query around: by a column of that, or as a CTE that a correlated query reads. */
static bool is_bound(const printer *p, const struct resolved_source *source, bool by_cte) {
    if (source == NULL) return false;
    const struct sql_source *as = source->source;
    if (source->cte != NULL) return by_cte;
    if (as->kind == SQL_LATERAL && dialect_reads(p, as->lateral.call).outer) return true;
    if (source->query != NULL && is_bound_query(p, source->query, by_cte)) return true;
    return is_bound(p, source->left, by_cte) || is_bound(p, source->right, by_cte);
}

/* Of joins with such a side DuckDB knows INNER, LEFT and RIGHT. */
static void check_sides(printer *p, const struct sql_source *source) {
    enum sql_join_kind kind = source->join.kind;
    bool is_odd = kind == SQL_JOIN_FULL || kind == SQL_JOIN_SEMI || kind == SQL_JOIN_ANTI;
    const struct resolved_source *join = is_odd ? dialect_resolved(p, source) : NULL;
    if (join != NULL && is_bound(p, join, join->block->is_correlated))
        dialect_refuse(p, source->span, "this join in a query that reads columns of one around");
}

bool duck_put_source(printer *p, const struct sql_source *source) {
    if (source->kind == SQL_JOIN) check_join(p, &source->join);
    if (source->kind == SQL_JOIN) check_sides(p, source);
    if (source->kind == SQL_PIVOT) duck_put_pivot(p, source);
    if (source->kind == SQL_UNPIVOT) duck_put_unpivot(p, source);
    return source->kind == SQL_PIVOT || source->kind == SQL_UNPIVOT;
}

/* Where branches of a set operation meet in text, DuckDB writes numbers and times by its own
 * rules; only integers, dates and truth values look the same in both. */
static bool looks_the_same(enum sql_type_kind kind) {
    return sql_type_is_text(kind) || sql_type_is_integer(kind) || kind == SQL_TYPE_NULL ||
           kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_DATE || kind == SQL_TYPE_UNKNOWN;
}

bool duck_meets(enum sql_type_kind set, enum sql_type_kind branch) {
    if (sql_type_is_text(set)) return looks_the_same(branch);
    if (set == branch || branch == SQL_TYPE_NULL || branch == SQL_TYPE_UNKNOWN) return true;
    if (sql_type_is_number(set)) return sql_type_is_number(branch);
    return sql_type_is_time(set) && sql_type_is_time(branch);
}
