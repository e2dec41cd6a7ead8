/* What stands in FROM, GROUP BY and behind a query. */
#include "base/list.h"
#include "sql/dialect_engine.h"

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

const struct resolved_source *dialect_resolved(const printer *p, const struct sql_source *source) {
    const struct ruled *ruled = p->with;
    if (ruled == NULL || source->id == 0 || source->id >= ruled->first_made) return NULL;
    return resolved_source(ruled->resolved, source);
}

/* Every row is turned into the common types of the columns. */
static void put_values(printer *p, const struct sql_source *source) {
    const struct resolved_source *resolved = dialect_resolved(p, source);
    sql_put(p, STR("(VALUES "));
    for (size_t i = 0; i < source->values.n_rows; i++) {
        const struct sql_exprs *items = &source->values.rows[i].items;
        sql_put(p, i == 0 ? STR("(") : STR(", ("));
        for (size_t c = 0; c < items->n; c++) {
            if (c > 0) sql_put(p, STR(", "));
            if (resolved != NULL && c < resolved->n_columns)
                dialect_put_common(p, items->at[c], &resolved->columns[c].type);
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

static void put_lateral(printer *p, const struct sql_source *source) {
    bool outer = source->lateral.outer;
    if (source->lateral.input != NULL)
        sql_put_source(p, source->lateral.input);
    else
        sql_put(p, STR("FROM (SELECT 1) AS weir_one"));
    sql_put(p, outer ? STR(" LEFT JOIN LATERAL ") : STR(" CROSS JOIN LATERAL "));
    p->dialect->engine->made(p, source);
    if (outer) sql_put(p, STR(" ON TRUE"));
}

/* -- all -------------------------------------------------------------------------------------- */

bool dialect_put_source(printer *p, const struct sql_source *source) {
    const struct dialect_engine *engine = p->dialect->engine;
    if (source->sample.kind != SQL_SAMPLE_NONE) dialect_refuse(p, source->span, "TABLESAMPLE");
    if (engine->source(p, source)) return true;
    switch (source->kind) {
    case SQL_TABLE:
        if (source->travel.kind != SQL_TRAVEL_NONE) dialect_refuse(p, source->span, "time travel");
        put_table(p, source);
        return true;
    case SQL_VALUES: put_values(p, source); return true;
    case SQL_LATERAL: put_lateral(p, source); return true;
    case SQL_FUNCTION: dialect_refuse(p, source->span, "a function in FROM"); return true;
    case SQL_PIVOT: dialect_refuse(p, source->span, "PIVOT"); return true;
    case SQL_UNPIVOT: dialect_refuse(p, source->span, "UNPIVOT"); return true;
    case SQL_DERIVED:
    case SQL_JOIN: break;
    }
    return false;
}

/* -- GROUP BY --------------------------------------------------------------------------------- */

static void put_groups(printer *p, const struct sql_group *groups, size_t n,
                       enum sql_group_kind within);

/* Said again in the select list its tables have other aliases, and it would be another expression.
 */
static void check_key(printer *p, const struct sql_expr *key) {
    struct dialect_reads reads = dialect_reads(p, key);
    if (reads.own && reads.queries)
        dialect_refuse(p, key->span, "a sub-query in a key of GROUP BY");
}

static void put_group(printer *p, const struct sql_group *group, enum sql_group_kind within) {
    bool parens = within == SQL_GROUP_SETS;
    switch (group->kind) {
    case SQL_GROUP_EXPR:
        check_key(p, group->expr);
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
bool dialect_put_group_by(printer *p, const struct sql_group_by *by) {
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

/* The nth output that is not hidden; NULL: there are not so many. */
static const struct resolved_output *output_at(const struct resolved_query *query, size_t n) {
    for (size_t i = 0; i < query->n_outputs; i++)
        if (!query->outputs[i].hidden && n-- == 0) return &query->outputs[i];
    return NULL;
}

/* The branches are known each, and have no type that is common to them. */
static bool is_at_odds(const struct resolved_query *set, size_t n) {
    for (size_t i = 0; i < set->query->n_branches; i++) {
        const struct resolved_output *output = output_at(set->branches[i], n);
        if (output == NULL || output->type.kind == SQL_TYPE_UNKNOWN) return false;
    }
    return true;
}

static void check_branch(printer *p, const struct resolved_query *set,
                         const struct resolved_query *branch) {
    size_t at = 0, n = 0;
    for (size_t i = 0; i < set->n_outputs && p->failed == FAIL_NONE; i++) {
        if (set->outputs[i].hidden) continue;
        while (at < branch->n_outputs && branch->outputs[at].hidden) at++;
        if (at == branch->n_outputs) return;
        enum sql_type_kind own = branch->outputs[at++].type.kind;
        enum sql_type_kind whole = set->outputs[i].type.kind;
        bool is_bad =
            whole == SQL_TYPE_UNKNOWN ? is_at_odds(set, n) : !p->dialect->engine->meets(whole, own);
        n++;
        if (is_bad)
            dialect_refuse(p, branch->query->span, "a set operation of %s and %s",
                           sql_type_name(own), sql_type_name(whole));
    }
}

static void check_set(printer *p, const struct sql_query *query) {
    const struct ruled *ruled = p->with;
    if (query->kind != SQL_SET || ruled == NULL || query->id == 0 || query->id >= ruled->first_made)
        return;
    const struct resolved_query *set = resolved_query(ruled->resolved, query);
    for (size_t i = 0; i < query->n_branches; i++) check_branch(p, set, set->branches[i]);
}

void dialect_put_limit(printer *p, const struct sql_tail *tail) {
    const struct sql_expr *count = tail->limit.count, *offset = tail->limit.offset;
    if (count != NULL) dialect_wrap(p, " LIMIT ", dialect_put_plain, count, "");
    if (offset != NULL) dialect_wrap(p, " OFFSET ", dialect_put_plain, offset, "");
}

/* The order in which MaxCompute hands rows to its workers says nothing about the answer. */
bool dialect_put_tail(printer *p, const struct sql_tail *tail) {
    const struct sql_query *query =
        holder_of((struct sql_tail *)(uintptr_t)tail, struct sql_query, tail);
    check_set(p, query);
    if (tail->n_order > 0) sql_put(p, STR(" ORDER BY "));
    p->dialect->engine->order(p, tail->order, tail->n_order);
    dialect_put_limit(p, tail);
    return true;
}
