/*
 * shape/size.h - no more than so many bytes and tokens
 *
 * Stands before the encoder and measures what it wrote. A row that passes a maximum is taken back
 * out of the reply, the run is ended, and is_cut tells; n_rows is exactly what stands in the reply.
 * Where even the columns are too large the failure is the caller's.
 *
 * Memory:  borrows encoder and its writer.
 * Errors:  FAIL_LIMIT REPLY_TOO_LARGE (the columns alone); else those of the encoder.
 * Threads: one.
 */
#ifndef WEIR_SHAPE_SIZE_H
#define WEIR_SHAPE_SIZE_H

#include "shape/encode.h"
#include "shape/token.h"

struct size_sink {
    struct row_sink sink;
    struct encode_sink *encoder;
    uint64_t max_bytes, max_tokens;
    uint64_t n_bytes; /* of columns and rows kept */
    struct token_count tokens;
    uint64_t n_rows;
    bool is_cut;
    bool is_cut_by_tokens; /* with is_cut: which maximum it was */
};

/* `max_bytes` counts what the encoder writes; leave room in the buf for what comes behind.
 * `max_tokens` 0: tokens are counted but bound nothing. */
void size_sink_init(struct size_sink *sizer, struct encode_sink *encoder, uint64_t max_bytes,
                    uint64_t max_tokens);

#endif
