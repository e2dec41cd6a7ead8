/* The walk that turns the parsed tree into the ruled one: see rewrite.h. */
#include "base/always.h"
#include "sql/rewrite_inner.h"

struct sql_type ruled_type(const struct ruled *ruled, const struct sql_expr *expr) {
    if (expr->id == 0) return SQL_TYPE(UNKNOWN);
    if (expr->id < ruled->first_made) return resolved_type(ruled->resolved, expr);
    size_t at = expr->id - ruled->first_made;
    return at < ruled->n_types ? ruled->types[at] : SQL_TYPE(UNKNOWN);
}

enum resolved_ref_kind ruled_ref_kind(const struct ruled *ruled, const struct sql_expr *ref) {
    if (ref->id > 0 && ref->id < ruled->first_made) {
        const struct resolved_ref *was = resolved_ref(ruled->resolved, ref);
        return ALWAYS(was != NULL) ? was->kind : REF_COLUMN; /* stars are gone */
    }
    for (size_t i = 0; i < ruled->n_bare_calls; i++)
        if (ref->id != 0 && ruled->bare_calls[i] == ref->id) return REF_CALL;
    return ref->ref.n > 1 ? REF_COLUMN : REF_PARAM;
}

/* -- select lists ----------------------------------------------------------------------------- */

static bool has_own_expr(const struct sql_item *item, const struct resolved_output *output) {
    return output->column == NULL && output->expr == item->expr;
}

