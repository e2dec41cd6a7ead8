#include "identity/cloud_credentials.h"

#include "base/limits.h"
#include "base/rand.h"
#include "identity/hmac.h"
#include "identity/locked.h"
#include "identity/secret.h"

#include <openssl/crypto.h>

enum part { PART_ID, PART_SECRET, PART_TOKEN, PART_REGION, PART_COUNT };

const struct str cloud_credentials_headers[PART_COUNT + 1] = {
    STR_INIT("X-Aliyun-Access-Key-Id"),
    STR_INIT("X-Aliyun-Access-Key-Secret"),
    STR_INIT("X-Aliyun-Security-Token"),
    STR_INIT("X-Aliyun-Region"),
    {NULL, 0}};

static const size_t longest[PART_COUNT] = {CLOUD_KEY_BYTES_MAX, CLOUD_KEY_BYTES_MAX,
                                           CLOUD_TOKEN_BYTES_MAX, CLOUD_REGION_BYTES_MAX};

/* Stands alone in its pages. */
struct kept {
    struct cloud_credentials public;
    size_t used;
    char bytes[2 * CLOUD_KEY_BYTES_MAX + CLOUD_TOKEN_BYTES_MAX + CLOUD_REGION_BYTES_MAX];
};

static void end(void *kept) {
    locked_free(kept, sizeof(struct kept));
}

static struct str keep(struct kept *kept, struct str value) {
    struct str at = {kept->bytes + kept->used, value.len};
    if (value.len > 0) memcpy(kept->bytes + kept->used, value.ptr, value.len);
    kept->used += value.len;
    return at;
}

/* -- what came -------------------------------------------------------------------------------- */

static result refuse(struct report *report, struct str header, const char *what) {
    return fail(report, FAIL_INPUT, "CLOUD_CREDENTIALS_INVALID", REPORT_NO_OFFSET,
                "the header " STR_FMT " %s", STR_ARG(header), what);
}

/* A region becomes part of a host's name: nothing in it may lead to another host. */
static bool is_region(struct str value) {
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (i > 0 && ((c >= '0' && c <= '9') || c == '-'));
        if (!is_plain) return false;
    }
    return value.len > 0 && value.len <= CLOUD_REGION_BYTES_MAX;
}

static bool is_part(enum part part, struct str value) {
    if (part == PART_REGION) return is_region(value);
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~' || value.ptr[i] == ',') return false;
    return value.len > 0 && value.len <= longest[part];
}

static size_t count(const struct origin *origin, struct str name) {
    if (origin->header == NULL) return 0;
    if (origin->header_count != NULL) return origin->header_count(origin->with, name);
    return origin->header(origin->with, name).ptr == NULL ? 0 : 1;
}

static result read_parts(const struct origin *origin, struct str parts[PART_COUNT], bool *any,
                         struct report *report) {
    for (enum part part = 0; part < PART_COUNT; part++) {
        struct str name = cloud_credentials_headers[part];
        size_t n = count(origin, name);
        parts[part] = STR_NONE;
        if (n == 0) continue;
        *any = true;
        parts[part] = origin->header(origin->with, name);
        if (n > 1) return refuse(report, name, "is given more than once");
        if (!is_part(part, parts[part])) return refuse(report, name, "is not of the form it has");
    }
    return OK;
}

static result check_whole(const struct str parts[PART_COUNT], struct report *report) {
    bool has_id = parts[PART_ID].len > 0, has_secret = parts[PART_SECRET].len > 0;
    bool has_token = parts[PART_TOKEN].len > 0;
    if (has_token && (!has_id || !has_secret))
        return fail(report, FAIL_INPUT, "CLOUD_CREDENTIALS_INVALID", REPORT_NO_OFFSET,
                    "X-Aliyun-Security-Token needs X-Aliyun-Access-Key-Id and "
                    "X-Aliyun-Access-Key-Secret beside it");
    if (has_id != has_secret)
        return fail(report, FAIL_INPUT, "CLOUD_CREDENTIALS_INVALID", REPORT_NO_OFFSET,
                    "X-Aliyun-Access-Key-Id and X-Aliyun-Access-Key-Secret are given both or not "
                    "at all");
    return OK;
}

/* -- their names ------------------------------------------------------------------------------ */

/* Each part behind its length, so that no two sets of parts are one text. */
static bool make_cache_key(struct kept *kept, const struct secret *secret) {
    uint8_t key[SECRET_KEY_SIZE], digests[PART_COUNT * DIGEST_SIZE];
    const struct cloud_credentials *c = &kept->public;
    const struct str parts[PART_COUNT] = {c->key_id, c->key_secret, c->security_token, c->region};
    bool is_made = secret != NULL && secret_key(secret, 0, STR("cloud credentials"), key);
    struct str key_bytes = {(const char *)key, sizeof key};
    for (size_t i = 0; is_made && i < PART_COUNT; i++)
        is_made = hmac_sha256(key_bytes, parts[i], digests + i * DIGEST_SIZE);
    struct str all = {(const char *)digests, sizeof digests};
    is_made = is_made && hmac_sha256(key_bytes, all, kept->public.cache_key);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(digests, sizeof digests);
    return is_made;
}

static bool make_key_name(struct kept *kept) {
    uint8_t hash[DIGEST_SIZE];
    if (kept->public.key_id.len == 0) return true;
    if (!digest_sha256(kept->public.key_id, hash)) return false;
    memcpy(kept->public.key_name, "ak_", 3);
    hex_encode(kept->public.key_name + 3, hash, 6);
    return true;
}

result cloud_credentials_read(const struct origin *origin, const struct secret *secret,
                              struct arena *arena, const struct cloud_credentials **out,
                              struct report *report) {
    struct str parts[PART_COUNT];
    bool any = false;
    *out = NULL;
    TRY(read_parts(origin, parts, &any, report));
    if (!any) return OK;
    TRY(check_whole(parts, report));
    struct kept *kept = locked_new(sizeof *kept);
    if (kept == NULL) return fail_memory(report);
    if (!arena_defer(arena, end, kept)) {
        end(kept);
        return fail_memory(report);
    }
    kept->public.key_id = keep(kept, parts[PART_ID]);
    kept->public.key_secret = keep(kept, parts[PART_SECRET]);
    kept->public.security_token = keep(kept, parts[PART_TOKEN]);
    kept->public.region = keep(kept, parts[PART_REGION]);
    if (!make_cache_key(kept, secret) || !make_key_name(kept)) return fail_memory(report);
    *out = &kept->public;
    return OK;
}
