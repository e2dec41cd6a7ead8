/* The DuckDB backend with its real library: what is asked is answered, what is wrong is told, and
 * whatever a statement does, the program goes on. */
#include "engine.h"

#include "backend/duckdb_fence.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SHOP "[{name: shop, kind: duckdb, load: [\"shop/*.csv\"], workers: 1}]\n"

static struct engine_rig shop; /* one worker, opened once for all tests that leave it well */

static int open_shop(void **state) {
    (void)state;
    rig_open(&shop, SHOP);
    return 0;
}

static int close_shop(void **state) {
    (void)state;
    rig_close(&shop);
    return 0;
}

/* -- answers ------------------------------------------------------------------------------------
 */

struct answer_case {
    const char *sql, *expected;
};

static const struct answer_case answers[] = {
    {"SELECT 1 AS one", "one:int\n[1]\n"},
    {"SELECT * FROM \"sales\".\"orders\" ORDER BY order_id",
     "order_id:bigint region:string amount:decimal(18,2) note:string placed_at:datetime pt:string\n"
     "[1,\"cn\",12.50,\"a \\\"quoted\\\" note, with comma\",\"2026-01-02 03:04:05\",\"20260101\"]\n"
     "[2,\"us\",7.00,null,\"2026-01-02 03:04:05.250\",\"20260101\"]\n"
     "[3,\"cn\",null,\"中文\",null,\"20260103\"]\n"
     "[9007199254740993,\"eu\",100.10,\"two\\nlines\",\"2026-01-03 00:00:00\",\"20260102\"]\n"},
    {"SELECT * FROM \"sales.raw\".\"events\" ORDER BY id",
     "id:int kind:string tags:array<string> ok:boolean day:date\n"
     "[1,\"open\",[\"a\",\"b\"],true,\"2026-02-28\"]\n[2,\"close\",null,false,null]\n"},
    {"SELECT name FROM \"home\".\"people\" WHERE 1 = 0", "name:string\n"},
    {"SELECT true AS b, 1::TINYINT AS t, -2::SMALLINT AS s, 3::UBIGINT AS u, 1.5::FLOAT AS f, "
     "0.1::DOUBLE AS d",
     "b:boolean t:tinyint s:smallint u:decimal(20,0) f:float d:double\n[true,1,-2,3,1.5,0.1]\n"},
    {"SELECT 170141183460469231731687303715884105727::HUGEINT AS h, "
     "'-99999999999999999999999999999999999.999'::DECIMAL(38,3) AS d, -0.05::DECIMAL(4,2) AS s",
     "h:decimal(38,0) d:decimal(38,3) s:decimal(4,2)\n"
     "[170141183460469231731687303715884105727,-99999999999999999999999999999999999.999,-0.05]\n"},
    {"SELECT 'nan'::DOUBLE AS a, 'inf'::DOUBLE AS b, '-inf'::FLOAT AS c",
     "a:double b:double c:float\n[\"NaN\",\"Infinity\",\"-Infinity\"]\n"},
    {"SELECT DATE '0001-02-03' AS d, TIME '01:02:03.5' AS t, TIMESTAMP '1969-12-31 "
     "23:59:59.000001' "
     "AS ts, '2026-01-01 00:00:00.123456789'::TIMESTAMP_NS AS ns, 'infinity'::DATE AS i",
     "d:date t:string ts:datetime ns:timestamp i:date\n"
     "[\"0001-02-03\",\"01:02:03.500\",\"1969-12-31 23:59:59.000001\","
     "\"2026-01-01 00:00:00.123456789\",\"infinity\"]\n"},
    {"SELECT INTERVAL '14 months -3 days' AS a, INTERVAL '90 seconds' AS b, INTERVAL '0 days' AS c",
     "a:interval_day_time b:interval_day_time c:interval_day_time\n"
     "[\"1 year 2 months -3 days\",\"00:01:30\",\"00:00:00\"]\n"},
    {"SELECT '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS u, 'b'::ENUM('a','b') AS e, "
     "'\\x00ab'::BLOB AS raw, NULL AS n",
     "u:string e:string raw:binary n:int\n"
     "[\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\"b\",\"\\u0000ab\",null]\n"},
    {"SELECT {'a': 1, 'b': [DATE '2026-01-01', NULL]} AS s, MAP {'k': 1.50, 'l': NULL} AS m, "
     "MAP {1: 'x'} AS i, [9007199254740993] AS big, [1,2]::INTEGER[2] AS fixed",
     "s:struct<a:int,b:array<date>> m:map<string,decimal(3,2)> i:map<int,string> "
     "big:array<bigint> fixed:array<int>\n"
     "[{\"a\":1,\"b\":[\"2026-01-01\",null]},{\"k\":1.50,\"l\":null},{\"1\":\"x\"},"
     "[\"9007199254740993\"],[1,2]]\n"},
    {"SELECT list_sort(list_filter([i, 3, 1, 2], x -> x > 1)) AS l FROM range(4, 6) t(i)",
     "l:array<bigint>\n[[2,3,4]]\n[[2,3,5]]\n"},
    {"SELECT '{\"a\": [1]}'::JSON AS j, 'quote \" back \\ and \x01' AS t",
     "j:string t:string\n[\"{\\\"a\\\": [1]}\",\"quote \\\" back \\\\ and \\u0001\"]\n"},
    {"SELECT CAST(TIMESTAMPTZ '2026-01-01 00:00:00+08' AS VARCHAR) AS z",
     "z:string\n[\"2026-01-01 00:00:00+08\"]\n"},
};

