/*
 * backend/rows.h - rows on their way out of a backend
 *
 * A backend pushes columns once and then row after row into a sink; sinks stack on sinks (row
 * limit, size, encoding: shape/). A sink may end the run early by clearing *more; that is no
 * failure.
 *
 * Memory:  values are valid only during the call that brings them.
 * Errors:  a sink's failure ends the run and travels on unchanged.
 * Threads: one thread at a time.
 */
#ifndef WEIR_BACKEND_ROWS_H
#define WEIR_BACKEND_ROWS_H

#include "base/fail.h"

enum row_kind {
    ROW_NULL = 0,
    ROW_BOOL,
    ROW_INT,     /* 64 bits, exact */
    ROW_REAL,    /* double */
    ROW_DECIMAL, /* exact decimal text: -?digits[.digits] */
    ROW_TEXT,    /* strings, dates and times as they are shown: yyyy-mm-dd hh:mi:ss[.fff] */
    ROW_BYTES,   /* shown as base64 */
    ROW_JSON,    /* array, map, struct: one complete JSON value */
};

struct row_value {
    enum row_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct str text; /* DECIMAL, TEXT, BYTES, JSON */
    };
};

struct row_column {
    struct str name;
    struct str type; /* MaxCompute's word: bigint, string, decimal(18,2), array<string>, … */
};

struct row_sink {
    result (*columns)(struct row_sink *sink, const struct row_column *columns, size_t n,
                      struct report *report);
    /* `values` has as many entries as there are columns. *more comes in true. */
    result (*row)(struct row_sink *sink, const struct row_value *values, bool *more,
                  struct report *report);
};

#endif
