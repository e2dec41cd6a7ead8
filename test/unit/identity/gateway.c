/* Callers whom a gateway names: what is signed, who may say it, and once; every way to bend it. */
#include "identity/gateway.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/rand.h"
#include "identity/identity.h"
#include "identity/provider.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1800000000123)
#define SECRET "the-first-secret-of-the-gateway"
#define BEFORE "the-secret-that-was-there-before"

static struct arena arena;
static struct clock now;
static struct store *store;
static struct report report;
static struct problems problems;

static const char *const ENTERPRISE =
    "identity_providers:\n"
    "  w: {type: wecom, enabled: true, corp_id: c, user_id_field: X-Wecom-User-Id}\n"
    "  d: {type: dingtalk, enabled: true, app_key: k}\n"
    "users:\n"
    "  ann: {name: Ann, roles: [analyst], wecom_id: zhang.san, attributes: {region: [north]}}\n"
    "  王芳: {roles: [analyst], dingtalk_id: d-4711}\n"
    "roles: {analyst: {name: a}}\n";

static const struct yaml *tree_of(const char *text) {
    const struct yaml *tree = NULL;
    result r = yaml_read(str_of(text), STR("ent"), NULL, &arena, &tree, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return tree;
}

static result load(struct identity_settings settings, const char *enterprise,
                   const struct identity **out) {
    struct identity_settings *kept = arena_new(&arena, struct identity_settings);
    settings.require_auth = true;
    *kept = settings;
    struct identity_sources sources = {
        .settings = kept, .enterprise = tree_of(enterprise), .enterprise_name = STR("ent")};
    problems_init(&problems, &arena);
    return identity_load(&sources, &arena, &problems, out);
}

static const struct identity *usual(void) {
    const struct identity *identity = NULL;
    struct identity_settings settings = {
        .auth_enabled = true, .gateway_enabled = true, .gateway_secret = STR(SECRET "," BEFORE)};
    assert_int_equal(load(settings, ENTERPRISE, &identity).why, FAIL_NONE);
    assert_int_equal(problems.n, 0);
    return identity;
}

/* -- requests --------------------------------------------------------------------------------- */

enum { HEADERS_MAX = 12 };
struct header {
    const char *name;
    struct str value;
};

/* A request that is good, until a case bends it. */
struct sent {
    struct header headers[HEADERS_MAX];
    size_t n;
    struct origin origin;
};

static struct str header_of(const void *with, struct str name) {
    const struct sent *sent = with;
    for (size_t i = 0; i < sent->n; i++)
        if (str_ieq(str_of(sent->headers[i].name), name)) return sent->headers[i].value;
    return STR_NONE;
}

static size_t count_of(const void *with, struct str name) {
    const struct sent *sent = with;
    size_t n = 0;
    for (size_t i = 0; i < sent->n; i++)
        if (str_ieq(str_of(sent->headers[i].name), name)) n++;
    return n;
}

static void add(struct sent *sent, const char *name, struct str value) {
    assert_true(sent->n < HEADERS_MAX);
    sent->headers[sent->n++] = (struct header){name, value};
}

static void set(struct sent *sent, const char *name, struct str value) {
    for (size_t i = 0; i < sent->n; i++)
        if (strcmp(sent->headers[i].name, name) == 0) sent->headers[i].value = value;
}

static struct gateway_signed usual_words(void) {
    static unsigned n;
    return (struct gateway_signed){
        .method = STR("POST"),
        .target = STR("/mcp?x=1"),
        .timestamp = str_printf(&arena, "%lld", (long long)(clock_wall_ms(&now) / 1000)),
        .nonce = str_printf(&arena, "nonce-0123456789_%u", n++),
        .user = STR("ann"),
        .client = STR("sales_bot"),
        .session = STR("s-1"),
        .body = STR("{\"id\":1}")};
}

static void put(struct sent *sent, const char *name, struct str value) {
    if (value.len > 0) add(sent, name, value);
}

static void prepare(struct sent *sent, const struct gateway_signed *what, const char *user_header,
                    const char *secret) {
    char *hex = arena_alloc(&arena, GATEWAY_SIGNATURE_SIZE, 1);
    assert_true(gateway_sign(str_of(secret), what, &arena, hex));
    *sent = (struct sent){.origin = {.kind = ORIGIN_HTTP,
                                     .header = header_of,
                                     .header_count = count_of,
                                     .peer = STR("127.0.0.1"),
                                     .peer_is_loopback = true,
                                     .method = what->method,
                                     .target = what->target,
                                     .body = what->body,
                                     .may_wait = true}};
    put(sent, user_header, what->user);
    put(sent, "X-Client-Id", what->client);
    put(sent, "X-Session-Id", what->session);
    put(sent, "X-Timestamp", what->timestamp);
    put(sent, "X-Nonce", what->nonce);
    add(sent, "X-Signature", str_of(hex));
}

static void prepare_usual(struct sent *sent) {
    struct gateway_signed what = usual_words();
    prepare(sent, &what, "X-User-Id", SECRET);
}

static struct identity_state *state_on(struct store *on) {
    struct identity_state *state = NULL;
    assert_int_equal(identity_state_new(on, &now, &state, &report).why, FAIL_NONE);
    return state;
}

static struct principal principal;

static result send_on(const struct identity *identity, struct sent *sent, struct store *on) {
    struct identity_state *state = state_on(on);
    sent->origin.with = sent;
    report_clear(&report);
    memset(&principal, 0x5a, sizeof principal);
    result r = identity_identify(identity, state, &sent->origin, &arena, &principal, &report);
    identity_state_free(state);
    return r;
}

static void assert_in(struct sent *sent, const char *user) {
    result r = send_on(usual(), sent, store);
    if (r.why != FAIL_NONE) print_error("%s\n", report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
    assert_true(str_eq(principal.user_id, str_of(user)));
}

static void assert_out(struct sent *sent, const char *code) {
    result r = send_on(usual(), sent, store);
    assert_int_equal(r.why, FAIL_DENIED);
    assert_string_equal(report.code, code);
    assert_int_equal(principal.user_id.len, 0);
    assert_null(strstr(report.sentence, SECRET));
}

static int setup(void **with) {
    (void)with;
    arena_init(&arena, 1 << 24);
    clock_scripted(&now, NOW_MS);
    struct store_settings settings = {.kind = STORE_MEMORY, .max_bytes = 1 << 20, .wait_ms = 1000};
    report_clear(&report);
    return store_open(&settings, STR(""), &now, &store, &report).why == FAIL_NONE ? 0 : 1;
}

static int teardown(void **with) {
    (void)with;
    store_close(store);
    arena_deinit(&arena);
    return 0;
}

/* -- who comes in ----------------------------------------------------------------------------- */

static void test_user(void **with) {
    (void)with;
    struct sent sent;
    prepare_usual(&sent);
    assert_in(&sent, "ann");
    assert_true(str_eq(principal.client_id, STR("sales_bot")));
    assert_true(str_eq(principal.auth_method, STR("gateway_header")));
    assert_true(str_starts(principal.token_id, STR("gws_")));
    assert_true(principal_has_role(&principal, STR("analyst")));
    assert_non_null(principal_attribute(&principal, STR("region")));
}

/* What 'openssl dgst -hmac' says of the same lines. */
static void test_vector(void **with) {
    (void)with;
    char hex[GATEWAY_SIGNATURE_SIZE];
    struct gateway_signed what = {.method = STR("POST"),
                                  .target = STR("/mcp"),
                                  .timestamp = STR("1800000000"),
                                  .nonce = STR("abcdefghij012345"),
                                  .user = STR("ann"),
                                  .body = STR("{}")};
    assert_true(gateway_sign(STR("0123456789abcdef"), &what, &arena, hex));
    assert_string_equal(hex, "80d869a7ba962271422b3db4dccb8b25a5a46b9aafd7e4dd9200211b7c12f1e2");
}

static void test_absent_parts(void **with) {
    (void)with;
    struct sent sent;
    struct gateway_signed what = usual_words();
    what.client = what.session = what.body = STR_NONE;
    what.method = STR("GET");
    what.target = STR("/sse");
    prepare(&sent, &what, "X-User-Id", SECRET);
    assert_in(&sent, "ann");
    assert_int_equal(principal.client_id.len, 0);
    assert_int_equal(principal.token_id.len, 0);
}

static void test_generations(void **with) {
    (void)with;
    struct sent sent;
    struct gateway_signed what = usual_words();
    prepare(&sent, &what, "X-User-Id", BEFORE);
    assert_in(&sent, "ann");
    what = usual_words();
    prepare(&sent, &what, "X-User-Id", SECRET "," BEFORE);
    assert_out(&sent, "SIGNATURE_INVALID");
    prepare(&sent, &what, "X-User-Id", "");
    assert_out(&sent, "SIGNATURE_INVALID");
}

static void test_header_users(void **with) {
    (void)with;
    static const struct {
        const char *header, *id, *user, *method;
    } rows[] = {{"X-Wecom-User-Id", "zhang.san", "ann", "wecom"},
                {"X-Dingtalk-User-Id", "d-4711", "王芳", "dingtalk"},
                {"X-User-Id", "王芳", "王芳", "gateway_header"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sent sent;
        struct gateway_signed what = usual_words();
        what.user = str_of(rows[i].id);
        prepare(&sent, &what, rows[i].header, SECRET);
        assert_in(&sent, rows[i].user);
        assert_true(str_eq(principal.auth_method, str_of(rows[i].method)));
    }
}

/* Names elsewhere are names there alone. */
static void test_unknown_users(void **with) {
    (void)with;
    static const char *const rows[][2] = {
        {"X-User-Id", "bob"},          {"X-User-Id", "zhang.san"},
        {"X-User-Id", "Ann"},          {"X-Wecom-User-Id", "ann"},
        {"X-Wecom-User-Id", "d-4711"}, {"X-Dingtalk-User-Id", "zhang.san"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sent sent;
        struct gateway_signed what = usual_words();
        what.user = str_of(rows[i][1]);
        prepare(&sent, &what, rows[i][0], SECRET);
        assert_out(&sent, "AUTH_INVALID_TOKEN");
        assert_null(strstr(report.sentence, rows[i][1]));
    }
}

/* -- bent ------------------------------------------------------------------------------------- */

static void test_any_change_of_what_is_signed(void **with) {
    (void)with;
    struct sent sent;
#define BENT(change)                                                                               \
    prepare_usual(&sent);                                                                          \
    change;                                                                                        \
    assert_out(&sent, "SIGNATURE_INVALID")
    BENT(sent.origin.method = STR("GET"));
    BENT(sent.origin.target = STR("/mcp?x=2"));
    BENT(sent.origin.target = STR("/mcp"));
    BENT(sent.origin.target = STR("/mcp?x=1&"));
    BENT(sent.origin.target = STR("/mcp/v1?x=1"));
    BENT(sent.origin.body = STR("{\"id\":2}"));
    BENT(sent.origin.body = STR("{\"id\":1} "));
    BENT(sent.origin.body = STR_NONE);
    BENT(set(&sent, "X-User-Id", STR("王芳")));
    BENT(set(&sent, "X-Client-Id", STR("other_bot")));
    BENT(set(&sent, "X-Session-Id", STR("s-2")));
    BENT(set(&sent, "X-Nonce", STR("another-nonce-of-it")));
    BENT(set(&sent, "X-Timestamp", STR("1800000001")));
    /* The same bytes, moved over the border of two lines. */
    BENT(set(&sent, "X-User-Id", STR("an")); set(&sent, "X-Client-Id", STR("nsales_bot")));
#undef BENT
}

static void test_signature_forms(void **with) {
    (void)with;
    struct sent sent;
    struct gateway_signed what = usual_words();
    char good[GATEWAY_SIGNATURE_SIZE], bent[GATEWAY_SIGNATURE_SIZE + 1];
    prepare(&sent, &what, "X-User-Id", SECRET);
    assert_true(gateway_sign(STR(SECRET), &what, &arena, good));
    for (size_t i = 0; i < GATEWAY_SIGNATURE_SIZE - 1; i++) { /* each digit counts */
        memcpy(bent, good, sizeof good);
        bent[i] = bent[i] == '0' ? '1' : '0';
        set(&sent, "X-Signature", str_of(bent));
        assert_out(&sent, "SIGNATURE_INVALID");
    }
    for (size_t len = 0; len < GATEWAY_SIGNATURE_SIZE - 1; len++) { /* no beginning is enough */
        set(&sent, "X-Signature", (struct str){good, len});
        assert_out(&sent, "SIGNATURE_INVALID");
    }
    snprintf(bent, sizeof bent, "%s0", good);
    set(&sent, "X-Signature", str_of(bent));
    assert_out(&sent, "SIGNATURE_INVALID");
    struct str upper = str_dup(&arena, str_of(good));
    for (size_t i = 0; i < upper.len; i++)
        if (good[i] >= 'a') ((char *)(uintptr_t)upper.ptr)[i] = (char)(good[i] - 'a' + 'A');
    set(&sent, "X-Signature", upper);
    assert_out(&sent, "SIGNATURE_INVALID");
    set(&sent, "X-Signature", str_of(good));
    assert_in(&sent, "ann");
}

/* What is refused uses up no nonce: nobody can take it from the gateway beforehand. */
static void test_clock_skew(void **with) {
    (void)with;
    static const struct {
        int64_t by_ms;
        bool is_in;
    } rows[] = {{300123, false}, {299876, true},    {-299999, true},   {-300124, false},
                {0, true},       {86400000, false}, {-86400000, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sent sent;
        clock_scripted(&now, NOW_MS);
        prepare_usual(&sent);
        clock_move(&now, rows[i].by_ms);
        if (rows[i].is_in)
            assert_in(&sent, "ann");
        else
            assert_out(&sent, "SIGNATURE_INVALID");
    }
    static const char *const no_times[] = {"",
                                           "0",
                                           "-1800000000",
                                           "+1800000000",
                                           " 1800000000",
                                           "1800000000.0",
                                           "1.8e9",
                                           "0x6b49d200",
                                           "1800000000123",
                                           "99999999999999999999",
                                           "now"};
    for (size_t i = 0; i < COUNT(no_times); i++) {
        struct sent sent;
        struct gateway_signed what = usual_words();
        clock_scripted(&now, NOW_MS);
        what.timestamp = str_of(no_times[i]);
        prepare(&sent, &what, "X-User-Id", SECRET);
        assert_out(&sent, "SIGNATURE_INVALID");
    }
}

static void test_nonce_is_good_once(void **with) {
    (void)with;
    struct sent sent;
    prepare_usual(&sent);
    assert_in(&sent, "ann");
    assert_out(&sent, "NONCE_REPLAYED");
    /* Nor another request with it. */
    struct gateway_signed what = usual_words();
    what.nonce = header_of(&sent, STR("X-Nonce"));
    what.body = STR("other");
    struct sent other;
    prepare(&other, &what, "X-User-Id", SECRET);
    assert_out(&other, "NONCE_REPLAYED");
}

/* At no moment is the time still good and the nonce forgotten. */
static void test_nonce_outlives_the_time(void **with) {
    (void)with;
    struct sent sent;
    prepare_usual(&sent);
    clock_move(&now, -299000); /* as early as can be */
    assert_in(&sent, "ann");
    for (int64_t at = 0; at < 700000; at += 500) {
        clock_move(&now, 500);
        result r = send_on(usual(), &sent, store);
        assert_int_equal(r.why, FAIL_DENIED);
    }
}

static void test_nonce_forms(void **with) {
    (void)with;
    char longest[GATEWAY_NONCE_BYTES_MAX + 2];
    memset(longest, 'x', sizeof longest);
    static const char *const bad[] = {"",
                                      "fifteen-letters",
                                      "sixteen letters!",
                                      "sixteen-letters\n",
                                      "nonce/with/slashes/",
                                      "nonce=with=padding=",
                                      "nonce.with.dots.....",
                                      "ノンスは十六バイト以上"};
    for (size_t i = 0; i < COUNT(bad) + 1; i++) {
        struct sent sent;
        struct gateway_signed what = usual_words();
        what.nonce =
            i < COUNT(bad) ? str_of(bad[i]) : (struct str){longest, GATEWAY_NONCE_BYTES_MAX + 1};
        prepare(&sent, &what, "X-User-Id", SECRET);
        assert_out(&sent, "SIGNATURE_INVALID");
    }
    struct sent sent;
    struct gateway_signed what = usual_words();
    what.nonce = (struct str){longest, GATEWAY_NONCE_BYTES_MAX};
    prepare(&sent, &what, "X-User-Id", SECRET);
    assert_in(&sent, "ann");
    what.nonce = STR("exactly-16-bytes");
    prepare(&sent, &what, "X-User-Id", SECRET);
    assert_in(&sent, "ann");
}

/* Signed as they are: even the gateway's own signature carries none of these in. */
static void test_injected_values(void **with) {
    (void)with;
    char oversized[BIND_NAME_BYTES_MAX + 1];
    memset(oversized, 'a', sizeof oversized);
    const struct str bad[] = {STR("ann\r\nX-Client-Id: root"),
                              STR("ann\n"),
                              STR("ann\0"),
                              STR("\0"),
                              STR("ann,bob"),
                              STR("ann, ann"),
                              STR("ann\x7f"),
                              STR("\xff\xfe"),
                              STR("ann\xc0\xaf"),
                              STR("\xed\xa0\x80"),
                              STR(" ann"),
                              STR("ann "),
                              STR("an\tn"),
                              {oversized, sizeof oversized}};
    static const char *const names[] = {"X-User-Id", "X-Client-Id", "X-Session-Id"};
    for (size_t i = 0; i < COUNT(bad); i++)
        for (size_t n = 0; n < COUNT(names); n++) {
            struct sent sent;
            struct gateway_signed what = usual_words();
            struct str *const lines[] = {&what.user, &what.client, &what.session};
            *lines[n] = bad[i];
            prepare(&sent, &what, "X-User-Id", SECRET);
            assert_out(&sent, "SIGNATURE_INVALID");
        }
}

static void test_headers_once_and_alone(void **with) {
    (void)with;
    static const char *const all[] = {"X-User-Id",   "X-Client-Id", "X-Session-Id",
                                      "X-Timestamp", "X-Nonce",     "X-Signature"};
    struct sent sent;
    for (size_t i = 0; i < COUNT(all); i++) {
        prepare_usual(&sent); /* twice the same, and once more as another */
        add(&sent, all[i], header_of(&sent, str_of(all[i])));
        assert_out(&sent, "SIGNATURE_INVALID");
        prepare_usual(&sent);
        add(&sent, all[i], STR("x"));
        assert_out(&sent, "SIGNATURE_INVALID");
        prepare_usual(&sent); /* there, and empty */
        set(&sent, all[i], STR(""));
        assert_out(&sent, "SIGNATURE_INVALID");
    }
    static const char *const beside[] = {"Authorization", "X-Wecom-User-Id", "X-Dingtalk-User-Id"};
    for (size_t i = 0; i < COUNT(beside); i++) {
        prepare_usual(&sent);
        add(&sent, beside[i], STR("Bearer x"));
        assert_out(&sent, "SIGNATURE_INVALID");
    }
}

/* One alone is enough to be judged by it: nobody else is asked then. */
static void test_any_header_is_a_claim(void **with) {
    (void)with;
    static const char *const names[] = {"X-User-Id",   "X-Client-Id",     "X-Session-Id",
                                        "X-Signature", "X-Wecom-User-Id", "X-Dingtalk-User-Id",
                                        "x-user-id"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct sent sent = {0};
        sent.origin = (struct origin){.kind = ORIGIN_HTTP,
                                      .header = header_of,
                                      .header_count = count_of,
                                      .peer_is_loopback = true,
                                      .may_wait = true};
        add(&sent, names[i], STR("ann"));
        assert_out(&sent, "SIGNATURE_INVALID");
    }
}

static void test_nothing_is_looked_at_while_off(void **with) {
    (void)with;
    const struct identity *identity = NULL;
    struct identity_settings off = {.auth_enabled = true, .gateway_secret = STR(SECRET)};
    assert_int_equal(load(off, ENTERPRISE, &identity).why, FAIL_NONE);
    assert_int_equal(problems.n, 2); /* each provider's header is passed over, and said so */
    struct sent sent;
    prepare_usual(&sent);
    assert_int_equal(send_on(identity, &sent, store).why, FAIL_DENIED);
    assert_string_equal(report.code, "AUTH_REQUIRED");
}

/* -- peers ------------------------------------------------------------------------------------ */

static void test_peers(void **with) {
    (void)with;
    static const struct {
        const char *trusted, *peer;
        bool is_loopback, is_in;
    } rows[] = {
        {NULL, "127.0.0.1", true, true},
        {NULL, "10.1.2.3", false, false},
        {NULL, "local", true, true},
        {"10.1.2.3", "10.1.2.3", false, true},
        {"10.1.2.3", "10.1.2.4", false, false},
        {"10.1.2.3", "127.0.0.1", true, false},
        {"10.0.0.0/8", "10.255.0.1", false, true},
        {"10.0.0.0/8", "11.0.0.1", false, false},
        {"10.1.2.0/23", "10.1.3.255", false, true},
        {"10.1.2.0/23", "10.1.4.0", false, false},
        {"::ffff:10.1.2.3", "10.1.2.3", false, true},
        {"0.0.0.0/0", "8.8.8.8", false, true},
        {"0.0.0.0/0", "2001:db8::1", false, false},
        {"fd00::/8", "fd12::1", false, true},
        {"fd00::/8", "fe80::1", false, false},
        {"2001:db8::1", "2001:DB8:0::1", false, true},
        {"10.1.2.3", "", false, false},
        {"10.1.2.3", "fe80::1%eth0", false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str item = str_of(rows[i].trusted);
        struct option_list list = {&item, 1, rows[i].trusted != NULL};
        if (!list.is_set) list.n = 0;
        struct gateway_peers peers;
        struct origin origin = {.peer = str_of(rows[i].peer),
                                .peer_is_loopback = rows[i].is_loopback};
        problems_init(&problems, &arena);
        assert_int_equal(gateway_peers_load(&list, &arena, &problems, &peers).why, FAIL_NONE);
        assert_int_equal(problems.n, 0);
        if (gateway_peers_trust(&peers, &origin) != rows[i].is_in) print_error("row %zu\n", i);
        assert_int_equal(gateway_peers_trust(&peers, &origin), rows[i].is_in);
    }
    struct gateway_peers nobody = {.is_set = true};
    struct origin near = {.peer = STR("127.0.0.1"), .peer_is_loopback = true};
    assert_false(gateway_peers_trust(&nobody, &near));
}

static void test_untrusted_peer(void **with) {
    (void)with;
    struct sent sent;
    prepare_usual(&sent);
    sent.origin.peer = STR("203.0.113.9");
    sent.origin.peer_is_loopback = false;
    assert_out(&sent, "SIGNATURE_INVALID");
    sent.origin.peer_is_loopback = true; /* and the nonce is still good */
    assert_in(&sent, "ann");
}

static void test_bad_ranges(void **with) {
    (void)with;
    static const char *const bad[] = {
        "",           "10.1.2",      "10.1.2.3/",    "10.1.2.3/33",
        "10.1.2.3/8", "10.0.0.0/-1", "10.0.0.0/08x", "/8",
        "gateway",    "fd00::/129",  "fd00::1/8",    "10.0.0.0/8/8",
        "*",          "10.1.2.3 ",   "010.1.2.3",    "1.2.3.4,5.6.7.8"};
    struct gateway_range range;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (gateway_range_read(str_of(bad[i]), &range)) print_error("'%s'\n", bad[i]);
        assert_false(gateway_range_read(str_of(bad[i]), &range));
    }
}

/* -- settings --------------------------------------------------------------------------------- */

static void test_settings(void **with) {
    (void)with;
    static const struct {
        const char *secret, *enterprise;
        size_t n_errors;
    } rows[] = {
        {SECRET, "users: {}\n", 0},
        {SECRET " , " BEFORE, "users: {}\n", 0},
        {"", "users: {}\n", 1},
        {"fifteen-letters", "users: {}\n", 1},
        {SECRET ",short", "users: {}\n", 1},
        {SECRET "," BEFORE ",three-is-one-too-many", "users: {}\n", 1},
        {SECRET,
         "identity_providers: {w: {type: wecom, enabled: true, user_id_field: X-User-Id}}\n", 1},
        {SECRET,
         "identity_providers: {w: {type: wecom, enabled: true, user_id_field: Authorization}}\n",
         1},
        {SECRET, "identity_providers: {w: {type: wecom, enabled: true, user_id_field: 'X-A: b'}}\n",
         1},
        {SECRET, "identity_providers: {w: {type: wecom, enabled: true, user_id_field: Cookie}}\n",
         1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct identity *identity = NULL;
        struct identity_settings settings = {.auth_enabled = true,
                                             .gateway_enabled = true,
                                             .gateway_secret = str_of(rows[i].secret)};
        result r = load(settings, rows[i].enterprise, &identity);
        assert_int_equal(r.why, rows[i].n_errors > 0 ? FAIL_CONFIG : FAIL_NONE);
        assert_int_equal(problems.n_errors, rows[i].n_errors);
        for (size_t p = 0; p < problems.n; p++) /* no complaint tells a part of it */
            assert_int_equal(str_find(problems.items[p].text, STR("secret-")),
                             problems.items[p].text.len);
    }
}

/* -- where it cannot be known ----------------------------------------------------------------- */

static void test_fails_closed(void **with) {
    (void)with;
    struct sent sent;
    prepare_usual(&sent);
    assert_int_equal(send_on(usual(), &sent, NULL).why, FAIL_IO);
    assert_string_equal(report.code, "STORE_UNAVAILABLE");
    sent.origin.may_wait = false; /* nothing is done on a thread that may not wait */
    assert_int_equal(send_on(usual(), &sent, store).why, FAIL_WAIT);
    assert_null(report.code);
    sent.origin.may_wait = true;
    assert_in(&sent, "ann");
}

static void test_every_failure_refuses(void **with) {
    (void)with;
    const struct identity *identity = usual();
    struct identity_state *state = state_on(store);
    for (long n = 0;; n++) {
        struct sent sent;
        prepare_usual(&sent);
        sent.origin.with = &sent;
        report_clear(&report);
        fault_set(n);
        result r = identity_identify(identity, state, &sent.origin, &arena, &principal, &report);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) {
            assert_int_equal(r.why, FAIL_NONE);
            break;
        }
        assert_int_not_equal(r.why, FAIL_NONE);
    }
    identity_state_free(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_user),
        TEST(test_vector),
        TEST(test_absent_parts),
        TEST(test_generations),
        TEST(test_header_users),
        TEST(test_unknown_users),
        TEST(test_any_change_of_what_is_signed),
        TEST(test_signature_forms),
        TEST(test_clock_skew),
        TEST(test_nonce_is_good_once),
        TEST(test_nonce_outlives_the_time),
        TEST(test_nonce_forms),
        TEST(test_injected_values),
        TEST(test_headers_once_and_alone),
        TEST(test_any_header_is_a_claim),
        TEST(test_nothing_is_looked_at_while_off),
        TEST(test_peers),
        TEST(test_untrusted_peer),
        TEST(test_bad_ranges),
        TEST(test_settings),
        TEST(test_fails_closed),
        TEST(test_every_failure_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
