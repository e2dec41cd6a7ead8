#include "backend/duckdb.h"

#include "backend/catalogue.h"
#include "backend/duckdb_call.h"
#include "backend/duckdb_learn.h"
#include "backend/duckdb_load.h"
#include "backend/kind.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { SANDBOX_REQUIRED = 0, SANDBOX_BEST_EFFORT };

struct duckdb_settings {
    struct option_list load;
    struct str file;
    int64_t workers, threads, queue, memory_limit;
    struct str timezone;
    int sandbox;
};

static const char *const sandbox_choices[] = {"required", "best_effort", NULL};

#define ROW(member, kind_, default_, min_, max_, sentence_)                                        \
    {                                                                                              \
        .name = #member, .type = kind_, .offset = offsetof(struct duckdb_settings, member),        \
        .fallback = default_, .min = min_, .max = max_, .sentence = sentence_                      \
    }

static const struct option duckdb_options[] = {
    ROW(load, OPTION_LIST, NULL, 0, 0,
        "CSV and Parquet files to load, as patterns, named PROJECT.TABLE.csv."),
    ROW(file, OPTION_TEXT, "", 0, 0, "A DuckDB database to open read-only, instead of 'load'."),
    ROW(workers, OPTION_INT, "0", 0, DUCKDB_WORKERS_MAX,
        "Worker processes, each running one query at a time; 0 is one for each core."),
    ROW(threads, OPTION_INT, "1", 1, 64,
        "Threads of each worker: more make a large query faster and small ones slower."),
    ROW(memory_limit, OPTION_BYTES, "512MiB", 64 * MIB, 1024 * GIB,
        "Memory that a query may take in a worker."),
    ROW(queue, OPTION_INT, "256", 0, 65536, "Calls that may wait for a worker."),
    ROW(timezone, OPTION_TEXT, "Asia/Shanghai", 0, 0,
        "The zone in which times are read and shown, as MaxCompute's odps.sql.timezone."),
    {.name = "sandbox",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct duckdb_settings, sandbox),
     .fallback = "required",
     .choices = sandbox_choices,
     .sentence = "Whether a worker may run where landlock or seccomp cannot be set."},
    {.name = NULL},
};

struct duckdb_backend {
    struct backend base;
    struct arena arena;
    struct duckdb_settings settings;
    struct catalogue catalogue;
    struct load_plan plan;
    struct duckdb_setup serve, load;
    struct duckdb_pool *pool;

    pthread_mutex_t lock; /* of the two below */
    struct arena newest_arena;
    struct map newest; /* relation's address as bytes -> struct str: its newest partition */
};

static struct duckdb_backend *ours(struct backend *backend) {
    return holder_of(backend, struct duckdb_backend, base);
}

/* -- opening ------------------------------------------------------------------------------------
 */

static void duckdb_close(struct backend *backend) {
    if (backend == NULL) return;
    struct duckdb_backend *duck = ours(backend);
    pool_close(duck->pool);
    pthread_mutex_destroy(&duck->lock);
    arena_deinit(&duck->newest_arena);
    arena_deinit(&duck->arena);
    free(duck);
}

/* A database and, where somebody else left one, what was not yet written into it. Empty: memory. */
static struct text_list database_files(struct str path, struct arena *arena) {
    struct str *items = arena_new_array(arena, 2, struct str);
    struct str log = str_printf(arena, STR_FMT ".wal", STR_ARG(path));
    if (items == NULL || log.ptr == NULL) return (struct text_list){0};
    items[0] = path;
    items[1] = log;
    return (struct text_list){items, 2};
}

/* Loaded tables: from the file under state_dir; or in each worker's memory, where nothing may be
 * written. */
static result serve_loaded(struct duckdb_backend *duck, const struct backend_setup *setup,
                           struct problems *problems) {
    struct arena *arena = &duck->arena;
    struct load_plan *plan = &duck->plan;
    TRY(duckdb_load_plan(setup, &duck->settings.load, &duck->catalogue, plan, problems));
    duck->serve.catalog = STR(DUCKDB_CATALOG);
    if (setup->schema_only) {
        duck->serve.inputs = plan->inputs;
        duck->serve.statements = plan->statements;
        duck->serve.labels = plan->labels;
        return OK;
    }
    duck->load = duck->serve;
    duck->load.inputs = plan->inputs;
    duck->load.statements = plan->statements;
    duck->load.labels = plan->labels;
    duck->load.output = str_printf(arena, STR_FMT "/duck", STR_ARG(setup->state_dir));
    duck->serve.database = str_printf(arena, STR_FMT "/" STR_FMT ".duckdb",
                                      STR_ARG(duck->load.output), STR_ARG(plan->hash));
    duck->serve.inputs = database_files(duck->serve.database, arena);
    if (duck->serve.database.ptr == NULL || duck->serve.inputs.n == 0) return fail_memory(NULL);
    return OK;
}

