/*
 * identity/protected.h - what we are to OAuth: a protected resource (RFC 9728) with scopes for
 * tools
 *
 * Which authorization servers give tokens for us, under which name, and which scopes a tool needs.
 * All of it is said by the settings under `auth:` of weir.yaml. Without an authorization server
 * nothing of it is told to anybody.
 *
 * Scopes:  a principal without a list of them (a token of auth.yaml that names none) is not
 *          restricted; one with a list needs all that any matching row of `tool_scopes` asks for.
 *          They are compared byte by byte: what a token says is never a pattern.
 * Memory:  part of the identity, immutable.
 * Errors:  go to the problems at load.
 * Threads: any number of readers.
 */
#ifndef WEIR_IDENTITY_PROTECTED_H
#define WEIR_IDENTITY_PROTECTED_H

#include "identity/identity.h"

struct scope_rule {
    struct str tools; /* a name or pattern */
    const struct str *scopes;
    size_t n;
};

struct protected_resource {
    struct str uri; /* canonical (RFC 8707), without a slash at its end; empty: as asked for */
    struct str name;
    struct option_list servers, scopes;
    const struct scope_rule *rules;
    size_t n_rules;
};

MUST_USE result protected_load(const struct identity_sources *sources, struct arena *arena,
                               struct problems *problems, struct protected_resource *out);

/* Is a token with this audience for us? Equal to our URI, or no: without a URI nothing is. */
bool protected_is_audience(const struct protected_resource *resource, struct str audience);

/* All scopes that the tool needs, each once, blanks between; empty: none. STR_NONE: no memory. */
struct str protected_scopes(const struct protected_resource *resource, struct str tool,
                            struct arena *arena);
bool protected_may_use(const struct protected_resource *resource, const struct principal *principal,
                       struct str tool);

/* Scheme and authority of a URI ("https://host:8443"), and what stands behind it ("/mcp"). */
struct str protected_origin(struct str uri);
struct str protected_path(struct str uri);

#endif
