/* PIVOT is a grouping by every column that it does not name, with a FILTER for each value; UNPIVOT
 * lays columns beneath each other in a VALUES that sees the row. */
#include "sql/dialect_postgres_inner.h"

/* alias.name, text with the collation that orders by bytes. */
static void put_column(printer *p, const struct sql_source *input, struct str name,
                       enum sql_type_kind kind) {
    if (kind == SQL_TYPE_UNKNOWN || pg_is_foreign(kind))
        dialect_refuse(p, input->span, "PIVOT or UNPIVOT beside a value of type %s",
                       sql_type_name(kind));
    sql_put_name(p, &input->alias);
    sql_put_byte(p, '.');
    sql_put_name(p, &(struct sql_name){.text = name});
    if (sql_type_is_text(kind)) sql_put(p, STR(" COLLATE \"C\""));
}

static struct sql_type column_type(const struct resolved_source *source, struct str name) {
    const struct resolved_column *column = resolved_find(source, name);
    return column != NULL ? column->type : SQL_TYPE(UNKNOWN);
}

/* What the resolver knows of the source; NULL: refused. */
static const struct resolved_source *turned(printer *p, const struct sql_source *source,
                                            const struct sql_source *input) {
    const struct resolved_source *resolved = dialect_resolved(p, source);
    bool is_single = sql_name_given(&input->alias) && input->kind != SQL_JOIN;
    if (resolved == NULL || resolved->left == NULL || !is_single)
        dialect_refuse(p, source->span, "PIVOT or UNPIVOT of more than one table");
    return p->failed == FAIL_NONE ? resolved : NULL;
}

/* -- PIVOT ------------------------------------------------------------------------------------ */

/* The value is one of the column's own type: nothing is turned into anything. */
static void put_equation(printer *p, const struct sql_source *input, struct str column,
                         enum sql_type_kind type, const struct sql_expr *value) {
    enum sql_type_kind kind = dialect_kind(p, value);
    bool is_same = (sql_type_is_text(kind) && sql_type_is_text(type)) ||
                   (sql_type_is_number(kind) && sql_type_is_number(type)) || kind == type;
    if (!is_same)
        dialect_refuse(p, value->span, "PIVOT of a %s column by a %s", sql_type_name(type),
                       sql_type_name(kind));
    put_column(p, input, column, type);
    dialect_wrap(p, " = ", dialect_put_plain, value, "");
}

static void put_filter(printer *p, const struct sql_pivot *pivot,
                       const struct resolved_source *input, const struct sql_pivot_value *value) {
    sql_put(p, STR(") FILTER (WHERE "));
    for (size_t i = 0; i < pivot->columns.n; i++) {
        struct str column = pivot->columns.at[i].text;
        if (i > 0) sql_put(p, STR(" AND "));
        put_equation(p, pivot->input, column, column_type(input, column).kind, value->values.at[i]);
    }
    sql_put_byte(p, ')');
}

/* Those that give NULL where no row has the value; what the others give there is not told. */
static void put_pivoted(printer *p, const struct sql_pivot *pivot,
                        const struct resolved_source *input, const struct sql_expr *expr,
                        const struct sql_pivot_value *value) {
    static const struct {
        const char *name;
        dialect_put put;
    } kinds[] = {
        {"sum", dialect_put_number},
        {"avg", dialect_put_double},
        {"min", dialect_put_sorted},
        {"max", dialect_put_sorted},
    };
    bool is_simple = expr->kind == SQL_CALL && expr->call.name.n == 1 && args_of(expr)->n == 1 &&
                     expr->call.filter == NULL && expr->call.over == NULL;
    size_t i = 0;
    while (i < COUNT(kinds) &&
           !(is_simple && str_ieq(expr->call.name.at[0].text, str_of(kinds[i].name))))
        i++;
    if (i == COUNT(kinds)) {
        dialect_refuse(p, expr->span, "PIVOT by other than sum, avg, min or max of a column");
        return;
    }
    enum sql_type_kind kind = dialect_kind(p, args_of(expr)->at[0]);
    bool is_wide = i == 0 && sql_type_is_integer(kind);
    if ((i == 1 && kind == SQL_TYPE_DECIMAL) || (i > 1 && kind == SQL_TYPE_BOOLEAN))
        dialect_refuse(p, expr->span, "PIVOT by %s of a %s", kinds[i].name, sql_type_name(kind));
    if (is_wide) sql_put(p, STR("CAST("));
    dialect_open(p, expr, kinds[i].name);
    kinds[i].put(p, args_of(expr)->at[0]);
    put_filter(p, pivot, input, value);
    if (is_wide) sql_put(p, STR(" AS bigint)"));
}

static void put_keys(printer *p, const struct sql_source *input,
                     const struct resolved_source *whole, size_t n_keys) {
    for (size_t i = 0; i < n_keys; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_column(p, input, whole->columns[i].name, whole->columns[i].type.kind);
    }
}

