/*
 * road/sized.h - a reply that a model can take
 *
 * Rows and lists were cut while they were written (shape/fit.h). Here the whole envelope is
 * measured once more: one that passes the limit is refused with advice by what its tool can be
 * asked, one near it says so in its metadata and in the log.
 *
 * Errors:  FAIL_LIMIT REPLY_TOO_LARGE.
 * Threads: the call's.
 */
#ifndef WEIR_ROAD_SIZED_H
#define WEIR_ROAD_SIZED_H

#include "call/call.h"

/* Closes the envelope of a success. */
MUST_USE result sized_close(struct call *call, struct json_writer *w);

#endif
