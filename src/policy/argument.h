/*
 * policy/argument.h - which argument of a call a rule speaks of
 *
 * `args.a.b` (keys, dots between) or a JSON Pointer over the arguments (`/a/0/b`).
 *
 * Memory:  compiled into the arena of the load; finding needs none.
 * Errors:  FAIL_MEMORY; what is wrong in the file goes to the binder's problems.
 * Threads: immutable once read.
 */
#ifndef WEIR_POLICY_ARGUMENT_H
#define WEIR_POLICY_ARGUMENT_H

#include "text/bind.h"
#include "text/json.h"

struct policy_argument {
    struct str path;
    const struct str *steps;
    size_t n_steps;
    bool is_pointer; /* steps go into arrays too */
};

/* `node` is the scalar that `path` was read from; NULL: its absence is told already. `where` and
 * the `key` begin each complaint. */
MUST_USE result policy_argument_read(const struct binder *binder, const struct yaml *node,
                                     struct str path, struct str where, const char *key,
                                     struct policy_argument *out);

/* `arguments` are NULL or an object. NULL: it is not there; null is not there. */
const struct json *policy_argument_find(const struct policy_argument *argument,
                                        const struct json *arguments);

#endif
