/* Threads that come with work and end, queues that are bounded, and nothing lost between. */
#include "rig.h"

#include "road/pool.h"

#include <semaphore.h>
#include <stdatomic.h>

enum { CALLS = 64 };

struct job {
    atomic_size_t n_run;
    sem_t begun, go; /* of blocking work */
    struct pool *pool;
    struct call *extra;
    sem_t extra_done;
    atomic_size_t n_extra;
};

static void job_init(struct job *job) {
    memset(job, 0, sizeof *job);
    sem_init(&job->begun, 0, 0);
    sem_init(&job->go, 0, 0);
    sem_init(&job->extra_done, 0, 0);
}

static void job_deinit(struct job *job) {
    sem_destroy(&job->begun);
    sem_destroy(&job->go);
    sem_destroy(&job->extra_done);
}

static void sem_take(sem_t *sem) {
    while (sem_wait(sem) != 0) {
    }
}

static struct call *calls_new(size_t n) {
    struct call *calls = calloc(n, sizeof *calls);
    assert_non_null(calls);
    return calls;
}

/* -- */

static void count(void *with, struct call *call) {
    struct job *job = with;
    assert_false(link_joined(&call->queued));
    call->station++;
    atomic_fetch_add(&job->n_run, 1);
}

static void runs_each_call_once(void **state) {
    (void)state;
    static const size_t threads[] = {1, 2, 7, CALLS};
    for (size_t t = 0; t < COUNT(threads); t++) {
        struct pool_class kind = {"test", threads[t], CALLS};
        struct job job;
        struct call *calls = calls_new(CALLS);
        job_init(&job);
        struct pool *pool = pool_new(&kind, count, &job);
        assert_non_null(pool);
        for (size_t i = 0; i < CALLS; i++) assert_true(pool_submit(pool, &calls[i]));
        pool_free(pool);
        assert_int_equal(job.n_run, CALLS);
        for (size_t i = 0; i < CALLS; i++) assert_int_equal(calls[i].station, 1);
        free(calls);
        job_deinit(&job);
    }
}

static void block(void *with, struct call *call) {
    struct job *job = with;
    sem_post(&job->begun);
    sem_take(&job->go);
    count(with, call);
}

static void refuses_what_the_queue_cannot_hold(void **state) {
    (void)state;
    struct pool_class kind = {"test", 2, 3};
    struct job job;
    struct call *calls = calls_new(6);
    job_init(&job);
    struct pool *pool = pool_new(&kind, block, &job);
    assert_int_equal(pool_load(pool), 0);
    for (size_t i = 0; i < 2; i++) { /* each on a thread of its own, at the same time */
        assert_true(pool_submit(pool, &calls[i]));
        sem_take(&job.begun);
    }
    assert_int_equal(pool_load(pool), 2);
    for (size_t i = 2; i < 5; i++) assert_true(pool_submit(pool, &calls[i]));
    assert_int_equal(pool_load(pool), 5);
    assert_false(pool_submit(pool, &calls[5]));
    assert_false(link_joined(&calls[5].queued));
    assert_int_equal(pool_load(pool), 5);
    for (size_t i = 0; i < 5; i++) sem_post(&job.go);
    pool_free(pool); /* waits for those that were queued */
    assert_int_equal(job.n_run, 5);
    free(calls);
    job_deinit(&job);
}

static void takes_none_without_a_queue(void **state) {
    (void)state;
    struct pool_class kind = {"test", 2, 0};
    struct job job;
    struct call *calls = calls_new(1);
    job_init(&job);
    struct pool *pool = pool_new(&kind, count, &job);
    assert_false(pool_submit(pool, &calls[0]));
    pool_free(pool);
    assert_int_equal(job.n_run, 0);
    free(calls);
    job_deinit(&job);
}