static result serve_file(struct duckdb_backend *duck, const struct backend_setup *setup,
                         struct problems *problems) {
    const char *path = backend_input_path(setup, duck->settings.file, &duck->arena);
    if (path == NULL) return fail_memory(NULL);
    if (access(path, R_OK) != 0) {
        problem_add(problems, SEVERITY_ERROR, setup->file, yaml_get(setup->node, STR("file")),
                    "cannot read file '%s'", path);
        return (result){FAIL_CONFIG};
    }
    duck->serve.database = str_of(path);
    /* `main` is the default project: as the catalog's name it is found by the project's name. */
    struct str project = duck->catalogue.default_project;
    duck->serve.catalog = project.len > 0 ? project : STR(DUCKDB_CATALOG);
    duck->serve.inputs = database_files(duck->serve.database, &duck->arena);
    duck->plan.n_undescribed = 1;
    return duck->serve.inputs.n == 0 ? fail_memory(NULL) : OK;
}

static result choose_source(struct duckdb_backend *duck, const struct backend_setup *setup,
                            struct problems *problems) {
    bool has_load = duck->settings.load.n > 0, has_file = duck->settings.file.len > 0;
    if (has_load == has_file) {
        problem_add(problems, SEVERITY_ERROR, setup->file, setup->node,
                    "a backend of kind duckdb needs either 'load' or 'file'");
        return (result){FAIL_CONFIG};
    }
    return has_file ? serve_file(duck, setup, problems) : serve_loaded(duck, setup, problems);
}

static size_t n_workers(const struct duckdb_backend *duck, const struct backend_setup *setup) {
    if (setup->schema_only) return 1;
    if (duck->settings.workers > 0) return (size_t)duck->settings.workers;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) return 1;
    return cores > DUCKDB_WORKERS_MAX ? DUCKDB_WORKERS_MAX : (size_t)cores;
}

static result open_pool(struct duckdb_backend *duck, const struct backend_setup *setup,
                        struct report *report) {
    struct str executable = str_dup(&duck->arena, setup->executable);
    if (executable.ptr == NULL) return fail_memory(report);
    struct pool_plan plan = {.executable = executable,
                             .serve = duck->serve,
                             .load = duck->load.statements.n > 0 ? &duck->load : NULL,
                             .n_workers = n_workers(duck, setup),
                             .n_queue = (size_t)duck->settings.queue,
                             .is_lazy = setup->schema_only};
    return pool_open(&plan, &duck->pool, report);
}

/* Waits for the engine only where it must: a database that is to be made (what is wrong with its
 * files is told now, not to the first caller), or columns that nobody described. Without the
 * library the program starts all the same, and says so. */
static result meet_engine(struct duckdb_backend *duck, const struct backend_setup *setup,
                          struct problems *problems) {
    bool must_learn = duck->plan.n_undescribed > 0;
    bool must_load = duck->load.statements.n > 0 && access(duck->serve.database.ptr, R_OK) != 0;
    if (!must_learn && !must_load) return OK;
    struct report report = {0};
    int64_t deadline = clock_mono_ns(&clock_real) + DUCKDB_LOAD_MS * INT64_C(1000000);
    result r = pool_await(duck->pool, deadline, &report);
    if (r.why == FAIL_NONE && must_learn)
        r = duckdb_learn(duck->pool, duck->serve.catalog, &duck->catalogue, &report);
    if (r.why == FAIL_NONE) return OK;
    bool is_absent = r.why == FAIL_ABSENT;
    problem_add(problems, is_absent ? SEVERITY_WARNING : SEVERITY_ERROR, setup->file, setup->node,
                "backend '" STR_FMT "': %s", STR_ARG(setup->name), report.sentence);
    if (report.hint[0] != '\0') problem_hint(problems, "%s", report.hint);
    return is_absent ? OK : (result){FAIL_CONFIG};
}

static result fill(struct duckdb_backend *duck, const struct backend_setup *setup,
                   struct problems *problems) {
    struct report report = {0};
    struct arena *arena = &duck->arena;
    TRY(backend_init(&duck->base, &backend_duckdb, setup, arena, &report));
    TRY(backend_settings_read(&backend_duckdb, setup, &duck->settings, arena, problems));
    struct str project = str_lower(arena, setup->default_project);
    if (project.ptr == NULL && setup->default_project.len > 0) return fail_memory(&report);
    catalogue_init(&duck->catalogue, arena, duck->base.name, project);
    uint64_t memory = (uint64_t)duck->settings.memory_limit;
    duck->serve = (struct duckdb_setup){
        .timezone = duck->settings.timezone,
        .memory_limit = memory,
        .address_space = memory + DUCKDB_ADDRESS_SPACE_BASE,
        .threads = (uint32_t)duck->settings.threads,
        .is_fence_required = duck->settings.sandbox == SANDBOX_REQUIRED,
    };
    TRY(choose_source(duck, setup, problems));
    result opened = open_pool(duck, setup, &report);
    if (opened.why != FAIL_NONE) {
        problem_add(problems, SEVERITY_ERROR, setup->file, setup->node, "%s", report.sentence);
        return opened;
    }
    TRY(meet_engine(duck, setup, problems));
    catalogue_seal(&duck->catalogue);
    return OK;
}

