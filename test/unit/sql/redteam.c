/*
 * Attacks of our own: test/guard/attack/ *.jsonl, in the format of the published ones, against the
 * world beside them. What must be refused must not pass, no matter the reason; what passes is
 * looked at by redteam_look.h. Then what no single statement shows: that a name which is denied and
 * one which does not exist are answered alike, and that less granted never means more told.
 */
#include "base/limits.h"
#include "redteam_look.h"
#include "sql/guard.h"
#include "text/base64.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ATTACKS SOURCE_ROOT "/test/guard/attack/"

struct team {
    struct arena arena;
    struct world *world;
    const struct json **entries;
    size_t n, cap;
};

/* -- reading ---------------------------------------------------------------------------------- */

static struct str read_whole(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(arena, 4 * MIB, 1);
    assert_non_null(bytes);
    size_t n = fread(bytes, 1, 4 * MIB, file);
    (void)fclose(file);
    assert_true(n > 0 && n < 4 * MIB);
    return (struct str){bytes, n};
}

static struct world *make_world(struct arena *arena) {
    struct world *world = arena_new(arena, struct world);
    struct str lines = read_whole(arena, ATTACKS "world.case");
    assert_non_null(world);
    world_init(world, arena);
    while (lines.ptr != NULL) {
        struct str line = str_trim(str_cut(&lines, '\n'));
        if (line.len == 0 || line.ptr[0] == '#') continue;
        assert_true(world_line(world, line));
    }
    return world;
}

static int team_up(void **state) {
    struct team *t = calloc(1, sizeof *t);
    assert_non_null(t);
    arena_init(&t->arena, 512 * MIB);
    t->world = make_world(&t->arena);
    struct str lines = read_whole(&t->arena, ATTACKS "redteam.jsonl");
    while (lines.ptr != NULL) {
        struct str line = str_trim(str_cut(&lines, '\n'));
        const struct json *entry = NULL;
        if (line.len == 0) continue;
        assert_int_equal(json_read(line, NULL, &t->arena, &entry, NULL).why, FAIL_NONE);
        const struct json **place = ARENA_PUSH(&t->arena, t->entries, t->n, t->cap);
        assert_non_null(place);
        *place = entry;
    }
    *state = t;
    return 0;
}

static int team_down(void **state) {
    struct team *t = *state;
    arena_deinit(&t->arena);
    free(t);
    return 0;
}

static struct str sql_of(const struct json *entry, struct arena *arena) {
    struct str text = json_get_text(entry, STR("sql"));
    struct str coded = json_get_text(entry, STR("sql_b64"));
    if (text.ptr != NULL) return text;
    assert_true(base64_decode(coded, arena, &text));
    return text;
}

static bool lists(const struct json *list, struct str entry) {
    for (uint32_t i = 0; list != NULL && i < list->n; i++)
        if (json_is_text(&list->items[i], entry)) return true;
    return false;
}

/* The fuzzer has the world in its binary, and more beside it. */
static const char *const embedded[] = {
#include "../../fuzz/guard_world.inc"
};

static void the_fuzzer_asks_of_the_same_world(void **state) {
    struct team *team = *state;
    struct str lines = read_whole(&team->arena, ATTACKS "world.case");
    size_t n = 0;
    while (lines.ptr != NULL) {
        struct str line = str_trim(str_cut(&lines, '\n'));
        if (line.len == 0 || line.ptr[0] == '#') continue;
        while (n < COUNT(embedded) && !str_eq(line, str_of(embedded[n]))) n++;
        if (n == COUNT(embedded)) fail_msg("not in the fuzzer's world: %.*s", STR_ARG(line));
        n++;
    }
}

/* -- one statement ---------------------------------------------------------------------------- */

struct trial {
    struct str sql;
    struct arena arena;
    struct guard_answer out;
    struct report report;
    bool passed;
};

static void trial_up(struct trial *t, const struct world *world, struct str sql) {
    *t = (struct trial){.sql = sql};
    arena_init(&t->arena, 256 * MIB);
    struct guard_request request = {.text = sql, .grant = &world->grant};
    result done = guard_check(&request, &t->arena, &t->out, &t->report);
    t->passed = done.why == FAIL_NONE && t->out.effect != GUARD_DENY;
}

