/* Every source, CTE and column gets the name that is printed: see rewrite.h, invariant 3. */
#include "base/always.h"
#include "sql/rewrite_inner.h"

/* PostgreSQL cuts names at 63 bytes, and two that differ only behind would be one. */
enum { NAME_BYTES_MAX = 60, SMALL_LIST = 16 };

/* -- unique names ----------------------------------------------------------------------------- */

/* Back-quoted, such a name would be a regular expression over the names of columns. */
bool rewrite_is_pattern(struct str name) {
    struct sql_name quoted = {.text = name, .quoting = SQL_BACKQUOTED};
    return sql_name_is_pattern(&quoted);
}

struct taken_name {
    unsigned next; /* suffix to be tried first: so that n equal names cost n steps */
};

static struct str unique(struct rewriter *rw, struct map *taken, struct str wish) {
    struct str name = utf8_clip(wish, NAME_BYTES_MAX - 8);
    if (wish.len <= NAME_BYTES_MAX) name = wish;
    if (name.len == 0) name = STR("t");
    if (rewrite_is_pattern(name)) name = STR("c");
    struct str stem = utf8_clip(name, NAME_BYTES_MAX - 8);
    struct taken_name *own = arena_new(rw->arena, struct taken_name);
    struct taken_name *first = map_get(taken, name);
    for (bool is_taken = first != NULL; is_taken;) {
        name = str_printf(rw->arena, STR_FMT "_%u", STR_ARG(stem), first->next++);
        is_taken = name.ptr != NULL && map_get(taken, name) != NULL;
    }
    if (own == NULL || name.ptr == NULL || !map_put(taken, name, own)) {
        rewrite_no_memory(rw);
        return STR_NONE;
    }
    own->next = 2;
    return name;
}

/* A name that is taken from the start. */
static void take_name(struct rewriter *rw, struct map *taken, struct str name) {
    struct taken_name *own = arena_new(rw->arena, struct taken_name);
    if (own == NULL || !map_put(taken, name, own)) {
        rewrite_no_memory(rw);
        return;
    }
    own->next = 2;
}

struct str rewrite_alias(struct rewriter *rw, struct str wish) {
    return unique(rw, &rw->taken, wish);
}

/* A parameter hides an alias of its name in the lambda's body. */
static enum walk see_lambda(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    struct rewriter *rw = with;
    if (expr->kind != SQL_LAMBDA) return WALK_ON;
    for (size_t i = 0; i < expr->lambda.params.n; i++)
        take_name(rw, &rw->taken, expr->lambda.params.at[i].text);
    return rewrite_on(rw);
}

static void name_sources(struct rewriter *rw) {
    for (size_t i = 0; i < rw->r->n_sources && rw->failed.why == FAIL_NONE; i++) {
        const struct resolved_source *source = rw->r->sources[i];
        if (source->source->kind != SQL_JOIN) rw->aliases[i] = rewrite_alias(rw, source->alias);
    }
}

/* -- columns of queries ----------------------------------------------------------------------- */

static bool is_taken(const struct rewriter *rw, const struct resolved_query *query, size_t before,
                     struct str name) {
    for (size_t i = 0; i < before; i++)
        if (rewrite_is_shown(&query->outputs[i]) &&
            str_ieq(rw->names[query->outputs[i].number], name))
            return true;
    return false;
}

/* Few names are compared, many are looked up. */
static void name_inner(struct rewriter *rw, const struct resolved_query *query) {
    struct map taken;
    bool is_small = query->n_outputs <= SMALL_LIST;
    map_init(&taken, rw->arena);
    taken.fold_case = true;
    for (size_t i = 0; i < query->n_outputs && rw->failed.why == FAIL_NONE; i++) {
        const struct resolved_output *output = &query->outputs[i];
        if (!rewrite_is_shown(output)) continue;
        bool is_plain = ALWAYS(output->name.len > 0) && output->name.len <= NAME_BYTES_MAX &&
                        !rewrite_is_pattern(output->name);
        if (is_small && is_plain && !is_taken(rw, query, i, output->name)) {
            rw->names[output->number] = output->name;
            continue;
        }
        /* From here on the map must know all names that came before. */
        for (size_t k = 0; is_small && k < i; k++) {
            struct str name = rw->names[query->outputs[k].number];
            if (name.ptr != NULL) take_name(rw, &taken, name);
        }
        is_small = false;
        rw->names[output->number] = unique(rw, &taken, output->name);
    }
}

