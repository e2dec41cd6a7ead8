#include "mcp/beat.h"

#include "base/fault.h"

#include <time.h>

/* Under the lock. */
static void wait_a_beat(struct beat *beat) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += beat->period_ms / 1000;
    until.tv_nsec += beat->period_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (!beat->is_ending)
        if (pthread_cond_timedwait(&beat->ending, &beat->lock, &until) != 0) break;
}

static void *thread_main(void *arg) {
    struct beat *beat = arg;
    pthread_mutex_lock(&beat->lock);
    for (;;) {
        wait_a_beat(beat);
        if (beat->is_ending) break;
        pthread_mutex_unlock(&beat->lock);
        beat->step(beat->with);
        pthread_mutex_lock(&beat->lock);
    }
    pthread_mutex_unlock(&beat->lock);
    return NULL;
}

result beat_start(struct beat *beat, int64_t period_ms, void (*step)(void *with), void *with,
                  struct report *report) {
    pthread_condattr_t monotonic;
    *beat = (struct beat){.period_ms = period_ms, .step = step, .with = with};
    pthread_mutex_init(&beat->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&beat->ending, &monotonic);
    pthread_condattr_destroy(&monotonic);
    beat->has_thread = !fault_now() && pthread_create(&beat->thread, NULL, thread_main, beat) == 0;
    if (beat->has_thread) return OK;
    pthread_mutex_destroy(&beat->lock);
    pthread_cond_destroy(&beat->ending);
    return fail_memory(report);
}

void beat_stop(struct beat *beat) {
    if (!beat->has_thread) return;
    pthread_mutex_lock(&beat->lock);
    beat->is_ending = true;
    pthread_cond_broadcast(&beat->ending);
    pthread_mutex_unlock(&beat->lock);
    pthread_join(beat->thread, NULL);
    beat->has_thread = false;
    pthread_mutex_destroy(&beat->lock);
    pthread_cond_destroy(&beat->ending);
}
