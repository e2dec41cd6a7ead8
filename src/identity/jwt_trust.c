#include "identity/jwt_trust.h"

#include "base/limits.h"
#include "identity/provider.h"
#include "identity/room.h"

/* -- rows ------------------------------------------------------------------------------------- */

struct issuer_row {
    struct bind_head head;
    struct str issuer, jwks_uri, public_key, secret, user_prefix;
    struct bind_texts algorithms, audiences, scopes, user_claims, role_claims;
};
#define AT(member) .offset = offsetof(struct issuer_row, member)
static const struct bind_key issuer_keys[] = {
    {.name = "issuer", .type = BIND_TEXT, AT(issuer), .is_required = true},
    {.name = "jwks_uri", .type = BIND_TEXT, AT(jwks_uri)},
    {.name = "public_key", .type = BIND_TEXT, AT(public_key)},
    {.name = "secret", .type = BIND_TEXT, AT(secret)},
    {.name = "user_prefix", .type = BIND_TEXT, AT(user_prefix)},
    {.name = "algorithms", .type = BIND_TEXTS, AT(algorithms), .one_is_list = true},
    {.name = "audience", .type = BIND_TEXTS, AT(audiences), .one_is_list = true},
    {.name = "required_scopes", .type = BIND_TEXTS, AT(scopes), .one_is_list = true},
    {.name = "user_claims", .type = BIND_TEXTS, AT(user_claims), .one_is_list = true},
    {.name = "role_claims", .type = BIND_TEXTS, AT(role_claims), .one_is_list = true},
    {.name = NULL}};
#undef AT
static const struct bind_kind issuer_kind = {
    .what = "an issuer", .keys = issuer_keys, .size = sizeof(struct issuer_row)};

struct issuer_rows {
    struct bind_array issuers;
};
static const struct bind_key rows_keys[] = {{.name = "issuers",
                                             .type = BIND_EACH,
                                             .offset = offsetof(struct issuer_rows, issuers),
                                             .of = &issuer_kind},
                                            {.name = NULL}};
static const struct bind_kind rows_kind = {.what = "jwt", .keys = rows_keys};

/* What is said of one trust, by the room itself or by a row of `issuers`. */
struct told {
    const struct yaml *node; /* NULL: the room */
    struct str jwks_uri, public_key, secret, user_prefix;
    struct str_list issuers, audiences, scopes, algorithms, user_claims, role_claims;
};

struct loading {
    const struct identity_sources *sources;
    const struct jwt_settings *settings;
    const struct identity *identity;
    struct arena *arena;
    struct problems *problems;
};

static void complain(const struct loading *l, const struct told *told, const char *text,
                     const char *hint) {
    bool is_row = told != NULL && told->node != NULL;
    problem_add(l->problems, SEVERITY_ERROR, is_row ? l->sources->weir_name : STR("jwt"),
                is_row ? told->node : NULL, "%s", text);
    if (hint != NULL) problem_hint(l->problems, "%s", hint);
}

static struct str_list list_of(const struct option_list *list) {
    return (struct str_list){list->items, list->n};
}

static struct str_list list_or(const struct bind_texts *texts, const struct option_list *others) {
    return texts->is_set ? (struct str_list){texts->items, texts->n} : list_of(others);
}

static struct told told_by_room(const struct jwt_settings *s) {
    return (struct told){.jwks_uri = s->jwks_uri,
                         .public_key = s->public_key,
                         .secret = s->secret,
                         .issuers = list_of(&s->issuers),
                         .audiences = list_of(&s->audiences),
                         .scopes = list_of(&s->scopes),
                         .algorithms = list_of(&s->algorithms),
                         .user_claims = list_of(&s->user_claims),
                         .role_claims = list_of(&s->role_claims)};
}

static struct told told_by_row(const struct issuer_row *row, const struct jwt_settings *s) {
    return (struct told){.node = row->head.node,
                         .jwks_uri = row->jwks_uri,
                         .public_key = row->public_key,
                         .secret = row->secret,
                         .user_prefix = row->user_prefix,
                         .issuers = {&row->issuer, 1},
                         .audiences = list_or(&row->audiences, &s->audiences),
                         .scopes = list_or(&row->scopes, &s->scopes),
                         .algorithms = list_or(&row->algorithms, &s->algorithms),
                         .user_claims = list_or(&row->user_claims, &s->user_claims),
                         .role_claims = list_or(&row->role_claims, &s->role_claims)};
}

/* -- keys and algorithms ---------------------------------------------------------------------- */

