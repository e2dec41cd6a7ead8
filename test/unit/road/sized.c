/* A reply is what its limits say: measured whole, cut where it can be, refused with advice. */
#include "rig.h"

#include "road/envelope.h"
#include "road/sized.h"
#include "shape/items.h"
#include "tools/tool.h"

static struct rig rig;

static int setup(void **state) {
    (void)state;
    rig_init(&rig);
    rig.snapshot->settings.size =
        (struct size_settings){.is_enabled = true, .warn_threshold_pct = 80};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rig_deinit(&rig);
    return 0;
}

static struct size_settings *limits(void) {
    return &rig.snapshot->settings.size;
}

/* The whole reply of a list, and what it costs. */
static const struct json *listed(uint64_t *tokens, uint64_t *bytes, bool *is_ok) {
    struct call *call = rig_call(&rig, NULL, "reader", "list_allowed_tables", NULL);
    call->origin.request_id = STR("1");
    const struct json *e = rig_walk(&rig, call);
    *tokens = token_estimate(json_raw(e));
    *bytes = call->reply.len;
    *is_ok = call_is_ok(call);
    call_free(call);
    return e;
}

/* -- the estimate of what stands around the data ------------------------------------------------
 */

/* If this fails since a member was added to the envelope: add it to FRAME in shape/room.c. */
static void knows_what_an_envelope_costs(void **state) {
    (void)state;
    static const struct str tables[] = {STR_INIT("shop.default.orders"),
                                        STR_INIT("shop.default.\"\xE2\x80\xAE\x01")};
    static const struct str columns[] = {STR_INIT("shop.default.orders.id"),
                                         STR_INIT("shop.default.orders.\xE6\x95\xB0")};
    static const struct tool tool = {.name = "run_select_sql"};
    for (size_t n = 0; n <= 2; n++) {
        struct call *call = rig_call(&rig, NULL, "reader", "run_select_sql", NULL);
        call->tool = &tool;
        limits()->token_limit = 100000;
        limits()->max_bytes = 1 << 20;
        call->facts.is_guarded = true;
        call->facts.row_count = 1000000000;
        call->facts.near_limit = (struct call_size){1000000000, 1000000000, "tokens"};
        call->facts.recall.is_hit = true;
        call->facts.guard = (struct guard_answer){.effect = GUARD_ALLOW,
                                                  .is_resolved = true,
                                                  .is_callers_limit = true,
                                                  .risk = RISK_CRITICAL,
                                                  .risk_flags = n == 0 ? 0 : 0x1FF,
                                                  .tables = {tables, n},
                                                  .columns = {columns, n},
                                                  .partitions = {columns, n}};
        struct rooms rooms = rooms_of_data(call);
        struct json_writer w;
        envelope_open(call, &w);
        json_object(&w);
        json_put_int(&w, STR("row_count"), 1000000000);
        json_put_bool(&w, STR("truncated"), false);
        json_object_end(&w);
        envelope_close(call, &w);
        uint64_t tokens = token_estimate(buf_flat(&call->reply, &call->arena));
        uint64_t told = 100000 - rooms.whole.tokens, told_bytes = (1 << 20) - rooms.whole.bytes;
        print_message("%zu names: %llu tokens, told %llu\n", n, (unsigned long long)tokens,
                      (unsigned long long)told);
        assert_true(told >= tokens && told <= tokens + 16 + 50 * n);
        assert_true(told_bytes >= call->reply.len);
        assert_true(rooms.cut.tokens < rooms.whole.tokens);
        call_free(call);
    }
}

/* -- limits -------------------------------------------------------------------------------------
 */

/* Property: below what the whole costs it is cut or refused, never larger than the limit. */
static void holds_every_limit(void **state) {
    (void)state;
    uint64_t whole, bytes, tokens, n;
    bool is_ok, was_cut = false, was_refused = false;
    (void)listed(&whole, &bytes, &is_ok);
    assert_true(is_ok);
    for (uint64_t limit = 1; limit < whole + 50; limit += 7) {
        limits()->token_limit = (int64_t)limit;
        const struct json *e = listed(&tokens, &n, &is_ok);
        const struct json *cut = json_at(e, STR("/data/cut"));
        if (!is_ok) {
            assert_string_equal(rig_text(e, "/error/code", &rig.arena), "REPLY_TOO_LARGE");
            assert_true(json_at(e, STR("/error/hint"))->text.len > 0);
            was_refused = true;
            continue;
        }
        assert_true(tokens <= limit);
        if (cut == NULL) continue;
        was_cut = true;
        assert_int_equal(json_get(cut, STR("known"))->integer, 2);
        assert_int_equal(json_get(cut, STR("shown"))->integer, json_at(e, STR("/data/tables"))->n);
        assert_true(json_is_true(json_at(e, STR("/metadata/truncated"))));
    }
    assert_true(was_refused);
    (void)was_cut; /* two tables cost less than what a cut has to say */
    limits()->token_limit = (int64_t)whole + 50;
    assert_true(json_is_true(json_get(listed(&tokens, &n, &is_ok), STR("ok"))));
}