/* The first call submits the other one again and again, until the pool says that it ends. */
static void submit_until_ended(void *with, struct call *call) {
    struct job *job = with;
    if (call == job->extra) {
        atomic_fetch_add(&job->n_extra, 1);
        sem_post(&job->extra_done);
        return;
    }
    while (pool_submit(job->pool, job->extra)) {
        sem_post(&job->begun);
        sem_take(&job->extra_done);
    }
    count(with, call);
}

static void takes_no_work_once_it_ends(void **state) {
    (void)state;
    struct pool_class kind = {"test", 2, 4};
    struct job job;
    struct call *calls = calls_new(2);
    job_init(&job);
    job.extra = &calls[1];
    job.pool = pool_new(&kind, submit_until_ended, &job);
    assert_true(pool_submit(job.pool, &calls[0]));
    sem_take(&job.begun);
    pool_free(job.pool);
    assert_int_equal(job.n_run, 1);
    assert_true(job.n_extra >= 1);
    free(calls);
    job_deinit(&job);
}

/* -- from many threads ------------------------------------------------------------------------- */

struct giver {
    struct pool *pool;
    struct call *calls;
    size_t n_taken;
};

static void *give(void *with) {
    struct giver *giver = with;
    for (size_t i = 0; i < CALLS; i++)
        if (pool_submit(giver->pool, &giver->calls[i])) giver->n_taken++;
    return NULL;
}

static void loses_nothing_under_many_givers(void **state) {
    (void)state;
    struct pool_class kind = {"test", 3, 8};
    enum { GIVERS = 4 };
    struct giver givers[GIVERS];
    pthread_t threads[GIVERS];
    struct job job;
    struct call *calls = calls_new((size_t)GIVERS * CALLS);
    job_init(&job);
    struct pool *pool = pool_new(&kind, count, &job);
    for (size_t g = 0; g < GIVERS; g++) {
        givers[g] = (struct giver){pool, calls + g * CALLS, 0};
        assert_int_equal(pthread_create(&threads[g], NULL, give, &givers[g]), 0);
    }
    size_t taken = 0, run = 0;
    for (size_t g = 0; g < GIVERS; g++) {
        pthread_join(threads[g], NULL);
        taken += givers[g].n_taken;
    }
    pool_free(pool);
    for (size_t i = 0; i < (size_t)GIVERS * CALLS; i++) run += calls[i].station;
    assert_int_equal(job.n_run, taken);
    assert_int_equal(run, taken);
    free(calls);
    job_deinit(&job);
}

/* -- when nothing can be had ------------------------------------------------------------------- */

static void says_so_when_no_thread_can_be_made(void **state) {
    (void)state;
    struct pool_class kind = {"test", 2, 4};
    struct job job;
    struct call *calls = calls_new(3);
    job_init(&job);
    fault_set(0);
    assert_null(pool_new(&kind, count, &job));
    fault_off();
    struct pool *pool = pool_new(&kind, block, &job);
    fault_set(0); /* without a thread nobody would ever come for it */
    assert_false(pool_submit(pool, &calls[0]));
    fault_off();
    assert_int_equal(pool_load(pool), 0);
    assert_true(pool_submit(pool, &calls[0]));
    sem_take(&job.begun);
    fault_set(0); /* there is a thread: it will come when it is free */
    assert_true(pool_submit(pool, &calls[1]));
    fault_off();
    sem_post(&job.go);
    sem_post(&job.go);
    pool_free(pool);
    assert_int_equal(job.n_run, 2);
    free(calls);
    job_deinit(&job);
}

static void ends_without_ever_having_worked(void **state) {
    (void)state;
    struct pool_class kind = {"test", 2, 4};
    pool_free(pool_new(&kind, count, NULL));
    pool_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_each_call_once),
        cmocka_unit_test(refuses_what_the_queue_cannot_hold),
        cmocka_unit_test(takes_none_without_a_queue),
        cmocka_unit_test(takes_no_work_once_it_ends),
        cmocka_unit_test(loses_nothing_under_many_givers),
        cmocka_unit_test(says_so_when_no_thread_can_be_made),
        cmocka_unit_test(ends_without_ever_having_worked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
