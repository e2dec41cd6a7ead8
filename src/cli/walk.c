#include "cli/walk.h"

#include <pthread.h>

struct call *cli_call_new(struct house *house, struct str as, struct report *report) {
    struct snapshot *snapshot = snapshot_take(house->snapshots);
    struct call *call = call_new(snapshot, house->clock);
    snapshot_unref(snapshot);
    if (call == NULL) {
        fail_memory(report);
        return NULL;
    }
    call->is_unmetered = true;
    call->origin.method = STR("command line");
    call->principal =
        (struct principal){.user_id = STR("local"), .auth_method = STR("command_line")};
    if (as.len == 0) return call;
    result r = identity_named(call->snapshot->identity, as, &call->arena, &call->principal, report);
    if (r.why == FAIL_NONE) return call;
    call_free(call);
    return NULL;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t is_back_now;
    bool is_back;
};

static void done(struct call *call) {
    struct waiter *waiter = call->owner;
    pthread_mutex_lock(&waiter->lock);
    waiter->is_back = true;
    pthread_cond_signal(&waiter->is_back_now);
    pthread_mutex_unlock(&waiter->lock);
}

void cli_walk(struct house *house, struct call *call) {
    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    call->owner = &waiter;
    call->done = done;
    road_walk(house->road, call);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_back) pthread_cond_wait(&waiter.is_back_now, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_mutex_destroy(&waiter.lock);
    pthread_cond_destroy(&waiter.is_back_now);
}
