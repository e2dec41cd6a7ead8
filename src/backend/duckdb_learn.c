#include "backend/duckdb_learn.h"

#include "backend/duckdb_call.h"
#include "backend/duckdb_ddl.h"
#include "backend/duckdb_quote.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"

static struct run_limits metadata_limits(void) {
    return (struct run_limits){.deadline_mono_ns = clock_mono_ns(&clock_real) +
                                                   DUCKDB_METADATA_MS * INT64_C(1000000),
                               .cancel_fd = -1};
}

static result ignore_columns(struct row_sink *sink, const struct row_column *columns, size_t n,
                             struct report *report) {
    (void)sink, (void)columns, (void)n, (void)report;
    return OK;
}

/* -- the columns --------------------------------------------------------------------------------
 */

struct learner {
    struct row_sink sink;
    struct catalogue *catalogue;
    struct table_name name; /* of the table whose columns come */
    struct schema_column *columns;
    size_t n, cap;
};

/* DuckDB has one type of texts and one of times without a zone, and calls them as MaxCompute calls
 * others. */
static const struct {
    struct str theirs, ours;
} renamed[] = {{STR_INIT("VARCHAR"), STR_INIT("STRING")},
               {STR_INIT("TIMESTAMP WITH TIME ZONE"), STR_INIT("TIMESTAMP")},
               {STR_INIT("TIMESTAMP_NS"), STR_INIT("TIMESTAMP")},
               {STR_INIT("TIMESTAMP_MS"), STR_INIT("DATETIME")},
               {STR_INIT("TIMESTAMP_S"), STR_INIT("DATETIME")},
               {STR_INIT("TIMESTAMP"), STR_INIT("DATETIME")},
               {STR_INIT("TIME WITH TIME ZONE"), STR_INIT("STRING")},
               {STR_INIT("TIME"), STR_INIT("STRING")}};

