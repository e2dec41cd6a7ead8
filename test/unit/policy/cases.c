/*
 * Cases as data: test/policy/NAME.case
 *
 *     == NAME OF THE CASE
 *     -- policy | allowlist | enterprise | rules    the files; what is not named is absent
 *     -- problems                               lines that the loader must say; a `*` at the end of
 * a line stands for any rest. Absent: none
 *     -- decide                                 WHO | TOOL | allow RULE or deny RULE
 *     -- tables                                 WHO | the tables that are seen, in order
 *     -- judge                                  WHO | TOOL | ARGUMENTS | EFFECT RULE [SENTENCE]
 *     -- looks                                  WHO | TOOL | ARGUMENTS | RULE outcome, RULE outcome
 *     -- charges                                WHO | TOOL | RULE max/seconds KEY, ...
 *     -- quotas                                 WHO | RULE max KEY, ...
 *
 * WHO is `nobody` or any of user=u roles=a,b tools=a,b projects=a,b client=x rate=n/seconds
 * session=s; without `=` a list is absent.
 */
#include "fixture.h"

struct section {
    struct str title, body;
};

enum { SECTIONS_MAX = 10 };

struct policy_case {
    struct str name;
    struct section sections[SECTIONS_MAX];
    size_t n;
};

/* Every case is run, so that one look shows all that fail. */
static int n_bad;

static struct str body_of(const struct policy_case *c, const char *title, bool *is_there) {
    for (size_t i = 0; i < c->n; i++) {
        *is_there = str_eq(c->sections[i].title, str_of(title));
        if (*is_there) return c->sections[i].body;
    }
    return STR("");
}

static const char *file_of(const struct policy_case *c, const char *title) {
    bool is_there = false;
    struct str body = body_of(c, title, &is_there);
    return is_there ? str_cstr(&arena, body) : NULL;
}

/* -- one case --------------------------------------------------------------------------------- */

/* The session of the last who_of(). */
static struct str session;

static struct principal who_of(struct str spec) {
    struct str user = STR("ann");
    int64_t rate_n = 0, rate_s = 0;
    const char *roles = NULL, *tools = NULL, *projects = NULL, *client = NULL;
    bool is_nobody = false;
    session = STR_NONE;
    for (struct str rest = str_trim(spec); rest.len > 0;) {
        struct str word = str_cut(&rest, ' '), key = str_cut(&word, '=');
        const char *value = word.ptr == NULL ? NULL : str_cstr(&arena, word);
        if (str_eq(key, STR("roles")))
            roles = value;
        else if (str_eq(key, STR("tools")))
            tools = value == NULL ? "" : value;
        else if (str_eq(key, STR("projects")))
            projects = value == NULL ? "" : value;
        else if (str_eq(key, STR("client")))
            client = value;
        else if (str_eq(key, STR("user")))
            user = word;
        else if (str_eq(key, STR("session")))
            session = word;
        else if (str_eq(key, STR("rate"))) {
            assert_true(str_to_i64(str_cut(&word, '/'), &rate_n) && str_to_i64(word, &rate_s));
        } else {
            assert_true(str_eq(key, STR("nobody")));
            is_nobody = true;
        }
    }
    struct principal p = somebody(roles, tools, projects, client);
    p.user_id = user;
    p.rate_n = rate_n;
    p.rate_window_s = rate_s;
    return is_nobody ? (struct principal){0} : p;
}

static void check_problems(const struct policy_case *c) {
    bool is_there = false;
    struct str expected = str_trim(body_of(c, "problems", &is_there)), said = str_of(complaints());
    bool is_same = true;
    for (struct str want = expected, have = said; is_same && (want.len > 0 || have.len > 0);) {
        struct str w = str_cut(&want, '\n'), h = str_cut(&have, '\n');
        is_same = str_ends(w, STR("*")) ? str_starts(h, str_slice(w, 0, w.len - 1)) : str_eq(w, h);
    }
    if (!is_same)
        fprintf(stderr, "case '" STR_FMT "' said\n" STR_FMT "\nnot\n" STR_FMT "\n",
                STR_ARG(c->name), STR_ARG(said), STR_ARG(expected));
    if (!is_same) n_bad++;
}

