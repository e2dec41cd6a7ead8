#include "house/file.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static result refuse(const char *path, const char *why, struct report *report) {
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET, "cannot read '%s': %s",
                path, why);
}

static result read_all(int fd, const char *path, size_t size, struct arena *arena, struct str *out,
                       struct report *report) {
    char *bytes = arena_alloc(arena, size + 1, 1);
    size_t len = 0;
    if (bytes == NULL) return fail_memory(report);
    while (len < size) {
        ssize_t n = fault_now() ? -1 : read(fd, bytes + len, size - len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse(path, strerror(errno), report);
        if (n == 0) break;
        len += (size_t)n;
    }
    *out = (struct str){bytes, len};
    return OK;
}

result file_read(const char *path, size_t max_bytes, struct arena *arena, struct str *out,
                 bool *is_there, struct report *report) {
    struct stat info;
    *is_there = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return OK;
    if (fd < 0) return refuse(path, strerror(errno), report);
    result r;
    if (fstat(fd, &info) != 0)
        r = refuse(path, strerror(errno), report);
    else if (!S_ISREG(info.st_mode))
        r = refuse(path, "it is no regular file", report);
    else if ((uint64_t)info.st_size > max_bytes)
        r = refuse(path, "it is too large", report);
    else
        r = read_all(fd, path, (size_t)info.st_size, arena, out, report);
    close(fd);
    *is_there = r.why == FAIL_NONE;
    return r;
}
