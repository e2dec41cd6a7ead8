/* sql/resolve_from.c - tables, derived tables, VALUES, joins; see resolve_inner.h */
#include "sql/resolve_from.h"
#include "base/limits.h"

/* -- relations -------------------------------------------------------------------------------- */

result find_relation(struct resolver *r, const struct str *parts, size_t n,
                     const struct grant_relation **out) {
    const struct grant *grant = r->grant;
    struct str project = grant->default_project;
    *out = NULL;
    if (n == 3) return grant->find(grant, parts[0], parts[1], parts[2], r->arena, out, r->report);
    if (n == 2) {
        TRY(grant->find(grant, parts[0], STR("default"), parts[1], r->arena, out, r->report));
        if (*out != NULL || project.len == 0) return OK;
        return grant->find(grant, project, parts[0], parts[1], r->arena, out, r->report);
    }
    if (project.len == 0) return OK;
    return grant->find(grant, project, STR("default"), parts[0], r->arena, out, r->report);
}

result sql_refuse_table(const struct sql_names *as_written, struct report *report) {
    char name[256];
    size_t n = 0;
    for (size_t i = 0; i < as_written->n; i++) {
        struct str part = utf8_clip(as_written->at[i].text, 80);
        if (i > 0) name[n++] = '.';
        memcpy(&name[n], part.ptr, part.len); /* at most 3 parts of 80 and two dots */
        n += part.len;
        if (n > sizeof name - 82) break;
    }
    result failed = fail(report, FAIL_DENIED, "TABLE_NOT_ALLOWED", as_written->at[0].span.from,
                         "table '%.*s' does not exist or is not granted", (int)n, name);
    fail_hint(report, "List the tables that you may read, and use their names as listed.");
    return failed;
}

static bool is_left_out(const struct resolver *r, const struct grant_relation *relation, size_t i) {
    if (r->grant->star != GRANT_STAR_EXPAND || relation->effect != GRANT_ALLOW) return false;
    if (relation->columns == NULL) return true;
    return relation->columns[i].effect == GRANT_DENY || relation->columns[i].n_denied_fields > 0;
}

result source_new(struct resolver *r, const struct sql_source *source, struct resolved_query *block,
                  struct resolved_source **out) {
    struct resolved_source *made = arena_new(r->arena, struct resolved_source);
    struct resolved_source **place =
        ARENA_PUSH(r->arena, r->out->sources, r->out->n_sources, r->cap_sources);
    if (made == NULL || place == NULL) return fail_memory(r->report);
    made->source = source;
    made->number = (uint32_t)(r->out->n_sources - 1);
    made->block = block;
    made->alias = source->alias.text;
    made->is_aliased = sql_name_given(&source->alias);
    made->n_leaves = 1;
    *place = made;
    node_of(r, source->id)->source = made;
    *out = made;
    return OK;
}

result source_columns(struct resolver *r, struct resolved_source *source, size_t n) {
    if (n > SQL_VISIBLE_COLUMNS_MAX)
        return fail(r->report, FAIL_LIMIT, "SQL_TOO_LARGE", source->source->span.from,
                    "a source of more than %d columns", SQL_VISIBLE_COLUMNS_MAX);
    source->columns = arena_new_array(r->arena, n, struct resolved_column);
    if (source->columns == NULL) return fail_memory(r->report);
    source->n_columns = n;
    for (size_t i = 0; i < n; i++) source->columns[i].source = source;
    return OK;
}

/* Whoever asks sees a masked column as its mask, and so of the type that the mask has. */
static struct sql_type type_of_column(const struct resolver *r,
                                      const struct grant_relation *relation, size_t i) {
    const struct sql_type *type = relation->schema->columns[i].type;
    bool is_masked = relation->columns != NULL && relation->columns[i].effect == GRANT_MASK;
    if (is_masked && !r->is_of_policy) type = relation->columns[i].mask_type;
    return type != NULL ? *type : SQL_TYPE(UNKNOWN);
}

