/* Parts of a key, or PEM, become OpenSSL's key, and are checked. */
#include "base/fault.h"
#include "base/limits.h"
#include "identity/jwk_inner.h"
#include "text/base64.h"
#include "text/json.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static void free_pkey(void *pkey) {
    EVP_PKEY_free(pkey);
}

/* The arena's from now on. NULL stays NULL. */
static EVP_PKEY *keep(EVP_PKEY *pkey, struct arena *arena) {
    ERR_clear_error();
    if (pkey == NULL || arena_defer(arena, free_pkey, pkey)) return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM *params) {
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    bool is_made = ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
                   EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_made ? pkey : NULL;
}

static bool part(const struct json *jwk, const char *name, struct arena *arena, struct str *out) {
    struct str text = json_get_text(jwk, str_of(name));
    return text.len > 0 && text.len <= JWK_PART_CHARS_MAX && base64url_decode(text, arena, out);
}

/* -- by kind ---------------------------------------------------------------------------------- */

static EVP_PKEY *rsa_of(struct str n, struct str e) {
    BIGNUM *bn_n = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
    BIGNUM *bn_e = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (bn_n != NULL && bn_e != NULL && build != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = from_params("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(bn_n);
    BN_free(bn_e);
    return pkey;
}

static EVP_PKEY *ec_of(const struct jwt_alg_row *row, struct str x, struct str y) {
    unsigned char point[1 + 2 * JWT_COORDINATE_BYTES_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    /* Each of exactly the curve's length (RFC 7518 6.2.1.2), so that there is one spelling. */
    if (x.len != row->coordinate_size || y.len != row->coordinate_size) return NULL;
    memcpy(point + 1, x.ptr, x.len);
    memcpy(point + 1 + x.len, y.ptr, y.len);
    char group[16];
    snprintf(group, sizeof group, "%s", row->curve);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x.len + y.len),
        OSSL_PARAM_construct_end()};
    return from_params("EC", params);
}

static EVP_PKEY *ed_of(const struct jwt_alg_row *row, struct str x) {
    if (x.len != row->coordinate_size) return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr, x.len);
}

static EVP_PKEY *of_parts(const struct json *jwk, enum jwt_alg alg, struct arena *arena) {
    const struct jwt_alg_row *row = jwt_alg_row(alg);
    struct str a, b;
    switch (row->family) {
    case JWT_RSA:
    case JWT_RSA_PSS:
        return part(jwk, "n", arena, &a) && part(jwk, "e", arena, &b) ? rsa_of(a, b) : NULL;
    case JWT_EC:
        return part(jwk, "x", arena, &a) && part(jwk, "y", arena, &b) ? ec_of(row, a, b) : NULL;
    case JWT_ED: return part(jwk, "x", arena, &a) ? ed_of(row, a) : NULL;
    case JWT_HMAC:
    case JWT_FAMILY_NONE: return NULL;
    }
    return NULL;
}

/* -- checks ----------------------------------------------------------------------------------- */

/* An exponent of one signs everything with itself; a huge one costs us, and nobody uses it. */
static bool is_sound_rsa(EVP_PKEY *pkey) {
    int bits = EVP_PKEY_get_bits(pkey);
    BIGNUM *e = NULL;
    bool is_sound = bits >= JWT_RSA_BITS_MIN && bits <= JWT_RSA_BITS_MAX &&
                    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
                    !BN_is_one(e) && BN_num_bits(e) <= JWT_RSA_EXPONENT_BITS_MAX;
    BN_free(e);
    return is_sound;
}

static bool is_on_curve(EVP_PKEY *pkey, const char *curve) {
    char group[32] = "";
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          NULL) == 1 &&
           strcmp(group, curve) == 0;
}

static bool is_kind(EVP_PKEY *pkey, const struct jwt_alg_row *row) {
    switch (row->family) {
    case JWT_RSA: return EVP_PKEY_is_a(pkey, "RSA") && is_sound_rsa(pkey);
    case JWT_RSA_PSS:
        return (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS")) && is_sound_rsa(pkey);
    case JWT_EC: return EVP_PKEY_is_a(pkey, "EC") && is_on_curve(pkey, row->curve);
    case JWT_ED: return EVP_PKEY_is_a(pkey, "ED25519") == 1;
    case JWT_HMAC:
    case JWT_FAMILY_NONE: return false;
    }
    return false;
}

bool jwk_key_fits(EVP_PKEY *pkey, enum jwt_alg alg) {
    if (!is_kind(pkey, jwt_alg_row(alg))) return false;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool is_sound = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return is_sound;
}

EVP_PKEY *jwk_key_of_json(const struct json *jwk, enum jwt_alg alg, struct arena *arena) {
    EVP_PKEY *pkey = fault_now() ? NULL : keep(of_parts(jwk, alg, arena), arena);
    return pkey != NULL && jwk_key_fits(pkey, alg) ? pkey : NULL;
}

/* -- PEM -------------------------------------------------------------------------------------- */

static EVP_PKEY *of_certificate(struct str pem) {
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    EVP_PKEY *pkey = certificate == NULL ? NULL : X509_get_pubkey(certificate);
    X509_free(certificate);
    BIO_free(bio);
    return pkey;
}

static EVP_PKEY *of_public(struct str pem) {
    EVP_PKEY *pkey = NULL;
    const unsigned char *at = (const unsigned char *)pem.ptr;
    size_t left = pem.len;
    OSSL_DECODER_CTX *ctx =
        OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL, EVP_PKEY_PUBLIC_KEY, NULL, NULL);
    if (ctx != NULL) (void)OSSL_DECODER_from_data(ctx, &at, &left);
    OSSL_DECODER_CTX_free(ctx);
    return pkey;
}

EVP_PKEY *jwk_key_of_pem(struct str pem, struct arena *arena) {
    static const struct str begin = STR_INIT("-----BEGIN ");
    size_t first = str_find(pem, begin);
    struct str rest = str_slice(pem, first + begin.len, pem.len);
    if (first == pem.len || pem.len > JWT_PEM_BYTES_MAX || fault_now()) return NULL;
    if (str_find(rest, begin) < rest.len) return NULL; /* which one is meant? */
    bool is_certificate = str_starts(rest, STR("CERTIFICATE-----"));
    return keep(is_certificate ? of_certificate(pem) : of_public(pem), arena);
}

/* -- what a key is called among ourselves ------------------------------------------------------ */

bool jwk_fingerprint(struct jwk *key) {
    unsigned char text[1 + JWT_PEM_BYTES_MAX] = {(unsigned char)key->alg};
    size_t len = 1;
    if (key->pkey == NULL) {
        memcpy(text + 1, key->secret.ptr, key->secret.len);
        len += key->secret.len;
    } else {
        unsigned char *der = NULL;
        int n = i2d_PUBKEY(key->pkey, &der);
        if (n > 0 && n <= JWT_PEM_BYTES_MAX) memcpy(text + 1, der, (size_t)n);
        if (n > 0) len += n <= JWT_PEM_BYTES_MAX ? (size_t)n : 0;
        OPENSSL_free(der);
    }
    struct str whole = {(const char *)text, len};
    bool is_made = len > 1 && digest_sha256(whole, key->fingerprint);
    OPENSSL_cleanse(text, sizeof text);
    return is_made;
}