static bool is_word(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* How many bytes of `type` are a word of theirs, which ends there; *ours is what we call it. */
static size_t rename_at(struct str type, size_t at, struct str *ours) {
    struct str rest = str_slice(type, at, type.len);
    for (size_t i = 0; i < COUNT(renamed); i++) {
        struct str theirs = renamed[i].theirs;
        if (!str_starts(rest, theirs) || (rest.len > theirs.len && is_word(rest.ptr[theirs.len])))
            continue;
        *ours = renamed[i].ours;
        return theirs.len;
    }
    return 0;
}

static struct str rename_types(struct str type, struct arena *arena) {
    struct buf out;
    buf_init(&out, type.len * 2 + 16);
    bool is_quoted = false;
    for (size_t at = 0; at < type.len;) {
        struct str ours = STR_NONE;
        bool begins = !is_quoted && (at == 0 || !is_word(type.ptr[at - 1]));
        size_t len = begins ? rename_at(type, at, &ours) : 0;
        if (type.ptr[at] == '"') is_quoted = !is_quoted;
        if (len > 0)
            buf_add(&out, ours);
        else
            buf_add_byte(&out, type.ptr[at]);
        at += len > 0 ? len : 1;
    }
    struct str flat = out.failed != FAIL_NONE ? STR_NONE : buf_flat(&out, arena);
    struct str copy = str_dup(arena, flat);
    buf_deinit(&out);
    return copy;
}

/* A type that we have no word for is UNKNOWN: the column is there, and nothing is claimed of it. */
static result learn_type(struct learner *l, struct str text, const struct sql_type **out,
                         struct report *report) {
    struct arena *arena = l->catalogue->arena;
    struct sql_type *type = arena_new(arena, struct sql_type);
    struct str ours = rename_types(text, arena);
    if (type == NULL || ours.ptr == NULL) return fail_memory(report);
    result r = sql_type_parse(ours, arena, type, NULL);
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    if (r.why != FAIL_NONE) *type = SQL_TYPE(UNKNOWN);
    *out = type;
    return OK;
}

static result end_table(struct learner *l, struct report *report) {
    if (l->n == 0) return OK;
    struct catalogue *catalogue = l->catalogue;
    result r = OK;
    if (catalogue_find(catalogue, l->name.project, l->name.schema, l->name.name) == NULL)
        r = catalogue_add(catalogue, &l->name, STR_NONE, l->columns, l->n, report);
    l->columns = NULL;
    l->n = l->cap = 0;
    return r;
}

static result begin_column(struct learner *l, struct str schema, struct str table,
                           struct report *report) {
    struct arena *arena = l->catalogue->arena;
    struct str place = str_lower(arena, schema);
    struct str name = str_lower(arena, table);
    if (place.ptr == NULL || name.ptr == NULL) return fail_memory(report);
    struct table_name next = {.schema = STR("default"), .name = name};
    struct str rest = place;
    next.project = str_cut(&rest, '.');
    if (rest.len > 0) next.schema = rest;
    if (str_eq(place, STR("main"))) next.project = l->catalogue->default_project;
    bool is_same = str_eq(next.project, l->name.project) && str_eq(next.schema, l->name.schema) &&
                   str_eq(next.name, l->name.name);
    if (!is_same) TRY(end_table(l, report));
    l->name = next;
    return OK;
}

static result learn_row(struct row_sink *sink, const struct row_value *values, bool *more,
                        struct report *report) {
    struct learner *l = holder_of(sink, struct learner, sink);
    (void)more;
    TRY(begin_column(l, values[0].text, values[1].text, report));
    struct arena *arena = l->catalogue->arena;
    struct schema_column *column = ARENA_PUSH(arena, l->columns, l->n, l->cap);
    if (column == NULL) return fail_memory(report);
    column->name = str_lower(arena, values[2].text);
    if (column->name.ptr == NULL) return fail_memory(report);
    if (values[4].kind == ROW_TEXT) {
        column->comment = str_dup(arena, values[4].text);
        if (column->comment.ptr == NULL && values[4].text.len > 0) return fail_memory(report);
    }
    return learn_type(l, values[3].text, &column->type, report);
}

result duckdb_learn(struct duckdb_pool *pool, struct str catalog, struct catalogue *catalogue,
                    struct report *report) {
    struct learner learner = {.sink = {.columns = ignore_columns, .row = learn_row},
                              .catalogue = catalogue};
    struct arena *arena = catalogue->arena;
    struct str literal = duckdb_literal(catalog, arena);
    struct str sql =
        str_printf(arena,
                   "SELECT schema_name, table_name, column_name, data_type, comment "
                   "FROM duckdb_columns() WHERE database_name = " STR_FMT " AND NOT internal "
                   "ORDER BY schema_name, table_name, column_index",
                   STR_ARG(literal));
    if (literal.ptr == NULL || sql.ptr == NULL) return fail_memory(report);
    struct run_limits limits = metadata_limits();
    struct run_facts facts;
    TRY(duckdb_call(pool, sql, &limits, &learner.sink, &facts, arena, report));
    return end_table(&learner, report);
}

/* -- the newest partition -----------------------------------------------------------------------
 */

struct one_text {
    struct row_sink sink;
    struct arena *arena;
    struct str text;
};

static result keep_text(struct row_sink *sink, const struct row_value *values, bool *more,
                        struct report *report) {
    struct one_text *one = holder_of(sink, struct one_text, sink);
    (void)more;
    if (values[0].kind != ROW_TEXT) return OK;
    one->text = str_dup(one->arena, values[0].text);
    return one->text.ptr == NULL ? fail_memory(report) : OK;
}

result duckdb_learn_max(struct duckdb_pool *pool, const struct schema_relation *relation,
                        struct str column, struct arena *arena, struct str *out,
                        struct report *report) {
    struct one_text one = {.sink = {.columns = ignore_columns, .row = keep_text}, .arena = arena};
    struct str table = duckdb_table_of(relation->project, relation->schema, relation->name, arena);
    struct str name = duckdb_quote(column, arena);
    struct str sql = str_printf(arena, "SELECT max(CAST(" STR_FMT " AS VARCHAR)) FROM " STR_FMT,
                                STR_ARG(name), STR_ARG(table));
    if (table.ptr == NULL || name.ptr == NULL || sql.ptr == NULL) return fail_memory(report);
    struct run_limits limits = metadata_limits();
    struct run_facts facts;
    TRY(duckdb_call(pool, sql, &limits, &one.sink, &facts, arena, report));
    *out = one.text;
    return OK;
}
