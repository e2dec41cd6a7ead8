/* Strangers are counted by peer, code and minute, and never fill the disk. */
#include "rig.h"

#include "road/refused.h"

static struct rig rig;
static struct refused *refused;

static int setup(void **state) {
    (void)state;
    rig_init(&rig);
    refused = refused_new(rig.audit, &rig.clock);
    assert_non_null(refused);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    refused_free(refused);
    rig_deinit(&rig);
    return 0;
}

/* What is recorded once all is closed. */
static void read_all(struct rig_log *log) {
    refused_free(refused);
    refused = NULL;
    rig_end(&rig);
    rig_read_log(&rig, log);
}

static const struct json *line_of(const struct rig_log *log, const char *peer, const char *code) {
    const struct json *found = NULL;
    for (size_t i = 0; i < log->n; i++) {
        if (!json_is_text(json_get(log->lines[i], STR("source_ip")), str_of(peer)) ||
            !json_is_text(json_get(log->lines[i], STR("error_code")), str_of(code)))
            continue;
        assert_null(found);
        found = log->lines[i];
    }
    return found;
}

static int64_t repeated(const struct json *line) {
    assert_non_null(line);
    return json_get(line, STR("repeated"))->integer;
}

static void makes_one_record_of_a_minute(void **state) {
    (void)state;
    struct rig_log log;
    for (int i = 0; i < 1000; i++) {
        refused_count(refused, STR("192.0.2.1"), "AUTH_REQUIRED");
        if (i % 10 == 0) refused_count(refused, STR("192.0.2.1"), "AUTH_INVALID_TOKEN");
        if (i % 100 == 0) refused_count(refused, STR("192.0.2.2"), "AUTH_REQUIRED");
        refused_tick(refused);
    }
    clock_move(&rig.clock, 60000);
    refused_tick(refused);
    read_all(&log);
    assert_int_equal(log.n, 3);
    const struct json *line = line_of(&log, "192.0.2.1", "AUTH_REQUIRED");
    assert_int_equal(repeated(line), 1000);
    assert_int_equal(repeated(line_of(&log, "192.0.2.1", "AUTH_INVALID_TOKEN")), 100);
    assert_int_equal(repeated(line_of(&log, "192.0.2.2", "AUTH_REQUIRED")), 10);
    assert_string_equal(rig_text(line, "/outcome", &rig.arena), "denied");
    assert_string_equal(rig_text(line, "/policy_decision", &rig.arena), "denied");
    assert_string_equal(rig_text(line, "/station", &rig.arena), "identify");
    assert_string_equal(rig_text(line, "/timestamp", &rig.arena), "2026-11-20T09:15:00.000Z");
    assert_int_equal(json_get(line, STR("user_id"))->type, JSON_NULL);
    assert_int_equal(json_get(line, STR("tool_name"))->type, JSON_NULL);
}

static void keeps_minutes_apart(void **state) {
    (void)state;
    struct rig_log log;
    static const int64_t steps[] = {60000, 0, 59000, 600000, -120000}; /* back, too */
    for (size_t i = 0; i < COUNT(steps); i++) {
        clock_move(&rig.clock, steps[i]);
        refused_count(refused, STR("192.0.2.1"), "AUTH_REQUIRED");
    }
    read_all(&log); /* what is still counted is recorded at the end */
    assert_int_equal(log.n, 3);
    assert_int_equal(repeated(log.lines[0]), 3);
    for (size_t i = 1; i < log.n; i++) assert_int_equal(repeated(log.lines[i]), 1);
}

static void says_nothing_of_a_quiet_minute(void **state) {
    (void)state;
    struct rig_log log;
    for (int i = 0; i < 10; i++) {
        clock_move(&rig.clock, 60000);
        refused_tick(refused);
    }
    read_all(&log);
    assert_int_equal(log.n, 0);
}

static void counts_those_without_a_place_together(void **state) {
    (void)state;
    struct rig_log log;
    char peer[32];
    int64_t sum = 0;
    for (int i = 0; i < 3 * REFUSED_PEERS_MAX; i++) {
        snprintf(peer, sizeof peer, "2001:db8::%x", i);
        refused_count(refused, str_of(peer), "AUTH_REQUIRED");
    }
    refused_count(refused, STR("2001:db8::0"), "AUTH_REQUIRED"); /* keeps its own place */
    read_all(&log);
    assert_int_equal(log.n, REFUSED_PEERS_MAX);
    for (size_t i = 0; i < log.n; i++) sum += repeated(log.lines[i]);
    assert_int_equal(sum, 3 * REFUSED_PEERS_MAX + 1);
    assert_int_equal(repeated(line_of(&log, "2001:db8::0", "AUTH_REQUIRED")), 2);
    assert_int_equal(repeated(line_of(&log, "others", "AUTH_REQUIRED")), 2 * REFUSED_PEERS_MAX + 1);
}

static void takes_any_peer(void **state) {
    (void)state;
    struct rig_log log;
    char long_peer[4096];
    memset(long_peer, 'a', sizeof long_peer);
    refused_count(refused, STR_NONE, "BAD_REQUEST");
    refused_count(refused, STR(""), "BAD_REQUEST");
    refused_count(refused, (struct str){long_peer, sizeof long_peer}, "BAD_REQUEST");
    refused_count(refused, STR("\"\\\x01"), "BAD_REQUEST");
    read_all(&log);
    assert_int_equal(log.n, 3);
    assert_int_equal(repeated(line_of(&log, "-", "BAD_REQUEST")), 2);
    assert_int_equal(repeated(line_of(&log, "\"\\\x01", "BAD_REQUEST")), 1);
}

/* A log that cannot be written loses a summary and nothing else. */
static void lives_without_a_log(void **state) {
    (void)state;
    fault_set(0);
    assert_null(refused_new(rig.audit, &rig.clock));
    fault_off();
    refused_count(refused, STR("192.0.2.1"), "AUTH_REQUIRED");
    clock_move(&rig.clock, 60000);
    fault_set(0);
    refused_tick(refused);
    fault_off();
    refused_count(refused, STR("192.0.2.1"), "AUTH_REQUIRED");
    struct rig_log log;
    read_all(&log);
    assert_int_equal(log.n, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_one_record_of_a_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_minutes_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(says_nothing_of_a_quiet_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(counts_those_without_a_place_together, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_any_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(lives_without_a_log, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
