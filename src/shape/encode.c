#include "shape/encode.h"

#include "base/list.h"
#include "text/base64.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* What a double, and so JavaScript, holds exactly. */
#define SAFE_INTEGER_MAX ((INT64_C(1) << 53) - 1)

static void encode_int(struct json_writer *writer, int64_t value) {
    if (value >= -SAFE_INTEGER_MAX && value <= SAFE_INTEGER_MAX) {
        json_int(writer, value);
        return;
    }
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, value);
    json_text(writer, (struct str){text, (size_t)len});
}

static size_t digits_at(struct str text, size_t at) {
    size_t n = 0;
    while (at + n < text.len && text.ptr[at + n] >= '0' && text.ptr[at + n] <= '9') n++;
    return n;
}

/* -?digits[.digits] without a leading zero, whole: also a JSON number. */
static bool is_json_decimal(struct str text) {
    size_t at = text.len > 0 && text.ptr[0] == '-';
    size_t whole = digits_at(text, at);
    if (whole == 0 || (whole > 1 && text.ptr[at] == '0')) return false;
    at += whole;
    if (at == text.len) return true;
    if (text.ptr[at] != '.') return false;
    size_t fraction = digits_at(text, at + 1);
    return fraction > 0 && at + 1 + fraction == text.len;
}

static void encode_decimal(struct json_writer *writer, struct str text, enum text_form form) {
    if (is_json_decimal(text))
        json_raw_value(writer, text);
    else
        text_write(writer, text, form);
}

/* Straight into the buf: json_text() would look through what needs no escape. The writer's comma is
 * put by an empty raw value, between whose quotes we then stand. */
static void encode_bytes(struct json_writer *writer, struct str bytes) {
    json_raw_value(writer, STR("\""));
    base64_encode(writer->out, bytes);
    buf_add_byte(writer->out, '"');
}

void encode_value(struct json_writer *writer, const struct row_value *value, enum text_form form) {
    switch (value->kind) {
    case ROW_NULL: json_null(writer); return;
    case ROW_BOOL: json_bool(writer, value->boolean); return;
    case ROW_INT: encode_int(writer, value->integer); return;
    case ROW_REAL: json_real(writer, value->real); return;
    case ROW_DECIMAL: encode_decimal(writer, value->text, form); return;
    case ROW_TEXT: text_write(writer, value->text, form); return;
    case ROW_BYTES: encode_bytes(writer, value->text); return;
    case ROW_JSON: text_write_json(writer, value->text, form); return;
    }
    assert(false && "a row value of no kind");
}

void encode_columns(struct json_writer *writer, const struct row_column *columns, size_t n,
                    enum text_form form) {
    json_array(writer);
    for (size_t i = 0; i < n; i++) {
        json_object(writer);
        text_put(writer, STR("name"), columns[i].name, form);
        json_put_text(writer, STR("type"), columns[i].type);
        json_object_end(writer);
    }
    json_array_end(writer);
}

static result begin(struct row_sink *sink, const struct row_column *columns, size_t n,
                    struct report *report) {
    struct encode_sink *encoder = holder_of(sink, struct encode_sink, sink);
    struct json_writer *writer = encoder->writer;
    assert(!encoder->has_columns);
    json_key(writer, STR("columns"));
    encode_columns(writer, columns, n, encoder->form);
    json_key(writer, STR("rows"));
    json_array(writer);
    encoder->has_columns = true;
    encoder->n_columns = n;
    return buf_failed(writer->out, report);
}

static result put_row(struct row_sink *sink, const struct row_value *values, bool *more,
                      struct report *report) {
    struct encode_sink *encoder = holder_of(sink, struct encode_sink, sink);
    (void)more;
    json_array(encoder->writer);
    for (size_t i = 0; i < encoder->n_columns; i++)
        encode_value(encoder->writer, &values[i], encoder->form);
    json_array_end(encoder->writer);
    TRY(buf_failed(encoder->writer->out, report));
    encoder->n_rows++;
    return OK;
}

void encode_sink_init(struct encode_sink *encoder, struct json_writer *writer,
                      enum text_form form) {
    *encoder = (struct encode_sink){
        .sink = {.columns = begin, .row = put_row}, .writer = writer, .form = form};
}

void encode_sink_end(struct encode_sink *encoder) {
    if (!encoder->has_columns) {
        json_key(encoder->writer, STR("columns"));
        json_array(encoder->writer);
        json_array_end(encoder->writer);
        json_key(encoder->writer, STR("rows"));
        json_array(encoder->writer);
    }
    json_array_end(encoder->writer);
}
