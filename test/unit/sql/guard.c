/*
 * The guard's cases: test/guard/ *.case, each a grant, a statement and what must come of it.
 *
 * A file is made of blocks. `world NAME` begins a grant (lines of guard_world.h, until an empty
 * line); `case TITLE` begins a case:
 *
 *     in       the world
 *     with     a line of the world's language, for this case alone
 *     sql      the statement; lines that begin with a blank go on
 *     dialect  maxcompute (when absent) duckdb postgres
 *     rows     limit of the request
 *     expect   allow | approval | deny CODE | fail CODE
 *     print    the whole text that runs
 *     run      the whole text that a backend is given, where it differs
 *     has, not a part that the text must or must not hold
 *     hint, says  a part of the hint, of the sentence
 *     at       the offset
 *     tables columns policy partitions   names, in order
 *     access   clause and its names
 *     output   name and its columns
 *     limit joins   numbers
 *     risk     level and flags, in the order of their bits
 *     same     another statement that must be refused in the very same words
 *     absent   a column without which the refusal has the very same words
 *
 * Every case also runs with each allocation failing in turn.
 */
#include "base/fault.h"
#include "guard_cases.h"
#include "sql/print.h"
#include "sql/walk.h"

struct answer {
    struct arena arena;
    struct world world;
    struct guard_answer out;
    struct report report;
    result done;
};

/* -- running ---------------------------------------------------------------------------------- */

/* Takes a column `project.schema.table.column` out of the world, as if it had never been. */
static void remove_column(struct world *w, struct str path) {
    struct str project = str_cut(&path, '.'), schema = str_cut(&path, '.');
    struct str name = str_cut(&path, '.');
    struct world_table *t = world_find(w, project, schema, name);
    size_t n = 0;
    assert_non_null(t);
    if (t == NULL) return; /* gcc does not know that the line above does not return */
    for (size_t i = 0; i < t->schema.n_columns; i++) {
        if (str_eq(t->schemas[i].name, path)) continue;
        t->schemas[n] = t->schemas[i];
        t->columns[n] = t->columns[i];
        t->columns[n].schema = &t->schemas[n];
        n++;
    }
    assert_true(n < t->schema.n_columns);
    t->schema.n_columns = n;
}

/* `without`: a column that is not there; STR_NONE: all are. */
static void ask(const struct suite *s, const struct guard_case *c, struct str sql,
                struct str without, struct answer *a) {
    arena_init(&a->arena, 64 * MIB);
    a->report = (struct report){0};
    bool is_built = build_world(s, c, &a->world, &a->arena);
    if (!is_built) fail_msg("%.*s: no such world, or a bad line", STR_ARG(c->title));
    if (without.len > 0) remove_column(&a->world, without);
    struct guard_request request = {
        .text = sql, .dialect = c->dialect, .grant = &a->world.grant, .limit = c->rows};
    a->done = guard_check(&request, &a->arena, &a->out, &a->report);
}

/* -- checks ----------------------------------------------------------------------------------- */

static void complain(struct suite *s, const struct guard_case *c, const char *what, struct str want,
                     struct str have) {
    s->n_failed++;
    print_error("%.*s: %.*s\n    %s wanted: %.*s\n    %s got:    %.*s\n", STR_ARG(c->file),
                STR_ARG(c->title), what, STR_ARG(want), what, STR_ARG(have));
}

static struct str join_names(struct arena *arena, const struct name_list *list) {
    struct str all = STR("");
    for (size_t i = 0; i < list->n; i++)
        all = str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(all), i > 0 ? " " : "",
                         STR_ARG(list->items[i]));
    return all;
}

static struct str verdict(struct arena *arena, const struct answer *a) {
    const char *code = a->report.code != NULL ? a->report.code : "?";
    if (a->done.why != FAIL_NONE) return str_printf(arena, "fail %s", code);
    switch (a->out.effect) {
    case GUARD_ALLOW: return STR("allow");
    case GUARD_APPROVAL: return STR("approval");
    case GUARD_DENY: break;
    }
    return str_printf(arena, "deny %s", code);
}

