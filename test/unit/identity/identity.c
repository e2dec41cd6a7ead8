/* Who asks: tokens, users, the command line, the development user; every complaint of the loader.
 */
#include "identity/identity.h"

#include "base/fault.h"
#include "identity/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;
static struct problems problems;
static struct report report;

struct files {
    const char *auth, *local, *enterprise;
    bool no_auth, optional, public_listener; /* auth_enabled=false, require_auth=false, 0.0.0.0 */
    const char *dev;
};

static const struct yaml *tree_of(const char *text, const char *name) {
    const struct yaml *tree = NULL;
    if (text == NULL) return NULL;
    result r = yaml_read(str_of(text), str_of(name), NULL, &arena, &tree, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return tree;
}

static result load(const struct files *files, const struct identity **out) {
    struct identity_settings *settings = arena_new(&arena, struct identity_settings);
    assert_non_null(settings);
    *settings = (struct identity_settings){.require_auth = !files->optional,
                                           .auth_enabled = !files->no_auth,
                                           .dev_username = str_of(files->dev)};
    struct identity_sources sources = {
        .settings = settings,
        .auth = tree_of(files->auth, "auth"),
        .auth_local = tree_of(files->local, "local"),
        .enterprise = tree_of(files->enterprise, "ent"),
        .auth_name = STR("auth"),
        .auth_local_name = STR("local"),
        .enterprise_name = STR("ent"),
        .all_listeners_loopback = !files->public_listener,
    };
    problems_init(&problems, &arena);
    return identity_load(&sources, &arena, &problems, out);
}

static const struct identity *loaded(const struct files *files) {
    const struct identity *identity = NULL;
    assert_int_equal(load(files, &identity).why, FAIL_NONE);
    return identity;
}

static const char *complaints(void) {
    struct str all = STR("");
    for (size_t p = 0; p < problems.n; p++)
        all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), p > 0 ? "\n" : "",
                         STR_ARG(problem_print(&problems.items[p], &arena)));
    return str_cstr(&arena, all);
}

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 24);
    report_clear(&report);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

/* -- callers ---------------------------------------------------------------------------------- */

static struct str header_of(const void *with, struct str name) {
    return str_eq(name, STR("authorization")) ? str_of((const char *)with) : STR_NONE;
}

static result call_http(const struct identity *identity, const char *authorization, bool loopback,
                        struct principal *out) {
    struct origin origin = {.kind = ORIGIN_HTTP,
                            .header = header_of,
                            .with = authorization,
                            .peer_is_loopback = loopback};
    report_clear(&report);
    memset(out, 0x5a, sizeof *out);
    return identity_identify(identity, NULL, &origin, &arena, out, &report);
}

static result call_stdio(const struct identity *identity, const char *token,
                         struct principal *out) {
    struct origin origin = {.kind = ORIGIN_STDIO, .token = str_of(token)};
    report_clear(&report);
    return identity_identify(identity, NULL, &origin, &arena, out, &report);
}

static const char *const AUTH = "tokens:\n"
                                "  agent-sales-001:\n"
                                "    user_id: ann\n"
                                "    client_id: sales_bot\n"
                                "    allowed_toolsets: [warehouse]\n"
                                "    allowed_tools: [list_*, describe_table]\n"
                                "    allowed_projects: [Saky_DW_ODS]\n"
                                "    roles: [data_analyst]\n"
                                "    rate_limit: 100/minute\n"
                                "  admin-token:\n"
                                "    user_id: admin\n"
                                "    allowed_tools: []\n"
                                "    allowed_projects: []\n"
                                "    roles: [mcp_admin]\n";
static const char *const ENTERPRISE =
    "identity_providers:\n"
    "  wecom: {name: 企业微信, type: wecom, enabled: false, corp_id: c, user_id_field: X-W}\n"
    "roles: {data_analyst: {}, region_manager: {}}\n"
    "clients: {}\n"
    "users:\n"
    "  ann: {name: 安, roles: [region_manager, data_analyst], attributes: {region_codes: [华南, "
    "华东], "
    "level: 3}}\n"
    "  ann@corp.com: {name: Mail}\n";

