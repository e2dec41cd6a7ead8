#include "net/http1.h"

#include "base/limits.h"

#include <assert.h>

/*
 * One function for each state; it looks at bytes from parser->at on, moves it, and enters the next
 * state. It never looks ahead: what it decides depends on the bytes before `end` only through those
 * it has passed, which is why splits cannot matter.
 */
enum state {
    START,    /* before the first byte */
    START_LF, /* the LF of a tolerated empty line */
    METHOD,
    TARGET,
    VERSION, /* HTTP/1.1 */
    LINE_LF, /* the LF of the request line */
    FIELD,   /* the first byte of a header line, or of the empty line */
    NAME,
    BLANKS, /* between colon and value */
    VALUE,
    FIELD_LF,
    HEAD_LF,   /* the LF of the empty line */
    BODY,      /* Content-Length bytes */
    SIZE,      /* hex digits of a chunk's size */
    EXTENSION, /* behind the size, thrown away */
    SIZE_LF,
    CHUNK,    /* a chunk's bytes */
    CHUNK_CR, /* behind them */
    CHUNK_LF,
    LAST_CR, /* behind the last chunk: no trailers */
    LAST_LF,
    DONE,
    REFUSED,
};

enum class { IN_TOKEN = 1, IN_TARGET = 2, IN_VALUE = 4, IN_HOST = 8 };

/* clang-format off */
static const uint8_t classes[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  4,  0,  0,  0,  0,  0,  0, /* 00 */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* 10 */
     4,  7,  4,  5,  7,  7,  7,  7,  6,  6,  7,  7,  6, 15, 15,  6, /* 20 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  4,  6,  4,  6, /* 30 */
     6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 40 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  4,  6,  5, 15, /* 50 */
     5, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 60 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  4,  5,  4,  7,  0, /* 70 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 80 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* 90 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* a0 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* b0 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* c0 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* d0 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* e0 */
     4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4, /* f0 */
};
/* clang-format on */

static bool is(char byte, enum class class) {
    return (classes[(uint8_t)byte] & class) != 0;
}

static void refuse(struct http1 *parser, int status, const char *why) {
    parser->status = status;
    parser->why = why;
    parser->state = REFUSED;
}

/* Passes one byte that has to be `byte`. */
static void expect(struct http1 *parser, const char *bytes, char byte, enum state next,
                   const char *why) {
    if (bytes[parser->at] != byte) {
        refuse(parser, 400, why);
        return;
    }
    parser->at++;
    parser->state = (int)next;
}

static size_t skip(const char *bytes, size_t at, size_t end, enum class class) {
    while (at < end && is(bytes[at], class)) at++;
    return at;
}

static struct http1_span span_from(size_t at, size_t end) {
    return (struct http1_span){(uint32_t)at, (uint32_t)(end - at)};
}

static struct str span_text(const char *bytes, struct http1_span span) {
    return (struct str){bytes + span.at, span.len};
}

/* -- the request line ------------------------------------------------------------------------- */

static void see_start(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    /* RFC 9112 2.2: a server should ignore an empty line before the request. One, not a stream. */
    if (bytes[parser->at] == '\r' && !parser->skipped_line) {
        parser->skipped_line = true;
        parser->at++;
        parser->state = START_LF;
        return;
    }
    parser->mark = parser->at;
    parser->state = METHOD;
}

static void see_start_lf(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\n', START, "a carriage return stands alone");
}

static void see_method(struct http1 *parser, const char *bytes, size_t end) {
    parser->at = skip(bytes, parser->at, end, IN_TOKEN);
    if (parser->at - parser->mark > HTTP_METHOD_BYTES_MAX) {
        refuse(parser, 501, "the method is not known");
        return;
    }
    if (parser->at == end) return;
    if (parser->at == parser->mark || bytes[parser->at] != ' ') {
        refuse(parser, 400, "the method holds a character that is not allowed");
        return;
    }
    parser->method = span_from(parser->mark, parser->at);
    parser->at++;
    parser->mark = parser->at;
    parser->state = TARGET;
}

/* Origin form, or "*" for OPTIONS. Absolute form names a second host beside Host; two hosts are two
 * readings, and we are no proxy (against RFC 9112 3.2.2, on purpose). */
