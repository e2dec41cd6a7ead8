#include "net/loop.h"

#include "base/fault.h"
#include "base/limits.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)

struct task_queue {
    struct loop_task *first;
    struct loop_task *last;
};

struct loop {
    const struct clock *clock;
    int epoll_fd;
    int wake_fd;
    int64_t now_ns;
    struct loop_timer *timers; /* the soonest; NULL when none is armed */
    struct task_queue deferred;
    atomic_bool stopping;
    atomic_bool has_turned;
    _Atomic pthread_t thread; /* that turned it last */
    pthread_mutex_t lock;     /* over posted */
    struct task_queue posted;
};

/* -- tasks ------------------------------------------------------------------------------------ */

static void queue_add(struct task_queue *queue, struct loop_task *task) {
    task->next = NULL;
    if (queue->first == NULL) {
        queue->first = task;
    } else {
        queue->last->next = task;
    }
    queue->last = task;
}

static void queue_run(struct loop_task *first) {
    while (first != NULL) {
        struct loop_task *task = first;
        first = task->next; /* the task may be freed or posted again by running */
        task->next = NULL;
        task->run(task);
    }
}

static void wake(struct loop *loop) {
    uint64_t one = 1;
    /* EAGAIN means that a wake-up is pending already, which is all we want. */
    ssize_t written = write(loop->wake_fd, &one, sizeof one);
    (void)written;
}

void loop_post_task(struct loop *loop, struct loop_task *task) {
    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->posted.first == NULL;
    queue_add(&loop->posted, task);
    /* Under the lock, so that a loop that is freed after its last task is not woken after that. */
    if (was_empty) wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

struct posted_call {
    struct loop_task task;
    void (*run)(void *ctx);
    void *ctx;
};

static void posted_call_run(struct loop_task *task) {
    struct posted_call *call = (struct posted_call *)(void *)task;
    void (*run)(void *ctx) = call->run;
    void *ctx = call->ctx;

    free(call);
    run(ctx);
}

bool loop_post(struct loop *loop, void (*run)(void *ctx), void *ctx) {
    struct posted_call *call = fault_now() ? NULL : malloc(sizeof *call);

    if (call == NULL) return false;
    *call = (struct posted_call){{posted_call_run, NULL}, run, ctx};
    loop_post_task(loop, &call->task);
    return true;
}

void loop_defer(struct loop *loop, struct loop_task *task) {
    queue_add(&loop->deferred, task);
}

static void run_posted(struct loop *loop) {
    pthread_mutex_lock(&loop->lock);
    struct loop_task *first = loop->posted.first;
    loop->posted.first = NULL;
    pthread_mutex_unlock(&loop->lock);
    queue_run(first);
}

static void run_deferred(struct loop *loop) {
    while (loop->deferred.first != NULL) {
        struct loop_task *first = loop->deferred.first;
        loop->deferred.first = NULL;
        queue_run(first);
    }
}

static void come_here(struct loop *loop) {
    atomic_store_explicit(&loop->thread, pthread_self(), memory_order_relaxed);
    atomic_store_explicit(&loop->has_turned, true, memory_order_relaxed);
}

bool loop_is_here(const struct loop *loop) {
    if (!atomic_load_explicit(&loop->has_turned, memory_order_relaxed)) return true;
    pthread_t thread = atomic_load_explicit(&loop->thread, memory_order_relaxed);
    return pthread_equal(thread, pthread_self()) != 0;
}

void loop_run_tasks(struct loop *loop) {
    come_here(loop);
    run_posted(loop);
    run_deferred(loop);
}

/* -- timers: a pairing heap ------------------------------------------------------------------- */

static struct loop_timer *meld(struct loop_timer *a, struct loop_timer *b) {
    if (a == NULL) return b;
    if (b == NULL) return a;
    if (b->at_ns < a->at_ns) {
        struct loop_timer *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child != NULL) a->child->prev = b;
    a->child = b;
    return a;
}

/* Pairs siblings from left to right, then melds the pairs from right to left. A loop and no
 * recursion: ten thousand timers may be siblings. */
static struct loop_timer *meld_siblings(struct loop_timer *first) {
    struct loop_timer *pairs = NULL; /* linked by next */

    while (first != NULL) {
        struct loop_timer *a = first;
        struct loop_timer *b = a->next;
        first = b != NULL ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b != NULL) b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct loop_timer *root = NULL;
    while (pairs != NULL) {
        struct loop_timer *a = pairs;
        pairs = a->next;
        a->next = NULL;
        root = meld(root, a);
    }
    if (root != NULL) root->prev = root->next = NULL;
    return root;
}

void loop_timer_cancel(struct loop_timer *timer) {
    struct loop *loop = timer->loop;

    if (loop == NULL) return;
    struct loop_timer *below = meld_siblings(timer->child);
    if (loop->timers == timer) {
        loop->timers = below;
    } else {
        if (timer->prev->child == timer) {
            timer->prev->child = timer->next;
        } else {
            timer->prev->next = timer->next;
        }
        if (timer->next != NULL) timer->next->prev = timer->prev;
        loop->timers = meld(loop->timers, below);
    }
    timer->loop = NULL;
    timer->child = timer->next = timer->prev = NULL;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_ns) {
    loop_timer_cancel(timer);
    timer->loop = loop;
    timer->at_ns = at_ns;
    loop->timers = meld(loop->timers, timer);
}

static void run_timers(struct loop *loop) {
    /* Bounded by the time of the turn: a timer that arms itself for later does not hold us. */
    while (loop->timers != NULL && loop->timers->at_ns <= loop->now_ns) {
        struct loop_timer *timer = loop->timers;
        loop_timer_cancel(timer);
        timer->fire(timer);
    }
}

/* -- watches ---------------------------------------------------------------------------------- */

result loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
                        struct report *report) {
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (fault_now() || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return fail(report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                    "could not watch a descriptor: error %d", errno);
    watch->loop = loop;
    watch->fd = fd;
    watch->events = events;
    return OK;
}

void loop_watch_change(struct loop_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (watch->loop == NULL || watch->events == events) return;
    watch->events = events;
    int changed = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    assert(changed == 0); /* a registered descriptor can always be changed: no memory is needed */
    (void)changed;
}

void loop_watch_end(struct loop_watch *watch) {
    if (watch->loop == NULL) return;
    epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->loop = NULL;
}

/* -- the turn --------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a_ms, int64_t b_ms) {
    return a_ms < 0 || b_ms < a_ms ? b_ms : a_ms;
}

static int wait_for(const struct loop *loop, int64_t wait_ms) {
    if (loop->deferred.first != NULL) return 0;
    if (loop->timers != NULL) {
        int64_t left_ns = loop->timers->at_ns - clock_mono_ns(loop->clock);
        int64_t left_ms = left_ns <= 0 ? 0 : (left_ns + NS_PER_MS - 1) / NS_PER_MS;
        wait_ms = sooner(wait_ms, left_ms);
    }
    return wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX;
}

static void deliver(struct loop *loop, const struct epoll_event *event) {
    struct loop_watch *watch = event->data.ptr;

    if (watch == NULL) {
        uint64_t count;
        ssize_t got = read(loop->wake_fd, &count, sizeof count);
        (void)got;
    } else if (watch->loop != NULL) { /* else it was ended earlier in this turn */
        watch->ready(watch, event->events);
    }
}

