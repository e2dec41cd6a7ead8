/*
 * base/fail.h - how a failure travels
 *
 * A function that can fail returns a `result`. The compiler warns when one is dropped, and TRY
 * hands it on unchanged. The reason for people is written once, where the failure is first seen,
 * into the call's report: the first cause stays, later ones are ignored.
 *
 * A refusal (policy says no) is an answer and not a failure; see sql/guard.h, policy/policy.h.
 *
 * Memory:  a report holds its texts inside itself, so that running out of memory can be told.
 * Threads: a report belongs to one call at a time.
 */
#ifndef WEIR_BASE_FAIL_H
#define WEIR_BASE_FAIL_H

#include "base/str.h"

#include <stdarg.h>

enum fail {
    FAIL_NONE = 0,
    FAIL_INPUT,     /* what came from outside is malformed or not accepted */
    FAIL_DENIED,    /* a refusal that has to stop a road which has no verdict to carry it */
    FAIL_LIMIT,     /* a stated maximum was passed */
    FAIL_MEMORY,    /* an arena's budget or the machine's memory is spent */
    FAIL_IO,        /* the operating system could not: file, socket, process */
    FAIL_BACKEND,   /* the source of the data could not */
    FAIL_TIMEOUT,   /* the deadline passed */
    FAIL_CANCELLED, /* the caller no longer wants it */
    FAIL_ASKED,     /* the caller has to answer a question first, and then call again */
    FAIL_WAIT,      /* this thread may not block: once more, on one that may; nothing was done */
    FAIL_BUSY,      /* a queue or pool is full: come back later */
    FAIL_ABSENT,    /* the thing named does not exist */
    FAIL_CONFIG,    /* a configuration file is wrong */
};

typedef struct {
    enum fail why;
} result;

#define OK       ((result){FAIL_NONE})
#define MUST_USE __attribute__((warn_unused_result))
#define TRY(call)                                                                                  \
    do {                                                                                           \
        result try_ = (call);                                                                      \
        if (try_.why != FAIL_NONE) return try_;                                                    \
    } while (0)

enum { REPORT_SENTENCE_MAX = 512, REPORT_HINT_MAX = 512 };
#define REPORT_NO_OFFSET SIZE_MAX

/* Zeroed is empty. `code` is one of call/codes.h, always a string literal. */
struct report {
    enum fail why;
    const char *code;
    size_t offset;                      /* in the client's text; REPORT_NO_OFFSET when not known */
    char sentence[REPORT_SENTENCE_MAX]; /* lower case, no full stop; NUL-terminated UTF-8 */
    char hint[REPORT_HINT_MAX];         /* a sentence of its own; empty when there is none */
};

/* Records the first cause (later calls change nothing) and returns {why}. `report` may be NULL.
 * The text is clipped to its maximum at a character boundary. */
result fail(struct report *report, enum fail why, const char *code, size_t offset, const char *fmt,
            ...) __attribute__((format(printf, 5, 6)));
result fail_v(struct report *report, enum fail why, const char *code, size_t offset,
              const char *fmt, va_list args) __attribute__((format(printf, 5, 0)));

/* Adds the hint to the cause just recorded, unless it has one already. */
void fail_hint(struct report *report, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The usual sentence for FAIL_MEMORY, in one place. */
result fail_memory(struct report *report);

void report_clear(struct report *report);

/* "input", "limit", ...: for logs and tests. */
const char *fail_name(enum fail why);

#endif
