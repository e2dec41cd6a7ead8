/* What is said to PostgreSQL: postgres.case. The tests are dialect_cases.h's. */
#include "dialect_cases.h"

#include "sql/dialect_postgres.h"

static const char *spelling(const struct sql_function *f) {
    return f->postgres;
}

static const struct subject subject = {
    .dialect = DIALECT_POSTGRES,
    .printer = &sql_dialect_postgres,
    .cases = SOURCE_ROOT "/test/unit/sql/postgres.case",
    .spelling = spelling,
};
