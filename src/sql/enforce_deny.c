/*
 * A denied column is refused in the words for one that does not exist. So that the two cannot drift
 * apart, the words are not written twice: the statement is resolved once more against relations
 * from which everything that is not granted has been taken away, and what the resolver then says is
 * the answer.
 */
#include "sql/enforce.h"

#include "sql/narrow.h"

struct narrowing {
    const struct grant *full;
    struct arena *arena;
};

static result narrow_find(const struct grant *grant, struct str project, struct str schema,
                          struct str name, struct arena *arena, const struct grant_relation **out,
                          struct report *report) {
    const struct narrowing *narrowing = grant->with;
    const struct grant_relation *full;
    TRY(narrowing->full->find(narrowing->full, project, schema, name, arena, &full, report));
    *out = full;
    if (full == NULL || full->effect != GRANT_ALLOW) return OK;
    *out = grant_narrow(full, arena);
    return *out == NULL ? fail_memory(report) : OK;
}

/* -- the answer ------------------------------------------------------------------------------- */

result enforce_names(struct sql_query *query, const struct grant *grant, struct arena *arena,
                     struct report *report) {
    struct narrowing narrowing = {grant, arena};
    struct grant narrow = *grant;
    struct resolved *resolved;
    struct report words = {0};
    narrow.find = narrow_find;
    narrow.with = &narrowing;
    result failed = sql_resolve(query, &narrow, arena, &resolved, &words);
    if (failed.why == FAIL_NONE) return OK;
    (void)fail(report, failed.why, words.code, words.offset, "%s", words.sentence);
    if (words.hint[0] != '\0') fail_hint(report, "%s", words.hint);
    return failed;
}
