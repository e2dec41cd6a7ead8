/*
 * A DuckDB backend for a test, its library, and a sink that keeps rows as JSON lines.
 *
 * The test's own executable is the worker's, so main() must begin with engine_worker().
 */
#ifndef TEST_ENGINE_H
#define TEST_ENGINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's, which our own would meet */
#define FAIL_TEST(...)                                                                             \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        _fail(__FILE__, __LINE__);                                                                 \
    } while (0)

#include "backend/backend.h"
#include "backend/duckdb_worker.h"
#include "base/clock.h"
#include "base/list.h"
#include "text/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct engine_rig {
    struct arena arena;
    struct problems problems;
    struct backend_setup setup;
    struct backend_set *set;
    struct backend *backend;
    char state_dir[512]; /* in the working directory, which is the build's */
    char executable[512];
};

static inline void engine_worker(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], DUCKDB_WORKER_WORD) == 0) exit(duckdb_worker_main(argc, argv));
    setenv("WEIR_DUCKDB_LIB", SOURCE_ROOT "/build/libduckdb.so", 0);
    if (access(getenv("WEIR_DUCKDB_LIB"), R_OK) == 0) return;
    fprintf(stderr, "%s is missing: run script/duckdb first\n", getenv("WEIR_DUCKDB_LIB"));
    exit(1);
}

/* `list` is what stands under `backends:`. Does not fail: look at rig->set and rig->problems. */
static inline void rig_open_as(struct engine_rig *rig, const char *list, bool schema_only) {
    memset(rig, 0, sizeof *rig);
    arena_init(&rig->arena, 16 << 20);
    problems_init(&rig->problems, &rig->arena);
    const char *temporary = getenv("TMPDIR");
    snprintf(rig->state_dir, sizeof rig->state_dir, "%s/weir-test-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(rig->state_dir));
    ssize_t n = readlink("/proc/self/exe", rig->executable, sizeof rig->executable - 1);
    assert_true(n > 0);
    struct str text = str_of(list);
    const struct yaml *root;
    struct report report = {0};
    result read = yaml_read(text, STR("weir.yaml"), NULL, &rig->arena, &root, &report);
    if (read.why != FAIL_NONE) FAIL_TEST("%s\n", report.sentence);
    rig->setup = (struct backend_setup){.file = STR("weir.yaml"),
                                        .config_dir = STR(SOURCE_ROOT "/test/unit/backend/data"),
                                        .state_dir = str_of(rig->state_dir),
                                        .default_project = STR("home"),
                                        .executable = {rig->executable, (size_t)n},
                                        .schema_only = schema_only};
    result opened = backend_set_open(root, &rig->setup, &rig->problems, &rig->set);
    assert_int_equal(opened.why == FAIL_NONE, rig->set != NULL);
    if (rig->set != NULL && backend_set_count(rig->set) > 0)
        rig->backend = backend_set_at(rig->set, 0);
}

static inline void rig_print_problems(struct engine_rig *rig) {
    for (size_t i = 0; i < rig->problems.n; i++) {
        struct str line = problem_print(&rig->problems.items[i], &rig->arena);
        fprintf(stderr, STR_FMT "\n", STR_ARG(line));
    }
}

static inline void rig_open(struct engine_rig *rig, const char *list) {
    rig_open_as(rig, list, false);
    if (rig->set == NULL) rig_print_problems(rig);
    assert_non_null(rig->set);
}

static inline void rig_close(struct engine_rig *rig) {
    backend_set_unref(rig->set);
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", rig->state_dir);
    assert_int_equal(system(command), 0);
    arena_deinit(&rig->arena);
}

/* -- a sink that keeps what comes: {"columns":…} and then a line for each row -------------------
 */

struct line_sink {
    struct row_sink sink;
    struct buf text;
    size_t n_columns, n_rows, stop_after;
};

static inline void put_row_value(struct json_writer *w, const struct row_value *value) {
    switch (value->kind) {
    case ROW_NULL: json_null(w); return;
    case ROW_BOOL: json_bool(w, value->boolean); return;
    case ROW_INT: json_int(w, value->integer); return;
    case ROW_REAL: json_real(w, value->real); return;
    case ROW_DECIMAL:
    case ROW_JSON: json_raw_value(w, value->text); return;
    case ROW_TEXT:
    case ROW_BYTES: json_text(w, value->text); return;
    }
}

static inline result line_columns(struct row_sink *sink, const struct row_column *columns, size_t n,
                                  struct report *report) {
    struct line_sink *lines = holder_of(sink, struct line_sink, sink);
    (void)report;
    lines->n_columns = n;
    for (size_t i = 0; i < n; i++)
        buf_addf(&lines->text, "%s" STR_FMT ":" STR_FMT, i > 0 ? " " : "", STR_ARG(columns[i].name),
                 STR_ARG(columns[i].type));
    buf_add_byte(&lines->text, '\n');
    return OK;
}

static inline result line_row(struct row_sink *sink, const struct row_value *values, bool *more,
                              struct report *report) {
    struct line_sink *lines = holder_of(sink, struct line_sink, sink);
    (void)report;
    struct json_writer w;
    json_writer_init(&w, &lines->text);
    json_array(&w);
    for (size_t i = 0; i < lines->n_columns; i++) put_row_value(&w, &values[i]);
    json_array_end(&w);
    buf_add_byte(&lines->text, '\n');
    lines->n_rows++;
    if (lines->stop_after > 0 && lines->n_rows >= lines->stop_after) *more = false;
    return OK;
}

static inline void line_sink_init(struct line_sink *lines) {
    *lines = (struct line_sink){.sink = {.columns = line_columns, .row = line_row}};
    buf_init(&lines->text, 64 << 20);
}

struct asked {
    result r;
    struct report report;
    struct run_facts facts;
    size_t n_rows;
    struct str text; /* of the line_sink */
};

static inline struct run_limits limits_ms(int64_t ms) {
    return (struct run_limits){.deadline_mono_ns = clock_mono_ns(&clock_real) + ms * 1000000,
                               .cancel_fd = -1};
}

static inline struct asked ask_within(struct engine_rig *rig, const char *sql,
                                      const struct run_limits *limits, size_t stop_after) {
    struct asked asked = {0};
    struct line_sink lines;
    line_sink_init(&lines);
    lines.stop_after = stop_after;
    asked.r = backend_run(rig->backend, str_of(sql), limits, &lines.sink, &asked.facts, &rig->arena,
                          &asked.report);
    asked.n_rows = lines.n_rows;
    asked.text = str_dup(&rig->arena, buf_flat(&lines.text, &rig->arena));
    buf_deinit(&lines.text);
    return asked;
}

static inline struct asked ask(struct engine_rig *rig, const char *sql) {
    struct run_limits limits = limits_ms(20000);
    return ask_within(rig, sql, &limits, 0);
}

#define assert_answer(rig, sql, expected)                                                          \
    do {                                                                                           \
        struct asked asked_ = ask(rig, sql);                                                       \
        if (asked_.r.why != FAIL_NONE) FAIL_TEST("%s: %s\n", sql, asked_.report.sentence);         \
        const char *text_ = str_cstr(&(rig)->arena, asked_.text);                                  \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

#endif
