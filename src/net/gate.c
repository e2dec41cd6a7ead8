#include "net/gate.h"

#include "net/http1.h"

#include <arpa/inet.h>

/* A host and its port, taken apart. Port -1: none is named. */
struct place {
    struct str host; /* without brackets and trailing dot */
    bool is_ipv6;
    int32_t port;
};

static bool place_parse(struct str text, struct place *out) {
    if (!http1_host_valid(text)) return false; /* userinfo, blanks, lists: all end here */
    size_t end = str_find_byte(text, text.ptr[0] == '[' ? ']' : ':');
    out->is_ipv6 = text.ptr[0] == '[';
    out->host = str_slice(text, out->is_ipv6 ? 1 : 0, end);
    if (out->is_ipv6) end++;
    if (!out->is_ipv6 && str_ends(out->host, STR("."))) out->host.len--;
    uint64_t port = 0;
    out->port = -1;
    if (end < text.len && str_to_u64(str_slice(text, end + 1, text.len), &port))
        out->port = (int32_t)port;
    return out->host.len > 0;
}

static bool ipv6_parse(struct str text, struct in6_addr *out) {
    char cstr[INET6_ADDRSTRLEN];

    if (text.len >= sizeof cstr) return false;
    memcpy(cstr, text.ptr, text.len);
    cstr[text.len] = '\0';
    return inet_pton(AF_INET6, cstr, out) == 1;
}

static bool host_eq(const struct place *a, const struct place *b) {
    struct in6_addr x, y;

    if (a->is_ipv6 != b->is_ipv6) return false;
    if (!a->is_ipv6) return str_ieq(a->host, b->host);
    return ipv6_parse(a->host, &x) && ipv6_parse(b->host, &y) && memcmp(&x, &y, sizeof x) == 0;
}

/* Names and addresses that lead to this machine only. No other spelling (127.1, 0x7f000001,
 * 0.0.0.0) is taken: no client we know sends one. */
static bool is_local(const struct place *place) {
    struct in6_addr address;

    if (place->is_ipv6) return ipv6_parse(place->host, &address) && IN6_IS_ADDR_LOOPBACK(&address);
    return str_ieq(place->host, STR("localhost")) || str_eq(place->host, STR("127.0.0.1"));
}

/* -- Host ------------------------------------------------------------------------------------- */

static bool host_listed(const struct option_list *list, const struct place *host) {
    for (size_t i = 0; i < list->n; i++) {
        struct place entry;
        if (str_eq(list->items[i], STR("*"))) return true;
        if (!place_parse(list->items[i], &entry) || !host_eq(&entry, host)) continue;
        if (entry.port < 0 || entry.port == host->port) return true;
    }
    return false;
}

static bool host_allowed(const struct gate *gate, struct str text, bool bind_is_loopback) {
    struct place host;

    if (!bind_is_loopback && !gate->allowed_hosts.is_set) return true;
    if (!place_parse(text, &host)) return false;
    return (bind_is_loopback && is_local(&host)) || host_listed(&gate->allowed_hosts, &host);
}

/* -- Origin ----------------------------------------------------------------------------------- */

struct origin {
    bool is_https;
    struct place place; /* with the scheme's port where none is named */
};

static bool origin_parse(struct str text, struct origin *out) {
    if (str_istarts(text, STR("https://"))) {
        out->is_https = true;
        text = str_slice(text, STR("https://").len, text.len);
    } else if (str_istarts(text, STR("http://"))) {
        out->is_https = false;
        text = str_slice(text, STR("http://").len, text.len);
    } else {
        return false;
    }
    if (!place_parse(text, &out->place)) return false;
    if (out->place.port < 0) out->place.port = out->is_https ? 443 : 80;
    return true;
}

static bool origin_eq(const struct origin *a, const struct origin *b) {
    return a->is_https == b->is_https && a->place.port == b->place.port &&
           host_eq(&a->place, &b->place);
}

/* Entries with other schemes ("null", "vscode-webview://x") are compared as bytes. */
static bool origin_listed(const struct option_list *list, struct str text,
                          const struct origin *origin) {
    for (size_t i = 0; i < list->n; i++) {
        struct origin entry;
        if (str_eq(list->items[i], STR("*")) || str_eq(list->items[i], text)) return true;
        if (origin != NULL && origin_parse(list->items[i], &entry) && origin_eq(&entry, origin))
            return true;
    }
    return false;
}

static bool origin_allowed(const struct gate *gate, struct str text, bool bind_is_loopback) {
    struct origin origin;

    if (text.ptr == NULL) return true;
    if (text.len == 0) return false;
    bool is_web = origin_parse(text, &origin);
    if (is_web && bind_is_loopback && is_local(&origin.place)) return true;
    return origin_listed(&gate->allowed_origins, text, is_web ? &origin : NULL);
}

enum gate_answer gate_check(const struct gate *gate, struct str host, struct str origin,
                            bool bind_is_loopback) {
    if (!host_allowed(gate, host, bind_is_loopback)) return GATE_HOST_NOT_ALLOWED;
    if (!origin_allowed(gate, origin, bind_is_loopback)) return GATE_ORIGIN_NOT_ALLOWED;
    return GATE_ALLOW;
}

const char *gate_code(enum gate_answer answer) {
    switch (answer) {
    case GATE_HOST_NOT_ALLOWED: return "HOST_NOT_ALLOWED";
    case GATE_ORIGIN_NOT_ALLOWED: return "ORIGIN_NOT_ALLOWED";
    case GATE_ALLOW: return NULL;
    }
    return "HOST_NOT_ALLOWED";
}
