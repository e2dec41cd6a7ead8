/* Keys: which are used, for which algorithm, and which are left out. */
#include "identity/jwk.h"

#include "base/fault.h"
#include "base/limits.h"
#include "issuer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;
static struct issuer issuer;
static struct report report;

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
    report_clear(&report);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fault_off();
    arena_deinit(&arena);
    return 0;
}

static const struct jwt_algs ALL = {{JWT_RS256, JWT_PS256, JWT_ES256, JWT_ES384, JWT_EDDSA}, 5};
static const struct jwt_algs ALL_AND_HMAC = {{JWT_RS256, JWT_ES256, JWT_HS256}, 3};

static result read_set(const char *keys, const struct jwt_algs *allowed, struct jwk_set *out) {
    report_clear(&report);
    return jwk_set_read(str_printf(&arena, "{\"keys\":[%s]}", keys), allowed, &arena, out, &report);
}

static const char *parts_of(enum issuer_key key) {
    return str_cstr(&arena, issuer_jwk_parts(issuer.keys[key], &arena));
}

/* One key, its parts as they are, and these members beside. */
static void takes_keys_for_signatures_alone(void **state) {
    (void)state;
    static const struct {
        enum issuer_key key;
        const char *members;
        enum jwt_alg alg; /* NONE: left out */
    } rows[] = {
        {KEY_RSA, "", JWT_RS256},
        {KEY_P256, "", JWT_ES256},
        {KEY_P384, "", JWT_ES384},
        {KEY_ED, "", JWT_EDDSA},
        {KEY_RSA, ",\"alg\":\"RS256\"", JWT_RS256},
        {KEY_RSA, ",\"alg\":\"PS256\"", JWT_PS256},
        {KEY_RSA, ",\"alg\":\"RS512\"", JWT_ALG_NONE}, /* not allowed */
        {KEY_RSA, ",\"alg\":\"HS256\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"alg\":\"none\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"alg\":\"ES256\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"alg\":null", JWT_ALG_NONE},
        {KEY_RSA, ",\"alg\":\"RSA-OAEP\"", JWT_ALG_NONE},
        {KEY_P256, ",\"alg\":\"ES384\"", JWT_ALG_NONE},
        {KEY_ED, ",\"alg\":\"EdDSA\"", JWT_EDDSA},
        {KEY_RSA, ",\"use\":\"sig\"", JWT_RS256},
        {KEY_RSA, ",\"use\":\"enc\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"use\":null", JWT_ALG_NONE},
        {KEY_RSA, ",\"key_ops\":[\"verify\"]", JWT_RS256},
        {KEY_RSA, ",\"key_ops\":[\"wrapKey\",\"verify\"]", JWT_RS256},
        {KEY_RSA, ",\"key_ops\":[\"sign\"]", JWT_ALG_NONE},
        {KEY_RSA, ",\"key_ops\":[]", JWT_ALG_NONE},
        {KEY_RSA, ",\"key_ops\":\"verify\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"d\":\"AQAB\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"p\":\"AQAB\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"oth\":[]", JWT_ALG_NONE},
        {KEY_P256, ",\"d\":\"AQAB\"", JWT_ALG_NONE},
        {KEY_ED, ",\"d\":\"\"", JWT_ALG_NONE},
        {KEY_RSA, ",\"kid\":\"a\"", JWT_RS256},
        {KEY_RSA, ",\"kid\":\"\"", JWT_RS256},
        {KEY_RSA, ",\"kid\":1", JWT_ALG_NONE},
        {KEY_RSA, ",\"x5c\":[\"MIIB\"],\"x5t\":\"a\",\"more\":{}", JWT_RS256},
        {KEY_WEAK, "", JWT_ALG_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jwk_set set;
        struct str key = str_printf(&arena, "{%s%s}", parts_of(rows[i].key), rows[i].members);
        assert_int_equal(read_set(str_cstr(&arena, key), &ALL, &set).why, FAIL_NONE);
        enum jwt_alg alg = set.n == 1 ? set.keys[0].alg : JWT_ALG_NONE;
        if (alg != rows[i].alg) fail_msg("key %d with %s: %d", rows[i].key, rows[i].members, alg);
        assert_int_equal(set.n + set.n_left_out, 1);
    }
}

/* Keys that are none: each is left out, and nothing is read beyond it. */
static void leaves_out_what_is_no_key(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{}",
        "null",
        "[]",
        "\"RSA\"",
        "{\"kty\":\"RSA\"}",
        "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"\"}",
        "{\"kty\":\"RSA\",\"n\":1,\"e\":3}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"+/==\",\"e\":\"AQAB\"}",
        "{\"kty\":\"rsa\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}",
        /* off the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}",
        /* the point at infinity, as zeros */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jwk_set set;
        assert_int_equal(read_set(rows[i], &ALL, &set).why, FAIL_NONE);
        if (set.n != 0) fail_msg("%s", rows[i]);
        assert_int_equal(set.n_left_out, 1);
    }
}

