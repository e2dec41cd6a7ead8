/*
 * shape/token.h - how many tokens a model will pay for a text, roughly
 *
 * ceil(characters / 3.5), except that a Chinese, Japanese or Korean character costs one token by
 * itself. The estimate is taken over bytes as they are written, in pieces of any size.
 *
 * Memory:  none.
 * Errors:  none; bytes that are no UTF-8 count as a character each.
 * Threads: values.
 */
#ifndef WEIR_SHAPE_TOKEN_H
#define WEIR_SHAPE_TOKEN_H

#include "base/str.h"

/* Zeroed is empty. */
struct token_count {
    uint64_t chars; /* narrow ones */
    uint64_t wide;  /* Chinese, Japanese, Korean, full-width forms */
    uint32_t rune;  /* of the character being read */
    uint32_t wants; /* bytes it still lacks */
};

void token_count_add(struct token_count *count, struct str bytes);
uint64_t token_count_get(const struct token_count *count);
uint64_t token_estimate(struct str text);

#endif