static void trial_down(struct trial *t) {
    arena_deinit(&t->arena);
}

static const char *missing_scan(const struct trial *t, const struct json *must,
                                const struct world *world, const struct redteam_scans *scans) {
    for (size_t i = 0; must != NULL && i < world->n_tables; i++) {
        size_t wanted = 0;
        const struct schema_relation *schema = &world->tables[i].schema;
        if (!str_eq(schema->project, STR("sales")) || !str_eq(schema->schema, STR("default")))
            continue;
        for (uint32_t k = 0; k < must->n; k++)
            wanted += json_is_text(&must->items[k], schema->name);
        if (scans->of[i] < wanted) return "a scan is missing";
    }
    return t->out.may_tell_engine && must != NULL && must->n > 0
               ? "the engine's errors may be told in spite of a row filter"
               : NULL;
}

static const char *judge(struct trial *t, const struct json *entry, struct world *world) {
    struct redteam_scans scans;
    const struct json *also = json_get(entry, STR("also_ok"));
    bool is_rewrite = json_is_text(json_get(entry, STR("expect")), STR("rewrite"));
    bool may_pass = is_rewrite || lists(also, STR("rewrite"));
    bool may_stop = !is_rewrite || lists(also, STR("deny")) || lists(also, STR("error"));
    if (t->passed && !may_pass) return "it passed";
    if (!t->passed && !may_stop) return "it was refused";
    if (!t->passed && t->out.sql.len > 0) return "a text came with the refusal";
    if (!t->passed && (t->report.code == NULL || t->report.sentence[0] == '\0'))
        return "nobody says why";
    if (!t->passed && strcmp(t->report.code, "INTERNAL_ERROR") == 0)
        return "only the last look held it";
    if (!t->passed) return NULL;
    const char *wrong = redteam_look(world, t->out.sql, &scans, &t->arena);
    if (wrong != NULL) return wrong;
    return missing_scan(t, json_get(entry, STR("must_filter")), world, &scans);
}

static void every_attack_is_held(void **state) {
    struct team *team = *state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < team->n; i++) {
        struct trial t;
        trial_up(&t, team->world, sql_of(team->entries[i], &team->arena));
        const char *wrong = judge(&t, team->entries[i], team->world);
        n_wrong += wrong != NULL;
        if (wrong != NULL)
            print_error("%.*s: %s\n    %.*s\n    %.*s\n    %s: %s\n",
                        STR_ARG(json_get_text(team->entries[i], STR("id"))), wrong,
                        STR_ARG(str_slice(t.sql, 0, 300)), STR_ARG(t.out.sql),
                        t.report.code != NULL ? t.report.code : "", t.report.sentence);
        trial_down(&t);
    }
    print_message("%zu attacks, %zu wrong\n", team->n, n_wrong);
    assert_int_equal(n_wrong, 0);
    assert_true(team->n >= 600);
}

/* -- denied and absent ------------------------------------------------------------------------ */

/* A statement with @ where one name stands that is denied and one of the same length that does not
 * exist. */
struct twin {
    const char *sql, *denied, *absent;
};

