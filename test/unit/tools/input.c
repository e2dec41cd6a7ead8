/* Arguments become typed values, or a refusal that holds one call that would work. */
#include "tools/input.h"

#include "tools/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"

struct sample_input {
    struct str name;
    int64_t limit;
    bool deep;
    struct field_list columns;
};

static const struct field sample_fields[] = {
    {"name", FIELD_TEXT, offsetof(struct sample_input, name), true, 1, 8, "A name."},
    {"limit", FIELD_INT, offsetof(struct sample_input, limit), false, 1, 100, "Rows."},
    {"deep", FIELD_BOOL, offsetof(struct sample_input, deep), false, 0, 0, "All of it?"},
    {"columns", FIELD_TEXT_LIST, offsetof(struct sample_input, columns), false, 1, 3, "Columns."},
    {0},
};

static const struct mirrored sample_mirrored[] = {{"name", "Name"}, {0}};
static const struct tool sample = {.name = "sample",
                                   .mirrored = sample_mirrored,
                                   .input = sample_fields,
                                   .input_size = sizeof(struct sample_input),
                                   .example = "{\"name\":\"orders\"}"};

static result read_text(const char *text, struct arena *arena, const void **out,
                        struct report *report) {
    const struct json *arguments = NULL;
    if (text != NULL) TRY(json_read(str_of(text), NULL, arena, &arguments, report));
    return input_read(&sample, arguments, arena, out, report);
}

static void reads_all_types(void **state) {
    (void)state;
    struct arena arena;
    struct report report = {0};
    const void *out;
    arena_init(&arena, 1 << 20);
    result r = read_text("{\"columns\":[\"a\",\"b\"],\"name\":\"x\",\"limit\":100,\"deep\":true}",
                         &arena, &out, &report);
    assert_int_equal(r.why, FAIL_NONE);
    const struct sample_input *in = out;
    assert_true(str_eq(in->name, STR("x")));
    assert_int_equal(in->limit, 100);
    assert_true(in->deep);
    assert_int_equal(in->columns.n, 2);
    assert_true(str_eq(in->columns.items[1], STR("b")));
    arena_deinit(&arena);
}

static const struct {
    const char *arguments, *sentence, *hint;
} refusals[] = {
    {NULL, "sample needs the argument 'name' (string)", "Call sample with {\"name\":\"orders\"}"},
    {"{}", "sample needs the argument 'name' (string)", "Call sample with {\"name\":\"orders\"}"},
    {"[]", "the arguments of sample must be a JSON object",
     "Call sample with {\"name\":\"orders\"}"},
    {"{\"name\":7}", "argument 'name' of sample must be of type string, from 1 to 8 bytes",
     "Call sample with {\"name\":\"orders\"}"},
    {"{\"name\":\"\"}", "argument 'name' of sample must be of type string, from 1 to 8 bytes",
     "Call sample with {\"name\":\"orders\"}"},
    {"{\"name\":\"123456789\"}",
     "argument 'name' of sample must be of type string, from 1 to 8 bytes",
     "Call sample with {\"name\":\"orders\"}"},
    {"{\"name\":null}", "argument 'name' of sample must be of type string, from 1 to 8 bytes",
     "Call sample with {\"name\":\"orders\"}"},
    {"{\"name\":\"t\",\"limit\":101}",
     "argument 'limit' of sample must be of type integer, from 1 to 100",
     "Call sample with {\"name\":\"t\"}"},
    {"{\"name\":\"t\",\"limit\":1.5}",
     "argument 'limit' of sample must be of type integer, from 1 to 100",
     "Call sample with {\"name\":\"t\"}"},
    {"{\"name\":\"t\",\"deep\":1}", "argument 'deep' of sample must be of type boolean",
     "Call sample with {\"name\":\"t\"}"},
    {"{\"name\":\"t\",\"columns\":[\"a\",7]}",
     "argument 'columns' of sample must be of type array of strings, from 1 to 3 items",
     "Call sample with {\"name\":\"t\"}"},
    {"{\"nane\":\"t\",\"limit\":3}",
     "sample has no argument 'nane'; its arguments are: name, limit, deep, columns",
     "Call sample with {\"name\":\"t\",\"limit\":3}"},
    {"{\"name\":\"t\",\"zzz\":3}",
     "sample has no argument 'zzz'; its arguments are: name, limit, deep, columns",
     "Call sample with {\"name\":\"t\"}"},
};

static void refuses_and_repairs(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct arena arena;
        struct report report = {0};
        const void *out;
        arena_init(&arena, 1 << 20);
        result r = read_text(refusals[i].arguments, &arena, &out, &report);
        assert_int_equal(r.why, FAIL_INPUT);
        assert_string_equal(report.code, "INVALID_ARGUMENT");
        assert_string_equal(report.sentence, refusals[i].sentence);
        assert_string_equal(report.hint, refusals[i].hint);
        arena_deinit(&arena);
    }
}

/* An optional argument that is null is as if it were absent: clients send such. */
static void takes_null_as_absent(void **state) {
    (void)state;
    struct arena arena;
    struct report report = {0};
    const void *out;
    arena_init(&arena, 1 << 20);
    assert_int_equal(read_text("{\"name\":\"t\",\"limit\":null}", &arena, &out, &report).why,
                     FAIL_NONE);
    assert_int_equal(((const struct sample_input *)out)->limit, 0);
    arena_deinit(&arena);
}

static void survives_every_failed_allocation(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct arena arena;
        struct report report = {0};
        const void *out = NULL;
        arena_init(&arena, 1 << 20);
        fault_set(n);
        result r = read_text("{\"name\":\"t\",\"columns\":[\"a\"]}", &arena, &out, &report);
        bool is_done = fault_unused();
        fault_off();
        arena_deinit(&arena);
        if (is_done) {
            assert_int_equal(r.why, FAIL_NONE);
            break;
        }
        assert_int_equal(r.why, FAIL_MEMORY);
    }
}

static void describes_itself_by_a_schema(void **state) {
    (void)state;
    struct arena arena;
    struct buf out;
    struct json_writer w;
    const struct json *schema;
    struct report report = {0};
    arena_init(&arena, 1 << 20);
    buf_init(&out, 1 << 20);
    json_writer_init(&w, &out);
    input_schema(&sample, &w);
    assert_int_equal(json_read(buf_flat(&out, &arena), NULL, &arena, &schema, &report).why,
                     FAIL_NONE);
    assert_true(json_is_text(json_at(schema, STR("/type")), STR("object")));
    assert_int_equal(json_at(schema, STR("/properties/limit/maximum"))->integer, 100);
    assert_int_equal(json_at(schema, STR("/properties/name/minLength"))->integer, 1);
    assert_true(
        json_is_text(json_at(schema, STR("/properties/columns/items/type")), STR("string")));
    assert_true(json_is_text(json_at(schema, STR("/required/0")), STR("name")));
    assert_true(json_is_text(json_at(schema, STR("/properties/name/x-mcp-header")), STR("Name")));
    assert_null(json_at(schema, STR("/properties/limit/x-mcp-header")));
    assert_int_equal(json_at(schema, STR("/additionalProperties"))->type, JSON_FALSE);
    buf_deinit(&out);
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_types),
        cmocka_unit_test(refuses_and_repairs),
        cmocka_unit_test(takes_null_as_absent),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(describes_itself_by_a_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
