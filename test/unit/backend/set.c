/* A set of backends as weir.yaml lists them, and the backend that only describes its tables. */
#include "engine.h"

#include "backend/duckdb_process.h"
#include "base/fault.h"

#define DESCRIBED "{name: s, kind: schema, file: shop/schema.json}"

struct wrong_case {
    const char *list, *problems;
};

static const struct wrong_case wrong[] = {
    {"{}\n", "weir.yaml:1:1: error: 'backends' must be a list\n"},
    {"[7]\n", "weir.yaml:1:2: error: a backend must be a map\n"},
    {"[{}]\n", "weir.yaml:1:2: error: a backend needs a 'name'\n"
               "weir.yaml:1:2: error: a backend needs a 'kind'\n"},
    {"[{name: s, kind: oracle}]\n",
     "weir.yaml:1:18: error: unknown kind 'oracle' (the kinds of backends are duckdb, schema)\n"},
    {"[" DESCRIBED ", " DESCRIBED "]\n", "weir.yaml:1:58: error: backend 's' is there twice\n"},
    {"[{name: s, kind: schema}]\n",
     "weir.yaml:1:2: error: a backend of kind schema needs 'file'\n"},
    {"[{name: s, kind: schema, fiel: a}]\n",
     "weir.yaml:1:26: error: unknown key 'fiel' of a backend of kind schema (did you mean "
     "'file'?)\n"},
    {"[{name: s, kind: schema, file: [a]}]\n",
     "weir.yaml:1:32: error: 'file' must be a single value\n"},
    /* Every wrong one is told, not the first alone. */
    {"[7, {name: s, kind: x}]\n", "weir.yaml:1:2: error: a backend must be a map\n"
                                  "weir.yaml:1:21: error: unknown kind 'x' (the kinds of backends "
                                  "are duckdb, schema)\n"},
};

static const char *all_problems(struct engine_rig *rig) {
    struct str all = STR("");
    for (size_t i = 0; i < rig->problems.n; i++) {
        struct str line = problem_print(&rig->problems.items[i], &rig->arena);
        all = str_printf(&rig->arena, STR_FMT STR_FMT "\n", STR_ARG(all), STR_ARG(line));
    }
    return str_cstr(&rig->arena, all);
}

static void test_problems(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct engine_rig rig;
        rig_open_as(&rig, wrong[i].list, false);
        assert_null(rig.set);
        const char *problems = all_problems(&rig);
        assert_string_equal(problems, wrong[i].problems);
        rig_close(&rig);
    }
}

static void test_file_that_is_not_there(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open_as(&rig, "[{name: s, kind: schema, file: nothing.yaml}]\n", false);
    assert_null(rig.set);
    assert_non_null(strstr(all_problems(&rig), "weir.yaml:1:32: error: cannot read file"));
    rig_close(&rig);
}

static void test_no_backends(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[]\n");
    assert_int_equal(backend_set_count(rig.set), 0);
    assert_null(backend_set_by_name(rig.set, STR("s")));
    struct schema_source source = backend_set_source(rig.set);
    const struct schema_relation *relation;
    result r = source.find(&source, STR("a"), STR("b"), STR("c"), &rig.arena, &relation, NULL);
    assert_int_equal(r.why, FAIL_NONE);
    assert_null(relation);
    backend_set_unref(rig.set);
    rig.set = NULL;
    assert_int_equal(backend_set_open(NULL, &rig.setup, &rig.problems, &rig.set).why, FAIL_NONE);
    assert_int_equal(backend_set_count(rig.set), 0);
    rig_close(&rig);
    backend_set_unref(NULL);
}

static void test_described_backend(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[" DESCRIBED "]\n");
    assert_true(str_eq(backend_name(rig.backend), STR("s")));
    assert_ptr_equal(backend_set_by_name(rig.set, STR("s")), rig.backend);
    const struct backend_kind *kind = backend_kind_of(rig.backend);
    assert_string_equal(kind->name, "schema");
    assert_false(kind->can_run);
    const struct schema_relation *const *all;
    size_t n;
    assert_int_equal(kind->list(rig.backend, &rig.arena, &all, &n, NULL).why, FAIL_NONE);
    assert_int_equal(n, 3);

    struct asked a = ask(&rig, "SELECT 1");
    assert_int_equal(a.r.why, FAIL_ABSENT);
    assert_string_equal(a.report.code, "BACKEND_CANNOT_RUN");
    assert_non_null(strstr(a.report.sentence, "'s'"));
    struct schema_source source = backend_set_source(rig.set);
    struct str newest;
    assert_int_equal(source.max_pt(&source, all[1], &rig.arena, &newest, NULL).why, FAIL_ABSENT);
    struct str sentence;
    assert_true(kind->is_ready(rig.backend, &sentence, &rig.arena));
    assert_true(str_eq(sentence, STR("3 tables described")));
    rig_close(&rig);
}

