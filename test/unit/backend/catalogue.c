/* Names of tables and the files that describe them, in all their forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own */

#include "backend/catalogue.h"
#include "base/fault.h"
#include "base/limits.h"
#include "sql/types.h"

/* -- names --------------------------------------------------------------------------------------
 */

struct name_case {
    struct str text;
    const char *expected; /* project/schema/name; NULL: refused */
};

static const struct name_case names[] = {
    {STR_INIT("orders"), "home/default/orders"},
    {STR_INIT("Sales.Orders"), "sales/default/orders"},
    {STR_INIT("sales.raw.orders"), "sales/raw/orders"},
    {STR_INIT("sales.default.orders"), "sales/default/orders"},
    {STR_INIT("销售.订单"), "销售/default/订单"},
    {STR_INIT(" sales . orders "), "sales/default/orders"},
    {STR_INIT(""), NULL},
    {STR_INIT("."), NULL},
    {STR_INIT("sales."), NULL},
    {STR_INIT(".orders"), NULL},
    {STR_INIT("a..b"), NULL},
    {STR_INIT("a.b.c.d"), NULL},
    {STR_INIT("a\0b"), NULL},
};

static void test_names(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct table_name name;
        struct report report = {0};
        result r = table_name_split(names[i].text, STR("home"), &arena, &name, &report);
        assert_int_equal(r.why, names[i].expected == NULL ? FAIL_INPUT : FAIL_NONE);
        if (names[i].expected == NULL) continue;
        struct str shown =
            str_printf(&arena, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(name.project),
                       STR_ARG(name.schema), STR_ARG(name.name));
        assert_string_equal(shown.ptr, names[i].expected);
    }
    struct table_name name;
    result r = table_name_split(STR("orders"), STR_NONE, &arena, &name, NULL);
    assert_int_equal(r.why, FAIL_INPUT);
    arena_deinit(&arena);
}

static void test_name_too_long(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    char long_name[TABLE_NAME_BYTES_MAX + 1];
    memset(long_name, 'a', sizeof long_name);
    struct table_name name;
    result r = table_name_split((struct str){long_name, sizeof long_name}, STR("home"), &arena,
                                &name, NULL);
    assert_int_equal(r.why, FAIL_INPUT);
    struct catalogue catalogue;
    catalogue_init(&catalogue, &arena, STR("b"), STR("home"));
    struct str all = {long_name, sizeof long_name - 1};
    name = (struct table_name){all, STR("default"), STR("t")};
    assert_int_equal(catalogue_add(&catalogue, &name, STR_NONE, NULL, 0, NULL).why, FAIL_INPUT);
    assert_null(catalogue_find(&catalogue, all, STR("default"), STR("t")));
    arena_deinit(&arena);
}

/* Parts that would meet if they were put together with a point. */
static void test_names_do_not_meet(void **state) {
    (void)state;
    struct arena arena;
    struct catalogue catalogue;
    arena_init(&arena, 1 << 16);
    catalogue_init(&catalogue, &arena, STR("b"), STR("home"));
    struct table_name name = {STR("a.b"), STR("c"), STR("d")};
    assert_int_equal(catalogue_add(&catalogue, &name, STR_NONE, NULL, 0, NULL).why, FAIL_NONE);
    assert_null(catalogue_find(&catalogue, STR("a"), STR("b.c"), STR("d")));
    assert_non_null(catalogue_find(&catalogue, STR("a.b"), STR("c"), STR("d")));
    assert_int_equal(catalogue_add(&catalogue, &name, STR_NONE, NULL, 0, NULL).why, FAIL_INPUT);
    arena_deinit(&arena);
}

/* -- files --------------------------------------------------------------------------------------
 */

struct file_case {
    const char *name, *text;
    const char *expected; /* relations, one a line; or the problems */
};

