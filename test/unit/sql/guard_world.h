/*
 * A grant written down as lines of text, for the guard's tests.
 *
 *     project  sales
 *     limits   100 1000                      default and maximum
 *     joins    5 any                         most tables; `any` or `approved`
 *     star     deny | expand
 *     table    sales.default.orders [denied] [demanding] [max=N] [backend=B] [newest=PT]
 *     column   ds string [partition] [denied] [without=ip,device.imei] [mask=EXPR to the end]
 *     filter   region = 'cn'                 of the table above
 *     entry    a.default.t.k1 = a.default.u.k2, a.default.t.l1 = a.default.u.l2
 *     allow    my_udf          forbid get_user_id         notable
 *     approval high            deny critical              items 10            scan 1000000
 *     salt     0123456789abcdef              what '${mask.salt}' of a mask stands for
 *
 * A `table` line for a table that is there goes back to it. Everything lives in the world's arena.
 */
#ifndef WEIR_TEST_SQL_GUARD_WORLD_H
#define WEIR_TEST_SQL_GUARD_WORLD_H

#include "sql/grant.h"
#include "sql/types.h"

#include <assert.h>
#include <stdlib.h>

enum { WORLD_TABLES = 40, WORLD_COLUMNS = 64, WORLD_FILTERS = 4, WORLD_JOINS = 8, WORLD_LIST = 8 };

struct world_table {
    struct grant_relation relation;
    struct schema_relation schema;
    struct grant_column columns[WORLD_COLUMNS];
    struct schema_column schemas[WORLD_COLUMNS];
    struct str filters[WORLD_FILTERS];
    struct str newest; /* partition; ptr NULL: none */
};

struct world {
    struct arena *arena;
    struct grant grant;
    struct schema_source source;
    struct world_table tables[WORLD_TABLES];
    size_t n_tables;
    struct world_table *table; /* the one that lines speak of */
    struct grant_join joins[WORLD_JOINS];
    struct grant_join_on on[WORLD_JOINS][WORLD_LIST];
    struct str allowed[WORLD_LIST], denied[WORLD_LIST];
};

static inline struct str world_word(struct str *rest) {
    *rest = str_trim(*rest);
    struct str word = str_cut(rest, ' ');
    if (rest->ptr != NULL) *rest = str_trim(*rest);
    return word;
}

static inline int64_t world_number(struct str text) {
    int64_t n = 0;
    bool is_number = str_to_i64(text, &n);
    assert(is_number);
    (void)is_number;
    return n;
}

static inline struct world_table *world_find(struct world *w, struct str project, struct str schema,
                                             struct str name) {
    for (size_t i = 0; i < w->n_tables; i++) {
        const struct schema_relation *s = &w->tables[i].schema;
        if (str_ieq(s->project, project) && str_ieq(s->schema, schema) && str_ieq(s->name, name))
            return &w->tables[i];
    }
    return NULL;
}

/* Once, and not for each statement: what is kept must not depend on which allocation fails. */
static inline void world_type_masks(struct world *w, struct world_table *t) {
    for (size_t i = 0; i < t->schema.n_columns; i++) {
        if (t->columns[i].effect != GRANT_MASK || t->columns[i].mask_type != NULL) continue;
        struct sql_type *type = arena_new(w->arena, struct sql_type);
        assert(type != NULL);
        result typed = grant_mask_type(&w->grant, &t->relation, t->columns[i].mask, w->arena, type);
        assert(typed.why == FAIL_NONE);
        (void)typed;
        t->columns[i].mask_type = type;
    }
}

static inline result world_grant_find(const struct grant *grant, struct str project,
                                      struct str schema, struct str name, struct arena *arena,
                                      const struct grant_relation **out, struct report *report) {
    struct world_table *table =
        world_find((struct world *)(uintptr_t)grant->with, project, schema, name);
    (void)arena;
    (void)report;
    if (table != NULL) world_type_masks((struct world *)(uintptr_t)grant->with, table);
    *out = table != NULL ? &table->relation : NULL;
    return OK;
}

