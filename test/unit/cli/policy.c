/* weir policy test: cases of users against a configuration; weir rules import. */
#include "runner.h"

static int setup(void **state) {
    (void)state;
    enter();
    put("config/policy.yaml", STR("tables: {p.t: {}}\n"));
    put("config/enterprise.yaml",
        STR("users: {ann: {roles: [reader]}}\nroles: {reader: {allowed_tools: [run]}}\n"));
    put("config/rules.yaml", STR("version: '1'\ntools: {run: {conditions: [{path: args.n, op: lte, "
                                 "value: 5, reason: at most 5}]}}\n"));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    leave();
    return 0;
}

/* Each is one file of cases; `says` stands in the output, or on standard error where `is_told`. */
static const struct {
    const char *name, *cases;
    int status;
    bool is_told;
    const char *says;
} files[] = {
    {"what holds",
     "== a\n-- judge\nas=ann | run | {\"n\": 5} | allow role:reader\n# a comment\n\n"
     "as=ann | run | {\"n\": 6} | deny rules.yaml#tools.run.conditions[0]: at most 5\n"
     "-- tables\nuser=x | p.t\n",
     EXIT_DONE, false, "ok: 3 of 3 answers of 1 cases as wanted, policy "},
    {"what does not hold, with its line",
     "a comment\n== b\n-- judge\n\nas=ann | run | {\"n\": 6} | allow role:reader\n"
     "user=u roles=reader | other | | deny role:reader\n",
     EXIT_WRONG, false,
     "x.case:5: b\n    as=ann | run | {\"n\": 6}\n    wanted  allow role:reader\n    got     deny "
     "rules.yaml#tools.run.conditions[0]\nwrong: 1 of 2 answers of 1 cases as wanted"},
    {"an empty answer", "== c\n-- tables\nnobody |\n", EXIT_DONE, false, "ok: 1 of 1"},
    {"nothing is asked", "== d\n", EXIT_WRONG, true, "there is no case that asks anything"},
    {"no case at all", "nothing\n", EXIT_WRONG, true, "there is no case that asks anything"},
    {"a policy of its own", "== e\n-- policy\ntables: {}\n-- tables\nnobody |\n", EXIT_WRONG, true,
     "x.case: line 2: the policy is the configuration's"},
    {"an unknown section", "== f\n-- jugde\nx | y | z\n", EXIT_WRONG, true,
     "line 2: there is no section 'jugde'"},
    {"a section twice", "== f\n-- judge\n-- tables\n-- judge\n", EXIT_WRONG, true,
     "line 4: the case has a second section 'judge'"},
    {"a part is missing", "== g\n-- judge\nas=ann | run | {}\n", EXIT_WRONG, true,
     "line 3: a part is missing in 'as=ann | run | {}'"},
    {"somebody unknown", "== h\n-- tables\nas=anne |\n", EXIT_WRONG, true,
     "line 3: no user 'anne' in"},
    {"a word that says nothing", "== i\n-- tables\nrole=x |\n", EXIT_WRONG, true,
     "line 3: this says of nobody who asks: 'role=x'"},
    {"a bare word", "== i\n-- tables\ntools |\n", EXIT_WRONG, true,
     "this says of nobody who asks: 'tools'"},
    {"arguments that are no object", "== j\n-- judge\nas=ann | run | [1] | allow\n", EXIT_WRONG,
     true, "line 3: the arguments are no object of JSON: '[1]'"},
    {"arguments that are no JSON", "== j\n-- judge\nas=ann | run | {a} | allow\n", EXIT_WRONG, true,
     "line 3: the arguments are no object of JSON: '{a}'"},
};

static void check(size_t i, int status) {
    struct str err = read_file("err"), out = read_file("out");
    struct str where = files[i].is_told ? err : out;
    print_message("%s:\n" STR_FMT STR_FMT, files[i].name, STR_ARG(out), STR_ARG(err));
    assert_int_equal(status, files[i].status);
    assert_true(str_find(where, str_of(files[i].says)) < where.len);
}

