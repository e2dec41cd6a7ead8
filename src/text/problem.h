/*
 * text/problem.h - everything that is wrong with a configuration, not only the first thing
 *
 * Loaders add what they find and go on; who asked for the load looks at n_errors. An error stops a
 * start or a reload; a warning is told and lives.
 *
 * Memory:  texts are copied into the arena given at init.
 * Threads: one owner.
 */
#ifndef WEIR_TEXT_PROBLEM_H
#define WEIR_TEXT_PROBLEM_H

#include "base/arena.h"
#include "text/yaml.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct problem {
    enum severity severity;
    struct str file;
    uint32_t line, column; /* 0: the file as a whole */
    struct str text;       /* lower case, no full stop */
    struct str hint;       /* may be empty */
};

struct problems {
    struct arena *arena;
    struct problem *items;
    size_t n, cap;
    size_t n_errors;
    bool is_full; /* the arena's budget is spent: treat as an error */
};

void problems_init(struct problems *problems, struct arena *arena);
/* node may be NULL: the file as a whole. */
void problem_add(struct problems *problems, enum severity severity, struct str file,
                 const struct yaml *node, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* A file that could not be read as a tree: a reader's sentence begins with file:line:column, which
 * a problem keeps apart. */
void problem_add_unread(struct problems *problems, struct str file, struct str sentence);
/* Adds the hint to the last problem. */
void problem_hint(struct problems *problems, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "file:line:column: error: text (hint)" of one problem. */
struct str problem_print(const struct problem *problem, struct arena *arena);

#endif