static void test_answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++)
        assert_answer(&shop, answers[i].sql, answers[i].expected);
}

static void test_many_rows_in_many_frames(void **state) {
    (void)state;
    struct asked a = ask(&shop, "SELECT i, repeat('x', 100) AS t FROM range(50000) t(i)");
    assert_int_equal(a.r.why, FAIL_NONE);
    assert_int_equal(a.n_rows, 50000);
    assert_true(str_ends(a.text, STR("xxx\"]\n")));
    assert_true(a.facts.engine_us > 0);
    assert_int_equal(a.facts.scanned_bytes, -1);
}

/* More texts than a worker keeps: each stays right, the first too when it comes again. */
static void test_prepared_statements_come_and_go(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 100; i++) {
            char sql[64], expected[64];
            snprintf(sql, sizeof sql, "SELECT %d AS v", i);
            snprintf(expected, sizeof expected, "v:int\n[%d]\n", i);
            assert_answer(&shop, sql, expected);
        }
}

/* A text too long to be kept is prepared anew each time, and leaves nothing behind. */
static void test_long_statement(void **state) {
    (void)state;
    static char blanks[100000];
    memset(blanks, ' ', sizeof blanks - 1);
    struct str sql = str_printf(&shop.arena, "SELECT %s1 AS one", blanks);
    for (int i = 0; i < 3; i++) assert_answer(&shop, sql.ptr, "one:int\n[1]\n");
}

static void test_time_goes_on_in_a_prepared_statement(void **state) {
    (void)state;
    const char *sql = "SELECT epoch_us(now()) AS t";
    struct asked first = ask(&shop, sql), second = ask(&shop, sql);
    assert_int_equal(second.r.why, FAIL_NONE);
    assert_false(str_eq(first.text, second.text));
}

static void test_sink_may_end_early(void **state) {
    (void)state;
    struct run_limits limits = limits_ms(20000);
    struct asked a = ask_within(&shop, "SELECT i FROM range(1000000000000) t(i)", &limits, 3);
    assert_int_equal(a.r.why, FAIL_NONE);
    assert_int_equal(a.n_rows, 3);
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
}

/* -- errors -------------------------------------------------------------------------------------
 */

