/*
 * The strictness table: bytes as sent, and what they have to be answered.
 *
 * One row is one connection: the parser's test, the live server's test and the fuzz corpus
 * (test/fuzz/corpus/http) all come from here. Status 200: a whole request, accepted; 0: nothing
 * wrong yet, more is awaited; else refused so, at once, and closed.
 */
#ifndef WEIR_TEST_STRICTNESS_H
#define WEIR_TEST_STRICTNESS_H

#include "base/buf.h"

struct strict_case {
    const char *name;
    int status;
    struct str bytes;
    void (*make)(struct buf *out); /* instead of bytes, where they are many */
};

#define GET_   "GET /mcp HTTP/1.1\r\n"
#define POST_  "POST /mcp HTTP/1.1\r\n"
#define HOST_  "Host: localhost:8000\r\n"
#define CHUNK_ POST_ HOST_ "Transfer-Encoding: chunked\r\n\r\n"

static void make_header_64k(struct buf *out) {
    buf_add(out, STR(GET_ HOST_ "X-Long: "));
    for (int i = 0; i < 65536; i++) buf_add_byte(out, 'a');
    buf_add(out, STR("\r\n\r\n"));
}

static void make_headers_2000(struct buf *out) {
    buf_add(out, STR(GET_ HOST_));
    for (int i = 0; i < 2000; i++) buf_add(out, STR("a: b\r\n"));
    buf_add(out, STR("\r\n"));
}

static void make_target_9k(struct buf *out) {
    buf_add(out, STR("GET /"));
    for (int i = 0; i < 9000; i++) buf_add_byte(out, 'a');
    buf_add(out, STR(" HTTP/1.1\r\n" HOST_ "\r\n"));
}

static void make_extensions_2k(struct buf *out) {
    buf_add(out, STR(CHUNK_ "5;"));
    for (int i = 0; i < 2000; i++) buf_add_byte(out, 'x');
    buf_add(out, STR("\r\nhello\r\n0\r\n\r\n"));
}

static void make_chunks_of_one(struct buf *out) {
    buf_add(out, STR(CHUNK_));
    for (int i = 0; i < 3000; i++) buf_add(out, STR("1\r\nx\r\n"));
    buf_add(out, STR("0\r\n\r\n"));
}

static void make_body_40k(struct buf *out) {
    buf_add(out, STR(POST_ HOST_ "Content-Length: 40000\r\n\r\n"));
    for (int i = 0; i < 40000; i++) buf_add_byte(out, (char)('a' + i % 26));
}

static void make_head_12k(struct buf *out) {
    buf_add(out, STR(GET_ HOST_ "X-Long: "));
    for (int i = 0; i < 12000; i++) buf_add_byte(out, 'a');
    buf_add(out, STR("\r\n\r\n"));
}

#define ROW(name, status, text)                                                                    \
    { name, status, STR_INIT(text), NULL }
#define MADE(name, status, make)                                                                   \
    { name, status, {NULL, 0}, make }

