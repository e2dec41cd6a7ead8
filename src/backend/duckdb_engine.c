#include "backend/duckdb_engine.h"

#include "backend/duckdb_macros.h"
#include "backend/duckdb_quote.h"
#include "backend/duckdb_value.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"

#include <stdlib.h>

/* -- opening ------------------------------------------------------------------------------------
 */

static void copy_first_line(char *out, size_t size, struct str text) {
    struct str line = str_slice(text, 0, str_find_byte(text, '\n'));
    snprintf(out, size, STR_FMT, STR_ARG(utf8_clip(line, size - 1)));
}

static result engine_failed(struct report *report, const char *what, const char *why) {
    char line[256];
    copy_first_line(line, sizeof line, str_of(why));
    return fail(report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET, "%s: %s", what, line);
}

static result execute(struct engine *engine, const char *sql, const char *what,
                      struct report *report) {
    duckdb_result answer;
    if (sql == NULL) return fail_memory(report);
    result r = OK;
    if (engine->api.query(engine->connection, sql, &answer) != DUCKDB_OK)
        r = engine_failed(report, what, engine->api.result_error(&answer));
    engine->api.destroy_result(&answer);
    return r;
}

static result connect_engine(struct engine *engine, const struct duckdb_setup *setup,
                             struct report *report) {
    char memory[32], threads[16];
    snprintf(memory, sizeof memory, "%lluB", (unsigned long long)setup->memory_limit);
    snprintf(threads, sizeof threads, "%u", setup->threads);
    const char *const settings[][2] = {
        {"threads", threads},
        {"memory_limit", memory},
        {"temp_directory", ""},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
    };
    duckdb_config config;
    if (engine->api.create_config(&config) != DUCKDB_OK) return fail_memory(report);
    result r = OK;
    for (size_t i = 0; i < COUNT(settings) && r.why == FAIL_NONE; i++)
        if (engine->api.set_config(config, settings[i][0], settings[i][1]) != DUCKDB_OK)
            r = engine_failed(report, "DuckDB does not take a setting", settings[i][0]);
    char *why = NULL;
    if (r.why == FAIL_NONE &&
        engine->api.open_ext(":memory:", &engine->database, config, &why) != DUCKDB_OK)
        r = engine_failed(report, "DuckDB cannot be opened", why != NULL ? why : "no reason told");
    engine->api.free(why);
    engine->api.destroy_config(&config);
    if (r.why == FAIL_NONE &&
        engine->api.connect(engine->database, &engine->connection) != DUCKDB_OK)
        r = engine_failed(report, "DuckDB cannot be opened", "no connection");
    return r;
}

/* The tables stand in a catalog beside the one that DuckDB opens by itself, so that the file's name
 * means nothing. */
static result attach(struct engine *engine, const struct duckdb_setup *setup,
                     struct report *report) {
    struct arena *arena = &engine->arena;
    bool is_read_only = setup->database.len > 0 && !setup->is_load;
    struct str path = setup->database.len > 0 ? setup->database : STR(":memory:");
    path = duckdb_literal(path, arena);
    struct str catalog = duckdb_quote(setup->catalog, arena);
    if (path.ptr == NULL || catalog.ptr == NULL) return fail_memory(report);
    struct str sql = str_printf(
        arena, "ATTACH " STR_FMT " AS " STR_FMT "%s; USE " STR_FMT, STR_ARG(path), STR_ARG(catalog),
        is_read_only ? " (TYPE duckdb, READ_ONLY)" : " (TYPE duckdb)", STR_ARG(catalog));
    return execute(engine, sql.ptr, "the database cannot be opened", report);
}

static result run_statements(struct engine *engine, const struct duckdb_setup *setup,
                             struct report *report) {
    for (size_t i = 0; i < setup->statements.n; i++) {
        char what[TABLE_NAME_BYTES_MAX];
        snprintf(what, sizeof what, "table '" STR_FMT "' cannot be loaded",
                 STR_ARG(setup->labels.items[i]));
        const char *sql = str_cstr(&engine->arena, setup->statements.items[i]);
        TRY(execute(engine, sql, what, report));
    }
    return OK;
}

/* It counts how far a query is; nothing prints it. */
static result count_progress(struct engine *engine, struct report *report) {
    return execute(engine,
                   "SET enable_progress_bar_print = false; SET progress_bar_time = 0; "
                   "SET enable_progress_bar = true",
                   "DuckDB does not take a setting", report);
}

