/*
 * backend/duckdb_api.h - the part of DuckDB's C interface that a worker uses
 *
 * The pinned package has no header, so types and prototypes are declared here by hand, as DuckDB
 * 1.5 has them, and found in the library by dlopen. The numbers of the types differ between
 * versions of DuckDB; so the version is compared, and duckdb_api_test() asks one query whose answer
 * must carry the numbers that we know. Only worker processes load the library.
 *
 * Memory:  the library stays loaded until the process ends.
 * Errors:  FAIL_ABSENT BACKEND_NOT_INSTALLED (no library, or not the pinned version, with the
 *          command that installs it), FAIL_BACKEND (the self-test).
 * Threads: the table is constant once loaded; see DuckDB for its functions.
 */
#ifndef WEIR_BACKEND_DUCKDB_API_H
#define WEIR_BACKEND_DUCKDB_API_H

#include "base/arena.h"
#include "base/fail.h"

#define DUCKDB_VERSION "v1.5.6"

/* How tables are never written. Bodies of lambdas, and so our macros, are computed over the whole
 * dictionary of a column, with the values of rows that a filter has taken away: whether that fails
 * would tell of them. */
#define DUCKDB_NO_COMPRESSION "dictionary,dict_fsst"

typedef enum { DUCKDB_OK = 0, DUCKDB_FAILED = 1 } duckdb_state;

/* duckdb_type of 1.5.6; duckdb_api_test() holds it against the library. */
enum duckdb_type_id {
    DUCKDB_BOOLEAN = 1,
    DUCKDB_TINYINT = 2,
    DUCKDB_SMALLINT = 3,
    DUCKDB_INTEGER = 4,
    DUCKDB_BIGINT = 5,
    DUCKDB_UTINYINT = 6,
    DUCKDB_USMALLINT = 7,
    DUCKDB_UINTEGER = 8,
    DUCKDB_UBIGINT = 9,
    DUCKDB_FLOAT = 10,
    DUCKDB_DOUBLE = 11,
    DUCKDB_TIMESTAMP = 12,
    DUCKDB_DATE = 13,
    DUCKDB_TIME = 14,
    DUCKDB_INTERVAL = 15,
    DUCKDB_HUGEINT = 16,
    DUCKDB_VARCHAR = 17,
    DUCKDB_BLOB = 18,
    DUCKDB_DECIMAL = 19,
    DUCKDB_TIMESTAMP_S = 20,
    DUCKDB_TIMESTAMP_MS = 21,
    DUCKDB_TIMESTAMP_NS = 22,
    DUCKDB_ENUM = 23,
    DUCKDB_LIST = 24,
    DUCKDB_STRUCT = 25,
    DUCKDB_MAP = 26,
    DUCKDB_UUID = 27,
    DUCKDB_TIMESTAMP_TZ = 31,
    DUCKDB_UHUGEINT = 32,
    DUCKDB_ARRAY = 33,
    DUCKDB_SQLNULL = 36,
};

enum { DUCKDB_STATEMENT_SELECT = 1 };
/* duckdb_error_type, as far as we tell errors apart. */
enum {
    DUCKDB_ERROR_INTERRUPT = 29,
    DUCKDB_ERROR_FATAL = 30,
    DUCKDB_ERROR_INTERNAL = 31,
    DUCKDB_ERROR_OUT_OF_MEMORY = 33,
};

typedef uint64_t idx_t;
typedef struct duckdb_handle_ *duckdb_database, *duckdb_connection, *duckdb_config,
    *duckdb_prepared, *duckdb_extracted, *duckdb_chunk, *duckdb_vector, *duckdb_logical;

typedef struct {
    idx_t deprecated_counts[3];
    void *deprecated_columns;
    char *deprecated_error;
    void *internal;
} duckdb_result;
_Static_assert(sizeof(duckdb_result) == 48, "the layout of duckdb.h 1.5");

typedef union {
    struct {
        uint32_t length;
        char inlined[12];
    } small;
    struct {
        uint32_t length;
        char prefix[4];
        const char *ptr;
    } large;
} duckdb_text;
_Static_assert(sizeof(duckdb_text) == 16, "the layout of duckdb_string_t 1.5");

typedef struct {
    uint64_t lower;
    int64_t upper;
} duckdb_huge;

typedef struct {
    int32_t months, days;
    int64_t micros;
} duckdb_interval;

typedef struct {
    uint64_t offset, length;
} duckdb_list_entry;

typedef struct {
    double percentage; /* -1: nothing is known, or nothing runs */
    uint64_t rows_done, rows_all;
} duckdb_progress;

