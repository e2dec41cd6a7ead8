/*
 * identity/jwt_cache.h - which signatures were checked already
 *
 * Remembers of a token, by its SHA-256, which key verified it; nothing of what the token says. So
 * the claims are judged afresh each time, by the settings and the clock of that moment, and a key
 * that is no longer trusted verifies nothing, because who asks has to find it among those that are.
 *
 * A fixed table of JWT_CACHE_SLOTS entries of 64 bytes; a new one takes the place of an
 * old one. An entry has a count that is odd while it is being written: a reader that meets one, or
 * finds another count afterwards, has found nothing.
 *
 * Memory:  a quarter of a MiB, page by page as it is used.
 * Errors:  what could not be kept is verified once more.
 * Threads: any number at once; nobody waits for anybody.
 */
#ifndef WEIR_IDENTITY_JWT_CACHE_H
#define WEIR_IDENTITY_JWT_CACHE_H

#include "base/fail.h"
#include "identity/digest.h"

struct jwt_cache;

/* What is kept of a key's fingerprint (identity/jwk.h): 192 bits. */
enum { JWT_CACHE_KEY_SIZE = 24 };

MUST_USE result jwt_cache_new(struct jwt_cache **out, struct report *report);
void jwt_cache_free(struct jwt_cache *cache); /* takes NULL */

/* Was the token with this hash verified? Then the beginning of the key's fingerprint is in `key`.
 */
bool jwt_cache_find(struct jwt_cache *cache, const uint8_t token[DIGEST_SIZE],
                    uint8_t key[JWT_CACHE_KEY_SIZE]);
void jwt_cache_keep(struct jwt_cache *cache, const uint8_t token[DIGEST_SIZE],
                    const uint8_t fingerprint[DIGEST_SIZE]);

#endif
