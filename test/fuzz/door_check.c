#include "base/limits.h"
#include "door.h"

#include <string.h>

const struct json *must_be_json(struct str text, struct arena *arena) {
    struct json_limits limits = {.bytes = 64 * MIB, .allows_nul = true};
    const struct json *value = NULL;
    struct report report = {0};
    result r = json_read(text, &limits, arena, &value, &report);
    if (r.why != FAIL_NONE) fprintf(stderr, "%s\n%.*s\n", report.sentence, STR_ARG(text));
    MUST(r.why == FAIL_NONE);
    return value;
}

static bool has(struct str text, struct str part) {
    return str_find(text, part) < text.len;
}

/* -- whose it is ------------------------------------------------------------------------------ */

void check_private(const struct sequence *s, struct str text, struct str said, const char *user) {
    for (size_t kind = 0; kind < GIVEN_KINDS; kind++)
        for (size_t i = 0; i < s->n_given[kind]; i++) {
            const struct given *given = &s->given[kind][i];
            bool is_ours = given->user == NULL || given->is_said || strcmp(given->user, user) == 0;
            if (is_ours || given->text.len < 16 || has(said, given->text)) continue;
            MUST(!has(text, given->text));
        }
    struct str mark = strcmp(user, "ann") == 0 ? STR("mark-of-bob") : STR("mark-of-ann");
    if (!has(s->input, STR("mark-of"))) MUST(!has(text, mark));
}

/* A task is told about to its holder. */
static void check_task(const struct sequence *s, const struct json *of, const char *user) {
    struct str id = json_get_text(of, STR("taskId"));
    size_t kind = (size_t)(strchr(GIVEN_LETTERS, 'T') - GIVEN_LETTERS);
    for (size_t i = 0; id.len > 0 && i < s->n_given[kind]; i++)
        if (str_eq(s->given[kind][i].text, id)) MUST(strcmp(s->given[kind][i].user, user) == 0);
}

static void take_given(struct sequence *s, const struct json *answer, const char *user) {
    const struct json *found = json_get(answer, STR("result"));
    check_task(s, found, user);
    sequence_give(s, 'T', json_get_text(found, STR("taskId")), user);
    sequence_give(s, 'R', json_get_text(found, STR("requestState")), user);
    sequence_give(s, 'N', json_get_text(found, STR("nextCursor")), NULL);
}

/* -- messages --------------------------------------------------------------------------------- */

static const struct {
    int code, statuses[5];
} fitting[] = {
    {RPC_PARSE_ERROR, {400}},           {RPC_INVALID_REQUEST, {400, 200, 404, 406, 403}},
    {RPC_METHOD_NOT_FOUND, {200, 404}}, /* legacy, modern */
    {RPC_INVALID_PARAMS, {200, 400}},   {RPC_INTERNAL_ERROR, {200, 503}},
    {RPC_HEADER_MISMATCH, {400}},       {RPC_MISSING_CAPABILITY, {400}},
    {RPC_UNSUPPORTED_VERSION, {400}},   {RPC_RESOURCE_NOT_FOUND, {200}},
    {RPC_SESSION_UNKNOWN, {404}},
};

static bool is_fitting(int64_t code, int status) {
    for (size_t i = 0; i < COUNT(fitting); i++)
        for (size_t k = 0; fitting[i].code == code && k < COUNT(fitting[i].statuses); k++)
            if (fitting[i].statuses[k] == status) return true;
    return false;
}

/* A response: one of result and error. `status` 0: it has none of its own. */
static void check_response(const struct json *answer, int status) {
    const struct json *error = json_get(answer, STR("error"));
    MUST(json_is_text(json_get(answer, STR("jsonrpc")), STR("2.0")));
    MUST((json_get(answer, STR("result")) == NULL) == (error != NULL));
    if (error == NULL) {
        MUST(status == 200 || status == 0);
        return;
    }
    const struct json *code = json_get(error, STR("code"));
    MUST(code != NULL && code->type == JSON_NUMBER && code->is_integer);
    MUST(json_get_text(error, STR("message")).len > 0);
    bool fits = status == 0 || is_fitting(code->integer, status);
    if (!fits) fprintf(stderr, "code %lld, status %d\n", (long long)code->integer, status);
    MUST(fits);
}

