/* Calls and what hangs on them: arguments, stars, lambdas, windows, CAST and the other special
 * forms. */
#include "sql/parse_inner.h"

enum { STAR_PARTS_MAX = 3 };

/* -- items and arguments ------------------------------------------------------------------------
 */

static result parse_star_replace(struct parser *p, struct sql_star *star) {
    TRY(parse_want(p, TOKEN_OPEN, "'(' behind REPLACE"));
    do {
        struct sql_replace *slot = PARSE_PUSH(p, star->replace, star->n_replace);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, star->n_replace, p->limits.select_items, "columns in REPLACE"));
        TRY(parse_expr(p, &slot->expr));
        TRY(parse_want_word(p, WORD_AS));
        TRY(parse_name(p, &slot->name, "the name of a column"));
    } while (parse_take(p, TOKEN_COMMA));
    return parse_want(p, TOKEN_CLOSE, "',' or ')'");
}

/* The token in hand is the star itself. */
result parse_star(struct parser *p, const struct sql_names *qualifier, size_t from,
                  struct sql_expr **out) {
    struct nest nest;
    TRY(parse_count_parts(p));
    TRY(parse_enter(p, 1, &nest));
    struct sql_expr *expr = *out = parse_expr_new(p, SQL_STAR, from);
    if (expr == NULL) return fail_memory(p->report);
    expr->star.qualifier = *qualifier;
    parse_next(p);
    if (parse_is_word(p, WORD_EXCEPT) && p->ahead.kind == TOKEN_OPEN && !parse_at_set_op(p, true)) {
        parse_next(p);
        TRY(parse_names(p, &expr->star.except, "the name of a column"));
    }
    if (parse_is_word(p, WORD_REPLACE) && p->ahead.kind == TOKEN_OPEN) {
        parse_next(p);
        TRY(parse_star_replace(p, &expr->star));
    }
    parse_expr_end(p, expr);
    return parse_leave(p, &nest, &expr->height);
}

/* name . [name .] * */
static bool at_qualified_star(const struct parser *p) {
    if (!parse_at_name(p)) return false;
    for (unsigned n = 1; n <= 2 * STAR_PARTS_MAX; n += 2) {
        if (parse_peek(p, n).kind != TOKEN_DOT) return false;
        if (parse_peek(p, n + 1).kind == TOKEN_STAR) return true;
    }
    return false;
}

static result parse_lambda(struct parser *p, struct sql_expr **out) {
    struct nest nest;
    TRY(parse_enter(p, 1, &nest));
    struct sql_expr *expr = *out = parse_expr_new(p, SQL_LAMBDA, p->token.from);
    if (expr == NULL) return fail_memory(p->report);
    if (parse_is(p, TOKEN_OPEN)) {
        TRY(parse_names(p, &expr->lambda.params, "a parameter of the lambda"));
    } else {
        struct sql_name name = {0};
        TRY(parse_name(p, &name, "a parameter of the lambda"));
        TRY(parse_add_name(p, &expr->lambda.params, &name));
    }
    TRY(parse_want(p, TOKEN_ARROW, "'->'"));
    TRY(parse_expr(p, &expr->lambda.body));
    parse_expr_end(p, expr);
    return parse_leave(p, &nest, &expr->height);
}

result parse_item(struct parser *p, struct sql_expr **out) {
    struct sql_names qualifier = {0};
    size_t from = p->token.from;
    if (parse_is(p, TOKEN_STAR)) return parse_star(p, &qualifier, from, out);
    if (!at_qualified_star(p)) return parse_expr(p, out);
    TRY(parse_path(p, &qualifier, STAR_PARTS_MAX, "a table"));
    TRY(parse_want(p, TOKEN_DOT, "'.'"));
    return parse_star(p, &qualifier, from, out);
}

static result parse_arg(struct parser *p, struct sql_expr **out) {
    if (parse_at_lambda(p)) return parse_lambda(p, out);
    return parse_item(p, out);
}

/* -- windows ---------------------------------------------------------------------------------- */

