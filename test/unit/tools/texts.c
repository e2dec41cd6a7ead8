/* What tools/list, resources/list and prompts/list are made of: small enough to be read by a model
 * at every turn, in both languages, and naming only what is there. */
#include "tools/offer.h"
#include "tools/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"

enum { WAREHOUSE_BYTES_MAX = 6000 };

static bool has_han(const char *text) {
    uint32_t rune;
    struct str rest = str_of(text);
    for (size_t n; rest.len > 0; rest = str_slice(rest, n, rest.len)) {
        n = utf8_next(rest, &rune);
        assert_true(n > 0);
        if (rune >= 0x4e00 && rune <= 0x9fff) return true;
    }
    return false;
}

static size_t list_bytes(const struct toolset *set, bool with_output) {
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1024 * 1024);
    json_writer_init(&w, &out);
    json_object(&w);
    json_key(&w, STR("tools"));
    json_array(&w);
    for (const struct tool *tool = set->tools; tool->name != NULL; tool++)
        tool_describe(tool, with_output, &w);
    json_array_end(&w);
    json_object_end(&w);
    size_t len = out.len;
    assert_int_equal(buf_failed(&out, NULL).why, FAIL_NONE);
    buf_deinit(&out);
    return len;
}

static void keeps_the_warehouse_small(void **state) {
    (void)state;
    const struct toolset *set = toolset_find(STR("warehouse"));
    assert_non_null(set);
    print_message("the warehouse toolset's tools/list: %zu bytes, %zu without output schemas\n",
                  list_bytes(set, true), list_bytes(set, false));
    assert_true(list_bytes(set, true) <= WAREHOUSE_BYTES_MAX);
    assert_true(list_bytes(set, false) < list_bytes(set, true));
    assert_null(toolset_find(STR("nope")));
}

/* Ajv's strict mode, and so MCP Inspector's, takes one type at a time: several are anyOf. */
static bool has_list_of_types(const struct json *value) {
    bool has = false;
    for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->n; i++)
        has |= has_list_of_types(&value->items[i]);
    for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->n; i++) {
        const struct json_member *member = &value->members[i];
        has |= str_eq(member->key, STR("type")) && member->value.type == JSON_ARRAY;
        has |= has_list_of_types(&member->value);
    }
    return has;
}

static void has_one_type_for_each_schema(void **state) {
    (void)state;
    const struct tool *tool;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; (tool = tool_at(i)) != NULL; i++) {
        struct buf out;
        struct json_writer w;
        const struct json *read = NULL;
        buf_init(&out, 64 * 1024);
        json_writer_init(&w, &out);
        tool_describe(tool, true, &w);
        assert_int_equal(json_read(buf_copy(&out, &arena), NULL, &arena, &read, NULL).why,
                         FAIL_NONE);
        assert_false(has_list_of_types(read));
        buf_deinit(&out);
    }
    arena_deinit(&arena);
}

static void tells_each_in_both_languages(void **state) {
    (void)state;
    const struct tool *tool;
    const struct resource *resource;
    const struct prompt *prompt;
    for (size_t i = 0; (tool = tool_at(i)) != NULL; i++) {
        assert_true(has_han(tool->summary));
        for (const struct field *f = tool->input; f->name != NULL; f++)
            assert_true(has_han(f->summary));
    }
    for (size_t i = 0; (resource = resource_at(i)) != NULL; i++)
        assert_true(has_han(resource->summary));
    for (size_t i = 0; (prompt = prompt_at(i)) != NULL; i++) {
        assert_true(has_han(prompt->summary));
        assert_true(prompt->write != NULL || has_han(prompt->text[LANGUAGE_ZH]));
        assert_true(prompt->write != NULL || !has_han(prompt->text[LANGUAGE_EN]));
        for (const struct argument *a = prompt->arguments; a != NULL && a->name != NULL; a++)
            assert_true(has_han(a->summary));
    }
}

/* -- rows name tools, and arguments that these have ------------------------------------------- */

static void check_source(const struct source *source) {
    const struct tool *tool = tool_find(str_of(source->tool));
    assert_non_null(tool);
    bool is_known = source->argument == NULL;
    for (const struct field *f = tool->input; f->name != NULL; f++)
        is_known |= source->argument != NULL && strcmp(f->name, source->argument) == 0;
    assert_true(is_known);
}

