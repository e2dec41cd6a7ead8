/*
 * identity/gateway_peers.h - from which addresses a gateway speaks
 *
 * A list of addresses and ranges ("10.1.2.3", "10.0.0.0/8", "fd00::/8"); without one, this machine
 * alone. An IPv4 address in IPv6 form (::ffff:10.1.2.3) is that IPv4 address.
 *
 * Memory:  the ranges live in the arena given.
 * Errors:  an entry that is none is a problem of the configuration.
 * Threads: immutable after load.
 */
#ifndef WEIR_IDENTITY_GATEWAY_PEERS_H
#define WEIR_IDENTITY_GATEWAY_PEERS_H

#include "identity/identity.h"

struct gateway_range {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* 0 to 128 that must be equal */
};

struct gateway_peers {
    const struct gateway_range *items;
    size_t n;
    bool is_set; /* false: loopback */
};

/* false: neither an address nor a range, or bits behind the prefix are set. */
bool gateway_range_read(struct str text, struct gateway_range *out);

MUST_USE result gateway_peers_load(const struct option_list *list, struct arena *arena,
                                   struct problems *problems, struct gateway_peers *out);

/* A peer that is no address (a passed socket, "local") is trusted as what it is: loopback or not.
 */
bool gateway_peers_trust(const struct gateway_peers *peers, const struct origin *origin);

#endif
