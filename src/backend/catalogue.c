#include "backend/catalogue.h"

#include "base/limits.h"

#include <stdlib.h>

void catalogue_init(struct catalogue *catalogue, struct arena *arena, struct str backend,
                    struct str default_project) {
    *catalogue =
        (struct catalogue){.arena = arena, .backend = backend, .default_project = default_project};
    map_init(&catalogue->by_name, arena);
}

static result split_failed(struct str text, struct report *report) {
    result r = fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "'" STR_FMT "' is no table name", STR_ARG(text));
    fail_hint(report, "A table is named PROJECT.TABLE, PROJECT.SCHEMA.TABLE, or TABLE where there "
                      "is a default_project.");
    return r;
}

result table_name_split(struct str text, struct str default_project, struct arena *arena,
                        struct table_name *out, struct report *report) {
    struct str lower = str_lower(arena, text);
    if (lower.ptr == NULL && text.len > 0) return fail_memory(report);
    if (text.len > TABLE_NAME_BYTES_MAX || str_find_byte(text, '\0') < text.len)
        return split_failed(STR("(unprintable)"), report);

    struct str parts[4];
    size_t n = 0;
    for (struct str rest = lower; n < COUNT(parts) && (n == 0 || rest.ptr != NULL); n++) {
        parts[n] = str_trim(str_cut(&rest, '.'));
        if (parts[n].len == 0) return split_failed(text, report);
    }
    if (n > 3 || (n == 1 && default_project.len == 0)) return split_failed(text, report);
    *out = (struct table_name){.project = n == 1 ? default_project : parts[0],
                               .schema = n == 3 ? parts[1] : STR("default"),
                               .name = parts[n - 1]};
    return OK;
}

/* project NUL schema NUL name; no part holds a NUL, so that two names never meet. Empty: too long.
 */
static struct str key_of(struct str project, struct str schema, struct str name,
                         char out[TABLE_NAME_BYTES_MAX]) {
    const struct str parts[] = {project, schema, name};
    size_t len = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].len + 1 > TABLE_NAME_BYTES_MAX - len) return STR_NONE;
        if (parts[i].len > 0) memcpy(out + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
        out[len++] = '\0';
    }
    return (struct str){out, len};
}

result catalogue_add(struct catalogue *catalogue, const struct table_name *name, struct str comment,
                     const struct schema_column *columns, size_t n_columns, struct report *report) {
    char space[TABLE_NAME_BYTES_MAX];
    struct str key = key_of(name->project, name->schema, name->name, space);
    if (key.len == 0) return split_failed(name->name, report);
    if (map_get(&catalogue->by_name, key) != NULL)
        return fail(report, FAIL_INPUT, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "table '" STR_FMT "." STR_FMT "." STR_FMT "' is there twice",
                    STR_ARG(name->project), STR_ARG(name->schema), STR_ARG(name->name));

    key = str_dup(catalogue->arena, key);
    struct schema_relation *relation = arena_new(catalogue->arena, struct schema_relation);
    if (key.ptr == NULL || relation == NULL) return fail_memory(report);
    *relation = (struct schema_relation){.project = name->project,
                                         .schema = name->schema,
                                         .name = name->name,
                                         .comment = comment,
                                         .columns = columns,
                                         .n_columns = n_columns,
                                         .backend = catalogue->backend};
    const struct schema_relation **slot =
        ARENA_PUSH(catalogue->arena, catalogue->relations, catalogue->n, catalogue->cap);
    if (slot == NULL) return fail_memory(report);
    *slot = relation;
    if (!map_put(&catalogue->by_name, key, relation)) return fail_memory(report);
    return OK;
}

static int by_full_name(const void *left, const void *right) {
    const struct schema_relation *a = *(const struct schema_relation *const *)left;
    const struct schema_relation *b = *(const struct schema_relation *const *)right;
    int order = str_cmp(a->project, b->project);
    if (order == 0) order = str_cmp(a->schema, b->schema);
    return order != 0 ? order : str_cmp(a->name, b->name);
}

void catalogue_seal(struct catalogue *catalogue) {
    if (catalogue->n > 0)
        qsort(catalogue->relations, catalogue->n, sizeof(struct schema_relation *), by_full_name);
}

const struct schema_relation *catalogue_find(const struct catalogue *catalogue, struct str project,
                                             struct str schema, struct str name) {
    char space[TABLE_NAME_BYTES_MAX];
    struct str key = key_of(project, schema.len > 0 ? schema : STR("default"), name, space);
    return key.len == 0 ? NULL : map_get(&catalogue->by_name, key);
}

const struct schema_column *relation_partition(const struct schema_relation *relation) {
    for (size_t i = 0; i < relation->n_columns; i++)
        if (relation->columns[i].is_partition) return &relation->columns[i];
    return NULL;
}
