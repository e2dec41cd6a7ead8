/* sql/types.c - see types.h */
#include "sql/types.h"

#include "base/limits.h"

struct type_word {
    const char *name;
    enum sql_type_kind kind;
    uint8_t precision; /* of an unsigned integer that only a decimal holds */
};

/* The first word of a kind is its print. */
static const struct type_word words[] = {
    {"boolean", SQL_TYPE_BOOLEAN, 0},
    {"bool", SQL_TYPE_BOOLEAN, 0},
    {"tinyint", SQL_TYPE_TINYINT, 0},
    {"int1", SQL_TYPE_TINYINT, 0},
    {"smallint", SQL_TYPE_SMALLINT, 0},
    {"int2", SQL_TYPE_SMALLINT, 0},
    {"short", SQL_TYPE_SMALLINT, 0},
    {"utinyint", SQL_TYPE_SMALLINT, 0},
    {"int", SQL_TYPE_INT, 0},
    {"integer", SQL_TYPE_INT, 0},
    {"int4", SQL_TYPE_INT, 0},
    {"int32", SQL_TYPE_INT, 0},
    {"usmallint", SQL_TYPE_INT, 0},
    {"bigint", SQL_TYPE_BIGINT, 0},
    {"int8", SQL_TYPE_BIGINT, 0},
    {"int64", SQL_TYPE_BIGINT, 0},
    {"long", SQL_TYPE_BIGINT, 0},
    {"uinteger", SQL_TYPE_BIGINT, 0},
    {"decimal", SQL_TYPE_DECIMAL, 0},
    {"numeric", SQL_TYPE_DECIMAL, 0},
    {"ubigint", SQL_TYPE_DECIMAL, 20},
    {"hugeint", SQL_TYPE_DECIMAL, 38},
    {"float", SQL_TYPE_FLOAT, 0},
    {"real", SQL_TYPE_FLOAT, 0},
    {"float4", SQL_TYPE_FLOAT, 0},
    {"double", SQL_TYPE_DOUBLE, 0},
    {"float8", SQL_TYPE_DOUBLE, 0},
    {"string", SQL_TYPE_STRING, 0},
    {"text", SQL_TYPE_STRING, 0},
    {"uuid", SQL_TYPE_STRING, 0},
    {"varchar", SQL_TYPE_VARCHAR, 0},
    {"char", SQL_TYPE_CHAR, 0},
    {"character", SQL_TYPE_CHAR, 0},
    {"bpchar", SQL_TYPE_CHAR, 0},
    {"binary", SQL_TYPE_BINARY, 0},
    {"varbinary", SQL_TYPE_BINARY, 0},
    {"blob", SQL_TYPE_BINARY, 0},
    {"bytea", SQL_TYPE_BINARY, 0},
    {"date", SQL_TYPE_DATE, 0},
    {"datetime", SQL_TYPE_DATETIME, 0},
    {"timestamp", SQL_TYPE_TIMESTAMP, 0},
    {"timestamptz", SQL_TYPE_TIMESTAMP, 0},
    {"timestamp_ns", SQL_TYPE_TIMESTAMP, 0},
    {"timestamp_ms", SQL_TYPE_TIMESTAMP, 0},
    {"timestamp_s", SQL_TYPE_TIMESTAMP, 0},
    {"timestamp_ntz", SQL_TYPE_TIMESTAMP_NTZ, 0},
    {"interval_year_month", SQL_TYPE_INTERVAL_YEAR_MONTH, 0},
    {"interval_day_time", SQL_TYPE_INTERVAL_DAY_TIME, 0},
    {"interval", SQL_TYPE_INTERVAL_DAY_TIME, 0},
    {"json", SQL_TYPE_JSON, 0},
    {"jsonb", SQL_TYPE_JSON, 0},
    {"array", SQL_TYPE_ARRAY, 0},
    {"list", SQL_TYPE_ARRAY, 0},
    {"map", SQL_TYPE_MAP, 0},
    {"struct", SQL_TYPE_STRUCT, 0},
    {"row", SQL_TYPE_STRUCT, 0},
    {"unknown", SQL_TYPE_UNKNOWN, 0},
    {"void", SQL_TYPE_NULL, 0},
};

static const struct type_word *word_find(struct str name) {
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_ieq(str_of(words[i].name), name)) return &words[i];
    return NULL;
}

bool sql_type_kind_of(struct str name, enum sql_type_kind *out) {
    const struct type_word *word = word_find(name);
    if (word == NULL || word->kind == SQL_TYPE_UNKNOWN || word->kind == SQL_TYPE_NULL) return false;
    *out = word->kind;
    return true;
}

