#include "text/json.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/map.h"

#include <assert.h>
#include <float.h>
#include <stdlib.h>

enum {
    SCRATCH_FIRST = 64,        /* members that fit on the stack: most messages need no more */
    COMPARED_MEMBERS_MAX = 16, /* up to here comparing all keys is faster than hashing them */
};

/* Members of containers that are still open lie one behind the other in `scratch`; a container that
 * closes moves its own into the arena, in one piece, and drops them from the end. */
struct reader {
    const char *begin, *at, *end;
    struct json_limits limits;
    size_t depth;
    struct json_member *scratch;
    size_t n_scratch, cap_scratch;
    bool scratch_is_heap;
    uint32_t *slots; /* of the duplicate check */
    size_t n_slots;
    struct arena *arena;
    struct report *report;
};

static result read_value(struct reader *r, struct json *out);

/* -- refusals --------------------------------------------------------------------------------- */

static size_t offset_of(const struct reader *r, const char *at) {
    return (size_t)(at - r->begin);
}

static result invalid(struct reader *r, const char *at, const char *why) {
    size_t offset = offset_of(r, at);
    return fail(r->report, FAIL_INPUT, "JSON_INVALID", offset, "invalid JSON at byte %zu: %s",
                offset, why);
}

static result too_large(struct reader *r, const char *at, const char *what, size_t max) {
    size_t offset = offset_of(r, at);
    return fail(r->report, FAIL_LIMIT, "JSON_TOO_LARGE", offset,
                "JSON is too large at byte %zu: %s, at most %zu are read", offset, what, max);
}

/* -- strings ---------------------------------------------------------------------------------- */

/* Marks, in the high bit of each byte, what cannot simply be passed over: control characters,
 * quote, backslash, and the beginnings of what needs a look as UTF-8. Above the lowest mark there
 * may be false ones. */
static uint64_t special_among(uint64_t eight) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t below_blank = eight - ones * 0x20;
    uint64_t quote = (eight ^ ones * '"') - ones;
    uint64_t backslash = (eight ^ ones * '\\') - ones;
    return (below_blank | quote | backslash | eight) & ones * 0x80;
}

static const char *skip_plain(const char *at, const char *end) {
    uint64_t eight;
    while ((size_t)(end - at) >= sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        uint64_t special = special_among(eight);
        if (special != 0) return at + (__builtin_ctzll(special) >> 3);
        at += sizeof eight;
    }
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80) break;
    }
    return at;
}

