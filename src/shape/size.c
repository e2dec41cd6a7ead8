#include "shape/size.h"

#include "base/list.h"

enum fit { FIT_NO_BYTES = 0, FIT_NO_TOKENS, FIT_YES };

/* What was written since `mark`, counted on top of what is kept. */
static struct token_count count_since(const struct size_sink *sizer, const struct buf *buf,
                                      struct buf_mark mark) {
    struct token_count tokens = sizer->tokens;
    const struct buf_chunk *chunk = mark.chunk != NULL ? mark.chunk : buf->first;
    size_t from = mark.chunk != NULL ? mark.in_chunk : 0;
    for (; chunk != NULL; chunk = chunk->next, from = 0)
        token_count_add(&tokens, (struct str){chunk->bytes + from, chunk->len - from});
    return tokens;
}

static enum fit size_take(struct size_sink *sizer, struct buf_mark mark) {
    const struct buf *buf = sizer->encoder->writer->out;
    uint64_t n_bytes = sizer->n_bytes + (buf->len - mark.len);
    if (n_bytes > sizer->max_bytes) return FIT_NO_BYTES;
    struct token_count tokens = count_since(sizer, buf, mark);
    if (sizer->max_tokens > 0 && token_count_get(&tokens) > sizer->max_tokens) return FIT_NO_TOKENS;
    sizer->n_bytes = n_bytes;
    sizer->tokens = tokens;
    return FIT_YES;
}

static result size_columns(struct row_sink *sink, const struct row_column *columns, size_t n,
                           struct report *report) {
    struct size_sink *sizer = holder_of(sink, struct size_sink, sink);
    struct buf_mark mark = buf_mark(sizer->encoder->writer->out);
    TRY(sizer->encoder->sink.columns(&sizer->encoder->sink, columns, n, report));
    if (size_take(sizer, mark) == FIT_YES) return OK;
    result r = fail(report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "the names of %zu columns do not fit the reply", n);
    fail_hint(report, "Select fewer columns.");
    return r;
}

static result size_row(struct row_sink *sink, const struct row_value *values, bool *more,
                       struct report *report) {
    struct size_sink *sizer = holder_of(sink, struct size_sink, sink);
    struct encode_sink *encoder = sizer->encoder;
    struct json_writer *writer = encoder->writer;
    struct buf_mark mark = buf_mark(writer->out);
    struct json_writer before = *writer;
    uint64_t rows_before = encoder->n_rows;

    struct report aside = {0}; /* a full buf is our business, not the call's failure */
    result r = encoder->sink.row(&encoder->sink, values, more, &aside);
    if (r.why != FAIL_NONE && r.why != FAIL_LIMIT)
        return fail(report, r.why, aside.code, aside.offset, "%s", aside.sentence);
    enum fit fit = r.why == FAIL_LIMIT ? FIT_NO_BYTES : size_take(sizer, mark);
    if (fit == FIT_YES) {
        sizer->n_rows++;
        return OK;
    }
    buf_rewind(writer->out, mark);
    *writer = before;
    encoder->n_rows = rows_before;
    sizer->is_cut = true;
    sizer->is_cut_by_tokens = fit == FIT_NO_TOKENS;
    *more = false;
    return OK;
}

void size_sink_init(struct size_sink *sizer, struct encode_sink *encoder, uint64_t max_bytes,
                    uint64_t max_tokens) {
    *sizer = (struct size_sink){.sink = {.columns = size_columns, .row = size_row},
                                .encoder = encoder,
                                .max_bytes = max_bytes,
                                .max_tokens = max_tokens};
}
