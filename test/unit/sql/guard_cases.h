/*
 * The cases of test/guard/ *.case as values, each given to a function. Their language is told in
 * guard.c, that of their worlds in guard_world.h.
 */
#ifndef WEIR_TEST_SQL_GUARD_CASES_H
#define WEIR_TEST_SQL_GUARD_CASES_H

#include "base/limits.h"
#include "guard_world.h"
#include "sql/guard.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { CASE_LINES = 32, CASE_FILES = 32, WORLDS = 32 };

struct block {
    struct str title;
    struct str lines[64];
    size_t n;
};

struct guard_case {
    struct str file, title, world, sql;
    struct str with[CASE_LINES], checks[CASE_LINES];
    size_t n_with, n_checks;
    enum guard_dialect dialect;
    int64_t rows;
};

struct suite {
    struct arena arena;
    struct block worlds[WORLDS];
    size_t n_worlds, n_cases, n_failed;
    void (*run)(struct suite *suite, const struct guard_case *one);
};

static inline const struct block *find_world(const struct suite *s, struct str name) {
    for (size_t i = 0; i < s->n_worlds; i++)
        if (str_eq(s->worlds[i].title, name)) return &s->worlds[i];
    return NULL;
}

static inline bool build_world(const struct suite *s, const struct guard_case *c,
                               struct world *world, struct arena *arena) {
    const struct block *block = find_world(s, c->world);
    world_init(world, arena);
    if (block == NULL) return false;
    for (size_t i = 0; i < block->n; i++)
        if (!world_line(world, block->lines[i])) return false;
    for (size_t i = 0; i < c->n_with; i++)
        if (!world_line(world, c->with[i])) return false;
    return true;
}

/* -- reading ---------------------------------------------------------------------------------- */

static inline struct str read_whole(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(arena, MIB, 1);
    size_t n = fread(bytes, 1, MIB, file);
    (void)fclose(file);
    return (struct str){bytes, n};
}

/* The next line with those that go on with it; without comments. *is_end: there is none. */
static inline struct str next_line(struct arena *arena, struct str *rest, bool *is_end) {
    struct str line;
    do {
        *is_end = rest->ptr == NULL || rest->len == 0;
        if (*is_end) return STR_NONE;
        line = str_cut(rest, '\n');
    } while (str_starts(line, STR("#")));
    while (rest->ptr != NULL && str_starts(*rest, STR(" ")))
        line = str_printf(arena, STR_FMT " " STR_FMT, STR_ARG(line),
                          STR_ARG(str_trim(str_cut(rest, '\n'))));
    return line;
}

static inline void read_world(struct suite *s, struct str title, struct str *rest) {
    struct block *block = &s->worlds[s->n_worlds++];
    assert_true(s->n_worlds <= WORLDS);
    bool is_end;
    block->title = title;
    for (;;) {
        struct str line = next_line(&s->arena, rest, &is_end);
        if (is_end || str_trim(line).len == 0) return;
        assert_true(block->n < COUNT(block->lines));
        block->lines[block->n++] = line;
    }
}

static inline void case_line(struct guard_case *c, struct str line) {
    struct str rest = line, key = world_word(&rest);
    if (str_eq(key, STR("in"))) {
        c->world = rest;
    } else if (str_eq(key, STR("sql"))) {
        c->sql = rest;
    } else if (str_eq(key, STR("with"))) {
        assert_true(c->n_with < CASE_LINES);
        c->with[c->n_with++] = rest;
    } else if (str_eq(key, STR("rows"))) {
        c->rows = world_number(rest);
    } else if (str_eq(key, STR("dialect"))) {
        c->dialect = str_eq(rest, STR("duckdb"))     ? DIALECT_DUCKDB
                     : str_eq(rest, STR("postgres")) ? DIALECT_POSTGRES
                                                     : DIALECT_MAXCOMPUTE;
    } else {
        assert_true(c->n_checks < CASE_LINES);
        c->checks[c->n_checks++] = line;
    }
}

static inline void read_case(struct suite *s, struct str file, struct str title, struct str *rest) {
    struct guard_case c = {.file = file, .title = title};
    bool is_end;
    for (;;) {
        struct str line = next_line(&s->arena, rest, &is_end);
        if (is_end || str_trim(line).len == 0) break;
        case_line(&c, line);
    }
    if (c.n_checks == 0) fail_msg("%.*s: a case that checks nothing", STR_ARG(title));
    s->n_cases++;
    s->run(s, &c);
}

static inline void read_file(struct suite *s, const char *name) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/test/guard/%s", SOURCE_ROOT, name);
    struct str rest = read_whole(&s->arena, path), file = str_of(name);
    bool is_end = false;
    while (!is_end) {
        struct str line = next_line(&s->arena, &rest, &is_end), title = line;
        struct str key = world_word(&title);
        if (str_eq(key, STR("world"))) read_world(s, title, &rest);
        if (str_eq(key, STR("case"))) read_case(s, file, title, &rest);
    }
}

static inline int is_case_file(const struct dirent *entry) {
    return str_ends(str_of(entry->d_name), STR(".case"));
}

/* Every case of every file, in order; the suite's arena is gone afterwards. */
static inline void read_cases(struct suite *s) {
    struct dirent **files;
    arena_init(&s->arena, 64 * MIB);
    int n = scandir(SOURCE_ROOT "/test/guard", &files, is_case_file, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        read_file(s, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    arena_deinit(&s->arena);
}

#endif