static void test_engine_error_is_told(void **state) {
    (void)state;
    struct asked a = ask(&shop, "SELECT CAST('hidden\x07value' AS BIGINT)");
    assert_int_equal(a.r.why, FAIL_BACKEND);
    assert_string_equal(a.report.code, "BACKEND_ERROR");
    assert_non_null(strstr(a.report.sentence, "Conversion Error"));
    assert_null(strchr(a.report.sentence, '\x07'));
    assert_null(strchr(a.report.sentence, '\n'));
}

static void test_private_error_goes_to_the_record_only(void **state) {
    (void)state;
    struct run_limits limits = limits_ms(20000);
    limits.is_private = true;
    struct asked a = ask_within(&shop, "SELECT CAST('hidden' || 'value' AS BIGINT)", &limits, 0);
    assert_int_equal(a.r.why, FAIL_BACKEND);
    assert_null(strstr(a.report.sentence, "hidden"));
    assert_null(strstr(a.report.hint, "hidden"));
    assert_true(str_find(a.facts.engine_error, STR("hiddenvalue")) < a.facts.engine_error.len);
}

static void test_error_after_rows(void **state) {
    (void)state;
    struct asked a =
        ask(&shop, "SELECT CASE WHEN i = 400000 THEN error('late') ELSE i::VARCHAR END FROM "
                   "range(500000) t(i)");
    assert_int_equal(a.r.why, FAIL_BACKEND);
    assert_non_null(strstr(a.report.sentence, "late"));
    assert_true(a.n_rows < 500000);
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
}

static const char *const refused[] = {
    "",
    ";",
    "DROP TABLE home.people",
    "CREATE TABLE home.t (a INT)",
    "CREATE TEMP TABLE t (a INT)",
    "INSERT INTO home.people VALUES (3, 'x', 'y')",
    "UPDATE home.people SET id = 0",
    "DELETE FROM home.people",
    "COPY home.people TO 'out.csv'",
    "COPY (SELECT 1) TO 'out.csv'",
    "ATTACH 'other.duckdb'",
    "DETACH memory",
    "SET threads = 4",
    "RESET threads",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "PRAGMA memory_limit = '4GB'",
    "LOAD httpfs",
    "INSTALL httpfs",
    "EXPLAIN SELECT 1",
    "CALL range(3)",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE home.people",
    "SELECT ?",
    "SELECT $1",
    "BEGIN",
    "EXPORT DATABASE 'out'",
    "CHECKPOINT",
    "VACUUM",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '" SOURCE_ROOT "/test/unit/backend/data/shop/*.csv'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_parquet('https://127.0.0.1/x.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT getenv('HOME')",
    "CREATE MACRO home.f(x) AS x",
    "SET VARIABLE v = 1",
    "DEALLOCATE ALL",
    "USE memory",
};

static void test_only_a_single_select_without_files_runs(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct asked a = ask(&shop, refused[i]);
        if (a.r.why != FAIL_BACKEND) FAIL_TEST("was run: %s\n", refused[i]);
        assert_string_equal(a.report.code, "BACKEND_ERROR");
    }
    struct asked nul = {0};
    struct run_limits limits = limits_ms(20000);
    struct line_sink lines;
    line_sink_init(&lines);
    nul.r = backend_run(shop.backend, STR("SELECT 1\0 AS x"), &limits, &lines.sink, &nul.facts,
                        &shop.arena, &nul.report);
    buf_deinit(&lines.text);
    assert_int_equal(nul.r.why, FAIL_BACKEND);
    assert_answer(&shop, "SELECT count(*) AS n FROM home.people", "n:bigint\n[2]\n");
}

static void test_type_without_a_shape(void **state) {
    (void)state;
    struct asked a = ask(&shop, "SELECT '10:00:00+08'::TIMETZ AS t");
    assert_int_equal(a.r.why, FAIL_BACKEND);
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
}

static void test_row_larger_than_a_frame(void **state) {
    (void)state;
    struct asked a = ask(&shop, "SELECT repeat('x', 17000000) AS t");
    assert_int_equal(a.r.why, FAIL_LIMIT);
    assert_string_equal(a.report.code, "REPLY_TOO_LARGE");
    struct asked two = ask(&shop, "SELECT repeat('x', 9000000) AS t FROM range(2)");
    assert_int_equal(two.r.why, FAIL_NONE);
    assert_int_equal(two.n_rows, 2);
}

