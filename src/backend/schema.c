/* A warehouse that is described and not there: check and lineage work on it, run says it cannot. */
#include "backend/catalogue.h"
#include "backend/kind.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/list.h"

#include <stdlib.h>

struct schema_settings {
    struct str file;
};

static const struct option schema_options[] = {
    {.name = "file",
     .type = OPTION_TEXT,
     .offset = offsetof(struct schema_settings, file),
     .fallback = "",
     .sentence = "The file that describes the tables, relative to the configuration."},
    {.name = NULL},
};

struct schema_backend {
    struct backend base;
    struct arena arena;
    struct schema_settings settings;
    struct catalogue catalogue;
};

static struct schema_backend *ours(struct backend *backend) {
    return holder_of(backend, struct schema_backend, base);
}

static void schema_close(struct backend *backend) {
    if (backend == NULL) return;
    struct schema_backend *schema = ours(backend);
    arena_deinit(&schema->arena);
    free(schema);
}

static result schema_fill(struct schema_backend *schema, const struct backend_setup *setup,
                          struct problems *problems) {
    struct report report = {0};
    TRY(backend_init(&schema->base, &backend_schema, setup, &schema->arena, &report));
    TRY(backend_settings_read(&backend_schema, setup, &schema->settings, &schema->arena, problems));
    if (schema->settings.file.len == 0) {
        problem_add(problems, SEVERITY_ERROR, setup->file, setup->node,
                    "a backend of kind schema needs 'file'");
        return (result){FAIL_CONFIG};
    }
    struct arena *arena = &schema->arena;
    const char *path = backend_input_path(setup, schema->settings.file, arena);
    struct str project = str_lower(arena, setup->default_project);
    if (path == NULL || (project.ptr == NULL && setup->default_project.len > 0))
        return fail_memory(&report);
    struct str text;
    result read = file_read(path, YAML_BYTES_MAX, arena, &text, &report);
    if (read.why == FAIL_MEMORY) return read;
    if (read.why != FAIL_NONE) {
        problem_add(problems, SEVERITY_ERROR, setup->file, yaml_get(setup->node, STR("file")), "%s",
                    report.sentence);
        return (result){FAIL_CONFIG};
    }
    catalogue_init(&schema->catalogue, arena, schema->base.name, project);
    TRY(catalogue_read(&schema->catalogue, text, schema->settings.file, problems));
    catalogue_seal(&schema->catalogue);
    return OK;
}

static result schema_open(struct backend **out, const struct backend_setup *setup,
                          struct problems *problems) {
    struct schema_backend *schema = calloc(1, sizeof *schema);
    if (schema == NULL) return fail_memory(NULL);
    arena_init(&schema->arena, BACKEND_CATALOGUE_BYTES);
    result r = schema_fill(schema, setup, problems);
    if (r.why != FAIL_NONE) {
        schema_close(&schema->base);
        return r;
    }
    *out = &schema->base;
    return OK;
}

static result schema_find(struct backend *backend, struct str project, struct str schema,
                          struct str name, struct arena *arena, const struct schema_relation **out,
                          struct report *report) {
    (void)arena, (void)report;
    *out = catalogue_find(&ours(backend)->catalogue, project, schema, name);
    return OK;
}

static result schema_list(struct backend *backend, struct arena *arena,
                          const struct schema_relation *const **out, size_t *n,
                          struct report *report) {
    (void)arena, (void)report;
    *out = ours(backend)->catalogue.relations;
    *n = ours(backend)->catalogue.n;
    return OK;
}

static result cannot_run(const struct backend *backend, struct report *report) {
    result r = fail(report, FAIL_ABSENT, "BACKEND_CANNOT_RUN", REPORT_NO_OFFSET,
                    "backend '" STR_FMT "' only describes its tables, it has no data to ask",
                    STR_ARG(backend->name));
    fail_hint(report, "Use check or lineage with it, or a backend of kind duckdb to run.");
    return r;
}

static result schema_max_pt(struct backend *backend, const struct schema_relation *relation,
                            struct arena *arena, struct str *out, struct report *report) {
    (void)relation, (void)arena, (void)out;
    return cannot_run(backend, report);
}

static result schema_run(struct backend *backend, struct str sql, const struct run_limits *limits,
                         struct row_sink *sink, struct run_facts *facts, struct arena *arena,
                         struct report *report) {
    (void)sql, (void)limits, (void)sink, (void)facts, (void)arena;
    return cannot_run(backend, report);
}

static bool schema_is_ready(struct backend *backend, struct str *sentence, struct arena *arena) {
    *sentence = str_printf(arena, "%zu tables described", ours(backend)->catalogue.n);
    return true;
}

const struct backend_kind backend_schema = {
    .name = "schema",
    .dialect = DIALECT_MAXCOMPUTE,
    .can_run = false,
    .options = schema_options,
    .open = schema_open,
    .close = schema_close,
    .find = schema_find,
    .list = schema_list,
    .max_pt = schema_max_pt,
    .run = schema_run,
    .is_ready = schema_is_ready,
};
