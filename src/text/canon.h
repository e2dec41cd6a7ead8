/*
 * text/canon.h - a JSON value as bytes that are equal for equal values
 *
 * What is hashed or compared must not hang on the order in which a client wrote its members, nor on
 * blanks or escapes: lengths stand first, members are in order of their names. Numbers are taken as
 * they were written, so that 1 and 1.0 differ. The bytes are for digests, not for people.
 *
 * Memory:  `arena` holds what sorting needs.
 * Errors:  false: no memory in the arena. That the buf is too small stays in the buf.
 * Threads: no shared state.
 */
#ifndef WEIR_TEXT_CANON_H
#define WEIR_TEXT_CANON_H

#include "base/buf.h"
#include "text/json.h"

void canon_put_number(struct buf *out, uint64_t n);
void canon_put_text(struct buf *out, struct str text);
bool canon_put_json(struct buf *out, const struct json *value, struct arena *arena)
    __attribute__((warn_unused_result));

#endif