static const struct strict_case strictness[] = {
    /* what has to pass */
    ROW("get", 200, GET_ HOST_ "\r\n"),
    ROW("post", 200, POST_ HOST_ "Content-Length: 2\r\n\r\n{}"),
    ROW("post-chunked", 200, CHUNK_ "5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"),
    ROW("chunk-zeros", 200, CHUNK_ "005\r\nhello\r\n000\r\n\r\n"),
    ROW("http-1.0", 200, "GET / HTTP/1.0\r\n\r\n"),
    ROW("empty-line-first", 200, "\r\n" GET_ HOST_ "\r\n"),
    ROW("options-star", 200, "OPTIONS * HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("ipv6-host", 200, GET_ "Host: [::1]:8000\r\n\r\n"),
    ROW("value-blanks", 200, GET_ "Host: \t localhost \t \r\nX:\r\nY: a\tb \r\n\r\n"),
    ROW("utf8-value", 200, GET_ HOST_ "X: \xe5\x8d\x8e\xe5\x8d\x97\r\n\r\n"),
    ROW("zero-length", 200, POST_ HOST_ "Content-Length: 0\r\n\r\n"),
    ROW("expect-continue", 200, POST_ HOST_ "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"),
    ROW("coding-case", 200, POST_ HOST_ "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n"),
    MADE("chunks-of-one", 200, make_chunks_of_one),
    MADE("body-40k", 200, make_body_40k),
    MADE("head-12k", 200, make_head_12k),

    /* Host */
    ROW("no-host", 400, GET_ "X: y\r\n\r\n"),
    ROW("two-hosts", 400, GET_ HOST_ HOST_ "\r\n"),
    ROW("two-hosts-1.0", 400, "GET / HTTP/1.0\r\n" HOST_ HOST_ "\r\n"),
    ROW("host-empty", 400, GET_ "Host: \r\n\r\n"),
    ROW("host-userinfo", 400, GET_ "Host: localhost@evil.example\r\n\r\n"),
    ROW("host-list", 400, GET_ "Host: a.example, b.example\r\n\r\n"),
    ROW("host-path", 400, GET_ "Host: a.example/b\r\n\r\n"),
    ROW("host-port-large", 400, GET_ "Host: a.example:65536\r\n\r\n"),
    ROW("host-port-sign", 400, GET_ "Host: a.example:+80\r\n\r\n"),
    ROW("host-port-empty", 400, GET_ "Host: a.example:\r\n\r\n"),
    ROW("host-bracket-open", 400, GET_ "Host: [::1\r\n\r\n"),
    ROW("host-bracket-name", 400, GET_ "Host: [evil]\r\n\r\n"),

    /* lengths */
    ROW("length-and-chunked", 400,
        POST_ HOST_ "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("chunked-and-length", 400,
        POST_ HOST_ "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
    ROW("two-lengths", 400, POST_ HOST_ "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
    ROW("two-equal-lengths", 400, POST_ HOST_ "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ROW("length-list", 400, POST_ HOST_ "Content-Length: 2, 2\r\n\r\n{}"),
    ROW("length-plus", 400, POST_ HOST_ "Content-Length: +8\r\n\r\n12345678"),
    ROW("length-minus", 400, POST_ HOST_ "Content-Length: -1\r\n\r\n"),
    ROW("length-hex", 400, POST_ HOST_ "Content-Length: 0x8\r\n\r\n12345678"),
    ROW("length-empty", 400, POST_ HOST_ "Content-Length: \r\n\r\n"),
    ROW("length-blank-inside", 400, POST_ HOST_ "Content-Length: 1 2\r\n\r\n"),
    ROW("length-overflow", 400, POST_ HOST_ "Content-Length: 18446744073709551618\r\n\r\n{}"),
    ROW("length-underscore", 400, POST_ HOST_ "Content-Length: 1_0\r\n\r\n"),
    ROW("length-too-large", 413, POST_ HOST_ "Content-Length: 4194305\r\n\r\n"),

    /* transfer codings */
    ROW("coding-unknown", 501, POST_ HOST_ "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ROW("coding-gzip", 501, POST_ HOST_ "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ROW("coding-identity", 501, POST_ HOST_ "Transfer-Encoding: identity\r\n\r\n"),
    ROW("coding-quoted", 501, POST_ HOST_ "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    ROW("coding-twice", 400,
        POST_ HOST_ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("coding-empty", 400, POST_ HOST_ "Transfer-Encoding:\r\n\r\n"),
    ROW("coding-vertical-tab", 400,
        POST_ HOST_ "Transfer-Encoding: \x0b"
                    "chunked\r\n\r\n"),
    ROW("coding-1.0", 400,
        "POST / HTTP/1.0\r\n" HOST_ "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("expect-unknown", 417, POST_ HOST_ "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}"),

    /* lines */
    ROW("space-before-colon", 400, GET_ "Host : localhost\r\n\r\n"),
    ROW("tab-before-colon", 400, GET_ HOST_ "X\t: y\r\n\r\n"),
    ROW("obs-fold", 400, GET_ HOST_ "X: a\r\n b\r\n\r\n"),
    ROW("obs-fold-first", 400, GET_ " Host: localhost\r\n\r\n"),
    ROW("bare-lf-all", 400, "GET /mcp HTTP/1.1\nHost: localhost\n\n"),
    ROW("bare-lf-header", 400, GET_ "Host: localhost\n\r\n"),
    ROW("bare-lf-end", 400, GET_ HOST_ "\n"),
    ROW("bare-lf-first", 400, "\n" GET_ HOST_ "\r\n"),
    ROW("bare-cr", 400, GET_ HOST_ "X: a\rY: b\r\n\r\n"),
    ROW("bare-cr-line", 400, "GET /mcp HTTP/1.1\rHost: localhost\r\n\r\n"),
    ROW("cr-cr-lf", 400, GET_ HOST_ "X: a\r\r\n\r\n"),
    ROW("nul-in-value", 400, GET_ HOST_ "X: a\0b\r\n\r\n"),
    ROW("nul-in-name", 400, GET_ HOST_ "X\0: b\r\n\r\n"),
    ROW("del-in-value", 400, GET_ HOST_ "X: a\x7f\r\n\r\n"),
    ROW("name-empty", 400, GET_ HOST_ ": b\r\n\r\n"),
    ROW("name-bracket", 400, GET_ HOST_ "X(y): b\r\n\r\n"),
    ROW("name-8-bit", 400, GET_ HOST_ "X\xe9: b\r\n\r\n"),
    ROW("line-without-colon", 400, GET_ HOST_ "hello\r\n\r\n"),
    ROW("two-empty-lines-first", 400, "\r\n\r\n" GET_ HOST_ "\r\n"),

    /* the request line */
    ROW("control-in-method", 400, "G\x01T / HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("method-empty", 400, " / HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("method-unknown", 501, "BREW / HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("method-lower", 501, "get / HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("method-long", 501, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n"),
    ROW("connect", 400, "CONNECT a.example:443 HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("absolute-form", 400, "GET http://evil.example/ HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("star-get", 400, "GET * HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("target-empty", 400, "GET  HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("target-two-blanks", 400, "GET  / HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("target-blank-inside", 400, "GET /a b HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("target-8-bit", 400, "GET /\xe9 HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("target-fragment", 400, "GET /a#b HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("target-nul", 400, "GET /a\0b HTTP/1.1\r\n" HOST_ "\r\n"),
    ROW("http-0.9", 400, "GET /\r\n"),
    ROW("http-1.2", 505, "GET / HTTP/1.2\r\n" HOST_ "\r\n"),
    ROW("http-2.0", 505, "GET / HTTP/2.0\r\n" HOST_ "\r\n"),
    ROW("version-lower", 400, "GET / http/1.1\r\n" HOST_ "\r\n"),
    ROW("version-long", 400, "GET / HTTP/1.10\r\n" HOST_ "\r\n"),
    ROW("version-blank", 400, "GET / HTTP/1.1 \r\n" HOST_ "\r\n"),
    ROW("tls-hello", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),

    /* chunks */
    ROW("chunk-plus", 400, CHUNK_ "+8\r\n12345678\r\n0\r\n\r\n"),
    ROW("chunk-hex-prefix", 400, CHUNK_ "0x8\r\n12345678\r\n0\r\n\r\n"),
    ROW("chunk-lf-only", 400, CHUNK_ "5\nhello\n0\n\n"),
    ROW("chunk-empty-size", 400, CHUNK_ "\r\nhello\r\n0\r\n\r\n"),
    ROW("chunk-blank", 400, CHUNK_ "5 \r\nhello\r\n0\r\n\r\n"),
    ROW("chunk-blank-first", 400, CHUNK_ " 5\r\nhello\r\n0\r\n\r\n"),
    ROW("chunk-overflow", 400, CHUNK_ "10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ROW("chunk-too-large", 413, CHUNK_ "400001\r\nhello"),
    ROW("chunk-longer", 400, CHUNK_ "5\r\nhello!\r\n0\r\n\r\n"),
    ROW("chunk-data-lf", 400, CHUNK_ "5\r\nhello\n0\r\n\r\n"),
    ROW("chunk-extension-lf", 400, CHUNK_ "5;a\nhello\r\n0\r\n\r\n"),
    ROW("chunk-extension-nul", 400, CHUNK_ "5;a\0\r\nhello\r\n0\r\n\r\n"),
    ROW("chunk-trailer", 400, CHUNK_ "5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    ROW("chunk-last-lf", 400, CHUNK_ "0\r\n\n"),
    MADE("chunk-extensions-2k", 400, make_extensions_2k),

    /* sizes */
    MADE("header-64k", 431, make_header_64k),
    MADE("headers-2000", 431, make_headers_2000),
    MADE("target-9k", 414, make_target_9k),

    /* nothing wrong yet */
    ROW("nothing", 0, ""),
    ROW("half-method", 0, "PO"),
    ROW("half-head", 0, POST_ HOST_),
    ROW("half-body", 0, POST_ HOST_ "Content-Length: 5\r\n\r\nhel"),
    ROW("half-chunk", 0, CHUNK_ "5\r\nhel"),
    ROW("half-chunk-size", 0, CHUNK_ "5"),
    ROW("no-last-chunk", 0, CHUNK_ "5\r\nhello\r\n"),

    /* several requests of one connection; the status is that of the first */
    ROW("pipelined", 200,
        POST_ HOST_ "Content-Length: 2\r\n\r\n{}" CHUNK_ "5\r\nhello\r\n0\r\n\r\n" GET_ HOST_
                    "\r\n"),
    ROW("pipelined-then-bad", 200,
        POST_ HOST_ "Content-Length: 2\r\n\r\n{}" CHUNK_ "1;a=b\r\nx\r\n0\r\n\r\n" GET_ "\r\n"),
    ROW("body-shorter-than-sent", 200, POST_ HOST_ "Content-Length: 2\r\n\r\n{}{}"),
};

static void strict_bytes(const struct strict_case *row, struct buf *out) {
    if (row->make != NULL)
        row->make(out);
    else
        buf_add(out, row->bytes);
}

#endif
