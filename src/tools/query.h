/*
 * tools/query.h - one governed statement from text to rows: stations 5b, 5c and 5d of the road
 *
 * The text is checked by the guard under the caller's grant, printed in the dialect of the backend
 * that answers for its tables, run there within the call's deadline, and its rows are shaped
 * straight into the reply.
 *
 * Memory:  the call's arena.
 * Errors:  FAIL_DENIED and FAIL_INPUT with the guard's code; FAIL_BUSY; the backend's.
 * Threads: blocks; on a worker thread only.
 */
#ifndef WEIR_TOOLS_QUERY_H
#define WEIR_TOOLS_QUERY_H

#include "call/call.h"

struct query {
    struct str text;    /* MaxCompute SQL, untrusted */
    struct str project; /* for names without one; may be empty */
    int64_t limit;      /* rows wanted beside what the text says; 0: the text decides */
};

/* Fills facts.guard and nothing else: for `sql check` and `sql lineage` too. `dialect_of` is the
 * name of a dialect or empty: that of the backend. */
MUST_USE result query_check(struct call *call, const struct query *query, bool lineage_only,
                            struct str dialect);

/* Checks, runs, and writes `"columns":[…],"rows":[…],"row_count":n,"truncated":b` and, where rows
 * were cut, "note" and, where they are kept, "next" (tools/result.h) into the object that is
 * open in `data`. */
MUST_USE result query_run(struct call *call, const struct query *query, struct json_writer *data);

/* Not even the first row fits a reply. */
result query_refuse_row(struct call *call);

/* The caller's grant over the snapshot's backends. `source` must outlive the grant. */
MUST_USE result query_grant(struct call *call, struct str project,
                            const struct schema_source *source, struct grant *out);

/* "maxcompute", "duckdb", "postgres": false for another. */
bool query_dialect(struct str name, enum guard_dialect *out);

#endif
