/* What did not fit a reply is kept whole or not at all, and read by its owner alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own */

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/store.h"
#include "text/yaml.h"
#include "tools/result.h"

#include <inttypes.h>
#include <stdio.h>

/* -- a house of one table ---------------------------------------------------------------------- */

static const char policy_text[] = "default_project: shop\n"
                                  "tables: {shop.orders: {row_policies: [{role: narrow, predicate: "
                                  "\"id > 1\"}]}}\n";
static const char roles_text[] = "roles:\n"
                                 "  all: {}\n"
                                 "  narrow: {}\n"
                                 "  lister: {allowed_tools: [list_allowed_tables]}\n";

static struct clock now;
static struct snapshot house;
static struct store *store;

static const struct yaml *yaml_of(const char *text) {
    const struct yaml *tree = NULL;
    struct report report = {0};
    assert_int_equal(yaml_read(str_of(text), STR("text"), NULL, &house.arena, &tree, &report).why,
                     FAIL_NONE);
    return tree;
}

static int open_house(void **state) {
    (void)state;
    struct problems problems;
    struct report report = {0};
    struct store_settings settings = {.kind = STORE_MEMORY, .max_bytes = 64 * MIB};
    log_threshold(LOG_OFF);
    clock_scripted(&now, INT64_C(1795166100123));
    house = (struct snapshot){.refs = 1};
    arena_init(&house.arena, 64 * MIB);
    problems_init(&problems, &house.arena);
    struct policy_sources sources = {.policy = yaml_of(policy_text),
                                     .enterprise = yaml_of(roles_text),
                                     .policy_name = STR("policy.yaml"),
                                     .enterprise_name = STR("enterprise.yaml"),
                                     .policy_text = STR("one")};
    assert_int_equal(policy_load(&sources, &house.arena, &problems, &house.policy).why, FAIL_NONE);
    assert_int_equal(store_open(&settings, STR_NONE, &now, &store, &report).why, FAIL_NONE);
    house.store = store;
    house.settings = (struct call_settings){
        .reply_max_bytes = MIB, .keep_ttl_ms = 60000, .keep_max_bytes = 4 * MIB};
    return 0;
}

static int close_house(void **state) {
    (void)state;
    store_close(store);
    arena_deinit(&house.arena);
    return 0;
}

/* -- calls ------------------------------------------------------------------------------------- */

static const struct str all_role = STR_INIT("all"), narrow_role = STR_INIT("narrow"),
                        lister_role = STR_INIT("lister");

/* NULL: no memory. */
static struct call *call_of(const char *user, const char *client, const struct str *role) {
    struct call *call = call_new(&house, &now);
    if (call == NULL) return NULL;
    call->principal = (struct principal){
        .user_id = str_of(user), .client_id = str_of(client), .roles = role, .n_roles = 1};
    call->tool_name = STR("run_select_sql");
    call->facts.guard.effect = GUARD_ALLOW;
    call->facts.recall.has_key = true;
    return call;
}

static const struct row_column one_column[] = {{STR_INIT("n"), STR_INIT("bigint")}};

/* The numbers from 0 on, each with `filler` behind it. */
static void fill(struct keep *keep, size_t n, size_t filler) {
    static char text[2 * KEEP_CHUNK_BYTES];
    memset(text, 'x', sizeof text);
    keep_init(keep, KEEP_BYTES_MAX, TEXT_EXACT, &now);
    keep_columns(keep, one_column, 1);
    for (size_t i = 0; i < n; i++) {
        struct buf one;
        buf_init(&one, sizeof text + 64);
        struct buf_mark mark = buf_mark(&one);
        buf_addf(&one, "%s[%zu,\"", i > 0 ? "," : "", i);
        buf_add(&one, (struct str){text, filler});
        buf_add(&one, STR("\"]"));
        keep_written(keep, &one, mark);
        buf_deinit(&one);
    }
}

struct page {
    result r;
    uint64_t first, n, n_next; /* n_next: where it goes on; 0: nowhere */
    const char *code;
    bool is_over; /* no step of it met the fault that was set */
};

