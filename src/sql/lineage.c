/*
 * sql/lineage.c - see lineage.h
 *
 * Base columns of the statement get dense numbers; what an output or a made column depends on is a
 * sorted set of them, made once. Queries come in the order in which each stands behind those it
 * reads, so that going through them once, first their sources and then their outputs, finds nearly
 * every set that is asked for ready-made: chains of CTEs do not become deep recursion.
 */
#include "sql/lineage.h"

#include "base/map.h"

#include <stdlib.h>

struct set {
    const uint32_t *at; /* sorted */
    size_t n;
    bool is_known;
};

struct relation {
    const struct schema_relation *schema;
    struct str name;
    uint32_t first; /* the number of its first column */
};

struct tracer {
    const struct resolved *r;
    struct arena *arena;
    struct report *report;
    struct map by_name;             /* struct relation */
    struct relation **relations;    /* by the number of the source; NULL where it has none */
    struct set *outputs;            /* by the number of the output */
    struct set **made;              /* by the number of the source; its columns' sets or NULL */
    struct str *names;              /* of columns, by number; ptr NULL until asked for */
    const struct relation **owners; /* of columns, by number */
    uint32_t n_columns;
};

/* -- names ------------------------------------------------------------------------------------ */

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* a.b.c in lower case; ptr NULL when the budget is spent. */
static struct str join_dotted(struct arena *arena, const struct str *parts, size_t n) {
    size_t len = n - 1, at = 0;
    for (size_t i = 0; i < n; i++) len += parts[i].len;
    char *text = arena_alloc(arena, len, 1);
    if (text == NULL) return STR_NONE;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) text[at++] = '.';
        for (size_t k = 0; k < parts[i].len; k++) text[at++] = lower(parts[i].ptr[k]);
    }
    return (struct str){text, len};
}

struct str lineage_name_relation(const struct schema_relation *relation, struct arena *arena) {
    if (str_ieq(relation->schema, STR("default")))
        return join_dotted(arena, (struct str[]){relation->project, relation->name}, 2);
    return join_dotted(arena, (struct str[]){relation->project, relation->schema, relation->name},
                       3);
}

struct str lineage_full_name(const struct schema_relation *relation, struct arena *arena) {
    struct str schema = relation->schema.len > 0 ? relation->schema : STR("default");
    return join_dotted(arena, (struct str[]){relation->project, schema, relation->name}, 3);
}

struct str lineage_name_column(const struct schema_relation *relation, uint32_t column,
                               struct arena *arena) {
    struct str table = lineage_full_name(relation, arena);
    if (table.ptr == NULL) return table;
    return join_dotted(arena, (struct str[]){table, relation->columns[column].name}, 2);
}

static result relation_of(struct tracer *t, const struct schema_relation *schema,
                          struct relation **out) {
    struct str name = lineage_full_name(schema, t->arena);
    if (name.ptr == NULL) return fail_memory(t->report);
    *out = map_get(&t->by_name, name);
    if (*out != NULL) return OK;
    *out = arena_new(t->arena, struct relation);
    if (*out == NULL) return fail_memory(t->report);
    **out = (struct relation){.schema = schema, .name = name, .first = t->n_columns};
    t->n_columns += (uint32_t)schema->n_columns;
    return map_put(&t->by_name, name, *out) ? OK : fail_memory(t->report);
}

static result own_columns(struct tracer *t) {
    struct str key;
    void *value;
    t->names = arena_new_array(t->arena, t->n_columns, struct str);
    t->owners = arena_new_array(t->arena, t->n_columns, const struct relation *);
    if (t->names == NULL || t->owners == NULL) return fail_memory(t->report);
    for (size_t at = 0; map_each(&t->by_name, &at, &key, &value);) {
        const struct relation *relation = value;
        for (size_t i = 0; i < relation->schema->n_columns; i++)
            t->owners[relation->first + i] = relation;
    }
    return OK;
}