static void test_deep_nesting(void **state) {
    (void)state;
    char open[41] = "", close[41] = "", sql[128];
    memset(open, '[', 40);
    memset(close, ']', 40);
    snprintf(sql, sizeof sql, "SELECT %s1%s", open, close);
    struct asked a = ask(&shop, sql);
    assert_int_equal(a.r.why, FAIL_BACKEND);
}

/* -- time, cancel, death ------------------------------------------------------------------------
 */

/* Pids of our workers; returns how many. */
static size_t find_workers(pid_t out[8]) {
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        char path[300], line[512];
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (file == NULL) continue;
        int pid = 0, parent = 0;
        char state = 'Z';
        if (fgets(line, sizeof line, file) != NULL) {
            const char *behind = strrchr(line, ')');
            if (behind != NULL && sscanf(behind, ") %c %d", &state, &parent) == 2)
                pid = (int)strtol(line, NULL, 10);
        }
        fclose(file);
        if (parent == getpid() && state != 'Z' && n < 8) out[n++] = pid;
    }
    closedir(proc);
    return n;
}

static pid_t only_worker(void) {
    pid_t pids[8];
    assert_int_equal(find_workers(pids), 1);
    return pids[0];
}

static void test_deadline_interrupts_a_scan(void **state) {
    (void)state;
    pid_t before = only_worker();
    struct run_limits limits = limits_ms(100);
    struct asked a = ask_within(
        &shop, "SELECT count(*) FROM range(10000000) a(i), range(10000000) b(j) WHERE i + j = 7",
        &limits, 0);
    assert_int_equal(a.r.why, FAIL_TIMEOUT);
    assert_string_equal(a.report.code, "QUERY_TIMEOUT");
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
    assert_int_equal(only_worker(), before); /* the interrupt sufficed */
}

static void test_deadline_kills_what_cannot_be_interrupted(void **state) {
    (void)state;
    pid_t before = only_worker();
    struct run_limits limits = limits_ms(100);
    /* One scalar function that takes more than half a minute and does not look at the interrupt. */
    struct asked a = ask_within(
        &shop, "SELECT levenshtein(repeat('a', 300000), repeat('b', 300000)) AS d", &limits, 0);
    assert_int_equal(a.r.why, FAIL_TIMEOUT);
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
    assert_int_not_equal(only_worker(), before);
}

struct acting_sink {
    struct row_sink sink;
    void (*act)(struct acting_sink *sink); /* at the first row */
    size_t n_rows;
    int fd;
    struct report report;
    result inner;
};

static result acting_columns(struct row_sink *sink, const struct row_column *columns, size_t n,
                             struct report *report) {
    (void)sink, (void)columns, (void)n, (void)report;
    return OK;
}

static result acting_row(struct row_sink *sink, const struct row_value *values, bool *more,
                         struct report *report) {
    struct acting_sink *acting = holder_of(sink, struct acting_sink, sink);
    (void)values, (void)more, (void)report;
    if (acting->n_rows++ == 0) acting->act(acting);
    return OK;
}

static struct asked run_acting(struct engine_rig *rig, struct acting_sink *acting,
                               const struct run_limits *limits) {
    struct asked asked = {0};
    acting->sink = (struct row_sink){.columns = acting_columns, .row = acting_row};
    asked.r = backend_run(rig->backend, STR("SELECT i FROM range(1000000000000) t(i)"), limits,
                          &acting->sink, &asked.facts, &rig->arena, &asked.report);
    return asked;
}

static void cancel(struct acting_sink *sink) {
    eventfd_write(sink->fd, 1);
}

