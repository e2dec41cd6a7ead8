/* CAST(… AS type): MaxCompute's own names only, so that a Java class is never taken for a type. */
#include "sql/parse_inner.h"

static result parse_unsigned(struct parser *p, unsigned min, unsigned max, const char *what,
                             uint16_t *out) {
    uint64_t n;
    if (!parse_is(p, TOKEN_NUMBER) || p->token.number != SQL_INTEGER ||
        !str_to_u64(parse_text(p, &p->token), &n) || n < min || n > max)
        return parse_expected(p, what);
    *out = (uint16_t)n;
    parse_next(p);
    return OK;
}

/* DECIMAL, DECIMAL(p), DECIMAL(p, s) */
static result parse_decimal(struct parser *p, struct sql_type *out) {
    if (!parse_take(p, TOKEN_OPEN)) return OK;
    TRY(parse_unsigned(p, 1, 38, "a precision from 1 to 38", &out->precision));
    if (parse_take(p, TOKEN_COMMA))
        TRY(parse_unsigned(p, 0, out->precision, "a scale up to the precision", &out->scale));
    return parse_want(p, TOKEN_CLOSE, "')'");
}

static result parse_length(struct parser *p, struct sql_type *out) {
    bool is_char = out->kind == SQL_TYPE_CHAR;
    TRY(parse_want(p, TOKEN_OPEN, "'(' and a length"));
    TRY(parse_unsigned(p, 1, is_char ? 255 : 65535,
                       is_char ? "a length from 1 to 255" : "a length from 1 to 65535",
                       &out->precision));
    return parse_want(p, TOKEN_CLOSE, "')'");
}

static result parse_part(struct parser *p, const struct sql_type **out) {
    struct sql_type *part = arena_new(p->arena, struct sql_type);
    if (part == NULL) return fail_memory(p->report);
    *out = part;
    return parse_type(p, part);
}

/* STRUCT<a:T, b:T> */
static result parse_fields(struct parser *p, struct sql_type *out) {
    struct sql_field *fields = NULL;
    size_t n = 0;
    do {
        struct sql_name name = {0};
        struct sql_field *slot = PARSE_PUSH(p, fields, n);
        if (slot == NULL) return fail_memory(p->report);
        TRY(parse_count(p, n, p->limits.select_items, "fields in one STRUCT"));
        TRY(parse_name(p, &name, "the name of a field"));
        slot->name = name.text;
        TRY(parse_want(p, TOKEN_COLON, "':' behind the name of a field"));
        TRY(parse_type(p, &slot->type));
        TRY(parse_comment(p));
    } while (parse_take(p, TOKEN_COMMA));
    out->fields = fields;
    out->n_fields = (uint32_t)n;
    return OK;
}

static result parse_composite(struct parser *p, struct sql_type *out) {
    struct nest nest;
    uint16_t height = 0;
    TRY(parse_enter(p, 1, &nest));
    TRY(parse_want(p, TOKEN_LT, "'<'"));
    if (out->kind == SQL_TYPE_STRUCT) TRY(parse_fields(p, out));
    if (out->kind == SQL_TYPE_MAP) {
        TRY(parse_part(p, &out->key));
        TRY(parse_want(p, TOKEN_COMMA, "','"));
    }
    if (out->kind != SQL_TYPE_STRUCT) TRY(parse_part(p, &out->element));
    TRY(parse_want(p, TOKEN_GT, "'>'"));
    return parse_leave(p, &nest, &height);
}

/* A type that other systems have gets the name that it has here. */
static result refuse_type(struct parser *p) {
    enum sql_type_kind kind = SQL_TYPE_UNKNOWN;
    bool is_word = parse_is(p, TOKEN_WORD);
    struct str name = parse_text(p, &p->token);
    result r = parse_expected(p, "a type");
    if (is_word && sql_type_kind_of(name, &kind) && kind != SQL_TYPE_UNKNOWN)
        fail_hint(p->report, "MaxCompute calls it %s.", sql_type_name(kind));
    return r;
}

result parse_type(struct parser *p, struct sql_type *out) {
    struct str name = parse_text(p, &p->token);
    if (!parse_is(p, TOKEN_WORD) || !sql_type_kind_of(name, &out->kind) ||
        !str_ieq(name, str_of(sql_type_name(out->kind))))
        return refuse_type(p);
    parse_next(p);
    switch ((int)out->kind) {
    case SQL_TYPE_DECIMAL: return parse_decimal(p, out);
    case SQL_TYPE_VARCHAR:
    case SQL_TYPE_CHAR: return parse_length(p, out);
    case SQL_TYPE_ARRAY:
    case SQL_TYPE_MAP:
    case SQL_TYPE_STRUCT: return parse_composite(p, out);
    default: return OK;
    }
}
