#include "text/json.h"

#include "base/limits.h"

#include <assert.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

enum { HAS_ITEMS = 1, IS_OBJECT = 2 };

void json_writer_init(struct json_writer *w, struct buf *out) {
    *w = (struct json_writer){.out = out};
}

/* -- nesting ---------------------------------------------------------------------------------- */

/* NULL where the nesting has passed its maximum; the buf has failed then. */
static unsigned char *level(struct json_writer *w) {
    return w->depth < COUNT(w->levels) ? &w->levels[w->depth] : NULL;
}

/* What stands before a value: a comma, or nothing. */
static void begin_value(struct json_writer *w) {
    unsigned char *here = level(w);
    if (here == NULL) return;
    if (*here & IS_OBJECT) {
        assert(w->after_key);
        w->after_key = false;
        return;
    }
    if (*here & HAS_ITEMS) {
        assert(w->depth > 0); /* one writer writes one value */
        buf_add_byte(w->out, ',');
    }
    *here |= HAS_ITEMS;
}

/* Depth may come from outside, in a tree that is written inside another one: no misuse. */
static void open_level(struct json_writer *w, unsigned char kind, char bracket) {
    begin_value(w);
    buf_add_byte(w->out, bracket);
    w->depth++;
    unsigned char *inner = level(w);
    if (inner != NULL)
        *inner = kind;
    else if (w->out->failed == FAIL_NONE)
        w->out->failed = FAIL_LIMIT;
}

static void close_level(struct json_writer *w, unsigned char kind, char bracket) {
    const unsigned char *here = level(w);
    assert(w->depth > 0 && !w->after_key);
    assert(here == NULL || (*here & IS_OBJECT) == kind);
    (void)here;
    (void)kind;
    w->depth--;
    buf_add_byte(w->out, bracket);
}

void json_object(struct json_writer *w) {
    open_level(w, IS_OBJECT, '{');
}

void json_object_end(struct json_writer *w) {
    close_level(w, IS_OBJECT, '}');
}

void json_array(struct json_writer *w) {
    open_level(w, 0, '[');
}

void json_array_end(struct json_writer *w) {
    close_level(w, 0, ']');
}

void json_key(struct json_writer *w, struct str key) {
    unsigned char *here = level(w);
    if (here == NULL) return;
    assert((*here & IS_OBJECT) && !w->after_key);
    if (*here & HAS_ITEMS) buf_add_byte(w->out, ',');
    *here |= HAS_ITEMS;
    w->after_key = true;
    buf_add_byte(w->out, '"');
    json_escape(w->out, key);
    buf_add(w->out, STR("\":"));
}

/* -- text ------------------------------------------------------------------------------------- */

