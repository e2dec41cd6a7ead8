/*
 * identity/jwk.h - keys that signatures are checked with (RFC 7517, 7518, 8037), and their one
 * algorithm
 *
 * A key is good for exactly one algorithm (RFC 8725 3.1), which is a matter of the key and of our
 * settings, never of a token: the `alg` of the key where it has one, else the first of the allowed
 * algorithms that its kind can do. So an RSA key is never the secret of an HMAC.
 *
 * Out of a set of keys come those that we can use; the others are counted and left out: another
 * kind or use, weak (RSA below 2048 bits, a secret below 32 bytes), a point off the curve, a
 * private half that was published, and any two that share name and algorithm, because nobody could
 * tell which one is meant.
 *
 * Memory:  a set lives in the arena; OpenSSL's halves are freed when the arena ends.
 * Errors:  FAIL_INPUT or FAIL_LIMIT with CONFIG_INVALID (never a part of the key), FAIL_MEMORY.
 * Threads: immutable once read; any number of threads verify with one key.
 */
#ifndef WEIR_IDENTITY_JWK_H
#define WEIR_IDENTITY_JWK_H

#include "base/arena.h"
#include "base/fail.h"
#include "identity/digest.h"

#include <openssl/types.h>

enum jwt_alg {
    JWT_ALG_NONE = 0, /* nothing is verified by it */
    JWT_RS256,
    JWT_RS384,
    JWT_RS512,
    JWT_PS256,
    JWT_PS384,
    JWT_PS512,
    JWT_ES256,
    JWT_ES384,
    JWT_EDDSA, /* Ed25519 alone */
    JWT_HS256,
    JWT_HS384,
    JWT_HS512,
    JWT_ALG_COUNT,
};

enum jwt_family { JWT_FAMILY_NONE = 0, JWT_RSA, JWT_RSA_PSS, JWT_EC, JWT_ED, JWT_HMAC };

struct jwt_alg_row {
    struct str name;
    enum jwt_family family;
    const EVP_MD *(*digest)(void); /* NULL: the algorithm has its own */
    struct str jwk_curve;          /* EC, ED: as a JWK says it */
    const char *curve;             /* EC: as OpenSSL says it */
    size_t coordinate_size;        /* EC: bytes of x, y, r and s; ED: of x */
};

const struct jwt_alg_row *jwt_alg_row(enum jwt_alg alg);
/* Letter by letter: "none", "NONE" and "rs256" are JWT_ALG_NONE. */
enum jwt_alg jwt_alg_named(struct str name);

/* Which algorithms may be used, in order of preference. */
struct jwt_algs {
    enum jwt_alg items[JWT_ALG_COUNT];
    size_t n;
};
bool jwt_algs_have(const struct jwt_algs *algs, enum jwt_alg alg);

struct jwk {
    struct str kid; /* STR_NONE: it has no name */
    enum jwt_alg alg;
    EVP_PKEY *pkey;                   /* NULL: HMAC */
    struct str secret;                /* HMAC */
    uint8_t fingerprint[DIGEST_SIZE]; /* of algorithm and key: what was verified by whom */
};

struct jwk_set {
    const struct jwk *keys;
    size_t n;
    size_t n_left_out;
};

/* {"keys": […]}, as an issuer publishes it. */
MUST_USE result jwk_set_read(struct str json, const struct jwt_algs *allowed, struct arena *arena,
                             struct jwk_set *out, struct report *report);

/* A set of one key without a name: a public key or a certificate as PEM (a private key is refused),
 * and a secret that both sides share. */
MUST_USE result jwk_read_pem(struct str pem, const struct jwt_algs *allowed, struct arena *arena,
                             struct jwk_set *out, struct report *report);
MUST_USE result jwk_read_secret(struct str secret, const struct jwt_algs *allowed,
                                struct arena *arena, struct jwk_set *out, struct report *report);

/* The key that a token with this name and algorithm is to be verified with, or NULL. A key without
 * a name that stands alone (PEM, secret) is meant whatever the token says; a token without a name
 * (STR_NONE) means the only key of a set. *knows_name is false when no key is called so. */
const struct jwk *jwk_find(const struct jwk_set *set, struct str kid, enum jwt_alg alg,
                           bool *knows_name);

/* Is `signature` the one of `bytes` by this key? Raw r || s for EC. False also when OpenSSL could
 * not, for want of memory. */
bool jwk_verify(const struct jwk *key, struct str bytes, struct str signature);

#endif
