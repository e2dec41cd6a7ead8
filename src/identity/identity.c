#include "base/fault.h"
#include "base/option.h"
#include "identity/answers.h"
#include "identity/callout_process.h"
#include "identity/provider.h"
#include "text/bind.h"

#include <stdlib.h>

/* Asked in this order. */
static const struct identity_provider *const providers[] = {
    &provider_header_user, &provider_gateway, &provider_callout, &provider_bearer,
    &provider_development};

const struct option identity_options[] = {
    {.name = "require_auth",
     .type = OPTION_BOOL,
     .offset = offsetof(struct identity_settings, require_auth),
     .fallback = "true",
     .env = "MCP_REQUIRE_AUTH",
     .reloadable = true,
     .sentence = "Refuses callers without a credential; false is accepted only when every listener "
                 "is on loopback."},
    {.name = "auth_enabled",
     .type = OPTION_BOOL,
     .offset = offsetof(struct identity_settings, auth_enabled),
     .fallback = "true",
     .env = "MCP_AUTH_ENABLED",
     .reloadable = true,
     .sentence = "False looks at no credential and takes every caller for `dev_username`; accepted "
                 "only when every listener is on loopback."},
    {.name = "dev_username",
     .type = OPTION_TEXT,
     .offset = offsetof(struct identity_settings, dev_username),
     .fallback = "",
     .env = "MCP_DEV_USERNAME",
     .reloadable = true,
     .sentence = "Who callers without a credential are, where such callers are let in."},
    {.name = "gateway_header_enabled",
     .type = OPTION_BOOL,
     .offset = offsetof(struct identity_settings, gateway_enabled),
     .fallback = "false",
     .env = "GATEWAY_HEADER_ENABLED",
     .reloadable = true,
     .sentence =
         "Takes callers from a gateway: `X-User-Id`, `X-Client-Id`, `X-Session-Id`, signed. "
         "False passes these headers over."},
    {.name = "gateway_signature_secret",
     .type = OPTION_TEXT,
     .offset = offsetof(struct identity_settings, gateway_secret),
     .fallback = "",
     .env = "GATEWAY_SIGNATURE_SECRET",
     .reloadable = true,
     .sentence = "What the gateway signs with, at least 16 characters; behind a comma the secret "
                 "before, still accepted."},
    {.name = "gateway_trusted_peers",
     .type = OPTION_LIST,
     .offset = offsetof(struct identity_settings, gateway_peers),
     .env = "GATEWAY_TRUSTED_PEERS",
     .reloadable = true,
     .sentence = "Addresses and ranges (`10.0.0.0/8`) the gateway speaks from. Its headers from "
                 "anywhere else are refused. Without a list: this machine alone."},
    {.name = "resource",
     .type = OPTION_TEXT,
     .offset = offsetof(struct identity_settings, resource),
     .fallback = "",
     .reloadable = true,
     .sentence = "Our own URI as OAuth clients know it, `https://host/mcp`: tokens are for it, and "
                 "challenges name it. Without one it is made of the Host that was asked."},
    {.name = "resource_name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct identity_settings, resource_name),
     .fallback = "",
     .reloadable = true,
     .sentence = "What we are called where a person is asked to allow a client."},
    {.name = "authorization_servers",
     .type = OPTION_LIST,
     .offset = offsetof(struct identity_settings, authorization_servers),
     .reloadable = true,
     .sentence = "Issuers whose tokens are for us. With at least one, the metadata of RFC 9728 are "
                 "served and challenges point to them."},
    {.name = "scopes_supported",
     .type = OPTION_LIST,
     .offset = offsetof(struct identity_settings, scopes_supported),
     .reloadable = true,
     .sentence = "Scopes that a client should ask for at first."},
    {.name = NULL}};

const struct protected_resource *identity_protected(const struct identity *identity) {
    static const struct protected_resource nothing;
    return identity == NULL ? &nothing : &identity->resource;
}

result identity_state_new(struct store *store, const struct clock *clock,
                          struct identity_state **out, struct report *report) {
    struct identity_state *state = fault_now() ? NULL : calloc(1, sizeof *state);
    if (state == NULL) return fail_memory(report);
    *state = (struct identity_state){.store = store, .clock = clock};
    result r = fetcher_new(clock, &state->fetcher, report);
    if (r.why == FAIL_NONE)
        r = jwt_state_new(clock, jwks_by_fetch(state->fetcher), &state->jwt, report);
    if (r.why == FAIL_NONE) r = answers_new(clock, &state->answers, report);
    if (r.why == FAIL_NONE) r = callout_pool_new(clock, &state->callouts, report);
    if (r.why != FAIL_NONE) identity_state_free(state);
    *out = r.why == FAIL_NONE ? state : NULL;
    return r;
}