/* RSA with an exponent that signs everything (1), is even, or is there to cost. */
static void leaves_out_odd_exponents(void **state) {
    (void)state;
    static const struct {
        const char *e;
        bool is_used;
    } rows[] = {{"AQAB", true}, {"Aw", true},  {"AQ", false},
                {"Ag", false},  {"AA", false}, {"AQAAAAAAAAAB", false}};
    struct str n = issuer_number(issuer.keys[KEY_RSA], OSSL_PKEY_PARAM_RSA_N, 0, &arena);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jwk_set set;
        struct str key = str_printf(&arena, "{\"kty\":\"RSA\",\"n\":\"" STR_FMT "\",\"e\":\"%s\"}",
                                    STR_ARG(n), rows[i].e);
        assert_int_equal(read_set(str_cstr(&arena, key), &ALL, &set).why, FAIL_NONE);
        if ((set.n == 1) != rows[i].is_used) fail_msg("exponent %s", rows[i].e);
    }
}

static void takes_secrets_of_a_set_only_for_hmac(void **state) {
    (void)state;
    static const struct {
        const char *key;
        bool is_used;
    } rows[] = {
        {"{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}", true},
        {"{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":"
         "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}",
         true},
        {"{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":"
         "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}",
         false},
        {"{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ\"}", false}, /* 31 */
        {"{\"kty\":\"oct\",\"k\":\"\"}", false},
        {"{\"kty\":\"oct\"}", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jwk_set set;
        assert_int_equal(read_set(rows[i].key, &ALL_AND_HMAC, &set).why, FAIL_NONE);
        if ((set.n == 1) != rows[i].is_used) fail_msg("%s", rows[i].key);
    }
}

/* -- sets ------------------------------------------------------------------------------------- */

static struct str named(enum issuer_key key, const char *members) {
    return str_printf(&arena, "{%s%s}", parts_of(key), members);
}

static void finds_keys_by_name_and_algorithm(void **state) {
    (void)state;
    struct str keys = str_printf(
        &arena, STR_FMT "," STR_FMT "," STR_FMT "," STR_FMT "," STR_FMT,
        STR_ARG(named(KEY_RSA, ",\"kid\":\"a\"")), STR_ARG(named(KEY_P256, ",\"kid\":\"a\"")),
        STR_ARG(named(KEY_ED, ",\"kid\":\"twice\"")), STR_ARG(named(KEY_ED, ",\"kid\":\"twice\"")),
        STR_ARG(named(KEY_P384, "")));
    struct jwk_set set;
    bool knows;
    assert_int_equal(read_set(str_cstr(&arena, keys), &ALL, &set).why, FAIL_NONE);
    assert_int_equal(set.n, 3);
    assert_int_equal(set.n_left_out, 2);
    assert_int_equal(jwk_find(&set, STR("a"), JWT_RS256, &knows)->alg, JWT_RS256);
    assert_int_equal(jwk_find(&set, STR("a"), JWT_ES256, &knows)->alg, JWT_ES256);
    assert_null(jwk_find(&set, STR("a"), JWT_EDDSA, &knows));
    assert_true(knows);
    assert_null(jwk_find(&set, STR("twice"), JWT_EDDSA, &knows));
    assert_false(knows);
    assert_null(jwk_find(&set, STR_NONE, JWT_ES384, &knows)); /* which of three? */
    assert_true(knows);
    assert_null(jwk_find(&set, STR(""), JWT_ES384, &knows));
}

static void the_only_key_needs_no_name(void **state) {
    (void)state;
    struct jwk_set set;
    bool knows;
    assert_int_equal(read_set(str_cstr(&arena, named(KEY_ED, ",\"kid\":\"a\"")), &ALL, &set).why,
                     FAIL_NONE);
    assert_non_null(jwk_find(&set, STR_NONE, JWT_EDDSA, &knows));
    assert_non_null(jwk_find(&set, STR("a"), JWT_EDDSA, &knows));
    assert_null(jwk_find(&set, STR("b"), JWT_EDDSA, &knows));
    assert_false(knows);
    assert_null(jwk_find(&set, STR_NONE, JWT_RS256, &knows));
    struct jwk_set empty = {0};
    assert_null(jwk_find(&empty, STR_NONE, JWT_EDDSA, &knows));
    assert_false(knows);
}

static void refuses_bombs(void **state) {
    (void)state;
    struct jwk_set set;
    struct buf buf;
    buf_init(&buf, 4 << 20);
    buf_add(&buf, STR("{\"keys\":["));
    for (size_t i = 0; i <= JWKS_KEYS_MAX; i++) buf_addf(&buf, "%s{}", i > 0 ? "," : "");
    buf_add(&buf, STR("]}"));
    result r = jwk_set_read(buf_flat(&buf, &arena), &ALL, &arena, &set, &report);
    assert_int_equal(r.why, FAIL_LIMIT);
    buf_clear(&buf);
    while (buf.len <= JWKS_BYTES_MAX) buf_add(&buf, STR("                                "));
    buf_add(&buf, STR("{\"keys\":[]}"));
    assert_int_equal(jwk_set_read(buf_flat(&buf, &arena), &ALL, &arena, &set, NULL).why,
                     FAIL_LIMIT);
    buf_deinit(&buf);
    static const char *const rows[] = {"",
                                       "[]",
                                       "{}",
                                       "{\"keys\":{}}",
                                       "{\"keys\":null}",
                                       "{\"keys\":[],\"keys\":[]}",
                                       "<html>",
                                       "{\"keys\":[{\"kty\":\"RSA\",\"kty\":\"EC\"}]}",
                                       "{\"keys\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        r = jwk_set_read(str_of(rows[i]), &ALL, &arena, &set, NULL);
        if (r.why != FAIL_INPUT && r.why != FAIL_LIMIT) fail_msg("%s", rows[i]);
        assert_int_equal(set.n, 0);
    }
}

/* -- static keys ------------------------------------------------------------------------------ */

static struct str private_pem(EVP_PKEY *key) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    size_t n = (size_t)BIO_get_mem_data(bio, &text);
    struct str pem = str_dup(&arena, (struct str){text, n});
    BIO_free(bio);
    return pem;
}

