/*
 * fuzz/fuzz.h - what a fuzz target is
 *
 * A target reads `data` as its border would, and ends the process (by abort() or a sanitizer) when
 * a property does not hold. libFuzzer calls it, or replay.c with each file of the corpus.
 */
#ifndef WEIR_FUZZ_FUZZ_H
#define WEIR_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(property)                                                                             \
    do {                                                                                           \
        if (property) break;                                                                       \
        fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);              \
        abort();                                                                                   \
    } while (0)

#endif
