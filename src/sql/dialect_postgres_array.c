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

/* -- by their elements: a sub-query over unnest() --------------------------------------------- */

struct inside {
    const printer *p;
    uint32_t level; /* sub-queries that are open */
    bool is_window, is_hidden, is_constant;
};

/* No column in it that holds it in the query where it stands: count(*) holds none. */
static bool is_of_constants(const printer *p, const struct sql_expr *expr) {
    const struct sql_function *function =
        expr->call.name.n == 1 ? sql_function_find(expr->call.name.at[0].text) : NULL;
    bool has_own = dialect_reads(p, expr->call.filter).own;
    for (size_t i = 0; i < args_of(expr)->n; i++)
        has_own = has_own || dialect_reads(p, args_of(expr)->at[i]).own;
    return function != NULL && sql_function_is_aggregate(function) && !has_own;
}

/* Our own names hide the same of the caller's. */
static enum walk see_inside(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct inside *inside = with;
    (void)place;
    if (expr->kind == SQL_CALL && expr->call.over != NULL) inside->is_window = true;
    if (expr->kind == SQL_CALL && inside->level == 0 && is_of_constants(inside->p, expr))
        inside->is_constant = true;
    if (expr->kind == SQL_REF && str_istarts(expr->ref.at[0].text, STR("weir_")))
        inside->is_hidden = true;
    return WALK_ON;
}

static enum walk enter_inside(struct sql_query *query, const struct sql_place *place, void *with) {
    struct inside *inside = with;
    (void)query;
    (void)place;
    inside->level++;
    return WALK_ON;
}

static void leave_inside(struct sql_query *query, const struct sql_place *place, void *with) {
    struct inside *inside = with;
    (void)query;
    (void)place;
    inside->level--;
}

/* Windows, and aggregates of constants, would be those of the sub-query: there they fail. */
static void put_inside(printer *p, const struct sql_expr *call, const char *template) {
    struct inside inside = {.p = p};
    (void)sql_walk_expr((struct sql_expr *)(uintptr_t)call,
                        &(struct sql_visitor){.expr = see_inside,
                                              .query = enter_inside,
                                              .leave_query = leave_inside,
                                              .with = &inside});
    if (inside.is_window)
        dialect_refuse(p, call->span, "a window function inside of one of arrays");
    if (inside.is_constant)
        dialect_refuse(p, call->span, "an aggregate of constants inside of a function of arrays");
    if (inside.is_hidden) dialect_refuse(p, call->span, "a name that begins with weir_ there");
    dialect_put_pieces(p, args_of(call), str_of(template));
}

/* `of_text` where the order of elements counts and they are texts. */
static void put_ordered(printer *p, const struct sql_expr *call, const char *of_text,
                        const char *of_others) {
    enum sql_type_kind kind = element_of(p, args_of(call)->at[0])->kind;
    if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
        dialect_refuse(p, call->span, "the order of elements of type %s", sql_type_name(kind));
    put_inside(p, call, sql_type_is_text(kind) ? of_text : of_others);
}

#define SORTED(key)                                                                                \
    "CASE WHEN $1 IS NOT NULL THEN ARRAY(SELECT weir_e.v FROM unnest($1) AS weir_e(v) ORDER BY "   \
    "weir_e.v " key ") END"

static void put_sort_array(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_expr *up = args->n > 1 ? args->at[1] : NULL;
    bool is_up = up == NULL || (up->kind == SQL_LITERAL && up->literal.kind == SQL_TRUE);
    if (!is_up && (up->kind != SQL_LITERAL || up->literal.kind != SQL_FALSE))
        dialect_refuse(p, expr->span, "sort_array in a direction that is no constant");
    if (is_up)
        put_ordered(p, expr, SORTED("COLLATE \"C\" NULLS FIRST"), SORTED("NULLS FIRST"));
    else
        put_ordered(p, expr, SORTED("COLLATE \"C\" DESC NULLS LAST"), SORTED("DESC NULLS LAST"));
}

