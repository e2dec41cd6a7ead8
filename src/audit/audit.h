/*
 * audit/audit.h - everything is on record before it is answered
 *
 * One writer thread owns the file, the sequence and the hash chain. A caller hands over a finished
 * record and is told, on the writer's thread, when it is as safe as the setting promises:
 *
 *   - everysec: after write(2). Survives a kill of the process, not a loss of power in the last
 *     second.
 *   - always: after the group's fdatasync(2). Survives both.
 *
 * Each line holds `seq`, `prev` (the hash of the line before) and, last, `hash`: the SHA-256 of
 * `prev` and the line's bytes before `,"hash"`. A new day's file goes on with the last hash. The
 * head (seq and hash) is kept beside the state, so that a cut tail is seen by audit_verify().
 *
 * Memory:  audit_submit() copies what it needs before it returns; the queue is bounded.
 * Errors:  done(FAIL_IO): the record could not be written and the reply must become
 *          AUDIT_UNAVAILABLE; nothing of it stays in the file. The writer tries again with the
 *          next record and once a second, and then records how many were refused. A log that
 *          reaches RLIMIT_FSIZE is such an error; SIGXFSZ need not be ignored for it.
 *          FAIL_BUSY: the queue is full. FAIL_MEMORY: no memory, or a record that passes
 *          AUDIT_LINE_BYTES_MAX (base/limits.h).
 * Itself:  what the log has to say about itself is a record whose station is "audit" and whose
 *          error_code is AUDIT_TORN (an end that was no line was set aside), AUDIT_CUT (the end
 *          is missing), AUDIT_HEAD_LOST or AUDIT_RESUMED.
 * Threads: audit_submit() and audit_is_ready() from any thread. done() runs on the writer's, which
 *          writes nothing meanwhile: it hands over and returns.
 */
#ifndef WEIR_AUDIT_AUDIT_H
#define WEIR_AUDIT_AUDIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/option.h"

struct audit;

enum audit_sync { AUDIT_EVERYSEC = 0, AUDIT_ALWAYS };

/* `audit:` of weir.yaml */
struct audit_settings {
    int sync;            /* enum audit_sync */
    struct str file;     /* "audit.jsonl", in the logs directory */
    int64_t queue_bytes; /* records waiting to be written */
    int64_t keep_days;   /* rotated files older than this are deleted; 0: never */
};
extern const struct option audit_options[];

/* The fields of one record (seed A12, and ours). Texts are valid during audit_submit() only;
 * empty ones are written as null. JSON fields hold one complete value or are empty. */
struct audit_record {
    const char *audit_id;
    struct str request_id;
    int64_t time_ms;
    struct str user_id, client_id, session_id, source_ip, auth_method, token_id;
    struct str tool_name, method;
    const char *outcome; /* "success", "denied", "error" */
    double latency_ms;
    struct str request_params_json; /* redacted */
    struct str tables_json, columns_json;
    int64_t row_count; /* -1: null */
    bool truncated;
    const char *policy_decision; /* "allowed", "denied", "approval_required" */
    struct str deny_reason, error_message;
    const char *error_code; /* NULL: null */
    struct str rule, policy_version;
    struct str looks_json;  /* what the policy looked at: [["RULE","allows"],…], in its order */
    struct str approval_id; /* of the request for another person's yes, where there is one */
    struct str sql_asked, sql_run;
    struct str backend, engine_error;
    int64_t engine_us; /* -1: null */
    int64_t reply_bytes;
    bool from_cache;     /* what was answered before: no engine was asked now */
    const char *station; /* where the road ended */
    int64_t repeated; /* of a summary line for refusals before an identity; 0: an ordinary record */
};

typedef void audit_done(void *with, result how);

/* Opens (and locks) the file in `logs_dir`; a second process writes audit.<pid>.jsonl. A torn last
 * line is set aside and recorded. */
MUST_USE result audit_open(const struct audit_settings *settings, struct str logs_dir,
                           struct str state_dir, const struct clock *clock, struct audit **out,
                           struct report *report);
/* Writes what waits, syncs, ends the thread. Takes NULL. */
void audit_close(struct audit *audit);

/* Exactly one done() follows, on the writer's thread, unless this returns a failure. */
MUST_USE result audit_submit(struct audit *audit, const struct audit_record *record,
                             audit_done *done, void *with);

/* The same for a thread that may block: it waits for done(). FAIL_IO, FAIL_BUSY and FAIL_MEMORY
 * have the code AUDIT_UNAVAILABLE in the report. */
MUST_USE result audit_write(struct audit *audit, const struct audit_record *record,
                            struct report *report);

/* For /health/ready: false with a sentence when the last write failed, or that of the head. */
bool audit_is_ready(struct audit *audit, struct str *sentence, struct arena *arena);

/* -- reading ---------------------------------------------------------------------------------- */

/* Checks all files of the log in order, those of second processes too, and the heads: every line,
 * every hash, no gap, no cut end. May run while the log is written. An empty `state_dir` leaves the
 * heads out: then a cut end or a deleted oldest file is not seen.
 * FAIL_INPUT names file and line of the first break: AUDIT_BROKEN, or AUDIT_TORN where only the
 * last line is not whole, as after a loss of power. FAIL_IO, FAIL_MEMORY, FAIL_CONFIG: could not
 * check. */
struct audit_verified {
    uint64_t files, records;      /* of all chains */
    uint64_t first_seq, last_seq; /* of the log's own chain */
};
MUST_USE result audit_verify(struct str logs_dir, struct str state_dir, struct str file,
                             struct audit_verified *out, struct arena *arena,
                             struct report *report);

/* Filter for tail and search; empty members match everything. */
struct audit_query {
    struct str user_id, tool_name, outcome, audit_id, text; /* text: anywhere in the line */
    struct str since, until; /* ISO 8601 prefixes, compared as text */
    size_t last;             /* only the last N matches; 0: all */
};
/* Calls see() with each matching line, without its newline and valid during the call, oldest first
 * over all files and processes; see() returns false to stop. A last line that is not whole is
 * passed over. With `last` the log is read twice, for no line is kept. FAIL_BUSY: the log was
 * rotated meanwhile; what was seen is right, and the rest wants another call. */
MUST_USE result audit_search(struct str logs_dir, struct str file, const struct audit_query *query,
                             bool (*see)(struct str line, void *with), void *with,
                             struct report *report);

#endif
