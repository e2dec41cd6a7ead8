#include "mcp/stdio_door.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "mcp/batch.h"
#include "mcp/turn.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum pin { PIN_NONE = 0, PIN_LEGACY, PIN_MODERN };

/* The main thread reads and takes turns; a writer thread writes what is finished, so that neither a
 * full pipe nor a slow query stops the other. */
struct stdio_door {
    struct mcp *mcp;
    struct str token;
    int in, out;
    enum pin pin;
    struct session session; /* of initialize: version and the client's capabilities */
    struct arena arena;     /* of these */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_mutex_t telling; /* held while a stream is told, taken before `lock` */
    struct link lines;       /* to be written */
    struct link awake;       /* streams with something to tell */
    struct link streams;     /* all of them; the reader\'s */
    size_t n_open;           /* taken and not yet written */
    bool is_ending;
    bool is_output_lost;
};

/* Something to be written: the answer of a turn, or a message before it. */
struct line {
    struct link link; /* in door->lines */
    struct stdio_door *door;
    struct turn *turn; /* ends with it; NULL: a message of its own */
    struct str json;   /* malloc'd, of that */
};

/* A listen request, or the session itself: told of changes by the writer. */
struct stream {
    struct subscriber subscriber; /* first: a struct subscriber * to it is one to us */
    struct stdio_door *door;
    struct link by_door; /* in door->streams */
    struct link awake;   /* in door->awake, under the door's lock */
};

static void write_later(struct stdio_door *door, struct line *line) {
    pthread_mutex_lock(&door->lock);
    list_add_last(&door->lines, &line->link);
    pthread_cond_broadcast(&door->changed);
    pthread_mutex_unlock(&door->lock);
}

static void finish(struct turn *turn) {
    struct line *line = turn->owner;
    write_later(line->door, line);
}

static struct line *new_line(struct str json) {
    struct line *line = fault_now() ? NULL : calloc(1, sizeof *line + json.len);
    if (line == NULL) return NULL;
    memcpy(line + 1, json.ptr, json.len);
    line->json = (struct str){(const char *)(line + 1), json.len};
    return line;
}

/* What finds no memory is not told: the answer still comes. */
static void send(struct turn *turn, struct str id, struct str json) {
    struct line *answer = turn->owner;
    struct line *line = new_line(json);
    (void)id;
    if (line != NULL) write_later(answer->door, line);
}

/* The turn's own line will come without a text. */
static void answer_early(struct turn *turn, struct str json) {
    send(turn, STR_NONE, json);
    turn->running.is_silenced = true;
}

/* -- streams ---------------------------------------------------------------------------------- */

static void wake(struct subscriber *subscriber) {
    struct stream *stream = (struct stream *)(void *)subscriber;
    struct stdio_door *door = stream->door;
    pthread_mutex_lock(&door->lock);
    if (!link_joined(&stream->awake)) list_add_last(&door->awake, &stream->awake);
    pthread_cond_broadcast(&door->changed);
    pthread_mutex_unlock(&door->lock);
}

static void tell(struct subscriber *subscriber, struct str json) {
    struct stdio_door *door = ((struct stream *)(void *)subscriber)->door;
    struct line *line = new_line(json);
    if (line != NULL) write_later(door, line);
}

static const struct carrier carrier = {wake, tell};

static bool hold(struct turn *turn, const struct subscription *what) {
    struct stdio_door *door = ((struct line *)turn->owner)->door;
    struct stream *stream = fault_now() ? NULL : calloc(1, sizeof *stream);
    if (stream == NULL) return false;
    stream->door = door;
    if (!hub_join(&door->mcp->hub, &stream->subscriber, what, &carrier)) {
        free(stream);
        return false;
    }
    list_add_last(&door->streams, &stream->by_door);
    if (what->id.len > 0) subscriber_acknowledge(&stream->subscriber);
    return true;
}

/* The writer may be telling it right now, from what hub_leave() frees: it tells under
 * door->telling. */
static void end_stream(struct stdio_door *door, struct stream *stream) {
    pthread_mutex_lock(&door->telling);
    hub_leave(&door->mcp->hub, &stream->subscriber);
    pthread_mutex_lock(&door->lock);
    list_leave(&stream->awake);
    pthread_mutex_unlock(&door->lock);
    pthread_mutex_unlock(&door->telling);
    list_leave(&stream->by_door);
    free(stream);
}

