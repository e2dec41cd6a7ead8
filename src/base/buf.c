#include "base/buf.h"

#include "base/arena.h"
#include "base/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_FIRST = 1 << 10, CHUNK_LARGEST = 64 << 10 };

void buf_init(struct buf *buf, size_t max) {
    *buf = (struct buf){.max = max};
}

static void free_chunks(struct buf_chunk *chunk) {
    while (chunk != NULL) {
        struct buf_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void buf_deinit(struct buf *buf) {
    free_chunks(buf->first);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf) {
    buf_rewind(buf, (struct buf_mark){0});
}

static size_t room(const struct buf *buf) {
    return buf->last == NULL ? 0 : buf->last->cap - buf->last->len;
}

/* Makes a new last chunk with room for at least n bytes. */
static bool add_chunk(struct buf *buf, size_t n) {
    size_t cap = buf->last == NULL ? CHUNK_FIRST : buf->last->cap * 2;
    if (cap > CHUNK_LARGEST) cap = CHUNK_LARGEST;
    if (cap < n) cap = n;
    struct buf_chunk *chunk = fault_now() ? NULL : malloc(sizeof *chunk + cap);
    if (chunk == NULL) {
        buf->failed = FAIL_MEMORY;
        return false;
    }
    *chunk = (struct buf_chunk){.cap = cap};
    if (buf->last == NULL)
        buf->first = chunk;
    else
        buf->last->next = chunk;
    buf->last = chunk;
    return true;
}

static bool may_add(struct buf *buf, size_t n) {
    if (buf->failed != FAIL_NONE) return false;
    if (n <= buf->max - buf->len) return true;
    buf->failed = FAIL_LIMIT;
    return false;
}

static void put(struct buf *buf, const char *bytes, size_t n) {
    memcpy(buf->last->bytes + buf->last->len, bytes, n);
    buf->last->len += n;
    buf->len += n;
}

/* All of it or nothing: what does not fit behind the last chunk begins in it only once the next
 * chunk is there. */
void buf_add(struct buf *buf, struct str bytes) {
    if (bytes.len == 0 || !may_add(buf, bytes.len)) return;
    size_t here = room(buf) < bytes.len ? room(buf) : bytes.len;
    struct buf_chunk *last = buf->last;
    if (here < bytes.len && !add_chunk(buf, bytes.len - here)) return;
    if (here > 0) {
        memcpy(last->bytes + last->len, bytes.ptr, here);
        last->len += here;
        buf->len += here;
    }
    if (here < bytes.len) put(buf, bytes.ptr + here, bytes.len - here);
}

void buf_add_byte(struct buf *buf, char byte) {
    if (!may_add(buf, 1)) return;
    if (room(buf) == 0 && !add_chunk(buf, 1)) return;
    buf->last->bytes[buf->last->len++] = byte;
    buf->len++;
}

void buf_addf(struct buf *buf, const char *fmt, ...) {
    if (!may_add(buf, 0)) return;
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    size_t here = room(buf);
    int len = vsnprintf(here == 0 ? NULL : buf->last->bytes + buf->last->len, here, fmt, args);
    va_end(args);
    assert(len >= 0);
    size_t n = (size_t)len;
    /* vsnprintf also needs a byte for the NUL, which is written over by what follows. */
    bool fits = n < here;
    if (may_add(buf, n) && (fits || add_chunk(buf, n + 1))) {
        if (!fits) vsnprintf(buf->last->bytes, n + 1, fmt, again);
        buf->last->len += n;
        buf->len += n;
    }
    va_end(again);
}

void buf_append(struct buf *buf, struct buf *from) {
    if (buf->failed == FAIL_NONE) buf->failed = from->failed;
    if (may_add(buf, from->len) && from->first != NULL) {
        if (buf->last == NULL)
            buf->first = from->first;
        else
            buf->last->next = from->first;
        buf->last = from->last;
        buf->len += from->len;
        buf_init(from, from->max);
    }
    buf_deinit(from);
}

char *buf_reserve(struct buf *buf, size_t n) {
    assert(n <= BUF_RESERVE_MAX);
    if (buf->failed != FAIL_NONE) return NULL;
    if ((buf->last == NULL || room(buf) < n) && !add_chunk(buf, n)) return NULL;
    return buf->last->bytes + buf->last->len;
}

void buf_commit(struct buf *buf, size_t n) {
    assert(n == 0 || n <= room(buf));
    if (n == 0 || !may_add(buf, n)) return;
    buf->last->len += n;
    buf->len += n;
}

struct buf_mark buf_mark(const struct buf *buf) {
    return (struct buf_mark){buf->last, buf->last == NULL ? 0 : buf->last->len, buf->len,
                             buf->failed};
}

void buf_rewind(struct buf *buf, struct buf_mark mark) {
    assert(mark.len <= buf->len);
    /* A mark in an empty buf knows no chunk: the first one is kept. */
    struct buf_chunk *chunk = mark.chunk != NULL ? mark.chunk : buf->first;
    if (chunk != NULL) {
        free_chunks(chunk->next);
        chunk->next = NULL;
        chunk->len = mark.in_chunk;
    }
    buf->last = chunk;
    buf->len = mark.len;
    buf->failed = mark.failed;
}

struct str buf_copy(const struct buf *buf, struct arena *arena) {
    char *flat = arena_alloc(arena, buf->len, 1);
    if (flat == NULL) return STR_NONE;
    size_t at = 0;
    for (const struct buf_chunk *chunk = buf->first; chunk != NULL; chunk = chunk->next) {
        memcpy(flat + at, chunk->bytes, chunk->len);
        at += chunk->len;
    }
    return (struct str){flat, buf->len};
}

struct str buf_take(struct buf *buf, struct arena *arena) {
    struct str text = buf->failed == FAIL_NONE ? buf_copy(buf, arena) : STR_NONE;
    buf_deinit(buf);
    return text;
}

struct str buf_flat(const struct buf *buf, struct arena *arena) {
    if (buf->len == 0) return STR_NONE;
    const struct buf_chunk *chunk = buf->first;
    while (chunk->len == 0) chunk = chunk->next;
    if (chunk->len == buf->len) return (struct str){chunk->bytes, chunk->len};
    return buf_copy(buf, arena);
}

size_t buf_iov(const struct buf *buf, size_t from, struct iovec *iov, size_t n) {
    size_t filled = 0;
    for (struct buf_chunk *chunk = buf->first; chunk != NULL && filled < n; chunk = chunk->next) {
        if (from >= chunk->len) {
            from -= chunk->len;
            continue;
        }
        iov[filled++] = (struct iovec){chunk->bytes + from, chunk->len - from};
        from = 0;
    }
    return filled;
}

result buf_failed(const struct buf *buf, struct report *report) {
    if (buf->failed == FAIL_NONE) return OK;
    if (buf->failed == FAIL_MEMORY) return fail_memory(report);
    return fail(report, buf->failed, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                "the text being made passed its maximum of %zu bytes", buf->max);
}
