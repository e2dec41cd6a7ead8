/* A configuration directory: all of it or nothing, and everything that is wrong is told at once. */
#include "house/config.h"

#include "backend/backend.h"
#include "base/fault.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];
static struct arena arena; /* of problems */
static struct problems problems;

static const struct {
    const char *name, *good, *bad, *place; /* the place of the slip in `bad` */
} files[] = {
    {"weir.yaml", "backends: [{name: b, kind: schema, file: schema.yaml}]\n", "server: {prot: 1}\n",
     ":1:10: "},
    {"policy.yaml", "default_project: p\ntables: {p.t: {}}\n",
     "default_project: p\ntables: {p.t: {alowed_columns: [a]}}\n", ":2:16: "},
    {"auth.yaml", "tokens: {tok: {user_id: ann}}\n", "tokens: {tok: {user_id: ann, rols: []}}\n",
     ":1:30: "},
    {"auth.local.yaml", "tokens: {tok2: {user_id: bob}}\n", "tokens: 7\n", ":1:9: "},
    {"enterprise.yaml", "roles: {r: {allowed_tools: ['*']}}\n", "roles: {r: {rate_limit: fast}}\n",
     ":1:25: "},
    {"security.yaml", "allowed_hosts: [a]\n", "allowed_hots: [a]\n", ":1:1: "},
    {"ai_catalog/joins.yaml", "joins: []\n", "joins: 7\n", ":1:8: "},
    {"schema.yaml", "tables: {p.t: {columns: [{name: a, type: string}]}}\n",
     "tables: {p.t: {columns: [{name: a, type: strong}]}}\n", ":"},
};
enum { WEIR, POLICY, AUTH };

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void drop(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

static int setup(void **state) {
    (void)state;
    char path[256];
    snprintf(dir, sizeof dir, "%s", "config-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/ai_catalog", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < COUNT(files); i++) put(files[i].name, files[i].good);
    unsetenv("ODPS_ALLOWLIST_PATH");
    unsetenv("ODPS_AUTH_CONFIG_PATH");
    arena_init(&arena, 16 * MIB);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    char path[256];
    for (size_t i = 0; i < COUNT(files); i++) drop(files[i].name);
    drop("allowlist.yaml");
    drop("rules.candidate.yaml");
    drop("enterprise.candidate.yaml");
    snprintf(path, sizeof path, "%s/ai_catalog", dir);
    rmdir(path);
    rmdir(dir);
    unsetenv("ODPS_ALLOWLIST_PATH");
    unsetenv("ODPS_AUTH_CONFIG_PATH");
    arena_deinit(&arena);
    return 0;
}

static result load(struct snapshot **out, struct report *report) {
    struct config_setup setup = {.dir = str_of(dir), .use = CONFIG_SCHEMA_ONLY};
    const struct settings *settings = NULL;
    *out = NULL;
    problems_init(&problems, &arena);
    result r = config_load(&setup, &problems, out, &settings, report);
    assert_true((*out != NULL) == (r.why == FAIL_NONE));
    if (r.why == FAIL_NONE) assert_non_null(settings);
    return r;
}

static const char *complaints(void) {
    struct str all = STR("");
    for (size_t p = 0; p < problems.n; p++)
        all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), p > 0 ? "\n" : "",
                         STR_ARG(problem_print(&problems.items[p], &arena)));
    return str_cstr(&arena, all);
}

/* One error, and its line begins so. */
static void expect_error(const char *place) {
    struct snapshot *s;
    struct report report = {0};
    assert_int_equal(load(&s, &report).why, FAIL_CONFIG);
    print_message("%s\n", complaints());
    assert_int_equal(problems.n_errors, 1);
    assert_string_equal(report.code, "CONFIG_INVALID");
    assert_non_null(strstr(report.sentence, "has 1 error"));
    assert_non_null(strstr(complaints(), place));
}

/* -- */

static void loads_what_is_right(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    result r = load(&s, &report);
    print_message("%s\n", complaints());
    assert_int_equal(r.why, FAIL_NONE);
    assert_int_equal(problems.n_errors, 0);
    assert_int_equal(backend_set_count(s->backends), 1);
    assert_int_equal(policy_version(s->policy).len, 12);
    assert_non_null(s->identity);
    assert_non_null(s->catalog);
    snapshot_unref(s);
}