static struct str certificate(EVP_PKEY *key) {
    X509 *made = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, made), 1);
    size_t n = (size_t)BIO_get_mem_data(bio, &text);
    struct str pem = str_dup(&arena, (struct str){text, n});
    BIO_free(bio);
    X509_free(made);
    return pem;
}

static void reads_public_pem_alone(void **state) {
    (void)state;
    struct str rsa = issuer_pem(issuer.keys[KEY_RSA], &arena);
    struct jwk_set set, of_certificate;
    const struct jwt_algs rs = {{JWT_RS256}, 1}, es = {{JWT_ES256}, 1}, hs = {{JWT_HS256}, 1};
    assert_int_equal(jwk_read_pem(rsa, &rs, &arena, &set, NULL).why, FAIL_NONE);
    assert_int_equal(
        jwk_read_pem(certificate(issuer.keys[KEY_RSA]), &rs, &arena, &of_certificate, NULL).why,
        FAIL_NONE);
    assert_memory_equal(set.keys[0].fingerprint, of_certificate.keys[0].fingerprint, DIGEST_SIZE);
    const struct {
        struct str pem;
        const struct jwt_algs *algs;
    } rows[] = {{rsa, &es},
                {rsa, &hs},
                {issuer_pem(issuer.keys[KEY_P384], &arena), &es},
                {issuer_pem(issuer.keys[KEY_WEAK], &arena), &rs},
                {private_pem(issuer.keys[KEY_RSA]), &rs},
                {str_printf(&arena, STR_FMT STR_FMT, STR_ARG(rsa), STR_ARG(rsa)), &rs},
                {str_slice(rsa, 0, rsa.len / 2), &rs},
                {STR(""), &rs},
                {STR("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"), &rs},
                {STR("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), &rs}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        report_clear(&report);
        assert_int_equal(jwk_read_pem(rows[i].pem, rows[i].algs, &arena, &set, &report).why,
                         FAIL_INPUT);
        assert_null(strstr(report.sentence, "MII"));
        assert_int_equal(set.n, 0);
    }
}

static void reads_secrets_long_enough(void **state) {
    (void)state;
    const struct jwt_algs hs = {{JWT_HS256}, 1}, rs = {{JWT_RS256}, 1};
    struct str text = STR("0123456789abcdef0123456789abcdef");
    struct jwk_set set;
    assert_int_equal(jwk_read_secret(text, &hs, &arena, &set, NULL).why, FAIL_NONE);
    assert_int_equal(jwk_read_secret(text, &rs, &arena, &set, NULL).why, FAIL_INPUT);
    assert_int_equal(jwk_read_secret(str_slice(text, 0, 31), &hs, &arena, &set, &report).why,
                     FAIL_INPUT);
    assert_null(strstr(report.sentence, "0123"));
    assert_int_equal(
        jwk_read_secret(issuer_pem(issuer.keys[KEY_RSA], &arena), &hs, &arena, &set, NULL).why,
        FAIL_INPUT);
}

static void fingerprints_tell_key_and_algorithm(void **state) {
    (void)state;
    const struct jwt_algs rs = {{JWT_RS256}, 1}, ps = {{JWT_PS256}, 1};
    struct str pem = issuer_pem(issuer.keys[KEY_RSA], &arena);
    struct str other = issuer_pem(issuer.keys[KEY_RSA_OTHER], &arena);
    struct jwk_set a, b, c, d;
    assert_int_equal(jwk_read_pem(pem, &rs, &arena, &a, NULL).why, FAIL_NONE);
    assert_int_equal(jwk_read_pem(pem, &rs, &arena, &b, NULL).why, FAIL_NONE);
    assert_int_equal(jwk_read_pem(pem, &ps, &arena, &c, NULL).why, FAIL_NONE);
    assert_int_equal(jwk_read_pem(other, &rs, &arena, &d, NULL).why, FAIL_NONE);
    assert_memory_equal(a.keys[0].fingerprint, b.keys[0].fingerprint, DIGEST_SIZE);
    assert_memory_not_equal(a.keys[0].fingerprint, c.keys[0].fingerprint, DIGEST_SIZE);
    assert_memory_not_equal(a.keys[0].fingerprint, d.keys[0].fingerprint, DIGEST_SIZE);
}

/* An allocation that fails leaves no key that is half made. */
static void gives_no_half_key_when_memory_is_spent(void **state) {
    (void)state;
    struct str key = named(KEY_P256, ",\"kid\":\"a\"");
    const char *keys = str_cstr(&arena, key);
    for (long n = 0;; n++) {
        struct arena own;
        struct jwk_set set;
        arena_init(&own, 1 << 20);
        struct str json = str_printf(&arena, "{\"keys\":[%s]}", keys);
        fault_set(n);
        result r = jwk_set_read(json, &ALL, &own, &set, NULL);
        bool is_unused = fault_unused(), is_spent = own.is_spent;
        fault_off();
        arena_deinit(&own);
        if (is_unused) break;
        assert_true(r.why == FAIL_MEMORY || (!is_spent && set.n == 0));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_keys_for_signatures_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_out_what_is_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_out_odd_exponents, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_secrets_of_a_set_only_for_hmac, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_keys_by_name_and_algorithm, setup, teardown),
        cmocka_unit_test_setup_teardown(the_only_key_needs_no_name, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_bombs, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_public_pem_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_secrets_long_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(fingerprints_tell_key_and_algorithm, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_no_half_key_when_memory_is_spent, setup, teardown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
