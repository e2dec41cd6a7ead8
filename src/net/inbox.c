#include "net/inbox.h"

#include "base/fault.h"
#include "base/limits.h"

#include <stdlib.h>

void inbox_pool_init(struct inbox_pool *pool, const struct http1_limits *limits, size_t most_held) {
    *pool = (struct inbox_pool){.limits = *limits, .most_held = most_held};
}

void inbox_pool_deinit(struct inbox_pool *pool) {
    while (pool->kept != NULL) {
        struct inbox *box = pool->kept;
        pool->kept = box->next;
        free(box);
    }
    pool->n_kept = 0;
}

/* One piece: the struct, its headers, their offsets, the small bytes. */
static struct inbox *make(const struct http1_limits *limits) {
    size_t headers_size = limits->headers * sizeof(struct http_header);
    size_t fields_size = limits->headers * sizeof(struct http1_field);
    size_t size = sizeof(struct inbox) + headers_size + fields_size + HTTP_INBOX_BYTES;
    struct inbox *box = fault_now() ? NULL : malloc(size);

    if (box == NULL) return NULL;
    box->headers = (struct http_header *)(box + 1);
    box->fields = (struct http1_field *)(box->headers + limits->headers);
    box->small = (char *)(box->fields + limits->headers);
    return box;
}

struct inbox *inbox_take(struct inbox_pool *pool) {
    struct inbox *box = pool->kept;

    if (box != NULL) {
        pool->kept = box->next;
        pool->n_kept--;
    } else {
        box = make(&pool->limits);
        if (box == NULL) return NULL;
    }
    box->next = NULL;
    box->bytes = box->small;
    box->cap = HTTP_INBOX_BYTES;
    box->len = 0;
    http1_init(&box->parser, &pool->limits, box->fields);
    return box;
}

static void drop_large(struct inbox_pool *pool, struct inbox *box) {
    if (box->bytes == box->small) return;
    free(box->bytes);
    pool->held -= box->cap;
}

void inbox_give(struct inbox_pool *pool, struct inbox *box) {
    if (box == NULL) return;
    drop_large(pool, box);
    if (pool->n_kept == HTTP_INBOXES_KEPT) {
        free(box);
        return;
    }
    box->next = pool->kept;
    pool->kept = box;
    pool->n_kept++;
}

/* Doubles, or grows at once to what the head announced if that is less: a peer that announces much
 * and sends little must not make us hold much. */
static size_t next_cap(const struct inbox_pool *pool, const struct inbox *box) {
    size_t most = pool->limits.head_bytes + pool->limits.body_bytes + HTTP_INBOX_BYTES;
    size_t missing = http1_missing(&box->parser);
    size_t cap = box->cap * 2;

    if (missing > 0 && box->len + missing < cap) cap = box->len + missing;
    return cap < most ? cap : most;
}

bool inbox_make_room(struct inbox_pool *pool, struct inbox *box) {
    if (box->len < box->cap) return true;
    size_t cap = next_cap(pool, box);
    if (cap <= box->len || cap > pool->most_held - pool->held) return false;
    char *bytes = fault_now() ? NULL : malloc(cap);
    if (bytes == NULL) return false;
    memcpy(bytes, box->bytes, box->len);
    drop_large(pool, box);
    pool->held += cap;
    box->bytes = bytes;
    box->cap = cap;
    return true;
}

static struct str view(const struct inbox *box, struct http1_span span) {
    return (struct str){box->bytes + span.at, span.len};
}

void inbox_present(struct inbox *box) {
    const struct http1 *parser = &box->parser;

    for (size_t i = 0; i < parser->n_fields; i++) {
        box->headers[i].name = view(box, parser->fields[i].name);
        box->headers[i].value = view(box, parser->fields[i].value);
    }
    struct str target = view(box, parser->target);
    struct str query = target;
    struct str path = str_cut(&query, '?');
    box->request = (struct http_request){
        .method = view(box, parser->method),
        .target = target,
        .path = path,
        .query = query,
        .host = parser->host.len > 0 ? view(box, parser->host) : STR_NONE,
        .body = {box->bytes + parser->body_at, parser->body_len},
        .headers = box->headers,
        .n_headers = parser->n_fields,
    };
}

size_t inbox_rest(const struct inbox *box) {
    return box->len - http1_end(&box->parser);
}

void inbox_next(struct inbox_pool *pool, struct inbox *box) {
    size_t from = http1_end(&box->parser);
    size_t rest = inbox_rest(box);

    if (box->bytes != box->small && rest <= HTTP_INBOX_BYTES) {
        memcpy(box->small, box->bytes + from, rest);
        drop_large(pool, box);
        box->bytes = box->small;
        box->cap = HTTP_INBOX_BYTES;
    } else {
        memmove(box->bytes, box->bytes + from, rest);
    }
    box->len = rest;
    http1_init(&box->parser, &pool->limits, box->fields);
}
