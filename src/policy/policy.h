/*
 * policy/policy.h - may they
 *
 * policy.yaml (or the legacy allowlist.yaml), the roles and clients of enterprise.yaml and the
 * rules of rules.yaml, compiled to an immutable snapshot. It answers two questions: may this
 * principal make this call (a verdict), and what may it see of the data (a grant, which the guard
 * obeys). Token, roles, client and rules must each allow; zeroed memory denies; a table that no
 * policy names is not granted.
 *
 * Memory:  a policy lives in the arena it was loaded into; verdicts and grants in the call's.
 * Errors:  loading: FAIL_CONFIG with positions in `problems`. Deciding: a denial is no error.
 * Threads: immutable after load; a policy_limiter may be used by any number at once.
 */
#ifndef WEIR_POLICY_POLICY_H
#define WEIR_POLICY_POLICY_H

#include "identity/identity.h"
#include "sql/grant.h"
#include "store/store.h"
#include "text/json.h"

struct policy;

struct policy_sources {
    /* Trees as read, NULL where the file is absent; allowlist only counts without policy. */
    const struct yaml *policy, *allowlist, *enterprise, *rules;
    struct str policy_name, allowlist_name, enterprise_name, rules_name;
    struct str mask_salt;   /* secret; empty: masks that need one are refused */
    struct str policy_text; /* the bytes of all files that decide, for the version */
};

/* Settings of weir.yaml that are the policy's: section `masks`. */
struct mask_settings {
    struct str salt;
};
extern const struct option mask_options[];

MUST_USE result policy_load(const struct policy_sources *sources, struct arena *arena,
                            struct problems *problems, const struct policy **out);

/* The first 12 hex digits of the SHA-256 of what was loaded: stands in every record. */
struct str policy_version(const struct policy *policy);

/* How strict: of several that apply the strictest counts, and a denial before all. */
enum effect {
    EFFECT_DENY = 0,
    EFFECT_ALLOW,
    EFFECT_CONFIRM, /* the caller's own user has to say yes first */
    EFFECT_APPROVE, /* somebody else, who has an approver's role, has to say yes first */
};
extern const char *const policy_effect_name[]; /* "deny", "allow", "confirm", "approve" */

/* What one rule said, in the order of asking: the tree that `weir why` prints. */
enum look { LOOK_DENIES = 0, LOOK_ALLOWS, LOOK_CONFIRMS, LOOK_APPROVES, LOOK_SILENT };
extern const char *const policy_look_name[]; /* "denies", "allows", ... */
struct policy_look {
    struct str rule;
    enum look outcome;
};

/* Limits that the call counts against: windows, and beside each the rule that set it. Their keys
 * say which limit and who is counted, and are the same on every replica; no two are alike. */
struct policy_cost {
    int64_t amount;    /* in parts of 1/BUDGET_SCALE, as the window's `max` is then */
    struct str reason; /* why there is a maximum; may be empty */
};
struct policy_charges {
    const struct store_window *windows;
    const struct str *rules;
    const struct policy_cost *costs; /* of budgets; NULL: the call counts for one */
    size_t n;                        /* at most POLICY_CHARGES_MAX */
};

struct verdict {
    enum effect effect;
    const char *code; /* TOOL_NOT_ALLOWED, CONFIRMATION_REQUIRED, …; NULL when allowed */
    /* Which rule decided: "token", "role:data_analyst", "client:bot", "default",
     * "rules.yaml#tools.run_*", "rules.yaml#hide", "rules.yaml#default". */
    struct str rule;
    struct str sentence, hint; /* empty when allowed */
    struct str version;        /* of the policy */
    const struct policy_look *looks;
    size_t n_looks; /* at most POLICY_LOOKS_MAX: what decided is among them */
    /* When not denied: rates, for policy_limiter_admit(), and budgets, for meter_spend(). */
    struct policy_charges charges, budgets;
};

/* One call, as it stands before the policy. */
struct policy_question {
    struct str tool;
    const struct json *arguments; /* NULL or an object: the same that the tool will get */
    struct str session_id;        /* empty: limits by session are the user's then */
};

/* May the call be made? Token, roles and client must each allow the tool, and so must all rules of
 * rules.yaml that name it: their order decides nothing. Of the roles those with a list speak, and
 * one of them must allow. Texts are in `arena` or the policy's; without memory the call is denied
 * (OUT_OF_MEMORY). `out` holds no place in a queue and nothing counted: the same question asked
 * again has the same answer. */
void policy_judge(const struct policy *policy, const struct principal *principal,
                  const struct policy_question *question, struct arena *arena, struct verdict *out);

/* Could any call of the tool be made? For tools/list. ALLOW or DENY: what would ask somebody first
 * is allowed here, and conditions on arguments are not looked at. No looks, no charges. */
void policy_decide(const struct policy *policy, const struct principal *principal, struct str tool,
                   struct arena *arena, struct verdict *out);

/* Is the tool hidden by rules.yaml? Then it does not exist: it is in no list, and a call of it is
 * answered like one of a tool that never was. */
