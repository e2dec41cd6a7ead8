/* Files: opening, days, a full disk, a second process, and the Nth failure. */
#include "room.h"

#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static size_t count_lines(const struct room *room, const char *name) {
    size_t len, n = 0;
    char *bytes = room_read(room, name, &len);
    for (size_t i = 0; i < len; i++) n += bytes[i] == '\n';
    free(bytes);
    return n;
}

static bool file_holds(const struct room *room, const char *name, const char *part) {
    size_t len;
    char *bytes = room_read(room, name, &len);
    bool is_there = strstr(bytes, part) != NULL;
    free(bytes);
    return is_there;
}

/* -- days ------------------------------------------------------------------------------------- */

static void a_new_day_is_a_new_file(void **state) {
    (void)state;
    struct room room;
    struct audit_journal journal;
    struct audit_verified out;
    room_init(&room);
    room_open(&room, &journal);
    room_write(&room, &journal, 1, 3);
    clock_move(&room.clock, DAY_MS);
    room_write(&room, &journal, 4, 5);
    clock_move(&room.clock, 2 * DAY_MS); /* nobody asked anything on the 22nd */
    audit_journal_rotate(&journal);
    room_write(&room, &journal, 6, 6);
    clock_move(&room.clock, -DAY_MS); /* a clock that goes back begins nothing */
    room_write(&room, &journal, 7, 7);
    room_close(&journal);
    assert_int_equal(count_lines(&room, "audit-2026-11-20.jsonl"), 3);
    assert_int_equal(count_lines(&room, "audit-2026-11-21.jsonl"), 2);
    assert_int_equal(count_lines(&room, "audit.jsonl"), 2);
    assert_int_equal(room_verify(&room, &out), FAIL_NONE);
    assert_int_equal(out.files, 3);
    assert_int_equal(out.records, 7);
    assert_int_equal(out.last_seq, 7);
    room_deinit(&room);
}

static void midnight_is_utc_and_exact(void **state) {
    (void)state;
    struct room room;
    struct audit_journal journal;
    room_init(&room);
    room_open(&room, &journal);
    clock_move(&room.clock, DAY_MS - ROOM_TIME % DAY_MS - 1); /* 23:59:59.999 */
    room_write(&room, &journal, 1, 1);
    assert_false(room_has(&room, "audit-2026-11-20.jsonl"));
    clock_move(&room.clock, 1);
    room_write(&room, &journal, 2, 2);
    assert_int_equal(count_lines(&room, "audit-2026-11-20.jsonl"), 1);
    room_close(&journal);
    room_assert_sound(&room, 2);
    room_deinit(&room);
}

static void a_restart_on_a_new_day_rotates(void **state) {
    (void)state;
    struct room room;
    room_init(&room);
    room_fill(&room, 1, 2);
    clock_move(&room.clock, DAY_MS);
    room_fill(&room, 3, 4);
    assert_int_equal(count_lines(&room, "audit-2026-11-20.jsonl"), 2);
    assert_int_equal(count_lines(&room, "audit.jsonl"), 2);
    /* the head's day counts, and without a head that of the last record */
    char path[512];
    snprintf(path, sizeof path, "%s/audit.head", room.state);
    unlink(path);
    clock_move(&room.clock, DAY_MS);
    room_fill(&room, 5, 5);
    assert_int_equal(count_lines(&room, "audit-2026-11-21.jsonl"), 2);
    room_assert_sound(&room, 6); /* five and the note about the head */
    room_deinit(&room);
}

static void a_taken_name_gets_a_part(void **state) {
    (void)state;
    struct room room;
    struct audit_verified out;
    room_init(&room);
    room_fill(&room, 1, 2);
    char from[512], to[512];
    room_path(&room, "audit.jsonl", from);
    room_path(&room, "audit-2026-11-20.jsonl", to);
    assert_int_equal(rename(from, to), 0); /* killed between the rename and the new file */
    room_fill(&room, 3, 4);
    clock_move(&room.clock, DAY_MS);
    room_fill(&room, 5, 5);
    assert_int_equal(count_lines(&room, "audit-2026-11-20.2.jsonl"), 2);
    assert_int_equal(room_verify(&room, &out), FAIL_NONE);
    assert_int_equal(out.records, 5);
    assert_int_equal(out.files, 3);
    room_deinit(&room);
}

