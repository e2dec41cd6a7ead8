/*
 * admin/token_file.h - one more token in auth.local.yaml, and nothing else changed
 *
 * The file is spliced, so that comments and order stay; what comes out is read again and must say
 * what was there and the new token. It is written beside and then given its name, so that nobody
 * reads half a file.
 *
 * Memory:  the text lives in the arena.
 * Errors:  FAIL_CONFIG (the file is no map of tokens, or written in a way that cannot be spliced),
 *          FAIL_IO, FAIL_MEMORY, with CONFIG_INVALID.
 * Threads: no shared state; two writers of one file have to be kept apart by the caller.
 */
#ifndef WEIR_ADMIN_TOKEN_FILE_H
#define WEIR_ADMIN_TOKEN_FILE_H

#include "base/arena.h"
#include "base/fail.h"

struct token_row {
    struct str hash;    /* "sha256:…" */
    struct str user_id; /* a name (bind_is_name()) */
    struct str role;
};

/* `text` with the row; `text` may be empty. */
MUST_USE result token_file_splice(struct str text, struct str name, const struct token_row *row,
                                  struct arena *arena, struct str *out, struct report *report);
/* Does the text hold a token with that role? What is no such file holds none. */
bool token_file_has_role(struct str text, struct str role, struct arena *arena);

/* Reads the file, or "" where it is not there; and puts `text` in its place, 0600 if it is new. */
MUST_USE result token_file_read(const char *path, struct arena *arena, struct str *out,
                                struct report *report);
MUST_USE result token_file_write(const char *path, struct str text, struct report *report);

#endif
