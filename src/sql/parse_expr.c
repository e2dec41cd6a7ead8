/* Operators, by binding strength (Pratt). The table of levels is reference section 6, which is not
 * standard SQL: IS NULL binds tighter than arithmetic, and AND, OR, NOT stand below all
 * comparisons. */
#include "sql/parse_inner.h"

enum level {
    LEVEL_OR = 1,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_BIT_OR,
    LEVEL_BIT_AND,
    LEVEL_CONCAT,
    LEVEL_ADD,
    LEVEL_MUL,
    LEVEL_BIT_XOR,
    LEVEL_IS_NULL,
    LEVEL_SIGN,
};

struct infix {
    enum sql_expr_kind kind;
    enum sql_op op;
    enum level level;
    bool negated;
    unsigned n_tokens; /* that spell it, up to where its right side begins */
};

struct sql_expr *parse_expr_new(struct parser *p, enum sql_expr_kind kind, size_t from) {
    struct sql_expr *expr = arena_new(p->arena, struct sql_expr);
    if (expr == NULL) {
        (void)fail_memory(p->report);
        return NULL;
    }
    expr->kind = kind;
    expr->id = ++p->n_ids;
    expr->span.from = (uint32_t)from;
    parse_expr_end(p, expr);
    return expr;
}

void parse_expr_end(struct parser *p, struct sql_expr *expr) {
    expr->span.to = p->last_to;
}

result parse_add_expr(struct parser *p, struct sql_exprs *list, struct sql_expr *expr,
                      const char *what) {
    struct sql_expr **slot = PARSE_PUSH(p, list->at, list->n);
    if (slot == NULL) return fail_memory(p->report);
    *slot = expr;
    return parse_count(p, list->n, p->limits.in_list, what);
}

/* -- which operator is in hand ------------------------------------------------------------------
 */

static bool binary_symbol(enum token_kind kind, struct infix *out) {
    static const struct {
        enum token_kind token;
        enum sql_op op;
        enum level level;
    } symbols[] = {
        {TOKEN_EQ, SQL_OP_EQ, LEVEL_COMPARE},
        {TOKEN_NULL_EQ, SQL_OP_NULL_EQ, LEVEL_COMPARE},
        {TOKEN_NE, SQL_OP_NE, LEVEL_COMPARE},
        {TOKEN_LT, SQL_OP_LT, LEVEL_COMPARE},
        {TOKEN_LE, SQL_OP_LE, LEVEL_COMPARE},
        {TOKEN_GT, SQL_OP_GT, LEVEL_COMPARE},
        {TOKEN_GE, SQL_OP_GE, LEVEL_COMPARE},
        {TOKEN_BAR, SQL_OP_BIT_OR, LEVEL_BIT_OR},
        {TOKEN_AMPERSAND, SQL_OP_BIT_AND, LEVEL_BIT_AND},
        {TOKEN_BARS, SQL_OP_CONCAT, LEVEL_CONCAT},
        {TOKEN_PLUS, SQL_OP_ADD, LEVEL_ADD},
        {TOKEN_MINUS, SQL_OP_SUB, LEVEL_ADD},
        {TOKEN_STAR, SQL_OP_MUL, LEVEL_MUL},
        {TOKEN_SLASH, SQL_OP_DIV, LEVEL_MUL},
        {TOKEN_PERCENT, SQL_OP_MOD, LEVEL_MUL},
        {TOKEN_CARET, SQL_OP_BIT_XOR, LEVEL_BIT_XOR},
    };
    for (size_t i = 0; i < COUNT(symbols); i++) {
        if (symbols[i].token != kind) continue;
        enum sql_expr_kind expr = kind == TOKEN_BARS ? SQL_CHAIN : SQL_BINARY;
        *out = (struct infix){expr, symbols[i].op, symbols[i].level, false, 1};
        return true;
    }
    return false;
}

static bool is_word_infix(const struct parser *p, struct infix *out) {
    bool negated = parse_ahead_word(p, WORD_NOT);
    struct token test = parse_peek(p, negated ? 2 : 1);
    if (token_is_word(&test, WORD_NULL)) {
        *out = (struct infix){SQL_IS_NULL, SQL_OP_NONE, LEVEL_IS_NULL, negated, negated ? 3 : 2};
        return true;
    }
    *out = (struct infix){SQL_BINARY, SQL_OP_DISTINCT, LEVEL_COMPARE, negated, negated ? 4 : 3};
    struct token from = parse_peek(p, negated ? 3 : 2);
    return token_is_word(&test, WORD_DISTINCT) && token_is_word(&from, WORD_FROM);
}

