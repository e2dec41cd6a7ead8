/* Text functions with rules of their own. */
#include "sql/dialect_duckdb_inner.h"

static void put_call(printer *p, const char *name, const struct sql_exprs *args,
                     void (*const *put)(printer *p, const struct sql_expr *expr), size_t n) {
    sql_put(p, str_of(name));
    sql_put_byte(p, '(');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put[i](p, args->at[i]);
    }
    sql_put_byte(p, ')');
}

typedef void (*const put_args[])(printer *p, const struct sql_expr *expr);

/* -- joining ---------------------------------------------------------------------------------- */

/* Sources disagree whether a NULL part makes the whole NULL or is left out: the macro fails. */
static void put_concat_ws(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type second = dialect_type(p, args->at[1]);
    sql_put(p, STR("weir_concat_ws("));
    dialect_put_text(p, args->at[0]);
    sql_put(p, STR(", "));
    if (second.kind == SQL_TYPE_ARRAY) {
        bool is_text = second.element != NULL && sql_type_is_text(second.element->kind);
        if (args->n > 2 || !is_text)
            dialect_refuse(p, expr->span, "concat_ws of other than texts or one array of texts");
        sql_put_expr(p, args->at[1]);
    } else {
        for (size_t i = 1; i < args->n; i++) {
            sql_put(p, i == 1 ? STR("[") : STR(", "));
            dialect_put_text(p, args->at[i]);
        }
        sql_put_byte(p, ']');
    }
    sql_put_byte(p, ')');
}

/* -- parts ------------------------------------------------------------------------------------ */

/* From 1, or from the end; what 0 means depends on the version. */
static void put_substr(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t from = 0, n = 0;
    bool is_known = dialect_constant_int(args->at[1], &from) && from > 0 &&
                    (args->n == 2 || (dialect_constant_int(args->at[2], &n) && n >= 0));
    if (dialect_constant_int(args->at[1], &from) && from == 0) {
        dialect_refuse(p, expr->span, "substr from position 0");
        return;
    }
    sql_put(p, is_known ? STR("substr(") : STR("weir_substr("));
    dialect_put_text(p, args->at[0]);
    for (size_t i = 1; i < args->n; i++) {
        sql_put(p, STR(", "));
        if (is_known)
            dialect_put_plain(p, args->at[i]);
        else
            dialect_put_bigint(p, args->at[i]);
    }
    if (!is_known && args->n == 2) sql_put(p, STR(", 9223372036854775807"));
    sql_put_byte(p, ')');
}

static void put_split_part(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    put_args each = {dialect_put_text, dialect_put_text, dialect_put_bigint, dialect_put_bigint};
    struct str separator;
    if (dialect_constant_text(args->at[1], &separator) && separator.len == 0)
        dialect_refuse(p, expr->span, "split_part by an empty text");
    put_call(p, args->n == 3 ? "weir_split_part" : "weir_split_parts", args, each, args->n);
}

static void put_substring_index(printer *p, const struct sql_expr *expr) {
    put_args each = {dialect_put_text, dialect_put_text, dialect_put_bigint};
    put_call(p, "weir_substring_index", args_of(expr), each, 3);
}

static void put_instr(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    put_args each = {dialect_put_text, dialect_put_text, dialect_put_bigint, dialect_put_bigint};
    int64_t start;
    if (args->n > 2 && dialect_constant_int(args->at[2], &start) && start < 1)
        dialect_refuse(p, expr->span, "instr from the end");
    put_call(p,
             args->n == 2   ? "instr"
             : args->n == 3 ? "weir_instr_from"
                            : "weir_instr_nth",
             args, each, args->n);
}

/* locate(what, in[, from]) */
static void put_locate(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    sql_put(p, args->n == 2 ? STR("instr(") : STR("weir_instr_from("));
    dialect_put_text(p, args->at[1]);
    sql_put(p, STR(", "));
    dialect_put_text(p, args->at[0]);
    if (args->n > 2) sql_put(p, STR(", "));
    if (args->n > 2) dialect_put_bigint(p, args->at[2]);
    sql_put_byte(p, ')');
}

/* keyvalue(s, between, within, key); keyvalue(s, key) has ';' and ':'. */
static void put_keyvalue(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 3) dialect_refuse(p, expr->span, "keyvalue with three arguments");
    sql_put(p, STR("weir_keyvalue("));
    dialect_put_text(p, args->at[0]);
    if (args->n == 2) sql_put(p, STR(", ';', ':'"));
    for (size_t i = 1; i < args->n; i++) {
        sql_put(p, STR(", "));
        dialect_put_text(p, args->at[i]);
    }
    sql_put_byte(p, ')');
}

