/*
 * sql/risk.h - how dangerous a statement is, from what is known of it
 *
 * Pure functions from facts to flags and from flags to a level. No flag is low; missing_limit,
 * select_star, missing_where, large_limit and high_join_count are medium; missing_partition_filter,
 * cross_join and high_scan are high; scan_over_limit is critical. The guard knows no sizes, and so
 * counts every scan as over a limit that is set; whoever gets an estimate from a backend calls
 * risk_with_estimate() once more, and asks the gates again.
 *
 * Memory:  values.
 * Errors:  none.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_RISK_H
#define WEIR_SQL_RISK_H

#include "sql/guard.h"

struct risk_facts {
    bool has_relation;        /* without one there is nothing to scan */
    bool has_limit;           /* the text or the request says one */
    int64_t limit, max_limit; /* as asked for; rows */
    bool has_star;
    bool has_unfiltered_block;     /* a block reads a base table and has no WHERE */
    bool has_unfiltered_partition; /* a partitioned table without a proven predicate */
    bool has_cross_join;
    int64_t join_tables, max_join_tables;
};

unsigned risk_flags_of(const struct risk_facts *facts);
enum risk_level risk_level_of(unsigned flags);

#define RISK_BYTES_UNKNOWN (-1)
/* The flags with those of this scan, in place of what an earlier estimate left there. `max_bytes`
 * 0: no limit is set, and there are none. An unknown estimate counts as over. */
unsigned risk_with_estimate(unsigned flags, int64_t scan_bytes, int64_t max_bytes);

/* The level has reached the gate. */
bool risk_reaches(enum risk_level level, enum risk_gate gate);

#endif