static void loads_with_a_policy_alone(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    for (size_t i = 0; i < COUNT(files); i++)
        if (i != POLICY) drop(files[i].name);
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    assert_int_equal(backend_set_count(s->backends), 0);
    snapshot_unref(s);
}

static void refuses_each_bad_file(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        char place[256];
        bool is_schema = i + 1 == COUNT(files); /* its name is the backend's business */
        put(files[i].name, files[i].bad);
        snprintf(place, sizeof place, "%s/%s%s", dir, files[i].name, files[i].place);
        expect_error(is_schema ? "schema.yaml" : place);
        put(files[i].name, files[i].good);
    }
}

static void refuses_each_file_that_is_no_yaml(void **state) {
    (void)state;
    for (size_t i = 0; i + 1 < COUNT(files); i++) {
        char place[256];
        put(files[i].name, "a: 1\na: 2\n");
        snprintf(place, sizeof place, "%s/%s:2:1: error: the key 'a' stands twice", dir,
                 files[i].name);
        expect_error(place);
        put(files[i].name, files[i].good);
    }
}

static void tells_of_all_files_at_once(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    for (size_t i = 0; i + 1 < COUNT(files); i++) put(files[i].name, files[i].bad);
    assert_int_equal(load(&s, &report).why, FAIL_CONFIG);
    print_message("%s\n", complaints());
    for (size_t i = 0; i + 1 < COUNT(files); i++) {
        char place[256];
        snprintf(place, sizeof place, "%s/%s%s", dir, files[i].name, files[i].place);
        assert_non_null(strstr(complaints(), place));
    }
}

static void refuses_what_grants_nothing(void **state) {
    (void)state;
    char place[256];
    drop("policy.yaml");
    snprintf(place, sizeof place, "%s: error: neither policy.yaml nor allowlist.yaml", dir);
    expect_error(place);
}

static void refuses_a_directory_that_is_none(void **state) {
    (void)state;
    struct snapshot *s = NULL;
    struct report report = {0};
    const struct settings *settings;
    struct config_setup setup = {.dir = STR("no/such/dir"), .use = CONFIG_SCHEMA_ONLY};
    problems_init(&problems, &arena);
    assert_int_equal(config_load(&setup, &problems, &s, &settings, &report).why, FAIL_CONFIG);
    assert_null(s);
    assert_string_equal(complaints(),
                        "no/such/dir: error: the configuration directory cannot be read");
}

static void takes_the_legacy_allowlist_from_where_it_is_told(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    char path[256], place[512];
    drop("policy.yaml");
    put("allowlist.yaml", "projects: {p: {tables: {t: {allowed_columns: [a]}}}}\n");
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    snapshot_unref(s);

    snprintf(path, sizeof path, "%s/schema.yaml", dir);
    put("schema.yaml", "projects: 7\n");
    setenv("ODPS_ALLOWLIST_PATH", path, 1);
    snprintf(place, sizeof place, "%s:1:11: error: ", path);
    expect_error(place);
    put("schema.yaml", "tables: {p.t: {columns: [{name: a, type: string}]}}\n");

    snprintf(path, sizeof path, "%s/nowhere.yaml", dir);
    setenv("ODPS_ALLOWLIST_PATH", path, 1);
    assert_int_equal(load(&s, &report).why, FAIL_CONFIG);
    snprintf(place, sizeof place,
             "%s: error: ODPS_ALLOWLIST_PATH names this file, and it is not there", path);
    assert_non_null(strstr(complaints(), place));

    setenv("ODPS_ALLOWLIST_PATH", "", 1); /* as if it were not set */
    struct report third = {0};
    assert_int_equal(load(&s, &third).why, FAIL_NONE);
    snapshot_unref(s);
}

/* The file of later tokens is written by the program: it need not be there. */
static void does_without_a_token_file_that_is_written_later(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    setenv("ODPS_AUTH_CONFIG_PATH", "no/such/tokens.yaml", 1);
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    snapshot_unref(s);
}

static void versions_what_decides(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    char before[16];
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    snprintf(before, sizeof before, STR_FMT, STR_ARG(policy_version(s->policy)));
    snapshot_unref(s);
    put("security.yaml", "allowed_hosts: [b]\n"); /* decides nothing of data */
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    assert_true(str_eq(policy_version(s->policy), str_of(before)));
    snapshot_unref(s);
    put("enterprise.yaml", "roles: {q: {allowed_tools: ['*']}}\n");
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    assert_false(str_eq(policy_version(s->policy), str_of(before)));
    snapshot_unref(s);
}

