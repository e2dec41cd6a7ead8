#include "shape/keep.h"

#include "base/limits.h"
#include "shape/encode.h"

void keep_init(struct keep *keep, size_t max_bytes, enum text_form form,
               const struct clock *clock) {
    *keep = (struct keep){.form = form, .clock = clock};
    buf_init(&keep->columns, max_bytes);
    buf_init(&keep->lines, max_bytes);
}

void keep_deinit(struct keep *keep) {
    buf_deinit(&keep->columns);
    buf_deinit(&keep->lines);
}

void keep_columns(struct keep *keep, const struct row_column *columns, size_t n) {
    struct json_writer w;
    json_writer_init(&w, &keep->columns);
    encode_columns(&w, columns, n, keep->form);
    keep->n_columns = n;
    keep->is_full = keep->columns.failed != FAIL_NONE;
}

static void end_row(struct keep *keep, struct buf_mark before) {
    buf_add_byte(&keep->lines, '\n');
    if (keep->lines.failed == FAIL_NONE) {
        keep->n_rows++;
        return;
    }
    buf_rewind(&keep->lines, before);
    keep->is_full = true;
}

/* A row in a reply begins with the comma behind the one before it. */
void keep_written(struct keep *keep, const struct buf *from, struct buf_mark mark) {
    if (keep->is_full) return;
    struct buf_mark before = buf_mark(&keep->lines);
    const struct buf_chunk *chunk = mark.chunk != NULL ? mark.chunk : from->first;
    size_t at = mark.chunk != NULL ? mark.in_chunk : 0;
    bool is_first = true;
    for (; chunk != NULL; chunk = chunk->next, at = 0) {
        if (at == chunk->len) continue;
        if (is_first && chunk->bytes[at] == ',') at++;
        is_first = false;
        buf_add(&keep->lines, (struct str){chunk->bytes + at, chunk->len - at});
    }
    end_row(keep, before);
}

void keep_row(struct keep *keep, const struct row_value *values) {
    if (keep->is_full) return;
    struct buf_mark before = buf_mark(&keep->lines);
    struct json_writer w;
    json_writer_init(&w, &keep->lines);
    json_array(&w);
    for (size_t i = 0; i < keep->n_columns; i++) encode_value(&w, &values[i], keep->form);
    json_array_end(&w);
    end_row(keep, before);
}

bool keep_goes_on(struct keep *keep) {
    int64_t now = clock_mono_ns(keep->clock);
    if (keep->until_ns == 0) keep->until_ns = now + KEEP_MS * INT64_C(1000000);
    keep->is_full |= now >= keep->until_ns;
    return !keep->is_full;
}
