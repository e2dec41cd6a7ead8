/*
 * net/wire.h - a connected socket, in the clear or under TLS
 *
 * Both sorts read and write the same way, so that nothing above asks which it is. The TLS handshake
 * happens inside the first reads.
 *
 * Memory:  a wire owns its descriptor and TLS session; wire_close() ends both.
 * Errors:  as steps: an end and a break are everyday things.
 * Threads: one owner at a time.
 */
#ifndef WEIR_NET_WIRE_H
#define WEIR_NET_WIRE_H

#include "base/fail.h"

#include <sys/uio.h>

struct ssl_st;
struct tls;

enum wire_step {
    WIRE_OK,    /* at least one byte went */
    WIRE_AGAIN, /* wait for the socket; see wants_write */
    WIRE_END,   /* the peer sends no more (reading only) */
    WIRE_BROKEN,
};

struct wire {
    int fd;
    struct ssl_st *ssl; /* NULL: in the clear */
    bool wants_write;   /* the last AGAIN waits for room to write, even if it was a read */
};

/* `tls` NULL: in the clear. The fd must be non-blocking. On failure the fd is closed. */
bool wire_open(struct wire *wire, int fd, struct tls *tls) __attribute__((warn_unused_result));
/* Reads up to cap bytes. */
enum wire_step wire_read(struct wire *wire, char *bytes, size_t cap, size_t *got);
/* Writes a prefix. Under TLS, bytes refused with AGAIN must be offered again, first. */
enum wire_step wire_write(struct wire *wire, const struct iovec *iov, size_t n, size_t *sent);
/* Bytes are waiting inside that the socket no longer announces. */
bool wire_has_pending(const struct wire *wire);
/* Says that we send no more. */
void wire_shut(struct wire *wire);
void wire_close(struct wire *wire);

/* -- TLS 1.3 ------------------------------------------------------------------------------------
 */

/* PEM files: a certificate with its chain, and its key. FAIL_CONFIG when they cannot be read or do
 * not belong together. Threads: a made tls may be shared. */
MUST_USE result tls_new(struct tls **out, struct str cert_file, struct str key_file,
                        struct report *report);
void tls_free(struct tls *tls); /* takes NULL */

#endif
