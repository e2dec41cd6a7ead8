#include "identity/jwt_judge.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "identity/jwt_cache.h"
#include "identity/provider.h"
#include "text/json.h"

#include <stdatomic.h>
#include <stdlib.h>

struct jwt_state {
    const struct clock *clock;
    struct jwks_cache *keys;
    struct jwt_cache *verified;
    _Atomic int64_t said_ms[JWT_GOOD]; /* when the log was last told of this kind */
    _Atomic uint64_t unsaid[JWT_GOOD]; /* how many came since */
};

result jwt_state_new(const struct clock *clock, struct jwks_getter getter, struct jwt_state **out,
                     struct report *report) {
    struct jwt_state *state = fault_now() ? NULL : calloc(1, sizeof *state);
    *out = NULL;
    if (state == NULL) return fail_memory(report);
    state->clock = clock;
    for (size_t i = 0; i < JWT_GOOD; i++) atomic_init(&state->said_ms[i], INT64_MIN / 2);
    result r = jwks_cache_new(clock, getter, &state->keys, report);
    if (r.why == FAIL_NONE) r = jwt_cache_new(&state->verified, report);
    if (r.why != FAIL_NONE)
        jwt_state_free(state);
    else
        *out = state;
    return r;
}

void jwt_state_free(struct jwt_state *state) {
    if (state == NULL) return;
    jwks_cache_free(state->keys);
    jwt_cache_free(state->verified);
    free(state);
}

/* One token on its way. */
struct judging {
    const struct identifying *who;
    struct jwt_state *state;
    const struct jwt_trust *trust;
    struct jwt_parts parts;
    struct jwt_header header; /* read only when the signature has to be checked */
    const struct json *claims;
    uint8_t hash[DIGEST_SIZE]; /* of the token */
    struct jwks_loan loan;     /* of keys; given back at the end */
    bool must_wait;
};

/* -- the signature ---------------------------------------------------------------------------- */

static const struct jwk_set *keys_of(const struct judging *j) {
    return j->trust->source.url.len > 0 ? j->loan.set : &j->trust->keys;
}

/* Takes the set, or one newer than that which we have. */
static bool borrow(struct judging *j, uint64_t newer_than) {
    if (j->trust->source.url.len == 0) return newer_than == 0;
    jwks_return(&j->loan);
    enum jwks_answer answer = jwks_borrow(j->state->keys, &j->trust->source, newer_than,
                                          j->who->origin->may_wait, &j->loan);
    j->must_wait = answer == JWKS_WAIT;
    return answer == JWKS_GIVEN;
}

/* Was it checked before, by a key that is trusted to this moment? */
static bool is_verified(const struct judging *j) {
    uint8_t key[JWT_CACHE_KEY_SIZE];
    const struct jwk_set *keys = keys_of(j);
    if (!jwt_cache_find(j->state->verified, j->hash, key)) return false;
    for (size_t i = 0; i < keys->n; i++)
        if (memcmp(keys->keys[i].fingerprint, key, sizeof key) == 0) return true;
    return false;
}

static enum jwt_verdict find_key(struct judging *j, const struct jwk **out) {
    bool knows;
    *out = jwk_find(keys_of(j), j->header.kid, j->header.alg, &knows);
    if (*out == NULL && !knows) {
        /* The issuer may have changed its keys. */
        if (!borrow(j, j->loan.version)) return JWT_KEY_UNKNOWN;
        *out = jwk_find(keys_of(j), j->header.kid, j->header.alg, &knows);
    }
    if (*out != NULL) return JWT_GOOD;
    return knows ? JWT_ALGORITHM : JWT_KEY_UNKNOWN;
}

static enum jwt_verdict verify(struct judging *j) {
    const struct jwk *key;
    if (is_verified(j)) return JWT_GOOD;
    enum jwt_verdict verdict = jwt_read_header(&j->parts, j->who->arena, &j->header);
    if (verdict == JWT_GOOD) verdict = find_key(j, &key);
    if (verdict == JWT_GOOD) verdict = jwt_verify(&j->parts, key, j->who->arena);
    if (verdict != JWT_GOOD) return verdict;
    jwt_cache_keep(j->state->verified, j->hash, key->fingerprint);
    return JWT_GOOD;
}

