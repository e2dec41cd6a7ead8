#include "backend/duckdb_value.h"

#include "backend/duckdb_text.h"
#include "base/limits.h"
#include "text/base64.h"
#include "text/json.h"

#include <assert.h>

struct making {
    const struct duckdb_api *api;
    struct arena *arena;
    struct report *report;
};

/* -- readers ------------------------------------------------------------------------------------
 */

static result make_reader(struct making *m, duckdb_logical type, unsigned depth,
                          struct value_reader *out);

/* Takes the type. */
static result make_part(struct making *m, duckdb_logical type, unsigned depth,
                        struct value_reader *out) {
    result r = make_reader(m, type, depth + 1, out);
    m->api->destroy_logical_type(&type);
    return r;
}

static result make_parts(struct making *m, struct value_reader *out, size_t n) {
    out->n_parts = n;
    out->parts = arena_new_array(m->arena, n, struct value_reader);
    return out->parts == NULL ? fail_memory(m->report) : OK;
}

/* Takes the name, which is DuckDB's. */
static result keep_name(struct making *m, char *name, struct str *out) {
    *out = str_dup(m->arena, str_of(name));
    bool is_kept = out->ptr != NULL || name == NULL || name[0] == '\0';
    m->api->free(name);
    return is_kept ? OK : fail_memory(m->report);
}

static result make_struct(struct making *m, duckdb_logical type, unsigned depth,
                          struct value_reader *out) {
    idx_t n = m->api->struct_type_child_count(type);
    TRY(make_parts(m, out, n));
    struct str *names = arena_new_array(m->arena, n, struct str);
    if (names == NULL) return fail_memory(m->report);
    out->names = names;
    out->n_names = n;
    for (idx_t i = 0; i < n; i++) {
        TRY(keep_name(m, m->api->struct_type_child_name(type, i), &names[i]));
        TRY(make_part(m, m->api->struct_type_child_type(type, i), depth, &out->parts[i]));
    }
    return OK;
}

static result make_enum(struct making *m, duckdb_logical type, struct value_reader *out) {
    out->storage = (enum duckdb_type_id)m->api->enum_internal_type(type);
    out->n_names = m->api->enum_dictionary_size(type);
    struct str *names = arena_new_array(m->arena, out->n_names, struct str);
    if (names == NULL) return fail_memory(m->report);
    out->names = names;
    for (size_t i = 0; i < out->n_names; i++)
        TRY(keep_name(m, m->api->enum_dictionary_value(type, i), &names[i]));
    return OK;
}

static result no_shape(struct making *m, int type) {
    result r = fail(m->report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET,
                    "a column has a type of DuckDB that has no shape here (number %d)", type);
    fail_hint(m->report, "Cast it to STRING.");
    return r;
}

static result make_reader(struct making *m, duckdb_logical type, unsigned depth,
                          struct value_reader *out) {
    const struct duckdb_api *api = m->api;
    int id = api->get_type_id(type);
    if (depth > DUCKDB_NESTING_MAX) return no_shape(m, id);
    *out = (struct value_reader){.type = (enum duckdb_type_id)id};
    switch (id) { /* input: what is not named here has no shape */
    case DUCKDB_DECIMAL:
        out->storage = (enum duckdb_type_id)api->decimal_internal_type(type);
        out->width = api->decimal_width(type);
        out->scale = api->decimal_scale(type);
        return OK;
    case DUCKDB_ENUM: return make_enum(m, type, out);
    case DUCKDB_STRUCT: return make_struct(m, type, depth, out);
    case DUCKDB_LIST:
        TRY(make_parts(m, out, 1));
        return make_part(m, api->list_type_child_type(type), depth, &out->parts[0]);
    case DUCKDB_ARRAY:
        out->array_size = api->array_type_array_size(type);
        TRY(make_parts(m, out, 1));
        return make_part(m, api->array_type_child_type(type), depth, &out->parts[0]);
    case DUCKDB_MAP:
        TRY(make_parts(m, out, 2));
        TRY(make_part(m, api->map_type_key_type(type), depth, &out->parts[0]));
        return make_part(m, api->map_type_value_type(type), depth, &out->parts[1]);
    default: break;
    }
    bool is_plain = (id >= DUCKDB_BOOLEAN && id <= DUCKDB_TIMESTAMP_NS) || id == DUCKDB_UUID ||
                    id == DUCKDB_TIMESTAMP_TZ || id == DUCKDB_UHUGEINT || id == DUCKDB_SQLNULL;
    return is_plain ? OK : no_shape(m, id);
}