static const struct twin twins[] = {
    {"SELECT @ FROM users", "phone", "zzzzz"},
    {"SELECT u.@ FROM users u", "phone", "zzzzz"},
    {"SELECT @, qqqq FROM users", "phone", "zzzzz"},
    {"SELECT abs(@, 1) FROM users", "phone", "zzzzz"},
    {"SELECT @, my_udf(1) FROM users", "phone", "zzzzz"},
    {"SELECT @ FROM users WHERE user_id = ?", "phone", "zzzzz"},
    {"SELECT @ FROM users LIMIT 0", "phone", "zzzzz"},
    {"SELECT `(@|x)` FROM users", "phone", "zzzzz"},
    {"SELECT `@.*` FROM users", "phon", "zzzz"},
    {"SELECT * EXCEPT (@) FROM users", "phone", "zzzzz"},
    {"SELECT * REPLACE ('x' AS @) FROM users", "phone", "zzzzz"},
    {"SELECT t.* EXCEPT (@) FROM (SELECT * FROM users) t", "phone", "zzzzz"},
    {"SELECT (SELECT @ FROM users), qqq FROM items", "phone", "zzzzz"},
    {"SELECT name FROM users UNION ALL SELECT @, name FROM users", "phone", "zzzzz"},
    {"SELECT * FROM users UNION ALL SELECT @ FROM users", "phone", "zzzzz"},
    {"SELECT 1 FROM users ORDER BY @, qq", "phone", "zzzzz"},
    {"SELECT ext.@, qqq FROM orders", "ip", "zz"},
    {"SELECT ext.device.@ FROM orders", "imei", "zzzz"},
    {"SELECT profile.@.x FROM users", "income", "zzzzzz"},
    {"SELECT @.x FROM users", "salary", "zzzzzz"},
    {"SELECT * FROM users JOIN contacts USING (@)", "email", "zzzzz"},
    {"SELECT 1 FROM users LATERAL VIEW explode(@) t AS a, b, c", "aliases", "zzzzzzz"},
    {"SELECT 1 FROM events LATERAL VIEW explode(@) t AS a", "secret_map", "zzzzzz_zzz"},
    {"SELECT sum(sum(@)) FROM users", "salary", "zzzzzz"},
    {"SELECT phone FROM users u JOIN contacts c ON u.@ = 1", "salary", "zzzzzz"},
    {"SELECT * FROM @", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT qqq FROM @", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT qqq FROM users, @", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT qqq, (SELECT 1 FROM @) FROM users", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT (SELECT 1 FROM @), qqq FROM users", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT max_pt('@'), qqq FROM users", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT max_pt('@') FROM users", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT partition_exists('@', '1') FROM users", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM @ TIMESTAMP AS OF 'x'", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM @ x LIMIT 0", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT x.user_id FROM @ x JOIN x ON 1", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM @ AS t(a, b, c, d, e, f)", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT my_udf(1) FROM @", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM users u JOIN @ u ON 1", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM users NATURAL JOIN @", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM @ TABLESAMPLE (BUCKET 1 OUT OF 2 ON qq)", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT * FROM users UNION ALL SELECT * FROM @", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM @ LATERAL VIEW explode(q) t AS x", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT @.user_id FROM users", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM @ UNION ALL SELECT 1 FROM hr.yyy", "hr.salaries", "hr.zzzzzzzz"},
    {"SELECT 1 FROM sales.@.users", "private", "zzzzzzz"},
};

static struct str with_name(struct arena *arena, const char *sql, const char *name) {
    struct str rest = str_of(sql), before = str_cut(&rest, '@');
    return str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(before), name, STR_ARG(rest));
}

/* The text with every `name`, or its last part, as @. */
static struct str without_name(struct arena *arena, const char *text, struct str name) {
    struct str rest = str_of(text), out = STR("");
    while (rest.len > 0) {
        size_t at = str_find(rest, name);
        out = str_printf(arena, STR_FMT STR_FMT "%s", STR_ARG(out), STR_ARG(str_slice(rest, 0, at)),
                         at < rest.len ? "@" : "");
        rest = str_slice(rest, at < rest.len ? at + name.len : at, rest.len);
    }
    return out;
}

static bool says_the_same(struct trial *denied, struct trial *absent, const struct twin *twin) {
    struct str a = without_name(&denied->arena, denied->report.sentence, str_of(twin->denied));
    struct str b = without_name(&absent->arena, absent->report.sentence, str_of(twin->absent));
    return denied->report.why == absent->report.why && denied->report.code != NULL &&
           absent->report.code != NULL && strcmp(denied->report.code, absent->report.code) == 0 &&
           str_eq(a, b) && strcmp(denied->report.hint, absent->report.hint) == 0 &&
           denied->report.offset == absent->report.offset;
}