static result parse_bound(struct parser *p, struct sql_bound *out) {
    bool unbounded = parse_is_word(p, WORD_UNBOUNDED) &&
                     (parse_ahead_word(p, WORD_PRECEDING) || parse_ahead_word(p, WORD_FOLLOWING));
    if (parse_take_word(p, WORD_CURRENT)) {
        out->kind = SQL_CURRENT_ROW;
        return parse_want_word(p, WORD_ROW);
    }
    if (unbounded)
        parse_next(p);
    else
        TRY(parse_math(p, &out->expr));
    if (parse_take_word(p, WORD_PRECEDING)) {
        out->kind = unbounded ? SQL_UNBOUNDED_PRECEDING : SQL_PRECEDING;
        return OK;
    }
    out->kind = unbounded ? SQL_UNBOUNDED_FOLLOWING : SQL_FOLLOWING;
    if (parse_take_word(p, WORD_FOLLOWING)) return OK;
    return parse_expected(p, "PRECEDING or FOLLOWING");
}

static result parse_exclude(struct parser *p, struct sql_frame *frame) {
    if (!parse_take_word(p, WORD_EXCLUDE)) return OK;
    if (parse_take_word(p, WORD_CURRENT)) {
        frame->exclude = SQL_EXCLUDE_CURRENT_ROW;
        return parse_want_word(p, WORD_ROW);
    }
    if (parse_take_word(p, WORD_NO)) return parse_want_word(p, WORD_OTHERS);
    if (parse_take_word(p, WORD_GROUP))
        frame->exclude = SQL_EXCLUDE_GROUP;
    else if (parse_take_word(p, WORD_TIES))
        frame->exclude = SQL_EXCLUDE_TIES;
    else
        return parse_expected(p, "CURRENT ROW, GROUP, TIES or NO OTHERS");
    return OK;
}

static bool frame_unit(const struct parser *p, enum sql_frame_unit *out) {
    switch ((int)p->token.word) {
    case WORD_ROWS: *out = SQL_FRAME_ROWS; break;
    case WORD_RANGE: *out = SQL_FRAME_RANGE; break;
    case WORD_GROUPS: *out = SQL_FRAME_GROUPS; break;
    default: return false;
    }
    /* Else the word is the name of a window. */
    return parse_ahead_word(p, WORD_CURRENT) || parse_at_operand(p, 1);
}

static result parse_frame(struct parser *p, struct sql_frame **out) {
    enum sql_frame_unit unit;
    if (!parse_is(p, TOKEN_WORD) || !frame_unit(p, &unit)) return OK;
    struct sql_frame *frame = *out = arena_new(p->arena, struct sql_frame);
    if (frame == NULL) return fail_memory(p->report);
    frame->unit = unit;
    parse_next(p);
    if (parse_take_word(p, WORD_BETWEEN)) {
        TRY(parse_bound(p, &frame->start));
        TRY(parse_want_word(p, WORD_AND));
        TRY(parse_bound(p, &frame->end));
    } else {
        TRY(parse_bound(p, &frame->start));
        frame->end.kind = SQL_CURRENT_ROW;
    }
    return parse_exclude(p, frame);
}

/* CLUSTER BY a, b is PARTITION BY a, b ORDER BY a, b. Only columns: whatever can hold another
 * window would double at each level. */
static result parse_window_cluster(struct parser *p, struct sql_window *window) {
    size_t at = p->token.from;
    TRY(parse_keys(p, &window->partition));
    window->n_order = window->partition.n;
    window->order = arena_new_array(p->arena, window->n_order, struct sql_order);
    if (window->order == NULL) return fail_memory(p->report);
    for (size_t i = 0; i < window->n_order; i++) {
        const struct sql_expr *key = window->partition.at[i];
        if (key->kind != SQL_REF)
            return parse_refuse(p, at, "CLUSTER BY in a window takes columns only");
        struct sql_expr *copy = parse_expr_new(p, SQL_REF, key->span.from);
        if (copy == NULL) return fail_memory(p->report);
        copy->ref = key->ref;
        copy->span = key->span;
        copy->height = key->height;
        window->order[i].expr = copy;
    }
    return OK;
}

