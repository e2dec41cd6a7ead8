#include "base/file.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static result refuse(const char *path, enum fail why, const char *reason, struct report *report) {
    return fail(report, why, "CONFIG_INVALID", REPORT_NO_OFFSET, "cannot read file '%s': %s", path,
                reason);
}

/* A file that shrinks meanwhile ends early; one that grows is read as long as it was. */
static result read_all(int fd, const char *path, size_t size, struct arena *arena, struct str *out,
                       struct report *report) {
    char *bytes = arena_alloc(arena, size + 1, 1);
    size_t len = 0;
    if (bytes == NULL) return fail_memory(report);
    while (len < size) {
        ssize_t n = fault_now() ? -1 : read(fd, bytes + len, size - len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse(path, FAIL_IO, strerror(errno), report);
        if (n == 0) break;
        len += (size_t)n;
    }
    *out = (struct str){bytes, len};
    return OK;
}

static result read_open(int fd, const char *path, size_t max_bytes, struct arena *arena,
                        struct str *out, struct report *report) {
    struct stat info;
    if (fstat(fd, &info) != 0) return refuse(path, FAIL_IO, strerror(errno), report);
    if (!S_ISREG(info.st_mode)) return refuse(path, FAIL_IO, "it is no regular file", report);
    if ((uint64_t)info.st_size > max_bytes)
        return refuse(path, FAIL_LIMIT, "it is too large", report);
    return read_all(fd, path, (size_t)info.st_size, arena, out, report);
}

result file_read(const char *path, size_t max_bytes, struct arena *arena, struct str *out,
                 struct report *report) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return refuse(path, FAIL_IO, strerror(errno), report);
    result r = read_open(fd, path, max_bytes, arena, out, report);
    close(fd);
    return r;
}

result file_read_if_there(const char *path, size_t max_bytes, struct arena *arena, struct str *out,
                          bool *is_there, struct report *report) {
    *is_there = access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
    return *is_there ? file_read(path, max_bytes, arena, out, report) : OK;
}

/* -- writing ---------------------------------------------------------------------------------- */

static bool write_all(int fd, struct str bytes) {
    while (bytes.len > 0) {
        ssize_t n = fault_now() ? -1 : write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return fsync(fd) == 0;
}

bool file_make_beside(const char *path, mode_t mode, struct str bytes, char beside[PATH_MAX]) {
    int n = snprintf(beside, PATH_MAX, "%s.%d", path, (int)getpid());
    if (n < 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    unlink(beside); /* of a process of our number that was killed here */
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return false;
    bool is_made = write_all(fd, bytes);
    int why = errno;
    close(fd);
    if (!is_made) unlink(beside);
    errno = why;
    return is_made;
}
