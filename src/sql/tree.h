/*
 * sql/tree.h - the parsed tree: one MaxCompute query as it was written
 *
 * First of the three stages (parsed, resolved, ruled). Nothing here knows what a name means: `a.b`
 * may be a column of an alias or a field of a struct. The resolver's types (resolve.h) refer to
 * these nodes; the rewriter builds new ones; print.h turns a tree into text again.
 *
 * Invariants, kept by the parser and expected from everyone who builds or changes nodes:
 *   1. A tag of zero is no node: zeroed memory is refused by walker, printer and comparison.
 *   2. Every node has one parent. Do not hang a node in two places; copy it (sql_copy_*, walk.h).
 *   3. Parentheses are not kept; the shape of the tree says what binds. The printer puts its own.
 *   4. AND, OR and || chains and set operations of one operator are flat lists: 5000 ORs are not
 *      deep. Set operators have no precedence, a change of operator nests to the left (note 6).
 *      All other operators are binary; no tree is higher than sql_limits.nesting.
 *   5. Spellings that mean the same are parsed to one form:
 *      == is =, != is <>, ! is NOT, REGEXP is RLIKE, EXCEPT is MINUS, FROM first is SELECT first,
 *      LIMIT m, n is LIMIT n OFFSET m, ROWS x is ROWS BETWEEN x AND CURRENT ROW,
 *      DISTRIBUTE BY … SORT BY inside OVER is PARTITION BY … ORDER BY,
 *      substring(a FROM b FOR c) is substring(a, b, c), trim(BOTH x FROM y) is trim(y, x).
 *   6. Pointers that may be NULL say so; arrays are NULL when empty.
 *
 * Memory:  nodes live in the arena given to sql_parse(); strs point into the arena or the text.
 * Threads: plain data.
 */
#ifndef WEIR_SQL_TREE_H
#define WEIR_SQL_TREE_H

#include "sql/types.h"

/* Byte offsets in the client's text, `to` behind the last byte. A node that we built ourselves
 * has from = to = SQL_NOWHERE. */
#define SQL_NOWHERE UINT32_MAX
struct sql_span {
    uint32_t from, to;
};

/* -- names ------------------------------------------------------------------------------------ */

enum sql_quoting {
    SQL_BARE = 0,   /* abc, 手机号, 1phone, $x */
    SQL_BACKQUOTED, /* `abc`: in a select list it may be a regular expression over column names */
    SQL_DOUBLE,     /* "abc": only in alias position, where a string is taken as a name */
};

struct sql_name {
    struct str text; /* decoded, without quotes, case as written; ptr NULL: absent */
    struct sql_span span;
    enum sql_quoting quoting;
};

struct sql_names {
    struct sql_name *at;
    size_t n;
};

/* -- expressions ------------------------------------------------------------------------------ */

enum sql_expr_kind {
    SQL_LITERAL = 1, /* 1  'a' "b"  1.5BD  NULL  TRUE  DATE'2024-01-01' */
    SQL_INTERVAL,    /* INTERVAL '1-2' YEAR TO MONTH, INTERVAL e DAY */
    SQL_PARAM,       /* ?  :name  (check refuses them by name) */
    SQL_REF, /* a  a.b  a.b.c …: names only, meaning unknown; one back-quoted part may be a pattern
              */
    SQL_STAR,     /* *  t.*  * EXCEPT (a) REPLACE (e AS b); in a select list or as an argument */
    SQL_FIELD,    /* e.f where e is not just names: f(x).a, m['k'].a, (e).a */
    SQL_INDEX,    /* e[i]: array element or map value */
    SQL_CALL,     /* f(a, b), count(*), count(DISTINCT a), f(x) OVER w, project:f(x), ::f(x) */
    SQL_EXTRACT,  /* EXTRACT(unit FROM e) */
    SQL_CAST,     /* CAST(e AS type) */
    SQL_CASE,     /* CASE [e] WHEN a THEN b … [ELSE c] END */
    SQL_UNARY,    /* NOT e  -e  +e  ~e */
    SQL_BINARY,   /* a + b, a = b, a [NOT] LIKE b, a IS [NOT] DISTINCT FROM b */
    SQL_CHAIN,    /* a AND b AND c, a OR b, a || b || c: two or more, one operator */
    SQL_IS_NULL,  /* e IS [NOT] NULL */
    SQL_BETWEEN,  /* e [NOT] BETWEEN low AND high */
    SQL_IN_LIST,  /* e [NOT] IN (a, b, …) */
    SQL_IN_QUERY, /* e [NOT] IN (SELECT …) */
    SQL_EXISTS,   /* EXISTS (SELECT …); NOT EXISTS is a UNARY NOT over it */
    SQL_SUBQUERY, /* (SELECT …) as a value, or as the argument of a parameterised view */
    SQL_ROW,      /* (a, b) as one value, two or more items */
    SQL_LAMBDA,   /* x -> e, (x, y) -> e */
};

