/*
 * text/base64.h - base64 as RFC 4648 sections 4 and 5 write it: one spelling only
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

/* The alphabet for names and URLs, without padding (RFC 4648 section 5, RFC 7515 section 2). */
struct str base64url_encode(struct str bytes, struct arena *arena); /* STR_NONE: budget spent */
/* false as above. */
bool base64url_decode(struct str text, struct arena *arena, struct str *out);

#endif
