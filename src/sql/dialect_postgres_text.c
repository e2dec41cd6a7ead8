/* Text functions with rules of their own. */
#include "sql/dialect_postgres_inner.h"

/* -- parts ------------------------------------------------------------------------------------ */

static void put_rest_of_substr(printer *p, const struct sql_expr *length, int64_t n) {
    if (length != NULL) sql_putf(p, ", %lld", (long long)n);
    sql_put_byte(p, ')');
}

/* From 1, or from the end: nothing where that is before the beginning. What 0 means depends on the
 * version. */
static void put_substr(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_expr *length = args->n > 2 ? args->at[2] : NULL;
    int64_t from = 0, n = 0;
    bool is_known = dialect_constant_int(args->at[1], &from) && from != 0 && from < INT32_MAX &&
                    from > INT32_MIN &&
                    (length == NULL || (dialect_constant_int(length, &n) && n < INT32_MAX));
    if (n < 0) n = 0;
    if (!is_known) {
        dialect_refuse(p, expr->span, "substr from a place that is no constant but 0");
    } else if (from > 0) {
        dialect_wrap(p, "substr(", dialect_put_text, args->at[0], "");
        sql_putf(p, ", %d", (int)from);
        put_rest_of_substr(p, length, n);
    } else {
        dialect_wrap(p, "CASE WHEN char_length(", dialect_put_text, args->at[0], "");
        sql_putf(p, ") >= %d THEN substr(right(", (int)-from);
        dialect_put_text(p, args->at[0]);
        sql_putf(p, ", %d), 1", (int)-from);
        put_rest_of_substr(p, length, n);
        dialect_wrap(p, " ELSE left(", dialect_put_text, args->at[0], ", 0) END");
    }
}

/* From 1; the empty text where there are not so many. */
static void put_split_part(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str separator;
    int64_t n = 0;
    bool is_known = args->n == 3 && dialect_constant_text(args->at[1], &separator) &&
                    separator.len > 0 && dialect_constant_int(args->at[2], &n) && n > 0 &&
                    n < INT32_MAX;
    if (!is_known) {
        dialect_refuse(p, expr->span, "split_part by other than constants from 1");
        return;
    }
    dialect_wrap(p, "split_part(", dialect_put_text, args->at[0], ", ");
    sql_put_string(p, separator);
    sql_putf(p, ", %d)", (int)n);
}

static void put_strpos(printer *p, const struct sql_expr *in, const struct sql_expr *what) {
    dialect_wrap(p, "CAST(strpos(", dialect_put_text, in, ", ");
    dialect_wrap(p, "", dialect_put_text, what, ") AS bigint)");
}

static void put_instr(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 2) dialect_refuse(p, expr->span, "instr from a place");
    put_strpos(p, args_of(expr)->at[0], args_of(expr)->at[1]);
}

/* locate(what, in) */
static void put_locate(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 2) dialect_refuse(p, expr->span, "locate from a place");
    put_strpos(p, args_of(expr)->at[1], args_of(expr)->at[0]);
}

static void put_reverse(printer *p, const struct sql_expr *expr) {
    dialect_wrap(p, "reverse(", dialect_put_text, args_of(expr)->at[0], ")");
}

/* -- regular expressions ---------------------------------------------------------------------- */

enum { PLAIN_MOST = 60 };

/* ***= says that the rest is no pattern. */
void pg_put_split_plain(printer *p, const struct sql_expr *text, struct str separator) {
    char plain[PLAIN_MOST + 4] = "***=";
    if (separator.len > PLAIN_MOST) {
        dialect_refuse(p, text->span, "a separator of more than %d bytes", (int)PLAIN_MOST);
        return;
    }
    memcpy(plain + 4, separator.ptr, separator.len);
    dialect_wrap(p, "regexp_split_to_array(", dialect_put_text, text, " COLLATE \"C\", ");
    sql_put_string(p, (struct str){plain, separator.len + 4});
    sql_put_byte(p, ')');
}

static void put_split(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str pattern;
    char plain[PLAIN_MOST];
    size_t len;
    bool is_plain = dialect_constant_text(args->at[1], &pattern) &&
                    dialect_regex_is_plain(pattern, plain, sizeof plain, &len);
    if (!is_plain && pattern.len == 0) {
        dialect_refuse(p, expr->span, "split by what is no constant or is empty");
        return;
    }
    if (is_plain) {
        pg_put_split_plain(p, args->at[0], (struct str){plain, len});
        return;
    }
    dialect_wrap(p, "regexp_split_to_array(", dialect_put_text, args->at[0], " COLLATE \"C\", ");
    pg_put_exact_regex(p, args->at[1]);
    sql_put_byte(p, ')');
}