static result number_relations(struct tracer *t) {
    const struct resolved *r = t->r;
    struct relation *named = NULL;
    t->relations = arena_new_array(t->arena, r->n_sources, struct relation *);
    if (t->relations == NULL) return fail_memory(t->report);
    for (size_t i = 0; i < r->n_sources; i++)
        if (r->sources[i]->relation != NULL)
            TRY(relation_of(t, r->sources[i]->relation->schema, &t->relations[i]));
    for (size_t i = 0; i < r->n_calls; i++)
        if (r->calls[i]->relation != NULL)
            TRY(relation_of(t, r->calls[i]->relation->schema, &named));
    return own_columns(t);
}

static result name_of(struct tracer *t, uint32_t number, struct str *out) {
    struct str *name = &t->names[number];
    const struct relation *relation = t->owners[number];
    if (name->ptr == NULL) {
        struct str column = relation->schema->columns[number - relation->first].name;
        *name = join_dotted(t->arena, (struct str[]){relation->name, column}, 2);
        if (name->ptr == NULL) return fail_memory(t->report);
    }
    *out = *name;
    return OK;
}

static int by_name(const void *a, const void *b) {
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* -- sets ------------------------------------------------------------------------------------- */

struct gathering {
    struct tracer *t;
    uint32_t *at;
    size_t n, cap;
    struct set only; /* while there is one set and nothing else, it is shared */
    size_t n_sets;
    result failed;
};

static int by_number(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static result add_numbers(struct gathering *g, struct set set) {
    for (size_t i = 0; i < set.n; i++) {
        uint32_t *place = ARENA_PUSH(g->t->arena, g->at, g->n, g->cap);
        if (place == NULL) return fail_memory(g->t->report);
        *place = set.at[i];
    }
    return OK;
}

static result gather_set(struct gathering *g, struct set set) {
    if (set.n == 0) return OK;
    if (g->n_sets++ == 0) {
        g->only = set;
        return OK;
    }
    if (g->n == 0) TRY(add_numbers(g, g->only));
    return add_numbers(g, set);
}

static struct set gathered(struct gathering *g) {
    if (g->n_sets <= 1) return (struct set){g->only.at, g->only.n, true};
    size_t n = 0;
    qsort(g->at, g->n, sizeof *g->at, by_number);
    for (size_t i = 0; i < g->n; i++)
        if (n == 0 || g->at[n - 1] != g->at[i]) g->at[n++] = g->at[i];
    return (struct set){g->at, n, true};
}

static result gather_column(struct gathering *g, const struct resolved_column *column);
static result gather_expr(struct gathering *g, const struct sql_expr *expr);

/* -- expressions ------------------------------------------------------------------------------ */

static result gather_outputs(struct gathering *g, const struct resolved_query *query) {
    for (size_t i = 0; i < query->n_outputs; i++)
        if (!query->outputs[i].hidden) TRY(gather_set(g, g->t->outputs[query->outputs[i].number]));
    return OK;
}

static result gather_star(struct gathering *g, const struct resolved_star *star) {
    for (size_t i = 0; i < star->n_columns; i++)
        if (!star->columns[i]->hidden) TRY(gather_column(g, star->columns[i]));
    return OK;
}

static const struct sql_window *defined_window(const struct resolved_query *block,
                                               const struct sql_name *name) {
    const struct sql_select *select = block->query->select;
    for (size_t i = 0; i < select->n_windows; i++)
        if (str_ieq(select->windows[i].name.text, name->text)) return select->windows[i].window;
    return NULL;
}

/* The keys of a window that OVER names; those that OVER holds are walked with the expression. */
static result gather_window(struct gathering *g, const struct sql_expr *call) {
    const struct resolved_query *block = resolved_call(g->t->r, call)->block;
    const struct sql_window *window = call->call.over;
    while (window != NULL && sql_name_given(&window->base)) {
        window = defined_window(block, &window->base);
        if (window == NULL) break;
        for (size_t i = 0; i < window->partition.n; i++)
            TRY(gather_expr(g, window->partition.at[i]));
        for (size_t i = 0; i < window->n_order; i++) TRY(gather_expr(g, window->order[i].expr));
    }
    return OK;
}

static result gather_node(struct gathering *g, const struct sql_expr *expr) {
    const struct resolved *r = g->t->r;
    if (expr->kind == SQL_STAR) return gather_star(g, resolved_star(r, expr));
    if (expr->kind == SQL_REF) {
        const struct resolved_ref *ref = resolved_ref(r, expr);
        return ref != NULL && ref->kind == REF_COLUMN ? gather_column(g, ref->column) : OK;
    }
    if (expr->kind == SQL_CALL && expr->call.over != NULL) return gather_window(g, expr);
    if (expr->kind == SQL_SUBQUERY) return gather_outputs(g, resolved_query(r, expr->query));
    if (expr->kind == SQL_IN_QUERY) return gather_outputs(g, resolved_query(r, expr->in.query));
    return OK;
}

static enum walk see_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct gathering *g = with;
    if (expr->kind == SQL_EXISTS || place->clause == SQL_IN_FILTER) return WALK_SKIP;
    g->failed = gather_node(g, expr);
    return g->failed.why == FAIL_NONE ? WALK_ON : WALK_STOP;
}

/* What a subquery gives is asked of its outputs; its filters do not count. */
static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)query;
    (void)place;
    (void)with;
    return WALK_SKIP;
}

