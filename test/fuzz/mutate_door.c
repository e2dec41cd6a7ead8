/*
 * A mutator for sequences at the door: it knows messages and the letters they come by (door.c). It
 * puts in, takes out, swaps and repeats messages, changes how one comes, which of the given things
 * it names, its id, or one value of it, and makes batches. One time in five the bytes are
 * libFuzzer's own business.
 */
#include "base/str.h"
#include "fuzz.h"

#include <stdarg.h>
#include <string.h>

enum { PIECES = 64, OUT_MOST = 1 << 16 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed);

/* -- what messages are made of ---------------------------------------------------------------- */

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{\"form\":{},\"url\":{}},"    \
    "\"sampling\":{},\"roots\":{},\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}"
#define ASK(method, params)  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\"" params "}"
#define OLD(method, members) ASK(method, ",\"params\":{" members "}")
#define NEW(method, members) ASK(method, ",\"params\":{" members "," META "}")
#define CALL(name)           "\"name\":\"" name "\",\"arguments\":{}"
#define HELLO(version)                                                                             \
    OLD("initialize", "\"protocolVersion\":\"" version                                             \
                      "\",\"capabilities\":{\"elicitation\":{},\"sampling\":{},\"roots\":{}},"     \
                      "\"clientInfo\":{\"name\":\"a\",\"version\":\"1\"}")

static const struct kind {
    const char *letters; /* how it mostly comes */
    const char *body;
} kinds[] = {
    {"", HELLO("2025-11-25")},
    {"", HELLO("2025-03-26")},
    {"s", ""},
    {"p0", HELLO("2024-11-05")},
    {"p0", OLD("tools/call", CALL("test_tool_with_progress"))},
    {"p0", OLD("tools/call", CALL("test_elicitation"))},
    {"g0", ""},
    {"g0", "@E0"},
    {"g0", "@E1"},
    {"g0q", "@E0"},
    {"d0", ""},
    {"0", OLD("tools/call", "\"name\":\"slow_compute\",\"arguments\":{\"seconds\":3}")},
    {"0", OLD("tools/call", "\"name\":\"greet\",\"arguments\":{\"name\":\"@W0\"}")},
    {"0", OLD("tools/call", CALL("test_reconnection"))},
    {"0", OLD("tools/call", CALL("test_tool_with_logging"))},
    {"0", OLD("tools/call", "\"name\":\"test_elicitation\",\"arguments\":{\"message\":\"@W0\"}")},
    {"0", OLD("tools/call", CALL("list_allowed_tables"))},
    {"0", OLD("tools/call", "\"name\":\"run_select_sql\",\"arguments\":{\"sql\":\"SELECT id FROM "
                            "orders\"}")},
    {"0", OLD("resources/subscribe", "\"uri\":\"weir://table/shop.orders\"")},
    {"0", OLD("resources/unsubscribe", "\"uri\":\"weir://table/shop.orders\"")},
    {"0", OLD("resources/read", "\"uri\":\"weir://table/staff.pay\"")},
    {"0", OLD("resources/list", "\"cursor\":\"@N0\"")},
    {"0", OLD("logging/setLevel", "\"level\":\"debug\"")},
    {"0", OLD("tools/list", "")},
    {"0", ASK("ping", "")},
    {"0", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":"
          "1}}"},
    {"0", "{\"jsonrpc\":\"2.0\",\"id\":@Q0,\"result\":{\"action\":\"accept\",\"content\":{"
          "\"username\":\"u\",\"email\":\"a@b.c\",\"name\":\"n\",\"confirm\":true}}}"},
    {"0", "{\"jsonrpc\":\"2.0\",\"id\":@Q0,\"error\":{\"code\":-1,\"message\":\"no\"}}"},
    {"h", NEW("server/discover", "\"x\":1")},
    {"h", NEW("tools/list", "\"x\":1")},
    {"h", NEW("tools/call", CALL("multi_input"))},
    {"h", NEW("tools/call", CALL("failing_job"))},
    {"h", NEW("tools/call", CALL("protocol_error_job"))},
    {"hb", NEW("tools/call", "\"name\":\"slow_compute\",\"arguments\":{\"seconds\":9}")},
    {"h", NEW("tools/call", CALL("test_tool_with_task"))},
    {"h", NEW("tools/call", "\"name\":\"confirm_delete\",\"arguments\":{\"filename\":\"@W0\"}")},
    {"h", NEW("tools/call", CALL("test_input_required_result_request_state"))},
    {"h", NEW("tools/call",
              CALL("test_input_required_result_request_state") ",\"requestState\":"
                                                               "\"@R0\",\"inputResponses\":{"
                                                               "\"confirm\":{\"action\":\"accept\","
                                                               "\"content\":{\"ok\":"
                                                               "true}}}")},
    {"h", NEW("tasks/get", "\"taskId\":\"@T0\"")},
    {"h", NEW("tasks/cancel", "\"taskId\":\"@T0\"")},
    {"h", NEW("tasks/update",
              "\"taskId\":\"@T0\",\"inputResponses\":{\"first\":{\"action\":"
              "\"accept\",\"content\":{\"name\":\"a\"}},\"second\":{\"action\":\"decline\"},"
              "\"confirm\":{\"action\":\"accept\",\"content\":{\"confirm\":true}}}")},
    {"h", NEW("subscriptions/listen",
              "\"notifications\":{\"toolsListChanged\":true,"
              "\"resourceSubscriptions\":[\"weir://table/shop.orders\"],\"taskIds\":[\"@T0\"]}")},
    {"i", HELLO("2025-06-18")},
    {"i", OLD("tools/call", CALL("test_elicitation"))},
    {"i", NEW("tools/call", CALL("multi_input"))},
    {"i", NEW("subscriptions/listen", "\"notifications\":{\"toolsListChanged\":true}")},
    {"", "{\"tool\":\"list_allowed_tables\"}"},
    {"u", "/.well-known/oauth-protected-resource/mcp"},
    {"u", "/health/ready"},
    {"y", OLD("tools/call", "\"name\":\"run_select_sql\",\"arguments\":{\"sql\":\"SELECT 1\"}")},
};

static const char *const values[] = {"null",
                                     "0",
                                     "1",
                                     "-1",
                                     "1e999",
                                     "true",
                                     "\"\"",
                                     "\"a\"",
                                     "{}",
                                     "[]",
                                     "9223372036854775807",
                                     "\"\\u0000\"",
                                     "[1,2]",
                                     "{\"a\":{}}",
                                     "\"@S0\"",
                                     "\"@T0\"",
                                     "\"@R0\"",
                                     "\"@r0\"",
                                     "\"@W0\"",
                                     "\"@E0\"",
                                     "\"@N0\"",
                                     "\"2025-03-26\"",
                                     "\"2026-07-28\"",
                                     "\"tools/call\"",
                                     "\"greet\""};

static const char letters[] = "0123xABCDEFhjebovwmtkrcqgdspuilnyz";

/* -- a sequence under change ------------------------------------------------------------------ */

struct piece {
    struct str letters, body;
};

struct change {
    uint64_t state;
    struct piece pieces[PIECES];
    size_t n;
    char *room; /* for what is made anew */
    size_t used;
};

static char room[OUT_MOST];

static size_t below(struct change *c, size_t n) {
    uint64_t z = c->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (size_t)((z ^ (z >> 31)) % n);
}
#define ONE_OF(c, list) ((list)[below((c), COUNT(list))])

static struct str made(struct change *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static struct str made(struct change *c, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(c->room + c->used, OUT_MOST - c->used, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= OUT_MOST - c->used) return STR("");
    struct str text = {c->room + c->used, (size_t)n};
    c->used += (size_t)n;
    return text;
}

static void cut(struct change *c, struct str rest) {
    c->n = 0;
    while (rest.len > 0 && c->n < PIECES) {
        struct piece *piece = &c->pieces[c->n++];
        *piece = (struct piece){STR(""), STR("")};
        if (rest.ptr[0] == '#') {
            piece->letters = str_cut(&rest, '\n');
            piece->letters = str_slice(piece->letters, 1, piece->letters.len);
        }
        size_t end = str_find(rest, STR("\n#"));
        piece->body = str_slice(rest, 0, end);
        rest = str_slice(rest, end < rest.len ? end + 1 : rest.len, rest.len);
    }
}

static size_t put_text(uint8_t *out, struct str text) {
    if (text.len > 0) memcpy(out, text.ptr, text.len);
    return text.len;
}

static size_t join(const struct change *c, uint8_t *out, size_t max) {
    size_t at = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct piece *piece = &c->pieces[i];
        size_t need = piece->letters.len + piece->body.len + 3;
        if (at + need > max) break;
        out[at++] = '#';
        at += put_text(out + at, piece->letters);
        out[at++] = '\n';
        at += put_text(out + at, piece->body);
        if (i + 1 < c->n) out[at++] = '\n';
    }
    return at;
}

static void put_in(struct change *c, size_t at, struct piece piece) {
    if (c->n == PIECES) return;
    memmove(c->pieces + at + 1, c->pieces + at, (c->n - at) * sizeof *c->pieces);
    c->pieces[at] = piece;
    c->n++;
}

static void take_out(struct change *c, size_t at) {
    memmove(c->pieces + at, c->pieces + at + 1, (c->n - at - 1) * sizeof *c->pieces);
    c->n--;
}

static void put_in_kind(struct change *c) {
    struct kind kind = ONE_OF(c, kinds);
    struct piece piece = {str_of(kind.letters), str_of(kind.body)};
    char digit = (char)('0' + below(c, 3));
    if (below(c, 4) == 0) piece.letters = made(c, "%s%c", kind.letters, ONE_OF(c, letters));
    if (below(c, 4) == 0) piece.letters = made(c, STR_FMT "%c", STR_ARG(piece.letters), digit);
    put_in(c, below(c, c->n + 1), piece);
}

/* -- changes within a message ----------------------------------------------------------------- */

static void change_letters(struct change *c, struct piece *piece) {
    char letter = letters[below(c, sizeof letters - 1)];
    size_t at = str_find_byte(piece->letters, letter);
    struct str before = str_slice(piece->letters, 0, at);
    struct str behind = str_slice(piece->letters, at + 1, piece->letters.len);
    if (at < piece->letters.len)
        piece->letters = made(c, STR_FMT STR_FMT, STR_ARG(before), STR_ARG(behind));
    else
        piece->letters = made(c, STR_FMT "%c", STR_ARG(piece->letters), letter);
}

/* What stands in [from, to) of the body becomes `with`. */
static void replace(struct change *c, struct piece *piece, size_t from, size_t to,
                    const char *with) {
    struct str body = piece->body, head = str_slice(body, 0, from);
    struct str tail = str_slice(body, to, body.len);
    struct str whole = made(c, STR_FMT "%s" STR_FMT, STR_ARG(head), with, STR_ARG(tail));
    if (whole.len > 0) piece->body = whole;
}

/* The value that begins at or behind a colon somewhere: to its end, brackets and texts whole. */
static void change_value(struct change *c, struct piece *piece) {
    struct str body = piece->body;
    if (body.len == 0) return;
    size_t from = below(c, body.len), to, depth = 0;
    from += str_find_byte(str_slice(body, from, body.len), ':') + 1;
    if (from >= body.len) return;
    bool is_text = false;
    for (to = from; to < body.len; to++) {
        char x = body.ptr[to];
        if (x == '"' && body.ptr[to - 1] != '\\') is_text = !is_text;
        if (is_text) continue;
        if (x == '{' || x == '[') depth++;
        if ((x == '}' || x == ']') && depth-- == 0) break;
        if (x == ',' && depth == 0) break;
    }
    replace(c, piece, from, to, ONE_OF(c, values));
}

/* Another of the given things, or one that is forged. */
static void change_given(struct change *c, struct piece *piece) {
    static const char kinds_of[] = "STRNQEstre";
    struct str body = piece->body;
    size_t at = body.len == 0 ? 0 : below(c, body.len);
    at += str_find_byte(str_slice(body, at, body.len), '@');
    if (at + 2 >= body.len) return;
    char name[4] = {'@', body.ptr[at + 1], (char)('0' + below(c, 4)), '\0'};
    if (below(c, 3) == 0) name[1] = kinds_of[below(c, sizeof kinds_of - 1)];
    replace(c, piece, at, at + 3, name);
}

static void change_id(struct change *c, struct piece *piece) {
    static const char *const ids[] = {"1", "2", "3", "\"a\"", "\"\"", "0", "-1", "null", "1.5"};
    size_t at = str_find(piece->body, STR("\"id\":"));
    if (at == piece->body.len) return;
    size_t to = at + 5;
    to += str_find_byte(str_slice(piece->body, to, piece->body.len), ',');
    replace(c, piece, at + 5, to, ONE_OF(c, ids));
}

static void make_batch(struct change *c, size_t at) {
    if (at + 1 >= c->n) return;
    struct str first = c->pieces[at].body, second = c->pieces[at + 1].body;
    if (str_starts(first, STR("["))) first = str_slice(first, 1, first.len - 1);
    struct str batch = made(c, "[" STR_FMT "," STR_FMT "]", STR_ARG(first), STR_ARG(second));
    if (batch.len == 0) return;
    c->pieces[at].body = batch;
    take_out(c, at + 1);
}

static void change(struct change *c) {
    if (c->n == 0) {
        put_in_kind(c);
        return;
    }
    size_t at = below(c, c->n), other = below(c, c->n);
    struct piece held = c->pieces[at];
    switch (below(c, 12)) {
    case 0:
    case 1:
    case 2: put_in_kind(c); return;
    case 3: take_out(c, at); return;
    case 4: put_in(c, below(c, c->n + 1), held); return;
    case 5:
        c->pieces[at] = c->pieces[other];
        c->pieces[other] = held;
        return;
    case 6:
    case 7: change_letters(c, &c->pieces[at]); return;
    case 8: change_value(c, &c->pieces[at]); return;
    case 9: change_given(c, &c->pieces[at]); return;
    case 10: change_id(c, &c->pieces[at]); return;
    default: make_batch(c, at); return;
    }
}

/* -- libFuzzer's doors ------------------------------------------------------------------------ */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    static uint8_t before[OUT_MOST];
    struct change c = {.state = seed, .room = room};
    if (size > sizeof before || below(&c, 5) == 0) return LLVMFuzzerMutate(data, size, max);
    memcpy(before, data, size);
    cut(&c, (struct str){(const char *)before, size});
    for (size_t n = 1 + below(&c, 3); n > 0; n--) change(&c);
    return join(&c, data, max);
}

/* Messages of b among those of a. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed) {
    struct change to = {.state = seed, .room = room}, from = {.state = ~(uint64_t)seed};
    cut(&to, (struct str){(const char *)a, a_size});
    cut(&from, (struct str){(const char *)b, b_size});
    if (from.n == 0) return join(&to, out, max);
    size_t first = below(&from, from.n), n = 1 + below(&from, 4);
    size_t at = below(&to, to.n + 1);
    for (size_t i = first; i < from.n && i < first + n; i++) put_in(&to, at++, from.pieces[i]);
    return join(&to, out, max);
}
