/*
 * test/unit/sql/property.c - what holds for every statement, whatever it says
 *
 *     language   statements of every production parse, and print to what they were (language.case)
 *     spelling   blanks, comments, capitals and fullwidth marks between tokens change neither tree
 *                nor answer: code, tables, columns by clause, outputs; gaps not the printed text
 *     canon      the canonical text of a statement gives the same answer, and in each dialect the
 *                same bytes: print and parse are one identity on all that is accepted
 *     size       the largest statements that are permitted end in an answer or in the limit that
 *                they pass, never in the memory of the call; twice the text takes twice of it
 */
#include "base/limits.h"
#include "corpus_world.h"
#include "sql/guard.h"
#include "sql/lex.h"
#include "sql/parse.h"
#include "sql/print.h"
#include "sql/walk.h"
#include "statements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>

#define CASES SOURCE_ROOT "/test/unit/sql/"

/* -- other spellings ------------------------------------------------------------------------------
 */

struct spelling_of {
    struct str text, out;
    size_t n_gaps;
    bool swaps_case;
};

static void put(struct spelling_of *s, struct str more) {
    char *to = (char *)(uintptr_t)s->out.ptr + s->out.len;
    memcpy(to, more.ptr, more.len);
    s->out.len += more.len;
}

static void put_gap(struct spelling_of *s) {
    /* Each begins with a blank: a minus before a comment would be one. */
    static const struct str gaps[] = {
        STR_INIT(" "),
        STR_INIT("\n\t"),
        STR_INIT(" /**/"),
        STR_INIT(" -- ;'\n"),
        STR_INIT(" /* it's; \" */ "),
        STR_INIT("\r\n"),
    };
    put(s, gaps[s->n_gaps++ % COUNT(gaps)]);
}

/* A word in the other case, a mark in the other width. */
static void put_token(struct spelling_of *s, const struct token *token) {
    struct str text = str_slice(s->text, token->from, token->to);
    char *to = (char *)(uintptr_t)s->out.ptr + s->out.len;
    put(s, text);
    for (size_t i = 0; s->swaps_case && token->kind == TOKEN_WORD && i < text.len; i++)
        if ((to[i] >= 'a' && to[i] <= 'z') || (to[i] >= 'A' && to[i] <= 'Z')) to[i] ^= 0x20;
    if (!s->swaps_case || text.len != 1) return;
    s->out.len -= text.len;
    if (token->kind == TOKEN_COMMA)
        put(s, STR("，"));
    else if (token->kind == TOKEN_OPEN)
        put(s, STR("（"));
    else if (token->kind == TOKEN_CLOSE)
        put(s, STR("）"));
    else
        put(s, text);
}

/* _utf8'…' is one thing only without a gap. */
static bool is_charset(const struct spelling_of *s, const struct token *last,
                       const struct token *token) {
    return last->kind == TOKEN_WORD && s->text.ptr[last->from] == '_' && token->from == last->to &&
           (token->kind == TOKEN_STRING || token->kind == TOKEN_DSTRING);
}

/* Hints are kept as they are. A text that the lexer refuses is respelled up to there. */
static struct str respell(struct str text, bool swaps_case, struct arena *arena) {
    struct spelling_of s = {.text = text, .swaps_case = swaps_case};
    s.out.ptr = arena_alloc(arena, text.len * 20 + 64, 1);
    assert_non_null(s.out.ptr);
    struct token last = {0};
    for (size_t at = 0;;) {
        struct token token = sql_lex(text, at);
        if (token.kind == TOKEN_END) break;
        if (!is_charset(&s, &last, &token)) put_gap(&s);
        if (token.kind == TOKEN_BAD) {
            put(&s, str_slice(text, token.from, text.len));
            break;
        }
        at = token.to;
        if (token.kind == TOKEN_HINT) {
            while (sql_lex_hint_end(text, at) == 0 && at < text.len) at++;
            at = at < text.len ? sql_lex_hint_end(text, at) : at;
            put(&s, str_slice(text, token.from, at));
        } else {
            put_token(&s, &token);
        }
        last = token;
    }
    put_gap(&s);
    return s.out;
}

/* -- trees ------------------------------------------------------------------------------------ */

struct parsing {
    struct sql_query *query;
    struct report report;
    struct str print;
};