/* A set operation is called as its first branch is. */
static void name_branch(struct rewriter *rw, const struct resolved_query *set) {
    const struct resolved_query *first = set->branches[0];
    for (size_t i = 0; i < set->n_outputs; i++)
        rw->names[first->outputs[i].number] = rw->names[set->outputs[i].number];
    if (first->query->kind == SQL_SET) name_branch(rw, first);
}

static void name_outputs(struct rewriter *rw, const struct resolved_query *query) {
    for (size_t i = 0; i < query->n_outputs; i++)
        if (rw->names[query->outputs[i].number].ptr != NULL) return; /* as a first branch */
    if (query == rw->r->root && query->query->kind == SQL_SELECT)
        for (size_t i = 0; i < query->n_outputs; i++)
            rw->names[query->outputs[i].number] = query->outputs[i].name;
    else
        name_inner(rw, query);
    if (query->query->kind == SQL_SET && rw->failed.why == FAIL_NONE) name_branch(rw, query);
}

static bool needs_wrap(const struct sql_query *query) {
    const struct sql_tail *tail = &query->tail;
    return tail->n_order > 0 || tail->cluster.n > 0 || tail->distribute.n > 0 || tail->n_sort > 0 ||
           tail->limit.count != NULL || NEVER(tail->limit.offset != NULL); /* none without count */
}

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct rewriter *rw = with;
    const struct resolved_query *resolved = resolved_query(rw->r, query);
    for (size_t i = 0; i < query->n_ctes && rw->failed.why == FAIL_NONE; i++)
        rw->cte_names[query->ctes[i].query->id] =
            unique(rw, &rw->taken_ctes, query->ctes[i].name.text);
    name_outputs(rw, resolved);
    bool is_root = query == rw->r->root->query;
    if (query->kind == SQL_SET && (is_root || needs_wrap(query)))
        rw->wraps[query->id] = rewrite_alias(rw, STR("u"));
    return rewrite_on(rw);
}

/* -- columns of secured tables ---------------------------------------------------------------- */

static bool is_same_path(const struct export *export, const struct str *path, size_t n_path) {
    if (export->n_path != n_path) return false;
    for (size_t i = 0; i < n_path; i++)
        if (!str_ieq(export->path[i], path[i])) return false;
    return true;
}

const struct export *rewrite_export(const struct rewriter *rw, const struct resolved_source *source,
                                    uint32_t column, const struct str *path, size_t n_path) {
    const struct exports *exports = &rw->exports[source->number];
    if (NEVER(exports->by_column == NULL)) return NULL; /* who is asked for has exports */
    if (exports->by_column[column] != 0) return &exports->at[exports->by_column[column] - 1];
    for (size_t i = 0; i < exports->n; i++)
        if (exports->at[i].column == column && is_same_path(&exports->at[i], path, n_path))
            return &exports->at[i];
    return NULL;
}

static bool is_export_name(const struct rewriter *rw, const struct resolved_source *source,
                           struct str name) {
    const struct exports *exports = &rw->exports[source->number];
    for (size_t i = 0; i < source->n_columns; i++)
        if (str_ieq(source->relation->schema->columns[i].name, name)) return true;
    for (size_t i = 0; i < exports->n; i++)
        if (str_ieq(exports->at[i].name, name)) return true;
    return false;
}

