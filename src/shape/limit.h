/*
 * shape/limit.h - no more than so many rows
 *
 * Passes the first `limit` rows on. When one more comes, it is dropped, the run is ended and
 * has_more tells that there were others; so whoever wants to know asks the engine for limit + 1
 * rows.
 *
 * Memory:  borrows `next`.
 * Errors:  those of `next`.
 * Threads: one.
 */
#ifndef WEIR_SHAPE_LIMIT_H
#define WEIR_SHAPE_LIMIT_H

#include "backend/rows.h"

struct limit_sink {
    struct row_sink sink; /* first: a row_sink * to it is one to us */
    struct row_sink *next;
    uint64_t limit;
    uint64_t n_rows; /* passed on */
    bool has_more;
};

/* `limit` is in rows; 0 passes none. */
void limit_sink_init(struct limit_sink *limiter, struct row_sink *next, uint64_t limit);

#endif
