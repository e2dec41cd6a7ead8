/*
 * What the guard let out, looked at by other means than its own (sql/verify.c): the text is parsed
 * here, and each table's SELECT is held against the world it was granted from.
 *
 *     const char *wrong = redteam_look(world, out.sql, &scans, arena);   NULL: nothing is wrong
 */
#ifndef WEIR_TEST_SQL_REDTEAM_LOOK_H
#define WEIR_TEST_SQL_REDTEAM_LOOK_H

#include "guard_world.h"
#include "sql/parse.h"
#include "sql/walk.h"

struct redteam_scans {
    size_t of[WORLD_TABLES]; /* by the table's place in the world */
};

struct redteam_looking {
    struct world *world;
    struct arena *arena;
    struct redteam_scans *scans;
    const struct world_table *table; /* of the block that is looked at */
    struct str alias;
    const char *wrong;
};

static inline enum walk redteam_stop(struct redteam_looking *l, const char *what) {
    if (l->wrong == NULL) l->wrong = what;
    return WALK_STOP;
}

/* The reference ends at, within or around a denied field. */
static inline bool redteam_meets(const struct sql_names *ref, struct str path) {
    for (size_t i = 2; i < ref->n && path.ptr != NULL; i++)
        if (!str_ieq(str_cut(&path, '.'), ref->at[i].text)) return false;
    return true;
}

static inline bool redteam_is_own(const struct redteam_looking *l, const struct sql_expr *expr);

static inline enum walk redteam_see_expr(struct sql_expr *expr, const struct sql_place *place,
                                         void *with) {
    struct redteam_looking *l = with;
    (void)place;
    if (expr->kind == SQL_BINARY && redteam_is_own(l, expr)) return WALK_SKIP;
    if (expr->kind == SQL_STAR) return redteam_stop(l, "a star in a table's own SELECT");
    if (expr->kind != SQL_REF || expr->ref.n < 2) return WALK_ON;
    if (!str_eq(expr->ref.at[0].text, l->alias)) return redteam_stop(l, "an alias from elsewhere");
    size_t i = 0;
    const struct schema_relation *schema = &l->table->schema;
    while (i < schema->n_columns && !str_ieq(l->table->schemas[i].name, expr->ref.at[1].text)) i++;
    if (i == schema->n_columns) return redteam_stop(l, "a column that the table does not have");
    const struct grant_column *column = &l->table->columns[i];
    if (column->effect != GRANT_ALLOW) return redteam_stop(l, "a denied column is read");
    for (size_t f = 0; f < column->n_denied_fields; f++)
        if (redteam_meets(&expr->ref, column->denied_fields[f]))
            return redteam_stop(l, "a denied field is read");
    return WALK_ON;
}

/* `column op literal`, as the filters of the worlds here are, whatever the alias. */
static inline bool redteam_is_filter(const struct redteam_looking *l, const struct sql_expr *expr,
                                     struct str filter) {
    struct sql_expr *wanted = NULL;
    if (expr->kind != SQL_BINARY || expr->binary.left->kind != SQL_REF) return false;
    if (sql_parse_expr(filter, NULL, l->arena, &wanted, NULL).why != FAIL_NONE) return false;
    const struct sql_names *ref = &expr->binary.left->ref;
    return wanted->kind == SQL_BINARY && wanted->op == expr->op && ref->n == 2 &&
           str_ieq(ref->at[1].text, wanted->binary.left->ref.at[0].text) &&
           sql_expr_equal(expr->binary.right, wanted->binary.right);
}

/* A filter of the policy may read what the caller may not. */
static inline bool redteam_is_own(const struct redteam_looking *l, const struct sql_expr *expr) {
    for (size_t i = 0; i < l->table->relation.n_row_filters; i++)
        if (redteam_is_filter(l, expr, l->table->filters[i])) return true;
    return false;
}

static inline bool redteam_has_filter(const struct redteam_looking *l, const struct sql_expr *where,
                                      struct str filter) {
    if (where == NULL) return false;
    if (where->kind != SQL_CHAIN || where->op != SQL_OP_AND)
        return redteam_is_filter(l, where, filter);
    for (size_t i = 0; i < where->items.n; i++)
        if (redteam_has_filter(l, where->items.at[i], filter)) return true;
    return false;
}

static inline enum walk redteam_see_source(struct sql_source *source, const struct sql_place *place,
                                           void *with) {
    struct redteam_looking *l = with;
    if (source->kind == SQL_FUNCTION) return redteam_stop(l, "a function as a source");
    if (source->kind != SQL_TABLE || source->table.n == 1) return WALK_ON;
    if (source->table.n != 3) return redteam_stop(l, "a table of two parts");
    const struct sql_name *name = source->table.at;
    l->table = world_find(l->world, name[0].text, name[1].text, name[2].text);
    if (l->table == NULL || l->table->relation.effect != GRANT_ALLOW)
        return redteam_stop(l, "a table that is not granted");
    if (place->block == NULL || place->block->kind != SQL_SELECT ||
        place->block->select->from != source)
        return redteam_stop(l, "a table that does not stand alone");
    l->alias = source->alias.text;
    l->scans->of[l->table - l->world->tables]++;
    struct sql_query *block = (struct sql_query *)(uintptr_t)place->block;
    (void)sql_walk_query(block, &(struct sql_visitor){.expr = redteam_see_expr, .with = l});
    for (size_t i = 0; i < l->table->relation.n_row_filters && l->wrong == NULL; i++)
        if (!redteam_has_filter(l, block->select->where, l->table->filters[i]))
            return redteam_stop(l, "a row filter is missing");
    return l->wrong == NULL ? WALK_ON : WALK_STOP;
}

static inline const char *redteam_look(struct world *world, struct str sql,
                                       struct redteam_scans *scans, struct arena *arena) {
    struct redteam_looking l = {.world = world, .arena = arena, .scans = scans};
    struct sql_limits limits = {.bytes = SIZE_MAX / 2,
                                .in_list = SIZE_MAX / 2,
                                .select_items = SIZE_MAX / 2,
                                .ctes = SIZE_MAX / 2};
    struct sql_query *query;
    int64_t limit = 0;
    *scans = (struct redteam_scans){0};
    result parsed = sql_parse(sql, &limits, arena, &query, NULL);
    if (parsed.why == FAIL_MEMORY) return NULL;
    if (parsed.why != FAIL_NONE) return "the text does not parse";
    (void)sql_walk_query(query, &(struct sql_visitor){.source = redteam_see_source, .with = &l});
    const struct sql_expr *count = query->tail.limit.count;
    bool is_limited = count != NULL && count->kind == SQL_LITERAL &&
                      str_to_i64(count->literal.text, &limit) && limit >= 1 &&
                      limit <= world->grant.max_limit;
    if (l.wrong == NULL && !is_limited) l.wrong = "the outermost LIMIT is missing";
    return l.wrong;
}

#endif