static bool read_hex4(const char *at, const char *end, uint32_t *out) {
    if (end - at < 4) return false;
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A' + 10);
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

/* *at stands behind "\u"; moves it behind the escape, of which a pair of surrogates is one. */
static result read_unicode_escape(struct reader *r, const char **at, const char *end,
                                  uint32_t *rune) {
    const char *escape = *at - 2;
    uint32_t high, low;
    if (!read_hex4(*at, end, &high)) return invalid(r, escape, "\\u needs four hex digits");
    *at += 4;
    *rune = high;
    if (high == 0 && !r->limits.allows_nul) return invalid(r, escape, "\\u0000 is not accepted");
    if (high < 0xd800 || high > 0xdfff) return OK;
    bool is_pair = high <= 0xdbff && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
                   read_hex4(*at + 2, end, &low) && low >= 0xdc00 && low <= 0xdfff;
    if (!is_pair) return invalid(r, escape, "a surrogate stands alone");
    *at += 6;
    *rune = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return OK;
}

/* *at stands on the backslash. */
static result read_escape(struct reader *r, const char **at, const char *end, char **to) {
    static const char from[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
    char c = (*at)[1];
    *at += 2;
    if (c == 'u') {
        uint32_t rune = 0;
        TRY(read_unicode_escape(r, at, end, &rune));
        *to += utf8_put(*to, rune);
        return OK;
    }
    const char *known = c == '\0' ? NULL : strchr(from, c);
    if (known == NULL) return invalid(r, *at - 2, "an escape that JSON does not have");
    *(*to)++ = plain[known - from];
    return OK;
}

static result unescape(struct reader *r, const char *from, const char *end, struct str *out) {
    /* No escape becomes longer: \u and four digits give at most three bytes. */
    char *text = arena_alloc(r->arena, (size_t)(end - from), 1);
    if (text == NULL) return fail_memory(r->report);
    char *to = text;
    while (from < end) {
        const char *escape = memchr(from, '\\', (size_t)(end - from));
        size_t plain = (size_t)((escape == NULL ? end : escape) - from);
        memcpy(to, from, plain);
        to += plain;
        from += plain;
        if (escape != NULL) TRY(read_escape(r, &from, end, &to));
    }
    *out = (struct str){text, (size_t)(to - text)};
    return OK;
}

/* r->at stands behind the opening quote, and is left behind the closing one. */
static result read_string(struct reader *r, struct str *out) {
    const char *from = r->at, *at = from;
    bool has_escapes = false;
    for (;;) {
        at = skip_plain(at, r->end);
        if (at == r->end) return invalid(r, from - 1, "a string does not end");
        unsigned char c = (unsigned char)*at;
        if (c == '"') break;
        if (c == '\\') {
            if (r->end - at < 2) return invalid(r, from - 1, "a string does not end");
            /* What is escaped is looked at below; if it is no ASCII, it is looked at here as well.
             */
            has_escapes = true;
            at += (unsigned char)at[1] < 0x20 || (unsigned char)at[1] >= 0x80 ? 1 : 2;
        } else if (c < 0x20) {
            return invalid(r, at, "a control character stands in a string unescaped");
        } else {
            size_t n = utf8_next((struct str){at, (size_t)(r->end - at)}, NULL);
            if (n == 0) return invalid(r, at, "bytes that are not UTF-8");
            at += n;
        }
    }
    if ((size_t)(at - from) > r->limits.string_bytes)
        return too_large(r, from - 1, "bytes of a string", r->limits.string_bytes);
    r->at = at + 1;
    if (has_escapes) return unescape(r, from, at, out);
    *out = (struct str){from, (size_t)(at - from)};
    return OK;
}

/* -- numbers ---------------------------------------------------------------------------------- */

static bool is_digit(const struct reader *r, const char *at) {
    return at < r->end && *at >= '0' && *at <= '9';
}

static const char *skip_digits(const struct reader *r, const char *at) {
    while (is_digit(r, at)) at++;
    return at;
}

/* strtod wants a NUL. The text is a number of JSON, at most JSON_NUMBER_BYTES_MAX long. */
static double double_of(struct str number) {
    char text[JSON_NUMBER_BYTES_MAX + 1];
    assert(number.len < sizeof text);
    memcpy(text, number.ptr, number.len);
    text[number.len] = '\0';
    return strtod(text, NULL);
}

double json_double(const struct json *number) {
    assert(number->type == JSON_NUMBER);
    bool is_negative_zero = number->integer == 0 && number->text.ptr[0] == '-';
    if (number->is_integer && !is_negative_zero) return (double)number->integer;
    return double_of(number->text);
}

static result read_number(struct reader *r, struct json *out) {
    const char *from = r->at, *at = from;
    if (*at == '-') at++;
    const char *digits = at;
    if (!is_digit(r, at)) return invalid(r, from, "a digit is missing behind '-'");
    at = skip_digits(r, at);
    size_t n_digits = (size_t)(at - digits);
    if (*digits == '0' && n_digits > 1) return invalid(r, from, "a number has leading zeros");
    bool is_whole = true, has_exponent = false;
    if (at < r->end && *at == '.') {
        is_whole = false;
        if (!is_digit(r, at + 1)) return invalid(r, from, "a digit is missing behind '.'");
        at = skip_digits(r, at + 1);
    }
    if (at < r->end && (*at == 'e' || *at == 'E')) {
        is_whole = false;
        has_exponent = true;
        at++;
        if (at < r->end && (*at == '+' || *at == '-')) at++;
        if (!is_digit(r, at)) return invalid(r, from, "a digit is missing in the exponent");
        at = skip_digits(r, at);
    }
    out->type = JSON_NUMBER;
    out->text = (struct str){from, (size_t)(at - from)};
    if (out->text.len > JSON_NUMBER_BYTES_MAX)
        return too_large(r, from, "bytes of a number", JSON_NUMBER_BYTES_MAX);
    out->is_integer = is_whole && str_to_i64(out->text, &out->integer);
    if (has_exponent || n_digits >= DBL_MAX_10_EXP) {
        double value = double_of(out->text);
        if (value > DBL_MAX || value < -DBL_MAX)
            return invalid(r, from, "a number is larger than a double can hold");
    }
    r->at = at;
    return OK;
}

/* -- containers ------------------------------------------------------------------------------- */

static void skip_blanks(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static bool next_is(const struct reader *r, char c) {
    return r->at < r->end && *r->at == c;
}

static result keep(struct reader *r, const struct json_member *member) {
    if (r->n_scratch == r->cap_scratch) {
        size_t cap = r->cap_scratch * 2;
        struct json_member *more = NULL;
        if (!fault_now())
            more = realloc(r->scratch_is_heap ? r->scratch : NULL, cap * sizeof *more);
        if (more == NULL) return fail_memory(r->report);
        if (!r->scratch_is_heap) memcpy(more, r->scratch, r->n_scratch * sizeof *more);
        r->scratch = more;
        r->cap_scratch = cap;
        r->scratch_is_heap = true;
    }
    r->scratch[r->n_scratch++] = *member;
    return OK;
}

static result refuse_duplicate(struct reader *r, const struct json_member *second) {
    struct str shown = utf8_clip(second->key, 64);
    size_t offset = offset_of(r, second->value.raw);
    return fail(r->report, FAIL_INPUT, "JSON_INVALID", offset,
                "invalid JSON at byte %zu: the key '" STR_FMT "' stands twice in one object",
                offset, STR_ARG(shown));
}

static result compare_keys(struct reader *r, const struct json_member *members, size_t n) {
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(members[i].key, members[j].key)) return refuse_duplicate(r, &members[i]);
    return OK;
}

/* Empty slots, a power of two of them, at least twice as many as there are keys. */
static result clear_slots(struct reader *r, size_t n, size_t *n_slots) {
    *n_slots = 64;
    while (*n_slots < n * 2) *n_slots *= 2;
    if (r->n_slots < *n_slots) {
        uint32_t *more = fault_now() ? NULL : realloc(r->slots, *n_slots * sizeof *more);
        if (more == NULL) return fail_memory(r->report);
        r->slots = more;
        r->n_slots = *n_slots;
    }
    memset(r->slots, 0, *n_slots * sizeof *r->slots);
    return OK;
}

/* The hash has a secret key, or a peer could choose keys that all collide. */
static result hash_keys(struct reader *r, const struct json_member *members, size_t n) {
    size_t n_slots;
    TRY(clear_slots(r, n, &n_slots));
    for (size_t i = 0; i < n; i++) {
        size_t slot = map_hash(members[i].key) & (n_slots - 1);
        for (; r->slots[slot] != 0; slot = (slot + 1) & (n_slots - 1))
            if (str_eq(members[r->slots[slot] - 1].key, members[i].key))
                return refuse_duplicate(r, &members[i]);
        r->slots[slot] = (uint32_t)(i + 1);
    }
    return OK;
}

static result enter(struct reader *r) {
    if (r->depth == r->limits.depth) return too_large(r, r->at, "levels", r->limits.depth);
    r->depth++;
    r->at++;
    skip_blanks(r);
    return OK;
}

/* Behind a member: passes a comma, or the closing bracket, which *is_last then tells. */
static result pass_separator(struct reader *r, char closing, size_t n, bool *is_last) {
    if (n > r->limits.members)
        return too_large(r, r->at, "members of an object or array", r->limits.members);
    skip_blanks(r);
    *is_last = next_is(r, closing);
    if (!*is_last && !next_is(r, ','))
        return invalid(r, r->at,
                       closing == ']' ? "',' or ']' is expected" : "',' or '}' is expected");
    r->at++;
    if (*is_last) return OK;
    skip_blanks(r);
    if (next_is(r, closing)) return invalid(r, r->at, "a comma stands before a closing bracket");
    return OK;
}

static result read_array(struct reader *r, struct json *out) {
    size_t base = r->n_scratch;
    TRY(enter(r));
    bool is_last = next_is(r, ']');
    if (is_last) r->at++;
    while (!is_last) {
        struct json_member member = {STR_NONE, {0}};
        TRY(read_value(r, &member.value));
        TRY(keep(r, &member));
        TRY(pass_separator(r, ']', r->n_scratch - base, &is_last));
    }
    size_t n = r->n_scratch - base;
    struct json *items = arena_new_array(r->arena, n, struct json);
    if (items == NULL) return fail_memory(r->report);
    for (size_t i = 0; i < n; i++) items[i] = r->scratch[base + i].value;
    out->type = JSON_ARRAY;
    out->items = items;
    out->n = (uint32_t)n;
    r->n_scratch = base;
    r->depth--;
    return OK;
}

static result read_key(struct reader *r, struct str *key) {
    if (!next_is(r, '"')) return invalid(r, r->at, "a key in double quotes is expected");
    r->at++;
    TRY(read_string(r, key));
    skip_blanks(r);
    if (!next_is(r, ':')) return invalid(r, r->at, "':' is expected behind a key");
    r->at++;
    skip_blanks(r);
    return OK;
}

static result read_object(struct reader *r, struct json *out) {
    size_t base = r->n_scratch;
    TRY(enter(r));
    bool is_last = next_is(r, '}');
    if (is_last) r->at++;
    while (!is_last) {
        struct json_member member = {STR_NONE, {0}};
        TRY(read_key(r, &member.key));
        TRY(read_value(r, &member.value));
        TRY(keep(r, &member));
        TRY(pass_separator(r, '}', r->n_scratch - base, &is_last));
    }
    size_t n = r->n_scratch - base;
    const struct json_member *read = r->scratch + base;
    TRY(n <= COMPARED_MEMBERS_MAX ? compare_keys(r, read, n) : hash_keys(r, read, n));
    struct json_member *members = arena_new_array(r->arena, n, struct json_member);
    if (members == NULL) return fail_memory(r->report);
    if (n > 0) memcpy(members, read, n * sizeof *members);
    out->type = JSON_OBJECT;
    out->members = members;
    out->n = (uint32_t)n;
    r->n_scratch = base;
    r->depth--;
    return OK;
}

/* -- values ----------------------------------------------------------------------------------- */

static result read_word(struct reader *r, struct str word, enum json_type type, struct json *out) {
    if (!str_starts((struct str){r->at, (size_t)(r->end - r->at)}, word))
        return invalid(r, r->at, "a value is expected");
    r->at += word.len;
    out->type = type;
    return OK;
}

static result read_value_here(struct reader *r, struct json *out) {
    if (r->at == r->end) return invalid(r, r->at, "the text ends where a value is expected");
    switch (*r->at) {
    case '{': return read_object(r, out);
    case '[': return read_array(r, out);
    case '"':
        r->at++;
        out->type = JSON_STRING;
        return read_string(r, &out->text);
    case 't': return read_word(r, STR("true"), JSON_TRUE, out);
    case 'f': return read_word(r, STR("false"), JSON_FALSE, out);
    case 'n': return read_word(r, STR("null"), JSON_NULL, out);
    default: break;
    }
    if (*r->at == '-' || is_digit(r, r->at)) return read_number(r, out);
    return invalid(r, r->at, "a value is expected");
}

/* Recursion ends at limits.depth, which is never above JSON_DEPTH_MAX. */
static result read_value(struct reader *r, struct json *out) {
    const char *from = r->at;
    TRY(read_value_here(r, out));
    out->raw = from;
    out->raw_len = (uint32_t)(r->at - from);
    return OK;
}

static result read_text(struct reader *r, struct json *out) {
    size_t bytes = (size_t)(r->end - r->begin);
    if (bytes > r->limits.bytes) return too_large(r, r->begin, "bytes", r->limits.bytes);
    if (str_starts((struct str){r->begin, bytes}, STR("\xef\xbb\xbf")))
        return invalid(r, r->begin, "a byte-order mark stands before the value");
    skip_blanks(r);
    TRY(read_value(r, out));
    skip_blanks(r);
    if (r->at != r->end) return invalid(r, r->at, "something stands behind the value");
    return OK;
}

static size_t limit_or(size_t asked, size_t fallback) {
    return asked == 0 ? fallback : asked;
}

static struct json_limits effective(const struct json_limits *asked) {
    struct json_limits l = asked == NULL ? (struct json_limits){0} : *asked;
    l.bytes = limit_or(l.bytes, JSON_BYTES_MAX);
    l.depth = limit_or(l.depth, JSON_DEPTH_MAX);
    l.members = limit_or(l.members, JSON_MEMBERS_MAX);
    l.string_bytes = limit_or(l.string_bytes, l.bytes);
    if (l.bytes > UINT32_MAX) l.bytes = UINT32_MAX; /* raw_len and n are 32 bits */
    if (l.depth > JSON_DEPTH_MAX) l.depth = JSON_DEPTH_MAX;
    return l;
}

result json_read(struct str text, const struct json_limits *limits, struct arena *arena,
                 const struct json **out, struct report *report) {
    struct json_member first[SCRATCH_FIRST];
    const char *begin = text.ptr == NULL ? "" : text.ptr;
    struct reader r = {
        .begin = begin,
        .at = begin,
        .end = begin + text.len,
        .limits = effective(limits),
        .scratch = first,
        .cap_scratch = SCRATCH_FIRST,
        .arena = arena,
        .report = report,
    };
    struct json *root = arena_new(arena, struct json);
    result read = root == NULL ? fail_memory(report) : read_text(&r, root);
    if (r.scratch_is_heap) free(r.scratch);
    free(r.slots);
    if (read.why == FAIL_NONE) *out = root;
    return read;
}
