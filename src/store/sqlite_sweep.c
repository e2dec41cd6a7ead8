#include "base/limits.h"
#include "store/sqlite_write.h"

/* Runs a DELETE whose rows tell the lengths of what went; gives their bytes back. */
static result delete_rows(struct sqlite_transaction *t, sqlite3_stmt *statement, size_t *n) {
    for (bool is_row = true; is_row;) {
        TRY(sqlite_row(t->db, statement, &is_row));
        if (!is_row) break;
        TRY(sqlite_grow(t, -sqlite3_column_int64(statement, 0) - STORE_ENTRY_BYTES));
        ++*n;
    }
    sqlite_end(statement);
    return OK;
}

static result sweep_rows(struct sqlite_transaction *t, enum sqlite_text text, int64_t now,
                         size_t *n) {
    sqlite3_stmt *sweep = sqlite_start(t->db, text);
    sqlite3_bind_int64(sweep, 1, now);
    sqlite3_bind_int64(sweep, 2, STORE_SWEEP_MAX);
    return delete_rows(t, sweep, n);
}

result sqlite_trim(struct sqlite_transaction *t, int64_t log, uint64_t sequence, size_t max,
                   size_t *n) {
    sqlite3_stmt *trim = sqlite_start(t->db, SQL_EVENT_TRIM);
    *n = 0;
    sqlite3_bind_int64(trim, 1, log);
    sqlite3_bind_int64(trim, 2, sequence > INT64_MAX ? INT64_MAX : (int64_t)sequence);
    sqlite3_bind_int64(trim, 3, (int64_t)max);
    return delete_rows(t, trim, n);
}

result sqlite_detach(struct sqlite_transaction *t, int64_t log, size_t name_len) {
    sqlite3_stmt *detach = sqlite_start(t->db, SQL_LOG_DETACH);
    sqlite3_bind_int64(detach, 1, log);
    TRY(sqlite_run(t->db, detach));
    return sqlite_grow(t, -(int64_t)name_len);
}

static result delete_log(struct sqlite_transaction *t, int64_t log) {
    sqlite3_stmt *delete = sqlite_start(t->db, SQL_LOG_DELETE);
    sqlite3_bind_int64(delete, 1, log);
    TRY(sqlite_run(t->db, delete));
    return sqlite_grow(t, -STORE_ENTRY_BYTES);
}

/* The log or window that expired first; false: there is none. */
static result find_expired(struct sqlite_transaction *t, enum sqlite_text text, int64_t now,
                           int64_t *id, size_t *name_len, bool *is_there) {
    sqlite3_stmt *find = sqlite_start(t->db, text);
    sqlite3_bind_int64(find, 1, now);
    TRY(sqlite_row(t->db, find, is_there));
    *id = sqlite3_column_int64(find, 0);
    *name_len = (size_t)sqlite3_column_int64(find, 1); /* NULL, of one without a name, is 0 */
    sqlite_end(find);
    return OK;
}

/* First its name, so that a clock that is set back cannot bring half a log back to life. */
static result sweep_logs(struct sqlite_transaction *t, int64_t now, size_t *n) {
    for (size_t budget = STORE_SWEEP_MAX; budget > 0;) {
        int64_t log;
        size_t name_len, n_events;
        bool is_there;
        TRY(find_expired(t, SQL_LOG_EXPIRED, now, &log, &name_len, &is_there));
        if (!is_there) return OK;
        TRY(sqlite_detach(t, log, name_len));
        TRY(sqlite_trim(t, log, INT64_MAX, budget, &n_events));
        bool is_empty = n_events < budget;
        if (is_empty) TRY(delete_log(t, log));
        *n += n_events + (is_empty ? 1 : 0);
        budget -= is_empty ? n_events + 1 : n_events;
    }
    return OK;
}

result sqlite_forget(struct sqlite_transaction *t, int64_t window, int64_t at, size_t max,
                     size_t *n_rows, int64_t *n) {
    sqlite3_stmt *trim = sqlite_start(t->db, SQL_HIT_TRIM);
    sqlite3_bind_int64(trim, 1, window);
    sqlite3_bind_int64(trim, 2, at);
    sqlite3_bind_int64(trim, 3, (int64_t)max);
    *n_rows = 0;
    *n = 0;
    for (bool is_row = true;; ++*n_rows) {
        TRY(sqlite_row(t->db, trim, &is_row));
        if (!is_row) break;
        *n += sqlite3_column_int64(trim, 0);
    }
    sqlite_end(trim);
    return sqlite_grow(t, -*n * STORE_HIT_BYTES);
}

static result delete_window(struct sqlite_transaction *t, int64_t window, size_t key_len) {
    sqlite3_stmt *delete = sqlite_start(t->db, SQL_WINDOW_DELETE);
    sqlite3_bind_int64(delete, 1, window);
    TRY(sqlite_run(t->db, delete));
    return sqlite_grow(t, -(int64_t)key_len - STORE_ENTRY_BYTES);
}

/* Nothing counts any more in a window that has expired. */
static result sweep_windows(struct sqlite_transaction *t, int64_t now, size_t *n) {
    for (size_t budget = STORE_SWEEP_MAX; budget > 0;) {
        int64_t window, n_calls;
        size_t key_len, n_rows;
        bool is_there;
        TRY(find_expired(t, SQL_WINDOW_EXPIRED, now, &window, &key_len, &is_there));
        if (!is_there) return OK;
        TRY(sqlite_forget(t, window, INT64_MAX, budget, &n_rows, &n_calls));
        bool is_empty = n_rows < budget;
        if (is_empty) TRY(delete_window(t, window, key_len));
        *n += n_rows + (is_empty ? 1 : 0);
        budget -= is_empty ? n_rows + 1 : n_rows;
    }
    return OK;
}

result sqlite_sweep(struct sqlite_transaction *t, size_t *n) {
    int64_t now = clock_wall_ms(t->clock);
    *n = 0;
    TRY(sweep_rows(t, SQL_ENTRY_SWEEP, now, n));
    TRY(sweep_rows(t, SQL_COUNTER_SWEEP, now, n));
    TRY(sweep_rows(t, SQL_PLACE_SWEEP, now, n));
    TRY(sweep_windows(t, now, n));
    return sweep_logs(t, now, n);
}
