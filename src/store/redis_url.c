#include "store/redis_url.h"

#include "base/rand.h"

enum { PORT_MAX = 65535, DB_MAX = 65535 };

static const struct {
    struct str scheme;
    enum redis_road road;
} roads[] = {
    {STR_INIT("redis://"), REDIS_CLEAR},
    {STR_INIT("rediss://"), REDIS_TLS},
    {STR_INIT("unix://"), REDIS_SOCKET},
};

static result refuse(struct report *report, const char *what) {
    result r = fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the address of Redis (store.redis_url) %s", what);
    fail_hint(report,
              "Its form is redis://[user:password@]host[:port][/db], with rediss:// for TLS "
              "or unix:///path; other than letters, digits, '-', '.', '_' and '~' in a user "
              "or password are written as %%XX");
    return r;
}

/* %XX are bytes; NULL where one is cut, or is a NUL, which AUTH could take but no user means. */
static struct str decoded(struct str s, struct arena *arena) {
    char *out = arena_alloc(arena, s.len + 1, 1);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < s.len; i++) {
        uint8_t byte = (uint8_t)s.ptr[i];
        if (byte == '%' && !hex_decode(str_slice(s, i + 1, i + 3), &byte, 1)) return STR_NONE;
        if (byte == '\0') return STR_NONE;
        if (s.ptr[i] == '%') i += 2;
        out[n++] = (char)byte;
    }
    return (struct str){out, n};
}

/* The user and password before the last `@`, of which `rest` is freed. */
static result read_person(struct str *rest, struct arena *arena, struct redis_url *out,
                          struct report *report) {
    size_t at = rest->len;
    while (at > 0 && rest->ptr[at - 1] != '@') at--;
    if (at == 0) return OK;
    struct str password = str_slice(*rest, 0, at - 1);
    struct str user = str_cut(&password, ':');
    if (password.ptr == NULL) return refuse(report, "names a user without a password");
    out->user = decoded(user, arena);
    out->password = decoded(password, arena);
    if (out->user.ptr == NULL || out->password.ptr == NULL)
        return arena->is_spent ? fail_memory(report)
                               : refuse(report, "has a user or password with a wrong %");
    if (out->password.len == 0) return refuse(report, "names a user without a password");
    *rest = str_slice(*rest, at, rest->len);
    return OK;
}

static bool is_number(struct str s, uint64_t max) {
    uint64_t n;
    return s.len <= 5 && str_to_u64(s, &n) && n <= max;
}

static result read_db(struct str db, struct redis_url *out, struct report *report) {
    if (db.len > 0 && !is_number(db, DB_MAX))
        return refuse(report, "names no number as its database");
    if (db.len > 0) out->db = db;
    return OK;
}

static result read_host(struct str rest, struct arena *arena, struct redis_url *out,
                        struct report *report) {
    struct str db = rest, port = STR("6379");
    struct str host = str_cut(&db, '/');
    TRY(read_db(db, out, report));
    if (str_starts(host, STR("["))) {
        struct str inside = str_slice(host, 1, host.len);
        port = str_slice(inside, str_find_byte(inside, ']') + 1, inside.len);
        if (str_find_byte(inside, ']') == inside.len)
            return refuse(report, "has a '[' without ']'");
        host = str_slice(inside, 0, str_find_byte(inside, ']'));
        if (port.len > 0 && port.ptr[0] != ':') return refuse(report, "has more behind the ']'");
        port = port.len > 0 ? str_slice(port, 1, port.len) : STR("6379");
    } else if (str_find_byte(host, ':') < host.len) {
        port = host;
        host = str_cut(&port, ':');
    }
    if (host.len == 0) return refuse(report, "names no host");
    if (!is_number(port, PORT_MAX) || str_eq(port, STR("0")))
        return refuse(report, "has a port that is none");
    out->host = str_cstr(arena, host);
    out->port = str_cstr(arena, port);
    return out->host == NULL || out->port == NULL ? fail_memory(report) : OK;
}

static result read_socket(struct str rest, struct arena *arena, struct redis_url *out,
                          struct report *report) {
    struct str query = rest;
    struct str path = str_cut(&query, '?');
    if (!str_starts(path, STR("/"))) return refuse(report, "names no socket by its whole path");
    if (query.len > 0 && !str_starts(query, STR("db=")))
        return refuse(report, "has a part behind '?' that is not db=N");
    TRY(read_db(str_slice(query, 3, query.len), out, report));
    out->host = str_cstr(arena, path);
    out->port = "";
    return out->host == NULL ? fail_memory(report) : OK;
}

static result show(struct str scheme, struct arena *arena, struct redis_url *out,
                   struct report *report) {
    bool is_socket = out->road == REDIS_SOCKET, is_v6 = strchr(out->host, ':') != NULL;
    out->shown = str_printf(arena, STR_FMT STR_FMT "%s%s%s%s%s%s%s" STR_FMT, STR_ARG(scheme),
                            STR_ARG(out->user), out->user.len > 0 ? "@" : "", is_v6 ? "[" : "",
                            out->host, is_v6 ? "]" : "", is_socket ? "" : ":", out->port,
                            is_socket ? "?db=" : "/", STR_ARG(out->db));
    return out->shown.ptr == NULL ? fail_memory(report) : OK;
}

static bool is_plain(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') return false;
    return true;
}

result redis_url_read(struct str text, struct arena *arena, struct redis_url *out,
                      struct report *report) {
    *out = (struct redis_url){.db = STR("0")};
    struct str copy = str_dup(arena, str_trim(text));
    if (copy.ptr == NULL && text.len > 0) return fail_memory(report);
    if (!is_plain(copy)) return refuse(report, "has a character that no address has");
    for (size_t i = 0; i < COUNT(roads); i++) {
        if (!str_istarts(copy, roads[i].scheme)) continue;
        struct str rest = str_slice(copy, roads[i].scheme.len, copy.len);
        out->road = roads[i].road;
        if (out->road != REDIS_SOCKET && str_find_byte(rest, '?') < rest.len)
            return refuse(report, "has a part behind '?'");
        TRY(read_person(&rest, arena, out, report));
        TRY(out->road == REDIS_SOCKET ? read_socket(rest, arena, out, report)
                                      : read_host(rest, arena, out, report));
        return show(roads[i].scheme, arena, out, report);
    }
    return refuse(report, "begins with none of redis://, rediss:// and unix://");
}