static void check_arguments(const struct argument *rows) {
    for (const struct argument *a = rows; a != NULL && a->name != NULL; a++) {
        if (a->values == NULL || a->values->fixed != NULL) continue;
        check_source(&a->values->source);
        assert_true(a->values->from == NULL ||
                    argument_find(rows, str_of(a->values->from)) != NULL);
        assert_true((a->values->from != NULL) == (a->values->source.argument != NULL));
    }
}

/* Each {name} of a text is an argument, or what is shown. */
static void check_text(const struct prompt *prompt, const char *text) {
    for (struct str rest = str_of(text); str_find_byte(rest, '{') < rest.len;) {
        (void)str_cut(&rest, '{');
        struct str name = str_cut(&rest, '}');
        assert_true(rest.ptr != NULL);
        assert_true(str_eq(name, STR("shown")) || argument_find(prompt->arguments, name) != NULL);
    }
}

static void names_what_is_there(void **state) {
    (void)state;
    const struct resource *resource;
    const struct prompt *prompt;
    for (size_t i = 0; (resource = resource_at(i)) != NULL; i++) {
        if (resource->write == NULL) check_source(&resource->source);
        check_arguments(resource->arguments);
        assert_true(resource_is_template(resource) == (resource->arguments != NULL));
    }
    for (size_t i = 0; (prompt = prompt_at(i)) != NULL; i++) {
        check_arguments(prompt->arguments);
        for (const char *const *t = prompt->leads_to; t != NULL && *t != NULL; t++)
            check_source(&(struct source){*t, NULL});
        for (const struct source *s = prompt->shows; s != NULL && s->tool != NULL; s++)
            check_source(s);
        if (prompt->write != NULL) continue;
        check_text(prompt, prompt->text[LANGUAGE_EN]);
        check_text(prompt, prompt->text[LANGUAGE_ZH]);
    }
}

/* -- addresses -------------------------------------------------------------------------------- */

static const struct resource *table_resource(void) {
    const struct resource *resource;
    for (size_t i = 0; (resource = resource_at(i)) != NULL; i++)
        if (resource_is_template(resource)) return resource;
    return NULL;
}

static void comes_back_from_its_address(void **state) {
    (void)state;
    static const struct {
        const char *value, *uri;
    } rows[] = {
        {"shop.orders", "weir://table/shop.orders"},
        {"shop.eu.orders", "weir://table/shop.eu.orders"},
        {"shop.订单", "weir://table/shop.%E8%AE%A2%E5%8D%95"},
        {"shop.a/b", "weir://table/shop.a%2Fb"},
        {"shop.a%2Fb", "weir://table/shop.a%252Fb"},
        {"s-1.a_b~c", "weir://table/s-1.a_b~c"},
        {"shop.{table}", "weir://table/shop.%7Btable%7D"},
    };
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str uri = resource_uri(table_resource(), str_of(rows[i].value), &arena), value;
        assert_true(str_eq(uri, str_of(rows[i].uri)));
        assert_true(resource_matches(table_resource(), uri, &arena, &value));
        assert_true(str_eq(value, str_of(rows[i].value)));
    }
    arena_deinit(&arena);
}

static void fits_between_its_ends(void **state) {
    (void)state;
    static const struct resource row = {.name = "x", .uri = "t://a/{id}/data"};
    static const struct {
        const char *uri, *value; /* NULL: not its own */
    } rows[] = {{"t://a/7/data", "7"},    {"t://a/7%2F8/data", "7/8"},
                {"t://a//data", NULL},    {"t://a/data", NULL},
                {"t://a/7/dat", NULL},    {"t://a/7/data/", NULL},
                {"t://a/7/8/data", NULL}, {"", NULL}};
    struct arena arena;
    struct str value;
    arena_init(&arena, 1024 * 1024);
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_own = resource_matches(&row, str_of(rows[i].uri), &arena, &value);
        assert_true(is_own == (rows[i].value != NULL));
        if (is_own) assert_true(str_eq(value, str_of(rows[i].value)));
    }
    arena_deinit(&arena);
    arena_init(&arena, 1024);
    fault_set(0); /* no memory: nobody's */
    assert_false(resource_matches(&row, STR("t://a/7/data"), &arena, &value));
    fault_set(0);
    assert_null(resource_uri(&row, STR("7"), &arena).ptr);
    fault_off();
    arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_warehouse_small),
        cmocka_unit_test(has_one_type_for_each_schema),
        cmocka_unit_test(tells_each_in_both_languages),
        cmocka_unit_test(names_what_is_there),
        cmocka_unit_test(comes_back_from_its_address),
        cmocka_unit_test(fits_between_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
