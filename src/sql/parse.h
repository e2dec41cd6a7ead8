/*
 * sql/parse.h - text into a tree, or a refusal with a place and a reason
 *
 * Accepts exactly one MaxCompute query (SELECT, WITH, FROM first, set operations, parentheses),
 * with at most one trailing `;`, and refuses everything else by name. It knows the grammar only:
 * unknown tables, columns and functions parse, and so do `?`, `:x`, project:function and
 * parameterised views, so that the later stages can name what they refuse. What would run code or
 * leave the single-statement language does not parse: TRANSFORM, MAP and REDUCE … USING, NEW and
 * Java members,
 * @variables, user-defined joins, script mode.
 *
 * Memory:  the tree lives in `arena` and borrows from `text`; keep both. Proportional to the text.
 *          Recursion is bounded by limits.nesting.
 * Errors:  FAIL_INPUT: SQL_SYNTAX_ERROR, ONLY_SELECT_ALLOWED, MULTIPLE_STATEMENTS_NOT_ALLOWED.
 *          FAIL_LIMIT: SQL_TOO_LARGE (bytes), SQL_TOO_DEEP, SQL_TOO_MANY_ITEMS (IN list, select
 *          items, CTEs, whatever is a list). FAIL_MEMORY. The report has the byte offset.
 * Threads: no shared state.
 */
#ifndef WEIR_SQL_PARSE_H
#define WEIR_SQL_PARSE_H

#include "base/arena.h"
#include "base/fail.h"
#include "sql/tree.h"

/* Each 0 means the default of base/limits.h; nesting is capped at SQL_NESTING_MAX, which is what
 * the stacks of our threads are measured for. */
struct sql_limits {
    size_t bytes;
    size_t nesting;
    size_t in_list;
    size_t select_items;
    size_t ctes;
};

MUST_USE result sql_parse(struct str text, const struct sql_limits *limits, struct arena *arena,
                          struct sql_query **out, struct report *report);

/* One expression and nothing behind it: row filters and masks of the policy, metrics of the
 * catalogue. The same language, limits and refusals. */
MUST_USE result sql_parse_expr(struct str text, const struct sql_limits *limits,
                               struct arena *arena, struct sql_expr **out, struct report *report);

/* The kind of statement, as `weir sql parse` tells it: "select", "insert", "create", …, "unknown".
 * Sees through comments, WITH, FROM first and parentheses; never fails, whatever the bytes. For
 * several statements it is the kind of the first. Needs no memory. */
const char *sql_classify(struct str text);

/* Line and column, both from 1, of a byte offset; columns count characters. */
void sql_position(struct str text, size_t offset, size_t *line, size_t *column);

#endif
