/*
 * Rates, places, quotas and budgets over one store: two replicas on it admit exactly what one may,
 * in any order of calls; what a failing store does; when a day begins and ends.
 */
#include "road/meter.h"

#include "base/fault.h"
#include "base/limits.h"
#include "policy/budget.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

#define NOON INT64_C(1795176000000) /* 2026-11-20T12:00:00Z */
enum { HOUR_MS = 3600000, REPLICAS = 2 };

struct world {
    struct clock clock;
    struct store *store;
    struct store_kind kind; /* the memory's, as if other machines saw it */
    struct snapshot snapshot;
    struct policy_limiter *limiters[REPLICAS];
};

static struct world world;

static void keep(struct snapshot *snapshot) {
    (void)snapshot;
}

static const struct yaml *tree_of(const char *text) {
    const struct yaml *tree = NULL;
    assert_int_equal(
        yaml_read(str_of(text), STR("text"), NULL, &world.snapshot.arena, &tree, NULL).why,
        FAIL_NONE);
    return tree;
}

static const char PARTIES[] = "roles: {rare: {rate_limit: 3/minute}, five: {query_quota_daily: 5},"
                              " two: {query_quota_daily: 2}}\n"
                              "clients: {bot: {query_quota_daily: 4}}\n";

/* Who tips spends of two budgets, of which one counts all people together. */
static const char RULES[] = "version: '1'\n"
                            "tools:\n"
                            "  pay: {budget: {max: 10, window: hour, from: args.n, by: principal,\n"
                            "                 reason: ask Ann}}\n"
                            "  tip: {budget: {max: 10, window: hour, from: args.n}}\n"
                            "  t*p: {budget: {max: 3, window: day, from: args.n, by: tool}}\n";

static int setup(void **state) {
    (void)state;
    struct problems problems;
    struct store_settings settings = {.kind = STORE_MEMORY, .max_bytes = 16 * MIB};
    memset(&world, 0, sizeof world);
    clock_scripted(&world.clock, NOON);
    assert_int_equal(store_open(&settings, STR("nowhere"), &world.clock, &world.store, NULL).why,
                     FAIL_NONE);
    world.kind = *world.store->kind;
    world.kind.is_shared = true;
    world.store->kind = &world.kind;
    struct snapshot *s = &world.snapshot;
    s->refs = 1;
    s->release = keep;
    s->store = world.store;
    s->settings.reply_max_bytes = 64 * KIB;
    arena_init(&s->arena, 1 << 22);
    problems_init(&problems, &s->arena);
    struct policy_sources sources = {
        .policy = tree_of("tables: {}\nsecurity: {max_concurrent_queries_per_user: 2}"),
        .enterprise = tree_of(PARTIES),
        .rules = tree_of(RULES),
        .policy_text = STR("text")};
    assert_int_equal(policy_load(&sources, &s->arena, &problems, &s->policy).why, FAIL_NONE);
    for (int i = 0; i < REPLICAS; i++) world.limiters[i] = policy_limiter_new();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (int i = 0; i < REPLICAS; i++) policy_limiter_free(world.limiters[i]);
    store_close(world.store);
    arena_deinit(&world.snapshot.arena);
    return 0;
}

static struct call *new_call(const char *tool) {
    struct call *call = call_new(&world.snapshot, &world.clock);
    assert_non_null(call);
    call->may_wait = true;
    call->tool_name = str_of(tool);
    return call;
}

static struct call *call_by(const char *user, const char *roles, const char *client) {
    struct call *call = new_call("run");
    struct principal *p = &call->principal;
    struct str *items = arena_new_array(&call->arena, 4, struct str);
    p->user_id = str_of(user);
    p->client_id = str_of(client);
    p->roles = items;
    for (struct str rest = str_of(roles); rest.len > 0;) items[p->n_roles++] = str_cut(&rest, ',');
    struct policy_question question = {.tool = call->tool_name};
    policy_judge(world.snapshot.policy, p, &question, &call->arena, &call->verdict);
    assert_int_equal(call->verdict.effect, EFFECT_ALLOW);
    return call;
}

