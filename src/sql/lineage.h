/*
 * sql/lineage.h - which base columns a statement touches, clause by clause, and what its outputs
 * depend on
 *
 * Works from the resolved stage only. A reference counts in the innermost query block that holds
 * it, and only when it means a column of a base table; a struct counts as its top column; a star
 * counts what it expands to, without the columns that it leaves out. An output depends on the base
 * columns of its expression, through derived tables, CTEs and set operations: keys of OVER count,
 * what only filters (WHERE, FILTER, EXISTS) does not.
 *
 * Memory:  in the arena.
 * Errors:  FAIL_MEMORY only.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_LINEAGE_H
#define WEIR_SQL_LINEAGE_H

#include "sql/guard.h"
#include "sql/resolve.h"

struct lineage {
    struct name_list tables; /* of FROM, and those that max_pt() and its like name */
    struct name_list columns;
    struct name_list access[ACCESS_CLAUSES];
    const struct guard_output *output;
    size_t n_output;
};

MUST_USE result lineage_of(const struct resolved *resolved, struct arena *arena,
                           struct lineage *out, struct report *report);

/* As a person writes it, in sentences and texts: "project.table" or, where the schema is not
 * "default", "project.schema.table"; lower case. STR_NONE: the budget is spent. */
struct str lineage_name_relation(const struct schema_relation *relation, struct arena *arena);
/* As answers tell it: always "project.schema.table"; and with ".column" behind it. */
struct str lineage_full_name(const struct schema_relation *relation, struct arena *arena);
struct str lineage_name_column(const struct schema_relation *relation, uint32_t column,
                               struct arena *arena);
/* In which clause of the answer a use counts; false: in none. */
bool lineage_clause(enum sql_clause clause, enum access_clause *out);

#endif
