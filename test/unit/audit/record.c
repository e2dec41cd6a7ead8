#include "audit/record.h"

#include "room.h"

#include "audit/line.h"
#include "base/fault.h"
#include "base/limits.h"
#include "text/json.h"

/* The body with the brace that the seal would bring. */
static const struct json *parse(struct arena *arena, struct audit_block *block) {
    const struct json *out = NULL;
    struct report report = {0};
    assert_non_null(block);
    block->bytes[block->len] = '}';
    struct str text = str_dup(arena, (struct str){block->bytes, block->len + 1});
    assert_true(str_find_byte(text, '\n') == text.len);
    result r = json_read(text, NULL, arena, &out, &report);
    if (r.why != FAIL_NONE) print_error("%s: " STR_FMT "\n", report.sentence, STR_ARG(text));
    assert_int_equal(r.why, FAIL_NONE);
    audit_block_free(block);
    return out;
}

static void every_field_of_the_seed_is_there(void **state) {
    (void)state;
    static const char *const names[] = {
        "audit_id",       "request_id",   "timestamp",      "user_id",          "client_id",
        "session_id",     "source_ip",    "auth_method",    "token_id",         "tool_name",
        "outcome",        "latency_ms",   "request_params", "response_summary", "policy_decision",
        "deny_reason",    "error_code",   "error_message",  "method",           "rule",
        "policy_version", "policy_looks", "approval_id",    "sql_asked",        "sql_run",
        "backend",        "engine_us",    "engine_error",   "reply_bytes",      "from_cache",
        "station",        "repeated"};
    static const char *const summary[] = {"tables_used", "columns_used", "row_count", "truncated"};
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct audit_record record = {0};
    const struct json *json = parse(&arena, audit_block_make(&record));
    assert_int_equal(json->n, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_true(str_eq(json->members[i].key, str_of(names[i])));
    }
    const struct json *inner = json_get(json, STR("response_summary"));
    assert_int_equal(inner->n, COUNT(summary));
    for (size_t i = 0; i < COUNT(summary); i++) {
        assert_true(str_eq(inner->members[i].key, str_of(summary[i])));
    }
    assert_int_equal(json_get(json, STR("user_id"))->type, JSON_NULL);
    assert_int_equal(json_get(json, STR("request_params"))->type, JSON_NULL);
    arena_deinit(&arena);
}

static void values_come_back(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct audit_record record = room_record("id-1");
    record.truncated = true;
    record.error_code = "X";
    const struct json *json = parse(&arena, audit_block_make(&record));
    assert_true(json_is_text(json_get(json, STR("audit_id")), STR("id-1")));
    assert_true(json_is_text(json_get(json, STR("timestamp")), STR("2026-11-20T09:15:00.123Z")));
    assert_true(json_is_text(json_get(json, STR("sql_asked")), record.sql_asked));
    assert_true(json_is_text(json_get(json, STR("sql_run")), record.sql_run));
    assert_true(json_double(json_get(json, STR("latency_ms"))) == 1.5);
    assert_true(
        json_is_text(json_at(json, STR("/request_params/sql")), STR("SELECT \"a\" FROM t")));
    assert_int_equal(json_at(json, STR("/response_summary/row_count"))->integer, 1);
    assert_true(json_is_true(json_at(json, STR("/response_summary/truncated"))));
    assert_int_equal(json_get(json, STR("engine_us"))->integer, 150);
    assert_true(json_is_text(json_get(json, STR("error_code")), STR("X")));
    arena_deinit(&arena);
}

static void numbers_at_their_edges(void **state) {
    (void)state;
    static const struct {
        double ms;
        const char *text;
    } cases[] = {{0, "0.000"},      {0.0004, "0.000"},  {0.0006, "0.001"},       {0.999, "0.999"},
                 {0.9996, "1.000"}, {12.25, "12.250"},  {1e9, "1000000000.000"}, {-1, "null"},
                 {1e300, "null"},   {1.0 / 0.0, "null"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct audit_record record = {.latency_ms = cases[i].ms, .row_count = INT64_MAX};
        struct audit_block *block = audit_block_make(&record);
        struct str line = {block->bytes, block->len};
        assert_true(str_eq(audit_line_member(line, STR("latency_ms")), str_of(cases[i].text)));
        assert_true(str_find(line, STR("\"row_count\":9223372036854775807,")) < line.len);
        audit_block_free(block);
    }
}

/* Any bytes give one line of JSON; well-formed text comes back as it was. */
static void any_bytes_are_one_line(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 3000; round++) {
        struct arena arena;
        char bytes[80];
        arena_init(&arena, 1 << 20);
        size_t n = (size_t)round % sizeof bytes + 1;
        for (size_t i = 0; i < n; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            /* mostly letters, so that the fast path is walked from every offset */
            bytes[i] = (char)(seed % 4 == 0 ? seed >> 32 : 'a' + (seed >> 32) % 26);
        }
        struct str text = {bytes, n};
        struct audit_record record = {.error_message = text};
        const struct json *json = parse(&arena, audit_block_make(&record));
        struct str back = json_get_text(json, STR("error_message"));
        bool is_text = utf8_valid(text) && str_find_byte(text, '\0') == text.len;
        if (is_text)
            assert_true(str_eq(back, text));
        else
            assert_true(str_find(back, STR("\xEF\xBF\xBD")) < back.len);
        struct str escaped = audit_escape(&arena, text);
        assert_true(
            str_eq(str_slice(json_raw(json_get(json, STR("error_message"))), 1, escaped.len + 1),
                   escaped));
        arena_deinit(&arena);
    }
}

static void arguments_on_many_lines_stay_on_one(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct audit_record record = {.request_params_json = STR("{\n \"a\" :\n1\n}\n")};
    const struct json *json = parse(&arena, audit_block_make(&record));
    assert_int_equal(json_at(json, STR("/request_params/a"))->integer, 1);
    arena_deinit(&arena);
}

static void large_texts_and_too_large_ones(void **state) {
    (void)state;
    size_t n = 8 << 20;
    char *text = malloc(n);
    assert_non_null(text);
    memset(text, '"', n);
    struct audit_record record = {.user_id = {text, n / 4}};
    struct audit_block *block = audit_block_make(&record);
    assert_non_null(block);
    assert_true(block->len > n / 2 && block->cap >= block->len + AUDIT_SEAL_BYTES_MAX);
    audit_block_free(block);
    memset(text, 1, n); /* six bytes each */
    record = (struct audit_record){.sql_asked = {text, n}};
    assert_null(audit_block_make(&record));
    free(text);
}

static void memory_may_fail_anywhere(void **state) {
    (void)state;
    char quotes[4000];
    memset(quotes, '"', sizeof quotes);
    for (long n = 0;; n++) {
        struct audit_record record = {.user_id = {quotes, sizeof quotes}, .rule = {quotes, 4000}};
        fault_set(n);
        struct audit_block *block = audit_block_make(&record);
        bool is_done = fault_unused();
        fault_off();
        audit_block_free(block);
        if (is_done) {
            assert_true(n > 1);
            break;
        }
        assert_null(block);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_the_seed_is_there),
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(numbers_at_their_edges),
        cmocka_unit_test(any_bytes_are_one_line),
        cmocka_unit_test(arguments_on_many_lines_stay_on_one),
        cmocka_unit_test(large_texts_and_too_large_ones),
        cmocka_unit_test(memory_may_fail_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
