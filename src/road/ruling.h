/*
 * road/ruling.h - an approver decides on a request, and it is on record before it counts
 *
 * The one way for all keepers' doors: the command line and the admin API.
 *
 * Memory:  the request comes back in the caller's arena.
 * Errors:  those of policy/approval.h, and AUDIT_UNAVAILABLE: then nothing was decided.
 * Denial:  is recorded, too.
 * Threads: any that may block.
 */
#ifndef WEIR_ROAD_RULING_H
#define WEIR_ROAD_RULING_H

#include "audit/audit.h"
#include "call/snapshot.h"

struct ruling {
    struct str id; /* of the request; untrusted */
    bool is_yes;
    struct str note;                  /* for the one who asked; untrusted */
    const struct principal *approver; /* who decides */
    struct str peer, method;          /* where the approver came from: for the record */
};

MUST_USE result ruling_make(struct audit *audit, struct snapshot *snapshot,
                            const struct clock *clock, const struct ruling *ruling,
                            struct arena *arena, struct approval *out, struct report *report);

#endif
