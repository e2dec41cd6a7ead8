/*
 * backend/duckdb_value.h - DuckDB's vectors as rows of ours
 *
 * Made once for an answer from the logical types of its columns; then every chunk is written value
 * by value into a ROWS frame. Lists, structs and maps become JSON. Runs in a worker.
 *
 * Memory:  the readers live in the arena; the types of DuckDB are released with it.
 * Errors:  FAIL_BACKEND for a type that has no shape here (UNION, BIT, TIME WITH TIME ZONE, …).
 * Threads: one.
 */
#ifndef WEIR_BACKEND_DUCKDB_VALUE_H
#define WEIR_BACKEND_DUCKDB_VALUE_H

#include "backend/duckdb_api.h"
#include "backend/duckdb_wire.h"
#include "base/buf.h"

/* How a column, or a part of a nested one, is read. */
struct value_reader {
    enum duckdb_type_id type;
    enum duckdb_type_id storage; /* DECIMAL, ENUM: what holds the number */
    uint8_t width, scale;        /* DECIMAL */
    idx_t array_size;            /* ARRAY */
    size_t n_parts;              /* LIST, ARRAY: 1; MAP: key and value; STRUCT: its fields */
    struct value_reader *parts;
    const struct str *names; /* STRUCT: of the fields; ENUM: its words */
    size_t n_names;
};

/* A vector with its readers, for the length of a chunk. */
struct value_vector {
    const struct value_reader *reader;
    duckdb_vector vector;
    const void *data;
    const uint64_t *validity; /* NULL: all are there */
    struct value_vector *parts;
};

MUST_USE result value_reader_make(const struct duckdb_api *api, duckdb_logical type,
                                  struct arena *arena, struct value_reader *out,
                                  struct report *report);

/* MaxCompute's word for the type: "bigint", "array<struct<a:string>>". */
void value_reader_print(const struct value_reader *reader, struct buf *out);

/* The arrays for value_vector_bind(), once for an answer. */
MUST_USE result value_vector_make(const struct value_reader *reader, struct arena *arena,
                                  struct value_vector *out, struct report *report);
void value_vector_bind(const struct duckdb_api *api, struct value_vector *out,
                       duckdb_vector vector);

/* Puts row `row`. `scratch` is emptied; it holds the JSON of nested values. */
void value_put(const struct value_vector *vector, idx_t row, struct wire_out *out,
               struct buf *scratch);

#endif
