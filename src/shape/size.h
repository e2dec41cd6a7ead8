/*
 * shape/size.h - no more rows than fit
 *
 * Stands before the encoder and measures what it wrote (shape/fit.h). Rows that do not fit are
 * taken back out of the reply, and fit.is_cut tells; fit.now.n is exactly what stands in it. Some
 * of those behind are counted, for a little while, so that the reply can say how many there were.
 * Where even the columns are too large the failure is the caller's. With a keep (shape/keep.h) all
 * rows are put aside, those behind the cut too, as long as it takes them.
 *
 * Memory:  borrows encoder and its writer, and the clock.
 * Errors:  FAIL_LIMIT REPLY_TOO_LARGE (the columns alone); else those of the encoder.
 * Threads: one.
 */
#ifndef WEIR_SHAPE_SIZE_H
#define WEIR_SHAPE_SIZE_H

#include "shape/encode.h"
#include "shape/fit.h"
#include "shape/keep.h"

struct size_sink {
    struct row_sink sink;
    struct encode_sink *encoder;
    struct fit fit;
    struct keep *keep; /* set after the start: rows are put aside in it, too; NULL: nowhere */
    const struct clock *clock;
    int64_t count_until_ns;
    bool has_stopped; /* there may be more rows than fit.n_seen */
};

/* The rooms are of what the encoder writes; leave some in the buf for what comes behind. `clock`
 * may be NULL: then nothing is counted behind a cut. */
void size_sink_init(struct size_sink *sizer, struct encode_sink *encoder, const struct rooms *rooms,
                    const struct clock *clock);

#endif
