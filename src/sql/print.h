/*
 * sql/print.h - a tree into text, in the words of a dialect
 *
 * One printer walks the tree; a dialect says how names, literals, types, operators and calls are
 * spelled, and may take over any expression or source. What binds is always said by parentheses,
 * never by precedence. In MaxCompute's dialect the print of a parsed tree parses to an equal tree.
 *
 *     const struct sql_dialect *d = &sql_dialect_maxcompute;
 *     TRY(sql_print(query, d, NULL, &buf, report));
 *
 * Writing a dialect: fill the table; in the hooks write with sql_put*(). A hook that is asked for
 * something the dialect cannot say calls sql_put_refusal() and returns true. Hooks never see a NULL
 * node.
 *
 * Memory:  text goes to a buf; nothing is kept.
 * Errors:  FAIL_INPUT with code SQL_NOT_SUPPORTED: the dialect cannot say it. FAIL_MEMORY,
 * FAIL_LIMIT: the buf's. The first one sticks and the rest of the walk writes nothing. Threads: no
 * shared state.
 */
#ifndef WEIR_SQL_PRINT_H
#define WEIR_SQL_PRINT_H

#include "base/buf.h"
#include "base/fail.h"
#include "sql/tree.h"

struct sql_dialect;
struct dialect_engine;

struct sql_printer {
    struct buf *out;
    const struct sql_dialect *dialect;
    void *with; /* the dialect's own business, given to sql_print() */
    struct report *report;
    enum fail failed; /* sticky */
    unsigned depth;   /* guards the stack against trees that no parser measured */
};

struct sql_dialect {
    const char *name; /* "maxcompute": for messages */

    /* Spelling of operators, with indexes of enum sql_op; NULL: the `expr` hook prints it, or it is
     * refused. */
    const char *op[SQL_OP_OR + 1];
    /* Spelling of joins, with indexes of enum sql_join_kind: "LEFT JOIN"; NULL as above. */
    const char *join[SQL_JOIN_ANTI + 1];
    /* Spelling of set operators, with indexes of enum sql_set_op: "EXCEPT". */
    const char *set_op[SQL_MINUS + 1];
    /* ORDER BY always with NULLS FIRST or LAST, as MaxCompute means it (NULL is the smallest). */
    bool explicit_nulls;
    /* A window with ORDER BY and without a frame gets ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT
     * ROW. */
    bool explicit_frame;
    /* Hints are printed; else they are left out, which never changes the answer. */
    bool hints;
    /* VALUES as a source needs parentheses around it. */
    bool values_in_parens;

    /* One name, quoted as the dialect quotes; never left bare where that could change its meaning.
     */
    void (*identifier)(struct sql_printer *p, const struct sql_name *name);
    /* A text as a string literal, escapes included. */
    void (*string)(struct sql_printer *p, struct str text);
    /* Any literal; may use sql_put_string. */
    void (*literal)(struct sql_printer *p, const struct sql_literal *literal);
    /* The type in CAST(… AS type). */
    void (*type)(struct sql_printer *p, const struct sql_type *type);
    /* The name of a function, without parentheses: f, project.f, project:f, ::f. */
    void (*function)(struct sql_printer *p, const struct sql_call *call);

    /* The next six may be NULL. True: has printed (or refused) it; false: print it the usual way.
     */
    bool (*select)(struct sql_printer *p, const struct sql_query *query); /* and its tail */
    bool (*expr)(struct sql_printer *p, const struct sql_expr *expr);
    bool (*item)(struct sql_printer *p, const struct sql_item *item); /* with its aliases */
    bool (*source)(struct sql_printer *p, const struct sql_source *source);
    bool (*group_by)(struct sql_printer *p, const struct sql_group_by *group_by);
    bool (*tail)(struct sql_printer *p, const struct sql_tail *tail);

    const struct dialect_engine *engine; /* of those that dialect_engine.h speaks for; or NULL */
};

extern const struct sql_dialect sql_dialect_maxcompute;

/* `with` is for the dialect's hooks and may be NULL. */
MUST_USE result sql_print(const struct sql_query *query, const struct sql_dialect *dialect,
                          void *with, struct buf *out, struct report *report);
MUST_USE result sql_print_expr(const struct sql_expr *expr, const struct sql_dialect *dialect,
                               void *with, struct buf *out, struct report *report);

/* -- for dialects ----------------------------------------------------------------------------- */

void sql_put(struct sql_printer *p, struct str text);
void sql_put_byte(struct sql_printer *p, char byte);
void sql_putf(struct sql_printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Names as the dialect quotes them; names: with dots between; list: with commas. */
void sql_put_name(struct sql_printer *p, const struct sql_name *name);
void sql_put_path(struct sql_printer *p, const struct sql_names *names);
void sql_put_names(struct sql_printer *p, const struct sql_names *names);
void sql_put_string(struct sql_printer *p, struct str text);
/* An expression as an operand: in parentheses unless it is atomic. */
void sql_put_operand(struct sql_printer *p, const struct sql_expr *expr);
/* An expression where commas, parentheses or keywords stand around it. */
void sql_put_expr(struct sql_printer *p, const struct sql_expr *expr);
void sql_put_exprs(struct sql_printer *p, const struct sql_exprs *exprs);
void sql_put_order(struct sql_printer *p, const struct sql_order *order,
                   size_t n); /* with commas */
void sql_put_query(struct sql_printer *p, const struct sql_query *query);
/* Of a SELECT its list, and what stands between that and QUALIFY, with a blank in front. */
void sql_put_items(struct sql_printer *p, const struct sql_select *select);
void sql_put_clauses(struct sql_printer *p, const struct sql_select *select);
/* ORDER BY and what follows, each with a blank in front. */
void sql_put_tail(struct sql_printer *p, const struct sql_tail *tail);
void sql_put_source(struct sql_printer *p, const struct sql_source *source);
/* ` AS alias(c, d)`, as far as given. */
void sql_put_alias(struct sql_printer *p, const struct sql_name *alias,
                   const struct sql_names *columns);
/* The part of a window between its parentheses. */
void sql_put_window(struct sql_printer *p, const struct sql_window *window);
/* What follows a call's argument list: WITHIN GROUP, FILTER, OVER, each with a blank in front. */
void sql_put_call_tail(struct sql_printer *p, const struct sql_call *call);
const char *sql_unit_name(enum sql_unit unit); /* "YEAR"; NULL for none */
/* Around whatever recurses: true, and then p->depth-- at the end; false: too deep, and said so. */
bool sql_put_descend(struct sql_printer *p, struct sql_span span);
/* FAIL_INPUT, SQL_NOT_SUPPORTED; the sentence says what cannot be said in this dialect. */
void sql_put_refusal(struct sql_printer *p, struct sql_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
