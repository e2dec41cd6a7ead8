/* Most keywords of MaxCompute are legal names, so what a word means is said by what follows it:
 * `t LIMIT 5` limits, `t limit JOIN u` is an alias. Everything of that sort is here. Each question
 * looks at a bounded number of tokens. */
#include "base/limits.h"
#include "sql/parse_inner.h"

static bool word_at(const struct parser *p, unsigned n, enum sql_word word) {
    struct token token = parse_peek(p, n);
    return token_is_word(&token, word);
}

static bool kind_at(const struct parser *p, unsigned n, enum token_kind kind) {
    return parse_peek(p, n).kind == kind;
}

static bool name_at(const struct parser *p, unsigned n) {
    struct token token = parse_peek(p, n);
    return token.kind == TOKEN_QUOTED ||
           (token.kind == TOKEN_WORD && !sql_word_is_reserved(token.word));
}

static bool query_at(const struct parser *p, unsigned n) {
    if (word_at(p, n, WORD_SELECT) || word_at(p, n, WORD_FROM)) return true;
    if (!word_at(p, n, WORD_WITH) || !name_at(p, n + 1)) return false;
    return word_at(p, n + 2, WORD_AS) || kind_at(p, n + 2, TOKEN_OPEN) ||
           (word_at(p, n + 1, WORD_RECURSIVE) && name_at(p, n + 2));
}

bool parse_at_query(const struct parser *p) {
    return query_at(p, 0);
}

bool parse_ahead_query(const struct parser *p) {
    return query_at(p, 1);
}

static bool operand_at(const struct parser *p, unsigned n) {
    struct token token = parse_peek(p, n);
    switch ((int)token.kind) {
    case TOKEN_QUOTED:
    case TOKEN_STRING:
    case TOKEN_DSTRING:
    case TOKEN_NUMBER:
    case TOKEN_OPEN:
    case TOKEN_QUESTION:
    case TOKEN_COLON:
    case TOKEN_COLONS:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
    case TOKEN_TILDE:
    case TOKEN_BANG:
    case TOKEN_AT: return true;
    case TOKEN_WORD: break;
    default: return false;
    }
    if (!sql_word_is_reserved(token.word)) return true;
    if (token.word == WORD_CASE || token.word == WORD_CAST || token.word == WORD_NOT) return true;
    return kind_at(p, n + 1, TOKEN_OPEN) &&
           (token.word == WORD_IF || token.word == WORD_CHAR || token.word == WORD_VARCHAR);
}

bool parse_at_operand(const struct parser *p, unsigned n) {
    return operand_at(p, n);
}

static bool set_op_at(const struct parser *p, unsigned n, bool after_from) {
    struct token token = parse_peek(p, n);
    if (token.kind != TOKEN_WORD) return false;
    if (token.word != WORD_UNION && token.word != WORD_INTERSECT && token.word != WORD_MINUS &&
        token.word != WORD_EXCEPT)
        return false;
    struct token after = parse_peek(p, n + 1);
    if (after.kind == TOKEN_OPEN) return query_at(p, n + 2) || kind_at(p, n + 2, TOKEN_OPEN);
    if (token_is_word(&after, WORD_ALL) || token_is_word(&after, WORD_DISTINCT)) return true;
    /* `SELECT a MINUS FROM t`: an alias, as long as the block may still get its FROM. */
    if (token_is_word(&after, WORD_FROM)) return after_from;
    return query_at(p, n + 1);
}

bool parse_at_set_op(const struct parser *p, bool after_from) {
    return set_op_at(p, 0, after_from);
}

static bool join_at(const struct parser *p, unsigned n) {
    struct token token = parse_peek(p, n);
    if (token.kind != TOKEN_WORD) return false;
    switch ((int)token.word) {
    case WORD_JOIN:
    case WORD_CROSS: return true;
    case WORD_INNER: return word_at(p, n + 1, WORD_JOIN);
    case WORD_LEFT:
    case WORD_RIGHT:
    case WORD_FULL:
        return word_at(p, n + 1, WORD_JOIN) || word_at(p, n + 1, WORD_OUTER) ||
               ((word_at(p, n + 1, WORD_SEMI) || word_at(p, n + 1, WORD_ANTI)) &&
                word_at(p, n + 2, WORD_JOIN));
    case WORD_NATURAL:
        return word_at(p, n + 1, WORD_JOIN) || word_at(p, n + 1, WORD_INNER) ||
               word_at(p, n + 1, WORD_LEFT) || word_at(p, n + 1, WORD_RIGHT) ||
               word_at(p, n + 1, WORD_FULL) || word_at(p, n + 1, WORD_CROSS);
    default: return false;
    }
}

bool parse_at_join(const struct parser *p) {
    return join_at(p, 0);
}

