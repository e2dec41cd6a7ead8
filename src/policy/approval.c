#include "policy/approval.h"

#include "base/limits.h"
#include "base/rand.h"
#include "text/canon.h"
#include "text/redact.h"

#include <stdlib.h>

#define AT(member) offsetof(struct approval_settings, member)
const struct option approval_options[] = {
    {.name = "roles",
     .type = OPTION_LIST,
     .offset = AT(roles),
     .reloadable = true,
     .sentence = "Whoever has one of these roles may approve calls of others; when absent: "
                 "`mcp_admin`."},
    {.name = "ttl",
     .type = OPTION_DURATION,
     .offset = AT(ttl_ms),
     .fallback = "1h",
     .min = 1000,
     .max = INT64_C(7) * 86400000,
     .unit = "ms",
     .reloadable = true,
     .sentence = "A request that nobody decided on, and an approval that nobody used, is over "
                 "after this time."},
    {.name = NULL}};
#undef AT

const char *const approval_state_name[APPROVAL_STATES] = {"none", "pending", "approved", "rejected",
                                                          "used"};

#define LOG_KEY STR("approvals")

static struct str key_of(struct str id, struct arena *arena) {
    return str_printf(arena, "approval/" STR_FMT, STR_ARG(id));
}

/* -- what binds ------------------------------------------------------------------------------- */

static result digest_of(const struct approval_terms *terms, struct arena *arena,
                        uint8_t out[DIGEST_SIZE], struct report *report) {
    static const struct json none = {.type = JSON_OBJECT};
    struct buf all;
    buf_init(&all, (size_t)JSON_BYTES_MAX);
    canon_put_text(&all, STR("approval 1"));
    canon_put_text(&all, terms->tool);
    canon_put_text(&all, terms->principal->user_id);
    canon_put_text(&all, terms->principal->client_id);
    canon_put_text(&all, terms->policy_version);
    canon_put_number(&all, (uint64_t)terms->cost_ceiling_bytes);
    const struct json *arguments = terms->arguments != NULL ? terms->arguments : &none;
    bool is_whole = canon_put_json(&all, arguments, arena) && all.failed == FAIL_NONE;
    struct str flat = is_whole ? buf_flat(&all, arena) : STR_NONE;
    is_whole = is_whole && flat.len == all.len && digest_sha256(flat, out);
    buf_deinit(&all);
    return is_whole ? OK : fail_memory(report);
}

/* -- in the store ----------------------------------------------------------------------------- */

static void put_members(struct json_writer *w, const struct approval *a) {
    json_put_text(w, STR("id"), a->id);
    json_put_text(w, STR("state"), str_of(approval_state_name[a->state]));
    json_put_text(w, STR("tool"), a->tool);
    json_key(w, STR("arguments"));
    json_raw_value(w, a->arguments);
    json_put_text(w, STR("user_id"), a->user_id);
    json_put_text(w, STR("client_id"), a->client_id);
    json_put_text(w, STR("rule"), a->rule);
    json_put_text(w, STR("reason"), a->reason);
    json_put_text(w, STR("policy_version"), a->policy_version);
    json_put_int(w, STR("cost_ceiling_bytes"), a->cost_ceiling_bytes);
    json_put_text(w, STR("decided_by"), a->decided_by);
    json_put_text(w, STR("note"), a->note);
}

static void put_time(struct json_writer *w, struct str key, int64_t wall_ms) {
    char time[CLOCK_ISO_MAX];
    if (wall_ms == 0)
        json_put_null(w, key);
    else
        json_put_text(w, key, clock_iso(wall_ms, false, time));
}

void approval_put(struct json_writer *w, const struct approval *a) {
    json_object(w);
    put_members(w, a);
    put_time(w, STR("created_at"), a->created_ms);
    put_time(w, STR("expires_at"), a->expires_ms);
    put_time(w, STR("decided_at"), a->decided_ms);
    json_object_end(w);
}