static void test_cancel(void **state) {
    (void)state;
    struct acting_sink acting = {.act = cancel, .fd = eventfd(0, EFD_CLOEXEC)};
    struct run_limits limits = limits_ms(60000);
    limits.cancel_fd = acting.fd;
    struct asked a = run_acting(&shop, &acting, &limits);
    assert_int_equal(a.r.why, FAIL_CANCELLED);
    /* It is still set: the next one does not begin. */
    struct asked b = ask_within(&shop, "SELECT 1", &limits, 0);
    assert_int_equal(b.r.why, FAIL_CANCELLED);
    close(acting.fd);
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
}

/* -- how far it is ------------------------------------------------------------------------------
 */

struct counting_watch {
    struct run_watch watch;
    unsigned seen[100];
    size_t n, enough; /* at `enough` it cancels */
    int fd;
};

static void count_percent(struct run_watch *watch, unsigned percent) {
    struct counting_watch *counting = holder_of(watch, struct counting_watch, watch);
    counting->seen[counting->n++] = percent;
    if (counting->n == counting->enough) eventfd_write(counting->fd, 1);
}

static void write_numbers(const char *path, int n) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("n\n", file);
    for (int i = 0; i < n; i++) fprintf(file, "%d\n", i);
    assert_int_equal(fclose(file), 0);
}

/* Many seconds of work, of which the engine tells at each of some 120,000 rows. */
#define LONG_SQL "SELECT max(md5(repeat(CAST(n AS VARCHAR), 60))) AS m FROM \"home\".\"numbers\""

/* It runs until two steps were told and is cancelled then, so that no clock decides. */
static void test_progress_grows_until_cancelled(void **state) {
    (void)state;
    struct engine_rig rig;
    char dir[] = "test-numbers-XXXXXX", path[64], list[PATH_MAX + 64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/home.numbers.csv", dir);
    write_numbers(path, 1000000);
    char *absolute = realpath(path, NULL);
    assert_non_null(absolute);
    snprintf(list, sizeof list, "[{name: n, kind: duckdb, load: ['%s'], workers: 1}]", absolute);
    free(absolute);
    rig_open(&rig, list);

    struct counting_watch watch = {.watch = {count_percent}, .enough = 2};
    watch.fd = eventfd(0, EFD_CLOEXEC);
    struct run_limits limits = limits_ms(120000);
    limits.cancel_fd = watch.fd;
    limits.watch = &watch.watch;
    struct asked a = ask_within(&rig, LONG_SQL, &limits, 0);
    assert_int_equal(a.r.why, FAIL_CANCELLED);
    assert_true(watch.n >= 2);
    for (size_t i = 0; i < watch.n; i++)
        assert_true(watch.seen[i] > (i > 0 ? watch.seen[i - 1] : 0) && watch.seen[i] < 100);
    close(watch.fd);

    /* The worker is well, and what runs for a moment tells nothing. */
    size_t before = watch.n;
    limits.cancel_fd = -1;
    a = ask_within(&rig, "SELECT count(*) AS n FROM \"home\".\"numbers\"", &limits, 0);
    assert_int_equal(a.r.why, FAIL_NONE);
    assert_true(str_eq(a.text, STR("n:bigint\n[1000000]\n")));
    assert_int_equal(watch.n, before);
    rig_close(&rig);
    assert_int_equal(unlink(path) | rmdir(dir), 0);
}

static void kill_worker(struct acting_sink *sink) {
    (void)sink;
    kill(only_worker(), SIGKILL);
}

static void test_killed_in_mid_query(void **state) {
    (void)state;
    struct acting_sink acting = {.act = kill_worker};
    struct run_limits limits = limits_ms(60000);
    struct asked a = run_acting(&shop, &acting, &limits);
    assert_int_equal(a.r.why, FAIL_BACKEND);
    assert_string_equal(a.report.code, "BACKEND_ERROR");
    assert_non_null(strstr(a.report.sentence, "lost"));
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
}

static void test_killed_while_idle(void **state) {
    (void)state;
    pid_t before = only_worker();
    kill(before, SIGKILL);
    siginfo_t dead; /* its last thread is gone; the pool is left to reap it */
    assert_int_equal(waitid(P_PID, (id_t)before, &dead, WEXITED | WNOWAIT), 0);
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
    assert_int_not_equal(only_worker(), before);
}

static void stop_worker(struct acting_sink *sink) {
    (void)sink;
    kill(only_worker(), SIGSTOP);
}

/* One that does not run at all hears no interrupt. */
static void test_stopped_worker_is_killed(void **state) {
    (void)state;
    struct acting_sink acting = {.act = stop_worker};
    struct run_limits limits = limits_ms(300);
    struct asked a = run_acting(&shop, &acting, &limits);
    assert_int_equal(a.r.why, FAIL_TIMEOUT);
    assert_answer(&shop, "SELECT 1 AS one", "one:int\n[1]\n");
}

static void test_memory(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 1, "
                   "memory_limit: 64MiB}]\n");
    struct asked a =
        ask(&rig, "SELECT count(*) FROM (SELECT i, count(*) FROM range(30000000) t(i) GROUP BY i)");
    assert_int_equal(a.r.why, FAIL_BACKEND);
    assert_non_null(strstr(a.report.sentence, "memory"));
    assert_answer(&rig, "SELECT 1 AS one", "one:int\n[1]\n");
    if (fence_calls_is_built) { /* not so under a sanitizer: there the bomb would go off */
        a = ask(&rig, "SELECT length(repeat('x', 3000000000))");
        assert_int_equal(a.r.why, FAIL_BACKEND);
        assert_answer(&rig, "SELECT 1 AS one", "one:int\n[1]\n");
    }
    rig_close(&rig);
}

