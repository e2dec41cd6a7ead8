#include "backend/duckdb_quote.h"

static struct str quote(struct str text, char mark, struct arena *arena) {
    char *out = arena_alloc(arena, text.len * 2 + 2, 1);
    if (out == NULL) return STR_NONE;
    size_t len = 0;
    out[len++] = mark;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == mark) out[len++] = mark;
        out[len++] = text.ptr[i];
    }
    out[len++] = mark;
    return (struct str){out, len};
}

struct str duckdb_quote(struct str name, struct arena *arena) {
    return quote(name, '"', arena);
}

struct str duckdb_literal(struct str text, struct arena *arena) {
    return quote(text, '\'', arena);
}
