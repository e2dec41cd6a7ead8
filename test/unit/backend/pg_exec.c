/*
 * MaxCompute's answers out of PostgreSQL 15: the cases of exec.c, sent through the guard under a
 * grant that allows all, printed for PostgreSQL and run by a server of our own in a transaction
 * that may only read. A case may be refused by name, for the dialect says less than DuckDB's; an
 * answer may not differ. Where DuckDB refuses, so may PostgreSQL or not: those cases are left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include "../sql/relations.h"
#include "sql/guard.h"
#include "text/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "masked.h"
#include "pg_server.h"

static const struct json_limits data_limits = {.allows_nul = true};

enum { FILE_MOST = 4 << 20, ROWS_MOST = 4096 };
enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_FLOAT8 = 701 };
enum { OID_NUMERIC = 1700, OID_TEXTS = 1009, OID_INT8S = 1016, OID_FLOAT8S = 1022 };

/* -- tables ----------------------------------------------------------------------------------- */

static const struct table {
    const char *name, *columns, *sql;
} tables[] = {
    {"users", "user_id bigint;name string;city string;age bigint;salary double;created_at datetime",
     "user_id bigint, name text, city text, age bigint, salary float8, created_at timestamp"},
    {"orders",
     "order_id bigint;user_id bigint;item_id bigint;amount double;qty bigint;status string;"
     "ds string;ts datetime",
     "order_id bigint, user_id bigint, item_id bigint, amount float8, qty bigint, status text, "
     "ds text, ts timestamp"},
    {"items", "item_id bigint;name string;category string;price double",
     "item_id bigint, name text, category text, price float8"},
    {"nums", "id bigint;x bigint;y bigint;d double;s string",
     "id bigint, x bigint, y bigint, d float8, s text"},
    {"logs", "id bigint;line string;kv string;js string", "id bigint, line text, kv text, js text"},
    {"kinds",
     "id bigint;flag boolean;small int;price decimal(10,2);day date;at datetime;word string;"
     "words array<string>;scores map<string,bigint>;pair struct<a:bigint,b:string>",
     "id bigint, flag boolean, small integer, price numeric(10,2), day date, at timestamp, "
     "word text, words text, scores text, pair text"},
};

static void run(PGconn *conn, const char *sql) {
    PGresult *answered = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(answered);
    bool is_done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!is_done) print_error("%s: %s\n", sql, PQerrorMessage(conn));
    PQclear(answered);
    assert_true(is_done);
}

static size_t read_file(const char *path, char *bytes) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, FILE_MOST, file);
    (void)fclose(file);
    return n;
}

static void load(PGconn *conn, const struct table *table, const char *path, char *bytes) {
    char sql[1024];
    (void)snprintf(sql, sizeof sql, "CREATE TABLE home.%s (%s)", table->name, table->sql);
    run(conn, sql);
    (void)snprintf(sql, sizeof sql, "COPY home.%s FROM STDIN (FORMAT csv, HEADER)", table->name);
    PGresult *answered = PQexec(conn, sql);
    assert_int_equal(PQresultStatus(answered), PGRES_COPY_IN);
    PQclear(answered);
    assert_int_equal(PQputCopyData(conn, bytes, (int)read_file(path, bytes)), 1);
    assert_int_equal(PQputCopyEnd(conn, NULL), 1);
    answered = PQgetResult(conn);
    if (PQresultStatus(answered) != PGRES_COMMAND_OK) print_error("%s", PQerrorMessage(conn));
    assert_int_equal(PQresultStatus(answered), PGRES_COMMAND_OK);
    while (answered != NULL) {
        PQclear(answered);
        answered = PQgetResult(conn);
    }
    if (strcmp(table->name, "kinds") == 0)
        run(conn, "ALTER TABLE home.kinds ALTER words TYPE text[] USING CASE words WHEN '[]' "
                  "THEN '{}' ELSE string_to_array(btrim(words, '[]'), ', ') END");
}

struct rig {
    struct pg_server server;
    struct relations world;
    PGconn *conn;
    char *bytes;
};

static void rig_open(struct rig *rig, const char *dir) {
    relations_init(&rig->world, "home");
    struct grant *grant = &rig->world.grant;
    grant->allow_unapproved_join = grant->allow_no_table = true;
    grant->max_join_tables = 100;
    grant->default_limit = 1000;
    grant->max_limit = 10000;
    rig->bytes = malloc(FILE_MOST);
    assert_non_null(rig->bytes);
    pg_server_open(&rig->server);
    rig->conn = pg_connect(&rig->server);
    if (PQstatus(rig->conn) != CONNECTION_OK) print_error("%s", PQerrorMessage(rig->conn));
    assert_int_equal(PQstatus(rig->conn), CONNECTION_OK);
    run(rig->conn, "SET TimeZone = 'Asia/Shanghai'");
    run(rig->conn, "CREATE SCHEMA home");
    for (size_t i = 0; i < COUNT(tables); i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s.csv", dir, tables[i].name);
        if (access(path, R_OK) != 0) continue;
        relations_add(&rig->world, "home", "default", tables[i].name, GRANT_ALLOW,
                      str_of(tables[i].columns));
        load(rig->conn, &tables[i], path, rig->bytes);
    }
}

