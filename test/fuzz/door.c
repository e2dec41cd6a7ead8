/* Any sequence of messages at the doors of two replicas over one store: posted, streamed, followed
 * from an event on, over HTTP+SSE and over stdio; by two people with several roles, whose sessions,
 * tasks and states are tried by the other one, too; while configurations are swapped, time passes
 * and peers leave. What must hold of all that comes back says door_check.c; and when everybody has
 * left, the house is as it was before.
 *
 * The input: lines that begin with '#' part the messages, and say by letters how the next one comes
 * (struct manner), and what happens before: m 60 seconds pass, t 6; k all lists change; r the other
 * configuration is loaded; c the oldest peer leaves. In a message @S0 to @S9 are the ids of the
 * sessions that the door has opened, @T0… of its tasks, @R0… its request states, @N0… its cursors,
 * @Q0… the ids of its own questions, @E0… of its events; a small letter is the same with one byte
 * changed; @W0 is a word of whoever sends it.
 */
#include "door.h"

#include "base/limits.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { PATIENCE_MS = 4, IDLE_BEFORE_TIME = 6, IDLE_AT_END = 5, STEP_MS = 20, HOUSE_INPUTS = 1000 };
enum { FIRST_STEP_MS = 1000, LAST_STEP_MS = 600000, END_MS = 30000 };
#define LATER_MS (INT64_C(26) * 3600000) /* when everything kept has ended */

static struct house *house;

static int64_t now_ms(void) {
    return clock_wall_ms(&clock_real);
}

/* -- what the door gave ----------------------------------------------------------------------- */

void sequence_give(struct sequence *s, char letter, struct str text, const char *user) {
    size_t kind = (size_t)(strchr(GIVEN_LETTERS, letter) - GIVEN_LETTERS);
    if (text.len == 0 || s->n_given[kind] == GIVEN_MOST) return;
    for (size_t i = 0; i < s->n_given[kind]; i++)
        if (str_eq(s->given[kind][i].text, text)) return;
    s->given[kind][s->n_given[kind]++] = (struct given){str_dup(&s->arena, text), user, false};
}

static struct given given(const struct sequence *s, char letter, char digit) {
    const char *at = letter == '\0' ? NULL : strchr(GIVEN_LETTERS, letter);
    if (at == NULL || digit < '0' || digit > '9') return (struct given){0};
    size_t kind = (size_t)(at - GIVEN_LETTERS), i = (size_t)(digit - '0');
    if (i < s->n_given[kind]) return s->given[kind][i];
    struct str none = STR("0123456789abcdef0123456789abcdef");
    if (letter == 'Q') none = STR("1");
    if (letter == 'E') none = STR("0123456789abcdef0123456789abcdef.1");
    return (struct given){none, NULL, false};
}

/* With its middle byte changed. */
static struct str forged(struct sequence *s, struct str text) {
    struct str copy = str_printf(&s->arena, STR_FMT, STR_ARG(text));
    if (copy.len > 0) ((char *)(uintptr_t)copy.ptr)[copy.len / 2] ^= 1;
    return copy;
}

static struct str filling(struct sequence *s, const struct manner *manner, char letter,
                          char digit) {
    if (letter == 'W' && digit == '0') return str_printf(&s->arena, "mark-of-%s", manner->user);
    if (letter >= 'a' && letter <= 'z') {
        struct str text = given(s, (char)(letter - 'a' + 'A'), digit).text;
        return text.ptr == NULL ? text : forged(s, text);
    }
    return given(s, letter, digit).text;
}

/* With what was given in the places that name it. */
static struct str filled(struct sequence *s, const struct manner *manner, struct str body) {
    struct buf out;
    buf_init(&out, BODY_MOST);
    for (size_t i = 0; i < body.len; i++) {
        bool names = body.ptr[i] == '@' && body.len - i > 2;
        struct str text = names ? filling(s, manner, body.ptr[i + 1], body.ptr[i + 2]) : STR_NONE;
        if (text.ptr == NULL)
            buf_add_byte(&out, body.ptr[i]);
        else
            buf_add(&out, text), i += 2;
    }
    struct str text = buf_failed(&out, NULL).why == FAIL_NONE ? buf_copy(&out, &s->arena) : STR("");
    buf_deinit(&out);
    return text;
}

/* -- time and turns --------------------------------------------------------------------------- */

static void end_guest(struct sequence *s, struct guest *guest) {
    guest->is_over = true;
    if (guest->peer.is_whole) guest_check_end(s, guest);
    peer_close(&guest->peer);
}

