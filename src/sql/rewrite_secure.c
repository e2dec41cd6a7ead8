/*
 * Secured tables. Invariants:
 *   1. A secured table reads one relation and nothing else; its columns are allowed ones, as they
 *      are or as their masks.
 *   2. Its WHERE holds every row filter of the grant; WHERE lets a row pass only when each is TRUE,
 *      so that NULL hides.
 *   3. The texts of the policy are parsed by our own parser and bound to this relation alone. They
 *      may not ask of other tables, neither by subqueries nor by metadata functions.
 */
#include "base/always.h"
#include "sql/rewrite_inner.h"

#define INNER_ALIAS STR("t")

/* -- texts of the policy ---------------------------------------------------------------------- */

struct binding {
    struct rewriter *rw;
    const struct resolved *over; /* the text, resolved over the relation */
    const struct grant_relation *relation;
    bool is_mask;
    bool is_refused;
};

static void note_policy_column(struct rewriter *rw, const struct grant_relation *relation,
                               uint32_t column) {
    struct ruled *ruled = rw->ruled;
    struct ruled_column *place =
        ARENA_PUSH(rw->arena, ruled->policy, ruled->n_policy, ruled->cap_policy);
    if (place == NULL)
        rewrite_no_memory(rw);
    else
        *place = (struct ruled_column){relation, column};
}

static void note_bare_call(struct rewriter *rw, uint32_t id) {
    struct ruled *ruled = rw->ruled;
    uint32_t *place =
        ARENA_PUSH(rw->arena, ruled->bare_calls, ruled->n_bare_calls, ruled->cap_bare_calls);
    if (place == NULL)
        rewrite_no_memory(rw);
    else
        *place = id;
}

/* What stands for the salt in a mask; a row filter holds values of the caller's, and no salt. */
static void note_salt(struct binding *b, struct sql_expr *expr) {
    struct ruled *ruled = b->rw->ruled;
    if (!b->is_mask || expr->literal.kind != SQL_STRING || !str_eq(expr->literal.text, GRANT_SALT))
        return;
    if (b->rw->r->grant->salt.len == 0) b->is_refused = true;
    struct sql_expr **place =
        ARENA_PUSH(b->rw->arena, ruled->salts, ruled->n_salts, ruled->cap_salts);
    if (place == NULL)
        rewrite_no_memory(b->rw);
    else
        *place = expr;
}

static bool is_usable(const struct grant *grant, const struct sql_expr *expr,
                      const struct resolved_call *call) {
    if (call->function != NULL) return (call->function->flags & FUNCTION_METADATA) == 0;
    if (expr->call.prefix != SQL_CALL_PLAIN) return false;
    for (size_t i = 0; i < grant->n_functions_allowed; i++)
        if (str_ieq(grant->functions_allowed[i], expr->call.name.at[0].text)) return true;
    return false;
}

/* Gives the node an id of ours, so that its type is found among ours. */
static void adopt(struct binding *b, struct sql_expr *expr) {
    struct ruled *ruled = b->rw->ruled;
    struct sql_type type = resolved_type(b->over, expr);
    struct sql_type *place =
        ARENA_PUSH(b->rw->arena, ruled->types, ruled->n_types, ruled->cap_types);
    if (place == NULL) {
        rewrite_no_memory(b->rw);
        return;
    }
    *place = type;
    expr->id = ruled->first_made + (uint32_t)ruled->n_types - 1;
    expr->span = (struct sql_span){SQL_NOWHERE, SQL_NOWHERE};
}

static enum walk bind(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct binding *b = with;
    const struct resolved_ref *ref = NULL;
    if (expr->kind == SQL_REF) ref = resolved_ref(b->over, expr);
    if (expr->kind == SQL_LITERAL) note_salt(b, expr);
    if (expr->kind == SQL_CALL)
        b->is_refused = !is_usable(b->rw->r->grant, expr, resolved_call(b->over, expr));
    if (expr->kind == SQL_LAMBDA)
        for (size_t i = 0; i < expr->lambda.params.n; i++)
            if (str_ieq(expr->lambda.params.at[i].text, INNER_ALIAS)) b->is_refused = true;
    adopt(b, expr);
    if (ref != NULL && ref->kind == REF_CALL) note_bare_call(b->rw, expr->id);
    if (ref != NULL && ref->kind == REF_COLUMN) {
        note_policy_column(b->rw, b->relation, ref->column->index);
        rewrite_ref(b->rw, expr, INNER_ALIAS, ref->column->name, ref->path, ref->n_path);
    }
    return b->is_refused ? WALK_STOP : rewrite_on(b->rw);
}

static struct sql_expr *refuse_policy(struct rewriter *rw, const struct grant_relation *relation,
                                      const char *what) {
    if (rw->failed.why == FAIL_NONE)
        rw->failed = fail(rw->report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                          "a %s of the policy for '" STR_FMT "' cannot be applied", what,
                          STR_ARG(relation->schema->name));
    return NULL;
}

