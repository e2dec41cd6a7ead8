#include "mcp/session.h"

#include "base/limits.h"
#include "base/rand.h"
#include "mcp/era.h"

enum { SESSION_ID_BYTES = 24 };

struct str principal_key(const struct principal *who, struct arena *arena) {
    return str_printf(arena, "%zu:" STR_FMT "%zu:" STR_FMT, who->user_id.len, STR_ARG(who->user_id),
                      who->client_id.len, STR_ARG(who->client_id));
}

static struct str key_of(struct str id, struct arena *arena) {
    return str_printf(arena, "session/" STR_FMT, STR_ARG(id));
}

/* STR_NONE: no memory. */
static struct str record_of(const struct session *session, const struct principal *who,
                            struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, SESSION_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("holder"), principal_key(who, arena));
    json_put_text(&w, STR("version"), session->version);
    json_key(&w, STR("capabilities"));
    json_value(&w, session->capabilities);
    if (session->level != CLIENT_SILENT)
        json_put_text(&w, STR("level"), str_of(client_level_name[session->level]));
    if (session->watched != NULL) {
        json_key(&w, STR("watched"));
        json_value(&w, session->watched);
    }
    if (session->is_stream) json_put_bool(&w, STR("stream"), true);
    json_object_end(&w);
    return buf_take(&buf, arena);
}

result session_open(struct store *store, const struct principal *who, struct session *session,
                    struct arena *arena, struct report *report) {
    char id[2 * SESSION_ID_BYTES + 1];
    rand_hex(id, SESSION_ID_BYTES);
    session->id = str_dup(arena, str_of(id));
    struct store_item item = {key_of(session->id, arena), record_of(session, who, arena),
                              SESSION_TTL_MS};
    if (session->id.ptr == NULL || item.key.ptr == NULL || item.value.ptr == NULL)
        return fail_memory(report);
    return store_put(store, &item, &session->store_version, report);
}

/* One sentence for what never was, what has ended and what is somebody else's. */
result session_unknown(struct report *report) {
    result r =
        fail(report, FAIL_ABSENT, "SESSION_UNKNOWN", REPORT_NO_OFFSET, "the session is not known");
    fail_hint(report, "Send initialize again, without Mcp-Session-Id");
    return r;
}

static bool read_record(const struct store_value *value, const struct principal *who,
                        struct arena *arena, struct session *session) {
    const struct json *record;
    struct report unused = {0};
    if (json_read(value->bytes, NULL, arena, &record, &unused).why != FAIL_NONE) return false;
    if (!json_is_text(json_get(record, STR("holder")), principal_key(who, arena))) return false;
    session->version = era_legacy_version(json_get_text(record, STR("version")));
    session->capabilities = json_get(record, STR("capabilities"));
    session->level = client_level_find(json_get_text(record, STR("level")));
    session->watched = json_get(record, STR("watched"));
    const struct json *is_stream = json_get(record, STR("stream"));
    session->is_stream = is_stream != NULL && is_stream->type == JSON_TRUE;
    session->store_version = value->version;
    return session->version.ptr != NULL;
}

bool session_is_there(struct store *store, struct str id, struct arena *arena,
                      const struct json **watched) {
    struct str key = key_of(id, arena);
    struct store_value value;
    const struct json *record;
    struct report unused = {0};
    *watched = NULL;
    if (key.ptr == NULL || store_get(store, key, arena, &value, &unused).why != FAIL_NONE)
        return true;
    if (value.version == STORE_ABSENT) return false;
    if (json_read(value.bytes, NULL, arena, &record, &unused).why == FAIL_NONE)
        *watched = json_get(record, STR("watched"));
    return true;
}

/* A session in use lives on; half of its time is soon enough to say so. */
static result refresh(struct store *store, struct str key, const struct store_value *value,
                      int64_t now_ms, struct report *report) {
    bool unused;
    if (value->expires_ms - now_ms > SESSION_TTL_MS / 2) return OK;
    return store_touch(store, key, value->version, SESSION_TTL_MS, &unused, report);
}

result session_find(struct store *store, const struct principal *who, struct str id,
                    const struct clock *clock, struct arena *arena, struct session **out,
                    struct report *report) {
    struct session *session = arena_new(arena, struct session);
    struct str key = key_of(id, arena);
    struct store_value value;
    if (session == NULL || key.ptr == NULL) return fail_memory(report);
    if (id.len != 2 * SESSION_ID_BYTES) return session_unknown(report);
    TRY(store_get(store, key, arena, &value, report));
    if (value.version == STORE_ABSENT || !read_record(&value, who, arena, session))
        return session_unknown(report);
    session->id = str_dup(arena, id);
    if (session->id.ptr == NULL) return fail_memory(report);
    TRY(refresh(store, key, &value, clock_wall_ms(clock), report));
    *out = session;
    return OK;
}

result session_keep(struct store *store, const struct principal *who, struct session *session,
                    struct arena *arena, bool *is_kept, struct report *report) {
    struct store_item item = {key_of(session->id, arena), record_of(session, who, arena),
                              SESSION_TTL_MS};
    uint64_t version;
    if (item.key.ptr == NULL || item.value.ptr == NULL) return fail_memory(report);
    TRY(store_swap(store, &item, session->store_version, &version, report));
    *is_kept = version != STORE_ABSENT;
    if (*is_kept) session->store_version = version;
    return OK;
}

result session_close(struct store *store, const struct session *session, struct arena *arena,
                     struct report *report) {
    bool unused;
    struct str key = key_of(session->id, arena);
    if (key.ptr == NULL) return fail_memory(report);
    return store_remove(store, key, STORE_ANY, &unused, report);
}