/* true when something came for somebody. */
static bool turn_once(struct sequence *s) {
    bool any = stdio_read(s);
    house_turn(s->house);
    for (size_t i = 0; i < s->n_guests; i++) {
        struct guest *guest = &s->guests[i];
        if (guest->is_over) continue;
        any = guest_read(s, guest) || any;
        if (guest->peer.is_whole || guest->peer.is_cut) end_guest(s, guest);
    }
    any = stdio_read(s) || any;
    if (!any) house_wait();
    return any;
}

static void pass(struct sequence *s, int64_t ms) {
    s->passed_ms += ms;
    if (s->passed_ms >= JOURNAL_LEASE_MS) s->has_moved = true;
    house_pass(s->house, ms);
}

static bool is_stream_of_many(const struct guest *guest) {
    return guest->manner.by == BY_SSE || guest->manner.by == BY_GET ||
           str_eq(guest->message.method, STR("subscriptions/listen"));
}

/* It is answered, asked something itself, or listens. */
static bool is_settled(const struct guest *guest, bool any) {
    if (guest->is_over || guest->has_question) return true;
    if (!is_stream_of_many(guest) || guest->peer.status == 0) return false;
    return guest->n_events > 0 || (guest->manner.by == BY_GET && !any);
}

/* Until the guest is, or something has come by stdio; at most for a while, in which a little time
 * passes. */
static void settle(struct sequence *s, const struct guest *guest) {
    int64_t until = now_ms() + PATIENCE_MS;
    unsigned n_idle = 0;
    while (now_ms() < until) {
        bool any = turn_once(s);
        if (guest == NULL ? any : is_settled(guest, any)) return;
        if (!any && ++n_idle > IDLE_BEFORE_TIME) pass(s, STEP_MS);
    }
}

/* -- how a message comes ---------------------------------------------------------------------- */

static void leave_oldest(struct sequence *s) {
    for (size_t i = 0; i < s->n_guests; i++) {
        struct guest *guest = &s->guests[i];
        if (guest->is_over) continue;
        s->has_cancels = true; /* its modern requests end so */
        end_guest(s, guest);
        return;
    }
}

static void happen(struct sequence *s, struct str letters, size_t replica) {
    for (size_t i = 0; i < letters.len; i++) {
        switch (letters.ptr[i]) {
        case 'm': pass(s, 60000); break;
        case 't': pass(s, 6000); break;
        case 'k': mcp_changed(s->house->mcps[replica], CHANGED_ALL); break;
        case 'r': house_reload(s->house); break;
        case 'c': leave_oldest(s); break;
        default: break;
        }
    }
}

static void read_letter(char c, struct manner *out) {
    switch (c) {
    case 'g': out->by = BY_GET; break;
    case 'd': out->by = BY_DELETE; break;
    case 's': out->by = BY_SSE; break;
    case 'p': out->by = BY_MESSAGES; break;
    case 'u': out->by = BY_PAGE; break;
    case 'i': out->by = BY_STDIO; break;
    case 'x': out->session = 'x'; break;
    case 'h': out->has_headers = true; break;
    case 'j': out->takes_stream = false; break;
    case 'e': out->takes_json = false; break;
    case 'b': out->is_left = true; break;
    case 'l': out->leaves = true; break;
    case 'o': out->user = "bob"; break;
    case 'y': out->role = "scoped"; break;
    case 'n': out->role = "none"; break;
    case 'z': out->role = "wrong"; break;
    case 'v': out->version = MCP_LEGACY_LATEST; break;
    case 'w': out->version = MCP_LEGACY_ASSUMED; break;
    case 'q': out->replica = 1; break;
    default: break;
    }
}

static void read_manner(struct str letters, struct manner *out) {
    *out =
        (struct manner){.user = "ann", .role = "keeper", .takes_json = true, .takes_stream = true};
    for (size_t i = 0; i < letters.len; i++) {
        char c = letters.ptr[i];
        if (c >= '0' && c <= '9') out->session = c;
        if (c >= 'A' && c <= 'F') out->role = house_roles[c - 'A'];
        read_letter(c, out);
    }
}

/* -- requests --------------------------------------------------------------------------------- */

/* A header's value cannot hold all that a name may. */
static struct str header_value(struct str value) {
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < 0x20 || (unsigned char)value.ptr[i] > 0x7e)
            return STR("=?base64?7Lmo?=");
    return value;
}

/* What a client that does it right sends beside its message. */
static void put_modern(struct buf *out, const struct guest *guest) {
    const struct rpc_message *message = &guest->message;
    const struct json *claim = era_claim(message);
    struct str name = json_get_text(message->params, STR("name"));
    if (name.ptr == NULL) name = json_get_text(message->params, STR("uri"));
    if (name.ptr == NULL) name = json_get_text(message->params, STR("taskId"));
    if (claim != NULL && claim->type == JSON_STRING)
        buf_addf(out, "MCP-Protocol-Version: " STR_FMT "\r\n", STR_ARG(header_value(claim->text)));
    buf_addf(out, "Mcp-Method: " STR_FMT "\r\n", STR_ARG(header_value(message->method)));
    if (name.ptr != NULL) buf_addf(out, "Mcp-Name: " STR_FMT "\r\n", STR_ARG(header_value(name)));
}

