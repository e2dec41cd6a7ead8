/* sql/resolve_ref.c - a dotted name bound to a column; see resolve_inner.h */
#include "sql/resolve_inner.h"

/* A reference being resolved. Its parts are the names of the REF and the fields of the FIELD nodes
 * around it; only the names may be alias and column: in `(t).c`, t is no alias. */
struct seeking {
    const struct env *env;
    const struct sql_expr *expr;
    const struct sql_name *parts;
    size_t n_names;
    size_t n;
    struct sql_span span;
};

struct binding {
    const struct resolved_column *column; /* NULL: nothing found */
    size_t path_from;                     /* parts from here on are fields */
    uint32_t depth;
};

/* -- saying what is wrong --------------------------------------------------------------------- */

static bool may_suggest(const struct resolved_column *column) {
    if (column->hidden) return false;
    if (column->kind != COLUMN_BASE) return true;
    const struct grant_relation *relation = column->source->relation;
    return relation->effect == GRANT_ALLOW && relation->columns != NULL &&
           relation->columns[column->index].effect != GRANT_DENY;
}

static void nearer(struct str name, struct str candidate, struct str *best, unsigned *cap) {
    unsigned distance = str_distance(name, candidate, *cap);
    if (distance >= *cap) return;
    *cap = distance;
    *best = candidate;
}

static unsigned first_cap(struct str name) {
    return name.len < 4 ? 2 : 3;
}

static void hint_column(const struct seeking *s, const struct resolved_source *in,
                        struct str name) {
    struct column_list list = {0};
    struct str best = STR_NONE;
    unsigned cap = first_cap(name);
    if (name.len > 256) return; /* no name of a column is that long: not worth the comparing */
    if (in == NULL && scope_visible(s->env->r, s->env->from, &list).why != FAIL_NONE) return;
    for (size_t i = 0; in != NULL && i < in->n_columns; i++)
        if (may_suggest(&in->columns[i])) nearer(name, in->columns[i].name, &best, &cap);
    for (size_t i = 0; i < list.n; i++)
        if (may_suggest(list.at[i])) nearer(name, list.at[i]->name, &best, &cap);
    if (best.len > 0) fail_hint(s->env->r->report, "Did you mean '" STR_FMT "'?", STR_ARG(best));
}

static void nearer_alias(const struct resolved_source *from, struct str name, struct str *best,
                         unsigned *cap) {
    if (from == NULL) return;
    if (from->source->kind != SQL_JOIN && from->alias.len > 0) nearer(name, from->alias, best, cap);
    bool has_input = from->source->kind == SQL_JOIN || from->source->kind == SQL_LATERAL;
    if (!has_input) return;
    nearer_alias(from->left, name, best, cap);
    nearer_alias(from->right, name, best, cap);
}

static result unknown(const struct seeking *s) {
    struct resolver *r = s->env->r;
    const struct sql_name *first = &s->parts[0];
    const struct resolved_source *in = NULL;
    for (const struct env *env = s->env; s->n_names > 1 && env != NULL && in == NULL;
         env = env->outer)
        in = scope_find_source(env->from, env->is_on, first, 1);
    if (in != NULL) {
        result failed = absent_error(r, s->span, "no column '" STR_FMT "' in '" STR_FMT "'",
                                     STR_ARG(utf8_clip(s->parts[1].text, 128)),
                                     STR_ARG(utf8_clip(first->text, 128)));
        hint_column(s, in, s->parts[1].text);
        return failed;
    }
    if (s->n_names > 1) {
        struct str best = STR_NONE;
        unsigned cap = first_cap(first->text);
        result failed =
            absent_error(r, s->span, "no table, alias or struct column '" STR_FMT "' is seen here",
                         STR_ARG(utf8_clip(first->text, 128)));
        if (first->text.len <= 256) nearer_alias(s->env->from, first->text, &best, &cap);
        if (best.len > 0) fail_hint(r->report, "Did you mean '" STR_FMT "'?", STR_ARG(best));
        return failed;
    }
    result failed = absent_error(r, s->span, "no column '" STR_FMT "' is seen here%s",
                                 STR_ARG(utf8_clip(first->text, 128)),
                                 s->env->from == NULL ? ": there is no FROM" : "");
    hint_column(s, NULL, first->text);
    return failed;
}

static result ambiguous(const struct seeking *s, struct str name) {
    result failed = name_error(s->env->r, s->span, "column '" STR_FMT "' is ambiguous",
                               STR_ARG(utf8_clip(name, 128)));
    fail_hint(s->env->r->report, "Write the alias of its table before it.");
    return failed;
}

