/*
 * text/json.h - JSON in and out, strictly (RFC 8259, I-JSON)
 *
 * The reader turns bytes into a tree in an arena. Strings without escapes are views into the input.
 * It refuses what peers read in different ways: duplicate keys, bad UTF-8, lone surrogates, NUL,
 * NaN and Infinity, leading zeros, trailing commas, a byte-order mark, anything behind the
 * value. Numbers keep their text; 64-bit integers (without fraction and exponent) are exact, a
 * larger one is a number without an integer. What a double cannot hold (1e400) is refused.
 *
 * The writer streams one value into a buf. It puts the commas and knows its nesting; misuse is
 * asserted, nesting beyond JSON_WRITE_DEPTH_MAX fails the buf. To take back what was written, copy
 * the writer when the buf is marked, and put the copy back when it is rewound.
 *
 * Memory:  the tree lives in the arena and borrows from the input; keep both.
 * Errors:  FAIL_INPUT with code JSON_INVALID, FAIL_LIMIT with JSON_TOO_LARGE; the byte offset is in
 *          the report. The writer's errors are the buf's (sticky).
 * Threads: values; no shared state.
 */
#ifndef WEIR_TEXT_JSON_H
#define WEIR_TEXT_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/limits.h"

enum json_type {
    JSON_NULL = 0,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    enum json_type type;
    uint32_t n;       /* ARRAY, OBJECT: members */
    bool is_integer;  /* NUMBER: integer holds it exactly */
    uint32_t raw_len; /* bytes of the source text of this value, from raw on */
    const char *raw;  /* where the value begins in the input */
    union {
        struct str text;                   /* STRING: unescaped. NUMBER: as written */
        const struct json *items;          /* ARRAY */
        const struct json_member *members; /* OBJECT, in source order */
    };
    int64_t integer; /* NUMBER with is_integer */
};

struct json_member {
    struct str key;
    struct json value;
};

/* Zero means the default of limits.h; a depth above JSON_DEPTH_MAX counts as that. */
struct json_limits {
    size_t bytes, depth, members, string_bytes;
    bool allows_nul; /* \\u0000 inside texts: for documents of our own making, which hold data */
};

MUST_USE result json_read(struct str text, const struct json_limits *limits, struct arena *arena,
                          const struct json **out, struct report *report);

/* The member's value, or NULL. `object` may be NULL or no object. */
const struct json *json_get(const struct json *object, struct str key);
/* The same along a JSON Pointer (RFC 6901), "" is the value itself. */
const struct json *json_at(const struct json *value, struct str pointer);
/* The text of a string member; STR_NONE when absent or no string. */
struct str json_get_text(const struct json *object, struct str key);
struct str json_raw(const struct json *value); /* the value's source bytes */
bool json_is_text(const struct json *value, struct str text);
double json_double(const struct json *number);
bool json_is_true(const struct json *value);

/* -- writing ---------------------------------------------------------------------------------- */

struct json_writer {
    struct buf *out;
    unsigned depth;
    bool after_key;
    unsigned char levels[JSON_WRITE_DEPTH_MAX + 1]; /* what is open, and has something before */
};

void json_writer_init(struct json_writer *w, struct buf *out);

void json_object(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, struct str key);

/* Text is escaped as RFC 8259 demands; bytes that are no UTF-8 become U+FFFD. */
void json_text(struct json_writer *w, struct str text);
void json_int(struct json_writer *w, int64_t value);
void json_uint(struct json_writer *w, uint64_t value);
/* Shortest form that reads back the same, no fraction when it is zero; NaN and infinities as the
 * strings "NaN", "Infinity", "-Infinity". */
void json_real(struct json_writer *w, double value);
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
/* Bytes that are one complete JSON value already. */
void json_raw_value(struct json_writer *w, struct str json);
void json_value(struct json_writer *w, const struct json *value); /* copies a tree, compact */
/* A document that stands in a buf: as one string, and as the value itself; its chunks are moved. */
void json_text_buf(struct json_writer *w, const struct buf *document);
void json_raw_buf(struct json_writer *w, struct buf *document);

/* Escapes bytes as the inside of a JSON string, without quotes, straight into a buf. */
void json_escape(struct buf *out, struct str text);
/* The same for what already stands in `from` (a document repeated as text inside another one). */
void json_escape_buf(struct buf *out, const struct buf *from);

/* key + value in one call */
void json_put_text(struct json_writer *w, struct str key, struct str text);
void json_put_int(struct json_writer *w, struct str key, int64_t value);
void json_put_bool(struct json_writer *w, struct str key, bool value);
void json_put_null(struct json_writer *w, struct str key);

#endif
