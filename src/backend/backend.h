/*
 * backend/backend.h - who answers SQL
 *
 * One of the two seams of the house that deserve slow review. A backend runs only text that the
 * guard has printed in its dialect, read-only, behind a second wall of its own; it trusts nothing
 * else. A kind is a const struct in a file of its own; the list of kinds is in backend.c.
 *
 * Memory:  a backend belongs to the set that opened it; schemas it tells live as long as it does.
 * Errors:  FAIL_BACKEND (code BACKEND_ERROR or the backend's), FAIL_TIMEOUT (QUERY_TIMEOUT),
 *          FAIL_CANCELLED, FAIL_BUSY (BACKEND_BUSY: no worker free before the deadline),
 *          FAIL_ABSENT (BACKEND_CANNOT_RUN: a schema backend; BACKEND_NOT_INSTALLED).
 * Threads: every function may be called from any thread at any time between open and close.
 */
#ifndef WEIR_BACKEND_BACKEND_H
#define WEIR_BACKEND_BACKEND_H

#include "backend/rows.h"
#include "base/option.h"
#include "sql/guard.h"
#include "sql/schema.h"
#include "text/problem.h"
#include "text/yaml.h"

struct backend;

/* Who wants to know how far a run is, in whole per cent of what the engine has to read: from 1 to
 * 99, growing, on the thread that runs. What the engine does not tell is not told; a short run
 * tells nothing. */
struct run_watch {
    void (*see)(struct run_watch *watch, unsigned percent);
};

/* What a run may take. */
struct run_limits {
    int64_t deadline_mono_ns; /* clock_mono_ns(); the run is ended by then, whatever it does */
    int cancel_fd;            /* an eventfd that becomes readable on cancel; -1: none */
    bool is_private; /* a row filter or mask is at work: no engine text may reach the caller;
                        it goes to run_facts.engine_error alone */
    struct str tag;  /* the audit id, for the engine's own log; may be empty */
    /* NULL: nobody. Nor is anybody told where is_private: the steps would count rows that the
     * caller may not see. */
    struct run_watch *watch;
};

/* What a run tells beside its rows. Texts live in the arena given to backend_run(). */
struct run_facts {
    int64_t engine_us;       /* the engine's own time for the statement */
    int64_t scanned_bytes;   /* -1: not known */
    struct str engine_error; /* for the record, never for the caller */
};

struct backend_setup {
    struct str name;            /* as in weir.yaml */
    const struct yaml *node;    /* its own settings; positions for problems */
    struct str file;            /* weir.yaml's name, for problems */
    struct str config_dir;      /* input paths are relative to it */
    struct str state_dir;       /* outputs (loaded databases) go here */
    struct str default_project; /* for tables named without a project */
    struct str executable;      /* our own, for worker processes: /proc/self/exe resolved */
    bool schema_only;           /* `check`, `sql check|lineage`: learn the schema, open no state */
};

struct backend_kind {
    const char *name; /* "duckdb", "schema" */
    enum guard_dialect dialect;
    bool can_run;
    const struct option *options; /* the keys of `node` beside name and kind */

    /* Adds what is wrong to `problems` and then returns FAIL_CONFIG. Keeps what it needs. */
    result (*open)(struct backend **out, const struct backend_setup *setup,
                   struct problems *problems);
    void (*close)(struct backend *backend); /* takes NULL; ends workers; waits for none */

    result (*find)(struct backend *backend, struct str project, struct str schema, struct str name,
                   struct arena *arena, const struct schema_relation **out, struct report *report);
    /* All relations, sorted by project, schema, name. */
    result (*list)(struct backend *backend, struct arena *arena,
                   const struct schema_relation *const **out, size_t *n, struct report *report);
    result (*max_pt)(struct backend *backend, const struct schema_relation *relation,
                     struct arena *arena, struct str *out, struct report *report);
    /* Blocks until done, cancelled or past the deadline. Rows go to `sink` as they come. */
    result (*run)(struct backend *backend, struct str sql, const struct run_limits *limits,
                  struct row_sink *sink, struct run_facts *facts, struct arena *arena,
                  struct report *report);
    /* Is it able to answer now? The sentence goes to /health/ready. Does not block for long. */
    bool (*is_ready)(struct backend *backend, struct str *sentence, struct arena *arena);
};

/* The kinds there are, in their order; NULL behind the last: for pages that tell their settings. */
const struct backend_kind *backend_kind_at(size_t i);

/* -- a set of backends, as weir.yaml lists them; a snapshot owns one ----------------------------
 */

struct backend_set;

/* `list` is the node of `backends:`; NULL gives an empty set. `base` holds what is common to all.
 */
MUST_USE result backend_set_open(const struct yaml *list, const struct backend_setup *base,
                                 struct problems *problems, struct backend_set **out);
/* References, so that a call keeps its backends through a reload. */
struct backend_set *backend_set_ref(struct backend_set *set);
void backend_set_unref(struct backend_set *set); /* takes NULL */

size_t backend_set_count(const struct backend_set *set);
struct backend *backend_set_at(const struct backend_set *set, size_t i);
struct backend *backend_set_by_name(const struct backend_set *set, struct str name);

struct str backend_name(const struct backend *backend);
const struct backend_kind *backend_kind_of(const struct backend *backend);

/* The schema source over all backends of the set: the first that knows a relation answers. */
struct schema_source backend_set_source(struct backend_set *set);

MUST_USE result backend_run(struct backend *backend, struct str sql,
                            const struct run_limits *limits, struct row_sink *sink,
                            struct run_facts *facts, struct arena *arena, struct report *report);

#endif
