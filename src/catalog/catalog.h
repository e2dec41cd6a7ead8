/*
 * catalog/catalog.h - what the data means
 *
 * Today: the approved ways to join tables (ai_catalog/joins.yaml). An entry that is not approved is
 * a candidate: kept, shown to keepers, and never given to the guard.
 *
 * Memory:  part of a snapshot, in the arena it was loaded into.
 * Errors:  FAIL_CONFIG with positions in `problems`.
 * Threads: immutable after load.
 */
#ifndef WEIR_CATALOG_CATALOG_H
#define WEIR_CATALOG_CATALOG_H

#include "sql/grant.h"
#include "text/problem.h"

struct catalog_join {
    struct grant_join join;
    struct str business_purpose, confidence, cardinality, example_sql;
    bool is_approved;
};

struct catalog {
    const struct catalog_join *joins; /* in file order */
    size_t n_joins;
    const struct grant_join *approved; /* what policy_grant() takes */
    size_t n_approved;
};

/* `joins` is the tree of joins.yaml, or NULL. `default_project` completes bare table names. */
MUST_USE result catalog_load(const struct yaml *joins, struct str joins_name,
                             struct str default_project, struct arena *arena,
                             struct problems *problems, const struct catalog **out);

#endif
