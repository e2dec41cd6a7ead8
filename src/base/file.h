/*
 * base/file.h - whole files, within a limit
 *
 * Memory:  the text lives in the arena.
 * Errors:  FAIL_IO (it is not there, or cannot be read), FAIL_LIMIT (larger than max_bytes), with
 *          the code CONFIG_INVALID, the file's name and the reason. FAIL_MEMORY.
 * Threads: no shared state.
 */
#ifndef WEIR_BASE_FILE_H
#define WEIR_BASE_FILE_H

#include "base/arena.h"
#include "base/fail.h"

#include <limits.h>
#include <sys/types.h>

/* Regular files only: a pipe or a device would not end. */
MUST_USE result file_read(const char *path, size_t max_bytes, struct arena *arena, struct str *out,
                          struct report *report);
/* The same for a file that need not be there: *is_there tells. */
MUST_USE result file_read_if_there(const char *path, size_t max_bytes, struct arena *arena,
                                   struct str *out, bool *is_there, struct report *report);

/* A new file beside `path`, under a name of this process alone, whole and synced: to be given its
 * name by rename(2) or link(2), so that nobody ever reads half of it. false: errno tells why, and
 * nothing lies there. */
bool file_make_beside(const char *path, mode_t mode, struct str bytes, char beside[PATH_MAX])
    __attribute__((warn_unused_result));

#endif
