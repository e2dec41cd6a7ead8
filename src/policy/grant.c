/* What a caller may see, for the guard: policy and principal meet the schema of a relation. */
#include "policy/inner.h"
#include "sql/types.h"

struct grant_state {
    const struct policy *policy;
    const struct principal *principal;
    struct arena *arena; /* of the grant: relations are kept for the whole call */
    struct map *seen;    /* name as asked → grant_relation */
};

/* -- one relation ----------------------------------------------------------------------------- */

/* Denied until the mask is known to mean something for the column. */
static result mask_column(const struct grant_state *state, const struct mask *mask,
                          struct grant_column *column, struct report *report) {
    TRY(mask_expr(mask, column->schema, state->arena, &column->mask, report));
    if (column->mask.len > 0) column->effect = GRANT_MASK;
    return OK;
}

static result rule_column(const struct grant_state *state, const struct policy_entry *entry,
                          struct grant_column *column, struct report *report) {
    const struct column_rule *rule = map_get(&entry->columns, column->schema->name);
    if (rule == NULL) {
        column->effect = entry->only_named ? GRANT_DENY : GRANT_ALLOW;
        return OK;
    }
    column->denied_fields = rule->denied_fields;
    column->n_denied_fields = rule->n_denied_fields;
    column->effect = GRANT_DENY;
    if (rule->is_denied || (entry->only_named && !rule->is_allowed)) return OK;
    if (rule->mask.kind != MASK_NONE) return mask_column(state, &rule->mask, column, report);
    column->effect = GRANT_ALLOW;
    return OK;
}

/* Types of masks, once all columns of the relation are ruled. */
static result type_masks(const struct grant *grant, const struct grant_state *state,
                         const struct grant_relation *relation, struct grant_column *columns,
                         struct report *report) {
    for (size_t i = 0; i < relation->schema->n_columns; i++) {
        if (columns[i].effect != GRANT_MASK) continue;
        struct sql_type *type = arena_new(state->arena, struct sql_type);
        if (type == NULL ||
            grant_mask_type(grant, relation, columns[i].mask, state->arena, type).why != FAIL_NONE)
            return fail_memory(report);
        columns[i].mask_type = type;
    }
    return OK;
}

/* The filters of the caller's roles and of everybody: all of them apply. */
static result filter_rows(const struct grant_state *state, const struct policy_entry *entry,
                          struct grant_relation *relation, struct report *report) {
    struct str *filters = arena_new_array(state->arena, entry->n_rows, struct str);
    if (filters == NULL) return fail_memory(report);
    relation->row_filters = filters;
    for (size_t i = 0; i < entry->n_rows; i++) {
        const struct row_rule *row = &entry->rows[i];
        if (!str_eq(row->role, STR("*")) && !principal_has_role(state->principal, row->role))
            continue;
        TRY(predicate_bind(&row->predicate, state->principal, state->arena,
                           &filters[relation->n_row_filters], report));
        relation->n_row_filters++;
    }
    return OK;
}

/* Everything starts as denied; what the policy grants is then put in. The policy is asked for the
 * name that the source says the relation has: that is what would be read. */
static result make_relation(const struct grant *grant, const struct schema_relation *schema,
                            struct grant_relation **out, struct report *report) {
    const struct grant_state *state = grant->with;
    struct grant_relation *relation = arena_new(state->arena, struct grant_relation);
    struct grant_column *columns =
        arena_new_array(state->arena, schema->n_columns, struct grant_column);
    if (relation == NULL || columns == NULL) return fail_memory(report);
    relation->schema = schema;
    relation->columns = columns;
    struct table_name name = {schema->project, schema->schema, schema->name};
    const struct policy_entry *entry = policy_entry_find(state->policy, state->principal, &name);
    relation->is_restricted = entry == NULL;
    for (size_t i = 0; i < schema->n_columns; i++) {
        columns[i].schema = &schema->columns[i];
        if (entry == NULL) continue;
        TRY(rule_column(state, entry, &columns[i], report));
        if (columns[i].effect != GRANT_ALLOW || columns[i].n_denied_fields > 0)
            relation->is_restricted = true;
    }
    if (entry != NULL) {
        TRY(type_masks(grant, state, relation, columns, report));
        TRY(filter_rows(state, entry, relation, report));
        relation->max_limit = entry->shown.max_limit;
        relation->require_partition_filter = entry->shown.require_partition_filter;
        relation->effect = GRANT_ALLOW; /* last: a failure before leaves it denied */
    }
    *out = relation;
    return OK;
}