static bool unhold(struct turn *turn, struct str request_id) {
    struct stdio_door *door = ((struct line *)turn->owner)->door;
    for (struct link *at = door->streams.next; at != &door->streams; at = at->next) {
        struct stream *stream = holder_of(at, struct stream, by_door);
        if (!str_eq(stream->subscriber.id, request_id)) continue;
        end_stream(door, stream);
        return true;
    }
    return false;
}

/* No clock runs here: a call becomes a task at once or not at all. */
static const struct turn_way way = {
    .send = send, .answer_early = answer_early, .hold = hold, .unhold = unhold};

/* -- writing ---------------------------------------------------------------------------------- */

static bool write_all(int fd, struct buf *buf) {
    struct iovec iov[16];
    for (size_t done = 0; done < buf->len;) {
        size_t n = buf_iov(buf, done, iov, COUNT(iov));
        ssize_t wrote = writev(fd, iov, (int)n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        done += (size_t)wrote;
    }
    return true;
}

static bool write_answer(struct stdio_door *door, struct turn *turn) {
    if (turn->out.len == 0 || turn->running.is_silenced) return true;
    buf_add_byte(&turn->out, '\n');
    if (buf_failed(&turn->out, NULL).why == FAIL_NONE) return write_all(door->out, &turn->out);
    struct rpc_error error = {RPC_INTERNAL_ERROR, 200, STR("the answer could not be built"),
                              STR_NONE};
    turn_error(turn, &error);
    buf_add_byte(&turn->out, '\n');
    return write_all(door->out, &turn->out);
}

static bool write_message(struct stdio_door *door, struct line *line) {
    struct buf out;
    buf_init(&out, line->json.len + 1);
    buf_add(&out, line->json);
    buf_add_byte(&out, '\n');
    bool written = buf_failed(&out, NULL).why == FAIL_NONE && write_all(door->out, &out);
    buf_deinit(&out);
    return written;
}

/* The first that has something to tell, unless it has just ended. */
static void tell_awake(struct stdio_door *door) {
    struct stream *stream = NULL;
    pthread_mutex_lock(&door->telling);
    pthread_mutex_lock(&door->lock);
    if (!list_empty(&door->awake)) {
        stream = holder_of(door->awake.next, struct stream, awake);
        list_leave(&stream->awake);
    }
    pthread_mutex_unlock(&door->lock);
    if (stream != NULL) (void)subscriber_tell(&door->mcp->hub, &stream->subscriber);
    pthread_mutex_unlock(&door->telling);
}

static void *writer_main(void *arg) {
    struct stdio_door *door = arg;
    pthread_mutex_lock(&door->lock);
    while (!door->is_ending || door->n_open > 0) {
        if (!list_empty(&door->awake)) {
            pthread_mutex_unlock(&door->lock);
            tell_awake(door);
            pthread_mutex_lock(&door->lock);
            continue;
        }
        if (list_empty(&door->lines)) {
            pthread_cond_wait(&door->changed, &door->lock);
            continue;
        }
        struct line *line = holder_of(door->lines.next, struct line, link);
        list_leave(&line->link);
        pthread_mutex_unlock(&door->lock);
        bool is_answer = line->turn != NULL;
        bool written = is_answer ? write_answer(door, line->turn) : write_message(door, line);
        if (is_answer)
            turn_free(line->turn); /* the line is part of it */
        else
            free(line);
        pthread_mutex_lock(&door->lock);
        if (is_answer) door->n_open--;
        if (!written) door->is_output_lost = true;
    }
    pthread_mutex_unlock(&door->lock);
    return NULL;
}

/* -- taking ----------------------------------------------------------------------------------- */

static void refuse(struct turn *turn, int code, struct str message) {
    struct rpc_error error = {code, 200, message, STR_NONE};
    turn_error(turn, &error);
    finish(turn);
}

/* What initialize says holds from here on. The capabilities are copied: the message goes. What is
 * malformed is refused by the method. */
static void agree(struct stdio_door *door, struct turn *turn) {
    const struct json *params = turn->message.params;
    struct subscription all = {.wants = CHANGED_ALL, .session_id = door->session.id};
    const struct json *capabilities = json_get(params, STR("capabilities"));
    struct str asked = era_legacy_version(json_get_text(params, STR("protocolVersion")));
    struct report unused = {0};
    door->session.version = asked.ptr != NULL ? asked : STR(MCP_LEGACY_LATEST);
    if (capabilities == NULL || door->session.capabilities != NULL) return;
    if (!hold(turn, &all)) log_line(LOG_WARN, "stream_refused", STR_NONE, "changes are not told");
    struct str text = str_dup(&door->arena, json_raw(capabilities));
    if (text.ptr == NULL ||
        json_read(text, NULL, &door->arena, &door->session.capabilities, &unused).why != FAIL_NONE)
        log_line(LOG_WARN, "capabilities_lost", STR_NONE, "%s", unused.sentence);
}

/* Section 1.3 of the protocol map: a claim makes a message modern, whatever came before; the first
 * message without one, unless it only asks what we are, makes the process legacy. */
static void take(struct stdio_door *door, struct turn *turn) {
    struct era_answer answer;
    const struct json *claim = era_claim(&turn->message);
    bool is_initialize = str_eq(turn->message.method, STR("initialize"));
    era_classify(&turn->message, NULL, &turn->call->arena, &answer);
    if (turn->form == TURN_BATCH) {
        turn->session = &door->session;
        batch_take(turn, door->session.version);
        return;
    }
    if (answer.error.code != 0) {
        turn_error(turn, &answer.error);
        finish(turn);
        return;
    }
    if (claim == NULL && door->pin == PIN_MODERN && !is_initialize &&
        turn->message.kind == RPC_REQUEST) {
        refuse(turn, RPC_INVALID_PARAMS, STR("params._meta with the protocol version is missing"));
        return;
    }
    if (claim == NULL && (door->pin == PIN_NONE || is_initialize)) door->pin = PIN_LEGACY;
    if (claim != NULL && door->pin == PIN_NONE &&
        !str_eq(turn->message.method, STR("server/discover")))
        door->pin = PIN_MODERN;
    turn->session = &door->session;
    if (answer.era == ERA_LEGACY && is_initialize) agree(door, turn);
    turn_take_as(turn, answer.era,
                 answer.era == ERA_LEGACY ? door->session.version : answer.version);
}

static result identify(struct stdio_door *door, struct call *call, struct report *report) {
    struct origin origin = {
        .kind = ORIGIN_STDIO, .peer_is_loopback = true, .token = door->token, .may_wait = true};
    return identity_identify(call->snapshot->identity, door->mcp->identities, &origin, &call->arena,
                             &call->principal, report);
}

/* A turn whose end writer_main() will see. */
static result open_turn(struct stdio_door *door, struct turn **out, struct report *report) {
    struct turn *turn = turn_new(door->mcp, finish, NULL);
    struct line *line = turn == NULL ? NULL : arena_new(&turn->call->arena, struct line);
    if (line == NULL) {
        turn_free(turn);
        return fail_memory(report);
    }
    *line = (struct line){.door = door, .turn = turn};
    turn->owner = line;
    turn->way = &way;
    result r = identify(door, turn->call, report);
    if (r.why != FAIL_NONE) {
        turn_free(turn);
        return r;
    }
    pthread_mutex_lock(&door->lock);
    door->n_open++;
    pthread_mutex_unlock(&door->lock);
    *out = turn;
    return OK;
}

/* The line is copied: the turn outlives the reader's buffer. */
static result take_line(struct stdio_door *door, struct str line, struct report *report) {
    struct turn *turn;
    TRY(open_turn(door, &turn, report));
    struct str body = str_dup(&turn->call->arena, line);
    if (body.ptr == NULL)
        refuse(turn, RPC_INTERNAL_ERROR, STR("out of memory"));
    else if (!turn_read(turn, body))
        finish(turn);
    else if (turn->form == TURN_SHORTHAND)
        refuse(turn, RPC_INVALID_REQUEST, STR("'jsonrpc' must be \"2.0\""));
    else
        take(door, turn);
    return OK;
}

static result refuse_long_line(struct stdio_door *door, struct report *report) {
    struct turn *turn;
    TRY(open_turn(door, &turn, report));
    refuse(turn, RPC_INVALID_REQUEST,
           str_printf(&turn->call->arena, "a message is longer than %lld bytes",
                      (long long)STDIO_LINE_BYTES_MAX));
    return OK;
}

/* -- reading ---------------------------------------------------------------------------------- */

struct lines {
    char *bytes;
    size_t len, cap;
    bool is_skipping; /* the rest of a line that was too long */
};

static result lines_grow(struct lines *lines, struct report *report) {
    size_t cap = lines->cap == 0 ? 64 * (size_t)KIB : lines->cap * 2;
    char *bytes = realloc(lines->bytes, cap);
    if (bytes == NULL) return fail_memory(report);
    lines->bytes = bytes;
    lines->cap = cap;
    return OK;
}

/* Takes all whole lines of the buffer; what is left moves to its front. */
static result take_lines(struct stdio_door *door, struct lines *lines, bool at_end,
                         struct report *report) {
    size_t from = 0;
    while (from < lines->len) {
        char *end = memchr(lines->bytes + from, '\n', lines->len - from);
        if (end == NULL && !at_end) break;
        size_t to = end == NULL ? lines->len : (size_t)(end - lines->bytes);
        struct str line = str_trim((struct str){lines->bytes + from, to - from});
        from = end == NULL ? lines->len : to + 1;
        if (!lines->is_skipping && line.len > 0) TRY(take_line(door, line, report));
        lines->is_skipping = false;
    }
    memmove(lines->bytes, lines->bytes + from, lines->len - from);
    lines->len -= from;
    if (lines->len < STDIO_LINE_BYTES_MAX) return OK;
    if (!lines->is_skipping) TRY(refuse_long_line(door, report));
    lines->len = 0;
    lines->is_skipping = true;
    return OK;
}

static result read_lines(struct stdio_door *door, struct lines *lines, struct report *report) {
    for (;;) {
        if (lines->len == lines->cap) TRY(lines_grow(lines, report));
        ssize_t n = read(door->in, lines->bytes + lines->len, lines->cap - lines->len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return fail(report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                        "cannot read standard input: %s", strerror(errno));
        lines->len += (size_t)n;
        TRY(take_lines(door, lines, n == 0, report));
        if (n == 0) return OK;
    }
}

/* Nobody has to wait for the first line to learn that nobody is let in. */
static result check_welcome(struct stdio_door *door, struct report *report) {
    struct turn *turn = turn_new(door->mcp, finish, NULL);
    if (turn == NULL) return fail_memory(report);
    result r = identify(door, turn->call, report);
    turn_free(turn);
    return r;
}

result stdio_door_serve(struct mcp *mcp, struct str token, int in, int out, struct report *report) {
    struct stdio_door door = {.mcp = mcp,
                              .token = token,
                              .in = in,
                              .out = out,
                              .session = {.id = STR("stdio"),
                                          .own = &door.arena,
                                          .version = STR(MCP_LEGACY_LATEST),
                                          .level = SESSION_LEVEL}};
    struct lines lines = {0};
    pthread_t writer;
    TRY(check_welcome(&door, report));
    pthread_mutex_init(&door.lock, NULL);
    pthread_cond_init(&door.changed, NULL);
    pthread_mutex_init(&door.telling, NULL);
    list_init(&door.lines);
    list_init(&door.awake);
    list_init(&door.streams);
    arena_init(&door.arena, SESSION_BYTES_MAX);
    if (pthread_create(&writer, NULL, writer_main, &door) != 0) return fail_memory(report);
    result r = read_lines(&door, &lines, report);
    while (!list_empty(&door.streams))
        end_stream(&door, holder_of(door.streams.next, struct stream, by_door));
    pthread_mutex_lock(&door.lock);
    door.is_ending = true;
    pthread_cond_broadcast(&door.changed);
    pthread_mutex_unlock(&door.lock);
    pthread_join(writer, NULL);
    free(lines.bytes);
    arena_deinit(&door.arena);
    pthread_mutex_destroy(&door.telling);
    pthread_mutex_destroy(&door.lock);
    pthread_cond_destroy(&door.changed);
    if (r.why == FAIL_NONE && door.is_output_lost)
        return fail(report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                    "cannot write standard output");
    return r;
}
