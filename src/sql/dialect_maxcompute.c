/* MaxCompute's words. Names always stand in back quotes: the list of what may stand bare differs
 * from place to place, and grows. */
#include "sql/functions.h"
#include "sql/lex.h"
#include "sql/print.h"

static void put_backquoted(struct sql_printer *p, struct str text) {
    sql_put_byte(p, '`');
    for (size_t end; (end = str_find_byte(text, '`')) < text.len;) {
        sql_put(p, str_slice(text, 0, end + 1));
        sql_put_byte(p, '`');
        text = str_slice(text, end + 1, text.len);
    }
    sql_put(p, text);
    sql_put_byte(p, '`');
}

/* a$b was written bare, and in back quotes would be a regular expression over column names. */
static void identifier(struct sql_printer *p, const struct sql_name *name) {
    bool dollar = str_find_byte(name->text, '$') < name->text.len;
    if (name->quoting == SQL_BARE && dollar && sql_is_bare_word(name->text))
        sql_put(p, name->text);
    else
        put_backquoted(p, name->text);
}

static void put_escaped(struct sql_printer *p, unsigned char c) {
    switch (c) {
    case '\'': sql_put(p, STR("\\'")); return;
    case '\\': sql_put(p, STR("\\\\")); return;
    case '\n': sql_put(p, STR("\\n")); return;
    case '\r': sql_put(p, STR("\\r")); return;
    case '\t': sql_put(p, STR("\\t")); return;
    default: break;
    }
    if (c < 0x20 || c == 0x7F)
        sql_putf(p, "\\%03o", c);
    else
        sql_put_byte(p, (char)c);
}

static bool is_plain(unsigned char c) {
    return c >= 0x20 && c != '\'' && c != '\\' && c != 0x7F;
}

static void string(struct sql_printer *p, struct str text) {
    sql_put_byte(p, '\'');
    for (size_t i = 0, from; i < text.len; i++) {
        for (from = i; i < text.len && is_plain((unsigned char)text.ptr[i]);) i++;
        sql_put(p, str_slice(text, from, i));
        if (i < text.len) put_escaped(p, (unsigned char)text.ptr[i]);
    }
    sql_put_byte(p, '\'');
}

static void suffixed(struct sql_printer *p, struct str digits, struct str suffix) {
    sql_put(p, digits);
    sql_put(p, suffix);
}

static void typed(struct sql_printer *p, struct str word, struct str text) {
    sql_put(p, word);
    string(p, text);
}

static void literal(struct sql_printer *p, const struct sql_literal *of) {
    struct str text = of->text;
    switch (of->kind) {
    case SQL_NULL: sql_put(p, STR("NULL")); return;
    case SQL_TRUE: sql_put(p, STR("TRUE")); return;
    case SQL_FALSE: sql_put(p, STR("FALSE")); return;
    case SQL_INTEGER:
    case SQL_NUMBER: sql_put(p, text); return;
    case SQL_BIGINT: suffixed(p, text, STR("L")); return;
    case SQL_SMALLINT: suffixed(p, text, STR("S")); return;
    case SQL_TINYINT: suffixed(p, text, STR("Y")); return;
    case SQL_DECIMAL: suffixed(p, text, STR("BD")); return;
    case SQL_STRING: string(p, text); return;
    case SQL_DATE: typed(p, STR("DATE"), text); return;
    case SQL_DATETIME: typed(p, STR("DATETIME"), text); return;
    case SQL_TIMESTAMP: typed(p, STR("TIMESTAMP"), text); return;
    case SQL_TIMESTAMP_NTZ: typed(p, STR("TIMESTAMP_NTZ"), text); return;
    }
    sql_put_refusal(p, (struct sql_span){SQL_NOWHERE, SQL_NOWHERE}, "a literal has no kind");
}

static void type(struct sql_printer *p, const struct sql_type *of);

static void fields(struct sql_printer *p, const struct sql_type *of) {
    for (uint32_t i = 0; i < of->n_fields; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_backquoted(p, of->fields[i].name);
        sql_put_byte(p, ':');
        type(p, &of->fields[i].type);
    }
}