/* -- binding ---------------------------------------------------------------------------------- */

static bool can_have_fields(const struct sql_type *type) {
    return type->kind == SQL_TYPE_STRUCT || type->kind == SQL_TYPE_UNKNOWN ||
           type->kind == SQL_TYPE_JSON;
}

/* `alias.column…`, with the alias made of the first n_source parts. */
static result bind_qualified(const struct seeking *s, const struct env *env, size_t n_source,
                             struct binding *out, bool *has_source) {
    if (s->n_names <= n_source) return OK;
    const struct resolved_source *source =
        scope_find_source(env->from, env->is_on, s->parts, n_source);
    if (source == NULL) return OK;
    *has_source = true;
    struct found_column found = scope_find_in(source, s->parts[n_source].text);
    if (found.n > 1) return ambiguous(s, s->parts[n_source].text);
    out->column = found.column;
    out->path_from = n_source + 1;
    return OK;
}

static result bind_unqualified(const struct seeking *s, const struct env *env,
                               struct binding *out) {
    struct found_column found = scope_find(env->from, env->is_on, s->parts[0].text);
    if (found.n > 1) return ambiguous(s, s->parts[0].text);
    if (found.n == 0 || (s->n > 1 && !can_have_fields(&found.column->type))) return OK;
    out->column = found.column;
    out->path_from = 1;
    return OK;
}

/* One block: alias first, then struct column, then the table's full name. *stop: the alias is ours,
 * so that a miss is a miss and is not sought further out. */
static result bind_in(const struct seeking *s, const struct env *env, struct binding *out,
                      bool *stop) {
    bool is_full_name = false;
    TRY(bind_qualified(s, env, 1, out, stop));
    if (out->column == NULL) TRY(bind_unqualified(s, env, out));
    if (out->column == NULL) TRY(bind_qualified(s, env, 2, out, &is_full_name));
    if (out->column == NULL) TRY(bind_qualified(s, env, 3, out, &is_full_name));
    return OK;
}

static result bind_outward(const struct seeking *s, struct binding *out) {
    uint32_t depth = 0;
    for (const struct env *env = s->env->outer; env != NULL; env = env->outer) {
        bool stop = false;
        depth++;
        TRY(bind_in(s, env, out, &stop));
        if (out->column == NULL && !stop) continue;
        out->depth = depth;
        struct resolved_query *query = s->env->query;
        for (uint32_t i = 0; out->column != NULL && i < depth && query != NULL; i++) {
            query->is_correlated = true;
            query = query->outer;
        }
        return OK;
    }
    return OK;
}

static bool are_one(const struct seeking *s, const struct resolved_output *a,
                    const struct resolved_output *b) {
    const struct resolved_column *column = output_column(s->env->r->out, a);
    return column != NULL && column == output_column(s->env->r->out, b);
}

/* The outputs that an ORDER BY and its kin may name. Two of one name are one when both are the same
 * column. */
static result find_output(const struct seeking *s, const struct resolved_output **out) {
    const struct resolved_query *query = s->env->query;
    *out = NULL;
    if (s->n_names != 1) return OK;
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct resolved_output *output = &query->outputs[i];
        if (!str_ieq(output->name, s->parts[0].text)) continue;
        /* sum(x) AS x … ORDER BY sum(x): within an aggregate the alias would nest two. */
        if (s->env->in_aggregate && output->has_aggregate) continue;
        if (*out != NULL && !are_one(s, *out, output)) return ambiguous(s, s->parts[0].text);
        if (*out == NULL) *out = output;
    }
    return OK;
}

/* -- what is bound ---------------------------------------------------------------------------- */

/* The type of one field of `type`. */
static result step(const struct seeking *s, size_t part, struct sql_type *type) {
    if (type->kind == SQL_TYPE_UNKNOWN || type->kind == SQL_TYPE_JSON) return OK;
    const struct sql_field *field = sql_type_field(type, s->parts[part].text);
    if (field == NULL)
        return absent_error(s->env->r, s->parts[part].span,
                            "no field '" STR_FMT "' in '" STR_FMT "'",
                            STR_ARG(utf8_clip(s->parts[part].text, 128)),
                            STR_ARG(utf8_clip(s->parts[part - 1].text, 128)));
    *type = field->type;
    return OK;
}

