#include "tools/table.h"

#include "sql/narrow.h"
#include "tools/query.h"

struct str table_name(struct arena *arena, const struct policy_table *t) {
    if (str_eq(t->schema, STR("default")) || t->schema.len == 0)
        return str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(t->project), STR_ARG(t->name));
    return str_printf(arena, STR_FMT "." STR_FMT "." STR_FMT, STR_ARG(t->project),
                      STR_ARG(t->schema), STR_ARG(t->name));
}

bool table_split(struct str text, struct str project, struct table_ref *out) {
    struct str parts[3];
    size_t n = 0;
    for (struct str rest = text; rest.ptr != NULL;) {
        struct str part = str_trim(str_cut(&rest, '.'));
        if (part.len > 1 && part.ptr[0] == '`' && part.ptr[part.len - 1] == '`')
            part = str_slice(part, 1, part.len - 1);
        if (part.len == 0 || n == 3) return false;
        parts[n++] = part;
    }
    if (n == 0) return false;
    out->name = parts[n - 1];
    out->project = n == 1 ? project : parts[0];
    out->schema = n == 3 ? parts[1] : STR("default");
    return true;
}

/* The granted name nearest to what was asked, for the hint. */
static struct str nearest_table(struct call *call, struct str asked) {
    const struct policy_table *const *tables;
    size_t n;
    struct report unused = {0};
    struct str nearest = STR_NONE;
    unsigned best = (unsigned)(asked.len / 2 + 1);
    if (policy_tables(call->snapshot->policy, &call->principal, &call->arena, &tables, &n, &unused)
            .why != FAIL_NONE)
        return STR_NONE;
    for (size_t i = 0; i < n; i++) {
        struct str full = table_name(&call->arena, tables[i]);
        unsigned a = str_distance(full, asked, best),
                 b = str_distance(tables[i]->name, asked, best);
        unsigned d = a < b ? a : b;
        if (d >= best) continue;
        best = d;
        nearest = full;
    }
    return nearest;
}

static result refuse_table(struct call *call, struct str asked) {
    result r = fail(&call->report, FAIL_DENIED, "TABLE_NOT_ALLOWED", REPORT_NO_OFFSET,
                    "table '" STR_FMT "' does not exist or is not granted to this caller",
                    STR_ARG(utf8_clip(asked, 128)));
    struct str nearest = nearest_table(call, asked);
    if (nearest.len > 0)
        fail_hint(&call->report, "Did you mean '" STR_FMT "'? list_allowed_tables tells them all",
                  STR_ARG(nearest));
    else
        fail_hint(&call->report, "Call list_allowed_tables for the names that you may use");
    return r;
}

result table_find(struct call *call, struct str text, struct str project,
                  const struct schema_source *source, const struct grant_relation **relation,
                  const struct policy_table **table) {
    struct grant *grant = arena_new(&call->arena, struct grant);
    if (grant == NULL) return fail_memory(&call->report);
    TRY(query_grant(call, project, source, grant));
    struct table_ref ref;
    if (!table_split(text, grant->default_project, &ref)) return refuse_table(call, text);
    TRY(grant->find(grant, ref.project, ref.schema, ref.name, &call->arena, relation,
                    &call->report));
    if (*relation == NULL || (*relation)->effect != GRANT_ALLOW) return refuse_table(call, text);
    *relation = grant_narrow(*relation, &call->arena);
    if (*relation == NULL) return fail_memory(&call->report);
    const struct schema_relation *s = (*relation)->schema;
    *table =
        policy_table_find(call->snapshot->policy, &call->principal, s->project, s->schema, s->name);
    return *table == NULL ? refuse_table(call, text) : OK;
}