static void type(struct sql_printer *p, const struct sql_type *of) {
    sql_put(p, str_of(sql_type_name(of->kind)));
    switch ((int)of->kind) {
    case SQL_TYPE_UNKNOWN:
    case SQL_TYPE_NULL:
        sql_put_refusal(p, (struct sql_span){SQL_NOWHERE, SQL_NOWHERE},
                        "a cast to an unknown type cannot be written");
        return;
    case SQL_TYPE_DECIMAL:
        if (of->precision > 0) sql_putf(p, "(%u,%u)", of->precision, of->scale);
        return;
    case SQL_TYPE_VARCHAR:
    case SQL_TYPE_CHAR: sql_putf(p, "(%u)", of->precision); return;
    case SQL_TYPE_ARRAY:
    case SQL_TYPE_MAP:
    case SQL_TYPE_STRUCT: break;
    default: return;
    }
    sql_put_byte(p, '<');
    if (of->kind == SQL_TYPE_STRUCT) fields(p, of);
    if (of->kind == SQL_TYPE_MAP) {
        type(p, of->key);
        sql_put(p, STR(", "));
    }
    if (of->kind != SQL_TYPE_STRUCT) type(p, of->element);
    sql_put_byte(p, '>');
}

/* Bare, these would be read as something else: keys of GROUP BY, the words behind SELECT and
 * TRIM(. */
static bool is_read_otherwise(struct str name) {
    static const struct str words[] = {STR_INIT("cube"), STR_INIT("rollup"),  STR_INIT("all"),
                                       STR_INIT("both"), STR_INIT("leading"), STR_INIT("trailing")};
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_ieq(name, words[i])) return true;
    return false;
}

/* Functions stand bare as they were written: in back quotes IF, CAST and their like would lose
 * their meaning. */
static void function_part(struct sql_printer *p, const struct sql_name *name) {
    bool is_bare = name->quoting == SQL_BARE && sql_is_bare_word(name->text);
    if (is_bare && !is_read_otherwise(name->text))
        sql_put(p, name->text);
    else
        put_backquoted(p, name->text);
}

static void function(struct sql_printer *p, const struct sql_call *call) {
    if (call->prefix == SQL_CALL_BUILTIN) sql_put(p, STR("::"));
    for (size_t i = 0; i < call->name.n; i++) {
        if (i > 0) sql_put_byte(p, call->prefix == SQL_CALL_COLON ? ':' : '.');
        function_part(p, &call->name.at[i]);
    }
}

/* These work without parentheses, but not in back quotes. */
static bool is_bare_function(const struct sql_names *ref) {
    if (ref->n != 1 || ref->at[0].quoting != SQL_BARE) return false;
    const struct sql_function *function = sql_function_find(ref->at[0].text);
    return function != NULL && (function->flags & FUNCTION_BARE) != 0;
}

static bool expr(struct sql_printer *p, const struct sql_expr *of) {
    if (of->kind != SQL_REF || !is_bare_function(&of->ref)) return false;
    sql_put(p, of->ref.at[0].text);
    return true;
}

const struct sql_dialect sql_dialect_maxcompute = {
    .name = "maxcompute",
    .op =
        {
            [SQL_OP_NOT] = "NOT",     [SQL_OP_MINUS] = "-",
            [SQL_OP_PLUS] = "+",      [SQL_OP_BIT_NOT] = "~",
            [SQL_OP_BIT_XOR] = "^",   [SQL_OP_MUL] = "*",
            [SQL_OP_DIV] = "/",       [SQL_OP_MOD] = "%",
            [SQL_OP_INT_DIV] = "DIV", [SQL_OP_ADD] = "+",
            [SQL_OP_SUB] = "-",       [SQL_OP_CONCAT] = "||",
            [SQL_OP_BIT_AND] = "&",   [SQL_OP_BIT_OR] = "|",
            [SQL_OP_EQ] = "=",        [SQL_OP_NULL_EQ] = "<=>",
            [SQL_OP_NE] = "<>",       [SQL_OP_LT] = "<",
            [SQL_OP_LE] = "<=",       [SQL_OP_GT] = ">",
            [SQL_OP_GE] = ">=",       [SQL_OP_LIKE] = "LIKE",
            [SQL_OP_RLIKE] = "RLIKE", [SQL_OP_DISTINCT] = "IS DISTINCT FROM",
            [SQL_OP_AND] = "AND",     [SQL_OP_OR] = "OR",
        },
    .join =
        {
            [SQL_JOIN_COMMA] = ",",
            [SQL_JOIN_CROSS] = "CROSS JOIN",
            [SQL_JOIN_INNER] = "JOIN",
            [SQL_JOIN_LEFT] = "LEFT JOIN",
            [SQL_JOIN_RIGHT] = "RIGHT JOIN",
            [SQL_JOIN_FULL] = "FULL JOIN",
            [SQL_JOIN_SEMI] = "LEFT SEMI JOIN",
            [SQL_JOIN_ANTI] = "LEFT ANTI JOIN",
        },
    .set_op = {[SQL_UNION] = "UNION", [SQL_INTERSECT] = "INTERSECT", [SQL_MINUS] = "MINUS"},
    .hints = true,
    .identifier = identifier,
    .string = string,
    .literal = literal,
    .type = type,
    .function = function,
    .expr = expr,
};
