/* How many rows: see enforce.h. */
#include "base/always.h"
#include "sql/enforce.h"

/* -- what the text says ----------------------------------------------------------------------- */

/* A number that the resolver has seen to be one: digits within 64 bits, without a sign. Were it
 * none, it would be `otherwise`, which the caller refuses; the first cause stays in the report. */
static uint64_t read_number(const struct sql_expr *expr, const char *what, uint64_t otherwise,
                            struct report *report) {
    uint64_t n = 0;
    bool is_number =
        str_to_u64(ALWAYS(expr->kind == SQL_LITERAL) ? expr->literal.text : STR_NONE, &n);
    if (ALWAYS(is_number && expr->literal.kind == SQL_INTEGER)) return n;
    (void)fail(report, FAIL_DENIED, "LIMIT_MUST_BE_LITERAL", expr->span.from,
               "%s is no integer literal", what);
    return otherwise;
}

/* A count beyond all that could be read will be lowered as any other. */
static result read_count(const struct sql_expr *expr, int64_t *out, struct report *report) {
    uint64_t n = read_number(expr, "LIMIT", 0, report);
    *out = n < INT64_MAX ? (int64_t)n : INT64_MAX;
    if (n >= 1) return OK;
    result refused =
        fail(report, FAIL_DENIED, "LIMIT_TOO_SMALL", expr->span.from, "LIMIT is below 1");
    fail_hint(report, "Write LIMIT 1 or more.");
    return refused;
}

/* Engines count rows in 63 bits. */
static result check_offset(const struct sql_expr *expr, struct report *report) {
    if (read_number(expr, "OFFSET", UINT64_MAX, report) <= INT64_MAX) return OK;
    return fail(report, FAIL_DENIED, "LIMIT_MUST_BE_LITERAL", expr->span.from,
                "OFFSET is larger than any table");
}

struct look {
    const struct sql_query *root;
    int64_t asked; /* by the outermost query; 0: it does not say */
    struct report *report;
    result failed;
};

static enum walk see_query(struct sql_query *query, const struct sql_place *place, void *with) {
    (void)place;
    struct look *look = with;
    const struct sql_limit *limit = &query->tail.limit;
    int64_t n = 0;
    if (limit->count != NULL) look->failed = read_count(limit->count, &n, look->report);
    if (limit->offset != NULL && look->failed.why == FAIL_NONE)
        look->failed = check_offset(limit->offset, look->report);
    if (query == look->root) look->asked = n;
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
    struct sql_query *root = r->root->query;
    struct look look = {.root = root, .report = report, .failed = OK};
    (void)sql_walk_query(root, &(struct sql_visitor){.query = see_query, .with = &look});
    TRY(look.failed);
    int64_t max = max_of(r), asked = look.asked;
    if (limit > 0 && (asked == 0 || limit < asked)) asked = limit;
    int64_t wanted = asked > 0 ? asked : r->grant->default_limit;
    out->limit = wanted < max ? wanted : max;
    if (out->limit < 1)
        return fail(report, FAIL_DENIED, "LIMIT_TOO_SMALL", REPORT_NO_OFFSET,
                    "the policy lets no row be read");
    out->is_callers_limit = out->limit == look.asked;
    out->facts.has_limit = asked > 0;
    out->facts.limit = wanted;
    out->facts.max_limit = max;
    return OK;
}
