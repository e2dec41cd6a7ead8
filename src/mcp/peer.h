/*
 * mcp/peer.h - the client of one turn, as its call sees it (call/client.h)
 *
 * What is told becomes notifications beside the answer, in either era. What is asked goes the era's
 * own way: legacy clients are sent a request and the call waits (asking.h), modern ones get "input
 * required" and come again (rounds.h).
 *
 * Threads: the call's.
 */
#ifndef WEIR_MCP_PEER_H
#define WEIR_MCP_PEER_H

#include "call/client.h"

struct turn;

struct peer {
    struct client client;      /* first: a struct client * to it is one to us */
    struct str progress_token; /* as JSON text; empty: nobody wants to know */
    enum client_level level;   /* least of what is told; CLIENT_SILENT: nothing */
    double done;               /* of the last progress told */
    bool has_told;             /* any progress */
};

/* Reads from the turn's message, session and era what its client wants, and gives it to the call.
 * turn->era, session and capabilities must be set. */
void peer_init(struct turn *turn);

/* Has this client said that it can be asked so? `capabilities` may be NULL. */
bool peer_declares(const struct json *capabilities, enum ask_kind kind);
/* The method that asks, and the capability that it needs, as a JSON object. */
struct str ask_method(enum ask_kind kind);
struct str ask_capability(enum ask_kind kind);
/* {key: {"method":…,"params":…}}: asks as they are put to a client inside another document. */
void ask_write(const struct ask *asks, size_t n, struct json_writer *w);

#endif