const char *sql_type_name(enum sql_type_kind kind) {
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].kind == kind) return words[i].name;
    return "unknown";
}

/* -- reading ---------------------------------------------------------------------------------- */

struct reader {
    struct str text;
    size_t at;
    struct arena *arena;
    struct report *report;
};

static result refuse(struct reader *r, const char *expected) {
    return fail(r->report, FAIL_INPUT, "SQL_SYNTAX_ERROR", r->at, "type '" STR_FMT "': expected %s",
                STR_ARG(utf8_clip(r->text, 120)), expected);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char peek(struct reader *r) {
    while (r->at < r->text.len && is_blank(r->text.ptr[r->at])) r->at++;
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool take(struct reader *r, char c) {
    if (peek(r) != c || r->at >= r->text.len) return false;
    r->at++;
    return true;
}

static bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

/* Empty: no word stands here. */
static struct str take_word(struct reader *r) {
    (void)peek(r);
    size_t from = r->at;
    while (r->at < r->text.len && is_word_byte(r->text.ptr[r->at])) r->at++;
    return str_slice(r->text, from, r->at);
}

static bool take_this_word(struct reader *r, struct str word) {
    size_t before = r->at;
    if (str_ieq(take_word(r), word)) return true;
    r->at = before;
    return false;
}

static bool take_number(struct reader *r, uint64_t max, uint16_t *out) {
    uint64_t value;
    if (!str_to_u64(take_word(r), &value) || value > max) return false;
    *out = (uint16_t)value;
    return true;
}

/* "(p)", "(p,s)" or nothing. */
static result read_precision(struct reader *r, struct sql_type *out) {
    bool is_decimal = out->kind == SQL_TYPE_DECIMAL;
    uint64_t max = is_decimal ? 38 : out->kind == SQL_TYPE_CHAR ? 255 : 65535;
    if (!take(r, '(')) return OK;
    if (!take_number(r, max, &out->precision) || out->precision == 0)
        return refuse(r, "a length or precision within its bounds");
    if (is_decimal && take(r, ',') && !take_number(r, out->precision, &out->scale))
        return refuse(r, "a scale no larger than the precision");
    return take(r, ')') ? OK : refuse(r, "')'");
}

/* PostgreSQL's and DuckDB's words behind the name. */
static result read_tail_words(struct reader *r, struct sql_type *out) {
    if (out->kind == SQL_TYPE_DOUBLE) (void)take_this_word(r, STR("precision"));
    if (out->kind == SQL_TYPE_CHAR && take_this_word(r, STR("varying")))
        out->kind = SQL_TYPE_VARCHAR;
    if (out->kind != SQL_TYPE_TIMESTAMP) return OK;
    uint16_t digits;
    if (take(r, '(') && !(take_number(r, 9, &digits) && take(r, ')')))
        return refuse(r, "a number of digits and ')'");
    bool has_zone = take_this_word(r, STR("with"));
    if (!has_zone && !take_this_word(r, STR("without"))) return OK;
    if (has_zone) (void)take_this_word(r, STR("local"));
    bool is_whole = take_this_word(r, STR("time")) && take_this_word(r, STR("zone"));
    if (!is_whole) return refuse(r, "'time zone'");
    if (!has_zone) out->kind = SQL_TYPE_TIMESTAMP_NTZ;
    return OK;
}

static result read_type(struct reader *r, unsigned depth, struct sql_type *out);

static result read_boxed(struct reader *r, unsigned depth, const struct sql_type **out) {
    struct sql_type *type = arena_new(r->arena, struct sql_type);
    if (type == NULL) return fail_memory(r->report);
    *out = type;
    return read_type(r, depth, type);
}

static result read_field_name(struct reader *r, struct str *out) {
    char quote = peek(r);
    if (quote != '`' && quote != '"') {
        *out = take_word(r);
        return out->len > 0 ? OK : refuse(r, "the name of a field");
    }
    size_t from = ++r->at;
    while (r->at < r->text.len && r->text.ptr[r->at] != quote) r->at++;
    *out = str_slice(r->text, from, r->at);
    return out->len > 0 && take(r, quote) ? OK : refuse(r, "a quoted name of a field");
}

/* Fields are `a:bigint` (Hive, MaxCompute) or `a bigint` (DuckDB). */
static result read_fields(struct reader *r, unsigned depth, struct sql_type *out) {
    struct sql_field *fields = NULL;
    size_t n = 0, cap = 0;
    do {
        struct sql_field *field = ARENA_PUSH(r->arena, fields, n, cap);
        if (field == NULL) return fail_memory(r->report);
        if (n > SQL_TYPE_FIELDS_MAX)
            return fail(r->report, FAIL_LIMIT, "SQL_SYNTAX_ERROR", r->at,
                        "a struct has more than %d fields", SQL_TYPE_FIELDS_MAX);
        TRY(read_field_name(r, &field->name));
        (void)take(r, ':');
        struct sql_type type = {0};
        TRY(read_type(r, depth, &type));
        field->type = type;
    } while (take(r, ','));
    out->fields = fields;
    out->n_fields = (uint32_t)n;
    return OK;
}

static result read_parts(struct reader *r, unsigned depth, struct sql_type *out) {
    bool is_angle = take(r, '<');
    if (!is_angle && !take(r, '(')) return refuse(r, "'<'");
    if (out->kind == SQL_TYPE_STRUCT) {
        TRY(read_fields(r, depth, out));
    } else {
        if (out->kind == SQL_TYPE_MAP) {
            TRY(read_boxed(r, depth, &out->key));
            if (!take(r, ',')) return refuse(r, "','");
        }
        TRY(read_boxed(r, depth, &out->element));
    }
    return take(r, is_angle ? '>' : ')') ? OK : refuse(r, is_angle ? "'>'" : "')'");
}

static result read_named(struct reader *r, unsigned depth, struct sql_type *out) {
    size_t at = r->at;
    const struct type_word *word = word_find(take_word(r));
    if (word == NULL) {
        r->at = at;
        return refuse(r, "the name of a type");
    }
    *out = (struct sql_type){.kind = word->kind, .precision = word->precision};
    if (sql_type_name(word->kind) != word->name && word->precision > 0) return OK;
    TRY(read_tail_words(r, out));
    switch (out->kind) {
    case SQL_TYPE_ARRAY:
    case SQL_TYPE_MAP:
    case SQL_TYPE_STRUCT: return read_parts(r, depth + 1, out);
    case SQL_TYPE_DECIMAL:
    case SQL_TYPE_VARCHAR:
    case SQL_TYPE_CHAR: TRY(read_precision(r, out)); break;
    case SQL_TYPE_UNKNOWN:
    case SQL_TYPE_NULL:
    case SQL_TYPE_BOOLEAN:
    case SQL_TYPE_TINYINT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_BIGINT:
    case SQL_TYPE_FLOAT:
    case SQL_TYPE_DOUBLE:
    case SQL_TYPE_STRING:
    case SQL_TYPE_BINARY:
    case SQL_TYPE_DATE:
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP_NTZ:
    case SQL_TYPE_INTERVAL_YEAR_MONTH:
    case SQL_TYPE_INTERVAL_DAY_TIME:
    case SQL_TYPE_JSON:
    case SQL_TYPE_KINDS: break;
    }
    /* VARCHAR without a length is how DuckDB and PostgreSQL say STRING. */
    if (out->kind == SQL_TYPE_VARCHAR && out->precision == 0) out->kind = SQL_TYPE_STRING;
    return OK;
}

static result read_type(struct reader *r, unsigned depth, struct sql_type *out) {
    if (depth > SQL_TYPE_NESTING_MAX)
        return fail(r->report, FAIL_LIMIT, "SQL_SYNTAX_ERROR", r->at,
                    "a type is nested deeper than %d levels", SQL_TYPE_NESTING_MAX);
    (void)peek(r);
    TRY(read_named(r, depth, out));
    while (take(r, '[')) {
        if (++depth > SQL_TYPE_NESTING_MAX) return refuse(r, "fewer levels of arrays");
        struct sql_type *element = arena_new(r->arena, struct sql_type);
        if (element == NULL) return fail_memory(r->report);
        *element = *out;
        *out = (struct sql_type){.kind = SQL_TYPE_ARRAY, .element = element};
        if (!take(r, ']')) return refuse(r, "']'");
    }
    return OK;
}

result sql_type_parse(struct str text, struct arena *arena, struct sql_type *out,
                      struct report *report) {
    struct reader r = {.text = text, .arena = arena, .report = report};
    *out = SQL_TYPE(UNKNOWN);
    struct sql_type type = {0};
    TRY(read_type(&r, 0, &type));
    (void)peek(&r);
    if (r.at < text.len) return refuse(&r, "the end of the type");
    *out = type;
    return OK;
}

/* -- printing, comparing ---------------------------------------------------------------------- */

static void print_fields(const struct sql_type *type, struct buf *out) {
    for (uint32_t i = 0; i < type->n_fields; i++) {
        if (i > 0) buf_add_byte(out, ',');
        buf_addf(out, STR_FMT ":", STR_ARG(type->fields[i].name));
        sql_type_print(&type->fields[i].type, out);
    }
}

void sql_type_print(const struct sql_type *type, struct buf *out) {
    buf_add(out, str_of(sql_type_name(type->kind)));
    if (type->kind == SQL_TYPE_DECIMAL && type->precision > 0)
        buf_addf(out, "(%u,%u)", type->precision, type->scale);
    else if (type->precision > 0)
        buf_addf(out, "(%u)", type->precision);
    bool has_parts = type->key != NULL || type->element != NULL || type->n_fields > 0;
    if (!has_parts) return;
    buf_add_byte(out, '<');
    if (type->key != NULL) {
        sql_type_print(type->key, out);
        buf_add_byte(out, ',');
    }
    if (type->element != NULL) sql_type_print(type->element, out);
    print_fields(type, out);
    buf_add_byte(out, '>');
}

static bool part_eq(const struct sql_type *a, const struct sql_type *b) {
    return a == b || (a != NULL && b != NULL && sql_type_eq(a, b));
}

bool sql_type_eq(const struct sql_type *a, const struct sql_type *b) {
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale) return false;
    if (a->n_fields != b->n_fields || !part_eq(a->key, b->key) || !part_eq(a->element, b->element))
        return false;
    for (uint32_t i = 0; i < a->n_fields; i++)
        if (!str_ieq(a->fields[i].name, b->fields[i].name) ||
            !sql_type_eq(&a->fields[i].type, &b->fields[i].type))
            return false;
    return true;
}

const struct sql_field *sql_type_field(const struct sql_type *type, struct str name) {
    if (type == NULL || type->kind != SQL_TYPE_STRUCT) return NULL;
    for (uint32_t i = 0; i < type->n_fields; i++)
        if (str_ieq(type->fields[i].name, name)) return &type->fields[i];
    return NULL;
}

bool sql_type_is_integer(enum sql_type_kind kind) {
    return kind >= SQL_TYPE_TINYINT && kind <= SQL_TYPE_BIGINT;
}

bool sql_type_is_number(enum sql_type_kind kind) {
    return kind >= SQL_TYPE_TINYINT && kind <= SQL_TYPE_DOUBLE;
}

bool sql_type_is_text(enum sql_type_kind kind) {
    return kind >= SQL_TYPE_STRING && kind <= SQL_TYPE_CHAR;
}

bool sql_type_is_time(enum sql_type_kind kind) {
    return kind >= SQL_TYPE_DATE && kind <= SQL_TYPE_TIMESTAMP_NTZ;
}

/* -- meeting ---------------------------------------------------------------------------------- */

static struct sql_type wider_number(enum sql_type_kind a, enum sql_type_kind b) {
    enum sql_type_kind wide = a > b ? a : b;
    /* FLOAT meets DECIMAL or another width in DOUBLE: neither holds the other. */
    if (wide == SQL_TYPE_FLOAT && a != b) wide = SQL_TYPE_DOUBLE;
    return (struct sql_type){.kind = wide};
}

struct sql_type sql_type_common(const struct sql_type *a, const struct sql_type *b) {
    if (a->kind == SQL_TYPE_NULL) return *b;
    if (b->kind == SQL_TYPE_NULL || sql_type_eq(a, b)) return *a;
    if (a->kind == SQL_TYPE_UNKNOWN || b->kind == SQL_TYPE_UNKNOWN) return SQL_TYPE(UNKNOWN);
    if (sql_type_is_number(a->kind) && sql_type_is_number(b->kind))
        return wider_number(a->kind, b->kind);
    bool are_plain = a->kind < SQL_TYPE_JSON && b->kind < SQL_TYPE_JSON;
    if (are_plain && (sql_type_is_text(a->kind) || sql_type_is_text(b->kind)))
        return SQL_TYPE(STRING);
    if (sql_type_is_time(a->kind) && sql_type_is_time(b->kind))
        return (struct sql_type){.kind = a->kind > b->kind ? a->kind : b->kind};
    return SQL_TYPE(UNKNOWN);
}

static enum sql_type_kind as_number(enum sql_type_kind kind) {
    return sql_type_is_text(kind) ? SQL_TYPE_DOUBLE : kind;
}

struct sql_type sql_type_arithmetic(const struct sql_type *a, const struct sql_type *b) {
    enum sql_type_kind left = as_number(a->kind), right = as_number(b->kind);
    if (left == SQL_TYPE_NULL) left = right;
    if (right == SQL_TYPE_NULL) right = left;
    if (sql_type_is_number(left) && sql_type_is_number(right)) return wider_number(left, right);
    /* A time and an interval, in either order. */
    if (sql_type_is_time(left) && !sql_type_is_time(right)) return *a;
    if (sql_type_is_time(right) && !sql_type_is_time(left)) return *b;
    return SQL_TYPE(UNKNOWN);
}
