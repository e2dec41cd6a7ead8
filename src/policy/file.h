/*
 * policy/file.h - policy.yaml, allowlist.yaml and the roles and clients of enterprise.yaml as rows
 *
 * What stands in the files, checked for keys, types and bounds by the tables of file.c; what it
 * means is compiled by load.c.
 *
 * Memory:  in the binder's arena; rows keep their nodes for later complaints.
 * Errors:  FAIL_MEMORY; the rest goes to the binder's problems.
 */
#ifndef WEIR_POLICY_FILE_H
#define WEIR_POLICY_FILE_H

#include "text/bind.h"

struct domain_row {
    struct bind_head head;
    struct str name, owner, default_project;
};

struct mask_row {
    struct bind_head head;
    struct str expr;
};

struct row_policy_row {
    struct bind_head head;
    struct str role, predicate;
};

struct default_partition_rows {
    struct str field, format, time_column;
    int strategy; /* index into partition_strategies; -1: not given */
};
enum { STRATEGY_MAX_PT = 0, STRATEGY_RANGE };

struct table_row {
    struct bind_head head;
    struct str name; /* as the table is called: head.id, or PROJECT.TABLE of an allowlist */
    struct str domain, owner;
    int sensitivity; /* index into sensitivities; -1: not given */
    struct default_partition_rows default_partition;
    struct bind_texts allowed_columns, denied_columns;
    struct bind_array masks, row_policies;
    int64_t max_limit;
    bool require_partition_filter;
};
extern const char *const sensitivities[];

struct security_rows {
    int select_star; /* 0: deny, 1: expand */
    struct {
        struct bind_texts allow, deny;
    } functions;
    bool table_reference_required, deny_unapproved_join;
    int64_t max_sql_bytes, max_nesting, max_in_list, max_select_items, max_ctes;
    int64_t max_join_tables, max_estimated_scan_bytes, query_timeout_seconds,
        max_concurrent_queries_per_user;
    struct {
        int approval_at, deny_at; /* enum risk_gate */
    } risk;
};

struct policy_file {
    struct str default_project;
    struct bind_array domains, tables;
    int64_t default_limit, max_limit;
    struct security_rows security;
};

/* A role or a client. */
struct party_row {
    struct bind_head head;
    struct str name, client_id;
    struct bind_texts allowed_toolsets, allowed_tools, allowed_domains;
    struct bind_rate rate_limit;
    int64_t query_quota_daily; /* 0: none */
};

struct parties_file {
    struct bind_array roles, clients;
};

MUST_USE result policy_file_read(const struct binder *binder, const struct yaml *tree,
                                 struct policy_file *out);
/* The same form, with what an allowlist says and the defaults for the rest. */
MUST_USE result policy_file_read_allowlist(const struct binder *binder, const struct yaml *tree,
                                           struct policy_file *out);
MUST_USE result policy_file_read_parties(const struct binder *binder, const struct yaml *tree,
                                         struct parties_file *out);

#endif
