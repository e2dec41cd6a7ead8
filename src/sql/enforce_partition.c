/* Partition filters that the policy demands, with the repair told: see enforce.h. */
#include "base/always.h"
#include "sql/enforce.h"
#include "sql/lineage.h"
#include "sql/print.h"

enum { WHERE_SHOWN_MAX = 280 }; /* of the hint's bytes: the repair must fit behind it */

static const struct schema_column *first_partition(const struct grant_relation *relation) {
    for (size_t i = 0; i < relation->schema->n_columns; i++)
        if (relation->schema->columns[i].is_partition && relation->columns[i].effect == GRANT_ALLOW)
            return &relation->schema->columns[i];
    return NULL;
}

/* The caller's WHERE as it stands with an AND behind it, or "… AND" when it is too long to repeat;
 * empty when there is none. */
static result shown_where(const struct resolved_source *source, struct arena *arena,
                          struct str *out, struct report *report) {
    const struct resolved_query *block = source->block;
    const struct sql_expr *where = NULL;
    *out = STR_NONE;
    /* A table stands in the FROM of a block. */
    if (ALWAYS(block != NULL && block->query->kind == SQL_SELECT))
        where = block->query->select->where;
    if (where == NULL) return OK;
    struct buf buf;
    bool is_or = where->kind == SQL_CHAIN && where->op == SQL_OP_OR;
    buf_init(&buf, WHERE_SHOWN_MAX);
    result printed = sql_print_expr(where, &sql_dialect_maxcompute, NULL, &buf, NULL);
    *out = STR("… AND ");
    if (printed.why == FAIL_NONE)
        *out = str_printf(arena, "%s" STR_FMT "%s AND ", is_or ? "(" : "",
                          STR_ARG(buf_flat(&buf, arena)), is_or ? ")" : "");
    buf_deinit(&buf);
    return printed.why == FAIL_MEMORY || out->ptr == NULL ? fail_memory(report) : OK;
}

static result refuse(const struct resolved_source *source, struct arena *arena,
                     struct report *report) {
    const struct grant_relation *relation = source->relation;
    struct str name = lineage_name_relation(relation->schema, arena);
    const struct schema_column *column = first_partition(relation);
    struct str where;
    if (name.ptr == NULL) return fail_memory(report);
    TRY(shown_where(source, arena, &where, report));
    result refused =
        fail(report, FAIL_DENIED, "PARTITION_FILTER_REQUIRED", source->source->span.from,
             "'" STR_FMT "' is read without a condition on its partitions",
             STR_ARG(utf8_clip(name, 200)));
    if (column == NULL) return refused;
    fail_hint(report, "WHERE " STR_FMT STR_FMT "." STR_FMT " = max_pt('" STR_FMT "')",
              STR_ARG(where), STR_ARG(utf8_clip(source->alias, 64)), STR_ARG(column->name),
              STR_ARG(name));
    return refused;
}

result enforce_partitions(const struct resolved *r, struct arena *arena, struct enforced *out,
                          struct report *report) {
    struct partition_finding *findings;
    bool has_partitions = false, has_unfiltered = false;
    TRY(partition_find(r, arena, &findings, report));
    out->partitions = findings;
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct partition_finding *finding = &findings[i];
        if (!finding->is_partitioned) continue;
        has_partitions = true;
        if (finding->is_proven) continue;
        has_unfiltered = true;
        if (r->sources[i]->relation->require_partition_filter)
            return refuse(r->sources[i], arena, report);
    }
    out->has_partition_filter = has_partitions && !has_unfiltered;
    out->facts.has_unfiltered_partition = has_unfiltered;
    return OK;
}
