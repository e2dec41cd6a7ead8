/*
 * backend/catalogue.h - the relations that a backend knows, in memory
 *
 * Filled while a backend opens, sealed, and immutable from then on. It is filled from a file in one
 * of three forms (ours in YAML; a map or a list of tables in JSON, as warehouses export them), or
 * column by column from what an engine tells.
 *
 * Names are kept in lower case. A table is named PROJECT.SCHEMA.TABLE, PROJECT.TABLE (schema
 * `default`) or TABLE (schema `default` of the default project).
 *
 * Memory:  everything lives in the arena given at init, which must outlive the catalogue.
 * Errors:  what is wrong in a file is a problem at its place, and then the answer is FAIL_CONFIG;
 *          FAIL_MEMORY.
 * Threads: one while filling; any number once sealed.
 */
#ifndef WEIR_BACKEND_CATALOGUE_H
#define WEIR_BACKEND_CATALOGUE_H

#include "base/map.h"
#include "sql/schema.h"
#include "text/problem.h"

struct catalogue {
    struct arena *arena;
    struct str backend;         /* stands in every relation */
    struct str default_project; /* may be empty: then bare names are refused */
    struct map by_name;         /* project NUL schema NUL name -> relation */
    const struct schema_relation **relations;
    size_t n, cap;
};

struct table_name {
    struct str project, schema, name; /* lower case */
};

void catalogue_init(struct catalogue *catalogue, struct arena *arena, struct str backend,
                    struct str default_project);

/* Splits a name as people write it. FAIL_INPUT: no such form (empty part, more than three parts, no
 * project given and no default). */
MUST_USE result table_name_split(struct str text, struct str default_project, struct arena *arena,
                                 struct table_name *out, struct report *report);

/* Adds a relation; its columns are borrowed. FAIL_INPUT when the name is there already. */
MUST_USE result catalogue_add(struct catalogue *catalogue, const struct table_name *name,
                              struct str comment, const struct schema_column *columns,
                              size_t n_columns, struct report *report);

/* Adds all tables of a schema file. `name` is the file's name for people; one that ends with .json
 * may hold other keys than we know, for it was not written for us. */
MUST_USE result catalogue_read(struct catalogue *catalogue, struct str text, struct str name,
                               struct problems *problems);

/* Sorts by project, schema, name. Before it, catalogue_list() has the order of addition. */
void catalogue_seal(struct catalogue *catalogue);

/* NULL: no such relation. */
const struct schema_relation *catalogue_find(const struct catalogue *catalogue, struct str project,
                                             struct str schema, struct str name);

/* The column that MAX_PT looks at: the first partition column. NULL: not partitioned. */
const struct schema_column *relation_partition(const struct schema_relation *relation);

#endif
