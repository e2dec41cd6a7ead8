/*
 * mcp/oauth.h - the duties of an OAuth resource server at the HTTP door (RFC 9728, RFC 6750)
 *
 *     GET /.well-known/oauth-protected-resource            who gives tokens for us, for everybody
 *     GET /.well-known/oauth-protected-resource/mcp        the same, for each path of MCP
 *     401  WWW-Authenticate: Bearer …, resource_metadata="…", scope="…"
 *     403  WWW-Authenticate: Bearer error="insufficient_scope", scope="…", …
 *
 * Without an authorization server (identity/protected.h) there are no metadata and challenges name
 * none. Our URI is `auth.resource`, or made of scheme, Host and path of the request. A caller's
 * token goes no further than identity/: nothing here sends one anywhere.
 *
 * Memory:  challenges live in the arena given.
 * Threads: no shared state.
 */
#ifndef WEIR_MCP_OAUTH_H
#define WEIR_MCP_OAUTH_H

#include "identity/protected.h"
#include "net/http.h"

/* `paths` is where MCP is served. false: it is no request for metadata, or there are none. */
bool oauth_serve(const struct protected_resource *resource, const struct option_list *paths,
                 struct http_exchange *x, const struct http_request *req);

/* Where the metadata stand that belong to the request; STR_NONE: nowhere, or no memory. */
struct str oauth_metadata_uri(const struct protected_resource *resource,
                              const struct option_list *paths, const struct http_request *req,
                              struct arena *arena);

/* The value of WWW-Authenticate. `error` may be NULL ("invalid_token", "insufficient_scope"); of
 * the others what is empty is left out. STR_NONE: no memory. */
struct challenge {
    const char *error;
    struct str description, scope, metadata;
};
struct str oauth_challenge(const struct challenge *challenge, struct arena *arena);

/* Blanks between. STR_NONE: there are none, or no memory. */
struct str oauth_first_scopes(const struct protected_resource *resource, struct arena *arena);

/* Is there a token in the query? It would stand in logs and histories (RFC 6750, 5.3). */
bool oauth_query_has_token(struct str query);

#endif
