#include "backend/backend.h"

#include "backend/duckdb.h"
#include "backend/kind.h"
#include "base/limits.h"
#include "text/rows.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static const struct backend_kind *const kinds[] = {&backend_duckdb, &backend_schema};

struct backend_set {
    atomic_size_t n_refs;
    struct backend **items;
    size_t n;
};

/* -- what the kinds share ---------------------------------------------------------------------- */

result backend_init(struct backend *backend, const struct backend_kind *kind,
                    const struct backend_setup *setup, struct arena *arena, struct report *report) {
    *backend = (struct backend){.kind = kind, .name = str_dup(arena, setup->name)};
    return backend->name.ptr == NULL ? fail_memory(report) : OK;
}

result backend_settings_read(const struct backend_kind *kind, const struct backend_setup *setup,
                             void *settings, struct arena *arena, struct problems *problems) {
    static const char *const others[] = {"name", "kind", NULL};
    struct binder binder = {arena, problems, setup->file};
    size_t n_errors = problems->n_errors;
    char what[64];
    snprintf(what, sizeof what, "a backend of kind %s", kind->name);
    option_defaults(kind->options, settings);
    TRY(rows_read(&binder, kind->options, settings, setup->node, what, others));
    return (result){problems->n_errors > n_errors ? FAIL_CONFIG : FAIL_NONE};
}

const char *backend_input_path(const struct backend_setup *setup, struct str path,
                               struct arena *arena) {
    if (str_starts(path, STR("/"))) return str_cstr(arena, path);
    return str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(setup->config_dir), STR_ARG(path)).ptr;
}

const struct backend_kind *backend_kind_at(size_t i) {
    return i < COUNT(kinds) ? kinds[i] : NULL;
}

/* -- opening a set ----------------------------------------------------------------------------- */

static const struct backend_kind *kind_named(struct str name) {
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(name, str_of(kinds[i]->name))) return kinds[i];
    return NULL;
}

static void refuse_kind(const struct backend_setup *setup, const struct yaml *kind,
                        struct problems *problems) {
    problem_add(problems, SEVERITY_ERROR, setup->file, kind, "unknown kind '" STR_FMT "'",
                STR_ARG(kind->text));
    char known[128] = "";
    size_t len = 0;
    for (size_t i = 0; i < COUNT(kinds) && len < sizeof known; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i == 0 ? "" : ", ",
                                kinds[i]->name);
    problem_hint(problems, "the kinds of backends are %s", known);
}

static const struct yaml *text_of(const struct backend_setup *setup, const char *key,
                                  struct problems *problems) {
    const struct yaml *node = yaml_get(setup->node, str_of(key));
    if (node != NULL && node->type == YAML_SCALAR && node->text.len > 0) return node;
    problem_add(problems, SEVERITY_ERROR, setup->file, node != NULL ? node : setup->node,
                "a backend needs a '%s'", key);
    return NULL;
}

static result open_one(struct backend_set *set, struct backend_setup *setup,
                       struct problems *problems) {
    if (setup->node->type != YAML_MAP) {
        problem_add(problems, SEVERITY_ERROR, setup->file, setup->node, "a backend must be a map");
        return (result){FAIL_CONFIG};
    }
    const struct yaml *name = text_of(setup, "name", problems);
    const struct yaml *kind_name = text_of(setup, "kind", problems);
    if (name == NULL || kind_name == NULL) return (result){FAIL_CONFIG};
    setup->name = name->text;
    if (backend_set_by_name(set, setup->name) != NULL) {
        problem_add(problems, SEVERITY_ERROR, setup->file, name,
                    "backend '" STR_FMT "' is there twice", STR_ARG(setup->name));
        return (result){FAIL_CONFIG};
    }
    const struct backend_kind *kind = kind_named(kind_name->text);
    if (kind == NULL) {
        refuse_kind(setup, kind_name, problems);
        return (result){FAIL_CONFIG};
    }
    struct backend *backend = NULL;
    TRY(kind->open(&backend, setup, problems));
    assert(backend != NULL);
    set->items[set->n++] = backend;
    return OK;
}

