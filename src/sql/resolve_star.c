/* sql/resolve_star.c - stars and back-quoted patterns expanded; see resolve_inner.h */
#include "base/limits.h"
#include "sql/pattern.h"
#include "sql/resolve_inner.h"

static result unknown_source(const struct env *env, const struct sql_names *names, size_t n) {
    return name_error(env->r, names->at[0].span, "no table or alias '" STR_FMT "' is seen here",
                      STR_ARG(utf8_clip(names->at[n - 1].text, 128)));
}

/* The columns that are meant before EXCEPT: of the source named by the first n parts, or all. */
static result columns_of(const struct env *env, const struct sql_names *names, size_t n,
                         struct column_list *out) {
    struct resolver *r = env->r;
    const struct resolved_source *source = NULL;
    if (n > 0) {
        source = scope_find_source(env->from, env->is_on, names->at, n);
        if (source == NULL) return unknown_source(env, names, n);
        out->at = arena_new_array(r->arena, source->n_columns, const struct resolved_column *);
        if (out->at == NULL) return fail_memory(r->report);
        for (size_t i = 0; i < source->n_columns; i++) out->at[i] = &source->columns[i];
        out->n = out->cap = source->n_columns;
        return OK;
    }
    return scope_visible(r, env->from, out);
}

static result set_star(const struct env *env, const struct sql_expr *expr,
                       struct resolved_star star, const struct resolved_star **out) {
    struct resolved_star *kept = arena_new(env->r->arena, struct resolved_star);
    if (kept == NULL) return fail_memory(env->r->report);
    *kept = star;
    struct resolved_node *node = node_of(env->r, expr->id);
    node->star = kept;
    node->is_star = star.is_pattern;
    *out = kept;
    for (size_t i = 0; i < star.n_columns; i++)
        if (star.replaced == NULL || star.replaced[i] == NULL)
            TRY(scope_note_use(env, star.columns[i], USE_STAR, expr->span, NULL));
    return OK;
}

/* The base column behind it when that is denied: whoever names it is answered as if it were not
 * there. */
static const struct resolved_column *denied_base(const struct env *env,
                                                 const struct resolved_column *column) {
    const struct resolved_column *base = resolved_base(env->r->out, column);
    if (base == NULL || base->kind != COLUMN_BASE) return NULL;
    const struct grant_relation *relation = base->source->relation;
    bool is_denied = relation->effect == GRANT_ALLOW && relation->columns != NULL &&
                     relation->columns[base->index].effect == GRANT_DENY;
    return is_denied ? base : NULL;
}

/* -- EXCEPT and REPLACE ----------------------------------------------------------------------- */

/* EXCEPT and REPLACE read nothing of what they name, but that they find it tells that it is there.
 */
static result note_denied(const struct env *env, const struct resolved_column *column,
                          const struct sql_name *name) {
    const struct resolved_column *base = denied_base(env, column);
    return base != NULL ? scope_note_use(env, base, USE_NAMED, name->span, NULL) : OK;
}

/* Where a name, of any case, first stands in the list; first of all where it is not denied. */
static result index_names(const struct env *env, const struct column_list *list, struct map *out) {
    size_t *places = arena_new_array(env->r->arena, list->n, size_t);
    if (places == NULL) return fail_memory(env->r->report);
    map_init(out, env->r->arena);
    out->fold_case = true;
    for (size_t i = 0; i < list->n; i++) {
        size_t *known = map_get(out, list->at[i]->name);
        places[i] = i;
        if (known != NULL && denied_base(env, list->at[*known]) != NULL) *known = i;
        if (known != NULL) continue;
        if (!map_put(out, list->at[i]->name, &places[i])) return fail_memory(env->r->report);
    }
    return OK;
}

static result apply_except(const struct env *env, const struct sql_names *except,
                           struct column_list *list) {
    struct map known, gone;
    size_t n = 0;
    TRY(index_names(env, list, &known));
    map_init(&gone, env->r->arena);
    gone.fold_case = true;
    for (size_t i = 0; i < except->n; i++) {
        struct sql_name *name = &except->at[i];
        const size_t *place = map_get(&known, name->text);
        if (place == NULL)
            return absent_error(env->r, name->span, "EXCEPT: no column '" STR_FMT "' in the star",
                                STR_ARG(utf8_clip(name->text, 128)));
        TRY(note_denied(env, list->at[*place], name));
        if (!map_put(&gone, name->text, name)) return fail_memory(env->r->report);
    }
    for (size_t i = 0; i < list->n; i++)
        if (map_get(&gone, list->at[i]->name) == NULL) list->at[n++] = list->at[i];
    list->n = n;
    return OK;
}