static void denied_is_told_like_absent(struct world *world, struct arena *arena) {
    size_t n_wrong = 0;
    for (size_t i = 0; i < COUNT(twins); i++) {
        struct trial denied, absent;
        trial_up(&denied, world, with_name(arena, twins[i].sql, twins[i].denied));
        trial_up(&absent, world, with_name(arena, twins[i].sql, twins[i].absent));
        bool is_held =
            !denied.passed && !absent.passed && says_the_same(&denied, &absent, &twins[i]);
        n_wrong += !is_held;
        if (!is_held)
            print_error("%s\n    %s %s (%s)\n    %s %s (%s)\n", twins[i].sql,
                        denied.passed ? "passed" : denied.report.code, denied.report.sentence,
                        denied.report.hint, absent.passed ? "passed" : absent.report.code,
                        absent.report.sentence, absent.report.hint);
        trial_down(&denied);
        trial_down(&absent);
    }
    assert_int_equal(n_wrong, 0);
}

static void stars_expanded(void **state) {
    struct team *team = *state;
    denied_is_told_like_absent(team->world, &team->arena);
}

static void stars_denied(void **state) {
    struct team *team = *state;
    struct world *world = make_world(&team->arena);
    world->grant.star = GRANT_STAR_DENY;
    denied_is_told_like_absent(world, &team->arena);
}

/* -- less granted, nothing more told ------------------------------------------------------------
 */

static bool holds_name(const struct name_list *list, struct str name) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], name)) return true;
    return false;
}

static bool is_within(const struct name_list *part, const struct name_list *whole) {
    for (size_t i = 0; i < part->n; i++)
        if (!holds_name(whole, part->items[i])) return false;
    return true;
}

static bool output_is_within(const struct guard_answer *part, const struct guard_answer *whole) {
    size_t k = 0;
    for (size_t i = 0; i < part->n_output; i++, k++) {
        while (k < whole->n_output && !str_eq(part->output[i].name, whole->output[k].name)) k++;
        if (k == whole->n_output) return false;
    }
    return true;
}

/* Every statement that passes, with one column after the other taken away. */
static void a_column_less_tells_no_more(void **state) {
    struct team *team = *state;
    struct world *less = make_world(&team->arena);
    size_t n = 0;
    for (size_t i = 0; i < team->n; i++) {
        struct trial full;
        trial_up(&full, team->world, sql_of(team->entries[i], &team->arena));
        for (size_t c = 0; c < WORLD_COLUMNS; c++) {
            struct world_table *table = &less->tables[(i + c) % 6];
            if (c >= table->schema.n_columns || table->columns[c].effect != GRANT_ALLOW) continue;
            struct trial part;
            bool was_restricted = table->relation.is_restricted;
            table->columns[c].effect = GRANT_DENY;
            table->relation.is_restricted = true;
            trial_up(&part, less, full.sql);
            bool is_no_more =
                !part.passed || (full.passed && is_within(&part.out.columns, &full.out.columns) &&
                                 output_is_within(&part.out, &full.out));
            if (!is_no_more) print_error("%.*s\n", STR_ARG(str_slice(full.sql, 0, 300)));
            assert_true(is_no_more);
            if (part.passed) {
                struct redteam_scans scans;
                assert_null(redteam_look(less, part.out.sql, &scans, &part.arena));
            }
            trial_down(&part);
            table->columns[c].effect = GRANT_ALLOW;
            table->relation.is_restricted = was_restricted;
            n++;
        }
        trial_down(&full);
    }
    assert_true(n > 1000);
}

static bool are_same_names(const struct name_list *a, const struct name_list *b) {
    return a->n == b->n && is_within(a, b);
}