result value_reader_make(const struct duckdb_api *api, duckdb_logical type, struct arena *arena,
                         struct value_reader *out, struct report *report) {
    struct making m = {.api = api, .arena = arena, .report = report};
    return make_reader(&m, type, 0, out);
}

/* -- the type's word ----------------------------------------------------------------------------
 */

static void print_struct(const struct value_reader *reader, struct buf *out) {
    buf_add(out, STR("struct<"));
    for (size_t i = 0; i < reader->n_parts; i++) {
        if (i > 0) buf_add_byte(out, ',');
        buf_add(out, reader->names[i]);
        buf_add_byte(out, ':');
        value_reader_print(&reader->parts[i], out);
    }
    buf_add_byte(out, '>');
}

void value_reader_print(const struct value_reader *reader, struct buf *out) {
    switch (reader->type) {
    case DUCKDB_BOOLEAN: buf_add(out, STR("boolean")); return;
    case DUCKDB_TINYINT: buf_add(out, STR("tinyint")); return;
    case DUCKDB_SMALLINT:
    case DUCKDB_UTINYINT: buf_add(out, STR("smallint")); return;
    case DUCKDB_INTEGER:
    case DUCKDB_USMALLINT: buf_add(out, STR("int")); return;
    case DUCKDB_BIGINT:
    case DUCKDB_UINTEGER: buf_add(out, STR("bigint")); return;
    case DUCKDB_UBIGINT: buf_add(out, STR("decimal(20,0)")); return;
    case DUCKDB_HUGEINT:
    case DUCKDB_UHUGEINT: buf_add(out, STR("decimal(38,0)")); return;
    case DUCKDB_FLOAT: buf_add(out, STR("float")); return;
    case DUCKDB_DOUBLE: buf_add(out, STR("double")); return;
    case DUCKDB_DECIMAL: buf_addf(out, "decimal(%u,%u)", reader->width, reader->scale); return;
    case DUCKDB_BLOB: buf_add(out, STR("binary")); return;
    case DUCKDB_DATE: buf_add(out, STR("date")); return;
    case DUCKDB_TIMESTAMP:
    case DUCKDB_TIMESTAMP_S:
    case DUCKDB_TIMESTAMP_MS: buf_add(out, STR("datetime")); return;
    case DUCKDB_TIMESTAMP_NS:
    case DUCKDB_TIMESTAMP_TZ: buf_add(out, STR("timestamp")); return;
    case DUCKDB_INTERVAL: buf_add(out, STR("interval_day_time")); return;
    case DUCKDB_VARCHAR:
    case DUCKDB_TIME:
    case DUCKDB_ENUM:
    case DUCKDB_UUID: buf_add(out, STR("string")); return;
    case DUCKDB_SQLNULL: buf_add(out, STR("void")); return;
    case DUCKDB_STRUCT: print_struct(reader, out); return;
    case DUCKDB_LIST:
    case DUCKDB_ARRAY:
    case DUCKDB_MAP:
        buf_add(out, reader->type == DUCKDB_MAP ? STR("map<") : STR("array<"));
        value_reader_print(&reader->parts[0], out);
        if (reader->type == DUCKDB_MAP) {
            buf_add_byte(out, ',');
            value_reader_print(&reader->parts[1], out);
        }
        buf_add_byte(out, '>');
        return;
    }
}

/* -- vectors ------------------------------------------------------------------------------------
 */

result value_vector_make(const struct value_reader *reader, struct arena *arena,
                         struct value_vector *out, struct report *report) {
    *out = (struct value_vector){.reader = reader};
    if (reader->n_parts == 0) return OK;
    out->parts = arena_new_array(arena, reader->n_parts, struct value_vector);
    if (out->parts == NULL) return fail_memory(report);
    for (size_t i = 0; i < reader->n_parts; i++)
        TRY(value_vector_make(&reader->parts[i], arena, &out->parts[i], report));
    return OK;
}

