#include "road/recall.h"

#include "policy/policy_digest.h"
#include "road/envelope.h"
#include "road/sized.h"
#include "shape/settings.h"
#include "text/canon.h"
#include "tools/tool.h"

/* -- the key ----------------------------------------------------------------------------------- */

static bool put_all(struct buf *out, struct call *call) {
    static const struct json none = {.type = JSON_OBJECT};
    const struct snapshot *s = call->snapshot;
    uint8_t rights[DIGEST_SIZE];
    struct report unused = {0};
    result r = policy_digest(s->policy, &call->principal, &call->arena, rights, &unused);
    if (r.why != FAIL_NONE) return false;
    canon_put_text(out, s->settings.cache.key_prefix);
    canon_put_text(out, STR("tools/call 1"));
    canon_put_text(out, call->tool_name);
    canon_put_text(out, (struct str){(const char *)rights, sizeof rights});
    canon_put_text(out, policy_version(s->policy));
    canon_put_number(out, s->generation);
    return canon_put_json(out, call->arguments != NULL ? call->arguments : &none, &call->arena);
}

static bool make_key(struct call *call) {
    struct buf all;
    buf_init(&all, RECALL_KEY_BYTES_MAX);
    bool is_whole = put_all(&all, call) && all.failed == FAIL_NONE;
    struct str flat = is_whole ? buf_flat(&all, &call->arena) : STR_NONE;
    is_whole = is_whole && flat.len == all.len && digest_sha256(flat, call->facts.recall.key);
    buf_deinit(&all);
    return is_whole;
}

/* The prefix stands before it in plain text, for who looks into a shared store. */
static struct str key_text(struct call *call) {
    char hex[2 * DIGEST_SIZE + 1];
    hex_encode(hex, call->facts.recall.key, DIGEST_SIZE);
    struct str prefix = call->snapshot->settings.cache.key_prefix;
    return str_printf(&call->arena, STR_FMT "tools/call:%s", STR_ARG(prefix), hex);
}

/* -- what is kept ------------------------------------------------------------------------------ */

static void put_names(struct json_writer *w, struct str key, const struct name_list *names) {
    json_key(w, key);
    json_array(w);
    for (size_t i = 0; i < names->n; i++) json_text(w, names->items[i]);
    json_array_end(w);
}

/* One line of JSON: the facts that envelope and record tell. */
static void write_facts(const struct call_facts *facts, struct json_writer *w) {
    const struct guard_answer *guard = &facts->guard;
    json_object(w);
    json_put_bool(w, STR("guarded"), facts->is_guarded);
    json_put_int(w, STR("rows"), facts->row_count);
    json_put_bool(w, STR("truncated"), facts->truncated);
    json_put_text(w, STR("backend"), facts->backend);
    json_put_text(w, STR("asked"), facts->sql_asked);
    json_put_text(w, STR("run"), facts->sql_run);
    put_names(w, STR("tables"), &guard->tables);
    put_names(w, STR("columns"), &guard->columns);
    put_names(w, STR("partitions"), &guard->partitions);
    json_put_bool(w, STR("filtered"), guard->has_partition_filter);
    json_put_int(w, STR("joins"), guard->join_count);
    json_put_int(w, STR("limit"), guard->limit);
    json_put_int(w, STR("risk"), guard->risk);
    json_put_int(w, STR("flags"), guard->risk_flags);
    json_object_end(w);
}

static bool read_names(const struct json *facts, struct str key, struct arena *arena,
                       struct name_list *out) {
    const struct json *list = json_get(facts, key);
    if (list == NULL || list->type != JSON_ARRAY) return false;
    struct str *items = arena_new_array(arena, list->n, struct str);
    if (items == NULL) return false;
    for (uint32_t i = 0; i < list->n; i++) items[i] = list->items[i].text;
    *out = (struct name_list){items, list->n};
    return true;
}

static int64_t number_of(const struct json *facts, struct str key) {
    const struct json *value = json_get(facts, key);
    return value == NULL ? 0 : value->integer;
}

