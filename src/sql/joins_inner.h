/*
 * sql/joins_inner.h - what the two files of the join rules share
 *
 * joins.c finds links and loose conditions in the statement; joins_approve.c holds them against the
 * catalogue. Nobody else includes this header.
 */
#ifndef WEIR_SQL_JOINS_INNER_H
#define WEIR_SQL_JOINS_INNER_H

#include "sql/joins.h"

/* A base column, and the source of the block through which it is seen: the same table seen through
 * two sources is two. */
struct join_end {
    const struct resolved_source *leaf;
    const struct resolved_column *column; /* COLUMN_BASE */
};

struct join_ends {
    struct join_end *at;
    size_t n, cap;
    bool is_plain; /* every way ends at a base column that was handed on unchanged */
};

struct join_link { /* left = right */
    struct join_end left, right;
    struct sql_span span;
};

/* Two sources that some condition relates without equating columns: must be linked besides. */
struct join_need {
    const struct resolved_source *left, *right;
    struct sql_span span;
};

struct joiner {
    const struct resolved *r;
    struct arena *arena;
    struct report *report;
    struct joins_found *found;
    struct join_link *links;
    size_t n_links, cap_links;
    struct join_need *needs;
    size_t n_needs, cap_needs;
    uint32_t *n_tables; /* of a query, by id; 0: not counted yet, else one more than the number */
    size_t n_ids;
    uint32_t *n_scans; /* of a query, by id, with everything beneath it */
    size_t steps;      /* of trace */
    result failed;
};

/* Base tables that a source reads, at least 0; saturates at SQL_JOIN_TABLES_MAX. */
uint32_t joins_tables_of(struct joiner *j, const struct resolved_source *source);

MUST_USE result joins_approve(struct joiner *j);
MUST_USE result joins_refuse(struct joiner *j, const struct resolved_source *left,
                             const struct resolved_source *right, struct sql_span span);

#endif
