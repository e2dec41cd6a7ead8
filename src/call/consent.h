/*
 * call/consent.h - a person says yes before a call goes on
 *
 * Two things that are not one: *confirm* asks the caller's own user, through the client; *approve*
 * wants another person, who decides beside the call (policy/approval.h). While it waits the client
 * is shown that it does, where it can show anything; else it is refused with the request's id, and
 * the same call is made again later.
 *
 * Memory:  the call's arena.
 * Errors:  FAIL_DENIED with CONFIRMATION_REQUIRED (the client cannot ask), CONFIRMATION_DECLINED,
 *          APPROVAL_REQUIRED, APPROVAL_REJECTED; FAIL_ASKED: the client comes again with an answer;
 *          those of the store and of client_ask().
 * Denial:  a call that nobody can be asked about does not run.
 * Threads: the call's own, one that may block.
 */
#ifndef WEIR_CALL_CONSENT_H
#define WEIR_CALL_CONSENT_H

#include "base/fail.h"

struct call;

/* `reason` says to the person why the call is held back. */
MUST_USE result consent_confirm(struct call *call, struct str reason);

/* `rule` is what holds it back. A call that was approved once is not held back again on its way:
 * the approver saw all of it. Uses the approval up. */
MUST_USE result consent_approve(struct call *call, struct str rule, struct str reason);

#endif
