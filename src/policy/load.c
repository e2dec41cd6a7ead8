/* The rows of the files become a policy. */
#include "base/limits.h"
#include "base/rand.h"
#include "identity/digest.h"
#include "policy/file.h"
#include "policy/inner.h"
#include "sql/functions.h"

struct loader {
    struct binder binder;
    const struct policy_sources *sources;
    struct arena *arena;
    struct policy *policy;
    struct policy_file file;
};

/* "BEFORE 'what' AFTER" */
static void complain(struct loader *l, enum severity severity, const struct yaml *node,
                     const char *before, struct str what, const char *after) {
    problem_add(l->binder.problems, severity, l->binder.file, node, "%s'" STR_FMT "'%s", before,
                STR_ARG(what), after);
}

/* -- domains ---------------------------------------------------------------------------------- */

static result load_domains(struct loader *l) {
    const struct domain_row *row = l->file.domains.items;
    size_t n = l->file.domains.n;
    struct str *ids = arena_new_array(l->arena, n, struct str);
    struct str *projects = arena_new_array(l->arena, n, struct str);
    if (ids == NULL || projects == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < n; i++, row++) {
        ids[i] = row->head.id;
        projects[i] = str_lower(l->arena, row->default_project);
        if (projects[i].ptr == NULL && row->default_project.len > 0) return fail_memory(NULL);
    }
    l->policy->domain_ids = ids;
    l->policy->domain_projects = projects;
    l->policy->n_domains = n;
    return OK;
}

static const struct domain_row *domain_of(struct loader *l, struct str id) {
    const struct domain_row *row = l->file.domains.items;
    for (size_t i = 0; i < l->file.domains.n; i++)
        if (str_eq(row[i].head.id, id)) return &row[i];
    return NULL;
}

static void hint_domain(struct loader *l, struct str id) {
    struct str near = bind_nearest(id, l->policy->domain_ids, l->policy->n_domains);
    if (near.ptr != NULL)
        problem_hint(l->binder.problems, "did you mean '" STR_FMT "'?", STR_ARG(near));
}

/* -- tables ----------------------------------------------------------------------------------- */

/* `project.table`, or a bare name in the domain's or the policy's default project. */
static result name_entry(struct loader *l, const struct table_row *row,
                         const struct domain_row *domain, struct policy_entry *entry) {
    struct str project = l->file.default_project;
    if (domain != NULL && domain->default_project.len > 0) project = domain->default_project;
    TRY(table_name_read(row->name, project, l->arena, &entry->name));
    if (entry->name.name.len > 0) return OK;
    complain(l, SEVERITY_ERROR, row->head.key, "", row->name, " is no name of a table");
    problem_hint(l->binder.problems, "write PROJECT.TABLE or PROJECT.SCHEMA.TABLE");
    return OK;
}

static result load_entry(struct loader *l, const struct table_row *row,
                         struct policy_entry *entry) {
    const struct domain_row *domain = row->domain.len > 0 ? domain_of(l, row->domain) : NULL;
    if (row->domain.len > 0 && domain == NULL) {
        complain(l, SEVERITY_ERROR, yaml_get(row->head.node, STR("domain")), "undefined domain ",
                 row->domain, "");
        hint_domain(l, row->domain);
    }
    TRY(name_entry(l, row, domain, entry));
    TRY(policy_entry_compile(&l->binder, row, l->policy->salt.len > 0, entry));
    if (domain != NULL) entry->shown.domain_name = domain->name;
    return OK;
}

static int by_name(const void *a, const void *b) {
    return table_name_cmp(&((const struct policy_entry *)a)->name,
                          &((const struct policy_entry *)b)->name);
}

/* Names that are one table (case, `default` left out) would be two answers to one question. */
static result check_twins(struct loader *l, const struct policy_entry *entries,
                          const struct table_row *rows, size_t n) {
    struct map seen;
    map_init(&seen, l->arena);
    for (size_t i = 0; i < n; i++) {
        if (entries[i].name.name.len == 0) continue;
        const struct table_name *name = &entries[i].name;
        struct str key =
            str_printf(l->arena, STR_FMT "." STR_FMT "." STR_FMT, STR_ARG(name->project),
                       STR_ARG(name->schema), STR_ARG(name->name));
        if (key.ptr == NULL) return fail_memory(NULL);
        if (map_get(&seen, key) != NULL)
            complain(l, SEVERITY_ERROR, rows[i].head.key, "the table ", rows[i].name,
                     " stands here a second time");
        else if (!map_put(&seen, key, l))
            return fail_memory(NULL);
    }
    return OK;
}

static result load_entries(struct loader *l) {
    const struct table_row *rows = l->file.tables.items;
    size_t n = l->file.tables.n;
    struct policy_entry *entries = arena_new_array(l->arena, n, struct policy_entry);
    if (entries == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < n; i++) TRY(load_entry(l, &rows[i], &entries[i]));
    TRY(check_twins(l, entries, rows, n));
    if (n > 1) qsort(entries, n, sizeof *entries, by_name);
    l->policy->entries = entries;
    l->policy->n_entries = n;
    return OK;
}

