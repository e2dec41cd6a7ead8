/*
 * policy/table_name.h - names of tables in configuration
 *
 * PROJECT.TABLE or PROJECT.SCHEMA.TABLE, or TABLE alone where a default project is known; the
 * schema is "default" where none is given. Lower case.
 *
 * Memory:  parts live in the arena.
 * Errors:  FAIL_MEMORY; a text that is no name leaves `out` empty (name.len 0), which is OK.
 * Threads: values.
 */
#ifndef WEIR_POLICY_TABLE_NAME_H
#define WEIR_POLICY_TABLE_NAME_H

#include "base/arena.h"
#include "base/fail.h"

struct table_name {
    struct str project, schema, name;
};

MUST_USE result table_name_read(struct str text, struct str default_project, struct arena *arena,
                                struct table_name *out);
/* Total order by project, schema, name; `b` may be in any case. */
int table_name_cmp(const struct table_name *a, const struct table_name *b);

#endif