/* The expression over the relation under the inner alias; NULL: rw->failed says why. */
static struct sql_expr *bind_policy(struct rewriter *rw, const struct grant_relation *relation,
                                    struct str text, bool is_mask) {
    const char *what = is_mask ? "mask" : "row filter";
    struct binding b = {.rw = rw, .relation = relation, .is_mask = is_mask};
    struct sql_expr *expr;
    struct resolved *over;
    struct report inner = {0}; /* its sentences show the policy, and are not for the caller */
    result done = sql_parse_expr(text, NULL, rw->arena, &expr, &inner);
    if (done.why == FAIL_NONE)
        done = sql_resolve_over(expr, relation, rw->r->grant, rw->arena, &over, &inner);
    if (done.why == FAIL_MEMORY) rewrite_no_memory(rw);
    if (done.why != FAIL_NONE) return refuse_policy(rw, relation, what);
    b.over = over;
    enum walk end = sql_walk_expr(expr, &(struct sql_visitor){.expr = bind, .with = &b});
    if (end == WALK_STOP) return refuse_policy(rw, relation, what);
    rw->ruled->has_policy = true;
    return expr;
}

/* -- what is repeated inside ------------------------------------------------------------------ */

struct moving {
    struct rewriter *rw;
    const struct resolved_source *source;
};

static enum walk move(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct moving *m = with;
    if (expr->kind == SQL_CALL) {
        const struct resolved_call *call = resolved_call(m->rw->r, expr);
        if (call->relation != NULL && ALWAYS(call->function != NULL))
            rewrite_metadata(m->rw, expr, call->relation, call->function);
        return rewrite_on(m->rw);
    }
    if (expr->kind != SQL_REF) return WALK_ON;
    const struct resolved_ref *ref = resolved_ref(m->rw->r, expr);
    if (ref->kind != REF_COLUMN) return WALK_SKIP;
    const struct resolved_column *base = partition_column(m->rw->r, ref->column, m->source);
    if (NEVER(base == NULL)) { /* by which the condition was found */
        m->rw->failed = fail(m->rw->report, FAIL_DENIED, "INTERNAL_ERROR", expr->span.from,
                             "a condition cannot be moved to its table");
        return WALK_STOP;
    }
    struct str name = m->source->relation->schema->columns[base->index].name;
    rewrite_ref(m->rw, expr, INNER_ALIAS, name, NULL, 0);
    return m->rw->failed.why == FAIL_NONE ? WALK_SKIP : WALK_STOP;
}

static void take_copies(struct rewriter *rw, const struct resolved_source *source) {
    const struct partition_finding *finding = &rw->enforced->partitions[source->number];
    /* Behind the fence no engine finds an index, or a block to skip, for what stands outside. */
    bool takes_all =
        rw->ruled->dialect != DIALECT_MAXCOMPUTE && source->relation->n_row_filters > 0;
    for (size_t i = 0; i < finding->n_copies && rw->failed.why == FAIL_NONE; i++) {
        if (!finding->copies[i].is_partition_only && !takes_all) continue;
        struct sql_expr *copy = rewrite_copy(rw, finding->copies[i].expr);
        struct moving moving = {rw, source};
        if (copy == NULL) return;
        (void)sql_walk_expr(copy, &(struct sql_visitor){.expr = move, .with = &moving});
        rw->copies[source->number] = rewrite_and(rw, rw->copies[source->number], copy);
    }
}

void rewrite_take_copies(struct rewriter *rw) {
    for (size_t i = 0; i < rw->r->n_sources && rw->failed.why == FAIL_NONE; i++)
        if (rw->r->sources[i]->relation != NULL) take_copies(rw, rw->r->sources[i]);
}

/* -- the secured table ------------------------------------------------------------------------ */

