/*
 * identity/claims.h - who it is, by what an issuer says of a token
 *
 * Claims that have been judged already (identity/jwt.h) become a principal: user, client, roles and
 * scopes of the token, joined with what enterprise.yaml says of the user.
 *
 * Memory:  in the call's arena; views into the claims.
 * Errors:  a verdict: JWT_USER, JWT_CLAIMS. An arena that was spent on the way: ask it.
 */
#ifndef WEIR_IDENTITY_CLAIMS_H
#define WEIR_IDENTITY_CLAIMS_H

#include "identity/jwt.h"

struct identifying;
struct principal;

struct claims_reading {
    struct str_list user_claims; /* the first that is there names the user */
    struct str_list role_claims; /* whose texts are roles */
    struct str user_prefix;      /* put before the name */
    bool takes_unknown_users;    /* whom enterprise.yaml does not name */
};

/* Fills all of `out` but auth_method and token_id. */
enum jwt_verdict claims_principal(const struct identifying *who, const struct json *claims,
                                  const struct claims_reading *how, struct principal *out);

#endif
