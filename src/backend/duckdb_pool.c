#include "backend/duckdb_pool.h"

#include "backend/duckdb_api.h"
#include "backend/duckdb_load.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum pool_state {
    POOL_STARTING = 0, /* nothing is known yet */
    POOL_READY,        /* a worker started, the last time one was needed */
    POOL_FAILED,       /* none did: `failure` tells why, it is tried again when somebody asks */
};

enum { RETRY_FIRST_MS = 250, RETRY_LONGEST_MS = 30000 };

/* A call that waits for a worker. Each has a descriptor of its own, so that a worker that becomes
 * free wakes one call and not all; polling, it also hears its cancel. */
struct pool_waiter {
    struct link queued; /* in pool->waiting, the one that came first in front; in none when told */
    int fd;
};

struct duckdb_pool {
    struct pool_plan plan;
    pthread_t thread;
    int stop_fd; /* readable when the pool closes: ends the wait for a worker that starts */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;  /* for the thread */
    pthread_cond_t state_changed;
    enum pool_state state;
    bool is_closing, is_wanted;
    struct duckdb_process *idle; /* the one used last is the first: its memory is warm */
    struct duckdb_process *dead; /* to be reaped */
    size_t n_alive;              /* idle or taken */
    struct link waiting;
    size_t n_waiting; /* in `waiting`, and those told that have not looked yet */
    struct report failure;
    int64_t retry_ms, retry_at_ns;
};

static int64_t now_ns(void) {
    return clock_mono_ns(&clock_real);
}

/* -- the thread ---------------------------------------------------------------------------------
 */

/* Has up to n calls look again, those that came first. */
static void wake_waiting(struct duckdb_pool *pool, size_t n) {
    const uint64_t one = 1;
    for (; n > 0 && !list_empty(&pool->waiting); n--) {
        struct pool_waiter *waiter = holder_of(pool->waiting.next, struct pool_waiter, queued);
        list_leave(&waiter->queued);
        ssize_t written = write(waiter->fd, &one, sizeof one);
        (void)written; /* fails only at 2^64 */
    }
}

static void enter(struct duckdb_pool *pool, enum pool_state next) {
    pool->state = next;
    pthread_cond_broadcast(&pool->state_changed);
    if (next == POOL_FAILED) wake_waiting(pool, pool->n_waiting);
}

/* Without the lock: starting takes tens of milliseconds, loading as long as the files are large. */
static result start_one(const struct duckdb_pool *pool, struct duckdb_process **out,
                        struct report *report) {
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const char *library = NULL;
    result r = duckdb_api_find(pool->plan.executable, &arena, &library, report);
    if (r.why == FAIL_NONE && pool->plan.load != NULL)
        r = duckdb_load_ensure(pool->plan.executable, str_of(library), pool->plan.load,
                               pool->plan.serve.database, pool->stop_fd, report);
    struct duckdb_setup setup = pool->plan.serve;
    setup.library = str_of(library);
    if (r.why == FAIL_NONE)
        r = process_start(pool->plan.executable, &setup,
                          setup.statements.n > 0 ? DUCKDB_LOAD_MS : DUCKDB_START_MS, pool->stop_fd,
                          out, report);
    arena_deinit(&arena);
    return r;
}

static void note_failure(struct duckdb_pool *pool, const struct report *report) {
    pool->failure = *report;
    pool->retry_ms = pool->retry_ms == 0 ? RETRY_FIRST_MS : pool->retry_ms * 2;
    if (pool->retry_ms > RETRY_LONGEST_MS) pool->retry_ms = RETRY_LONGEST_MS;
    pool->retry_at_ns = now_ns() + pool->retry_ms * 1000000;
    pool->is_wanted = false;
    if (pool->n_alive == 0) enter(pool, POOL_FAILED);
}

static void take_in(struct duckdb_pool *pool, struct duckdb_process *process) {
    process->next = pool->idle;
    pool->idle = process;
    pool->n_alive++;
    pool->retry_ms = 0;
    enter(pool, POOL_READY);
    wake_waiting(pool, 1);
}

static void add_worker(struct duckdb_pool *pool) {
    struct duckdb_process *process = NULL;
    struct report report = {0};
    pthread_mutex_unlock(&pool->lock);
    result r = start_one(pool, &process, &report);
    if (r.why != FAIL_NONE && r.why != FAIL_CANCELLED)
        log_line(LOG_WARN, "duckdb_worker_not_started", STR_NONE, "%s", report.sentence);
    pthread_mutex_lock(&pool->lock);
    if (r.why == FAIL_NONE)
        take_in(pool, process);
    else
        note_failure(pool, &report);
}

