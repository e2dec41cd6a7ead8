/* weir sql --jsonl: every line is answered, in order, whatever it is; the status is 0. */
#include "runner.h"

#include "text/json.h"

static int setup(void **state) {
    (void)state;
    enter();
    put("config/weir.yaml", STR("backends: [{name: b, kind: schema, file: s.yaml}]\n"));
    put("config/s.yaml", STR("tables: {p.t: {columns: [{name: a, type: string}, {name: b, type: "
                             "bigint}]}, q.t: {columns: [{name: c, type: string}]}}\n"));
    put("config/policy.yaml",
        STR("default_project: p\ntables:\n"
            "  p.t: {denied_columns: [b], row_policies: [{role: r, predicate: \"b > 0\"}]}\n"
            "  q.t: {}\n"));
    put("config/enterprise.yaml", STR("users: {ann: {roles: [r]}}\nroles: {r: {}}\n"));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    leave();
    return 0;
}

struct answers {
    const struct json *items[64];
    size_t n;
};

static void ask(const char *verb, struct str in, struct answers *answers) {
    const char *const words[] = {"weir", "sql", verb, "--config", "config", "--jsonl"};
    struct str out;
    assert_int_equal(weir(in, COUNT(words), words, &out), EXIT_DONE);
    answers->n = 0;
    for (struct str rest = out; rest.len > 0;) {
        struct str line = str_cut(&rest, '\n');
        struct report report = {0};
        assert_true(answers->n < COUNT(answers->items));
        assert_int_equal(json_read(line, NULL, &arena, &answers->items[answers->n++], &report).why,
                         FAIL_NONE);
    }
}

/* The value at the pointer as it is written, "(none)" without one. */
static const char *at(const struct json *value, const char *pointer) {
    const struct json *found = json_at(value, str_of(pointer));
    return found == NULL ? "(none)" : str_cstr(&arena, json_raw(found));
}

/* -- lines ------------------------------------------------------------------------------------ */

static const struct {
    const char *line, *id, *ok; /* of parse; id NULL: no answer at all */
} lines[] = {
    {"{\"id\":1,\"sql\":\"SELECT 1\"}", "1", "true"},
    {"  {\"id\":\"a\",\"sql\":\"SELECT 1\"}\r", "\"a\"", "true"},
    {"{\"sql\":\"SELECT 1\"}", "null", "true"},
    {"{\"id\":{\"k\":[1,2.50]},\"sql\":\"SELECT 1\"}", "{\"k\":[1,2.50]}", "true"},
    {"{\"id\":null,\"sql\":\"SELECT 1\"}", "null", "true"},
    {"", NULL, NULL},
    {"   ", NULL, NULL},
    {"no JSON", "null", "false"},
    {"{\"id\":2,\"sql\":\"SELECT", "null", "false"},
    {"{\"id\":3,\"sql\":\"a\"} x", "null", "false"},
    {"[]", "null", "false"},
    {"7", "null", "false"},
    {"{\"id\":4}", "4", "false"},
    {"{\"id\":5,\"sql\":7}", "5", "false"},
    {"{\"id\":6,\"sql_b64\":\"U0VMRUNUIDE=\"}", "6", "true"},
    {"{\"id\":7,\"sql_b64\":\"U0VMRUNUIDE\"}", "7", "false"},
    {"{\"id\":8,\"sql_b64\":\"****\"}", "8", "false"},
    {"{\"id\":9,\"sql_b64\":\"U0VMRUNUICf/Jw==\"}", "9", "false"}, /* SELECT '\xff' */
    {"{\"id\":10,\"sql\":\"SELECT \\u0000\"}", "10", "false"},
    {"{\"id\":11,\"sql\":\"SELECT '\\ud800'\"}", "11", "false"},
    {"{\"id\":\"\\u0041\",\"sql\":\"SELECT \\u0000\"}", "null", "false"},
    {"{\"id\":12,\"id\":13,\"sql\":\"SELECT 1\"}", "null", "false"},
    {"{\"id\":14,\"sql\":\"\"}", "14", "false"},
    {"{\"id\":15,\"sql\":\"DROP TABLE t\"}", "15", "false"},
    {"{\"id\":16,\"sql\":\"SELECT '表' FROM 表\"}", "16", "true"},
};

static struct str all_lines(bool with_newline) {
    struct buf buf;
    buf_init(&buf, MIB);
    for (size_t i = 0; i < COUNT(lines); i++) {
        buf_add(&buf, str_of(lines[i].line));
        if (with_newline || i + 1 < COUNT(lines)) buf_add_byte(&buf, '\n');
    }
    struct str flat = str_dup(&arena, buf_flat(&buf, &arena));
    buf_deinit(&buf);
    return flat;
}

static void check_lines(const struct answers *answers, bool is_parse) {
    size_t n = 0;
    for (size_t i = 0; i < COUNT(lines); i++) {
        if (lines[i].id == NULL) continue;
        print_message("%s\n", lines[i].line);
        assert_true(n < answers->n);
        assert_string_equal(at(answers->items[n], "/id"), lines[i].id);
        if (is_parse) assert_string_equal(at(answers->items[n], "/ok"), lines[i].ok);
        if (!is_parse) assert_string_not_equal(at(answers->items[n], "/decision"), "(none)");
        n++;
    }
    assert_int_equal(n, answers->n);
}

static void answers_every_line_in_order(void **state) {
    (void)state;
    static const char *const verbs[] = {"parse", "check", "lineage", "run"};
    for (size_t v = 0; v < COUNT(verbs); v++) {
        struct answers answers;
        ask(verbs[v], all_lines(true), &answers);
        check_lines(&answers, v == 0);
        ask(verbs[v], all_lines(false), &answers); /* the last line without its newline */
        check_lines(&answers, v == 0);
    }
}