static const struct file_case files[] = {
    {"schema.yaml",
     "tables:\n"
     "  sales.default.orders:\n"
     "    comment: what was sold\n"
     "    columns:\n"
     "      - {name: DS, type: string, partition: true, comment: day}\n"
     "      - {name: amount, type: 'decimal(18,2)'}\n"
     "  people: {columns: [{name: id, type: bigint}]}\n"
     "x-owner: me\n",
     "home.default.people id:bigint\n"
     "sales.default.orders ds:string* amount:decimal(18,2)\n"},
    {"schema.json",
     "{\n \"today\": \"2026-05-07\",\n \"tables\": {\n  \"p.t\": {\n   \"columns\": [\n"
     "    {\n     \"name\": \"a\",\n     \"type\": \"STRING\"\n    },\n"
     "    {\"name\": \"pt\", \"type\": \"STRING\"}],\n"
     "   \"partition\": \"pt\",\n   \"rows\": 1584\n  }\n }\n}\n",
     "p.default.t a:string pt:string*\n"},
    {"schema.json",
     "{\"note\":\"x\",\"tables\":[\n"
     "{\"name\":\"users\",\"columns\":[{\"name\":\"at\",\"type\":\"datetime\"}]}]}\n",
     "home.default.users at:datetime\n"},
    {"schema.yaml",
     "tables: {p.t: {columns: [{name: a, type: int}], "
     "partitioned_by: [{name: y, type: string}, {name: m, type: string}]}}\n",
     "p.default.t a:int y:string* m:string*\n"},
    {"schema.yaml",
     "tables: {p.t: {columns: [{name: a, type: int}, {name: b, type: int}], "
     "partitions: [b]}}\n",
     "p.default.t a:int b:int*\n"},
    {"schema.yaml", "tables: {}\n", ""},
    {"schema.yaml", "tabels: {}\n",
     "schema.yaml:1:1: error: unknown key 'tabels' (did you mean 'tables'?)\n"
     "schema.yaml:1:1: error: a schema file needs 'tables'\n"},
    {"schema.json", "{\"note\": 1}\n", "schema.json:1:1: error: a schema file needs 'tables'\n"},
    {"schema.yaml", "[]\n", "schema.yaml:1:1: error: a schema file must be a map\n"},
    {"schema.yaml", "tables: 7\n", "schema.yaml:1:9: error: 'tables' must be a list\n"},
    {"schema.yaml", "tables: [{columns: []}]\n",
     "schema.yaml:1:10: error: a table of a list needs a name\n"},
    {"schema.yaml", "tables: {a.b.c.d: {columns: []}, p.t: {colums: []}, p.u: x}\n",
     "schema.yaml:1:19: error: 'a.b.c.d' is no table name (A table is named PROJECT.TABLE, "
     "PROJECT.SCHEMA.TABLE, or TABLE where there is a default_project.)\n"
     "schema.yaml:1:40: error: unknown key 'colums' (did you mean 'columns'?)\n"
     "schema.yaml:1:39: error: table 'p.t' needs a list of columns\n"
     "schema.yaml:1:58: error: a table must be a map\n"},
    {"schema.yaml",
     "tables:\n  p.t:\n    columns:\n      - {name: a}\n      - {name: a, type: int}\n"
     "      - {name: A, type: int}\n      - {name: b, type: wibble}\n"
     "      - {name: c, type: int, partition: maybe}\n      - d\n"
     "    partition: e\n",
     "schema.yaml:4:9: error: a column needs a name and a type\n"
     "schema.yaml:6:16: error: column 'A' is there twice\n"
     "schema.yaml:7:25: error: "},
    {"schema.yaml", "tables: {p.t: {columns: []}, P.default.T: {columns: []}}\n",
     "schema.yaml:1:43: error: table 'p.default.t' is there twice\n"},
    {"schema.yaml", "tables: {\n", "schema.yaml: error: schema.yaml:"},
    {"schema.json", "{\"tables\": {\"p.t\": {}, \"p.t\": {}}}\n",
     "schema.json: error: schema.json:1:"},
};

