/* Tables over trees: every complaint with its place, defaults, the environment, the Nth failure. */
#include "text/bind.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct pet {
    struct bind_head head;
    struct str sort;
    int64_t legs;
};
static const struct bind_key pet_keys[] = {
    {.name = "sort", .type = BIND_NAME, .offset = offsetof(struct pet, sort), .is_required = true},
    {.name = "legs",
     .type = BIND_INT,
     .offset = offsetof(struct pet, legs),
     .fallback = 4,
     .max = 8},
    {.name = NULL}};
static const struct bind_kind pet_kind = {
    .what = "a pet", .keys = pet_keys, .size = sizeof(struct pet)};

struct word {
    struct bind_head head;
    struct bind_texts texts;
};
static const struct bind_key word_value = {.name = "words",
                                           .type = BIND_TEXTS,
                                           .offset = offsetof(struct word, texts),
                                           .one_is_list = true};
static const struct bind_kind word_kind = {
    .what = "a word", .value = &word_value, .size = sizeof(struct word)};

struct inner {
    bool on;
    int64_t bytes;
};
static const struct bind_key inner_keys[] = {
    {.name = "on", .type = BIND_BOOL, .offset = offsetof(struct inner, on), .fallback = 1},
    {.name = "bytes",
     .type = BIND_BYTES,
     .offset = offsetof(struct inner, bytes),
     .fallback = 7,
     .min = 1,
     .max = 1 << 20},
    {.name = NULL}};
static const struct bind_kind inner_kind = {.what = "the inner part", .keys = inner_keys};

static const char *const colours[] = {"red", "green", NULL};
struct top {
    struct str name;
    int colour;
    struct bind_rate rate;
    struct bind_texts list;
    struct inner inner;
    struct bind_array pets, list_of_pets, words, others;
};
#define AT(member) .offset = offsetof(struct top, member)
static const struct bind_key top_keys[] = {
    {.name = "name", .type = BIND_TEXT, AT(name)},
    {.name = "colour", .type = BIND_CHOICE, AT(colour), .choices = colours, .fallback = 1},
    {.name = "rate", .type = BIND_RATE, AT(rate), .max = 1000},
    {.name = "list", .type = BIND_TEXTS, AT(list)},
    {.name = "inner", .type = BIND_MAP, AT(inner), .of = &inner_kind},
    {.name = "pets", .type = BIND_EACH, AT(pets), .of = &pet_kind},
    {.name = "list_of_pets", .type = BIND_LIST, AT(list_of_pets), .of = &pet_kind},
    {.name = "words", .type = BIND_EACH, AT(words), .of = &word_kind},
    {.name = "elsewhere", .type = BIND_SKIP},
    {.name = NULL}};
static const struct bind_kind top_kind = {.what = "the file", .keys = top_keys};

static const struct bind_key open_keys[] = {
    {.name = "name", .type = BIND_TEXT, AT(name)},
    {.name = "*", .type = BIND_EACH, AT(others), .of = &pet_kind},
    {.name = NULL}};
static const struct bind_kind open_kind = {.what = "the open file", .keys = open_keys};

static struct arena arena;
static struct problems problems;

static result bind(const struct bind_kind *kind, const char *text, struct top *top) {
    const struct yaml *tree = NULL;
    struct report report = {0};
    problems_init(&problems, &arena);
    *top = (struct top){0};
    TRY(yaml_read(str_of(text), STR("f"), NULL, &arena, &tree, &report));
    struct binder binder = {&arena, &problems, STR("f")};
    return bind_map(&binder, kind, tree, top);
}

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 24);
    setenv("BIND_TEST", "from outside", 1);
    unsetenv("BIND_TEST_ABSENT");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static void absent_is_default(void **state) {
    (void)state;
    struct top top;
    assert_int_equal(bind(&top_kind, "", &top).why, FAIL_NONE);
    assert_int_equal(problems.n, 0);
    assert_int_equal(top.colour, 1);
    assert_true(top.inner.on);
    assert_int_equal(top.inner.bytes, 7);
    assert_false(top.list.is_set);
    assert_int_equal(top.rate.n, 0);
    assert_int_equal(top.pets.n, 0);
}

