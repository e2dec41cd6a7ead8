/*
 * Removing a grant never shows more. Each case of test/guard is asked under its own grant and then
 * under random ones that grant less: columns denied or masked, tables denied, fields of structs
 * taken out, rows filtered, functions forbidden, limits lowered, joins withdrawn. Then
 *
 *     1. what was denied is not allowed. (What was no SQL, or too large, may have become less; and
 *        where stars are expanded, two branches whose stars left out columns at different places
 *        may meet once more is left out: each shows what it showed before, and less.)
 *     2. what is allowed shows no output, reads no column and gives no row more than before;
 *     3. what runs neither names what was taken away nor leaves out a filter that was put in.
 *
 * The seed is printed; WEIR_SEED repeats a run.
 */
#include "guard_cases.h"

#include <stdlib.h>

enum { TRIALS = 24, TAKEN_MAX = 64 };

/* -- chance ----------------------------------------------------------------------------------- */

struct dice {
    uint64_t state;
};

/* xorshift64*: the same everywhere */
static uint64_t roll(struct dice *d) {
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return d->state * UINT64_C(2685821657736338717);
}

static bool one_in(struct dice *d, unsigned n) {
    return (roll(d) >> 33) % n == 0;
}

/* -- granting less ---------------------------------------------------------------------------- */

struct taken { /* names that nothing that runs may hold, beside conditions of the policy */
    struct str columns[TAKEN_MAX];
    const struct world_table *tables[TAKEN_MAX];
    size_t n;
};

static void deny_column(struct world_table *t, size_t i, struct taken *taken) {
    if (t->columns[i].effect == GRANT_DENY || taken->n == TAKEN_MAX) return;
    t->columns[i].effect = GRANT_DENY;
    t->relation.is_restricted = true;
    taken->tables[taken->n] = t;
    taken->columns[taken->n++] = t->schemas[i].name;
}

static void mask_column(struct world *w, struct world_table *t, size_t i) {
    if (t->columns[i].effect != GRANT_ALLOW || t->columns[i].n_denied_fields > 0) return;
    t->columns[i].effect = GRANT_MASK;
    t->columns[i].mask =
        str_printf(w->arena, "CASE WHEN FALSE THEN `" STR_FMT "` END", STR_ARG(t->schemas[i].name));
    t->columns[i].mask_type = NULL;
    t->relation.is_restricted = true;
}

static void deny_field(struct world *w, struct world_table *t, size_t i) {
    const struct sql_type *type = t->schemas[i].type;
    if (type->kind != SQL_TYPE_STRUCT || t->columns[i].n_denied_fields >= WORLD_LIST) return;
    size_t n = t->columns[i].n_denied_fields;
    struct str *fields = arena_new_array(w->arena, n + 1, struct str);
    for (size_t k = 0; k < n; k++) fields[k] = t->columns[i].denied_fields[k];
    fields[n] = type->fields[0].name;
    t->columns[i].denied_fields = fields;
    t->columns[i].n_denied_fields = n + 1;
    t->relation.is_restricted = true;
}

static void less_of_table(struct world *w, struct world_table *t, struct dice *d,
                          struct taken *taken) {
    if (one_in(d, 12)) t->relation.effect = GRANT_DENY;
    if (one_in(d, 10)) t->relation.require_partition_filter = true;
    if (one_in(d, 10) && t->relation.max_limit > 1) t->relation.max_limit /= 2;
    for (size_t i = 0; i < t->schema.n_columns; i++) {
        if (one_in(d, 10)) deny_column(t, i, taken);
        if (one_in(d, 16)) mask_column(w, t, i);
        if (one_in(d, 4)) deny_field(w, t, i);
    }
    if (!one_in(d, 5) || t->relation.n_row_filters == WORLD_FILTERS) return;
    struct str column = t->schemas[(roll(d) >> 33) % t->schema.n_columns].name;
    t->filters[t->relation.n_row_filters++] =
        str_printf(w->arena, "`" STR_FMT "` IS NULL", STR_ARG(column));
}

static void less(struct world *w, struct dice *d, struct taken *taken) {
    static const struct str functions[] = {STR_INIT("count"), STR_INIT("substr"), STR_INIT("upper"),
                                           STR_INIT("max_pt"), STR_INIT("concat")};
    struct grant *g = &w->grant;
    for (size_t i = 0; i < w->n_tables; i++) less_of_table(w, &w->tables[i], d, taken);
    if (one_in(d, 6)) g->max_limit /= 2;
    if (one_in(d, 6) && g->default_limit > 1) g->default_limit /= 2;
    if (one_in(d, 8)) g->max_join_tables--;
    if (one_in(d, 8)) g->star = GRANT_STAR_DENY;
    if (one_in(d, 8)) g->allow_no_table = false;
    if (one_in(d, 8)) g->allow_unapproved_join = false;
    if (one_in(d, 6) && g->n_joins > 0) g->n_joins--;
    if (one_in(d, 8) && g->n_functions_allowed > 0) g->n_functions_allowed--;
    if (one_in(d, 6) && g->n_functions_denied < WORLD_LIST)
        w->denied[g->n_functions_denied++] = functions[(roll(d) >> 33) % COUNT(functions)];
    if (one_in(d, 8) && g->deny_at == RISK_GATE_NONE) g->deny_at = RISK_GATE_CRITICAL;
}