enum sql_op {
    SQL_OP_NONE = 0,
    /* unary */
    SQL_OP_NOT,
    SQL_OP_MINUS,
    SQL_OP_PLUS,
    SQL_OP_BIT_NOT,
    /* binary, in order of binding, tightest first; BIT_XOR is ^, which is no power here */
    SQL_OP_BIT_XOR,
    SQL_OP_MUL,
    SQL_OP_DIV, /* /: always DOUBLE */
    SQL_OP_MOD,
    SQL_OP_INT_DIV, /* DIV */
    SQL_OP_ADD,
    SQL_OP_SUB,
    SQL_OP_CONCAT, /* CHAIN only */
    SQL_OP_BIT_AND,
    SQL_OP_BIT_OR,
    SQL_OP_EQ,
    SQL_OP_NULL_EQ, /* <=> */
    SQL_OP_NE,
    SQL_OP_LT,
    SQL_OP_LE,
    SQL_OP_GT,
    SQL_OP_GE,
    SQL_OP_LIKE,     /* may be negated */
    SQL_OP_RLIKE,    /* may be negated */
    SQL_OP_DISTINCT, /* IS DISTINCT FROM, may be negated */
    SQL_OP_AND,      /* CHAIN only */
    SQL_OP_OR,       /* CHAIN only */
};

enum sql_literal_kind {
    SQL_NULL = 1,
    SQL_TRUE,
    SQL_FALSE,
    SQL_INTEGER,   /* 42: text holds the digits */
    SQL_BIGINT,    /* 42L */
    SQL_SMALLINT,  /* 42S */
    SQL_TINYINT,   /* 42Y */
    SQL_NUMBER,    /* 1.5  1e3  1.: text as written */
    SQL_DECIMAL,   /* 1.5BD: text without the suffix */
    SQL_STRING,    /* text decoded, adjacent literals joined; may hold any byte but invalid UTF-8 */
    SQL_DATE,      /* DATE'…': text decoded */
    SQL_DATETIME,  /* DATETIME'…' */
    SQL_TIMESTAMP, /* TIMESTAMP'…' */
    SQL_TIMESTAMP_NTZ, /* TIMESTAMP_NTZ'…' */
} __attribute__((packed));

enum sql_unit {
    SQL_UNIT_NONE = 0,
    SQL_UNIT_YEAR,
    SQL_UNIT_QUARTER, /* EXTRACT only, like WEEK */
    SQL_UNIT_MONTH,
    SQL_UNIT_WEEK,
    SQL_UNIT_DAY,
    SQL_UNIT_HOUR,
    SQL_UNIT_MINUTE,
    SQL_UNIT_SECOND,
};

/* How a function's name was written. */
enum sql_call_prefix {
    SQL_CALL_PLAIN = 0, /* f(…) */
    SQL_CALL_DOT,   /* project.view(…), as a source only; elsewhere a dot before a call is a Java
                       member */
    SQL_CALL_COLON, /* project:f(…) */
    SQL_CALL_BUILTIN, /* ::f(…): the built-in of that name */
};

struct sql_exprs {
    struct sql_expr **at;
    size_t n;
};

struct sql_when {
    struct sql_expr *when;
    struct sql_expr *then;
};

struct sql_replace { /* REPLACE (e AS name) of a star */
    struct sql_expr *expr;
    struct sql_name name;
};

struct sql_literal {
    enum sql_literal_kind kind;
    struct str text;
};

struct sql_interval {
    struct sql_expr *value;
    enum sql_unit from;
    enum sql_unit to;   /* SQL_UNIT_NONE: a single unit */
    uint32_t precision; /* DAY(3) TO …; 0: not given */
    uint32_t fraction;  /* … TO SECOND(6); 0: not given */
};

struct sql_star {
    struct sql_names qualifier; /* n = 0: plain star */
    struct sql_names except;
    struct sql_replace *replace;
    size_t n_replace;
};

