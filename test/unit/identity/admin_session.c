/* Sessions of keepers: made here alone, bound to place and role, moved, and ended everywhere. */
#include "identity/admin_session.h"

#include "base/fault.h"
#include "base/limits.h"
#include "identity/provider.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1800000000000)
#define MINUTE INT64_C(60000)

static struct arena arena;
static struct clock now;
static struct store *store;
static struct identity_state *state;
static struct report report;
static struct admin_session_settings settings;
static struct admin_csrf_settings csrf;
static struct admin_sessions sessions;
static struct admin_session session;

static const char *const AUTH = "tokens:\n"
                                "  keeper-token: {user_id: ann, roles: [mcp_admin]}\n"
                                "  user-token: {user_id: ann2, roles: [analyst]}\n"
                                "  by-user-token: {user_id: bob}\n";
static const char *const ENTERPRISE =
    "users: {bob: {roles: [mcp_admin]}}\nroles: {analyst: {name: a}}\n";
static const struct admin_place HOME = {STR_INIT("127.0.0.1"), STR_INIT("127.0.0.1:8000"), false};

static const struct yaml *tree_of(const char *text) {
    const struct yaml *tree = NULL;
    assert_int_equal(yaml_read(str_of(text), STR("f"), NULL, &arena, &tree, &report).why,
                     FAIL_NONE);
    return tree;
}

static const struct identity *identity_with(const char *auth, const char *enterprise,
                                            bool auth_enabled) {
    struct identity_settings *kept = arena_new(&arena, struct identity_settings);
    struct problems problems;
    const struct identity *identity = NULL;
    *kept = (struct identity_settings){
        .require_auth = auth_enabled, .auth_enabled = auth_enabled, .dev_username = STR("ann")};
    struct identity_sources sources = {.settings = kept,
                                       .auth = tree_of(auth),
                                       .enterprise = tree_of(enterprise),
                                       .auth_name = STR("auth"),
                                       .enterprise_name = STR("ent"),
                                       .all_listeners_loopback = true};
    problems_init(&problems, &arena);
    assert_int_equal(identity_load(&sources, &arena, &problems, &identity).why, FAIL_NONE);
    return identity;
}

static const struct identity *usual(void) {
    return identity_with(AUTH, ENTERPRISE, true);
}

static int setup(void **with) {
    (void)with;
    arena_init(&arena, 1 << 26);
    clock_scripted(&now, NOW_MS);
    struct store_settings s = {.kind = STORE_MEMORY, .max_bytes = 1 << 22, .wait_ms = 1000};
    report_clear(&report);
    option_defaults(admin_session_options, &settings);
    option_defaults(admin_csrf_options, &csrf);
    if (store_open(&s, STR(""), &now, &store, &report).why != FAIL_NONE) return 1;
    if (identity_state_new(store, &now, &state, &report).why != FAIL_NONE) return 1;
    sessions = (struct admin_sessions){store, &now, &settings, &csrf};
    return 0;
}

static int teardown(void **with) {
    (void)with;
    identity_state_free(state);
    store_close(store);
    arena_deinit(&arena);
    return 0;
}

static struct str nothing(const void *with, struct str name) {
    (void)with;
    (void)name;
    return STR_NONE;
}

static result open_as(const struct identity *identity, const char *token, struct str old) {
    struct origin origin = {
        .kind = ORIGIN_HTTP, .header = nothing, .peer_is_loopback = true, .may_wait = true};
    report_clear(&report);
    return admin_session_open(&sessions, identity, state, &origin, str_of(token), &HOME, old,
                              &arena, &session, &report);
}

static struct str logged_in(void) {
    assert_int_equal(open_as(usual(), "keeper-token", STR_NONE).why, FAIL_NONE);
    assert_int_equal(session.id.len, 43);
    return session.id;
}

