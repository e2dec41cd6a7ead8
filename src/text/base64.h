/*
 * text/base64.h - base64 as RFC 4648 section 4 writes it: padded, one spelling only
 *
 * Threads: no shared state.
 */
#ifndef WEIR_TEXT_BASE64_H
#define WEIR_TEXT_BASE64_H

#include "base/arena.h"
#include "base/buf.h"

/* false: another alphabet, bad padding, bits behind the end that are not zero, or the arena's
 * budget is spent. */
bool base64_decode(struct str text, struct arena *arena, struct str *out);

void base64_encode(struct buf *out, struct str bytes);

#endif
