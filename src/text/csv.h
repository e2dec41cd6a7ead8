/*
 * text/csv.h - comma-separated values (RFC 4180), strictly
 *
 * Rows of fields, all rows as long as the first. A field may stand in double quotes, in which
 * commas, line breaks and doubled quotes are text; a quote anywhere else is refused, and so is text
 * behind a closing quote. Lines end in CRLF or LF, the last one may do without. The text is UTF-8;
 * a byte-order mark before it is passed over. A text without bytes has no rows.
 *
 * Memory:  rows live in the arena; fields without doubled quotes are views into the text: keep
 * both. Errors:  FAIL_INPUT with CSV_INVALID, FAIL_LIMIT with CSV_TOO_LARGE; the sentence names the
 * line, the report holds the byte offset. Threads: values; no shared state.
 */
#ifndef WEIR_TEXT_CSV_H
#define WEIR_TEXT_CSV_H

#include "base/arena.h"
#include "base/fail.h"

struct csv_field {
    struct str text;
    bool is_quoted; /* tells "" from nothing at all, which often means NULL */
};

struct csv {
    const struct csv_field
        *fields; /* row after row: field c of row r is fields[r * n_columns + c] */
    size_t n_rows, n_columns;
};

struct csv_limits {
    size_t bytes, rows, columns; /* 0: the defaults of limits.h */
};

MUST_USE result csv_read(struct str text, const struct csv_limits *limits, struct arena *arena,
                         struct csv *out, struct report *report);

#endif
