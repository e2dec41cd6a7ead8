/* Callers with a token of an issuer: who they are, what the refused hear, what the log says. */
#include "identity/jwt_judge.h"

#include "base/limits.h"
#include "base/log.h"
#include "identity/provider.h"
#include "issuer.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena, own; /* of the call; of the configuration */
static struct issuer issuer;
static struct clock now;
static struct identity_state state;
static struct report report;
static _Atomic int n_fetched;
static _Atomic bool is_down;
static struct str published; /* what the issuer's URL answers */

static result answer(const struct jwks_getter *getter, const struct jwks_source *source,
                     struct arena *into, struct str *out, struct report *told) {
    (void)getter;
    (void)source;
    (void)told;
    atomic_fetch_add(&n_fetched, 1);
    if (atomic_load(&is_down)) return (result){FAIL_IO};
    *out = str_dup(into, published);
    return OK;
}

static int begin(void **unused) {
    (void)unused;
    issuer_begin(&issuer);
    return 0;
}

static int end(void **unused) {
    (void)unused;
    issuer_end(&issuer);
    return 0;
}

static int setup(void **unused) {
    (void)unused;
    log_threshold(LOG_OFF);
    arena_init(&arena, 1 << 24);
    arena_init(&own, 1 << 24);
    clock_scripted(&now, INT64_C(1800000000000));
    atomic_store(&n_fetched, 0);
    atomic_store(&is_down, false);
    struct jwks_getter getter = {.get = answer};
    state = (struct identity_state){.clock = &now};
    return jwt_state_new(&now, getter, &state.jwt, NULL).why == FAIL_NONE ? 0 : 1;
}

static int teardown(void **unused) {
    (void)unused;
    jwt_state_free(state.jwt);
    arena_deinit(&arena);
    arena_deinit(&own);
    return 0;
}

/* -- a configuration and a caller -------------------------------------------------------------- */

static const char ENTERPRISE[] =
    "roles: {data_analyst: {}, from_claims: {}}\n"
    "users:\n"
    "  ann: {name: Ann, roles: [data_analyst], attributes: {region_codes: [south]}}\n"
    "  partner:ann: {name: Another}\n"
    "  app-7: {name: Robot}\n";

static struct str AUDIENCE[] = {STR_INIT("weir")};
static struct str ISSUER[] = {STR_INIT("https://issuer.example.com")};
static struct str ALGORITHMS[] = {STR_INIT("RS256"), STR_INIT("ES256"), STR_INIT("EdDSA")};
static struct str HS256[] = {STR_INIT("HS256")};
static struct str SCOPES[] = {STR_INIT("mcp")};
static struct str ROLES[] = {STR_INIT("/realm_access/roles")};

static struct option_list all(struct str *items, size_t n) {
    return (struct option_list){items, n, true};
}

static struct jwt_settings usual(void) {
    return (struct jwt_settings){.jwks_uri = STR("https://issuer.example.com/jwks"),
                                 .algorithms = all(ALGORITHMS, COUNT(ALGORITHMS)),
                                 .issuers = all(ISSUER, 1),
                                 .audiences = all(AUDIENCE, 1),
                                 .clock_skew_ms = 60000,
                                 .keys_ttl_ms = 3600000,
                                 .keys_stale_ms = 86400000,
                                 .keys_pause_ms = 30000};
}

static const struct yaml *tree_of(const char *text) {
    const struct yaml *tree = NULL;
    if (text == NULL) return NULL;
    report_clear(&report);
    result r = yaml_read(str_of(text), STR("file"), NULL, &own, &tree, &report);
    if (r.why != FAIL_NONE) fail_msg("%s", report.sentence);
    return tree;
}

