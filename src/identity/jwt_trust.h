/*
 * identity/jwt_trust.h - whose tokens are good here: the room `jwt:` of weir.yaml, loaded
 *
 *     jwt:
 *       jwks_uri: https://issuer.example.com/jwks          # or public_key, or secret
 *       issuer: https://issuer.example.com
 *       audience: https://weir.example.com/mcp             # auth.resource counts without being
 * named issuers:                                           # more of them, each with keys of its
 * own partner: {issuer: …, jwks_uri: …, user_prefix: "partner:"}
 *
 * The names of the settings in the environment are Superset's (MCP_JWT_…), and so are the mistakes
 * at which it does not start: no key or no audience, a secret beside a public key, an algorithm of
 * another kind than the key, a development user beside tokens. Of several issuers each needs a
 * prefix for its users, none the beginning of another: whoever may choose a name at one of them
 * would be the user of that name at all.
 *
 * Memory:  immutable, in the snapshot's arena.
 * Errors:  go to the problems; never a part of a key.
 * Threads: any number of readers.
 */
#ifndef WEIR_IDENTITY_JWT_TRUST_H
#define WEIR_IDENTITY_JWT_TRUST_H

#include "identity/claims.h"
#include "identity/jwks.h"
#include "identity/jwt_settings.h"

/* Issuers that share keys and rules. */
struct jwt_trust {
    struct jwt_rules rules;
    struct jwks_source source; /* url empty: `keys` */
    struct jwk_set keys;
    struct claims_reading reading;
};

struct jwt_trusts {
    const struct jwt_trust *items;
    size_t n; /* 0: no JWT is looked at */
    bool is_debug;
};

struct identity_sources;
struct problems;
struct identity;

/* `identity` is being loaded: its resource, users and way to fetch stand. */
MUST_USE result jwt_trusts_load(const struct identity_sources *sources,
                                const struct identity *identity, struct arena *arena,
                                struct problems *problems, struct jwt_trusts *out);

/* Who is trusted to speak for this issuer (`iss`, or STR_NONE), or NULL. */
const struct jwt_trust *jwt_trust_of(const struct jwt_trusts *trusts, struct str issuer);

#endif
