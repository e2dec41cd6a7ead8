/*
 * road/road.c - read this first
 *
 * Every tool call walks this table from the top, one station after the other, until the end or
 * until a station stops it. Then, and only here, its record is written and its answer handed back.
 * Before the road: net/ makes a request of bytes, identity/ finds who asks, mcp/ makes the call.
 *
 *      find      the tool, and typed input out of its arguments        tools/input.h
 *      decide    may this principal make this call                     policy/policy.h
 *      consent   has who must say yes said so                          call/consent.h
 *      meter     may it be made so often                               road/meter.h
 *      recall    was it answered to somebody with the same rights      road/recall.h
 *      answer    the tool runs: for SQL, through the guard             tools/query.h, sql/guard.h
 *                and on to a backend                                   backend/backend.h
 *      (record)  written and acknowledged before anybody is answered   audit/audit.h
 *
 * Who waits? A call that need not wait walks on the thread of its event loop. A station that must
 * (a backend's answer) says so before any side effect, and the call goes on at that station on a
 * worker thread, where it may block under its deadline.
 */
#include "road/road.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "call/consent.h"
#include "identity/protected.h"
#include "policy/shadow.h"
#include "road/envelope.h"
#include "road/meter.h"
#include "road/pool.h"
#include "road/recall.h"
#include "road/record.h"
#include "road/refused.h"
#include "road/sized.h"
#include "tools/tool.h"

#include <stdlib.h>

enum { POOL_METADATA, POOL_QUERY, POOL_WAITING, POOL_COUNT };

struct road {
    struct audit *audit;
    struct policy_limiter *limiter;
    struct refused *refused;
    struct cache *cache;
    struct pool_class kinds[POOL_COUNT];
    struct pool *pools[POOL_COUNT];
};

enum step {
    STEP_STOP = 0, /* the cause is in call->report */
    STEP_ON,
    STEP_DONE, /* answered: the stations behind are left out */
    STEP_WAIT, /* before any side effect: again, on a thread that may block */
};

struct station {
    const char *name;
    enum step (*run)(struct road *road, struct call *call);
};

static enum step find_tool(struct road *road, struct call *call);
static enum step decide(struct road *road, struct call *call);
static enum step consent(struct road *road, struct call *call);
static enum step meter(struct road *road, struct call *call);
static enum step recall(struct road *road, struct call *call);
static enum step answer(struct road *road, struct call *call);

static const struct station stations[] = {
    {"find", find_tool}, {"decide", decide}, {"consent", consent},
    {"meter", meter},    {"recall", recall}, {"answer", answer},
};

/* -- the stations ----------------------------------------------------------------------------- */

static enum step find_tool(struct road *road, struct call *call) {
    (void)road;
    call->tool = tool_find(call->tool_name);
    if (call->tool == NULL || !tool_is_offered(call, call->tool)) {
        fail(&call->report, FAIL_ABSENT, "TOOL_NOT_FOUND", REPORT_NO_OFFSET,
             "there is no tool '" STR_FMT "'", STR_ARG(utf8_clip(call->tool_name, 128)));
        fail_hint(&call->report, "tools/list tells the tools that you may use");
        return STEP_STOP;
    }
    result r = input_read(call->tool, call->arguments, &call->arena, &call->input, &call->report);
    return r.why == FAIL_NONE ? STEP_ON : STEP_STOP;
}

/* Puts a denial into the report, where every other cause of a stop stands. */
static enum step refuse(struct call *call) {
    const struct verdict *v = &call->verdict;
    fail(&call->report, FAIL_DENIED, v->code, REPORT_NO_OFFSET, STR_FMT, STR_ARG(v->sentence));
    if (v->hint.len > 0) fail_hint(&call->report, STR_FMT, STR_ARG(v->hint));
    return STEP_STOP;
}

/* The door asks for more scopes (MCP 2025-11-25, "Scope Challenge Handling"). */
static void decide_scopes(struct call *call) {
    const struct protected_resource *resource = identity_protected(call->snapshot->identity);
    if (protected_may_use(resource, &call->principal, call->tool_name)) return;
    struct verdict *v = &call->verdict;
    v->effect = EFFECT_DENY;
    v->code = "INSUFFICIENT_SCOPE";
    v->rule = STR("scope");
    v->sentence = STR("the tool needs a scope that the token has not");
    v->hint = STR("Authorize again with the scopes of the challenge.");
}

