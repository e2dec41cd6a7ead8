/*
 * sql/guard.h - turns a client's SQL into SQL that we are willing to run
 *
 * What leaves is our own print of a tree that we understood; the client's bytes never reach a
 * backend. The stages are parse, resolve, enforce, rewrite, print, and a second parse that is
 * compared with what was meant. A construct the guard does not know is refused.
 *
 * Memory:  results live in `arena` and may point into `text`; keep both.
 * Errors:  FAIL_MEMORY, FAIL_LIMIT (depth, size), FAIL_BACKEND and FAIL_TIMEOUT (a schema source
 *          could not answer). FAIL_INPUT: not SQL that we accept, or DIALECT_UNSUPPORTED: the
 *          backend cannot say it; the report holds code, sentence, byte offset in `text` and hint.
 *          FAIL_CONFIG: a filter or mask of the policy cannot be applied.
 * Denial:  is no error: OK is returned and out->effect is GUARD_DENY, with code, sentence and hint
 *          in the report of the same form. GUARD_APPROVAL leaves its reason there, too.
 * Secrets: code, sentence and hint do not tell what is denied from what does not exist. The lists
 *          of a denied answer do: they are for the record and the keeper's command line. The
 *          sentence of INTERNAL_ERROR is for the log.
 * Threads: no shared state; any number of guards may run at once.
 */
#ifndef WEIR_SQL_GUARD_H
#define WEIR_SQL_GUARD_H

#include "sql/grant.h"

enum guard_effect {
    GUARD_DENY = 0,
    GUARD_ALLOW,
    GUARD_APPROVAL, /* allowed once somebody else has said yes; every field is as for ALLOW */
};

enum guard_dialect { DIALECT_MAXCOMPUTE = 0, DIALECT_DUCKDB, DIALECT_POSTGRES };

enum access_clause {
    ACCESS_SELECT = 0,
    ACCESS_WHERE,
    ACCESS_JOIN,
    ACCESS_GROUP_BY,
    ACCESS_HAVING,
    ACCESS_QUALIFY,
    ACCESS_WINDOW,
    ACCESS_ORDER_BY,
    ACCESS_LATERAL,
    ACCESS_CLAUSES
};
/* "select", "where", …: as in the answers of `weir sql check`. */
extern const char *const access_clause_name[ACCESS_CLAUSES];

enum risk_level { RISK_LOW = 0, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL };
extern const char *const risk_level_name[];

enum risk_flag { /* bits */
                 RISK_MISSING_LIMIT = 1 << 0,
                 RISK_SELECT_STAR = 1 << 1,
                 RISK_MISSING_WHERE = 1 << 2,
                 RISK_LARGE_LIMIT = 1 << 3,
                 RISK_MISSING_PARTITION_FILTER = 1 << 4,
                 RISK_CROSS_JOIN = 1 << 5,
                 RISK_HIGH_JOIN_COUNT = 1 << 6,
                 RISK_HIGH_SCAN = 1 << 7,
                 RISK_SCAN_OVER_LIMIT = 1 << 8,
};
/* Name of bit i, NULL after the last. */
extern const char *const risk_flag_name[];

/* Sorted, without repetition; names are lower case: project.schema.table[.column], with the schema
 * "default" where the backend has only two levels. */
struct name_list {
    const struct str *items;
    size_t n;
};

struct guard_output {
    struct str name;
    struct name_list from; /* base columns that the value depends on */
};

struct guard_request {
    struct str text;
    enum guard_dialect dialect;
    const struct grant *grant;
    int64_t limit;     /* rows wanted beside what the text says; 0: the text decides */
    bool lineage_only; /* resolve and tell; enforce, but neither rewrite nor print */
};

/* Filled as far as the statement got: tables, access and output are there on a denial too, when the
 * text resolves. */
struct guard_answer {
    enum guard_effect effect;
    bool is_resolved;
    struct str sql;  /* what runs, as it may be told and kept; empty unless allowed */
    struct str run;  /* what a backend is given: as `sql`, with the salt of masks in its place */
    struct str salt; /* that `run` holds; empty: none. Neither leaves for anything but a backend */
    struct name_list tables, columns, policy_columns, partitions;
    struct name_list access[ACCESS_CLAUSES];
    const struct guard_output *output;
    size_t n_output;
    bool has_partition_filter;
    int64_t join_count;
    int64_t limit;         /* as printed outermost */
    bool is_callers_limit; /* it is what the text asked for: neither injected nor lowered */
    bool may_tell_engine;  /* no row filter and no mask is at work, so that the engine's error text
                              says nothing about hidden rows */
    bool is_stable;        /* it would answer the same again (sql/stable.h) */
    enum risk_level risk;
    unsigned risk_flags;
    struct str backend; /* of the relations; empty when there are none */
};

/* The text of an engine without what it repeats of the salt; NULL in .ptr: no memory. */
struct str guard_redact(const struct guard_answer *answer, struct str text, struct arena *arena);

MUST_USE result guard_check(const struct guard_request *request, struct arena *arena,
                            struct guard_answer *out, struct report *report);

#endif
