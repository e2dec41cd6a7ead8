#include "house/tending.h"

#include "base/limits.h"
#include "base/log.h"

#include <malloc.h>
#include <signal.h>
#include <time.h>

/* -- tidying ---------------------------------------------------------------------------------- */

/* The allocator keeps what ten thousand connections needed, scattered between what lives on. */
static void give_memory_back(struct tending *tending) {
    size_t n = http_server_connections(tending->server);
    if (n > tending->n_most) tending->n_most = n;
    if (tending->n_most - n < TRIM_CONNECTIONS) return;
    malloc_trim(0);
    tending->n_most = n;
}

void tending_tick(struct tending *tending) {
    road_tick(tending->mcp->road);
    store_tick(tending->mcp->store);
    give_memory_back(tending);
}

/* -- the end ---------------------------------------------------------------------------------- */

int64_t tending_cut_ms(int64_t drain_timeout_ms) {
    return drain_timeout_ms + DRAIN_GRACE_MS;
}

static bool is_idle(const struct tending *tending) {
    struct mcp *mcp = tending->mcp;
    return http_server_connections(tending->server) == 0 && running_count(&mcp->running) == 0 &&
           road_load(mcp->road) == 0;
}

/* true: nothing runs any more. */
static bool wait_for_the_rest(const struct tending *tending, int64_t timeout_ms) {
    const struct clock *clock = tending->mcp->clock;
    const struct timespec look = {.tv_nsec = DRAIN_LOOK_MS * 1000000L};
    int64_t until_ns = clock_mono_ns(clock) + timeout_ms * INT64_C(1000000);
    sigset_t hurry;
    sigemptyset(&hurry);
    sigaddset(&hurry, SIGTERM);
    sigaddset(&hurry, SIGINT);
    while (!is_idle(tending))
        if (clock_mono_ns(clock) >= until_ns || sigtimedwait(&hurry, NULL, &look) > 0) return false;
    return true;
}

void tending_drain(struct tending *tending, int64_t drain_timeout_ms) {
    log_line(LOG_INFO, "draining", STR_NONE, "%zu connections are open",
             http_server_connections(tending->server));
    http_server_drain(tending->server);
    if (!wait_for_the_rest(tending, drain_timeout_ms)) {
        log_line(LOG_WARN, "cancelling", STR_NONE, "%zu messages have had their time",
                 running_count(&tending->mcp->running));
        mcp_cancel_all(tending->mcp);
    }
    http_server_join(tending->server);
}
