/* What both engines ask of constant patterns: whether one is a plain text, and the letters of date
 * formats. */
#include "sql/dialect_engine.h"

bool dialect_is_in(char c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

bool dialect_is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool dialect_regex_is_plain(struct str pattern, char *out, size_t size, size_t *len) {
    *len = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '\\') {
            if (++i == pattern.len) return false;
            c = pattern.ptr[i];
            bool is_word =
                dialect_is_letter(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
            if (is_word) return false;
        } else if (dialect_is_in(c, ".[]{}()*+?^$|")) {
            return false;
        }
        if (*len == size) return false;
        out[(*len)++] = c;
    }
    return *len > 0;
}

/* -- formats ---------------------------------------------------------------------------------- */

const struct dialect_letters *dialect_letters_at(const struct dialect_letters *table,
                                                 struct str rest, enum dialect_format kind) {
    for (; table->text != NULL; table++) {
        struct str text = str_of(table->text);
        if (kind == FORMAT_JAVA ? str_starts(rest, text) : str_istarts(rest, text)) return table;
    }
    return NULL;
}

bool dialect_is_doubtful(struct str rest, enum dialect_format kind,
                         const struct dialect_letters *before) {
    if (kind == FORMAT_JAVA) return dialect_is_letter(rest.ptr[0]);
    bool is_digit = rest.ptr[0] >= '0' && rest.ptr[0] <= '9';
    bool after_hour = before != NULL && strcmp(before->text, "hh") == 0;
    return dialect_is_in(rest.ptr[0], "yYmMdDhHsS") || (is_digit && after_hour);
}

bool dialect_is_longer(struct str rest, enum dialect_format kind,
                       const struct dialect_letters *letters) {
    size_t n = strlen(letters->text);
    return kind == FORMAT_JAVA && rest.len > n && rest.ptr[n] == letters->text[0];
}
