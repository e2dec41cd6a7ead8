#include "call/consent.h"

#include "base/limits.h"
#include "call/call.h"
#include "policy/approval.h"
#include "text/redact.h"

/* -- what the person is shown ------------------------------------------------------------------ */

static struct str shown_arguments(struct call *call) {
    struct buf buf;
    struct json_writer w;
    if (call->arguments == NULL) return STR("{}");
    buf_init(&buf, (size_t)JSON_BYTES_MAX);
    json_writer_init(&w, &buf);
    redact_put(&w, call->arguments, CONSENT_TEXT_BYTES_MAX);
    return utf8_clip(buf_take(&buf, &call->arena), CONSENT_TEXT_BYTES_MAX);
}

/* {"message":…,"requestedSchema":…} */
static struct str form(struct call *call, struct str message, struct str schema) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, (size_t)JSON_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("message"), message);
    json_key(&w, STR("requestedSchema"));
    json_raw_value(&w, schema);
    json_object_end(&w);
    return buf_take(&buf, &call->arena);
}

/* -- the caller's own user --------------------------------------------------------------------- */

static bool says_yes(const struct json *answer) {
    const struct json *content = json_get(answer, STR("content"));
    return str_eq(json_get_text(answer, STR("action")), STR("accept")) &&
           json_is_true(json_get(content, STR("confirm")));
}

static result want_client(struct call *call, struct str reason) {
    result r = fail(&call->report, FAIL_DENIED, "CONFIRMATION_REQUIRED", REPORT_NO_OFFSET, STR_FMT,
                    STR_ARG(reason));
    fail_hint(&call->report,
              "The user has to confirm this call, and the client cannot ask: use one "
              "that declares elicitation.");
    return r;
}

result consent_confirm(struct call *call, struct str reason) {
    static const struct str schema =
        STR_INIT("{\"type\":\"object\",\"properties\":{\"confirm\":{\"type\":\"boolean\","
                 "\"title\":\"Run it / 执行\"}},\"required\":[\"confirm\"]}");
    if (!client_can(call, ASK_FORM)) return want_client(call, reason);
    struct str message =
        str_printf(&call->arena, "Confirm (请确认): " STR_FMT " " STR_FMT "\n" STR_FMT,
                   STR_ARG(call->tool_name), STR_ARG(shown_arguments(call)), STR_ARG(reason));
    struct ask ask = {.key = "confirm", .kind = ASK_FORM, .params = form(call, message, schema)};
    if (message.ptr == NULL || ask.params.ptr == NULL) return fail_memory(&call->report);
    TRY(client_ask(call, &ask, 1));
    if (says_yes(ask.answer)) return OK;
    return fail(&call->report, FAIL_DENIED, "CONFIRMATION_DECLINED", REPORT_NO_OFFSET,
                "the user did not confirm the call");
}

/* -- another person ---------------------------------------------------------------------------- */

static result request(struct call *call, struct str rule, struct str reason, struct approval *out) {
    struct policy_limits limits;
    policy_limits(call->snapshot->policy, &limits);
    struct approval_terms terms = {.tool = call->tool_name,
                                   .arguments = call->arguments,
                                   .principal = &call->principal,
                                   .policy_version = policy_version(call->snapshot->policy),
                                   .cost_ceiling_bytes = limits.max_scan_bytes,
                                   .rule = rule,
                                   .reason = reason};
    TRY(approval_request(call->snapshot->store, call->clock, &call->snapshot->approvals, &terms,
                         &call->arena, out, &call->report));
    call->facts.approval = (struct call_approval){out->id, out->expires_ms, false};
    return OK;
}

static result refuse_rejected(struct call *call, const struct approval *approval) {
    result r = fail(&call->report, FAIL_DENIED, "APPROVAL_REJECTED", REPORT_NO_OFFSET,
                    "the call was not approved%s" STR_FMT, approval->note.len > 0 ? ": " : "",
                    STR_ARG(approval->note));
    fail_hint(&call->report, "Do not repeat the call; ask for something else.");
    return r;
}

static result refuse_pending(struct call *call, const struct approval *approval) {
    int64_t left_ms = approval->expires_ms - clock_wall_ms(call->clock);
    call->facts.retry_after_ms = left_ms < APPROVAL_RETRY_MS ? left_ms : APPROVAL_RETRY_MS;
    result r = fail(&call->report, FAIL_DENIED, "APPROVAL_REQUIRED", REPORT_NO_OFFSET, STR_FMT,
                    STR_ARG(approval->reason));
    fail_hint(&call->report,
              "Request " STR_FMT " waits for an approver; make the same call again once it is "
              "approved.",
              STR_ARG(approval->id));
    return r;
}

/* The form asks nothing: it shows that the call waits, until the person looks again. */
static result show_waiting(struct call *call, const struct approval *approval) {
    static const struct str schema = STR_INIT("{\"type\":\"object\",\"properties\":{}}");
    struct str message =
        str_printf(&call->arena,
                   "Waiting for approval (等待审批) " STR_FMT ": " STR_FMT " " STR_FMT
                   "\nAccept to look again. 接受以再次查看。",
                   STR_ARG(approval->id), STR_ARG(call->tool_name), STR_ARG(approval->reason));
    struct ask ask = {.key = "approval", .kind = ASK_FORM, .params = form(call, message, schema)};
    if (message.ptr == NULL || ask.params.ptr == NULL) return fail_memory(&call->report);
    return client_ask(call, &ask, 1);
}

static result settle(struct call *call, struct approval *approval) {
    bool is_ours = false;
    if (approval->state == APPROVAL_REJECTED) return refuse_rejected(call, approval);
    TRY(approval_use(call->snapshot->store, call->clock, approval, &call->arena, &is_ours,
                     &call->report));
    call->facts.approval.is_given = is_ours;
    return is_ours ? OK : refuse_pending(call, approval);
}

result consent_approve(struct call *call, struct str rule, struct str reason) {
    struct approval approval;
    if (call->facts.approval.is_given) return OK;
    if (call->snapshot->store == NULL)
        return fail(&call->report, FAIL_DENIED, "APPROVAL_REQUIRED", REPORT_NO_OFFSET,
                    "another person has to approve the call, and nothing here keeps approvals");
    TRY(request(call, rule, reason, &approval));
    if (approval.state == APPROVAL_PENDING && client_can(call, ASK_FORM)) {
        TRY(show_waiting(call, &approval));
        TRY(request(call, rule, reason, &approval));
    }
    return settle(call, &approval);
}