/* The digest stands before the object, which is nearly what people are shown. */
static struct str document(const struct approval *a, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    char hex[2 * DIGEST_SIZE + 1];
    hex_encode(hex, a->digest, DIGEST_SIZE);
    buf_init(&buf, (size_t)APPROVAL_BYTES_MAX);
    buf_add(&buf, str_of(hex));
    json_writer_init(&w, &buf);
    json_object(&w);
    put_members(&w, a);
    json_put_int(&w, STR("created_ms"), a->created_ms);
    json_put_int(&w, STR("expires_ms"), a->expires_ms);
    json_put_int(&w, STR("decided_ms"), a->decided_ms);
    json_object_end(&w);
    return buf_take(&buf, arena);
}

static int64_t integer_of(const struct json *object, struct str key) {
    const struct json *value = json_get(object, key);
    return value == NULL ? 0 : value->integer;
}

static enum approval_state state_of(struct str name) {
    for (unsigned i = 1; i < APPROVAL_STATES; i++)
        if (str_eq(name, str_of(approval_state_name[i]))) return (enum approval_state)i;
    return APPROVAL_NONE;
}

static void read_members(const struct json *o, struct approval *out) {
    const struct json *arguments = json_get(o, STR("arguments"));
    out->id = json_get_text(o, STR("id"));
    out->state = state_of(json_get_text(o, STR("state")));
    out->tool = json_get_text(o, STR("tool"));
    out->arguments = arguments == NULL ? STR("{}") : json_raw(arguments);
    out->user_id = json_get_text(o, STR("user_id"));
    out->client_id = json_get_text(o, STR("client_id"));
    out->policy_version = json_get_text(o, STR("policy_version"));
    out->rule = json_get_text(o, STR("rule"));
    out->reason = json_get_text(o, STR("reason"));
    out->cost_ceiling_bytes = integer_of(o, STR("cost_ceiling_bytes"));
    out->created_ms = integer_of(o, STR("created_ms"));
    out->expires_ms = integer_of(o, STR("expires_ms"));
    out->decided_by = json_get_text(o, STR("decided_by"));
    out->note = json_get_text(o, STR("note"));
    out->decided_ms = integer_of(o, STR("decided_ms"));
}

static result absent(struct report *report) {
    result r = fail(report, FAIL_ABSENT, "APPROVAL_NOT_FOUND", REPORT_NO_OFFSET,
                    "there is no such request for approval, or its time is over");
    fail_hint(report, "`weir approvals list` shows those that are open.");
    return r;
}

static bool is_id(struct str id) {
    uint8_t bytes[APPROVAL_ID_SIZE / 2];
    return hex_decode(id, bytes, sizeof bytes);
}

result approval_find(struct store *store, struct str id, struct arena *arena, struct approval *out,
                     struct report *report) {
    static const struct json_limits limits = {.bytes = (size_t)APPROVAL_BYTES_MAX,
                                              .allows_nul = true};
    struct store_value value;
    const struct json *object;
    *out = (struct approval){0};
    if (!is_id(id)) return absent(report);
    struct str key = key_of(id, arena);
    if (key.ptr == NULL) return fail_memory(report);
    TRY(store_get(store, key, arena, &value, report));
    if (value.version == STORE_ABSENT) return absent(report);
    struct str digest = str_slice(value.bytes, 0, (size_t)2 * DIGEST_SIZE);
    struct str rest = str_slice(value.bytes, digest.len, value.bytes.len);
    TRY(json_read(rest, &limits, arena, &object, report));
    read_members(object, out);
    out->version = value.version;
    if (hex_decode(digest, out->digest, DIGEST_SIZE) && str_eq(out->id, id)) return OK;
    return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                "the store holds a request for approval that is damaged");
}

static result too_large(struct report *report) {
    return fail(report, FAIL_LIMIT, "APPROVAL_TOO_LARGE", REPORT_NO_OFFSET,
                "the call is too large for an approver to see it whole");
}

/* Its time does not change with its state. */
static result keep(struct store *store, const struct clock *clock, struct approval *approval,
                   struct arena *arena, bool *is_kept, struct report *report) {
    int64_t left_ms = approval->expires_ms - clock_wall_ms(clock);
    struct store_item item = {key_of(approval->id, arena), document(approval, arena),
                              left_ms < 1 ? 1 : left_ms};
    uint64_t version;
    if (item.key.ptr == NULL) return fail_memory(report);
    if (item.value.ptr == NULL) return too_large(report);
    TRY(store_swap(store, &item, approval->version, &version, report));
    *is_kept = version != STORE_ABSENT;
    if (*is_kept) approval->version = version;
    return OK;
}

