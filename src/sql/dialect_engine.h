/*
 * sql/dialect_engine.h - what DuckDB's and PostgreSQL's dialects say alike
 *
 * Both say MaxCompute's meaning in a SQL whose namesakes mean something else, and most of how that
 * is done is the same: which types an operator turns its operands into, that a window stands
 * written out with its frame, that CASE x WHEN is CASE WHEN x =. That is said here, once. What an
 * engine says otherwise is its `struct dialect_engine`: words, patterns and a few hooks; its own
 * files hold nothing else.
 *
 *     _engine.c            literals, references, the walk over kinds of expressions
 *     _engine_type.c       types, casts that are written and those that are silent
 *     _engine_operator.c   operators, IN, BETWEEN, CASE
 *     _engine_call.c       functions: templates of functions.def, and hooks that both have
 *     _engine_aggregate.c  aggregates and windows
 *     _engine_outer.c      which columns of queries around an expression reads
 *     _engine_time.c       units of time
 *     _engine_pattern.c    constant patterns and the letters of date formats
 *     _engine_source.c     tables, VALUES, GROUP BY, what stands behind a query
 *
 * A pattern is a text in which every `@` stands for the value: "CAST(@ AS DATE)". NULL for a
 * pattern, a name or a hook: the engine cannot, and is refused by name.
 *
 * Whoever writes an operand writes it closed: nothing next to it can take a part away.
 *
 * Errors:  FAIL_INPUT, DIALECT_UNSUPPORTED, by way of dialect_refuse(); sticky in the printer.
 * Threads: constant tables.
 */
#ifndef WEIR_SQL_DIALECT_ENGINE_H
#define WEIR_SQL_DIALECT_ENGINE_H

#include "sql/functions.h"
#include "sql/print.h"
#include "sql/rewrite.h"

typedef struct sql_printer printer;
typedef void (*dialect_put)(printer *p, const struct sql_expr *expr);

/* Code of its own for a function whose spelling is "@name". */
struct dialect_hook {
    const char *name; /* NULL ends a list */
    dialect_put put;
};

enum { DIALECT_HOOK_LISTS = 10 };

enum dialect_unit {
    UNIT_YEAR = 0,
    UNIT_QUARTER,
    UNIT_MONTH,
    UNIT_WEEK, /* begins on Monday; only to cut to, and to add */
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MINUTE,
    UNIT_SECOND,
    UNIT_MILLISECOND,
    UNITS,
};

enum dialect_format { FORMAT_ORACLE, FORMAT_JAVA };

/* What an engine says in its own way. */
struct dialect_engine {
    const char *title; /* "DuckDB": for messages */
    /* The engine's column of functions.def, and code for what begins with @ there. */
    const char *(*spelling)(const struct sql_function *function);
    const struct dialect_hook *hooks[DIALECT_HOOK_LISTS];

    /* -- types: _engine_type.c -- */
    const char *types[SQL_TYPE_KINDS]; /* as CAST names them; DECIMAL without its precision */
    const char *any_decimal;           /* the type of a DECIMAL whose precision nobody told */
    const char *as_text[SQL_TYPE_KINDS];
    const char *text_as_boolean, *text_as_double, *text_as_bigint, *text_as_decimal, *text_as_time;
    const char *boolean_as_number; /* what is then cast to the number's type */
    const char *double_as_decimal; /* what is then cast to the decimal's type */
    const char *collation;         /* behind a text whose order counts; or "" */
    bool needs_types;              /* a value of no known type has no order */
    void (*cast)(printer *p, const struct sql_expr *value,
                 const struct sql_type *type); /* others */

    /* -- literals and references: _engine.c -- */
    void (*number)(printer *p, const struct sql_literal *literal); /* NUMBER and DECIMAL */
    dialect_put column;                                            /* alias.column.field… */
    dialect_put field;
    void (*element)(printer *p, const struct sql_expr *base, const struct sql_expr *index);