/* Groups that capture, of a pattern that is otherwise checked. */
static int64_t groups_of(const struct sql_expr *pattern) {
    struct str text;
    int64_t n = 0;
    bool in_class = false;
    (void)dialect_constant_text(pattern, &text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\') i++;
        if (c == '[' || c == ']') in_class = c == '[';
        if (c == '(' && !in_class && (i + 1 == text.len || text.ptr[i + 1] != '?')) n++;
    }
    return n;
}

static void put_two_of_regex(printer *p, const struct sql_exprs *args, const char *before) {
    dialect_wrap(p, before, dialect_put_text, args->at[0], " COLLATE \"C\",");
    pg_put_exact_regex(p, args->at[1]);
}

/* The group stands as a constant, 1 when it is not given; the empty text where nothing matches. */
static void put_regexp_extract(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t group = 1;
    if ((args->n > 2 && !dialect_constant_int(args->at[2], &group)) || group < 0 ||
        group > groups_of(args->at[1])) {
        dialect_refuse(p, expr->span, "a group of a regular expression that is not there");
        return;
    }
    put_two_of_regex(p, args, "coalesce(regexp_substr(");
    sql_putf(p, ", 1, 1, '', %d), ", (int)group);
    dialect_wrap(p, "left(", dialect_put_text, args->at[0], ", 0))");
}

/* Only \1 to \9 are more than themselves. */
static bool is_replacement(const struct sql_expr *expr, int64_t groups) {
    struct str text;
    if (!dialect_constant_text(expr, &text)) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\\') continue;
        i++;
        if (i == text.len || text.ptr[i] < '1' || text.ptr[i] > '0' + groups) return false;
    }
    return true;
}

/* All occurrences when none is told. */
static void put_regexp_replace(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t which = 0;
    if (args->n > 3 && (!dialect_constant_int(args->at[3], &which) || which < 0 || which > 1))
        dialect_refuse(p, expr->span, "regexp_replace of one occurrence but the first");
    if (!is_replacement(args->at[2], groups_of(args->at[1])))
        dialect_refuse(p, expr->span, "this replacement of regexp_replace");
    put_two_of_regex(p, args, "regexp_replace(");
    dialect_wrap(p, ", ", dialect_put_text, args->at[2], which == 0 ? ", 'g')" : ")");
}

static void put_regexp_count(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 2) dialect_refuse(p, expr->span, "regexp_count from a place");
    put_two_of_regex(p, args_of(expr), "CAST(regexp_count(");
    sql_put(p, STR(") AS bigint)"));
}

static void put_regexp_substr(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 2) dialect_refuse(p, expr->span, "regexp_substr from a place");
    put_two_of_regex(p, args_of(expr), "regexp_substr(");
    sql_put_byte(p, ')');
}

static void put_regexp_instr(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 2) dialect_refuse(p, expr->span, "regexp_instr from a place");
    put_two_of_regex(p, args_of(expr), "CAST(regexp_instr(");
    sql_put(p, STR(") AS bigint)"));
}

/* -- others ----------------------------------------------------------------------------------- */

static void put_hex(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    enum sql_type_kind kind = dialect_kind(p, of);
    if (sql_type_is_text(kind))
        dialect_wrap(p, "upper(encode(convert_to(", dialect_put_text, of, ", 'UTF8'), 'hex'))");
    else if (sql_type_is_integer(kind))
        dialect_wrap(p, "upper(to_hex(", dialect_put_bigint, of, "))");
    else
        dialect_refuse(p, expr->span, "hex of a value of type %s", sql_type_name(kind));
}

const struct dialect_hook pg_text_hooks[] = {
    {"substr", put_substr},
    {"split_part", put_split_part},
    {"instr", put_instr},
    {"locate", put_locate},
    {"reverse", put_reverse},
    {"split", put_split},
    {"regexp_extract", put_regexp_extract},
    {"regexp_replace", put_regexp_replace},
    {"regexp_count", put_regexp_count},
    {"regexp_substr", put_regexp_substr},
    {"regexp_instr", put_regexp_instr},
    {"hex", put_hex},
    {NULL, NULL},
};
