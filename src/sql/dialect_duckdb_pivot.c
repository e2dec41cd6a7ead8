/* PIVOT is a grouping by every column that it does not name, with a FILTER for each value; UNPIVOT
 * lays columns beneath each other. DuckDB's own PIVOT names its columns by other rules. */
#include "sql/dialect_duckdb_inner.h"

/* The type of an input's column; UNKNOWN when it is not found by its printed name. */
static struct sql_type column_type(const struct resolved_source *input, struct str name) {
    const struct resolved_column *column = resolved_find(input, name);
    return column != NULL ? column->type : SQL_TYPE(UNKNOWN);
}

static void put_column(printer *p, const struct sql_source *input, const struct sql_name *name) {
    sql_put_name(p, &input->alias);
    sql_put_byte(p, '.');
    sql_put_name(p, name);
}

static bool can_turn(printer *p, const struct sql_source *source, const struct sql_source *input) {
    const struct resolved_source *resolved = dialect_resolved(p, source);
    bool is_single = sql_name_given(&input->alias) && input->kind != SQL_JOIN;
    if (resolved == NULL || resolved->left == NULL || !is_single)
        dialect_refuse(p, source->span, "PIVOT or UNPIVOT of more than one table");
    return p->failed == FAIL_NONE;
}

static void put_input(printer *p, const struct sql_source *input) {
    sql_put(p, STR(" FROM "));
    sql_put_source(p, input);
}

/* -- PIVOT ------------------------------------------------------------------------------------ */

enum { EXCLUDED_MAX = 64 };

struct excluding {
    printer *p;
    struct str names[EXCLUDED_MAX];
    size_t n;
};

/* Each once: a name that stands twice is an error there. */
static void exclude(struct excluding *e, const struct sql_name *name) {
    for (size_t i = 0; i < e->n; i++)
        if (str_ieq(e->names[i], name->text)) return;
    if (e->n == EXCLUDED_MAX) {
        dialect_refuse(e->p, name->span, "PIVOT over more than %d columns", EXCLUDED_MAX);
        return;
    }
    if (e->n > 0) sql_put(e->p, STR(", "));
    sql_put_name(e->p, name);
    e->names[e->n++] = name->text;
}

static enum walk see_excluded(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    if (expr->kind != SQL_REF || expr->ref.n < 2) return WALK_ON;
    exclude(with, &expr->ref.at[1]);
    return WALK_SKIP;
}

static void put_excluded(printer *p, const struct sql_pivot *pivot) {
    struct excluding e = {.p = p};
    for (size_t i = 0; i < pivot->columns.n; i++) exclude(&e, &pivot->columns.at[i]);
    for (size_t i = 0; i < pivot->n_aggregates; i++)
        (void)sql_walk_expr(pivot->aggregates[i].expr,
                            &(struct sql_visitor){.expr = see_excluded, .with = &e});
}

/* The value is one of the column's own type: nothing is turned into anything. */
static void put_equation(printer *p, const struct sql_source *input, const struct sql_name *column,
                         const struct sql_type *type, const struct sql_expr *value) {
    enum sql_type_kind kind = dialect_kind(p, value);
    bool is_same = (sql_type_is_text(kind) && sql_type_is_text(type->kind)) ||
                   (sql_type_is_number(kind) && sql_type_is_number(type->kind)) ||
                   kind == type->kind;
    if (!is_same)
        dialect_refuse(p, value->span, "PIVOT of a %s column by a %s", sql_type_name(type->kind),
                       sql_type_name(kind));
    put_column(p, input, column);
    sql_put(p, STR(" = "));
    dialect_put_plain(p, value);
}

static void put_filter(printer *p, const struct sql_source *source,
                       const struct sql_pivot_value *value) {
    const struct sql_pivot *pivot = source->pivot;
    const struct resolved_source *resolved = dialect_resolved(p, source);
    sql_put(p, STR(" FILTER (WHERE "));
    for (size_t i = 0; i < pivot->columns.n; i++) {
        const struct sql_name *column = &pivot->columns.at[i];
        struct sql_type type = column_type(resolved->left, column->text);
        if (i > 0) sql_put(p, STR(" AND "));
        put_equation(p, pivot->input, column, &type, value->values.at[i]);
    }
    sql_put_byte(p, ')');
}

/* Those that give NULL where no row has the value. */
static void put_pivoted(printer *p, const struct sql_source *source, const struct sql_expr *expr,
                        const struct sql_pivot_value *value) {
    static const char *const names[] = {"sum", "avg", "min", "max"};
    const char *name = NULL;
    bool is_simple = expr->kind == SQL_CALL && expr->call.name.n == 1 && expr->call.args.n == 1 &&
                     expr->call.filter == NULL && expr->call.over == NULL;
    for (size_t i = 0; i < COUNT(names) && is_simple; i++)
        if (str_ieq(expr->call.name.at[0].text, str_of(names[i]))) name = names[i];
    if (name == NULL) {
        dialect_refuse(p, expr->span, "PIVOT by other than sum, avg, min or max of a column");
        return;
    }
    const struct sql_expr *arg = expr->call.args.at[0];
    bool is_number = strcmp(name, "sum") == 0 || strcmp(name, "avg") == 0;
    bool is_wide = strcmp(name, "sum") == 0 && sql_type_is_integer(dialect_kind(p, arg));
    if (is_wide) sql_put(p, STR("CAST("));
    sql_putf(p, "%s(%s", name, expr->call.distinct ? "DISTINCT " : "");
    if (is_number)
        dialect_put_number(p, arg);
    else
        sql_put_expr(p, arg);
    sql_put_byte(p, ')');
    put_filter(p, source, value);
    if (is_wide) sql_put(p, STR(" AS BIGINT)"));
}

