/* Keys for the cloud that come with a request: what is a whole set, what it is kept under, and that
 * nothing is left of it. */
#include "identity/cloud_credentials.h"

#include "base/fault.h"
#include "base/limits.h"
#include "identity/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ID     "LTAI5tExampleKeyId"
#define SECRET "8fJ3kd0SecretOfTheKey"
#define TOKEN  "CAIS/token+of==sts"

static struct arena arena;
static struct report report;
static struct secret *secret;

/* Values of the four headers in their order; NULL: absent. `twice` is one that comes once more. */
struct request {
    const char *values[4];
    const char *twice;
};

static struct str header_of(const void *with, struct str name) {
    const struct request *request = with;
    for (size_t i = 0; i < 4; i++)
        if (str_ieq(cloud_credentials_headers[i], name)) return str_of(request->values[i]);
    return STR_NONE;
}

static size_t count_of(const void *with, struct str name) {
    const struct request *request = with;
    size_t n = header_of(with, name).ptr == NULL ? 0 : 1;
    return request->twice != NULL && str_ieq(str_of(request->twice), name) ? n + 1 : n;
}

static result read_request(const struct request *request, const struct cloud_credentials **out) {
    struct origin origin = {.header = header_of, .header_count = count_of, .with = request};
    report_clear(&report);
    return cloud_credentials_read(&origin, secret, &arena, out, &report);
}

static const struct cloud_credentials *good(const char *id, const char *key, const char *token,
                                            const char *region) {
    struct request request = {{id, key, token, region}, NULL};
    const struct cloud_credentials *out = NULL;
    assert_int_equal(read_request(&request, &out).why, FAIL_NONE);
    return out;
}

static int setup(void **with) {
    (void)with;
    arena_init(&arena, 1 << 20);
    result r = secret_open(STR("0123456789abcdef0123456789abcdef0123456789abcdef"), "", &clock_real,
                           &secret, &report);
    return r.why == FAIL_NONE ? 0 : 1;
}

static int teardown(void **with) {
    (void)with;
    arena_deinit(&arena);
    secret_close(secret);
    return 0;
}

static void test_whole_sets(void **with) {
    (void)with;
    assert_null(good(NULL, NULL, NULL, NULL));
    const struct cloud_credentials *c = good(ID, SECRET, TOKEN, "cn-beijing");
    assert_true(str_eq(c->key_id, STR(ID)));
    assert_true(str_eq(c->key_secret, STR(SECRET)));
    assert_true(str_eq(c->security_token, STR(TOKEN)));
    assert_true(str_eq(c->region, STR("cn-beijing")));
    assert_int_equal(strlen(c->key_name), CLOUD_KEY_NAME_SIZE - 1);
    assert_int_equal(good(ID, SECRET, NULL, NULL)->security_token.len, 0);
    c = good(NULL, NULL, NULL, "cn-hangzhou");
    assert_int_equal(c->key_id.len, 0);
    assert_string_equal(c->key_name, "");
}

static void test_refused(void **with) {
    (void)with;
    char longest[CLOUD_TOKEN_BYTES_MAX + 2] = {0};
    memset(longest, 'x', CLOUD_TOKEN_BYTES_MAX + 1);
    const struct {
        struct request request;
        const char *says;
    } rows[] = {
        {{{NULL, NULL, TOKEN, NULL}, NULL}, "Security-Token needs"},
        {{{ID, NULL, TOKEN, NULL}, NULL}, "Security-Token needs"},
        {{{NULL, SECRET, TOKEN, NULL}, NULL}, "Security-Token needs"},
        {{{ID, NULL, NULL, NULL}, NULL}, "both or not at all"},
        {{{NULL, SECRET, NULL, "cn-beijing"}, NULL}, "both or not at all"},
        {{{ID, SECRET, NULL, NULL}, "X-Aliyun-Access-Key-Id"}, "more than once"},
        {{{ID, SECRET, NULL, NULL}, "x-aliyun-access-key-secret"}, "more than once"},
        {{{"", SECRET, NULL, NULL}, NULL}, "Key-Id is not of the form"},
        {{{ID, "", NULL, NULL}, NULL}, "Key-Secret is not of the form"},
        {{{ID, SECRET, "", NULL}, NULL}, "Token is not of the form"},
        {{{ID " b", SECRET, NULL, NULL}, NULL}, "not of the form"},
        {{{ID ",b", SECRET, NULL, NULL}, NULL}, "not of the form"},
        {{{ID, SECRET "\r\nX: y", NULL, NULL}, NULL}, "not of the form"},
        {{{ID, "密钥", NULL, NULL}, NULL}, "not of the form"},
        {{{ID, SECRET, longest, NULL}, NULL}, "not of the form"},
        {{{ID, SECRET, NULL, "cn-beijing.evil.example.com"}, NULL}, "Region is not of the form"},
        {{{ID, SECRET, NULL, "cn-beijing/"}, NULL}, "Region is not of the form"},
        {{{ID, SECRET, NULL, "CN"}, NULL}, "Region is not of the form"},
        {{{ID, SECRET, NULL, "-cn"}, NULL}, "Region is not of the form"},
        {{{ID, SECRET, NULL, "cn@b"}, NULL}, "Region is not of the form"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct cloud_credentials *out;
        assert_int_equal(read_request(&rows[i].request, &out).why, FAIL_INPUT);
        assert_null(out);
        assert_string_equal(report.code, "CLOUD_CREDENTIALS_INVALID");
        if (strstr(report.sentence, rows[i].says) == NULL) print_error("%s\n", report.sentence);
        assert_non_null(strstr(report.sentence, rows[i].says));
        assert_null(strstr(report.sentence, SECRET)); /* no value is told */
        assert_null(strstr(report.sentence, ID));
    }
}

/* The seed kept clients by key id and region: whoever knew an id got the client of its owner. */
static void test_cache_key_holds_every_part(void **with) {
    (void)with;
    const struct cloud_credentials *sets[] = {
        good(ID, SECRET, NULL, NULL),          good(ID, SECRET "2", NULL, NULL),
        good(ID "2", SECRET, NULL, NULL),      good(ID, SECRET, TOKEN, NULL),
        good(ID, SECRET, TOKEN "2", NULL),     good(ID, SECRET, NULL, "cn-beijing"),
        good(ID, SECRET, NULL, "cn-hangzhou"), good(ID, SECRET, "cn-beijing", NULL),
        good(ID SECRET, "x", NULL, NULL),      good(ID, SECRET "x", NULL, NULL),
        good(NULL, NULL, NULL, "cn-beijing"),
    };
    for (size_t a = 0; a < COUNT(sets); a++)
        for (size_t b = 0; b < COUNT(sets); b++)
            assert_int_equal(memcmp(sets[a]->cache_key, sets[b]->cache_key, DIGEST_SIZE) == 0,
                             a == b);
    const struct cloud_credentials *again = good(ID, SECRET, NULL, NULL);
    assert_memory_equal(again->cache_key, sets[0]->cache_key, DIGEST_SIZE);
    assert_string_equal(sets[0]->key_name, sets[1]->key_name); /* of the id alone */
    assert_string_not_equal(sets[0]->key_name, sets[2]->key_name);
}

static void test_every_failure(void **with) {
    (void)with;
    struct request request = {{ID, SECRET, TOKEN, "cn-beijing"}, NULL};
    for (long n = 0;; n++) {
        const struct cloud_credentials *out;
        fault_set(n);
        result r = read_request(&request, &out);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_null(out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole_sets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cache_key_holds_every_part, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_failure, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
