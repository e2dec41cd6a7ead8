#include "audit/names.h"

#include "audit/line.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHAIN_SUFFIX_MAX = 64 }; /* room in a name for pid, day, part and extension */

static result cannot(struct report *report, const char *what, struct str name) {
    return fail(report, FAIL_IO, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                "cannot %s '" STR_FMT "': %s", what, STR_ARG(name), strerrordesc_np(errno));
}

result audit_base_of(struct str file, struct audit_base *out, struct report *report) {
    size_t dot = file.len;
    while (dot > 0 && file.ptr[dot - 1] != '.') dot--;
    bool has_ext = dot > 1;
    out->stem = has_ext ? str_slice(file, 0, dot - 1) : file;
    out->ext = has_ext ? str_slice(file, dot - 1, file.len) : STR_NONE;
    bool is_name = file.len > 0 && file.ptr[0] != '.' && str_find_byte(file, '/') == file.len &&
                   str_find_byte(file, '\0') == file.len;
    if (is_name && file.len <= AUDIT_NAME_MAX - CHAIN_SUFFIX_MAX) return OK;
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                "audit.file '" STR_FMT "' is no plain file name of at most %d bytes", STR_ARG(file),
                AUDIT_NAME_MAX - CHAIN_SUFFIX_MAX);
}

/* -- one name --------------------------------------------------------------------------------- */

static size_t count_digits(struct str s) {
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9') n++;
    return n;
}

/* Bytes of ".4711" or ".4711_2" at the start of s; 0 when there is none. */
static size_t side_len(struct str s) {
    if (!str_starts(s, STR("."))) return 0;
    size_t n = count_digits(str_slice(s, 1, s.len));
    if (n == 0) return 0;
    size_t len = 1 + n;
    if (len >= s.len || s.ptr[len] != '_') return len;
    n = count_digits(str_slice(s, len + 1, s.len));
    return n == 0 ? 0 : len + 1 + n;
}

/* "", "-2026-11-20" or "-2026-11-20.2" */
static bool read_day(struct str s, struct audit_file *out) {
    out->part = 1;
    out->day = AUDIT_DAY_CURRENT;
    if (s.len == 0) return true;
    if (s.ptr[0] != '-' || !audit_day_read(str_slice(s, 1, s.len), &out->day)) return false;
    struct str rest = str_slice(s, 11, s.len);
    if (rest.len == 0) return true;
    return rest.ptr[0] == '.' && str_to_u64(str_slice(rest, 1, rest.len), &out->part) &&
           out->part > 1;
}

bool audit_name_read(const struct audit_base *base, struct str name, struct audit_file *out) {
    if (!str_starts(name, base->stem) || !str_ends(name, base->ext)) return false;
    if (name.len < base->stem.len + base->ext.len) return false;
    struct str middle = str_slice(name, base->stem.len, name.len - base->ext.len);
    size_t side = side_len(middle);
    out->chain = str_slice(name, 0, base->stem.len + side);
    return read_day(str_slice(middle, side, middle.len), out);
}

void audit_name_write(char out[AUDIT_NAME_MAX], struct str chain, struct str ext, int64_t day,
                      uint64_t part) {
    char date[32] = "", number[24] = "";
    if (day != AUDIT_DAY_CURRENT) {
        int y;
        unsigned m, d;
        clock_civil(day, &y, &m, &d);
        snprintf(date, sizeof date, "-%04d-%02u-%02u", y, m, d);
        if (part > 1) snprintf(number, sizeof number, ".%" PRIu64, part);
    }
    snprintf(out, AUDIT_NAME_MAX, STR_FMT "%s%s" STR_FMT, STR_ARG(chain), date, number,
             STR_ARG(ext));
}

void audit_name_lock(char out[AUDIT_NAME_MAX], struct str chain) {
    snprintf(out, AUDIT_NAME_MAX, STR_FMT ".lock", STR_ARG(chain));
}

void audit_name_head(char out[AUDIT_NAME_MAX], struct str chain) {
    snprintf(out, AUDIT_NAME_MAX, STR_FMT ".head", STR_ARG(chain));
}

/* -- directories ------------------------------------------------------------------------------ */

