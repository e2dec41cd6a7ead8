/*
 * 100,000 decisions on four threads take no lock that sleeps: libc's functions are counted, and the
 * kernel kills whoever asks for a futex.
 */
#include "../lock_count.h"
#include "crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A sanitizer makes each fifty times as slow. */
#ifdef WEIR_SANITIZED
enum { DECISIONS = 10000 };
#else
enum { DECISIONS = 100000 };
#endif
enum { THREADS = 4, EACH_MIN = DECISIONS / 100, WAIT_S = 60 };

struct watched {
    struct crowd crowd;
    struct policy_limiter *limiter;
    _Atomic uint64_t ready, done, allowed, limited, denied;
    _Atomic bool goes;
};

/* A sanitizer's own runtime waits by futex; then only libc's functions are counted. */
static void refuse_futex(void) {
#ifndef WEIR_SANITIZED
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = COUNT(program), .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(3);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) _exit(3);
#endif
}

/* The first pass makes the logs that the second one finds. A thread that is done waits to be ended
 * with the process: to end alone, it would have to tell by futex. */
static void *decide_all(void *with) {
    struct watched *w = with;
    struct arena arena;
    struct crowd_counts counts = {0};
    arena_init(&arena, 1 << 16);
    for (uint64_t i = 0; i < DECISIONS; i++)
        crowd_decide(&w->crowd, w->limiter, i, &arena, &counts);
    counts = (struct crowd_counts){0};
    atomic_fetch_add(&w->ready, 1);
    while (!atomic_load(&w->goes)) (void)sched_yield();
    refuse_futex();
    for (uint64_t i = 0; i < DECISIONS / THREADS; i++)
        crowd_decide(&w->crowd, w->limiter, DECISIONS + i, &arena, &counts);
    atomic_fetch_add(&w->allowed, counts.allowed);
    atomic_fetch_add(&w->limited, counts.limited);
    atomic_fetch_add(&w->denied, counts.denied);
    atomic_fetch_add(&w->done, 1);
    for (;;) (void)pause();
    return NULL;
}

static void wait_for(_Atomic uint64_t *count) {
    struct timespec short_while = {.tv_nsec = 1000000};
    while (atomic_load(count) < THREADS) (void)nanosleep(&short_while, NULL);
}

static void run_child(void) {
    static struct watched w;
    pthread_t threads[THREADS];
    (void)alarm(WAIT_S);
    crowd_open(&w.crowd);
    w.limiter = policy_limiter_new();
    if (w.limiter == NULL) _exit(4);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, decide_all, &w) != 0) _exit(4);
    wait_for(&w.ready);
    uint64_t before = lock_count();
    atomic_store(&w.goes, true);
    wait_for(&w.done);
    bool is_mixed = w.allowed > EACH_MIN && w.limited > EACH_MIN && w.denied > EACH_MIN;
    _exit(!is_mixed ? 5 : lock_count() != before ? 6 : 0);
}

static void decisions_take_no_lock(void **state) {
    (void)state;
    int how = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) run_child();
    assert_int_equal(waitpid(child, &how, 0), child);
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGSYS) fail_msg("a futex was asked for");
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

/* The counter can see a lock, and the filter a futex: else the test above would prove nothing. */
static void a_lock_is_seen(void **state) {
    (void)state;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    uint64_t before = lock_count();
    assert_int_equal(pthread_mutex_lock(&mutex), 0);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(lock_count(), before + 2);
#ifndef WEIR_SANITIZED
    int how = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int word = 0;
        refuse_futex();
        (void)syscall(SYS_futex, &word, 1, 1, NULL, NULL, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_is_seen),
        cmocka_unit_test(decisions_take_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
