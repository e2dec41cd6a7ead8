/* References become alias.column, stars their columns, aliases what they stand for. */
#include "base/always.h"
#include "base/limits.h"
#include "sql/lineage.h"
#include "sql/rewrite_inner.h"

/* -- nodes ------------------------------------------------------------------------------------ */

void rewrite_no_memory(struct rewriter *rw) {
    if (rw->failed.why == FAIL_NONE) rw->failed = fail_memory(rw->report);
}

struct sql_expr *rewrite_node(struct rewriter *rw, enum sql_expr_kind kind, struct sql_type type) {
    struct ruled *ruled = rw->ruled;
    struct sql_expr *expr = arena_new(rw->arena, struct sql_expr);
    struct sql_type *place = ARENA_PUSH(rw->arena, ruled->types, ruled->n_types, ruled->cap_types);
    if (expr == NULL || place == NULL) {
        rewrite_no_memory(rw);
        return NULL;
    }
    *place = type;
    expr->kind = kind;
    expr->id = ruled->first_made + (uint32_t)ruled->n_types - 1;
    expr->span = (struct sql_span){SQL_NOWHERE, SQL_NOWHERE};
    return expr;
}

struct sql_expr *rewrite_literal(struct rewriter *rw, enum sql_literal_kind kind, struct str text,
                                 struct sql_type type) {
    struct sql_expr *expr = rewrite_node(rw, SQL_LITERAL, type);
    if (expr != NULL) expr->literal = (struct sql_literal){kind, text};
    return expr;
}

struct sql_name rewrite_named(struct str text) {
    return (struct sql_name){.text = text, .span = {SQL_NOWHERE, SQL_NOWHERE}, .quoting = SQL_BARE};
}

