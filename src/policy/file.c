#include "policy/file.h"

#include "base/limits.h"

/* -- policy.yaml ------------------------------------------------------------------------------ */

const char *const sensitivities[] = {"public", "internal", "confidential", "restricted", NULL};

#define AT(member) .offset = offsetof(struct domain_row, member)
static const struct bind_key domain_keys[] = {
    {.name = "name", .type = BIND_TEXT, AT(name)},
    {.name = "owner", .type = BIND_TEXT, AT(owner)},
    {.name = "default_project", .type = BIND_NAME, AT(default_project)},
    {.name = NULL}};
#undef AT
static const struct bind_kind domain_kind = {
    .what = "a domain", .keys = domain_keys, .size = sizeof(struct domain_row)};

static const struct bind_key mask_value = {
    .name = "masks", .type = BIND_TEXT, .offset = offsetof(struct mask_row, expr)};
static const struct bind_kind mask_kind = {
    .what = "a mask", .value = &mask_value, .size = sizeof(struct mask_row)};

#define AT(member) .offset = offsetof(struct row_policy_row, member)
static const struct bind_key row_policy_keys[] = {
    {.name = "role", .type = BIND_NAME, AT(role), .is_required = true},
    {.name = "predicate", .type = BIND_TEXT, AT(predicate), .is_required = true},
    {.name = NULL}};
#undef AT
static const struct bind_kind row_policy_kind = {
    .what = "a row policy", .keys = row_policy_keys, .size = sizeof(struct row_policy_row)};

static const char *const partition_strategies[] = {"max_pt", "range", NULL};
#define AT(member) .offset = offsetof(struct default_partition_rows, member)
static const struct bind_key default_partition_keys[] = {
    {.name = "field", .type = BIND_NAME, AT(field), .is_required = true},
    {.name = "strategy",
     .type = BIND_CHOICE,
     AT(strategy),
     .choices = partition_strategies,
     .fallback = -1,
     .is_required = true},
    {.name = "format", .type = BIND_NAME, AT(format)},
    {.name = "time_column", .type = BIND_NAME, AT(time_column)},
    {.name = NULL}};
#undef AT
static const struct bind_kind default_partition_kind = {.what = "a default partition",
                                                        .keys = default_partition_keys};

#define AT(member) .offset = offsetof(struct table_row, member)
static const struct bind_key table_keys[] = {
    {.name = "domain", .type = BIND_NAME, AT(domain)},
    {.name = "owner", .type = BIND_TEXT, AT(owner)},
    {.name = "sensitivity",
     .type = BIND_CHOICE,
     AT(sensitivity),
     .choices = sensitivities,
     .fallback = -1},
    {.name = "default_partition",
     .type = BIND_MAP,
     AT(default_partition),
     .of = &default_partition_kind},
    {.name = "allowed_columns", .type = BIND_TEXTS, AT(allowed_columns)},
    {.name = "denied_columns", .type = BIND_TEXTS, AT(denied_columns)},
    {.name = "masks", .type = BIND_EACH, AT(masks), .of = &mask_kind},
    {.name = "row_policies", .type = BIND_LIST, AT(row_policies), .of = &row_policy_kind},
    {.name = "max_limit", .type = BIND_INT, AT(max_limit), .max = POLICY_ROWS_MAX},
    {.name = "require_partition_filter", .type = BIND_BOOL, AT(require_partition_filter)},
    {.name = NULL}};
static const struct bind_kind table_kind = {
    .what = "a table", .keys = table_keys, .size = sizeof(struct table_row)};

#define FUNCTIONS(member)                                                                          \
    .offset = offsetof(struct security_rows, functions.member) -                                   \
              offsetof(struct security_rows, functions)
static const struct bind_key function_keys[] = {
    {.name = "allow", .type = BIND_TEXTS, FUNCTIONS(allow)},
    {.name = "deny", .type = BIND_TEXTS, FUNCTIONS(deny)},
    {.name = NULL}};
static const struct bind_kind functions_kind = {.what = "functions", .keys = function_keys};

static const char *const risk_gates[] = {"none", "medium", "high", "critical", NULL};
#define RISK(member)                                                                               \
    .offset = offsetof(struct security_rows, risk.member) - offsetof(struct security_rows, risk)
static const struct bind_key risk_keys[] = {
    {.name = "approval_at", .type = BIND_CHOICE, RISK(approval_at), .choices = risk_gates},
    {.name = "deny_at", .type = BIND_CHOICE, RISK(deny_at), .choices = risk_gates},
    {.name = NULL}};
static const struct bind_kind risk_kind = {.what = "risk", .keys = risk_keys};

static const char *const stars[] = {"deny", "expand", NULL};
#undef AT
#define AT(member) .offset = offsetof(struct security_rows, member)
/* A statement's maximum: at least one, at most what we could hold. */
#define ITEMS(key, standard)                                                                       \
    {                                                                                              \
        .name = #key, .type = BIND_INT, AT(key), .fallback = (standard), .min = 1,                 \
        .max = POLICY_SQL_ITEMS_MAX                                                                \
    }
