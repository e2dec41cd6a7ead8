/*
 * sql/verify.h - the last look before a statement leaves: small, and it trusts nobody
 *
 * Takes the text that was printed, parses it anew, and looks at its shape alone. It shares the
 * parser with the rest of the guard, and neither resolver, rules nor rewriter.
 *
 * What it demands
 *   1. The text parses to the tree that was meant.
 *   2. A source name of one part is a CTE that is seen there; CTE names differ.
 *   3. A name of three parts is the only source of a secured table: a derived table that is one
 *      SELECT without grouping, ordering, hints or anything else but items, FROM and WHERE.
 *   4. The relation is granted; each item is a constant, an allowed column or path by the table's
 *      alias, or, under a masked column's name, the mask.
 *   5. WHERE holds every row filter, as a conjunct; whatever else it holds reads allowed columns
 *      only and asks no other table. So does TABLESAMPLE … ON.
 *   6. The outermost query has LIMIT, an integer between 1 and the given one.
 *
 * Memory:  in the arena.
 * Errors:  FAIL_DENIED with INTERNAL_ERROR when something is amiss; the sentence names the rule and
 *          is for the log. FAIL_LIMIT: the text is deeper or larger than statements may be.
 *          FAIL_MEMORY, and what grant->find gives.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_VERIFY_H
#define WEIR_SQL_VERIFY_H

#include "sql/grant.h"

/* `text` is the print of `meant` in MaxCompute's dialect. */
MUST_USE result verify(struct str text, const struct sql_query *meant, const struct grant *grant,
                       int64_t limit, struct arena *arena, struct report *report);

#endif
