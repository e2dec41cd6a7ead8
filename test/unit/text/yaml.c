#include "text/yaml.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static int open_arena(void **state) {
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int close_arena(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static const struct yaml *read_ok(struct str text) {
    const struct yaml *root = NULL;
    struct report report = {0};
    result r = yaml_read(text, STR("f.yaml"), NULL, &arena, &root, &report);
    if (r.why != FAIL_NONE) print_error("%s\n", report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
    return root;
}

static void assert_source(struct str source, const struct yaml *node, const char *want) {
    struct str got = str_slice(source, node->begin, node->end);
    if (!str_eq(got, str_of(want))) print_error("[%.*s]\n", STR_ARG(got));
    assert_true(str_eq(got, str_of(want)));
}

static void empty_files_are_empty_maps(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# only a comment\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        const struct yaml *root = read_ok(str_of(texts[i]));
        assert_int_equal(root->type, YAML_MAP);
        assert_int_equal(root->n, 0);
    }
    assert_int_equal(read_ok(STR_NONE)->type, YAML_MAP);
    assert_true(yaml_is_null(read_ok(STR("---\n"))));
    assert_null(yaml_get(NULL, STR("a")));
    assert_null(yaml_get(read_ok(STR("[a]")), STR("a")));
}

static void trees(void **state) {
    (void)state;
    const struct yaml *root = read_ok(STR("a: 1\nb: [x, \"y\"]\nc:\n  d: |\n    two\n    lines\n"));
    assert_int_equal(root->n, 3);
    assert_true(str_eq(yaml_get(root, STR("a"))->text, STR("1")));
    assert_true(yaml_get(root, STR("a"))->is_plain);
    const struct yaml *b = yaml_get(root, STR("b"));
    assert_int_equal(b->type, YAML_LIST);
    assert_int_equal(b->n, 2);
    assert_true(b->items[0].is_plain);
    assert_false(b->items[1].is_plain);
    assert_true(str_eq(yaml_get(yaml_get(root, STR("c")), STR("d"))->text, STR("two\nlines\n")));
    assert_null(yaml_get(root, STR("d")));
    assert_true(str_eq(root->pairs[2].key.text, STR("c")));
}

static void null_is_plain(void **state) {
    (void)state;
    const struct yaml *list = read_ok(STR("[~, null, Null, NULL, '', 'null', nil, \"~\", x: ]"));
    static const bool want[] = {true, true, true, true, false, false, false, false};
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(yaml_is_null(&list->items[i]), want[i]);
    assert_true(yaml_is_null(&list->items[8].pairs[0].value));
    assert_false(yaml_is_null(list));
}

/* Ranges are bytes, though libyaml counts characters; blocks end with their last node. */
static void ranges_are_bytes(void **state) {
    (void)state;
    struct str text = STR("# 中文注释 😀\n"
                          "键: \"值\" # 后\n"
                          "list:\n"
                          "  - 一\n"
                          "  - {k: 'v', 键: [二, 三]}\n"
                          "  # a comment behind\n"
                          "\n"
                          "empty:\n"
                          "text: >-\n"
                          "  折\n"
                          "  叠\n"
                          "last: end\n");
    const struct yaml *root = read_ok(text);
    assert_source(text, &root->pairs[0].key, "键");
    assert_source(text, &root->pairs[0].value, "\"值\"");
    assert_int_equal(root->pairs[0].value.line, 2);
    assert_int_equal(root->pairs[0].value.column, 4);
    const struct yaml *list = yaml_get(root, STR("list"));
    assert_source(text, list, "- 一\n  - {k: 'v', 键: [二, 三]}");
    assert_source(text, &list->items[0], "一");
    assert_source(text, &list->items[1], "{k: 'v', 键: [二, 三]}");
    assert_source(text, &list->items[1].pairs[1].value, "[二, 三]");
    assert_int_equal(list->items[1].pairs[1].value.column, 17);
    assert_source(text, yaml_get(root, STR("empty")), "");
    assert_int_equal(yaml_get(root, STR("empty"))->line, 8);
    assert_source(text, yaml_get(root, STR("last")), "end");
    assert_int_equal(root->end, text.len - 1);
}

/* The text between begin and end of a scalar, read alone, is the scalar again; parents hold
 * children. */
static void check_ranges(struct str text, const struct yaml *node) {
    assert_true(node->begin <= node->end && node->end <= text.len);
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml *child =
            node->type == YAML_LIST ? &node->items[i] : &node->pairs[i].value;
        assert_true(child->begin >= node->begin && child->end <= node->end);
        if (node->type == YAML_MAP) {
            const struct yaml *key = &node->pairs[i].key;
            assert_true(key->begin >= node->begin && key->end <= child->begin);
            assert_true(str_eq(read_ok(str_slice(text, key->begin, key->end))->text, key->text));
        }
        check_ranges(text, child);
    }
}

