/*
 * mcp/http_door.h - Streamable HTTP: requests become turns, turns become replies
 *
 *     POST /mcp (and /mcp/v1, and / for the ODPS seed's clients)   messages and the shorthand
 *     GET, DELETE on these                                         streams and end of a session
 *     GET /sse, POST /messages                                     HTTP+SSE, beside these
 *     OPTIONS on these                                             preflight of allowed origins
 *     GET /.well-known/oauth-protected-resource[/mcp]              metadata (mcp/oauth.h)
 *     GET /health                                                  alive
 *     GET /health/ready                                            each backend and the audit; or
 * 503
 *
 * Before a body is looked at: path, Host and Origin, who asks. A peer that leaves cancels its
 * modern request; a legacy one runs on.
 *
 * Threads: http_door_serve() is the server's handler: on the loop of the exchange.
 */
#ifndef WEIR_MCP_HTTP_DOOR_H
#define WEIR_MCP_HTTP_DOOR_H

#include "mcp/mcp.h"
#include "net/gate.h"
#include "net/http.h"

/* One listener's door. Borrowed by the server as long as it runs. */
struct http_door {
    struct mcp *mcp;
    const struct gate *gate;
    struct option_list paths; /* where MCP is served: "/mcp", "/mcp/v1", … */
    struct name_set toolsets; /* that are served there */
    /* What serves /admin and all below it, with `keeper`; NULL: nothing is there. It looks at the
     * Origin itself, and more strictly. */
    http_handler *keepers;
    void *keeper;
};

void http_door_serve(void *door, struct http_exchange *x, const struct http_request *req);
/* http_server_on_refusal(): what HTTP itself refuses is counted like any stranger. */
void http_door_refused(void *mcp, struct str peer, int status, const char *why);

#endif
