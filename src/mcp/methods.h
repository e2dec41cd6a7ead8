/*
 * mcp/methods.h - the methods of MCP that we serve, a row each
 *
 * Threads: the table is constant; run() on the door's thread.
 */
#ifndef WEIR_MCP_METHODS_H
#define WEIR_MCP_METHODS_H

#include "mcp/turn.h"

struct method {
    const char *name;
    bool is_legacy, is_modern;      /* in which eras it exists */
    void (*run)(struct turn *turn); /* calls turn->finish(), now or later */
};

const struct method *method_find(struct str name, enum era era);

#endif