static bool read_facts(struct str line, struct call *call) {
    static const struct json_limits limits = {.string_bytes = JSON_BYTES_MAX, .allows_nul = true};
    const struct json *read = NULL;
    struct report unused = {0};
    struct call_facts facts = call->facts;
    struct guard_answer *guard = &facts.guard;
    if (json_read(line, &limits, &call->arena, &read, &unused).why != FAIL_NONE) return false;
    facts.is_guarded = json_is_true(json_get(read, STR("guarded")));
    facts.row_count = number_of(read, STR("rows"));
    facts.truncated = json_is_true(json_get(read, STR("truncated")));
    facts.backend = json_get_text(read, STR("backend"));
    facts.sql_asked = json_get_text(read, STR("asked"));
    facts.sql_run = json_get_text(read, STR("run"));
    *guard = (struct guard_answer){.effect = facts.is_guarded ? GUARD_ALLOW : GUARD_DENY,
                                   .is_resolved = facts.is_guarded};
    guard->has_partition_filter = json_is_true(json_get(read, STR("filtered")));
    guard->join_count = number_of(read, STR("joins"));
    guard->limit = number_of(read, STR("limit"));
    guard->risk = (enum risk_level)number_of(read, STR("risk"));
    guard->risk_flags = (unsigned)number_of(read, STR("flags"));
    guard->backend = facts.backend;
    if (!read_names(read, STR("tables"), &call->arena, &guard->tables) ||
        !read_names(read, STR("columns"), &call->arena, &guard->columns) ||
        !read_names(read, STR("partitions"), &call->arena, &guard->partitions))
        return false;
    call->facts = facts;
    return true;
}

/* -- finding ----------------------------------------------------------------------------------- */

static bool may_recall(const struct call *call) {
    const struct cache_settings *s = &call->snapshot->settings.cache;
    return s->is_enabled && s->call_tool_ttl_ms > 0 && call->tool->is_cacheable &&
           !call->tool->is_destructive && !call->origin.is_program &&
           !cache_excludes(s, call->tool_name);
}

/* The envelope is new, the data are what they were. */
static bool answer_again(struct call *call, struct str data) {
    struct json_writer w;
    envelope_open(call, &w);
    json_raw_value(&w, data);
    return sized_close(call, &w).why == FAIL_NONE && call->reply.failed == FAIL_NONE &&
           !call->arena.is_spent;
}

bool recall_find(struct cache *cache, struct call *call) {
    struct cache_value value;
    if (!may_recall(call) || !make_key(call)) return false;
    struct str key = key_text(call);
    if (key.ptr == NULL) return false;
    call->facts.recall.has_key = true;
    if (!cache_get(cache, key, &call->arena, &value)) return false;
    struct call_facts before = call->facts;
    struct str data = value.bytes;
    struct str facts = str_cut(&data, '\n');
    if (data.len == 0 || !read_facts(facts, call)) return false;
    call->facts.recall.is_hit = true;
    call->facts.recall.age_ms = value.age_ms;
    if (answer_again(call, data)) return true;
    call->facts = before; /* the tool shall say what is wrong */
    buf_clear(&call->reply);
    report_clear(&call->report);
    return false;
}

/* -- keeping ----------------------------------------------------------------------------------- */

static void add_range(struct buf *out, const struct buf *buf, size_t from, size_t to) {
    size_t at = 0;
    for (const struct buf_chunk *c = buf->first; c != NULL && at < to; at += c->len, c = c->next) {
        size_t begin = from > at ? from - at : 0, end = to - at < c->len ? to - at : c->len;
        if (begin < end) buf_add(out, (struct str){c->bytes + begin, end - begin});
    }
}

void recall_keep(struct cache *cache, struct call *call, size_t from, size_t to) {
    const struct cache_settings *s = &call->snapshot->settings.cache;
    const struct guard_answer *guard = &call->facts.guard;
    /* What somebody had to approve was approved for one call. */
    bool is_plain = guard->effect == GUARD_ALLOW && guard->is_stable;
    if (call->facts.is_guarded && !is_plain) return;
    if (!call->facts.recall.has_key || call->facts.recall.is_hit) return;
    struct buf kept;
    struct json_writer w;
    buf_init(&kept, (size_t)s->max_item_bytes);
    json_writer_init(&w, &kept);
    write_facts(&call->facts, &w);
    buf_add_byte(&kept, '\n');
    add_range(&kept, &call->reply, from, to);
    struct str key = key_text(call), value = STR_NONE;
    if (kept.failed == FAIL_NONE) value = buf_flat(&kept, &call->arena);
    if (key.ptr != NULL && value.len == kept.len && value.len > 0)
        cache_put(cache, &(struct cache_item){key, value, s->call_tool_ttl_ms}, s->max_bytes);
    buf_deinit(&kept);
}