/* -- asking ------------------------------------------------------------------------------------ */

static struct str arguments_of(const struct approval_terms *terms, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    if (terms->arguments == NULL) return STR("{}");
    buf_init(&buf, (size_t)APPROVAL_BYTES_MAX);
    json_writer_init(&w, &buf);
    redact_put(&w, terms->arguments, (size_t)APPROVAL_BYTES_MAX);
    return buf_take(&buf, arena);
}

static result make(struct store *store, const struct clock *clock,
                   const struct approval_settings *settings, const struct approval_terms *terms,
                   struct arena *arena, struct approval *out, struct report *report) {
    char id[APPROVAL_ID_SIZE + 1];
    bool is_kept;
    rand_hex(id, APPROVAL_ID_SIZE / 2);
    int64_t now_ms = clock_wall_ms(clock);
    struct approval made = {.id = str_dup(arena, str_of(id)),
                            .state = APPROVAL_PENDING,
                            .tool = terms->tool,
                            .arguments = arguments_of(terms, arena),
                            .user_id = terms->principal->user_id,
                            .client_id = terms->principal->client_id,
                            .policy_version = terms->policy_version,
                            .rule = terms->rule,
                            .reason = terms->reason,
                            .cost_ceiling_bytes = terms->cost_ceiling_bytes,
                            .created_ms = now_ms,
                            .expires_ms = now_ms + settings->ttl_ms,
                            .version = STORE_ABSENT};
    memcpy(made.digest, out->digest, DIGEST_SIZE);
    *out = made;
    if (made.id.ptr == NULL) return fail_memory(report);
    if (made.arguments.ptr == NULL) return too_large(report);
    TRY(keep(store, clock, out, arena, &is_kept, report));
    struct store_append entry = {.log = LOG_KEY,
                                 .value = out->id,
                                 .ttl_ms = APPROVALS_LOG_TTL_MS,
                                 .keep = APPROVALS_LISTED_MAX};
    uint64_t sequence;
    return store_append(store, &entry, &sequence, report);
}

/* The request that these terms have already: its id stands under their digest. */
static result find_open(struct store *store, struct str key, struct arena *arena,
                        struct approval *out, uint64_t *pointer, struct report *report) {
    struct store_value id;
    struct report gone = {0};
    TRY(store_get(store, key, arena, &id, report));
    *pointer = id.version;
    out->state = APPROVAL_NONE;
    if (id.version == STORE_ABSENT) return OK;
    uint8_t digest[DIGEST_SIZE];
    memcpy(digest, out->digest, DIGEST_SIZE);
    result r = approval_find(store, id.bytes, arena, out, &gone);
    bool is_open = r.why == FAIL_NONE && out->state != APPROVAL_USED &&
                   memcmp(out->digest, digest, DIGEST_SIZE) == 0;
    memcpy(out->digest, digest, DIGEST_SIZE);
    if (!is_open) out->state = APPROVAL_NONE;
    if (r.why == FAIL_NONE || r.why == FAIL_ABSENT) return OK;
    return fail(report, r.why, gone.code, REPORT_NO_OFFSET, "%s", gone.sentence);
}

enum { REQUEST_TRIES = 8 };

