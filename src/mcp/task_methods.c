/*
 * mcp/task_methods.c - tasks/get, tasks/update, tasks/cancel; and a task whose replica is gone
 */
#include "mcp/answer.h"
#include "mcp/methods.h"
#include "mcp/task_life.h"
#include "tools/tool.h"

static struct str id_of(const struct turn *turn) {
    return json_get_text(turn->message.params, STR("taskId"));
}

static void refuse(struct turn *turn, const struct report *report) {
    if (report->why == FAIL_ABSENT)
        answer_refuse_params(turn, report->sentence);
    else
        turn_fail(turn, report);
}

static bool may_ask(struct turn *turn) {
    if (!task_is_possible(turn)) {
        task_refuse(turn, "the client did not declare the tasks extension");
        return false;
    }
    if (id_of(turn).ptr != NULL) return true;
    answer_refuse_params(turn, "'taskId' must be the id of a task");
    return false;
}

/* The replica that ran it is gone, and the lease is ours: what was asked has been answered, and the
 * turn goes on as the call's own. */
static void run_again(struct turn *turn) {
    struct report report = {0};
    if (!turn_read(turn, turn->task->record.request)) {
        turn->finish(turn);
        return;
    }
    const struct tool *tool = tool_find(json_get_text(turn->message.params, STR("name")));
    if (tool == NULL || tool->is_destructive) {
        answer_lost(turn);
        return;
    }
    turn->capabilities = era_capabilities(&turn->message);
    peer_init(turn);
    if (rounds_take(turn, &report).why != FAIL_NONE)
        answer_refuse_params(turn, report.sentence);
    else
        tool_call_begin(turn);
}

/* true: the lease was free and is ours. */
static result take_over(struct turn *turn, const struct task_record *record, bool *is_ours,
                        struct report *report) {
    struct journals *journals = &turn->mcp->journals;
    struct arena *arena = &turn->call->arena;
    struct str name = str_printf(arena, "task/" STR_FMT, STR_ARG(record->id));
    bool is_held = true;
    *is_ours = false;
    if (name.ptr == NULL) return fail_memory(report);
    TRY(journal_is_held(journals, name, arena, &is_held, report));
    if (is_held) return OK;
    if (!task_wrap(turn)) return fail_memory(report);
    struct task *task = turn->task;
    task->record = *record;
    task->journal.name = name;
    TRY(journal_take_over(journals, &task->journal, arena, report));
    *is_ours = task->journal.lease_version != STORE_ABSENT;
    return OK;
}

/* Between the record and the lease its owner may have ended it: then there is nothing to run. */
static result look_again(struct turn *turn, struct task_record *record, bool *is_ours,
                         struct report *report) {
    result r = task_record_find(turn->mcp->store, id_of(turn), &turn->call->principal,
                                &turn->call->arena, record, report);
    if (r.why == FAIL_NONE && record->end == TASK_OPEN) return OK;
    *is_ours = false;
    journal_close(&turn->mcp->journals, &turn->task->journal);
    return r;
}

/* At the desk. */
static void get(struct turn *turn) {
    struct arena *arena = &turn->call->arena;
    struct report report = {0};
    struct task_record record;
    bool is_ours = false;
    result r = task_record_find(turn->mcp->store, id_of(turn), &turn->call->principal, arena,
                                &record, &report);
    if (r.why == FAIL_NONE && record.end == TASK_OPEN)
        r = take_over(turn, &record, &is_ours, &report);
    if (r.why == FAIL_NONE && is_ours) r = look_again(turn, &record, &is_ours, &report);
    if (r.why != FAIL_NONE) {
        refuse(turn, &report);
        return;
    }
    struct str answer = task_text(turn, &record, "complete", true, arena);
    if (answer.ptr == NULL) {
        (void)fail_memory(&report);
        refuse(turn, &report);
        return;
    }
    if (!is_ours) {
        buf_add(&turn->out, answer);
        turn->finish(turn);
        return;
    }
    turn->task->is_adopted = true;
    task_adopt(turn);
    turn->way->answer_early(turn, answer);
    run_again(turn);
}

void method_task_get(struct turn *turn) {
    if (may_ask(turn)) turn_at_desk(turn, get);
}

static bool put_answers(struct task_record *record, void *with, struct arena *arena) {
    const struct json *brought = with;
    bool is_changed = false;
    for (uint32_t i = 0; i < brought->n && record->end == TASK_OPEN; i++) {
        const struct json_member *m = &brought->members[i];
        if (!task_record_is_open(record, m->key) || m->value.type != JSON_OBJECT) continue;
        record->answers = task_with_member(record->answers, m->key, &m->value, arena);
        is_changed = true;
    }
    return is_changed;
}

static bool cancel_record(struct task_record *record, void *with, struct arena *arena) {
    (void)with;
    (void)arena;
    if (record->end != TASK_OPEN) return false;
    record->end = TASK_CANCELLED;
    return true;
}

static void update(struct turn *turn) {
    const struct json *brought = json_get(turn->message.params, STR("inputResponses"));
    struct json copy = *brought;
    struct report report = {0};
    struct task_record record;
    if (task_change(turn, id_of(turn), put_answers, &copy, &record, &report).why != FAIL_NONE)
        refuse(turn, &report);
    else
        answer_empty(turn);
}

void method_task_update(struct turn *turn) {
    const struct json *brought = json_get(turn->message.params, STR("inputResponses"));
    if (!may_ask(turn)) return;
    if (brought == NULL || brought->type != JSON_OBJECT)
        answer_refuse_params(turn, "'inputResponses' must be an object");
    else
        turn_at_desk(turn, update);
}

static void cancel(struct turn *turn) {
    struct report report = {0};
    struct task_record record;
    result r = task_change(turn, id_of(turn), cancel_record, NULL, &record, &report);
    if (r.why == FAIL_NONE) r = mcp_cancel(turn->mcp, STR(TASK_SESSION), record.id, &report);
    if (r.why != FAIL_NONE)
        refuse(turn, &report);
    else
        answer_empty(turn);
}

void method_task_cancel(struct turn *turn) {
    if (may_ask(turn)) turn_at_desk(turn, cancel);
}
