/*
 * audit/head.h - how far a chain had come, kept apart from it
 *
 *     {"seq":12,"hash":"<64 hex>","file":"audit.jsonl","day":"2026-11-20","first_seq":1}
 *
 * A log alone cannot tell that its end is gone: what is left is a sound chain. The head, in the
 * state directory, names a line that must be there. It is written after that line is on the disk,
 * by rename(2), so that it may be behind the log and is never ahead of it. `first_seq` does the
 * same for the beginning: only audit.keep_days moves it.
 *
 * Errors:  FAIL_ABSENT: there is no head. FAIL_INPUT: it cannot be read as one. FAIL_IO.
 * Threads: one writer for a chain; readers at any time.
 */
#ifndef WEIR_AUDIT_HEAD_H
#define WEIR_AUDIT_HEAD_H

#include "audit/line.h"
#include "audit/names.h"

struct audit_head {
    struct audit_chain last;
    int64_t day; /* of the file that was being written */
    uint64_t first_seq;
};

MUST_USE result audit_head_read(int state_dir, struct str chain, struct audit_head *out,
                                struct report *report);
MUST_USE result audit_head_write(int state_dir, struct str chain, struct str ext,
                                 const struct audit_head *head);

#endif