static void a_missing_day_is_a_gap(void **state) {
    (void)state;
    struct room room;
    char path[512];
    room_init(&room);
    for (int i = 0; i < 3; i++) {
        room_fill(&room, 2 * i + 1, 2 * i + 2);
        clock_move(&room.clock, DAY_MS);
    }
    room_fill(&room, 7, 7);
    room_assert_sound(&room, 7);
    size_t len;
    char *bytes = room_read(&room, "audit-2026-11-21.jsonl", &len);
    room_path(&room, "audit-2026-11-21.jsonl", path);
    unlink(path);
    room_assert_broken(&room, "AUDIT_BROKEN",
                       "records 3 to 4 are missing before line 1 of 'audit-2026-11-22.jsonl'");
    room_store(&room, "audit-2026-11-21.jsonl", bytes, len - 5);
    room_assert_broken(&room, "AUDIT_BROKEN", "line 2 of 'audit-2026-11-21.jsonl' is torn");
    room_store(&room, "audit-2026-11-21.jsonl", bytes, len);
    room_path(&room, "audit-2026-11-20.jsonl", path);
    unlink(path);
    room_assert_broken(&room, "AUDIT_BROKEN", "records 1 to 2 are missing before line 1");
    free(bytes);
    room_deinit(&room);
}

static void old_files_go_and_the_rest_is_sound(void **state) {
    (void)state;
    struct room room;
    struct audit_verified out;
    room_init(&room);
    room.settings.keep_days = 2;
    for (int i = 0; i < 6; i++) {
        room_fill(&room, 2 * i + 1, 2 * i + 2);
        clock_move(&room.clock, DAY_MS);
    }
    room_fill(&room, 13, 13); /* the 26th */
    assert_false(room_has(&room, "audit-2026-11-23.jsonl"));
    assert_true(room_has(&room, "audit-2026-11-24.jsonl"));
    assert_int_equal(room_verify(&room, &out), FAIL_NONE);
    assert_int_equal(out.first_seq, 9);
    assert_int_equal(out.last_seq, 13);
    /* what the settings did not delete is missed */
    char path[512];
    room_path(&room, "audit-2026-11-24.jsonl", path);
    unlink(path);
    room_assert_broken(&room, "AUDIT_BROKEN", "records 9 to 10 are missing");
    room_deinit(&room);
}

static void everything_may_be_old(void **state) {
    (void)state;
    struct room room;
    struct audit_verified out;
    room_init(&room);
    room.settings.keep_days = 1;
    room_fill(&room, 1, 2);
    clock_move(&room.clock, 10 * DAY_MS);
    room_fill(&room, 1, 0);
    assert_false(room_has(&room, "audit-2026-11-20.jsonl"));
    room_assert_sound(&room, 0);
    room_fill(&room, 3, 3);
    assert_int_equal(room_verify(&room, &out), FAIL_NONE);
    assert_int_equal(out.first_seq, 3);
    assert_int_equal(out.records, 1);
    room_deinit(&room);
}

/* -- torn ends -------------------------------------------------------------------------------- */

static size_t count_torn(const struct room *room, char name[256]) {
    size_t n = 0;
    DIR *dir = opendir(room->logs);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strncmp(e->d_name, "audit.torn-", 11) != 0) continue;
        snprintf(name, 256, "%s", e->d_name);
        n++;
    }
    closedir(dir);
    return n;
}

static void a_torn_end_is_set_aside_and_recorded(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } ends[] = {{"{\"audit_id\":\"r4\",\"req", 21},
                {"{\"audit_id\":\"r4\"}\n", 18}, /* a whole line that is none of ours */
                {"\0\0\0\0\0\0\0\0", 8},         /* what a loss of power leaves */
                {"\n\nx", 3}};
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct room room;
        size_t len;
        char name[256];
        room_init(&room);
        room_fill(&room, 1, 3);
        char *bytes = room_read(&room, "audit.jsonl", &len);
        bytes = realloc(bytes, len + 64);
        memcpy(bytes + len, ends[i].bytes, ends[i].len);
        room_store(&room, "audit.jsonl", bytes, len + ends[i].len);
        free(bytes);
        room_fill(&room, 4, 4);
        room_assert_sound(&room, 5);
        assert_true(file_holds(&room, "audit.jsonl", "\"error_code\":\"AUDIT_TORN\""));
        assert_int_equal(count_torn(&room, name), 1);
        char *kept = room_read(&room, name, &len);
        assert_int_equal(len, ends[i].len);
        assert_memory_equal(kept, ends[i].bytes, len);
        free(kept);
        room_deinit(&room);
    }
}