/* The node of the REF has the fields that the REF names; the use has those of FIELD nodes, too. */
static result set_ref(const struct seeking *s, struct resolved_ref ref, size_t path_from,
                      struct sql_type *type) {
    struct resolver *r = s->env->r;
    struct str *path = arena_new_array(r->arena, s->n - path_from + 1, struct str);
    struct resolved_ref *kept = arena_new(r->arena, struct resolved_ref);
    if (path == NULL || kept == NULL) return fail_memory(r->report);
    struct resolved_node *node = node_of(r, s->expr->id);
    node->type = *type;
    for (size_t i = path_from; i < s->n; i++) {
        path[i - path_from] = s->parts[i].text;
        TRY(step(s, i, type));
        if (i < s->n_names) node->type = *type;
    }
    ref.path = path;
    ref.n_path = s->n_names - path_from;
    *kept = ref;
    node->ref = kept;
    if (ref.kind != REF_COLUMN) return OK;
    ref.n_path = s->n - path_from;
    return scope_note_use(s->env, ref.column, USE_NAMED, s->span, &ref);
}

static result set_column(const struct seeking *s, const struct binding *found,
                         struct sql_type *type) {
    *type = found->column->type;
    return set_ref(
        s,
        (struct resolved_ref){.kind = REF_COLUMN, .depth = found->depth, .column = found->column},
        found->path_from, type);
}

static result set_output(const struct seeking *s, const struct resolved_output *output,
                         struct sql_type *type) {
    const struct env *env = s->env;
    if (output->has_aggregate && env->no_aggregate != NULL)
        return name_error(env->r, s->span, "'" STR_FMT "' is an aggregate, and stands in %s",
                          STR_ARG(utf8_clip(output->name, 128)), env->no_aggregate);
    *type = output->type;
    /* A name that a star left out is not there, except to be denied. */
    if (output->hidden)
        TRY(scope_reveal(env, env->query, (uint32_t)(output - env->query->outputs), s->span));
    return set_ref(s, (struct resolved_ref){.kind = REF_OUTPUT, .output = output}, 1, type);
}

static bool find_param(const struct seeking *s, struct resolved_ref *ref, struct sql_type *type) {
    for (const struct param_scope *p = s->env->params; p != NULL; p = p->outer)
        for (size_t i = 0; i < p->names->n; i++) {
            if (!str_ieq(p->names->at[i].text, s->parts[0].text)) continue;
            *ref = (struct resolved_ref){.kind = REF_PARAM, .param = &p->names->at[i]};
            *type = i == 0 ? p->first : i == 1 ? p->second : SQL_TYPE(UNKNOWN);
            return true;
        }
    return false;
}

/* The own block, in the order in which its clause looks: sets *done when the name was found. */
static result seek_here(const struct seeking *s, struct sql_type *type, bool *done, bool *stop) {
    const struct resolved_output *output = NULL;
    struct binding found = {0};
    *done = true;
    if (s->env->aliases == ALIAS_FIRST) TRY(find_output(s, &output));
    if (output != NULL) return set_output(s, output, type);
    TRY(bind_in(s, s->env, &found, stop));
    if (found.column != NULL) return set_column(s, &found, type);
    if (s->env->aliases == ALIAS_LAST) TRY(find_output(s, &output));
    if (output != NULL) return set_output(s, output, type);
    *done = false;
    return OK;
}

static result seek(const struct seeking *s, struct sql_type *type) {
    struct resolved_ref ref = {0};
    struct binding found = {0};
    bool done = false, stop = false;
    if (find_param(s, &ref, type)) return set_ref(s, ref, 1, type);
    TRY(seek_here(s, type, &done, &stop));
    if (done) return OK;
    if (!stop) TRY(bind_outward(s, &found));
    if (found.column != NULL) return set_column(s, &found, type);
    if (s->n == 1 && s->parts[0].quoting == SQL_BARE) {
        ref = (struct resolved_ref){.kind = REF_CALL};
        TRY(resolve_bare_call(s->env, s->expr, &ref.call, type));
        if (ref.call != NULL) return set_ref(s, ref, 1, type);
    }
    return unknown(s);
}

result scope_resolve_ref(const struct env *env, const struct sql_expr *expr,
                         const struct sql_name *const *more, size_t n_more, struct sql_type *type) {
    struct seeking s = {
        .env = env, .expr = expr, .parts = expr->ref.at, .n_names = expr->ref.n, .n = expr->ref.n};
    s.span = expr->span;
    if (n_more == 0) return seek(&s, type);
    struct sql_name *parts = arena_new_array(env->r->arena, s.n + n_more, struct sql_name);
    if (parts == NULL) return fail_memory(env->r->report);
    memcpy(parts, s.parts, s.n * sizeof *parts);
    for (size_t i = 0; i < n_more; i++) parts[s.n + i] = *more[i];
    s.parts = parts;
    s.n += n_more;
    return seek(&s, type);
}
