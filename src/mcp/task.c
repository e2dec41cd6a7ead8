#include "mcp/task_life.h"

#include "base/limits.h"
#include "base/log.h"
#include "mcp/answer.h"
#include "tools/tool.h"

#include <time.h>

bool task_is_possible(const struct turn *turn) {
    const struct json *extensions = json_get(turn->capabilities, STR("extensions"));
    return turn->era == ERA_MODERN && turn->mcp->store != NULL && turn->way != NULL &&
           json_get(extensions, STR(TASKS_EXTENSION)) != NULL;
}

/* A clerk may be at it right now. */
bool task_is_adopted(const struct turn *turn) {
    struct task *task = turn->task;
    if (task == NULL) return false;
    pthread_mutex_lock(&task->lock);
    bool is_adopted = task->is_adopted;
    pthread_mutex_unlock(&task->lock);
    return is_adopted;
}

void task_end(struct turn *turn) {
    if (turn->task == NULL) return;
    journal_forget(&turn->mcp->journals, &turn->task->journal);
    pthread_mutex_destroy(&turn->task->lock);
    turn_free(turn->task->clerk);
}

/* -- its record ------------------------------------------------------------------------------- */

result task_change(struct turn *turn, struct str id, task_changer *change, void *with,
                   struct task_record *out, struct report *report) {
    struct mcp *mcp = turn->mcp;
    struct arena *arena = &turn->call->arena;
    for (bool is_kept = false; !is_kept;) {
        TRY(task_record_find(mcp->store, id, &turn->call->principal, arena, out, report));
        if (!change(out, with, arena)) break;
        if (arena->is_spent) return fail_memory(report);
        TRY(task_record_keep(mcp->store, mcp->clock, out, arena, &is_kept, report));
    }
    if (hub_count(&mcp->hub) == 0) return OK;
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, SUBSCRIBER_MESSAGE_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    task_record_write(out, true, &w);
    json_object_end(&w);
    struct str json = buf_flat(&buf, arena);
    if (buf_failed(&buf, NULL).why == FAIL_NONE && json.ptr != NULL)
        hub_note(&mcp->hub, id, out->holder, "notifications/tasks",
                 str_slice(json, 1, json.len - 1));
    buf_deinit(&buf);
    return OK;
}

/* -- the end of the call ---------------------------------------------------------------------- */

static bool end_record(struct task_record *record, void *with, struct arena *arena) {
    const struct task_record *end = with;
    (void)arena;
    if (record->end != TASK_OPEN) return false; /* cancelled meanwhile */
    record->end = end->end;
    record->outcome = end->outcome;
    return true;
}

/* The answer was made for a request that nobody waits for any more: its result, or its error, is
 * the task's. */
static struct task_record outcome_of(struct turn *turn) {
    struct arena *arena = &turn->call->arena;
    struct json_limits limits = {.bytes = (size_t)STORE_VALUE_BYTES_MAX, .allows_nul = true};
    const struct json *answer = NULL;
    struct report unused = {0};
    struct str text = buf_flat(&turn->out, arena);
    struct task_record end = {.end = TASK_FAILED,
                              .outcome = STR("{\"code\":-32603,\"message\":\"the answer could not "
                                             "be built\"}")};
    if (buf_failed(&turn->out, NULL).why != FAIL_NONE || text.ptr == NULL ||
        json_read(text, &limits, arena, &answer, &unused).why != FAIL_NONE)
        return end;
    const struct json *error = json_get(answer, STR("error"));
    const struct json *found = error != NULL ? error : json_get(answer, STR("result"));
    if (found != NULL) end.outcome = json_raw(found);
    if (found != NULL && error == NULL) end.end = TASK_COMPLETED;
    return end;
}

static void keep_outcome(struct turn *turn) {
    struct task *task = turn->task;
    struct task_record end = outcome_of(turn), now;
    struct report report = {0};
    result r = task_change(turn, task->record.id, end_record, &end, &now, &report);
    if (r.why == FAIL_LIMIT) {
        end =
            (struct task_record){.end = TASK_FAILED,
                                 .outcome = STR("{\"code\":-32603,\"message\":\"the result is too "
                                                "large to be kept\"}")};
        report_clear(&report);
        r = task_change(turn, task->record.id, end_record, &end, &now, &report);
    }
    if (r.why != FAIL_NONE) log_line(LOG_ERROR, "task_not_ended", STR_NONE, "%s", report.sentence);
}

static void complete(struct turn *turn) {
    struct task *task = turn->task;
    if (!turn_is_left_over(turn)) keep_outcome(turn);
    journal_close(&turn->mcp->journals, &task->journal);
    task->finish(turn);
}

