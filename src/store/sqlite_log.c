#include "store/sqlite_inner.h"

struct log {
    int64_t id; /* 0: there is no row */
    uint64_t first, last;
    bool is_live;
};

static result find_log(struct sqlite_transaction *t, struct str name, struct log *out) {
    bool is_row;
    sqlite3_stmt *find;
    *out = (struct log){0};
    TRY(sqlite_find(t->db, SQL_LOG_FIND, name, &find, &is_row));
    if (is_row)
        *out = (struct log){.id = sqlite3_column_int64(find, 0),
                            .first = (uint64_t)sqlite3_column_int64(find, 1),
                            .last = (uint64_t)sqlite3_column_int64(find, 2),
                            .is_live = sqlite3_column_int64(find, 3) > clock_wall_ms(t->clock)};
    sqlite_end(find);
    return OK;
}

/* -- append ----------------------------------------------------------------------------------- */

struct append {
    struct sqlite_write write;
    const struct store_append *append;
    uint64_t sequence;
};

static result is_guarded(struct sqlite_transaction *t, const struct store_append *append,
                         bool *may) {
    struct sqlite_entry guard;
    *may = true;
    if (append->guard.len == 0) return OK;
    TRY(sqlite_find_entry(t, append->guard, &guard));
    *may = guard.version == append->guard_version;
    return OK;
}

/* A new row; of one that has expired only the events stay, until they are swept. */
static result make_log(struct sqlite_transaction *t, const struct store_append *append,
                       struct log *log) {
    if (log->id != 0) TRY(sqlite_detach(t, log->id, append->log.len));
    sqlite3_stmt *insert = sqlite_start(t->db, SQL_LOG_INSERT);
    sqlite_bind(insert, 1, append->log);
    sqlite3_bind_int64(insert, 2, sqlite_end_of(t->clock, append->ttl_ms));
    TRY(sqlite_run(t->db, insert));
    *log = (struct log){.id = sqlite3_last_insert_rowid(t->db->handle), .first = 1};
    return OK;
}

/* Old events beyond what is kept are gone for readers at once, and from the file step by step. */
static result update_log(struct sqlite_transaction *t, const struct store_append *append,
                         struct log *log) {
    size_t n;
    if (append->keep > 0 && log->last >= append->keep) {
        uint64_t first = log->last - append->keep + 1;
        if (first > log->first) log->first = first;
        TRY(sqlite_trim(t, log->id, log->first, STORE_SWEEP_MAX, &n));
    }
    sqlite3_stmt *update = sqlite_start(t->db, SQL_LOG_UPDATE);
    sqlite3_bind_int64(update, 1, log->id);
    sqlite3_bind_int64(update, 2, (int64_t)log->first);
    sqlite3_bind_int64(update, 3, (int64_t)log->last);
    sqlite3_bind_int64(update, 4, sqlite_end_of(t->clock, append->ttl_ms));
    return sqlite_run(t->db, update);
}

static result insert_event(struct sqlite_transaction *t, const struct log *log, struct str value) {
    sqlite3_stmt *insert = sqlite_start(t->db, SQL_EVENT_INSERT);
    sqlite3_bind_int64(insert, 1, log->id);
    sqlite3_bind_int64(insert, 2, (int64_t)log->last);
    sqlite_bind(insert, 3, value);
    return sqlite_run(t->db, insert);
}

static result run_append(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct append *a = holder_of(write, struct append, write);
    struct log log;
    bool may;
    a->sequence = 0;
    TRY(is_guarded(t, a->append, &may));
    if (!may) return OK;
    TRY(find_log(t, a->append->log, &log));
    int64_t grown = (int64_t)a->append->value.len + STORE_ENTRY_BYTES;
    if (!log.is_live) grown += (int64_t)a->append->log.len + STORE_ENTRY_BYTES;
    TRY(sqlite_grow(t, grown));
    if (!log.is_live) TRY(make_log(t, a->append, &log));
    log.last++;
    TRY(insert_event(t, &log, a->append->value));
    TRY(update_log(t, a->append, &log));
    (void)sqlite_next_version(t);
    a->sequence = log.last;
    return OK;
}

result sqlite_append(struct store *store, const struct store_append *append, uint64_t *sequence,
                     struct report *report) {
    struct append a = {.write = {.run = run_append, .bytes = append->log.len + append->value.len},
                       .append = append};
    TRY(sqlite_write(sqlite_of(store), &a.write, report));
    *sequence = a.sequence;
    return OK;
}

/* -- drop ------------------------------------------------------------------------------------- */

struct drop {
    struct sqlite_write write;
    struct str log;
    bool was_there;
};

static result run_drop(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct drop *drop = holder_of(write, struct drop, write);
    struct log log;
    TRY(find_log(t, drop->log, &log));
    drop->was_there = log.is_live;
    if (!log.is_live) return OK;
    (void)sqlite_next_version(t);
    return sqlite_detach(t, log.id, drop->log.len);
}

result sqlite_drop(struct store *store, struct str log, bool *was_there, struct report *report) {
    struct drop drop = {.write = {.run = run_drop}, .log = log};
    TRY(sqlite_write(sqlite_of(store), &drop.write, report));
    *was_there = drop.was_there;
    return OK;
}
