/* Any sequence of messages at one door, over one store: sessions, subscriptions, batches, calls
 * that ask or become tasks, their answers and cancellations follow each other. Each turn finishes
 * exactly once; what is answered is JSON-RPC with the request's id and the status that belongs to
 * it; what is told beside it is JSON-RPC, too; and when all have left, nothing is left.
 *
 * The input: lines that begin with '#' part the messages, and say by letters how the next one comes
 * (struct manner). In a message @S0 to @S9 are the ids of the sessions that the door has opened,
 * @T0… of its tasks, @R0… its request states, @N0… its cursors, @Q0… the ids of its own questions.
 */
#include "../unit/mcp/world.h"
#include "base/limits.h"
#include "fuzz.h"
#include "identity/secret.h"

enum { MESSAGES_MOST = 32, INPUT_MOST = 1 << 15, BODY_MOST = 1 << 16, GIVEN_MOST = 10 };
enum { PATIENCE_MS = 15, END_MS = 20000, HOUSE_INPUTS = 2000 };

/* OpenSSL keeps something for each thread and gives it back while the thread ends: a look for leaks
 * that falls into this moment is no finding. Those of our own use of OpenSSL the unit tests see. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libcrypto.so";
}

static struct rig rig;
static struct snapshot *house;
static struct secret *secret;

/* -- what the door gave ----------------------------------------------------------------------- */

static const char given_letters[] = "STRNQ";

