/* sql/resolve.c - queries: CTEs, blocks, outputs, set operations; see resolve.h */
#include "base/limits.h"
#include "sql/resolve_inner.h"

#include <assert.h>

/* -- outputs ---------------------------------------------------------------------------------- */

struct output_list {
    struct resolved_output *at;
    size_t n, cap;
};

static result add_output(const struct env *env, struct output_list *list,
                         struct resolved_output output) {
    struct resolver *r = env->r;
    size_t max = r->grant->limits.select_items;
    if (max == 0) max = SQL_SELECT_ITEMS_MAX;
    if (list->n >= max)
        return fail(r->report, FAIL_LIMIT, "SQL_TOO_LARGE", env->query->query->span.from,
                    "more than %zu columns come out of a SELECT", max);
    struct resolved_output *place = ARENA_PUSH(r->arena, list->at, list->n, list->cap);
    if (place == NULL) return fail_memory(r->report);
    *place = output;
    place->number = (uint32_t)r->out->n_outputs++;
    return OK;
}

static result add_star(const struct env *env, const struct resolved_star *star, uint32_t item,
                       const struct sql_expr *expr, struct output_list *list) {
    for (size_t i = 0; i < star->n_columns; i++) {
        const struct resolved_column *column = star->columns[i];
        const struct sql_expr *replaced = star->replaced != NULL ? star->replaced[i] : NULL;
        struct resolved_output output = {.name = column->name,
                                         .is_named = true,
                                         .item = item,
                                         .index = (uint32_t)i,
                                         .type = column->type,
                                         .expr = expr,
                                         .column = column,
                                         .hidden = column->hidden};
        if (replaced != NULL) {
            output.expr = replaced;
            output.column = NULL;
            output.hidden = false;
            output.type = type_of(env, replaced);
        }
        TRY(add_output(env, list, output));
    }
    return OK;
}

/* The name that an expression gives itself; empty: none. */
static struct str own_name(const struct env *env, const struct sql_expr *expr) {
    if (expr->kind == SQL_FIELD) return expr->field.name.text;
    if (expr->kind != SQL_REF) return STR_NONE;
    bool is_call = node_of(env->r, expr->id)->ref->kind == REF_CALL;
    return is_call ? STR_NONE : expr->ref.at[expr->ref.n - 1].text;
}

static result name_output(const struct env *env, const struct sql_item *item, uint32_t index,
                          struct resolved_output *out) {
    if (item->aliases.n > 1)
        return name_error(env->r, item->aliases.at[1].span, "%zu names for one column",
                          item->aliases.n);
    out->name = item->aliases.n == 1 ? item->aliases.at[0].text : own_name(env, item->expr);
    out->is_named = out->name.len > 0;
    if (out->is_named) return OK;
    out->name = str_printf(env->r->arena, "_c%u", index);
    return out->name.ptr != NULL ? OK : fail_memory(env->r->report);
}

/* explode(m) AS (k, v) */
static result add_made(const struct env *env, const struct sql_item *item, uint32_t index,
                       struct output_list *list) {
    struct made_column *made = NULL;
    size_t n_made = 0, n_names = item->aliases.n;
    TRY(resolve_made(env, item->expr, &made, &n_made));
    if (n_names > 0 && n_made > 0 && n_names != n_made)
        return name_error(env->r, item->aliases.at[0].span, "%zu names for %zu columns", n_names,
                          n_made);
    size_t n = n_names > n_made ? n_names : n_made;
    if (n == 0)
        return name_error(env->r, item->expr->span,
                          "it cannot be told which columns come out; name them by AS (…)");
    for (size_t i = 0; i < n; i++) {
        struct resolved_output output = {.is_named = true,
                                         .item = index,
                                         .index = (uint32_t)i,
                                         .expr = item->expr,
                                         .name =
                                             n_names > 0 ? item->aliases.at[i].text : made[i].name};
        if (n_made > 0) output.type = made[i].type;
        TRY(add_output(env, list, output));
    }
    return OK;
}

/* A function that we do not know may be one, where its columns are listed. */
static bool makes_rows(const struct env *env, const struct sql_item *item) {
    if (item->expr->kind != SQL_CALL) return false;
    const struct sql_function *function = node_of(env->r, item->expr->id)->call->function;
    return function != NULL ? function->kind == FUNCTION_TABLE : item->listed;
}

