/* Tokens that others know: introspection and Feishu, by a real server on loopback; what is kept of
 * their answers, and for how long. */
#include "asker.h"

#include "base/fault.h"
#include "identity/answers.h"

static void begin_introspection(void) {
    begin();
    settings.introspection.url = url("/introspect");
    assert_int_equal(load().why, FAIL_NONE);
}

static void begin_feishu(void) {
    begin();
    settings.feishu.is_enabled = true;
    settings.feishu.userinfo_url = url("/user_info");
    assert_int_equal(load().why, FAIL_NONE);
}

/* -- introspection ---------------------------------------------------------------------------- */

#define GOOD                                                                                       \
    "{\"active\":true,\"sub\":\"ann\",\"client_id\":\"ide\",\"scope\":\"a b\",\"exp\":1795166200," \
    "\"aud\":\"https://weir.example/mcp\",\"iss\":\"https://as.example\"}"
#define SAID(more)                                                                                 \
    "{\"active\":true,\"sub\":\"ann\",\"exp\":1795166200,"                                         \
    "\"aud\":[\"x\",\"https://weir.example/mcp\"]" more "}"

static void test_introspected(void **unused) {
    (void)unused;
    begin_introspection();
    issuer_says(200, GOOD);
    assert_int_equal(identify("opaque"), FAIL_NONE);
    assert_true(str_eq(who.user_id, STR("ann")));
    assert_true(str_eq(who.client_id, STR("ide")));
    assert_true(str_eq(who.name, STR("Ann")));
    assert_true(str_eq(who.auth_method, STR("introspection")));
    assert_true(str_starts(who.token_id, STR("tok_")));
    assert_true(principal_has_role(&who, STR("reader")));
    assert_int_equal(who.n_roles, 1);
    assert_true(who.scopes.is_set);
    assert_int_equal(who.scopes.n, 2);
    assert_true(str_eq(who.scopes.items[1], STR("b")));
    end();
}

static void test_introspection_verdicts(void **unused) {
    static const struct {
        int status;
        const char *says, *code; /* NULL: accepted */
    } cases[] = {
        {200, SAID(""), NULL},
        {200, SAID(",\"nbf\":1795166000"), NULL},
        {200, "{\"active\":false}", "AUTH_INVALID_TOKEN"},
        {200, "{\"active\":false,\"sub\":\"ann\"}", "AUTH_INVALID_TOKEN"},
        {200, SAID(",\"nbf\":1795166101"), "AUTH_INVALID_TOKEN"},
        {200, SAID(",\"cnf\":{}"), "AUTH_INVALID_TOKEN"},
        {200, SAID(",\"scope\":1"), "AUTH_INVALID_TOKEN"},
        {200, "{\"active\":true,\"sub\":\"ann\",\"aud\":\"https://weir.example/mcp\"}",
         "AUTH_INVALID_TOKEN"}, /* no exp */
        {200, "{\"active\":true,\"sub\":\"ann\",\"exp\":1795166200}", "AUTH_INVALID_TOKEN"},
        {200, "{\"active\":true,\"sub\":\"ann\",\"exp\":1795166200,\"aud\":\"https://other/mcp\"}",
         "AUTH_INVALID_TOKEN"},
        {200,
         "{\"active\":true,\"sub\":\"ann\",\"exp\":1795166100,\"aud\":\"https://weir.example/"
         "mcp\"}",
         "AUTH_INVALID_TOKEN"}, /* over */
        {200,
         "{\"active\":true,\"sub\":\"bob\",\"exp\":1795166200,\"aud\":\"https://weir.example/"
         "mcp\"}",
         "AUTH_INVALID_TOKEN"}, /* nobody */
        {200, "{\"active\":true,\"exp\":1795166200,\"aud\":\"https://weir.example/mcp\"}",
         "AUTH_INVALID_TOKEN"},
        {200, "{}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":\"true\"}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":1}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":false,\"active\":true}", "ISSUER_UNAVAILABLE"},
        {200, "[]", "ISSUER_UNAVAILABLE"},
        {200, "", "ISSUER_UNAVAILABLE"},
        {200, "<html>", "ISSUER_UNAVAILABLE"},
        {201, GOOD, "ISSUER_UNAVAILABLE"},
        {401, "{\"error\":\"invalid_client\"}", "ISSUER_UNAVAILABLE"},
        {403, GOOD, "ISSUER_UNAVAILABLE"},
        {500, GOOD, "ISSUER_UNAVAILABLE"},
        {302, GOOD, "ISSUER_UNAVAILABLE"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin_introspection();
        issuer_says(cases[i].status, cases[i].says);
        enum fail why = identify("opaque");
        bool is_right = cases[i].code == NULL
                            ? why == FAIL_NONE
                            : why != FAIL_NONE && strcmp(report.code, cases[i].code) == 0;
        if (!is_right) fail_msg("%zu: %s: %s", i, cases[i].says, report.sentence);
        if (why != FAIL_NONE) assert_int_equal(who.user_id.len, 0);
        assert_int_equal(issuer.n_asked, 1);
        end();
    }
}