static void parse_all(struct parsing *p, struct str sql, struct arena *arena) {
    struct buf buf;
    struct sql_limits wide = {.bytes = (size_t)(32 * MIB)}; /* gaps add to it */
    *p = (struct parsing){0};
    result parsed = sql_parse(sql, &wide, arena, &p->query, &p->report);
    if (parsed.why != FAIL_NONE) return;
    buf_init(&buf, (size_t)CALL_ARENA_BYTES);
    assert_int_equal(sql_print(p->query, &sql_dialect_maxcompute, NULL, &buf, NULL).why, FAIL_NONE);
    p->print = str_dup(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
}

static const char *wrong_with_tree(struct str sql, struct arena *arena) {
    struct parsing plain, spaced, swapped;
    parse_all(&plain, sql, arena);
    parse_all(&spaced, respell(sql, false, arena), arena);
    parse_all(&swapped, respell(sql, true, arena), arena);
    const char *code = plain.report.code != NULL ? plain.report.code : "";
    const struct parsing *others[] = {&spaced, &swapped};
    for (size_t i = 0; i < COUNT(others); i++) {
        const char *other = others[i]->report.code != NULL ? others[i]->report.code : "";
        if (strcmp(code, other) != 0) return i == 0 ? "gaps: another code" : "case: another code";
        if (!str_ieq(plain.print, others[i]->print)) return "another print";
    }
    if (plain.query != NULL && !sql_equal(plain.query, spaced.query)) return "gaps: another tree";
    return NULL;
}

static void spelling_changes_no_tree(void **state) {
    (void)state;
    struct arena arena, work;
    size_t n = 0, n_wrong = 0;
    arena_init(&arena, (size_t)(64 * MIB));
    struct statements files[] = {
        statements_cases(CASES "parse.case", STR("\n=> "), &arena),
        statements_cases(CASES "refuse.case", STR("\n! "), &arena),
        statements_cases(CASES "language.case", STR("\n=> "), &arena),
        statements_corpus("accept.jsonl", &arena),
        statements_corpus("reject.jsonl", &arena),
    };
    for (size_t f = 0; f < COUNT(files); f++)
        for (size_t i = 0; i < files[f].n; i++, n++) {
            arena_init(&work, (size_t)(64 * MIB));
            const char *wrong = wrong_with_tree(files[f].at[i].sql, &work);
            if (wrong != NULL)
                print_error("%s\n    %.*s\n", wrong,
                            STR_ARG(str_slice(files[f].at[i].sql, 0, 300)));
            n_wrong += wrong != NULL;
            arena_deinit(&work);
        }
    arena_deinit(&arena);
    print_message("%zu statements, %zu wrong\n", n, n_wrong);
    assert_int_equal(n_wrong, 0);
    assert_true(n > 150);
}

/* Each production of the grammar, and each of its corners: what it parses to, printed, is the same
 * tree, and the same text when it is printed once more. */
static void the_language_is_understood(void **state) {
    (void)state;
    struct arena arena;
    size_t n_wrong = 0;
    arena_init(&arena, (size_t)(256 * MIB));
    struct statements all = statements_cases(CASES "language.case", STR("\n=> "), &arena);
    for (size_t i = 0; i < all.n; i++) {
        struct parsing once, twice = {0};
        struct str sql = all.at[i].sql;
        parse_all(&once, sql, &arena);
        if (once.query != NULL) parse_all(&twice, once.print, &arena);
        bool is_same = twice.query != NULL && sql_equal(once.query, twice.query) &&
                       str_eq(once.print, twice.print) &&
                       str_eq(str_of(sql_classify(sql)), STR("select"));
        if (!is_same)
            print_error("%.*s\n    %s%s\n    %.*s\n", STR_ARG(sql), once.report.sentence,
                        twice.report.sentence, STR_ARG(once.print));
        n_wrong += !is_same;
    }
    print_message("%zu statements, %zu wrong\n", all.n, n_wrong);
    assert_int_equal(n_wrong, 0);
    assert_true(all.n > 250);
    arena_deinit(&arena);
}

/* -- answers ---------------------------------------------------------------------------------- */

struct asking {
    struct guard_answer out;
    struct report report;
    bool passed;
};

static void ask(struct asking *a, struct world *world, struct str sql, struct arena *arena) {
    struct guard_request request = {.text = sql, .grant = &world->grant};
    *a = (struct asking){0};
    result done = guard_check(&request, arena, &a->out, &a->report);
    a->passed = done.why == FAIL_NONE;
}

static bool are_same(const struct name_list *a, const struct name_list *b) {
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->items[i], b->items[i])) return false;
    return true;
}

