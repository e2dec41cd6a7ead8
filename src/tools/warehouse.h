/*
 * tools/warehouse.h - the parts of the warehouse toolset, a file each
 *
 * Memory:  const rows.
 * Threads: immutable.
 */
#ifndef WEIR_TOOLS_WAREHOUSE_H
#define WEIR_TOOLS_WAREHOUSE_H

#include "tools/offer.h"

extern const struct resource warehouse_resources[]; /* the catalogue, and each table */
extern const struct prompt warehouse_prompts[];     /* explore, explain, write a query */

/* Values for completion, as list_allowed_tables and describe_table tell them to this caller. */
extern const struct values domain_values, project_values, table_values, column_values,
    table_in_project_values;

#endif