/* -- holding two answers against each other --------------------------------------------------- */

struct asked {
    struct arena arena;
    struct world world;
    struct guard_answer out;
    struct report report;
    result done;
    bool passed;
};

static void ask(const struct guard_case *c, struct asked *a) {
    struct guard_request request = {
        .text = c->sql, .dialect = c->dialect, .grant = &a->world.grant, .limit = c->rows};
    a->done = guard_check(&request, &a->arena, &a->out, &a->report);
    a->passed = a->done.why == FAIL_NONE && a->out.effect != GUARD_DENY;
}

static bool has_name(const struct name_list *list, struct str name) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], name)) return true;
    return false;
}

static bool is_within(const struct name_list *part, const struct name_list *whole) {
    for (size_t i = 0; i < part->n; i++)
        if (!has_name(whole, part->items[i])) return false;
    return true;
}

/* Outputs of the part are some of the whole's, in their order, and read no more. */
static bool shows_less(const struct guard_answer *part, const struct guard_answer *whole) {
    size_t k = 0;
    for (size_t i = 0; i < part->n_output; i++, k++) {
        while (k < whole->n_output && !str_eq(part->output[i].name, whole->output[k].name)) k++;
        if (k == whole->n_output || !is_within(&part->output[i].from, &whole->output[k].from))
            return false;
    }
    return part->limit <= whole->limit && is_within(&part->tables, &whole->tables) &&
           is_within(&part->columns, &whole->columns);
}

/* A denied column of a table is read by name nowhere, unless a filter or mask reads it. */
static bool names_taken(const struct asked *part, const struct taken *taken) {
    for (size_t i = 0; i < taken->n; i++) {
        const struct schema_relation *s = &taken->tables[i]->schema;
        char name[512];
        int n = snprintf(name, sizeof name, "%.*s.%.*s.%.*s.%.*s", STR_ARG(s->project),
                         STR_ARG(s->schema), STR_ARG(s->name), STR_ARG(taken->columns[i]));
        if (n > 0 && has_name(&part->out.columns, (struct str){name, (size_t)n})) return true;
    }
    return false;
}

static bool was_denied(const struct asked *whole) {
    bool is_of_stars = whole->world.grant.star == GRANT_STAR_EXPAND && whole->report.code != NULL &&
                       strcmp(whole->report.code, "SELECT_STAR_NOT_ALLOWED") == 0;
    return !whole->passed && whole->done.why == FAIL_NONE && !is_of_stars;
}

static const char *wrong_with(const struct asked *whole, const struct asked *part,
                              const struct taken *taken) {
    if (!part->passed) return part->out.sql.len + part->out.run.len > 0 ? "a text with no" : NULL;
    if (was_denied(whole)) return "allowed what was denied";
    if (names_taken(part, taken)) return "reads what was taken away";
    if (whole->passed && !shows_less(&part->out, &whole->out)) return "shows more";
    return NULL;
}

/* -- all -------------------------------------------------------------------------------------- */

static struct dice dice;
static size_t n_trials, n_passed, n_allowed_less;

static void build(const struct suite *s, const struct guard_case *c, struct asked *a) {
    *a = (struct asked){0};
    arena_init(&a->arena, 64 * MIB);
    assert_true(build_world(s, c, &a->world, &a->arena));
}

static void run_case(struct suite *s, const struct guard_case *c) {
    struct asked *whole = calloc(2, sizeof *whole), *part = whole + 1;
    assert_non_null(whole);
    build(s, c, whole);
    ask(c, whole);
    n_passed += whole->passed;
    for (size_t i = 0; i < TRIALS; i++, n_trials++) {
        struct taken taken = {.n = 0};
        uint64_t state = dice.state;
        build(s, c, part);
        less(&part->world, &dice, &taken);
        ask(c, part);
        n_allowed_less += part->passed;
        const char *wrong = wrong_with(whole, part, &taken);
        if (wrong != NULL) {
            s->n_failed++;
            print_error("%.*s: %.*s (state %llu): %s\n    %.*s\n    %.*s\n", STR_ARG(c->file),
                        STR_ARG(c->title), (unsigned long long)state, wrong, STR_ARG(c->sql),
                        STR_ARG(part->out.sql));
        }
        arena_deinit(&part->arena);
    }
    arena_deinit(&whole->arena);
    free(whole);
}

static void removing_a_grant_never_shows_more(void **state) {
    (void)state;
    const char *given = getenv("WEIR_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20240229;
    static struct suite suite = {.run = run_case};
    dice.state = seed != 0 ? seed : 1;
    print_message("seed %llu (WEIR_SEED)\n", (unsigned long long)seed);
    read_cases(&suite);
    print_message(
        "%zu cases, %zu allowed; %zu grants of less, %zu of them still allowed; %zu wrong\n",
        suite.n_cases, n_passed, n_trials, n_allowed_less, suite.n_failed);
    assert_int_equal(suite.n_failed, 0);
    assert_true(n_allowed_less > n_trials / 20); /* else nothing was compared */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(removing_a_grant_never_shows_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
