/*
 * sql/dialect_postgres_inner.h - what the files of PostgreSQL's dialect share
 *
 * dialect_postgres.c is the table and the literals; _type.c knows types and writes casts, given and
 * silent ones; _operator.c the operators; _source.c what stands in FROM, GROUP BY and behind a
 * query; _call.c functions that are a template or a name; _text.c, _time.c and _aggregate.c those
 * with rules of their own; _regex.c reads constant patterns. Nobody else includes this.
 *
 * Whoever writes an operand writes it closed: nothing next to it can take a part away.
 */
#ifndef WEIR_SQL_DIALECT_POSTGRES_INNER_H
#define WEIR_SQL_DIALECT_POSTGRES_INNER_H

#include "sql/dialect_postgres.h"
#include "sql/functions.h"
#include "sql/rewrite.h"

typedef struct sql_printer printer;
typedef void (*pg_put)(printer *p, const struct sql_expr *expr);

/* FAIL_INPUT, DIALECT_UNSUPPORTED: "PostgreSQL cannot say <construct> …". */
void pg_refuse(printer *p, struct sql_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* -- types and casts: dialect_postgres_type.c ------------------------------------------------- */

struct sql_type pg_type(const printer *p, const struct sql_expr *expr);
enum sql_type_kind pg_kind(const printer *p, const struct sql_expr *expr);

/* Operands turned into a class of types, as MaxCompute does it silently. Refused where it does not,
 * or where the type is not known and matters. */
void pg_put_text(printer *p, const struct sql_expr *expr);
void pg_put_double(printer *p, const struct sql_expr *expr);
void pg_put_number(printer *p, const struct sql_expr *expr);  /* text becomes DOUBLE */
void pg_put_bigint(printer *p, const struct sql_expr *expr);  /* fractions are cut off */
void pg_put_integer(printer *p, const struct sql_expr *expr); /* 32 bits, for arguments */
void pg_put_decimal(printer *p, const struct sql_expr *expr);
void pg_put_time(printer *p, const struct sql_expr *expr); /* as timestamp */
void pg_put_date(printer *p, const struct sql_expr *expr);
void pg_put_boolean(printer *p, const struct sql_expr *expr);
/* As `type`, the common one of several branches. */
void pg_put_common(printer *p, const struct sql_expr *expr, const struct sql_type *type);
/* An integer literal bare, where its width does not matter; else an operand. */
void pg_put_plain(printer *p, const struct sql_expr *expr);
/* Where its order counts: text by its bytes. */
void pg_put_sorted(printer *p, const struct sql_expr *expr);
void pg_put_cast(printer *p, const struct sql_expr *expr);
void pg_put_type(printer *p, const struct sql_type *type);
/* before expr after */
void pg_wrap(printer *p, const char *before, pg_put put, const struct sql_expr *expr,
             const char *after);

/* Constants. */
bool pg_constant_text(const struct sql_expr *expr, struct str *out);
bool pg_constant_int(const struct sql_expr *expr, int64_t *out); /* also -n */
bool pg_is_null(const struct sql_expr *expr);

/* -- operators: dialect_postgres_operator.c --------------------------------------------------- */

bool pg_put_binary(printer *p, const struct sql_expr *expr);
bool pg_put_unary(printer *p, const struct sql_expr *expr);
bool pg_put_chain(printer *p, const struct sql_expr *expr);
bool pg_put_between(printer *p, const struct sql_expr *expr);
bool pg_put_in(printer *p, const struct sql_expr *expr);
bool pg_put_case(printer *p, const struct sql_expr *expr);
/* left <op> right, coerced as MaxCompute compares; `op` with blanks around it. */
void pg_put_compare(printer *p, const struct sql_expr *left, const char *op,
                    const struct sql_expr *right);
/* left % right, NULL for a divisor of 0. */
void pg_put_remainder(printer *p, const struct sql_expr *left, const struct sql_expr *right);

/* -- calls ------------------------------------------------------------------------------------ */

bool pg_put_call(printer *p, const struct sql_expr *expr);
void pg_put_function(printer *p, const struct sql_call *call);
/* Row functions with a hook; NULL: none of that name. */
pg_put pg_find_text(struct str name);
pg_put pg_find_time(struct str name);
pg_put pg_find_plain(struct str name);
bool pg_put_aggregate(printer *p, const struct sql_expr *expr, const struct sql_function *function);
void pg_put_element(printer *p, const struct sql_expr *base, const struct sql_expr *index);

/* dialect_postgres_time.c */
bool pg_put_extract(printer *p, const struct sql_expr *expr);
bool pg_put_interval(printer *p, const struct sql_expr *expr);

/* -- constant patterns: dialect_postgres_regex.c ---------------------------------------------- */

/* Whether it matches at all. */
void pg_put_regex(printer *p, const struct sql_expr *pattern);
/* What it matches: only patterns for which the longest match and the first one are the same. */
void pg_put_exact_regex(printer *p, const struct sql_expr *pattern);
/* The pattern is one that matches just one text, which is put into `out` (size bytes). */
bool pg_regex_is_plain(struct str pattern, char *out, size_t size, size_t *len);

enum pg_format { PG_FORMAT_ORACLE, PG_FORMAT_JAVA };
/* The format of to_char(), as a string literal. */
void pg_put_format(printer *p, const struct sql_expr *format, enum pg_format kind);
/* A text in this format as timestamp; another text fails. */
void pg_put_parsed(printer *p, const struct sql_expr *text, const struct sql_expr *format);

/* -- sources: dialect_postgres_source.c ------------------------------------------------------- */

bool pg_put_source(printer *p, const struct sql_source *source);
void pg_put_exploded(printer *p, const struct sql_item *item); /* explode() that is selected */
bool pg_put_group_by(printer *p, const struct sql_group_by *by);
bool pg_put_tail(printer *p, const struct sql_tail *tail);
void pg_put_order(printer *p, const struct sql_order *order, size_t n);

#endif
