#include "identity/gateway.h"

#include "base/limits.h"
#include "base/rand.h"
#include "identity/hmac.h"
#include "identity/provider.h"
#include "store/store.h"
#include "text/bind.h"

#define USER_HEADER      STR("X-User-Id")
#define CLIENT_HEADER    STR("X-Client-Id")
#define SESSION_HEADER   STR("X-Session-Id")
#define TIMESTAMP_HEADER STR("X-Timestamp")
#define NONCE_HEADER     STR("X-Nonce")
#define SIGNATURE_HEADER STR("X-Signature")

/* -- settings --------------------------------------------------------------------------------- */

static void complain(struct problems *problems, const char *what) {
    problem_add(problems, SEVERITY_ERROR, STR("auth"), NULL, "gateway_signature_secret %s", what);
    problem_hint(problems, "`openssl rand -hex 32` makes one; GATEWAY_SIGNATURE_SECRET gives it");
}

static void read_secrets(struct str text, struct problems *problems, struct gateway *out) {
    for (struct str rest = text; rest.len > 0;) {
        struct str secret = str_trim(str_cut(&rest, ','));
        if (out->n_secrets == GATEWAY_GENERATIONS) {
            complain(problems, "has more than two generations");
            return;
        }
        if (secret.len < GATEWAY_SECRET_BYTES_MIN || secret.len > SECRET_BYTES_MAX)
            complain(problems, "is too short, or too long");
        out->secrets[out->n_secrets++] = secret;
    }
    if (out->n_secrets == 0)
        complain(problems, "is not set, and without it no header can be trusted");
}

result gateway_load(const struct identity_sources *sources, struct arena *arena,
                    struct problems *problems, struct gateway *out) {
    const struct identity_settings *settings = sources->settings;
    *out = (struct gateway){.is_on = settings->gateway_enabled && settings->auth_enabled};
    TRY(gateway_peers_load(&settings->gateway_peers, arena, problems, &out->peers));
    if (settings->gateway_enabled) read_secrets(settings->gateway_secret, problems, out);
    return OK;
}

/* -- the signature ---------------------------------------------------------------------------- */

bool gateway_sign(struct str secret, const struct gateway_signed *what, struct arena *arena,
                  char out[GATEWAY_SIGNATURE_SIZE]) {
    uint8_t hash[DIGEST_SIZE];
    char body[2 * DIGEST_SIZE + 1];
    if (!digest_sha256(what->body, hash)) return false;
    hex_encode(body, hash, sizeof hash);
    struct str text =
        str_printf(arena,
                   "v1\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT
                   "\n" STR_FMT "\n%s",
                   STR_ARG(what->method), STR_ARG(what->target), STR_ARG(what->timestamp),
                   STR_ARG(what->nonce), STR_ARG(what->user), STR_ARG(what->client),
                   STR_ARG(what->session), body);
    if (text.ptr == NULL || !hmac_sha256(secret, text, hash)) return false;
    hex_encode(out, hash, sizeof hash);
    return true;
}

/* -- what came -------------------------------------------------------------------------------- */

static result refuse(struct report *report, const char *sentence) {
    return fail(report, FAIL_DENIED, "SIGNATURE_INVALID", REPORT_NO_OFFSET, "%s", sentence);
}

/* One that stands twice is two answers to one question. An empty one would be signed as if it were
 * not there. */
static result read_header(const struct identifying *who, struct str name, struct str *out,
                          struct report *report) {
    size_t n = identifying_header_count(who, name);
    *out = n > 0 ? identifying_header(who, name) : STR_NONE;
    if (n > 1 || (n == 1 && out->len == 0))
        return fail(report, FAIL_DENIED, "SIGNATURE_INVALID", REPORT_NO_OFFSET,
                    "the header " STR_FMT " is empty, or given more than once", STR_ARG(name));
    return OK;
}

