/* QUALIFY, which PostgreSQL has not: a derived table whose columns have names of ours, one of which
 * tells whether the row is kept and others what it is ordered by. DISTINCT, ORDER BY and LIMIT
 * come behind it. */
#include "sql/dialect_postgres_inner.h"

static bool is_output(const struct sql_order *key) {
    return key->expr->kind == SQL_REF && key->expr->ref.n == 1;
}

static void refuse_key(printer *p, const struct sql_order *key) {
    dialect_refuse(p, key->expr->span, "DISTINCT that is ordered by other keys");
}

static bool is_item(const struct sql_select *select, const struct sql_expr *key) {
    for (size_t i = 0; i < select->n_items; i++)
        if (sql_expr_equal(select->items[i].expr, key)) return true;
    return false;
}

/* SELECT DISTINCT … ORDER BY: outputs, by their names or written again. */
static void check_keys(printer *p, const struct sql_query *query) {
    const struct sql_tail *tail = &query->tail;
    for (size_t i = 0; i < tail->n_order && query->select->distinct; i++)
        if (!is_output(&tail->order[i]) && !is_item(query->select, tail->order[i].expr))
            refuse_key(p, &tail->order[i]);
}

/* SELECT a AS x, …, <qualify>, <keys that are no outputs> FROM … */
static void put_inside(printer *p, const struct sql_query *query) {
    const struct sql_select *select = query->select;
    const struct sql_tail *tail = &query->tail;
    sql_put(p, STR("SELECT "));
    sql_put_items(p, select);
    dialect_wrap(p, ", ", dialect_put_boolean, select->qualify, "");
    for (size_t i = 0; i < tail->n_order; i++) {
        if (is_output(&tail->order[i])) continue;
        if (select->distinct) refuse_key(p, &tail->order[i]);
        dialect_wrap(p, ", ", dialect_put_sorted, tail->order[i].expr, "");
    }
    sql_put_clauses(p, select);
}

/* AS kept(c1, …, keep, k1, …) */
static void put_names(printer *p, const struct sql_query *query) {
    sql_put(p, STR(" AS kept("));
    for (size_t i = 0; i < query->select->n_items; i++) sql_putf(p, "c%zu, ", i);
    sql_put(p, STR("keep"));
    for (size_t i = 0; i < query->tail.n_order; i++)
        if (!is_output(&query->tail.order[i])) sql_putf(p, ", k%zu", i);
    sql_put_byte(p, ')');
}

const struct sql_name *pg_name_of(const struct sql_item *item) {
    const struct sql_names *path = &item->expr->ref;
    if (item->aliases.n == 1) return &item->aliases.at[0];
    return item->expr->kind == SQL_REF ? &path->at[path->n - 1] : NULL;
}

static void put_output(printer *p, const struct sql_item *item, size_t i) {
    const struct sql_name *name = pg_name_of(item);
    sql_putf(p, "kept.c%zu", i);
    if (name != NULL)
        sql_put_alias(p, name, &(struct sql_names){0});
    else
        dialect_refuse(p, item->expr->span, "a column without a name beside QUALIFY");
}

static void put_order(printer *p, const struct sql_tail *tail) {
    for (size_t i = 0; i < tail->n_order; i++) {
        sql_put(p, i == 0 ? STR(" ORDER BY ") : STR(", "));
        if (is_output(&tail->order[i]))
            pg_put_output(p, tail->order[i].expr);
        else
            sql_putf(p, "kept.k%zu", i);
        pg_put_direction(p, &tail->order[i]);
    }
}

bool pg_put_select(printer *p, const struct sql_query *query) {
    const struct sql_select *select = query->select;
    struct sql_tail rest = query->tail;
    if (select->qualify == NULL) check_keys(p, query);
    if (select->qualify == NULL) return false;
    sql_put(p, select->distinct ? STR("SELECT DISTINCT ") : STR("SELECT "));
    for (size_t i = 0; i < select->n_items; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_output(p, &select->items[i], i);
    }
    sql_put(p, STR(" FROM ("));
    put_inside(p, query);
    sql_put_byte(p, ')');
    put_names(p, query);
    sql_put(p, STR(" WHERE kept.keep"));
    put_order(p, &query->tail);
    rest.n_order = 0;
    dialect_put_limit(p, &rest);
    return true;
}
