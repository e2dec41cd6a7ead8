/*
 * sql/schema.h - what a relation is, as its backend describes it
 *
 * The guard resolves every name on the full schema, denied columns too; who may see what is the
 * grant's business (sql/grant.h). Names are lower case; the schema part is "default" where the
 * backend has only two levels.
 *
 * Memory:  belongs to whoever made it: a backend's catalogue, which a snapshot keeps alive.
 * Threads: immutable.
 */
#ifndef WEIR_SQL_SCHEMA_H
#define WEIR_SQL_SCHEMA_H

#include "base/arena.h"
#include "base/fail.h"

struct sql_type; /* sql/types.h */

struct schema_column {
    struct str name;
    const struct sql_type *type;
    struct str comment;
    bool is_partition;
};

struct schema_relation {
    struct str project, schema, name;
    struct str comment;
    const struct schema_column *columns;
    size_t n_columns;
    struct str backend; /* the name of the backend that answers for it */
};

/* Where relations come from. Both functions may block when the source is remote; they then end at
 * the deadline that the source was made with. */
struct schema_source {
    /* *out is NULL when there is no such relation; that is OK, not a failure. */
    result (*find)(const struct schema_source *source, struct str project, struct str schema,
                   struct str name, struct arena *arena, const struct schema_relation **out,
                   struct report *report);
    /* The newest partition of the whole, unfiltered relation, as MAX_PT would give it; `out` is
     * STR_NONE when it has none. */
    result (*max_pt)(const struct schema_source *source, const struct schema_relation *relation,
                     struct arena *arena, struct str *out, struct report *report);
    void *with;
};

#endif
