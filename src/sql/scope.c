/* sql/scope.c - names looked up, uses listed; see resolve_inner.h */
#include "base/limits.h"
#include "sql/resolve_inner.h"

#include <stdarg.h>

result name_error(struct resolver *r, struct sql_span span, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    result failed = fail_v(r->report, FAIL_INPUT, "SQL_NAME_ERROR", span.from, fmt, args);
    va_end(args);
    return failed;
}

result absent_error(struct resolver *r, struct sql_span span, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    result failed = fail_v(r->report, FAIL_DENIED, "COLUMN_NOT_ALLOWED", span.from, fmt, args);
    va_end(args);
    return failed;
}

result not_supported(struct resolver *r, struct sql_span span, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    result failed = fail_v(r->report, FAIL_DENIED, "SQL_NOT_SUPPORTED", span.from, fmt, args);
    va_end(args);
    return failed;
}

/* -- columns of sources ----------------------------------------------------------------------- */

enum { FEW_COLUMNS = 16 }; /* as many are sooner compared than hashed */

static struct resolved_column *find_among(const struct resolved_source *source, size_t n,
                                          struct str name) {
    for (size_t i = 0; i < n; i++)
        if (str_ieq(source->columns[i].name, name)) return &source->columns[i];
    return NULL;
}

static void mark_twins(struct resolved_source *source) {
    for (size_t i = 1; i < source->n_columns; i++) {
        struct resolved_column *column = &source->columns[i];
        struct resolved_column *other = find_among(source, i, column->name);
        if (other != NULL) other->is_twice = column->is_twice = true;
    }
}

result scope_index(struct resolver *r, struct resolved_source *source) {
    if (source->n_columns <= FEW_COLUMNS) {
        mark_twins(source);
        return OK;
    }
    source->by_name = arena_new(r->arena, struct map);
    if (source->by_name == NULL) return fail_memory(r->report);
    map_init(source->by_name, r->arena);
    source->by_name->fold_case = true;
    for (size_t i = 0; i < source->n_columns; i++) {
        struct resolved_column *column = &source->columns[i];
        struct resolved_column *other = map_get(source->by_name, column->name);
        if (other != NULL)
            other->is_twice = column->is_twice = true;
        else if (!map_put(source->by_name, column->name, column))
            return fail_memory(r->report);
    }
    return OK;
}

static bool is_half_seen(const struct resolved_source *join) {
    return join->source->join.kind == SQL_JOIN_SEMI || join->source->join.kind == SQL_JOIN_ANTI;
}

static bool is_leaf(const struct resolved_source *source) {
    return source->source->kind != SQL_JOIN;
}

static result list_add(struct resolver *r, struct column_list *list,
                       const struct resolved_column *column) {
    if (list->n >= SQL_VISIBLE_COLUMNS_MAX)
        return fail(r->report, FAIL_LIMIT, "SQL_TOO_LARGE", REPORT_NO_OFFSET,
                    "a query block sees more than %d columns", SQL_VISIBLE_COLUMNS_MAX);
    const struct resolved_column **place = ARENA_PUSH(r->arena, list->at, list->n, list->cap);
    if (place == NULL) return fail_memory(r->report);
    *place = column;
    return OK;
}

/* USING shows its columns once, first; then each side without them. */
static result visible_of_join(struct resolver *r, const struct resolved_source *join,
                              struct column_list *out) {
    struct column_list sides = {0};
    for (size_t i = 0; i < join->n_pairs; i++)
        if (join->pairs[i].merged != NULL) TRY(list_add(r, out, join->pairs[i].merged));
    TRY(scope_visible(r, join->left, &sides));
    if (!is_half_seen(join)) TRY(scope_visible(r, join->right, &sides));
    for (size_t i = 0; i < sides.n; i++) {
        bool is_paired = false;
        for (size_t j = 0; j < join->n_pairs && !is_paired; j++)
            is_paired = join->pairs[j].merged != NULL &&
                        (join->pairs[j].left == sides.at[i] || join->pairs[j].right == sides.at[i]);
        if (!is_paired) TRY(list_add(r, out, sides.at[i]));
    }
    return OK;
}

result scope_visible(struct resolver *r, const struct resolved_source *from,
                     struct column_list *out) {
    if (from == NULL) return OK;
    if (!is_leaf(from) && from->n_pairs > 0) return visible_of_join(r, from, out);
    if (!is_leaf(from)) {
        TRY(scope_visible(r, from->left, out));
        return is_half_seen(from) ? OK : scope_visible(r, from->right, out);
    }
    if (from->source->kind == SQL_LATERAL) TRY(scope_visible(r, from->left, out));
    for (size_t i = 0; i < from->n_columns; i++) TRY(list_add(r, out, &from->columns[i]));
    return OK;
}

struct found_column scope_find_in(const struct resolved_source *source, struct str name) {
    const struct resolved_column *column = source->by_name != NULL
                                               ? map_get(source->by_name, name)
                                               : find_among(source, source->n_columns, name);
    if (column == NULL) return (struct found_column){0};
    return (struct found_column){column, column->is_twice ? 2 : 1};
}

static struct found_column found_add(struct found_column a, struct found_column b) {
    return (struct found_column){a.column != NULL ? a.column : b.column, a.n + b.n};
}

