#include "mcp/task_record.h"

#include "base/limits.h"
#include "base/rand.h"
#include "mcp/session.h"

enum { TASK_ID_BYTES = 16 };

static const char *const end_name[] = {"", "completed", "failed", "cancelled"};

static struct str key_of(struct str id, struct arena *arena) {
    return str_printf(arena, "task/" STR_FMT, STR_ARG(id));
}

/* -- writing ---------------------------------------------------------------------------------- */

static void put_tree(struct json_writer *w, struct str key, const struct json *value) {
    if (value == NULL) return;
    json_key(w, key);
    json_value(w, value);
}

static struct str document(const struct task_record *record, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, STORE_VALUE_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("holder"), record->holder);
    json_put_int(&w, STR("end"), record->end);
    json_put_int(&w, STR("created"), record->created_ms);
    json_put_int(&w, STR("updated"), record->updated_ms);
    json_key(&w, STR("request"));
    json_raw_value(&w, record->request);
    put_tree(&w, STR("asks"), record->asks);
    put_tree(&w, STR("answers"), record->answers);
    if (record->outcome.len > 0) {
        json_key(&w, STR("outcome"));
        json_raw_value(&w, record->outcome);
    }
    json_object_end(&w);
    return buf_take(&buf, arena);
}

result task_record_make(struct store *store, const struct clock *clock, struct task_record *record,
                        struct arena *arena, struct report *report) {
    char id[2 * TASK_ID_BYTES + 1];
    rand_hex(id, TASK_ID_BYTES);
    record->id = str_dup(arena, str_of(id));
    record->created_ms = record->updated_ms = clock_wall_ms(clock);
    struct store_item item = {key_of(record->id, arena), document(record, arena), TASK_TTL_MS};
    if (record->id.ptr == NULL || item.key.ptr == NULL || item.value.ptr == NULL)
        return fail_memory(report);
    return store_put(store, &item, &record->version, report);
}

result task_record_keep(struct store *store, const struct clock *clock, struct task_record *record,
                        struct arena *arena, bool *is_kept, struct report *report) {
    uint64_t version;
    int64_t now_ms = clock_wall_ms(clock);
    record->updated_ms = now_ms;
    struct store_item item = {key_of(record->id, arena), document(record, arena),
                              record->created_ms + TASK_TTL_MS - now_ms};
    if (item.ttl_ms < 1) item.ttl_ms = 1;
    if (item.key.ptr == NULL) return fail_memory(report);
    if (item.value.ptr == NULL)
        return fail(report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "the task's result is too large to be kept");
    TRY(store_swap(store, &item, record->version, &version, report));
    *is_kept = version != STORE_ABSENT;
    if (*is_kept) record->version = version;
    return OK;
}

/* -- reading ---------------------------------------------------------------------------------- */

static int64_t integer_of(const struct json *record, const char *member) {
    const struct json *value = json_get(record, str_of(member));
    return value == NULL ? 0 : value->integer;
}

static struct str raw_of(const struct json *record, const char *member) {
    const struct json *value = json_get(record, str_of(member));
    return value == NULL ? STR_NONE : json_raw(value);
}

static result unknown(struct report *report) {
    return fail(report, FAIL_ABSENT, "TASK_UNKNOWN", REPORT_NO_OFFSET, "there is no such task");
}

/* The depth is the message's and what stands around it. */
static result read_document(struct str bytes, struct arena *arena, const struct json **out,
                            struct report *report) {
    struct json_limits limits = {.bytes = (size_t)STORE_VALUE_BYTES_MAX, .allows_nul = true};
    return json_read(bytes, &limits, arena, out, report);
}

result task_record_find(struct store *store, struct str id, const struct principal *who,
                        struct arena *arena, struct task_record *out, struct report *report) {
    struct store_value value;
    const struct json *record;
    if (id.len != 2 * TASK_ID_BYTES) return unknown(report);
    struct str key = key_of(id, arena);
    if (key.ptr == NULL) return fail_memory(report);
    TRY(store_get(store, key, arena, &value, report));
    if (value.version == STORE_ABSENT) return unknown(report);
    TRY(read_document(value.bytes, arena, &record, report));
    *out = (struct task_record){.id = str_dup(arena, id),
                                .holder = json_get_text(record, STR("holder")),
                                .end = (enum task_end)integer_of(record, "end"),
                                .created_ms = integer_of(record, "created"),
                                .updated_ms = integer_of(record, "updated"),
                                .request = raw_of(record, "request"),
                                .asks = json_get(record, STR("asks")),
                                .answers = json_get(record, STR("answers")),
                                .outcome = raw_of(record, "outcome"),
                                .version = value.version};
    if (out->id.ptr == NULL) return fail_memory(report);
    return str_eq(out->holder, principal_key(who, arena)) ? OK : unknown(report);
}

bool task_record_is_open(const struct task_record *record, struct str key) {
    return json_get(record->asks, key) != NULL && json_get(record->answers, key) == NULL;
}

size_t task_record_open(const struct task_record *record) {
    size_t n = 0;
    for (uint32_t i = 0; record->asks != NULL && i < record->asks->n; i++)
        if (task_record_is_open(record, record->asks->members[i].key)) n++;
    return n;
}

/* -- for the client --------------------------------------------------------------------------- */

static void put_open_asks(const struct task_record *record, struct json_writer *w) {
    json_key(w, STR("inputRequests"));
    json_object(w);
    for (uint32_t i = 0; i < record->asks->n; i++) {
        const struct json_member *m = &record->asks->members[i];
        if (!task_record_is_open(record, m->key)) continue;
        json_key(w, m->key);
        json_value(w, &m->value);
    }
    json_object_end(w);
}

void task_record_write(const struct task_record *record, bool in_detail, struct json_writer *w) {
    char time[CLOCK_ISO_MAX];
    bool is_asking = record->end == TASK_OPEN && task_record_open(record) > 0;
    const char *status = record->end != TASK_OPEN ? end_name[record->end]
                         : is_asking              ? "input_required"
                                                  : "working";
    json_put_text(w, STR("taskId"), record->id);
    json_put_text(w, STR("status"), str_of(status));
    json_put_text(w, STR("createdAt"), clock_iso(record->created_ms, true, time));
    json_put_text(w, STR("lastUpdatedAt"), clock_iso(record->updated_ms, true, time));
    json_put_int(w, STR("ttlMs"), TASK_TTL_MS);
    json_put_int(w, STR("pollIntervalMs"), TASK_POLL_MS);
    if (!in_detail) return;
    if (is_asking) put_open_asks(record, w);
    if (record->outcome.len == 0) return;
    json_key(w, record->end == TASK_FAILED ? STR("error") : STR("result"));
    json_raw_value(w, record->outcome);
}

const struct json *task_with_member(const struct json *object, struct str key,
                                    const struct json *value, struct arena *arena) {
    uint32_t n = object == NULL ? 0 : object->n, kept = 0;
    struct json *copy = arena_new(arena, struct json);
    struct json_member *members = arena_new_array(arena, n + 1, struct json_member);
    if (copy == NULL || members == NULL) return NULL;
    for (uint32_t i = 0; i < n; i++)
        if (!str_eq(object->members[i].key, key)) members[kept++] = object->members[i];
    if (value != NULL) members[kept++] = (struct json_member){key, *value};
    *copy = (struct json){.type = JSON_OBJECT, .n = kept, .members = members};
    return copy;
}
