/*
 * Rows that a filter hides must not be felt: whether a query fails may not hang on them. DuckDB
 * pulls derived tables up, and computes the bodies of lambdas over the whole dictionary of a
 * column; see rewrite_fence() and DUCKDB_NO_COMPRESSION, which this test holds by the real library.
 *
 * Each expression is asked of the guard twice, once to fail on a value of hidden rows, once on a
 * value that no row has. What comes of it must be the same.
 */
#include "engine.h"

#include "sql/guard.h"

enum { ROWS = 12000 };

static struct engine_rig rig;
static char folder[400];

/* -- the table: a row in four is seen -----------------------------------------------------------
 */

static void write_table(void) {
    char path[480];
    static const char *const regions[] = {"cn", "us", "eu", "jp"};
    snprintf(path, sizeof path, "%s/home.facts.csv", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "id,region,grp,amount\n");
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d,%s,%s,%d\n", i, regions[i % 4], i % 4 == 0 ? "a" : "b",
                i % 4 == 0 ? 5 : 77);
    assert_int_equal(fclose(file), 0);
}

static int open_facts(void **state) {
    char list[600], here[300];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    snprintf(folder, sizeof folder, "%s/weir-hidden-XXXXXX", here);
    assert_non_null(mkdtemp(folder));
    write_table();
    snprintf(list, sizeof list,
             "[{name: shop, kind: duckdb, load: [\"%s/home.facts.csv\"], workers: 1}]\n", folder);
    rig_open(&rig, list);
    return 0;
}

