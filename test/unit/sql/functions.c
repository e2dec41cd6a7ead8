/* test/unit/sql/functions.c - the table of built-in functions is whole and readable */
#include "sql/functions.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is_sorted_and_sane(void **state) {
    (void)state;
    for (size_t i = 0; i < sql_functions_n; i++) {
        const struct sql_function *f = &sql_functions[i];
        if (i > 0 && strcmp(sql_functions[i - 1].name, f->name) >= 0)
            fail_msg("'%s' is out of order", f->name);
        for (const char *c = f->name; *c != '\0'; c++) assert_false(*c >= 'A' && *c <= 'Z');
        assert_true(f->min_args <= f->max_args);
        assert_ptr_equal(sql_function_find(str_of(f->name)), f);
        if (f->flags & FUNCTION_BARE) assert_int_equal(f->min_args, 0);
        if (f->flags & FUNCTION_METADATA) assert_true(f->min_args >= 1);
        /* What is refused whatever its arguments must have no spelling that could get out. */
        if (f->flags & FUNCTION_REFUSED) {
            assert_string_equal(f->duckdb, "");
            assert_string_equal(f->postgres, "");
        }
    }
}

/* Every template ends where its text ends, names no argument that cannot be there, and gives a
 * fallback to each that may be missing. */
static void check_template(const struct sql_function *f, struct str text, size_t n_args) {
    struct str rest = text;
    static const char *const classes[] = {"string",  "double",    "number",  "bigint", "date",
                                          "decimal", "timestamp", "boolean", "array",  "map"};
    while (rest.len > 0) {
        struct spelling_piece piece = sql_spelling_next(&rest);
        bool is_known = piece.coerce.len == 0;
        if (piece.kind == PIECE_END) fail_msg("'%s': bad template '%.*s'", f->name, STR_ARG(text));
        for (size_t i = 0; i < COUNT(classes); i++)
            is_known = is_known || str_eq(piece.coerce, str_of(classes[i]));
        if (!is_known) fail_msg("'%s': class '%.*s'", f->name, STR_ARG(piece.coerce));
        if (piece.kind == PIECE_ARG && piece.arg >= n_args && piece.text.ptr == NULL)
            fail_msg("'%s' with %zu: '%.*s'", f->name, n_args, STR_ARG(text));
    }
}

static void templates_are_whole(void **state) {
    (void)state;
    size_t n_templates = 0;
    for (size_t i = 0; i < sql_functions_n; i++) {
        const struct sql_function *f = &sql_functions[i];
        size_t most = f->max_args == FUNCTION_ARGS_ANY ? f->min_args + 3U : f->max_args;
        for (size_t n = f->min_args; n <= most; n++) {
            struct spelling duck = sql_spelling(f, f->duckdb, n);
            struct spelling post = sql_spelling(f, f->postgres, n);
            if (duck.kind == SPELLING_TEMPLATE) check_template(f, duck.text, n), n_templates++;
            if (post.kind == SPELLING_TEMPLATE) check_template(f, post.text, n), n_templates++;
            assert_true((duck.kind == SPELLING_REFUSED) == (f->duckdb[0] == '\0'));
        }
    }
    assert_true(n_templates > 200);
}

static void picks_the_spelling(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t n;
        enum spelling_kind kind;
        const char *text;
    } cases[] = {
        {"cbrt", 1, SPELLING_TEMPLATE, "cbrt(${1!double})"},
        {"dateadd", 3, SPELLING_HOOK, "dateadd"},
        {"mask_hash", 1, SPELLING_REFUSED, ""},
        {"trim", 1, SPELLING_TEMPLATE, "trim(${1!string}, ' ')"},
        {"trim", 2, SPELLING_TEMPLATE, "trim(${1!string}, ${2!string})"},
        {"pi", 0, SPELLING_TEMPLATE, "pi()"},
        {"row_number", 0, SPELLING_NAME, "row_number"},
        {"nvl", 2, SPELLING_HOOK, "coalesce"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct sql_function *f = sql_function_find(str_of(cases[i].name));
        struct spelling s = sql_spelling(f, f->duckdb, cases[i].n);
        assert_int_equal(s.kind, cases[i].kind);
        assert_true(str_eq(s.text, str_of(cases[i].text)));
    }
}

static void reads_pieces(void **state) {
    (void)state;
    struct str rest = STR("f($1, ${2:0}, ${3!double}, ${4*}, $*)");
    static const struct spelling_piece wanted[] = {
        {.kind = PIECE_TEXT, .text = STR_INIT("f(")},
        {.kind = PIECE_ARG, .arg = 0},
        {.kind = PIECE_TEXT, .text = STR_INIT(", ")},
        {.kind = PIECE_ARG, .arg = 1, .text = STR_INIT("0")},
        {.kind = PIECE_TEXT, .text = STR_INIT(", ")},
        {.kind = PIECE_ARG, .arg = 2, .coerce = STR_INIT("double")},
        {.kind = PIECE_TEXT, .text = STR_INIT(", ")},
        {.kind = PIECE_REST, .arg = 3},
        {.kind = PIECE_TEXT, .text = STR_INIT(", ")},
        {.kind = PIECE_REST, .arg = 0},
        {.kind = PIECE_TEXT, .text = STR_INIT(")")},
        {.kind = PIECE_END},
    };
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct spelling_piece piece = sql_spelling_next(&rest);
        assert_int_equal(piece.kind, wanted[i].kind);
        assert_int_equal(piece.arg, wanted[i].arg);
        assert_true(str_eq(piece.text, wanted[i].text));
        assert_true(str_eq(piece.coerce, wanted[i].coerce));
    }
    static const char *const bad[] = {"$", "$x", "${", "${1", "${}", "${0}", "${1?x}"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        rest = str_of(bad[i]);
        assert_int_equal(sql_spelling_next(&rest).kind, PIECE_END);
    }
}