static void check_decisions(const struct policy_case *c, const struct policy *policy) {
    bool is_there = false;
    for (struct str rest = body_of(c, "decide", &is_there); rest.len > 0;) {
        struct str line = str_cut(&rest, '\n');
        if (str_trim(line).len == 0) continue;
        struct str left = line, who = str_cut(&left, '|'), tool = str_trim(str_cut(&left, '|'));
        struct principal p = who_of(who);
        struct verdict verdict;
        policy_decide(policy, &p, tool, &arena, &verdict);
        assert_true((verdict.code == NULL) == (verdict.effect == EFFECT_ALLOW));
        assert_true((verdict.sentence.len == 0) == (verdict.effect == EFFECT_ALLOW));
        struct str is =
            str_printf(&arena, "%s " STR_FMT, verdict.effect == EFFECT_ALLOW ? "allow" : "deny",
                       STR_ARG(verdict.rule));
        if (str_eq(is, str_trim(left))) continue;
        n_bad++;
        fprintf(stderr, "'" STR_FMT "': " STR_FMT " is " STR_FMT "\n", STR_ARG(c->name),
                STR_ARG(line), STR_ARG(is));
    }
}

static struct str tables_of(const struct policy *policy, const struct principal *p) {
    const struct policy_table *const *tables;
    size_t n;
    struct str all = STR("");
    assert_int_equal(policy_tables(policy, p, &arena, &tables, &n, &report).why, FAIL_NONE);
    for (size_t i = 0; i < n; i++) {
        const struct policy_table *t = tables[i];
        bool is_plain = str_eq(t->schema, STR("default"));
        all = str_printf(&arena, STR_FMT "%s" STR_FMT "%s" STR_FMT "." STR_FMT, STR_ARG(all),
                         i > 0 ? " " : "", STR_ARG(t->project), is_plain ? "" : ".",
                         STR_ARG(is_plain ? STR("") : t->schema), STR_ARG(t->name));
        assert_ptr_equal(policy_table_find(policy, p, t->project, t->schema, t->name), t);
    }
    return all;
}

static void check_tables(const struct policy_case *c, const struct policy *policy) {
    bool is_there = false;
    for (struct str rest = body_of(c, "tables", &is_there); rest.len > 0;) {
        struct str line = str_cut(&rest, '\n');
        if (str_trim(line).len == 0) continue;
        struct str left = line, who = str_cut(&left, '|');
        struct principal p = who_of(who);
        struct str is = tables_of(policy, &p);
        if (str_eq(is, str_trim(left))) continue;
        n_bad++;
        fprintf(stderr, "'" STR_FMT "': " STR_FMT " sees " STR_FMT "\n", STR_ARG(c->name),
                STR_ARG(line), STR_ARG(is));
    }
}

/* -- whole calls ------------------------------------------------------------------------------ */

/* What a line of a section asks about, and what it expects of it. */
struct line {
    struct str text, expected;
    struct principal who;
    struct policy_question question;
};

static struct line read_line(struct str text, bool has_tool, bool has_arguments) {
    struct line line = {.text = text};
    struct str left = text, who = str_cut(&left, '|');
    line.who = who_of(who);
    line.question.session_id = session;
    if (has_tool) line.question.tool = str_trim(str_cut(&left, '|'));
    struct str json = has_arguments ? str_trim(str_cut(&left, '|')) : STR("");
    if (json.len > 0) {
        result r = json_read(json, NULL, &arena, &line.question.arguments, &report);
        assert_int_equal(r.why, FAIL_NONE);
    }
    line.expected = str_trim(left);
    return line;
}

static void expect(const struct policy_case *c, const struct line *line, struct str is) {
    if (str_eq(is, line->expected)) return;
    n_bad++;
    fprintf(stderr, "'" STR_FMT "': " STR_FMT "\n    is " STR_FMT "\n", STR_ARG(c->name),
            STR_ARG(line->text), STR_ARG(is));
}

static struct verdict judged(const struct policy *policy, const struct line *line) {
    struct verdict v;
    policy_judge(policy, &line->who, &line->question, &arena, &v);
    assert_true((v.code == NULL) == (v.effect == EFFECT_ALLOW));
    assert_true((v.sentence.len == 0) == (v.effect == EFFECT_ALLOW));
    assert_true(v.effect != EFFECT_DENY || v.charges.n == 0);
    assert_true(str_eq(v.version, policy_version(policy)));
    return v;
}

static struct str print_verdict(const struct policy *policy, const struct line *line) {
    static const char *const effects[] = {"deny", "allow", "confirm", "approve"};
    struct verdict v = judged(policy, line);
    bool is_told = str_find(line->expected, STR(": ")) < line->expected.len;
    return str_printf(&arena, "%s " STR_FMT "%s" STR_FMT, effects[v.effect], STR_ARG(v.rule),
                      is_told ? ": " : "", STR_ARG(is_told ? v.sentence : STR("")));
}

