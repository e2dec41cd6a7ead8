/*
 * mcp/http_sse.h - the HTTP+SSE transport of 2024-11-05, which newer clients fall back to
 *
 *     GET …/sse                     a stream; its first event tells where to post
 *     POST …/messages?sessionId=…   202; the answer comes on the stream
 *
 * Both stand beside each path where MCP is served: /a/mcp has /a/sse and /a/messages. The stream is
 * the session: messages must reach the replica that holds it, and end with it. Its session is none
 * of Streamable HTTP.
 *
 * Errors:  404 for a session that is unknown, somebody else's, or without its stream. What is no
 *          message is answered at the POST, by 400.
 * Threads: called on the loop of the turn's exchange.
 */
#ifndef WEIR_MCP_HTTP_SSE_H
#define WEIR_MCP_HTTP_SSE_H

#include "mcp/turn.h"
#include "net/http.h"

#define HTTP_SSE_WORD      "sse"
#define HTTP_MESSAGES_WORD "messages"

/* The turn is a visit's (mcp/visit.h), its principal identified. Finishes it, now or later. */
void http_sse_open(struct turn *turn, const struct http_request *req);
void http_sse_post(struct turn *turn, const struct http_request *req);

#endif