/* A comma would be how a proxy joins two headers of one name. */
static bool is_claim(struct str value) {
    return bind_is_name(value) && str_find_byte(value, ',') == value.len;
}

static result read_claim(const struct identifying *who, struct str name, struct str *out,
                         struct report *report) {
    TRY(read_header(who, name, out, report));
    if (out->ptr == NULL || is_claim(*out)) return OK;
    return fail(report, FAIL_DENIED, "SIGNATURE_INVALID", REPORT_NO_OFFSET,
                "the header " STR_FMT " holds no name that is accepted", STR_ARG(name));
}

static bool is_nonce(struct str nonce) {
    if (nonce.len < GATEWAY_NONCE_BYTES_MIN || nonce.len > GATEWAY_NONCE_BYTES_MAX) return false;
    for (size_t i = 0; i < nonce.len; i++) {
        char c = nonce.ptr[i];
        bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '_' && c != '-') return false;
    }
    return true;
}

static result read_request(const struct identifying *who, struct str user_header,
                           struct gateway_signed *out, struct str *signature,
                           struct report *report) {
    *out = (struct gateway_signed){
        .method = who->origin->method, .target = who->origin->target, .body = who->origin->body};
    TRY(read_claim(who, user_header, &out->user, report));
    TRY(read_claim(who, CLIENT_HEADER, &out->client, report));
    TRY(read_claim(who, SESSION_HEADER, &out->session, report));
    TRY(read_header(who, TIMESTAMP_HEADER, &out->timestamp, report));
    TRY(read_header(who, NONCE_HEADER, &out->nonce, report));
    TRY(read_header(who, SIGNATURE_HEADER, signature, report));
    if (out->user.len == 0) return refuse(report, "the gateway names no user");
    if (!is_nonce(out->nonce))
        return refuse(report, "the header X-Nonce is no 16 to 128 letters, digits, '_' and '-'");
    return OK;
}

/* Whoever shows two credentials may be two people to two readers. */
static result check_alone(const struct identifying *who, struct str user_header,
                          struct report *report) {
    if (!gateway_peers_trust(&who->identity->gateway.peers, who->origin))
        return refuse(report, "headers that name a user are taken from the gateway alone");
    bool is_other_kind = !str_ieq(user_header, USER_HEADER);
    if (identifying_header_count(who, STR("Authorization")) > 0 ||
        (is_other_kind && identifying_header_count(who, USER_HEADER) > 0))
        return refuse(report, "headers that name a user stand beside another credential");
    return OK;
}

/* -- checks ----------------------------------------------------------------------------------- */

static result check_signature(const struct identifying *who, const struct gateway_signed *what,
                              struct str signature, struct report *report) {
    const struct gateway *gateway = &who->identity->gateway;
    bool is_good = false;
    for (size_t i = 0; i < gateway->n_secrets; i++) {
        char ours[GATEWAY_SIGNATURE_SIZE];
        if (!gateway_sign(gateway->secrets[i], what, who->arena, ours)) return fail_memory(report);
        is_good |= str_eq_secret((struct str){ours, GATEWAY_SIGNATURE_SIZE - 1}, signature);
    }
    return is_good ? OK : refuse(report, "the gateway's signature does not fit the request");
}

/* In milliseconds, so that the nonce is surely kept as long as the time is good. */
static result check_time(const struct identifying *who, struct str timestamp,
                         struct report *report) {
    int64_t seconds = 0, now = clock_wall_ms(who->state->clock);
    bool is_time = timestamp.len > 0 && timestamp.len <= GATEWAY_TIMESTAMP_BYTES_MAX &&
                   timestamp.ptr[0] != '-' && str_to_i64(timestamp, &seconds);
    int64_t skew = now - seconds * 1000;
    if (is_time && skew <= GATEWAY_SKEW_MS && skew >= -GATEWAY_SKEW_MS) return OK;
    return refuse(report, "the header X-Timestamp is no time in Unix seconds near ours");
}

