#include "net/fetch_url.h"

#include "base/buf.h"
#include "net/fetch.h"

#include <limits.h>

static bool is_visible(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) return false;
    return true;
}

/* Letters of a name or an address. What else a URL may write there (percent, backslash) is read
 * in different ways, and then one would be judged and another asked. */
static bool is_host(struct str host) {
    bool is_v6 = str_starts(host, STR("[")) && str_ends(host, STR("]"));
    struct str inner = is_v6 ? str_slice(host, 1, host.len - 1) : host;
    for (size_t i = 0; i < inner.len; i++) {
        char c = inner.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '.' && (is_v6 ? c != ':' : c != '-' && c != '_')) return false;
    }
    return inner.len > 0;
}

/* HOST[:PORT] */
static bool read_authority(struct str text, struct fetch_url *out) {
    size_t end = text.len;
    while (end > 0 && text.ptr[end - 1] >= '0' && text.ptr[end - 1] <= '9') end--;
    bool has_port = end > 0 && text.ptr[end - 1] == ':';
    uint64_t port = str_ieq(out->scheme, STR("https")) ? 443 : 80;
    if (has_port && !str_to_u64(str_slice(text, end, text.len), &port)) return false;
    out->host = has_port ? str_slice(text, 0, end - 1) : text;
    out->port = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX && is_host(out->host);
}

bool fetch_url_read(struct str url, struct fetch_url *out) {
    *out = (struct fetch_url){0};
    size_t colon = str_find(url, STR("://"));
    if (colon == url.len || !is_visible(url)) return false;
    out->scheme = str_slice(url, 0, colon);
    if (!str_ieq(out->scheme, STR("http")) && !str_ieq(out->scheme, STR("https"))) return false;
    struct str rest = str_slice(url, colon + 3, url.len);
    size_t end = 0;
    while (end < rest.len && strchr("/?#", rest.ptr[end]) == NULL) end++;
    struct str authority = str_slice(rest, 0, end), host = authority;
    str_cut(&host, '@'); /* user and password */
    if (str_find_byte(authority, '\\') < authority.len) return false;
    return read_authority(host.ptr != NULL ? host : authority, out);
}

bool fetch_url_is_same_origin(const struct fetch_url *a, const struct fetch_url *b) {
    return str_ieq(a->scheme, b->scheme) && str_ieq(a->host, b->host) && a->port == b->port;
}

bool fetch_is_url(struct str url) {
    struct fetch_url parts;
    return fetch_url_read(url, &parts);
}

void fetch_add_form(struct buf *out, struct str name, struct str value) {
    const struct str parts[] = {name, value};
    if (out->len > 0) buf_add_byte(out, '&');
    for (size_t p = 0; p < COUNT(parts); p++) {
        if (p > 0) buf_add_byte(out, '=');
        for (size_t i = 0; i < parts[p].len; i++) {
            unsigned char c = (unsigned char)parts[p].ptr[i];
            bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
            if (is_plain)
                buf_add_byte(out, (char)c);
            else
                buf_addf(out, "%%%02X", c);
        }
    }
}