static bool read_algorithms(const struct loading *l, const struct told *told,
                            struct jwt_algs *out) {
    static const struct str usual = STR_INIT("RS256");
    struct str_list names =
        told->algorithms.n > 0 ? told->algorithms : (struct str_list){&usual, 1};
    *out = (struct jwt_algs){0};
    for (size_t i = 0; i < names.n; i++) {
        enum jwt_alg alg = jwt_alg_named(names.items[i]);
        if (alg == JWT_ALG_NONE) {
            complain(l, told, "an algorithm is none that we verify",
                     "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, HS256, HS384, "
                     "HS512");
            return false;
        }
        if (!jwt_algs_have(out, alg)) out->items[out->n++] = alg;
    }
    return true;
}

static const char KEYLESS[] =
    "tokens of issuers are to be taken, but there is no key to check them with";

static size_t count_symmetric(const struct jwt_algs *algs) {
    size_t n = 0;
    for (size_t i = 0; i < algs->n; i++)
        if (jwt_alg_row(algs->items[i])->family == JWT_HMAC) n++;
    return n;
}

/* A secret and a public key in one place are what algorithm confusion lives on. */
static bool is_one_kind(const struct loading *l, const struct told *told,
                        const struct jwt_algs *algs) {
    bool is_public = told->jwks_uri.len > 0 || told->public_key.len > 0;
    size_t n_symmetric = count_symmetric(algs);
    const char *text = NULL;
    if (!is_public && told->secret.len == 0)
        text = KEYLESS;
    else if (is_public && told->secret.len > 0)
        text = "a shared secret does not stand beside public keys";
    else if (n_symmetric > 0 && n_symmetric < algs->n)
        text = "algorithms of shared secrets and of public keys do not stand together";
    else if (is_public != (n_symmetric == 0))
        text = "the algorithms are not those of the key";
    if (text != NULL)
        complain(l, told, text,
                 "RS256 and the like need jwks_uri or public_key, HS256 and the like a secret");
    return text == NULL;
}

static result read_keys(const struct loading *l, const struct told *told,
                        const struct jwt_algs *algs, struct jwt_trust *out) {
    struct report report = {0};
    result r = OK;
    if (told->jwks_uri.len > 0) {
        if (!room_is_safe_url(told->jwks_uri))
            complain(l, told, "jwks_uri must be https://…, or http:// to this machine", NULL);
        out->source = (struct jwks_source){.url = told->jwks_uri,
                                           .algs = *algs,
                                           .ttl_ms = l->settings->keys_ttl_ms,
                                           .stale_ms = l->settings->keys_stale_ms,
                                           .pause_ms = l->settings->keys_pause_ms,
                                           .fetch = &l->identity->fetch};
    } else if (told->public_key.len > 0) {
        r = jwk_read_pem(told->public_key, algs, l->arena, &out->keys, &report);
    } else {
        r = jwk_read_secret(told->secret, algs, l->arena, &out->keys, &report);
    }
    if (r.why == FAIL_NONE || r.why == FAIL_MEMORY) return r;
    complain(l, told, report.sentence, NULL);
    return OK;
}

/* -- one trust -------------------------------------------------------------------------------- */

/* What the settings name, and our own URI. */
static result read_audiences(const struct loading *l, const struct told *told,
                             struct str_list *out) {
    struct str ours = l->identity->resource.uri;
    struct str *all = arena_new_array(l->arena, told->audiences.n + 1, struct str);
    if (all == NULL) return fail_memory(NULL);
    *out = (struct str_list){all, 0};
    for (size_t i = 0; i < told->audiences.n; i++) all[out->n++] = told->audiences.items[i];
    if (ours.len > 0) all[out->n++] = ours;
    if (out->n == 0)
        complain(l, told, "tokens are taken whomever they are for: there is no audience",
                 "set jwt.audience (MCP_JWT_AUDIENCE) or auth.resource");
    return OK;
}

static result read_trust(const struct loading *l, const struct told *told, struct jwt_trust *out) {
    static const struct str usual[] = {STR_INIT("sub"), STR_INIT("client_id"), STR_INIT("email"),
                                       STR_INIT("username")};
    struct jwt_algs algs;
    *out = (struct jwt_trust){
        .rules = {.issuers = told->issuers,
                  .scopes = told->scopes,
                  .skew_s = l->settings->clock_skew_ms / 1000},
        .reading = {.user_claims = told->user_claims.n > 0 ? told->user_claims
                                                           : (struct str_list){usual, COUNT(usual)},
                    .role_claims = told->role_claims,
                    .user_prefix = told->user_prefix,
                    .takes_unknown_users = l->settings->unknown_users == JWT_UNKNOWN_ACCEPT},
    };
    TRY(read_audiences(l, told, &out->rules.audiences));
    if (!read_algorithms(l, told, &algs) || !is_one_kind(l, told, &algs)) return OK;
    return read_keys(l, told, &algs, out);
}

/* -- all of them ------------------------------------------------------------------------------ */

