/*
 * policy/mask.h - a column that is shown as something less
 *
 * A mask is an expression of MaxCompute over the table's columns, or one of four names: `hash`,
 * `partial`, `null` and `year`, whose expressions are made for the type of the column. A text that
 * is one of the names is the mask, never a column of that name. What a name cannot be said of (a
 * struct has no year) is denied.
 *
 * `${mask.salt}` in an expression is the salt of the settings, and may stand within sha2(…) alone:
 * anything else would show it. In the text of a mask it is the literal GRANT_SALT; the guard puts
 * the salt itself in its place when the statement goes to the backend, so that no record, answer or
 * sentence holds it.
 *
 * Memory:  in the given arenas; a mask borrows from its text.
 * Errors:  FAIL_CONFIG with the sentence in the report; FAIL_MEMORY.
 * Threads: immutable once read.
 */
#ifndef WEIR_POLICY_MASK_H
#define WEIR_POLICY_MASK_H

#include "sql/grant.h"

enum mask_kind { MASK_NONE = 0, MASK_EXPR, MASK_HASH, MASK_PARTIAL, MASK_NULL, MASK_YEAR };

struct mask {
    enum mask_kind kind;
    struct str expr; /* MASK_EXPR */
    bool needs_salt;
};

MUST_USE result mask_read(struct str text, struct arena *arena, struct mask *out,
                          struct report *report);

/* The mask as an expression over the column. *out is empty where the mask has no meaning for the
 * column's type. */
MUST_USE result mask_expr(const struct mask *mask, const struct schema_column *column,
                          struct arena *arena, struct str *out, struct report *report);

#endif
