/*
 * The last look: texts as a rewriter gone wrong might print them, none of which may be let out, and
 * a few that are as they should be, so that the refusals mean something.
 */
#include "sql/rewrite.h"
#include "base/fault.h"
#include "base/limits.h"
#include "guard_world.h"
#include "sql/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const world_text[] = {
    "project  sales",
    "table    sales.default.orders",
    "column   order_id bigint",
    "column   region string",
    "column   note string denied",
    "column   card string mask=concat('****', substr(card, 13))",
    "column   ext struct<a:string,b:struct<c:string,d:string>> without=b.c",
    "column   ds string partition",
    "filter   region = 'cn'",
    "filter   order_id > 5 AND (ds > '1' OR ds IS NULL)",
    "table    sales.default.items",
    "column   item_id bigint",
    "table    sales.default.salaries denied",
    "column   salary bigint",
};

#define ROWS   "t.region = 'cn' AND t.order_id > 5 AND (t.ds > '1' OR t.ds IS NULL)"
#define ORDERS "sales.default.orders AS t"
#define SAFE   "(SELECT t.order_id FROM " ORDERS " WHERE " ROWS ") AS o"

struct text {
    const char *sql;
    const char *wrong; /* a part of the sentence; NULL: it is let out */
};

static const struct text texts[] = {
    {"SELECT o.order_id FROM " SAFE " LIMIT 10", NULL},
    {"SELECT i.item_id FROM (SELECT t.item_id FROM sales.default.items AS t) AS i LIMIT 1", NULL},
    {"SELECT count(*) AS n FROM (SELECT 1 AS one FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10",
     NULL},
    {"SELECT o.card FROM (SELECT concat('****', substr(t.card, 13)) AS card FROM " ORDERS
     " WHERE " ROWS ") AS o LIMIT 10",
     NULL},
    {"SELECT o.x FROM (SELECT t.ext.b.d AS x FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", NULL},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " AND t.ds = '20240101') AS o LIMIT 10",
     NULL},
    {"WITH c AS (SELECT o.order_id FROM " SAFE ") SELECT x.order_id FROM c AS x LIMIT 10", NULL},

    /* 2: names of one part */
    {"SELECT x.order_id FROM orders AS x LIMIT 10", "(2)"},
    {"SELECT x.order_id FROM sales.orders AS x LIMIT 10", "(2)"},
    {"WITH c AS (SELECT x.order_id FROM c AS x) SELECT y.order_id FROM c AS y LIMIT 10", "(2)"},
    {"WITH a AS (SELECT x.k FROM b AS x), b AS (SELECT 1 AS k) SELECT y.k FROM a AS y LIMIT 10",
     "(2)"},
    {"SELECT x.k FROM (WITH c AS (SELECT 1 AS k) SELECT y.k FROM c AS y) AS x CROSS JOIN c AS z "
     "LIMIT 10",
     "(2)"},
    {"WITH c AS (SELECT 1 AS k) SELECT x.k FROM (WITH C AS (SELECT 2 AS k) SELECT y.k FROM C AS y) "
     "AS x LIMIT 10",
     "(2)"},

    /* 3: a table outside of a secured table */
    {"SELECT t.order_id FROM " ORDERS " WHERE " ROWS " LIMIT 10", "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS
     " CROSS JOIN sales.default.items AS u "
     "WHERE " ROWS ") AS o LIMIT 10",
     "(3)"},
    {"SELECT i.item_id FROM (SELECT t.item_id FROM sales.default.items AS t) AS i WHERE i.item_id "
     "IN (SELECT t.order_id FROM " ORDERS " WHERE " ROWS ") LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT DISTINCT t.order_id FROM " ORDERS " WHERE " ROWS
     ") AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT /*+ MAPJOIN(t) */ t.order_id FROM " ORDERS " WHERE " ROWS
     ") AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " LIMIT 5) AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " ORDER BY t.note) AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " GROUP BY t.order_id, t.note) AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM sales.default.orders WHERE " ROWS
     ") AS o LIMIT 10",
     "(3)"},
    {"SELECT o.x FROM (SELECT t.order_id AS x FROM " ORDERS
     " LATERAL VIEW explode(array(t.note)) v AS z WHERE " ROWS ") AS o LIMIT 10",
     "(3)"},
    {"(SELECT t.item_id FROM sales.default.items AS t) UNION ALL (SELECT 1 AS k) LIMIT 10", "(3)"},

    {"SELECT o.order_id FROM (WITH c AS (SELECT 1 AS k) SELECT t.order_id FROM " ORDERS
     " WHERE " ROWS ") AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " GROUP BY GROUPING SETS ((t.order_id))) AS o LIMIT 10",
     "(3)"},
    {"SELECT o.n FROM (SELECT 1 AS n FROM " ORDERS " WHERE " ROWS
     " HAVING count(t.note) > 1) AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " WINDOW w AS (ORDER BY t.note)) AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " QUALIFY row_number() OVER (ORDER BY t.note) = 1) AS o LIMIT 10",
     "(3)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM sales.default.orders AS t(order_id) "
     "WHERE " ROWS ") AS o LIMIT 10",
     "(3)"},
    {"SELECT v.k FROM VALUES ((SELECT t.item_id FROM sales.default.items AS t)) AS v(k) LIMIT 10",
     "(3)"},
    {"SELECT x.a FROM f(1) AS x LIMIT 10", "(3)"},

    /* 4: what it shows */
    {"SELECT o.salary FROM (SELECT t.salary FROM sales.default.salaries AS t) AS o LIMIT 10",
     "(4)"},
    {"SELECT o.x FROM (SELECT t.x FROM sales.default.nowhere AS t) AS o LIMIT 10", "(4)"},
    {"SELECT o.note FROM (SELECT t.note FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", "(4)"},
    {"SELECT o.card FROM (SELECT t.card FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", "(4)"},
    {"SELECT o.card FROM (SELECT concat('', t.card) AS card FROM " ORDERS " WHERE " ROWS
     ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.x FROM (SELECT concat('****', substr(t.card, 13)) AS x FROM " ORDERS " WHERE " ROWS
     ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.x FROM (SELECT concat(t.region, t.note) AS x FROM " ORDERS " WHERE " ROWS
     ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.ext FROM (SELECT t.ext FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", "(4)"},
    {"SELECT o.x FROM (SELECT t.ext.b AS x FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", "(4)"},
    {"SELECT o.x FROM (SELECT t.ext.b.c AS x FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", "(4)"},
    {"SELECT o.order_id FROM (SELECT order_id FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.x FROM (SELECT (SELECT 1 AS k) AS x FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.order_id FROM (SELECT * FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", "(4)"},

    {"SELECT o.order_id FROM (SELECT x.order_id FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.x FROM (SELECT t.nothing AS x FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10", "(4)"},
    {"SELECT o.x FROM (SELECT t.ext.b.c.e AS x FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.region FROM (SELECT concat(t.region, '') AS region FROM " ORDERS " WHERE " ROWS
     ") AS o LIMIT 10",
     "(4)"},
    {"SELECT o.a FROM (SELECT t.order_id AS (a, b) FROM " ORDERS " WHERE " ROWS ") AS o LIMIT 10",
     "(4)"},

    /* 5: which rows */
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS ") AS o LIMIT 10", "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS
     " WHERE t.region = 'cn') AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS
     " WHERE t.order_id > 5 AND (t.ds > '1' OR t.ds IS NULL)) AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE (" ROWS
     ") OR t.order_id = 1) AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS
     " WHERE t.region = 'us' AND t.order_id > 5 AND (t.ds > '1' OR t.ds IS NULL)) AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " AND t.note = 'x') AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " AND t.card = 'x') AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " AND note = 'x') AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM " ORDERS " WHERE " ROWS
     " AND t.order_id IN (SELECT i.item_id FROM (SELECT t.item_id FROM sales.default.items AS t) "
     "AS "
     "i)) AS o LIMIT 10",
     "(5)"},
    {"SELECT o.order_id FROM (SELECT t.order_id FROM sales.default.orders TABLESAMPLE (BUCKET 1 "
     "OUT "
     "OF 2 ON t.note) AS t WHERE " ROWS ") AS o LIMIT 10",
     "(5)"},

    /* 6: how many */
    {"SELECT o.order_id FROM " SAFE, "(6)"},
    {"SELECT o.order_id FROM " SAFE " LIMIT 11", "(6)"},
    {"SELECT o.order_id FROM " SAFE " LIMIT 0", "(6)"},
    {"SELECT o.order_id FROM " SAFE " LIMIT 5 + 5", "(6)"},
    {"SELECT o.order_id FROM " SAFE " LIMIT 5L", "(6)"},
    {"SELECT o.order_id FROM " SAFE " LIMIT 99999999999999999999", "(6)"},
    {"SELECT x.order_id FROM (SELECT o.order_id FROM " SAFE " LIMIT 10) AS x", "(6)"},
};

