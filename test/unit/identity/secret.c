/* The server's secret, the keys that come of it, and what is sealed with them. */
#include "identity/secret.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/rand.h"
#include "identity/hkdf.h"
#include "text/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NEW    "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define MINUTE INT64_C(60000)

struct rig {
    struct arena arena;
    struct clock clock;
    struct report report;
    char dir[64], file[80];
};

static int set_up(void **state) {
    static struct rig rig;
    memset(&rig, 0, sizeof rig);
    arena_init(&rig.arena, 64 << 20);
    clock_scripted(&rig.clock, 1795166100123);
    snprintf(rig.dir, sizeof rig.dir, "%s", "/dev/shm/secret-test-XXXXXX");
    assert_non_null(mkdtemp(rig.dir));
    snprintf(rig.file, sizeof rig.file, "%s/secret", rig.dir);
    *state = &rig;
    return 0;
}

static int tear_down(void **state) {
    struct rig *rig = *state;
    arena_deinit(&rig->arena);
    unlink(rig->file);
    assert_int_equal(rmdir(rig->dir), 0); /* nothing else was left there */
    return 0;
}

static struct secret *open_with(struct rig *rig, const char *value) {
    struct secret *secret;
    result r = secret_open(str_of(value), rig->file, &rig->clock, &secret, &rig->report);
    assert_int_equal(r.why, FAIL_NONE);
    return secret;
}

/* -- HKDF ------------------------------------------------------------------------------------- */

/* RFC 5869, appendix A: the cases with SHA-256. */
static void hkdf_gives_the_standards_vectors(void **state) {
    (void)state;
    static const struct {
        const char *secret, *salt, *info, *prk, *okm;
    } rows[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
         "f0f1f2f3f4f5f6f7f8f9", "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
         "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
         "88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
         "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6"
         "5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t secret[128], salt[128], info[128], prk[32], okm[128];
        char hex[257];
        size_t n_secret = strlen(rows[i].secret) / 2, n_salt = strlen(rows[i].salt) / 2;
        size_t n_info = strlen(rows[i].info) / 2, n_okm = strlen(rows[i].okm) / 2;
        assert_true(hex_decode(str_of(rows[i].secret), secret, n_secret));
        assert_true(hex_decode(str_of(rows[i].salt), salt, n_salt));
        assert_true(hex_decode(str_of(rows[i].info), info, n_info));
        assert_true(hkdf_extract((struct str){(char *)salt, n_salt},
                                 (struct str){(char *)secret, n_secret}, prk));
        hex_encode(hex, prk, sizeof prk);
        assert_string_equal(hex, rows[i].prk);
        assert_true(hkdf_expand(prk, (struct str){(char *)info, n_info}, okm, n_okm));
        hex_encode(hex, okm, n_okm);
        assert_string_equal(hex, rows[i].okm);
    }
}

static void hkdf_refuses_too_much(void **state) {
    (void)state;
    static uint8_t out[HKDF_OUT_MAX + 1];
    static char info[HKDF_INFO_MAX + 1];
    uint8_t key[HKDF_KEY_SIZE] = {1};
    memset(out, 7, sizeof out);
    assert_false(hkdf_expand(key, STR("x"), out, sizeof out));
    for (size_t i = 0; i < sizeof out; i++) assert_int_equal(out[i], 0);
    assert_true(hkdf_expand(key, STR("x"), out, HKDF_OUT_MAX));
    assert_false(hkdf_expand(key, (struct str){info, sizeof info}, out, 32));
    assert_true(hkdf_expand(key, (struct str){info, HKDF_INFO_MAX}, out, 32));
}

/* -- base64url -------------------------------------------------------------------------------- */

