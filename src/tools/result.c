#include "tools/result.h"

#include "base/limits.h"
#include "policy/policy_digest.h"
#include "shape/fit.h"
#include "store/store.h"
#include "tools/offer.h"
#include "tools/query.h"

#include <inttypes.h>

static const struct str prefix = STR_INIT("weir://result/");

/* Who may not use it is told of no address. */
static const struct source reader = {"run_select_sql", "result"};

bool result_may_keep(const struct call *call) {
    const struct snapshot *s = call->snapshot;
    return s->store != NULL && s->settings.keep_ttl_ms > 0 && !call->origin.is_program;
}

/* -- whose ------------------------------------------------------------------------------------ */

/* Lengths first, so that no two lists of texts are written alike. */
static void put_text(struct buf *out, struct str text) {
    uint64_t len = text.len;
    buf_add(out, (struct str){(const char *)&len, sizeof len});
    buf_add(out, text);
}

static struct str hex_of(struct call *call, const uint8_t digest[DIGEST_SIZE]) {
    char *hex = arena_alloc(&call->arena, 2 * DIGEST_SIZE + 1, 1);
    if (hex == NULL) return STR_NONE;
    hex_encode(hex, digest, DIGEST_SIZE);
    return (struct str){hex, 2 * DIGEST_SIZE};
}

/* User and client alone: what is counted stays counted when rights change. */
static struct str principal_hex(struct call *call) {
    struct buf all;
    uint8_t digest[DIGEST_SIZE];
    buf_init(&all, RECALL_KEY_BYTES_MAX);
    put_text(&all, STR("weir result 1"));
    put_text(&all, call->principal.user_id);
    put_text(&all, call->principal.client_id);
    struct str flat = buf_copy(&all, &call->arena);
    bool is_made =
        buf_failed(&all, NULL).why == FAIL_NONE && flat.ptr != NULL && digest_sha256(flat, digest);
    buf_deinit(&all);
    return is_made ? hex_of(call, digest) : STR_NONE;
}

/* The principal, what it may, and by which policy. STR_NONE: it cannot be told, and fits nothing.
 */
static struct str bound_to(struct call *call) {
    const struct policy *policy = call->snapshot->policy;
    uint8_t rights[DIGEST_SIZE];
    struct report aside = {0};
    result r = policy_digest(policy, &call->principal, &call->arena, rights, &aside);
    struct str who = principal_hex(call),
               may = r.why == FAIL_NONE ? hex_of(call, rights) : STR_NONE;
    if (who.ptr == NULL || may.ptr == NULL) return STR_NONE;
    return str_printf(&call->arena, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(who), STR_ARG(may),
                      STR_ARG(policy_version(policy)));
}

/* -- keeping ---------------------------------------------------------------------------------- */

/* The counter lives as long as the first of what it counts: so at most twice as much is there. */
static bool has_room(struct call *call, int64_t bytes) {
    struct store *store = call->snapshot->store;
    struct store_usage usage;
    struct report aside = {0};
    int64_t sum = 0;
    struct str who = principal_hex(call);
    struct str key = str_printf(&call->arena, "results-of:" STR_FMT, STR_ARG(who));
    if (who.ptr == NULL || key.ptr == NULL) return false;
    if (store_usage(store, &usage, &aside).why != FAIL_NONE ||
        usage.bytes + bytes > usage.max_bytes / 2)
        return false;
    int64_t ttl_ms = call->snapshot->settings.keep_ttl_ms;
    return store_add(store, key, bytes, ttl_ms, &sum, &aside).why == FAIL_NONE &&
           sum <= KEEP_CALLER_BYTES;
}

/* The next lines, up to where a chunk ends. */
static struct str cut_chunk(struct str *rest, uint64_t *n_lines) {
    struct str chunk = {rest->ptr, 0};
    for (*n_lines = 0; rest->len > 0 && chunk.len < KEEP_CHUNK_BYTES; ++*n_lines) {
        struct str line = str_cut(rest, '\n');
        chunk.len += line.len + 1;
    }
    return chunk;
}

/* Appends the chunks, and writes the first row of each into the head's open array. */
static bool put_chunks(struct call *call, struct str key, struct str lines, struct json_writer *w) {
    uint64_t first = 0, n_lines, sequence;
    struct report aside = {0};
    while (lines.len > 0) {
        struct store_append append = {.log = key,
                                      .value = cut_chunk(&lines, &n_lines),
                                      .ttl_ms = call->snapshot->settings.keep_ttl_ms};
        if (store_append(call->snapshot->store, &append, &sequence, &aside).why != FAIL_NONE)
            return false;
        json_int(w, (int64_t)first);
        first += n_lines;
    }
    return true;
}

