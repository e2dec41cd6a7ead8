/* test/unit/sql/lineage.c - what a statement touches and what its outputs depend on; the corpus */
#include "sql/lineage.h"
#include "base/fault.h"
#include "corpus.h"
#include "relations.h"
#include "text/json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BUDGET = 64 * 1024 * 1024 };

static const char *const clauses[ACCESS_CLAUSES] = {
    [ACCESS_SELECT] = "select",     [ACCESS_WHERE] = "where",       [ACCESS_JOIN] = "join",
    [ACCESS_GROUP_BY] = "group_by", [ACCESS_HAVING] = "having",     [ACCESS_QUALIFY] = "qualify",
    [ACCESS_WINDOW] = "window",     [ACCESS_ORDER_BY] = "order_by", [ACCESS_LATERAL] = "lateral",
};

static result run(const struct relations *relations, struct str sql, struct arena *arena,
                  struct lineage *out, struct report *report) {
    struct sql_query *query = NULL;
    struct resolved *resolved = NULL;
    TRY(sql_parse(sql, NULL, arena, &query, report));
    TRY(sql_resolve(query, &relations->grant, arena, &resolved, report));
    return lineage_of(resolved, arena, out, report);
}

static void tell_list(const struct name_list *list, struct buf *out) {
    for (size_t i = 0; i < list->n; i++)
        buf_addf(out, "%s" STR_FMT, i > 0 ? "," : "", STR_ARG(list->items[i]));
}

static struct str tell(const struct lineage *lineage, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, 10 * 1024 * 1024);
    tell_list(&lineage->tables, &buf);
    for (size_t i = 0; i < ACCESS_CLAUSES; i++) {
        if (lineage->access[i].n == 0) continue;
        buf_addf(&buf, " %s=", clauses[i]);
        tell_list(&lineage->access[i], &buf);
    }
    buf_add(&buf, STR(" ->"));
    for (size_t i = 0; i < lineage->n_output; i++) {
        buf_addf(&buf, " " STR_FMT "(", STR_ARG(lineage->output[i].name));
        tell_list(&lineage->output[i].from, &buf);
        buf_add_byte(&buf, ')');
    }
    struct str text = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return text;
}

/* -- own cases -------------------------------------------------------------------------------- */

