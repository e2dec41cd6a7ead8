/* Arrays, maps, structs and lambdas. Positions count from 0 or 1 as MaxCompute counts them. */
#include "sql/dialect_duckdb_inner.h"

/* -- elements --------------------------------------------------------------------------------- */

static void put_key(printer *p, const struct sql_expr *key, const struct sql_type *map) {
    if (map->key != NULL)
        dialect_put_common(p, key, map->key);
    else
        sql_put_expr(p, key);
}

/* a[i] counts from 0, and there is nothing before it; m[k] is NULL for what is not there. */
void duck_put_element(printer *p, const struct sql_expr *base, const struct sql_expr *index) {
    struct sql_type type = dialect_type(p, base);
    int64_t at;
    switch ((int)type.kind) {
    case SQL_TYPE_ARRAY:
        sql_put(p, STR("list_extract("));
        sql_put_expr(p, base);
        if (dialect_constant_int(index, &at) && at >= 0 && at < INT32_MAX) {
            sql_putf(p, ", %lld)", (long long)at + 1);
            return;
        }
        sql_put(p, STR(", weir_place("));
        dialect_put_bigint(p, index);
        sql_put(p, STR("))"));
        return;
    case SQL_TYPE_MAP:
        sql_put(p, STR("element_at("));
        sql_put_expr(p, base);
        sql_put(p, STR(", "));
        put_key(p, index, &type);
        sql_put(p, STR(")[1]"));
        return;
    default:
        dialect_refuse(p, base->span, "an element of a value of type %s", sql_type_name(type.kind));
    }
}

static void put_index_call(printer *p, const struct sql_expr *expr) {
    duck_put_element(p, args_of(expr)->at[0], args_of(expr)->at[1]);
}

/* A column in the body is not found where the query is one inside of another that it reads. */
static void check_lambda(printer *p, const struct sql_expr *call, const struct sql_expr *lambda) {
    struct dialect_reads body = dialect_reads(p, lambda->lambda.body);
    if (body.outer || (body.own && dialect_reads(p, call).outer))
        dialect_refuse(p, call->span, "a lambda that reads columns of a query around");
}

static void put_lambda(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("lambda "));
    sql_put_names(p, &expr->lambda.params);
    sql_put(p, STR(": "));
    sql_put_expr(p, expr->lambda.body);
}

/* -- making ----------------------------------------------------------------------------------- */

static void put_list_from(printer *p, const struct sql_exprs *args, size_t from, size_t step,
                          const struct sql_type *type) {
    sql_put_byte(p, '[');
    for (size_t i = from; i < args->n; i += step) {
        if (i > from) sql_put(p, STR(", "));
        if (type != NULL)
            dialect_put_common(p, args->at[i], type);
        else
            sql_put_expr(p, args->at[i]);
    }
    sql_put_byte(p, ']');
}

static void put_array(printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, expr);
    put_list_from(p, args_of(expr), 0, 1, type.element);
}

static void put_map(printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, expr);
    if (args_of(expr)->n % 2 != 0) dialect_refuse(p, expr->span, "a map of half a pair");
    sql_put(p, STR("map("));
    put_list_from(p, args_of(expr), 0, 2, type.key);
    sql_put(p, STR(", "));
    put_list_from(p, args_of(expr), 1, 2, type.element);
    sql_put_byte(p, ')');
}

static void put_struct(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("struct_pack("));
    for (size_t i = 0; i < args_of(expr)->n; i++) {
        sql_putf(p, "%scol%zu := ", i > 0 ? ", " : "", i + 1);
        sql_put_expr(p, args_of(expr)->at[i]);
    }
    sql_put_byte(p, ')');
}

static void put_named_struct(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    sql_put(p, STR("struct_pack("));
    for (size_t i = 0; i + 1 < args->n; i += 2) {
        struct str name;
        if (!dialect_constant_text(args->at[i], &name) || name.len == 0) {
            dialect_refuse(p, args->at[i]->span, "a name of named_struct that is no constant");
            return;
        }
        if (i > 0) sql_put(p, STR(", "));
        sql_put_name(p, &(struct sql_name){.text = name});
        sql_put(p, STR(" := "));
        sql_put_expr(p, args->at[i + 1]);
    }
    sql_put_byte(p, ')');
}

/* -- arrays ----------------------------------------------------------------------------------- */