static result gather_expr(struct gathering *g, const struct sql_expr *expr) {
    const struct sql_visitor visitor = {.expr = see_expr, .query = see_query, .with = g};
    /* The walker serves those who change nodes, too; this one only looks. */
    (void)sql_walk_expr((struct sql_expr *)(uintptr_t)expr, &visitor);
    return g->failed;
}

/* -- columns ---------------------------------------------------------------------------------- */

static result gather_made(struct gathering *g, const struct resolved_column *column) {
    const struct sql_source *source = column->source->source;
    if (column->kind == COLUMN_MADE) return gather_expr(g, source->lateral.call);
    if (column->kind == COLUMN_PIVOTED) {
        const struct sql_pivot *pivot = source->pivot;
        TRY(gather_expr(g, pivot->aggregates[column->index % pivot->n_aggregates].expr));
        for (size_t i = 0; i < pivot->columns.n; i++)
            TRY(gather_column(g, resolved_find(column->source->left, pivot->columns.at[i].text)));
        return OK;
    }
    const struct sql_unpivot *unpivot = source->unpivot;
    for (size_t i = 0; i < unpivot->n_in; i++)
        TRY(gather_column(
            g, resolved_find(column->source->left, unpivot->in[i].columns.at[column->index].text)));
    return OK;
}

/* What a column of LATERAL VIEW, PIVOT or UNPIVOT depends on: found once for each. */
static result made_set(struct tracer *t, const struct resolved_column *column, struct set *out) {
    const struct resolved_source *source = column->source;
    struct set **sets = &t->made[source->number];
    if (*sets == NULL) *sets = arena_new_array(t->arena, source->n_columns, struct set);
    if (*sets == NULL) return fail_memory(t->report);
    struct set *set = &(*sets)[column - source->columns];
    if (!set->is_known) {
        struct gathering g = {.t = t};
        TRY(gather_made(&g, column));
        *set = gathered(&g);
    }
    *out = *set;
    return OK;
}

static result gather_base(struct gathering *g, const struct resolved_column *column) {
    uint32_t *number = arena_new(g->t->arena, uint32_t);
    if (number == NULL) return fail_memory(g->t->report);
    *number = g->t->relations[column->source->number]->first + column->index;
    return gather_set(g, (struct set){number, 1, true});
}