static bool put_result(struct call *call, const struct keep *keep, struct str key) {
    struct buf head;
    struct json_writer w;
    struct report aside = {0};
    struct str bound = bound_to(call), value = STR_NONE;
    struct str lines = buf_flat(&keep->lines, &call->arena);
    struct str columns = buf_flat(&keep->columns, &call->arena);
    if (bound.ptr == NULL || lines.len != keep->lines.len || columns.len != keep->columns.len)
        return false;
    buf_init(&head, 2 * KEEP_BYTES_MAX);
    json_writer_init(&w, &head);
    json_object(&w);
    json_put_text(&w, STR("bound"), bound);
    json_key(&w, STR("columns"));
    json_raw_value(&w, columns);
    json_put_int(&w, STR("rows"), (int64_t)keep->n_rows);
    json_put_bool(&w, STR("is_whole"), !keep->is_full);
    json_key(&w, STR("chunks"));
    json_array(&w);
    bool is_put = put_chunks(call, key, lines, &w);
    json_array_end(&w);
    json_object_end(&w);
    if (is_put && head.failed == FAIL_NONE) value = buf_copy(&head, &call->arena);
    buf_deinit(&head);
    struct store_item item = {key, value, call->snapshot->settings.keep_ttl_ms};
    return value.ptr != NULL &&
           store_put(call->snapshot->store, &item, NULL, &aside).why == FAIL_NONE;
}

static struct str key_of(struct call *call, struct str id) {
    return str_printf(&call->arena, "result:" STR_FMT, STR_ARG(id));
}

static struct str address_of(struct call *call, struct str id, uint64_t from) {
    return str_printf(&call->arena, STR_FMT STR_FMT "?from=%" PRIu64, STR_ARG(prefix), STR_ARG(id),
                      from);
}

bool result_keep(struct call *call, const struct keep *keep, uint64_t n_shown,
                 struct str *address) {
    struct report aside = {0};
    struct str id = str_of(call->audit_id), key = key_of(call, id);
    *address = STR_NONE;
    /* What somebody had to approve was approved for one call. */
    bool is_plain = call->facts.guard.effect == GUARD_ALLOW;
    bool is_worth = keep->n_rows > n_shown && is_plain && result_may_keep(call) && key.ptr != NULL;
    if (!is_worth || !source_may_use(call, &reader) || !has_room(call, (int64_t)keep->lines.len))
        return false;
    if (put_result(call, keep, key)) *address = address_of(call, id, n_shown);
    if (address->ptr != NULL) return true;
    /* What cannot be dropped now has no entry, and its time. */
    result dropped = store_drop(call->snapshot->store, key, NULL, &aside);
    (void)dropped;
    return false;
}

/* -- reading ---------------------------------------------------------------------------------- */

static bool is_id(struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (is_dash ? c != '-' : !is_hex) return false;
    }
    return text.len == UUID_SIZE - 1;
}

static bool split(struct str address, struct str *id, uint64_t *from) {
    struct str rest =
        str_starts(address, prefix) ? str_slice(address, prefix.len, address.len) : address;
    *from = 0;
    *id = str_cut(&rest, '?');
    if (!is_id(*id)) return false;
    if (rest.ptr == NULL) return true;
    return str_starts(rest, STR("from=")) && str_to_u64(str_slice(rest, 5, rest.len), from);
}

bool result_is_address(struct str value) {
    struct str id;
    uint64_t from;
    return split(value, &id, &from);
}

static result refuse_unknown(struct call *call) {
    result r = fail(&call->report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "there is no such result");
    fail_hint(&call->report,
              "Results are kept for a few minutes, for who asked; run the SQL again");
    return r;
}

struct kept {
    struct str key;
    const struct json *columns, *chunks;
    uint64_t n_rows;
    bool is_whole;
};

