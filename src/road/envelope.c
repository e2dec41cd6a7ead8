#include "road/envelope.h"

#include "road/names.h"
#include "shape/text.h"
#include "tools/tool.h"

static void put_tables(struct json_writer *w, const struct name_list *tables) {
    json_key(w, STR("tables_used"));
    names_put_tables(w, tables);
}

static void put_columns(struct json_writer *w, struct str key, const struct name_list *columns) {
    json_key(w, key);
    names_put_columns(w, columns);
}

/* What the guard resolved, unless it refused: the names of a refused statement may be of things
 * that this caller must not learn to exist. The record has them. */
static const struct guard_answer *told(const struct call *call) {
    static const struct guard_answer nothing;
    return call->facts.guard.effect == GUARD_DENY ? &nothing : &call->facts.guard;
}

/* What a model should know before it reads `data`, and how it came about. */
static void write_told_of_data(const struct call *call, struct json_writer *w) {
    const struct call_facts *facts = &call->facts;
    if (call->report.why != FAIL_NONE) return;
    json_put_bool(w, STR("data_is_untrusted"), true);
    if (facts->near_limit.limit > 0) {
        json_key(w, STR("near_limit"));
        json_object(w);
        json_put_int(w, str_of(facts->near_limit.unit), facts->near_limit.is);
        json_put_int(w, STR("limit"), facts->near_limit.limit);
        json_object_end(w);
    }
    if (facts->recall.is_hit) {
        json_key(w, STR("cache"));
        json_object(w);
        json_put_bool(w, STR("hit"), true);
        json_put_int(w, STR("age_seconds"), facts->recall.age_ms / 1000);
        json_object_end(w);
    }
}

/* `scale` parts make one. */
static void write_limit(struct str name, const struct call_limit *limit, int scale,
                        struct json_writer *w) {
    char time[CLOCK_ISO_MAX];
    if (limit->rule.len == 0) return;
    json_key(w, name);
    json_object(w);
    json_put_text(w, STR("rule"), limit->rule);
    json_key(w, STR("max"));
    json_real(w, (double)limit->max / scale);
    json_key(w, STR("left"));
    json_real(w, (double)limit->left / scale);
    if (limit->window_ms > 0)
        json_put_int(w, STR("window_seconds"), limit->window_ms / 1000);
    else
        json_put_text(w, STR("resets_at"), clock_iso(limit->resets_ms, false, time));
    json_object_end(w);
}

/* How often one may still call, by the tightest limit of each kind; and when, if not now. */
static void write_limits(const struct call *call, struct json_writer *w) {
    const struct call_facts *facts = &call->facts;
    if (facts->rate.rule.len + facts->quota.rule.len + facts->budget.rule.len == 0) return;
    json_key(w, STR("limits"));
    json_object(w);
    write_limit(STR("rate"), &facts->rate, 1, w);
    write_limit(STR("daily_queries"), &facts->quota, 1, w);
    write_limit(STR("budget"), &facts->budget, BUDGET_SCALE, w);
    json_object_end(w);
}

static void write_approval(const struct call *call, struct json_writer *w) {
    const struct call_approval *approval = &call->facts.approval;
    char time[CLOCK_ISO_MAX];
    if (approval->id.len == 0) return;
    json_key(w, STR("approval"));
    json_object(w);
    json_put_text(w, STR("id"), approval->id);
    json_put_bool(w, STR("given"), approval->is_given);
    json_put_text(w, STR("expires_at"), clock_iso(approval->expires_ms, false, time));
    json_object_end(w);
}

static void write_metadata(const struct call *call, struct json_writer *w) {
    const struct guard_answer *guard = told(call);
    char time[CLOCK_ISO_MAX];
    json_key(w, STR("metadata"));
    json_object(w);
    json_put_text(w, STR("request_id"), call_request_id(call));
    json_put_text(w, STR("tool_name"), call->tool_name);
    json_put_text(w, STR("timestamp"), clock_iso(call->started_ms, false, time));
    json_key(w, STR("latency_ms"));
    json_real(w, (double)(int64_t)(call_elapsed_ms(call) * 1000) / 1000);
    put_tables(w, &guard->tables);
    put_columns(w, STR("columns_used"), &guard->columns);
    json_key(w, STR("row_count"));
    if (call->facts.row_count < 0)
        json_null(w);
    else
        json_int(w, call->facts.row_count);
    json_put_bool(w, STR("truncated"), call->facts.truncated);
    write_limits(call, w);
    write_told_of_data(call, w);
    write_approval(call, w);
    json_object_end(w);
    json_put_text(w, STR("audit_id"), str_of(call->audit_id));
}

