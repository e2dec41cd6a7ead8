#include "store/sqlite_write.h"

#include "base/limits.h"

enum { SWEEPS_FOR_ROOM = 8 }; /* the others of the group wait for them, too */

void sqlite_writer_init(struct sqlite_writer *writer, const struct clock *clock,
                        int64_t max_bytes) {
    pthread_mutex_init(&writer->lock, NULL);
    list_init(&writer->queue);
    writer->clock = clock;
    writer->max_bytes = max_bytes;
}

void sqlite_writer_deinit(struct sqlite_writer *writer) {
    sqlite_db_close(&writer->db);
    pthread_mutex_destroy(&writer->lock);
}

int sqlite_writer_error(struct sqlite_writer *writer, int *system_error) {
    pthread_mutex_lock(&writer->lock);
    int error = writer->error;
    *system_error = writer->system_error;
    pthread_mutex_unlock(&writer->lock);
    return error;
}

/* -- what runs may ask ------------------------------------------------------------------------ */

uint64_t sqlite_next_version(struct sqlite_transaction *transaction) {
    transaction->is_changed = true;
    return (uint64_t)++transaction->tide;
}

result sqlite_grow(struct sqlite_transaction *transaction, int64_t grown) {
    if (grown > 0 && transaction->bytes + grown > transaction->max_bytes)
        return (result){FAIL_LIMIT};
    transaction->bytes += grown;
    transaction->is_changed = transaction->is_changed || grown != 0;
    return OK;
}

/* -- one transaction -------------------------------------------------------------------------- */

static result begin(struct sqlite_writer *writer, struct sqlite_transaction *t) {
    bool is_row;
    *t = (struct sqlite_transaction){
        .db = &writer->db, .clock = writer->clock, .max_bytes = writer->max_bytes};
    TRY(sqlite_run(t->db, sqlite_start(t->db, SQL_BEGIN)));
    sqlite3_stmt *sums = sqlite_start(t->db, SQL_SUMS_GET);
    TRY(sqlite_row(t->db, sums, &is_row));
    t->tide = sqlite3_column_int64(sums, 0);
    t->bytes = sqlite3_column_int64(sums, 1);
    sqlite_end(sums);
    return OK;
}

static result commit(struct sqlite_transaction *t) {
    if (t->is_changed) {
        sqlite3_stmt *sums = sqlite_start(t->db, SQL_SUMS_SET);
        sqlite3_bind_int64(sums, 1, t->tide);
        sqlite3_bind_int64(sums, 2, t->bytes);
        TRY(sqlite_run(t->db, sums));
    }
    return sqlite_run(t->db, sqlite_start(t->db, SQL_COMMIT));
}

static result sweep_if_due(struct sqlite_writer *writer, struct sqlite_transaction *t) {
    int64_t now = clock_wall_ms(writer->clock), since = now - writer->swept_ms;
    size_t n;
    if (since >= 0 && since < STORE_SWEEP_MS) return OK; /* below 0: the clock was set back */
    TRY(sqlite_sweep(t, &n));
    writer->swept_ms = now;
    return OK;
}

/* What has expired but was not swept yet makes room first. */
static result run(struct sqlite_transaction *t, struct sqlite_write *write) {
    size_t n_swept = 1;
    result r = write->run(t, write);
    for (int n = 0; r.why == FAIL_LIMIT && n_swept > 0 && n < SWEEPS_FOR_ROOM; n++) {
        TRY(sqlite_sweep(t, &n_swept));
        r = write->run(t, write);
    }
    return r;
}

static result run_all(struct sqlite_writer *writer, struct sqlite_transaction *t,
                      struct sqlite_write *const *writes, size_t n) {
    TRY(sweep_if_due(writer, t));
    for (size_t i = 0; i < n; i++) {
        result r = run(t, writes[i]);
        if (writer->db.error != 0) return r; /* of a statement: who knows what was done */
        writes[i]->why = r.why;
    }
    return commit(t);
}

/* All of them or none. *has_begun tells a transaction that broke from one that nobody let begin. */
static result attempt(struct sqlite_writer *writer, struct sqlite_write *const *writes, size_t n,
                      bool *has_begun) {
    struct sqlite_transaction t;
    writer->db.error = writer->db.system_error = 0;
    result r = begin(writer, &t);
    *has_begun = r.why == FAIL_NONE;
    if (r.why == FAIL_NONE) r = run_all(writer, &t, writes, n);
    if (r.why == FAIL_NONE) return OK;
    sqlite_rollback(&writer->db);
    writer->swept_ms = 0;
    for (size_t i = 0; i < n; i++) {
        writes[i]->why = r.why;
        writes[i]->error = writer->db.error;
        writes[i]->system_error = writer->db.system_error;
    }
    return r;
}

static void write_all(struct sqlite_writer *writer, struct sqlite_write *const *writes, size_t n,
                      int *error, int *system_error) {
    bool has_begun;
    if (writer->sharing != NULL) pthread_mutex_lock(writer->sharing);
    result r = attempt(writer, writes, n, &has_begun);
    for (size_t i = 0; r.why != FAIL_NONE && has_begun && n > 1 && i < n; i++) {
        bool unasked;
        result alone = attempt(writer, &writes[i], 1, &unasked);
        writes[i]->why = alone.why != FAIL_NONE ? alone.why : writes[i]->why;
    }
    *error = writer->db.error;
    *system_error = writer->db.system_error;
    if (writer->sharing != NULL) pthread_mutex_unlock(writer->sharing);
}

/* -- the queue -------------------------------------------------------------------------------- */

/* They stay in the queue, so that who comes meanwhile waits behind them. */
static size_t gather(const struct sqlite_writer *writer, struct sqlite_write **writes) {
    size_t n = 0, bytes = 0;
    for (struct link *at = writer->queue.next; at != &writer->queue && n < STORE_GROUP_MAX;
         at = at->next) {
        struct sqlite_write *write = holder_of(at, struct sqlite_write, queued);
        bytes += write->bytes;
        if (n > 0 && bytes > (size_t)STORE_GROUP_BYTES) break;
        writes[n++] = write;
    }
    return n;
}

/* With the lock, which is given up while the writes run. */
static void lead(struct sqlite_writer *writer) {
    struct sqlite_write *writes[STORE_GROUP_MAX];
    size_t n = gather(writer, writes);
    int error, system_error;
    pthread_mutex_unlock(&writer->lock);
    write_all(writer, writes, n, &error, &system_error);
    pthread_mutex_lock(&writer->lock);
    writer->error = error;
    writer->system_error = system_error;
    for (size_t i = 0; i < n; i++) {
        list_leave(&writes[i]->queued);
        writes[i]->is_done = true;
        pthread_cond_signal(&writes[i]->turn);
    }
    if (!list_empty(&writer->queue))
        pthread_cond_signal(&holder_of(writer->queue.next, struct sqlite_write, queued)->turn);
}

result sqlite_writer_do(struct sqlite_writer *writer, struct sqlite_write *write) {
    pthread_cond_init(&write->turn, NULL);
    pthread_mutex_lock(&writer->lock);
    list_add_last(&writer->queue, &write->queued);
    while (!write->is_done && writer->queue.next != &write->queued)
        pthread_cond_wait(&write->turn, &writer->lock);
    if (!write->is_done) lead(writer);
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_destroy(&write->turn);
    return (result){write->why};
}
