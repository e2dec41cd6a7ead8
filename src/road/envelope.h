/*
 * road/envelope.h - the form of every answer of a tool (seed A5)
 *
 *     {"ok":true,"data":{…},"error":null,"metadata":{…},"audit_id":"…","cost_estimate":{…}}
 *
 * Memory:  written into call->reply.
 * Threads: the call's.
 */
#ifndef WEIR_ROAD_ENVELOPE_H
#define WEIR_ROAD_ENVELOPE_H

#include "call/call.h"

/* `{"ok":true,"data":` is written; the tool's data follows. */
void envelope_open(struct call *call, struct json_writer *w);
/* Closes a success. */
void envelope_close(struct call *call, struct json_writer *w);
/* Replaces what was written by the refusal or failure in call->report. */
void envelope_refuse(struct call *call);

#endif
