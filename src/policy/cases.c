#include "policy/cases.h"

#include "policy/budget.h"

#include <assert.h>

/* A question: what stands before the answer in its line. */
struct question {
    const struct policy *policy;
    struct principal who;
    struct policy_question what;
    struct str asked, wanted;
    struct arena *arena;
};

static struct str answer_decide(const struct question *q);
static struct str answer_tables(const struct question *q);
static struct str answer_judge(const struct question *q);
static struct str answer_looks(const struct question *q);
static struct str answer_charges(const struct question *q);
static struct str answer_budgets(const struct question *q);
static struct str answer_quotas(const struct question *q);

static const struct title {
    const char *name;
    bool has_tool, has_arguments;
    struct str (*answer)(const struct question *q); /* NULL: files; STR_NONE: no memory */
} titles[CASE_TITLES] = {
    [CASE_POLICY] = {"policy", false, false, NULL},
    [CASE_ALLOWLIST] = {"allowlist", false, false, NULL},
    [CASE_ENTERPRISE] = {"enterprise", false, false, NULL},
    [CASE_RULES] = {"rules", false, false, NULL},
    [CASE_PROBLEMS] = {"problems", false, false, NULL},
    [CASE_DECIDE] = {"decide", true, false, answer_decide},
    [CASE_TABLES] = {"tables", false, false, answer_tables},
    [CASE_JUDGE] = {"judge", true, true, answer_judge},
    [CASE_LOOKS] = {"looks", true, true, answer_looks},
    [CASE_CHARGES] = {"charges", true, false, answer_charges},
    [CASE_BUDGETS] = {"budgets", true, true, answer_budgets},
    [CASE_QUOTAS] = {"quotas", false, false, answer_quotas},
};

static result fail_line(struct report *report, uint32_t line, const char *what, struct str text) {
    return fail(report, FAIL_INPUT, "CASE_INVALID", REPORT_NO_OFFSET, "line %u: %s '" STR_FMT "'",
                line, what, STR_ARG(utf8_clip(text, 128)));
}

/* -- a text of cases -------------------------------------------------------------------------- */

static struct str next_line(struct case_text *text) {
    text->line++;
    return str_cut(&text->rest, '\n');
}

static result begin_section(struct policy_case *c, struct str title, uint32_t line,
                            struct case_section **out, struct report *report) {
    for (size_t i = 0; i < CASE_TITLES; i++) {
        if (!str_eq(title, str_of(titles[i].name))) continue;
        *out = &c->sections[i];
        if ((*out)->body.ptr != NULL)
            return fail_line(report, line, "the case has a second section", title);
        (*out)->body = STR("");
        (*out)->line = line + 1;
        return OK;
    }
    return fail_line(report, line, "there is no section", title);
}

static result read_sections(struct case_text *text, struct policy_case *c, struct report *report) {
    struct case_section *section = NULL;
    while (text->rest.len > 0 && !str_starts(text->rest, STR("== "))) {
        struct str line = next_line(text);
        if (str_starts(line, STR("-- "))) {
            struct str title = str_trim(str_slice(line, 3, line.len));
            TRY(begin_section(c, title, text->line, &section, report));
        } else if (section != NULL) {
            if (text->line == section->line) section->body.ptr = line.ptr;
            section->body.len = (size_t)(line.ptr + line.len - section->body.ptr);
        }
    }
    return OK;
}

result policy_case_next(struct case_text *text, struct policy_case *out, bool *is_there,
                        struct report *report) {
    *out = (struct policy_case){0};
    while (text->rest.len > 0 && !str_starts(text->rest, STR("== "))) (void)next_line(text);
    *is_there = text->rest.len > 0;
    if (!*is_there) return OK;
    struct str line = next_line(text);
    out->name = str_trim(str_slice(line, 3, line.len));
    return read_sections(text, out, report);
}

enum case_title policy_case_files(const struct policy_case *c) {
    for (enum case_title i = 0; i < CASE_DECIDE; i++)
        if (c->sections[i].body.ptr != NULL) return i;
    return CASE_TITLES;
}

struct str policy_case_title(enum case_title title) {
    return str_of(titles[title].name);
}

/* -- who asks --------------------------------------------------------------------------------- */

static bool read_names(struct str text, struct arena *arena, struct name_set *out) {
    struct str *items = NULL;
    size_t n = 0, cap = 0;
    while (text.len > 0) {
        struct str *name = ARENA_PUSH(arena, items, n, cap);
        if (name == NULL) return false;
        *name = str_cut(&text, ',');
    }
    *out = (struct name_set){items, n, true};
    return true;
}

static bool read_rate(struct str text, struct principal *who) {
    return str_to_i64(str_cut(&text, '/'), &who->rate_n) && str_to_i64(text, &who->rate_window_s);
}

