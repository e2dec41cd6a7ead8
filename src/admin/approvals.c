/* Calls that wait for somebody else's yes. */
#include "admin/desk.h"
#include "policy/approval.h"

static result no_store(struct report *report) {
    return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                "no store is there to keep approvals in");
}

/* Who may decide may see: a request holds all of another's arguments. */
static result check_approver(const struct desk *desk, struct report *report) {
    const struct approval_settings *settings = &desk->call->snapshot->approvals;
    if (desk->call->snapshot->store == NULL) return no_store(report);
    if (approval_may_decide(settings, &desk->call->principal)) return OK;
    return fail(report, FAIL_DENIED, "APPROVAL_NOT_ALLOWED", REPORT_NO_OFFSET,
                "this needs the role of an approver");
}

result approvals_show(struct desk *desk, struct json_writer *data, struct report *report) {
    struct approval *all;
    size_t n;
    TRY(check_approver(desk, report));
    TRY(approval_list(desk->call->snapshot->store, &desk->call->arena, &all, &n, report));
    json_object(data);
    json_key(data, STR("approvals"));
    json_array(data);
    for (size_t i = 0; i < n; i++) approval_put(data, &all[i]);
    json_array_end(data);
    json_object_end(data);
    return OK;
}

static result decide(struct desk *desk, bool is_yes, struct json_writer *data,
                     struct report *report) {
    struct call *call = desk->call;
    struct approval approval;
    const struct json *body;
    TRY(check_approver(desk, report));
    TRY(desk_body(desk, &body, report));
    TRY(approval_find(call->snapshot->store, desk->id, &call->arena, &approval, report));
    TRY(approval_decide(call->snapshot->store, call->clock, &call->snapshot->approvals, &approval,
                        &call->principal, is_yes, json_get_text(body, STR("note")), &call->arena,
                        report));
    call->facts.approval.id = approval.id;
    approval_put(data, &approval);
    return OK;
}

result approvals_approve(struct desk *desk, struct json_writer *data, struct report *report) {
    return decide(desk, true, data, report);
}

result approvals_reject(struct desk *desk, struct json_writer *data, struct report *report) {
    return decide(desk, false, data, report);
}
