/*
 * tools/warehouse.c - the warehouse toolset: what tables are there, what is in them, ask them
 *
 * list_allowed_tables and describe_table answer from memory; preview_table and run_select_sql walk
 * through the guard (tools/query.h). A table that is not granted does not exist here.
 */
#include "tools/warehouse.h"
#include "backend/backend.h"
#include "base/limits.h"
#include "shape/items.h"
#include "shape/text.h"
#include "sql/types.h"
#include "tools/query.h"
#include "tools/result.h"
#include "tools/table.h"
#include "tools/tool.h"

/* -- list_allowed_tables ---------------------------------------------------------------------- */

struct list_input {
    struct str project, domain;
};

static const struct field list_fields[] = {
    {"project", FIELD_TEXT, offsetof(struct list_input, project), false, 1, 256,
     "Only tables of this project. 只列出该项目的表。"},
    {"domain", FIELD_TEXT, offsetof(struct list_input, domain), false, 1, 256,
     "Only tables of this business domain (its id). 只列出该业务域的表。"},
    {0},
};

static void put_optional(struct json_writer *w, struct str key, struct str text) {
    if (text.len > 0) json_put_text(w, key, text);
}

/* What somebody wrote into the warehouse. */
static void put_comment(const struct call *call, struct str text, struct json_writer *w) {
    if (text.len > 0) text_put(w, STR("comment"), text, text_form_of(call));
}

/* A name that found no memory would be a wrong answer. */
static result put_table_name(struct call *call, const struct policy_table *t,
                             struct json_writer *w) {
    struct str name = table_name(&call->arena, t);
    if (name.ptr == NULL) return fail_memory(&call->report);
    text_put(w, STR("table"), name, text_form_of(call));
    return OK;
}

static result write_table(struct call *call, const struct policy_table *t, struct json_writer *w) {
    json_object(w);
    TRY(put_table_name(call, t, w));
    text_put(w, STR("project"), t->project, text_form_of(call));
    text_put(w, STR("name"), t->name, text_form_of(call));
    put_optional(w, STR("domain"), t->domain);
    put_optional(w, STR("domain_name"), t->domain_name);
    put_optional(w, STR("owner"), t->owner);
    put_optional(w, STR("sensitivity"), t->sensitivity);
    json_put_bool(w, STR("require_partition_filter"), t->require_partition_filter);
    json_object_end(w);
    return OK;
}

static result list_run(struct call *call, const void *in, struct json_writer *w) {
    const struct list_input *input = in;
    const struct policy *policy = call->snapshot->policy;
    const struct policy_table *const *tables;
    struct items items;
    size_t n;
    if (input->project.len > 0 && !policy_may_project(policy, &call->principal, input->project))
        return fail(&call->report, FAIL_DENIED, "PROJECT_NOT_ALLOWED", REPORT_NO_OFFSET,
                    "project '" STR_FMT "' is not allowed for this caller",
                    STR_ARG(str_slice(input->project, 0, 128)));
    TRY(policy_tables(policy, &call->principal, &call->arena, &tables, &n, &call->report));
    json_object(w);
    items_begin(&items, call, w, STR("tables"));
    for (size_t i = 0; i < n; i++) {
        if (input->project.len > 0 && !str_ieq(tables[i]->project, input->project)) continue;
        if (input->domain.len > 0 && !str_eq(tables[i]->domain, input->domain)) continue;
        if (items_are_full(&items)) continue;
        TRY(write_table(call, tables[i], w));
        items_take(&items);
    }
    TRY(items_end(&items, "tables",
                  "Ask for one project or domain, or describe a table by its name."));
    json_put_int(w, STR("count"), (int64_t)items.fit.n_seen);
    json_object_end(w);
    return OK;
}

/* -- describe_table --------------------------------------------------------------------------- */

struct describe_input {
    struct str table, project;
};

static const struct field describe_fields[] = {
    {"table", FIELD_TEXT, offsetof(struct describe_input, table), true, 1, 512,
     "The table: project.table, or table alone in the default project. 表名。"},
    {"project", FIELD_TEXT, offsetof(struct describe_input, project), false, 1, 256,
     "The project of a table named alone. 项目名。"},
    {0},
};

