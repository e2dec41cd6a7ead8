#include "cli/sql_answer.h"

#include "sql/parse.h"

static void put_id(struct json_writer *w, struct str id) {
    if (id.len == 0) return;
    json_key(w, STR("id"));
    json_raw_value(w, id);
}

static void put_names(struct json_writer *w, struct str key, const struct name_list *names) {
    json_key(w, key);
    json_array(w);
    for (size_t i = 0; i < names->n; i++) json_text(w, names->items[i]);
    json_array_end(w);
}

static void put_place(struct json_writer *w, struct str sql, size_t offset) {
    size_t line, column;
    if (offset == REPORT_NO_OFFSET || offset > sql.len) return;
    sql_position(sql, offset, &line, &column);
    json_put_int(w, STR("offset"), (int64_t)offset);
    json_put_int(w, STR("line"), (int64_t)line);
    json_put_int(w, STR("column"), (int64_t)column);
}

static void put_cause(struct json_writer *w, struct str sql, const struct report *report) {
    json_put_text(w, STR("code"), str_of(code_find(report->code)->name));
    json_put_text(w, STR("message"), str_of(report->sentence));
    put_place(w, sql, report->offset);
    if (report->hint[0] != '\0') json_put_text(w, STR("hint"), str_of(report->hint));
}

void sql_answer_parse(struct str id, struct str sql, const struct report *report,
                      struct json_writer *w) {
    json_object(w);
    put_id(w, id);
    json_put_bool(w, STR("ok"), report == NULL);
    json_put_text(w, STR("statement"), str_of(sql_classify(sql)));
    if (report != NULL) {
        json_key(w, STR("error"));
        json_object(w);
        put_cause(w, sql, report);
        json_object_end(w);
    }
    json_object_end(w);
}

/* Readable as an answer of every verb: to `parse` it is a text that does not parse. */
void sql_answer_error(struct str id, const struct report *report, struct json_writer *w) {
    json_object(w);
    put_id(w, id);
    json_put_bool(w, STR("ok"), false);
    json_put_text(w, STR("statement"), STR("unknown"));
    json_put_text(w, STR("decision"), STR("error"));
    put_cause(w, STR(""), report);
    json_key(w, STR("error"));
    json_object(w);
    put_cause(w, STR(""), report);
    json_object_end(w);
    json_object_end(w);
}

/* -- check, lineage, run ---------------------------------------------------------------------- */

static const char *decision_of(const struct call *call, result how) {
    const char *code = call->report.code;
    if (how.why == FAIL_DENIED)
        return code != NULL && strcmp(code, "APPROVAL_REQUIRED") == 0 ? "approval" : "deny";
    if (how.why != FAIL_NONE) return "error";
    switch (call->facts.guard.effect) {
    case GUARD_DENY: return "deny";
    case GUARD_ALLOW: return "allow";
    case GUARD_APPROVAL: return "approval";
    }
    return "deny";
}

static void put_decision(struct json_writer *w, const struct call *call, result how) {
    json_put_text(w, STR("decision"), str_of(decision_of(call, how)));
    if (call->report.why != FAIL_NONE) put_cause(w, call->facts.sql_asked, &call->report);
}

static void put_output(struct json_writer *w, const struct guard_answer *a) {
    json_key(w, STR("output"));
    json_array(w);
    for (size_t i = 0; i < a->n_output; i++) {
        json_array(w);
        json_text(w, a->output[i].name);
        json_array(w);
        for (size_t k = 0; k < a->output[i].from.n; k++) json_text(w, a->output[i].from.items[k]);
        json_array_end(w);
        json_array_end(w);
    }
    json_array_end(w);
}

static void put_reads(struct json_writer *w, const struct guard_answer *a) {
    put_names(w, STR("tables"), &a->tables);
    put_names(w, STR("columns"), &a->columns);
    json_key(w, STR("access"));
    json_object(w);
    for (size_t i = 0; i < ACCESS_CLAUSES; i++)
        put_names(w, str_of(access_clause_name[i]), &a->access[i]);
    json_object_end(w);
    put_output(w, a);
}

static void put_risk(struct json_writer *w, const struct guard_answer *a) {
    json_key(w, STR("risk"));
    json_object(w);
    json_put_text(w, STR("level"), str_of(risk_level_name[a->risk]));
    json_key(w, STR("flags"));
    json_array(w);
    for (unsigned bit = 0; risk_flag_name[bit] != NULL; bit++)
        if (a->risk_flags & (1U << bit)) json_text(w, str_of(risk_flag_name[bit]));
    json_array_end(w);
    json_object_end(w);
}

static void put_check(struct json_writer *w, const struct call *call, result how) {
    const struct guard_answer *a = &call->facts.guard;
    put_decision(w, call, how);
    if (a->sql.len > 0) json_put_text(w, STR("sql"), a->sql);
    put_reads(w, a);
    put_names(w, STR("policy_columns"), &a->policy_columns);
    put_names(w, STR("partitions"), &a->partitions);
    json_put_bool(w, STR("has_partition_filter"), a->has_partition_filter);
    json_put_int(w, STR("join_count"), a->join_count);
    json_put_int(w, STR("limit"), a->limit);
    put_risk(w, a);
}

void sql_answer_check(struct str id, const struct call *call, result how, struct json_writer *w) {
    json_object(w);
    put_id(w, id);
    put_check(w, call, how);
    json_object_end(w);
}

void sql_answer_lineage(struct str id, const struct call *call, result how, struct json_writer *w) {
    json_object(w);
    put_id(w, id);
    put_decision(w, call, how);
    put_reads(w, &call->facts.guard);
    json_object_end(w);
}

void sql_answer_run(struct str id, struct call *call, struct str envelope, struct json_writer *w) {
    static const struct str members[] = {STR_INIT("columns"), STR_INIT("rows"),
                                         STR_INIT("row_count"), STR_INIT("truncated"),
                                         STR_INIT("note")};
    const struct json *reply = NULL;
    struct json_limits limits = {
        .bytes = call->reply.max, .members = SIZE_MAX / 2, .allows_nul = true};
    struct report unread = {0};
    result how = {call->report.why};
    if (json_read(envelope, &limits, &call->arena, &reply, &unread).why != FAIL_NONE)
        how = fail(&call->report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                   "the reply is too large to be repeated here");
    json_object(w);
    put_id(w, id);
    put_decision(w, call, how);
    if (call->facts.sql_run.len > 0) json_put_text(w, STR("sql"), call->facts.sql_run);
    const struct json *data = json_get(reply, STR("data"));
    for (size_t i = 0; how.why == FAIL_NONE && i < COUNT(members); i++) {
        const struct json *value = json_get(data, members[i]);
        if (value == NULL) continue;
        json_key(w, members[i]);
        json_raw_value(w, json_raw(value));
    }
    json_object_end(w);
}
