/*
 * sql/parse_inner.h - what the files of the parser share
 *
 * Recursive descent with one token in hand and one ahead; looking further lexes again. A TOKEN_BAD
 * fits no rule, so that a lexical error surfaces as the refusal of whoever meets it.
 *
 * Every construct that can hold itself stands between parse_enter() and parse_leave(): depth bounds
 * the recursion, and `high` (the highest subtree finished since the innermost enter) gives nodes
 * their height, which bounds the recursion of everybody after us.
 *
 * parse.c door · parse_token.c hands and refusals · parse_query.c blocks · parse_source.c and
 * parse_join.c FROM · parse_clause.c hints, GROUP BY, the tail · parse_expr.c operators ·
 * parse_atom.c operands · parse_call.c calls and windows · parse_look.c lookahead
 */
#ifndef WEIR_SQL_PARSE_INNER_H
#define WEIR_SQL_PARSE_INNER_H

#include "sql/lex.h"
#include "sql/parse.h"

struct parser {
    struct str text;
    struct sql_limits limits;
    struct arena *arena;
    struct report *report;
    struct token token; /* in hand */
    struct token ahead;
    uint32_t last_from, last_to; /* the token before the one in hand */
    uint32_t n_ids;
    unsigned depth;  /* constructs that hold the token in hand, at most limits.nesting */
    unsigned frames; /* calls of the operator parser on the stack, at most 2 for each level */
    unsigned high;
    size_t lookahead; /* tokens that may still be looked at beyond SQL_LOOKAHEAD_FREE of a time */
};

/* What to come back to at parse_leave(). */
struct nest {
    unsigned high;
    unsigned levels;
};

/* Lists in the tree keep no capacity: arena_push() grows 4, 8, 16 …, so it follows from n. */
static inline size_t parse_capacity(size_t n) {
    size_t capacity = n == 0 ? 0 : 4;
    while (capacity < n) capacity *= 2;
    return capacity;
}
#define PARSE_PUSH(p, base, n)                                                                     \
    __extension__({                                                                                \
        size_t capacity_ = parse_capacity(n);                                                      \
        ARENA_PUSH((p)->arena, base, n, capacity_);                                                \
    })

/* -- parse_token.c ---------------------------------------------------------------------------- */

void parse_begin(struct parser *p, size_t at); /* takes the first token */
void parse_next(struct parser *p);
struct token parse_peek(const struct parser *p, unsigned n); /* 0 is the one in hand */

static inline bool parse_is(const struct parser *p, enum token_kind kind) {
    return p->token.kind == kind;
}
static inline bool parse_is_word(const struct parser *p, enum sql_word word) {
    return p->token.kind == TOKEN_WORD && p->token.word == word;
}
static inline bool token_is_word(const struct token *token, enum sql_word word) {
    return token->kind == TOKEN_WORD && token->word == word;
}
static inline bool parse_ahead_word(const struct parser *p, enum sql_word word) {
    return token_is_word(&p->ahead, word);
}
bool parse_take(struct parser *p, enum token_kind kind); /* true: it was there and is gone */
bool parse_take_word(struct parser *p, enum sql_word word);
bool parse_take_by(struct parser *p, enum sql_word word); /* `word` and BY */
MUST_USE result parse_want(struct parser *p, enum token_kind kind, const char *what);
MUST_USE result parse_want_word(struct parser *p, enum sql_word word);

