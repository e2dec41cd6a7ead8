/* Every code that the sources write stands in the one table, call/codes.h. */
#include "call/codes.h"

#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool is_known(const char *code) {
    return strcmp(code_find(code)->name, code) == 0;
}

/* A literal in capitals behind FAIL_…, or behind `code = `: what fail() and verdicts are given. */
static int count_unknown(const char *path, const char *text) {
    int unknown = 0;
    for (const char *at = text; (at = strstr(at, "FAIL_")) != NULL; at++) {
        const char *open = at + strcspn(at, "\";)}");
        if (*open != '"') continue;
        char code[64];
        size_t n = 0;
        for (const char *c = open + 1;
             n < sizeof code - 1 && (isupper(*c) || isdigit(*c) || *c == '_'); c++)
            code[n++] = *c;
        code[n] = '\0';
        if (n < 4 || open[1 + n] != '"' || is_known(code)) continue;
        print_error("%s: %s has no row in call/codes.h\n", path, code);
        unknown++;
    }
    return unknown;
}

static int check_file(const char *path) {
    static char text[1 << 20];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return count_unknown(path, text);
}

static void sources_use_known_codes(void **state) {
    (void)state;
    int unknown = 0, files = 0;
    DIR *floors = opendir(SOURCE_ROOT "/src");
    assert_non_null(floors);
    for (struct dirent *floor; (floor = readdir(floors)) != NULL;) {
        char dir[512], path[1024];
        snprintf(dir, sizeof dir, SOURCE_ROOT "/src/%s", floor->d_name);
        DIR *d = floor->d_name[0] == '.' ? NULL : opendir(dir);
        for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
            size_t n = strlen(e->d_name);
            if (n < 3 || strcmp(e->d_name + n - 2, ".c") != 0) continue;
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
            unknown += check_file(path);
            files++;
        }
        if (d != NULL) closedir(d);
    }
    closedir(floors);
    assert_true(files > 50);
    assert_int_equal(unknown, 0);
}

static void unknown_is_internal(void **state) {
    (void)state;
    assert_string_equal(code_find(NULL)->name, "INTERNAL_ERROR");
    assert_string_equal(code_find("NO_SUCH_CODE")->name, "INTERNAL_ERROR");
    assert_int_equal(code_find("AUTH_REQUIRED")->http_status, 401);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_use_known_codes),
        cmocka_unit_test(unknown_is_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
