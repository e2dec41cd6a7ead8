/* The keys that issuers publish: when they are fetched, how often, and who waits. */
#include "identity/jwks.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "issuer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct clock now;
static struct jwks_cache *cache;

/* An issuer that answers what the test says, and counts. */
static struct {
    _Atomic int n;         /* requests so far */
    _Atomic int state;     /* enum answers */
    _Atomic bool may_go;   /* SLOW: until then it does not answer */
    _Atomic bool has_come; /* SLOW: somebody asks */
} site;
enum answers { FIRST_KEY, SECOND_KEY, NO_KEYS, DOWN, HTML, SLOW };

/* Two points of RFC 8037, A.2 and RFC 8032, 7.1 (test 2). */
#define KEY(kid, x)                                                                                \
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"" kid "\",\"x\":\"" x "\"}]}"
static const struct str FIRST =
    STR_INIT(KEY("first", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
static const struct str SECOND =
    STR_INIT(KEY("second", "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"));

static result answer(const struct jwks_getter *getter, const struct jwks_source *source,
                     struct arena *arena, struct str *out, struct report *report) {
    (void)getter;
    (void)source;
    (void)arena;
    (void)report;
    atomic_fetch_add(&site.n, 1);
    switch ((enum answers)atomic_load(&site.state)) {
    case FIRST_KEY: *out = FIRST; return OK;
    case SECOND_KEY: *out = SECOND; return OK;
    case NO_KEYS: *out = STR("{\"keys\":[]}"); return OK;
    case HTML: *out = STR("<html>{\"keys\":[]}</html>"); return OK;
    case SLOW:
        atomic_store(&site.has_come, true);
        while (!atomic_load(&site.may_go)) (void)usleep(100);
        *out = SECOND;
        return OK;
    case DOWN: break;
    }
    return (result){FAIL_IO};
}

enum { PAUSE = 30000, MINUTE = 60000, HOUR = 60 * MINUTE };
static const struct jwks_source SOURCE = {
    STR_INIT("https://issuer.example.com/jwks"), {{JWT_EDDSA}, 1}, HOUR, 24 * HOUR, PAUSE, NULL};

static int setup(void **state) {
    (void)state;
    log_threshold(LOG_OFF);
    clock_scripted(&now, 1800000000000);
    memset(&site, 0, sizeof site);
    struct jwks_getter getter = {.get = answer};
    return jwks_cache_new(&now, getter, &cache, NULL).why == FAIL_NONE ? 0 : 1;
}

static int teardown(void **state) {
    (void)state;
    fault_off();
    jwks_cache_free(cache);
    return 0;
}

/* The name of the set's key, "-" for a set of none; or what the answer is. */
static const char *ask(uint64_t newer_than, bool may_wait, uint64_t *version) {
    static char name[32];
    struct jwks_loan loan;
    switch (jwks_borrow(cache, &SOURCE, newer_than, may_wait, &loan)) {
    case JWKS_ABSENT: return "absent";
    case JWKS_WAIT: return "wait";
    case JWKS_GIVEN: break;
    }
    struct str kid = loan.set->n > 0 ? loan.set->keys[0].kid : STR("-");
    snprintf(name, sizeof name, STR_FMT, STR_ARG(kid));
    if (version != NULL) *version = loan.version;
    jwks_return(&loan);
    return name;
}

static void says(enum answers what) {
    atomic_store(&site.state, (int)what);
}

static void fetches_once_and_keeps(void **state) {
    (void)state;
    assert_string_equal(ask(0, false, NULL), "wait");
    assert_int_equal(site.n, 0);
    assert_string_equal(ask(0, true, NULL), "first");
    for (int i = 0; i < 100; i++) assert_string_equal(ask(0, i % 2, NULL), "first");
    assert_int_equal(site.n, 1);
    says(SECOND_KEY);
    clock_move(&now, HOUR - 1);
    assert_string_equal(ask(0, true, NULL), "first");
    clock_move(&now, 1);
    assert_string_equal(ask(0, false, NULL), "wait");
    assert_string_equal(ask(0, true, NULL), "second");
    assert_int_equal(site.n, 2);
}

static void a_storm_of_unknown_keys_costs_one_request(void **state) {
    (void)state;
    uint64_t version;
    assert_string_equal(ask(0, true, &version), "first");
    for (int i = 0; i < 1000; i++) assert_string_equal(ask(version, i % 2, NULL), "absent");
    assert_int_equal(site.n, 1); /* the pause counts from the first one */
    clock_move(&now, PAUSE);
    assert_string_equal(ask(version, false, NULL), "wait");
    assert_string_equal(ask(version, true, &version), "first"); /* fetched; and no other */
    for (int i = 0; i < 1000; i++) assert_string_equal(ask(version, i % 2, NULL), "absent");
    assert_int_equal(site.n, 2);
    says(SECOND_KEY);
    clock_move(&now, PAUSE);
    assert_string_equal(ask(version, true, NULL), "second");
    assert_int_equal(site.n, 3);
}

static void uses_old_keys_while_the_issuer_is_down_and_not_for_ever(void **state) {
    (void)state;
    assert_string_equal(ask(0, true, NULL), "first");
    static const enum answers failures[] = {DOWN, HTML};
    for (size_t i = 0; i < COUNT(failures); i++) {
        says(failures[i]);
        clock_move(&now, HOUR);
        assert_string_equal(ask(0, true, NULL), "first");
        int n = atomic_load(&site.n);
        for (int k = 0; k < 100; k++) assert_string_equal(ask(0, k % 2, NULL), "first");
        assert_int_equal(site.n, n); /* not once a call */
    }
    clock_move(&now, 23 * HOUR);
    assert_string_equal(ask(0, true, NULL), "absent");
    says(SECOND_KEY);
    clock_move(&now, JWKS_RETRY_MS);
    assert_string_equal(ask(0, true, NULL), "second");
}

static void asks_again_soon_when_there_are_no_keys_at_all(void **state) {
    (void)state;
    says(DOWN);
    for (int i = 0; i < 100; i++) assert_string_equal(ask(0, true, NULL), "absent");
    assert_int_equal(site.n, 1);
    assert_string_equal(ask(0, false, NULL), "absent");
    clock_move(&now, JWKS_RETRY_MS);
    says(FIRST_KEY);
    assert_string_equal(ask(0, false, NULL), "wait");
    assert_string_equal(ask(0, true, NULL), "first");
}

/* An issuer that takes its keys back is believed. */
static void an_empty_set_is_a_set(void **state) {
    (void)state;
    assert_string_equal(ask(0, true, NULL), "first");
    says(NO_KEYS);
    clock_move(&now, HOUR);
    assert_string_equal(ask(0, true, NULL), "-");
}

static void keeps_sources_apart(void **state) {
    (void)state;
    struct jwks_source other = SOURCE;
    struct jwks_loan a, b;
    other.algs = (struct jwt_algs){{JWT_RS256}, 1};
    assert_int_equal(jwks_borrow(cache, &SOURCE, 0, true, &a), JWKS_GIVEN);
    assert_int_equal(jwks_borrow(cache, &other, 0, true, &b), JWKS_GIVEN);
    assert_int_equal(a.set->n, 1);
    assert_int_equal(b.set->n, 0); /* the key is not for that algorithm */
    jwks_return(&a);
    jwks_return(&b);
    for (int i = 0; i < JWKS_SOURCES_MAX; i++) {
        char url[64];
        int n = snprintf(url, sizeof url, "https://issuer.example.com/%d", i);
        other.url = (struct str){url, (size_t)n};
        bool has_place = i < JWKS_SOURCES_MAX - 2;
        assert_int_equal(jwks_borrow(cache, &other, 0, true, &a),
                         has_place ? JWKS_GIVEN : JWKS_ABSENT);
        jwks_return(&a);
    }
}

/* -- at the same time ------------------------------------------------------------------------- */

static void *asks_for_any(void *out) {
    struct jwks_loan loan;
    *(enum jwks_answer *)out = jwks_borrow(cache, &SOURCE, 0, true, &loan);
    jwks_return(&loan);
    return NULL;
}

static void only_one_asks_and_a_few_wait(void **state) {
    (void)state;
    enum { N = 2 * JWKS_WAITING_MAX };
    pthread_t threads[N];
    enum jwks_answer answers[N];
    says(SLOW);
    pthread_create(&threads[0], NULL, asks_for_any, &answers[0]);
    while (!atomic_load(&site.has_come)) (void)usleep(100);
    assert_string_equal(ask(0, false, NULL), "wait"); /* a loop does not wait */
    for (int i = 1; i < N; i++) pthread_create(&threads[i], NULL, asks_for_any, &answers[i]);
    atomic_store(&site.may_go, true);
    int given = 0;
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        assert_true(answers[i] == JWKS_GIVEN || answers[i] == JWKS_ABSENT);
        if (answers[i] == JWKS_GIVEN) given++;
    }
    assert_true(given >= 1);
    assert_int_equal(site.n, 1);
}

/* While one fetches anew, others go on with the old keys. */
static void old_keys_serve_during_a_fetch(void **state) {
    (void)state;
    pthread_t thread;
    enum jwks_answer answer_there;
    assert_string_equal(ask(0, true, NULL), "first");
    says(SLOW);
    clock_move(&now, HOUR);
    pthread_create(&thread, NULL, asks_for_any, &answer_there);
    while (!atomic_load(&site.has_come)) (void)usleep(100);
    assert_string_equal(ask(0, false, NULL), "first");
    assert_string_equal(ask(0, true, NULL), "first");
    atomic_store(&site.may_go, true);
    pthread_join(thread, NULL);
    assert_string_equal(ask(0, false, NULL), "second");
    assert_int_equal(site.n, 2);
}

static _Atomic bool is_over, is_torn;

static void *reads_on(void *unused) {
    (void)unused;
    while (!atomic_load(&is_over)) {
        struct jwks_loan loan;
        if (jwks_borrow(cache, &SOURCE, 0, false, &loan) != JWKS_GIVEN) continue;
        struct str kid = loan.set->keys[0].kid;
        if (!str_eq(kid, STR("first")) && !str_eq(kid, STR("second"))) atomic_store(&is_torn, true);
        jwks_return(&loan);
    }
    return NULL;
}

/* Sets change under the readers' hands; a set is whole as long as somebody holds it. */
static void readers_see_whole_sets(void **state) {
    (void)state;
    pthread_t threads[3];
    struct jwks_loan held;
    uint64_t version = 0;
    assert_int_equal(jwks_borrow(cache, &SOURCE, 0, true, &held), JWKS_GIVEN);
    atomic_store(&is_over, false);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_create(&threads[i], NULL, reads_on, NULL);
    for (int i = 0; i < 200; i++) {
        says(i % 2 == 0 ? SECOND_KEY : FIRST_KEY);
        clock_move(&now, HOUR);
        (void)ask(0, true, &version);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    assert_false(atomic_load(&is_torn));
    assert_true(version > held.version);
    assert_true(str_eq(held.set->keys[0].kid, STR("first")));
    jwks_return(&held);
}

static void memory_that_is_spent_is_an_absent_set(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct jwks_loan loan;
        struct jwks_cache *own = NULL;
        fault_set(n);
        struct jwks_getter getter = {.get = answer};
        result r = jwks_cache_new(&now, getter, &own, NULL);
        enum jwks_answer got = JWKS_ABSENT;
        if (r.why == FAIL_NONE) got = jwks_borrow(own, &SOURCE, 0, true, &loan);
        bool is_unused = fault_unused();
        fault_off();
        size_t n_keys = got == JWKS_GIVEN ? loan.set->n : 0;
        if (got == JWKS_GIVEN) jwks_return(&loan);
        jwks_cache_free(own);
        if (is_unused) {
            assert_int_equal(n_keys, 1);
            break;
        }
        assert_int_equal(n_keys, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fetches_once_and_keeps, setup, teardown),
        cmocka_unit_test_setup_teardown(a_storm_of_unknown_keys_costs_one_request, setup, teardown),
        cmocka_unit_test_setup_teardown(uses_old_keys_while_the_issuer_is_down_and_not_for_ever,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(asks_again_soon_when_there_are_no_keys_at_all, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_empty_set_is_a_set, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_sources_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(only_one_asks_and_a_few_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(old_keys_serve_during_a_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_see_whole_sets, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_that_is_spent_is_an_absent_set, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
