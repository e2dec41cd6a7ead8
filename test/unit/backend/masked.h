/*
 * A grant over another one, with the masks that a case names: {"masks": {"users.name": "hash"}}.
 * The salt is MASKED_SALT. Memory: the case's arena.
 */
#ifndef WEIR_TEST_BACKEND_MASKED_H
#define WEIR_TEST_BACKEND_MASKED_H

#include "policy/mask.h"
#include "sql/types.h"
#include "text/json.h"

#include <stdlib.h>

#define MASKED_SALT STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")

struct masked {
    const struct grant *under;
    const struct json *masks;
};

static inline void masked_column(const struct grant *grant, const struct grant_relation *relation,
                                 struct str text, struct arena *arena,
                                 struct grant_column *column) {
    struct mask mask;
    struct report report = {0};
    struct sql_type *type = arena_new(arena, struct sql_type);
    column->effect = GRANT_DENY;
    if (type == NULL || mask_read(text, arena, &mask, &report).why != FAIL_NONE ||
        mask_expr(&mask, column->schema, arena, &column->mask, &report).why != FAIL_NONE ||
        grant_mask_type(grant, relation, column->mask, arena, type).why != FAIL_NONE)
        abort();
    if (column->mask.len == 0) return;
    column->effect = GRANT_MASK;
    column->mask_type = type;
}

static inline result masked_find(const struct grant *grant, struct str project, struct str schema,
                                 struct str name, struct arena *arena,
                                 const struct grant_relation **out, struct report *report) {
    const struct masked *masked = grant->with;
    const struct grant *under = masked->under;
    TRY(under->find(under, project, schema, name, arena, out, report));
    if (*out == NULL) return OK;
    size_t n = (*out)->schema->n_columns;
    struct grant_relation *relation = arena_new(arena, struct grant_relation);
    struct grant_column *columns = arena_new_array(arena, n, struct grant_column);
    *relation = **out;
    for (size_t i = 0; i < n; i++) {
        columns[i] = (*out)->columns[i];
        struct str key = str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(relation->schema->name),
                                    STR_ARG(columns[i].schema->name));
        struct str text = json_get_text(masked->masks, key);
        if (text.len > 0) masked_column(grant, *out, text, arena, &columns[i]);
    }
    relation->columns = columns;
    relation->is_restricted = true;
    *out = relation;
    return OK;
}

/* *grant as `under`, or with the case's masks when it names any. `store` outlives *grant. */
static inline void masked_grant(const struct json *entry, const struct grant *under,
                                struct masked *store, struct grant *grant) {
    *grant = *under;
    *store = (struct masked){under, json_get(entry, STR("masks"))};
    if (store->masks == NULL) return;
    grant->salt = MASKED_SALT;
    grant->find = masked_find;
    grant->with = store;
}

#endif
