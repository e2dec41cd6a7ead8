/*
 * fuzz/peer.h - the client's end of one HTTP exchange, read as strictly as a client may
 *
 * A peer asks once. What comes back is taken in as it comes: head, body (by length or chunks), and
 * of an event stream its events. What is no HTTP, or stands behind the end, ends the process
 * (MUST).
 *
 * Memory:  malloc'd; peer_close() frees.
 * Threads: one.
 */
#ifndef WEIR_FUZZ_PEER_H
#define WEIR_FUZZ_PEER_H

#include "base/str.h"

struct peer_bytes {
    char *ptr;
    size_t len, cap;
};

struct peer {
    int fd;                 /* -1: closed */
    int status;             /* 0: the head is not here yet */
    bool is_stream;         /* text/event-stream */
    bool is_whole;          /* the body has ended */
    bool is_cut;            /* the server has closed */
    struct peer_bytes head; /* with its last line end */
    struct peer_bytes body; /* decoded */
    struct peer_bytes raw;  /* not taken in yet */
    bool is_chunked;
    size_t length, told;
};

struct peer_event {
    struct str event, id, data; /* borrowed from the body until the next read */
    bool is_comment;
};

/* Takes the descriptor, which is set non-blocking. */
void peer_open(struct peer *peer, int fd);
void peer_close(struct peer *peer);
/* All of it, or nothing where the server does not read: false. */
bool peer_write(struct peer *peer, struct str bytes);
/* Takes in what is there: false when nothing was. */
bool peer_read(struct peer *peer);
/* The header's value; STR_NONE: absent. */
struct str peer_header(const struct peer *peer, struct str name);
/* The next event of a stream that is here as a whole. */
bool peer_event(struct peer *peer, struct peer_event *out);

void peer_bytes_add(struct peer_bytes *bytes, const char *ptr, size_t len);

#endif