/* NULL: refused, and problems say why. */
static const struct identity *load(const struct jwt_settings *jwt, const char *weir, bool has_dev,
                                   struct problems *problems) {
    static struct identity_settings settings;
    settings = (struct identity_settings){.require_auth = true, .auth_enabled = true, .jwt = *jwt};
    if (has_dev) settings.dev_username = STR("dev");
    struct identity_sources sources = {
        .settings = &settings,
        .weir = tree_of(weir),
        .auth = tree_of("tokens: {\"a.b.c\": {user_id: ann, client_id: static}}\n"),
        .enterprise = tree_of(ENTERPRISE),
        .weir_name = STR("weir.yaml"),
        .auth_name = STR("auth.yaml"),
        .enterprise_name = STR("enterprise.yaml"),
        .all_listeners_loopback = true};
    const struct identity *identity = NULL;
    problems_init(problems, &own);
    (void)identity_load(&sources, &own, problems, &identity).why;
    return identity;
}

static const struct identity *loaded(const struct jwt_settings *jwt, const char *weir) {
    struct problems problems;
    const struct identity *identity = load(jwt, weir, false, &problems);
    assert_non_null(identity);
    return identity;
}

static struct str header_of(const void *with, struct str name) {
    const struct str *token = with;
    if (str_eq(name, STR("user-agent"))) return STR("agent/1");
    if (!str_eq(name, STR("authorization"))) return STR_NONE;
    return str_printf(&arena, "Bearer " STR_FMT, STR_ARG(*token));
}

static size_t count_of(const void *with, struct str name) {
    return header_of(with, name).ptr == NULL ? 0 : 1;
}

static result come(const struct identity *identity, struct str token, bool may_wait,
                   struct principal *out) {
    struct origin origin = {.kind = ORIGIN_HTTP,
                            .header = header_of,
                            .header_count = count_of,
                            .with = &token,
                            .peer = STR("192.0.2.7"),
                            .method = STR("POST"),
                            .target = STR("/mcp?secret=query"),
                            .may_wait = may_wait};
    report_clear(&report);
    return identity_identify(identity, &state, &origin, &arena, out, &report);
}

/* -- tokens ----------------------------------------------------------------------------------- */

static struct str key_set(enum issuer_key key, const char *kid) {
    return str_printf(&own, "{\"keys\":[{\"kid\":\"%s\"," STR_FMT "}]}", kid,
                      STR_ARG(issuer_jwk_parts(issuer.keys[key], &own)));
}

/* Claims beside those that every good token has. */
static struct str claims_and(const char *more) {
    return str_printf(&arena,
                      "{\"iss\":\"https://issuer.example.com\",\"aud\":[\"weir\"],"
                      "\"exp\":1800000300%s}",
                      more);
}

