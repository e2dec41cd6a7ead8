/* What stands in FROM, GROUP BY and behind a query. */
#include "base/list.h"
#include "sql/dialect_postgres_inner.h"

/* -- tables ----------------------------------------------------------------------------------- */

static void put_doubled(printer *p, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') sql_put_byte(p, '"');
        sql_put_byte(p, text.ptr[i]);
    }
}

/* project.default.t is "project"."t"; project.schema.t is "project.schema"."t". */
static void put_table(printer *p, const struct sql_source *source) {
    const struct sql_names *table = &source->table;
    if (table->n == 3) {
        bool is_default = str_ieq(table->at[1].text, STR("default"));
        sql_put_byte(p, '"');
        put_doubled(p, table->at[0].text);
        if (!is_default) sql_put_byte(p, '.');
        if (!is_default) put_doubled(p, table->at[1].text);
        sql_put(p, STR("\"."));
        sql_put_name(p, &table->at[2]);
    } else {
        sql_put_path(p, table);
    }
    sql_put_alias(p, &source->alias, &source->columns);
}

/* -- VALUES ----------------------------------------------------------------------------------- */

static const struct resolved_source *resolved_of(const printer *p,
                                                 const struct sql_source *source) {
    const struct ruled *ruled = p->with;
    if (ruled == NULL || source->id == 0 || source->id >= ruled->first_made) return NULL;
    return resolved_source(ruled->resolved, source);
}

/* Every row is turned into the common types of the columns. */
static void put_values(printer *p, const struct sql_source *source) {
    const struct resolved_source *resolved = resolved_of(p, source);
    sql_put(p, STR("(VALUES "));
    for (size_t i = 0; i < source->values.n_rows; i++) {
        const struct sql_exprs *items = &source->values.rows[i].items;
        sql_put(p, i == 0 ? STR("(") : STR(", ("));
        for (size_t c = 0; c < items->n; c++) {
            if (c > 0) sql_put(p, STR(", "));
            if (resolved != NULL && c < resolved->n_columns)
                pg_put_common(p, items->at[c], &resolved->columns[c].type);
            else
                sql_put_expr(p, items->at[c]);
        }
        sql_put_byte(p, ')');
    }
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

/* -- LATERAL VIEW: a derived table that sees what stands before it ------------------------------
 */

static const struct sql_expr *exploded(printer *p, const struct sql_expr *call) {
    struct sql_type type = pg_type(p, call->call.args.at[0]);
    bool is_flat =
        type.kind == SQL_TYPE_ARRAY && type.element != NULL && type.element->kind != SQL_TYPE_ARRAY;
    if (!is_flat) pg_refuse(p, call->span, "explode of other than an array of plain values");
    return call->call.args.at[0];
}

void pg_put_exploded(printer *p, const struct sql_item *item) {
    const struct sql_call *call = &item->expr->call;
    if (!str_ieq(call->name.at[0].text, STR("explode")) || call->args.n != 1 ||
        item->aliases.n > 1) {
        pg_refuse(p, item->expr->span, "this table function outside of LATERAL VIEW");
        return;
    }
    struct sql_type type = pg_type(p, call->args.at[0]);
    pg_wrap(p, "unnest(", sql_put_expr, exploded(p, item->expr), ")");
    if (type.element != NULL && sql_type_is_text(type.element->kind))
        sql_put(p, STR(" COLLATE \"C\""));
    if (item->aliases.n > 0) sql_put_alias(p, &item->aliases.at[0], &(struct sql_names){0});
}

/* Positions count from 0. */
static void put_made(printer *p, const struct sql_source *source) {
    const struct sql_expr *call = source->lateral.call;
    struct str name = call->call.name.n == 1 ? call->call.name.at[0].text : STR_NONE;
    bool is_plain = str_ieq(name, STR("explode"));
    if ((!is_plain && !str_ieq(name, STR("posexplode"))) || call->call.args.n != 1) {
        pg_refuse(p, call->span, "the table function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
        return;
    }
    if (source->columns.n != (is_plain ? 1 : 2))
        pg_refuse(p, call->span, "%zu names for the columns of explode", source->columns.n);
    sql_put(p, is_plain ? STR("(SELECT made.v FROM unnest(")
                        : STR("(SELECT made.n - 1, made.v FROM unnest("));
    sql_put_expr(p, exploded(p, call));
    sql_put(p, is_plain ? STR(") AS made(v))") : STR(") WITH ORDINALITY AS made(v, n))"));
    sql_put_alias(p, &source->alias, &source->columns);
}

static void put_lateral(printer *p, const struct sql_source *source) {
    bool outer = source->lateral.outer;
    if (source->lateral.input != NULL)
        sql_put_source(p, source->lateral.input);
    else
        sql_put(p, STR("FROM (SELECT 1) AS weir_one"));
    sql_put(p, outer ? STR(" LEFT JOIN LATERAL ") : STR(" CROSS JOIN LATERAL "));
    put_made(p, source);
    if (outer) sql_put(p, STR(" ON TRUE"));
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
    if (source->sample.kind != SQL_SAMPLE_NONE) pg_refuse(p, source->span, "TABLESAMPLE");
    switch (source->kind) {
    case SQL_TABLE:
        if (source->travel.kind != SQL_TRAVEL_NONE) pg_refuse(p, source->span, "time travel");
        put_table(p, source);
        return true;
    case SQL_VALUES: put_values(p, source); return true;
    case SQL_LATERAL: put_lateral(p, source); return true;
    case SQL_FUNCTION: pg_refuse(p, source->span, "a function in FROM"); return true;
    case SQL_PIVOT: pg_refuse(p, source->span, "PIVOT"); return true;
    case SQL_UNPIVOT: pg_refuse(p, source->span, "UNPIVOT"); return true;
    case SQL_JOIN: return put_half_join(p, source);
    case SQL_DERIVED: break;
    }
    return false;
}

/* -- GROUP BY --------------------------------------------------------------------------------- */

static void put_groups(printer *p, const struct sql_group *groups, size_t n,
                       enum sql_group_kind within);

static void put_group(printer *p, const struct sql_group *group, enum sql_group_kind within) {
    bool parens = within == SQL_GROUP_SETS;
    switch (group->kind) {
    case SQL_GROUP_EXPR:
        if (parens) sql_put_byte(p, '(');
        sql_put_expr(p, group->expr);
        if (parens) sql_put_byte(p, ')');
        return;
    case SQL_GROUP_LIST: break;
    case SQL_GROUP_ROLLUP: sql_put(p, STR("ROLLUP ")); break;
    case SQL_GROUP_CUBE: sql_put(p, STR("CUBE ")); break;
    case SQL_GROUP_SETS: sql_put(p, STR("GROUPING SETS ")); break;
    }
    sql_put_byte(p, '(');
    if (sql_put_descend(p, group->span)) {
        put_groups(p, group->items, group->n_items, group->kind);
        p->depth--;
    }
    sql_put_byte(p, ')');
}

static void put_groups(printer *p, const struct sql_group *groups, size_t n,
                       enum sql_group_kind within) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_group(p, &groups[i], within);
    }
}