/* -- regular expressions ---------------------------------------------------------------------- */

/* A pattern that does not look at what stands before it finds the same in the rest of a text. */
static bool is_blind(const struct sql_expr *pattern) {
    struct str text;
    if (!dialect_constant_text(pattern, &text)) return false;
    for (size_t i = 0; i < text.len; i++) {
        bool in_front = i > 0 && text.ptr[i - 1] == '['; /* [^a] is no end */
        if (text.ptr[i] == '^' && !in_front) return false;
        if (text.ptr[i] == '\\' && ++i < text.len && dialect_is_in(text.ptr[i], "bBA"))
            return false;
    }
    return true;
}

static bool is_empty_match(struct str pattern) {
    return pattern.len == 0 || (pattern.len == 1 && pattern.ptr[0] == '|');
}

static void put_split(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str pattern;
    char plain[64];
    size_t len;
    if (!dialect_constant_text(args->at[1], &pattern) || is_empty_match(pattern)) {
        dialect_refuse(p, expr->span, "split by what is no constant or is empty");
        return;
    }
    bool is_plain = dialect_regex_is_plain(pattern, plain, sizeof plain, &len);
    if (!is_plain && !is_blind(args->at[1])) /* it begins anew behind each cut */
        dialect_refuse(p, expr->span, "split by a pattern that asks what stands before");
    sql_put(p, is_plain ? STR("string_split(") : STR("string_split_regex("));
    dialect_put_text(p, args->at[0]);
    sql_put(p, STR(", "));
    if (is_plain)
        sql_put_string(p, (struct str){plain, len});
    else
        duck_put_regex(p, args->at[1]);
    sql_put_byte(p, ')');
}

/* The group stands as a constant, 1 when it is not given. */
static void put_extract_as(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    int64_t group = 1;
    if (args->n > 2 && (!dialect_constant_int(args->at[2], &group) || group < 0 || group > 99)) {
        dialect_refuse(p, expr->span, "a group of a regular expression that is no constant");
        return;
    }
    sql_put(p, str_of(name));
    dialect_put_text(p, args->at[0]);
    sql_put(p, STR(", "));
    duck_put_regex(p, args->at[1]);
    sql_putf(p, ", %d)", (int)group);
}

static void put_regexp_extract(printer *p, const struct sql_expr *expr) {
    put_extract_as(p, expr, "regexp_extract(");
}

static void put_regexp_extract_all(printer *p, const struct sql_expr *expr) {
    put_extract_as(p, expr, "regexp_extract_all(");
}

static void put_two_of_regex(printer *p, const struct sql_exprs *args, const char *name) {
    sql_put(p, str_of(name));
    dialect_put_text(p, args->at[0]);
    sql_put(p, STR(", "));
    duck_put_regex(p, args->at[1]);
}

/* All occurrences when none is told. */
static void put_regexp_replace(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t which = 0;
    if (args->n > 3 && (!dialect_constant_int(args->at[3], &which) || which < 0 || which > 1)) {
        dialect_refuse(p, expr->span, "regexp_replace of one occurrence but the first");
        return;
    }
    put_two_of_regex(p, args, "regexp_replace(");
    sql_put(p, STR(", "));
    dialect_put_text(p, args->at[2]);
    sql_put(p, which == 0 ? STR(", 'g')") : STR(")"));
}

/* name(text, pattern of a regular expression; from the constant place, 1 when it is not given. */
static void put_from_place(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    int64_t start = 1;
    bool is_known = args->n < 3 || (dialect_constant_int(args->at[2], &start) && start > 0);
    if (!is_known || (start > 1 && !is_blind(args->at[1])))
        dialect_refuse(p, expr->span, STR_FMT " from this place",
                       STR_ARG(utf8_clip(expr->call.name.at[0].text, 64)));
    if (start == 1) {
        put_two_of_regex(p, args, name);
        return;
    }
    sql_put(p, str_of(name));
    dialect_wrap(p, "substr(", dialect_put_text, args->at[0], "");
    sql_putf(p, ", %lld), ", (long long)start);
    duck_put_regex(p, args->at[1]);
}

static void put_regexp_count(printer *p, const struct sql_expr *expr) {
    put_from_place(p, expr, "len(regexp_extract_all(");
    sql_put(p, STR("))"));
}