/* The answer to the guest's own request. */
static void check_answer(struct sequence *s, struct guest *guest, const struct json *answer,
                         int status) {
    const struct json *id = json_get(answer, STR("id"));
    const struct rpc_message *message = &guest->message;
    check_response(answer, status);
    guest->n_answers++;
    MUST(guest->n_answers == 1);
    if (guest->manner.by == BY_GET) return; /* to a request of an earlier connection */
    if (message->kind == RPC_NOTIFICATION) MUST(id == NULL && status >= 400);
    /* Beside a stream that is not named, the body is not read. */
    bool is_unread = id == NULL && guest->manner.by == BY_MESSAGES && status >= 400;
    if (message->id.len > 0 && message->kind == RPC_REQUEST && !is_unread)
        MUST(id != NULL && str_eq(json_raw(id), message->id));
    take_given(s, answer, guest->manner.user);
}

static struct pledge *pledge_of(struct sequence *s, struct str place, struct str id) {
    for (size_t i = 0; i < s->n_pledges; i++)
        if (str_eq(s->pledges[i].place, place) && str_eq(s->pledges[i].id, id))
            return &s->pledges[i];
    struct pledge *made = ARENA_PUSH(&s->arena, s->pledges, s->n_pledges, s->cap_pledges);
    MUST(made != NULL);
    *made = (struct pledge){.place = str_dup(&s->arena, place), .id = str_dup(&s->arena, id)};
    return made;
}

static void pledge_one(struct sequence *s, struct str place, const struct json *value, int must) {
    struct rpc_message message;
    struct rpc_error wrong = {0};
    rpc_read(value, &message, &wrong);
    if (wrong.code == 0 && message.kind != RPC_REQUEST) return;
    struct pledge *p = pledge_of(s, place, message.id);
    p->n_asked++;
    p->n_must += (unsigned)must;
}

void pledge(struct sequence *s, struct str place, struct str body, bool is_refused) {
    const struct json *value = NULL;
    struct report unused = {0};
    struct rpc_message message;
    struct rpc_error wrong = {0};
    bool is_json = json_read(body, NULL, &s->arena, &value, &unused).why == FAIL_NONE;
    if (is_refused) { /* those that were pledged as one */
        if (!is_json || value->type == JSON_ARRAY) return;
        rpc_read(value, &message, &wrong);
        if (wrong.code == 0 && message.kind == RPC_REQUEST)
            pledge_of(s, place, message.id)->n_must--;
        return;
    }
    if (is_json) rpc_read(value, &message, &wrong);
    if (!is_json || wrong.code != 0) pledge_of(s, place, STR(""))->n_asked++; /* a batch, too */
    if (!is_json) return;
    if (value->type != JSON_ARRAY)
        pledge_one(s, place, value, wrong.code == 0 && message.kind == RPC_REQUEST);
    for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->n; i++)
        pledge_one(s, place, &value->items[i], 0);
}

void check_pledges(const struct sequence *s, struct str place) {
    for (size_t i = 0; i < s->n_pledges; i++) {
        const struct pledge *p = &s->pledges[i];
        bool is_kept = !str_eq(p->place, place) || p->n_answered >= p->n_must;
        if (!is_kept) fprintf(stderr, STR_FMT " %u\n", STR_ARG(p->id), p->n_must - p->n_answered);
        MUST(is_kept);
    }
}

/* A notification or request of the server's, or a response to one of many. */
void check_told(struct sequence *s, const struct json *told, struct str place, const char *user) {
    const struct json *id = json_get(told, STR("id"));
    MUST(json_is_text(json_get(told, STR("jsonrpc")), STR("2.0")));
    if (json_get(told, STR("method")) != NULL) {
        MUST(json_get(told, STR("result")) == NULL && json_get(told, STR("error")) == NULL);
        check_task(s, json_get(told, STR("params")), user);
        if (id != NULL) sequence_give(s, 'Q', json_raw(id), user);
        return;
    }
    struct pledge *p = pledge_of(s, place, id == NULL ? STR("") : json_raw(id));
    check_response(told, 0);
    p->n_answered++;
    MUST(p->n_answered <= p->n_asked);
    take_given(s, told, user);
}

/* -- event streams ---------------------------------------------------------------------------- */