static void add_item(struct rewriter *rw, struct sql_item *item, const struct export *export,
                     const struct grant_relation *relation) {
    const struct grant_column *column = &relation->columns[export->column];
    const struct schema_column *schema = &relation->schema->columns[export->column];
    struct sql_type type = schema->type != NULL ? *schema->type : SQL_TYPE(UNKNOWN);
    bool is_masked = column->effect == GRANT_MASK;
    if (is_masked) {
        item->expr = bind_policy(rw, relation, column->mask, true);
    } else {
        item->expr = rewrite_node(rw, SQL_REF, export->n_path > 0 ? SQL_TYPE(UNKNOWN) : type);
        if (item->expr != NULL)
            rewrite_ref(rw, item->expr, INNER_ALIAS, schema->name, export->path, export->n_path);
    }
    if (!is_masked && export->n_path == 0) return;
    item->aliases.at = arena_new(rw->arena, struct sql_name);
    if (item->aliases.at == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    item->aliases.at[0] = rewrite_named(export->name);
    item->aliases.n = 1;
}

static void add_items(struct rewriter *rw, struct sql_select *select,
                      const struct resolved_source *source) {
    const struct exports *exports = &rw->exports[source->number];
    size_t n = exports->n > 0 ? exports->n : 1;
    select->items = arena_new_array(rw->arena, n, struct sql_item);
    if (select->items == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    select->n_items = n;
    for (size_t i = 0; i < exports->n && rw->failed.why == FAIL_NONE; i++)
        add_item(rw, &select->items[i], &exports->at[i], source->relation);
    if (exports->n > 0) return;
    /* Only its rows are counted. */
    struct sql_name *name = arena_new(rw->arena, struct sql_name);
    if (name == NULL) rewrite_no_memory(rw);
    if (name != NULL) *name = rewrite_named(STR("one"));
    select->items[0].expr = rewrite_literal(rw, SQL_INTEGER, STR("1"), SQL_TYPE(BIGINT));
    select->items[0].aliases = (struct sql_names){name, 1};
}

static void name_table(struct rewriter *rw, struct sql_source *table,
                       const struct schema_relation *schema) {
    struct sql_name *parts = arena_new_array(rw->arena, 3, struct sql_name);
    if (parts == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    parts[0] = rewrite_named(schema->project);
    parts[1] = rewrite_named(schema->schema);
    parts[2] = rewrite_named(schema->name);
    table->table = (struct sql_names){parts, 3};
    table->alias = rewrite_named(INNER_ALIAS);
}

/* BUCKET … ON reads columns of the table itself. */
static void bind_sample(struct rewriter *rw, struct sql_source *table,
                        const struct resolved_source *source) {
    for (size_t i = 0; i < table->sample.on.n; i++) {
        struct sql_expr *expr = table->sample.on.at[i];
        const struct resolved_ref *ref = expr->kind == SQL_REF ? resolved_ref(rw->r, expr) : NULL;
        bool is_column = ref != NULL && ref->kind == REF_COLUMN && ref->n_path == 0 &&
                         ref->column->kind == COLUMN_BASE && ref->column->source == source;
        if (!is_column || source->relation->columns[ref->column->index].effect != GRANT_ALLOW) {
            rw->failed = fail(rw->report, FAIL_DENIED, "SQL_NOT_SUPPORTED", expr->span.from,
                              "TABLESAMPLE … ON takes unmasked columns of its table only");
            return;
        }
        struct str name = source->relation->schema->columns[ref->column->index].name;
        rewrite_ref(rw, expr, INNER_ALIAS, name, NULL, 0);
    }
}

/* Constants only (enforce.c), but they may call CURRENT_DATE or max_pt. */
static void bind_travel(struct rewriter *rw, struct sql_source *table,
                        const struct resolved_source *source) {
    struct moving moving = {rw, source};
    struct sql_visitor visitor = {.expr = move, .with = &moving};
    if (table->travel.from != NULL) (void)sql_walk_expr(table->travel.from, &visitor);
    if (table->travel.to != NULL) (void)sql_walk_expr(table->travel.to, &visitor);
}

static struct sql_expr *where_of(struct rewriter *rw, const struct resolved_source *source) {
    const struct grant_relation *relation = source->relation;
    struct sql_expr *where = NULL;
    for (size_t i = 0; i < relation->n_row_filters && rw->failed.why == FAIL_NONE; i++)
        where = rewrite_and(rw, where, bind_policy(rw, relation, relation->row_filters[i], false));
    return rewrite_and(rw, where, rw->copies[source->number]);
}

void rewrite_secure(struct rewriter *rw, struct sql_source *source,
                    const struct resolved_source *resolved) {
    struct sql_source *table = arena_new(rw->arena, struct sql_source);
    struct sql_select *select = arena_new(rw->arena, struct sql_select);
    struct sql_query *query = arena_new(rw->arena, struct sql_query);
    struct ruled_table *place =
        ARENA_PUSH(rw->arena, rw->ruled->tables, rw->ruled->n_tables, rw->ruled->cap_tables);
    if (table == NULL || select == NULL || query == NULL || place == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    *table = *source;
    table->columns = (struct sql_names){0};
    name_table(rw, table, resolved->relation->schema);
    bind_sample(rw, table, resolved);
    bind_travel(rw, table, resolved);
    select->from = table;
    select->span = query->span = (struct sql_span){SQL_NOWHERE, SQL_NOWHERE};
    query->kind = SQL_SELECT;
    query->select = select;
    *place = (struct ruled_table){query, resolved->relation};
    add_items(rw, select, resolved);
    if (rw->failed.why == FAIL_NONE) select->where = where_of(rw, resolved);
    source->kind = SQL_DERIVED;
    source->alias = rewrite_named(rw->aliases[resolved->number]);
    source->columns = (struct sql_names){0};
    source->sample = (struct sql_sample){0};
    source->travel = (struct sql_travel){0};
    source->query = query;
}
