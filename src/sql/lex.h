/*
 * sql/lex.h - text into tokens, one at a time
 *
 * The rules of reference section 1: only blank, TAB, CR and LF are white space; fullwidth ，；（）
 * are the ASCII ones; names may begin with a digit or be Chinese; `1e0` is a number and `1e` a
 * name; single and double quotes are strings, back quotes are names; hints are tokens, comments are
 * not. The lexer keeps no state: whoever wants to look ahead asks again from a later offset.
 *
 * Memory:  none; decoding goes to an arena when there is something to decode.
 * Errors:  a TOKEN_BAD, which no rule of the grammar accepts, and sql_lex_complain() for the
 * reason. Threads: pure functions.
 */
#ifndef WEIR_SQL_LEX_H
#define WEIR_SQL_LEX_H

#include "base/arena.h"
#include "base/fail.h"
#include "sql/tree.h"

enum token_kind {
    TOKEN_BAD = 0,
    TOKEN_END,
    TOKEN_WORD,    /* bare name or keyword; `word` tells which */
    TOKEN_QUOTED,  /* `name` */
    TOKEN_STRING,  /* 'text' */
    TOKEN_DSTRING, /* "text" */
    TOKEN_NUMBER,  /* `number` and `body` say what */
    TOKEN_HINT,    /* the opening of a hint; the end is found by sql_lex_hint_end() */
    TOKEN_COMMA,
    TOKEN_SEMICOLON,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_OPEN_SQUARE,
    TOKEN_CLOSE_SQUARE,
    TOKEN_OPEN_CURLY,
    TOKEN_CLOSE_CURLY,
    TOKEN_DOT,
    TOKEN_COLON,
    TOKEN_COLONS, /* :: */
    TOKEN_QUESTION,
    TOKEN_AT,
    TOKEN_ARROW,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_SLASH,
    TOKEN_PERCENT,
    TOKEN_CARET,
    TOKEN_AMPERSAND,
    TOKEN_BAR,
    TOKEN_BARS,
    TOKEN_TILDE,
    TOKEN_BANG,
    TOKEN_EQ,
    TOKEN_NULL_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
} __attribute__((packed));

enum lex_problem {
    LEX_CHARACTER = 1,  /* one that no token begins with */
    LEX_HASH,           /* # */
    LEX_TEMPLATE,       /* ${…} outside a string */
    LEX_OPEN_STRING,    /* no closing quote */
    LEX_OPEN_NAME,      /* no closing back quote */
    LEX_OPEN_COMMENT,   /* no end */
    LEX_NESTED_COMMENT, /* a comment opens within a comment: readers disagree where it ends */
} __attribute__((packed));

enum sql_word {
    WORD_UNKNOWN = 0, /* no word of the grammar: a name */
#define WORD(name, kind) WORD_##name,
#include "sql/words.def"
#undef WORD
} __attribute__((packed));

/* 16 bytes, so that it travels in registers: that is why the enums are packed. */
struct token {
    enum token_kind kind;
    enum sql_word word;           /* of a WORD */
    enum sql_literal_kind number; /* of a NUMBER */
    enum lex_problem problem;     /* of a BAD */
    uint32_t from, to;            /* bytes of the text */
    uint32_t body;                /* of a NUMBER: where the suffix begins */
};

/* The token that begins at or behind offset `at`, white space and comments skipped. */
struct token sql_lex(struct str text, size_t at);

/* If at `at` (behind blanks) a hint ends, the offset behind its end, else 0. */
size_t sql_lex_hint_end(struct str text, size_t at);

/* One whole bare word, which may be a keyword. */
bool sql_is_bare_word(struct str text);

bool sql_word_is_reserved(enum sql_word word);
bool sql_word_is_no_alias(enum sql_word word); /* of a plain table; reserved ones included */
const char *sql_word_text(enum sql_word word); /* "SELECT" */

/* The value of a TOKEN_STRING or TOKEN_DSTRING, escapes resolved, of a TOKEN_QUOTED, doubled quotes
 * resolved. A view into the text where nothing had to be resolved. FAIL_MEMORY. */
MUST_USE result sql_lex_decode(struct str text, const struct token *token, struct arena *arena,
                               struct str *out, struct report *report);

/* NUL and bytes that are no UTF-8 are refused in the whole text before anything else. */
MUST_USE result sql_lex_check(struct str text, struct report *report);

/* SQL_SYNTAX_ERROR for a TOKEN_BAD. */
result sql_lex_complain(struct str text, const struct token *token, struct report *report);

#endif