result source_of_relation(struct resolver *r, const struct grant_relation *relation,
                          struct resolved_source *out) {
    const struct schema_relation *schema = relation->schema;
    out->relation = relation;
    TRY(source_columns(r, out, schema->n_columns));
    for (size_t i = 0; i < schema->n_columns; i++) {
        struct resolved_column *column = &out->columns[i];
        column->kind = COLUMN_BASE;
        column->index = (uint32_t)i;
        column->name = schema->columns[i].name;
        column->type = type_of_column(r, relation, i);
        column->hidden = is_left_out(r, relation, i);
    }
    return OK;
}

/* alias(c, d): new names for the columns that are shown. */
static result rename_columns(struct resolver *r, struct resolved_column *columns, size_t n,
                             const struct sql_names *names) {
    size_t taken = 0, shown = 0;
    if (names->n == 0) return OK;
    for (size_t i = 0; i < n; i++) shown += !columns[i].hidden;
    if (shown != names->n)
        return name_error(r, names->at[0].span, "%zu names for %zu columns", names->n, shown);
    for (size_t i = 0; i < n; i++)
        if (!columns[i].hidden) columns[i].name = names->at[taken++].text;
    return OK;
}

result source_of_query(struct resolver *r, struct resolved_query *query,
                       const struct sql_names *names, struct resolved_source *out) {
    TRY(source_columns(r, out, query->n_outputs));
    out->query = query;
    for (size_t i = 0; i < query->n_outputs; i++) {
        struct resolved_column *column = &out->columns[i];
        column->kind = COLUMN_OUTPUT;
        column->index = (uint32_t)i;
        column->name = query->outputs[i].name;
        column->type = query->outputs[i].type;
        column->hidden = query->outputs[i].hidden;
    }
    return rename_columns(r, out->columns, out->n_columns, names);
}

/* -- tables ----------------------------------------------------------------------------------- */

static struct resolved_cte *find_cte(const struct cte_scope *scope, struct str name) {
    for (; scope != NULL; scope = scope->outer)
        for (size_t i = 0; i < scope->n; i++)
            if (str_ieq(scope->ctes[i].cte->name.text, name)) return &scope->ctes[i];
    return NULL;
}

static result resolve_relation(const struct env *env, const struct sql_source *source,
                               struct resolved_source *out) {
    struct resolver *r = env->r;
    struct str parts[3];
    const struct grant_relation *relation = NULL;
    size_t n = source->table.n;
    if (n == 0 || n > 3) return not_supported(r, source->span, "a table's name of %zu parts", n);
    for (size_t i = 0; i < n; i++) {
        parts[i] = str_lower(r->arena, source->table.at[i].text);
        if (parts[i].ptr == NULL) return fail_memory(r->report);
        /* `` is no name, and must not stand for a default. */
        if (parts[i].len == 0) return sql_refuse_table(&source->table, r->report);
    }
    TRY(find_relation(r, parts, n, &relation));
    if (relation == NULL) return sql_refuse_table(&source->table, r->report);
    if (relation->effect != GRANT_ALLOW && r->out->denied == NULL) {
        r->out->denied = relation;
        r->out->denied_as = &source->table;
    }
    TRY(source_of_relation(r, relation, out));
    return rename_columns(r, out->columns, out->n_columns, &source->columns);
}

static result resolve_sample(const struct env *env, const struct sql_sample *sample,
                             const struct resolved_source *source) {
    struct env inside = *env;
    inside.from = source;
    inside.clause = SQL_IN_FROM;
    inside.no_aggregate = inside.no_window = inside.no_query = "TABLESAMPLE";
    return resolve_exprs(&inside, &sample->on);
}

static result resolve_travel(const struct env *env, const struct sql_travel *travel) {
    struct env inside = *env;
    inside.clause = SQL_IN_FROM;
    inside.no_aggregate = inside.no_window = inside.no_query = "time travel";
    if (travel->from != NULL) TRY(resolve_expr(&inside, travel->from));
    return travel->to != NULL ? resolve_expr(&inside, travel->to) : OK;
}

static result resolve_table(const struct env *env, const struct sql_source *source,
                            struct resolved_source *out) {
    const struct sql_name *last = &source->table.at[source->table.n - 1];
    struct resolved_cte *cte = NULL;
    if (!out->is_aliased) out->alias = last->text;
    if (source->table.n == 1) cte = find_cte(env->ctes, last->text);
    if (cte != NULL) {
        cte->n_readers++;
        out->cte = cte;
        TRY(source_of_query(env->r, cte->query, &cte->cte->columns, out));
        TRY(rename_columns(env->r, out->columns, out->n_columns, &source->columns));
    } else {
        TRY(resolve_relation(env, source, out));
    }
    TRY(scope_index(env->r, out));
    TRY(resolve_sample(env, &source->sample, out));
    return resolve_travel(env, &source->travel);
}

