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

bool duck_put_source(printer *p, const struct sql_source *source) {
    if (source->kind == SQL_JOIN) check_join(p, &source->join);
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
