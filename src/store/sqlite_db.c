#include "store/sqlite_db.h"

#include "base/fault.h"
#include "base/limits.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x77656972, /* "weir", in the file's head */
    SCHEMA_VERSION = 2,
    NS_PER_MS = 1000000,
    BUSY_NAP_NS = 500000 /* commits of others take about as long */
};

/* Values stand last in their rows, so that what is asked without them is read without them. `bytes`
 * is the sum of what STORE_ENTRY_BYTES speaks of; `tide` the last version or change. */
static const char schema_1[] =
    "CREATE TABLE sums(id INTEGER PRIMARY KEY CHECK(id = 1), tide INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "INSERT INTO sums VALUES(1, 0, 0);"
    "CREATE TABLE entry(id INTEGER PRIMARY KEY, version INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL);"
    "CREATE INDEX entry_expires ON entry(expires) WHERE expires < 9223372036854775807;"
    "CREATE TABLE log(id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, name BLOB UNIQUE);"
    "CREATE INDEX log_expires ON log(expires) WHERE expires < 9223372036854775807;"
    "CREATE TABLE event(log INTEGER NOT NULL, sequence INTEGER NOT NULL, value BLOB NOT NULL,"
    " UNIQUE(log, sequence));"
    "CREATE TABLE counter(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " key BLOB NOT NULL UNIQUE);"
    "CREATE INDEX counter_expires ON counter(expires) WHERE expires < 9223372036854775807;"
    "PRAGMA application_id = 0x77656972;"
    "PRAGMA user_version = 1;";

/* `n` of a window is the sum over its hits, which are what was admitted in one millisecond. */
static const char schema_2[] =
    "CREATE TABLE window(id INTEGER PRIMARY KEY, n INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " span INTEGER NOT NULL, key BLOB NOT NULL, UNIQUE(key, span));"
    "CREATE INDEX window_expires ON window(expires);"
    "CREATE TABLE hit(window INTEGER NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(window, at)) WITHOUT ROWID;"
    "CREATE TABLE place(id INTEGER PRIMARY KEY, expires INTEGER NOT NULL, key BLOB NOT NULL,"
    " member BLOB NOT NULL, UNIQUE(key, member));"
    "CREATE INDEX place_expires ON place(expires) WHERE expires < 9223372036854775807;"
    "PRAGMA user_version = 2;";

/* Each adds to those before, so that a file of an older version is brought up where it lies, also
 * while an older Weir still has it open. */
static const char *const schemas[SCHEMA_VERSION] = {schema_1, schema_2};

/* NORMAL: a commit is safe when the process is killed; of power that is lost it says that the file
 * stays whole and the last commits may be missing. */
static const char settings[] = "PRAGMA synchronous = NORMAL;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cache_size = -512;"
                               "PRAGMA journal_size_limit = 67108864;";