/* GROUP BY a, b GROUPING SETS ((a), (b)): the sets repeat the keys. */
bool pg_put_group_by(printer *p, const struct sql_group_by *by) {
    if (by->suffix == SQL_GROUP_ROLLUP) sql_put(p, STR("ROLLUP ("));
    if (by->suffix == SQL_GROUP_CUBE) sql_put(p, STR("CUBE ("));
    if (by->suffix == SQL_GROUP_SETS) {
        sql_put(p, STR("GROUPING SETS ("));
        put_groups(p, by->sets, by->n_sets, SQL_GROUP_SETS);
    } else {
        put_groups(p, by->items, by->n_items, SQL_GROUP_EXPR);
    }
    if (by->suffix != 0) sql_put_byte(p, ')');
    return true;
}

/* -- behind a query --------------------------------------------------------------------------- */

/* Branches that do not meet in a type of their own fail there or meet by rules of their own. */
static bool meets(enum sql_type_kind set, enum sql_type_kind own) {
    if (set == own || own == SQL_TYPE_NULL) return true;
    if (sql_type_is_text(set)) return sql_type_is_text(own);
    if (sql_type_is_number(set)) return sql_type_is_number(own);
    return sql_type_is_time(set) && sql_type_is_time(own);
}

static void check_branch(printer *p, const struct resolved_query *set,
                         const struct resolved_query *branch) {
    size_t at = 0;
    for (size_t i = 0; i < set->n_outputs; i++) {
        if (set->outputs[i].hidden) continue;
        while (at < branch->n_outputs && branch->outputs[at].hidden) at++;
        if (at == branch->n_outputs) return;
        enum sql_type_kind own = branch->outputs[at++].type.kind;
        enum sql_type_kind whole = set->outputs[i].type.kind;
        if (!meets(whole, own))
            pg_refuse(p, branch->query->span, "a set operation of %s and %s", sql_type_name(own),
                      sql_type_name(whole));
    }
}

static void check_set(printer *p, const struct sql_query *query) {
    const struct ruled *ruled = p->with;
    if (query->kind != SQL_SET || ruled == NULL || query->id == 0 || query->id >= ruled->first_made)
        return;
    const struct resolved_query *set = resolved_query(ruled->resolved, query);
    for (size_t i = 0; i < query->n_branches; i++) check_branch(p, set, set->branches[i]);
}

/* NULL is the smallest value. */
void pg_put_order(printer *p, const struct sql_order *order, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct sql_expr *key = order[i].expr;
        enum sql_nulls nulls = order[i].nulls;
        if (i > 0) sql_put(p, STR(", "));
        enum sql_type_kind kind = pg_kind(p, key);
        if (key->kind != SQL_REF || key->ref.n != 1)
            pg_put_sorted(p, key);
        else if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
            pg_refuse(p, key->span, "the order of values of type %s", sql_type_name(kind));
        else
            sql_put_name(p, &key->ref.at[0]); /* an output, which has its collation */
        if (order[i].descending) sql_put(p, STR(" DESC"));
        if (nulls == SQL_NULLS_DEFAULT)
            nulls = order[i].descending ? SQL_NULLS_LAST : SQL_NULLS_FIRST;
        sql_put(p, nulls == SQL_NULLS_FIRST ? STR(" NULLS FIRST") : STR(" NULLS LAST"));
    }
}

/* The order in which MaxCompute hands rows to its workers says nothing about the answer. */
bool pg_put_tail(printer *p, const struct sql_tail *tail) {
    const struct sql_query *query =
        holder_of((struct sql_tail *)(uintptr_t)tail, struct sql_query, tail);
    check_set(p, query);
    if (query->kind == SQL_SELECT && query->select->qualify != NULL)
        pg_refuse(p, query->select->qualify->span, "QUALIFY");
    if (tail->n_order > 0) sql_put(p, STR(" ORDER BY "));
    pg_put_order(p, tail->order, tail->n_order);
    if (tail->limit.count != NULL) pg_wrap(p, " LIMIT ", pg_put_plain, tail->limit.count, "");
    if (tail->limit.offset != NULL) pg_wrap(p, " OFFSET ", pg_put_plain, tail->limit.offset, "");
    return true;
}