static result resolve_item(const struct env *env, const struct sql_select *select, uint32_t index,
                           struct output_list *list) {
    const struct sql_item *item = &select->items[index];
    const struct resolved_star *star = NULL;
    struct resolved_output output = {.item = index, .expr = item->expr};
    size_t before = env->tally->n_aggregates;
    if (item->expr->kind == SQL_STAR) TRY(resolve_star(env, item->expr, &star));
    if (item->expr->kind == SQL_REF) TRY(resolve_pattern(env, item->expr, &star));
    if (star != NULL) return add_star(env, star, index, item->expr, list);
    TRY(resolve_expr(env, item->expr));
    if (makes_rows(env, item)) return add_made(env, item, index, list);
    TRY(name_output(env, item, index, &output));
    output.type = type_of(env, item->expr);
    output.has_aggregate = env->tally->n_aggregates > before;
    return add_output(env, list, output);
}

static result resolve_items(const struct env *env, const struct sql_select *select) {
    struct env inside = *env;
    struct output_list list = {0};
    inside.clause = SQL_IN_SELECT;
    inside.may_make_rows = select->n_items == 1;
    for (size_t i = 0; i < select->n_items; i++)
        TRY(resolve_item(&inside, select, (uint32_t)i, &list));
    env->query->outputs = list.at;
    env->query->n_outputs = list.n;
    return OK;
}

/* -- clauses ---------------------------------------------------------------------------------- */

static result resolve_where(const struct env *env, struct sql_expr *where) {
    struct env inside = *env;
    inside.clause = SQL_IN_WHERE;
    inside.no_aggregate = inside.no_window = "WHERE";
    return where != NULL ? resolve_expr(&inside, where) : OK;
}

static result resolve_groups(const struct env *env, const struct sql_group *groups, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (groups[i].expr != NULL) TRY(resolve_expr(env, groups[i].expr));
        TRY(resolve_groups(env, groups[i].items, groups[i].n_items));
    }
    return OK;
}

static result resolve_group_by(const struct env *env, const struct sql_group_by *group_by) {
    struct env inside = *env;
    inside.clause = SQL_IN_GROUP_BY;
    inside.aliases = ALIAS_LAST;
    inside.no_aggregate = inside.no_window = "GROUP BY";
    TRY(resolve_groups(&inside, group_by->items, group_by->n_items));
    return resolve_groups(&inside, group_by->sets, group_by->n_sets);
}

static result resolve_having(const struct env *env, struct sql_expr *having) {
    struct env inside = *env;
    inside.clause = SQL_IN_HAVING;
    inside.aliases = ALIAS_LAST;
    inside.no_window = "HAVING";
    return having != NULL ? resolve_expr(&inside, having) : OK;
}

static result resolve_qualify(const struct env *env, struct sql_expr *qualify) {
    struct env inside = *env;
    inside.clause = SQL_IN_QUALIFY;
    inside.aliases = ALIAS_LAST;
    if (qualify == NULL) return OK;
    TRY(resolve_expr(&inside, qualify));
    if (env->tally->n_windows > 0) return OK;
    return name_error(env->r, qualify->span, "QUALIFY without a window function in its SELECT");
}

static result resolve_select(struct env *env, struct sql_select *select) {
    struct resolved_query *query = env->query;
    struct env in_from = *env;
    in_from.clause = SQL_IN_FROM;
    if (select->from != NULL) TRY(resolve_source(&in_from, select->from, &query->from));
    env->from = query->from;
    TRY(resolve_where(env, select->where));
    TRY(resolve_items(env, select));
    TRY(resolve_group_by(env, &select->group_by));
    TRY(resolve_having(env, select->having));
    TRY(resolve_window_defs(env, select));
    return resolve_qualify(env, select->qualify);
}

/* -- set operations --------------------------------------------------------------------------- */

static result check_branch(const struct env *env, const struct resolved_query *first,
                           const struct resolved_query *other) {
    bool is_even = first->n_outputs == other->n_outputs, has_hidden = false;
    for (size_t i = 0; i < first->n_outputs; i++) {
        has_hidden = has_hidden || first->outputs[i].hidden;
        if (is_even && first->outputs[i].hidden != other->outputs[i].hidden) has_hidden = true;
        is_even = is_even && first->outputs[i].hidden == other->outputs[i].hidden;
    }
    for (size_t i = 0; i < other->n_outputs; i++)
        has_hidden = has_hidden || other->outputs[i].hidden;
    if (is_even) return OK;
    if (!has_hidden)
        return name_error(env->r, other->query->span,
                          "branches of a set operation with %zu and %zu columns", first->n_outputs,
                          other->n_outputs);
    result failed =
        fail(env->r->report, FAIL_DENIED, "SELECT_STAR_NOT_ALLOWED", other->query->span.from,
             "a star leaves out columns, and the branches of the set operation no longer meet");
    fail_hint(env->r->report, "Name the columns of each branch.");
    return failed;
}

