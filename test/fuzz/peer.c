#include "peer.h"

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 14 };

void peer_bytes_add(struct peer_bytes *bytes, const char *ptr, size_t len) {
    if (bytes->len + len > bytes->cap) {
        bytes->cap = 2 * (bytes->len + len) + 64;
        bytes->ptr = realloc(bytes->ptr, bytes->cap);
        MUST(bytes->ptr != NULL);
    }
    if (len > 0) memcpy(bytes->ptr + bytes->len, ptr, len);
    bytes->len += len;
}

static struct str text_of(const struct peer_bytes *bytes) {
    return (struct str){bytes->ptr == NULL ? "" : bytes->ptr, bytes->len};
}

static void drop(struct peer_bytes *bytes, size_t n) {
    if (n == 0) return;
    memmove(bytes->ptr, bytes->ptr + n, bytes->len - n);
    bytes->len -= n;
}

void peer_open(struct peer *peer, int fd) {
    *peer = (struct peer){.fd = fd};
    MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

void peer_close(struct peer *peer) {
    if (peer->fd >= 0) close(peer->fd);
    peer->fd = -1;
    free(peer->head.ptr);
    free(peer->body.ptr);
    free(peer->raw.ptr);
    peer->head = peer->body = peer->raw = (struct peer_bytes){0};
}

bool peer_write(struct peer *peer, struct str bytes) {
    return send(peer->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len;
}

/* -- taking in -------------------------------------------------------------------------------- */

struct str peer_header(const struct peer *peer, struct str name) {
    struct str rest = text_of(&peer->head);
    while (rest.ptr != NULL) {
        struct str line = str_cut(&rest, '\n'), key = str_cut(&line, ':');
        if (line.ptr != NULL && str_ieq(key, name)) return str_trim(line);
    }
    return STR_NONE;
}

static void read_head(struct peer *peer) {
    struct str text = text_of(&peer->raw);
    size_t end = str_find(text, STR("\r\n\r\n"));
    uint64_t status, length = 0;
    if (end == text.len) return;
    peer_bytes_add(&peer->head, text.ptr, end + 2);
    drop(&peer->raw, end + 4);
    text = text_of(&peer->head);
    MUST(str_starts(text, STR("HTTP/1.1 ")) && str_to_u64(str_slice(text, 9, 12), &status));
    struct str size = peer_header(peer, STR("Content-Length"));
    struct str coding = peer_header(peer, STR("Transfer-Encoding"));
    peer->status = (int)status;
    peer->is_stream = str_eq(peer_header(peer, STR("Content-Type")), STR("text/event-stream"));
    peer->is_chunked = coding.ptr != NULL;
    MUST(size.ptr == NULL || (coding.ptr == NULL && str_to_u64(size, &length)));
    MUST(coding.ptr == NULL || str_eq(coding, STR("chunked")));
    MUST(size.ptr != NULL || coding.ptr != NULL || status == 204);
    peer->length = length;
    peer->is_whole = !peer->is_chunked && length == 0;
}

/* One chunk, if all of it is here. */
static bool read_chunk(struct peer *peer) {
    struct str text = text_of(&peer->raw);
    size_t end = str_find(text, STR("\r\n")), n = 0;
    if (end == text.len || peer->is_whole) return false;
    MUST(end > 0 && end < 9);
    for (size_t i = 0; i < end; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, text.ptr[i] | 0x20);
        MUST(at != NULL);
        n = n * 16 + (size_t)(at - digits);
    }
    if (text.len < end + 4 + n) return false;
    MUST(memcmp(text.ptr + end + 2 + n, "\r\n", 2) == 0);
    peer_bytes_add(&peer->body, text.ptr + end + 2, n);
    drop(&peer->raw, end + 4 + n);
    peer->is_whole = n == 0;
    return true;
}

static void take_in(struct peer *peer) {
    if (peer->status == 0) read_head(peer);
    if (peer->status == 0) return;
    if (peer->is_chunked) {
        while (read_chunk(peer)) {
        }
    } else if (!peer->is_whole) {
        peer_bytes_add(&peer->body, peer->raw.ptr, peer->raw.len);
        peer->raw.len = 0;
        MUST(peer->body.len <= peer->length);
        peer->is_whole = peer->body.len == peer->length;
    }
    MUST(!peer->is_whole || peer->raw.len == 0);
}

bool peer_read(struct peer *peer) {
    char bytes[READ_BYTES];
    bool any = false;
    while (peer->fd >= 0 && !peer->is_cut) {
        ssize_t n = recv(peer->fd, bytes, sizeof bytes, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) peer->is_cut = true;
        if (n <= 0) break;
        peer_bytes_add(&peer->raw, bytes, (size_t)n);
        any = true;
    }
    if (any) take_in(peer);
    return any;
}

/* -- events ----------------------------------------------------------------------------------- */

bool peer_event(struct peer *peer, struct peer_event *out) {
    struct str text = str_slice(text_of(&peer->body), peer->told, peer->body.len);
    size_t end = str_find(text, STR("\n\n"));
    *out = (struct peer_event){.is_comment = true};
    if (end == text.len) return false;
    struct str rest = str_slice(text, 0, end);
    while (rest.ptr != NULL) {
        struct str line = str_cut(&rest, '\n');
        if (line.len > 0 && line.ptr[0] == ':') continue;
        struct str key = str_cut(&line, ':'), value = str_trim(line);
        out->is_comment = false;
        if (str_eq(key, STR("id")))
            out->id = value;
        else if (str_eq(key, STR("event")))
            out->event = value;
        else if (str_eq(key, STR("data")))
            out->data = value; /* ours are of one line */
        else
            MUST(str_eq(key, STR("retry")));
    }
    peer->told += end + 2;
    return true;
}
