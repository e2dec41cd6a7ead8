/* Calls. What a function is called here stands in functions.def: a name, a template, or the name of
 * a hook. Aggregates and window functions have a table of their own (_aggregate.c), because OVER
 * and FILTER follow the function itself and not what is done with its value. */
#include "sql/dialect_duckdb_inner.h"

/* -- hooks without a home --------------------------------------------------------------------- */

static const struct sql_exprs *args_of(const struct sql_expr *expr) {
    return &expr->call.args;
}

static void put_if(printer *p, const struct sql_expr *expr) {
    struct sql_type type = duck_type(p, expr);
    sql_put(p, STR("CASE WHEN "));
    duck_put_boolean(p, args_of(expr)->at[0]);
    sql_put(p, STR(" THEN "));
    duck_put_common(p, args_of(expr)->at[1], &type);
    sql_put(p, STR(" ELSE "));
    duck_put_common(p, args_of(expr)->at[2], &type);
    sql_put(p, STR(" END"));
}

static void put_all_common(printer *p, const struct sql_expr *expr, size_t from) {
    struct sql_type type = duck_type(p, expr);
    for (size_t i = from; i < args_of(expr)->n; i++) {
        if (i > from) sql_put(p, STR(", "));
        duck_put_common(p, args_of(expr)->at[i], &type);
    }
}

static void put_coalesce(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("coalesce("));
    put_all_common(p, expr, 0);
    sql_put_byte(p, ')');
}

static void put_nullif(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("CASE WHEN "));
    duck_put_compare(p, args_of(expr)->at[0], " = ", args_of(expr)->at[1]);
    sql_put(p, STR(" THEN NULL ELSE "));
    sql_put_expr(p, args_of(expr)->at[0]);
    sql_put(p, STR(" END"));
}

/* decode(e, s, r, …, default): NULL matches NULL. */
static void put_decode(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type type = duck_type(p, expr);
    sql_put(p, STR("CASE"));
    size_t i = 1;
    for (; i + 1 < args->n; i += 2) {
        sql_put(p, STR(" WHEN "));
        duck_put_compare(p, args->at[0], " IS NOT DISTINCT FROM ", args->at[i]);
        sql_put(p, STR(" THEN "));
        duck_put_common(p, args->at[i + 1], &type);
    }
    if (i < args->n) {
        sql_put(p, STR(" ELSE "));
        duck_put_common(p, args->at[i], &type);
    }
    sql_put(p, STR(" END"));
}

/* Numbers and texts do not meet here: which of them is turned into the other is not told. */
static void put_extreme(printer *p, const struct sql_expr *expr, const char *before,
                        const char *after, size_t from) {
    bool has_text = false, has_other = false;
    for (size_t i = from; i < args_of(expr)->n; i++) {
        enum sql_type_kind kind = duck_kind(p, args_of(expr)->at[i]);
        has_text = has_text || sql_type_is_text(kind);
        has_other = has_other || (kind != SQL_TYPE_NULL && !sql_type_is_text(kind));
    }
    if (has_text && has_other) duck_refuse(p, expr->span, "the extreme of texts and others");
    sql_put(p, str_of(before));
    put_all_common(p, expr, from);
    sql_put(p, str_of(after));
}

/* NULL is the smallest value: greatest() passes it over, and least() gives it. */
static void put_greatest(printer *p, const struct sql_expr *expr) {
    put_extreme(p, expr, "greatest(", ")", 0);
}

static void put_least(printer *p, const struct sql_expr *expr) {
    put_extreme(p, expr, "weir_least([", "])", 0);
}

static void put_ordinal(printer *p, const struct sql_expr *expr) {
    put_extreme(p, expr, "weir_ordinal([", "], ", 1);
    duck_put_bigint(p, args_of(expr)->at[0]);
    sql_put_byte(p, ')');
}

/* -- numbers ---------------------------------------------------------------------------------- */

/* round(BIGINT) is a DOUBLE too; DECIMAL stays. */
static void put_round_as(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    int64_t digits = 0;
    bool is_decimal = duck_kind(p, args->at[0]) == SQL_TYPE_DECIMAL;
    if (args->n > 1 && !duck_constant_int(args->at[1], &digits))
        duck_refuse(p, expr->span, "%s to a number of digits that is no constant", name);
    sql_putf(p, "%s(", name);
    if (is_decimal)
        sql_put_expr(p, args->at[0]);
    else
        duck_put_double(p, args->at[0]);
    sql_putf(p, ", %lld)", (long long)digits);
}

static void put_round(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "round");
}

static void put_bround(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "round_even");
}

/* By way of its shortest decimal text: 1.15 to two digits is 1.15 and not 1.14. */
static void put_trunc(printer *p, const struct sql_expr *expr) {
    if (duck_kind(p, args_of(expr)->at[0]) == SQL_TYPE_DECIMAL)
        put_round_as(p, expr, "trunc");
    else
        put_round_as(p, expr, "weir_trunc");
}

static void put_log(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 1) duck_refuse(p, expr->span, "log without a base");
    if (args->n == 1) return;
    sql_put(p, STR("weir_log("));
    duck_put_double(p, args->at[0]);
    sql_put(p, STR(", "));
    duck_put_double(p, args->at[1]);
    sql_put_byte(p, ')');
}