static void finds_whatever_the_case(void **state) {
    (void)state;
    assert_string_equal(sql_function_find(STR("Max_PT"))->name, "max_pt");
    assert_null(sql_function_find(STR("")));
    assert_null(sql_function_find(STR("max_p")));
    assert_null(sql_function_find(STR("max_ptx")));
    assert_null(sql_function_find(STR("abs\0")));
    assert_null(sql_function_find(STR("\xff")));
    assert_null(sql_function_find((struct str){NULL, 0}));
    assert_string_equal(sql_function_nearest(STR("cuont"))->name, "count");
    assert_string_equal(sql_function_nearest(STR("date_ad"))->name, "date_add");
    assert_null(sql_function_nearest(STR("my_company_udf")));
    assert_null(sql_function_nearest(STR("reflecx"))); /* what is refused is not suggested */
}

static void has_the_right_kinds(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum sql_function_kind kind;
        unsigned flags;
    } cases[] = {
        {"count", FUNCTION_AGGREGATE_WINDOW, 0},
        {"percentile", FUNCTION_AGGREGATE, 0},
        {"row_number", FUNCTION_WINDOW, 0},
        {"explode", FUNCTION_TABLE, 0},
        {"json_tuple", FUNCTION_TABLE, 0},
        {"transform", FUNCTION_SCALAR, 0},
        {"rand", FUNCTION_SCALAR, FUNCTION_VOLATILE},
        {"getdate", FUNCTION_SCALAR, FUNCTION_VOLATILE},
        {"max_pt", FUNCTION_SCALAR, FUNCTION_METADATA},
        {"table_exists", FUNCTION_SCALAR, FUNCTION_METADATA},
        {"get_user_id", FUNCTION_SCALAR, FUNCTION_REFUSED},
        {"reflect", FUNCTION_SCALAR, FUNCTION_REFUSED},
        {"sym_encrypt", FUNCTION_SCALAR, FUNCTION_REFUSED},
        {"failif", FUNCTION_SCALAR, FUNCTION_RAISES},
        {"session_user", FUNCTION_SCALAR, FUNCTION_REFUSED | FUNCTION_BARE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct sql_function *f = sql_function_find(str_of(cases[i].name));
        assert_non_null(f);
        assert_int_equal(f->kind, cases[i].kind);
        assert_int_equal(f->flags, cases[i].flags);
    }
    assert_true(sql_function_takes(sql_function_find(STR("concat")), 200));
    assert_false(sql_function_takes(sql_function_find(STR("if")), 2));
    assert_false(sql_function_takes(sql_function_find(STR("substr")), 4));
}

static void tells_types(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000000);
    static const struct {
        const char *name, *args[4], *type;
    } cases[] = {
        {"count", {"string"}, "bigint"},
        {"sum", {"int"}, "bigint"},
        {"sum", {"decimal(10,2)"}, "decimal"},
        {"sum", {"string"}, "double"},
        {"avg", {"bigint"}, "double"},
        {"if", {"boolean", "bigint", "double"}, "double"},
        {"coalesce", {"bigint", "string"}, "string"},
        {"decode", {"bigint", "bigint", "date", "date"}, "date"},
        {"collect_set", {"string"}, "array<string>"},
        {"map_keys", {"map<string,bigint>"}, "array<string>"},
        {"map_values", {"map<string,bigint>"}, "array<bigint>"},
        {"map", {"string", "bigint"}, "map<string,bigint>"},
        {"split", {"string", "string"}, "array<string>"},
        {"str_to_map", {"string"}, "map<string,string>"},
        {"array_max", {"array<double>"}, "double"},
        {"concat", {"string", "bigint"}, "string"},
        {"concat", {"array<bigint>", "array<bigint>"}, "array<bigint>"},
        {"max", {"datetime"}, "datetime"},
        {"from_json", {"string", "string"}, "unknown"},
        {"array_max", {"bigint"}, "unknown"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sql_type args[4], type, wanted;
        size_t n = 0;
        for (; n < 4 && cases[i].args[n] != NULL; n++)
            assert_int_equal(sql_type_parse(str_of(cases[i].args[n]), &arena, &args[n], NULL).why,
                             FAIL_NONE);
        assert_int_equal(sql_function_type(sql_function_find(str_of(cases[i].name)), args, n,
                                           &arena, &type, NULL)
                             .why,
                         FAIL_NONE);
        assert_int_equal(sql_type_parse(str_of(cases[i].type), &arena, &wanted, NULL).why,
                         FAIL_NONE);
        if (!sql_type_eq(&type, &wanted)) fail_msg("%s", cases[i].name);
    }
    /* No row reads an argument that is not there. */
    for (size_t i = 0; i < sql_functions_n; i++) {
        struct sql_type type;
        assert_int_equal(sql_function_type(&sql_functions[i], NULL, 0, &arena, &type, NULL).why,
                         FAIL_NONE);
    }
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sorted_and_sane),
        cmocka_unit_test(templates_are_whole),
        cmocka_unit_test(picks_the_spelling),
        cmocka_unit_test(reads_pieces),
        cmocka_unit_test(finds_whatever_the_case),
        cmocka_unit_test(has_the_right_kinds),
        cmocka_unit_test(tells_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
