#include "identity/protected.h"

#include "identity/room.h"
#include "text/glob.h"

const char *const identity_maps[] = {"tool_scopes", NULL};

/* -- URIs ------------------------------------------------------------------------------------- */

struct str protected_origin(struct str uri) {
    size_t at = str_find(uri, STR("://"));
    at = at == uri.len ? 0 : at + 3;
    while (at < uri.len && uri.ptr[at] != '/') at++;
    return str_slice(uri, 0, at);
}

struct str protected_path(struct str uri) {
    return str_slice(uri, protected_origin(uri).len, uri.len);
}

/* Letters that a header and a comparison take as they are: no blank, quote or escape, no query, no
 * fragment. */
static bool is_plain(struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_safe = c > ' ' && c < 0x7f;
        if (!is_safe || strchr("\"\\#?<>@", c) != NULL) return false;
    }
    return text.len > 0;
}

static bool has_capitals(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z') return true;
    return false;
}

/* https, or http to this machine; scheme and host in small letters. */
static bool is_canonical(struct str uri) {
    struct str origin = protected_origin(uri);
    bool is_safe = str_starts(origin, STR("https://"));
    struct str authority = str_slice(origin, is_safe ? 8 : 7, origin.len);
    if (!is_plain(uri) || has_capitals(origin) || authority.len == 0) return false;
    return is_safe || (str_starts(origin, STR("http://")) && room_is_this_machine(authority));
}

/* scope-token of RFC 6749, 3.3. */
static bool is_scope(struct str scope) {
    for (size_t i = 0; i < scope.len; i++) {
        char c = scope.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\') return false;
    }
    return scope.len > 0;
}

/* -- loading ---------------------------------------------------------------------------------- */

static void check_uris(const struct protected_resource *r, struct problems *problems) {
    bool ends_in_slash = r->uri.len > 0 && r->uri.ptr[r->uri.len - 1] == '/';
    if (r->uri.len > 0 && (!is_canonical(r->uri) || ends_in_slash))
        problem_add(problems, SEVERITY_ERROR, STR("auth"), NULL,
                    "resource must be https://host[:port][/path] in small letters, without a "
                    "slash at its end (http:// on this machine alone)");
    for (size_t i = 0; i < r->servers.n; i++)
        if (!is_canonical(r->servers.items[i]))
            problem_add(problems, SEVERITY_ERROR, STR("auth"), NULL,
                        "authorization_servers must be https://host[:port][/path] (http:// on "
                        "this machine alone)");
}

static void check_scope(struct str scope, struct problems *problems) {
    if (!is_scope(scope))
        problem_add(problems, SEVERITY_ERROR, STR("auth"), NULL,
                    "a scope is of visible ASCII, without quote and backslash");
    else if (str_eq(scope, STR("offline_access")))
        problem_add(problems, SEVERITY_ERROR, STR("auth"), NULL,
                    "offline_access is a matter of the authorization server, not a scope of ours");
}

struct scope_row {
    struct bind_head head;
    struct bind_texts scopes;
};
static const struct bind_key row_value = {.name = "tool_scopes",
                                          .type = BIND_TEXTS,
                                          .offset = offsetof(struct scope_row, scopes),
                                          .one_is_list = true};
static const struct bind_kind row_kind = {
    .what = "scopes of a tool", .value = &row_value, .size = sizeof(struct scope_row)};

struct scope_rows {
    struct bind_array rows;
};
static const struct bind_key rows_keys[] = {{.name = "tool_scopes",
                                             .type = BIND_EACH,
                                             .offset = offsetof(struct scope_rows, rows),
                                             .of = &row_kind},
                                            {.name = NULL}};
static const struct bind_kind rows_kind = {.what = "auth", .keys = rows_keys};

result protected_load(const struct identity_sources *sources, struct arena *arena,
                      struct problems *problems, struct protected_resource *out) {
    const struct identity_settings *settings = sources->settings;
    struct scope_rows read = {0};
    *out = (struct protected_resource){.uri = settings->resource,
                                       .name = settings->resource_name,
                                       .servers = settings->authorization_servers,
                                       .scopes = settings->scopes_supported};
    TRY(room_read_key(sources, STR("auth"), &rows_kind, arena, problems, &read));
    const struct scope_row *row = read.rows.items;
    struct scope_rule *rules = arena_new_array(arena, read.rows.n, struct scope_rule);
    if (rules == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < read.rows.n; i++) {
        rules[i] = (struct scope_rule){row[i].head.id, row[i].scopes.items, row[i].scopes.n};
        for (size_t s = 0; s < rules[i].n; s++) check_scope(rules[i].scopes[s], problems);
    }
    out->rules = rules;
    out->n_rules = read.rows.n;
    for (size_t i = 0; i < out->scopes.n; i++) check_scope(out->scopes.items[i], problems);
    check_uris(out, problems);
    return OK;
}

/* -- asking ----------------------------------------------------------------------------------- */

bool protected_is_audience(const struct protected_resource *resource, struct str audience) {
    return resource->uri.len > 0 && str_eq(resource->uri, audience);
}

static bool holds(const struct name_set *set, struct str scope) {
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->items[i], scope)) return true;
    return !set->is_set;
}

/* A word of a text of words. */
static bool has_word(struct str words, struct str word) {
    for (struct str rest = words; rest.ptr != NULL;)
        if (str_eq(str_cut(&rest, ' '), word)) return true;
    return false;
}

struct str protected_scopes(const struct protected_resource *resource, struct str tool,
                            struct arena *arena) {
    struct str all = STR("");
    for (size_t i = 0; i < resource->n_rules; i++) {
        const struct scope_rule *rule = &resource->rules[i];
        for (size_t s = 0; s < rule->n && glob_match(rule->tools, tool); s++) {
            if (has_word(all, rule->scopes[s])) continue;
            all = str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(all), all.len > 0 ? " " : "",
                             STR_ARG(rule->scopes[s]));
            if (all.ptr == NULL) return STR_NONE;
        }
    }
    return all;
}

bool protected_may_use(const struct protected_resource *resource, const struct principal *principal,
                       struct str tool) {
    for (size_t i = 0; i < resource->n_rules; i++) {
        const struct scope_rule *rule = &resource->rules[i];
        if (!glob_match(rule->tools, tool)) continue;
        for (size_t s = 0; s < rule->n; s++)
            if (!holds(&principal->scopes, rule->scopes[s])) return false;
    }
    return true;
}