/* After this no statement reaches a file, loads code or changes a setting. */
static result lock(struct engine *engine, const struct duckdb_setup *setup, struct report *report) {
    struct str zone = duckdb_literal(setup->timezone, &engine->arena);
    if (zone.ptr == NULL) return fail_memory(report);
    struct str set = str_printf(&engine->arena, "SET GLOBAL TimeZone = " STR_FMT, STR_ARG(zone));
    TRY(execute(engine, set.ptr, "DuckDB does not take the timezone", report));
    for (size_t i = 0; duckdb_macros[i] != NULL; i++)
        TRY(execute(engine, duckdb_macros[i], "a macro cannot be made", report));
    TRY(count_progress(engine, report));
    TRY(execute(engine, "SET enable_external_access = false", "DuckDB cannot be locked", report));
    return execute(engine, "SET lock_configuration = true", "DuckDB cannot be locked", report);
}

result engine_open(struct engine *engine, const struct duckdb_setup *setup, struct report *report) {
    arena_init(&engine->arena, DUCKDB_ANSWER_ARENA_BYTES);
    buf_init(&engine->scratch, WIRE_FRAME_BYTES_MAX);
    engine->prepared = calloc(DUCKDB_PREPARED_MAX, sizeof(struct engine_prepared));
    const char *library = str_cstr(&engine->arena, setup->library);
    if (engine->prepared == NULL || library == NULL) return fail_memory(report);
    TRY(duckdb_api_load(library, &engine->api, report));
    TRY(connect_engine(engine, setup, report));
    TRY(duckdb_api_test(&engine->api, engine->connection, report));
    TRY(execute(engine, "SET disabled_compression_methods = '" DUCKDB_NO_COMPRESSION "'",
                "DuckDB does not take a setting", report));
    TRY(attach(engine, setup, report));
    TRY(run_statements(engine, setup, report));
    if (!setup->is_load) TRY(lock(engine, setup, report));
    arena_reset(&engine->arena);
    return OK;
}

result engine_close(struct engine *engine, const struct duckdb_setup *setup,
                    struct report *report) {
    struct str catalog = duckdb_quote(setup->catalog, &engine->arena);
    if (catalog.ptr == NULL) return fail_memory(report);
    struct str sql =
        str_printf(&engine->arena, "CHECKPOINT " STR_FMT "; USE memory; DETACH " STR_FMT,
                   STR_ARG(catalog), STR_ARG(catalog));
    TRY(execute(engine, sql.ptr, "the database cannot be written", report));
    engine->api.disconnect(&engine->connection);
    engine->api.close(&engine->database);
    return OK;
}

/* -- what was prepared --------------------------------------------------------------------------
 */

static uint64_t hash_of(struct str text) {
    /* The key is no secret: the texts are our own print, and there are few of them. */
    static const uint64_t key[2] = {UINT64_C(0x77656972), UINT64_C(0x6475636b)};
    return siphash13(key, text);
}

static struct engine_prepared *find_prepared(struct engine *engine, struct str sql, uint64_t hash) {
    for (size_t i = 0; i < engine->n_prepared; i++) {
        struct engine_prepared *p = &engine->prepared[i];
        if (p->hash == hash && str_eq((struct str){p->text, p->len}, sql)) return p;
    }
    return NULL;
}

/* A free place, or the one that was not used for longest. */
static struct engine_prepared *place_for(struct engine *engine) {
    if (engine->n_prepared < DUCKDB_PREPARED_MAX) return &engine->prepared[engine->n_prepared++];
    struct engine_prepared *oldest = &engine->prepared[0];
    for (size_t i = 1; i < engine->n_prepared; i++)
        if (engine->prepared[i].used < oldest->used) oldest = &engine->prepared[i];
    engine->api.destroy_prepare(&oldest->statement);
    free(oldest->text);
    return oldest;
}

static void put_engine_error(struct engine *engine, struct wire_out *out, int type,
                             const char *text) {
    enum wire_error error = WIRE_ERROR_ENGINE;
    if (type == DUCKDB_ERROR_INTERRUPT) error = WIRE_ERROR_INTERRUPTED;
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY) error = WIRE_ERROR_MEMORY;
    if (type == DUCKDB_ERROR_FATAL || type == DUCKDB_ERROR_INTERNAL) error = WIRE_ERROR_FATAL;
    /* DuckDB says of the last two that its database can no longer be used; after the first the
     * process holds what it took. */
    engine->must_end = error == WIRE_ERROR_MEMORY || error == WIRE_ERROR_FATAL;
    wire_put_error(out, error, str_of(text));
}

/* Exactly one statement, a SELECT, without parameters. The guard printed nothing else; this is the
 * wall behind it. On refusal the ERROR is put. */
