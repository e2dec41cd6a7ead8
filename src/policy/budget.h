/*
 * policy/budget.h - how much a rule lets through in a window of time
 *
 *     budget: {max: 500, window: day, from: args.amount, by: session, reason: ask the treasurer}
 *
 * The values of one argument, summed over the calls that were let through in the window, do not
 * pass `max`. Windows are of the clock: they begin where days begin (limits.day_begins) and every
 * so many seconds from there, so that `day` and 86400 are the same.
 *
 * Amounts are numbers from 0 with at most four digits behind the point, held as whole parts of
 * 1/BUDGET_SCALE: sums are exact. A call whose argument is no such number is denied; texts that
 * look like numbers are none, nor is 1e3.
 *
 * Memory:  compiled into the arena of the load; asking needs none.
 * Errors:  FAIL_MEMORY; what is wrong in the file goes to the binder's problems.
 * Threads: immutable once read.
 */
#ifndef WEIR_POLICY_BUDGET_H
#define WEIR_POLICY_BUDGET_H

#include "policy/argument.h"

/* Who is counted by a limit of a rule. */
enum rate_by { RATE_BY_SESSION = 0, RATE_BY_PRINCIPAL, RATE_BY_CLIENT, RATE_BY_TOOL };
extern const char *const rate_by_names[]; /* as in the file; ends with NULL */

struct budget {
    int64_t max; /* in parts; 0: there is none */
    int64_t window_s;
    struct policy_argument from;
    enum rate_by by;
    struct str id;     /* "rules.yaml#tools.NAME.budget" */
    struct str reason; /* may be empty */
};

/* `rule` is the rule's id, "rules.yaml#tools.NAME"; `where` what begins each complaint. */
MUST_USE result budget_read(const struct binder *binder, const struct yaml *node, struct str rule,
                            struct str where, struct budget *out);

/* What the call would take of it, in parts: 0 to BUDGET_AMOUNT_MAX. false: it does not say. */
bool budget_amount(const struct budget *budget, const struct json *arguments, int64_t *amount);

/* What the caller is told whose call does not say it. STR_NONE: no memory. */
struct str budget_sentence(const struct budget *budget, struct arena *arena);

/* "40.5" of parts that are not negative. */
enum { AMOUNT_TEXT_MAX = 24 };
struct str amount_text(int64_t parts, char out[AMOUNT_TEXT_MAX]);

#endif
