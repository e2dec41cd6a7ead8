#include "call/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct snapshot *snapshot_ref(struct snapshot *snapshot) {
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot) {
    if (snapshot == NULL) return;
    if (atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) == 1)
        snapshot->release(snapshot);
}

/* A lock and not a bare atomic pointer: between reading the pointer and counting the reference, the
 * old snapshot must not go. It is held for a few instructions, once a call. */
struct snapshot_holder {
    pthread_mutex_t lock;
    struct snapshot *current;
};

struct snapshot_holder *snapshot_holder_new(struct snapshot *first) {
    struct snapshot_holder *holder = calloc(1, sizeof *holder);
    if (holder == NULL) return NULL;
    pthread_mutex_init(&holder->lock, NULL);
    holder->current = first;
    return holder;
}

void snapshot_holder_free(struct snapshot_holder *holder) {
    if (holder == NULL) return;
    snapshot_unref(holder->current);
    pthread_mutex_destroy(&holder->lock);
    free(holder);
}

struct snapshot *snapshot_take(struct snapshot_holder *holder) {
    pthread_mutex_lock(&holder->lock);
    struct snapshot *taken = snapshot_ref(holder->current);
    pthread_mutex_unlock(&holder->lock);
    return taken;
}

void snapshot_swap(struct snapshot_holder *holder, struct snapshot *next) {
    pthread_mutex_lock(&holder->lock);
    struct snapshot *old = holder->current;
    holder->current = next;
    pthread_mutex_unlock(&holder->lock);
    snapshot_unref(old);
}
