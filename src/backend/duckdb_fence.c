#include "backend/duckdb_fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers that we build with: the third version of landlock has it. */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)

#define ACCESS_READ                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define ACCESS_OTHER                                                                               \
    (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
     LANDLOCK_ACCESS_FS_MAKE_SYM)
/* What may be granted on something that is no directory. */
#define ACCESS_FILE                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |   \
     ACCESS_TRUNCATE)

/* dlopen reads the cache and what the library needs, the C and C++ runtimes; DuckDB and malloc ask
 * what machine this is. (DuckDB 1.5.6 does not survive a cgroup file that it may not read.) */
static const char *const system_files[] = {
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/self/cgroup",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/proc/sys/vm/overcommit_memory",
};

static result no_fence(struct report *report, const char *wall) {
    result r = fail(report, FAIL_IO, "BACKEND_ERROR", REPORT_NO_OFFSET,
                    "the fence of a DuckDB worker cannot be built: %s: %s", wall, strerror(errno));
    fail_hint(report, "The kernel must have landlock and seccomp; 'sandbox: best_effort' goes on "
                      "without.");
    return r;
}

/* A path that is not there needs no leave. */
static bool allow(int ruleset, const char *path, uint64_t access) {
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT;
    bool is_file = fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = is_file ? access & ACCESS_FILE : access, .parent_fd = fd};
    bool is_allowed =
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(fd);
    return is_allowed;
}

static bool allow_all(int ruleset, const struct duckdb_setup *setup, struct arena *arena,
                      uint64_t write) {
    for (size_t i = 0; i < COUNT(system_files); i++)
        if (!allow(ruleset, system_files[i], ACCESS_READ)) return false;
    const char *library = str_cstr(arena, setup->library);
    if (library == NULL || !allow(ruleset, library, ACCESS_READ)) return false;
    for (size_t i = 0; i < setup->inputs.n; i++) {
        const char *path = str_cstr(arena, setup->inputs.items[i]);
        if (path == NULL || !allow(ruleset, path, ACCESS_READ)) return false;
    }
    if (setup->output.len == 0) return true;
    const char *output = str_cstr(arena, setup->output);
    return output != NULL && allow(ruleset, output, ACCESS_READ | write);
}

result fence_files(const struct duckdb_setup *setup, struct report *report) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return no_fence(report, "landlock");
    uint64_t write = ACCESS_WRITE | (version >= 3 ? ACCESS_TRUNCATE : 0);
    struct landlock_ruleset_attr handled = {.handled_access_fs =
                                                ACCESS_READ | write | ACCESS_OTHER};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (ruleset < 0) return no_fence(report, "landlock");

    struct arena arena;
    arena_init(&arena, 1 << 20);
    bool is_built = allow_all(ruleset, setup, &arena, write) &&
                    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                    syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    result r = is_built ? OK : no_fence(report, "landlock");
    arena_deinit(&arena);
    close(ruleset);
    return r;
}

static bool limit(int what, uint64_t most) {
    struct rlimit to = {.rlim_cur = most, .rlim_max = most};
    return setrlimit(what, &to) == 0;
}

result fence_limits(const struct duckdb_setup *setup, struct report *report) {
    bool is_set = limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, 64) &&
                  (setup->is_load || limit(RLIMIT_FSIZE, 0));
    if (!is_set) return no_fence(report, "limits");
    return fence_address_space(setup->address_space, report);
}
