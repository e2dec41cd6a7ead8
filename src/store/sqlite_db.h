/*
 * store/sqlite_db.h - one connection to the file, and every statement we run on it
 *
 * The schema, the pragmas and the texts of all statements stand in sqlite_db.c and nowhere else.
 *
 * Memory:  a connection keeps its prepared statements; what a row shows is valid until the next
 *          sqlite_row() or sqlite_end() of the statement.
 * Errors:  FAIL_IO, or FAIL_MEMORY where SQLite has none; `db->error` keeps SQLite's code for
 *          sqlite_tell(). Every statement that is run asks base/fault.h.
 * Threads: one at a time on one connection; any number of connections.
 */
#ifndef WEIR_STORE_SQLITE_DB_H
#define WEIR_STORE_SQLITE_DB_H

#include "base/arena.h"
#include "base/fail.h"

#include <sqlite3.h>

enum sqlite_text {
    SQL_BEGIN, /* a writer's: nobody else writes until the end */
    SQL_BEGIN_READ,
    SQL_COMMIT,
    SQL_SUMS_GET,
    SQL_SUMS_SET,
    SQL_ENTRY_FIND, /* without the value */
    SQL_ENTRY_GET,
    SQL_ENTRY_INSERT,
    SQL_ENTRY_UPDATE,
    SQL_ENTRY_TOUCH,
    SQL_ENTRY_DELETE,
    SQL_ENTRY_SWEEP,
    SQL_LOG_FIND,
    SQL_LOG_INSERT,
    SQL_LOG_UPDATE,
    SQL_LOG_DETACH, /* takes its name off: its events go in bounded steps */
    SQL_LOG_EXPIRED,
    SQL_LOG_DELETE,
    SQL_EVENT_INSERT,
    SQL_EVENT_READ,
    SQL_EVENT_TRIM,
    SQL_COUNTER_FIND,
    SQL_COUNTER_INSERT,
    SQL_COUNTER_UPDATE,
    SQL_COUNTER_DELETE,
    SQL_COUNTER_SWEEP,
    SQL_WINDOW_FIND,
    SQL_WINDOW_INSERT,
    SQL_WINDOW_UPDATE,
    SQL_WINDOW_EXPIRED,
    SQL_WINDOW_DELETE,
    SQL_HIT_ADD,
    SQL_HIT_READ,
    SQL_HIT_TRIM,
    SQL_PLACE_FIND,
    SQL_PLACE_COUNT,
    SQL_PLACE_INSERT,
    SQL_PLACE_TOUCH,
    SQL_PLACE_DELETE,
    SQL_PLACE_SWEEP,
    SQL_NEXT_EXPIRY,
    SQL_TEXT_COUNT
};

struct sqlite_db {
    sqlite3 *handle;
    sqlite3_stmt *statements[SQL_TEXT_COUNT];
    int64_t wait_ms;       /* for other processes */
    int64_t wait_until_ns; /* of the wait that is going on */
    int error;             /* SQLite's extended code of the last failure; 0: none */
    int system_error;      /* errno that came with it, or 0 */
};

/* Opens the file and makes its schema where it has none yet; `path` NULL is memory. Many processes
 * may do so at once. Leaves a db that sqlite_db_close() takes, whatever is returned. */
MUST_USE result sqlite_db_open(struct sqlite_db *db, const char *path, int64_t wait_ms,
                               struct report *report);
/* One more connection to a file that is open already, for reading only. */
MUST_USE result sqlite_db_open_reader(struct sqlite_db *db, const char *path, int64_t wait_ms);
void sqlite_db_close(struct sqlite_db *db);

/* -- running a statement ----------------------------------------------------------------------
 *
 *     sqlite3_stmt *find = sqlite_start(db, SQL_ENTRY_FIND);
 *     sqlite_bind(find, 1, key);
 *     TRY(sqlite_row(db, find, &is_there));
 *     ... sqlite3_column_int64(find, 0) ...
 *     sqlite_end(find);
 */

sqlite3_stmt *sqlite_start(struct sqlite_db *db, enum sqlite_text text);
/* Bytes are borrowed until the statement has ended. */
void sqlite_bind(sqlite3_stmt *statement, int at, struct str bytes);
MUST_USE result sqlite_row(struct sqlite_db *db, sqlite3_stmt *statement, bool *is_row);
void sqlite_end(sqlite3_stmt *statement);
/* Starts it with `name` as ?1 and looks for its first row. */
MUST_USE result sqlite_find(struct sqlite_db *db, enum sqlite_text text, struct str name,
                            sqlite3_stmt **out, bool *is_row);
/* For those without rows: runs it to its end. */
MUST_USE result sqlite_run(struct sqlite_db *db, sqlite3_stmt *statement);
/* A copy of a column's bytes. FAIL_MEMORY. */
MUST_USE result sqlite_bytes(sqlite3_stmt *statement, int column, struct arena *arena,
                             struct str *out);

/* Ends every statement and the transaction, if there is one. */
void sqlite_rollback(struct sqlite_db *db);

/* -- telling ---------------------------------------------------------------------------------- */

/* Why, for people: "the disk is full". */
const char *sqlite_reason(int error, int system_error);
/* {why}, with the usual sentence in the report. */
result sqlite_tell(const struct sqlite_db *db, enum fail why, const char *path,
                   struct report *report);

#endif