/* -- the pool -----------------------------------------------------------------------------------
 */

static struct engine_rig *crowded;

static void ask_again(struct acting_sink *sink) {
    struct run_limits limits = limits_ms(100);
    struct asked inner = ask_within(crowded, "SELECT 1", &limits, 0);
    sink->inner = inner.r;
    sink->report = inner.report;
}

static void test_no_worker_free(void **state) {
    (void)state;
    static const char *const expected[] = {"queue is full", "none became free"};
    for (size_t queue = 0; queue < 2; queue++) {
        struct engine_rig rig;
        char list[128];
        snprintf(list, sizeof list,
                 "[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 1, queue: %zu}]\n",
                 queue);
        rig_open(&rig, list);
        crowded = &rig;
        struct acting_sink acting = {.act = ask_again};
        struct run_limits limits = limits_ms(1000);
        (void)run_acting(&rig, &acting, &limits);
        assert_int_equal(acting.inner.why, FAIL_BUSY);
        assert_string_equal(acting.report.code, "BACKEND_BUSY");
        assert_non_null(strstr(acting.report.sentence, expected[queue]));
        rig_close(&rig);
    }
}

struct crowd {
    struct engine_rig *rig;
    int id, wrong;
};

static void *ask_many(void *with) {
    struct crowd *one = with;
    for (int i = 0; i < 50; i++) {
        struct arena arena;
        struct line_sink lines;
        struct run_facts facts;
        struct report report = {0};
        char sql[64], expected[64];
        arena_init(&arena, 1 << 20);
        line_sink_init(&lines);
        snprintf(sql, sizeof sql, "SELECT %d AS v", one->id * 1000 + i);
        snprintf(expected, sizeof expected, "v:int\n[%d]\n", one->id * 1000 + i);
        struct run_limits limits = limits_ms(60000);
        result r = backend_run(one->rig->backend, str_of(sql), &limits, &lines.sink, &facts, &arena,
                               &report);
        bool is_right =
            r.why == FAIL_NONE && str_eq(buf_flat(&lines.text, &arena), str_of(expected));
        one->wrong += !is_right;
        buf_deinit(&lines.text);
        arena_deinit(&arena);
    }
    return NULL;
}

