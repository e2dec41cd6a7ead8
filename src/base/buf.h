/*
 * base/buf.h - bytes being made
 *
 * An append-only chain of chunks with a maximum. Nothing is moved when it grows, so a reply of
 * megabytes is written once and leaves by writev. A failed append sticks: all later appends do
 * nothing, and the owner asks once, at the end, with buf_failed().
 *
 * Memory:  chunks come from malloc (and the fault counter) and belong to the buf.
 * Errors:  sticky; buf_failed() tells which: the maximum (REPLY_TOO_LARGE), or memory.
 * Threads: one owner at a time.
 */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include "base/fail.h"
#include "base/str.h"

#include <sys/uio.h>

struct buf_chunk {
    struct buf_chunk *next;
    size_t len;
    size_t cap;
    char bytes[];
};

struct buf {
    struct buf_chunk *first;
    struct buf_chunk *last;
    size_t len;
    size_t max;
    enum fail failed; /* FAIL_NONE, FAIL_LIMIT or FAIL_MEMORY */
};

/* A place in a buf, to come back to. */
struct buf_mark {
    struct buf_chunk *chunk;
    size_t in_chunk;
    size_t len;
    enum fail failed;
};

void buf_init(struct buf *buf, size_t max); /* allocates nothing */
void buf_deinit(struct buf *buf); /* frees; the buf is empty and usable with the same max */
void buf_clear(struct buf *buf);  /* empties, keeps the first chunk, forgets a failure */

void buf_add(struct buf *buf, struct str bytes);
void buf_add_byte(struct buf *buf, char byte);
void buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Moves all chunks of `from` to the end of `buf`; `from` is left empty. */
void buf_append(struct buf *buf, struct buf *from);

/* At least n contiguous bytes to write into (n up to BUF_RESERVE_MAX), or NULL when failed; then
 * buf_commit() tells how many were written. The maximum is asked at the commit, so that more may be
 * reserved than still fits. */
enum { BUF_RESERVE_MAX = 4096 };
char *buf_reserve(struct buf *buf, size_t n);
void buf_commit(struct buf *buf, size_t n);

struct buf_mark buf_mark(const struct buf *buf);
/* Drops all that was added since `mark`, and a failure that came since. The mark dies when what it
 * marks is dropped by an earlier one. */
void buf_rewind(struct buf *buf, struct buf_mark mark);

/* All bytes in one piece: a view when there is a single chunk, else a copy in the arena
 * (STR_NONE with len > 0 before: budget spent). */
struct str buf_flat(const struct buf *buf, struct arena *arena);
/* All bytes copied, to outlive the buf; NULL only when the arena's budget is spent. */
struct str buf_copy(const struct buf *buf, struct arena *arena);
/* The same, and the buf is freed: for a document that was made to be read. NULL too when the buf
 * had failed. */
struct str buf_take(struct buf *buf, struct arena *arena);

/* Fills up to n vectors with the bytes from offset `from` on; returns how many were filled. */
size_t buf_iov(const struct buf *buf, size_t from, struct iovec *iov, size_t n);

/* FAIL_NONE, or the sticky cause told to the report. */
MUST_USE result buf_failed(const struct buf *buf, struct report *report);

#endif