struct str parse_text(const struct parser *p, const struct token *token);
/* "expected WHAT, found …" at the token in hand, or what the lexer has to say about it. */
result parse_expected(struct parser *p, const char *what);
result parse_refuse(struct parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the code ONLY_SELECT_ALLOWED: it is understood, and not a plain query. */
result parse_refuse_kind(struct parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Around whatever can hold itself. Calls count two levels and queries in parentheses too, because
 * they take that much stack: at most some 150 KiB at SQL_NESTING_MAX. *height is that of the node
 * whose parts were parsed between. */
MUST_USE result parse_enter(struct parser *p, unsigned levels, struct nest *nest);
MUST_USE result parse_leave(struct parser *p, const struct nest *nest, uint16_t *height);
/* The same without a level of its own: what stands between is measured, and `below` gets the height
 * of its highest part. */
void parse_mark(struct parser *p, struct nest *nest);
unsigned parse_below(struct parser *p, const struct nest *nest);
/* A node over finished ones: *height becomes at least 1 + below. */
MUST_USE result parse_raise(struct parser *p, unsigned below, uint16_t *height);

/* `n` items of a list are too many: SQL_TOO_MANY_ITEMS when max is passed. */
MUST_USE result parse_count(struct parser *p, size_t n, size_t max, const char *what);
/* The nodes made so far are too many: asked wherever one may be made any number of times. */
MUST_USE result parse_count_parts(struct parser *p);

/* Any name that is not reserved, bare or back-quoted. */
bool parse_at_name(const struct parser *p);
MUST_USE result parse_name(struct parser *p, struct sql_name *out, const char *what);
/* A name or, as in alias position, a double-quoted string. */
MUST_USE result parse_alias(struct parser *p, struct sql_name *out, const char *what);
MUST_USE result parse_add_name(struct parser *p, struct sql_names *names,
                               const struct sql_name *name);
/* ( a, b, … ) */
MUST_USE result parse_names(struct parser *p, struct sql_names *out, const char *what);
MUST_USE result parse_aliases(struct parser *p, struct sql_names *out, const char *what);
/* ( a COMMENT 'x', b ): the comments are not kept. */
MUST_USE result parse_commented_names(struct parser *p, struct sql_names *out, const char *what);
/* a . b . c, at most `max` parts */
MUST_USE result parse_path(struct parser *p, struct sql_names *out, size_t max, const char *what);

/* -- parse_look.c: what a word means here --------------------------------------------------------
 */

bool parse_at_query(const struct parser *p);    /* SELECT, FROM, WITH name … */
bool parse_ahead_query(const struct parser *p); /* the same behind the token in hand */
bool parse_at_set_op(const struct parser *p, bool after_from);
bool parse_at_tail(const struct parser *p);                /* ORDER BY … LIMIT */
bool parse_at_join(const struct parser *p);                /* a join word, comma not counted */
bool parse_at_operand(const struct parser *p, unsigned n); /* token n can begin an operand */
/* The word in hand begins what follows a select item or a source, so it is no alias. */
bool parse_at_clause(const struct parser *p, bool after_from);
bool parse_at_item_alias(const struct parser *p, bool after_from);
bool parse_at_table_alias(const struct parser *p);  /* of a plain table */
bool parse_at_source_alias(const struct parser *p); /* of a derived table */
bool parse_at_lambda(const struct parser *p);
/* INTERVAL before a value and a unit, not as a name. */
bool parse_at_interval(struct parser *p);
/* ( a DESC, b ): the parenthesis of SORT BY holds keys with their directions. */
bool parse_at_sort_list(struct parser *p);

/* -- parse_query.c ---------------------------------------------------------------------------- */

/* [WITH …] blocks and set operators, then a tail. */
MUST_USE result parse_query(struct parser *p, struct sql_query **out);
/* Goes on behind a query in parentheses: set operators and a tail. *query is replaced. */
MUST_USE result parse_query_rest(struct parser *p, struct sql_query **query);

/* -- parse_clause.c --------------------------------------------------------------------------- */

MUST_USE result parse_order(struct parser *p, struct sql_order **out, size_t *n);
/* What follows SORT BY: also in parentheses, (a DESC, b). */
MUST_USE result parse_sort(struct parser *p, struct sql_order **out, size_t *n);
/* What follows PARTITION, DISTRIBUTE and CLUSTER BY: a, b or (a, b). */
MUST_USE result parse_keys(struct parser *p, struct sql_exprs *out);
/* ORDER BY … LIMIT, whatever of it is there. */
MUST_USE result parse_tail(struct parser *p, struct sql_tail *tail);
MUST_USE result parse_hints(struct parser *p, struct sql_select *select);
MUST_USE result parse_group_by(struct parser *p, struct sql_group_by *out);

/* -- parse_source.c --------------------------------------------------------------------------- */

MUST_USE result parse_source(struct parser *p, struct sql_source **out);
struct sql_source *parse_source_new(struct parser *p, enum sql_source_kind kind, size_t from);
MUST_USE result parse_pivots(struct parser *p, struct sql_source **source);

/* -- parse_join.c ----------------------------------------------------------------------------- */

MUST_USE result parse_from(struct parser *p, struct sql_source **out);
/* LATERAL VIEW …; `input` may be NULL. */
MUST_USE result parse_lateral(struct parser *p, struct sql_source *input, struct sql_source **out);
/* JOIN …, LATERAL VIEW … behind *source, which is replaced. */
MUST_USE result parse_joined(struct parser *p, struct sql_source **source);

/* -- parse_expr.c ----------------------------------------------------------------------------- */

MUST_USE result parse_expr(struct parser *p, struct sql_expr **out);
/* Without comparison, NOT, AND, OR: `mathExpr` of the grammar. */
MUST_USE result parse_math(struct parser *p, struct sql_expr **out);
/* An operand with its signs, tighter than IS NULL: what INTERVAL takes. */
MUST_USE result parse_operand(struct parser *p, struct sql_expr **out);
MUST_USE result parse_exprs(struct parser *p, struct sql_exprs *out); /* a, b, … */
MUST_USE result parse_add_expr(struct parser *p, struct sql_exprs *list, struct sql_expr *expr,
                               const char *what);

/* An item of a select list or an argument: also *, t.*, and for arguments a lambda. */
MUST_USE result parse_item(struct parser *p, struct sql_expr **out);
MUST_USE result parse_too_deep(struct parser *p);

/* NULL: the budget is spent. The span begins at `from` and ends before the token in hand. */
struct sql_expr *parse_expr_new(struct parser *p, enum sql_expr_kind kind, size_t from);
void parse_expr_end(struct parser *p, struct sql_expr *expr);

/* -- parse_atom.c, parse_call.c ---------------------------------------------------------------- */

MUST_USE result parse_atom(struct parser *p, struct sql_expr **out);
MUST_USE result parse_star(struct parser *p, const struct sql_names *qualifier, size_t from,
                           struct sql_expr **out);
MUST_USE result parse_string(struct parser *p, struct str *out); /* adjacent ones joined */
MUST_USE result parse_comment(struct parser *p); /* COMMENT 'x' when it is there; not kept */
/* f(…) with all that may follow; the token in hand is the opening parenthesis. */
MUST_USE result parse_call(struct parser *p, enum sql_call_prefix prefix,
                           const struct sql_names *name, size_t from, struct sql_expr **out);
MUST_USE result parse_window(struct parser *p, struct sql_window **out);
MUST_USE result parse_type(struct parser *p, struct sql_type *out);
bool parse_unit_of(enum sql_word word, enum sql_unit *out);
MUST_USE result parse_interval(struct parser *p, size_t from, struct sql_expr *value,
                               struct sql_expr **out);

#endif
