/* test/unit/sql/relations.h - a grant over relations that a test writes down */
#ifndef WEIR_TEST_SQL_RELATIONS_H
#define WEIR_TEST_SQL_RELATIONS_H

#include "sql/grant.h"
#include "sql/types.h"

#include <assert.h>

struct relations {
    struct grant grant;
    struct arena arena;
    struct grant_relation *at;
    size_t n, cap;
    struct report broken; /* what find() is to fail with, when `why` is set */
};

static result relations_find(const struct grant *grant, struct str project, struct str schema,
                             struct str name, struct arena *arena,
                             const struct grant_relation **out, struct report *report) {
    const struct relations *r = grant->with;
    (void)arena;
    *out = NULL;
    if (r->broken.why != FAIL_NONE)
        return fail(report, r->broken.why, "BACKEND_ERROR", 0, "the source could not answer");
    for (size_t i = 0; i < r->n; i++) {
        const struct schema_relation *schema_of = r->at[i].schema;
        if (str_eq(schema_of->project, project) && str_eq(schema_of->schema, schema) &&
            str_eq(schema_of->name, name))
            *out = &r->at[i];
    }
    return OK;
}

static inline void relations_init(struct relations *r, const char *project) {
    *r = (struct relations){0};
    arena_init(&r->arena, 64 * 1024 * 1024);
    r->grant = (struct grant){.default_project = str_of(project),
                              .find = relations_find,
                              .with = r,
                              .star = GRANT_STAR_EXPAND};
}

/* "[-]name [type [!field,field]]": '-' denies the column, '!' denies fields below it. */
static inline void relations_column(struct relations *r, struct str text,
                                    struct schema_column *schema, struct grant_column *column) {
    struct str rest = str_trim(text), denied = STR_NONE;
    column->effect = str_starts(rest, STR("-")) ? GRANT_DENY : GRANT_ALLOW;
    if (column->effect == GRANT_DENY) rest = str_slice(rest, 1, rest.len);
    size_t bang = str_find_byte(rest, '!');
    if (bang < rest.len) denied = str_slice(rest, bang + 1, rest.len);
    rest = str_trim(str_slice(rest, 0, bang));
    schema->name = str_cut(&rest, ' ');
    struct sql_type *type = arena_new(&r->arena, struct sql_type);
    if (rest.ptr != NULL && rest.len > 0) {
        result read = sql_type_parse(rest, &r->arena, type, NULL);
        assert(read.why == FAIL_NONE);
        (void)read;
    }
    schema->type = type;
    struct str *fields = NULL;
    size_t cap = 0;
    while (denied.ptr != NULL)
        *(struct str *)ARENA_PUSH(&r->arena, fields, column->n_denied_fields, cap) =
            str_cut(&denied, ',');
    column->denied_fields = fields;
    column->schema = schema;
}

/* `columns` is a list with ';' between. */
static inline void relations_add(struct relations *r, const char *project, const char *schema,
                                 const char *name, enum grant_effect effect, struct str columns) {
    struct schema_relation *made = arena_new(&r->arena, struct schema_relation);
    struct schema_column *schemas = arena_new_array(&r->arena, 1200, struct schema_column);
    struct grant_column *grants = arena_new_array(&r->arena, 1200, struct grant_column);
    *made = (struct schema_relation){.project = str_of(project),
                                     .schema = str_of(schema),
                                     .name = str_of(name),
                                     .columns = schemas};
    while (columns.ptr != NULL) {
        struct str one = str_cut(&columns, ';');
        relations_column(r, one, &schemas[made->n_columns], &grants[made->n_columns]);
        made->n_columns++;
    }
    struct grant_relation *place = ARENA_PUSH(&r->arena, r->at, r->n, r->cap);
    *place = (struct grant_relation){.schema = made, .effect = effect, .columns = grants};
}

static inline void relations_deinit(struct relations *r) {
    arena_deinit(&r->arena);
}

#endif
