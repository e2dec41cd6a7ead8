#include "store/sqlite_inner.h"

/* -- the pool --------------------------------------------------------------------------------- */

/* One that is open before one that would have to be opened. With the lock. */
static struct sqlite_reader *find_free(struct sqlite_store *store) {
    struct sqlite_reader *closed = NULL;
    for (size_t i = 0; i < STORE_READERS; i++) {
        struct sqlite_reader *reader = &store->readers[i];
        if (!reader->is_taken && reader->is_open) return reader;
        if (!reader->is_taken && closed == NULL) closed = reader;
    }
    return closed;
}

static void give_back(struct sqlite_store *store, struct sqlite_reader *reader) {
    pthread_mutex_lock(&store->lock);
    reader->is_taken = false;
    pthread_cond_signal(&store->returned);
    pthread_mutex_unlock(&store->lock);
}

static result take(struct sqlite_store *store, struct sqlite_reader **out) {
    pthread_mutex_lock(&store->lock);
    while ((*out = find_free(store)) == NULL) pthread_cond_wait(&store->returned, &store->lock);
    (*out)->is_taken = true;
    pthread_mutex_unlock(&store->lock);
    if ((*out)->is_open) return OK;
    struct sqlite_db *db = &(*out)->db;
    result r = sqlite_db_open_reader(db, store->path, store->writer.db.wait_ms);
    (*out)->is_open = r.why == FAIL_NONE;
    return r;
}

void sqlite_readers_close(struct sqlite_store *store) {
    for (size_t i = 0; i < STORE_READERS; i++) sqlite_db_close(&store->readers[i].db);
}

/* -- one look --------------------------------------------------------------------------------- */

struct look {
    result (*run)(struct sqlite_db *db, struct look *look);
    struct sqlite_store *store;
    struct str name;
    struct arena *arena;
    struct store_value *value;
    struct store_events *events;
    uint64_t after;
    size_t max;
    int64_t numbers[2];
};

/* A failed reader is closed, so that the next look begins with a new one. */
static result look_by(struct sqlite_store *store, struct look *look, struct report *report) {
    struct sqlite_reader *reader;
    result r = take(store, &reader);
    if (r.why == FAIL_NONE) {
        reader->db.error = 0;
        r = look->run(&reader->db, look);
    }
    result told = r.why == FAIL_NONE ? OK
                                     : sqlite_fail(store, r.why, reader->db.error,
                                                   reader->db.system_error, report);
    if (r.why == FAIL_IO || reader->db.error != 0) {
        sqlite_rollback(&reader->db);
        sqlite_db_close(&reader->db);
        reader->is_open = false;
    }
    give_back(store, reader);
    return told;
}

static result look_in_memory(struct sqlite_store *store, struct look *look, struct report *report) {
    struct sqlite_db *db = &store->writer.db;
    pthread_mutex_lock(&store->memory);
    db->error = 0;
    result r = look->run(db, look);
    if (r.why != FAIL_NONE) r = sqlite_fail(store, r.why, db->error, db->system_error, report);
    if (db->error != 0) sqlite_rollback(db);
    db->error = 0;
    pthread_mutex_unlock(&store->memory);
    return r;
}

static result look_at(struct store *store, struct look *look, struct report *report) {
    look->store = sqlite_of(store);
    return look->store->path != NULL ? look_by(look->store, look, report)
                                     : look_in_memory(look->store, look, report);
}

/* -- entries ---------------------------------------------------------------------------------- */

static result run_get(struct sqlite_db *db, struct look *look) {
    bool is_row;
    result r = OK;
    sqlite3_stmt *get;
    TRY(sqlite_find(db, SQL_ENTRY_GET, look->name, &get, &is_row));
    int64_t expires = sqlite3_column_int64(get, 2);
    if (is_row && expires > clock_wall_ms(look->store->clock)) {
        struct store_value found = {.version = (uint64_t)sqlite3_column_int64(get, 1),
                                    .expires_ms = expires};
        r = sqlite_bytes(get, 3, look->arena, &found.bytes);
        if (r.why == FAIL_NONE) *look->value = found;
    }
    sqlite_end(get);
    return r;
}

result sqlite_get(struct store *store, struct str key, struct arena *arena, struct store_value *out,
                  struct report *report) {
    struct look look = {.run = run_get, .name = key, .arena = arena, .value = out};
    return look_at(store, &look, report);
}

/* -- logs ------------------------------------------------------------------------------------- */

