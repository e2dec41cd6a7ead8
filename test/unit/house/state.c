/* What a house keeps in its state directory: opened to serve, and by nothing else. */
#include "house/house.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir[64], logs[80], state_dir[80];

static void put_at(const char *folder, const char *name, const char *text, mode_t mode) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static bool is_there(const char *folder, const char *name) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "%s", "/dev/shm/house-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(logs, sizeof logs, "%s/logs", dir);
    snprintf(state_dir, sizeof state_dir, "%s/state", dir);
    setenv("LOGS_DIRECTORY", logs, 1);
    setenv("STATE_DIRECTORY", state_dir, 1);
    unsetenv("WEIR_SECRET");
    put_at(dir, "weir.yaml", "server: {log_level: off}\n", 0600);
    put_at(dir, "policy.yaml", "default_project: p\ntables: {p.t: {}}\n", 0600);
    return 0;
}

static void empty(const char *path) {
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL) closedir(d);
    rmdir(path);
}

static int tear_down(void **state) {
    (void)state;
    empty(logs);
    empty(state_dir);
    empty(dir);
    unsetenv("LOGS_DIRECTORY");
    unsetenv("STATE_DIRECTORY");
    unsetenv("WEIR_SECRET");
    return 0;
}

static result open_house(struct house *house, enum config_use use, struct report *report) {
    struct arena arena;
    struct problems problems;
    struct config_setup setup = {.dir = str_of(dir), .use = use};
    arena_init(&arena, 16 * MIB);
    problems_init(&problems, &arena);
    *house = (struct house){0};
    result r = house_open(house, &setup, &problems, report);
    arena_deinit(&arena);
    return r;
}

static void serving_makes_store_and_secret(void **state) {
    (void)state;
    struct house house;
    struct report report = {0};
    assert_int_equal(open_house(&house, CONFIG_SERVE, &report).why, FAIL_NONE);
    assert_non_null(house.store);
    assert_non_null(house.secret);
    assert_true(is_there(state_dir, "weir.db"));
    assert_true(is_there(state_dir, "secret"));
    house_close(&house);
    assert_null(house.store);
    assert_null(house.secret);
}

static void checking_opens_neither(void **state) {
    (void)state;
    struct house house;
    struct report report = {0};
    assert_int_equal(open_house(&house, CONFIG_SCHEMA_ONLY, &report).why, FAIL_NONE);
    assert_null(house.store);
    assert_null(house.secret);
    assert_false(is_there(dir, "state"));
    assert_false(is_there(dir, "logs"));
    house_close(&house);
}

/* Two replicas of one secret, each with a house of its own, know what the other sealed. */
static void the_environment_gives_the_secret(void **state) {
    (void)state;
    struct house one, two;
    struct report report = {0};
    struct arena arena;
    struct str text, plain;
    const struct seal seal = {STR("cursor"), STR("ann")};
    setenv("WEIR_SECRET", SECRET, 1);
    assert_int_equal(open_house(&one, CONFIG_SERVE, &report).why, FAIL_NONE);
    assert_int_equal(open_house(&two, CONFIG_SERVE, &report).why, FAIL_NONE);
    assert_false(is_there(state_dir, "secret"));
    arena_init(&arena, 1 << 16);
    assert_int_equal(secret_seal(one.secret, &seal, 1000000, STR("x"), &arena, &text, &report).why,
                     FAIL_NONE);
    assert_int_equal(secret_unseal(two.secret, &seal, text, &arena, &plain, &report).why,
                     FAIL_NONE);
    arena_deinit(&arena);
    house_close(&one);
    house_close(&two);
}

static void a_house_without_its_state_does_not_open(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
        mode_t mode;
        const char *secret, *words;
    } rows[] = {
        {"weir.db",
         "this is no database, and too long to be taken for an empty file of one: it "
         "has a hundred bytes or more.",
         0600, NULL, "is no database"},
        {"secret", SECRET, 0644, NULL, "may be read by others"},
        {"secret", "short", 0600, NULL, "too short"},
        {"note", "", 0600, "short", "WEIR_SECRET is too short"},
    };
    assert_int_equal(mkdir(state_dir, 0700), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct house house;
        struct report report = {0};
        put_at(state_dir, rows[i].name, rows[i].text, rows[i].mode);
        if (rows[i].secret != NULL) setenv("WEIR_SECRET", rows[i].secret, 1);
        assert_int_not_equal(open_house(&house, CONFIG_SERVE, &report).why, FAIL_NONE);
        if (strstr(report.sentence, rows[i].words) == NULL) print_error("%s\n", report.sentence);
        assert_non_null(strstr(report.sentence, rows[i].words));
        assert_null(house.road);
        assert_null(house.store);
        char path[160];
        snprintf(path, sizeof path, "%s/%s", state_dir, rows[i].name);
        unlink(path);
    }
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ROW(serving_makes_store_and_secret),
        ROW(checking_opens_neither),
        ROW(the_environment_gives_the_secret),
        ROW(a_house_without_its_state_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
