/* sql/resolve_call.c - calls, windows, lambdas; see resolve_inner.h */
#include "sql/resolve_inner.h"

static struct str shown_name(const struct sql_call *call) {
    return call->name.n == 0 ? STR_NONE : utf8_clip(call->name.at[call->name.n - 1].text, 128);
}

/* A built-in, or NULL for whatever else has this name: check refuses it unless the grant lists it.
 */
static const struct sql_function *builtin_of(const struct sql_call *call) {
    if (call->name.n != 1) return NULL;
    switch (call->prefix) {
    case SQL_CALL_PLAIN:
    case SQL_CALL_BUILTIN: return sql_function_find(call->name.at[0].text);
    case SQL_CALL_DOT:
    case SQL_CALL_COLON: return NULL;
    }
    return NULL;
}

/* -- what the call may be, where it stands ---------------------------------------------------- */

static result check_aggregate(const struct env *env, const struct sql_expr *expr) {
    struct str name = shown_name(&expr->call);
    if (env->in_aggregate)
        return name_error(env->r, expr->span, "aggregate '" STR_FMT "' inside an aggregate",
                          STR_ARG(name));
    if (env->no_aggregate != NULL)
        return name_error(env->r, expr->span, "aggregate '" STR_FMT "' in %s", STR_ARG(name),
                          env->no_aggregate);
    env->tally->n_aggregates++;
    return OK;
}

static result check_window(const struct env *env, const struct sql_expr *expr) {
    struct str name = shown_name(&expr->call);
    if (env->in_aggregate)
        return name_error(env->r, expr->span, "window function '" STR_FMT "' inside an aggregate",
                          STR_ARG(name));
    if (env->no_window != NULL)
        return name_error(env->r, expr->span, "window function '" STR_FMT "' in %s", STR_ARG(name),
                          env->no_window);
    env->tally->n_windows++;
    return OK;
}

static result check_place(const struct env *env, const struct sql_expr *expr,
                          const struct sql_function *function) {
    const struct sql_call *call = &expr->call;
    struct str name = shown_name(call);
    if (call->over != NULL) TRY(check_window(env, expr));
    if (function == NULL) return OK;
    switch (function->kind) {
    case FUNCTION_SCALAR:
    case FUNCTION_AGGREGATE:
        if (call->over != NULL)
            return name_error(env->r, expr->span, "'" STR_FMT "' cannot have OVER", STR_ARG(name));
        return function->kind == FUNCTION_SCALAR ? OK : check_aggregate(env, expr);
    case FUNCTION_AGGREGATE_WINDOW: return call->over != NULL ? OK : check_aggregate(env, expr);
    case FUNCTION_WINDOW:
        if (call->over != NULL) return OK;
        return name_error(env->r, expr->span, "'" STR_FMT "' needs OVER", STR_ARG(name));
    case FUNCTION_TABLE:
        if (env->may_make_rows && call->over == NULL) return OK;
        return name_error(env->r, expr->span,
                          "'" STR_FMT "' makes rows: it stands in LATERAL VIEW, or alone in SELECT",
                          STR_ARG(name));
    }
    return OK;
}

static result check_count(const struct env *env, const struct sql_expr *expr,
                          const struct sql_function *function) {
    size_t n = expr->call.args.n;
    if (function == NULL || sql_function_takes(function, n)) return OK;
    if (function->max_args == FUNCTION_ARGS_ANY)
        return name_error(env->r, expr->span, "'%s' takes at least %u arguments, not %zu",
                          function->name, function->min_args, n);
    if (function->max_args == function->min_args)
        return name_error(env->r, expr->span, "'%s' takes %u arguments, not %zu", function->name,
                          function->min_args, n);
    return name_error(env->r, expr->span, "'%s' takes %u to %u arguments, not %zu", function->name,
                      function->min_args, function->max_args, n);
}

/* -- windows ---------------------------------------------------------------------------------- */