static const struct bind_key security_keys[] = {
    {.name = "select_star", .type = BIND_CHOICE, AT(select_star), .choices = stars},
    {.name = "functions", .type = BIND_MAP, AT(functions), .of = &functions_kind},
    {.name = "table_reference_required",
     .type = BIND_BOOL,
     AT(table_reference_required),
     .fallback = true},
    {.name = "deny_unapproved_join", .type = BIND_BOOL, AT(deny_unapproved_join), .fallback = true},
    {.name = "max_sql_bytes",
     .type = BIND_BYTES,
     AT(max_sql_bytes),
     .fallback = SQL_BYTES_MAX,
     .min = 1,
     .max = POLICY_SQL_BYTES_MAX},
    {.name = "max_nesting",
     .type = BIND_INT,
     AT(max_nesting),
     .fallback = SQL_NESTING_MAX,
     .min = 1,
     .max = SQL_NESTING_MAX},
    ITEMS(max_in_list, SQL_IN_LIST_MAX),
    ITEMS(max_select_items, SQL_SELECT_ITEMS_MAX),
    ITEMS(max_ctes, SQL_CTES_MAX),
    {.name = "max_join_tables",
     .type = BIND_INT,
     AT(max_join_tables),
     .fallback = POLICY_JOIN_TABLES,
     .max = POLICY_JOIN_TABLES_MAX},
    {.name = "max_estimated_scan_bytes",
     .type = BIND_BYTES,
     AT(max_estimated_scan_bytes),
     .min = 1,
     .max = POLICY_SCAN_BYTES_MAX},
    {.name = "query_timeout_seconds",
     .type = BIND_INT,
     AT(query_timeout_seconds),
     .fallback = POLICY_TIMEOUT_S,
     .min = 1,
     .max = POLICY_TIMEOUT_S_MAX},
    {.name = "max_concurrent_queries_per_user",
     .type = BIND_INT,
     AT(max_concurrent_queries_per_user),
     .fallback = POLICY_CONCURRENCY,
     .max = POLICY_CONCURRENCY_MAX},
    {.name = "risk", .type = BIND_MAP, AT(risk), .of = &risk_kind},
    {.name = NULL}};
#undef AT
static const struct bind_kind security_kind = {.what = "security", .keys = security_keys};

#define AT(member) .offset = offsetof(struct policy_file, member)
#define LIMIT_KEYS                                                                                 \
    {.name = "default_limit",                                                                      \
     .type = BIND_INT,                                                                             \
     AT(default_limit),                                                                            \
     .fallback = POLICY_DEFAULT_LIMIT,                                                             \
     .max = POLICY_ROWS_MAX},                                                                      \
    {                                                                                              \
        .name = "max_limit", .type = BIND_INT, AT(max_limit), .fallback = POLICY_MAX_LIMIT,        \
        .max = POLICY_ROWS_MAX                                                                     \
    }
static const struct bind_key policy_keys[] = {
    {.name = "default_project", .type = BIND_NAME, AT(default_project)},
    {.name = "domains", .type = BIND_EACH, AT(domains), .of = &domain_kind},
    {.name = "tables", .type = BIND_EACH, AT(tables), .of = &table_kind},
    LIMIT_KEYS,
    {.name = "security", .type = BIND_MAP, AT(security), .of = &security_kind},
    {.name = NULL}};
static const struct bind_kind policy_kind = {.what = "policy.yaml", .keys = policy_keys};

result policy_file_read(const struct binder *binder, const struct yaml *tree,
                        struct policy_file *out) {
    TRY(bind_map(binder, &policy_kind, tree, out));
    struct table_row *row = out->tables.items;
    for (size_t i = 0; i < out->tables.n; i++, row++) row->name = row->head.id;
    return OK;
}

/* -- allowlist.yaml --------------------------------------------------------------------------- */

static const struct bind_key allowed_table_keys[] = {
    {.name = "allowed_columns",
     .type = BIND_TEXTS,
     .offset = offsetof(struct table_row, allowed_columns)},
    {.name = NULL}};
static const struct bind_kind allowed_table_kind = {
    .what = "a table", .keys = allowed_table_keys, .size = sizeof(struct table_row)};

struct project_row {
    struct bind_head head;
    struct bind_array tables;
};
static const struct bind_key project_keys[] = {{.name = "tables",
                                                .type = BIND_EACH,
                                                .offset = offsetof(struct project_row, tables),
                                                .of = &allowed_table_kind,
                                                .is_required = true},
                                               {.name = NULL}};
static const struct bind_kind project_kind = {
    .what = "a project", .keys = project_keys, .size = sizeof(struct project_row)};

