/* test/unit/sql/walk.c - the walker sees every node once and says where it stands; copies,
 * comparison */
#include "sql/walk.h"
#include "base/limits.h"
#include "sql/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "statements.h"

#define CASES SOURCE_ROOT "/test/unit/sql/"

static struct sql_query *must_parse(struct str sql, struct arena *arena) {
    struct sql_query *query = NULL;
    assert_int_equal(sql_parse(sql, NULL, arena, &query, NULL).why, FAIL_NONE);
    return query;
}

struct seen {
    bool *ids;
    uint32_t n_ids;
    size_t n;
    struct str text;
};

static void see_id(struct seen *seen, uint32_t id, struct sql_span span) {
    assert_true(id >= 1 && id <= seen->n_ids);
    assert_false(seen->ids[id]); /* one parent, so visited once */
    assert_true(span.from < span.to && span.to <= seen->text.len);
    seen->ids[id] = true;
    seen->n++;
}

static enum walk see_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    see_id(with, expr->id, expr->span);
    assert_true(expr->height >= 1);
    if (place->in_expr != NULL) assert_true(place->in_expr->height > expr->height);
    return WALK_ON;
}

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    see_id(with, query->id, query->span);
    if (place->block != NULL) assert_true(place->block->height > query->height);
    return WALK_ON;
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    see_id(with, source->id, source->span);
    if (place->in_source != NULL) assert_true(place->in_source->height > source->height);
    assert_true(place->block->height > source->height);
    return WALK_ON;
}

static void check_walk(struct str sql) {
    struct arena arena;
    arena_init(&arena, (size_t)CALL_ARENA_BYTES);
    struct sql_query *query = must_parse(sql, &arena);
    struct seen seen = {.n_ids = query->n_ids, .text = sql};
    seen.ids = arena_new_array(&arena, query->n_ids + 1, bool);
    struct sql_visitor visitor = {see_expr, see_query, see_source, NULL, &seen};
    assert_int_equal(sql_walk_query(query, &visitor), WALK_ON);
    assert_true(seen.n > 1);
    struct sql_query *copy = sql_copy_query(&arena, query);
    assert_non_null(copy);
    assert_true(sql_equal(query, copy));
    arena_deinit(&arena);
}

static void every_node_is_seen_once(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)(8 * MIB));
    struct statements cases = statements_cases(CASES "parse.case", STR("\n=> "), &arena);
    struct statements corpus = statements_corpus("accept.jsonl", &arena);
    assert_true(cases.n > 100);
    for (size_t i = 0; i < cases.n; i++) check_walk(cases.at[i].sql);
    for (size_t i = 0; i < corpus.n; i++) check_walk(corpus.at[i].sql);
    arena_deinit(&arena);
}

/* -- where a reference stands -------------------------------------------------------------------
 */

static const char *const clause_names[] = {
    [SQL_IN_NOTHING] = "nothing",
    [SQL_IN_WITH] = "with",
    [SQL_IN_SELECT] = "select",
    [SQL_IN_FROM] = "from",
    [SQL_IN_LATERAL] = "lateral",
    [SQL_IN_ON] = "on",
    [SQL_IN_WHERE] = "where",
    [SQL_IN_GROUP_BY] = "group",
    [SQL_IN_HAVING] = "having",
    [SQL_IN_WINDOW] = "window",
    [SQL_IN_QUALIFY] = "qualify",
    [SQL_IN_ORDER_BY] = "order",
    [SQL_IN_CLUSTER_BY] = "cluster",
    [SQL_IN_DISTRIBUTE_BY] = "distribute",
    [SQL_IN_SORT_BY] = "sort",
    [SQL_IN_LIMIT] = "limit",
    [SQL_IN_SET] = "set",
    [SQL_IN_FILTER] = "filter",
    [SQL_IN_WITHIN] = "within",
};

static enum walk note_ref(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct buf *out = with;
    if (expr->kind != SQL_REF) return WALK_ON;
    buf_addf(out, "%s" STR_FMT ":%s", out->len > 0 ? " " : "", STR_ARG(expr->ref.at[0].text),
             clause_names[place->clause]);
    return WALK_ON;
}