static bool predicate_word(enum sql_word word, struct infix *out) {
    switch ((int)word) {
    case WORD_LIKE: *out = (struct infix){.kind = SQL_BINARY, .op = SQL_OP_LIKE}; return true;
    case WORD_RLIKE:
    case WORD_REGEXP: *out = (struct infix){.kind = SQL_BINARY, .op = SQL_OP_RLIKE}; return true;
    case WORD_IN: *out = (struct infix){.kind = SQL_IN_LIST}; return true;
    case WORD_BETWEEN: *out = (struct infix){.kind = SQL_BETWEEN}; return true;
    default: return false;
    }
}

static bool word_infix(const struct parser *p, struct infix *out) {
    switch ((int)p->token.word) {
    case WORD_OR: *out = (struct infix){SQL_CHAIN, SQL_OP_OR, LEVEL_OR, false, 1}; return true;
    case WORD_AND: *out = (struct infix){SQL_CHAIN, SQL_OP_AND, LEVEL_AND, false, 1}; return true;
    case WORD_DIV:
        *out = (struct infix){SQL_BINARY, SQL_OP_INT_DIV, LEVEL_MUL, false, 1};
        return parse_at_operand(p, 1);
    case WORD_IS: return is_word_infix(p, out);
    default: break;
    }
    bool negated = p->token.word == WORD_NOT;
    if (!predicate_word(negated ? p->ahead.word : p->token.word, out)) return false;
    if (negated && p->ahead.kind != TOKEN_WORD) return false;
    out->level = LEVEL_COMPARE;
    out->negated = negated;
    out->n_tokens = negated ? 2 : 1;
    return parse_at_operand(p, out->n_tokens); /* else it is an alias: SELECT a rlike FROM t */
}

static bool infix_at(const struct parser *p, struct infix *out) {
    return parse_is(p, TOKEN_WORD) ? word_infix(p, out) : binary_symbol(p->token.kind, out);
}

/* -- building --------------------------------------------------------------------------------- */

static result parse_level(struct parser *p, enum level min, struct sql_expr **out);

static struct sql_expr *infix_new(struct parser *p, const struct infix *infix,
                                  const struct sql_expr *left) {
    struct sql_expr *expr = parse_expr_new(p, infix->kind, left->span.from);
    if (expr == NULL) return NULL;
    expr->op = infix->op;
    expr->negated = infix->negated;
    return expr;
}

static unsigned higher(unsigned a, unsigned b) {
    return a > b ? a : b;
}

static result build_chain(struct parser *p, const struct infix *infix, struct sql_expr **out) {
    struct sql_expr *chain = infix_new(p, infix, *out);
    if (chain == NULL) return fail_memory(p->report);
    unsigned below = (*out)->height;
    TRY(parse_add_expr(p, &chain->items, *out, "operands in one chain"));
    for (struct infix next = *infix; next.op == infix->op;) {
        struct sql_expr *item = NULL;
        parse_next(p);
        TRY(parse_level(p, (enum level)(infix->level + 1), &item));
        struct sql_expr **slot = PARSE_PUSH(p, chain->items.at, chain->items.n);
        if (slot == NULL) return fail_memory(p->report);
        *slot = item;
        below = higher(below, item->height);
        if (!infix_at(p, &next)) break;
    }
    parse_expr_end(p, chain);
    *out = chain;
    return parse_raise(p, below, &chain->height);
}

static result build_binary(struct parser *p, const struct infix *infix, struct sql_expr **out) {
    struct sql_expr *expr = infix_new(p, infix, *out);
    if (expr == NULL) return fail_memory(p->report);
    expr->binary.left = *out;
    TRY(parse_level(p, (enum level)(infix->level + 1), &expr->binary.right));
    parse_expr_end(p, expr);
    unsigned below = higher((*out)->height, expr->binary.right->height);
    *out = expr;
    return parse_raise(p, below, &expr->height);
}

static result build_is_null(struct parser *p, const struct infix *infix, struct sql_expr **out) {
    struct sql_expr *expr = infix_new(p, infix, *out);
    if (expr == NULL) return fail_memory(p->report);
    expr->operand = *out;
    *out = expr;
    return parse_raise(p, expr->operand->height, &expr->height);
}

static result build_between(struct parser *p, const struct infix *infix, struct sql_expr **out) {
    struct sql_expr *expr = infix_new(p, infix, *out);
    if (expr == NULL) return fail_memory(p->report);
    expr->between.value = *out;
    TRY(parse_level(p, LEVEL_BIT_OR, &expr->between.low));
    TRY(parse_want_word(p, WORD_AND));
    TRY(parse_level(p, LEVEL_BIT_OR, &expr->between.high));
    parse_expr_end(p, expr);
    unsigned below = higher(expr->between.low->height, expr->between.high->height);
    below = higher(below, (*out)->height);
    *out = expr;
    return parse_raise(p, below, &expr->height);
}

