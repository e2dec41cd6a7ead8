#include "house/house.h"

#include "base/log.h"

#include <limits.h>
#include <stdlib.h>

/* From `WEIR_SECRET`, which no setting holds, lest it be shown with the settings. */
static result open_secret(struct house *house, struct report *report) {
    const struct server_settings *server = &house->settings->server;
    struct arena arena;
    arena_init(&arena, PATH_MAX);
    bool is_absolute = str_starts(server->secret_file, STR("/"));
    struct str path =
        is_absolute ? server->secret_file
                    : str_printf(&arena, STR_FMT "/" STR_FMT, STR_ARG(server->state_directory),
                                 STR_ARG(server->secret_file));
    const char *name = path.ptr != NULL ? str_cstr(&arena, path) : NULL;
    result r = name == NULL ? fail_memory(report)
                            : secret_open(str_of(getenv("WEIR_SECRET")), name, house->clock,
                                          &house->secret, report);
    arena_deinit(&arena);
    return r;
}

/* What lies in the state directory. The audit log is first: it tells what else goes wrong. */
static result open_state(struct house *house, struct report *report) {
    const struct settings *settings = house->settings;
    TRY(audit_open(&settings->audit, settings->server.logs_directory,
                   settings->server.state_directory, house->clock, &house->audit, report));
    TRY(store_open(&settings->store, settings->server.state_directory, house->clock, &house->store,
                   report));
    house->first->store = house->store;
    TRY(identity_state_new(house->store, house->clock, &house->identities, report));
    return open_secret(house, report);
}

static result open_road(struct house *house, struct report *report) {
    TRY(open_state(house, report));
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
    identity_state_free(house->identities);
    store_close(house->store);
    secret_close(house->secret);
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
    next->store = house->store;
    snapshot_unref(now);
    log_threshold((enum log_level)settings->server.log_level);
    snapshot_swap(house->snapshots, next);
    return OK;
}
