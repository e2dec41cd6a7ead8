#include "audit/audit.h"

#include <pthread.h>

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    result how;
};

static void done(void *with, result how) {
    struct waiter *waiter = with;
    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    waiter->how = how;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

static result wait_for(struct waiter *waiter) {
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->is_done) pthread_cond_wait(&waiter->wake, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
    return waiter->how;
}

result audit_write(struct audit *audit, const struct audit_record *record, struct report *report) {
    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, OK};
    result r = audit_submit(audit, record, done, &waiter);
    if (r.why == FAIL_NONE) r = wait_for(&waiter);
    pthread_mutex_destroy(&waiter.lock);
    pthread_cond_destroy(&waiter.wake);
    if (r.why == FAIL_NONE) return OK;
    return fail(report, r.why, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                "the audit record could not be written");
}