static void rig_close(struct rig *rig) {
    PQfinish(rig->conn);
    pg_server_close(&rig->server);
    arena_deinit(&rig->world.arena);
    free(rig->bytes);
}

/* -- comparing -------------------------------------------------------------------------------- */

static bool is_number(const struct json *wanted, const char *got) {
    char *end;
    double x = strtod(got, &end), y = json_double(wanted);
    double most = x < 0 ? -x : x, size = y < 0 ? -y : y, gap = x < y ? y - x : x - y;
    if (size > most) most = size;
    return wanted->type == JSON_NUMBER && *end == '\0' && gap <= 1e-9 * most;
}

static bool is_value(const struct json *wanted, Oid type, const char *got);

/* {a,"b c",NULL}: takes one element off the front. */
static const char *take_element(const char *at, char *out, size_t size, bool *is_quoted) {
    size_t n = 0;
    *is_quoted = *at == '"';
    if (*is_quoted) at++;
    while (*at != '\0' && (*is_quoted ? *at != '"' : *at != ',' && *at != '}')) {
        if (*at == '\\') at++;
        if (n + 1 < size) out[n++] = *at;
        at++;
    }
    out[n] = '\0';
    if (*is_quoted) at++;
    return *at == ',' ? at + 1 : at;
}

static bool is_array(const struct json *wanted, Oid element, const char *got) {
    char text[512];
    bool is_quoted;
    uint32_t n = 0;
    if (wanted->type != JSON_ARRAY || *got++ != '{') return false;
    for (; *got != '}' && *got != '\0'; n++) {
        got = take_element(got, text, sizeof text, &is_quoted);
        if (n >= wanted->n) return false;
        bool is_null = !is_quoted && strcmp(text, "NULL") == 0;
        if (!is_value(&wanted->items[n], element, is_null ? NULL : text)) return false;
    }
    return n == wanted->n;
}

static bool is_value(const struct json *wanted, Oid type, const char *got) {
    if (got == NULL || wanted->type == JSON_NULL) return got == NULL && wanted->type == JSON_NULL;
    switch (type) {
    case OID_BOOL: return wanted->type == (got[0] == 't' ? JSON_TRUE : JSON_FALSE);
    case OID_INT8:
    case OID_INT2:
    case OID_INT4:
    case OID_FLOAT8:
    case OID_NUMERIC: return is_number(wanted, got);
    case OID_TEXTS: return is_array(wanted, 0, got);
    case OID_INT8S: return is_array(wanted, OID_INT8, got);
    case OID_FLOAT8S: return is_array(wanted, OID_FLOAT8, got);
    default: return wanted->type == JSON_STRING && str_eq(wanted->text, str_of(got));
    }
}

static bool is_row(const struct json *wanted, const PGresult *answered, int row) {
    if (wanted->type != JSON_ARRAY || (int)wanted->n != PQnfields(answered)) return false;
    for (int i = 0; i < PQnfields(answered); i++) {
        const char *got = PQgetisnull(answered, row, i) ? NULL : PQgetvalue(answered, row, i);
        if (!is_value(&wanted->items[i], PQftype(answered, i), got)) return false;
    }
    return true;
}

static bool is_answer(const struct json *rows, bool ordered, const PGresult *answered) {
    bool taken[ROWS_MOST] = {false};
    if ((int)rows->n != PQntuples(answered) || rows->n > ROWS_MOST) return false;
    for (int row = 0; row < PQntuples(answered); row++) {
        bool found = false;
        for (uint32_t i = ordered ? (uint32_t)row : 0; i < rows->n && !found; i++) {
            found = !taken[i] && is_row(&rows->items[i], answered, row);
            taken[i] = taken[i] || found;
            if (ordered) break;
        }
        if (!found) return false;
    }
    return true;
}

/* -- running ---------------------------------------------------------------------------------- */

struct score {
    size_t n, same, refused, failed, wrong;
};

static void tell(const char *what, const struct json *entry, struct str said, const char *more) {
    print_error("%s " STR_FMT "\n  " STR_FMT "\n  %s\n", what,
                STR_ARG(json_get_text(entry, STR("sql"))), STR_ARG(said), more);
}

