/*
 * identity/secret.h - what we hand out and must know again
 *
 * A client carries things of ours and brings them back, to this replica or another: the state of a
 * request, a cursor, a receipt. They leave sealed: encrypted and signed in one (AES-256-GCM), good
 * for one purpose, one holder and a while. The server has one secret for all of it; each purpose
 * has a key of its own (HKDF-SHA256, RFC 5869), and each sealed text a key of its own below that,
 * so that any number may be made.
 *
 * The secret: `WEIR_SECRET`, else the file `server.secret_file`, which is made at the first start:
 *          32 random bytes as base64url, mode 0600. Any text without blanks and of that length
 *          will do. All replicas must have the same. A second
 *          line (or word of WEIR_SECRET, after a comma) is the secret before: what it sealed is
 *          still opened, nothing new is sealed with it. To change it: new line first, old one
 *          second, on all replicas; after a day take the second away.
 * Memory:  the secret's keys are in locked memory that no core dump and no child process gets, and
 *          are wiped at the end. Texts that come out live in the caller's arena.
 * Errors:  FAIL_DENIED with SEAL_INVALID: forged, of another purpose or holder, or expired. There
 *          is one sentence for all, so that nobody learns which. FAIL_MEMORY.
 * Threads: immutable after secret_open(); any number may seal and unseal. Nothing blocks.
 */
#ifndef WEIR_IDENTITY_SECRET_H
#define WEIR_IDENTITY_SECRET_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/fail.h"

struct secret;

enum { SECRET_KEY_SIZE = 32 };

/* `value` is that of WEIR_SECRET, or empty: then `path` is read, or made where it is not there.
 * Errors of this one have the code CONFIG_INVALID: FAIL_CONFIG (too short, more than two, or a file
 * that others may read or the group may write), FAIL_IO. `clock` must outlive the secret. */
MUST_USE result secret_open(struct str value, const char *path, const struct clock *clock,
                            struct secret **out, struct report *report);
void secret_close(struct secret *secret); /* takes NULL */

struct seal {
    struct str purpose; /* ours, a literal: "request_state", "cursor" */
    /* What must be the same when it comes back: principal, method, digest of the arguments, each
     * ended by a byte that cannot stand in it. It is bound, not carried. */
    struct str bound;
};

/* Text of the base64url alphabet, about 4/3 of `plain` and 66 more; `plain` is at most
 * SEAL_BYTES_MAX (else FAIL_LIMIT). `ttl_ms` is cut to SEAL_TTL_MS_MAX; 0 or less is over at once.
 */
MUST_USE result secret_seal(const struct secret *secret, const struct seal *seal, int64_t ttl_ms,
                            struct str plain, struct arena *arena, struct str *out,
                            struct report *report);
/* `seal` as it was given to secret_seal(), made from what the caller is now. */
MUST_USE result secret_unseal(const struct secret *secret, const struct seal *seal, struct str text,
                              struct arena *arena, struct str *plain, struct report *report);

/* A key for a use that is none of the above (a signature, a keyed hash), of the first generation
 * (0) or the one before (1); false: there is no such generation, or OpenSSL could not. The caller
 * wipes it. */
bool secret_key(const struct secret *secret, unsigned generation, struct str purpose,
                uint8_t out[SECRET_KEY_SIZE]) __attribute__((warn_unused_result));

#endif