static const struct {
    const char *sql, *told;
} cases[] = {
    {"SELECT A AS X, 1 FROM t", "p.default.t select=p.default.t.a -> x(p.default.t.a) _c1()"},
    {"SELECT n.x FROM s.n", "p.s.n select=p.s.n.x -> x(p.s.n.x)"},
    {"SELECT x FROM q.default.other",
     "q.default.other select=q.default.other.x -> x(q.default.other.x)"},
    {"SELECT d.y FROM (SELECT a + b AS y, c FROM t WHERE c = 1) d ORDER BY d.c",
     "p.default.t select=p.default.t.a,p.default.t.b,p.default.t.c where=p.default.t.c -> "
     "y(p.default.t.a,p.default.t.b)"},
    /* keys of OVER count, named windows too; filters and EXISTS do not */
    {"SELECT sum(a) OVER w AS s FROM t WINDOW v AS (PARTITION BY b), w AS (v ORDER BY c)",
     "p.default.t select=p.default.t.a window=p.default.t.b,p.default.t.c -> "
     "s(p.default.t.a,p.default.t.b,p.default.t.c)"},
    {"SELECT count(a) FILTER (WHERE b = 1) f, EXISTS (SELECT 1 FROM u WHERE u.k = t.c) e FROM t",
     "p.default.t,p.default.u select=p.default.t.a,p.default.t.b where=p.default.t.c,p.default.u.k "
     "-> f(p.default.t.a) e()"},
    {"SELECT (SELECT max(v) FROM u WHERE u.k = t.a) AS m FROM t",
     "p.default.t,p.default.u select=p.default.u.v where=p.default.t.a,p.default.u.k -> "
     "m(p.default.u.v)"},
    {"SELECT a IN (SELECT k FROM u WHERE v = 1) AS i FROM t",
     "p.default.t,p.default.u select=p.default.t.a,p.default.u.k where=p.default.u.v -> "
     "i(p.default.t.a,p.default.u.k)"},
    /* both sides of USING; a set operation, position by position */
    {"SELECT k FROM u JOIN w USING (k)",
     "p.default.u,p.default.w select=p.default.u.k,p.default.w.k join=p.default.u.k,p.default.w.k "
     "-> k(p.default.u.k,p.default.w.k)"},
    {"SELECT * FROM u NATURAL JOIN w",
     "p.default.u,p.default.w select=p.default.u.k,p.default.u.v,p.default.w.k,p.default.w.z "
     "join=p.default.u.k,p.default.w.k -> k(p.default.u.k,p.default.w.k) v(p.default.u.v) "
     "z(p.default.w.z)"},
    {"SELECT a, b FROM t UNION ALL SELECT v, 1 FROM u ORDER BY a",
     "p.default.t,p.default.u select=p.default.t.a,p.default.t.b,p.default.u.v -> "
     "a(p.default.t.a,p.default.u.v) b(p.default.t.b)"},
    /* through LATERAL VIEW, PIVOT, UNPIVOT, lambdas */
    {"SELECT y FROM t LATERAL VIEW explode(split(a, ',')) l AS x "
     "LATERAL VIEW explode(split(concat(x, b), ',')) m AS y",
     "p.default.t lateral=p.default.t.a,p.default.t.b -> y(p.default.t.a,p.default.t.b)"},
    {"SELECT one, a FROM (SELECT a, k, v FROM t JOIN u ON 1 = 1) PIVOT (sum(v) FOR k IN (1 AS "
     "one))",
     "p.default.t,p.default.u select=p.default.t.a,p.default.u.k,p.default.u.v -> "
     "one(p.default.u.k,p.default.u.v) a(p.default.t.a)"},
    {"SELECT c, n, val FROM t UNPIVOT (val FOR n IN (a, b))",
     "p.default.t select=p.default.t.a,p.default.t.b,p.default.t.c -> c(p.default.t.c) n() "
     "val(p.default.t.a,p.default.t.b)"},
    {"SELECT transform(array(a), x -> x + b) AS l FROM t",
     "p.default.t select=p.default.t.a,p.default.t.b -> l(p.default.t.a,p.default.t.b)"},
    {"SELECT wm_concat(',', a) WITHIN GROUP (ORDER BY b) AS l FROM t",
     "p.default.t select=p.default.t.a,p.default.t.b -> l(p.default.t.a,p.default.t.b)"},
    /* a CTE that nobody reads is touched all the same */
    {"WITH c AS (SELECT a FROM t) SELECT k FROM u",
     "p.default.t,p.default.u select=p.default.t.a,p.default.u.k -> k(p.default.u.k)"},
    {"SELECT a FROM t WHERE c = max_pt('u')",
     "p.default.t,p.default.u select=p.default.t.a where=p.default.t.c -> a(p.default.t.a)"},
    {"SELECT count(*) AS c FROM t", "p.default.t -> c()"},
    {"SELECT * FROM secret_star",
     "p.default.secret_star select=p.default.secret_star.x -> x(p.default.secret_star.x)"},
    {"SELECT * FROM (SELECT * FROM secret_star UNION ALL SELECT * FROM secret_star) d",
     "p.default.secret_star select=p.default.secret_star.x -> x(p.default.secret_star.x)"},
    {"SELECT 1 AS one", " -> one()"},
};

static void make_relations(struct relations *r) {
    relations_init(r, "p");
    relations_add(r, "p", "default", "t", GRANT_ALLOW, STR("a string; b string; c string"));
    relations_add(r, "p", "default", "u", GRANT_ALLOW, STR("k string; v bigint"));
    relations_add(r, "p", "default", "w", GRANT_ALLOW, STR("k string; z bigint"));
    relations_add(r, "p", "default", "secret_star", GRANT_ALLOW, STR("x bigint; -y bigint"));
    relations_add(r, "p", "s", "n", GRANT_ALLOW, STR("x bigint"));
    relations_add(r, "q", "default", "other", GRANT_ALLOW, STR("x bigint"));
}

static void tells_access_and_outputs(void **state) {
    (void)state;
    struct relations relations;
    make_relations(&relations);
    size_t n_wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena arena;
        struct lineage lineage = {0};
        struct report report = {0};
        arena_init(&arena, BUDGET);
        result r = run(&relations, str_of(cases[i].sql), &arena, &lineage, &report);
        struct str told = tell(&lineage, &arena);
        if (r.why != FAIL_NONE || !str_eq(told, str_of(cases[i].told))) {
            print_error("%s\n is %.*s %s\nnot %s\n", cases[i].sql, STR_ARG(told), report.sentence,
                        cases[i].told);
            n_wrong++;
        }
        arena_deinit(&arena);
    }
    relations_deinit(&relations);
    assert_int_equal(n_wrong, 0);
}

