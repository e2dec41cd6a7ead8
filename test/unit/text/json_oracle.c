/* Our reader against jansson: on texts that a seeded generator makes and then spoils a little, both
 * must accept and refuse the same, and mean the same: what jansson read and printed again is read
 * by us and compared. What they are meant to differ in is left out below, by name.
 *
 * Both have a json_object() and a JSON_ARRAY of their own, so that neither its header can be
 * included nor the library be linked: it is opened at run time, where each keeps to its own names.
 */
#include "text/json.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* From jansson.h, whose ABI is stable since 2.0. */
enum { REJECT_DUPLICATES = 0x1, DECODE_ANY = 0x4, COMPACT = 0x20, ENCODE_ANY = 0x200 };
enum { REAL_PRECISION_17 = 17 << 11 };

struct oracle_error {
    int line, column, position;
    char source[80];
    char text[160];
};

static struct {
    void *library;
    void *(*load)(const char *text, size_t len, size_t flags, struct oracle_error *error);
    char *(*dump)(const void *value, size_t flags);
    void (*delete)(void *value);
} jansson;

static void find_function(const char *name, void *pointer_to_function) {
    void *function = dlsym(jansson.library, name);
    assert_non_null(function);
    memcpy(pointer_to_function, &function, sizeof function);
}

static int open_jansson(void **state) {
    (void)state;
    jansson.library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(jansson.library);
    find_function("json_loadb", &jansson.load);
    find_function("json_dumps", &jansson.dump);
    find_function("json_delete", &jansson.delete);
    return 0;
}

static int close_jansson(void **state) {
    (void)state;
    return dlclose(jansson.library);
}

enum { ROUNDS = 60000, TEXT_MAX = 4000 };

static uint64_t seed;

static uint64_t next_random(void) {
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(size_t n) {
    return next_random() % n;
}

/* -- texts ------------------------------------------------------------------------------------ */

static const char *const scalars[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-17",
    "1234567890123456789",
    "9223372036854775807",
    "-9223372036854775808",
    "0.5",
    "-1.25",
    "1e5",
    "1E-5",
    "1.5e+300",
    "123.456e-7",
    "1e308",
    "\"\"",
    "\"a\"",
    "\"plain text of some length\"",
    "\"\\n\\t\\\"\\\\\\/\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"中文\"",
    "\"😀\"",
    "\"\x7f\"",
    /* and what is wrong */
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "1e400",
    "-",
    "NaN",
    "Infinity",
    "'a'",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u0000\"",
    "\"\xff\"",
    "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\t\"",
    "\"open",
    "tru",
    "undefined",
};
enum { GOOD_SCALARS = 26 };

static const char *const blanks[] = {"", "", "", " ", "\n", "\t", "\r\n  "};
static const char *const separators[] = {",", ",", ",", ",", ",", ",", ",", "", ",,", ";"};

static void add(struct buf *out, const char *text) {
    buf_add(out, str_of(text));
}

static void add_blank(struct buf *out) {
    add(out, blanks[below(COUNT(blanks))]);
}

static bool is_spoilt(void) {
    return below(200) == 0;
}

static void add_scalar(struct buf *out) {
    add(out, scalars[below(is_spoilt() ? COUNT(scalars) : GOOD_SCALARS)]);
}

static void add_separator(struct buf *out) {
    add(out, separators[is_spoilt() ? below(COUNT(separators)) : 0]);
}

static void add_value(struct buf *out, unsigned depth) {
    add_blank(out);
    size_t kind = below(depth < 5 ? 4 : 2), n = below(6);
    if (kind < 2) {
        add_scalar(out);
    } else if (kind == 2) {
        add(out, "[");
        for (size_t i = 0; i < n; i++) {
            if (i > 0) add_separator(out);
            add_value(out, depth + 1);
        }
        add(out, is_spoilt() ? ",]" : "]");
    } else {
        add(out, "{");
        if (below(50) == 0) n = 20 + below(20); /* the hash's turn */
        for (size_t i = 0; i < n; i++) {
            if (i > 0) add_separator(out);
            add_blank(out);
            buf_addf(out, "\"k%zu\"", is_spoilt() ? below(n) : i);
            add_blank(out);
            add(out, is_spoilt() ? "=" : ":");
            add_value(out, depth + 1);
        }
        add(out, is_spoilt() ? "]" : "}");
    }
    add_blank(out);
}

/* Changes, drops or doubles a byte, sometimes. */
static size_t spoil(char *text, size_t len) {
    if (len == 0 || below(3) > 0) return len;
    size_t at = below(len);
    static const char bytes[] = "{}[],:\"\\0123456789.eE+-tfn u/\x01\x1f\x7f\x80\xc3\xed\xf0\xff";
    switch (below(3)) {
    case 0: text[at] = bytes[below(sizeof bytes - 1)]; return len;
    case 1: memmove(text + at, text + at + 1, len - at - 1); return len - 1;
    default: memmove(text + at + 1, text + at, len - at - 1); return len;
    }
}

/* -- comparing -------------------------------------------------------------------------------- */

static bool means_same(const struct json *a, const struct json *b) {
    if (a->type != b->type || a->n != b->n) return false;
    switch (a->type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: return true;
    case JSON_NUMBER:
        if (a->is_integer && b->is_integer) return a->integer == b->integer;
        return a->is_integer == b->is_integer && json_double(a) == json_double(b);
    case JSON_STRING: return str_eq(a->text, b->text);
    case JSON_ARRAY:
        for (uint32_t i = 0; i < a->n; i++)
            if (!means_same(&a->items[i], &b->items[i])) return false;
        return true;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < a->n; i++) {
            if (!str_eq(a->members[i].key, b->members[i].key)) return false;
            if (!means_same(&a->members[i].value, &b->members[i].value)) return false;
        }
        return true;
    }
    return false;
}