static result gather_column(struct gathering *g, const struct resolved_column *column) {
    struct set set = {0};
    switch (column->kind) {
    case COLUMN_BASE: return gather_base(g, column);
    case COLUMN_OUTPUT:
        return gather_set(g, g->t->outputs[column->source->query->outputs[column->index].number]);
    case COLUMN_MERGED: TRY(gather_column(g, column->left)); return gather_column(g, column->right);
    case COLUMN_KEPT: return gather_column(g, column->left);
    case COLUMN_MADE:
    case COLUMN_PIVOTED:
    case COLUMN_TURNED: TRY(made_set(g->t, column, &set)); return gather_set(g, set);
    case COLUMN_VALUE:
    case COLUMN_NAMING: return OK;
    }
    return OK;
}

/* -- sources and outputs, in order ------------------------------------------------------------ */

/* Inputs first: a view over a view finds the other one's sets ready. */
static result trace_source(struct tracer *t, const struct resolved_source *source) {
    struct set ignored;
    if (source == NULL) return OK;
    TRY(trace_source(t, source->left));
    TRY(trace_source(t, source->right));
    for (size_t i = 0; i < source->n_columns; i++) {
        enum resolved_column_kind kind = source->columns[i].kind;
        bool is_made = kind == COLUMN_MADE || kind == COLUMN_PIVOTED || kind == COLUMN_TURNED;
        if (is_made) TRY(made_set(t, &source->columns[i], &ignored));
    }
    return OK;
}

static result trace_outputs(struct tracer *t, const struct resolved_query *query) {
    bool is_set = query->query->kind == SQL_SET;
    for (size_t i = 0; i < query->n_outputs; i++) {
        const struct resolved_output *output = &query->outputs[i];
        struct gathering g = {.t = t};
        for (size_t j = 0; is_set && j < query->query->n_branches; j++)
            TRY(gather_set(&g, t->outputs[query->branches[j]->outputs[i].number]));
        if (output->column != NULL)
            TRY(gather_column(&g, output->column));
        else if (output->expr != NULL)
            TRY(gather_expr(&g, output->expr));
        t->outputs[output->number] = gathered(&g);
    }
    return OK;
}

static result trace_all(struct tracer *t) {
    t->outputs = arena_new_array(t->arena, t->r->n_outputs, struct set);
    t->made = arena_new_array(t->arena, t->r->n_sources, struct set *);
    if (t->outputs == NULL || t->made == NULL) return fail_memory(t->report);
    for (size_t i = 0; i < t->r->n_queries; i++) {
        TRY(trace_source(t, t->r->queries[i]->from));
        TRY(trace_outputs(t, t->r->queries[i]));
    }
    return OK;
}

/* -- the answer ------------------------------------------------------------------------------- */

bool lineage_clause(enum sql_clause clause, enum access_clause *out) {
    switch (clause) {
    case SQL_IN_SELECT:
    case SQL_IN_FILTER:
    case SQL_IN_WITHIN: *out = ACCESS_SELECT; return true;
    case SQL_IN_FROM: /* TABLESAMPLE (… ON c): it chooses rows */
    case SQL_IN_WHERE: *out = ACCESS_WHERE; return true;
    case SQL_IN_LATERAL: *out = ACCESS_LATERAL; return true;
    case SQL_IN_ON: *out = ACCESS_JOIN; return true;
    case SQL_IN_GROUP_BY: *out = ACCESS_GROUP_BY; return true;
    case SQL_IN_HAVING: *out = ACCESS_HAVING; return true;
    case SQL_IN_WINDOW: *out = ACCESS_WINDOW; return true;
    case SQL_IN_QUALIFY: *out = ACCESS_QUALIFY; return true;
    case SQL_IN_ORDER_BY:
    case SQL_IN_CLUSTER_BY:
    case SQL_IN_DISTRIBUTE_BY:
    case SQL_IN_SORT_BY: *out = ACCESS_ORDER_BY; return true;
    case SQL_IN_NOTHING:
    case SQL_IN_WITH:
    case SQL_IN_LIMIT:
    case SQL_IN_SET: return false;
    }
    return false;
}