/* STREAM.SEQUENCE: within a connection one stream, and its numbers grow. */
static void check_id(struct sequence *s, struct guest *guest, struct str id) {
    struct str rest = id, stream = str_cut(&rest, '.');
    uint64_t sequence = 0;
    MUST(str_to_u64(rest, &sequence));
    if (guest->stream.ptr == NULL) guest->stream = str_dup(&s->arena, stream);
    MUST(str_eq(guest->stream, stream));
    /* A log that nobody wrote to for so long has gone, and another one begins. */
    bool is_kept = s->passed_ms < JOURNAL_TTL_MS;
    if (is_kept) MUST(!guest->has_sequence || sequence > guest->sequence);
    guest->sequence = sequence;
    guest->has_sequence = true;
    sequence_give(s, 'E', id, guest->manner.user);
}

/* One stream has one answer, however often it is told. */
static void check_same(struct sequence *s, struct str id, struct str json) {
    struct str rest = id, stream = str_cut(&rest, '.');
    for (size_t i = 0; i < s->n_answers; i++) {
        const struct kept_answer *kept = &s->answers[i];
        if (!str_starts(kept->event, stream) || s->passed_ms >= JOURNAL_TTL_MS) continue;
        MUST(str_eq(kept->event, id) && str_eq(kept->json, json));
        return;
    }
    struct kept_answer *kept = ARENA_PUSH(&s->arena, s->answers, s->n_answers, s->cap_answers);
    MUST(kept != NULL);
    *kept = (struct kept_answer){str_dup(&s->arena, id), str_dup(&s->arena, json)};
}

static bool is_own_answer(const struct guest *guest, const struct json *told) {
    return guest->manner.by != BY_SSE && json_get(told, STR("method")) == NULL &&
           told->type == JSON_OBJECT;
}

static void check_batch(const struct guest *guest, const struct json *answer, int status);

static void take_message(struct sequence *s, struct guest *guest, const struct peer_event *event) {
    const struct json *told = must_be_json(event->data, &s->arena);
    MUST(guest->n_answers == 0); /* the answer is the last */
    check_private(s, event->data, guest->body, guest->manner.user);
    if (told->type == JSON_ARRAY && guest->manner.by == BY_SSE) {
        for (uint32_t i = 0; i < told->n; i++)
            check_told(s, &told->items[i], guest->session, guest->manner.user);
    } else if (told->type == JSON_ARRAY) {
        MUST(guest->is_batch);
        check_batch(guest, told, 200);
        guest->n_answers++;
    } else if (guest->is_shorthand && guest->manner.by == BY_POST) {
        MUST(json_get(told, STR("ok")) != NULL);
        guest->n_answers++;
    } else if (is_own_answer(guest, told)) {
        check_answer(s, guest, told, guest->manner.by == BY_GET ? 0 : 200);
        if (event->id.len > 0) check_same(s, event->id, event->data);
    } else {
        check_told(s, told, guest->session, guest->manner.user);
        guest->has_question = guest->has_question || json_get(told, STR("id")) != NULL;
    }
}

/* HTTP+SSE: the first event says where its client posts. */
static void take_endpoint(struct sequence *s, struct guest *guest, struct str where) {
    struct str rest = where;
    MUST(guest->manner.by == BY_SSE && guest->n_events == 1);
    MUST(str_eq(str_cut(&rest, '='), STR("/messages?sessionId")));
    guest->session = str_dup(&s->arena, rest);
    sequence_give(s, 'S', rest, guest->manner.user);
}

static void take_event(struct sequence *s, struct guest *guest, const struct peer_event *event) {
    if (event->is_comment) return;
    guest->n_events++;
    if (event->id.len > 0) check_id(s, guest, event->id);
    if (str_eq(event->event, STR("endpoint")))
        take_endpoint(s, guest, event->data);
    else if (event->data.len > 0)
        take_message(s, guest, event);
    else
        MUST(event->id.len > 0 && guest->n_events == 1); /* it primes a stream */
}

/* -- the end of an exchange ------------------------------------------------------------------- */

static void check_batch(const struct guest *guest, const struct json *answer, int status) {
    if (answer->type != JSON_ARRAY) {
        check_response(answer, status);
        MUST(json_get(answer, STR("error")) != NULL && status >= 400);
        return;
    }
    MUST(status == 200 && answer->n > 0 && guest->is_batch);
    for (uint32_t i = 0; i < answer->n; i++) check_response(&answer->items[i], 0);
}

/* What is refused before the protocol begins: {"error":{"code","message"}}. */
static bool is_plain_refusal(const struct json *answer) {
    const struct json *error = json_get(answer, STR("error"));
    return json_get(answer, STR("jsonrpc")) == NULL && answer->type == JSON_OBJECT &&
           json_get_text(error, STR("code")).len > 0 &&
           json_get_text(error, STR("message")).len > 0;
}