static result write_column(struct call *call, const struct grant_column *column,
                           struct json_writer *w) {
    struct buf type;
    bool is_masked = column->effect == GRANT_MASK;
    buf_init(&type, 64 * KIB);
    sql_type_print(is_masked ? column->mask_type : column->schema->type, &type);
    json_object(w);
    text_put(w, STR("name"), column->schema->name, text_form_of(call));
    text_put(w, STR("type"), buf_flat(&type, &call->arena), text_form_of(call));
    put_comment(call, column->schema->comment, w);
    if (column->schema->is_partition) json_put_bool(w, STR("is_partition"), true);
    if (is_masked) json_put_bool(w, STR("is_masked"), true);
    json_object_end(w);
    result r = buf_failed(&type, &call->report);
    buf_deinit(&type);
    return r;
}

static void write_partitions(const struct grant_relation *relation,
                             const struct policy_table *table, struct json_writer *w) {
    static const struct str strategy[] = {STR_INIT("none"), STR_INIT("max_pt"), STR_INIT("range")};
    json_key(w, STR("partitions"));
    json_object(w);
    json_key(w, STR("columns"));
    json_array(w);
    for (size_t i = 0; i < relation->schema->n_columns; i++)
        if (relation->schema->columns[i].is_partition)
            json_text(w, relation->schema->columns[i].name);
    json_array_end(w);
    json_put_bool(w, STR("required"), relation->require_partition_filter);
    put_optional(w, STR("default_field"), table->default_partition_field);
    json_put_text(w, STR("default_strategy"), strategy[table->default_partition_strategy]);
    put_optional(w, STR("format"), table->default_partition_format);
    json_object_end(w);
}

static result describe_run(struct call *call, const void *in, struct json_writer *w) {
    const struct describe_input *input = in;
    const struct grant_relation *relation = NULL;
    const struct policy_table *table = NULL;
    struct schema_source source = backend_set_source(call->snapshot->backends);
    TRY(table_find(call, input->table, input->project, &source, &relation, &table));
    json_object(w);
    TRY(put_table_name(call, table, w));
    json_put_text(w, STR("project"), table->project);
    put_comment(call, relation->schema->comment, w);
    put_optional(w, STR("domain"), table->domain);
    put_optional(w, STR("owner"), table->owner);
    put_optional(w, STR("sensitivity"), table->sensitivity);
    write_partitions(relation, table, w);
    json_put_bool(w, STR("has_row_policy"), relation->n_row_filters > 0);
    if (relation->max_limit > 0) json_put_int(w, STR("max_limit"), relation->max_limit);
    struct items items; /* last: it takes the room that is left */
    items_begin(&items, call, w, STR("columns"));
    for (size_t i = 0; i < relation->schema->n_columns; i++) {
        if (items_are_full(&items)) continue;
        TRY(write_column(call, &relation->columns[i], w));
        items_take(&items);
    }
    TRY(items_end(&items, "columns",
                  "Name the columns that you need in SQL; all of them can be used."));
    json_object_end(w);
    return OK;
}

/* -- preview_table ---------------------------------------------------------------------------- */

struct preview_input {
    struct str table, project, partition;
    struct field_list columns;
    int64_t limit;
};

static const struct field preview_fields[] = {
    {"table", FIELD_TEXT, offsetof(struct preview_input, table), true, 1, 512,
     "The table: project.table, or table alone in the default project. 表名。"},
    {"project", FIELD_TEXT, offsetof(struct preview_input, project), false, 1, 256,
     "The project of a table named alone. 项目名。"},
    {"columns", FIELD_TEXT_LIST, offsetof(struct preview_input, columns), false, 1, 1000,
     "Columns to show; all allowed ones when absent. 要显示的列。"},
    {"partition", FIELD_TEXT, offsetof(struct preview_input, partition), false, 1, 1024,
     "A partition such as pt=20260506 or ds=20260506,hr=10; the newest when absent. 分区。"},
    {"limit", FIELD_INT, offsetof(struct preview_input, limit), false, 1, 10000,
     "Rows, 10 when absent. 行数。"},
    {0},
};

/* The texts below only form a statement; the guard reads it like any caller's. */
static void put_identifier(struct buf *sql, struct str name) {
    buf_add_byte(sql, '`');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '`') buf_add_byte(sql, '`');
        buf_add_byte(sql, name.ptr[i]);
    }
    buf_add_byte(sql, '`');
}

static void put_literal(struct buf *sql, struct str text) {
    buf_add_byte(sql, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'' || text.ptr[i] == '\\') buf_add_byte(sql, '\\');
        buf_add_byte(sql, text.ptr[i]);
    }
    buf_add_byte(sql, '\'');
}