static struct page read_page(struct call *call, struct str address) {
    struct page page = {.r = OK};
    struct buf out;
    struct json_writer w;
    const struct json *read = NULL;
    buf_init(&out, 4 * MIB);
    json_writer_init(&w, &out);
    json_object(&w);
    page.r = result_read(call, address, &w);
    page.is_over = fault_unused();
    fault_off();
    if (page.r.why == FAIL_NONE) json_object_end(&w);
    page.code = call->report.code;
    assert_false(call->facts.recall.has_key);
    if (page.r.why == FAIL_NONE && out.failed == FAIL_NONE) {
        struct str text = buf_copy(&out, &call->arena);
        static const struct json_limits own = {
            .bytes = SIZE_MAX, .members = UINT32_MAX, .string_bytes = MIB};
        assert_int_equal(json_read(text, &own, &call->arena, &read, &call->report).why, FAIL_NONE);
        const struct json *rows = json_get(read, STR("rows"));
        page.n = rows->n;
        if (rows->n > 0) page.first = (uint64_t)rows->items[0].items[0].integer;
        for (uint32_t i = 0; i < rows->n; i++)
            assert_int_equal(rows->items[i].items[0].integer, page.first + i);
        assert_int_equal(json_get(read, STR("row_count"))->integer, rows->n);
        struct str next = json_get_text(read, STR("next"));
        (void)str_cut(&next, '=');
        if (next.ptr != NULL) assert_true(str_to_u64(next, &page.n_next));
    }
    buf_deinit(&out);
    return page;
}

static struct str keep_some(struct call *call, size_t n, size_t filler, uint64_t n_shown) {
    struct keep keep;
    struct str address;
    fill(&keep, n, filler);
    bool is_kept = result_keep(call, &keep, n_shown, &address);
    assert_int_equal(is_kept, address.ptr != NULL);
    keep_deinit(&keep);
    return address;
}

/* -- tests ------------------------------------------------------------------------------------- */

struct size {
    size_t n, filler;
};
static const struct size sizes[] = {
    {1, 0},
    {2, 0},
    {1000, 3},
    {40000, 20},
    {100, KEEP_CHUNK_BYTES},
    {3, 2 * KEEP_CHUNK_BYTES},
    {50, KEEP_CHUNK_BYTES / 2 - 20},
};

static void is_read_on_to_its_end(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct call *call = call_of("ann", "", &all_role);
        struct str address = keep_some(call, sizes[i].n, sizes[i].filler, 0);
        uint64_t at = 0;
        assert_true(address.len > 0);
        for (bool more = true; more;) {
            struct call *reader = call_of("ann", "", &all_role);
            char text[128];
            snprintf(text, sizeof text, "%s?from=%" PRIu64, call->audit_id, at);
            struct page page = read_page(reader, str_of(text));
            assert_int_equal(page.r.why, FAIL_NONE);
            assert_true(page.n > 0 && page.first == at);
            at += page.n;
            more = page.n_next != 0;
            if (more) assert_int_equal(page.n_next, at);
            call_free(reader);
        }
        assert_int_equal(at, sizes[i].n);
        call_free(call);
    }
}

struct other {
    const char *user, *client;
    const struct str *role;
};
/* Another user, another client, other rows, no right to the tool: the call of who has the rights to
 * ask is answered like that for what never was. */
static const struct other others[] = {{"bob", "", &all_role},
                                      {"ann", "desk", &all_role},
                                      {"ann", "", &narrow_role},
                                      {"", "", &all_role}};

static void is_nobody_elses(void **state) {
    (void)state;
    struct call *call = call_of("ann", "", &all_role);
    struct str address = keep_some(call, 10, 0, 3);
    assert_true(str_starts(address, STR("weir://result/")) && str_ends(address, STR("?from=3")));
    for (size_t i = 0; i < COUNT(others); i++) {
        struct call *reader = call_of(others[i].user, others[i].client, others[i].role);
        struct page page = read_page(reader, address);
        assert_int_equal(page.r.why, FAIL_INPUT);
        assert_string_equal(page.code, "INVALID_ARGUMENT");
        assert_string_equal(reader->report.sentence, "there is no such result");
        call_free(reader);
    }
    assert_int_equal(read_page(call, address).n, 7);
    clock_move(&now, house.settings.keep_ttl_ms);
    assert_int_equal(read_page(call, address).r.why, FAIL_INPUT);
    assert_string_equal(call->report.sentence, "there is no such result");
    call_free(call);
}