static inline result world_max_pt(const struct schema_source *source,
                                  const struct schema_relation *relation, struct arena *arena,
                                  struct str *out, struct report *report) {
    struct world *w = source->with;
    struct world_table *table = world_find(w, relation->project, relation->schema, relation->name);
    (void)arena;
    (void)report;
    *out = table != NULL ? table->newest : STR_NONE;
    return OK;
}

static inline void world_init(struct world *w, struct arena *arena) {
    *w = (struct world){.arena = arena};
    w->source.max_pt = world_max_pt;
    w->source.with = w;
    w->grant.find = world_grant_find;
    w->grant.with = w;
    w->grant.source = &w->source;
    w->grant.joins = w->joins;
    w->grant.functions_allowed = w->allowed;
    w->grant.functions_denied = w->denied;
}

/* A flag `name=value` among words; false: another flag. */
static inline bool world_flag(struct str word, struct str name, struct str *value) {
    if (!str_starts(word, name) || word.len <= name.len || word.ptr[name.len] != '=') return false;
    *value = str_slice(word, name.len + 1, word.len);
    return true;
}

static inline void world_add_table(struct world *w, struct str rest) {
    struct str name = world_word(&rest), value;
    struct str project = str_cut(&name, '.'), schema = str_cut(&name, '.');
    w->table = world_find(w, project, schema, name);
    if (w->table == NULL) {
        assert(w->n_tables < WORLD_TABLES);
        w->table = &w->tables[w->n_tables++];
        w->table->schema = (struct schema_relation){.project = project,
                                                    .schema = schema,
                                                    .name = name,
                                                    .columns = w->table->schemas,
                                                    .backend = STR("demo")};
        w->table->relation = (struct grant_relation){.schema = &w->table->schema,
                                                     .effect = GRANT_ALLOW,
                                                     .columns = w->table->columns,
                                                     .row_filters = w->table->filters};
    }
    while (rest.ptr != NULL && rest.len > 0) {
        struct str word = world_word(&rest);
        if (str_eq(word, STR("denied"))) w->table->relation.effect = GRANT_DENY;
        if (str_eq(word, STR("demanding"))) w->table->relation.require_partition_filter = true;
        if (world_flag(word, STR("max"), &value))
            w->table->relation.max_limit = world_number(value);
        if (world_flag(word, STR("backend"), &value)) w->table->schema.backend = value;
        if (world_flag(word, STR("newest"), &value)) w->table->newest = value;
    }
}

static inline void world_set_type(struct world *w, struct schema_column *column, struct str text) {
    struct sql_type *type = arena_new(w->arena, struct sql_type);
    result parsed = sql_type_parse(text, w->arena, type, NULL);
    assert(parsed.why == FAIL_NONE);
    (void)parsed;
    column->type = type;
}

static inline void world_deny_fields(struct world *w, struct grant_column *column,
                                     struct str list) {
    struct str *fields = arena_new_array(w->arena, WORLD_LIST, struct str);
    column->denied_fields = fields;
    while (list.ptr != NULL) fields[column->n_denied_fields++] = str_cut(&list, ',');
}

/* `column phone string denied`: one that is there is changed. */
static inline void world_add_column(struct world *w, struct str rest) {
    struct world_table *t = w->table;
    struct str name = world_word(&rest), type = world_word(&rest), value;
    size_t i = 0;
    while (i < t->schema.n_columns && !str_eq(t->schemas[i].name, name)) i++;
    assert(i < WORLD_COLUMNS);
    if (i == t->schema.n_columns) t->schema.n_columns++;
    struct schema_column *schema = &t->schemas[i];
    struct grant_column *column = &t->columns[i];
    *schema = (struct schema_column){.name = name};
    *column = (struct grant_column){.schema = schema, .effect = GRANT_ALLOW};
    world_set_type(w, schema, type);
    while (rest.ptr != NULL && rest.len > 0) {
        if (world_flag(rest, STR("mask"), &value)) {
            column->effect = GRANT_MASK;
            column->mask = value;
            rest = STR_NONE;
            break;
        }
        struct str word = world_word(&rest);
        if (str_eq(word, STR("partition"))) schema->is_partition = true;
        if (str_eq(word, STR("denied"))) column->effect = GRANT_DENY;
        if (world_flag(word, STR("without"), &value)) world_deny_fields(w, column, value);
    }
    if (column->effect != GRANT_ALLOW || column->n_denied_fields > 0)
        t->relation.is_restricted = true;
}

