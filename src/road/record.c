#include "road/record.h"

#include "base/limits.h"
#include "road/names.h"

#include <ctype.h>

/* Does `key` begin with the word, case and the marks between its parts aside? */
static bool begins_with(struct str key, struct str word) {
    size_t n = 0;
    for (size_t at = 0; at < key.len && n < word.len; at++) {
        char c = key.ptr[at];
        if (n > 0 && (c == '_' || c == '-')) continue;
        if (tolower((unsigned char)c) != word.ptr[n]) return false;
        n++;
    }
    return n == word.len;
}

/* Arguments whose values must never be kept, wherever they stand: api_key, apiKey, X-Api-Key. */
static bool is_secret_name(struct str key) {
    static const struct str words[] = {
        STR_INIT("password"), STR_INIT("passwd"),     STR_INIT("secret"),
        STR_INIT("token"),    STR_INIT("credential"), STR_INIT("authorization"),
        STR_INIT("apikey"),   STR_INIT("accesskey"),  STR_INIT("privatekey")};
    for (size_t i = 0; i < COUNT(words); i++)
        for (size_t at = 0; at < key.len; at++)
            if (begins_with(str_slice(key, at, key.len), words[i])) return true;
    return false;
}

static void write_redacted(struct json_writer *w, const struct json *value) {
    if (value->type == JSON_STRING) {
        struct str kept = utf8_clip(value->text, RECORD_TEXT_BYTES_MAX);
        json_text(w, kept);
    } else if (value->type == JSON_ARRAY) {
        json_array(w);
        for (uint32_t i = 0; i < value->n; i++) write_redacted(w, &value->items[i]);
        json_array_end(w);
    } else if (value->type == JSON_OBJECT) {
        json_object(w);
        for (uint32_t i = 0; i < value->n; i++) {
            json_key(w, value->members[i].key);
            if (is_secret_name(value->members[i].key))
                json_text(w, STR("[redacted]"));
            else
                write_redacted(w, &value->members[i].value);
        }
        json_object_end(w);
    } else {
        json_value(w, value);
    }
}

static struct str params_json(struct call *call, struct buf *buf) {
    if (call->arguments == NULL) return STR_NONE;
    struct json_writer w;
    json_writer_init(&w, buf);
    write_redacted(&w, call->arguments);
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
    struct buf params, tables, columns;
    buf_init(&params, RECORD_PARAMS_BYTES_MAX);
    buf_init(&tables, RECORD_PARAMS_BYTES_MAX);
    buf_init(&columns, RECORD_PARAMS_BYTES_MAX);
    struct audit_record record = {
        .audit_id = call->audit_id,
        .time_ms = call->started_ms,
        .tool_name = call->tool_name,
        .latency_ms = call_elapsed_ms(call),
        .request_params_json = params_json(call, &params),
        .tables_json = names_json(call, &call->facts.guard.tables, names_put_tables, &tables),
        .columns_json = names_json(call, &call->facts.guard.columns, names_put_columns, &columns),
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
    if (r.why == FAIL_NONE) r = audit_submit(audit, &record, done, call);
    buf_deinit(&params);
    buf_deinit(&tables);
    buf_deinit(&columns);
    return r;
}