static result find_window(const struct env *env, const struct sql_name *name, size_t before) {
    const struct sql_select *select = env->query->query->select;
    bool is_block = env->query->query->kind == SQL_SELECT;
    for (size_t i = 0; is_block && i < select->n_windows && i < before; i++)
        if (str_ieq(select->windows[i].name.text, name->text)) return OK;
    return name_error(env->r, name->span, "no window '" STR_FMT "' is defined here",
                      STR_ARG(utf8_clip(name->text, 128)));
}

static result resolve_spec(const struct env *env, const struct sql_window *window,
                           size_t n_defined) {
    struct env inside = *env;
    inside.clause = SQL_IN_WINDOW;
    inside.no_window = "a window";
    inside.may_make_rows = false;
    if (env->aliases == ALIAS_FIRST) inside.aliases = ALIAS_LAST; /* its keys are no sort keys */
    if (sql_name_given(&window->base)) TRY(find_window(env, &window->base, n_defined));
    TRY(resolve_exprs(&inside, &window->partition));
    TRY(resolve_orders(&inside, window->order, window->n_order));
    if (window->frame == NULL) return OK;
    if (window->frame->start.expr != NULL) TRY(resolve_expr(&inside, window->frame->start.expr));
    if (window->frame->end.expr != NULL) TRY(resolve_expr(&inside, window->frame->end.expr));
    return OK;
}

result resolve_window(const struct env *env, const struct sql_window *window) {
    return resolve_spec(env, window, SIZE_MAX);
}

result resolve_window_defs(const struct env *env, const struct sql_select *select) {
    for (size_t i = 0; i < select->n_windows; i++) {
        const struct sql_name *name = &select->windows[i].name;
        for (size_t j = 0; j < i; j++)
            if (str_ieq(select->windows[j].name.text, name->text))
                return name_error(env->r, name->span, "window '" STR_FMT "' is defined twice",
                                  STR_ARG(utf8_clip(name->text, 128)));
        /* A definition sees the earlier ones only: no circle can be written. */
        TRY(resolve_spec(env, select->windows[i].window, i));
    }
    return OK;
}

/* -- arguments -------------------------------------------------------------------------------- */

/* The first parameter of a lambda over an array is an element of it; over a map they are a key and
 * its value; of array_reduce(a, init, merge, last) what was made so far, and an element. */
static void type_params(const struct env *env, const struct sql_call *call,
                        const struct sql_expr *lambda, struct param_scope *params) {
    const struct sql_exprs *args = &call->args;
    if (args->n == 0 || args->at[0]->kind == SQL_LAMBDA) return;
    struct sql_type over = type_of(env, args->at[0]);
    bool is_array = over.kind == SQL_TYPE_ARRAY && over.element != NULL;
    bool is_map = over.kind == SQL_TYPE_MAP && over.key != NULL && over.element != NULL;
    if (args->n == 2 && is_array) params->first = *over.element;
    if (args->n == 2 && is_map) params->first = *over.key;
    if (args->n == 2 && is_map) params->second = *over.element;
    if (args->n != 4 || args->at[1]->kind == SQL_LAMBDA) return;
    params->first = type_of(env, args->at[1]);
    if (is_array && lambda == args->at[2]) params->second = *over.element;
}

static result resolve_lambda(const struct env *env, const struct sql_call *call,
                             struct sql_expr *lambda) {
    struct param_scope params = {.outer = env->params, .names = &lambda->lambda.params};
    struct env inside = *env;
    type_params(env, call, lambda, &params);
    inside.params = &params;
    inside.no_query = "a lambda";
    inside.no_aggregate = "a lambda";
    inside.no_window = "a lambda";
    TRY(resolve_expr(&inside, lambda->lambda.body));
    node_of(env->r, lambda->id)->type = type_of(env, lambda->lambda.body);
    return OK;
}

/* count(*) counts rows and touches nothing; count(t.*), count(DISTINCT *) and f(*) are stars. */
static bool counts_rows(const struct sql_function *function, const struct sql_call *call) {
    const struct sql_expr *star = call->args.at[0];
    return function != NULL && str_eq(str_of(function->name), STR("count")) && !call->distinct &&
           call->args.n == 1 && star->star.qualifier.n == 0 && star->star.except.n == 0 &&
           star->star.n_replace == 0;
}

