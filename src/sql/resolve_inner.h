/*
 * sql/resolve_inner.h - what the files of the resolver share
 *
 * resolve.c walks queries, resolve_from.c sources, resolve_expr.c expressions, resolve_call.c calls
 * and windows; scope.c looks names up and lists uses. Nobody else includes this header.
 *
 * An environment says where an expression stands: which sources it sees, which clause it is in,
 * what outputs and lambda parameters it may name, and, by `outer`, the environment of the
 * expression that holds the query it belongs to. Environments live on the C stack: the parser
 * bounds the height of the tree, and with it the depth of all of this.
 */
#ifndef WEIR_SQL_RESOLVE_INNER_H
#define WEIR_SQL_RESOLVE_INNER_H

#include "base/map.h"
#include "sql/resolve.h"

struct resolved_node {
    struct sql_type type;
    union {
        const struct resolved_ref *ref;
        const struct resolved_star *star;
        const struct resolved_call *call;
        struct resolved_query *query;
        struct resolved_source *source;
        const void *any;
    };
    bool is_star; /* of a REF: it is a pattern, and `star` is set */
};

struct resolver {
    struct arena *arena;
    const struct grant *grant;
    struct report *report;
    struct resolved *out;
    struct resolved_use *uses;
    size_t cap_uses, cap_sources, cap_calls, cap_queries;
    bool is_of_policy; /* a text of the policy: it sees columns as they are, and not as their masks
                        */
};

/* CTEs that a query sees: the first n of its own, then those further out. */
struct cte_scope {
    const struct cte_scope *outer;
    struct resolved_cte *ctes;
    size_t n;
};

struct param_scope {
    const struct param_scope *outer;
    const struct sql_names *names;
    struct sql_type first, second; /* the types of the first two parameters */
};

enum alias_rule {
    ALIAS_NEVER = 0, /* outputs cannot be named */
    ALIAS_LAST,      /* input columns first: GROUP BY, HAVING, QUALIFY */
    ALIAS_FIRST,     /* outputs first: ORDER BY and its kin */
};

struct tally { /* of one block */
    size_t n_aggregates, n_windows;
};

struct env {
    struct resolver *r;
    const struct env *outer; /* for correlation; NULL: nothing further out */
    struct resolved_query *query;
    const struct resolved_source *from; /* what is seen; NULL: nothing */
    bool is_on;                         /* from is a JOIN, and its ON sees both sides */
    bool in_aggregate;
    bool may_make_rows; /* a table function may stand here */
    enum alias_rule aliases;
    enum sql_clause clause;
    const char *no_aggregate; /* "WHERE": aggregates are refused here, and this is where */
    const char *no_window;
    const char *no_query; /* subqueries likewise */
    const struct param_scope *params;
    const struct cte_scope *ctes;
    struct tally *tally;
};

/* -- scope.c ---------------------------------------------------------------------------------- */

result name_error(struct resolver *r, struct sql_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A column or field that is not there. It has the code of one that is not granted, so that the two
 * are told alike. */
result absent_error(struct resolver *r, struct sql_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
result not_supported(struct resolver *r, struct sql_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Indexes the columns of a source by name and marks names that stand twice. */
MUST_USE result scope_index(struct resolver *r, struct resolved_source *source);

struct column_list {
    const struct resolved_column **at;
    size_t n, cap;
};
/* The columns that a star over `from` means, in its order. */
MUST_USE result scope_visible(struct resolver *r, const struct resolved_source *from,
                              struct column_list *out);

struct found_column {
    const struct resolved_column *column; /* the first; NULL: none */
    size_t n;                             /* how many there are */
};
struct found_column scope_find(const struct resolved_source *from, bool is_on, struct str name);
/* The source with this alias, or whose relation has this name. NULL: none. */
const struct resolved_source *scope_find_source(const struct resolved_source *from, bool is_on,
                                                const struct sql_name *parts, size_t n);
/* The source's own column of this name. */
struct found_column scope_find_in(const struct resolved_source *source, struct str name);

/* Resolves a reference, with further fields behind it (those of enclosing FIELD nodes), notes its
 * use and sets its node. */
MUST_USE result scope_resolve_ref(const struct env *env, const struct sql_expr *expr,
                                  const struct sql_name *const *more, size_t n_more,
                                  struct sql_type *type);
MUST_USE result scope_note_use(const struct env *env, const struct resolved_column *column,
                               enum resolved_how how, struct sql_span span,
                               const struct resolved_ref *ref);
/* A hidden output was named: uses of the base columns behind it, for they are what is denied. */
MUST_USE result scope_reveal(const struct env *env, const struct resolved_query *query,
                             uint32_t index, struct sql_span span);
/* Refuses two sources of one name in one FROM. */
MUST_USE result scope_check_aliases(struct resolver *r, const struct resolved_source *left,
                                    const struct resolved_source *right);

/* -- resolve_expr.c --------------------------------------------------------------------------- */

struct resolved_node *node_of(struct resolver *r, uint32_t id);
struct sql_type type_of(const struct env *env, const struct sql_expr *expr);
MUST_USE result resolve_expr(const struct env *env, struct sql_expr *expr);
MUST_USE result resolve_exprs(const struct env *env, const struct sql_exprs *exprs);
MUST_USE result resolve_orders(const struct env *env, const struct sql_order *orders, size_t n);

/* -- resolve_call.c --------------------------------------------------------------------------- */

MUST_USE result resolve_call(const struct env *env, struct sql_expr *expr);
/* CURRENT_DATE and its like without parentheses; false: no such function. */
MUST_USE result resolve_bare_call(const struct env *env, const struct sql_expr *expr,
                                  const struct resolved_call **out, struct sql_type *type);
MUST_USE result resolve_window(const struct env *env, const struct sql_window *window);
MUST_USE result resolve_window_defs(const struct env *env, const struct sql_select *select);

struct made_column {
    struct str name; /* when the text gives none */
    struct sql_type type;
};
/* What a resolved call of a table function gives. *n is 0 when that cannot be told. */
MUST_USE result resolve_made(const struct env *env, const struct sql_expr *call,
                             struct made_column **out, size_t *n);

/* -- resolve_from.c --------------------------------------------------------------------------- */

MUST_USE result resolve_source(const struct env *env, struct sql_source *source,
                               struct resolved_source **out);
/* lower-case parts, 1 to 3; *out NULL: no such relation */
MUST_USE result find_relation(struct resolver *r, const struct str *parts, size_t n,
                              const struct grant_relation **out);
MUST_USE result source_new(struct resolver *r, const struct sql_source *source,
                           struct resolved_query *block, struct resolved_source **out);
MUST_USE result source_of_relation(struct resolver *r, const struct grant_relation *relation,
                                   struct resolved_source *out);

/* -- resolve_star.c --------------------------------------------------------------------------- */

/* A star as an item or an argument; sets its node and notes uses. */
MUST_USE result resolve_star(const struct env *env, struct sql_expr *expr,
                             const struct resolved_star **out);
/* The same for a back-quoted pattern; *out is NULL when the name is a column's after all. */
MUST_USE result resolve_pattern(const struct env *env, struct sql_expr *expr,
                                const struct resolved_star **out);

/* -- resolve.c -------------------------------------------------------------------------------- */

/* `outer` may be NULL: the query sees nothing further out. */
MUST_USE result resolve_query(struct resolver *r, struct sql_query *query, const struct env *outer,
                              const struct cte_scope *ctes, struct resolved_query **out);

/* The column that an output hands on unchanged; NULL: it is made here, or in several branches. */
const struct resolved_column *output_column(const struct resolved *r,
                                            const struct resolved_output *output);

#endif
