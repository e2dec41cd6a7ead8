/* Constant patterns: which regular expressions RE2 reads as MaxCompute's engine does, and the
 * letters of date formats. */
#include "sql/dialect_duckdb_inner.h"

/* -- regular expressions ---------------------------------------------------------------------- */

/* What is behind a backslash: RE2 has no back references, no \Z \G \R \h \u, and no \v as a class.
 */
static bool is_known_escape(char c, bool in_class) {
    if (c >= '1' && c <= '9') return false;
    return !dialect_is_letter(c) ||
           dialect_is_in(c, in_class ? "dDsSwWnrtfapPx" : "dDsSwWbBnrtfapPxAzQE");
}

/* `at` stands behind "(?". */
static bool is_known_group(struct str pattern, size_t at) {
    char c = at < pattern.len ? pattern.ptr[at] : '\0';
    return dialect_is_in(c, ":imsU-");
}

/* NULL: fine; else what is wrong with it. */
static const char *trouble(struct str pattern) {
    bool in_class = false;
    size_t class_at = 0;
    if (pattern.len == 0) return "an empty regular expression";
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i], next = i + 1 < pattern.len ? pattern.ptr[i + 1] : '\0';
        if (c == '\\') {
            if (i + 1 == pattern.len) return "a regular expression that ends in a backslash";
            if (!is_known_escape(next, in_class)) return "an escape of this regular expression";
            i++;
        } else if (in_class) {
            if (c == '&' && next == '&') return "an intersection of classes of characters";
            if (c == '[' && next == ':') {
                size_t end = str_find(str_slice(pattern, i, pattern.len), STR(":]"));
                i += end < pattern.len - i ? end + 1 : 0;
            } else if (c == '[') {
                return "a class of characters inside another";
            } else if (c == ']' && i > class_at) {
                in_class = false;
            }
        } else if (c == '[') {
            in_class = true;
            class_at = next == '^' ? i + 2 : i + 1;
            i += next == '^' ? 1 : 0;
        } else if (c == '(' && next == '?') {
            if (!is_known_group(pattern, i + 2)) return "look-around in a regular expression";
        } else if (dialect_is_in(c, "*+?}") && next == '+') {
            return "a possessive quantifier";
        }
    }
    return in_class ? "a class of characters without an end" : NULL;
}

void duck_put_regex(printer *p, const struct sql_expr *pattern) {
    struct str text;
    if (dialect_constant_text(pattern, &text)) {
        const char *why = trouble(text);
        if (why != NULL) dialect_refuse(p, pattern->span, "%s", why);
    }
    dialect_put_text(p, pattern);
}

/* -- formats ---------------------------------------------------------------------------------- */

static const struct dialect_letters oracle[] = {
    {"yyyy", "%Y", 4, 'Y'}, {"mm", "%m", 2, 'M'}, {"dd", "%d", 2, 'D'},  {"hh", "%H", 2, 'h'},
    {"mi", "%M", 2, 'm'},   {"ss", "%S", 2, 's'}, {"ff3", "%g", 3, 'f'}, {NULL, NULL, 0, 0},
};

/* Java's; longer runs first. */
static const struct dialect_letters java[] = {
    {"yyyy", "%Y", 4, 'Y'}, {"yy", "%y", 2, 'y'}, {"MM", "%m", 2, 'M'}, {"M", "%-m", 0, 'M'},
    {"dd", "%d", 2, 'D'},   {"d", "%-d", 0, 'D'}, {"HH", "%H", 2, 'h'}, {"H", "%-H", 0, 'h'},
    {"mm", "%M", 2, 'm'},   {"m", "%-M", 0, 'm'}, {"ss", "%S", 2, 's'}, {"s", "%-S", 0, 's'},
    {"SSS", "%g", 3, 'f'},  {NULL, NULL, 0, 0},
};

static void put_percent(printer *p, char c) {
    if (c == '\'') sql_put_byte(p, '\'');
    if (c == '%') sql_put_byte(p, '%');
    sql_put_byte(p, c);
}

/* 'text' inside a Java pattern; '' is one quote. */
static bool put_quoted(printer *p, struct str *rest) {
    size_t end = 1;
    if (rest->len > 1 && rest->ptr[1] == '\'') {
        put_percent(p, '\'');
        *rest = str_slice(*rest, 2, rest->len);
        return true;
    }
    while (end < rest->len && rest->ptr[end] != '\'') put_percent(p, rest->ptr[end++]);
    if (end == rest->len) return false;
    *rest = str_slice(*rest, end + 1, rest->len);
    return true;
}

bool duck_put_format(printer *p, const struct sql_expr *format, enum dialect_format kind) {
    struct str rest;
    const struct dialect_letters *before = NULL;
    bool is_good = dialect_constant_text(format, &rest);
    if (!is_good) rest = STR_NONE;
    sql_put_byte(p, '\'');
    while (rest.len > 0 && is_good) {
        const struct dialect_letters *letters =
            dialect_letters_at(kind == FORMAT_JAVA ? java : oracle, rest, kind);
        if (letters != NULL) {
            sql_put(p, str_of(letters->said));
            is_good = !dialect_is_longer(rest, kind, letters);
            rest = str_slice(rest, strlen(letters->text), rest.len);
        } else if (kind == FORMAT_JAVA && rest.ptr[0] == '\'') {
            is_good = put_quoted(p, &rest);
        } else if (dialect_is_doubtful(rest, kind, before)) {
            is_good = false;
        } else {
            put_percent(p, rest.ptr[0]);
            rest = str_slice(rest, 1, rest.len);
        }
        before = letters;
    }
    sql_put_byte(p, '\'');
    if (!is_good) dialect_refuse(p, format->span, "this date format");
    return is_good;
}

static void put_shape_byte(printer *p, char c) {
    if (dialect_is_in(c, ".[]{}()*+?^$|\\")) sql_put_byte(p, '\\');
    if (c == '\'') sql_put_byte(p, '\'');
    sql_put_byte(p, c);
}

bool duck_put_format_shape(printer *p, const struct sql_expr *format) {
    struct str rest;
    if (!dialect_constant_text(format, &rest)) {
        dialect_refuse(p, format->span, "a date format that is no constant");
        return false;
    }
    unsigned seen = 0;
    sql_put_byte(p, '\'');
    while (rest.len > 0) {
        const struct dialect_letters *letters = dialect_letters_at(oracle, rest, FORMAT_ORACLE);
        unsigned bit = letters != NULL ? 1u << (letters - oracle) : 0;
        if ((seen & bit) != 0) dialect_refuse(p, format->span, "a date format with a part twice");
        seen |= bit;
        if (letters != NULL)
            sql_putf(p, "[0-9]{%u}", letters->digits);
        else
            put_shape_byte(p, rest.ptr[0]);
        rest = str_slice(rest, letters != NULL ? strlen(letters->text) : 1, rest.len);
    }
    sql_put_byte(p, '\'');
    return true;
}