struct found_column scope_find(const struct resolved_source *from, bool is_on, struct str name) {
    if (from == NULL) return (struct found_column){0};
    if (is_leaf(from)) {
        struct found_column own = scope_find_in(from, name);
        return from->source->kind == SQL_LATERAL
                   ? found_add(scope_find(from->left, false, name), own)
                   : own;
    }
    for (size_t i = 0; i < from->n_pairs && !is_on; i++) {
        const struct resolved_pair *pair = &from->pairs[i];
        if (pair->merged != NULL && str_ieq(pair->merged->name, name))
            return (struct found_column){pair->merged, 1};
    }
    struct found_column found = scope_find(from->left, false, name);
    bool sees_right = is_on || !is_half_seen(from);
    return sees_right ? found_add(found, scope_find(from->right, false, name)) : found;
}

/* `t`, `schema.t`, `project.t`, `project.schema.t` for a table whose name no alias hides. */
static bool is_called(const struct resolved_source *source, const struct sql_name *parts,
                      size_t n) {
    if (n == 1) return source->alias.len > 0 && str_ieq(source->alias, parts[0].text);
    if (source->is_aliased || source->relation == NULL) return false;
    const struct schema_relation *relation = source->relation->schema;
    if (!str_ieq(relation->name, parts[n - 1].text)) return false;
    if (n == 3)
        return str_ieq(relation->project, parts[0].text) &&
               str_ieq(relation->schema, parts[1].text);
    return str_ieq(relation->project, parts[0].text) || str_ieq(relation->schema, parts[0].text);
}

const struct resolved_source *scope_find_source(const struct resolved_source *from, bool is_on,
                                                const struct sql_name *parts, size_t n) {
    if (from == NULL || n == 0 || n > 3) return NULL;
    if (is_leaf(from)) {
        if (is_called(from, parts, n)) return from;
        return from->source->kind == SQL_LATERAL ? scope_find_source(from->left, false, parts, n)
                                                 : NULL;
    }
    const struct resolved_source *found = scope_find_source(from->left, false, parts, n);
    bool sees_right = is_on || !is_half_seen(from);
    return found != NULL || !sees_right ? found : scope_find_source(from->right, false, parts, n);
}

static const struct resolved_source *find_alias_twin(const struct resolved_source *left,
                                                     const struct resolved_source *of) {
    if (!is_leaf(left)) {
        const struct resolved_source *found = find_alias_twin(left->left, of);
        return found != NULL ? found : find_alias_twin(left->right, of);
    }
    /* p1.t and p2.t, both without an alias: `t.c` would mean either. */
    if (of->alias.len > 0 && str_ieq(left->alias, of->alias)) return left;
    return left->source->kind == SQL_LATERAL && left->left != NULL ? find_alias_twin(left->left, of)
                                                                   : NULL;
}

result scope_check_aliases(struct resolver *r, const struct resolved_source *left,
                           const struct resolved_source *right) {
    if (!is_leaf(right)) {
        TRY(scope_check_aliases(r, left, right->left));
        return scope_check_aliases(r, left, right->right);
    }
    if (right->source->kind == SQL_LATERAL && right->left != NULL)
        TRY(scope_check_aliases(r, left, right->left));
    if (find_alias_twin(left, right) == NULL) return OK;
    result failed = name_error(r, right->source->span, "'" STR_FMT "' names two tables in one FROM",
                               STR_ARG(right->alias));
    fail_hint(r->report, "Give one of them another alias.");
    return failed;
}

/* -- uses ------------------------------------------------------------------------------------- */

static result push_use(const struct env *env, const struct resolved_column *column,
                       enum resolved_how how, struct sql_span span,
                       const struct resolved_ref *ref) {
    struct resolver *r = env->r;
    struct resolved_use *use = ARENA_PUSH(r->arena, r->uses, r->out->n_uses, r->cap_uses);
    if (use == NULL) return fail_memory(r->report);
    *use = (struct resolved_use){.source = column->source,
                                 .column = column->index,
                                 .how = how,
                                 .clause = env->clause,
                                 .hidden = how == USE_STAR && column->hidden,
                                 .span = span,
                                 .path = ref != NULL ? ref->path : NULL,
                                 .n_path = ref != NULL ? ref->n_path : 0,
                                 .block = env->query};
    r->out->uses = r->uses;
    return OK;
}

/* A hidden output was named: say which base columns stand behind it, for they are what is denied.
 */
result scope_reveal(const struct env *env, const struct resolved_query *query, uint32_t index,
                    struct sql_span span) {
    const struct resolved_output *output = &query->outputs[index];
    if (query->query->kind == SQL_SET) {
        for (size_t i = 0; i < query->query->n_branches; i++)
            TRY(scope_reveal(env, query->branches[i], index, span));
        return OK;
    }
    return output->column == NULL ? OK
                                  : scope_note_use(env, output->column, USE_REVEALED, span, NULL);
}

result scope_note_use(const struct env *env, const struct resolved_column *column,
                      enum resolved_how how, struct sql_span span, const struct resolved_ref *ref) {
    switch (column->kind) {
    case COLUMN_BASE: return push_use(env, column, how, span, ref);
    case COLUMN_OUTPUT:
        /* A star over a hidden column leaves it out once more: nobody has named it. */
        return column->hidden && how != USE_STAR
                   ? scope_reveal(env, column->source->query, column->index, span)
                   : OK;
    case COLUMN_MERGED:
        TRY(scope_note_use(env, column->left, how, span, ref));
        return scope_note_use(env, column->right, how, span, ref);
    case COLUMN_KEPT: return scope_note_use(env, column->left, how, span, ref);
    case COLUMN_VALUE:
    case COLUMN_MADE:
    case COLUMN_PIVOTED:
    case COLUMN_NAMING:
    case COLUMN_TURNED: return OK;
    }
    return OK;
}
