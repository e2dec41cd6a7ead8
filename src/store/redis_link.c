#include "store/redis_link.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000, CHUNK = 16 * 1024 };

/* -- telling ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static result broken(struct redis_link *link, const char *fmt,
                                                           ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(link->reason, sizeof link->reason, fmt, args);
    va_end(args);
    return (result){FAIL_IO};
}

static result no_memory(struct redis_link *link) {
    (void)broken(link, "there is no memory");
    return (result){FAIL_MEMORY};
}

static const struct {
    struct str word;
    bool is_undone;
    const char *meaning;
} errors[] = {
    {STR_INIT("LOADING"), true, "it is still loading its data"},
    {STR_INIT("BUSY"), true, "another one's script keeps it busy"},
    {STR_INIT("MISCONF"), true, "it cannot save to its disk, and so takes no writes"},
    {STR_INIT("READONLY"), true, "it is a replica, which takes no writes"},
    {STR_INIT("MASTERDOWN"), true, "it is a replica that lost its master"},
    {STR_INIT("NOREPLICAS"), true, "too few of its replicas are there for a write"},
    {STR_INIT("OOM"), true, "its memory is full (maxmemory)"},
    {STR_INIT("NOAUTH"), true, "it wants a user or a password, and store.redis_url names none"},
    {STR_INIT("WRONGPASS"), true, "it does not know this user with this password"},
    {STR_INIT("DENIED"), true,
     "it is in protected mode: it wants a password, or takes loopback only"},
    {STR_INIT("MOVED"), true, "another node of its cluster holds our keys: name that one"},
    {STR_INIT("CLUSTERDOWN"), true, "its cluster is down"},
    {STR_INIT("NOPERM"), false,
     "its user may not run a command, or touch a key, that the store needs"},
    {STR_INIT("WRONGTYPE"), false, "a key of ours was changed by somebody else"},
};

/* Inside of a script Redis says so in a sentence, of the sort ERR. */
static struct str word_of(struct str error) {
    struct str rest = error;
    bool is_forbidden = str_find(error, STR("The user executing the script can't")) < error.len;
    return is_forbidden ? STR("NOPERM") : str_cut(&rest, ' ');
}

bool redis_link_explain(struct redis_link *link, struct str error) {
    struct str word = word_of(error);
    for (size_t i = 0; i < COUNT(errors); i++) {
        if (!str_eq(word, errors[i].word)) continue;
        (void)broken(link, "%s", errors[i].meaning);
        return errors[i].is_undone;
    }
    bool is_word = word.len > 0 && word.len <= 16;
    for (size_t i = 0; i < word.len; i++)
        is_word = is_word && word.ptr[i] >= 'A' && word.ptr[i] <= 'Z';
    if (is_word)
        (void)broken(link, "it answers with an error (" STR_FMT ")", STR_ARG(word));
    else
        (void)broken(link, "it answers with an error");
    return false;
}

/* -- waiting ---------------------------------------------------------------------------------- */

static bool is_greeting(const struct redis_link *link) {
    return link->wire.ssl != NULL && !SSL_is_init_finished(link->wire.ssl);
}

/* Redis without TLS takes a greeting for half a command, and waits for the rest of it. */
static result too_late(struct redis_link *link) {
    return broken(link, is_greeting(link) ? "it did not answer to TLS in time"
                                          : "it did not answer in time");
}

static result wait_for(struct redis_link *link, short events, int64_t deadline_ns) {
    struct pollfd fd = {.fd = link->wire.fd, .events = events};
    for (;;) {
        int64_t left = deadline_ns - clock_mono_ns(&clock_real);
        link->is_late = left <= 0 || fault_now();
        if (link->is_late) return too_late(link);
        int64_t ms = left / NS_PER_MS + 1;
        int n = poll(&fd, 1, ms > INT32_MAX ? INT32_MAX : (int)ms);
        if (n > 0) return OK;
        if (n < 0 && errno != EINTR) return broken(link, "%s", strerrordesc_np(errno));
    }
}

/* Under TLS a write may have to read first, and a read to write. */
static result wait_again(struct redis_link *link, int64_t deadline_ns) {
    return wait_for(link, link->wire.wants_write ? POLLOUT : POLLIN, deadline_ns);
}

/* A certificate that does not hold breaks the first read or write, with no errno. */
static result ended(struct redis_link *link) {
    long verdict = link->wire.ssl != NULL ? SSL_get_verify_result(link->wire.ssl) : X509_V_OK;
    if (verdict != X509_V_OK)
        return broken(link, "its certificate does not hold: %s",
                      X509_verify_cert_error_string(verdict));
    return broken(link, is_greeting(link) ? "the TLS handshake failed" : "it ended the connection");
}

/* -- one question ----------------------------------------------------------------------------- */

