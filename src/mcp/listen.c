/*
 * mcp/listen.c - subscriptions/listen, resources/subscribe and resources/unsubscribe
 */
#include "base/limits.h"
#include "mcp/answer.h"
#include "mcp/methods.h"
#include "mcp/task.h"

static bool wants(const struct json *notifications, const char *member) {
    return json_is_true(json_get(notifications, str_of(member)));
}

static bool is_texts(const struct json *list) {
    if (list == NULL) return true;
    if (list->type != JSON_ARRAY || list->n > SUBSCRIBER_WATCHED_MAX) return false;
    for (uint32_t i = 0; i < list->n; i++)
        if (list->items[i].type != JSON_STRING) return false;
    return true;
}

/* The names to be watched, as one array. NULL: no memory, or nothing. */
static const struct json *join(const struct json *uris, const struct json *tasks,
                               struct arena *arena) {
    size_t n_uris = uris == NULL ? 0 : uris->n, n_tasks = tasks == NULL ? 0 : tasks->n;
    struct json *list = arena_new(arena, struct json);
    struct json *items = arena_new_array(arena, n_uris + n_tasks + 1, struct json);
    if (list == NULL || items == NULL || n_uris + n_tasks == 0) return NULL;
    for (size_t i = 0; i < n_uris; i++) items[i] = uris->items[i];
    for (size_t i = 0; i < n_tasks; i++) items[n_uris + i] = tasks->items[i];
    *list = (struct json){.type = JSON_ARRAY, .n = (uint32_t)(n_uris + n_tasks), .items = items};
    return list;
}

void method_listen(struct turn *turn) {
    const struct json *asked = json_get(turn->message.params, STR("notifications"));
    const struct json *uris = json_get(asked, STR("resourceSubscriptions"));
    const struct json *tasks = json_get(asked, STR("taskIds"));
    if (asked == NULL || asked->type != JSON_OBJECT || !is_texts(uris) || !is_texts(tasks)) {
        answer_refuse_params(turn,
                             "subscriptions/listen needs 'notifications', an object that says "
                             "what to listen for; its lists hold at most 1000 texts");
        return;
    }
    struct subscription what = {
        .id = turn->message.id,
        .holder = principal_key(&turn->call->principal, &turn->call->arena),
        .wants = (wants(asked, "toolsListChanged") ? CHANGED_TOOLS : 0U) |
                 (wants(asked, "promptsListChanged") ? CHANGED_PROMPTS : 0U) |
                 (wants(asked, "resourcesListChanged") ? CHANGED_RESOURCES : 0U) |
                 (uris != NULL && uris->n > 0 ? CHANGED_WATCHED : 0U),
        .watched = join(uris, tasks, &turn->call->arena)};
    if (tasks != NULL && !task_is_possible(turn))
        task_refuse(turn, "'taskIds' needs the tasks extension");
    else if (turn->way == NULL || turn->way->hold == NULL)
        answer_refuse(turn, RPC_INVALID_REQUEST,
                      STR("the client must accept text/event-stream to listen"), STR_NONE);
    else if (turn->way->hold(turn, &what))
        turn->finish(turn);
    else
        answer_refuse(turn, RPC_INTERNAL_ERROR, STR("no more streams can be held open"), STR_NONE);
}

/* -- of the legacy era ------------------------------------------------------------------------ */

/* What the session watches, with the URI or without it. NULL: no memory. */
static const struct json *changed(const struct json *watched, struct str uri, bool is_added,
                                  struct arena *arena) {
    size_t n = watched == NULL ? 0 : watched->n, kept = 0;
    struct json *list = arena_new(arena, struct json);
    struct json *items = arena_new_array(arena, n + 1, struct json);
    if (list == NULL || items == NULL) return NULL;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(watched->items[i].text, uri)) items[kept++] = watched->items[i];
    if (is_added) items[kept++] = (struct json){.type = JSON_STRING, .text = str_dup(arena, uri)};
    if (is_added && items[kept - 1].text.ptr == NULL) return NULL;
    *list = (struct json){.type = JSON_ARRAY, .n = (uint32_t)kept, .items = items};
    return list;
}

/* Another message of the session may change it at the same time: then once more. */
static result keep_watched(struct turn *turn, const struct json *uri, bool is_added,
                           struct report *report) {
    struct call *call = turn->call;
    struct session *session = turn->session;
    for (bool is_kept = false; !is_kept;) {
        struct arena *arena = session->own != NULL ? session->own : &call->arena;
        session->watched = changed(session->watched, uri->text, is_added, arena);
        if (session->watched == NULL) return fail_memory(report);
        if (session->own != NULL) break;
        TRY(session_keep(turn->mcp->store, &call->principal, session, &call->arena, &is_kept,
                         report));
        if (!is_kept)
            TRY(session_find(turn->mcp->store, &call->principal, session->id, turn->mcp->clock,
                             &call->arena, &session, report));
    }
    turn->session = session;
    hub_watch(&turn->mcp->hub, session->id, session->watched);
    return OK;
}

static void change_watched(struct turn *turn, bool is_added) {
    const struct json *uri = json_get(turn->message.params, STR("uri"));
    struct report report = {0};
    if (uri == NULL || uri->type != JSON_STRING || str_find(uri->text, STR("://")) == uri->text.len)
        answer_refuse_params(turn, "'uri' must be the URI of a resource");
    else if (turn->session == NULL)
        answer_refuse(turn, RPC_INVALID_REQUEST,
                      STR("only a session can subscribe: send initialize first"), STR_NONE);
    else if (is_added && turn->session->watched != NULL &&
             turn->session->watched->n >= SUBSCRIBER_WATCHED_MAX)
        answer_refuse_params(turn, "the session watches 1000 resources already");
    else if (keep_watched(turn, uri, is_added, &report).why != FAIL_NONE)
        turn_fail(turn, &report);
    else
        answer_empty(turn);
}

void method_subscribe(struct turn *turn) {
    change_watched(turn, true);
}

void method_unsubscribe(struct turn *turn) {
    change_watched(turn, false);
}
