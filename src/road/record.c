#include "road/record.h"

#include "base/limits.h"
#include "road/names.h"
#include "text/redact.h"

static struct str params_json(struct call *call, struct buf *buf) {
    if (call->arguments == NULL) return STR_NONE;
    struct json_writer w;
    json_writer_init(&w, buf);
    redact_put(&w, call->arguments, RECORD_TEXT_BYTES_MAX);
    return buf_flat(buf, &call->arena);
}

/* [["role:analyst","allows"],…] */
static struct str looks_json(struct call *call, struct buf *buf) {
    const struct verdict *v = &call->verdict;
    struct json_writer w;
    if (v->n_looks == 0) return STR_NONE;
    json_writer_init(&w, buf);
    json_array(&w);
    for (size_t i = 0; i < v->n_looks; i++) {
        json_array(&w);
        json_text(&w, v->looks[i].rule);
        json_text(&w, str_of(policy_look_name[v->looks[i].outcome]));
        json_array_end(&w);
    }
    json_array_end(&w);
    return buf_flat(buf, &call->arena);
}

static struct str names_json(struct call *call, const struct name_list *names,
                             void (*put)(struct json_writer *w, const struct name_list *names),
                             struct buf *buf) {
    struct json_writer w;
    json_writer_init(&w, buf);
    put(&w, names);
    return buf_flat(buf, &call->arena);
}

static const char *outcome_of(const struct report *report) {
    if (report->why == FAIL_NONE) return "success";
    return code_find(report->code)->outcome == CODE_D ? "denied" : "error";
}

static const char *decision_of(const struct call *call) {
    const char *code = call->report.code;
    if (code != NULL && strcmp(code, "APPROVAL_REQUIRED") == 0) return "approval_required";
    bool is_denied = call->report.why != FAIL_NONE && code_find(code)->outcome == CODE_D;
    return is_denied || call->verdict.effect != EFFECT_ALLOW ? "denied" : "allowed";
}

static void fill_who(struct audit_record *r, const struct call *call) {
    r->user_id = call->principal.user_id;
    r->client_id = call->principal.client_id;
    r->auth_method = call->principal.auth_method;
    r->token_id = call->principal.token_id;
    r->session_id = call->origin.session_id;
    r->source_ip = call->origin.peer;
    r->request_id = call_request_id(call);
    r->method = call->origin.method;
}

static void fill_outcome(struct audit_record *r, const struct call *call) {
    const struct report *report = &call->report;
    r->outcome = outcome_of(report);
    r->policy_decision = decision_of(call);
    r->rule = call->verdict.rule;
    r->policy_version = policy_version(call->snapshot->policy);
    r->approval_id = call->facts.approval.id;
    if (report->why == FAIL_NONE) return;
    r->error_code = code_find(report->code)->name;
    r->error_message = str_of(report->sentence);
    if (code_find(report->code)->outcome == CODE_D) r->deny_reason = str_of(report->sentence);
}

static void fill_run(struct audit_record *r, const struct call *call) {
    const struct call_facts *facts = &call->facts;
    r->sql_asked = facts->sql_asked;
    r->sql_run = facts->sql_run;
    r->backend = facts->backend;
    r->engine_error = facts->engine_error;
    r->engine_us = facts->engine_us;
    r->row_count = facts->row_count;
    r->truncated = facts->truncated;
    r->from_cache = facts->recall.is_hit;
    r->reply_bytes = (int64_t)call->reply.len;
}

result record_submit(struct audit *audit, struct call *call, const char *station,
                     audit_done *done) {
    struct buf params, tables, columns, looks;
    buf_init(&params, RECORD_PARAMS_BYTES_MAX);
    buf_init(&tables, RECORD_PARAMS_BYTES_MAX);
    buf_init(&columns, RECORD_PARAMS_BYTES_MAX);
    buf_init(&looks, RECORD_PARAMS_BYTES_MAX);
    struct audit_record record = {
        .audit_id = call->audit_id,
        .time_ms = call->started_ms,
        .tool_name = call->tool_name,
        .latency_ms = call_elapsed_ms(call),
        .request_params_json = params_json(call, &params),
        .tables_json = names_json(call, &call->facts.guard.tables, names_put_tables, &tables),
        .columns_json = names_json(call, &call->facts.guard.columns, names_put_columns, &columns),
        .looks_json = looks_json(call, &looks),
        .station = station,
    };
    fill_who(&record, call);
    fill_outcome(&record, call);
    fill_run(&record, call);
    /* A record that is not whole would be a false one: the call fails instead. */
    result r = buf_failed(&params, NULL);
    if (r.why == FAIL_LIMIT) {
        record.request_params_json = STR("{\"omitted\":\"arguments too large\"}");
        r = OK;
    }
    if (r.why == FAIL_NONE) r = buf_failed(&tables, NULL);
    if (r.why == FAIL_NONE) r = buf_failed(&columns, NULL);
    if (r.why == FAIL_NONE) r = buf_failed(&looks, NULL);
    if (r.why == FAIL_NONE) r = audit_submit(audit, &record, done, call);
    buf_deinit(&params);
    buf_deinit(&tables);
    buf_deinit(&columns);
    buf_deinit(&looks);
    return r;
}
