/* sql/resolve_pivot.c - PIVOT and UNPIVOT; see resolve_inner.h */
#include "sql/resolve_from.h"

/* Columns of the input and which of them the clause names; the others are kept. */
struct turning {
    const struct env *env;
    const struct resolved_source *input;
    struct column_list all;
    bool *is_named;
};

static result turning_init(struct turning *t, const struct env *env,
                           const struct resolved_source *input) {
    *t = (struct turning){.env = env, .input = input};
    TRY(scope_visible(env->r, input, &t->all));
    t->is_named = arena_new_array(env->r->arena, t->all.n, bool);
    return t->is_named != NULL ? OK : fail_memory(env->r->report);
}

static void mark(struct turning *t, const struct resolved_column *column) {
    for (size_t i = 0; i < t->all.n; i++)
        if (t->all.at[i] == column) t->is_named[i] = true;
}

static enum walk mark_ref(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct turning *t = with;
    (void)place;
    if (expr->kind != SQL_REF) return WALK_ON;
    const struct resolved_ref *ref = node_of(t->env->r, expr->id)->ref;
    if (ref != NULL && ref->kind == REF_COLUMN && ref->depth == 0) mark(t, ref->column);
    return WALK_ON;
}

static result name_column(struct turning *t, const struct sql_name *name, enum sql_clause clause,
                          const struct resolved_column **out) {
    struct found_column found = scope_find(t->input, false, name->text);
    struct env inside = *t->env;
    struct str shown = utf8_clip(name->text, 128);
    if (found.n == 0)
        return absent_error(t->env->r, name->span,
                            "column '" STR_FMT "' does not exist in the input", STR_ARG(shown));
    if (found.n > 1)
        return name_error(t->env->r, name->span, "column '" STR_FMT "' is ambiguous in the input",
                          STR_ARG(shown));
    inside.clause = clause;
    mark(t, found.column);
    if (out != NULL) *out = found.column;
    return scope_note_use(&inside, found.column, USE_NAMED, name->span, NULL);
}

static size_t n_kept(const struct turning *t) {
    size_t n = 0;
    for (size_t i = 0; i < t->all.n; i++) n += !t->is_named[i];
    return n;
}

static void keep(const struct turning *t, struct resolved_source *out) {
    size_t n = 0;
    for (size_t i = 0; i < t->all.n; i++) {
        if (t->is_named[i]) continue;
        struct resolved_column *column = &out->columns[n];
        column->kind = COLUMN_KEPT;
        column->index = (uint32_t)n++;
        column->name = t->all.at[i]->name;
        column->type = t->all.at[i]->type;
        column->left = t->all.at[i];
        column->hidden = t->all.at[i]->hidden;
    }
}

/* The name by which the outside calls the result, when the text gives none: that of the input. */
static void take_alias(struct resolved_source *out) {
    if (!out->is_aliased && out->left->source->kind != SQL_JOIN) out->alias = out->left->alias;
    out->is_aliased = true;
}

/* -- PIVOT ------------------------------------------------------------------------------------ */

static result resolve_aggregates(struct turning *t, const struct sql_pivot *pivot) {
    struct tally tally = {0};
    struct env inside = *t->env;
    inside.from = t->input;
    inside.clause = SQL_IN_SELECT;
    inside.tally = &tally;
    inside.no_aggregate = NULL;
    inside.no_window = inside.no_query = "PIVOT";
    for (size_t i = 0; i < pivot->n_aggregates; i++) {
        size_t before = tally.n_aggregates;
        struct sql_expr *expr = pivot->aggregates[i].expr;
        TRY(resolve_expr(&inside, expr));
        if (tally.n_aggregates == before)
            return name_error(t->env->r, expr->span, "PIVOT: an aggregate is expected");
        (void)sql_walk_expr(expr, &(struct sql_visitor){.expr = mark_ref, .with = t});
    }
    return OK;
}

static result resolve_pivot_values(const struct turning *t, const struct sql_pivot *pivot) {
    struct env inside = *t->env;
    inside.from = NULL;
    inside.outer = NULL;
    inside.clause = SQL_IN_FROM;
    inside.no_aggregate = inside.no_window = inside.no_query = "PIVOT … IN";
    for (size_t i = 0; i < pivot->n_in; i++) {
        const struct sql_exprs *values = &pivot->in[i].values;
        if (values->n != pivot->columns.n)
            return name_error(t->env->r, pivot->columns.at[0].span,
                              "PIVOT: %zu values for %zu columns", values->n, pivot->columns.n);
        TRY(resolve_exprs(&inside, values));
    }
    return OK;
}

/* The alias, or the constants themselves, joined by `_`. */
static result value_name(struct resolver *r, const struct sql_pivot_value *value, struct str *out) {
    *out = value->alias.text;
    if (sql_name_given(&value->alias)) return OK;
    for (size_t i = 0; i < value->values.n; i++) {
        const struct sql_expr *expr = value->values.at[i];
        struct str text = expr->kind == SQL_LITERAL ? expr->literal.text : STR("value");
        *out =
            i == 0 ? text : str_printf(r->arena, STR_FMT "_" STR_FMT, STR_ARG(*out), STR_ARG(text));
        if (i > 0 && out->ptr == NULL) return fail_memory(r->report);
    }
    return OK;
}

