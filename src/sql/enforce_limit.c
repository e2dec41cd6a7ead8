/* How many rows: see enforce.h. */
#include "sql/enforce.h"

/* -- what the text says ----------------------------------------------------------------------- */

static result refuse_limit(const struct sql_expr *expr, const char *what, struct report *report) {
    result refused = fail(report, FAIL_DENIED, "LIMIT_MUST_BE_LITERAL", expr->span.from,
                          "%s is no integer literal", what);
    fail_hint(report, "Write %s with digits only, as in LIMIT 100.", what);
    return refused;
}

static result refuse_small(const struct sql_expr *expr, struct report *report) {
    result refused =
        fail(report, FAIL_DENIED, "LIMIT_TOO_SMALL", expr->span.from, "LIMIT is below 1");
    fail_hint(report, "Write LIMIT 1 or more.");
    return refused;
}

static bool is_integer(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL &&
           (expr->literal.kind == SQL_INTEGER || expr->literal.kind == SQL_BIGINT);
}

static result read_count(const struct sql_expr *expr, int64_t *out, struct report *report) {
    if (expr->kind == SQL_UNARY && expr->op == SQL_OP_MINUS && is_integer(expr->operand))
        return refuse_small(expr, report);
    if (!is_integer(expr) || !str_to_i64(expr->literal.text, out))
        return refuse_limit(expr, "LIMIT", report);
    return *out < 1 ? refuse_small(expr, report) : OK;
}

struct look {
    struct report *report;
    result failed;
};

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct look *look = with;
    const struct sql_limit *limit = &query->tail.limit;
    int64_t n;
    if (limit->count != NULL) look->failed = read_count(limit->count, &n, look->report);
    if (limit->offset != NULL && look->failed.why == FAIL_NONE &&
        (!is_integer(limit->offset) || !str_to_i64(limit->offset->literal.text, &n)))
        look->failed = refuse_limit(limit->offset, "OFFSET", look->report);
    return look->failed.why == FAIL_NONE ? WALK_ON : WALK_STOP;
}

/* -- what the grant says ---------------------------------------------------------------------- */

/* A table's maximum stands in the place of the grant's; of several tables the smallest rules. */
static int64_t max_of(const struct resolved *r) {
    int64_t max = INT64_MAX;
    bool has_relation = false;
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct grant_relation *relation = r->sources[i]->relation;
        if (relation == NULL) continue;
        has_relation = true;
        int64_t own = relation->max_limit > 0 ? relation->max_limit : r->grant->max_limit;
        if (own < max) max = own;
    }
    return has_relation ? max : r->grant->max_limit;
}

result enforce_limits(const struct resolved *r, int64_t limit, struct enforced *out,
                      struct report *report) {
    struct look look = {.report = report, .failed = OK};
    struct sql_query *root = r->root->query;
    (void)sql_walk_query(root, &(struct sql_visitor){.query = see_query, .with = &look});
    TRY(look.failed);
    int64_t max = max_of(r), asked = 0;
    bool has_text = root->tail.limit.count != NULL;
    if (has_text) TRY(read_count(root->tail.limit.count, &asked, report));
    if (limit > 0 && (!has_text || limit < asked)) asked = limit;
    bool is_asked = has_text || limit > 0;
    int64_t wanted = is_asked ? asked : r->grant->default_limit;
    if (max < 1 || wanted < 1)
        return fail(report, FAIL_DENIED, "LIMIT_TOO_SMALL", REPORT_NO_OFFSET,
                    "the policy lets no row be read");
    out->limit = wanted < max ? wanted : max;
    out->is_callers_limit = has_text && out->limit == asked && (limit <= 0 || limit >= asked);
    out->facts.has_limit = is_asked;
    out->facts.limit = wanted;
    out->facts.max_limit = max;
    return OK;
}
