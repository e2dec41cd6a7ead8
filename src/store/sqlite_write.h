/*
 * store/sqlite_write.h - writes of many threads, one commit
 *
 * There is one connection that writes. Whoever wants a write queues it; the first of the queue
 * leads: it takes all that have gathered, runs them in one transaction, commits, and wakes the
 * others, of whom the next leads. A thread that is alone writes at once and on its own stack; under
 * load a commit is shared by as many as came during the one before. There is no thread of ours.
 *
 * When a transaction breaks, it is rolled back, and each of its writes is tried alone: only the
 * one that cannot be done (no room on the disk) is refused.
 *
 * Memory:  a write stands on its caller's stack until it is done, and its caller waits: so may the
 *          leader fill the caller's arena for it.
 * Errors:  FAIL_IO: nothing of that write is in the file, `error` says why. FAIL_LIMIT: no room.
 *          FAIL_INPUT, FAIL_MEMORY. A write that fails otherwise than by FAIL_IO has changed
 * nothing. Threads: any.
 */
#ifndef WEIR_STORE_SQLITE_WRITE_H
#define WEIR_STORE_SQLITE_WRITE_H

#include "base/clock.h"
#include "base/list.h"
#include "store/sqlite_db.h"

#include <pthread.h>

/* What a transaction changes beside the rows: read at its begin, written at its end. */
struct sqlite_transaction {
    struct sqlite_db *db;
    const struct clock *clock;
    int64_t max_bytes;
    int64_t tide, bytes;
    bool is_changed; /* tide or bytes */
};

struct sqlite_write {
    /* Checks first, then changes: whatever it returns but OK and FAIL_IO means that it changed
     * nothing. May be called again after a rollback. */
    result (*run)(struct sqlite_transaction *transaction, struct sqlite_write *write);
    size_t bytes;       /* about what it adds: bounds a group */
    struct link queued; /* in sqlite_writer.queue */
    pthread_cond_t turn;
    bool is_done;
    enum fail why;
    int error, system_error; /* of SQLite, with FAIL_IO */
};

struct sqlite_writer {
    pthread_mutex_t lock;
    struct link queue;       /* the first one leads */
    int error, system_error; /* of the last transaction; 0: it went well */

    /* The leader's: */
    struct sqlite_db db;
    pthread_mutex_t *sharing; /* held while the db is used, where others read by it; or NULL */
    const struct clock *clock;
    int64_t max_bytes;
    int64_t swept_ms; /* when it was swept last; 0: not yet */
};

void sqlite_writer_init(struct sqlite_writer *writer, const struct clock *clock, int64_t max_bytes);
void sqlite_writer_deinit(struct sqlite_writer *writer);

/* `write` with its `run`, else zeroed. Blocks until it is done. */
MUST_USE result sqlite_writer_do(struct sqlite_writer *writer, struct sqlite_write *write);

/* SQLite's code of the last transaction when it broke, else 0. */
int sqlite_writer_error(struct sqlite_writer *writer, int *system_error);

/* -- for what runs ---------------------------------------------------------------------------- */

/* A new version, greater than any before. */
uint64_t sqlite_next_version(struct sqlite_transaction *transaction);
/* Counts `grown` bytes. FAIL_LIMIT when they do not fit; what shrinks always does. */
MUST_USE result sqlite_grow(struct sqlite_transaction *transaction, int64_t grown);

/* Removes at most STORE_SWEEP_MAX expired rows of each sort; *n is how many. */
MUST_USE result sqlite_sweep(struct sqlite_transaction *transaction, size_t *n);
/* Takes the name off an expired or dropped log; its events follow by sweeps. */
MUST_USE result sqlite_detach(struct sqlite_transaction *transaction, int64_t log, size_t name_len);
/* Removes the log's events below `sequence`, at most `max`; *n is how many. */
MUST_USE result sqlite_trim(struct sqlite_transaction *transaction, int64_t log, uint64_t sequence,
                            size_t max, size_t *n);
/* Removes the window's hits up to `at`, at most `max` rows; *n is how many calls those were. */
MUST_USE result sqlite_forget(struct sqlite_transaction *t, int64_t window, int64_t at, size_t max,
                              size_t *n_rows, int64_t *n);

#endif