static struct str by_ed(const char *kid, struct str claims) {
    struct issuer_sign how = {JWT_EDDSA, issuer.keys[KEY_ED], STR_NONE, false};
    struct str header = str_printf(&arena, "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
    return issuer_token(&how, header, claims, &arena);
}

static void a_token_is_its_principal(void **unused) {
    (void)unused;
    struct jwt_settings jwt = usual();
    jwt.role_claims = all(ROLES, 1);
    const struct identity *identity = loaded(&jwt, NULL);
    published = key_set(KEY_ED, "ed");
    struct str token =
        by_ed("ed", claims_and(",\"sub\":\"ann\",\"client_id\":\"desk\",\"scope\":\"mcp mcp:call\","
                               "\"realm_access\":{\"roles\":[\"from_claims\",\"data_analyst\"]}"));
    struct principal p;
    assert_int_equal(come(identity, token, false, &p).why, FAIL_WAIT); /* the keys are not here */
    assert_null(report.code);
    assert_int_equal(n_fetched, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(come(identity, token, i == 0, &p).why, FAIL_NONE);
        assert_true(str_eq(p.user_id, STR("ann")));
        assert_true(str_eq(p.name, STR("Ann")));
        assert_true(str_eq(p.client_id, STR("desk")));
        assert_true(str_eq(p.auth_method, STR("jwt")));
        assert_true(str_starts(p.token_id, STR("tok_")));
        assert_int_equal(p.n_roles, 2);
        assert_true(principal_has_role(&p, STR("from_claims")));
        assert_true(principal_has_role(&p, STR("data_analyst")));
        assert_non_null(principal_attribute(&p, STR("region_codes")));
        assert_true(p.scopes.is_set);
        assert_int_equal(p.scopes.n, 2);
        assert_false(p.allowed_tools.is_set);
    }
    assert_int_equal(n_fetched, 1);
}

static void a_token_of_no_scopes_has_none(void **unused) {
    (void)unused;
    const struct jwt_settings jwt = usual();
    published = key_set(KEY_ED, "ed");
    struct principal p;
    assert_int_equal(
        come(loaded(&jwt, NULL), by_ed("ed", claims_and(",\"sub\":\"ann\"")), true, &p).why,
        FAIL_NONE);
    assert_true(p.scopes.is_set);
    assert_int_equal(p.scopes.n, 0);
}

static void judges_users(void **unused) {
    (void)unused;
    static const struct {
        const char *claims;
        bool is_refusing, is_accepting; /* unknown users: what comes of it */
        const char *user;
    } rows[] = {
        {",\"sub\":\"ann\"", true, true, "ann"},
        {",\"azp\":\"app-7\"", true, true, "app-7"},
        {",\"sub\":\"bob\"", false, true, "bob"},
        {",\"sub\":\"Ann\"", false, true, "Ann"},
        {",\"sub\":\"bob\",\"email\":\"ann\"", false, true, "bob"}, /* nobody else is tried */
        {",\"sub\":\"ann\xe2\x80\x8b\"", false, true, "ann\xe2\x80\x8b"},
        {",\"sub\":\"\xd0\xb0nn\"", false, true, "\xd0\xb0nn"}, /* not Latin */
        {",\"sub\":\"ann\\n\"", false, false, NULL},
        {",\"sub\":\" ann\"", false, false, NULL},
        {",\"sub\":\"\"", false, false, NULL},
        {",\"sub\":7", false, false, NULL},
        {"", false, false, NULL},
        {",\"sub\":\"ann\",\"client_id\":\"a\\u0007\"", false, false, NULL},
    };
    struct jwt_settings refusing = usual(), accepting = usual();
    accepting.unknown_users = JWT_UNKNOWN_ACCEPT;
    published = key_set(KEY_ED, "ed");
    const struct identity *identities[] = {loaded(&refusing, NULL), loaded(&accepting, NULL)};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < 2; k++) {
            bool is_in = k == 0 ? rows[i].is_refusing : rows[i].is_accepting;
            struct principal p;
            result r = come(identities[k], by_ed("ed", claims_and(rows[i].claims)), true, &p);
            if ((r.why == FAIL_NONE) != is_in) fail_msg("%s: %d", rows[i].claims, (int)k);
            assert_true(!is_in || str_eq(p.user_id, str_of(rows[i].user)));
        }
}

/* -- refused ---------------------------------------------------------------------------------- */

/* Standard error as it was written during the test. */
static int log_file, stderr_kept;

static void listen_to_log(void) {
    log_threshold(LOG_DEBUG);
    log_file = memfd_create("log", 0);
    stderr_kept = dup(2);
    assert_true(dup2(log_file, 2) >= 0);
}

static const char *heard(void) {
    static char text[16384];
    dup2(stderr_kept, 2);
    close(stderr_kept);
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    close(log_file);
    log_threshold(LOG_OFF);
    return text;
}

/* Whatever is wrong, the client hears one sentence, and neither it nor the log holds a part of the
 * token. */
