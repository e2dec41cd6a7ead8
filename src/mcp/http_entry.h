/*
 * mcp/http_entry.h - who comes in by HTTP: nothing of a request is read before that is known
 *
 * Mostly it is known at once, on the loop. Where an issuer or the store has to be asked, the
 * request stands aside, with its bytes, and a thread of the entry's own asks, so that strangers who
 * make us wait keep nobody waiting who is in already; then the request goes on at its loop. When
 * too many stand aside the next is told to come back.
 *
 * Errors:  401 with a challenge, 503 with Retry-After, counted by peer (road/refused.h); the turn
 *          is over then.
 * Threads: http_entry_admit() and `take` on the loop of the exchange.
 */
#ifndef WEIR_MCP_HTTP_ENTRY_H
#define WEIR_MCP_HTTP_ENTRY_H

#include "mcp/http_door.h"
#include "mcp/turn.h"

/* What is done with a request whose caller is known. */
typedef void http_take(struct turn *turn, const struct http_request *req);

/* `origin` is the allowed Origin that CORS repeats, or empty. */
void http_entry_admit(struct http_door *door, const struct http_request *req, struct str origin,
                      http_take *take);

/* A header of the request, as providers and turns ask for it. */
struct str http_entry_header(const void *req, struct str name);

#endif