/* Everything that is called, once: returned type, name behind `duckdb_`, parameters. */
#define DUCKDB_FUNCTIONS(X)                                                                        \
    X(const char *, library_version, (void))                                                       \
    X(duckdb_state, create_config, (duckdb_config *))                                              \
    X(duckdb_state, set_config, (duckdb_config, const char *, const char *))                       \
    X(void, destroy_config, (duckdb_config *))                                                     \
    X(duckdb_state, open_ext, (const char *, duckdb_database *, duckdb_config, char **))           \
    X(void, close, (duckdb_database *))                                                            \
    X(duckdb_state, connect, (duckdb_database, duckdb_connection *))                               \
    X(void, disconnect, (duckdb_connection *))                                                     \
    X(void, interrupt, (duckdb_connection))                                                        \
    X(duckdb_progress, query_progress, (duckdb_connection))                                        \
    X(void, free, (void *))                                                                        \
    X(duckdb_state, query, (duckdb_connection, const char *, duckdb_result *))                     \
    X(void, destroy_result, (duckdb_result *))                                                     \
    X(const char *, result_error, (duckdb_result *))                                               \
    X(int, result_error_type, (duckdb_result *))                                                   \
    X(idx_t, column_count, (duckdb_result *))                                                      \
    X(const char *, column_name, (duckdb_result *, idx_t))                                         \
    X(int, column_type, (duckdb_result *, idx_t))                                                  \
    X(duckdb_logical, column_logical_type, (duckdb_result *, idx_t))                               \
    X(duckdb_chunk, fetch_chunk, (duckdb_result))                                                  \
    X(idx_t, extract_statements, (duckdb_connection, const char *, duckdb_extracted *))            \
    X(const char *, extract_statements_error, (duckdb_extracted))                                  \
    X(duckdb_state, prepare_extracted_statement,                                                   \
      (duckdb_connection, duckdb_extracted, idx_t, duckdb_prepared *))                             \
    X(void, destroy_extracted, (duckdb_extracted *))                                               \
    X(const char *, prepare_error, (duckdb_prepared))                                              \
    X(int, prepared_statement_type, (duckdb_prepared))                                             \
    X(idx_t, nparams, (duckdb_prepared))                                                           \
    X(void, destroy_prepare, (duckdb_prepared *))                                                  \
    X(duckdb_state, execute_prepared_streaming, (duckdb_prepared, duckdb_result *))                \
    X(idx_t, data_chunk_get_size, (duckdb_chunk))                                                  \
    X(duckdb_vector, data_chunk_get_vector, (duckdb_chunk, idx_t))                                 \
    X(void, destroy_data_chunk, (duckdb_chunk *))                                                  \
    X(void *, vector_get_data, (duckdb_vector))                                                    \
    X(uint64_t *, vector_get_validity, (duckdb_vector))                                            \
    X(duckdb_vector, list_vector_get_child, (duckdb_vector))                                       \
    X(duckdb_vector, struct_vector_get_child, (duckdb_vector, idx_t))                              \
    X(duckdb_vector, array_vector_get_child, (duckdb_vector))                                      \
    X(int, get_type_id, (duckdb_logical))                                                          \
    X(uint8_t, decimal_width, (duckdb_logical))                                                    \
    X(uint8_t, decimal_scale, (duckdb_logical))                                                    \
    X(int, decimal_internal_type, (duckdb_logical))                                                \
    X(int, enum_internal_type, (duckdb_logical))                                                   \
    X(uint32_t, enum_dictionary_size, (duckdb_logical))                                            \
    X(char *, enum_dictionary_value, (duckdb_logical, idx_t))                                      \
    X(duckdb_logical, list_type_child_type, (duckdb_logical))                                      \
    X(duckdb_logical, array_type_child_type, (duckdb_logical))                                     \
    X(idx_t, array_type_array_size, (duckdb_logical))                                              \
    X(duckdb_logical, map_type_key_type, (duckdb_logical))                                         \
    X(duckdb_logical, map_type_value_type, (duckdb_logical))                                       \
    X(idx_t, struct_type_child_count, (duckdb_logical))                                            \
    X(char *, struct_type_child_name, (duckdb_logical, idx_t))                                     \
    X(duckdb_logical, struct_type_child_type, (duckdb_logical, idx_t))                             \
    X(void, destroy_logical_type, (duckdb_logical *))

struct duckdb_api {
#define DUCKDB_MEMBER(type, name, params) type(*name) params;
    DUCKDB_FUNCTIONS(DUCKDB_MEMBER)
#undef DUCKDB_MEMBER
};

/* The library's path, looked for in $WEIR_DUCKDB_LIB, beside `executable` and in the library
 * directory the program was built for; never relative to the working directory. Only asks whether a
 * file is there. */
MUST_USE result duckdb_api_find(struct str executable, struct arena *arena, const char **out,
                                struct report *report);

MUST_USE result duckdb_api_load(const char *path, struct duckdb_api *out, struct report *report);

/* The numbers of the types, and one value of each layout that we read. */
MUST_USE result duckdb_api_test(const struct duckdb_api *api, duckdb_connection connection,
                                struct report *report);

#endif