/* One item for one output, or for all outputs of a table function. */
static void make_item(struct rewriter *rw, const struct sql_select *select,
                      const struct resolved_query *query, size_t first, size_t n,
                      struct sql_item *out) {
    const struct resolved_output *output = &query->outputs[first];
    const struct sql_item *item = &select->items[output->item];
    if (output->column != NULL) {
        out->expr = rewrite_node(rw, SQL_REF, output->type);
        if (out->expr != NULL) rewrite_column(rw, out->expr, output->column, NULL, 0);
    } else if (has_own_expr(item, output)) {
        out->expr = item->expr;
        out->listed = item->listed || n > 1;
    } else { /* REPLACE (e AS c) of a star: found there once more, to be changed */
        const struct sql_star *star = &item->expr->star;
        for (size_t i = 0; i < star->n_replace; i++)
            if (star->replace[i].expr == output->expr) out->expr = star->replace[i].expr;
    }
    out->aliases.at = arena_new_array(rw->arena, n, struct sql_name);
    if (out->aliases.at == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out->aliases.at[i] = rewrite_named(rw->names[query->outputs[first + i].number]);
    out->aliases.n = n;
}

static size_t outputs_of_item(const struct sql_select *select, const struct resolved_query *query,
                              size_t first) {
    const struct resolved_output *output = &query->outputs[first];
    size_t n = 1;
    if (!has_own_expr(&select->items[output->item], output)) return 1;
    while (first + n < query->n_outputs && query->outputs[first + n].item == output->item) n++;
    return n;
}

static void make_items(struct rewriter *rw, struct sql_select *select,
                       const struct resolved_query *query) {
    struct sql_item *items = arena_new_array(rw->arena, query->n_outputs, struct sql_item);
    size_t n = 0;
    if (items == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    for (size_t i = 0; i < query->n_outputs && rw->failed.why == FAIL_NONE;) {
        size_t taken = outputs_of_item(select, query, i);
        if (rewrite_is_shown(&query->outputs[i]))
            make_item(rw, select, query, i, taken, &items[n++]);
        i += taken;
    }
    select->items = items;
    select->n_items = n;
}

/* -- hints: only those that name tables, and by the names that are printed ----------------------
 */

static const struct resolved_source *find_alias(const struct resolved_source *from,
                                                struct str name) {
    if (from == NULL) return NULL;
    if (from->source->kind != SQL_JOIN && str_ieq(from->alias, name)) return from;
    const struct resolved_source *found = find_alias(from->left, name);
    return found != NULL ? found : find_alias(from->right, name);
}

static bool keep_hint(struct rewriter *rw, struct sql_hint *hint,
                      const struct resolved_source *from) {
    static const struct str known[] = {STR_INIT("mapjoin"), STR_INIT("distmapjoin"),
                                       STR_INIT("disthashjoin"), STR_INIT("dynamicfilter")};
    bool is_known = false;
    for (size_t i = 0; i < COUNT(known); i++)
        is_known = is_known || str_ieq(known[i], hint->name.text);
    if (!is_known || hint->args.n == 0) return false;
    for (size_t i = 0; i < hint->args.n; i++) {
        struct sql_expr *arg = hint->args.at[i];
        if (arg->kind != SQL_REF || arg->ref.n != 1) return false;
        const struct resolved_source *source = find_alias(from, arg->ref.at[0].text);
        if (source == NULL) return false;
        rewrite_ref(rw, arg, STR_NONE, rw->aliases[source->number], NULL, 0);
    }
    return true;
}

static void keep_hints(struct rewriter *rw, struct sql_select *select,
                       const struct resolved_query *query) {
    size_t n = 0;
    for (size_t i = 0; i < select->n_hints && rw->failed.why == FAIL_NONE; i++)
        if (keep_hint(rw, &select->hints[i], query->from)) select->hints[n++] = select->hints[i];
    select->n_hints = n;
}

/* -- constants that would be positions ----------------------------------------------------------
 */

static bool is_bare_constant(const struct sql_expr *expr) {
    while (expr->kind == SQL_UNARY) expr = expr->operand;
    return expr->kind == SQL_LITERAL;
}

static struct sql_expr *cast_constant(struct rewriter *rw, struct sql_expr *expr) {
    struct sql_type type = ruled_type(rw->ruled, expr);
    /* The type of a literal is known. */
    if (type.kind == SQL_TYPE_NULL || NEVER(type.kind == SQL_TYPE_UNKNOWN)) type = SQL_TYPE(STRING);
    struct sql_expr *cast = rewrite_node(rw, SQL_CAST, type);
    if (cast == NULL) return expr;
    cast->cast.value = expr;
    cast->cast.type = type;
    return cast;
}

static void cast_groups(struct rewriter *rw, struct sql_group *groups, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (groups[i].expr != NULL && is_bare_constant(groups[i].expr))
            groups[i].expr = cast_constant(rw, groups[i].expr);
        cast_groups(rw, groups[i].items, groups[i].n_items);
    }
}

/* Ordering by a constant orders nothing. */
static void drop_constants(struct sql_order *orders, size_t *n) {
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (!is_bare_constant(orders[i].expr)) orders[kept++] = orders[i];
    *n = kept;
}

/* -- sources ---------------------------------------------------------------------------------- */

static struct sql_names column_names(struct rewriter *rw, const struct resolved_source *source) {
    struct sql_names names = {arena_new_array(rw->arena, source->n_columns, struct sql_name), 0};
    if (names.at == NULL) {
        rewrite_no_memory(rw);
        return names;
    }
    for (size_t i = 0; i < source->n_columns; i++)
        names.at[names.n++] = rewrite_named(rewrite_column_name(rw, &source->columns[i]));
    return names;
}

static struct sql_expr *new_column(struct rewriter *rw, const struct resolved_column *column) {
    struct sql_expr *expr = rewrite_node(rw, SQL_REF, column->type);
    if (expr != NULL) rewrite_column(rw, expr, column, NULL, 0);
    return expr;
}

static struct sql_expr *equation(struct rewriter *rw, const struct resolved_pair *pair) {
    struct sql_expr *expr = rewrite_node(rw, SQL_BINARY, SQL_TYPE(BOOLEAN));
    if (expr == NULL) return NULL;
    expr->op = SQL_OP_EQ;
    expr->binary.left = new_column(rw, pair->left);
    expr->binary.right = new_column(rw, pair->right);
    return expr;
}

static void rewrite_join(struct rewriter *rw, struct sql_join *join,
                         const struct resolved_source *resolved) {
    for (size_t i = 0; i < resolved->n_pairs && rw->failed.why == FAIL_NONE; i++)
        join->on = rewrite_and(rw, join->on, equation(rw, &resolved->pairs[i]));
    join->natural = false;
    join->using = (struct sql_names){0};
    if (join->on != NULL) {
        if (NEVER(join->kind == SQL_JOIN_COMMA || join->kind == SQL_JOIN_CROSS))
            join->kind = SQL_JOIN_INNER; /* the parser calls them so already */
        return;
    }
    if (join->kind == SQL_JOIN_COMMA || join->kind == SQL_JOIN_INNER) join->kind = SQL_JOIN_CROSS;
    if (join->kind != SQL_JOIN_CROSS)
        join->on = rewrite_literal(rw, SQL_TRUE, STR_NONE, SQL_TYPE(BOOLEAN));
}

/* FOR c IN …: columns of the input by the names that it now has. */
static void rename_input(struct rewriter *rw, const struct resolved_source *input,
                         struct sql_names *names) {
    for (size_t i = 0; i < names->n; i++)
        for (size_t c = 0; ALWAYS(c < input->n_columns); c++) /* the resolver has found it */
            if (str_ieq(input->columns[c].name, names->at[i].text)) {
                names->at[i] = rewrite_named(rewrite_column_name(rw, &input->columns[c]));
                break;
            }
}

static void rewrite_unpivot(struct rewriter *rw, struct sql_unpivot *unpivot,
                            const struct resolved_source *input) {
    for (size_t i = 0; i < unpivot->n_in; i++) rename_input(rw, input, &unpivot->in[i].columns);
}

static void rewrite_cte_table(struct rewriter *rw, struct sql_source *source,
                              const struct resolved_source *resolved) {
    struct str name = rw->cte_names[resolved->cte->cte->query->id];
    source->table.at[0] = rewrite_named(name);
    source->table.n = 1;
    source->columns = (struct sql_names){0};
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    (void)place;
    struct rewriter *rw = with;
    const struct resolved_source *resolved = resolved_source(rw->r, source);
    if (source->kind != SQL_JOIN) source->alias = rewrite_named(rw->aliases[resolved->number]);
    if (NEVER(source->kind == SQL_FUNCTION)) /* the resolver refuses it */
        rw->failed = fail(rw->report, FAIL_DENIED, "SQL_NOT_SUPPORTED", source->span.from,
                          "a function in FROM is not accepted");
    switch (source->kind) {
    case SQL_TABLE:
        if (resolved->relation == NULL) {
            rewrite_cte_table(rw, source, resolved);
            return rewrite_on(rw);
        }
        rewrite_secure(rw, source, resolved);
        return rw->failed.why == FAIL_NONE ? WALK_SKIP : WALK_STOP;
    case SQL_FUNCTION:
    case SQL_DERIVED: source->columns = (struct sql_names){0}; break;
    case SQL_VALUES:
    case SQL_LATERAL: source->columns = column_names(rw, resolved); break;
    case SQL_JOIN: rewrite_join(rw, &source->join, resolved); break;
    case SQL_PIVOT: rename_input(rw, resolved->left, &source->pivot->columns); break;
    case SQL_UNPIVOT: rewrite_unpivot(rw, source->unpivot, resolved->left); break;
    }
    return rewrite_on(rw);
}

/* -- queries ---------------------------------------------------------------------------------- */

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct rewriter *rw = with;
    const struct resolved_query *resolved = resolved_query(rw->r, query);
    for (size_t i = 0; i < query->n_ctes; i++) {
        query->ctes[i].name = rewrite_named(rw->cte_names[query->ctes[i].query->id]);
        query->ctes[i].columns = (struct sql_names){0};
    }
    if (query->kind != SQL_SELECT) return rewrite_on(rw);
    make_items(rw, query->select, resolved);
    keep_hints(rw, query->select, resolved);
    return rewrite_on(rw);
}

