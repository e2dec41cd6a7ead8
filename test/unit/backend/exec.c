/*
 * MaxCompute's answers out of DuckDB: statements with the rows that MaxCompute gives, sent through
 * the guard under a grant that allows all and run by a worker.
 *
 * Our own cases are test/guard/exec/NAME.jsonl over the tables of test/guard/exec/data; the shared
 * corpus is run as well when it lies beside the project. A line of JSON is a case:
 *
 *     {"sql": …, "rows": [[…]], "ordered": true}     rows as a multiset unless ordered; numbers to
 *                                                    1e-9 of their size
 *     {…, "masks": {"users.name": "hash"}}           columns are granted as masks (masked.h)
 *     {"sql": …, "refused": "part of the sentence"}  no print, DIALECT_UNSUPPORTED
 *     {"sql": …, "fails": true}                      a print, and DuckDB fails when it runs
 *     {"sql": …, "rows": …, "fails": "duckdb"}       the same; `rows` are PostgreSQL's
 */
#include "engine.h"
#include "masked.h"

#include "sql/guard.h"

#include <dirent.h>

/* Rows hold data, and data may hold any character. */
static const struct json_limits data_limits = {.allows_nul = true};

enum { FILE_MOST = 4 << 20, ROWS_MOST = 4096 };

/* -- a grant that allows all ------------------------------------------------------------------ */

static result allow_all(const struct grant *grant, struct str project, struct str schema,
                        struct str name, struct arena *arena, const struct grant_relation **out,
                        struct report *report) {
    const struct schema_relation *found = NULL;
    *out = NULL;
    TRY(grant->source->find(grant->source, project, schema, name, arena, &found, report));
    if (found == NULL) return OK;
    struct grant_relation *relation = arena_new(arena, struct grant_relation);
    struct grant_column *columns = arena_new_array(arena, found->n_columns, struct grant_column);
    for (size_t i = 0; i < found->n_columns; i++)
        columns[i] = (struct grant_column){.schema = &found->columns[i], .effect = GRANT_ALLOW};
    *relation = (struct grant_relation){.schema = found, .effect = GRANT_ALLOW, .columns = columns};
    *out = relation;
    return OK;
}

static struct grant grant_of(const struct schema_source *source) {
    return (struct grant){.default_project = STR("home"),
                          .find = allow_all,
                          .source = source,
                          .allow_unapproved_join = true,
                          .max_join_tables = 100,
                          .default_limit = 1000,
                          .max_limit = 10000,
                          .allow_no_table = true,
                          .star = GRANT_STAR_EXPAND};
}

static result say(const struct grant *grant, struct str sql, struct arena *arena, struct str *out,
                  struct report *report) {
    struct guard_request request = {.text = sql, .dialect = DIALECT_DUCKDB, .grant = grant};
    struct guard_answer answer;
    TRY(guard_check(&request, arena, &answer, report));
    *out = answer.run;
    return answer.effect == GUARD_ALLOW ? OK : (result){FAIL_DENIED};
}

/* -- comparing -------------------------------------------------------------------------------- */

static double magnitude(double x) {
    return x < 0 ? -x : x;
}

static bool is_same(const struct json *a, const struct json *b) {
    if (a->type == JSON_NUMBER && b->type == JSON_NUMBER) {
        if (a->is_integer && b->is_integer) return a->integer == b->integer;
        double x = json_double(a), y = json_double(b);
        double most = magnitude(x) > magnitude(y) ? magnitude(x) : magnitude(y);
        return magnitude(x - y) <= 1e-9 * most;
    }
    if (a->type != b->type) return false;
    switch (a->type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_NUMBER: return true;
    case JSON_STRING: return str_eq(a->text, b->text);
    case JSON_ARRAY:
        for (uint32_t i = 0; i < a->n && i < b->n; i++)
            if (!is_same(&a->items[i], &b->items[i])) return false;
        return a->n == b->n;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < a->n && a->n == b->n; i++) {
            const struct json *other = json_get(b, a->members[i].key);
            if (other == NULL || !is_same(&a->members[i].value, other)) return false;
        }
        return a->n == b->n;
    }
    return false;
}

/* `text`: a line of columns and then a line for each row. */
static bool is_answer(const struct json *rows, bool ordered, struct str text, struct arena *arena) {
    bool taken[ROWS_MOST] = {false};
    uint32_t n = 0;
    (void)str_cut(&text, '\n');
    while (text.len > 0) {
        const struct json *row;
        struct str line = str_cut(&text, '\n');
        if (json_read(line, &data_limits, arena, &row, NULL).why != FAIL_NONE) return false;
        bool found = false;
        for (uint32_t i = ordered ? n : 0; i < rows->n && i < ROWS_MOST && !found; i++) {
            if (taken[i] || !is_same(&rows->items[i], row)) {
                if (ordered) break;
                continue;
            }
            taken[i] = found = true;
        }
        if (!found) return false;
        n++;
    }
    return n == rows->n;
}

/* -- running ---------------------------------------------------------------------------------- */

struct score {
    size_t n, same, refused, wrong, failed;
};