static result resolve_derived(const struct env *env, const struct sql_source *source,
                              struct resolved_source *out) {
    struct resolved_query *query = NULL;
    /* It does not see its neighbours in FROM, only what the whole query sees further out. */
    TRY(resolve_query(env->r, source->query, env->outer, env->ctes, &query));
    TRY(source_of_query(env->r, query, &source->columns, out));
    TRY(scope_index(env->r, out));
    return resolve_sample(env, &source->sample, out);
}

/* -- VALUES ----------------------------------------------------------------------------------- */

static result resolve_row(const struct env *env, const struct sql_row *row, bool is_first,
                          struct resolved_source *out) {
    if (row->items.n != out->n_columns)
        return fail(env->r->report, FAIL_INPUT, "SQL_NAME_ERROR", row->at,
                    "a row of %zu values where the first has %zu", row->items.n, out->n_columns);
    for (size_t i = 0; i < row->items.n; i++) {
        TRY(resolve_expr(env, row->items.at[i]));
        struct sql_type type = type_of(env, row->items.at[i]);
        struct sql_type *common = &out->columns[i].type;
        *common = is_first ? type : sql_type_common(common, &type);
    }
    return OK;
}

static result resolve_values(const struct env *env, const struct sql_source *source,
                             struct resolved_source *out) {
    struct resolver *r = env->r;
    struct env inside = *env;
    inside.clause = SQL_IN_FROM;
    inside.no_aggregate = inside.no_window = inside.no_query = "VALUES";
    inside.outer = NULL; /* constants only */
    if (source->values.n_rows == 0) return name_error(r, source->span, "VALUES without a row");
    TRY(source_columns(r, out, source->values.rows[0].items.n));
    for (size_t i = 0; i < out->n_columns; i++) {
        out->columns[i].kind = COLUMN_VALUE;
        out->columns[i].index = (uint32_t)i;
        out->columns[i].name = str_printf(r->arena, "_c%zu", i);
        if (out->columns[i].name.ptr == NULL) return fail_memory(r->report);
    }
    TRY(rename_columns(r, out->columns, out->n_columns, &source->columns));
    for (size_t i = 0; i < source->values.n_rows; i++)
        TRY(resolve_row(&inside, &source->values.rows[i], i == 0, out));
    return scope_index(r, out);
}

/* -- joins ------------------------------------------------------------------------------------ */

static result join_pair(const struct env *env, struct resolved_source *join,
                        const struct resolved_column *left, const struct resolved_column *right,
                        struct sql_span span, struct resolved_pair *out) {
    enum sql_join_kind kind = join->source->join.kind;
    struct env inside = *env;
    inside.clause = SQL_IN_ON;
    *out = (struct resolved_pair){.left = left, .right = right};
    TRY(scope_note_use(&inside, left, USE_JOINED, span, NULL));
    TRY(scope_note_use(&inside, right, USE_JOINED, span, NULL));
    if (kind == SQL_JOIN_SEMI || kind == SQL_JOIN_ANTI) return OK;
    out->merged = arena_new(env->r->arena, struct resolved_column);
    if (out->merged == NULL) return fail_memory(env->r->report);
    *out->merged = (struct resolved_column){.kind = COLUMN_MERGED,
                                            .name = left->name,
                                            .type = sql_type_common(&left->type, &right->type),
                                            .source = join,
                                            .left = left,
                                            .right = right,
                                            .hidden = left->hidden || right->hidden};
    return OK;
}

static result check_found(const struct env *env, struct found_column found,
                          const struct sql_name *name, const char *side) {
    if (found.n == 1) return OK;
    struct str shown = utf8_clip(name->text, 128);
    if (found.n == 0)
        return absent_error(env->r, name->span,
                            "USING: column '" STR_FMT "' does not exist on the %s side",
                            STR_ARG(shown), side);
    return name_error(env->r, name->span, "USING: column '" STR_FMT "' is ambiguous on the %s side",
                      STR_ARG(shown), side);
}