/* ext.device.os becomes the column ext_device_os. */
static struct str name_path(struct rewriter *rw, const struct resolved_source *source,
                            uint32_t column, const struct str *path, size_t n_path) {
    struct str stem = source->relation->schema->columns[column].name;
    for (size_t i = 0; i < n_path && stem.ptr != NULL; i++)
        stem = str_printf(rw->arena, STR_FMT "_" STR_FMT, STR_ARG(stem), STR_ARG(path[i]));
    struct str name = stem.len > NAME_BYTES_MAX ? utf8_clip(stem, NAME_BYTES_MAX - 8) : stem;
    stem = name;
    for (unsigned i = 2; name.ptr != NULL && is_export_name(rw, source, name); i++)
        name = str_printf(rw->arena, STR_FMT "_%u", STR_ARG(stem), i);
    return name;
}

static void add_export(struct rewriter *rw, const struct resolved_use *use) {
    const struct resolved_source *source = use->source;
    const struct grant_column *column = &source->relation->columns[use->column];
    struct exports *exports = &rw->exports[source->number];
    bool is_split = column->n_denied_fields > 0 && column->effect == GRANT_ALLOW;
    size_t n_path = is_split ? use->n_path : 0;
    if (exports->by_column == NULL)
        exports->by_column = arena_new_array(rw->arena, source->n_columns, uint32_t);
    if (exports->by_column == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    if (rewrite_export(rw, source, use->column, use->path, n_path) != NULL) return;
    struct str name = source->relation->schema->columns[use->column].name;
    if (n_path > 0) name = name_path(rw, source, use->column, use->path, n_path);
    struct export *export = ARENA_PUSH(rw->arena, exports->at, exports->n, exports->cap);
    if (name.ptr == NULL || export == NULL) {
        rewrite_no_memory(rw);
        return;
    }
    *export = (struct export){use->column, use->path, n_path, name};
    if (n_path == 0) exports->by_column[use->column] = (uint32_t)exports->n;
}

/* A name that the text gives to a column of VALUES or LATERAL VIEW, and that we may change. */
static struct str made_name(struct rewriter *rw, const struct resolved_column *column) {
    if (!rewrite_is_pattern(column->name)) return column->name;
    struct str name = str_printf(rw->arena, "weir_c%u", column->index);
    if (name.ptr == NULL) rewrite_no_memory(rw);
    return name;
}

struct str rewrite_column_name(struct rewriter *rw, const struct resolved_column *column) {
    switch (column->kind) {
    case COLUMN_BASE: {
        const struct export *export = rewrite_export(rw, column->source, column->index, NULL, 0);
        return ALWAYS(export != NULL) ? export->name : column->name;
    }
    case COLUMN_OUTPUT: return rw->names[column->source->query->outputs[column->index].number];
    case COLUMN_KEPT: return rewrite_column_name(rw, column->left);
    case COLUMN_VALUE:
    case COLUMN_MADE: return made_name(rw, column);
    case COLUMN_MERGED:
    case COLUMN_PIVOTED:
    case COLUMN_NAMING:
    case COLUMN_TURNED: break;
    }
    return column->name;
}

/* -- all -------------------------------------------------------------------------------------- */

void rewrite_name_all(struct rewriter *rw) {
    struct sql_query *root = rw->r->root->query;
    map_init(&rw->taken, rw->arena);
    map_init(&rw->taken_ctes, rw->arena);
    rw->taken.fold_case = rw->taken_ctes.fold_case = true;
    (void)sql_walk_query(root, &(struct sql_visitor){.expr = see_lambda, .with = rw});
    name_sources(rw);
    if (rw->failed.why == FAIL_NONE)
        (void)sql_walk_query(root, &(struct sql_visitor){.query = see_query, .with = rw});
    for (size_t i = 0; i < rw->r->n_uses && rw->failed.why == FAIL_NONE; i++)
        if (!rw->r->uses[i].hidden) add_export(rw, &rw->r->uses[i]);
}
