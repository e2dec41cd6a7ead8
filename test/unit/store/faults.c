/* Kills, full disks, damaged files, and each step failing in turn. */
#include "base/fault.h"
#include "room.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* -- files that are not ours ------------------------------------------------------------------- */

static void write_at(const char *path, size_t at, const char *bytes, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
    close(fd);
}

static void make_foreign(const char *path, const char *script) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, script, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void expect_refusal(struct room *room, const char *words) {
    struct report report = {0};
    struct store *store;
    result r = store_open(&room->settings, str_of(room->dir), &room->clock, &store, &report);
    assert_int_equal(r.why, FAIL_IO);
    assert_null(store);
    assert_string_equal(report.code, "STORE_UNAVAILABLE");
    assert_non_null(strstr(report.sentence, words));
    assert_non_null(strstr(report.sentence, room->file));
}

static void a_file_that_is_not_ours_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *script, *words;
    } rows[] = {
        {"this is a note, and long enough to be taken for the head of a database file if nobody "
         "looked at it: it is not one, as its first sixteen bytes tell to whoever reads them",
         NULL, "is no database"},
        {NULL, "CREATE TABLE customers(id)", "of another program"},
        {NULL, "CREATE TABLE x(id); PRAGMA application_id = 1", "of another program"},
        {NULL, "CREATE TABLE x(id); PRAGMA application_id = 0x77656972; PRAGMA user_version = 3",
         "of another version of Weir"},
        {NULL, "CREATE TABLE x(id); PRAGMA application_id = 0x77656972; PRAGMA user_version = 2",
         "cannot be used"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct room room;
        struct stat before, after;
        room_make(&room, STORE_SQLITE);
        if (rows[i].text != NULL) write_at(room.file, 0, rows[i].text, strlen(rows[i].text));
        if (rows[i].script != NULL) make_foreign(room.file, rows[i].script);
        assert_int_equal(stat(room.file, &before), 0);
        expect_refusal(&room, rows[i].words);
        assert_int_equal(stat(room.file, &after), 0);
        assert_int_equal(before.st_size, after.st_size); /* nothing was made in it */
        room_end(&room);
    }
}

/* As the first version made it, with an entry in it. */
static const char first_version[] =
    "CREATE TABLE sums(id INTEGER PRIMARY KEY CHECK(id = 1), tide INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "INSERT INTO sums VALUES(1, 7, 130);"
    "CREATE TABLE entry(id INTEGER PRIMARY KEY, version INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL);"
    "INSERT INTO entry VALUES(1, 7, 9223372036854775807, x'61', x'62');"
    "CREATE TABLE log(id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, name BLOB UNIQUE);"
    "CREATE TABLE event(log INTEGER NOT NULL, sequence INTEGER NOT NULL, value BLOB NOT NULL,"
    " UNIQUE(log, sequence));"
    "CREATE TABLE counter(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " key BLOB NOT NULL UNIQUE);"
    "PRAGMA application_id = 0x77656972; PRAGMA user_version = 1;";

static void an_older_file_is_brought_up(void **state) {
    (void)state;
    struct room room;
    struct store_admission out;
    const struct store_window window = {STR("w"), 1, MINUTE};
    room_make(&room, STORE_SQLITE);
    make_foreign(room.file, first_version);
    for (int life = 0; life < 2; life++) {
        room_open(&room);
        assert_int_equal(get(&room, "a").version, 7);
        must(store_admit(room.store, &window, 1, &out, &room.report));
        assert_int_equal(out.is_admitted, life == 0);
        store_close(room.store);
    }
    room.store = NULL;
    room_end(&room);
}

static void a_damaged_file_is_refused(void **state) {
    (void)state;
    struct room room;
    char junk[4096];
    memset(junk, 0xa5, sizeof junk);
    room_make(&room, STORE_SQLITE);
    room_open(&room);
    for (int i = 0; i < 200; i++) {
        append(&room, "log", "an event of some length, so that there are pages to damage");
        append(&room, "other", "e");
    }
    store_close(room.store);
    room.store = NULL;
    struct stat st;
    assert_int_equal(stat(room.file, &st), 0);
    for (off_t page = 1; page < st.st_size / 4096; page += 3)
        write_at(room.file, (size_t)page * 4096, junk, sizeof junk);
    expect_refusal(&room, "is damaged");
    room_end(&room);
}

