/*
 * policy/import_inner.h - what was read, on its way into a rules.yaml
 *
 * Memory:  in the arena of the import; nodes and texts are borrowed from the file. Whether it was
 *          enough is asked once, at the end (arena.is_spent).
 */
#ifndef WEIR_POLICY_IMPORT_INNER_H
#define WEIR_POLICY_IMPORT_INNER_H

#include "policy/import.h"
#include "policy/policy.h"

struct import_condition {
    struct str path, reason;
    const char *op;
    const struct yaml *value; /* a scalar or a list of them, each of which import_write can print */
    bool is_optional;
};

struct import_tool {
    struct str name;
    enum effect effect;
    struct str reason; /* of a denial or a question; may be empty */
    int64_t rate_max, rate_window_s;
    const char *rate_by; /* NULL: no rate */
    struct import_condition *conditions;
    size_t n_conditions, cap_conditions;
};

struct importing {
    const struct policy_import *import;
    struct arena *arena;
    struct problems *problems;
    bool denies_unnamed;
    const struct yaml *hide; /* NULL or a list of texts */
    struct import_tool *tools;
    size_t n_tools, cap_tools;
    const struct yaml *at; /* the rule being read, for what is said of its tool */
};

enum import_form { IMPORT_NO_NUMBER = 0, IMPORT_NUMBER, IMPORT_TRUTH, IMPORT_TEXT };
/* How a scalar is meant there: a plain one that looks like a number and is none of JSON's
 * (0x10, a date) cannot be said here: IMPORT_NO_NUMBER. */
enum import_form import_form(const struct yaml *scalar, struct arena *arena);

/* Denies the tool for want of words; for all tools it is an error. */
void import_lose(struct importing *i, struct import_tool *tool, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void import_warn(struct importing *i, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void import_wrong(struct importing *i, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A key of a map that `known` does not hold; NULL: there is none. `known` ends with NULL. */
const struct yaml *import_stranger(const struct yaml *map, const char *const *known);
struct str import_text(const struct yaml *map, const char *key); /* STR_NONE: no scalar */

bool import_is_for_all(const struct import_tool *tool);
void import_rate(struct importing *i, struct import_tool *tool, int64_t max, int64_t window_s,
                 const char *by);
void import_deny(struct import_tool *tool, struct str reason);
void import_approve(struct import_tool *tool, struct str reason);

/* One condition of `require`, `deny_if` (then it is turned round) or a rule. */
void import_condition(struct importing *i, struct import_tool *tool, const struct yaml *node,
                      struct str reason, bool is_turned);
/* One of Intercept's rules. */
void import_rule(struct importing *i, struct import_tool *tool, const struct yaml *rule);

void import_write(const struct importing *i, struct buf *out);

#endif
