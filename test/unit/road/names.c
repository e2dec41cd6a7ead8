/* Full names of the guard, as the seed's users know them. */
#include "road/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *full, *tables, *columns; /* separated by blanks; the shown ones as JSON */
} rows[] = {
    {"", "[]", "[]"},
    {"p.default.t", "[\"p.t\"]", NULL},
    {"p.other.t", "[\"p.other.t\"]", NULL},
    {"p.Default.t", "[\"p.Default.t\"]", NULL}, /* names come in lower case */
    {"p.default.t q.default.t", "[\"p.t\",\"q.t\"]", NULL},
    {"项目.default.订单", "[\"项目.订单\"]", NULL},
    {"p.default.t.a", NULL, "[\"a\"]"},
    {"p.other.t.a", NULL, "[\"a\"]"},
    {"p.default.t.a p.default.t.b p.default.u.a", NULL, "[\"a\",\"b\"]"},
    {"p.default.t.ext.ip p.default.t.ext", NULL, "[\"ext.ip\",\"ext\"]"},
    {"p.default.t.a\"b", NULL, "[\"a\\\"b\"]"},
};

static const char *shown(void (*put)(struct json_writer *, const struct name_list *),
                         const struct name_list *list, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, MIB);
    json_writer_init(&w, &buf);
    put(&w, list);
    const char *text = str_cstr(arena, buf_flat(&buf, arena));
    buf_deinit(&buf);
    return text;
}

static void shows_every_row(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct str items[8];
        struct name_list list = {.items = items, .n = 0};
        arena_init(&arena, MIB);
        for (struct str rest = str_of(rows[i].full); rest.len > 0;)
            items[list.n++] = str_cut(&rest, ' ');
        if (rows[i].tables != NULL)
            assert_string_equal(shown(names_put_tables, &list, &arena), rows[i].tables);
        if (rows[i].columns != NULL)
            assert_string_equal(shown(names_put_columns, &list, &arena), rows[i].columns);
        arena_deinit(&arena);
    }
}

/* Longer than any buffer: shown in full rather than cut. */
static void shows_long_names_whole(void **state) {
    (void)state;
    struct arena arena;
    char name[2048];
    struct str item = {name, sizeof name};
    struct name_list list = {.items = &item, .n = 1};
    arena_init(&arena, MIB);
    memset(name, 'x', sizeof name);
    memcpy(name, "p.default.", 10);
    const char *text = shown(names_put_tables, &list, &arena);
    assert_int_equal(strlen(text), sizeof name + 4);
    assert_true(str_starts(str_of(text), STR("[\"p.default.xxx")));
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_every_row),
        cmocka_unit_test(shows_long_names_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