static enum step decide(struct road *road, struct call *call) {
    (void)road;
    const struct policy *policy = call->snapshot->policy;
    struct policy_question question = {call->tool_name, call->arguments, call->origin.session_id};
    policy_judge(policy, &call->principal, &question, &call->arena, &call->verdict);
    if (call->snapshot->shadow != NULL)
        shadow_judge(call->snapshot->shadow, &call->principal, &question, &call->verdict,
                     str_of(call->audit_id));
    if (call->verdict.effect != EFFECT_DENY) decide_scopes(call);
    return call->verdict.effect == EFFECT_DENY ? refuse(call) : STEP_ON;
}

/* Whoever waits for a person does not wait on a loop. */
static enum step consent(struct road *road, struct call *call) {
    (void)road;
    struct verdict *v = &call->verdict;
    if (v->effect == EFFECT_ALLOW) return STEP_ON;
    if (!call->may_wait) return STEP_WAIT;
    result r = v->effect == EFFECT_CONFIRM ? consent_confirm(call, v->sentence)
                                           : consent_approve(call, v->rule, v->sentence);
    if (r.why != FAIL_NONE) return STEP_STOP;
    v->effect = EFFECT_ALLOW;
    return STEP_ON;
}

static enum step meter(struct road *road, struct call *call) {
    if (call->is_unmetered) return STEP_ON;
    result r = meter_count(road->limiter, call);
    if (r.why == FAIL_WAIT) return STEP_WAIT;
    if (r.why == FAIL_DENIED) return refuse(call);
    return r.why == FAIL_NONE ? STEP_ON : STEP_STOP;
}

static enum step recall(struct road *road, struct call *call) {
    return recall_find(road->cache, call) ? STEP_DONE : STEP_ON;
}

static result run_tool(struct road *road, struct call *call) {
    struct json_writer w;
    envelope_open(call, &w);
    size_t from = call->reply.len;
    TRY(call->tool->run(call, call->input, &w));
    size_t to = call->reply.len;
    TRY(sized_close(call, &w));
    if (call->arena.is_spent) return fail_memory(&call->report);
    result r = buf_failed(&call->reply, NULL);
    if (r.why == FAIL_LIMIT)
        return fail(&call->report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "the reply is larger than %lld bytes",
                    (long long)call->snapshot->settings.reply_max_bytes);
    if (r.why != FAIL_NONE) return fail_memory(&call->report);
    recall_keep(road->cache, call, from, to);
    return OK;
}

static result run_query(struct road *road, struct call *call) {
    struct metered query;
    TRY(meter_enter(road->limiter, call, &query));
    result r = run_tool(road, call);
    meter_leave(road->limiter, call, &query);
    return r;
}

/* What a tool that is no query has begun to answer is spent, whatever comes of it. */
static result run_spending(struct road *road, struct call *call) {
    bool is_query = call->tool->waits == TOOL_WAITS_QUERY;
    struct taken spent;
    TRY(meter_spend(call, &spent));
    result r = is_query ? run_query(road, call) : run_tool(road, call);
    if (is_query && call->facts.engine_us < 0) meter_refund(call, &spent);
    return r;
}

static enum step answer(struct road *road, struct call *call) {
    bool waits = call->tool->waits != TOOL_AT_ONCE || meter_may_spend(call);
    if (waits && !call->may_wait) return STEP_WAIT;
    result r = run_spending(road, call);
    return r.why == FAIL_NONE ? STEP_ON : STEP_STOP;
}

/* -- the loop --------------------------------------------------------------------------------- */

bool call_is_ok(const struct call *call) {
    return call->report.why == FAIL_NONE;
}

/* On the audit writer's thread. What is not on record is not answered. */
static void recorded(void *with, result how) {
    struct call *call = with;
    if (how.why != FAIL_NONE) {
        report_clear(&call->report);
        fail(&call->report, how.why, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
             "the audit record could not be written, so the answer is withheld");
        envelope_refuse(call);
    }
    call->done(call);
}