static result send_all(struct redis_link *link, const struct buf *out, int64_t deadline_ns) {
    for (size_t sent = 0; sent < out->len;) {
        struct iovec iov[16];
        size_t n = buf_iov(out, sent, iov, COUNT(iov)), went = 0;
        switch (wire_write(&link->wire, iov, n, &went)) {
        case WIRE_OK: sent += went; break;
        case WIRE_AGAIN: TRY(wait_again(link, deadline_ns)); break;
        case WIRE_END:
        case WIRE_BROKEN: return ended(link);
        }
    }
    link->is_sent = true;
    return OK;
}

static result feed(struct redis_link *link, struct str bytes, const struct redis_reply **out) {
    switch (redis_reading_feed(&link->reading, bytes, out).why) {
    case FAIL_NONE: return OK;
    case FAIL_MEMORY: return no_memory(link);
    case FAIL_LIMIT: return broken(link, "it answers more than was asked for");
    case FAIL_INPUT:
    case FAIL_DENIED:
    case FAIL_IO:
    case FAIL_BACKEND:
    case FAIL_TIMEOUT:
    case FAIL_CANCELLED:
    case FAIL_ASKED:
    case FAIL_WAIT:
    case FAIL_BUSY:
    case FAIL_ABSENT:
    case FAIL_CONFIG: break;
    }
    return broken(link, "what answers there is no Redis");
}

static result receive(struct redis_link *link, int64_t deadline_ns,
                      const struct redis_reply **out) {
    char bytes[CHUNK];
    for (*out = NULL; *out == NULL;) {
        size_t got = 0;
        switch (wire_read(&link->wire, bytes, sizeof bytes, &got)) {
        case WIRE_OK: TRY(feed(link, (struct str){bytes, got}, out)); break;
        case WIRE_AGAIN: TRY(wait_again(link, deadline_ns)); break;
        case WIRE_END:
        case WIRE_BROKEN: return ended(link);
        }
    }
    return OK;
}

/* What one large answer took is given back at once. */
static void make_room(struct redis_link *link) {
    if (link->arena.used > (size_t)STORE_REPLY_KEPT_BYTES)
        arena_deinit(&link->arena);
    else
        arena_reset(&link->arena);
}

result redis_link_ask(struct redis_link *link, const struct str *words, size_t n,
                      int64_t deadline_ns, const struct redis_reply **out) {
    struct buf question;
    *out = NULL;
    link->is_sent = link->is_late = false;
    make_room(link);
    buf_init(&question, (size_t)STORE_REPLY_BYTES_MAX);
    buf_addf(&question, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        buf_addf(&question, "$%zu\r\n", words[i].len);
        buf_add(&question, words[i]);
        buf_add(&question, STR("\r\n"));
    }
    result r = buf_failed(&question, NULL).why != FAIL_NONE
                   ? no_memory(link)
                   : send_all(link, &question, deadline_ns);
    buf_deinit(&question);
    return r.why == FAIL_NONE ? receive(link, deadline_ns, out) : r;
}

/* -- connecting ------------------------------------------------------------------------------- */

static result finish_connect(struct redis_link *link, int64_t deadline_ns) {
    int error = 0;
    socklen_t len = sizeof error;
    TRY(wait_for(link, POLLOUT, deadline_ns));
    if (getsockopt(link->wire.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    return error == 0 ? OK : broken(link, "%s", strerrordesc_np(error));
}

static result connect_to(struct redis_link *link, const struct sockaddr *address, socklen_t len,
                         int64_t deadline_ns) {
    int one = 1;
    link->wire.fd = fault_now()
                        ? -1
                        : socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->wire.fd < 0) return broken(link, "%s", strerrordesc_np(errno));
    if (address->sa_family != AF_UNIX)
        setsockopt(link->wire.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(link->wire.fd, address, len) == 0) return OK;
    if (errno == EINPROGRESS) return finish_connect(link, deadline_ns);
    return broken(link, "%s", strerrordesc_np(errno));
}

static result connect_socket(struct redis_link *link, const char *path, int64_t deadline_ns) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return broken(link, "the path is too long");
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connect_to(link, (const struct sockaddr *)&address, sizeof address, deadline_ns);
}

/* The addresses of a name in turn, until one answers. */
static result connect_host(struct redis_link *link, const struct redis_url *url,
                           int64_t deadline_ns) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *all = NULL;
    int code = fault_now() ? EAI_AGAIN : getaddrinfo(url->host, url->port, &hints, &all);
    if (code != 0) return broken(link, "its name cannot be resolved: %s", gai_strerror(code));
    result r = broken(link, "its name has no address");
    for (const struct addrinfo *a = all; a != NULL && r.why != FAIL_NONE; a = a->ai_next) {
        wire_close(&link->wire);
        r = connect_to(link, a->ai_addr, a->ai_addrlen, deadline_ns);
    }
    freeaddrinfo(all);
    return r;
}

