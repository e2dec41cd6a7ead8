/*
 * tools/input.h - arguments become typed values once
 *
 * The fields of a tool are rows over its input struct. They make the JSON schema, parse and check
 * the arguments, and, when one is wrong, the repair: what is allowed, and one corrected call that
 * the agent can send as it is.
 *
 * Memory:  values borrow from the arguments' tree.
 * Errors:  FAIL_INPUT, INVALID_ARGUMENT.
 */
#ifndef WEIR_TOOLS_INPUT_H
#define WEIR_TOOLS_INPUT_H

#include "text/json.h"

enum field_type {
    FIELD_TEXT,      /* struct str */
    FIELD_INT,       /* int64_t */
    FIELD_BOOL,      /* bool */
    FIELD_TEXT_LIST, /* struct field_list */
};

struct field_list {
    const struct str *items;
    size_t n;
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    bool is_required;
    int64_t min, max;    /* INT: the value; TEXT: bytes; TEXT_LIST: items. Both 0: unbounded */
    const char *summary; /* English, then Chinese */
};

/* A field whose value is repeated by a header of the request, Mcp-Param-HEADER. */
struct mirrored {
    const char *field, *header;
};

struct tool;

/* Fills a zeroed struct of tool->input_size in the arena. `arguments` is NULL or any JSON value. */
MUST_USE result input_read(const struct tool *tool, const struct json *arguments,
                           struct arena *arena, const void **out, struct report *report);

/* The inputSchema: always an object without additional properties. */
void input_schema(const struct tool *tool, struct json_writer *w);

#endif
