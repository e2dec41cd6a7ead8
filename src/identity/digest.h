/*
 * identity/digest.h - SHA-256
 *
 * For tokens, the policy's version and whoever above needs a fingerprint.
 *
 * Errors:  false when OpenSSL could not (memory): `out` is then all zero and equals no digest.
 * Threads: any.
 */
#ifndef WEIR_IDENTITY_DIGEST_H
#define WEIR_IDENTITY_DIGEST_H

#include "base/str.h"

enum { DIGEST_SIZE = 32 };

bool digest_sha256(struct str bytes, uint8_t out[DIGEST_SIZE]) __attribute__((warn_unused_result));

#endif
