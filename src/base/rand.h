/*
 * base/rand.h - unguessable bytes
 *
 * From getrandom(2). It cannot fail on the kernels we support; if it does, the process ends, for
 * nothing safe can be done without.
 */
#ifndef WEIR_BASE_RAND_H
#define WEIR_BASE_RAND_H

#include "base/str.h"

void rand_bytes(void *out, size_t n);
uint64_t rand_u64(void);

/* RFC 9562 version 4, lower case, NUL-terminated. */
enum { UUID_SIZE = 37 };
void rand_uuid(char out[UUID_SIZE]);

/* n random bytes as 2n lower-case hex digits and a NUL. */
void rand_hex(char *out, size_t n);
void hex_encode(char *out, const uint8_t *bytes, size_t n); /* 2n digits and a NUL */
bool hex_decode(struct str hex, uint8_t *out, size_t n);    /* exactly n bytes, either case */

#endif
