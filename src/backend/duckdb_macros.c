#include "backend/duckdb_macros.h"

#include <stddef.h>

const char *const duckdb_macros[] = {
    NULL,
};
