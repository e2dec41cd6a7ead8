/*
 * test/bench/sql_long.h - statements near the limits, over a table t(a bigint, b string)
 *
 * About SQL_BYTES_MAX each, or as deep, or as wide as the limits allow and a step beyond.
 */
#ifndef WEIR_BENCH_SQL_LONG_H
#define WEIR_BENCH_SQL_LONG_H

#include "base/arena.h"

struct long_statement {
    const char *name;
    struct str sql;
};

enum { LONG_STATEMENTS = 16 };

/* Fills `out` and returns how many; a sql of ptr NULL means that the budget was spent. */
size_t long_statements(struct arena *arena, struct long_statement out[LONG_STATEMENTS]);

#endif