static struct option_list list(struct str *items, size_t n) {
    return (struct option_list){items, n, true};
}

static void test_introspection_settings(void **unused) {
    struct str other = STR("https://other/mcp"), as = STR("https://as.example"), b = STR("b");
    struct str client = STR("client_id"), role_claim = STR("/realm/roles");
    (void)unused;
    begin_introspection();
    settings.introspection.audiences = list(&other, 1);
    settings.introspection.issuers = list(&as, 1);
    settings.introspection.scopes = list(&b, 1);
    settings.introspection.user_claims = list(&client, 1);
    settings.introspection.role_claims = list(&role_claim, 1);
    settings.introspection.unknown_users = ISSUER_UNKNOWN_ACCEPT;
    assert_int_equal(load().why, FAIL_NONE);
    issuer_says(200, "{\"active\":true,\"client_id\":\"robot\",\"exp\":1795166200,\"scope\":\"b\","
                     "\"aud\":\"https://other/mcp\",\"iss\":\"https://as.example\","
                     "\"realm\":{\"roles\":[\"writer\",7,\"writer\"]}}");
    assert_int_equal(identify("one"), FAIL_NONE);
    assert_true(str_eq(who.user_id, STR("robot")));
    assert_true(principal_has_role(&who, STR("writer")));
    assert_int_equal(who.n_roles, 1);
    issuer_says(200, SAID(",\"iss\":\"https://as.example\""));
    assert_int_equal(identify("without-the-scope"), FAIL_DENIED);
    assert_string_equal(report.code, "INSUFFICIENT_SCOPE");
    issuer_says(200, SAID(",\"iss\":\"https://evil.example\",\"scope\":\"b\""));
    assert_int_equal(identify("of-another"), FAIL_DENIED);
    end();
}

/* What goes over: the token in the form, our secret where it belongs, both encoded. */
static void test_introspection_request(void **unused) {
    (void)unused;
    begin_introspection();
    issuer_says(200, GOOD);
    assert_int_equal(identify("a+b/c=&x"), FAIL_NONE);
    assert_non_null(strstr(issuer.asked, "POST /introspect\n"));
    assert_non_null(strstr(issuer.asked, "Content-Type: application/x-www-form-urlencoded\n"));
    assert_null(strstr(issuer.asked, "Authorization"));
    assert_non_null(strstr(issuer.asked, "\ntoken=a%2Bb%2Fc%3D%26x&token_type_hint=access_token"));
    settings.introspection.client_id = STR("we:ir");
    settings.introspection.client_secret = STR("p w=");
    assert_int_equal(load().why, FAIL_NONE);
    assert_int_equal(identify("t"), FAIL_NONE); /* other settings: asked once more */
    assert_non_null(strstr(issuer.asked, "Authorization: Basic d2UlM0FpcjpwJTIwdyUzRA==\n"));
    assert_null(strstr(issuer.asked, "client_secret"));
    settings.introspection.client_auth = INTROSPECTION_POST;
    settings.introspection.client_id = STR("weir");
    assert_int_equal(load().why, FAIL_NONE);
    assert_int_equal(identify("t"), FAIL_NONE);
    assert_non_null(strstr(issuer.asked, "&client_id=weir&client_secret=p%20w%3D"));
    assert_null(strstr(issuer.asked, "Authorization"));
    end();
}

