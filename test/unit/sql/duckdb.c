/* What is said to DuckDB: duckdb.case. The tests are dialect_cases.h's. */
#include "dialect_cases.h"

#include "sql/dialect_duckdb.h"

static const char *spelling(const struct sql_function *f) {
    return f->duckdb;
}

static const struct subject subject = {
    .dialect = DIALECT_DUCKDB,
    .printer = &sql_dialect_duckdb,
    .cases = SOURCE_ROOT "/test/unit/sql/duckdb.case",
    .spelling = spelling,
};
