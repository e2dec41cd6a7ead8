#include "road/meter.h"

#include "base/limits.h"
#include "policy/budget.h"

#include <inttypes.h>

static struct store *shared_store(const struct call *call) {
    struct store *store = call->snapshot->store;
    return store != NULL && store_is_shared(store) ? store : NULL;
}

static bool fails_open(const struct call *call) {
    return call->snapshot->settings.on_store_failure == ON_FAILURE_OPEN;
}

/* What becomes of a limit when the store did not answer: OK where it may be left uncounted. */
static result unless_open(struct call *call, const char *what) {
    if (fails_open(call)) return OK;
    call->facts.retry_after_ms = POOL_RETRY_MS;
    fail(&call->report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
         "%s cannot be counted, so the call is refused", what);
    fail_hint(&call->report, "Call again in a few seconds");
    return (result){FAIL_IO};
}

/* -- rates ------------------------------------------------------------------------------------ */

static result refuse_rate(struct call *call, const struct store_admission *admission) {
    policy_refuse_rate(&call->verdict, admission, &call->arena);
    call->facts.retry_after_ms = admission->retry_after_ms;
    return (result){FAIL_DENIED};
}

static void note_rate(struct call *call, const struct store_admission *admission) {
    const struct policy_charges *charges = &call->verdict.charges;
    const struct store_window *window = &charges->windows[admission->tightest];
    call->facts.rate = (struct call_limit){.rule = charges->rules[admission->tightest],
                                           .max = window->max,
                                           .left = admission->left,
                                           .window_ms = window->window_ms};
}

result meter_count(struct policy_limiter *limiter, struct call *call) {
    const struct policy_charges *charges = &call->verdict.charges;
    struct store *store = shared_store(call);
    struct store_admission admission = {0};
    struct report unused = {0};
    if (charges->n == 0) return OK;
    if (store != NULL && !call->may_wait) return (result){FAIL_WAIT};
    bool is_counted = false;
    if (store != NULL) {
        result r = store_admit(store, charges->windows, charges->n, &admission, &unused);
        is_counted = r.why == FAIL_NONE;
        if (!is_counted) TRY(unless_open(call, "the rate of your calls"));
    }
    if (!is_counted) policy_limiter_admit(limiter, charges, call->started_ns / 1000000, &admission);
    note_rate(call, &admission);
    return admission.is_admitted ? OK : refuse_rate(call, &admission);
}

/* -- places ----------------------------------------------------------------------------------- */

static result refuse_place(struct call *call, int64_t max) {
    call->facts.retry_after_ms = POOL_RETRY_MS;
    return fail(&call->report, FAIL_DENIED, "CONCURRENCY_LIMIT_EXCEEDED", REPORT_NO_OFFSET,
                "%" PRId64 " queries of this user are running already, which is the maximum", max);
}

/* A replica that dies keeps its places until the longest query would have ended. */
enum { PLACE_SPARE_S = 60 };

static result enter_shared(struct store *store, struct call *call,
                           const struct policy_limits *limits, int64_t max, struct metered *query) {
    struct report unused = {0};
    struct str user = call->principal.user_id;
    struct store_place place = {
        .key = str_printf(&call->arena, "running:%zu:" STR_FMT, user.len,
                          STR_ARG(str_slice(user, 0, STORE_KEY_BYTES_MAX / 2))),
        .member = str_of(call->audit_id),
        .ttl_ms = (limits->query_timeout_s + PLACE_SPARE_S) * 1000};
    bool is_in = false;
    if (place.key.ptr == NULL) return fail_memory(&call->report);
    result r = store_enter(store, &place, max < STORE_PLACES_MAX ? max : STORE_PLACES_MAX, &is_in,
                           &unused);
    if (r.why != FAIL_NONE) return (result){FAIL_IO};
    if (!is_in) return refuse_place(call, max);
    query->place = place;
    return OK;
}

static result enter_place(struct policy_limiter *limiter, struct call *call,
                          struct metered *query) {
    struct policy_limits limits;
    policy_limits(call->snapshot->policy, &limits);
    int64_t max = limits.max_concurrent_queries_per_user;
    struct store *store = shared_store(call);
    if (store != NULL) {
        result r = enter_shared(store, call, &limits, max, query);
        if (r.why != FAIL_IO) return r;
        TRY(unless_open(call, "your running queries"));
    }
    query->is_here = policy_limiter_enter_query(limiter, call->principal.user_id, max);
    return query->is_here ? OK : refuse_place(call, max);
}

static void leave_place(struct policy_limiter *limiter, struct call *call,
                        const struct metered *query) {
    struct report unused = {0};
    if (query->is_here) policy_limiter_leave_query(limiter, call->principal.user_id);
    if (query->place.key.len == 0) return;
    /* a store that does not answer lets the place go when its time is over */
    result r = store_leave(call->snapshot->store, &query->place, NULL, &unused);
    (void)r;
}

