/*
 * sql/joins.h - which tables a statement joins, and whether the catalogue approves
 *
 * A join is any way to hold the rows of one table against those of another: JOIN, comma, USING,
 * NATURAL, SEMI and ANTI, IN and comparison with a subquery, and whatever a correlated subquery
 * says of the query around it. Columns are followed through derived tables, CTEs and set operations
 * to those of base tables.
 *
 * The rules, when the grant wants joins approved:
 *   1. What is equated between two tables must be the on-fields of one approved entry, all of them
 *      and no others; each table of a set operation answers for itself.
 *   2. A condition of ON that touches two tables is such an equation, or refused. One of WHERE may
 *      compare otherwise, once an entry joins the two; an equation inside something else is
 * refused.
 *   3. The tables of one FROM hang together by approved entries. Sources without a base table
 *      (VALUES, a SELECT without FROM) are free.
 *   4. A correlated subquery that reads a table is joined to the table it refers to.
 *   5. A subquery that gives one aggregate of its rows and is not correlated is a value, no join.
 *
 * Memory:  in the arena.
 * Errors:  FAIL_DENIED: JOIN_NOT_APPROVED, TOO_MANY_JOINS. FAIL_LIMIT: SQL_TOO_LARGE. FAIL_MEMORY.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_JOINS_H
#define WEIR_SQL_JOINS_H

#include "sql/resolve.h"

struct joins_found {
    int64_t n_joins;     /* JOIN and comma, in the whole statement */
    int64_t most_tables; /* base tables of the largest join tree, seen through derived tables */
    bool has_cross_join; /* two sources of one FROM with nothing between them */
};

MUST_USE result joins_check(const struct resolved *r, struct arena *arena, struct joins_found *out,
                            struct report *report);

#endif
