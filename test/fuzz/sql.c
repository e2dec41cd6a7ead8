/* Any bytes: a query, or a refusal that says why and where. What is a query, printed, is the same
 * query once more; a copy is the same; the walker sees it to its end. */
#include "base/limits.h"
#include "fuzz.h"
#include "sql/parse.h"
#include "sql/print.h"
#include "sql/walk.h"

static enum walk see_expr(struct sql_expr *expr, const struct sql_place *place, void *with) {
    size_t *n = with;
    MUST(place->clause != SQL_IN_NOTHING && expr->height > 0);
    MUST(expr->height <= SQL_NESTING_MAX && expr->span.from < expr->span.to);
    ++*n;
    return WALK_ON;
}

static void check_same(const struct sql_query *query, struct arena *arena) {
    struct buf buf, again;
    struct sql_query *back = NULL;
    struct report report = {0};
    buf_init(&buf, (size_t)CALL_ARENA_BYTES);
    buf_init(&again, (size_t)CALL_ARENA_BYTES);
    MUST(sql_print(query, &sql_dialect_maxcompute, NULL, &buf, NULL).why == FAIL_NONE);
    struct sql_limits wide = {.bytes = (size_t)(16 * MIB)}; /* escapes and parentheses add to it */
    result r = sql_parse(buf_flat(&buf, arena), &wide, arena, &back, &report);
    if (r.why != FAIL_NONE) {
        MUST(r.why == FAIL_LIMIT && query->height > 40); /* printed parentheses nest deeper */
    } else {
        MUST(sql_equal(query, back) && sql_equal(back, query));
        MUST(sql_print(back, &sql_dialect_maxcompute, NULL, &again, NULL).why == FAIL_NONE);
        MUST(str_eq(buf_flat(&buf, arena), buf_flat(&again, arena)));
    }
    buf_deinit(&again);
    buf_deinit(&buf);
}

static void check_accepted(struct sql_query *query, struct arena *arena) {
    size_t n = 0;
    struct sql_visitor visitor = {.expr = see_expr, .with = &n};
    MUST(sql_walk_query(query, &visitor) == WALK_ON);
    MUST(n > 0 && n <= query->n_ids && query->height <= SQL_NESTING_MAX);
    struct sql_query *copy = sql_copy_query(arena, query);
    MUST(copy != NULL && sql_equal(query, copy));
    check_same(query, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    struct arena arena;
    struct report report = {0};
    struct sql_query *query = NULL;
    if (size > 1 << 16) return 0;
    arena_init(&arena, (size_t)CALL_ARENA_BYTES);
    result r = sql_parse(text, NULL, &arena, &query, &report);
    MUST(r.why == report.why && (r.why == FAIL_NONE) == (query != NULL));
    if (r.why == FAIL_NONE) {
        check_accepted(query, &arena);
        MUST(str_eq(str_of(sql_classify(text)), STR("select")));
    } else {
        MUST(report.code != NULL && report.offset <= size && report.sentence[0] != '\0');
        MUST(utf8_valid(str_of(report.sentence)));
        (void)sql_classify(text);
    }
    arena_deinit(&arena);
    return 0;
}
