/* Calls. What a function is called here stands in functions.def: a name, a template, or the name of
 * a hook. Aggregates and window functions have a table of their own (_aggregate.c), because OVER
 * and FILTER follow the function itself and not what is done with its value. */
#include "sql/dialect_postgres_inner.h"

/* -- hooks without a home --------------------------------------------------------------------- */

static const struct sql_exprs *args_of(const struct sql_expr *expr) {
    return &expr->call.args;
}

static void put_if(printer *p, const struct sql_expr *expr) {
    struct sql_type type = pg_type(p, expr);
    sql_put(p, STR("CASE WHEN "));
    pg_put_boolean(p, args_of(expr)->at[0]);
    sql_put(p, STR(" THEN "));
    pg_put_common(p, args_of(expr)->at[1], &type);
    sql_put(p, STR(" ELSE "));
    pg_put_common(p, args_of(expr)->at[2], &type);
    sql_put(p, STR(" END"));
}

static void put_all_common(printer *p, const struct sql_expr *expr, size_t from) {
    struct sql_type type = pg_type(p, expr);
    for (size_t i = from; i < args_of(expr)->n; i++) {
        if (i > from) sql_put(p, STR(", "));
        pg_put_common(p, args_of(expr)->at[i], &type);
    }
}

static void put_coalesce(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("coalesce("));
    put_all_common(p, expr, 0);
    sql_put_byte(p, ')');
}

static void put_nullif(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("CASE WHEN "));
    pg_put_compare(p, args_of(expr)->at[0], " = ", args_of(expr)->at[1]);
    sql_put(p, STR(" THEN NULL ELSE "));
    sql_put_expr(p, args_of(expr)->at[0]);
    sql_put(p, STR(" END"));
}

/* decode(e, s, r, …, default): NULL matches NULL. */
static void put_decode(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type type = pg_type(p, expr);
    sql_put(p, STR("CASE"));
    size_t i = 1;
    for (; i + 1 < args->n; i += 2) {
        sql_put(p, STR(" WHEN "));
        pg_put_compare(p, args->at[0], " IS NOT DISTINCT FROM ", args->at[i]);
        sql_put(p, STR(" THEN "));
        pg_put_common(p, args->at[i + 1], &type);
    }
    if (i < args->n) {
        sql_put(p, STR(" ELSE "));
        pg_put_common(p, args->at[i], &type);
    }
    sql_put(p, STR(" END"));
}

/* Numbers and texts do not meet here: which of them is turned into the other is not told. */
static void put_extreme(printer *p, const struct sql_expr *expr, const char *before,
                        const char *after, size_t from) {
    bool has_text = false, has_other = false;
    for (size_t i = from; i < args_of(expr)->n; i++) {
        enum sql_type_kind kind = pg_kind(p, args_of(expr)->at[i]);
        has_text = has_text || sql_type_is_text(kind);
        has_other = has_other || (kind != SQL_TYPE_NULL && !sql_type_is_text(kind));
        if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
            pg_refuse(p, expr->span, "the extreme of values of type %s", sql_type_name(kind));
    }
    if (has_text && has_other) pg_refuse(p, expr->span, "the extreme of texts and others");
    sql_put(p, str_of(before));
    put_all_common(p, expr, from);
    if (has_text) sql_put(p, STR(" COLLATE \"C\""));
    sql_put(p, str_of(after));
}

/* NULL is the smallest value: greatest() passes it over, as here, and least() gives it. */
static void put_greatest(printer *p, const struct sql_expr *expr) {
    put_extreme(p, expr, "greatest(", ")", 0);
}

static void put_least(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    for (size_t i = 0; i < args->n; i++)
        pg_wrap(p, i == 0 ? "CASE WHEN " : " AND ", pg_put_plain, args->at[i], " IS NOT NULL");
    put_extreme(p, expr, " THEN least(", ") END", 0);
}

/* -- numbers ---------------------------------------------------------------------------------- */

/* By way of its shortest decimal text, as people read it, and ties away from zero; round(BIGINT) is
 * a DOUBLE too, and DECIMAL stays. */
static void put_round_as(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    int64_t digits = 0;
    bool is_decimal = pg_kind(p, args->at[0]) == SQL_TYPE_DECIMAL;
    if (args->n > 1 && (!pg_constant_int(args->at[1], &digits) || digits < -30 || digits > 30))
        pg_refuse(p, expr->span, "%s to a number of digits that is no constant", name);
    if (!is_decimal) sql_put(p, STR("CAST("));
    sql_putf(p, "%s(", name);
    if (is_decimal)
        sql_put_expr(p, args->at[0]);
    else
        pg_wrap(p, "CAST(CAST(", pg_put_double, args->at[0], " AS text) AS numeric)");
    sql_putf(p, ", %d)", (int)digits);
    if (!is_decimal) sql_put(p, STR(" AS float8)"));
}

static void put_round(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "round");
}

static void put_trunc(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "trunc");
}

