#include "net/wire.h"

#include "base/arena.h"
#include "base/fault.h"
#include "base/limits.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

/* One TLS record: many small chunks leave as one, with one tag and one system call. */
enum { RECORD_BYTES = 16 << 10 };

/* -- in the clear ----------------------------------------------------------------------------- */

static enum wire_step step_of_errno(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? WIRE_AGAIN : WIRE_BROKEN;
}

static enum wire_step read_clear(struct wire *wire, char *bytes, size_t cap, size_t *got) {
    ssize_t n = recv(wire->fd, bytes, cap, 0);

    if (n < 0) return step_of_errno();
    if (n == 0) return WIRE_END;
    *got = (size_t)n;
    return WIRE_OK;
}

static enum wire_step write_clear(struct wire *wire, const struct iovec *iov, size_t n,
                                  size_t *sent) {
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n};
    ssize_t done = sendmsg(wire->fd, &message, MSG_NOSIGNAL);

    if (done < 0) {
        enum wire_step step = step_of_errno();
        wire->wants_write = step == WIRE_AGAIN;
        return step;
    }
    *sent = (size_t)done;
    return WIRE_OK;
}

/* -- TLS -------------------------------------------------------------------------------------- */

static enum wire_step step_of_ssl(struct wire *wire, int returned) {
    switch (SSL_get_error(wire->ssl, returned)) {
    case SSL_ERROR_WANT_READ: return WIRE_AGAIN;
    case SSL_ERROR_WANT_WRITE: wire->wants_write = true; return WIRE_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return WIRE_END;
    default: return WIRE_BROKEN; /* OpenSSL's list, not ours: the rest are ends */
    }
}

static enum wire_step read_tls(struct wire *wire, char *bytes, size_t cap, size_t *got) {
    ERR_clear_error();
    int r = SSL_read_ex(wire->ssl, bytes, cap, got);
    return r == 1 ? WIRE_OK : step_of_ssl(wire, r);
}

static size_t gather(const struct iovec *iov, size_t n, char *out, size_t cap) {
    size_t len = 0;

    for (size_t i = 0; i < n && len < cap; i++) {
        size_t part = iov[i].iov_len < cap - len ? iov[i].iov_len : cap - len;
        memcpy(out + len, iov[i].iov_base, part);
        len += part;
    }
    return len;
}

static enum wire_step write_tls(struct wire *wire, const struct iovec *iov, size_t n,
                                size_t *sent) {
    char record[RECORD_BYTES];
    size_t len = gather(iov, n, record, sizeof record);

    ERR_clear_error();
    int r = SSL_write_ex(wire->ssl, record, len, sent);
    return r == 1 ? WIRE_OK : step_of_ssl(wire, r);
}

/* -- both ------------------------------------------------------------------------------------- */

struct tls {
    SSL_CTX *ctx;
};

bool wire_open(struct wire *wire, int fd, struct tls *tls) {
    *wire = (struct wire){.fd = fd};
    if (tls == NULL) return true;
    wire->ssl = fault_now() ? NULL : SSL_new(tls->ctx);
    if (wire->ssl == NULL || SSL_set_fd(wire->ssl, fd) != 1) {
        wire_close(wire);
        return false;
    }
    SSL_set_accept_state(wire->ssl);
    return true;
}

enum wire_step wire_read(struct wire *wire, char *bytes, size_t cap, size_t *got) {
    wire->wants_write = false;
    if (fault_now()) return WIRE_BROKEN;
    return wire->ssl != NULL ? read_tls(wire, bytes, cap, got) : read_clear(wire, bytes, cap, got);
}

enum wire_step wire_write(struct wire *wire, const struct iovec *iov, size_t n, size_t *sent) {
    wire->wants_write = false;
    if (fault_now()) return WIRE_BROKEN;
    return wire->ssl != NULL ? write_tls(wire, iov, n, sent) : write_clear(wire, iov, n, sent);
}

bool wire_has_pending(const struct wire *wire) {
    return wire->ssl != NULL && SSL_has_pending(wire->ssl) == 1;
}

void wire_shut(struct wire *wire) {
    if (wire->ssl != NULL) {
        ERR_clear_error();
        SSL_shutdown(wire->ssl); /* one way: the peer's farewell is not waited for */
    }
    shutdown(wire->fd, SHUT_WR);
}

void wire_close(struct wire *wire) {
    if (wire->ssl != NULL) SSL_free(wire->ssl);
    if (wire->fd >= 0) close(wire->fd);
    *wire = (struct wire){.fd = -1};
}

/* -- the certificate -------------------------------------------------------------------------- */

static result load_files(SSL_CTX *ctx, struct str cert_file, struct str key_file,
                         struct report *report) {
    struct arena arena;
    arena_init(&arena, 64 * KIB);
    const char *cert = str_cstr(&arena, cert_file);
    const char *key = str_cstr(&arena, key_file);
    result r = OK;

    ERR_clear_error();
    if (cert == NULL || key == NULL) {
        r = fail_memory(report);
    } else if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
        r = fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                 "could not read the certificate '" STR_FMT "'", STR_ARG(cert_file));
    } else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        r = fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                 "could not use the key '" STR_FMT "' with its certificate", STR_ARG(key_file));
    }
    ERR_clear_error();
    arena_deinit(&arena);
    return r;
}

result tls_new(struct tls **out, struct str cert_file, struct str key_file, struct report *report) {
    struct tls *tls = fault_now() ? NULL : calloc(1, sizeof *tls);

    if (tls == NULL) return fail_memory(report);
    tls->ctx = fault_now() ? NULL : SSL_CTX_new(TLS_server_method());
    if (tls->ctx == NULL) {
        tls_free(tls);
        return fail_memory(report);
    }
    SSL_CTX_set_min_proto_version(tls->ctx, TLS1_3_VERSION);
    /* Idle sessions give their 34 KiB back; a retried write may come from another place. */
    SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    result r = load_files(tls->ctx, cert_file, key_file, report);
    if (r.why != FAIL_NONE) {
        tls_free(tls);
        return r;
    }
    *out = tls;
    return OK;
}

void tls_free(struct tls *tls) {
    if (tls == NULL) return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}
