/*
 * identity/callout_process.h - programs of the house that are asked who somebody is
 *
 * A few processes of one command are kept running. Each is asked one thing at a time: a line of
 * JSON goes to its standard input, a line of JSON comes back on its standard output. One that is
 * too late, says too much, or ends, is killed by its id, and another is started when one is needed
 * again, after a pause that doubles with each failure.
 *
 * They get no secret of ours but what is asked: an environment of PATH, HOME and LANG, no
 * descriptor but standard error. When we are gone their input ends.
 *
 * Memory:  answers in the caller's arena.
 * Errors:  FAIL_TIMEOUT, FAIL_LIMIT, FAIL_IO, FAIL_BUSY with a sentence for the log; FAIL_MEMORY.
 * Threads: any number at once; they wait for a process that is free.
 */
#ifndef WEIR_IDENTITY_CALLOUT_PROCESS_H
#define WEIR_IDENTITY_CALLOUT_PROCESS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/option.h"

struct callout_pool;

MUST_USE result callout_pool_new(const struct clock *clock, struct callout_pool **out,
                                 struct report *report);
/* Kills all that run. When nobody asks any more. Takes NULL. */
void callout_pool_free(struct callout_pool *pool);

struct callout_line {
    const struct option_list *command; /* an absolute path, and arguments */
    size_t max_processes;
    int64_t timeout_ms;
    struct str line; /* without its end */
};
/* After a reload with another command the processes of the old one end. */
MUST_USE result callout_pool_ask(struct callout_pool *pool, const struct callout_line *line,
                                 struct arena *arena, struct str *answer, struct report *report);

#endif