/* SELECT t.a AS a is SELECT t.a. */
static void drop_alias(struct sql_item *item) {
    const struct sql_expr *expr = item->expr;
    if (item->listed || NEVER(item->aliases.n != 1) || expr->kind != SQL_REF || expr->ref.n != 2)
        return;
    if (str_eq(expr->ref.at[1].text, item->aliases.at[0].text)) item->aliases.n = 0;
}

static void wrap_items(struct rewriter *rw, const struct resolved_query *query, struct str alias,
                       struct sql_select *select) {
    select->items = arena_new_array(rw->arena, query->n_outputs, struct sql_item);
    if (select->items == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    for (size_t i = 0; i < query->n_outputs && rw->failed.why == FAIL_NONE; i++) {
        const struct resolved_output *output = &query->outputs[i];
        if (!rewrite_is_shown(output)) continue;
        struct sql_item *item = &select->items[select->n_items++];
        struct str name = rw->names[output->number];
        item->expr = rewrite_node(rw, SQL_REF, output->type);
        item->aliases.at = arena_new(rw->arena, struct sql_name);
        if (item->expr == NULL || item->aliases.at == NULL) {
            rewrite_no_memory(rw);
            return;
        }
        rewrite_ref(rw, item->expr, alias, name, NULL, 0);
        item->aliases.at[0] = rewrite_named(query == rw->r->root ? output->name : name);
        item->aliases.n = 1;
        drop_alias(item);
    }
}

/* a UNION b ORDER BY … becomes SELECT u.c FROM (a UNION b) AS u ORDER BY …: engines differ in what
 * the order of a set operation may name, and to which branch it belongs. */
static void wrap(struct rewriter *rw, struct sql_query *query, struct str alias) {
    struct sql_query *inner = arena_new(rw->arena, struct sql_query);
    struct sql_source *source = arena_new(rw->arena, struct sql_source);
    struct sql_select *select = arena_new(rw->arena, struct sql_select);
    if (inner == NULL || source == NULL || select == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    *inner = *query;
    inner->ctes = NULL;
    inner->n_ctes = 0;
    inner->tail = (struct sql_tail){0};
    source->kind = SQL_DERIVED;
    source->query = inner;
    source->alias = rewrite_named(alias);
    select->from = source;
    wrap_items(rw, resolved_query(rw->r, query), alias, select);
    query->kind = SQL_SELECT;
    query->select = select;
}

static void leave_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct rewriter *rw = with;
    if (rw->failed.why != FAIL_NONE) return; /* in what was left before */
    if (query->kind == SQL_SET && rw->wraps[query->id].ptr != NULL) {
        wrap(rw, query, rw->wraps[query->id]);
    } else if (query->kind == SQL_SELECT) {
        struct sql_select *select = query->select;
        for (size_t i = 0; i < select->n_items; i++) drop_alias(&select->items[i]);
        cast_groups(rw, select->group_by.items, select->group_by.n_items);
        cast_groups(rw, select->group_by.sets, select->group_by.n_sets);
    }
    drop_constants(query->tail.order, &query->tail.n_order);
    drop_constants(query->tail.sort, &query->tail.n_sort);
}

/* -- all -------------------------------------------------------------------------------------- */

static bool make_tables(struct rewriter *rw) {
    const struct resolved *r = rw->r;
    size_t n_ids = r->n_nodes + 1;
    rw->aliases = arena_new_array(rw->arena, r->n_sources, struct str);
    rw->exports = arena_new_array(rw->arena, r->n_sources, struct exports);
    rw->copies = arena_new_array(rw->arena, r->n_sources, struct sql_expr *);
    rw->names = arena_new_array(rw->arena, r->n_outputs, struct str);
    rw->cte_names = arena_new_array(rw->arena, n_ids, struct str);
    rw->wraps = arena_new_array(rw->arena, n_ids, struct str);
    return rw->aliases != NULL && rw->exports != NULL && rw->copies != NULL && rw->names != NULL &&
           rw->cte_names != NULL && rw->wraps != NULL;
}

static void set_limit(struct rewriter *rw, struct sql_query *root) {
    struct str digits = str_printf(rw->arena, "%lld", (long long)rw->enforced->limit);
    if (digits.ptr == NULL) rewrite_no_memory(rw);
    root->tail.limit.count = rewrite_literal(rw, SQL_INTEGER, digits, SQL_TYPE(BIGINT));
}

result rewrite(const struct resolved *r, const struct enforced *enforced,
               enum guard_dialect dialect, struct arena *arena, struct ruled **out,
               struct report *report) {
    struct rewriter rw = {
        .r = r, .enforced = enforced, .arena = arena, .report = report, .failed = OK};
    rw.ruled = arena_new(arena, struct ruled);
    if (rw.ruled == NULL || !make_tables(&rw)) return fail_memory(report);
    rw.ruled->query = r->root->query;
    rw.ruled->resolved = r;
    rw.ruled->dialect = dialect;
    rw.ruled->first_made = (uint32_t)r->n_nodes;
    rewrite_name_all(&rw);
    if (rw.failed.why == FAIL_NONE) rewrite_take_copies(&rw);
    struct sql_visitor visitor = {.expr = rewrite_see_expr,
                                  .query = see_query,
                                  .source = see_source,
                                  .leave_query = leave_query,
                                  .with = &rw};
    if (rw.failed.why == FAIL_NONE && sql_walk_query(rw.ruled->query, &visitor) == WALK_STOP &&
        NEVER(rw.failed.why == FAIL_NONE))
        return fail(report, FAIL_DENIED, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                    "the statement holds a construct that we do not know");
    if (rw.failed.why == FAIL_NONE) set_limit(&rw, rw.ruled->query);
    *out = rw.ruled;
    return rw.failed;
}

result rewrite_fence(struct ruled *ruled, struct arena *arena, struct report *report) {
    for (size_t i = 0; i < ruled->n_tables; i++) {
        if (ruled->tables[i].relation->n_row_filters == 0) continue;
        struct sql_expr *zero = arena_new(arena, struct sql_expr);
        if (zero == NULL) return fail_memory(report);
        zero->kind = SQL_LITERAL;
        zero->literal = (struct sql_literal){SQL_INTEGER, STR("0")};
        ruled->tables[i].query->tail.limit.offset = zero;
    }
    return OK;
}
