/*
 * sql/types.h - the type of a column or an expression
 *
 * One value says what a thing is: a kind, and for the composite kinds what it is made of. Texts of
 * schemas are read in any of the spellings that the backends and their files use (`bigint`,
 * `decimal(18,2)`, `array<struct<a:bigint,b:string>>`, `VARCHAR[]`, `timestamp without time zone`);
 * the print is MaxCompute's. SQL_TYPE_UNKNOWN is a legal type: it says that we do not know, and
 * whoever needs to know must say so.
 *
 * Memory:  a parsed type lives in the arena; its field names borrow from the text.
 * Errors:  FAIL_INPUT with code SQL_SYNTAX_ERROR and the offset in the text; FAIL_MEMORY.
 * Threads: values; no shared state.
 */
#ifndef WEIR_SQL_TYPES_H
#define WEIR_SQL_TYPES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"

enum sql_type_kind {
    SQL_TYPE_UNKNOWN = 0,
    SQL_TYPE_NULL, /* of the literal NULL: fits everything */
    SQL_TYPE_BOOLEAN,
    SQL_TYPE_TINYINT, /* the numbers stand in the order in which they widen */
    SQL_TYPE_SMALLINT,
    SQL_TYPE_INT,
    SQL_TYPE_BIGINT,
    SQL_TYPE_DECIMAL, /* precision, scale */
    SQL_TYPE_FLOAT,
    SQL_TYPE_DOUBLE,
    SQL_TYPE_STRING,
    SQL_TYPE_VARCHAR, /* precision is the length; 0: not given */
    SQL_TYPE_CHAR,    /* precision is the length; 0: not given */
    SQL_TYPE_BINARY,
    SQL_TYPE_DATE,
    SQL_TYPE_DATETIME,      /* milliseconds, shown in the session's zone */
    SQL_TYPE_TIMESTAMP,     /* nanoseconds, shown in the session's zone */
    SQL_TYPE_TIMESTAMP_NTZ, /* no zone */
    SQL_TYPE_INTERVAL_YEAR_MONTH,
    SQL_TYPE_INTERVAL_DAY_TIME,
    SQL_TYPE_JSON,
    SQL_TYPE_ARRAY,  /* element */
    SQL_TYPE_MAP,    /* key, element */
    SQL_TYPE_STRUCT, /* fields */
    SQL_TYPE_KINDS,
};

struct sql_type {
    enum sql_type_kind kind;
    uint16_t precision; /* DECIMAL 1-38, VARCHAR 1-65535, CHAR 1-255; 0: not given */
    uint16_t scale;     /* DECIMAL, at most precision */
    uint32_t n_fields;
    const struct sql_type *key;     /* MAP */
    const struct sql_type *element; /* ARRAY, MAP: of the values */
    const struct sql_field *fields; /* STRUCT */
};

struct sql_field {
    struct str name; /* as written, without back quotes; compared without regard to case */
    struct sql_type type;
};

/* A type without parts, for tables of constants. */
#define SQL_TYPE(k) ((struct sql_type){.kind = SQL_TYPE_##k})

/* `text` is the whole type. Unknown names are refused, never guessed. Nesting is bounded by
 * SQL_TYPE_NESTING_MAX, fields by SQL_TYPE_FIELDS_MAX. */
MUST_USE result sql_type_parse(struct str text, struct arena *arena, struct sql_type *out,
                               struct report *report);

/* The kind that a bare name means, in any spelling; false: no type. MaxCompute reads `int` as 32
 * bits here, since our sessions run with the 2.0 type system. */
bool sql_type_kind_of(struct str name, enum sql_type_kind *out);

/* "bigint", "decimal(18,2)", "array<struct<a:bigint>>": lower case, field names as they were. */
void sql_type_print(const struct sql_type *type, struct buf *out);
const char *sql_type_name(enum sql_type_kind kind); /* "bigint"; "unknown" */

bool sql_type_eq(const struct sql_type *a, const struct sql_type *b);
/* The field, or NULL: `type` may be NULL or no struct. */
const struct sql_field *sql_type_field(const struct sql_type *type, struct str name);

bool sql_type_is_integer(enum sql_type_kind kind);
bool sql_type_is_number(enum sql_type_kind kind);
bool sql_type_is_text(enum sql_type_kind kind); /* STRING, VARCHAR, CHAR */
bool sql_type_is_time(enum sql_type_kind kind); /* DATE, DATETIME, TIMESTAMP, TIMESTAMP_NTZ */

/* The type that both operands of CASE, IF, COALESCE, UNION, VALUES turn into: the wider number,
 * text where any is text, UNKNOWN where we do not know or they do not meet. */
struct sql_type sql_type_common(const struct sql_type *a, const struct sql_type *b);
/* The type of `a op b` for + - * % (division is the caller's: it gives DOUBLE or DECIMAL). */
struct sql_type sql_type_arithmetic(const struct sql_type *a, const struct sql_type *b);

#endif
