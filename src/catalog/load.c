#include "base/map.h"
#include "catalog/catalog.h"
#include "policy/table_name.h"
#include "text/bind.h"

/* -- the file as tables ----------------------------------------------------------------------- */

struct on_row {
    struct bind_head head;
    struct str left, right;
};
#define AT(member) .offset = offsetof(struct on_row, member)
static const struct bind_key on_keys[] = {
    {.name = "left_field", .type = BIND_NAME, AT(left), .is_required = true},
    {.name = "right_field", .type = BIND_NAME, AT(right), .is_required = true},
    {.name = NULL}};
#undef AT
static const struct bind_kind on_kind = {
    .what = "an on-pair", .keys = on_keys, .size = sizeof(struct on_row)};

struct join_row {
    struct bind_head head;
    struct str id, left_table, right_table;
    struct str business_purpose, confidence, cardinality, example_sql;
    bool is_approved;
    struct bind_array on, on_as_true;
};
#define AT(member) .offset = offsetof(struct join_row, member)
/* A writer that follows YAML 1.1 turns the key `on` into the boolean true. */
static const struct bind_key join_keys[] = {
    {.name = "id", .type = BIND_NAME, AT(id), .is_required = true},
    {.name = "left_table", .type = BIND_NAME, AT(left_table), .is_required = true},
    {.name = "right_table", .type = BIND_NAME, AT(right_table), .is_required = true},
    {.name = "business_purpose", .type = BIND_TEXT, AT(business_purpose)},
    {.name = "approved", .type = BIND_BOOL, AT(is_approved)},
    {.name = "confidence", .type = BIND_TEXT, AT(confidence)},
    {.name = "cardinality", .type = BIND_TEXT, AT(cardinality)},
    {.name = "example_sql", .type = BIND_TEXT, AT(example_sql)},
    {.name = "on", .type = BIND_LIST, AT(on), .of = &on_kind},
    {.name = "true", .type = BIND_LIST, AT(on_as_true), .of = &on_kind},
    {.name = NULL}};
#undef AT
static const struct bind_kind join_kind = {
    .what = "a join", .keys = join_keys, .size = sizeof(struct join_row)};

struct joins_file {
    struct bind_array joins;
};
static const struct bind_key joins_keys[] = {{.name = "joins",
                                              .type = BIND_LIST,
                                              .offset = offsetof(struct joins_file, joins),
                                              .of = &join_kind},
                                             {.name = NULL}};
static const struct bind_kind joins_kind = {.what = "joins.yaml", .keys = joins_keys};

/* -- rows into joins -------------------------------------------------------------------------- */

struct loader {
    struct binder binder;
    struct str default_project;
    struct map ids; /* → join_row */
};

static void complain(struct loader *l, const struct yaml *node, const char *before, struct str what,
                     const char *after) {
    problem_add(l->binder.problems, SEVERITY_ERROR, l->binder.file, node, "%s'" STR_FMT "'%s",
                before, STR_ARG(what), after);
}

static result read_table(struct loader *l, const struct join_row *row, const char *key,
                         struct str text, struct table_name *out) {
    *out = (struct table_name){0};
    if (text.len == 0) return OK; /* told already */
    TRY(table_name_read(text, l->default_project, l->binder.arena, out));
    if (out->name.len > 0) return OK;
    complain(l, yaml_get(row->head.node, str_of(key)), "", text, " is no name of a table");
    problem_hint(l->binder.problems, "write PROJECT.TABLE or PROJECT.SCHEMA.TABLE");
    return OK;
}

static result read_on(struct loader *l, const struct join_row *row, struct grant_join *join) {
    bool is_twice = yaml_get(row->head.node, STR("on")) != NULL &&
                    yaml_get(row->head.node, STR("true")) != NULL;
    const struct bind_array *list = row->on.n > 0 ? &row->on : &row->on_as_true;
    if (is_twice || list->n == 0)
        complain(l, row->head.node, "the join ", row->id,
                 is_twice ? " has 'on' and 'true', which are one key" : " has no fields in 'on'");
    struct grant_join_on *on = arena_new_array(l->binder.arena, list->n, struct grant_join_on);
    if (on == NULL) return fail_memory(NULL);
    const struct on_row *pair = list->items;
    for (size_t i = 0; i < list->n; i++, pair++) {
        on[i].left = str_lower(l->binder.arena, pair->left);
        on[i].right = str_lower(l->binder.arena, pair->right);
        if ((on[i].left.ptr == NULL && pair->left.len > 0) ||
            (on[i].right.ptr == NULL && pair->right.len > 0))
            return fail_memory(NULL);
    }
    join->on = on;
    join->n_on = list->n;
    return OK;
}

static result read_join(struct loader *l, struct join_row *row, struct catalog_join *out) {
    struct table_name left, right;
    *out = (struct catalog_join){.business_purpose = row->business_purpose,
                                 .confidence = row->confidence,
                                 .cardinality = row->cardinality,
                                 .example_sql = row->example_sql,
                                 .is_approved = row->is_approved};
    TRY(read_table(l, row, "left_table", row->left_table, &left));
    TRY(read_table(l, row, "right_table", row->right_table, &right));
    out->join = (struct grant_join){.id = row->id,
                                    .left_project = left.project,
                                    .left_schema = left.schema,
                                    .left_table = left.name,
                                    .right_project = right.project,
                                    .right_schema = right.schema,
                                    .right_table = right.name};
    TRY(read_on(l, row, &out->join));
    if (row->id.len == 0) return OK;
    const struct join_row *other = map_get(&l->ids, row->id);
    if (other == NULL) return map_put(&l->ids, row->id, row) ? OK : fail_memory(NULL);
    complain(l, yaml_get(row->head.node, STR("id")), "the join ", row->id, " is defined twice");
    problem_hint(l->binder.problems, "the first stands in line %u", other->head.node->line);
    return OK;
}

static result load(struct loader *l, const struct yaml *tree, struct catalog *catalog) {
    struct joins_file file = {0};
    TRY(bind_map(&l->binder, &joins_kind, tree, &file));
    size_t n = file.joins.n;
    struct catalog_join *joins = arena_new_array(l->binder.arena, n, struct catalog_join);
    struct grant_join *approved = arena_new_array(l->binder.arena, n, struct grant_join);
    if (joins == NULL || approved == NULL) return fail_memory(NULL);
    struct join_row *row = file.joins.items;
    for (size_t i = 0; i < n; i++, row++) {
        TRY(read_join(l, row, &joins[i]));
        if (joins[i].is_approved) approved[catalog->n_approved++] = joins[i].join;
    }
    catalog->joins = joins;
    catalog->n_joins = n;
    catalog->approved = approved;
    return OK;
}

result catalog_load(const struct yaml *joins, struct str joins_name, struct str default_project,
                    struct arena *arena, struct problems *problems, const struct catalog **out) {
    *out = NULL;
    size_t n_errors = problems->n_errors;
    struct catalog *catalog = arena_new(arena, struct catalog);
    if (catalog == NULL) return fail_memory(NULL);
    struct loader l = {.binder = {arena, problems, joins_name}, .default_project = default_project};
    map_init(&l.ids, arena);
    if (joins != NULL) TRY(load(&l, joins, catalog));
    if (problems->is_full) return fail_memory(NULL);
    if (problems->n_errors > n_errors) return (result){FAIL_CONFIG};
    *out = catalog;
    return OK;
}
