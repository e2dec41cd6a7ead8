#include "audit/record.h"

#include "base/fault.h"
#include "base/limits.h"

#include <math.h>
#include <stdlib.h>

enum kind {
    KIND_TEXT,  /* struct str */
    KIND_NAME,  /* const char * */
    KIND_JSON,  /* struct str, one complete value */
    KIND_COUNT, /* int64_t, negative is null */
    KIND_TIME,  /* int64_t, ms */
    KIND_MS,    /* double */
    KIND_BOOL,
};

/* What stands before the value, and the value. Commas and braces are in the prefix, so that a line
 * is nothing but its rows in order. */
struct row {
    struct str prefix;
    enum kind kind;
    size_t offset;
};

#define ROW(prefix, kind, member)                                                                  \
    { STR_INIT(prefix), kind, offsetof(struct audit_record, member) }

static const struct row rows[] = {
    ROW("{\"audit_id\":", KIND_NAME, audit_id),
    ROW(",\"request_id\":", KIND_TEXT, request_id),
    ROW(",\"timestamp\":", KIND_TIME, time_ms),
    ROW(",\"user_id\":", KIND_TEXT, user_id),
    ROW(",\"client_id\":", KIND_TEXT, client_id),
    ROW(",\"session_id\":", KIND_TEXT, session_id),
    ROW(",\"source_ip\":", KIND_TEXT, source_ip),
    ROW(",\"auth_method\":", KIND_TEXT, auth_method),
    ROW(",\"token_id\":", KIND_TEXT, token_id),
    ROW(",\"tool_name\":", KIND_TEXT, tool_name),
    ROW(",\"outcome\":", KIND_NAME, outcome),
    ROW(",\"latency_ms\":", KIND_MS, latency_ms),
    ROW(",\"request_params\":", KIND_JSON, request_params_json),
    ROW(",\"response_summary\":{\"tables_used\":", KIND_JSON, tables_json),
    ROW(",\"columns_used\":", KIND_JSON, columns_json),
    ROW(",\"row_count\":", KIND_COUNT, row_count),
    ROW(",\"truncated\":", KIND_BOOL, truncated),
    ROW("},\"policy_decision\":", KIND_NAME, policy_decision),
    ROW(",\"deny_reason\":", KIND_TEXT, deny_reason),
    ROW(",\"error_code\":", KIND_NAME, error_code),
    ROW(",\"error_message\":", KIND_TEXT, error_message),
    ROW(",\"method\":", KIND_TEXT, method),
    ROW(",\"rule\":", KIND_TEXT, rule),
    ROW(",\"policy_version\":", KIND_TEXT, policy_version),
    ROW(",\"policy_looks\":", KIND_JSON, looks_json),
    ROW(",\"approval_id\":", KIND_TEXT, approval_id),
    ROW(",\"sql_asked\":", KIND_TEXT, sql_asked),
    ROW(",\"sql_run\":", KIND_TEXT, sql_run),
    ROW(",\"backend\":", KIND_TEXT, backend),
    ROW(",\"engine_us\":", KIND_COUNT, engine_us),
    ROW(",\"engine_error\":", KIND_TEXT, engine_error),
    ROW(",\"reply_bytes\":", KIND_COUNT, reply_bytes),
    ROW(",\"from_cache\":", KIND_BOOL, from_cache),
    ROW(",\"station\":", KIND_NAME, station),
    ROW(",\"repeated\":", KIND_COUNT, repeated),
};

/* Keys, numbers, names and the seal of an everyday record; its texts come on top. */
enum { RECORD_FIXED_BYTES = 1024 };

/* block is NULL once there was no memory; every put then does nothing. */
struct out {
    struct audit_block *block;
};

static void out_grow(struct out *out, size_t n) {
    struct audit_block *old = out->block;
    size_t cap = old->cap * 2 > old->len + n ? old->cap * 2 : old->len + n;
    bool refused = cap > AUDIT_LINE_BYTES_MAX || fault_now();
    out->block = refused ? NULL : realloc(old, sizeof *old + cap);
    if (out->block == NULL)
        free(old);
    else
        out->block->cap = cap;
}

