/*
 * audit/record.h - a record becomes the body of a line
 *
 * Runs on the thread that answers a call, tens of thousands of times a second, so the line is made
 * in one piece that the writer only has to finish (seq, prev, hash) and hand to writev(2): the
 * chunks of a buf would have to be joined again.
 *
 * Memory:  one malloc for each record; audit_block_free() ends it. Nothing of the record is kept.
 * Errors:  NULL: no memory, or the line would pass AUDIT_LINE_BYTES_MAX.
 * Threads: values; no shared state.
 */
#ifndef WEIR_AUDIT_RECORD_H
#define WEIR_AUDIT_RECORD_H

#include "audit/audit.h"

/* What the writer appends: ,"seq":N,"prev":"…","hash":"…"} and the newline. */
enum { AUDIT_SEAL_BYTES_MAX = 192 };

struct audit_block {
    struct audit_block *next; /* in the writer's queue */
    audit_done *done;         /* NULL: nobody waits */
    void *with;
    size_t len;   /* of the line so far */
    size_t cap;   /* of bytes; always AUDIT_SEAL_BYTES_MAX more than a body needs */
    char bytes[]; /* {"audit_id":…,"repeated":0   (without the closing brace) */
};

MUST_USE struct audit_block *audit_block_make(const struct audit_record *record);
void audit_block_free(struct audit_block *block); /* takes NULL */

/* The inside of a JSON string as the records write it: for searches that compare bytes.
 * STR_NONE with a non-empty text: the arena's budget is spent. */
struct str audit_escape(struct arena *arena, struct str text);

#endif
