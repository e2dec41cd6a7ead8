/*
 * identity/jwt.h - JSON Web Tokens, read and judged (RFC 7515, 7519, 8725, 9068)
 *
 * Pure: no clock, no network, no state. A token is split, its header read, its signature checked
 * with a key that somebody trusts (identity/jwk.h), its claims read and judged. Each step has one
 * strict reading: what peers read in two ways (padding, a second spelling of the last bits, a
 * member that stands twice, a number that is a text) is refused.
 *
 *     struct jwt_parts parts;
 *     struct jwt_header header;
 *     if (jwt_split(token, &parts) == JWT_GOOD &&
 *         jwt_read_header(&parts, arena, &header) == JWT_GOOD &&
 *         jwt_verify(&parts, key, arena) == JWT_GOOD && …
 *
 * Of a header `alg` and `kid` are used, to find the key among those that are trusted; `jwk`, `jku`,
 * `x5c`, `x5u` are never looked at, `crit`, `b64` and `cty` refuse the token. So does the claim
 * `cnf`: such a token is for whoever proves to hold a key, and we ask for no proof.
 *
 * Memory:  what is read lives in the arena and borrows from the token.
 * Errors:  a verdict: zeroed memory is no good token. An arena that was spent on the way makes one
 *          that is not good, too; ask arena.is_spent.
 * Threads: no shared state.
 */
#ifndef WEIR_IDENTITY_JWT_H
#define WEIR_IDENTITY_JWT_H

#include "identity/jwk.h"

struct json;

/* For the log; the client hears none of it. */
enum jwt_verdict {
    JWT_MALFORMED = 0,
    JWT_ALGORITHM,   /* none that we allow, or not the key's */
    JWT_KEY_UNKNOWN, /* no trusted key has that name */
    JWT_KEYS_ABSENT, /* the issuer's keys could not be had */
    JWT_SIGNATURE,
    JWT_CLAIMS, /* the payload is no object of claims, or one is of a wrong type */
    JWT_NO_EXPIRY,
    JWT_EXPIRED,
    JWT_NOT_YET, /* nbf or iat lies in the future */
    JWT_ISSUER,
    JWT_AUDIENCE,
    JWT_SCOPES,
    JWT_PROOF, /* bound to a key that the caller would have to prove */
    JWT_USER,  /* no claim says who it is, or nobody knows the user */
    JWT_GOOD,
};
/* "Algorithm mismatch": the words of Superset's log. */
const char *jwt_verdict_name(enum jwt_verdict verdict);

struct jwt_parts {
    struct str signed_bytes;              /* header and payload, as signed */
    struct str header, claims, signature; /* base64url */
};

/* Two dots, and none else: has the token the look of one? */
bool jwt_is_shaped(struct str token);
enum jwt_verdict jwt_split(struct str token, struct jwt_parts *out);

struct jwt_header {
    enum jwt_alg alg;
    struct str kid; /* STR_NONE: it has none */
};
enum jwt_verdict jwt_read_header(const struct jwt_parts *parts, struct arena *arena,
                                 struct jwt_header *out);

/* Is the signature the key's? */
enum jwt_verdict jwt_verify(const struct jwt_parts *parts, const struct jwk *key,
                            struct arena *arena);

/* The payload as an object; nothing in it is trusted before the signature is. */
enum jwt_verdict jwt_read_claims(const struct jwt_parts *parts, struct arena *arena,
                                 const struct json **out);

/* -- judging ---------------------------------------------------------------------------------- */

struct str_list {
    const struct str *items;
    size_t n;
};

struct jwt_rules {
    struct str_list issuers;   /* one of them; none: every one, where the settings name none */
    struct str_list audiences; /* one of them at least, byte by byte; none: none is good */
    struct str_list scopes;    /* all of them */
    int64_t skew_s;
};

/* Expiry, issuer, audience, scopes, in Superset's order. `now_s` is Unix time. */
enum jwt_verdict jwt_judge(const struct json *claims, const struct jwt_rules *rules, int64_t now_s,
                           struct arena *arena);

/* `scope`, else `scp`: a text of words or a list, each once; a token that names none has none. */
bool jwt_scopes(const struct json *claims, struct arena *arena, struct str_list *out);

/* Through which client: `client_id`, else `azp`; STR_NONE: it says none. */
struct str jwt_client(const struct json *claims);

/* The first of the claims that holds a text (`client_id` stands for jwt_client(), an `email` that
 * was not verified is passed over); STR_NONE: none does. */
struct str jwt_user(const struct json *claims, const struct str_list *names);

/* The texts of a claim, one or a list of them; a name that begins with `/` is a JSON Pointer. Adds
 * to *out, which has room for `room`. */
void jwt_texts(const struct json *claims, struct str name, size_t room, struct str *out, size_t *n);

#endif