static void base64url_has_one_spelling(void **state) {
    struct rig *rig = *state;
    static const struct {
        const char *text, *bytes; /* NULL: refused */
    } rows[] = {{"", ""},           {"Zg", "f"},         {"Zm8", "fo"},   {"Zm9v", "foo"},
                {"Zm9vYg", "foob"}, {"_-8", "\xff\xef"}, {"Zg==", NULL},  {"Z", NULL},
                {"Zh", NULL},       {"Zm9", NULL},       {"/+8", NULL},   {"Zm9vYg=", NULL},
                {"Zm 9v", NULL},    {"Zm9v\n", NULL},    {"Zm9vZ", NULL}, {"====", NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str bytes;
        bool is_read = base64url_decode(str_of(rows[i].text), &rig->arena, &bytes);
        assert_int_equal(is_read, rows[i].bytes != NULL);
        if (!is_read) continue;
        assert_true(str_eq(bytes, str_of(rows[i].bytes)));
        assert_true(str_eq(base64url_encode(bytes, &rig->arena), str_of(rows[i].text)));
    }
}

/* -- sealing ---------------------------------------------------------------------------------- */

static const struct seal cursor = {STR_INIT("cursor"), STR_INIT("ann\ntools/list")};

static struct str seal_it(struct rig *rig, struct secret *secret, struct str plain) {
    struct str text;
    result r = secret_seal(secret, &cursor, MINUTE, plain, &rig->arena, &text, &rig->report);
    assert_int_equal(r.why, FAIL_NONE);
    return text;
}

static enum fail unseal_why(struct rig *rig, struct secret *secret, const struct seal *seal,
                            struct str text, struct str *plain) {
    struct report report = {0};
    enum fail why = secret_unseal(secret, seal, text, &rig->arena, plain, &report).why;
    if (why == FAIL_NONE) return why;
    assert_int_equal(plain->len, 0);
    assert_string_equal(report.code, why == FAIL_DENIED ? "SEAL_INVALID" : "OUT_OF_MEMORY");
    return why;
}

static void what_was_sealed_is_unsealed(void **state) {
    struct rig *rig = *state;
    struct secret *secret = open_with(rig, NEW);
    static char large[100000];
    const struct str plains[] = {STR(""), STR("x"), STR("{\"step\":2}"), {large, sizeof large}};
    for (size_t i = 0; i < COUNT(plains); i++) {
        struct str plain, text = seal_it(rig, secret, plains[i]);
        assert_true(text.len <= plains[i].len * 4 / 3 + 67);
        assert_false(str_eq(text, seal_it(rig, secret, plains[i]))); /* never twice the same */
        assert_int_equal(unseal_why(rig, secret, &cursor, text, &plain), FAIL_NONE);
        assert_true(str_eq(plain, plains[i]));
    }
    secret_close(secret);
}

static void a_seal_is_bound(void **state) {
    struct rig *rig = *state;
    struct secret *secret = open_with(rig, NEW), *other = open_with(rig, OLD);
    struct str plain, text = seal_it(rig, secret, STR("state"));
    const struct seal wrong[] = {
        {STR("request_state"), cursor.bound},     {STR("curso"), STR("r\0ann\ntools/list")},
        {cursor.purpose, STR("bob\ntools/list")}, {cursor.purpose, STR("")},
        {cursor.purpose, STR("ann\ntools/lis")},  {STR(""), cursor.bound},
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(unseal_why(rig, secret, &wrong[i], text, &plain), FAIL_DENIED);
    assert_int_equal(unseal_why(rig, other, &cursor, text, &plain), FAIL_DENIED);
    clock_move(&rig->clock, MINUTE - 1);
    assert_int_equal(unseal_why(rig, secret, &cursor, text, &plain), FAIL_NONE);
    clock_move(&rig->clock, 1);
    assert_int_equal(unseal_why(rig, secret, &cursor, text, &plain), FAIL_DENIED);
    secret_close(secret);
    secret_close(other);
}

/* Every byte, every bit, every length. */
static void no_changed_byte_is_taken(void **state) {
    struct rig *rig = *state;
    struct secret *secret = open_with(rig, NEW);
    struct str bytes, plain, text = seal_it(rig, secret, STR("{\"a\":1}"));
    assert_true(base64url_decode(text, &rig->arena, &bytes));
    char *copy = arena_alloc(&rig->arena, bytes.len, 1);
    for (size_t i = 0; i < bytes.len * 8; i++) {
        memcpy(copy, bytes.ptr, bytes.len);
        copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
        struct str changed = base64url_encode((struct str){copy, bytes.len}, &rig->arena);
        assert_int_equal(unseal_why(rig, secret, &cursor, changed, &plain), FAIL_DENIED);
    }
    for (size_t len = 0; len < text.len; len++) {
        assert_int_equal(unseal_why(rig, secret, &cursor, str_slice(text, 0, len), &plain),
                         FAIL_DENIED);
        assert_int_equal(
            unseal_why(rig, secret, &cursor, str_slice(text, len + 1, text.len), &plain),
            FAIL_DENIED);
    }
    struct str longer = str_printf(&rig->arena, STR_FMT "A", STR_ARG(text));
    assert_int_equal(unseal_why(rig, secret, &cursor, longer, &plain), FAIL_DENIED);
    assert_int_equal(unseal_why(rig, secret, &cursor, STR("no text of ours!"), &plain),
                     FAIL_DENIED);
    secret_close(secret);
}

/* Sealed by Node's own crypto after the description in seal.c: what is out there must still open.
 */
static void the_format_stays(void **state) {
    struct rig *rig = *state;
    static const char sealed[] = "AQABAgMEBQYHCAkKCxAREhMUFRYXGBkaG3PigSt6Bi-rfRk5-pK3OTpUf2pL"
                                 "s6ncgCxaSGDD9DouhZ0";
    struct secret *secret = open_with(rig, NEW);
    struct str plain;
    assert_int_equal(unseal_why(rig, secret, &cursor, str_of(sealed), &plain), FAIL_NONE);
    assert_true(str_eq(plain, STR("{\"page\":7}")));
    secret_close(secret);
}

static void sizes_are_bounded(void **state) {
    struct rig *rig = *state;
    struct secret *secret = open_with(rig, NEW);
    size_t max = (size_t)SEAL_BYTES_MAX;
    char *large = arena_alloc(&rig->arena, max + 1, 1);
    struct str text, plain;
    struct seal far = {cursor.purpose, {large, max + 1}};
    assert_int_equal(secret_seal(secret, &cursor, MINUTE, (struct str){large, max + 1}, &rig->arena,
                                 &text, &rig->report)
                         .why,
                     FAIL_LIMIT);
    assert_int_equal(secret_seal(secret, &far, MINUTE, STR("x"), &rig->arena, &text, NULL).why,
                     FAIL_LIMIT);
    text = seal_it(rig, secret, (struct str){large, max});
    assert_int_equal(unseal_why(rig, secret, &cursor, text, &plain), FAIL_NONE);
    assert_int_equal(unseal_why(rig, secret, &far, text, &plain), FAIL_DENIED);
    static const int64_t spent[] = {0, -1, INT64_MIN};
    for (size_t i = 0; i < COUNT(spent); i++) {
        assert_int_equal(
            secret_seal(secret, &cursor, spent[i], STR("x"), &rig->arena, &text, NULL).why,
            FAIL_NONE);
        assert_int_equal(unseal_why(rig, secret, &cursor, text, &plain), FAIL_DENIED);
    }
    assert_int_equal(
        secret_seal(secret, &cursor, INT64_MAX, STR("x"), &rig->arena, &text, NULL).why, FAIL_NONE);
    assert_int_equal(unseal_why(rig, secret, &cursor, text, &plain), FAIL_NONE);
    secret_close(secret);
}

/* -- generations ------------------------------------------------------------------------------ */

static void two_generations_open_and_the_first_seals(void **state) {
    struct rig *rig = *state;
    struct secret *old = open_with(rig, OLD), *both = open_with(rig, NEW "," OLD);
    struct secret *new = open_with(rig, NEW);
    struct str plain, by_old = seal_it(rig, old, STR("x")), by_both = seal_it(rig, both, STR("x"));
    const struct {
        struct secret *secret;
        struct str text;
        enum fail why;
    } rows[] = {{old, by_old, FAIL_NONE},    {both, by_old, FAIL_NONE},  {new, by_old, FAIL_DENIED},
                {old, by_both, FAIL_DENIED}, {both, by_both, FAIL_NONE}, {new, by_both, FAIL_NONE}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(unseal_why(rig, rows[i].secret, &cursor, rows[i].text, &plain),
                         rows[i].why);
    secret_close(old);
    secret_close(both);
    secret_close(new);
}

static void each_purpose_has_its_key(void **state) {
    struct rig *rig = *state;
    struct secret *both = open_with(rig, NEW "," OLD), *old = open_with(rig, OLD);
    uint8_t a[SECRET_KEY_SIZE], b[SECRET_KEY_SIZE], zero[SECRET_KEY_SIZE] = {0};
    assert_true(secret_key(both, 0, STR("receipt"), a));
    assert_true(secret_key(both, 0, STR("receipts"), b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(secret_key(both, 1, STR("receipt"), b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(secret_key(old, 0, STR("receipt"), a));
    assert_memory_equal(a, b, sizeof a); /* replicas agree, wherever it stands */
    assert_false(secret_key(old, 1, STR("receipt"), a));
    assert_memory_equal(a, zero, sizeof a);
    secret_close(both);
    secret_close(old);
}

/* -- the file --------------------------------------------------------------------------------- */

static void write_file(struct rig *rig, const char *text, mode_t mode) {
    unlink(rig->file);
    int fd = open(rig->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_secret_is_made_once(void **state) {
    struct rig *rig = *state;
    struct stat st;
    struct str plain;
    struct secret *first = open_with(rig, "");
    assert_int_equal(stat(rig->file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, SECRET_BYTES_MIN + 1);
    struct str text = seal_it(rig, first, STR("x"));
    secret_close(first);
    struct secret *again = open_with(rig, "");
    assert_int_equal(unseal_why(rig, again, &cursor, text, &plain), FAIL_NONE);
    secret_close(again);
    unlink(rig->file);
    struct secret *other = open_with(rig, "");
    assert_int_equal(unseal_why(rig, other, &cursor, text, &plain), FAIL_DENIED);
    secret_close(other);
}

static void a_bad_secret_is_refused(void **state) {
    struct rig *rig = *state;
    static const struct {
        const char *text;
        mode_t mode;
        enum fail why;
    } rows[] = {
        {NEW, 0600, FAIL_NONE},
        {NEW "\n" OLD "\n", 0600, FAIL_NONE},
        {"\n" NEW "\r\n\n", 0400, FAIL_NONE},
        {NEW "\n", 0640, FAIL_NONE}, /* mounted for a group of one */
        {NEW "\n", 0644, FAIL_CONFIG},
        {NEW "\n", 0601, FAIL_CONFIG},
        {NEW "\n", 0660, FAIL_CONFIG},
        {"", 0600, FAIL_CONFIG},
        {"\n\n", 0600, FAIL_CONFIG},
        {"hunter2\n", 0600, FAIL_CONFIG},
        {"012345678901234567890123456789012345678901\n", 0600, FAIL_CONFIG}, /* 42 */
        {"0123456789012345678901234567890123456789012\n", 0600, FAIL_NONE},
        {NEW "\n" OLD "\n" NEW "\n", 0600, FAIL_CONFIG},
        {NEW "\nshort\n", 0600, FAIL_CONFIG},
        {"with a blank " NEW, 0600, FAIL_CONFIG},
        {NEW "\xc3\xa4", 0600, FAIL_CONFIG},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct report report = {0};
        struct secret *secret;
        write_file(rig, rows[i].text, rows[i].mode);
        result r = secret_open(STR_NONE, rig->file, &rig->clock, &secret, &report);
        assert_int_equal(r.why, rows[i].why);
        assert_int_equal(secret != NULL, rows[i].why == FAIL_NONE);
        if (r.why != FAIL_NONE) assert_string_equal(report.code, "CONFIG_INVALID");
        secret_close(secret);
    }
    char *longest = calloc(1, 4096);
    memset(longest, 'x', 4000);
    write_file(rig, longest, 0600);
    free(longest);
    struct secret *secret;
    assert_int_equal(secret_open(STR_NONE, rig->file, &rig->clock, &secret, NULL).why, FAIL_CONFIG);
    assert_int_equal(secret_open(STR("short"), rig->file, &rig->clock, &secret, NULL).why,
                     FAIL_CONFIG);
    assert_int_equal(secret_open(STR_NONE, rig->dir, &rig->clock, &secret, NULL).why, FAIL_CONFIG);
    assert_int_equal(secret_open(STR_NONE, "/nowhere/secret", &rig->clock, &secret, NULL).why,
                     FAIL_IO);
}

/* -- failures --------------------------------------------------------------------------------- */

static result life(struct rig *rig, struct arena *arena) {
    struct secret *secret;
    struct str text, plain;
    result r = secret_open(STR_NONE, rig->file, &rig->clock, &secret, NULL);
    if (r.why == FAIL_NONE)
        r = secret_seal(secret, &cursor, MINUTE, STR("state"), arena, &text, NULL);
    if (r.why == FAIL_NONE) r = secret_unseal(secret, &cursor, text, arena, &plain, NULL);
    if (r.why == FAIL_NONE) assert_true(str_eq(plain, STR("state")));
    secret_close(secret);
    return r;
}

static void every_failure_is_told(void **state) {
    struct rig *rig = *state;
    for (long n = 0;; n++) {
        struct arena arena;
        arena_init(&arena, 1 << 16);
        unlink(rig->file);
        fault_set(n);
        result r = life(rig, &arena);
        bool is_over = fault_unused();
        fault_off();
        arena_deinit(&arena);
        assert_int_equal(r.why == FAIL_NONE, is_over);
        assert_true(r.why == FAIL_NONE || r.why == FAIL_MEMORY || r.why == FAIL_IO);
        if (is_over) break;
        assert_true(n < 100);
    }
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ROW(hkdf_gives_the_standards_vectors),
        ROW(hkdf_refuses_too_much),
        ROW(base64url_has_one_spelling),
        ROW(what_was_sealed_is_unsealed),
        ROW(a_seal_is_bound),
        ROW(no_changed_byte_is_taken),
        ROW(the_format_stays),
        ROW(sizes_are_bounded),
        ROW(two_generations_open_and_the_first_seals),
        ROW(each_purpose_has_its_key),
        ROW(a_secret_is_made_once),
        ROW(a_bad_secret_is_refused),
        ROW(every_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