/* -- a store that fails ----------------------------------------------------------------------- */

static result no_admit(struct store *store, const struct store_window *windows, size_t n,
                       struct store_admission *out, struct report *report) {
    (void)store, (void)windows, (void)n, (void)out, (void)report;
    return (result){FAIL_IO};
}

static result no_enter(struct store *store, const struct store_place *place, int64_t max,
                       bool *is_in, struct report *report) {
    (void)store, (void)place, (void)max, (void)is_in, (void)report;
    return (result){FAIL_IO};
}

static result no_add(struct store *store, struct str key, int64_t delta, int64_t ttl_ms,
                     int64_t *value, struct report *report) {
    (void)store, (void)key, (void)delta, (void)ttl_ms, (void)value, (void)report;
    return (result){FAIL_IO};
}

static void break_store(void) {
    world.kind.admit = no_admit;
    world.kind.enter = no_enter;
    world.kind.add = no_add;
}

/* -- rates ------------------------------------------------------------------------------------ */

/* The code of the refusal, or "". The call that was counted last stays for a look. */
static struct call *last;

static const char *count_on(int replica, const char *user, const char *roles) {
    call_free(last);
    last = call_by(user, roles, NULL);
    result r = meter_count(world.limiters[replica], last);
    if (r.why == FAIL_NONE) return "";
    return r.why == FAIL_DENIED ? last->verdict.code : last->report.code;
}

static int teardown_last(void **state) {
    call_free(last);
    last = NULL;
    return teardown(state);
}

static void a_rate_holds_over_replicas(void **state) {
    (void)state;
    for (int i = 0; i < 12; i++)
        assert_string_equal(count_on(i % REPLICAS, "ann", "rare"),
                            i < 3 ? "" : "RATE_LIMIT_EXCEEDED");
    assert_int_equal(last->facts.retry_after_ms, 60000);
    assert_int_equal(last->facts.rate.left, 0);
    assert_int_equal(last->facts.rate.max, 3);
    assert_true(str_eq(last->facts.rate.rule, STR("role:rare")));
    assert_string_equal(count_on(0, "bob", "rare"), "");
    assert_int_equal(last->facts.rate.left, 2);
    clock_move(&world.clock, 60000);
    assert_string_equal(count_on(1, "ann", "rare"), "");
}

static void a_store_of_this_machine_is_not_asked(void **state) {
    (void)state;
    world.kind.is_shared = false;
    break_store();
    for (int i = 0; i < 8; i++)
        assert_string_equal(count_on(i % REPLICAS, "ann", "rare"),
                            i < 6 ? "" : "RATE_LIMIT_EXCEEDED");
}

static void a_loop_does_not_wait(void **state) {
    (void)state;
    last = call_by("ann", "rare", NULL);
    last->may_wait = false;
    assert_int_equal(meter_count(world.limiters[0], last).why, FAIL_WAIT);
    assert_null(last->report.code);
    world.kind.is_shared = false;
    assert_int_equal(meter_count(world.limiters[0], last).why, FAIL_NONE);
    call_free(last);
    world.kind.is_shared = true;
    last = call_by("ann", "", NULL); /* under no limit */
    last->may_wait = false;
    assert_int_equal(meter_count(world.limiters[0], last).why, FAIL_NONE);
}

static void a_store_that_fails_refuses_unless_told_otherwise(void **state) {
    (void)state;
    break_store();
    assert_string_equal(count_on(0, "ann", "rare"), "STORE_UNAVAILABLE");
    assert_true(last->facts.retry_after_ms > 0);
    assert_string_equal(count_on(0, "ann", ""), "");
    world.snapshot.settings.on_store_failure = ON_FAILURE_OPEN;
    for (int i = 0; i < 5; i++) /* each replica for itself */
        assert_string_equal(count_on(0, "ann", "rare"), i < 3 ? "" : "RATE_LIMIT_EXCEEDED");
    assert_string_equal(count_on(1, "ann", "rare"), "");
}

