#include "identity/hkdf.h"

#include "identity/hmac.h"

#include <openssl/crypto.h>

bool hkdf_extract(struct str salt, struct str secret, uint8_t out[HKDF_KEY_SIZE]) {
    static const char zeros[HKDF_KEY_SIZE];
    struct str none = {zeros, sizeof zeros};
    return hmac_sha256(salt.len > 0 ? salt : none, secret, out);
}

/* T(i) = HMAC(key, T(i - 1) | info | i), and T(0) is empty (RFC 5869 2.3). */
bool hkdf_expand(const uint8_t key[HKDF_KEY_SIZE], struct str info, uint8_t *out, size_t n) {
    uint8_t text[HKDF_KEY_SIZE + HKDF_INFO_MAX + 1], block[HKDF_KEY_SIZE];
    struct str whole = {(const char *)key, HKDF_KEY_SIZE};
    bool is_done = info.len <= HKDF_INFO_MAX && n <= HKDF_OUT_MAX;
    size_t len = 0; /* of T(i - 1) in `text` */
    for (size_t done = 0, i = 1; is_done && done < n; done += HKDF_KEY_SIZE, i++) {
        if (info.len > 0) memcpy(text + len, info.ptr, info.len);
        text[len + info.len] = (uint8_t)i;
        struct str bytes = {(const char *)text, len + info.len + 1};
        is_done = hmac_sha256(whole, bytes, block);
        memcpy(out + done, block, n - done < sizeof block ? n - done : sizeof block);
        memcpy(text, block, sizeof block);
        len = sizeof block;
    }
    OPENSSL_cleanse(text, sizeof text);
    OPENSSL_cleanse(block, sizeof block);
    if (!is_done) OPENSSL_cleanse(out, n);
    return is_done;
}