/* Two characters for those that have a short form, six for other controls; returns the end. */
static char *put_escape(char *at, unsigned char c) {
    static const char short_form[] = {['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
                                      ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f'};
    static const char digits[] = "0123456789abcdef";
    *at++ = '\\';
    if (c < sizeof short_form && short_form[c] != 0) {
        *at++ = short_form[c];
        return at;
    }
    memcpy(at, "u00", 3);
    at[3] = digits[c >> 4];
    at[4] = digits[c & 15];
    return at + 5;
}

/* Eight bytes at once that may all stand as they are (ASCII, no control, quote or backslash). */
static bool is_plain_eight(const char *at) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    uint64_t special =
        (eight - ones * 0x20) | ((eight ^ ones * '"') - ones) | ((eight ^ ones * '\\') - ones);
    return ((special | eight) & ones * 0x80) == 0;
}

/* Bytes that are escaped at once: what they may grow to is what a buf reserves at once. */
enum { ESCAPE_BLOCK = 600, ESCAPE_GROWTH = 6, UTF8_LONGEST = 4 };
_Static_assert((ESCAPE_BLOCK + UTF8_LONGEST) * ESCAPE_GROWTH <= BUF_RESERVE_MAX,
               "a block fits into what is reserved");

/* One character or broken byte from text[*i] on; returns the end of what was written. */
static char *put_rune(char *at, struct str text, size_t *i) {
    size_t n = utf8_next(str_slice(text, *i, text.len), NULL);
    if (n == 0) {
        memcpy(at, "\xef\xbf\xbd", 3);
        *i += 1;
        return at + 3;
    }
    memcpy(at, text.ptr + *i, n);
    *i += n;
    return at + n;
}

/* Escapes a block from *i on, whose last character may reach beyond it. */
static char *put_block(char *at, struct str text, size_t *i) {
    size_t end = text.len - *i > ESCAPE_BLOCK ? *i + ESCAPE_BLOCK : text.len;
    while (*i < end) {
        unsigned char c = (unsigned char)text.ptr[*i];
        if (end - *i >= 8 && is_plain_eight(text.ptr + *i)) {
            memcpy(at, text.ptr + *i, 8);
            at += 8;
            *i += 8;
        } else if (c >= 0x80) {
            at = put_rune(at, text, i);
        } else if (c < 0x20 || c == '"' || c == '\\') {
            at = put_escape(at, c);
            *i += 1;
        } else {
            *at++ = (char)c;
            *i += 1;
        }
    }
    return at;
}

void json_escape(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.len;) {
        size_t left = text.len - i;
        size_t wants = (left < ESCAPE_BLOCK ? left : ESCAPE_BLOCK + UTF8_LONGEST) * ESCAPE_GROWTH;
        char *begin = buf_reserve(out, wants);
        if (begin == NULL) return;
        buf_commit(out, (size_t)(put_block(begin, text, &i) - begin));
    }
}

/* How many bytes at the end of `text` begin a character that goes on behind it. */
static size_t unfinished(struct str text) {
    for (size_t back = 1; back <= 3 && back <= text.len; back++) {
        unsigned char c = (unsigned char)text.ptr[text.len - back];
        if ((c & 0xc0) == 0x80) continue;
        size_t needs = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return needs > back ? back : 0;
    }
    return 0;
}

/* A character may begin in one chunk and end in the next: `carried` holds what has begun. */
struct carry {
    char bytes[4];
    size_t n;
};

/* Takes bytes of `text` until no character is unfinished; returns the rest. */
static struct str finish_carried(struct buf *out, struct carry *carry, struct str text) {
    while (carry->n > 0 && text.len > 0) {
        carry->bytes[carry->n++] = text.ptr[0];
        text = str_slice(text, 1, text.len);
        size_t begun = unfinished((struct str){carry->bytes, carry->n});
        json_escape(out, (struct str){carry->bytes, carry->n - begun});
        memmove(carry->bytes, carry->bytes + carry->n - begun, begun);
        carry->n = begun;
    }
    return text;
}

void json_escape_buf(struct buf *out, const struct buf *from) {
    struct carry carry = {.n = 0};
    for (const struct buf_chunk *chunk = from->first; chunk != NULL; chunk = chunk->next) {
        struct str text = finish_carried(out, &carry, (struct str){chunk->bytes, chunk->len});
        size_t begun = unfinished(text);
        json_escape(out, str_slice(text, 0, text.len - begun));
        if (begun == 0) continue;
        memcpy(carry.bytes, text.ptr + text.len - begun, begun);
        carry.n = begun;
    }
    json_escape(out, (struct str){carry.bytes, carry.n});
}

void json_text(struct json_writer *w, struct str text) {
    begin_value(w);
    buf_add_byte(w->out, '"');
    json_escape(w->out, text);
    buf_add_byte(w->out, '"');
}

/* -- numbers ---------------------------------------------------------------------------------- */

enum { DIGITS_MAX = 24 };

/* Writes the digits so that they end before `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t value) {
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

static void add_between(struct json_writer *w, const char *from, const char *end) {
    begin_value(w);
    buf_add(w->out, (struct str){from, (size_t)(end - from)});
}

void json_uint(struct json_writer *w, uint64_t value) {
    char text[DIGITS_MAX], *end = text + sizeof text;
    add_between(w, digits_before(end, value), end);
}

void json_int(struct json_writer *w, int64_t value) {
    char text[DIGITS_MAX], *end = text + sizeof text;
    char *from = digits_before(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    if (value < 0) *--from = '-';
    add_between(w, from, end);
}

/* Most reals of a warehouse are sums of money: m / 10^k with k up to 4. A quotient of two numbers
 * that a double holds exactly is the double nearest to the decimal fraction, so that when it equals
 * the value, "m / 10^k" reads back as it; below 10^15 it has at most 15 digits, so that no shorter
 * text does. */