static void test_first_that_knows_answers(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open_as(&rig,
                "[{name: a, kind: schema, file: bad/schema.json}, " DESCRIBED
                ", {name: z, kind: schema, file: shop/schema.json}]\n",
                false);
    assert_non_null(rig.set);
    struct schema_source source = backend_set_source(rig.set);
    const struct schema_relation *relation;
    result r = source.find(&source, STR("sales"), STR("default"), STR("orders"), &rig.arena,
                           &relation, NULL);
    assert_int_equal(r.why, FAIL_NONE);
    assert_true(str_eq(relation->backend, STR("s")));
    rig_close(&rig);
}

static void test_references(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[" DESCRIBED "]\n");
    struct backend_set *kept = backend_set_ref(rig.set);
    assert_ptr_equal(kept, rig.set);
    backend_set_unref(rig.set);
    assert_true(str_eq(backend_name(backend_set_at(kept, 0)), STR("s")));
    rig.set = kept;
    rig_close(&rig);
}

static void test_nth_failure_of_opening(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[]\n");
    const struct yaml *list;
    struct str text = STR("[" DESCRIBED "]\n");
    assert_int_equal(yaml_read(text, STR("w"), NULL, &rig.arena, &list, NULL).why, FAIL_NONE);
    for (long n = 0;; n++) {
        struct backend_set *set = NULL;
        struct problems problems;
        problems_init(&problems, &rig.arena);
        fault_set(n);
        result r = backend_set_open(list, &rig.setup, &problems, &set);
        bool is_unused = fault_unused();
        fault_off();
        /* A file that could not be read is a problem of the configuration. */
        bool is_told = r.why == FAIL_MEMORY || (r.why == FAIL_CONFIG && problems.n_errors > 0);
        assert_true(is_unused ? r.why == FAIL_NONE : is_told);
        assert_int_equal(set != NULL, is_unused);
        backend_set_unref(set);
        if (is_unused) break;
    }
    rig_close(&rig);
}

/* -- our side of a worker, when something fails -------------------------------------------------
 */

static void test_nth_failure_of_a_start(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[]\n");
    const struct duckdb_setup setup = {.library = str_of(getenv("WEIR_DUCKDB_LIB")),
                                       .catalog = STR(DUCKDB_CATALOG),
                                       .timezone = STR("UTC"),
                                       .memory_limit = 256 << 20,
                                       .address_space = UINT64_C(2) << 30,
                                       .threads = 1,
                                       .is_fence_required = true};
    for (long n = 0;; n++) {
        struct duckdb_process *process = NULL;
        struct report report = {0};
        fault_set(n);
        result r = process_start(rig.setup.executable, &setup, 20000, -1, &process, &report);
        bool is_unused = fault_unused();
        fault_off();
        assert_int_equal(r.why == FAIL_NONE, is_unused);
        assert_int_equal(process != NULL, is_unused);
        assert_int_equal(report.sentence[0] != '\0', !is_unused);
        process_end(process);
        if (is_unused) break;
    }
    rig_close(&rig);
}

static void test_executable_that_is_none(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[]\n");
    const struct duckdb_setup setup = {.library = STR("/x")};
    static const char *const not_it[] = {"/nonexistent", "/bin/true", SOURCE_ROOT};
    for (size_t i = 0; i < COUNT(not_it); i++) {
        struct duckdb_process *process = NULL;
        struct report report = {0};
        result r = process_start(str_of(not_it[i]), &setup, 20000, -1, &process, &report);
        assert_int_equal(r.why, FAIL_BACKEND);
        assert_null(process);
        assert_non_null(strstr(report.sentence, "ended before it was ready"));
    }
    rig_close(&rig);
}

/* Every failure on the way of a query is told, and the next query is answered. */
static void test_nth_failure_of_a_query(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[{name: d, kind: duckdb, load: [\"shop/*.csv\"], workers: 1}]\n");
    for (long n = 0;; n++) {
        struct run_limits limits = limits_ms(20000);
        struct line_sink lines;
        struct run_facts facts;
        struct report report = {0};
        struct arena arena;
        arena_init(&arena, 1 << 20);
        line_sink_init(&lines);
        fault_set(n);
        result r = backend_run(rig.backend, STR("SELECT [order_id] AS l FROM sales.orders"),
                               &limits, &lines.sink, &facts, &arena, &report);
        bool is_unused = fault_unused();
        fault_off();
        size_t n_rows = lines.n_rows;
        bool is_written = lines.text.failed == FAIL_NONE; /* our sink's own failure is not told */
        buf_deinit(&lines.text);
        arena_deinit(&arena);
        if (r.why == FAIL_NONE && is_written) assert_int_equal(n_rows, 4);
        if (r.why != FAIL_NONE) assert_true(report.sentence[0] != '\0');
        assert_answer(&rig, "SELECT 1 AS one", "one:int\n[1]\n");
        if (is_unused) {
            assert_int_equal(r.why, FAIL_NONE);
            break;
        }
    }
    rig_close(&rig);
}

int main(int argc, char **argv) {
    engine_worker(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_file_that_is_not_there),
        cmocka_unit_test(test_no_backends),
        cmocka_unit_test(test_described_backend),
        cmocka_unit_test(test_first_that_knows_answers),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_nth_failure_of_opening),
        cmocka_unit_test(test_nth_failure_of_a_start),
        cmocka_unit_test(test_executable_that_is_none),
        cmocka_unit_test(test_nth_failure_of_a_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
