/*
 * backend/duckdb_load.h - files become tables, once
 *
 * `load: ["*.csv"]`: each file is named PROJECT.TABLE.csv, PROJECT.SCHEMA.TABLE.csv or
 * TABLE.csv (or .parquet). A schema.json beside them gives the types (backend/catalogue.h); where
 * it is silent, DuckDB guesses. An empty field of a CSV file is NULL.
 *
 * The tables are written once into STATE/duck/HASH.duckdb, where HASH is over the files' paths,
 * sizes and times and over what is made of them; a worker process does it, into a file that gets
 * its name only when it is whole. Several programs may start at once.
 *
 * Memory:  the plan lives in the arena.
 * Errors:  a wrong file is a problem, and then FAIL_CONFIG; duckdb_load_ensure() as
 * process_start(). Threads: any.
 */
#ifndef WEIR_BACKEND_DUCKDB_LOAD_H
#define WEIR_BACKEND_DUCKDB_LOAD_H

#include "backend/backend.h"
#include "backend/catalogue.h"
#include "backend/duckdb_setup.h"

struct load_plan {
    struct text_list inputs;     /* the files, as absolute paths */
    struct text_list statements; /* that make the tables */
    struct text_list labels;     /* their names */
    struct str hash;             /* of it all, hex */
    size_t n_undescribed;        /* tables whose columns only DuckDB can tell */
};

/* Finds the files; adds to `catalogue` the tables that a schema.json describes. */
MUST_USE result duckdb_load_plan(const struct backend_setup *setup,
                                 const struct option_list *patterns, struct catalogue *catalogue,
                                 struct load_plan *out, struct problems *problems);

/* Makes `database` by `load` (whose database and library are filled in here) unless it is there. */
MUST_USE result duckdb_load_ensure(struct str executable, struct str library,
                                   const struct duckdb_setup *load, struct str database,
                                   int stop_fd, struct report *report);

#endif