/* -- sums in windows of the clock ------------------------------------------------------------- */

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

/* How a sort of sums is told of. */
struct sums {
    const char *what; /* "%s cannot be counted" */
    struct call_limit *fact;
    /* `left` is at least 0. */
    result (*refuse)(struct call *call, const struct taken *of, size_t i, int64_t left);
};

static int64_t days_begin_ms(const struct call *call) {
    return call->snapshot->settings.day_begins_min * MINUTE_MS;
}

/* Windows since 1970, where one begins at the keepers' hour. */
static int64_t window_of(const struct call *call, const struct taken *of, size_t i) {
    return (of->at_ms - days_begin_ms(call)) / of->from.windows[i].window_ms;
}

static int64_t window_ends_ms(const struct call *call, const struct taken *of, size_t i) {
    return (window_of(call, of, i) + 1) * of->from.windows[i].window_ms + days_begin_ms(call);
}

static int64_t cost_of(const struct taken *of, size_t i) {
    return of->from.costs != NULL ? of->from.costs[i].amount : 1;
}

/* Every counter outlives its window, by as much again or an hour, for replicas whose clocks
 * differ. */
static result add(struct call *call, const struct taken *of, size_t i, int64_t delta,
                  int64_t *sum) {
    const struct store_window *window = &of->from.windows[i];
    int64_t length = window->window_ms, spare = length > HOUR_MS ? length : HOUR_MS;
    struct store *store = call->snapshot->store;
    struct report unused = {0};
    struct str key = str_printf(&call->arena, "sum:%" PRId64 ":%" PRId64 ":" STR_FMT, length / 1000,
                                window_of(call, of, i), STR_ARG(window->key));
    if (key.ptr == NULL || store == NULL) return (result){FAIL_IO};
    return store_add(store, key, delta, length + spare, sum, &unused);
}

static void give_back(struct call *call, struct taken *taken) {
    int64_t sum;
    for (; taken->from.n > 0; taken->from.n--) {
        size_t i = taken->from.n - 1;
        result r = add(call, taken, i, -cost_of(taken, i), &sum);
        (void)r; /* too much is counted then, which refuses sooner */
    }
}

/* The tightest of those that let the call pass, or the one that did not. */
static void note(struct call *call, const struct sums *sums, struct taken *of, size_t i,
                 int64_t left, bool is_refused) {
    struct call_limit *fact = sums->fact;
    if (!is_refused && fact->rule.len > 0 && fact->left <= left) return;
    of->told = i;
    *fact = (struct call_limit){.rule = of->from.rules[i],
                                .max = of->from.windows[i].max,
                                .left = left,
                                .resets_ms = window_ends_ms(call, of, i)};
}

static result refuse_sum(struct call *call, const struct sums *sums, struct taken *of, size_t i,
                         int64_t left) {
    if (left < 0) left = 0;
    note(call, sums, of, i, left, true);
    call->facts.retry_after_ms = window_ends_ms(call, of, i) - of->at_ms;
    call->verdict.rule = of->from.rules[i];
    call->verdict.effect = EFFECT_DENY;
    return sums->refuse(call, of, i, left);
}

enum take { TAKE_LOOK, TAKE_ADD };

/* Of one. `of->from.n` counts those that were added to. */
static result take_one(struct call *call, const struct sums *sums, struct taken *of, size_t i,
                       enum take how) {
    int64_t sum = 0, cost = cost_of(of, i), max = of->from.windows[i].max;
    if (cost > max) return refuse_sum(call, sums, of, i, max);
    result r = add(call, of, i, how == TAKE_LOOK ? 0 : cost, &sum);
    if (r.why == FAIL_INPUT) return refuse_sum(call, sums, of, i, 0); /* the sum would overflow */
    if (r.why != FAIL_NONE) return r;
    if (how == TAKE_ADD) {
        of->from.n = i + 1;
        sum -= cost;
    }
    if (sum > max - cost) return refuse_sum(call, sums, of, i, max - sum);
    if (how == TAKE_ADD) note(call, sums, of, i, max - sum - cost, false);
    return OK;
}

/* Of each its cost, or nothing of any. */
static result take_all(struct call *call, const struct sums *sums, const struct policy_charges *all,
                       enum take how, struct taken *taken) {
    result r = OK;
    taken->from.n = 0;
    for (size_t i = 0; i < all->n && r.why == FAIL_NONE; i++)
        r = take_one(call, sums, taken, i, how);
    if (r.why == FAIL_IO || r.why == FAIL_LIMIT || r.why == FAIL_MEMORY) {
        r = unless_open(call, sums->what);
        if (r.why == FAIL_NONE) return OK;
    }
    if (r.why != FAIL_NONE) give_back(call, taken);
    return r;
}