static void check_json(struct sequence *s, struct guest *guest, struct str text) {
    const struct json *answer = must_be_json(text, &s->arena);
    int status = guest->peer.status;
    check_private(s, text, guest->body, guest->manner.user);
    if (status >= 400 && is_plain_refusal(answer)) return;
    if (guest->manner.by == BY_PAGE)
        MUST(answer->type == JSON_OBJECT);
    else if (guest->is_shorthand && guest->manner.by == BY_POST)
        MUST(json_get(answer, STR("ok")) != NULL);
    else if (guest->is_batch)
        check_batch(guest, answer, status);
    else
        check_answer(s, guest, answer, status);
}

/* Nobody gets into another's session, and without a name or a right nobody gets anything. */
static void check_rights(const struct guest *guest) {
    const struct manner *manner = &guest->manner;
    const struct rpc_message *message = &guest->message;
    int status = guest->peer.status;
    bool is_served = status < 400 && manner->by != BY_PAGE;
    bool is_legacy = era_claim(message) == NULL && !guest->is_shorthand;
    bool is_nobody = str_eq(str_of(manner->role), STR("none")) ||
                     str_eq(str_of(manner->role), STR("wrong")) ||
                     (guest->configuration == 1 && strcmp(manner->user, "bob") == 0);
    if (is_nobody) MUST(!is_served);
    if (guest->session_user != NULL && is_legacy && manner->by != BY_SSE)
        MUST(!is_served || strcmp(guest->session_user, manner->user) == 0);
    bool lacks_scope = str_eq(str_of(manner->role), STR("scoped")) &&
                       message->kind == RPC_REQUEST && str_eq(message->method, STR("tools/call")) &&
                       str_eq(json_get_text(message->params, STR("name")), STR("run_select_sql"));
    if (lacks_scope && is_served) /* refused by the protocol, before it was looked at */
        MUST(status == 200 && guest->n_answers == 1 && !guest->peer.is_stream);
    bool is_challenged = peer_header(&guest->peer, STR("WWW-Authenticate")).ptr != NULL;
    if (status == 401) MUST(is_challenged);
    if (is_challenged) MUST(status == 401 || status == 403);
}

static bool is_expected(const struct guest *guest) {
    static const int statuses[] = {200, 202, 204, 400, 401, 403, 404, 405, 406, 415, 503};
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i] == guest->peer.status) return true;
    fprintf(stderr, "status %d\n", guest->peer.status);
    return false;
}

/* Where is a request left without an answer on its connection? When it was cancelled, when its
 * connection was let go for another, and when its lease was lost. */
static void check_silence(const struct sequence *s, const struct guest *guest) {
    bool was_asked = guest->message.kind == RPC_REQUEST || guest->is_wrong;
    bool may_be = s->has_cancels || s->has_moved || guest->has_sequence;
    if (guest->peer.status == 202)
        MUST(!was_asked || s->has_cancels || guest->manner.by == BY_MESSAGES);
    if (guest->peer.status == 200 && guest->manner.by == BY_POST) MUST(may_be);
}

bool guest_read(struct sequence *s, struct guest *guest) {
    struct peer_event event;
    bool any = peer_read(&guest->peer);
    while (guest->peer.is_stream && peer_event(&guest->peer, &event)) take_event(s, guest, &event);
    if (guest->peer.status != 0 && guest->n_events == 0 && guest->session.ptr == NULL) {
        struct str id = peer_header(&guest->peer, STR("Mcp-Session-Id"));
        guest->session = str_dup(&s->arena, id);
        sequence_give(s, 'S', id, guest->manner.user);
    }
    return any;
}

void guest_check_end(struct sequence *s, struct guest *guest) {
    struct peer *peer = &guest->peer;
    struct str body = {peer->body.ptr, peer->body.len};
    MUST(is_expected(guest));
    bool is_json = str_eq(peer_header(peer, STR("Content-Type")), STR("application/json"));
    if (!peer->is_stream && is_json && body.len > 0)
        check_json(s, guest, body);
    else if (!peer->is_stream)
        MUST(peer->status == 204 || peer->status == 202);
    if (peer->is_stream) MUST(peer->told == peer->body.len);
    check_rights(guest);
    if (guest->n_answers == 0 && (peer->is_stream || body.len == 0)) check_silence(s, guest);
    if (guest->manner.by == BY_MESSAGES && peer->status >= 400)
        pledge(s, guest->session, guest->body, true);
}