static void put_regexp_substr(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t nth = 1;
    if (args->n > 3 && (!dialect_constant_int(args->at[3], &nth) || nth < 1))
        dialect_refuse(p, expr->span, "regexp_substr of this occurrence");
    put_from_place(p, expr, "list_extract(regexp_extract_all(");
    sql_putf(p, "), %lld)", (long long)nth);
}

/* The shortest text before a match is as long as its place. */
static void put_regexp_instr(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n > 2) dialect_refuse(p, expr->span, "regexp_instr from a place");
    put_two_of_regex(p, args, "weir_regexp_instr(");
    sql_put_byte(p, ')');
}

/* -- JSON ------------------------------------------------------------------------------------- */

static void put_json_name(printer *p, struct sql_span span, struct str name, struct buf *path) {
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '"' || name.ptr[i] == '\\' || name.ptr[i] == '*') {
            dialect_refuse(p, span, "a JSON path with this name");
            return;
        }
    buf_addf(path, ".\"" STR_FMT "\"", STR_ARG(name));
}

/* Takes `[digits]` or `['name']` off the front. */
static bool take_bracket(printer *p, struct sql_span span, struct str *rest, struct buf *path) {
    size_t end = str_find_byte(*rest, ']');
    if (end == rest->len || end < 2) return false;
    struct str inner = str_slice(*rest, 1, end);
    uint64_t index;
    *rest = str_slice(*rest, end + 1, rest->len);
    if (str_to_u64(inner, &index)) {
        buf_addf(path, "[%llu]", (unsigned long long)index);
        return true;
    }
    bool is_quoted = inner.len > 2 && (inner.ptr[0] == '\'' || inner.ptr[0] == '"') &&
                     inner.ptr[inner.len - 1] == inner.ptr[0];
    if (is_quoted) put_json_name(p, span, str_slice(inner, 1, inner.len - 1), path);
    return is_quoted;
}

static bool take_name(printer *p, struct sql_span span, struct str *rest, struct buf *path) {
    size_t end = 1;
    while (end < rest->len && rest->ptr[end] != '.' && rest->ptr[end] != '[') end++;
    struct str name = str_slice(*rest, 1, end);
    *rest = str_slice(*rest, end, rest->len);
    if (name.len > 0) put_json_name(p, span, name, path);
    return name.len > 0;
}

/* $.a.b[0]['c d'], which is all that both read alike. */
static bool make_path(printer *p, const struct sql_expr *expr, struct buf *path) {
    struct str rest;
    if (!dialect_constant_text(expr, &rest) || rest.len == 0 || rest.ptr[0] != '$') return false;
    rest = str_slice(rest, 1, rest.len);
    buf_add_byte(path, '$');
    while (rest.len > 0) {
        bool is_taken = rest.ptr[0] == '['   ? take_bracket(p, expr->span, &rest, path)
                        : rest.ptr[0] == '.' ? take_name(p, expr->span, &rest, path)
                                             : false;
        if (!is_taken) return false;
    }
    return true;
}

static void put_path(printer *p, struct buf *path) {
    sql_put_byte(p, '\'');
    for (const struct buf_chunk *chunk = path->first; chunk != NULL; chunk = chunk->next)
        for (size_t i = 0; i < chunk->len; i++) {
            if (chunk->bytes[i] == '\'') sql_put_byte(p, '\'');
            sql_put_byte(p, chunk->bytes[i]);
        }
    sql_put_byte(p, '\'');
    if (path->failed != FAIL_NONE && p->failed == FAIL_NONE)
        p->failed = buf_failed(path, p->report).why;
}

/* Text of scalars without quotes, compact JSON of the others; NULL for what is no JSON. */
static void put_json_at(printer *p, const struct sql_expr *json, struct buf *path) {
    sql_put(p, STR("weir_json_text("));
    dialect_put_text(p, json);
    sql_put(p, STR(", "));
    put_path(p, path);
    sql_put_byte(p, ')');
}

enum { JSON_PATH_MAX = 65536 };

static void put_get_json_object(printer *p, const struct sql_expr *expr) {
    struct buf path;
    buf_init(&path, JSON_PATH_MAX);
    if (make_path(p, args_of(expr)->at[1], &path))
        put_json_at(p, args_of(expr)->at[0], &path);
    else
        dialect_refuse(p, expr->span, "this JSON path");
    buf_deinit(&path);
}

