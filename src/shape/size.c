#include "shape/size.h"

#include "base/limits.h"
#include "base/list.h"

static result size_columns(struct row_sink *sink, const struct row_column *columns, size_t n,
                           struct report *report) {
    struct size_sink *sizer = holder_of(sink, struct size_sink, sink);
    TRY(sizer->encoder->sink.columns(&sizer->encoder->sink, columns, n, report));
    if (sizer->keep != NULL) keep_columns(sizer->keep, columns, n);
    if (fit_head(&sizer->fit)) return OK;
    result r = fail(report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "the names of %zu columns do not fit the reply", n);
    fail_hint(report, "Select fewer columns.");
    return r;
}

/* Rows behind a cut come as fast as the engine has them: what waits is not worth a reply. */
static void count_on(struct size_sink *sizer, bool *more) {
    int64_t now = sizer->clock == NULL ? 0 : clock_mono_ns(sizer->clock);
    if (sizer->count_until_ns == 0) sizer->count_until_ns = now + SIZE_COUNT_MS * INT64_C(1000000);
    *more = sizer->clock != NULL && now < sizer->count_until_ns &&
            sizer->fit.n_seen - sizer->fit.now.n < SIZE_COUNT_ROWS;
    sizer->has_stopped = !*more;
}

static void go_on(struct size_sink *sizer, bool *more) {
    if (sizer->keep == NULL || !keep_goes_on(sizer->keep)) count_on(sizer, more);
}

static result size_row(struct row_sink *sink, const struct row_value *values, bool *more,
                       struct report *report) {
    struct size_sink *sizer = holder_of(sink, struct size_sink, sink);
    struct report aside = {0}; /* a full buf is our business, not the call's failure */
    if (sizer->fit.is_cut) {
        fit_skip(&sizer->fit);
        if (sizer->keep != NULL) keep_row(sizer->keep, values);
        go_on(sizer, more);
        return OK;
    }
    result r = sizer->encoder->sink.row(&sizer->encoder->sink, values, more, &aside);
    if (r.why != FAIL_NONE && r.why != FAIL_LIMIT)
        return fail(report, r.why, aside.code, aside.offset, "%s", aside.sentence);
    /* A reply that is full has but a part of it. */
    if (sizer->keep != NULL && r.why == FAIL_NONE)
        keep_written(sizer->keep, sizer->encoder->writer->out, sizer->fit.now.mark);
    else if (sizer->keep != NULL)
        keep_row(sizer->keep, values);
    if (fit_item(&sizer->fit)) return OK;
    sizer->encoder->n_rows = sizer->fit.now.n;
    go_on(sizer, more);
    return OK;
}

void size_sink_init(struct size_sink *sizer, struct encode_sink *encoder, const struct rooms *rooms,
                    const struct clock *clock) {
    *sizer = (struct size_sink){
        .sink = {.columns = size_columns, .row = size_row}, .encoder = encoder, .clock = clock};
    fit_init(&sizer->fit, encoder->writer, rooms);
}
