/*
 * net/sse.h - server-sent events as text (WHATWG HTML, 9.2)
 *
 * Memory:  appends to the caller's buf; its failure sticks there.
 */
#ifndef WEIR_NET_SSE_H
#define WEIR_NET_SSE_H

#include "base/buf.h"

/* One event. `event` and `id` are left out when empty, and may hold no line end. Each line of
 * `data` becomes a data line; one-line JSON stays one line. */
void sse_event(struct buf *out, struct str event, struct str id, struct str data);
/* A comment line, which readers skip: the heartbeat. Empty text gives ":". */
void sse_comment(struct buf *out, struct str text);

#endif
