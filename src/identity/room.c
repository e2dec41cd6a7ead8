#include "identity/room.h"

#include "identity/protected.h"
#include "net/fetch.h"

result room_read_key(const struct identity_sources *sources, struct str room,
                     const struct bind_kind *kind, struct arena *arena, struct problems *problems,
                     void *out) {
    const struct binder binder = {arena, problems, sources->weir_name};
    const struct yaml *map = yaml_get(sources->weir, room);
    for (size_t i = 0; map != NULL && map->type == YAML_MAP && i < map->n; i++) {
        struct yaml one = *map;
        one.pairs = &map->pairs[i];
        one.n = 1;
        if (str_eq(one.pairs[0].key.text, str_of(kind->keys[0].name)))
            return bind_map(&binder, kind, &one, out);
    }
    return OK;
}

bool room_is_this_machine(struct str authority) {
    static const struct str names[] = {STR_INIT("localhost"), STR_INIT("127.0.0.1"),
                                       STR_INIT("[::1]")};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str rest = str_slice(authority, names[i].len, authority.len);
        if (str_starts(authority, names[i]) && (rest.len == 0 || rest.ptr[0] == ':')) return true;
    }
    return false;
}

bool room_is_safe_url(struct str url) {
    if (!fetch_is_url(url)) return false;
    struct str origin = protected_origin(url);
    /* What could make one reader see another host than the next. */
    for (size_t i = 0; i < origin.len; i++)
        if (strchr("@?#\\", origin.ptr[i]) != NULL) return false;
    return str_starts(origin, STR("https://")) ||
           (str_starts(origin, STR("http://")) &&
            room_is_this_machine(str_slice(origin, 7, origin.len)));
}