static void warns_near_a_limit(void **state) {
    (void)state;
    uint64_t whole, bytes, tokens, n;
    bool is_ok;
    (void)listed(&whole, &bytes, &is_ok);
    static const struct {
        unsigned percent;
        bool warns;
    } cases[] = {{99, true}, {85, true}, {70, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        limits()->token_limit = (int64_t)((whole + 90) * 100 / cases[i].percent);
        limits()->warn_threshold_pct = 100 * ((int64_t)whole - 2) / limits()->token_limit;
        if (!cases[i].warns) limits()->warn_threshold_pct += 5;
        const struct json *e = listed(&tokens, &n, &is_ok);
        const struct json *near = json_at(e, STR("/metadata/near_limit"));
        assert_true(is_ok);
        assert_int_equal(near != NULL, cases[i].warns);
        if (near == NULL) continue;
        assert_int_equal(json_get(near, STR("limit"))->integer, limits()->token_limit);
        int64_t told = json_get(near, STR("tokens"))->integer;
        assert_true(told >= (int64_t)whole - 2 && told <= (int64_t)whole + 2);
    }
}

static void leaves_out_who_is_excluded(void **state) {
    (void)state;
    static struct str excluded[] = {STR_INIT("x"), STR_INIT("list_allowed_tables")};
    uint64_t tokens, bytes;
    bool is_ok;
    limits()->token_limit = 1;
    (void)listed(&tokens, &bytes, &is_ok);
    assert_false(is_ok);
    limits()->excluded_tools = (struct option_list){excluded, 1, true};
    (void)listed(&tokens, &bytes, &is_ok);
    assert_false(is_ok);
    limits()->excluded_tools = (struct option_list){excluded, 2, true};
    (void)listed(&tokens, &bytes, &is_ok);
    assert_true(is_ok);
    limits()->excluded_tools = (struct option_list){0};
    limits()->is_enabled = false;
    (void)listed(&tokens, &bytes, &is_ok);
    assert_true(is_ok);
    rig.snapshot->settings.reply_max_tokens = 1; /* the house's own, for every tool */
    (void)listed(&tokens, &bytes, &is_ok);
    assert_false(is_ok);
}

/* -- what cannot be cut -------------------------------------------------------------------------
 */

static result run_large(struct call *call, const void *input, struct json_writer *data) {
    static char text[4310];
    (void)call;
    (void)input;
    memset(text, 'x', sizeof text);
    json_object(data);
    json_put_text(data, STR("text"), (struct str){text, sizeof text});
    json_object_end(data);
    return OK;
}

static const struct field charts_fields[] = {
    {"page_size", FIELD_INT, 0, false, 1, 100, ""},
    {"select_columns", FIELD_TEXT_LIST, 0, false, 1, 9, ""},
    {"filters", FIELD_TEXT, 0, false, 1, 9, ""},
    {"search", FIELD_TEXT, 0, false, 1, 9, ""},
    {0}};
static const struct field sql_fields[] = {{"sql", FIELD_TEXT, 0, true, 1, 9, ""}, {0}};
static const struct field no_fields[] = {{0}};

static const struct {
    const struct field *input;
    const char *arguments, *hint;
} advices[] = {
    {charts_fields, "{\"page_size\":100}",
     "1. Reduce 'page_size' from 100 to 75 (need ~24% reduction) 2. Use 'select_columns' to ask "
     "only for the columns you need 3. Use 'filters' to narrow down the result 4. Use 'search' to "
     "find what you need instead of listing everything"},
    {charts_fields, "{\"filters\":\"x\"}",
     "1. Add 'page_size' (10 to 25 items) to reduce the reply by ~24% 2. Use 'select_columns' to "
     "ask only for the columns you need 3. Use 'search' to find what you need instead of listing "
     "everything"},
    {sql_fields, "{}", "1. Add a LIMIT clause, select fewer columns, or aggregate in the SQL"},
    {no_fields, "{}", "1. Ask for a smaller part of it"},
};

static void advises_by_what_the_tool_can_be_asked(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(advices); i++) {
        struct tool tool = {.name = "charts", .input = advices[i].input, .run = run_large};
        struct call *call = rig_call(&rig, NULL, "reader", "charts", advices[i].arguments);
        struct json_writer w;
        call->tool = &tool;
        limits()->token_limit = 1000;
        envelope_open(call, &w);
        assert_int_equal(tool.run(call, NULL, &w).why, FAIL_NONE);
        assert_int_equal(sized_close(call, &w).why, FAIL_LIMIT);
        assert_string_equal(call->report.code, "REPLY_TOO_LARGE");
        assert_non_null(strstr(call->report.sentence, "response too large: ~1,3"));
        assert_non_null(strstr(call->report.sentence, "tokens (limit: 1,000)"));
        assert_non_null(strstr(call->report.sentence, "reduction needed: ~24%"));
        assert_string_equal(call->report.hint, advices[i].hint);
        call_free(call);
    }
}

