/*
 * backend/duckdb_quote.h - names and texts as DuckDB reads them
 *
 * Memory:  in the arena; {NULL, 0} when its budget is spent.
 */
#ifndef WEIR_BACKEND_DUCKDB_QUOTE_H
#define WEIR_BACKEND_DUCKDB_QUOTE_H

#include "base/arena.h"

struct str duckdb_quote(struct str name, struct arena *arena);   /* "na""me" */
struct str duckdb_literal(struct str text, struct arena *arena); /* 'te''xt' */

#endif
