#include "identity/jwk.h"

#include "base/limits.h"
#include "identity/jwk_inner.h"
#include "text/base64.h"
#include "text/json.h"

#include <openssl/evp.h>

/* RFC 7518 3.1, RFC 8037 3.1. */
#define ROW(text, kind, ...)                                                                       \
    { .name = STR_INIT(text), .family = kind, __VA_ARGS__ }
#define ON(jwk, openssl, size) .jwk_curve = STR_INIT(jwk), .curve = openssl, .coordinate_size = size
static const struct jwt_alg_row algs[JWT_ALG_COUNT] = {
    [JWT_RS256] = ROW("RS256", JWT_RSA, .digest = EVP_sha256),
    [JWT_RS384] = ROW("RS384", JWT_RSA, .digest = EVP_sha384),
    [JWT_RS512] = ROW("RS512", JWT_RSA, .digest = EVP_sha512),
    [JWT_PS256] = ROW("PS256", JWT_RSA_PSS, .digest = EVP_sha256),
    [JWT_PS384] = ROW("PS384", JWT_RSA_PSS, .digest = EVP_sha384),
    [JWT_PS512] = ROW("PS512", JWT_RSA_PSS, .digest = EVP_sha512),
    [JWT_ES256] = ROW("ES256", JWT_EC, .digest = EVP_sha256, ON("P-256", "prime256v1", 32)),
    [JWT_ES384] = ROW("ES384", JWT_EC, .digest = EVP_sha384, ON("P-384", "secp384r1", 48)),
    [JWT_EDDSA] = ROW("EdDSA", JWT_ED, ON("Ed25519", NULL, 32)),
    [JWT_HS256] = ROW("HS256", JWT_HMAC, .digest = EVP_sha256),
    [JWT_HS384] = ROW("HS384", JWT_HMAC, .digest = EVP_sha384),
    [JWT_HS512] = ROW("HS512", JWT_HMAC, .digest = EVP_sha512),
};
#undef ROW
#undef ON

const struct jwt_alg_row *jwt_alg_row(enum jwt_alg alg) {
    return &algs[alg];
}

enum jwt_alg jwt_alg_named(struct str name) {
    for (enum jwt_alg alg = JWT_RS256; alg < JWT_ALG_COUNT; alg++)
        if (str_eq(algs[alg].name, name)) return alg;
    return JWT_ALG_NONE;
}

bool jwt_algs_have(const struct jwt_algs *allowed, enum jwt_alg alg) {
    for (size_t i = 0; i < allowed->n; i++)
        if (allowed->items[i] == alg && alg != JWT_ALG_NONE) return true;
    return false;
}

/* -- one key of a set ------------------------------------------------------------------------- */

static bool is_kind_of(const struct json *jwk, enum jwt_alg alg) {
    struct str kty = json_get_text(jwk, STR("kty")), curve = json_get_text(jwk, STR("crv"));
    switch (algs[alg].family) {
    case JWT_FAMILY_NONE: return false;
    case JWT_RSA:
    case JWT_RSA_PSS: return str_eq(kty, STR("RSA"));
    case JWT_EC: return str_eq(kty, STR("EC")) && str_eq(curve, algs[alg].jwk_curve);
    case JWT_ED: return str_eq(kty, STR("OKP")) && str_eq(curve, algs[alg].jwk_curve);
    case JWT_HMAC: return str_eq(kty, STR("oct"));
    }
    return false;
}

static enum jwt_alg alg_of(const struct json *jwk, const struct jwt_algs *allowed) {
    const struct json *named = json_get(jwk, STR("alg"));
    for (size_t i = 0; i < allowed->n; i++) {
        enum jwt_alg alg = allowed->items[i];
        bool is_meant = named == NULL || json_is_text(named, algs[alg].name);
        if (is_meant && is_kind_of(jwk, alg)) return alg;
    }
    return JWT_ALG_NONE;
}

/* RFC 7517 4.2, 4.3: for signatures, if it says at all what it is for. */
static bool is_for_signatures(const struct json *jwk) {
    const struct json *use = json_get(jwk, STR("use")), *ops = json_get(jwk, STR("key_ops"));
    if (use != NULL && !json_is_text(use, STR("sig"))) return false;
    if (ops == NULL) return true;
    for (size_t i = 0; ops->type == JSON_ARRAY && i < ops->n; i++)
        if (json_is_text(&ops->items[i], STR("verify"))) return true;
    return false;
}

/* Whoever publishes the private half lets everybody sign. (`k` is what an oct key consists of.) */
static bool is_private(const struct json *jwk) {
    static const struct str members[] = {STR_INIT("d"),  STR_INIT("p"),  STR_INIT("q"),
                                         STR_INIT("dp"), STR_INIT("dq"), STR_INIT("qi"),
                                         STR_INIT("oth")};
    for (size_t i = 0; i < COUNT(members); i++)
        if (json_get(jwk, members[i]) != NULL) return true;
    return false;
}

static bool is_secret_enough(struct str secret) {
    return secret.len >= JWT_SECRET_BYTES_MIN && secret.len <= JWT_SECRET_BYTES_MAX;
}