static void finish(struct turn *turn) {
    struct task *task = turn->task;
    pthread_mutex_lock(&task->lock);
    task->is_finished = true;
    bool is_adopted = task->is_adopted, is_at_clerk = task->is_at_clerk;
    pthread_mutex_unlock(&task->lock);
    if (is_adopted) {
        turn->finish = task->finish; /* a desk that is full ends it so */
        turn_at_desk(turn, complete);
    } else if (!is_at_clerk) {
        task->finish(turn);
    }
}

bool task_wrap(struct turn *turn) {
    struct task *task = arena_new(&turn->call->arena, struct task);
    if (task == NULL) return false;
    pthread_mutex_init(&task->lock, NULL);
    task->finish = turn->finish;
    turn->task = task;
    turn->finish = finish;
    return true;
}

/* -- becoming a task -------------------------------------------------------------------------- */

struct str task_text(struct turn *turn, const struct task_record *record, const char *result_type,
                     bool in_detail, struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, SUBSCRIBER_MESSAGE_BYTES_MAX);
    rpc_begin_result(&buf, turn->message.id);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("resultType"), str_of(result_type));
    json_key(&w, STR("_meta"));
    json_raw_value(&w, STR("{\"io.modelcontextprotocol/serverInfo\":" SERVER_INFO "}"));
    task_record_write(record, in_detail, &w);
    json_object_end(&w);
    rpc_end_result(&buf);
    return buf_take(&buf, arena);
}

void task_adopt(struct turn *turn) {
    running_name(&turn->mcp->running, &turn->running, STR(TASK_SESSION), turn->task->record.id);
}

/* The record and the lease. `arena` must live as long as the turn of the call. */
static result make_task(struct turn *turn, struct arena *arena, struct report *report) {
    struct mcp *mcp = turn->mcp;
    struct task *task = turn->task;
    task->record = (struct task_record){.holder = principal_key(&turn->call->principal, arena),
                                        .request = turn->message.body};
    if (task->record.holder.ptr == NULL) return fail_memory(report);
    TRY(task_record_make(mcp->store, mcp->clock, &task->record, arena, report));
    task->journal.name = str_printf(arena, "task/" STR_FMT, STR_ARG(task->record.id));
    if (task->journal.name.ptr == NULL) return fail_memory(report);
    task_adopt(turn);
    return journal_take_over(&mcp->journals, &task->journal, arena, report);
}

/* At the desk, before the call begins. */
static void begin_as_task(struct turn *turn) {
    struct arena *arena = &turn->call->arena;
    struct report report = {0};
    struct str created = STR_NONE;
    if (make_task(turn, arena, &report).why == FAIL_NONE)
        created = task_text(turn, &turn->task->record, "task", false, arena);
    if (created.ptr == NULL) {
        if (report.why == FAIL_NONE) (void)fail_memory(&report);
        turn_fail(turn, &report);
        return;
    }
    turn->task->is_adopted = true;
    turn->way->answer_early(turn, created);
    road_walk(turn->mcp->road, turn->call);
}

/* -- the clerk: makes a task of a call that runs ---------------------------------------------- */

/* Whoever comes last of call and clerk ends the turn. */
static void part(struct turn *turn, struct str created) {
    struct task *task = turn->task;
    pthread_mutex_lock(&task->lock);
    task->is_at_clerk = false;
    task->is_adopted = created.ptr != NULL;
    bool is_finished = task->is_finished, is_adopted = task->is_adopted;
    if (is_adopted) turn->way->answer_early(turn, created);
    pthread_mutex_unlock(&task->lock); /* when the call goes on, all may be gone from here */
    if (!is_finished) return;
    if (is_adopted)
        complete(turn);
    else
        task->finish(turn);
}

/* The call is running and its arena is its own: what is made here is the clerk's. */
static void adopt_running(struct turn *clerk) {
    struct turn *turn = clerk->owner;
    struct report report = {0};
    struct str created = STR_NONE;
    if (make_task(turn, &clerk->call->arena, &report).why == FAIL_NONE)
        created = task_text(turn, &turn->task->record, "task", false, &clerk->call->arena);
    if (created.ptr == NULL) log_line(LOG_WARN, "task_not_made", STR_NONE, "%s", report.sentence);
    part(turn, created);
}

/* The desk is full. */
static void clerk_refused(struct turn *clerk) {
    part(clerk->owner, STR_NONE);
}

