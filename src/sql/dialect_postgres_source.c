/* What PostgreSQL says in its own way in FROM and in ORDER BY. */
#include "sql/dialect_postgres_inner.h"

/* -- LATERAL VIEW ----------------------------------------------------------------------------- */

void pg_put_made(printer *p, const struct sql_source *source) {
    sql_put(p, STR("(SELECT "));
    pg_put_rows(p, source->lateral.call, NULL, source->columns.n);
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

/* -- SEMI and ANTI JOIN: a row or none beside each row of the left ---------------------------- */

static bool put_half_join(printer *p, const struct sql_source *source) {
    const struct sql_join *join = &source->join;
    if (join->kind != SQL_JOIN_SEMI && join->kind != SQL_JOIN_ANTI) return false;
    sql_put_source(p, join->left);
    sql_put(p, STR(" CROSS JOIN LATERAL (SELECT 1 WHERE "));
    if (join->kind == SQL_JOIN_ANTI) sql_put(p, STR("NOT "));
    sql_put(p, STR("EXISTS (SELECT 1 FROM "));
    sql_put_source(p, join->right);
    if (join->on != NULL) sql_put(p, STR(" WHERE "));
    if (join->on != NULL) sql_put_expr(p, join->on);
    sql_putf(p, ")) AS weir_half_%lu", (unsigned long)source->id);
    return true;
}

/* -- all -------------------------------------------------------------------------------------- */

bool pg_put_source(printer *p, const struct sql_source *source) {
    if (source->kind == SQL_JOIN) return put_half_join(p, source);
    if (source->kind == SQL_PIVOT) pg_put_pivot(p, source);
    if (source->kind == SQL_UNPIVOT) pg_put_unpivot(p, source);
    return source->kind == SQL_PIVOT || source->kind == SQL_UNPIVOT;
}

/* -- orders ----------------------------------------------------------------------------------- */

/* Branches that do not meet in a type of their own fail there or meet by rules of their own. */
bool pg_meets(enum sql_type_kind set, enum sql_type_kind own) {
    if (set == own || own == SQL_TYPE_NULL) return true;
    if (sql_type_is_text(set)) return sql_type_is_text(own);
    if (sql_type_is_number(set)) return sql_type_is_number(own);
    return sql_type_is_time(set) && sql_type_is_time(own);
}

void pg_put_output(printer *p, const struct sql_expr *key) {
    enum sql_type_kind kind = dialect_kind(p, key);
    if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
        dialect_refuse(p, key->span, "the order of values of type %s", sql_type_name(kind));
    sql_put_name(p, &key->ref.at[0]);
}

/* NULL is the smallest value. */
void pg_put_direction(printer *p, const struct sql_order *order) {
    enum sql_nulls nulls = order->nulls;
    if (nulls == SQL_NULLS_DEFAULT) nulls = order->descending ? SQL_NULLS_LAST : SQL_NULLS_FIRST;
    if (order->descending) sql_put(p, STR(" DESC"));
    sql_put(p, nulls == SQL_NULLS_FIRST ? STR(" NULLS FIRST") : STR(" NULLS LAST"));
}

void pg_put_order(printer *p, const struct sql_order *order, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct sql_expr *key = order[i].expr;
        if (i > 0) sql_put(p, STR(", "));
        if (key->kind == SQL_REF && key->ref.n == 1 && !dialect_is_bare_call(p, key))
            pg_put_output(p, key);
        else
            dialect_put_sorted(p, key);
        pg_put_direction(p, &order[i]);
    }
}
