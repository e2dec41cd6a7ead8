#include "sql/narrow.h"

#include "base/always.h"
#include "base/limits.h"
#include "sql/types.h"

/* -- types without denied fields -------------------------------------------------------------- */

struct path { /* the fields from the column down */
    const struct grant_column *column;
    struct str at[SQL_TYPE_NESTING_MAX];
    size_t n;
};

/* Exactly this path is denied; a field that merely contains a denied one stays. */
static bool is_denied_path(const struct path *path) {
    for (size_t i = 0; i < path->column->n_denied_fields; i++) {
        struct str rest = path->column->denied_fields[i];
        size_t at = 0;
        while (rest.ptr != NULL && at < path->n && str_ieq(str_cut(&rest, '.'), path->at[at])) at++;
        if (at == path->n && rest.ptr == NULL) return true;
    }
    return false;
}

static bool narrow_type(struct arena *arena, struct path *path, const struct sql_type *type,
                        struct sql_type *out) {
    *out = *type;
    /* No type is nested deeper: sql_type_parse() refuses it. */
    if (type->kind != SQL_TYPE_STRUCT || NEVER(path->n >= COUNT(path->at))) return true;
    struct sql_field *fields = arena_new_array(arena, type->n_fields, struct sql_field);
    if (fields == NULL) return false;
    out->fields = fields;
    out->n_fields = 0;
    for (size_t i = 0; i < type->n_fields; i++) {
        path->at[path->n++] = type->fields[i].name;
        if (!is_denied_path(path)) {
            fields[out->n_fields] = type->fields[i];
            if (!narrow_type(arena, path, &type->fields[i].type, &fields[out->n_fields].type))
                return false;
            out->n_fields++;
        }
        path->n--;
    }
    return true;
}

/* -- relations without denied columns --------------------------------------------------------- */

static bool narrow_column(struct arena *arena, const struct grant_relation *full, size_t index,
                          struct schema_column *schema, struct grant_column *column) {
    *schema = full->schema->columns[index];
    *column = full->columns[index];
    column->schema = schema;
    if (column->n_denied_fields == 0 || schema->type == NULL) return true;
    struct path path = {.column = column};
    struct sql_type *type = arena_new(arena, struct sql_type);
    if (type == NULL || !narrow_type(arena, &path, schema->type, type)) return false;
    schema->type = type;
    return true;
}

const struct grant_relation *grant_narrow(const struct grant_relation *full, struct arena *arena) {
    struct grant_relation *relation = arena_new(arena, struct grant_relation);
    struct schema_relation *schema = arena_new(arena, struct schema_relation);
    size_t n = full->schema->n_columns, kept = 0;
    struct grant_column *columns = arena_new_array(arena, n, struct grant_column);
    struct schema_column *schemas = arena_new_array(arena, n, struct schema_column);
    if (relation == NULL || schema == NULL || columns == NULL || schemas == NULL) return NULL;
    *relation = *full;
    *schema = *full->schema;
    for (size_t i = 0; i < n && full->columns != NULL; i++) {
        if (full->columns[i].effect == GRANT_DENY) continue;
        if (!narrow_column(arena, full, i, &schemas[kept], &columns[kept])) return NULL;
        kept++;
    }
    schema->columns = schemas;
    schema->n_columns = kept;
    relation->schema = schema;
    relation->columns = columns;
    return relation;
}