static void put_array_max(printer *p, const struct sql_expr *expr) {
    if (element_of(p, args_of(expr)->at[0])->kind == SQL_TYPE_BOOLEAN)
        dialect_refuse(p, expr->span, "array_max of booleans");
    put_ordered(p, expr, "(SELECT max(weir_e.v COLLATE \"C\") FROM unnest($1) AS weir_e(v))",
                "(SELECT max(weir_e.v) FROM unnest($1) AS weir_e(v))");
}

static void put_array_min(printer *p, const struct sql_expr *expr) {
    if (element_of(p, args_of(expr)->at[0])->kind == SQL_TYPE_BOOLEAN)
        dialect_refuse(p, expr->span, "array_min of booleans");
    put_ordered(p, expr, "(SELECT min(weir_e.v COLLATE \"C\") FROM unnest($1) AS weir_e(v))",
                "(SELECT min(weir_e.v) FROM unnest($1) AS weir_e(v))");
}

void pg_put_array_reverse(printer *p, const struct sql_expr *expr) {
    (void)element_of(p, args_of(expr)->at[0]);
    put_inside(p, expr,
               "CASE WHEN $1 IS NOT NULL THEN ARRAY(SELECT weir_e.v FROM unnest($1) "
               "WITH ORDINALITY AS weir_e(v, n) ORDER BY weir_e.n DESC) END");
}

/* Each element once, where it stood first. */
#define ONCE(array, which)                                                                         \
    "ARRAY(SELECT weir_e.v FROM (SELECT weir_a.v, min(weir_a.n) AS n FROM unnest(" array           \
    ") WITH ORDINALITY AS weir_a(v, n)" which " GROUP BY weir_a.v) AS weir_e ORDER BY weir_e.n)"

static void put_array_distinct(printer *p, const struct sql_expr *expr) {
    (void)element_of(p, args_of(expr)->at[0]);
    put_inside(p, expr, "CASE WHEN $1 IS NOT NULL THEN " ONCE("$1", "") " END");
}

static void put_of_two(printer *p, const struct sql_expr *expr, const char *template) {
    const struct sql_exprs *args = args_of(expr);
    if (element_of(p, args->at[0])->kind != element_of(p, args->at[1])->kind)
        dialect_refuse(p, expr->span, "arrays of several types");
    put_inside(p, expr, template);
}

#define BOTH(made) "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN " made " END"

static void put_array_union(printer *p, const struct sql_expr *expr) {
    put_of_two(p, expr, BOTH(ONCE("$1 || $2", "")));
}

static void put_array_except(printer *p, const struct sql_expr *expr) {
    put_of_two(p, expr, BOTH(ONCE("$1", " WHERE array_position($2, weir_a.v) IS NULL")));
}

static void put_array_intersect(printer *p, const struct sql_expr *expr) {
    put_of_two(p, expr, BOTH(ONCE("$1", " WHERE array_position($2, weir_a.v) IS NOT NULL")));
}

/* NULL when no element is found and one of them is NULL. */
static void put_arrays_overlap(printer *p, const struct sql_expr *expr) {
    put_of_two(p, expr,
               "CASE WHEN $1 && $2 THEN TRUE WHEN cardinality(array_remove($1, NULL)) < "
               "cardinality($1) OR cardinality(array_remove($2, NULL)) < cardinality($2) "
               "THEN NULL ELSE $1 && $2 END");
}

/* -- one element ------------------------------------------------------------------------------ */

/* before array, value after: the value as one of the elements. */
static void put_beside(printer *p, const struct sql_expr *expr, const char *before,
                       const char *after) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_type *element = element_of(p, args->at[0]);
    enum sql_type_kind kind = dialect_kind(p, args->at[1]);
    if (kind != element->kind)
        dialect_refuse(p, expr->span, "an array beside a value of another type");
    dialect_wrap(p, before, sql_put_expr, args->at[0], ", ");
    if (sql_type_is_text(kind))
        dialect_put_as(p, args->at[1], &SQL_TYPE(STRING), dialect_put_text);
    else
        dialect_put_common(p, args->at[1], element);
    sql_put(p, str_of(after));
}

static void put_array_remove(printer *p, const struct sql_expr *expr) {
    put_beside(p, expr, "array_remove(", ")");
}

