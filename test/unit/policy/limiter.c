/* Rates and places with scripted times, many threads, and memory that ends. */
#include "fixture.h"

#include "base/fault.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdatomic.h>

static struct policy_limiter *limiter;
static struct arena of_call;

static int setup_limiter(void **state) {
    limiter = policy_limiter_new();
    assert_non_null(limiter);
    arena_init(&of_call, 1 << 16);
    return setup(state);
}

static int teardown_limiter(void **state) {
    policy_limiter_free(limiter);
    arena_deinit(&of_call);
    return teardown(state);
}

static struct principal with_rate(const char *token, int64_t n, int64_t window_s) {
    struct principal p = somebody(NULL, NULL, NULL, NULL);
    p.token_id = str_of(token);
    p.rate_n = n;
    p.rate_window_s = window_s;
    return p;
}

/* What the policy charges a call of this principal; the last verdict is kept. */
static struct verdict verdict;
static const struct policy_charges *charged(const struct policy *policy,
                                            const struct principal *p) {
    struct policy_question question = {.tool = STR("run"), .session_id = STR("s1")};
    arena_reset(&of_call);
    policy_judge(policy, p, &question, &of_call, &verdict);
    assert_int_equal(verdict.effect, EFFECT_ALLOW);
    return &verdict.charges;
}

static struct store_admission admission;

/* 0: admitted, else the wait. */
static int64_t call_at(const struct policy *policy, const struct principal *p, int64_t now_ms) {
    policy_limiter_admit(limiter, charged(policy, p), now_ms, &admission);
    assert_true(admission.is_admitted == (admission.retry_after_ms == 0));
    return admission.retry_after_ms;
}

struct step {
    int64_t at, wait;
};

static void a_window_slides(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", NULL);
    struct principal p = with_rate("tok", 3, 10);
    static const struct step steps[] = {
        {1000, 0},     {1000, 0},    {5000, 0},    {5000, 6000},
        {10999, 1},                /* the last in the window */
        {11000, 0},    {11000, 0}, /* both of the first second are out */
        {11000, 4000}, {14999, 1},   {15000, 0},   {15000, 6000},
        {9000, 6000}, /* a clock that goes back */
        {1000000, 0},  {1000000, 0}, {1000000, 0}, {1000001, 9999},
    };
    for (size_t i = 0; i < COUNT(steps); i++)
        assert_int_equal(call_at(policy, &p, steps[i].at), steps[i].wait);
}

/* No window of W seconds, wherever it begins, holds more than N admitted calls. */
static void no_window_holds_more(void **state) {
    (void)state;
    enum { CALLS = 4000, N = 7, WINDOW_MS = 3000 };
    const struct policy *policy = loaded("tables: {}", NULL);
    struct principal p = with_rate("tok", N, WINDOW_MS / 1000);
    int64_t *admitted = arena_new_array(&arena, CALLS, int64_t);
    size_t n = 0;
    uint32_t seed = 7;
    int64_t now = 0;
    for (int i = 0; i < CALLS; i++) {
        seed = seed * 1664525u + 1013904223u;
        now += (seed >> 20) % 500;
        if (call_at(policy, &p, now) == 0) admitted[n++] = now;
    }
    assert_true(n > 100);
    for (size_t i = N; i < n; i++) assert_true(admitted[i] - admitted[i - N] >= WINDOW_MS);
}

static void a_wait_is_long_enough_and_no_longer(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", NULL);
    struct principal p = with_rate("tok", 5, 60);
    int64_t now = 0;
    for (int i = 0; i < 50; i++) {
        int64_t wait = call_at(policy, &p, now);
        if (wait > 0) {
            assert_int_equal(call_at(policy, &p, now + wait - 1), 1);
            assert_int_equal(call_at(policy, &p, now + wait), 0);
            now += wait;
        }
        now += 1700;
    }
}

static const char *const PARTIES =
    "roles: {a: {rate_limit: 2/second}, b: {rate_limit: 5/minute}, c: {}}\n"
    "clients: {bot: {rate_limit: 3/second}, '*': {rate_limit: 100/second}}";