static bool is_target(struct str method, struct str target) {
    if (target.len == 0) return false;
    if (target.ptr[0] == '/') return true;
    return str_eq(target, STR("*")) && str_eq(method, STR("OPTIONS"));
}

static void see_target(struct http1 *parser, const char *bytes, size_t end) {
    parser->at = skip(bytes, parser->at, end, IN_TARGET);
    if (parser->at - parser->mark > HTTP_TARGET_BYTES_MAX) {
        refuse(parser, 414, "the target is too long");
        return;
    }
    if (parser->at == end) return;
    if (bytes[parser->at] != ' ') {
        refuse(parser, 400, "the target holds a character that is not allowed");
        return;
    }
    parser->target = span_from(parser->mark, parser->at);
    if (!is_target(span_text(bytes, parser->method), span_text(bytes, parser->target))) {
        refuse(parser, 400, "the target does not begin with a slash");
        return;
    }
    parser->at++;
    parser->mark = parser->at;
    parser->state = VERSION;
}

static void see_version(struct http1 *parser, const char *bytes, size_t end) {
    static const char form[] = "HTTP/0.0\r"; /* 0: any digit */

    for (; parser->at < end; parser->at++) {
        char wanted = form[parser->at - parser->mark];
        char byte = bytes[parser->at];
        bool fits = wanted == '0' ? byte >= '0' && byte <= '9' : byte == wanted;
        if (!fits) {
            refuse(parser, 400, "the request line does not end in a version and CR LF");
            return;
        }
        if (wanted == '\r') {
            parser->at++;
            parser->state = LINE_LF;
            return;
        }
    }
}

static bool is_known_method(struct str method) {
    static const struct str known[] = {STR_INIT("GET"),     STR_INIT("POST"), STR_INIT("DELETE"),
                                       STR_INIT("OPTIONS"), STR_INIT("HEAD"), STR_INIT("PUT"),
                                       STR_INIT("PATCH")};

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(method, known[i])) return true;
    return false;
}

static void see_line_lf(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\n', FIELD, "a carriage return stands alone");
    if (parser->state != FIELD) return;
    char major = bytes[parser->mark + 5];
    char minor = bytes[parser->mark + 7];
    if (major != '1' || minor > '1') {
        refuse(parser, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    } else if (!is_known_method(span_text(bytes, parser->method))) {
        refuse(parser, 501, "the method is not known");
    }
    parser->minor = minor - '0';
    parser->keeps_alive = parser->minor == 1;
}

/* -- headers ---------------------------------------------------------------------------------- */

static void see_host(struct http1 *parser, struct str value, struct http1_span where) {
    if (parser->host.len > 0) {
        refuse(parser, 400, "there are two Host headers");
    } else if (!http1_host_valid(value)) {
        refuse(parser, 400, "the Host header is malformed");
    }
    parser->host = where;
}

static void see_length(struct http1 *parser, struct str value, struct http1_span where) {
    uint64_t length = 0;

    (void)where;
    if (parser->has_length) {
        refuse(parser, 400, "there are two Content-Length headers");
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            refuse(parser, 400, "the Content-Length is not a number");
            return;
        }
    }
    if (!str_to_u64(value, &length) || length > INT64_MAX) {
        refuse(parser, 400, "the Content-Length is not a number");
        return;
    }
    parser->has_length = true;
    parser->left = (size_t)length;
}

static void see_coding(struct http1 *parser, struct str value, struct http1_span where) {
    (void)where;
    if (parser->has_coding) {
        refuse(parser, 400, "there are two Transfer-Encoding headers");
    } else if (value.len == 0) {
        refuse(parser, 400, "the Transfer-Encoding is empty");
    }
    parser->has_coding = true;
    parser->is_chunked = str_ieq(value, STR("chunked"));
}

static void see_connection(struct http1 *parser, struct str value, struct http1_span where) {
    (void)where;
    while (value.ptr != NULL) {
        struct str word = str_trim(str_cut(&value, ','));
        if (str_ieq(word, STR("close"))) parser->keeps_alive = false;
    }
}