static void a_file_of_nothing_but_rubbish_is_set_aside(void **state) {
    (void)state;
    struct room room;
    char name[256];
    size_t len = 300000;
    room_init(&room);
    room_fill(&room, 1, 0);
    char *rubbish = malloc(len);
    memset(rubbish, 'x', len);
    for (size_t i = 100; i < len; i += 1000) rubbish[i] = '\n';
    room_store(&room, "audit.jsonl", rubbish, len);
    room_fill(&room, 1, 2);
    room_assert_sound(&room, 3);
    assert_int_equal(count_torn(&room, name), 1);
    free(rubbish);
    room_deinit(&room);
}

static void a_long_last_line_is_found(void **state) {
    (void)state;
    struct room room;
    struct audit_journal journal;
    size_t len = 3 << 20, n_whole;
    char *text = malloc(len);
    memset(text, 's', len);
    room_init(&room);
    room_open(&room, &journal);
    struct audit_record record = room_record("long");
    record.sql_asked = (struct str){text, len};
    struct audit_block *block = audit_block_make(&record);
    assert_int_equal(audit_journal_append(&journal, &block, 1, &n_whole).why, FAIL_NONE);
    audit_block_free(block);
    room_close(&journal);
    room_fill(&room, 2, 2);
    room_assert_sound(&room, 2);
    free(text);
    room_deinit(&room);
}

/* -- a second process ------------------------------------------------------------------------- */

static void a_second_process_has_a_chain_of_its_own(void **state) {
    (void)state;
    struct room room;
    struct audit_journal first;
    struct audit_verified out;
    char name[64];
    room_init(&room);
    room_open(&room, &first);
    room_write(&room, &first, 1, 2);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct audit_journal second;
        struct report report = {0};
        bool is_open = audit_journal_open(&room.settings, str_of(room.logs), str_of(room.state),
                                          &room.clock, &second, &report)
                           .why == FAIL_NONE;
        if (!is_open || !second.is_side) _exit(1);
        struct audit_record record = room_record("side");
        struct audit_block *block = audit_block_make(&record);
        size_t n_whole;
        if (audit_journal_append(&second, &block, 1, &n_whole).why != FAIL_NONE) _exit(2);
        if (audit_journal_head(&second).why != FAIL_NONE) _exit(3);
        audit_block_free(block);
        audit_journal_close(&second);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    room_write(&room, &first, 3, 3);
    room_close(&first);
    snprintf(name, sizeof name, "audit.%d.jsonl", (int)child);
    assert_int_equal(count_lines(&room, name), 1);
    snprintf(name, sizeof name, "audit.%d.lock", (int)child);
    assert_false(room_has(&room, name));
    assert_int_equal(room_verify(&room, &out), FAIL_NONE);
    assert_int_equal(out.files, 2);
    assert_int_equal(out.records, 4);
    assert_int_equal(out.last_seq, 3);
    /* the side chain is guarded as well */
    char path[512];
    snprintf(name, sizeof name, "audit.%d.jsonl", (int)child);
    room_path(&room, name, path);
    unlink(path);
    room_assert_broken(&room, "AUDIT_BROKEN", "records 1 to 1 were written and are missing");
    room_deinit(&room);
}

static void the_lock_ends_with_its_process(void **state) {
    (void)state;
    struct room room;
    struct audit_journal one, two, three;
    room_init(&room);
    room_open(&room, &one);
    room_open(&room, &two); /* the same process number twice, as of two containers */
    room_open(&room, &three);
    assert_false(one.is_side);
    assert_true(two.is_side && three.is_side);
    assert_string_not_equal(two.chain_name, three.chain_name);
    room_write(&room, &two, 1, 1);
    room_write(&room, &three, 2, 2);
    room_close(&one);
    room_close(&two);
    room_close(&three);
    room_open(&room, &one);
    assert_false(one.is_side);
    room_close(&one);
    room_assert_sound(&room, 2);
    room_deinit(&room);
}

