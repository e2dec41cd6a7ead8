/*
 * text/rows.h - settings of a YAML map, by the rows of their table (base/option.h)
 *
 * What text/bind.h is for trees with structure of their own, this is for flat maps of settings:
 * each key is a row; an unknown one is told with the nearest known; `${NAME}` is taken from the
 * environment; keys that begin with `x-` are anybody's.
 *
 * Memory:  texts live in the binder's arena.
 * Errors:  FAIL_MEMORY only. What is wrong goes to the binder's problems, each at its place.
 */
#ifndef WEIR_TEXT_ROWS_H
#define WEIR_TEXT_ROWS_H

#include "base/option.h"
#include "text/bind.h"

/* `map` may be NULL or null: nothing is set; nor is a text that is a plain null. `what` is for
 * people: "a backend of kind duckdb". `others` are keys that somebody else reads; it ends with
 * NULL, and may be NULL. Defaults are the caller's to set before. */
MUST_USE result rows_read(const struct binder *binder, const struct option *rows, void *settings,
                          const struct yaml *map, const char *what, const char *const *others);

#endif