/* Two who ask at once make two requests; the one whose pointer stands is theirs both. */
result approval_request(struct store *store, const struct clock *clock,
                        const struct approval_settings *settings,
                        const struct approval_terms *terms, struct arena *arena,
                        struct approval *out, struct report *report) {
    char hex[2 * DIGEST_SIZE + 1];
    uint64_t pointer, version;
    *out = (struct approval){0};
    TRY(digest_of(terms, arena, out->digest, report));
    hex_encode(hex, out->digest, DIGEST_SIZE);
    struct str key = str_printf(arena, "approval-of/%s", hex);
    if (key.ptr == NULL) return fail_memory(report);
    for (int i = 0; i < REQUEST_TRIES; i++) {
        TRY(find_open(store, key, arena, out, &pointer, report));
        if (out->state != APPROVAL_NONE) return OK;
        TRY(make(store, clock, settings, terms, arena, out, report));
        struct store_item item = {key, out->id, settings->ttl_ms};
        TRY(store_swap(store, &item, pointer, &version, report));
        if (version != STORE_ABSENT) return OK;
        struct str lost = key_of(out->id, arena);
        if (lost.ptr == NULL) return fail_memory(report);
        TRY(store_remove(store, lost, STORE_ANY, NULL, report));
    }
    return fail(report, FAIL_BUSY, "BUSY", REPORT_NO_OFFSET,
                "too many ask for approval of this call at once");
}

result approval_use(struct store *store, const struct clock *clock, struct approval *approval,
                    struct arena *arena, bool *is_ours, struct report *report) {
    *is_ours = false;
    if (approval->state != APPROVAL_APPROVED) return OK;
    approval->state = APPROVAL_USED;
    return keep(store, clock, approval, arena, is_ours, report);
}

/* -- deciding ---------------------------------------------------------------------------------- */

result approval_list(struct store *store, struct arena *arena, struct approval **out, size_t *n,
                     struct report *report) {
    struct store_events ids;
    *n = 0;
    TRY(store_read(store, LOG_KEY, 0, APPROVALS_LISTED_MAX, arena, &ids, report));
    struct approval *list = arena_new_array(arena, ids.n + 1, struct approval);
    if (list == NULL) return fail_memory(report);
    for (size_t i = ids.n; i-- > 0;) {
        struct report gone = {0};
        result r = approval_find(store, ids.items[i].value, arena, &list[*n], &gone);
        if (r.why == FAIL_NONE) ++*n;
        if (r.why == FAIL_NONE || r.why == FAIL_ABSENT) continue;
        return fail(report, r.why, gone.code, REPORT_NO_OFFSET, "%s", gone.sentence);
    }
    *out = list;
    return OK;
}

bool approval_may_decide(const struct approval_settings *settings,
                         const struct principal *approver) {
    if (!settings->roles.is_set) return principal_has_role(approver, ROLE_ADMIN);
    for (size_t i = 0; i < settings->roles.n; i++)
        if (principal_has_role(approver, settings->roles.items[i])) return true;
    return false;
}

static result refuse_approver(struct report *report, const char *sentence) {
    return fail(report, FAIL_DENIED, "APPROVAL_NOT_ALLOWED", REPORT_NO_OFFSET, "%s", sentence);
}

static result refuse_decided(const struct approval *approval, struct report *report) {
    return fail(report, FAIL_DENIED, "APPROVAL_DECIDED", REPORT_NO_OFFSET,
                "the request is not pending any more: it is %s",
                approval_state_name[approval->state]);
}

result approval_judge(const struct approval_settings *settings, const struct approval *approval,
                      const struct principal *approver, struct report *report) {
    if (!approval_may_decide(settings, approver))
        return refuse_approver(report, "only who has an approver's role may decide");
    if (approver->user_id.len == 0 || str_eq(approver->user_id, approval->user_id))
        return refuse_approver(report, "nobody decides on a call of his own");
    return approval->state == APPROVAL_PENDING ? OK : refuse_decided(approval, report);
}

result approval_decide(struct store *store, const struct clock *clock,
                       const struct approval_settings *settings, struct approval *approval,
                       const struct principal *approver, bool is_yes, struct str note,
                       struct arena *arena, struct report *report) {
    bool is_kept;
    TRY(approval_judge(settings, approval, approver, report));
    struct approval next = *approval;
    next.state = is_yes ? APPROVAL_APPROVED : APPROVAL_REJECTED;
    next.decided_by = approver->user_id;
    next.note = utf8_clip(note, APPROVAL_NOTE_BYTES_MAX);
    next.decided_ms = clock_wall_ms(clock);
    TRY(keep(store, clock, &next, arena, &is_kept, report));
    if (is_kept) {
        *approval = next;
        return OK;
    }
    TRY(approval_find(store, approval->id, arena, approval, report));
    return refuse_decided(approval, report);
}