static result parse_window_parts(struct parser *p, struct sql_window *window) {
    enum sql_frame_unit unit;
    bool by = parse_ahead_word(p, WORD_BY);
    if (parse_at_name(p) && !by && !(parse_is(p, TOKEN_WORD) && frame_unit(p, &unit)))
        TRY(parse_name(p, &window->base, "the name of a window"));
    if (parse_take_by(p, WORD_CLUSTER)) {
        TRY(parse_window_cluster(p, window));
    } else {
        if (parse_take_by(p, WORD_PARTITION) || parse_take_by(p, WORD_DISTRIBUTE))
            TRY(parse_keys(p, &window->partition));
        if (parse_take_by(p, WORD_ORDER))
            TRY(parse_order(p, &window->order, &window->n_order));
        else if (parse_take_by(p, WORD_SORT))
            TRY(parse_sort(p, &window->order, &window->n_order));
    }
    return parse_frame(p, &window->frame);
}

result parse_window(struct parser *p, struct sql_window **out) {
    struct sql_window *window = *out = arena_new(p->arena, struct sql_window);
    if (window == NULL) return fail_memory(p->report);
    window->span.from = p->token.from;
    if (parse_take(p, TOKEN_OPEN)) {
        TRY(parse_window_parts(p, window));
        TRY(parse_want(p, TOKEN_CLOSE, "PARTITION BY, ORDER BY, a frame or ')'"));
    } else {
        window->is_name = true;
        TRY(parse_name(p, &window->base, "a window"));
    }
    window->span.to = p->last_to;
    return OK;
}

/* -- what follows the arguments -------------------------------------------------------------------
 */

static result parse_within(struct parser *p, struct sql_call *call) {
    if (!parse_is_word(p, WORD_WITHIN) || !parse_ahead_word(p, WORD_GROUP)) return OK;
    parse_next(p);
    parse_next(p);
    TRY(parse_want(p, TOKEN_OPEN, "'(' behind WITHIN GROUP"));
    TRY(parse_want_word(p, WORD_ORDER));
    TRY(parse_want_word(p, WORD_BY));
    TRY(parse_order(p, &call->within, &call->n_within));
    return parse_want(p, TOKEN_CLOSE, "',' or ')'");
}

static result parse_filter(struct parser *p, struct sql_call *call) {
    if (!parse_is_word(p, WORD_FILTER) || p->ahead.kind != TOKEN_OPEN) return OK;
    parse_next(p);
    parse_next(p);
    TRY(parse_want_word(p, WORD_WHERE));
    TRY(parse_expr(p, &call->filter));
    return parse_want(p, TOKEN_CLOSE, "')'");
}

/* OVER w, but `count(*) over` alone, or before AS or FROM, is an alias. */
static bool at_over(const struct parser *p) {
    if (!parse_is_word(p, WORD_OVER)) return false;
    if (p->ahead.kind == TOKEN_OPEN || p->ahead.kind == TOKEN_QUOTED) return true;
    return p->ahead.kind == TOKEN_WORD && !sql_word_is_reserved(p->ahead.word) &&
           p->ahead.word != WORD_AS;
}

static result parse_call_tail(struct parser *p, struct sql_expr *expr) {
    TRY(parse_within(p, &expr->call));
    TRY(parse_filter(p, &expr->call));
    if (!at_over(p)) return OK;
    parse_next(p);
    return parse_window(p, &expr->call.over);
}

/* -- special forms ------------------------------------------------------------------------------
 */

bool parse_unit_of(enum sql_word word, enum sql_unit *out) {
    switch ((int)word) {
    case WORD_YEAR:
    case WORD_YEARS: *out = SQL_UNIT_YEAR; return true;
    case WORD_QUARTER: *out = SQL_UNIT_QUARTER; return true;
    case WORD_MONTH:
    case WORD_MONTHS: *out = SQL_UNIT_MONTH; return true;
    case WORD_WEEK: *out = SQL_UNIT_WEEK; return true;
    case WORD_DAY:
    case WORD_DAYS: *out = SQL_UNIT_DAY; return true;
    case WORD_HOUR:
    case WORD_HOURS: *out = SQL_UNIT_HOUR; return true;
    case WORD_MINUTE:
    case WORD_MINUTES: *out = SQL_UNIT_MINUTE; return true;
    case WORD_SECOND:
    case WORD_SECONDS: *out = SQL_UNIT_SECOND; return true;
    default: return false;
    }
}

