/*
 * audit/lines.h - a file of the log, line by line
 *
 * Memory:  one buffer that grows to the longest line, at most AUDIT_LINE_BYTES_MAX.
 * Errors:  FAIL_ABSENT: no line any more. FAIL_BUSY: the file was rotated or deleted since it was
 *          listed. FAIL_LIMIT: a line is longer than any that we write. FAIL_IO, FAIL_MEMORY.
 * Threads: one owner at a time. The file may grow meanwhile.
 */
#ifndef WEIR_AUDIT_LINES_H
#define WEIR_AUDIT_LINES_H

#include "base/fail.h"

#include <sys/stat.h>

struct audit_lines {
    int fd; /* -1: closed */
    const char *name;
    char *bytes;
    size_t cap, from, to; /* of bytes; from..to is not handed out yet */
    int64_t offset;       /* of bytes[to] in the file */
    uint64_t number;      /* of the line handed out last; the first is 1 */
};

/* `listed` (may be NULL): what the name meant when it was listed. `name` is borrowed. */
MUST_USE result audit_lines_open(struct audit_lines *lines, int dir, const char *name,
                                 const struct stat *listed, struct report *report);
void audit_lines_close(struct audit_lines *lines);

/* The next line without its newline, valid until the next call. *is_whole is false for bytes at the
 * end that no newline ends. */
MUST_USE result audit_lines_next(struct audit_lines *lines, struct str *line, bool *is_whole,
                                 struct report *report);

#endif