static void asks_the_configuration(void **state) {
    (void)state;
    static const char *const words[] = {"weir", "policy", "test", "--config", "config", "x.case"};
    for (size_t i = 0; i < COUNT(files); i++) {
        struct str out;
        put("x.case", str_of(files[i].cases));
        check(i, weir(STR(""), COUNT(words), words, &out));
    }
}

/* The same, where they lie in the configuration. */
static void finds_its_cases(void **state) {
    (void)state;
    static const char *const words[] = {"weir", "policy", "test", "--config", "config"};
    assert_int_equal(mkdir("config/policy", 0700), 0);
    for (size_t i = 0; i < COUNT(files); i++) {
        struct str out;
        put("config/policy/x.case", str_of(files[i].cases));
        check(i, weir(STR(""), COUNT(words), words, &out));
    }
}

static void holds_for_the_demo(void **state) {
    (void)state;
    static const char *const words[] = {"weir", "policy", "test", "--config",
                                        SOURCE_ROOT "/config/demo"};
    struct str out;
    int status = weir(STR(""), COUNT(words), words, &out);
    print_message(STR_FMT STR_FMT, STR_ARG(out), STR_ARG(read_file("err")));
    assert_int_equal(status, EXIT_DONE);
}

/* What is imported is what the configuration takes, and warnings are no part of it. */
static void imports_rules(void **state) {
    (void)state;
    static const char *const words[] = {"weir", "rules", "import", "x.yaml"};
    static const char *const check_words[] = {"weir", "check", "--config", "config"};
    struct str out, unused;
    put("x.yaml", STR("tools: {a: deny, b: perhaps, run: {rate_limit: {max: 1, window: 2}}}\n"));
    assert_int_equal(weir(STR(""), COUNT(words), words, &out), EXIT_DONE);
    assert_true(str_starts(out, STR("version: \"1\"\ndefault: allow\n")));
    struct str err = read_file("err");
    assert_true(str_starts(err, STR("x.yaml:1:21: warning: the tool 'b' is denied")));
    put("config/rules.yaml", out);
    assert_int_equal(weir(STR(""), COUNT(check_words), check_words, &unused), EXIT_DONE);
}

static const struct {
    const char *words[6];
    int n, status;
} wrong[] = {
    {{"weir", "policy"}, 2, EXIT_USAGE},
    {{"weir", "policy", "tset"}, 3, EXIT_USAGE},
    {{"weir", "policy", "test", "--nope"}, 4, EXIT_USAGE},
    {{"weir", "policy", "test"}, 3, EXIT_WRONG},            /* no cases there */
    {{"weir", "policy", "test", "no.case"}, 4, EXIT_WRONG}, /* not there */
    {{"weir", "policy", "test", "--config", "nowhere"}, 5, EXIT_WRONG},
    {{"weir", "rules"}, 2, EXIT_USAGE},
    {{"weir", "rules", "import"}, 3, EXIT_USAGE},
    {{"weir", "rules", "export", "x"}, 4, EXIT_USAGE},
    {{"weir", "rules", "import", "x", "y"}, 5, EXIT_USAGE},
    {{"weir", "rules", "import", "x", "--by", "tool"}, 6, EXIT_USAGE},
    {{"weir", "rules", "import", "no.yaml"}, 4, EXIT_WRONG},
    {{"weir", "rules", "import", "config/policy.yaml"}, 4, EXIT_WRONG}, /* no policy of theirs */
};

static void ends_with_the_right_status(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct str out;
        print_message("%zu\n", i);
        assert_int_equal(weir(STR(""), wrong[i].n, wrong[i].words, &out), wrong[i].status);
        assert_int_equal(out.len, 0);
        assert_true(read_file("err").len > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asks_the_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_its_cases, setup, teardown),
        cmocka_unit_test_setup_teardown(holds_for_the_demo, setup, teardown),
        cmocka_unit_test_setup_teardown(imports_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_with_the_right_status, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
