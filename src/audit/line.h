/*
 * audit/line.h - the seal of a line, and how to look into one
 *
 *     {"audit_id":…,"repeated":0,"seq":7,"prev":"<64 hex>","hash":"<64 hex>"}
 *
 * `hash` is the SHA-256 of the 64 digits of `prev` and of every byte of the line before `,"hash"`,
 * in lower-case hex. The first line of a chain has 64 zeros as `prev`. The seal stands at the end
 * in this exact form, so that it can be checked without understanding the rest.
 *
 * Errors:  AUDIT_LINE_… below; audit_hasher_init: FAIL_MEMORY.
 * Threads: a hasher belongs to one thread at a time.
 */
#ifndef WEIR_AUDIT_LINE_H
#define WEIR_AUDIT_LINE_H

#include "base/fail.h"

enum { AUDIT_HASH_HEX = 64 };

/* The last line written: where a chain goes on. */
struct audit_chain {
    uint64_t seq; /* 0: no line yet */
    char hash[AUDIT_HASH_HEX];
};
void audit_chain_init(struct audit_chain *chain);

struct audit_hasher {
    void *context; /* EVP_MD_CTX, set up once and rewound for each line */
};
MUST_USE result audit_hasher_init(struct audit_hasher *hasher, struct report *report);
void audit_hasher_deinit(struct audit_hasher *hasher); /* takes a zeroed one */

/* Appends seal and newline to the body of *len bytes at `line`, where AUDIT_SEAL_BYTES_MAX
 * (audit/record.h) are free, and moves `chain` on. false: no memory; nothing has changed. */
MUST_USE bool audit_line_seal(struct audit_hasher *hasher, struct audit_chain *chain, char *line,
                              size_t *len);

enum audit_line_state {
    AUDIT_LINE_MALFORMED = 0, /* no seal at its end */
    AUDIT_LINE_CHANGED,       /* the hash does not fit the bytes */
    AUDIT_LINE_SOUND,
};
struct audit_seal {
    uint64_t seq;
    struct str prev, hash; /* views into the line */
};
/* `line` without its newline. The seal is filled unless MALFORMED. */
enum audit_line_state audit_line_check(struct audit_hasher *hasher, struct str line,
                                       struct audit_seal *out);

/* The source bytes of a member of the line's outermost object (a string with its quotes), or
 * STR_NONE. Members of inner objects, which hold what callers wrote, are never found. */
struct str audit_line_member(struct str line, struct str key);
/* The same for a string, without its quotes. */
struct str audit_line_text(struct str line, struct str key);

/* Days since 1970 of "YYYY-MM-DD…"; false: not of that form. */
bool audit_day_read(struct str text, int64_t *day);

#endif
