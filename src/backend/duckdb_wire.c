#include "backend/duckdb_wire.h"

#include "base/fault.h"
#include "base/limits.h"
#include "text/json.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEAD_BYTES = 8, FIRST_BYTES = 16 << 10, KEPT_BYTES = 256 << 10 };

/* -- making frames ------------------------------------------------------------------------------
 */

void wire_out_init(struct wire_out *out) {
    *out = (struct wire_out){0};
}

void wire_out_deinit(struct wire_out *out) {
    free(out->bytes);
    wire_out_init(out);
}

bool wire_out_failed(const struct wire_out *out) {
    return out->failed;
}

/* Doubles until `need` bytes fit. false: memory; nothing has changed. */
static bool grow(char **bytes, size_t *cap, size_t need) {
    if (need <= *cap) return true;
    size_t more = *cap == 0 ? FIRST_BYTES : *cap;
    while (more < need) more *= 2;
    char *grown = fault_now() ? NULL : realloc(*bytes, more);
    if (grown == NULL) return false;
    *bytes = grown;
    *cap = more;
    return true;
}

static char *put(struct wire_out *out, size_t n) {
    if (out->failed) return NULL;
    bool is_too_large =
        n > WIRE_FRAME_BYTES_MAX || out->len + n - out->frame > WIRE_FRAME_BYTES_MAX;
    if (is_too_large || !grow(&out->bytes, &out->cap, out->len + n)) {
        out->failed = true;
        return NULL;
    }
    char *at = out->bytes + out->len;
    out->len += n;
    return at;
}

static void put_copy(struct wire_out *out, const void *from, size_t n) {
    char *to = put(out, n);
    if (to != NULL && n > 0) memcpy(to, from, n);
}

void wire_begin(struct wire_out *out, enum wire_kind kind) {
    out->frame = out->len;
    wire_put_u32(out, 0);
    wire_put_u32(out, kind);
}

void wire_end(struct wire_out *out) {
    if (out->failed) return;
    uint32_t len = (uint32_t)(out->len - out->frame - HEAD_BYTES);
    memcpy(out->bytes + out->frame, &len, sizeof len);
    out->frame = out->len;
}

void wire_put_u8(struct wire_out *out, uint8_t value) {
    put_copy(out, &value, sizeof value);
}

void wire_put_u32(struct wire_out *out, uint32_t value) {
    put_copy(out, &value, sizeof value);
}

void wire_put_u64(struct wire_out *out, uint64_t value) {
    put_copy(out, &value, sizeof value);
}

void wire_put_bytes(struct wire_out *out, struct str bytes) {
    put_copy(out, bytes.ptr, bytes.len);
}

void wire_put_text(struct wire_out *out, struct str text) {
    if (text.len > WIRE_FRAME_BYTES_MAX) out->failed = true;
    wire_put_u32(out, (uint32_t)text.len);
    wire_put_bytes(out, text);
}

void wire_put_value(struct wire_out *out, const struct row_value *value) {
    wire_put_u8(out, (uint8_t)value->kind);
    switch (value->kind) {
    case ROW_NULL: return;
    case ROW_BOOL: wire_put_u8(out, value->boolean); return;
    case ROW_INT: put_copy(out, &value->integer, sizeof value->integer); return;
    case ROW_REAL: put_copy(out, &value->real, sizeof value->real); return;
    case ROW_DECIMAL:
    case ROW_TEXT:
    case ROW_BYTES:
    case ROW_JSON: wire_put_text(out, value->text); return;
    }
    assert(false && "a row value of no kind");
}

void wire_put_error(struct wire_out *out, enum wire_error error, struct str text) {
    wire_begin(out, WIRE_ERROR);
    wire_put_u32(out, error);
    wire_put_text(out, utf8_clip(text, WIRE_ERROR_BYTES_MAX));
    wire_end(out);
}

/* -- reading frames -----------------------------------------------------------------------------
 */

void wire_in_init(struct wire_in *in) {
    *in = (struct wire_in){0};
}

void wire_in_deinit(struct wire_in *in) {
    free(in->bytes);
    wire_in_init(in);
}

void wire_in_trim(struct wire_in *in) {
    if (in->cap > KEPT_BYTES && in->at == in->len) wire_in_deinit(in);
}

/* The length that the head at `at` tells; false: no head is complete yet. */
static bool head(const struct wire_in *in, uint32_t *len, uint32_t *kind) {
    if (in->len - in->at < HEAD_BYTES) return false;
    memcpy(len, in->bytes + in->at, sizeof *len);
    memcpy(kind, in->bytes + in->at + sizeof *len, sizeof *kind);
    return true;
}

enum wire_state wire_in_next(struct wire_in *in, struct wire_frame *out) {
    uint32_t len, kind;
    if (!head(in, &len, &kind)) return WIRE_AGAIN;
    if (len > WIRE_FRAME_BYTES_MAX || kind < WIRE_SETUP || kind > WIRE_ERROR) return WIRE_BROKEN;
    if (in->len - in->at - HEAD_BYTES < len) return WIRE_AGAIN;
    const char *payload = in->bytes + in->at + HEAD_BYTES;
    *out = (struct wire_frame){(enum wire_kind)kind, {payload, payload + len}};
    in->at += HEAD_BYTES + len;
    return WIRE_READ;
}