/* -- security and limits ---------------------------------------------------------------------- */

static result lower_all(struct loader *l, const struct bind_texts *texts, const struct str **out,
                        size_t *n) {
    struct str *items = arena_new_array(l->arena, texts->n, struct str);
    if (items == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < texts->n; i++) {
        items[i] = str_lower(l->arena, texts->items[i]);
        if (items[i].ptr == NULL) return fail_memory(NULL);
    }
    *out = items;
    *n = texts->n;
    return OK;
}

static result load_functions(struct loader *l) {
    struct policy *p = l->policy;
    const struct security_rows *rows = &l->file.security;
    TRY(lower_all(l, &rows->functions.allow, &p->functions_allowed, &p->n_functions_allowed));
    TRY(lower_all(l, &rows->functions.deny, &p->functions_denied, &p->n_functions_denied));
    const struct yaml *functions =
        yaml_get(yaml_get(l->sources->policy, STR("security")), STR("functions"));
    const struct yaml *deny = yaml_get(functions, STR("deny"));
    for (size_t i = 0; i < p->n_functions_denied; i++) {
        if (sql_function_find(p->functions_denied[i]) != NULL) continue;
        complain(l, SEVERITY_WARNING, deny != NULL && i < deny->n ? &deny->items[i] : deny,
                 "the denied function ", p->functions_denied[i], " is no built-in");
        const struct sql_function *near = sql_function_nearest(p->functions_denied[i]);
        if (near != NULL) problem_hint(l->binder.problems, "did you mean '%s'?", near->name);
    }
    return OK;
}

static result load_security(struct loader *l) {
    struct policy *p = l->policy;
    const struct security_rows *rows = &l->file.security;
    p->star = rows->select_star == 1 ? GRANT_STAR_EXPAND : GRANT_STAR_DENY;
    p->allow_no_table = !rows->table_reference_required;
    p->allow_unapproved_join = !rows->deny_unapproved_join;
    p->max_join_tables = rows->max_join_tables;
    p->max_scan_bytes = rows->max_estimated_scan_bytes;
    p->timeout_s = rows->query_timeout_seconds;
    p->concurrency = rows->max_concurrent_queries_per_user;
    p->approval_at = (enum risk_gate)rows->risk.approval_at;
    p->deny_at = (enum risk_gate)rows->risk.deny_at;
    p->limits = (struct sql_limits){.bytes = (size_t)rows->max_sql_bytes,
                                    .nesting = (size_t)rows->max_nesting,
                                    .in_list = (size_t)rows->max_in_list,
                                    .select_items = (size_t)rows->max_select_items,
                                    .ctes = (size_t)rows->max_ctes};
    p->max_limit = l->file.max_limit;
    p->default_limit = l->file.default_limit < p->max_limit ? l->file.default_limit : p->max_limit;
    p->default_project = str_lower(l->arena, l->file.default_project);
    if (p->default_project.ptr == NULL && l->file.default_project.len > 0) return fail_memory(NULL);
    return load_functions(l);
}

/* -- roles and clients ------------------------------------------------------------------------ */

static void check_domains(struct loader *l, const struct party_row *row) {
    const struct yaml *list = yaml_get(row->head.node, STR("allowed_domains"));
    for (size_t i = 0; i < row->allowed_domains.n; i++) {
        struct str id = row->allowed_domains.items[i];
        if (str_find_byte(id, '*') < id.len || str_find_byte(id, '?') < id.len) continue;
        if (l->policy->n_domains == 0 || domain_of(l, id) != NULL) continue;
        complain(l, SEVERITY_WARNING, list != NULL && i < list->n ? &list->items[i] : list,
                 "undefined domain ", id, "");
        hint_domain(l, id);
    }
}

static result add_party(struct loader *l, const struct party_row *row, const char *kind,
                        struct map *into) {
    struct policy_party *party = arena_new(l->arena, struct policy_party);
    if (party == NULL) return fail_memory(NULL);
    struct str id = row->client_id.len > 0 ? row->client_id : row->head.id;
    const struct bind_texts *toolsets = &row->allowed_toolsets, *tools = &row->allowed_tools,
                            *domains = &row->allowed_domains;
    *party = (struct policy_party){
        .id = id,
        .rule = str_printf(l->arena, "%s:" STR_FMT, kind, STR_ARG(id)),
        .toolsets = {toolsets->items, toolsets->n, toolsets->is_set},
        .tools = {tools->items, tools->n, tools->is_set},
        .domains = {domains->items, domains->n, domains->is_set},
        .rate_n = row->rate_limit.n,
        .rate_window_s = row->rate_limit.window_s,
        .quota_daily = row->query_quota_daily,
    };
    if (party->rule.ptr == NULL) return fail_memory(NULL);
    check_domains(l, row);
    if (map_get(into, id) != NULL) {
        complain(l, SEVERITY_ERROR, row->head.key, "the client ", id, " is defined twice");
        return OK;
    }
    return map_put(into, id, party) ? OK : fail_memory(NULL);
}