static const char *wrong_with_answer(const struct asking *a, const struct asking *b) {
    if (a->passed != b->passed || a->out.effect != b->out.effect) return "another effect";
    if (strcmp(a->report.code != NULL ? a->report.code : "",
               b->report.code != NULL ? b->report.code : "") != 0)
        return "another code";
    if (!are_same(&a->out.tables, &b->out.tables)) return "other tables";
    if (!are_same(&a->out.columns, &b->out.columns)) return "other columns";
    for (size_t i = 0; i < ACCESS_CLAUSES; i++)
        if (!are_same(&a->out.access[i], &b->out.access[i])) return "other columns by clause";
    if (a->out.n_output != b->out.n_output) return "other outputs";
    for (size_t i = 0; i < a->out.n_output; i++)
        if (!str_ieq(a->out.output[i].name, b->out.output[i].name) ||
            !are_same(&a->out.output[i].from, &b->out.output[i].from))
            return "other outputs";
    return NULL;
}

static size_t ask_all(struct world *world, const struct statements *statements, size_t *n) {
    size_t n_wrong = 0;
    for (size_t i = 0; i < statements->n; i++, ++*n) {
        struct arena arena;
        struct asking plain, other;
        struct str sql = statements->at[i].sql;
        arena_init(&arena, (size_t)(256 * MIB));
        ask(&plain, world, sql, &arena);
        for (int swaps = 0; swaps < 2; swaps++) {
            struct str odd = respell(sql, swaps == 1, &arena);
            if (odd.len > SQL_BYTES_MAX) continue;
            ask(&other, world, odd, &arena);
            const char *wrong = wrong_with_answer(&plain, &other);
            /* Names of columns come out in the case in which they are asked for. */
            if (!swaps && !str_eq(plain.out.sql, other.out.sql)) wrong = "another print";
            if (wrong == NULL) continue;
            print_error("%s\n    %.*s\n    %s\n    %s\n    %.*s\n    %.*s\n", wrong,
                        STR_ARG(str_slice(sql, 0, 300)), plain.report.sentence,
                        other.report.sentence, STR_ARG(plain.out.sql), STR_ARG(other.out.sql));
            n_wrong++;
        }
        arena_deinit(&arena);
    }
    return n_wrong;
}

static const struct json *read_json(const char *file, struct arena *arena) {
    const struct json *value = NULL;
    const char *path =
        str_cstr(arena, str_printf(arena, "%s/../shared/corpus/sql/%s", SOURCE_ROOT, file));
    struct str text = statements_slurp(path, arena);
    if (text.len == 0) return NULL;
    assert_int_equal(json_read(text, NULL, arena, &value, NULL).why, FAIL_NONE);
    return value;
}

static void spelling_changes_no_answer(void **state) {
    (void)state;
    struct arena arena;
    size_t n = 0, n_wrong = 0;
    arena_init(&arena, (size_t)(256 * MIB));
    struct statements attacks = statements_corpus("attack.jsonl", &arena);
    struct statements execs = statements_corpus("exec.jsonl", &arena);
    if (attacks.n == 0 || execs.n == 0) {
        arena_deinit(&arena);
        skip();
    }
    struct world *attacked = arena_new(&arena, struct world);
    struct world *granted = arena_new(&arena, struct world);
    corpus_open_attacked(attacked, read_json("attack-schema.json", &arena), &arena);
    corpus_open_granted(granted, &arena);
    corpus_add_typed(granted, json_get(read_json("exec-data/schema.json", &arena), STR("tables")));
    n_wrong += ask_all(attacked, &attacks, &n);
    n_wrong += ask_all(attacked, &execs, &n);
    n_wrong += ask_all(granted, &execs, &n);
    arena_deinit(&arena);
    print_message("%zu statements, %zu wrong\n", n, n_wrong);
    assert_int_equal(n_wrong, 0);
    assert_true(n > 100);
}

/* -- canon ------------------------------------------------------------------------------------ */

static const char *const dialect_name[] = {"maxcompute", "duckdb", "postgres"};

