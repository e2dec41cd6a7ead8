/*
 * road/envelope.h - the form of every answer of a tool (seed A5)
 *
 *     {"ok":true,"data":{…},"error":null,"metadata":{…},"audit_id":"…","cost_estimate":{…}}
 *
 * A tool of TOOL_CONTENT is answered by what it wrote and nothing else; its refusals come in the
 * envelope like all others.
 *
 * Memory:  written into call->reply.
 * Threads: the call's.
 */
#ifndef WEIR_ROAD_ENVELOPE_H
#define WEIR_ROAD_ENVELOPE_H

#include "call/call.h"

/* `{"ok":true,"data":` is written, or `{` for TOOL_CONTENT; what the tool writes follows. */
void envelope_open(struct call *call, struct json_writer *w);
/* Closes a success. */
void envelope_close(struct call *call, struct json_writer *w);
/* Replaces what was written by the refusal or failure in call->report. */
void envelope_refuse(struct call *call);

#endif
