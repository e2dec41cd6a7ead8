/* Text functions with rules of their own. */
#include "sql/dialect_postgres_inner.h"

/* Fails, and not before it is come to: the planner computes no concat(). */
#define FAILURE      "CAST(concat('') AS float8)"
#define TEXT_FAILURE "CAST(" FAILURE " AS text)"

/* An argument in 32 bits; what is more is as good as the most, and NULL stays. */
#define COUNT_OF(arg)                                                                              \
    "CAST(CASE WHEN " arg " > 2147483647 THEN 2147483647 ELSE " arg " END AS integer)"

static void put(printer *p, const struct sql_expr *call, const char *template) {
    dialect_put_pieces(p, args_of(call), str_of(template));
}

/* -- parts ------------------------------------------------------------------------------------ */

static void put_rest_of_substr(printer *p, const struct sql_expr *length, int64_t n) {
    if (length != NULL) sql_putf(p, ", %lld", (long long)n);
    sql_put_byte(p, ')');
}

static void put_known_substr(printer *p, const struct sql_exprs *args, int from, int64_t n) {
    const struct sql_expr *length = args->n > 2 ? args->at[2] : NULL;
    if (from > 0) {
        dialect_wrap(p, "substr(", dialect_put_text, args->at[0], "");
        sql_putf(p, ", %d", from);
        put_rest_of_substr(p, length, n);
    } else {
        dialect_wrap(p, "CASE WHEN char_length(", dialect_put_text, args->at[0], "");
        sql_putf(p, ") >= %d THEN substr(right(", -from);
        dialect_put_text(p, args->at[0]);
        sql_putf(p, ", %d), 1", -from);
        put_rest_of_substr(p, length, n);
        dialect_wrap(p, " ELSE left(", dialect_put_text, args->at[0], ", 0) END");
    }
}

#define LENGTH_OF(arg) "CASE WHEN " arg " < 0 THEN 0 ELSE " COUNT_OF(arg) " END"

#define SUBSTR(rest)                                                                               \
    "CASE WHEN ${2!bigint} > 0 THEN substr(${1!string}, " COUNT_OF("${2!bigint}") rest             \
        ") "                                                                                       \
        "WHEN ${2!bigint} < 0 THEN CASE WHEN char_length(${1!string}) >= -(${2!bigint}) "          \
        "THEN substr(right(${1!string}, CAST(-(${2!bigint}) AS integer)), 1" rest ") "             \
        "ELSE left(${1!string}, 0) END WHEN ${2!bigint} = 0 THEN " TEXT_FAILURE " END"

/* From 1, or from the end: nothing where that is before the beginning. What 0 means depends on the
 * version. */
static void put_substr(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t from = 0, n = 0;
    bool is_place = dialect_constant_int(args->at[1], &from);
    bool is_known = is_place && from < INT32_MAX && from > INT32_MIN &&
                    (args->n == 2 || (dialect_constant_int(args->at[2], &n) && n < INT32_MAX));
    if (is_place && from == 0)
        dialect_refuse(p, expr->span, "substr from position 0");
    else if (is_known)
        put_known_substr(p, args, (int)from, n < 0 ? 0 : n);
    else
        put(p, expr, args->n == 2 ? SUBSTR("") : SUBSTR(", " LENGTH_OF("${3!bigint}")));
}

/* From 1; the empty text where there are not so many. */
static void put_split_part(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str separator;
    int64_t n = 0;
    bool is_given = dialect_constant_text(args->at[1], &separator);
    bool is_known = is_given && dialect_constant_int(args->at[2], &n) && n > 0 && n < INT32_MAX;
    if (is_given && separator.len == 0) {
        dialect_refuse(p, expr->span, "split_part by an empty text");
    } else if (is_known && args->n == 3) {
        dialect_wrap(p, "split_part(", dialect_put_text, args->at[0], ", ");
        sql_put_string(p, separator);
        sql_putf(p, ", %d)", (int)n);
    } else if (args->n == 3) {
        put(p, expr,
            "CASE WHEN ${3!bigint} < 1 OR ${2!string} = '' THEN " TEXT_FAILURE
            " ELSE split_part(${1!string}, ${2!string}, " COUNT_OF("${3!bigint}") ") END");
    } else {
        put(p, expr,
            "CASE WHEN ${3!bigint} < 1 OR ${4!bigint} < 1 OR ${2!string} = '' THEN " TEXT_FAILURE
            " ELSE array_to_string((string_to_array(${1!string}, ${2!string}))"
            "[" COUNT_OF("${3!bigint}") ":" COUNT_OF("${4!bigint}") "], ${2!string}) END");
    }
}

