/* Calls. What a function is called by an engine stands in functions.def: a name, a template, or the
 * name of a hook. Aggregates and window functions go another way (_aggregate.c), because OVER and
 * FILTER follow the function itself and not what is done with its value. */
#include "sql/dialect_engine.h"

/* -- hooks that both have --------------------------------------------------------------------- */

static void put_if(printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, expr);
    sql_put(p, STR("CASE WHEN "));
    dialect_put_boolean(p, args_of(expr)->at[0]);
    sql_put(p, STR(" THEN "));
    dialect_put_common(p, args_of(expr)->at[1], &type);
    sql_put(p, STR(" ELSE "));
    dialect_put_common(p, args_of(expr)->at[2], &type);
    sql_put(p, STR(" END"));
}

static void put_all_common(printer *p, const struct sql_expr *expr, size_t from) {
    struct sql_type type = dialect_type(p, expr);
    for (size_t i = from; i < args_of(expr)->n; i++) {
        if (i > from) sql_put(p, STR(", "));
        dialect_put_common(p, args_of(expr)->at[i], &type);
    }
}

static void put_coalesce(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("coalesce("));
    put_all_common(p, expr, 0);
    sql_put_byte(p, ')');
}

static void put_nullif(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("CASE WHEN "));
    dialect_put_compare(p, args_of(expr)->at[0], " = ", args_of(expr)->at[1]);
    sql_put(p, STR(" THEN NULL ELSE "));
    sql_put_expr(p, args_of(expr)->at[0]);
    sql_put(p, STR(" END"));
}

/* decode(e, s, r, …, default): NULL matches NULL. */
static void put_decode(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type type = dialect_type(p, expr);
    sql_put(p, STR("CASE"));
    size_t i = 1;
    for (; i + 1 < args->n; i += 2) {
        sql_put(p, STR(" WHEN "));
        dialect_put_compare(p, args->at[0], " IS NOT DISTINCT FROM ", args->at[i]);
        sql_put(p, STR(" THEN "));
        dialect_put_common(p, args->at[i + 1], &type);
    }
    if (i < args->n) {
        sql_put(p, STR(" ELSE "));
        dialect_put_common(p, args->at[i], &type);
    }
    sql_put(p, STR(" END"));
}

/* Numbers and texts do not meet here: which of them is turned into the other is not told. */
void dialect_put_extreme(printer *p, const struct sql_expr *expr, const char *before,
                         const char *after, size_t from) {
    const struct dialect_engine *engine = p->dialect->engine;
    bool has_text = false, has_other = false;
    for (size_t i = from; i < args_of(expr)->n; i++) {
        enum sql_type_kind kind = dialect_kind(p, args_of(expr)->at[i]);
        has_text = has_text || sql_type_is_text(kind);
        has_other = has_other || (kind != SQL_TYPE_NULL && !sql_type_is_text(kind));
        bool is_ordered = kind != SQL_TYPE_UNKNOWN && kind < SQL_TYPE_JSON;
        if (!is_ordered && engine->needs_types)
            dialect_refuse(p, expr->span, "the extreme of values of type %s", sql_type_name(kind));
    }
    if (has_text && has_other) dialect_refuse(p, expr->span, "the extreme of texts and others");
    sql_put(p, str_of(before));
    put_all_common(p, expr, from);
    if (has_text) sql_put(p, str_of(engine->collation));
    sql_put(p, str_of(after));
}

/* NULL is the smallest value, which greatest() passes over. */
static void put_greatest(printer *p, const struct sql_expr *expr) {
    dialect_put_extreme(p, expr, "greatest(", ")", 0);
}

/* NULL when any part is. */
static void put_concat(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    for (size_t i = 0; i < args->n; i++)
        dialect_wrap(p, i == 0 ? "(" : " || ",
                     args->n == 1 ? dialect_put_key_text : dialect_put_text, args->at[i], "");
    sql_put_byte(p, ')');
}

