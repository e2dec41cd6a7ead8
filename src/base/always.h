/*
 * base/always.h - what cannot be, and is handled all the same
 *
 * ALWAYS(x) and NEVER(x) are the value of `x`, of which we say that it is true, or false, whatever
 * comes from outside; the reason stands beside. The branch for the other case is a second wall, not
 * dead weight: it stays in the program, where our reasoning may turn out to have a hole.
 *
 *     released: the value passes through, so that the wall holds
 *     sanitized, where tests and fuzzers run: another value aborts
 *     for coverage: constants, so that no branch is counted that no test can take
 *
 * `x` has no side effects. The habit is SQLite's.
 */
#ifndef WEIR_BASE_ALWAYS_H
#define WEIR_BASE_ALWAYS_H

#include <stdbool.h>

#if defined(WEIR_COVERAGE)
#define ALWAYS(x) (sizeof(x) > 0)
#define NEVER(x)  (sizeof(x) == 0)
#elif defined(WEIR_SANITIZED)
#include <stdlib.h>
#define ALWAYS(x) ((x) ? true : (abort(), false))
#define NEVER(x)  ((x) ? (abort(), true) : false)
#else
#define ALWAYS(x) (x)
#define NEVER(x)  (x)
#endif

#endif