static void places_are_told(void **state) {
    (void)state;
    static const struct {
        const char *sql, *refs;
    } cases[] = {
        {"SELECT a, f(b) + c FROM t", "a:select b:select c:select"},
        {"SELECT sum(a) OVER (PARTITION BY b ORDER BY c ROWS d PRECEDING)",
         "a:select b:window c:window d:window"},
        {"SELECT f(a) WITHIN GROUP (ORDER BY b), g(c) FILTER (WHERE d)",
         "a:select b:within c:select d:filter"},
        {"SELECT 1 FROM t JOIN u ON a = b LATERAL VIEW explode(c) x AS y WHERE d",
         "a:on b:on c:lateral d:where"},
        {"SELECT 1 FROM t GROUP BY a, CUBE (b, (c, d)) HAVING e WINDOW w AS (ORDER BY f) QUALIFY g",
         "a:group b:group c:group d:group e:having f:window g:qualify"},
        {"SELECT 1 GROUP BY a GROUPING SETS ((b), ())", "a:group b:group"},
        {"SELECT 1 ORDER BY a LIMIT b, c", "a:order c:limit b:limit"},
        {"SELECT 1 DISTRIBUTE BY a SORT BY b", "a:distribute b:sort"},
        {"SELECT 1 CLUSTER BY a", "a:cluster"},
        {"WITH x AS (SELECT a) SELECT b", "a:select b:select"},
        {"SELECT a IN (SELECT b FROM t WHERE c) ORDER BY d", "a:select b:select c:where d:order"},
        {"SELECT a UNION SELECT b ORDER BY c", "a:select b:select c:order"},
        {"SELECT * REPLACE (a AS b), CASE c WHEN d THEN e ELSE f END, g BETWEEN h AND i, j IS NULL",
         "a:select c:select d:select e:select f:select g:select h:select i:select j:select"},
        {"SELECT k IN (l, m), (n, o), p[q], f(r).s, CAST(t AS INT), EXTRACT(DAY FROM u), INTERVAL "
         "v DAY, f(w -> x), -y, z || a",
         "k:select l:select m:select n:select o:select p:select q:select r:select t:select "
         "u:select "
         "v:select x:select y:select z:select a:select"},
        {"SELECT 1 FROM f(a) JOIN t TIMESTAMP AS OF b TABLESAMPLE (BUCKET 1 OUT OF 2 ON c)",
         "a:from b:from c:from"},
        {"SELECT 1 FROM VALUES (a, b) t(x, y) PIVOT (sum(c) FOR d IN (e, (f)))",
         "a:from b:from c:from e:from f:from"},
        {"SELECT 1 FROM t UNPIVOT (a FOR b IN (c AS d))", "d:from"},
        {"SELECT EXISTS (SELECT a)", "a:select"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena arena;
        struct buf buf;
        arena_init(&arena, (size_t)MIB);
        buf_init(&buf, 4096);
        struct sql_query *query = must_parse(str_of(cases[i].sql), &arena);
        struct sql_visitor visitor = {.expr = note_ref, .with = &buf};
        assert_int_equal(sql_walk_query(query, &visitor), WALK_ON);
        struct str refs = buf_flat(&buf, &arena);
        if (!str_eq(refs, str_of(cases[i].refs)))
            print_message("%s\n" STR_FMT "\n", cases[i].sql, STR_ARG(refs));
        assert_true(str_eq(refs, str_of(cases[i].refs)));
        buf_deinit(&buf);
        arena_deinit(&arena);
    }
}

/* -- stopping and skipping ------------------------------------------------------------------------
 */

struct count {
    size_t exprs, left;
    enum walk say;
};

static enum walk count_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct count *count = with;
    (void)place;
    count->exprs++;
    return expr->kind == SQL_BINARY ? count->say : WALK_ON;
}

static void count_leave(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)query, (void)place;
    ((struct count *)with)->left++;
}

static void the_visitor_decides(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)MIB);
    struct sql_query *query = must_parse(STR("SELECT a + b, c FROM (SELECT d) t"), &arena);
    struct count on = {0}, skip = {.say = WALK_SKIP}, stop = {.say = WALK_STOP};
    struct sql_visitor visitor = {.expr = count_expr, .leave_query = count_leave, .with = &on};
    assert_int_equal(sql_walk_query(query, &visitor), WALK_ON);
    assert_true(on.exprs == 5 && on.left == 2);
    visitor.with = &skip;
    assert_int_equal(sql_walk_query(query, &visitor), WALK_ON);
    assert_true(skip.exprs == 3 && skip.left == 2);
    visitor.with = &stop;
    assert_int_equal(sql_walk_query(query, &visitor), WALK_STOP);
    assert_true(stop.exprs == 1 && stop.left == 0);
    arena_deinit(&arena);
}

