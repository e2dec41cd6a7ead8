#include "audit/head.h"

#include "base/clock.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { HEAD_BYTES_MAX = 1024 };

static bool read_fields(struct str text, struct audit_head *out) {
    struct str hash = audit_line_text(text, STR("hash"));
    if (hash.len != sizeof out->last.hash) return false;
    memcpy(out->last.hash, hash.ptr, hash.len);
    return str_to_u64(audit_line_member(text, STR("seq")), &out->last.seq) &&
           str_to_u64(audit_line_member(text, STR("first_seq")), &out->first_seq) &&
           audit_day_read(audit_line_text(text, STR("day")), &out->day);
}

result audit_head_read(int state_dir, struct str chain, struct audit_head *out,
                       struct report *report) {
    char name[AUDIT_NAME_MAX], text[HEAD_BYTES_MAX];
    audit_name_head(name, chain);
    int fd = openat(state_dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return fail(report, FAIL_ABSENT, "AUDIT_BROKEN", REPORT_NO_OFFSET,
                    "the head '%s' is not in the state directory", name);
    }
    errno = fd < 0 ? errno : EIO; /* what a fault looks like */
    ssize_t n = fd < 0 || fault_now() ? -1 : read(fd, text, sizeof text);
    int error = errno;
    if (fd >= 0) close(fd);
    if (n < 0) {
        return fail(report, FAIL_IO, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                    "cannot read the head '%s': %s", name, strerrordesc_np(error));
    }
    if (read_fields((struct str){text, (size_t)n}, out)) return OK;
    return fail(report, FAIL_INPUT, "AUDIT_BROKEN", REPORT_NO_OFFSET,
                "the head '%s' is not readable as one", name);
}

static bool write_new(int state_dir, const char *name, struct str text) {
    int fd = openat(state_dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool is_written = !fault_now() && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    /* Without this a loss of power may leave a head that exists and is empty. */
    is_written = is_written && fdatasync(fd) == 0;
    return close(fd) == 0 && is_written;
}

result audit_head_write(int state_dir, struct str chain, struct str ext,
                        const struct audit_head *head) {
    char name[AUDIT_NAME_MAX], fresh[AUDIT_NAME_MAX + 8], text[HEAD_BYTES_MAX];
    int y;
    unsigned m, d;
    clock_civil(head->day, &y, &m, &d);
    int len = snprintf(text, sizeof text,
                       "{\"seq\":%" PRIu64 ",\"hash\":\"%.*s\",\"file\":\"" STR_FMT STR_FMT
                       "\",\"day\":\"%04d-%02u-%02u\",\"first_seq\":%" PRIu64 "}\n",
                       head->last.seq, AUDIT_HASH_HEX, head->last.hash, STR_ARG(chain),
                       STR_ARG(ext), y, m, d, head->first_seq);
    audit_name_head(name, chain);
    snprintf(fresh, sizeof fresh, "%s.new", name);
    if (len < 0 || (size_t)len >= sizeof text) return (result){FAIL_IO};
    errno = EIO; /* what a fault, or a short write, looks like */
    if (!write_new(state_dir, fresh, (struct str){text, (size_t)len})) return (result){FAIL_IO};
    if (fault_now() || renameat(state_dir, fresh, state_dir, name) != 0) return (result){FAIL_IO};
    return OK;
}