static inline void world_add_join(struct world *w, struct str rest) {
    struct grant_join *join = &w->joins[w->grant.n_joins];
    struct grant_join_on *on = w->on[w->grant.n_joins++];
    join->on = on;
    while (rest.ptr != NULL) {
        struct str pair = str_trim(str_cut(&rest, ','));
        struct str left = str_trim(str_cut(&pair, '=')), right = str_trim(pair);
        join->left_project = str_cut(&left, '.');
        join->left_schema = str_cut(&left, '.');
        join->left_table = str_cut(&left, '.');
        join->right_project = str_cut(&right, '.');
        join->right_schema = str_cut(&right, '.');
        join->right_table = str_cut(&right, '.');
        on[join->n_on++] = (struct grant_join_on){left, right};
    }
}

static inline enum risk_gate world_gate(struct str word) {
    if (str_eq(word, STR("medium"))) return RISK_GATE_MEDIUM;
    if (str_eq(word, STR("high"))) return RISK_GATE_HIGH;
    return str_eq(word, STR("critical")) ? RISK_GATE_CRITICAL : RISK_GATE_NONE;
}

/* False: no such key. `line` must outlive the world. */
static inline bool world_line(struct world *w, struct str line) {
    struct str rest = line, key = world_word(&rest);
    struct grant *g = &w->grant;
    if (str_eq(key, STR("project"))) {
        g->default_project = rest;
    } else if (str_eq(key, STR("limits"))) {
        g->default_limit = world_number(world_word(&rest));
        g->max_limit = world_number(rest);
    } else if (str_eq(key, STR("joins"))) {
        g->max_join_tables = world_number(world_word(&rest));
        g->allow_unapproved_join = str_eq(rest, STR("any"));
    } else if (str_eq(key, STR("star"))) {
        g->star = str_eq(rest, STR("expand")) ? GRANT_STAR_EXPAND : GRANT_STAR_DENY;
    } else if (str_eq(key, STR("table"))) {
        world_add_table(w, rest);
    } else if (str_eq(key, STR("column"))) {
        world_add_column(w, rest);
    } else if (str_eq(key, STR("filter"))) {
        assert(w->table->relation.n_row_filters < WORLD_FILTERS);
        w->table->filters[w->table->relation.n_row_filters++] = rest;
    } else if (str_eq(key, STR("entry"))) {
        world_add_join(w, rest);
    } else if (str_eq(key, STR("allow"))) {
        w->allowed[g->n_functions_allowed++] = rest;
    } else if (str_eq(key, STR("forbid"))) {
        w->denied[g->n_functions_denied++] = rest;
    } else if (str_eq(key, STR("salt"))) {
        g->salt = rest;
    } else if (str_eq(key, STR("notable"))) {
        g->allow_no_table = true;
    } else if (str_eq(key, STR("approval"))) {
        g->approval_at = world_gate(rest);
    } else if (str_eq(key, STR("deny"))) {
        g->deny_at = world_gate(rest);
    } else if (str_eq(key, STR("scan"))) {
        g->max_scan_bytes = world_number(rest);
    } else if (str_eq(key, STR("items"))) {
        g->limits.select_items = (size_t)world_number(rest);
    } else {
        return false;
    }
    return true;
}

#endif