/* Room for n bytes and, whatever comes, for the seal. NULL: there is none. */
static char *out_room(struct out *out, size_t n) {
    if (out->block == NULL) return NULL;
    n += AUDIT_SEAL_BYTES_MAX;
    if (__builtin_expect(out->block->cap - out->block->len < n, 0)) out_grow(out, n);
    return out->block == NULL ? NULL : out->block->bytes + out->block->len;
}

static void put_bytes(struct out *out, struct str bytes) {
    char *to = out_room(out, bytes.len);
    if (to == NULL || bytes.len == 0) return;
    memcpy(to, bytes.ptr, bytes.len);
    out->block->len += bytes.len;
}

/* -- text ------------------------------------------------------------------------------------- */

#define BYTES(b) (UINT64_C(0x0101010101010101) * (uint64_t)(b))

/* Of eight bytes: is there one that cannot be copied as it is? A false alarm costs time only: the
 * subtraction's borrow may mark a byte behind a true one, never before. */
static bool is_special(uint64_t eight) {
    uint64_t quote = eight ^ BYTES('"'), slash = eight ^ BYTES('\\');
    uint64_t marks = eight | (eight - BYTES(0x20)) | (quote - BYTES(1)) | (slash - BYTES(1));
    return (marks & BYTES(0x80)) != 0;
}

static size_t plain_prefix(struct str s) {
    size_t n = 0;
    for (uint64_t eight; n + sizeof eight <= s.len; n += sizeof eight) {
        memcpy(&eight, s.ptr + n, sizeof eight);
        if (is_special(eight)) break;
    }
    while (n < s.len) {
        unsigned char c = (unsigned char)s.ptr[n];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
        n++;
    }
    return n;
}

enum { ESCAPE_BYTES_MAX = 6 };

static size_t escape_byte(char out[ESCAPE_BYTES_MAX], unsigned char c) {
    static const char digits[] = "0123456789abcdef";
    char brief = 0;
    if (c == '"' || c == '\\')
        brief = (char)c;
    else if (c == '\n')
        brief = 'n';
    else if (c == '\r')
        brief = 'r';
    else if (c == '\t')
        brief = 't';
    if (brief != 0) {
        out[0] = '\\';
        out[1] = brief;
        return 2;
    }
    memcpy(out, "\\u00", 4);
    out[4] = digits[c >> 4];
    out[5] = digits[c & 15];
    return ESCAPE_BYTES_MAX;
}

/* Writes the one character at the start of `s`, which is none that plain_prefix() takes; returns
 * the bytes of `s` it stands for. Bytes that are no UTF-8, and NUL, which readers refuse in
 * whatever spelling, become U+FFFD: a line can be read, whatever came. */
static size_t escape_next(char out[ESCAPE_BYTES_MAX], struct str s, size_t *n_out) {
    unsigned char c = (unsigned char)s.ptr[0];
    uint32_t rune;
    size_t n = c == 0 ? 0 : utf8_next(s, &rune);
    *n_out = n == 0 ? 3 : n;
    if (n == 1)
        *n_out = escape_byte(out, c);
    else
        memcpy(out, n == 0 ? "\xEF\xBF\xBD" : s.ptr, *n_out);
    return n == 0 ? 1 : n;
}

/* Writes at `to`, where text.len + 1 bytes are free, and returns the place behind the text, where
 * one byte is free again; NULL when there was no memory. */
static char *escape_on(struct out *out, char *to, struct str text) {
    while (text.len > 0) {
        size_t plain = plain_prefix(text), n_out = 0;
        memcpy(to, text.ptr, plain);
        out->block->len += plain;
        to += plain;
        if (plain == text.len) break;
        text = (struct str){text.ptr + plain, text.len - plain};
        to = out_room(out, text.len + ESCAPE_BYTES_MAX);
        if (to == NULL) return NULL;
        size_t n_in = escape_next(to, text, &n_out);
        out->block->len += n_out;
        to += n_out;
        text = (struct str){text.ptr + n_in, text.len - n_in};
    }
    return to;
}

static void put_text(struct out *out, struct str text) {
    if (text.len == 0) {
        put_bytes(out, STR("null"));
        return;
    }
    char *to = out_room(out, text.len + 2);
    if (to == NULL) return;
    *to++ = '"';
    out->block->len++;
    to = escape_on(out, to, text);
    if (to == NULL) return;
    *to = '"';
    out->block->len++;
}