static void tell(const char *what, const struct json *entry, struct str said, struct str more) {
    struct str id = json_get_text(entry, STR("id"));
    print_error("%s " STR_FMT "\n  " STR_FMT "\n  " STR_FMT "\n  " STR_FMT "\n", what, STR_ARG(id),
                STR_ARG(json_get_text(entry, STR("sql"))), STR_ARG(said), STR_ARG(more));
}

static void run_refused(const struct json *entry, result r, const struct report *report,
                        struct str said, struct score *score) {
    struct str wanted = json_get_text(entry, STR("refused"));
    bool is_named = r.why != FAIL_NONE && strcmp(report->code, "DIALECT_UNSUPPORTED") == 0;
    is_named = is_named && str_find(str_of(report->sentence), wanted) < strlen(report->sentence);
    score->same += is_named;
    score->wrong += !is_named;
    if (!is_named) tell("not refused:", entry, said, str_of(report->sentence));
}

static void run_case(struct engine_rig *rig, const struct grant *grant, const struct json *entry,
                     struct arena *arena, struct score *score) {
    struct report report = {0};
    struct str said = STR_NONE;
    const struct json *rows = json_get(entry, STR("rows"));
    struct masked masked;
    struct grant own;
    masked_grant(entry, grant, &masked, &own);
    result r = say(&own, json_get_text(entry, STR("sql")), arena, &said, &report);
    score->n++;
    if (json_get(entry, STR("refused")) != NULL) {
        run_refused(entry, r, &report, said, score);
        return;
    }
    if (r.why != FAIL_NONE) {
        score->refused++;
        tell("refused:", entry, str_of(report.code), str_of(report.sentence));
        return;
    }
    struct asked asked = ask(rig, str_cstr(arena, said));
    if (json_get(entry, STR("fails")) != NULL) {
        score->same += asked.r.why != FAIL_NONE;
        score->wrong += asked.r.why == FAIL_NONE;
        if (asked.r.why == FAIL_NONE) tell("does not fail:", entry, said, asked.text);
    } else if (asked.r.why != FAIL_NONE) {
        score->failed++;
        tell("failed:", entry, said, str_of(asked.report.sentence));
    } else if (is_answer(rows, json_is_true(json_get(entry, STR("ordered"))), asked.text, arena)) {
        score->same++;
    } else {
        score->wrong++;
        tell("wrong:", entry, said, asked.text);
    }
}

static void run_file(struct engine_rig *rig, const char *path, struct score *score) {
    struct schema_source source = backend_set_source(rig->set);
    struct grant grant = grant_of(&source);
    char *bytes = malloc(FILE_MOST);
    FILE *file = fopen(path, "rb");
    assert_non_null(bytes);
    assert_non_null(file);
    struct str rest = {bytes, fread(bytes, 1, FILE_MOST, file)};
    (void)fclose(file);
    struct arena arena;
    arena_init(&arena, 64 << 20);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        const struct json *entry;
        struct report report = {0};
        if (line.len == 0) continue;
        if (json_read(line, &data_limits, &arena, &entry, &report).why != FAIL_NONE)
            FAIL_TEST("%s: " STR_FMT "\n", report.sentence, STR_ARG(line));
        run_case(rig, &grant, entry, &arena, score);
        arena_reset(&arena);
        arena_reset(&rig->arena);
    }
    arena_deinit(&arena);
    free(bytes);
}

static void assert_all_same(const char *name, const struct score *score) {
    print_message("%s: %zu of %zu the same, %zu refused, %zu failed, %zu wrong\n", name,
                  score->same, score->n, score->refused, score->failed, score->wrong);
    assert_int_equal(score->wrong, 0);
    assert_int_equal(score->same, score->n);
}

static void open_over(struct engine_rig *rig, const char *data) {
    char list[1024];
    snprintf(list, sizeof list, "[{name: s, kind: duckdb, load: [\"%s/*.csv\"], workers: 1}]\n",
             data);
    rig_open(rig, list);
}

static void test_own_cases(void **state) {
    static const char dir[] = SOURCE_ROOT "/test/guard/exec";
    (void)state;
    struct engine_rig rig;
    struct score all = {0};
    open_over(&rig, SOURCE_ROOT "/test/guard/exec/data");
    DIR *open = opendir(dir);
    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        char path[512];
        if (!str_ends(str_of(entry->d_name), STR(".jsonl"))) continue;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        run_file(&rig, path, &all);
    }
    closedir(open);
    assert_true(all.n > 0);
    assert_all_same("own cases", &all);
    rig_close(&rig);
}

static void test_corpus(void **state) {
    static const char dir[] = SOURCE_ROOT "/../shared/corpus/sql";
    (void)state;
    struct engine_rig rig;
    struct score all = {0};
    if (access(SOURCE_ROOT "/../shared/corpus/sql/exec.jsonl", R_OK) != 0) {
        print_message("no corpus beside the project\n");
        skip();
    }
    char path[512];
    snprintf(path, sizeof path, "%s/exec-data", dir);
    open_over(&rig, path);
    snprintf(path, sizeof path, "%s/exec.jsonl", dir);
    run_file(&rig, path, &all);
    assert_all_same("corpus", &all);
    rig_close(&rig);
}

int main(int argc, char **argv) {
    engine_worker(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_cases),
        cmocka_unit_test(test_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
