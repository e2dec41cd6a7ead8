#include "shape/limit.h"

#include "base/list.h"

static result limit_columns(struct row_sink *sink, const struct row_column *columns, size_t n,
                            struct report *report) {
    struct limit_sink *limiter = holder_of(sink, struct limit_sink, sink);
    return limiter->next->columns(limiter->next, columns, n, report);
}

static result limit_row(struct row_sink *sink, const struct row_value *values, bool *more,
                        struct report *report) {
    struct limit_sink *limiter = holder_of(sink, struct limit_sink, sink);
    if (limiter->n_rows >= limiter->limit) {
        limiter->has_more = true;
        *more = false;
        return OK;
    }
    limiter->n_rows++;
    return limiter->next->row(limiter->next, values, more, report);
}

void limit_sink_init(struct limit_sink *limiter, struct row_sink *next, uint64_t limit) {
    *limiter = (struct limit_sink){
        .sink = {.columns = limit_columns, .row = limit_row}, .next = next, .limit = limit};
}