static void tell_rows(const PGresult *answered) {
    for (int row = 0; row < PQntuples(answered); row++, print_error("\n"))
        for (int i = 0; i < PQnfields(answered); i++)
            print_error("  [%u] %s", (unsigned)PQftype(answered, i),
                        PQgetisnull(answered, row, i) ? "NULL" : PQgetvalue(answered, row, i));
}

static void run_printed(struct rig *rig, const struct json *entry, const char *sql,
                        struct score *score) {
    run(rig->conn, "BEGIN READ ONLY");
    PGresult *answered = PQexec(rig->conn, sql);
    bool is_run = PQresultStatus(answered) == PGRES_TUPLES_OK;
    bool fails = json_is_true(json_get(entry, STR("fails")));
    const struct json *rows = json_get(entry, STR("rows"));
    if (fails || !is_run) {
        bool is_good = fails && !is_run;
        score->same += is_good;
        score->failed += !fails;
        score->wrong += fails && is_run;
        if (!is_good) tell("fails:", entry, str_of(sql), PQresultErrorMessage(answered));
    } else if (is_answer(rows, json_is_true(json_get(entry, STR("ordered"))), answered)) {
        score->same++;
    } else {
        score->wrong++;
        tell("wrong:", entry, str_of(sql), "");
        tell_rows(answered);
    }
    PQclear(answered);
    run(rig->conn, "ROLLBACK");
}

static void run_case(struct rig *rig, const struct json *entry, struct arena *arena,
                     struct score *score) {
    struct report report = {0};
    struct masked masked;
    struct grant own;
    masked_grant(entry, &rig->world.grant, &masked, &own);
    struct guard_request request = {
        .text = json_get_text(entry, STR("sql")), .dialect = DIALECT_POSTGRES, .grant = &own};
    struct guard_answer answer;
    if (json_get(entry, STR("refused")) != NULL) return;
    score->n++;
    result r = guard_check(&request, arena, &answer, &report);
    if (r.why == FAIL_NONE && answer.effect == GUARD_ALLOW) {
        run_printed(rig, entry, str_cstr(arena, answer.run), score);
    } else if (strcmp(report.code, "DIALECT_UNSUPPORTED") == 0) {
        score->refused++;
        print_message("refused: " STR_FMT "\n  %s\n", STR_ARG(request.text), report.sentence);
    } else {
        score->wrong++;
        tell("not understood:", entry, str_of(report.code), report.sentence);
    }
}

static void run_file(struct rig *rig, const char *path, struct score *score) {
    struct arena arena;
    struct str rest = {rig->bytes, read_file(path, rig->bytes)};
    arena_init(&arena, 64 << 20);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        const struct json *entry;
        if (line.len == 0) continue;
        assert_int_equal(json_read(line, &data_limits, &arena, &entry, NULL).why, FAIL_NONE);
        run_case(rig, entry, &arena, score);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}

static void assert_none_wrong(const char *name, const struct score *score, size_t least) {
    print_message("%s: %zu of %zu the same, %zu refused, %zu failed, %zu wrong\n", name,
                  score->same, score->n, score->refused, score->failed, score->wrong);
    assert_int_equal(score->wrong, 0);
    assert_int_equal(score->failed, 0);
    assert_true(score->same >= least);
}

static void test_own_cases(void **state) {
    static const char dir[] = SOURCE_ROOT "/test/guard/exec";
    (void)state;
    struct rig rig;
    struct score all = {0};
    rig_open(&rig, SOURCE_ROOT "/test/guard/exec/data");
    DIR *open_dir = opendir(dir);
    assert_non_null(open_dir);
    for (struct dirent *entry; (entry = readdir(open_dir)) != NULL;) {
        char path[512];
        if (!str_ends(str_of(entry->d_name), STR(".jsonl"))) continue;
        (void)snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        run_file(&rig, path, &all);
    }
    (void)closedir(open_dir);
    rig_close(&rig);
    assert_none_wrong("own cases", &all, 970);
}

static void test_corpus(void **state) {
    static const char dir[] = SOURCE_ROOT "/../shared/corpus/sql";
    (void)state;
    struct rig rig;
    struct score all = {0};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/exec.jsonl", dir);
    if (access(path, R_OK) != 0) {
        print_message("no corpus beside the project\n");
        skip();
    }
    (void)snprintf(path, sizeof path, "%s/exec-data", dir);
    rig_open(&rig, path);
    (void)snprintf(path, sizeof path, "%s/exec.jsonl", dir);
    run_file(&rig, path, &all);
    rig_close(&rig);
    assert_none_wrong("corpus", &all, 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_cases),
        cmocka_unit_test(test_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
