#include "mcp/health.h"

#include "backend/backend.h"
#include "base/limits.h"
#include "mcp/task.h"

static const struct http_header headers[] = {
    {STR_INIT("Content-Type"), STR_INIT("application/json")},
    {STR_INIT("Cache-Control"), STR_INIT("no-store")},
};

static void alive(struct http_exchange *x) {
    struct buf body;
    buf_init(&body, 256);
    buf_add(&body, STR("{\"status\":\"ok\",\"version\":\"" WEIR_VERSION "\"}"));
    http_reply(x, 200, headers, COUNT(headers), &body);
    buf_deinit(&body);
}

static void put_part(struct json_writer *w, struct str name, bool is_ready, struct str sentence) {
    json_key(w, name);
    json_object(w);
    json_put_bool(w, STR("ready"), is_ready);
    if (sentence.len > 0) json_put_text(w, STR("message"), sentence);
    json_object_end(w);
}

static bool put_backends(const struct snapshot *snapshot, struct json_writer *w,
                         struct arena *arena) {
    bool all = true;
    json_key(w, STR("backends"));
    json_object(w);
    for (size_t i = 0; i < backend_set_count(snapshot->backends); i++) {
        struct backend *backend = backend_set_at(snapshot->backends, i);
        struct str sentence = STR_NONE;
        bool is_ready = backend_kind_of(backend)->is_ready(backend, &sentence, arena);
        put_part(w, backend_name(backend), is_ready, sentence);
        all = all && is_ready;
    }
    json_object_end(w);
    return all;
}

static bool put_store(struct mcp *mcp, struct json_writer *w, struct arena *arena) {
    struct str sentence = STR_NONE;
    bool is_ready = store_is_ready(mcp->store, &sentence, arena);
    put_part(w, STR("store"), is_ready, sentence);
    return is_ready;
}

bool health_put(struct mcp *mcp, const struct snapshot *snapshot, struct json_writer *w,
                struct arena *arena) {
    struct str sentence = STR_NONE;
    bool backends = put_backends(snapshot, w, arena);
    bool audit = audit_is_ready(mcp->audit, &sentence, arena);
    put_part(w, STR("audit"), audit, sentence);
    bool store = mcp->store == NULL || put_store(mcp, w, arena);
    json_put_text(w, STR("policy_version"), policy_version(snapshot->policy));
    return backends && audit && store;
}

/* What is there now: all of it goes back to where it was when its peers have left. */
static void put_load(struct mcp *mcp, const struct http_exchange *x, struct json_writer *w) {
    const struct {
        const char *name;
        size_t n;
    } all[] = {{"connections", http_connections(x)},
               {"streams", hub_count(&mcp->hub)},
               {"session_streams", hub_count_sessions(&mcp->hub)},
               {"messages", running_count(&mcp->running)},
               {"calls", road_load(mcp->road)},
               {"tasks", running_count_in(&mcp->running, STR(TASK_SESSION))}};
    json_key(w, STR("load"));
    json_object(w);
    for (size_t i = 0; i < COUNT(all); i++) json_put_int(w, str_of(all[i].name), (int64_t)all[i].n);
    json_object_end(w);
}

static void ready(struct mcp *mcp, struct http_exchange *x) {
    struct arena arena;
    struct buf body;
    struct json_writer w;
    arena_init(&arena, HEALTH_BYTES_MAX);
    buf_init(&body, HEALTH_BYTES_MAX);
    json_writer_init(&w, &body);
    struct snapshot *snapshot = snapshot_take(mcp->snapshots);
    json_object(&w);
    bool all = health_put(mcp, snapshot, &w, &arena);
    put_load(mcp, x, &w);
    json_put_text(&w, STR("status"), all ? STR("ok") : STR("unavailable"));
    json_object_end(&w);
    snapshot_unref(snapshot);
    http_reply(x, all ? 200 : 503, headers, COUNT(headers), &body);
    buf_deinit(&body);
    arena_deinit(&arena);
}

bool health_serve(struct mcp *mcp, struct http_exchange *x, const struct http_request *req) {
    bool is_get = str_eq(req->method, STR("GET")) || str_eq(req->method, STR("HEAD"));
    if (is_get && str_eq(req->path, STR("/health")))
        alive(x);
    else if (is_get && str_eq(req->path, STR("/health/ready")))
        ready(mcp, x);
    else
        return false;
    return true;
}