static void all_limits_or_none_are_charged(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", PARTIES);
    struct principal p = somebody("a,b,c", NULL, NULL, NULL);
    for (int64_t second = 0; second < 2; second++) {
        assert_int_equal(call_at(policy, &p, second * 1000), 0);
        assert_int_equal(call_at(policy, &p, second * 1000), 0);
        /* refused by the first: the second is not charged */
        for (int i = 0; i < 10; i++) assert_int_equal(call_at(policy, &p, second * 1000), 1000);
    }
    assert_int_equal(call_at(policy, &p, 2000), 0);
    assert_int_equal(admission.left, 0);
    assert_int_equal(call_at(policy, &p, 2000), 58000);
    policy_refuse_rate(&verdict, &admission, &of_call);
    assert_string_equal(verdict.code, "RATE_LIMIT_EXCEEDED");
    assert_int_equal(verdict.effect, EFFECT_DENY);
    assert_true(str_eq(verdict.rule, STR("role:b")));
    assert_true(str_eq(verdict.sentence, STR("too many calls: role:b allows 5 in 60 seconds")));
    assert_true(str_eq(verdict.hint, STR("Try again in 58 seconds.")));
}

static void who_shares_a_limit(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", PARTIES);
    struct principal ann = somebody("a", NULL, NULL, NULL), bob = ann;
    bob.user_id = STR("bob");
    /* a role's limit is each user's own */
    assert_int_equal(call_at(policy, &ann, 0), 0);
    assert_int_equal(call_at(policy, &ann, 0), 0);
    assert_int_equal(call_at(policy, &ann, 0), 1000);
    assert_int_equal(call_at(policy, &bob, 0), 0);
    /* a client's is shared by all that come through it */
    struct principal by_bot = somebody(NULL, NULL, NULL, "bot"), other = by_bot;
    other.user_id = STR("bob");
    assert_int_equal(call_at(policy, &by_bot, 0), 0);
    assert_int_equal(call_at(policy, &other, 0), 0);
    assert_int_equal(call_at(policy, &by_bot, 0), 0);
    assert_int_equal(call_at(policy, &other, 0), 1000);
    struct principal stranger = somebody(NULL, NULL, NULL, "stranger");
    assert_int_equal(call_at(policy, &stranger, 0), 0);
    /* two tokens count apart; nobody's limit is no limit */
    struct principal t1 = with_rate("t1", 1, 1), t2 = with_rate("t2", 1, 1);
    assert_int_equal(call_at(policy, &t1, 0), 0);
    assert_int_equal(call_at(policy, &t2, 0), 0);
    assert_int_equal(call_at(policy, &t1, 0), 1000);
    struct principal free_one = with_rate("t3", 0, 0);
    for (int i = 0; i < 1000; i++) assert_int_equal(call_at(policy, &free_one, 0), 0);
}

/* Another policy may be in force for the same logs after a reload. */
static void a_reload_changes_the_limit(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", NULL);
    struct principal wide = with_rate("tok", 5, 10), narrow = with_rate("tok", 2, 10);
    for (int64_t i = 0; i < 5; i++) assert_int_equal(call_at(policy, &wide, i * 1000), 0);
    /* five count: two may when only the last is left, which is when the fourth goes */
    assert_int_equal(call_at(policy, &narrow, 5000), 3000 + 10000 - 5000);
    assert_int_equal(call_at(policy, &narrow, 13000), 0);
    assert_int_equal(call_at(policy, &narrow, 13000), 1000);
}

static void names_of_any_length_count_apart(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", NULL);
    char name[4000];
    memset(name, 'x', sizeof name);
    struct principal p = with_rate("", 1, 10);
    p.token_id = (struct str){name, sizeof name};
    assert_int_equal(call_at(policy, &p, 0), 0);
    assert_int_equal(call_at(policy, &p, 0), 10000);
    assert_true(verdict.charges.windows[0].key.len <= STORE_KEY_BYTES_MAX);
    p.token_id.len--;
    assert_int_equal(call_at(policy, &p, 0), 0);
}

static void idle_limits_make_room(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", NULL);
    for (int round = 0; round < 3; round++) {
        int64_t now = round * 10000;
        for (int i = 0; i < RATE_KEYS_MAX; i++) {
            char token[32];
            snprintf(token, sizeof token, "r%d-%d", round, i);
            struct principal p = with_rate(token, 5, 1);
            assert_int_equal(call_at(policy, &p, now), 0);
        }
        struct principal one_more = with_rate("one more", 5, 1);
        assert_true(call_at(policy, &one_more, now) > 0);
    }
}

/* -- memory ----------------------------------------------------------------------------------- */

static void without_memory_nobody_is_admitted(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", PARTIES);
    struct principal p = somebody("a,b", NULL, NULL, "bot");
    long tried = 0;
    for (long n = 0;; n++, tried++) {
        struct policy_limiter *own = policy_limiter_new();
        const struct policy_charges *charges = charged(policy, &p);
        assert_int_equal(charges->n, 3);
        fault_set(n);
        policy_limiter_admit(own, charges, 0, &admission);
        bool is_done = fault_unused();
        fault_off();
        policy_limiter_free(own);
        assert_true(admission.is_admitted == is_done);
        if (is_done) break;
        assert_true(admission.retry_after_ms > 0);
    }
    assert_true(tried >= 6);
}

