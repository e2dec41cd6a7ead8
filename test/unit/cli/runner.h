/*
 * What the command line's tests share: a directory of their own to work in, and the program run in
 * it with standard input, output and error in files.
 */
#ifndef WEIR_TEST_CLI_RUNNER_H
#define WEIR_TEST_CLI_RUNNER_H

#include "base/file.h"
#include "base/limits.h"
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], home[4096];
static struct arena arena;

static void put(const char *name, struct str text) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

static void enter(void) {
    snprintf(dir, sizeof dir, "%s", "cli-test-XXXXXX");
    assert_non_null(getcwd(home, sizeof home));
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(mkdir("config", 0700), 0);
    arena_init(&arena, 64 * MIB);
}

static void leave(void) {
    char remove[128];
    snprintf(remove, sizeof remove, "rm -rf %s", dir);
    assert_int_equal(chdir(home), 0);
    assert_int_equal(system(remove), 0);
    arena_deinit(&arena);
}

static struct str read_file(const char *name) {
    struct str text = STR_NONE;
    struct report report = {0};
    assert_int_equal(file_read(name, 4 * MIB, &arena, &text, &report).why, FAIL_NONE);
    return text;
}

/* Runs `weir …` with standard input, output and error in the files in, out and err. */
static int weir(struct str in, int argc, const char *const *words, struct str *out) {
    char *argv[16];
    int kept_out = dup(1), kept_err = dup(2);
    put("in", in);
    for (int i = 0; i < argc; i++) argv[i] = (char *)(uintptr_t)str_cstr(&arena, str_of(words[i]));
    fflush(stdout);
    fflush(stderr);
    assert_non_null(freopen("in", "rb", stdin));
    FILE *to = fopen("out", "wb"), *err = fopen("err", "wb");
    assert_true(dup2(fileno(to), 1) == 1 && dup2(fileno(err), 2) == 2);
    int status = command_main(argc, argv);
    fflush(stdout);
    fflush(stderr);
    assert_true(dup2(kept_out, 1) == 1 && dup2(kept_err, 2) == 2);
    close(kept_out);
    close(kept_err);
    fclose(to);
    fclose(err);
    *out = read_file("out");
    return status;
}

#endif