/* From 1; 0 for what is not there. */
static void put_array_position(printer *p, const struct sql_expr *expr) {
    dialect_put_pieces(p, args_of(expr), STR("CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN "));
    put_beside(p, expr, "CAST(coalesce(array_position(", "), 0) AS bigint) END");
}

static void put_slice(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t from = 0, n = 0;
    (void)element_of(p, args->at[0]);
    if (!dialect_constant_int(args->at[1], &from) || !dialect_constant_int(args->at[2], &n) ||
        from < 1 || n < 0 || from > INT32_MAX / 2 || n > INT32_MAX / 2) {
        dialect_refuse(p, expr->span, "slice by what is no constant from 1");
        return;
    }
    dialect_wrap(p, "(", sql_put_expr, args->at[0], ")");
    sql_putf(p, "[%d:%d]", (int)from, (int)(from + n - 1));
}

static void put_array_repeat(printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, args_of(expr)->at[0]);
    int64_t n;
    if (!dialect_constant_int(args_of(expr)->at[1], &n) || n < 0 || n > 10000 ||
        type.kind == SQL_TYPE_UNKNOWN || type.kind >= SQL_TYPE_JSON || type.kind == SQL_TYPE_NULL ||
        p->dialect->engine->types[type.kind] == NULL) {
        dialect_refuse(p, expr->span, "array_repeat by what is no constant");
        return;
    }
    sql_put(p, STR("array_fill(CAST("));
    sql_put_expr(p, args_of(expr)->at[0]);
    sql_put(p, STR(" AS "));
    dialect_put_type(p, &type);
    sql_putf(p, "), ARRAY[%d])", (int)n);
}

/* -- made of numbers -------------------------------------------------------------------------- */

#define SERIES(step)                                                                               \
    "ARRAY(SELECT weir_e.v FROM generate_series(${1!bigint}, ${2!bigint}, " step ") AS weir_e(v))"

static void put_sequence(printer *p, const struct sql_expr *expr) {
    for (size_t i = 0; i < args_of(expr)->n; i++)
        if (!sql_type_is_integer(dialect_kind(p, args_of(expr)->at[i])))
            dialect_refuse(p, expr->span, "a sequence of other than integers");
    if (args_of(expr)->n == 2)
        put_inside(p, expr,
                   BOTH(SERIES("CASE WHEN ${1!bigint} <= ${2!bigint} THEN CAST(1 AS bigint) "
                               "ELSE -1 END")));
    else
        put_inside(p, expr,
                   "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL AND $3 IS NOT NULL "
                   "THEN " SERIES("${3!bigint}") " END");
}

/* ordinal(n, a, b, …): NULL is the smallest value, and what is not there. */
static void put_ordinal(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    int64_t n;
    if (!dialect_constant_int(args_of(expr)->at[0], &n) || n < 1 || n > INT32_MAX ||
        kind == SQL_TYPE_NULL) {
        dialect_refuse(p, expr->span, "ordinal by what is no constant from 1");
        return;
    }
    put_inside(p, expr, "");
    dialect_put_extreme(p, expr, "(ARRAY(SELECT weir_e.v FROM unnest(ARRAY[",
                        "]) AS weir_e(v) ORDER BY weir_e.v", 1);
    if (sql_type_is_text(kind)) sql_put(p, STR(" COLLATE \"C\""));
    sql_putf(p, " NULLS FIRST))[%d]", (int)n);
}

const struct dialect_hook pg_array_hooks[] = {
    {"array", put_array},
    {"array_contains", put_array_contains},
    {"array_distinct", put_array_distinct},
    {"array_except", put_array_except},
    {"array_intersect", put_array_intersect},
    {"array_join", put_array_join},
    {"array_max", put_array_max},
    {"array_min", put_array_min},
    {"array_position", put_array_position},
    {"array_remove", put_array_remove},
    {"array_repeat", put_array_repeat},
    {"array_union", put_array_union},
    {"arrays_overlap", put_arrays_overlap},
    {"ordinal", put_ordinal},
    {"sequence", put_sequence},
    {"size", put_size},
    {"slice", put_slice},
    {"sort_array", put_sort_array},
    {NULL, NULL},
};
