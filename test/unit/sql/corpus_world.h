/* test/unit/sql/corpus_world.h - the schemas of the shared corpus as worlds (guard_world.h) */
#ifndef WEIR_TEST_SQL_CORPUS_WORLD_H
#define WEIR_TEST_SQL_CORPUS_WORLD_H

#include "guard_world.h"
#include "text/json.h"

static inline void corpus_set_lines(struct world *w, const char *const *lines, size_t n) {
    for (size_t i = 0; i < n; i++) (void)world_line(w, str_of(lines[i]));
}

static inline void corpus_add_granted_column(struct world *w, const struct json *column) {
    struct str name = json_get_text(column, STR("name"));
    const struct json *denied = json_get(column, STR("denied_fields"));
    struct str line = str_printf(w->arena, STR_FMT " " STR_FMT, STR_ARG(name),
                                 STR_ARG(json_get_text(column, STR("type"))));
    if (json_is_true(json_get(column, STR("partition"))))
        line = str_printf(w->arena, STR_FMT " partition", STR_ARG(line));
    if (json_is_true(json_get(column, STR("denied"))))
        line = str_printf(w->arena, STR_FMT " denied", STR_ARG(line));
    for (uint32_t i = 0; denied != NULL && i < denied->n; i++)
        line = str_printf(w->arena, STR_FMT "%s" STR_FMT, STR_ARG(line), i == 0 ? " without=" : ",",
                          STR_ARG(denied->items[i].text));
    world_add_column(w, line);
}

/* attack-schema.json: tables, columns, row filters and functions as granted there. */
static inline void corpus_open_attacked(struct world *w, const struct json *schema,
                                        struct arena *arena) {
    static const char *const lines[] = {"project sales", "limits 1000 1000", "joins 100 any",
                                        "star expand", "notable"};
    const struct json *tables = json_get(schema, STR("tables"));
    const struct json *denied = json_at(schema, STR("/policy/functions/denied"));
    world_init(w, arena);
    corpus_set_lines(w, lines, sizeof lines / sizeof *lines);
    for (uint32_t i = 0; i < denied->n; i++)
        w->denied[w->grant.n_functions_denied++] = denied->items[i].text;
    for (uint32_t i = 0; i < tables->n; i++) {
        const struct json *table = &tables->items[i];
        const struct json *columns = json_get(table, STR("columns"));
        struct str filter = json_get_text(table, STR("row_filter"));
        world_add_table(w, json_get_text(table, STR("name")));
        if (!json_is_true(json_get(table, STR("allowed")))) w->table->relation.effect = GRANT_DENY;
        w->table->newest = STR("20240131");
        for (uint32_t c = 0; c < columns->n; c++) corpus_add_granted_column(w, &columns->items[c]);
        if (filter.len > 0) w->table->filters[w->table->relation.n_row_filters++] = filter;
    }
}

/* A grant of everything, with no table yet. */
static inline void corpus_open_granted(struct world *w, struct arena *arena) {
    static const char *const lines[] = {"project shop", "limits 1000 1000", "joins 1000 any",
                                        "notable", "star expand"};
    world_init(w, arena);
    corpus_set_lines(w, lines, sizeof lines / sizeof *lines);
}

/* `tables` of exec-data/schema.json, all granted. */
static inline void corpus_add_typed(struct world *w, const struct json *tables) {
    for (uint32_t i = 0; i < tables->n; i++) {
        const struct json *columns = json_get(&tables->items[i], STR("columns"));
        world_add_table(w, str_printf(w->arena, "shop.default." STR_FMT,
                                      STR_ARG(json_get_text(&tables->items[i], STR("name")))));
        for (uint32_t c = 0; c < columns->n; c++) corpus_add_granted_column(w, &columns->items[c]);
    }
}

/* The statements name tables of lineage-schemas.json sometimes with a project, the schemas never.
 */
static inline result corpus_find_in_any_project(const struct grant *grant, struct str project,
                                                struct str schema, struct str name,
                                                struct arena *arena,
                                                const struct grant_relation **out,
                                                struct report *report) {
    (void)project;
    return world_grant_find(grant, STR("shop"), schema, name, arena, out, report);
}

/* One schema of lineage-schemas.json, all granted; types are not told there. */
static inline void corpus_add_untyped(struct world *w, const struct json *tables) {
    w->grant.find = corpus_find_in_any_project;
    for (uint32_t i = 0; i < tables->n; i++) {
        const struct json *columns = &tables->members[i].value;
        world_add_table(
            w, str_printf(w->arena, "shop.default." STR_FMT, STR_ARG(tables->members[i].key)));
        assert(columns->n <= WORLD_COLUMNS);
        w->table->schema.n_columns = columns->n;
        for (uint32_t c = 0; c < columns->n; c++) {
            w->table->schemas[c] = (struct schema_column){.name = columns->items[c].text};
            w->table->columns[c] =
                (struct grant_column){.schema = &w->table->schemas[c], .effect = GRANT_ALLOW};
        }
    }
}

#endif
