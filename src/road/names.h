/*
 * road/names.h - names as the seed's users know them
 *
 * The guard tells project.schema.table[.column]; envelope and record show a table as a person
 * writes it (project.table where the schema is the default one) and a column by its own name (seed
 * A5, A12).
 *
 * Threads: no shared state.
 */
#ifndef WEIR_ROAD_NAMES_H
#define WEIR_ROAD_NAMES_H

#include "sql/guard.h"
#include "text/json.h"

/* Each an array of texts. */
void names_put_tables(struct json_writer *w, const struct name_list *tables);
void names_put_columns(struct json_writer *w, const struct name_list *columns);

#endif
