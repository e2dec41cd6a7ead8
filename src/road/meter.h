/*
 * road/meter.h - what a call counts against: rates, places for running queries, daily quotas
 *
 * Where other machines see the store, it counts, exactly for all of them, and the call must be on a
 * thread that may block. Else this process counts, without a system call. Quotas are always the
 * store's, so that they outlive a restart: a query takes one of each before it runs, and gives it
 * back when no engine was asked. A day is a calendar day; limits.day_begins says where it begins.
 *
 * A store that fails refuses the call (STORE_UNAVAILABLE), unless limits.on_store_failure is open:
 * then rates and places are counted here, and quotas not at all.
 *
 * Errors:  FAIL_DENIED with RATE_LIMIT_EXCEEDED, CONCURRENCY_LIMIT_EXCEEDED, DAILY_QUOTA_EXCEEDED;
 *          FAIL_IO with STORE_UNAVAILABLE. What is left, and when to come back, is in call->facts.
 * Threads: the call's.
 */
#ifndef WEIR_ROAD_METER_H
#define WEIR_ROAD_METER_H

#include "call/call.h"

/* Counts the call. FAIL_WAIT, without a report: once more, from a thread that may block; nothing
 * was counted. */
MUST_USE result meter_count(struct policy_limiter *limiter, struct call *call);

/* A query that runs. */
struct metered {
    bool is_here;                 /* has a place in this process */
    struct store_place place;     /* has this one in the store; key empty: none */
    struct policy_charges quotas; /* took one of each of the first n */
};

/* Blocks. Takes nothing when it fails. */
MUST_USE result meter_enter(struct policy_limiter *limiter, struct call *call,
                            struct metered *query);
/* To be called once for each that entered. */
void meter_leave(struct policy_limiter *limiter, struct call *call, const struct metered *query);

#endif
