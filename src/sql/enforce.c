/* The order of the rules, relations, constructs, columns and stars: see enforce.h. */
#include "sql/enforce.h"

#include "base/always.h"
#include "base/limits.h"
#include "sql/joins.h"

/* -- relations -------------------------------------------------------------------------------- */

/* A relation of which no column is granted is not granted: not even its rows are counted. */
static bool grants_something(const struct grant_relation *relation) {
    /* The resolver tells the first one that is denied. */
    if (NEVER(relation->effect != GRANT_ALLOW) || relation->columns == NULL) return false;
    for (size_t i = 0; i < relation->schema->n_columns; i++) {
        enum grant_effect effect = relation->columns[i].effect;
        if (effect == GRANT_ALLOW || effect == GRANT_MASK) return true;
    }
    return false;
}

static result check_relations(const struct resolved *r, struct report *report) {
    if (r->denied != NULL) return sql_refuse_table(r->denied_as, report);
    /* Said once more from the sources, so that a slip in the resolver grants nothing. */
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct resolved_source *source = r->sources[i];
        if (source->source->kind != SQL_TABLE || source->cte != NULL) continue;
        if (NEVER(source->relation == NULL) || !grants_something(source->relation))
            return sql_refuse_table(&source->source->table, report);
    }
    return OK;
}

/* All relations must be one backend's: nobody joins across two. */
static result find_backend(const struct resolved *r, struct enforced *out, struct report *report) {
    const struct schema_relation *first = NULL;
    size_t n = r->n_sources + r->n_calls;
    for (size_t i = 0; i < n; i++) {
        const struct grant_relation *relation =
            i < r->n_sources ? r->sources[i]->relation : r->calls[i - r->n_sources]->relation;
        if (relation == NULL) continue;
        out->facts.has_relation = true;
        if (first == NULL) first = relation->schema;
        if (!str_eq(first->backend, relation->schema->backend))
            return fail(report, FAIL_DENIED, "SQL_NOT_SUPPORTED", REPORT_NO_OFFSET,
                        "'" STR_FMT "' and '" STR_FMT "' lie in two backends, and no statement "
                        "reads from two",
                        STR_ARG(first->name), STR_ARG(relation->schema->name));
    }
    if (first != NULL) out->backend = first->backend;
    return OK;
}

/* -- constructs ------------------------------------------------------------------------------- */

struct look {
    const struct resolved *r;
    struct report *report;
    struct enforced *out;
    result failed;
};

static enum walk refuse(struct look *look, struct sql_span span, const char *what,
                        const char *hint) {
    look->failed = fail(look->report, FAIL_DENIED, "SQL_NOT_SUPPORTED", span.from,
                        "%s are not accepted", what);
    if (hint != NULL) fail_hint(look->report, "%s", hint);
    return WALK_STOP;
}

static bool is_count(const struct resolved *r, const struct sql_expr *expr) {
    if (NEVER(expr->kind != SQL_CALL)) return false; /* the resolver lets stars into calls alone */
    const struct resolved_call *call = resolved_call(r, expr);
    return call->function != NULL && strcmp(call->function->name, "count") == 0;
}

/* count(*) counts rows; every other star stands for columns. */
static bool is_star(const struct resolved *r, const struct sql_expr *expr,
                    const struct sql_expr *parent) {
    if (parent == NULL || !is_count(r, parent)) return true;
    return parent->call.distinct || parent->call.args.n > 1 || expr->star.qualifier.n > 0 ||
           expr->star.except.n > 0 || expr->star.n_replace > 0;
}

static bool shows_column(const struct resolved_star *star) {
    for (size_t i = 0; i < star->n_columns; i++)
        if (!star->columns[i]->hidden) return true;
    return false;
}

static result refuse_empty_star(struct report *report, struct sql_span span) {
    return fail(report, FAIL_DENIED, "SELECT_STAR_NOT_ALLOWED", span.from,
                "no column that the star means is granted");
}

