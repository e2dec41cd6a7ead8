#include "net/connection.h"

#include "base/limits.h"
#include "base/log.h"

#include <assert.h>
#include <stdio.h>

/* -- the head --------------------------------------------------------------------------------- */

static const struct {
    int status;
    struct str line;
} lines[] = {
#define LINE(status, reason)                                                                       \
    { status, STR_INIT("HTTP/1.1 " #status " " reason "\r\n") }
    LINE(200, "OK"),
    LINE(202, "Accepted"),
    LINE(204, "No Content"),
    LINE(301, "Moved Permanently"),
    LINE(302, "Found"),
    LINE(303, "See Other"),
    LINE(304, "Not Modified"),
    LINE(400, "Bad Request"),
    LINE(401, "Unauthorized"),
    LINE(403, "Forbidden"),
    LINE(404, "Not Found"),
    LINE(405, "Method Not Allowed"),
    LINE(406, "Not Acceptable"),
    LINE(408, "Request Timeout"),
    LINE(409, "Conflict"),
    LINE(410, "Gone"),
    LINE(413, "Content Too Large"),
    LINE(414, "URI Too Long"),
    LINE(415, "Unsupported Media Type"),
    LINE(417, "Expectation Failed"),
    LINE(422, "Unprocessable Content"),
    LINE(429, "Too Many Requests"),
    LINE(431, "Request Header Fields Too Large"),
    LINE(500, "Internal Server Error"),
    LINE(501, "Not Implemented"),
    LINE(502, "Bad Gateway"),
    LINE(503, "Service Unavailable"),
    LINE(504, "Gateway Timeout"),
    LINE(505, "HTTP Version Not Supported"),
#undef LINE
};

static void add_status(struct buf *head, int status) {
    for (size_t i = 0; i < COUNT(lines); i++) {
        if (lines[i].status != status) continue;
        buf_add(head, lines[i].line);
        return;
    }
    buf_addf(head, "HTTP/1.1 %d \r\n", status); /* RFC 9112 4: the reason may be absent */
}

/* RFC 9110 5.6.7, once a second. */
static struct str date_line(struct http_lane *lane) {
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t now_s = clock_wall_ms(lane->server->clock) / 1000;

    if (now_s != lane->date_s || lane->date[0] == '\0') {
        int64_t day_number = now_s / 86400;
        int rest = (int)(now_s % 86400);
        int year;
        unsigned month, day;
        clock_civil(day_number, &year, &month, &day);
        snprintf(lane->date, sizeof lane->date, "Date: %.3s, %02u %.3s %04d %02d:%02d:%02d GMT\r\n",
                 days + 3 * (day_number % 7), day % 100, months + 3 * (month - 1), year % 10000,
                 rest / 3600, rest / 60 % 60, rest % 60);
        lane->date_s = now_s;
    }
    return str_of(lane->date);
}

/* A value that holds a line end would let its author write headers, or a second answer. Those that
 * frame the answer are ours. */
static bool is_sendable(const struct http_header *header) {
    static const struct str ours[] = {STR_INIT("Content-Length"), STR_INIT("Connection"),
                                      STR_INIT("Date")};

    for (size_t i = 0; i < COUNT(ours); i++)
        if (header->name.len == ours[i].len && str_ieq(header->name, ours[i])) return false;
    return http1_token_valid(header->name) && http1_value_valid(header->value);
}

static bool add_headers(struct buf *head, const struct http_header *extra, size_t n_extra) {
    for (size_t i = 0; i < n_extra; i++) {
        if (!is_sendable(&extra[i])) {
            log_line(LOG_ERROR, "reply_header_malformed", STR_NONE, "header number %zu", i);
            return false;
        }
        buf_add(head, extra[i].name);
        buf_add(head, STR(": "));
        buf_add(head, extra[i].value);
        buf_add(head, STR("\r\n"));
    }
    return true;
}

static void add_length(struct buf *head, int64_t length) {
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + length % 10);
        length /= 10;
    } while (length > 0);
    buf_add(head, STR("Content-Length: "));
    buf_add(head, (struct str){digits + at, sizeof digits - at});
    buf_add(head, STR("\r\n"));
}

bool reply_head(struct http_exchange *c, int status, const struct http_header *extra,
                size_t n_extra, int64_t length) {
    struct buf *head = &c->lane->head;

    buf_clear(head);
    add_status(head, status);
    bool ok = add_headers(head, extra, n_extra);
    if (length >= 0) add_length(head, length);
    buf_add(head, date_line(c->lane));
    if (!c->keeps_alive || c->lane->is_draining) buf_add(head, STR("Connection: close\r\n"));
    buf_add(head, STR("\r\n"));
    if (ok && head->failed == FAIL_NONE) return true;
    buf_clear(head);
    return false;
}

/* -- whole answers ---------------------------------------------------------------------------- */

static bool has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

/* The answer could not be made: say so, or at least end. */
static void fail_reply(struct http_exchange *x) {
    if (x->state != CONN_WRITING) conn_enter(x, CONN_WRITING);
    if (!reply_head(x, 500, NULL, 0, 0)) {
        conn_cut(x);
        return;
    }
    conn_send(x, &x->lane->head, NULL);
    conn_answered(x);
}

