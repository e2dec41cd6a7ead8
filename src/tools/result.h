/*
 * tools/result.h - rows that did not fit a reply, kept for who asked for them
 *
 * A reply that had to be cut names an address, weir://result/ID?from=N. It is read on by
 * resources/read, or by run_select_sql with `result`, which is the same call: decided, counted and
 * recorded like any. ID is the audit id of the call that asked, so that the records stand together.
 *
 * Whose: an address is bound to the principal (user and client), to what the policy grants it
 * (policy/policy_digest.h) and to the policy's version. For anybody else, after any change of
 * these, and after keep_ttl it does not exist; which of them it was is not told.
 *
 * In the store, of `result:ID`:
 *
 *     log      the rows in chunks of lines
 *     entry    {"bound":…,"columns":[…],"rows":n,"is_whole":b,"chunks":[first row of each]},
 * written last: what has no entry is not there
 *
 * and a counter for each principal, KEEP_CALLER_BYTES. The store belongs to sessions and leases
 * first: nothing is kept when it is half full.
 *
 * Memory:  the call's arena.
 * Errors:  FAIL_INPUT INVALID_ARGUMENT for what is not there; FAIL_LIMIT REPLY_TOO_LARGE; the
 *          store's.
 * Threads: blocks; on a worker thread only.
 */
#ifndef WEIR_TOOLS_RESULT_H
#define WEIR_TOOLS_RESULT_H

#include "call/call.h"
#include "shape/keep.h"
#include "text/json.h"

/* Is there a place for it: a store, and time to live? */
bool result_may_keep(const struct call *call);

/* Keeps the rows, of which the reply shows `n_shown`. *address is where to read on. False: nothing
 * is kept, for whatever reason, and *address is STR_NONE. */
bool result_keep(struct call *call, const struct keep *keep, uint64_t n_shown, struct str *address);

/* Writes the rows from that address on that fit a reply: "columns", "rows", "row_count",
 * "truncated", and "note" and "next" where there are more. With or without weir://result/. */
MUST_USE result result_read(struct call *call, struct str address, struct json_writer *data);

/* ID, or ID?from=N: the form alone. */
bool result_is_address(struct str value);

#endif
