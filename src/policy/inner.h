/*
 * policy/inner.h - the compiled policy, as the files of this floor share it
 *
 * Memory:  all in the arena of the load. Immutable.
 */
#ifndef WEIR_POLICY_INNER_H
#define WEIR_POLICY_INNER_H

#include "base/map.h"
#include "identity/digest.h"
#include "policy/mask.h"
#include "policy/policy.h"
#include "policy/predicate.h"
#include "policy/rules.h"
#include "policy/table_name.h"
#include "text/bind.h"

/* What a table's lists say of one column that they name. */
struct column_rule {
    bool is_allowed, is_denied;
    struct mask mask;
    const struct str *denied_fields;
    size_t n_denied_fields;
};

struct row_rule {
    struct str role; /* "*": everybody */
    struct predicate predicate;
};

struct policy_entry {
    struct table_name name;
    struct policy_table shown;
    bool is_closed;     /* allowed_columns: [] or max_limit: 0: nothing may be read */
    bool only_named;    /* allowed_columns is given: a column that it does not name is denied */
    struct map columns; /* name → column_rule */
    const struct row_rule *rows;
    size_t n_rows;
};

/* A role or a client. */
struct policy_party {
    struct str id;
    struct str rule; /* "role:ID", "client:ID" */
    struct name_set toolsets, tools, domains;
    int64_t rate_n, rate_window_s; /* 0: none */
    int64_t quota_daily;           /* 0: none */
};

struct policy {
    char version[13];
    uint8_t text_digest[DIGEST_SIZE]; /* whose first bytes are the version */
    struct str salt;                  /* as the guard puts it into statements; empty: none is set */
    struct str default_project;
    const struct str *domain_ids, *domain_projects;
    size_t n_domains;
    const struct policy_entry *entries; /* in order of name */
    size_t n_entries;
    struct map roles, clients; /* → policy_party; "*" of clients: every other */
    const struct policy_rules *rules;
    int64_t default_limit, max_limit;
    int64_t timeout_s, concurrency, max_join_tables, max_scan_bytes;
    bool allow_unapproved_join, allow_no_table;
    enum grant_star star;
    enum risk_gate approval_at, deny_at;
    struct sql_limits limits;
    const struct str *functions_allowed, *functions_denied;
    size_t n_functions_allowed, n_functions_denied;
};

bool policy_is_somebody(const struct principal *principal);
bool policy_is_admin(const struct principal *principal);
/* The rule of the caller's client, or NULL. */
const struct policy_party *policy_client(const struct policy *policy, struct str client_id);
enum ask { ASK_TOOLSET, ASK_TOOL, ASK_DOMAIN };

/* What the roles together say. Only roles with a list speak; if any does, one of them has to allow:
 * a role without lists, made for a row policy, does not open what another one closes. */
struct roles_say {
    bool is_allowed;
    const struct policy_party *by; /* the role that decided; NULL: none has a list */
};
struct roles_say policy_roles_say(const struct policy *policy, const struct principal *principal,
                                  enum ask ask, struct str name);
/* Do roles and client allow the domain? */
bool policy_may_domain(const struct policy *policy, const struct principal *principal,
                       struct str domain);
/* The entry, if the principal may see the table; else NULL. */
const struct policy_entry *policy_entry_find(const struct policy *policy,
                                             const struct principal *principal,
                                             const struct table_name *name);

/* The limits and budgets that a call falls under (charge.c), put into a verdict that does not deny;
 * `rules` are those that match the tool. NULL, or the sentence of why it cannot be counted. */
struct rule_list {
    const struct policy_rule **items;
    size_t n, cap;
};
const char *policy_charge(const struct policy *policy, const struct principal *principal,
                          const struct policy_question *question, const struct rule_list *rules,
                          struct arena *arena, struct verdict *out);

/* Compiles one table (entry.c). Complaints go to `binder`. */
struct table_row;
MUST_USE result policy_entry_compile(const struct binder *binder, const struct table_row *row,
                                     bool has_salt, struct policy_entry *entry);

#endif
