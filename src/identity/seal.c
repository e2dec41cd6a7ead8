#include "base/fault.h"
#include "base/limits.h"
#include "base/rand.h"
#include "identity/secret_inner.h"
#include "text/base64.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/*
 * A sealed text, before base64url:
 *
 *     1 byte    version
 *     12 bytes  salt: with the purpose it makes the key
 *     12 bytes  nonce of AES-256-GCM
 *     n + 8     encrypted: the end of its time (ms of the wall, big-endian), then what is sealed
 *     16 bytes  tag, over all of it and, as associated data, version, purpose, NUL and `bound`
 *
 * With one key, 2^32 random nonces are the most that GCM stands (NIST SP 800-38D 8.3), which a busy
 * server reaches; with a key for each salt there is no such end.
 */
enum {
    VERSION = 1,
    SALT_AT = 1,
    SALT_SIZE = 12,
    NONCE_AT = SALT_AT + SALT_SIZE,
    NONCE_SIZE = 12,
    BODY_AT = NONCE_AT + NONCE_SIZE,
    END_SIZE = 8,
    TAG_SIZE = 16,
    AROUND = BODY_AT + END_SIZE + TAG_SIZE,
    PURPOSE_MAX = 64
};

/* -- keys and associated data ----------------------------------------------------------------- */

static bool message_key(const struct secret *secret, unsigned generation, struct str purpose,
                        const uint8_t salt[SALT_SIZE], uint8_t key[SECRET_KEY_SIZE]) {
    char info[32 + PURPOSE_MAX + SALT_SIZE];
    assert(purpose.len <= PURPOSE_MAX);
    static const char use[] = "weir seal 1 ";
    size_t len = sizeof use - 1;
    memcpy(info, use, len);
    memcpy(info + len, purpose.ptr, purpose.len);
    len += purpose.len;
    info[len++] = '\0';
    memcpy(info + len, salt, SALT_SIZE);
    return secret_expand(secret, generation, (struct str){info, len + SALT_SIZE}, key);
}

/* `update` is EVP_EncryptUpdate or EVP_DecryptUpdate: without an output it takes associated data.
 */
typedef int evp_update(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);

static bool bind(EVP_CIPHER_CTX *ctx, evp_update *update, const struct seal *seal) {
    static const uint8_t version = VERSION, nul = 0;
    int n;
    return seal->bound.len <= (size_t)SEAL_BYTES_MAX && update(ctx, NULL, &n, &version, 1) == 1 &&
           update(ctx, NULL, &n, (const uint8_t *)seal->purpose.ptr, (int)seal->purpose.len) == 1 &&
           update(ctx, NULL, &n, &nul, 1) == 1 &&
           (seal->bound.len == 0 ||
            update(ctx, NULL, &n, (const uint8_t *)seal->bound.ptr, (int)seal->bound.len) == 1);
}

static EVP_CIPHER_CTX *context(void) {
    return fault_now() ? NULL : EVP_CIPHER_CTX_new();
}

/* -- sealing ---------------------------------------------------------------------------------- */

/* The body in place, and the tag behind it. */
static bool encrypt(const uint8_t key[SECRET_KEY_SIZE], const struct seal *seal, uint8_t *text,
                    size_t body_len) {
    int n = 0;
    EVP_CIPHER_CTX *ctx = context();
    uint8_t *body = text + BODY_AT;
    bool is_done = ctx != NULL &&
                   EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, text + NONCE_AT) == 1 &&
                   bind(ctx, EVP_EncryptUpdate, seal) &&
                   EVP_EncryptUpdate(ctx, body, &n, body, (int)body_len) == 1 &&
                   n == (int)body_len && EVP_EncryptFinal_ex(ctx, body + body_len, &n) == 1 &&
                   EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, body + body_len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return is_done;
}

static void put_end(uint8_t out[END_SIZE], int64_t end_ms) {
    for (int i = 0; i < END_SIZE; i++) out[i] = (uint8_t)((uint64_t)end_ms >> (56 - 8 * i));
}

static int64_t get_end(const uint8_t in[END_SIZE]) {
    uint64_t end = 0;
    for (int i = 0; i < END_SIZE; i++) end = end << 8 | in[i];
    return (int64_t)end;
}

