/*
 * cli/why_tree.h - one record of the audit log, told as the decision that it was
 *
 * Who asked, what for, what each rule said of it, which one decided, what the guard made of it,
 * where the road ended. A record of an older version lacks some of that: what it does not hold is
 * left out. A line of a caller's text never begins where one of ours does.
 *
 * Memory:  none of its own.
 * Errors:  the buf's.
 * Threads: no state.
 */
#ifndef WEIR_CLI_WHY_TREE_H
#define WEIR_CLI_WHY_TREE_H

#include "text/json.h"

/* `policy_now` is the version of the policy that the files compile to now; empty: to none. */
void why_tree_print(const struct json *record, struct str policy_now, struct buf *out);
void why_tree_put(const struct json *record, struct str policy_now, struct json_writer *w);

#endif