static void see_expect(struct http1 *parser, struct str value, struct http1_span where) {
    (void)where;
    if (!str_ieq(value, STR("100-continue"))) {
        refuse(parser, 417, "the expectation is not known");
        return;
    }
    parser->expects_continue = parser->minor == 1;
}

/* The headers that change how we read or go on. */
static const struct {
    struct str name;
    void (*see)(struct http1 *parser, struct str value, struct http1_span where);
} framing[] = {
    {STR_INIT("Host"), see_host},
    {STR_INIT("Content-Length"), see_length},
    {STR_INIT("Transfer-Encoding"), see_coding},
    {STR_INIT("Connection"), see_connection},
    {STR_INIT("Expect"), see_expect},
};

static void see_field(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    char byte = bytes[parser->at];
    if (byte == '\r') {
        parser->at++;
        parser->state = HEAD_LF;
    } else if (byte == ' ' || byte == '\t') {
        refuse(parser, 400, "a header line is folded");
    } else if (parser->n_fields == parser->limits.headers) {
        refuse(parser, 431, "there are too many headers");
    } else {
        parser->mark = parser->at;
        parser->state = NAME;
    }
}

static void see_name(struct http1 *parser, const char *bytes, size_t end) {
    parser->at = skip(bytes, parser->at, end, IN_TOKEN);
    if (parser->at == end) return;
    if (parser->at == parser->mark || bytes[parser->at] != ':') {
        refuse(parser, 400, "a header's name holds a character that is not allowed");
        return;
    }
    parser->fields[parser->n_fields].name = span_from(parser->mark, parser->at);
    parser->at++;
    parser->state = BLANKS;
}

static void see_blanks(struct http1 *parser, const char *bytes, size_t end) {
    while (parser->at < end && (bytes[parser->at] == ' ' || bytes[parser->at] == '\t'))
        parser->at++;
    if (parser->at == end) return;
    parser->mark = parser->at;
    parser->state = VALUE;
}

static void see_value(struct http1 *parser, const char *bytes, size_t end) {
    parser->at = skip(bytes, parser->at, end, IN_VALUE);
    if (parser->at == end) return;
    if (bytes[parser->at] != '\r') {
        refuse(parser, 400, "a header's value holds a character that is not allowed");
        return;
    }
    size_t stop = parser->at;
    while (stop > parser->mark && (bytes[stop - 1] == ' ' || bytes[stop - 1] == '\t')) stop--;
    parser->fields[parser->n_fields].value = span_from(parser->mark, stop);
    parser->at++;
    parser->state = FIELD_LF;
}

static void see_field_lf(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\n', FIELD, "a carriage return stands alone");
    if (parser->state != FIELD) return;
    const struct http1_field *field = &parser->fields[parser->n_fields++];
    struct str name = span_text(bytes, field->name);
    for (size_t i = 0; i < COUNT(framing); i++) {
        if (framing[i].name.len != name.len || !str_ieq(framing[i].name, name)) continue;
        framing[i].see(parser, span_text(bytes, field->value), field->value);
        return;
    }
}

/* What the headers say together. */
static void judge_head(struct http1 *parser) {
    if (parser->minor == 1 && parser->host.len == 0) {
        refuse(parser, 400, "there is no Host header");
    } else if (parser->has_coding && parser->has_length) {
        refuse(parser, 400, "there are both Content-Length and Transfer-Encoding");
    } else if (parser->has_coding && parser->minor == 0) {
        refuse(parser, 400, "HTTP/1.0 has no Transfer-Encoding");
    } else if (parser->has_coding && !parser->is_chunked) {
        refuse(parser, 501, "the Transfer-Encoding is not known");
    } else if (parser->left > parser->limits.body_bytes) {
        refuse(parser, 413, "the body is too large");
    }
}

static void see_head_lf(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\n', BODY, "a carriage return stands alone");
    if (parser->state != BODY) return;
    judge_head(parser);
    if (parser->state == REFUSED) return;
    parser->has_head = true;
    parser->body_at = parser->at;
    parser->mark = 0;
    if (parser->has_coding) {
        parser->state = SIZE;
    } else if (parser->left == 0) {
        parser->state = DONE;
    }
}

/* -- bodies ----------------------------------------------------------------------------------- */