static result set_outputs(const struct env *env, const struct resolved_query *query) {
    struct output_list list = {0};
    const struct resolved_query *first = query->branches[0];
    for (size_t i = 0; i < first->n_outputs; i++) {
        struct resolved_output output = first->outputs[i];
        output.expr = NULL;
        output.column = NULL;
        output.has_aggregate = false;
        output.item = (uint32_t)i;
        for (size_t j = 1; j < query->query->n_branches; j++)
            output.type = sql_type_common(&output.type, &query->branches[j]->outputs[i].type);
        TRY(add_output(env, &list, output));
    }
    env->query->outputs = list.at;
    env->query->n_outputs = list.n;
    return OK;
}

static result resolve_set(const struct env *env, struct sql_query *query) {
    struct resolved_query *made = env->query;
    made->branches = arena_new_array(env->r->arena, query->n_branches, struct resolved_query *);
    if (made->branches == NULL) return fail_memory(env->r->report);
    for (size_t i = 0; i < query->n_branches; i++) {
        TRY(resolve_query(env->r, query->branches[i], env->outer, env->ctes, &made->branches[i]));
        TRY(check_branch(env, made->branches[0], made->branches[i]));
        made->is_correlated = made->is_correlated || made->branches[i]->is_correlated;
    }
    return set_outputs(env, made);
}

/* -- what stands behind ----------------------------------------------------------------------- */

static result check_limit(const struct env *env, struct sql_expr *expr, const char *what) {
    if (expr == NULL) return OK;
    uint64_t value;
    if (expr->kind == SQL_LITERAL && expr->literal.kind == SQL_INTEGER &&
        str_to_u64(expr->literal.text, &value))
        return resolve_expr(env, expr);
    return fail(env->r->report, FAIL_DENIED, "LIMIT_MUST_BE_LITERAL", expr->span.from,
                "%s is no integer literal", what);
}

static result resolve_tail(const struct env *env, const struct sql_tail *tail) {
    struct env inside = *env;
    inside.aliases = ALIAS_FIRST;
    if (env->query->query->kind == SQL_SET) {
        inside.outer = NULL; /* the whole has outputs, and no input */
        inside.no_aggregate = inside.no_window = "ORDER BY of a set operation";
    }
    inside.clause = SQL_IN_ORDER_BY;
    TRY(resolve_orders(&inside, tail->order, tail->n_order));
    inside.clause = SQL_IN_CLUSTER_BY;
    TRY(resolve_exprs(&inside, &tail->cluster));
    inside.clause = SQL_IN_DISTRIBUTE_BY;
    TRY(resolve_exprs(&inside, &tail->distribute));
    inside.clause = SQL_IN_SORT_BY;
    TRY(resolve_orders(&inside, tail->sort, tail->n_sort));
    if (tail->zorder.n > 0)
        return not_supported(env->r, tail->zorder.at[0].span, "ZORDER BY in a query");
    inside.clause = SQL_IN_LIMIT;
    TRY(check_limit(&inside, tail->limit.count, "LIMIT"));
    return check_limit(&inside, tail->limit.offset, "OFFSET");
}

/* -- queries ---------------------------------------------------------------------------------- */

static result check_cte_names(struct resolver *r, const struct resolved_cte *cte) {
    const struct sql_names *names = &cte->cte->columns;
    size_t shown = 0;
    for (size_t i = 0; i < cte->query->n_outputs; i++) shown += !cte->query->outputs[i].hidden;
    if (names->n == 0 || names->n == shown) return OK;
    return name_error(r, names->at[0].span, "%zu names for %zu columns", names->n, shown);
}

