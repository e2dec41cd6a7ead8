#include "mcp/peer.h"

#include "base/limits.h"
#include "mcp/asking.h"
#include "mcp/task.h"
#include "mcp/turn.h"

/* -- what a kind of question needs ------------------------------------------------------------ */

static const struct {
    struct str method, capability, part, needs;
} kinds[ASK_KINDS] = {
    [ASK_FORM] = {STR_INIT("elicitation/create"), STR_INIT("elicitation"), STR_INIT("form"),
                  STR_INIT("{\"elicitation\":{\"form\":{}}}")},
    [ASK_URL] = {STR_INIT("elicitation/create"), STR_INIT("elicitation"), STR_INIT("url"),
                 STR_INIT("{\"elicitation\":{\"url\":{}}}")},
    [ASK_SAMPLE] = {STR_INIT("sampling/createMessage"),
                    STR_INIT("sampling"),
                    {NULL, 0},
                    STR_INIT("{\"sampling\":{}}")},
    [ASK_ROOTS] = {STR_INIT("roots/list"),
                   STR_INIT("roots"),
                   {NULL, 0},
                   STR_INIT("{\"roots\":{}}")},
};

struct str ask_method(enum ask_kind kind) {
    return kinds[kind].method;
}

struct str ask_capability(enum ask_kind kind) {
    return kinds[kind].needs;
}

/* "elicitation": {} means forms only. */
bool peer_declares(const struct json *capabilities, enum ask_kind kind) {
    const struct json *capability = json_get(capabilities, kinds[kind].capability);
    if (capability == NULL || capability->type != JSON_OBJECT) return false;
    if (kinds[kind].part.len == 0) return true;
    if (kind == ASK_FORM && capability->n == 0) return true;
    return json_get(capability, kinds[kind].part) != NULL;
}

void ask_write(const struct ask *asks, size_t n, struct json_writer *w) {
    json_object(w);
    for (size_t i = 0; i < n; i++) {
        json_key(w, str_of(asks[i].key));
        json_object(w);
        json_put_text(w, STR("method"), ask_method(asks[i].kind));
        json_key(w, STR("params"));
        json_raw_value(w, asks[i].params);
        json_object_end(w);
    }
    json_object_end(w);
}

/* -- telling ---------------------------------------------------------------------------------- */

static struct turn *turn_of(struct client *client) {
    return holder_of(holder_of(client, struct peer, client), struct turn, peer);
}

static void notify(struct turn *turn, const char *method,
                   void (*put)(struct json_writer *w, const void *what), const void *what) {
    struct buf buf;
    struct json_writer w;
    if (turn->way == NULL || turn->running.is_silenced) return;
    buf_init(&buf, NOTIFICATION_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("jsonrpc"), STR("2.0"));
    json_put_text(&w, STR("method"), str_of(method));
    json_key(&w, STR("params"));
    json_object(&w);
    put(&w, what);
    json_object_end(&w);
    json_object_end(&w);
    struct str json = buf_flat(&buf, &turn->call->arena);
    if (buf_failed(&buf, NULL).why == FAIL_NONE && json.ptr != NULL)
        turn->way->send(turn, STR_NONE, json);
    buf_deinit(&buf);
}

struct told_progress {
    const struct progress *progress;
    struct str token;
};

static void put_progress(struct json_writer *w, const void *what) {
    const struct told_progress *told = what;
    json_key(w, STR("progressToken"));
    json_raw_value(w, told->token);
    json_key(w, STR("progress"));
    json_real(w, told->progress->done);
    if (told->progress->total > 0) {
        json_key(w, STR("total"));
        json_real(w, told->progress->total);
    }
    if (told->progress->message.len > 0) json_put_text(w, STR("message"), told->progress->message);
}

/* The protocol wants it to grow with every message. */
static void tell_progress(struct client *client, const struct progress *progress) {
    struct turn *turn = turn_of(client);
    struct peer *peer = &turn->peer;
    if (peer->progress_token.len == 0 || (peer->has_told && progress->done <= peer->done)) return;
    struct told_progress told = {progress, peer->progress_token};
    peer->has_told = true;
    peer->done = progress->done;
    notify(turn, "notifications/progress", put_progress, &told);
}

struct told_log {
    enum client_level level;
    struct str logger, data;
};

static void put_log(struct json_writer *w, const void *what) {
    const struct told_log *told = what;
    json_put_text(w, STR("level"), str_of(client_level_name[told->level]));
    if (told->logger.len > 0) json_put_text(w, STR("logger"), told->logger);
    json_key(w, STR("data"));
    json_raw_value(w, told->data);
}

static void tell_log(struct client *client, enum client_level level, struct str logger,
                     struct str data) {
    struct turn *turn = turn_of(client);
    struct told_log told = {level, logger, data};
    if (level < turn->peer.level || turn->peer.level == CLIENT_SILENT) return;
    notify(turn, "notifications/message", put_log, &told);
}

/* -- asking ----------------------------------------------------------------------------------- */

/* A legacy client is asked on the way of its request, so there must be one. */
static bool can(struct client *client, enum ask_kind kind) {
    struct turn *turn = turn_of(client);
    bool is_reachable = turn->era == ERA_MODERN || (turn->way != NULL && turn->session != NULL);
    return is_reachable && peer_declares(turn->capabilities, kind);
}

static result refuse(struct turn *turn, enum ask_kind kind) {
    turn->rounds.missing = ask_capability(kind);
    return fail(&turn->call->report, FAIL_INPUT, "CLIENT_CAPABILITY_MISSING", REPORT_NO_OFFSET,
                "this tool has to ask by " STR_FMT ", which the client did not declare",
                STR_ARG(ask_method(kind)));
}

static result ask(struct client *client, struct ask *asks, size_t n) {
    struct turn *turn = turn_of(client);
    for (size_t i = 0; i < n; i++)
        if (!can(client, asks[i].kind)) return refuse(turn, asks[i].kind);
    if (task_is_adopted(turn)) return task_ask(turn, asks, n);
    return turn->era == ERA_MODERN ? rounds_ask(turn, asks, n) : asking_ask(turn, asks, n);
}

/* Only where the client can come back for the answer: without a journal nobody would get it. */
static void let_go(struct client *client) {
    struct turn *turn = turn_of(client);
    if (turn->resume != NULL && turn->way->let_go != NULL) turn->way->let_go(turn);
}

static void changed(struct client *client, unsigned what) {
    mcp_changed(turn_of(client)->mcp, what);
}

void peer_init(struct turn *turn) {
    const struct json *meta = json_get(turn->message.params, STR("_meta"));
    const struct json *token = json_get(meta, STR("progressToken"));
    bool is_token = token != NULL && (token->type == JSON_STRING ||
                                      (token->type == JSON_NUMBER && token->is_integer));
    turn->peer = (struct peer){.client = {.can = can,
                                          .progress = tell_progress,
                                          .log = tell_log,
                                          .ask = ask,
                                          .let_go = let_go,
                                          .changed = changed},
                               .progress_token = is_token ? json_raw(token) : STR_NONE,
                               .level = CLIENT_SILENT};
    if (turn->era == ERA_MODERN)
        turn->peer.level =
            client_level_find(json_get_text(meta, STR("io.modelcontextprotocol/logLevel")));
    else if (turn->session != NULL)
        turn->peer.level = turn->session->level;
    turn->call->client = &turn->peer.client;
}
