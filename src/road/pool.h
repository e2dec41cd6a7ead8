/*
 * road/pool.h - threads for calls that wait
 *
 * A class of work has its own threads and its own bounded queue, so that slow queries cannot keep
 * metadata waiting. Threads are made when work comes and none is idle, up to the class's maximum,
 * and end after a minute without work.
 *
 * Memory:  calls are queued by a link of their own: joining a queue cannot fail for want of memory.
 * Errors:  pool_submit() is false when the queue is full.
 * Threads: pool_submit() from any.
 */
#ifndef WEIR_ROAD_POOL_H
#define WEIR_ROAD_POOL_H

#include "call/call.h"

struct pool;

struct pool_class {
    const char *name;
    size_t max_threads;
    size_t max_queued;
};

/* `work` runs on a thread of the pool. */
struct pool *pool_new(const struct pool_class *kind, void (*work)(void *with, struct call *call),
                      void *with);
/* No more work may be submitted; waits until all that was is done. Takes NULL. */
void pool_free(struct pool *pool);

bool pool_submit(struct pool *pool, struct call *call) __attribute__((warn_unused_result));
/* Calls queued and running. */
size_t pool_load(struct pool *pool);
/* Until none is. Others may go on submitting: for the end, when nobody does. */
void pool_wait(struct pool *pool);

#endif
