#include "house/house.h"

#include "base/log.h"

static result open_road(struct house *house, struct report *report) {
    const struct server_settings *server = &house->settings->server;
    TRY(audit_open(&house->settings->audit, server->logs_directory, server->state_directory,
                   house->clock, &house->audit, report));
    struct road_setup road = {.audit = house->audit,
                              .limiter = house->limiter,
                              .clock = house->clock,
                              .max_queued = (size_t)house->settings->limits.queue_max};
    return road_new(&road, &house->road, report);
}

static result open_parts(struct house *house, struct problems *problems, struct report *report) {
    TRY(config_load(&house->setup, problems, &house->first, &house->settings, report));
    log_threshold((enum log_level)house->settings->server.log_level);
    house->limiter = policy_limiter_new();
    house->snapshots = snapshot_holder_new(snapshot_ref(house->first));
    if (house->snapshots == NULL) snapshot_unref(house->first);
    if (house->limiter == NULL || house->snapshots == NULL) return fail_memory(report);
    return house->setup.use == CONFIG_SERVE ? open_road(house, report) : OK;
}

result house_open(struct house *house, const struct config_setup *setup, struct problems *problems,
                  struct report *report) {
    house->setup = *setup;
    house->clock = &clock_real;
    TRY(config_environment(report));
    result r = open_parts(house, problems, report);
    if (r.why != FAIL_NONE) house_close(house);
    return r;
}

/* The road waits for its calls, which hold snapshots and write records: so it goes first. */
void house_close(struct house *house) {
    road_free(house->road);
    audit_close(house->audit);
    snapshot_holder_free(house->snapshots);
    policy_limiter_free(house->limiter);
    snapshot_unref(house->first);
    *house = (struct house){0};
}

result house_reload(struct house *house, struct problems *problems, struct report *report) {
    struct snapshot *next;
    const struct settings *settings;
    TRY(config_load(&house->setup, problems, &next, &settings, report));
    struct snapshot *now = snapshot_take(house->snapshots);
    next->generation = now->generation + 1;
    snapshot_unref(now);
    log_threshold((enum log_level)settings->server.log_level);
    snapshot_swap(house->snapshots, next);
    return OK;
}