static void all_refusals_sound_alike(void **unused) {
    (void)unused;
    static const struct {
        const char *kid, *claims;
        bool is_other_key;
        const char *category;
    } rows[] = {
        {"ed", ",\"sub\":\"nobody-we-know\"", false, "No authenticated user found"},
        {"ed", ",\"sub\":\"ann\",\"aud2\":1,\"nbf\":1900000000", false, "Token not valid yet"},
        {"ed", ",\"sub\":\"ann\"", true, "Signature verification failed"},
        {"other-kid", ",\"sub\":\"ann\"", false, "JWKS verification key unavailable"},
        {"ed", ",\"sub\":\"ann\",\"cnf\":{}", false, "Token bound to a key"},
        {"ed", ",\"sub\":\"ann\",\"exp\":1", false, "Token decode failed"},
        {"ed\\u0000", ",\"sub\":\"ann\"", false, "Malformed token header"},
    };
    const struct jwt_settings jwt = usual();
    const struct identity *identity = loaded(&jwt, NULL);
    published = key_set(KEY_ED, "ed");
    struct principal p;
    assert_int_equal(come(identity, by_ed("ed", claims_and(",\"sub\":\"ann\"")), true, &p).why,
                     FAIL_NONE);
    for (size_t i = 0; i < COUNT(rows); i++) {
        EVP_PKEY *good = issuer.keys[KEY_ED];
        EVP_PKEY *bad = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        if (rows[i].is_other_key) issuer.keys[KEY_ED] = bad;
        struct str token = by_ed(rows[i].kid, claims_and(rows[i].claims));
        issuer.keys[KEY_ED] = good;
        EVP_PKEY_free(bad);
        listen_to_log();
        result r = come(identity, token, true, &p);
        const char *log = heard();
        assert_int_equal(r.why, FAIL_DENIED);
        assert_string_equal(report.code, "AUTH_INVALID_TOKEN");
        assert_string_equal(report.sentence, "the bearer token is not accepted");
        if (strstr(log, rows[i].category) == NULL) fail_msg("%s: %s", rows[i].category, log);
        assert_non_null(strstr(log, "peer 192.0.2.7, path /mcp, agent agent/1"));
        static const char *const values[] = {"nobody-we-know", "other-kid",          "secret",
                                             "ann\"",          "issuer.example.com", "eyJ"};
        for (size_t v = 0; v < COUNT(values); v++) assert_null(strstr(log, values[v]));
        assert_true(p.user_id.len == 0);
        clock_move(&now, JWT_LOG_PAUSE_MS);
    }
}

static void the_log_is_not_flooded(void **unused) {
    (void)unused;
    const struct jwt_settings jwt = usual();
    const struct identity *identity = loaded(&jwt, NULL);
    published = key_set(KEY_ED, "ed");
    struct principal p;
    struct str bad = by_ed("ed", claims_and(""));
    listen_to_log();
    for (int i = 0; i < 100; i++) assert_int_equal(come(identity, bad, true, &p).why, FAIL_DENIED);
    clock_move(&now, JWT_LOG_PAUSE_MS);
    assert_int_equal(come(identity, bad, true, &p).why, FAIL_DENIED);
    const char *log = heard(), *first = strstr(log, "jwt_refused");
    assert_non_null(first);
    const char *second = strstr(first + 1, "jwt_refused");
    assert_non_null(second);
    assert_null(strstr(second + 1, "jwt_refused"));
    assert_non_null(strstr(second, "99 alike before it"));
}

static void missing_scopes_are_told_as_such(void **unused) {
    (void)unused;
    struct jwt_settings jwt = usual();
    jwt.scopes = all(SCOPES, 1);
    published = key_set(KEY_ED, "ed");
    struct principal p;
    result r = come(loaded(&jwt, NULL), by_ed("ed", claims_and(",\"sub\":\"ann\"")), true, &p);
    assert_int_equal(r.why, FAIL_DENIED);
    assert_string_equal(report.code, "INSUFFICIENT_SCOPE");
}

/* Tokens of auth.yaml may look like anything, and are known as before. */
static void tokens_of_the_file_come_first(void **unused) {
    (void)unused;
    const struct jwt_settings jwt = usual();
    struct principal p;
    assert_int_equal(come(loaded(&jwt, NULL), STR("a.b.c"), false, &p).why, FAIL_NONE);
    assert_true(str_eq(p.client_id, STR("static")));
    assert_int_equal(come(loaded(&jwt, NULL), STR("a.b"), false, &p).why, FAIL_DENIED);
    assert_int_equal(n_fetched, 0);
}