/* Of every statement that came to the guard, whether or not its names resolve: else the object
 * would tell a denied column, which resolves, from one that does not exist. */
static void write_cost(const struct call *call, struct json_writer *w) {
    static const char *const decision[] = {"denied", "allowed", "approval_required"};
    const struct guard_answer *guard = &call->facts.guard;
    if (!call->facts.is_guarded) return;
    json_key(w, STR("cost_estimate"));
    json_object(w);
    json_put_text(w, STR("policy_decision"), str_of(decision[guard->effect]));
    json_put_text(w, STR("risk_level"), str_of(risk_level_name[guard->risk]));
    json_key(w, STR("risk_flags"));
    json_array(w);
    for (unsigned bit = 0; risk_flag_name[bit] != NULL; bit++)
        if (guard->risk_flags & (1U << bit)) json_text(w, str_of(risk_flag_name[bit]));
    json_array_end(w);
    put_tables(w, &told(call)->tables);
    put_columns(w, STR("columns_used"), &told(call)->columns);
    put_columns(w, STR("partitions_used"), &told(call)->partitions);
    json_put_bool(w, STR("has_partition_filter"), guard->has_partition_filter);
    json_put_int(w, STR("join_count"), guard->join_count);
    json_object_end(w);
}

void envelope_open(struct call *call, struct json_writer *w) {
    json_writer_init(w, &call->reply);
    json_object(w);
    if (call->tool->reply == TOOL_CONTENT) return;
    json_put_bool(w, STR("ok"), true);
    json_key(w, STR("data"));
}

void envelope_close(struct call *call, struct json_writer *w) {
    if (call->tool->reply == TOOL_ENVELOPE) {
        json_put_null(w, STR("error"));
        write_metadata(call, w);
        write_cost(call, w);
    }
    json_object_end(w);
}

/* Line and column of the offset in the caller's SQL, both from 1; columns count characters. */
static void write_position(const struct call *call, struct json_writer *w) {
    struct str sql = call->facts.sql_asked;
    size_t offset = call->report.offset, line, column;
    if (offset == REPORT_NO_OFFSET || sql.len == 0 || offset > sql.len) return;
    sql_position(sql, offset, &line, &column);
    json_put_int(w, STR("offset"), (int64_t)offset);
    json_put_int(w, STR("line"), (int64_t)line);
    json_put_int(w, STR("column"), (int64_t)column);
}

/* What is wrong inside is for the keepers: record and log have it, under the audit id. */
static struct str sentence_of(const struct report *report, const struct code *code) {
    if (strcmp(code->name, "INTERNAL_ERROR") != 0) return str_of(report->sentence);
    return STR("an internal error; the server's log tells more under this audit id");
}

void envelope_refuse(struct call *call) {
    const struct report *report = &call->report;
    const struct code *code = code_find(report->code);
    struct json_writer w;
    buf_clear(&call->reply);
    call->facts.row_count = -1;
    call->facts.truncated = false;
    json_writer_init(&w, &call->reply);
    json_object(&w);
    json_put_bool(&w, STR("ok"), false);
    json_put_null(&w, STR("data"));
    json_key(&w, STR("error"));
    json_object(&w);
    json_put_text(&w, STR("code"), str_of(code->name));
    enum text_form form = text_form_of(call);
    text_put(&w, STR("message"), sentence_of(report, code), form);
    if (report->hint[0] != '\0') text_put(&w, STR("hint"), str_of(report->hint), form);
    write_position(call, &w);
    if (call->facts.retry_after_ms > 0) {
        json_put_int(&w, STR("retry_after_seconds"), (call->facts.retry_after_ms + 999) / 1000);
        json_put_int(&w, STR("retry_after_ms"), call->facts.retry_after_ms);
    }
    json_object_end(&w);
    write_metadata(call, &w);
    write_cost(call, &w);
    json_object_end(&w);
}
