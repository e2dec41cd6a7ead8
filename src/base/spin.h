/*
 * base/spin.h - a lock that never sleeps in the kernel
 *
 * For a few hundred instructions without a system call, on threads that must not wait for a
 * scheduler (event loops): who finds it taken turns until it is free, and lets others run when the
 * holder seems to have been put aside. Never hold it over anything that blocks. A pthread mutex is
 * right everywhere else.
 *
 * Memory:  zeroed is free.
 * Errors:  none.
 * Threads: any. Not recursive. Who takes several takes them in one order.
 */
#ifndef WEIR_BASE_SPIN_H
#define WEIR_BASE_SPIN_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct spin {
    _Atomic bool is_held;
};

enum { SPIN_TURNS = 128 };

static inline void spin_lock(struct spin *spin) {
    while (atomic_exchange_explicit(&spin->is_held, true, memory_order_acquire))
        for (int i = 1; atomic_load_explicit(&spin->is_held, memory_order_relaxed); i++)
            if (i % SPIN_TURNS == 0) (void)sched_yield();
}

static inline void spin_unlock(struct spin *spin) {
    atomic_store_explicit(&spin->is_held, false, memory_order_release);
}

#endif