/* Columns whose fields are partly denied cannot be shown whole, so a preview leaves them out. */
static void put_columns(struct buf *sql, const struct grant_relation *relation,
                        const struct field_list *wanted) {
    size_t n = 0;
    for (size_t i = 0; i < wanted->n; i++, n++) {
        if (n > 0) buf_add(sql, STR(", "));
        put_identifier(sql, wanted->items[i]);
    }
    for (size_t i = 0; wanted->n == 0 && i < relation->schema->n_columns; i++) {
        const struct grant_column *c = &relation->columns[i];
        if (c->n_denied_fields > 0) continue;
        if (n++ > 0) buf_add(sql, STR(", "));
        put_identifier(sql, c->schema->name);
    }
}

static void put_table(struct buf *sql, const struct schema_relation *s) {
    put_identifier(sql, s->project);
    buf_add_byte(sql, '.');
    if (!str_eq(s->schema, STR("default"))) {
        put_identifier(sql, s->schema);
        buf_add_byte(sql, '.');
    }
    put_identifier(sql, s->name);
}

/* pt=20260506,hr='10' → `pt` = '20260506' AND `hr` = '10' */
static bool put_partition(struct buf *sql, struct str spec) {
    const char *before = " WHERE ";
    for (struct str rest = spec; rest.ptr != NULL; before = " AND ") {
        struct str value = str_cut(&rest, ',');
        struct str name = str_trim(str_cut(&value, '='));
        value = str_trim(value);
        if (name.len == 0 || value.len == 0) return false;
        char quote = value.ptr[0];
        if (value.len > 1 && (quote == '\'' || quote == '"') && value.ptr[value.len - 1] == quote)
            value = str_slice(value, 1, value.len - 1);
        buf_add(sql, str_of(before));
        put_identifier(sql, name);
        buf_add(sql, STR(" = "));
        put_literal(sql, value);
    }
    return true;
}

static void put_newest_partition(struct buf *sql, const struct policy_table *table,
                                 struct arena *arena) {

    if (table->default_partition_strategy == PARTITION_NONE) return;
    buf_add(sql, STR(" WHERE "));
    put_identifier(sql, table->default_partition_field);
    buf_add(sql, STR(" = max_pt("));
    put_literal(sql, table_name(arena, table));
    buf_add(sql, STR(")"));
}

enum { PREVIEW_ROWS = 10 };

static result preview_sql(struct call *call, const struct preview_input *input,
                          const struct grant_relation *relation, const struct policy_table *table,
                          struct buf *sql) {
    buf_add(sql, STR("SELECT "));
    put_columns(sql, relation, &input->columns);
    buf_add(sql, STR(" FROM "));
    put_table(sql, relation->schema);
    if (input->partition.len == 0)
        put_newest_partition(sql, table, &call->arena);
    else if (!put_partition(sql, input->partition))
        return fail(&call->report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "argument 'partition' must be of the form name=value[,name=value]");
    buf_addf(sql, " LIMIT %lld", (long long)(input->limit > 0 ? input->limit : PREVIEW_ROWS));
    return buf_failed(sql, &call->report);
}

static result preview_run(struct call *call, const void *in, struct json_writer *w) {
    const struct preview_input *input = in;
    const struct grant_relation *relation = NULL;
    const struct policy_table *table = NULL;
    struct schema_source source = backend_set_source(call->snapshot->backends);
    TRY(table_find(call, input->table, input->project, &source, &relation, &table));
    struct buf sql;
    buf_init(&sql, SQL_BYTES_MAX);
    result r = preview_sql(call, input, relation, table, &sql);
    struct str text = buf_copy(&sql, &call->arena);
    buf_deinit(&sql);
    TRY(r);
    if (text.ptr == NULL) return fail_memory(&call->report);
    struct query query = {.text = text, .project = input->project};
    json_object(w);
    TRY(query_run(call, &query, w));
    json_object_end(w);
    return OK;
}

/* -- run_select_sql --------------------------------------------------------------------------- */

struct select_input {
    struct str sql, project, result;
    int64_t limit;
};

static const struct field select_fields[] = {
    {"sql", FIELD_TEXT, offsetof(struct select_input, sql), false, 1, SQL_BYTES_MAX,
     "One SELECT in MaxCompute SQL; name columns instead of *, and filter on the partition column. "
     "一条 MaxCompute SELECT 语句。"},
    {"project", FIELD_TEXT, offsetof(struct select_input, project), false, 1, 256,
     "The project of tables named alone. 项目名。"},
    {"limit", FIELD_INT, offsetof(struct select_input, limit), false, 1, 1000000,
     "At most so many rows, beside the statement's own LIMIT. 最多返回的行数。"},
    {"result", FIELD_TEXT, offsetof(struct select_input, result), false, 1, RESOURCE_URI_BYTES_MAX,
     "Instead of sql: 'next' of a reply that was cut, to read on. 续读被截断的结果。"},
    {0},
};