/* A row filter more: the same columns, and each scan has it. */
static void a_filter_more_reads_the_same(void **state) {
    struct team *team = *state;
    struct world *more = make_world(&team->arena);
    assert_true(world_line(more, STR("table sales.default.orders")));
    assert_true(world_line(more, STR("filter user_id > 7")));
    assert_true(world_line(more, STR("table sales.default.items")));
    assert_true(world_line(more, STR("filter category <> 'x'")));
    for (size_t i = 0; i < team->n; i++) {
        struct trial full, filtered;
        struct redteam_scans scans;
        trial_up(&full, team->world, sql_of(team->entries[i], &team->arena));
        trial_up(&filtered, more, full.sql);
        assert_int_equal(full.passed, filtered.passed);
        assert_true(are_same_names(&full.out.columns, &filtered.out.columns));
        assert_int_equal(full.out.n_output, filtered.out.n_output);
        if (filtered.passed)
            assert_null(redteam_look(more, filtered.out.sql, &scans, &filtered.arena));
        trial_down(&full);
        trial_down(&filtered);
    }
}

static void a_table_less_tells_no_more(void **state) {
    struct team *team = *state;
    struct world *less = make_world(&team->arena);
    for (size_t i = 0; i < team->n; i++) {
        for (size_t k = 0; k < 6; k++) {
            struct trial full, part;
            trial_up(&full, team->world, sql_of(team->entries[i], &team->arena));
            less->tables[k].relation.effect = GRANT_DENY;
            trial_up(&part, less, full.sql);
            bool is_no_more = !part.passed || full.passed;
            assert_true(is_no_more);
            if (part.passed) assert_true(str_eq(part.out.sql, full.out.sql));
            less->tables[k].relation.effect = GRANT_ALLOW;
            trial_down(&part);
            trial_down(&full);
        }
    }
}

/* -- the same statement otherwise written --------------------------------------------------------
 */

/* Blanks and comments around every token that is no part of a literal, name, comment or hint; words
 * in capitals. Statements with comments of their own are left as they are. */
static struct str rewritten(struct str sql, struct arena *arena) {
    char *out = arena_alloc(arena, sql.len * 8 + 8, 1);
    size_t n = 0;
    char quote = '\0';
    assert_non_null(out);
    for (size_t i = 0; i < sql.len; i++) {
        char c = sql.ptr[i];
        if (quote != '\0') {
            out[n++] = c;
            if (c == '\\' && quote != '`' && i + 1 < sql.len) out[n++] = sql.ptr[++i];
            if (c == quote) quote = '\0';
            continue;
        }
        if (c == '\'' || c == '"' || c == '`') quote = c;
        if (c == ' ') {
            memcpy(&out[n], "/*p*/\n\t", 7);
            n += 7;
        } else {
            out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        }
    }
    return (struct str){out, n};
}

static void spelling_changes_nothing(void **state) {
    struct team *team = *state;
    size_t n = 0;
    for (size_t i = 0; i < team->n; i++) {
        struct trial plain, odd;
        struct str sql = sql_of(team->entries[i], &team->arena);
        /* Without comments, hints, fullwidth marks and client commands, to which blanks matter. */
        if (str_find(sql, STR("/*")) < sql.len || str_find(sql, STR("--")) < sql.len ||
            str_find_byte(sql, '#') < sql.len)
            continue;
        trial_up(&plain, team->world, sql);
        trial_up(&odd, team->world, rewritten(sql, &team->arena));
        if (plain.passed != odd.passed)
            print_error("%.*s\n    %s\n    %s\n", STR_ARG(str_slice(sql, 0, 200)),
                        plain.report.sentence, odd.report.sentence);
        assert_int_equal(plain.passed, odd.passed);
        assert_true(are_same_names(&plain.out.tables, &odd.out.tables));
        assert_true(are_same_names(&plain.out.columns, &odd.out.columns));
        trial_down(&plain);
        trial_down(&odd);
        n++;
    }
    assert_true(n > 400);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_fuzzer_asks_of_the_same_world),
                                       cmocka_unit_test(every_attack_is_held),
                                       cmocka_unit_test(stars_expanded),
                                       cmocka_unit_test(stars_denied),
                                       cmocka_unit_test(a_column_less_tells_no_more),
                                       cmocka_unit_test(a_table_less_tells_no_more),
                                       cmocka_unit_test(a_filter_more_reads_the_same),
                                       cmocka_unit_test(spelling_changes_nothing)};
    return cmocka_run_group_tests(tests, team_up, team_down);
}