static enum walk see_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct look *look = with;
    if (NEVER(expr->kind == SQL_PARAM)) /* the resolver refuses it */
        return refuse(look, expr->span, "parameters",
                      "Write the value itself; it is checked like the rest of the statement.");
    if (expr->kind != SQL_STAR && expr->kind != SQL_REF) return WALK_ON;
    const struct resolved_star *star = resolved_star(look->r, expr);
    if (star == NULL || (expr->kind == SQL_STAR && !is_star(look->r, expr, place->in_expr)))
        return WALK_ON;
    look->out->facts.has_star = true;
    if (place->in_expr == NULL) return WALK_ON;
    if (!is_count(look->r, place->in_expr))
        return refuse(look, expr->span, "stars as arguments of anything but count", NULL);
    /* Patterns are items, and no arguments. */
    if (ALWAYS(expr->kind == SQL_STAR) && expr->star.n_replace > 0)
        return refuse(look, expr->span, "stars with REPLACE as arguments", NULL);
    if (shows_column(star)) return WALK_ON;
    look->failed = refuse_empty_star(look->report, expr->span);
    return WALK_STOP;
}

static enum walk see_constant(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    /* The resolver refuses queries here. */
    if (NEVER(expr->kind == SQL_SUBQUERY || expr->kind == SQL_IN_QUERY || expr->kind == SQL_EXISTS))
        return WALK_STOP;
    if (expr->kind != SQL_REF) return WALK_ON;
    const struct resolved_ref *ref = resolved_ref(with, expr);
    return ALWAYS(ref != NULL) && ref->kind == REF_CALL ? WALK_SKIP : WALK_STOP; /* CURRENT_DATE */
}

static bool is_constant(const struct resolved *r, struct sql_expr *expr) {
    void *with = (void *)(uintptr_t)r; /* which the visitor only reads */
    struct sql_visitor visitor = {.expr = see_constant, .with = with};
    return expr == NULL || sql_walk_expr(expr, &visitor) != WALK_STOP;
}

static enum walk see_table(struct look *look, struct sql_source *source) {
    const struct resolved_source *resolved = resolved_source(look->r, source);
    const struct grant_relation *relation = resolved->relation;
    if (source->travel.kind == SQL_TRAVEL_NONE) return WALK_ON;
    /* A row that was hidden or deleted since must not come back by asking of the past. */
    if (relation == NULL || relation->n_row_filters > 0)
        return refuse(look, source->span, "time travel on a table with row policies, or on a CTE,",
                      NULL);
    if (!is_constant(look->r, source->travel.from) || !is_constant(look->r, source->travel.to))
        return refuse(look, source->span, "times and versions that are no constants", NULL);
    return WALK_ON;
}

/* Two columns of one name that the source itself makes: neither could be printed. */
static enum walk see_made(struct look *look, const struct sql_source *source) {
    const struct resolved_source *resolved = resolved_source(look->r, source);
    for (size_t i = 0; i < resolved->n_columns; i++) {
        const struct resolved_column *column = &resolved->columns[i];
        if (!column->is_twice) continue;
        look->failed =
            fail(look->report, FAIL_INPUT, "SQL_NAME_ERROR", source->span.from,
                 "two columns are called '" STR_FMT "'", STR_ARG(utf8_clip(column->name, 128)));
        return WALK_STOP;
    }
    return WALK_ON;
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    (void)place;
    struct look *look = with;
    if (source->kind == SQL_TABLE) return see_table(look, source);
    bool makes_columns = source->kind == SQL_VALUES || source->kind == SQL_LATERAL ||
                         source->kind == SQL_PIVOT || source->kind == SQL_UNPIVOT;
    if (makes_columns && see_made(look, source) == WALK_STOP) return WALK_STOP;
    if (source->kind == SQL_PIVOT || source->kind == SQL_UNPIVOT) {
        const struct sql_source *input =
            source->kind == SQL_PIVOT ? source->pivot->input : source->unpivot->input;
        if (input->kind != SQL_TABLE && input->kind != SQL_DERIVED)
            return refuse(look, source->span, "PIVOT and UNPIVOT of anything but one source",
                          "Put the join into a derived table that selects the columns needed.");
    }
    if (ALWAYS(source->kind != SQL_FUNCTION)) return WALK_ON; /* the resolver refuses it */
    const struct sql_names *name = &source->call->call.name;
    look->failed = fail(look->report, FAIL_DENIED, "FUNCTION_NOT_ALLOWED", source->span.from,
                        "'" STR_FMT "' as a source: parameterised views and table functions in "
                        "FROM are not accepted",
                        STR_ARG(utf8_clip(name->at[name->n - 1].text, 128)));
    return WALK_STOP;
}