static duckdb_prepared prepare(struct engine *engine, const char *sql, struct wire_out *out) {
    const struct duckdb_api *api = &engine->api;
    duckdb_extracted extracted = NULL;
    duckdb_prepared statement = NULL;
    idx_t n = api->extract_statements(engine->connection, sql, &extracted);
    if (n == 0) {
        const char *why = api->extract_statements_error(extracted);
        if (why != NULL)
            wire_put_error(out, WIRE_ERROR_ENGINE, str_of(why));
        else
            wire_put_error(out, WIRE_ERROR_NOT_SELECT, STR("there is no statement"));
    } else if (n > 1) {
        wire_put_error(out, WIRE_ERROR_NOT_SELECT, STR("there is more than one statement"));
    } else if (api->prepare_extracted_statement(engine->connection, extracted, 0, &statement) !=
               DUCKDB_OK) {
        wire_put_error(out, WIRE_ERROR_ENGINE, str_of(api->prepare_error(statement)));
        api->destroy_prepare(&statement);
    } else if (api->prepared_statement_type(statement) != DUCKDB_STATEMENT_SELECT ||
               api->nparams(statement) > 0) {
        wire_put_error(out, WIRE_ERROR_NOT_SELECT, STR("the statement is no SELECT"));
        api->destroy_prepare(&statement);
    }
    api->destroy_extracted(&extracted);
    return statement;
}

static duckdb_prepared prepared_for(struct engine *engine, uint64_t number, struct str sql,
                                    struct wire_out *out) {
    uint64_t hash = hash_of(sql);
    struct engine_prepared *known = find_prepared(engine, sql, hash);
    if (known == NULL) {
        char *text = malloc(sql.len + 1);
        if (text == NULL || str_find_byte(sql, '\0') < sql.len) {
            wire_put_error(out, WIRE_ERROR_NOT_SELECT, STR("the statement is no text"));
            free(text);
            return NULL;
        }
        memcpy(text, sql.ptr, sql.len);
        text[sql.len] = '\0';
        duckdb_prepared statement = prepare(engine, text, out);
        if (statement == NULL) {
            free(text);
            return NULL;
        }
        if (sql.len > DUCKDB_PREPARED_BYTES_MAX) {
            free(text);
            return engine->too_long = statement;
        }
        known = place_for(engine);
        *known = (struct engine_prepared){
            .text = text, .len = sql.len, .hash = hash, .statement = statement};
    }
    known->used = number;
    return known->statement;
}

/* -- running ------------------------------------------------------------------------------------
 */

struct answer {
    struct engine *engine;
    struct engine_output *output;
    duckdb_result *result;
    size_t n_columns;
    struct value_vector *vectors;
    int64_t engine_ns;
};

static result make_columns(struct answer *a, struct report *report) {
    struct engine *engine = a->engine;
    struct wire_out *out = &a->output->frames;
    a->n_columns = engine->api.column_count(a->result);
    a->vectors = arena_new_array(&engine->arena, a->n_columns, struct value_vector);
    struct value_reader *readers =
        arena_new_array(&engine->arena, a->n_columns, struct value_reader);
    if (a->vectors == NULL || readers == NULL) return fail_memory(report);
    wire_begin(out, WIRE_COLUMNS);
    wire_put_u32(out, (uint32_t)a->n_columns);
    for (size_t i = 0; i < a->n_columns; i++) {
        duckdb_logical type = engine->api.column_logical_type(a->result, i);
        result made = value_reader_make(&engine->api, type, &engine->arena, &readers[i], report);
        engine->api.destroy_logical_type(&type);
        TRY(made);
        TRY(value_vector_make(&readers[i], &engine->arena, &a->vectors[i], report));
        buf_clear(&engine->scratch);
        value_reader_print(&readers[i], &engine->scratch);
        wire_put_text(out, str_of(engine->api.column_name(a->result, i)));
        wire_put_text(out, buf_flat(&engine->scratch, &engine->arena));
    }
    wire_end(out);
    return OK;
}

static bool is_interrupted(struct engine *engine) {
    pthread_mutex_lock(&engine->lock);
    bool answer = engine->interrupted == engine->running;
    pthread_mutex_unlock(&engine->lock);
    return answer;
}

/* Takes the open frame back, so that an error can be told instead. */
static void drop_frame(struct wire_out *out) {
    out->len = out->frame;
    out->failed = false;
}

enum step { STEP_ON, STEP_TOLD, STEP_DEAF }; /* an error was put; nobody listens */