static result find_as(const struct identity *identity, struct str id,
                      const struct admin_place *place) {
    report_clear(&report);
    return admin_session_find(&sessions, identity, id, place, &arena, &session, &report);
}

static void assert_in(struct str id) {
    assert_int_equal(find_as(usual(), id, &HOME).why, FAIL_NONE);
    assert_true(principal_has_role(&session.principal, ROLE_ADMIN));
    assert_true(str_eq(session.principal.auth_method, STR("admin_session")));
}

static void assert_out(struct str id) {
    assert_int_equal(find_as(usual(), id, &HOME).why, FAIL_DENIED);
    assert_string_equal(report.code, "AUTH_REQUIRED");
    assert_string_equal(report.sentence, "there is no such session");
    assert_int_equal(session.principal.user_id.len, 0);
}

/* -- in --------------------------------------------------------------------------------------- */

static void test_login(void **with) {
    (void)with;
    struct str id = logged_in();
    struct str token = session.csrf;
    assert_in(id);
    assert_int_equal(session.id.len, 0); /* it did not move */
    assert_true(str_eq(session.csrf, token));
    assert_true(admin_session_is_csrf(&session, token));
    assert_false(admin_session_is_csrf(&session, STR("")));
    assert_false(admin_session_is_csrf(&session, id));
    assert_false(admin_session_is_csrf(&session, str_slice(token, 0, token.len - 1)));
    assert_int_equal(open_as(usual(), "by-user-token", STR_NONE).why, FAIL_NONE);
    assert_in(session.id);
}

static void test_who_is_no_keeper(void **with) {
    (void)with;
    static const char *const tokens[] = {"user-token", "nobody", "", "keeper-tokenx", "\xff"};
    for (size_t i = 0; i < COUNT(tokens); i++) {
        assert_int_equal(open_as(usual(), tokens[i], STR_NONE).why, FAIL_DENIED);
        assert_string_equal(report.code, "AUTH_INVALID_TOKEN");
    }
    /* Where authentication is off everybody is the development user, and still no keeper. */
    const struct identity *off = identity_with(AUTH, ENTERPRISE, false);
    assert_int_equal(open_as(off, "keeper-token", STR_NONE).why, FAIL_DENIED);
}

/* An id is drawn here; what somebody planted in the browser opens nothing, before or after. */
static void test_fixation(void **with) {
    (void)with;
    struct str planted = STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_out(planted);
    assert_int_equal(open_as(usual(), "keeper-token", planted).why, FAIL_NONE);
    assert_false(str_eq(session.id, planted));
    struct str id = session.id;
    assert_out(planted);
    assert_int_equal(open_as(usual(), "keeper-token", id).why, FAIL_NONE); /* logs in anew */
    assert_false(str_eq(session.id, id));
    assert_out(id);
}

static void test_ids_of_no_form(void **with) {
    (void)with;
    struct str id = logged_in();
    assert_out(STR_NONE);
    assert_out(STR(""));
    assert_out(str_slice(id, 0, 42));
    assert_out(str_printf(&arena, STR_FMT "A", STR_ARG(id)));
    assert_out(STR("../../../../../../../../../../etc/passwd...."));
    for (size_t i = 0; i < id.len; i += 7) {
        char bent[64];
        memcpy(bent, id.ptr, id.len);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        assert_out((struct str){bent, id.len});
    }
}

/* -- place and role --------------------------------------------------------------------------- */

static void test_stolen_cookie(void **with) {
    (void)with;
    struct str id = logged_in();
    const struct admin_place elsewhere[] = {{STR("10.0.0.7"), STR("127.0.0.1:8000"), false},
                                            {STR("127.0.0.1"), STR("127.0.0.1:8001"), false},
                                            {STR("127.0.0.1"), STR("localhost:8000"), false},
                                            {STR(""), STR(""), false}};
    for (size_t i = 0; i < COUNT(elsewhere); i++)
        assert_int_equal(find_as(usual(), id, &elsewhere[i]).why, FAIL_DENIED);
    assert_in(id); /* and its owner is not logged out by it */
}