static int setup_only(void **state) {
    limiter = NULL;
    arena_init(&of_call, 1 << 16);
    return setup(state);
}

/* -- places for queries ----------------------------------------------------------------------- */

static void places_are_counted_by_user(void **state) {
    (void)state;
    assert_false(policy_limiter_enter_query(limiter, STR("ann"), 0));
    assert_false(policy_limiter_enter_query(limiter, STR("ann"), -1));
    assert_true(policy_limiter_enter_query(limiter, STR("ann"), 2));
    assert_true(policy_limiter_enter_query(limiter, STR("ann"), 2));
    assert_false(policy_limiter_enter_query(limiter, STR("ann"), 2));
    assert_true(policy_limiter_enter_query(limiter, STR("bob"), 2));
    assert_true(policy_limiter_enter_query(limiter, STR(""), 1));
    policy_limiter_leave_query(limiter, STR("ann"));
    assert_true(policy_limiter_enter_query(limiter, STR("ann"), 2));
    policy_limiter_leave_query(limiter, STR("ann"));
    policy_limiter_leave_query(limiter, STR("ann"));
    assert_true(policy_limiter_enter_query(limiter, STR("ann"), 1));
    for (long n = 0;; n++) {
        fault_set(n);
        bool is_in = policy_limiter_enter_query(limiter, STR("eve"), 1);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) {
            assert_true(is_in);
            break;
        }
        assert_false(is_in);
    }
}

/* -- threads ---------------------------------------------------------------------------------- */

enum { THREADS = 4, CALLS_EACH = 3000, LIMIT = 500, PLACES = 3 };

struct crowd {
    const struct policy *policy;
    _Atomic int admitted, inside, most_inside, entered;
};

static void *push_in(void *with) {
    struct crowd *crowd = with;
    struct arena own;
    arena_init(&own, 1 << 22);
    struct principal p = {
        .user_id = STR("ann"), .token_id = STR("tok"), .rate_n = LIMIT, .rate_window_s = 3600};
    for (int i = 0; i < CALLS_EACH; i++) {
        struct verdict own_verdict;
        struct store_admission got;
        struct policy_question question = {.tool = STR("run")};
        policy_judge(crowd->policy, &p, &question, &own, &own_verdict);
        policy_limiter_admit(limiter, &own_verdict.charges, i, &got);
        if (got.is_admitted) atomic_fetch_add(&crowd->admitted, 1);
        if (policy_limiter_enter_query(limiter, STR("ann"), PLACES)) {
            int inside = atomic_fetch_add(&crowd->inside, 1) + 1;
            int most = atomic_load(&crowd->most_inside);
            while (inside > most &&
                   !atomic_compare_exchange_weak(&crowd->most_inside, &most, inside))
                continue;
            atomic_fetch_add(&crowd->entered, 1);
            atomic_fetch_sub(&crowd->inside, 1);
            policy_limiter_leave_query(limiter, STR("ann"));
        }
        arena_reset(&own);
    }
    arena_deinit(&own);
    return NULL;
}

static void a_crowd_is_counted_exactly(void **state) {
    (void)state;
    struct crowd crowd = {.policy = loaded("tables: {}", NULL)};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push_in, &crowd), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(crowd.admitted, LIMIT);
    assert_int_equal(crowd.inside, 0);
    assert_true(crowd.most_inside <= PLACES);
    assert_true(crowd.entered > 0);
}

#define WITH_LIMITER(test) cmocka_unit_test_setup_teardown(test, setup_limiter, teardown_limiter)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_LIMITER(a_window_slides),
        WITH_LIMITER(no_window_holds_more),
        WITH_LIMITER(a_wait_is_long_enough_and_no_longer),
        WITH_LIMITER(all_limits_or_none_are_charged),
        WITH_LIMITER(who_shares_a_limit),
        WITH_LIMITER(a_reload_changes_the_limit),
        WITH_LIMITER(names_of_any_length_count_apart),
        WITH_LIMITER(idle_limits_make_room),
        WITH_LIMITER(places_are_counted_by_user),
        WITH_LIMITER(a_crowd_is_counted_exactly),
        cmocka_unit_test_setup_teardown(without_memory_nobody_is_admitted, setup_only,
                                        teardown_limiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
