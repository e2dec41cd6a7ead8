/* What PostgreSQL says in its own way in FROM and in ORDER BY. */
#include "sql/dialect_postgres_inner.h"

/* -- LATERAL VIEW ----------------------------------------------------------------------------- */

void pg_put_made(printer *p, const struct sql_source *source) {
    sql_put(p, STR("(SELECT "));
    pg_put_rows(p, source->lateral.call, NULL, source->columns.n);
    sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

/* -- SEMI and ANTI JOIN: a row or none beside each row of the left ---------------------------- */

static bool put_half_join(printer *p, const struct sql_source *source) {
    const struct sql_join *join = &source->join;
    if (join->kind != SQL_JOIN_SEMI && join->kind != SQL_JOIN_ANTI) return false;
    sql_put_source(p, join->left);
    sql_put(p, STR(" CROSS JOIN LATERAL (SELECT 1 WHERE "));
    if (join->kind == SQL_JOIN_ANTI) sql_put(p, STR("NOT "));
    sql_put(p, STR("EXISTS (SELECT 1 FROM "));
    sql_put_source(p, join->right);
    if (join->on != NULL) sql_put(p, STR(" WHERE "));
    if (join->on != NULL) sql_put_expr(p, join->on);
    sql_putf(p, ")) AS weir_half_%lu", (unsigned long)source->id);
    return true;
}

/* -- FULL JOIN: by hashes, so by an equation of a column here and one there -------------------- */

struct siding {
    const printer *p;
    const struct resolved_source *left, *right;
    bool is_left, is_right;
    bool is_other;  /* a column of neither, or a sub-query */
    bool is_worked; /* a call, a cast or a time: of constants it need not be one for the planner */
};

static bool is_beneath(const struct resolved_source *top, const struct resolved_source *source) {
    if (top == NULL || top == source) return top != NULL;
    return is_beneath(top->left, source) || is_beneath(top->right, source);
}

static enum walk see_side(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct siding *siding = with;
    const struct ruled *ruled = siding->p->with;
    (void)place;
    bool is_time = expr->kind == SQL_LITERAL && expr->literal.kind >= SQL_DATE;
    if (expr->kind == SQL_CALL || expr->kind == SQL_CAST || is_time) siding->is_worked = true;
    if (expr->kind != SQL_REF) return WALK_ON;
    bool is_made = expr->id == 0 || expr->id >= ruled->first_made;
    const struct resolved_ref *ref = is_made ? NULL : resolved_ref(ruled->resolved, expr);
    if (ref == NULL || ref->kind != REF_COLUMN || ref->depth > 0)
        siding->is_other = true;
    else if (is_beneath(siding->left, ref->column->source))
        siding->is_left = true;
    else if (is_beneath(siding->right, ref->column->source))
        siding->is_right = true;
    else
        siding->is_other = true;
    return WALK_ON;
}

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    struct siding *siding = with;
    (void)query;
    (void)place;
    siding->is_other = true;
    return WALK_SKIP;
}

static struct siding sides_of(const printer *p, const struct resolved_source *join,
                              const struct sql_expr *expr) {
    struct siding siding = {.p = p, .left = join->left, .right = join->right};
    (void)sql_walk_expr(
        (struct sql_expr *)(uintptr_t)expr,
        &(struct sql_visitor){.expr = see_side, .query = see_query, .with = &siding});
    return siding;
}

static bool is_equation(const printer *p, const struct resolved_source *join,
                        const struct sql_expr *expr) {
    if (expr->kind != SQL_BINARY || expr->op != SQL_OP_EQ) return false;
    struct siding a = sides_of(p, join, expr->binary.left);
    struct siding b = sides_of(p, join, expr->binary.right);
    if (a.is_other || b.is_other) return false;
    bool is_straight = a.is_left && !a.is_right && b.is_right && !b.is_left;
    bool is_crossed = a.is_right && !a.is_left && b.is_left && !b.is_right;
    return is_straight || is_crossed;
}

/* One equation will do, or constants alone; USING and NATURAL make one. */
static void check_full_join(printer *p, const struct sql_source *source) {
    const struct resolved_source *join = dialect_resolved(p, source);
    const struct sql_expr *on = source->join.on;
    if (source->join.kind != SQL_JOIN_FULL || join == NULL || on == NULL || join->n_pairs > 0)
        return;
    struct siding whole = sides_of(p, join, on);
    bool is_read = whole.is_left || whole.is_right || whole.is_other;
    bool is_good = is_equation(p, join, on) || (!is_read && !whole.is_worked);
    if (on->kind == SQL_CHAIN && on->op == SQL_OP_AND)
        for (size_t i = 0; i < on->items.n; i++)
            is_good = is_good || is_equation(p, join, on->items.at[i]);
    if (!is_good) dialect_refuse(p, on->span, "a FULL JOIN that equates no columns of its sides");
}

/* -- all -------------------------------------------------------------------------------------- */

bool pg_put_source(printer *p, const struct sql_source *source) {
    if (source->kind == SQL_JOIN) check_full_join(p, source);
    if (source->kind == SQL_JOIN) return put_half_join(p, source);
    if (source->kind == SQL_PIVOT) pg_put_pivot(p, source);
    if (source->kind == SQL_UNPIVOT) pg_put_unpivot(p, source);
    return source->kind == SQL_PIVOT || source->kind == SQL_UNPIVOT;
}

/* -- orders ----------------------------------------------------------------------------------- */

/* Branches that do not meet in a type of their own fail there or meet by rules of their own. */
bool pg_meets(enum sql_type_kind set, enum sql_type_kind own) {
    if (set == own || own == SQL_TYPE_NULL) return true;
    if (sql_type_is_text(set)) return sql_type_is_text(own);
    if (sql_type_is_number(set)) return sql_type_is_number(own);
    return sql_type_is_time(set) && sql_type_is_time(own);
}

void pg_put_output(printer *p, const struct sql_expr *key) {
    enum sql_type_kind kind = dialect_kind(p, key);
    if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
        dialect_refuse(p, key->span, "the order of values of type %s", sql_type_name(kind));
    sql_put_name(p, &key->ref.at[0]);
}

/* NULL is the smallest value. */
void pg_put_direction(printer *p, const struct sql_order *order) {
    enum sql_nulls nulls = order->nulls;
    if (nulls == SQL_NULLS_DEFAULT) nulls = order->descending ? SQL_NULLS_LAST : SQL_NULLS_FIRST;
    if (order->descending) sql_put(p, STR(" DESC"));
    sql_put(p, nulls == SQL_NULLS_FIRST ? STR(" NULLS FIRST") : STR(" NULLS LAST"));
}

void pg_put_order(printer *p, const struct sql_order *order, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct sql_expr *key = order[i].expr;
        if (i > 0) sql_put(p, STR(", "));
        if (key->kind == SQL_REF && key->ref.n == 1 && !dialect_is_bare_call(p, key))
            pg_put_output(p, key);
        else
            dialect_put_sorted(p, key);
        pg_put_direction(p, &order[i]);
    }
}
