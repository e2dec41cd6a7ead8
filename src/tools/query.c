#include "tools/query.h"

#include "backend/backend.h"
#include "call/consent.h"
#include "catalog/catalog.h"
#include "shape/encode.h"
#include "shape/limit.h"
#include "shape/size.h"
#include "tools/result.h"

#include <stdio.h>

bool query_dialect(struct str name, enum guard_dialect *out) {
    static const struct {
        struct str name;
        enum guard_dialect dialect;
    } dialects[] = {{STR_INIT("maxcompute"), DIALECT_MAXCOMPUTE},
                    {STR_INIT("duckdb"), DIALECT_DUCKDB},
                    {STR_INIT("postgres"), DIALECT_POSTGRES}};
    for (size_t i = 0; i < COUNT(dialects); i++) {
        if (!str_eq(dialects[i].name, name)) continue;
        *out = dialects[i].dialect;
        return true;
    }
    return false;
}

result query_grant(struct call *call, struct str project, const struct schema_source *source,
                   struct grant *out) {
    const struct snapshot *s = call->snapshot;
    if (project.len > 0 && !policy_may_project(s->policy, &call->principal, project))
        return fail(&call->report, FAIL_DENIED, "PROJECT_NOT_ALLOWED", REPORT_NO_OFFSET,
                    "project '" STR_FMT "' is not allowed for this caller", STR_ARG(project));
    return policy_grant(s->policy, &call->principal, source, s->catalog->approved,
                        s->catalog->n_approved, project, &call->arena, out, &call->report);
}

/* Which dialect to print for, before the guard has told which backend answers: the first that can
 * run. One printing in two houses would be wrong, so query_check() asks again when it was another.
 */
static enum guard_dialect likely_dialect(const struct backend_set *set) {
    for (size_t i = 0; i < backend_set_count(set); i++) {
        const struct backend_kind *kind = backend_kind_of(backend_set_at(set, i));
        if (kind->can_run) return kind->dialect;
    }
    return DIALECT_MAXCOMPUTE;
}

static result check_in(struct call *call, const struct query *query, const struct grant *grant,
                       bool lineage_only, enum guard_dialect dialect) {
    struct guard_request request = {.text = query->text,
                                    .dialect = dialect,
                                    .grant = grant,
                                    .limit = query->limit,
                                    .lineage_only = lineage_only};
    call->facts.guard = (struct guard_answer){0};
    result r = guard_check(&request, &call->arena, &call->facts.guard, &call->report);
    call->facts.is_guarded = true;
    call->facts.backend = call->facts.guard.backend;
    return r;
}

result query_check(struct call *call, const struct query *query, bool lineage_only,
                   struct str dialect_name) {
    struct backend_set *set = call->snapshot->backends;
    struct schema_source source = backend_set_source(set);
    struct grant grant = {0};
    call->facts.sql_asked = query->text;
    TRY(query_grant(call, query->project, &source, &grant));
    enum guard_dialect dialect = likely_dialect(set);
    bool is_told = query_dialect(dialect_name, &dialect);
    TRY(check_in(call, query, &grant, lineage_only, dialect));
    struct backend *backend = backend_set_by_name(set, call->facts.guard.backend);
    if (!is_told && backend != NULL && backend_kind_of(backend)->dialect != dialect &&
        call->facts.guard.effect != GUARD_DENY)
        TRY(check_in(call, query, &grant, lineage_only, backend_kind_of(backend)->dialect));
    call->facts.sql_run = call->facts.guard.sql;
    return OK;
}

/* -- running ---------------------------------------------------------------------------------- */

struct sinks {
    struct encode_sink encode;
    struct size_sink size;
    struct limit_sink limit;
    struct keep keep;
};

/* The rows have reply_max_bytes for themselves, beside what the whole reply may be. */
static void sinks_init(struct sinks *sinks, const struct call *call, struct json_writer *data) {
    uint64_t max_bytes = (uint64_t)call->snapshot->settings.reply_max_bytes;
    struct rooms rooms = rooms_of_data(call);
    if (rooms.whole.bytes > max_bytes) rooms.whole.bytes = max_bytes;
    if (rooms.cut.bytes > max_bytes) rooms.cut.bytes = max_bytes;
    encode_sink_init(&sinks->encode, data, text_form_of(call));
    size_sink_init(&sinks->size, &sinks->encode, &rooms, call->clock);
    limit_sink_init(&sinks->limit, &sinks->size.sink, (uint64_t)call->facts.guard.limit);
    keep_init(&sinks->keep, (size_t)call->snapshot->settings.keep_max_bytes, text_form_of(call),
              call->clock);
    if (result_may_keep(call)) sinks->size.keep = &sinks->keep;
}

/* How to go on behind rows that did not fit, and were not kept. */
#define NEXT_ROWS                                                                                  \
    "To go on, ORDER BY a unique key and ask again with a LIMIT of what is shown and an OFFSET "   \
    "larger by it, or with the key greater than the last one; or select fewer columns, filter, "   \
    "aggregate."
#define NEXT_ADDRESS                                                                               \
    "To go on, read the resource in 'next', or give it to run_select_sql as 'result', within "     \
    "minutes."