result gateway_check(const struct identifying *who, struct str user_header,
                     struct gateway_claim *out, struct report *report) {
    struct gateway_signed what;
    struct str signature;
    TRY(check_alone(who, user_header, report));
    TRY(read_request(who, user_header, &what, &signature, report));
    TRY(check_signature(who, &what, signature, report));
    if (who->state == NULL) return refuse(report, "there is no clock to judge the request by");
    TRY(check_time(who, what.timestamp, report));
    *out = (struct gateway_claim){what.user, what.client, what.session};
    return OK;
}

result gateway_use_nonce(const struct identifying *who, struct report *report) {
    struct store *store = who->state->store;
    uint64_t version;
    if (store == NULL)
        return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                    "no store is there to keep the request's nonce in");
    if (!who->origin->may_wait) return (result){FAIL_WAIT};
    struct str key = str_printf(who->arena, "gateway:nonce:" STR_FMT,
                                STR_ARG(identifying_header(who, NONCE_HEADER)));
    if (key.ptr == NULL) return fail_memory(report);
    struct store_item item = {.key = key, .ttl_ms = GATEWAY_NONCE_MS};
    TRY(store_put_new(store, &item, &version, report));
    if (version != STORE_ABSENT) return OK;
    return fail(report, FAIL_DENIED, "NONCE_REPLAYED", REPORT_NO_OFFSET,
                "the request was made before: its nonce is used up");
}

/* -- who it is -------------------------------------------------------------------------------- */

/* A session of the gateway's, as a log may show it. */
static result name_session(struct str session, struct arena *arena, struct str *out) {
    uint8_t hash[DIGEST_SIZE];
    char hex[13];
    if (session.len == 0) return OK;
    if (!digest_sha256(session, hash)) return fail_memory(NULL);
    hex_encode(hex, hash, 6);
    *out = str_printf(arena, "gws_%s", hex);
    return out->ptr == NULL ? fail_memory(NULL) : OK;
}

result gateway_admit(const struct identifying *who, const struct identity_user *user,
                     const struct gateway_claim *claim, struct str auth_method,
                     struct principal *out, struct report *report) {
    if (user == NULL)
        return fail(report, FAIL_DENIED, "AUTH_INVALID_TOKEN", REPORT_NO_OFFSET,
                    "the user whom the gateway names is not known here");
    *out = (struct principal){.user_id = user->user_id,
                              .client_id = str_dup(who->arena, claim->client),
                              .auth_method = auth_method};
    if (claim->client.len > 0 && out->client_id.ptr == NULL) return fail_memory(report);
    if (name_session(claim->session, who->arena, &out->token_id).why != FAIL_NONE)
        return fail_memory(report);
    return principal_join(out, user, who->arena);
}

/* -- the provider ----------------------------------------------------------------------------- */

static bool is_claimed(const struct identifying *who) {
    static const struct str names[] = {STR_INIT("X-User-Id"), STR_INIT("X-Client-Id"),
                                       STR_INIT("X-Session-Id"), STR_INIT("X-Signature")};
    for (size_t i = 0; i < COUNT(names); i++)
        if (identifying_header_count(who, names[i]) > 0) return true;
    return false;
}

static result gateway_identify(const struct identifying *who, bool *found, struct principal *out,
                               struct report *report) {
    struct gateway_claim claim;
    if (!who->identity->gateway.is_on || who->origin->kind != ORIGIN_HTTP) return OK;
    *found = is_claimed(who);
    if (!*found) return OK;
    TRY(gateway_check(who, USER_HEADER, &claim, report));
    const struct identity_user *user = identity_user_find(who->identity, claim.user);
    TRY(gateway_admit(who, user, &claim, STR("gateway_header"), out, report));
    return gateway_use_nonce(who, report);
}

const struct identity_provider provider_gateway = {"gateway", gateway_identify};
