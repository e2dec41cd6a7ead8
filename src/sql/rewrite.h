/*
 * sql/rewrite.h - the ruled tree: the statement as we are willing to run it
 *
 * Third of the three stages (parsed, resolved, ruled), and the only one that is printed for a
 * backend. Each reference to a base table has become a secured derived table,
 *
 *     (SELECT t.a, concat(…) AS phone FROM project.schema.table AS t WHERE <row filters> AND …) AS
 * o
 *
 * with the columns that the statement uses, those that are masked as their masks, and the filters
 * of the policy. Outside of it no denied column and no hidden row exists, so that a slip in the
 * rest of the statement finds nothing.
 *
 * Invariants of a ruled tree, for those who print it
 *   1. A table is named by project, schema and name; a source name of one part is a CTE.
 *   2. A REF is alias.column, and what follows are fields of a struct. A REF of one part is an
 *      output in ORDER BY and its kin, or a lambda's parameter (which fields may follow).
 *   3. No alias hides another one: they differ in the whole statement, except that an expression
 *      which is repeated for its alias repeats those within. CTE names differ, and the names of a
 *      query's columns within it; only the outermost SELECT keeps the client's even if two are
 *      equal.
 *   4. No star but that of count(*); no USING, no NATURAL, no comma; JOIN without ON is CROSS.
 *   5. No constant stands as a whole key in GROUP BY or ORDER BY: there it would be a position.
 *   6. The outermost query has LIMIT, and what is ordered or limited is a SELECT.
 *   7. Types are asked of ruled_type(), not of the resolver.
 *
 * Memory:  in the arena. The parsed tree is changed into the ruled one and must not be used as
 *          parsed any more; neither must the `resolved` that came of it, except by way of `ruled`.
 * Errors:  FAIL_MEMORY, what max_pt gives; FAIL_CONFIG with CONFIG_INVALID: a filter or mask of
 *          the policy cannot be applied, and nothing is told of it.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_REWRITE_H
#define WEIR_SQL_REWRITE_H

#include "sql/enforce.h"

struct ruled_table { /* one secured derived table */
    struct sql_query *query;
    const struct grant_relation *relation;
};

struct ruled_column { /* read by a filter or a mask */
    const struct grant_relation *relation;
    uint32_t column;
};

struct ruled {
    struct sql_query *query;
    const struct resolved *resolved;
    enum guard_dialect dialect;
    struct ruled_table *tables;
    size_t n_tables, cap_tables;
    struct ruled_column *policy; /* may hold a column more than once */
    size_t n_policy, cap_policy;
    bool has_policy;         /* a row filter or a mask is at work */
    struct sql_expr **salts; /* literals of masks in whose place the salt is to be run */
    size_t n_salts, cap_salts;
    uint32_t *bare_calls; /* ids of CURRENT_DATE and its like in filters and masks */
    size_t n_bare_calls, cap_bare_calls;
    struct sql_type *types; /* of nodes that we made; by id - first_made */
    uint32_t first_made;
    size_t n_types, cap_types;
};

/* UNKNOWN where we do not know. */
struct sql_type ruled_type(const struct ruled *ruled, const struct sql_expr *expr);

/* What a REF of the ruled tree is: COLUMN is alias.column, OUTPUT a name of ORDER BY and its kin,
 * or what it was repeated for; PARAM a lambda's; CALL a function without parentheses. */
enum resolved_ref_kind ruled_ref_kind(const struct ruled *ruled, const struct sql_expr *ref);

/* Changes the tree of `r` into the ruled one. */
MUST_USE result rewrite(const struct resolved *r, const struct enforced *enforced,
                        enum guard_dialect dialect, struct arena *arena, struct ruled **out,
                        struct report *report);

/* PostgreSQL and DuckDB pull derived tables up and would run the caller's expressions on hidden
 * rows, where whether they fail is an answer; OFFSET 0 keeps them from it. To be called last, for
 * the invariants allow no OFFSET there. */
MUST_USE result rewrite_fence(struct ruled *ruled, struct arena *arena, struct report *report);

#endif
