#include "text/glob.h"

/* Bytes of the character at s[at]; bytes that are no UTF-8 count one each. Nearly all names are
 * ASCII, and policies ask for thousands. */
static size_t character(struct str s, size_t at) {
    if ((unsigned char)s.ptr[at] < 0x80) return 1;
    size_t n = utf8_next(str_slice(s, at, s.len), NULL);
    return n == 0 ? 1 : n;
}

/* Only the last star is ever tried again: what an earlier one could take more of, the last can. So
 * there is no blow-up with the number of stars. */
bool glob_match(struct str pattern, struct str name) {
    size_t p = 0, n = 0, star = SIZE_MAX, retry = 0;
    while (n < name.len) {
        bool literal = p < pattern.len && pattern.ptr[p] == name.ptr[n];
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = ++p;
            retry = n;
        } else if (p < pattern.len && pattern.ptr[p] == '?') {
            p++;
            n += character(name, n);
        } else if (literal) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star;
            retry += character(name, retry);
            n = retry;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') p++;
    return p == pattern.len;
}

bool glob_is_pattern(struct str pattern) {
    return str_find_byte(pattern, '*') < pattern.len || str_find_byte(pattern, '?') < pattern.len;
}
