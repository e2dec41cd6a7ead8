/*
 * store/kind.h - what all kinds of store say alike (inside of store/)
 */
#ifndef WEIR_STORE_KIND_H
#define WEIR_STORE_KIND_H

#include "store/store.h"

/* FAIL_LIMIT with STORE_FULL. */
result store_fail_full(int64_t max_bytes, struct report *report);
/* FAIL_INPUT with STORE_INVALID: a counter's. */
result store_fail_range(struct report *report);

/* A twentieth is left for what must still be written: an answer, a lease that is renewed. False
 * with the sentence when less is. */
bool store_has_room(const struct store_usage *usage, struct str *sentence, struct arena *arena);

#endif
