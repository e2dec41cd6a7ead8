#include "mcp/stdio_door.h"

#include "base/limits.h"
#include "base/log.h"
#include "mcp/batch.h"
#include "mcp/stdio_out.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum pin { PIN_NONE = 0, PIN_LEGACY, PIN_MODERN };

/* The main thread reads and takes turns; what they say goes out by another (stdio_out.h). */
struct stdio_door {
    struct mcp *mcp;
    struct str token;
    int in;
    struct stdio_out out;
    enum pin pin;
    struct session session; /* of initialize: version and the client's capabilities */
    struct arena arena;     /* of these */
};

/* -- taking ----------------------------------------------------------------------------------- */

static void refuse(struct turn *turn, int code, struct str message) {
    struct rpc_error error = {code, 200, message, STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
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
    if (!turn->way->hold(turn, &all))
        log_line(LOG_WARN, "stream_refused", STR_NONE, "changes are not told");
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
        turn->finish(turn);
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

static result open_turn(struct stdio_door *door, struct turn **out, struct report *report) {
    struct turn *turn = turn_new(door->mcp, turn_free, NULL);
    if (turn == NULL) return fail_memory(report);
    result r = identify(door, turn->call, report);
    if (r.why == FAIL_NONE && !stdio_out_take(&door->out, turn)) r = fail_memory(report);
    if (r.why == FAIL_NONE)
        *out = turn;
    else
        turn_free(turn);
    return r;
}

/* The line is copied: the turn outlives the reader's buffer. */
static result take_line(struct stdio_door *door, struct str line, struct report *report) {
    struct turn *turn;
    TRY(open_turn(door, &turn, report));
    struct str body = str_dup(&turn->call->arena, line);
    if (body.ptr == NULL)
        refuse(turn, RPC_INTERNAL_ERROR, STR("out of memory"));
    else if (!turn_read(turn, body))
        turn->finish(turn);
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
    struct turn *turn = turn_new(door->mcp, turn_free, NULL);
    if (turn == NULL) return fail_memory(report);
    result r = identify(door, turn->call, report);
    turn_free(turn);
    return r;
}

result stdio_door_serve(struct mcp *mcp, struct str token, int in, int out, struct report *report) {
    struct stdio_door door = {.mcp = mcp,
                              .token = token,
                              .in = in,
                              .session = {.id = STR("stdio"),
                                          .own = &door.arena,
                                          .version = STR(MCP_LEGACY_LATEST),
                                          .level = SESSION_LEVEL}};
    struct lines lines = {0};
    TRY(check_welcome(&door, report));
    TRY(stdio_out_start(&door.out, &mcp->hub, out, report));
    arena_init(&door.arena, SESSION_BYTES_MAX);
    result r = read_lines(&door, &lines, report);
    bool is_whole = stdio_out_stop(&door.out);
    free(lines.bytes);
    arena_deinit(&door.arena);
    if (r.why == FAIL_NONE && !is_whole)
        return fail(report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                    "cannot write standard output");
    return r;
}