static void test_ends_with_token_and_role(void **with) {
    (void)with;
    static const char *const without = "tokens: {user-token: {user_id: ann, roles: [mcp_admin]}}\n";
    struct str id = logged_in();
    assert_int_equal(find_as(identity_with(without, ENTERPRISE, true), id, &HOME).why, FAIL_DENIED);
    assert_out(id); /* for good */
    assert_int_equal(open_as(usual(), "by-user-token", STR_NONE).why, FAIL_NONE);
    id = session.id;
    const struct identity *demoted = identity_with(AUTH, "users: {bob: {roles: []}}\n", true);
    assert_int_equal(find_as(demoted, id, &HOME).why, FAIL_DENIED);
    assert_out(id);
}

/* -- time ------------------------------------------------------------------------------------- */

static void test_idle_and_lifetime(void **with) {
    (void)with;
    struct str id = logged_in();
    clock_move(&now, settings.idle_ms - 1);
    assert_in(id);
    id = session.id.len > 0 ? session.id : id;
    clock_move(&now, settings.idle_ms);
    assert_out(id);
    id = logged_in();
    for (int64_t used = 0; used < settings.lifetime_ms; used += 20 * MINUTE) {
        assert_in(id);
        if (session.id.len > 0) id = session.id;
        clock_move(&now, 20 * MINUTE);
    }
    assert_out(id);
}

static void test_moves(void **with) {
    (void)with;
    struct str first = logged_in(), token = session.csrf;
    clock_move(&now, ADMIN_ROTATE_MS);
    assert_in(first);
    struct str second = session.id;
    assert_int_equal(second.len, 43);
    assert_true(str_eq(session.csrf, token));
    assert_in(first); /* under way, and not moved once more */
    assert_int_equal(session.id.len, 0);
    assert_in(second);
    clock_move(&now, ADMIN_GRACE_MS);
    assert_out(first);
    assert_in(second);
}

static void test_csrf_time_limit(void **with) {
    (void)with;
    csrf.time_limit_ms = 10 * MINUTE;
    struct str id = logged_in(), token = session.csrf;
    clock_move(&now, 4 * MINUTE);
    assert_in(id);
    assert_true(admin_session_is_csrf(&session, token));
    clock_move(&now, 7 * MINUTE); /* over; and this look brings the next one */
    assert_in(id);
    assert_false(admin_session_is_csrf(&session, token));
    id = session.id;
    assert_in(id);
    assert_false(str_eq(session.csrf, token));
    assert_true(admin_session_is_csrf(&session, session.csrf));
}

static void test_logout(void **with) {
    (void)with;
    struct str id = logged_in();
    assert_int_equal(admin_session_end(&sessions, id, &arena, &report).why, FAIL_NONE);
    assert_out(id);
    assert_int_equal(admin_session_end(&sessions, id, &arena, &report).why, FAIL_NONE);
    assert_int_equal(admin_session_end(&sessions, STR("x"), &arena, &report).why, FAIL_NONE);
    for (int by_old = 0; by_old < 2; by_old++) { /* by either id of one that has moved */
        struct str first = logged_in();
        clock_move(&now, ADMIN_ROTATE_MS);
        assert_in(first);
        struct str second = session.id;
        struct str by = by_old ? first : second;
        assert_int_equal(admin_session_end(&sessions, by, &arena, &report).why, FAIL_NONE);
        assert_out(first);
        assert_out(second);
    }
}

/* -- cookies ---------------------------------------------------------------------------------- */

static const char *cookies[3];

static struct str cookie_of(const void *with, struct str name) {
    (void)with;
    return str_ieq(name, STR("Cookie")) ? str_of(cookies[0]) : STR_NONE;
}