static result duckdb_open(struct backend **out, const struct backend_setup *setup,
                          struct problems *problems) {
    struct duckdb_backend *duck = calloc(1, sizeof *duck);
    if (duck == NULL) return fail_memory(NULL);
    arena_init(&duck->arena, BACKEND_CATALOGUE_BYTES);
    arena_init(&duck->newest_arena, DUCKDB_NEWEST_BYTES);
    map_init(&duck->newest, &duck->newest_arena);
    if (pthread_mutex_init(&duck->lock, NULL) != 0) {
        free(duck);
        return fail_memory(NULL);
    }
    result r = fill(duck, setup, problems);
    if (r.why != FAIL_NONE) {
        duckdb_close(&duck->base);
        return r;
    }
    *out = &duck->base;
    return OK;
}

/* -- asking -------------------------------------------------------------------------------------
 */

static result duckdb_find(struct backend *backend, struct str project, struct str schema,
                          struct str name, struct arena *arena, const struct schema_relation **out,
                          struct report *report) {
    (void)arena, (void)report;
    *out = catalogue_find(&ours(backend)->catalogue, project, schema, name);
    return OK;
}

static result duckdb_list(struct backend *backend, struct arena *arena,
                          const struct schema_relation *const **out, size_t *n,
                          struct report *report) {
    (void)arena, (void)report;
    *out = ours(backend)->catalogue.relations;
    *n = ours(backend)->catalogue.n;
    return OK;
}

/* The database does not change while we are open, so what was asked once stays true. */
static bool recall_newest(struct duckdb_backend *duck, struct str key, struct str *out) {
    pthread_mutex_lock(&duck->lock);
    const struct str *known = map_get(&duck->newest, key);
    pthread_mutex_unlock(&duck->lock);
    if (known != NULL) *out = *known;
    return known != NULL;
}

static void remember_newest(struct duckdb_backend *duck, struct str key, struct str value) {
    pthread_mutex_lock(&duck->lock);
    struct str *kept = arena_new(&duck->newest_arena, struct str);
    struct str kept_key = str_dup(&duck->newest_arena, key);
    struct str text = str_dup(&duck->newest_arena, value);
    bool has_room = kept != NULL && kept_key.ptr != NULL && (text.ptr != NULL || value.len == 0);
    if (has_room) {
        *kept = value.ptr == NULL ? STR_NONE : text;
        has_room = map_put(&duck->newest, kept_key, kept); /* else it is asked again */
    }
    pthread_mutex_unlock(&duck->lock);
}

static result duckdb_max_pt(struct backend *backend, const struct schema_relation *relation,
                            struct arena *arena, struct str *out, struct report *report) {
    struct duckdb_backend *duck = ours(backend);
    const struct schema_column *partition = relation_partition(relation);
    *out = STR_NONE;
    if (partition == NULL) return OK;
    struct str key = {(const char *)&relation, sizeof relation};
    if (recall_newest(duck, key, out)) return OK;
    TRY(duckdb_learn_max(duck->pool, relation, partition->name, arena, out, report));
    remember_newest(duck, key, *out);
    return OK;
}

static result duckdb_run(struct backend *backend, struct str sql, const struct run_limits *limits,
                         struct row_sink *sink, struct run_facts *facts, struct arena *arena,
                         struct report *report) {
    return duckdb_call(ours(backend)->pool, sql, limits, sink, facts, arena, report);
}

static bool duckdb_is_ready(struct backend *backend, struct str *sentence, struct arena *arena) {
    struct report report = {0};
    size_t n = pool_alive(ours(backend)->pool, &report);
    if (n > 0)
        *sentence = str_printf(arena, "%zu workers", n);
    else if (report.why == FAIL_NONE)
        *sentence = STR("workers are starting");
    else
        *sentence = str_printf(arena, "%s", report.sentence);
    return n > 0;
}

const struct backend_kind backend_duckdb = {
    .name = "duckdb",
    .dialect = DIALECT_DUCKDB,
    .can_run = true,
    .options = duckdb_options,
    .open = duckdb_open,
    .close = duckdb_close,
    .find = duckdb_find,
    .list = duckdb_list,
    .max_pt = duckdb_max_pt,
    .run = duckdb_run,
    .is_ready = duckdb_is_ready,
};
