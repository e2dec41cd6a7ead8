/*
 * Properties of what is granted:
 *   taking a column away never shows more, and never that column;
 *   taking a table away leaves no statement that reads it;
 *   whatever runs reads nothing but allowed columns, in any of its tables.
 */
#include "base/limits.h"
#include "guard_world.h"
#include "sql/guard.h"
#include "sql/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const world_text[] = {
    "project  sales",
    "limits   100 1000",
    "joins    9 any",
    "star     expand",
    "table    sales.default.orders newest=20240101",
    "column   order_id bigint",
    "column   user_id bigint",
    "column   amount double",
    "column   region string",
    "column   tags array<string>",
    "column   ext struct<a:string,b:string>",
    "column   ds string partition",
    "table    sales.default.users",
    "column   user_id bigint",
    "column   name string",
    "column   city string",
    "column   level bigint",
};

static const char *const statements[] = {
    "SELECT * FROM orders",
    "SELECT o.*, u.name FROM orders o JOIN users u ON o.user_id = u.user_id",
    "SELECT * FROM orders JOIN users USING (user_id)",
    "SELECT * FROM orders NATURAL JOIN users",
    "SELECT order_id, amount FROM orders WHERE region = 'x' AND ds = '1' ORDER BY user_id",
    "SELECT city, count(*) AS n FROM users GROUP BY city HAVING max(level) > 1 ORDER BY n",
    "SELECT name FROM users WHERE user_id IN (SELECT user_id FROM orders WHERE amount > 1)",
    "SELECT name FROM users u WHERE EXISTS (SELECT * FROM orders o WHERE o.user_id = u.user_id)",
    "WITH x AS (SELECT * FROM users) SELECT a.name, b.* FROM x a JOIN x b ON a.user_id = b.level",
    "SELECT user_id FROM orders UNION ALL SELECT level FROM users ORDER BY user_id",
    "SELECT order_id, t FROM orders LATERAL VIEW explode(tags) v AS t",
    "SELECT ext.a, transform(tags, x -> concat(x, region)) AS y FROM orders",
    "SELECT name, row_number() OVER (PARTITION BY city ORDER BY level) AS n FROM users QUALIFY n = "
    "1",
    "SELECT count(DISTINCT *) FROM users",
    "SELECT `(name|city|level)` FROM users",
    "SELECT * FROM (SELECT city, level, user_id FROM users) PIVOT (count(user_id) FOR level IN "
    "(1))",
    "SELECT count(*) FROM users",
    "SELECT (SELECT max(amount) FROM orders o WHERE o.user_id = u.user_id) AS m FROM users u",
    "SELECT x.d FROM (SELECT ds AS d, order_id FROM orders) x WHERE x.d = max_pt('orders')",
    "SELECT * EXCEPT (city) FROM users",
};

enum { READS_MAX = 64 };

struct reads { /* "table.column" of what a text reads of base tables */
    struct arena *arena;
    struct str at[READS_MAX];
    size_t n;
};

static bool has_read(const struct reads *reads, struct str name) {
    for (size_t i = 0; i < reads->n; i++)
        if (str_eq(reads->at[i], name)) return true;
    return false;
}

struct table_look {
    struct reads *reads;
    struct str table, alias;
};

static enum walk see_ref(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct table_look *look = with;
    struct reads *reads = look->reads;
    if (expr->kind == SQL_STAR) fail_msg("a star in a table's own SELECT");
    if (expr->kind != SQL_REF) return WALK_ON;
    assert_true(expr->ref.n >= 2 && str_eq(expr->ref.at[0].text, look->alias));
    struct str name = str_printf(reads->arena, STR_FMT "." STR_FMT, STR_ARG(look->table),
                                 STR_ARG(expr->ref.at[1].text));
    if (has_read(reads, name)) return WALK_ON;
    assert_true(reads->n < READS_MAX);
    reads->at[reads->n++] = name;
    return WALK_ON;
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    if (source->kind != SQL_TABLE || source->table.n != 3) return WALK_ON;
    struct table_look look = {with, source->table.at[2].text, source->alias.text};
    struct sql_query *block = (struct sql_query *)(uintptr_t)place->block;
    (void)sql_walk_query(block, &(struct sql_visitor){.expr = see_ref, .with = &look});
    return WALK_ON;
}