static struct str risk_of(struct arena *arena, const struct guard_answer *out) {
    struct str all = str_of(risk_level_name[out->risk]);
    for (size_t i = 0; risk_flag_name[i] != NULL; i++)
        if ((out->risk_flags & (1u << i)) != 0)
            all = str_printf(arena, STR_FMT " %s", STR_ARG(all), risk_flag_name[i]);
    return all;
}

static struct str access_of(struct arena *arena, const struct guard_answer *out,
                            struct str clause) {
    for (size_t i = 0; i < ACCESS_CLAUSES; i++)
        if (str_eq(str_of(access_clause_name[i]), clause))
            return join_names(arena, &out->access[i]);
    return STR("no such clause");
}

static struct str output_of(struct arena *arena, const struct guard_answer *out, struct str name) {
    for (size_t i = 0; i < out->n_output; i++)
        if (str_eq(out->output[i].name, name)) return join_names(arena, &out->output[i].from);
    return STR("no such output");
}

static bool holds(struct str text, struct str part) {
    return str_find(text, part) < text.len;
}

/* The same verdict in the same words for another statement, or without a column. */
static void check_same(struct suite *s, const struct guard_case *c, struct answer *a,
                       struct str sql, struct str without) {
    struct answer b;
    ask(s, c, sql, without, &b);
    struct str one =
        str_printf(&a->arena, "%d %d %s: %s (%s)", (int)a->done.why, (int)a->out.effect,
                   a->report.code, a->report.sentence, a->report.hint);
    struct str two = str_printf(&a->arena, "%d %d %s: %s (%s)", (int)b.done.why, (int)b.out.effect,
                                b.report.code, b.report.sentence, b.report.hint);
    if (!str_eq(one, two)) complain(s, c, "same", one, two);
    arena_deinit(&b.arena);
}

static void check_one(struct suite *s, const struct guard_case *c, struct answer *a,
                      struct str line) {
    struct str want = line, key = world_word(&want), have = STR_NONE;
    const struct guard_answer *out = &a->out;
    struct arena *arena = &a->arena;
    bool is_part = false, is_absent = false;
    if (want.ptr == NULL) want = STR("");
    if (str_eq(key, STR("expect"))) have = verdict(arena, a);
    if (str_eq(key, STR("print"))) have = out->sql;
    if (str_eq(key, STR("run"))) have = out->run;
    if (str_eq(key, STR("has"))) have = out->sql, is_part = true;
    if (str_eq(key, STR("not"))) have = out->sql, is_absent = true;
    if (str_eq(key, STR("hint"))) have = str_of(a->report.hint), is_part = true;
    if (str_eq(key, STR("says"))) have = str_of(a->report.sentence), is_part = true;
    if (str_eq(key, STR("at"))) have = str_printf(arena, "%zu", a->report.offset);
    if (str_eq(key, STR("tables"))) have = join_names(arena, &out->tables);
    if (str_eq(key, STR("columns"))) have = join_names(arena, &out->columns);
    if (str_eq(key, STR("policy"))) have = join_names(arena, &out->policy_columns);
    if (str_eq(key, STR("partitions"))) have = join_names(arena, &out->partitions);
    if (str_eq(key, STR("filtered"))) have = out->has_partition_filter ? STR("yes") : STR("no");
    if (str_eq(key, STR("limit"))) have = str_printf(arena, "%lld", (long long)out->limit);
    if (str_eq(key, STR("joins"))) have = str_printf(arena, "%lld", (long long)out->join_count);
    if (str_eq(key, STR("risk"))) have = risk_of(arena, out);
    if (str_eq(key, STR("access"))) have = access_of(arena, out, world_word(&want));
    if (str_eq(key, STR("output"))) have = output_of(arena, out, world_word(&want));
    if (want.ptr == NULL) want = STR("");
    if (str_eq(key, STR("same"))) {
        check_same(s, c, a, want, STR_NONE);
        return;
    }
    if (str_eq(key, STR("absent"))) {
        check_same(s, c, a, c->sql, want);
        return;
    }
    if (is_absent ? holds(have, want) : is_part ? !holds(have, want) : !str_eq(have, want)) {
        char what[16];
        (void)snprintf(what, sizeof what, "%.*s", STR_ARG(key));
        complain(s, c, what, want, have);
        if (str_eq(key, STR("expect")))
            print_error("    says: %s (%s)\n", a->report.sentence, a->report.hint);
    }
}