struct sequence {
    struct mcp *mcp;
    struct snapshot_holder *snapshots;
    struct store *store;
    struct arena arena;
    struct str given[sizeof given_letters - 1][GIVEN_MOST];
    size_t n_given[sizeof given_letters - 1];
    struct guest *guests[MESSAGES_MOST];
    size_t n_guests;
    struct link streams;
    /* For what follows, and all that a guest learns. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void give(struct sequence *s, char letter, struct str text) {
    size_t kind = (size_t)(strchr(given_letters, letter) - given_letters);
    if (text.len == 0 || s->n_given[kind] == GIVEN_MOST) return;
    for (size_t i = 0; i < s->n_given[kind]; i++)
        if (str_eq(s->given[kind][i], text)) return;
    s->given[kind][s->n_given[kind]++] = str_dup(&s->arena, text);
}

static struct str given(const struct sequence *s, char letter, char digit) {
    const char *at = letter == '\0' ? NULL : strchr(given_letters, letter);
    if (at == NULL || digit < '0' || digit > '9') return STR_NONE;
    size_t kind = (size_t)(at - given_letters), i = (size_t)(digit - '0');
    if (i < s->n_given[kind]) return s->given[kind][i];
    return letter == 'Q' ? STR("1") : STR("0123456789abcdef0123456789abcdef");
}

/* With what was given in the places that name it. */
static struct str filled(struct sequence *s, struct str body) {
    struct buf out;
    buf_init(&out, BODY_MOST);
    for (size_t i = 0; i < body.len; i++) {
        bool names = body.ptr[i] == '@' && body.len - i > 2;
        struct str text = names ? given(s, body.ptr[i + 1], body.ptr[i + 2]) : STR_NONE;
        if (text.ptr == NULL)
            buf_add_byte(&out, body.ptr[i]);
        else
            buf_add(&out, text), i += 2;
    }
    struct str text = buf_failed(&out, NULL).why == FAIL_NONE ? buf_copy(&out, &s->arena) : STR("");
    buf_deinit(&out);
    return text;
}

/* -- streams ---------------------------------------------------------------------------------- */

struct stream {
    struct subscriber subscriber; /* first: a struct subscriber * to it is one to us */
    struct link link;             /* in sequence.streams */
    bool is_awake;                /* under the hub's lock */
};

static const struct json *must_be_json(struct str text, struct arena *arena) {
    struct json_limits limits = {.bytes = 64 * MIB, .allows_nul = true};
    const struct json *value = NULL;
    struct report report = {0};
    result r = json_read(text, &limits, arena, &value, &report);
    if (r.why != FAIL_NONE) fprintf(stderr, "%s\n%.*s\n", report.sentence, STR_ARG(text));
    MUST(r.why == FAIL_NONE);
    return value;
}

/* A notification, a request or, as the last of a stream, a result. */
static void check_told(struct str text) {
    struct arena arena;
    arena_init(&arena, 256 * MIB);
    const struct json *value = must_be_json(text, &arena);
    MUST(json_is_text(json_get(value, STR("jsonrpc")), STR("2.0")));
    MUST(json_get(value, STR("method")) != NULL || json_get(value, STR("result")) != NULL);
    arena_deinit(&arena);
}

static void wake(struct subscriber *subscriber) {
    ((struct stream *)(void *)subscriber)->is_awake = true;
}

static void tell(struct subscriber *subscriber, struct str json) {
    (void)subscriber;
    check_told(json);
}

static const struct carrier carrier = {wake, tell};

static void tell_streams(struct sequence *s) {
    for (struct link *at = s->streams.next; at != &s->streams; at = at->next) {
        struct stream *stream = holder_of(at, struct stream, link);
        pthread_mutex_lock(&s->mcp->hub.lock);
        bool is_awake = stream->is_awake;
        stream->is_awake = false;
        pthread_mutex_unlock(&s->mcp->hub.lock);
        if (is_awake) subscriber_tell(&s->mcp->hub, &stream->subscriber);
    }
}

static void end_stream(struct sequence *s, struct stream *stream) {
    subscriber_farewell(&stream->subscriber);
    hub_leave(&s->mcp->hub, &stream->subscriber);
    list_leave(&stream->link);
    free(stream);
}

/* -- guests: a message and its turn ----------------------------------------------------------- */

struct manner {
    char session;    /* 0-9: in that one; x: in one that is none */
    const char *who; /* A-F: a role of world.h */
    bool has_headers, is_json_only, is_left, is_another; /* h j b o */
    const char *version;                                 /* v w: its header */
};

struct guest {
    struct sequence *s;
    struct turn *turn;
    struct str body, role;
    struct manner manner;
    /* As we read it: what is answered must fit it. */
    struct rpc_message message;
    struct rpc_error wrong;
    /* Under the sequence's lock. */
    unsigned n_finished, n_early;
    bool is_held;
    void (*later)(struct turn *turn);
};

static void finish(struct turn *turn) {
    struct guest *guest = turn->owner;
    pthread_mutex_lock(&guest->s->lock);
    guest->n_finished++;
    MUST(guest->n_finished == 1);
    pthread_cond_broadcast(&guest->s->changed);
    pthread_mutex_unlock(&guest->s->lock);
}

static void take_given(struct guest *guest, const struct json *answer) {
    struct sequence *s = guest->s;
    const struct json *found = json_get(answer, STR("result"));
    give(s, 'T', json_get_text(found, STR("taskId")));
    give(s, 'R', json_get_text(found, STR("requestState")));
    give(s, 'N', json_get_text(found, STR("nextCursor")));
}

static void send(struct turn *turn, struct str id, struct str json) {
    struct guest *guest = turn->owner;
    struct arena arena;
    (void)id;
    if (json.len == 0) return; /* it tells its id alone */
    check_told(json);
    arena_init(&arena, 256 * MIB);
    const struct json *asked = json_get(must_be_json(json, &arena), STR("id"));
    pthread_mutex_lock(&guest->s->lock);
    MUST(guest->n_finished == 0);
    if (asked != NULL) give(guest->s, 'Q', json_raw(asked));
    pthread_mutex_unlock(&guest->s->lock);
    arena_deinit(&arena);
}

static void let_go(struct turn *turn) {
    (void)turn;
}

static void check_answer(struct guest *guest, const struct json *answer, int status);

static void answer_early(struct turn *turn, struct str json) {
    struct guest *guest = turn->owner;
    struct arena arena;
    arena_init(&arena, 256 * MIB);
    const struct json *answer = must_be_json(json, &arena);
    pthread_mutex_lock(&guest->s->lock);
    guest->n_early++;
    MUST(guest->n_early == 1);
    check_answer(guest, answer, 200);
    take_given(guest, answer);
    pthread_mutex_unlock(&guest->s->lock);
    arena_deinit(&arena);
}

static void after(struct turn *turn, int64_t ms, void (*step)(struct turn *turn)) {
    struct guest *guest = turn->owner;
    (void)ms;
    guest->later = step;
}

static bool hold(struct turn *turn, const struct subscription *what) {
    struct guest *guest = turn->owner;
    struct stream *stream = calloc(1, sizeof *stream);
    MUST(stream != NULL);
    if (!hub_join(&guest->s->mcp->hub, &stream->subscriber, what, &carrier)) {
        free(stream);
        return false;
    }
    list_add_last(&guest->s->streams, &stream->link);
    if (what->id.len > 0) subscriber_acknowledge(&stream->subscriber);
    guest->is_held = true;
    return true;
}

/* Over HTTP a subscriber ends with its connection. */
static bool unhold(struct turn *turn, struct str request_id) {
    (void)turn, (void)request_id;
    return false;
}

static const struct turn_way way = {send, let_go, answer_early, after, hold, unhold};

/* -- what an answer must be ------------------------------------------------------------------- */

static const struct {
    int code, statuses[4];
} fitting[] = {
    {RPC_PARSE_ERROR, {400}},           {RPC_INVALID_REQUEST, {400, 200}},
    {RPC_METHOD_NOT_FOUND, {200, 404}}, /* legacy, modern */
    {RPC_INVALID_PARAMS, {200, 400}},   {RPC_INTERNAL_ERROR, {200, 500, 503}},
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

/* One of result and error. */
static const struct json *check_either(const struct json *answer) {
    const struct json *error = json_get(answer, STR("error"));
    MUST(json_is_text(json_get(answer, STR("jsonrpc")), STR("2.0")));
    MUST((json_get(answer, STR("result")) == NULL) == (error != NULL));
    return error;
}

static void check_answer(struct guest *guest, const struct json *answer, int status) {
    const struct json *id = json_get(answer, STR("id")), *error = check_either(answer);
    bool has_id = guest->message.id.len > 0;
    if (has_id && guest->message.kind == RPC_REQUEST)
        MUST(id != NULL && str_eq(json_raw(id), guest->message.id));
    if (guest->message.kind == RPC_NOTIFICATION) MUST(id == NULL && error != NULL && status >= 400);
    if (error == NULL) {
        MUST(status == 200 && guest->message.kind == RPC_REQUEST);
        return;
    }
    const struct json *code = json_get(error, STR("code"));
    MUST(code != NULL && code->type == JSON_NUMBER && code->is_integer);
    bool fits = is_fitting(code->integer, status);
    if (!fits) fprintf(stderr, "code %lld, status %d\n", (long long)code->integer, status);
    MUST(fits);
    MUST(json_get_text(error, STR("message")).len > 0);
}

static void check_batch(const struct json *answer, int status) {
    if (answer->type != JSON_ARRAY) {
        MUST(check_either(answer) != NULL && status >= 400);
        return;
    }
    MUST(status == 200 && answer->n > 0);
    for (uint32_t i = 0; i < answer->n; i++) (void)check_either(&answer->items[i]);
}

/* Nothing comes where nothing is asked for, where it was called off, or left already. */
static void check_silence(const struct guest *guest) {
    const struct turn *turn = guest->turn;
    bool was_asked = guest->message.kind == RPC_REQUEST || guest->wrong.code != 0;
    if (turn->form == TURN_RPC && was_asked)
        MUST(guest->is_held || guest->n_early > 0 || turn->running.is_silenced);
    else
        MUST(turn->status == 202 || turn->running.is_silenced);
}

static void check(struct guest *guest) {
    struct turn *turn = guest->turn;
    struct arena arena;
    MUST(buf_failed(&turn->out, NULL).why == FAIL_NONE);
    if (turn->out.len == 0) {
        check_silence(guest);
        return;
    }
    MUST(!guest->is_held);
    if (guest->n_early > 0) return; /* it has become the task's */
    arena_init(&arena, 256 * MIB);
    const struct json *answer = must_be_json(buf_flat(&turn->out, &turn->call->arena), &arena);
    switch (turn->form) {
    case TURN_SHORTHAND: MUST(json_get(answer, STR("ok")) != NULL); break;
    case TURN_BATCH: check_batch(answer, turn->status); break;
    case TURN_RPC:
        check_answer(guest, answer, turn->status);
        pthread_mutex_lock(&guest->s->lock);
        take_given(guest, answer);
        pthread_mutex_unlock(&guest->s->lock);
        break;
    }
    arena_deinit(&arena);
}

/* -- taking ----------------------------------------------------------------------------------- */

/* What a client that does it right sends beside its message. */
static struct era_headers headers_of(const struct guest *guest) {
    const struct rpc_message *message = &guest->message;
    struct era_headers headers = {.version = str_of(guest->manner.version)};
    if (!guest->manner.has_headers) return headers;
    const struct json *claim = era_claim(message);
    if (claim != NULL && claim->type == JSON_STRING) headers.version = claim->text;
    headers.method = message->method;
    headers.name = json_get_text(message->params, STR("name"));
    if (headers.name.ptr == NULL) headers.name = json_get_text(message->params, STR("uri"));
    if (headers.name.ptr == NULL) headers.name = json_get_text(message->params, STR("taskId"));
    return headers;
}

static void read_message(struct guest *guest) {
    const struct json *value = NULL;
    struct report report = {0};
    guest->wrong.code = RPC_PARSE_ERROR;
    if (json_read(guest->body, NULL, &guest->s->arena, &value, &report).why != FAIL_NONE) return;
    guest->wrong.code = 0;
    rpc_read(value, &guest->message, &guest->wrong);
    if (guest->wrong.code != 0) guest->message.kind = RPC_INVALID;
}

static void take(struct guest *guest) {
    struct sequence *s = guest->s;
    const struct manner *manner = &guest->manner;
    struct turn *turn = guest->turn = turn_new(s->mcp, finish, guest);
    MUST(turn != NULL);
    guest->role = str_of(manner->who);
    turn->way = manner->is_json_only ? NULL : &way;
    turn->call->principal =
        (struct principal){.user_id = manner->is_another ? STR("bob") : STR("ann"),
                           .auth_method = STR("test"),
                           .token_id = STR("t1"),
                           .roles = &guest->role,
                           .n_roles = 1};
    if (manner->session != '\0')
        turn->call->origin.session_id =
            given(s, 'S', manner->session == 'x' ? '9' : manner->session);
    struct era_headers headers = headers_of(guest);
    bool is_piped = !manner->has_headers && manner->version == NULL;
    turn_take(turn, guest->body, is_piped ? NULL : &headers);
}

static bool wait_for(struct guest *guest, int ms) {
    struct sequence *s = guest->s;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&s->lock);
    for (int r = 0; guest->n_finished == 0 && r == 0;)
        r = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    bool is_finished = guest->n_finished > 0;
    pthread_mutex_unlock(&s->lock);
    return is_finished;
}

static void leave(struct guest *guest) {
    const struct session *session = guest->turn->session;
    check(guest);
    if (session != NULL) give(guest->s, 'S', session->id);
    turn_free(guest->turn);
    guest->turn = NULL;
}

static void read_manner(struct sequence *s, struct str letters, struct manner *out) {
    *out = (struct manner){.who = "keeper"};
    for (size_t i = 0; i < letters.len; i++) {
        char c = letters.ptr[i];
        if ((c >= '0' && c <= '9') || c == 'x') out->session = c;
        if (c >= 'A' && c <= 'F') out->who = world_roles[c - 'A'];
        if (c == 'h') out->has_headers = true;
        if (c == 'j') out->is_json_only = true;
        if (c == 'b') out->is_left = true;
        if (c == 'o') out->is_another = true;
        if (c == 'v') out->version = MCP_LEGACY_LATEST;
        if (c == 'w') out->version = MCP_LEGACY_ASSUMED;
        if (c == 'm') clock_move(&rig.clock, 60000);
        if (c == 'k') mcp_changed(s->mcp, CHANGED_ALL);
    }
}

/* A call that takes its time is left standing, and may become a task. */
static void come(struct sequence *s, struct str letters, struct str body) {
    pthread_mutex_lock(&s->lock); /* who was left standing may be told something right now */
    struct guest *guest = arena_new(&s->arena, struct guest);
    pthread_mutex_unlock(&s->lock);
    MUST(guest != NULL);
    s->guests[s->n_guests++] = guest;
    guest->s = s;
    read_manner(s, letters, &guest->manner);
    pthread_mutex_lock(&s->lock);
    guest->body = filled(s, body);
    read_message(guest);
    pthread_mutex_unlock(&s->lock);
    take(guest);
    bool is_back = wait_for(guest, guest->manner.is_left ? 0 : PATIENCE_MS);
    if (!is_back && guest->later != NULL) guest->later(guest->turn);
    if (is_back) leave(guest);
    tell_streams(s);
}

/* -- the whole -------------------------------------------------------------------------------- */

static void close_house(void) {
    if (house == NULL) return;
    rig_end(&rig);
    snapshot_unref(house);
    secret_close(secret);
    house = NULL;
    rig_deinit(&rig);
}

static void open_house(void) {
    struct report report = {0};
    rig_init(&rig);
    house = world_snapshot(&rig);
    MUST(secret_open(STR("0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"), NULL, &rig.clock, &secret,
                     &report)
             .why == FAIL_NONE);
}

static void open_sequence(struct sequence *s) {
    struct store_settings memory = {.kind = STORE_MEMORY, .max_bytes = 64 * MIB, .wait_ms = 5000};
    struct report report = {0};
    arena_init(&s->arena, 512 * MIB);
    list_init(&s->streams);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->snapshots = snapshot_holder_new(snapshot_ref(house));
    MUST(s->snapshots != NULL);
    MUST(store_open(&memory, STR_NONE, &rig.clock, &s->store, &report).why == FAIL_NONE);
    struct mcp_setup setup = {.road = rig.road,
                              .snapshots = s->snapshots,
                              .audit = rig.audit,
                              .store = s->store,
                              .secret = secret,
                              .clock = &rig.clock};
    MUST(mcp_new(&setup, &s->mcp, &report).why == FAIL_NONE);
}

/* Everybody goes: what still runs is cancelled, streams end, and then nothing is there. */
static void close_sequence(struct sequence *s) {
    for (size_t i = 0; i < s->n_guests; i++)
        if (s->guests[i]->turn != NULL) call_cancel(s->guests[i]->turn->call);
    for (size_t i = 0; i < s->n_guests; i++) {
        if (s->guests[i]->turn == NULL) continue;
        MUST(wait_for(s->guests[i], END_MS));
        leave(s->guests[i]);
    }
    tell_streams(s);
    while (!list_empty(&s->streams)) end_stream(s, holder_of(s->streams.next, struct stream, link));
    mcp_settle(s->mcp);
    MUST(hub_count(&s->mcp->hub) == 0);
    MUST(list_empty(&s->mcp->running.all));
    MUST(list_empty(&s->mcp->journals.held));
    mcp_free(s->mcp);
    store_close(s->store);
    snapshot_holder_free(s->snapshots);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    arena_deinit(&s->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static size_t n_inputs;
    struct str rest = {(const char *)data, size};
    struct sequence s = {0};
    if (size > INPUT_MOST) return 0;
    if (n_inputs++ % HOUSE_INPUTS == 0) {
        close_house(); /* its log grows */
        open_house();
    }
    if (n_inputs == 1) atexit(close_house); /* after OpenSSL's own, and so before it */
    open_sequence(&s);
    while (rest.len > 0 && s.n_guests < MESSAGES_MOST) {
        struct str letters = STR("");
        if (rest.ptr[0] == '#') letters = str_cut(&rest, '\n');
        size_t end = str_find(rest, STR("\n#"));
        come(&s, letters, str_slice(rest, 0, end));
        rest = str_slice(rest, end < rest.len ? end + 1 : rest.len, rest.len);
    }
    close_sequence(&s);
    return 0;
}
