/*
 * identity/hkdf.h - keys out of a secret: HKDF with SHA-256 (RFC 5869)
 *
 * Memory:  what is used on the way is wiped; outputs are the caller's to wipe.
 * Errors:  false when OpenSSL could not (memory), or more than HKDF_OUT_MAX is asked: `out` is then
 *          all zero.
 * Threads: any.
 */
#ifndef WEIR_IDENTITY_HKDF_H
#define WEIR_IDENTITY_HKDF_H

#include "base/str.h"

enum { HKDF_KEY_SIZE = 32, HKDF_INFO_MAX = 512, HKDF_OUT_MAX = 255 * HKDF_KEY_SIZE };

/* The one key that all others come from; an empty `salt` is that of RFC 5869 2.2. */
bool hkdf_extract(struct str salt, struct str secret, uint8_t out[HKDF_KEY_SIZE])
    __attribute__((warn_unused_result));
/* `n` bytes for the use that `info` names, of at most HKDF_INFO_MAX bytes. */
bool hkdf_expand(const uint8_t key[HKDF_KEY_SIZE], struct str info, uint8_t *out, size_t n)
    __attribute__((warn_unused_result));

#endif