/* Goes on after a wrong one, so that all problems are told at once. */
static result open_all(struct backend_set *set, const struct yaml *list,
                       const struct backend_setup *base, struct problems *problems) {
    result all = OK;
    for (size_t i = 0; i < list->n; i++) {
        struct backend_setup setup = *base;
        setup.node = &list->items[i];
        result one = open_one(set, &setup, problems);
        if (one.why == FAIL_MEMORY) {
            problems->is_full = true;
            return one;
        }
        if (one.why != FAIL_NONE) all = one;
    }
    return all;
}

result backend_set_open(const struct yaml *list, const struct backend_setup *base,
                        struct problems *problems, struct backend_set **out) {
    *out = NULL;
    if (list != NULL && !yaml_is_null(list) && list->type != YAML_LIST) {
        problem_add(problems, SEVERITY_ERROR, base->file, list, "'backends' must be a list");
        return (result){FAIL_CONFIG};
    }
    size_t n = list != NULL && list->type == YAML_LIST ? list->n : 0;
    struct backend_set *set = calloc(1, sizeof *set);
    if (set == NULL) return fail_memory(NULL);
    atomic_init(&set->n_refs, 1);
    set->items = calloc(n + 1, sizeof(struct backend *));
    result r = set->items == NULL ? fail_memory(NULL) : OK;
    if (r.why == FAIL_NONE && n > 0) r = open_all(set, list, base, problems);
    if (r.why != FAIL_NONE) {
        backend_set_unref(set);
        return r;
    }
    *out = set;
    return OK;
}

struct backend_set *backend_set_ref(struct backend_set *set) {
    atomic_fetch_add_explicit(&set->n_refs, 1, memory_order_relaxed);
    return set;
}

void backend_set_unref(struct backend_set *set) {
    if (set == NULL) return;
    if (atomic_fetch_sub_explicit(&set->n_refs, 1, memory_order_acq_rel) > 1) return;
    for (size_t i = 0; i < set->n; i++) set->items[i]->kind->close(set->items[i]);
    free(set->items);
    free(set);
}

/* -- asking a set ------------------------------------------------------------------------------ */

size_t backend_set_count(const struct backend_set *set) {
    return set->n;
}

struct backend *backend_set_at(const struct backend_set *set, size_t i) {
    assert(i < set->n);
    return set->items[i];
}

struct backend *backend_set_by_name(const struct backend_set *set, struct str name) {
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->items[i]->name, name)) return set->items[i];
    return NULL;
}

struct str backend_name(const struct backend *backend) {
    return backend->name;
}

const struct backend_kind *backend_kind_of(const struct backend *backend) {
    return backend->kind;
}

static result set_find(const struct schema_source *source, struct str project, struct str schema,
                       struct str name, struct arena *arena, const struct schema_relation **out,
                       struct report *report) {
    const struct backend_set *set = source->with;
    *out = NULL;
    for (size_t i = 0; i < set->n && *out == NULL; i++) {
        struct backend *backend = set->items[i];
        TRY(backend->kind->find(backend, project, schema, name, arena, out, report));
    }
    return OK;
}

static result set_max_pt(const struct schema_source *source, const struct schema_relation *relation,
                         struct arena *arena, struct str *out, struct report *report) {
    struct backend *backend = backend_set_by_name(source->with, relation->backend);
    assert(backend != NULL);
    return backend->kind->max_pt(backend, relation, arena, out, report);
}

struct schema_source backend_set_source(struct backend_set *set) {
    return (struct schema_source){.find = set_find, .max_pt = set_max_pt, .with = set};
}

result backend_run(struct backend *backend, struct str sql, const struct run_limits *limits,
                   struct row_sink *sink, struct run_facts *facts, struct arena *arena,
                   struct report *report) {
    struct run_limits taken = *limits;
    if (taken.is_private) taken.watch = NULL;
    *facts = (struct run_facts){.scanned_bytes = -1};
    return backend->kind->run(backend, sql, &taken, sink, facts, arena, report);
}