static void print_relation(const struct schema_relation *relation, struct buf *out) {
    buf_addf(out, STR_FMT "." STR_FMT "." STR_FMT, STR_ARG(relation->project),
             STR_ARG(relation->schema), STR_ARG(relation->name));
    for (size_t i = 0; i < relation->n_columns; i++) {
        buf_addf(out, " " STR_FMT ":", STR_ARG(relation->columns[i].name));
        sql_type_print(relation->columns[i].type, out);
        if (relation->columns[i].is_partition) buf_add_byte(out, '*');
    }
    buf_add_byte(out, '\n');
}

static void test_files(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct arena arena;
        struct catalogue catalogue;
        struct problems problems;
        struct buf out;
        arena_init(&arena, 1 << 20);
        problems_init(&problems, &arena);
        buf_init(&out, 1 << 16);
        catalogue_init(&catalogue, &arena, STR("b"), STR("home"));
        result r =
            catalogue_read(&catalogue, str_of(files[i].text), str_of(files[i].name), &problems);
        assert_int_equal(r.why, problems.n_errors > 0 ? FAIL_CONFIG : FAIL_NONE);
        catalogue_seal(&catalogue);
        for (size_t k = 0; k < catalogue.n && problems.n == 0; k++)
            print_relation(catalogue.relations[k], &out);
        for (size_t k = 0; k < problems.n; k++) {
            struct str line = problem_print(&problems.items[k], &arena);
            buf_addf(&out, STR_FMT "\n", STR_ARG(line));
        }
        const char *text = str_cstr(&arena, buf_flat(&out, &arena));
        /* An expectation without a last newline is a beginning: the rest is another floor's. */
        struct str expected = str_of(files[i].expected);
        if (expected.len == 0 || str_ends(expected, STR("\n")))
            assert_string_equal(text, files[i].expected);
        else
            assert_memory_equal(text, files[i].expected, expected.len);
        buf_deinit(&out);
        arena_deinit(&arena);
    }
}

static void test_finding(void **state) {
    (void)state;
    struct arena arena;
    struct catalogue catalogue;
    struct problems problems;
    arena_init(&arena, 1 << 20);
    problems_init(&problems, &arena);
    catalogue_init(&catalogue, &arena, STR("b"), STR("home"));
    struct str text = str_of(files[0].text);
    assert_int_equal(catalogue_read(&catalogue, text, STR("s.yaml"), &problems).why, FAIL_NONE);
    const struct schema_relation *orders =
        catalogue_find(&catalogue, STR("sales"), STR("default"), STR("orders"));
    assert_non_null(orders);
    assert_ptr_equal(orders, catalogue_find(&catalogue, STR("sales"), STR_NONE, STR("orders")));
    assert_true(str_eq(orders->comment, STR("what was sold")));
    assert_true(str_eq(orders->columns[0].comment, STR("day")));
    assert_true(str_eq(orders->backend, STR("b")));
    assert_ptr_equal(relation_partition(orders), &orders->columns[0]);
    assert_null(catalogue_find(&catalogue, STR("sales"), STR("other"), STR("orders")));
    assert_null(catalogue_find(&catalogue, STR_NONE, STR_NONE, STR_NONE));
    const struct schema_relation *people =
        catalogue_find(&catalogue, STR("home"), STR("default"), STR("people"));
    assert_null(relation_partition(people));
    arena_deinit(&arena);
}

static void test_nth_failure(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct arena arena;
        struct catalogue catalogue;
        struct problems problems;
        arena_init(&arena, 1 << 20);
        problems_init(&problems, &arena);
        catalogue_init(&catalogue, &arena, STR("b"), STR("home"));
        fault_set(n);
        result r = catalogue_read(&catalogue, str_of(files[0].text), STR("s.yaml"), &problems);
        bool is_unused = fault_unused();
        fault_off();
        arena_deinit(&arena);
        assert_int_equal(r.why, is_unused ? FAIL_NONE : FAIL_MEMORY);
        assert_int_equal(problems.is_full, !is_unused);
        if (is_unused) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_name_too_long),
        cmocka_unit_test(test_names_do_not_meet),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_finding),
        cmocka_unit_test(test_nth_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
