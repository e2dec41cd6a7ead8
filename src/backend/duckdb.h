/*
 * backend/duckdb.h - the backend that answers from DuckDB
 *
 *     backends:
 *       - {name: demo, kind: duckdb, load: ["*.csv"]}
 *       - {name: mart, kind: duckdb, file: mart.duckdb}
 *
 * Statements run in worker processes: the engine's own limits on time and memory do not hold inside
 * scalar functions, a process can be killed. The pieces, from here to the engine:
 *
 *     duckdb.c          the kind: settings, opening, catalogue
 *     duckdb_load.c     files -> statements that make tables        duckdb_ddl.c, duckdb_ensure.c
 *     duckdb_learn.c    columns and partitions that only the engine knows
 *     duckdb_call.c     one statement: deadline, cancel, rows into the sink
 *     duckdb_pool.c     the workers, kept alive by a thread          duckdb_process.c
 *     duckdb_wire.c     frames                                       duckdb_setup.c
 *     ------------------ the socket: below here runs in a worker ------------------
 *     duckdb_worker.c   the loop                                     duckdb_fence.c
 *     duckdb_engine.c   DuckDB: locked settings, prepared statements, answers
 *     duckdb_value.c    vectors -> rows                              duckdb_text.c
 *     duckdb_api.c      the library                                  duckdb_macros.c
 *
 * Names: a relation PROJECT.default.TABLE is "PROJECT"."TABLE" in DuckDB, any other schema's is
 * "PROJECT.SCHEMA"."TABLE", where the first is one identifier with a point in it (duckdb_ddl.h). In
 * a file opened as it is, the DuckDB schema `main` is the default project.
 *
 * A program that opens such a backend must hand `duckdb-worker` to duckdb_worker.h.
 */
#ifndef WEIR_BACKEND_DUCKDB_H
#define WEIR_BACKEND_DUCKDB_H

#include "backend/backend.h"

extern const struct backend_kind backend_duckdb;

#endif
