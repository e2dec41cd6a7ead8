/*
 * shape/keep.h - rows set aside while a reply is cut to fit
 *
 * A reply shows what a model can take; the rest was computed all the same, and is what it will ask
 * for next. Each row that comes by is put aside as one line of JSON, as the reply has it: a row
 * that was just written is copied, one behind a cut is encoded here. Rows beyond `max_bytes`, or
 * that come later than KEEP_MS behind the cut, are not kept, and is_full tells.
 *
 * Memory:  `columns` and `lines` are the keep's own, up to its end.
 * Errors:  none: what does not fit, or finds no memory, makes it full.
 * Threads: one.
 */
#ifndef WEIR_SHAPE_KEEP_H
#define WEIR_SHAPE_KEEP_H

#include "backend/rows.h"
#include "base/clock.h"
#include "shape/text.h"

struct keep {
    struct buf columns; /* JSON: [{"name":"n","type":"bigint"}] */
    struct buf lines;   /* [1]\n[2]\n */
    enum text_form form;
    const struct clock *clock;
    size_t n_columns;
    uint64_t n_rows;
    int64_t until_ns; /* 0: nothing was cut yet */
    bool is_full;     /* there may be more rows than n_rows */
};

void keep_init(struct keep *keep, size_t max_bytes, enum text_form form, const struct clock *clock);
void keep_deinit(struct keep *keep);

void keep_columns(struct keep *keep, const struct row_column *columns, size_t n);
/* The row that stands in `from` behind `mark`. */
void keep_written(struct keep *keep, const struct buf *from, struct buf_mark mark);
/* A row that stands nowhere. */
void keep_row(struct keep *keep, const struct row_value *values);
/* Behind a cut: are further rows worth waiting for? */
bool keep_goes_on(struct keep *keep);

#endif
