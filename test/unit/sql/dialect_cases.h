/*
 * What is said to an engine: NAME.case holds statements and their prints. Blocks are parted by
 * empty lines; a block is one line of MaxCompute's SQL and one line of the engine's, or of `!
 * sentence` for a refusal, whose words must be in the sentence. Lines that begin with `#` are
 * remarks.
 *
 * A program defines `subject` and includes this, which holds its main(). The tables are those of
 * test/guard/exec; what the prints answer is test/unit/backend's.
 */
#ifndef WEIR_TEST_DIALECT_CASES_H
#define WEIR_TEST_DIALECT_CASES_H

#include "base/fault.h"
#include "relations.h"
#include "sql/print.h"
#include "sql/rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { FILE_MOST = 1 << 20 };

/* What is tested: defined by the program that includes this. */
struct subject {
    enum guard_dialect dialect;
    const struct sql_dialect *printer;
    const char *cases; /* the file */
    const char *(*spelling)(const struct sql_function *f);
};
static const struct subject subject;

static void add_tables(struct relations *r) {
    relations_init(r, "home");
    relations_add(r, "home", "default", "users", GRANT_ALLOW,
                  STR("user_id bigint;name string;city string;age bigint;salary double;"
                      "created_at datetime"));
    relations_add(r, "home", "default", "orders", GRANT_ALLOW,
                  STR("order_id bigint;user_id bigint;amount double;status string;ds string"));
    relations_add(r, "home", "raw", "kinds", GRANT_ALLOW,
                  STR("id bigint;flag boolean;small int;price decimal(10,2);day date;"
                      "words array<string>;scores map<string,bigint>;"
                      "pair struct<a:bigint,b:string>"));
    r->grant.allow_unapproved_join = r->grant.allow_no_table = true;
    r->grant.max_join_tables = 10;
    r->grant.default_limit = r->grant.max_limit = 100;
}

static result say(const struct grant *grant, struct str sql, struct arena *arena, struct str *out,
                  struct report *report) {
    struct sql_query *query;
    struct resolved *resolved;
    struct enforced enforced;
    struct ruled *ruled;
    struct buf buf;
    TRY(sql_parse(sql, &grant->limits, arena, &query, report));
    TRY(sql_resolve(query, grant, arena, &resolved, report));
    TRY(enforce(resolved, 0, arena, &enforced, report));
    TRY(rewrite(resolved, &enforced, subject.dialect, arena, &ruled, report));
    buf_init(&buf, 1 << 20);
    result printed = sql_print(ruled->query, subject.printer, ruled, &buf, report);
    if (printed.why == FAIL_NONE) {
        *out = buf_copy(&buf, arena);
        if (out->ptr == NULL) printed = fail_memory(report);
    }
    buf_deinit(&buf);
    return printed;
}

static struct str next_line(struct str *rest) {
    for (;;) {
        if (rest->len == 0) return STR_NONE;
        struct str line = str_cut(rest, '\n');
        if (line.len > 0 && line.ptr[0] != '#') return line;
    }
}

static bool is_as_wanted(struct str wanted, struct str said, const struct report *report) {
    if (!str_starts(wanted, STR("! "))) return str_eq(wanted, said);
    struct str sentence = str_of(report->sentence);
    return report->why == FAIL_INPUT && strcmp(report->code, "DIALECT_UNSUPPORTED") == 0 &&
           str_find(sentence, str_slice(wanted, 2, wanted.len)) < sentence.len;
}

