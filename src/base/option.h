/*
 * base/option.h - settings as one table
 *
 * A module that can be set up has a struct of settings and a const table of rows over it. From the
 * rows come defaults, parsing, bounds, --help, doc/configuration.md and the cockpit's view; a
 * setting that is not a row does not exist.
 *
 * Memory:  texts are kept in the arena given to option_set(); defaults are literals.
 * Errors:  FAIL_CONFIG with what was expected and the bounds.
 */
#ifndef WEIR_BASE_OPTION_H
#define WEIR_BASE_OPTION_H

#include "base/fail.h"

enum option_type {
    OPTION_BOOL,     /* bool          true|false|yes|no|on|off|1|0 */
    OPTION_INT,      /* int64_t */
    OPTION_BYTES,    /* int64_t       1048576, 64KiB, 8MiB, 10GiB (binary), 10GB (decimal) */
    OPTION_DURATION, /* int64_t, ms   250ms, 30s, 5m, 24h; a bare number is in the row's unit */
    OPTION_TEXT,     /* struct str */
    OPTION_CHOICE,   /* int: index into choices */
    OPTION_LIST,     /* struct option_list: texts; its fallback is NULL, for absent has a meaning */
};

struct option_list {
    struct str *items;
    size_t n;
    bool is_set; /* told apart from absent: [] is nothing, absent does not restrict */
};

struct option {
    const char *name; /* as in the file: "max_body_bytes" */
    enum option_type type;
    size_t offset; /* of the member in the settings struct */
    const char *fallback;
    int64_t min, max;           /* INT, BYTES, DURATION; both 0: unbounded */
    const char *const *choices; /* CHOICE: ends with NULL */
    const char *env;  /* environment names, first set one wins: "HTTP_PORT MCP_SERVICE_PORT" */
    const char *unit; /* of a bare DURATION number: "ms", "s", "m", "h", "d"; NULL: refused */
    bool reloadable;
    const char *sentence; /* one sentence for people; begins with a capital, ends with a stop */
};

/* Rows end with a row whose name is NULL. A fallback of NULL leaves the member as it is (TEXT:
 * STR_NONE), so zero the settings first. */
void option_defaults(const struct option *rows, void *settings);
const struct option *option_find(const struct option *rows, struct str name);
/* The row whose name is nearest, or NULL when none is near: for "did you mean". */
const struct option *option_nearest(const struct option *rows, struct str name);

/* Parses a scalar; a CHOICE in either case. LIST takes one text and appends it. */
MUST_USE result option_set(const struct option *row, void *settings, struct str value,
                           struct arena *arena, struct report *report);
/* Makes a list that is set and empty, to append to: as for [] in a file, or to put a stronger
 * source in the place of a weaker one. */
void option_list_clear(const struct option *row, void *settings);
/* Applies the environment names of all rows. A variable that is empty counts as not set; a LIST is
 * separated by commas and replaces what was there. */
MUST_USE result option_env(const struct option *rows, void *settings, struct arena *arena,
                           struct report *report);

/* Value parsers, for other tables. false: not of that form. */
bool parse_bytes(struct str s, int64_t *out);
bool parse_duration(struct str s, int64_t bare_unit_ms, int64_t *out_ms);
bool parse_bool(struct str s, bool *out);
/* "100/minute": n per window of s seconds; units second, minute, hour, day. */
bool parse_rate(struct str s, int64_t *n, int64_t *window_s);

#endif
