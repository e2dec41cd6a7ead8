/*
 * sql/dialect_postgres.h - ruled trees in the words of PostgreSQL 15
 *
 * What it prints gives the rows that MaxCompute would give; what it cannot say so is refused by
 * name. It leans on types: give sql_print() the `struct ruled` as `with`. Without one only what
 * the text itself tells is known, and more is refused.
 *
 *     sql_print(ruled->query, &sql_dialect_postgres, ruled, &buf, report)
 *
 * The server needs nothing of ours, for nothing may be made there. What MaxCompute refuses at run
 * time ends in a cast of the empty text, which fails. The text expects a UTF-8 database whose
 * collations of ICU exist, and of the session's settings the TimeZone to be that of the project,
 * extra_float_digits to be at least 1 and transform_null_equals to be off; no other matters.
 *
 * A table project.default.t is "project"."t", project.schema.t is "project.schema"."t".
 *
 * Errors:  FAIL_INPUT, DIALECT_UNSUPPORTED: the sentence names the construct.
 * Threads: constant.
 */
#ifndef WEIR_SQL_DIALECT_POSTGRES_H
#define WEIR_SQL_DIALECT_POSTGRES_H

#include "sql/print.h"

extern const struct sql_dialect sql_dialect_postgres;

#endif