/* Whatever ran must parse again, print to the same bytes, and never without LIMIT. */
static void check_fixed_point(struct suite *s, const struct guard_case *c, struct answer *a) {
    struct sql_query *query;
    struct buf again;
    if (a->out.effect == GUARD_DENY || c->dialect != DIALECT_MAXCOMPUTE) return;
    buf_init(&again, 16 * MIB);
    result done = sql_parse(a->out.sql, NULL, &a->arena, &query, NULL);
    if (done.why == FAIL_NONE) done = sql_print(query, &sql_dialect_maxcompute, NULL, &again, NULL);
    struct str text = buf_flat(&again, &a->arena);
    if (done.why != FAIL_NONE || !str_eq(text, a->out.sql))
        complain(s, c, "fixed point", a->out.sql, text);
    buf_deinit(&again);
}

/* What may be told holds no salt, and what runs holds it only where it is said to. */
static void check_salt(struct suite *s, const struct guard_case *c, const struct answer *a) {
    struct str salt = a->world.grant.salt;
    bool runs_salted = a->out.salt.len > 0;
    if (salt.len == 0) return;
    if (holds(a->out.sql, salt) || holds(str_of(a->report.sentence), salt) ||
        holds(str_of(a->report.hint), salt))
        complain(s, c, "salt", STR("kept"), STR("told"));
    if (holds(a->out.run, salt) != runs_salted)
        complain(s, c, "salt", STR("in what runs"), a->out.run);
}

static size_t n_faults; /* how many, of all cases */

/* Nothing is ever allowed when memory gave out. */
static void check_faults(struct suite *s, const struct guard_case *c, struct answer *a) {
    for (long n = 0;; n++) {
        struct arena arena;
        struct guard_answer out;
        struct report report = {0};
        struct guard_request request = {
            .text = c->sql, .dialect = c->dialect, .grant = &a->world.grant, .limit = c->rows};
        arena_init(&arena, 64 * MIB);
        fault_set(n);
        result done = guard_check(&request, &arena, &out, &report);
        bool is_done = fault_unused();
        fault_off();
        arena_deinit(&arena);
        if (is_done) return;
        n_faults++;
        /* A refusal may stand without a hint that there was no memory for. */
        bool is_refusal = done.why == a->done.why && a->out.effect == GUARD_DENY;
        if (out.effect == GUARD_DENY && out.sql.len + out.run.len == 0 &&
            (done.why == FAIL_MEMORY || is_refusal))
            continue;
        complain(s, c, "fault", STR("memory"), str_of(fail_name(done.why)));
        print_error("    at the %ldth allocation\n", n);
        return;
    }
}

static void run_case(struct suite *s, const struct guard_case *c) {
    struct answer *a = calloc(1, sizeof *a);
    assert_non_null(a);
    ask(s, c, c->sql, STR_NONE, a);
    for (size_t i = 0; i < c->n_checks; i++) check_one(s, c, a, c->checks[i]);
    check_fixed_point(s, c, a);
    check_salt(s, c, a);
    check_faults(s, c, a);
    arena_deinit(&a->arena);
    free(a);
}

static void runs_every_case(void **state) {
    (void)state;
    static struct suite suite = {.run = run_case};
    read_cases(&suite);
    print_message("%zu cases, %zu checks failed; %zu allocations failed in turn\n", suite.n_cases,
                  suite.n_failed, n_faults);
    assert_int_equal(suite.n_failed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_every_case)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
