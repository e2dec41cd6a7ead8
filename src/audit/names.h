/*
 * audit/names.h - which files make up the log, and in which order
 *
 *     audit.jsonl                    the chain "audit": what is being written
 *     audit-2026-11-20.jsonl         its day before; -2026-11-20.2 when that name was taken
 *     audit.4711.jsonl               the chain "audit.4711": a second process beside the first
 *     audit.4711-2026-11-20.jsonl
 *     audit.lock, audit.4711.lock    held by the process that writes the chain
 *     audit.torn-1795165200000.jsonl what was set aside; belongs to no chain
 *     STATE/audit.head               head of the chain "audit" (audit/head.h)
 *
 * Memory:  names live in the arena.
 * Errors:  FAIL_IO, FAIL_MEMORY, FAIL_CONFIG (a file name that cannot be one).
 */
#ifndef WEIR_AUDIT_NAMES_H
#define WEIR_AUDIT_NAMES_H

#include "base/arena.h"
#include "base/fail.h"

#include <sys/stat.h>

enum { AUDIT_NAME_MAX = 160 };

/* "audit" and ".jsonl" */
struct audit_base {
    struct str stem, ext;
};
MUST_USE result audit_base_of(struct str file, struct audit_base *out, struct report *report);

#define AUDIT_DAY_CURRENT INT64_MAX /* of the file being written: it comes last */

struct audit_file {
    struct str chain; /* "audit", "audit.4711" */
    int64_t day;
    uint64_t part; /* 1, and more where one day has several files */
    const char *name;
    struct stat stat; /* as listed: tells whether the name means the same file later */
};

/* false: the name is none of this log. Fills chain, day and part. */
bool audit_name_read(const struct audit_base *base, struct str name, struct audit_file *out);
/* The name of a chain's file; AUDIT_DAY_CURRENT for the one being written. */
void audit_name_write(char out[AUDIT_NAME_MAX], struct str chain, struct str ext, int64_t day,
                      uint64_t part);
void audit_name_lock(char out[AUDIT_NAME_MAX], struct str chain);
void audit_name_head(char out[AUDIT_NAME_MAX], struct str chain);

/* All files of the log in the order chain, day, part; the chain of `base` first. */
struct audit_files {
    struct audit_file *items;
    size_t n, cap;
};
MUST_USE result audit_files_list(int dir, const struct audit_base *base, struct arena *arena,
                                 struct audit_files *out, struct report *report);
/* The chains that have a head in the state directory, in the same order; `day` and `part` are 0. */
MUST_USE result audit_heads_list(int dir, const struct audit_base *base, struct arena *arena,
                                 struct audit_files *out, struct report *report);

/* Opens a directory, which is made first when `make` says so and it is missing (its parent is not).
 * FAIL_IO names it. */
MUST_USE result audit_dir_open(struct str path, bool make, int *out, struct report *report);

/* Takes the lock of a chain: *fd, or -1 when another process has it. */
MUST_USE result audit_lock_take(int dir, struct str chain, int *fd, struct report *report);
/* Whether a process writes this chain now. Asks only, so that nobody who starts is turned away. */
bool audit_lock_is_held(int dir, struct str chain);

#endif