struct sql_call {
    enum sql_call_prefix prefix;
    struct sql_names name; /* one part, or two with DOT and COLON: the last is the function */
    bool distinct;
    struct sql_exprs args;    /* may hold SQL_STAR, SQL_LAMBDA, SQL_SUBQUERY */
    struct sql_order *within; /* WITHIN GROUP (ORDER BY …) */
    size_t n_within;
    struct sql_expr *filter; /* FILTER (WHERE …), or NULL */
    struct sql_window *over; /* OVER …, or NULL */
};

struct sql_expr {
    enum sql_expr_kind kind;
    enum sql_op op; /* UNARY, BINARY, CHAIN */
    bool negated; /* NOT LIKE, NOT RLIKE, IS NOT NULL, NOT BETWEEN, NOT IN, IS NOT DISTINCT FROM */
    uint16_t height; /* levels beneath, this one included; kept by the parser, 0 in what we build */
    uint32_t id; /* dense from 1 within one parse over expressions, sources and queries; 0: ours */
    struct sql_span span;
    union {
        struct sql_literal literal;
        struct sql_interval interval;
        struct sql_name param; /* PARAM: absent for ? */
        struct sql_names ref;  /* REF */
        struct sql_star star;
        struct sql_call call;
        struct { /* FIELD */
            struct sql_expr *base;
            struct sql_name name;
        } field;
        struct { /* INDEX */
            struct sql_expr *base;
            struct sql_expr *index;
        } index;
        struct { /* EXTRACT */
            enum sql_unit unit;
            struct sql_expr *from;
        } extract;
        struct { /* CAST */
            struct sql_expr *value;
            struct sql_type type;
        } cast;
        struct {                      /* CASE */
            struct sql_expr *operand; /* or NULL */
            struct sql_when *whens;
            size_t n_whens;
            struct sql_expr *otherwise; /* or NULL */
        } cases;
        struct sql_expr *operand; /* UNARY, IS_NULL */
        struct {                  /* BINARY */
            struct sql_expr *left;
            struct sql_expr *right;
        } binary;
        struct sql_exprs items; /* CHAIN, ROW */
        struct {                /* BETWEEN */
            struct sql_expr *value;
            struct sql_expr *low;
            struct sql_expr *high;
        } between;
        struct { /* IN_LIST, IN_QUERY */
            struct sql_expr *value;
            struct sql_exprs list;   /* IN_LIST */
            struct sql_query *query; /* IN_QUERY */
        } in;
        struct sql_query *query; /* EXISTS, SUBQUERY */
        struct {                 /* LAMBDA */
            struct sql_names params;
            struct sql_expr *body;
        } lambda;
    };
};

/* -- ordering and windows ------------------------------------------------------------------------
 */

enum sql_nulls {
    SQL_NULLS_DEFAULT = 0, /* MaxCompute: NULL is the smallest value */
    SQL_NULLS_FIRST,
    SQL_NULLS_LAST,
};

struct sql_order { /* e [ASC | DESC] [NULLS FIRST | LAST] */
    struct sql_expr *expr;
    bool descending;
    enum sql_nulls nulls;
};

enum sql_frame_unit {
    SQL_FRAME_ROWS = 1,
    SQL_FRAME_RANGE,
    SQL_FRAME_GROUPS,
};

enum sql_bound_kind {
    SQL_UNBOUNDED_PRECEDING = 1,
    SQL_PRECEDING, /* e PRECEDING */
    SQL_CURRENT_ROW,
    SQL_FOLLOWING, /* e FOLLOWING */
    SQL_UNBOUNDED_FOLLOWING,
};

enum sql_exclude {
    SQL_EXCLUDE_NONE = 0, /* not written, or EXCLUDE NO OTHERS */
    SQL_EXCLUDE_CURRENT_ROW,
    SQL_EXCLUDE_GROUP,
    SQL_EXCLUDE_TIES,
};

struct sql_bound {
    enum sql_bound_kind kind;
    struct sql_expr *expr; /* PRECEDING, FOLLOWING; else NULL */
};

struct sql_frame {
    enum sql_frame_unit unit;
    struct sql_bound start, end;
    enum sql_exclude exclude;
};

/* w   or   (w PARTITION BY … ORDER BY … ROWS BETWEEN … AND …) */
struct sql_window {
    struct sql_span span;
    struct sql_name base; /* absent when none */
    bool is_name;         /* OVER w, without parentheses: base and nothing else */
    struct sql_exprs partition;
    struct sql_order *order;
    size_t n_order;
    struct sql_frame *frame; /* or NULL: the default frame, which is ROWS up to here (9.2) */
};

