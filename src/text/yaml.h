/*
 * text/yaml.h - configuration files as trees that know where they stand
 *
 * libyaml's events, composed by us: every node keeps line and column, duplicate keys are refused,
 * so are anchors, aliases, tags and merge keys (no file of ours needs them, and they are how a
 * small file becomes a large one). Scalars are text; what they mean (bool, number, size) is decided
 * by who reads them, except that plain and quoted are told apart. A stream holds one document; an
 * empty file is an empty map.
 *
 * Memory:  the tree lives in the arena and owns copies of its texts.
 * Errors:  FAIL_CONFIG with code CONFIG_INVALID; the sentence begins with file:line:column.
 * Threads: values; no shared state.
 */
#ifndef WEIR_TEXT_YAML_H
#define WEIR_TEXT_YAML_H

#include "base/arena.h"
#include "base/fail.h"

enum yaml_type { YAML_SCALAR = 0, YAML_LIST, YAML_MAP };

struct yaml {
    enum yaml_type type;
    bool is_plain; /* SCALAR: not quoted, so that `null`, `true`, `12` may mean something else */
    uint32_t line, column;         /* from 1; columns count characters */
    size_t begin, end;             /* byte range in the source, for splice edits */
    struct str text;               /* SCALAR */
    const struct yaml *items;      /* LIST */
    const struct yaml_pair *pairs; /* MAP, in source order */
    size_t n;                      /* of items or pairs */
};

struct yaml_pair {
    struct yaml key; /* always a SCALAR */
    struct yaml value;
};

struct yaml_limits {
    size_t bytes, depth, nodes; /* 0: the defaults of limits.h */
};

/* `name` is the file's name as people know it; it stands in every error. */
MUST_USE result yaml_read(struct str text, struct str name, const struct yaml_limits *limits,
                          struct arena *arena, const struct yaml **out, struct report *report);

/* The value of a key, or NULL. `map` may be NULL or no map. */
const struct yaml *yaml_get(const struct yaml *map, struct str key);
/* ~, null, Null, NULL or nothing, plain */
bool yaml_is_null(const struct yaml *node);

/* Records FAIL_CONFIG "name:line:column: …" at a node. */
result yaml_fail(const struct yaml *node, struct str name, struct report *report, const char *fmt,
                 ...) __attribute__((format(printf, 4, 5)));

#endif