static struct str target_of(struct sequence *s, const struct guest *guest) {
    switch (guest->manner.by) {
    case BY_SSE: return STR("/sse");
    case BY_MESSAGES:
        return str_printf(&s->arena, "/messages?sessionId=" STR_FMT, STR_ARG(guest->session));
    case BY_PAGE: break;
    case BY_POST:
    case BY_GET:
    case BY_DELETE:
    case BY_STDIO: return STR("/mcp");
    }
    /* Its first word, where that is a path. */
    struct str rest = guest->body, path = str_trim(str_cut(&rest, '\n'));
    bool is_path = path.len > 0 && path.len < 512 && path.ptr[0] == '/';
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_-./?=&";
    for (size_t i = 0; i < path.len; i++)
        is_path = is_path && path.ptr[i] != '\0' && strchr(plain, path.ptr[i]) != NULL;
    return is_path ? path : STR("/health");
}

static const char *method_of(enum carriage by) {
    switch (by) {
    case BY_POST:
    case BY_MESSAGES:
    case BY_STDIO: return "POST";
    case BY_GET:
    case BY_SSE:
    case BY_PAGE: return "GET";
    case BY_DELETE: return "DELETE";
    }
    return "POST";
}

static void put_head(struct buf *out, const struct guest *guest, struct str target) {
    const struct manner *m = &guest->manner;
    buf_addf(out, "%s " STR_FMT " HTTP/1.1\r\nHost: localhost\r\n", method_of(m->by),
             STR_ARG(target));
    if (strcmp(m->role, "none") != 0)
        buf_addf(out, "Authorization: Bearer %s-%s\r\n", m->user, m->role);
    if (m->takes_json || m->takes_stream)
        buf_addf(out, "Accept: %s%s%s\r\n", m->takes_json ? "application/json" : "",
                 m->takes_json && m->takes_stream ? ", " : "",
                 m->takes_stream ? "text/event-stream" : "");
    if (m->version != NULL) buf_addf(out, "MCP-Protocol-Version: %s\r\n", m->version);
    if (m->has_headers) put_modern(out, guest);
    if (m->by != BY_MESSAGES && guest->session.len > 0)
        buf_addf(out, "Mcp-Session-Id: " STR_FMT "\r\n", STR_ARG(guest->session));
}

static bool has_body(enum carriage by) {
    return by == BY_POST || by == BY_MESSAGES;
}

static struct str request_of(struct sequence *s, const struct guest *guest) {
    struct buf out;
    buf_init(&out, 2 * BODY_MOST);
    put_head(&out, guest, target_of(s, guest));
    struct str event = header_value(str_trim(guest->body));
    if (guest->manner.by == BY_GET && event.len > 0)
        buf_addf(&out, "Last-Event-ID: " STR_FMT "\r\n", STR_ARG(event));
    if (has_body(guest->manner.by))
        buf_addf(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 guest->body.len);
    buf_add(&out, STR("\r\n"));
    if (has_body(guest->manner.by)) buf_add(&out, guest->body);
    MUST(buf_failed(&out, NULL).why == FAIL_NONE);
    struct str text = buf_copy(&out, &s->arena);
    buf_deinit(&out);
    return text;
}

static void read_message(struct sequence *s, struct guest *guest) {
    const struct json *value = NULL;
    struct report report = {0};
    struct rpc_error wrong = {0};
    guest->is_wrong = true;
    if (json_read(guest->body, NULL, &s->arena, &value, &report).why != FAIL_NONE) return;
    const struct json *tool = json_get(value, STR("tool"));
    guest->is_batch = value->type == JSON_ARRAY;
    guest->is_shorthand =
        tool != NULL && tool->type == JSON_STRING && json_get(value, STR("jsonrpc")) == NULL;
    rpc_read(value, &guest->message, &wrong);
    guest->is_wrong = wrong.code != 0 && !guest->is_batch && !guest->is_shorthand;
    if (wrong.code != 0) guest->message.kind = RPC_INVALID;
}

static void seat(struct sequence *s, struct guest *guest) {
    const struct manner *manner = &guest->manner;
    if (has_body(manner->by)) read_message(s, guest);
    guest->configuration = s->house->configuration;
    if (manner->session == '\0') return;
    struct given session = given(s, 'S', manner->session == 'x' ? '9' : manner->session);
    guest->session = session.text;
    guest->session_user = session.user;
}

