#include "mcp/oauth.h"

#include "base/limits.h"
#include "text/json.h"

#define WELL_KNOWN "/.well-known/oauth-protected-resource"
#define HEADER(name, value)                                                                        \
    { STR_INIT(name), STR_INIT(value) }

/* -- our URI ---------------------------------------------------------------------------------- */

static bool has(const struct option_list *paths, struct str path) {
    for (size_t i = 0; i < paths->n; i++)
        if (str_eq(paths->items[i], path)) return true;
    return false;
}

/* What a Host may be made of, so that nothing else gets into a header. */
static bool is_host(struct str host) {
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && strchr("-._:[]", c) == NULL) return false;
    }
    return host.len > 0;
}

/* "https://host:8443" in small letters. */
static struct str origin_of(const struct protected_resource *resource,
                            const struct http_request *req, struct arena *arena) {
    if (resource->uri.len > 0) return protected_origin(resource->uri);
    if (!is_host(req->host)) return STR_NONE;
    return str_lower(
        arena, str_printf(arena, "http%s://" STR_FMT, req->is_tls ? "s" : "", STR_ARG(req->host)));
}

/* The path of our URI for a request at `path`: another than those of MCP means the first of them.
 */
static struct str path_of(const struct protected_resource *resource,
                          const struct option_list *paths, struct str path) {
    if (resource->uri.len > 0) return protected_path(resource->uri);
    if (has(paths, path) || paths->n == 0) return path;
    return paths->items[0];
}

/* -- metadata --------------------------------------------------------------------------------- */

static void put_list(struct json_writer *w, const char *key, const struct option_list *list) {
    if (list->n == 0) return;
    json_key(w, str_of(key));
    json_array(w);
    for (size_t i = 0; i < list->n; i++) json_text(w, list->items[i]);
    json_array_end(w);
}

static void put_metadata(const struct protected_resource *resource, struct str uri,
                         struct buf *body) {
    struct json_writer w;
    json_writer_init(&w, body);
    json_object(&w);
    json_put_text(&w, STR("resource"), uri);
    put_list(&w, "authorization_servers", &resource->servers);
    put_list(&w, "scopes_supported", &resource->scopes);
    json_key(&w, STR("bearer_methods_supported"));
    json_raw_value(&w, STR("[\"header\"]"));
    if (resource->name.len > 0) json_put_text(&w, STR("resource_name"), resource->name);
    json_object_end(&w);
}

/* For every page: nothing here is anybody's secret. */
static void tell(const struct protected_resource *resource, struct str uri,
                 struct http_exchange *x) {
    static const struct http_header headers[] = {HEADER("Content-Type", "application/json"),
                                                 HEADER("Access-Control-Allow-Origin", "*"),
                                                 HEADER("Cache-Control", "no-cache")};
    struct buf body;
    buf_init(&body, METADATA_BYTES_MAX);
    put_metadata(resource, uri, &body);
    http_reply(x, 200, headers, COUNT(headers), &body);
    buf_deinit(&body);
}

static void preflight(struct http_exchange *x) {
    static const struct http_header headers[] = {
        HEADER("Access-Control-Allow-Origin", "*"),
        HEADER("Access-Control-Allow-Methods", "GET, OPTIONS"),
        HEADER("Access-Control-Allow-Headers", "MCP-Protocol-Version"),
        HEADER("Access-Control-Max-Age", "600")};
    http_reply(x, 204, headers, COUNT(headers), NULL);
}

bool oauth_serve(const struct protected_resource *resource, const struct option_list *paths,
                 struct http_exchange *x, const struct http_request *req) {
    if (resource->servers.n == 0 || !str_starts(req->path, STR(WELL_KNOWN))) return false;
    struct str path = str_slice(req->path, strlen(WELL_KNOWN), req->path.len);
    bool is_ours = path.len == 0 || has(paths, path) ||
                   (resource->uri.len > 0 && str_eq(path, protected_path(resource->uri)));
    bool is_get = str_eq(req->method, STR("GET")) || str_eq(req->method, STR("HEAD"));
    if (!is_ours || (!is_get && !str_eq(req->method, STR("OPTIONS")))) return false;
    if (!is_get) {
        preflight(x);
        return true;
    }
    struct arena arena;
    arena_init(&arena, METADATA_BYTES_MAX);
    struct str origin = origin_of(resource, req, &arena);
    struct str uri = str_printf(&arena, STR_FMT STR_FMT, STR_ARG(origin),
                                STR_ARG(path_of(resource, paths, path)));
    bool is_whole = origin.len > 0 && uri.ptr != NULL;
    if (is_whole) tell(resource, uri, x);
    arena_deinit(&arena);
    return is_whole;
}

/* -- challenges ------------------------------------------------------------------------------- */

struct str oauth_metadata_uri(const struct protected_resource *resource,
                              const struct option_list *paths, const struct http_request *req,
                              struct arena *arena) {
    if (resource->servers.n == 0) return STR_NONE;
    struct str origin = origin_of(resource, req, arena);
    if (origin.len == 0) return STR_NONE;
    return str_printf(arena, STR_FMT WELL_KNOWN STR_FMT, STR_ARG(origin),
                      STR_ARG(path_of(resource, paths, req->path)));
}

/* What a quoted-string would need an escape for is a blank: descriptions are for people. */
static void put_parameter(struct buf *out, const char *name, struct str value) {
    if (value.len == 0) return;
    buf_addf(out, ", %s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool is_safe = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
        buf_add_byte(out, is_safe ? c : ' ');
    }
    buf_add_byte(out, '"');
}

struct str oauth_challenge(const struct challenge *challenge, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, METADATA_BYTES_MAX);
    buf_add(&buf, STR("Bearer realm=\"weir\""));
    put_parameter(&buf, "error", str_of(challenge->error));
    put_parameter(&buf, "error_description", challenge->description);
    put_parameter(&buf, "resource_metadata", challenge->metadata);
    put_parameter(&buf, "scope", challenge->scope);
    return buf_take(&buf, arena);
}

struct str oauth_first_scopes(const struct protected_resource *resource, struct arena *arena) {
    struct str all = STR_NONE;
    for (size_t i = 0; i < resource->scopes.n && (i == 0 || all.ptr != NULL); i++)
        all = str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(all), i > 0 ? " " : "",
                         STR_ARG(resource->scopes.items[i]));
    return all;
}

bool oauth_query_has_token(struct str query) {
    for (struct str rest = query; rest.ptr != NULL;) {
        struct str parameter = str_cut(&rest, '&');
        if (str_ieq(str_cut(&parameter, '='), STR("access_token"))) return true;
    }
    return false;
}
