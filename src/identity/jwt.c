#include "identity/jwt.h"

#include "base/limits.h"
#include "text/base64.h"
#include "text/json.h"

const char *jwt_verdict_name(enum jwt_verdict verdict) {
    static const char *const names[] = {
        [JWT_MALFORMED] = "Malformed token header",
        [JWT_ALGORITHM] = "Algorithm mismatch",
        [JWT_KEY_UNKNOWN] = "JWKS verification key unavailable",
        [JWT_KEYS_ABSENT] = "Failed to get verification key",
        [JWT_SIGNATURE] = "Signature verification failed",
        [JWT_CLAIMS] = "Token decode failed",
        [JWT_NO_EXPIRY] = "Token missing expiration",
        [JWT_EXPIRED] = "Token expired",
        [JWT_NOT_YET] = "Token not valid yet",
        [JWT_ISSUER] = "Issuer mismatch",
        [JWT_AUDIENCE] = "Audience mismatch",
        [JWT_SCOPES] = "Missing required scopes",
        [JWT_PROOF] = "Token bound to a key",
        [JWT_USER] = "No authenticated user found",
        [JWT_GOOD] = "Good",
    };
    return names[verdict];
}

/* -- the three parts -------------------------------------------------------------------------- */

bool jwt_is_shaped(struct str token) {
    size_t n_dots = 0;
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] == '.') n_dots++;
    return n_dots == 2;
}

enum jwt_verdict jwt_split(struct str token, struct jwt_parts *out) {
    struct str rest = token;
    *out = (struct jwt_parts){0};
    if (token.len > TOKEN_BYTES_MAX || !jwt_is_shaped(token)) return JWT_MALFORMED;
    out->header = str_cut(&rest, '.');
    out->claims = str_cut(&rest, '.');
    out->signature = rest;
    out->signed_bytes = str_slice(token, 0, out->header.len + 1 + out->claims.len);
    return out->header.len > 0 && out->claims.len > 0 ? JWT_GOOD : JWT_MALFORMED;
}

/* An object of a part, without a member that stands twice. */
static const struct json *read_part(struct str part, struct arena *arena) {
    static const struct json_limits limits = {.bytes = TOKEN_BYTES_MAX,
                                              .depth = JWT_DEPTH_MAX,
                                              .members = JWT_MEMBERS_MAX,
                                              .string_bytes = TOKEN_BYTES_MAX};
    struct str text;
    const struct json *tree;
    if (!base64url_decode(part, arena, &text)) return NULL;
    if (json_read(text, &limits, arena, &tree, NULL).why != FAIL_NONE) return NULL;
    return tree->type == JSON_OBJECT ? tree : NULL;
}

/* RFC 9068 4, RFC 8725 3.11: a token made for another purpose (a log-out, a proof, an event) says
 * so here. RFC 7515 4.1.9: `application/` may be left out. */
static bool is_type_of_ours(const struct json *typ) {
    if (typ == NULL) return true;
    if (typ->type != JSON_STRING) return false;
    struct str name = typ->text;
    if (str_istarts(name, STR("application/"))) name = str_slice(name, 12, name.len);
    return str_ieq(name, STR("at+jwt")) || str_ieq(name, STR("JWT"));
}

enum jwt_verdict jwt_read_header(const struct jwt_parts *parts, struct arena *arena,
                                 struct jwt_header *out) {
    static const struct str refused[] = {STR_INIT("crit"), STR_INIT("b64"), STR_INIT("cty"),
                                         STR_INIT("zip"), STR_INIT("enc")};
    const struct json *header = read_part(parts->header, arena);
    *out = (struct jwt_header){0};
    if (header == NULL || !is_type_of_ours(json_get(header, STR("typ")))) return JWT_MALFORMED;
    for (size_t i = 0; i < COUNT(refused); i++)
        if (json_get(header, refused[i]) != NULL) return JWT_MALFORMED;
    const struct json *kid = json_get(header, STR("kid"));
    if (kid != NULL && (kid->type != JSON_STRING || kid->text.len > JWT_KID_BYTES_MAX))
        return JWT_MALFORMED;
    out->kid = kid == NULL ? STR_NONE : kid->text;
    out->alg = jwt_alg_named(json_get_text(header, STR("alg")));
    return out->alg == JWT_ALG_NONE ? JWT_ALGORITHM : JWT_GOOD;
}

enum jwt_verdict jwt_verify(const struct jwt_parts *parts, const struct jwk *key,
                            struct arena *arena) {
    struct str signature;
    if (!base64url_decode(parts->signature, arena, &signature)) return JWT_MALFORMED;
    return jwk_verify(key, parts->signed_bytes, signature) ? JWT_GOOD : JWT_SIGNATURE;
}

enum jwt_verdict jwt_read_claims(const struct jwt_parts *parts, struct arena *arena,
                                 const struct json **out) {
    *out = read_part(parts->claims, arena);
    return *out == NULL ? JWT_CLAIMS : JWT_GOOD;
}
