/*
 * Real statements: all of exec.jsonl and lineage.jsonl, from the corpus beside the project, must
 * pass under a grant of everything; skipped with a message when it is not there. What comes out
 * must be a statement that the guard lets through again, with the same names of columns.
 */
#include "base/limits.h"
#include "corpus_world.h"
#include "sql/guard.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define CORPUS SOURCE_ROOT "/../shared/corpus/sql/"

static struct str read_whole(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return STR_NONE;
    char *bytes = arena_alloc(arena, 4 * MIB, 1);
    size_t n = fread(bytes, 1, 4 * MIB, file);
    (void)fclose(file);
    return (struct str){bytes, n};
}

static const struct json *read_json(struct arena *arena, struct str text) {
    const struct json *value = NULL;
    assert_int_equal(json_read(text, NULL, arena, &value, NULL).why, FAIL_NONE);
    return value;
}

static bool ask(struct world *w, struct str sql, struct arena *arena, struct guard_answer *out,
                struct report *report) {
    struct guard_request request = {.text = sql, .grant = &w->grant};
    *report = (struct report){0};
    result done = guard_check(&request, arena, out, report);
    return done.why == FAIL_NONE && out->effect == GUARD_ALLOW;
}

static bool has_same_names(const struct guard_answer *a, const struct guard_answer *b) {
    if (a->n_output != b->n_output) return false;
    for (size_t i = 0; i < a->n_output; i++)
        if (!str_ieq(a->output[i].name, b->output[i].name)) return false;
    return true;
}

/* What ran once reads the same base columns when it is ruled again. */
static bool has_same_columns(const struct guard_answer *a, const struct guard_answer *b) {
    for (size_t i = 0; i < b->columns.n; i++) {
        bool is_there = false;
        for (size_t k = 0; k < a->columns.n; k++)
            is_there = is_there || str_eq(a->columns.items[k], b->columns.items[i]);
        if (!is_there) return false;
    }
    return true;
}

static bool passes_twice(struct world *w, struct str id, struct str sql, struct arena *arena) {
    struct guard_answer once, twice;
    struct report report;
    const char *wrong = NULL;
    if (!ask(w, sql, arena, &once, &report)) {
        wrong = "refused";
    } else if (!ask(w, once.sql, arena, &twice, &report)) {
        wrong = "refused the second time";
    } else if (!has_same_names(&once, &twice)) {
        wrong = "other names";
    } else if (!has_same_columns(&once, &twice)) {
        wrong = "other columns";
    }
    if (wrong == NULL) return true;
    print_error("%.*s: %s\n    %.*s\n    %.*s\n    %s: %s\n", STR_ARG(id), wrong, STR_ARG(sql),
                STR_ARG(once.sql), report.code != NULL ? report.code : "", report.sentence);
    return false;
}

static bool read_files(struct arena *arena, const char *schema_path, const char *lines_path,
                       struct str *schema, struct str *lines) {
    *schema = read_whole(arena, schema_path);
    *lines = read_whole(arena, lines_path);
    if (schema->ptr != NULL && lines->ptr != NULL) return true;
    print_message("the corpus is not beside the project: skipped\n");
    return false;
}

static void exec_passes(void **state) {
    (void)state;
    struct arena arena;
    struct str schema, lines;
    size_t n = 0, n_wrong = 0;
    arena_init(&arena, 512 * MIB);
    if (!read_files(&arena, CORPUS "exec-data/schema.json", CORPUS "exec.jsonl", &schema, &lines)) {
        arena_deinit(&arena);
        skip();
    }
    struct world *world = arena_new(&arena, struct world);
    corpus_open_granted(world, &arena);
    corpus_add_typed(world, json_get(read_json(&arena, schema), STR("tables")));
    while (lines.ptr != NULL) {
        struct str line = str_cut(&lines, '\n');
        if (str_trim(line).len == 0) continue;
        const struct json *entry = read_json(&arena, line);
        n_wrong += !passes_twice(world, json_get_text(entry, STR("id")),
                                 json_get_text(entry, STR("sql")), &arena);
        n++;
    }
    print_message("%zu statements, %zu wrong\n", n, n_wrong);
    arena_deinit(&arena);
    assert_int_equal(n_wrong, 0);
    assert_true(n >= 40);
}

static void lineage_passes(void **state) {
    (void)state;
    struct arena arena;
    struct str schema, lines;
    size_t n = 0, n_wrong = 0;
    arena_init(&arena, 512 * MIB);
    if (!read_files(&arena, CORPUS "lineage-schemas.json", CORPUS "lineage.jsonl", &schema,
                    &lines)) {
        arena_deinit(&arena);
        skip();
    }
    const struct json *schemas = json_get(read_json(&arena, schema), STR("schemas"));
    while (lines.ptr != NULL) {
        struct str line = str_cut(&lines, '\n');
        if (str_trim(line).len == 0) continue;
        const struct json *entry = read_json(&arena, line);
        struct world *world = arena_new(&arena, struct world);
        corpus_open_granted(world, &arena);
        corpus_add_untyped(world, json_get(schemas, json_get_text(entry, STR("schema"))));
        n_wrong += !passes_twice(world, json_get_text(entry, STR("id")),
                                 json_get_text(entry, STR("sql")), &arena);
        n++;
    }
    print_message("%zu statements, %zu wrong\n", n, n_wrong);
    arena_deinit(&arena);
    assert_int_equal(n_wrong, 0);
    assert_true(n >= 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exec_passes),
                                       cmocka_unit_test(lineage_passes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
