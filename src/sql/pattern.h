/*
 * sql/pattern.h - regular expressions over column names
 *
 * MaxCompute reads `(ds|pt)?+.+` in a select list as every column whose whole name matches, without
 * regard to case. The language is the part of Java's that people use on names: . [a-z] [^…] \d \w
 * \s (…) (?:…) (?=…) (?!…) | * + ? {n,m}, each greedy, lazy (?) or possessive (+), ^ and $.
 * Anything else is refused rather than guessed.
 *
 * Memory:  the compiled pattern lives in the arena and borrows from the text.
 * Errors:  FAIL_INPUT: SQL_NOT_SUPPORTED. FAIL_LIMIT: SQL_TOO_LARGE, when matching takes more
 *          than the steps that were given. FAIL_MEMORY. Offsets are those of the whole name.
 * Threads: a compiled pattern is immutable.
 */
#ifndef WEIR_SQL_PATTERN_H
#define WEIR_SQL_PATTERN_H

#include "base/arena.h"
#include "base/fail.h"

struct sql_pattern;

MUST_USE result sql_pattern_parse(struct str text, size_t offset, struct arena *arena,
                                  const struct sql_pattern **out, struct report *report);

/* Does the whole name match? *steps counts down; it is shared by all names of one pattern. */
MUST_USE result sql_pattern_match(const struct sql_pattern *pattern, struct str name, size_t *steps,
                                  bool *out, struct report *report);

#endif
