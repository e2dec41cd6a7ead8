/*
 * backend/duckdb_wire.h - the words between us and a DuckDB worker
 *
 * Frames over a socketpair, in the byte order of the machine that both run on: a head of two u32
 * (bytes that follow, kind) and the payload. A worker is asked one thing at a time:
 *
 *     us      SETUP                                       QUERY
 *     worker         READY | ERROR                               COLUMNS ROWS* DONE | ERROR
 *
 * A second pipe carries orders about the query at work; its end of file tells the worker to end.
 * One of them asks how far it is: a PROGRESS frame (u8 per cent) may then come before any frame of
 * the answer, but never behind its last. Texts are u32 length and bytes. A row is its values in a
 * line: u8 row_kind and what it holds (BOOL u8, INT i64, REAL double, the others a text).
 *
 * What comes from a worker is not trusted: it ran hostile input. Every length is checked, decimals
 * and JSON are read before they may stand in a reply.
 *
 * Memory:  wire_out and wire_in own one growing piece each; views from a frame are valid until the
 *          next wire_in_read().
 * Errors:  writers stick, ask wire_out_failed(); readers answer false on bytes that make no sense.
 * Threads: one owner at a time.
 */
#ifndef WEIR_BACKEND_DUCKDB_WIRE_H
#define WEIR_BACKEND_DUCKDB_WIRE_H

#include "backend/rows.h"
#include "base/arena.h"

enum wire_kind {
    WIRE_SETUP = 1,
    WIRE_QUERY,
    WIRE_READY,
    WIRE_COLUMNS,
    WIRE_ROWS,
    WIRE_PROGRESS,
    WIRE_DONE,
    WIRE_ERROR,
};

enum wire_error {
    WIRE_ERROR_ENGINE = 1,  /* DuckDB could not; the text is its own */
    WIRE_ERROR_INTERRUPTED, /* as we asked */
    WIRE_ERROR_MEMORY,      /* over memory_limit or the address space; the worker ends itself */
    WIRE_ERROR_FATAL,      /* as ENGINE, and DuckDB can no longer be used; the worker ends itself */
    WIRE_ERROR_NOT_SELECT, /* no single SELECT: nothing was run */
    WIRE_ERROR_ROW_TOO_LARGE, /* a row that fits no frame */
    WIRE_ERROR_NOT_INSTALLED, /* SETUP: the library cannot be used */
    WIRE_ERROR_SANDBOX,       /* SETUP: the fence cannot be built */
};

/* As it goes through the pipe, in one piece. */
struct wire_order {
    uint64_t number; /* of the query; no other is meant */
    enum { ORDER_INTERRUPT = 1, ORDER_TELL_PROGRESS } what;
};

/* -- making frames ------------------------------------------------------------------------------
 */

struct wire_out {
    char *bytes;
    size_t len, cap;
    size_t frame; /* where the open frame begins */
    bool failed;
};

void wire_out_init(struct wire_out *out);
void wire_out_deinit(struct wire_out *out);
void wire_begin(struct wire_out *out, enum wire_kind kind);
void wire_end(struct wire_out *out);
void wire_put_u8(struct wire_out *out, uint8_t value);
void wire_put_u32(struct wire_out *out, uint32_t value);
void wire_put_u64(struct wire_out *out, uint64_t value);
void wire_put_bytes(struct wire_out *out, struct str bytes); /* without a length */
void wire_put_text(struct wire_out *out, struct str text);
void wire_put_value(struct wire_out *out, const struct row_value *value);
/* An ERROR frame. */
void wire_put_error(struct wire_out *out, enum wire_error error, struct str text);
bool wire_out_failed(const struct wire_out *out); /* memory, or a frame over WIRE_FRAME_BYTES_MAX */

/* -- reading frames -----------------------------------------------------------------------------
 */

struct wire_in {
    char *bytes;
    size_t at, len, cap;
};

/* What is left of a payload. */
struct wire_view {
    const char *at, *end;
};

struct wire_frame {
    enum wire_kind kind;
    struct wire_view payload;
};

enum wire_state {
    WIRE_BROKEN = 0, /* no frame of ours, or memory is spent */
    WIRE_CLOSED,     /* end of file, or an error of the socket */
    WIRE_AGAIN,      /* nothing to read now */
    WIRE_READ,       /* a frame is there */
};

void wire_in_init(struct wire_in *in);
void wire_in_deinit(struct wire_in *in);
/* Gives back what a large frame took, keeps a small piece. Only between answers. */
void wire_in_trim(struct wire_in *in);
/* The next frame: out of what was read already, else of one read from `fd`. Blocks as `fd` does. */
enum wire_state wire_in_read(struct wire_in *in, int fd, struct wire_frame *out);
/* The next frame of what stands in `in` already: WIRE_AGAIN when it is not complete. */
enum wire_state wire_in_next(struct wire_in *in, struct wire_frame *out);

bool wire_get_u8(struct wire_view *view, uint8_t *out);
bool wire_get_u32(struct wire_view *view, uint32_t *out);
bool wire_get_u64(struct wire_view *view, uint64_t *out);
bool wire_get_text(struct wire_view *view, struct str *out);
/* `scratch` takes the reading of JSON values. */
bool wire_get_value(struct wire_view *view, struct arena *scratch, struct row_value *out);
/* Columns of a COLUMNS frame, at most WIRE_COLUMNS_MAX. false also when the budget is spent. */
bool wire_get_columns(struct wire_view *view, struct arena *arena, struct row_column **out,
                      size_t *n);
bool wire_get_error(struct wire_view *view, enum wire_error *error, struct str *text);

#endif