static bool means_same_as_dump(const struct json *ours, const void *theirs, struct arena *arena) {
    char *dump = jansson.dump(theirs, COMPACT | ENCODE_ANY | REAL_PRECISION_17);
    assert_non_null(dump);
    const struct json *again = NULL;
    result r = json_read(str_of(dump), NULL, arena, &again, NULL);
    bool is_same = r.why == FAIL_NONE && means_same(ours, again);
    free(dump);
    return is_same;
}

static int n_accepted;

static void compare(struct str text) {
    struct arena arena;
    struct report report = {0};
    struct oracle_error error = {0};
    const struct json *ours = NULL;
    arena_init(&arena, 16 << 20);
    bool we_accept = json_read(text, NULL, &arena, &ours, &report).why == FAIL_NONE;
    void *theirs = jansson.load(text.ptr, text.len, REJECT_DUPLICATES | DECODE_ANY, &error);
    bool is_same =
        we_accept ? theirs != NULL && means_same_as_dump(ours, theirs, &arena) : theirs == NULL;
    /* Meant to differ: an integer beyond 64 bits is a number for us. */
    struct str said = str_of(error.text);
    bool is_big_integer = str_starts(said, STR("too big integer")) ||
                          str_starts(said, STR("too big negative integer"));
    if (!is_same && !is_big_integer) {
        print_error("%.*s\nours: %s\njansson: %s\n", STR_ARG(text),
                    we_accept ? "accepted" : report.sentence,
                    theirs == NULL ? error.text : "accepted");
        assert_true(is_same);
    }
    n_accepted += we_accept;
    if (theirs != NULL) jansson.delete(theirs);
    arena_deinit(&arena);
}

static void generated_texts(void **state) {
    (void)state;
    struct buf buf;
    buf_init(&buf, TEXT_MAX);
    for (seed = 1; seed <= ROUNDS; seed++) {
        uint64_t round = seed;
        char text[TEXT_MAX];
        size_t len = 0;
        buf_clear(&buf);
        add_value(&buf, 0);
        for (const struct buf_chunk *c = buf.first; c != NULL; c = c->next) {
            memcpy(text + len, c->bytes, c->len);
            len += c->len;
        }
        compare((struct str){text, spoil(text, len)});
        seed = round;
    }
    buf_deinit(&buf);
    assert_in_range(n_accepted, ROUNDS / 4, ROUNDS * 19 / 20); /* both roads were taken */
}

static void each_scalar(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(scalars); i++) {
        n_accepted = 0;
        compare(str_of(scalars[i]));
        assert_int_equal(n_accepted, i < GOOD_SCALARS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scalar),
        cmocka_unit_test(generated_texts),
    };
    return cmocka_run_group_tests(tests, open_jansson, close_jansson);
}
