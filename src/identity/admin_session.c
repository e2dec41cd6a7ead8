#include "identity/admin_session.h"

#include "base/limits.h"
#include "base/rand.h"
#include "identity/provider.h"
#include "store/store.h"
#include "text/base64.h"
#include "text/json.h"

enum { ID_CHARS = 43 }; /* of 32 bytes as base64url */

/* -- settings --------------------------------------------------------------------------------- */

static const char *const same_sites[] = {"Strict", "Lax", NULL};

#define AT(member) offsetof(struct admin_session_settings, member)
const struct option admin_session_options[] = {
    {.name = "SESSION_COOKIE_NAME",
     .type = OPTION_TEXT,
     .offset = AT(cookie_name),
     .fallback = "weir_admin",
     .sentence = "The cookie's name; over TLS `__Host-` stands before it."},
    {.name = "SESSION_COOKIE_HTTPONLY",
     .type = OPTION_BOOL,
     .offset = AT(is_http_only),
     .fallback = "true",
     .sentence = "Known for Superset's sake: no page can read the cookie, whatever stands here."},
    {.name = "SESSION_COOKIE_SECURE",
     .type = OPTION_BOOL,
     .offset = AT(is_secure),
     .fallback = "false",
     .sentence = "True sends the cookie over TLS alone, also on loopback; elsewhere it always is."},
    {.name = "SESSION_COOKIE_SAMESITE",
     .type = OPTION_CHOICE,
     .offset = AT(same_site),
     .fallback = "Strict",
     .choices = same_sites,
     .sentence = "Whether a link from another site brings the cookie along; never anything else."},
    {.name = "PERMANENT_SESSION_LIFETIME",
     .type = OPTION_DURATION,
     .offset = AT(lifetime_ms),
     .fallback = "24h",
     .min = 60000,
     .max = ADMIN_LIFETIME_MS_MAX,
     .unit = "s",
     .sentence = "A keeper logs in again after so long, whatever happens."},
    {.name = "idle_timeout",
     .type = OPTION_DURATION,
     .offset = AT(idle_ms),
     .fallback = "30m",
     .min = 60000,
     .max = ADMIN_LIFETIME_MS_MAX,
     .unit = "s",
     .sentence = "A session that is not used for so long ends; it is looked at once a minute."},
    {.name = NULL}};
#undef AT

#define AT(member) offsetof(struct admin_csrf_settings, member)
const struct option admin_csrf_options[] = {
    {.name = "WTF_CSRF_ENABLED",
     .type = OPTION_BOOL,
     .offset = AT(is_enabled),
     .fallback = "true",
     .sentence = "Known for Superset's sake: the token is always asked for, whatever stands here."},
    {.name = "WTF_CSRF_TIME_LIMIT",
     .type = OPTION_DURATION,
     .offset = AT(time_limit_ms),
     .fallback = "0s",
     .min = 0,
     .max = ADMIN_LIFETIME_MS_MAX,
     .unit = "s",
     .sentence = "A page gets a new token after so long; 0 keeps one for the whole session."},
    {.name = NULL}};
#undef AT

/* -- records ---------------------------------------------------------------------------------- */

/* What the store holds of a session, under the hash of its id. */
struct kept {
    struct str user, client, name, host, peer, csrf;
    struct str token; /* hex of its hash; empty: the login was not by a token of auth.yaml */
    bool is_claimed;  /* the role was said by another issuer, not by enterprise.yaml */
    bool is_left;     /* it moved on to `twin` */
    struct str twin;  /* the key of what it moved to, or came from */
    int64_t created_ms, seen_ms, moved_ms, csrf_ms;
    uint64_t version; /* in the store */
};

static struct str record_of(const struct kept *k, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, ADMIN_RECORD_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("user"), k->user);
    json_put_text(&w, STR("client"), k->client);
    json_put_text(&w, STR("name"), k->name);
    json_put_text(&w, STR("host"), k->host);
    json_put_text(&w, STR("peer"), k->peer);
    json_put_text(&w, STR("csrf"), k->csrf);
    json_put_text(&w, STR("token"), k->token);
    json_put_bool(&w, STR("claimed"), k->is_claimed);
    json_put_bool(&w, STR("left"), k->is_left);
    json_put_text(&w, STR("twin"), k->twin);
    json_put_int(&w, STR("created"), k->created_ms);
    json_put_int(&w, STR("seen"), k->seen_ms);
    json_put_int(&w, STR("moved"), k->moved_ms);
    json_put_int(&w, STR("csrf_made"), k->csrf_ms);
    json_object_end(&w);
    return buf_take(&buf, arena);
}

static bool read_ms(const struct json *record, struct str key, int64_t *out) {
    const struct json *value = json_get(record, key);
    if (value == NULL || !value->is_integer) return false;
    *out = value->integer;
    return true;
}