struct sql_window_def { /* WINDOW name AS … */
    struct sql_name name;
    struct sql_window *window;
};

/* -- sources: what stands in FROM
 * ------------------------------------------------------------------ */

enum sql_source_kind {
    SQL_TABLE = 1, /* [project.[schema.]]t [TIMESTAMP AS OF e] [TABLESAMPLE …] [AS] alias */
    SQL_DERIVED,   /* (SELECT …) [TABLESAMPLE …] alias [(c, …)] */
    SQL_VALUES,    /* VALUES (1, 2), (3, 4) alias(c, d) */
    SQL_FUNCTION,  /* f(args) alias: a parameterised view or table function; check refuses most */
    SQL_JOIN,      /* left JOIN right ON …  left, right */
    SQL_LATERAL,   /* left LATERAL VIEW [OUTER] f(args) alias AS c, d */
    SQL_PIVOT,     /* input PIVOT (sum(x) AS s FOR c IN (1 AS a, 2 AS b)) alias */
    SQL_UNPIVOT,   /* input UNPIVOT (v FOR n IN (a, b)) alias */
};

enum sql_join_kind {
    SQL_JOIN_COMMA = 1, /* a, b */
    SQL_JOIN_CROSS,
    SQL_JOIN_INNER,
    SQL_JOIN_LEFT,
    SQL_JOIN_RIGHT,
    SQL_JOIN_FULL,
    SQL_JOIN_SEMI, /* LEFT SEMI JOIN */
    SQL_JOIN_ANTI, /* LEFT ANTI JOIN */
};

struct sql_join {
    enum sql_join_kind kind;
    bool natural;
    struct sql_source *left, *right;
    struct sql_expr *on;    /* or NULL */
    struct sql_names using; /* or n = 0 */
};

struct sql_lateral {
    struct sql_source *input; /* NULL: LATERAL VIEW without a FROM */
    bool outer;
    struct sql_expr *call; /* SQL_CALL */
};

enum sql_sample_kind {
    SQL_SAMPLE_NONE = 0,
    SQL_SAMPLE_BUCKET,  /* (BUCKET n OUT OF m [ON e, …]) */
    SQL_SAMPLE_PERCENT, /* (n PERCENT) */
    SQL_SAMPLE_ROWS,    /* (n ROWS) */
    SQL_SAMPLE_BYTES,   /* (10M) */
};

struct sql_sample {
    enum sql_sample_kind kind;
    struct str amount;   /* n, as written: digits, or a byte length such as 10M */
    struct str of;       /* BUCKET: m */
    struct sql_exprs on; /* BUCKET */
};

enum sql_travel_kind {
    SQL_TRAVEL_NONE = 0,
    SQL_TRAVEL_AS_OF,   /* TIMESTAMP AS OF e */
    SQL_TRAVEL_BETWEEN, /* TIMESTAMP BETWEEN a AND b */
};

struct sql_travel {
    enum sql_travel_kind kind;
    bool by_version;            /* VERSION instead of TIMESTAMP */
    struct sql_expr *from, *to; /* AS OF: only from */
};

struct sql_pivot_value { /* (v, w) AS name */
    struct sql_exprs values;
    struct sql_name alias; /* or absent */
};

struct sql_pivot {
    struct sql_source *input;
    struct sql_item *aggregates;
    size_t n_aggregates;
    struct sql_names columns; /* FOR a   FOR (a, b) */
    struct sql_pivot_value *in;
    size_t n_in;
};

struct sql_unpivot_group { /* a   (a, b) AS 'label' */
    struct sql_names columns;
    struct sql_expr *label; /* or NULL */
};

struct sql_unpivot {
    struct sql_source *input;
    bool include_nulls;
    struct sql_names values; /* UNPIVOT (v …   UNPIVOT ((v, w) … */
    struct sql_name name;    /* FOR n */
    struct sql_unpivot_group *in;
    size_t n_in;
};

struct sql_row { /* one of VALUES */
    struct sql_exprs items;
    uint32_t at;
};

struct sql_source {
    enum sql_source_kind kind;
    uint16_t height;
    uint32_t id;
    struct sql_span span;
    struct sql_name alias;    /* absent when none; of JOIN always absent */
    struct sql_names columns; /* alias(c, d); for LATERAL the names behind AS */
    struct sql_sample sample; /* TABLE, DERIVED */
    struct sql_travel travel; /* TABLE */
    union {
        struct sql_names table;  /* TABLE: 1 to 3 parts */
        struct sql_query *query; /* DERIVED */
        struct {                 /* VALUES */
            struct sql_row *rows;
            size_t n_rows;
        } values;
        struct sql_expr *call; /* FUNCTION: SQL_CALL */
        struct sql_join join;
        struct sql_lateral lateral;
        struct sql_pivot *pivot;
        struct sql_unpivot *unpivot;
    };
};