static void a_token_is_its_principal(void **state) {
    (void)state;
    const struct identity *identity =
        loaded(&(struct files){.auth = AUTH, .enterprise = ENTERPRISE});
    assert_string_equal(
        complaints(), "auth:2:3: warning: the token of 'ann' stands here as plain text (write its "
                      "hash instead, as `weir token hash` prints it)\n"
                      "auth:10:3: warning: the token of 'admin' stands here as plain text (write "
                      "its hash instead, as `weir token hash` prints it)");
    struct principal p;
    assert_int_equal(call_http(identity, "Bearer agent-sales-001", false, &p).why, FAIL_NONE);
    assert_true(str_eq(p.user_id, STR("ann")));
    assert_true(str_eq(p.client_id, STR("sales_bot")));
    assert_true(str_eq(p.name, STR("安")));
    assert_true(str_eq(p.auth_method, STR("bearer_token")));
    assert_true(str_starts(p.token_id, STR("tok_")));
    assert_true(str_find(p.token_id, STR("agent")) == p.token_id.len);
    assert_int_equal(p.n_roles, 2);
    assert_true(principal_has_role(&p, STR("data_analyst")));
    assert_true(principal_has_role(&p, STR("region_manager")));
    assert_false(principal_has_role(&p, STR("Region_Manager")));
    assert_int_equal(principal_attribute(&p, STR("region_codes"))->n_values, 2);
    assert_true(str_eq(principal_attribute(&p, STR("level"))->values[0], STR("3")));
    assert_null(principal_attribute(&p, STR("absent")));
    assert_int_equal(p.rate_n, 100);
    assert_int_equal(p.rate_window_s, 60);
    assert_true(name_set_has(&p.allowed_projects, STR("saky_dw_ods")));
    assert_true(name_set_has(&p.allowed_toolsets, STR("warehouse")));
    assert_false(name_set_has(&p.allowed_toolsets, STR("ack")));
    assert_true(name_set_has(&p.allowed_tools, STR("list_allowed_tables")));
    assert_false(name_set_has(&p.allowed_tools, STR("run_select_sql")));
    assert_int_equal(call_stdio(identity, "admin-token", &p).why, FAIL_NONE);
    assert_true(p.allowed_tools.is_set);
    assert_int_equal(p.allowed_tools.n, 0);
    assert_int_equal(p.rate_n, 0);
}

struct knock {
    const char *authorization;
    const char *code; /* NULL: let in */
};

static void only_a_bearer_token_opens(void **state) {
    (void)state;
    static const struct knock knocks[] = {
        {"Bearer agent-sales-001", NULL},
        {"bearer   agent-sales-001  ", NULL},
        {NULL, "AUTH_REQUIRED"},
        {"", "AUTH_INVALID_TOKEN"},
        {"Bearer", "AUTH_INVALID_TOKEN"},
        {"Bearer ", "AUTH_INVALID_TOKEN"},
        {"Bearer agent-sales-002", "AUTH_INVALID_TOKEN"},
        {"Bearer agent-sales-001 x", "AUTH_INVALID_TOKEN"},
        {"Bearer AGENT-SALES-001", "AUTH_INVALID_TOKEN"},
        {"Beareragent-sales-001", "AUTH_INVALID_TOKEN"},
        {"Basic agent-sales-001", "AUTH_INVALID_TOKEN"},
        {"agent-sales-001", "AUTH_INVALID_TOKEN"},
        {"Bearer ${TOKEN}", "AUTH_INVALID_TOKEN"},
    };
    const struct identity *identity = loaded(&(struct files){.auth = AUTH});
    for (size_t i = 0; i < COUNT(knocks); i++) {
        struct principal p;
        result r = call_http(identity, knocks[i].authorization, true, &p);
        assert_int_equal(r.why, knocks[i].code == NULL ? FAIL_NONE : FAIL_DENIED);
        if (knocks[i].code == NULL) continue;
        assert_string_equal(report.code, knocks[i].code);
        assert_int_equal(p.user_id.len, 0);
    }
}