/* On the door's thread, `task_after` later. */
static void consider(struct turn *turn) {
    struct task *task = turn->task;
    struct turn *clerk = turn_new(turn->mcp, clerk_refused, turn);
    if (clerk == NULL) return;
    pthread_mutex_lock(&task->lock);
    task->is_at_clerk = !task->is_finished;
    bool is_needed = task->is_at_clerk;
    if (is_needed) task->clerk = clerk;
    pthread_mutex_unlock(&task->lock);
    if (is_needed)
        turn_at_desk(clerk, adopt_running);
    else
        turn_free(clerk);
}

/* -- walking ---------------------------------------------------------------------------------- */

void task_refuse(struct turn *turn, const char *message) {
    struct rpc_error error = {
        RPC_MISSING_CAPABILITY, 400, str_of(message),
        STR("{\"requiredCapabilities\":{\"extensions\":{\"" TASKS_EXTENSION "\":{}}}}")};
    turn_error(turn, &error);
    turn->finish(turn);
}

void task_walk(struct turn *turn) {
    const struct tool *tool = tool_find(turn->call->tool_name);
    /* Nothing is told of a tool that the caller may not use: the road refuses it. */
    bool is_there = tool != NULL && tool_may_use(turn->call, tool) && !turn_lacks_scope(turn);
    enum tool_task kind = is_there ? tool->task : TASK_NEVER;
    int64_t after_ms = turn->call->snapshot->settings.task_after_ms;
    bool is_possible = kind != TASK_NEVER && task_is_possible(turn);
    if (kind == TASK_MUST && turn->era == ERA_MODERN && !is_possible) {
        task_refuse(turn, "this tool runs as a task, which the client did not declare");
        return;
    }
    if (is_possible && task_wrap(turn)) {
        if (kind == TASK_MUST) {
            turn_at_desk(turn, begin_as_task);
            return;
        }
        if (turn->way->after != NULL) turn->way->after(turn, after_ms, consider);
    }
    road_walk(turn->mcp->road, turn->call);
}

/* -- asking ----------------------------------------------------------------------------------- */

struct questions {
    struct ask *asks;
    size_t n;
};

static const struct json *question(const struct ask *ask, struct arena *arena) {
    const struct json *tree;
    struct report unused = {0};
    struct str text = str_printf(arena, "{\"method\":\"" STR_FMT "\",\"params\":" STR_FMT "}",
                                 STR_ARG(ask_method(ask->kind)), STR_ARG(ask->params));
    if (text.ptr == NULL || json_read(text, NULL, arena, &tree, &unused).why != FAIL_NONE)
        return NULL;
    return tree;
}

/* Adds what was not asked before; takes back answers that have not the form. */
static bool put_questions(struct task_record *record, void *with, struct arena *arena) {
    const struct questions *questions = with;
    bool is_changed = false;
    for (size_t i = 0; i < questions->n && record->end == TASK_OPEN; i++) {
        const struct ask *ask = &questions->asks[i];
        struct str key = str_of(ask->key);
        const struct json *answer = json_get(record->answers, key);
        if (json_get(record->asks, key) == NULL) {
            record->asks = task_with_member(record->asks, key, question(ask, arena), arena);
            is_changed = true;
        } else if (answer != NULL && !ask_accepts(ask, answer, arena)) {
            record->answers = task_with_member(record->answers, key, NULL, arena);
            is_changed = true;
        }
    }
    return is_changed;
}

static bool take_answers(struct ask *asks, size_t n, const struct task_record *record) {
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        asks[i].answer = json_get(record->answers, str_of(asks[i].key));
        all = all && asks[i].answer != NULL;
    }
    return all;
}

static void wait_a_while(void) {
    struct timespec time = {.tv_nsec = TASK_LOOK_MS * 1000000L};
    nanosleep(&time, NULL);
}

result task_ask(struct turn *turn, struct ask *asks, size_t n) {
    struct call *call = turn->call;
    struct questions questions = {asks, n};
    struct task_record record;
    uint64_t seen = 0, tide = 0;
    int64_t looked_ns = 0;
    for (;; wait_a_while()) {
        if (call_is_cancelled(call))
            return fail(&call->report, FAIL_CANCELLED, "CANCELLED", REPORT_NO_OFFSET,
                        "the caller cancelled");
        TRY(store_tide(turn->mcp->store, &tide, &call->report));
        /* Also when nothing has changed: the task itself may be over by now. */
        int64_t now_ns = clock_mono_ns(call->clock);
        if (tide == seen && now_ns - looked_ns < JOURNAL_LEASE_MS * INT64_C(1000000)) continue;
        seen = tide;
        looked_ns = now_ns;
        TRY(task_change(turn, turn->task->record.id, put_questions, &questions, &record,
                        &call->report));
        if (take_answers(asks, n, &record)) return OK;
    }
}
