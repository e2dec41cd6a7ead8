/*
 * mcp/task_life.h - a turn that is, or may become, a task (inside of task.c and task_methods.c)
 *
 * A turn is wrapped before its call walks, so that the end of the call comes by here. It is adopted
 * once its record is made and its lease taken: from there on the answer is the task's.
 *
 *     wrapped -> (call ends: answered as any other)
 *     wrapped -> adopted -> (call ends: its answer is kept in the record)
 *
 * Memory:  a struct task is in the arena of its turn; what its record and journal point to is in
 *          the arena of the turn, or of the clerk that made them.
 * Errors:  task_change(): as task_record_find() and task_record_keep().
 * Threads: what two touch, the call's and the clerk's, is under `lock`.
 */
#ifndef WEIR_MCP_TASK_LIFE_H
#define WEIR_MCP_TASK_LIFE_H

#include "mcp/task.h"
#include "mcp/task_record.h"
#include "mcp/turn.h"

struct task {
    pthread_mutex_t lock;
    bool is_adopted;    /* the client has, or gets, the task for an answer */
    bool is_at_clerk;   /* a clerk is making the task of it */
    bool is_finished;   /* the call's answer is in turn->out */
    struct turn *clerk; /* whose memory the next two are in; NULL: the turn's own */
    struct journal journal;
    struct task_record record;
    void (*finish)(struct turn *turn); /* the door's */
};

/* The end of the turn comes by the task from here on. false: no memory. */
bool task_wrap(struct turn *turn) __attribute__((warn_unused_result));
/* From here on the call can be cancelled by the task's id, and no more by its request's. */
void task_adopt(struct turn *turn);

/* What changes a record: false leaves it as it is. */
typedef bool task_changer(struct task_record *record, void *with, struct arena *arena);
/* Changes it, whoever else does at the same time, and tells who listens. */
MUST_USE result task_change(struct turn *turn, struct str id, task_changer *change, void *with,
                            struct task_record *out, struct report *report);

/* A whole answer to the turn's message that tells of the task. ptr NULL: no memory. */
struct str task_text(struct turn *turn, const struct task_record *record, const char *result_type,
                     bool in_detail, struct arena *arena);

#endif
