/*
 * backend/duckdb_ddl.h - what makes a table in DuckDB out of a file
 *
 * The names of DuckDB's schemas are decided here, and the printer for DuckDB obeys: a relation of
 * the schema `default` stands in the DuckDB schema named by the project, any other in the one named
 * "project.schema", a single identifier with a point in it.
 *
 *     sales.default.orders   "sales"."orders"
 *     sales.raw.orders       "sales.raw"."orders"
 *
 * Memory:  texts live in the arena; {NULL, 0} when its budget is spent.
 */
#ifndef WEIR_BACKEND_DUCKDB_DDL_H
#define WEIR_BACKEND_DUCKDB_DDL_H

#include "backend/catalogue.h"
#include "sql/types.h"

/* "sales" or "sales.raw", not quoted. */
struct str duckdb_schema_of(struct str project, struct str schema, struct arena *arena);
/* "sales"."orders", quoted. */
struct str duckdb_table_of(struct str project, struct str schema, struct str name,
                           struct arena *arena);

/* `columns` NULL: all columns of the file, as DuckDB sees them. */
struct str duckdb_create_table(const struct table_name *name, struct str path,
                               const struct schema_column *columns, size_t n_columns,
                               struct arena *arena);
void duckdb_type_print(const struct sql_type *type, struct buf *out);

#endif
