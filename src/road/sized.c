#include "road/sized.h"

#include "base/log.h"
#include "road/envelope.h"
#include "shape/room.h"
#include "tools/tool.h"

#include <inttypes.h>
#include <stdio.h>

/* -- advice ------------------------------------------------------------------------------------ */

enum { NUMBER_SIZE = 32 };

/* 31204 → "31,204" */
static const char *grouped(uint64_t n, char out[NUMBER_SIZE]) {
    char *at = out + NUMBER_SIZE;
    *--at = '\0';
    for (unsigned digits = 0; n > 0 || digits == 0; n /= 10, digits++) {
        if (digits > 0 && digits % 3 == 0) *--at = ',';
        *--at = (char)('0' + n % 10);
    }
    return at;
}

/* How far the reply is over its limit; Superset's numbers. */
struct excess {
    uint64_t is, may;
    const char *unit;
};

static unsigned percent_of(const struct excess *e) {
    return (unsigned)((e->is - e->may) * 100 / e->is);
}

struct advice {
    char text[REPORT_HINT_MAX];
    size_t len;
    unsigned n;
};

static void advise(struct advice *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void advise(struct advice *a, const char *fmt, ...) {
    if (a->n == REPLY_ADVICE_MAX) return;
    char one[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(one, sizeof one, fmt, args);
    va_end(args);
    int n = snprintf(a->text + a->len, sizeof a->text - a->len, "%s%u. %s", a->n > 0 ? " " : "",
                     a->n + 1, one);
    if (n < 0 || (size_t)n >= sizeof a->text - a->len) { /* what does not fit whole is left out */
        a->text[a->len] = '\0';
        a->n = REPLY_ADVICE_MAX;
        return;
    }
    a->len += (size_t)n;
    a->n++;
}

static bool has_field(const struct tool *tool, const char *name) {
    for (const struct field *f = tool->input; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0) return true;
    return false;
}

static const char *first_field(const struct tool *tool, const char *const *names) {
    for (; *names != NULL; names++)
        if (has_field(tool, *names)) return *names;
    return NULL;
}

static void advise_count(struct advice *a, const struct call *call, const struct excess *e) {
    static const char *const names[] = {"page_size", "limit", NULL};
    const char *name = first_field(call->tool, names);
    if (name == NULL) return;
    const struct json *given = json_get(call->arguments, str_of(name));
    if (given == NULL || !given->is_integer || given->integer < 1) {
        advise(a, "Add '%s' (10 to 25 items) to reduce the reply by ~%u%%", name, percent_of(e));
        return;
    }
    uint64_t now = (uint64_t)given->integer;
    uint64_t next = (uint64_t)((double)now * ((double)e->may / (double)e->is));
    advise(a, "Reduce '%s' from %" PRIu64 " to %" PRIu64 " (need ~%u%% reduction)", name, now,
           next > 0 ? next : 1, percent_of(e));
}

/* In the order in which they help most, as Superset has them. */
static void advise_all(struct advice *a, const struct call *call, const struct excess *e) {
    static const char *const columns[] = {"select_columns", "columns", NULL};
    static const char *const narrow[] = {"filters", "domain", "project", NULL};
    advise_count(a, call, e);
    const char *name = first_field(call->tool, columns);
    if (name != NULL) advise(a, "Use '%s' to ask only for the columns you need", name);
    name = first_field(call->tool, narrow);
    if (name != NULL && json_get(call->arguments, str_of(name)) == NULL)
        advise(a, "Use '%s' to narrow down the result", name);
    if (has_field(call->tool, "sql"))
        advise(a, "Add a LIMIT clause, select fewer columns, or aggregate in the SQL");
    if (has_field(call->tool, "search"))
        advise(a, "Use 'search' to find what you need instead of listing everything");
    if (a->n == 0) advise(a, "Ask for a smaller part of it");
}

static result refuse(struct call *call, const struct excess *e) {
    char is[NUMBER_SIZE], may[NUMBER_SIZE];
    struct advice advice = {.len = 0};
    advise_all(&advice, call, e);
    result r = fail(&call->report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "response too large: ~%s %s (limit: %s), which would overwhelm the model's "
                    "context window; reduction needed: ~%u%%",
                    grouped(e->is, is), e->unit, grouped(e->may, may), percent_of(e));
    fail_hint(&call->report, "%s", advice.text);
    return r;
}

/* -- measuring --------------------------------------------------------------------------------- */

static uint64_t tokens_of(const struct buf *buf) {
    struct token_count count = {0};
    for (const struct buf_chunk *chunk = buf->first; chunk != NULL; chunk = chunk->next)
        token_count_add(&count, (struct str){chunk->bytes, chunk->len});
    return token_count_get(&count);
}

/* Three bytes are a token at most: most replies need no counting. */
static bool is_small(const struct buf *reply, const struct room *warning) {
    return reply->len / 3 + 1 <= warning->tokens && reply->len <= warning->bytes;
}

static void warn(struct call *call, struct json_writer *w, struct buf_mark mark,
                 const struct json_writer *before, const struct excess *e) {
    log_line(LOG_WARN, "reply_size", str_of(call->audit_id),
             "a reply of ~%" PRIu64 " %s is near its limit of %" PRIu64, e->is, e->unit, e->may);
    call->facts.near_limit = (struct call_size){(int64_t)e->is, (int64_t)e->may, e->unit};
    buf_rewind(&call->reply, mark);
    *w = *before;
    envelope_close(call, w);
}

result sized_close(struct call *call, struct json_writer *w) {
    struct buf_mark mark = buf_mark(&call->reply);
    struct json_writer before = *w;
    struct room limit = room_of_reply(call), warning = room_of_warning(call);
    envelope_close(call, w);
    if (call->reply.failed != FAIL_NONE || is_small(&call->reply, &warning)) return OK;
    struct excess tokens = {tokens_of(&call->reply), limit.tokens, "tokens"};
    struct excess bytes = {call->reply.len, limit.bytes, "bytes"};
    if (tokens.is > limit.tokens) return refuse(call, &tokens);
    if (bytes.is > limit.bytes) return refuse(call, &bytes);
    if (tokens.is > warning.tokens)
        warn(call, w, mark, &before, &tokens);
    else if (bytes.is > warning.bytes)
        warn(call, w, mark, &before, &bytes);
    return OK;
}