static void put_rand(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 0) dialect_refuse(p, expr->span, "rand with a seed");
    sql_put(p, STR("random()"));
}

static void put_sha2(printer *p, const struct sql_expr *expr) {
    int64_t bits;
    if (!dialect_constant_int(args_of(expr)->at[1], &bits) || (bits != 256 && bits != 0))
        dialect_refuse(p, expr->span, "sha2 of other than 256 bits");
    else
        dialect_wrap(p, p->dialect->engine->sha256[0], dialect_put_text, args_of(expr)->at[0],
                     p->dialect->engine->sha256[1]);
}

/* With nothing to pad with, engines give what they like. */
static void put_pad(printer *p, const struct sql_expr *expr, const char *before) {
    const struct sql_exprs *args = args_of(expr);
    struct str filler;
    if (dialect_constant_text(args->at[2], &filler) && filler.len == 0)
        dialect_refuse(p, expr->span, "padding with an empty text");
    dialect_wrap(p, before, dialect_put_text, args->at[0], ", CAST(");
    dialect_wrap(p, "", dialect_put_bigint, args->at[1], " AS ");
    sql_put(p, str_of(p->dialect->engine->types[SQL_TYPE_INT]));
    dialect_wrap(p, "), ", dialect_put_text, args->at[2], ")");
}

static void put_lpad(printer *p, const struct sql_expr *expr) {
    put_pad(p, expr, "lpad(");
}

static void put_rpad(printer *p, const struct sql_expr *expr) {
    put_pad(p, expr, "rpad(");
}

/* What is not given is left out: a plain greatest() of one text must not turn it. */
const struct dialect_hook dialect_plain_hooks[] = {
    {"if", put_if},
    {"coalesce", put_coalesce},
    {"nullif", put_nullif},
    {"decode", put_decode},
    {"greatest", put_greatest},
    {"concat", put_concat},
    {"rand", put_rand},
    {"sha2", put_sha2},
    {"lpad", put_lpad},
    {"rpad", put_rpad},
    {NULL, NULL},
};

/* -- templates -------------------------------------------------------------------------------- */

static void put_array(printer *p, const struct sql_expr *arg) {
    enum sql_type_kind kind = dialect_kind(p, arg);
    if (kind != SQL_TYPE_ARRAY && kind != SQL_TYPE_NULL && kind != SQL_TYPE_UNKNOWN)
        dialect_refuse_as(p, arg, kind, "an array");
    sql_put_expr(p, arg);
}

static void put_map(printer *p, const struct sql_expr *arg) {
    enum sql_type_kind kind = dialect_kind(p, arg);
    if (kind != SQL_TYPE_MAP && kind != SQL_TYPE_NULL && kind != SQL_TYPE_UNKNOWN)
        dialect_refuse_as(p, arg, kind, "a map");
    sql_put_expr(p, arg);
}

static void put_coerced(printer *p, const struct sql_expr *arg, struct str as) {
    static const struct {
        const char *name;
        dialect_put put;
    } classes[] = {
        {"string", dialect_put_text},
        {"double", dialect_put_double},
        {"number", dialect_put_number},
        {"bigint", dialect_put_bigint},
        {"decimal", dialect_put_decimal},
        {"timestamp", dialect_put_time},
        {"date", dialect_put_date},
        {"boolean", dialect_put_boolean},
        {"array", put_array},
        {"map", put_map},
    };
    for (size_t i = 0; i < COUNT(classes); i++) {
        if (!str_eq(str_of(classes[i].name), as)) continue;
        classes[i].put(p, arg);
        return;
    }
    if (as.len == 0)
        sql_put_operand(p, arg);
    else
        dialect_refuse(p, arg->span, "an argument as " STR_FMT, STR_ARG(as));
}

void dialect_put_pieces(printer *p, const struct sql_exprs *args, struct str text) {
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
        case PIECE_REST: dialect_put_list(p, args, piece.arg, sql_put_expr); break;
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
    dialect_put_pieces(p, args, text);
    if (parens) sql_put_byte(p, ')');
}

