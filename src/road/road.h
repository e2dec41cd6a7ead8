/*
 * road/road.h - the one way from a question to an answer; read road.c first
 *
 * A door (mcp/, cli/) makes a call, fills origin, principal, tool_name and arguments, and lets it
 * walk. Whatever happens, the call comes back through call->done exactly once, its record written
 * and `call->reply` holding the envelope. Where a station must wait, the call goes on at that
 * station on a worker thread; done() then comes on another thread than road_walk() was called on.
 *
 * Memory:  the road lives as long as the process.
 * Errors:  none: a failure is an answer. See call->report for its code.
 * Threads: road_walk() from any thread. done() runs on the audit writer's thread: it must not
 * block.
 */
#ifndef WEIR_ROAD_ROAD_H
#define WEIR_ROAD_ROAD_H

#include "audit/audit.h"
#include "call/call.h"

struct road;

struct road_setup {
    struct audit *audit;            /* borrowed */
    struct policy_limiter *limiter; /* borrowed */
    const struct clock *clock;      /* borrowed */
    size_t max_queued;              /* calls that wait for a thread, of each class */
};

MUST_USE result road_new(const struct road_setup *setup, struct road **out, struct report *report);
/* Waits for calls on worker threads. Takes NULL. */
void road_free(struct road *road);

void road_walk(struct road *road, struct call *call);

/* For a call that has failed before its road, with the cause in its report: recorded, and handed
 * back, like any other. */
void road_stop(struct road *road, struct call *call);

/* True when the answer is a success: the envelope's `ok`. */
bool call_is_ok(const struct call *call);

/* Calls running or queued on worker threads. */
size_t road_load(struct road *road);

/* A refusal before there is an identity: counted per peer and minute, recorded as one line, so that
 * no stranger can fill the disk. `code` is a row of call/codes.h. */
void road_refused(struct road *road, struct str peer, const char *code);
/* To be called about once a second: records the minutes of refusals that are over. */
void road_tick(struct road *road);

#endif