static result resolve_using(const struct env *env, struct resolved_source *join) {
    const struct sql_names *names = &join->source->join.using;
    join->pairs = arena_new_array(env->r->arena, names->n, struct resolved_pair);
    if (join->pairs == NULL) return fail_memory(env->r->report);
    for (size_t i = 0; i < names->n; i++) {
        const struct sql_name *name = &names->at[i];
        for (size_t j = 0; j < i; j++)
            if (str_ieq(names->at[j].text, name->text))
                return name_error(env->r, name->span, "USING: column '" STR_FMT "' stands twice",
                                  STR_ARG(utf8_clip(name->text, 128)));
        struct found_column left = scope_find(join->left, false, name->text);
        struct found_column right = scope_find(join->right, false, name->text);
        TRY(check_found(env, left, name, "left"));
        TRY(check_found(env, right, name, "right"));
        TRY(join_pair(env, join, left.column, right.column, name->span, &join->pairs[i]));
        join->n_pairs = i + 1;
    }
    return OK;
}

static result resolve_natural(const struct env *env, struct resolved_source *join) {
    struct resolver *r = env->r;
    struct column_list left = {0};
    struct sql_span span = join->source->span;
    TRY(scope_visible(r, join->left, &left));
    join->pairs = arena_new_array(r->arena, left.n, struct resolved_pair);
    if (join->pairs == NULL) return fail_memory(r->report);
    size_t n = 0;
    for (size_t i = 0; i < left.n; i++) {
        struct found_column right = scope_find(join->right, false, left.at[i]->name);
        if (right.n == 0) continue;
        if (right.n > 1 || scope_find(join->left, false, left.at[i]->name).n > 1)
            return name_error(r, span, "NATURAL: column '" STR_FMT "' is ambiguous on one side",
                              STR_ARG(utf8_clip(left.at[i]->name, 128)));
        TRY(join_pair(env, join, left.at[i], right.column, span, &join->pairs[n++]));
    }
    join->n_pairs = n;
    return OK;
}

static result resolve_on(const struct env *env, const struct resolved_source *join) {
    struct env inside = *env;
    inside.from = join;
    inside.is_on = true;
    inside.clause = SQL_IN_ON;
    inside.no_aggregate = inside.no_window = "JOIN … ON";
    return resolve_expr(&inside, join->source->join.on);
}

static result resolve_join(const struct env *env, struct sql_source *source,
                           struct resolved_source *out) {
    struct resolver *r = env->r;
    out->alias = STR_NONE;
    TRY(resolve_source(env, source->join.left, &out->left));
    TRY(resolve_source(env, source->join.right, &out->right));
    out->n_leaves = out->left->n_leaves + out->right->n_leaves;
    if (out->n_leaves > SQL_SOURCES_MAX)
        return fail(r->report, FAIL_LIMIT, "SQL_TOO_LARGE", source->span.from,
                    "more than %d tables in one FROM", SQL_SOURCES_MAX);
    TRY(scope_check_aliases(r, out->left, out->right));
    if (source->join.natural) return resolve_natural(env, out);
    if (source->join.using.n > 0) return resolve_using(env, out);
    return source->join.on != NULL ? resolve_on(env, out) : OK;
}

/* -- all of them ------------------------------------------------------------------------------ */

result resolve_source(const struct env *env, struct sql_source *source,
                      struct resolved_source **out) {
    struct resolved_source *made = NULL;
    TRY(source_new(env->r, source, env->query, &made));
    *out = made;
    switch (source->kind) {
    case SQL_TABLE: return resolve_table(env, source, made);
    case SQL_DERIVED: return resolve_derived(env, source, made);
    case SQL_VALUES: return resolve_values(env, source, made);
    case SQL_FUNCTION:
        return not_supported(env->r, source->span, "a function or parameterised view in FROM");
    case SQL_JOIN: return resolve_join(env, source, made);
    case SQL_LATERAL: return resolve_lateral(env, source, made);
    case SQL_PIVOT: return resolve_pivot(env, source, made);
    case SQL_UNPIVOT: return resolve_unpivot(env, source, made);
    }
    return not_supported(env->r, source->span, "a source of an unknown kind");
}