static void ranges_nest(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\xef\xbb\xbf键: 值\nb: [1]\n",
        "a: 1\r\n键: {x: 一,\r\n  y: 二}\r\nb:\r\n- 1\r\n- 2\r\n",
        "a:\n- b\n- c:\n  - d\n  -\n  - e: f\ng: 'h''i'\n",
        "\xc2\x85# next line, line separator\xe2\x80\xa8"
        "a: b\xe2\x80\xa9"
        "c: d\n",
        "{a: [], b: {}, c: [[1], {d: }]}",
        "\"a\\tb\\u4e2d\": 'x'\n? y\n: z\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct str text = str_of(texts[i]);
        check_ranges(text, read_ok(text));
    }
}

static void refusals_say_where(void **state) {
    (void)state;
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' stands twice in one map"},
        {"x: {a: 1, 'a': 2}", "f.yaml:1:11: the key 'a' stands twice in one map"},
        {"a: &x 1", "f.yaml:1:4: anchors are not accepted"},
        {"a: &x [1]", "f.yaml:1:4: anchors are not accepted"},
        {"a: &x {b: 1}", "f.yaml:1:4: anchors are not accepted"},
        {"a: *x", "f.yaml:1:4: aliases are not accepted"},
        {"键: !!str 1", "f.yaml:1:4: tags are not accepted"},
        {"a: !x [1]", "f.yaml:1:4: tags are not accepted"},
        {"a: ! 1", "f.yaml:1:4: tags are not accepted"},
        {"<<: {a: 1}", "f.yaml:1:1: merge keys are not accepted"},
        {"%TAG ! tag:x,2000:\n---\na: 1", "f.yaml:1:1: tag directives are not accepted"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins, a file holds one"},
        {"a: 1\n...\n---\n", "f.yaml:3:1: a second document begins, a file holds one"},
        {"? [a]\n: 1", "f.yaml:1:3: a key is a list or a map, text is expected"},
        {"a: [1\nb: 2",
         "f.yaml:2:2: did not find expected ',' or ']' while parsing a flow sequence"},
        {"中: '", "f.yaml:1:5: found unexpected end of stream while scanning a quoted scalar"},
        {"a: 1\n中: \xff", "f.yaml:2:4: invalid leading UTF-8 octet"},
        {"a: \x01", "f.yaml:1:4: control characters are not allowed"},
        {"\tx: 1", "f.yaml:1:1: found character that cannot start any token while scanning for the "
                   "next token"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct yaml *root = NULL;
        struct report report = {0};
        result r = yaml_read(str_of(rows[i].text), STR("f.yaml"), NULL, &arena, &root, &report);
        assert_int_equal(r.why, FAIL_CONFIG);
        assert_string_equal(report.code, "CONFIG_INVALID");
        assert_string_equal(report.sentence, rows[i].sentence);
        assert_true(report.offset <= strlen(rows[i].text));
        assert_null(root);
    }
    assert_int_equal(read_ok(STR("'<<': 1\n"))->n, 1); /* quoted, it is a name like others */
    assert_int_equal(read_ok(STR("%YAML 1.1\n---\na: 1\n...\n"))->n, 1);
}

static void duplicates_in_large_maps(void **state) {
    (void)state;
    for (size_t n = 10; n < 2000; n = n * 2 + 3) {
        char text[40000];
        size_t len = 0;
        for (size_t i = 0; i < n; i++)
            len += (size_t)snprintf(text + len, sizeof text - len, "key%zu: v\n", i);
        assert_int_equal(read_ok((struct str){text, len})->n, n);
        len += (size_t)snprintf(text + len, sizeof text - len, "key%zu: v\n", n / 2);
        const struct yaml *root;
        struct report report = {0};
        result r = yaml_read((struct str){text, len}, STR("f"), NULL, &arena, &root, &report);
        assert_int_equal(r.why, FAIL_CONFIG);
        assert_true(str_starts(str_of(report.sentence), str_printf(&arena, "f:%zu:1: ", n + 1)));
    }
}

static void each_limit_holds(void **state) {
    (void)state;
    static const struct {
        struct yaml_limits limits;
        const char *text;
        bool is_read;
    } rows[] = {
        {{.bytes = 4}, "a: 1", true},       {{.bytes = 3}, "a: 1", false},
        {{.depth = 2}, "a: [1]", true},     {{.depth = 1}, "a: [1]", false},
        {{.depth = 1}, "a: {b: c}", false}, {{.nodes = 3}, "a: 1", true},
        {{.nodes = 2}, "a: 1", false},      {{.nodes = 3}, "[1, 2, 3]", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct yaml *root;
        struct report report = {0};
        result r =
            yaml_read(str_of(rows[i].text), STR("f"), &rows[i].limits, &arena, &root, &report);
        assert_int_equal(r.why, rows[i].is_read ? FAIL_NONE : FAIL_CONFIG);
        if (!rows[i].is_read) assert_true(str_starts(str_of(report.sentence), STR("f:1:")));
    }
    static char deep[100000];
    memset(deep, '[', sizeof deep);
    const struct yaml *root;
    struct yaml_limits asked = {.depth = 1000000};
    assert_int_equal(
        yaml_read((struct str){deep, sizeof deep}, STR("f"), &asked, &arena, &root, NULL).why,
        FAIL_CONFIG);
}

static void failures_at_a_node(void **state) {
    (void)state;
    const struct yaml *root = read_ok(STR("a: 1\n中: wrong\n"));
    struct report report = {0};
    result r = yaml_fail(yaml_get(root, STR("中")), STR("p.yaml"), &report, "'%s' is no %s",
                         "wrong", "number");
    assert_int_equal(r.why, FAIL_CONFIG);
    assert_string_equal(report.sentence, "p.yaml:2:4: 'wrong' is no number");
    assert_int_equal(report.offset, 10);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char text[2000];
    size_t len = 0;
    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "key%d: [a, {b: c}, d, e, f]\n", i);
    long n = 0;
    for (;; n++) {
        struct arena small;
        struct report report = {0};
        const struct yaml *root = NULL;
        arena_init(&small, 1 << 20);
        fault_set(n);
        result r = yaml_read((struct str){text, len}, STR("f"), NULL, &small, &root, &report);
        bool unused = fault_unused();
        fault_off();
        assert_int_equal(r.why, unused ? FAIL_NONE : FAIL_MEMORY);
        assert_int_equal(report.why, r.why);
        assert_true((root != NULL) == unused);
        arena_deinit(&small);
        if (unused) break;
    }
    assert_true(n >= 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_files_are_empty_maps),
        cmocka_unit_test(trees),
        cmocka_unit_test(null_is_plain),
        cmocka_unit_test(ranges_are_bytes),
        cmocka_unit_test(ranges_nest),
        cmocka_unit_test(refusals_say_where),
        cmocka_unit_test(duplicates_in_large_maps),
        cmocka_unit_test(each_limit_holds),
        cmocka_unit_test(failures_at_a_node),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