/* -- queries ---------------------------------------------------------------------------------- */

struct query {
    struct call *call;
    struct metered metered;
    int replica;
};

static const char *enter(struct query *q, int replica, const char *roles, const char *client) {
    q->replica = replica;
    q->call = call_by("ann", roles, client);
    result r = meter_enter(world.limiters[replica], q->call, &q->metered);
    return r.why == FAIL_NONE ? "" : q->call->report.code;
}

static void leave(struct query *q, bool was_run) {
    if (was_run) q->call->facts.engine_us = 1;
    meter_leave(world.limiters[q->replica], q->call, &q->metered);
    call_free(q->call);
}

static const char *refused(int replica, const char *roles, const char *client) {
    struct query q;
    const char *code = enter(&q, replica, roles, client);
    if (code[0] == '\0') fail_msg("a query was let in");
    call_free(q.call);
    return code;
}

static void run(int replica, const char *roles, const char *client) {
    struct query q;
    assert_string_equal(enter(&q, replica, roles, client), "");
    leave(&q, true);
}

static void places_hold_over_replicas(void **state) {
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct query a, b;
        world.kind.is_shared = shared;
        assert_string_equal(enter(&a, 0, "", NULL), "");
        assert_string_equal(enter(&b, shared, "", NULL), "");
        assert_string_equal(refused(0, "", NULL), "CONCURRENCY_LIMIT_EXCEEDED");
        assert_int_equal(b.metered.is_here, !shared);
        leave(&a, true);
        run(0, "", NULL);
        leave(&b, true);
    }
    struct query a;
    break_store();
    assert_string_equal(refused(0, "", NULL), "STORE_UNAVAILABLE");
    world.snapshot.settings.on_store_failure = ON_FAILURE_OPEN;
    assert_string_equal(enter(&a, 0, "", NULL), "");
    assert_true(a.metered.is_here);
    leave(&a, true);
}

/* A replica that dies holds its places until its queries would have ended. */
static void a_dead_replica_holds_no_place_for_ever(void **state) {
    (void)state;
    struct query dead, also_dead;
    assert_string_equal(enter(&dead, 0, "", NULL), "");
    assert_string_equal(enter(&also_dead, 0, "", NULL), "");
    assert_string_equal(refused(1, "", NULL), "CONCURRENCY_LIMIT_EXCEEDED");
    clock_move(&world.clock, (POLICY_TIMEOUT_S + 60) * 1000);
    run(1, "", NULL);
    call_free(dead.call);
    call_free(also_dead.call);
}

static void a_quota_holds_over_replicas_until_the_day_ends(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) run(i % REPLICAS, "five", NULL);
    struct query q;
    assert_string_equal(enter(&q, 1, "five", NULL), "DAILY_QUOTA_EXCEEDED");
    assert_int_equal(q.call->facts.retry_after_ms, 12 * HOUR_MS);
    assert_int_equal(q.call->facts.quota.left, 0);
    assert_int_equal(q.call->facts.quota.resets_ms, NOON + 12 * HOUR_MS);
    assert_true(str_eq(q.call->verdict.rule, STR("role:five")));
    call_free(q.call);
    clock_move(&world.clock, 12 * HOUR_MS - 1);
    assert_string_equal(refused(0, "five", NULL), "DAILY_QUOTA_EXCEEDED");
    clock_move(&world.clock, 1);
    run(0, "five", NULL);
}

static void a_day_begins_where_the_keepers_say(void **state) {
    (void)state;
    world.snapshot.settings.day_begins_min = -480; /* China: 16:00 UTC */
    run(0, "two", NULL);
    run(0, "two", NULL);
    assert_string_equal(refused(0, "two", NULL), "DAILY_QUOTA_EXCEEDED");
    clock_move(&world.clock, 4 * HOUR_MS - 1);
    assert_string_equal(refused(0, "two", NULL), "DAILY_QUOTA_EXCEEDED");
    clock_move(&world.clock, 1);
    run(0, "two", NULL);
}

