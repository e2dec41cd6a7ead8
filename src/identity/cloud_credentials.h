/*
 * identity/cloud_credentials.h - keys for the cloud that come with one request
 *
 *     X-Aliyun-Access-Key-Id, X-Aliyun-Access-Key-Secret     a key pair, both or none
 *     X-Aliyun-Security-Token                                makes it a temporary one (STS)
 *     X-Aliyun-Region                                        for this request; may stand alone
 *
 * They say what the cloud is to be asked with, never who asks: a caller is identified without them,
 * and has no more rights for them. Without a key pair the server's own credentials are used, under
 * the server's own rules.
 *
 * Memory:  of their own, locked and wiped at the end of the call (identity/locked.h). No log,
 * record, answer or store is given any of it; `key_name` is what may be told. Errors:  FAIL_INPUT
 * with CLOUD_CREDENTIALS_INVALID: half a pair, a token without one, a header twice, or no form that
 * is ours. The sentence names headers, never values. Threads: immutable once read.
 */
#ifndef WEIR_IDENTITY_CLOUD_CREDENTIALS_H
#define WEIR_IDENTITY_CLOUD_CREDENTIALS_H

#include "identity/digest.h"
#include "identity/identity.h"

struct secret;

enum { CLOUD_KEY_NAME_SIZE = 3 + 12 + 1 };

struct cloud_credentials {
    struct str key_id, key_secret; /* both or none */
    struct str security_token;     /* empty: a lasting pair */
    struct str region;             /* empty: the server's */
    /* Of all of the above, the secret too, under a key of ours: whoever keeps a client for these
     * credentials keeps it under this, so that a key id that somebody knows is not enough. */
    uint8_t cache_key[DIGEST_SIZE];
    char key_name[CLOUD_KEY_NAME_SIZE]; /* "ak_" and a digest's beginning; empty without a pair */
};

/* *out is NULL where none of the headers came. It ends with the arena. */
MUST_USE result cloud_credentials_read(const struct origin *origin, const struct secret *secret,
                                       struct arena *arena, const struct cloud_credentials **out,
                                       struct report *report);

/* The headers, for those who wipe them out of a request; ends with STR_NONE. */
extern const struct str cloud_credentials_headers[];

#endif
