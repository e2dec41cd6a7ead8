/* The schema files. Three forms meet in one reader, because JSON of this shape is YAML as well:
 *
 *   tables: {sales.default.orders: {columns: [{name: ds, type: string, partition: true}]}}
 *   {"tables": {"sales.orders": {"columns": [{"name","type"}], "partition": "ds"}}}
 *   {"tables": [{"name": "orders", "columns": [{"name","type"}]}]}
 */
#include "backend/catalogue.h"
#include "base/limits.h"
#include "base/option.h"
#include "sql/types.h"

struct reading {
    struct catalogue *catalogue;
    struct arena *arena;
    struct problems *problems;
    struct str file;
    bool is_foreign; /* keys that we do not know are somebody else's */
};

struct table {
    struct str name;
    const struct yaml *node;
    struct schema_column *columns;
    size_t n, cap;
};

static result out_of_memory(struct reading *r) {
    r->problems->is_full = true;
    return (result){FAIL_MEMORY};
}

static const char *const file_keys[] = {"tables", NULL};
static const char *const table_keys[] = {"name",       "columns",        "comment", "partition",
                                         "partitions", "partitioned_by", NULL};
static const char *const column_keys[] = {"name", "type", "partition", "comment", NULL};

static void refuse_key(struct reading *r, const struct yaml *key, const char *const known[]) {
    const char *nearest = NULL;
    unsigned least = 3;
    for (size_t i = 0; known[i] != NULL; i++) {
        unsigned distance = str_distance(key->text, str_of(known[i]), least);
        if (distance >= least) continue;
        least = distance;
        nearest = known[i];
    }
    problem_add(r->problems, SEVERITY_ERROR, r->file, key, "unknown key '" STR_FMT "'",
                STR_ARG(key->text));
    if (nearest != NULL) problem_hint(r->problems, "did you mean '%s'?", nearest);
}

static void check_keys(struct reading *r, const struct yaml *map, const char *const known[]) {
    for (size_t i = 0; i < map->n && !r->is_foreign; i++) {
        const struct yaml *key = &map->pairs[i].key;
        bool is_known = str_starts(key->text, STR("x-"));
        for (size_t k = 0; known[k] != NULL && !is_known; k++)
            is_known = str_eq(key->text, str_of(known[k]));
        if (!is_known) refuse_key(r, key, known);
    }
}

static bool expect(struct reading *r, const struct yaml *node, enum yaml_type type,
                   const char *what) {
    if (node->type == type) return true;
    static const char *const names[] = {
        [YAML_SCALAR] = "a text", [YAML_LIST] = "a list", [YAML_MAP] = "a map"};
    problem_add(r->problems, SEVERITY_ERROR, r->file, node, "%s must be %s", what, names[type]);
    return false;
}

static struct schema_column *column_named(struct table *table, struct str name) {
    for (size_t i = 0; i < table->n; i++)
        if (str_ieq(table->columns[i].name, name)) return &table->columns[i];
    return NULL;
}

static result read_comment(struct reading *r, const struct yaml *map, struct str *out) {
    const struct yaml *node = yaml_get(map, STR("comment"));
    if (node == NULL || yaml_is_null(node) || !expect(r, node, YAML_SCALAR, "a comment")) return OK;
    *out = str_dup(r->arena, node->text);
    return out->ptr == NULL && node->text.len > 0 ? out_of_memory(r) : OK;
}

static result read_type(struct reading *r, const struct yaml *node, const struct sql_type **out) {
    struct sql_type *type = arena_new(r->arena, struct sql_type);
    struct str text = str_dup(r->arena, node->text);
    if (type == NULL || (text.ptr == NULL && node->text.len > 0)) return out_of_memory(r);
    struct report report = {0};
    result parsed = sql_type_parse(text, r->arena, type, &report);
    if (parsed.why == FAIL_MEMORY) return out_of_memory(r);
    if (parsed.why != FAIL_NONE)
        problem_add(r->problems, SEVERITY_ERROR, r->file, node, "%s", report.sentence);
    *out = type;
    return OK;
}

static result read_column(struct reading *r, struct table *table, const struct yaml *node,
                          bool is_partition) {
    if (!expect(r, node, YAML_MAP, "a column")) return OK;
    check_keys(r, node, column_keys);
    const struct yaml *name = yaml_get(node, STR("name"));
    const struct yaml *type = yaml_get(node, STR("type"));
    if (name == NULL || name->type != YAML_SCALAR || name->text.len == 0 || type == NULL ||
        type->type != YAML_SCALAR) {
        problem_add(r->problems, SEVERITY_ERROR, r->file, node, "a column needs a name and a type");
        return OK;
    }
    if (column_named(table, name->text) != NULL) {
        problem_add(r->problems, SEVERITY_ERROR, r->file, name,
                    "column '" STR_FMT "' is there twice", STR_ARG(name->text));
        return OK;
    }
    struct schema_column *column = ARENA_PUSH(r->arena, table->columns, table->n, table->cap);
    if (column == NULL) return out_of_memory(r);
    column->name = str_lower(r->arena, name->text);
    if (column->name.ptr == NULL) return out_of_memory(r);
    TRY(read_comment(r, node, &column->comment));

    column->is_partition = is_partition;
    const struct yaml *flag = yaml_get(node, STR("partition"));
    bool is_set = false;
    if (flag != NULL && (flag->type != YAML_SCALAR || !parse_bool(flag->text, &is_set)))
        problem_add(r->problems, SEVERITY_ERROR, r->file, flag,
                    "'partition' must be true or false");
    column->is_partition |= is_set;
    return read_type(r, type, &column->type);
}