static result apply_replace(const struct env *env, const struct sql_star *star,
                            const struct column_list *list, const struct sql_expr ***out) {
    struct map known;
    TRY(index_names(env, list, &known));
    *out = arena_new_array(env->r->arena, list->n, const struct sql_expr *);
    if (*out == NULL) return fail_memory(env->r->report);
    for (size_t i = 0; i < star->n_replace; i++) {
        const struct sql_name *name = &star->replace[i].name;
        const size_t *place = map_get(&known, name->text);
        if (place == NULL)
            return absent_error(env->r, name->span, "REPLACE: no column '" STR_FMT "' in the star",
                                STR_ARG(utf8_clip(name->text, 128)));
        if ((*out)[*place] != NULL)
            return name_error(env->r, name->span, "REPLACE: column '" STR_FMT "' stands twice",
                              STR_ARG(utf8_clip(name->text, 128)));
        TRY(note_denied(env, list->at[*place], name));
        TRY(resolve_expr(env, star->replace[i].expr));
        (*out)[*place] = star->replace[i].expr;
    }
    return OK;
}

result resolve_star(const struct env *env, struct sql_expr *expr,
                    const struct resolved_star **out) {
    const struct sql_star *star = &expr->star;
    struct column_list list = {0};
    const struct sql_expr **replaced = NULL;
    if (env->from == NULL) return name_error(env->r, expr->span, "a star without a FROM");
    TRY(columns_of(env, &star->qualifier, star->qualifier.n, &list));
    if (star->except.n > 0) TRY(apply_except(env, &star->except, &list));
    if (star->n_replace > 0) TRY(apply_replace(env, star, &list, &replaced));
    return set_star(
        env, expr,
        (struct resolved_star){.columns = list.at, .replaced = replaced, .n_columns = list.n}, out);
}

/* -- patterns --------------------------------------------------------------------------------- */

static result keep_matching(const struct env *env, const struct sql_name *name,
                            struct column_list *list) {
    const struct sql_pattern *pattern = NULL;
    size_t steps = SQL_PATTERN_STEPS_MAX, n = 0, n_told = 0;
    TRY(sql_pattern_parse(name->text, name->span.from, env->r->arena, &pattern, env->r->report));
    for (size_t i = 0; i < list->n; i++) {
        bool is_match;
        TRY(sql_pattern_match(pattern, list->at[i]->name, &steps, &is_match, env->r->report));
        if (!is_match) continue;
        n_told += denied_base(env, list->at[i]) == NULL;
        list->at[n++] = list->at[i];
    }
    list->n = n;
    /* A pattern that finds denied columns only finds nothing, or else it could spell their names.
     */
    if (n_told > 0) return OK;
    return absent_error(env->r, name->span, "no column is called, or matches, '" STR_FMT "'",
                        STR_ARG(utf8_clip(name->text, 128)));
}

result resolve_pattern(const struct env *env, struct sql_expr *expr,
                       const struct resolved_star **out) {
    const struct sql_names *names = &expr->ref;
    const struct sql_name *last = &names->at[names->n - 1];
    struct column_list list = {0};
    *out = NULL;
    if (env->from == NULL || !sql_name_is_pattern(last)) return OK;
    if (names->n > 1 && scope_find_source(env->from, env->is_on, names->at, names->n - 1) == NULL)
        return OK;
    TRY(columns_of(env, names, names->n - 1, &list));
    /* `30 days` is a pattern by its characters, and a column when there is one. */
    for (size_t i = 0; i < list.n; i++)
        if (str_ieq(list.at[i]->name, last->text)) return OK;
    TRY(keep_matching(env, last, &list));
    return set_star(
        env, expr,
        (struct resolved_star){.is_pattern = true, .columns = list.at, .n_columns = list.n}, out);
}
