/*
 * backend/duckdb_macros.h - functions that the print for DuckDB leans on and DuckDB lacks
 *
 * Each text is one `CREATE TEMP MACRO …` statement. A worker runs them in this order on its
 * connection before its settings are locked; one that fails keeps the worker from starting.
 *
 * Threads: constant.
 */
#ifndef WEIR_BACKEND_DUCKDB_MACROS_H
#define WEIR_BACKEND_DUCKDB_MACROS_H

extern const char *const duckdb_macros[]; /* ends with NULL */

#endif
