/* Which functions may be called, and on which tables: see enforce.h. */
#include "base/always.h"
#include "sql/enforce.h"

static bool is_listed(struct str name, const struct str *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_ieq(list[i], name)) return true;
    return false;
}

static struct str name_of(const struct sql_expr *expr) {
    const struct sql_names *names = expr->kind == SQL_CALL ? &expr->call.name : &expr->ref;
    return ALWAYS(names->n > 0) ? names->at[names->n - 1].text : STR_NONE;
}

static result refuse(const struct sql_expr *expr, const char *why, bool suggest,
                     struct report *report) {
    struct str name = utf8_clip(name_of(expr), 128);
    result refused = fail(report, FAIL_DENIED, "FUNCTION_NOT_ALLOWED", expr->span.from,
                          "function '" STR_FMT "' %s", STR_ARG(name), why);
    const struct sql_function *near = suggest ? sql_function_nearest(name) : NULL;
    if (near != NULL) fail_hint(report, "Did you mean '%s'?", near->name);
    return refused;
}

/* -- functions that read metadata ------------------------------------------------------------- */

/* Unknown and ungranted are refused in one sentence, as in FROM. */
static result refuse_named(const struct sql_expr *expr, struct arena *arena,
                           struct report *report) {
    /* The resolver has counted the arguments. */
    const struct sql_expr *arg = ALWAYS(expr->call.args.n > 0) ? expr->call.args.at[0] : NULL;
    if (NEVER(arg == NULL) || arg->kind != SQL_LITERAL || arg->literal.kind != SQL_STRING)
        return refuse(expr, "needs a literal that names a table", false, report);
    struct str rest = arg->literal.text;
    struct sql_names names = {.at = arena_new_array(arena, 3, struct sql_name)};
    if (names.at == NULL) return fail_memory(report);
    while (rest.ptr != NULL && names.n < 2)
        names.at[names.n++] = (struct sql_name){.text = str_cut(&rest, '.'), .span = arg->span};
    if (rest.ptr != NULL) names.at[names.n++] = (struct sql_name){.text = rest, .span = arg->span};
    return sql_refuse_table(&names, report);
}

static result check_metadata(const struct resolved_call *call, struct arena *arena,
                             struct report *report) {
    const struct sql_expr *expr = call->expr;
    const struct grant_relation *relation = call->relation;
    /* No function of metadata can be called without parentheses. */
    if (NEVER(expr->kind != SQL_CALL)) return refuse(expr, "needs a table", false, report);
    if (relation == NULL || relation->effect != GRANT_ALLOW)
        return refuse_named(expr, arena, report);
    const struct sql_expr *arg = expr->call.args.at[0];
    /* The resolver found the relation by a literal, and by nothing else. */
    if (NEVER(arg->kind != SQL_LITERAL || arg->literal.kind != SQL_STRING))
        return refuse(expr, "needs a literal that names a table", false, report);
    for (size_t i = 0; i < relation->schema->n_columns; i++) {
        if (!relation->schema->columns[i].is_partition) continue;
        if (relation->columns != NULL && relation->columns[i].effect == GRANT_ALLOW) return OK;
        return fail(report, FAIL_DENIED, "COLUMN_NOT_ALLOWED", expr->span.from,
                    "the partitions of '" STR_FMT "' are not granted",
                    STR_ARG(relation->schema->name));
    }
    return refuse(expr, "needs a partitioned table", false, report);
}

/* -- all -------------------------------------------------------------------------------------- */

static result check_call(const struct resolved *r, const struct resolved_call *call,
                         struct arena *arena, struct report *report) {
    const struct sql_expr *expr = call->expr;
    const struct grant *grant = r->grant;
    struct str name = name_of(expr);
    if (expr->kind == SQL_CALL && expr->call.prefix != SQL_CALL_PLAIN &&
        expr->call.prefix != SQL_CALL_BUILTIN)
        return refuse(expr, "of a project is not accepted", false, report);
    if (is_listed(name, grant->functions_denied, grant->n_functions_denied))
        return refuse(expr, "is not allowed", false, report);
    if (call->function == NULL) {
        if (is_listed(name, grant->functions_allowed, grant->n_functions_allowed)) return OK;
        return refuse(expr, "is not allowed", true, report);
    }
    if ((call->function->flags & FUNCTION_REFUSED) != 0)
        return refuse(expr, "is not allowed", false, report);
    if ((call->function->flags & FUNCTION_METADATA) != 0)
        return check_metadata(call, arena, report);
    return OK;
}

result enforce_functions(const struct resolved *r, struct arena *arena, struct report *report) {
    for (size_t i = 0; i < r->n_calls; i++) TRY(check_call(r, r->calls[i], arena, report));
    return OK;
}
