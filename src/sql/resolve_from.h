/* sql/resolve_from.h - what resolve_from.c, resolve_made.c and resolve_pivot.c share */
#ifndef WEIR_SQL_RESOLVE_FROM_H
#define WEIR_SQL_RESOLVE_FROM_H

#include "sql/resolve_inner.h"

/* n zeroed columns that know their source. */
MUST_USE result source_columns(struct resolver *r, struct resolved_source *source, size_t n);
MUST_USE result source_of_query(struct resolver *r, struct resolved_query *query,
                                const struct sql_names *names, struct resolved_source *out);

MUST_USE result resolve_lateral(const struct env *env, struct sql_source *source,
                                struct resolved_source *out);
MUST_USE result resolve_pivot(const struct env *env, struct sql_source *source,
                              struct resolved_source *out);
MUST_USE result resolve_unpivot(const struct env *env, struct sql_source *source,
                                struct resolved_source *out);

#endif
