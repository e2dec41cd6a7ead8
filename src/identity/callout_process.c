#include "identity/callout_process.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of one thread, or idle. */
struct process {
    struct link in_idle; /* in pool.idle, the last used first */
    pid_t pid;
    int fd; /* its standard input and output; -1: not started */
    uint64_t generation;
};

struct callout_pool {
    const struct clock *clock;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t freed;
    struct link idle;
    size_t n;            /* running, idle or not */
    uint64_t command;    /* hash of the one they run */
    uint64_t generation; /* counts its changes */
    int64_t pause_ms;    /* before the next is started; 0: the last one was well */
    int64_t start_ns;    /* not before */
};

result callout_pool_new(const struct clock *clock, struct callout_pool **out,
                        struct report *report) {
    struct callout_pool *pool = fault_now() ? NULL : calloc(1, sizeof *pool);
    *out = pool;
    if (pool == NULL) return fail_memory(report);
    pool->clock = clock;
    list_init(&pool->idle);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->freed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return OK;
}

static void process_free(struct process *process) {
    if (process->fd >= 0) {
        close(process->fd);
        kill(process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    free(process);
}

/* Under the lock. */
static void end_idle(struct callout_pool *pool) {
    while (!list_empty(&pool->idle)) {
        struct process *process = holder_of(pool->idle.next, struct process, in_idle);
        list_leave(&process->in_idle);
        pool->n--;
        process_free(process);
    }
}

void callout_pool_free(struct callout_pool *pool) {
    if (pool == NULL) return;
    end_idle(pool);
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* -- starting --------------------------------------------------------------------------------- */

static bool add_variable(const char *name, char *envp[], size_t *n, struct arena *arena) {
    const char *value = getenv(name);
    if (value == NULL) return true;
    struct str text = str_printf(arena, "%s=%s", name, value);
    const char *made = text.ptr == NULL ? NULL : str_cstr(arena, text);
    envp[(*n)++] = (char *)(uintptr_t)made; /* posix_spawn() does not write there */
    return made != NULL;
}

static bool make_arguments(const struct option_list *command, char *argv[], struct arena *arena) {
    for (size_t i = 0; i < command->n; i++) {
        const char *made = str_cstr(arena, command->items[i]);
        if (made == NULL) return false;
        argv[i] = (char *)(uintptr_t)made;
    }
    return true;
}

/* Nothing that we ignore or block is ignored or blocked there, and a signal for our terminal is not
 * for it. */
static int spawn(pid_t *pid, int fd, char *argv[], char *envp[]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    int error = posix_spawn(pid, argv[0], &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static result start(const struct option_list *command, struct process *process, struct arena *arena,
                    struct report *report) {
    int ends[2];
    size_t n = 0;
    char *envp[4] = {NULL};
    char **argv = arena_new_array(arena, command->n + 1, char *);
    if (argv == NULL || !make_arguments(command, argv, arena) ||
        !add_variable("PATH", envp, &n, arena) || !add_variable("HOME", envp, &n, arena) ||
        !add_variable("LANG", envp, &n, arena))
        return fail_memory(report);
    int error = fault_now() ? ENOMEM : 0;
    if (error == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) error = errno;
    if (error == 0) {
        error = spawn(&process->pid, ends[1], argv, envp);
        close(ends[1]);
        if (error != 0) close(ends[0]);
    }
    if (error == 0) process->fd = ends[0];
    return error == 0 ? OK
                      : fail(report, FAIL_IO, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                             "the program cannot be started: %s", strerrordesc_np(error));
}

/* -- one line and one back -------------------------------------------------------------------- */

static int64_t now_ms(void) {
    return clock_mono_ns(&clock_real) / 1000000;
}

static result wait_for(const struct process *process, short events, int64_t end_ms,
                       struct report *report) {
    struct pollfd fd = {process->fd, events, 0};
    for (;;) {
        int64_t left = end_ms - now_ms();
        int n = left <= 0 ? 0 : poll(&fd, 1, (int)left);
        if (n > 0) return OK;
        if (n < 0 && errno == EINTR) continue;
        return fail(report, n == 0 ? FAIL_TIMEOUT : FAIL_IO, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                    "the program did not answer in time");
    }
}

static result ended(struct report *report) {
    return fail(report, FAIL_IO, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET, "the program has ended");
}

static result send_all(const struct process *process, struct str bytes, int64_t end_ms,
                       struct report *report) {
    while (bytes.len > 0) {
        TRY(wait_for(process, POLLOUT, end_ms, report));
        ssize_t n =
            fault_now() ? -1 : send(process->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n < 0) return ended(report);
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return OK;
}

/* The line must be the last that was said: what stands behind it would be taken for the answer to
 * somebody else's question. */
static result read_line(const struct process *process, int64_t end_ms, struct arena *arena,
                        struct str *line, struct report *report) {
    struct buf text;
    result r = OK;
    bool is_whole = false;
    buf_init(&text, (size_t)ANSWER_BYTES_MAX);
    while (r.why == FAIL_NONE && !is_whole) {
        r = wait_for(process, POLLIN, end_ms, report);
        char *room = r.why == FAIL_NONE ? buf_reserve(&text, BUF_RESERVE_MAX) : NULL;
        if (room == NULL) break;
        ssize_t n = fault_now() ? 0 : recv(process->fd, room, BUF_RESERVE_MAX, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n <= 0) r = ended(report);
        if (n > 0) is_whole = room[n - 1] == '\n';
        if (n > 0) buf_commit(&text, (size_t)n);
    }
    if (r.why == FAIL_NONE) r = buf_failed(&text, report);
    *line = r.why == FAIL_NONE ? buf_take(&text, arena) : STR_NONE;
    buf_deinit(&text);
    if (r.why == FAIL_NONE && line->ptr == NULL) return fail_memory(report);
    if (r.why == FAIL_NONE && str_find_byte(*line, '\n') != line->len - 1)
        return fail(report, FAIL_INPUT, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                    "the program said more than one line");
    *line = str_slice(*line, 0, line->len > 0 ? line->len - 1 : 0);
    return r;
}

static result talk(const struct process *process, const struct callout_line *line, int64_t end_ms,
                   struct arena *arena, struct str *answer, struct report *report) {
    struct str text = str_printf(arena, STR_FMT "\n", STR_ARG(line->line));
    char more;
    if (text.ptr == NULL) return fail_memory(report);
    if (recv(process->fd, &more, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) return ended(report);
    TRY(send_all(process, text, end_ms, report));
    return read_line(process, end_ms, arena, answer, report);
}

/* -- taking and giving back ------------------------------------------------------------------- */

static uint64_t hash_of(const struct option_list *command) {
    uint64_t hash = 0;
    for (size_t i = 0; i < command->n; i++) hash = hash * 31 + map_hash(command->items[i]);
    return hash;
}

/* Under the lock. false: it is over. */
static bool wait_freed(struct callout_pool *pool, int64_t end_ms) {
    struct timespec until = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
    return pthread_cond_timedwait(&pool->freed, &pool->lock, &until) != ETIMEDOUT;
}

/* Under the lock. NULL: a failure. One with fd -1 is to be started. */
static struct process *take(struct callout_pool *pool, const struct callout_line *line,
                            int64_t end_ms) {
    uint64_t command = hash_of(line->command);
    if (command != pool->command) {
        end_idle(pool);
        pool->command = command;
        pool->generation++;
        pool->pause_ms = pool->start_ns = 0;
    }
    while (list_empty(&pool->idle) && pool->n >= line->max_processes)
        if (!wait_freed(pool, end_ms)) return NULL;
    if (!list_empty(&pool->idle)) {
        struct process *process = holder_of(pool->idle.next, struct process, in_idle);
        list_leave(&process->in_idle);
        return process;
    }
    if (clock_mono_ns(pool->clock) < pool->start_ns) return NULL;
    struct process *process = fault_now() ? NULL : calloc(1, sizeof *process);
    if (process == NULL) return NULL;
    *process = (struct process){.fd = -1, .generation = pool->generation};
    pool->n++;
    return process;
}

/* Under the lock. */
static void give_back(struct callout_pool *pool, struct process *process, bool is_well) {
    bool is_ours = process->generation == pool->generation;
    if (is_well && is_ours) {
        pool->pause_ms = 0;
        list_add_first(&pool->idle, &process->in_idle);
    } else {
        process_free(process);
        pool->n--;
    }
    if (!is_well && is_ours) {
        pool->pause_ms = pool->pause_ms == 0 ? CALLOUT_PAUSE_MS : pool->pause_ms * 2;
        if (pool->pause_ms > CALLOUT_PAUSE_MS_MAX) pool->pause_ms = CALLOUT_PAUSE_MS_MAX;
        pool->start_ns = clock_mono_ns(pool->clock) + pool->pause_ms * 1000000;
    }
    pthread_cond_signal(&pool->freed);
}

result callout_pool_ask(struct callout_pool *pool, const struct callout_line *line,
                        struct arena *arena, struct str *answer, struct report *report) {
    int64_t end_ms = now_ms() + line->timeout_ms;
    *answer = STR_NONE;
    pthread_mutex_lock(&pool->lock);
    struct process *process = take(pool, line, end_ms);
    pthread_mutex_unlock(&pool->lock);
    if (process == NULL)
        return fail(report, FAIL_BUSY, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                    "no process is free, or the last one was lost a moment ago");
    result r = process->fd >= 0 ? OK : start(line->command, process, arena, report);
    if (r.why == FAIL_NONE) r = talk(process, line, end_ms, arena, answer, report);
    pthread_mutex_lock(&pool->lock);
    give_back(pool, process, r.why == FAIL_NONE);
    pthread_mutex_unlock(&pool->lock);
    if (r.why != FAIL_NONE) *answer = STR_NONE;
    return r;
}
