/*
 * shape/encode.h - rows become JSON, once, where the reply is being written
 *
 * Writes two members into an object that the caller has opened:
 *
 *     "columns":[{"name":"n","type":"bigint"}],"rows":[[1],[2]]
 *
 * Values follow the design's section 10: integers beyond +-(2^53-1), NaN and infinities are
 * strings, decimals exact numbers, text always a string, bytes base64, arrays, maps and structs
 * JSON. Characters that nobody sees are written as shape/text.h says, in names and keys too.
 *
 * Memory:  the bytes are the writer's buf's; nothing is kept of a row.
 * Errors:  the buf's (FAIL_LIMIT, FAIL_MEMORY), told with the row that met it.
 * Threads: one.
 */
#ifndef WEIR_SHAPE_ENCODE_H
#define WEIR_SHAPE_ENCODE_H

#include "backend/rows.h"
#include "shape/text.h"

struct encode_sink {
    struct row_sink sink;
    struct json_writer *writer;
    enum text_form form;
    size_t n_columns;
    uint64_t n_rows;
    bool has_columns; /* the members were begun */
};

void encode_sink_init(struct encode_sink *encoder, struct json_writer *writer, enum text_form form);
/* Closes the rows. When no columns ever came, both members are written, empty. */
void encode_sink_end(struct encode_sink *encoder);

/* The array of names and types. */
void encode_columns(struct json_writer *writer, const struct row_column *columns, size_t n,
                    enum text_form form);
/* One value as it stands in a row; for those who encode elsewhere (JSON lines, samples). */
void encode_value(struct json_writer *writer, const struct row_value *value, enum text_form form);

#endif