static void zeroed_nodes_are_none(void **state) {
    (void)state;
    struct sql_expr expr = {0};
    struct sql_source source = {0};
    struct sql_query query = {0};
    struct sql_visitor visitor = {0};
    struct arena arena;
    arena_init(&arena, 65536);
    assert_int_equal(sql_walk_expr(&expr, &visitor), WALK_STOP);
    assert_int_equal(sql_walk_source(&source, &visitor), WALK_STOP);
    assert_int_equal(sql_walk_query(&query, &visitor), WALK_STOP);
    assert_false(sql_expr_equal(&expr, &expr) || sql_source_equal(&source, &source) ||
                 sql_equal(&query, &query));
    assert_null(sql_copy_expr(&arena, &expr));
    assert_null(sql_copy_source(&arena, &source));
    assert_null(sql_copy_query(&arena, &query));
    assert_null(sql_copy_query(&arena, NULL));
    assert_true(sql_equal(NULL, NULL) && !sql_equal(NULL, &query));
    arena_deinit(&arena);
}

/* -- comparison ------------------------------------------------------------------------------- */

/* No two of these mean the same. */
static void differences_are_seen(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)CALL_ARENA_BYTES);
    struct statements cases = statements_cases(CASES "parse.case", STR("\n=> "), &arena);
    struct sql_query **trees = arena_new_array(&arena, cases.n, struct sql_query *);
    for (size_t i = 0; i < cases.n; i++) trees[i] = must_parse(cases.at[i].sql, &arena);
    for (size_t i = 0; i < cases.n; i++) {
        for (size_t j = 0; j < cases.n; j++) {
            bool same = str_eq(cases.at[i].answer, cases.at[j].answer);
            assert_int_equal(sql_equal(trees[i], trees[j]), same);
        }
    }
    arena_deinit(&arena);
}

static void small_differences_are_seen(void **state) {
    (void)state;
    static const char *const sql[] = {
        "SELECT a FROM t",
        "SELECT b FROM t",
        "SELECT A FROM t",
        "SELECT a FROM u",
        "SELECT a FROM t x",
        "SELECT a FROM t x (c)",
        "SELECT a x FROM t",
        "SELECT DISTINCT a FROM t",
        "SELECT a AS (a) FROM t",
        "SELECT a AS a FROM t",
        "SELECT `a.` FROM t",
        "SELECT 1 FROM t",
        "SELECT 1L FROM t",
        "SELECT '1' FROM t",
        "SELECT a FROM t LIMIT 1",
        "SELECT a FROM t LIMIT 1 OFFSET 1",
        "SELECT a FROM t ORDER BY a",
        "SELECT a FROM t ORDER BY a DESC",
        "SELECT a FROM t ORDER BY a NULLS FIRST",
        "SELECT a FROM t SORT BY a",
        "SELECT a FROM t CLUSTER BY a",
        "SELECT a FROM t DISTRIBUTE BY a",
        "SELECT a FROM t ZORDER BY a",
        "SELECT a FROM t WHERE a",
        "SELECT a FROM t WHERE a IS NULL",
        "SELECT a FROM t WHERE a IS NOT NULL",
        "SELECT a FROM t GROUP BY a",
        "SELECT a FROM t GROUP BY a WITH CUBE",
        "SELECT a FROM t GROUP BY a WITH ROLLUP",
        "SELECT a FROM t GROUP BY CUBE (a)",
        "SELECT a FROM t HAVING a",
        "SELECT a FROM t QUALIFY a",
        "SELECT a FROM t WINDOW w AS ()",
        "SELECT a FROM t WINDOW w AS (ORDER BY a)",
        "SELECT a FROM t WINDOW w AS (ORDER BY a ROWS CURRENT ROW)",
        "SELECT a FROM t WINDOW w AS (ORDER BY a RANGE CURRENT ROW)",
        "SELECT a FROM t WINDOW w AS (ORDER BY a ROWS CURRENT ROW EXCLUDE TIES)",
        "SELECT f(a) FROM t",
        "SELECT f(DISTINCT a) FROM t",
        "SELECT p:f(a) FROM t",
        "SELECT ::f(a) FROM t",
        "SELECT f(a) OVER w FROM t",
        "SELECT f(a) OVER (w) FROM t",
        "SELECT f(a) FILTER (WHERE a) FROM t",
        "SELECT a FROM t, u",
        "SELECT a FROM t JOIN u",
        "SELECT a FROM t CROSS JOIN u",
        "SELECT a FROM t NATURAL JOIN u",
        "SELECT a FROM t JOIN u ON a",
        "SELECT a FROM t JOIN u USING (a)",
        "SELECT a FROM t TABLESAMPLE (1 PERCENT)",
        "SELECT a FROM t TABLESAMPLE (1 ROWS)",
        "SELECT a FROM t TIMESTAMP AS OF 1",
        "SELECT a FROM t VERSION AS OF 1",
        "SELECT a FROM t LATERAL VIEW f(a) x AS a",
        "SELECT a FROM t LATERAL VIEW OUTER f(a) x AS a",
        "SELECT a FROM t PIVOT (f(a) FOR b IN (1))",
        "SELECT a FROM t UNPIVOT (f FOR b IN (a))",
        "SELECT a FROM t UNPIVOT INCLUDE NULLS (f FOR b IN (a))",
        "SELECT a FROM t UNION SELECT a FROM t",
        "SELECT a FROM t UNION ALL SELECT a FROM t",
        "SELECT a FROM t MINUS SELECT a FROM t",
        "WITH t AS (SELECT a) SELECT a FROM t",
        "WITH t (a) AS (SELECT a) SELECT a FROM t",
        "SELECT CAST(a AS INT) FROM t",
        "SELECT CAST(a AS BIGINT) FROM t",
        "SELECT INTERVAL 1 DAY FROM t",
        "SELECT INTERVAL 1 HOUR FROM t",
        "SELECT EXTRACT(DAY FROM a) FROM t",
        "SELECT EXTRACT(HOUR FROM a) FROM t",
        "SELECT a.b FROM t",
        "SELECT (a).b FROM t",
        "SELECT * FROM t",
        "SELECT t.* FROM t",
        "SELECT * EXCEPT (a) FROM t",
        "SELECT * REPLACE (a AS a) FROM t",
        "SELECT ? FROM t",
        "SELECT :a FROM t",
        "SELECT f(x -> a) FROM t",
        "SELECT f(y -> a) FROM t",
    };
    struct arena arena;
    struct sql_query *trees[COUNT(sql)];
    arena_init(&arena, (size_t)MIB);
    for (size_t i = 0; i < COUNT(sql); i++) trees[i] = must_parse(str_of(sql[i]), &arena);
    for (size_t i = 0; i < COUNT(sql); i++) {
        for (size_t j = 0; j < COUNT(sql); j++) {
            if (sql_equal(trees[i], trees[j]) != (i == j))
                print_message("%s | %s\n", sql[i], sql[j]);
            assert_int_equal(sql_equal(trees[i], trees[j]), i == j);
        }
    }
    arena_deinit(&arena);
}

