#include "shape/room.h"

#include "shape/settings.h"

/* -- the limits -------------------------------------------------------------------------------- */

static uint64_t lower_of(uint64_t a, int64_t limit) {
    return limit > 0 && (uint64_t)limit < a ? (uint64_t)limit : a;
}

struct room room_of_reply(const struct call *call) {
    const struct call_settings *s = &call->snapshot->settings;
    struct room room = {ROOM_ANY, ROOM_ANY};
    if (call->origin.is_program) return room;
    room.tokens = lower_of(room.tokens, s->reply_max_tokens);
    if (!s->size.is_enabled || size_excludes(&s->size, call->tool_name)) return room;
    room.tokens = lower_of(room.tokens, s->size.token_limit);
    room.bytes = lower_of(room.bytes, s->size.max_bytes);
    return room;
}

static uint64_t part_of(uint64_t limit, int64_t percent) {
    return limit == ROOM_ANY
               ? ROOM_ANY
               : limit / 100 * (uint64_t)percent + limit % 100 * (uint64_t)percent / 100;
}

struct room room_of_warning(const struct call *call) {
    const struct size_settings *s = &call->snapshot->settings.size;
    struct room room = room_of_reply(call);
    int64_t percent = s->is_enabled ? s->warn_threshold_pct : 100;
    return (struct room){part_of(room.tokens, percent), part_of(room.bytes, percent)};
}

/* -- what stands around the data --------------------------------------------------------------- */

/* As road/envelope.c writes it, with numbers at their widest; test/unit/road/sized.c compares. */
#define FRAME                                                                                      \
    "{\"ok\":true,\"data\":{},\"error\":null,"                                                     \
    "\"metadata\":{\"request_id\":\"\",\"tool_name\":\"\",\"timestamp\":\"2026-11-20T09:15:00Z\"," \
    "\"latency_ms\":1234567.123,\"tables_used\":[],\"columns_used\":[],\"row_count\":null,"        \
    "\"truncated\":false,\"data_is_untrusted\":true,"                                              \
    "\"near_limit\":{\"tokens\":1000000000,\"limit\":1000000000},"                                 \
    "\"cache\":{\"hit\":true,\"age_seconds\":1000000000}},"                                        \
    "\"audit_id\":\"01234567-89ab-cdef-0123-456789abcdef\"}"

/* Of rows: what stands behind them, their number once more, and the estimate. */
#define FRAME_OF_ROWS                                                                              \
    ",\"row_count\":1000000000,\"truncated\":false1000000000"                                      \
    ",\"cost_estimate\":{\"policy_decision\":\"allowed\",\"risk_level\":\"critical\","             \
    "\"risk_flags\":[],\"tables_used\":[],\"columns_used\":[],\"partitions_used\":[],"             \
    "\"has_partition_filter\":false,\"join_count\":65535}"
enum {
    FRAME_CHARS = sizeof FRAME - 1,
    FRAME_OF_ROWS_CHARS = sizeof FRAME_OF_ROWS - 1,
    LIMIT_NOTE_CHARS = 200, /* that an injected LIMIT was reached: tools/query.c */
    QUOTES_AND_COMMA = 3,
    HIDDEN_CHARS_MAX = 14,
};

/* Is the byte written as itself, wherever it stands? */
static bool is_plain(unsigned char c) {
    return (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') || (c >= 0xE4 && c <= 0xE9) ||
           (c >= 0x80 && c <= 0xBF);
}

static void count_text(struct token_count *count, struct str text) {
    token_count_add(count, text);
    count->chars += QUOTES_AND_COMMA;
    for (size_t i = 0; i < text.len; i++)
        if (!is_plain((unsigned char)text.ptr[i])) count->chars += HIDDEN_CHARS_MAX;
}

static void count_tables(struct token_count *count, const struct name_list *names) {
    for (size_t i = 0; i < names->n; i++) count_text(count, names->items[i]);
}

/* A column is told by its own name: all behind project, schema and table. */
static void count_columns(struct token_count *count, const struct name_list *names) {
    for (size_t i = 0; i < names->n; i++) {
        struct str name = names->items[i];
        for (unsigned dots = 0; dots < 3; dots++) {
            struct str rest = name;
            (void)str_cut(&rest, '.');
            if (rest.len > 0) name = rest;
        }
        count_text(count, name);
    }
}

/* Names stand in metadata and in the estimate. */
static struct token_count rest_of(const struct call *call) {
    const struct guard_answer *guard = &call->facts.guard;
    struct token_count rest = {.chars = FRAME_CHARS};
    if (call->facts.is_guarded) rest.chars += FRAME_OF_ROWS_CHARS;
    if (call->facts.is_guarded && !guard->is_callers_limit) rest.chars += LIMIT_NOTE_CHARS;
    count_text(&rest, call_request_id(call));
    count_text(&rest, call->tool_name);
    for (unsigned times = 0; times < 2; times++) {
        count_tables(&rest, &guard->tables);
        count_columns(&rest, &guard->columns);
    }
    count_columns(&rest, &guard->partitions);
    for (unsigned bit = 0; risk_flag_name[bit] != NULL; bit++)
        if (guard->risk_flags & (1U << bit)) count_text(&rest, str_of(risk_flag_name[bit]));
    return rest;
}

static uint64_t minus(uint64_t limit, uint64_t n) {
    if (limit == ROOM_ANY) return ROOM_ANY;
    return limit > n ? limit - n : 0;
}

static struct room behind(struct room reply, const struct token_count *rest) {
    uint64_t bytes = rest->chars + 4 * rest->wide;
    return (struct room){minus(reply.tokens, token_count_get(rest)), minus(reply.bytes, bytes)};
}

struct rooms rooms_of_data(const struct call *call) {
    struct room reply = room_of_reply(call);
    if (reply.tokens == ROOM_ANY && reply.bytes == ROOM_ANY)
        return (struct rooms){.whole = reply, .cut = reply};
    struct token_count rest = rest_of(call);
    struct rooms rooms = {.whole = behind(reply, &rest),
                          .max_items = (uint64_t)call->snapshot->settings.size.max_list_items};
    rest.chars += REPLY_CUT_CHARS;
    rooms.cut = behind(reply, &rest);
    return rooms;
}