#define FINITE "9223372036854775807"
static const char *const texts[SQL_TEXT_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_SUMS_GET] = "SELECT tide, bytes FROM sums",
    [SQL_SUMS_SET] = "UPDATE sums SET tide = ?1, bytes = ?2",

    [SQL_ENTRY_FIND] = "SELECT id, version, expires, length(value) FROM entry WHERE key = ?1",
    [SQL_ENTRY_GET] = "SELECT id, version, expires, value FROM entry WHERE key = ?1",
    [SQL_ENTRY_INSERT] = "INSERT INTO entry(version, expires, key, value) VALUES(?2, ?3, ?1, ?4)",
    [SQL_ENTRY_UPDATE] = "UPDATE entry SET version = ?2, expires = ?3, value = ?4 WHERE key = ?1",
    [SQL_ENTRY_TOUCH] = "UPDATE entry SET expires = ?2 WHERE id = ?1",
    [SQL_ENTRY_DELETE] = "DELETE FROM entry WHERE id = ?1",
    [SQL_ENTRY_SWEEP] = "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE expires <= ?1 "
                        "AND expires < " FINITE " ORDER BY expires LIMIT ?2) "
                        "RETURNING length(key) + length(value)",

    [SQL_LOG_FIND] = "SELECT id, first, last, expires FROM log WHERE name = ?1",
    [SQL_LOG_INSERT] = "INSERT INTO log(first, last, expires, name) VALUES(1, 0, ?2, ?1)",
    [SQL_LOG_UPDATE] = "UPDATE log SET first = ?2, last = ?3, expires = ?4 WHERE id = ?1",
    [SQL_LOG_DETACH] = "UPDATE log SET name = NULL, expires = 0 WHERE id = ?1",
    [SQL_LOG_EXPIRED] = "SELECT id, length(name) FROM log WHERE expires <= ?1 "
                        "AND expires < " FINITE " ORDER BY expires LIMIT 1",
    [SQL_LOG_DELETE] = "DELETE FROM log WHERE id = ?1",

    [SQL_EVENT_INSERT] = "INSERT INTO event(log, sequence, value) VALUES(?1, ?2, ?3)",
    [SQL_EVENT_READ] = "SELECT sequence, value FROM event WHERE log = ?1 AND sequence > ?2 "
                       "ORDER BY sequence",
    [SQL_EVENT_TRIM] = "DELETE FROM event WHERE rowid IN (SELECT rowid FROM event WHERE log = ?1 "
                       "AND sequence < ?2 ORDER BY sequence LIMIT ?3) RETURNING length(value)",

    [SQL_COUNTER_FIND] = "SELECT id, sum, expires FROM counter WHERE key = ?1",
    [SQL_COUNTER_INSERT] = "INSERT INTO counter(sum, expires, key) VALUES(?2, ?3, ?1)",
    [SQL_COUNTER_UPDATE] = "UPDATE counter SET sum = ?2 WHERE id = ?1",
    [SQL_COUNTER_DELETE] = "DELETE FROM counter WHERE id = ?1",
    [SQL_COUNTER_SWEEP] = "DELETE FROM counter WHERE id IN (SELECT id FROM counter "
                          "WHERE expires <= ?1 AND expires < " FINITE
                          " ORDER BY expires LIMIT ?2) RETURNING length(key)",

    [SQL_WINDOW_FIND] = "SELECT id, n FROM window WHERE key = ?1 AND span = ?2",
    [SQL_WINDOW_INSERT] = "INSERT INTO window(n, expires, span, key) VALUES(0, ?3, ?2, ?1)",
    [SQL_WINDOW_UPDATE] = "UPDATE window SET n = ?2, expires = max(expires, ?3) WHERE id = ?1",
    [SQL_WINDOW_EXPIRED] = "SELECT id, length(key) FROM window WHERE expires <= ?1 "
                           "ORDER BY expires LIMIT 1",
    [SQL_WINDOW_DELETE] = "DELETE FROM window WHERE id = ?1",
    [SQL_HIT_ADD] = "INSERT INTO hit(window, at, n) VALUES(?1, ?2, 1) "
                    "ON CONFLICT DO UPDATE SET n = n + 1",
    [SQL_HIT_READ] = "SELECT at, n FROM hit WHERE window = ?1 ORDER BY at",
    [SQL_HIT_TRIM] = "DELETE FROM hit WHERE window = ?1 AND at IN (SELECT at FROM hit "
                     "WHERE window = ?1 AND at <= ?2 ORDER BY at LIMIT ?3) RETURNING n",

    [SQL_PLACE_FIND] = "SELECT id, expires FROM place WHERE key = ?1 AND member = ?2",
    [SQL_PLACE_COUNT] = "SELECT count(*) FROM place WHERE key = ?1 AND expires > ?2",
    [SQL_PLACE_INSERT] = "INSERT INTO place(expires, key, member) VALUES(?3, ?1, ?2)",
    [SQL_PLACE_TOUCH] = "UPDATE place SET expires = ?2 WHERE id = ?1",
    [SQL_PLACE_DELETE] = "DELETE FROM place WHERE id = ?1",
    [SQL_PLACE_SWEEP] = "DELETE FROM place WHERE id IN (SELECT id FROM place WHERE expires <= ?1 "
                        "AND expires < " FINITE " ORDER BY expires LIMIT ?2) "
                        "RETURNING length(key) + length(member)",

    [SQL_NEXT_EXPIRY] = "SELECT min(at) FROM ("
                        "SELECT min(expires) AS at FROM entry WHERE expires < " FINITE
                        " UNION ALL SELECT min(expires) FROM log WHERE expires < " FINITE
                        " UNION ALL SELECT min(expires) FROM counter WHERE expires < " FINITE
                        " UNION ALL SELECT min(expires) FROM window"
                        " UNION ALL SELECT min(expires) FROM place WHERE expires < " FINITE ")",
};

/* -- failing ---------------------------------------------------------------------------------- */

static result broken(struct sqlite_db *db, int error) {
    db->error = error;
    db->system_error = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
    return (result){(error & 0xff) == SQLITE_NOMEM ? FAIL_MEMORY : FAIL_IO};
}

static result check(struct sqlite_db *db, int error) {
    return error == SQLITE_OK ? OK : broken(db, error);
}

