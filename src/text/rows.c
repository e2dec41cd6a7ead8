#include "text/rows.h"

static bool is_others(const char *const *others, struct str key) {
    for (; others != NULL && *others != NULL; others++)
        if (str_eq(str_of(*others), key)) return true;
    return str_starts(key, STR("x-"));
}

static result set_scalar(const struct binder *b, const struct option *row, void *settings,
                         const struct yaml *node) {
    struct report report = {0};
    struct str text;
    if (row->type == OPTION_TEXT && yaml_is_null(node)) return OK; /* an absent text */
    if (node->type != YAML_SCALAR) {
        problem_add(b->problems, SEVERITY_ERROR, b->file, node, "'%s' must be a %s", row->name,
                    row->type == OPTION_LIST ? "list of texts" : "single value");
        return OK;
    }
    TRY(bind_text(b, node, &text));
    result r = option_set(row, settings, text, b->arena, &report);
    if (r.why == FAIL_MEMORY) return r;
    if (r.why != FAIL_NONE)
        problem_add(b->problems, SEVERITY_ERROR, b->file, node, "%s", report.sentence);
    return OK;
}

/* A scalar, or for a LIST row each of its items. */
static result set_row(const struct binder *b, const struct option *row, void *settings,
                      const struct yaml *node) {
    if (row->type != OPTION_LIST || node->type != YAML_LIST)
        return set_scalar(b, row, settings, node);
    option_list_clear(row, settings);
    for (size_t i = 0; i < node->n; i++) TRY(set_scalar(b, row, settings, &node->items[i]));
    return OK;
}

static void refuse_key(const struct binder *b, const struct option *rows, const struct yaml *key,
                       const char *what) {
    const struct option *nearest = option_nearest(rows, key->text);
    problem_add(b->problems, SEVERITY_ERROR, b->file, key, "unknown key '" STR_FMT "' of %s",
                STR_ARG(key->text), what);
    if (nearest != NULL) problem_hint(b->problems, "did you mean '%s'?", nearest->name);
}

result rows_read(const struct binder *b, const struct option *rows, void *settings,
                 const struct yaml *map, const char *what, const char *const *others) {
    if (map == NULL || yaml_is_null(map)) return OK;
    if (map->type != YAML_MAP) {
        problem_add(b->problems, SEVERITY_ERROR, b->file, map, "%s must be a map of settings",
                    what);
        return OK;
    }
    for (size_t i = 0; i < map->n; i++) {
        const struct yaml *key = &map->pairs[i].key;
        const struct option *row = option_find(rows, key->text);
        if (row != NULL)
            TRY(set_row(b, row, settings, &map->pairs[i].value));
        else if (!is_others(others, key->text))
            refuse_key(b, rows, key, what);
    }
    return OK;
}