void loop_turn(struct loop *loop, int64_t wait_ms) {
    struct epoll_event events[LOOP_EVENTS_MAX];
    come_here(loop);
    int n = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS_MAX, wait_for(loop, wait_ms));

    loop->now_ns = clock_mono_ns(loop->clock);
    for (int i = 0; i < n; i++) deliver(loop, &events[i]);
    run_timers(loop);
    loop_run_tasks(loop);
}

void loop_run(struct loop *loop) {
    sigset_t pipe_only;

    /* A peer that left must be an error code of write(2), in OpenSSL's writes too. */
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    while (!atomic_load(&loop->stopping)) loop_turn(loop, -1);
    loop_turn(loop, 0);
}

void loop_stop(struct loop *loop) {
    atomic_store(&loop->stopping, true);
    wake(loop);
}

int64_t loop_now_ns(const struct loop *loop) {
    return loop->now_ns;
}

const struct clock *loop_clock(const struct loop *loop) {
    return loop->clock;
}

/* -- its life --------------------------------------------------------------------------------- */

static result open_descriptors(struct loop *loop, struct report *report) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    loop->epoll_fd = fault_now() ? -1 : epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = fault_now() ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0)
        return fail(report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                    "could not make an event loop: error %d", errno);
    return OK;
}

result loop_new(struct loop **out, const struct clock *clock, struct report *report) {
    struct loop *loop = fault_now() ? NULL : calloc(1, sizeof *loop);

    if (loop == NULL) return fail_memory(report);
    loop->clock = clock;
    loop->now_ns = clock_mono_ns(clock);
    loop->epoll_fd = loop->wake_fd = -1;
    pthread_mutex_init(&loop->lock, NULL);
    result r = open_descriptors(loop, report);
    if (r.why != FAIL_NONE) {
        loop_free(loop);
        return r;
    }
    *out = loop;
    return OK;
}

void loop_free(struct loop *loop) {
    if (loop == NULL) return;
    loop_run_tasks(loop);
    assert(loop->timers == NULL);
    if (loop->epoll_fd >= 0) close(loop->epoll_fd);
    if (loop->wake_fd >= 0) close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
