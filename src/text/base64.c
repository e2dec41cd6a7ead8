#include "text/base64.h"

static int digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, of which the last `padding` are '='; writes 3 - padding bytes. */
static bool decode_quad(const char *in, unsigned padding, char *out) {
    uint32_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        int d = i < 4 - padding ? digit(in[i]) : 0;
        if (d < 0) return false;
        bits = bits << 6 | (uint32_t)d;
    }
    if ((bits & ((1U << (8 * padding)) - 1)) != 0) return false; /* a second spelling */
    for (unsigned i = 0; i < 3 - padding; i++) out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
    return true;
}

bool base64_decode(struct str text, struct arena *arena, struct str *out) {
    unsigned padding = 0;
    if (text.len % 4 != 0) return false;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=') padding++;
    size_t n = text.len / 4 * 3 - padding;
    char *bytes = arena_alloc(arena, n + 1, 1);
    if (bytes == NULL) return false;
    for (size_t i = 0; i < text.len / 4; i++)
        if (!decode_quad(text.ptr + 4 * i, i + 1 == text.len / 4 ? padding : 0, bytes + 3 * i))
            return false;
    *out = (struct str){bytes, n};
    return true;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(char out[4], const uint8_t *in, size_t n) {
    uint32_t bits =
        (uint32_t)in[0] << 16 | (n > 1 ? (uint32_t)in[1] << 8 : 0) | (n > 2 ? (uint32_t)in[2] : 0);
    out[0] = digits[bits >> 18 & 63];
    out[1] = digits[bits >> 12 & 63];
    out[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
    out[3] = n > 2 ? digits[bits & 63] : '=';
}

void base64_encode(struct buf *out, struct str bytes) {
    const uint8_t *in = (const uint8_t *)bytes.ptr;
    for (size_t at = 0; at < bytes.len;) {
        char *to = buf_reserve(out, BUF_RESERVE_MAX);
        if (to == NULL) return; /* sticky in the buf */
        size_t made = 0;
        for (; at < bytes.len && made + 4 <= BUF_RESERVE_MAX; at += 3, made += 4)
            encode_group(to + made, in + at, bytes.len - at < 3 ? bytes.len - at : 3);
        buf_commit(out, made);
    }
}

/* -- for names and URLs ----------------------------------------------------------------------- */

static char to_url(char c) {
    return c == '+' ? '-' : c == '/' ? '_' : c;
}

/* '=' for what is not of the alphabet, the other alphabet's own two among it. */
static char from_url(char c) {
    return c == '-' ? '+' : c == '_' ? '/' : c == '+' || c == '/' ? '=' : c;
}

struct str base64url_encode(struct str bytes, struct arena *arena) {
    const uint8_t *in = (const uint8_t *)bytes.ptr;
    size_t len = bytes.len / 3 * 4 + (bytes.len % 3 > 0 ? bytes.len % 3 + 1 : 0);
    char *out = arena_alloc(arena, (bytes.len + 2) / 3 * 4, 1);
    if (out == NULL) return STR_NONE;
    for (size_t at = 0, made = 0; at < bytes.len; at += 3, made += 4)
        encode_group(out + made, in + at, bytes.len - at < 3 ? bytes.len - at : 3);
    for (size_t i = 0; i < len; i++) out[i] = to_url(out[i]);
    return (struct str){out, len};
}

bool base64url_decode(struct str text, struct arena *arena, struct str *out) {
    size_t rest = text.len % 4, whole = text.len - rest;
    char *bytes = arena_alloc(arena, whole / 4 * 3 + 3, 1), quad[4];
    if (rest == 1 || bytes == NULL) return false;
    for (size_t at = 0; at < text.len; at += 4) {
        unsigned padding = at < whole ? 0 : 4 - (unsigned)rest;
        for (unsigned i = 0; i < 4; i++)
            quad[i] = i < 4 - padding ? from_url(text.ptr[at + i]) : '=';
        if (!decode_quad(quad, padding, bytes + at / 4 * 3)) return false;
    }
    *out = (struct str){bytes, whole / 4 * 3 + (rest > 0 ? rest - 1 : 0)};
    return true;
}