static result resolve_star_arg(const struct env *env, const struct sql_function *function,
                               const struct sql_call *call, struct sql_expr *star) {
    const struct resolved_star *ignored = NULL;
    if (!counts_rows(function, call)) return resolve_star(env, star, &ignored);
    struct resolved_star *nothing = arena_new(env->r->arena, struct resolved_star);
    if (nothing == NULL) return fail_memory(env->r->report);
    node_of(env->r, star->id)->star = nothing;
    return OK;
}

static result resolve_args(const struct env *env, const struct sql_function *function,
                           const struct sql_call *call) {
    for (size_t i = 0; i < call->args.n; i++) {
        struct sql_expr *arg = call->args.at[i];
        if (arg->kind == SQL_STAR)
            TRY(resolve_star_arg(env, function, call, arg));
        else if (arg->kind == SQL_LAMBDA)
            TRY(resolve_lambda(env, call, arg));
        else
            TRY(resolve_expr(env, arg));
    }
    return OK;
}

/* -- functions with side knowledge --------------------------------------------------------------
 */

/* max_pt('project.table'): the relation, when the argument is a constant that names a known one. */
static result find_named_relation(const struct env *env, const struct sql_call *call,
                                  const struct grant_relation **out) {
    struct str parts[3], rest;
    size_t n = 0;
    const struct sql_expr *first = call->args.n > 0 ? call->args.at[0] : NULL;
    if (first == NULL || first->kind != SQL_LITERAL || first->literal.kind != SQL_STRING) return OK;
    for (rest = first->literal.text; rest.ptr != NULL && n < 3;) {
        parts[n] = str_lower(env->r->arena, str_cut(&rest, '.'));
        if (parts[n].ptr == NULL) return fail_memory(env->r->report);
        if (parts[n].len == 0) return OK;
        n++;
    }
    return rest.ptr != NULL || n == 0 ? OK : find_relation(env->r, parts, n, out);
}

/* -- the call --------------------------------------------------------------------------------- */

static result note_call(const struct env *env, const struct sql_expr *expr,
                        const struct sql_function *function, struct resolved_call **out) {
    struct resolver *r = env->r;
    struct resolved_call *call = arena_new(r->arena, struct resolved_call);
    struct resolved_call **place =
        ARENA_PUSH(r->arena, r->out->calls, r->out->n_calls, r->cap_calls);
    if (call == NULL || place == NULL) return fail_memory(r->report);
    *call = (struct resolved_call){
        .expr = expr, .function = function, .block = env->query, .clause = env->clause};
    *place = call;
    *out = call;
    return OK;
}

/* named_struct('a', x, 'b', y), struct(x, y): the fields col1, col2. UNKNOWN when a name is no
 * constant. */
static result struct_type(const struct env *env, const struct sql_call *call, bool is_named,
                          struct sql_type *out) {
    struct arena *arena = env->r->arena;
    size_t step = is_named ? 2 : 1, n = call->args.n / step;
    if (is_named && call->args.n % 2 != 0) return OK;
    struct sql_field *fields = arena_new_array(arena, n, struct sql_field);
    if (fields == NULL) return fail_memory(env->r->report);
    for (size_t i = 0; i < n; i++) {
        const struct sql_expr *name = call->args.at[i * step];
        bool is_constant = name->kind == SQL_LITERAL && name->literal.kind == SQL_STRING;
        if (is_named && !is_constant) return OK;
        fields[i].name = is_named ? name->literal.text : str_printf(arena, "col%zu", i + 1);
        if (fields[i].name.ptr == NULL && !is_named) return fail_memory(env->r->report);
        fields[i].type = type_of(env, call->args.at[i * step + step - 1]);
    }
    *out = (struct sql_type){.kind = SQL_TYPE_STRUCT, .fields = fields, .n_fields = (uint32_t)n};
    return OK;
}

