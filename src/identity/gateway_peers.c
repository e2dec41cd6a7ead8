#include "identity/gateway_peers.h"

#include <arpa/inet.h>

enum { MAPPED_BITS = 96 }; /* before the IPv4 address in ::ffff:a.b.c.d */

static bool address_read(struct str text, uint8_t out[16], bool *is_v4) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char cstr[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof cstr || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(cstr, text.ptr, text.len);
    cstr[text.len] = '\0';
    *is_v4 = inet_pton(AF_INET, cstr, out + 12) == 1;
    if (*is_v4) memcpy(out, mapped, sizeof mapped);
    return *is_v4 || inet_pton(AF_INET6, cstr, out) == 1;
}

static bool bit_of(const uint8_t address[16], unsigned i) {
    return (address[i / 8] >> (7 - i % 8) & 1) != 0;
}

bool gateway_range_read(struct str text, struct gateway_range *out) {
    struct str rest = text, address = str_cut(&rest, '/');
    bool is_v4, has_bits = rest.ptr != NULL;
    uint64_t bits = 0;
    if (!address_read(address, out->address, &is_v4)) return false;
    unsigned most = is_v4 ? 32 : 128;
    if (has_bits && (!str_to_u64(rest, &bits) || bits > most)) return false;
    out->bits = (has_bits ? (unsigned)bits : most) + (is_v4 ? MAPPED_BITS : 0);
    /* 10.1.2.3/8 is a slip of the pen, and nobody can say of which part. */
    for (unsigned i = out->bits; i < 128; i++)
        if (bit_of(out->address, i)) return false;
    return true;
}

result gateway_peers_load(const struct option_list *list, struct arena *arena,
                          struct problems *problems, struct gateway_peers *out) {
    struct gateway_range *ranges = arena_new_array(arena, list->n, struct gateway_range);
    if (ranges == NULL) return fail_memory(NULL);
    *out = (struct gateway_peers){ranges, list->n, list->is_set};
    for (size_t i = 0; i < list->n; i++) {
        if (gateway_range_read(list->items[i], &ranges[i])) continue;
        problem_add(problems, SEVERITY_ERROR, STR("auth"), NULL,
                    "gateway_trusted_peers: '" STR_FMT "' is no address and no range of addresses",
                    STR_ARG(list->items[i]));
        problem_hint(problems, "write 10.1.2.3, 10.0.0.0/8 or fd00::/8");
    }
    return OK;
}

static bool range_has(const struct gateway_range *range, const uint8_t address[16]) {
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8;
    if (memcmp(range->address, address, whole) != 0) return false;
    return rest == 0 || (range->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool gateway_peers_trust(const struct gateway_peers *peers, const struct origin *origin) {
    uint8_t address[16];
    bool is_v4;
    if (!peers->is_set || !address_read(origin->peer, address, &is_v4))
        return origin->peer_is_loopback;
    for (size_t i = 0; i < peers->n; i++)
        if (range_has(&peers->items[i], address)) return true;
    return false;
}
