/*
 * identity/jwk_inner.h - what the files of jwk.h share: parts of a key become OpenSSL's key
 *
 * Memory:  keys are freed when the arena ends.
 * Errors:  NULL: the parts are no key that we use, or memory is spent.
 */
#ifndef WEIR_IDENTITY_JWK_INNER_H
#define WEIR_IDENTITY_JWK_INNER_H

#include "identity/jwk.h"

struct json;

/* Public parts of a JWK whose kind and curve are those of the algorithm. */
EVP_PKEY *jwk_key_of_json(const struct json *jwk, enum jwt_alg alg, struct arena *arena);
/* A public key or certificate, one block. */
EVP_PKEY *jwk_key_of_pem(struct str pem, struct arena *arena);

/* Is the key what the algorithm needs: its kind, its curve, strong enough, and sound? */
bool jwk_key_fits(EVP_PKEY *pkey, enum jwt_alg alg);

/* Of algorithm and key; false: memory. */
bool jwk_fingerprint(struct jwk *key);

#endif