/* -- queries ---------------------------------------------------------------------------------- */

struct sql_hint { /* one of a hint comment: MAPJOIN(a, b). Advice only: dropping it never changes
                     the answer. */
    struct sql_name name;
    struct sql_exprs args; /* hints whose arguments are no expressions are not kept */
};

struct sql_item { /* e [AS alias]   explode(m) AS (k, v) */
    struct sql_expr *expr;
    struct sql_names aliases; /* n = 0: none; 1: AS a; listed says AS (…) */
    bool listed;
};

enum sql_group_kind {
    SQL_GROUP_EXPR = 1, /* e */
    SQL_GROUP_LIST,     /* (a, b) or (): one set; only inside the others */
    SQL_GROUP_ROLLUP,   /* ROLLUP (…) */
    SQL_GROUP_CUBE,     /* CUBE (…) */
    SQL_GROUP_SETS,     /* GROUPING SETS (…) */
};

struct sql_group {
    enum sql_group_kind kind;
    struct sql_span span;
    struct sql_expr *expr;   /* EXPR */
    struct sql_group *items; /* the others */
    size_t n_items;
};

/* The older spelling at the end: GROUP BY a, b WITH ROLLUP, … GROUPING SETS ((a), (b)). Then all
 * items are EXPR. `suffix` 0: none; else ROLLUP, CUBE, or SETS with `sets`. */
struct sql_group_by {
    struct sql_group *items;
    size_t n_items;
    enum sql_group_kind suffix;
    struct sql_group *sets;
    size_t n_sets;
};

/* SELECT … FROM … WHERE … GROUP BY … HAVING … WINDOW … QUALIFY … */
struct sql_select {
    struct sql_span span;
    struct sql_hint *hints; /* those behind SELECT, then those behind FROM */
    size_t n_hints;
    bool distinct;
    struct sql_item *items; /* at least one */
    size_t n_items;
    struct sql_source *from; /* or NULL */
    struct sql_expr *where;  /* or NULL */
    struct sql_group_by group_by;
    struct sql_expr *having; /* or NULL */
    struct sql_window_def *windows;
    size_t n_windows;
    struct sql_expr *qualify; /* or NULL */
};

enum sql_set_op {
    SQL_UNION = 1,
    SQL_INTERSECT,
    SQL_MINUS, /* also EXCEPT */
};

struct sql_cte { /* name [(c, …)] AS (query) */
    struct sql_name name;
    struct sql_names columns;
    struct sql_query *query;
};

struct sql_limit {
    struct sql_expr *count;  /* NULL: no LIMIT. Any expression parses; check wants an integer. */
    struct sql_expr *offset; /* or NULL */
};

/* What stands behind a select block or behind a whole set operation. */
struct sql_tail {
    struct sql_order *order; /* ORDER BY */
    size_t n_order;
    struct sql_exprs cluster;
    struct sql_exprs distribute;
    struct sql_order *sort;
    size_t n_sort;
    struct sql_names zorder;
    struct sql_limit limit;
};

enum sql_query_kind {
    SQL_SELECT = 1,
    SQL_SET, /* a UNION b UNION c; a change of operator nests to the left: (a UNION b) MINUS c */
};

/* [WITH …] body [ORDER BY … LIMIT …]. The tail behind the last branch of a set operation belongs to
 * the whole, as in the 2.0 type system, which every job sets (9.6); a branch with a tail of its own
 * was parenthesised or stood before an operator. */
struct sql_query {
    enum sql_query_kind kind;
    uint16_t height;
    uint32_t id;
    uint32_t n_ids; /* in the root of a parse: ids run from 1 to n_ids */
    struct sql_span span;
    struct sql_cte *ctes;
    size_t n_ctes;
    union {
        struct sql_select *select; /* SELECT */
        struct {                   /* SET: two or more branches, one operator */
            enum sql_set_op set_op;
            bool set_all; /* else DISTINCT, which is the default */
            struct sql_query **branches;
            size_t n_branches;
        };
    };
    struct sql_tail tail;
};

static inline bool sql_name_given(const struct sql_name *name) {
    return name->text.ptr != NULL;
}

#endif
