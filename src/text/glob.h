/*
 * text/glob.h - names by pattern
 *
 * `*` stands for any number of characters, `?` for one (a character of UTF-8, not a byte); all else
 * stands for itself, case and dots included. There are no sets and no escapes: a name holds neither
 * of the two characters.
 *
 * Memory:  none.
 * Errors:  none.
 * Threads: no shared state. The time is bounded by len(pattern) * len(name).
 */
#ifndef WEIR_TEXT_GLOB_H
#define WEIR_TEXT_GLOB_H

#include "base/str.h"

bool glob_match(struct str pattern, struct str name);
/* Whether the pattern is more than a name. */
bool glob_is_pattern(struct str pattern);

#endif
