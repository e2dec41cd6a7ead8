#include "store/redis_inner.h"

#include <stdio.h>
#include <time.h>

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

/* One that is connected before one that would have to be. With the lock. */
static struct redis_slot *find_free(struct redis_store *store) {
    struct redis_slot *closed = NULL;
    for (size_t i = 0; i < STORE_LINKS; i++) {
        struct redis_slot *slot = &store->slots[i];
        if (!slot->is_taken && slot->is_open) return slot;
        if (!slot->is_taken && closed == NULL) closed = slot;
    }
    return closed;
}

static void close_slot(struct redis_slot *slot) {
    if (slot->is_open) redis_link_close(&slot->link);
    slot->is_open = false;
}

/* -- while it is away ---------------------------------------------------------------------------
 */

/* Of many who find Redis away one tries, when its pause is over. With the lock. */
static bool may_try(struct redis_store *store, bool *is_trial) {
    *is_trial = store->pause_ms > 0;
    if (!*is_trial) return true;
    if (store->is_trying || clock_mono_ns(&clock_real) < store->retry_ns) return false;
    return store->is_trying = true;
}

/* With the lock. */
static void note_end(struct redis_store *store, bool is_trial, enum redis_end end) {
    int64_t next = store->pause_ms == 0 ? STORE_LINK_PAUSE_MS : store->pause_ms * 2;
    if (is_trial) store->is_trying = false;
    if (end == REDIS_WELL) store->pause_ms = 0;
    if (end != REDIS_AWAY || (store->pause_ms > 0 && !is_trial)) return;
    store->pause_ms = next < STORE_LINK_PAUSE_MAX ? next : STORE_LINK_PAUSE_MAX;
    store->retry_ns = clock_mono_ns(&clock_real) + store->pause_ms * NS_PER_MS;
}

void redis_pool_retry(struct redis_store *store) {
    pthread_mutex_lock(&store->lock);
    store->retry_ns = 0;
    pthread_mutex_unlock(&store->lock);
}

/* -- taking and giving --------------------------------------------------------------------------
 */

static result fail_so(struct redis_trouble *trouble, enum fail why, const char *reason) {
    *trouble = (struct redis_trouble){.why = why};
    snprintf(trouble->reason, sizeof trouble->reason, "%s", reason);
    return (result){why};
}

/* With the lock. */
static result take_slot(struct redis_store *store, int64_t deadline_ns, struct redis_slot **out,
                        struct redis_trouble *trouble) {
    struct timespec until = {deadline_ns / NS_PER_S, deadline_ns % NS_PER_S};
    bool is_trial;
    if (!may_try(store, &is_trial))
        return fail_so(trouble, FAIL_IO,
                       store->trouble[0] != '\0' ? store->trouble : "it could not be reached");
    int error = 0;
    while ((*out = find_free(store)) == NULL && error == 0)
        error = pthread_cond_timedwait(&store->returned, &store->lock, &until);
    if (*out == NULL) {
        note_end(store, is_trial, REDIS_BROKEN);
        return fail_so(trouble, FAIL_IO, "all connections to it stayed busy");
    }
    (*out)->is_taken = true;
    (*out)->is_trial = is_trial;
    return OK;
}

result redis_pool_take(struct redis_store *store, int64_t deadline_ns, struct redis_slot **out,
                       struct redis_trouble *trouble) {
    pthread_mutex_lock(&store->lock);
    result r = take_slot(store, deadline_ns, out, trouble);
    pthread_mutex_unlock(&store->lock);
    TRY(r);
    struct redis_slot *slot = *out;
    if (slot->is_open && redis_link_is_alive(&slot->link)) return OK;
    close_slot(slot);
    r = redis_link_open(&slot->link, &store->server, deadline_ns);
    slot->is_open = true;
    if (r.why == FAIL_NONE) return OK;
    (void)fail_so(trouble, r.why, slot->link.reason);
    redis_pool_give(store, slot, REDIS_AWAY);
    return r;
}

void redis_pool_give(struct redis_store *store, struct redis_slot *slot, enum redis_end end) {
    if (end != REDIS_WELL) close_slot(slot);
    pthread_mutex_lock(&store->lock);
    note_end(store, slot->is_trial, end);
    slot->is_taken = false;
    pthread_cond_signal(&store->returned);
    pthread_mutex_unlock(&store->lock);
}

void redis_pool_close(struct redis_store *store) {
    for (size_t i = 0; i < STORE_LINKS; i++) close_slot(&store->slots[i]);
}