static void test_load(void **unused) {
    static const struct {
        const char *url, *resource, *id, *secret, *complaint;
    } cases[] = {
        {"https://as.example/i", "https://weir.example/mcp", "a", "b", NULL},
        {"https://as.example/i?x=1", "https://weir.example/mcp", "", "", NULL},
        {"http://127.0.0.1:1/i", "https://weir.example/mcp", "", "", NULL},
        {"http://as.example/i", "https://weir.example/mcp", "", "", "url must be"},
        {"https://user:pass@as.example/i", "https://weir.example/mcp", "", "", "url must be"},
        {"as.example", "https://weir.example/mcp", "", "", "url must be"},
        {"https://as.example/i", "", "", "", "no audience"},
        {"https://as.example/i", "https://weir.example/mcp", "a", "", "belong together"},
        {"https://as.example/i", "https://weir.example/mcp", "", "hidden", "belong together"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        settings.introspection.url = str_of(cases[i].url);
        settings.introspection.client_id = str_of(cases[i].id);
        settings.introspection.client_secret = str_of(cases[i].secret);
        settings.resource = str_of(cases[i].resource);
        bool is_good = load().why == FAIL_NONE;
        if (is_good != (cases[i].complaint == NULL)) fail_msg("%zu", i);
        if (!is_good) {
            const char *text =
                str_cstr(&arena, problem_print(&problems.items[problems.n - 1], &arena));
            assert_non_null(strstr(text, cases[i].complaint));
            assert_null(strstr(text, "hidden"));
            assert_null(strstr(text, "pass"));
        }
        end();
    }
}

/* -- what is kept ----------------------------------------------------------------------------- */

static void test_kept(void **unused) {
    (void)unused;
    begin_introspection();
    issuer_says(200, GOOD);
    assert_int_equal(look("t"), FAIL_WAIT);
    assert_null(report.code);
    assert_int_equal(issuer.n_asked, 0);
    assert_int_equal(identify("t"), FAIL_NONE);
    assert_int_equal(look("t"), FAIL_NONE); /* on the loop now */
    assert_true(str_eq(who.user_id, STR("ann")));
    clock_move(&clock_now, 59999);
    assert_int_equal(look("t"), FAIL_NONE);
    clock_move(&clock_now, 1);
    assert_int_equal(look("t"), FAIL_WAIT);
    assert_int_equal(identify("t"), FAIL_NONE);
    assert_int_equal(issuer.n_asked, 2);
    clock_move(&clock_now, 40000); /* 100 s: the token ends, though its answer was kept for 60 */
    assert_int_equal(look("t"), FAIL_WAIT);
    assert_int_equal(look("another"), FAIL_WAIT);
    end();
}

/* An answer is judged by the clock of the call and not by that of the question. */
static void test_ends_while_kept(void **unused) {
    (void)unused;
    begin_introspection();
    settings.introspection.clock_skew_ms = 0;
    issuer_says(200, SAID(",\"nbf\":1795166000"));
    assert_int_equal(identify("t"), FAIL_NONE);
    clock_move(&clock_now, -200000); /* somebody sets the wall clock back: before nbf */
    assert_int_equal(look("t"), FAIL_DENIED);
    end();
}

static void test_not_kept(void **unused) {
    (void)unused;
    begin();
    settings.introspection.url = url("/introspect");
    settings.introspection.cache_ms = 0;
    assert_int_equal(load().why, FAIL_NONE);
    issuer_says(200, GOOD);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(look("t"), FAIL_WAIT);
        assert_int_equal(identify("t"), FAIL_NONE);
        assert_int_equal(issuer.n_asked, i);
    }
    end();
}