const char *sqlite_reason(int error, int system_error) {
    switch (error & 0xff) { /* the low byte is the kind */
    case SQLITE_FULL: return "the disk is full";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another process holds it for too long";
    case SQLITE_CORRUPT: return "the file is damaged";
    case SQLITE_NOTADB: return "the file is no database";
    case SQLITE_READONLY: return "the file may not be written";
    default: break;
    }
    return system_error > 0 ? strerrordesc_np(system_error) : sqlite3_errstr(error);
}

result sqlite_tell(const struct sqlite_db *db, enum fail why, const char *path,
                   struct report *report) {
    if (why == FAIL_MEMORY) return fail_memory(report);
    return fail(report, why, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                "the store '%s' cannot be used: %s", path != NULL ? path : "memory",
                sqlite_reason(db->error, db->system_error));
}

/* -- statements ------------------------------------------------------------------------------- */

sqlite3_stmt *sqlite_start(struct sqlite_db *db, enum sqlite_text text) {
    return db->statements[text];
}

void sqlite_bind(sqlite3_stmt *statement, int at, struct str bytes) {
    /* A NULL pointer would be SQL's NULL, which is no empty value. */
    sqlite3_bind_blob64(statement, at, bytes.len > 0 ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
}

result sqlite_row(struct sqlite_db *db, sqlite3_stmt *statement, bool *is_row) {
    int code = fault_now() ? SQLITE_IOERR : sqlite3_step(statement);
    *is_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE) return OK;
    result r = broken(db, code);
    sqlite3_reset(statement);
    return r;
}

void sqlite_end(sqlite3_stmt *statement) {
    sqlite3_reset(statement); /* its code is that of the step, which was looked at */
}

result sqlite_run(struct sqlite_db *db, sqlite3_stmt *statement) {
    bool is_row = true;
    while (is_row) TRY(sqlite_row(db, statement, &is_row));
    sqlite_end(statement);
    return OK;
}

result sqlite_find(struct sqlite_db *db, enum sqlite_text text, struct str name, sqlite3_stmt **out,
                   bool *is_row) {
    *out = sqlite_start(db, text);
    sqlite_bind(*out, 1, name);
    return sqlite_row(db, *out, is_row);
}

result sqlite_bytes(sqlite3_stmt *statement, int column, struct arena *arena, struct str *out) {
    const char *bytes = sqlite3_column_blob(statement, column);
    size_t len = (size_t)sqlite3_column_bytes(statement, column);
    char *copy = arena_alloc(arena, len, 1);
    *out = STR_NONE;
    if (copy == NULL || (bytes == NULL && len > 0)) return (result){FAIL_MEMORY};
    if (len > 0) memcpy(copy, bytes, len);
    *out = (struct str){copy, len};
    return OK;
}

