#include "backend/duckdb_process.h"

#include "backend/duckdb_worker.h"
#include "base/clock.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- the child, between fork and exec: system calls only ----------------------------------------
 */

/* How sanitizers and coverage are told where to write; nothing else of our environment, which may
 * hold secrets, reaches a process that runs hostile statements. */
static const char *const passed_on[] = {"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=",
                                        "LSAN_OPTIONS=", "GCOV_PREFIX=",   "GCOV_PREFIX_STRIP="};

struct birth {
    const char *executable;
    char *argv[3];
    char *env[COUNT(passed_on) + 1];
    int data_fd, control_fd;
    pid_t parent;
};

static bool place_fds(const struct birth *birth) {
    enum { ABOVE = 16 }; /* out of the way of 0 to 4 */
    int data = fcntl(birth->data_fd, F_DUPFD_CLOEXEC, ABOVE);
    int control = fcntl(birth->control_fd, F_DUPFD_CLOEXEC, ABOVE);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (data < 0 || control < 0 || null < 0) return false;
    /* Standard output carries answers of ours: a worker has no say there. */
    return dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
           dup2(data, DUCKDB_WORKER_DATA_FD) >= 0 && dup2(control, DUCKDB_WORKER_CONTROL_FD) >= 0 &&
           close_range(DUCKDB_WORKER_CONTROL_FD + 1, ~0U, 0) == 0;
}

__attribute__((noreturn)) static void be_born(const struct birth *birth) {
    sigset_t none;
    sigemptyset(&none);
    /* A group of its own: ^C of a terminal is for us, who let the worker finish. */
    bool is_ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == birth->parent &&
                    setpgid(0, 0) == 0 && place_fds(birth) &&
                    sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    if (is_ready) execve(birth->executable, birth->argv, birth->env);
    _exit(127);
}

static void choose_env(struct birth *birth) {
    size_t n = 0;
    for (char **entry = environ; *entry != NULL; entry++)
        for (size_t i = 0; i < COUNT(passed_on); i++)
            if (n < COUNT(passed_on) && str_starts(str_of(*entry), str_of(passed_on[i])))
                birth->env[n++] = *entry;
    birth->env[n] = NULL;
}

/* -- starting -----------------------------------------------------------------------------------
 */

struct ends {
    int data[2];    /* 0 is ours */
    int control[2]; /* 1 is ours */
};

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static bool open_ends(struct ends *ends) {
    *ends = (struct ends){{-1, -1}, {-1, -1}};
    return !fault_now() && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->data) == 0 &&
           !fault_now() && pipe2(ends->control, O_CLOEXEC) == 0 &&
           fcntl(ends->data[0], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(ends->control[1], F_SETFL, O_NONBLOCK) == 0;
}

static void close_ends(struct ends *ends) {
    for (size_t i = 0; i < 2; i++) {
        close_fd(&ends->data[i]);
        close_fd(&ends->control[i]);
    }
}

static result cannot_start(struct report *report) {
    return fail(report, FAIL_IO, "BACKEND_ERROR", REPORT_NO_OFFSET,
                "a DuckDB worker cannot be started: %s", strerror(errno));
}

static result give_birth(struct str executable, struct duckdb_process **out,
                         struct report *report) {
    struct ends ends;
    char word[] = DUCKDB_WORKER_WORD;
    struct duckdb_process *process = fault_now() ? NULL : calloc(1, sizeof *process);
    char *path = fault_now() ? NULL : strndup(executable.ptr, executable.len);
    bool is_open = process != NULL && path != NULL && open_ends(&ends);
    if (!is_open) {
        result r = process == NULL || path == NULL ? fail_memory(report) : cannot_start(report);
        if (process != NULL && path != NULL) close_ends(&ends);
        free(process);
        free(path);
        return r;
    }
    struct birth birth = {.executable = path,
                          .argv = {path, word, NULL},
                          .data_fd = ends.data[1],
                          .control_fd = ends.control[0],
                          .parent = getpid()};
    choose_env(&birth);
    pid_t pid = fault_now() ? -1 : fork();
    if (pid == 0) be_born(&birth);
    free(path);
    if (pid < 0) {
        result r = cannot_start(report);
        close_ends(&ends);
        free(process);
        return r;
    }
    close_fd(&ends.data[1]);
    close_fd(&ends.control[0]);
    *process =
        (struct duckdb_process){.pid = pid, .data_fd = ends.data[0], .control_fd = ends.control[1]};
    wire_in_init(&process->in);
    *out = process;
    return OK;
}