/* Behind the `(` of IN: a query, or a list whose first item may turn out to begin one:
 * IN ((SELECT …) UNION (SELECT …)). */
static result parse_in_content(struct parser *p, struct sql_expr *expr) {
    if (parse_at_query(p)) {
        expr->kind = SQL_IN_QUERY;
        return parse_query(p, &expr->in.query);
    }
    do {
        struct sql_expr *item = NULL;
        TRY(parse_expr(p, &item));
        if (expr->in.list.n == 0 && item->kind == SQL_SUBQUERY &&
            (parse_at_set_op(p, true) || parse_at_tail(p))) {
            expr->kind = SQL_IN_QUERY;
            expr->in.query = item->query;
            return parse_query_rest(p, &expr->in.query);
        }
        TRY(parse_add_expr(p, &expr->in.list, item, "items in an IN list"));
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}

static result build_in(struct parser *p, const struct infix *infix, struct sql_expr **out) {
    struct sql_expr *expr = infix_new(p, infix, *out);
    struct nest nest;
    if (expr == NULL) return fail_memory(p->report);
    expr->in.value = *out;
    TRY(parse_enter(p, 1, &nest));
    TRY(parse_want(p, TOKEN_OPEN, "'(' behind IN"));
    TRY(parse_in_content(p, expr));
    TRY(parse_want(p, TOKEN_CLOSE, "',' or ')' in the IN list"));
    TRY(parse_leave(p, &nest, &expr->height));
    parse_expr_end(p, expr);
    *out = expr;
    return parse_raise(p, expr->in.value->height, &expr->height);
}

static result build_infix(struct parser *p, const struct infix *infix, struct sql_expr **out) {
    if (infix->kind == SQL_CHAIN) return build_chain(p, infix, out);
    for (unsigned i = 0; i < infix->n_tokens; i++) parse_next(p);
    switch ((int)infix->kind) {
    case SQL_IS_NULL: return build_is_null(p, infix, out);
    case SQL_BETWEEN: return build_between(p, infix, out);
    case SQL_IN_LIST: return build_in(p, infix, out);
    default: return build_binary(p, infix, out);
    }
}

/* -- prefixes and the loop ----------------------------------------------------------------------
 */

static enum sql_op prefix_at(const struct parser *p) {
    if (parse_is_word(p, WORD_NOT) || parse_is(p, TOKEN_BANG)) return SQL_OP_NOT;
    if (parse_is(p, TOKEN_MINUS)) return SQL_OP_MINUS;
    if (parse_is(p, TOKEN_PLUS)) return SQL_OP_PLUS;
    return parse_is(p, TOKEN_TILDE) ? SQL_OP_BIT_NOT : SQL_OP_NONE;
}

static result parse_prefix(struct parser *p, enum level min, struct sql_expr **out) {
    enum sql_op op = prefix_at(p);
    if (op == SQL_OP_NONE) return parse_atom(p, out);
    enum level level = op == SQL_OP_NOT ? LEVEL_NOT : LEVEL_SIGN;
    if (level < min) {
        result r = parse_refuse(p, p->token.from, "NOT cannot stand behind an operator");
        fail_hint(p->report, "Put it into parentheses: (NOT …).");
        return r;
    }
    struct nest nest;
    TRY(parse_enter(p, 1, &nest));
    struct sql_expr *expr = parse_expr_new(p, SQL_UNARY, p->token.from);
    if (expr == NULL) return fail_memory(p->report);
    expr->op = op;
    parse_next(p);
    TRY(parse_level(p, level, &expr->operand));
    parse_expr_end(p, expr);
    *out = expr;
    return parse_leave(p, &nest, &expr->height);
}

static result parse_level(struct parser *p, enum level min, struct sql_expr **out) {
    if (++p->frames > 2 * p->limits.nesting) return parse_too_deep(p);
    TRY(parse_count_parts(p));
    TRY(parse_prefix(p, min, out));
    for (struct infix infix; infix_at(p, &infix) && infix.level >= min;)
        TRY(build_infix(p, &infix, out));
    p->frames--;
    return OK;
}

result parse_expr(struct parser *p, struct sql_expr **out) {
    return parse_level(p, LEVEL_OR, out);
}

result parse_math(struct parser *p, struct sql_expr **out) {
    return parse_level(p, LEVEL_BIT_OR, out);
}

result parse_operand(struct parser *p, struct sql_expr **out) {
    return parse_level(p, LEVEL_SIGN, out);
}

result parse_exprs(struct parser *p, struct sql_exprs *out) {
    do {
        struct sql_expr *expr = NULL;
        TRY(parse_expr(p, &expr));
        TRY(parse_add_expr(p, out, expr, "expressions in one list"));
    } while (parse_take(p, TOKEN_COMMA));
    return OK;
}
