/*
 * text/bind.h - configuration trees into structs, by tables
 *
 * Whoever reads a map of a file writes one const table of its keys: name, type, bounds, default and
 * where the value goes. From the table come the reading and every complaint: unknown key with the
 * nearest known one, wrong type, out of bounds, missing. Keys that begin with `x-` are anybody's.
 * `${NAME}` in a value is taken from the environment; `${a.b}` is left for who binds it later.
 *
 *     static const struct bind_key domain_keys[] = {
 *         {.name = "name", .type = BIND_TEXT, .offset = offsetof(struct domain, name)},
 *         {.name = NULL}};
 *     static const struct bind_kind domain_kind = {"a domain", domain_keys, sizeof(struct domain)};
 *
 * A plain null is an absent text and an empty map; for lists, numbers and truths, where "nothing"
 * and "no restriction" would be a guess, it is an error.
 *
 * Memory:  what is read lives in the binder's arena; nodes are borrowed from the tree.
 * Errors:  FAIL_MEMORY only. What is wrong in the file goes to `problems`; ask for n_errors.
 * Threads: one owner. Reads the environment: nobody may change it meanwhile.
 */
#ifndef WEIR_TEXT_BIND_H
#define WEIR_TEXT_BIND_H

#include "text/problem.h"

enum bind_type {
    BIND_SKIP = 0, /* known, and read by somebody else */
    BIND_TEXT,     /* struct str */
    BIND_NAME,     /* struct str, not empty, printable, at most BIND_NAME_BYTES_MAX */
    BIND_BOOL,     /* bool */
    BIND_INT,      /* int64_t from min to max */
    BIND_BYTES,    /* int64_t from min to max: 1048576, 8MiB */
    BIND_RATE,     /* struct bind_rate: 100/minute; at most max calls */
    BIND_CHOICE,   /* int: index into choices */
    BIND_TEXTS,    /* struct bind_texts: a list */
    BIND_MAP,      /* a struct of kind `of`, inside this one */
    BIND_EACH,     /* struct bind_array: a map of names to structs of kind `of` */
    BIND_LIST,     /* struct bind_array: a list of structs of kind `of` */
};

struct bind_rate {
    int64_t n, window_s; /* 0: not given */
};

struct bind_texts {
    const struct str *items;
    size_t n;
    bool is_set; /* `[]` is set and empty */
};

struct bind_array {
    void *items; /* as many structs of the kind's size */
    size_t n;
};

/* Each struct of an EACH or a LIST begins with this. */
struct bind_head {
    struct str id;          /* EACH: the key as written */
    const struct yaml *key; /* EACH */
    const struct yaml *node;
};

struct bind_kind;

struct bind_key {
    const char *name; /* NULL ends the table; "*" takes every other key whose value is a map */
    enum bind_type type;
    size_t offset;
    int64_t fallback;           /* BOOL, INT, BYTES, CHOICE: when the key is absent */
    int64_t min, max;           /* INT, BYTES; both 0: unbounded. RATE: max */
    const char *const *choices; /* CHOICE: ends with NULL */
    const struct bind_kind *of; /* MAP, EACH, LIST */
    bool is_required;
    bool one_is_list; /* TEXTS: a single text stands for a list of it */
};

struct bind_kind {
    const char *what; /* for people: "a table" */
    const struct bind_key *keys;
    size_t size;                  /* EACH, LIST */
    const struct bind_key *value; /* instead of keys: the node itself is this value */
};

struct binder {
    struct arena *arena;
    struct problems *problems;
    struct str file;
};

/* Fills `target` (zeroed) from a map. NULL is an absent map: the defaults. */
MUST_USE result bind_map(const struct binder *binder, const struct bind_kind *kind,
                         const struct yaml *node, void *target);

/* The text of a scalar with `${NAME}` put in. */
MUST_USE result bind_text(const struct binder *binder, const struct yaml *scalar, struct str *out);

/* Printable, without blanks at the ends, at most BIND_NAME_BYTES_MAX bytes, at least one. */
bool bind_is_name(struct str text);

/* The nearest of n names, or STR_NONE when none is near: for "did you mean". */
struct str bind_nearest(struct str text, const struct str *names, size_t n);

#endif
