/* Facts to flags, flags to a level: see risk.h. */
#include "sql/risk.h"

const char *const risk_level_name[] = {"low", "medium", "high", "critical"};

const char *const risk_flag_name[] = {
    "missing_limit",
    "select_star",
    "missing_where",
    "large_limit",
    "missing_partition_filter",
    "cross_join",
    "high_join_count",
    "high_scan",
    "scan_over_limit",
    NULL,
};

/* Two tables are an ordinary join under any policy. */
#define HIGH_JOIN_TABLES_MIN 3

unsigned risk_flags_of(const struct risk_facts *f) {
    unsigned flags = 0;
    if (!f->has_relation) return flags;
    if (!f->has_limit) flags |= RISK_MISSING_LIMIT;
    if (f->has_limit && f->limit > f->max_limit / 2) flags |= RISK_LARGE_LIMIT;
    if (f->has_star) flags |= RISK_SELECT_STAR;
    if (f->has_unfiltered_block) flags |= RISK_MISSING_WHERE;
    if (f->has_unfiltered_partition) flags |= RISK_MISSING_PARTITION_FILTER;
    if (f->has_cross_join) flags |= RISK_CROSS_JOIN;
    if (f->join_tables > HIGH_JOIN_TABLES_MIN - 1 && f->join_tables > f->max_join_tables / 2)
        flags |= RISK_HIGH_JOIN_COUNT;
    return flags;
}

enum risk_level risk_level_of(unsigned flags) {
    if ((flags & RISK_SCAN_OVER_LIMIT) != 0) return RISK_CRITICAL;
    if ((flags & (RISK_MISSING_PARTITION_FILTER | RISK_CROSS_JOIN | RISK_HIGH_SCAN)) != 0)
        return RISK_HIGH;
    return flags != 0 ? RISK_MEDIUM : RISK_LOW;
}

unsigned risk_with_estimate(unsigned flags, int64_t scan_bytes, int64_t max_bytes) {
    flags &= ~(unsigned)(RISK_HIGH_SCAN | RISK_SCAN_OVER_LIMIT);
    if (max_bytes <= 0) return flags;
    if (scan_bytes < 0 || scan_bytes > max_bytes) return flags | RISK_SCAN_OVER_LIMIT;
    if (scan_bytes > max_bytes / 2) return flags | RISK_HIGH_SCAN;
    return flags;
}

bool risk_reaches(enum risk_level level, enum risk_gate gate) {
    switch (gate) {
    case RISK_GATE_NONE: return false;
    case RISK_GATE_MEDIUM: return level >= RISK_MEDIUM;
    case RISK_GATE_HIGH: return level >= RISK_HIGH;
    case RISK_GATE_CRITICAL: return level >= RISK_CRITICAL;
    }
    return true; /* a gate that we do not know stops */
}