static struct taken nothing_of(const struct call *call, const struct policy_charges *all) {
    struct taken none = {.from = *all, .at_ms = clock_wall_ms(call->clock)};
    none.from.n = 0;
    return none;
}

/* -- quotas ----------------------------------------------------------------------------------- */

static result refuse_quota(struct call *call, const struct taken *of, size_t i, int64_t left) {
    (void)left;
    fail(&call->report, FAIL_DENIED, "DAILY_QUOTA_EXCEEDED", REPORT_NO_OFFSET,
         "the queries of today are used up: " STR_FMT " allows %" PRId64 " a day",
         STR_ARG(of->from.rules[i]), of->from.windows[i].max);
    fail_hint(&call->report, "The next day begins in %" PRId64 " minutes.",
              call->facts.retry_after_ms / MINUTE_MS + 1);
    return (result){FAIL_DENIED};
}

static result take_quotas(struct call *call, struct taken *taken) {
    struct sums sums = {"the queries of today", &call->facts.quota, refuse_quota};
    struct policy_charges all;
    if (!policy_quotas(call->snapshot->policy, &call->principal, &call->arena, &all))
        return fail_memory(&call->report);
    *taken = nothing_of(call, &all);
    return take_all(call, &sums, &all, TAKE_ADD, taken);
}

/* -- budgets ---------------------------------------------------------------------------------- */

static void hint_at_budget(struct call *call, const struct taken *of, size_t i) {
    char most[AMOUNT_TEXT_MAX];
    int64_t max = of->from.windows[i].max;
    if (cost_of(of, i) > max) {
        call->facts.retry_after_ms = 0; /* no time will do */
        fail_hint(&call->report, "Ask for " STR_FMT " at most.", STR_ARG(amount_text(max, most)));
        return;
    }
    fail_hint(&call->report, "Ask for what is left, or wait: it is whole in %" PRId64 " minutes.",
              call->facts.retry_after_ms / MINUTE_MS + 1);
}

static result refuse_budget(struct call *call, const struct taken *of, size_t i, int64_t left) {
    char asked[AMOUNT_TEXT_MAX], rest[AMOUNT_TEXT_MAX], max[AMOUNT_TEXT_MAX];
    struct str reason = utf8_clip(of->from.costs[i].reason, 256);
    fail(&call->report, FAIL_DENIED, "BUDGET_EXCEEDED", REPORT_NO_OFFSET,
         STR_FMT "%sthe call asks for " STR_FMT ", and " STR_FMT " of " STR_FMT
                 " are left (" STR_FMT ")",
         STR_ARG(reason), reason.len > 0 ? ": " : "", STR_ARG(amount_text(cost_of(of, i), asked)),
         STR_ARG(amount_text(left, rest)), STR_ARG(amount_text(of->from.windows[i].max, max)),
         STR_ARG(of->from.rules[i]));
    hint_at_budget(call, of, i);
    return (result){FAIL_DENIED};
}

bool meter_may_spend(const struct call *call) {
    return !call->is_unmetered && call->verdict.budgets.n > 0;
}

/* First a look, so that a call for which there is no room takes none from others meanwhile. */
result meter_spend(struct call *call, struct taken *out) {
    struct sums sums = {"what your calls spend", &call->facts.budget, refuse_budget};
    const struct policy_charges *all = &call->verdict.budgets;
    *out = nothing_of(call, all);
    if (!meter_may_spend(call)) return OK;
    TRY(take_all(call, &sums, all, TAKE_LOOK, out));
    return take_all(call, &sums, all, TAKE_ADD, out);
}

void meter_refund(struct call *call, struct taken *taken) {
    if (taken->from.n == 0) return;
    call->facts.budget.left += cost_of(taken, taken->told);
    give_back(call, taken);
}

/* -- a query ---------------------------------------------------------------------------------- */

result meter_enter(struct policy_limiter *limiter, struct call *call, struct metered *query) {
    *query = (struct metered){0};
    if (call->is_unmetered) return OK;
    TRY(enter_place(limiter, call, query));
    result r = take_quotas(call, &query->quotas);
    if (r.why != FAIL_NONE) leave_place(limiter, call, query);
    return r;
}

void meter_leave(struct policy_limiter *limiter, struct call *call, const struct metered *query) {
    struct taken taken = query->quotas;
    if (call->facts.engine_us < 0 && taken.from.n > 0) {
        give_back(call, &taken);
        call->facts.quota.left++;
    }
    leave_place(limiter, call, query);
}
