#include "road/ruling.h"

#include "base/limits.h"
#include "base/rand.h"
#include "call/codes.h"

static struct str params_of(const struct ruling *ruling, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, RECORD_PARAMS_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("id"), utf8_clip(ruling->id, APPROVAL_ID_SIZE));
    json_put_text(&w, STR("decision"), ruling->is_yes ? STR("approve") : STR("reject"));
    json_put_text(&w, STR("note"), utf8_clip(ruling->note, APPROVAL_NOTE_BYTES_MAX));
    json_object_end(&w);
    return buf_take(&buf, arena);
}

/* `how` empty: it will be decided. */
static result record(struct audit *audit, struct snapshot *snapshot, const struct clock *clock,
                     const struct ruling *ruling, const struct report *how, struct arena *arena,
                     struct report *report) {
    char id[UUID_SIZE];
    bool is_well = how->why == FAIL_NONE;
    bool is_denied = !is_well && code_find(how->code)->outcome == CODE_D;
    rand_uuid(id);
    struct audit_record r = {.audit_id = id,
                             .time_ms = clock_wall_ms(clock),
                             .user_id = ruling->approver->user_id,
                             .client_id = ruling->approver->client_id,
                             .auth_method = ruling->approver->auth_method,
                             .token_id = ruling->approver->token_id,
                             .source_ip = ruling->peer,
                             .tool_name = STR("approval"),
                             .method = ruling->method,
                             .outcome = is_well     ? "success"
                                        : is_denied ? "denied"
                                                    : "error",
                             .request_params_json = params_of(ruling, arena),
                             .policy_decision = is_well ? "allowed" : "denied",
                             .policy_version = policy_version(snapshot->policy),
                             .rule = STR("approvals.roles"),
                             .approval_id = ruling->id,
                             .station = "approval",
                             .row_count = -1,
                             .engine_us = -1};
    if (r.request_params_json.ptr == NULL) return fail_memory(report);
    if (!is_well) r.error_code = code_find(how->code)->name;
    if (!is_well) r.error_message = str_of(how->sentence);
    if (is_denied) r.deny_reason = r.error_message;
    return audit_write(audit, &r, report);
}

/* A refusal is recorded as it is told; that it could not be recorded is told instead. */
static result refuse(struct audit *audit, struct snapshot *snapshot, const struct clock *clock,
                     const struct ruling *ruling, struct arena *arena, struct report *report) {
    struct report unwritten = {0};
    result r = record(audit, snapshot, clock, ruling, report, arena, &unwritten);
    if (r.why != FAIL_NONE) *report = unwritten;
    return (result){report->why};
}

result ruling_make(struct audit *audit, struct snapshot *snapshot, const struct clock *clock,
                   const struct ruling *ruling, struct arena *arena, struct approval *out,
                   struct report *report) {
    static const struct report nothing;
    const struct approval_settings *settings = &snapshot->approvals;
    result r = approval_find(snapshot->store, ruling->id, arena, out, report);
    if (r.why == FAIL_NONE) r = approval_judge(settings, out, ruling->approver, report);
    if (r.why != FAIL_NONE) return refuse(audit, snapshot, clock, ruling, arena, report);
    TRY(record(audit, snapshot, clock, ruling, &nothing, arena, report));
    r = approval_decide(snapshot->store, clock, settings, out, ruling->approver, ruling->is_yes,
                        ruling->note, arena, report);
    return r.why == FAIL_NONE ? OK : refuse(audit, snapshot, clock, ruling, arena, report);
}
