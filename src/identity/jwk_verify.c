/* Signatures: RFC 7518 3.2 to 3.5, RFC 8037 3.1. */
#include "base/fault.h"
#include "base/limits.h"
#include "identity/jwk.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

static bool is_hmac(const struct jwk *key, struct str bytes, struct str signature) {
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (HMAC(jwt_alg_row(key->alg)->digest(), key->secret.ptr, (int)key->secret.len,
             (const unsigned char *)bytes.ptr, bytes.len, made, &n) == NULL)
        return false;
    return signature.len == n && str_eq_secret((struct str){(const char *)made, n}, signature);
}

/* -- by OpenSSL's key ------------------------------------------------------------------------- */

static bool use_pss(EVP_PKEY_CTX *ctx) {
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool is_signed(const struct jwk *key, struct str bytes, const unsigned char *signature,
                      size_t len) {
    const struct jwt_alg_row *row = jwt_alg_row(key->alg);
    const EVP_MD *digest = row->digest == NULL ? NULL : row->digest();
    EVP_PKEY_CTX *of = NULL; /* belongs to `ctx` */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_good =
        ctx != NULL && EVP_DigestVerifyInit(ctx, &of, digest, NULL, key->pkey) == 1 &&
        (row->family != JWT_RSA_PSS || use_pss(of)) &&
        EVP_DigestVerify(ctx, signature, len, (const unsigned char *)bytes.ptr, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return is_good;
}

/* -- EC: r || s, and what OpenSSL wants -------------------------------------------------------- */

/* One INTEGER of DER: shortest, and positive. Returns the bytes written; 0: the number is zero. */
static size_t put_integer(unsigned char *out, const char *number, size_t n) {
    while (n > 0 && *number == 0) number++, n--;
    if (n == 0) return 0;
    bool has_sign_bit = ((unsigned char)*number & 0x80) != 0;
    size_t len = n + (has_sign_bit ? 1 : 0);
    out[0] = 0x02;
    out[1] = (unsigned char)len;
    out[2] = 0;
    memcpy(out + 2 + (len - n), number, n);
    return 2 + len;
}

static bool is_signed_raw(const struct jwk *key, struct str bytes, struct str signature) {
    /* The lengths of ES384 fit in one byte each: 2 * (2 + 1 + 48) < 128. */
    unsigned char der[2 + 2 * (3 + JWT_COORDINATE_BYTES_MAX)];
    size_t half = jwt_alg_row(key->alg)->coordinate_size;
    if (signature.len != 2 * half) return false;
    size_t n_r = put_integer(der + 2, signature.ptr, half);
    size_t n_s = put_integer(der + 2 + n_r, signature.ptr + half, half);
    if (n_r == 0 || n_s == 0) return false; /* CVE-2022-21449 */
    der[0] = 0x30;
    der[1] = (unsigned char)(n_r + n_s);
    return is_signed(key, bytes, der, 2 + n_r + n_s);
}

bool jwk_verify(const struct jwk *key, struct str bytes, struct str signature) {
    const unsigned char *raw = (const unsigned char *)signature.ptr;
    if (signature.len == 0 || fault_now()) return false;
    switch (jwt_alg_row(key->alg)->family) {
    case JWT_HMAC: return key->pkey == NULL && is_hmac(key, bytes, signature);
    case JWT_RSA:
    case JWT_RSA_PSS:
        return key->pkey != NULL && signature.len == (size_t)EVP_PKEY_get_size(key->pkey) &&
               is_signed(key, bytes, raw, signature.len);
    case JWT_EC: return key->pkey != NULL && is_signed_raw(key, bytes, signature);
    case JWT_ED:
        return key->pkey != NULL && signature.len == JWT_ED_SIGNATURE_BYTES &&
               is_signed(key, bytes, raw, signature.len);
    case JWT_FAMILY_NONE: return false;
    }
    return false;
}
