/*
 * policy/predicate.h - row filters with placeholders
 *
 * A predicate of policy.yaml is taken apart once, when it is loaded: what the keeper wrote, and the
 * `${user.NAME}` between. For a caller each placeholder becomes a string literal of MaxCompute (or
 * several with commas, inside a list), so that a value can never be more than a value. A missing or
 * empty attribute, one that holds control characters, or several values where one is meant, make
 * the whole predicate FALSE: no rows, rather than rows by guess.
 *
 * Memory:  in the given arenas; a predicate borrows from the text.
 * Errors:  FAIL_CONFIG with the sentence in the report; FAIL_MEMORY.
 * Threads: immutable once read.
 */
#ifndef WEIR_POLICY_PREDICATE_H
#define WEIR_POLICY_PREDICATE_H

#include "identity/identity.h"

struct predicate_piece {
    struct str text;      /* before the placeholder */
    struct str attribute; /* its name; empty in the last piece */
    bool in_list;         /* stands alone between ( , and ): several values may */
};

struct predicate {
    struct str text;
    const struct predicate_piece *pieces;
    size_t n;
};

/* Checks with the guard's parser that it is one expression, whatever the values. */
MUST_USE result predicate_read(struct str text, struct arena *arena, struct predicate *out,
                               struct report *report);
MUST_USE result predicate_bind(const struct predicate *predicate, const struct principal *principal,
                               struct arena *arena, struct str *out, struct report *report);

#endif
