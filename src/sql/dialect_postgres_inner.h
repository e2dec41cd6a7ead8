/*
 * sql/dialect_postgres_inner.h - what PostgreSQL says in its own way
 *
 * What both engines say alike is dialect_engine.h's; these files are the rest, behind the members
 * of its `struct dialect_engine`. dialect_postgres.c is the tables, names and literals; _operator.c
 * the operators; _source.c what stands in FROM and ORDER BY; _select.c QUALIFY; _pivot.c PIVOT and
 * UNPIVOT; _rows.c table functions; _call.c, _text.c, _time.c and _aggregate.c functions with rules
 * of their own; _regex.c reads constant patterns. Nobody else includes this.
 */
#ifndef WEIR_SQL_DIALECT_POSTGRES_INNER_H
#define WEIR_SQL_DIALECT_POSTGRES_INNER_H

#include "sql/dialect_engine.h"
#include "sql/dialect_postgres.h"

extern const struct dialect_hook pg_plain_hooks[], pg_text_hooks[], pg_json_hooks[];
extern const struct dialect_hook pg_time_hooks[], pg_aggregate_hooks[], pg_array_hooks[];

/* Has no type of its own there, or one that orders and prints by other rules. */
bool pg_is_foreign(enum sql_type_kind kind);

/* 32 bits, for arguments. */
void pg_put_integer(printer *p, const struct sql_expr *expr);

/* -- operators -------------------------------------------------------------------------------- */

void pg_put_quotient(printer *p, const struct sql_expr *expr);
void pg_put_whole_quotient(printer *p, const struct sql_expr *expr);
/* left % right, NULL for a divisor of 0. */
void pg_put_remainder(printer *p, const struct sql_expr *left, const struct sql_expr *right);
void pg_put_like(printer *p, const struct sql_expr *expr);
void pg_put_rlike(printer *p, const struct sql_expr *expr);
/* What get_json_object() gives for the constant key at the top. */
void pg_put_json_key(printer *p, const struct sql_expr *json, const struct sql_expr *key);
/* split(text, separator), the separator no pattern. */
void pg_put_split_plain(printer *p, const struct sql_expr *text, struct str separator);
void pg_put_array_reverse(printer *p, const struct sql_expr *call);
void pg_put_element(printer *p, const struct sql_expr *base, const struct sql_expr *index);

/* -- aggregates ------------------------------------------------------------------------------- */

void pg_put_ordered_distinct(printer *p, const struct sql_expr *call, const struct sql_order *key,
                             struct str separator);

/* -- times ------------------------------------------------------------------------------------ */

void pg_put_amount(printer *p, enum dialect_unit unit, const struct sql_expr *n);
void pg_put_part(printer *p, enum dialect_unit unit, const struct sql_expr *of);
void pg_put_truncated(printer *p, enum dialect_unit unit, const struct sql_expr *of);
void pg_put_difference(printer *p, enum dialect_unit unit, const struct sql_expr *later,
                       const struct sql_expr *earlier);
bool pg_put_interval(printer *p, const struct sql_interval *interval,
                     const enum dialect_unit *unit);
void pg_put_formatted(printer *p, const struct sql_exprs *args, enum dialect_format kind);

/* -- constant patterns ------------------------------------------------------------------------ */

/* Whether it matches at all. */
void pg_put_regex(printer *p, const struct sql_expr *pattern);
/* What it matches: only patterns for which the longest match and the first one are the same. */
void pg_put_exact_regex(printer *p, const struct sql_expr *pattern);
/* The format of to_char(), as a string literal. */
void pg_put_format(printer *p, const struct sql_expr *format, enum dialect_format kind);
/* to_date(text, format): a text in this format as timestamp; another text fails. */
void pg_put_parsed(printer *p, const struct sql_expr *expr);

/* -- sources ---------------------------------------------------------------------------------- */

void pg_put_made(printer *p, const struct sql_source *source);
bool pg_put_source(printer *p, const struct sql_source *source);
void pg_put_pivot(printer *p, const struct sql_source *source);
void pg_put_unpivot(printer *p, const struct sql_source *source);
/* The columns of a table function, with commas; those of which there are many rows are unnested
 * side by side. `names` as AS (…) gives them, or NULL: they are named from outside; `n_names` is
 * how many there must be. */
void pg_put_rows(printer *p, const struct sql_expr *call, const struct sql_names *names,
                 size_t n_names);
bool pg_meets(enum sql_type_kind set, enum sql_type_kind branch);
void pg_put_order(printer *p, const struct sql_order *order, size_t n);
/* A key that names an output, which has its collation; and what stands behind a key. */
void pg_put_output(printer *p, const struct sql_expr *key);
void pg_put_direction(printer *p, const struct sql_order *order);
/* What the column of a SELECT is called; NULL: nothing. */
const struct sql_name *pg_name_of(const struct sql_item *item);
/* SELECT … QUALIFY; false: it has none. */
bool pg_put_select(printer *p, const struct sql_query *query);

#endif
