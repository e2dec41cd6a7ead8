/* See grant.h. */
#include "sql/grant.h"

#include "sql/resolve.h"

result grant_mask_type(const struct grant *grant, const struct grant_relation *relation,
                       struct str mask, struct arena *arena, struct sql_type *out) {
    struct sql_expr *expr;
    struct resolved *over;
    struct report unread = {0}; /* its sentences show the policy */
    *out = SQL_TYPE(UNKNOWN);
    result done = sql_parse_expr(mask, NULL, arena, &expr, &unread);
    if (done.why == FAIL_NONE)
        done = sql_resolve_over(expr, relation, grant, arena, &over, &unread);
    if (done.why == FAIL_MEMORY) return done;
    if (done.why == FAIL_NONE) *out = resolved_type(over, expr);
    return OK;
}