static void the_strictest_quota_counts_and_none_is_lost(void **state) {
    (void)state;
    run(0, "five,two", "bot");
    run(0, "five,two", "bot");
    for (int i = 0; i < 6; i++)
        assert_string_equal(refused(0, "five,two", "bot"), "DAILY_QUOTA_EXCEEDED");
    /* what the refused ones took of the others was given back: 3 of five, 2 of the client are left
     */
    run(0, "five", "bot");
    run(0, "five", "bot");
    assert_string_equal(refused(0, "five", "bot"), "DAILY_QUOTA_EXCEEDED");
    run(0, "five", NULL);
    assert_string_equal(refused(0, "five", NULL), "DAILY_QUOTA_EXCEEDED");
}

static void what_no_engine_was_asked_is_given_back(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct query q;
        assert_string_equal(enter(&q, 0, "two", NULL), "");
        assert_int_equal(q.call->facts.quota.left, 1);
        meter_leave(world.limiters[0], q.call, &q.metered);
        assert_int_equal(q.call->facts.quota.left, 2);
        call_free(q.call);
    }
    run(0, "two", NULL);
    run(0, "two", NULL);
    assert_string_equal(refused(0, "two", NULL), "DAILY_QUOTA_EXCEEDED");
}

static void a_quota_needs_its_store(void **state) {
    (void)state;
    world.kind.is_shared = false; /* quotas are the store's all the same */
    run(0, "two", NULL);
    run(1, "two", NULL);
    assert_string_equal(refused(0, "two", NULL), "DAILY_QUOTA_EXCEEDED");
    break_store();
    assert_string_equal(refused(0, "two", NULL), "STORE_UNAVAILABLE");
    world.snapshot.store = NULL;
    assert_string_equal(refused(0, "two", NULL), "STORE_UNAVAILABLE");
    run(0, "", NULL);
    world.snapshot.settings.on_store_failure = ON_FAILURE_OPEN;
    run(0, "two", NULL);
}

static void what_is_not_metered_is_not_counted(void **state) {
    (void)state;
    break_store();
    struct query q = {.call = call_by("ann", "two", NULL)};
    q.call->is_unmetered = true;
    assert_int_equal(meter_enter(world.limiters[0], q.call, &q.metered).why, FAIL_NONE);
    leave(&q, false);
}

/* -- budgets ---------------------------------------------------------------------------------- */

/* A call that asks for `parts` of a budget, judged. */
static struct call *asks_for(const char *user, const char *tool, int64_t parts) {
    char amount[AMOUNT_TEXT_MAX];
    struct call *call = new_call(tool);
    struct str text =
        str_printf(&call->arena, "{\"n\":" STR_FMT "}", STR_ARG(amount_text(parts, amount)));
    assert_int_equal(json_read(text, NULL, &call->arena, &call->arguments, NULL).why, FAIL_NONE);
    call->principal.user_id = str_of(user);
    struct policy_question question = {.tool = call->tool_name, .arguments = call->arguments};
    policy_judge(world.snapshot.policy, &call->principal, &question, &call->arena, &call->verdict);
    assert_int_equal(call->verdict.effect, EFFECT_ALLOW);
    assert_true(meter_may_spend(call));
    return call;
}

/* The code of the refusal, or "". The call stays in `last`, and what it took in `spent`. */
static struct taken spent;

static const char *spend_last(void) {
    result r = meter_spend(last, &spent);
    assert_true(r.why != FAIL_NONE || last->report.code == NULL);
    assert_true(r.why == FAIL_NONE || spent.from.n == 0);
    return r.why == FAIL_NONE ? "" : last->report.code;
}

static const char *spend(const char *user, const char *tool, int64_t parts) {
    call_free(last);
    last = asks_for(user, tool, parts);
    return spend_last();
}