/* Whose certificate it must be. OpenSSL's macro for the name takes the const away. */
static bool expect_host(SSL *ssl, const char *host) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1) return true;
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    (void *)(uintptr_t)host) == 1;
}

/* The handshake happens inside of the first read and write. */
static result begin_tls(struct redis_link *link, const struct redis_server *server) {
    SSL *ssl = fault_now() ? NULL : SSL_new(server->tls);
    if (ssl == NULL) return no_memory(link);
    link->wire.ssl = ssl;
    if (!expect_host(ssl, server->url.host) || SSL_set_fd(ssl, link->wire.fd) != 1)
        return no_memory(link);
    SSL_set_connect_state(ssl);
    return OK;
}

/* A short command whose answer is OK, or an error that is explained. */
static result tell(struct redis_link *link, const struct str *words, size_t n,
                   int64_t deadline_ns) {
    const struct redis_reply *reply;
    TRY(redis_link_ask(link, words, n, deadline_ns, &reply));
    if (reply->sort == REDIS_TEXT && str_eq(reply->text, STR("OK"))) return OK;
    if (reply->sort != REDIS_WRONG) return broken(link, "what answers there is no Redis");
    (void)redis_link_explain(link, reply->text);
    return (result){FAIL_IO};
}

static result introduce(struct redis_link *link, const struct redis_url *url, int64_t deadline_ns) {
    const struct str with_user[] = {STR("AUTH"), url->user, url->password};
    const struct str without[] = {STR("AUTH"), url->password};
    const struct str select[] = {STR("SELECT"), url->db};
    if (url->user.len > 0)
        TRY(tell(link, with_user, COUNT(with_user), deadline_ns));
    else if (url->password.len > 0)
        TRY(tell(link, without, COUNT(without), deadline_ns));
    return str_eq(url->db, STR("0")) ? OK : tell(link, select, COUNT(select), deadline_ns);
}

result redis_link_open(struct redis_link *link, const struct redis_server *server,
                       int64_t deadline_ns) {
    *link = (struct redis_link){.wire = {.fd = -1}};
    arena_init(&link->arena, (size_t)STORE_REPLY_BYTES_MAX + STORE_REPLY_KEPT_BYTES);
    redis_reading_init(&link->reading, &link->arena);
    if (link->reading.reader == NULL) return no_memory(link);
    TRY(server->url.road == REDIS_SOCKET ? connect_socket(link, server->url.host, deadline_ns)
                                         : connect_host(link, &server->url, deadline_ns));
    if (server->tls != NULL) TRY(begin_tls(link, server));
    return introduce(link, &server->url, deadline_ns);
}

void redis_link_close(struct redis_link *link) {
    wire_close(&link->wire);
    redis_reading_deinit(&link->reading);
    arena_deinit(&link->arena);
}

bool redis_link_is_alive(struct redis_link *link) {
    char byte;
    size_t got;
    return wire_read(&link->wire, &byte, 1, &got) == WIRE_AGAIN;
}

/* -- TLS -------------------------------------------------------------------------------------- */

static bool load_authorities(SSL_CTX *tls, const char *file) {
    return file[0] != '\0' ? SSL_CTX_load_verify_file(tls, file) == 1
                           : SSL_CTX_set_default_verify_paths(tls) == 1;
}

static result load_files(SSL_CTX *tls, const struct store_tls_files *files, struct report *report) {
    struct arena arena;
    arena_init(&arena, 64 * KIB);
    const char *ca = str_cstr(&arena, files->ca), *key = str_cstr(&arena, files->key);
    const char *certificate = str_cstr(&arena, files->certificate);
    result r = OK;
    if (ca == NULL || key == NULL || certificate == NULL)
        r = fail_memory(report);
    else if (!load_authorities(tls, ca))
        r = fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                 "could not read the certificates of store.redis_ca_file '%s'", ca);
    else if (certificate[0] != '\0' && SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
        r = fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                 "could not read the certificate of store.redis_cert_file '%s'", certificate);
    else if (certificate[0] != '\0' && SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        r = fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                 "could not use the key of store.redis_key_file '%s' with its certificate", key);
    ERR_clear_error();
    arena_deinit(&arena);
    return r;
}

result redis_tls_new(const struct store_tls_files *files, SSL_CTX **out, struct report *report) {
    SSL_CTX *tls = fault_now() ? NULL : SSL_CTX_new(TLS_client_method());
    *out = NULL;
    if (tls == NULL) return fail_memory(report);
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    result r = load_files(tls, files, report);
    if (r.why == FAIL_NONE)
        *out = tls;
    else
        redis_tls_free(tls);
    return r;
}

void redis_tls_free(SSL_CTX *tls) {
    SSL_CTX_free(tls);
}