static void put_hex(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    enum sql_type_kind kind = duck_kind(p, of);
    if (!sql_type_is_integer(kind) && !sql_type_is_text(kind) && kind != SQL_TYPE_BINARY)
        duck_refuse(p, expr->span, "hex of a value of type %s", sql_type_name(kind));
    sql_put(p, STR("hex("));
    sql_put_expr(p, of);
    sql_put_byte(p, ')');
}

/* Between bases that are written as constants; a digit that the first has not fails. */
static void put_conv(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t from = 0, to = 0;
    bool is_known = duck_constant_int(args->at[1], &from) && from >= 2 && from <= 36 &&
                    duck_constant_int(args->at[2], &to) && (to == 2 || to == 10 || to == 16);
    if (!is_known) {
        duck_refuse(p, expr->span, "conv between these bases");
        return;
    }
    sql_put(p, to == 2 ? STR("bin(") : to == 16 ? STR("hex(") : STR("CAST("));
    sql_put(p, STR("weir_from_base("));
    duck_put_text(p, args->at[0]);
    sql_putf(p, ", %d)%s", (int)from, to == 10 ? " AS VARCHAR)" : ")");
}

/* Both ends included; downwards when the end is less and no step is told. */
static void put_sequence(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    for (size_t i = 0; i < args->n; i++)
        if (!sql_type_is_integer(duck_kind(p, args->at[i])))
            duck_refuse(p, expr->span, "a sequence of other than integers");
    sql_put(p, args->n == 3 ? STR("generate_series(") : STR("weir_sequence("));
    for (size_t i = 0; i < args->n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        duck_put_bigint(p, args->at[i]);
    }
    sql_put_byte(p, ')');
}

static void put_rand(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 0) duck_refuse(p, expr->span, "rand with a seed");
    sql_put(p, STR("random()"));
}

static void put_format_number(printer *p, const struct sql_expr *expr) {
    int64_t digits;
    if (!duck_constant_int(args_of(expr)->at[1], &digits) || digits < 0 || digits > 20) {
        duck_refuse(p, expr->span, "format_number by a pattern");
        return;
    }
    sql_putf(p, "format('{:,.%lldf}', ", (long long)digits);
    duck_put_double(p, args_of(expr)->at[0]);
    sql_put_byte(p, ')');
}

/* What is not given is left out: a plain greatest() of one text must not turn it. */
duck_hook duck_find_plain(struct str name) {
    static const struct {
        const char *name;
        duck_hook put;
    } hooks[] = {
        {"if", put_if},
        {"coalesce", put_coalesce},
        {"nullif", put_nullif},
        {"decode", put_decode},
        {"greatest", put_greatest},
        {"least", put_least},
        {"ordinal", put_ordinal},
        {"round", put_round},
        {"bround", put_bround},
        {"trunc", put_trunc},
        {"log", put_log},
        {"hex", put_hex},
        {"conv", put_conv},
        {"sequence", put_sequence},
        {"rand", put_rand},
        {"format_number", put_format_number},
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
        {"string", duck_put_text},   {"double", duck_put_double},   {"number", duck_put_number},
        {"bigint", duck_put_bigint}, {"decimal", duck_put_decimal}, {"timestamp", duck_put_time},
        {"date", duck_put_date},
    };
    for (size_t i = 0; i < COUNT(classes); i++) {
        if (!str_eq(str_of(classes[i].name), as)) continue;
        classes[i].put(p, arg);
        return;
    }
    if (as.len == 0)
        sql_put_operand(p, arg);
    else
        duck_refuse(p, arg->span, "an argument as " STR_FMT, STR_ARG(as));
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

static duck_hook find_hook(struct str name) {
    duck_hook hook = duck_find_plain(name);
    if (hook == NULL) hook = duck_find_text(name);
    if (hook == NULL) hook = duck_find_time(name);
    if (hook == NULL) hook = duck_find_nested(name);
    return hook;
}

static void put_spelling(printer *p, const struct sql_expr *expr,
                         const struct sql_function *function) {
    struct spelling spelling = sql_spelling(function, function->duckdb, args_of(expr)->n);
    duck_hook hook = NULL;
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
        duck_refuse(p, expr->span, "the function %s", function->name);
}

/* -- doors ------------------------------------------------------------------------------------ */

bool duck_put_call(printer *p, const struct sql_expr *expr) {
    const struct sql_call *call = &expr->call;
    struct str name = call->name.n > 0 ? call->name.at[call->name.n - 1].text : STR_NONE;
    bool is_own = call->name.n == 1 && call->prefix != SQL_CALL_COLON;
    const struct sql_function *function = is_own ? sql_function_find(name) : NULL;
    if (function == NULL) {
        duck_refuse(p, expr->span, "the function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
    } else if (!sql_function_takes(function, call->args.n)) {
        duck_refuse(p, expr->span, "%s with %zu arguments", function->name, call->args.n);
    } else if (function->kind == FUNCTION_TABLE) {
        duck_refuse(p, expr->span, "%s where it is no item of its own", function->name);
    } else if (!duck_put_aggregate(p, expr, function)) {
        if (call->distinct || call->over != NULL || call->filter != NULL || call->n_within > 0)
            duck_refuse(p, expr->span, "%s with DISTINCT, OVER, FILTER or WITHIN GROUP",
                        function->name);
        put_spelling(p, expr, function);
    }
    return true;
}

/* Only asked by the usual way of printing calls, which is never taken. */
void duck_put_function(printer *p, const struct sql_call *call) {
    sql_put_path(p, &call->name);
}
