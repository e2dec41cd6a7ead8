/*
 * backend/duckdb_setup.h - what a worker is told at its birth
 *
 * Memory:  a setup that was read borrows from the frame; lists live in the arena.
 * Threads: values.
 */
#ifndef WEIR_BACKEND_DUCKDB_SETUP_H
#define WEIR_BACKEND_DUCKDB_SETUP_H

#include "backend/duckdb_wire.h"

/* The catalog that holds loaded tables; no project can have a colon in its name. */
#define DUCKDB_CATALOG "weir:data"

struct text_list {
    const struct str *items;
    size_t n;
};

struct duckdb_setup {
    struct str library;  /* path */
    struct str database; /* path; empty: in memory */
    struct str catalog;  /* the name under which it is attached */
    struct str timezone;
    uint64_t memory_limit, address_space; /* bytes */
    uint32_t threads;
    bool is_load;                /* makes the database out of `statements`, says READY, and ends */
    bool is_fence_required;      /* else a fence that cannot be built is only logged */
    struct text_list inputs;     /* files and directories that may be read */
    struct str output;           /* directory that may be written; is_load only */
    struct text_list statements; /* run before the settings are locked */
    struct text_list labels;     /* what each statement is about, for its failure; as many */
};

void duckdb_setup_put(struct wire_out *out, const struct duckdb_setup *setup);
bool duckdb_setup_get(struct wire_view *view, struct arena *arena, struct duckdb_setup *out);

#endif
