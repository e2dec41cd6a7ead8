/*
 * net/outbox.h - bytes that wait for the peer to read
 *
 * A buf with a hole in front: what was sent is freed chunk by chunk, so that a stream that never
 * ends does not grow. Empty, it holds no memory.
 *
 * Threads: one owner at a time.
 */
#ifndef WEIR_NET_OUTBOX_H
#define WEIR_NET_OUTBOX_H

#include "base/buf.h"

struct outbox {
    struct buf queue;
    size_t sent; /* of the queue's first bytes */
};

void outbox_init(struct outbox *box);
void outbox_deinit(struct outbox *box);
static inline size_t outbox_pending(const struct outbox *box) {
    return box->queue.len - box->sent;
}
/* Takes all bytes of `from`. Small texts are copied behind each other, so that a thousand of them
 * do not hold a thousand chunks. false: no memory; `from` is emptied all the same. */
bool outbox_take(struct outbox *box, struct buf *from) __attribute__((warn_unused_result));
size_t outbox_iov(const struct outbox *box, struct iovec *iov, size_t n);
void outbox_drop(struct outbox *box, size_t n); /* the first n bytes were sent */

#endif
