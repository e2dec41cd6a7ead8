/* weir why: each record of test/cli/why/audit.jsonl as its NAME.txt and NAME.json say it. The
 * configuration is one whose policy has a version of its own, or none at all. */
#include "runner.h"

#define DATA SOURCE_ROOT "/test/cli/why/"

static int setup(void **state) {
    (void)state;
    enter();
    put("config/policy.yaml", STR("tables: {}\n"));
    assert_int_equal(mkdir("logs", 0700), 0);
    put("logs/audit.jsonl", read_file(DATA "audit.jsonl"));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    leave();
    return 0;
}

static void check(const char *id, const char *flag, const char *ending) {
    const char *const words[] = {"weir", "why", id, "--config", "config", flag};
    const char *path = str_cstr(&arena, str_printf(&arena, "%s%s%s", DATA, id, ending));
    struct str out;
    print_message("%s%s\n", id, ending);
    assert_int_equal(weir(STR(""), flag == NULL ? 5 : 6, words, &out), EXIT_DONE);
    assert_string_equal(str_cstr(&arena, out), str_cstr(&arena, read_file(path)));
}

static const char *const ids[] = {"old", "allowed", "denied", "scope", "stranger"};

static void tells_what_the_record_holds(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        check(ids[i], NULL, ".txt");
        check(ids[i], "--json", ".json");
    }
}

/* Whatever became of the configuration: the log is read, and that it is so is told. */
static void needs_no_configuration(void **state) {
    (void)state;
    put("config/policy.yaml", STR("tables: {a: b}\n"));
    const char *const words[] = {"weir", "why", "denied", "--config", "config"};
    struct str out;
    assert_int_equal(weir(STR(""), COUNT(words), words, &out), EXIT_DONE);
    struct str wanted = STR("policy 111111111111, and the configuration that is there now cannot "
                            "be loaded\n");
    assert_true(str_find(out, wanted) < out.len);
}

static void knows_the_policy_of_now(void **state) {
    (void)state;
    const char *const check_words[] = {"weir", "check", "--config", "config"};
    const char *const words[] = {"weir", "why", "now", "--config", "config"};
    struct str out;
    assert_int_equal(weir(STR(""), COUNT(check_words), check_words, &out), EXIT_DONE);
    struct str version = str_slice(out, sizeof "ok: policy " - 1, sizeof "ok: policy " - 1 + 12);
    put("logs/audit.jsonl",
        str_printf(&arena,
                   "{\"audit_id\":\"now\",\"timestamp\":\"2026-11-20T09:15:00.123Z\","
                   "\"policy_version\":\"" STR_FMT "\"}\n",
                   STR_ARG(version)));
    assert_int_equal(weir(STR(""), COUNT(words), words, &out), EXIT_DONE);
    struct str wanted = STR(", which is the configuration's still\n");
    assert_true(str_find(out, wanted) < out.len);
}

static const struct {
    const char *words[6];
    int n, status;
    const char *says; /* on standard error */
} wrong[] = {
    {{"weir", "why"}, 2, EXIT_USAGE, "one AUDIT_ID"},
    {{"weir", "why", ""}, 3, EXIT_USAGE, "one AUDIT_ID"},
    {{"weir", "why", "old", "denied"}, 4, EXIT_USAGE, "one AUDIT_ID"},
    {{"weir", "why", "nobody"}, 3, EXIT_WRONG, "no record in 'logs' has the id 'nobody'"},
    {{"weir", "why", "ol"}, 3, EXIT_WRONG, "no record in 'logs' has the id 'ol'"},
    {{"weir", "why", "broken"}, 3, EXIT_WRONG, "JSON"},
};

static void tells_what_is_wrong(void **state) {
    (void)state;
    struct str log = read_file("logs/audit.jsonl");
    put("logs/audit.jsonl", str_printf(&arena,
                                       STR_FMT "{\"audit_id\":\"broken\",\"timestamp\":"
                                               "\"2026-11-20T09:15:00.123Z\",\"user_id\":}\n",
                                       STR_ARG(log)));
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct str out;
        print_message("%zu\n", i);
        assert_int_equal(weir(STR(""), wrong[i].n, wrong[i].words, &out), wrong[i].status);
        struct str err = read_file("err");
        print_message(STR_FMT, STR_ARG(err));
        assert_true(str_find(err, str_of(wrong[i].says)) < err.len);
        assert_int_equal(out.len, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_the_record_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(needs_no_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_the_policy_of_now, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_what_is_wrong, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
