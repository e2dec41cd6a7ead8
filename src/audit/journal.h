/*
 * audit/journal.h - the files of one chain, and the only code that changes them
 *
 * Invariants, between calls:
 *   1. The file ends with the last whole line, whose seq and hash are in `last`, and `torn_bytes`
 * more that have to be cut off before anything else is written.
 *   2. A line that was reported whole stays; a line that was not is no longer in the file.
 *   3. The head is never ahead of what is on the disk.
 *   4. `day` never goes back, so files sort by name as they were written.
 *
 * Memory:  one journal, no growth.
 * Errors:  FAIL_IO, FAIL_MEMORY; `error` keeps the errno for people.
 * Threads: one owner at a time.
 */
#ifndef WEIR_AUDIT_JOURNAL_H
#define WEIR_AUDIT_JOURNAL_H

#include "audit/head.h"
#include "audit/line.h"
#include "audit/names.h"
#include "audit/record.h"

struct audit_journal {
    int logs_dir, state_dir, lock, fd; /* -1: none */
    const struct clock *clock;
    int sync; /* enum audit_sync */
    int64_t keep_days;
    char chain_name[AUDIT_NAME_MAX], ext_name[AUDIT_NAME_MAX];
    struct audit_base base; /* of the settings; views into base_name */
    char base_name[AUDIT_NAME_MAX];
    bool is_side; /* a second process: audit.<pid> */
    struct audit_hasher hasher;
    struct audit_chain last; /* the last line that is whole in the file */
    uint64_t first_seq;      /* of the oldest line that is kept */
    int64_t day;             /* of the file */
    bool is_renamed;         /* the file has its day's name, but a new one could not be made yet */
    bool is_unsynced;        /* lines since the last fdatasync */
    bool head_is_old;        /* lines or a day since the head was written */
    int64_t torn_bytes;      /* at the end of the file, left by a failed write */
    int error;               /* errno of the last failure */
};

/* Takes the lock, sets a torn end aside, goes on with the chain, and records what it found. */
MUST_USE result audit_journal_open(const struct audit_settings *settings, struct str logs_dir,
                                   struct str state_dir, const struct clock *clock,
                                   struct audit_journal *out, struct report *report);
/* Gives the lock back; syncs nothing. Takes a journal whose opening failed. */
void audit_journal_close(struct audit_journal *journal);

/* Seals the blocks and writes them with one writev(2); with AUDIT_ALWAYS syncs them and the head.
 * n at most AUDIT_GROUP_MAX (base/limits.h). *n_whole leading blocks are as safe as the setting
 * promises, whatever is returned; the others are not in the file. */
MUST_USE result audit_journal_append(struct audit_journal *journal,
                                     struct audit_block *const *blocks, size_t n, size_t *n_whole);

/* Writes a record of the log's own: what happened to the log itself. */
MUST_USE result audit_journal_note(struct audit_journal *journal, const char *code,
                                   struct str sentence);

/* fdatasync, when there are lines since the last one. */
MUST_USE result audit_journal_sync(struct audit_journal *journal);
/* Writes the head when it is old. Only after a sync that succeeded (invariant 3). */
MUST_USE result audit_journal_head(struct audit_journal *journal);

/* Begins the next day's file when it is time. A failure is tried again at the next call; until then
 * lines go on into the old file, where the chain holds just as well. */
void audit_journal_rotate(struct audit_journal *journal);

/* -- inside the room -------------------------------------------------------------------------- */

int64_t audit_day_of(int64_t wall_ms);
struct str audit_journal_chain(const struct audit_journal *journal);
struct str audit_journal_ext(const struct audit_journal *journal);
/* Gives the file written so far the name of its day. */
MUST_USE bool audit_journal_rename(struct audit_journal *journal);
/* Deletes what is older than keep_days: rotated files of this chain and, by the main process, files
 * of ended side processes and what was set aside. */
void audit_journal_sweep(struct audit_journal *journal);
/* Sequence of the first line of a file; false when there is none. */
MUST_USE bool audit_file_first_seq(int dir, const char *name, struct audit_hasher *hasher,
                                   uint64_t *seq);

#endif