static bool is_prefix_free(const struct jwt_trust *trusts, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            if (i != k && str_starts(trusts[i].reading.user_prefix, trusts[k].reading.user_prefix))
                return false;
    return true;
}

static bool has_twice(const struct jwt_trust *trusts, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(trusts[i].rules.issuers.items[0], trusts[k].rules.issuers.items[0]))
                return true;
    return false;
}

static void check_issuers(const struct loading *l, const struct jwt_trust *trusts, size_t n) {
    static const char *const hint =
        "give each a row under jwt.issuers, with a user_prefix of its own";
    for (size_t i = 0; i < n; i++) {
        if (trusts[i].rules.issuers.n > 1)
            complain(l, NULL, "several issuers could name one user alike", hint);
        if (trusts[i].rules.issuers.n == 0 && n > 1) {
            complain(l, NULL, "keys for every issuer do not stand beside those of one", hint);
            return;
        }
    }
    if (n > 1 && !is_prefix_free(trusts, n))
        complain(l, NULL, "several issuers could name one user alike", hint);
    if (n > 1 && has_twice(trusts, n)) complain(l, NULL, "one issuer stands in two places", NULL);
    if (n == 1 && trusts[0].rules.issuers.n == 0) {
        problem_add(l->problems, SEVERITY_WARNING, STR("jwt"), NULL,
                    "no issuer is named: every `iss` is good whose signature holds");
        problem_hint(l->problems, "set jwt.issuer (MCP_JWT_ISSUER)");
    }
}

static void check_users(const struct loading *l) {
    bool is_open = l->settings->unknown_users == JWT_UNKNOWN_ACCEPT;
    if (l->sources->settings->dev_username.len > 0)
        complain(l, NULL, "tokens of issuers and a development user do not stand together",
                 "leave out auth.dev_username (MCP_DEV_USERNAME)");
    if (is_open || l->identity->users.n_live > 0) return;
    problem_add(l->problems, SEVERITY_WARNING, STR("jwt"), NULL,
                "enterprise.yaml names no user, so that no token of an issuer lets anybody in");
    problem_hint(l->problems, "name them there, or set jwt.unknown_users to accept");
}

static bool is_told(const struct told *told) {
    return told->jwks_uri.len > 0 || told->public_key.len > 0 || told->secret.len > 0;
}

static result load(const struct loading *l, const struct told *room, const struct issuer_rows *rows,
                   struct jwt_trusts *out) {
    const struct issuer_row *row = rows->issuers.items;
    size_t n = rows->issuers.n;
    struct jwt_trust *trusts = arena_new_array(l->arena, n + 1, struct jwt_trust);
    if (trusts == NULL) return fail_memory(NULL);
    if (n >= JWT_ISSUERS_MAX) {
        complain(l, NULL, "there are too many issuers", NULL);
        return OK;
    }
    out->items = trusts;
    if (is_told(room)) TRY(read_trust(l, room, &trusts[out->n++]));
    for (size_t i = 0; i < n; i++) {
        struct told told = told_by_row(&row[i], l->settings);
        TRY(read_trust(l, &told, &trusts[out->n++]));
    }
    check_issuers(l, trusts, out->n);
    check_users(l);
    return OK;
}

result jwt_trusts_load(const struct identity_sources *sources, const struct identity *identity,
                       struct arena *arena, struct problems *problems, struct jwt_trusts *out) {
    const struct jwt_settings *settings = &sources->settings->jwt;
    struct loading l = {sources, settings, identity, arena, problems};
    struct told room = told_by_room(settings);
    struct issuer_rows rows = {0};
    *out = (struct jwt_trusts){.is_debug = settings->debug_errors};
    TRY(room_read_key(sources, STR("jwt"), &rows_kind, arena, problems, &rows));
    if (!sources->settings->auth_enabled) return OK;
    bool is_told_of = room.issuers.n > 0 || room.audiences.n > 0 || room.algorithms.n > 0;
    if (rows.issuers.n == 0 && !is_told(&room) && is_told_of)
        complain(&l, NULL, KEYLESS, "set jwt.jwks_uri (MCP_JWKS_URI), public_key or secret");
    return is_told(&room) || rows.issuers.n > 0 ? load(&l, &room, &rows, out) : OK;
}

const struct jwt_trust *jwt_trust_of(const struct jwt_trusts *trusts, struct str issuer) {
    for (size_t i = 0; i < trusts->n; i++) {
        const struct str_list *issuers = &trusts->items[i].rules.issuers;
        if (issuers->n == 0) return &trusts->items[i];
        for (size_t k = 0; k < issuers->n; k++)
            if (issuer.ptr != NULL && str_eq(issuers->items[k], issuer)) return &trusts->items[i];
    }
    return NULL;
}
