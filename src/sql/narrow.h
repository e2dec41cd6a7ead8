/*
 * sql/narrow.h - a relation as if what is denied had never been
 *
 * For words about a relation: what a caller is told of a table, and of a name that does not
 * resolve, is read from the narrow one, in which denied columns and denied fields of structs do not
 * exist.
 *
 * Memory:  the narrow relation lives in the arena and borrows from the full one.
 * Errors:  NULL: the arena's budget is spent.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_NARROW_H
#define WEIR_SQL_NARROW_H

#include "sql/grant.h"

/* Columns of `full` that are not denied, in order; types of structs without their denied fields. */
const struct grant_relation *grant_narrow(const struct grant_relation *full, struct arena *arena);

#endif
