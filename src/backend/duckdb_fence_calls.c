#include "backend/duckdb_fence.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

const bool fence_calls_is_built = true;

/* What an open engine asks of the kernel: memory, its threads, its open files, the time. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(sendto),
    SCMP_SYS(recvfrom),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(fcntl),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

static result no_calls(struct report *report, int error) {
    result r = fail(report, FAIL_IO, "BACKEND_ERROR", REPORT_NO_OFFSET,
                    "the fence of a DuckDB worker cannot be built: seccomp: %s", strerror(error));
    fail_hint(report, "The kernel must have landlock and seccomp; 'sandbox: best_effort' goes on "
                      "without.");
    return r;
}

/* Each returns 0 or a negative errno, as libseccomp does. */
static int allow_plain(scmp_filter_ctx filter) {
    for (size_t i = 0; i < COUNT(allowed); i++) {
        int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
        if (error < 0) return error;
    }
    return 0;
}

static int allow_bounded(scmp_filter_ctx filter) {
    /* Memory, but none that can be executed: what is loaded is loaded. */
    const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    /* Threads, but no processes. */
    const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
    /* glibc's fstat() is a newfstatat of nothing but the descriptor. */
    const struct scmp_arg_cmp open_file = SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH, 0);
    /* abort() of our own; never a signal to another process. */
    const struct scmp_arg_cmp ourselves = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
    const struct {
        int call;
        struct scmp_arg_cmp when;
    } bounded[] = {{SCMP_SYS(mmap), no_exec},
                   {SCMP_SYS(mprotect), no_exec},
                   {SCMP_SYS(clone), thread},
                   {SCMP_SYS(newfstatat), open_file},
                   {SCMP_SYS(tgkill), ourselves}};
    for (size_t i = 0; i < COUNT(bounded); i++) {
        int error =
            seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, bounded[i].call, 1, &bounded[i].when);
        if (error < 0) return error;
    }
    /* Its flags stand in memory, where no filter looks; glibc then takes clone. */
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

result fence_calls(struct report *report) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EACCES));
    if (filter == NULL) return no_calls(report, ENOMEM);
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0) error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (error == 0) error = allow_plain(filter);
    if (error == 0) error = allow_bounded(filter);
    if (error == 0) error = seccomp_load(filter);
    seccomp_release(filter);
    return error == 0 ? OK : no_calls(report, -error);
}

result fence_address_space(uint64_t bytes, struct report *report) {
    struct rlimit to = {.rlim_cur = bytes, .rlim_max = bytes};
    if (setrlimit(RLIMIT_AS, &to) == 0) return OK;
    return fail(report, FAIL_IO, "BACKEND_ERROR", REPORT_NO_OFFSET,
                "the address space of a DuckDB worker cannot be bounded: %s", strerror(errno));
}
