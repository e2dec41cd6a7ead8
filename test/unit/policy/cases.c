/*
 * Cases as data: test/policy/NAME.case
 *
 *     == NAME OF THE CASE
 *     -- policy | allowlist | enterprise        the files; what is not named is absent
 *     -- problems                               lines that the loader must say; a `*` at the end of
 * a line stands for any rest. Absent: none
 *     -- decide                                 WHO | TOOL | allow RULE or deny RULE
 *     -- tables                                 WHO | the tables that are seen, in order
 *
 * WHO is `nobody` or any of roles=a,b tools=a,b projects=a,b client=x; without `=` a list is
 * absent.
 */
#include "fixture.h"

struct section {
    struct str title, body;
};

enum { SECTIONS_MAX = 8 };

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

static struct principal who_of(struct str spec) {
    const char *roles = NULL, *tools = NULL, *projects = NULL, *client = NULL;
    bool is_nobody = false;
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
        else {
            assert_true(str_eq(key, STR("nobody")));
            is_nobody = true;
        }
    }
    return is_nobody ? (struct principal){0} : somebody(roles, tools, projects, client);
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

static void run_case(const struct policy_case *c) {
    struct files files = {file_of(c, "policy"), file_of(c, "allowlist"), file_of(c, "enterprise")};
    const struct policy *policy = NULL;
    result r = load(&files, &policy);
    check_problems(c);
    assert_int_equal(r.why, problems.n_errors > 0 ? FAIL_CONFIG : FAIL_NONE);
    assert_true((policy == NULL) == (problems.n_errors > 0));
    if (policy == NULL) return;
    check_decisions(c, policy);
    check_tables(c, policy);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(problems_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(decisions_are_made, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