static result parse_unit(struct parser *p, enum sql_unit *out, uint32_t *precision) {
    if (!parse_is(p, TOKEN_WORD) || !parse_unit_of(p->token.word, out))
        return parse_expected(p, "YEAR, MONTH, DAY, HOUR, MINUTE or SECOND");
    parse_next(p);
    if (precision == NULL || !parse_is(p, TOKEN_OPEN) || p->ahead.kind != TOKEN_NUMBER) return OK;
    parse_next(p);
    uint64_t n;
    if (!str_to_u64(parse_text(p, &p->token), &n) || n == 0 || n > 9)
        return parse_expected(p, "a precision from 1 to 9");
    *precision = (uint32_t)n;
    parse_next(p);
    return parse_want(p, TOKEN_CLOSE, "')'");
}

static bool is_unit_range(enum sql_unit from, enum sql_unit to) {
    if (from == SQL_UNIT_YEAR) return to == SQL_UNIT_MONTH;
    return from >= SQL_UNIT_DAY && to > from;
}

result parse_interval(struct parser *p, size_t from, struct sql_expr *value,
                      struct sql_expr **out) {
    struct sql_expr *expr = *out = parse_expr_new(p, SQL_INTERVAL, from);
    if (expr == NULL) return fail_memory(p->report);
    struct sql_interval *interval = &expr->interval;
    interval->value = value;
    TRY(parse_unit(p, &interval->from, &interval->precision));
    if (parse_is_word(p, WORD_TO)) {
        size_t at = p->token.from;
        parse_next(p);
        TRY(parse_unit(p, &interval->to, &interval->fraction));
        if (!is_unit_range(interval->from, interval->to))
            return parse_refuse(p, at, "an interval runs YEAR TO MONTH or from DAY down to SECOND");
    }
    parse_expr_end(p, expr);
    return parse_raise(p, value->height, &expr->height);
}

static result parse_cast(struct parser *p, struct sql_expr *expr) {
    expr->kind = SQL_CAST;
    memset(&expr->call, 0, sizeof expr->call);
    parse_next(p);
    TRY(parse_expr(p, &expr->cast.value));
    TRY(parse_want_word(p, WORD_AS));
    TRY(parse_type(p, &expr->cast.type));
    return parse_want(p, TOKEN_CLOSE, "')'");
}

/* EXTRACT(unit FROM e); extract(a, b) is a call like any other. */
static result parse_extract(struct parser *p, struct sql_expr *expr) {
    expr->kind = SQL_EXTRACT;
    memset(&expr->call, 0, sizeof expr->call);
    parse_next(p);
    TRY(parse_unit(p, &expr->extract.unit, NULL));
    TRY(parse_want_word(p, WORD_FROM));
    TRY(parse_expr(p, &expr->extract.from));
    return parse_want(p, TOKEN_CLOSE, "')'");
}

/* SUBSTRING(a FROM b [FOR c]): the first argument is read already. */
static result parse_substring_rest(struct parser *p, struct sql_call *call) {
    struct sql_expr *expr = NULL;
    parse_next(p);
    TRY(parse_expr(p, &expr));
    TRY(parse_add_expr(p, &call->args, expr, "arguments"));
    if (!parse_take_word(p, WORD_FOR)) return OK;
    TRY(parse_expr(p, &expr));
    return parse_add_expr(p, &call->args, expr, "arguments");
}

static void rename_call(struct sql_call *call, struct str name) {
    call->name.at[0].text = name;
    call->name.at[0].quoting = SQL_BARE;
}

/* TRIM([BOTH | LEADING | TRAILING] [chars] FROM text) is trim, ltrim, rtrim(text[, chars]). */
static result parse_trim(struct parser *p, struct sql_call *call) {
    struct sql_expr *chars = NULL, *text = NULL;
    parse_next(p);
    if (parse_is_word(p, WORD_LEADING)) rename_call(call, STR("ltrim"));
    if (parse_is_word(p, WORD_TRAILING)) rename_call(call, STR("rtrim"));
    parse_next(p);
    if (!parse_is_word(p, WORD_FROM)) TRY(parse_expr(p, &chars));
    TRY(parse_want_word(p, WORD_FROM));
    TRY(parse_expr(p, &text));
    TRY(parse_add_expr(p, &call->args, text, "arguments"));
    if (chars != NULL) TRY(parse_add_expr(p, &call->args, chars, "arguments"));
    return parse_want(p, TOKEN_CLOSE, "')'");
}