static void prints_as_the_cases_say(void **state) {
    (void)state;
    struct relations world;
    struct arena arena;
    static char bytes[FILE_MOST];
    FILE *file = fopen(subject.cases, "rb");
    assert_non_null(file);
    struct str rest = {bytes, fread(bytes, 1, sizeof bytes, file)};
    (void)fclose(file);
    size_t n = 0, wrong = 0;
    add_tables(&world);
    arena_init(&arena, 16 << 20);
    for (;; n++) {
        struct str sql = next_line(&rest), wanted = next_line(&rest), said = STR_NONE;
        struct report report = {0};
        if (sql.ptr == NULL) break;
        result r = say(&world.grant, sql, &arena, &said, &report);
        if (!is_as_wanted(wanted, said, &report)) {
            print_error(STR_FMT "\n  " STR_FMT "\n  " STR_FMT "%s\n", STR_ARG(sql), STR_ARG(wanted),
                        STR_ARG(said), r.why != FAIL_NONE ? report.sentence : "");
            wrong++;
        }
        arena_reset(&arena);
    }
    print_message("%zu prints, %zu wrong\n", n, wrong);
    assert_true(n > 0);
    assert_int_equal(wrong, 0);
    arena_deinit(&arena);
    arena_deinit(&world.arena);
}

static void knows_every_hook(void **state) {
    (void)state;
    /* Every function that has a spelling is printed by something: none is refused by its name. */
    for (size_t i = 0; i < sql_functions_n; i++) {
        const struct sql_function *f = &sql_functions[i];
        struct report report = {0};
        struct buf buf;
        struct sql_expr null = {.kind = SQL_LITERAL, .literal = {.kind = SQL_NULL}};
        struct sql_expr *args[8] = {&null, &null, &null, &null, &null, &null, &null, &null};
        struct sql_name name = {.text = str_of(f->name)};
        struct sql_expr call = {.kind = SQL_CALL,
                                .call = {.name = {&name, 1}, .args = {args, f->min_args}}};
        if (subject.spelling(f)[0] != '@' || f->kind == FUNCTION_TABLE) continue;
        if ((f->flags & FUNCTION_METADATA) != 0) continue; /* answered before the print */
        buf_init(&buf, 65536);
        result r = sql_print_expr(&call, subject.printer, NULL, &buf, &report);
        char by_name[128];
        (void)snprintf(by_name, sizeof by_name, "the function %s with", f->name);
        if (r.why != FAIL_NONE && strstr(report.sentence, by_name) != NULL)
            print_error("%s: %s\n", f->name, report.sentence);
        assert_true(r.why == FAIL_NONE || strstr(report.sentence, by_name) == NULL);
        buf_deinit(&buf);
    }
}

static void refuses_what_is_no_node(void **state) {
    (void)state;
    struct report report = {0};
    struct buf buf;
    struct sql_expr nothing = {0};
    struct sql_name empty = {.text = {"", 0}};
    struct sql_expr ref = {.kind = SQL_REF, .ref = {&empty, 1}};
    struct sql_expr text = {.kind = SQL_LITERAL,
                            .literal = {.kind = SQL_STRING, .text = {"a\0b", 3}}};
    struct sql_expr *all[] = {&nothing, &ref, &text};
    for (size_t i = 0; i < COUNT(all); i++) {
        buf_init(&buf, 1024);
        report_clear(&report);
        result r = sql_print_expr(all[i], subject.printer, NULL, &buf, &report);
        assert_int_equal(r.why, FAIL_INPUT);
        buf_deinit(&buf);
    }
}

/* Whatever allocation fails, the failure is memory and nothing leaks. */
static void fails_whole_when_memory_ends(void **state) {
    (void)state;
    struct relations world;
    struct str sql = STR("SELECT get_json_object(name, '$.a.b[0]') AS a, to_char(created_at, "
                         "'yyyymm') AS b FROM users WHERE name RLIKE 'a+' AND age IN ('1', '2')");
    add_tables(&world);
    for (long n = 0;; n++) {
        struct arena arena;
        struct str said = STR_NONE;
        arena_init(&arena, 16 << 20);
        fault_set(n);
        struct report report = {0};
        result r = say(&world.grant, sql, &arena, &said, &report);
        bool is_over = fault_unused();
        fault_off();
        arena_deinit(&arena);
        if (is_over) break;
        if (r.why != FAIL_MEMORY) print_error("%ld: %s\n", n, report.sentence);
        assert_int_equal(r.why, FAIL_MEMORY);
    }
    arena_deinit(&world.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_as_the_cases_say),
        cmocka_unit_test(knows_every_hook),
        cmocka_unit_test(refuses_what_is_no_node),
        cmocka_unit_test(fails_whole_when_memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
