/*
 * identity/introspection.h - opaque tokens, by asking the server that gave them out (RFC 7662)
 *
 * The server must say that the token is active, until when (`exp`), and that it is for us (`aud`:
 * `auth.resource`, or one of `introspection.audience`): what it leaves out is not guessed. From
 * there the answer is judged like the claims of a JWT (identity/jwt.h), afresh at each call.
 *
 * Threads: any number at once. The judge is a row of the table in bearer.c.
 */
#ifndef WEIR_IDENTITY_INTROSPECTION_H
#define WEIR_IDENTITY_INTROSPECTION_H

#include "identity/claims.h"
#include "identity/issuers.h"
#include "text/problem.h"

struct identity;
struct identity_sources;
struct token_judge;
extern const struct token_judge judge_introspection;

/* Loaded. Zeroed: nobody is asked. */
struct introspection {
    const struct introspection_settings *settings; /* NULL: off */
    struct jwt_rules rules;
    struct claims_reading reading;
};

/* `identity` is being loaded: its resource stands. */
MUST_USE result introspection_load(const struct identity_sources *sources,
                                   const struct identity *identity, struct arena *arena,
                                   struct problems *problems, struct introspection *out);

#endif
