/* Tokens: what a good one is, and every way in which one is not. */
#include "identity/jwt.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/rand.h"
#include "issuer.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;
static struct issuer issuer;
static const struct str SECRET = STR_INIT("0123456789abcdef0123456789abcdef");
static const int64_t NOW = 1800000000;

static int begin(void **state) {
    (void)state;
    issuer_begin(&issuer);
    return 0;
}

static int end(void **state) {
    (void)state;
    issuer_end(&issuer);
    return 0;
}

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 24);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fault_off();
    arena_deinit(&arena);
    return 0;
}

/* -- one token by one set of keys -------------------------------------------------------------- */

static const struct jwt_algs ALL = {{JWT_RS256, JWT_RS384, JWT_RS512, JWT_PS256, JWT_PS384,
                                     JWT_PS512, JWT_ES256, JWT_ES384, JWT_EDDSA},
                                    9};
static const struct str ISSUERS[] = {STR_INIT("https://issuer.example.com")};
static const struct str AUDIENCES[] = {STR_INIT("https://weir.example.com/mcp"), STR_INIT("weir")};
static const struct str SCOPES[] = {STR_INIT("mcp:read")};
static const struct jwt_rules RULES = {{ISSUERS, 1}, {AUDIENCES, 2}, {SCOPES, 1}, 60};

/* The public keys, by name. RSA's key is for RS256, being named so. */
static struct jwk_set public_keys(void) {
    static const struct {
        enum issuer_key key;
        const char *names;
    } rows[] = {{KEY_RSA, "\"kid\":\"rsa\",\"alg\":\"RS256\""},
                {KEY_P256, "\"kid\":\"p256\""},
                {KEY_P384, "\"kid\":\"p384\""},
                {KEY_ED, "\"kid\":\"ed\",\"use\":\"sig\""}};
    struct str list = STR("");
    for (size_t i = 0; i < COUNT(rows); i++)
        list =
            str_printf(&arena, STR_FMT "%s{%s," STR_FMT "}", STR_ARG(list), i > 0 ? "," : "",
                       rows[i].names, STR_ARG(issuer_jwk_parts(issuer.keys[rows[i].key], &arena)));
    struct str json = str_printf(&arena, "{\"keys\":[" STR_FMT "]}", STR_ARG(list));
    struct jwk_set set;
    assert_int_equal(jwk_set_read(json, &ALL, &arena, &set, NULL).why, FAIL_NONE);
    assert_int_equal(set.n, COUNT(rows));
    return set;
}

static enum jwt_verdict judge(struct str token, const struct jwk_set *keys,
                              const struct jwt_rules *rules) {
    struct jwt_parts parts;
    struct jwt_header header;
    const struct json *claims = NULL;
    bool knows;
    enum jwt_verdict verdict = jwt_split(token, &parts);
    if (verdict == JWT_GOOD) verdict = jwt_read_header(&parts, &arena, &header);
    if (verdict != JWT_GOOD) return verdict;
    const struct jwk *key = jwk_find(keys, header.kid, header.alg, &knows);
    if (key == NULL) return knows ? JWT_ALGORITHM : JWT_KEY_UNKNOWN;
    verdict = jwt_verify(&parts, key, &arena);
    if (verdict == JWT_GOOD) verdict = jwt_read_claims(&parts, &arena, &claims);
    return verdict == JWT_GOOD ? jwt_judge(claims, rules, NOW, &arena) : verdict;
}

/* -- every algorithm -------------------------------------------------------------------------- */

static const struct str CLAIMS = STR_INIT("{\"iss\":\"https://issuer.example.com\",\"sub\":\"ann\","
                                          "\"aud\":\"weir\",\"exp\":1800000300,\"nbf\":1799999990,"
                                          "\"iat\":1799999990,\"scope\":\"mcp:read mcp:call\"}");

