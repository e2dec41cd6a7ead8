#include "sql/stable.h"

#include "sql/functions.h"
#include "sql/walk.h"

static bool is_stable_call(const struct sql_call *call) {
    bool is_plain = call->prefix == SQL_CALL_PLAIN || call->prefix == SQL_CALL_BUILTIN;
    if (!is_plain || call->name.n != 1) return false;
    const struct sql_function *f = sql_function_find(call->name.at[0].text);
    return f != NULL && (f->flags & (FUNCTION_VOLATILE | FUNCTION_REFUSED)) == 0;
}

static enum walk see_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    const struct ruled *ruled = with;
    (void)place;
    if (expr->kind == SQL_CALL && !is_stable_call(&expr->call)) return WALK_STOP;
    if (expr->kind == SQL_REF && ruled_ref_kind(ruled, expr) == REF_CALL) return WALK_STOP;
    return WALK_ON;
}

static enum walk see_source(struct sql_source *source, const struct sql_place *place, void *with) {
    (void)place;
    (void)with;
    bool is_of_moment =
        source->sample.kind != SQL_SAMPLE_NONE || source->travel.kind != SQL_TRAVEL_NONE;
    return is_of_moment ? WALK_STOP : WALK_ON;
}

bool sql_is_stable(const struct ruled *ruled) {
    struct sql_visitor visitor = {
        .expr = see_expr, .source = see_source, .with = (void *)(uintptr_t)ruled};
    return sql_walk_query(ruled->query, &visitor) == WALK_ON;
}