static enum step put_rows(struct answer *a, duckdb_chunk chunk) {
    struct engine *engine = a->engine;
    struct wire_out *out = &a->output->frames;
    idx_t n = engine->api.data_chunk_get_size(chunk);
    for (size_t i = 0; i < a->n_columns; i++)
        value_vector_bind(&engine->api, &a->vectors[i],
                          engine->api.data_chunk_get_vector(chunk, i));
    wire_begin(out, WIRE_ROWS);
    for (idx_t row = 0; row < n; row++) {
        size_t before = out->len;
        for (size_t i = 0; i < a->n_columns; i++)
            value_put(&a->vectors[i], row, out, &engine->scratch);
        if (out->failed && before > out->frame + 8) { /* it may fit a frame of its own */
            out->failed = false;
            out->len = before;
            row--;
        } else if (out->failed) {
            drop_frame(out);
            wire_put_error(out, WIRE_ERROR_ROW_TOO_LARGE, STR_NONE);
            return STEP_TOLD;
        } else if (out->len - out->frame < DUCKDB_FLUSH_BYTES) {
            continue;
        }
        wire_end(out);
        if (!a->output->flush(a->output)) return STEP_DEAF;
        wire_begin(out, WIRE_ROWS);
    }
    wire_end(out);
    return STEP_ON;
}

static int64_t mono_ns(void) {
    return clock_mono_ns(&clock_real);
}

static enum step put_chunks(struct answer *a) {
    struct engine *engine = a->engine;
    for (;;) {
        int64_t begin = mono_ns();
        duckdb_chunk chunk = engine->api.fetch_chunk(*a->result);
        a->engine_ns += mono_ns() - begin;
        if (chunk == NULL) break;
        enum step step = STEP_TOLD;
        if (is_interrupted(engine))
            wire_put_error(&a->output->frames, WIRE_ERROR_INTERRUPTED, STR_NONE);
        else
            step = put_rows(a, chunk);
        engine->api.destroy_data_chunk(&chunk);
        if (step != STEP_ON) return step;
        if (a->output->frames.len >= DUCKDB_FLUSH_BYTES && !a->output->flush(a->output))
            return STEP_DEAF;
    }
    const char *why = engine->api.result_error(a->result);
    if (why == NULL || why[0] == '\0') return STEP_ON;
    put_engine_error(engine, &a->output->frames, engine->api.result_error_type(a->result), why);
    return STEP_TOLD;
}

static enum step run_prepared(struct answer *a, duckdb_prepared statement) {
    struct engine *engine = a->engine;
    struct wire_out *out = &a->output->frames;
    int64_t begin = mono_ns();
    duckdb_state state = engine->api.execute_prepared_streaming(statement, a->result);
    a->engine_ns = mono_ns() - begin;
    if (state != DUCKDB_OK) {
        put_engine_error(engine, out, engine->api.result_error_type(a->result),
                         engine->api.result_error(a->result));
        return STEP_TOLD;
    }
    struct report report = {0};
    if (make_columns(a, &report).why != FAIL_NONE || out->failed) {
        drop_frame(out);
        wire_put_error(out, WIRE_ERROR_ENGINE, str_of(report.sentence));
        return STEP_TOLD;
    }
    enum step step = put_chunks(a);
    if (step != STEP_ON) return step;
    wire_begin(out, WIRE_DONE);
    wire_put_u64(out, (uint64_t)(a->engine_ns / 1000));
    wire_end(out);
    return STEP_ON;
}

static void set_running(struct engine *engine, uint64_t number) {
    pthread_mutex_lock(&engine->lock);
    engine->running = number;
    pthread_mutex_unlock(&engine->lock);
}

bool engine_run(struct engine *engine, uint64_t number, struct str sql,
                struct engine_output *output) {
    set_running(engine, number);
    duckdb_prepared statement = prepared_for(engine, number, sql, &output->frames);
    enum step step = STEP_TOLD;
    if (statement != NULL && is_interrupted(engine)) {
        wire_put_error(&output->frames, WIRE_ERROR_INTERRUPTED, STR_NONE);
    } else if (statement != NULL) {
        duckdb_result answer;
        struct answer a = {.engine = engine, .output = output, .result = &answer};
        step = run_prepared(&a, statement);
        engine->api.destroy_result(&answer);
    }
    if (engine->too_long != NULL) engine->api.destroy_prepare(&engine->too_long);
    set_running(engine, 0);
    arena_reset(&engine->arena);
    buf_clear(&engine->scratch);
    return step != STEP_DEAF && output->flush(output);
}

void engine_interrupt(struct engine *engine, uint64_t number) {
    pthread_mutex_lock(&engine->lock);
    engine->interrupted = number;
    if (engine->running == number && number != 0) engine->api.interrupt(engine->connection);
    pthread_mutex_unlock(&engine->lock);
}

bool engine_progress(struct engine *engine, uint64_t number, uint8_t *percent) {
    double told = -1;
    pthread_mutex_lock(&engine->lock);
    if (engine->running == number && number != 0)
        told = engine->api.query_progress(engine->connection).percentage;
    pthread_mutex_unlock(&engine->lock);
    if (!(told >= 0 && told <= 100)) return false;
    *percent = (uint8_t)told;
    return true;
}
