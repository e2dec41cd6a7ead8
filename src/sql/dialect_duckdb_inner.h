/*
 * sql/dialect_duckdb_inner.h - what the files of DuckDB's dialect share
 *
 * dialect_duckdb.c is the table and the literals; _type.c knows types and writes casts, given and
 * silent ones; _operator.c the operators; _source.c what stands in FROM and GROUP BY; _call.c
 * functions that are a template or a name; _text.c, _time.c, _nested.c and _aggregate.c those with
 * rules of their own; _regex.c reads constant patterns. Nobody else includes this.
 *
 * Whoever writes an operand writes it closed: nothing next to it can take a part away.
 */
#ifndef WEIR_SQL_DIALECT_DUCKDB_INNER_H
#define WEIR_SQL_DIALECT_DUCKDB_INNER_H

#include "sql/dialect_duckdb.h"
#include "sql/functions.h"
#include "sql/rewrite.h"

typedef struct sql_printer printer;

/* FAIL_INPUT, DIALECT_UNSUPPORTED: "DuckDB cannot say <construct> …". */
void duck_refuse(printer *p, struct sql_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* -- types and casts: dialect_duckdb_type.c --------------------------------------------------- */

struct sql_type duck_type(const printer *p, const struct sql_expr *expr);
enum sql_type_kind duck_kind(const printer *p, const struct sql_expr *expr);

/* Operands turned into a class of types, as MaxCompute does it silently. Refused where it does not,
 * or where the type is not known and matters. */
void duck_put_text(printer *p, const struct sql_expr *expr);
void duck_put_double(printer *p, const struct sql_expr *expr);
void duck_put_number(printer *p, const struct sql_expr *expr); /* text becomes DOUBLE */
void duck_put_bigint(printer *p, const struct sql_expr *expr); /* fractions are cut off */
void duck_put_decimal(printer *p, const struct sql_expr *expr);
void duck_put_time(printer *p, const struct sql_expr *expr); /* as TIMESTAMP */
void duck_put_date(printer *p, const struct sql_expr *expr);
void duck_put_boolean(printer *p, const struct sql_expr *expr);
/* As `type`, the common one of several branches. */
void duck_put_common(printer *p, const struct sql_expr *expr, const struct sql_type *type);
/* An integer literal bare, where its width does not matter; else an operand. */
void duck_put_plain(printer *p, const struct sql_expr *expr);
void duck_put_cast(printer *p, const struct sql_expr *expr);
void duck_put_type(printer *p, const struct sql_type *type);

/* Constants. */
bool duck_constant_text(const struct sql_expr *expr, struct str *out);
bool duck_constant_int(const struct sql_expr *expr, int64_t *out); /* also -n */
bool duck_is_null(const struct sql_expr *expr);

/* -- operators: dialect_duckdb_operator.c ----------------------------------------------------- */

bool duck_put_binary(printer *p, const struct sql_expr *expr);
bool duck_put_unary(printer *p, const struct sql_expr *expr);
bool duck_put_chain(printer *p, const struct sql_expr *expr);
bool duck_put_between(printer *p, const struct sql_expr *expr);
bool duck_put_in(printer *p, const struct sql_expr *expr);
bool duck_put_case(printer *p, const struct sql_expr *expr);
/* left <op> right, coerced as MaxCompute compares; `op` with blanks around it. */
void duck_put_compare(printer *p, const struct sql_expr *left, const char *op,
                      const struct sql_expr *right);

/* -- calls ------------------------------------------------------------------------------------ */

bool duck_put_call(printer *p, const struct sql_expr *expr);
void duck_put_function(printer *p, const struct sql_call *call);
/* Row functions with a hook; NULL: none of that name. */
typedef void (*duck_hook)(printer *p, const struct sql_expr *expr);
duck_hook duck_find_text(struct str name);
duck_hook duck_find_time(struct str name);
duck_hook duck_find_nested(struct str name);
duck_hook duck_find_plain(struct str name);
bool duck_put_aggregate(printer *p, const struct sql_expr *expr,
                        const struct sql_function *function);

/* dialect_duckdb_nested.c */
bool duck_put_index(printer *p, const struct sql_expr *expr);
void duck_put_element(printer *p, const struct sql_expr *base, const struct sql_expr *index);
bool duck_put_lambda(printer *p, const struct sql_expr *expr);
/* dialect_duckdb_time.c */
bool duck_put_extract(printer *p, const struct sql_expr *expr);
bool duck_put_interval(printer *p, const struct sql_expr *expr);
/* dialect_duckdb_text.c: the one element of JSON that a key or path names, as text. */
void duck_put_json_key(printer *p, const struct sql_expr *json, const struct sql_expr *key);

/* -- constant patterns ------------------------------------------------------------------------ */

/* A regular expression as an argument; refused when RE2 reads it otherwise. */
void duck_put_regex(printer *p, const struct sql_expr *pattern);
/* The pattern is one that matches just one text, which is put into `out` (size bytes). */
bool duck_regex_is_plain(struct str pattern, char *out, size_t size, size_t *len);

enum duck_format { DUCK_FORMAT_ORACLE, DUCK_FORMAT_JAVA };
/* The strftime() format, as a string literal; false: refused. */
bool duck_put_format(printer *p, const struct sql_expr *format, enum duck_format kind);
/* A regular expression that a text in this format matches, as a string literal. */
bool duck_put_format_shape(printer *p, const struct sql_expr *format);

/* -- sources: dialect_duckdb_source.c --------------------------------------------------------- */

bool duck_put_source(printer *p, const struct sql_source *source);
bool duck_put_group_by(printer *p, const struct sql_group_by *by);
bool duck_put_tail(printer *p, const struct sql_tail *tail);
/* dialect_duckdb_rows.c: the columns that a table function makes, with commas between and, where
 * `names` are given, each with its name. */
void duck_put_rows(printer *p, const struct sql_expr *call, const struct sql_names *names);
/* dialect_duckdb_pivot.c */
void duck_put_pivot(printer *p, const struct sql_source *source);
void duck_put_unpivot(printer *p, const struct sql_source *source);

#endif
