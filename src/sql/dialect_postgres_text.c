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

/* ***= says that the rest is no pattern. */
static void put_split(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str pattern;
    char plain[64] = "***=";
    size_t len;
    bool is_plain = dialect_constant_text(args->at[1], &pattern) &&
                    dialect_regex_is_plain(pattern, plain + 4, sizeof plain - 4, &len);
    if (!is_plain && pattern.len == 0) {
        dialect_refuse(p, expr->span, "split by what is no constant or is empty");
        return;
    }
    dialect_wrap(p, "regexp_split_to_array(", dialect_put_text, args->at[0], " COLLATE \"C\", ");
    if (is_plain)
        sql_put_string(p, (struct str){plain, len + 4});
    else
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

/* -- JSON ------------------------------------------------------------------------------------- */

enum { STEPS_MOST = 16 };

struct steps { /* $.name[0] */
    struct str at[STEPS_MOST];
    bool is_index[STEPS_MOST];
    size_t n;
};

static bool is_step_name(struct str name) {
    for (size_t i = 0; i < name.len; i++)
        if (strchr("\"'\\*$@?()[] ", name.ptr[i]) != NULL) return false;
    return name.len > 0;
}

/* What all readers of paths read alike. */
static bool read_steps(const struct sql_expr *path, struct steps *out) {
    struct str rest;
    uint64_t index;
    out->n = 0;
    if (!dialect_constant_text(path, &rest) || rest.len < 2 || rest.ptr[0] != '$') return false;
    rest = str_slice(rest, 1, rest.len);
    while (rest.len > 0 && out->n < STEPS_MOST) {
        bool is_index = rest.ptr[0] == '[';
        size_t end = 1;
        if (!is_index && rest.ptr[0] != '.') return false;
        while (end < rest.len && rest.ptr[end] != (is_index ? ']' : '.') &&
               (is_index || rest.ptr[end] != '['))
            end++;
        struct str step = str_slice(rest, 1, end);
        if (is_index && (end == rest.len || !str_to_u64(step, &index) || index > INT32_MAX))
            return false;
        if (!is_index && !is_step_name(step)) return false;
        out->at[out->n] = step;
        out->is_index[out->n++] = is_index;
        rest = str_slice(rest, is_index ? end + 1 : end, rest.len);
    }
    return rest.len == 0;
}

static void put_steps(printer *p, const struct sql_expr *json, const struct steps *steps,
                      bool as_text) {
    dialect_wrap(p, "(CAST(", dialect_put_text, json, " AS json)");
    for (size_t i = 0; i < steps->n; i++) {
        sql_put(p, as_text && i + 1 == steps->n ? STR(" ->> ") : STR(" -> "));
        if (steps->is_index[i])
            sql_put(p, steps->at[i]);
        else
            sql_put_string(p, steps->at[i]);
    }
    sql_put_byte(p, ')');
}

/* The text as it stands in the JSON. What MaxCompute would write otherwise fails: numbers with an
 * exponent or zeros at their end, and blanks between parts; so does what is no JSON. */
static void put_get_json_object(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *json = args_of(expr)->at[0];
    struct steps steps;
    if (!read_steps(args_of(expr)->at[1], &steps)) {
        dialect_refuse(p, expr->span, "this JSON path");
        return;
    }
    sql_put(p, STR("CASE WHEN CASE json_typeof"));
    put_steps(p, json, &steps, false);
    sql_put(p, STR(" WHEN 'number' THEN "));
    put_steps(p, json, &steps, true);
    sql_put(p, STR(" !~ '^-?[0-9]+([.][0-9]*[1-9])?$' WHEN 'object' THEN "));
    put_steps(p, json, &steps, true);
    sql_put(p, STR(" ~ '[[:space:]]' WHEN 'array' THEN "));
    put_steps(p, json, &steps, true);
    sql_put(p, STR(" ~ '[[:space:]]' END THEN CAST(CAST(left("));
    put_steps(p, json, &steps, true);
    sql_put(p, STR(", 0) AS float8) AS text) ELSE "));
    put_steps(p, json, &steps, true);
    sql_put(p, STR(" END"));
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
    {"get_json_object", put_get_json_object},
    {"hex", put_hex},
    {NULL, NULL},
};