/* -- find ------------------------------------------------------------------------------------- */

/* Lengths first, so that no two triples of names have one key, whatever bytes they hold. */
static struct str key_of(struct arena *arena, struct str project, struct str schema,
                         struct str name) {
    const size_t lengths[2] = {project.len, schema.len};
    const struct str parts[] = {{(const char *)lengths, sizeof lengths}, project, schema, name};
    size_t len = 0;
    for (size_t i = 0; i < COUNT(parts); i++) len += parts[i].len;
    char *key = arena_alloc(arena, len, 1);
    if (key == NULL) return STR_NONE;
    len = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].len > 0) memcpy(key + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return (struct str){key, len};
}

static result grant_find(const struct grant *grant, struct str project, struct str schema,
                         struct str name, struct arena *arena, const struct grant_relation **out,
                         struct report *report) {
    const struct grant_state *state = grant->with;
    (void)arena; /* what is found is kept as long as the grant */
    *out = NULL;
    if (schema.len == 0) schema = STR("default");
    struct str key = key_of(state->arena, project, schema, name);
    if (key.ptr == NULL) return fail_memory(report);
    struct grant_relation *relation = map_get(state->seen, key);
    if (relation == NULL) {
        const struct schema_relation *found = NULL;
        TRY(grant->source->find(grant->source, project, schema, name, state->arena, &found,
                                report));
        if (found == NULL) return OK;
        TRY(make_relation(grant, found, &relation, report));
        if (!map_put(state->seen, key, relation)) return fail_memory(report);
    }
    *out = relation;
    return OK;
}

/* -- the grant -------------------------------------------------------------------------------- */

/* The one project that all domains open to the caller name; empty when they name several. */
static struct str project_of_domains(const struct policy *policy,
                                     const struct principal *principal) {
    struct str project = STR_NONE;
    for (size_t i = 0; i < policy->n_domains; i++) {
        if (policy->domain_projects[i].len == 0) continue;
        if (!policy_may_domain(policy, principal, policy->domain_ids[i])) continue;
        if (project.len > 0 && !str_eq(project, policy->domain_projects[i])) return STR_NONE;
        project = policy->domain_projects[i];
    }
    return project;
}

static result default_project(const struct policy *policy, const struct principal *principal,
                              struct str asked, struct arena *arena, struct str *out,
                              struct report *report) {
    *out = str_lower(arena, asked);
    if (asked.len > 0) return out->ptr == NULL ? fail_memory(report) : OK;
    *out = policy->default_project.len > 0 ? policy->default_project
                                           : project_of_domains(policy, principal);
    return OK;
}

result policy_grant(const struct policy *policy, const struct principal *principal,
                    const struct schema_source *source, const struct grant_join *joins,
                    size_t n_joins, struct str project, struct arena *arena, struct grant *out,
                    struct report *report) {
    *out = (struct grant){0};
    struct grant_state *state = arena_new(arena, struct grant_state);
    struct map *seen = arena_new(arena, struct map);
    if (state == NULL || seen == NULL) return fail_memory(report);
    map_init(seen, arena);
    *state = (struct grant_state){policy, principal, arena, seen};
    struct str default_name;
    TRY(default_project(policy, principal, project, arena, &default_name, report));
    *out = (struct grant){
        .salt = policy->salt,
        .default_project = default_name,
        .find = grant_find,
        .source = source,
        .with = state,
        .joins = joins,
        .n_joins = n_joins,
        .allow_unapproved_join = policy->allow_unapproved_join,
        .max_join_tables = policy->max_join_tables,
        .default_limit = policy->default_limit,
        .max_limit = policy->max_limit,
        .allow_no_table = policy->allow_no_table,
        .star = policy->star,
        .functions_allowed = policy->functions_allowed,
        .n_functions_allowed = policy->n_functions_allowed,
        .functions_denied = policy->functions_denied,
        .n_functions_denied = policy->n_functions_denied,
        .limits = policy->limits,
        .max_scan_bytes = policy->max_scan_bytes,
        .approval_at = policy->approval_at,
        .deny_at = policy->deny_at,
    };
    return OK;
}