void value_vector_bind(const struct duckdb_api *api, struct value_vector *out,
                       duckdb_vector vector) {
    const struct value_reader *reader = out->reader;
    out->vector = vector;
    out->data = api->vector_get_data(vector);
    out->validity = api->vector_get_validity(vector);
    if (reader->type == DUCKDB_STRUCT)
        for (size_t i = 0; i < reader->n_parts; i++)
            value_vector_bind(api, &out->parts[i], api->struct_vector_get_child(vector, i));
    if (reader->type == DUCKDB_LIST)
        value_vector_bind(api, &out->parts[0], api->list_vector_get_child(vector));
    if (reader->type == DUCKDB_ARRAY)
        value_vector_bind(api, &out->parts[0], api->array_vector_get_child(vector));
    if (reader->type == DUCKDB_MAP) { /* a list of structs of key and value */
        duckdb_vector entries = api->list_vector_get_child(vector);
        for (size_t i = 0; i < 2; i++)
            value_vector_bind(api, &out->parts[i], api->struct_vector_get_child(entries, i));
    }
}

/* -- values -------------------------------------------------------------------------------------
 */

#define AT(vector, row, type) (((const type *)(vector)->data)[row])

static bool is_null(const struct value_vector *vector, idx_t row) {
    return vector->reader->type == DUCKDB_SQLNULL ||
           (vector->validity != NULL && (vector->validity[row / 64] >> (row % 64) & 1) == 0);
}

static int128 huge(duckdb_huge value) {
    return (int128)((uint128)(uint64_t)value.upper << 64 | value.lower);
}

static struct str text_at(const struct value_vector *vector, idx_t row) {
    const duckdb_text *text = &AT(vector, row, duckdb_text);
    uint32_t len = text->small.length;
    return (struct str){len <= sizeof text->small.inlined ? text->small.inlined : text->large.ptr,
                        len};
}

/* The integer behind a DECIMAL or ENUM. */
static int128 stored(const struct value_vector *vector, idx_t row) {
    int storage = vector->reader->storage;
    if (storage == DUCKDB_UTINYINT) return AT(vector, row, uint8_t);
    if (storage == DUCKDB_USMALLINT) return AT(vector, row, uint16_t);
    if (storage == DUCKDB_UINTEGER) return AT(vector, row, uint32_t);
    if (storage == DUCKDB_SMALLINT) return AT(vector, row, int16_t);
    if (storage == DUCKDB_INTEGER) return AT(vector, row, int32_t);
    if (storage == DUCKDB_BIGINT) return AT(vector, row, int64_t);
    assert(storage == DUCKDB_HUGEINT);
    return huge(AT(vector, row, duckdb_huge));
}

static struct str enum_at(const struct value_vector *vector, idx_t row) {
    uint64_t word = (uint64_t)stored(vector, row);
    return word < vector->reader->n_names ? vector->reader->names[word] : STR_NONE;
}

static struct row_value as_int(int64_t value) {
    return (struct row_value){.kind = ROW_INT, .integer = value};
}

static struct row_value as_text(enum row_kind kind, struct str text) {
    return (struct row_value){.kind = kind, .text = text};
}

