/* Functions of arrays. */
#include "sql/dialect_postgres_inner.h"

/* a[i] counts from 0, and there is nothing before it. */
void pg_put_element(printer *p, const struct sql_expr *base, const struct sql_expr *index) {
    struct sql_type type = dialect_type(p, base);
    int64_t at;
    if (type.kind != SQL_TYPE_ARRAY || type.element == NULL ||
        type.element->kind == SQL_TYPE_ARRAY) {
        dialect_refuse(p, base->span, "an element of a value of type %s", sql_type_name(type.kind));
        return;
    }
    dialect_wrap(p, "(", sql_put_expr, base, ")[");
    if (dialect_constant_int(index, &at) && at >= 0 && at < INT32_MAX)
        sql_putf(p, "%lld]", (long long)at + 1);
    else
        dialect_wrap(p, "", pg_put_integer, index, " + 1]");
}

static void put_array(printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, expr);
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 0 || type.element == NULL || type.element->kind == SQL_TYPE_ARRAY ||
        type.element->kind == SQL_TYPE_UNKNOWN || type.element->kind == SQL_TYPE_NULL) {
        dialect_refuse(p, expr->span, "an array of other than plain values");
        return;
    }
    for (size_t i = 0; i < args->n; i++) {
        sql_put(p, i == 0 ? STR("ARRAY[") : STR(", "));
        dialect_put_common(p, args->at[i], type.element);
    }
    sql_put_byte(p, ']');
}

static const struct sql_type *element_of(printer *p, const struct sql_expr *array) {
    static const struct sql_type none = {.kind = SQL_TYPE_UNKNOWN};
    struct sql_type type = dialect_type(p, array);
    bool is_flat =
        type.kind == SQL_TYPE_ARRAY && type.element != NULL && type.element->kind != SQL_TYPE_ARRAY;
    if (!is_flat) dialect_refuse(p, array->span, "this function of other than an array");
    return is_flat ? type.element : &none;
}

static void put_size(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    (void)element_of(p, of);
    dialect_wrap(p, "CAST(cardinality(", sql_put_expr, of, ") AS bigint)");
}

/* Elements as texts, NULLs left out. */
static void put_array_join(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    enum sql_type_kind kind = element_of(p, args->at[0])->kind;
    if (!sql_type_is_text(kind) && !sql_type_is_integer(kind))
        dialect_refuse(p, expr->span, "array_join of what is neither text nor integer");
    dialect_wrap(p, "array_to_string(", sql_put_expr, args->at[0], "");
    for (size_t i = 1; i < args->n; i++) dialect_wrap(p, ", ", dialect_put_text, args->at[i], "");
    sql_put_byte(p, ')');
}

static void put_array_contains(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_type *element = element_of(p, args->at[0]);
    enum sql_type_kind kind = dialect_kind(p, args->at[1]);
    if (kind != element->kind)
        dialect_refuse(p, expr->span, "array_contains of a value of another type");
    dialect_wrap(p, "CASE WHEN ", sql_put_operand, args->at[0], " IS NOT NULL AND ");
    dialect_wrap(p, "", dialect_put_plain, args->at[1], " IS NOT NULL THEN array_position(");
    dialect_wrap(p, "", sql_put_expr, args->at[0], ", ");
    dialect_put_common(p, args->at[1], element);
    sql_put(p, STR(") IS NOT NULL END"));
}

const struct dialect_hook pg_array_hooks[] = {
    {"array", put_array},
    {"array_join", put_array_join},
    {"array_contains", put_array_contains},
    {"size", put_size},
    {NULL, NULL},
};