static const struct sql_type *element_of(const printer *p, const struct sql_expr *array) {
    struct sql_type type = dialect_type(p, array);
    return type.kind == SQL_TYPE_ARRAY ? type.element : NULL;
}

/* f(array, value), the value as the elements are. */
static void put_with_value(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_type *element = element_of(p, args->at[0]);
    sql_put(p, str_of(name));
    sql_put_expr(p, args->at[0]);
    sql_put(p, STR(", "));
    if (element == NULL)
        dialect_refuse(p, expr->span, "this function of what is no array");
    else
        dialect_put_common(p, args->at[1], element);
    sql_put_byte(p, ')');
}

static void put_array_contains(printer *p, const struct sql_expr *expr) {
    put_with_value(p, expr, "list_contains(");
}

static void put_array_position(printer *p, const struct sql_expr *expr) {
    put_with_value(p, expr, "weir_array_position(");
}

static void put_array_remove(printer *p, const struct sql_expr *expr) {
    put_with_value(p, expr, "weir_array_remove(");
}

/* Elements as texts, NULLs left out or replaced. */
static void put_array_join(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_type *element = element_of(p, args->at[0]);
    struct str separator;
    if (element == NULL || !(sql_type_is_text(element->kind) || sql_type_is_integer(element->kind)))
        dialect_refuse(p, expr->span, "array_join of what is neither text nor integer");
    if (!dialect_constant_text(args->at[1], &separator))
        dialect_refuse(p, expr->span, "array_join by what is no constant");
    sql_put(p, args->n > 2 ? STR("weir_array_join(") : STR("array_to_string("));
    sql_put_expr(p, args->at[0]);
    for (size_t i = 1; i < args->n; i++) {
        sql_put(p, STR(", "));
        dialect_put_text(p, args->at[i]);
    }
    sql_put_byte(p, ')');
}

/* NULL is the smallest. */
static void put_sort_array(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    bool is_down =
        args->n > 1 && args->at[1]->kind == SQL_LITERAL && args->at[1]->literal.kind == SQL_FALSE;
    bool is_known = args->n == 1 || is_down ||
                    (args->at[1]->kind == SQL_LITERAL && args->at[1]->literal.kind == SQL_TRUE);
    if (!is_known) dialect_refuse(p, expr->span, "sort_array in a direction that is no constant");
    if (element_of(p, args->at[0]) == NULL)
        dialect_refuse(p, expr->span, "sort_array of what is no array");
    sql_put(p, STR("list_sort("));
    sql_put_expr(p, args->at[0]);
    sql_put(p, is_down ? STR(", 'DESC', 'NULLS LAST')") : STR(", 'ASC', 'NULLS FIRST')"));
}

static void put_size(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    enum sql_type_kind kind = dialect_kind(p, of);
    if (kind != SQL_TYPE_ARRAY && kind != SQL_TYPE_MAP)
        dialect_refuse(p, expr->span, "size of a value of type %s", sql_type_name(kind));
    sql_put(p, kind == SQL_TYPE_MAP ? STR("CAST(cardinality(") : STR("CAST(len("));
    sql_put_expr(p, of);
    sql_put(p, STR(") AS BIGINT)"));
}

/* f(array) whose elements are of one kind; `what` says of which. */
static void put_of_elements(printer *p, const struct sql_expr *expr, enum sql_type_kind kind,
                            const char *name, const char *what) {
    const struct sql_type *element = element_of(p, args_of(expr)->at[0]);
    bool is_unknown = element != NULL && element->kind == SQL_TYPE_UNKNOWN;
    if (element == NULL || (element->kind != kind && !is_unknown))
        dialect_refuse(p, expr->span, "%s…) of what is no array of %s", name, what);
    dialect_wrap(p, name, sql_put_expr, args_of(expr)->at[0], ")");
}

static void put_flatten(printer *p, const struct sql_expr *expr) {
    put_of_elements(p, expr, SQL_TYPE_ARRAY, "flatten(", "arrays");
}

static void put_map_from_entries(printer *p, const struct sql_expr *expr) {
    put_of_elements(p, expr, SQL_TYPE_STRUCT, "map_from_entries(", "structs");
}