/* -- lists ---------------------------------------------------------------------------------------
 */

/* Property: for every limit the list is the longest that fits, and the envelope is whole. */
static void cuts_a_list_to_what_fits(void **state) {
    (void)state;
    enum { ITEMS = 60 };
    for (int64_t limit = 300; limit < 1500; limit += 23) {
        struct tool tool = {.name = "charts", .input = no_fields};
        struct call *call = rig_call(&rig, NULL, "reader", "charts", NULL);
        struct json_writer w;
        struct items items;
        call->tool = &tool;
        limits()->token_limit = limit;
        envelope_open(call, &w);
        json_object(&w);
        items_begin(&items, call, &w, STR("charts"));
        for (size_t i = 0; i < ITEMS; i++) {
            if (items_are_full(&items)) continue;
            json_text(&w, STR("a chart with a name of some length"));
            items_take(&items);
        }
        result r = items_end(&items, "charts", "Ask for fewer.");
        if (r.why == FAIL_NONE) {
            json_object_end(&w);
            assert_int_equal(sized_close(call, &w).why, FAIL_NONE);
            struct str text = buf_flat(&call->reply, &call->arena);
            const struct json *e = rig_json(&call->arena, text);
            assert_true(token_estimate(text) <= (uint64_t)limit);
            uint64_t shown = json_at(e, STR("/data/charts"))->n;
            assert_int_equal(items.fit.n_seen, ITEMS);
            assert_int_equal(json_at(e, STR("/data/cut")) != NULL, shown < ITEMS);
            assert_int_equal(call->facts.truncated, shown < ITEMS);
            /* Ten more of them would not have fitted. */
            if (shown < ITEMS) assert_true(token_estimate(text) + 10 * 11 + 60 > (uint64_t)limit);
        } else {
            assert_string_equal(call->report.code, "REPLY_TOO_LARGE");
        }
        call_free(call);
    }
}

static void keeps_at_most_so_many_of_a_cut_list(void **state) {
    (void)state;
    struct tool tool = {.name = "charts", .input = no_fields};
    struct call *call = rig_call(&rig, NULL, "reader", "charts", NULL);
    struct json_writer w;
    struct items items;
    call->tool = &tool;
    limits()->token_limit = 1500;
    limits()->max_list_items = 5;
    envelope_open(call, &w);
    json_object(&w);
    items_begin(&items, call, &w, STR("charts"));
    for (size_t i = 0; i < 1000; i++) {
        if (items_are_full(&items)) continue;
        json_text(&w, STR("a chart"));
        items_take(&items);
    }
    assert_int_equal(items_end(&items, "charts", "Ask for fewer.").why, FAIL_NONE);
    assert_int_equal(items.fit.now.n, 5);
    assert_int_equal(items.fit.n_seen, 1000);
    json_object_end(&w);
    assert_int_equal(sized_close(call, &w).why, FAIL_NONE);
    call_free(call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_what_an_envelope_costs, setup, teardown),
        cmocka_unit_test_setup_teardown(holds_every_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(warns_near_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_out_who_is_excluded, setup, teardown),
        cmocka_unit_test_setup_teardown(advises_by_what_the_tool_can_be_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(cuts_a_list_to_what_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_at_most_so_many_of_a_cut_list, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