/* -- keys that change ------------------------------------------------------------------------- */

static void a_key_taken_back_verifies_nothing(void **unused) {
    (void)unused;
    const struct jwt_settings jwt = usual();
    const struct identity *identity = loaded(&jwt, NULL);
    struct str token = by_ed("ed", claims_and(",\"sub\":\"ann\",\"exp2\":1"));
    struct principal p;
    published = key_set(KEY_ED, "ed");
    assert_int_equal(come(identity, token, true, &p).why, FAIL_NONE);
    /* Rotated: a token of the new key makes us look, and the old one is no good from then on. */
    published = key_set(KEY_P256, "ec");
    struct issuer_sign how = {JWT_ES256, issuer.keys[KEY_P256], STR_NONE, false};
    struct str newer = issuer_token(&how, STR("{\"alg\":\"ES256\",\"kid\":\"ec\"}"),
                                    claims_and(",\"sub\":\"ann\""), &arena);
    assert_int_equal(come(identity, newer, true, &p).why, FAIL_DENIED); /* too soon to ask */
    assert_int_equal(come(identity, token, false, &p).why, FAIL_NONE);
    clock_move(&now, 30000);
    assert_int_equal(come(identity, newer, false, &p).why, FAIL_WAIT);
    assert_int_equal(come(identity, newer, true, &p).why, FAIL_NONE);
    assert_int_equal(come(identity, token, false, &p).why, FAIL_DENIED);
    assert_int_equal(n_fetched, 2);
}

static void an_issuer_that_is_down_is_no_reason_against_the_token(void **unused) {
    (void)unused;
    const struct jwt_settings jwt = usual();
    const struct identity *identity = loaded(&jwt, NULL);
    struct str token = by_ed("ed", claims_and(",\"sub\":\"ann\""));
    struct principal p;
    published = key_set(KEY_ED, "ed");
    atomic_store(&is_down, true);
    assert_int_equal(come(identity, token, true, &p).why, FAIL_IO);
    assert_string_equal(report.code, "ISSUER_UNAVAILABLE");
    atomic_store(&is_down, false);
    clock_move(&now, JWKS_RETRY_MS);
    assert_int_equal(come(identity, token, true, &p).why, FAIL_NONE);
    atomic_store(&is_down, true);
    clock_move(&now, 3600000 - 200000);
    assert_int_equal(come(identity, token, true, &p).why, FAIL_DENIED); /* expired meanwhile */
    assert_string_equal(report.code, "AUTH_INVALID_TOKEN");
}

/* A token that was verified is judged anew by the settings of the day. */
static void a_reload_judges_anew(void **unused) {
    (void)unused;
    struct jwt_settings jwt = usual(), other = usual();
    static struct str elsewhere[] = {STR_INIT("elsewhere")};
    other.audiences = all(elsewhere, 1);
    struct str token = by_ed("ed", claims_and(",\"sub\":\"ann\""));
    struct principal p;
    published = key_set(KEY_ED, "ed");
    assert_int_equal(come(loaded(&jwt, NULL), token, true, &p).why, FAIL_NONE);
    assert_int_equal(come(loaded(&other, NULL), token, true, &p).why, FAIL_DENIED);
    /* The key is the same, and may no longer be used for that. */
    other = usual();
    other.algorithms = all(ALGORITHMS, 1);
    assert_int_equal(come(loaded(&other, NULL), token, true, &p).why, FAIL_DENIED);
    clock_move(&now, 400000);
    assert_int_equal(come(loaded(&jwt, NULL), token, true, &p).why, FAIL_DENIED);
}

/* -- several issuers -------------------------------------------------------------------------- */