static void make_world(struct world *w, struct arena *arena) {
    world_init(w, arena);
    for (size_t i = 0; i < COUNT(world_text); i++)
        assert_true(world_line(w, str_of(world_text[i])));
}

static void lets_out_only_what_is_secured(void **state) {
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct arena arena;
        struct report report = {0};
        struct sql_query *meant;
        struct str text = str_of(texts[i].sql);
        arena_init(&arena, 16 * MIB);
        struct world *world = arena_new(&arena, struct world);
        make_world(world, &arena);
        assert_int_equal(sql_parse(text, NULL, &arena, &meant, NULL).why, FAIL_NONE);
        result done = verify(text, meant, &world->grant, 10, &arena, &report);
        bool is_right = texts[i].wrong == NULL
                            ? done.why == FAIL_NONE
                            : done.why == FAIL_DENIED &&
                                  strcmp(report.code, "INTERNAL_ERROR") == 0 &&
                                  strstr(report.sentence, texts[i].wrong) != NULL;
        if (!is_right) print_error("%s\n    %s\n", texts[i].sql, report.sentence);
        n_wrong += !is_right;
        arena_deinit(&arena);
    }
    assert_int_equal(n_wrong, 0);
}

static void compares_with_what_was_meant(void **state) {
    (void)state;
    struct arena arena;
    struct report report = {0};
    struct sql_query *meant;
    struct str text = STR("SELECT o.order_id FROM " SAFE " LIMIT 10");
    struct str other = STR("SELECT o.order_id + 1 AS x FROM " SAFE " LIMIT 10");
    arena_init(&arena, 16 * MIB);
    struct world *world = arena_new(&arena, struct world);
    make_world(world, &arena);
    assert_int_equal(sql_parse(other, NULL, &arena, &meant, NULL).why, FAIL_NONE);
    assert_int_equal(verify(text, meant, &world->grant, 10, &arena, &report).why, FAIL_DENIED);
    assert_non_null(strstr(report.sentence, "(1)"));
    report = (struct report){0};
    assert_int_equal(verify(STR("SELECT"), meant, &world->grant, 10, &arena, &report).why,
                     FAIL_DENIED);
    assert_non_null(strstr(report.sentence, "(1)"));
    arena_deinit(&arena);
}