struct asking {
    struct case_asker *asker;
    struct arena *arena;
    struct report *report;
    const struct policy_case *c;
    uint32_t line;
};

static result find_somebody(const struct asking *a, struct str name, struct principal *who) {
    struct report why = {0};
    if (a->asker->identity == NULL)
        return fail_line(a->report, a->line, "no configuration knows", name);
    result r = identity_named(a->asker->identity, name, a->arena, who, &why);
    if (r.why == FAIL_NONE || r.why == FAIL_MEMORY) return r;
    return fail(a->report, FAIL_INPUT, "CASE_INVALID", REPORT_NO_OFFSET, "line %u: %s", a->line,
                why.sentence);
}

/* One `key=value` of WHO. */
static result read_word(const struct asking *a, struct str word, struct question *q) {
    struct str value = word, key = str_cut(&value, '=');
    struct principal *who = &q->who;
    struct name_set roles = {0};
    bool is_read = true, is_known = value.ptr != NULL;
    if (is_known && str_eq(key, STR("as"))) return find_somebody(a, value, who);
    if (is_known && str_eq(key, STR("user")))
        who->user_id = value;
    else if (is_known && str_eq(key, STR("client")))
        who->client_id = value;
    else if (is_known && str_eq(key, STR("session")))
        q->what.session_id = value;
    else if (is_known && str_eq(key, STR("tools")))
        is_read = read_names(value, a->arena, &who->allowed_tools);
    else if (is_known && str_eq(key, STR("projects")))
        is_read = read_names(value, a->arena, &who->allowed_projects);
    else if (is_known && str_eq(key, STR("roles")))
        is_read = read_names(value, a->arena, &roles);
    else if (!is_known || !str_eq(key, STR("rate")) || !read_rate(value, who))
        return fail_line(a->report, a->line, "this says of nobody who asks:", word);
    if (!is_read) return fail_memory(a->report);
    if (roles.is_set) {
        who->roles = roles.items;
        who->n_roles = roles.n;
    }
    return OK;
}

static result read_who(const struct asking *a, struct str text, struct question *q) {
    q->who = (struct principal){.user_id = STR("ann"), .token_id = STR("tok_1")};
    text = str_trim(text);
    if (str_eq(text, STR("nobody"))) {
        q->who = (struct principal){0};
        return OK;
    }
    while (text.len > 0) {
        struct str word = str_cut(&text, ' ');
        if (word.len > 0) TRY(read_word(a, word, q));
    }
    return OK;
}

/* -- what is asked ---------------------------------------------------------------------------- */

static result read_arguments(const struct asking *a, struct str text, struct question *q) {
    struct report why = {0};
    if (text.len == 0) return OK;
    result r = json_read(text, NULL, a->arena, &q->what.arguments, &why);
    if (r.why == FAIL_MEMORY) return fail_memory(a->report);
    if (r.why != FAIL_NONE || q->what.arguments->type != JSON_OBJECT)
        return fail_line(a->report, a->line, "the arguments are no object of JSON:", text);
    return OK;
}

static result read_question(const struct asking *a, const struct title *title, struct str line,
                            struct question *q) {
    size_t bars = 0, wanted = 1u + title->has_tool + title->has_arguments;
    for (size_t i = 0; i < line.len; i++) bars += line.ptr[i] == '|';
    if (bars < wanted) return fail_line(a->report, a->line, "a part is missing in", line);
    const char *from = line.ptr;
    TRY(read_who(a, str_cut(&line, '|'), q));
    if (title->has_tool) q->what.tool = str_trim(str_cut(&line, '|'));
    if (title->has_arguments) TRY(read_arguments(a, str_trim(str_cut(&line, '|')), q));
    q->asked = str_trim((struct str){from, (size_t)(line.ptr - from) - 1});
    q->wanted = str_trim(line);
    return OK;
}

static result ask_line(const struct asking *a, const struct title *title, struct str line) {
    struct question q = {.policy = a->asker->policy, .arena = a->arena};
    TRY(read_question(a, title, line, &q));
    struct str got = title->answer(&q);
    if (got.ptr == NULL) return fail_memory(a->report);
    a->asker->n_asked++;
    if (str_eq(got, q.wanted)) return OK;
    a->asker->n_missed++;
    a->asker->missed(a->asker->with,
                     &(struct case_miss){a->line, a->c->name, q.asked, q.wanted, got});
    return OK;
}

result policy_case_ask(const struct policy_case *c, struct case_asker *asker, struct arena *arena,
                       struct report *report) {
    for (enum case_title i = CASE_DECIDE; i < CASE_TITLES; i++) {
        struct asking a = {asker, arena, report, c, c->sections[i].line};
        for (struct str rest = c->sections[i].body; rest.len > 0; a.line++) {
            struct str line = str_cut(&rest, '\n');
            struct str said = str_trim(line);
            if (said.len > 0 && said.ptr[0] != '#') TRY(ask_line(&a, &titles[i], line));
        }
    }
    return OK;
}

