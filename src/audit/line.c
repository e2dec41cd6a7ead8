#include "audit/line.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/rand.h"

#include <inttypes.h>
#include <openssl/evp.h>

enum { HASH_BYTES = 32 };
#define SEQ_KEY  ",\"seq\":"
#define PREV_KEY ",\"prev\":\""
#define HASH_KEY ",\"hash\":\""
#define HASH_END "\"}"

void audit_chain_init(struct audit_chain *chain) {
    chain->seq = 0;
    memset(chain->hash, '0', sizeof chain->hash);
}

result audit_hasher_init(struct audit_hasher *hasher, struct report *report) {
    EVP_MD_CTX *context = fault_now() ? NULL : EVP_MD_CTX_new();
    hasher->context = context;
    if (context == NULL) return fail_memory(report);
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) return OK;
    audit_hasher_deinit(hasher);
    return fail_memory(report);
}

void audit_hasher_deinit(struct audit_hasher *hasher) {
    EVP_MD_CTX_free(hasher->context);
    hasher->context = NULL;
}

/* A NULL digest rewinds the context: fetching SHA-256 anew costs more than hashing a record. */
static bool hash_line(struct audit_hasher *hasher, struct str prev, struct str bytes,
                      char out[AUDIT_HASH_HEX + 1]) {
    uint8_t digest[HASH_BYTES];
    if (EVP_DigestInit_ex2(hasher->context, NULL, NULL) != 1) return false;
    if (EVP_DigestUpdate(hasher->context, prev.ptr, prev.len) != 1) return false;
    if (EVP_DigestUpdate(hasher->context, bytes.ptr, bytes.len) != 1) return false;
    if (EVP_DigestFinal_ex(hasher->context, digest, NULL) != 1) return false;
    hex_encode(out, digest, sizeof digest);
    return true;
}

/* Appends at line[len] and returns the new length. */
static size_t add(char *line, size_t len, const char *bytes, size_t n) {
    memcpy(line + len, bytes, n);
    return len + n;
}

bool audit_line_seal(struct audit_hasher *hasher, struct audit_chain *chain, char *line,
                     size_t *len) {
    char number[24], hash[AUDIT_HASH_HEX + 1];
    int digits = snprintf(number, sizeof number, "%" PRIu64, chain->seq + 1);
    size_t n = add(line, *len, SEQ_KEY, sizeof SEQ_KEY - 1);
    n = add(line, n, number, (size_t)digits);
    n = add(line, n, PREV_KEY, sizeof PREV_KEY - 1);
    n = add(line, n, chain->hash, sizeof chain->hash);
    n = add(line, n, "\"", 1);
    struct str prev = {chain->hash, sizeof chain->hash};
    if (fault_now()) return false;
    if (!hash_line(hasher, prev, (struct str){line, n}, hash)) return false;
    n = add(line, n, HASH_KEY, sizeof HASH_KEY - 1);
    n = add(line, n, hash, AUDIT_HASH_HEX);
    *len = add(line, n, HASH_END "\n", sizeof HASH_END);
    chain->seq++;
    memcpy(chain->hash, hash, sizeof chain->hash);
    return true;
}

/* Cuts `key`, 64 bytes and `end` off the end of *rest. */
static bool cut_hash(struct str *rest, struct str key, struct str end, struct str *hash) {
    size_t len = key.len + AUDIT_HASH_HEX + end.len;
    if (rest->len < len || !str_ends(*rest, end)) return false;
    size_t from = rest->len - len;
    if (!str_starts(str_slice(*rest, from, rest->len), key)) return false;
    *hash = str_slice(*rest, from + key.len, from + key.len + AUDIT_HASH_HEX);
    *rest = str_slice(*rest, 0, from);
    return true;
}

static bool cut_seq(struct str rest, uint64_t *seq) {
    size_t digits = 0;
    while (digits < rest.len && rest.ptr[rest.len - 1 - digits] >= '0' &&
           rest.ptr[rest.len - 1 - digits] <= '9') {
        digits++;
    }
    struct str number = str_slice(rest, rest.len - digits, rest.len);
    return str_ends(str_slice(rest, 0, rest.len - digits), STR(SEQ_KEY)) && str_to_u64(number, seq);
}

enum audit_line_state audit_line_check(struct audit_hasher *hasher, struct str line,
                                       struct audit_seal *out) {
    char hash[AUDIT_HASH_HEX + 1];
    struct str rest = line;
    if (!str_starts(line, STR("{"))) return AUDIT_LINE_MALFORMED;
    if (!cut_hash(&rest, STR(HASH_KEY), STR(HASH_END), &out->hash)) return AUDIT_LINE_MALFORMED;
    struct str hashed = rest;
    if (!cut_hash(&rest, STR(PREV_KEY), STR("\""), &out->prev)) return AUDIT_LINE_MALFORMED;
    if (!cut_seq(rest, &out->seq)) return AUDIT_LINE_MALFORMED;
    if (!hash_line(hasher, out->prev, hashed, hash)) return AUDIT_LINE_CHANGED;
    bool fits = str_eq(out->hash, (struct str){hash, AUDIT_HASH_HEX});
    return fits ? AUDIT_LINE_SOUND : AUDIT_LINE_CHANGED;
}

/* -- members ---------------------------------------------------------------------------------- */

/* Offset behind the string that begins at `at`, or s.len. */
static size_t skip_string(struct str s, size_t at) {
    for (at++; at < s.len && s.ptr[at] != '"'; at++) {
        if (s.ptr[at] == '\\') at++;
    }
    return at < s.len ? at + 1 : s.len;
}

/* Offset of the ',' or '}' that ends the value at `at`, or s.len. */
static size_t skip_value(struct str s, size_t at) {
    size_t depth = 0;
    while (at < s.len) {
        char c = s.ptr[at];
        if (depth == 0 && (c == ',' || c == '}')) return at;
        if (c == '"') {
            at = skip_string(s, at);
            continue;
        }
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        at++;
    }
    return s.len;
}

struct str audit_line_member(struct str line, struct str key) {
    size_t at = 1;
    while (at < line.len && line.ptr[at] == '"') {
        size_t colon = skip_string(line, at);
        struct str name = str_slice(line, at + 1, colon - 1);
        if (colon >= line.len || line.ptr[colon] != ':') return STR_NONE;
        size_t end = skip_value(line, colon + 1);
        if (str_eq(name, key)) return str_slice(line, colon + 1, end);
        if (end >= line.len || line.ptr[end] != ',') return STR_NONE;
        at = end + 1;
    }
    return STR_NONE;
}

struct str audit_line_text(struct str line, struct str key) {
    struct str value = audit_line_member(line, key);
    if (value.len < 2 || value.ptr[0] != '"') return STR_NONE;
    return str_slice(value, 1, value.len - 1);
}

bool audit_day_read(struct str text, int64_t *day) {
    uint64_t y, m, d;
    if (text.len < 10 || text.ptr[4] != '-' || text.ptr[7] != '-') return false;
    if (!str_to_u64(str_slice(text, 0, 4), &y) || !str_to_u64(str_slice(text, 5, 7), &m) ||
        !str_to_u64(str_slice(text, 8, 10), &d)) {
        return false;
    }
    if (m < 1 || m > 12 || d < 1 || d > 31) return false;
    *day = clock_days((int)y, (unsigned)m, (unsigned)d);
    return true;
}