/* Anything but the nested types. Texts are DuckDB's or stand in `space`. */
static struct row_value plain_at(const struct value_vector *v, idx_t row,
                                 char space[VALUE_TEXT_MAX]) {
    switch (v->reader->type) {
    case DUCKDB_BOOLEAN:
        return (struct row_value){.kind = ROW_BOOL, .boolean = AT(v, row, uint8_t) != 0};
    case DUCKDB_TINYINT: return as_int(AT(v, row, int8_t));
    case DUCKDB_SMALLINT: return as_int(AT(v, row, int16_t));
    case DUCKDB_INTEGER: return as_int(AT(v, row, int32_t));
    case DUCKDB_BIGINT: return as_int(AT(v, row, int64_t));
    case DUCKDB_UTINYINT: return as_int(AT(v, row, uint8_t));
    case DUCKDB_USMALLINT: return as_int(AT(v, row, uint16_t));
    case DUCKDB_UINTEGER: return as_int(AT(v, row, uint32_t));
    case DUCKDB_UBIGINT:
        return as_text(ROW_DECIMAL, value_text_unsigned(AT(v, row, uint64_t), space));
    case DUCKDB_HUGEINT:
        return as_text(ROW_DECIMAL, value_text_decimal(huge(AT(v, row, duckdb_huge)), 0, space));
    case DUCKDB_UHUGEINT:
        return as_text(ROW_DECIMAL,
                       value_text_unsigned((uint128)huge(AT(v, row, duckdb_huge)), space));
    case DUCKDB_FLOAT:
        return (struct row_value){.kind = ROW_REAL, .real = (double)AT(v, row, float)};
    case DUCKDB_DOUBLE: return (struct row_value){.kind = ROW_REAL, .real = AT(v, row, double)};
    case DUCKDB_DECIMAL:
        return as_text(ROW_DECIMAL, value_text_decimal(stored(v, row), v->reader->scale, space));
    case DUCKDB_VARCHAR: return as_text(ROW_TEXT, text_at(v, row));
    case DUCKDB_BLOB: return as_text(ROW_BYTES, text_at(v, row));
    case DUCKDB_ENUM: return as_text(ROW_TEXT, enum_at(v, row));
    case DUCKDB_DATE: return as_text(ROW_TEXT, value_text_date(AT(v, row, int32_t), space));
    case DUCKDB_TIME: return as_text(ROW_TEXT, value_text_time(AT(v, row, int64_t), space));
    case DUCKDB_TIMESTAMP:
    case DUCKDB_TIMESTAMP_TZ:
        return as_text(ROW_TEXT, value_text_timestamp(AT(v, row, int64_t), 1000000, space));
    case DUCKDB_TIMESTAMP_S:
        return as_text(ROW_TEXT, value_text_timestamp(AT(v, row, int64_t), 1, space));
    case DUCKDB_TIMESTAMP_MS:
        return as_text(ROW_TEXT, value_text_timestamp(AT(v, row, int64_t), 1000, space));
    case DUCKDB_TIMESTAMP_NS:
        return as_text(ROW_TEXT, value_text_timestamp(AT(v, row, int64_t), 1000000000, space));
    case DUCKDB_INTERVAL:
        return as_text(ROW_TEXT, value_text_interval(AT(v, row, duckdb_interval), space));
    case DUCKDB_UUID: return as_text(ROW_TEXT, value_text_uuid(AT(v, row, duckdb_huge), space));
    case DUCKDB_SQLNULL:
    case DUCKDB_LIST:
    case DUCKDB_ARRAY:
    case DUCKDB_MAP:
    case DUCKDB_STRUCT: break;
    }
    assert(false && "a nested value is no plain one");
    return (struct row_value){.kind = ROW_NULL};
}

static bool is_nested(const struct value_reader *reader) {
    return reader->n_parts > 0;
}

static void json_put(const struct value_vector *v, idx_t row, struct json_writer *w);

/* As at the top of a row: what a double cannot hold is a string. */
static void json_put_int64(struct json_writer *w, int64_t value) {
    const int64_t safe = (INT64_C(1) << 53) - 1;
    char space[VALUE_TEXT_MAX];
    if (value >= -safe && value <= safe)
        json_int(w, value);
    else
        json_text(w, value_text_decimal(value, 0, space));
}

static void json_put_plain(const struct value_vector *v, idx_t row, struct json_writer *w) {
    char space[VALUE_TEXT_MAX];
    struct row_value value = plain_at(v, row, space);
    switch (value.kind) {
    case ROW_NULL: json_null(w); return;
    case ROW_BOOL: json_bool(w, value.boolean); return;
    case ROW_INT: json_put_int64(w, value.integer); return;
    case ROW_REAL: json_real(w, value.real); return;
    case ROW_DECIMAL: json_raw_value(w, value.text); return;
    case ROW_TEXT: json_text(w, value.text); return;
    case ROW_BYTES:
        json_raw_value(w, STR("\""));
        base64_encode(w->out, value.text);
        buf_add_byte(w->out, '"');
        return;
    case ROW_JSON: assert(false && "a plain value is no JSON"); return;
    }
}