static void ask_in(struct asking *a, struct world *world, struct str sql,
                   enum guard_dialect dialect, struct arena *arena) {
    struct guard_request request = {.text = sql, .grant = &world->grant, .dialect = dialect};
    *a = (struct asking){0};
    result done = guard_check(&request, arena, &a->out, &a->report);
    a->passed = done.why == FAIL_NONE;
}

/* true: the statement is accepted in that dialect. */
static bool is_canonical_too(struct world *world, struct str sql, enum guard_dialect dialect,
                             size_t *n_wrong) {
    struct arena arena;
    struct asking plain, canon;
    struct parsing parsed;
    arena_init(&arena, (size_t)(256 * MIB));
    parse_all(&parsed, sql, &arena);
    ask_in(&plain, world, sql, dialect, &arena);
    bool is_accepted = plain.passed && plain.out.effect != GUARD_DENY;
    if (is_accepted) {
        ask_in(&canon, world, parsed.print, dialect, &arena);
        const char *wrong = wrong_with_answer(&plain, &canon);
        if (wrong == NULL && !str_eq(plain.out.sql, canon.out.sql)) wrong = "another print";
        *n_wrong += wrong != NULL;
        if (wrong != NULL)
            print_error("%s: %s\n    %.*s\n    %.*s\n    %s\n    %.*s\n    %.*s\n",
                        dialect_name[dialect], wrong, STR_ARG(str_slice(sql, 0, 300)),
                        STR_ARG(str_slice(parsed.print, 0, 300)), canon.report.sentence,
                        STR_ARG(plain.out.sql), STR_ARG(canon.out.sql));
    }
    arena_deinit(&arena);
    return is_accepted;
}

static struct statements own_cases(struct arena *arena) {
    struct statements all = {0};
    glob_t files;
    assert_int_equal(glob(SOURCE_ROOT "/test/guard/exec/*.jsonl", 0, NULL, &files), 0);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        struct statements some = statements_jsonl(files.gl_pathv[f], arena);
        for (size_t i = 0; i < some.n; i++)
            *(struct statement *)ARENA_PUSH(arena, all.at, all.n, all.cap) = some.at[i];
    }
    globfree(&files);
    return all;
}

static void the_canonical_text_prints_the_same(void **state) {
    (void)state;
    struct arena arena;
    const struct json *schema = NULL;
    size_t n_accepted[3] = {0}, n_wrong = 0;
    arena_init(&arena, (size_t)(256 * MIB));
    struct statements all = own_cases(&arena);
    struct world *world = arena_new(&arena, struct world);
    struct str text = statements_slurp(SOURCE_ROOT "/test/guard/exec/data/schema.json", &arena);
    assert_int_equal(json_read(text, NULL, &arena, &schema, NULL).why, FAIL_NONE);
    corpus_open_granted(world, &arena);
    corpus_add_typed(world, json_get(schema, STR("tables")));
    for (size_t i = 0; i < all.n; i++)
        for (int d = 0; d < 3; d++)
            n_accepted[d] +=
                is_canonical_too(world, all.at[i].sql, (enum guard_dialect)d, &n_wrong);
    print_message(
        "%zu statements: %zu accepted for maxcompute, %zu for duckdb, %zu for postgres; %zu "
        "wrong\n",
        all.n, n_accepted[0], n_accepted[1], n_accepted[2], n_wrong);
    assert_int_equal(n_wrong, 0);
    for (int d = 0; d < 3; d++) assert_true(n_accepted[d] > 300);
    arena_deinit(&arena);
}

/* -- size ------------------------------------------------------------------------------------- */

static struct str repeat(struct arena *arena, const char *before, const char *repeated,
                         const char *after, size_t n) {
    size_t len = strlen(repeated), at = strlen(before);
    char *bytes = arena_alloc(arena, at + n * len + strlen(after) + 1, 1);
    assert_non_null(bytes);
    memcpy(bytes, before, at);
    for (size_t i = 0; i < n; i++, at += len) memcpy(bytes + at, repeated, len);
    memcpy(bytes + at, after, strlen(after) + 1);
    return str_of(bytes);
}

