/*
 * The published attacks: attack.jsonl against the grant of attack-schema.json, from the corpus that
 * lies beside the project; skipped with a message when it does not. What must be refused must not
 * pass. What passes is parsed again here and looked at by other means than the guard's own: no
 * forbidden column in any table's SELECT, the row filter at every scan, the outermost LIMIT.
 */
#include "base/limits.h"
#include "corpus_world.h"
#include "sql/guard.h"
#include "sql/walk.h"
#include "text/base64.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define CORPUS SOURCE_ROOT "/../shared/corpus/sql/"

struct attack {
    struct str id, sql;
    const struct json *entry;
    struct world *world;
    struct arena *arena;
    const char *wrong; /* the first thing that is not as it must be */
};

/* -- reading ---------------------------------------------------------------------------------- */

static struct str read_whole(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return STR_NONE;
    char *bytes = arena_alloc(arena, 4 * MIB, 1);
    size_t n = fread(bytes, 1, 4 * MIB, file);
    (void)fclose(file);
    return (struct str){bytes, n};
}

/* NULL: not JSON that our reader takes, and so held already. */
static const struct json *read_json(struct arena *arena, struct str text) {
    const struct json *value = NULL;
    return json_read(text, NULL, arena, &value, NULL).why == FAIL_NONE ? value : NULL;
}

static bool names_entry(const struct json *list, struct str entry) {
    for (uint32_t i = 0; list != NULL && i < list->n; i++)
        if (json_is_text(&list->items[i], entry)) return true;
    return false;
}

/* -- looking at what passed ------------------------------------------------------------------- */

/* "users.phone", "orders.ext.device.imei", "hr.salaries": of the table `name`? Then `rest` is what
 * follows. */
static bool is_of_table(struct str forbidden, const struct sql_source *table, struct str *rest) {
    struct str first;
    *rest = forbidden;
    first = str_cut(rest, '.');
    return str_ieq(first, table->table.at[table->table.n - 1].text);
}

/* The reference reads the forbidden path, something in it or something around it. */
static bool reads(const struct sql_names *ref, struct str path) {
    for (size_t i = 1; i < ref->n && path.ptr != NULL; i++)
        if (!str_ieq(str_cut(&path, '.'), ref->at[i].text)) return false;
    return true;
}

struct table_look {
    struct attack *attack;
    const struct sql_source *table;
};

static enum walk see_ref(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct table_look *look = with;
    const struct json *forbidden = json_get(look->attack->entry, STR("forbidden"));
    if (expr->kind == SQL_STAR) look->attack->wrong = "a star in a table's own SELECT";
    if (expr->kind != SQL_REF) return WALK_ON;
    for (uint32_t i = 0; i < forbidden->n; i++) {
        struct str rest;
        if (!is_of_table(forbidden->items[i].text, look->table, &rest)) continue;
        if (rest.ptr != NULL && reads(&expr->ref, rest))
            look->attack->wrong = "a forbidden column is read";
    }
    return WALK_ON;
}

/* `region = 'cn'` as a conjunct, whatever the alias. */
static bool is_filter(const struct sql_expr *expr, struct str table) {
    bool is_orders = str_eq(table, STR("orders"));
    if (expr->kind != SQL_BINARY || expr->binary.left->kind != SQL_REF ||
        expr->binary.right->kind != SQL_LITERAL)
        return false;
    const struct sql_names *ref = &expr->binary.left->ref;
    struct str column = ref->at[ref->n - 1].text, value = expr->binary.right->literal.text;
    if (is_orders)
        return expr->op == SQL_OP_EQ && str_eq(column, STR("region")) && str_eq(value, STR("cn"));
    return expr->op == SQL_OP_NE && str_eq(column, STR("city")) && str_eq(value, STR("secret"));
}

static bool has_filter(const struct sql_expr *where, struct str table) {
    if (where == NULL) return false;
    if (where->kind != SQL_CHAIN || where->op != SQL_OP_AND) return is_filter(where, table);
    for (size_t i = 0; i < where->items.n; i++)
        if (has_filter(where->items.at[i], table)) return true;
    return false;
}

struct scans {
    struct attack *attack;
    size_t n_orders, n_users;
};

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    struct scans *scans = with;
    if (source->kind != SQL_TABLE || source->table.n < 2) return WALK_ON;
    struct str name = source->table.at[source->table.n - 1].text;
    struct table_look look = {scans->attack, source};
    struct sql_query *block = (struct sql_query *)(uintptr_t)place->block;
    (void)sql_walk_query(block, &(struct sql_visitor){.expr = see_ref, .with = &look});
    if (!str_eq(source->table.at[0].text, STR("sales")))
        scans->attack->wrong = "a table of another project";
    bool is_orders = str_eq(name, STR("orders")), is_users = str_eq(name, STR("users"));
    scans->n_orders += is_orders;
    scans->n_users += is_users;
    if ((is_orders || is_users) && !has_filter(block->select->where, name))
        scans->attack->wrong = "a row filter is missing";
    return WALK_ON;
}