void pg_put_pivot(printer *p, const struct sql_source *source) {
    const struct sql_pivot *pivot = source->pivot;
    const struct resolved_source *whole = turned(p, source, pivot->input);
    if (whole == NULL) return;
    size_t n_keys = whole->n_columns - pivot->n_in * pivot->n_aggregates, column = n_keys;
    sql_put(p, STR("(SELECT "));
    put_keys(p, pivot->input, whole, n_keys);
    for (size_t i = 0; i < pivot->n_in; i++)
        for (size_t j = 0; j < pivot->n_aggregates; j++, column++) {
            if (column > 0) sql_put(p, STR(", "));
            put_pivoted(p, pivot, whole->left, pivot->aggregates[j].expr, &pivot->in[i]);
            sql_put_alias(p, &(struct sql_name){.text = whole->columns[column].name},
                          &(struct sql_names){0});
        }
    sql_put(p, STR(" FROM "));
    sql_put_source(p, pivot->input);
    if (n_keys > 0) sql_put(p, STR(" GROUP BY "));
    put_keys(p, pivot->input, whole, n_keys);
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

/* -- UNPIVOT ---------------------------------------------------------------------------------- */

static bool is_turned(const struct sql_unpivot *unpivot, struct str name) {
    for (size_t i = 0; i < unpivot->n_in; i++)
        for (size_t n = 0; n < unpivot->in[i].columns.n; n++)
            if (str_ieq(unpivot->in[i].columns.at[n].text, name)) return true;
    return false;
}

/* A secured table has only those columns that are used. */
static bool is_given(const struct sql_source *input, struct str name) {
    if (input->kind != SQL_DERIVED || input->query->kind != SQL_SELECT) return true;
    const struct sql_select *select = input->query->select;
    for (size_t i = 0; i < select->n_items; i++) {
        const struct sql_name *own = pg_name_of(&select->items[i]);
        if (own != NULL && str_ieq(own->text, name)) return true;
    }
    return false;
}

static void put_label(printer *p, const struct sql_unpivot_group *group) {
    if (group->label != NULL)
        dialect_put_text(p, group->label);
    else if (group->columns.n == 1)
        sql_put_string(p, group->columns.at[0].text);
    else
        dialect_refuse(p, group->columns.at[0].span, "UNPIVOT of several columns without a label");
    sql_put(p, STR(" COLLATE \"C\""));
}

/* Columns of one type, or numbers: there is nothing to turn others into. */
static void put_value(printer *p, const struct sql_unpivot *unpivot,
                      const struct resolved_source *input, size_t row, size_t n) {
    const struct sql_name *name = &unpivot->in[row].columns.at[n];
    struct sql_type first = column_type(input, unpivot->in[0].columns.at[n].text);
    struct sql_type type = column_type(input, name->text);
    bool are_numbers = sql_type_is_number(first.kind) && sql_type_is_number(type.kind);
    if (!are_numbers && !sql_type_eq(&first, &type))
        dialect_refuse(p, name->span, "UNPIVOT of columns of several types");
    sql_put(p, STR(", "));
    put_column(p, unpivot->input, name->text, type.kind);
}

/* CROSS JOIN LATERAL (VALUES ('x', t.x), …) AS weir_turned(name, value) */
static void put_turned(printer *p, const struct sql_unpivot *unpivot,
                       const struct resolved_source *input) {
    sql_put(p, STR(" CROSS JOIN LATERAL (VALUES "));
    for (size_t i = 0; i < unpivot->n_in; i++) {
        sql_put(p, i == 0 ? STR("(") : STR(", ("));
        put_label(p, &unpivot->in[i]);
        for (size_t n = 0; n < unpivot->values.n; n++) put_value(p, unpivot, input, i, n);
        sql_put_byte(p, ')');
    }
    sql_put(p, STR(") AS weir_turned("));
    sql_put_name(p, &unpivot->name);
    sql_put(p, STR(", "));
    sql_put_names(p, &unpivot->values);
    sql_put_byte(p, ')');
}

/* Rows whose values are all NULL are left out unless they are asked for. */
static void put_given(printer *p, const struct sql_unpivot *unpivot) {
    for (size_t n = 0; n < unpivot->values.n && !unpivot->include_nulls; n++) {
        sql_put(p, n == 0 ? STR(" WHERE weir_turned.") : STR(" OR weir_turned."));
        sql_put_name(p, &unpivot->values.at[n]);
        sql_put(p, STR(" IS NOT NULL"));
    }
}

void pg_put_unpivot(printer *p, const struct sql_source *source) {
    const struct sql_unpivot *unpivot = source->unpivot;
    const struct resolved_source *whole = turned(p, source, unpivot->input);
    if (whole == NULL || unpivot->n_in == 0) return;
    sql_put(p, STR("(SELECT "));
    for (size_t i = 0; i < whole->left->n_columns; i++) {
        const struct resolved_column *column = &whole->left->columns[i];
        if (is_turned(unpivot, column->name) || !is_given(unpivot->input, column->name)) continue;
        put_column(p, unpivot->input, column->name, column->type.kind);
        sql_put(p, STR(", "));
    }
    sql_put(p, STR("weir_turned.* FROM "));
    sql_put_source(p, unpivot->input);
    put_turned(p, unpivot, whole->left);
    put_given(p, unpivot);
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}