/* *id is 0 when there is no such log, or it has expired. */
static result find_log(struct sqlite_db *db, struct look *look, int64_t *id) {
    bool is_row;
    sqlite3_stmt *find;
    TRY(sqlite_find(db, SQL_LOG_FIND, look->name, &find, &is_row));
    bool is_live = is_row && sqlite3_column_int64(find, 3) > clock_wall_ms(look->store->clock);
    *id = is_live ? sqlite3_column_int64(find, 0) : 0;
    if (is_live) {
        look->events->first = (uint64_t)sqlite3_column_int64(find, 1);
        look->events->last = (uint64_t)sqlite3_column_int64(find, 2);
    }
    sqlite_end(find);
    return OK;
}

static result copy_event(struct sqlite_db *db, sqlite3_stmt *read, struct look *look, size_t *cap,
                         size_t *bytes, bool *is_more) {
    TRY(sqlite_row(db, read, is_more));
    if (!*is_more) return OK;
    struct store_events *events = look->events;
    *bytes += (size_t)sqlite3_column_bytes(read, 1);
    *is_more = events->n == 0 || *bytes <= (size_t)STORE_READ_BYTES_MAX;
    if (!*is_more) return OK;
    struct store_event *event = ARENA_PUSH(look->arena, events->items, events->n, *cap);
    if (event == NULL) return (result){FAIL_MEMORY};
    event->sequence = (uint64_t)sqlite3_column_int64(read, 0);
    return sqlite_bytes(read, 1, look->arena, &event->value);
}

static result copy_events(struct sqlite_db *db, struct look *look, int64_t log) {
    size_t cap = 0, bytes = 0;
    uint64_t after = look->after >= look->events->first ? look->after : look->events->first - 1;
    sqlite3_stmt *read = sqlite_start(db, SQL_EVENT_READ);
    sqlite3_bind_int64(read, 1, log);
    sqlite3_bind_int64(read, 2, after > INT64_MAX ? INT64_MAX : (int64_t)after);
    result r = OK;
    for (bool is_more = true; r.why == FAIL_NONE && is_more && look->events->n < look->max;)
        r = copy_event(db, read, look, &cap, &bytes, &is_more);
    sqlite_end(read);
    return r;
}

static result run_read(struct sqlite_db *db, struct look *look) {
    int64_t log;
    *look->events = (struct store_events){0};
    TRY(sqlite_run(db, sqlite_start(db, SQL_BEGIN_READ))); /* one moment for both */
    result r = find_log(db, look, &log);
    if (r.why == FAIL_NONE && log != 0) r = copy_events(db, look, log);
    if (r.why == FAIL_NONE) return sqlite_run(db, sqlite_start(db, SQL_COMMIT));
    sqlite_rollback(db);
    return r;
}

result sqlite_read(struct store *store, struct str log, uint64_t after, size_t max,
                   struct arena *arena, struct store_events *out, struct report *report) {
    struct look look = {
        .run = run_read, .name = log, .after = after, .max = max, .arena = arena, .events = out};
    result r = look_at(store, &look, report);
    if (r.why != FAIL_NONE) *out = (struct store_events){0};
    return r;
}

/* -- the whole -------------------------------------------------------------------------------- */

static result run_sums(struct sqlite_db *db, struct look *look) {
    bool is_row;
    sqlite3_stmt *sums = sqlite_start(db, SQL_SUMS_GET);
    TRY(sqlite_row(db, sums, &is_row));
    for (int i = 0; i < 2; i++) look->numbers[i] = sqlite3_column_int64(sums, i);
    sqlite_end(sums);
    return OK;
}

result sqlite_tide(struct store *store, uint64_t *tide, struct report *report) {
    struct look look = {.run = run_sums};
    TRY(look_at(store, &look, report));
    *tide = (uint64_t)look.numbers[0];
    return OK;
}

result sqlite_usage(struct store *store, struct store_usage *out, struct report *report) {
    struct look look = {.run = run_sums};
    TRY(look_at(store, &look, report));
    *out = (struct store_usage){look.numbers[1], sqlite_of(store)->writer.max_bytes};
    return OK;
}

static result run_next_expiry(struct sqlite_db *db, struct look *look) {
    bool is_row;
    sqlite3_stmt *next = sqlite_start(db, SQL_NEXT_EXPIRY);
    TRY(sqlite_row(db, next, &is_row));
    bool is_none = sqlite3_column_type(next, 0) == SQLITE_NULL;
    look->numbers[0] = is_none ? STORE_FOREVER : sqlite3_column_int64(next, 0);
    sqlite_end(next);
    return OK;
}

result sqlite_next_expiry(struct sqlite_store *store, int64_t *out) {
    struct look look = {.run = run_next_expiry};
    TRY(look_at(&store->store, &look, NULL));
    *out = look.numbers[0];
    return OK;
}
