/*
 * sql/walk.h - the one walker over a parsed tree, comparison and copies
 *
 * sql_walk_*() visits a node and everything beneath it, in the order of the text as far as clauses
 * go. Nobody writes a second recursion: whoever looks for references, functions, tables or depth
 * passes the functions that want to see, and says ON, SKIP or STOP.
 *
 *     static enum walk count_call(struct sql_expr *expr, const struct sql_place *place, void
 * *with); sql_walk_query(query, &(struct sql_visitor){.expr = count_call, .with = &n});
 *
 * Errors:  none; a node with a tag of zero stops the walk.
 * Threads: no state.
 */
#ifndef WEIR_SQL_WALK_H
#define WEIR_SQL_WALK_H

#include "base/arena.h"
#include "sql/tree.h"

/* Children too; not these; no more at all. */
enum walk { WALK_ON, WALK_SKIP, WALK_STOP };

/* In which clause of its query block (or of its parent) a node stands. An expression inside another
 * one keeps the clause of the outermost, except beneath OVER (WINDOW), FILTER and WITHIN. */
enum sql_clause {
    SQL_IN_NOTHING = 0, /* the node the walk began with */
    SQL_IN_WITH,
    SQL_IN_SELECT,
    SQL_IN_FROM, /* sources; arguments of table functions, VALUES, samples, time travel, PIVOT */
    SQL_IN_LATERAL,
    SQL_IN_ON,
    SQL_IN_WHERE,
    SQL_IN_GROUP_BY,
    SQL_IN_HAVING,
    SQL_IN_WINDOW, /* PARTITION BY, ORDER BY and frame of OVER or of the WINDOW clause */
    SQL_IN_QUALIFY,
    SQL_IN_ORDER_BY,
    SQL_IN_CLUSTER_BY,
    SQL_IN_DISTRIBUTE_BY,
    SQL_IN_SORT_BY,
    SQL_IN_LIMIT,
    SQL_IN_SET, /* a branch of a set operation */
    SQL_IN_FILTER,
    SQL_IN_WITHIN,
};

struct sql_place {
    enum sql_clause clause;
    const struct sql_query *block;      /* the innermost query that contains the node, or NULL */
    const struct sql_expr *in_expr;     /* the parent expression, or NULL */
    const struct sql_source *in_source; /* the parent source, or NULL */
};

/* Each may be NULL: then nodes of that sort are walked through. `leave_query` is called behind the
 * children of a query that was entered with WALK_ON. */
struct sql_visitor {
    enum walk (*expr)(struct sql_expr *expr, const struct sql_place *place, void *with);
    enum walk (*query)(struct sql_query *query, const struct sql_place *place, void *with);
    enum walk (*source)(struct sql_source *source, const struct sql_place *place, void *with);
    void (*leave_query)(struct sql_query *query, const struct sql_place *place, void *with);
    void *with;
};

/* WALK_STOP when a visitor stopped or a node has no kind, else WALK_ON. Hints are not walked. */
enum walk sql_walk_query(struct sql_query *query, const struct sql_visitor *visitor);
enum walk sql_walk_expr(struct sql_expr *expr, const struct sql_visitor *visitor);
enum walk sql_walk_source(struct sql_source *source, const struct sql_visitor *visitor);

/* The same structure, names and values. Offsets, ids, hints and quoting do not count, except
 * whether a reference may be a pattern. Both NULL is equal. */
bool sql_equal(const struct sql_query *a, const struct sql_query *b);
bool sql_expr_equal(const struct sql_expr *a, const struct sql_expr *b);
bool sql_source_equal(const struct sql_source *a, const struct sql_source *b);

/* Deep copies in `arena`; texts are shared. They are nodes of ours: their ids are 0. NULL: the
 * budget is spent (or the source was NULL). */
struct sql_expr *sql_copy_expr(struct arena *arena, const struct sql_expr *expr);
struct sql_query *sql_copy_query(struct arena *arena, const struct sql_query *query);
struct sql_source *sql_copy_source(struct arena *arena, const struct sql_source *source);

/* A back-quoted name with characters that mean something in a regular expression. */
bool sql_name_is_pattern(const struct sql_name *name);

#endif
