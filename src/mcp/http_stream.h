/*
 * mcp/http_stream.h - a subscriber over HTTP: an event stream that idles
 *
 * Memory:  below 1 KiB a stream, its connection included: the request and its turn are gone.
 * Threads: the loop of its exchange.
 */
#ifndef WEIR_MCP_HTTP_STREAM_H
#define WEIR_MCP_HTTP_STREAM_H

#include "mcp/hub.h"
#include "net/http.h"

/* The exchange's stream has begun; from here on it is ours. false: no memory or place, and it is
 * still the caller's. Acknowledges a listen request. */
bool http_stream_hold(struct hub *hub, struct http_exchange *x, const struct subscription *what)
    __attribute__((warn_unused_result));

#endif