/* JSON's keys are texts: a text or a decimal as it is, anything else as its JSON. */
static void json_put_key(const struct value_vector *v, idx_t row, struct json_writer *w) {
    char space[VALUE_TEXT_MAX];
    if (!is_null(v, row) && !is_nested(v->reader)) {
        struct row_value value = plain_at(v, row, space);
        if (value.kind >= ROW_DECIMAL) {
            json_key(w, value.text);
            return;
        }
    }
    struct buf made;
    struct arena flat;
    struct json_writer key;
    buf_init(&made, DUCKDB_KEY_BYTES_MAX);
    arena_init(&flat, DUCKDB_KEY_BYTES_MAX);
    json_writer_init(&key, &made);
    json_put(v, row, &key);
    if (made.failed != FAIL_NONE) w->out->failed = made.failed;
    json_key(w, buf_flat(&made, &flat));
    arena_deinit(&flat);
    buf_deinit(&made);
}

static void json_put_items(const struct value_vector *items, idx_t from, idx_t n,
                           struct json_writer *w) {
    json_array(w);
    for (idx_t i = 0; i < n; i++) json_put(items, from + i, w);
    json_array_end(w);
}

static void json_put_map(const struct value_vector *v, idx_t row, struct json_writer *w) {
    duckdb_list_entry entry = AT(v, row, duckdb_list_entry);
    json_object(w);
    for (idx_t i = entry.offset; i < entry.offset + entry.length; i++) {
        json_put_key(&v->parts[0], i, w);
        json_put(&v->parts[1], i, w);
    }
    json_object_end(w);
}

static void json_put_struct(const struct value_vector *v, idx_t row, struct json_writer *w) {
    json_object(w);
    for (size_t i = 0; i < v->reader->n_parts; i++) {
        json_key(w, v->reader->names[i]);
        json_put(&v->parts[i], row, w);
    }
    json_object_end(w);
}

static void json_put(const struct value_vector *v, idx_t row, struct json_writer *w) {
    const struct value_reader *reader = v->reader;
    if (is_null(v, row)) {
        json_null(w);
    } else if (reader->type == DUCKDB_LIST) {
        duckdb_list_entry entry = AT(v, row, duckdb_list_entry);
        json_put_items(&v->parts[0], entry.offset, entry.length, w);
    } else if (reader->type == DUCKDB_ARRAY) {
        json_put_items(&v->parts[0], row * reader->array_size, reader->array_size, w);
    } else if (reader->type == DUCKDB_MAP) {
        json_put_map(v, row, w);
    } else if (reader->type == DUCKDB_STRUCT) {
        json_put_struct(v, row, w);
    } else {
        json_put_plain(v, row, w);
    }
}

static void put_nested(const struct value_vector *v, idx_t row, struct wire_out *out,
                       struct buf *scratch) {
    struct json_writer w;
    buf_clear(scratch);
    json_writer_init(&w, scratch);
    json_put(v, row, &w);
    if (buf_failed(scratch, NULL).why != FAIL_NONE) {
        out->failed = true;
        return;
    }
    wire_put_u8(out, ROW_JSON);
    wire_put_u32(out, (uint32_t)scratch->len);
    for (const struct buf_chunk *chunk = scratch->first; chunk != NULL; chunk = chunk->next)
        wire_put_bytes(out, (struct str){chunk->bytes, chunk->len});
}

void value_put(const struct value_vector *vector, idx_t row, struct wire_out *out,
               struct buf *scratch) {
    struct row_value value = {.kind = ROW_NULL};
    char space[VALUE_TEXT_MAX];
    if (is_null(vector, row))
        wire_put_value(out, &value);
    else if (is_nested(vector->reader))
        put_nested(vector, row, out, scratch);
    else {
        value = plain_at(vector, row, space);
        wire_put_value(out, &value);
    }
}