/* Foreign, expired, never there: one answer. */
static result find(struct call *call, struct str id, struct kept *out) {
    static const struct json_limits own = {
        .bytes = SIZE_MAX, .members = UINT32_MAX, .allows_nul = true};
    struct store_value value;
    const struct json *head = NULL;
    struct report aside = {0};
    struct str bound = bound_to(call);
    out->key = key_of(call, id);
    if (out->key.ptr == NULL) return fail_memory(&call->report);
    TRY(store_get(call->snapshot->store, out->key, &call->arena, &value, &call->report));
    if (value.version == STORE_ABSENT) return refuse_unknown(call);
    if (json_read(value.bytes, &own, &call->arena, &head, &aside).why != FAIL_NONE)
        return fail_memory(&call->report); /* it is of our own writing */
    if (bound.ptr == NULL || !str_eq(json_get_text(head, STR("bound")), bound))
        return refuse_unknown(call);
    const struct json *n_rows = json_get(head, STR("rows"));
    out->columns = json_get(head, STR("columns"));
    out->chunks = json_get(head, STR("chunks"));
    if (n_rows == NULL || out->columns == NULL || out->chunks == NULL) return refuse_unknown(call);
    out->n_rows = (uint64_t)n_rows->integer;
    out->is_whole = json_is_true(json_get(head, STR("is_whole")));
    return OK;
}

/* The chunk in which the row stands. */
static uint32_t chunk_of(const struct kept *kept, uint64_t row) {
    uint32_t at = 0;
    while (at + 1 < kept->chunks->n && (uint64_t)kept->chunks->items[at + 1].integer <= row) at++;
    return at;
}

/* Lines of one chunk from row `at` on, as they fit. */
static void put_lines(struct str lines, uint64_t first, uint64_t at, struct fit *fit) {
    while (lines.len > 0 && !fit->is_cut) {
        struct str line = str_cut(&lines, '\n');
        if (first++ < at) continue;
        json_raw_value(fit->writer, line);
        (void)fit_item(fit);
    }
}

static result put_rows(struct call *call, const struct kept *kept, uint64_t from, struct fit *fit) {
    uint32_t chunk = chunk_of(kept, from);
    while (from < kept->n_rows && chunk < kept->chunks->n && !fit->is_cut) {
        struct store_events events;
        TRY(store_read(call->snapshot->store, kept->key, chunk, KEEP_READ_MAX, &call->arena,
                       &events, &call->report));
        if (events.n == 0) return refuse_unknown(call); /* it expired as we read */
        for (size_t i = 0; i < events.n && chunk < kept->chunks->n; i++, chunk++)
            put_lines(events.items[i].value, (uint64_t)kept->chunks->items[chunk].integer, from,
                      fit);
    }
    return OK;
}

static void put_next(struct call *call, const struct kept *kept, struct str id, uint64_t to,
                     struct json_writer *w) {
    char note[160];
    struct str next = to < kept->n_rows ? address_of(call, id, to) : STR_NONE;
    int n = snprintf(note, sizeof note, "%" PRIu64 " of %s%" PRIu64 " rows were read. %s", to,
                     kept->is_whole ? "" : "at least ", kept->n_rows,
                     next.ptr != NULL ? "To go on, read 'next'."
                                      : "The rows behind were not kept: filter or aggregate.");
    json_put_text(w, STR("note"), (struct str){note, (size_t)n});
    if (next.ptr != NULL) json_put_text(w, STR("next"), next);
}

/* Whole or cut, what stands behind the rows is as long. */
static void begin(struct call *call, const struct kept *kept, struct fit *fit,
                  struct json_writer *w) {
    struct rooms rooms = rooms_of_data(call);
    uint64_t max_bytes = (uint64_t)call->snapshot->settings.reply_max_bytes;
    if (rooms.cut.bytes > max_bytes) rooms.cut.bytes = max_bytes;
    rooms.whole = rooms.cut;
    fit_init(fit, w, &rooms);
    json_key(w, STR("columns"));
    json_raw_value(w, json_raw(kept->columns));
    json_key(w, STR("rows"));
    json_array(w);
}

result result_read(struct call *call, struct str address, struct json_writer *w) {
    struct str id;
    uint64_t from;
    struct kept kept = {0};
    struct fit fit;
    call->facts.recall.has_key = false; /* who has the same rights is still another caller */
    if (!split(address, &id, &from) || !result_may_keep(call)) return refuse_unknown(call);
    TRY(find(call, id, &kept));
    begin(call, &kept, &fit, w);
    if (fit_head(&fit)) TRY(put_rows(call, &kept, from, &fit));
    if (from < kept.n_rows && fit.now.n == 0) return query_refuse_row(call);
    uint64_t to = (from < kept.n_rows ? from : kept.n_rows) + fit.now.n;
    json_array_end(w);
    call->facts.row_count = (int64_t)fit.now.n;
    call->facts.truncated = to < kept.n_rows || !kept.is_whole;
    json_put_int(w, STR("row_count"), call->facts.row_count);
    json_put_bool(w, STR("truncated"), call->facts.truncated);
    if (call->facts.truncated) put_next(call, &kept, id, to, w);
    return OK;
}
