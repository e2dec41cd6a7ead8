/* Which columns an expression reads: those of its own query, or of a query around it. An aggregate
 * of the latter alone belongs to the query around, for an engine; MaxCompute knows no such thing.
 */
#include "sql/dialect_engine.h"

struct looking {
    const printer *p;
    uint32_t level; /* sub-queries of the expression that are open */
    struct dialect_reads found;
};

static void see_ref(struct looking *looking, const struct sql_expr *ref) {
    const struct ruled *ruled = looking->p->with;
    enum resolved_ref_kind kind = ruled_ref_kind(ruled, ref);
    bool is_made = ref->id == 0 || ref->id >= ruled->first_made;
    const struct resolved_ref *was = is_made ? NULL : resolved_ref(ruled->resolved, ref);
    uint32_t depth = was != NULL ? was->depth : 0;
    if (kind != REF_COLUMN && kind != REF_OUTPUT) return;
    if (depth > looking->level) looking->found.outer = true;
    if (depth == looking->level) looking->found.own = true;
}

static enum walk see(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct looking *looking = with;
    (void)place;
    if (expr->kind == SQL_REF) see_ref(looking, expr);
    return WALK_ON;
}

static enum walk enter(struct sql_query *query, const struct sql_place *place, void *with) {
    struct looking *looking = with;
    (void)place;
    looking->found.queries = true;
    if (query->kind == SQL_SELECT) looking->level++;
    return WALK_ON;
}

static void leave(struct sql_query *query, const struct sql_place *place, void *with) {
    struct looking *looking = with;
    (void)place;
    if (query->kind == SQL_SELECT) looking->level--;
}

struct dialect_reads dialect_reads(const printer *p, const struct sql_expr *expr) {
    struct looking looking = {.p = p};
    const struct sql_visitor visitor = {
        .expr = see, .query = enter, .leave_query = leave, .with = &looking};
    if (p->with != NULL && expr != NULL)
        (void)sql_walk_expr((struct sql_expr *)(uintptr_t)expr, &visitor);
    return looking.found;
}
