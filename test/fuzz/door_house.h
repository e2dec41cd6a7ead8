/*
 * fuzz/door_house.h - the house that the door's fuzzer calls at
 *
 * Two replicas (mcp and its door) over one store, one road, one HTTP server that is turned by hand,
 * on a clock that only house_pass() moves: what naps, waits for answers or holds a lease does so by
 * that clock, so that nothing takes its time. Two configurations can be swapped while it runs; in
 * the second nobody knows bob.
 *
 * Who comes is said by tokens: USER-ROLE for ann and bob and each role of the world, and
 * USER-scoped, which may do all that a keeper may but for tools that want the scope "query".
 *
 * Threads: house_* on the thread of the fuzzer, which turns the loop.
 */
#ifndef WEIR_FUZZ_DOOR_HOUSE_H
#define WEIR_FUZZ_DOOR_HOUSE_H

#include "mcp/http_door.h"

enum { REPLICAS = 2 };

struct house {
    struct mcp *mcps[REPLICAS];
    struct http_door doors[REPLICAS];
    struct http_server *server;
    struct snapshot *configurations[2];
    size_t configuration; /* the current one */
};

extern const char *const house_roles[];
enum { HOUSE_ROLES = 7 };

struct house *house_open(void);
void house_close(struct house *house); /* takes NULL */

/* A connection to the replica's door: the client's descriptor. */
int house_connect(struct house *house, size_t replica);
/* Lets what has come be done. */
void house_turn(struct house *house);
/* Leaves the others a moment. */
void house_wait(void);
void house_pass(struct house *house, int64_t ms);
/* The next configuration becomes the current one, and all that listen are told. */
void house_reload(struct house *house);

/* Is a call under way? */
bool house_works(struct house *house);
/* Nothing runs, nobody listens, nothing is held: as it was before anybody came. NULL, or the first
 * thing that is not so. */
const char *house_busy(struct house *house);

#endif
