/* One call, asked for, decided on by somebody else, used once. */
#include "policy/approval.h"
#include "base/fault.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;
static struct clock clock_now;
static struct store *store;
static struct report report;

static struct str boss_roles[] = {STR_INIT("mcp_admin")};
static struct str chief_roles[] = {STR_INIT("chief")};
static const struct principal ann = {.user_id = STR_INIT("ann"), .client_id = STR_INIT("bot")};
static const struct principal boss = {
    .user_id = STR_INIT("boss"), .roles = boss_roles, .n_roles = 1};
static const struct principal chief = {
    .user_id = STR_INIT("chief"), .roles = chief_roles, .n_roles = 1};
static const struct approval_settings settings = {.ttl_ms = 60000};

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 8 * MIB);
    clock_scripted(&clock_now, 1000000);
    report_clear(&report);
    struct store_settings memory = {.kind = STORE_MEMORY, .max_bytes = 64 * MIB};
    assert_int_equal(store_open(&memory, STR_NONE, &clock_now, &store, &report).why, FAIL_NONE);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    store_close(store);
    arena_deinit(&arena);
    return 0;
}

static struct approval_terms terms_of(const char *arguments) {
    const struct json *tree;
    assert_int_equal(json_read(str_of(arguments), NULL, &arena, &tree, &report).why, FAIL_NONE);
    return (struct approval_terms){.tool = STR("run"),
                                   .arguments = tree,
                                   .principal = &ann,
                                   .policy_version = STR("v1"),
                                   .cost_ceiling_bytes = 100,
                                   .rule = STR("rules.yaml#tools.run"),
                                   .reason = STR("it is dear")};
}