/* Room for the frame that is coming, at the front again. */
static bool make_room(struct wire_in *in) {
    if (in->at > 0) {
        memmove(in->bytes, in->bytes + in->at, in->len - in->at);
        in->len -= in->at;
        in->at = 0;
    }
    uint32_t len = 0, kind;
    size_t want = in->len + 1;
    if (head(in, &len, &kind) && want < HEAD_BYTES + (size_t)len) want = HEAD_BYTES + (size_t)len;
    return grow(&in->bytes, &in->cap, want);
}

enum wire_state wire_in_read(struct wire_in *in, int fd, struct wire_frame *out) {
    enum wire_state state = wire_in_next(in, out);
    if (state != WIRE_AGAIN) return state;
    if (!make_room(in)) return WIRE_BROKEN;
    ssize_t n = read(fd, in->bytes + in->len, in->cap - in->len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return WIRE_AGAIN;
    if (n <= 0) return WIRE_CLOSED;
    in->len += (size_t)n;
    return wire_in_next(in, out);
}

static bool get(struct wire_view *view, void *out, size_t n) {
    if ((size_t)(view->end - view->at) < n) return false;
    memcpy(out, view->at, n);
    view->at += n;
    return true;
}

bool wire_get_u8(struct wire_view *view, uint8_t *out) {
    return get(view, out, sizeof *out);
}

bool wire_get_u32(struct wire_view *view, uint32_t *out) {
    return get(view, out, sizeof *out);
}

bool wire_get_u64(struct wire_view *view, uint64_t *out) {
    return get(view, out, sizeof *out);
}

bool wire_get_text(struct wire_view *view, struct str *out) {
    uint32_t len;
    if (!wire_get_u32(view, &len) || (size_t)(view->end - view->at) < len) return false;
    *out = (struct str){view->at, len};
    view->at += len;
    return true;
}

static size_t digits(struct str text, size_t at) {
    size_t n = 0;
    while (at + n < text.len && text.ptr[at + n] >= '0' && text.ptr[at + n] <= '9') n++;
    return n;
}

static bool is_decimal(struct str text) {
    size_t at = text.len > 0 && text.ptr[0] == '-';
    size_t whole = digits(text, at);
    at += whole;
    if (whole == 0 || at == text.len) return whole > 0;
    size_t fraction = digits(text, at + 1);
    return text.ptr[at] == '.' && fraction > 0 && at + 1 + fraction == text.len;
}

/* A worker that was taken over could else write members of its own into the reply. */
static bool is_json(struct str text, struct arena *scratch) {
    const struct json_limits limits = {
        .bytes = WIRE_FRAME_BYTES_MAX, .members = WIRE_FRAME_BYTES_MAX, .allows_nul = true};
    const struct json *value;
    bool is_good = json_read(text, &limits, scratch, &value, NULL).why == FAIL_NONE;
    arena_reset(scratch);
    return is_good;
}

bool wire_get_value(struct wire_view *view, struct arena *scratch, struct row_value *out) {
    uint8_t kind, boolean;
    if (!wire_get_u8(view, &kind) || kind > ROW_JSON) return false;
    out->kind = (enum row_kind)kind;
    switch (out->kind) {
    case ROW_NULL: return true;
    case ROW_BOOL:
        if (!wire_get_u8(view, &boolean) || boolean > 1) return false;
        out->boolean = boolean;
        return true;
    case ROW_INT: return get(view, &out->integer, sizeof out->integer);
    case ROW_REAL: return get(view, &out->real, sizeof out->real);
    case ROW_TEXT:
    case ROW_BYTES: return wire_get_text(view, &out->text);
    case ROW_DECIMAL: return wire_get_text(view, &out->text) && is_decimal(out->text);
    case ROW_JSON: return wire_get_text(view, &out->text) && is_json(out->text, scratch);
    }
    return false;
}

bool wire_get_columns(struct wire_view *view, struct arena *arena, struct row_column **out,
                      size_t *n) {
    uint32_t count;
    if (!wire_get_u32(view, &count) || count == 0 || count > WIRE_COLUMNS_MAX) return false;
    struct row_column *columns = arena_new_array(arena, count, struct row_column);
    if (columns == NULL) return false;
    for (uint32_t i = 0; i < count; i++)
        if (!wire_get_text(view, &columns[i].name) || !wire_get_text(view, &columns[i].type))
            return false;
    *out = columns;
    *n = count;
    return view->at == view->end;
}

bool wire_get_error(struct wire_view *view, enum wire_error *error, struct str *text) {
    uint32_t number;
    if (!wire_get_u32(view, &number) || !wire_get_text(view, text)) return false;
    if (number < WIRE_ERROR_ENGINE || number > WIRE_ERROR_SANDBOX) return false;
    *error = (enum wire_error)number;
    return view->at == view->end;
}