static int close_facts(void **state) {
    char command[500];
    (void)state;
    rig_close(&rig);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

/* -- a grant with one row filter ----------------------------------------------------------------
 */

static result find_filtered(const struct grant *grant, struct str project, struct str schema,
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
    *relation = (struct grant_relation){.schema = found,
                                        .effect = GRANT_ALLOW,
                                        .columns = columns,
                                        .row_filters = grant->with,
                                        .n_row_filters = 1};
    *out = relation;
    return OK;
}

struct outcome {
    bool is_said;   /* false: DuckDB has no words for it */
    char text[256]; /* the rows, or the code of the failure */
};

static struct str say(const char *filter, const char *sql, struct arena *arena,
                      struct outcome *out) {
    struct str row_filter = str_of(filter);
    struct schema_source source = backend_set_source(rig.set);
    struct grant grant = {.default_project = STR("home"),
                          .find = find_filtered,
                          .source = &source,
                          .with = &row_filter,
                          .allow_unapproved_join = true,
                          .max_join_tables = 4,
                          .default_limit = 100,
                          .max_limit = 100};
    struct guard_request request = {
        .text = str_of(sql), .dialect = DIALECT_DUCKDB, .grant = &grant};
    struct guard_answer answer;
    struct report report = {0};
    result checked = guard_check(&request, arena, &answer, &report);
    if (report.code != NULL && strcmp(report.code, "DIALECT_UNSUPPORTED") == 0) return STR_NONE;
    if (checked.why != FAIL_NONE || answer.effect != GUARD_ALLOW)
        FAIL_TEST("%s: %s\n", sql, report.sentence);
    assert_false(answer.may_tell_engine);
    out->is_said = true;
    return answer.sql;
}

static struct outcome outcome(const char *filter, const char *sql) {
    struct outcome out = {0};
    struct arena arena, kept = rig.arena;
    arena_init(&arena, 64 << 20);
    struct str printed = say(filter, sql, &arena, &out);
    if (out.is_said) {
        rig.arena = arena; /* what ask() keeps is not for long */
        struct asked asked = ask(&rig, str_cstr(&rig.arena, printed));
        struct str told = asked.r.why != FAIL_NONE ? str_of(asked.report.code) : asked.text;
        snprintf(out.text, sizeof out.text, STR_FMT, STR_ARG(told));
        arena = rig.arena;
        rig.arena = kept;
    }
    arena_deinit(&arena);
    return out;
}

/* -- statements: % is the expression, and @ in it the condition ---------------------------------
 */

static const char *const filters[] = {"region = 'cn'",
                                      "lower(region) = 'cn'",
                                      "region LIKE '%n'",
                                      "NOT region IN ('us', 'eu', 'jp')",
                                      "coalesce(region, 'x') = 'cn'",
                                      "grp = 'a' OR region = 'cn'",
                                      "amount < 6"};

static const char *const expressions[] = {
    "CAST(if(@, 'x', '1') AS BIGINT)",
    "CAST(if(@, 300, 1) AS TINYINT)",
    "9223372036854775800 + if(@, 1000, 1)",
    "to_date(if(@, 'zzz', '20200101'), 'yyyymmdd')",
    "CAST(if(@, 'bad', '2024-01-01') AS DATE)",
    "CAST(if(@, 'abc', '1.5') AS DECIMAL(10,2))",
    "'x' RLIKE if(@, '(', 'x')",
    "split('x', if(@, '(', 'x'))",
};

static const char *const statements[] = {
    "SELECT count(%) FROM facts",
    "SELECT count(*) FROM facts WHERE % IS NOT NULL",
    "SELECT id FROM facts WHERE id > 3 AND % IS NOT NULL ORDER BY id LIMIT 1",
    "SELECT id FROM facts ORDER BY %, id LIMIT 1",
    "SELECT count(*) FROM facts GROUP BY %",
    "SELECT size(transform(array(1), q -> %)) AS n FROM facts LIMIT 3",
    "SELECT count(*) FROM facts WHERE size(filter(array(1), q -> % IS NOT NULL)) = 1",
    "SELECT count(x) FROM (SELECT % AS x, id FROM facts) t WHERE id > 3",
    ("SELECT count(*) FROM facts a LEFT JOIN (SELECT id, % AS x FROM facts) b ON a.id = b.id "
     "WHERE b.x IS NOT NULL"),
};

struct text {
    char of[512];
};

static struct text fill(const char *statement, const char *expression, const char *value) {
    struct text text;
    struct str tail = str_of(statement), head = str_cut(&tail, '%');
    struct str rest = str_of(expression), before = str_cut(&rest, '@');
    snprintf(text.of, sizeof text.of, STR_FMT STR_FMT "region = '%s'" STR_FMT STR_FMT,
             STR_ARG(head), STR_ARG(before), value, STR_ARG(rest), STR_ARG(tail));
    return text;
}

static bool is_felt(const char *filter, const char *statement, const char *expression, size_t *n) {
    struct text sql = fill(statement, expression, "us");
    struct outcome hidden = outcome(filter, sql.of);
    struct outcome absent = outcome(filter, fill(statement, expression, "nowhere").of);
    if (!hidden.is_said || !absent.is_said) return false;
    ++*n;
    if (strcmp(hidden.text, absent.text) == 0) return false;
    print_error("%s\n    %s\n    %s\n    %s\n", filter, sql.of, hidden.text, absent.text);
    return true;
}

static void hidden_rows_are_not_felt(void **state) {
    size_t n = 0, n_felt = 0;
    (void)state;
    for (size_t f = 0; f < COUNT(filters); f++)
        for (size_t s = 0; s < COUNT(statements); s++)
            for (size_t e = 0; e < COUNT(expressions); e++)
                n_felt += is_felt(filters[f], statements[s], expressions[e], &n);
    print_message("%zu pairs, %zu differ\n", n, n_felt);
    assert_int_equal(n_felt, 0);
    assert_true(n > 300);
}

/* Conditions that the guard repeats beside the filter, of which one fails on any row: @ is true of
 * hidden rows, or of none. */
static const char *const failing[] = {
    "@ AND id = 'abc'",
    "@ AND grp = to_char(to_date('zzz', 'yyyymmdd'), 'yyyymmdd')",
    "grp = chr(-1) AND @",
    "@ AND grp LIKE 'a\\\\'",
    "@ AND id IN (1, CAST('x' AS BIGINT))",
    "@ AND id BETWEEN 1 AND 9223372036854775807 + 1",
};

static void no_condition_fails_for_hidden_rows(void **state) {
    size_t n = 0, n_felt = 0;
    (void)state;
    for (size_t f = 0; f < COUNT(filters); f++)
        for (size_t i = 0; i < COUNT(failing); i++)
            n_felt += is_felt(filters[f], "SELECT count(*) FROM facts WHERE %", failing[i], &n);
    print_message("%zu pairs, %zu differ\n", n, n_felt);
    assert_int_equal(n_felt, 0);
    assert_true(n > 25);
}

/* Else the tests above would pass without asking. */
static void seen_rows_are(void **state) {
    (void)state;
    struct text sql = fill(statements[0], expressions[0], "cn");
    assert_string_equal(outcome(filters[1], sql.of).text, "BACKEND_ERROR");
    assert_string_equal(outcome(filters[1], "SELECT count(*) AS n FROM facts").text,
                        "n:bigint\n[3000]\n");
}

int main(int argc, char **argv) {
    engine_worker(argc, argv);
    const struct CMUnitTest tests[] = {cmocka_unit_test(hidden_rows_are_not_felt),
                                       cmocka_unit_test(no_condition_fails_for_hidden_rows),
                                       cmocka_unit_test(seen_rows_are)};
    return cmocka_run_group_tests(tests, open_facts, close_facts);
}