static void bury(struct duckdb_pool *pool) {
    struct duckdb_process *process = pool->dead;
    pool->dead = process->next;
    pthread_mutex_unlock(&pool->lock);
    process_end(process);
    pthread_mutex_lock(&pool->lock);
}

/* After a failure nothing is tried unless somebody asks, and then not before its time. */
static bool should_add(const struct duckdb_pool *pool) {
    if (pool->n_alive >= pool->plan.n_workers) return false;
    if (pool->retry_ms == 0) return pool->is_wanted;
    return pool->is_wanted && now_ns() >= pool->retry_at_ns;
}

static void wait_for_work(struct duckdb_pool *pool) {
    if (pool->retry_ms == 0 || !pool->is_wanted) {
        pthread_cond_wait(&pool->work, &pool->lock);
        return;
    }
    struct timespec until = {.tv_sec = pool->retry_at_ns / 1000000000,
                             .tv_nsec = pool->retry_at_ns % 1000000000};
    pthread_cond_timedwait(&pool->work, &pool->lock, &until);
}

static void end_all(struct duckdb_process *process) {
    while (process != NULL) {
        struct duckdb_process *next = process->next;
        process_end(process);
        process = next;
    }
}

static void *keep_workers(void *with) {
    struct duckdb_pool *pool = with;
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_closing) {
        if (pool->dead != NULL)
            bury(pool);
        else if (should_add(pool))
            add_worker(pool);
        else
            wait_for_work(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    end_all(pool->idle);
    end_all(pool->dead);
    return NULL;
}

/* -- opening and closing ------------------------------------------------------------------------
 */

static bool init_conditions(struct duckdb_pool *pool) {
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0) return false;
    bool is_made = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
                   pthread_cond_init(&pool->work, &monotonic) == 0 &&
                   pthread_cond_init(&pool->state_changed, &monotonic) == 0;
    pthread_condattr_destroy(&monotonic);
    return is_made;
}

static void free_pool(struct duckdb_pool *pool) {
    if (pool->stop_fd >= 0) close(pool->stop_fd);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->state_changed);
    free(pool);
}

result pool_open(const struct pool_plan *plan, struct duckdb_pool **out, struct report *report) {
    struct duckdb_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) return fail_memory(report);
    pool->plan = *plan;
    pool->is_wanted = !plan->is_lazy;
    pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    list_init(&pool->waiting);
    bool is_made = pool->stop_fd >= 0 && pthread_mutex_init(&pool->lock, NULL) == 0 &&
                   init_conditions(pool) &&
                   pthread_create(&pool->thread, NULL, keep_workers, pool) == 0;
    if (!is_made) {
        free_pool(pool);
        return fail(report, FAIL_IO, "BACKEND_ERROR", REPORT_NO_OFFSET,
                    "the workers of a DuckDB backend cannot be kept: %s", strerror(errno));
    }
    *out = pool;
    return OK;
}

void pool_close(struct duckdb_pool *pool) {
    if (pool == NULL) return;
    uint64_t one = 1;
    ssize_t written = write(pool->stop_fd, &one, sizeof one);
    (void)written;
    pthread_mutex_lock(&pool->lock);
    pool->is_closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    pthread_join(pool->thread, NULL);
    free_pool(pool);
}

static result tell_failure(const struct duckdb_pool *pool, struct report *report) {
    const struct report *why = &pool->failure;
    result r = fail(report, why->why != FAIL_NONE ? why->why : FAIL_BACKEND, why->code,
                    REPORT_NO_OFFSET, "%s", why->sentence);
    if (why->hint[0] != '\0') fail_hint(report, "%s", why->hint);
    return r;
}

static result busy(struct report *report, const char *why) {
    result r = fail(report, FAIL_BUSY, "BACKEND_BUSY", REPORT_NO_OFFSET,
                    "all workers of the backend are at work: %s", why);
    fail_hint(report, "Try again in a moment.");
    return r;
}

result pool_await(struct duckdb_pool *pool, int64_t deadline_mono_ns, struct report *report) {
    struct timespec until = {.tv_sec = deadline_mono_ns / 1000000000,
                             .tv_nsec = deadline_mono_ns % 1000000000};
    pthread_mutex_lock(&pool->lock);
    pool->is_wanted = true;
    pthread_cond_signal(&pool->work);
    int waited = 0;
    while (pool->state == POOL_STARTING && waited == 0)
        waited = pthread_cond_timedwait(&pool->state_changed, &pool->lock, &until);
    result r = OK;
    if (pool->state == POOL_STARTING) r = busy(report, "none was ready in time");
    if (pool->state == POOL_FAILED) r = tell_failure(pool, report);
    pthread_mutex_unlock(&pool->lock);
    return r;
}

