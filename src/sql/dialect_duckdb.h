/*
 * sql/dialect_duckdb.h - ruled trees in the words of DuckDB 1.5
 *
 * What it prints gives the rows that MaxCompute would give; what it cannot say so is refused by
 * name. It leans on types: give sql_print() the `struct ruled` as `with`. Without one only what
 * the text itself tells is known, and more is refused.
 *
 *     sql_print(ruled->query, &sql_dialect_duckdb, ruled, &buf, report)
 *
 * The text calls macros named weir_…, which backend/duckdb_macros.c makes in every worker, and
 * expects the session's TimeZone to be that of the project.
 *
 * A table project.default.t is "project"."t", project.schema.t is "project.schema"."t".
 *
 * Errors:  FAIL_INPUT, DIALECT_UNSUPPORTED: the sentence names the construct.
 * Threads: constant.
 */
#ifndef WEIR_SQL_DIALECT_DUCKDB_H
#define WEIR_SQL_DIALECT_DUCKDB_H

#include "sql/print.h"

extern const struct sql_dialect sql_dialect_duckdb;

#endif
