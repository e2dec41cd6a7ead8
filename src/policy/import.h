/*
 * policy/import.h - policies of PolicyLayer become a rules.yaml
 *
 * Read are, in one file and even for one tool, since they do not collide: Intercept's YAML (a list
 * of `rules` with conditions, state and rate_limit; the newer keys too), the hosted product's JSON
 * (`require`, `deny_if`, `limits`, `all_tools`), and the plain words of its pages (`allow`, `deny`
 * and reason, `rate_limit: {max, window}`, `require approval`).
 *
 * What comes out allows no call that the policy read would deny. What has no equal meaning becomes
 * stricter, with a warning: a tool with a rule that cannot be said is denied, and the reason says
 * why. Where that would close everything (a rule for all tools), or would be a guess (an unknown
 * key at the top), it is an error, and nothing comes out.
 *
 *   - calendar windows become sliding ones: at most N in any window;
 *   - counters of a tool stay that, `by: tool`: all callers together;
 *   - "*" has one counter for the whole proxy there; here one for each of what the keeper chooses;
 *   - limits of a grant are `by: principal`, and those of the words `by: session`, as there.
 *
 * Memory:  works in the arena; `out` gets a whole file or nothing.
 * Errors:  FAIL_CONFIG with everything in `problems`, FAIL_MEMORY.
 * Threads: no state.
 */
#ifndef WEIR_POLICY_IMPORT_H
#define WEIR_POLICY_IMPORT_H

#include "base/buf.h"
#include "text/problem.h"

struct policy_import {
    struct str name; /* of the file, for problems */
    struct str text;
    const char *by; /* session, principal, client; NULL: limits of all tools are an error */
};

MUST_USE result policy_import(const struct policy_import *import, struct arena *arena,
                              struct problems *problems, struct buf *out);

#endif