static result select_run(struct call *call, const void *in, struct json_writer *w) {
    const struct select_input *input = in;
    struct query query = {.text = input->sql, .project = input->project, .limit = input->limit};
    json_object(w);
    if (input->result.len > 0)
        TRY(result_read(call, input->result, w));
    else
        TRY(query_run(call, &query, w));
    json_object_end(w);
    return OK;
}

/* -- the rows --------------------------------------------------------------------------------- */

#define ROWS_SCHEMA                                                                                \
    "{\"type\":\"object\",\"properties\":{"                                                        \
    "\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"                            \
    "\"rows\":{\"type\":\"array\",\"items\":{\"type\":\"array\"}},"                                \
    "\"row_count\":{\"type\":\"integer\"},\"truncated\":{\"type\":\"boolean\"},"                   \
    "\"note\":{\"type\":\"string\"}},"                                                             \
    "\"required\":[\"columns\",\"rows\",\"row_count\",\"truncated\"]}"

static const struct tool warehouse_tools[] = {
    {.name = "list_allowed_tables",
     .title = "List the tables you may query",
     .summary = "Lists the tables that you may read, with domain, owner and sensitivity. Start "
                "here. 列出您有权查询的表,请从这里开始。",
     .input = list_fields,
     .input_size = sizeof(struct list_input),
     .example = "{}",
     .data_schema = "{\"type\":\"object\",\"properties\":{\"tables\":{\"type\":\"array\",\"items\":"
                    "{\"type\":\"object\"}},\"count\":{\"type\":\"integer\"}},\"required\":["
                    "\"tables\",\"count\"]}",
     .waits = TOOL_AT_ONCE,
     .is_idempotent = true,
     .is_cacheable = true,
     .run = list_run},
    {.name = "describe_table",
     .title = "Describe a table",
     .summary = "Tells a table's columns (those that you may read), partition columns and limits. "
                "Call it before writing SQL. 查看表的字段与分区信息。",
     .input = describe_fields,
     .input_size = sizeof(struct describe_input),
     .example = "{\"table\":\"project.table\"}",
     .data_schema = "{\"type\":\"object\",\"properties\":{\"table\":{\"type\":\"string\"},"
                    "\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
                    "\"partitions\":{\"type\":\"object\"}},\"required\":[\"table\",\"columns\","
                    "\"partitions\"]}",
     .waits = TOOL_AT_ONCE,
     .is_idempotent = true,
     .is_cacheable = true,
     .run = describe_run},
    {.name = "preview_table",
     .title = "Preview a table",
     .summary = "Shows a few rows of a table, from its newest partition unless one is given. "
                "预览表中的若干行数据,默认取最新分区。",
     .input = preview_fields,
     .input_size = sizeof(struct preview_input),
     .example = "{\"table\":\"project.table\",\"limit\":5}",
     .data_schema = ROWS_SCHEMA,
     .waits = TOOL_WAITS_QUERY,
     .task = TASK_MAY,
     .is_idempotent = true,
     .is_cacheable = true,
     .run = preview_run},
    {.name = "run_select_sql",
     .title = "Run one SELECT",
     .summary = "Runs one read-only SELECT in MaxCompute SQL under your permissions: columns and "
                "rows that you may not see do not exist, and a LIMIT is put in when it lacks one. "
                "执行一条只读 SELECT 查询,权限与行数限制自动生效。",
     .input = select_fields,
     .input_size = sizeof(struct select_input),
     .either = "sql",
     .or_else = "result",
     .example = "{\"sql\":\"SELECT count(*) AS n FROM project.table WHERE pt = '20260101'\"}",
     .data_schema = ROWS_SCHEMA,
     .waits = TOOL_WAITS_QUERY,
     .task = TASK_MAY,
     .is_idempotent = true,
     .is_cacheable = true,
     .run = select_run},
    {0},
};

const struct toolset toolset_warehouse = {.name = "warehouse",
                                          .tools = warehouse_tools,
                                          .resources = warehouse_resources,
                                          .prompts = warehouse_prompts};