static bool read_record(struct str text, struct arena *arena, struct kept *k) {
    const struct json *r;
    struct report unused = {0};
    if (json_read(text, NULL, arena, &r, &unused).why != FAIL_NONE) return false;
    k->user = json_get_text(r, STR("user"));
    k->client = json_get_text(r, STR("client"));
    k->name = json_get_text(r, STR("name"));
    k->host = json_get_text(r, STR("host"));
    k->peer = json_get_text(r, STR("peer"));
    k->csrf = json_get_text(r, STR("csrf"));
    k->token = json_get_text(r, STR("token"));
    k->twin = json_get_text(r, STR("twin"));
    k->is_claimed = json_is_true(json_get(r, STR("claimed")));
    k->is_left = json_is_true(json_get(r, STR("left")));
    return k->csrf.len > 0 && read_ms(r, STR("created"), &k->created_ms) &&
           read_ms(r, STR("seen"), &k->seen_ms) && read_ms(r, STR("moved"), &k->moved_ms) &&
           read_ms(r, STR("csrf_made"), &k->csrf_ms);
}

static result key_of(struct str id, struct arena *arena, struct str *out, struct report *report) {
    uint8_t hash[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    if (!digest_sha256(id, hash)) return fail_memory(report);
    hex_encode(hex, hash, sizeof hash);
    *out = str_printf(arena, "admin:session:%s", hex);
    return out->ptr == NULL ? fail_memory(report) : OK;
}

static struct str draw(struct arena *arena) {
    uint8_t bytes[ADMIN_ID_BYTES];
    rand_bytes(bytes, sizeof bytes);
    return base64url_encode((struct str){(const char *)bytes, sizeof bytes}, arena);
}

static int64_t end_of(const struct admin_sessions *s, const struct kept *k) {
    int64_t lifetime = s->settings->lifetime_ms;
    if (k->token.len == 0 && lifetime > ADMIN_CLAIMED_MS) lifetime = ADMIN_CLAIMED_MS;
    return k->created_ms + lifetime;
}

static int64_t ttl_of(const struct admin_sessions *s, const struct kept *k, int64_t now) {
    int64_t rest = end_of(s, k) - now;
    return rest < s->settings->idle_ms ? rest : s->settings->idle_ms;
}

/* One sentence, so that nobody learns which cookie once was good. */
static result unknown(struct report *report) {
    result r =
        fail(report, FAIL_DENIED, "AUTH_REQUIRED", REPORT_NO_OFFSET, "there is no such session");
    fail_hint(report, "POST /admin/api/session with an admin token opens one");
    return r;
}

static result no_store(struct report *report) {
    return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                "no store is there to keep sessions in");
}

/* -- whose it is ------------------------------------------------------------------------------ */

bool identity_has_admin(const struct identity *identity) {
    void *value;
    for (size_t i = 0; map_each(&identity->tokens, &i, NULL, &value);)
        if (principal_has_role(&((const struct identity_token *)value)->principal, ROLE_ADMIN))
            return true;
    for (size_t i = 0; map_each(&identity->users, &i, NULL, &value);) {
        const struct identity_user *user = value;
        struct principal p = {.roles = user->roles, .n_roles = user->n_roles};
        if (principal_has_role(&p, ROLE_ADMIN)) return true;
    }
    return false;
}

/* As the configuration is now, not as it was at the login. */
static result who_is(const struct identity *identity, const struct kept *k, struct arena *arena,
                     struct principal *out) {
    static const struct str claimed[] = {STR_INIT("mcp_admin")};
    uint8_t hash[DIGEST_SIZE];
    *out = (struct principal){.user_id = k->user, .client_id = k->client, .name = k->name};
    if (k->token.len > 0) {
        const struct identity_token *token =
            hex_decode(k->token, hash, sizeof hash) ? identity_token_find(identity, hash) : NULL;
        if (token != NULL) *out = token->principal;
    } else {
        if (k->is_claimed) out->roles = claimed;
        if (k->is_claimed) out->n_roles = COUNT(claimed);
        TRY(principal_join(out, identity_user_find(identity, k->user), arena));
    }
    out->auth_method = STR("admin_session");
    return principal_has_role(out, ROLE_ADMIN) ? OK : (result){FAIL_DENIED};
}

/* -- login ------------------------------------------------------------------------------------ */

/* The token alone: whatever else the request carried is not looked at. */
static struct str only_token(const void *with, struct str name) {
    return str_ieq(name, STR("Authorization")) ? *(const struct str *)with : STR_NONE;
}

