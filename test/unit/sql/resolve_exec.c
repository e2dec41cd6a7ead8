/* test/unit/sql/resolve_exec.c - names and types of the corpus' runnable statements */
#include "corpus.h"
#include "relations.h"
#include "sql/resolve.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BUDGET = 64 * 1024 * 1024 };

static void add_tables(struct relations *r, const struct json *tables) {
    for (uint32_t i = 0; i < tables->n; i++) {
        const struct json *columns = json_get(&tables->items[i], STR("columns"));
        struct buf text;
        buf_init(&text, 100000);
        for (uint32_t j = 0; j < columns->n; j++)
            buf_addf(&text, "%s" STR_FMT " " STR_FMT, j > 0 ? ";" : "",
                     STR_ARG(json_get_text(&columns->items[j], STR("name"))),
                     STR_ARG(json_get_text(&columns->items[j], STR("type"))));
        struct str kept = str_dup(&r->arena, buf_flat(&text, &r->arena));
        buf_deinit(&text);
        relations_add(r, "demo", "default",
                      str_cstr(&r->arena, json_get_text(&tables->items[i], STR("name"))),
                      GRANT_ALLOW, kept);
    }
}

static bool is_typed_as(const struct resolved *resolved, const struct json *wanted) {
    const struct resolved_query *root = resolved->root;
    if (root->n_outputs != wanted->n) return false;
    for (uint32_t i = 0; i < wanted->n; i++) {
        const struct json *column = &wanted->items[i];
        struct str type = str_of(sql_type_name(root->outputs[i].type.kind));
        if (!str_eq(root->outputs[i].name, column->items[0].text) ||
            !str_eq(type, column->items[1].text))
            return false;
    }
    return true;
}

static bool agrees(const struct relations *relations, const struct json *wanted) {
    struct arena arena;
    struct sql_query *query = NULL;
    struct resolved *resolved = NULL;
    struct report report = {0};
    arena_init(&arena, BUDGET);
    struct str sql = json_get_text(wanted, STR("sql"));
    result r = sql_parse(sql, NULL, &arena, &query, &report);
    if (r.why == FAIL_NONE) r = sql_resolve(query, &relations->grant, &arena, &resolved, &report);
    bool is_right = r.why == FAIL_NONE && is_typed_as(resolved, json_get(wanted, STR("columns")));
    if (!is_right) {
        print_error("%.*s %s\n", STR_ARG(sql), report.sentence);
        for (size_t i = 0; r.why == FAIL_NONE && i < resolved->root->n_outputs; i++)
            print_error("  %.*s %s\n", STR_ARG(resolved->root->outputs[i].name),
                        sql_type_name(resolved->root->outputs[i].type.kind));
    }
    arena_deinit(&arena);
    return is_right;
}

static void types_the_corpus(void **state) {
    (void)state;
    struct relations relations;
    struct arena arena;
    const struct json *schema = NULL;
    size_t n = 0, n_right = 0;
    arena_init(&arena, BUDGET);
    relations_init(&relations, "demo");
    struct str text = corpus_read("exec-data/schema.json", &arena);
    struct str lines = corpus_read("exec.jsonl", &arena);
    if (text.ptr == NULL || lines.ptr == NULL) {
        arena_deinit(&arena);
        print_message("the corpus is not here\n");
        skip();
    }
    assert_int_equal(json_read(text, NULL, &arena, &schema, NULL).why, FAIL_NONE);
    add_tables(&relations, json_get(schema, STR("tables")));
    while (lines.ptr != NULL && lines.len > 0) {
        const struct json *wanted = NULL;
        struct str line = str_trim(str_cut(&lines, '\n'));
        if (line.len == 0) continue;
        assert_int_equal(json_read(line, NULL, &arena, &wanted, NULL).why, FAIL_NONE);
        n++;
        n_right += agrees(&relations, wanted);
    }
    print_message("names and types: %zu of %zu\n", n_right, n);
    relations_deinit(&relations);
    arena_deinit(&arena);
    assert_true(n >= 40);
    assert_int_equal(n_right, n);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(types_the_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
