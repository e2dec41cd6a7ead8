/*
 * Rates, places and quotas over one store: two replicas on it admit exactly what one may, in any
 * order of calls; what a failing store does; when a day begins and ends.
 */
#include "road/meter.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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

static struct call *call_by(const char *user, const char *roles, const char *client) {
    struct call *call = call_new(&world.snapshot, &world.clock);
    assert_non_null(call);
    call->may_wait = true;
    call->tool_name = STR("run");
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

#define CASE(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)
#define RATES(test) cmocka_unit_test_setup_teardown(test, setup, teardown_last)

int main(void) {
    const struct CMUnitTest tests[] = {
        RATES(a_rate_holds_over_replicas),
        RATES(a_store_of_this_machine_is_not_asked),
        RATES(a_loop_does_not_wait),
        RATES(a_store_that_fails_refuses_unless_told_otherwise),
        CASE(places_hold_over_replicas),
        CASE(a_dead_replica_holds_no_place_for_ever),
        CASE(a_quota_holds_over_replicas_until_the_day_ends),
        CASE(a_day_begins_where_the_keepers_say),
        CASE(the_strictest_quota_counts_and_none_is_lost),
        CASE(what_no_engine_was_asked_is_given_back),
        CASE(a_quota_needs_its_store),
        CASE(what_is_not_metered_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
