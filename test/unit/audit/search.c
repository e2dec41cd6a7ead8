/* Names, and what a search finds over days and processes. */
#include "room.h"

#include "audit/names.h"
#include "base/fault.h"

static void names_are_read_and_written(void **state) {
    (void)state;
    static const struct {
        const char *name, *chain;
        int64_t day;
        uint64_t part;
    } cases[] = {
        {"audit.jsonl", "audit", AUDIT_DAY_CURRENT, 1},
        {"audit-2026-11-20.jsonl", "audit", 20777, 1},
        {"audit-2026-11-20.2.jsonl", "audit", 20777, 2},
        {"audit.4711.jsonl", "audit.4711", AUDIT_DAY_CURRENT, 1},
        {"audit.4711_2.jsonl", "audit.4711_2", AUDIT_DAY_CURRENT, 1},
        {"audit.4711-2026-11-20.13.jsonl", "audit.4711", 20777, 13},
    };
    static const char *const others[] = {"",
                                         "audit",
                                         ".jsonl",
                                         "audit.jsonl.gz",
                                         "audit.torn-1795165200000.jsonl",
                                         "audit.lock",
                                         "audit.4711.lock",
                                         "auditor.jsonl",
                                         "audit-2026-11.jsonl",
                                         "audit-2026-13-01.jsonl",
                                         "audit-2026-11-20.1.jsonl",
                                         "audit-2026-11-20.x.jsonl",
                                         "audit-2026-11-20x.jsonl",
                                         "audit.47_.jsonl",
                                         "audit._2.jsonl",
                                         "x-audit.jsonl"};
    struct audit_base base;
    struct audit_file file;
    assert_int_equal(audit_base_of(STR("audit.jsonl"), &base, NULL).why, FAIL_NONE);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char name[AUDIT_NAME_MAX];
        assert_true(audit_name_read(&base, str_of(cases[i].name), &file));
        assert_true(str_eq(file.chain, str_of(cases[i].chain)));
        assert_int_equal(file.day, cases[i].day);
        assert_int_equal(file.part, cases[i].part);
        audit_name_write(name, file.chain, base.ext, file.day, file.part);
        assert_string_equal(name, cases[i].name);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (audit_name_read(&base, str_of(others[i]), &file)) fail_msg("'%s' was read", others[i]);
    }
}

/* -- searching -------------------------------------------------------------------------------- */

struct seen {
    char ids[512]; /* "a b c" */
    size_t n, stop_at;
};

static bool see(struct str line, void *with) {
    struct seen *seen = with;
    size_t len = strlen(seen->ids);
    struct str id = audit_line_text(line, STR("audit_id"));
    snprintf(seen->ids + len, sizeof seen->ids - len, "%s" STR_FMT, len > 0 ? " " : "",
             STR_ARG(id));
    return ++seen->n != seen->stop_at;
}

static void assert_finds(struct room *room, const struct audit_query *query, const char *ids) {
    struct seen seen = {.n = 0};
    result r = audit_search(str_of(room->logs), room->settings.file, query, see, &seen, NULL);
    assert_int_equal(r.why, FAIL_NONE);
    assert_string_equal(seen.ids, ids);
}

static void submit(struct room *room, struct audit_journal *journal,
                   const struct audit_record *record) {
    size_t n_whole;
    struct audit_record copy = *record;
    copy.time_ms = clock_wall_ms(&room->clock);
    struct audit_block *block = audit_block_make(&copy);
    assert_int_equal(audit_journal_append(journal, &block, 1, &n_whole).why, FAIL_NONE);
    audit_block_free(block);
}

static void put(struct room *room, struct audit_journal *journal, const char *id, struct str user,
                struct str tool, const char *outcome) {
    struct audit_record record = room_record(id);
    record.user_id = user;
    record.tool_name = tool;
    record.outcome = outcome;
    submit(room, journal, &record);
}

/* Two days; two processes that write in turns on the second. */
static void make_log(struct room *room) {
    struct audit_journal one, two;
    room_open(room, &one);
    put(room, &one, "a", STR("ann"), STR("describe_table"), "success");
    put(room, &one, "b", STR("bob \"b\""), STR("run_select_sql"), "denied");
    clock_move(&room->clock, DAY_MS);
    room_open(room, &two);
    put(room, &one, "c", STR("ann"), STR("run_select_sql"), "error");
    for (int i = 0; i < 4; i++) {
        static const char *const ids[] = {"d", "e", "f", "g"};
        clock_move(&room->clock, 10);
        put(room, i % 2 == 0 ? &two : &one, ids[i], STR("ann"), STR("list"), "success");
    }
    room_close(&one);
    room_close(&two);
}

