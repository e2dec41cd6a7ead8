/*
 * mcp/health.h - GET /health and /health/ready
 *
 * /health says that the process answers. /health/ready names each backend, the audit log and the
 * store, and is 503 if one of them cannot do its work. It counts what is open, too: connections,
 * idle streams (those of legacy sessions apart), messages under way, calls on threads, tasks.
 *
 * Threads: the loop's. Does not block for long: backends answer from what they know, the store
 * reads one row.
 */
#ifndef WEIR_MCP_HEALTH_H
#define WEIR_MCP_HEALTH_H

#include "mcp/mcp.h"
#include "net/http.h"

/* false: the path is none of ours. */
bool health_serve(struct mcp *mcp, struct http_exchange *x, const struct http_request *req);

/* The parts as members of an object that is open, and the policy's version; true when all of them
 * can do their work. */
bool health_put(struct mcp *mcp, const struct snapshot *snapshot, struct json_writer *w,
                struct arena *arena);

#endif