static void test_a_no_is_short(void **unused) {
    (void)unused;
    begin_introspection();
    issuer_says(200, "{\"active\":false}");
    assert_int_equal(identify("t"), FAIL_DENIED);
    assert_int_equal(look("t"), FAIL_DENIED);
    assert_string_equal(report.code, "AUTH_INVALID_TOKEN");
    issuer_says(200, GOOD);
    clock_move(&clock_now, ANSWERS_UNKNOWN_MS - 1);
    assert_int_equal(identify("t"), FAIL_DENIED);
    clock_move(&clock_now, 1);
    assert_int_equal(identify("t"), FAIL_NONE);
    assert_int_equal(issuer.n_asked, 2);
    end();
}

/* One that does not answer is not asked again at once, whoever comes; what is kept stays good. */
static void test_left_alone(void **unused) {
    (void)unused;
    begin_introspection();
    issuer_says(200, GOOD);
    assert_int_equal(identify("known"), FAIL_NONE);
    issuer_says(500, "");
    assert_int_equal(identify("t"), FAIL_IO);
    assert_string_equal(report.code, "ISSUER_UNAVAILABLE");
    assert_int_equal(look("t"), FAIL_IO); /* at once, on the loop */
    assert_int_equal(look("another"), FAIL_IO);
    assert_int_equal(look("known"), FAIL_NONE);
    assert_int_equal(issuer.n_asked, 2);
    clock_move(&clock_now, ANSWERS_FAILED_MS);
    issuer_says(200, GOOD);
    assert_int_equal(identify("t"), FAIL_NONE);
    end();
}

static void test_slow(void **unused) {
    (void)unused;
    begin();
    settings.introspection.url = url("/introspect");
    settings.introspection.timeout_ms = 50;
    assert_int_equal(load().why, FAIL_NONE);
    issuer_says(200, GOOD);
    issuer.holds = true;
    assert_int_equal(identify("t"), FAIL_IO);
    assert_string_equal(report.code, "ISSUER_UNAVAILABLE");
    assert_null(strstr(report.sentence, "127.0.0.1")); /* the caller learns of no machine of ours */
    issuer_release();
    end();
}

/* Tokens of auth.yaml are shown to nobody. */
static void test_ours_first(void **unused) {
    (void)unused;
    begin_introspection();
    assert_int_equal(look("ours-and-nobody-elses"), FAIL_NONE);
    assert_true(str_eq(who.user_id, STR("carl")));
    assert_int_equal(issuer.n_asked, 0);
    end();
}

static void test_off(void **unused) {
    (void)unused;
    begin();
    assert_int_equal(load().why, FAIL_NONE);
    assert_int_equal(look("t"), FAIL_DENIED); /* nobody else is configured: decided at once */
    end();
}

/* -- many at once ----------------------------------------------------------------------------- */

enum { CROWD = 8 };

static void *come(void *arg) {
    struct arena of_call;
    struct principal principal;
    arena_init(&of_call, (size_t)MIB);
    *(enum fail *)arg = identify_by(&of_call, true, &principal, NULL);
    arena_deinit(&of_call);
    return NULL;
}

/* One goes, the others get what he brings, be it good, bad or nothing. */
static void one_asks(int status, const char *says, enum fail expected) {
    pthread_t threads[CROWD];
    enum fail why[CROWD];
    begin_introspection();
    issuer_says(status, says);
    issuer.holds = true;
    snprintf(token_header, sizeof token_header, "Bearer crowd");
    assert_int_equal(pthread_create(&threads[0], NULL, come, &why[0]), 0);
    pthread_mutex_lock(&issuer.lock);
    while (issuer.n_asked == 0) pthread_cond_wait(&issuer.changed, &issuer.lock);
    pthread_mutex_unlock(&issuer.lock);
    for (int i = 1; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come, &why[i]), 0);
    assert_int_equal(identify_by(&arena, false, &who, NULL), FAIL_WAIT);
    issuer_release();
    for (int i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(why[i], expected);
    }
    assert_int_equal(issuer.n_asked, 1);
    end();
}