static result check_token(const struct identity *identity, struct identity_state *state,
                          const struct origin *origin, struct str token, struct arena *arena,
                          struct principal *out, struct report *report) {
    struct str header = str_printf(arena, "Bearer " STR_FMT, STR_ARG(token));
    if (header.ptr == NULL) return fail_memory(report);
    struct origin bare = *origin;
    bare.header = only_token;
    bare.header_count = NULL;
    bare.with = &header;
    TRY(identity_identify(identity, state, &bare, arena, out, report));
    /* Where nobody is asked for a token, everybody would be a keeper. */
    bool is_asked = !str_eq(out->auth_method, STR("development"));
    if (is_asked && principal_has_role(out, ROLE_ADMIN)) return OK;
    return fail(report, FAIL_DENIED, "AUTH_INVALID_TOKEN", REPORT_NO_OFFSET,
                "this token is no keeper's");
}

static result describe_login(const struct identity *identity, const struct principal *p,
                             struct str token, struct arena *arena, struct kept *k) {
    uint8_t hash[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    const struct identity_user *user = identity_user_find(identity, p->user_id);
    struct principal of_user = {.roles = user == NULL ? NULL : user->roles,
                                .n_roles = user == NULL ? 0 : user->n_roles};
    if (!digest_sha256(token, hash)) return fail_memory(NULL);
    hex_encode(hex, hash, sizeof hash);
    k->user = p->user_id;
    k->client = p->client_id;
    k->name = p->name;
    k->is_claimed = !principal_has_role(&of_user, ROLE_ADMIN);
    if (identity_token_find(identity, hash) != NULL) k->token = str_dup(arena, str_of(hex));
    return arena->is_spent ? fail_memory(NULL) : OK;
}

static void fill_out(const struct admin_sessions *s, const struct kept *k,
                     struct admin_session *out) {
    out->csrf = k->csrf;
    out->created_ms = k->created_ms;
    out->seen_ms = k->seen_ms;
    out->ends_ms = end_of(s, k);
    int64_t limit = s->csrf->time_limit_ms, now = clock_wall_ms(s->clock);
    if (limit > 0 && now - k->csrf_ms > limit) out->is_csrf_over = true;
}

static result put_new(const struct admin_sessions *s, const struct kept *k, struct str key,
                      struct arena *arena, struct report *report) {
    uint64_t version;
    struct store_item item = {key, record_of(k, arena), ttl_of(s, k, clock_wall_ms(s->clock))};
    if (item.value.ptr == NULL) return fail_memory(report);
    TRY(store_put_new(s->store, &item, &version, report));
    return version != STORE_ABSENT ? OK : unknown(report); /* 256 bits drawn twice */
}

result admin_session_open(const struct admin_sessions *s, const struct identity *identity,
                          struct identity_state *state, const struct origin *origin,
                          struct str token, const struct admin_place *place, struct str old,
                          struct arena *arena, struct admin_session *out, struct report *report) {
    struct str key;
    *out = (struct admin_session){0};
    if (s->store == NULL) return no_store(report);
    TRY(check_token(identity, state, origin, token, arena, &out->principal, report));
    TRY(admin_session_end(s, old, arena, report));
    int64_t now = clock_wall_ms(s->clock);
    struct kept k = {.host = place->host,
                     .peer = place->peer,
                     .csrf = draw(arena),
                     .created_ms = now,
                     .seen_ms = now,
                     .moved_ms = now,
                     .csrf_ms = now};
    out->id = draw(arena);
    if (describe_login(identity, &out->principal, token, arena, &k).why != FAIL_NONE)
        return fail_memory(report);
    TRY(key_of(out->id, arena, &key, report));
    TRY(put_new(s, &k, key, arena, report));
    out->principal.auth_method = STR("admin_session");
    fill_out(s, &k, out);
    return OK;
}

/* -- use -------------------------------------------------------------------------------------- */

static bool is_due(const struct admin_sessions *s, const struct kept *k, int64_t now) {
    int64_t limit = s->csrf->time_limit_ms;
    return now - k->moved_ms >= ADMIN_ROTATE_MS || (limit > 0 && now - k->csrf_ms >= limit / 2);
}

/* Of many requests that find it due, the one that marks the old one moves the session. */
static result move(const struct admin_sessions *s, struct kept *k, struct str key,
                   struct arena *arena, struct admin_session *out, struct report *report) {
    int64_t now = clock_wall_ms(s->clock), limit = s->csrf->time_limit_ms;
    struct kept left = *k;
    struct str id = draw(arena);
    uint64_t version;
    TRY(key_of(id, arena, &left.twin, report));
    left.is_left = true;
    struct store_item item = {key, record_of(&left, arena), ADMIN_GRACE_MS};
    if (item.value.ptr == NULL) return fail_memory(report);
    TRY(store_swap(s->store, &item, k->version, &version, report));
    if (version == STORE_ABSENT) return OK; /* another one was first */
    k->twin = key;
    k->moved_ms = k->seen_ms = now;
    if (limit > 0 && now - k->csrf_ms >= limit / 2) {
        k->csrf = draw(arena);
        k->csrf_ms = now;
        if (k->csrf.ptr == NULL) return fail_memory(report);
    }
    TRY(put_new(s, k, left.twin, arena, report));
    out->id = id;
    return OK;
}

static result see(const struct admin_sessions *s, struct kept *k, struct str key,
                  struct arena *arena, struct report *report) {
    int64_t now = clock_wall_ms(s->clock);
    if (now - k->seen_ms < ADMIN_SEEN_MS) return OK;
    k->seen_ms = now;
    struct store_item item = {key, record_of(k, arena), ttl_of(s, k, now)};
    if (item.value.ptr == NULL) return fail_memory(report);
    return store_swap(s->store, &item, k->version, NULL, report);
}

static bool is_id(struct str id) {
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '-' && c != '_') return false;
    }
    return id.len == ID_CHARS;
}

