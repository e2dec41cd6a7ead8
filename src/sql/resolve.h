/*
 * sql/resolve.h - every name bound to what it means
 *
 * Second of the three stages (parsed, resolved, ruled). The parsed tree stays as it is; beside it
 * stands a `struct resolved`: for each query its outputs, for each source its columns, for each
 * reference, star, call and subquery what it stands for, found by the node (resolved_*()). Who
 * wants to rule, rewrite or print works from a `struct resolved`, never from a tree alone.
 *
 * Names are resolved on the full schema of the relations, denied columns too, so that a denial can
 * be told from a slip. What the statement touches of base relations is listed once, in `uses`:
 * enforce that list, and nothing that was written anywhere - USING, stars, PIVOT's silent grouping,
 * unused windows, CTEs that nobody reads - has been missed.
 *
 * Invariants
 *   1. Every REF, STAR argument or item, CALL, SUBQUERY, EXISTS and IN (query) of the tree has its
 *      row, every TABLE, DERIVED, … its source, or resolving has failed.
 *   2. Every way to a base column has a row in `uses`: there is no reference without one.
 *   3. A CTE is resolved once, however often it is read: no doubling.
 *   4. A column that a star leaves out (`hidden`) is never an output that counts; whoever names it
 *      nevertheless makes a use with how == USE_REVEALED.
 *
 * Memory:  everything lives in the arena and borrows from tree and grant.
 * Errors:  FAIL_INPUT: SQL_NAME_ERROR (ambiguous, counts that do not meet, calls where they cannot
 *          stand), with the offset and what was expected. FAIL_DENIED: COLUMN_NOT_ALLOWED, for a
 *          column or field that does not exist, with the nearest name that the grant allows;
 *          TABLE_NOT_ALLOWED, for a relation that does not exist, and for any slip behind a
 *          relation that is not granted, so that nothing is told of it; SQL_NOT_SUPPORTED.
 *          FAIL_LIMIT: SQL_TOO_LARGE. FAIL_MEMORY. Whatever grant->find gives.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_RESOLVE_H
#define WEIR_SQL_RESOLVE_H

#include "sql/functions.h"
#include "sql/grant.h"
#include "sql/walk.h"

/* -- columns and sources ---------------------------------------------------------------------- */

enum resolved_column_kind {
    COLUMN_BASE = 1, /* of source->relation: schema->columns[index] */
    COLUMN_OUTPUT,   /* of a derived table or CTE: source->query->outputs[index] */
    COLUMN_VALUE,    /* of VALUES: item `index` of each row */
    COLUMN_MADE,     /* of a LATERAL VIEW: output `index` of the call */
    COLUMN_MERGED,   /* of USING or NATURAL: left and right are one */
    COLUMN_PIVOTED,  /* an aggregate of PIVOT for one of the IN values */
    COLUMN_NAMING,   /* the name column of UNPIVOT */
    COLUMN_TURNED,   /* a value column of UNPIVOT */
    COLUMN_KEPT,     /* a column of the input that PIVOT or UNPIVOT hands on: left */
};

struct resolved_column {
    enum resolved_column_kind kind;
    uint32_t index;
    struct str name; /* as the block sees it; compared without regard to case */
    struct sql_type type;
    struct resolved_source *source;      /* whose it is: print source's alias + '.' + name */
    const struct resolved_column *left;  /* MERGED, KEPT */
    const struct resolved_column *right; /* MERGED; NULL for a semi join */
    bool hidden;                         /* left out by stars: see invariant 4 */
    bool is_twice; /* another column of the source has this name: it cannot be referred to */
};

/* One column that USING names or NATURAL finds. */
struct resolved_pair {
    const struct resolved_column *left, *right;
    struct resolved_column *merged; /* for SEMI and ANTI: the left one stays, this is NULL */
};