void sqlite_rollback(struct sqlite_db *db) {
    for (size_t i = 0; i < SQL_TEXT_COUNT; i++) sqlite3_reset(db->statements[i]);
    if (db->handle != NULL && sqlite3_get_autocommit(db->handle) == 0)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* -- opening ---------------------------------------------------------------------------------- */

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

/* SQLite's own handler sleeps up to 100 ms, in which busy neighbours commit a hundred times. */
static int wait_for_others(void *with, int n_waited) {
    struct sqlite_db *db = with;
    const struct timespec nap = {.tv_nsec = BUSY_NAP_NS};
    if (n_waited == 0) db->wait_until_ns = now_ns() + db->wait_ms * NS_PER_MS;
    if (now_ns() >= db->wait_until_ns) return 0;
    nanosleep(&nap, NULL);
    return 1;
}

static result script(struct sqlite_db *db, const char *sql) {
    if (fault_now()) return broken(db, SQLITE_IOERR);
    return check(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

/* The one number that a query answers. */
static result ask(struct sqlite_db *db, const char *sql, int64_t *out) {
    sqlite3_stmt *statement = NULL;
    int code =
        fault_now() ? SQLITE_IOERR : sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *out = sqlite3_column_int64(statement, 0);
    result r = code == SQLITE_ROW ? OK : broken(db, code == SQLITE_DONE ? SQLITE_CORRUPT : code);
    sqlite3_finalize(statement);
    return r;
}

static result prepare_all(struct sqlite_db *db) {
    for (size_t i = 0; i < SQL_TEXT_COUNT; i++) {
        assert(texts[i] != NULL);
        if (fault_now()) return broken(db, SQLITE_NOMEM);
        TRY(check(db, sqlite3_prepare_v3(db->handle, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                         &db->statements[i], NULL)));
    }
    return OK;
}

/* SQLite would make it readable by all. Only a file that is not there is opened here: closing a
 * descriptor of one that is open would take the locks of the whole process with it. */
static result make_file(struct sqlite_db *db, const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    if (fd >= 0 || errno == EEXIST) return OK;
    db->error = SQLITE_CANTOPEN;
    db->system_error = errno;
    return (result){FAIL_IO};
}

static result open_handle(struct sqlite_db *db, const char *path, int64_t wait_ms) {
    if (fault_now()) return broken(db, SQLITE_NOMEM);
    db->wait_ms = wait_ms;
    if (path != NULL) TRY(make_file(db, path));
    TRY(check(db, sqlite3_open_v2(path != NULL ? path : ":memory:", &db->handle,
                                  SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)));
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_handler(db->handle, wait_for_others, db);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return OK;
}

/* *version is 0 of an empty file. */
static result ask_version(struct sqlite_db *db, int64_t *n_tables, int64_t *version) {
    *version = 0;
    TRY(ask(db, "SELECT count(*) FROM sqlite_schema", n_tables));
    return *n_tables > 0 ? ask(db, "PRAGMA user_version", version) : OK;
}

/* Whose file is it? Asked before anything in it is changed. */
static result check_owner(struct sqlite_db *db, const char *path, int64_t *version,
                          struct report *report) {
    int64_t n_tables = 0, application = 0;
    TRY(ask_version(db, &n_tables, version));
    TRY(ask(db, "PRAGMA application_id", &application));
    bool is_known = *version > 0 && *version <= SCHEMA_VERSION;
    if (n_tables == 0 || (application == APPLICATION_ID && is_known)) return OK;
    result r =
        fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
             application == APPLICATION_ID ? "the store '%s' is of another version of Weir"
                                           : "the file '%s' is a database of another program",
             path != NULL ? path : "memory");
    fail_hint(report, "Name another file in store.path");
    return r;
}

/* While others do the same, SQLite may say at once that it is busy, without asking the handler. */
static result enter_wal(struct sqlite_db *db) {
    for (int n = 0;; n++) {
        result r = script(db, "PRAGMA journal_mode = WAL");
        bool is_busy = r.why != FAIL_NONE && (db->error & 0xff) == SQLITE_BUSY;
        if (!is_busy || wait_for_others(db, n) == 0) return r;
    }
}

/* Of two that find it empty or old, the second finds it made. */
static result make_schema(struct sqlite_db *db) {
    int64_t n_tables = 0, version = 0;
    TRY(script(db, "BEGIN IMMEDIATE"));
    TRY(ask_version(db, &n_tables, &version));
    for (int64_t i = version; i < SCHEMA_VERSION; i++) TRY(script(db, schemas[i]));
    return script(db, "COMMIT");
}

/* A small file is looked through at once; of a large one what is broken shows when it is read. */
static result check_pages(struct sqlite_db *db) {
    int64_t n_pages = 0, size = 0;
    TRY(ask(db, "PRAGMA page_count", &n_pages));
    TRY(ask(db, "PRAGMA page_size", &size));
    if (n_pages * size > STORE_CHECK_BYTES) return OK;
    int64_t is_whole = 0;
    TRY(ask(db, "SELECT quick_check = 'ok' FROM pragma_quick_check(1)", &is_whole));
    return is_whole ? OK : broken(db, SQLITE_CORRUPT);
}

static result open_all(struct sqlite_db *db, const char *path, int64_t wait_ms,
                       struct report *report) {
    int64_t version = 0;
    TRY(open_handle(db, path, wait_ms));
    TRY(script(db, settings));
    TRY(check_owner(db, path, &version, report));
    TRY(enter_wal(db));
    if (version < SCHEMA_VERSION) TRY(make_schema(db));
    TRY(check_pages(db));
    return prepare_all(db);
}

result sqlite_db_open(struct sqlite_db *db, const char *path, int64_t wait_ms,
                      struct report *report) {
    *db = (struct sqlite_db){0};
    result r = open_all(db, path, wait_ms, report);
    if (r.why == FAIL_NONE) return OK;
    int kind = db->error & 0xff;
    r = sqlite_tell(db, r.why, path, report); /* unless the owner was told of already */
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
        fail_hint(report, "Sessions and running tasks are lost when it is moved away; a new one is "
                          "made at the next start");
    return r;
}

result sqlite_db_open_reader(struct sqlite_db *db, const char *path, int64_t wait_ms) {
    *db = (struct sqlite_db){0};
    TRY(open_handle(db, path, wait_ms));
    TRY(script(db, settings));
    TRY(script(db, "PRAGMA query_only = ON"));
    return prepare_all(db);
}

void sqlite_db_close(struct sqlite_db *db) {
    for (size_t i = 0; i < SQL_TEXT_COUNT; i++) sqlite3_finalize(db->statements[i]);
    sqlite3_close(db->handle);
    *db = (struct sqlite_db){0};
}
