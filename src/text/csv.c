#include "text/csv.h"

#include "base/limits.h"

struct reader {
    const char *begin, *at, *end;
    size_t line;
    struct csv_limits limits;
    struct csv_field *fields;
    size_t n_fields, cap_fields;
    size_t n_rows, n_columns;
    struct arena *arena;
    struct report *report;
};

static result invalid(struct reader *r, const char *at, const char *why) {
    return fail(r->report, FAIL_CONFIG, "CONFIG_INVALID", (size_t)(at - r->begin),
                "invalid CSV in line %zu: %s", r->line, why);
}

static result too_large(struct reader *r, const char *what, size_t max) {
    return fail(r->report, FAIL_CONFIG, "CONFIG_INVALID", (size_t)(r->at - r->begin),
                "CSV is too large in line %zu: at most %zu %s are read", r->line, max, what);
}

/* Halves the doubled quotes. */
static result copy_quoted(struct reader *r, struct str quoted, struct str *out) {
    char *text = arena_alloc(r->arena, quoted.len, 1);
    if (text == NULL) return fail_memory(r->report);
    size_t n = 0;
    for (size_t i = 0; i < quoted.len; i++) {
        text[n++] = quoted.ptr[i];
        if (quoted.ptr[i] == '"') i++;
    }
    *out = (struct str){text, n};
    return OK;
}

/* r->at stands behind the opening quote. */
static result read_quoted(struct reader *r, struct str *out) {
    const char *from = r->at;
    size_t first_line = r->line;
    bool has_doubled = false;
    for (;; r->at++) {
        if (r->at == r->end) {
            r->line = first_line;
            return invalid(r, from - 1, "a quoted field does not end");
        }
        if (*r->at == '\n') r->line++;
        if (*r->at != '"') continue;
        if (r->end - r->at < 2 || r->at[1] != '"') break;
        has_doubled = true;
        r->at++;
    }
    struct str quoted = {from, (size_t)(r->at - from)};
    r->at++;
    if (has_doubled) return copy_quoted(r, quoted, out);
    *out = quoted;
    return OK;
}

static bool at_line_end(const struct reader *r) {
    if (r->at == r->end || *r->at == '\n') return true;
    return *r->at == '\r' && r->end - r->at >= 2 && r->at[1] == '\n';
}

static result read_field(struct reader *r) {
    if (r->n_rows > 0 && r->n_fields == (r->n_rows + 1) * r->n_columns)
        return invalid(r, r->at, "it has more fields than the first one");
    if (r->n_rows == 0 && r->n_fields == r->limits.columns)
        return too_large(r, "columns", r->limits.columns);
    struct csv_field *field = ARENA_PUSH(r->arena, r->fields, r->n_fields, r->cap_fields);
    if (field == NULL) return fail_memory(r->report);
    if (r->at < r->end && *r->at == '"') {
        r->at++;
        field->is_quoted = true;
        TRY(read_quoted(r, &field->text));
        if (at_line_end(r) || *r->at == ',') return OK;
        return invalid(r, r->at, "something stands behind a closing quote");
    }
    const char *from = r->at;
    while (!at_line_end(r) && *r->at != ',') {
        if (*r->at == '"') return invalid(r, r->at, "a quote stands inside an unquoted field");
        if (*r->at == '\r') return invalid(r, r->at, "a carriage return stands alone");
        r->at++;
    }
    field->text = (struct str){from, (size_t)(r->at - from)};
    return OK;
}

static result read_row(struct reader *r) {
    if (r->n_rows == r->limits.rows) return too_large(r, "rows", r->limits.rows);
    TRY(read_field(r));
    while (r->at < r->end && *r->at == ',') {
        r->at++;
        TRY(read_field(r));
    }
    if (r->n_rows == 0) r->n_columns = r->n_fields;
    r->n_rows++;
    if (r->n_fields < r->n_rows * r->n_columns)
        return invalid(r, r->at, "it has fewer fields than the first one");
    if (r->at < r->end && *r->at == '\r') r->at++;
    if (r->at < r->end) r->at++;
    r->line++;
    return OK;
}

static struct csv_limits effective(const struct csv_limits *asked) {
    struct csv_limits l = asked == NULL ? (struct csv_limits){0} : *asked;
    if (l.bytes == 0) l.bytes = CSV_BYTES_MAX;
    if (l.rows == 0) l.rows = CSV_ROWS_MAX;
    if (l.columns == 0) l.columns = CSV_COLUMNS_MAX;
    return l;
}

result csv_read(struct str text, const struct csv_limits *limits, struct arena *arena,
                struct csv *out, struct report *report) {
    const char *begin = text.ptr == NULL ? "" : text.ptr;
    struct reader r = {
        .begin = begin,
        .at = begin,
        .end = begin + text.len,
        .line = 1,
        .limits = effective(limits),
        .arena = arena,
        .report = report,
    };
    if (text.len > r.limits.bytes) return too_large(&r, "bytes", r.limits.bytes);
    if (!utf8_valid(text)) return invalid(&r, begin, "the text is not UTF-8");
    if (str_starts(text, STR("\xef\xbb\xbf"))) r.at += 3;
    while (r.at < r.end) TRY(read_row(&r));
    *out = (struct csv){r.fields, r.n_rows, r.n_columns};
    return OK;
}