struct resolved_source {
    const struct sql_source *source; /* its kind says which members below are set */
    uint32_t number;                 /* unique in the statement, from 0 */
    struct str alias; /* what columns are qualified with; the table's name when none is written;
                         empty: none */
    bool is_aliased;  /* the alias was written, and hides the table's name */
    struct resolved_query *block; /* the query in whose FROM it stands */
    struct resolved_column *columns;
    size_t n_columns;
    const struct grant_relation *relation; /* TABLE that is no CTE */
    const struct resolved_cte *cte;        /* TABLE that is a CTE */
    struct resolved_query *query;          /* DERIVED; also of a CTE */
    struct resolved_source *left, *right;  /* JOIN; left: input of LATERAL, PIVOT, UNPIVOT */
    struct resolved_pair *pairs;           /* JOIN with USING or NATURAL */
    size_t n_pairs;
    uint32_t n_leaves;   /* sources that are no JOIN, at and beneath this one */
    struct map *by_name; /* NULL: so few columns that they are compared one by one */
};

struct resolved_cte {
    const struct sql_cte *cte;
    struct resolved_query *query;
    uint32_t n_readers; /* 0: nobody reads it */
};

/* -- queries ---------------------------------------------------------------------------------- */

struct resolved_output {
    struct str name;    /* "_c0" by the item's place when it has none */
    bool is_named;      /* by an alias or by being a column */
    bool hidden;        /* left out by a star; see invariant 4 */
    bool has_aggregate; /* SELECT: in its expression, subqueries aside */
    uint32_t item;      /* SELECT: which item it comes of */
    uint32_t index;     /* which of the item's: listed aliases of a table function */
    struct sql_type type;
    const struct sql_expr *expr;          /* SELECT: the item's; of SET: NULL, see the branches */
    const struct resolved_column *column; /* SELECT: of a star or pattern; else NULL */
    uint32_t number;                      /* unique in the statement, from 0 */
};

struct resolved_query {
    struct sql_query *query;
    struct resolved_query *outer; /* the query that its references may reach; NULL at the top, and
                                     for CTEs */
    struct resolved_cte *ctes;
    size_t n_ctes;
    struct resolved_source *from;     /* SELECT; NULL without a FROM */
    struct resolved_query **branches; /* SET; as many as query->n_branches */
    struct resolved_output *outputs;  /* hidden ones included */
    size_t n_outputs;
    bool is_grouped;    /* SELECT: GROUP BY, HAVING or an aggregate */
    bool has_window;    /* SELECT: a call with OVER in items or QUALIFY */
    bool is_correlated; /* some reference beneath reaches a query outside */
};

/* -- what nodes stand for --------------------------------------------------------------------- */

enum resolved_ref_kind {
    REF_COLUMN = 1, /* column, and below it path */
    REF_OUTPUT, /* an output of the own block (GROUP BY, HAVING, QUALIFY, ORDER BY …), and path */
    REF_PARAM,  /* a parameter of a lambda, and path */
    REF_CALL,   /* a function without parentheses: CURRENT_DATE */
};

struct resolved_ref {
    enum resolved_ref_kind kind;
    uint32_t depth; /* COLUMN: 0 own block, n: the nth query outward */
    const struct resolved_column *column;
    const struct resolved_output *output;
    const struct sql_name *param;
    const struct resolved_call *call;
    const struct str *path; /* fields of the struct, outermost first */
    size_t n_path;
};

/* `*`, `t.*`, a back-quoted pattern; as an item or as an argument. */
struct resolved_star {
    bool is_pattern;
    const struct resolved_column **columns; /* in order; hidden ones included */
    const struct sql_expr **replaced; /* by REPLACE, as many; NULL where not. NULL: no REPLACE */
    size_t n_columns;
};

struct resolved_call {
    const struct sql_expr *expr;
    const struct sql_function *function;   /* NULL: no built-in, or qualified with a project */
    const struct grant_relation *relation; /* of a METADATA function; NULL: not a constant that
                                              names a known relation */
    const struct resolved_query *block;
    enum sql_clause clause;
};