/* An address is for one caller, so an answer that names it is given to no other. */
static void write_cut_to_fit(struct call *call, struct sinks *sinks, struct json_writer *data) {
    struct size_sink *size = &sinks->size;
    bool knows_all = !size->has_stopped && !sinks->limit.has_more;
    struct str address = STR_NONE;
    sinks->keep.is_full |= !knows_all;
    if (size->keep == NULL || !result_keep(call, size->keep, size->fit.now.n, &address)) {
        fit_write_cut(&size->fit, "rows", NEXT_ROWS, knows_all);
        return;
    }
    call->facts.recall.has_key = false;
    fit_write_cut(&size->fit, "rows", NEXT_ADDRESS, knows_all);
    json_put_text(data, STR("next"), address);
}

/* What was cut, and how to go on. */
static void write_cut(struct call *call, struct sinks *sinks, struct json_writer *data) {
    char text[256];
    if (sinks->size.fit.is_cut) {
        write_cut_to_fit(call, sinks, data);
        return;
    }
    int n = snprintf(text, sizeof text,
                     "The limit of %lld rows was reached; there may be more. Aggregate, filter, or "
                     "order by a key and ask for what follows.",
                     (long long)call->facts.guard.limit);
    json_put_text(data, STR("note"), (struct str){text, (size_t)n});
}

result query_refuse_row(struct call *call) {
    result r = fail(&call->report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "the first row alone is larger than the whole reply may be");
    fail_hint(&call->report, "Select fewer columns, or parts of long texts by substr().");
    return r;
}

static result write_end(struct call *call, struct sinks *sinks, struct json_writer *data) {
    struct call_facts *facts = &call->facts;
    const struct fit *fit = &sinks->size.fit;
    if (fit->is_cut && fit->now.n == 0) return query_refuse_row(call);
    encode_sink_end(&sinks->encode);
    facts->row_count = (int64_t)fit->now.n;
    facts->truncated = fit->is_cut || sinks->limit.has_more ||
                       (!facts->guard.is_callers_limit && facts->row_count == facts->guard.limit);
    json_put_int(data, STR("row_count"), facts->row_count);
    json_put_bool(data, STR("truncated"), facts->truncated);
    if (facts->truncated) write_cut(call, sinks, data);
    return OK;
}

struct watch {
    struct run_watch run;
    struct call *call;
};

static void tell_progress(struct run_watch *run, unsigned percent) {
    struct watch *watch = holder_of(run, struct watch, run);
    client_progress(watch->call, percent, 100, STR("the query is running"));
}

static result run_on(struct call *call, struct backend *backend, struct json_writer *data) {
    struct sinks sinks;
    sinks_init(&sinks, call, data);
    struct watch watch = {.run = {tell_progress}, .call = call};
    struct run_limits limits = {.deadline_mono_ns = call->deadline_ns,
                                .cancel_fd = call_cancel_fd(call),
                                .is_private = !call->facts.guard.may_tell_engine,
                                .tag = str_of(call->audit_id),
                                .watch = call->client != NULL ? &watch.run : NULL};
    struct run_facts told = {.scanned_bytes = -1};
    result r = backend_run(backend, call->facts.guard.run, &limits, &sinks.limit.sink, &told,
                           &call->arena, &call->report);
    call->facts.engine_us = told.engine_us;
    call->facts.engine_error = guard_redact(&call->facts.guard, told.engine_error, &call->arena);
    if (r.why == FAIL_NONE) r = write_end(call, &sinks, data);
    keep_deinit(&sinks.keep);
    return r;
}

static result refuse_backend(struct call *call) {
    return fail(&call->report, FAIL_ABSENT, "BACKEND_UNKNOWN", REPORT_NO_OFFSET,
                "no backend is configured that could run this statement");
}

/* A statement over no table may run anywhere. */
static struct backend *backend_of(struct call *call) {
    struct backend_set *set = call->snapshot->backends;
    struct backend *backend = backend_set_by_name(set, call->facts.guard.backend);
    for (size_t i = 0; backend == NULL && i < backend_set_count(set); i++)
        if (backend_kind_of(backend_set_at(set, i))->can_run) backend = backend_set_at(set, i);
    return backend;
}

/* The guard left its reason in the report. */
static result query_approve(struct call *call) {
    struct str reason = str_dup(&call->arena, str_of(call->report.sentence));
    report_clear(&call->report);
    return consent_approve(call, STR("security.risk"), reason);
}

result query_run(struct call *call, const struct query *query, struct json_writer *data) {
    struct policy_limits limits;
    policy_limits(call->snapshot->policy, &limits);
    int64_t deadline = call->started_ns + limits.query_timeout_s * INT64_C(1000000000);
    if (call->deadline_ns == 0 || deadline < call->deadline_ns) call->deadline_ns = deadline;
    TRY(query_check(call, query, false, STR_NONE));
    if (call->facts.guard.effect == GUARD_DENY) return (result){FAIL_DENIED};
    if (call->facts.guard.effect == GUARD_APPROVAL) TRY(query_approve(call));
    struct backend *backend = backend_of(call);
    if (backend == NULL) return refuse_backend(call);
    return run_on(call, backend, data);
}