static size_t count_of(const void *with, struct str name) {
    (void)with;
    (void)name;
    return cookies[0] == NULL ? 0 : cookies[1] == NULL ? 1 : 2;
}

static void test_cookie_texts(void **with) {
    (void)with;
    const struct admin_place far = {STR("10.0.0.7"), STR("weir.example.com"), true};
    const char *near_text = "weir_admin=x; Path=/admin; HttpOnly; SameSite=Strict";
    const char *far_text = "__Host-weir_admin=x; Path=/; HttpOnly; SameSite=Strict; Secure";
    const char *end_text = "weir_admin=; Path=/admin; HttpOnly; SameSite=Strict; Max-Age=0";
#define TEXT(id, place) str_cstr(&arena, admin_cookie_write(&sessions, STR(id), place, &arena))
    assert_string_equal(TEXT("x", &HOME), near_text);
    assert_string_equal(TEXT("x", &far), far_text);
    assert_string_equal(TEXT("", &HOME), end_text);
    settings.is_http_only = false; /* cannot be taken away */
    assert_string_equal(TEXT("x", &HOME), near_text);
#undef TEXT
    struct origin origin = {.header = cookie_of, .header_count = count_of};
    static const struct {
        const char *first, *second, *is; /* NULL: none */
    } rows[] = {
        {NULL, NULL, NULL},
        {"weir_admin=abc", NULL, "abc"},
        {"a=b; weir_admin=abc; c=d", NULL, "abc"},
        {"weir_admin=", NULL, ""},
        {"weir_admin=a=b", NULL, "a=b"},
        {"xweir_admin=abc; weir_adminx=abc; WEIR_ADMIN=abc; __Host-weir_admin=abc", NULL, NULL},
        {"weir_admin=abc; weir_admin=def", NULL, NULL}, /* two: one was planted */
        {"weir_admin=abc", "a=b", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        cookies[0] = rows[i].first;
        cookies[1] = rows[i].second;
        struct str is = admin_cookie_read(&sessions, &origin, &HOME, &arena);
        assert_int_equal(is.ptr == NULL, rows[i].is == NULL);
        if (rows[i].is != NULL) assert_true(str_eq(is, str_of(rows[i].is)));
    }
}

/* -- where it cannot be known ----------------------------------------------------------------- */

static void test_has_admin(void **with) {
    (void)with;
    assert_true(identity_has_admin(usual()));
    assert_true(identity_has_admin(identity_with("tokens: {}\n", ENTERPRISE, true)));
    assert_false(identity_has_admin(
        identity_with("tokens: {a: {user_id: u, roles: [analyst]}}\n", "users: {}\n", true)));
}

static void test_every_failure(void **with) {
    (void)with;
    const struct identity *identity = usual();
    sessions.store = NULL;
    assert_int_equal(open_as(identity, "keeper-token", STR_NONE).why, FAIL_IO);
    assert_string_equal(report.code, "STORE_UNAVAILABLE");
    sessions.store = store;
    for (long n = 0;; n++) {
        fault_set(n);
        result r = open_as(identity, "keeper-token", STR_NONE);
        struct str id = session.id;
        if (r.why == FAIL_NONE) {
            clock_move(&now, ADMIN_ROTATE_MS);
            r = find_as(identity, id, &HOME);
        }
        bool is_done = fault_unused();
        fault_off();
        if (is_done) {
            assert_int_equal(r.why, FAIL_NONE);
            break;
        }
        arena_reset(&arena);
        identity = usual();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_login),
        TEST(test_who_is_no_keeper),
        TEST(test_fixation),
        TEST(test_ids_of_no_form),
        TEST(test_stolen_cookie),
        TEST(test_ends_with_token_and_role),
        TEST(test_idle_and_lifetime),
        TEST(test_moves),
        TEST(test_csrf_time_limit),
        TEST(test_logout),
        TEST(test_cookie_texts),
        TEST(test_has_admin),
        TEST(test_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