/* The block itself reads a base table, not only through derived tables. */
static bool reads_table(const struct resolved_source *source) {
    if (source == NULL) return false;
    if (source->relation != NULL) return true;
    if (source->query != NULL) return false;
    return reads_table(source->left) || reads_table(source->right);
}

static result check_items(struct look *look, const struct resolved_query *query) {
    size_t max = look->r->grant->limits.select_items;
    size_t n = 0;
    if (max == 0) max = SQL_SELECT_ITEMS_MAX;
    for (size_t i = 0; i < query->n_outputs; i++) n += !query->outputs[i].hidden;
    struct sql_span span = query->query->span;
    if (NEVER(n > max)) /* the resolver has counted them, hidden ones too */
        return fail(look->report, FAIL_LIMIT, "SQL_TOO_LARGE", span.from,
                    "more than %zu columns are selected", max);
    if (n > 0) return OK;
    return refuse_empty_star(look->report, span);
}

static size_t cube_keys(const struct sql_group *groups, size_t n) {
    size_t keys = 0;
    for (size_t i = 0; i < n; i++) {
        if (groups[i].kind == SQL_GROUP_CUBE) keys += groups[i].n_items;
        keys += cube_keys(groups[i].items, groups[i].n_items);
    }
    return keys;
}

/* CUBE of n keys groups 2^n times. */
static result check_cube(struct look *look, const struct sql_query *query) {
    const struct sql_group_by *by = &query->select->group_by;
    size_t keys = cube_keys(by->items, by->n_items) + cube_keys(by->sets, by->n_sets);
    if (by->suffix == SQL_GROUP_CUBE) keys += by->n_items;
    if (keys <= SQL_CUBE_MAX) return OK;
    return fail(look->report, FAIL_LIMIT, "SQL_TOO_LARGE", query->span.from,
                "CUBE of more than %d keys", SQL_CUBE_MAX);
}

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct look *look = with;
    const struct resolved_query *resolved = resolved_query(look->r, query);
    look->failed = check_items(look, resolved);
    if (query->kind == SQL_SELECT && look->failed.why == FAIL_NONE)
        look->failed = check_cube(look, query);
    if (query->kind == SQL_SELECT && query->select->where == NULL && reads_table(resolved->from))
        look->out->facts.has_unfiltered_block = true;
    return look->failed.why == FAIL_NONE ? WALK_ON : WALK_STOP;
}

static result check_constructs(const struct resolved *r, struct enforced *out,
                               struct report *report) {
    struct look look = {.r = r, .report = report, .out = out, .failed = OK};
    struct sql_visitor visitor = {
        .expr = see_expr, .query = see_query, .source = see_source, .with = &look};
    (void)sql_walk_query(r->root->query, &visitor);
    return look.failed;
}

/* -- columns ---------------------------------------------------------------------------------- */

static bool next_part(struct str *rest, struct str *part) {
    if (rest->ptr == NULL) return false;
    *part = str_cut(rest, '.');
    return true;
}

bool enforce_field_denied(const struct grant_column *column, const struct str *path,
                          size_t n_path) {
    for (size_t i = 0; i < column->n_denied_fields; i++) {
        struct str rest = column->denied_fields[i], part;
        size_t at = 0;
        bool is_along = true;
        while (is_along && at < n_path && next_part(&rest, &part))
            is_along = str_ieq(part, path[at++]);
        /* Either ends on the way of the other: it contains the field, or lies within it. */
        if (is_along) return true;
    }
    return false;
}

static bool is_denied(const struct resolved_use *use) {
    const struct grant_column *column = &use->source->relation->columns[use->column];
    if (use->how == USE_REVEALED) return true;
    switch (column->effect) {
    case GRANT_ALLOW: return enforce_field_denied(column, use->path, use->n_path);
    case GRANT_MASK: return false;
    case GRANT_DENY: break;
    }
    return true;
}