/* What stands before the nth separator, or behind the nth from the end. */
static void put_substring_index(printer *p, const struct sql_expr *expr) {
    int64_t n;
    if (!dialect_constant_int(args_of(expr)->at[2], &n) || n <= -INT32_MAX || n >= INT32_MAX) {
        dialect_refuse(p, expr->span, "substring_index by a number that is no constant");
        return;
    }
    put(p, expr,
        "CASE WHEN ${2!string} = '' THEN left(${1!string}, 0) "
        "ELSE array_to_string((string_to_array(${1!string}, ${2!string}))[");
    if (n >= 0)
        sql_putf(p, "1:%d", (int)n);
    else
        put(p, expr, "greatest(1, cardinality(string_to_array(${1!string}, ${2!string})) + 1");
    if (n < 0) sql_putf(p, " - %d):", (int)-n);
    put(p, expr, "], ${2!string}) END");
}

/* -- places ----------------------------------------------------------------------------------- */

/* Behind the end of the text there is nothing, not even the empty text. */
#define PLACE_FROM(text, what, from)                                                               \
    "CASE WHEN " from " < 1 THEN CAST(" FAILURE " AS bigint) "                                     \
    "WHEN " from " <= char_length(" text ") + 1 "                                                  \
    "AND strpos(substr(" text ", CAST(" from " AS integer)), " what ") > 0 "                       \
    "THEN strpos(substr(" text ", CAST(" from " AS integer)), " what ") + " from " - 1 "           \
    "WHEN " text " IS NOT NULL AND " what " IS NOT NULL AND " from " IS NOT NULL "                 \
    "THEN CAST(0 AS bigint) END"

/* Whether two places of the text can overlap. */
static bool overlaps(struct str text) {
    for (size_t n = 1; n < text.len; n++)
        if (memcmp(text.ptr, text.ptr + text.len - n, n) == 0) return true;
    return false;
}

/* The nth place, of a text that is no pattern. */
static void put_nth_place(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    char plain[64] = "***=";
    struct str what;
    int64_t from, nth;
    if (!dialect_constant_text(args->at[1], &what) || what.len == 0 || overlaps(what) ||
        what.len > sizeof plain - 4 || !dialect_constant_int(args->at[2], &from) || from < 1 ||
        from > INT32_MAX || !dialect_constant_int(args->at[3], &nth) || nth < 1 ||
        nth > INT32_MAX) {
        dialect_refuse(p, expr->span, "instr of such a text, from such a place");
        return;
    }
    memcpy(plain + 4, what.ptr, what.len);
    dialect_wrap(p, "CAST(regexp_instr(", dialect_put_text, args->at[0], " COLLATE \"C\", ");
    sql_put_string(p, (struct str){plain, what.len + 4});
    sql_putf(p, ", %d, %d) AS bigint)", (int)from, (int)nth);
}

static void put_instr(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t nth;
    if (args->n == 2)
        put(p, expr, "CAST(strpos(${1!string}, ${2!string}) AS bigint)");
    else if (args->n == 3 || (dialect_constant_int(args->at[3], &nth) && nth == 1))
        put(p, expr, PLACE_FROM("${1!string}", "${2!string}", "${3!bigint}"));
    else
        put_nth_place(p, expr);
}

/* locate(what, in[, from]) */
static void put_locate(printer *p, const struct sql_expr *expr) {
    put(p, expr,
        args_of(expr)->n == 2 ? "CAST(strpos(${2!string}, ${1!string}) AS bigint)"
                              : PLACE_FROM("${2!string}", "${1!string}", "${3!bigint}"));
}

/* -- joining ---------------------------------------------------------------------------------- */

/* A part that is NULL fails: the modes disagree about it. */
static void put_part(printer *p, const struct sql_expr *part) {
    struct str text;
    if (dialect_is_null(part)) dialect_refuse(p, part->span, "concat_ws of NULL");
    if (dialect_constant_text(part, &text))
        dialect_put_text(p, part);
    else
        dialect_wrap(p, "coalesce(", dialect_put_text, part, ", " TEXT_FAILURE ")");
}

static void put_concat_ws(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type second = dialect_type(p, args->at[1]);
    if (second.kind == SQL_TYPE_ARRAY) {
        if (args->n > 2 || second.element == NULL || !sql_type_is_text(second.element->kind))
            dialect_refuse(p, expr->span, "concat_ws of other than texts or one array of texts");
        put(p, expr,
            "CASE WHEN array_position($2, CAST(NULL AS text)) IS NULL "
            "THEN array_to_string($2, ${1!string}) ELSE " TEXT_FAILURE " END");
        return;
    }
    dialect_wrap(p, "(left(", dialect_put_text, args->at[0], ", 0)");
    for (size_t i = 1; i < args->n; i++) {
        if (i > 1) dialect_wrap(p, " || ", dialect_put_text, args->at[0], "");
        sql_put(p, STR(" || "));
        put_part(p, args->at[i]);
    }
    sql_put_byte(p, ')');
}

