/*
 * identity/answers.h - what issuers said of credentials, for a while
 *
 * An opaque token can only be judged by who gave it out, and asking costs a round trip on a thread
 * that may wait. What was said is kept under a hash of the token, so that the next call is answered
 * on its loop; the token itself is never kept. A no is kept too, for a shorter time, and an issuer
 * that does not answer is left alone for a second. Of any number who ask about one token at a time
 * one goes, and the others wait for what he brings.
 *
 * What is kept is what was said, as it was said: whoever gets it judges it again by the clock and
 * by the settings of now.
 *
 * Memory:  the answers are the process's, at most ANSWERS_KNOWN_MAX and ANSWERS_UNKNOWN_MAX of
 *          them, of ANSWER_BYTES_MAX at most; the one that was not asked for the longest time makes
 *          room, a no never in the place of a yes. What comes out is in the call's arena.
 * Errors:  FAIL_WAIT where the issuer has to be asked and the thread may not. FAIL_IO with
 *          ISSUER_UNAVAILABLE, in one sentence for all reasons; the log tells them. FAIL_MEMORY.
 * Threads: any number. The lock is held for a look-up, never while anybody is asked.
 */
#ifndef WEIR_IDENTITY_ANSWERS_H
#define WEIR_IDENTITY_ANSWERS_H

#include "base/clock.h"
#include "identity/identity.h"

struct identifying;
struct answers;

struct answer {
    struct str text; /* STR_NONE: nobody that the issuer knows */
    int64_t ttl_ms;  /* 0: not to be kept */
};

struct answers_question {
    const char *provider;
    struct str issuer;     /* all settings that the answer depends on, as bytes */
    struct str credential; /* the token */
    /* Asks, on a thread that may block; `out` in the call's arena. Any failure but FAIL_MEMORY
     * and FAIL_BUSY means that the issuer could not tell. */
    result (*ask)(const struct identifying *who, struct str credential, struct answer *out,
                  struct report *report);
};

MUST_USE result answers_new(const struct clock *clock, struct answers **out, struct report *report);
void answers_free(struct answers *answers); /* takes NULL */

/* What the issuer says, or said: *text STR_NONE: it does not know the credential. */
MUST_USE result answers_get(const struct identifying *who, const struct answers_question *question,
                            struct str *text, struct report *report);

/* Writes why an issuer could not tell into the log (`why` holds no secret), and the one sentence
 * that the client gets into the report. */
result issuer_unavailable(struct report *report, const char *provider, const char *why);

#endif