/* A client may send its arguments on many lines; inside a JSON value a newline is always white
 * space between tokens, so a blank says the same and keeps the record on its line. */
static void put_json(struct out *out, struct str json) {
    if (json.len == 0) json = STR("null");
    char *to = out_room(out, json.len);
    if (to == NULL) return;
    put_bytes(out, json);
    for (char *end = to + json.len; (to = memchr(to, '\n', (size_t)(end - to))) != NULL;) *to = ' ';
}

/* -- numbers ---------------------------------------------------------------------------------- */

enum { DIGITS_MAX = 20 };

static void put_number(struct out *out, uint64_t value) {
    char digits[DIGITS_MAX];
    size_t from = DIGITS_MAX;
    do {
        digits[--from] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put_bytes(out, (struct str){digits + from, DIGITS_MAX - from});
}

static void put_count(struct out *out, int64_t value) {
    if (value < 0)
        put_bytes(out, STR("null"));
    else
        put_number(out, (uint64_t)value);
}

/* Three decimals are all that a latency in ms can mean. */
static void put_ms(struct out *out, double ms) {
    if (!isfinite(ms) || ms < 0 || ms > 1e12) {
        put_bytes(out, STR("null"));
        return;
    }
    uint64_t us = (uint64_t)(ms * 1000 + 0.5);
    unsigned rest = (unsigned)(us % 1000);
    put_number(out, us / 1000);
    char fraction[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                       (char)('0' + rest % 10)};
    put_bytes(out, (struct str){fraction, sizeof fraction});
}

static void put_time(struct out *out, int64_t ms) {
    char iso[CLOCK_ISO_MAX];
    put_bytes(out, STR("\""));
    put_bytes(out, clock_iso(ms, true, iso));
    put_bytes(out, STR("\""));
}

/* -- the record ------------------------------------------------------------------------------- */

static void put_value(struct out *out, enum kind kind, const void *value) {
    switch (kind) {
    case KIND_TEXT: put_text(out, *(const struct str *)value); return;
    case KIND_NAME: put_text(out, str_of(*(const char *const *)value)); return;
    case KIND_JSON: put_json(out, *(const struct str *)value); return;
    case KIND_COUNT: put_count(out, *(const int64_t *)value); return;
    case KIND_TIME: put_time(out, *(const int64_t *)value); return;
    case KIND_MS: put_ms(out, *(const double *)value); return;
    case KIND_BOOL: put_bytes(out, *(const bool *)value ? STR("true") : STR("false")); return;
    }
}

static size_t first_guess(const struct audit_record *r) {
    return RECORD_FIXED_BYTES + AUDIT_SEAL_BYTES_MAX + r->sql_asked.len + r->sql_run.len +
           r->request_params_json.len + r->tables_json.len + r->columns_json.len +
           r->error_message.len + r->engine_error.len + r->deny_reason.len;
}

static struct audit_block *block_new(size_t cap) {
    if (cap > AUDIT_LINE_BYTES_MAX || fault_now()) return NULL;
    struct audit_block *block = malloc(sizeof *block + cap);
    if (block != NULL) *block = (struct audit_block){.cap = cap};
    return block;
}

struct audit_block *audit_block_make(const struct audit_record *record) {
    struct out out = {block_new(first_guess(record))};
    for (size_t i = 0; i < COUNT(rows); i++) {
        put_bytes(&out, rows[i].prefix);
        put_value(&out, rows[i].kind, (const char *)record + rows[i].offset);
    }
    return out.block;
}

void audit_block_free(struct audit_block *block) {
    free(block);
}

struct str audit_escape(struct arena *arena, struct str text) {
    if (text.len == 0) return STR_NONE;
    struct out out = {block_new(text.len + 2 * AUDIT_SEAL_BYTES_MAX)};
    if (out.block != NULL) (void)escape_on(&out, out.block->bytes, text);
    if (out.block == NULL) return STR_NONE;
    struct str escaped = str_dup(arena, (struct str){out.block->bytes, out.block->len});
    audit_block_free(out.block);
    return escaped;
}