static result refuse_star(const struct resolved_use *use, struct report *report) {
    result refused = fail(report, FAIL_DENIED, "SELECT_STAR_NOT_ALLOWED", use->span.from,
                          "a star on '" STR_FMT "', whose columns are restricted",
                          STR_ARG(use->source->relation->schema->name));
    const struct grant_relation *relation = use->source->relation;
    char text[REPORT_HINT_MAX];
    size_t n = 0;
    for (size_t i = 0; i < relation->schema->n_columns; i++) {
        const struct grant_column *column = &relation->columns[i];
        struct str name = relation->schema->columns[i].name;
        if (column->effect == GRANT_DENY || column->n_denied_fields > 0) continue;
        if (n + name.len + 2 > sizeof text / 2) break;
        if (n > 0) text[n++] = ',', text[n++] = ' ';
        memcpy(text + n, name.ptr, name.len);
        n += name.len;
    }
    if (n > 0) fail_hint(report, "Name the columns: " STR_FMT ".", (int)n, text);
    return refused;
}

/* A star over a restricted relation, where stars are not expanded. */
static bool is_denied_star(const struct resolved *r, const struct resolved_use *use) {
    return use->how == USE_STAR && r->grant->star != GRANT_STAR_EXPAND &&
           (use->source->relation->is_restricted || is_denied(use));
}

static result deny_column(const struct resolved *r, const struct resolved_use *use,
                          struct arena *arena, struct report *report) {
    TRY(enforce_names(r->root->query, r->grant, arena, report));
    const struct grant_column *column = &use->source->relation->columns[use->column];
    if (use->how != USE_REVEALED && column->effect == GRANT_ALLOW) {
        struct str name = utf8_clip(column->schema->name, 128);
        result refused = fail(report, FAIL_DENIED, "COLUMN_NOT_ALLOWED", use->span.from,
                              "the struct '" STR_FMT "' is not granted as a whole", STR_ARG(name));
        fail_hint(report, "Name the fields that you need, as in " STR_FMT ".FIELD.", STR_ARG(name));
        return refused;
    }
    /* Without the column the statement means something: NATURAL would join on fewer columns, PIVOT
     * group by fewer. It is not ours to choose that meaning. */
    return fail(
        report, FAIL_DENIED, "COLUMN_NOT_ALLOWED", use->span.from,
        "a column that is not granted is joined on, grouped by or read without being named");
}

/* What is named comes first: a name that does not exist would have been the first thing to be told,
 * and one that is denied must not be told later. */
static result check_columns(const struct resolved *r, struct arena *arena, struct report *report) {
    for (size_t i = 0; i < r->n_uses; i++)
        if (r->uses[i].how != USE_STAR && is_denied(&r->uses[i]))
            return deny_column(r, &r->uses[i], arena, report);
    for (size_t i = 0; i < r->n_uses; i++) {
        if (r->uses[i].hidden) continue; /* a star that is expanded leaves it out */
        if (is_denied_star(r, &r->uses[i])) return refuse_star(&r->uses[i], report);
        /* Where stars are expanded, all that they show is granted. */
        if (NEVER(is_denied(&r->uses[i]))) return deny_column(r, &r->uses[i], arena, report);
    }
    return OK;
}

static result check_table_required(const struct resolved *r, const struct enforced *out,
                                   struct report *report) {
    if (out->facts.has_relation || r->grant->allow_no_table) return OK;
    return fail(report, FAIL_DENIED, "TABLE_REFERENCE_REQUIRED", REPORT_NO_OFFSET,
                "the statement reads no table");
}

/* -- all -------------------------------------------------------------------------------------- */

result enforce(const struct resolved *r, int64_t limit, struct arena *arena, struct enforced *out,
               struct report *report) {
    struct joins_found joins;
    *out = (struct enforced){0};
    TRY(check_relations(r, report));
    TRY(check_columns(r, arena, report));
    TRY(check_constructs(r, out, report));
    TRY(enforce_functions(r, arena, report));
    TRY(find_backend(r, out, report));
    TRY(check_table_required(r, out, report));
    TRY(enforce_limits(r, limit, out, report));
    TRY(joins_check(r, arena, &joins, report));
    out->n_joins = joins.n_joins;
    out->facts.has_cross_join = joins.has_cross_join;
    out->facts.join_tables = joins.most_tables;
    out->facts.max_join_tables = r->grant->max_join_tables;
    return enforce_partitions(r, arena, out, report);
}