static void see_body(struct http1 *parser, const char *bytes, size_t end) {
    (void)bytes;
    size_t n = end - parser->at < parser->left ? end - parser->at : parser->left;
    parser->at += n;
    parser->left -= n;
    parser->body_len += n;
    if (parser->left == 0) parser->state = DONE;
}

static int hex_digit(char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

/* `mark` counts the digits here. */
static void see_size(struct http1 *parser, const char *bytes, size_t end) {
    for (; parser->at < end; parser->at++) {
        int digit = hex_digit(bytes[parser->at]);
        if (digit < 0) break;
        if (++parser->mark > HTTP_CHUNK_DIGITS_MAX) {
            refuse(parser, 400, "a chunk's size has too many digits");
            return;
        }
        parser->left = parser->left * 16 + (size_t)digit;
    }
    if (parser->at == end) return;
    char byte = bytes[parser->at++];
    if (parser->mark == 0 || (byte != ';' && byte != '\r')) {
        refuse(parser, 400, "a chunk's size is malformed");
    } else if (parser->left > parser->limits.body_bytes - parser->body_len) {
        refuse(parser, 413, "the body is too large");
    } else {
        parser->state = byte == ';' ? EXTENSION : SIZE_LF;
    }
}

static void see_extension(struct http1 *parser, const char *bytes, size_t end) {
    size_t from = parser->at;
    parser->at = skip(bytes, from, end, IN_VALUE);
    parser->extension_bytes += parser->at - from;
    if (parser->extension_bytes > HTTP_CHUNK_EXTENSION_BYTES_MAX) {
        refuse(parser, 400, "the chunk extensions are too long");
        return;
    }
    if (parser->at == end) return;
    expect(parser, bytes, '\r', SIZE_LF, "a chunk extension is malformed");
}

static void see_size_lf(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\n', parser->left > 0 ? CHUNK : LAST_CR, "a chunk's size is malformed");
}

/* Decodes in place: what is written never passes what is read. */
static void see_chunk(struct http1 *parser, char *bytes, size_t end) {
    size_t n = end - parser->at < parser->left ? end - parser->at : parser->left;
    memmove(bytes + parser->body_at + parser->body_len, bytes + parser->at, n);
    parser->at += n;
    parser->left -= n;
    parser->body_len += n;
    if (parser->left == 0) parser->state = CHUNK_CR;
}

static void see_chunk_cr(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\r', CHUNK_LF, "a chunk is longer than its size");
}

static void see_chunk_lf(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    parser->mark = 0;
    expect(parser, bytes, '\n', SIZE, "a chunk is longer than its size");
}

static void see_last_cr(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\r', LAST_LF, "trailers are not accepted");
}

static void see_last_lf(struct http1 *parser, const char *bytes, size_t end) {
    (void)end;
    expect(parser, bytes, '\n', DONE, "a carriage return stands alone");
}

/* -- the machine ------------------------------------------------------------------------------ */

static void see_byte(struct http1 *parser, char *bytes, size_t end) {
    switch ((enum state)parser->state) {
    case START: see_start(parser, bytes, end); break;
    case START_LF: see_start_lf(parser, bytes, end); break;
    case METHOD: see_method(parser, bytes, end); break;
    case TARGET: see_target(parser, bytes, end); break;
    case VERSION: see_version(parser, bytes, end); break;
    case LINE_LF: see_line_lf(parser, bytes, end); break;
    case FIELD: see_field(parser, bytes, end); break;
    case NAME: see_name(parser, bytes, end); break;
    case BLANKS: see_blanks(parser, bytes, end); break;
    case VALUE: see_value(parser, bytes, end); break;
    case FIELD_LF: see_field_lf(parser, bytes, end); break;
    case HEAD_LF: see_head_lf(parser, bytes, end); break;
    case BODY: see_body(parser, bytes, end); break;
    case SIZE: see_size(parser, bytes, end); break;
    case EXTENSION: see_extension(parser, bytes, end); break;
    case SIZE_LF: see_size_lf(parser, bytes, end); break;
    case CHUNK: see_chunk(parser, bytes, end); break;
    case CHUNK_CR: see_chunk_cr(parser, bytes, end); break;
    case CHUNK_LF: see_chunk_lf(parser, bytes, end); break;
    case LAST_CR: see_last_cr(parser, bytes, end); break;
    case LAST_LF: see_last_lf(parser, bytes, end); break;
    case DONE: /* final: sees no bytes */
    case REFUSED: assert(false); break;
    }
}

void http1_init(struct http1 *parser, const struct http1_limits *limits,
                struct http1_field *fields) {
    assert(limits->head_bytes < UINT32_MAX);
    memset(parser, 0, sizeof *parser);
    parser->limits = *limits;
    parser->fields = fields;
    parser->state = START;
}

static bool is_final(const struct http1 *parser) {
    return parser->state == DONE || parser->state == REFUSED;
}

/* The head is looked at only up to its limit, so that a fault before it is told and one behind it
 * is not, whatever was read in one piece. */
static void run_head(struct http1 *parser, char *bytes, size_t len) {
    size_t end = len < parser->limits.head_bytes ? len : parser->limits.head_bytes;

    while (parser->at < end && !parser->has_head && !is_final(parser)) see_byte(parser, bytes, end);
    if (parser->has_head || is_final(parser) || parser->at < parser->limits.head_bytes) return;
    if (parser->state <= TARGET) {
        refuse(parser, 414, "the target is too long");
    } else {
        refuse(parser, 431, "the head is too large");
    }
}

enum http1_step http1_run(struct http1 *parser, char *bytes, size_t *len) {
    if (!parser->has_head) run_head(parser, bytes, *len);
    if (parser->has_head)
        while (parser->at < *len && !is_final(parser)) see_byte(parser, bytes, *len);
    if (parser->state == REFUSED) return HTTP1_REFUSED;
    if (parser->state == DONE) return HTTP1_DONE;
    if (parser->has_head) {
        /* All was seen; what is left of chunk sizes between and behind the chunks goes. */
        parser->at = parser->body_at + parser->body_len;
        *len = parser->at;
    }
    return HTTP1_MORE;
}

size_t http1_end(const struct http1 *parser) {
    return parser->at;
}

size_t http1_missing(const struct http1 *parser) {
    switch ((enum state)parser->state) {
    case BODY: return parser->left;
    case CHUNK: return parser->left + sizeof("\r\n0\r\n\r\n") - 1;
    case START:
    case START_LF:
    case METHOD:
    case TARGET:
    case VERSION:
    case LINE_LF:
    case FIELD:
    case NAME:
    case BLANKS:
    case VALUE:
    case FIELD_LF:
    case HEAD_LF:
    case SIZE:
    case EXTENSION:
    case SIZE_LF:
    case CHUNK_CR:
    case CHUNK_LF:
    case LAST_CR:
    case LAST_LF:
    case DONE:
    case REFUSED: return 0;
    }
    return 0;
}

/* -- forms ------------------------------------------------------------------------------------ */

static bool is_port(struct str port) {
    uint64_t number = 0;

    return port.len <= 5 && str_to_u64(port, &number) && number <= UINT16_MAX;
}

static bool all_in(struct str s, enum class class) {
    for (size_t i = 0; i < s.len; i++)
        if (!is(s.ptr[i], class)) return false;
    return true;
}

static bool is_ipv6_text(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (hex_digit(s.ptr[i]) < 0 && s.ptr[i] != ':' && s.ptr[i] != '.') return false;
    return s.len >= 2 && str_find_byte(s, ':') < s.len;
}

bool http1_host_valid(struct str host) {
    size_t end;

    if (host.len > 0 && host.ptr[0] == '[') {
        end = str_find_byte(host, ']');
        if (end == host.len || !is_ipv6_text(str_slice(host, 1, end))) return false;
        end++;
    } else {
        end = str_find_byte(host, ':');
        if (end == 0 || !all_in(str_slice(host, 0, end), IN_HOST)) return false;
    }
    if (end == host.len) return true;
    return host.ptr[end] == ':' && is_port(str_slice(host, end + 1, host.len));
}

bool http1_token_valid(struct str name) {
    return name.len > 0 && all_in(name, IN_TOKEN);
}

bool http1_value_valid(struct str value) {
    return all_in(value, IN_VALUE);
}