static void answers_nothing_with_nothing(void **state) {
    (void)state;
    struct answers answers;
    ask("parse", STR(""), &answers);
    assert_int_equal(answers.n, 0);
    ask("check", STR("\n\n"), &answers);
    assert_int_equal(answers.n, 0);
}

/* -- what they say ---------------------------------------------------------------------------- */

static const struct {
    const char *verb, *line, *pointer, *value;
} said[] = {
    {"parse", "{\"id\":1,\"sql\":\"SELECT 1\"}", "/statement", "\"select\""},
    {"parse", "{\"id\":1,\"sql\":\"INSERT INTO t SELECT 1\"}", "/statement", "\"insert\""},
    {"parse", "{\"id\":1,\"sql\":\"SELECT 1\\n FROM FROM\"}", "/error/line", "2"},
    {"parse", "nonsense", "/decision", "\"error\""},
    {"check", "nonsense", "/code", "\"JSON_INVALID\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT a FROM t\"}", "/decision", "\"allow\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT a FROM t\"}", "/output/0/0", "\"a\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT b FROM t\"}", "/decision", "\"deny\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT b FROM t\"}", "/code", "\"COLUMN_NOT_ALLOWED\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT b FROM t\"}", "/offset", "7"},
    {"check", "{\"id\":1,\"sql\":\"SELECT c FROM t\",\"project\":\"q\"}", "/decision", "\"allow\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT a FROM t\",\"as\":\"ann\"}", "/policy_columns/0",
     "\"p.default.t.b\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT a FROM t\",\"as\":\"bob\"}", "/code",
     "\"USER_NOT_FOUND\""},
    {"check", "{\"id\":1,\"sql\":\"SELECT a FROM t\",\"as\":\"bob\"}", "/decision", "\"error\""},
    {"lineage", "{\"id\":1,\"sql\":\"SELECT a FROM t\"}", "/sql", "(none)"},
    {"lineage", "{\"id\":1,\"sql\":\"SELECT a FROM t\"}", "/access/select/0", "\"p.default.t.a\""},
    {"run", "{\"id\":1,\"sql\":\"SELECT a FROM t\"}", "/code", "\"BACKEND_CANNOT_RUN\""},
    {"run", "{\"id\":1,\"sql\":\"SELECT a FROM t\"}", "/decision", "\"error\""},
    {"run", "{\"id\":1,\"sql\":\"SELECT b FROM t\"}", "/decision", "\"deny\""},
    {"run", "{\"id\":1,\"sql\":\"SELECT a FROM t\",\"as\":\"bob\"}", "/code", "\"USER_NOT_FOUND\""},
};

static void says_what_the_design_says(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(said); i++) {
        struct answers answers;
        ask(said[i].verb, str_of(said[i].line), &answers);
        print_message("%s %s\n", said[i].verb, said[i].line);
        assert_int_equal(answers.n, 1);
        assert_string_equal(at(answers.items[0], said[i].pointer), said[i].value);
    }
}

/* check and run see the same bytes, whatever they are. */
static void runs_what_it_would_check(void **state) {
    (void)state;
    static const char *const coded[] = {"U0VMRUNUICf/Jw==",         /* SELECT '\xff' */
                                        "U0VMRUNUIAAxIEZST00gdA==", /* SELECT \0 1 FROM t */
                                        "U0VMRUNUIGIgRlJPTSB0"};    /* SELECT b FROM t */
    for (size_t i = 0; i < COUNT(coded); i++) {
        struct answers check, run;
        struct str line = str_printf(&arena, "{\"id\":1,\"sql_b64\":\"%s\"}", coded[i]);
        ask("check", line, &check);
        ask("run", line, &run);
        assert_string_equal(at(run.items[0], "/code"), at(check.items[0], "/code"));
        assert_string_equal(at(run.items[0], "/decision"), at(check.items[0], "/decision"));
        assert_string_equal(at(run.items[0], "/offset"), at(check.items[0], "/offset"));
    }
}

/* -- the command itself ----------------------------------------------------------------------- */

static const struct {
    const char *words[8];
    int n, status;
} commands_given[] = {
    {{"weir", "sql"}, 2, EXIT_USAGE},
    {{"weir", "sql", "prase", "SELECT 1"}, 4, EXIT_USAGE},
    {{"weir", "sql", "parse"}, 3, EXIT_USAGE},
    {{"weir", "sql", "parse", "SELECT 1", "SELECT 2"}, 5, EXIT_USAGE},
    {{"weir", "sql", "parse", "--jsonl", "SELECT 1"}, 5, EXIT_USAGE},
    {{"weir", "sql", "check", "--dialect", "oracle", "SELECT 1"}, 6, EXIT_USAGE},
    {{"weir", "sql", "check", "--config", "nowhere", "SELECT 1"}, 6, EXIT_WRONG},
    {{"weir", "sql", "parse", "SELECT 1"}, 4, EXIT_DONE},
    {{"weir", "sql", "parse", "DROP TABLE t"}, 4, EXIT_DONE},
    {{"weir", "sql", "check", "--config", "config", "SELECT b FROM t"}, 6, EXIT_DONE},
    {{"weir", "sql", "check", "--config", "config", "--dialect", "maxcompute", "SELECT a FROM t"},
     8,
     EXIT_DONE},
};

static void ends_with_the_right_status(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(commands_given); i++) {
        struct str out;
        print_message("%zu\n", i);
        assert_int_equal(weir(STR(""), commands_given[i].n, commands_given[i].words, &out),
                         commands_given[i].status);
        assert_true((out.len > 0) == (commands_given[i].status == EXIT_DONE));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_every_line_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_nothing_with_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_the_design_says, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_what_it_would_check, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_with_the_right_status, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