static void filters_and_order(void **state) {
    (void)state;
    static const struct {
        struct audit_query query;
        const char *ids;
    } cases[] = {
        {{.last = 0}, "a b c d e f g"},
        {{.last = 3}, "e f g"},
        {{.last = 1}, "g"},
        {{.last = 100}, "a b c d e f g"},
        {{.user_id = STR_INIT("ann")}, "a c d e f g"},
        {{.user_id = STR_INIT("ann"), .last = 2}, "f g"},
        {{.user_id = STR_INIT("an")}, ""},
        {{.user_id = STR_INIT("bob \"b\"")}, "b"},
        {{.tool_name = STR_INIT("run_select_sql")}, "b c"},
        {{.outcome = STR_INIT("denied")}, "b"},
        {{.audit_id = STR_INIT("f")}, "f"},
        {{.tool_name = STR_INIT("run_select_sql"), .user_id = STR_INIT("ann")}, "c"},
        {{.since = STR_INIT("2026-11-21")}, "c d e f g"},
        {{.until = STR_INIT("2026-11-20")}, "a b"},
        {{.since = STR_INIT("2026-11-21T09:15:00.133")}, "d e f g"},
        {{.since = STR_INIT("2026-11-21T09:15:00.133"),
          .until = STR_INIT("2026-11-21T09:15:00.14")},
         "d e"},
        {{.since = STR_INIT("2027")}, ""},
        {{.text = STR_INIT("SELECT \"a\"\nFROM t")}, "a b c d e f g"},
        {{.text = STR_INIT("\"outcome\":\"error\"")}, "c"},
        {{.text = STR_INIT("\xE5\x8D\x8E"), .last = 1}, "g"},
        {{.text = STR_INIT("nowhere")}, ""},
    };
    struct room room;
    room_init(&room);
    make_log(&room);
    for (size_t i = 0; i < COUNT(cases); i++) assert_finds(&room, &cases[i].query, cases[i].ids);
    struct seen seen = {.stop_at = 2};
    struct audit_query all = {.last = 4};
    assert_int_equal(
        audit_search(str_of(room.logs), room.settings.file, &all, see, &seen, NULL).why, FAIL_NONE);
    assert_string_equal(seen.ids, "d e");
    room_assert_sound(&room, 7);
    room_deinit(&room);
}

/* What a caller put into its arguments does not make a record somebody else's. */
static void arguments_are_not_fields(void **state) {
    (void)state;
    struct room room;
    struct audit_journal journal;
    room_init(&room);
    room_open(&room, &journal);
    struct audit_record record = room_record("a");
    record.request_params_json = STR("{\"user_id\":\"boss\",\"x\":[{\"outcome\":\"denied\"}]}");
    record.client_id = STR("x\",\"user_id\":\"boss");
    submit(&room, &journal, &record);
    room_close(&journal);
    assert_finds(&room, &(struct audit_query){.user_id = STR("boss")}, "");
    assert_finds(&room, &(struct audit_query){.outcome = STR("denied")}, "");
    assert_finds(&room, &(struct audit_query){.user_id = STR("ann")}, "a");
    room_deinit(&room);
}

static void a_torn_end_is_passed_over(void **state) {
    (void)state;
    struct room room;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 3);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    room_store(&room, "audit.jsonl", bytes, len - 1);
    free(bytes);
    assert_finds(&room, &(struct audit_query){.last = 0}, "r1 r2");
    room_deinit(&room);
}

static void empty_and_absent_logs(void **state) {
    (void)state;
    struct room room;
    struct seen seen = {.n = 0};
    struct audit_query all = {.last = 0};
    room_init(&room);
    assert_int_equal(
        audit_search(str_of(room.logs), room.settings.file, &all, see, &seen, NULL).why, FAIL_IO);
    room_fill(&room, 1, 0);
    assert_finds(&room, &all, "");
    room_deinit(&room);
}

static void faults_end_a_search(void **state) {
    (void)state;
    struct room room;
    room_init(&room);
    make_log(&room);
    for (long n = 0;; n++) {
        struct seen seen = {.n = 0};
        struct audit_query query = {.user_id = STR("ann"), .last = 2};
        fault_set(n);
        result r = audit_search(str_of(room.logs), room.settings.file, &query, see, &seen, NULL);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) {
            assert_string_equal(seen.ids, "f g");
            assert_true(n > 5);
            break;
        }
        assert_true(r.why == FAIL_MEMORY || r.why == FAIL_IO);
    }
    room_deinit(&room);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_and_written), cmocka_unit_test(filters_and_order),
        cmocka_unit_test(arguments_are_not_fields),   cmocka_unit_test(a_torn_end_is_passed_over),
        cmocka_unit_test(empty_and_absent_logs),      cmocka_unit_test(faults_end_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