/* False: left out. */
static bool read_key(const struct json *jwk, const struct jwt_algs *allowed, struct arena *arena,
                     struct jwk *out) {
    const struct json *kid = json_get(jwk, STR("kid"));
    *out = (struct jwk){.alg = alg_of(jwk, allowed)};
    if (out->alg == JWT_ALG_NONE || !is_for_signatures(jwk) || is_private(jwk)) return false;
    if (kid != NULL) {
        bool is_name = kid->type == JSON_STRING && kid->text.len <= JWT_KID_BYTES_MAX;
        out->kid = is_name ? str_dup(arena, kid->text) : STR_NONE;
        if (out->kid.ptr == NULL) return false;
    }
    if (algs[out->alg].family == JWT_HMAC) {
        struct str k = json_get_text(jwk, STR("k"));
        if (!base64url_decode(k, arena, &out->secret) || !is_secret_enough(out->secret))
            return false;
    } else {
        out->pkey = jwk_key_of_json(jwk, out->alg, arena);
        if (out->pkey == NULL) return false;
    }
    return jwk_fingerprint(out);
}

/* -- sets ------------------------------------------------------------------------------------- */

static bool are_alike(const struct jwk *a, const struct jwk *b) {
    return a->alg == b->alg && (a->kid.ptr == NULL) == (b->kid.ptr == NULL) &&
           str_eq(a->kid, b->kid);
}

/* Of keys that nobody can tell apart, none: the first would be a guess. */
static size_t drop_alike(struct jwk *keys, size_t n) {
    bool is_doubtful[JWKS_KEYS_MAX] = {false};
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            if (i != k && are_alike(&keys[i], &keys[k])) is_doubtful[i] = true;
    for (size_t i = 0; i < n; i++)
        if (!is_doubtful[i]) keys[kept++] = keys[i];
    return kept;
}

result jwk_set_read(struct str json, const struct jwt_algs *allowed, struct arena *arena,
                    struct jwk_set *out, struct report *report) {
    const struct json_limits limits = {.bytes = JWKS_BYTES_MAX,
                                       .depth = JWKS_DEPTH_MAX,
                                       .members = JWKS_MEMBERS_MAX,
                                       .string_bytes = JWKS_BYTES_MAX};
    const struct json *tree;
    *out = (struct jwk_set){0};
    TRY(json_read(json, &limits, arena, &tree, report));
    const struct json *listed = json_get(tree, STR("keys"));
    if (listed == NULL || listed->type != JSON_ARRAY)
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the set of keys has no list 'keys'");
    if (listed->n > JWKS_KEYS_MAX)
        return fail(report, FAIL_LIMIT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the set holds more than %d keys", JWKS_KEYS_MAX);
    struct jwk *keys = arena_new_array(arena, listed->n, struct jwk);
    if (keys == NULL) return fail_memory(report);
    size_t n = 0;
    for (size_t i = 0; i < listed->n; i++)
        if (read_key(&listed->items[i], allowed, arena, &keys[n])) n++;
    n = drop_alike(keys, n);
    *out = (struct jwk_set){keys, n, listed->n - n};
    return arena->is_spent ? fail_memory(report) : OK;
}

static result set_of_one(const struct jwk *key, struct arena *arena, struct jwk_set *out,
                         struct report *report) {
    struct jwk *keys = arena_new(arena, struct jwk);
    if (keys == NULL) return fail_memory(report);
    *keys = *key;
    if (!jwk_fingerprint(keys)) return fail_memory(report);
    *out = (struct jwk_set){.keys = keys, .n = 1};
    return OK;
}

result jwk_read_pem(struct str pem, const struct jwt_algs *allowed, struct arena *arena,
                    struct jwk_set *out, struct report *report) {
    *out = (struct jwk_set){0};
    if (str_find(pem, STR("PRIVATE KEY")) < pem.len)
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the key is a private one, which nobody but the issuer may have");
    struct jwk key = {.pkey = jwk_key_of_pem(pem, arena)};
    if (arena->is_spent) return fail_memory(report);
    if (key.pkey == NULL)
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the key is not one public key or certificate in PEM");
    for (size_t i = 0; i < allowed->n && key.alg == JWT_ALG_NONE; i++)
        if (jwk_key_fits(key.pkey, allowed->items[i])) key.alg = allowed->items[i];
    if (key.alg == JWT_ALG_NONE)
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the key is of another kind than the algorithms, or too weak (RSA needs %d "
                    "bits)",
                    JWT_RSA_BITS_MIN);
    return set_of_one(&key, arena, out, report);
}

result jwk_read_secret(struct str secret, const struct jwt_algs *allowed, struct arena *arena,
                       struct jwk_set *out, struct report *report) {
    struct jwk key = {.secret = secret};
    *out = (struct jwk_set){0};
    for (size_t i = 0; i < allowed->n && key.alg == JWT_ALG_NONE; i++)
        if (algs[allowed->items[i]].family == JWT_HMAC) key.alg = allowed->items[i];
    if (key.alg == JWT_ALG_NONE)
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "a shared secret needs one of the algorithms HS256, HS384, HS512");
    if (!is_secret_enough(secret))
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "a shared secret has %d to %d bytes", JWT_SECRET_BYTES_MIN,
                    JWT_SECRET_BYTES_MAX);
    /* The classic confusion: what everybody may know, taken for what nobody knows. */
    if (str_find(secret, STR("-----BEGIN ")) < secret.len)
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the shared secret is a PEM document");
    return set_of_one(&key, arena, out, report);
}

const struct jwk *jwk_find(const struct jwk_set *set, struct str kid, enum jwt_alg alg,
                           bool *knows_name) {
    bool is_alone = set->n == 1;
    *knows_name = kid.ptr == NULL && set->n > 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct jwk *key = &set->keys[i];
        bool is_called = kid.ptr != NULL && key->kid.ptr != NULL && str_eq(key->kid, kid);
        bool is_only = is_alone && (kid.ptr == NULL || key->kid.ptr == NULL);
        if (!is_called && !is_only) continue;
        *knows_name = true;
        if (key->alg == alg) return key;
    }
    return NULL;
}
