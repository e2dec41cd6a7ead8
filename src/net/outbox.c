#include "net/outbox.h"

#include "base/limits.h"

#include <stdlib.h>

void outbox_init(struct outbox *box) {
    /* Who fills it knows the maximum (a reply's, a stream's); moving must not fail. */
    buf_init(&box->queue, SIZE_MAX);
    box->sent = 0;
}

void outbox_deinit(struct outbox *box) {
    buf_deinit(&box->queue);
    box->sent = 0;
}

bool outbox_take(struct outbox *box, struct buf *from) {
    if (box->queue.last != NULL && from->len <= HTTP_OUTBOX_COPY_BYTES) {
        for (const struct buf_chunk *chunk = from->first; chunk != NULL; chunk = chunk->next)
            buf_add(&box->queue, (struct str){chunk->bytes, chunk->len});
        buf_deinit(from);
    } else {
        buf_append(&box->queue, from);
    }
    return box->queue.failed == FAIL_NONE;
}

size_t outbox_iov(const struct outbox *box, struct iovec *iov, size_t n) {
    return buf_iov(&box->queue, box->sent, iov, n);
}

void outbox_drop(struct outbox *box, size_t n) {
    struct buf *queue = &box->queue;

    box->sent += n;
    while (queue->first != NULL && box->sent >= queue->first->len) {
        struct buf_chunk *chunk = queue->first;
        box->sent -= chunk->len;
        queue->len -= chunk->len;
        queue->first = chunk->next;
        if (queue->first == NULL) queue->last = NULL;
        free(chunk); /* chunks come from malloc: base/buf.h */
    }
}