void duck_put_json_key(printer *p, const struct sql_expr *json, const struct sql_expr *key) {
    struct buf path;
    struct str name;
    buf_init(&path, JSON_PATH_MAX);
    buf_add_byte(&path, '$');
    if (dialect_constant_text(key, &name) && name.len > 0 && name.ptr[0] != '$') {
        put_json_name(p, key->span, name, &path);
        put_json_at(p, json, &path);
    } else {
        dialect_refuse(p, key->span, "a key of json_tuple that is no constant name");
    }
    buf_deinit(&path);
}

/* -- others ----------------------------------------------------------------------------------- */

static void put_url(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str charset;
    bool is_encode = str_ieq(expr->call.name.at[0].text, STR("url_encode"));
    bool is_utf8 =
        args->n < 2 || (dialect_constant_text(args->at[1], &charset) &&
                        (str_ieq(charset, STR("utf-8")) || str_ieq(charset, STR("utf8"))));
    if (!is_utf8) dialect_refuse(p, expr->span, "a charset other than UTF-8");
    sql_put(p, is_encode ? STR("weir_url_encode(") : STR("weir_url_decode("));
    dialect_put_text(p, args->at[0]);
    sql_put_byte(p, ')');
}

static void put_base64(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    bool is_text = sql_type_is_text(dialect_kind(p, of));
    if (!is_text && dialect_kind(p, of) != SQL_TYPE_BINARY)
        dialect_refuse(p, expr->span, "base64 of what is neither text nor binary");
    sql_put(p, is_text ? STR("base64(encode(") : STR("base64(("));
    sql_put_expr(p, of);
    sql_put(p, STR("))"));
}

/* Parts of a URL as java.net.URL finds them; NULL for a part that is not there. */
void duck_put_url_part(printer *p, const struct sql_expr *url, struct sql_span span,
                       struct str part, struct str key) {
    static const struct {
        const char *part, *regex;
    } parts[] = {
        {"PROTOCOL", "^([^:/?#]+)://"},          {"AUTHORITY", "^[^:/?#]+://([^/?#]+)"},
        {"USERINFO", "^[^:/?#]+://([^/?#@]+)@"}, {"HOST", "^[^:/?#]+://(?:[^/?#@]*@)?([^/?#:]+)"},
        {"PATH", "^[^:/?#]+://[^/?#]*([^?#]*)"}, {"FILE", "^[^:/?#]+://[^/?#]*([^#]*)"},
        {"QUERY", "^[^?#]*\\?([^#]*)"},          {"REF", "#(.*)$"},
    };
    const char *regex = NULL;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (str_eq(part, str_of(parts[i].part))) regex = parts[i].regex;
    bool has_key = key.ptr != NULL;
    bool is_known = regex != NULL && (!has_key || str_eq(part, STR("QUERY")));
    for (size_t i = 0; i < key.len; i++)
        is_known = is_known && !dialect_is_in(key.ptr[i], ".[]{}()*+?^$|\\");
    if (!is_known) {
        dialect_refuse(p, span, "this part of a URL");
        return;
    }
    dialect_wrap(p, has_key ? "weir_match(weir_match(" : "weir_match(", dialect_put_text, url,
                 ", ");
    sql_put_string(p, str_of(regex));
    sql_put_byte(p, ')');
    if (!has_key) return;
    sql_put(p, STR(", '(?:^|&)' || "));
    sql_put_string(p, key);
    sql_put(p, STR(" || '=([^&]*)')"));
}

static void put_parse_url(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str part, key = STR_NONE;
    bool is_known = dialect_constant_text(args->at[1], &part) &&
                    (args->n == 2 || dialect_constant_text(args->at[2], &key));
    if (!is_known) dialect_refuse(p, expr->span, "this part of a URL");
    duck_put_url_part(p, args->at[0], expr->span, part, key);
}

const struct dialect_hook duck_text_hooks[] = {
    {"concat_ws", put_concat_ws},
    {"substr", put_substr},
    {"split_part", put_split_part},
    {"substring_index", put_substring_index},
    {"instr", put_instr},
    {"locate", put_locate},
    {"keyvalue", put_keyvalue},
    {"split", put_split},
    {"regexp_extract", put_regexp_extract},
    {"regexp_extract_all", put_regexp_extract_all},
    {"regexp_replace", put_regexp_replace},
    {"regexp_count", put_regexp_count},
    {"regexp_substr", put_regexp_substr},
    {"regexp_instr", put_regexp_instr},
    {"get_json_object", put_get_json_object},
    {"url", put_url},
    {"base64", put_base64},
    {"parse_url", put_parse_url},
    {NULL, NULL},
};