/* -- spellings -------------------------------------------------------------------------------- */

static dialect_put find_in(const struct dialect_hook *hooks, struct str name) {
    for (; hooks != NULL && hooks->name != NULL; hooks++)
        if (hooks->name[0] == name.ptr[0] && str_eq(str_of(hooks->name), name)) return hooks->put;
    return NULL;
}

dialect_put dialect_find_hook(const printer *p, struct str name) {
    const struct dialect_hook *const *lists = p->dialect->engine->hooks;
    dialect_put found = NULL;
    for (size_t i = 0; i < DIALECT_HOOK_LISTS && found == NULL; i++)
        found = find_in(lists[i], name);
    return found;
}

static void put_spelling(printer *p, const struct sql_expr *expr,
                         const struct sql_function *function) {
    const struct sql_exprs *args = args_of(expr);
    struct spelling spelling =
        sql_spelling(function, p->dialect->engine->spelling(function), args->n);
    dialect_put hook = NULL;
    switch (spelling.kind) {
    case SPELLING_HOOK: hook = dialect_find_hook(p, spelling.text); break;
    case SPELLING_NAME:
        sql_put(p, spelling.text);
        sql_put_byte(p, '(');
        dialect_put_list(p, args, 0, sql_put_expr);
        sql_put_byte(p, ')');
        return;
    case SPELLING_TEMPLATE: put_template(p, args, spelling.text); return;
    case SPELLING_REFUSED: break;
    }
    if (hook != NULL)
        hook(p, expr);
    else
        dialect_refuse(p, expr->span, "the function %s", function->name);
}

/* -- doors ------------------------------------------------------------------------------------ */

bool dialect_put_call(printer *p, const struct sql_expr *expr) {
    const struct sql_call *call = &expr->call;
    struct str name = call->name.n > 0 ? call->name.at[call->name.n - 1].text : STR_NONE;
    bool is_own = call->name.n == 1 && call->prefix != SQL_CALL_COLON;
    const struct sql_function *function = is_own ? sql_function_find(name) : NULL;
    if (function == NULL) {
        dialect_refuse(p, expr->span, "the function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
    } else if (!sql_function_takes(function, call->args.n)) {
        dialect_refuse(p, expr->span, "%s with %zu arguments", function->name, call->args.n);
    } else if (function->kind == FUNCTION_TABLE) {
        dialect_refuse(p, expr->span, "%s where it is no item of its own", function->name);
    } else if (!dialect_put_aggregate(p, expr, function)) {
        if (call->distinct || call->over != NULL || call->filter != NULL || call->n_within > 0)
            dialect_refuse(p, expr->span, "%s with DISTINCT, OVER, FILTER or WITHIN GROUP",
                           function->name);
        put_spelling(p, expr, function);
    }
    return true;
}

bool dialect_is_bare_call(const printer *p, const struct sql_expr *ref) {
    const struct ruled *ruled = p->with;
    return ruled != NULL && ruled_ref_kind(ruled, ref) == REF_CALL;
}

void dialect_put_bare_call(printer *p, const struct sql_expr *ref) {
    struct str name = ref->ref.at[0].text;
    const struct sql_function *function = sql_function_find(name);
    struct spelling spelling = {0};
    if (function != NULL)
        spelling = sql_spelling(function, p->dialect->engine->spelling(function), 0);
    if (spelling.kind == SPELLING_TEMPLATE)
        put_template(p, &(struct sql_exprs){0}, spelling.text);
    else if (spelling.kind == SPELLING_HOOK && (function->flags & FUNCTION_GROUPING) != 0)
        dialect_put_grouping_id(p, ref);
    else
        dialect_refuse(p, ref->span, "the function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
}

/* Only asked by the usual way of printing calls, which is never taken. */
void dialect_put_function(printer *p, const struct sql_call *call) {
    sql_put_path(p, &call->name);
}
