#include "road/pool.h"

#include "base/fault.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct pool {
    const struct pool_class *kind;
    void (*work)(void *with, struct call *call);
    void *with;
    pthread_mutex_t lock;
    pthread_cond_t has_work;  /* or is ending */
    pthread_cond_t has_ended; /* a thread, or the last of the work */
    struct link queue;
    size_t n_queued, n_threads, n_idle;
    bool is_ending;
};

struct pool *pool_new(const struct pool_class *kind, void (*work)(void *with, struct call *call),
                      void *with) {
    struct pool *pool = fault_now() ? NULL : calloc(1, sizeof *pool);
    if (pool == NULL) return NULL;
    pool->kind = kind;
    pool->work = work;
    pool->with = with;
    list_init(&pool->queue);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->has_work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&pool->has_ended, NULL);
    return pool;
}

/* Under the lock. false: idle for POOL_IDLE_SECONDS, or the pool is ending. */
static bool wait_for_work(struct pool *pool) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += POOL_IDLE_SECONDS;
    pool->n_idle++;
    if (pool->n_idle == pool->n_threads && list_empty(&pool->queue))
        pthread_cond_broadcast(&pool->has_ended);
    while (list_empty(&pool->queue) && !pool->is_ending)
        if (pthread_cond_timedwait(&pool->has_work, &pool->lock, &until) != 0) break;
    pool->n_idle--;
    return !list_empty(&pool->queue);
}

static void *thread_main(void *arg) {
    struct pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    while (wait_for_work(pool)) {
        struct call *call = holder_of(pool->queue.next, struct call, queued);
        list_leave(&call->queued);
        pool->n_queued--;
        pthread_mutex_unlock(&pool->lock);
        pool->work(pool->with, call);
        pthread_mutex_lock(&pool->lock);
    }
    pool->n_threads--;
    pthread_cond_broadcast(&pool->has_ended);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Under the lock. Without a thread at all nobody would ever come for the call. */
static bool thread_start(struct pool *pool) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, POOL_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool made = !fault_now() && pthread_create(&thread, &attributes, thread_main, pool) == 0;
    pthread_attr_destroy(&attributes);
    if (made) pool->n_threads++;
    return made;
}

bool pool_submit(struct pool *pool, struct call *call) {
    pthread_mutex_lock(&pool->lock);
    bool taken = !pool->is_ending && pool->n_queued < pool->kind->max_queued;
    if (taken && pool->n_idle <= pool->n_queued && pool->n_threads < pool->kind->max_threads)
        taken = thread_start(pool) || pool->n_threads > 0;
    if (taken) {
        list_add_last(&pool->queue, &call->queued);
        pool->n_queued++;
        pthread_cond_signal(&pool->has_work);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

size_t pool_load(struct pool *pool) {
    pthread_mutex_lock(&pool->lock);
    size_t load = pool->n_queued + pool->n_threads - pool->n_idle;
    pthread_mutex_unlock(&pool->lock);
    return load;
}

void pool_wait(struct pool *pool) {
    pthread_mutex_lock(&pool->lock);
    while (pool->n_queued + pool->n_threads - pool->n_idle > 0)
        pthread_cond_wait(&pool->has_ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void pool_free(struct pool *pool) {
    if (pool == NULL) return;
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->has_work);
    while (pool->n_threads > 0) pthread_cond_wait(&pool->has_ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->has_work);
    pthread_cond_destroy(&pool->has_ended);
    free(pool);
}