enum { PARTS = SQL_PARTS_MAX };
static const struct size_case {
    const char *before, *repeated, *after;
    size_t n;
    const char *code;
} sizes[] = {
    {"SELECT a FROM t WHERE b = 1", " OR b = 2", "", PARTS / 3 - 10, NULL},
    {"SELECT a FROM t WHERE b = 1", " AND a <> 'x'", "", PARTS / 3 - 10, NULL},
    {"SELECT a", "||a", " FROM t", PARTS - 10, NULL},
    {"SELECT a", "||upper(a)", " FROM t", PARTS / 2 - 10, NULL},
    {"SELECT a", "||CAST(b AS STRING)", " FROM t", PARTS / 2 - 10, NULL},
    {"SELECT a", "||'x'", " FROM t", PARTS - 10, NULL},
    {"SELECT a", "||s.x.y", " FROM t", PARTS - 10, NULL},
    {"SELECT a FROM t WHERE b IN (1", ", 2", ")", SQL_IN_LIST_MAX - 1, NULL},
    {"SELECT CASE WHEN b = 1 THEN a", " WHEN b = 2 THEN a", " END FROM t", SQL_IN_LIST_MAX, NULL},
    {"SELECT a", ", a", " FROM t", SQL_SELECT_ITEMS_MAX - 1, NULL},
    {"SELECT *", ", *", " FROM t", SQL_SELECT_ITEMS_MAX / 3 - 1, NULL},
    {"SELECT *", ", *", " FROM t", SQL_SELECT_ITEMS_MAX / 3, "SQL_TOO_LARGE"},
    {"SELECT sum(b) OVER (PARTITION BY a)", ", sum(b) OVER (PARTITION BY a)", " FROM t",
     SQL_SELECT_ITEMS_MAX - 1, NULL},
    {"SELECT a FROM t", " UNION ALL SELECT a FROM t", "", SQL_SCANS_MAX - 1, NULL},
    {"SELECT a FROM t", " UNION ALL SELECT a FROM t", "", SQL_SCANS_MAX, "SQL_TOO_LARGE"},
    {"SELECT a FROM t WHERE b > 1", " AND EXISTS (SELECT 1 FROM t u WHERE u.a = t.a)", "", 500,
     NULL},
};

/* What the answer takes of a call's memory, in bytes; *code is "none" when it is allowed. */
static size_t ask_size(const struct size_case *c, size_t n, char code[static 64]) {
    static const char *const lines[] = {"project p",         "limits 10 10",
                                        "joins 2000 any",    "star expand",
                                        "table p.default.t", "column a string",
                                        "column b bigint",   "column s struct<x:struct<y:string>>"};
    struct arena text, call;
    struct asking a;
    arena_init(&text, (size_t)(64 * MIB));
    arena_init(&call, (size_t)CALL_ARENA_BYTES);
    struct world *world = arena_new(&text, struct world);
    world_init(world, &text);
    corpus_set_lines(world, lines, COUNT(lines));
    ask(&a, world, repeat(&text, c->before, c->repeated, c->after, n), &call);
    (void)snprintf(code, 64, "%s", a.report.code != NULL ? a.report.code : "none");
    size_t used = call.used;
    arena_deinit(&call);
    arena_deinit(&text);
    return used;
}

static void large_statements_end_in_an_answer(void **state) {
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char code[64];
        (void)ask_size(&sizes[i], sizes[i].n, code);
        if (strcmp(code, sizes[i].code != NULL ? sizes[i].code : "none") == 0) continue;
        print_error("%s%s… %zu times: %s\n", sizes[i].before, sizes[i].repeated, sizes[i].n, code);
        n_wrong++;
    }
    assert_int_equal(n_wrong, 0);
}

/* Twice the statement takes twice the memory. Lists grow by doubling: at the same places in both.
 */
static void twice_the_statement_is_twice_the_work(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char code[64];
        if (sizes[i].code != NULL) continue;
        size_t half = ask_size(&sizes[i], sizes[i].n / 2, code);
        size_t whole = ask_size(&sizes[i], sizes[i].n, code);
        if (whole > half * 9 / 4)
            fail_msg("%s%s… %zu times: %zu bytes, and half of it %zu", sizes[i].before,
                     sizes[i].repeated, sizes[i].n, whole, half);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_language_is_understood),
        cmocka_unit_test(spelling_changes_no_tree),
        cmocka_unit_test(spelling_changes_no_answer),
        cmocka_unit_test(the_canonical_text_prints_the_same),
        cmocka_unit_test(large_statements_end_in_an_answer),
        cmocka_unit_test(twice_the_statement_is_twice_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
