/* What a fenced process can no longer do. Each case runs in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own */

#include "backend/duckdb_fence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct str inputs[] = {STR_INIT(SOURCE_ROOT "/test/unit/backend/data/shop")};

static const struct duckdb_setup setup = {
    .library = STR_INIT("/lib/x86_64-linux-gnu/libm.so.6"),
    .address_space = UINT64_C(1) << 40,
    .is_fence_required = true,
    .inputs = {inputs, COUNT(inputs)},
};

enum walls { FILES = 1, LIMITS = 2, CALLS = 4 };

static bool build(int walls) {
    struct report report = {0};
    bool is_built = true;
    if (walls & FILES) is_built = is_built && fence_files(&setup, &report).why == FAIL_NONE;
    if (walls & LIMITS) is_built = is_built && fence_limits(&setup, &report).why == FAIL_NONE;
    if (walls & CALLS) is_built = is_built && fence_calls(&report).why == FAIL_NONE;
    if (!is_built) print_error("%s\n", report.sentence);
    return is_built;
}

static bool can_read(const char *path) {
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, &byte, 1) >= 0;
}

static bool reads_input(void) {
    return can_read(SOURCE_ROOT "/test/unit/backend/data/shop/people.csv");
}

static bool reads_outside(void) {
    return can_read("/etc/passwd") || can_read(SOURCE_ROOT "/meson.build") ||
           can_read(SOURCE_ROOT "/test/unit/backend/data/shop/../plain/things.csv") ||
           can_read("/proc/self/environ");
}

static bool writes(void) {
    return open(SOURCE_ROOT "/test/unit/backend/data/shop/new.csv", O_WRONLY | O_CREAT, 0600) >=
               0 ||
           open("written", O_WRONLY | O_CREAT, 0600) >= 0 ||
           unlink(SOURCE_ROOT "/test/unit/backend/data/shop/people.csv") == 0;
}

static bool connects(void) {
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool forks(void) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    return pid > 0;
}

static bool executes(void) {
    char *argv[] = {(char[]){"true"}, NULL};
    execve("/bin/true", argv, NULL);
    return false; /* if it can, the child ends with 0, which means true there */
}

static bool maps_code(void) {
    void *at =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at != MAP_FAILED;
}

static bool maps_data(void) {
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at != MAP_FAILED;
}

static bool signals_others(void) {
    return kill(getppid(), 0) == 0;
}

struct fence_case {
    const char *name;
    int walls;
    bool (*can)(void);
    bool expected;
};

static const struct fence_case cases[] = {
    {"without a fence outside files are read", 0, reads_outside, true},
    {"inputs are read", FILES, reads_input, true},
    {"outside files are not read", FILES, reads_outside, false},
    {"nothing is written", FILES, writes, false},
    {"without a fence processes are started", 0, forks, true},
    {"memory is had", FILES | LIMITS | CALLS, maps_data, true},
    {"no file is opened any more", FILES | LIMITS | CALLS, reads_input, false},
    {"nothing is written", CALLS, writes, false},
    {"nobody is talked to", CALLS, connects, false},
    {"no process is started", CALLS, forks, false},
    {"nothing is executed", CALLS, executes, false},
    {"no code is made", CALLS, maps_code, false},
    {"nobody is sent a signal", CALLS, signals_others, false},
};

/* The child ends with 0 when it could, 1 when it could not, 2 when the fence was not built. */
static int try_in_child(const struct fence_case *one) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(!build(one->walls) ? 2 : one->can() ? 0 : 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_fence(void **state) {
    (void)state;
    size_t n_tried = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if ((cases[i].walls & CALLS) && !fence_calls_is_built) continue; /* a sanitized program */
        int got = try_in_child(&cases[i]);
        if (got != (cases[i].expected ? 0 : 1)) print_error("%s: %d\n", cases[i].name, got);
        assert_int_equal(got, cases[i].expected ? 0 : 1);
        n_tried++;
    }
    assert_int_equal(n_tried, fence_calls_is_built ? COUNT(cases) : 5);
}

/* A path that cannot be named is told, not passed over. */
static void test_fence_that_cannot_be_built(void **state) {
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct str below_a_file[] = {STR_INIT("/etc/passwd/no/such")};
        struct duckdb_setup other = setup;
        other.inputs = (struct text_list){below_a_file, 1};
        struct report report = {0};
        result r = fence_files(&other, &report);
        _exit(r.why == FAIL_IO && strstr(report.sentence, "landlock") != NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fence),
                                       cmocka_unit_test(test_fence_that_cannot_be_built)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