/* Marked base columns, as names. */
static result list_marked(struct tracer *t, const bool *marks, struct name_list *out) {
    size_t n = 0, taken = 0;
    for (uint32_t i = 0; i < t->n_columns; i++) n += marks[i];
    struct str *names = arena_new_array(t->arena, n, struct str);
    if (names == NULL) return fail_memory(t->report);
    for (uint32_t i = 0; i < t->n_columns; i++)
        if (marks[i]) TRY(name_of(t, i, &names[taken++]));
    qsort(names, n, sizeof *names, by_name);
    *out = (struct name_list){names, n};
    return OK;
}

static result list_access(struct tracer *t, struct lineage *out) {
    size_t n = t->n_columns;
    bool *marks = arena_new_array(t->arena, n * (ACCESS_CLAUSES + 1), bool);
    if (marks == NULL) return fail_memory(t->report);
    for (size_t i = 0; i < t->r->n_uses; i++) {
        const struct resolved_use *use = &t->r->uses[i];
        enum access_clause clause;
        if (use->hidden || !lineage_clause(use->clause, &clause)) continue;
        uint32_t column = t->relations[use->source->number]->first + use->column;
        marks[n * (size_t)clause + column] = marks[n * ACCESS_CLAUSES + column] = true;
    }
    for (size_t i = 0; i < ACCESS_CLAUSES; i++) TRY(list_marked(t, &marks[n * i], &out->access[i]));
    return list_marked(t, &marks[n * ACCESS_CLAUSES], &out->columns);
}

static result list_tables(struct tracer *t, struct name_list *out) {
    struct str key;
    void *value;
    size_t n = 0;
    struct str *names = arena_new_array(t->arena, t->by_name.n_live, struct str);
    if (names == NULL) return fail_memory(t->report);
    for (size_t at = 0; map_each(&t->by_name, &at, &key, &value);) names[n++] = key;
    qsort(names, n, sizeof *names, by_name);
    *out = (struct name_list){names, n};
    return OK;
}

static result list_set(struct tracer *t, struct set set, struct name_list *out) {
    struct str *names = arena_new_array(t->arena, set.n, struct str);
    if (names == NULL) return fail_memory(t->report);
    for (size_t i = 0; i < set.n; i++) TRY(name_of(t, set.at[i], &names[i]));
    qsort(names, set.n, sizeof *names, by_name);
    *out = (struct name_list){names, set.n};
    return OK;
}

static result list_outputs(struct tracer *t, struct lineage *out) {
    const struct resolved_query *root = t->r->root;
    struct guard_output *outputs = arena_new_array(t->arena, root->n_outputs, struct guard_output);
    if (outputs == NULL) return fail_memory(t->report);
    for (size_t i = 0; i < root->n_outputs; i++) {
        const struct resolved_output *output = &root->outputs[i];
        if (output->hidden) continue;
        struct guard_output *place = &outputs[out->n_output++];
        place->name = str_lower(t->arena, output->name);
        if (place->name.ptr == NULL) return fail_memory(t->report);
        TRY(list_set(t, t->outputs[output->number], &place->from));
    }
    out->output = outputs;
    return OK;
}

result lineage_of(const struct resolved *resolved, struct arena *arena, struct lineage *out,
                  struct report *report) {
    struct tracer t = {.r = resolved, .arena = arena, .report = report};
    *out = (struct lineage){0};
    map_init(&t.by_name, arena);
    TRY(number_relations(&t));
    TRY(trace_all(&t));
    TRY(list_tables(&t, &out->tables));
    TRY(list_access(&t, out));
    return list_outputs(&t, out);
}
