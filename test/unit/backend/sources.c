/* Where a DuckDB backend's tables come from, and what is told when they cannot come. */
#include "engine.h"

#include "sql/types.h"

#include <dirent.h>
#include <pthread.h>

static const struct schema_relation *find(struct engine_rig *rig, const char *project,
                                          const char *schema, const char *name) {
    const struct schema_relation *relation = NULL;
    struct schema_source source = backend_set_source(rig->set);
    result r = source.find(&source, str_of(project), str_of(schema), str_of(name), &rig->arena,
                           &relation, NULL);
    assert_int_equal(r.why, FAIL_NONE);
    return relation;
}

static void assert_types(struct engine_rig *rig, const struct schema_relation *relation,
                         const char *expected) {
    struct buf out;
    buf_init(&out, 4096);
    assert_non_null(relation);
    for (size_t i = 0; i < relation->n_columns; i++) {
        buf_addf(&out, "%s" STR_FMT ":", i > 0 ? " " : "", STR_ARG(relation->columns[i].name));
        sql_type_print(relation->columns[i].type, &out);
        if (relation->columns[i].is_partition) buf_add(&out, STR("*"));
    }
    const char *text = str_cstr(&rig->arena, buf_flat(&out, &rig->arena));
    assert_string_equal(text, expected);
    buf_deinit(&out);
}

/* The first error or warning must hold `expected`. */
static void assert_problem(struct engine_rig *rig, const char *expected) {
    assert_true(rig->problems.n > 0);
    struct str line = problem_print(&rig->problems.items[0], &rig->arena);
    if (str_find(line, str_of(expected)) == line.len)
        FAIL_TEST("%s\nis not in\n" STR_FMT "\n", expected, STR_ARG(line));
}

static size_t count_files(const char *dir, const char *suffix) {
    DIR *open = opendir(dir);
    size_t n = 0;
    if (open == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(open)) != NULL;)
        n += str_ends(str_of(entry->d_name), str_of(suffix));
    closedir(open);
    return n;
}

static const char *duck_dir(struct engine_rig *rig) {
    return str_printf(&rig->arena, "%s/duck", rig->state_dir).ptr;
}

/* -- described by schema.json -------------------------------------------------------------------
 */

static void test_described_tables(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 1}]\n");
    assert_int_equal(rig.problems.n, 0);
    assert_types(&rig, find(&rig, "sales", "default", "orders"),
                 "order_id:bigint region:string amount:decimal(18,2) note:string "
                 "placed_at:datetime pt:string*");
    assert_types(&rig, find(&rig, "sales", "raw", "events"),
                 "id:int kind:string tags:array<string> ok:boolean day:date");
    assert_non_null(find(&rig, "home", "default", "people"));
    assert_null(find(&rig, "home", "default", "orders"));

    const struct schema_relation *const *all;
    size_t n;
    const struct backend_kind *kind = backend_kind_of(rig.backend);
    assert_int_equal(kind->list(rig.backend, &rig.arena, &all, &n, NULL).why, FAIL_NONE);
    assert_int_equal(n, 3);
    assert_true(str_eq(all[0]->name, STR("people")) && str_eq(all[1]->name, STR("orders")));
    assert_true(str_eq(all[0]->backend, STR("s")));
    rig_close(&rig);
}

static void test_max_pt(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 1}]\n");
    struct schema_source source = backend_set_source(rig.set);
    for (int round = 0; round < 2; round++) { /* asked, then remembered */
        struct str newest = STR_NONE;
        result r = source.max_pt(&source, find(&rig, "sales", "default", "orders"), &rig.arena,
                                 &newest, NULL);
        assert_int_equal(r.why, FAIL_NONE);
        assert_true(str_eq(newest, STR("20260103")));
        r = source.max_pt(&source, find(&rig, "home", "default", "people"), &rig.arena, &newest,
                          NULL);
        assert_int_equal(r.why, FAIL_NONE);
        assert_null(newest.ptr);
    }
    rig_close(&rig);
}