result admin_session_find(const struct admin_sessions *s, const struct identity *identity,
                          struct str cookie, const struct admin_place *place, struct arena *arena,
                          struct admin_session *out, struct report *report) {
    struct str key;
    struct store_value value;
    struct kept k = {0};
    *out = (struct admin_session){0};
    if (!is_id(cookie)) return unknown(report);
    if (s->store == NULL) return no_store(report);
    TRY(key_of(cookie, arena, &key, report));
    TRY(store_get(s->store, key, arena, &value, report));
    if (value.version == STORE_ABSENT || !read_record(value.bytes, arena, &k))
        return unknown(report);
    k.version = value.version;
    bool is_here = str_eq(k.host, place->host) && str_eq(k.peer, place->peer);
    if (!is_here || clock_wall_ms(s->clock) >= end_of(s, &k)) return unknown(report);
    result r = who_is(identity, &k, arena, &out->principal);
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    if (r.why != FAIL_NONE) {
        out->principal = (struct principal){0};
        TRY(store_remove(s->store, key, STORE_ANY, NULL, report));
        return unknown(report);
    }
    /* Before it moves: what came with this request is judged by what it was given. */
    fill_out(s, &k, out);
    if (!k.is_left && is_due(s, &k, clock_wall_ms(s->clock)))
        return move(s, &k, key, arena, out, report);
    return k.is_left ? OK : see(s, &k, key, arena, report);
}

bool admin_session_is_csrf(const struct admin_session *session, struct str token) {
    return session->csrf.len > 0 && !session->is_csrf_over && str_eq_secret(session->csrf, token);
}

result admin_session_end(const struct admin_sessions *s, struct str cookie, struct arena *arena,
                         struct report *report) {
    struct str key;
    struct store_value value;
    struct kept k = {0};
    if (!is_id(cookie)) return OK;
    if (s->store == NULL) return no_store(report);
    TRY(key_of(cookie, arena, &key, report));
    TRY(store_take(s->store, key, arena, &value, report));
    /* The id before or behind it is the same session. */
    if (value.version == STORE_ABSENT || !read_record(value.bytes, arena, &k)) return OK;
    return k.twin.len > 0 ? store_remove(s->store, k.twin, STORE_ANY, NULL, report) : OK;
}

/* -- the cookie ------------------------------------------------------------------------------- */

static bool is_secure(const struct admin_sessions *s, const struct admin_place *place) {
    return place->is_secure || s->settings->is_secure;
}

static struct str name_of(const struct admin_sessions *s, const struct admin_place *place,
                          struct arena *arena) {
    return str_printf(arena, "%s" STR_FMT, is_secure(s, place) ? "__Host-" : "",
                      STR_ARG(s->settings->cookie_name));
}

struct str admin_cookie_read(const struct admin_sessions *s, const struct origin *origin,
                             const struct admin_place *place, struct arena *arena) {
    struct str found = STR_NONE, name = name_of(s, place, arena);
    if (name.ptr == NULL || origin->header_count(origin->with, STR("Cookie")) > 1) return STR_NONE;
    for (struct str rest = origin->header(origin->with, STR("Cookie")); rest.ptr != NULL;) {
        struct str pair = str_trim(str_cut(&rest, ';'));
        if (!str_eq(str_cut(&pair, '='), name)) continue;
        if (found.ptr != NULL) return STR_NONE;
        found = pair;
    }
    return found;
}

struct str admin_cookie_write(const struct admin_sessions *s, struct str id,
                              const struct admin_place *place, struct arena *arena) {
    bool secure = is_secure(s, place);
    return str_printf(arena, STR_FMT "=" STR_FMT "; Path=%s; HttpOnly; SameSite=%s%s%s",
                      STR_ARG(name_of(s, place, arena)), STR_ARG(id), secure ? "/" : "/admin",
                      same_sites[s->settings->same_site], secure ? "; Secure" : "",
                      id.len == 0 ? "; Max-Age=0" : "");
}