/* Of an integer itself: a double would lose digits. */
static void put_whole(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_expr *of = args_of(expr)->at[0];
    sql_put(p, STR("CAST("));
    if (sql_type_is_integer(pg_kind(p, of)))
        pg_put_bigint(p, of);
    else
        pg_wrap(p, name, pg_put_number, of, ")");
    sql_put(p, STR(" AS bigint)"));
}

static void put_ceil(printer *p, const struct sql_expr *expr) {
    put_whole(p, expr, "ceil(");
}

static void put_floor(printer *p, const struct sql_expr *expr) {
    put_whole(p, expr, "floor(");
}

static void put_mod(printer *p, const struct sql_expr *expr) {
    sql_put_byte(p, '(');
    pg_put_remainder(p, args_of(expr)->at[0], args_of(expr)->at[1]);
    sql_put_byte(p, ')');
}

static void put_rand(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 0) pg_refuse(p, expr->span, "rand with a seed");
    sql_put(p, STR("random()"));
}

/* -- arrays ----------------------------------------------------------------------------------- */

/* a[i] counts from 0, and there is nothing before it. */
void pg_put_element(printer *p, const struct sql_expr *base, const struct sql_expr *index) {
    struct sql_type type = pg_type(p, base);
    int64_t at;
    if (type.kind != SQL_TYPE_ARRAY || type.element == NULL ||
        type.element->kind == SQL_TYPE_ARRAY) {
        pg_refuse(p, base->span, "an element of a value of type %s", sql_type_name(type.kind));
        return;
    }
    pg_wrap(p, "(", sql_put_expr, base, ")[");
    if (pg_constant_int(index, &at) && at >= 0 && at < INT32_MAX)
        sql_putf(p, "%lld]", (long long)at + 1);
    else
        pg_wrap(p, "", pg_put_integer, index, " + 1]");
}

static void put_array(printer *p, const struct sql_expr *expr) {
    struct sql_type type = pg_type(p, expr);
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 0 || type.element == NULL || type.element->kind == SQL_TYPE_ARRAY ||
        type.element->kind == SQL_TYPE_UNKNOWN || type.element->kind == SQL_TYPE_NULL) {
        pg_refuse(p, expr->span, "an array of other than plain values");
        return;
    }
    for (size_t i = 0; i < args->n; i++) {
        sql_put(p, i == 0 ? STR("ARRAY[") : STR(", "));
        pg_put_common(p, args->at[i], type.element);
    }
    sql_put_byte(p, ']');
}

static const struct sql_type *element_of(printer *p, const struct sql_expr *array) {
    static const struct sql_type none = {.kind = SQL_TYPE_UNKNOWN};
    struct sql_type type = pg_type(p, array);
    bool is_flat =
        type.kind == SQL_TYPE_ARRAY && type.element != NULL && type.element->kind != SQL_TYPE_ARRAY;
    if (!is_flat) pg_refuse(p, array->span, "this function of other than an array");
    return is_flat ? type.element : &none;
}

static void put_size(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    (void)element_of(p, of);
    pg_wrap(p, "CAST(cardinality(", sql_put_expr, of, ") AS bigint)");
}

/* Elements as texts, NULLs left out. */
static void put_array_join(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    enum sql_type_kind kind = element_of(p, args->at[0])->kind;
    if (!sql_type_is_text(kind) && !sql_type_is_integer(kind))
        pg_refuse(p, expr->span, "array_join of what is neither text nor integer");
    pg_wrap(p, "array_to_string(", sql_put_expr, args->at[0], "");
    for (size_t i = 1; i < args->n; i++) pg_wrap(p, ", ", pg_put_text, args->at[i], "");
    sql_put_byte(p, ')');
}

static void put_array_contains(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_type *element = element_of(p, args->at[0]);
    enum sql_type_kind kind = pg_kind(p, args->at[1]);
    if (kind != element->kind)
        pg_refuse(p, expr->span, "array_contains of a value of another type");
    pg_wrap(p, "CASE WHEN ", sql_put_operand, args->at[0], " IS NOT NULL AND ");
    pg_wrap(p, "", pg_put_plain, args->at[1], " IS NOT NULL THEN array_position(");
    pg_wrap(p, "", sql_put_expr, args->at[0], ", ");
    pg_put_common(p, args->at[1], element);
    sql_put(p, STR(") IS NOT NULL END"));
}

static void put_current_timezone(printer *p, const struct sql_expr *expr) {
    (void)expr;
    sql_put(p, STR("current_setting('TimeZone')"));
}

pg_put pg_find_plain(struct str name) {
    static const struct {
        const char *name;
        pg_put put;
    } hooks[] = {
        {"if", put_if},
        {"coalesce", put_coalesce},
        {"nullif", put_nullif},
        {"decode", put_decode},
        {"greatest", put_greatest},
        {"least", put_least},
        {"round", put_round},
        {"trunc", put_trunc},
        {"ceil", put_ceil},
        {"floor", put_floor},
        {"mod", put_mod},
        {"rand", put_rand},
        {"array", put_array},
        {"array_join", put_array_join},
        {"array_contains", put_array_contains},
        {"size", put_size},
        {"current_timezone", put_current_timezone},
    };
    for (size_t i = 0; i < COUNT(hooks); i++)
        if (str_eq(str_of(hooks[i].name), name)) return hooks[i].put;
    return NULL;
}