static void chains_of_ended_processes_go_when_they_are_old(void **state) {
    (void)state;
    struct room room;
    struct audit_journal one, two;
    char name[AUDIT_NAME_MAX], path[512];
    room_init(&room);
    room.settings.keep_days = 5;
    room_open(&room, &one);
    room_open(&room, &two);
    room_write(&room, &one, 1, 1);
    room_write(&room, &two, 2, 2);
    audit_name_write(name, str_of(two.chain_name), STR(".jsonl"), AUDIT_DAY_CURRENT, 1);
    room_path(&room, name, path);
    struct timespec times[2] = {{ROOM_TIME / 1000, 0}, {ROOM_TIME / 1000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    clock_move(&room.clock, 6 * DAY_MS);
    room_write(&room, &one, 3, 3);
    assert_true(room_has(&room, name)); /* its process lives */
    room_close(&two);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    clock_move(&room.clock, DAY_MS);
    room_write(&room, &one, 4, 4);
    assert_false(room_has(&room, name));
    room_close(&one);
    room_assert_sound(&room, 2); /* the file of the first day is old, too */
    room_deinit(&room);
}

/* -- failures --------------------------------------------------------------------------------- */

/* Groups of four until the disk is full: what was acknowledged is there, nothing else is, and the
 * file ends with a whole line at every moment. */
static int fill_disk(struct room *room) {
    struct audit_journal journal;
    struct report report = {0};
    struct rlimit limit = {10000, 10000 + (1 << 20)};
    size_t n_acknowledged = 0, n_failed = 0;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    if (audit_journal_open(&room->settings, str_of(room->logs), str_of(room->state), &room->clock,
                           &journal, &report)
            .why != FAIL_NONE) {
        return 2;
    }
    for (int i = 0; i < 10; i++) {
        if (i == 8) { /* somebody makes room */
            limit.rlim_cur = 1 << 20;
            if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 3;
        }
        struct audit_record record = room_record("full");
        struct audit_block *blocks[4];
        size_t n_whole;
        for (size_t j = 0; j < 4; j++) blocks[j] = audit_block_make(&record);
        result r = audit_journal_append(&journal, blocks, 4, &n_whole);
        if ((r.why == FAIL_NONE) != (n_whole == 4)) return 4;
        if (r.why != FAIL_NONE && (r.why != FAIL_IO || journal.error != EFBIG)) return 5;
        n_acknowledged += n_whole;
        n_failed += 4 - n_whole;
        for (size_t j = 0; j < 4; j++) audit_block_free(blocks[j]);
        if (count_lines(room, "audit.jsonl") != n_acknowledged) return 6;
    }
    if (n_failed == 0 || n_acknowledged < 8 + 1) return 7;
    if (audit_journal_head(&journal).why != FAIL_NONE) return 8;
    audit_journal_close(&journal);
    struct audit_verified out;
    if (room_verify(room, &out) != FAIL_NONE) return 9;
    return out.records == n_acknowledged ? 0 : 10;
}

static void a_full_disk_loses_nothing_that_was_acknowledged(void **state) {
    (void)state;
    for (int sync = AUDIT_EVERYSEC; sync <= AUDIT_ALWAYS; sync++) {
        struct room room;
        room_init(&room);
        room.settings.sync = sync;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) _exit(fill_disk(&room));
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        room_deinit(&room);
    }
}

/* One life with a fault at the Nth place: opening, three days of records, closing. Returns how many
 * records were acknowledged. */
static int live(struct room *room) {
    struct audit_journal journal;
    struct report report = {0};
    int acknowledged = 0;
    if (audit_journal_open(&room->settings, str_of(room->logs), str_of(room->state), &room->clock,
                           &journal, &report)
            .why != FAIL_NONE) {
        assert_true(report.sentence[0] != '\0');
        return 0;
    }
    for (int i = 0; i < 6; i++) {
        struct audit_record record = room_record("x");
        struct audit_block *blocks[2] = {audit_block_make(&record), audit_block_make(&record)};
        size_t n_whole = 0;
        if (blocks[0] != NULL && blocks[1] != NULL) {
            result r = audit_journal_append(&journal, blocks, 2, &n_whole);
            assert_true((r.why == FAIL_NONE) == (n_whole == 2));
        }
        acknowledged += (int)n_whole;
        audit_block_free(blocks[0]);
        audit_block_free(blocks[1]);
        if (i % 2 == 1) clock_move(&room->clock, DAY_MS);
    }
    if (audit_journal_sync(&journal).why == FAIL_NONE) (void)!audit_journal_head(&journal).why;
    audit_journal_close(&journal);
    return acknowledged;
}

static void the_log_is_sound_after_any_fault(void **state) {
    (void)state;
    for (int sync = AUDIT_EVERYSEC; sync <= AUDIT_ALWAYS; sync++) {
        for (long n = 0;; n++) {
            struct room room;
            size_t len;
            room_init(&room);
            room.settings.sync = sync;
            room.settings.keep_days = 300;
            room_fill(&room, 1, 2);
            char *bytes = room_read(&room, "audit.jsonl", &len);
            bytes[len - 1] = 'x'; /* a torn end, so that its road is walked, too */
            room_store(&room, "audit.jsonl", bytes, len);
            free(bytes);
            fault_set(n);
            int acknowledged = live(&room);
            bool is_done = fault_unused();
            fault_off();
            struct audit_verified out;
            room_fill(&room, 1, 1);
            enum fail why = room_verify(&room, &out);
            /* The torn line was the second record, so the log has a gap that is told; without a
             * state directory, all lines that are there fit. */
            assert_int_equal(why, FAIL_INPUT);
            assert_non_null(strstr(room.report.sentence, "records 2 to 2 are missing"));
            size_t ids = 0;
            DIR *dir = opendir(room.logs);
            for (struct dirent *e; (e = readdir(dir)) != NULL;) {
                if (strstr(e->d_name, ".jsonl") == NULL || strstr(e->d_name, "torn")) continue;
                char *text = room_read(&room, e->d_name, &len);
                assert_true(len == 0 || text[len - 1] == '\n');
                for (char *at = text; (at = strstr(at, "\"audit_id\":\"x\"")) != NULL; at++) ids++;
                free(text);
            }
            closedir(dir);
            assert_int_equal(ids, acknowledged);
            room_deinit(&room);
            if (is_done) {
                assert_true(n > 30);
                break;
            }
        }
    }
}

static void opening_says_what_it_cannot(void **state) {
    (void)state;
    struct room room;
    struct audit_journal journal;
    struct report report = {0};
    room_init(&room);
    assert_int_equal(audit_journal_open(&room.settings, STR("/nonexistent/a/b"), str_of(room.state),
                                        &room.clock, &journal, &report)
                         .why,
                     FAIL_IO);
    assert_string_equal(report.code, "AUDIT_UNAVAILABLE");
    assert_non_null(strstr(report.sentence, "/nonexistent/a/b"));
    report_clear(&report);
    room.settings.file = STR("a/b");
    assert_int_equal(audit_journal_open(&room.settings, str_of(room.logs), str_of(room.state),
                                        &room.clock, &journal, &report)
                         .why,
                     FAIL_CONFIG);
    room_deinit(&room);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_day_is_a_new_file),
        cmocka_unit_test(midnight_is_utc_and_exact),
        cmocka_unit_test(a_restart_on_a_new_day_rotates),
        cmocka_unit_test(a_taken_name_gets_a_part),
        cmocka_unit_test(a_missing_day_is_a_gap),
        cmocka_unit_test(old_files_go_and_the_rest_is_sound),
        cmocka_unit_test(everything_may_be_old),
        cmocka_unit_test(a_torn_end_is_set_aside_and_recorded),
        cmocka_unit_test(a_file_of_nothing_but_rubbish_is_set_aside),
        cmocka_unit_test(a_long_last_line_is_found),
        cmocka_unit_test(a_second_process_has_a_chain_of_its_own),
        cmocka_unit_test(the_lock_ends_with_its_process),
        cmocka_unit_test(chains_of_ended_processes_go_when_they_are_old),
        cmocka_unit_test(a_full_disk_loses_nothing_that_was_acknowledged),
        cmocka_unit_test(the_log_is_sound_after_any_fault),
        cmocka_unit_test(opening_says_what_it_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