/* So much can be spent and not a part more. */
static void assert_left(const char *user, const char *tool, int64_t parts) {
    assert_string_equal(spend(user, tool, parts + 1), "BUDGET_EXCEEDED");
    assert_int_equal(last->facts.budget.left, parts);
    assert_string_equal(spend(user, tool, parts), "");
    assert_int_equal(last->facts.budget.left, 0);
    assert_string_equal(spend(user, tool, 1), "BUDGET_EXCEEDED");
    assert_string_equal(spend(user, tool, 0), "");
}

enum { ONE = BUDGET_SCALE };

static void a_budget_holds_until_its_window_ends(void **state) {
    (void)state;
    clock_move(&world.clock, HOUR_MS / 2);
    assert_string_equal(spend("ann", "pay", 4 * ONE), "");
    assert_int_equal(last->facts.budget.left, 6 * ONE);
    assert_string_equal(spend("ann", "pay", 6 * ONE + ONE / 2), "BUDGET_EXCEEDED");
    assert_string_equal(last->report.sentence,
                        "ask Ann: the call asks for 6.5, and 6 of 10 are left "
                        "(rules.yaml#tools.pay.budget)");
    assert_int_equal(last->facts.retry_after_ms, HOUR_MS / 2);
    assert_int_equal(last->facts.budget.resets_ms, NOON + HOUR_MS);
    assert_int_equal(last->facts.budget.max, 10 * ONE);
    assert_true(str_eq(last->verdict.rule, STR("rules.yaml#tools.pay.budget")));
    assert_int_equal(last->verdict.effect, EFFECT_DENY);
    assert_left("ann", "pay", 6 * ONE);
    assert_left("bob", "pay", 10 * ONE);
    clock_move(&world.clock, HOUR_MS / 2 - 1);
    assert_string_equal(spend("ann", "pay", 1), "BUDGET_EXCEEDED");
    clock_move(&world.clock, 1);
    assert_left("ann", "pay", 10 * ONE);
}

static void what_no_budget_holds_is_not_waited_for(void **state) {
    (void)state;
    assert_string_equal(spend("ann", "pay", 10 * ONE + 1), "BUDGET_EXCEEDED");
    assert_int_equal(last->facts.retry_after_ms, 0);
    assert_string_equal(last->report.hint, "Ask for 10 at most.");
    assert_left("ann", "pay", 10 * ONE);
}

static void all_budgets_are_charged_or_none(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_string_equal(spend("ann", "tip", 4 * ONE), "BUDGET_EXCEEDED");
    assert_string_equal(spend("bob", "tip", 2 * ONE), "");
    assert_true(str_eq(last->facts.budget.rule, STR("rules.yaml#tools.t*p.budget")));
    assert_string_equal(spend("ann", "tip", 2 * ONE), "BUDGET_EXCEEDED");
    assert_left("ann", "tip", 1 * ONE);
    clock_move(&world.clock, 12 * HOUR_MS); /* what the refused ones asked for is still there */
    assert_left("ann", "tip", 3 * ONE);
}

/* A yes that came late counts when it came. */
static void a_call_spends_when_it_runs(void **state) {
    (void)state;
    last = asks_for("ann", "pay", 10 * ONE);
    clock_move(&world.clock, 5 * HOUR_MS);
    assert_string_equal(spend_last(), "");
    assert_string_equal(spend("ann", "pay", 1), "BUDGET_EXCEEDED");
}

static void what_did_not_run_is_refunded(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_string_equal(spend("ann", "tip", 3 * ONE), "");
        clock_move(&world.clock, HOUR_MS); /* to the window that it was taken from */
        meter_refund(last, &spent);
        assert_int_equal(last->facts.budget.left, 3 * ONE);
        meter_refund(last, &spent); /* nothing is taken any more */
    }
    assert_left("ann", "tip", 3 * ONE);
}

