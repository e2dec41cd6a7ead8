/*
 * mcp/task_record.h - a task as the store keeps it
 *
 * (Extension io.modelcontextprotocol/tasks.) One JSON document under "task/ID", changed by
 * compare-and-swap: by the call that runs, by answers to its questions, by who cancels.
 *
 *     working <-> input_required;  both -> completed | failed | cancelled, which are final
 *
 * Which of the first two it is follows from the questions that have no answer yet.
 *
 * Memory:  records live in the caller's arena.
 * Errors:  FAIL_ABSENT with TASK_UNKNOWN, also for what is another principal's; the store's.
 * Threads: values; all functions with a store block.
 */
#ifndef WEIR_MCP_TASK_RECORD_H
#define WEIR_MCP_TASK_RECORD_H

#include "identity/identity.h"
#include "store/store.h"
#include "text/json.h"

enum task_end { TASK_OPEN = 0, TASK_COMPLETED, TASK_FAILED, TASK_CANCELLED };

struct task_record {
    struct str id, holder;
    enum task_end end;
    int64_t created_ms, updated_ms; /* wall */
    struct str request;             /* the message as it came */
    const struct json *asks;        /* {key: {"method","params"}}; NULL: none ever */
    const struct json *answers;     /* {key: result} */
    struct str outcome;             /* COMPLETED: the result; FAILED: the error; as JSON */
    uint64_t version;
};

/* Makes the id. `record` holds holder and request; times are now. */
MUST_USE result task_record_make(struct store *store, const struct clock *clock,
                                 struct task_record *record, struct arena *arena,
                                 struct report *report);
MUST_USE result task_record_find(struct store *store, struct str id, const struct principal *who,
                                 struct arena *arena, struct task_record *out,
                                 struct report *report);
/* Writes it where nobody else has meanwhile: else *is_kept is false, and it is found anew. */
MUST_USE result task_record_keep(struct store *store, const struct clock *clock,
                                 struct task_record *record, struct arena *arena, bool *is_kept,
                                 struct report *report);

/* Is the question of that key still without an answer? */
bool task_record_is_open(const struct task_record *record, struct str key);
/* How many are. */
size_t task_record_open(const struct task_record *record);

/* The members of the protocol's Task: taskId, status, times; `in_detail` with result, error or
 * inputRequests. */
void task_record_write(const struct task_record *record, bool in_detail, struct json_writer *w);

/* An object with one more member, or another value for one. NULL: no memory. */
const struct json *task_with_member(const struct json *object, struct str key,
                                    const struct json *value, struct arena *arena);

#endif