/* Answers come back by other connections, too: HTTP+SSE, a stream that is taken up again. */
static void note_said(struct sequence *s, struct str body, const char *user) {
    for (size_t kind = 0; kind < GIVEN_KINDS; kind++)
        for (size_t i = 0; i < s->n_given[kind]; i++) {
            struct given *known = &s->given[kind][i];
            if (known->user == NULL || strcmp(known->user, user) == 0) continue;
            if (str_find(body, known->text) < body.len) known->is_said = true;
        }
}

static void come(struct sequence *s, struct str letters, struct str body) {
    struct manner manner;
    read_manner(letters, &manner);
    happen(s, letters, manner.replica);
    body = filled(s, &manner, body);
    note_said(s, body, manner.user);
    if (str_find(body, STR("cancel")) < body.len) s->has_cancels = true;
    if (str_find(body, STR("subscriptions/listen")) < body.len) s->has_cancels = true;
    s->n_steps++;
    if (manner.by == BY_STDIO) {
        stdio_send(s, &manner, body);
        if (!manner.is_left) settle(s, NULL);
        return;
    }
    struct guest *guest = &s->guests[s->n_guests++];
    *guest = (struct guest){.manner = manner, .body = body};
    seat(s, guest);
    if (manner.by == BY_MESSAGES) pledge(s, guest->session, body, false);
    peer_open(&guest->peer, house_connect(s->house, manner.replica));
    MUST(peer_write(&guest->peer, request_of(s, guest)));
    if (!manner.is_left) settle(s, guest);
    if (manner.leaves && !guest->is_over) {
        turn_once(s);
        if (manner.by == BY_SSE || manner.by == BY_POST) s->has_cancels = true;
        if (!guest->is_over) end_guest(s, guest);
    }
}

/* -- the whole -------------------------------------------------------------------------------- */

/* What still runs, naps or waits for its answer ends as time passes, at most ten minutes at once:
 * how much of it does not matter, for nothing may wait for ever. */
static void pass_until(struct sequence *s, bool (*is_done)(const struct sequence *s)) {
    int64_t step = FIRST_STEP_MS, until = now_ms() + END_MS;
    unsigned n_idle = 0;
    while (!is_done(s)) {
        if (turn_once(s)) continue;
        if (++n_idle % IDLE_AT_END == 0) {
            pass(s, step);
            if (step < LAST_STEP_MS) step *= 4;
        }
        if (now_ms() < until) continue;
        const char *busy = house_busy(s->house);
        fprintf(stderr, "%s\n", busy == NULL ? "an answer is missing" : busy);
        MUST(is_done(s));
    }
}

/* Streams of many stay until their peers leave. */
static bool is_answered(const struct sequence *s) {
    for (size_t i = 0; i < s->n_guests; i++) {
        const struct guest *guest = &s->guests[i];
        bool is_held = guest->peer.status == 200 && is_stream_of_many(guest);
        if (!guest->is_over && !is_held) return false;
    }
    return stdio_is_over(s) && !house_works(s->house);
}

static bool is_as_before(const struct sequence *s) {
    return house_busy(s->house) == NULL;
}

static void close_sequence(struct sequence *s) {
    stdio_close(s);
    pass_until(s, is_answered);
    for (int i = 0; i < 3 || turn_once(s); i++) turn_once(s); /* what is on its way */
    stdio_free(s);
    for (size_t i = 0; i < s->n_guests; i++) {
        struct guest *guest = &s->guests[i];
        if (guest->is_over) continue;
        if (guest->manner.by == BY_SSE && !s->has_cancels) check_pledges(s, guest->session);
        end_guest(s, guest);
    }
    pass_until(s, is_as_before);
    if (s->house->configuration != 0) house_reload(s->house);
    house_pass(s->house, LATER_MS);
    arena_deinit(&s->arena);
}

static void close_house(void) {
    house_close(house);
    house = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static size_t n_inputs;
    static struct sequence s;
    struct str rest = {(const char *)data, size};
    if (size > INPUT_MOST) return 0;
    if (n_inputs++ % HOUSE_INPUTS == 0) {
        close_house(); /* its log grows */
        house = house_open();
    }
    if (n_inputs == 1) atexit(close_house); /* after OpenSSL's own, and so before it */
    s = (struct sequence){.house = house, .input = rest};
    arena_init(&s.arena, 512 * MIB);
    while (rest.len > 0 && s.n_steps < MESSAGES_MOST) {
        struct str letters = STR("");
        if (rest.ptr[0] == '#') letters = str_cut(&rest, '\n');
        size_t end = str_find(rest, STR("\n#"));
        come(&s, letters, str_slice(rest, 0, end));
        rest = str_slice(rest, end < rest.len ? end + 1 : rest.len, rest.len);
    }
    close_sequence(&s);
    return 0;
}