static void a_budget_needs_its_store(void **state) {
    (void)state;
    world.kind.is_shared = false;
    break_store();
    assert_string_equal(spend("ann", "pay", ONE), "STORE_UNAVAILABLE");
    assert_true(last->facts.retry_after_ms > 0);
    world.snapshot.store = NULL;
    assert_string_equal(spend("ann", "pay", ONE), "STORE_UNAVAILABLE");
    world.snapshot.settings.on_store_failure = ON_FAILURE_OPEN;
    assert_string_equal(spend("ann", "pay", ONE), "");
    assert_string_equal(spend("ann", "pay", 11 * ONE), "BUDGET_EXCEEDED");
    last->is_unmetered = true;
    assert_false(meter_may_spend(last));
    assert_int_equal(meter_spend(last, &spent).why, FAIL_NONE);
}

static result overflow_add(struct store *store, struct str key, int64_t delta, int64_t ttl_ms,
                           int64_t *value, struct report *report) {
    (void)store, (void)key, (void)delta, (void)ttl_ms, (void)value, (void)report;
    return (result){FAIL_INPUT};
}

static void a_sum_that_would_overflow_is_refused(void **state) {
    (void)state;
    world.kind.add = overflow_add;
    world.snapshot.settings.on_store_failure = ON_FAILURE_OPEN;
    assert_string_equal(spend("ann", "pay", ONE), "BUDGET_EXCEEDED");
    struct query q;
    assert_string_equal(enter(&q, 0, "two", NULL), "DAILY_QUOTA_EXCEEDED");
    call_free(q.call);
}

static result looked_add(struct store *store, struct str key, int64_t delta, int64_t ttl_ms,
                         int64_t *value, struct report *report) {
    assert_int_equal(delta, 0);
    return store_memory.add(store, key, delta, ttl_ms, value, report);
}

static void what_cannot_fit_keeps_nobody_out(void **state) {
    (void)state;
    assert_string_equal(spend("ann", "tip", 2 * ONE), "");
    world.kind.add = looked_add;
    assert_string_equal(spend("ann", "tip", 2 * ONE), "BUDGET_EXCEEDED");
}

/* Somebody else spends 8 between our look and our step. */
static result crowded_add(struct store *store, struct str key, int64_t delta, int64_t ttl_ms,
                          int64_t *value, struct report *report) {
    int64_t unused;
    if (delta > 0) world.kind.add = store_memory.add;
    if (delta > 0) TRY(store_memory.add(store, key, 8 * ONE, ttl_ms, &unused, report));
    return store_memory.add(store, key, delta, ttl_ms, value, report);
}

static void who_is_overtaken_gives_back(void **state) {
    (void)state;
    world.kind.add = crowded_add;
    assert_string_equal(spend("ann", "pay", 3 * ONE), "BUDGET_EXCEEDED");
    assert_int_equal(last->facts.budget.left, 2 * ONE);
    assert_left("ann", "pay", 2 * ONE);
}

static void no_half_charge(void **state) {
    (void)state;
    long tried = 0;
    for (long n = 0;; n++, tried++) {
        call_free(last);
        last = asks_for("ann", "tip", 1 * ONE);
        fault_set(n);
        result r = meter_spend(last, &spent);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        if (r.why == FAIL_NONE) meter_refund(last, &spent); /* it went well all the same */
    }
    assert_true(tried > 0);
    assert_left("ann", "tip", 2 * ONE);
}

/* Knuth's MMIX generator. */
static uint64_t draw(uint64_t *seed, uint64_t n) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % n;
}

/* Whatever is asked for in whatever order, what fits is let through and nothing else. */
static void never_more_than_the_maximum(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t s = seed;
        int64_t sum = 0;
        for (int i = 0; i < 40; i++) {
            int64_t parts = (int64_t)draw(&s, draw(&s, 4) == 0 ? 6 * ONE : ONE / 2);
            bool fits = sum + parts <= 10 * ONE;
            assert_string_equal(spend("ann", "pay", parts), fits ? "" : "BUDGET_EXCEEDED");
            assert_int_equal(last->facts.budget.left, 10 * ONE - sum - (fits ? parts : 0));
            if (fits) sum += parts;
            if (!fits || draw(&s, 3) > 0) continue;
            meter_refund(last, &spent);
            sum -= parts;
        }
        clock_move(&world.clock, HOUR_MS);
    }
}

