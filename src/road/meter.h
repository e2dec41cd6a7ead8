/*
 * road/meter.h - what a call counts against: rates, places for running queries, quotas, budgets
 *
 * Where other machines see the store, it counts, exactly for all of them, and the call must be on a
 * thread that may block. Else this process counts, without a system call. Quotas
 * and budgets are always the store's, so that they outlive a restart. They are taken before the
 * tool runs, all or none, and a query gives them back when no engine was asked; where a replica
 * dies in between, what it took stays taken. A day is a calendar day; limits.day_begins says where
 * it begins, and with it every other window of a budget. What a call takes is of the window in
 * which it runs, however long somebody's yes was waited for.
 *
 * A store that fails refuses the call (STORE_UNAVAILABLE), unless limits.on_store_failure is open:
 * then rates and places are counted here, and quotas and budgets not at all.
 *
 * Errors:  FAIL_DENIED with RATE_LIMIT_EXCEEDED, CONCURRENCY_LIMIT_EXCEEDED, DAILY_QUOTA_EXCEEDED,
 *          BUDGET_EXCEEDED;
 *          FAIL_IO with STORE_UNAVAILABLE. What is left, and when to come back, is in call->facts.
 * Threads: the call's.
 */
#ifndef WEIR_ROAD_METER_H
#define WEIR_ROAD_METER_H

#include "call/call.h"

/* Counts the call. FAIL_WAIT, without a report: once more, from a thread that may block; nothing
 * was counted. */
MUST_USE result meter_count(struct policy_limiter *limiter, struct call *call);

/* What was added to counters of the store. */
struct taken {
    struct policy_charges from; /* of the first n */
    int64_t at_ms;              /* wall: says of which window */
    size_t told;                /* the one that is in call->facts */
};

/* Takes what the call asks for of the budgets that it falls under. Blocks where there is one. Takes
 * nothing when it fails. */
bool meter_may_spend(const struct call *call);
MUST_USE result meter_spend(struct call *call, struct taken *out);
/* To be called once, and only where the tool did not run. */
void meter_refund(struct call *call, struct taken *taken);

/* A query that runs. */
struct metered {
    bool is_here;             /* has a place in this process */
    struct store_place place; /* has this one in the store; key empty: none */
    struct taken quotas;
};

/* Blocks. Takes nothing when it fails. */
MUST_USE result meter_enter(struct policy_limiter *limiter, struct call *call,
                            struct metered *query);
/* To be called once for each that entered. */
void meter_leave(struct policy_limiter *limiter, struct call *call, const struct metered *query);

#endif