    /* -- operators: _engine_operator.c -- */
    dialect_put divide, divide_whole, like, rlike;
    bool (*multiply)(printer *p, const struct sql_expr *expr); /* by ways of its own? or NULL */
    void (*remainder)(printer *p, const struct sql_expr *left, const struct sql_expr *right);
    const char *bit_xor[3]; /* before, between, behind */
    const char *sha256[2];  /* of a text, in hexadecimal digits: before, behind */

    /* -- aggregates: _engine_aggregate.c -- */
    void (*order)(printer *p, const struct sql_order *order, size_t n); /* ORDER BY, anywhere */
    const char *collect, *empty_array;                                  /* "list", "[]" */
    bool has_distinct_over;                                             /* f(DISTINCT x) OVER () */
    bool has_outer_windows; /* f(x) OVER (…) of columns of a query around */
    /* wm_concat(DISTINCT …) WITHIN GROUP (ORDER BY key); NULL: refused. */
    void (*ordered_distinct)(printer *p, const struct sql_expr *call, const struct sql_order *key,
                             struct str separator);
    bool has_ignore_nulls;
    dialect_put argument; /* a number of rows */

    /* -- times: _engine_time.c -- */
    const char *now, *epoch[2]; /* whole seconds of what stands between, without a zone */
    void (*amount)(printer *p, enum dialect_unit unit, const struct sql_expr *n); /* an interval */
    /* A literal; `unit` is NULL where it is of several. False: refused. */
    bool (*interval)(printer *p, const struct sql_interval *interval,
                     const enum dialect_unit *unit);
    void (*part)(printer *p, enum dialect_unit unit, const struct sql_expr *time);
    void (*truncate)(printer *p, enum dialect_unit unit, const struct sql_expr *time);
    void (*difference)(printer *p, enum dialect_unit unit, const struct sql_expr *later,
                       const struct sql_expr *earlier);
    void (*format)(printer *p, const struct sql_exprs *args, enum dialect_format kind);
    dialect_put parse; /* to_date(text, format), as a time */

    /* -- sources: _engine_source.c -- */
    void (*made)(printer *p, const struct sql_source *source);   /* a LATERAL VIEW, with alias */
    bool (*source)(printer *p, const struct sql_source *source); /* by ways of its own? */
    bool (*meets)(enum sql_type_kind set, enum sql_type_kind branch); /* in a set operation */
};