static void put_slice(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t from, n;
    if (!dialect_constant_int(args->at[1], &from) || from < 1 ||
        !dialect_constant_int(args->at[2], &n) || n < 0 || n > INT32_MAX || from > INT32_MAX) {
        dialect_refuse(p, expr->span, "slice by what is no constant from 1");
        return;
    }
    if (element_of(p, args->at[0]) == NULL)
        dialect_refuse(p, expr->span, "slice of what is no array");
    sql_put(p, STR("list_slice("));
    sql_put_expr(p, args->at[0]);
    sql_putf(p, ", %lld, %lld)", (long long)from, (long long)(from + n - 1));
}

static void put_reverse(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    bool is_array = dialect_kind(p, of) == SQL_TYPE_ARRAY;
    sql_put(p, is_array ? STR("list_reverse(") : STR("reverse("));
    if (is_array)
        sql_put_expr(p, of);
    else
        dialect_put_text(p, of);
    sql_put_byte(p, ')');
}

/* -- maps ------------------------------------------------------------------------------------- */

static void put_map_concat(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type type = dialect_type(p, args->at[0]);
    for (size_t i = 0; i < args->n; i++) {
        struct sql_type other = dialect_type(p, args->at[i]);
        if (type.kind != SQL_TYPE_MAP || !sql_type_eq(&type, &other))
            dialect_refuse(p, expr->span, "map_concat of other than maps of one type");
    }
    for (size_t i = 1; i < args->n; i++) sql_put(p, STR("weir_map_concat("));
    sql_put_expr(p, args->at[0]);
    for (size_t i = 1; i < args->n; i++) dialect_wrap(p, ", ", sql_put_expr, args->at[i], ")");
}

/* What both write alike: no fractions, no times. */
static bool is_plain_json(const struct sql_type *type) {
    if (type == NULL) return false;
    if (type->kind == SQL_TYPE_ARRAY) return is_plain_json(type->element);
    if (type->kind == SQL_TYPE_MAP)
        return type->key != NULL && sql_type_is_text(type->key->kind) &&
               is_plain_json(type->element);
    for (size_t i = 0; i < type->n_fields; i++)
        if (!is_plain_json(&type->fields[i].type)) return false;
    return (type->kind == SQL_TYPE_STRUCT && type->n_fields > 0) ||
           sql_type_is_integer(type->kind) || type->kind == SQL_TYPE_BOOLEAN ||
           type->kind == SQL_TYPE_STRING;
}

static void put_to_json(printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, args_of(expr)->at[0]);
    bool is_nested = type.kind >= SQL_TYPE_ARRAY;
    if (args_of(expr)->n > 1 || !is_nested || !is_plain_json(&type))
        dialect_refuse(p, expr->span, "to_json of other than nested texts, integers and booleans");
    dialect_wrap(p, "weir_to_json(", sql_put_expr, args_of(expr)->at[0], ")");
}

/* -- with lambdas ----------------------------------------------------------------------------- */

/* A second parameter would be a position, which counts from elsewhere. */
static void put_with_lambda(printer *p, const struct sql_expr *expr, const char *before,
                            const char *after) {
    const struct sql_expr *lambda = args_of(expr)->at[1];
    if (lambda->kind != SQL_LAMBDA || lambda->lambda.params.n != 1) {
        dialect_refuse(p, expr->span, "this function without a lambda of one parameter");
        return;
    }
    check_lambda(p, expr, lambda);
    sql_put(p, str_of(before));
    sql_put_expr(p, args_of(expr)->at[0]);
    sql_put(p, STR(", "));
    put_lambda(p, lambda);
    sql_put(p, str_of(after));
}

/* What a lambda of two parameters gives for each key and value of the map, as a list. */
static void put_of_pairs(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_expr *lambda = args_of(expr)->at[1];
    if (args_of(expr)->n > 2 || lambda->kind != SQL_LAMBDA || lambda->lambda.params.n != 2) {
        dialect_refuse(p, expr->span, "this function without a lambda of two parameters");
        return;
    }
    if (dialect_kind(p, args_of(expr)->at[0]) != SQL_TYPE_MAP)
        dialect_refuse(p, expr->span, "this function of what is no map");
    check_lambda(p, expr, lambda);
    sql_put(p, str_of(name));
    dialect_wrap(p, "(map_entries(", sql_put_expr, args_of(expr)->at[0],
                 "), lambda weir_e: list_transform([weir_e['key']], lambda ");
    sql_put_name(p, &lambda->lambda.params.at[0]);
    sql_put(p, STR(": list_transform([weir_e['value']], lambda "));
    sql_put_name(p, &lambda->lambda.params.at[1]);
    dialect_wrap(p, ": ", sql_put_expr, lambda->lambda.body, ")[1])[1])");
}