static result set_type(const struct env *env, const struct sql_expr *expr,
                       const struct sql_function *function) {
    size_t n = expr->call.args.n;
    if (function == NULL) return OK;
    bool is_named = str_eq(str_of(function->name), STR("named_struct"));
    if (is_named || str_eq(str_of(function->name), STR("struct")))
        return struct_type(env, &expr->call, is_named, &node_of(env->r, expr->id)->type);
    struct sql_type *types = arena_new_array(env->r->arena, n, struct sql_type);
    if (types == NULL) return fail_memory(env->r->report);
    for (size_t i = 0; i < n; i++) types[i] = type_of(env, expr->call.args.at[i]);
    return sql_function_type(function, types, n, env->r->arena, &node_of(env->r, expr->id)->type,
                             env->r->report);
}

static result resolve_parts(const struct env *env, const struct sql_call *call,
                            const struct sql_function *function) {
    struct env inside = *env;
    inside.may_make_rows = false;
    if (function != NULL && sql_function_is_aggregate(function) && call->over == NULL)
        inside.in_aggregate = true;
    if (call->over != NULL) inside.no_window = "a window function";
    TRY(resolve_args(&inside, function, call));
    TRY(resolve_orders(&inside, call->within, call->n_within));
    return call->filter != NULL ? resolve_expr(&inside, call->filter) : OK;
}

/* Where the columns of an aggregate come from. */
struct origins {
    struct resolver *r;
    bool has_own, has_outer;
};

static enum walk see_origin(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct origins *origins = with;
    (void)place;
    if (expr->kind == SQL_STAR) origins->has_own = true;
    if (expr->kind != SQL_REF) return WALK_ON;
    const struct resolved_node *node = node_of(origins->r, expr->id);
    const struct resolved_ref *ref = node->is_star ? NULL : node->ref;
    bool is_outer = ref != NULL && ref->kind == REF_COLUMN && ref->depth > 0;
    *(is_outer ? &origins->has_outer : &origins->has_own) = true;
    return WALK_ON;
}

static enum walk skip_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)query;
    (void)place;
    (void)with;
    return WALK_SKIP;
}

/* An aggregate over nothing but columns of an outer query: standard SQL computes it out there, over
 * other rows than those who read it as it stands. Nobody is left to guess. */
static result check_origins(const struct env *env, struct sql_expr *expr) {
    struct origins origins = {.r = env->r};
    if (env->outer == NULL) return OK;
    (void)sql_walk_expr(
        expr, &(struct sql_visitor){.expr = see_origin, .query = skip_query, .with = &origins});
    if (!origins.has_outer || origins.has_own) return OK;
    result failed = not_supported(env->r, expr->span,
                                  "aggregate '" STR_FMT "' over columns of an outer query only",
                                  STR_ARG(shown_name(&expr->call)));
    fail_hint(env->r->report, "Compute it in a derived table of the outer query.");
    return failed;
}

result resolve_call(const struct env *env, struct sql_expr *expr) {
    const struct sql_call *call = &expr->call;
    const struct sql_function *function = builtin_of(call);
    struct resolved_call *noted = NULL;
    TRY(check_place(env, expr, function));
    TRY(check_count(env, expr, function));
    TRY(note_call(env, expr, function, &noted));
    TRY(resolve_parts(env, call, function));
    if (function != NULL && sql_function_is_aggregate(function) && call->over == NULL)
        TRY(check_origins(env, expr));
    if (call->over != NULL) TRY(resolve_window(env, call->over));
    if (function != NULL && (function->flags & FUNCTION_METADATA) != 0)
        TRY(find_named_relation(env, call, &noted->relation));
    node_of(env->r, expr->id)->call = noted;
    return set_type(env, expr, function);
}

result resolve_bare_call(const struct env *env, const struct sql_expr *expr,
                         const struct resolved_call **out, struct sql_type *type) {
    const struct sql_function *function = sql_function_find(expr->ref.at[0].text);
    struct resolved_call *noted = NULL;
    if (function == NULL || (function->flags & FUNCTION_BARE) == 0) return OK;
    TRY(note_call(env, expr, function, &noted));
    *out = noted;
    return sql_function_type(function, NULL, 0, env->r->arena, type, env->r->report);
}
