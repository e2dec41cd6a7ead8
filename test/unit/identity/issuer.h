/*
 * test/unit/identity/issuer.h - an issuer of tokens for tests: keys, JWKs, signatures, and the
 * mistakes and lies that a good issuer does not make
 *
 * Memory:  texts live in the arena given; keys until issuer_end().
 * Errors:  end the program: no test can go on without its keys.
 */
#ifndef WEIR_TEST_ISSUER_H
#define WEIR_TEST_ISSUER_H

#include "identity/jwk.h"
#include "text/base64.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdio.h>
#include <stdlib.h>

static inline void issuer_must(bool holds) {
    if (holds) return;
    (void)fputs("OpenSSL could not\n", stderr);
    abort();
}

enum issuer_key { KEY_RSA, KEY_RSA_OTHER, KEY_P256, KEY_P384, KEY_ED, KEY_WEAK, ISSUER_KEYS };

struct issuer {
    EVP_PKEY *keys[ISSUER_KEYS];
};

static inline void issuer_begin(struct issuer *issuer) {
    issuer->keys[KEY_RSA] = EVP_RSA_gen(2048);
    issuer->keys[KEY_RSA_OTHER] = EVP_RSA_gen(2048);
    issuer->keys[KEY_WEAK] = EVP_RSA_gen(1024);
    issuer->keys[KEY_P256] = EVP_EC_gen("P-256");
    issuer->keys[KEY_P384] = EVP_EC_gen("P-384");
    issuer->keys[KEY_ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    for (size_t i = 0; i < ISSUER_KEYS; i++) issuer_must(issuer->keys[i] != NULL);
}

static inline void issuer_end(struct issuer *issuer) {
    for (size_t i = 0; i < ISSUER_KEYS; i++) EVP_PKEY_free(issuer->keys[i]);
}

/* -- keys as texts ---------------------------------------------------------------------------- */

static inline struct str issuer_number(EVP_PKEY *key, const char *name, size_t size,
                                       struct arena *arena) {
    unsigned char bytes[1024];
    BIGNUM *number = NULL;
    issuer_must(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    size_t n = size > 0 ? size : (size_t)BN_num_bytes(number);
    issuer_must(BN_bn2binpad(number, bytes, (int)n) == (int)n);
    BN_free(number);
    return base64url_encode((struct str){(const char *)bytes, n}, arena);
}

/* The members of a JWK that are the key: `"kty":"RSA","n":…,"e":…`. */
static inline struct str issuer_jwk_parts(EVP_PKEY *key, struct arena *arena) {
    if (EVP_PKEY_is_a(key, "RSA"))
        return str_printf(arena, "\"kty\":\"RSA\",\"n\":\"" STR_FMT "\",\"e\":\"" STR_FMT "\"",
                          STR_ARG(issuer_number(key, OSSL_PKEY_PARAM_RSA_N, 0, arena)),
                          STR_ARG(issuer_number(key, OSSL_PKEY_PARAM_RSA_E, 0, arena)));
    if (EVP_PKEY_is_a(key, "EC")) {
        size_t size = EVP_PKEY_get_bits(key) == 256 ? 32 : 48;
        return str_printf(
            arena, "\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"" STR_FMT "\",\"y\":\"" STR_FMT "\"",
            EVP_PKEY_get_bits(key),
            STR_ARG(issuer_number(key, OSSL_PKEY_PARAM_EC_PUB_X, size, arena)),
            STR_ARG(issuer_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size, arena)));
    }
    unsigned char raw[32];
    size_t n = sizeof raw;
    issuer_must(EVP_PKEY_get_raw_public_key(key, raw, &n) == 1);
    return str_printf(arena, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" STR_FMT "\"",
                      STR_ARG(base64url_encode((struct str){(const char *)raw, n}, arena)));
}

static inline struct str issuer_pem(EVP_PKEY *key, struct arena *arena) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    issuer_must(PEM_write_bio_PUBKEY(bio, key) == 1);
    size_t n = (size_t)BIO_get_mem_data(bio, &text);
    struct str pem = str_dup(arena, (struct str){text, n});
    BIO_free(bio);
    return pem;
}

/* -- tokens ----------------------------------------------------------------------------------- */

/* How a token is signed. */
struct issuer_sign {
    enum jwt_alg alg;  /* NONE: no signature */
    EVP_PKEY *key;     /* but for HMAC */
    struct str secret; /* HMAC */
    bool as_der;       /* EC: as OpenSSL writes it */
};

static inline struct str issuer_raw(const unsigned char *der, size_t n, size_t half,
                                    struct arena *arena) {
    unsigned char *raw = arena_alloc(arena, 2 * half, 1);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)n);
    issuer_must(signature != NULL);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, (int)half);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + half, (int)half);
    ECDSA_SIG_free(signature);
    return (struct str){(const char *)raw, 2 * half};
}

static inline struct str issuer_signature(const struct issuer_sign *how, struct str bytes,
                                          struct arena *arena) {
    const struct jwt_alg_row *row = jwt_alg_row(how->alg);
    unsigned char out[1024];
    size_t n = sizeof out;
    unsigned n_hmac = 0;
    if (row->family == JWT_FAMILY_NONE) return STR("");
    if (row->family == JWT_HMAC) {
        issuer_must(HMAC(row->digest(), how->secret.ptr, (int)how->secret.len,
                         (const unsigned char *)bytes.ptr, bytes.len, out, &n_hmac) != NULL);
        return str_dup(arena, (struct str){(const char *)out, n_hmac});
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *of = NULL;
    issuer_must(EVP_DigestSignInit(ctx, &of, row->digest == NULL ? NULL : row->digest(), NULL,
                                   how->key) == 1);
    if (row->family == JWT_RSA_PSS) {
        EVP_PKEY_CTX_set_rsa_padding(of, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(of, RSA_PSS_SALTLEN_DIGEST);
    }
    issuer_must(EVP_DigestSign(ctx, out, &n, (const unsigned char *)bytes.ptr, bytes.len) == 1);
    EVP_MD_CTX_free(ctx);
    if (row->family == JWT_EC && !how->as_der)
        return issuer_raw(out, n, row->coordinate_size, arena);
    return str_dup(arena, (struct str){(const char *)out, n});
}

static inline struct str issuer_token(const struct issuer_sign *how, struct str header,
                                      struct str claims, struct arena *arena) {
    struct str bytes =
        str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(base64url_encode(header, arena)),
                   STR_ARG(base64url_encode(claims, arena)));
    struct str signature = issuer_signature(how, bytes, arena);
    return str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(bytes),
                      STR_ARG(base64url_encode(signature, arena)));
}

#endif
