#include "base/str.h"

#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

struct str str_of(const char *cstr) {
    return cstr == NULL ? STR_NONE : (struct str){cstr, strlen(cstr)};
}

struct str str_slice(struct str s, size_t from, size_t to) {
    if (to > s.len) to = s.len;
    if (from > to) from = to;
    return from == 0 ? (struct str){s.ptr, to} : (struct str){s.ptr + from, to - from};
}

bool str_eq(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_ieq(struct str a, struct str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
    return true;
}

int str_cmp(struct str a, struct str b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    if (order != 0) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix) {
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix) {
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

bool str_istarts(struct str s, struct str prefix) {
    return s.len >= prefix.len && str_ieq(str_slice(s, 0, prefix.len), prefix);
}

size_t str_find(struct str s, struct str needle) {
    if (needle.len == 0) return 0;
    if (s.len < needle.len) return s.len;
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

size_t str_find_byte(struct str s, char byte) {
    if (s.len == 0) return 0;
    const char *at = memchr(s.ptr, byte, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s) {
    size_t from = 0, to = s.len;
    while (from < to && is_blank(s.ptr[from])) from++;
    while (to > from && is_blank(s.ptr[to - 1])) to--;
    return str_slice(s, from, to);
}

struct str str_cut(struct str *rest, char sep) {
    struct str all = *rest;
    size_t at = str_find_byte(all, sep);
    *rest = at == all.len ? STR_NONE : str_slice(all, at + 1, all.len);
    return str_slice(all, 0, at);
}

bool str_eq_secret(struct str a, struct str b) {
    if (a.len != b.len) return false;
    /* volatile: the compiler may not end the loop at the first difference */
    volatile unsigned char differs = 0;
    for (size_t i = 0; i < a.len; i++)
        differs = (unsigned char)(differs | (unsigned char)(a.ptr[i] ^ b.ptr[i]));
    return differs == 0;
}

bool str_to_u64(struct str s, uint64_t *out) {
    if (s.len == 0) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        if (__builtin_mul_overflow(value, UINT64_C(10), &value)) return false;
        if (__builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value)) return false;
    }
    *out = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *out) {
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t size;
    if (!str_to_u64(negative ? str_slice(s, 1, s.len) : s, &size)) return false;
    if (size > (uint64_t)INT64_MAX + negative) return false;
    *out = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

/* -- copies ----------------------------------------------------------------------------------- */

struct str str_dup(struct arena *arena, struct str s) {
    char *copy = arena_alloc(arena, s.len, 1);
    if (copy == NULL) return STR_NONE;
    if (s.len > 0) memcpy(copy, s.ptr, s.len);
    return (struct str){copy, s.len};
}

struct str str_lower(struct arena *arena, struct str s) {
    char *copy = arena_alloc(arena, s.len, 1);
    if (copy == NULL) return STR_NONE;
    for (size_t i = 0; i < s.len; i++) copy[i] = lower(s.ptr[i]);
    return (struct str){copy, s.len};
}

const char *str_cstr(struct arena *arena, struct str s) {
    if (s.len == SIZE_MAX) return NULL;
    char *copy = arena_alloc(arena, s.len + 1, 1); /* zeroed, so the NUL is there */
    if (copy != NULL && s.len > 0) memcpy(copy, s.ptr, s.len);
    return copy;
}

struct str str_printf(struct arena *arena, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1, 1);
    if (text != NULL) vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text == NULL ? STR_NONE : (struct str){text, (size_t)len};
}

/* -- UTF-8 ------------------------------------------------------------------------------------ */

static bool is_tail(unsigned char c) {
    return (c & 0xc0) == 0x80;
}

size_t utf8_next(struct str s, uint32_t *rune) {
    if (s.len == 0) return 0;
    const unsigned char *c = (const unsigned char *)s.ptr;
    uint32_t r = 0;
    size_t n = 0;
    if (c[0] < 0x80) {
        r = c[0];
        n = 1;
    } else if (c[0] < 0xe0) {
        if (s.len < 2 || !is_tail(c[1])) return 0;
        r = (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
        n = c[0] >= 0xc2 ? 2 : 0;
    } else if (c[0] < 0xf0) {
        if (s.len < 3 || !is_tail(c[1]) || !is_tail(c[2])) return 0;
        r = (c[0] & 0x0fu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
        n = r >= 0x800 && (r < 0xd800 || r > 0xdfff) ? 3 : 0;
    } else if (c[0] < 0xf5) {
        if (s.len < 4 || !is_tail(c[1]) || !is_tail(c[2]) || !is_tail(c[3])) return 0;
        r = (c[0] & 0x07u) << 18 | (c[1] & 0x3fu) << 12 | (c[2] & 0x3fu) << 6 | (c[3] & 0x3fu);
        n = r >= 0x10000 && r <= 0x10ffff ? 4 : 0;
    }
    if (n > 0 && rune != NULL) *rune = r;
    return n;
}

bool utf8_valid(struct str s) {
    size_t at = 0;
    while (at < s.len) {
        uint64_t eight;
        if (s.len - at >= sizeof eight) {
            memcpy(&eight, s.ptr + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        size_t n = utf8_next(str_slice(s, at, s.len), NULL);
        if (n == 0) return false;
        at += n;
    }
    return true;
}

size_t utf8_put(char out[4], uint32_t rune) {
    assert(rune <= 0x10ffff && (rune < 0xd800 || rune > 0xdfff));
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xc0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xe0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
        out[2] = (char)(0x80 | (rune & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
    out[3] = (char)(0x80 | (rune & 0x3f));
    return 4;
}

struct str utf8_clip(struct str s, size_t max) {
    if (s.len <= max) return s;
    size_t to = max;
    /* What is no UTF-8 at all has no boundaries: there, three steps back are enough. */
    for (size_t back = 0; back < 3 && to > 0 && is_tail((unsigned char)s.ptr[to]); back++) to--;
    return str_slice(s, 0, is_tail((unsigned char)s.ptr[to]) ? max : to);
}

/* -- nearness --------------------------------------------------------------------------------- */

enum { DISTANCE_LEN_MAX = 128 }; /* names are shorter; what is longer is near to nothing */

unsigned str_distance(struct str a, struct str b, unsigned cap) {
    size_t longer = a.len > b.len ? a.len : b.len, shorter = a.len + b.len - longer;
    if (longer - shorter >= cap || longer > DISTANCE_LEN_MAX) return str_ieq(a, b) ? 0 : cap;
    unsigned rows[3][DISTANCE_LEN_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *here = rows[2];
    for (size_t j = 0; j <= b.len; j++) above[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        char x = lower(a.ptr[i - 1]);
        here[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            char y = lower(b.ptr[j - 1]);
            unsigned best = above[j - 1] + (x != y);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (here[j - 1] + 1 < best) best = here[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && x == lower(b.ptr[j - 2]) && y == lower(a.ptr[i - 2]);
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            here[j] = best;
        }
        unsigned *oldest = before;
        before = above;
        above = here;
        here = oldest;
    }
    return above[b.len] < cap ? above[b.len] : cap;
}