static void what_the_system_denies_is_told(void **state) {
    (void)state;
    struct room room;
    room_make(&room, STORE_SQLITE);
    assert_int_equal(mkdir(room.file, 0700), 0);
    expect_refusal(&room, "cannot be used");
    rmdir(room.file);
    room.settings.path = STR("/nowhere/weir.db");
    struct report report = {0};
    struct store *store;
    result r = store_open(&room.settings, STR_NONE, &room.clock, &store, &report);
    assert_int_equal(r.why, FAIL_IO);
    assert_non_null(strstr(report.sentence, "No such file"));
    room_end(&room);
}

static void the_file_is_ours_alone(void **state) {
    (void)state;
    struct room room;
    struct stat st;
    room_make(&room, STORE_SQLITE);
    room_open(&room);
    put(&room, "a", "b", MINUTE);
    static const char *const names[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", room.file, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    room_end(&room);
}

static void what_was_written_is_there_again(void **state) {
    (void)state;
    struct room room;
    room_make(&room, STORE_SQLITE);
    room_open(&room);
    uint64_t version = put(&room, "a", "b", STORE_FOREVER);
    append(&room, "log", "e");
    add(&room, "c", 7, MINUTE);
    int64_t bytes = usage(&room);
    store_close(room.store);
    room_open(&room);
    assert_int_equal(get(&room, "a").version, version);
    assert_int_equal(append(&room, "log", "e"), 2);
    assert_int_equal(add(&room, "c", 1, MINUTE), 8);
    assert_true(put(&room, "a", "b", MINUTE) > version);
    assert_true(usage(&room) > bytes);
    room_end(&room);
}

static void a_file_that_went_away_is_told(void **state) {
    (void)state;
    struct room room;
    struct str sentence;
    room_make(&room, STORE_SQLITE);
    room_open(&room);
    assert_true(store_is_ready(room.store, &sentence, &room.arena));
    assert_int_equal(unlink(room.file), 0);
    assert_false(store_is_ready(room.store, &sentence, &room.arena));
    assert_true(str_find(sentence, STR("removed or replaced")) < sentence.len);
    room_end(&room);
}

/* -- a full disk ------------------------------------------------------------------------------- */

static int fill_until_refused(struct room *room, const char *value) {
    for (int n = 1;; n++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", n);
        struct store_item it = item(key, value, STORE_FOREVER);
        uint64_t version;
        result r = store_put(room->store, &it, &version, &room->report);
        if (r.why == FAIL_NONE) continue;
        assert_int_equal(r.why, FAIL_IO);
        assert_int_equal(version, STORE_ABSENT);
        return n;
    }
}

/* The limit is the whole process's, and taken off again before anything else is written. */
static void on_a_full_disk(void **state) {
    (void)state;
    struct room room;
    struct rlimit limit;
    struct str sentence;
    static char value[20000];
    memset(value, 'v', sizeof value - 1);
    room_make(&room, STORE_SQLITE);
    room_open(&room);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int refused = fill_until_refused(&room, value);
    assert_string_equal(room.report.code, "STORE_UNAVAILABLE");
    assert_false(store_is_ready(room.store, &sentence, &room.arena));
    assert_true(str_find(sentence, STR("cannot be written")) < sentence.len);
    assert_int_equal(get(&room, "k1").bytes.len, sizeof value - 1); /* reading goes on */
    limit.rlim_cur = 1; /* now not even what is there can be written again */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    store_tick(room.store);
    assert_false(store_is_ready(room.store, &sentence, &room.arena));
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    store_tick(room.store); /* finds out by itself */
    assert_true(store_is_ready(room.store, &sentence, &room.arena));
    for (int i = 1; i <= refused; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(get(&room, key).version != STORE_ABSENT, i < refused);
    }
    put(&room, "after", "x", MINUTE);
    room_end(&room);
}

/* -- kill -9 ----------------------------------------------------------------------------------- */

struct told {
    uint64_t sequence, version;
};

/* Appends and swaps until it is killed, and says each time what it was told. */
static _Noreturn void write_until_killed(struct room *room, int out) {
    struct store_append a = {.log = STR("log"), .value = STR("event"), .ttl_ms = STORE_FOREVER};
    struct store_item it = item("entry", "value", STORE_FOREVER);
    struct told told;
    bool is_well =
        store_open(&room->settings, str_of(room->dir), &room->clock, &room->store, NULL).why ==
        FAIL_NONE;
    while (is_well)
        is_well = store_append(room->store, &a, &told.sequence, NULL).why == FAIL_NONE &&
                  store_put(room->store, &it, &told.version, NULL).why == FAIL_NONE &&
                  write(out, &told, sizeof told) == sizeof told;
    _exit(1);
}

static void check_whole(const char *path) {
    sqlite3 *db;
    sqlite3_stmt *check;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(db);
}

/* Each life is killed after another number of answers, so that the kills fall anywhere. */
static void a_kill_loses_nothing_that_was_told(void **state) {
    (void)state;
    struct room room;
    struct told last = {0};
    room_make(&room, STORE_SQLITE);
    for (int life = 0; life < 20; life++) {
        int pipes[2], status;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) write_until_killed(&room, pipes[1]);
        close(pipes[1]);
        for (int i = 0; i < 1 + life * 7 % 50; i++)
            assert_int_equal(read(pipes[0], &last, sizeof last), sizeof last);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(pipes[0], &last, sizeof last) == sizeof last) {
        }
        close(pipes[0]);
        check_whole(room.file);
        room_open(&room);
        struct store_events tail = events(&room, "log", last.sequence - 1);
        assert_true(tail.last >= last.sequence && tail.last <= last.sequence + 1);
        assert_int_equal(tail.n, tail.last - last.sequence + 1);
        assert_true(get(&room, "entry").version >= last.version);
        store_close(room.store);
        room.store = NULL;
    }
    room_end(&room);
}

