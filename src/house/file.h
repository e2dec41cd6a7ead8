/*
 * house/file.h - whole files, within a limit
 *
 * Memory:  the text lives in the arena.
 * Errors:  FAIL_CONFIG with the file's name and the reason; a file that is not there is no failure.
 */
#ifndef WEIR_HOUSE_FILE_H
#define WEIR_HOUSE_FILE_H

#include "base/arena.h"
#include "base/fail.h"

MUST_USE result file_read(const char *path, size_t max_bytes, struct arena *arena, struct str *out,
                          bool *is_there, struct report *report);

#endif