void rewrite_ref(struct rewriter *rw, struct sql_expr *into, struct str alias, struct str name,
                 const struct str *path, size_t n_path) {
    size_t n = (alias.len > 0 ? 2 : 1) + n_path, at = 0;
    struct sql_name *parts = arena_new_array(rw->arena, n, struct sql_name);
    if (parts == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    if (alias.len > 0) parts[at++] = rewrite_named(alias);
    parts[at++] = rewrite_named(name);
    for (size_t i = 0; i < n_path; i++) parts[at++] = rewrite_named(path[i]);
    /* Ours never are; a table's column may be called so, and cannot be named in MaxCompute. */
    for (size_t i = 0; i < n; i++)
        if (rewrite_is_pattern(parts[i].text))
            rw->failed = fail(rw->report, FAIL_DENIED, "SQL_NOT_SUPPORTED", into->span.from,
                              "'" STR_FMT "' cannot be written as the name of a column",
                              STR_ARG(utf8_clip(parts[i].text, 128)));
    into->kind = SQL_REF;
    into->op = SQL_OP_NONE;
    into->negated = false;
    into->ref = (struct sql_names){parts, n};
}

struct sql_expr *rewrite_and(struct rewriter *rw, struct sql_expr *all, struct sql_expr *one) {
    if (all == NULL || one == NULL) return one == NULL ? all : one;
    struct sql_expr *parts[2] = {all, one};
    size_t n = 0, at = 0;
    for (size_t i = 0; i < 2; i++) {
        bool is_chain = parts[i]->kind == SQL_CHAIN && parts[i]->op == SQL_OP_AND;
        n += is_chain ? parts[i]->items.n : 1;
    }
    struct sql_expr *chain = rewrite_node(rw, SQL_CHAIN, SQL_TYPE(BOOLEAN));
    struct sql_expr **items = arena_new_array(rw->arena, n, struct sql_expr *);
    if (chain == NULL || items == NULL) {
        rewrite_no_memory(rw);
        return NULL;
    }
    for (size_t i = 0; i < 2; i++) {
        bool is_chain = parts[i]->kind == SQL_CHAIN && parts[i]->op == SQL_OP_AND;
        for (size_t k = 0; is_chain && k < parts[i]->items.n; k++)
            items[at++] = parts[i]->items.at[k];
        if (!is_chain) items[at++] = parts[i];
    }
    chain->op = SQL_OP_AND;
    chain->items = (struct sql_exprs){items, n};
    return chain;
}

/* -- copies ----------------------------------------------------------------------------------- */

struct ids {
    struct rewriter *rw;
    uint32_t *at;
    size_t n, cap, next;
};

static enum walk take_id(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct ids *ids = with;
    uint32_t *slot = ARENA_PUSH(ids->rw->arena, ids->at, ids->n, ids->cap);
    if (slot == NULL) {
        rewrite_no_memory(ids->rw);
        return WALK_STOP;
    }
    *slot = expr->id;
    return WALK_ON;
}

static enum walk give_id(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct ids *ids = with;
    expr->id = ids->at[ids->next++];
    return WALK_ON;
}

struct sql_expr *rewrite_copy(struct rewriter *rw, struct sql_expr *expr) {
    struct ids ids = {.rw = rw};
    struct sql_expr *copy = sql_copy_expr(rw->arena, expr);
    if (copy == NULL) {
        rewrite_no_memory(rw);
        return NULL;
    }
    (void)sql_walk_expr(expr, &(struct sql_visitor){.expr = take_id, .with = &ids});
    if (rw->failed.why != FAIL_NONE) return NULL;
    (void)sql_walk_expr(copy, &(struct sql_visitor){.expr = give_id, .with = &ids});
    return copy;
}

/* -- columns ---------------------------------------------------------------------------------- */

/* e.f.g for an expression that is no name. */
static struct sql_expr *with_fields(struct rewriter *rw, struct sql_expr *base,
                                    const struct str *path, size_t n_path) {
    for (size_t i = 0; i < n_path && base != NULL; i++) {
        struct sql_expr *field = rewrite_node(rw, SQL_FIELD, SQL_TYPE(UNKNOWN));
        if (field != NULL) {
            field->field.base = base;
            field->field.name = rewrite_named(path[i]);
        }
        base = field;
    }
    return base;
}

/* A node that became another kind of node has an id of ours: by its old one the resolver would tell
 * what it was. Keeps the type. */
static void renew(struct rewriter *rw, struct sql_expr *expr, struct sql_type type) {
    struct ruled *ruled = rw->ruled;
    struct sql_type *place = ARENA_PUSH(rw->arena, ruled->types, ruled->n_types, ruled->cap_types);
    if (place == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    *place = type;
    expr->id = ruled->first_made + (uint32_t)ruled->n_types - 1;
}

/* Puts an expression, and the fields behind it, in the place of a reference. */
static void replace(struct rewriter *rw, struct sql_expr *into, struct sql_expr *by,
                    const struct str *path, size_t n_path) {
    struct sql_type type = ruled_type(rw->ruled, into);
    struct sql_span span = into->span;
    struct sql_expr *whole = with_fields(rw, by, path, n_path);
    if (whole == NULL || NEVER(rw->failed.why != FAIL_NONE)) return;
    *into = *whole;
    into->span = span;
    if (n_path > 0) renew(rw, into, type);
}

static struct sql_expr *new_column(struct rewriter *rw, const struct resolved_column *column) {
    struct sql_expr *expr = rewrite_node(rw, SQL_REF, column->type);
    if (expr != NULL) rewrite_column(rw, expr, column, NULL, 0);
    return expr;
}

/* FULL JOIN … USING (c): whichever side there is. */
static void merged_column(struct rewriter *rw, struct sql_expr *into,
                          const struct resolved_column *column, const struct str *path,
                          size_t n_path) {
    struct sql_expr *call = rewrite_node(rw, SQL_CALL, column->type);
    struct sql_expr **args = arena_new_array(rw->arena, 2, struct sql_expr *);
    struct sql_name *name = arena_new(rw->arena, struct sql_name);
    if (call == NULL || args == NULL || name == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    *name = rewrite_named(STR("coalesce"));
    args[0] = new_column(rw, column->left);
    args[1] = new_column(rw, column->right);
    call->call.name = (struct sql_names){name, 1};
    call->call.args = (struct sql_exprs){args, 2};
    if (rw->failed.why == FAIL_NONE) replace(rw, into, call, path, n_path);
}

void rewrite_column(struct rewriter *rw, struct sql_expr *into,
                    const struct resolved_column *column, const struct str *path, size_t n_path) {
    if (rw->failed.why != FAIL_NONE) return;
    if (column->kind == COLUMN_MERGED) {
        switch (column->source->source->join.kind) {
        case SQL_JOIN_FULL: merged_column(rw, into, column, path, n_path); return;
        case SQL_JOIN_RIGHT: rewrite_column(rw, into, column->right, path, n_path); return;
        case SQL_JOIN_COMMA:
        case SQL_JOIN_CROSS:
        case SQL_JOIN_INNER:
        case SQL_JOIN_LEFT:
        case SQL_JOIN_SEMI:
        case SQL_JOIN_ANTI: rewrite_column(rw, into, column->left, path, n_path); return;
        }
    }
    struct str alias = rw->aliases[column->source->number];
    if (column->kind != COLUMN_BASE) {
        rewrite_ref(rw, into, alias, rewrite_column_name(rw, column), path, n_path);
        return;
    }
    const struct export *export = rewrite_export(rw, column->source, column->index, path, n_path);
    if (NEVER(export == NULL)) {
        /* Nothing that the resolver listed as used is missing; were it, it must not be read. */
        rw->failed = fail(rw->report, FAIL_DENIED, "INTERNAL_ERROR", into->span.from,
                          "a column is read that the statement was not asked for");
        return;
    }
    bool is_split = export->n_path > 0;
    rewrite_ref(rw, into, alias, export->name, path, is_split ? 0 : n_path);
}

/* -- references ------------------------------------------------------------------------------- */

static bool is_ordering(enum sql_clause clause) {
    return clause == SQL_IN_ORDER_BY || clause == SQL_IN_CLUSTER_BY ||
           clause == SQL_IN_DISTRIBUTE_BY || clause == SQL_IN_SORT_BY;
}

/* The bare name would mean just this output. */
static bool is_alone(const struct rewriter *rw, const struct resolved_query *query,
                     const struct resolved_output *output) {
    struct str name = rw->names[output->number];
    if (query != rw->r->root) return true; /* names of inner queries are unique */
    if (rewrite_is_pattern(name)) return false;
    for (size_t i = 0; i < query->n_outputs; i++)
        if (&query->outputs[i] != output && rewrite_is_shown(&query->outputs[i]) &&
            str_ieq(query->outputs[i].name, name))
            return false;
    return true;
}

static enum walk see_with(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    bool *has_with = with;
    if (query->n_ctes > 0) *has_with = true;
    return *has_with ? WALK_STOP : WALK_ON;
}

/* What an output stands for, once more. */
static void repeat_output(struct rewriter *rw, struct sql_expr *into,
                          const struct resolved_output *output, const struct str *path,
                          size_t n_path) {
    struct sql_expr *whole = (struct sql_expr *)(uintptr_t)output->expr; /* a node of our tree */
    bool has_with = false;
    (void)sql_walk_expr(whole, &(struct sql_visitor){.query = see_with, .with = &has_with});
    if (has_with) { /* names of CTEs differ, and a copy's would not */
        rw->failed = fail(rw->report, FAIL_DENIED, "SQL_NOT_SUPPORTED", into->span.from,
                          "the alias of a subquery with WITH cannot be used again");
        return;
    }
    struct sql_expr *copy = rewrite_copy(rw, whole);
    if (copy != NULL) replace(rw, into, copy, path, n_path);
}

static void output_ref(struct rewriter *rw, struct sql_expr *expr, const struct resolved_ref *ref,
                       const struct sql_place *place) {
    const struct resolved_output *output = ref->output;
    const struct resolved_query *query = resolved_query(rw->r, place->block);
    struct str name = rw->names[output->number];
    if (query->query->kind == SQL_SET) {
        rewrite_ref(rw, expr, rw->wraps[query->query->id], name, ref->path, ref->n_path);
        return;
    }
    bool is_key = is_ordering(place->clause) && place->in_expr == NULL &&
                  ALWAYS(ref->n_path == 0); /* an alias has no fields by dots */
    if (is_key && is_alone(rw, query, output)) {
        rewrite_ref(rw, expr, STR_NONE, name, NULL, 0);
        return;
    }
    if (output->column != NULL) {
        rewrite_column(rw, expr, output->column, ref->path, ref->n_path);
        return;
    }
    repeat_output(rw, expr, output, ref->path, ref->n_path);
}

static enum walk see_ref(struct rewriter *rw, struct sql_expr *expr,
                         const struct sql_place *place) {
    const struct resolved_ref *ref = resolved_ref(rw->r, expr);
    switch (ref->kind) {
    case REF_COLUMN: rewrite_column(rw, expr, ref->column, ref->path, ref->n_path); break;
    case REF_OUTPUT: output_ref(rw, expr, ref, place); break;
    case REF_PARAM:
    case REF_CALL: break;
    }
    return rw->failed.why == FAIL_NONE ? WALK_SKIP : WALK_STOP;
}

/* A struct with a denied field is not there as a whole: `(o.ext).device.os` is one column. */
static enum walk see_field(struct rewriter *rw, struct sql_expr *expr) {
    struct str path[SQL_TYPE_NESTING_MAX];
    size_t n = COUNT(path);
    const struct sql_expr *base = expr;
    for (; base->kind == SQL_FIELD && ALWAYS(n > 0);
         base = base->field.base) /* no type is deeper */
        path[--n] = base->field.name.text;
    if (base->kind != SQL_REF) return WALK_ON;
    const struct resolved_ref *ref = resolved_ref(rw->r, base);
    if (NEVER(ref == NULL) || ref->kind != REF_COLUMN || ref->column->kind != COLUMN_BASE)
        return WALK_ON;
    const struct resolved_column *column = ref->column;
    if (column->source->relation->columns[column->index].n_denied_fields == 0) return WALK_ON;
    size_t n_fields = COUNT(path) - n;
    struct str *whole = arena_new_array(rw->arena, ref->n_path + n_fields, struct str);
    if (whole == NULL) {
        rewrite_no_memory(rw);
        return WALK_STOP;
    }
    for (size_t i = 0; i < ref->n_path; i++) whole[i] = ref->path[i];
    memcpy(whole + ref->n_path, path + n, n_fields * sizeof *whole);
    renew(rw, expr, ruled_type(rw->ruled, expr));
    rewrite_column(rw, expr, column, whole, ref->n_path + n_fields);
    return rw->failed.why == FAIL_NONE ? WALK_SKIP : WALK_STOP;
}

/* -- calls ------------------------------------------------------------------------------------ */

/* count(t.*), count(DISTINCT *) and whatever else takes the columns of a star as arguments. */
static void expand_args(struct rewriter *rw, struct sql_call *call) {
    struct sql_expr **args = NULL;
    size_t n = 0, cap = 0;
    for (size_t i = 0; i < call->args.n; i++) {
        struct sql_expr *arg = call->args.at[i];
        const struct resolved_star *star = arg->kind == SQL_STAR ? resolved_star(rw->r, arg) : NULL;
        for (size_t k = 0; star != NULL && k < star->n_columns; k++) {
            if (star->columns[k]->hidden) continue;
            struct sql_expr **place = ARENA_PUSH(rw->arena, args, n, cap);
            struct sql_expr *column = new_column(rw, star->columns[k]);
            if (place == NULL) rewrite_no_memory(rw);
            if (place != NULL) *place = column;
        }
        if (star != NULL) continue;
        struct sql_expr **place = ARENA_PUSH(rw->arena, args, n, cap);
        if (place == NULL) rewrite_no_memory(rw);
        if (place != NULL) *place = arg;
        if (rw->failed.why != FAIL_NONE) return;
    }
    call->args = (struct sql_exprs){args, n};
}

static bool is_count_of_rows(const struct sql_call *call) {
    if (call->distinct || call->args.n != 1 || call->args.at[0]->kind != SQL_STAR) return false;
    const struct sql_star *star = &call->args.at[0]->star;
    /* enforce() has refused REPLACE. */
    return star->qualifier.n == 0 && star->except.n == 0 && ALWAYS(star->n_replace == 0);
}

static bool has_star(const struct sql_call *call) {
    for (size_t i = 0; i < call->args.n; i++)
        if (call->args.at[i]->kind == SQL_STAR) return true;
    return false;
}

void rewrite_metadata(struct rewriter *rw, struct sql_expr *expr,
                      const struct grant_relation *relation, const struct sql_function *function) {
    const struct schema_source *source = rw->r->grant->source;
    bool is_max_pt = strncmp(function->name, "max_pt", 6) == 0;
    if (rw->ruled->dialect == DIALECT_MAXCOMPUTE || !is_max_pt) {
        struct str name = lineage_name_relation(relation->schema, rw->arena);
        if (name.ptr == NULL) rewrite_no_memory(rw);
        expr->call.args.at[0]->literal.text = name;
        return;
    }
    struct str newest = STR_NONE;
    if (source == NULL || source->max_pt == NULL) {
        rw->failed = fail(rw->report, FAIL_BACKEND, "BACKEND_ERROR", expr->span.from,
                          "the newest partition of '" STR_FMT "' cannot be asked for",
                          STR_ARG(relation->schema->name));
        return;
    }
    rw->failed = source->max_pt(source, relation->schema, rw->arena, &newest, rw->report);
    if (rw->failed.why != FAIL_NONE) return;
    expr->kind = SQL_LITERAL;
    expr->literal = (struct sql_literal){newest.ptr == NULL ? SQL_NULL : SQL_STRING, newest};
}

static enum walk see_call(struct rewriter *rw, struct sql_expr *expr) {
    const struct resolved_call *call = resolved_call(rw->r, expr);
    if (call->relation != NULL && ALWAYS(call->function != NULL)) {
        rewrite_metadata(rw, expr, call->relation, call->function);
        return rewrite_on(rw);
    }
    if (!is_count_of_rows(&expr->call) && has_star(&expr->call)) expand_args(rw, &expr->call);
    return rewrite_on(rw);
}

enum walk rewrite_see_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct rewriter *rw = with;
    if (NEVER(expr->id == 0) || expr->id >= rw->ruled->first_made) return WALK_SKIP; /* ours */
    if (expr->kind == SQL_REF) return see_ref(rw, expr, place);
    if (expr->kind == SQL_FIELD) return see_field(rw, expr);
    if (expr->kind == SQL_CALL) return see_call(rw, expr);
    return rewrite_on(rw);
}
