/*
 * mcp/stdio_out.h - what the stdio door writes: answers, messages beside them, and streams
 *
 * Lines leave by a thread of their own, so that neither a full pipe nor a slow query stops who
 * reads. The same thread is the door's clock, and it tells the subscribers.
 *
 *     TRY(stdio_out_start(&out, hub, fd, report));
 *     if (stdio_out_take(&out, turn)) ...the turn is taken, and finishes by turn->finish
 *     stdio_out_stop(&out);                            when all of them are written
 *
 * Memory:  a turn that was taken is freed once its answer is written.
 * Errors:  what cannot be written: was_lost, of stdio_out_stop().
 * Threads: start, stop, take and the streams' beginning and end on the reader's; turns finish on
 *          any.
 */
#ifndef WEIR_MCP_STDIO_OUT_H
#define WEIR_MCP_STDIO_OUT_H

#include "mcp/turn.h"

struct stdio_out {
    struct hub *hub;
    int fd;
    pthread_t writer;
    pthread_mutex_t telling; /* held while a stream is told, taken before `lock` */
    struct link streams;     /* all of them; the reader's */
    pthread_mutex_t lock;    /* for what follows */
    pthread_cond_t changed;
    struct link lines;  /* to be written */
    struct link awake;  /* streams with something to tell */
    struct link timers; /* lines of turns that something is to be done with */
    size_t n_open;      /* taken and not yet written */
    bool is_ending;
    bool was_lost; /* a line */
};

MUST_USE result stdio_out_start(struct stdio_out *out, struct hub *hub, int fd,
                                struct report *report);
/* Ends the streams and waits until all that was taken is written. false: something was lost. */
bool stdio_out_stop(struct stdio_out *out);

/* The turn's way and finish are ours from now on, and so is the turn, once it has finished. false:
 * no memory, and it is still the caller's. */
bool stdio_out_take(struct stdio_out *out, struct turn *turn) __attribute__((warn_unused_result));

#endif
