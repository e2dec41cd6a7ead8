/* What stands in FROM, GROUP BY and behind a query. */
#include "base/list.h"
#include "sql/dialect_duckdb_inner.h"

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
                duck_put_common(p, items->at[c], &resolved->columns[c].type);
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

static void put_made(printer *p, const struct sql_source *source) {
    sql_put(p, STR("(SELECT "));
    duck_put_rows(p, source->lateral.call, NULL);
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

static void put_lateral(printer *p, const struct sql_source *source) {
    bool outer = source->lateral.outer;
    if (source->lateral.input != NULL)
        sql_put_source(p, source->lateral.input);
    else
        sql_put(p, STR("FROM (SELECT 1)"));
    sql_put(p, outer ? STR(" LEFT JOIN LATERAL ") : STR(" CROSS JOIN LATERAL "));
    put_made(p, source);
    if (outer) sql_put(p, STR(" ON TRUE"));
}

/* -- all -------------------------------------------------------------------------------------- */

bool duck_put_source(printer *p, const struct sql_source *source) {
    if (source->sample.kind != SQL_SAMPLE_NONE) duck_refuse(p, source->span, "TABLESAMPLE");
    switch (source->kind) {
    case SQL_TABLE:
        if (source->travel.kind != SQL_TRAVEL_NONE) duck_refuse(p, source->span, "time travel");
        put_table(p, source);
        return true;
    case SQL_VALUES: put_values(p, source); return true;
    case SQL_LATERAL: put_lateral(p, source); return true;
    case SQL_FUNCTION: duck_refuse(p, source->span, "a function in FROM"); return true;
    case SQL_PIVOT: duck_put_pivot(p, source); return true;
    case SQL_UNPIVOT: duck_put_unpivot(p, source); return true;
    case SQL_DERIVED:
    case SQL_JOIN: break;
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
bool duck_put_group_by(printer *p, const struct sql_group_by *by) {
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

/* Where branches of a set operation meet in text, DuckDB writes numbers and times by its own
 * rules; only integers, dates and truth values look the same in both. */
static bool looks_the_same(enum sql_type_kind kind) {
    return sql_type_is_text(kind) || sql_type_is_integer(kind) || kind == SQL_TYPE_NULL ||
           kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_DATE || kind == SQL_TYPE_UNKNOWN;
}

static void check_branch(printer *p, const struct resolved_query *set,
                         const struct resolved_query *branch) {
    size_t at = 0;
    for (size_t i = 0; i < set->n_outputs; i++) {
        if (set->outputs[i].hidden) continue;
        while (at < branch->n_outputs && branch->outputs[at].hidden) at++;
        if (at == branch->n_outputs) return;
        enum sql_type_kind own = branch->outputs[at++].type.kind;
        if (sql_type_is_text(set->outputs[i].type.kind) && !looks_the_same(own))
            duck_refuse(p, branch->query->span, "a set operation of %s and text",
                        sql_type_name(own));
    }
}

static void check_set(printer *p, const struct sql_query *query) {
    const struct ruled *ruled = p->with;
    if (query->kind != SQL_SET || ruled == NULL || query->id == 0 || query->id >= ruled->first_made)
        return;
    const struct resolved_query *set = resolved_query(ruled->resolved, query);
    for (size_t i = 0; i < query->n_branches; i++) check_branch(p, set, set->branches[i]);
}

/* The order in which MaxCompute hands rows to its workers says nothing about the answer. */
bool duck_put_tail(printer *p, const struct sql_tail *tail) {
    check_set(p, holder_of((struct sql_tail *)(uintptr_t)tail, struct sql_query, tail));
    if (tail->n_order > 0) sql_put(p, STR(" ORDER BY "));
    sql_put_order(p, tail->order, tail->n_order);
    if (tail->limit.count != NULL) {
        sql_put(p, STR(" LIMIT "));
        duck_put_plain(p, tail->limit.count);
    }
    if (tail->limit.offset != NULL) {
        sql_put(p, STR(" OFFSET "));
        duck_put_plain(p, tail->limit.offset);
    }
    return true;
}