/* `check` asks without leaving anything behind. */
static void test_schema_only_writes_nothing(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open_as(&rig, "[{name: s, kind: duckdb, load: [\"shop/*.csv\", \"plain/*\"]}]\n", true);
    assert_non_null(rig.set);
    assert_types(&rig, find(&rig, "home", "default", "things"),
                 "id:bigint weight:double seen:datetime label:string");
    struct schema_source source = backend_set_source(rig.set);
    struct str newest;
    result r =
        source.max_pt(&source, find(&rig, "sales", "default", "orders"), &rig.arena, &newest, NULL);
    assert_int_equal(r.why, FAIL_NONE);
    assert_true(str_eq(newest, STR("20260103")));
    assert_int_equal(count_files(rig.state_dir, ""), 2); /* . and .. */
    rig_close(&rig);
}

/* -- learned from the engine --------------------------------------------------------------------
 */

static void test_learned_tables(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[{name: s, kind: duckdb, load: [\"plain/*\"], workers: 1}]\n");
    assert_types(&rig, find(&rig, "home", "default", "things"),
                 "id:bigint weight:double seen:datetime label:string");
    assert_types(&rig, find(&rig, "lab", "default", "cells"),
                 "id:bigint word:string parts:array<int>");
    assert_answer(&rig, "SELECT * FROM \"lab\".\"cells\"",
                  "id:bigint word:string parts:array<int>\n[7,\"seven\",[1,2]]\n");
    rig_close(&rig);
}

/* A database that somebody else made is opened as it is; `main` is the default project. */
static void test_file(void **state) {
    (void)state;
    struct engine_rig maker, rig;
    rig_open(&maker, "[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 1}]\n");
    DIR *dir = opendir(duck_dir(&maker));
    assert_non_null(dir);
    char list[1024] = "";
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (str_ends(str_of(entry->d_name), STR(".duckdb")))
            snprintf(list, sizeof list, "[{name: f, kind: duckdb, workers: 1, file: %s/%s}]\n",
                     duck_dir(&maker), entry->d_name);
    closedir(dir);
    rig_open(&rig, list);
    assert_types(&rig, find(&rig, "sales", "raw", "events"),
                 "id:int kind:string tags:array<string> ok:boolean day:date");
    assert_answer(&rig, "SELECT count(*) AS n FROM \"sales.raw\".\"events\"", "n:bigint\n[2]\n");
    rig_close(&rig);
    rig_close(&maker);
}

/* -- the loaded database ------------------------------------------------------------------------
 */

static void *open_beside(void *with) {
    struct engine_rig *rig = with;
    result r = backend_set_open(rig->setup.node, &rig->setup, &rig->problems, &rig->set);
    rig->backend = r.why == FAIL_NONE ? backend_set_at(rig->set, 0) : NULL;
    return NULL;
}

/* Two that start at once make one database, and both answer from it. */
static void test_two_starters(void **state) {
    (void)state;
    struct engine_rig first, second;
    rig_open_as(&first, "[]\n", false);
    rig_open_as(&second, "[]\n", false);
    struct engine_rig *rigs[] = {&first, &second};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        backend_set_unref(rigs[i]->set);
        rigs[i]->set = NULL;
        rigs[i]->setup.state_dir = str_of(first.state_dir);
        struct str text = STR("[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 1}]\n");
        assert_int_equal(
            yaml_read(text, STR("weir.yaml"), NULL, &rigs[i]->arena, &rigs[i]->setup.node, NULL)
                .why,
            FAIL_NONE);
        assert_int_equal(pthread_create(&threads[i], NULL, open_beside, rigs[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(rigs[i]->backend);
        assert_answer(rigs[i], "SELECT count(*) AS n FROM home.people", "n:bigint\n[2]\n");
    }
    assert_int_equal(count_files(duck_dir(&first), ".duckdb"), 1);
    assert_int_equal(count_files(duck_dir(&first), ".draft"), 0);
    rig_close(&second);
    rig_close(&first);
}

/* -- what is wrong ------------------------------------------------------------------------------
 */

struct wrong_case {
    const char *list, *problem;
};

static const struct wrong_case wrong[] = {
    {"[{name: s, kind: duckdb}]\n", "weir.yaml:1:2: error: a backend of kind duckdb needs either"},
    {"[{name: s, kind: duckdb, load: [\"shop/*.csv\"], file: x}]\n", "needs either 'load' or"},
    {"[{name: s, kind: duckdb, load: [\"nowhere/*.csv\"]}]\n",
     "weir.yaml:1:33: error: no file matches 'nowhere/*.csv'"},
    {"[{name: s, kind: duckdb, load: [\"*.c\", \"shop/*\"]}]\n", "no file matches '*.c'"},
    {"[{name: s, kind: duckdb, load: [\"../duckdb.c\"]}]\n", "neither .csv nor .parquet"},
    {"[{name: s, kind: duckdb, load: [\"shop/*.csv\", \"shop/people.csv\"]}]\n", "is there twice"},
    {"[{name: s, kind: duckdb, file: nothing.duckdb}]\n", "cannot read file"},
    {"[{name: s, kind: duckdb, file: shop/people.csv}]\n", "the database cannot be opened"},
    {"[{name: s, kind: duckdb, load: [\"bad/*.csv\"]}]\n",
     "table 'sales.broken' cannot be loaded: Conversion Error"},
    {"[{name: s, kind: duckdb, load: [\"shop/*.csv\"], worker: 2}]\n",
     "unknown key 'worker' of a backend of kind duckdb (did you mean 'workers'?)"},
    {"[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 1000}]\n", "setting 'workers'"},
    {"[{name: s, kind: duckdb, load: [\"shop/*.csv\"], memory_limit: 1}]\n",
     "setting 'memory_limit'"},
    {"[{name: s, kind: duckdb, load: {a: b}}]\n", "must be a list of texts"},
    {"[{name: s, kind: duckdb, load: [\"shop/*.csv\"], timezone: Mars/Olympus}]\n",
     "DuckDB does not take the timezone"},
};

static void test_problems(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct engine_rig rig;
        rig_open_as(&rig, wrong[i].list, false);
        if (rig.set != NULL) FAIL_TEST("was opened: %s", wrong[i].list);
        assert_true(rig.problems.n_errors > 0);
        assert_problem(&rig, wrong[i].problem);
        assert_int_equal(count_files(duck_dir(&rig), ".draft"), 0);
        rig_close(&rig);
    }
}

/* Without the library, or with one that is not it, the program starts and every run says why. */
static void test_library_missing(void **state) {
    (void)state;
    static const char *const not_it[] = {"/nonexistent/libduckdb.so", "relative/libduckdb.so",
                                         SOURCE_ROOT "/meson.build",
                                         "/lib/x86_64-linux-gnu/libm.so.6"};
    char *right = strdup(getenv("WEIR_DUCKDB_LIB"));
    for (size_t i = 0; i < COUNT(not_it); i++) {
        struct engine_rig rig;
        setenv("WEIR_DUCKDB_LIB", not_it[i], 1);
        rig_open(&rig, "[{name: s, kind: duckdb, load: [\"shop/*.csv\"]}]\n");
        assert_int_equal(rig.problems.n_errors, 0);
        assert_problem(&rig, "warning: backend 's': DuckDB is not installed");
        assert_problem(&rig, "make build");
        struct asked a = ask(&rig, "SELECT 1");
        assert_int_equal(a.r.why, FAIL_ABSENT);
        assert_string_equal(a.report.code, "BACKEND_NOT_INSTALLED");
        assert_non_null(strstr(a.report.hint, "make build"));
        struct str sentence;
        assert_false(backend_kind_of(rig.backend)->is_ready(rig.backend, &sentence, &rig.arena));
        assert_true(str_find(sentence, STR("not installed")) < sentence.len);
        rig_close(&rig);
    }
    setenv("WEIR_DUCKDB_LIB", right, 1);
    free(right);
}

int main(int argc, char **argv) {
    engine_worker(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_described_tables),
        cmocka_unit_test(test_max_pt),
        cmocka_unit_test(test_schema_only_writes_nothing),
        cmocka_unit_test(test_learned_tables),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_two_starters),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_library_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
