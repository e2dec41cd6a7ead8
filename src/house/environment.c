/*
 * house/environment.c - .env and .env.local of the working directory
 */
#include "base/file.h"
#include "base/limits.h"
#include "house/config.h"

#include <ctype.h>
#include <stdlib.h>

static bool is_name(struct str name) {
    if (name.len == 0 || isdigit((unsigned char)name.ptr[0])) return false;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.ptr[i]) && name.ptr[i] != '_') return false;
    return true;
}

/* Where a quoted value ends, or its length: a quote behind a backslash is part of it. */
static size_t closing_quote(struct str value) {
    for (size_t i = 1; i < value.len; i++) {
        if (value.ptr[i] == '\\')
            i++;
        else if (value.ptr[i] == value.ptr[0])
            return i;
    }
    return value.len;
}

static char unescaped(char c) {
    return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

/* The value as files of this kind are read elsewhere: quotes come off (in double ones a backslash
 * escapes), and what stands behind ` #` is a comment. NULL: no memory. */
static const char *value_of(struct str value, struct arena *arena) {
    char *out = arena_alloc(arena, value.len + 1, 1);
    bool is_quoted = value.len > 0 && (value.ptr[0] == '"' || value.ptr[0] == '\'');
    size_t end = is_quoted ? closing_quote(value) : str_find(value, STR(" #")), n = 0;
    if (out == NULL) return NULL;
    if (is_quoted && end == value.len) is_quoted = false; /* never closed: taken as it is */
    struct str inside = is_quoted ? str_slice(value, 1, end) : str_trim(str_slice(value, 0, end));
    for (size_t i = 0; i < inside.len; i++) {
        bool is_escape = is_quoted && value.ptr[0] == '"' && inside.ptr[i] == '\\';
        out[n++] = is_escape ? unescaped(inside.ptr[++i]) : inside.ptr[i];
    }
    return out;
}

static result set_line(struct str line, const char *file, size_t number, struct arena *arena,
                       struct report *report) {
    struct str rest = str_trim(line);
    if (rest.len == 0 || rest.ptr[0] == '#') return OK;
    if (str_starts(rest, STR("export "))) rest = str_trim(str_slice(rest, 7, rest.len));
    struct str name = str_trim(str_cut(&rest, '='));
    if (rest.ptr == NULL || !is_name(name))
        return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "%s:%zu: a line of the form NAME=value is expected", file, number);
    const char *n = str_cstr(arena, name), *v = value_of(str_trim(rest), arena);
    if (n == NULL || v == NULL || setenv(n, v, 0) != 0) return fail_memory(report);
    return OK;
}

static result read_env(const char *file, struct arena *arena, struct report *report) {
    struct str text = STR_NONE;
    bool is_there;
    TRY(file_read_if_there(file, YAML_BYTES_MAX, arena, &text, &is_there, report));
    size_t number = 0;
    for (struct str rest = text; is_there && rest.ptr != NULL;)
        TRY(set_line(str_cut(&rest, '\n'), file, ++number, arena, report));
    return OK;
}

/* The local file is read first and what is set is kept, so that the order of strength is:
 * environment, .env.local, .env. */
result config_environment(struct report *report) {
    struct arena arena;
    arena_init(&arena, 2 * YAML_BYTES_MAX);
    result r = read_env(".env.local", &arena, report);
    if (r.why == FAIL_NONE) r = read_env(".env", &arena, report);
    arena_deinit(&arena);
    return r;
}