static void is_not_kept_in_vain(void **state) {
    (void)state;
    struct call *call = call_of("ann", "", &all_role), *lister = call_of("eve", "", &lister_role);
    assert_null(keep_some(call, 3, 0, 3).ptr); /* all of them are shown */
    assert_null(keep_some(lister, 3, 0, 1).ptr);
    call->facts.guard.effect = GUARD_APPROVAL;
    assert_null(keep_some(call, 3, 0, 1).ptr);
    call->facts.guard.effect = GUARD_ALLOW;
    call->origin.is_program = true;
    assert_null(keep_some(call, 3, 0, 1).ptr);
    call->origin.is_program = false;
    house.settings.keep_ttl_ms = 0;
    assert_null(keep_some(call, 3, 0, 1).ptr);
    house.settings.keep_ttl_ms = 60000;
    house.store = NULL;
    assert_null(keep_some(call, 3, 0, 1).ptr);
    house.store = store;
    assert_true(keep_some(call, 3, 0, 1).len > 0);
    call_free(lister);
    call_free(call);
}

/* Who asks for more and more fills neither the store nor another's part of it. */
static void leaves_room_for_others(void **state) {
    (void)state;
    struct store_usage usage;
    struct report report = {0};
    size_t n_kept = 0;
    for (size_t i = 0; i < 20; i++) {
        struct call *call = call_of("max", "", &all_role);
        n_kept += keep_some(call, 40, KEEP_CHUNK_BYTES, 1).ptr != NULL;
        call_free(call);
    }
    assert_true(n_kept > 0 && n_kept < 20);
    assert_int_equal(store_usage(store, &usage, &report).why, FAIL_NONE);
    assert_true(usage.bytes <= usage.max_bytes / 2);
    clock_move(&now, house.settings.keep_ttl_ms);
    for (size_t i = 0; i < 100; i++) store_tick(store);
}

/* At whatever step memory ends: either the whole is kept, or nothing is claimed; and what is read
 * is what was kept, or a failure. */
static void lives_without_memory(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct call *call = call_of("ann", "", &all_role);
        struct keep keep;
        struct str address;
        fill(&keep, 10, KEEP_CHUNK_BYTES / 4);
        fault_set(n);
        bool is_kept = result_keep(call, &keep, 2, &address);
        bool is_over = fault_unused();
        fault_off();
        assert_int_equal(is_kept, address.ptr != NULL);
        assert_int_equal(call->report.why, FAIL_NONE);
        if (is_kept) assert_int_equal(read_page(call, address).n, 8);
        if (is_over) assert_true(is_kept);
        keep_deinit(&keep);
        call_free(call);
        if (is_over) break;
    }
    struct call *call = call_of("ann", "", &all_role);
    struct str address = keep_some(call, 10, KEEP_CHUNK_BYTES / 4, 2);
    for (long n = 0;; n++) {
        struct call *reader = call_of("ann", "", &all_role);
        fault_set(n);
        struct page page = read_page(reader, address);
        if (page.r.why == FAIL_NONE && page.n > 0) assert_int_equal(page.first, 2);
        assert_int_equal(page.r.why, reader->report.why);
        if (page.is_over) assert_int_equal(page.n, 8);
        call_free(reader);
        if (page.is_over) break;
    }
    call_free(call);
}

static const struct {
    const char *value;
    bool is_address;
} addresses[] = {
    {"01234567-89ab-cdef-0123-456789abcdef", true},
    {"01234567-89ab-cdef-0123-456789abcdef?from=0", true},
    {"weir://result/01234567-89ab-cdef-0123-456789abcdef?from=18446744073709551615", true},
    {"01234567-89ab-cdef-0123-456789abcdef?from=18446744073709551616", false},
    {"01234567-89ab-cdef-0123-456789abcdef?from=", false},
    {"01234567-89ab-cdef-0123-456789abcdef?from=-1", false},
    {"01234567-89ab-cdef-0123-456789abcdef?to=1", false},
    {"01234567-89ab-cdef-0123-456789abcdef?", false},
    {"01234567-89AB-cdef-0123-456789abcdef", false},
    {"0123456789ab-cdef-0123-456789abcdef-", false},
    {"01234567-89ab-cdef-0123-456789abcde", false},
    {"weir://table/01234567-89ab-cdef-0123-456789abcdef", false},
    {"", false},
};

static void knows_an_address(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++)
        assert_int_equal(result_is_address(str_of(addresses[i].value)), addresses[i].is_address);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_on_to_its_end), cmocka_unit_test(is_nobody_elses),
        cmocka_unit_test(is_not_kept_in_vain),   cmocka_unit_test(leaves_room_for_others),
        cmocka_unit_test(lives_without_memory),  cmocka_unit_test(knows_an_address),
    };
    return cmocka_run_group_tests(tests, open_house, close_house);
}
