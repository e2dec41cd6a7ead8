/* test/unit/sql/statements.h - statements to try a parser on: our own cases and the sample corpus
 */
#ifndef WEIR_TEST_SQL_STATEMENTS_H
#define WEIR_TEST_SQL_STATEMENTS_H

#include "base/arena.h"
#include "text/json.h"

#include <stdio.h>
#include <stdlib.h>

struct statement {
    struct str name; /* id, or the number of the case */
    struct str sql;
    struct str answer; /* of a case: what stands behind "=> " or "! " */
};

struct statements {
    struct statement *at;
    size_t n, cap;
};

static inline struct str statements_slurp(const char *path, struct arena *arena) {
    FILE *file = fopen(path, "rb");
    struct str out = STR_NONE;
    if (file == NULL) return out;
    (void)fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *bytes = arena_alloc(arena, (size_t)size + 1, 1);
    if (bytes != NULL && fread(bytes, 1, (size_t)size, file) == (size_t)size)
        out = (struct str){bytes, (size_t)size};
    (void)fclose(file);
    return out;
}

/* Blocks between empty lines: the statement, and a last line that begins with `mark` (with its line
 * feed). */
static inline struct statements statements_cases(const char *file, struct str mark,
                                                 struct arena *arena) {
    struct statements out = {0};
    struct str rest = statements_slurp(file, arena);
    while (rest.len > 0) {
        size_t end = str_find(rest, STR("\n\n"));
        struct str block = str_slice(rest, 0, end);
        rest = str_slice(rest, end + 2, rest.len);
        size_t line = str_find(block, mark);
        struct statement *s = ARENA_PUSH(arena, out.at, out.n, out.cap);
        s->name = str_printf(arena, "case %zu", out.n);
        s->sql = str_slice(block, 0, line);
        s->answer = str_trim(str_slice(block, line + mark.len, block.len));
    }
    return out;
}

/* A file of the sample corpus; empty, with a word about it, where the samples are not at hand. */
static inline struct statements statements_jsonl(const char *path, struct arena *arena) {
    struct statements out = {0};
    struct str rest = statements_slurp(path, arena);
    while (rest.len > 0) {
        const struct json *row = NULL;
        struct str line = str_cut(&rest, '\n');
        if (json_read(line, NULL, arena, &row, NULL).why != FAIL_NONE) continue;
        struct str sql = json_get_text(row, STR("sql"));
        if (sql.ptr == NULL) continue; /* sql_b64: raw bytes, see the attacks */
        struct statement *s = ARENA_PUSH(arena, out.at, out.n, out.cap);
        s->name = json_get_text(row, STR("id"));
        s->sql = sql;
    }
    return out;
}

/* The same of the sample corpus beside the project. */
static inline struct statements statements_corpus(const char *file, struct arena *arena) {
    const char *path =
        str_cstr(arena, str_printf(arena, "%s/../shared/corpus/sql/%s", SOURCE_ROOT, file));
    struct statements out = statements_jsonl(path, arena);
    if (out.n == 0) printf("[  SKIPPED ] no sample corpus %s\n", file);
    return out;
}

#endif
