#include "backend/duckdb_load.h"

#include "backend/duckdb_api.h"
#include "backend/duckdb_ddl.h"
#include "backend/kind.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/rand.h"

#include <errno.h>
#include <glob.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>

struct data_file {
    struct str path; /* absolute */
    struct str dir;
    struct table_name name;
    struct stat stat;
    const struct schema_relation *described; /* NULL: DuckDB guesses */
};

struct planning {
    const struct backend_setup *setup;
    struct arena *arena;
    struct problems *problems;
    struct catalogue *catalogue;
    struct catalogue described; /* all that the schema.json files say */
    struct data_file *files;
    size_t n, cap;
    const struct yaml *node; /* the pattern at work */
};

static result out_of_memory(struct planning *p) {
    p->problems->is_full = true;
    return (result){FAIL_MEMORY};
}

/* -- finding the files --------------------------------------------------------------------------
 */

/* The directory of the configuration is no pattern, whatever characters it has. */
static const char *pattern_path(struct planning *p, struct str pattern) {
    if (str_starts(pattern, STR("/"))) return str_cstr(p->arena, pattern);
    struct str dir = p->setup->config_dir;
    char *out = arena_alloc(p->arena, dir.len * 2 + pattern.len + 2, 1);
    if (out == NULL) return NULL;
    size_t len = 0;
    for (size_t i = 0; i < dir.len; i++) {
        if (strchr("*?[\\", dir.ptr[i]) != NULL) out[len++] = '\\';
        out[len++] = dir.ptr[i];
    }
    out[len++] = '/';
    memcpy(out + len, pattern.ptr, pattern.len);
    return out;
}

static struct str extension_of(struct str file) {
    if (str_ends(file, STR(".csv"))) return STR(".csv");
    if (str_ends(file, STR(".parquet"))) return STR(".parquet");
    return STR_NONE;
}

static void refuse_file(struct planning *p, struct str path, const char *why) {
    problem_add(p->problems, SEVERITY_ERROR, p->setup->file, p->node,
                "cannot load file '" STR_FMT "': %s", STR_ARG(path), why);
}

static result add_file(struct planning *p, const char *found) {
    char *real = realpath(found, NULL);
    if (real == NULL) {
        refuse_file(p, str_of(found), strerror(errno));
        return OK;
    }
    const char *path = str_cstr(p->arena, str_of(real));
    free(real);
    if (path == NULL) return out_of_memory(p);
    struct data_file file = {.path = str_of(path)};
    size_t slash = file.path.len;
    while (slash > 0 && file.path.ptr[slash - 1] != '/') slash--;
    file.dir = str_slice(file.path, 0, slash);
    struct str base = str_slice(file.path, slash, file.path.len);
    if (str_eq(base, STR("schema.json"))) return OK;
    struct str extension = extension_of(base);
    if (extension.len == 0) {
        refuse_file(p, file.path, "it is named neither .csv nor .parquet");
        return OK;
    }
    if (strpbrk(path, "*?[") != NULL) { /* DuckDB would take it for a pattern */
        refuse_file(p, file.path, "its path has one of the characters * ? [");
        return OK;
    }
    if (stat(path, &file.stat) != 0 || !S_ISREG(file.stat.st_mode)) {
        refuse_file(p, file.path, "it is no regular file");
        return OK;
    }
    struct report report = {0};
    result named = table_name_split(str_slice(base, 0, base.len - extension.len),
                                    p->catalogue->default_project, p->arena, &file.name, &report);
    if (named.why == FAIL_MEMORY) return out_of_memory(p);
    if (named.why != FAIL_NONE) {
        refuse_file(p, file.path, report.sentence);
        return OK;
    }
    struct data_file *slot = ARENA_PUSH(p->arena, p->files, p->n, p->cap);
    if (slot == NULL) return out_of_memory(p);
    *slot = file;
    return OK;
}

static result find_files(struct planning *p, const struct option_list *patterns) {
    const struct yaml *list = yaml_get(p->setup->node, STR("load"));
    for (size_t i = 0; i < patterns->n; i++) {
        bool is_list = list != NULL && list->type == YAML_LIST && i < list->n;
        p->node = is_list ? &list->items[i] : list;
        const char *pattern = pattern_path(p, patterns->items[i]);
        if (pattern == NULL) return out_of_memory(p);
        glob_t found;
        int error =
            glob(pattern, 0, NULL, &found); /* sorted, so that the order is always the same */
        if (error == GLOB_NOSPACE) return out_of_memory(p);
        if (error != 0) {
            problem_add(p->problems, SEVERITY_ERROR, p->setup->file, p->node,
                        "no file matches '" STR_FMT "'", STR_ARG(patterns->items[i]));
            continue;
        }
        result r = OK;
        for (size_t k = 0; k < found.gl_pathc && r.why == FAIL_NONE; k++)
            r = add_file(p, found.gl_pathv[k]);
        globfree(&found);
        TRY(r);
    }
    return OK;
}

/* -- their types --------------------------------------------------------------------------------
 */

static bool is_first_of_its_dir(const struct planning *p, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (str_eq(p->files[i].dir, p->files[at].dir)) return false;
    return true;
}