result secret_seal(const struct secret *secret, const struct seal *seal, int64_t ttl_ms,
                   struct str plain, struct arena *arena, struct str *out, struct report *report) {
    uint8_t key[SECRET_KEY_SIZE];
    *out = STR_NONE;
    if (plain.len > (size_t)SEAL_BYTES_MAX || seal->bound.len > (size_t)SEAL_BYTES_MAX)
        return fail(report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "what is to be sealed is larger than %lld bytes", (long long)SEAL_BYTES_MAX);
    if (ttl_ms > SEAL_TTL_MS_MAX) ttl_ms = SEAL_TTL_MS_MAX;
    size_t len = AROUND + plain.len;
    uint8_t *text = arena_alloc(arena, len, 1);
    if (text == NULL) return fail_memory(report);
    text[0] = VERSION;
    rand_bytes(text + SALT_AT, SALT_SIZE + NONCE_SIZE);
    put_end(text + BODY_AT, clock_wall_ms(secret_clock(secret)) + (ttl_ms > 0 ? ttl_ms : 0));
    if (plain.len > 0) memcpy(text + BODY_AT + END_SIZE, plain.ptr, plain.len);
    bool is_sealed = message_key(secret, 0, seal->purpose, text + SALT_AT, key) &&
                     encrypt(key, seal, text, END_SIZE + plain.len);
    OPENSSL_cleanse(key, sizeof key);
    if (is_sealed) *out = base64url_encode((struct str){(char *)text, len}, arena);
    return out->ptr != NULL ? OK : fail_memory(report);
}

/* -- unsealing -------------------------------------------------------------------------------- */

/* FAIL_DENIED: not with this key. */
static result decrypt(const uint8_t key[SECRET_KEY_SIZE], const struct seal *seal,
                      struct str sealed, uint8_t *body, size_t body_len) {
    const uint8_t *text = (const uint8_t *)sealed.ptr;
    uint8_t tag[TAG_SIZE];
    int n = 0;
    EVP_CIPHER_CTX *ctx = context();
    memcpy(tag, text + BODY_AT + body_len, TAG_SIZE);
    bool is_ready = ctx != NULL &&
                    EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, text + NONCE_AT) == 1 &&
                    bind(ctx, EVP_DecryptUpdate, seal) &&
                    EVP_DecryptUpdate(ctx, body, &n, text + BODY_AT, (int)body_len) == 1 &&
                    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1;
    bool is_ours = is_ready && EVP_DecryptFinal_ex(ctx, body + body_len, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!is_ours) OPENSSL_cleanse(body, body_len); /* nobody has vouched for it */
    return is_ours ? OK : (result){is_ready ? FAIL_DENIED : FAIL_MEMORY};
}

static result try_generation(const struct secret *secret, unsigned generation,
                             const struct seal *seal, struct str sealed, uint8_t *body,
                             size_t body_len) {
    uint8_t key[SECRET_KEY_SIZE];
    bool is_made =
        message_key(secret, generation, seal->purpose, (const uint8_t *)sealed.ptr + SALT_AT, key);
    result r = is_made ? decrypt(key, seal, sealed, body, body_len) : (result){FAIL_MEMORY};
    OPENSSL_cleanse(key, sizeof key);
    return r;
}

static result unseal(const struct secret *secret, const struct seal *seal, struct str text,
                     struct arena *arena, struct str *plain) {
    struct str sealed;
    if (text.len > (size_t)(SEAL_BYTES_MAX + AROUND) * 2 ||
        seal->bound.len > (size_t)SEAL_BYTES_MAX)
        return (result){FAIL_DENIED};
    if (!base64url_decode(text, arena, &sealed))
        return (result){arena->is_spent ? FAIL_MEMORY : FAIL_DENIED};
    if (sealed.len < AROUND || sealed.ptr[0] != VERSION) return (result){FAIL_DENIED};
    size_t body_len = sealed.len - BODY_AT - TAG_SIZE;
    uint8_t *body = arena_alloc(arena, body_len, 1);
    if (body == NULL) return (result){FAIL_MEMORY};
    result r = {FAIL_DENIED};
    for (unsigned g = 0; g < secret_generations(secret) && r.why == FAIL_DENIED; g++)
        r = try_generation(secret, g, seal, sealed, body, body_len);
    if (r.why != FAIL_NONE) return r;
    if (get_end(body) <= clock_wall_ms(secret_clock(secret))) return (result){FAIL_DENIED};
    *plain = (struct str){(char *)body + END_SIZE, body_len - END_SIZE};
    return OK;
}

result secret_unseal(const struct secret *secret, const struct seal *seal, struct str text,
                     struct arena *arena, struct str *plain, struct report *report) {
    *plain = STR_NONE;
    result r = unseal(secret, seal, text, arena, plain);
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    if (r.why == FAIL_NONE) return OK;
    r = fail(report, FAIL_DENIED, "SEAL_INVALID", REPORT_NO_OFFSET,
             "this is not what we handed out to this caller for this call, or it is too old");
    fail_hint(report, "Begin again without it");
    return r;
}