static void a_hash_opens_for_its_token_only(void **state) {
    (void)state;
    char hash[TOKEN_HASH_SIZE], token[TOKEN_TEXT_SIZE], again[TOKEN_TEXT_SIZE];
    token_hash(STR("abc"), hash);
    assert_string_equal(hash,
                        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    token_new(token);
    token_new(again);
    assert_int_equal(strlen(token), 69);
    assert_string_not_equal(token, again);
    token_hash(str_of(token), hash);
    struct str auth = str_printf(&arena, "tokens: {\"%s\": {user_id: bob}}", hash);
    const struct identity *identity = loaded(&(struct files){.auth = str_cstr(&arena, auth)});
    assert_int_equal(problems.n, 0);
    struct principal p;
    assert_int_equal(call_stdio(identity, token, &p).why, FAIL_NONE);
    assert_true(str_eq(p.user_id, STR("bob")));
    /* Whoever reads the file cannot use what stands there. */
    assert_int_equal(call_stdio(identity, hash, &p).why, FAIL_DENIED);
    assert_int_equal(call_stdio(identity, hash + 7, &p).why, FAIL_DENIED);
}

static void the_local_file_adds_and_overrides(void **state) {
    (void)state;
    const struct identity *identity = loaded(&(struct files){
        .auth = AUTH,
        .local =
            "tokens: {agent-sales-001: {user_id: eve, allowed_tools: []}, new: {user_id: bob}}"});
    struct principal p;
    assert_int_equal(call_stdio(identity, "agent-sales-001", &p).why, FAIL_NONE);
    assert_true(str_eq(p.user_id, STR("eve")));
    assert_int_equal(p.n_roles, 0);
    assert_int_equal(call_stdio(identity, "new", &p).why, FAIL_NONE);
    assert_int_equal(call_stdio(identity, "admin-token", &p).why, FAIL_NONE);
}

static void a_tokens_attribute_counts_before_the_users(void **state) {
    (void)state;
    const struct identity *identity = loaded(&(struct files){
        .auth = "tokens: {t: {user_id: ann, attributes: {region_codes: 北方, team: [a]}}}",
        .enterprise = ENTERPRISE});
    struct principal p;
    assert_int_equal(call_stdio(identity, "t", &p).why, FAIL_NONE);
    assert_int_equal(p.n_attributes, 3);
    assert_int_equal(principal_attribute(&p, STR("region_codes"))->n_values, 1);
    assert_true(str_eq(principal_attribute(&p, STR("region_codes"))->values[0], STR("北方")));
}

/* -- names on the command line ---------------------------------------------------------------- */

static void the_command_line_names_users(void **state) {
    (void)state;
    const struct identity *identity =
        loaded(&(struct files){.auth = AUTH, .enterprise = ENTERPRISE});
    struct principal p;
    assert_int_equal(identity_named(identity, STR("ann"), &arena, &p, &report).why, FAIL_NONE);
    assert_true(str_eq(p.client_id, STR("sales_bot")));
    assert_true(str_eq(p.auth_method, STR("command_line")));
    assert_int_equal(p.n_roles, 2);
    assert_int_equal(p.rate_n, 0);
    assert_true(p.allowed_tools.is_set);
    assert_int_equal(identity_named(identity, STR("ann@other"), &arena, &p, &report).why,
                     FAIL_NONE);
    assert_true(str_eq(p.client_id, STR("other")));
    assert_true(str_eq(p.user_id, STR("ann")));
    assert_int_equal(identity_named(identity, STR("ann@corp.com"), &arena, &p, &report).why,
                     FAIL_NONE);
    assert_true(str_eq(p.name, STR("Mail")));
    assert_int_equal(p.client_id.len, 0);
    assert_int_equal(identity_named(identity, STR("ann@corp.com@bot"), &arena, &p, &report).why,
                     FAIL_NONE);
    assert_true(str_eq(p.client_id, STR("bot")));
    assert_int_equal(identity_named(identity, STR("admn"), &arena, &p, &report).why, FAIL_ABSENT);
    assert_string_equal(report.code, "USER_NOT_FOUND");
    assert_string_equal(report.hint, "Did you mean 'admin'?");
    assert_int_equal(p.user_id.len, 0);
    assert_int_equal(identity_named(identity, STR(""), &arena, &p, NULL).why, FAIL_ABSENT);
    assert_int_equal(identity_named(identity, STR("@"), &arena, &p, NULL).why, FAIL_ABSENT);
}

static void of_two_tokens_the_clients_is_taken(void **state) {
    (void)state;
    const struct identity *identity = loaded(
        &(struct files){.auth = "tokens: {a: {user_id: ann, client_id: x}, b: {user_id: ann, "
                                "client_id: y, allowed_tools: []}}"});
    struct principal p;
    assert_int_equal(identity_named(identity, STR("ann"), &arena, &p, &report).why, FAIL_NONE);
    assert_true(str_eq(p.client_id, STR("x")));
    assert_int_equal(identity_named(identity, STR("ann@y"), &arena, &p, &report).why, FAIL_NONE);
    assert_true(p.allowed_tools.is_set);
}

/* -- without a credential --------------------------------------------------------------------- */

static void without_a_credential(void **state) {
    (void)state;
    struct principal p;
    const struct identity *open = loaded(&(struct files){.auth = AUTH, .optional = true});
    assert_int_equal(call_http(open, NULL, true, &p).why, FAIL_NONE);
    assert_true(str_eq(p.user_id, STR("anonymous")));
    assert_true(str_eq(p.auth_method, STR("development")));
    /* A stranger's address does not get in even where callers need no credential; nor a bad token.
     */
    assert_int_equal(call_http(open, NULL, false, &p).why, FAIL_DENIED);
    assert_int_equal(call_http(open, "Bearer wrong", true, &p).why, FAIL_DENIED);
    assert_int_equal(call_stdio(open, NULL, &p).why, FAIL_NONE);
    assert_int_equal(call_stdio(open, "wrong", &p).why, FAIL_DENIED);

    const struct identity *dev =
        loaded(&(struct files){.enterprise = ENTERPRISE, .no_auth = true, .dev = "ann"});
    assert_int_equal(call_http(dev, NULL, true, &p).why, FAIL_NONE);
    assert_true(str_eq(p.user_id, STR("ann")));
    assert_int_equal(p.n_roles, 2);
    assert_int_equal(call_http(dev, "Bearer whatever", true, &p).why, FAIL_NONE);

    const struct identity *strict = loaded(&(struct files){.dev = "ann"});
    assert_int_equal(call_http(strict, NULL, true, &p).why, FAIL_DENIED);
    assert_int_equal(call_stdio(strict, NULL, &p).why, FAIL_DENIED);
    assert_string_equal(report.code, "AUTH_REQUIRED");
}

static void zeroed_is_nobody(void **state) {
    (void)state;
    struct principal p = {0};
    assert_false(principal_has_role(&p, STR("x")));
    struct name_set none = {.is_set = true}, absent = {0};
    assert_false(name_set_has(&none, STR("x")));
    assert_true(name_set_has(&absent, STR("x")));
}

/* -- complaints ------------------------------------------------------------------------------- */

struct complaint {
    struct files files;
    const char *lines;
    bool is_warning;
};

static const struct complaint table[] = {
    {{.auth = "token: {}"},
     "auth:1:1: error: unknown key 'token' in the file of tokens (did you mean 'tokens'?)",
     false},
    {{.auth = "tokens: [a]"}, "auth:1:9: error: 'tokens' must be a map", false},
    {{.auth = "tokens: {sha256:12: {user_id: a}}"},
     "auth:1:10: error: a hashed token is 'sha256:' and 64 hexadecimal digits",
     false},
    {{.auth = "tokens: {'${TOKEN}': {user_id: a}}"},
     "auth:1:10: error: a token cannot be taken from the environment (write its hash, as `weir "
     "token "
     "hash` prints it)",
     false},
    {{.auth = "tokens: {'a b': {user_id: a}}"}, "auth:1:10: error: a token holds no blanks", false},
    {{.auth = "tokens:\n  abc: {user_id: a}\n"
              "  sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD: "
              "{user_id: b}"},
     "auth:2:3: warning: the token of 'a' stands here as plain text (write its hash instead, as "
     "`weir token hash` prints it)\n"
     "auth:3:3: error: this token stands already in line 2",
     false},
    {{.auth = "tokens: {sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad: "
              "{client: x, allowed_tools: run, rate_limit: fast}}"},
     "auth:1:83: error: a token has no 'user_id'\n"
     "auth:1:84: error: unknown key 'client' in a token (did you mean 'client_id'?)\n"
     "auth:1:110: error: 'allowed_tools' must be a list of texts\n"
     "auth:1:127: error: 'rate_limit' must be a rate such as 100/minute (second, minute, hour or "
     "day)",
     false},
    {{.auth = "tokens: {sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad: "
              "{user_id: a, roles: [data_anlyst, mcp_admin]}}",
      .enterprise = "roles: {data_analyst: {}}"},
     "auth:1:104: warning: the role 'data_anlyst' is defined nowhere (did you mean "
     "'data_analyst'?)",
     true},
    {{.enterprise = "users:\n  ann: {role: x}\n  bob: {roles: [y]}\nuser: {}\n"},
     "ent:2:9: error: unknown key 'role' in a user (did you mean 'roles'?)\n"
     "ent:4:1: error: unknown key 'user' in enterprise.yaml (did you mean 'users'?)\n"
     "ent:3:17: warning: the role 'y' is defined nowhere (roles stand in enterprise.yaml; until "
     "then "
     "it restricts nothing)",
     false},
    {{.enterprise = "users: {ann: {wecom_id: w}, bob: {wecom_id: w}}"},
     "ent:1:45: error: the wecom_id of 'bob' is also that of 'ann'",
     false},
    {{.enterprise = "users: {ann: {attributes: {region: \"a\\nb\", team: {x: y}}}}"},
     "ent:1:50: error: 'attributes' must be a list of texts\n"
     "ent:1:36: error: a value of the attribute 'region' must be of printable characters, not too "
     "long",
     false},
    {{.enterprise = "identity_providers: {w: {type: wechat}, d: {type: dingtalk, enabled: true, "
                    "app_key: k}}"},
     "ent:1:32: error: 'type' must be one of wecom, dingtalk\n"
     "ent:1:41: warning: the header of 'd' is passed over: no gateway is trusted "
     "(GATEWAY_HEADER_ENABLED switches it on)",
     false},
    {{.enterprise = "x-notes: [1]\nusers:\n"}, "", true},
    {{.optional = true, .public_listener = true},
     "auth: error: callers without a credential are let in only when every listener is on loopback "
     "(listen on 127.0.0.1, or set require_auth (MCP_REQUIRE_AUTH) and auth_enabled "
     "(MCP_AUTH_ENABLED) to true)",
     false},
    {{.no_auth = true},
     "auth: error: auth_enabled is false, but dev_username does not say who callers are",
     false},
    {{.public_listener = true, .dev = "ann"}, "", true},
};

static void complaints_name_their_place(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct identity *identity = NULL;
        result r = load(&table[i].files, &identity);
        assert_string_equal(complaints(), table[i].lines);
        assert_int_equal(r.why, table[i].is_warning ? FAIL_NONE : FAIL_CONFIG);
        assert_true((identity != NULL) == table[i].is_warning);
        assert_true(str_find(str_of(complaints()), STR("abc")) == strlen(complaints()));
    }
}

