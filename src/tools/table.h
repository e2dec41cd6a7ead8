/*
 * tools/table.h - a table as this caller may see it, by the name that he gives it
 *
 * What is not granted does not exist: it is refused in the same words as what nobody has, and the
 * nearest name told is one that is granted.
 *
 * Memory:  the call's arena.
 * Errors:  FAIL_DENIED with TABLE_NOT_ALLOWED or PROJECT_NOT_ALLOWED, in call->report.
 * Threads: the call's.
 */
#ifndef WEIR_TOOLS_TABLE_H
#define WEIR_TOOLS_TABLE_H

#include "call/call.h"

/* "project.table", or "project.schema.table" where the schema is not the default one. */
struct str table_name(struct arena *arena, const struct policy_table *table);

struct table_ref {
    struct str project, schema, name;
};
/* "table" (of `project`), "project.table", "project.schema.table"; back quotes around parts are
 * taken off. false: no such form. */
bool table_split(struct str text, struct str project, struct table_ref *out);

/* The table as this caller sees it: what is denied is not there. *table is what the policy says of
 * it. `project` may be empty; `source` must live as long as the relation is used. */
MUST_USE result table_find(struct call *call, struct str text, struct str project,
                           const struct schema_source *source,
                           const struct grant_relation **relation,
                           const struct policy_table **table);

#endif