/* -- each step failing in turn ------------------------------------------------------------------
 */

/* A life of every verb. What is told to have failed must not be there, what is told is. */
static result live(struct room *room, struct arena *arena) {
    struct store_item it = item("a", "1", MINUTE), again = item("a", "2", MINUTE);
    struct store_append ap = {.log = STR("log"), .value = STR("e"), .ttl_ms = MINUTE, .keep = 1};
    struct store_value value;
    struct store_events all;
    struct store_usage used;
    struct store_admission admission;
    const struct store_window windows[] = {{STR("w"), 2, MINUTE}, {STR("w"), 9, 2}};
    struct store_place place = {STR("p"), STR("m"), MINUTE};
    uint64_t version, sequence;
    int64_t sum;
    bool was_there;
    TRY(store_put_new(room->store, &it, &version, &room->report));
    TRY(store_swap(room->store, &again, version, &version, &room->report));
    TRY(store_touch(room->store, STR("a"), version, MINUTE, &was_there, &room->report));
    TRY(store_append(room->store, &ap, &sequence, &room->report));
    TRY(store_append(room->store, &ap, &sequence, &room->report));
    TRY(store_read(room->store, STR("log"), 0, 10, arena, &all, &room->report));
    TRY(store_add(room->store, STR("c"), 1, MINUTE, &sum, &room->report));
    TRY(store_add(room->store, STR("c"), 1, MINUTE, &sum, &room->report));
    TRY(store_get(room->store, STR("a"), arena, &value, &room->report));
    TRY(store_take(room->store, STR("a"), arena, &value, &room->report));
    TRY(store_put(room->store, &it, NULL, &room->report));
    TRY(store_remove(room->store, STR("a"), STORE_ANY, &was_there, &room->report));
    TRY(store_drop(room->store, STR("log"), &was_there, &room->report));
    TRY(store_admit(room->store, windows, 2, &admission, &room->report));
    clock_move(&room->clock, 2);
    TRY(store_admit(room->store, windows, 2, &admission, &room->report));
    TRY(store_admit(room->store, windows, 2, &admission, &room->report));
    TRY(store_enter(room->store, &place, 1, &was_there, &room->report));
    TRY(store_stay(room->store, &place, &was_there, &room->report));
    TRY(store_leave(room->store, &place, &was_there, &room->report));
    TRY(store_enter(room->store, &place, 1, &was_there, &room->report));
    TRY(store_usage(room->store, &used, &room->report));
    clock_move(&room->clock, MINUTE);
    store_tick(room->store); /* tells nobody, and tries again */
    return OK;
}

