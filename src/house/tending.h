/*
 * house/tending.h - what a process that serves HTTP does beside serving
 *
 * Once a second it tidies up: refusals that are counted by the minute, what has expired in the
 * store, memory that many connections left behind. At its end it waits for what runs, but no longer
 * than drain_timeout: then all that still runs is cancelled, answered and recorded as such.
 *
 * Memory:  all members are borrowed.
 * Threads: the main thread's.
 */
#ifndef WEIR_HOUSE_TENDING_H
#define WEIR_HOUSE_TENDING_H

#include "mcp/mcp.h"
#include "net/http.h"

struct tending {
    struct http_server *server;
    struct mcp *mcp;
    size_t n_most; /* connections, since memory was given back */
};

void tending_tick(struct tending *tending);

/* The server was made with settings of this drain_timeout: `drain_timeout_ms` and a moment more, in
 * which what is cancelled can still answer. */
int64_t tending_cut_ms(int64_t drain_timeout_ms);
/* Drains the server and waits for its threads. A second SIGTERM or SIGINT ends the waiting. Both
 * signals are blocked. */
void tending_drain(struct tending *tending, int64_t drain_timeout_ms);

#endif