static void look_at(struct attack *a, const struct guard_answer *out) {
    const struct json *must = json_get(a->entry, STR("must_filter"));
    struct scans scans = {.attack = a};
    struct sql_query *query;
    if (sql_parse(out->sql, NULL, a->arena, &query, NULL).why != FAIL_NONE) {
        a->wrong = "the text does not parse";
        return;
    }
    (void)sql_walk_query(query, &(struct sql_visitor){.source = see_source, .with = &scans});
    size_t n_orders = 0, n_users = 0;
    for (uint32_t i = 0; must != NULL && i < must->n; i++) {
        n_orders += json_is_text(&must->items[i], STR("orders"));
        n_users += json_is_text(&must->items[i], STR("users"));
    }
    if (scans.n_orders < n_orders || scans.n_users < n_users) a->wrong = "a scan is missing";
    int64_t limit = 0;
    const struct sql_expr *count = query->tail.limit.count;
    if (count == NULL || count->kind != SQL_LITERAL || !str_to_i64(count->literal.text, &limit) ||
        limit < 1 || limit > 1000)
        a->wrong = "the outermost LIMIT is missing";
}

/* -- attacks ---------------------------------------------------------------------------------- */

static void run_attack(struct attack *a) {
    struct guard_answer out;
    struct report report = {0};
    struct guard_request request = {.text = a->sql, .grant = &a->world->grant};
    result done = guard_check(&request, a->arena, &out, &report);
    bool passed = done.why == FAIL_NONE && out.effect != GUARD_DENY;
    const struct json *also = json_get(a->entry, STR("also_ok"));
    bool may_pass = json_is_text(json_get(a->entry, STR("expect")), STR("rewrite"));
    bool may_stop = !may_pass || names_entry(also, STR("deny")) || names_entry(also, STR("error"));
    may_pass = may_pass || names_entry(also, STR("rewrite"));
    if (passed && !may_pass) a->wrong = "it passed";
    if (!passed && !may_stop) a->wrong = "it was refused";
    if (!passed && out.sql.len > 0) a->wrong = "a text came with the refusal";
    if (passed) look_at(a, &out);
    if (a->wrong == NULL) return;
    print_error("%.*s: %s\n    %.*s\n    %.*s\n    %s: %s\n", STR_ARG(a->id), a->wrong,
                STR_ARG(str_slice(a->sql, 0, 300)), STR_ARG(out.sql),
                report.code != NULL ? report.code : "", report.sentence);
}

static void every_attack_is_held(void **state) {
    (void)state;
    struct arena arena;
    size_t n = 0, n_wrong = 0;
    arena_init(&arena, 512 * MIB);
    struct str schema = read_whole(&arena, CORPUS "attack-schema.json");
    struct str lines = read_whole(&arena, CORPUS "attack.jsonl");
    if (schema.ptr == NULL || lines.ptr == NULL) {
        print_message("the corpus is not beside the project: skipped\n");
        arena_deinit(&arena);
        skip();
    }
    struct world *world = arena_new(&arena, struct world);
    corpus_open_attacked(world, read_json(&arena, schema), &arena);
    while (lines.ptr != NULL) {
        struct str line = str_cut(&lines, '\n');
        if (str_trim(line).len == 0) continue;
        struct attack attack = {.world = world, .arena = &arena};
        attack.entry = read_json(&arena, line);
        n++;
        if (attack.entry == NULL) continue;
        attack.id = json_get_text(attack.entry, STR("id"));
        attack.sql = json_get_text(attack.entry, STR("sql"));
        if (attack.sql.ptr == NULL)
            assert_true(
                base64_decode(json_get_text(attack.entry, STR("sql_b64")), &arena, &attack.sql));
        run_attack(&attack);
        n_wrong += attack.wrong != NULL;
    }
    print_message("%zu attacks, %zu wrong\n", n, n_wrong);
    arena_deinit(&arena);
    assert_int_equal(n_wrong, 0);
    assert_true(n >= 60);
}

/* The corpus's NUL byte does not get past the JSON reader; over `weir sql run -` it would. */
static void a_nul_byte_is_no_blank(void **state) {
    (void)state;
    struct arena arena;
    struct guard_answer out;
    struct report report = {0};
    arena_init(&arena, 64 * MIB);
    struct world *world = arena_new(&arena, struct world);
    world_init(world, &arena);
    assert_true(world_line(world, STR("project sales")));
    assert_true(world_line(world, STR("limits 10 10")));
    assert_true(world_line(world, STR("table sales.default.users")));
    assert_true(world_line(world, STR("column user_id bigint")));
    struct guard_request request = {.text = STR("SELECT user_id\0 FROM users"),
                                    .grant = &world->grant};
    assert_int_equal(guard_check(&request, &arena, &out, &report).why, FAIL_INPUT);
    assert_int_equal(out.effect, GUARD_DENY);
    assert_string_equal(report.code, "SQL_SYNTAX_ERROR");
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_attack_is_held),
                                       cmocka_unit_test(a_nul_byte_is_no_blank)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