/* Over Redis what has failed may have been done, but is as little in the way of what follows. */
static void every_failure_is_told_and_undone(void **state) {
    int kind = *(const int *)*state;
    for (long n = 0;; n++) {
        struct room room;
        struct arena arena;
        arena_init(&arena, 1 << 16);
        room_make(&room, kind);
        fault_set(n);
        result r =
            store_open(&room.settings, str_of(room.dir), &room.clock, &room.store, &room.report);
        bool is_open = r.why == FAIL_NONE;
        if (is_open) r = live(&room, &arena);
        bool is_over = fault_unused();
        fault_off();
        arena_deinit(&arena);
        if (r.why != FAIL_NONE) {
            assert_true(r.why == FAIL_IO || r.why == FAIL_MEMORY);
            assert_int_equal(room.report.why, r.why);
            if (!is_open) room_open(&room);
            room.report = (struct report){0};
            clock_move(&room.clock, MINUTE); /* nothing of before is in the way */
            store_tick(room.store);          /* nor a pause after it */
            must(live(&room, &room.arena));
        }
        for (int i = 0; i < 3; i++) store_tick(room.store);
        assert_int_equal(usage(&room), 0); /* no byte was counted twice, or not at all */
        if (kind == STORE_SQLITE) check_whole(room.file);
        room_end(&room);
        if (is_over) break;
        assert_true(n < 1000);
    }
}

static void a_failed_commit_changes_nothing(void **state) {
    (void)state;
    struct room room;
    room_make(&room, STORE_SQLITE);
    room_open(&room);
    uint64_t version = put(&room, "a", "1", MINUTE), before = tide(&room);
    for (long n = 0;; n++) {
        struct store_item it = item("a", "2", MINUTE);
        struct report report = {0};
        uint64_t swapped;
        fault_set(n);
        result r = store_swap(room.store, &it, version, &swapped, &report);
        bool is_over = fault_unused();
        fault_off();
        if (is_over) {
            assert_int_equal(r.why, FAIL_NONE);
            assert_true(swapped > version);
            break;
        }
        assert_int_equal(r.why, FAIL_IO);
        assert_int_equal(swapped, STORE_ABSENT);
        assert_int_equal(get(&room, "a").version, version);
        assert_int_equal(tide(&room), before);
    }
    room_end(&room);
}

int main(void) {
    static int sqlite = STORE_SQLITE, redis = STORE_REDIS;
    const struct CMUnitTest on_redis[] = {
        cmocka_unit_test_prestate(every_failure_is_told_and_undone, &redis),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_loses_nothing_that_was_told), /* forks: before any other opens */
        cmocka_unit_test(a_file_that_is_not_ours_is_refused),
        cmocka_unit_test(an_older_file_is_brought_up),
        cmocka_unit_test(a_damaged_file_is_refused),
        cmocka_unit_test(what_the_system_denies_is_told),
        cmocka_unit_test(the_file_is_ours_alone),
        cmocka_unit_test(what_was_written_is_there_again),
        cmocka_unit_test(a_file_that_went_away_is_told),
        cmocka_unit_test(on_a_full_disk),
        cmocka_unit_test_prestate(every_failure_is_told_and_undone, &sqlite),
        cmocka_unit_test(a_failed_commit_changes_nothing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (room_n_kinds() == COUNT(room_kinds)) failed += cmocka_run_group_tests(on_redis, NULL, NULL);
    return failed;
}
