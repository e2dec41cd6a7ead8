#include "mcp/http_entry.h"

#include "base/limits.h"
#include "mcp/oauth.h"
#include "mcp/visit.h"

#include <stdatomic.h>

/* One request at the entry. It lives in its turn; request and exchange live until it is answered,
 * whatever becomes of the peer meanwhile. */
struct http_entry {
    struct http_door *door;
    const struct http_request *req;
    struct origin origin;
    struct str page; /* the Origin that CORS repeats */
    http_take *take;
    result r;
};

struct str http_entry_header(const void *req, struct str name) {
    return http_header(req, name);
}

static size_t header_count(const void *req, struct str name) {
    return http_header_count(req, name);
}

/* -- refusals --------------------------------------------------------------------------------- */

static void refuse(struct turn *turn, const struct refusal *why) {
    const struct http_entry *entry = turn->entry;
    if (!atomic_load(&turn->mcp->is_settled))
        road_refused(turn->mcp->road, entry->req->peer, why->code);
    visit_refuse(entry->req->exchange, why);
    visit_abandon(turn);
}

static void refuse_busy(struct turn *turn) {
    const struct refusal why = {503,
                                "BUSY",
                                "too many callers are being identified",
                                "Come back after the time that Retry-After says",
                                turn->entry->page,
                                {STR("Retry-After"), STR(ENTRY_RETRY_SECONDS)}};
    refuse(turn, &why);
}

static struct str challenge_of(struct turn *turn, const struct code *code) {
    struct call *call = turn->call;
    const struct protected_resource *resource = identity_protected(call->snapshot->identity);
    struct challenge challenge = {.metadata = turn->metadata};
    if (strcmp(code->name, "AUTH_REQUIRED") != 0) {
        challenge.error = code->http_status == 403 ? "insufficient_scope" : "invalid_token";
        challenge.description = str_of(call->report.sentence);
    }
    if (turn->metadata.len > 0) challenge.scope = oauth_first_scopes(resource, &call->arena);
    struct str value = oauth_challenge(&challenge, &call->arena);
    return value.len > 0 ? value : STR("Bearer");
}

static void refuse_unknown(struct turn *turn) {
    const struct report *report = &turn->call->report;
    const struct code *code = code_find(report->code);
    bool is_denied = turn->entry->r.why == FAIL_DENIED;
    struct refusal why = {.status = code->http_status,
                          .code = code->name,
                          .message = report->sentence,
                          .hint = report->hint,
                          .origin = turn->entry->page};
    /* A code that is told inside answers elsewhere; a store or an issuer may be back soon. */
    if (why.status < 400) why.status = turn->entry->r.why == FAIL_IO ? 503 : 500;
    if (is_denied)
        why.header = (struct http_header){STR("WWW-Authenticate"), challenge_of(turn, code)};
    else if (why.status == 503)
        why.header = (struct http_header){STR("Retry-After"), STR(ENTRY_RETRY_SECONDS)};
    refuse(turn, &why);
}

/* -- through the door ------------------------------------------------------------------------- */

static void identify(struct turn *turn) {
    struct call *call = turn->call;
    turn->entry->r =
        identity_identify(call->snapshot->identity, turn->mcp->identities, &turn->entry->origin,
                          &call->arena, &call->principal, &call->report);
}

/* Read behind the caller's name, which they are no part of; and whoever it was, nothing of them
 * stays in the request. */
static void take_cloud_keys(struct turn *turn) {
    struct http_entry *entry = turn->entry;
    struct call *call = turn->call;
    if (entry->r.why == FAIL_NONE)
        entry->r = cloud_credentials_read(&entry->origin, turn->mcp->secret, &call->arena,
                                          &call->cloud, &call->report);
    for (const struct str *name = cloud_credentials_headers; name->ptr != NULL; name++)
        http_header_wipe(entry->req, *name);
}

static void enter(struct turn *turn) {
    struct http_entry *entry = turn->entry;
    take_cloud_keys(turn);
    if (atomic_load(&turn->mcp->is_settled))
        refuse_busy(turn);
    else if (entry->r.why == FAIL_NONE)
        entry->take(turn, entry->req);
    else
        refuse_unknown(turn);
}

/* On a thread of the entry's. */
static void ask(struct turn *turn) {
    turn->entry->origin.may_wait = true;
    identify(turn);
    visit_at_loop(turn, enter);
}

static void begin(struct turn *turn) {
    struct http_entry *entry = turn->entry;
    const struct protected_resource *resource = identity_protected(turn->call->snapshot->identity);
    turn->metadata =
        oauth_metadata_uri(resource, &entry->door->paths, entry->req, &turn->call->arena);
    identify(turn);
    if (entry->r.why != FAIL_WAIT) {
        enter(turn);
        return;
    }
    turn->step = ask;
    if (!pool_submit(turn->mcp->entry, turn->call)) refuse_busy(turn);
}

void http_entry_admit(struct http_door *door, const struct http_request *req, struct str origin,
                      http_take *take) {
    struct turn *turn = visit_begin(door->mcp, req->exchange, req, origin);
    struct http_entry *entry =
        turn == NULL ? NULL : arena_new(&turn->call->arena, struct http_entry);
    if (entry == NULL) {
        const struct refusal why = {503, "OUT_OF_MEMORY", "the server is out of memory",
                                    .origin = origin};
        visit_refuse(req->exchange, &why);
        if (turn != NULL) visit_abandon(turn);
        return;
    }
    *entry = (struct http_entry){.door = door,
                                 .req = req,
                                 .page = origin,
                                 .take = take,
                                 .origin = {.kind = ORIGIN_HTTP,
                                            .header = http_entry_header,
                                            .header_count = header_count,
                                            .with = req,
                                            .peer = req->peer,
                                            .method = req->method,
                                            .target = req->target,
                                            .body = req->body,
                                            .peer_is_loopback = req->peer_is_loopback}};
    turn->entry = entry;
    turn->call->origin.toolsets = door->toolsets;
    begin(turn);
}
