#include "backend/duckdb_api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef WEIR_LIBDIR
#define WEIR_LIBDIR "/usr/local/lib/weir"
#endif

static const char library_name[] = "libduckdb.so";

static result not_installed(struct report *report, const char *reason) {
    result r = fail(report, FAIL_ABSENT, "BACKEND_NOT_INSTALLED", REPORT_NO_OFFSET,
                    "DuckDB is not installed: %s", reason);
    fail_hint(report,
              "Run 'make build', which puts the pinned %s beside the program, or name it in "
              "WEIR_DUCKDB_LIB.",
              library_name);
    return r;
}

static bool is_file(const char *path) {
    return path != NULL && path[0] == '/' && access(path, R_OK) == 0;
}

static const char *beside(struct str executable, struct arena *arena) {
    size_t end = executable.len;
    while (end > 0 && executable.ptr[end - 1] != '/') end--;
    return str_printf(arena, "%.*s%s", (int)end, executable.ptr, library_name).ptr;
}

result duckdb_api_find(struct str executable, struct arena *arena, const char **out,
                       struct report *report) {
    const char *named = getenv("WEIR_DUCKDB_LIB");
    if (named != NULL && named[0] != '\0') {
        *out = named;
        if (is_file(named)) return OK;
        return not_installed(report, "WEIR_DUCKDB_LIB is no absolute path of a readable file");
    }
    *out = beside(executable, arena);
    if (*out == NULL) return fail_memory(report);
    if (is_file(*out)) return OK;
    *out = WEIR_LIBDIR "/libduckdb.so";
    if (is_file(*out)) return OK;
    return not_installed(report, "there is no libduckdb.so beside the program or in " WEIR_LIBDIR);
}

/* An object pointer that dlsym gives becomes a function pointer by its bytes (POSIX, dlsym). */
static bool find_symbol(void *library, const char *name, void *member) {
    void *found = dlsym(library, name);
    memcpy(member, &found, sizeof found);
    return found != NULL;
}

result duckdb_api_load(const char *path, struct duckdb_api *out, struct report *report) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return not_installed(report, "the library cannot be loaded");
#define DUCKDB_FIND(type, name, params)                                                            \
    if (!find_symbol(library, "duckdb_" #name, &out->name))                                        \
        return not_installed(report, "the library lacks duckdb_" #name);
    DUCKDB_FUNCTIONS(DUCKDB_FIND)
#undef DUCKDB_FIND
    if (!str_eq(str_of(out->library_version()), STR(DUCKDB_VERSION)))
        return not_installed(report, "the library is not " DUCKDB_VERSION);
    return OK;
}

struct expected_type {
    const char *sql;
    enum duckdb_type_id type;
};

static const struct expected_type expected[] = {
    {"true", DUCKDB_BOOLEAN},
    {"1::TINYINT", DUCKDB_TINYINT},
    {"1::SMALLINT", DUCKDB_SMALLINT},
    {"1::INTEGER", DUCKDB_INTEGER},
    {"1::BIGINT", DUCKDB_BIGINT},
    {"1::UTINYINT", DUCKDB_UTINYINT},
    {"1::USMALLINT", DUCKDB_USMALLINT},
    {"1::UINTEGER", DUCKDB_UINTEGER},
    {"1::UBIGINT", DUCKDB_UBIGINT},
    {"1::FLOAT", DUCKDB_FLOAT},
    {"1::DOUBLE", DUCKDB_DOUBLE},
    {"TIMESTAMP '2020-01-01 00:00:00'", DUCKDB_TIMESTAMP},
    {"DATE '2020-01-01'", DUCKDB_DATE},
    {"TIME '00:00:00'", DUCKDB_TIME},
    {"INTERVAL 1 DAY", DUCKDB_INTERVAL},
    {"1::HUGEINT", DUCKDB_HUGEINT},
    {"'weir'", DUCKDB_VARCHAR},
    {"'a'::BLOB", DUCKDB_BLOB},
    {"1::DECIMAL(18,2)", DUCKDB_DECIMAL},
    {"'2020-01-01'::TIMESTAMP_S", DUCKDB_TIMESTAMP_S},
    {"'2020-01-01'::TIMESTAMP_MS", DUCKDB_TIMESTAMP_MS},
    {"'2020-01-01'::TIMESTAMP_NS", DUCKDB_TIMESTAMP_NS},
    {"'a'::ENUM('a')", DUCKDB_ENUM},
    {"[1]", DUCKDB_LIST},
    {"{'a': 1}", DUCKDB_STRUCT},
    {"MAP {'a': 1}", DUCKDB_MAP},
    {"'00000000-0000-0000-0000-000000000000'::UUID", DUCKDB_UUID},
    {"'2020-01-01'::TIMESTAMPTZ", DUCKDB_TIMESTAMP_TZ},
    {"1::UHUGEINT", DUCKDB_UHUGEINT},
    {"[1]::INTEGER[1]", DUCKDB_ARRAY},
};

static result test_failed(struct report *report, const char *what) {
    return fail(report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET,
                "DuckDB is not as we know it: %s", what);
}

static result test_values(const struct duckdb_api *api, duckdb_result *answer,
                          struct report *report) {
    duckdb_chunk chunk = api->fetch_chunk(*answer);
    if (chunk == NULL) return test_failed(report, "the self-test has no row");
    const int64_t *bigint = api->vector_get_data(api->data_chunk_get_vector(chunk, 4));
    const duckdb_text *text = api->vector_get_data(api->data_chunk_get_vector(chunk, 16));
    bool is_good = api->data_chunk_get_size(chunk) == 1 && *bigint == 1 &&
                   text->small.length == 4 && memcmp(text->small.inlined, "weir", 4) == 0;
    api->destroy_data_chunk(&chunk);
    return is_good ? OK : test_failed(report, "the layout of its values differs");
}

result duckdb_api_test(const struct duckdb_api *api, duckdb_connection connection,
                       struct report *report) {
    char sql[1536] = "SELECT ";
    size_t len = strlen(sql);
    for (size_t i = 0; i < COUNT(expected); i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, "%s%s", i == 0 ? "" : ", ",
                                expected[i].sql);
    duckdb_result answer;
    result r = OK;
    if (len >= sizeof sql || api->query(connection, sql, &answer) != DUCKDB_OK)
        return test_failed(report, "it does not answer the self-test");
    for (size_t i = 0; i < COUNT(expected) && r.why == FAIL_NONE; i++)
        if (api->column_type(&answer, i) != (int)expected[i].type)
            r = test_failed(report, "the numbers of its types differ");
    if (r.why == FAIL_NONE) r = test_values(api, &answer, report);
    api->destroy_result(&answer);
    return r;
}