/* -- answers ---------------------------------------------------------------------------------- */

/* What holds of each verdict, whatever is asked. */
static void check(const struct question *q, const struct verdict *v) {
    assert((v->code == NULL) == (v->effect == EFFECT_ALLOW));
    assert((v->sentence.len == 0) == (v->effect == EFFECT_ALLOW));
    assert(v->effect != EFFECT_DENY || v->charges.n + v->budgets.n == 0);
    assert(str_eq(v->version, policy_version(q->policy)));
    (void)q;
    (void)v;
}

static struct str answer_decide(const struct question *q) {
    struct verdict v;
    policy_decide(q->policy, &q->who, q->what.tool, q->arena, &v);
    check(q, &v);
    return str_printf(q->arena, "%s " STR_FMT, policy_effect_name[v.effect], STR_ARG(v.rule));
}

static struct str answer_tables(const struct question *q) {
    const struct policy_table *const *tables;
    struct report report = {0};
    struct str all = STR("");
    size_t n;
    if (policy_tables(q->policy, &q->who, q->arena, &tables, &n, &report).why != FAIL_NONE)
        return STR_NONE;
    for (size_t i = 0; i < n; i++) {
        const struct policy_table *t = tables[i];
        bool is_plain = str_eq(t->schema, STR("default"));
        all = str_printf(q->arena, STR_FMT "%s" STR_FMT "%s" STR_FMT "." STR_FMT, STR_ARG(all),
                         i > 0 ? " " : "", STR_ARG(t->project), is_plain ? "" : ".",
                         STR_ARG(is_plain ? STR("") : t->schema), STR_ARG(t->name));
        assert(policy_table_find(q->policy, &q->who, t->project, t->schema, t->name) == t);
    }
    return all;
}

static struct verdict judged(const struct question *q) {
    struct verdict v;
    policy_judge(q->policy, &q->who, &q->what, q->arena, &v);
    check(q, &v);
    return v;
}

static struct str answer_judge(const struct question *q) {
    struct verdict v = judged(q);
    bool is_told = str_find(q->wanted, STR(": ")) < q->wanted.len;
    return str_printf(q->arena, "%s " STR_FMT "%s" STR_FMT, policy_effect_name[v.effect],
                      STR_ARG(v.rule), is_told ? ": " : "",
                      STR_ARG(is_told ? v.sentence : STR("")));
}

static struct str answer_looks(const struct question *q) {
    struct verdict v = judged(q);
    struct str all = STR("");
    for (size_t i = 0; i < v.n_looks; i++)
        all = str_printf(q->arena, STR_FMT "%s" STR_FMT " %s", STR_ARG(all), i > 0 ? ", " : "",
                         STR_ARG(v.looks[i].rule), policy_look_name[v.looks[i].outcome]);
    return all;
}

static struct str list_charges(const struct question *q, const struct policy_charges *charges) {
    struct str all = STR("");
    for (size_t i = 0; i < charges->n; i++) {
        const struct store_window *w = &charges->windows[i];
        all = str_printf(q->arena, STR_FMT "%s" STR_FMT " %lld/%lld " STR_FMT, STR_ARG(all),
                         i > 0 ? ", " : "", STR_ARG(charges->rules[i]), (long long)w->max,
                         (long long)w->window_ms / 1000, STR_ARG(w->key));
    }
    return all;
}

static struct str answer_charges(const struct question *q) {
    struct verdict v = judged(q);
    return list_charges(q, &v.charges);
}

static struct str answer_budgets(const struct question *q) {
    struct verdict v = judged(q);
    const struct policy_charges *all = &v.budgets;
    struct str list = STR("");
    for (size_t i = 0; i < all->n; i++) {
        char amount[AMOUNT_TEXT_MAX], max[AMOUNT_TEXT_MAX];
        const struct store_window *w = &all->windows[i];
        list = str_printf(
            q->arena, STR_FMT "%s" STR_FMT " " STR_FMT " of " STR_FMT "/%lld " STR_FMT,
            STR_ARG(list), i > 0 ? ", " : "", STR_ARG(all->rules[i]),
            STR_ARG(amount_text(all->costs[i].amount, amount)), STR_ARG(amount_text(w->max, max)),
            (long long)w->window_ms / 1000, STR_ARG(w->key));
    }
    return list;
}

static struct str answer_quotas(const struct question *q) {
    struct policy_charges quotas;
    if (!policy_quotas(q->policy, &q->who, q->arena, &quotas)) return STR_NONE;
    return list_charges(q, &quotas);
}
