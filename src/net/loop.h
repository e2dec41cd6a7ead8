/*
 * net/loop.h - one thread that waits for sockets, clocks and other threads
 *
 * A loop is an epoll instance, a heap of timers and a queue of tasks. Watches, timers and tasks are
 * embedded in the objects that use them, so that nothing here can fail for want of memory once a
 * watch is started. A turn waits for events, runs their watches, then timers that are due, then
 * tasks posted by other threads in the order of posting, then tasks deferred in this turn.
 *
 * Memory:  an object whose watch or timer is ended in a turn must live until the end of that turn:
 *          free it in a task given to loop_defer().
 * Errors:  FAIL_IO and FAIL_MEMORY when a loop or a watch cannot be made.
 * Threads: loop_post(), loop_post_task(), loop_stop() from any thread; all else on the thread that
 *          runs the loop (before it runs: on the thread that made it).
 */
#ifndef WEIR_NET_LOOP_H
#define WEIR_NET_LOOP_H

#include "base/clock.h"
#include "base/fail.h"

struct loop;

struct loop_watch {
    void (*ready)(struct loop_watch *watch, uint32_t events); /* EPOLLIN, EPOLLOUT, ... */
    struct loop *loop;
    int fd;
    uint32_t events;
};

/* Zeroed is not armed. `fire` is set by the owner. */
struct loop_timer {
    void (*fire)(struct loop_timer *timer);
    struct loop *loop; /* NULL: not armed */
    int64_t at_ns;
    struct loop_timer *child; /* a pairing heap (Fredman et al. 1986): first child, */
    struct loop_timer *next;  /* next sibling, */
    struct loop_timer *prev;  /* and the sibling before, or the parent */
};

/* `run` is set by the owner. A task belongs to the loop from posting until it runs. */
struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next;
};

/* `clock` is borrowed. */
MUST_USE result loop_new(struct loop **out, const struct clock *clock, struct report *report);
/* Runs what was posted and has not run, so that its owners can free it, then frees. Takes NULL. */
void loop_free(struct loop *loop);

/* Turns until loop_stop(), and then once more over what was posted. Blocks SIGPIPE in this thread.
 */
void loop_run(struct loop *loop);
/* One turn, waiting at most `wait_ms` (0: not at all; below 0: without end) for the first event. */
void loop_turn(struct loop *loop, int64_t wait_ms);
void loop_stop(struct loop *loop);

/* Runs what was posted and deferred, without waiting for anything: for taking things apart. */
void loop_run_tasks(struct loop *loop);

/* This thread is the one that turns the loop, or turned it last; true while none did. For
 * assertions. */
bool loop_is_here(const struct loop *loop);

/* The time of the current turn (clock_mono_ns). */
int64_t loop_now_ns(const struct loop *loop);
const struct clock *loop_clock(const struct loop *loop);

/* Level-triggered. watch->ready must be set; the fd stays the caller's. */
MUST_USE result loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd,
                                 uint32_t events, struct report *report);
void loop_watch_change(struct loop_watch *watch, uint32_t events); /* cheap when nothing changes */
/* To be called before the fd is closed. Events of this turn are not delivered any more. */
void loop_watch_end(struct loop_watch *watch);

/* Arms or moves. The time is on loop_now_ns()'s axis; one that is past fires in this turn. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_ns);
void loop_timer_cancel(struct loop_timer *timer); /* also when it is not armed */

/* Runs the task on the loop's thread. Cannot fail. */
void loop_post_task(struct loop *loop, struct loop_task *task);
/* The same for callers that have nowhere to embed a task. false: no memory, nothing was posted. */
bool loop_post(struct loop *loop, void (*run)(void *ctx), void *ctx)
    __attribute__((warn_unused_result));
/* Runs the task at the end of the current turn (loop's thread only). */
void loop_defer(struct loop *loop, struct loop_task *task);

#endif