/* A CTE sees those before it; in its own body its name means whatever it means outside. */
static result resolve_ctes(struct resolver *r, struct sql_query *query, struct cte_scope *scope) {
    for (size_t i = 0; i < query->n_ctes; i++) {
        const struct sql_cte *cte = &query->ctes[i];
        for (size_t j = 0; j < i; j++)
            if (str_ieq(query->ctes[j].name.text, cte->name.text))
                return name_error(r, cte->name.span, "WITH: '" STR_FMT "' is defined twice",
                                  STR_ARG(utf8_clip(cte->name.text, 128)));
        scope->ctes[i].cte = cte;
        TRY(resolve_query(r, cte->query, NULL, scope, &scope->ctes[i].query));
        TRY(check_cte_names(r, &scope->ctes[i]));
        scope->n = i + 1;
    }
    return OK;
}

static result resolve_body(struct env *env, struct sql_query *query) {
    struct tally tally = {0};
    env->tally = &tally;
    if (query->kind == SQL_SELECT)
        TRY(resolve_select(env, query->select));
    else if (query->kind == SQL_SET)
        TRY(resolve_set(env, query));
    else
        return not_supported(env->r, query->span, "a query of an unknown kind");
    TRY(resolve_tail(env, &query->tail));
    if (query->kind == SQL_SET) return OK;
    env->query->has_window = tally.n_windows > 0;
    env->query->is_grouped = tally.n_aggregates > 0 || query->select->group_by.n_items > 0 ||
                             query->select->having != NULL;
    return OK;
}

result resolve_query(struct resolver *r, struct sql_query *query, const struct env *outer,
                     const struct cte_scope *ctes, struct resolved_query **out) {
    struct resolved_query *made = arena_new(r->arena, struct resolved_query);
    if (made == NULL) return fail_memory(r->report);
    made->query = query;
    made->outer = outer != NULL ? outer->query : NULL;
    made->n_ctes = query->n_ctes;
    made->ctes = arena_new_array(r->arena, query->n_ctes, struct resolved_cte);
    if (made->ctes == NULL) return fail_memory(r->report);
    node_of(r, query->id)->query = made;
    *out = made;
    struct cte_scope scope = {.outer = ctes, .ctes = made->ctes};
    struct env env = {.r = r, .outer = outer, .query = made, .ctes = &scope};
    TRY(resolve_ctes(r, query, &scope));
    TRY(resolve_body(&env, query));
    struct resolved_query **place =
        ARENA_PUSH(r->arena, r->out->queries, r->out->n_queries, r->cap_queries);
    if (place == NULL) return fail_memory(r->report);
    *place = made;
    return OK;
}

/* -- doors ------------------------------------------------------------------------------------ */

static result resolver_init(struct resolver *r, size_t n_ids, const struct grant *grant,
                            struct arena *arena, struct report *report) {
    *r = (struct resolver){.arena = arena, .grant = grant, .report = report};
    r->out = arena_new(arena, struct resolved);
    if (r->out == NULL) return fail_memory(report);
    r->out->grant = grant;
    r->out->n_nodes = n_ids + 1;
    r->out->nodes = arena_new_array(arena, n_ids + 1, struct resolved_node);
    return r->out->nodes != NULL ? OK : fail_memory(report);
}

result sql_resolve(struct sql_query *root, const struct grant *grant, struct arena *arena,
                   struct resolved **out, struct report *report) {
    struct resolver r;
    struct report inner = {0};
    TRY(resolver_init(&r, root->n_ids, grant, arena, report));
    r.report = &inner;
    result failed = resolve_query(&r, root, NULL, NULL, &r.out->root);
    *out = r.out;
    if (failed.why == FAIL_NONE) return OK;
    /* Whatever is wrong behind a relation that is not granted: an unknown one would have stopped us
     * at its name, so that another answer would tell that this one exists, and what columns it has.
     */
    bool is_ours =
        failed.why == FAIL_INPUT || failed.why == FAIL_DENIED || failed.why == FAIL_LIMIT;
    if (is_ours && r.out->denied != NULL) return sql_refuse_table(r.out->denied_as, report);
    if (report != NULL && report->why == FAIL_NONE) *report = inner;
    return failed;
}

static enum walk see_id(struct sql_expr *expr, const struct sql_place *place, void *with) {
    uint32_t *max = with;
    (void)place;
    if (expr->id > *max) *max = expr->id;
    return WALK_ON;
}