/* A chain of CTEs over a wide table: sets are shared, not copied, and nothing recurses. */
static void stays_flat_over_chains(void **state) {
    (void)state;
    struct relations relations;
    struct arena arena;
    struct lineage lineage;
    struct buf buf;
    struct report report = {0};
    make_relations(&relations);
    arena_init(&arena, BUDGET);
    buf_init(&buf, 1024 * 1024);
    buf_add(&buf, STR("WITH c0 AS (SELECT a, b, c FROM t)"));
    for (int i = 1; i < 250; i++)
        buf_addf(&buf, ", c%d AS (SELECT l.a, concat(l.b, r.a) b, r.c FROM c%d l, c%d r)", i, i - 1,
                 i - 1);
    buf_add(&buf, STR(" SELECT * FROM c249"));
    result r = run(&relations, buf_flat(&buf, &arena), &arena, &lineage, &report);
    if (r.why != FAIL_NONE) fail_msg("%s", report.sentence);
    assert_true(str_eq(tell(&lineage, &arena),
                       STR("p.default.t select=p.default.t.a,p.default.t.b,p.default.t.c -> "
                           "a(p.default.t.a) b(p.default.t.a,p.default.t.b) c(p.default.t.c)")));
    buf_deinit(&buf);
    arena_deinit(&arena);
    relations_deinit(&relations);
}

/* Views over views, asked for from a subquery before they were asked for in order: the one way into
 * recursion. On the stack of a worker. */
static void *climb(void *failure) {
    struct relations relations;
    struct arena arena;
    struct lineage lineage = {0};
    struct buf buf;
    struct report report = {0};
    make_relations(&relations);
    arena_init(&arena, BUDGET);
    buf_init(&buf, 1024 * 1024);
    enum { VIEWS = 150 };
    buf_addf(&buf, "SELECT (SELECT c%d FROM u) AS m FROM t", VIEWS);
    for (int i = 1; i <= VIEWS; i++)
        buf_addf(&buf, " LATERAL VIEW explode(split(%s%.0d, ',')) v%d AS c%d", i == 1 ? "a" : "c",
                 i - 1, i, i);
    result r = run(&relations, buf_flat(&buf, &arena), &arena, &lineage, &report);
    if (r.why == FAIL_NONE &&
        !str_eq(tell(&lineage, &arena),
                STR("p.default.t,p.default.u lateral=p.default.t.a -> m(p.default.t.a)")))
        report.why = FAIL_INPUT;
    *(struct report *)failure = report;
    buf_deinit(&buf);
    arena_deinit(&arena);
    relations_deinit(&relations);
    return NULL;
}

#ifdef WEIR_SANITIZED
enum { STACK_BYTES = 4 * 1024 * 1024 };
#else
enum { STACK_BYTES = 256 * 1024 };
#endif

static void climbs_views_on_a_small_stack(void **state) {
    (void)state;
    pthread_t thread;
    pthread_attr_t attributes;
    struct report failure = {0};
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, climb, &failure), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&attributes);
    if (failure.why != FAIL_NONE) fail_msg("%s", failure.sentence);
}

static void survives_the_nth_failure(void **state) {
    (void)state;
    struct relations relations;
    make_relations(&relations);
    for (size_t i = 0; i < COUNT(cases); i++)
        for (long n = 0;; n++) {
            struct arena arena;
            struct sql_query *query = NULL;
            struct resolved *resolved = NULL;
            struct lineage lineage;
            arena_init(&arena, BUDGET);
            assert_int_equal(sql_parse(str_of(cases[i].sql), NULL, &arena, &query, NULL).why,
                             FAIL_NONE);
            assert_int_equal(sql_resolve(query, &relations.grant, &arena, &resolved, NULL).why,
                             FAIL_NONE);
            fault_set(n);
            result r = lineage_of(resolved, &arena, &lineage, NULL);
            bool is_over = fault_unused();
            fault_off();
            arena_deinit(&arena);
            assert_int_equal(r.why, is_over ? FAIL_NONE : FAIL_MEMORY);
            if (is_over) break;
            assert_true(n < 10000);
        }
    relations_deinit(&relations);
}

/* -- the corpus ------------------------------------------------------------------------------- */

