/*
 * sql/stable.h - would the statement answer the same again
 *
 * Over the same data. A statement that asks the clock or chance, takes a sample, or calls a
 * function that we do not know, may not; its answer is not to be given again. Filters and masks of
 * the policy count: they are part of the ruled tree.
 *
 * Threads: no state.
 */
#ifndef WEIR_SQL_STABLE_H
#define WEIR_SQL_STABLE_H

#include "sql/rewrite.h"

bool sql_is_stable(const struct ruled *ruled);

#endif