static struct str print_looks(const struct policy *policy, const struct line *line) {
    struct verdict v = judged(policy, line);
    struct str all = STR("");
    for (size_t i = 0; i < v.n_looks; i++)
        all = str_printf(&arena, STR_FMT "%s" STR_FMT " %s", STR_ARG(all), i > 0 ? ", " : "",
                         STR_ARG(v.looks[i].rule), policy_look_name[v.looks[i].outcome]);
    return all;
}

static struct str list_charges(const struct policy_charges *charges) {
    struct str all = STR("");
    for (size_t i = 0; i < charges->n; i++) {
        const struct store_window *w = &charges->windows[i];
        all = str_printf(&arena, STR_FMT "%s" STR_FMT " %lld/%lld " STR_FMT, STR_ARG(all),
                         i > 0 ? ", " : "", STR_ARG(charges->rules[i]), (long long)w->max,
                         (long long)w->window_ms / 1000, STR_ARG(w->key));
    }
    return all;
}

static struct str print_charges(const struct policy *policy, const struct line *line) {
    struct verdict v = judged(policy, line);
    return list_charges(&v.charges);
}

static struct str print_quotas(const struct policy *policy, const struct line *line) {
    struct policy_charges quotas;
    assert_true(policy_quotas(policy, &line->who, &arena, &quotas));
    return list_charges(&quotas);
}

static void check_calls(const struct policy_case *c, const struct policy *policy) {
    static const struct {
        const char *section;
        bool has_tool, has_arguments;
        struct str (*print)(const struct policy *policy, const struct line *line);
    } sections[] = {{"judge", true, true, print_verdict},
                    {"looks", true, true, print_looks},
                    {"charges", true, false, print_charges},
                    {"quotas", false, false, print_quotas}};
    for (size_t i = 0; i < COUNT(sections); i++) {
        bool is_there = false;
        for (struct str rest = body_of(c, sections[i].section, &is_there); rest.len > 0;) {
            struct str text = str_cut(&rest, '\n');
            if (str_trim(text).len == 0) continue;
            struct line line = read_line(text, sections[i].has_tool, sections[i].has_arguments);
            expect(c, &line, sections[i].print(policy, &line));
        }
    }
}

static void run_case(const struct policy_case *c) {
    struct files files = {file_of(c, "policy"), file_of(c, "allowlist"), file_of(c, "enterprise"),
                          file_of(c, "rules")};
    const struct policy *policy = NULL;
    result r = load(&files, &policy);
    check_problems(c);
    assert_int_equal(r.why, problems.n_errors > 0 ? FAIL_CONFIG : FAIL_NONE);
    assert_true((policy == NULL) == (problems.n_errors > 0));
    if (policy == NULL) return;
    check_decisions(c, policy);
    check_tables(c, policy);
    check_calls(c, policy);
}

/* -- files of cases --------------------------------------------------------------------------- */

static void add_line(struct policy_case *c, struct str line) {
    if (str_starts(line, STR("-- "))) {
        assert_true(c->n < SECTIONS_MAX);
        c->sections[c->n++] = (struct section){str_slice(line, 3, line.len), STR_NONE};
        return;
    }
    if (c->n == 0) return; /* a comment before the first section */
    struct str *body = &c->sections[c->n - 1].body;
    if (body->ptr == NULL) body->ptr = line.ptr;
    body->len = (size_t)(line.ptr + line.len - body->ptr);
}

static void run_file(const char *path, size_t at_least) {
    char *text = read_all(path);
    n_bad = 0;
    struct policy_case c = {0};
    size_t n = 0;
    for (struct str rest = str_of(text); rest.ptr != NULL;) {
        struct str line = str_cut(&rest, '\n');
        bool is_new = str_starts(line, STR("== "));
        if ((is_new || rest.ptr == NULL) && c.n > 0) {
            run_case(&c);
            arena_reset(&arena);
            n++;
        }
        if (is_new)
            c = (struct policy_case){.name = str_slice(line, 3, line.len)};
        else
            add_line(&c, line);
    }
    free(text);
    assert_true(n >= at_least);
    assert_int_equal(n_bad, 0);
}

static void problems_are_told(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/problems.case", 15);
}

static void decisions_are_made(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/decisions.case", 9);
}

static void rules_are_followed(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/rules.case", 12);
}

static void limits_are_charged(void **state) {
    (void)state;
    run_file(SOURCE_ROOT "/test/policy/limits.case", 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(problems_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(decisions_are_made, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_are_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_are_charged, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