static int by_order(const void *a, const void *b) {
    const struct audit_file *x = a, *y = b;
    if (!str_eq(x->chain, y->chain)) return str_cmp(x->chain, y->chain);
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return x->part < y->part ? -1 : x->part > y->part;
}

static result list_add(int dir, const struct audit_base *base, const char *name,
                       struct arena *arena, struct audit_files *out, struct report *report) {
    struct audit_file file = {0};
    if (!audit_name_read(base, str_of(name), &file)) return OK;
    /* Gone since readdir: no file of the log any more. */
    if (fstatat(dir, name, &file.stat, AT_SYMLINK_NOFOLLOW) != 0) return OK;
    if (!S_ISREG(file.stat.st_mode)) return OK;
    struct str copy = str_of(str_cstr(arena, str_of(name)));
    struct audit_file *item = ARENA_PUSH(arena, out->items, out->n, out->cap);
    if (copy.ptr == NULL || item == NULL) return fail_memory(report);
    file.name = copy.ptr;
    file.chain = str_slice(copy, 0, file.chain.len);
    *item = file;
    return OK;
}

static result list_all(DIR *stream, int dir, const struct audit_base *base, struct arena *arena,
                       struct audit_files *out, struct report *report) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (entry == NULL) break;
        TRY(list_add(dir, base, entry->d_name, arena, out, report));
    }
    if (errno != 0) return cannot(report, "list the directory of", base->stem);
    if (out->n > 1) qsort(out->items, out->n, sizeof *out->items, by_order);
    return OK;
}

result audit_files_list(int dir, const struct audit_base *base, struct arena *arena,
                        struct audit_files *out, struct report *report) {
    *out = (struct audit_files){0};
    /* A descriptor of its own: closedir() closes it, and a copy would share the position. */
    int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (stream == NULL) {
        result failed = cannot(report, "list the directory of", base->stem);
        if (own >= 0) close(own);
        return failed;
    }
    result r = list_all(stream, dir, base, arena, out, report);
    closedir(stream);
    return r;
}

result audit_heads_list(int dir, const struct audit_base *base, struct arena *arena,
                        struct audit_files *out, struct report *report) {
    struct audit_base heads = {base->stem, STR(".head")};
    return audit_files_list(dir, &heads, arena, out, report);
}

result audit_dir_open(struct str path, bool make, int *out, struct report *report) {
    char name[PATH_MAX];
    *out = -1;
    errno = ENAMETOOLONG;
    if (path.len == 0 || path.len >= sizeof name) return cannot(report, "open the directory", path);
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    if (make && mkdir(name, 0700) != 0 && errno != EEXIST) return cannot(report, "make", path);
    *out = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out < 0 ? cannot(report, "open the directory", path) : OK;
}

/* -- locks ------------------------------------------------------------------------------------ */

/* Open-file-description locks: not lost when another descriptor of the process is closed, and they
 * can be asked for without being taken. */
static struct flock whole_file(short type) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* A side chain's lock is removed by its owner, so what was locked may not be what the name means.
 */
static bool is_still(int dir, const char *name, int fd) {
    struct stat by_name, by_fd;
    return fstat(fd, &by_fd) == 0 && fstatat(dir, name, &by_name, 0) == 0 &&
           by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev;
}

result audit_lock_take(int dir, struct str chain, int *fd, struct report *report) {
    char name[AUDIT_NAME_MAX];
    audit_name_lock(name, chain);
    for (;;) {
        *fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (*fd < 0) return cannot(report, "open the lock", str_of(name));
        struct flock lock = whole_file(F_WRLCK);
        bool is_ours = fcntl(*fd, F_OFD_SETLK, &lock) == 0;
        bool is_other = !is_ours && (errno == EAGAIN || errno == EACCES);
        if (is_ours && is_still(dir, name, *fd)) return OK;
        result failed = is_ours || is_other ? OK : cannot(report, "lock", str_of(name));
        close(*fd);
        *fd = -1;
        if (!is_ours) return failed;
    }
}

bool audit_lock_is_held(int dir, struct str chain) {
    char name[AUDIT_NAME_MAX];
    audit_name_lock(name, chain);
    int fd = openat(dir, name, O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    struct flock lock = whole_file(F_WRLCK);
    bool is_held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return is_held;
}