void identity_state_free(struct identity_state *state) {
    if (state == NULL) return;
    callout_pool_free(state->callouts);
    answers_free(state->answers);
    jwt_state_free(state->jwt);
    fetcher_free(state->fetcher);
    free(state);
}

struct str identifying_header(const struct identifying *who, struct str name) {
    const struct origin *origin = who->origin;
    return origin->header == NULL ? STR_NONE : origin->header(origin->with, name);
}

size_t identifying_header_count(const struct identifying *who, struct str name) {
    const struct origin *origin = who->origin;
    if (origin->header_count != NULL) return origin->header_count(origin->with, name);
    return identifying_header(who, name).ptr == NULL ? 0 : 1;
}

result identity_identify(const struct identity *identity, struct identity_state *state,
                         const struct origin *origin, struct arena *arena, struct principal *out,
                         struct report *report) {
    struct identifying who = {identity, state, origin, arena};
    *out = (struct principal){0};
    for (size_t i = 0; i < COUNT(providers); i++) {
        bool found = false;
        result r = providers[i]->identify(&who, &found, out, report);
        if (r.why != FAIL_NONE) *out = (struct principal){0}; /* nobody is half known */
        if (found || r.why != FAIL_NONE) return r;
    }
    result r =
        fail(report, FAIL_DENIED, "AUTH_REQUIRED", REPORT_NO_OFFSET, "authentication is required");
    fail_hint(report, origin->kind == ORIGIN_STDIO
                          ? "Set WEIR_TOKEN in the environment of the server."
                          : "Send the header 'Authorization: Bearer TOKEN'.");
    return r;
}

/* -- by name ---------------------------------------------------------------------------------- */

static const struct principal *first_token_of(const struct identity *identity, struct str user,
                                              struct str client) {
    const struct principal *first = NULL;
    void *value;
    for (size_t i = 0; map_each(&identity->tokens, &i, NULL, &value);) {
        const struct principal *p = &((const struct identity_token *)value)->principal;
        if (!str_eq(p->user_id, user)) continue;
        if (client.len == 0 || str_eq(p->client_id, client)) return p;
        if (first == NULL) first = p;
    }
    return first;
}

bool identity_resolve(const struct identity *identity, struct str user, struct str client,
                      struct principal *out) {
    const struct principal *of_token = first_token_of(identity, user, client);
    const struct identity_user *entry = map_get(&identity->users, user);
    if (user.len == 0 || (of_token == NULL && entry == NULL)) return false;
    if (of_token != NULL)
        *out = *of_token;
    else
        *out = (struct principal){.user_id = entry->user_id,
                                  .name = entry->name,
                                  .roles = entry->roles,
                                  .n_roles = entry->n_roles,
                                  .attributes = entry->attributes,
                                  .n_attributes = entry->n_attributes};
    if (client.len > 0) out->client_id = client;
    /* Nobody showed the token, and its rate is for those who do. */
    out->token_id = STR_NONE;
    out->rate_n = out->rate_window_s = 0;
    return true;
}

/* "did you mean": only the command line asks by name, so that telling names gives nothing away. */
static result no_such_user(const struct identity *identity, struct str user, struct arena *arena,
                           struct report *report) {
    result r = fail(report, FAIL_ABSENT, "USER_NOT_FOUND", REPORT_NO_OFFSET,
                    "no user '" STR_FMT "' in auth.yaml or enterprise.yaml", STR_ARG(user));
    size_t n = 0;
    struct str *names =
        arena_new_array(arena, identity->tokens.n_entries + identity->users.n_entries, struct str);
    if (names == NULL) return r;
    void *value;
    for (size_t i = 0; map_each(&identity->users, &i, &names[n], NULL);) n++;
    for (size_t i = 0; map_each(&identity->tokens, &i, NULL, &value);)
        names[n++] = ((const struct identity_token *)value)->principal.user_id;
    struct str near = bind_nearest(user, names, n);
    if (near.ptr != NULL) fail_hint(report, "Did you mean '" STR_FMT "'?", STR_ARG(near));
    return r;
}

result identity_named(const struct identity *identity, struct str user_at_client,
                      struct arena *arena, struct principal *out, struct report *report) {
    *out = (struct principal){0};
    struct str user = user_at_client, client = STR_NONE;
    /* A user_id may be an address: the whole is tried first, and then cut at its last `@`. */
    if (!identity_resolve(identity, user, client, out)) {
        size_t at = user.len;
        while (at > 0 && user.ptr[at - 1] != '@') at--;
        if (at > 0) {
            client = str_slice(user_at_client, at, user_at_client.len);
            user = str_slice(user_at_client, 0, at - 1);
        }
        if (!identity_resolve(identity, user, client, out))
            return no_such_user(identity, user, arena, report);
    }
    out->auth_method = STR("command_line");
    return OK;
}
