/* The stations of a statement: see guard.h. */
#include "sql/guard.h"

#include "sql/dialect_duckdb.h"
#include "sql/dialect_postgres.h"
#include "sql/lineage.h"
#include "sql/print.h"
#include "sql/rewrite.h"
#include "sql/stable.h"
#include "sql/verify.h"

#include "base/limits.h"

enum { SALT_TOLD_MAX = 5 }; /* bytes that text and salt may share by chance, and one more */
enum { PRINT_FACTOR = 16 }; /* a printed statement is at most so much longer than SQL_BYTES_MAX */

struct guarding {
    const struct guard_request *request;
    struct arena *arena;
    struct guard_answer *out;
    struct report *report;
    struct sql_query *query;
    struct resolved *resolved;
    struct enforced enforced;
    struct ruled *ruled;
};

/* -- what the statement touches --------------------------------------------------------------- */

static result describe(struct guarding *g) {
    struct lineage lineage;
    TRY(lineage_of(g->resolved, g->arena, &lineage, g->report));
    struct guard_answer *out = g->out;
    out->is_resolved = true;
    out->tables = lineage.tables;
    out->columns = lineage.columns;
    for (size_t i = 0; i < ACCESS_CLAUSES; i++) out->access[i] = lineage.access[i];
    out->output = lineage.output;
    out->n_output = lineage.n_output;
    return OK;
}

static int compare(const void *a, const void *b) {
    const struct str *left = a, *right = b;
    return str_cmp(*left, *right);
}

static void sort_names(struct str *names, size_t *n) {
    size_t kept = 0;
    if (*n > 1) qsort(names, *n, sizeof *names, compare);
    for (size_t i = 0; i < *n; i++)
        if (kept == 0 || !str_eq(names[i], names[kept - 1])) names[kept++] = names[i];
    *n = kept;
}

static bool is_in(const struct name_list *list, struct str name) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], name)) return true;
    return false;
}

/* The partition columns by which tables are proven to be filtered. */
static result describe_partitions(struct guarding *g) {
    const struct resolved *r = g->resolved;
    struct str *names = NULL;
    size_t n = 0, cap = 0;
    for (size_t i = 0; i < r->n_sources; i++) {
        const struct partition_finding *finding = &g->enforced.partitions[i];
        for (size_t k = 0; k < finding->n_proven; k++) {
            struct str *place = ARENA_PUSH(g->arena, names, n, cap);
            if (place == NULL) return fail_memory(g->report);
            *place =
                lineage_name_column(r->sources[i]->relation->schema, finding->proven[k], g->arena);
            if (place->ptr == NULL) return fail_memory(g->report);
        }
    }
    sort_names(names, &n);
    g->out->partitions = (struct name_list){names, n};
    return OK;
}

/* Columns that filters and masks read and the text does not. */
static result describe_policy(struct guarding *g) {
    const struct ruled *ruled = g->ruled;
    struct str *names = arena_new_array(g->arena, ruled->n_policy, struct str);
    size_t n = 0;
    if (names == NULL) return fail_memory(g->report);
    for (size_t i = 0; i < ruled->n_policy; i++) {
        struct str name = lineage_name_column(ruled->policy[i].relation->schema,
                                              ruled->policy[i].column, g->arena);
        if (name.ptr == NULL) return fail_memory(g->report);
        if (!is_in(&g->out->columns, name)) names[n++] = name;
    }
    sort_names(names, &n);
    g->out->policy_columns = (struct name_list){names, n};
    g->out->may_tell_engine = !ruled->has_policy;
    return OK;
}

/* -- verdict ---------------------------------------------------------------------------------- */

static result judge(struct guarding *g) {
    const struct grant *grant = g->request->grant;
    struct guard_answer *out = g->out;
    out->has_partition_filter = g->enforced.has_partition_filter;
    out->join_count = g->enforced.n_joins;
    out->limit = g->enforced.limit;
    out->is_callers_limit = g->enforced.is_callers_limit;
    out->backend = g->enforced.backend;
    out->risk_flags = risk_flags_of(&g->enforced.facts);
    if (g->enforced.facts.has_relation) /* nobody has told yet how much is scanned */
        out->risk_flags =
            risk_with_estimate(out->risk_flags, RISK_BYTES_UNKNOWN, grant->max_scan_bytes);
    out->risk = risk_level_of(out->risk_flags);
    TRY(describe_partitions(g));
    if (!risk_reaches(out->risk, grant->deny_at)) return OK;
    return fail(g->report, FAIL_DENIED, "RISK_NOT_ALLOWED", REPORT_NO_OFFSET,
                "the statement's risk is %s, which the policy does not allow",
                risk_level_name[out->risk]);
}

/* Allowed, or allowed once somebody else says yes; the report then tells what for. */
static void decide(struct guarding *g) {
    struct guard_answer *out = g->out;
    out->effect = GUARD_ALLOW;
    if (!risk_reaches(out->risk, g->request->grant->approval_at)) return;
    out->effect = GUARD_APPROVAL;
    (void)fail(g->report, FAIL_DENIED, "APPROVAL_REQUIRED", REPORT_NO_OFFSET,
               "the statement's risk is %s, and somebody else must approve it",
               risk_level_name[out->risk]);
}