struct allowlist {
    struct bind_array projects, bare_projects;
    int64_t default_limit, max_limit;
};
#undef AT
#define AT(member) .offset = offsetof(struct allowlist, member)
/* Older files have the projects at the top, without a `projects:` around them. */
static const struct bind_key allowlist_keys[] = {
    {.name = "projects", .type = BIND_EACH, AT(projects), .of = &project_kind},
    LIMIT_KEYS,
    {.name = "*", .type = BIND_EACH, AT(bare_projects), .of = &project_kind},
    {.name = NULL}};
#undef AT
static const struct bind_kind allowlist_kind = {.what = "allowlist.yaml", .keys = allowlist_keys};

static result take_projects(const struct binder *binder, const struct bind_array *projects,
                            struct table_row **rows, size_t *n, size_t *cap) {
    const struct project_row *project = projects->items;
    for (size_t p = 0; p < projects->n; p++, project++) {
        const struct table_row *table = project->tables.items;
        for (size_t t = 0; t < project->tables.n; t++, table++) {
            struct table_row *row = ARENA_PUSH(binder->arena, *rows, *n, *cap);
            if (row == NULL) return fail_memory(NULL);
            *row = *table;
            row->sensitivity = row->default_partition.strategy = -1;
            row->name = str_printf(binder->arena, STR_FMT "." STR_FMT, STR_ARG(project->head.id),
                                   STR_ARG(table->head.id));
            if (row->name.ptr == NULL) return fail_memory(NULL);
        }
    }
    return OK;
}

result policy_file_read_allowlist(const struct binder *binder, const struct yaml *tree,
                                  struct policy_file *out) {
    struct allowlist list = {0};
    TRY(bind_map(binder, &policy_kind, NULL, out)); /* the defaults */
    TRY(bind_map(binder, &allowlist_kind, tree, &list));
    struct table_row *rows = NULL;
    size_t n = 0, cap = 0;
    TRY(take_projects(binder, &list.projects, &rows, &n, &cap));
    TRY(take_projects(binder, &list.bare_projects, &rows, &n, &cap));
    out->tables = (struct bind_array){rows, n};
    out->default_limit = list.default_limit;
    out->max_limit = list.max_limit;
    return OK;
}

/* -- enterprise.yaml -------------------------------------------------------------------------- */

#define AT(member) .offset = offsetof(struct party_row, member)
#define PARTY_KEYS                                                                                 \
    {.name = "name", .type = BIND_TEXT, AT(name)},                                                 \
        {.name = "allowed_toolsets", .type = BIND_TEXTS, AT(allowed_toolsets)},                    \
        {.name = "allowed_tools", .type = BIND_TEXTS, AT(allowed_tools)},                          \
        {.name = "allowed_domains", .type = BIND_TEXTS, AT(allowed_domains)},                      \
        {.name = "rate_limit", .type = BIND_RATE, AT(rate_limit), .max = RATE_CALLS_MAX}, {        \
        .name = "query_quota_daily", .type = BIND_INT, AT(query_quota_daily), .min = 1,            \
        .max = POLICY_QUOTA_MAX                                                                    \
    }
static const struct bind_key role_keys[] = {PARTY_KEYS, {.name = NULL}};
static const struct bind_key client_keys[] = {
    PARTY_KEYS, {.name = "client_id", .type = BIND_NAME, AT(client_id)}, {.name = NULL}};
#undef AT
static const struct bind_kind role_kind = {
    .what = "a role", .keys = role_keys, .size = sizeof(struct party_row)};
static const struct bind_kind client_kind = {
    .what = "a client", .keys = client_keys, .size = sizeof(struct party_row)};

#define AT(member) .offset = offsetof(struct parties_file, member)
static const struct bind_key parties_keys[] = {
    {.name = "roles", .type = BIND_EACH, AT(roles), .of = &role_kind},
    {.name = "clients", .type = BIND_EACH, AT(clients), .of = &client_kind},
    {.name = NULL}};
#undef AT
static const struct bind_kind parties_kind = {.what = "enterprise.yaml", .keys = parties_keys};

/* identity/load.c reads the same file and complains of keys at its top: here only the two that are
 * ours are looked at, so that nothing is said twice. */
result policy_file_read_parties(const struct binder *binder, const struct yaml *tree,
                                struct parties_file *out) {
    struct yaml_pair pairs[2];
    struct yaml ours = {.type = YAML_MAP, .line = 1, .column = 1, .pairs = pairs};
    if (tree == NULL || tree->type != YAML_MAP) return OK;
    for (size_t i = 0; i < tree->n && ours.n < COUNT(pairs); i++) {
        struct str key = tree->pairs[i].key.text;
        if (str_eq(key, STR("roles")) || str_eq(key, STR("clients")))
            pairs[ours.n++] = tree->pairs[i];
    }
    return bind_map(binder, &parties_kind, &ours, out);
}
