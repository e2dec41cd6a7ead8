#include "audit/lines.h"

#include "base/fault.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINES_FIRST_BYTES = 64 * 1024 };

static result cannot_read(struct report *report, const char *name) {
    return fail(report, FAIL_IO, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET, "cannot read '%s': %s",
                name, strerrordesc_np(errno));
}

static result has_moved(struct report *report, const char *name) {
    return fail(report, FAIL_BUSY, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                "'%s' was rotated or deleted while the log was read; try again", name);
}

result audit_lines_open(struct audit_lines *lines, int dir, const char *name,
                        const struct stat *listed, struct report *report) {
    struct stat now;
    *lines = (struct audit_lines){.fd = -1, .name = name};
    errno = EIO; /* what a fault looks like */
    lines->fd = fault_now() ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (lines->fd < 0) {
        return errno == ENOENT ? has_moved(report, name) : cannot_read(report, name);
    }
    if (listed == NULL || (fstat(lines->fd, &now) == 0 && now.st_ino == listed->st_ino &&
                           now.st_dev == listed->st_dev)) {
        return OK;
    }
    audit_lines_close(lines);
    return has_moved(report, name);
}

void audit_lines_close(struct audit_lines *lines) {
    if (lines->fd >= 0) close(lines->fd);
    free(lines->bytes);
    *lines = (struct audit_lines){.fd = -1};
}

/* Moves what is left to the front, and doubles the buffer when it is full of one line. */
static result make_room(struct audit_lines *lines, struct report *report) {
    size_t left = lines->to - lines->from;
    if (left > 0 && lines->from > 0) memmove(lines->bytes, lines->bytes + lines->from, left);
    lines->from = 0;
    lines->to = left;
    if (left < lines->cap) return OK;
    size_t cap = lines->cap == 0 ? LINES_FIRST_BYTES : lines->cap * 2;
    if (left >= AUDIT_LINE_BYTES_MAX) {
        return fail(report, FAIL_LIMIT, "AUDIT_BROKEN", REPORT_NO_OFFSET,
                    "line %llu of '%s' is longer than %lld bytes",
                    (unsigned long long)lines->number + 1, lines->name,
                    (long long)AUDIT_LINE_BYTES_MAX);
    }
    char *bytes = fault_now() ? NULL : realloc(lines->bytes, cap);
    if (bytes == NULL) return fail_memory(report);
    lines->bytes = bytes;
    lines->cap = cap;
    return OK;
}

/* *got is 0 at the end of the file. */
static result fill(struct audit_lines *lines, size_t *got, struct report *report) {
    ssize_t n;
    TRY(make_room(lines, report));
    do {
        errno = EIO;
        n = fault_now()
                ? -1
                : pread(lines->fd, lines->bytes + lines->to, lines->cap - lines->to, lines->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return cannot_read(report, lines->name);
    *got = (size_t)n;
    lines->to += *got;
    lines->offset += n;
    return OK;
}

static void hand_out(struct audit_lines *lines, size_t len, size_t skip, struct str *line) {
    *line = (struct str){lines->bytes + lines->from, len};
    lines->from += len + skip;
    lines->number++;
}

result audit_lines_next(struct audit_lines *lines, struct str *line, bool *is_whole,
                        struct report *report) {
    size_t seen = 0; /* bytes that hold no newline: they are not searched twice */
    for (;;) {
        size_t n = lines->to - lines->from;
        const char *end = NULL;
        if (n > seen) end = memchr(lines->bytes + lines->from + seen, '\n', n - seen);
        *is_whole = end != NULL;
        if (end != NULL) {
            hand_out(lines, (size_t)(end - lines->bytes) - lines->from, 1, line);
            return OK;
        }
        seen = n;
        size_t got = 0;
        TRY(fill(lines, &got, report));
        if (got > 0) continue;
        if (n == 0) return (result){FAIL_ABSENT};
        hand_out(lines, n, 0, line);
        return OK;
    }
}
