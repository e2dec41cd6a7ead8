/*
 * lock_count.h - counts the locks that sleep: stands in the way of libc's functions
 *
 * Included by one file of a program, or built as a library and preloaded (test/bench/lock_count.c),
 * it takes the place of pthread_mutex_*, pthread_rwlock_*, pthread_cond_*, sem_* and of syscall()
 * for futex; each call counts and goes on to libc. Calls inside libc do not pass here: who wants to
 * know of those lets the kernel refuse futex (test/unit/policy/locks.c).
 */
#ifndef WEIR_TEST_LOCK_COUNT_H
#define WEIR_TEST_LOCK_COUNT_H

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

uint64_t lock_count(void); /* of all threads, since the start */

static _Atomic uint64_t locks_counted;

uint64_t lock_count(void) {
    return atomic_load(&locks_counted);
}

/* A function of libc, looked up once. */
#define COUNTED(name, parameters, arguments)                                                       \
    int name parameters {                                                                          \
        static _Atomic(void *) real;                                                               \
        void *found = atomic_load(&real);                                                          \
        int(*call) parameters;                                                                     \
        if (found == NULL) atomic_store(&real, found = dlsym(RTLD_NEXT, #name));                   \
        atomic_fetch_add(&locks_counted, 1);                                                       \
        *(void **)(&call) = found;                                                                 \
        return call arguments;                                                                     \
    }

COUNTED(pthread_mutex_lock, (pthread_mutex_t * m), (m))
COUNTED(pthread_mutex_trylock, (pthread_mutex_t * m), (m))
COUNTED(pthread_mutex_timedlock, (pthread_mutex_t * m, const struct timespec *t), (m, t))
COUNTED(pthread_mutex_unlock, (pthread_mutex_t * m), (m))
COUNTED(pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
COUNTED(pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
COUNTED(pthread_rwlock_unlock, (pthread_rwlock_t * l), (l))
COUNTED(pthread_cond_signal, (pthread_cond_t * c), (c))
COUNTED(pthread_cond_broadcast, (pthread_cond_t * c), (c))
COUNTED(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))
COUNTED(pthread_spin_lock, (pthread_spinlock_t * l), (l))
COUNTED(sem_wait, (sem_t * s), (s))
COUNTED(sem_post, (sem_t * s), (s))

#endif
