/* May they: toolsets, projects, domains, tables. */
#include "policy/inner.h"

/* -- who allows ------------------------------------------------------------------------------- */

bool policy_is_admin(const struct principal *principal) {
    return principal_has_role(principal, ROLE_ADMIN);
}

const struct policy_party *policy_client(const struct policy *policy, struct str client_id) {
    if (client_id.len == 0) return NULL;
    const struct policy_party *client = map_get(&policy->clients, client_id);
    return client != NULL ? client : map_get(&policy->clients, STR("*"));
}

static const struct name_set *set_of(const struct policy_party *party, enum ask ask) {
    switch (ask) {
    case ASK_TOOLSET: return &party->toolsets;
    case ASK_TOOL: return &party->tools;
    case ASK_DOMAIN: return &party->domains;
    }
    static const struct name_set nothing = {.is_set = true};
    return &nothing;
}

struct roles_say policy_roles_say(const struct policy *policy, const struct principal *principal,
                                  enum ask ask, struct str name) {
    struct roles_say say = {.is_allowed = true};
    for (size_t i = 0; i < principal->n_roles; i++) {
        const struct policy_party *role = map_get(&policy->roles, principal->roles[i]);
        if (role == NULL || !set_of(role, ask)->is_set) continue;
        if (name_set_has(set_of(role, ask), name)) return (struct roles_say){true, role};
        if (say.by == NULL) say = (struct roles_say){false, role};
    }
    return say;
}

bool policy_is_somebody(const struct principal *principal) {
    return principal->user_id.len > 0;
}

/* -- toolsets ------------------------------------------------------------------------------------
 */

bool policy_may_toolset(const struct policy *policy, const struct principal *principal,
                        struct str toolset) {
    if (!policy_is_somebody(principal)) return false;
    if (!policy_is_admin(principal) && !name_set_has(&principal->allowed_toolsets, toolset))
        return false;
    if (!policy_roles_say(policy, principal, ASK_TOOLSET, toolset).is_allowed) return false;
    const struct policy_party *client = policy_client(policy, principal->client_id);
    return client == NULL || name_set_has(&client->toolsets, toolset);
}

/* -- tables ----------------------------------------------------------------------------------- */

enum { PROJECT_BYTES_MAX = 256 };

/* Lists of projects are lower case since their load, and so are names in the policy; a caller may
 * write as he likes. */
bool policy_may_project(const struct policy *policy, const struct principal *principal,
                        struct str project) {
    (void)policy;
    char lower[PROJECT_BYTES_MAX];
    if (!policy_is_somebody(principal) || project.len > sizeof lower) return false;
    if (policy_is_admin(principal)) return true;
    for (size_t i = 0; i < project.len; i++) {
        char c = project.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return name_set_has(&principal->allowed_projects, (struct str){lower, project.len});
}

bool policy_may_domain(const struct policy *policy, const struct principal *principal,
                       struct str domain) {
    if (!policy_is_somebody(principal)) return false;
    if (!policy_roles_say(policy, principal, ASK_DOMAIN, domain).is_allowed) return false;
    const struct policy_party *client = policy_client(policy, principal->client_id);
    return client == NULL || name_set_has(&client->domains, domain);
}

/* A table without a domain is in none that a list could name, except by `*`. */
static bool may_see(const struct policy *policy, const struct principal *principal,
                    const struct policy_entry *entry) {
    return !entry->is_closed && policy_may_project(policy, principal, entry->name.project) &&
           policy_may_domain(policy, principal, entry->shown.domain);
}

static const struct policy_entry *find_entry(const struct policy *policy,
                                             const struct table_name *name) {
    size_t from = 0, to = policy->n_entries;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct policy_entry *entry = &policy->entries[middle];
        int by = table_name_cmp(&entry->name, name);
        if (by == 0) return entry;
        if (by < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

const struct policy_entry *policy_entry_find(const struct policy *policy,
                                             const struct principal *principal,
                                             const struct table_name *name) {
    const struct policy_entry *entry = find_entry(policy, name);
    return entry != NULL && may_see(policy, principal, entry) ? entry : NULL;
}

const struct policy_table *policy_table_find(const struct policy *policy,
                                             const struct principal *principal, struct str project,
                                             struct str schema, struct str name) {
    struct table_name full = {project, schema.len > 0 ? schema : STR("default"), name};
    const struct policy_entry *entry = policy_entry_find(policy, principal, &full);
    return entry == NULL ? NULL : &entry->shown;
}

result policy_tables(const struct policy *policy, const struct principal *principal,
                     struct arena *arena, const struct policy_table *const **out, size_t *n,
                     struct report *report) {
    *out = NULL;
    *n = 0;
    const struct policy_table **seen =
        arena_new_array(arena, policy->n_entries, const struct policy_table *);
    if (seen == NULL) return fail_memory(report);
    for (size_t i = 0; i < policy->n_entries; i++)
        if (may_see(policy, principal, &policy->entries[i]))
            seen[(*n)++] = &policy->entries[i].shown;
    *out = seen;
    return OK;
}

/* -- small answers ---------------------------------------------------------------------------- */

struct str policy_version(const struct policy *policy) {
    return str_of(policy->version);
}

void policy_limits(const struct policy *policy, struct policy_limits *out) {
    *out = (struct policy_limits){.query_timeout_s = policy->timeout_s,
                                  .max_concurrent_queries_per_user = policy->concurrency,
                                  .default_limit = policy->default_limit,
                                  .max_limit = policy->max_limit,
                                  .max_scan_bytes = policy->max_scan_bytes};
}

void policy_each_table(const struct policy *policy,
                       void (*see)(const struct policy_table *table, void *with), void *with) {
    for (size_t i = 0; i < policy->n_entries; i++) see(&policy->entries[i].shown, with);
}

void policy_each_role(const struct policy *policy, void (*see)(struct str role, void *with),
                      void *with) {
    struct str role;
    for (size_t i = 0; map_each(&policy->roles, &i, &role, NULL);) see(role, with);
}

static bool has_column(const struct schema_relation *relation, struct str column) {
    for (size_t i = 0; i < relation->n_columns; i++)
        if (str_ieq(relation->columns[i].name, column)) return true;
    return false;
}

void policy_each_stray_column(const struct policy *policy, const struct schema_relation *relation,
                              void (*see)(struct str column, void *with), void *with) {
    struct table_name name = {relation->project, relation->schema, relation->name};
    const struct policy_entry *entry = find_entry(policy, &name);
    struct str column;
    for (size_t i = 0; entry != NULL && map_each(&entry->columns, &i, &column, NULL);)
        if (!has_column(relation, column)) see(column, with);
}