static enum jwt_verdict examine(struct judging *j, struct str token) {
    struct arena *arena = j->who->arena;
    enum jwt_verdict verdict = jwt_split(token, &j->parts);
    if (verdict == JWT_GOOD) verdict = jwt_read_claims(&j->parts, arena, &j->claims);
    if (verdict != JWT_GOOD) return verdict;
    /* Who signs is said by the token, and only then looked up: it trusts nothing by itself. */
    j->trust = jwt_trust_of(&j->who->identity->jwt, json_get_text(j->claims, STR("iss")));
    if (j->trust == NULL) return JWT_ISSUER;
    if (!borrow(j, 0)) return JWT_KEYS_ABSENT;
    verdict = verify(j);
    if (verdict != JWT_GOOD) return verdict;
    int64_t now_s = clock_wall_ms(j->state->clock) / 1000;
    return jwt_judge(j->claims, &j->trust->rules, now_s, arena);
}

/* -- a refusal -------------------------------------------------------------------------------- */

static struct str path_of(const struct identifying *who) {
    struct str target = who->origin->target;
    return str_slice(target, 0, str_find_byte(target, '?'));
}

static void tell_log(const struct judging *j, enum jwt_verdict verdict) {
    int64_t now = clock_mono_ns(j->state->clock) / 1000000;
    int64_t said = atomic_load(&j->state->said_ms[verdict]);
    struct str agent = utf8_clip(identifying_header(j->who, STR("user-agent")), 120);
    struct str path = utf8_clip(path_of(j->who), 120);
    if (j->who->identity->jwt.is_debug)
        log_line(LOG_DEBUG, "jwt_refused_values", STR_NONE,
                 "iss '" STR_FMT "', kid '" STR_FMT "', alg " STR_FMT,
                 STR_ARG(utf8_clip(json_get_text(j->claims, STR("iss")), 256)),
                 STR_ARG(j->header.kid), STR_ARG(jwt_alg_row(j->header.alg)->name));
    if (now - said < JWT_LOG_PAUSE_MS ||
        !atomic_compare_exchange_strong(&j->state->said_ms[verdict], &said, now)) {
        atomic_fetch_add(&j->state->unsaid[verdict], 1);
        return;
    }
    unsigned long long unsaid = atomic_exchange(&j->state->unsaid[verdict], 0);
    log_line(LOG_WARN, "jwt_refused", STR_NONE,
             "%s; peer " STR_FMT ", path " STR_FMT ", agent " STR_FMT "; %llu alike before it",
             jwt_verdict_name(verdict), STR_ARG(j->who->origin->peer), STR_ARG(path),
             STR_ARG(agent), unsaid);
}

static result refuse(const struct judging *j, enum jwt_verdict verdict, struct report *report) {
    tell_log(j, verdict);
    if (verdict == JWT_KEYS_ABSENT) {
        result r = fail(report, FAIL_IO, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                        "who could tell whose token it is does not answer");
        fail_hint(report, "Try again in a few seconds with the same token.");
        return r;
    }
    return token_refuse_claims(report, verdict);
}

/* -- the whole -------------------------------------------------------------------------------- */

static result judge(struct judging *j, struct str token, struct principal *out,
                    struct report *report) {
    if (!digest_sha256(token, j->hash)) return fail_memory(report);
    enum jwt_verdict verdict = examine(j, token);
    if (j->must_wait) return (result){FAIL_WAIT};
    if (verdict == JWT_GOOD) verdict = claims_principal(j->who, j->claims, &j->trust->reading, out);
    out->auth_method = STR("jwt");
    out->token_id = token_shown_hash(j->hash, j->who->arena);
    if (j->who->arena->is_spent) return fail_memory(report);
    return verdict == JWT_GOOD ? OK : refuse(j, verdict, report);
}

static result judge_token(const struct identifying *who, struct str token, bool *is_known,
                          struct principal *out, struct report *report) {
    struct judging j = {.who = who, .state = who->state == NULL ? NULL : who->state->jwt};
    struct principal made = {0};
    if (who->identity->jwt.n == 0 || j.state == NULL || !jwt_is_shaped(token)) return OK;
    result r = judge(&j, token, &made, report);
    jwks_return(&j.loan);
    if (r.why != FAIL_NONE) return r;
    *is_known = true;
    *out = made;
    return OK;
}

const struct token_judge judge_jwt = {"jwt", judge_token};
