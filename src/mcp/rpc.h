/*
 * mcp/rpc.h - JSON-RPC 2.0 messages, as MCP narrows them
 *
 * Memory:  a message borrows from the JSON tree it was read from; errors hold literals and texts of
 *          the caller's arena.
 * Errors:  struct rpc_error is what the peer is told: a code, a sentence, perhaps data.
 * Threads: values.
 */
#ifndef WEIR_MCP_RPC_H
#define WEIR_MCP_RPC_H

#include "text/json.h"

enum rpc_kind { RPC_INVALID = 0, RPC_REQUEST, RPC_NOTIFICATION, RPC_RESPONSE };

struct rpc_message {
    enum rpc_kind kind;
    struct str id; /* as JSON text: "7", "\"a\""; STR_NONE without one */
    struct str method;
    const struct json *params; /* an object, or NULL */
    struct str body;           /* the whole message */
};

enum {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_HEADER_MISMATCH = -32020,     /* MCP 2026-07-28 */
    RPC_MISSING_CAPABILITY = -32021,  /* MCP 2026-07-28 */
    RPC_UNSUPPORTED_VERSION = -32022, /* MCP 2026-07-28 */
    RPC_RESOURCE_NOT_FOUND = -32002,  /* MCP before 2026-07-28 */
    RPC_SESSION_UNKNOWN = -32001,     /* as the SDKs have it, of HTTP status 404 */
};

/* Zeroed is none. */
struct rpc_error {
    int code;
    int http_status;
    struct str message;
    struct str data; /* one JSON value, or empty */
};

/* `value` is the whole body. An array is no message here. What is wrong goes to *error; the id is
 * filled wherever it could be read. */
void rpc_read(const struct json *value, struct rpc_message *out, struct rpc_error *error);

/* {"jsonrpc":"2.0","id":…,"error":{…}}; without an id the member is left out. */
void rpc_write_error(struct buf *out, struct str id, const struct rpc_error *error);
/* Begins and ends {"jsonrpc":"2.0","id":…,"result":…}. */
void rpc_begin_result(struct buf *out, struct str id);
void rpc_end_result(struct buf *out);

#endif
