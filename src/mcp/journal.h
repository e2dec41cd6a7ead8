/*
 * mcp/journal.h - calls that outlive their connection, or their replica
 *
 * A call whose client may come back for its answer, here or at another replica, is written down in
 * the store: its request, a lease that says who runs it, and a log of what was told, whose last
 * entry is the answer. A lease lives JOURNAL_LEASE_MS and is prolonged by one thread for all. Who
 * finds a call without answer and without lease takes it over. Only who holds the lease can write
 * to the log, so there is one answer whatever happens: an owner that was slow, or thought dead, has
 * lost.
 *
 *     journal/NAME   the request's body      lease/NAME   who runs it
 *     events/NAME    'm' a message before the answer, 'a' the answer; then its JSON
 *
 * Errors:  the store's.
 * Threads: all but the keeper block on the store: a desk or a worker.
 */
#ifndef WEIR_MCP_JOURNAL_H
#define WEIR_MCP_JOURNAL_H

#include "base/list.h"
#include "mcp/beat.h"
#include "store/store.h"

struct journals {
    struct store *store; /* NULL: nothing is written down */
    struct beat keeper;
    pthread_mutex_t lock;
    struct link held; /* under the lock */
};

struct journal {
    struct link link; /* in journals.held: the lease is ours */
    struct str name;
    uint64_t lease_version; /* STORE_ABSENT: not ours */
};

/* `store` NULL: then nothing else may be called. */
MUST_USE result journals_open(struct journals *journals, struct store *store,
                              struct report *report);
void journals_close(struct journals *journals);

/* Writes the request down and takes the lease. `journal` holds its name. */
MUST_USE result journal_open(struct journals *journals, struct journal *journal, struct str body,
                             struct arena *arena, struct report *report);
/* Takes the lease where nobody has it: else lease_version is STORE_ABSENT. */
MUST_USE result journal_take_over(struct journals *journals, struct journal *journal,
                                  struct arena *arena, struct report *report);
/* *sequence 0: the lease is lost, nothing was written. An answer that is empty says that none will
 * come. */
MUST_USE result journal_append(struct journals *journals, struct journal *journal, bool is_answer,
                               struct str json, struct arena *arena, uint64_t *sequence,
                               struct report *report);
/* The call is freed, whatever became of the lease: it runs out by itself. Also when it is not held.
 */
void journal_forget(struct journals *journals, struct journal *journal);
/* Gives the lease back. What is written stays for JOURNAL_TTL_MS. */
void journal_close(struct journals *journals, struct journal *journal);

/* The request as it was written down; ptr NULL: there is none of that name. */
MUST_USE result journal_request(struct journals *journals, struct str name, struct arena *arena,
                                struct str *body, struct report *report);
struct journal_entry {
    uint64_t sequence;
    bool is_answer;
    struct str json;
};
MUST_USE result journal_read(struct journals *journals, struct str name, uint64_t after,
                             struct arena *arena, struct journal_entry **entries, size_t *n,
                             struct report *report);
MUST_USE result journal_is_held(struct journals *journals, struct str name, struct arena *arena,
                                bool *is_held, struct report *report);

#endif
