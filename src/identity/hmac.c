#include "identity/hmac.h"

#include "base/fault.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

bool hmac_sha256(struct str key, struct str bytes, uint8_t out[DIGEST_SIZE]) {
    /* Without a pointer OpenSSL would take the key of the call before. */
    const void *key_ptr = key.len > 0 ? key.ptr : "";
    unsigned len = 0;
    bool is_made = !fault_now() &&
                   HMAC(EVP_sha256(), key_ptr, (int)key.len, (const unsigned char *)bytes.ptr,
                        bytes.len, out, &len) != NULL &&
                   len == DIGEST_SIZE;
    if (!is_made) memset(out, 0, DIGEST_SIZE);
    return is_made;
}