/* -- two processes' handles on one file ------------------------------------------------------- */

enum { SPENDERS = 2, SPENDS = 40 };

struct spender {
    struct snapshot snapshot;
    struct call *calls[SPENDS];
    int64_t sum;
};

static void *spend_all(void *with) {
    struct spender *s = with;
    for (int i = 0; i < SPENDS; i++) {
        struct taken taken;
        if (meter_spend(s->calls[i], &taken).why != FAIL_NONE) continue;
        s->sum += s->calls[i]->verdict.budgets.costs[0].amount;
    }
    return NULL;
}

static void init_spender(struct spender *s, const char *dir, uint64_t seed) {
    struct store_settings settings = {
        .kind = STORE_SQLITE, .path = STR("store.db"), .max_bytes = 16 * MIB, .wait_ms = 30000};
    s->snapshot = world.snapshot;
    assert_int_equal(store_open(&settings, str_of(dir), &world.clock, &s->snapshot.store, NULL).why,
                     FAIL_NONE);
    for (int i = 0; i < SPENDS; i++) {
        s->calls[i] = asks_for("ann", "pay", (int64_t)draw(&seed, ONE));
        s->calls[i]->snapshot = &s->snapshot;
    }
}

static void deinit_spender(struct spender *s) {
    for (int i = 0; i < SPENDS; i++) {
        s->calls[i]->snapshot = &world.snapshot;
        call_free(s->calls[i]);
    }
    store_close(s->snapshot.store);
}

static void two_handles_on_one_file_count_as_one(void **state) {
    (void)state;
    static struct spender spenders[SPENDERS];
    pthread_t threads[SPENDERS];
    char dir[] = "budget-test-XXXXXX", command[64];
    int64_t sum = 0;
    assert_non_null(mkdtemp(dir));
    memset(spenders, 0, sizeof spenders);
    for (int i = 0; i < SPENDERS; i++) init_spender(&spenders[i], dir, (uint64_t)i + 7);
    for (int i = 0; i < SPENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spend_all, &spenders[i]), 0);
    for (int i = 0; i < SPENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        sum += spenders[i].sum;
    }
    assert_true(sum <= 10 * ONE);
    struct store *own = world.snapshot.store;
    world.snapshot.store = spenders[0].snapshot.store;
    assert_left("ann", "pay", 10 * ONE - sum); /* nothing that was refused stayed taken */
    world.snapshot.store = own;
    for (int i = 0; i < SPENDERS; i++) deinit_spender(&spenders[i]);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define LAST(test) cmocka_unit_test_setup_teardown(test, setup, teardown_last)

int main(void) {
    const struct CMUnitTest tests[] = {
        LAST(a_rate_holds_over_replicas),
        LAST(a_store_of_this_machine_is_not_asked),
        LAST(a_loop_does_not_wait),
        LAST(a_store_that_fails_refuses_unless_told_otherwise),
        CASE(places_hold_over_replicas),
        CASE(a_dead_replica_holds_no_place_for_ever),
        CASE(a_quota_holds_over_replicas_until_the_day_ends),
        CASE(a_day_begins_where_the_keepers_say),
        CASE(the_strictest_quota_counts_and_none_is_lost),
        CASE(what_no_engine_was_asked_is_given_back),
        CASE(a_quota_needs_its_store),
        CASE(what_is_not_metered_is_not_counted),
        LAST(a_budget_holds_until_its_window_ends),
        LAST(what_no_budget_holds_is_not_waited_for),
        LAST(all_budgets_are_charged_or_none),
        LAST(a_call_spends_when_it_runs),
        LAST(what_did_not_run_is_refunded),
        LAST(a_budget_needs_its_store),
        LAST(a_sum_that_would_overflow_is_refused),
        LAST(what_cannot_fit_keeps_nobody_out),
        LAST(who_is_overtaken_gives_back),
        LAST(no_half_charge),
        LAST(never_more_than_the_maximum),
        LAST(two_handles_on_one_file_count_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