static bool write_decimal(struct json_writer *w, double value) {
    double size = value < 0 ? -value : value;
    if (!(size >= 1e-4 && size < 1e9)) return false;
    static const double powers[] = {1, 10, 100, 1000, 10000};
    for (unsigned k = 0; k < COUNT(powers); k++) {
        uint64_t m = (uint64_t)(size * powers[k] + 0.5);
        if ((double)m / powers[k] != size) continue;
        char text[DIGITS_MAX + 8], *end = text + sizeof text, *from = end;
        for (unsigned i = 0; i < k; i++, m /= 10) *--from = (char)('0' + m % 10);
        if (k > 0) *--from = '.';
        from = digits_before(from, m);
        if (value < 0) *--from = '-';
        add_between(w, from, end);
        return true;
    }
    return false;
}

void json_real(struct json_writer *w, double value) {
    if (value != value) {
        json_text(w, STR("NaN"));
    } else if (value > DBL_MAX) {
        json_text(w, STR("Infinity"));
    } else if (value < -DBL_MAX) {
        json_text(w, STR("-Infinity"));
    } else if (!write_decimal(w, value)) {
        char text[32];
        int len = 0;
        bool is_whole = value > -9007199254740992.0 && value < 9007199254740992.0 && value != 0 &&
                        (double)(int64_t)value == value;
        if (is_whole) len = snprintf(text, sizeof text, "%.0f", value);
        for (int digits = 15; digits <= 17 && !is_whole; digits++) {
            len = snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtod(text, NULL) == value) break;
        }
        add_between(w, text, text + len);
    }
}

/* -- other values ----------------------------------------------------------------------------- */

void json_raw_value(struct json_writer *w, struct str json) {
    assert(json.len > 0);
    begin_value(w);
    buf_add(w->out, json);
}

void json_bool(struct json_writer *w, bool value) {
    json_raw_value(w, value ? STR("true") : STR("false"));
}

void json_null(struct json_writer *w) {
    json_raw_value(w, STR("null"));
}

/* As deep as the tree, which its reader has bounded. */
void json_value(struct json_writer *w, const struct json *value) {
    switch (value->type) {
    case JSON_NULL: json_null(w); return;
    case JSON_FALSE: json_bool(w, false); return;
    case JSON_TRUE: json_bool(w, true); return;
    case JSON_NUMBER: json_raw_value(w, value->text); return;
    case JSON_STRING: json_text(w, value->text); return;
    case JSON_ARRAY:
        json_array(w);
        for (uint32_t i = 0; i < value->n; i++) json_value(w, &value->items[i]);
        json_array_end(w);
        return;
    case JSON_OBJECT:
        json_object(w);
        for (uint32_t i = 0; i < value->n; i++) {
            json_key(w, value->members[i].key);
            json_value(w, &value->members[i].value);
        }
        json_object_end(w);
        return;
    }
}

void json_text_buf(struct json_writer *w, const struct buf *document) {
    begin_value(w);
    buf_add_byte(w->out, '"');
    json_escape_buf(w->out, document);
    buf_add_byte(w->out, '"');
}

void json_raw_buf(struct json_writer *w, struct buf *document) {
    assert(document->len > 0);
    begin_value(w);
    buf_append(w->out, document);
}

void json_put_text(struct json_writer *w, struct str key, struct str text) {
    json_key(w, key);
    json_text(w, text);
}

void json_put_int(struct json_writer *w, struct str key, int64_t value) {
    json_key(w, key);
    json_int(w, value);
}

void json_put_bool(struct json_writer *w, struct str key, bool value) {
    json_key(w, key);
    json_bool(w, value);
}

void json_put_null(struct json_writer *w, struct str key) {
    json_key(w, key);
    json_null(w);
}