/* -- templates -------------------------------------------------------------------------------- */

static void put_coerced(printer *p, const struct sql_expr *arg, struct str as) {
    static const struct {
        const char *name;
        void (*put)(printer *p, const struct sql_expr *expr);
    } classes[] = {
        {"string", pg_put_text},   {"double", pg_put_double},   {"number", pg_put_number},
        {"bigint", pg_put_bigint}, {"decimal", pg_put_decimal}, {"timestamp", pg_put_time},
        {"date", pg_put_date},
    };
    for (size_t i = 0; i < COUNT(classes); i++) {
        if (!str_eq(str_of(classes[i].name), as)) continue;
        classes[i].put(p, arg);
        return;
    }
    if (as.len == 0)
        sql_put_operand(p, arg);
    else
        pg_refuse(p, arg->span, "an argument as " STR_FMT, STR_ARG(as));
}

static void put_rest(printer *p, const struct sql_exprs *args, size_t from) {
    for (size_t i = from; i < args->n; i++) {
        if (i > from) sql_put(p, STR(", "));
        sql_put_expr(p, args->at[i]);
    }
}

static void put_pieces(printer *p, const struct sql_exprs *args, struct str text) {
    for (;;) {
        struct spelling_piece piece = sql_spelling_next(&text);
        switch (piece.kind) {
        case PIECE_END: return;
        case PIECE_TEXT: sql_put(p, piece.text); break;
        case PIECE_ARG:
            if (piece.arg < args->n)
                put_coerced(p, args->at[piece.arg], piece.coerce);
            else
                sql_put(p, piece.text);
            break;
        case PIECE_REST: put_rest(p, args, piece.arg); break;
        }
    }
}

/* name(…): the parenthesis that opens behind the name closes at the end. */
static bool is_closed(struct str text) {
    size_t depth = 0;
    size_t at = str_find_byte(text, '(');
    if (at == text.len || str_find_byte(text, ' ') < at) return false;
    for (; at < text.len; at++) {
        if (text.ptr[at] == '(') depth++;
        if (text.ptr[at] == ')' && --depth == 0) return at + 1 == text.len;
    }
    return false;
}

static void put_template(printer *p, const struct sql_exprs *args, struct str text) {
    bool is_bare = str_find_byte(text, ' ') == text.len && str_find_byte(text, '(') == text.len;
    bool parens = !is_closed(text) && !is_bare;
    if (parens) sql_put_byte(p, '(');
    put_pieces(p, args, text);
    if (parens) sql_put_byte(p, ')');
}

static pg_put find_hook(struct str name) {
    pg_put hook = pg_find_plain(name);
    if (hook == NULL) hook = pg_find_text(name);
    if (hook == NULL) hook = pg_find_time(name);
    return hook;
}

static void put_spelling(printer *p, const struct sql_expr *expr,
                         const struct sql_function *function) {
    struct spelling spelling = sql_spelling(function, function->postgres, args_of(expr)->n);
    pg_put hook = NULL;
    switch (spelling.kind) {
    case SPELLING_HOOK: hook = find_hook(spelling.text); break;
    case SPELLING_NAME:
        sql_put(p, spelling.text);
        sql_put_byte(p, '(');
        put_rest(p, args_of(expr), 0);
        sql_put_byte(p, ')');
        return;
    case SPELLING_TEMPLATE: put_template(p, args_of(expr), spelling.text); return;
    case SPELLING_REFUSED: break;
    }
    if (hook != NULL)
        hook(p, expr);
    else
        pg_refuse(p, expr->span, "the function %s", function->name);
}

/* -- doors ------------------------------------------------------------------------------------ */

bool pg_put_call(printer *p, const struct sql_expr *expr) {
    const struct sql_call *call = &expr->call;
    struct str name = call->name.n > 0 ? call->name.at[call->name.n - 1].text : STR_NONE;
    bool is_own = call->name.n == 1 && call->prefix != SQL_CALL_COLON;
    const struct sql_function *function = is_own ? sql_function_find(name) : NULL;
    if (function == NULL) {
        pg_refuse(p, expr->span, "the function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
    } else if (!sql_function_takes(function, call->args.n)) {
        pg_refuse(p, expr->span, "%s with %zu arguments", function->name, call->args.n);
    } else if (function->kind == FUNCTION_TABLE) {
        pg_refuse(p, expr->span, "%s where it is no item of its own", function->name);
    } else if (!pg_put_aggregate(p, expr, function)) {
        if (call->distinct || call->over != NULL || call->filter != NULL || call->n_within > 0)
            pg_refuse(p, expr->span, "%s with DISTINCT, OVER, FILTER or WITHIN GROUP",
                      function->name);
        put_spelling(p, expr, function);
    }
    return true;
}

/* Only asked by the usual way of printing calls, which is never taken. */
void pg_put_function(printer *p, const struct sql_call *call) {
    sql_put_path(p, &call->name);
}
