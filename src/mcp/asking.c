#include "mcp/asking.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "mcp/turn.h"

#include <stdlib.h>
#include <time.h>

/* One request that is out. `body` is the whole response, malloc'd by who delivers it. */
struct question {
    struct link link; /* in asking.waiting */
    char id[UUID_SIZE];
    struct str session_id;
    char *body;
    size_t body_len;
};

void asking_init(struct asking *asking) {
    pthread_condattr_t monotonic;
    pthread_mutex_init(&asking->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&asking->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
    list_init(&asking->waiting);
}

void asking_deinit(struct asking *asking) {
    pthread_mutex_destroy(&asking->lock);
    pthread_cond_destroy(&asking->answered);
}

/* "question": that is out; "response": where another replica leaves what it was told. */
static struct str key_of(const char *sort, struct str session_id, struct str id,
                         struct arena *arena) {
    return str_printf(arena, "%s/" STR_FMT "/" STR_FMT, sort, STR_ARG(session_id), STR_ARG(id));
}

/* -- delivering ------------------------------------------------------------------------------- */

static bool deliver_here(struct asking *asking, struct str session_id, struct str id,
                         struct str body) {
    bool found = false;
    char *copy = fault_now() ? NULL : malloc(body.len + 1);
    if (copy == NULL) return false;
    memcpy(copy, body.ptr, body.len);
    pthread_mutex_lock(&asking->lock);
    for (struct link *at = asking->waiting.next; !found && at != &asking->waiting; at = at->next) {
        struct question *q = holder_of(at, struct question, link);
        if (q->body != NULL || !str_eq(str_of(q->id), id) || !str_eq(q->session_id, session_id))
            continue;
        q->body = copy;
        q->body_len = body.len;
        found = true;
        pthread_cond_broadcast(&asking->answered);
    }
    pthread_mutex_unlock(&asking->lock);
    if (!found) free(copy);
    return found;
}

/* Only what was asked, and once, so that nobody can fill the store with answers. */
static result leave_in_store(struct turn *turn, struct str id, struct report *report) {
    struct store *store = turn->mcp->store;
    struct arena *arena = &turn->call->arena;
    struct str question = key_of("question", turn->session->id, id, arena);
    struct store_item item = {key_of("response", turn->session->id, id, arena), turn->message.body,
                              RESPONSE_TTL_MS};
    struct store_value asked;
    if (question.ptr == NULL || item.key.ptr == NULL) return fail_memory(report);
    TRY(store_take(store, question, arena, &asked, report));
    return asked.version == STORE_ABSENT ? OK : store_put_new(store, &item, NULL, report);
}

void asking_deliver(struct turn *turn) {
    struct mcp *mcp = turn->mcp;
    struct str id = turn->message.id;
    struct report unused = {0};
    if (turn->session == NULL || id.len != UUID_SIZE - 1 + 2 || id.ptr[0] != '"') return;
    id = str_slice(id, 1, id.len - 1);
    if (deliver_here(&mcp->asking, turn->session->id, id, turn->message.body)) return;
    if (mcp->store == NULL || turn->session->own != NULL) return;
    if (leave_in_store(turn, id, &unused).why != FAIL_NONE)
        log_line(LOG_WARN, "response_lost", STR_NONE, "%s", unused.sentence);
}

/* -- asking ----------------------------------------------------------------------------------- */

static void send(struct turn *turn, const struct question *q, const struct ask *ask) {
    struct str json = str_printf(&turn->call->arena,
                                 "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"" STR_FMT
                                 "\",\"params\":" STR_FMT "}",
                                 q->id, STR_ARG(ask_method(ask->kind)), STR_ARG(ask->params));
    if (json.ptr != NULL) turn->way->send(turn, STR_NONE, json);
}

/* What another replica was told. */
static void look_in_store(struct turn *turn, struct question *q) {
    struct arena *arena = &turn->call->arena;
    struct store_value value;
    struct report unused = {0};
    if (turn->mcp->store == NULL || turn->session->own != NULL) return;
    struct str key = key_of("response", q->session_id, str_of(q->id), arena);
    if (key.ptr == NULL) return;
    if (store_take(turn->mcp->store, key, arena, &value, &unused).why != FAIL_NONE) return;
    if (value.version != STORE_ABSENT)
        (void)deliver_here(&turn->mcp->asking, q->session_id, str_of(q->id), value.bytes);
}

static bool wait_a_while(struct turn *turn, struct question *q) {
    struct asking *asking = &turn->mcp->asking;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ASKING_LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&asking->lock);
    if (q->body == NULL) pthread_cond_timedwait(&asking->answered, &asking->lock, &until);
    bool is_answered = q->body != NULL;
    pthread_mutex_unlock(&asking->lock);
    return is_answered;
}