/* -- the Nth failure -------------------------------------------------------------------------- */

static bool lost_a_file_name(void) {
    for (size_t i = 0; i < problems.n; i++)
        if (problems.items[i].file.len == 0) return true;
    return false;
}

static void no_half_identity(void **state) {
    (void)state;
    long tried = 0;
    for (long n = 0;; n++, tried++) {
        arena_reset(&arena);
        struct identity_settings settings = {.require_auth = true, .auth_enabled = true};
        struct identity_sources sources = {.settings = &settings,
                                           .auth = tree_of(AUTH, "auth"),
                                           .enterprise = tree_of(ENTERPRISE, "ent"),
                                           .auth_name = STR("auth"),
                                           .enterprise_name = STR("ent")};
        const struct identity *identity = NULL;
        problems_init(&problems, &arena);
        fault_set(n);
        result r = identity_load(&sources, &arena, &problems, &identity);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        if (r.why == FAIL_NONE) { /* only the file's name of a warning was lost */
            assert_true(lost_a_file_name());
            continue;
        }
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_null(identity);
    }
    assert_true(tried > 20);
}

static void no_entry_when_the_digest_fails(void **state) {
    (void)state;
    const struct identity *identity = loaded(&(struct files){.auth = AUTH, .optional = true});
    struct principal p;
    fault_set(0);
    result r = call_stdio(identity, "agent-sales-001", &p);
    fault_off();
    assert_int_equal(r.why, FAIL_MEMORY);
    assert_int_equal(p.user_id.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_its_principal, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_bearer_token_opens, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hash_opens_for_its_token_only, setup, teardown),
        cmocka_unit_test_setup_teardown(the_local_file_adds_and_overrides, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tokens_attribute_counts_before_the_users, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_command_line_names_users, setup, teardown),
        cmocka_unit_test_setup_teardown(of_two_tokens_the_clients_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_credential, setup, teardown),
        cmocka_unit_test_setup_teardown(zeroed_is_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(complaints_name_their_place, setup, teardown),
        cmocka_unit_test_setup_teardown(no_half_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(no_entry_when_the_digest_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
