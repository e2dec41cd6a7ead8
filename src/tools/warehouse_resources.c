/*
 * tools/warehouse_resources.c - the catalogue and its tables, to be read by their addresses
 */
#include "backend/backend.h"
#include "base/limits.h"
#include "tools/result.h"
#include "tools/table.h"
#include "tools/warehouse.h"

/* -- values ----------------------------------------------------------------------------------- */

#define TABLES                                                                                     \
    { "list_allowed_tables", NULL }

const struct values domain_values = {.source = TABLES, .list = "/tables", .member = "domain"};
const struct values project_values = {.source = TABLES, .list = "/tables", .member = "project"};
const struct values table_values = {.source = TABLES, .list = "/tables", .member = "table"};
const struct values table_in_project_values = {.source = {"list_allowed_tables", "project"},
                                               .from = "project",
                                               .list = "/tables",
                                               .member = "table",
                                               .is_behind_dot = true};
const struct values column_values = {.source = {"describe_table", "table"},
                                     .from = "table",
                                     .needs_from = true,
                                     .list = "/columns",
                                     .member = "name"};

/* -- tables ----------------------------------------------------------------------------------- */

/* A whole name, of two parts or three, as the template says it: without quotes and blanks, which
 * table_split() would take off. */
static bool is_table(struct str value) {
    struct table_ref ref;
    if (value.len > TABLE_NAME_BYTES_MAX || str_find_byte(value, '.') == value.len) return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '`' || value.ptr[i] == ' ') return false;
    return table_split(value, STR_NONE, &ref);
}

static struct str summary_of(struct arena *arena, const struct policy_table *table) {
    struct str domain = table->domain_name.len > 0 ? table->domain_name : table->domain;
    if (domain.len == 0) return STR("Columns, partitions and limits. 字段、分区与限制。");
    return str_printf(arena,
                      "Columns, partitions and limits; domain " STR_FMT ". 字段、分区与限制。",
                      STR_ARG(domain));
}

extern const struct resource warehouse_resources[];
enum { ROW_TABLE = 1 };

static result show_table(struct call *call, const struct policy_table *table, listed_see *see,
                         void *with) {
    struct listed item = {.name = table_name(&call->arena, table),
                          .title = table->name,
                          .summary = summary_of(&call->arena, table)};
    if (item.name.ptr == NULL) return fail_memory(&call->report);
    item.uri = resource_uri(&warehouse_resources[ROW_TABLE], item.name, &call->arena);
    if (item.uri.ptr == NULL || item.summary.ptr == NULL) return fail_memory(&call->report);
    return see(with, &item);
}

/* A table that the policy grants and no backend has cannot be read, so it is not shown. One whose
 * backend cannot say now is: reading it will tell. */
static result list_tables(struct call *call, listed_see *see, void *with) {
    struct schema_source source = backend_set_source(call->snapshot->backends);
    const struct policy_table *const *tables;
    size_t n;
    TRY(policy_tables(call->snapshot->policy, &call->principal, &call->arena, &tables, &n,
                      &call->report));
    for (size_t i = 0; i < n; i++) {
        const struct schema_relation *relation = NULL;
        struct report unused = {0};
        result r = source.find(&source, tables[i]->project, tables[i]->schema, tables[i]->name,
                               &call->arena, &relation, &unused);
        if (r.why == FAIL_MEMORY) return fail_memory(&call->report);
        if (r.why == FAIL_NONE && relation == NULL) continue;
        TRY(show_table(call, tables[i], see, with));
    }
    return OK;
}

static const struct argument table_arguments[] = {
    {"project", "The project. 项目。", true, &project_values},
    {"table", "The table, or schema.table. 表名。", true, &table_in_project_values},
    {0},
};

static const struct argument result_arguments[] = {
    {"id", "The result, as a cut reply names it. 结果编号。", true, NULL},
    {"from", "The first row to read, from 0. 起始行。", false, NULL},
    {0},
};

const struct resource warehouse_resources[] = {
    {.name = "catalog",
     .uri = "weir://catalog",
     .title = "The tables you may query",
     .summary = "All tables that you may read, with domain, owner and sensitivity. 可查询的表。",
     .mime_type = "application/json",
     .source = TABLES},
    [ROW_TABLE] = {.name = "table",
                   .uri = "weir://table/{project}.{table}",
                   .title = "A table",
                   .summary = "A table's columns that you may read, its partitions and limits. "
                              "表的字段、分区与限制。",
                   .mime_type = "application/json",
                   .source = {"describe_table", "table"},
                   .arguments = table_arguments,
                   .fits = is_table,
                   .list = list_tables},
    {.name = "result",
     .uri = "weir://result/{id}{?from}",
     .title = "A result, read on",
     .summary = "Rows that did not fit a reply, for who asked and for some minutes. "
                "未放进回复的结果行,短时间内可续读。",
     .mime_type = "application/json",
     .source = {"run_select_sql", "result"},
     .arguments = result_arguments,
     .fits = result_is_address},
    {0},
};
