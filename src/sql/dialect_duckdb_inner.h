/*
 * sql/dialect_duckdb_inner.h - what DuckDB says in its own way
 *
 * What both engines say alike is dialect_engine.h's; these files are the rest, behind the members
 * of its `struct dialect_engine`. dialect_duckdb.c is the tables, names and literals; _operator.c
 * the operators; _source.c, _rows.c and _pivot.c what stands in FROM; _call.c, _text.c, _time.c,
 * _nested.c and _aggregate.c functions with rules of their own; _regex.c reads constant patterns.
 * Nobody else includes this.
 */
#ifndef WEIR_SQL_DIALECT_DUCKDB_INNER_H
#define WEIR_SQL_DIALECT_DUCKDB_INNER_H

#include "sql/dialect_duckdb.h"
#include "sql/dialect_engine.h"

extern const struct dialect_hook duck_plain_hooks[], duck_text_hooks[], duck_time_hooks[],
    duck_nested_hooks[], duck_aggregate_hooks[];

/* -- operators -------------------------------------------------------------------------------- */

bool duck_put_product(printer *p, const struct sql_expr *expr);
void duck_put_quotient(printer *p, const struct sql_expr *expr);
void duck_put_whole_quotient(printer *p, const struct sql_expr *expr);
void duck_put_remainder(printer *p, const struct sql_expr *left, const struct sql_expr *right);
void duck_put_like(printer *p, const struct sql_expr *expr);
void duck_put_rlike(printer *p, const struct sql_expr *expr);

/* wm_concat(DISTINCT x) in the order of x: the key is x before it became a text. */
void duck_put_ordered_distinct(printer *p, const struct sql_expr *call, const struct sql_order *key,
                               struct str separator);

/* -- times ------------------------------------------------------------------------------------ */

void duck_put_amount(printer *p, enum dialect_unit unit, const struct sql_expr *n);
void duck_put_part(printer *p, enum dialect_unit unit, const struct sql_expr *of);
void duck_put_truncated(printer *p, enum dialect_unit unit, const struct sql_expr *of);
void duck_put_difference(printer *p, enum dialect_unit unit, const struct sql_expr *later,
                         const struct sql_expr *earlier);
bool duck_put_interval(printer *p, const struct sql_interval *interval,
                       const enum dialect_unit *unit);
void duck_put_formatted(printer *p, const struct sql_exprs *args, enum dialect_format kind);
void duck_put_parsed(printer *p, const struct sql_expr *expr);

/* -- nested values ---------------------------------------------------------------------------- */

void duck_put_element(printer *p, const struct sql_expr *base, const struct sql_expr *index);
/* dialect_duckdb_text.c: the one element of JSON that a key or path names, as text. */
void duck_put_json_key(printer *p, const struct sql_expr *json, const struct sql_expr *key);
/* The same of a part of a URL, by its name in parse_url(); of QUERY perhaps one key (else none). */
void duck_put_url_part(printer *p, const struct sql_expr *url, struct sql_span span,
                       struct str part, struct str key);

/* -- constant patterns ------------------------------------------------------------------------ */

/* A regular expression as an argument; refused when RE2 reads it otherwise. */
void duck_put_regex(printer *p, const struct sql_expr *pattern);
/* The strftime() format, as a string literal; false: refused. */
bool duck_put_format(printer *p, const struct sql_expr *format, enum dialect_format kind);
/* A regular expression that a text in this format matches, as a string literal. */
bool duck_put_format_shape(printer *p, const struct sql_expr *format);

/* -- sources ---------------------------------------------------------------------------------- */

bool duck_put_source(printer *p, const struct sql_source *source);
void duck_put_made(printer *p, const struct sql_source *source);
bool duck_meets(enum sql_type_kind set, enum sql_type_kind branch);
/* dialect_duckdb_rows.c: the columns that a table function makes, with commas between and, where
 * `names` are given, each with its name. */
void duck_put_rows(printer *p, const struct sql_expr *call, const struct sql_names *names);
/* dialect_duckdb_pivot.c */
void duck_put_pivot(printer *p, const struct sql_source *source);
void duck_put_unpivot(printer *p, const struct sql_source *source);

#endif