result process_start_error(enum wire_error error, struct str text, struct report *report) {
    if (error != WIRE_ERROR_NOT_INSTALLED)
        return fail(report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET, STR_FMT,
                    STR_ARG(text));
    result r = fail(report, FAIL_ABSENT, "BACKEND_NOT_INSTALLED", REPORT_NO_OFFSET, STR_FMT,
                    STR_ARG(text));
    fail_hint(report, "Run 'make build', which installs the pinned library.");
    return r;
}

static result lost_at_start(struct report *report) {
    return fail(report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET,
                "a DuckDB worker ended before it was ready");
}

static result await_ready(struct duckdb_process *process, int64_t deadline, int stop_fd,
                          struct report *report) {
    for (;;) {
        result waited = process_wait(process, false, deadline, stop_fd);
        if (waited.why == FAIL_TIMEOUT)
            return fail(report, FAIL_TIMEOUT, "BACKEND_ERROR", REPORT_NO_OFFSET,
                        "a DuckDB worker was not ready in time");
        TRY(waited);
        struct wire_frame frame;
        enum wire_state state = wire_in_read(&process->in, process->data_fd, &frame);
        if (state == WIRE_AGAIN) continue;
        if (state == WIRE_READ && frame.kind == WIRE_READY) return OK;
        enum wire_error error;
        struct str text;
        if (state != WIRE_READ || frame.kind != WIRE_ERROR ||
            !wire_get_error(&frame.payload, &error, &text))
            return lost_at_start(report);
        return process_start_error(error, text, report);
    }
}

result process_start(struct str executable, const struct duckdb_setup *setup, int64_t wait_ms,
                     int stop_fd, struct duckdb_process **out, struct report *report) {
    struct wire_out frame;
    struct duckdb_process *process = NULL;
    int64_t deadline = clock_mono_ns(&clock_real) + wait_ms * 1000000;
    wire_out_init(&frame);
    duckdb_setup_put(&frame, setup);
    result r =
        wire_out_failed(&frame) ? fail_memory(report) : give_birth(executable, &process, report);
    if (r.why == FAIL_NONE) {
        r = process_send(process, &frame, deadline, stop_fd);
        if (r.why == FAIL_IO) r = lost_at_start(report);
    }
    if (r.why == FAIL_NONE) r = await_ready(process, deadline, stop_fd, report);
    wire_out_deinit(&frame);
    if (r.why == FAIL_NONE)
        *out = process;
    else
        process_end(process);
    return r;
}

void process_end(struct duckdb_process *process) {
    if (process == NULL) return;
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) continue;
    close(process->data_fd);
    close(process->control_fd);
    wire_in_deinit(&process->in);
    free(process);
}

/* -- talking ------------------------------------------------------------------------------------
 */

bool process_is_idle_and_well(const struct duckdb_process *process) {
    char byte;
    ssize_t n = recv(process->data_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EINTR) && process->in.at == process->in.len;
}

result process_wait(const struct duckdb_process *process, bool write, int64_t deadline_mono_ns,
                    int cancel_fd) {
    struct pollfd fds[] = {{.fd = process->data_fd, .events = write ? POLLOUT : POLLIN},
                           {.fd = cancel_fd, .events = POLLIN}}; /* a negative fd is passed over */
    for (;;) {
        int64_t left = deadline_mono_ns - clock_mono_ns(&clock_real);
        if (left <= 0) return (result){FAIL_TIMEOUT};
        struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        int n = ppoll(fds, COUNT(fds), &wait, NULL);
        if (n < 0 && errno != EINTR) return (result){FAIL_IO};
        if (n <= 0) continue;
        if (fds[1].revents != 0) return (result){FAIL_CANCELLED};
        return OK;
    }
}

result process_send(struct duckdb_process *process, const struct wire_out *out,
                    int64_t deadline_mono_ns, int cancel_fd) {
    for (size_t sent = 0; sent < out->len;) {
        ssize_t n = send(process->data_fd, out->bytes + sent, out->len - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            TRY(process_wait(process, true, deadline_mono_ns, cancel_fd));
        else if (n == 0 || errno != EINTR)
            return (result){FAIL_IO};
    }
    return OK;
}

/* In one piece (POSIX: up to PIPE_BUF). A pipe that is full is that of a worker which no longer
 * listens; whoever waits for the order to be followed kills it. */
static void order(struct duckdb_process *process, const struct wire_order *order) {
    ssize_t n = write(process->control_fd, order, sizeof *order);
    (void)n;
}

void process_interrupt(struct duckdb_process *process, uint64_t number) {
    order(process, &(struct wire_order){number, ORDER_INTERRUPT});
}

void process_ask_progress(struct duckdb_process *process, uint64_t number) {
    order(process, &(struct wire_order){number, ORDER_TELL_PROGRESS});
}
