/*
 * mcp/task.h - a call that its client does not wait for
 *
 * (Extension io.modelcontextprotocol/tasks, of the modern era.) Where the client can, a call that
 * runs longer than `limits.task_after`, and at once a call of a tool that says TASK_MUST, is
 * answered by a task; the call goes on and its answer is kept in the store. Its questions are asked
 * and answered by way of the task's record. When the replica that runs it is gone, whoever is asked
 * for the task runs a read-only call again, for the same principal, and ends any other as failed.
 *
 * Threads: as its turn; the clerk that turns a running call into a task has a turn of its own.
 */
#ifndef WEIR_MCP_TASK_H
#define WEIR_MCP_TASK_H

#include "call/client.h"

struct turn;
struct task;

#define TASK_SESSION    "task" /* a task's name, where the session's id stands (running.h) */
#define TASKS_EXTENSION "io.modelcontextprotocol/tasks"

/* Has the client said that it understands tasks, and could we keep one? */
bool task_is_possible(const struct turn *turn);

/* In tools/call, instead of road_walk(): walks, at once or as a task. */
void task_walk(struct turn *turn);
/* Refuses with -32021: the client has not declared the extension. */
void task_refuse(struct turn *turn, const char *message);

/* Has the call become a task? Then it is asked this way. */
bool task_is_adopted(const struct turn *turn);
MUST_USE result task_ask(struct turn *turn, struct ask *asks, size_t n);

/* Of a turn that is freed. */
void task_end(struct turn *turn);

#endif