bool policy_hides(const struct policy *policy, struct str tool);

/* Is the toolset on for the principal, by token, roles and client? What is off does not exist. */
bool policy_may_toolset(const struct policy *policy, const struct principal *principal,
                        struct str toolset);

/* What the policy says of a table beside the grant, for people. All texts may be empty. */
struct policy_table {
    struct str project, schema, name; /* lower case */
    struct str domain, domain_name, owner, sensitivity;
    struct str default_partition_field;
    enum { PARTITION_NONE = 0, PARTITION_MAX_PT, PARTITION_RANGE } default_partition_strategy;
    struct str default_partition_format, default_partition_time_column;
    bool require_partition_filter;
    int64_t max_limit; /* 0: the global one */
};

/* The tables that the principal may see by token, roles, client and domain, in order of name. Those
 * with `max_limit: 0` or `allowed_columns: []` are seen by nobody, and the grant denies them. */
MUST_USE result policy_tables(const struct policy *policy, const struct principal *principal,
                              struct arena *arena, const struct policy_table *const **out,
                              size_t *n, struct report *report);
/* One of them, or NULL: unknown and ungranted are the same. */
const struct policy_table *policy_table_find(const struct policy *policy,
                                             const struct principal *principal, struct str project,
                                             struct str schema, struct str name);
/* Is the project allowed by the token? For PROJECT_NOT_ALLOWED. */
bool policy_may_project(const struct policy *policy, const struct principal *principal,
                        struct str project);

/* Fills a grant whose find() binds policy to the schemas of `source`. Rows: several policies that
 * apply are AND-ed; `${user.x}` is bound as quoted literals, and a missing or empty one makes the
 * predicate FALSE. `project` is the caller's default (empty: the policy's, or the domain's). All
 * arguments must outlive the grant. */
MUST_USE result policy_grant(const struct policy *policy, const struct principal *principal,
                             const struct schema_source *source, const struct grant_join *joins,
                             size_t n_joins, struct str project, struct arena *arena,
                             struct grant *out, struct report *report);

/* Limits that are not the guard's. */
struct policy_limits {
    int64_t query_timeout_s;
    int64_t max_concurrent_queries_per_user;
    int64_t default_limit, max_limit;
    int64_t max_scan_bytes; /* of one statement; 0: not limited */
};
void policy_limits(const struct policy *policy, struct policy_limits *out);

/* The roles that are defined, in order of the file. */
void policy_each_role(const struct policy *policy, void (*see)(struct str role, void *with),
                      void *with);

/* The names of tools in rules.yaml, of rules and of what is hidden, for warnings: a deny of a name
 * that no tool has denies nothing. `at` is where it stands. */
void policy_each_rule_name(const struct policy *policy,
                           void (*see)(struct str name, const struct yaml *at, void *with),
                           void *with);

/* Names in the policy that no backend has, for warnings: calls see() for each table. */
void policy_each_table(const struct policy *policy,
                       void (*see)(const struct policy_table *table, void *with), void *with);

/* Columns that the policy's lists and masks name and the relation does not have, for warnings: a
 * slip in denied_columns denies nothing. Calls see() for each, in order of the file. */
void policy_each_stray_column(const struct policy *policy, const struct schema_relation *relation,
                              void (*see)(struct str column, void *with), void *with);

/* -- how often: counted in this process ------------------------------------------------------- */

struct policy_limiter; /* lives as long as the process, through reloads */

struct policy_limiter *policy_limiter_new(void);
void policy_limiter_free(struct policy_limiter *limiter);

/* Charges all limits of the call in one step, or where one is full, none of them: at most `max`
 * admitted calls in any window (a sliding log). A role's limit is each user's own, a client's is
 * shared by all that come through it. `now_ms` is of a clock that does not jump (clock_mono_ns); an
 * earlier time than the last one counts as the last one. Without memory, or room in RATE_KEYS_MAX
 * and RATE_TIMES_MAX, nothing is admitted. No system call, no lock that sleeps. */
void policy_limiter_admit(struct policy_limiter *limiter, const struct policy_charges *charges,
                          int64_t now_ms, struct store_admission *out);

/* The daily quotas of the user's roles (each user's own) and of the client (shared by all that come
 * through it), as windows of a day; `max` queries each. false: no memory, or too many. */
bool policy_quotas(const struct policy *policy, const struct principal *principal,
                   struct arena *arena, struct policy_charges *out);

/* RATE_LIMIT_EXCEEDED in words, put into a verdict that allowed. */
void policy_refuse_rate(struct verdict *verdict, const struct store_admission *admission,
                        struct arena *arena);

/* Takes one of the user's places for running queries; false: none is free
 * (CONCURRENCY_LIMIT_EXCEEDED). Each success is given back with _leave(). */
bool policy_limiter_enter_query(struct policy_limiter *limiter, struct str user_id, int64_t max);
void policy_limiter_leave_query(struct policy_limiter *limiter, struct str user_id);

#endif
