/*
 * A denied column is refused in the words for one that does not exist. So that the two cannot drift
 * apart, the words are not written twice: the statement is resolved once more against relations
 * from which everything that is not granted has been taken away, and what the resolver then says is
 * the answer.
 */
#include "sql/enforce.h"

#include "base/limits.h"

struct narrowing {
    const struct grant *full;
    struct arena *arena;
};

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
    if (type->kind != SQL_TYPE_STRUCT || path->n >= COUNT(path->at)) return true;
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

static const struct grant_relation *narrow_relation(struct arena *arena,
                                                    const struct grant_relation *full) {
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

static result narrow_find(const struct grant *grant, struct str project, struct str schema,
                          struct str name, struct arena *arena, const struct grant_relation **out,
                          struct report *report) {
    const struct narrowing *narrowing = grant->with;
    const struct grant_relation *full;
    TRY(narrowing->full->find(narrowing->full, project, schema, name, arena, &full, report));
    *out = full;
    if (full == NULL || full->effect != GRANT_ALLOW) return OK;
    *out = narrow_relation(arena, full);
    return *out == NULL ? fail_memory(report) : OK;
}

/* -- the answer ------------------------------------------------------------------------------- */

static bool says(const struct report *report, struct str words) {
    struct str sentence = str_of(report->sentence);
    return str_find(sentence, words) < sentence.len;
}

/* An unknown column or field is refused by the code for one that is not granted. */
static result as_denied(result failed, struct report *words) {
    /* The resolver's words for what is not there; a name that is there twice is no secret. */
    static const struct str absent[] = {STR_INIT("no column"), STR_INIT("no field"),
                                        STR_INIT("struct column"), STR_INIT("does not exist")};
    bool is_absent = false;
    if (failed.why != FAIL_INPUT || words->code == NULL) return failed;
    if (strcmp(words->code, "SQL_NAME_ERROR") != 0) return failed;
    for (size_t i = 0; i < COUNT(absent); i++) is_absent = is_absent || says(words, absent[i]);
    if (!is_absent) return failed;
    words->code = "COLUMN_NOT_ALLOWED";
    return (result){FAIL_DENIED};
}

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
    failed = as_denied(failed, &words);
    (void)fail(report, failed.why, words.code, words.offset, "%s", words.sentence);
    if (words.hint[0] != '\0') fail_hint(report, "%s", words.hint);
    return failed;
}
