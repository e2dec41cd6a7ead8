/*
 * policy/shadow.h - a candidate policy judged beside the live one, and never obeyed
 *
 * Each call that the live policy judges is judged by the candidate, too: who would be refused, held
 * back or let through tomorrow is known today. Differences are counted by tool and by what both
 * say; the first SHADOW_LOGGED_EACH of each go to the operational log. Compared is the verdict on
 * the call (token, roles, client, rules): not limits, which are counted once and for the live
 * policy, and not what the guard lets be seen of tables. A tool that the live policy hides is never
 * judged.
 *
 * Memory:  lives in the arena it was made in; judging works in an arena of its own, so that a
 *          candidate takes nothing from the call.
 * Errors:  a candidate that cannot judge for want of memory differs: it is counted as such.
 * Threads: any. No lock that sleeps, no system call but for what is logged.
 */
#ifndef WEIR_POLICY_SHADOW_H
#define WEIR_POLICY_SHADOW_H

#include "policy/policy.h"

struct shadow;

/* NULL: no memory. `candidate` is borrowed. */
struct shadow *shadow_new(const struct policy *candidate, struct arena *arena);

/* The same question that the live policy answered with `live`. `call_id` is for the log. */
void shadow_judge(struct shadow *shadow, const struct principal *principal,
                  const struct policy_question *question, const struct verdict *live,
                  struct str call_id);

/* {"version","judged","different","differences":[{"tool","live","candidate","calls"}]}, since the
 * candidate was loaded. */
void shadow_put(struct shadow *shadow, struct json_writer *w);

#endif
