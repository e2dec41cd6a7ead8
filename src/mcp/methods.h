/*
 * mcp/methods.h - the methods of MCP that we serve, a row each
 *
 * A method is a function over its turn, in the file of its family; methods.c holds the table.
 *
 * Threads: the table is constant; run() on the door's thread or a desk's.
 */
#ifndef WEIR_MCP_METHODS_H
#define WEIR_MCP_METHODS_H

#include "mcp/turn.h"

struct method {
    const char *name;
    bool is_legacy, is_modern;      /* in which eras it exists */
    void (*run)(struct turn *turn); /* calls turn->finish(), now or later */
};

/* NULL: not in that era. */
const struct method *method_find(struct str name, enum era era);

void method_initialize(struct turn *turn); /* lifecycle.c */
void method_ping(struct turn *turn);
void method_set_level(struct turn *turn);
void method_discover(struct turn *turn);

void method_listen(struct turn *turn); /* listen.c */
void method_subscribe(struct turn *turn);
void method_unsubscribe(struct turn *turn);

void method_tools_list(struct turn *turn); /* tool_methods.c */
void method_tools_call(struct turn *turn);
/* The call of the turn's message, its rounds taken: on its way. */
void tool_call_begin(struct turn *turn);

void method_task_get(struct turn *turn); /* task_methods.c */
void method_task_update(struct turn *turn);
void method_task_cancel(struct turn *turn);

void method_resources_list(struct turn *turn); /* resource_methods.c */
void method_resource_templates_list(struct turn *turn);
void method_resources_read(struct turn *turn);

void method_prompts_list(struct turn *turn); /* prompt_methods.c */
void method_prompts_get(struct turn *turn);

void method_complete(struct turn *turn); /* complete_method.c */

#endif