/* More callers than workers: each gets its own answer. */
static void test_many_callers(void **state) {
    (void)state;
    struct engine_rig rig;
    rig_open(&rig, "[{name: s, kind: duckdb, load: [\"shop/*.csv\"], workers: 2}]\n");
    pthread_t threads[8];
    struct crowd crowd[8];
    for (int i = 0; i < 8; i++) {
        crowd[i] = (struct crowd){.rig = &rig, .id = i};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &crowd[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(crowd[i].wrong, 0);
    }
    struct str sentence;
    assert_true(backend_kind_of(rig.backend)->is_ready(rig.backend, &sentence, &rig.arena));
    rig_close(&rig);
    pid_t pids[8];
    assert_int_equal(find_workers(pids), 1); /* the shop's alone: ours ended with their pool */
}

/* -- the environment of a worker ----------------------------------------------------------------
 */

static void test_worker_inherits_nothing(void **state) {
    (void)state;
    char path[64], bytes[4096];
    snprintf(path, sizeof path, "/proc/%d/environ", only_worker());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct str environment = {bytes, n};
    assert_true(str_find(environment, STR("PATH=")) == n);
    assert_true(str_find(environment, STR("WEIR_")) == n);

    snprintf(path, sizeof path, "/proc/%d/fd", only_worker());
    DIR *fds = opendir(path);
    assert_non_null(fds);
    size_t n_fds = 0;
    for (struct dirent *entry; (entry = readdir(fds)) != NULL;) n_fds += entry->d_name[0] != '.';
    closedir(fds);
    /* 0 to 4 and the database; DuckDB opens none besides. */
    assert_true(n_fds <= 7);
}

/* -- when we are killed -------------------------------------------------------------------------
 */

#define HOLD_WORD "hold-a-worker"

/* What a child of this test does: holds a worker in an endless query, tells who it is, and waits.
 */
static void tell_and_wait(struct acting_sink *sink) {
    (void)sink;
    printf("%d %s\n", (int)only_worker(), shop.state_dir);
    fflush(stdout);
    for (;;) pause();
}

static void hold_a_worker(void) {
    rig_open(&shop, SHOP);
    struct acting_sink acting = {.act = tell_and_wait};
    struct run_limits limits = limits_ms(60000);
    (void)run_acting(&shop, &acting, &limits);
    exit(1);
}

static void test_worker_does_not_outlive_us(void **state) {
    (void)state;
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl("/proc/self/exe", "test", HOLD_WORD, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *told = fdopen(out[0], "r");
    int worker = 0;
    char dir[512] = "", command[600];
    assert_int_equal(fscanf(told, "%d %511s", &worker, dir), 2);
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, worker, 0), .events = POLLIN};
    assert_true(end.fd >= 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(poll(&end, 1, 20000), 1);
    close(end.fd);
    fclose(told);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

int main(int argc, char **argv) {
    engine_worker(argc, argv);
    if (argc > 1 && strcmp(argv[1], HOLD_WORD) == 0) hold_a_worker();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_many_rows_in_many_frames),
        cmocka_unit_test(test_prepared_statements_come_and_go),
        cmocka_unit_test(test_long_statement),
        cmocka_unit_test(test_time_goes_on_in_a_prepared_statement),
        cmocka_unit_test(test_sink_may_end_early),
        cmocka_unit_test(test_engine_error_is_told),
        cmocka_unit_test(test_private_error_goes_to_the_record_only),
        cmocka_unit_test(test_error_after_rows),
        cmocka_unit_test(test_only_a_single_select_without_files_runs),
        cmocka_unit_test(test_type_without_a_shape),
        cmocka_unit_test(test_row_larger_than_a_frame),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_deadline_interrupts_a_scan),
        cmocka_unit_test(test_deadline_kills_what_cannot_be_interrupted),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_progress_grows_until_cancelled),
        cmocka_unit_test(test_killed_in_mid_query),
        cmocka_unit_test(test_killed_while_idle),
        cmocka_unit_test(test_stopped_worker_is_killed),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_no_worker_free),
        cmocka_unit_test(test_many_callers),
        cmocka_unit_test(test_worker_inherits_nothing),
        cmocka_unit_test(test_worker_does_not_outlive_us),
    };
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
