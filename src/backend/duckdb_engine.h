/*
 * backend/duckdb_engine.h - DuckDB inside a worker process
 *
 * Opens the database that the setup names, locks the settings, and runs one SELECT at a time. What
 * was prepared is kept by its text, newest uses first, DUCKDB_PREPARED_MAX of them.
 *
 * Memory:  the engine lives as long as the process; an answer's readers live in an arena of its
 * own. Errors:  engine_open() as its report says; engine_run() tells errors as ERROR frames.
 * Threads: one runs; engine_interrupt() and engine_progress() may come from another.
 */
#ifndef WEIR_BACKEND_DUCKDB_ENGINE_H
#define WEIR_BACKEND_DUCKDB_ENGINE_H

#include "backend/duckdb_api.h"
#include "backend/duckdb_setup.h"
#include "base/buf.h"

#include <pthread.h>

struct engine_prepared {
    char *text;
    size_t len;
    uint64_t hash;
    uint64_t used; /* the number of its last run */
    duckdb_prepared statement;
};

struct engine {
    struct duckdb_api api;
    duckdb_database database;
    duckdb_connection connection;
    struct arena arena;               /* of one answer */
    struct buf scratch;               /* of one nested value */
    struct engine_prepared *prepared; /* DUCKDB_PREPARED_MAX places */
    size_t n_prepared;
    duckdb_prepared too_long; /* the statement at work, when its text is too long to be kept */
    bool must_end;            /* after this answer the process is not to be trusted with another */

    pthread_mutex_t lock; /* of the two below */
    uint64_t running;     /* the number of the query at work; 0: none */
    uint64_t interrupted; /* the last number to be interrupted; it may be told before it runs */
};

/* Where an answer goes: called with whole frames, which it sends and takes out. false: nobody
 * listens any more. */
struct engine_output {
    struct wire_out frames;
    bool (*flush)(struct engine_output *output);
};

/* `engine` is zeroed but for its lock, which an interrupt may need before this returns. */
MUST_USE result engine_open(struct engine *engine, const struct duckdb_setup *setup,
                            struct report *report);
/* Writes everything down and closes: a loader's last step. */
MUST_USE result engine_close(struct engine *engine, const struct duckdb_setup *setup,
                             struct report *report);

/* Puts COLUMNS, ROWS and DONE, or ERROR, and flushes. false: nobody listens. */
bool engine_run(struct engine *engine, uint64_t number, struct str sql,
                struct engine_output *output);
void engine_interrupt(struct engine *engine, uint64_t number);
/* How far that query is, in whole per cent. false: it does not run, or the engine does not tell. */
bool engine_progress(struct engine *engine, uint64_t number, uint8_t *percent);

#endif