static result read_schema_json(struct planning *p, struct str dir) {
    const char *path = str_printf(p->arena, STR_FMT "schema.json", STR_ARG(dir)).ptr;
    if (path == NULL) return out_of_memory(p);
    struct stat st;
    if (stat(path, &st) != 0 && errno == ENOENT) return OK;
    struct str text;
    struct report report = {0};
    result r = file_read(path, YAML_BYTES_MAX, p->arena, &text, &report);
    if (r.why == FAIL_MEMORY) return out_of_memory(p);
    if (r.why != FAIL_NONE) {
        problem_add(p->problems, SEVERITY_ERROR, p->setup->file, p->node, "%s", report.sentence);
        return OK;
    }
    r = catalogue_read(&p->described, text, str_of(path), p->problems);
    return r.why == FAIL_MEMORY ? r : OK;
}

static result describe(struct planning *p, struct data_file *file) {
    file->described =
        catalogue_find(&p->described, file->name.project, file->name.schema, file->name.name);
    if (file->described == NULL) return OK;
    const struct schema_relation *relation = file->described;
    struct report report = {0};
    result r = catalogue_add(p->catalogue, &file->name, relation->comment, relation->columns,
                             relation->n_columns, &report);
    if (r.why == FAIL_MEMORY) return out_of_memory(p);
    if (r.why != FAIL_NONE) refuse_file(p, file->path, report.sentence);
    return OK;
}

static result describe_all(struct planning *p, struct load_plan *out) {
    catalogue_init(&p->described, p->arena, STR_NONE, p->catalogue->default_project);
    for (size_t i = 0; i < p->n; i++)
        if (is_first_of_its_dir(p, i)) TRY(read_schema_json(p, p->files[i].dir));
    for (size_t i = 0; i < p->n; i++) {
        TRY(describe(p, &p->files[i]));
        out->n_undescribed += p->files[i].described == NULL;
    }
    return OK;
}

/* -- the plan -----------------------------------------------------------------------------------
 */

/* Names that DuckDB keeps for catalogs and schemas of its own. */
static bool is_reserved(struct str project) {
    static const char *const reserved[] = {"memory", "system", "temp", "information_schema",
                                           "pg_catalog"};
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (str_eq(project, str_of(reserved[i]))) return true;
    return false;
}

static result make_statements(struct planning *p, struct load_plan *out) {
    struct str *paths = arena_new_array(p->arena, p->n, struct str);
    struct str *statements = arena_new_array(p->arena, p->n, struct str);
    struct str *labels = arena_new_array(p->arena, p->n, struct str);
    if (paths == NULL || statements == NULL || labels == NULL) return out_of_memory(p);
    for (size_t i = 0; i < p->n; i++) {
        const struct data_file *file = &p->files[i];
        const struct schema_relation *known = file->described;
        if (is_reserved(file->name.project))
            refuse_file(p, file->path, "DuckDB keeps the name of its project for itself");
        paths[i] = file->path;
        statements[i] =
            duckdb_create_table(&file->name, file->path, known == NULL ? NULL : known->columns,
                                known == NULL ? 0 : known->n_columns, p->arena);
        labels[i] = str_printf(p->arena, STR_FMT "." STR_FMT, STR_ARG(file->name.project),
                               STR_ARG(file->name.name));
        if (statements[i].ptr == NULL || labels[i].ptr == NULL) return out_of_memory(p);
    }
    out->inputs = (struct text_list){paths, p->n};
    out->statements = (struct text_list){statements, p->n};
    out->labels = (struct text_list){labels, p->n};
    return OK;
}

/* What decides the tables: the engine, the statements (with paths and types), the files as they
 * are. */
static result hash_plan(struct planning *p, struct load_plan *out) {
    struct buf all;
    buf_init(&all, (size_t)BACKEND_CATALOGUE_BYTES);
    buf_add(&all, STR(DUCKDB_VERSION " without " DUCKDB_NO_COMPRESSION));
    for (size_t i = 0; i < p->n; i++) {
        const struct stat *st = &p->files[i].stat;
        buf_addf(&all, "\n%lld %lld.%09ld ", (long long)st->st_size, (long long)st->st_mtim.tv_sec,
                 st->st_mtim.tv_nsec);
        buf_add(&all, out->statements.items[i]);
    }
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    char *hex = arena_alloc(p->arena, 33, 1);
    bool is_made = digest != NULL && hex != NULL && all.failed == FAIL_NONE &&
                   EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
    for (const struct buf_chunk *chunk = all.first; chunk != NULL && is_made; chunk = chunk->next)
        is_made = EVP_DigestUpdate(digest, chunk->bytes, chunk->len) == 1;
    is_made = is_made && EVP_DigestFinal_ex(digest, bytes, NULL) == 1;
    EVP_MD_CTX_free(digest);
    buf_deinit(&all);
    if (!is_made) return out_of_memory(p);
    hex_encode(hex, bytes, 16);
    out->hash = (struct str){hex, 32};
    return OK;
}

result duckdb_load_plan(const struct backend_setup *setup, const struct option_list *patterns,
                        struct catalogue *catalogue, struct load_plan *out,
                        struct problems *problems) {
    struct planning p = {
        .setup = setup, .arena = catalogue->arena, .problems = problems, .catalogue = catalogue};
    size_t n_errors = problems->n_errors;
    *out = (struct load_plan){0};
    TRY(find_files(&p, patterns));
    TRY(describe_all(&p, out));
    TRY(make_statements(&p, out));
    TRY(hash_plan(&p, out));
    return (result){problems->n_errors > n_errors ? FAIL_CONFIG : FAIL_NONE};
}