static void everything_is_read(void **state) {
    (void)state;
    struct top top;
    assert_int_equal(bind(&top_kind,
                          "name: a ${BIND_TEST}, ${user.x} ${ }$\n"
                          "colour: red\nrate: 100/minute\nlist: []\nx-mine: [1]\n"
                          "inner: {on: 'no', bytes: 8KiB}\n"
                          "pets: {rex: {sort: dog}, ant: {sort: insect, legs: 6}}\n"
                          "list_of_pets: [{sort: cat}]\n"
                          "words: {one: 1, many: [a, \"${BIND_TEST}\"]}\n"
                          "elsewhere: {any: thing}\n",
                          &top)
                         .why,
                     FAIL_NONE);
    assert_int_equal(problems.n, 0);
    assert_true(str_eq(top.name, STR("a from outside, ${user.x} ${ }$")));
    assert_int_equal(top.colour, 0);
    assert_int_equal(top.rate.n, 100);
    assert_int_equal(top.rate.window_s, 60);
    assert_true(top.list.is_set);
    assert_int_equal(top.list.n, 0);
    assert_false(top.inner.on);
    assert_int_equal(top.inner.bytes, 8192);
    const struct pet *pets = top.pets.items;
    assert_int_equal(top.pets.n, 2);
    assert_true(str_eq(pets[0].head.id, STR("rex")));
    assert_int_equal(pets[0].legs, 4);
    assert_int_equal(pets[1].legs, 6);
    assert_int_equal(top.list_of_pets.n, 1);
    const struct word *words = top.words.items;
    assert_int_equal(top.words.n, 2);
    assert_true(str_eq(words[0].texts.items[0], STR("1")));
    assert_true(str_eq(words[1].texts.items[1], STR("from outside")));
}

static void null_is_nothing_where_that_is_plain(void **state) {
    (void)state;
    struct top top;
    assert_int_equal(bind(&top_kind, "name: ~\ninner:\npets: null\n", &top).why, FAIL_NONE);
    assert_int_equal(problems.n, 0);
    assert_int_equal(top.name.len, 0);
    assert_int_equal(top.inner.bytes, 7);
}

static void a_star_takes_other_maps(void **state) {
    (void)state;
    struct top top;
    assert_int_equal(bind(&open_kind,
                          "name: n\nrex: {sort: dog}\nx-y: {sort: 1, what: 2}\ntom: {sort: cat}\n",
                          &top)
                         .why,
                     FAIL_NONE);
    assert_int_equal(problems.n, 0);
    assert_int_equal(top.others.n, 2);
    assert_true(str_eq(((const struct pet *)top.others.items)[1].head.id, STR("tom")));
}

struct complaint {
    const struct bind_kind *kind;
    const char *yaml, *lines;
};

