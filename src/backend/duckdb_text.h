/*
 * backend/duckdb_text.h - how DuckDB's numbers and times are shown
 *
 * Dates as yyyy-mm-dd, times of day as hh:mi:ss[.fff], both without a fraction where it is zero and
 * with 3, 6 or 9 digits where it is not. Infinite dates are `infinity` and `-infinity`.
 *
 * Memory:  each writes into the caller's space of VALUE_TEXT_MAX bytes and returns a view of it.
 * Threads: no state.
 */
#ifndef WEIR_BACKEND_DUCKDB_TEXT_H
#define WEIR_BACKEND_DUCKDB_TEXT_H

#include "backend/duckdb_api.h"

enum { VALUE_TEXT_MAX = 96 };

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

struct str value_text_date(int32_t days, char out[VALUE_TEXT_MAX]);
/* `per_second` is 1, 1,000, 1,000,000 or 1,000,000,000: the unit of `ticks` since 1970. */
struct str value_text_timestamp(int64_t ticks, int64_t per_second, char out[VALUE_TEXT_MAX]);
struct str value_text_time(int64_t micros, char out[VALUE_TEXT_MAX]);
struct str value_text_interval(duckdb_interval interval, char out[VALUE_TEXT_MAX]);
struct str value_text_uuid(duckdb_huge uuid, char out[VALUE_TEXT_MAX]);
/* A 128-bit integer with `scale` digits behind the point; at most 38 + 2. */
struct str value_text_decimal(int128 value, unsigned scale, char out[VALUE_TEXT_MAX]);
struct str value_text_unsigned(uint128 value, char out[VALUE_TEXT_MAX]);

#endif
