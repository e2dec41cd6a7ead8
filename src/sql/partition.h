/*
 * sql/partition.h - which conditions of a statement reach a table's own rows
 *
 * Finds, for each base table reference, the top-level conjuncts between its columns and constants
 * that hold for every row that the statement can still use: those of WHERE, and those of the side
 * that an ON may filter. Each rejects NULL, so that it may be moved beneath an outer join, and is
 * the same for every row of the same value. It looks through derived tables, CTEs with one reader
 * and set operations as long as nothing between (grouping, LIMIT, a window) makes a row depend on
 * others.
 *
 * A finding serves two ends: the proof that a partitioned table is filtered by partition, and the
 * list of conditions that the rewriter repeats inside the secured table. A condition that is merely
 * repeated is also kept where it was written, so that a finding too many costs nothing but one too
 * bold would lose rows; what is not plainly of the form is left out.
 *
 * Memory:  in the arena; the conjuncts are nodes of the statement's tree and must be copied.
 * Errors:  FAIL_MEMORY.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_PARTITION_H
#define WEIR_SQL_PARTITION_H

#include "sql/resolve.h"

struct partition_copy {
    struct sql_expr *expr;
    bool is_partition_only; /* every column in it is a partition column */
};

struct partition_finding {
    bool is_partitioned;
    bool is_proven; /* some conjunct prunes partitions */
    struct partition_copy *copies;
    size_t n_copies, cap_copies;
    uint32_t *proven; /* partition columns with a pruning conjunct, as written */
    size_t n_proven, cap_proven;
};

/* *out has r->n_sources findings, by source number; those of sources without a relation are
 * empty. */
MUST_USE result partition_find(const struct resolved *r, struct arena *arena,
                               struct partition_finding **out, struct report *report);

/* The condition cannot fail, whatever rows it meets: it may stand beside a row filter. See
 * partition_copy.c. */
bool partition_is_harmless(const struct resolved *r, struct sql_expr *expr);

/* The column of `source` whose value `column` hands on unchanged, looking through what
 * partition_find() looks through; NULL: none. */
const struct resolved_column *partition_column(const struct resolved *r,
                                               const struct resolved_column *column,
                                               const struct resolved_source *source);

#endif
