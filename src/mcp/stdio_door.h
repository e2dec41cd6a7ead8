/*
 * mcp/stdio_door.h - MCP over standard input and output: one JSON message a line
 *
 * The first messages decide the era (mcp/era.h); lines that are too long are answered and skipped.
 * Answers may come in another order than the questions. The end of the input ends the serving, once
 * all that was asked is answered.
 *
 * Errors:  FAIL_DENIED when nobody may come by stdio; FAIL_IO when the output is gone.
 * Threads: one; answers of calls that waited are written by the audit writer's hand-over, in order.
 */
#ifndef WEIR_MCP_STDIO_DOOR_H
#define WEIR_MCP_STDIO_DOOR_H

#include "mcp/mcp.h"

/* Serves `in` until its end. `token` is WEIR_TOKEN, or empty. */
MUST_USE result stdio_door_serve(struct mcp *mcp, struct str token, int in, int out,
                                 struct report *report);

#endif
