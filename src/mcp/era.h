/*
 * mcp/era.h - which revision of MCP a message speaks
 *
 * Two eras are served on one endpoint. Legacy (2024-11-05 … 2025-11-25): a handshake by
 * `initialize`. Modern (2026-07-28): every request carries its own version and client capabilities
 * in params._meta, and on HTTP repeats version, method and name in headers that must agree.
 *
 * Pure: from a message and its headers to an answer. The order of the checks is the protocol's.
 *
 * Memory:  `data` of an error is a literal or lives in the arena.
 * Threads: values.
 */
#ifndef WEIR_MCP_ERA_H
#define WEIR_MCP_ERA_H

#include "mcp/rpc.h"

enum era { ERA_LEGACY = 0, ERA_MODERN };

#define MCP_MODERN_VERSION "2026-07-28"
#define MCP_LEGACY_LATEST  "2025-11-25"
#define MCP_LEGACY_ASSUMED "2025-03-26" /* of an HTTP request that names none */

/* STR_NONE (ptr NULL): absent. A value that stands there several times, with commas between, as
 * proxies join repeated lines, is that value. On stdio there are no headers at all: pass NULL
 * instead. */
struct era_headers {
    struct str version; /* MCP-Protocol-Version */
    struct str method;  /* Mcp-Method */
    struct str name;    /* Mcp-Name */
};

struct era_answer {
    enum era era;
    struct str version;
    struct rpc_error error; /* code 0: none */
};

/* Is the version one of the legacy era that we serve? Its canonical text, or STR_NONE. */
struct str era_legacy_version(struct str version);
/* Dates compare as text: is `version` at least `other`? */
bool era_at_least(struct str version, const char *other);

void era_classify(const struct rpc_message *message, const struct era_headers *headers,
                  struct arena *arena, struct era_answer *out);

/* The claim of a modern message: params._meta["io.modelcontextprotocol/protocolVersion"], or NULL.
 */
const struct json *era_claim(const struct rpc_message *message);

/* What the client of a modern message can: the capabilities beside the claim, or NULL. */
const struct json *era_capabilities(const struct rpc_message *message);

/* "a, a" is a; "a, b" stays as it is, and so will fit nothing. */
struct str era_header_once(struct str value);

/* Decodes `=?base64?…?=` (RFC 4648, padded); other text is taken as it is. false: a wrapper with a
 * bad alphabet, bad padding or bytes that are no UTF-8. */
bool era_header_value(struct str raw, struct arena *arena, struct str *out);

#endif
