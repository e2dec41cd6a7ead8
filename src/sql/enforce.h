/*
 * sql/enforce.h - a resolved statement held against the grant
 *
 * Works from what the resolver listed (sources, uses, calls), never from the text. The first rule
 * that is broken is the answer; relations come first, so that nothing is told of one that is not
 * granted. What passes is described in `struct enforced`, from which the rewriter and the risk
 * levels work.
 *
 * Memory:  in the arena, borrowing from the resolved statement.
 * Errors:  FAIL_DENIED is a refusal: TABLE_NOT_ALLOWED, COLUMN_NOT_ALLOWED,
 *          SELECT_STAR_NOT_ALLOWED, FUNCTION_NOT_ALLOWED, SQL_NOT_SUPPORTED, LIMIT_MUST_BE_LITERAL,
 *          LIMIT_TOO_SMALL, TABLE_REFERENCE_REQUIRED, TOO_MANY_JOINS, JOIN_NOT_APPROVED,
 *          PARTITION_FILTER_REQUIRED. FAIL_LIMIT: SQL_TOO_LARGE. FAIL_MEMORY, and what grant->find
 *          gives.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_ENFORCE_H
#define WEIR_SQL_ENFORCE_H

#include "sql/partition.h"
#include "sql/risk.h"

struct enforced {
    const struct partition_finding *partitions; /* by source number */
    bool has_partition_filter; /* there are partitioned tables, and each has a proven predicate */
    int64_t limit;             /* to be printed outermost */
    bool is_callers_limit;
    int64_t n_joins;
    struct str backend;
    struct risk_facts facts;
};

/* `limit`: rows wanted beside what the text says; 0: none. */
MUST_USE result enforce(const struct resolved *r, int64_t limit, struct arena *arena,
                        struct enforced *out, struct report *report);

/* A column that does not exist and one that is not granted must not be told apart. Resolves the
 * query as if the columns and fields that are not granted did not exist, and says what is wrong
 * then: FAIL_DENIED with COLUMN_NOT_ALLOWED for an unknown column, else as sql_resolve(). To be
 * asked whenever the statement does not resolve, or touches a denied column. OK: nothing is wrong.
 */
MUST_USE result enforce_names(struct sql_query *query, const struct grant *grant,
                              struct arena *arena, struct report *report);

/* True when the path reaches a denied field or contains one. */
bool enforce_field_denied(const struct grant_column *column, const struct str *path, size_t n_path);

/* The rules on their own, in the order in which enforce() asks them. */
MUST_USE result enforce_functions(const struct resolved *r, struct arena *arena,
                                  struct report *report);
MUST_USE result enforce_limits(const struct resolved *r, int64_t limit, struct enforced *out,
                               struct report *report);
MUST_USE result enforce_partitions(const struct resolved *r, struct arena *arena,
                                   struct enforced *out, struct report *report);

#endif
