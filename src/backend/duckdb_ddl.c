#include "backend/duckdb_ddl.h"

#include "backend/duckdb_quote.h"
#include "base/limits.h"

struct str duckdb_schema_of(struct str project, struct str schema, struct arena *arena) {
    if (str_eq(schema, STR("default"))) return project;
    return str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(project), STR_ARG(schema));
}

struct str duckdb_table_of(struct str project, struct str schema, struct str name,
                           struct arena *arena) {
    struct str place = duckdb_quote(duckdb_schema_of(project, schema, arena), arena);
    struct str table = duckdb_quote(name, arena);
    if (place.ptr == NULL || table.ptr == NULL) return STR_NONE;
    return str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(place), STR_ARG(table));
}

static void print_quoted(struct str name, struct buf *out) {
    buf_add_byte(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"') buf_add_byte(out, '"');
        buf_add_byte(out, name.ptr[i]);
    }
    buf_add_byte(out, '"');
}

static void print_struct(const struct sql_type *type, struct buf *out) {
    buf_add(out, STR("STRUCT("));
    for (uint32_t i = 0; i < type->n_fields; i++) {
        if (i > 0) buf_add(out, STR(", "));
        print_quoted(type->fields[i].name, out);
        buf_add_byte(out, ' ');
        duckdb_type_print(&type->fields[i].type, out);
    }
    buf_add_byte(out, ')');
}

void duckdb_type_print(const struct sql_type *type, struct buf *out) {
    switch (type->kind) {
    case SQL_TYPE_BOOLEAN: buf_add(out, STR("BOOLEAN")); return;
    case SQL_TYPE_TINYINT: buf_add(out, STR("TINYINT")); return;
    case SQL_TYPE_SMALLINT: buf_add(out, STR("SMALLINT")); return;
    case SQL_TYPE_INT: buf_add(out, STR("INTEGER")); return;
    case SQL_TYPE_BIGINT: buf_add(out, STR("BIGINT")); return;
    case SQL_TYPE_DECIMAL: /* without a precision MaxCompute means (38,18) */
        buf_addf(out, "DECIMAL(%u,%u)", type->precision > 0 ? type->precision : 38u,
                 type->precision > 0 ? type->scale : 18u);
        return;
    case SQL_TYPE_FLOAT: buf_add(out, STR("FLOAT")); return;
    case SQL_TYPE_DOUBLE: buf_add(out, STR("DOUBLE")); return;
    case SQL_TYPE_UNKNOWN:
    case SQL_TYPE_NULL:
    case SQL_TYPE_KINDS:
    case SQL_TYPE_STRING:
    case SQL_TYPE_VARCHAR:
    case SQL_TYPE_CHAR: buf_add(out, STR("VARCHAR")); return;
    case SQL_TYPE_BINARY: buf_add(out, STR("BLOB")); return;
    case SQL_TYPE_DATE: buf_add(out, STR("DATE")); return;
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP_NTZ: buf_add(out, STR("TIMESTAMP")); return;
    case SQL_TYPE_INTERVAL_YEAR_MONTH:
    case SQL_TYPE_INTERVAL_DAY_TIME: buf_add(out, STR("INTERVAL")); return;
    case SQL_TYPE_JSON: buf_add(out, STR("JSON")); return;
    case SQL_TYPE_ARRAY:
        duckdb_type_print(type->element, out);
        buf_add(out, STR("[]"));
        return;
    case SQL_TYPE_MAP:
        buf_add(out, STR("MAP("));
        duckdb_type_print(type->key, out);
        buf_add(out, STR(", "));
        duckdb_type_print(type->element, out);
        buf_add_byte(out, ')');
        return;
    case SQL_TYPE_STRUCT: print_struct(type, out); return;
    }
}

/* The columns by their names in the file, each in the type that was given: an order of columns in
 * the file that differs from schema.json does no harm. */
static void print_columns(const struct schema_column *columns, size_t n, struct buf *out) {
    if (columns == NULL) buf_add_byte(out, '*');
    for (size_t i = 0; columns != NULL && i < n; i++) {
        buf_add(out, i > 0 ? STR(", CAST(") : STR("CAST("));
        print_quoted(columns[i].name, out);
        buf_add(out, STR(" AS "));
        duckdb_type_print(columns[i].type, out);
        buf_add(out, STR(") AS "));
        print_quoted(columns[i].name, out);
    }
}

static void print_source(struct str path, bool is_described, struct arena *arena, struct buf *out) {
    bool is_csv = str_ends(path, STR(".csv"));
    buf_add(out, is_csv ? STR("read_csv(") : STR("read_parquet("));
    buf_add(out, duckdb_literal(path, arena));
    if (is_csv)
        buf_add(out,
                STR(", header = true, delim = ',', quote = '\"', escape = '\"', nullstr = ''"));
    if (is_csv && is_described) buf_add(out, STR(", all_varchar = true"));
    buf_add_byte(out, ')');
}

struct str duckdb_create_table(const struct table_name *name, struct str path,
                               const struct schema_column *columns, size_t n_columns,
                               struct arena *arena) {
    struct buf out;
    buf_init(&out, SQL_BYTES_MAX);
    buf_add(&out, STR("CREATE SCHEMA IF NOT EXISTS "));
    print_quoted(duckdb_schema_of(name->project, name->schema, arena), &out);
    buf_add(&out, STR("; CREATE TABLE "));
    buf_add(&out, duckdb_table_of(name->project, name->schema, name->name, arena));
    buf_add(&out, STR(" AS SELECT "));
    print_columns(columns, n_columns, &out);
    buf_add(&out, STR(" FROM "));
    print_source(path, columns != NULL, arena, &out);
    struct str sql = out.failed != FAIL_NONE ? STR_NONE : buf_flat(&out, arena);
    /* A view of the buf would die with it. */
    if (sql.ptr != NULL && out.first->len == out.len) sql = str_dup(arena, sql);
    buf_deinit(&out);
    return sql;
}
