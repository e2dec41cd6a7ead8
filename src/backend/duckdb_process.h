/*
 * backend/duckdb_process.h - a worker process, seen from us
 *
 * Our own executable, started anew with a socketpair and a pipe. It dies with the thread that
 * started it (PR_SET_PDEATHSIG), so that thread must live as long as the worker is wanted.
 *
 * Memory:  process_start() allocates, process_end() frees.
 * Errors:  FAIL_IO (the system), FAIL_ABSENT BACKEND_NOT_INSTALLED, FAIL_BACKEND (the worker's own
 *          sentence), FAIL_TIMEOUT, FAIL_CANCELLED (stop_fd).
 * Threads: one at a time; start by the thread described above.
 */
#ifndef WEIR_BACKEND_DUCKDB_PROCESS_H
#define WEIR_BACKEND_DUCKDB_PROCESS_H

#include "backend/duckdb_setup.h"

#include <sys/types.h>

struct duckdb_process {
    pid_t pid;
    int data_fd;    /* does not block */
    int control_fd; /* does not block */
    struct wire_in in;
    uint64_t n_queries;
    struct duckdb_process *next; /* in the pool's list of idle or of dead ones */
};

/* Starts a worker, tells it `setup` and waits until it is ready, `wait_ms` at most or until
 * `stop_fd` (-1: none) is readable. */
MUST_USE result process_start(struct str executable, const struct duckdb_setup *setup,
                              int64_t wait_ms, int stop_fd, struct duckdb_process **out,
                              struct report *report);
/* Kills and reaps; milliseconds. Takes NULL. */
void process_end(struct duckdb_process *process);

/* Has it ended by itself, or said what nobody asked for? */
bool process_is_idle_and_well(const struct duckdb_process *process);

/* Waits until the worker's socket is readable (or, with `write`, writable). FAIL_TIMEOUT at
 * `deadline_mono_ns`, FAIL_CANCELLED when `cancel_fd` (-1: none) becomes readable; nothing is
 * reported. */
MUST_USE result process_wait(const struct duckdb_process *process, bool write,
                             int64_t deadline_mono_ns, int cancel_fd);
/* Sends all frames of `out`. As process_wait(), and FAIL_IO when the worker is gone. */
MUST_USE result process_send(struct duckdb_process *process, const struct wire_out *out,
                             int64_t deadline_mono_ns, int cancel_fd);
/* Asks for the end of the query `number`; never blocks. */
void process_interrupt(struct duckdb_process *process, uint64_t number);
/* Asks how far the query `number` is: a PROGRESS frame may come; never blocks. */
void process_ask_progress(struct duckdb_process *process, uint64_t number);

/* What an ERROR at a start means. */
result process_start_error(enum wire_error error, struct str text, struct report *report);

#endif