void http_reply(struct http_exchange *x, int status, const struct http_header *extra,
                size_t n_extra, struct buf *body) {
    assert(loop_is_here(x->lane->loop));
    assert(x->state == CONN_WORKING || x->state == CONN_GONE);
    bool is_sound = body == NULL || body->failed == FAIL_NONE;
    int64_t length = !has_body(status) ? -1 : body == NULL ? 0 : (int64_t)body->len;

    if (body != NULL && (!is_sound || !has_body(status) || x->is_head || x->state == CONN_GONE))
        buf_deinit(body);
    if (x->state == CONN_GONE) {
        conn_finish_gone(x);
    } else if (!is_sound || !reply_head(x, status, extra, n_extra, length)) {
        if (body != NULL) buf_deinit(body);
        fail_reply(x);
    } else {
        conn_enter(x, CONN_WRITING);
        conn_send(x, &x->lane->head, body);
        conn_answered(x);
    }
}

/* -- streams ---------------------------------------------------------------------------------- */

static const struct http_header chunked = {STR_INIT("Transfer-Encoding"), STR_INIT("chunked")};

void http_stream_begin(struct http_exchange *x, int status, const struct http_header *extra,
                       size_t n_extra) {
    struct http_header all[HTTP_STREAM_HEADERS_MAX];

    assert(loop_is_here(x->lane->loop));
    assert(x->state == CONN_WORKING || x->state == CONN_GONE);
    assert(n_extra < HTTP_STREAM_HEADERS_MAX && has_body(status));
    if (x->state == CONN_GONE) return;
    if (x->is_minor_0) x->keeps_alive = false;
    if (n_extra > 0) memcpy(all, extra, n_extra * sizeof *extra);
    if (!x->is_minor_0) all[n_extra++] = chunked;
    conn_enter(x, CONN_STREAMING);
    if (x->peer_ended || !reply_head(x, status, all, n_extra, -1)) {
        conn_cut(x);
    } else {
        conn_send(x, &x->lane->head, NULL);
    }
}

static void send_chunk(struct http_exchange *x, struct buf *bytes) {
    struct buf *head = &x->lane->head;

    buf_clear(head);
    if (!x->is_minor_0) {
        buf_addf(head, "%zx\r\n", bytes->len);
        buf_add(bytes, STR("\r\n"));
    }
    if (head->failed != FAIL_NONE || bytes->failed != FAIL_NONE) {
        buf_clear(head);
        buf_deinit(bytes);
        conn_cut(x);
    } else {
        conn_send(x, head, bytes);
    }
}

bool http_stream_send(struct http_exchange *x, struct buf *bytes) {
    assert(loop_is_here(x->lane->loop));
    assert(x->state == CONN_STREAMING || x->state == CONN_GONE);
    int64_t most = x->lane->server->settings.stream_queue_bytes;
    bool is_open = x->state == CONN_STREAMING && !x->is_cut_when_written;

    if (is_open && bytes->failed != FAIL_NONE) conn_cut(x); /* a gap would be a lie */
    if (!is_open || bytes->len == 0 || x->is_head || x->state == CONN_GONE) {
        buf_deinit(bytes);
        return is_open && x->state == CONN_STREAMING;
    }
    if ((int64_t)(outbox_pending(&x->outbox) + bytes->len) > most) {
        buf_deinit(bytes);
        conn_cut(x);
        return false;
    }
    bytes->max = SIZE_MAX; /* the frame is ours, not the maker's */
    send_chunk(x, bytes);
    return x->state == CONN_STREAMING;
}

void http_stream_end(struct http_exchange *x) {
    assert(loop_is_here(x->lane->loop));
    assert(x->state == CONN_STREAMING || x->state == CONN_GONE);
    struct buf *head = &x->lane->head;

    if (x->state == CONN_GONE) {
        conn_finish_gone(x);
        return;
    }
    conn_enter(x, CONN_WRITING);
    buf_clear(head);
    if (!x->is_minor_0 && !x->is_head && !x->is_cut_when_written) buf_add(head, STR("0\r\n\r\n"));
    if (head->failed != FAIL_NONE) {
        buf_clear(head);
        conn_cut(x);
        return;
    }
    conn_send(x, head, NULL);
    conn_answered(x);
}

void http_request_release(struct http_exchange *x) {
    assert(x->state != CONN_DEAD && x->state != CONN_READING);
    if (x->inbox == NULL) return;
    /* A pipelined request behind this one would be lost: it keeps the memory. */
    if (x->state != CONN_GONE && inbox_rest(x->inbox) > 0) return;
    inbox_give(&x->lane->inboxes, x->inbox);
    x->inbox = NULL;
}

/* -- the rest of the exchange's face ---------------------------------------------------------- */

struct loop *http_loop(const struct http_exchange *x) {
    return x->lane->loop;
}

bool http_is_gone(const struct http_exchange *x) {
    return x->state == CONN_GONE;
}

size_t http_connections(const struct http_exchange *x) {
    return http_server_connections(x->lane->server);
}

void http_on_drain(struct http_exchange *x, void (*drain)(void *ctx), void *ctx) {
    x->drain = drain;
    x->drain_ctx = ctx;
}

struct str http_header(const struct http_request *req, struct str name) {
    for (size_t i = 0; i < req->n_headers; i++)
        if (req->headers[i].name.len == name.len && str_ieq(req->headers[i].name, name))
            return req->headers[i].value;
    return STR_NONE;
}

size_t http_header_count(const struct http_request *req, struct str name) {
    size_t n = 0;

    for (size_t i = 0; i < req->n_headers; i++)
        if (req->headers[i].name.len == name.len && str_ieq(req->headers[i].name, name)) n++;
    return n;
}

/* The bytes are the inbox's, which is ours to write; the next request would overwrite them only
 * where it is as long. */
void http_header_wipe(const struct http_request *req, struct str name) {
    for (size_t i = 0; i < req->n_headers; i++) {
        struct str value = req->headers[i].value;
        if (str_ieq(req->headers[i].name, name) && value.len > 0)
            explicit_bzero((char *)(uintptr_t)value.ptr, value.len);
    }
}
