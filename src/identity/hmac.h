/*
 * identity/hmac.h - HMAC with SHA-256 (RFC 2104)
 *
 * Errors:  false when OpenSSL could not (memory): `out` is then all zero.
 * Threads: any.
 */
#ifndef WEIR_IDENTITY_HMAC_H
#define WEIR_IDENTITY_HMAC_H

#include "identity/digest.h"

bool hmac_sha256(struct str key, struct str bytes, uint8_t out[DIGEST_SIZE])
    __attribute__((warn_unused_result));

#endif
