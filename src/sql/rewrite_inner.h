/*
 * sql/rewrite_inner.h - what the files of the rewriter share
 *
 * rewrite.c walks the statement; rewrite_name.c gives every source, CTE and column the name that is
 * printed; rewrite_expr.c replaces references; rewrite_secure.c makes the secured tables. Nobody
 * else includes this header.
 */
#ifndef WEIR_SQL_REWRITE_INNER_H
#define WEIR_SQL_REWRITE_INNER_H

#include "base/map.h"
#include "sql/rewrite.h"

/* A column of a secured table. */
struct export {
    uint32_t column;
    const struct str *path; /* of a struct with a denied field: the allowed path; else n_path 0 */
    size_t n_path;
    struct str name;
};

struct exports { /* of one source */
    struct export *at;
    size_t n, cap;
    uint32_t *by_column; /* index + 1 of the export of the whole column; 0: none */
};

struct rewriter {
    const struct resolved *r;
    const struct enforced *enforced;
    struct arena *arena;
    struct report *report;
    struct ruled *ruled;
    struct str *aliases;      /* by source number */
    struct exports *exports;  /* by source number */
    struct sql_expr **copies; /* by source number: AND of what is repeated inside, or NULL */
    struct str *names;        /* by output number */
    struct str *cte_names;    /* by id of the CTE's query */
    struct str *wraps;        /* by id of a SET query: alias of what will be put around it */
    struct map taken;         /* aliases and lambda parameters in use */
    struct map taken_ctes;
    result failed;
};

static inline enum walk rewrite_on(const struct rewriter *rw) {
    return rw->failed.why == FAIL_NONE ? WALK_ON : WALK_STOP;
}

/* -- nodes of our own: NULL when memory is spent, and then rw->failed says so -------------------
 */

void rewrite_no_memory(struct rewriter *rw);
struct sql_expr *rewrite_node(struct rewriter *rw, enum sql_expr_kind kind, struct sql_type type);
struct sql_expr *rewrite_literal(struct rewriter *rw, enum sql_literal_kind kind, struct str text,
                                 struct sql_type type);
struct sql_name rewrite_named(struct str text);
/* alias.name and fields behind it, with the id, and so the type, that `into` has. */
void rewrite_ref(struct rewriter *rw, struct sql_expr *into, struct str alias, struct str name,
                 const struct str *path, size_t n_path);
/* A deep copy whose expressions keep their ids, so that types and meanings can be asked for. */
struct sql_expr *rewrite_copy(struct rewriter *rw, struct sql_expr *expr);
/* Ands a condition (its own node) to another one, which may be NULL; chains are kept flat. */
struct sql_expr *rewrite_and(struct rewriter *rw, struct sql_expr *all, struct sql_expr *one);

/* -- rewrite_name.c --------------------------------------------------------------------------- */

void rewrite_name_all(struct rewriter *rw);
/* An alias that nobody has, made from `wish`. */
struct str rewrite_alias(struct rewriter *rw, struct str wish);
/* The name by which the column's source shows it. */
struct str rewrite_column_name(struct rewriter *rw, const struct resolved_column *column);
bool rewrite_is_pattern(struct str name);
const struct export *rewrite_export(const struct rewriter *rw, const struct resolved_source *source,
                                    uint32_t column, const struct str *path, size_t n_path);
static inline bool rewrite_is_shown(const struct resolved_output *output) {
    return !output->hidden;
}

/* -- rewrite_expr.c --------------------------------------------------------------------------- */

/* Makes `into` the value of a column as the outside sees it. */
void rewrite_column(struct rewriter *rw, struct sql_expr *into,
                    const struct resolved_column *column, const struct str *path, size_t n_path);
/* Visitor for every expression of the statement. */
enum walk rewrite_see_expr(struct sql_expr *expr, const struct sql_place *place, void *with);
/* max_pt and its kin: the table by its whole name, or the answer in place of the call. */
void rewrite_metadata(struct rewriter *rw, struct sql_expr *expr,
                      const struct grant_relation *relation, const struct sql_function *function);

/* -- rewrite_secure.c ------------------------------------------------------------------------- */

/* Copies what is to be repeated inside the tables; before anything is changed. */
void rewrite_take_copies(struct rewriter *rw);
/* Makes the source of a base table a secured derived table. */
void rewrite_secure(struct rewriter *rw, struct sql_source *source,
                    const struct resolved_source *resolved);

#endif
