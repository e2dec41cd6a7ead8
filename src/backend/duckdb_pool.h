/*
 * backend/duckdb_pool.h - the workers of one DuckDB backend
 *
 * A thread of the pool starts the workers, replaces those that died and reaps them; it lives as
 * long as the pool. A call takes a worker, has it alone, and gives it back, well or dead. When all
 * are taken a call waits, until its deadline, in a queue of bounded length.
 *
 *     STARTING --first worker ready--> READY --no worker left, the next does not start--> FAILED
 *         `-----does not start------------------------------------------------> FAILED --retried-->
 * READY
 *
 * Memory:  pool_open() allocates, pool_close() frees; the plan is borrowed.
 * Errors:  pool_take(): FAIL_BUSY BACKEND_BUSY (queue full, or none free before the deadline),
 *          FAIL_CANCELLED, else why no worker starts.
 * Threads: any number take and give; close when all were given back.
 */
#ifndef WEIR_BACKEND_DUCKDB_POOL_H
#define WEIR_BACKEND_DUCKDB_POOL_H

#include "backend/backend.h"
#include "backend/duckdb_process.h"

struct duckdb_pool;

struct pool_plan {
    struct str executable;
    struct duckdb_setup serve; /* its `library` is filled in at each start */
    const struct duckdb_setup
        *load; /* makes serve.database when that is not there; NULL: no need */
    size_t n_workers, n_queue;
    bool is_lazy; /* starts no worker before the first call */
};

MUST_USE result pool_open(const struct pool_plan *plan, struct duckdb_pool **out,
                          struct report *report);
void pool_close(struct duckdb_pool *pool); /* takes NULL; kills the workers */

/* Waits until the pool is READY or FAILED, and then answers why. */
MUST_USE result pool_await(struct duckdb_pool *pool, int64_t deadline_mono_ns,
                           struct report *report);

MUST_USE result pool_take(struct duckdb_pool *pool, const struct run_limits *limits,
                          struct duckdb_process **out, struct report *report);
/* `is_well`: it answered the last query to the end and can be asked another. */
void pool_give(struct duckdb_pool *pool, struct duckdb_process *process, bool is_well);

/* Workers alive; 0 with the reason in `report` when there are none. */
size_t pool_alive(struct duckdb_pool *pool, struct report *report);

#endif