static void test_one_asks(void **unused) {
    (void)unused;
    one_asks(200, GOOD, FAIL_NONE);
    one_asks(200, "{\"active\":false}", FAIL_DENIED);
    one_asks(500, "", FAIL_IO);
}

/* -- room ------------------------------------------------------------------------------------- */

static int n_told;

static result tell(const struct identifying *asker, struct str credential, struct answer *out,
                   struct report *told) {
    (void)asker;
    (void)told;
    n_told++;
    bool is_known = str_starts(credential, STR("yes"));
    *out = (struct answer){is_known ? credential : STR_NONE, 60000};
    return OK;
}

static struct str ask_for(const char *word, int number) {
    struct arena of_call;
    char credential[32];
    struct str text;
    struct origin origin = {.may_wait = true};
    arena_init(&of_call, (size_t)(64 * KIB));
    struct identifying asker = {identity, state, &origin, &of_call};
    snprintf(credential, sizeof credential, "%s%d", word, number);
    struct answers_question question = {"test", STR("issuer"), str_of(credential), tell};
    assert_int_equal(answers_get(&asker, &question, &text, NULL).why, FAIL_NONE);
    if (text.ptr != NULL) text = str_dup(&arena, text);
    arena_deinit(&of_call);
    return text;
}

/* Strangers push out strangers, and nobody who is known. */
static void test_room(void **unused) {
    (void)unused;
    begin();
    n_told = 0;
    for (int i = 0; i < 100; i++) assert_true(str_starts(ask_for("yes", i), STR("yes")));
    for (int i = 0; i < ANSWERS_UNKNOWN_MAX + 10; i++) assert_null(ask_for("no", i).ptr);
    int before = n_told;
    for (int i = 0; i < 100; i++) ask_for("yes", i);
    ask_for("no", ANSWERS_UNKNOWN_MAX);
    assert_int_equal(n_told, before);
    ask_for("no", 0); /* the oldest are gone */
    assert_int_equal(n_told, before + 1);
    for (int i = 0; i < ANSWERS_KNOWN_MAX - 1; i++) ask_for("yes more", i);
    before = n_told;
    ask_for("yes", 99); /* was used last: it is there */
    assert_int_equal(n_told, before);
    ask_for("yes", 0);
    assert_int_equal(n_told, before + 1);
    end();
}

/* -- Feishu ----------------------------------------------------------------------------------- */