/* -- text ------------------------------------------------------------------------------------- */

static result print(struct guarding *g, const struct sql_dialect *dialect, struct str *out) {
    struct buf buf;
    buf_init(&buf, (size_t)(PRINT_FACTOR * SQL_BYTES_MAX));
    result printed = sql_print(g->ruled->query, dialect, g->ruled, &buf, g->report);
    if (printed.why == FAIL_NONE) {
        *out = buf_copy(&buf, g->arena);
        if (out->ptr == NULL) printed = fail_memory(g->report);
    }
    buf_deinit(&buf);
    return printed;
}

static const struct sql_dialect *const dialects[] = {[DIALECT_MAXCOMPUTE] = &sql_dialect_maxcompute,
                                                     [DIALECT_DUCKDB] = &sql_dialect_duckdb,
                                                     [DIALECT_POSTGRES] = &sql_dialect_postgres};

static result print_and_verify(struct guarding *g) {
    struct guard_answer *out = g->out;
    struct ruled *ruled = g->ruled;
    enum guard_dialect dialect = g->request->dialect;
    TRY(print(g, &sql_dialect_maxcompute, &out->sql));
    TRY(verify(out->sql, ruled->query, g->request->grant, g->enforced.limit, g->arena, g->report));
    if (dialect != DIALECT_MAXCOMPUTE) {
        TRY(rewrite_fence(ruled, g->arena, g->report));
        TRY(print(g, dialects[dialect], &out->sql));
    }
    out->run = out->sql;
    if (ruled->n_salts == 0) return OK;
    out->salt = g->request->grant->salt;
    for (size_t i = 0; i < ruled->n_salts; i++) ruled->salts[i]->literal.text = out->salt;
    return print(g, dialects[dialect], &out->run);
}

/* -- what is told of a run -------------------------------------------------------------------- */

/* How many bytes at the beginning of `text` stand somewhere in the salt. */
static size_t shared(struct str text, struct str salt) {
    size_t longest = 0;
    for (size_t from = 0; from < salt.len; from++) {
        size_t n = 0;
        while (n < text.len && from + n < salt.len && text.ptr[n] == salt.ptr[from + n]) n++;
        if (n > longest) longest = n;
    }
    return longest;
}

struct str guard_redact(const struct guard_answer *answer, struct str text, struct arena *arena) {
    if (answer->salt.len == 0 || text.len == 0) return text;
    char *bytes = arena_alloc(arena, text.len, 1);
    if (bytes == NULL) return STR_NONE;
    memcpy(bytes, text.ptr, text.len);
    for (size_t i = 0; i < text.len;) {
        size_t n = shared(str_slice(text, i, text.len), answer->salt);
        /* An engine may show a window of the statement, and so a part of the salt. */
        if (n >= SALT_TOLD_MAX) memset(bytes + i, '*', n);
        i += n >= SALT_TOLD_MAX ? n : 1;
    }
    return (struct str){bytes, text.len};
}

/* -- the road --------------------------------------------------------------------------------- */

/* Of two slips the first is told. Were a denied column no slip, telling the second one would tell
 * that the first exists; so the words are those for a world without denied columns. */
static result resolve(struct guarding *g) {
    const struct grant *grant = g->request->grant;
    struct report words = {0};
    result resolved = sql_resolve(g->query, grant, g->arena, &g->resolved, &words);
    if (resolved.why == FAIL_INPUT || resolved.why == FAIL_DENIED)
        TRY(enforce_names(g->query, grant, g->arena, g->report));
    if (resolved.why == FAIL_NONE) return OK;
    (void)fail(g->report, resolved.why, words.code, words.offset, "%s", words.sentence);
    if (words.hint[0] != '\0') fail_hint(g->report, "%s", words.hint);
    return resolved;
}

static result walk_stations(struct guarding *g) {
    const struct guard_request *request = g->request;
    const struct grant *grant = request->grant;
    TRY(sql_parse(request->text, &grant->limits, g->arena, &g->query, g->report));
    TRY(resolve(g));
    TRY(describe(g));
    TRY(enforce(g->resolved, request->limit, g->arena, &g->enforced, g->report));
    TRY(judge(g));
    if (!request->lineage_only) {
        TRY(rewrite(g->resolved, &g->enforced, request->dialect, g->arena, &g->ruled, g->report));
        TRY(describe_policy(g));
        g->out->is_stable = sql_is_stable(g->ruled);
        TRY(print_and_verify(g));
    }
    decide(g);
    return OK;
}

result guard_check(const struct guard_request *request, struct arena *arena,
                   struct guard_answer *out, struct report *report) {
    struct report own = {0};
    *out = (struct guard_answer){0};
    struct guarding g = {
        .request = request, .arena = arena, .out = out, .report = report != NULL ? report : &own};
    result done = walk_stations(&g);
    if (done.why == FAIL_NONE) return OK;
    out->effect = GUARD_DENY;
    out->sql = out->run = out->salt = STR_NONE;
    return done.why == FAIL_DENIED ? OK : done;
}
