/*
 * sql/grant.h - what a caller may see: filled by policy, obeyed by the guard
 *
 * One of the two seams of the house that deserve slow review. A grant is made for one call from the
 * policy's snapshot, the principal and the schema of the backends. Zeroed memory grants nothing.
 *
 * Memory:  lives in the call's arena and borrows from the snapshot.
 * Threads: one call.
 */
#ifndef WEIR_SQL_GRANT_H
#define WEIR_SQL_GRANT_H

#include "sql/parse.h"
#include "sql/schema.h"

enum grant_effect {
    GRANT_DENY = 0,
    GRANT_ALLOW,
    GRANT_MASK, /* the column exists, as the value of an expression */
};

enum grant_star {
    GRANT_STAR_DENY = 0, /* a star is refused where a column is denied or masked */
    GRANT_STAR_EXPAND,   /* a star means the allowed columns */
};

struct grant_column {
    const struct schema_column *schema;
    enum grant_effect effect;
    struct str mask;                  /* GRANT_MASK: a MaxCompute expression over this relation */
    const struct sql_type *mask_type; /* of its values: grant_mask_type(); NULL: unknown */
    const struct str *denied_fields;  /* dotted paths below a struct column, lower case */
    size_t n_denied_fields;
};

struct grant_relation {
    const struct schema_relation *schema;
    enum grant_effect effect;           /* ALLOW or DENY */
    const struct grant_column *columns; /* as many as schema->n_columns, in the same order */
    bool is_restricted;                 /* some column or field is not plainly allowed */
    /* Predicates of MaxCompute SQL over this relation with placeholders already bound as literals;
     * all apply (AND). A row is seen only when each is TRUE. */
    const struct str *row_filters;
    size_t n_row_filters;
    int64_t max_limit; /* 0: the grant's */
    bool require_partition_filter;
};

/* One approved way to join two relations: all on-pairs together. */
struct grant_join_on {
    struct str left, right; /* column names, lower case */
};

struct grant_join {
    struct str id;
    struct str left_project, left_schema, left_table;
    struct str right_project, right_schema, right_table;
    const struct grant_join_on *on;
    size_t n_on;
};

enum risk_gate { RISK_GATE_NONE = 0, RISK_GATE_MEDIUM, RISK_GATE_HIGH, RISK_GATE_CRITICAL };

/* The literal that stands for the salt in the text of a mask, and in whatever is told of it. */
#define GRANT_SALT STR("${mask.salt}")

struct grant {
    struct str salt;            /* secret; of digits and letters; empty: no mask may ask for it */
    struct str default_project; /* for names without a project; may be empty */

    /* The relation as this caller sees it. *out is NULL when the name is unknown; one that exists
     * and is not granted comes with effect DENY, so that its names resolve and the refusal is one
     * and the same for both. May block as schema_source.find does. */
    result (*find)(const struct grant *grant, struct str project, struct str schema,
                   struct str name, struct arena *arena, const struct grant_relation **out,
                   struct report *report);
    const struct schema_source *source;
    const void *with; /* find's own */

    const struct grant_join *joins; /* approved ones only */
    size_t n_joins;
    bool allow_unapproved_join;
    int64_t max_join_tables; /* base relations of one join tree; 0: none may be joined */

    int64_t default_limit, max_limit; /* 0: nothing may be read */
    bool allow_no_table;              /* SELECT 1 + 1 */
    enum grant_star star;
    const struct str *functions_allowed; /* beside the built-in table: UDFs, lower case */
    size_t n_functions_allowed;
    const struct str *functions_denied;
    size_t n_functions_denied;
    struct sql_limits limits;
    int64_t max_scan_bytes;              /* 0: no limit; what is not known counts as over */
    enum risk_gate approval_at, deny_at; /* from this level on; NONE: never */
};

/* What the values of a mask over the relation are; UNKNOWN where it cannot be applied, for then the
 * guard will refuse it. FAIL_MEMORY only. */
MUST_USE result grant_mask_type(const struct grant *grant, const struct grant_relation *relation,
                                struct str mask, struct arena *arena, struct sql_type *out);

#endif
