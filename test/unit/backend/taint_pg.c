/*
 * The taint test (taint_trial.h) on a real PostgreSQL 15, whose planner pulls filters about: one
 * server with a database for each warehouse, analyzed, so that it plans by what is in the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sql/guard.h"

#include "pg_server.h"
#include "taint_trial.h"

static struct pg_server server;
static PGconn *conns[2];

/* -- tables ----------------------------------------------------------------------------------- */

static void run(PGconn *conn, const char *sql) {
    PGresult *answered = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(answered);
    bool is_done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!is_done) print_error("%s: %s\n", sql, PQerrorMessage(conn));
    PQclear(answered);
    assert_true(is_done);
}

/* Lists come as the text `[a, b]` and are made arrays behind the loading; what the dialect cannot
 * say (maps, structs) stays text. */
static const char *type_of(const struct taint_field *field) {
    if (strcmp(field->type, "bigint") == 0) return "bigint";
    if (strcmp(field->type, "double") == 0) return "float8";
    return strcmp(field->type, "datetime") == 0 ? "timestamp" : "text";
}

static void create_table(PGconn *conn, const struct taint_table *table) {
    char sql[2048];
    size_t n = (size_t)snprintf(sql, sizeof sql, "CREATE TABLE home.%s (", table->name);
    for (const struct taint_field *f = table->fields; f->name != NULL; f++)
        n += (size_t)snprintf(sql + n, sizeof sql - n, "%s\"%s\" %s", f > table->fields ? ", " : "",
                              f->name, type_of(f));
    n += (size_t)snprintf(sql + n, sizeof sql - n, ")");
    assert_true(n < sizeof sql);
    run(conn, sql);
}

static void copy_file(PGconn *conn, const char *path) {
    char bytes[8192];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;)
        assert_int_equal(PQputCopyData(conn, bytes, (int)n), 1);
    (void)fclose(file);
    assert_int_equal(PQputCopyEnd(conn, NULL), 1);
    for (PGresult *answered; (answered = PQgetResult(conn)) != NULL; PQclear(answered)) {
        if (PQresultStatus(answered) != PGRES_COMMAND_OK) print_error("%s", PQerrorMessage(conn));
        assert_int_equal(PQresultStatus(answered), PGRES_COMMAND_OK);
    }
}

static void make_arrays(PGconn *conn, const struct taint_table *table) {
    char sql[512];
    for (const struct taint_field *f = table->fields; f->name != NULL; f++) {
        if (f->cell != CELL_LIST) continue;
        (void)snprintf(sql, sizeof sql,
                       "ALTER TABLE home.%s ALTER %s TYPE text[] USING CASE %s WHEN '[]' THEN '{}' "
                       "ELSE string_to_array(btrim(%s, '[]'), ', ') END",
                       table->name, f->name, f->name, f->name);
        run(conn, sql);
    }
}

static void load_table(PGconn *conn, const struct taint_table *table, const char *folder) {
    char text[600];
    create_table(conn, table);
    (void)snprintf(text, sizeof text, "COPY home.%s FROM STDIN (FORMAT csv, HEADER)", table->name);
    PGresult *answered = PQexec(conn, text);
    assert_int_equal(PQresultStatus(answered), PGRES_COPY_IN);
    PQclear(answered);
    (void)snprintf(text, sizeof text, "%s/home.%s.csv", folder, table->name);
    copy_file(conn, text);
    make_arrays(conn, table);
}

static void open_database(size_t i) {
    static const char *const names[] = {"a", "b"};
    char folder[400] = "weir-taint-XXXXXX", sql[100];
    assert_non_null(mkdtemp(folder));
    taint_write(folder, i == 1);
    (void)snprintf(sql, sizeof sql, "CREATE DATABASE %s", names[i]);
    PGconn *conn = pg_connect(&server);
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    run(conn, sql);
    PQfinish(conn);
    conns[i] = pg_connect_to(&server, names[i]);
    assert_int_equal(PQstatus(conns[i]), CONNECTION_OK);
    run(conns[i], "CREATE SCHEMA home");
    for (size_t t = 0; t < COUNT(taint_tables); t++) load_table(conns[i], &taint_tables[t], folder);
    run(conns[i], "ANALYZE");
    run(conns[i], "SET TimeZone = 'Asia/Shanghai'");
    run(conns[i], "SET statement_timeout = 8000");
    run(conns[i], "SET default_transaction_read_only = on");
    assert_int_equal(nftw(folder, pg_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void open_both(void) {
    pg_server_open(&server);
    open_database(0);
    open_database(1);
}

static void close_both(void) {
    PQfinish(conns[0]);
    PQfinish(conns[1]);
    pg_server_close(&server);
}

/* -- asking ----------------------------------------------------------------------------------- */

static void add_rows(const PGresult *answered, struct buf *out) {
    int n = PQnfields(answered);
    for (int i = 0; i < n; i++)
        buf_addf(out, "%s:%u ", PQfname(answered, i), (unsigned)PQftype(answered, i));
    buf_add_byte(out, '\n');
    for (int row = 0; row < PQntuples(answered); row++) {
        for (int i = 0; i < n; i++) {
            if (PQgetisnull(answered, row, i)) {
                buf_add(out, STR("NULL "));
                continue;
            }
            struct str value = str_of(PQgetvalue(answered, row, i));
            buf_addf(out, "%zu'", value.len);
            for (size_t at = 0; at < value.len; at++) /* a row is a line */
                buf_add_byte(out, value.ptr[at] == '\n' ? '\r' : value.ptr[at]);
            buf_add(out, STR("' "));
        }
        buf_add_byte(out, '\n');
    }
}

/* Where a filter or a mask is at work, the caller is told that it failed and no more. */
static void add_failure(struct taint_run *run_, const PGresult *answered) {
    const char *state = PQresultErrorField(answered, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorMessage(answered);
    if (state == NULL) state = "?";
    run_->is_undone = strcmp(state, "57014") == 0; /* statement_timeout */
    run_->is_misprint = strncmp(state, "42", 2) == 0 || strncmp(state, "0A", 2) == 0 ||
                        strncmp(state, "XX", 2) == 0;
    run_->engine = str_printf(&run_->arena, "%s %s", state, words);
    run_->text = run_->is_private ? STR("the statement failed") : run_->engine;
}

/* One statement, as the extended protocol takes it: never two. */
static void ask_database(struct taint_run *run_) {
    struct buf out;
    const char *sql = str_cstr(&run_->arena, run_->sql);
    PGresult *answered = PQexecParams(conns[run_->warehouse], sql, 0, NULL, NULL, NULL, NULL, 0);
    run_->is_failure = PQresultStatus(answered) != PGRES_TUPLES_OK;
    if (run_->is_failure) {
        add_failure(run_, answered);
    } else {
        buf_init(&out, 64 << 20);
        add_rows(answered, &out);
        run_->text = str_dup(&run_->arena, buf_flat(&out, &run_->arena));
        buf_deinit(&out);
    }
    PQclear(answered);
}

int main(int argc, char **argv) {
    struct taint_house house = {.name = "PostgreSQL",
                                .dialect = DIALECT_POSTGRES,
                                .ask = ask_database,
                                .open = open_both,
                                .close = close_both,
                                .first = TAINT_FIRST,
                                .count = 40 * TAINT_SHARE,
                                .hole_count = 3000,
                                .least_accepted = 20,
                                .least_rows = 30,
                                .most_misprints = 1};
    return taint_main(&house, argc, argv);
}
