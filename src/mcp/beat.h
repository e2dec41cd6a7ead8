/*
 * mcp/beat.h - a thread that does one thing again and again
 *
 * Memory:  lives in its owner's struct; a zeroed one has not been started.
 * Threads: `step` is called on the beat's own thread, and may block; start and stop on the owner's.
 */
#ifndef WEIR_MCP_BEAT_H
#define WEIR_MCP_BEAT_H

#include "base/fail.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct beat {
    pthread_mutex_t lock;
    pthread_cond_t ending;
    pthread_t thread;
    bool has_thread, is_ending;
    int64_t period_ms;
    void (*step)(void *with);
    void *with;
};

/* Every `period_ms`, at least 1, for the first time after one. */
MUST_USE result beat_start(struct beat *beat, int64_t period_ms, void (*step)(void *with),
                           void *with, struct report *report);
/* Waits for the step that is under way. Of one that was not started: nothing. */
void beat_stop(struct beat *beat);

#endif