/* FAIL_INPUT, DIALECT_UNSUPPORTED: "DuckDB cannot say <construct> …". */
void dialect_refuse(printer *p, struct sql_span span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void dialect_put_literal(printer *p, const struct sql_literal *literal);
bool dialect_put_expr(printer *p, const struct sql_expr *expr);
void dialect_put_type(printer *p, const struct sql_type *type);
void dialect_put_function(printer *p, const struct sql_call *call);
bool dialect_put_source(printer *p, const struct sql_source *source);
bool dialect_put_group_by(printer *p, const struct sql_group_by *by);
bool dialect_put_tail(printer *p, const struct sql_tail *tail);
void dialect_put_limit(printer *p, const struct sql_tail *tail); /* its end: LIMIT and OFFSET */

/* The members of struct sql_dialect that are the same for both. */
#define DIALECT_OF_ENGINES                                                                         \
    .join =                                                                                        \
        {                                                                                          \
            [SQL_JOIN_COMMA] = "CROSS JOIN", [SQL_JOIN_CROSS] = "CROSS JOIN",                      \
            [SQL_JOIN_INNER] = "JOIN",       [SQL_JOIN_LEFT] = "LEFT JOIN",                        \
            [SQL_JOIN_RIGHT] = "RIGHT JOIN", [SQL_JOIN_FULL] = "FULL JOIN",                        \
            [SQL_JOIN_SEMI] = "SEMI JOIN",   [SQL_JOIN_ANTI] = "ANTI JOIN",                        \
    },                                                                                             \
    .set_op = {[SQL_UNION] = "UNION", [SQL_INTERSECT] = "INTERSECT", [SQL_MINUS] = "EXCEPT"},      \
    .explicit_nulls = true, .values_in_parens = true, .literal = dialect_put_literal,              \
    .type = dialect_put_type, .function = dialect_put_function, .expr = dialect_put_expr,          \
    .source = dialect_put_source, .group_by = dialect_put_group_by, .tail = dialect_put_tail

/* -- writing ---------------------------------------------------------------------------------- */

/* before expr after */
void dialect_wrap(printer *p, const char *before, dialect_put put, const struct sql_expr *expr,
                  const char *after);
/* The pattern, with the value where its @ are; an integer literal stands there bare. */
void dialect_fill(printer *p, const char *pattern, const struct sql_expr *value);
/* CAST(text AS type) */
void dialect_put_text_as(printer *p, struct str text, const char *type);
/* put(first), put(second), … with commas between. */
void dialect_put_list(printer *p, const struct sql_exprs *exprs, size_t from, dialect_put put);
/* Whether a text holds NUL, which no engine takes. */
bool dialect_has_nul(struct str text);
/* A call of a table function, which stands alone in a select list. */
bool dialect_is_table_call(const struct sql_expr *expr);
/* The resolver's view of a source; NULL for one that we made. */
const struct resolved_source *dialect_resolved(const printer *p, const struct sql_source *source);

/* -- types and silent casts: _engine_type.c --------------------------------------------------- */

struct sql_type dialect_type(const printer *p, const struct sql_expr *expr);
enum sql_type_kind dialect_kind(const printer *p, const struct sql_expr *expr);

/* Operands turned into a class of types, as MaxCompute does it silently. Refused where it does not,
 * or where the type is not known and matters. */
void dialect_put_text(printer *p, const struct sql_expr *expr);
void dialect_put_double(printer *p, const struct sql_expr *expr);
void dialect_put_number(printer *p, const struct sql_expr *expr); /* text becomes DOUBLE */
void dialect_put_bigint(printer *p, const struct sql_expr *expr); /* fractions are cut off */
void dialect_put_decimal(printer *p, const struct sql_expr *expr);
void dialect_put_time(printer *p, const struct sql_expr *expr); /* as TIMESTAMP */
void dialect_put_date(printer *p, const struct sql_expr *expr);
void dialect_put_boolean(printer *p, const struct sql_expr *expr);
/* As `type`, the common one of several branches. */
void dialect_put_common(printer *p, const struct sql_expr *expr, const struct sql_type *type);
/* An integer literal bare, where its width does not matter; else an operand. */
void dialect_put_plain(printer *p, const struct sql_expr *expr);
/* Where its order counts: text by its bytes. */
void dialect_put_sorted(printer *p, const struct sql_expr *expr);
/* A text that no literal is alone: bare it would be no key to order by. */
void dialect_put_key_text(printer *p, const struct sql_expr *expr);
void dialect_put_cast(printer *p, const struct sql_expr *expr);
/* CAST(value AS type), the value written by `put`. */
void dialect_put_as(printer *p, const struct sql_expr *value, const struct sql_type *type,
                    dialect_put put);
/* "a value of type <kind> as <as>" */
void dialect_refuse_as(printer *p, const struct sql_expr *expr, enum sql_type_kind kind,
                       const char *as);

/* Constants. Empty and 0 where there is none: who has refused the statement prints on. */
bool dialect_constant_text(const struct sql_expr *expr, struct str *out);
bool dialect_constant_int(const struct sql_expr *expr, int64_t *out); /* also -n */
bool dialect_is_null(const struct sql_expr *expr);

/* -- operators: _engine_operator.c ------------------------------------------------------------ */

bool dialect_put_binary(printer *p, const struct sql_expr *expr);
bool dialect_put_unary(printer *p, const struct sql_expr *expr);
bool dialect_put_chain(printer *p, const struct sql_expr *expr);
bool dialect_put_between(printer *p, const struct sql_expr *expr);
bool dialect_put_in(printer *p, const struct sql_expr *expr);
bool dialect_put_case(printer *p, const struct sql_expr *expr);
/* left <op> right, coerced as MaxCompute compares; `op` with blanks around it. */
void dialect_put_compare(printer *p, const struct sql_expr *left, const char *op,
                         const struct sql_expr *right);
/* nullif(expr, 0), bare where it is a constant that is not 0. */
void dialect_put_divisor(printer *p, const struct sql_expr *expr, dialect_put put);
bool dialect_are_integers(const printer *p, const struct sql_expr *binary);

/* -- calls: _engine_call.c -------------------------------------------------------------------- */

static inline const struct sql_exprs *args_of(const struct sql_expr *call) {
    return &call->call.args;
}

bool dialect_put_call(printer *p, const struct sql_expr *expr);
/* A function that stands without parentheses: CURRENT_DATE. */
bool dialect_is_bare_call(const printer *p, const struct sql_expr *ref);
void dialect_put_bare_call(printer *p, const struct sql_expr *ref);
dialect_put dialect_find_hook(const printer *p, struct str name);
/* The arguments between the parentheses of a template `name(…)`. */
void dialect_put_pieces(printer *p, const struct sql_exprs *args, struct str text);
/* before a, b, … after: the arguments from `from` on in their common type. */
void dialect_put_extreme(printer *p, const struct sql_expr *call, const char *before,
                         const char *after, size_t from);
extern const struct dialect_hook dialect_plain_hooks[];

/* -- aggregates: _engine_aggregate.c ---------------------------------------------------------- */

/* False: no aggregate and no window function. */
bool dialect_put_aggregate(printer *p, const struct sql_expr *expr,
                           const struct sql_function *function);
/* name([DISTINCT and ) FILTER … OVER … around what is written between; `not_null` adds that the
 * first argument is not NULL. */
void dialect_open(printer *p, const struct sql_expr *call, const char *name);
void dialect_close(printer *p, const struct sql_expr *call, bool not_null);
void dialect_put_count(printer *p, const struct sql_expr *call);
/* GROUPING__ID: a bit for each key of the block, in the order in which the keys stand first. */
void dialect_put_grouping_id(printer *p, const struct sql_expr *expr);
extern const struct dialect_hook dialect_aggregate_hooks[];

/* -- columns of queries around: _engine_outer.c ----------------------------------------------- */

struct dialect_reads {
    bool own;     /* columns of the query in which the expression stands */
    bool outer;   /* columns of one around that */
    bool queries; /* a sub-query is within */
};

/* Nothing of NULL, and without a ruled tree. */
struct dialect_reads dialect_reads(const printer *p, const struct sql_expr *expr);

/* -- times: _engine_time.c -------------------------------------------------------------------- */

bool dialect_put_extract(printer *p, const struct sql_expr *expr);
bool dialect_find_unit(struct str word, enum dialect_unit *out);
/* YEAR, QUARTER, MONTH, DAY: what moves a DATE to a DATE. */
bool dialect_is_of_days(enum dialect_unit unit);
bool dialect_put_interval(printer *p, const struct sql_expr *expr);
/* A DATE that is moved by the unit, or cut to it, stays one. */
bool dialect_keeps_date(const printer *p, enum dialect_unit unit, const struct sql_expr *of);
extern const struct dialect_hook dialect_time_hooks[];

/* -- constant patterns: _engine_pattern.c ----------------------------------------------------- */

bool dialect_is_in(char c, const char *set);
bool dialect_is_letter(char c);
/* The pattern is one that matches just one text, which is put into `out` (size bytes). */
bool dialect_regex_is_plain(struct str pattern, char *out, size_t size, size_t *len);

/* A run of letters of a date format, and how the engine says it; a table ends with a NULL text. */
struct dialect_letters {
    const char *text;
    const char *said;
    unsigned digits; /* 0: not told */
    char part;       /* of yyyy-mm-dd hh:mi:ss.ff3: Y M D h m s f, y for two digits of Y */
};

/* The first of the table that `rest` begins with; NULL: none. Java's letters have a case. */
const struct dialect_letters *dialect_letters_at(const struct dialect_letters *table,
                                                 struct str rest, enum dialect_format kind);
/* A letter that is left over and may mean something in one of MaxCompute's versions. */
bool dialect_is_doubtful(struct str rest, enum dialect_format kind,
                         const struct dialect_letters *before);
/* Behind Java's letters: a fourth M or a third d is another format. */
bool dialect_is_longer(struct str rest, enum dialect_format kind,
                       const struct dialect_letters *letters);

#endif