/* Tables of one schema, under the project that the statement may have written. */
static void add_schema(struct relations *r, const struct json *schema) {
    for (uint32_t i = 0; i < schema->n; i++) {
        struct buf columns;
        buf_init(&columns, 100000);
        const struct json *names = &schema->members[i].value;
        for (uint32_t j = 0; j < names->n; j++)
            buf_addf(&columns, "%s" STR_FMT, j > 0 ? ";" : "", STR_ARG(names->items[j].text));
        struct str text = str_dup(&r->arena, buf_flat(&columns, &r->arena));
        buf_deinit(&columns);
        relations_add(r, "mocked_project", "default", str_cstr(&r->arena, schema->members[i].key),
                      GRANT_ALLOW, text);
    }
}

static bool is_list(const struct name_list *list, const struct json *wanted) {
    if (wanted == NULL) return list->n == 0;
    if (list->n != wanted->n) return false;
    for (size_t i = 0; i < list->n; i++) {
        struct str name = list->items[i];
        bool is_there = false;
        (void)str_cut(&name, '.'); /* the corpus has neither project nor schema */
        (void)str_cut(&name, '.');
        for (uint32_t j = 0; j < wanted->n; j++) is_there |= str_eq(name, wanted->items[j].text);
        if (!is_there) return false;
    }
    return true;
}

static bool is_output(const struct lineage *lineage, const struct json *wanted) {
    if (wanted == NULL) return true;
    if (lineage->n_output != wanted->n) return false;
    for (uint32_t i = 0; i < wanted->n; i++)
        if (!str_eq(lineage->output[i].name, wanted->items[i].items[0].text) ||
            !is_list(&lineage->output[i].from, &wanted->items[i].items[1]))
            return false;
    return true;
}

static bool is_as_wanted(const struct lineage *lineage, const struct json *wanted) {
    for (size_t i = 0; i < ACCESS_CLAUSES; i++)
        if (!is_list(&lineage->access[i],
                     json_get(json_get(wanted, STR("access")), str_of(clauses[i]))))
            return false;
    return is_list(&lineage->tables, json_get(wanted, STR("tables"))) &&
           is_list(&lineage->columns, json_get(wanted, STR("all"))) &&
           is_output(lineage, json_get(wanted, STR("output")));
}

static bool scores(struct str line, const struct json *schemas) {
    struct relations relations;
    struct arena arena;
    struct lineage lineage = {0};
    struct report report = {0};
    const struct json *wanted = NULL;
    arena_init(&arena, BUDGET);
    relations_init(&relations, "mocked_project");
    assert_int_equal(json_read(line, NULL, &arena, &wanted, NULL).why, FAIL_NONE);
    add_schema(&relations, json_get(schemas, json_get_text(wanted, STR("schema"))));
    struct str sql = json_get_text(wanted, STR("sql"));
    result r = run(&relations, sql, &arena, &lineage, &report);
    bool is_right = r.why == FAIL_NONE && is_as_wanted(&lineage, wanted);
    if (!is_right)
        print_error("%.*s: %s %.*s\n", STR_ARG(json_get_text(wanted, STR("id"))), report.sentence,
                    STR_ARG(tell(&lineage, &arena)));
    relations_deinit(&relations);
    arena_deinit(&arena);
    return is_right;
}

static void scores_the_corpus(void **state) {
    (void)state;
    struct arena arena;
    const struct json *schemas = NULL;
    size_t n = 0, n_right = 0;
    arena_init(&arena, BUDGET);
    struct str lines = corpus_read("lineage.jsonl", &arena);
    struct str text = corpus_read("lineage-schemas.json", &arena);
    if (lines.ptr == NULL || text.ptr == NULL) {
        arena_deinit(&arena);
        print_message("the corpus is not here\n");
        skip();
    }
    assert_int_equal(json_read(text, NULL, &arena, &schemas, NULL).why, FAIL_NONE);
    schemas = json_get(schemas, STR("schemas"));
    while (lines.ptr != NULL && lines.len > 0) {
        struct str line = str_trim(str_cut(&lines, '\n'));
        if (line.len == 0) continue;
        n++;
        n_right += scores(line, schemas);
    }
    print_message("lineage: %zu of %zu\n", n_right, n);
    arena_deinit(&arena);
    assert_true(n >= 30);
    assert_int_equal(n_right, n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_access_and_outputs),
        cmocka_unit_test(stays_flat_over_chains),
        cmocka_unit_test(climbs_views_on_a_small_stack),
        cmocka_unit_test(survives_the_nth_failure),
        cmocka_unit_test(scores_the_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
