/*
 * backend/duckdb_learn.h - what only the engine knows: columns and newest partitions
 *
 * Memory:  what is learned lives in the catalogue's arena, or in the one given.
 * Errors:  those of duckdb_call(); FAIL_MEMORY.
 * Threads: any; the catalogue is filled by one.
 */
#ifndef WEIR_BACKEND_DUCKDB_LEARN_H
#define WEIR_BACKEND_DUCKDB_LEARN_H

#include "backend/catalogue.h"
#include "backend/duckdb_pool.h"

/* Adds the tables of DuckDB's catalog `catalog` that the catalogue lacks. The DuckDB schema `main`
 * is the default project; "a" is project a, "a.b" the schema b of project a. */
MUST_USE result duckdb_learn(struct duckdb_pool *pool, struct str catalog,
                             struct catalogue *catalogue, struct report *report);

/* The greatest value of `column` as text; STR_NONE when there is none. */
MUST_USE result duckdb_learn_max(struct duckdb_pool *pool, const struct schema_relation *relation,
                                 struct str column, struct arena *arena, struct str *out,
                                 struct report *report);

#endif