/* A block of nothing but the relation, for the environment to stand in. */
static result lone_source(struct resolver *r, const struct grant_relation *relation,
                          struct resolved_query **block) {
    struct sql_query *query = arena_new(r->arena, struct sql_query);
    struct sql_select *select = arena_new(r->arena, struct sql_select);
    struct sql_source *source = arena_new(r->arena, struct sql_source);
    *block = arena_new(r->arena, struct resolved_query);
    if (query == NULL || select == NULL || source == NULL || *block == NULL)
        return fail_memory(r->report);
    query->kind = SQL_SELECT;
    query->select = select;
    source->kind = SQL_TABLE;
    (*block)->query = query;
    TRY(source_new(r, source, *block, &(*block)->from));
    (*block)->from->is_aliased = true;
    TRY(source_of_relation(r, relation, (*block)->from));
    return scope_index(r, (*block)->from);
}

result sql_resolve_over(struct sql_expr *expr, const struct grant_relation *relation,
                        const struct grant *grant, struct arena *arena, struct resolved **out,
                        struct report *report) {
    struct resolver r;
    uint32_t n_ids = 0;
    struct resolved_query *block = NULL;
    (void)sql_walk_expr(expr, &(struct sql_visitor){.expr = see_id, .with = &n_ids});
    TRY(resolver_init(&r, n_ids, grant, arena, report));
    r.is_of_policy = true;
    TRY(lone_source(&r, relation, &block));
    const char *where = "an expression of the policy";
    struct env env = {.r = &r,
                      .query = block,
                      .from = block->from,
                      .clause = SQL_IN_WHERE,
                      .no_aggregate = where,
                      .no_window = where,
                      .no_query = where};
    *out = r.out;
    return resolve_expr(&env, expr);
}

/* -- asking ----------------------------------------------------------------------------------- */

static const struct resolved_node *node(const struct resolved *r, uint32_t id) {
    assert(id > 0 && id < r->n_nodes);
    return &r->nodes[id];
}

const struct resolved_ref *resolved_ref(const struct resolved *r, const struct sql_expr *ref) {
    assert(ref->kind == SQL_REF);
    return node(r, ref->id)->is_star ? NULL : node(r, ref->id)->ref;
}

const struct resolved_star *resolved_star(const struct resolved *r, const struct sql_expr *star) {
    assert(star->kind == SQL_STAR || star->kind == SQL_REF);
    bool is_one = star->kind == SQL_STAR || node(r, star->id)->is_star;
    return is_one ? node(r, star->id)->star : NULL;
}

const struct resolved_call *resolved_call(const struct resolved *r, const struct sql_expr *call) {
    assert(call->kind == SQL_CALL);
    return node(r, call->id)->call;
}

struct resolved_query *resolved_query(const struct resolved *r, const struct sql_query *query) {
    return node(r, query->id)->query;
}

struct resolved_source *resolved_source(const struct resolved *r, const struct sql_source *source) {
    return node(r, source->id)->source;
}

struct sql_type resolved_type(const struct resolved *r, const struct sql_expr *expr) {
    bool is_known = expr->id > 0 && expr->id < r->n_nodes;
    return is_known ? r->nodes[expr->id].type : SQL_TYPE(UNKNOWN);
}

const struct resolved_column *resolved_find(const struct resolved_source *source, struct str name) {
    struct found_column found = scope_find(source, false, name);
    return found.n == 1 ? found.column : NULL;
}

const struct resolved_column *output_column(const struct resolved *r,
                                            const struct resolved_output *output) {
    if (output->column != NULL) return output->column;
    if (output->expr == NULL || output->expr->kind != SQL_REF) return NULL;
    const struct resolved_ref *ref = resolved_ref(r, output->expr);
    bool is_plain = ref != NULL && ref->kind == REF_COLUMN && ref->n_path == 0 && ref->depth == 0;
    return is_plain ? ref->column : NULL;
}

const struct resolved_column *resolved_base(const struct resolved *r,
                                            const struct resolved_column *column) {
    while (column != NULL) {
        switch (column->kind) {
        case COLUMN_BASE: return column;
        case COLUMN_OUTPUT:
            column = output_column(r, &column->source->query->outputs[column->index]);
            break;
        case COLUMN_KEPT: column = column->left; break;
        case COLUMN_VALUE:
        case COLUMN_MADE:
        case COLUMN_MERGED:
        case COLUMN_PIVOTED:
        case COLUMN_NAMING:
        case COLUMN_TURNED: return NULL;
        }
    }
    return NULL;
}
