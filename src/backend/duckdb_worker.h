/*
 * backend/duckdb_worker.h - the other side of a DuckDB worker's socket
 *
 * A program that opens DuckDB backends must be able to be its own worker: when it is called as
 * `PROGRAM duckdb-worker`, main() hands over at once and returns what this returns.
 *
 *     if (argc > 1 && strcmp(argv[1], DUCKDB_WORKER_WORD) == 0) return duckdb_worker_main(argc,
 * argv);
 *
 * A worker reads frames from descriptor 3 and orders from descriptor 4; it ends when the latter
 * is closed, and is killed when the thread that started it ends.
 */
#ifndef WEIR_BACKEND_DUCKDB_WORKER_H
#define WEIR_BACKEND_DUCKDB_WORKER_H

#define DUCKDB_WORKER_WORD "duckdb-worker"

enum { DUCKDB_WORKER_DATA_FD = 3, DUCKDB_WORKER_CONTROL_FD = 4 };

int duckdb_worker_main(int argc, char **argv);

#endif