static void spelling_makes_no_difference(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"SELECT a FROM t", "select `a`\n/* x */ from `t`;"},
        {"SELECT a == 1", "SELECT ((a) = 1)"},
        {"SELECT /*+ mapjoin(x) */ 1", "SELECT 1"},
        {"FROM t SELECT a", "SELECT a FROM t"},
        {"SELECT a \"x\"", "SELECT a AS `x`"},
        {"SELECT 'ab'", "SELECT \"a\" 'b'"},
        {"SELECT a$b", "SELECT a$b"},
    };
    struct arena arena;
    arena_init(&arena, (size_t)MIB);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct sql_query *a = must_parse(str_of(pairs[i][0]), &arena);
        struct sql_query *b = must_parse(str_of(pairs[i][1]), &arena);
        assert_true(sql_equal(a, b));
    }
    struct sql_query *bare = must_parse(STR("SELECT a$b"), &arena);
    struct sql_query *pattern = must_parse(STR("SELECT `a$b`"), &arena);
    assert_false(sql_equal(bare, pattern)); /* in back quotes it may be a regular expression */
    arena_deinit(&arena);
}

/* A copy lives on when the tree is changed. */
static void copies_are_deep(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)MIB);
    struct sql_query *query = must_parse(STR("SELECT f(a, b) FROM t JOIN u ON a = 1"), &arena);
    struct sql_query *copy = sql_copy_query(&arena, query);
    query->select->items[0].expr->call.args.at[0]->ref.at[0].text = STR("z");
    query->select->from->join.right->table.at[0].text = STR("v");
    assert_false(sql_equal(query, copy));
    assert_true(sql_equal(copy, must_parse(STR("SELECT f(a, b) FROM t JOIN u ON a = 1"), &arena)));
    assert_int_equal(copy->id, 0);
    struct sql_expr *expr = sql_copy_expr(&arena, copy->select->from->join.on);
    assert_true(sql_expr_equal(expr, copy->select->from->join.on));
    struct sql_source *source = sql_copy_source(&arena, copy->select->from);
    assert_true(sql_source_equal(source, copy->select->from));
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_is_seen_once),
        cmocka_unit_test(places_are_told),
        cmocka_unit_test(the_visitor_decides),
        cmocka_unit_test(zeroed_nodes_are_none),
        cmocka_unit_test(differences_are_seen),
        cmocka_unit_test(small_differences_are_seen),
        cmocka_unit_test(spelling_makes_no_difference),
        cmocka_unit_test(copies_are_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