/* The value of the first pair with this key: what stands behind `;key:` in `;text`, up to the next
 * `;`. keyvalue(s, key) has ';' and ':'. */
static void put_keyvalue(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str outer = STR(";"), inner = STR(":"), key = STR_NONE;
    const struct sql_expr *wanted = args->at[args->n - 1];
    int64_t number;
    bool is_good = args->n != 3 && dialect_constant_text(wanted, &key);
    if (wanted->kind == SQL_LITERAL && dialect_constant_int(wanted, &number)) {
        key = wanted->literal.text;
        is_good = args->n != 3;
    }
    if (args->n == 4)
        is_good = is_good && dialect_constant_text(args->at[1], &outer) &&
                  dialect_constant_text(args->at[2], &inner);
    is_good = is_good && outer.len == 1 && str_find_byte(key, outer.ptr[0]) == key.len &&
              str_find_byte(inner, outer.ptr[0]) == inner.len;
    is_good = is_good && !dialect_has_nul(key) && !dialect_has_nul(inner);
    char before[256];
    int n = snprintf(before, sizeof before, STR_FMT STR_FMT STR_FMT, STR_ARG(outer), STR_ARG(key),
                     STR_ARG(inner));
    if (!is_good || n < 0 || (size_t)n >= sizeof before) {
        dialect_refuse(p, expr->span, "keyvalue by other than constants");
        return;
    }
    struct str pair = {before, (size_t)n};
    sql_put(p, STR("CASE WHEN strpos("));
    sql_put_string(p, outer);
    dialect_wrap(p, " || ", dialect_put_text, args->at[0], ", ");
    sql_put_string(p, pair);
    sql_put(p, STR(") > 0 THEN split_part(split_part("));
    sql_put_string(p, outer);
    dialect_wrap(p, " || ", dialect_put_text, args->at[0], ", ");
    sql_put_string(p, pair);
    sql_put(p, STR(", 2), "));
    sql_put_string(p, outer);
    sql_put(p, STR(", 1) END"));
}

static void put_reverse(printer *p, const struct sql_expr *expr) {
    if (dialect_kind(p, args_of(expr)->at[0]) == SQL_TYPE_ARRAY)
        pg_put_array_reverse(p, expr);
    else
        put(p, expr, "reverse(${1!string})");
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

/* Constants from 1 on behind the pattern: where to begin, and which match. With a place, the
 * pattern may not ask where the text begins. */
static void put_places(printer *p, const struct sql_expr *expr, size_t most) {
    const struct sql_exprs *args = args_of(expr);
    struct str pattern;
    (void)dialect_constant_text(args->at[1], &pattern);
    bool is_anchored = str_find_byte(pattern, '^') < pattern.len ||
                       str_find(pattern, STR("\\b")) < pattern.len ||
                       str_find(pattern, STR("\\B")) < pattern.len;
    for (size_t i = 2; i < args->n; i++) {
        int64_t n = 0;
        if (i >= most || is_anchored || !dialect_constant_int(args->at[i], &n) || n < 1 ||
            n > INT32_MAX)
            dialect_refuse(p, expr->span, "a regular expression from such a place");
        sql_putf(p, ", %d", (int)n);
    }
}

static void put_regexp_count(printer *p, const struct sql_expr *expr) {
    put_two_of_regex(p, args_of(expr), "CAST(regexp_count(");
    put_places(p, expr, 3);
    sql_put(p, STR(") AS bigint)"));
}

static void put_regexp_substr(printer *p, const struct sql_expr *expr) {
    put_two_of_regex(p, args_of(expr), "regexp_substr(");
    put_places(p, expr, 4);
    sql_put_byte(p, ')');
}

static void put_regexp_instr(printer *p, const struct sql_expr *expr) {
    put_two_of_regex(p, args_of(expr), "CAST(regexp_instr(");
    put_places(p, expr, 4);
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

/* There is no NUL in a text. */
static void put_chr(printer *p, const struct sql_expr *expr) {
    int64_t code;
    if (dialect_constant_int(args_of(expr)->at[0], &code) && code == 0)
        dialect_refuse(p, expr->span, "a text that holds NUL");
    put(p, expr, "chr(CAST(${1!bigint} AS integer))");
}

const struct dialect_hook pg_text_hooks[] = {
    {"substr", put_substr},
    {"split_part", put_split_part},
    {"instr", put_instr},
    {"locate", put_locate},
    {"substring_index", put_substring_index},
    {"concat_ws", put_concat_ws},
    {"keyvalue", put_keyvalue},
    {"chr", put_chr},
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
