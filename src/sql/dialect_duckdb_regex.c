/* Constant patterns: which regular expressions RE2 reads as MaxCompute's engine does, and the
 * letters of date formats. */
#include "sql/dialect_duckdb_inner.h"

/* -- regular expressions ---------------------------------------------------------------------- */

static bool is_in(char c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

/* What is behind a backslash: RE2 has no back references, no \Z \G \R \h \u, and no \v as a class.
 */
static bool is_known_escape(char c, bool in_class) {
    if (c >= '1' && c <= '9') return false;
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return !is_letter || is_in(c, in_class ? "dDsSwWnrtfapPx" : "dDsSwWbBnrtfapPxAzQE");
}

/* `at` stands behind "(?". */
static bool is_known_group(struct str pattern, size_t at) {
    char c = at < pattern.len ? pattern.ptr[at] : '\0';
    return is_in(c, ":imsU-");
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
        } else if (is_in(c, "*+?}") && next == '+') {
            return "a possessive quantifier";
        }
    }
    return in_class ? "a class of characters without an end" : NULL;
}

void duck_put_regex(printer *p, const struct sql_expr *pattern) {
    struct str text;
    if (duck_constant_text(pattern, &text)) {
        const char *why = trouble(text);
        if (why != NULL) duck_refuse(p, pattern->span, "%s", why);
    }
    duck_put_text(p, pattern);
}

bool duck_regex_is_plain(struct str pattern, char *out, size_t size, size_t *len) {
    *len = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '\\') {
            if (++i == pattern.len) return false;
            c = pattern.ptr[i];
            bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
            if (is_word) return false;
        } else if (is_in(c, ".[]{}()*+?^$|")) {
            return false;
        }
        if (*len == size) return false;
        out[(*len)++] = c;
    }
    return *len > 0;
}

/* -- formats ---------------------------------------------------------------------------------- */

struct letters {
    const char *text; /* of the format */
    const char *strftime;
    const char *shape; /* regular expression */
};

static const struct letters oracle[] = {
    {"yyyy", "%Y", "[0-9]{4}"}, {"mm", "%m", "[0-9]{2}"}, {"dd", "%d", "[0-9]{2}"},
    {"hh", "%H", "[0-9]{2}"},   {"mi", "%M", "[0-9]{2}"}, {"ss", "%S", "[0-9]{2}"},
    {"ff3", "%g", "[0-9]{3}"},
};

/* Java's; longer runs first. */
static const struct letters java[] = {
    {"yyyy", "%Y", ""}, {"yy", "%y", ""}, {"MM", "%m", ""},  {"M", "%-m", ""}, {"dd", "%d", ""},
    {"d", "%-d", ""},   {"HH", "%H", ""}, {"H", "%-H", ""},  {"mm", "%M", ""}, {"m", "%-M", ""},
    {"ss", "%S", ""},   {"s", "%-S", ""}, {"SSS", "%g", ""},
};

static const struct letters *letters_at(struct str rest, enum duck_format kind) {
    bool is_java = kind == DUCK_FORMAT_JAVA;
    const struct letters *table = is_java ? java : oracle;
    size_t n = is_java ? COUNT(java) : COUNT(oracle);
    for (size_t i = 0; i < n; i++) {
        struct str text = str_of(table[i].text);
        if (is_java ? str_starts(rest, text) : str_istarts(rest, text)) return &table[i];
    }
    return NULL;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter that is left over and may mean something in one of the engine's versions. */
static bool is_doubtful(struct str rest, enum duck_format kind, const struct letters *before) {
    if (kind == DUCK_FORMAT_JAVA) return is_letter(rest.ptr[0]);
    bool is_digit = rest.ptr[0] >= '0' && rest.ptr[0] <= '9';
    bool after_hour = before != NULL && strcmp(before->text, "hh") == 0;
    return is_in(rest.ptr[0], "yYmMdDhHsS") || (is_digit && after_hour);
}

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

bool duck_put_format(printer *p, const struct sql_expr *format, enum duck_format kind) {
    struct str rest;
    const struct letters *before = NULL;
    bool is_good = duck_constant_text(format, &rest);
    if (!is_good) rest = STR_NONE;
    sql_put_byte(p, '\'');
    while (rest.len > 0 && is_good) {
        const struct letters *letters = letters_at(rest, kind);
        if (letters != NULL) {
            sql_put(p, str_of(letters->strftime));
            rest = str_slice(rest, strlen(letters->text), rest.len);
            /* A fourth M or a third d is another format in Java. */
            if (kind == DUCK_FORMAT_JAVA && rest.len > 0 && rest.ptr[0] == letters->text[0])
                is_good = false;
        } else if (kind == DUCK_FORMAT_JAVA && rest.ptr[0] == '\'') {
            is_good = put_quoted(p, &rest);
        } else if (is_doubtful(rest, kind, before)) {
            is_good = false;
        } else {
            put_percent(p, rest.ptr[0]);
            rest = str_slice(rest, 1, rest.len);
        }
        before = letters;
    }
    sql_put_byte(p, '\'');
    if (!is_good) duck_refuse(p, format->span, "this date format");
    return is_good;
}

static void put_shape_byte(printer *p, char c) {
    if (is_in(c, ".[]{}()*+?^$|\\")) sql_put_byte(p, '\\');
    if (c == '\'') sql_put_byte(p, '\'');
    sql_put_byte(p, c);
}

bool duck_put_format_shape(printer *p, const struct sql_expr *format) {
    struct str rest;
    if (!duck_constant_text(format, &rest)) {
        duck_refuse(p, format->span, "a date format that is no constant");
        return false;
    }
    unsigned seen = 0;
    sql_put_byte(p, '\'');
    while (rest.len > 0) {
        const struct letters *letters = letters_at(rest, DUCK_FORMAT_ORACLE);
        unsigned bit = letters != NULL ? 1u << (letters - oracle) : 0;
        if ((seen & bit) != 0) duck_refuse(p, format->span, "a date format with a part twice");
        seen |= bit;
        if (letters != NULL)
            sql_put(p, str_of(letters->shape));
        else
            put_shape_byte(p, rest.ptr[0]);
        rest = str_slice(rest, letters != NULL ? strlen(letters->text) : 1, rest.len);
    }
    sql_put_byte(p, '\'');
    return true;
}
