/* Making the database of a load plan, once, whoever starts first. */
#include "backend/duckdb_load.h"
#include "backend/duckdb_process.h"
#include "base/clock.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_POLL_MS = 50 }; /* flock(2) has no wait with an end */

static result no_state(struct report *report, const char *what, const char *path) {
    return fail(report, FAIL_IO, "BACKEND_ERROR", REPORT_NO_OFFSET, "cannot %s '%s': %s", what,
                path, strerror(errno));
}

/* Every directory above the file. */
static result make_dirs(struct str file, struct arena *arena, struct report *report) {
    for (size_t i = 1; i < file.len; i++) {
        if (file.ptr[i] != '/') continue;
        const char *dir = str_cstr(arena, str_slice(file, 0, i));
        if (dir == NULL) return fail_memory(report);
        if (mkdir(dir, 0700) != 0 && errno != EEXIST)
            return no_state(report, "make directory", dir);
    }
    return OK;
}

static result take_lock(const char *path, int stop_fd, int *out, struct report *report) {
    *out = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*out < 0) return no_state(report, "open", path);
    int64_t deadline = clock_mono_ns(&clock_real) + DUCKDB_LOAD_MS * INT64_C(1000000);
    while (flock(*out, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return no_state(report, "lock", path);
        if (clock_mono_ns(&clock_real) > deadline) return no_state(report, "lock", path);
        struct duckdb_process nobody = {.data_fd = -1};
        int64_t look = clock_mono_ns(&clock_real) + LOCK_POLL_MS * INT64_C(1000000);
        result waited = process_wait(&nobody, false, look, stop_fd);
        if (waited.why == FAIL_CANCELLED) return waited;
    }
    return OK;
}

static void remove_draft(const char *draft, struct arena *arena) {
    unlink(draft);
    const char *log = str_printf(arena, "%s.wal", draft).ptr;
    if (log != NULL) unlink(log);
}

static result make(struct str executable, struct str library, const struct duckdb_setup *load,
                   struct str database, int stop_fd, struct arena *arena, struct report *report) {
    struct str draft = str_printf(arena, STR_FMT ".draft", STR_ARG(database));
    const char *path = str_cstr(arena, database);
    if (draft.ptr == NULL || path == NULL) return fail_memory(report);
    struct duckdb_setup setup = *load;
    setup.library = library;
    setup.database = draft;
    setup.is_load = true;
    struct duckdb_process *loader = NULL;
    remove_draft(draft.ptr, arena);
    result r = process_start(executable, &setup, DUCKDB_LOAD_MS, stop_fd, &loader, report);
    process_end(loader);
    if (r.why == FAIL_NONE && rename(draft.ptr, path) != 0) r = no_state(report, "name", path);
    if (r.why != FAIL_NONE) remove_draft(draft.ptr, arena);
    return r;
}

static result ensure(struct str executable, struct str library, const struct duckdb_setup *load,
                     struct str database, int stop_fd, struct arena *arena, struct report *report) {
    const char *path = str_cstr(arena, database);
    const char *lock = str_printf(arena, STR_FMT "/.lock", STR_ARG(load->output)).ptr;
    if (path == NULL || lock == NULL) return fail_memory(report);
    if (access(path, R_OK) == 0) return OK;
    TRY(make_dirs(database, arena, report));
    int fd = -1;
    result r = take_lock(lock, stop_fd, &fd, report);
    /* Whoever had the lock before may have made it. */
    if (r.why == FAIL_NONE && access(path, R_OK) != 0)
        r = make(executable, library, load, database, stop_fd, arena, report);
    if (fd >= 0) close(fd);
    return r;
}

result duckdb_load_ensure(struct str executable, struct str library,
                          const struct duckdb_setup *load, struct str database, int stop_fd,
                          struct report *report) {
    struct arena arena;
    arena_init(&arena, 1 << 20);
    result r = ensure(executable, library, load, database, stop_fd, &arena, report);
    arena_deinit(&arena);
    return r;
}