static bool limit_at(const struct parser *p, unsigned n) {
    if (!word_at(p, n, WORD_LIMIT) || !operand_at(p, n + 1)) return false;
    struct token after = parse_peek(p, n + 1);
    if (after.kind != TOKEN_WORD) return true;
    if (after.word == WORD_LIMIT) return !operand_at(p, n + 2); /* an alias `limit`, then LIMIT */
    return after.word == WORD_UNKNOWN || after.word == WORD_ALL || after.word == WORD_CAST ||
           after.word == WORD_CASE || kind_at(p, n + 2, TOKEN_OPEN);
}

static bool tail_at(const struct parser *p, unsigned n) {
    struct token token = parse_peek(p, n);
    if (token.kind != TOKEN_WORD) return false;
    switch ((int)token.word) {
    case WORD_ORDER:
    case WORD_CLUSTER:
    case WORD_DISTRIBUTE:
    case WORD_SORT:
    case WORD_ZORDER: return word_at(p, n + 1, WORD_BY);
    case WORD_LIMIT: return limit_at(p, n);
    default: return false;
    }
}

bool parse_at_tail(const struct parser *p) {
    return tail_at(p, 0);
}

static bool using_at(const struct parser *p, unsigned n) {
    struct token after = parse_peek(p, n + 1);
    return after.kind == TOKEN_OPEN || after.kind == TOKEN_STRING || after.kind == TOKEN_DSTRING ||
           (after.kind == TOKEN_WORD && kind_at(p, n + 2, TOKEN_OPEN));
}

/* FROM t MAP a USING …: what follows is surely no clause. */
static bool plain_operand_at(const struct parser *p, unsigned n) {
    struct token token = parse_peek(p, n);
    return token.kind == TOKEN_QUOTED || token.kind == TOKEN_STRING || token.kind == TOKEN_NUMBER ||
           (token.kind == TOKEN_WORD && token.word == WORD_UNKNOWN);
}

/* All but QUALIFY, which needs to ask this of the word behind it. */
static bool plain_clause_at(const struct parser *p, unsigned n, bool after_from) {
    struct token token = parse_peek(p, n);
    if (token.kind != TOKEN_WORD) return false;
    if (sql_word_is_reserved(token.word) || set_op_at(p, n, after_from) || join_at(p, n) ||
        tail_at(p, n))
        return true;
    switch ((int)token.word) {
    case WORD_GROUP: return word_at(p, n + 1, WORD_BY);
    case WORD_LATERAL: return word_at(p, n + 1, WORD_VIEW);
    case WORD_WINDOW: return name_at(p, n + 1) && word_at(p, n + 2, WORD_AS);
    case WORD_INSERT: return word_at(p, n + 1, WORD_INTO) || word_at(p, n + 1, WORD_OVERWRITE);
    case WORD_TABLESAMPLE:
    case WORD_PIVOT:
    case WORD_PARTITION: return kind_at(p, n + 1, TOKEN_OPEN);
    case WORD_UNPIVOT:
        return kind_at(p, n + 1, TOKEN_OPEN) || word_at(p, n + 1, WORD_INCLUDE) ||
               word_at(p, n + 1, WORD_EXCLUDE);
    case WORD_TIMESTAMP:
    case WORD_VERSION:
        return word_at(p, n + 1, WORD_BETWEEN) ||
               (word_at(p, n + 1, WORD_AS) && word_at(p, n + 2, WORD_OF));
    case WORD_USING: return using_at(p, n);
    case WORD_MAP:
    case WORD_REDUCE: return plain_operand_at(p, n + 1);
    default: return false;
    }
}

static bool qualify_at(const struct parser *p, bool after_from) {
    if (!parse_is_word(p, WORD_QUALIFY) || !operand_at(p, 1)) return false;
    if (p->ahead.kind != TOKEN_WORD || p->ahead.word == WORD_CASE || p->ahead.word == WORD_CAST ||
        p->ahead.word == WORD_NOT)
        return true;
    return p->ahead.word != WORD_AS &&
           (kind_at(p, 2, TOKEN_OPEN) || !plain_clause_at(p, 1, after_from));
}

bool parse_at_clause(const struct parser *p, bool after_from) {
    return plain_clause_at(p, 0, after_from) || qualify_at(p, after_from);
}

static bool at_alias(const struct parser *p, bool after_from) {
    if (parse_is(p, TOKEN_QUOTED) || parse_is(p, TOKEN_DSTRING)) return true;
    return parse_is(p, TOKEN_WORD) && !parse_at_clause(p, after_from);
}

bool parse_at_item_alias(const struct parser *p, bool after_from) {
    return at_alias(p, after_from);
}

bool parse_at_source_alias(const struct parser *p) {
    return at_alias(p, true);
}

bool parse_at_table_alias(const struct parser *p) {
    if (parse_is(p, TOKEN_WORD) && sql_word_is_no_alias(p->token.word)) return false;
    return at_alias(p, true);
}

bool parse_at_lambda(const struct parser *p) {
    if (name_at(p, 0)) return p->ahead.kind == TOKEN_ARROW;
    if (!parse_is(p, TOKEN_OPEN)) return false;
    struct token token = p->ahead;
    for (size_t n = 0; n < p->limits.in_list; n++) {
        if (token.kind != TOKEN_QUOTED && token.kind != TOKEN_WORD) return false;
        token = sql_lex(p->text, token.to);
        if (token.kind == TOKEN_CLOSE) return sql_lex(p->text, token.to).kind == TOKEN_ARROW;
        if (token.kind != TOKEN_COMMA) return false;
        token = sql_lex(p->text, token.to);
    }
    return false;
}

