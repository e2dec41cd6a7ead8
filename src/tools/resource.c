#include "base/limits.h"
#include "identity/protected.h"
#include "tools/offer.h"
#include "tools/tool.h"

static struct str before_names(const struct resource *resource) {
    struct str uri = str_of(resource->uri);
    return str_slice(uri, 0, str_find_byte(uri, '{'));
}

static struct str behind_names(const struct resource *resource) {
    struct str rest = str_of(resource->uri);
    while (str_find_byte(rest, '}') < rest.len) (void)str_cut(&rest, '}');
    return rest;
}

bool resource_is_template(const struct resource *resource) {
    return before_names(resource).len < strlen(resource->uri);
}

/* -- percent-encoding (RFC 3986, 2.1) --------------------------------------------------------- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* No byte of a value stands for itself but the unreserved ones and, as people write them, those
 * beyond ASCII: so a value never holds '/', '?' or '#' by accident. */
static bool decode(struct str text, struct arena *arena, struct str *out) {
    char *into = arena_alloc(arena, text.len, 1);
    size_t n = 0;
    if (into == NULL) return false;
    for (size_t i = 0; i < text.len; i++, n++) {
        into[n] = text.ptr[i];
        if (text.ptr[i] != '%') {
            if (!is_unreserved(text.ptr[i]) && (unsigned char)text.ptr[i] < 0x80) return false;
            continue;
        }
        if (text.len - i < 3) return false;
        int high = hex_digit(text.ptr[i + 1]), low = hex_digit(text.ptr[i + 2]);
        if (high < 0 || low < 0) return false;
        into[n] = (char)(high * 16 + low);
        i += 2;
    }
    *out = (struct str){into, n};
    return true;
}

static bool is_printable(struct str text) {
    uint32_t rune;
    for (size_t n; text.len > 0; text = str_slice(text, n, text.len)) {
        n = utf8_next(text, &rune);
        if (n == 0 || rune < 0x20 || (rune >= 0x7f && rune < 0xa0)) return false;
    }
    return true;
}

static bool encode(struct str value, struct arena *arena, struct str *out) {
    static const char digits[] = "0123456789ABCDEF";
    char *into = arena_array(arena, value.len, 3, 1);
    size_t n = 0;
    if (into == NULL) return false;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (is_unreserved((char)c)) {
            into[n++] = (char)c;
            continue;
        }
        into[n++] = '%';
        into[n++] = digits[c >> 4];
        into[n++] = digits[c & 15];
    }
    *out = (struct str){into, n};
    return true;
}

static bool takes_query(const struct resource *resource) {
    return strstr(resource->uri, "{?") != NULL;
}

/* Names and plain values; what they mean is for fits() to say. */
static bool put_query(struct str query, struct arena *arena, struct str *value) {
    for (size_t i = 0; i < query.len; i++)
        if (!is_unreserved(query.ptr[i]) && query.ptr[i] != '=' && query.ptr[i] != '&')
            return false;
    *value = str_printf(arena, STR_FMT "?" STR_FMT, STR_ARG(*value), STR_ARG(query));
    return value->ptr != NULL;
}

/* -- addresses -------------------------------------------------------------------------------- */

bool resource_matches(const struct resource *resource, struct str uri, struct arena *arena,
                      struct str *value) {
    *value = STR_NONE;
    if (uri.len > RESOURCE_URI_BYTES_MAX) return false;
    if (!resource_is_template(resource)) return str_eq(uri, str_of(resource->uri));
    struct str before = before_names(resource), behind = behind_names(resource);
    if (uri.len <= before.len + behind.len || !str_starts(uri, before) || !str_ends(uri, behind))
        return false;
    struct str query = str_slice(uri, before.len, uri.len - behind.len), inside = query;
    if (takes_query(resource)) inside = str_cut(&query, '?');
    if (!decode(inside, arena, value) || !is_printable(*value)) return false;
    if (takes_query(resource) && query.ptr != NULL && !put_query(query, arena, value)) return false;
    return resource->fits == NULL || resource->fits(*value);
}

struct str resource_uri(const struct resource *resource, struct str value, struct arena *arena) {
    struct str before = before_names(resource), behind = behind_names(resource), encoded;
    if (!encode(value, arena, &encoded)) return STR_NONE;
    return str_printf(arena, STR_FMT STR_FMT STR_FMT, STR_ARG(before), STR_ARG(encoded),
                      STR_ARG(behind));
}

/* -- rows ------------------------------------------------------------------------------------- */

const struct resource *resource_at(size_t i) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        for (const struct resource *r = (*set)->resources; r != NULL && r->name != NULL; r++)
            if (i-- == 0) return r;
    return NULL;
}

bool source_may_use(struct call *call, const struct source *source) {
    const struct tool *tool = tool_find(str_of(source->tool));
    const struct protected_resource *us = identity_protected(call->snapshot->identity);
    return tool != NULL && tool_may_use(call, tool) &&
           protected_may_use(us, &call->principal, str_of(tool->name));
}

static const struct toolset *set_of(const struct resource *resource) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        for (const struct resource *r = (*set)->resources; r != NULL && r->name != NULL; r++)
            if (r == resource) return *set;
    return NULL;
}

bool resource_may_see(struct call *call, const struct resource *resource) {
    const struct toolset *set = set_of(resource);
    return set != NULL && toolset_is_on(call, set) &&
           (resource->write != NULL || source_may_use(call, &resource->source));
}