/* What a candidate may do to a load: be judged, or be warned of; never stop it. */
static const struct {
    const char *name, *text;
    bool is_judged;
    const char *told; /* among the problems */
} candidates[] = {
    {"rules.candidate.yaml", "version: '1'\ntools: {run: {action: deny}}\n", true, ""},
    {"rules.candidate.yaml", "version: '1'\ntools: {run: {action: dney}}\n", false,
     "rules.candidate.yaml:2:23: warning: no candidate is judged: tools.run: action must be"},
    {"rules.candidate.yaml", "tools: [\n", false,
     "rules.candidate.yaml:2:1: warning: no candidate is judged: "},
    {"enterprise.candidate.yaml", "roles: {r: {allowed_tools: []}}\n", true, ""},
    {"enterprise.candidate.yaml", "roles: {r: {allowed_tols: []}}\n", false,
     "enterprise.candidate.yaml:1:13: warning: no candidate is judged: unknown key"},
};

static size_t n_told(const char *text) {
    size_t n = 0;
    for (const char *at = complaints(); (at = strstr(at, text)) != NULL; at++) n++;
    return n;
}

/* The live files are read for both, and what is odd in them is told once. */
static void warns_once_beside_a_candidate(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    put("policy.yaml", "tables: {p.t: {}}\nsecurity: {functions: {deny: [no_such]}}\n");
    put(candidates[0].name, candidates[0].text);
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    assert_non_null(s->shadow);
    assert_int_equal(n_told("'no_such'"), 1);
    snapshot_unref(s);
    drop(candidates[0].name);
}

static void judges_a_candidate_beside(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    char version[16];
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    assert_null(s->shadow);
    snprintf(version, sizeof version, STR_FMT, STR_ARG(policy_version(s->policy)));
    snapshot_unref(s);
    for (size_t i = 0; i < COUNT(candidates); i++) {
        print_message("%zu\n", i);
        put(candidates[i].name, candidates[i].text);
        assert_int_equal(load(&s, &report).why, FAIL_NONE);
        assert_true((s->shadow != NULL) == candidates[i].is_judged);
        assert_non_null(strstr(complaints(), candidates[i].told));
        assert_true(str_eq(policy_version(s->policy), str_of(version)));
        snapshot_unref(s);
        drop(candidates[i].name);
    }
}

static void warns_of_tables_that_nobody_has(void **state) {
    (void)state;
    struct snapshot *s;
    struct report report = {0};
    put("policy.yaml", "default_project: p\ntables: {p.t: {}, p.missing: {}}\n");
    assert_int_equal(load(&s, &report).why, FAIL_NONE);
    assert_non_null(strstr(complaints(), "warning: no backend has the table 'p.missing'"));
    snapshot_unref(s);
}

static void reads_settings_beside_a_bad_policy(void **state) {
    (void)state;
    struct settings settings;
    struct report report = {0};
    put("policy.yaml", "7");
    put("weir.yaml", "server: {logs_directory: there}\n");
    problems_init(&problems, &arena);
    assert_int_equal(config_settings(str_of(dir), &arena, &problems, &settings, &report).why,
                     FAIL_NONE);
    assert_int_equal(problems.n_errors, 0);
    assert_true(str_eq(settings.server.logs_directory, STR("there")));
}

static void is_whole_or_nothing_whatever_fails(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct snapshot *s;
        struct report report = {0};
        fault_set(n);
        result r = load(&s, &report);
        bool was_reached = !fault_unused();
        fault_off();
        assert_true(n < 20000);
        snapshot_unref(s);
        if (!was_reached) {
            assert_int_equal(r.why, FAIL_NONE);
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loads_what_is_right, setup, teardown),
        cmocka_unit_test_setup_teardown(loads_with_a_policy_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_each_bad_file, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_each_file_that_is_no_yaml, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_of_all_files_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_grants_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_directory_that_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_the_legacy_allowlist_from_where_it_is_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(does_without_a_token_file_that_is_written_later, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(versions_what_decides, setup, teardown),
        cmocka_unit_test_setup_teardown(judges_a_candidate_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(warns_once_beside_a_candidate, setup, teardown),
        cmocka_unit_test_setup_teardown(warns_of_tables_that_nobody_has, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_settings_beside_a_bad_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(is_whole_or_nothing_whatever_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
