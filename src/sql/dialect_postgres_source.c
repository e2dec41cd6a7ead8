/* What PostgreSQL says in its own way in FROM and in ORDER BY. */
#include "sql/dialect_postgres_inner.h"

/* -- explode ---------------------------------------------------------------------------------- */

static const struct sql_expr *exploded(printer *p, const struct sql_expr *call) {
    struct sql_type type = dialect_type(p, call->call.args.at[0]);
    bool is_flat =
        type.kind == SQL_TYPE_ARRAY && type.element != NULL && type.element->kind != SQL_TYPE_ARRAY;
    if (!is_flat) dialect_refuse(p, call->span, "explode of other than an array of plain values");
    return call->call.args.at[0];
}

void pg_put_exploded(printer *p, const struct sql_item *item) {
    const struct sql_call *call = &item->expr->call;
    if (!str_ieq(call->name.at[0].text, STR("explode")) || call->args.n != 1 ||
        item->aliases.n > 1) {
        dialect_refuse(p, item->expr->span, "this table function outside of LATERAL VIEW");
        return;
    }
    struct sql_type type = dialect_type(p, call->args.at[0]);
    dialect_wrap(p, "unnest(", sql_put_expr, exploded(p, item->expr), ")");
    if (type.element != NULL && sql_type_is_text(type.element->kind))
        sql_put(p, STR(" COLLATE \"C\""));
    if (item->aliases.n > 0) sql_put_alias(p, &item->aliases.at[0], &(struct sql_names){0});
}

/* Positions count from 0. */
void pg_put_made(printer *p, const struct sql_source *source) {
    const struct sql_expr *call = source->lateral.call;
    struct str name = call->call.name.n == 1 ? call->call.name.at[0].text : STR_NONE;
    bool is_plain = str_ieq(name, STR("explode"));
    if ((!is_plain && !str_ieq(name, STR("posexplode"))) || call->call.args.n != 1) {
        dialect_refuse(p, call->span, "the table function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
        return;
    }
    if (source->columns.n != (is_plain ? 1 : 2))
        dialect_refuse(p, call->span, "%zu names for the columns of explode", source->columns.n);
    sql_put(p, is_plain ? STR("(SELECT made.v FROM unnest(")
                        : STR("(SELECT made.n - 1, made.v FROM unnest("));
    sql_put_expr(p, exploded(p, call));
    sql_put(p, is_plain ? STR(") AS made(v))") : STR(") WITH ORDINALITY AS made(v, n))"));
    sql_put_alias(p, &source->alias, &source->columns);
}

/* -- SEMI and ANTI JOIN: a row or none beside each row of the left ---------------------------- */

bool pg_put_half_join(printer *p, const struct sql_source *source) {
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

/* -- orders ----------------------------------------------------------------------------------- */

/* Branches that do not meet in a type of their own fail there or meet by rules of their own. */
bool pg_meets(enum sql_type_kind set, enum sql_type_kind own) {
    if (set == own || own == SQL_TYPE_NULL) return true;
    if (sql_type_is_text(set)) return sql_type_is_text(own);
    if (sql_type_is_number(set)) return sql_type_is_number(own);
    return sql_type_is_time(set) && sql_type_is_time(own);
}

/* NULL is the smallest value. */
void pg_put_order(printer *p, const struct sql_order *order, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct sql_expr *key = order[i].expr;
        enum sql_nulls nulls = order[i].nulls;
        if (i > 0) sql_put(p, STR(", "));
        enum sql_type_kind kind = dialect_kind(p, key);
        if (key->kind != SQL_REF || key->ref.n != 1)
            dialect_put_sorted(p, key);
        else if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
            dialect_refuse(p, key->span, "the order of values of type %s", sql_type_name(kind));
        else
            sql_put_name(p, &key->ref.at[0]); /* an output, which has its collation */
        if (order[i].descending) sql_put(p, STR(" DESC"));
        if (nulls == SQL_NULLS_DEFAULT)
            nulls = order[i].descending ? SQL_NULLS_LAST : SQL_NULLS_FIRST;
        sql_put(p, nulls == SQL_NULLS_FIRST ? STR(" NULLS FIRST") : STR(" NULLS LAST"));
    }
}
