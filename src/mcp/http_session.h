/*
 * mcp/http_session.h - GET and DELETE of a legacy session
 *
 *     GET     the stream for what belongs to no request: changes of lists and resources; or, with
 *             Last-Event-ID, what is left of the stream of one request
 *     DELETE  ends the session, and its GET streams at every replica
 *
 * Threads: called on the loop of the turn's exchange.
 */
#ifndef WEIR_MCP_HTTP_SESSION_H
#define WEIR_MCP_HTTP_SESSION_H

#include "mcp/turn.h"
#include "net/http.h"

/* The turn is a visit's (mcp/visit.h), its principal identified. Finishes it, now or later. */
void http_session_get(struct turn *turn, const struct http_request *req);
void http_session_delete(struct turn *turn, const struct http_request *req);

#endif