static void test_feishu(void **unused) {
    static const struct {
        int status;
        const char *says, *code; /* NULL: ann */
    } cases[] = {
        {200, "{\"code\":0,\"msg\":\"success\",\"data\":{\"open_id\":\"ou_ann\",\"name\":\"A\"}}",
         NULL},
        {200, "{\"code\":0,\"data\":{\"open_id\":\"ou_bob\"}}", "AUTH_INVALID_TOKEN"},
        {200, "{\"code\":0,\"data\":{\"open_id\":\"\"}}", "ISSUER_UNAVAILABLE"},
        {200, "{\"code\":0,\"data\":{\"user_id\":\"ou_ann\"}}", "ISSUER_UNAVAILABLE"},
        {200, "{\"code\":0}", "ISSUER_UNAVAILABLE"},
        {200, "{\"code\":\"0\",\"data\":{\"open_id\":\"ou_ann\"}}", "ISSUER_UNAVAILABLE"},
        {200, "{\"data\":{\"open_id\":\"ou_ann\"}}", "ISSUER_UNAVAILABLE"},
        {200, "{\"code\":20005,\"data\":{\"open_id\":\"ou_ann\"}}", "AUTH_INVALID_TOKEN"},
        {400, "{\"code\":99991668,\"msg\":\"Invalid access token\"}", "AUTH_INVALID_TOKEN"},
        {401, "{\"code\":0,\"data\":{\"open_id\":\"ou_ann\"}}", "AUTH_INVALID_TOKEN"},
        {429, "{\"code\":99991400}", "ISSUER_UNAVAILABLE"},
        {500, "{\"code\":0,\"data\":{\"open_id\":\"ou_ann\"}}", "ISSUER_UNAVAILABLE"},
        {200, "", "ISSUER_UNAVAILABLE"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin_feishu();
        issuer_says(cases[i].status, cases[i].says);
        enum fail why = identify("u-token");
        bool is_right = cases[i].code == NULL
                            ? why == FAIL_NONE && str_eq(who.user_id, STR("ann"))
                            : why != FAIL_NONE && strcmp(report.code, cases[i].code) == 0;
        if (!is_right) fail_msg("%zu: %s: %s", i, cases[i].says, report.sentence);
        assert_non_null(strstr(issuer.asked, "GET /user_info\n"));
        assert_non_null(strstr(issuer.asked, "Authorization: Bearer u-token\n"));
        if (why == FAIL_NONE) {
            assert_true(str_eq(who.auth_method, STR("feishu")));
            assert_true(principal_has_role(&who, STR("reader")));
            assert_true(who.scopes.is_set);
        }
        end();
    }
}

static void test_feishu_load(void **unused) {
    (void)unused;
    begin();
    settings.feishu.is_enabled = true;
    assert_int_equal(load().why, FAIL_CONFIG); /* whom to ask is not said */
    settings.feishu.userinfo_url = STR("http://feishu.example/");
    assert_int_equal(load().why, FAIL_CONFIG);
    settings.feishu.is_enabled = false;
    assert_int_equal(load().why, FAIL_NONE);
    end();
}

/* -- want ------------------------------------------------------------------------------------- */

/* Whatever fails, nobody comes in, and the next time all is well. */
static void test_faults(void **unused) {
    long n = 0;
    (void)unused;
    begin_introspection();
    settings.introspection.client_id = settings.introspection.client_secret = STR("weir");
    settings.feishu.is_enabled = true;
    settings.feishu.userinfo_url = url("/user_info");
    assert_int_equal(load().why, FAIL_NONE);
    issuer_says(200, GOOD);
    for (;; n++) {
        struct arena of_call;
        struct identity_state *fresh = state;
        assert_int_equal(identity_state_new(NULL, &clock_now, &state, NULL).why, FAIL_NONE);
        snprintf(token_header, sizeof token_header, "Bearer t");
        arena_init(&of_call, (size_t)MIB);
        report_clear(&report);
        fault_set(n);
        enum fail why = identify_by(&of_call, true, &who, &report);
        bool is_unused = fault_unused();
        fault_off();
        if (is_unused) assert_int_equal(why, FAIL_NONE);
        if (why != FAIL_NONE) assert_int_equal(who.user_id.len, 0);
        if (why != FAIL_NONE && why != FAIL_MEMORY) fail_msg("%ld: %s", n, report.sentence);
        arena_deinit(&of_call);
        identity_state_free(fresh);
        if (is_unused) break;
    }
    assert_true(n > 15);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_introspected),
        cmocka_unit_test(test_introspection_verdicts),
        cmocka_unit_test(test_introspection_settings),
        cmocka_unit_test(test_introspection_request),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_ends_while_kept),
        cmocka_unit_test(test_not_kept),
        cmocka_unit_test(test_a_no_is_short),
        cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_ours_first),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_one_asks),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_feishu),
        cmocka_unit_test(test_feishu_load),
        cmocka_unit_test(test_faults),
    };
    asker_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    far_end(&issuer.far);
    return failed;
}
