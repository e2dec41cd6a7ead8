/*
 * base/str.h - borrowed views of bytes
 *
 * A str is a pointer and a length. It owns nothing, need not end in NUL and may hold any byte.
 * The `const char *` world is entered only at the border, by str_cstr().
 *
 * Memory:  a str lives as long as what it points into; functions here allocate only where they
 *          take an arena, and then return {NULL, 0} with the budget spent (see base/arena.h).
 * Errors:  none. An empty str is {any, 0}; `ptr` may be NULL only when `len` is 0.
 * Threads: values; no shared state.
 */
#ifndef WEIR_BASE_STR_H
#define WEIR_BASE_STR_H

#include "base/banned.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

struct str {
    const char *ptr;
    size_t len;
};

#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_INIT(lit)                                                                              \
    { "" lit, sizeof(lit) - 1 } /* for static initialisers */
#define STR_NONE   ((struct str){NULL, 0})
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr /* lengths above INT_MAX never reach printf: limits.h */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct str str_of(const char *cstr); /* NULL gives STR_NONE */
struct str str_slice(struct str s, size_t from,
                     size_t to); /* clipped to s; to < from gives empty */

bool str_eq(struct str a, struct str b);
bool str_ieq(struct str a, struct str b); /* ASCII case folded, other bytes exact */
int str_cmp(struct str a, struct str b);  /* bytes, shorter first: total order */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_istarts(struct str s, struct str prefix);

/* Offset of the first occurrence, or s.len when there is none. */
size_t str_find(struct str s, struct str needle);
size_t str_find_byte(struct str s, char byte);

struct str str_trim(struct str s); /* blanks, tabs, CR, LF at both ends */

/* Cuts `rest` at the first `sep`: returns what stood before it and moves `rest` behind it.
 * Without a `sep` returns all and leaves `rest` empty with ptr NULL. */
struct str str_cut(struct str *rest, char sep);

/* Equality that takes the same time for every content of the same length (secrets). */
bool str_eq_secret(struct str a, struct str b);

/* Decimal integers, whole string, no sign except '-' for i64, no spaces; false on overflow. */
bool str_to_u64(struct str s, uint64_t *out);
bool str_to_i64(struct str s, int64_t *out);

/* Copies. STR_NONE with a non-empty source means that the arena's budget is spent. */
struct str str_dup(struct arena *arena, struct str s);
struct str str_lower(struct arena *arena, struct str s); /* ASCII only */
const char *str_cstr(struct arena *arena, struct str s); /* adds the NUL; NULL: budget spent */
struct str str_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Length in bytes of the well-formed UTF-8 sequence at the start of s, 0 if there is none
 * (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). *rune gets the code point. */
size_t utf8_next(struct str s, uint32_t *rune);
bool utf8_valid(struct str s);
/* Writes 1-4 bytes to out and returns their number; rune must be a scalar value. */
size_t utf8_put(char out[4], uint32_t rune);
/* The longest prefix of at most max bytes that ends on a character boundary. */
struct str utf8_clip(struct str s, size_t max);

/* Distance of Damerau-Levenshtein (adjacent swaps count 1), ASCII case folded, capped at `cap`:
 * for "did you mean". */
unsigned str_distance(struct str a, struct str b, unsigned cap);

#endif