static void verifies_by_every_algorithm_and_by_no_other(void **state) {
    (void)state;
    static const struct {
        enum jwt_alg alg;
        enum issuer_key key;
    } rows[] = {{JWT_RS256, KEY_RSA},  {JWT_RS384, KEY_RSA},  {JWT_RS512, KEY_RSA},
                {JWT_PS256, KEY_RSA},  {JWT_PS384, KEY_RSA},  {JWT_PS512, KEY_RSA},
                {JWT_ES256, KEY_P256}, {JWT_ES384, KEY_P384}, {JWT_EDDSA, KEY_ED},
                {JWT_HS256, KEY_RSA},  {JWT_HS384, KEY_RSA},  {JWT_HS512, KEY_RSA}};
    for (size_t k = 0; k < COUNT(rows); k++) {
        const struct jwt_algs one = {{rows[k].alg}, 1};
        struct jwk_set set;
        bool is_hmac = jwt_alg_row(rows[k].alg)->family == JWT_HMAC;
        struct str pem = issuer_pem(issuer.keys[rows[k].key], &arena);
        result r = is_hmac ? jwk_read_secret(SECRET, &one, &arena, &set, NULL)
                           : jwk_read_pem(pem, &one, &arena, &set, NULL);
        assert_int_equal(r.why, FAIL_NONE);
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct issuer_sign how = {rows[i].alg, issuer.keys[rows[i].key], SECRET, false};
            struct str bytes = STR("header.payload");
            struct str signature = issuer_signature(&how, bytes, &arena);
            assert_true(jwk_verify(&set.keys[0], bytes, signature) == (i == k));
            assert_false(jwk_verify(&set.keys[0], STR("header.payloae"), signature));
        }
    }
}

/* A bit of the signature, each byte in turn; and every shorter and one longer signature. */
static void verifies_no_signature_but_the_one(void **state) {
    (void)state;
    static const struct {
        enum jwt_alg alg;
        enum issuer_key key;
    } rows[] = {{JWT_RS256, KEY_RSA},  {JWT_PS256, KEY_RSA}, {JWT_ES256, KEY_P256},
                {JWT_ES384, KEY_P384}, {JWT_EDDSA, KEY_ED},  {JWT_HS256, KEY_RSA}};
    for (size_t k = 0; k < COUNT(rows); k++) {
        const struct jwt_algs one = {{rows[k].alg}, 1};
        struct jwk_set set;
        bool is_hmac = rows[k].alg == JWT_HS256;
        struct str pem = issuer_pem(issuer.keys[rows[k].key], &arena), bytes = STR("a.b");
        result r = is_hmac ? jwk_read_secret(SECRET, &one, &arena, &set, NULL)
                           : jwk_read_pem(pem, &one, &arena, &set, NULL);
        assert_int_equal(r.why, FAIL_NONE);
        struct issuer_sign how = {rows[k].alg, issuer.keys[rows[k].key], SECRET, false};
        struct str good = issuer_signature(&how, bytes, &arena);
        char *text = arena_alloc(&arena, good.len + 1, 1);
        memcpy(text, good.ptr, good.len);
        for (size_t i = 0; i < good.len; i++) {
            text[i] = (char)(text[i] ^ 4);
            assert_false(jwk_verify(&set.keys[0], bytes, (struct str){text, good.len}));
            text[i] = good.ptr[i];
            if (i % 8 == 0) assert_false(jwk_verify(&set.keys[0], bytes, (struct str){text, i}));
        }
        assert_false(jwk_verify(&set.keys[0], bytes, (struct str){text, good.len + 1}));
        assert_true(jwk_verify(&set.keys[0], bytes, (struct str){text, good.len}));
    }
}