static bool at_trim_words(const struct parser *p) {
    if (!parse_ahead_word(p, WORD_BOTH) && !parse_ahead_word(p, WORD_LEADING) &&
        !parse_ahead_word(p, WORD_TRAILING))
        return false;
    struct token second = parse_peek(p, 2);
    return token_is_word(&second, WORD_FROM) || parse_at_operand(p, 2);
}

static bool at_extract_unit(const struct parser *p) {
    struct token second = parse_peek(p, 2);
    return p->ahead.kind == TOKEN_WORD && token_is_word(&second, WORD_FROM);
}

/* -- calls ------------------------------------------------------------------------------------ */

/* The words that make a call special mean nothing in back quotes or behind a project. */
static enum sql_word call_word(const struct parser *p, const struct sql_call *call) {
    if (call->prefix != SQL_CALL_PLAIN || call->name.at[0].quoting != SQL_BARE) return WORD_UNKNOWN;
    return sql_lex(p->text, call->name.at[0].span.from).word;
}

/* count(ALL a) is count(a), but ALL alone, or with an operator behind it, is a column. */
static bool at_all(const struct parser *p) {
    if (!parse_is_word(p, WORD_ALL)) return false;
    return p->ahead.kind == TOKEN_QUOTED || p->ahead.kind == TOKEN_NUMBER ||
           p->ahead.kind == TOKEN_STRING || parse_ahead_word(p, WORD_UNKNOWN) ||
           parse_ahead_word(p, WORD_CASE) || parse_ahead_word(p, WORD_CAST) ||
           parse_ahead_word(p, WORD_IF);
}

static result parse_args(struct parser *p, enum sql_word word, struct sql_call *call) {
    parse_next(p);
    if (parse_is_word(p, WORD_ON))
        return parse_refuse_kind(p, p->token.from, "partitioned table functions run foreign code");
    if (parse_is_word(p, WORD_DISTINCT)) {
        call->distinct = true;
        parse_next(p);
    }
    if (at_all(p)) parse_next(p);
    if (parse_is(p, TOKEN_CLOSE) && !call->distinct) return OK;
    do {
        struct sql_expr *arg = NULL;
        TRY(parse_arg(p, &arg));
        TRY(parse_add_expr(p, &call->args, arg, "arguments"));
    } while (parse_take(p, TOKEN_COMMA));
    if (!parse_is_word(p, WORD_FROM) || call->args.n != 1) return OK;
    if (word == WORD_SUBSTRING || word == WORD_SUBSTR) return parse_substring_rest(p, call);
    if (word != WORD_TRIM) return OK;
    struct sql_expr *text = NULL;
    parse_next(p);
    TRY(parse_expr(p, &text));
    TRY(parse_add_expr(p, &call->args, call->args.at[0], "arguments"));
    call->args.at[0] = text;
    return OK;
}

static result parse_call_body(struct parser *p, struct sql_expr *expr) {
    enum sql_word word = call_word(p, &expr->call);
    if (word == WORD_CAST) return parse_cast(p, expr);
    if (word == WORD_EXTRACT && at_extract_unit(p)) return parse_extract(p, expr);
    if (word == WORD_TRIM && at_trim_words(p)) return parse_trim(p, &expr->call);
    TRY(parse_args(p, word, &expr->call));
    TRY(parse_want(p, TOKEN_CLOSE, "',' or ')' in the arguments"));
    return parse_call_tail(p, expr);
}

result parse_call(struct parser *p, enum sql_call_prefix prefix, const struct sql_names *name,
                  size_t from, struct sql_expr **out) {
    struct nest nest;
    TRY(parse_enter(p, 2, &nest));
    struct sql_expr *expr = *out = parse_expr_new(p, SQL_CALL, from);
    if (expr == NULL) return fail_memory(p->report);
    expr->call.prefix = prefix;
    expr->call.name = *name;
    TRY(parse_call_body(p, expr));
    parse_expr_end(p, expr);
    return parse_leave(p, &nest, &expr->height);
}