/* One aggregate without an alias: the value's name alone; else value_alias. */
static result pivoted_name(struct resolver *r, const struct sql_pivot *pivot, size_t value,
                           size_t aggregate, struct str *out) {
    const struct sql_names *aliases = &pivot->aggregates[aggregate].aliases;
    TRY(value_name(r, &pivot->in[value], out));
    if (aliases->n > 0)
        *out =
            str_printf(r->arena, STR_FMT "_" STR_FMT, STR_ARG(*out), STR_ARG(aliases->at[0].text));
    else if (pivot->n_aggregates > 1)
        *out = str_printf(r->arena, STR_FMT "_%zu", STR_ARG(*out), aggregate);
    return out->ptr != NULL ? OK : fail_memory(r->report);
}

static result add_pivoted(const struct turning *t, const struct sql_pivot *pivot, size_t from,
                          struct resolved_source *out) {
    size_t n = from;
    for (size_t i = 0; i < pivot->n_in; i++)
        for (size_t j = 0; j < pivot->n_aggregates; j++, n++) {
            struct resolved_column *column = &out->columns[n];
            column->kind = COLUMN_PIVOTED;
            column->index = (uint32_t)(n - from);
            column->type = type_of(t->env, pivot->aggregates[j].expr);
            TRY(pivoted_name(t->env->r, pivot, i, j, &column->name));
        }
    return OK;
}

result resolve_pivot(const struct env *env, struct sql_source *source,
                     struct resolved_source *out) {
    const struct sql_pivot *pivot = source->pivot;
    struct turning t;
    struct env inside = *env;
    inside.clause = SQL_IN_GROUP_BY;
    TRY(resolve_source(env, source->pivot->input, &out->left));
    take_alias(out);
    TRY(turning_init(&t, env, out->left));
    TRY(resolve_aggregates(&t, pivot));
    for (size_t i = 0; i < pivot->columns.n; i++)
        TRY(name_column(&t, &pivot->columns.at[i], SQL_IN_GROUP_BY, NULL));
    TRY(resolve_pivot_values(&t, pivot));
    for (size_t i = 0; i < t.all.n; i++)
        if (!t.is_named[i])
            TRY(scope_note_use(&inside, t.all.at[i], USE_GROUPED, source->span, NULL));
    size_t kept = n_kept(&t);
    TRY(source_columns(env->r, out, kept + pivot->n_in * pivot->n_aggregates));
    keep(&t, out);
    TRY(add_pivoted(&t, pivot, kept, out));
    return scope_index(env->r, out);
}

/* -- UNPIVOT ---------------------------------------------------------------------------------- */

static result resolve_groups(struct turning *t, const struct sql_unpivot *unpivot,
                             struct sql_type *types) {
    struct env inside = *t->env;
    inside.from = NULL;
    inside.clause = SQL_IN_FROM;
    inside.no_aggregate = inside.no_window = inside.no_query = "UNPIVOT";
    for (size_t i = 0; i < unpivot->n_in; i++) {
        const struct sql_unpivot_group *group = &unpivot->in[i];
        if (group->columns.n != unpivot->values.n)
            return name_error(t->env->r, unpivot->name.span, "UNPIVOT: %zu columns for %zu names",
                              group->columns.n, unpivot->values.n);
        for (size_t j = 0; j < group->columns.n; j++) {
            const struct resolved_column *column = NULL;
            TRY(name_column(t, &group->columns.at[j], SQL_IN_SELECT, &column));
            types[j] = i == 0 ? column->type : sql_type_common(&types[j], &column->type);
        }
        if (group->label != NULL) TRY(resolve_expr(&inside, group->label));
    }
    return OK;
}

result resolve_unpivot(const struct env *env, struct sql_source *source,
                       struct resolved_source *out) {
    const struct sql_unpivot *unpivot = source->unpivot;
    struct turning t;
    TRY(resolve_source(env, source->unpivot->input, &out->left));
    take_alias(out);
    TRY(turning_init(&t, env, out->left));
    struct sql_type *types = arena_new_array(env->r->arena, unpivot->values.n, struct sql_type);
    if (types == NULL) return fail_memory(env->r->report);
    TRY(resolve_groups(&t, unpivot, types));
    size_t kept = n_kept(&t);
    TRY(source_columns(env->r, out, kept + 1 + unpivot->values.n));
    keep(&t, out);
    struct resolved_column *naming = &out->columns[kept];
    naming->kind = COLUMN_NAMING;
    naming->name = unpivot->name.text;
    naming->type = SQL_TYPE(STRING);
    for (size_t i = 0; i < unpivot->values.n; i++) {
        struct resolved_column *column = &out->columns[kept + 1 + i];
        column->kind = COLUMN_TURNED;
        column->index = (uint32_t)i;
        column->name = unpivot->values.at[i].text;
        column->type = types[i];
    }
    return scope_index(env->r, out);
}
