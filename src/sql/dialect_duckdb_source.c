/* What DuckDB says in its own way in FROM. */
#include "sql/dialect_duckdb_inner.h"

void duck_put_made(printer *p, const struct sql_source *source) {
    sql_put(p, STR("(SELECT "));
    duck_put_rows(p, source->lateral.call, NULL);
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

bool duck_put_source(printer *p, const struct sql_source *source) {
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
    return !sql_type_is_text(set) || looks_the_same(branch);
}
