#include "mcp/http_door.h"

#include "base/limits.h"
#include "base/log.h"
#include "mcp/health.h"
#include "mcp/http_entry.h"
#include "mcp/http_session.h"
#include "mcp/http_sse.h"
#include "mcp/oauth.h"
#include "mcp/visit.h"

#define HEADER(name, value)                                                                        \
    { STR_INIT(name), STR_INIT(value) }

/* -- through the door ------------------------------------------------------------------------- */

/* Lines of one header are one value, with commas (RFC 9110, 5.3): era.h knows what to do with it.
 */
static struct str joined(const struct http_request *req, struct str name, struct arena *arena) {
    struct str value = STR_NONE;
    for (size_t i = 0; i < req->n_headers; i++) {
        if (!str_ieq(req->headers[i].name, name)) continue;
        value = value.ptr == NULL ? req->headers[i].value
                                  : str_printf(arena, STR_FMT ", " STR_FMT, STR_ARG(value),
                                               STR_ARG(req->headers[i].value));
    }
    return value;
}

static void take_post(struct turn *turn, const struct http_request *req) {
    struct arena *arena = &turn->call->arena;
    struct era_headers headers = {joined(req, STR("MCP-Protocol-Version"), arena),
                                  joined(req, STR("Mcp-Method"), arena),
                                  joined(req, STR("Mcp-Name"), arena)};
    turn->header = http_entry_header;
    turn->header_with = req;
    turn->call->origin.session_id =
        str_dup(arena, era_header_once(joined(req, STR("Mcp-Session-Id"), arena)));
    /* A copy: the turn may outlive the exchange, whose memory the request is. */
    struct str body = str_dup(arena, req->body);
    if (body.ptr == NULL) {
        struct rpc_error error = {RPC_INTERNAL_ERROR, 503, STR("out of memory"), STR_NONE};
        turn_error(turn, &error);
        turn->finish(turn);
        return;
    }
    /* Only a modern one: whoever is listened for this way must keep its sending side open, and a
     * legacy client may close it. The answer leaves on this thread, so it cannot have left yet. */
    if (turn_take(turn, body, &headers) == ERA_MODERN) visit_cancel_when_gone(turn);
}

/* Only JSON is read, but the shorthand comes with whatever type curl puts in. */
static bool is_json(const struct http_request *req) {
    struct str type = http_header(req, STR("Content-Type"));
    return visit_lists_type(type, STR("application/json")) ||
           (str_find(req->body, STR("\"jsonrpc\"")) == req->body.len &&
            str_find(req->body, STR("\"tool\"")) < req->body.len);
}

#define ALLOWED_HEADERS                                                                            \
    "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, "            \
    "Mcp-Session-Id, Last-Event-ID"

/* Beside what every page may send, the Mcp-Param-* that this one asks for. */
static void put_allowed_headers(const struct http_request *req, struct buf *out) {
    struct str rest = http_header(req, STR("Access-Control-Request-Headers"));
    buf_add(out, STR(ALLOWED_HEADERS));
    while (rest.ptr != NULL) {
        struct str name = str_trim(str_cut(&rest, ','));
        if (str_istarts(name, STR("mcp-param-"))) buf_addf(out, ", " STR_FMT, STR_ARG(name));
    }
}

static void refuse_type(struct http_exchange *x, struct str origin) {
    struct refusal why = {415, "UNSUPPORTED_MEDIA_TYPE",
                          "the body must be of type application/json",
                          "Send the header Content-Type: application/json", .origin = origin};
    visit_refuse(x, &why);
}

static void refuse_method(struct http_exchange *x, struct str origin, const char *message,
                          struct str allowed) {
    struct refusal why = {405, "METHOD_NOT_ALLOWED", message, .origin = origin,
                          .header = {STR("Allow"), allowed}};
    visit_refuse(x, &why);
}

static void preflight(struct http_exchange *x, const struct http_request *req, struct str origin) {
    struct arena arena;
    struct buf allowed;
    arena_init(&arena, PREFLIGHT_BYTES_MAX);
    buf_init(&allowed, PREFLIGHT_BYTES_MAX);
    put_allowed_headers(req, &allowed);
    bool is_whole = buf_failed(&allowed, NULL).why == FAIL_NONE;
    struct str names = is_whole ? buf_flat(&allowed, &arena) : STR(ALLOWED_HEADERS);
    struct http_header headers[] = {
        {STR("Access-Control-Allow-Origin"), origin},
        HEADER("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"),
        {STR("Access-Control-Allow-Headers"), names},
        HEADER("Access-Control-Max-Age", "600"),
        HEADER("Vary", "Origin")};
    http_reply(x, 204, origin.len > 0 ? headers : headers + 1,
               COUNT(headers) - (origin.len > 0 ? 0 : 1), NULL);
    buf_deinit(&allowed);
    arena_deinit(&arena);
}

static void serve_mcp(struct http_door *door, struct http_exchange *x,
                      const struct http_request *req) {
    struct str origin = http_header(req, STR("Origin"));
    if (str_eq(req->method, STR("OPTIONS")))
        preflight(x, req, origin);
    else if (str_eq(req->method, STR("GET")))
        http_entry_admit(door, req, origin, http_session_get);
    else if (str_eq(req->method, STR("DELETE")))
        http_entry_admit(door, req, origin, http_session_delete);
    else if (!str_eq(req->method, STR("POST")))
        refuse_method(x, origin, "messages are sent by POST", STR("GET, POST, DELETE, OPTIONS"));
    else if (!is_json(req))
        refuse_type(x, origin);
    else
        http_entry_admit(door, req, origin, take_post);
}

