/* How the house is, and its policy. */
#include "admin/desk.h"
#include "mcp/health.h"
#include "policy/shadow.h"

result status_show(struct desk *desk, struct json_writer *data, struct report *report) {
    (void)report;
    struct call *call = desk->call;
    json_object(data);
    json_put_text(data, STR("version"), STR(WEIR_VERSION));
    json_put_int(data, STR("generation"), (int64_t)call->snapshot->generation);
    bool is_ready = health_put(desk->admin->setup.mcp, call->snapshot, data, &call->arena);
    json_put_bool(data, STR("ready"), is_ready);
    json_object_end(data);
    return OK;
}

static void put_policy(const struct snapshot *snapshot, struct json_writer *data) {
    json_object(data);
    json_put_text(data, STR("version"), policy_version(snapshot->policy));
    json_put_int(data, STR("generation"), (int64_t)snapshot->generation);
    if (snapshot->shadow != NULL) {
        json_key(data, STR("candidate"));
        shadow_put(snapshot->shadow, data);
    }
    json_object_end(data);
}

result policy_show(struct desk *desk, struct json_writer *data, struct report *report) {
    (void)report;
    put_policy(desk->call->snapshot, data);
    return OK;
}

result policy_reload(struct desk *desk, struct json_writer *data, struct report *report) {
    const struct admin_setup *setup = &desk->admin->setup;
    TRY(setup->reload(setup->with, report));
    struct snapshot *now = snapshot_take(setup->mcp->snapshots);
    put_policy(now, data);
    snapshot_unref(now);
    return OK;
}
