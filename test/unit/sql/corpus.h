/* test/unit/sql/corpus.h - the shared corpus of SQL, where it is */
#ifndef WEIR_TEST_SQL_CORPUS_H
#define WEIR_TEST_SQL_CORPUS_H

#include "base/arena.h"

#include <stdio.h>

/* The whole file; ptr NULL when the corpus is not here. */
static inline struct str corpus_read(const char *name, struct arena *arena) {
    enum { MOST = 8 * 1024 * 1024 };
    char path[512];
    (void)snprintf(path, sizeof path, "%s/../shared/corpus/sql/%s", SOURCE_ROOT, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return STR_NONE;
    char *bytes = arena_alloc(arena, MOST, 1);
    size_t n = bytes != NULL ? fread(bytes, 1, MOST, file) : 0;
    (void)fclose(file);
    return (struct str){bytes, n};
}

#endif