/* "/a/mcp" has "/a/sse" and "/a/messages" beside it. */
static bool is_beside(const struct http_door *door, struct str path, struct str word) {
    for (size_t i = 0; i < door->paths.n; i++) {
        struct str root = door->paths.items[i];
        while (root.len > 0 && root.ptr[root.len - 1] != '/') root.len--;
        if (str_starts(path, root) && str_eq(str_slice(path, root.len, path.len), word))
            return true;
    }
    return false;
}

static void serve_sse(struct http_door *door, struct http_exchange *x,
                      const struct http_request *req, bool is_stream) {
    struct str origin = http_header(req, STR("Origin"));
    if (str_eq(req->method, STR("OPTIONS")))
        preflight(x, req, origin);
    else if (is_stream && !str_eq(req->method, STR("GET")))
        refuse_method(x, origin, "a stream is opened by GET", STR("GET, OPTIONS"));
    else if (!is_stream && !str_eq(req->method, STR("POST")))
        refuse_method(x, origin, "messages are sent by POST", STR("POST, OPTIONS"));
    else if (is_stream)
        http_entry_admit(door, req, origin, http_sse_open);
    else if (!is_json(req))
        refuse_type(x, origin);
    else
        http_entry_admit(door, req, origin, http_sse_post);
}

static bool is_mcp_path(const struct http_door *door, const struct http_request *req) {
    for (size_t i = 0; i < door->paths.n; i++)
        if (str_eq(door->paths.items[i], req->path)) return true;
    return str_eq(req->path, STR("/")) && str_eq(req->method, STR("POST"));
}

static bool serve_metadata(struct http_door *door, struct http_exchange *x,
                           const struct http_request *req) {
    struct snapshot *snapshot = snapshot_take(door->mcp->snapshots);
    const struct protected_resource *resource = identity_protected(snapshot->identity);
    bool is_served = oauth_serve(resource, &door->paths, x, req);
    snapshot_unref(snapshot);
    return is_served;
}

static void refuse_request(struct http_door *door, const struct http_request *req,
                           const struct refusal *why) {
    road_refused(door->mcp->road, req->peer, why->code);
    visit_refuse(req->exchange, why);
}

static bool is_for_keepers(const struct http_door *door, const struct http_request *req) {
    bool is_theirs = str_eq(req->path, STR("/admin")) || str_starts(req->path, STR("/admin/"));
    return is_theirs && door->keepers != NULL;
}

void http_door_serve(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct http_door *door = ctx;
    /* Metadata are for every page (RFC 9728; MCP 2025-06-18, Authorization Server Discovery). */
    bool is_public = str_starts(req->path, STR("/.well-known/"));
    bool is_keepers = is_for_keepers(door, req);
    struct str origin = is_public || is_keepers ? STR_NONE : http_header(req, STR("Origin"));
    enum gate_answer gate = gate_check(door->gate, req->host, origin, req->bind_is_loopback);
    if (gate != GATE_ALLOW) {
        const struct refusal why = {
            403, gate_code(gate),
            gate == GATE_HOST_NOT_ALLOWED ? "this Host is not served here"
                                          : "pages of this Origin may not call",
            .hint = "security.yaml lists allowed_hosts and allowed_origins"};
        refuse_request(door, req, &why);
    } else if (http_header_count(req, STR("Authorization")) > 1) {
        /* Two readers of such a request could take it for two people's. */
        const struct refusal why = {400, "BAD_REQUEST",
                                    "the header Authorization is given more than once",
                                    .origin = origin};
        refuse_request(door, req, &why);
    } else if (oauth_query_has_token(req->query)) {
        const struct refusal why = {400, "BAD_REQUEST", "a token in the address is not looked at",
                                    "Send the header 'Authorization: Bearer TOKEN'",
                                    .origin = origin};
        refuse_request(door, req, &why);
    } else if (is_keepers) {
        door->keepers(door->keeper, x, req);
    } else if (is_mcp_path(door, req)) {
        serve_mcp(door, x, req);
    } else if (is_beside(door, req->path, STR(HTTP_SSE_WORD))) {
        serve_sse(door, x, req, true);
    } else if (is_beside(door, req->path, STR(HTTP_MESSAGES_WORD))) {
        serve_sse(door, x, req, false);
    } else if (!serve_metadata(door, x, req) && !health_serve(door->mcp, x, req)) {
        const struct refusal why = {404, "NOT_FOUND", "there is nothing at this path",
                                    "MCP is served at /mcp", .origin = origin};
        visit_refuse(x, &why);
    }
}

void http_door_refused(void *ctx, struct str peer, int status, const char *why) {
    struct mcp *mcp = ctx;
    log_line(LOG_INFO, "http_refused", STR_NONE, "%d %s from " STR_FMT, status, why, STR_ARG(peer));
    road_refused(mcp->road, peer, "BAD_REQUEST");
}