/* -- what the statement touches --------------------------------------------------------------- */

enum resolved_how {
    USE_NAMED = 1, /* the text names it */
    USE_STAR,      /* a star or a pattern means it */
    USE_JOINED,    /* USING or NATURAL */
    USE_GROUPED,   /* PIVOT groups by it without naming it */
    USE_REVEALED,  /* named through an output that a star had left out */
};

struct resolved_use {
    const struct resolved_source *source; /* with a relation */
    uint32_t column;                      /* of relation->columns */
    enum resolved_how how;
    enum sql_clause
        clause;  /* of the innermost query: SELECT LATERAL ON WHERE GROUP_BY HAVING WINDOW
                    QUALIFY ORDER_BY CLUSTER_BY DISTRIBUTE_BY SORT_BY FROM LIMIT */
    bool hidden; /* a star left it out: it neither counts nor is read */
    struct sql_span span;
    const struct str *path;
    size_t n_path;
    const struct resolved_query *block;
};

struct resolved {
    struct resolved_query *root;
    const struct grant *grant;
    struct resolved_source **sources; /* all, by number */
    size_t n_sources;
    struct resolved_query **queries; /* all, each behind those it reads or holds */
    size_t n_queries;
    const struct resolved_use *uses; /* in the order of the text, roughly */
    size_t n_uses;
    struct resolved_call **calls; /* all, CASTs aside */
    size_t n_calls;
    size_t n_outputs;                    /* resolved_output.number is below */
    const struct grant_relation *denied; /* the first relation that is not granted, or NULL */
    const struct sql_names *denied_as;   /* as it was written */
    struct resolved_node *nodes;         /* by id; use the functions below */
    size_t n_nodes;
};

/* `root` is what sql_parse() gave; it must outlive *out. */
MUST_USE result sql_resolve(struct sql_query *root, const struct grant *grant, struct arena *arena,
                            struct resolved **out, struct report *report);

/* A predicate or mask of the policy over one relation: every name is a column of it, subqueries,
 * stars, aggregates and windows are refused. In *out, root is NULL, and sources[0] is the relation,
 * with an empty alias. */
MUST_USE result sql_resolve_over(struct sql_expr *expr, const struct grant_relation *relation,
                                 const struct grant *grant, struct arena *arena,
                                 struct resolved **out, struct report *report);

/* The one sentence for a relation that does not exist and for one that is not granted:
 * FAIL_DENIED, TABLE_NOT_ALLOWED. */
result sql_refuse_table(const struct sql_names *as_written, struct report *report);

/* What a node of the parsed tree stands for. A node of another kind, one that we built (id 0) and
 * one of another parse are a mistake of the caller: asserted. A copy (sql_copy_*) is one of
 * ours; one that was given its original's id again may be asked for. */
const struct resolved_ref *resolved_ref(const struct resolved *r, const struct sql_expr *ref);
/* NULL: this reference is no pattern. */
const struct resolved_star *resolved_star(const struct resolved *r, const struct sql_expr *star);
const struct resolved_call *resolved_call(const struct resolved *r, const struct sql_expr *call);
struct resolved_query *resolved_query(const struct resolved *r, const struct sql_query *query);
struct resolved_source *resolved_source(const struct resolved *r, const struct sql_source *source);
/* UNKNOWN for a node without an id. */
struct sql_type resolved_type(const struct resolved *r, const struct sql_expr *expr);

/* The column that an unqualified name means over a source, as PIVOT and UNPIVOT name those of their
 * input; NULL: none, or several. */
const struct resolved_column *resolved_find(const struct resolved_source *source, struct str name);

/* The base column that a column hands on unchanged, through derived tables, CTEs and stars; NULL
 * where it is made, merged or comes of several. */
const struct resolved_column *resolved_base(const struct resolved *r,
                                            const struct resolved_column *column);

#endif
