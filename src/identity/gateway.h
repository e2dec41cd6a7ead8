/*
 * identity/gateway.h - callers whom a gateway names, and signs for
 *
 * A gateway that has identified its callers by itself tells who they are:
 *
 *     X-User-Id, X-Client-Id, X-Session-Id     who; the last two may be absent
 *     X-Timestamp, X-Nonce                     when, in Unix seconds, and once
 *     X-Signature                              HMAC-SHA256, lower hex, over
 *
 *     v1 \n METHOD \n PATH?QUERY \n X-Timestamp \n X-Nonce \n user \n client \n session \n
 *     hex(sha256(body))                        what is absent is an empty line
 *
 * by GATEWAY_SIGNATURE_SECRET, of which two generations are good at a time. The request counts when
 * it comes from a trusted peer, is signed over exactly what came, is at most GATEWAY_SKEW_MS old or
 * early, and its nonce was never shown before, to any replica.
 *
 * Where this is switched off, the headers mean nothing and are passed over: many proxies send an
 * X-Session-Id of their own. Where it is on, a request that bears any of them is judged by them
 * alone: from another peer, doubled, or beside an Authorization header it is refused.
 *
 * Memory:  the settings live in the snapshot; a claim borrows from the request.
 * Errors:  FAIL_DENIED with SIGNATURE_INVALID or NONCE_REPLAYED. FAIL_WAIT for the nonce.
 *          STORE_UNAVAILABLE where the nonce cannot be kept: nobody comes in then.
 * Threads: immutable; any number.
 */
#ifndef WEIR_IDENTITY_GATEWAY_H
#define WEIR_IDENTITY_GATEWAY_H

#include "identity/digest.h"
#include "identity/gateway_peers.h"

enum { GATEWAY_GENERATIONS = 2 };

struct gateway {
    bool is_on;
    struct str secrets[GATEWAY_GENERATIONS];
    size_t n_secrets;
    struct gateway_peers peers;
};

MUST_USE result gateway_load(const struct identity_sources *sources, struct arena *arena,
                             struct problems *problems, struct gateway *out);

struct identifying;
struct identity_user;

/* What the gateway says of one request. */
struct gateway_claim {
    struct str user, client, session; /* the last two may be empty */
};

/* All that can be seen without a side effect: the peer, the form of each header, the signature over
 * them with the header `user_header` as the user's line, and the time. */
MUST_USE result gateway_check(const struct identifying *who, struct str user_header,
                              struct gateway_claim *out, struct report *report);
/* The principal of a claim, with all that enterprise.yaml says of its user. `user` NULL: nobody
 * here has that name, and is refused. */
MUST_USE result gateway_admit(const struct identifying *who, const struct identity_user *user,
                              const struct gateway_claim *claim, struct str auth_method,
                              struct principal *out, struct report *report);
/* Uses up the nonce. May block; FAIL_WAIT where it may not. Last of all, when the caller is known,
 * so that what is refused is no use of it. */
MUST_USE result gateway_use_nonce(const struct identifying *who, struct report *report);

/* What is signed, in full. For tests and for those who write a gateway. */
struct gateway_signed {
    struct str method, target, timestamp, nonce, user, client, session, body;
};
/* 64 lower-case hex digits and a NUL; false: no memory. */
enum { GATEWAY_SIGNATURE_SIZE = 2 * DIGEST_SIZE + 1 };
bool gateway_sign(struct str secret, const struct gateway_signed *what, struct arena *arena,
                  char out[GATEWAY_SIGNATURE_SIZE]) __attribute__((warn_unused_result));

#endif
