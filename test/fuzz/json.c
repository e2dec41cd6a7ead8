/* Any bytes: read or refused. What is read is UTF-8 and within the limits, and printed it is read
 * as the same once more; what is refused has told why and where. */
#include "text/json.h"
#include "fuzz.h"

static void check_same(const struct json *a, const struct json *b) {
    MUST(a->type == b->type && a->n == b->n);
    switch (a->type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: break;
    case JSON_NUMBER: {
        double x = json_double(a), y = json_double(b);
        MUST(str_eq(a->text, b->text) && a->is_integer == b->is_integer);
        MUST(a->integer == b->integer && x == y);
        break;
    }
    case JSON_STRING:
        MUST(utf8_valid(a->text) && str_find_byte(a->text, '\0') == a->text.len);
        MUST(str_eq(a->text, b->text));
        break;
    case JSON_ARRAY:
        for (uint32_t i = 0; i < a->n; i++) check_same(&a->items[i], &b->items[i]);
        break;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < a->n; i++) {
            struct str key = a->members[i].key;
            MUST(str_eq(key, b->members[i].key));
            if (a->n <= 64) MUST(json_get(a, key) == &a->members[i].value); /* no duplicates */
            check_same(&a->members[i].value, &b->members[i].value);
        }
        break;
    }
}

/* Every real that a number may stand for is printed so that it reads back the same. */
static void check_reals(const struct json *v, struct arena *arena) {
    if (v->type == JSON_ARRAY)
        for (uint32_t i = 0; i < v->n; i++) check_reals(&v->items[i], arena);
    if (v->type != JSON_NUMBER) return;
    struct buf buf;
    struct json_writer w;
    const struct json *back = NULL;
    buf_init(&buf, 64);
    json_writer_init(&w, &buf);
    json_real(&w, json_double(v));
    MUST(json_read(buf_flat(&buf, arena), NULL, arena, &back, NULL).why == FAIL_NONE);
    MUST(json_double(back) == json_double(v));
    buf_deinit(&buf);
}

static void check_accepted(struct str text, const struct json *value, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    const struct json *again = NULL, *raw = NULL;
    buf_init(&buf, 64 << 20);
    json_writer_init(&w, &buf);
    json_value(&w, value);
    MUST(buf.failed == FAIL_NONE);
    MUST(json_read(buf_flat(&buf, arena), NULL, arena, &again, NULL).why == FAIL_NONE);
    check_same(value, again);
    struct str source = json_raw(value);
    MUST(source.ptr >= text.ptr && source.ptr + source.len <= text.ptr + text.len);
    MUST(json_read(source, NULL, arena, &raw, NULL).why == FAIL_NONE);
    check_same(value, raw);
    check_reals(value, arena);
    buf_deinit(&buf);
}

/* Any bytes as a text of ours come out as a JSON string. */
static void check_escape(struct str bytes, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    const struct json *back = NULL;
    buf_init(&buf, 64 << 20);
    json_writer_init(&w, &buf);
    json_text(&w, bytes);
    bool has_nul = str_find_byte(bytes, '\0') < bytes.len;
    result r = json_read(buf_flat(&buf, arena), NULL, arena, &back, NULL);
    MUST((r.why == FAIL_NONE) == !has_nul);
    if (!has_nul && utf8_valid(bytes)) MUST(json_is_text(back, bytes));
    buf_deinit(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    struct arena arena;
    struct report report = {0};
    const struct json *value = NULL;
    if (size > 1 << 20) return 0;
    arena_init(&arena, 256 << 20);
    result r = json_read(text, NULL, &arena, &value, &report);
    MUST(r.why == report.why && (r.why == FAIL_NONE) == (value != NULL));
    if (r.why == FAIL_NONE)
        check_accepted(text, value, &arena);
    else
        MUST(r.why != FAIL_MEMORY && report.offset <= size && report.code != NULL);
    MUST(utf8_valid(str_of(report.sentence)) || !utf8_valid(text));
    check_escape(text, &arena);
    arena_deinit(&arena);
    return 0;
}