static void put_map_filter(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("map_from_entries("));
    put_of_pairs(p, expr, "list_filter");
    sql_put_byte(p, ')');
}

static void put_transform_values(printer *p, const struct sql_expr *expr) {
    dialect_wrap(p, "map(map_keys(", sql_put_expr, args_of(expr)->at[0], "), ");
    put_of_pairs(p, expr, "list_transform");
    sql_put_byte(p, ')');
}

/* Keys that become the same fail. */
static void put_transform_keys(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("map("));
    put_of_pairs(p, expr, "list_transform");
    dialect_wrap(p, ", map_values(", sql_put_expr, args_of(expr)->at[0], "))");
}

/* array_reduce(a, init, merge, last): what is made so far keeps the type that it begins with. */
static void put_array_reduce(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_expr *merge = args->at[2], *last = args->at[3];
    bool is_good = merge->kind == SQL_LAMBDA && merge->lambda.params.n == 2 &&
                   last->kind == SQL_LAMBDA && last->lambda.params.n == 1 &&
                   element_of(p, args->at[0]) != NULL;
    if (!is_good) {
        dialect_refuse(p, expr->span, "array_reduce without an array and two lambdas");
        return;
    }
    struct sql_type first = dialect_type(p, args->at[1]);
    struct sql_type made = dialect_type(p, merge->lambda.body);
    if (!sql_type_eq(&first, &made))
        dialect_refuse(p, expr->span, "array_reduce whose lambda makes another type");
    check_lambda(p, expr, merge);
    check_lambda(p, expr, last);
    dialect_wrap(p, "list_transform([list_reduce(", sql_put_expr, args->at[0], ", ");
    put_lambda(p, merge);
    dialect_wrap(p, ", ", sql_put_expr, args->at[1], ")], ");
    put_lambda(p, last);
    sql_put(p, STR(")[1]"));
}

static void put_filter(printer *p, const struct sql_expr *expr) {
    put_with_lambda(p, expr, "list_filter(", ")");
}

static void put_transform(printer *p, const struct sql_expr *expr) {
    put_with_lambda(p, expr, "list_transform(", ")");
}

static void put_any_match(printer *p, const struct sql_expr *expr) {
    put_with_lambda(p, expr, "weir_any_true(list_transform(", "))");
}

static void put_all_match(printer *p, const struct sql_expr *expr) {
    put_with_lambda(p, expr, "weir_all_true(list_transform(", "))");
}

static void put_str_to_map(printer *p, const struct sql_expr *expr) {
    static const char *const usual[] = {",", "="};
    const struct sql_exprs *args = args_of(expr);
    sql_put(p, STR("weir_str_to_map("));
    dialect_put_text(p, args->at[0]);
    for (size_t i = 1; i < 3; i++) {
        struct str text = str_of(usual[i - 1]);
        char plain[64];
        size_t len;
        if (i < args->n && !dialect_constant_text(args->at[i], &text)) text = STR_NONE;
        if (!dialect_regex_is_plain(text, plain, sizeof plain, &len)) {
            dialect_refuse(p, expr->span, "str_to_map by what is no constant plain text");
            return;
        }
        sql_put(p, STR(", "));
        sql_put_string(p, (struct str){plain, len});
    }
    sql_put_byte(p, ')');
}

const struct dialect_hook duck_nested_hooks[] = {
    {"array", put_array},
    {"map", put_map},
    {"struct", put_struct},
    {"named_struct", put_named_struct},
    {"index", put_index_call},
    {"array_contains", put_array_contains},
    {"array_position", put_array_position},
    {"array_remove", put_array_remove},
    {"array_join", put_array_join},
    {"sort_array", put_sort_array},
    {"size", put_size},
    {"flatten", put_flatten},
    {"map_from_entries", put_map_from_entries},
    {"slice", put_slice},
    {"reverse", put_reverse},
    {"filter", put_filter},
    {"map_filter", put_map_filter},
    {"transform_values", put_transform_values},
    {"transform_keys", put_transform_keys},
    {"array_reduce", put_array_reduce},
    {"transform", put_transform},
    {"any_match", put_any_match},
    {"all_match", put_all_match},
    {"str_to_map", put_str_to_map},
    {"map_concat", put_map_concat},
    {"to_json", put_to_json},
    {NULL, NULL},
};
