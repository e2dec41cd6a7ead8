/*
 * mcp/param_headers.h - Mcp-Param-X: arguments that their request repeats in headers
 *
 * (2026-07-28.) A tool may say so of its fields (struct mirrored in tools/input.h), so that what
 * stands between can route a call without reading it. Then header and argument must agree, or they
 * could be read as two different calls.
 *
 * Memory:  the turn's arena.
 * Errors:  -32020 with HTTP status 400.
 * Threads: the turn's.
 */
#ifndef WEIR_MCP_PARAM_HEADERS_H
#define WEIR_MCP_PARAM_HEADERS_H

#include "mcp/turn.h"

/* Does each header of the tool repeat its argument, and is there none of an argument that is absent
 * or null? Always true where requests have no headers, and in the legacy era. false: the turn is
 * answered. */
bool param_headers_check(struct turn *turn, struct str tool_name, const struct json *arguments);

#endif
