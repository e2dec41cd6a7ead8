#include "road/meter.h"

#include "base/limits.h"

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

/* -- quotas ----------------------------------------------------------------------------------- */

enum { DAY_MS = 86400000, MINUTE_MS = 60000 };

/* Days since 1970 of the call's begin, where each begins at the keepers' hour. */
static int64_t day_of(const struct call *call) {
    int64_t ms = call->started_ms - call->snapshot->settings.day_begins_min * MINUTE_MS;
    return ms / DAY_MS;
}

static int64_t day_ends_ms(const struct call *call) {
    return (day_of(call) + 1) * DAY_MS + call->snapshot->settings.day_begins_min * MINUTE_MS;
}

/* Every counter lives a day longer than its own, for replicas whose clocks differ. */
static result add_quota(struct call *call, struct str quota, int64_t delta, int64_t *sum) {
    struct report unused = {0};
    struct store *store = call->snapshot->store;
    struct str key =
        str_printf(&call->arena, "day:%" PRId64 ":" STR_FMT, day_of(call), STR_ARG(quota));
    if (key.ptr == NULL || store == NULL) return (result){FAIL_IO};
    return store_add(store, key, delta, 2 * INT64_C(86400000), sum, &unused);
}

static void give_back(struct call *call, struct policy_charges *quotas) {
    int64_t sum;
    for (; quotas->n > 0; quotas->n--) {
        result r = add_quota(call, quotas->windows[quotas->n - 1].key, -1, &sum);
        (void)r; /* one query too many is counted then, which refuses sooner */
    }
}

static void note_quota(struct call *call, const struct policy_charges *all, size_t i,
                       int64_t left) {
    if (call->facts.quota.rule.len > 0 && call->facts.quota.left <= left) return;
    call->facts.quota = (struct call_limit){.rule = all->rules[i],
                                            .max = all->windows[i].max,
                                            .left = left < 0 ? 0 : left,
                                            .resets_ms = day_ends_ms(call)};
}

static result refuse_quota(struct call *call, const struct policy_charges *all, size_t i) {
    int64_t wait = day_ends_ms(call) - call->started_ms;
    call->facts.retry_after_ms = wait;
    call->verdict.rule = all->rules[i];
    call->verdict.effect = EFFECT_DENY;
    fail(&call->report, FAIL_DENIED, "DAILY_QUOTA_EXCEEDED", REPORT_NO_OFFSET,
         "the queries of today are used up: " STR_FMT " allows %" PRId64 " a day",
         STR_ARG(all->rules[i]), all->windows[i].max);
    fail_hint(&call->report, "The next day begins in %" PRId64 " minutes.", wait / MINUTE_MS + 1);
    return (result){FAIL_DENIED};
}

/* One of each, or none of any. */
static result take_quotas(struct call *call, struct policy_charges *taken) {
    struct policy_charges all;
    if (!policy_quotas(call->snapshot->policy, &call->principal, &call->arena, &all))
        return fail_memory(&call->report);
    *taken = (struct policy_charges){all.windows, all.rules, 0};
    for (size_t i = 0; i < all.n; i++) {
        int64_t sum = 0;
        result r = add_quota(call, all.windows[i].key, 1, &sum);
        if (r.why == FAIL_NONE) {
            taken->n = i + 1;
            note_quota(call, &all, i, all.windows[i].max - sum);
            r = sum <= all.windows[i].max ? OK : refuse_quota(call, &all, i);
        } else {
            r = unless_open(call, "the queries of today");
            if (r.why == FAIL_NONE) return OK;
        }
        if (r.why == FAIL_NONE) continue;
        give_back(call, taken);
        return r;
    }
    return OK;
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
    struct policy_charges taken = query->quotas;
    if (call->facts.engine_us < 0 && taken.n > 0) {
        give_back(call, &taken);
        call->facts.quota.left++;
    }
    leave_place(limiter, call, query);
}