/* What the statement reads under the world; false: it is refused. */
static bool ask(struct world *w, const char *sql, struct arena *arena, struct reads *reads) {
    struct guard_answer out;
    struct report report = {0};
    struct sql_query *query;
    struct guard_request request = {.text = str_of(sql), .grant = &w->grant};
    result done = guard_check(&request, arena, &out, &report);
    *reads = (struct reads){.arena = arena};
    if (done.why != FAIL_NONE || out.effect == GUARD_DENY) {
        assert_int_equal(out.effect, GUARD_DENY);
        assert_int_equal(out.sql.len, 0);
        assert_non_null(report.code);
        if (strcmp(report.code, "INTERNAL_ERROR") == 0) fail_msg("%s: %s", sql, report.sentence);
        return false;
    }
    assert_int_equal(sql_parse(out.sql, NULL, arena, &query, NULL).why, FAIL_NONE);
    (void)sql_walk_query(query, &(struct sql_visitor){.source = see_source, .with = reads});
    return true;
}

static void make_world(struct world *w, struct arena *arena) {
    world_init(w, arena);
    for (size_t i = 0; i < COUNT(world_text); i++)
        assert_true(world_line(w, str_of(world_text[i])));
}

static void deny(struct world *w, size_t table, size_t column, enum grant_star star) {
    w->tables[table].columns[column].effect = GRANT_DENY;
    w->tables[table].relation.is_restricted = true;
    w->grant.star = star;
}

static void check_without(const char *sql, size_t table, size_t column, enum grant_star star) {
    struct arena arena;
    struct reads before, after;
    arena_init(&arena, 64 * MIB);
    struct world *world = arena_new(&arena, struct world);
    make_world(world, &arena);
    assert_true(ask(world, sql, &arena, &before));
    struct world_table *t = &world->tables[table];
    struct str gone = str_printf(&arena, STR_FMT "." STR_FMT, STR_ARG(t->schema.name),
                                 STR_ARG(t->schemas[column].name));
    deny(world, table, column, star);
    bool is_allowed = ask(world, sql, &arena, &after);
    if (is_allowed && has_read(&after, gone))
        fail_msg("%s: reads the denied %.*s", sql, STR_ARG(gone));
    for (size_t i = 0; is_allowed && i < after.n; i++)
        if (!has_read(&before, after.at[i]))
            fail_msg("%s: without %.*s it reads %.*s", sql, STR_ARG(gone), STR_ARG(after.at[i]));
    arena_deinit(&arena);
}

static void taking_a_column_away_shows_no_more(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * MIB);
    struct world *world = arena_new(&arena, struct world);
    make_world(world, &arena);
    for (size_t s = 0; s < COUNT(statements); s++)
        for (size_t t = 0; t < world->n_tables; t++)
            for (size_t c = 0; c < world->tables[t].schema.n_columns; c++) {
                check_without(statements[s], t, c, GRANT_STAR_EXPAND);
                check_without(statements[s], t, c, GRANT_STAR_DENY);
            }
    arena_deinit(&arena);
}

static void taking_a_table_away_leaves_none_of_it(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT(statements); s++)
        for (size_t t = 0; t < 2; t++) {
            struct arena arena;
            struct reads before, after;
            struct guard_answer out;
            arena_init(&arena, 64 * MIB);
            struct world *world = arena_new(&arena, struct world);
            make_world(world, &arena);
            assert_true(ask(world, statements[s], &arena, &before));
            struct guard_request request = {.text = str_of(statements[s]), .grant = &world->grant};
            assert_int_equal(guard_check(&request, &arena, &out, NULL).why, FAIL_NONE);
            struct str name =
                str_printf(&arena, "sales.default." STR_FMT, STR_ARG(world->tables[t].schema.name));
            bool is_named = false;
            for (size_t i = 0; i < out.tables.n; i++)
                is_named = is_named || str_eq(out.tables.items[i], name);
            world->tables[t].relation.effect = GRANT_DENY;
            assert_int_equal(ask(world, statements[s], &arena, &after), !is_named);
            arena_deinit(&arena);
        }
}

/* A relation without columns' effects grants none of them. */
static void zeroed_memory_grants_nothing(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT(statements); s++) {
        struct arena arena;
        struct reads reads;
        arena_init(&arena, 64 * MIB);
        struct world *world = arena_new(&arena, struct world);
        make_world(world, &arena);
        for (size_t t = 0; t < world->n_tables; t++) world->tables[t].relation.columns = NULL;
        assert_false(ask(world, statements[s], &arena, &reads));
        make_world(world, &arena);
        for (size_t t = 0; t < world->n_tables; t++)
            for (size_t c = 0; c < world->tables[t].schema.n_columns; c++)
                world->tables[t].columns[c].effect = GRANT_DENY;
        if (ask(world, statements[s], &arena, &reads)) assert_int_equal(reads.n, 0);
        arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(taking_a_column_away_shows_no_more),
                                       cmocka_unit_test(taking_a_table_away_leaves_none_of_it),
                                       cmocka_unit_test(zeroed_memory_grants_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