static result load_parties(struct loader *l) {
    struct parties_file file = {0};
    l->binder.file = l->sources->enterprise_name;
    TRY(policy_file_read_parties(&l->binder, l->sources->enterprise, &file));
    const struct party_row *row = file.roles.items;
    for (size_t i = 0; i < file.roles.n; i++) TRY(add_party(l, &row[i], "role", &l->policy->roles));
    row = file.clients.items;
    for (size_t i = 0; i < file.clients.n; i++)
        TRY(add_party(l, &row[i], "client", &l->policy->clients));
    return OK;
}

/* A row policy for a role that nobody has filters nothing. Without an enterprise.yaml roles are
 * told by tokens alone, and then there is nothing to compare with. */
static void check_row_roles(struct loader *l) {
    const struct table_row *table = l->file.tables.items;
    if (l->sources->enterprise == NULL) return;
    for (size_t t = 0; t < l->file.tables.n; t++) {
        const struct row_policy_row *row = table[t].row_policies.items;
        for (size_t i = 0; i < table[t].row_policies.n; i++) {
            if (row[i].role.len == 0 || str_eq(row[i].role, STR("*")) ||
                str_eq(row[i].role, ROLE_ADMIN) || map_get(&l->policy->roles, row[i].role) != NULL)
                continue;
            complain(l, SEVERITY_WARNING, yaml_get(row[i].head.node, STR("role")), "the role ",
                     row[i].role, " is defined nowhere");
        }
    }
}

/* -- the whole -------------------------------------------------------------------------------- */

static result load_version(struct loader *l) {
    if (!digest_sha256(l->sources->policy_text, l->policy->text_digest)) return fail_memory(NULL);
    hex_encode(l->policy->version, l->policy->text_digest, 6);
    return OK;
}

/* Statements hold what is made of the salt, so that nothing in it needs quoting, and whoever reads
 * a statement does not learn what other uses the secret has. */
static result load_salt(struct loader *l) {
    struct str salt = l->sources->mask_salt;
    uint8_t digest[DIGEST_SIZE];
    if (salt.len == 0) return OK;
    struct str seed = str_printf(l->arena, "weir mask salt 1:" STR_FMT, STR_ARG(salt));
    char *digits = arena_alloc(l->arena, 2 * DIGEST_SIZE + 1, 1);
    if (seed.ptr == NULL || digits == NULL || !digest_sha256(seed, digest))
        return fail_memory(NULL);
    hex_encode(digits, digest, DIGEST_SIZE);
    l->policy->salt = (struct str){digits, 2 * DIGEST_SIZE};
    if (salt.len < MASK_SALT_BYTES_MIN)
        problem_add(l->binder.problems, SEVERITY_ERROR, STR("masks.salt"), NULL,
                    "the salt of masks is shorter than %d bytes", MASK_SALT_BYTES_MIN);
    return OK;
}

static result load_file(struct loader *l) {
    const struct policy_sources *s = l->sources;
    l->binder.file = s->policy != NULL ? s->policy_name : s->allowlist_name;
    if (s->policy != NULL) return policy_file_read(&l->binder, s->policy, &l->file);
    if (s->allowlist != NULL) return policy_file_read_allowlist(&l->binder, s->allowlist, &l->file);
    problem_add(l->binder.problems, SEVERITY_ERROR, s->policy_name, NULL,
                "neither policy.yaml nor allowlist.yaml is there: nothing could be read");
    return OK;
}

static result load_rules(struct loader *l) {
    struct binder binder = l->binder;
    binder.file = l->sources->rules_name;
    return policy_rules_load(&binder, l->sources->rules, &l->policy->rules);
}

static result load(struct loader *l) {
    TRY(load_version(l));
    TRY(load_salt(l));
    TRY(load_file(l));
    TRY(load_domains(l));
    TRY(load_entries(l));
    TRY(load_security(l));
    if (l->sources->enterprise != NULL) {
        struct str file = l->binder.file;
        TRY(load_parties(l));
        l->binder.file = file;
    }
    check_row_roles(l);
    return load_rules(l);
}

result policy_load(const struct policy_sources *sources, struct arena *arena,
                   struct problems *problems, const struct policy **out) {
    *out = NULL;
    size_t n_errors = problems->n_errors;
    struct policy *policy = arena_new(arena, struct policy);
    if (policy == NULL) return fail_memory(NULL);
    map_init(&policy->roles, arena);
    map_init(&policy->clients, arena);
    struct loader l = {.binder = {arena, problems, STR_NONE},
                       .sources = sources,
                       .arena = arena,
                       .policy = policy};
    TRY(load(&l));
    if (problems->is_full) return fail_memory(NULL);
    if (problems->n_errors > n_errors) return (result){FAIL_CONFIG};
    *out = policy;
    return OK;
}