static const struct complaint complaints[] = {
    {&top_kind, "colur: red",
     "f:1:1: error: unknown key 'colur' in the file (did you mean 'colour'?)"},
    {&inner_kind, "zzzzzzzz: 1",
     "f:1:1: error: unknown key 'zzzzzzzz' in the inner part (known keys: on, bytes)"},
    {&top_kind, "[1]", "f:1:1: error: the file must be a map"},
    {&top_kind, "name: [1]", "f:1:7: error: 'name' must be a text"},
    {&top_kind, "colour: blue", "f:1:9: error: 'colour' must be one of red, green"},
    {&top_kind, "colour: ~", "f:1:9: error: 'colour' must be one word"},
    {&top_kind, "rate: often",
     "f:1:7: error: 'rate' must be a rate such as 100/minute (second, "
     "minute, hour or day)"},
    {&top_kind, "rate: 0/minute",
     "f:1:7: error: 'rate' must allow from 1 to 1000 calls (to allow none, give an empty "
     "allowed_tools)"},
    {&top_kind, "rate: 1001/minute", "f:1:7: error: 'rate' must allow from 1 to 1000 calls"},
    {&top_kind, "list: one", "f:1:7: error: 'list' must be a list of texts"},
    {&top_kind, "list:\n",
     "f:1:6: error: 'list' must be a list of texts (write [] for nothing, or leave the key out)"},
    {&top_kind, "list: [a, {b: c}, '', ~]",
     "f:1:11: error: 'list' must be a list of texts\n"
     "f:1:19: error: 'list' holds an empty text\n"
     "f:1:23: error: 'list' must be a list of texts"},
    {&top_kind, "inner: 3", "f:1:8: error: the inner part must be a map"},
    {&top_kind, "inner: {on: maybe, bytes: 0}",
     "f:1:13: error: 'on' must be true or false\n"
     "f:1:27: error: 'bytes' must be a size in bytes from 1 to 1048576"},
    {&top_kind, "pets: []", "f:1:7: error: 'pets' must be a map"},
    {&top_kind, "list_of_pets: {}", "f:1:15: error: 'list_of_pets' must be a list"},
    {&top_kind, "pets: {rex: {}, \"a\\tb\": {sort: dog, legs: 9}, tom: {sort: \"\\x01\"}}",
     "f:1:13: error: a pet has no 'sort'\n"
     "f:1:17: error: the name of a pet must be of printable characters, not too long\n"
     "f:1:43: error: 'legs' must be a whole number from 0 to 8\n"
     "f:1:59: error: 'sort' must be a name of printable characters, not too long"},
    {&top_kind, "pets: {rex: {sort: dog, legs: 1.5}}",
     "f:1:31: error: 'legs' must be a whole number from 0 to 8"},
    {&top_kind, "name: ${BIND_TEST_ABSENT}",
     "f:1:7: error: the environment variable 'BIND_TEST_ABSENT' is not set"},
    {&open_kind, "rex: 5",
     "f:1:1: error: unknown key 'rex' in the open file (known keys: name, *)"},
};

static void complaints_name_their_place(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(complaints); i++) {
        struct top top;
        assert_int_equal(bind(complaints[i].kind, complaints[i].yaml, &top).why, FAIL_NONE);
        struct str all = STR("");
        for (size_t p = 0; p < problems.n; p++)
            all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), p > 0 ? "\n" : "",
                             STR_ARG(problem_print(&problems.items[p], &arena)));
        assert_string_equal(str_cstr(&arena, all), complaints[i].lines);
    }
}

static void nearest_stays_near(void **state) {
    (void)state;
    const struct str names[] = {STR_INIT("sales"), STR_INIT("product")};
    assert_true(str_eq(bind_nearest(STR("salse"), names, 2), STR("sales")));
    assert_null(bind_nearest(STR("zebra"), names, 2).ptr);
    assert_null(bind_nearest(STR(""), names, 0).ptr);
    assert_false(bind_is_name(STR("")));
    assert_false(bind_is_name(STR(" a")));
    assert_false(bind_is_name(STR("a\x7f")));
    assert_false(bind_is_name(STR("\xff")));
    assert_true(bind_is_name(STR("华南 1")));
}

static void nth_failure_is_told(void **state) {
    (void)state;
    bool was_tried = false;
    for (long n = 0;; n++) {
        struct top top;
        arena_reset(&arena);
        fault_set(n);
        result r = bind(&top_kind,
                        "name: ${BIND_TEST}\nlist: [a]\npets: {rex: {sort: dog, colour: red}}\n"
                        "words: {a: b}\n",
                        &top);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        was_tried = true;
        assert_true(r.why != FAIL_NONE || problems.is_full);
    }
    assert_true(was_tried);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(absent_is_default, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(null_is_nothing_where_that_is_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(a_star_takes_other_maps, setup, teardown),
        cmocka_unit_test_setup_teardown(complaints_name_their_place, setup, teardown),
        cmocka_unit_test_setup_teardown(nearest_stays_near, setup, teardown),
        cmocka_unit_test_setup_teardown(nth_failure_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
