/*
 * backend/kind.h - what the files of the kinds share
 *
 * Every kind's struct begins with a struct backend, so that the functions of a kind find their own
 * by holder_of(). The kinds are listed once, in backend.c.
 *
 * Memory:  backend_init() copies the name into the arena.
 * Threads: open and close by one thread; see backend.h for the rest.
 */
#ifndef WEIR_BACKEND_KIND_H
#define WEIR_BACKEND_KIND_H

#include "backend/backend.h"

struct backend {
    const struct backend_kind *kind;
    struct str name;
};

extern const struct backend_kind backend_schema;

MUST_USE result backend_init(struct backend *backend, const struct backend_kind *kind,
                             const struct backend_setup *setup, struct arena *arena,
                             struct report *report);

/* Reads the keys of setup->node into `settings` by the kind's rows, defaults first. Each thing
 * wrong (an unknown key with the nearest known one, a value out of bounds) is a problem at its
 * place, and then the answer is FAIL_CONFIG. Texts go into `arena`. */
MUST_USE result backend_settings_read(const struct backend_kind *kind,
                                      const struct backend_setup *setup, void *settings,
                                      struct arena *arena, struct problems *problems);

/* A path of the configuration: as it is when absolute, else beneath config_dir. NULL: budget spent.
 */
const char *backend_input_path(const struct backend_setup *setup, struct str path,
                               struct arena *arena);

#endif