/* -- runs of tokens -----------------------------------------------------------------------------
 */

/* A walk over the tokens of one expression: `last` is the one before `token`, `depth` counts the
 * brackets that are open. What is longer than SQL_LOOKAHEAD_FREE draws on what the whole statement
 * may spend; when that is gone it is taken for the other thing, and refused there. */
struct run {
    struct parser *p;
    struct token token, last;
    size_t n, depth;
};

static struct run run_from(struct parser *p, const struct token *token) {
    return (struct run){.p = p, .token = *token};
}

static bool is_opening(enum token_kind kind) {
    return kind == TOKEN_OPEN || kind == TOKEN_OPEN_SQUARE;
}

static bool is_closing(enum token_kind kind) {
    return kind == TOKEN_CLOSE || kind == TOKEN_CLOSE_SQUARE;
}

static bool run_may_go_on(struct run *run) {
    if (run->n++ < SQL_LOOKAHEAD_FREE) return true;
    if (run->p->lookahead == 0) return false;
    run->p->lookahead--;
    return true;
}

/* false: the run is at its end, or has become too long. */
static bool run_next(struct run *run) {
    if (is_opening(run->token.kind)) run->depth++;
    if (is_closing(run->token.kind) && run->depth-- == 0) return false;
    run->last = run->token;
    run->token = sql_lex(run->p->text, run->token.to);
    return run->token.kind != TOKEN_END && run->token.kind != TOKEN_BAD && run_may_go_on(run);
}

/* The token can be the last one of an operand, so that a word behind it is no operand. */
static bool ends_operand(const struct token *token) {
    switch ((int)token->kind) {
    case TOKEN_QUOTED:
    case TOKEN_STRING:
    case TOKEN_DSTRING:
    case TOKEN_NUMBER:
    case TOKEN_QUESTION:
    case TOKEN_CLOSE:
    case TOKEN_CLOSE_SQUARE: return true;
    case TOKEN_WORD:
        return token->word != WORD_DIV &&
               (!sql_word_is_reserved(token->word) || token->word == WORD_END);
    default: return false;
    }
}

/* The token may stand between INTERVAL and its unit, outside of brackets. */
static bool is_math(const struct token *token) {
    switch ((int)token->kind) {
    case TOKEN_QUOTED:
    case TOKEN_STRING:
    case TOKEN_DSTRING:
    case TOKEN_NUMBER:
    case TOKEN_QUESTION:
    case TOKEN_DOT:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
    case TOKEN_STAR:
    case TOKEN_SLASH:
    case TOKEN_PERCENT:
    case TOKEN_TILDE:
    case TOKEN_CARET:
    case TOKEN_AMPERSAND:
    case TOKEN_BAR:
    case TOKEN_BARS:
    case TOKEN_OPEN:
    case TOKEN_CLOSE:
    case TOKEN_OPEN_SQUARE:
    case TOKEN_CLOSE_SQUARE: return true;
    case TOKEN_WORD:
        return !sql_word_is_reserved(token->word) || token->word == WORD_CAST ||
               token->word == WORD_IF;
    default: return false;
    }
}

static bool is_infix_word(enum sql_word word) {
    return word == WORD_DIV || word == WORD_IS || word == WORD_IN || word == WORD_LIKE ||
           word == WORD_RLIKE || word == WORD_REGEXP || word == WORD_BETWEEN || word == WORD_AS;
}

bool parse_at_interval(struct parser *p) {
    enum sql_unit unit;
    if (p->ahead.kind == TOKEN_STRING || p->ahead.kind == TOKEN_NUMBER) return true;
    if (!parse_at_operand(p, 1)) return false;
    if (p->ahead.kind == TOKEN_WORD && is_infix_word(p->ahead.word)) return false;
    struct run run = run_from(p, &p->ahead);
    while (run.depth > 0 || is_math(&run.token)) {
        if (!run_next(&run)) return false;
        if (run.depth > 0 || run.token.kind != TOKEN_WORD || !ends_operand(&run.last)) continue;
        if (run.token.word == WORD_DIV) continue;
        return parse_unit_of(run.token.word, &unit); /* two operands in a row: the second is it */
    }
    return false;
}

bool parse_at_sort_list(struct parser *p) {
    if (!parse_is(p, TOKEN_OPEN)) return false;
    struct run run = run_from(p, &p->token);
    while (run_next(&run) && run.depth > 0) {
        if (run.depth > 1 || run.token.kind != TOKEN_WORD) continue;
        if (run.token.word == WORD_SELECT) return false;
        bool is_order = run.token.word == WORD_ASC || run.token.word == WORD_DESC ||
                        run.token.word == WORD_NULLS;
        if (is_order && ends_operand(&run.last)) return true;
    }
    return false;
}
