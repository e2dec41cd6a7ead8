/*
 * backend/duckdb_call.h - one statement, from us through a worker into the sink
 *
 * At the deadline, at a cancel and when the sink has enough, the query is interrupted; a worker
 * that is still busy DUCKDB_STOP_MS later is killed. A worker that dies or talks nonsense ends the
 * call with BACKEND_ERROR: rows already passed on stay, and the caller knows that the answer is not
 * whole.
 *
 * Errors:  those of backend.h. With limits->is_private none of them holds a word of the engine's.
 * Threads: any.
 */
#ifndef WEIR_BACKEND_DUCKDB_CALL_H
#define WEIR_BACKEND_DUCKDB_CALL_H

#include "backend/duckdb_pool.h"

MUST_USE result duckdb_call(struct duckdb_pool *pool, struct str sql,
                            const struct run_limits *limits, struct row_sink *sink,
                            struct run_facts *facts, struct arena *arena, struct report *report);

#endif