static result wait(struct turn *turn, struct question *q) {
    struct call *call = turn->call;
    int64_t until_ns = clock_mono_ns(call->clock) + ASKING_WAIT_MS * INT64_C(1000000);
    while (!wait_a_while(turn, q)) {
        if (call_is_cancelled(call))
            return fail(&call->report, FAIL_CANCELLED, "CANCELLED", REPORT_NO_OFFSET,
                        "the caller cancelled");
        if (clock_mono_ns(call->clock) >= until_ns)
            return fail(&call->report, FAIL_TIMEOUT, "CLIENT_SILENT", REPORT_NO_OFFSET,
                        "the client did not answer within %d seconds",
                        (int)(ASKING_WAIT_MS / 1000));
        look_in_store(turn, q);
    }
    return OK;
}

/* A client's error is a refusal to be asked; an answer of another form is the client's fault. */
static result read_answer(struct turn *turn, const struct question *q, struct ask *ask) {
    struct call *call = turn->call;
    const struct json *response;
    struct str body = str_dup(&call->arena, (struct str){q->body, q->body_len});
    if (body.ptr == NULL) return fail_memory(&call->report);
    TRY(json_read(body, NULL, &call->arena, &response, &call->report));
    const struct json *error = json_get(response, STR("error"));
    if (error != NULL)
        return fail(&call->report, FAIL_INPUT, "CLIENT_REFUSED", REPORT_NO_OFFSET,
                    "the client answered " STR_FMT " with an error: " STR_FMT,
                    STR_ARG(ask_method(ask->kind)),
                    STR_ARG(utf8_clip(json_get_text(error, STR("message")), 256)));
    ask->answer = json_get(response, STR("result"));
    if (ask_accepts(ask, ask->answer, &call->arena)) return OK;
    return fail(&call->report, FAIL_INPUT, "CLIENT_REFUSED", REPORT_NO_OFFSET,
                "the client's answer to " STR_FMT " has not the form that was asked for",
                STR_ARG(ask_method(ask->kind)));
}

/* Where the store cannot keep it, only this replica can be answered. */
static void keep_question(struct turn *turn, const struct question *q) {
    struct report report = {0};
    struct store_item item = {key_of("question", q->session_id, str_of(q->id), &turn->call->arena),
                              STR("asked"), ASKING_WAIT_MS};
    if (turn->mcp->store == NULL || turn->session->own != NULL || item.key.ptr == NULL) return;
    if (store_put(turn->mcp->store, &item, NULL, &report).why != FAIL_NONE)
        log_line(LOG_WARN, "question_not_kept", STR_NONE, "%s", report.sentence);
}

static void open_question(struct turn *turn, struct question *q) {
    struct asking *asking = &turn->mcp->asking;
    rand_uuid(q->id);
    q->session_id = turn->session->id;
    keep_question(turn, q);
    pthread_mutex_lock(&asking->lock);
    list_add_last(&asking->waiting, &q->link);
    pthread_mutex_unlock(&asking->lock);
}

static void close_question(struct turn *turn, struct question *q) {
    struct asking *asking = &turn->mcp->asking;
    pthread_mutex_lock(&asking->lock);
    list_leave(&q->link);
    pthread_mutex_unlock(&asking->lock);
    free(q->body);
}

result asking_ask(struct turn *turn, struct ask *asks, size_t n) {
    result r = OK;
    struct question *questions = arena_new_array(&turn->call->arena, n, struct question);
    if (questions == NULL) return fail_memory(&turn->call->report);
    for (size_t i = 0; i < n; i++) {
        open_question(turn, &questions[i]);
        send(turn, &questions[i], &asks[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (r.why == FAIL_NONE) r = wait(turn, &questions[i]);
        if (r.why == FAIL_NONE) r = read_answer(turn, &questions[i], &asks[i]);
        close_question(turn, &questions[i]);
    }
    return r;
}