/* r and s from 1 to the order of the curve less one, or none (CVE-2022-21449 took zeros). */
static void refuses_numbers_out_of_range(void **state) {
    (void)state;
    static const struct str order =
        STR_INIT("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    uint8_t n[32], zero[32] = {0}, one[32] = {[31] = 1}, ones[32];
    memset(ones, 0xff, sizeof ones);
    assert_true(hex_decode(order, n, sizeof n));
    const uint8_t *const halves[] = {zero, one, n, ones};
    struct jwk_set set = public_keys();
    bool knows;
    const struct jwk *key = jwk_find(&set, STR("p256"), JWT_ES256, &knows);
    for (size_t r = 0; r < COUNT(halves); r++)
        for (size_t s = 0; s < COUNT(halves); s++) {
            char signature[64];
            memcpy(signature, halves[r], 32);
            memcpy(signature + 32, halves[s], 32);
            assert_false(jwk_verify(key, STR("a.b"), (struct str){signature, 64}));
        }
}

/* -- headers ---------------------------------------------------------------------------------- */

enum signer { BY_RSA, BY_OTHER_RSA, BY_P256, BY_P256_DER, BY_ED, BY_PS, BY_SECRET_PEM, BY_NOBODY };

static struct str signed_by(enum signer signer, struct str header, struct str claims) {
    struct issuer_sign how[] = {
        [BY_RSA] = {JWT_RS256, issuer.keys[KEY_RSA], STR_NONE, false},
        [BY_OTHER_RSA] = {JWT_RS256, issuer.keys[KEY_RSA_OTHER], STR_NONE, false},
        [BY_P256] = {JWT_ES256, issuer.keys[KEY_P256], STR_NONE, false},
        [BY_P256_DER] = {JWT_ES256, issuer.keys[KEY_P256], STR_NONE, true},
        [BY_ED] = {JWT_EDDSA, issuer.keys[KEY_ED], STR_NONE, false},
        [BY_PS] = {JWT_PS256, issuer.keys[KEY_RSA], STR_NONE, false},
        [BY_SECRET_PEM] = {JWT_HS256, NULL, issuer_pem(issuer.keys[KEY_RSA], &arena), false},
        [BY_NOBODY] = {JWT_ALG_NONE, NULL, STR_NONE, false},
    };
    return issuer_token(&how[signer], header, claims, &arena);
}

/* `@` in a header stands for the public key of the attacker. */
static struct str with_key(const char *header) {
    struct str text = str_of(header), jwk = issuer_jwk_parts(issuer.keys[KEY_RSA_OTHER], &arena);
    size_t at = str_find_byte(text, '@');
    if (at == text.len) return text;
    return str_printf(&arena, STR_FMT STR_FMT STR_FMT, STR_ARG(str_slice(text, 0, at)),
                      STR_ARG(jwk), STR_ARG(str_slice(text, at + 1, text.len)));
}

static void judges_headers(void **state) {
    (void)state;
    static const struct {
        const char *what, *header;
        enum signer signer;
        enum jwt_verdict verdict;
    } rows[] = {
        {"plain", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", BY_RSA, JWT_GOOD},
        {"JWT", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"jwt\"}", BY_RSA, JWT_GOOD},
        {"at+jwt", "{\"alg\":\"ES256\",\"kid\":\"p256\",\"typ\":\"at+jwt\"}", BY_P256, JWT_GOOD},
        {"media type", "{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"application/at+jwt\"}", BY_ED,
         JWT_GOOD},
        {"unknown member", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":1}", BY_RSA, JWT_GOOD},
        {"own key given too", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jku\":\"https://a.b\"}", BY_RSA,
         JWT_GOOD},

        {"none", "{\"alg\":\"none\",\"kid\":\"rsa\"}", BY_NOBODY, JWT_ALGORITHM},
        {"None", "{\"alg\":\"None\",\"kid\":\"rsa\"}", BY_NOBODY, JWT_ALGORITHM},
        {"NONE", "{\"alg\":\"NONE\"}", BY_NOBODY, JWT_ALGORITHM},
        {"nOnE, signed", "{\"alg\":\"nOnE\",\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"empty", "{\"alg\":\"\",\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"absent", "{\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"a list", "{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"small letters", "{\"alg\":\"rs256\",\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"blank", "{\"alg\":\"RS256 \",\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"fullwidth", "{\"alg\":\"\xef\xbc\xb2S256\",\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"NUL", "{\"alg\":\"RS256\\u0000\",\"kid\":\"rsa\"}", BY_RSA, JWT_MALFORMED},
        {"HS256 by the public key", "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", BY_SECRET_PEM,
         JWT_ALGORITHM},
        {"RS256 as HMAC", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", BY_SECRET_PEM, JWT_SIGNATURE},
        {"another of the family", "{\"alg\":\"RS512\",\"kid\":\"rsa\"}", BY_RSA, JWT_ALGORITHM},
        {"PSS by RS256's key", "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", BY_PS, JWT_ALGORITHM},
        {"PSS said to be RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", BY_PS, JWT_SIGNATURE},
        {"ES256 by an RSA key's name", "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", BY_P256,
         JWT_ALGORITHM},
        {"unsigned", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", BY_NOBODY, JWT_SIGNATURE},

        {"another kid", "{\"alg\":\"RS256\",\"kid\":\"p256\"}", BY_RSA, JWT_ALGORITHM},
        {"unknown kid", "{\"alg\":\"RS256\",\"kid\":\"rsa2\"}", BY_RSA, JWT_KEY_UNKNOWN},
        {"kid in capitals", "{\"alg\":\"RS256\",\"kid\":\"RSA\"}", BY_RSA, JWT_KEY_UNKNOWN},
        {"a path", "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}", BY_RSA, JWT_KEY_UNKNOWN},
        {"a statement", "{\"alg\":\"RS256\",\"kid\":\"' OR 1=1 --\"}", BY_RSA, JWT_KEY_UNKNOWN},
        {"empty kid", "{\"alg\":\"RS256\",\"kid\":\"\"}", BY_RSA, JWT_KEY_UNKNOWN},
        {"kid a number", "{\"alg\":\"RS256\",\"kid\":1}", BY_RSA, JWT_MALFORMED},
        {"no kid, four keys", "{\"alg\":\"RS256\"}", BY_RSA, JWT_ALGORITHM},
        {"kid with a zero-width blank", "{\"alg\":\"RS256\",\"kid\":\"rsa\xe2\x80\x8b\"}", BY_RSA,
         JWT_KEY_UNKNOWN},

        {"alg twice", "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", BY_RSA,
         JWT_MALFORMED},
        {"alg twice, escaped", "{\"alg\":\"RS256\",\"\\u0061lg\":\"none\",\"kid\":\"rsa\"}", BY_RSA,
         JWT_MALFORMED},
        {"kid twice", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"kid\":\"rsa\"}", BY_RSA, JWT_MALFORMED},
        {"crit", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"exp\"],\"exp\":1}", BY_RSA,
         JWT_MALFORMED},
        {"crit empty", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[]}", BY_RSA, JWT_MALFORMED},
        {"crit null", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":null}", BY_RSA, JWT_MALFORMED},
        {"b64", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"b64\":false}", BY_RSA, JWT_MALFORMED},
        {"b64 true", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"b64\":true}", BY_RSA, JWT_MALFORMED},
        {"a token in a token", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"cty\":\"JWT\"}", BY_RSA,
         JWT_MALFORMED},
        {"compressed", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"zip\":\"DEF\"}", BY_RSA,
         JWT_MALFORMED},
        {"a proof", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"dpop+jwt\"}", BY_RSA,
         JWT_MALFORMED},
        {"a log-out", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"logout+jwt\"}", BY_RSA,
         JWT_MALFORMED},
        {"typ no text", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":null}", BY_RSA, JWT_MALFORMED},
        {"jwk of the attacker", "{\"alg\":\"RS256\",\"jwk\":{@}}", BY_OTHER_RSA, JWT_ALGORITHM},
        {"jwk under our kid", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":{@}}", BY_OTHER_RSA,
         JWT_SIGNATURE},
        {"jku", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jku\":\"https://evil.example/k\"}",
         BY_OTHER_RSA, JWT_SIGNATURE},
        {"x5u", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x5u\":\"https://evil.example/c\"}",
         BY_OTHER_RSA, JWT_SIGNATURE},
        {"x5c", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x5c\":[\"MIIB\"]}", BY_OTHER_RSA,
         JWT_SIGNATURE},
        {"DER", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", BY_P256_DER, JWT_SIGNATURE},
        {"no object", "[\"RS256\"]", BY_RSA, JWT_MALFORMED},
        {"no JSON", "{\"alg\":\"RS256\",\"kid\":\"rsa\",}", BY_RSA, JWT_MALFORMED},
        {"a mark before", "\xef\xbb\xbf{\"alg\":\"RS256\",\"kid\":\"rsa\"}", BY_RSA, JWT_MALFORMED},
        {"more behind", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}{}", BY_RSA, JWT_MALFORMED},
        {"no UTF-8", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":\"\xff\"}", BY_RSA, JWT_MALFORMED},
    };
    struct jwk_set keys = public_keys();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str token = signed_by(rows[i].signer, with_key(rows[i].header), CLAIMS);
        enum jwt_verdict verdict = judge(token, &keys, &RULES);
        if (verdict != rows[i].verdict)
            fail_msg("%s: %s, not %s", rows[i].what, jwt_verdict_name(verdict),
                     jwt_verdict_name(rows[i].verdict));
    }
}

/* -- claims ----------------------------------------------------------------------------------- */

/* The good claims, with one text in them replaced by another. */
static struct str claims_with(const char *from, const char *to) {
    struct str all = CLAIMS, old = str_of(from);
    size_t at = str_find(all, old);
    assert_true(at < all.len);
    return str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(str_slice(all, 0, at)), to,
                      STR_ARG(str_slice(all, at + old.len, all.len)));
}

static void judges_claims(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        enum jwt_verdict verdict;
    } rows[] = {
        {"weir", "weir", JWT_GOOD},
        {"\"weir\"", "[\"other\",\"https://weir.example.com/mcp\"]", JWT_GOOD},
        {"\"weir\"", "\"https://weir.example.com/mcp/\"", JWT_AUDIENCE},
        {"\"weir\"", "\"https://weir.example.com\"", JWT_AUDIENCE},
        {"\"weir\"", "\"Weir\"", JWT_AUDIENCE},
        {"\"weir\"", "\"weir \"", JWT_AUDIENCE},
        {"\"weir\"", "\"*\"", JWT_AUDIENCE},
        {"\"weir\"", "\"\"", JWT_AUDIENCE},
        {"\"weir\"", "[]", JWT_AUDIENCE},
        {"\"weir\"", "null", JWT_CLAIMS},
        {"\"weir\"", "[\"weir\",1]", JWT_CLAIMS},
        {"\"weir\"", "[[\"weir\"]]", JWT_CLAIMS},
        {"\"weir\"", "{\"weir\":\"weir\"}", JWT_CLAIMS},
        {"\"aud\"", "\"aUd\"", JWT_AUDIENCE},

        {"1800000300", "1799999941", JWT_GOOD}, /* within the skew */
        {"1800000300", "1799999940", JWT_EXPIRED},
        {"1800000300", "0", JWT_EXPIRED},
        {"1800000300", "253402300799", JWT_GOOD},
        {"1800000300", "253402300800", JWT_CLAIMS},
        {"1800000300", "9223372036854775807", JWT_CLAIMS},
        {"1800000300", "99999999999999999999", JWT_CLAIMS},
        {"1800000300", "1e300", JWT_CLAIMS},
        {"1800000300", "1e400", JWT_CLAIMS},
        {"1800000300", "1800000300.0", JWT_CLAIMS},
        {"1800000300", "18e8", JWT_CLAIMS},
        {"1800000300", "-1", JWT_CLAIMS},
        {"1800000300", "\"1800000300\"", JWT_CLAIMS},
        {"1800000300", "true", JWT_CLAIMS},
        {"1800000300", "null", JWT_CLAIMS},
        {"1800000300", "[1800000300]", JWT_CLAIMS},
        {"\"exp\":1800000300,", "", JWT_NO_EXPIRY},
        {"\"exp\":1800000300", "\"exp\":1,\"exp\":1800000300", JWT_CLAIMS},
        {"\"exp\"", "\"EXP\"", JWT_NO_EXPIRY},

        {"\"nbf\":1799999990", "\"nbf\":1800000060", JWT_GOOD},
        {"\"nbf\":1799999990", "\"nbf\":1800000061", JWT_NOT_YET},
        {"\"nbf\":1799999990", "\"nbf\":\"0\"", JWT_CLAIMS},
        {"\"iat\":1799999990", "\"iat\":1800000061", JWT_NOT_YET},
        {"\"iat\":1799999990", "\"iat\":1.5", JWT_CLAIMS},
        {"\"nbf\":1799999990,\"iat\":1799999990,", "", JWT_GOOD},

        {"issuer.example.com", "issuer.example.com/", JWT_ISSUER},
        {"issuer.example.com", "issuer.example.com.evil.example", JWT_ISSUER},
        {"https://issuer", "http://issuer", JWT_ISSUER},
        {"https://issuer.example.com", "", JWT_ISSUER},
        {"\"https://issuer.example.com\"", "[\"https://issuer.example.com\"]", JWT_CLAIMS},
        {"\"iss\"", "\"isz\"", JWT_ISSUER},

        {"mcp:read mcp:call", "mcp:read", JWT_GOOD},
        {"\"mcp:read mcp:call\"", "[\"mcp:call\",\"mcp:read\"]", JWT_GOOD},
        {"\"scope\":", "\"scp\":", JWT_GOOD},
        {"\"scope\":", "\"scope\":\"\",\"scp\":", JWT_SCOPES},
        {"mcp:read mcp:call", "mcp:readx mcp:*", JWT_SCOPES},
        {"mcp:read mcp:call", "MCP:READ", JWT_SCOPES},
        {"mcp:read mcp:call", "", JWT_SCOPES},
        {"mcp:read mcp:call", "mcp:call\\tmcp:read", JWT_SCOPES},
        {"\"mcp:read mcp:call\"", "[\"mcp:call mcp:read\"]", JWT_SCOPES},
        {"\"mcp:read mcp:call\"", "[\"mcp:read\",1]", JWT_CLAIMS},
        {"\"mcp:read mcp:call\"", "{\"mcp:read\":1}", JWT_CLAIMS},
        {"\"mcp:read mcp:call\"", "null", JWT_CLAIMS},
        {"\"scope\"", "\"roles\"", JWT_SCOPES},

        {"\"sub\"", "\"cnf\":{\"jkt\":\"x\"},\"sub\"", JWT_PROOF},
        {"\"sub\":\"ann\"", "\"sub\":\"\\ud800\"", JWT_CLAIMS},
        {"\"sub\":\"ann\"", "\"sub\":\"a\\u0000\"", JWT_CLAIMS},
    };
    struct jwk_set keys = public_keys();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str token = signed_by(BY_ED, STR("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"),
                                     claims_with(rows[i].from, rows[i].to));
        enum jwt_verdict verdict = judge(token, &keys, &RULES);
        if (verdict != rows[i].verdict)
            fail_msg("%s -> %s: %s, not %s", rows[i].from, rows[i].to, jwt_verdict_name(verdict),
                     jwt_verdict_name(rows[i].verdict));
    }
    static const char *const payloads[] = {"[]", "\"a\"", "", "null", "1"};
    for (size_t i = 0; i < COUNT(payloads); i++) {
        struct str token =
            signed_by(BY_ED, STR("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"), str_of(payloads[i]));
        assert_true(judge(token, &keys, &RULES) != JWT_GOOD);
    }
}

/* Nested texts are no way around: the inner token is a payload that is no object. */
static void refuses_a_token_as_payload(void **state) {
    (void)state;
    struct jwk_set keys = public_keys();
    struct str header = STR("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}");
    struct str inner = signed_by(BY_ED, header, CLAIMS);
    assert_int_equal(judge(signed_by(BY_ED, header, inner), &keys, &RULES), JWT_CLAIMS);
}

static void needs_an_audience_and_takes_any_issuer_only_without_one_set(void **state) {
    (void)state;
    struct jwk_set keys = public_keys();
    struct str token = signed_by(BY_ED, STR("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"), CLAIMS);
    struct jwt_rules rules = {.audiences = {AUDIENCES, 2}};
    assert_int_equal(judge(token, &keys, &rules), JWT_GOOD);
    rules = (struct jwt_rules){.issuers = {ISSUERS, 1}};
    assert_int_equal(judge(token, &keys, &rules), JWT_AUDIENCE);
}

/* -- bytes ------------------------------------------------------------------------------------ */

static void has_one_spelling(void **state) {
    (void)state;
    struct jwk_set keys = public_keys();
    struct str good = signed_by(BY_P256, STR("{\"alg\":\"ES256\",\"kid\":\"p256\"}"), CLAIMS);
    static const char *const around[][2] = {
        {"", "="},  {"", "=="}, {"", "."}, {".", ""},  {"", " "},
        {" ", ""},  {"", "\n"}, {"", "A"}, {"", ".A"}, {"\xef\xbb\xbf", ""},
        {"", "%3D"}};
    assert_int_equal(judge(good, &keys, &RULES), JWT_GOOD);
    for (size_t i = 0; i < COUNT(around); i++)
        assert_true(
            judge(str_printf(&arena, "%s" STR_FMT "%s", around[i][0], STR_ARG(good), around[i][1]),
                  &keys, &RULES) != JWT_GOOD);
    /* 64 bytes are 85 digits and two bits: sixteen spellings of the last digit mean one signature
     * to a lax reader, and one to us. */
    char *text = arena_alloc(&arena, good.len, 1);
    memcpy(text, good.ptr, good.len);
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < 64; i++) {
        text[good.len - 1] = digits[i];
        bool is_same = text[good.len - 1] == good.ptr[good.len - 1];
        assert_true((judge((struct str){text, good.len}, &keys, &RULES) == JWT_GOOD) == is_same);
    }
    static const char *const shapes[] = {"",    ".",   "..",   "a.b", "a.b.c.d",
                                         "a..", "..a", "a.b.", "...."};
    for (size_t i = 0; i < COUNT(shapes); i++)
        assert_int_equal(judge(str_of(shapes[i]), &keys, &RULES), JWT_MALFORMED);
}

static void bounds_size_and_depth(void **state) {
    (void)state;
    struct jwk_set keys = public_keys();
    struct str header = STR("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}");
    char *filler = arena_alloc(&arena, TOKEN_BYTES_MAX + 1, 1);
    memset(filler, 'x', TOKEN_BYTES_MAX);
    struct str large = signed_by(BY_ED, header, claims_with("ann", filler));
    assert_int_equal(judge(large, &keys, &RULES), JWT_MALFORMED);
    filler[4000] = '\0';
    assert_int_equal(judge(signed_by(BY_ED, header, claims_with("ann", filler)), &keys, &RULES),
                     JWT_GOOD);
    static const char deep[] = "[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]";
    assert_int_equal(judge(signed_by(BY_ED, header, claims_with("\"ann\"", deep)), &keys, &RULES),
                     JWT_CLAIMS);
}

/* Whatever byte is changed, the token is no good one. */
static void notices_every_changed_byte(void **state) {
    (void)state;
    struct jwk_set keys = public_keys();
    struct str good = signed_by(BY_P256, STR("{\"alg\":\"ES256\",\"kid\":\"p256\"}"), CLAIMS);
    for (size_t i = 0; i < good.len; i++) {
        char *text = arena_alloc(&arena, good.len, 1);
        memcpy(text, good.ptr, good.len);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_true(judge((struct str){text, good.len}, &keys, &RULES) != JWT_GOOD);
    }
}

/* -- who -------------------------------------------------------------------------------------- */

static const struct json *claims_of(const char *text) {
    const struct json *claims = NULL;
    assert_int_equal(json_read(str_of(text), NULL, &arena, &claims, NULL).why, FAIL_NONE);
    return claims;
}

static void finds_user_and_client(void **state) {
    (void)state;
    static const struct str seed[] = {STR_INIT("sub"), STR_INIT("client_id"), STR_INIT("email"),
                                      STR_INIT("username")};
    static const struct str newer[] = {STR_INIT("preferred_username"), STR_INIT("email"),
                                       STR_INIT("sub")};
    static const struct {
        const char *claims, *seed, *newer, *client;
    } rows[] = {
        {"{\"sub\":\"a\",\"email\":\"b@c\",\"client_id\":\"d\"}", "a", "b@c", "d"},
        {"{\"client_id\":\"d\",\"azp\":\"e\"}", "d", "", "d"},
        {"{\"azp\":\"e\",\"username\":\"f\"}", "e", "", "e"},
        {"{\"username\":\"f\"}", "f", "", ""},
        {"{\"sub\":\"\",\"email\":\"b@c\"}", "b@c", "b@c", ""},
        {"{\"sub\":7,\"preferred_username\":\"g\"}", "", "g", ""},
        {"{\"email\":\"b@c\",\"email_verified\":false,\"username\":\"f\"}", "f", "", ""},
        {"{\"email\":\"b@c\",\"email_verified\":\"true\"}", "", "", ""},
        {"{\"email\":\"b@c\",\"email_verified\":true}", "b@c", "b@c", ""},
        {"{}", "", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct json *claims = claims_of(rows[i].claims);
        assert_true(str_eq(jwt_user(claims, &(struct str_list){seed, 4}), str_of(rows[i].seed)));
        assert_true(str_eq(jwt_user(claims, &(struct str_list){newer, 3}), str_of(rows[i].newer)));
        assert_true(str_eq(jwt_client(claims), str_of(rows[i].client)));
    }
}

static void reads_lists_of_texts(void **state) {
    (void)state;
    static const struct {
        const char *name, *texts;
    } rows[] = {{"roles", "a,b"},     {"/realm_access/roles", "c"},
                {"group", "d"},       {"/roles/0", "a"},
                {"none", ""},         {"/none/x", ""},
                {"realm_access", ""}, {"https://a/roles", "e"}};
    const struct json *claims =
        claims_of("{\"roles\":[\"a\",1,\"b\",\"\"],\"realm_access\":{\"roles\":[\"c\"]},"
                  "\"group\":\"d\",\"https://a/roles\":\"e\"}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str texts[4], all = STR("");
        size_t n = 0;
        jwt_texts(claims, str_of(rows[i].name), COUNT(texts), texts, &n);
        for (size_t t = 0; t < n; t++)
            all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), t > 0 ? "," : "",
                             STR_ARG(texts[t]));
        assert_true(str_eq(all, str_of(rows[i].texts)));
    }
    struct str one[1];
    size_t n = 0;
    jwt_texts(claims, STR("roles"), 1, one, &n);
    assert_int_equal(n, 1);
}

static void a_spent_arena_makes_no_good_token(void **state) {
    (void)state;
    struct jwk_set keys = public_keys();
    struct str token = signed_by(BY_ED, STR("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"), CLAIMS);
    for (long n = 0;; n++) {
        fault_set(n);
        enum jwt_verdict verdict = judge(token, &keys, &RULES);
        bool is_unused = fault_unused();
        fault_off();
        if (is_unused) {
            assert_int_equal(verdict, JWT_GOOD);
            break;
        }
        assert_true(verdict != JWT_GOOD);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verifies_by_every_algorithm_and_by_no_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(verifies_no_signature_but_the_one, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_numbers_out_of_range, setup, teardown),
        cmocka_unit_test_setup_teardown(judges_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(judges_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_token_as_payload, setup, teardown),
        cmocka_unit_test_setup_teardown(needs_an_audience_and_takes_any_issuer_only_without_one_set,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(has_one_spelling, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_size_and_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_every_changed_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_user_and_client, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_lists_of_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_spent_arena_makes_no_good_token, setup, teardown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
