/*
 * text/regex.h - does a text hold what a pattern means, in a time that no pattern can blow up
 *
 * The language is the part of RE2's that rules on arguments are written in: literals, `.`, classes
 * with ranges and `^`, \d \w \s \D \W \S (ASCII), \b \B, ^ $ \A \z, groups, `|`, * + ? {n} {n,}
 * {n,m} (lazy ones too), \t \n \r \f \v \xHH \x{HHHH}, and (?i) (?s) for the whole or a group. What
 * it does not know (back-references, look-around, \p) is refused when it is read, not guessed.
 *
 * All states are followed at once (Thompson 1968): a search costs at most characters × parts, and
 * is given up beyond REGEX_STEPS_MAX. Hence not POSIX's regcomp(), whose matcher goes back and
 * forth, nor sql/pattern.h, which does so under a budget and means whole names of columns.
 *
 * Memory:  the compiled pattern lives in the arena, and needs no more of the text. Searching takes
 *          some kilobytes of stack.
 * Errors:  FAIL_CONFIG, with the offset in the pattern; FAIL_MEMORY.
 * Threads: a compiled pattern is immutable.
 */
#ifndef WEIR_TEXT_REGEX_H
#define WEIR_TEXT_REGEX_H

#include "base/arena.h"
#include "base/fail.h"

struct regex;

MUST_USE result regex_read(struct str pattern, struct arena *arena, const struct regex **out,
                           struct report *report);

/* Anywhere in the text, unless the pattern says where. The text is UTF-8. */
enum regex_found { REGEX_GIVEN_UP = 0, REGEX_NO, REGEX_YES };
enum regex_found regex_search(const struct regex *regex, struct str text);

#endif