/* One entry of partition(s) or partitioned_by: a column's name, or a column that stands only here.
 */
static result read_partition(struct reading *r, struct table *table, const struct yaml *node) {
    if (node->type == YAML_MAP && yaml_get(node, STR("type")) != NULL) {
        const struct yaml *name = yaml_get(node, STR("name"));
        if (name == NULL || column_named(table, name->text) == NULL)
            return read_column(r, table, node, true);
    }
    const struct yaml *name = node->type == YAML_MAP ? yaml_get(node, STR("name")) : node;
    if (name == NULL || !expect(r, name, YAML_SCALAR, "a partition column")) return OK;
    struct schema_column *column = column_named(table, name->text);
    if (column != NULL)
        column->is_partition = true;
    else
        problem_add(r->problems, SEVERITY_ERROR, r->file, name,
                    "partition column '" STR_FMT "' is no column of the table",
                    STR_ARG(name->text));
    return OK;
}

static result read_partitions(struct reading *r, struct table *table) {
    static const char *const keys[] = {"partition", "partitions", "partitioned_by"};
    for (size_t k = 0; k < COUNT(keys); k++) {
        const struct yaml *node = yaml_get(table->node, str_of(keys[k]));
        if (node == NULL || yaml_is_null(node)) continue;
        if (node->type != YAML_LIST) {
            TRY(read_partition(r, table, node));
            continue;
        }
        for (size_t i = 0; i < node->n; i++) TRY(read_partition(r, table, &node->items[i]));
    }
    return OK;
}

static result read_table(struct reading *r, struct table *table) {
    if (!expect(r, table->node, YAML_MAP, "a table")) return OK;
    check_keys(r, table->node, table_keys);
    const struct yaml *columns = yaml_get(table->node, STR("columns"));
    if (columns == NULL || columns->type != YAML_LIST) {
        problem_add(r->problems, SEVERITY_ERROR, r->file, table->node,
                    "table '" STR_FMT "' needs a list of columns", STR_ARG(table->name));
        return OK;
    }
    for (size_t i = 0; i < columns->n; i++) TRY(read_column(r, table, &columns->items[i], false));
    TRY(read_partitions(r, table));

    struct str comment = STR_NONE;
    TRY(read_comment(r, table->node, &comment));
    struct table_name name;
    struct report report = {0};
    result added =
        table_name_split(table->name, r->catalogue->default_project, r->arena, &name, &report);
    if (added.why == FAIL_NONE)
        added = catalogue_add(r->catalogue, &name, comment, table->columns, table->n, &report);
    if (added.why == FAIL_MEMORY) return out_of_memory(r);
    if (added.why != FAIL_NONE) {
        problem_add(r->problems, SEVERITY_ERROR, r->file, table->node, "%s", report.sentence);
        if (report.hint[0] != '\0') problem_hint(r->problems, "%s", report.hint);
    }
    return OK;
}

static result read_tables(struct reading *r, const struct yaml *tables) {
    if (tables->type == YAML_MAP) {
        for (size_t i = 0; i < tables->n; i++) {
            struct table table = {.name = tables->pairs[i].key.text,
                                  .node = &tables->pairs[i].value};
            TRY(read_table(r, &table));
        }
        return OK;
    }
    if (!expect(r, tables, YAML_LIST, "'tables'")) return OK;
    for (size_t i = 0; i < tables->n; i++) {
        const struct yaml *name = yaml_get(&tables->items[i], STR("name"));
        if (name == NULL || name->type != YAML_SCALAR) {
            problem_add(r->problems, SEVERITY_ERROR, r->file, &tables->items[i],
                        "a table of a list needs a name");
            continue;
        }
        struct table table = {.name = name->text, .node = &tables->items[i]};
        TRY(read_table(r, &table));
    }
    return OK;
}

result catalogue_read(struct catalogue *catalogue, struct str text, struct str name,
                      struct problems *problems) {
    struct reading r = {.catalogue = catalogue,
                        .arena = catalogue->arena,
                        .problems = problems,
                        .file = name,
                        .is_foreign = str_ends(name, STR(".json"))};
    size_t n_errors = problems->n_errors;
    const struct yaml *root;
    struct report report = {0};
    result read = yaml_read(text, name, NULL, r.arena, &root, &report);
    if (read.why == FAIL_MEMORY) return out_of_memory(&r);
    if (read.why != FAIL_NONE) {
        problem_add(problems, SEVERITY_ERROR, name, NULL, "%s", report.sentence);
        return (result){FAIL_CONFIG};
    }
    if (expect(&r, root, YAML_MAP, "a schema file")) {
        check_keys(&r, root, file_keys);
        const struct yaml *tables = yaml_get(root, STR("tables"));
        if (tables != NULL)
            TRY(read_tables(&r, tables));
        else
            problem_add(problems, SEVERITY_ERROR, name, root, "a schema file needs 'tables'");
    }
    return (result){problems->n_errors > n_errors ? FAIL_CONFIG : FAIL_NONE};
}