size_t pool_alive(struct duckdb_pool *pool, struct report *report) {
    pthread_mutex_lock(&pool->lock);
    size_t n = pool->n_alive;
    if (n == 0 && pool->state == POOL_FAILED) (void)tell_failure(pool, report).why;
    pthread_mutex_unlock(&pool->lock);
    return n;
}

/* -- taking and giving --------------------------------------------------------------------------
 */

static void lose(struct duckdb_pool *pool, struct duckdb_process *process) {
    process->next = pool->dead;
    pool->dead = process;
    pool->n_alive--;
    pool->is_wanted = true;
    pthread_cond_signal(&pool->work);
}

/* An idle worker that is alive. One that died meanwhile (the system was short of memory, somebody
 * killed it) is found here and not by a query. */
static struct duckdb_process *pop_idle(struct duckdb_pool *pool) {
    while (pool->idle != NULL) {
        struct duckdb_process *process = pool->idle;
        pool->idle = process->next;
        if (process_is_idle_and_well(process)) return process;
        lose(pool, process);
    }
    return NULL;
}

/* A worker, or why to give up; *out stays NULL with OK when there is something to wait for. */
static result try_take(struct duckdb_pool *pool, bool is_queued, struct duckdb_process **out,
                       struct report *report) {
    *out = pop_idle(pool);
    if (*out != NULL) return OK;
    pool->is_wanted = true;
    pthread_cond_signal(&pool->work);
    if (pool->state == POOL_FAILED && pool->n_alive == 0 && now_ns() < pool->retry_at_ns)
        return tell_failure(pool, report);
    if (!is_queued && pool->n_waiting >= pool->plan.n_queue)
        return busy(report, "the queue is full");
    return OK;
}

/* Waits, without the lock, until it is told to look again. */
static result await_change(const struct pool_waiter *waiter, const struct run_limits *limits,
                           struct report *report) {
    struct duckdb_process change = {.data_fd = waiter->fd};
    result r = process_wait(&change, false, limits->deadline_mono_ns, limits->cancel_fd);
    if (r.why == FAIL_TIMEOUT) return busy(report, "none became free in time");
    if (r.why == FAIL_CANCELLED)
        return fail(report, FAIL_CANCELLED, "CANCELLED", REPORT_NO_OFFSET,
                    "the call was cancelled");
    uint64_t token;
    ssize_t n = read(waiter->fd, &token, sizeof token);
    (void)n;
    return r;
}

/* Under the lock. Who was told before and found nothing has waited longest. */
static result queue_up(struct duckdb_pool *pool, struct pool_waiter *waiter,
                       struct report *report) {
    if (waiter->fd >= 0) {
        list_add_first(&pool->waiting, &waiter->queued);
        return OK;
    }
    waiter->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (waiter->fd < 0) return busy(report, "no descriptor is left to wait with");
    list_add_last(&pool->waiting, &waiter->queued);
    pool->n_waiting++;
    return OK;
}

/* Under the lock. A call that gives up after it was told passes the word on. */
static void leave_queue(struct duckdb_pool *pool, struct pool_waiter *waiter, bool is_served) {
    if (waiter->fd < 0) return;
    if (link_joined(&waiter->queued))
        list_leave(&waiter->queued);
    else if (!is_served)
        wake_waiting(pool, 1);
    pool->n_waiting--;
    close(waiter->fd);
}

result pool_take(struct duckdb_pool *pool, const struct run_limits *limits,
                 struct duckdb_process **out, struct report *report) {
    struct pool_waiter waiter = {.fd = -1};
    pthread_mutex_lock(&pool->lock);
    result r = try_take(pool, false, out, report);
    while (r.why == FAIL_NONE && *out == NULL) {
        r = queue_up(pool, &waiter, report);
        if (r.why != FAIL_NONE) break;
        pthread_mutex_unlock(&pool->lock);
        r = await_change(&waiter, limits, report);
        pthread_mutex_lock(&pool->lock);
        if (r.why == FAIL_NONE) r = try_take(pool, true, out, report);
    }
    leave_queue(pool, &waiter, *out != NULL);
    pthread_mutex_unlock(&pool->lock);
    return r;
}

void pool_give(struct duckdb_pool *pool, struct duckdb_process *process, bool is_well) {
    pthread_mutex_lock(&pool->lock);
    if (is_well) {
        wire_in_trim(&process->in);
        process->next = pool->idle;
        pool->idle = process;
        wake_waiting(pool, 1);
    } else {
        lose(pool, process);
    }
    pthread_mutex_unlock(&pool->lock);
}