/* Nor by a grant that does not say which columns. */
static void lets_out_nothing_without_columns(void **state) {
    (void)state;
    struct arena arena;
    struct report report = {0};
    struct sql_query *meant;
    struct str text = str_of(texts[0].sql);
    arena_init(&arena, 16 * MIB);
    struct world *world = arena_new(&arena, struct world);
    make_world(world, &arena);
    assert_int_equal(sql_parse(text, NULL, &arena, &meant, NULL).why, FAIL_NONE);
    world->tables[0].relation.columns = NULL;
    assert_int_equal(verify(text, meant, &world->grant, 10, &arena, &report).why, FAIL_DENIED);
    assert_non_null(strstr(report.sentence, "(4)"));
    arena_deinit(&arena);
}

/* Nothing is let out when memory gave out. */
static void survives_every_failed_allocation(void **state) {
    (void)state;
    struct arena own;
    struct sql_query *meant;
    struct str text = str_of(texts[3].sql);
    arena_init(&own, 16 * MIB);
    struct world *world = arena_new(&own, struct world);
    make_world(world, &own);
    assert_int_equal(sql_parse(text, NULL, &own, &meant, NULL).why, FAIL_NONE);
    assert_int_equal(verify(text, meant, &world->grant, 10, &own, NULL).why, FAIL_NONE);
    for (long n = 0;; n++) {
        struct arena arena;
        arena_init(&arena, 16 * MIB);
        fault_set(n);
        result done = verify(text, meant, &world->grant, 10, &arena, NULL);
        bool is_done = fault_unused();
        fault_off();
        arena_deinit(&arena);
        if (is_done) break;
        assert_int_equal(done.why, FAIL_MEMORY);
    }
    arena_deinit(&own);
}

/* PostgreSQL's fence stands around rows that are filtered by policy, and around no others. */
static void fences_what_is_filtered(void **state) {
    (void)state;
    struct arena arena;
    struct sql_query *query;
    struct resolved *resolved;
    struct enforced enforced;
    struct ruled *ruled;
    arena_init(&arena, 16 * MIB);
    struct world *world = arena_new(&arena, struct world);
    make_world(world, &arena);
    world->grant.default_limit = world->grant.max_limit = 10;
    world->grant.max_join_tables = 2;
    world->grant.allow_unapproved_join = true;
    struct str text = STR("SELECT i.item_id FROM items i JOIN orders o ON i.item_id = o.order_id "
                          "WHERE o.ds = '1' AND o.order_id > 7");
    assert_int_equal(sql_parse(text, NULL, &arena, &query, NULL).why, FAIL_NONE);
    assert_int_equal(sql_resolve(query, &world->grant, &arena, &resolved, NULL).why, FAIL_NONE);
    assert_int_equal(enforce(resolved, 0, &arena, &enforced, NULL).why, FAIL_NONE);
    assert_int_equal(rewrite(resolved, &enforced, DIALECT_POSTGRES, &arena, &ruled, NULL).why,
                     FAIL_NONE);
    assert_int_equal(rewrite_fence(ruled, &arena, NULL).why, FAIL_NONE);
    assert_int_equal(ruled->n_tables, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct sql_query *table = ruled->tables[i].query;
        bool is_orders = str_eq(ruled->tables[i].relation->schema->name, STR("orders"));
        assert_int_equal(table->tail.limit.offset != NULL, is_orders);
        /* Two filters, one of two conjuncts, and both conditions of the caller's within. */
        if (is_orders) assert_int_equal(table->select->where->items.n, 5);
        if (!is_orders) assert_null(table->select->where);
    }
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lets_out_only_what_is_secured),
                                       cmocka_unit_test(compares_with_what_was_meant),
                                       cmocka_unit_test(lets_out_nothing_without_columns),
                                       cmocka_unit_test(survives_every_failed_allocation),
                                       cmocka_unit_test(fences_what_is_filtered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
