/*
 * identity/secret_inner.h - what seal.c asks of secret.c
 */
#ifndef WEIR_IDENTITY_SECRET_INNER_H
#define WEIR_IDENTITY_SECRET_INNER_H

#include "identity/hkdf.h"
#include "identity/secret.h"

enum { SECRET_GENERATIONS = 2 };

/* Bytes of `info` for HKDF: what the key is for, so that no two uses share one. */
bool secret_expand(const struct secret *secret, unsigned generation, struct str info,
                   uint8_t out[SECRET_KEY_SIZE]) __attribute__((warn_unused_result));

unsigned secret_generations(const struct secret *secret); /* 1 or 2 */
const struct clock *secret_clock(const struct secret *secret);

#endif
