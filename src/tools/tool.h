/*
 * tools/tool.h - what can be asked
 *
 * A toolset is a file: its tools as rows, each with fields of input (from which come the JSON
 * schema, the parsing and the repair that a bad argument is answered with), the schema of its data,
 * annotations and one function. Tool texts say the same in English and Chinese, for the agents of
 * both. To add a toolset: one file and one word in this folder's meson.build.
 *
 * Memory:  rows are const; what run() makes lives in the call's arena.
 * Errors:  run() returns a failure with its cause in call->report, having written anything or
 *          nothing: the road takes back what was written and answers with the cause.
 * Denial:  fail(FAIL_DENIED) with the refusing code.
 * Threads: run() is called on a loop's thread when the tool does not wait, else on a worker.
 */
#ifndef WEIR_TOOLS_TOOL_H
#define WEIR_TOOLS_TOOL_H

#include "call/call.h"
#include "text/json.h"
#include "tools/input.h"

enum tool_wait {
    TOOL_AT_ONCE = 0,    /* answers from memory */
    TOOL_WAITS_METADATA, /* asks a backend for what it knows of itself */
    TOOL_WAITS_QUERY,    /* runs a statement: counts against the user's running queries */
    TOOL_WAITS_CLIENT,   /* asks whoever called, or waits for time to pass */
};

/* What run() writes. */
enum tool_reply {
    TOOL_ENVELOPE = 0, /* the envelope's `data`: one value */
    TOOL_CONTENT,      /* members of MCP's CallToolResult into an open object: content and others */
};

/* May its call become a task (mcp/task.h), where the client can? */
enum tool_task {
    TASK_NEVER = 0,
    TASK_MAY,  /* when it runs for long */
    TASK_MUST, /* at once, and never otherwise */
};

struct tool {
    const char *name;
    const char *title;
    const char *summary;             /* for the agent: English, then Chinese */
    const struct field *input;       /* ends with a row whose name is NULL */
    size_t input_size;               /* of the struct that the fields fill */
    const char *example;             /* a call that works in form: JSON of the arguments */
    const char *either, *or_else;    /* of these two fields one is given; the schema cannot say so,
                                        for models' APIs take no anyOf there. NULL: none */
    const struct mirrored *mirrored; /* ends with a row whose field is NULL; NULL: none */
    const char *input_schema; /* instead of what the fields say: run() reads call->arguments */
    const char *data_schema;  /* JSON schema of the envelope's `data` when ok */
    enum tool_reply reply;
    enum tool_wait waits;
    enum tool_task task;
    bool is_destructive, is_idempotent, is_open_world; /* every tool today only reads */
    bool is_cacheable; /* its answer hangs on arguments, rights and data alone (road/recall.h) */
    result (*run)(struct call *call, const void *input, struct json_writer *data);
};

/* Each list ends with a row whose name is NULL; an absent one is NULL. */
struct toolset {
    const char *name;
    const struct tool *tools;
    const struct resource *resources; /* tools/offer.h */
    const struct prompt *prompts;
};

/* From meson.build; ends with NULL. */
extern const struct toolset *const toolsets[];

/* NULL: there is none of that name. */
const struct tool *tool_find(struct str name);
/* Walks all tools in their order: for (size_t i = 0; (tool = tool_at(i)) != NULL; i++) */
const struct tool *tool_at(size_t i);

/* The toolset of that name, or NULL. */
const struct toolset *toolset_find(struct str name);
/* Is it on where the call came in, and for who calls? Else it does not exist. */
bool toolset_is_on(const struct call *call, const struct toolset *set);
/* Is the tool's toolset on, and the tool not hidden (rules.yaml)? Else it does not exist. */
bool tool_is_offered(const struct call *call, const struct tool *tool);
/* Offered, and allowed by the policy. */
bool tool_may_use(struct call *call, const struct tool *tool);

/* Writes one Tool object of MCP: name, title, description, schemas, annotations. Revisions before
 * 2025-06-18 know no output schema. */
void tool_describe(const struct tool *tool, bool with_output, struct json_writer *w);

#endif
