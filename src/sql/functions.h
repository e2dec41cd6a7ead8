/*
 * sql/functions.h - every built-in function, once
 *
 * One row a function (functions.def): how many arguments, what kind, what it touches, what comes
 * out, and how each dialect spells it. A name that has no row is no built-in; the guard lets it
 * through only when the grant lists it.
 *
 * Spellings are a small language for the printers:
 *
 *     ""                    the dialect cannot: refuse by name
 *     "="                   the same name, arguments as they are
 *     "lower"               another name, arguments as they are
 *     "@dateadd"            the dialect's printer has code of its own under this name
 *     "strpos($1, $2)"      a template. $1 … $9: an argument. $*: all, with commas.
 *                           ${3:1}: the third, or the text `1` when it is not given.
 *                           ${2*}: from the second on, with commas.
 *                           ${1!double}: the first, cast unless its type is one of the class.
 *     "a($1) ;; b($1, $2)"  one template for each number of arguments
 *
 * Memory:  constant tables.
 * Threads: immutable.
 */
#ifndef WEIR_SQL_FUNCTIONS_H
#define WEIR_SQL_FUNCTIONS_H

#include "sql/types.h"

enum sql_function_kind {
    FUNCTION_SCALAR = 0,
    FUNCTION_AGGREGATE,        /* may not have OVER */
    FUNCTION_AGGREGATE_WINDOW, /* either */
    FUNCTION_WINDOW,           /* only with OVER */
    FUNCTION_TABLE,            /* rows: LATERAL VIEW, or alone in a select list */
};

enum sql_function_flag { /* bits */
                         FUNCTION_VOLATILE =
                             1 << 0, /* two calls may differ: never moved into a secured table */
                         FUNCTION_METADATA =
                             1 << 1, /* the first argument is a constant that names a relation */
                         FUNCTION_REFUSED = 1 << 2, /* keys, identities, foreign code: refused
                                                       whatever the arguments */
                         FUNCTION_RAISES =
                             1
                             << 3, /* fails when the data say so: an oracle for what it is given */
                         FUNCTION_BARE = 1 << 4,     /* may stand without parentheses */
                         FUNCTION_GROUPING = 1 << 5, /* tells of the block's grouping sets */
                         FUNCTION_ORDERED = 1 << 6,  /* takes WITHIN GROUP (ORDER BY …) */
};

/* What comes out: a value below SQL_TYPE_KINDS is that type, the others say how to find it. */
enum sql_function_result {
    RESULT_ARG_1 = SQL_TYPE_KINDS,
    RESULT_ARG_2,
    RESULT_ARG_1_ELEMENT,     /* of an array; the value of a map */
    RESULT_COMMON,            /* what all arguments turn into */
    RESULT_COMMON_FROM_2,     /* all but the first */
    RESULT_DECODE,            /* the third, fifth, … and the default */
    RESULT_DECIMAL_OR_DOUBLE, /* DECIMAL for DECIMAL, else DOUBLE */
    RESULT_SUM,               /* BIGINT of integers, DECIMAL of DECIMAL, else DOUBLE */
    RESULT_ARRAY_OF_ARG_1,
    RESULT_ARRAY_OF_ARG_2, /* what a lambda gives */
    RESULT_ARRAY_OF_COMMON,
    RESULT_ARRAY_OF_STRING,
    RESULT_ARRAY_OF_KEYS,   /* of the map */
    RESULT_ARRAY_OF_VALUES, /* of the map */
    RESULT_MAP_OF_STRINGS,
    RESULT_MAP_OF_ARGS,    /* key, value, … */
    RESULT_MAP_OF_ARRAYS,  /* of keys, of values */
    RESULT_MAP_OF_ENTRIES, /* of an array of structs */
    RESULT_MAP_TO_ARG_2,   /* the keys of the map, and what a lambda gives */
    RESULT_ENTRIES,        /* of the map: an array of structs */
    RESULT_PERCENTILE,     /* DOUBLE, or an array of them for an array */
};

enum { FUNCTION_ARGS_ANY = 255 };

struct sql_function {
    const char *name;           /* lower case */
    uint8_t min_args, max_args; /* FUNCTION_ARGS_ANY: no maximum */
    enum sql_function_kind kind;
    unsigned flags;
    int result; /* enum sql_type_kind or enum sql_function_result */
    const char *duckdb, *postgres;
};

extern const struct sql_function sql_functions[]; /* sorted by name */
extern const size_t sql_functions_n;

/* Without regard to case; NULL: no built-in. */
const struct sql_function *sql_function_find(struct str name);
/* The nearest name that a caller may use, for "did you mean"; NULL when none is near. */
const struct sql_function *sql_function_nearest(struct str name);

bool sql_function_is_aggregate(const struct sql_function *function); /* without OVER */
bool sql_function_takes(const struct sql_function *function, size_t n_args);

/* The type of a call; UNKNOWN where the arguments do not tell. FAIL_MEMORY. */
MUST_USE result sql_function_type(const struct sql_function *function, const struct sql_type *args,
                                  size_t n_args, struct arena *arena, struct sql_type *out,
                                  struct report *report);

/* -- spellings -------------------------------------------------------------------------------- */

enum spelling_kind {
    SPELLING_REFUSED = 0, /* the dialect has no way to say it */
    SPELLING_NAME,        /* text is the name; arguments as they are */
    SPELLING_HOOK,        /* text is the hook's name without '@' */
    SPELLING_TEMPLATE,    /* text is the template for this number of arguments */
};

struct spelling {
    enum spelling_kind kind;
    struct str text;
};

/* `text` is the row's duckdb or postgres member. */
struct spelling sql_spelling(const struct sql_function *function, const char *text, size_t n_args);

enum piece_kind { PIECE_END = 0, PIECE_TEXT, PIECE_ARG, PIECE_REST };

struct spelling_piece {
    enum piece_kind kind;
    size_t arg;        /* ARG: which, from 0. REST: from which on */
    struct str text;   /* TEXT; ARG: what stands there when the argument is not given */
    struct str coerce; /* ARG: string double number bigint decimal timestamp date boolean array map;
                          or none */
};

/* Takes the next piece off the front of a template. A malformed template is a PIECE_END too soon;
 * the unit test reads every row. */
struct spelling_piece sql_spelling_next(struct str *rest);

#endif