static void issuers_have_keys_and_users_of_their_own(void **unused) {
    (void)unused;
    struct jwt_settings jwt = usual();
    struct str pem = issuer_pem(issuer.keys[KEY_P256], &own), lines = STR("");
    jwt.jwks_uri = STR_NONE;
    jwt.issuers = all(NULL, 0);
    for (struct str rest = pem; rest.ptr != NULL;) {
        struct str line = str_cut(&rest, '\n');
        lines = str_printf(&own, STR_FMT "        " STR_FMT "\n", STR_ARG(lines), STR_ARG(line));
    }
    struct str weir = str_printf(&own,
                                 "jwt:\n"
                                 "  issuers:\n"
                                 "    partner:\n"
                                 "      issuer: https://partner.example.com\n"
                                 "      user_prefix: \"partner:\"\n"
                                 "      algorithms: ES256\n"
                                 "      public_key: |\n" STR_FMT "    corp:\n"
                                 "      issuer: https://issuer.example.com\n"
                                 "      user_prefix: \"corp:\"\n"
                                 "      jwks_uri: https://issuer.example.com/jwks\n",
                                 STR_ARG(lines));
    jwt.unknown_users = JWT_UNKNOWN_ACCEPT;
    const struct identity *identity = loaded(&jwt, str_cstr(&own, weir));
    published = key_set(KEY_ED, "ed");
    struct issuer_sign how = {JWT_ES256, issuer.keys[KEY_P256], STR_NONE, false};
    static const struct {
        const char *issuer;
        bool is_ours; /* signed by the key of issuer.example.com */
        const char *user;
    } rows[] = {{"https://partner.example.com", false, "partner:ann"},
                {"https://issuer.example.com", true, "corp:ann"},
                {"https://partner.example.com", true, NULL},
                {"https://issuer.example.com", false, NULL},
                {"https://other.example.com", true, NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct principal p;
        struct str claims = str_printf(
            &arena, "{\"iss\":\"%s\",\"aud\":\"weir\",\"exp\":1800000300,\"sub\":\"ann\"}",
            rows[i].issuer);
        struct str token = rows[i].is_ours
                               ? by_ed("ed", claims)
                               : issuer_token(&how, STR("{\"alg\":\"ES256\"}"), claims, &arena);
        result r = come(identity, token, true, &p);
        if ((r.why == FAIL_NONE) != (rows[i].user != NULL)) fail_msg("row %zu", i);
        if (rows[i].user != NULL) assert_true(str_eq(p.user_id, str_of(rows[i].user)));
    }
}

/* -- settings that are refused ----------------------------------------------------------------- */

static void starts_with_whole_settings_alone(void **unused) {
    (void)unused;
    static const struct str secret = STR_INIT("0123456789abcdef0123456789abcdef");
    static struct str several[] = {STR_INIT("https://a.example"), STR_INIT("https://b.example")};
    static struct str mixed[] = {STR_INIT("RS256"), STR_INIT("HS256")};
    static struct str none[] = {STR_INIT("none")};
    struct str rsa = issuer_pem(issuer.keys[KEY_RSA], &own);
    const struct jwt_settings u = usual();
    struct jwt_settings s[16];
    for (size_t i = 0; i < COUNT(s); i++) s[i] = u;
    s[1].jwks_uri = STR_NONE;
    s[2].audiences = all(NULL, 0);
    s[3].issuers = all(several, 2);
    s[4].algorithms = all(HS256, 1);
    s[5].secret = secret;
    s[6].algorithms = all(mixed, 2);
    s[7].algorithms = all(none, 1);
    s[8].jwks_uri = STR_NONE;
    s[8].secret = secret; /* and RS256 */
    s[9] = s[8];
    s[9].algorithms = all(HS256, 1);
    s[9].secret = STR("short");
    s[10].jwks_uri = STR("http://issuer.example.com/jwks");
    s[11].jwks_uri = STR("http://localhost@issuer.example.com/jwks");
    s[12].jwks_uri = STR_NONE;
    s[12].public_key = rsa;
    s[12].algorithms = all(&ALGORITHMS[1], 1);
    s[13] = s[9];
    s[13].secret = rsa;
    s[14].jwks_uri = STR("file:///etc/keys");
    const struct {
        const struct jwt_settings *jwt;
        bool has_dev;
        const char *weir, *says; /* NULL: it starts */
    } rows[] = {
        {&s[0], false, NULL, NULL},
        {&s[0], true, NULL, "development user"},
        {&s[1], false, NULL, "no key"},
        {&s[2], false, NULL, "no audience"},
        {&s[3], false, NULL, "several issuers"},
        {&s[4], false, NULL, "not those of the key"},
        {&s[5], false, NULL, "shared secret does not stand beside"},
        {&s[6], false, NULL, "do not stand together"},
        {&s[7], false, NULL, "none that we verify"},
        {&s[8], false, NULL, "not those of the key"},
        {&s[9], false, NULL, "32 to"},
        {&s[10], false, NULL, "https"},
        {&s[11], false, NULL, "https"},
        {&s[12], false, NULL, "another kind"},
        {&s[13], false, NULL, "PEM"},
        {&s[14], false, NULL, "https"},
        {&s[0], false, "jwt: {issuers: {a: {issuer: b, jwks_uri: \"https://b.c\"}}}\n",
         "name one user alike"},
        {&s[1], false, "jwt: {issuers: {a: {jwks_uri: \"https://b.c\"}}}\n", "issuer"},
        {&s[1], false, "jwt: {issuers: {a: {issuer: b}}}\n", "no key"},
        {&s[1], false, "jwt: {issuers: {a: {issuer: b, jwks_url: c}}}\n", "jwks_url"},
        {&s[1], false,
         "jwt: {issuers: {a: {issuer: b, jwks_uri: \"https://b.c\", user_prefix: \"a:\"}, "
         "d: {issuer: e, jwks_uri: \"https://e.f\", user_prefix: \"a:b:\"}}}\n",
         "name one user alike"},
        {&s[1], false,
         "jwt: {issuers: {a: {issuer: b, jwks_uri: \"https://b.c\", user_prefix: \"a:\"}, "
         "d: {issuer: b, jwks_uri: \"https://e.f\", user_prefix: \"b:\"}}}\n",
         "two places"},
        {&s[1], false,
         "jwt: {issuers: {a: {issuer: b, jwks_uri: \"https://b.c\", user_prefix: \"a:\"}, "
         "d: {issuer: e, jwks_uri: \"https://e.f\", user_prefix: \"b:\"}}}\n",
         NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct problems problems;
        const struct identity *identity =
            load(rows[i].jwt, rows[i].weir, rows[i].has_dev, &problems);
        struct str told = STR("");
        for (size_t p = 0; p < problems.n; p++)
            told = str_printf(&own, STR_FMT STR_FMT "\n", STR_ARG(told),
                              STR_ARG(problem_print(&problems.items[p], &own)));
        if ((identity != NULL) != (rows[i].says == NULL))
            fail_msg("row %zu: " STR_FMT, i, STR_ARG(told));
        if (rows[i].says == NULL) continue;
        if (str_find(told, str_of(rows[i].says)) == told.len)
            fail_msg("row %zu, '%s': " STR_FMT, i, rows[i].says, STR_ARG(told));
        assert_true(str_find(told, STR("0123456789")) == told.len);
        assert_true(str_find(told, STR("MIIB")) == told.len);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_its_principal, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_of_no_scopes_has_none, setup, teardown),
        cmocka_unit_test_setup_teardown(judges_users, setup, teardown),
        cmocka_unit_test_setup_teardown(all_refusals_sound_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_is_not_flooded, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_scopes_are_told_as_such, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_of_the_file_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_taken_back_verifies_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_issuer_that_is_down_is_no_reason_against_the_token,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_reload_judges_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(issuers_have_keys_and_users_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_with_whole_settings_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