static struct approval request(const struct approval_terms *terms) {
    struct approval out;
    result r = approval_request(store, &clock_now, &settings, terms, &arena, &out, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return out;
}

static result decide(struct approval *approval, const struct principal *by, bool is_yes) {
    report_clear(&report);
    return approval_decide(store, &clock_now, &settings, approval, by, is_yes, STR("fine"), &arena,
                           &report);
}

static bool use(struct approval *approval) {
    bool is_ours;
    result r = approval_use(store, &clock_now, approval, &arena, &is_ours, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return is_ours;
}

static struct approval found(struct str id) {
    struct approval out;
    assert_int_equal(approval_find(store, id, &arena, &out, &report).why, FAIL_NONE);
    return out;
}

/* -- the life of one --------------------------------------------------------------------------- */

static void asked_twice_it_is_one_request(void **state) {
    (void)state;
    struct approval_terms terms = terms_of("{\"a\":1,\"b\":2}");
    struct approval_terms same = terms_of("{ \"b\" : 2, \"a\" : 1 }");
    struct approval first = request(&terms), second = request(&same);
    assert_true(str_eq(first.id, second.id));
    assert_int_equal(second.state, APPROVAL_PENDING);
    assert_true(str_eq(second.reason, STR("it is dear")));
    assert_true(str_eq(second.arguments, STR("{\"a\":1,\"b\":2}")));
    assert_int_equal(second.expires_ms, 1060000);
    assert_false(use(&second));
}

static void every_part_of_the_call_binds(void **state) {
    (void)state;
    static const struct principal other_user = {.user_id = STR_INIT("bob"),
                                                .client_id = STR_INIT("bot")};
    static const struct principal other_client = {.user_id = STR_INIT("ann"),
                                                  .client_id = STR_INIT("cli")};
    struct approval_terms all[7];
    for (size_t i = 0; i < COUNT(all); i++) all[i] = terms_of("{\"a\":1}");
    all[1].tool = STR("runs");
    all[2].arguments = terms_of("{\"a\":2}").arguments;
    all[3].principal = &other_user;
    all[4].principal = &other_client;
    all[5].policy_version = STR("v2");
    all[6].cost_ceiling_bytes = 101;
    struct str ids[COUNT(all)];
    for (size_t i = 0; i < COUNT(all); i++) {
        ids[i] = request(&all[i]).id;
        for (size_t j = 0; j < i; j++) assert_false(str_eq(ids[i], ids[j]));
    }
    struct approval first = found(ids[0]);
    assert_int_equal(decide(&first, &boss, true).why, FAIL_NONE);
    for (size_t i = 1; i < COUNT(all); i++)
        assert_int_equal(request(&all[i]).state, APPROVAL_PENDING);
    assert_int_equal(request(&all[0]).state, APPROVAL_APPROVED);
}

static void is_used_once(void **state) {
    (void)state;
    struct approval_terms terms = terms_of("{}");
    struct approval approval = request(&terms);
    assert_int_equal(decide(&approval, &boss, true).why, FAIL_NONE);
    assert_true(str_eq(approval.decided_by, STR("boss")));
    assert_true(str_eq(approval.note, STR("fine")));
    struct approval one = request(&terms), two = request(&terms);
    assert_int_equal(one.state, APPROVAL_APPROVED);
    assert_true(use(&one));
    assert_false(use(&two));
    struct approval anew = request(&terms);
    assert_int_equal(anew.state, APPROVAL_PENDING);
    assert_false(str_eq(anew.id, approval.id));
    assert_int_equal(anew.decided_by.len, 0);
    assert_int_equal(found(approval.id).state, APPROVAL_USED);
}

static void what_was_rejected_stays_so_until_it_is_over(void **state) {
    (void)state;
    struct approval_terms terms = terms_of("{}");
    struct approval approval = request(&terms);
    assert_int_equal(decide(&approval, &boss, false).why, FAIL_NONE);
    struct approval again = request(&terms);
    assert_int_equal(again.state, APPROVAL_REJECTED);
    assert_true(str_eq(again.id, approval.id));
    assert_false(use(&again));
    clock_move(&clock_now, 60000);
    assert_int_equal(request(&terms).state, APPROVAL_PENDING);
}

static void expires_approved_or_not(void **state) {
    (void)state;
    struct approval_terms terms = terms_of("{}");
    struct approval approval = request(&terms);
    clock_move(&clock_now, 50000);
    assert_int_equal(decide(&approval, &boss, true).why, FAIL_NONE);
    clock_move(&clock_now, 9999);
    assert_int_equal(found(approval.id).state, APPROVAL_APPROVED);
    clock_move(&clock_now, 1);
    struct approval none;
    assert_int_equal(approval_find(store, approval.id, &arena, &none, &report).why, FAIL_ABSENT);
    assert_false(use(&approval));
    assert_int_equal(request(&terms).state, APPROVAL_PENDING);
}

/* -- who decides ------------------------------------------------------------------------------- */

static void only_another_person_with_the_role_decides(void **state) {
    (void)state;
    static const struct principal own_boss = {
        .user_id = STR_INIT("ann"), .roles = boss_roles, .n_roles = 1};
    static const struct principal nameless = {.roles = boss_roles, .n_roles = 1};
    struct approval_terms terms = terms_of("{}");
    struct approval approval = request(&terms);
    const struct principal *refused[] = {&ann, &own_boss, &nameless, &chief};
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_int_equal(decide(&approval, refused[i], true).why, FAIL_DENIED);
        assert_string_equal(report.code, "APPROVAL_NOT_ALLOWED");
        assert_int_equal(found(approval.id).state, APPROVAL_PENDING);
    }
    assert_int_equal(decide(&approval, &boss, true).why, FAIL_NONE);
}

static void the_settings_name_the_roles(void **state) {
    (void)state;
    struct str chiefs[] = {STR("chief")};
    struct approval_settings of_chiefs = {.roles = {chiefs, 1, true}};
    struct approval_settings nobody = {.roles = {NULL, 0, true}};
    assert_true(approval_may_decide(&of_chiefs, &chief));
    assert_false(approval_may_decide(&of_chiefs, &boss));
    assert_false(approval_may_decide(&nobody, &boss));
    assert_true(approval_may_decide(&settings, &boss));
}

static void of_two_who_decide_one_is_first(void **state) {
    (void)state;
    struct approval_terms terms = terms_of("{}");
    struct approval one = request(&terms), two = one;
    assert_int_equal(decide(&one, &boss, false).why, FAIL_NONE);
    assert_int_equal(decide(&two, &boss, true).why, FAIL_DENIED);
    assert_string_equal(report.code, "APPROVAL_DECIDED");
    assert_int_equal(two.state, APPROVAL_REJECTED);
    assert_int_equal(found(one.id).state, APPROVAL_REJECTED);
}

/* -- lists and borders ------------------------------------------------------------------------- */

static void lists_the_living_newest_first(void **state) {
    (void)state;
    struct approval *list;
    size_t n;
    assert_int_equal(approval_list(store, &arena, &list, &n, &report).why, FAIL_NONE);
    assert_int_equal(n, 0);
    struct approval_terms old = terms_of("{\"n\":0}"), one = terms_of("{\"n\":1}"),
                          two = terms_of("{\"n\":2}");
    (void)request(&old);
    clock_move(&clock_now, 59999);
    struct approval first = request(&one), second = request(&two);
    clock_move(&clock_now, 1);
    assert_int_equal(approval_list(store, &arena, &list, &n, &report).why, FAIL_NONE);
    assert_int_equal(n, 2);
    assert_true(str_eq(list[0].id, second.id));
    assert_true(str_eq(list[1].id, first.id));
}

static void secrets_are_bound_but_not_shown(void **state) {
    (void)state;
    struct approval_terms terms = terms_of("{\"password\":\"hunter2\"}");
    struct approval_terms other = terms_of("{\"password\":\"hunter3\"}");
    struct approval approval = request(&terms);
    assert_true(str_eq(approval.arguments, STR("{\"password\":\"[redacted]\"}")));
    assert_false(str_eq(approval.id, request(&other).id));
}

static void what_cannot_be_seen_whole_is_not_asked_for(void **state) {
    (void)state;
    struct str text = str_printf(&arena, "{\"sql\":\"%0*d\"}", (int)APPROVAL_BYTES_MAX, 1);
    const char *large = str_cstr(&arena, text);
    struct approval_terms terms = terms_of(large);
    struct approval out;
    result r = approval_request(store, &clock_now, &settings, &terms, &arena, &out, &report);
    assert_int_equal(r.why, FAIL_LIMIT);
    assert_string_equal(report.code, "APPROVAL_TOO_LARGE");
}

static void ids_are_ours_or_nothing(void **state) {
    (void)state;
    static const char *const bad[] = {"", "x", "00000000000000000000000000000000",
                                      "../../../../../etc/passwd",
                                      "0000000000000000000000000000000g"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct approval out;
        report_clear(&report);
        result r = approval_find(store, str_of(bad[i]), &arena, &out, &report);
        assert_int_equal(r.why, FAIL_ABSENT);
        assert_string_equal(report.code, "APPROVAL_NOT_FOUND");
    }
}

static void every_failing_allocation_is_clean(void **state) {
    (void)state;
    struct approval_terms terms = terms_of("{\"a\":[1,2,{\"b\":\"c\"}]}");
    for (long n = 0;; n++) {
        struct arena small;
        struct approval out;
        bool is_ours = false;
        arena_init(&small, 8 * MIB);
        report_clear(&report);
        fault_set(n);
        result r = approval_request(store, &clock_now, &settings, &terms, &small, &out, &report);
        if (r.why == FAIL_NONE && out.state == APPROVAL_PENDING)
            r = approval_decide(store, &clock_now, &settings, &out, &boss, true, STR("y"), &small,
                                &report);
        if (r.why == FAIL_NONE)
            r = approval_use(store, &clock_now, &out, &small, &is_ours, &report);
        bool is_over = fault_unused();
        fault_off();
        assert_true(r.why != FAIL_NONE || is_ours);
        arena_deinit(&small);
        if (is_over) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asked_twice_it_is_one_request, setup, teardown),
        cmocka_unit_test_setup_teardown(every_part_of_the_call_binds, setup, teardown),
        cmocka_unit_test_setup_teardown(is_used_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_rejected_stays_so_until_it_is_over, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(expires_approved_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(only_another_person_with_the_role_decides, setup, teardown),
        cmocka_unit_test_setup_teardown(the_settings_name_the_roles, setup, teardown),
        cmocka_unit_test_setup_teardown(of_two_who_decide_one_is_first, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_the_living_newest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_are_bound_but_not_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_seen_whole_is_not_asked_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ids_are_ours_or_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(every_failing_allocation_is_clean, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