static void log_if_internal(const struct call *call) {
    if (strcmp(code_find(call->report.code)->name, "INTERNAL_ERROR") != 0) return;
    log_line(LOG_ERROR, "internal_error", str_of(call->audit_id), "%s", call->report.sentence);
}

static void end(struct road *road, struct call *call) {
    if (call->report.why != FAIL_NONE) {
        log_if_internal(call);
        envelope_refuse(call);
    }
    const char *station = call->station < COUNT(stations) ? stations[call->station].name : "reply";
    result r = record_submit(road->audit, call, station, recorded);
    if (r.why != FAIL_NONE) recorded(call, r);
}

void road_stop(struct road *road, struct call *call) {
    end(road, call);
}

static struct pool *pool_of(struct road *road, const struct call *call) {
    if (stations[call->station].run == consent) return road->pools[POOL_WAITING];
    switch (call->tool->waits) {
    case TOOL_AT_ONCE:
    case TOOL_WAITS_METADATA: break;
    case TOOL_WAITS_QUERY: return road->pools[POOL_QUERY];
    case TOOL_WAITS_CLIENT: return road->pools[POOL_WAITING];
    }
    return road->pools[POOL_METADATA];
}

static void wait_for_thread(struct road *road, struct call *call) {
    if (pool_submit(pool_of(road, call), call)) return;
    call->facts.retry_after_ms = POOL_RETRY_MS;
    fail(&call->report, FAIL_BUSY, "BUSY", REPORT_NO_OFFSET,
         "all places for calls of this kind are taken");
    fail_hint(&call->report, "Call again in a few seconds");
    end(road, call);
}

void road_walk(struct road *road, struct call *call) {
    for (; call->station < COUNT(stations); call->station++) {
        enum step step = stations[call->station].run(road, call);
        if (step == STEP_WAIT) {
            wait_for_thread(road, call);
            return;
        }
        if (step == STEP_DONE) call->station = COUNT(stations);
        if (step == STEP_STOP || step == STEP_DONE) break;
    }
    end(road, call);
}

/* -- its life --------------------------------------------------------------------------------- */

/* A worker thread takes the call up where the loop left it. */
static void walk_on(void *with, struct call *call) {
    call->may_wait = true;
    road_walk(with, call);
}

result road_new(const struct road_setup *setup, struct road **out, struct report *report) {
    struct road *road = fault_now() ? NULL : calloc(1, sizeof *road);
    if (road == NULL) return fail_memory(report);
    road->audit = setup->audit;
    road->limiter = setup->limiter;
    road->kinds[POOL_METADATA] =
        (struct pool_class){"metadata", POOL_METADATA_THREADS, setup->max_queued};
    road->kinds[POOL_QUERY] = (struct pool_class){"query", POOL_QUERY_THREADS, setup->max_queued};
    road->kinds[POOL_WAITING] =
        (struct pool_class){"waiting", POOL_WAITING_THREADS, setup->max_queued};
    bool made = (road->refused = refused_new(setup->audit, setup->clock)) != NULL;
    made = made && (road->cache = cache_new(setup->clock)) != NULL;
    for (size_t i = 0; made && i < POOL_COUNT; i++)
        made = (road->pools[i] = pool_new(&road->kinds[i], walk_on, road)) != NULL;
    if (made) {
        *out = road;
        return OK;
    }
    road_free(road);
    return fail_memory(report);
}

void road_free(struct road *road) {
    if (road == NULL) return;
    for (size_t i = 0; i < POOL_COUNT; i++) pool_free(road->pools[i]);
    refused_free(road->refused);
    cache_free(road->cache);
    free(road);
}

size_t road_load(struct road *road) {
    size_t load = 0;
    for (size_t i = 0; i < POOL_COUNT; i++) load += pool_load(road->pools[i]);
    return load;
}

void road_refused(struct road *road, struct str peer, const char *code) {
    refused_count(road->refused, peer, code);
}

void road_tick(struct road *road) {
    refused_tick(road->refused);
}