void duck_put_pivot(printer *p, const struct sql_source *source) {
    const struct sql_pivot *pivot = source->pivot;
    const struct resolved_source *resolved = dialect_resolved(p, source);
    if (!can_turn(p, source, pivot->input)) return;
    size_t column = resolved->n_columns - pivot->n_in * pivot->n_aggregates;
    sql_put(p, STR("(SELECT * EXCLUDE ("));
    put_excluded(p, pivot);
    sql_put_byte(p, ')');
    for (size_t i = 0; i < pivot->n_in; i++)
        for (size_t j = 0; j < pivot->n_aggregates; j++, column++) {
            sql_put(p, STR(", "));
            put_pivoted(p, source, pivot->aggregates[j].expr, &pivot->in[i]);
            sql_put(p, STR(" AS "));
            sql_put_name(p, &(struct sql_name){.text = resolved->columns[column].name});
        }
    put_input(p, pivot->input);
    sql_put(p, STR(" GROUP BY ALL)"));
    sql_put_alias(p, &source->alias, &source->columns);
}

/* -- UNPIVOT ---------------------------------------------------------------------------------- */

static void put_label(printer *p, const struct sql_unpivot_group *group) {
    if (group->label != NULL)
        dialect_put_text(p, group->label);
    else if (group->columns.n == 1)
        sql_put_string(p, group->columns.at[0].text);
    else
        dialect_refuse(p, group->columns.at[0].span, "UNPIVOT of several columns without a label");
}

/* The nth column of each group, beneath each other; of one type, for there is none to turn to. */
static void put_values(printer *p, const struct sql_source *source, size_t n) {
    const struct sql_unpivot *unpivot = source->unpivot;
    const struct resolved_source *whole = dialect_resolved(p, source);
    if (whole == NULL) {
        dialect_refuse(p, unpivot->in[0].columns.at[n].span, "UNPIVOT of an unresolved source");
        return;
    }
    const struct resolved_source *input = whole->left;
    struct sql_type first = column_type(input, unpivot->in[0].columns.at[n].text);
    sql_put(p, STR(", unnest(["));
    for (size_t i = 0; i < unpivot->n_in; i++) {
        const struct sql_name *name = &unpivot->in[i].columns.at[n];
        struct sql_type type = column_type(input, name->text);
        bool are_numbers = sql_type_is_number(first.kind) && sql_type_is_number(type.kind);
        if (!are_numbers && !sql_type_eq(&first, &type))
            dialect_refuse(p, name->span, "UNPIVOT of columns of several types");
        if (i > 0) sql_put(p, STR(", "));
        put_column(p, unpivot->input, name);
    }
    sql_put(p, STR("]) AS "));
    sql_put_name(p, &unpivot->values.at[n]);
}

static void put_turned(printer *p, const struct sql_source *source) {
    const struct sql_unpivot *unpivot = source->unpivot;
    sql_put(p, STR("SELECT * EXCLUDE ("));
    for (size_t i = 0; i < unpivot->n_in; i++) {
        if (i > 0) sql_put(p, STR(", "));
        sql_put_names(p, &unpivot->in[i].columns);
    }
    sql_put(p, STR("), unnest(["));
    for (size_t i = 0; i < unpivot->n_in; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_label(p, &unpivot->in[i]);
    }
    sql_put(p, STR("]) AS "));
    sql_put_name(p, &unpivot->name);
    for (size_t n = 0; n < unpivot->values.n; n++) put_values(p, source, n);
    put_input(p, unpivot->input);
}

/* Rows whose values are all NULL are left out unless they are asked for. */
void duck_put_unpivot(printer *p, const struct sql_source *source) {
    const struct sql_unpivot *unpivot = source->unpivot;
    if (!can_turn(p, source, unpivot->input) || unpivot->n_in == 0) return;
    sql_put_byte(p, '(');
    if (!unpivot->include_nulls) sql_put(p, STR("SELECT * FROM ("));
    put_turned(p, source);
    if (!unpivot->include_nulls) sql_put(p, STR(") WHERE "));
    for (size_t n = 0; n < unpivot->values.n && !unpivot->include_nulls; n++) {
        if (n > 0) sql_put(p, STR(" OR "));
        sql_put_name(p, &unpivot->values.at[n]);
        sql_put(p, STR(" IS NOT NULL"));
    }
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}
